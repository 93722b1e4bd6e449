//! Makes studies and reads them back.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatchReader};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use evidence::{StudyPlan, Truth, simulate};
use kernel::Seed;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// A study of few sites and subjects, with nothing planted.
pub(super) fn small_plan() -> StudyPlan {
    StudyPlan { sites: 6, subjects_per_site: 6.0, ..StudyPlan::demo().without_anomalies() }
}

/// A study on disk, as long as it is held.
pub(super) struct Study {
    folder: tempfile::TempDir,
    pub(super) truth: Truth,
}

impl Study {
    pub(super) fn make(plan: &StudyPlan, seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let truth = simulate(plan, Seed(seed), folder.path(), &mut |_| {}).expect("the plan makes a study");
        Self { folder, truth }
    }

    /// The folder of the study.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The files in all folders and their bytes, by name.
    pub(super) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut folders = vec![self.path().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("the folder is there") {
                let path = entry.expect("the entry reads").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.path()).expect("it is in the folder").to_owned();
                    files.push((name, fs::read(&path).expect("the file reads")));
                }
            }
        }
        files.sort();
        files
    }

    pub(super) fn table(&self, dataset: &str) -> Table {
        Table::read(&self.folder.path().join(format!("{dataset}.parquet")), None)
    }

    /// Some columns of a dataset, which may be in a folder below.
    pub(super) fn columns(&self, dataset: &str, columns: &[&str]) -> Table {
        Table::read(&self.folder.path().join(format!("{dataset}.parquet")), Some(columns))
    }
}

/// The formatter knows offsets and no names of time zones.
fn with_offset(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Timestamp(_, Some(_)) => {
            Arc::new(column.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("+00:00"))
        }
        _ => Arc::clone(column),
    }
}

/// A dataset as text, an empty text for a null.
pub(super) struct Table {
    names: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    fn read(path: &Path, columns: Option<&[&str]>) -> Self {
        let file = File::open(path).expect("the dataset is there");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("the dataset is Parquet");
        let mask =
            columns.map(|columns| ProjectionMask::columns(reader.parquet_schema(), columns.iter().copied()));
        let reader = reader.with_projection(mask.unwrap_or_else(ProjectionMask::all));
        let mut rows = Vec::new();
        let format = FormatOptions::default();
        let batches = reader.build().expect("the dataset has row groups");
        let names = batches.schema().fields().iter().map(|field| field.name().clone()).collect();
        for batch in batches {
            let batch = batch.expect("the batch decodes");
            let columns: Vec<ArrayRef> = batch.columns().iter().map(with_offset).collect();
            let columns: Vec<ArrayFormatter<'_>> = columns
                .iter()
                .map(|column| {
                    ArrayFormatter::try_new(column.as_ref(), &format).expect("the type has a text form")
                })
                .collect();
            let row = |index: usize| columns.iter().map(|column| column.value(index).to_string()).collect();
            rows.extend((0..batch.num_rows()).map(row));
        }
        Self { names, rows }
    }

    fn position(&self, column: &str) -> usize {
        self.names.iter().position(|name| name == column).expect("the dataset has the column")
    }

    /// One column.
    pub(super) fn column(&self, column: &str) -> Vec<&str> {
        let position = self.position(column);
        self.rows.iter().map(|row| row[position].as_str()).collect()
    }

    /// One column as numbers, without its nulls.
    pub(super) fn numbers(&self, column: &str) -> Vec<f64> {
        let texts = self.column(column).into_iter().filter(|text| !text.is_empty());
        texts.map(|text| text.parse().expect("the column holds numbers")).collect()
    }

    /// Two columns side by side.
    pub(super) fn pairs(&self, first: &str, second: &str) -> Vec<(&str, &str)> {
        self.column(first).into_iter().zip(self.column(second)).collect()
    }
}
