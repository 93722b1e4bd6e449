//! Deliveries that come over the wire: announced, received in parts, taken in by a job. The job's record is the
//! delivery's row; what was staged when the program ended is taken up by the next start.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use control::{Actor, ControlError, DeliveryRow, DeliveryState, NewDelivery, TraceId};
use kernel::BatchId;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Semaphore};
use utoipa::ToSchema;
use warehouse::engine::Limits;
use warehouse::ingest::{DeliveredFile, Progress};
use warehouse::{AnnouncedFile, CutKind, Delivery, Mapping, Upload};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::work::{self, Engineer, Order, blocking};

/// Files of one delivery.
pub(crate) const MAX_FILES: usize = 1000;
/// Bytes of one file: 64 GiB.
pub(crate) const MAX_FILE_BYTES: u64 = 64 << 30;
/// Deliveries that are taken in at a time; further ones wait their turn.
const AT_A_TIME: usize = 2;

/// What a sender announces.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Announcement {
    /// The study's title, when it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    /// A shipped mapping by its name, such as `sdtm`. Found out when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "sdtm")]
    pub(crate) mapping: Option<String>,
    /// The text of a mapping of the sender's own, in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mapping_text: Option<String>,
    /// `full`: a record that a delivered dataset does not hold any more is gone. `delta`: it is as it was.
    #[serde(default)]
    #[schema(value_type = String, example = "full")]
    pub(crate) kind: CutKind,
    /// When the source was read, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2026-01-31T18:00:00Z")]
    pub(crate) extracted_at: Option<DateTime<Utc>>,
    /// The files.
    #[schema(value_type = Vec<Object>)]
    pub(crate) files: Vec<AnnouncedFile>,
}

impl Announcement {
    /// Refuses what can be refused before a byte is sent.
    pub(crate) fn check(&self) -> Result<()> {
        if self.files.is_empty() || self.files.len() > MAX_FILES {
            return Err(Failure::Usage(format!("a delivery has 1 to {MAX_FILES} files")));
        }
        for (position, file) in self.files.iter().enumerate() {
            file.check()?;
            if file.bytes > MAX_FILE_BYTES {
                let (name, gib) = (&file.name, MAX_FILE_BYTES >> 30);
                return Err(Failure::Usage(format!(
                    "file `{name}` is longer than {gib} GiB; deliver it in parts by `delta`"
                )));
            }
            if self.files[..position].iter().any(|earlier| earlier.name == file.name) {
                return Err(Failure::Usage(format!("file `{}` is announced twice", file.name)));
            }
        }
        self.mapping().map(drop)
    }

    fn mapping(&self) -> Result<Option<Mapping>> {
        match (&self.mapping, &self.mapping_text) {
            (Some(_), Some(_)) => Err(Failure::Usage("give `mapping` or `mapping_text`, not both".into())),
            (Some(name), None) => Ok(Some(Mapping::of_shipped(name)?)),
            (None, Some(text)) => Ok(Some(Mapping::parse("sent", text)?)),
            (None, None) => Ok(None),
        }
    }

    /// The hash that tells this announcement from another.
    pub(crate) fn manifest_hash(&self) -> Result<String> {
        let files = self.files.iter().map(|file| DeliveredFile {
            path: std::path::PathBuf::new(),
            name: file.name.clone(),
            blake3: file.blake3.clone(),
        });
        Ok(self.delivery(files.collect())?.manifest_hash())
    }

    fn delivery(&self, mut files: Vec<DeliveredFile>) -> Result<Delivery> {
        files.sort_by(|a, b| a.name.cmp(&b.name).then(a.blake3.cmp(&b.blake3)));
        let (mapping, kind) = (self.mapping()?, self.kind);
        Ok(Delivery { files, mapping, kind, extracted_at: self.extracted_at, replays: None })
    }
}

/// How far the deliveries are that are being taken in.
#[derive(Debug, Clone)]
pub struct Intake {
    progress: Arc<std::sync::Mutex<BTreeMap<BatchId, Progress>>>,
    turns: Arc<Semaphore>,
    /// One commit of a delivery at a time.
    staging: Arc<Mutex<()>>,
}

impl Default for Intake {
    fn default() -> Self {
        Self { progress: Arc::default(), turns: Arc::new(Semaphore::new(AT_A_TIME)), staging: Arc::default() }
    }
}

impl Intake {
    /// How far a delivery is that is being taken in by this process.
    pub(crate) fn progress(&self, batch: BatchId) -> Option<Progress> {
        self.progress.lock().map(|progress| progress.get(&batch).cloned()).unwrap_or_default()
    }

