//! A delivery becomes canon: land the bytes, check and conform every file, write what is new, and return a
//! manifest. Nothing is visible until the control plane commits that manifest; a process that dies leaves
//! a staging folder, which the next run clears, and perhaps objects that no manifest names.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::BatchId;
use serde::{Deserialize, Serialize};

use crate::conform::{Stamp, StudyDayCheck};
use crate::mapping::Mapping;
use crate::snapshot::{DataFile, Manifest};
use crate::storage::{Staging, Writer};
use crate::{Error, Result};

mod delivery;
mod files;
mod lookup;
mod merge;

pub use delivery::{DeliveredFile, Delivery};

/// What a delivery is taken in with: identity and time are arguments.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The delivery's id.
    pub id: BatchId,
    /// When it is taken in.
    pub received_at: DateTime<Utc>,
    /// The instant of the source's cut; the time of receipt when the sender does not say.
    pub extracted_at: DateTime<Utc>,
}

/// What became of the rows of one entity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityCounts {
    /// Rows that the files hold for it.
    pub rows_in: u64,
    /// Rows whose record was not known.
    pub new: u64,
    /// Rows whose record was known with other content.
    pub changed: u64,
    /// Rows that are as they were; nothing was written for them.
    pub unchanged: u64,
    /// Rows set aside with a reason.
    pub quarantined: u64,
}

/// What was found in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReceipt {
    /// The file, as delivered.
    pub file: String,
    /// The dataset in it.
    pub dataset: String,
    /// Its format.
    pub format: String,
    /// The encoding it was read with.
    pub encoding: String,
    /// Its rows.
    pub rows: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// BLAKE3 of its bytes.
    pub blake3: String,
    /// Where the bytes are kept.
    pub raw_key: String,
}

/// Why rows were set aside: the first ones by reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineNote {
    /// The file.
    pub file: String,
    /// The entity.
    pub entity: String,
    /// The canon column.
    pub column: String,
    /// The sender's column that feeds it; empty when none does.
    #[serde(default)]
    pub source_column: String,
    /// Why, in words.
    pub reason: String,
    /// The first such row, counted from 1.
    pub first_row: u64,
    /// How many.
    pub rows: u64,
}

/// How many rows had a value that the mapping counts, such as a concept without a standard one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedNote {
    /// What was counted, in the mapping's words.
    pub count: String,
    /// The file.
    pub file: String,
    /// The entity.
    pub entity: String,
    /// The canon column.
    pub column: String,
    /// The sender's column that feeds it.
    pub source_column: String,
    /// How many rows.
    pub rows: u64,
    /// Of how many rows with a value.
    pub of: u64,
}

/// What the sender gets: what was received and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The delivery.
    pub batch: BatchId,
    /// The mapping that was used.
    pub mapping: String,
    /// The hash over file names and contents.
    pub manifest_hash: String,
    /// When it was taken in.
    pub received_at: DateTime<Utc>,
    /// What was received.
    pub files: Vec<FileReceipt>,
    /// What became of it.
    pub entities: BTreeMap<String, EntityCounts>,
    /// Why rows were set aside.
    pub quarantine: Vec<QuarantineNote>,
    /// Submitted study days compared with rule R-02, by dataset and column.
    pub study_days: BTreeMap<String, StudyDayCheck>,
    /// What the mapping counts, by file, entity and column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<CountedNote>,
}

impl Receipt {
    /// The counts of all entities together.
    #[must_use]
    pub fn total(&self) -> EntityCounts {
        self.entities.values().fold(EntityCounts::default(), |sum, counts| EntityCounts {
            rows_in: sum.rows_in + counts.rows_in,
            new: sum.new + counts.new,
            changed: sum.changed + counts.changed,
            unchanged: sum.unchanged + counts.unchanged,
            quarantined: sum.quarantined + counts.quarantined,
        })
    }
}

/// A delivery that was conformed and waits to be published.
#[derive(Debug)]
pub struct Ingested {
    /// What the sender gets.
    pub receipt: Receipt,
    /// All files of canon, those of this delivery last.
    pub canon: BTreeMap<String, Vec<DataFile>>,
}

/// How far the work is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What is being done, for people.
    pub step: String,
    /// Done so far, in `total`'s unit.
    pub done: u64,
    /// All there is, 0 when it is not known.
    pub total: u64,
}

/// Takes a delivery in. `former` is the manifest whose canon it adds to.
///
/// # Errors
/// A refusal ([`Error::is_refusal`]) when a file cannot be used; then nothing was published.
pub fn ingest(
    writer: &Writer,
    (batch, delivery): (&Batch, &Delivery),
    former: Option<&Manifest>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Ingested> {
    let staging = Staging::new(writer, "ingest")?;
    let landed = files::land(&staging, delivery, progress)?;
    let mapping = match &delivery.mapping {
        Some(mapping) => mapping.clone(),
        None => Mapping::detect(&landed.iter().map(|file| &file.dataset).collect::<Vec<_>>())?,
    };
    let stamp = Stamp {
        study: writer.scope().study().clone(),
        source_system: mapping.source_system.clone(),
        batch: batch.id,
        extracted_at: batch.extracted_at,
        received_at: batch.received_at,
    };
    let plan = files::plan(&mapping, &landed)?;
    let context = lookup::context(&mapping, &plan, &landed)?;
    let mut work = files::Work::new(&staging, &stamp, &context);
    for step in &plan {
        work.conform(step, progress)?;
    }
    let conformed = work.finish();
    let merged = merge::merge(&staging, &conformed, former, progress)?;
    let receipt = Receipt {
        batch: batch.id,
        mapping: mapping.name.clone(),
        manifest_hash: delivery.manifest_hash().to_owned(),
        received_at: batch.received_at,
        files: landed.iter().map(files::Landed::receipt).collect(),
        entities: merged.counts,
        quarantine: merged.quarantine,
        study_days: conformed.study_days,
        counted: conformed.counted,
    };
    Ok(Ingested { receipt, canon: merged.canon })
}

/// The share of a dataset's rows that may be set aside before the whole delivery is refused.
pub(crate) const QUARANTINE_LIMIT: f64 = 0.01;

pub(crate) fn exceeds_limit(quarantined: u64, rows: u64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a share of rows needs no more than 53 bits")]
    let share = quarantined as f64 / rows.max(1) as f64;
    share > QUARANTINE_LIMIT
}

pub(crate) fn corrupt(key: &str, error: &dyn std::fmt::Display) -> Error {
    Error::Corrupt { key: key.to_owned(), reason: error.to_string() }
}
