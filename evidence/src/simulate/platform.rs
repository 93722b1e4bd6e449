//! Platform tests: deliveries that a system must survive. Each is a folder in `platform`, made from the files of the
//! cut-off: the same files again, the same rows in reverse order, or a part of the rows gone.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{filter_record_batch, take_record_batch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::anomaly::AnomalyKind;
use super::column::{ROWS_PER_GROUP, writer_properties};
use super::draw::{Draw, whole};
use super::error::SimulateError;
use super::folder::{DATASETS, make_folder};
use super::planting::Planting;
use super::truth::Ledger;
use super::world::World;

/// Datasets of records that come and go, and the column that names a record.
const RECORDS: [(&str, &str); 7] = [
    ("visit", "recordid"),
    ("ae", "recordid"),
    ("lb", "recordid"),
    ("pd", "recordid"),
    ("dataent", "pageid"),
    ("datachg", "datapointid"),
    ("query", "queryid"),
];

/// Writes the platform tests of a plan beside the extract in `out`.
pub(super) fn write(world: &World<'_>, out: &Path, ledger: &mut Ledger<'_>) -> Result<(), SimulateError> {
    for planting in &world.plantings {
        let folder = out.join("platform").join(planting.kind.facts().name);
        match planting.kind {
            AnomalyKind::DuplicateBatch => {
                (1..=whole(planting.magnitude))
                    .try_for_each(|copy| duplicate(out, &folder.join(copy.to_string())))?;
            }
            AnomalyKind::ReorderedBatch => {
                make_folder(&folder)?;
                DATASETS.iter().try_for_each(|dataset| reverse(dataset, out, &folder))?;
            }
            AnomalyKind::TombstoneStorm => storm(world, planting, (out, &folder), ledger)?,
            _ => {}
        }
    }
    Ok(())
}

fn duplicate(from: &Path, to: &Path) -> Result<(), SimulateError> {
    make_folder(to)?;
    for dataset in DATASETS {
        let name = format!("{dataset}.parquet");
        let path = to.join(&name);
        fs::copy(from.join(&name), &path).map_err(|source| SimulateError::Write { path, source })?;
    }
    Ok(())
}

/// The rows of a dataset from last to first, a row group at a time.
fn reverse(dataset: &'static str, from: &Path, to: &Path) -> Result<(), SimulateError> {
    let mut copy = Copy::open(dataset, from, to)?;
    for group in (0..copy.groups).rev() {
        for batch in copy.read(group)? {
            let rows = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX);
            let reversed = UInt32Array::from_iter_values((0..rows).rev());
            let batch = take_record_batch(&batch, &reversed);
            copy.write(&batch.map_err(|source| SimulateError::Assemble { dataset, source })?)?;
        }
    }
    copy.finish()
}

/// A delivery that lacks a share of its records.
fn storm(
    world: &World<'_>,
    planting: &Planting,
    (from, to): (&Path, &Path),
    ledger: &mut Ledger<'_>,
) -> Result<(), SimulateError> {
    make_folder(to)?;
    for dataset in DATASETS {
        let key = RECORDS.iter().find(|(name, _)| *name == dataset).map(|(_, key)| *key);
        let Some(key) = key else {
            let name = format!("{dataset}.parquet");
            let path = to.join(&name);
            fs::copy(from.join(&name), &path).map_err(|source| SimulateError::Write { path, source })?;
            continue;
        };
        let mut draw = Draw::new(world.seed, &format!("{}/platform/storm/{dataset}", world.plan.study));
        let mut copy = Copy::open(dataset, from, to)?;
        for group in 0..copy.groups {
            for batch in copy.read(group)? {
                let kept: Vec<bool> =
                    (0..batch.num_rows()).map(|_| !draw.chance(planting.magnitude)).collect();
                for (record, _) in records(&batch, key).zip(&kept).filter(|(_, kept)| !**kept) {
                    ledger.add_affected(planting.index, dataset, record)?;
                }
                let batch = filter_record_batch(&batch, &BooleanArray::from(kept));
                copy.write(&batch.map_err(|source| SimulateError::Assemble { dataset, source })?)?;
            }
        }
        copy.finish()?;
    }
    Ok(())
}

/// The names of a batch's records.
fn records<'b>(batch: &'b RecordBatch, key: &str) -> impl Iterator<Item = &'b str> {
    let column = batch.column_by_name(key).and_then(|column| column.as_any().downcast_ref::<StringArray>());
    column.into_iter().flat_map(|column| (0..column.len()).map(|row| column.value(row)))
}

/// A dataset that is read and written again.
struct Copy {
    dataset: &'static str,
    file: File,
    groups: usize,
    writer: ArrowWriter<File>,
}

impl Copy {
    fn open(dataset: &'static str, from: &Path, to: &Path) -> Result<Self, SimulateError> {
        let name = format!("{dataset}.parquet");
        let (source_path, path) = (from.join(&name), to.join(&name));
        let file =
            File::open(&source_path).map_err(|source| SimulateError::Read { path: source_path, source })?;
        let encode = |source| SimulateError::Encode { dataset, source };
        let handle = file.try_clone().map_err(|source| SimulateError::Read { path: path.clone(), source })?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(handle).map_err(encode)?;
        let (groups, schema) = (reader.metadata().num_row_groups(), Arc::clone(reader.schema()));
        let created = File::create(&path).map_err(|source| SimulateError::Write { path, source })?;
        let writer = ArrowWriter::try_new(created, schema, Some(writer_properties())).map_err(encode)?;
        Ok(Self { dataset, file, groups, writer })
    }

    /// The rows of a row group, in one batch.
    fn read(&self, group: usize) -> Result<Vec<RecordBatch>, SimulateError> {
        let dataset = self.dataset;
        let encode = |source| SimulateError::Encode { dataset, source };
        let handle =
            self.file.try_clone().map_err(|source| SimulateError::Read { path: dataset.into(), source })?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(handle).map_err(encode)?;
        let reader =
            reader.with_row_groups(vec![group]).with_batch_size(ROWS_PER_GROUP).build().map_err(encode)?;
        reader.map(|batch| batch.map_err(|source| SimulateError::Assemble { dataset, source })).collect()
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), SimulateError> {
        self.writer.write(batch).map_err(|source| SimulateError::Encode { dataset: self.dataset, source })
    }

    fn finish(self) -> Result<(), SimulateError> {
        let dataset = self.dataset;
        self.writer.close().map(drop).map_err(|source| SimulateError::Encode { dataset, source })
    }
}
