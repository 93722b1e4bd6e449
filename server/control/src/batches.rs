//! Deliveries. The sender's key names one; whoever commits first under a key has committed, and every other
//! sender of it is sent to the stored receipt.

use chrono::{DateTime, Utc};
use kernel::{BatchId, Build, Read, StudyId, StudyScope};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Event, Resource, hex_sha256};
use crate::snapshots::{NewSnapshot, Published, SnapshotRow, place_snapshot, published};
use crate::store::{Connection, TenantTx};
use crate::trace::TraceId;

const STEP: &str = "read the deliveries";

/// One delivery that was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRow {
    /// Its id.
    pub batch_id: BatchId,
    /// The sender's key, unique in the study.
    pub idempotency_key: String,
    /// The hash of what was delivered.
    pub manifest_hash: String,
    /// What the sender was told.
    pub receipt: serde_json::Value,
    /// When it was taken in.
    pub committed_at: DateTime<Utc>,
}

impl Control {
    /// The delivery that was committed under a sender's key.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn find_batch(
        &self,
        scope: &StudyScope<Build>,
        idempotency_key: &str,
    ) -> Result<Option<BatchRow>, ControlError> {
        let database = self.store().tenant(scope.tenant()).await?;
        let mut view = database.view().await?;
        let found = find(&mut view, scope.study(), idempotency_key).await?;
        if found.is_some() {
            // A sender who is told so sends it no more.
            database.leave(view).await?;
        }
        Ok(found)
    }

    /// The receipt of a delivery that was taken in, letter by letter as it is stored.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn delivery_receipt(
        &self,
        scope: &StudyScope<Read>,
        batch: BatchId,
    ) -> Result<Option<String>, ControlError> {
        sqlx::query_scalar("SELECT receipt FROM ingest_batches WHERE study_id = $1 AND batch_id = $2")
            .bind(scope.study().as_str())
            .bind(batch.to_string())
            .fetch_optional(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
            .await
            .map_err(storage(STEP))
    }

    /// Every delivery of the study, newest first.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn batches(&self, scope: &StudyScope<Read>) -> Result<Vec<BatchRow>, ControlError> {
        let rows: Vec<BatchColumns> = sqlx::query_as(
            "SELECT batch_id, idempotency_key, manifest_hash, receipt, committed_at FROM ingest_batches
             WHERE study_id = $1 ORDER BY committed_at DESC, batch_id DESC",
        )
        .bind(scope.study().as_str())
        .fetch_all(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        rows.into_iter().map(BatchRow::read).collect()
    }

    /// Commits a delivery and publishes the snapshot that holds it, in one transaction with both events. A
    /// delivery that changes nothing names the current snapshot, and no snapshot is published.
    ///
    /// # Errors
    /// [`ControlError::BatchExists`] when the key was committed before, [`ControlError::IdempotencyConflict`]
    /// when it was committed for other content, and as [`Control::publish`].
    pub async fn commit_batch(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        batch: BatchRow,
        snapshot: NewSnapshot,
        trace: &TraceId,
    ) -> Result<SnapshotRow, ControlError> {
        actor.require_tenant(scope.tenant())?;
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        if let Err(known) = refuse_known(&mut tx, scope.study(), &batch).await {
            tx.leave().await?;
            return Err(known);
        }
        let placed = place_snapshot(&mut tx, scope.study(), snapshot).await?;
        insert(&mut tx, scope.study(), &batch).await?;
        match placed {
            Published::Before(row) => {
                let event = committed(actor, scope.study(), &batch, &row, trace);
                tx.record(event).await?.commit().await?;
                Ok(row)
            }
            Published::Now(row) => {
                let event = committed(actor, scope.study(), &batch, &row, trace);
                let recorded = tx.record(event).await?;
                recorded.and(published(actor, scope.study(), &row, trace)).await?.commit().await?;
                Ok(row)
            }
        }
    }
}

type BatchColumns = (String, String, String, String, String);

impl BatchRow {
    fn read(columns: BatchColumns) -> Result<Self, ControlError> {
        const WHAT: &str = "delivery";
        let (batch_id, idempotency_key, manifest_hash, receipt, committed_at) = columns;
        Ok(Self {
            batch_id: batch_id.parse().map_err(corrupt(WHAT))?,
            idempotency_key,
            manifest_hash,
            receipt: serde_json::from_str(&receipt).map_err(corrupt(WHAT))?,
            committed_at: parse_timestamp(&committed_at).ok_or(()).map_err(corrupt(WHAT))?,
        })
    }
}

async fn find(
    connection: &mut Connection,
    study: &StudyId,
    idempotency_key: &str,
) -> Result<Option<BatchRow>, ControlError> {
    let found: Option<BatchColumns> = sqlx::query_as(
        "SELECT batch_id, idempotency_key, manifest_hash, receipt, committed_at FROM ingest_batches
         WHERE study_id = $1 AND idempotency_key = $2",
    )
    .bind(study.as_str())
    .bind(idempotency_key)
    .fetch_optional(connection)
    .await
    .map_err(storage(STEP))?;
    found.map(BatchRow::read).transpose()
}

async fn refuse_known(tx: &mut TenantTx, study: &StudyId, batch: &BatchRow) -> Result<(), ControlError> {
    let idempotency_key = batch.idempotency_key.clone();
    match find(tx.connection(), study, &idempotency_key).await? {
        None => Ok(()),
        Some(known) if known.manifest_hash == batch.manifest_hash => {
            Err(ControlError::BatchExists { idempotency_key })
        }
        Some(_) => Err(ControlError::IdempotencyConflict { idempotency_key }),
    }
}

async fn insert(tx: &mut TenantTx, study: &StudyId, batch: &BatchRow) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO ingest_batches (batch_id, study_id, idempotency_key, manifest_hash, receipt, committed_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(batch.batch_id.to_string())
    .bind(study.as_str())
    .bind(&batch.idempotency_key)
    .bind(&batch.manifest_hash)
    .bind(batch.receipt.to_string())
    .bind(timestamp(batch.committed_at))
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("commit the delivery"))
}

/// The event of a delivery. The sender's key is a text of the sender's choice, so only its hash is kept.
fn committed(
    actor: &Actor,
    study: &StudyId,
    batch: &BatchRow,
    snapshot: &SnapshotRow,
    trace: &TraceId,
) -> Event {
    let resource = Resource::new("batch", batch.batch_id.to_string());
    let event = Event::success(AuditAction::BatchCommitted, actor, resource);
    // A replay names the delivery whose files were read again.
    let event = match batch.receipt.get("replays").and_then(serde_json::Value::as_str) {
        Some(replayed) => event.with("replays", replayed),
        None => event,
    };
    event
        .with("study", study.as_str())
        .with("snapshot", snapshot.id.to_string())
        .with("manifest_hash", batch.manifest_hash.as_str())
        .with("idempotency_key_sha256", hex_sha256(batch.idempotency_key.as_bytes()))
        .traced(trace)
}
