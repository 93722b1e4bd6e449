//! Copying logs to the anchor, and refusing a database that contradicts what was committed before.

use std::path::Path;

use crate::control::Control;
use crate::error::ControlError;
use crate::ledger::anchor::{Anchor, AnchoredLog, first_missing, write_entries, write_upper_tiles};
use crate::ledger::folder::LogFolder;
use crate::ledger::hash::hex;
use crate::ledger::log::Log;
use crate::ledger::note::{KeyKind, Note, VerifierKey};
use crate::ledger::rows::{self, KeptCheckpoint};
use crate::ledger::tiles::Tile;
use crate::ledger::tree::leaf_hash;
use crate::store::Connection;

impl Control {
    /// Compares every log with its last checkpoint, kept and anchored. For the start of a server: a log is
    /// also compared when it is first opened, so that nothing is done on one that was put back.
    ///
    /// # Errors
    /// [`ControlError::LogBehind`] or [`ControlError::LogForked`] for the first log that does not stand.
    pub async fn require_standing(&self) -> Result<(), ControlError> {
        self.store().require_system_standing().await?;
        for tenant in self.tenant_ids().await? {
            self.store().tenant(tenant).await?;
        }
        Ok(())
    }

    /// Copies what the anchors lack of a log, up to its newest checkpoint. One that fails does not keep the others from
    /// their copy; the first failure is told.
    pub(crate) async fn anchor_log(&self, log: Log) -> Result<(), ControlError> {
        let Some(kept) = self.last_checkpoint(log).await? else { return Ok(()) };
        let mut first = Ok(());
        for anchor in self.store().anchors() {
            let copied = self.anchor_log_in(anchor, log, &kept).await;
            first = first.and(copied);
        }
        first
    }

    async fn anchor_log_in(
        &self,
        anchor: &Anchor,
        log: Log,
        kept: &KeptCheckpoint,
    ) -> Result<(), ControlError> {
        let keys = self.known_keys(&log.origin()).await?;
        let copied = anchor.last(&log.origin(), &keys)?.map_or(0, |anchored| anchored.checkpoint.size);
        if copied >= kept.size {
            return Ok(());
        }
        let folder = anchor.log(&log.origin());
        copy_log(&mut *self.log_view(log).await?, log, &folder, (copied, kept)).await?;
        folder.write_checkpoint(kept.size, &kept.note)
    }

    /// Writes every log, with all its checkpoints, as files below `folder`, for a verification elsewhere, and
    /// the keys that have signed them beside. Returns the logs' names and sizes.
    ///
    /// # Errors
    /// When a checkpoint cannot be made or a file not be written.
    pub async fn export_ledger(&self, folder: &Path) -> Result<Vec<(String, u64)>, ControlError> {
        self.checkpoint_now().await?;
        let anchor = Anchor::at(folder);
        let mut exported = Vec::new();
        let tenants = self.tenant_ids().await?.into_iter().map(Log::Tenant);
        for log in [Log::System].into_iter().chain(tenants) {
            let Some(last) = self.last_checkpoint(log).await? else { continue };
            let target = anchor.log(&log.origin());
            let copied = target.last_checkpoint()?.unwrap_or(0);
            if copied < last.size {
                copy_log(&mut *self.log_view(log).await?, log, &target, (copied, &last)).await?;
            }
            self.export_checkpoints(log, &target, last.size).await?;
            exported.push((log.origin(), last.size));
        }
        let mut keys = String::new();
        for key in self.verifier_keys().await? {
            keys.push_str(&format!("{key}\n"));
        }
        LogFolder::at(folder.to_owned()).replace("keys", keys.as_bytes())?;
        Ok(exported)
    }

    async fn export_checkpoints(&self, log: Log, target: &LogFolder, last: u64) -> Result<(), ControlError> {
        let mut after = 0;
        loop {
            let mut system = self.store().system().view().await?;
            let page = rows::checkpoints(&mut system, log, after, last).await?;
            let Some(newest) = page.last() else { return Ok(()) };
            after = newest.size;
            for kept in page {
                // The note as the ledger signed it is written once; witnesses may sign later.
                target.write_checkpoint(kept.size, &kept.note)?;
                if kept.size == last {
                    let note = with_cosignatures(&mut system, log, &kept).await?;
                    target.replace("checkpoint", note.as_bytes())?;
                }
            }
        }
    }

    /// The keys whose signatures below checkpoints of one log count: the present one and every earlier one.
    pub(crate) async fn known_keys(&self, origin: &str) -> Result<Vec<VerifierKey>, ControlError> {
        known_keys(&mut *self.store().system().view().await?, origin).await
    }

    /// The line of every key that has signed here, for each log. Who verifies elsewhere needs them, and has to
    /// get them from the operator, not with the data.
    ///
    /// # Errors
    /// When the control database cannot be read.
    pub async fn verifier_keys(&self) -> Result<Vec<VerifierKey>, ControlError> {
        let mut keys = self.known_keys(&Log::System.origin()).await?;
        for tenant in self.tenant_ids().await? {
            keys.extend(self.known_keys(&Log::Tenant(tenant).origin()).await?);
        }
        Ok(keys)
    }
}

