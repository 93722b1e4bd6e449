//! Removing the files of a study, once that is decided elsewhere: everything in every zone, what was in progress, and the
//! rules that were imported for it. What was there is told by count, size and one hash.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::snapshot::Zone;
use crate::storage::{TenantFiles, Writer, hash_file};
use crate::{Error, Result};

/// Every file of a study, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// How many files.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// The BLAKE3 of a list with a line `<blake3> <bytes> <path>` for each, sorted by path below the tenant's folder.
    pub blake3: String,
}

/// What a study's files are.
///
/// # Errors
/// [`Error::Io`] when one cannot be read.
pub fn inventory(writer: &Writer) -> Result<Inventory> {
    let files = writer.files();
    let mut found = Vec::new();
    for folder in folders(files) {
        list(&folder, &mut found)?;
    }
    let root = files.tenant_folder();
    let mut lines = Vec::with_capacity(found.len());
    let mut bytes = 0;
    for path in found {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        // The lock is ours, and comes and goes with us.
        if path == writer.lock_path() {
            continue;
        }
        let (blake3, size) = hash_file(&path)?;
        bytes += size;
        lines.push((name, format!("{blake3} {size}")));
    }
    lines.sort();
    let list: String = lines.iter().map(|(name, told)| format!("{told} {name}\n")).collect();
    Ok(Inventory {
        files: lines.len() as u64,
        bytes,
        blake3: blake3::hash(list.as_bytes()).to_hex().to_string(),
    })
}

/// Removes them. What was removed before is no error, so that a removal that was cut off is finished by doing it again.
///
/// # Errors
/// [`Error::Io`] when one cannot be removed.
pub fn remove(writer: Writer) -> Result<()> {
    let files = writer.files().clone();
    for folder in folders(&files) {
        // Who waits for the lock finds it unlinked, and a study that is not there.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            removed => removed.map_err(|source| Error::io("remove", &folder, source))?,
        }
        if let Some(parent) = folder.parent() {
            let synced = File::open(parent).and_then(|parent| parent.sync_all());
            synced.map_err(|source| Error::io("remove for good from", parent, source))?;
        }
    }
    drop(writer);
    Ok(())
}

/// Where the files of a study lie. What is in progress comes last, since the lock is among it.
fn folders(files: &TenantFiles) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Zone::ALL.iter().map(|zone| files.folder(*zone)).collect();
    folders.push(files.rules_folder());
    folders.push(files.staging(""));
    folders
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |source| Error::io("list", folder, source);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            list(&entry.path(), found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kernel::{ActionKind, Grants, Permission, StudyScope, TenantId};

    use super::*;
    use crate::Storage;

    fn scope(code: &str) -> StudyScope<kernel::Build> {
        let permissions = vec![Permission { action: ActionKind::Build, study: None }];
        let tenant: TenantId = "00000000-0000-0000-0000-000000000001".parse().expect("an id");
        let grants = Grants::from_gate(tenant, permissions);
        grants.scope(&code.parse().expect("a code")).expect("it is granted")
    }

    #[test]
    fn control_18_every_file_of_a_study_is_counted_and_goes_and_no_other() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let storage = Storage::open(folder.path()).expect("it opens");
        let (gone, kept) = (scope("GONE"), scope("KEPT"));
        for scope in [&gone, &kept] {
            let files = storage.study(scope);
            for zone in [Zone::Raw, Zone::Marts] {
                fs::create_dir_all(files.folder(zone).join("deep")).expect("made");
                fs::write(files.folder(zone).join("deep/file"), b"12345").expect("written");
            }
            fs::create_dir_all(files.rules_folder()).expect("made");
            fs::write(files.rules_folder().join("rule.yaml"), b"123").expect("written");
        }
        let writer = Writer::wait(&storage, &gone).expect("nobody else writes");
        let found = inventory(&writer).expect("they can be read");
        assert_eq!((found.files, found.bytes), (3, 13));
        remove(writer).expect("they can be removed");
        let writer = Writer::wait(&storage, &gone).expect("nobody else writes");
        let left = inventory(&writer).expect("nothing is left");
        assert_eq!((left.files, left.bytes), (0, 0));
        assert_ne!(left.blake3, found.blake3);
        remove(writer).expect("a second time changes nothing");
        let writer = Writer::wait(&storage, &kept).expect("nobody else writes");
        assert_eq!(
            inventory(&writer).expect("they can be read").files,
            3,
            "another study's are as they were"
        );
    }
}
