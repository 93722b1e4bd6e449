//! What a reader owes to any file: it reads it to its end, as its check promised, or refuses it. The tests and the
//! fuzzers hold it to the same.

use std::path::Path;

use arrow::datatypes::DataType;
use formats::{BATCH_ROWS, Dataset, Error, datasets, looks_like_data, open};

/// Reads every dataset of a file to its end; how many rows they have, or the refusal.
///
/// # Panics
/// If the reader breaks a promise.
pub(crate) fn attack(path: &Path) -> Result<u64, Error> {
    let _ = looks_like_data(path);
    let read = datasets(path).and_then(|datasets| {
        let rows: Result<Vec<u64>, Error> = datasets.iter().map(|dataset| read(path, dataset)).collect();
        Ok(rows?.into_iter().sum())
    });
    if let Err(error) = &read {
        check_refusal(path, error);
    }
    read
}

/// Whatever stands in a file, it is the file's fault, and the message names the file without its folder.
pub(crate) fn check_refusal(path: &Path, error: &Error) {
    let told = error.to_string();
    assert!(error.is_refusal(), "{told}: {error:?}");
    let folder = path.parent().map_or_else(String::new, |folder| folder.to_string_lossy().into_owned());
    assert!(!told.contains(&folder), "{told} names the folder");
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    assert!(told.contains(&file), "{told} does not name the file");
}

fn read(path: &Path, dataset: &Dataset) -> Result<u64, Error> {
    let mut source = open(path, dataset)?;
    let mut rows = 0;
    while let Some(batch) = source.next_batch()? {
        assert!((1..=BATCH_ROWS).contains(&batch.num_rows()), "a batch of {} rows", batch.num_rows());
        assert_eq!(batch.num_columns(), dataset.columns.len());
        assert!(batch.columns().iter().all(|column| column.data_type() == &DataType::Utf8));
        rows += batch.num_rows() as u64;
    }
    assert_eq!(dataset.rows, Some(rows), "the check counts the rows");
    Ok(rows)
}
