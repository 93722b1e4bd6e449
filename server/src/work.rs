//! What engineers do: take a delivery in, build the marts. Files are made first, by blocking threads; then
//! one transaction of the control plane makes them visible together with its ledger events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use control::{Actor, BatchRow, ControlError, Fence, NewSnapshot, SnapshotRow, TraceId};
use flight::published::Visible;
use kernel::{BatchId, Build, CODE_VERSION, Read, SnapshotId, StudyScope};
use warehouse::ingest::Progress;
use warehouse::quality::ForeignCheck;
use warehouse::quarantine::{QuarantinedRow, Wanted};
use warehouse::{Batch, Delivery, Manifest, Mapping, Receipt, Writer};

use crate::app::App;
use crate::error::{Failure, Result};

pub(crate) mod definitions;
pub mod file_lineage;
pub(crate) mod limit_alarms;
pub mod mart_runs;
pub mod marts;
pub(crate) mod query;

pub use marts::build_marts;

/// Told how far a piece of work is, and asked between its steps whether it is to go on.
#[derive(Clone)]
pub struct Teller {
    tell: Arc<dyn Fn(Progress) + Send + Sync>,
    is_stopped: Arc<AtomicBool>,
}

impl Teller {
    /// One that passes on what it is told.
    pub fn new(tell: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self { tell: Arc::new(tell), is_stopped: Arc::default() }
    }

    /// Says how far the work is.
    pub(crate) fn tell(&self, progress: Progress) {
        (self.tell)(progress);
    }

    /// Asks the work to end at its next step.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn require_going_on(&self) -> Result<()> {
        if self.is_stopped.load(Ordering::Relaxed) { Err(ControlError::JobCancelled.into()) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller").field("is_stopped", &self.is_stopped).finish_non_exhaustive()
    }
}

/// Someone who builds in a study.
#[derive(Debug, Clone)]
pub struct Engineer {
    /// Who acts, for the ledger.
    pub actor: Actor,
    /// Where.
    pub scope: StudyScope<Build>,
    /// What joins the events.
    pub trace: TraceId,
    /// The job that this is done for; nothing is published any more once it has another worker.
    pub fence: Option<Fence>,
}

/// A delivery to be taken in.
#[derive(Debug, Clone)]
pub struct Order {
    /// The files and how they are read.
    pub delivery: Delivery,
    /// The sender's key; the content's hash stands for it when there is none.
    pub key: Option<String>,
    /// The study's title, when it is new.
    pub title: String,
    /// The id that was announced for it; a new one when there is none.
    pub batch: Option<BatchId>,
}

/// How a delivery ended.
#[derive(Debug)]
pub struct TakenIn {
    /// What the sender gets.
    pub receipt: Receipt,
    /// The snapshot that shows it.
    pub snapshot: SnapshotId,
    /// Whether the same delivery had been taken in before; then nothing was written.
    pub repeated: bool,
}

/// Takes a delivery in and publishes the snapshot that shows it. Another writer in the study is waited for.
///
/// # Errors
/// A refusal when a file cannot be used or the key was used for other content; nothing was published then.
pub async fn ingest(app: &App, engineer: &Engineer, order: &Order, tell: Teller) -> Result<TakenIn> {
    let key = order.key.clone().unwrap_or_else(|| order.delivery.manifest_hash());
    let writer = writer(app, engineer).await?;
    if let Some(known) = app.control.find_batch(&engineer.scope, &key).await? {
        return repeated(app, engineer, order, known).await;
    }
    take_in((app, engineer, writer), order, &key, tell).await
}

/// Which delivery is to be read again, and how.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The delivery whose files are read again.
    pub batch: BatchId,
    /// How they are read; as the first time when it is not given.
    pub mapping: Option<Mapping>,
}

