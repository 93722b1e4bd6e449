//! What a transactional file says of each thing over its whole length.
//!
//! Rows are handed out in the order of the file, and only its end tells which of several transactions of one
//! thing is the last. So such a file is read once before, and a few numbers are kept for each thing.

use std::collections::HashMap;

use super::time::Span;

/// Things that can be told apart in one transactional file; each takes about a hundred bytes of memory.
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

/// All transactions of one thing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// The row of its last transaction that did something.
    written: Option<u64>,
    /// The row that last named it.
    named: u64,
    /// Its last removal.
    removed: Option<u64>,
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
    /// Takes in one transaction. `false` when the file holds more things than are kept.
    pub(super) fn see(&mut self, key: u128, row: u64, effect: Effect, span: Span) -> bool {
        let seen = self.seen.entry(key).or_default();
        seen.named = row;
        seen.span.join(span);
        if effect != Effect::Context {
            seen.written = Some(row);
            seen.writes += 1;
        }
        if effect == Effect::Remove {
            seen.removed = Some(row);
        }
        self.seen.len() <= MAX_THINGS
    }

    pub(super) fn get(&self, key: u128) -> Seen {
        self.seen.get(&key).copied().unwrap_or_default()
    }

    /// How a row stands, by the keys of what encloses it and its own, which is the last.
    pub(super) fn standing(&self, lineage: &[u128], row: u64, effect: Effect) -> Standing {
        let Some((own, above)) = lineage.split_last() else { return Standing::Current };
        let seen = self.get(*own);
        let last = seen.written.unwrap_or(seen.named);
        if row != last {
            return if effect == Effect::Context { Standing::Context } else { Standing::Superseded };
        }
        let is_removed = effect == Effect::Remove
            || above.iter().any(|key| self.get(*key).removed.is_some_and(|removed| removed > row));
        if is_removed { Standing::Removed } else { Standing::Current }
    }
}
