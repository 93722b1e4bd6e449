//! Deliveries that are sent over the wire. One is announced, received in parts, staged when all of its files are
//! whole, and then taken in by the job that was put in line with that.

use chrono::{DateTime, Utc};
use kernel::{AccountId, BatchId, Build, StudyId, StudyScope};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::jobs::{JobKind, NewJob, Quota, enqueue};
use crate::ledger::{AuditAction, Event, Resource, hex_sha256};
use crate::store::{Connection, TenantTx};
use crate::text::shortened;
use crate::trace::TraceId;

const STEP: &str = "read the deliveries";
const COLUMNS: &str = "batch_id, study_id, idempotency_key, manifest_hash, manifest, state, account_id, problem, announced_at, changed_at";

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It was announced; its files may come.
    Received,
    /// Its files are whole; it is being taken in, or waits for that.
    Staged,
    /// It was taken in.
    Committed,
    /// It cannot be taken in, for the reason that stands with it. Nothing of it was published.
    Rejected,
}

impl DeliveryState {
    const ALL: [Self; 4] = [Self::Received, Self::Staged, Self::Committed, Self::Rejected];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::Staged => "STAGED",
            Self::Committed => "COMMITTED",
            Self::Rejected => "REJECTED",
        }
    }
}

/// A delivery that is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The id that its batch will have.
    pub batch: BatchId,
    /// The sender's key, unique in the study.
    pub idempotency_key: String,
    /// The hash of what is announced.
    pub manifest_hash: String,
    /// What is announced: files, kind, mapping.
    pub manifest: serde_json::Value,
}

/// A delivery that was announced.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRow {
    /// What was announced.
    pub announced: NewDelivery,
    /// In which study.
    pub study: StudyId,
    /// How far it is.
    pub state: DeliveryState,
    /// Who sends it.
    pub account: AccountId,
    /// Why it was rejected.
    pub problem: Option<String>,
    /// When it was announced.
    pub announced_at: DateTime<Utc>,
    /// When its state changed.
    pub changed_at: DateTime<Utc>,
}

impl Control {
    /// Announces a delivery. The same key with the same content gives the delivery that was announced before,
    /// and `false`.
    ///
    /// # Errors
    /// [`ControlError::DeliveryKeyReused`] when the key stands for other content, and
    /// [`ControlError::StudyNotRegistered`].
    pub async fn announce_delivery(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        delivery: NewDelivery,
        trace: &TraceId,
    ) -> Result<(DeliveryRow, bool), ControlError> {
        actor.require_tenant(scope.tenant())?;
        let Actor::Account { id: account, .. } = *actor else { return Err(ControlError::Denied) };
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        crate::studies::require_registered(tx.connection(), scope.study()).await?;
        if let Some(known) = by_key(tx.connection(), scope.study(), &delivery.idempotency_key).await? {
            if known.announced.manifest_hash == delivery.manifest_hash {
                return Ok((known, false));
            }
            return Err(ControlError::DeliveryKeyReused {
                idempotency_key: delivery.idempotency_key,
                known: known.announced.manifest_hash,
                given: delivery.manifest_hash,
            });
        }
        let now = tx.now();
        insert(&mut tx, (scope.study(), account), &delivery).await?;
        let event = event(AuditAction::DeliveryAnnounced, actor, scope.study(), &delivery, trace);
        tx.record(event).await?.commit().await?;
        let row = DeliveryRow {
            announced: delivery,
            study: scope.study().clone(),
            state: DeliveryState::Received,
            account,
            problem: None,
            announced_at: now,
            changed_at: now,
        };
        Ok((row, true))
    }

    /// One delivery of the study.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn delivery(
        &self,
        scope: &StudyScope<Build>,
        batch: BatchId,
    ) -> Result<Option<DeliveryRow>, ControlError> {
        let mut view = self.store().tenant(scope.tenant()).await?.view().await?;
        let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE study_id = $1 AND batch_id = $2");
        let found: Option<Columns> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(scope.study().as_str())
            .bind(batch.to_string())
            .fetch_optional(&mut *view)
            .await
            .map_err(storage(STEP))?;
        found.map(DeliveryRow::read).transpose()
    }

    /// Says that the files of a delivery are whole, and puts the job in line that takes it in. A delivery that was
    /// staged before gets a job when it has none any more; one that has ended stays as it is.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an actor of another tenant, and [`ControlError::TooManyJobs`].
    pub async fn stage_delivery(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        batch: BatchId,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        actor.require_tenant(scope.tenant())?;
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        let known = by_batch(tx.connection(), batch).await?;
        let known = known.filter(|row| row.study == *scope.study()).ok_or(ControlError::Denied)?;
        if !matches!(known.state, DeliveryState::Received | DeliveryState::Staged) {
            return Ok(());
        }
        let job = NewJob {
            kind: JobKind::Ingest,
            study: Some(scope.study().clone()),
            subject: Some(batch.to_string()),
        };
        let staged = place(&mut tx, batch, (DeliveryState::Staged, None), (actor, trace)).await?;
        let (_, enqueued) = enqueue(&mut tx, &job, (actor, trace), Quota::Counts).await?;
        let mut events = staged.into_iter().chain(enqueued);
        let Some(first) = events.next() else { return Ok(()) };
        let mut recorded = tx.record(first).await?;
        for event in events {
            recorded = recorded.and(event).await?;
        }
        recorded.commit().await?;
        self.ring();
        Ok(())
    }
}

