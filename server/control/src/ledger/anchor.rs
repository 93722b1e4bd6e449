//! An anchor: a folder or a bucket outside of the database to which every checkpoint is copied with the events below
//! it. A folder belongs on another disk or machine than the database, where this program may add files and not change
//! them; then a database that was put back or written anew contradicts it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::Clock;

use crate::error::ControlError;
use crate::ledger::bucket::{Bucket, BucketSettings};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::folder::LogFolder;
use crate::ledger::note::{Note, VerifierKey};
use crate::ledger::tiles::{TILE_HASHES, TILE_WIDTH, Tile, hashes_at, tile_root, write_bundle};
use crate::ledger::tree::{Frontier, Hash, leaf_hash};

/// An anchor of a deployment.
#[derive(Debug, Clone)]
pub(crate) enum Anchor {
    Folder(PathBuf),
    Bucket(Arc<Bucket>),
}

/// Where a further anchor is.
#[derive(Debug, Clone)]
pub enum AnchorPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket that keeps what it holds.
    Bucket(BucketSettings),
}

impl Anchor {
    pub(crate) fn at(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }

    /// An anchor that is in order.
    pub(crate) fn open(place: &AnchorPlace, clock: &Arc<dyn Clock>) -> Result<Self, ControlError> {
        match place {
            AnchorPlace::Folder(folder) => Ok(Self::at(folder)),
            AnchorPlace::Bucket(settings) => {
                Bucket::open(settings, Arc::clone(clock)).map(|bucket| Self::Bucket(Arc::new(bucket)))
            }
        }
    }

    /// The copy of one log.
    pub(crate) fn log(&self, origin: &str) -> LogFolder {
        match self {
            Self::Folder(folder) => LogFolder::of_log(folder, origin),
            Self::Bucket(bucket) => LogFolder::in_bucket(bucket, origin),
        }
    }

    /// The newest checkpoint of a log in the anchor, with its signature verified.
    pub(crate) fn last(
        &self,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Option<AnchoredLog>, ControlError> {
        let folder = self.log(origin);
        let Some(size) = folder.last_checkpoint()? else { return Ok(None) };
        let unusable = |reason: &str| ControlError::AnchorUnusable {
            path: folder.path().to_owned(),
            size,
            reason: reason.to_owned(),
        };
        let bytes = folder.checkpoint(size)?.ok_or_else(|| unusable("it is gone"))?;
        let note = Note::parse(&bytes).map_err(|error| unusable(&error.to_string()))?;
        let (checkpoint, _) =
            Checkpoint::of_note(&note, keys).map_err(|error| unusable(&error.to_string()))?;
        if checkpoint.origin != origin || checkpoint.size != size {
            return Err(unusable("it is of another log or size"));
        }
        Ok(Some(AnchoredLog { checkpoint, folder, tile: None }))
    }
}

/// A log as its anchor holds it.
#[derive(Debug)]
pub(crate) struct AnchoredLog {
    pub(crate) checkpoint: Checkpoint,
    folder: LogFolder,
    tile: Option<(u64, Vec<Hash>)>,
}

impl AnchoredLog {
    /// The hash of entry `index`; `None` behind the anchored size, or when its tile is gone.
    pub(crate) fn hash(&mut self, index: u64) -> Result<Option<Hash>, ControlError> {
        if index >= self.checkpoint.size {
            return Ok(None);
        }
        let tile = LogFolder::tile_of(index, self.checkpoint.size);
        if self.tile.as_ref().is_none_or(|(held, _)| *held != tile.index) {
            let Some(hashes) = self.folder.tile(tile)? else { return Ok(None) };
            self.tile = Some((tile.index, hashes));
        }
        let hashes = self.tile.as_ref().map(|(_, hashes)| hashes);
        let place = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
        Ok(hashes.and_then(|hashes| hashes.get(place).copied()))
    }

    /// Whether something was laid on top of what the anchor holds.
    pub(crate) fn is_covered(&self) -> Result<bool, ControlError> {
        Ok(self.folder.first_covered()?.is_some())
    }

    /// Whether the copied hashes have the root that was signed.
    pub(crate) fn is_whole(&mut self) -> Result<bool, ControlError> {
        let mut tree = Frontier::new();
        for index in 0..self.checkpoint.size {
            let Some(hash) = self.hash(index)? else { return Ok(false) };
            tree.push(hash);
        }
        Ok(tree.root() == self.checkpoint.root)
    }
}

/// Where the copy of a log goes on when it holds `copied` events already: at the beginning of a tile.
pub(crate) const fn first_missing(copied: u64) -> u64 {
    copied / TILE_WIDTH * TILE_WIDTH
}

/// Copies the entries of one tile of level 0: first the bundle, then the hashes.
pub(crate) fn write_entries(folder: &LogFolder, tile: Tile, entries: &[Vec<u8>]) -> Result<(), ControlError> {
    let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    folder.write_once(&tile.bundle_path(), &write_bundle(entries))?;
    folder.write_once(&tile.path(), &hashes.concat())?;
    if tile.width == TILE_HASHES {
        folder.remove_partial(tile);
    }
    Ok(())
}

/// Writes the tiles above level 0 of a tree of `size` leaves that a tree of `copied` leaves did not have.
pub(crate) fn write_upper_tiles(folder: &LogFolder, copied: u64, size: u64) -> Result<(), ControlError> {
    for level in 1.. {
        let (had, has) = (hashes_at(level, copied), hashes_at(level, size));
        if has == 0 {
            break;
        }
        if had == has {
            continue;
        }
        for tile in Tile::of_level(level, size, had) {
            let first = tile.index * TILE_WIDTH;
            let below =
                (first..).take(tile.width).map(|index| Tile { level: level - 1, index, width: TILE_HASHES });
            let mut hashes = Vec::new();
            for child in below {
                let child_hashes = folder.tile(child)?.ok_or_else(|| ControlError::AnchorUnusable {
                    path: folder.path().join(child.path()),
                    size,
                    reason: "it is gone".to_owned(),
                })?;
                hashes.push(tile_root(&child_hashes));
            }
            folder.write_once(&tile.path(), &hashes.concat())?;
            if tile.width == TILE_HASHES {
                folder.remove_partial(tile);
            }
        }
    }
    Ok(())
}
