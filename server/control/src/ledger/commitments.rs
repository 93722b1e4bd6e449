//! What a log has committed to outside of its own rows: signed checkpoints in the system's file, and the copy in
//! the anchor. A verification walks over the events and holds each against them.

use std::collections::VecDeque;

use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::ledger::anchor::{Anchor, AnchoredLog};
use crate::ledger::anchoring::known_keys;
use crate::ledger::canonical::Canon;
use crate::ledger::chain::{Chain, Fault, FaultKind};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::event::AuditAction;
use crate::ledger::hash::{hash_of_hex, hex};
use crate::ledger::leaf::Leaf;
use crate::ledger::log::Log;
use crate::ledger::note::{Note, VerifierKey};
use crate::ledger::personal::is_untouched;
use crate::ledger::rows::{self, KeptCheckpoint, index};
use crate::ledger::verify::VerifyReport;
use crate::store::Connection;

/// Where a verification begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// At the first event.
    First,
    /// Behind the last checkpoint.
    LastCheckpoint,
}

/// The walk over a log, and what it is held against.
pub(crate) struct Commitments<'a> {
    control: &'a Control,
    pub(crate) chain: Chain,
    keys: Vec<VerifierKey>,
    /// The size of the newest kept checkpoint.
    committed: u64,
    pending: VecDeque<KeptCheckpoint>,
    /// The last size whose root was that of a checkpoint, with the hash of its last event.
    proven: (u64, String),
    agreeing: u64,
    anchored: Vec<AnchoredLog>,
    anchor_fault: Option<FaultKind>,
}

impl<'a> Commitments<'a> {
    pub(crate) async fn read(control: &'a Control, log: Log, start: Start) -> Result<Self, ControlError> {
        let mut system = control.store().system().view().await?;
        let last = rows::last_checkpoint(&mut system, log).await?;
        let keys = known_keys(&mut system, &log.origin()).await?;
        drop(system);
        let chain = match start {
            Start::First => Chain::new(log),
            // The last event's time is for the clock's rule alone, and the first new event has been judged by
            // it when it was appended.
            Start::LastCheckpoint => resume_without_time(last.as_ref(), log),
        };
        let (mut anchored, mut anchor_fault) = (Vec::new(), None);
        for anchor in control.store().anchors() {
            match copy_in(anchor, (log, &keys), start)? {
                Copy::Absent => {}
                Copy::Usable(copy) => anchored.push(copy),
                Copy::Wrong(kind) => anchor_fault = anchor_fault.or(Some(kind)),
            }
        }
        Ok(Self {
            control,
            proven: (chain.size(), chain.last_hash().to_owned()),
            chain,
            keys,
            committed: last.map_or(0, |last| last.size),
            pending: VecDeque::new(),
            agreeing: 0,
            anchored,
            anchor_fault,
        })
    }

    /// The number of the last event that the walk has taken.
    pub(crate) fn last_seq(&self) -> i64 {
        index(self.chain.size()) - 1
    }

    /// Holds the event that the walk has just taken against the anchor, the checkpoints at its size, and, in
    /// the system's log, against the checkpoint that it records.
    pub(crate) async fn compare(
        &mut self,
        connection: &mut Connection,
        leaf: &Leaf,
    ) -> Result<Option<Fault>, ControlError> {
        let last = self.chain.size() - 1;
        for anchored in &mut self.anchored {
            if let Some(hash) = anchored.hash(last)?
                && hex(&hash) != self.chain.last_hash()
            {
                return Ok(Some(Fault { index: last, kind: FaultKind::Anchor }));
            }
        }
        if let Some(committed) = missing_checkpoint(connection, leaf).await? {
            return Ok(Some(Fault { index: last, kind: FaultKind::Checkpoint { committed } }));
        }
        if !is_untouched(connection, leaf).await? {
            return Ok(Some(Fault { index: last, kind: FaultKind::PersonalData }));
        }
        self.compare_checkpoint().await
    }

    async fn compare_checkpoint(&mut self) -> Result<Option<Fault>, ControlError> {
        let size = self.chain.size();
        if self.pending.is_empty() && size <= self.committed {
            let mut system = self.control.store().system().view().await?;
            let page = rows::checkpoints(&mut system, self.chain.log(), size - 1, self.committed).await?;
            self.pending = page.into();
        }
        let Some(kept) = self.pending.pop_front_if(|kept| kept.size == size) else { return Ok(None) };
        let root = self.chain.tree().root();
        if hash_of_hex(&kept.root) != Some(root) && signed(&kept, &self.chain, &self.keys).is_some() {
            let kind = FaultKind::Root { committed: size };
            return Ok(Some(Fault { index: self.proven.0, kind }));
        }
        let agrees = signed(&kept, &self.chain, &self.keys).is_some_and(|signed| signed.root == root)
            && kept.frontier == self.chain.tree().to_bytes()
            && kept.last_hash == self.chain.last_hash();
        if !agrees {
            return Ok(Some(Fault { index: size, kind: FaultKind::Checkpoint { committed: size } }));
        }
        self.proven = (size, self.chain.last_hash().to_owned());
        self.agreeing += 1;
        Ok(None)
    }

