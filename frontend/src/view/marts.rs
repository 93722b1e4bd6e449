//! The marts of a study: how they hang together, what each is, and what the last build came to.

use serde::{Deserialize, Serialize};

use super::Frame;

/// What the page of all marts needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MartsView {
    /// The frame.
    pub frame: Frame,
    /// The marts in building order.
    pub marts: Vec<MartRow>,
    /// The builds, newest first.
    pub runs: Vec<MartRunRow>,
    /// What the last build found and is not mended.
    pub alerts: Vec<MartAlert>,
    /// The command that says what a build would do.
    pub plan_command: String,
}

/// One mart in the list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MartRow {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// What one row is.
    pub grain: String,
    /// Who answers for it.
    pub owner: String,
    /// For choosing.
    pub tags: Vec<String>,
    /// The tables it reads.
    pub reads: Vec<String>,
    /// Its rows in the snapshot that readers see; none when it is not there.
    pub row_count: Option<u64>,
    /// What became of it in the last build: `made`, `unchanged`, `failed`, `skipped`, `left out`.
    pub outcome: Option<String>,
    /// Why.
    pub why: String,
    /// How long it took, in microseconds.
    pub took_us: Option<u64>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MartRunRow {
    /// Its id.
    pub id: String,
    /// When it ended.
    pub ended_unix_s: i64,
    /// `published`, `partial`, `unchanged`, `failed` or `cancelled`.
    pub status: String,
    /// Marts that were made.
    pub made_count: u64,
    /// Marts that were taken over.
    pub shared_count: u64,
    /// Errors.
    pub error_count: u64,
    /// Warnings.
    pub warning_count: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// The snapshot that it made.
    pub snapshot: Option<String>,
    /// The instant of the sources that was built, where that is not the newest.
    pub as_of_unix_s: Option<i64>,
}

/// A test that failed in the last build.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MartAlert {
    /// The mart; empty for a test of the sources.
    pub mart: String,
    /// Its page.
    pub href: Option<String>,
    /// The test in words.
    pub test: String,
    /// Whether readers stay with the former snapshot because of it.
    pub is_error: bool,
    /// The rows that fail it.
    pub row_count: u64,
    /// What to do.
    pub next: String,
}

/// What the page of one mart needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MartView {
    /// The frame.
    pub frame: Frame,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Grain, key, owner, tags, what makes it: each with its name.
    pub facts: Vec<(String, String)>,
    /// The tables that it reads, with the page of each that is a mart.
    pub reads: Vec<(String, Option<String>)>,
    /// The marts that read it, with their pages.
    pub read_by: Vec<(String, Option<String>)>,
    /// The query, when one makes it.
    pub query: Option<String>,
    /// Its columns.
    pub columns: Vec<MartColumn>,
    /// What must hold, with what was found last.
    pub tests: Vec<MartTest>,
    /// When it was tested last.
    pub tested_unix_s: Option<i64>,
    /// What became of it in the last builds, newest first.
    pub history: Vec<MartTiming>,
    /// The command that follows a column to the delivered files.
    pub lineage_command: String,
}

/// One column of a mart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MartColumn {
    /// Its name.
    pub name: String,
    /// What it says.
    pub description: String,
    /// The columns it comes from.
    pub from: Vec<String>,
    /// The columns of canon that they come from.
    pub canon: Vec<String>,
    /// The delivered files that hold those, with the sender's columns.
    pub files: Vec<String>,
}

/// One test of a mart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MartTest {
    /// What must hold.
    pub words: String,
    /// Whether nothing is published when it fails.
    pub is_error: bool,
    /// The rows that failed it last; none when it was not asked yet.
    pub row_count: Option<u64>,
    /// The first of them, each as names and values.
    pub sample: Vec<Vec<(String, String)>>,
}

/// What became of a mart in one build.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MartTiming {
    /// When the build ended.
    pub ended_unix_s: i64,
    /// What became of it.
    pub outcome: String,
    /// Why.
    pub why: String,
    /// Its rows.
    pub row_count: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
}
