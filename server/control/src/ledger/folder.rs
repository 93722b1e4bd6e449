//! One log as a folder of files that are written once: checkpoints, tiles and bundles of entries. Copied
//! anywhere, it can be verified there without this program's database. The folder may be one of a bucket, where the
//! same files are objects.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::ControlError;
use crate::fresh;
use crate::ledger::bucket::Bucket;
use crate::ledger::hash::hex;
use crate::ledger::note::MAX_NOTE_BYTES;
use crate::ledger::tiles::{
    MAX_BUNDLE_BYTES, TILE_HASHES, TILE_WIDTH, Tile, read_bundle, read_tile, width_behind,
};
use crate::ledger::tree::{HASH_BYTES, Hash};

const CHECKPOINTS: &str = "checkpoints";
const GROUPS: usize = 5;

/// A folder that holds one log.
#[derive(Debug, Clone)]
pub(crate) struct LogFolder {
    root: PathBuf,
    /// The bucket that it lies in, where it is not on a disk.
    bucket: Option<Arc<Bucket>>,
}

impl LogFolder {
    pub(crate) const fn at(root: PathBuf) -> Self {
        Self { root, bucket: None }
    }

    /// The folder of a log below a folder of many.
    pub(crate) fn of_log(folder: &Path, origin: &str) -> Self {
        Self::at(folder.join(origin))
    }

    /// The folder of a log in a bucket.
    pub(crate) fn in_bucket(bucket: &Arc<Bucket>, origin: &str) -> Self {
        Self { root: PathBuf::from(bucket.key(origin)), bucket: Some(Arc::clone(bucket)) }
    }

    /// Where it is, for people.
    pub(crate) fn name(&self) -> String {
        let root = self.root.display();
        self.bucket.as_ref().map_or_else(|| root.to_string(), |bucket| format!("{}/{root}", bucket.address()))
    }

    /// The name of an object of the log.
    fn key(&self, place: &str) -> String {
        format!("{}/{place}", self.root.display())
    }

    /// An object of the log that something was laid on top of since it was written; on a disk there is none.
    pub(crate) fn first_covered(&self) -> Result<Option<String>, ControlError> {
        self.bucket.as_ref().map_or(Ok(None), |bucket| bucket.first_covered(&self.key("")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// Writes a file that no one can replace: whole, on the disk, readable alone. A file that is there with the
    /// same bytes is left; with others, it is an error.
    pub(crate) fn write_once(&self, place: &str, bytes: &[u8]) -> Result<(), ControlError> {
        if let Some(bucket) = &self.bucket {
            return bucket.write_once(&self.key(place), bytes);
        }
        let path = self.root.join(place);
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
        let draft = self.root.join(format!(".draft-{}", hex(&fresh::bytes::<8>()?)));
        let mut written = write_whole(&draft, bytes).and_then(|()| fs::hard_link(&draft, &path));
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            // Another process has just removed the folder of partial tiles.
            fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
            written = fs::hard_link(&draft, &path);
        }
        // A draft that stays is harmless: nothing reads it.
        let _ = fs::remove_file(&draft);
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if self.read(place, bytes.len())?.as_deref() != Some(bytes) {
                    return Err(ControlError::AnchorDiffers { path });
                }
            }
            outcome => outcome.map_err(failed("write", &path))?,
        }
        match sync_folders(parent, &self.root) {
            // The same: what is gone needs not be durable.
            Err(ControlError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
            synced => synced,
        }
    }

    /// Writes a file in the place of an older one.
    pub(crate) fn replace(&self, place: &str, bytes: &[u8]) -> Result<(), ControlError> {
        let path = self.root.join(place);
        let draft = self.root.join(format!(".draft-{}", hex(&fresh::bytes::<8>()?)));
        fs::create_dir_all(&self.root).map_err(failed("make the folder", &self.root))?;
        write_whole(&draft, bytes).and_then(|()| fs::rename(&draft, &path)).map_err(failed("write", &path))
    }

    /// A file's bytes; `None` when it is not there. One that is larger than `limit` is an error.
    pub(crate) fn read(&self, place: &str, limit: usize) -> Result<Option<Vec<u8>>, ControlError> {
        if let Some(bucket) = &self.bucket {
            return bucket.read(&self.key(place), limit);
        }
        let path = self.root.join(place);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed("open", &path))?,
        };
        let mut bytes = Vec::new();
        file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed("read", &path))?;
        if bytes.len() > limit {
            return Err(failed("read", &path)(io::Error::other("it is larger than such a file can be")));
        }
        Ok(Some(bytes))
    }

    /// Writes the note of the checkpoint at `size`.
    pub(crate) fn write_checkpoint(&self, size: u64, note: &str) -> Result<(), ControlError> {
        self.write_once(&checkpoint_place(size), note.as_bytes())
    }

    /// The note of the checkpoint at `size`.
    pub(crate) fn checkpoint(&self, size: u64) -> Result<Option<Vec<u8>>, ControlError> {
        self.read(&checkpoint_place(size), MAX_NOTE_BYTES)
    }

    /// The size of the newest checkpoint. Folders in groups of three digits keep this quick for ever.
    pub(crate) fn last_checkpoint(&self) -> Result<Option<u64>, ControlError> {
        let (mut folder, mut digits) = (CHECKPOINTS.to_owned(), String::new());
        for _ in 0..GROUPS {
            let Some(group) = self.groups(&folder)?.pop() else { return Ok(None) };
            folder = format!("{folder}/{group}");
            digits.push_str(&group);
        }
        Ok(digits.parse().ok())
    }

    /// The sizes of every checkpoint, in their order.
    pub(crate) fn checkpoints(&self) -> Result<Vec<u64>, ControlError> {
        let mut prefixes = vec![String::new()];
        for _ in 0..GROUPS {
            let mut longer = Vec::new();
            for prefix in prefixes {
                for group in self.groups(&format!("{CHECKPOINTS}{prefix}"))? {
                    longer.push(format!("{prefix}/{group}"));
                }
            }
            prefixes = longer;
        }
        Ok(prefixes.iter().filter_map(|path| path.replace('/', "").parse().ok()).collect())
    }

    /// The names of three digits in a folder, in their order; none when it is not there.
    fn groups(&self, folder: &str) -> Result<Vec<String>, ControlError> {
        let names = match &self.bucket {
            Some(bucket) => bucket.names(&self.key(&format!("{folder}/")))?,
            None => names_on_disk(&self.root.join(folder))?,
        };
        let is_group = |name: &String| name.len() == 3 && name.bytes().all(|digit| digit.is_ascii_digit());
        Ok(names.into_iter().filter(is_group).collect())
    }

    /// The hashes of a tile, from its file or the file of a wider one; `None` when neither is there or whole.
    pub(crate) fn tile(&self, tile: Tile) -> Result<Option<Vec<Hash>>, ControlError> {
        let full = Tile { width: TILE_HASHES, ..tile };
        for place in [tile, full] {
            if let Some(bytes) = self.read(&place.path(), TILE_HASHES * HASH_BYTES)? {
                let read = read_tile(&bytes, place.width);
                return Ok(read.map(|hashes| hashes[..tile.width].to_vec()));
            }
        }
        Ok(None)
    }

    /// The entries below a tile of level 0, in the same way.
    pub(crate) fn bundle(&self, tile: Tile) -> Result<Option<Vec<Vec<u8>>>, ControlError> {
        let full = Tile { width: TILE_HASHES, ..tile };
        for place in [tile, full] {
            if let Some(bytes) = self.read(&place.bundle_path(), MAX_BUNDLE_BYTES)? {
                let read = read_bundle(&bytes, place.width);
                return Ok(read.map(|entries| entries[..tile.width].to_vec()));
            }
        }
        Ok(None)
    }

    /// The tile of level 0 that holds the hash of entry `index` in a log of `size` entries.
    pub(crate) fn tile_of(index: u64, size: u64) -> Tile {
        let tile = index / TILE_WIDTH;
        Tile { level: 0, index: tile, width: width_behind(size.saturating_sub(tile * TILE_WIDTH)) }
    }

    /// Removes the partial forms of a tile whose full form is written. They are a convenience of the format;
    /// where they cannot be removed, they stay.
    pub(crate) fn remove_partial(&self, tile: Tile) {
        if self.bucket.is_some() {
            return;
        }
        for place in [tile.path(), tile.bundle_path()] {
            let _ = fs::remove_dir_all(self.root.join(format!("{place}.p")));
        }
    }
}

