//! Days, holds and removals as they are stored.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::StudyId;

use super::{HoldId, NewRetention};
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::store::{Connection, TenantTx};

const STEP: &str = "read how long studies are kept";

/// A hold on a study's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRow {
    /// Its id.
    pub id: HoldId,
    /// Whose data it holds.
    pub study: StudyId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub placed_at: DateTime<Utc>,
    /// Until when, once it was lifted.
    pub lifted_at: Option<DateTime<Utc>>,
}

/// How long one study's data are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyRetention {
    /// The study.
    pub study: StudyId,
    /// The first day on which they may be removed; `None` while nobody has decided.
    pub not_before: Option<NaiveDate>,
    /// Every hold, oldest first.
    pub holds: Vec<HoldRow>,
    /// When they were removed.
    pub removed_at: Option<DateTime<Utc>>,
}

pub(super) async fn insert_retention(
    tx: &mut TenantTx,
    study: &StudyId,
    new: &NewRetention,
) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query(
        "INSERT INTO study_retention (study_id, decision, not_before, reason, approved_by, decided_at)
         SELECT $1, COUNT(*), $2, $3, $4, $5 FROM study_retention WHERE study_id = $1",
    )
    .bind(study.as_str())
    .bind(new.not_before.to_string())
    .bind(&new.reason)
    .bind(new.approved_by.map(|by| by.to_string()))
    .bind(now)
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("keep the decision"))
}

/// The day that was decided last.
pub(super) async fn not_before(
    connection: &mut Connection,
    study: &StudyId,
) -> Result<Option<NaiveDate>, ControlError> {
    let day: Option<String> = sqlx::query_scalar(
        "SELECT not_before FROM study_retention WHERE study_id = $1 ORDER BY decision DESC LIMIT 1",
    )
    .bind(study.as_str())
    .fetch_optional(connection)
    .await
    .map_err(storage(STEP))?;
    day.map(|day| day.parse().map_err(corrupt("day"))).transpose()
}

pub(super) async fn insert_hold(tx: &mut TenantTx, hold: &HoldRow) -> Result<(), ControlError> {
    sqlx::query("INSERT INTO legal_holds (hold_id, study_id, reason, placed_at) VALUES ($1, $2, $3, $4)")
        .bind(hold.id.to_string())
        .bind(hold.study.as_str())
        .bind(&hold.reason)
        .bind(timestamp(hold.placed_at))
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(storage("place the hold"))
}

pub(super) async fn lift_hold(tx: &mut TenantTx, hold: HoldId, reason: &str) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query("UPDATE legal_holds SET lifted_at = $1, lifted_why = $2 WHERE hold_id = $3")
        .bind(now)
        .bind(reason)
        .bind(hold.to_string())
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(storage("lift the hold"))
}

type HoldColumns = (String, String, String, String, Option<String>);

/// Oldest first.
pub(super) async fn holds(
    connection: &mut Connection,
    study: &StudyId,
) -> Result<Vec<HoldRow>, ControlError> {
    let found = every_hold(connection).await?;
    Ok(found.into_iter().filter(|hold| hold.study == *study).collect())
}

async fn every_hold(connection: &mut Connection) -> Result<Vec<HoldRow>, ControlError> {
    let found: Vec<HoldColumns> = sqlx::query_as(
        "SELECT hold_id, study_id, reason, placed_at, lifted_at FROM legal_holds ORDER BY placed_at, hold_id",
    )
    .fetch_all(connection)
    .await
    .map_err(storage("list the holds"))?;
    let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt("time"));
    let read = |(id, study, reason, placed, lifted): HoldColumns| {
        Ok(HoldRow {
            id: id.parse().map_err(corrupt("hold"))?,
            study: StudyId::try_from(study).map_err(corrupt("study id"))?,
            reason,
            placed_at: instant(&placed)?,
            lifted_at: lifted.as_deref().map(instant).transpose()?,
        })
    };
    found.into_iter().map(read).collect()
}

/// By code.
pub(super) async fn retentions(connection: &mut Connection) -> Result<Vec<StudyRetention>, ControlError> {
    let studies: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT studies.study_id, removed_studies.removed_at FROM studies
         LEFT JOIN removed_studies ON removed_studies.study_id = studies.study_id",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(storage(STEP))?;
    let holds = every_hold(&mut *connection).await?;
    let mut retentions = BTreeMap::new();
    for (study, removed) in studies {
        let study = StudyId::try_from(study).map_err(corrupt("study id"))?;
        let removed_at =
            removed.map(|at| parse_timestamp(&at).ok_or(()).map_err(corrupt("time"))).transpose()?;
        let not_before = not_before(&mut *connection, &study).await?;
        let holds = holds.iter().filter(|hold| hold.study == study).cloned().collect();
        retentions.insert(study.clone(), StudyRetention { study, not_before, holds, removed_at });
    }
    Ok(retentions.into_values().collect())
}

/// The studies that are not there any more.
pub(crate) async fn removed_studies(connection: &mut Connection) -> Result<Vec<StudyId>, ControlError> {
    let found: Vec<String> = sqlx::query_scalar("SELECT study_id FROM removed_studies ORDER BY study_id")
        .fetch_all(connection)
        .await
        .map_err(storage("list the removed studies"))?;
    found.into_iter().map(|study| StudyId::try_from(study).map_err(corrupt("study id"))).collect()
}

pub(super) async fn insert_removal(tx: &mut TenantTx, study: &StudyId) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query("INSERT INTO removed_studies (study_id, removed_at) VALUES ($1, $2)")
        .bind(study.as_str())
        .bind(now)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(storage("remove the study"))
}

/// Whether a study was removed, and nobody has said yet that its files are gone.
pub(super) async fn is_being_removed(
    connection: &mut Connection,
    study: &StudyId,
) -> Result<bool, ControlError> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM removed_studies WHERE study_id = $1 AND files_gone_at IS NULL")
            .bind(study.as_str())
            .fetch_optional(connection)
            .await
            .map_err(storage("look the removal up"))?;
    Ok(found.is_some())
}

pub(super) async fn finish_removal(tx: &mut TenantTx, study: &StudyId) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query("UPDATE removed_studies SET files_gone_at = $1 WHERE study_id = $2")
        .bind(now)
        .bind(study.as_str())
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(storage("finish the removal"))
}
