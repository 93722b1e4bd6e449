//! What is handed in: files, and how they are to be read.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use formats::looks_like_data;
use kernel::BatchId;

use super::Receipt;
use crate::mapping::Mapping;
use crate::snapshot::CutKind;
use crate::storage::{TenantFiles, hash_file};
use crate::{Error, Result};

/// One file of a delivery.
#[derive(Debug, Clone)]
pub struct DeliveredFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// BLAKE3 of its bytes.
    pub blake3: String,
}

/// Files that are taken in together: all of them or none.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The files, by name.
    pub files: Vec<DeliveredFile>,
    /// How they are read; found out when it is not given.
    pub mapping: Option<Mapping>,
    /// What they say about rows that they do not hold.
    pub kind: CutKind,
    /// The instant whose state of the source they show, when the sender says so.
    pub extracted_at: Option<DateTime<Utc>>,
    /// The delivery whose files these are, when they are read again.
    pub replays: Option<BatchId>,
}

impl Delivery {
    /// The data files of `paths`, each a file or a folder. Of a folder, files whose names do not say that
    /// they hold data are passed over; a file that is named is always taken.
    ///
    /// # Errors
    /// [`Error::NothingToIngest`] when there is none, [`Error::Io`] when one cannot be read.
    pub fn of(paths: &[PathBuf], mapping: Option<Mapping>) -> Result<Self> {
        let mut found: Vec<PathBuf> = Vec::new();
        for path in paths {
            if !path.exists() {
                return Err(Error::NothingToIngest { place: crate::error::file_name(path) });
            }
            if path.is_dir() {
                let entries = path.read_dir().map_err(|source| Error::io("open the folder", path, source))?;
                for entry in entries {
                    let entry = entry.map_err(|source| Error::io("read the folder", path, source))?.path();
                    if entry.is_file() && looks_like_data(&entry) {
                        found.push(entry);
                    }
                }
            } else {
                found.push(path.clone());
            }
        }
        if found.is_empty() {
            let places: Vec<String> = paths.iter().map(|path| crate::error::file_name(path)).collect();
            return Err(Error::NothingToIngest { place: places.join("`, `") });
        }
        let mut files: Vec<DeliveredFile> =
            found.iter().map(|path| DeliveredFile::of(path)).collect::<Result<_>>()?;
        files.sort_by(|a, b| a.name.cmp(&b.name).then(a.blake3.cmp(&b.blake3)));
        Ok(Self { files, mapping, kind: CutKind::Full, extracted_at: None, replays: None })
    }

    /// The files of a delivery that was taken in before, as they lie in the raw zone, to be read again.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a raw file is not what the receipt says.
    pub fn again(files: &TenantFiles, receipt: &Receipt, mapping: Mapping) -> Result<Self> {
        let mut delivered: Vec<DeliveredFile> = Vec::new();
        for file in &receipt.files {
            // A file may hold several datasets.
            if delivered.iter().any(|known| known.name == file.file && known.blake3 == file.blake3) {
                continue;
            }
            let path = files.path(&file.raw_key)?;
            let (blake3, _) = hash_file(&path)?;
            if blake3 != file.blake3 {
                let reason = format!("its BLAKE3 is {blake3}");
                return Err(Error::Corrupt { key: file.raw_key.clone(), reason });
            }
            delivered.push(DeliveredFile { path, name: file.file.clone(), blake3 });
        }
        Ok(Self {
            files: delivered,
            mapping: Some(mapping),
            kind: receipt.kind,
            // It is the same cut, read again: what was told since stays newer.
            extracted_at: Some(receipt.extracted_at),
            replays: Some(receipt.batch),
        })
    }

    /// The hash over names, contents and what the sender says of them, which tells two deliveries apart.
    #[must_use]
    pub fn manifest_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for file in &self.files {
            hasher.update(format!("{}\0{}\n", file.name, file.blake3).as_bytes());
        }
        if let Some(mapping) = &self.mapping {
            hasher.update(mapping.text_hash.as_bytes());
        }
        if self.kind == CutKind::Delta {
            hasher.update(b"delta\n");
        }
        if let Some(extracted_at) = self.extracted_at {
            hasher.update(format!("extracted at {}\n", extracted_at.timestamp_micros()).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl DeliveredFile {
    fn of(path: &Path) -> Result<Self> {
        let (blake3, _) = hash_file(path)?;
        Ok(Self { path: path.to_owned(), name: crate::error::file_name(path), blake3 })
    }
}
