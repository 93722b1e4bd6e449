//! Deliveries that come over the wire: announced, received in parts, taken in by a job.

use std::time::Duration;

use chrono::{DateTime, Utc};
use control::{ControlError, DeliveryRow, DeliveryState, Ending, JobKind, NewDelivery, NewJob};
use kernel::BatchId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use warehouse::ingest::DeliveredFile;
use warehouse::{AnnouncedFile, CutKind, Delivery, Mapping, Upload};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::work::{self, Engineer, Order, Teller, blocking};

/// Files of one delivery.
pub(crate) const MAX_FILES: usize = 1000;
/// Bytes of one file: 64 GiB.
pub(crate) const MAX_FILE_BYTES: u64 = 64 << 30;
/// How often it is looked whether a delivery that somebody waits for has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

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

/// Finds the files whole and puts the job in line that takes the delivery in. One that was staged before is put in line
/// again when its job was given up.
pub(crate) async fn stage(app: &App, engineer: &Engineer, row: &DeliveryRow) -> Result<()> {
    if row.state == DeliveryState::Received {
        let files = upload(app, engineer, row)?;
        blocking(move || Ok(files.whole()?)).await?;
    }
    let (actor, scope) = (&engineer.actor, &engineer.scope);
    Ok(app.control.stage_delivery(actor, scope, row.announced.batch, &engineer.trace).await?)
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
    let engineer = Engineer { actor: caller.principal.actor(), scope, trace: caller.trace, fence: None };
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
        stage(app, &engineer, &row).await?;
    }
    let row = ended(app, &engineer, row.announced.batch).await?;
    if let Some(problem) = row.problem {
        return Err(Failure::Usage(problem));
    }
    let batch = app.control.find_batch(&engineer.scope, &key).await?;
    Ok(batch.map(|batch| batch.receipt).unwrap_or(serde_json::Value::Null))
}

/// Waits until a delivery was taken in or rejected, or its job was given up.
async fn ended(app: &App, engineer: &Engineer, batch: BatchId) -> Result<DeliveryRow> {
    loop {
        let lost = || Failure::Lost("the delivery is not there".into());
        let row = app.control.delivery(&engineer.scope, batch).await?.ok_or_else(lost)?;
        if matches!(row.state, DeliveryState::Committed | DeliveryState::Rejected) {
            return Ok(row);
        }
        if let Some(job) = app.control.ingest_job(&engineer.scope, batch).await?
            && job.state.has_ended()
        {
            return Err(Failure::Lost(format!("job {} ended as {}", job.id, job.state.name())));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Takes a staged delivery in, as a job; the marts are built by another one.
///
/// # Errors
/// What is no fault of the sender's.
pub(crate) async fn take_in(
    app: &App,
    engineer: &Engineer,
    batch: BatchId,
    teller: Teller,
) -> Result<Ending> {
    let nothing = || Failure::NotThere("the delivery of the job".into());
    let row = app.control.delivery(&engineer.scope, batch).await?.ok_or_else(nothing)?;
    let files = upload(app, engineer, &row)?;
    let files = blocking(move || Ok(files.whole()?)).await?;
    let order = Order {
        delivery: announced(&row)?.delivery(files)?,
        key: Some(row.announced.idempotency_key.clone()),
        title: engineer.scope.study().to_string(),
        batch: Some(batch),
    };
    match work::ingest(app, engineer, &order, teller).await {
        Ok(taken_in) => {
            let study = Some(engineer.scope.study().clone());
            let result = json!({ "batch": batch.to_string(), "snapshot": taken_in.snapshot.to_string() });
            let then = vec![NewJob { kind: JobKind::MartsBuild, study, subject: None }];
            Ok(Ending::Done { result, then })
        }
        Err(failure) if failure.is_refusal() => Ok(Ending::Refused { problem: failure.without_values() }),
        Err(failure) => Err(failure),
    }
}

/// Removes what was received of a delivery that has ended.
pub(crate) async fn clear(app: &App, engineer: &Engineer, batch: BatchId) -> Result<()> {
    let Some(row) = app.control.delivery(&engineer.scope, batch).await? else { return Ok(()) };
    let files = upload(app, engineer, &row)?;
    blocking(move || Ok(files.remove()?)).await
}
