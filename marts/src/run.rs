//! What a build came to, mart by mart, in a form that is kept: what was made and why, what was taken over, how long it
//! took, and what the tests found. It holds values of the data (the first rows that failed a test), so that it is kept
//! with the data and not in the control plane.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::SnapshotId;
use serde::{Deserialize, Serialize};

use crate::test::Severity;

/// One build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// The snapshot whose tables were read.
    pub based_on: SnapshotId,
    /// The instant of the sources that was built, where that is not the newest.
    pub sources_as_of: Option<DateTime<Utc>>,
    /// What was selected, in words.
    pub selection: String,
    /// Whether the selected marts were made even if nothing had changed.
    pub full_refresh: bool,
    /// The version of the program.
    pub code_version: String,
    /// How it ended.
    pub status: Status,
    /// The snapshot that it made.
    pub snapshot: Option<SnapshotId>,
    /// The marts that were made before another one failed, as the key and id of a manifest that nobody sees: the next
    /// build takes them over.
    pub kept: Option<(SnapshotId, String)>,
    /// What was found of the sources.
    pub sources: Vec<Tested>,
    /// The marts in the order in which they ended.
    pub marts: Vec<Built>,
}

/// How a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A new snapshot with every mart.
    Published,
    /// A new snapshot without the marts that were not selected; readers stay with the former one.
    Partial,
    /// Nothing that any mart is computed from had changed.
    Unchanged,
    /// A mart could not be made or failed a test; readers stay with the former snapshot.
    Failed,
    /// It was told to stop; readers stay with the former snapshot.
    Cancelled,
}

impl Status {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Partial => "partial",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What became of one mart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Built {
    /// The mart.
    pub mart: String,
    /// Whether it was made or taken over.
    pub outcome: Outcome,
    /// Why it was made, or why not.
    pub reasons: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// A hash over them, [`warehouse::Table::content`]; empty when there are none to tell of.
    pub content: String,
    /// When it was begun.
    pub started_at: DateTime<Utc>,
    /// How long it took, tests among it, in microseconds.
    pub took_us: u64,
    /// Why it could not be made.
    pub error: Option<String>,
    /// What its tests found when it was made; empty where that is not known.
    pub tests: Vec<Tested>,
}

/// Whether a mart was made or taken over from a former snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Computed and tested.
    Made,
    /// Nothing it is computed from changed.
    Shared,
    /// It could not be made, or failed a test.
    Failed,
    /// A mart that it reads failed.
    Skipped,
    /// It would have had to be made, and was not selected.
    LeftOut,
}

impl Outcome {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Shared => "unchanged",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::LeftOut => "left out",
        }
    }
}

/// What a test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// The test in words.
    pub test: String,
    /// The column it is about, where it is about one.
    pub column: Option<String>,
    /// What follows when it fails.
    pub severity: Severity,
    /// The rows that fail it.
    pub rows: u64,
    /// The first of them, each value by its column.
    pub sample: Vec<BTreeMap<String, Option<String>>>,
    /// The query that shows them.
    pub query: String,
}

impl Tested {
    /// Whether nothing failed it.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.rows == 0
    }
}

impl Run {
    /// The tests that failed, each with its mart; the sources' have none.
    pub fn alerts(&self) -> impl Iterator<Item = (Option<&str>, &Tested)> {
        let of_marts = self
            .marts
            .iter()
            .flat_map(|built| built.tests.iter().map(|test| (Some(built.mart.as_str()), test)));
        self.sources.iter().map(|test| (None, test)).chain(of_marts).filter(|(_, test)| !test.holds())
    }

    /// How many tests of that severity failed.
    #[must_use]
    pub fn alert_count(&self, severity: Severity) -> u64 {
        self.alerts().filter(|(_, test)| test.severity == severity).count() as u64
    }

    /// How many marts ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.marts.iter().filter(|built| built.outcome == outcome).count() as u64
    }

    /// How long it took, in microseconds.
    #[must_use]
    pub fn took_us(&self) -> u64 {
        microseconds(self.started_at, self.finished_at)
    }
}

/// From one instant to a later one; 0 when the clock went back.
pub(crate) fn microseconds(from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    (to - from).num_microseconds().and_then(|took| u64::try_from(took).ok()).unwrap_or(0)
}
