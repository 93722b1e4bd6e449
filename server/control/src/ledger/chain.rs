//! The rules that every log keeps, as a walk over its leaves from the first to the last. No I/O: whether the
//! leaves come from a database or from an export is the caller's.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use crate::instant::parse_timestamp;
use crate::ledger::hash::{NO_HASH, hex};
use crate::ledger::leaf::Leaf;
use crate::ledger::log::Log;
use crate::ledger::tree::{Frontier, Hash};

/// How far a clock may fall back between two events: the clocks of two processes, or a correction by NTP.
pub(crate) const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// Something wrong in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The first bad index, counted from zero; for the head, the number of events.
    pub index: u64,
    /// What is wrong there.
    pub kind: FaultKind,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The file of the log is gone.
    FileMissing,
    /// The row is not of the form that the program writes.
    Unreadable,
    /// The next event is not here.
    Sequence,
    /// The stored bytes have another hash than the stored one.
    EntryHash,
    /// The stored bytes are not canonical, or not a leaf.
    NotCanonical,
    /// The event belongs to another log.
    Binding,
    /// The event does not follow its predecessor.
    PrevHash,
    /// A column differs from the leaf.
    Column(&'static str),
    /// The event lies before its predecessor.
    ClockBackwards,
    /// The head is missing, or says another size, hash or tree than the events.
    Head,
    /// The log ends before a size that it has committed to.
    Shortened {
        /// How many events it had.
        committed: u64,
    },
    /// The events do not have the root of a signed checkpoint; one of them differs, from the index on.
    Root {
        /// The size of the checkpoint.
        committed: u64,
    },
    /// A stored checkpoint is not signed by the ledger, or says something else than its row.
    Checkpoint {
        /// Its size.
        committed: u64,
    },
    /// The event differs from its copy in the anchor.
    Anchor,
    /// The anchor itself does not have the root that it was signed with.
    AnchorBroken,
    /// Something was laid on top of an object of the anchor's bucket: a delete marker, or another version.
    AnchorCovered,
    /// The encrypted personal data of the event were changed, or are gone without an erasure.
    PersonalData,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileMissing => f.write_str("the file of the log is missing"),
            Self::Unreadable => f.write_str("the row is not of the expected form"),
            Self::Sequence => f.write_str("an event is missing"),
            Self::EntryHash => f.write_str("the stored bytes do not have the stored hash"),
            Self::NotCanonical => f.write_str("the stored bytes are not a canonical leaf"),
            Self::Binding => f.write_str("the event belongs to another log"),
            Self::PrevHash => f.write_str("the event does not follow its predecessor"),
            Self::Column(name) => write!(f, "the column `{name}` differs from the leaf"),
            Self::ClockBackwards => f.write_str("the event lies before its predecessor"),
            Self::Head => f.write_str("the head does not agree with the events"),
            Self::Shortened { committed } => {
                write!(f, "the log ends here, but it has had {committed} events")
            }
            Self::Root { committed } => {
                write!(f, "an event from here to {committed} is not the one that was signed")
            }
            Self::Checkpoint { committed } => {
                write!(f, "the checkpoint at {committed} events is not what the ledger signed")
            }
            Self::Anchor => f.write_str("the event is not the one that was anchored"),
            Self::AnchorBroken => f.write_str("the anchor's copy does not have the root that was signed"),
            Self::AnchorCovered => {
                f.write_str("the anchor's bucket holds a delete marker or another version of an object")
            }
            Self::PersonalData => f.write_str("the personal data of the event were changed or removed"),
        }
    }
}

/// The events that were found good, so far.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    log: Log,
    tree: Frontier,
    last_hash: String,
    last_at: Option<DateTime<Utc>>,
}

impl Chain {
    /// At the beginning of a log.
    pub(crate) fn new(log: Log) -> Self {
        Self { log, tree: Frontier::new(), last_hash: NO_HASH.to_owned(), last_at: None }
    }

    /// Where an earlier walk ended: with this tree, and this last event.
    pub(crate) const fn resume(
        log: Log,
        tree: Frontier,
        last_hash: String,
        last_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self { log, tree, last_hash, last_at }
    }

    pub(crate) const fn log(&self) -> Log {
        self.log
    }

    /// How many events are good.
    pub(crate) const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The tree over them.
    pub(crate) const fn tree(&self) -> &Frontier {
        &self.tree
    }

    /// The hash of the last one.
    pub(crate) fn last_hash(&self) -> &str {
        &self.last_hash
    }

    /// The leaf of some stored bytes, of this log.
    pub(crate) fn read(&self, bytes: &[u8]) -> Result<Leaf, FaultKind> {
        let leaf = Leaf::parse(bytes).ok_or(FaultKind::NotCanonical)?;
        let tenant = self.log.tenant().map(|tenant| tenant.to_string());
        if leaf.log != self.log.origin() || leaf.tenant_id != tenant {
            return Err(FaultKind::Binding);
        }
        Ok(leaf)
    }

    /// Takes a leaf as the next event, or says why it is not.
    pub(crate) fn follow(&mut self, leaf: &Leaf, hash: Hash) -> Result<(), FaultKind> {
        if u64::try_from(leaf.seq) != Ok(self.size()) {
            return Err(FaultKind::Sequence);
        }
        if leaf.prev_hash != self.last_hash {
            return Err(FaultKind::PrevHash);
        }
        let at = parse_timestamp(&leaf.at).ok_or(FaultKind::NotCanonical)?;
        if self.last_at.is_some_and(|last| last - at > CLOCK_TOLERANCE) {
            return Err(FaultKind::ClockBackwards);
        }
        self.tree.push(hash);
        self.last_hash = hex(&hash);
        self.last_at = Some(at);
        Ok(())
    }
}
