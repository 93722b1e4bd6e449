//! A delivery becomes canon: land the bytes, check and conform every file, write what is new, and return a
//! manifest. Nothing is visible until the control plane commits that manifest; a process that dies leaves
//! a staging folder, which the next run clears, and perhaps objects that no manifest names.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::BatchId;
use serde::{Deserialize, Serialize};

use crate::conform::{Stamp, StudyDayCheck};
use crate::mapping::Mapping;
use crate::snapshot::{Cut, CutKind, DataFile, Manifest};
use crate::storage::{Staging, Writer};
use crate::{Error, Result};

mod delivery;
mod files;
mod lookup;
mod merge;
mod merkle;
mod pipeline;
mod quarantine;
mod tables;

pub use delivery::{DeliveredFile, Delivery};

/// What a delivery is taken in with: identity and time are arguments.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The delivery's id.
    pub id: BatchId,
    /// When it is taken in.
    pub received_at: DateTime<Utc>,
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
    /// Records that a full cut does not show any more.
    pub deleted: u64,
    /// Records of a late, older cut that stay as a later one told.
    pub restored: u64,
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
    /// The delivery that held the same bytes as the same dataset last; then no row of it is new.
    #[serde(default)]
    pub duplicate_of: Option<BatchId>,
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
    /// Where it came from.
    pub source_system: String,
    /// The instant whose state of the source it shows.
    pub extracted_at: DateTime<Utc>,
    /// What it says about rows that it does not hold.
    pub kind: CutKind,
    /// The latest cut of the source that was taken in before, when that is later than this one: the rows were
    /// merged by the time of the cut, and nothing newer was overwritten.
    pub out_of_order_after: Option<DateTime<Utc>>,
    /// BLAKE3 Merkle root over the received files and the canon files written, in hexadecimal.
    pub merkle_root: String,
    /// What was received.
    pub files: Vec<FileReceipt>,
    /// What became of it.
    pub entities: BTreeMap<String, EntityCounts>,
    /// Why rows were set aside.
    pub quarantine: Vec<QuarantineNote>,
    /// Submitted study days compared with rule R-02, by dataset and column.
    pub study_days: BTreeMap<String, StudyDayCheck>,
    /// Where the rows that were set aside are kept, with their values; none when there are none.
    #[serde(default)]
    pub set_aside: Option<DataFile>,
    /// The delivery whose files were read again, when this one is a replay.
    #[serde(default)]
    pub replays: Option<BatchId>,
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
            deleted: sum.deleted + counts.deleted,
            restored: sum.restored + counts.restored,
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
    /// What it adds to the manifest.
    pub cut: Cut,
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
        extracted_at: extracted_at(delivery, &landed, batch.received_at)?,
        received_at: batch.received_at,
    };
    let plan = files::plan(&mapping, &landed)?;
    let context = lookup::context(&mapping, &plan, &landed)?;
    let mut work = files::Work::new(&staging, &stamp, &context);
    for step in &plan {
        work.conform(step, progress)?;
    }
    let conformed = work.finish();
    let delivered = merge::Delivered { staging: &staging, stamp: &stamp, kind: delivery.kind, former };
    let merged = merge::merge(&delivered, &conformed, progress)?;
    let cut = cut(&stamp, delivery.kind, &mapping, &landed);
    let known = History { cuts: former.map(|manifest| manifest.cuts.as_slice()).unwrap_or_default() };
    let receipt = Receipt {
        batch: batch.id,
        mapping: mapping.name.clone(),
        manifest_hash: delivery.manifest_hash(),
        received_at: batch.received_at,
        source_system: stamp.source_system.clone(),
        extracted_at: stamp.extracted_at,
        kind: delivery.kind,
        out_of_order_after: known.later_than(&cut),
        merkle_root: merkle_root(&landed, &merged.canon, former),
        files: landed.iter().map(|file| file.receipt(known.duplicate_of(&cut, file))).collect(),
        entities: merged.counts,
        quarantine: merged.quarantine,
        study_days: conformed.study_days,
        set_aside: merged.set_aside,
        replays: delivery.replays,
        counted: conformed.counted,
    };
    Ok(Ingested { receipt, canon: merged.canon, cut })
}

/// When the source was read: as the sender says, else as every file says of itself, else now.
fn extracted_at(
    delivery: &Delivery,
    landed: &[files::Landed],
    received_at: DateTime<Utc>,
) -> Result<DateTime<Utc>> {
    let told: Option<Vec<_>> = landed.iter().map(|file| file.dataset.created_at).collect();
    let newest = told.and_then(|told| told.into_iter().max());
    let extracted_at = delivery.extracted_at.or(newest).unwrap_or(received_at);
    if extracted_at > received_at {
        return Err(Error::CutOfTheFuture {
            extracted_at: extracted_at.to_rfc3339(),
            now: received_at.to_rfc3339(),
        });
    }
    Ok(extracted_at)
}

fn cut(stamp: &Stamp, kind: CutKind, mapping: &Mapping, landed: &[files::Landed]) -> Cut {
    let mut datasets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in landed {
        datasets.entry(file.dataset.name.clone()).or_default().push(file.raw.blake3.clone());
    }
    Cut {
        batch: stamp.batch,
        source_system: stamp.source_system.clone(),
        extracted_at: stamp.extracted_at,
        kind,
        mapping: mapping.text_hash.clone(),
        datasets,
    }
}

/// The deliveries before this one.
struct History<'a> {
    cuts: &'a [Cut],
}

impl History<'_> {
    fn later_than(&self, cut: &Cut) -> Option<DateTime<Utc>> {
        let of_source = self.cuts.iter().filter(|known| known.source_system == cut.source_system);
        of_source.map(|known| known.extracted_at).max().filter(|latest| *latest > cut.extracted_at)
    }

    /// The delivery whose file of this dataset was the same, if none came in between.
    fn duplicate_of(&self, cut: &Cut, file: &files::Landed) -> Option<BatchId> {
        let of_source = self.cuts.iter().filter(|known| known.source_system == cut.source_system);
        let (last, files) = of_source
            .filter_map(|known| known.datasets.get(&file.dataset.name).map(|files| (known, files)))
            .max_by_key(|(known, _)| known.extracted_at)?;
        (files.contains(&file.raw.blake3) && last.mapping == cut.mapping).then_some(last.batch)
    }
}

/// The root over what was received and what was written of it, in the order of the receipt.
fn merkle_root(
    landed: &[files::Landed],
    canon: &BTreeMap<String, Vec<DataFile>>,
    former: Option<&Manifest>,
) -> String {
    let received = landed.iter().map(|file| file.raw.blake3.as_str());
    let written = canon.iter().flat_map(|(entity, files)| {
        let before = former.and_then(|manifest| manifest.canon.get(entity)).map_or(0, Vec::len);
        files.iter().skip(before).map(|file| file.blake3.as_str())
    });
    merkle::root(received.chain(written)).to_hex().to_string()
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
