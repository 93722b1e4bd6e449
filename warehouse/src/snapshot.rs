//! What is published: a manifest that lists every file of every table, by key and hash. A snapshot never
//! changes; a correction is a new one that names the one it replaces. It becomes visible by one row in the
//! control database, which is not this crate's business.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kernel::{Action, ActionKind, BatchId, SnapshotId, StudyId, StudyScope, TenantId};
use serde::{Deserialize, Serialize};

use crate::storage::{Staging, TenantFiles};
use crate::{Error, Result};

/// The stations of the data's one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// The received bytes, and their verbatim columns as text.
    Raw,
    /// Rows that did not fit, with reasons.
    Quarantine,
    /// Entities of the unified model, typed and versioned.
    Canon,
    /// Facts and dimensions.
    Star,
    /// Derived tables.
    Marts,
    /// Manifests.
    Snapshots,
    /// What builds came to.
    Runs,
}

impl Zone {
    /// Every zone.
    pub const ALL: [Self; 7] =
        [Self::Raw, Self::Quarantine, Self::Canon, Self::Star, Self::Marts, Self::Snapshots, Self::Runs];

    /// The zone's folder.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Quarantine => "quarantine",
            Self::Canon => "canon",
            Self::Star => "star",
            Self::Marts => "marts",
            Self::Snapshots => "snapshots",
            Self::Runs => "runs",
        }
    }
}

/// One immutable object and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name in storage.
    pub key: String,
    /// Its rows.
    pub rows: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub blake3: String,
    /// What stands for everything that its rows were computed from, where a table is made part by part: a later table that
    /// has a part made of the same takes the file over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_of: Option<String>,
}

/// One published table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Where it stands on the data's way: `star` or `marts`.
    pub zone: Zone,
    /// What one row is.
    pub grain: String,
    /// Its files, in reading order.
    pub files: Vec<DataFile>,
    /// A hash over everything it was computed from; the same hash means that it need not be computed again.
    pub inputs: String,
    /// The same piece by piece, so that it can be told why it is computed again: each table it reads with its content,
    /// its definition, its parameters. Empty where that is not kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made_of: BTreeMap<String, String>,
}

impl Table {
    /// Rows of all its files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// A hash over its rows as they are stored, however they came about.
    #[must_use]
    pub fn content(&self) -> String {
        content_of(self.files.iter().map(|file| file.blake3.clone()).collect())
    }
}

/// [`Table::content`] of files with these hashes.
pub(crate) fn content_of(mut hashes: Vec<String>) -> String {
    if hashes.len() == 1 { hashes.swap_remove(0) } else { inputs_hash(&hashes) }
}

/// What a delivery says about the rows that it does not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CutKind {
    /// Each dataset is whole: a row that is not in it is gone.
    #[default]
    Full,
    /// Only what changed: a row that is not in it is as it was.
    Delta,
}

impl CutKind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Delta => "delta",
        }
    }
}

/// One delivery that canon contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The delivery.
    pub batch: BatchId,
    /// Where it came from.
    pub source_system: String,
    /// The instant whose state of the source it shows.
    pub extracted_at: DateTime<Utc>,
    /// What it says about rows that it does not hold.
    pub kind: CutKind,
    /// The hash of the mapping that read it.
    pub mapping: String,
    /// Its datasets, each with the BLAKE3 of its files.
    pub datasets: BTreeMap<String, Vec<String>>,
}

/// The manifest of one snapshot. Its canonical bytes name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub format: u32,
    /// Whose data.
    pub tenant: TenantId,
    /// Which study.
    pub study: StudyId,
    /// The instant whose state of canon it shows.
    pub as_of: DateTime<Utc>,
    /// The instant whose state of the sources it shows, where that is not the newest that canon knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources_as_of: Option<DateTime<Utc>>,
    /// The version of the code that built it.
    pub code_version: String,
    /// The snapshot it replaces.
    pub replaces: Option<SnapshotId>,
    /// The deliveries it contains, in order of commitment.
    pub cuts: Vec<Cut>,
    /// Canon: per entity its files, oldest first.
    pub canon: BTreeMap<String, Vec<DataFile>>,
    /// Star and marts by table name.
    pub tables: BTreeMap<String, Table>,
    /// The tables that only an unblinded scope may see, while the study is blinded.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub masked: BTreeSet<String>,
}

impl Manifest {
    /// The form's version that is written.
    pub const FORMAT: u32 = 2;

    /// Whether a scope opens what is masked. A build has to carry it on, and shows it to nobody.
    #[must_use]
    pub fn opens_masked<A: Action>(scope: &StudyScope<A>) -> bool {
        scope.is_unblinded() || A::KIND == ActionKind::Build
    }

    /// The manifest as a scope may see it: to a blinded reader, what is masked is not there.
    #[must_use]
    pub fn seen_by<A: Action>(mut self, scope: &StudyScope<A>) -> Self {
        if !Self::opens_masked(scope) {
            let masked = std::mem::take(&mut self.masked);
            self.tables.retain(|name, _| !masked.contains(name));
        }
        self
    }

    /// Stores the manifest; returns its id and its key.
    ///
    /// # Errors
    /// As [`Staging::publish_bytes`].
    pub fn store(&self, staging: &Staging) -> Result<(SnapshotId, String)> {
        let corrupt =
            |error: serde_json::Error| Error::Corrupt { key: String::new(), reason: error.to_string() };
        let bytes = serde_json::to_vec_pretty(self).map_err(corrupt)?;
        let id = SnapshotId::of_manifest(&bytes);
        let key = staging.publish_bytes(&bytes, Zone::Snapshots, &format!("{id}.json"))?;
        Ok((id, key))
    }

    /// Reads the manifest of `id`, and refuses one whose bytes do not have that id.
    ///
    /// # Errors
    /// [`Error::Storage`] when it is not there, [`Error::Corrupt`] when it was changed.
    pub fn read(files: &TenantFiles, key: &str, id: SnapshotId) -> Result<Self> {
        let bytes = files.read(key)?;
        let corrupt = |reason: String| Error::Corrupt { key: key.to_owned(), reason };
        if SnapshotId::of_manifest(&bytes) != id {
            return Err(corrupt("its bytes have another id".into()));
        }
        let Form { format } = serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
        if format != Self::FORMAT {
            return Err(Error::ManifestForm { found: format, known: Self::FORMAT });
        }
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
        if manifest.tenant != files.tenant() || &manifest.study != files.study() {
            return Err(corrupt("it is another study's manifest".into()));
        }
        Ok(manifest)
    }

    /// The table of that name.
    ///
    /// # Errors
    /// [`Error::NoTable`] when the snapshot has none.
    pub fn table(&self, name: &str) -> Result<&Table> {
        self.tables.get(name).ok_or_else(|| Error::NoTable { table: name.to_owned() })
    }

    /// Whether derived tables are part of it.
    #[must_use]
    pub fn has_marts(&self) -> bool {
        self.tables.values().any(|table| table.zone == Zone::Marts)
    }
}

/// The one field that every form of a manifest has.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

/// A hash over an ordered list of texts, for [`Table::inputs`].
#[must_use]
pub fn inputs_hash(parts: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
