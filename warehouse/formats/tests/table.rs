//! A whole dataset in memory, as tests compare it.

use std::path::Path;

use arrow::array::{Array, AsArray};
use formats::{Dataset, Error, datasets, open};

/// The cells of a dataset, row by row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) dataset: Dataset,
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Vec<Option<&str>> {
        let at = self.dataset.position(name).expect("the column is there");
        self.rows.iter().map(|row| row[at].as_deref()).collect()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.dataset.columns.iter().map(|column| column.name.as_str()).collect()
    }
}

/// Every dataset of a file, checked and read.
pub(crate) fn tables(path: &Path) -> Result<Vec<Table>, Error> {
    datasets(path)?.into_iter().map(|dataset| table_of(path, dataset)).collect()
}

/// The only dataset of a file.
pub(crate) fn table(path: &Path) -> Result<Table, Error> {
    let mut tables = tables(path)?;
    assert_eq!(tables.len(), 1, "{} holds one dataset", path.display());
    Ok(tables.remove(0))
}

fn table_of(path: &Path, dataset: Dataset) -> Result<Table, Error> {
    let mut source = open(path, &dataset)?;
    let mut rows = Vec::new();
    while let Some(batch) = source.next_batch()? {
        assert!(batch.num_rows() > 0 && batch.num_columns() == dataset.columns.len());
        let columns: Vec<_> = batch.columns().iter().map(AsArray::as_string::<i32>).collect();
        for row in 0..batch.num_rows() {
            let cell = |column: &&arrow::array::StringArray| {
                (!column.is_null(row)).then(|| column.value(row).to_owned())
            };
            rows.push(columns.iter().map(cell).collect());
        }
    }
    assert_eq!(dataset.rows, Some(rows.len() as u64), "the check counts the rows");
    Ok(Table { dataset, rows })
}
