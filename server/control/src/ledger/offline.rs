//! Verifying logs that lie as files, in an export or in an anchor: without a database, a network or a secret.

use std::fs;
use std::iter::Peekable;
use std::path::{Path, PathBuf};

use crate::error::ControlError;
use crate::ledger::chain::{Chain, Fault, FaultKind};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::folder::LogFolder;
use crate::ledger::log::Log;
use crate::ledger::note::{KeyKind, MAX_NOTE_BYTES, Note, NoteError, VerifierKey};
use crate::ledger::tiles::{TILE_HASHES, Tile, tile_root};
use crate::ledger::tree::{Hash, leaf_hash};

/// How deep below the given folder a log is looked for.
const MAX_DEPTH: u32 = 5;

/// What the files of one log show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineReport {
    /// Where it lies.
    pub folder: PathBuf,
    /// The log's name, as its checkpoints say; empty when none can be read.
    pub log: String,
    /// How many events, from the first, are proved good.
    pub size: u64,
    /// How many checkpoints agree with the events.
    pub checkpoints: u64,
    /// The known witnesses that have signed the newest checkpoint.
    pub witnesses: Vec<String>,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
    /// Why nothing more can be said, when something is missing and nothing is wrong.
    pub incomplete: Option<String>,
}

/// Verifies every log below a folder, in the order of their paths.
///
/// # Errors
/// When a file or folder cannot be read at all.
pub fn verify_folder(folder: &Path, keys: &[VerifierKey]) -> Result<Vec<OfflineReport>, ControlError> {
    let mut folders = Vec::new();
    find_logs(folder, MAX_DEPTH, &mut folders)?;
    folders.into_iter().map(|folder| verify_log(folder, keys)).collect()
}

fn find_logs(folder: &Path, depth: u32, found: &mut Vec<PathBuf>) -> Result<(), ControlError> {
    if folder.join("checkpoints").is_dir() || folder.join("checkpoint").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let failed = |source| ControlError::File { step: "list", path: folder.to_owned(), source };
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    let below = folders.iter().filter(|_| depth > 0);
    below.into_iter().try_for_each(|folder| find_logs(folder, depth - 1, found))
}

fn verify_log(path: PathBuf, keys: &[VerifierKey]) -> Result<OfflineReport, ControlError> {
    let folder = LogFolder::at(path.clone());
    let mut report = OfflineReport {
        folder: path,
        log: String::new(),
        size: 0,
        checkpoints: 0,
        witnesses: Vec::new(),
        fault: None,
        incomplete: None,
    };
    let mut told = Told { folder: &folder, keys, commitments: Vec::new() };
    if let Err(stop) = told.read(&mut report).and_then(|()| walk(&told, &mut report)) {
        match stop {
            Stop::Wrong(fault) => report.fault = Some(fault),
            Stop::Missing(reason) => report.incomplete = Some(reason),
            Stop::Failed(error) => return Err(error),
        }
    }
    Ok(report)
}

/// Why a verification ends before the end of the log.
enum Stop {
    Wrong(Fault),
    Missing(String),
    Failed(ControlError),
}

impl From<ControlError> for Stop {
    fn from(error: ControlError) -> Self {
        Self::Failed(error)
    }
}

fn wrong(index: u64, kind: FaultKind) -> Stop {
    Stop::Wrong(Fault { index, kind })
}

/// The checkpoints of a folder, signatures verified, by size.
struct Told<'a> {
    folder: &'a LogFolder,
    keys: &'a [VerifierKey],
    commitments: Vec<Checkpoint>,
}

impl Told<'_> {
    fn read(&mut self, report: &mut OfflineReport) -> Result<(), Stop> {
        let mut notes = Vec::new();
        for size in self.folder.checkpoints()? {
            let bytes = self.folder.checkpoint(size)?;
            notes.push((
                Some(size),
                bytes.ok_or_else(|| Stop::Missing(format!("checkpoint {size} is gone")))?,
            ));
        }
        notes.extend(self.folder.read("checkpoint", MAX_NOTE_BYTES)?.map(|bytes| (None, bytes)));
        for (size, bytes) in notes {
            let committed = size.unwrap_or(0);
            let kind = FaultKind::Checkpoint { committed };
            let note = Note::parse(&bytes).map_err(|_| wrong(committed, kind))?;
            let claimed = Checkpoint::parse(note.text()).ok_or_else(|| wrong(committed, kind))?;
            if report.log.is_empty() {
                report.log.clone_from(&claimed.origin);
            }
            let checkpoint = match Checkpoint::of_note(&note, self.keys) {
                Ok((checkpoint, signers)) => {
                    let witnesses = signers.iter().filter(|key| key.kind() == KeyKind::Witness);
                    report.witnesses = witnesses.map(|key| key.name().to_owned()).collect();
                    checkpoint
                }
                Err(NoteError::NoKnownSignature) => {
                    return Err(Stop::Missing(format!("no given key signs for `{}`", claimed.origin)));
                }
                Err(_) => return Err(wrong(claimed.size, kind)),
            };
            if checkpoint.origin != report.log || size.is_some_and(|size| size != checkpoint.size) {
                return Err(wrong(checkpoint.size, kind));
            }
            self.commitments.push(checkpoint);
        }
        self.commitments.sort_by_key(|checkpoint| (checkpoint.size, checkpoint.root));
        self.commitments.dedup();
        if self.commitments.is_empty() {
            Err(Stop::Missing("there is no checkpoint".to_owned()))
        } else {
            Ok(())
        }
    }
}

