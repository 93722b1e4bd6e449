//! Snapshots become visible here, by one row each. The newest row of a study is its current snapshot; a
//! publication names the one it was built on, and is refused when another came in between.

use chrono::{DateTime, Utc};
use kernel::{Build, Read, SnapshotId, StudyId, StudyScope};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::jobs::{Fence, require_fence};
use crate::ledger::{AuditAction, Event, Resource};
use crate::store::{Connection, TenantTx};
use crate::studies::require_registered;
use crate::trace::TraceId;

const STEP: &str = "read the snapshots";

/// A snapshot to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Where its manifest lies in the tenant's store.
    pub manifest_key: String,
    /// Whether its marts are built.
    pub has_marts: bool,
    /// The snapshot it was built on: the study's current one, or `None` for the first.
    pub replaces: Option<SnapshotId>,
    /// The job that made it: it becomes visible only while that is still its worker's.
    pub fence: Option<Fence>,
}

/// A published snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Its id.
    pub id: SnapshotId,
    /// Its place among the study's snapshots, from zero.
    pub seq: u64,
    /// Where its manifest lies in the tenant's store.
    pub manifest_key: String,
    /// Whether its marts are built.
    pub has_marts: bool,
    /// The snapshot it replaced.
    pub replaces: Option<SnapshotId>,
    /// When it became visible.
    pub published_at: DateTime<Utc>,
}

/// What publishing a snapshot came to.
pub(crate) enum Published {
    /// It is a new row.
    Now(SnapshotRow),
    /// It was the current one already.
    Before(SnapshotRow),
}

impl Control {
    /// Publishes a snapshot. Publishing the one that is current changes nothing.
    ///
    /// # Errors
    /// [`ControlError::Superseded`] when `replaces` is not the current snapshot any more,
    /// [`ControlError::StudyNotRegistered`], [`ControlError::Denied`] for an actor of another tenant,
    /// [`ControlError::LeaseLost`] and [`ControlError::JobCancelled`] when the job that made it may not publish.
    pub async fn publish(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        snapshot: NewSnapshot,
        trace: &TraceId,
    ) -> Result<SnapshotRow, ControlError> {
        actor.require_tenant(scope.tenant())?;
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        match place_snapshot(&mut tx, scope.study(), snapshot).await? {
            Published::Before(row) => tx.leave().await.map(|()| row),
            Published::Now(row) => {
                tx.record(published(actor, scope.study(), &row, trace)).await?.commit().await?;
                Ok(row)
            }
        }
    }

    /// The study's current snapshot.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn current_snapshot(
        &self,
        scope: &StudyScope<Read>,
    ) -> Result<Option<SnapshotRow>, ControlError> {
        let mut view = self.store().tenant(scope.tenant()).await?.view().await?;
        newest_snapshot(&mut view, scope.study()).await
    }

    /// The study's newest snapshot whose marts are built.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn current_with_marts(
        &self,
        scope: &StudyScope<Read>,
    ) -> Result<Option<SnapshotRow>, ControlError> {
        let found: Option<SnapshotColumns> = sqlx::query_as(
            "SELECT snapshot_id, seq, manifest_key, has_marts, replaces, published_at FROM snapshots
             WHERE study_id = $1 AND has_marts = 1 ORDER BY seq DESC LIMIT 1",
        )
        .bind(scope.study().as_str())
        .fetch_optional(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        found.map(SnapshotRow::read).transpose()
    }

    /// One snapshot of the study, by id.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn snapshot(
        &self,
        scope: &StudyScope<Read>,
        id: SnapshotId,
    ) -> Result<Option<SnapshotRow>, ControlError> {
        let found: Option<SnapshotColumns> = sqlx::query_as(
            "SELECT snapshot_id, seq, manifest_key, has_marts, replaces, published_at FROM snapshots
             WHERE study_id = $1 AND snapshot_id = $2 ORDER BY seq DESC LIMIT 1",
        )
        .bind(scope.study().as_str())
        .bind(id.to_string())
        .fetch_optional(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        found.map(SnapshotRow::read).transpose()
    }

    /// Every snapshot of the study, newest first.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn snapshots(&self, scope: &StudyScope<Read>) -> Result<Vec<SnapshotRow>, ControlError> {
        let rows: Vec<SnapshotColumns> = sqlx::query_as(
            "SELECT snapshot_id, seq, manifest_key, has_marts, replaces, published_at FROM snapshots
             WHERE study_id = $1 ORDER BY seq DESC",
        )
        .bind(scope.study().as_str())
        .fetch_all(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        rows.into_iter().map(SnapshotRow::read).collect()
    }
}

