//! What a transactional file says of each thing over its whole length.
//!
//! Rows are handed out in the order of the file, and only its end tells which of several transactions of one
//! thing is the last. So such a file is read once before, and a few numbers are kept for each thing.

use std::collections::HashMap;
use std::num::NonZeroU32;

use super::time::{PackedTime, Span};

/// Things that can be told apart in one transactional file; each takes 100 to 150 bytes of memory.
pub(super) const MAX_THINGS: usize = 20_000_000;

/// What a transaction does to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It makes or changes it.
    Write,
    /// It takes it away, with all that stands below it.
    Remove,
    /// It only names it.
    Context,
}

/// All transactions of one thing, packed: a large file tells millions of things apart. Rows count from 1.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// The row of its last transaction that did something.
    written: Option<NonZeroU32>,
    /// The row that last named it.
    named: u32,
    /// Its last removal.
    removed: Option<NonZeroU32>,
    /// Transactions that did something.
    writes: u32,
    first: PackedTime,
    last: PackedTime,
}

/// What the whole file says of one thing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Total {
    /// Transactions that did something.
    pub(super) writes: u32,
    /// The times of all audit records in it.
    pub(super) span: Span,
}

/// How a row stands to the end of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Current,
    Superseded,
    Removed,
    Context,
}

impl Standing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Current => "CURRENT",
            Self::Superseded => "SUPERSEDED",
            Self::Removed => "REMOVED",
            Self::Context => "CONTEXT",
        }
    }
}

/// Everything that a file tells apart.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    seen: HashMap<u128, Seen>,
}

impl Ledger {
    /// Takes in one transaction. `false` when the file holds more than is kept.
    pub(super) fn see(&mut self, key: u128, row: u64, effect: Effect, span: Span) -> bool {
        let Some(row) = u32::try_from(row).ok().and_then(NonZeroU32::new) else { return false };
        let seen = self.seen.entry(key).or_default();
        let mut known = seen.span();
        known.join(span);
        (seen.first, seen.last) = (PackedTime::of(known.first), PackedTime::of(known.last));
        seen.named = row.get();
        if effect != Effect::Context {
            seen.written = Some(row);
            seen.writes = seen.writes.saturating_add(1);
        }
        if effect == Effect::Remove {
            seen.removed = Some(row);
        }
        self.seen.len() <= MAX_THINGS
    }

    pub(super) fn total(&self, key: u128) -> Total {
        let seen = self.get(key);
        Total { writes: seen.writes, span: seen.span() }
    }

    /// How a row stands, by the keys of what encloses it and its own.
    pub(super) fn standing(&self, above: &[u128], own: u128, row: u64, effect: Effect) -> Standing {
        let seen = self.get(own);
        let last = seen.written.map_or(seen.named, NonZeroU32::get);
        if row != u64::from(last) {
            return if effect == Effect::Context { Standing::Context } else { Standing::Superseded };
        }
        let goes_later =
            |key: &u128| self.get(*key).removed.is_some_and(|removed| u64::from(removed.get()) > row);
        let is_removed = effect == Effect::Remove || above.iter().any(goes_later);
        if is_removed { Standing::Removed } else { Standing::Current }
    }

    fn get(&self, key: u128) -> Seen {
        self.seen.get(&key).copied().unwrap_or_default()
    }
}

impl Seen {
    fn span(&self) -> Span {
        Span { first: self.first.time(), last: self.last.time() }
    }
}
