//! Reading a tenant's log, newest event first.

use chrono::{DateTime, Utc};
use kernel::{Audit, Grants};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::parse_timestamp;

const STEP: &str = "read the ledger";
const MAX_EVENTS: u32 = 500;

/// Which events of a log to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this action, by its dotted name.
    pub action: Option<String>,
    /// Only events before this index: the last one of the previous page.
    pub before_seq: Option<u64>,
    /// How many events; at least one and at most 500 are read.
    pub limit: u32,
}

/// One event, as a person reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// Its place in the log.
    pub seq: u64,
    /// Its id.
    pub event_id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What was done, by its dotted name.
    pub action: String,
    /// `success`, `denied` or `failed`.
    pub outcome: String,
    /// `account`, `operator`, `system` or `anonymous`.
    pub actor_type: String,
    /// Which one.
    pub actor_id: String,
    /// What kind of thing it was about.
    pub resource_type: String,
    /// Which one.
    pub resource_id: String,
    /// The request it was part of.
    pub trace_id: Option<String>,
    /// The further facts of the event.
    pub data: serde_json::Value,
    /// The hash of the entry.
    pub entry_hash: String,
    /// The exact text that was hashed.
    pub leaf: String,
}

impl Control {
    /// A page of the log of the grants' tenant, newest first, for those who may read it.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn audit_page(
        &self,
        grants: &Grants,
        filter: AuditFilter,
    ) -> Result<Vec<AuditEvent>, ControlError> {
        if !grants.allow_everywhere::<Audit>() {
            return Err(ControlError::Denied);
        }
        let database = self.store().tenant(grants.tenant()).await?;
        let before = filter.before_seq.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let rows = sqlx::query(
            "SELECT seq, event_id, at, action, outcome, actor_type, actor_id, resource_type, resource_id,
                    trace_id, entry_hash, leaf
             FROM audit_events
             WHERE log = $1 AND seq < $2 AND ($3 IS NULL OR action = $3)
             ORDER BY seq DESC LIMIT $4",
        )
        .bind(database.log().origin())
        .bind(before)
        .bind(filter.action)
        .bind(i64::from(filter.limit.clamp(1, MAX_EVENTS)))
        .fetch_all(&mut *database.view().await?)
        .await
        .map_err(storage(STEP))?;
        rows.iter().map(AuditEvent::read).collect()
    }
}

impl AuditEvent {
    fn read(row: &AnyRow) -> Result<Self, ControlError> {
        const WHAT: &str = "ledger entry";
        let text = |name: &str| row.try_get::<String, _>(name).map_err(storage(STEP));
        let leaf = row.try_get::<Vec<u8>, _>("leaf").map_err(storage(STEP))?;
        let leaf = String::from_utf8(leaf).map_err(corrupt(WHAT))?;
        let mut parsed: serde_json::Value = serde_json::from_str(&leaf).map_err(corrupt(WHAT))?;
        let seq: i64 = row.try_get("seq").map_err(storage(STEP))?;
        Ok(Self {
            seq: u64::try_from(seq).map_err(corrupt(WHAT))?,
            event_id: text("event_id")?,
            at: parse_timestamp(&text("at")?).ok_or(()).map_err(corrupt(WHAT))?,
            action: text("action")?,
            outcome: text("outcome")?,
            actor_type: text("actor_type")?,
            actor_id: text("actor_id")?,
            resource_type: text("resource_type")?,
            resource_id: text("resource_id")?,
            trace_id: row.try_get("trace_id").map_err(storage(STEP))?,
            data: parsed.get_mut("data").map(serde_json::Value::take).unwrap_or_default(),
            entry_hash: text("entry_hash")?,
            leaf,
        })
    }
}
