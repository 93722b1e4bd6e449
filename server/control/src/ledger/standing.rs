//! How a tenant's log stands: what was signed of it, and when the whole ledger was last verified; and the sign-off of a
//! span that somebody has looked through.

use chrono::{DateTime, Utc};
use kernel::{Audit, Grants};

use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::gate::Principal;
use crate::instant::parse_timestamp;
use crate::ledger::event::{AuditAction, Event, Resource};
use crate::ledger::log::Log;
use crate::ledger::rows;
use crate::store::Connection;
use crate::text::require_text;
use crate::trace::TraceId;

const STEP: &str = "read how the ledger stands";

/// How a tenant's log stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerStanding {
    /// The log's name.
    pub log: String,
    /// How many events it has.
    pub size: u64,
    /// The newest checkpoints: when each was signed, and how many events it covers.
    pub checkpoints: Vec<(DateTime<Utc>, u64)>,
    /// How many witnesses have signed below the newest one.
    pub cosignatures: u64,
    /// Whether checkpoints are copied to a folder elsewhere.
    pub is_anchored: bool,
    /// When the program last verified every log, and whether it found them whole.
    pub verified: Option<(DateTime<Utc>, bool)>,
    /// The last span that was signed off.
    pub reviewed: Option<ReviewedSpan>,
}

/// A span of a log that somebody has looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedSpan {
    /// When it was signed off.
    pub at: DateTime<Utc>,
    /// By whom: the account's id, or `local` for the operator.
    pub by: String,
    /// The first event that was looked at.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// What came of it.
    pub remark: String,
}

impl Control {
    /// How the log of the grants' tenant stands, for those who may read it.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn ledger_standing(&self, grants: &Grants) -> Result<LedgerStanding, ControlError> {
        if !grants.allow_everywhere::<Audit>() {
            return Err(ControlError::Denied);
        }
        let log = Log::Tenant(grants.tenant());
        let mut system = self.store().system().view().await?;
        let checkpoints = checkpoints(&mut system, log).await?;
        let newest = checkpoints.first().map_or(0, |(_, size)| *size);
        let cosignatures = rows::cosignatures(&mut system, log, newest).await?.lines().count() as u64;
        let verified = last_event(&mut system, Log::System, AuditAction::LogVerified).await?;
        drop(system);
        let mut view = self.log_view(log).await?;
        let reviewed = last_event(&mut view, log, AuditAction::TrailReviewed).await?;
        Ok(LedgerStanding {
            log: log.origin(),
            size: rows::head(&mut view, log).await?.size,
            checkpoints,
            cosignatures,
            is_anchored: !self.store().anchors().is_empty(),
            verified: verified.map(|last| (last.at, last.outcome == "success")),
            reviewed: reviewed.as_ref().map(read_span).transpose()?,
        })
    }

    /// Signs off that a span of the log was looked through: its first and last event, with the hash of the last one.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for who may not read the log; [`ControlError::InvalidSpan`] for a span that is not
    /// there.
    pub async fn sign_trail_review(
        &self,
        principal: &Principal,
        (first, last): (u64, u64),
        remark: &str,
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        let grants = principal.grants();
        if !grants.allow_everywhere::<Audit>() {
            return Err(ControlError::Denied);
        }
        require_text("remark", remark, 500)?;
        let missing =
            |error| if matches!(error, ControlError::Denied) { ControlError::InvalidSpan } else { error };
        let end = self.audit_event(grants, last).await.map_err(missing)?;
        let events = last.checked_sub(first).ok_or(ControlError::InvalidSpan)? + 1;
        let log = Log::Tenant(grants.tenant());
        let event = Event::success(
            AuditAction::TrailReviewed,
            &principal.actor(),
            Resource::new("log", log.origin()),
        )
        .with("first", first)
        .with("last", last)
        .with("events", events)
        .with("last_hash", end.entry_hash)
        .with("remark", remark.trim())
        .traced(trace);
        self.store().tenant(grants.tenant()).await?.begin().await?.record(event).await?.commit().await
    }

    /// Records that events of the log were written to a file, with the hash of its bytes.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for who may not read the log.
    pub async fn record_ledger_export(
        &self,
        principal: &Principal,
        (events, format, sha256): (u64, &'static str, &str),
        trace: &TraceId,
    ) -> Result<(), ControlError> {
        let grants = principal.grants();
        if !grants.allow_everywhere::<Audit>() {
            return Err(ControlError::Denied);
        }
        let log = Resource::new("log", Log::Tenant(grants.tenant()).origin());
        let event = Event::success(AuditAction::LedgerExported, &principal.actor(), log)
            .with("events", events)
            .with("format", format)
            .with("output_hash", sha256)
            .traced(trace);
        self.store().tenant(grants.tenant()).await?.begin().await?.record(event).await?.commit().await
    }
}

async fn checkpoints(system: &mut Connection, log: Log) -> Result<Vec<(DateTime<Utc>, u64)>, ControlError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT created_at, size FROM audit_checkpoints WHERE log = $1 ORDER BY size DESC LIMIT 5",
    )
    .bind(log.origin())
    .fetch_all(system)
    .await
    .map_err(storage(STEP))?;
    let read = |(at, size): (String, i64)| {
        let size = u64::try_from(size).map_err(corrupt("checkpoint"))?;
        Ok((instant(&at)?, size))
    };
    rows.into_iter().map(read).collect()
}

/// The newest event of a kind.
struct LastEvent {
    at: DateTime<Utc>,
    outcome: String,
    by: String,
    data: serde_json::Value,
}

async fn last_event(
    view: &mut Connection,
    log: Log,
    action: AuditAction,
) -> Result<Option<LastEvent>, ControlError> {
    let found: Option<(String, String, String, Vec<u8>)> = sqlx::query_as(
        "SELECT at, outcome, actor_id, leaf FROM audit_events
         WHERE log = $1 AND action = $2 ORDER BY seq DESC LIMIT 1",
    )
    .bind(log.origin())
    .bind(action.name())
    .fetch_optional(view)
    .await
    .map_err(storage(STEP))?;
    let Some((at, outcome, by, leaf)) = found else { return Ok(None) };
    let mut leaf: serde_json::Value = serde_json::from_slice(&leaf).map_err(corrupt("ledger entry"))?;
    let data = leaf.get_mut("data").map(serde_json::Value::take).unwrap_or_default();
    Ok(Some(LastEvent { at: instant(&at)?, outcome, by, data }))
}

fn read_span(event: &LastEvent) -> Result<ReviewedSpan, ControlError> {
    let number = |name: &str| event.data[name].as_u64().ok_or(()).map_err(corrupt("ledger entry"));
    Ok(ReviewedSpan {
        at: event.at,
        by: event.by.clone(),
        first: number("first")?,
        last: number("last")?,
        remark: event.data["remark"].as_str().unwrap_or_default().to_owned(),
    })
}

fn instant(text: &str) -> Result<DateTime<Utc>, ControlError> {
    parse_timestamp(text).ok_or(()).map_err(corrupt("time"))
}