    /// Whether the log ends before a size that it has committed to.
    pub(crate) fn shortened(&self) -> Option<Fault> {
        let committed = self.committed.max(self.anchored_size().unwrap_or(0));
        let index = self.chain.size();
        (index < committed).then_some(Fault { index, kind: FaultKind::Shortened { committed } })
    }

    /// The largest copy.
    fn anchored_size(&self) -> Option<u64> {
        self.anchored.iter().map(|anchored| anchored.checkpoint.size).max()
    }

    /// Whether an anchor itself is wrong.
    pub(crate) fn anchor_fault(&self) -> Option<Fault> {
        let index = self.chain.size();
        self.anchor_fault.map(|kind| Fault { index, kind })
    }

    /// What was found.
    pub(crate) fn report(self, fault: Option<Fault>) -> VerifyReport {
        let (log, tenant) = (self.chain.log().origin(), self.chain.log().tenant());
        let anchored = self.anchored_size();
        let (size, last_hash) = match fault {
            // The events up to the last good checkpoint are proved; one of the following is another.
            Some(Fault { kind: FaultKind::Root { .. }, .. }) => self.proven,
            // The walk has taken the event that differs.
            Some(Fault { kind: FaultKind::Anchor, index }) => (index, String::new()),
            _ => (self.chain.size(), self.chain.last_hash().to_owned()),
        };
        VerifyReport { log, tenant, size, last_hash, checkpoints: self.agreeing, anchored, fault }
    }
}

/// What an anchor holds of a log.
enum Copy {
    Absent,
    Usable(AnchoredLog),
    Wrong(FaultKind),
}

/// Reads the copy of a log; from the first event on also whether it is whole and nothing was laid on top of it.
fn copy_in(anchor: &Anchor, (log, keys): (Log, &[VerifierKey]), start: Start) -> Result<Copy, ControlError> {
    let mut copy = match anchor.last(&log.origin(), keys) {
        Err(ControlError::AnchorUnusable { .. }) => return Ok(Copy::Wrong(FaultKind::AnchorBroken)),
        found => match found? {
            None => return Ok(Copy::Absent),
            Some(copy) => copy,
        },
    };
    if start == Start::First && !copy.is_whole()? {
        return Ok(Copy::Wrong(FaultKind::AnchorBroken));
    }
    if start == Start::First && copy.is_covered()? {
        return Ok(Copy::Wrong(FaultKind::AnchorCovered));
    }
    Ok(Copy::Usable(copy))
}

fn resume_without_time(last: Option<&KeptCheckpoint>, log: Log) -> Chain {
    let resumed = last.and_then(|last| {
        let (_, tree) = last.checkpoint(log)?;
        Some(Chain::resume(log, tree, last.last_hash.clone(), None))
    });
    // A checkpoint that contradicts itself is found from the first event on.
    resumed.unwrap_or_else(|| Chain::new(log))
}

/// The checkpoint that the ledger has signed in this row; `None` when it did not.
fn signed(kept: &KeptCheckpoint, chain: &Chain, keys: &[VerifierKey]) -> Option<Checkpoint> {
    let note = Note::parse(kept.note.as_bytes()).ok()?;
    let (checkpoint, _) = Checkpoint::of_note(&note, keys).ok()?;
    let fits = checkpoint.origin == chain.log().origin()
        && checkpoint.size == kept.size
        && hash_of_hex(&kept.root) == Some(checkpoint.root);
    fits.then_some(checkpoint)
}

/// The size of the checkpoint that an event of the system's log records, when it is no longer kept.
async fn missing_checkpoint(system: &mut Connection, leaf: &Leaf) -> Result<Option<u64>, ControlError> {
    if leaf.action != AuditAction::CheckpointSigned.name() {
        return Ok(None);
    }
    let (Some(Canon::Integer(size)), Some(Canon::Text(root))) =
        (leaf.data.get("size"), leaf.data.get("root"))
    else {
        return Ok(Some(0));
    };
    let kept: Option<String> =
        sqlx::query_scalar("SELECT root FROM audit_checkpoints WHERE log = $1 AND size = $2")
            .bind(&leaf.resource.id)
            .bind(*size)
            .fetch_optional(system)
            .await
            .map_err(storage("read the ledger"))?;
    Ok(if kept.as_ref() == Some(root) { None } else { Some(u64::try_from(*size).unwrap_or(0)) })
}