/// Reads the files of a former delivery again, as a delivery of its own that names it. The same replay again
/// gives the first receipt.
///
/// # Errors
/// A refusal when the delivery is not there, when its mapping is not known any more, or when a later delivery brought one
/// of its files again: reading the older one would put former values back.
pub async fn replay(app: &App, engineer: &Engineer, replay: &Replay, tell: Teller) -> Result<TakenIn> {
    let receipts = receipts(app, &engineer.scope.to_read()).await?;
    let former = receipts.iter().find(|receipt| receipt.batch == replay.batch).ok_or_else(|| {
        Failure::Usage(format!("the study has no delivery `{}`; see `cairn quarantine list`", replay.batch))
    })?;
    refuse_older(&receipts, former)?;
    let mapping = match &replay.mapping {
        Some(mapping) => mapping.clone(),
        None => Mapping::load(&former.mapping).map_err(|_| {
            Failure::Usage(format!(
                "the mapping `{}` is not shipped; name its file with `--mapping`",
                former.mapping
            ))
        })?,
    };
    let key = format!("replay {} {} {CODE_VERSION}", replay.batch, mapping.text_hash);
    let files = app.storage.study(&engineer.scope);
    let delivery = Delivery::again(&files, former, mapping)?;
    let title = engineer.scope.study().to_string();
    let order = Order { delivery, key: Some(key), title, batch: None };
    ingest(app, engineer, &order, tell).await
}

/// Refuses to put former values back over later ones.
fn refuse_older(receipts: &[Receipt], former: &Receipt) -> Result<()> {
    // An earlier replay of the same delivery read the same bytes.
    let later = receipts.iter().filter(|receipt| {
        (receipt.received_at, receipt.batch) > (former.received_at, former.batch)
            && receipt.replays != Some(former.batch)
    });
    let again = |later: &&Receipt| {
        later.files.iter().any(|file| former.files.iter().any(|before| before.file == file.file))
    };
    match later.filter(again).max_by_key(|receipt| receipt.received_at) {
        None => Ok(()),
        Some(later) => Err(Failure::Usage(format!(
            "delivery `{}` brought a file of `{}` again later: reading the older one would put former values back; replay              the later one",
            later.batch, former.batch
        ))),
    }
}

/// Publishes what another engine found, in place of what the same source said before.
///
/// # Errors
/// When nothing was taken in yet, or the snapshot cannot be written or published.
pub(crate) async fn add_checks(
    app: &App,
    engineer: &Engineer,
    source: &'static str,
    checks: Vec<ForeignCheck>,
) -> Result<SnapshotId> {
    let writer = writer(app, engineer).await?;
    let (row, manifest) = current(app, engineer).await?;
    let (at_work, id) = (writer.clone(), row.id);
    let (new, manifest_key, _) = blocking(move || {
        let checks = checks.into_iter().map(Ok);
        Ok(warehouse::quality::add(&at_work, (id, &manifest), source, checks)?)
    })
    .await?;
    let snapshot = NewSnapshot {
        id: new,
        manifest_key,
        has_marts: row.has_marts,
        replaces: Some(id),
        fence: engineer.fence,
    };
    app.control.publish(&engineer.actor, &engineer.scope, snapshot, &engineer.trace).await?;
    drop(writer);
    Ok(new)
}

/// What the senders of all deliveries were told, newest first.
///
/// # Errors
/// When they cannot be read.
pub async fn receipts(app: &App, scope: &StudyScope<Read>) -> Result<Vec<Receipt>> {
    let rows = app.control.batches(scope).await?;
    let read =
        |row: BatchRow| serde_json::from_value(row.receipt).map_err(|error| Failure::Lost(error.to_string()));
    rows.into_iter().map(read).collect()
}

/// The rows that the deliveries of a study set aside.
///
/// # Errors
/// When the deliveries or the quarantine cannot be read.
pub async fn quarantine(app: &App, scope: &StudyScope<Read>, wanted: Wanted) -> Result<Vec<QuarantinedRow>> {
    let receipts = receipts(app, scope).await?;
    let (storage, scope) = (app.storage.clone(), scope.clone());
    blocking(move || Ok(warehouse::quarantine::list(&storage, &scope, &receipts, wanted)?)).await
}

/// The one who writes in the study until it is dropped, which is after the commit.
async fn writer(app: &App, engineer: &Engineer) -> Result<Arc<Writer>> {
    let (storage, scope) = (app.storage.clone(), engineer.scope.clone());
    blocking(move || Ok(Arc::new(Writer::wait(&storage, &scope)?))).await
}

async fn repeated(app: &App, engineer: &Engineer, order: &Order, known: BatchRow) -> Result<TakenIn> {
    if known.manifest_hash != order.delivery.manifest_hash() {
        return Err(Failure::Warehouse(warehouse::Error::KeyReused {
            key: known.idempotency_key,
            committed: known.manifest_hash,
            given: order.delivery.manifest_hash().to_owned(),
        }));
    }
    let receipt = serde_json::from_value(known.receipt).map_err(|error| Failure::Lost(error.to_string()))?;
    let current = app.control.current_snapshot(&engineer.scope.to_read()).await?;
    let snapshot = current.ok_or_else(|| Failure::NotThere("the snapshot of the delivery".into()))?.id;
    Ok(TakenIn { receipt, snapshot, repeated: true })
}

