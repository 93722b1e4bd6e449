//! A dataset on its way in: its batches become a Parquet file beside the study's data, batch by batch, and the
//! program takes that file in as a delivery of one dataset.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use arrow_flight::flight_descriptor::DescriptorType;
use arrow_flight::{FlightData, FlightDescriptor};
use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use kernel::{Build, StudyScope};
use serde::Deserialize;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};
use warehouse::upload::{AnnouncedFile, incoming};
use warehouse::{CutKind, Storage, TableWriter};

use crate::guard::Admitted;
use crate::status;

/// What a descriptor should be.
pub(crate) const FORM: &str = "name the dataset by a path of two parts, the study and the dataset, or by a command \
     such as {\"study\": \"TRIAL01\", \"dataset\": \"AE\", \"kind\": \"delta\", \"key\": \"night-1\"}";
/// Batches between the line and the file: enough that neither waits, few enough for memory.
const WAITING: usize = 2;

/// What the sender says of the dataset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutOrder {
    /// The study.
    pub study: String,
    /// The dataset's name.
    pub dataset: String,
    /// The sender's key; the content's hash stands for it when there is none.
    #[serde(default)]
    pub key: Option<String>,
    /// What the dataset says about rows that it does not hold.
    #[serde(default)]
    pub kind: CutKind,
    /// A shipped mapping by its name.
    #[serde(default)]
    pub mapping: Option<String>,
    /// When the source was read.
    #[serde(default)]
    pub extracted_at: Option<DateTime<Utc>>,
}

impl PutOrder {
    /// What a descriptor says; `None` when it is of neither form.
    #[must_use]
    pub fn of(descriptor: &FlightDescriptor) -> Option<Self> {
        if descriptor.r#type == i32::from(DescriptorType::Cmd) {
            return serde_json::from_slice(&descriptor.cmd).ok();
        }
        let [study, dataset] = descriptor.path.as_slice() else { return None };
        let (study, dataset) = (study.clone(), dataset.clone());
        Some(Self { study, dataset, key: None, kind: CutKind::Full, mapping: None, extracted_at: None })
    }
}

/// A dataset that arrived.
#[derive(Debug)]
pub struct Put {
    /// Who sent it.
    pub caller: Admitted,
    /// Where it belongs.
    pub scope: StudyScope<Build>,
    /// What the sender says of it.
    pub order: PutOrder,
    /// The file it became; removed with this value.
    pub file: Incoming,
}

/// Why a dataset was not taken in.
#[derive(Debug)]
pub enum NotTaken {
    /// The sender can mend it, as the text says.
    Refused(String),
    /// The server failed; the cause is in its log.
    Failed,
}

impl NotTaken {
    pub(crate) fn into_status(self) -> Status {
        match self {
            Self::Refused(reason) => Status::invalid_argument(reason),
            Self::Failed => Status::internal(
                "the server could not answer; try again, and tell the operator if it stays so",
            ),
        }
    }
}

/// Who takes datasets in: gives the receipt.
pub type Intake = Arc<
    dyn Fn(Put) -> Pin<Box<dyn Future<Output = Result<serde_json::Value, NotTaken>> + Send>> + Send + Sync,
>;

/// A file beside the study's data, until the program takes it in.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
}

impl Incoming {
    pub(crate) fn new(storage: &Storage, scope: &StudyScope<Build>, dataset: &str) -> Result<Self, Status> {
        // Two puts of one dataset at a time are two files.
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let named = AnnouncedFile { name: format!("{dataset}.parquet"), bytes: 0, blake3: "0".repeat(64) };
        named.check().map_err(|error| status::malformed(&error.to_string()))?;
        let path = incoming(storage, scope, &format!("{}-{number}", std::process::id()));
        path.map(|path| Self { path }).map_err(|error| status::internal(&error))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Taken in, it is gone already.
        if self.path.exists()
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "a received file could not be removed");
        }
    }
}

/// Writes what is sent to `target`; returns its rows.
pub(crate) async fn receive(
    first: FlightData,
    rest: Streaming<FlightData>,
    target: &Path,
) -> Result<u64, Status> {
    let messages = stream::once(async { Ok(first) }).chain(rest.map_err(FlightError::from));
    let mut batches = FlightRecordBatchStream::new_from_flight_data(messages);
    let (sender, receiver) = mpsc::channel::<RecordBatch>(WAITING);
    // A table without rows is one message with a schema, which has been read when the first answer is known.
    let mut next = batches.try_next().await.map_err(|error| unreadable(&error))?;
    let schema = batches.schema().cloned().ok_or_else(|| status::malformed("send a schema first"))?;
    let target = target.to_owned();
    let writing = tokio::task::spawn_blocking(move || write(&target, &schema, receiver));
    while let Some(batch) = next {
        if sender.send(batch).await.is_err() {
            // The writer has ended; its error says why.
            break;
        }
        next = batches.try_next().await.map_err(|error| unreadable(&error))?;
    }
    drop(sender);
    let written = writing.await.map_err(|error| status::internal(&error))?;
    written.map_err(|error| status::internal(&error))
}

fn write(
    target: &Path,
    schema: &arrow::datatypes::SchemaRef,
    mut batches: mpsc::Receiver<RecordBatch>,
) -> warehouse::Result<u64> {
    let mut writer = TableWriter::create(target, schema)?;
    while let Some(batch) = batches.blocking_recv() {
        writer.write(&batch)?;
    }
    writer.close()
}

fn unreadable(error: &FlightError) -> Status {
    status::malformed(&format!("the batches cannot be read: {error}"))
}