/// The keys that have signed checkpoints here, in the name of one log.
pub(crate) async fn known_keys(
    system: &mut Connection,
    origin: &str,
) -> Result<Vec<VerifierKey>, ControlError> {
    let keys = rows::public_keys(system).await?;
    let verifier = |key: [u8; 32]| VerifierKey::of_bytes(origin, KeyKind::Log, &key);
    Ok(keys.into_iter().filter_map(verifier).collect())
}

/// A checkpoint's note with the witnesses' lines.
pub(crate) async fn with_cosignatures(
    system: &mut Connection,
    log: Log,
    kept: &KeptCheckpoint,
) -> Result<String, ControlError> {
    let lines = rows::cosignatures(system, log, kept.size).await?;
    let note = Note::parse(kept.note.as_bytes()).and_then(|note| note.with_signatures(&lines));
    note.map(|note| note.to_string()).map_err(crate::error::corrupt("note of a checkpoint"))
}

/// Copies the entries and tiles of a log between two sizes.
async fn copy_log(
    view: &mut Connection,
    log: Log,
    folder: &LogFolder,
    (copied, kept): (u64, &KeptCheckpoint),
) -> Result<(), ControlError> {
    let mut held = Vec::new();
    let mut next = first_missing(copied);
    for tile in Tile::of_level(0, kept.size, next) {
        while held.len() < tile.width {
            let page = rows::leaves(view, log, next).await?;
            if page.is_empty() {
                return Err(ControlError::LogBehind {
                    log: log.origin(),
                    size: next,
                    committed: kept.size,
                    place: PLACE_KEPT.to_owned(),
                });
            }
            next += page.len() as u64;
            held.extend(page);
        }
        let rest = held.split_off(tile.width);
        write_entries(folder, tile, &held)?;
        held = rest;
    }
    write_upper_tiles(folder, copied, kept.size)
}

const PLACE_KEPT: &str = "the system's file";

/// One event that a log has committed to.
#[derive(Debug)]
pub(crate) struct Committed {
    /// How many events the log had then,
    size: u64,
    /// and the hash of the last of them.
    last_hash: String,
    /// Who says so.
    place: String,
}

/// The last event of a log that it has committed to, as the system's rows say and as the anchors say.
pub(crate) async fn commitments_of(
    system: &mut Connection,
    log: Log,
    anchors: &[Anchor],
) -> Result<Vec<Committed>, ControlError> {
    let mut committed = Vec::new();
    if let Some(kept) = rows::last_checkpoint(system, log).await? {
        committed.push(Committed {
            size: kept.size,
            last_hash: kept.last_hash,
            place: PLACE_KEPT.to_owned(),
        });
    }
    for anchor in anchors {
        let keys = known_keys(system, &log.origin()).await?;
        if let Some(mut anchored) = anchor.last(&log.origin(), &keys)? {
            let place = anchor.log(&log.origin()).name();
            let last_hash = last_hash(&mut anchored, &place)?;
            committed.push(Committed { size: anchored.checkpoint.size, last_hash, place });
        }
    }
    Ok(committed)
}

/// Refuses a log that is shorter than what it has committed to, or whose last committed event is another one.
/// Each event names its predecessor's hash, so that one event stands for all before it; verification reads the
/// rest.
pub(crate) async fn refuse_rollback(
    view: &mut Connection,
    log: Log,
    committed: Vec<Committed>,
) -> Result<(), ControlError> {
    for one in committed {
        refuse_other(view, log, one).await?;
    }
    Ok(())
}

fn last_hash(anchored: &mut AnchoredLog, place: &str) -> Result<String, ControlError> {
    let size = anchored.checkpoint.size;
    let hash = match size.checked_sub(1) {
        Some(index) => anchored.hash(index)?,
        None => None,
    };
    hash.map(|hash| hex(&hash)).ok_or_else(|| ControlError::AnchorUnusable {
        path: place.into(),
        size,
        reason: "the tile of its last event is gone".to_owned(),
    })
}

async fn refuse_other(
    view: &mut Connection,
    log: Log,
    Committed { size: committed, last_hash, place }: Committed,
) -> Result<(), ControlError> {
    let leaf = match committed.checked_sub(1) {
        Some(last) => rows::leaf(view, log, last).await?,
        None => return Ok(()),
    };
    match leaf {
        None => {
            let size = rows::count_of(view, log).await?;
            Err(ControlError::LogBehind { log: log.origin(), size, committed, place })
        }
        Some(leaf) if hex(&leaf_hash(&leaf)) != last_hash => {
            Err(ControlError::LogForked { log: log.origin(), committed, place })
        }
        Some(_) => Ok(()),
    }
}
