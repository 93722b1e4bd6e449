//! Tables leaving the house. The ledger says so before the first byte leaves, and again when the stream ended:
//! a start without an end is a pull that a crash cut off, never one that nobody saw.

use std::fmt;

use kernel::{AccountId, Read, SnapshotId, StudyId};
use uuid::Uuid;

use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::fresh;
use crate::gate::Principal;
use crate::instant::timestamp;
use crate::ledger::{AuditAction, Event, Outcome, Resource};
use crate::store::TenantTx;
use crate::text::shortened;
use crate::trace::TraceId;

/// One pull of one table. Only [`Control::read_started`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullId(Uuid);

impl fmt::Display for PullId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Which table somebody reads, and through which door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRead {
    /// The door: `flight`, `http`.
    pub door: String,
    /// The study.
    pub study: StudyId,
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// The table.
    pub table: String,
    /// The request.
    pub trace: TraceId,
}

/// How much left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Control {
    /// Records that a table is about to leave. Nothing may leave before this returns.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when the principal may not read the study; when the ledger cannot be written,
    /// the table stays.
    pub async fn read_started(&self, principal: &Principal, read: TableRead) -> Result<PullId, ControlError> {
        principal.grants().scope::<Read>(&read.study)?;
        let pull = PullId(fresh::uuid(self.clock().now())?);
        let event = read_event(AuditAction::ReadStarted, principal, pull, &read);
        self.record_together(principal.tenant(), event, None).await?;
        Ok(pull)
    }

    /// Records how a pull ended, and lists it among the distributions.
    ///
    /// # Errors
    /// [`ControlError::PullEnded`] the second time, and [`ControlError::Denied`] as for its start.
    pub async fn read_finished(
        &self,
        principal: &Principal,
        pull: PullId,
        read: TableRead,
        amount: Amount,
        outcome: Outcome,
    ) -> Result<(), ControlError> {
        principal.grants().scope::<Read>(&read.study)?;
        let event = read_event(AuditAction::ReadFinished, principal, pull, &read)
            .ended(outcome)
            .with("rows", amount.rows)
            .with("bytes", amount.bytes);
        let ended = Distribution { pull, account: principal.account(), read, amount, outcome };
        self.record_together(principal.tenant(), event, Some(ended)).await
    }
}

/// One line of the list of what left the house.
#[derive(Debug)]
pub(crate) struct Distribution {
    pull: PullId,
    account: AccountId,
    read: TableRead,
    amount: Amount,
    outcome: Outcome,
}

impl Distribution {
    /// Lists it; `false` when the pull is listed already.
    pub(crate) async fn insert(&self, tx: &mut TenantTx) -> Result<bool, ControlError> {
        let now = timestamp(tx.now());
        let added = sqlx::query(
            "INSERT INTO distribution_logs (pull_id, account_id, study_id, snapshot_id, table_name, door, outcome,
                                            row_count, byte_count, finished_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT DO NOTHING",
        )
        .bind(self.pull.to_string())
        .bind(self.account.to_string())
        .bind(self.read.study.as_str())
        .bind(self.read.snapshot.to_string())
        .bind(&self.read.table)
        .bind(&self.read.door)
        .bind(self.outcome.name())
        .bind(i64::try_from(self.amount.rows).unwrap_or(i64::MAX))
        .bind(i64::try_from(self.amount.bytes).unwrap_or(i64::MAX))
        .bind(now)
        .execute(tx.connection())
        .await
        .map_err(storage("list the distribution"))?;
        Ok(added.rows_affected() > 0)
    }
}

fn read_event(action: AuditAction, principal: &Principal, pull: PullId, read: &TableRead) -> Event {
    let resource = Resource::new("table", shortened(&read.table, 200));
    Event::success(action, &principal.reader_of(&read.study), resource)
        .with("pull", pull.to_string())
        .with("door", shortened(&read.door, 40))
        .with("study", read.study.as_str())
        .with("snapshot", read.snapshot.to_string())
        .traced(&read.trace)
}