    fn tell(&self, batch: BatchId, progress: Option<Progress>) {
        // A poisoned lock costs a progress line, never a delivery.
        if let Ok(mut known) = self.progress.lock() {
            match progress {
                Some(progress) => known.insert(batch, progress),
                None => known.remove(&batch),
            };
        }
    }

    fn is_at_work(&self, batch: BatchId) -> bool {
        self.progress(batch).is_some()
    }
}

/// Announces a delivery under the sender's key; `true` when it is new.
pub(crate) async fn announce(
    app: &App,
    engineer: &Engineer,
    key: &str,
    announcement: &Announcement,
) -> Result<(DeliveryRow, bool)> {
    announcement.check()?;
    let manifest_hash = announcement.manifest_hash()?;
    let now = app.clock.now();
    let delivery = NewDelivery {
        batch: BatchId::at(now, &format!("{}{manifest_hash}{key}", now.timestamp_micros())),
        idempotency_key: key.to_owned(),
        manifest_hash,
        manifest: serde_json::to_value(announcement).map_err(|error| Failure::Lost(error.to_string()))?,
    };
    let title = announcement.title.clone().unwrap_or_else(|| engineer.scope.study().to_string());
    app.control.register_study(&engineer.actor, &engineer.scope, &title).await?;
    Ok(app.control.announce_delivery(&engineer.actor, &engineer.scope, delivery, &engineer.trace).await?)
}

/// The files of a delivery.
pub(crate) fn upload(app: &App, engineer: &Engineer, row: &DeliveryRow) -> Result<Upload> {
    let announcement = announced(row)?;
    Ok(Upload::open(&app.storage, &engineer.scope, row.announced.batch, announcement.files)?)
}

fn announced(row: &DeliveryRow) -> Result<Announcement> {
    serde_json::from_value(row.announced.manifest.clone()).map_err(|error| Failure::Lost(error.to_string()))
}

/// Finds the files whole and starts the job. A delivery that was staged before is only started when nobody is at it.
pub(crate) async fn stage(app: &App, engineer: &Engineer, row: &DeliveryRow) -> Result<()> {
    if let Some(order) = claim(app, engineer, row).await? {
        tokio::spawn(run(app.clone(), engineer.clone(), row.clone(), order));
    }
    Ok(())
}

/// Finds the files whole and takes the delivery as this caller's work; `None` when it is done or somebody is at it.
async fn claim(app: &App, engineer: &Engineer, row: &DeliveryRow) -> Result<Option<Order>> {
    let _one_at_a_time = app.intake.staging.lock().await;
    let batch = row.announced.batch;
    if matches!(row.state, DeliveryState::Committed | DeliveryState::Rejected) || app.intake.is_at_work(batch)
    {
        return Ok(None);
    }
    let files = upload(app, engineer, row)?;
    let files = blocking(move || Ok(files.whole()?)).await?;
    let moved = (&row.announced, DeliveryState::Staged);
    app.control.move_delivery(&engineer.actor, &engineer.scope, moved, None, &engineer.trace).await?;
    let order = order(engineer, row, files)?;
    let waiting = Progress { step: "waiting for its turn".into(), done: 0, total: 0 };
    app.intake.tell(batch, Some(waiting));
    Ok(Some(order))
}

fn order(engineer: &Engineer, row: &DeliveryRow, files: Vec<DeliveredFile>) -> Result<Order> {
    Ok(Order {
        delivery: announced(row)?.delivery(files)?,
        key: Some(row.announced.idempotency_key.clone()),
        title: engineer.scope.study().to_string(),
        batch: Some(row.announced.batch),
    })
}

/// Takes in what came through Flight: one dataset, announced and committed in one call, which waits for the receipt.
pub(crate) async fn put(
    app: &App,
    put: flight::Put,
) -> std::result::Result<serde_json::Value, flight::NotTaken> {
    let trace = put.caller.trace.clone();
    put_dataset(app, put).await.map_err(|failure| {
        if failure.is_refusal() || matches!(failure, Failure::Control(ControlError::DeliveryKeyReused { .. }))
        {
            return flight::NotTaken::Refused(failure.chain());
        }
        tracing::error!(trace_id = %trace, error = failure.chain(), "a dataset could not be taken in");
        flight::NotTaken::Failed
    })
}

