//! The studies of a tenant.

use serde::{Deserialize, Serialize};

use super::{Frame, SnapshotLine};

/// What the list of studies needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StudiesView {
    /// The frame.
    pub frame: Frame,
    /// One row per study this person may open.
    pub studies: Vec<StudyRow>,
    /// The command that lands a first study, shown when there is none; `None` for those who may not.
    pub ingest_command: Option<String>,
}

/// One study of the list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StudyRow {
    /// As it stands in the address.
    pub key: String,
    /// The protocol's number or short name.
    pub label: String,
    /// The study's title.
    pub title: String,
    /// Sites with at least one subject.
    pub site_count: u64,
    /// Subjects enrolled.
    pub subject_count: u64,
    /// The last published snapshot.
    pub snapshot: Option<SnapshotLine>,
    /// Sites that need a call by [`site_calls`](crate::site_call::site_calls); `None` when the indicators were not built.
    pub sites_to_call: Option<u64>,
}
