//! What is handed in: files, and how they are to be read.

use std::path::{Path, PathBuf};

use kernel::BatchId;

use super::Receipt;
use crate::mapping::Mapping;
use crate::storage::{TenantFiles, hash_file};
use crate::{Error, Result};
use formats::looks_like_data;

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
    /// The delivery whose files these are, when they are read again.
    pub replays: Option<BatchId>,
    manifest_hash: String,
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
        let manifest_hash = manifest_hash(&files, mapping.as_ref());
        Ok(Self { files, mapping, replays: None, manifest_hash })
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
        let manifest_hash = manifest_hash(&delivered, Some(&mapping));
        Ok(Self { files: delivered, mapping: Some(mapping), replays: Some(receipt.batch), manifest_hash })
    }

    /// The hash over names and contents, which tells two deliveries apart.
    #[must_use]
    pub fn manifest_hash(&self) -> &str {
        &self.manifest_hash
    }
}

impl DeliveredFile {
    fn of(path: &Path) -> Result<Self> {
        let (blake3, _) = hash_file(path)?;
        Ok(Self { path: path.to_owned(), name: crate::error::file_name(path), blake3 })
    }
}

fn manifest_hash(files: &[DeliveredFile], mapping: Option<&Mapping>) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(format!("{}\0{}\n", file.name, file.blake3).as_bytes());
    }
    if let Some(mapping) = mapping {
        hasher.update(mapping.text_hash.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
