//! What was landed and what was published from it.

use serde::{Deserialize, Serialize};

use super::{ChecksView, Frame, SignaturesView};

/// What the data page of a study needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DataView {
    /// The frame.
    pub frame: Frame,
    /// Published snapshots, newest first.
    pub snapshots: Vec<SnapshotRow>,
    /// Loads, newest first.
    pub batches: Vec<BatchRow>,
    /// What the checks of the current snapshot found; none when it was not checked.
    pub checks: Option<ChecksView>,
    /// The page of the marts, for those who build them.
    pub marts_href: Option<String>,
    /// Who signed what, and what the reader may sign.
    pub signatures: SignaturesView,
    /// Tables of the current snapshot.
    pub tables: Vec<TableRow>,
    /// The command that lands a batch, shown when there is none.
    pub ingest_command: Option<String>,
}

/// One published snapshot.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SnapshotRow {
    /// The full identifier.
    pub id: String,
    /// When it was published.
    pub published_unix_s: i64,
    /// Tables in it.
    pub table_count: u64,
    /// Rows in them.
    pub row_count: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// The snapshot it replaced.
    pub replaces: Option<String>,
    /// Whether readers see it.
    pub state: SnapshotState,
}

/// Whether readers see a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotState {
    /// Readers see this one.
    Current,
    /// It is newer than what readers see: its marts are not built yet, or a build failed.
    Waiting,
    /// A later one took its place.
    #[default]
    Superseded,
}

/// One load with its receipt.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BatchRow {
    /// The full identifier.
    pub id: String,
    /// When it was received.
    pub received_unix_s: i64,
    /// Where it came from: folder, mapping or file name.
    pub source: String,
    /// How it ended.
    pub state: BatchState,
    /// Files read.
    pub file_count: u64,
    /// Rows read.
    pub rows_in: u64,
    /// Rows not seen before.
    pub rows_new: u64,
    /// Rows that differ from what was known.
    pub rows_changed: u64,
    /// Rows already known.
    pub rows_unchanged: u64,
    /// Records that are not at the source any more.
    pub rows_deleted: u64,
    /// Rows set aside with a reason.
    pub rows_quarantined: u64,
    /// Why rows were set aside, most frequent first.
    pub quarantine: Vec<QuarantineReason>,
}

/// How a load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Part of a published snapshot.
    #[default]
    Published,
    /// Landed, not yet published.
    Landed,
    /// Still running.
    Running,
    /// Given up; nothing of it is visible.
    Failed,
}

/// Why rows were set aside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QuarantineReason {
    /// The table the rows were meant for.
    pub table: String,
    /// The reason in words.
    pub reason: String,
    /// How many rows.
    pub row_count: u64,
}

/// One table of a snapshot.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TableRow {
    /// The table's name.
    pub name: String,
    /// What one row is; may be empty.
    pub grain: String,
    /// Rows.
    pub row_count: u64,
    /// Columns.
    pub column_count: u64,
    /// Address of the table as CSV.
    pub csv_href: Option<String>,
    /// Address of the table as Parquet.
    pub parquet_href: Option<String>,
}
