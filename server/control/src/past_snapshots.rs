//! Snapshots of past instants become readable here, by one row each. They are named by id, and are never a study's
//! current one.

use chrono::{DateTime, Utc};
use kernel::{Read, SnapshotId, StudyId, StudyScope};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Event, Resource};
use crate::store::TenantTx;
use crate::trace::TraceId;

const STEP: &str = "read the snapshots of the past";
const WHAT: &str = "snapshot of the past";

/// A snapshot of a past instant to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPastSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Where its manifest lies in the tenant's store.
    pub manifest_key: String,
    /// The instant of the sources that it shows.
    pub sources_as_of: DateTime<Utc>,
}

/// A published snapshot of a past instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastSnapshotRow {
    /// Its id.
    pub id: SnapshotId,
    /// Where its manifest lies in the tenant's store.
    pub manifest_key: String,
    /// The instant of the sources that it shows.
    pub sources_as_of: DateTime<Utc>,
    /// When it became readable.
    pub published_at: DateTime<Utc>,
}

type Columns = (String, String, String, String);

impl Control {
    /// Every snapshot of a past instant, by that instant, the newest of each last.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn past_snapshots(
        &self,
        scope: &StudyScope<Read>,
    ) -> Result<Vec<PastSnapshotRow>, ControlError> {
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT snapshot_id, manifest_key, sources_as_of, published_at FROM past_snapshots
             WHERE study_id = $1 ORDER BY sources_as_of, published_at, snapshot_id",
        )
        .bind(scope.study().as_str())
        .fetch_all(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        rows.into_iter().map(PastSnapshotRow::read).collect()
    }

    /// One snapshot of a past instant, by its id.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn past_snapshot(
        &self,
        scope: &StudyScope<Read>,
        id: SnapshotId,
    ) -> Result<Option<PastSnapshotRow>, ControlError> {
        let found: Option<Columns> = sqlx::query_as(
            "SELECT snapshot_id, manifest_key, sources_as_of, published_at FROM past_snapshots
             WHERE study_id = $1 AND snapshot_id = $2",
        )
        .bind(scope.study().as_str())
        .bind(id.to_string())
        .fetch_optional(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        found.map(PastSnapshotRow::read).transpose()
    }
}

impl PastSnapshotRow {
    fn read((id, manifest_key, sources_as_of, published_at): Columns) -> Result<Self, ControlError> {
        let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt(WHAT));
        Ok(Self {
            id: id.parse().map_err(corrupt(WHAT))?,
            manifest_key,
            sources_as_of: instant(&sources_as_of)?,
            published_at: instant(&published_at)?,
        })
    }
}

/// Adds the row, unless it is there: the same content has the same id. The caller records it.
pub(crate) async fn place_past(
    tx: &mut TenantTx,
    study: &StudyId,
    snapshot: &NewPastSnapshot,
) -> Result<(), ControlError> {
    let now = tx.now();
    sqlx::query(
        "INSERT INTO past_snapshots (study_id, snapshot_id, sources_as_of, manifest_key, published_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(study.as_str())
    .bind(snapshot.id.to_string())
    .bind(timestamp(snapshot.sources_as_of))
    .bind(&snapshot.manifest_key)
    .bind(timestamp(now))
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("publish the snapshot of the past"))
}

/// The event of a publication.
pub(crate) fn past_published(
    actor: &Actor,
    study: &StudyId,
    snapshot: &NewPastSnapshot,
    trace: &TraceId,
) -> Event {
    let resource = Resource::new("snapshot", snapshot.id.to_string());
    Event::success(AuditAction::PastSnapshotPublished, actor, resource)
        .with("study", study.as_str())
        .with("manifest_key", snapshot.manifest_key.as_str())
        .with("sources_as_of", timestamp(snapshot.sources_as_of))
        .traced(trace)
}
