//! The delivered files behind a column of canon, as receipts and mappings tell.

use chrono::{DateTime, Utc};
use kernel::BatchId;
use warehouse::{Mapping, Receipt};

/// A delivered file that feeds a column of canon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSource {
    /// The file, as delivered.
    pub file: String,
    /// Its rows.
    pub rows: u64,
    /// The delivery.
    pub batch: BatchId,
    /// When it was taken in.
    pub received_at: DateTime<Utc>,
    /// Where the bytes are kept.
    pub raw_key: String,
    /// The mapping that read it.
    pub mapping: String,
    /// The sender's columns; none when the mapping is not known here.
    pub columns: Option<Vec<String>>,
}

/// The files that feed an entity, or one column of it, those of the newest delivery first.
#[must_use]
pub fn files_of(receipts: &[Receipt], entity: &str, column: Option<&str>) -> Vec<FileSource> {
    let mut found = Vec::new();
    for receipt in receipts.iter().filter(|receipt| receipt.entities.contains_key(entity)) {
        let mapping = Mapping::of_shipped(&receipt.mapping).ok();
        for file in &receipt.files {
            let columns = match &mapping {
                Some(mapping) => match mapping.sources_of(&file.dataset, entity, column) {
                    Some(columns) => Some(columns),
                    None => continue,
                },
                None => None,
            };
            // A file that does not feed the column at all says nothing of it.
            if column.is_some() && columns.as_ref().is_some_and(Vec::is_empty) {
                continue;
            }
            found.push(FileSource {
                file: file.file.clone(),
                rows: file.rows,
                batch: receipt.batch,
                received_at: receipt.received_at,
                raw_key: file.raw_key.clone(),
                mapping: receipt.mapping.clone(),
                columns,
            });
        }
    }
    found
}