async fn take_in(
    (app, engineer, writer): (&App, &Engineer, Arc<Writer>),
    order: &Order,
    key: &str,
    tell: Teller,
) -> Result<TakenIn> {
    let now = app.clock.now();
    let content = format!("{}{}{key}", now.timestamp_micros(), order.delivery.manifest_hash());
    let id = order.batch.unwrap_or_else(|| BatchId::at(now, &content));
    let batch = Batch { id, received_at: now };
    let former = former(app, engineer).await?;
    let replaces = former.as_ref().map(|(row, _)| row.id);
    let (at_work, delivery) = (writer.clone(), order.delivery.clone());
    let (receipt, (id, manifest_key, has_marts)) = blocking(move || {
        let former = former.as_ref().map(|(row, manifest)| (row, manifest.as_ref()));
        conform_and_build(&at_work, (&batch, &delivery), former, &tell)
    })
    .await?;
    let row = BatchRow {
        batch_id: receipt.batch,
        idempotency_key: key.to_owned(),
        manifest_hash: receipt.manifest_hash.clone(),
        receipt: serde_json::to_value(&receipt).map_err(|error| Failure::Lost(error.to_string()))?,
        committed_at: now,
    };
    // A delivery that holds nothing new names the snapshot that is current, which replaces nothing.
    let replaces = replaces.filter(|former| *former != id);
    let snapshot = NewSnapshot { id, manifest_key, has_marts, replaces, fence: engineer.fence };
    app.control.register_study(&engineer.actor, &engineer.scope, &order.title).await?;
    app.control.commit_batch(&engineer.actor, &engineer.scope, row, snapshot, &engineer.trace).await?;
    drop(writer);
    Ok(TakenIn { receipt, snapshot: id, repeated: false })
}

type Snapshot = (SnapshotId, String, bool);

fn conform_and_build(
    writer: &Writer,
    delivery: (&Batch, &Delivery),
    former: Option<(&SnapshotRow, &Manifest)>,
    tell: &Teller,
) -> Result<(Receipt, Snapshot)> {
    let mut progress = |progress| tell.tell(progress);
    let (batch, _) = delivery;
    let manifest = former.map(|(_, manifest)| manifest);
    tell.require_going_on()?;
    let ingested = warehouse::ingest(writer, delivery, manifest, &mut progress)?;
    tell.require_going_on()?;
    // Nothing new was said, not even that a later cut of the source shows the same.
    if let Some((row, manifest)) = former
        && manifest.canon == ingested.canon
        && delivery.1.extracted_at.is_none()
        // What was set aside is shown by a check of the snapshot.
        && ingested.receipt.set_aside.is_none()
    {
        return Ok((ingested.receipt, (row.id, row.manifest_key.clone(), row.has_marts)));
    }
    let base = warehouse::star::Base {
        former: former.map(|(row, manifest)| (row.id, manifest)),
        ingested: &ingested,
        as_of: batch.received_at,
    };
    let (id, key, manifest) = warehouse::star::build(writer, &base, &mut progress)?;
    Ok((ingested.receipt, (id, key, manifest.has_marts())))
}

/// The study's current snapshot and its manifest.
///
/// # Errors
/// [`Failure::NotThere`] when nothing was taken in yet.
pub(crate) async fn current(app: &App, engineer: &Engineer) -> Result<(SnapshotRow, Arc<Manifest>)> {
    let nothing = || Failure::NotThere("a snapshot of the study; ingest something first".into());
    former(app, engineer).await?.ok_or_else(nothing)
}

async fn former(app: &App, engineer: &Engineer) -> Result<Option<(SnapshotRow, Arc<Manifest>)>> {
    let visible = newest(app, &engineer.scope.to_read()).await?;
    Ok(visible.map(|visible| (visible.row, visible.manifest)))
}

/// The newest snapshot, whether or not its marts are built.
///
/// # Errors
/// When it cannot be looked up or read.
pub async fn newest(app: &App, scope: &StudyScope<Read>) -> Result<Option<Visible>> {
    let Some(row) = app.control.current_snapshot(scope).await? else { return Ok(None) };
    Ok(Some(app.published.open(scope, row)?))
}

/// Runs what computes or waits for disks on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Lost(error.to_string()))?
}