type SnapshotColumns = (String, i64, String, i64, Option<String>, String);

impl SnapshotRow {
    fn read(columns: SnapshotColumns) -> Result<Self, ControlError> {
        const WHAT: &str = "snapshot";
        let (id, seq, manifest_key, has_marts, replaces, published_at) = columns;
        Ok(Self {
            id: id.parse().map_err(corrupt(WHAT))?,
            seq: u64::try_from(seq).map_err(corrupt(WHAT))?,
            manifest_key,
            has_marts: has_marts == 1,
            replaces: replaces.map(SnapshotId::try_from).transpose().map_err(corrupt(WHAT))?,
            published_at: parse_timestamp(&published_at).ok_or(()).map_err(corrupt(WHAT))?,
        })
    }
}

/// The study's newest snapshot.
pub(crate) async fn newest_snapshot(
    connection: &mut Connection,
    study: &StudyId,
) -> Result<Option<SnapshotRow>, ControlError> {
    let found: Option<SnapshotColumns> = sqlx::query_as(
        "SELECT snapshot_id, seq, manifest_key, has_marts, replaces, published_at FROM snapshots
         WHERE study_id = $1 ORDER BY seq DESC LIMIT 1",
    )
    .bind(study.as_str())
    .fetch_optional(connection)
    .await
    .map_err(storage(STEP))?;
    found.map(SnapshotRow::read).transpose()
}

/// Adds the snapshot's row, on top of the snapshot it replaces. The caller records it.
pub(crate) async fn place_snapshot(
    tx: &mut TenantTx,
    study: &StudyId,
    snapshot: NewSnapshot,
) -> Result<Published, ControlError> {
    if let Some(fence) = snapshot.fence {
        require_fence(tx, fence).await?;
    }
    require_registered(tx.connection(), study).await?;
    let current = newest_snapshot(tx.connection(), study).await?;
    if let Some(current) = current.as_ref().filter(|current| current.id == snapshot.id) {
        return Ok(Published::Before(current.clone()));
    }
    let current_id = current.as_ref().map(|row| row.id);
    if snapshot.replaces != current_id {
        return Err(ControlError::Superseded { study: study.clone(), current: current_id });
    }
    let row = SnapshotRow {
        id: snapshot.id,
        seq: current.map_or(0, |row| row.seq + 1),
        manifest_key: snapshot.manifest_key,
        has_marts: snapshot.has_marts,
        replaces: snapshot.replaces,
        published_at: tx.now(),
    };
    sqlx::query(
        "INSERT INTO snapshots (study_id, seq, snapshot_id, manifest_key, has_marts, replaces, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(study.as_str())
    .bind(i64::try_from(row.seq).map_err(corrupt("snapshot"))?)
    .bind(row.id.to_string())
    .bind(&row.manifest_key)
    .bind(i64::from(row.has_marts))
    .bind(row.replaces.map(|id| id.to_string()))
    .bind(timestamp(row.published_at))
    .execute(tx.connection())
    .await
    .map_err(storage("publish the snapshot"))?;
    Ok(Published::Now(row))
}

/// The event of a publication.
pub(crate) fn published(actor: &Actor, study: &StudyId, row: &SnapshotRow, trace: &TraceId) -> Event {
    let resource = Resource::new("snapshot", row.id.to_string());
    Event::success(AuditAction::SnapshotPublished, actor, resource)
        .with("study", study.as_str())
        .with("seq", row.seq)
        .with("manifest_key", row.manifest_key.as_str())
        .with("has_marts", row.has_marts)
        .with("replaces", row.replaces.map(|id| id.to_string()))
        .traced(trace)
}