/// Moves a delivery on within the caller's transaction, and gives the event that has to be recorded with it. One that is
/// there already, or that has ended, stays as it is, and there is no event.
pub(crate) async fn place(
    tx: &mut TenantTx,
    batch: BatchId,
    (state, problem): (DeliveryState, Option<&str>),
    (actor, trace): (&Actor, &TraceId),
) -> Result<Option<Event>, ControlError> {
    let now = timestamp(tx.now());
    let moved = sqlx::query(
        "UPDATE deliveries SET state = $1, problem = $2, changed_at = $3
         WHERE batch_id = $4 AND state <> $1 AND state IN ('RECEIVED', 'STAGED')",
    )
    .bind(state.name())
    .bind(problem.map(|problem| shortened(problem, 2000)))
    .bind(now)
    .bind(batch.to_string())
    .execute(tx.connection())
    .await
    .map_err(storage("move the delivery on"))?;
    if moved.rows_affected() == 0 {
        return Ok(None);
    }
    let action = match state {
        DeliveryState::Received => AuditAction::DeliveryAnnounced,
        DeliveryState::Staged => AuditAction::DeliveryStaged,
        DeliveryState::Committed => AuditAction::DeliveryEnded,
        DeliveryState::Rejected => AuditAction::DeliveryRejected,
    };
    let row = by_batch(tx.connection(), batch).await?;
    Ok(row.map(|row| event(action, actor, &row.study, &row.announced, trace)))
}

/// The delivery of that id, in whatever study.
pub(crate) async fn by_batch(
    connection: &mut Connection,
    batch: BatchId,
) -> Result<Option<DeliveryRow>, ControlError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE batch_id = $1");
    let found: Option<Columns> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(batch.to_string())
        .fetch_optional(connection)
        .await
        .map_err(storage(STEP))?;
    found.map(DeliveryRow::read).transpose()
}

type Columns = (String, String, String, String, String, String, String, Option<String>, String, String);

impl DeliveryRow {
    fn read(columns: Columns) -> Result<Self, ControlError> {
        const WHAT: &str = "delivery";
        let (
            batch,
            study,
            idempotency_key,
            manifest_hash,
            manifest,
            state,
            account,
            problem,
            announced,
            changed,
        ) = columns;
        let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt(WHAT));
        let state = DeliveryState::ALL.into_iter().find(|known| known.name() == state);
        Ok(Self {
            announced: NewDelivery {
                batch: batch.parse().map_err(corrupt(WHAT))?,
                idempotency_key,
                manifest_hash,
                manifest: serde_json::from_str(&manifest).map_err(corrupt(WHAT))?,
            },
            study: study.parse().map_err(corrupt(WHAT))?,
            state: state.ok_or(()).map_err(corrupt(WHAT))?,
            account: account.parse().map_err(corrupt(WHAT))?,
            problem,
            announced_at: instant(&announced)?,
            changed_at: instant(&changed)?,
        })
    }
}

async fn by_key(
    connection: &mut Connection,
    study: &StudyId,
    idempotency_key: &str,
) -> Result<Option<DeliveryRow>, ControlError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries WHERE study_id = $1 AND idempotency_key = $2");
    let found: Option<Columns> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(study.as_str())
        .bind(idempotency_key)
        .fetch_optional(connection)
        .await
        .map_err(storage(STEP))?;
    found.map(DeliveryRow::read).transpose()
}

async fn insert(
    tx: &mut TenantTx,
    (study, account): (&StudyId, AccountId),
    delivery: &NewDelivery,
) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query(
        "INSERT INTO deliveries (batch_id, study_id, idempotency_key, manifest_hash, manifest, state, account_id,
             announced_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, 'RECEIVED', $6, $7, $7)",
    )
    .bind(delivery.batch.to_string())
    .bind(study.as_str())
    .bind(&delivery.idempotency_key)
    .bind(&delivery.manifest_hash)
    .bind(delivery.manifest.to_string())
    .bind(account.to_string())
    .bind(now)
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("announce the delivery"))
}

/// The event of a delivery; as for a batch, only the hash of the sender's key is kept.
fn event(
    action: AuditAction,
    actor: &Actor,
    study: &StudyId,
    delivery: &NewDelivery,
    trace: &TraceId,
) -> Event {
    Event::success(action, actor, Resource::new("batch", delivery.batch.to_string()))
        .with("study", study.as_str())
        .with("manifest_hash", delivery.manifest_hash.as_str())
        .with("idempotency_key_sha256", hex_sha256(delivery.idempotency_key.as_bytes()))
        .traced(trace)
}
