//! Reading a tenant's log, newest event first.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kernel::{Audit, Grants};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::accounts::AccountRow;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::{parse_timestamp, timestamp};
use crate::store::leaf_holds;

const STEP: &str = "read the ledger";
const MAX_EVENTS: u32 = 500;

/// Which events of a log to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only this action, by its dotted name.
    pub action: Option<String>,
    /// Only events of this account, or of `local` (the operator) or `cairn` (the program).
    pub actor: Option<String>,
    /// Only events about this study, or that name it.
    pub study: Option<String>,
    /// Only events about the thing of this id.
    pub resource: Option<String>,
    /// Only events that ended so: `success`, `denied` or `failed`.
    pub outcome: Option<String>,
    /// Only events at this instant or later,
    pub from: Option<DateTime<Utc>>,
    /// and before this one.
    pub to: Option<DateTime<Utc>>,
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
        let mut view = database.view().await?;
        let named = filter.study.as_ref().map(|study| format!("\"study\":{}", serde_json::json!(study)));
        let query = sqlx::AssertSqlSafe(format!(
            "SELECT seq, event_id, at, action, outcome, actor_type, actor_id, resource_type, resource_id,
                    trace_id, entry_hash, leaf
             FROM audit_events
             WHERE log = $1 AND seq < $2 AND ($3 IS NULL OR action = $3) AND ($4 IS NULL OR actor_id = $4)
               AND ($5 IS NULL OR resource_id = $5) AND ($6 IS NULL OR outcome = $6)
               AND ($7 IS NULL OR at >= $7) AND ($8 IS NULL OR at < $8)
               AND ($9 IS NULL OR (resource_type = 'study' AND resource_id = $9) OR {} > 0)
             ORDER BY seq DESC LIMIT $11",
            leaf_holds(&view, "$10")
        ));
        let rows = sqlx::query(query)
            .bind(database.log().origin())
            .bind(before)
            .bind(filter.action)
            .bind(filter.actor)
            .bind(filter.resource)
            .bind(filter.outcome)
            .bind(filter.from.map(timestamp))
            .bind(filter.to.map(timestamp))
            .bind(filter.study)
            .bind(named)
            .bind(i64::from(filter.limit.clamp(1, MAX_EVENTS)))
            .fetch_all(&mut *view)
            .await
            .map_err(storage(STEP))?;
        rows.iter().map(AuditEvent::read).collect()
    }

    /// The addresses of the accounts that acted in events, by the ids that the events name, for those who may read the log.
    /// Who is erased has none.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn audit_names(
        &self,
        grants: &Grants,
        events: &[AuditEvent],
    ) -> Result<BTreeMap<String, String>, ControlError> {
        if !grants.allow_everywhere::<Audit>() {
            return Err(ControlError::Denied);
        }
        let acted = events.iter().filter(|event| event.actor_type == "account");
        let ids: BTreeSet<&str> = acted.map(|event| event.actor_id.as_str()).collect();
        let mut view = self.store().tenant(grants.tenant()).await?.view().await?;
        let mut names = BTreeMap::new();
        for id in ids {
            let Ok(account) = id.parse() else { continue };
            let found = AccountRow::find(&mut view, account).await?.filter(|row| !row.is_erased());
            if let Some(row) = found {
                names.insert(id.to_owned(), row.person(self.subject_keys(), grants.tenant())?.email);
            }
        }
        Ok(names)
    }
}

impl Control {
    /// One event of the log of the grants' tenant, for those who may read it.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else, and when there is none.
    pub async fn audit_event(&self, grants: &Grants, seq: u64) -> Result<AuditEvent, ControlError> {
        let filter =
            AuditFilter { before_seq: Some(seq.saturating_add(1)), limit: 1, ..AuditFilter::default() };
        let found = self.audit_page(grants, filter).await?.pop();
        found.filter(|event| event.seq == seq).ok_or(ControlError::Denied)
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