async fn put_dataset(app: &App, put: flight::Put) -> Result<serde_json::Value> {
    let flight::Put { caller, scope, order: said, file } = put;
    let engineer = Engineer { actor: caller.principal.actor(), scope, trace: caller.trace };
    let (path, name) = (file.path().to_owned(), format!("{}.parquet", said.dataset));
    let described = blocking(move || Ok(warehouse::upload::describe(&path, &name)?)).await?;
    let announcement = Announcement {
        title: None,
        mapping: said.mapping,
        mapping_text: None,
        kind: said.kind,
        extracted_at: said.extracted_at,
        files: vec![described],
    };
    let key = match said.key {
        Some(key) => key,
        None => announcement.manifest_hash()?,
    };
    let (row, _) = announce(app, &engineer, &key, &announcement).await?;
    if row.state == DeliveryState::Received {
        upload(app, &engineer, &row)?.take_over(0, file.path())?;
        if let Some(order) = claim(app, &engineer, &row).await? {
            take_in(app, &engineer, &row, &order).await?;
        }
    }
    let lost = || Failure::Lost("the delivery is not there".into());
    let row = app.control.delivery(&engineer.scope, row.announced.batch).await?.ok_or_else(lost)?;
    if let Some(problem) = row.problem {
        return Err(Failure::Usage(problem));
    }
    let batch = app.control.find_batch(&engineer.scope, &key).await?;
    Ok(batch.map(|batch| batch.receipt).unwrap_or(serde_json::Value::Null))
}

/// Takes a staged delivery in and says how it ended.
async fn run(app: App, engineer: Engineer, row: DeliveryRow, order: Order) {
    let batch = row.announced.batch;
    let (study, trace) = (engineer.scope.study().clone(), engineer.trace.clone());
    match take_in(&app, &engineer, &row, &order).await {
        Ok(()) => tracing::info!(trace_id = %trace, study.id = %study, %batch, "a delivery was taken in"),
        // It stays staged: the next commit or the next start tries again.
        Err(failure) => {
            let error = failure.chain();
            tracing::error!(trace_id = %trace, study.id = %study, %batch, error, "a delivery could not be taken in");
        }
    }
}

/// Takes in what was claimed; nobody is at it afterwards, however it ended.
async fn take_in(app: &App, engineer: &Engineer, row: &DeliveryRow, order: &Order) -> Result<()> {
    let batch = row.announced.batch;
    let ended = take_in_claimed(app, engineer, row, order).await;
    app.intake.tell(batch, None);
    ended
}

async fn take_in_claimed(app: &App, engineer: &Engineer, row: &DeliveryRow, order: &Order) -> Result<()> {
    let batch = row.announced.batch;
    let _turn = app.intake.turns.acquire().await.map_err(|error| Failure::Lost(error.to_string()))?;
    let intake = app.intake.clone();
    let teller: work::Teller = Arc::new(move |progress| intake.tell(batch, Some(progress)));
    let (state, problem) = match work::ingest(app, engineer, order, teller.clone()).await {
        Ok(_) => (DeliveryState::Committed, None),
        Err(failure) if failure.is_refusal() => (DeliveryState::Rejected, Some(failure.without_values())),
        Err(failure) => return Err(failure),
    };
    let (actor, scope, trace) = (&engineer.actor, &engineer.scope, &engineer.trace);
    app.control.move_delivery(actor, scope, (&row.announced, state), problem.as_deref(), trace).await?;
    let files = upload(app, engineer, row)?;
    blocking(move || Ok(files.remove()?)).await?;
    if state == DeliveryState::Committed {
        work::build_marts(app, engineer, Limits::default(), teller).await?;
    }
    Ok(())
}

/// Takes up what was staged when the program ended last.
///
/// # Errors
/// When the control plane cannot be read.
pub(crate) async fn resume(app: &App) -> Result<()> {
    for tenant in app.control.tenants(&Actor::Operator).await? {
        let grants = app.control.operator_grants(tenant.id).await?;
        for study in app.control.studies(&grants).await? {
            let scope = grants
                .scope::<kernel::Build>(&study.id)
                .map_err(|denied| Failure::NotThere(denied.to_string()))?;
            for row in app.control.staged_deliveries(&scope).await? {
                let actor = Actor::Account { id: row.account, tenant: tenant.id };
                let engineer = Engineer { actor, scope: scope.clone(), trace: TraceId::random()? };
                if let Err(failure) = stage(app, &engineer, &row).await {
                    let (batch, error) = (row.announced.batch, failure.chain());
                    tracing::error!(study.id = %study.id, %batch, error, "a staged delivery could not be taken up");
                }
            }
        }
    }
    Ok(())
}