/// Walks over every event below the newest checkpoint.
fn walk(told: &Told<'_>, report: &mut OfflineReport) -> Result<(), Stop> {
    let unknown = || Stop::Missing(format!("`{}` is not a log of this program", report.log));
    let log = Log::of_origin(&report.log).ok_or_else(unknown)?;
    let size = told.commitments.last().map_or(0, |checkpoint| checkpoint.size);
    let mut chain = Chain::new(log);
    let mut commitments = told.commitments.iter().peekable();
    compare_roots(&chain, &mut commitments, report)?;
    let mut upper = UpperTiles { folder: told.folder, size, levels: Vec::new() };
    for tile in Tile::of_level(0, size, 0) {
        let gone = |place: String| Stop::Missing(format!("`{place}` is gone or cut short"));
        let hashes = told.folder.tile(tile)?.ok_or_else(|| gone(tile.path()))?;
        let entries = told.folder.bundle(tile)?.ok_or_else(|| gone(tile.bundle_path()))?;
        for (entry, copied) in entries.iter().zip(&hashes) {
            let (index, hash) = (chain.size(), leaf_hash(entry));
            if hash != *copied {
                return Err(wrong(index, FaultKind::EntryHash));
            }
            let leaf = chain.read(entry).map_err(|kind| wrong(index, kind))?;
            chain.follow(&leaf, hash).map_err(|kind| wrong(index, kind))?;
            compare_roots(&chain, &mut commitments, report)?;
        }
        if tile.width == TILE_HASHES {
            upper.take(1, tile_root(&hashes))?;
        }
    }
    upper.finish()
}

/// Holds the tree against every checkpoint of its size.
fn compare_roots<'a>(
    chain: &Chain,
    commitments: &mut Peekable<impl Iterator<Item = &'a Checkpoint>>,
    report: &mut OfflineReport,
) -> Result<(), Stop> {
    while let Some(due) = commitments.next_if(|due| due.size == chain.size()) {
        if due.root != chain.tree().root() {
            // What lies behind the last good checkpoint may be what was changed.
            return Err(wrong(report.size, FaultKind::Root { committed: due.size }));
        }
        report.checkpoints += 1;
        report.size = due.size;
    }
    Ok(())
}

/// The tiles above level 0, compared with those that follow from the level below.
struct UpperTiles<'a> {
    folder: &'a LogFolder,
    size: u64,
    /// The tiles that are being filled: how many were full before, and the hashes so far.
    levels: Vec<(u64, Vec<Hash>)>,
}

impl UpperTiles<'_> {
    fn take(&mut self, level: u32, hash: Hash) -> Result<(), Stop> {
        let place = level as usize - 1;
        if self.levels.len() == place {
            self.levels.push((0, Vec::new()));
        }
        let (index, hashes) = &mut self.levels[place];
        hashes.push(hash);
        if hashes.len() == TILE_HASHES {
            let (index, hashes) = (*index, std::mem::take(hashes));
            self.levels[place].0 += 1;
            self.compare(level, index, &hashes)?;
            self.take(level + 1, tile_root(&hashes))?;
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), Stop> {
        let partial = (1..).zip(&self.levels).filter(|(_, (_, hashes))| !hashes.is_empty());
        partial.into_iter().try_for_each(|(level, (index, hashes))| self.compare(level, *index, hashes))
    }

    fn compare(&self, level: u32, index: u64, hashes: &[Hash]) -> Result<(), Stop> {
        let tile = Tile { level, index, width: hashes.len() };
        match self.folder.tile(tile)? {
            None => Err(Stop::Missing(format!("`{}` is gone or cut short", tile.path()))),
            Some(copied) if copied != hashes => {
                Err(wrong(self.size, FaultKind::Root { committed: self.size }))
            }
            Some(_) => Ok(()),
        }
    }
}
