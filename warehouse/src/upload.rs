//! Files that are received in parts. What arrived is kept, so that a sender whose line broke goes on where it
//! stopped; a file is whole when it has the announced length and hash.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use kernel::{BatchId, Build, StudyScope};
use serde::{Deserialize, Serialize};

use crate::ingest::DeliveredFile;
use crate::storage::{Storage, hash_file};
use crate::{Error, Result};

/// A file as its sender announces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnouncedFile {
    /// Its name, from which a dataset without a name of its own gets one.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// BLAKE3 of its bytes, in lower-case hexadecimal.
    pub blake3: String,
}

impl AnnouncedFile {
    /// Refuses a name that is not one of a plain file, and a hash that is none.
    ///
    /// # Errors
    /// [`Error::FileName`], or [`Error::FileNotAsAnnounced`] for a text that cannot be a hash.
    pub fn check(&self) -> Result<()> {
        let foreign = |letter: char| letter.is_control() || "/\\".contains(letter);
        let name = &self.name;
        if name.is_empty() || name.chars().count() > 200 || name.starts_with('.') || name.contains(foreign) {
            return Err(Error::FileName { name: name.chars().take(200).collect() });
        }
        let is_hash = self.blake3.len() == 64
            && self.blake3.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hash {
            return Ok(());
        }
        Err(Error::FileNotAsAnnounced {
            file: name.clone(),
            found: "not known".into(),
            announced: self.blake3.chars().take(64).collect(),
        })
    }
}

/// The files of one announced delivery.
#[derive(Debug, Clone)]
pub struct Upload {
    folder: PathBuf,
    files: Vec<AnnouncedFile>,
}

impl Upload {
    /// The place of a delivery's files, made if it is not there.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made.
    pub fn open(
        storage: &Storage,
        scope: &StudyScope<Build>,
        batch: BatchId,
        files: Vec<AnnouncedFile>,
    ) -> Result<Self> {
        let folder = storage.study(scope).staging(&format!("received/{batch}"));
        fs::create_dir_all(&folder).map_err(|source| Error::io("make", &folder, source))?;
        Ok(Self { folder, files })
    }

    /// What was announced.
    #[must_use]
    pub fn files(&self) -> &[AnnouncedFile] {
        &self.files
    }

    /// The place of a file among those announced.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.files.iter().position(|file| file.name == name)
    }

    fn path(&self, position: usize) -> PathBuf {
        // A number and not the sender's name, which a file system may read in its own way.
        self.folder.join(position.to_string())
    }

    /// How many bytes of a file have been received.
    #[must_use]
    pub fn received(&self, position: usize) -> u64 {
        self.path(position).metadata().map_or(0, |metadata| metadata.len())
    }

    /// Begins a part at `offset`, which must be where the last one ended.
    ///
    /// # Errors
    /// [`Error::PartOutOfPlace`] with the place to go on at, [`Error::Io`].
    pub fn part(&self, position: usize, offset: u64) -> Result<Part> {
        let (path, announced) = (self.path(position), &self.files[position]);
        let failed = |source| Error::io("write", &path, source);
        let mut file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        // One sender at a time: two parts in one place would mix.
        file.try_lock().map_err(|_| Error::PartOutOfPlace {
            file: announced.name.clone(),
            received: self.received(position),
            offset,
        })?;
        let received = file.seek(SeekFrom::End(0)).map_err(failed)?;
        if received != offset {
            return Err(Error::PartOutOfPlace { file: announced.name.clone(), received, offset });
        }
        Ok(Part { file, path, announced: announced.clone(), received })
    }

    /// Takes over a file that is whole and lies on the same disk.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be moved.
    pub fn take_over(&self, position: usize, file: &Path) -> Result<()> {
        fs::rename(file, self.path(position)).map_err(|source| Error::io("take over", file, source))
    }

    /// The files, each found to be what was announced, as a delivery takes them. One that is not is discarded.
    ///
    /// # Errors
    /// [`Error::FileNotWhole`] or [`Error::FileNotAsAnnounced`] with the first such file.
    pub fn whole(&self) -> Result<Vec<DeliveredFile>> {
        self.files.iter().enumerate().map(|(position, file)| self.whole_file(position, file)).collect()
    }

    fn whole_file(&self, position: usize, file: &AnnouncedFile) -> Result<DeliveredFile> {
        let (path, received) = (self.path(position), self.received(position));
        if received != file.bytes {
            return Err(Error::FileNotWhole { file: file.name.clone(), received, announced: file.bytes });
        }
        if !path.exists() {
            // A file of no bytes needs no part; the delivery says what is wrong with it.
            File::create(&path).map_err(|source| Error::io("make", &path, source))?;
        }
        let (found, _) = hash_file(&path)?;
        if found != file.blake3 {
            fs::remove_file(&path).map_err(|source| Error::io("discard", &path, source))?;
            return Err(Error::FileNotAsAnnounced {
                file: file.name.clone(),
                found,
                announced: file.blake3.clone(),
            });
        }
        Ok(DeliveredFile { path, name: file.name.clone(), blake3: found })
    }

    /// Removes what was received: the delivery has ended, and the raw zone keeps what was taken in.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.folder).map_err(|source| Error::io("remove", &self.folder, source))
    }
}

/// A part that is being received.
#[derive(Debug)]
pub struct Part {
    file: File,
    path: PathBuf,
    announced: AnnouncedFile,
    received: u64,
}

impl Part {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`Error::PartTooLarge`] when the file would become longer than announced; what fits is kept.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.received + bytes.len() as u64 > self.announced.bytes {
            let (file, announced) = (self.announced.name.clone(), self.announced.bytes);
            return Err(Error::PartTooLarge { file, announced });
        }
        self.file.write_all(bytes).map_err(|source| Error::io("write", &self.path, source))?;
        self.received += bytes.len() as u64;
        Ok(())
    }

    /// Makes what was received durable; returns how many bytes of the file are there.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made durable.
    pub fn end(self) -> Result<u64> {
        self.file.sync_all().map_err(|source| Error::io("write", &self.path, source))?;
        Ok(self.received)
    }
}

/// A place beside the study's data for a file that is being made from what is received.
///
/// # Errors
/// [`Error::Io`] when its folder cannot be made.
pub fn incoming(storage: &Storage, scope: &StudyScope<Build>, name: &str) -> Result<PathBuf> {
    let folder = storage.study(scope).staging("incoming");
    fs::create_dir_all(&folder).map_err(|source| Error::io("make", &folder, source))?;
    Ok(folder.join(name))
}

/// A new file's description, for a sender that makes the file here.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub fn describe(path: &Path, name: &str) -> Result<AnnouncedFile> {
    let (blake3, bytes) = hash_file(path)?;
    Ok(AnnouncedFile { name: name.to_owned(), bytes, blake3 })
}
