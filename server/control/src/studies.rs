//! Studies: the codes that a tenant has registered, each with its current snapshot.

use chrono::{DateTime, Utc};
use kernel::{Build, Grants, Read, StudyId, StudyScope, TenantId};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Event, Resource};
use crate::snapshots::{SnapshotRow, newest_snapshot};
use crate::store::Connection;
use crate::text::require_text;

/// One registered study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyRow {
    /// Its code.
    pub id: StudyId,
    /// Its title.
    pub title: String,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// What is published of it; `None` before the first time.
    pub current: Option<SnapshotRow>,
}

impl Control {
    /// Registers a study. Registering it again changes nothing, its title included.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an actor of another tenant, and [`ControlError::InvalidText`] for a title
    /// that is empty or longer than 500 characters.
    pub async fn register_study(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        title: &str,
    ) -> Result<(), ControlError> {
        actor.require_tenant(scope.tenant())?;
        require_text("study's title", title, 500)?;
        let mut tx = self.store().tenant(scope.tenant()).await?.begin().await?;
        let now = timestamp(tx.now());
        let added = sqlx::query(
            "INSERT INTO studies (study_id, title, created_at) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(scope.study().as_str())
        .bind(title)
        .bind(now)
        .execute(tx.connection())
        .await
        .map_err(storage("register the study"))?;
        if added.rows_affected() == 0 {
            return Ok(());
        }
        let event = Event::success(AuditAction::StudyRegistered, actor, Resource::study(scope.study()));
        tx.record(event).await?.commit().await
    }

    /// The codes of a tenant's studies and nothing else of them, for who administers it and grants roles in them.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn study_codes(&self, actor: &Actor, tenant: TenantId) -> Result<Vec<StudyId>, ControlError> {
        actor.require_administrator(tenant)?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let codes: Vec<String> = sqlx::query_scalar("SELECT study_id FROM studies")
            .fetch_all(&mut *view)
            .await
            .map_err(storage("list the studies"))?;
        let codes: Result<Vec<StudyId>, _> = codes.into_iter().map(StudyId::try_from).collect();
        let mut codes = codes.map_err(corrupt("study id"))?;
        codes.sort();
        Ok(codes)
    }

    /// The studies that these grants can read, by code.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn studies(&self, grants: &Grants) -> Result<Vec<StudyRow>, ControlError> {
        let mut view = self.store().tenant(grants.tenant()).await?.view().await?;
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT study_id, title, created_at FROM studies ORDER BY study_id")
                .fetch_all(&mut *view)
                .await
                .map_err(storage("list the studies"))?;
        let mut studies = Vec::with_capacity(rows.len());
        for (id, title, created_at) in rows {
            let id = StudyId::try_from(id).map_err(corrupt("study id"))?;
            if grants.scope::<Read>(&id).is_err() {
                continue;
            }
            let created_at = parse_timestamp(&created_at).ok_or(()).map_err(corrupt("time"))?;
            let current = newest_snapshot(&mut view, &id).await?;
            studies.push(StudyRow { id, title, created_at, current });
        }
        // The order is ours, not that of a database's collation.
        studies.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(studies)
    }
}

/// Refuses a study that is not registered.
pub(crate) async fn require_registered(
    connection: &mut Connection,
    study: &StudyId,
) -> Result<(), ControlError> {
    let registered: Option<i64> = sqlx::query_scalar("SELECT 1 FROM studies WHERE study_id = $1")
        .bind(study.as_str())
        .fetch_optional(connection)
        .await
        .map_err(storage("look the study up"))?;
    registered.map(|_| ()).ok_or_else(|| ControlError::StudyNotRegistered { study: study.clone() })
}
