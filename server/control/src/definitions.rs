//! What tenants and studies changed of the definitions of indicators and tolerance limits. What a change says is JSON that the
//! marts understand; here stands who made it, when, why, and which is in force.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::{Build, Grants, Read, StudyId, StudyScope, TenantId};

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{AuditAction, Event, LeafActor, Resource};
use crate::store::TenantTx;
use crate::studies::require_registered;
use crate::trace::TraceId;

const STEP: &str = "read the changes of definitions";
const WHAT: &str = "change of a definition";
/// Where a change stands that holds in every study.
const EVERYWHERE: &str = "*";
/// The longest reason.
const MAX_REASON: usize = 1_000;

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDefinitionChange {
    /// The indicator or limit.
    pub definition: String,
    /// What is in force at that place from now on, as JSON; none takes every change there back.
    pub change: Option<String>,
    /// Why, in the words of whoever asks.
    pub reason: String,
}

/// A change as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionChangeRow {
    /// The study that it holds in; none is every study of the tenant.
    pub study: Option<StudyId>,
    /// The indicator or limit.
    pub definition: String,
    /// 1 for the first change of the definition at that place.
    pub version: i64,
    /// As JSON; none takes the former ones back.
    pub change: Option<String>,
    /// Why.
    pub reason: String,
    /// The account, or `operator`.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

impl Control {
    /// Changes a definition in one study.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for an actor of another tenant, [`ControlError::NoReason`] without a reason, and
    /// [`ControlError::StudyNotRegistered`].
    pub async fn change_definition(
        &self,
        actor: &Actor,
        scope: &StudyScope<Build>,
        change: NewDefinitionChange,
        trace: &TraceId,
    ) -> Result<DefinitionChangeRow, ControlError> {
        self.keep_change(actor, (scope.tenant(), Some(scope.study())), change, trace).await
    }

    /// Changes a definition in every study of the tenant that does not say otherwise.
    ///
    /// # Errors
    /// As [`Self::change_definition`]; [`ControlError::Denied`] unless the grants reach every study.
    pub async fn change_definition_everywhere(
        &self,
        actor: &Actor,
        grants: &Grants,
        change: NewDefinitionChange,
        trace: &TraceId,
    ) -> Result<DefinitionChangeRow, ControlError> {
        if !grants.allow_everywhere::<Build>() {
            return Err(ControlError::Denied);
        }
        self.keep_change(actor, (grants.tenant(), None), change, trace).await
    }

    /// Every change that a study's definitions may be made of, those of every study first, each place and definition in
    /// the order of its versions.
    ///
    /// # Errors
    /// When they cannot be read from the store.
    pub async fn definition_changes(
        &self,
        scope: &StudyScope<Read>,
    ) -> Result<Vec<DefinitionChangeRow>, ControlError> {
        let rows: Vec<Columns> = sqlx::query_as(
            "SELECT study_id, definition_id, version, change, reason, changed_by, changed_at FROM definition_changes
             WHERE place IN ('*', $1) ORDER BY CASE WHEN study_id IS NULL THEN 0 ELSE 1 END, definition_id, version",
        )
        .bind(scope.study().as_str())
        .fetch_all(&mut *self.store().tenant(scope.tenant()).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        rows.into_iter().map(read).collect()
    }

    async fn keep_change(
        &self,
        actor: &Actor,
        (tenant, study): (TenantId, Option<&StudyId>),
        change: NewDefinitionChange,
        trace: &TraceId,
    ) -> Result<DefinitionChangeRow, ControlError> {
        actor.require_tenant(tenant)?;
        let reason = reason(&change.reason)?;
        let mut tx = self.store().tenant(tenant).await?.begin().await?;
        if let Some(study) = study {
            require_registered(tx.connection(), study).await?;
        }
        let before = newest(&mut tx, study, &change.definition).await?;
        let by = LeafActor::from(actor);
        let row = DefinitionChangeRow {
            study: study.cloned(),
            definition: change.definition,
            version: before.as_ref().map_or(0, |(version, _)| *version) + 1,
            change: change.change,
            reason,
            changed_by: if by.kind == "account" { by.id } else { by.kind },
            changed_at: tx.now(),
        };
        insert(&mut tx, &row).await?;
        let event = Event::success(
            AuditAction::DefinitionChanged,
            actor,
            Resource::new("definition", row.definition.clone()),
        )
        .with("study", row.study.as_ref().map(ToString::to_string))
        .with("version", row.version.unsigned_abs())
        .with("before", before.and_then(|(_, change)| change))
        .with("after", row.change.clone())
        .with("reason", row.reason.clone())
        .traced(trace);
        tx.record(event).await?.commit().await?;
        Ok(row)
    }
}

/// The changes that are in force: the newest of each place and definition that was not taken back.
#[must_use]
pub fn in_force(rows: &[DefinitionChangeRow]) -> Vec<&DefinitionChangeRow> {
    let mut newest: BTreeMap<(bool, &str), &DefinitionChangeRow> = BTreeMap::new();
    for row in rows {
        let place = newest.entry((row.study.is_some(), &row.definition)).or_insert(row);
        if row.version > place.version {
            *place = row;
        }
    }
    newest.into_values().filter(|row| row.change.is_some()).collect()
}

/// A reason that says something.
pub(crate) fn reason(text: &str) -> Result<String, ControlError> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_REASON {
        return Err(ControlError::NoReason { max: MAX_REASON });
    }
    Ok(text.to_owned())
}

async fn newest(
    tx: &mut TenantTx,
    study: Option<&StudyId>,
    definition: &str,
) -> Result<Option<(i64, Option<String>)>, ControlError> {
    sqlx::query_as(
        "SELECT version, change FROM definition_changes WHERE place = $1 AND definition_id = $2
         ORDER BY version DESC LIMIT 1",
    )
    .bind(study.map_or(EVERYWHERE, StudyId::as_str))
    .bind(definition)
    .fetch_optional(tx.connection())
    .await
    .map_err(storage(STEP))
}

async fn insert(tx: &mut TenantTx, row: &DefinitionChangeRow) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO definition_changes (place, definition_id, version, study_id, change, reason, changed_by, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(row.study.as_ref().map_or(EVERYWHERE, StudyId::as_str))
    .bind(&row.definition)
    .bind(row.version)
    .bind(row.study.as_ref().map(StudyId::as_str))
    .bind(row.change.as_deref())
    .bind(&row.reason)
    .bind(&row.changed_by)
    .bind(timestamp(row.changed_at))
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("keep the change of a definition"))
}

type Columns = (Option<String>, String, i64, Option<String>, String, String, String);

fn read(columns: Columns) -> Result<DefinitionChangeRow, ControlError> {
    let (study, definition, version, change, reason, changed_by, changed_at) = columns;
    Ok(DefinitionChangeRow {
        study: study.as_deref().map(str::parse).transpose().map_err(corrupt(WHAT))?,
        definition,
        version,
        change,
        reason,
        changed_by,
        changed_at: parse_timestamp(&changed_at).ok_or(()).map_err(corrupt(WHAT))?,
    })
}
