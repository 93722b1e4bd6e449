//! One SDTM dataset on its way into its files. The formats are those of `formats`; rows are handed over in batches.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use chrono::{NaiveDate, NaiveTime};
use formats::{ColumnKind, Dataset, DatasetWriter, Target};

use super::super::error::SimulateError;
use super::super::folder::make_folder;
use super::super::plan::Format;
use super::super::world::World;
use super::table::{Cell, Column, Kind, TableSpec};

/// Rows that are collected before they are written.
const ROWS_PER_BATCH: usize = 2_048;
/// Each form, with its folder below `sdtm` and the suffix of its files.
const FORMS: [(Format, &str, &str, Target); 2] = [
    (Format::SdtmXpt, "xpt", "xpt", Target::Xpt),
    (Format::SdtmDatasetjson, "datasetjson", "json", Target::DatasetJson),
];

/// A dataset, in every form that is asked for.
pub(super) struct Domain {
    spec: &'static TableSpec,
    columns: Vec<StringBuilder>,
    rows: usize,
    writers: Vec<DatasetWriter>,
}

impl Domain {
    /// Begins a dataset's files in the folders of `sdtm` below `out`. The day of the cut-off is written as that of
    /// their making.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn create(
        spec: &'static TableSpec,
        world: &World<'_>,
        out: &Path,
    ) -> Result<Self, SimulateError> {
        let dataset = described(spec, world.plan.cut_off);
        let mut writers = Vec::new();
        for (format, folder, suffix, target) in FORMS {
            if world.plan.formats.contains(&format) {
                let folder = out.join("sdtm").join(folder);
                make_folder(&folder)?;
                let path = folder.join(format!("{}.{suffix}", spec.name.to_lowercase()));
                let writer = DatasetWriter::create(&path, &dataset, target);
                writers.push(writer.map_err(|source| SimulateError::Sdtm { dataset: spec.name, source })?);
            }
        }
        let columns = spec.columns.iter().map(|_| StringBuilder::new()).collect();
        Ok(Self { spec, columns, rows: 0, writers })
    }

    /// Adds a row, with a cell for each column.
    ///
    /// # Errors
    /// If a text is wider than its column, or a file cannot be written.
    pub(super) fn push(&mut self, row: &[Cell<'_>]) -> Result<(), SimulateError> {
        debug_assert_eq!(row.len(), self.spec.columns.len(), "{}", self.spec.name);
        for ((column, cells), cell) in self.spec.columns.iter().zip(&mut self.columns).zip(row) {
            match (column.kind, cell) {
                (Kind::Char(_), Cell::Text(text)) => cells.append_value(text),
                // A text that is missing is an empty one, as in SAS.
                (Kind::Char(_), _) => cells.append_value(""),
                (_, Cell::Number(number)) => cells.append_value(number.to_string()),
                _ => cells.append_null(),
            }
        }
        self.rows += 1;
        if self.rows < ROWS_PER_BATCH { Ok(()) } else { self.flush() }
    }

    /// Writes what is left and closes the files.
    ///
    /// # Errors
    /// If a text is wider than its column, or a file cannot be written.
    pub(super) fn finish(mut self) -> Result<(), SimulateError> {
        self.flush()?;
        let Self { spec, writers, .. } = self;
        let closed = writers.into_iter().try_for_each(|writer| writer.close().map(drop));
        closed.map_err(|source| SimulateError::Sdtm { dataset: spec.name, source })
    }

    fn flush(&mut self) -> Result<(), SimulateError> {
        let dataset = self.spec.name;
        let columns = self.spec.columns.iter().zip(&mut self.columns);
        let columns =
            columns.map(|(column, cells)| (column.name, Arc::new(cells.finish()) as ArrayRef, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns)
            .map_err(|source| SimulateError::Assemble { dataset, source })?;
        self.rows = 0;
        let written = self.writers.iter_mut().try_for_each(|writer| writer.write(&batch));
        written.map_err(|source| SimulateError::Sdtm { dataset, source })
    }
}

/// What the files say of the dataset.
fn described(spec: &TableSpec, day: NaiveDate) -> Dataset {
    Dataset {
        file: String::new(),
        name: spec.name.to_owned(),
        label: spec.label.to_owned(),
        format: formats::Format::DatasetJson,
        encoding: "utf-8",
        created_at: Some(day.and_time(NaiveTime::MIN).and_utc()),
        columns: spec.columns.iter().map(column).collect(),
        rows: None,
    }
}

fn column(column: &Column) -> formats::Column {
    let (kind, type_name, length) = match column.kind {
        Kind::Char(width) => (ColumnKind::Text, "string", Some(u32::from(width))),
        Kind::Integer => (ColumnKind::Number, "integer", None),
        Kind::Float => (ColumnKind::Number, "double", None),
    };
    formats::Column {
        label: column.label.to_owned(),
        length,
        ..formats::Column::new(column.name, kind, type_name)
    }
}