fn checkpoint_place(size: u64) -> String {
    let digits = format!("{size:015}");
    let groups: Vec<&str> = (0..GROUPS).map(|group| &digits[3 * group..3 * group + 3]).collect();
    format!("{CHECKPOINTS}/{}", groups.join("/"))
}

/// The names in a folder, in their order; none when it is not there.
fn names_on_disk(folder: &Path) -> Result<Vec<String>, ControlError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("list", folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(failed("list", folder))?.file_name();
        names.extend(name.to_str().map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o444);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names on the way from `folder` up to `root` durable.
fn sync_folders(folder: &Path, root: &Path) -> Result<(), ControlError> {
    for folder in folder.ancestors().take_while(|folder| folder.starts_with(root)) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))?;
    }
    Ok(())
}

fn failed(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ControlError {
    let path = path.to_owned();
    move |source| ControlError::File { step, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, LogFolder) {
        let temporary = tempfile::tempdir().expect("a temporary folder can be made");
        let folder = LogFolder::of_log(temporary.path(), "cairn/audit/system");
        (temporary, folder)
    }

    #[test]
    fn a_file_is_written_once() {
        let (_temporary, folder) = folder();
        folder.write_once("a/b", b"one").expect("it is new");
        folder.write_once("a/b", b"one").expect("the same bytes are there");
        let other = folder.write_once("a/b", b"two");
        assert!(matches!(other, Err(ControlError::AnchorDiffers { .. })), "{other:?}");
        assert_eq!(folder.read("a/b", 3).expect("it can be read").as_deref(), Some(&b"one"[..]));
        assert!(folder.read("a/b", 2).is_err(), "larger than expected");
        let left: Vec<_> = fs::read_dir(folder.path().join("a")).expect("it is there").collect();
        assert_eq!(left.len(), 1);
        let left: Vec<_> = fs::read_dir(folder.path()).expect("it is there").collect();
        assert_eq!(left.len(), 1, "no draft stays");
    }

    #[cfg(unix)]
    #[test]
    fn a_written_file_is_for_reading_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (_temporary, folder) = folder();
        folder.write_once("a/b", b"one").expect("it is new");
        let mode = fs::metadata(folder.path().join("a/b")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o444);
    }

    #[test]
    fn checkpoints_are_listed_by_size() {
        let (_temporary, folder) = folder();
        assert_eq!(folder.last_checkpoint().expect("it can be listed"), None);
        for size in [7, 1_067, 1_000_000, 999] {
            folder.write_checkpoint(size, "note").expect("it is new");
        }
        assert_eq!(folder.last_checkpoint().expect("it can be listed"), Some(1_000_000));
        assert_eq!(folder.checkpoints().expect("they can be listed"), [7, 999, 1_067, 1_000_000]);
        assert!(folder.checkpoint(999).expect("it can be read").is_some());
        assert!(folder.checkpoint(998).expect("it can be read").is_none());
    }
}
