//! Verification: every stored byte of a log is read and hashed again, and everything beside the leaves has to
//! agree with them: columns, head, checkpoints and the anchor's copy. The chain shows what was changed in the
//! middle; that its end was cut off together with its head, or a suffix written anew with fresh hashes, only
//! checkpoints show, and only as far as there are any.

#[cfg(test)]
mod tests;

use kernel::TenantId;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::ledger::chain::{Chain, Fault, FaultKind};
use crate::ledger::commitments::{Commitments, Start};
use crate::ledger::event::{AuditAction, Event, Outcome, Resource};
use crate::ledger::hash::entry_hash;
use crate::ledger::leaf::Leaf;
use crate::ledger::log::Log;
use crate::ledger::tree::leaf_hash;
use crate::outbox::Draft;
use crate::store::Connection;

const STEP: &str = "read the ledger";
const ROWS_AT_A_TIME: i64 = 500;

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The log's name.
    pub log: String,
    /// Whose log; `None` for the system's.
    pub tenant: Option<TenantId>,
    /// How many events, from the first, are proved good.
    pub size: u64,
    /// The hash of the last good event; 64 zeros when there is none.
    pub last_hash: String,
    /// How many checkpoints agree with the events.
    pub checkpoints: u64,
    /// How many events the anchor holds; `None` without an anchor, or when it holds none.
    pub anchored: Option<u64>,
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_intact(&self) -> bool {
        self.fault.is_none()
    }
}

impl Control {
    /// Verifies one tenant's log.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is no such tenant, or the file cannot be read at all. What is
    /// wrong in the log is in the report.
    pub async fn verify_tenant(&self, tenant: TenantId) -> Result<VerifyReport, ControlError> {
        self.verify_log(Log::Tenant(tenant), Start::First).await
    }

    /// Verifies the system's log.
    ///
    /// # Errors
    /// When the file cannot be read at all.
    pub async fn verify_system(&self) -> Result<VerifyReport, ControlError> {
        self.verify_log(Log::System, Start::First).await
    }

    /// Verifies every log: the system's, then each tenant's in the order of their ids.
    ///
    /// # Errors
    /// When a file cannot be read at all.
    pub async fn verify_all(&self) -> Result<Vec<VerifyReport>, ControlError> {
        self.verify_logs(Start::First).await
    }

    /// Verifies what every log has gained since its last checkpoint. What lies before was verified when the
    /// checkpoint was made; that it is still so is for [`Control::verify_all`].
    ///
    /// # Errors
    /// When a file cannot be read at all.
    pub async fn verify_new(&self) -> Result<Vec<VerifyReport>, ControlError> {
        self.verify_logs(Start::LastCheckpoint).await
    }

    /// Records in the system's log what a verification of several logs found.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub async fn record_verification(
        &self,
        actor: &Actor,
        reports: &[VerifyReport],
    ) -> Result<(), ControlError> {
        let broken = reports.iter().find_map(|report| Some((&report.log, report.fault?)));
        let outcome = if broken.is_some() { Outcome::Failed } else { Outcome::Success };
        let resource = Resource::new("ledger", "all");
        let mut event = Event::success(AuditAction::LogVerified, actor, resource)
            .ended(outcome)
            .with("logs", reports.len() as u64)
            .with("events", reports.iter().map(|report| report.size).sum::<u64>());
        if let Some((log, fault)) = broken {
            event = event
                .with("first_bad_log", log.as_str())
                .with("first_bad_event", fault.index)
                .with("found", fault.kind.to_string());
        }
        self.store().system().begin().await?.record(event).await?.commit().await?;
        for report in reports {
            if let (Some(fault), Some(Log::Tenant(tenant))) = (report.fault, Log::of_origin(&report.log)) {
                self.tell_of_broken_log(tenant, fault).await?;
            }
        }
        Ok(())
    }

    /// Tells whom it concerns that a tenant's log does not verify. Nothing is added to that log.
    async fn tell_of_broken_log(&self, tenant: TenantId, fault: Fault) -> Result<(), ControlError> {
        let database = match self.store().tenant(tenant).await {
            Ok(database) => database,
            // There is nothing to write into. The system's log and the operator's alarm tell of it.
            Err(_) => return Ok(()),
        };
        let mut tx = database.begin_upkeep().await?;
        let (now, found) = (tx.now(), fault.kind.to_string());
        Draft::of_broken_log(tenant, (fault.index, &found)).send(tx.connection(), now).await?;
        tx.commit().await
    }

    async fn verify_logs(&self, start: Start) -> Result<Vec<VerifyReport>, ControlError> {
        let mut reports = vec![self.verify_log(Log::System, start).await?];
        for tenant in self.tenant_ids().await? {
            reports.push(self.verify_log(Log::Tenant(tenant), start).await?);
        }
        Ok(reports)
    }

    async fn verify_log(&self, log: Log, start: Start) -> Result<VerifyReport, ControlError> {
        // What was committed to is read before the log, which therefore holds at least as much.
        let commitments = Commitments::read(self, log, start).await?;
        match log {
            Log::System => verify(&mut *self.store().system().view().await?, commitments).await,
            Log::Tenant(tenant) => {
                if !self.store().has_tenant_file(tenant) && self.tenant_ids().await?.contains(&tenant) {
                    return Ok(commitments.report(Some(Fault { index: 0, kind: FaultKind::FileMissing })));
                }
                let database = match self.store().tenant(tenant).await {
                    Err(
                        ControlError::LogBehind { .. }
                        | ControlError::LogForked { .. }
                        | ControlError::AnchorUnusable { .. },
                    ) => self.store().tenant_as_found(tenant).await?,
                    opened => opened?,
                };
                verify(&mut *database.view().await?, commitments).await
            }
        }
    }
}

async fn verify(
    connection: &mut Connection,
    mut told: Commitments<'_>,
) -> Result<VerifyReport, ControlError> {
    let log = told.chain.log();
    let stray: Option<i64> = sqlx::query_scalar("SELECT MIN(seq) FROM audit_events WHERE log <> $1")
        .bind(log.origin())
        .fetch_one(&mut *connection)
        .await
        .map_err(storage(STEP))?;
    let stray = stray.map(|seq| Fault { index: u64::try_from(seq).unwrap_or(0), kind: FaultKind::Binding });
    let mut last_seq = if told.chain.size() == 0 { i64::MIN } else { told.last_seq() };
    loop {
        let rows = read_rows(connection, log, last_seq).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let index = told.chain.size();
            let checked = match stray {
                Some(fault) if fault.index <= index => Err(fault.kind),
                _ => Stored::read(row).map_err(|_| FaultKind::Unreadable).and_then(|stored| {
                    last_seq = stored.seq;
                    take(&mut told.chain, &stored)
                }),
            };
            let leaf = match checked {
                Ok(leaf) => leaf,
                Err(kind) => return Ok(told.report(Some(Fault { index, kind }))),
            };
            if let Some(fault) = told.compare(connection, &leaf).await? {
                return Ok(told.report(Some(fault)));
            }
        }
    }
    let end = told.chain.size();
    let fault = stray.or(told.shortened());
    let fault = match fault {
        None if !head_agrees(connection, &told.chain).await? => {
            Some(Fault { index: end, kind: FaultKind::Head })
        }
        fault => fault.or(told.anchor_fault()),
    };
    Ok(told.report(fault))
}

/// Takes the next row, or says what is wrong with it.
fn take(chain: &mut Chain, stored: &Stored) -> Result<Leaf, FaultKind> {
    if u64::try_from(stored.seq) != Ok(chain.size()) {
        return Err(FaultKind::Sequence);
    }
    if entry_hash(&stored.leaf) != stored.entry_hash {
        return Err(FaultKind::EntryHash);
    }
    let leaf = chain.read(&stored.leaf)?;
    if let Some(name) = stored.differing_column(&leaf) {
        return Err(FaultKind::Column(name));
    }
    chain.follow(&leaf, leaf_hash(&stored.leaf))?;
    Ok(leaf)
}

async fn head_agrees(connection: &mut Connection, chain: &Chain) -> Result<bool, ControlError> {
    let rows = sqlx::query("SELECT log, size, last_hash, frontier FROM audit_head")
        .fetch_all(connection)
        .await
        .map_err(storage(STEP))?;
    let [row] = rows.as_slice() else { return Ok(false) };
    let agrees = || {
        let size: i64 = row.try_get("size")?;
        let (log, last_hash): (String, String) = (row.try_get("log")?, row.try_get("last_hash")?);
        let frontier: Option<Vec<u8>> = row.try_get("frontier")?;
        Ok::<_, sqlx::Error>(
            log == chain.log().origin()
                && u64::try_from(size) == Ok(chain.size())
                && last_hash == chain.last_hash()
                && frontier.is_some_and(|frontier| frontier == chain.tree().to_bytes()),
        )
    };
    Ok(agrees().unwrap_or(false))
}

async fn read_rows(connection: &mut Connection, log: Log, after: i64) -> Result<Vec<AnyRow>, ControlError> {
    sqlx::query(
        "SELECT seq, log, tenant_id, event_id, at, action, outcome, actor_type, actor_id, resource_type,
                resource_id, trace_id, prev_hash, entry_hash, leaf
         FROM audit_events WHERE log = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(log.origin())
    .bind(after)
    .bind(ROWS_AT_A_TIME)
    .fetch_all(connection)
    .await
    .map_err(storage(STEP))
}

/// A row as it is stored: the leaf's bytes, and the columns that repeat parts of it.
struct Stored {
    seq: i64,
    entry_hash: String,
    leaf: Vec<u8>,
    columns: [(&'static str, Option<String>); 12],
}

impl Stored {
    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let column = |name: &'static str| Ok::<_, sqlx::Error>((name, row.try_get(name)?));
        Ok(Self {
            seq: row.try_get("seq")?,
            entry_hash: row.try_get("entry_hash")?,
            leaf: row.try_get("leaf")?,
            columns: [
                column("log")?,
                column("tenant_id")?,
                column("event_id")?,
                column("at")?,
                column("action")?,
                column("outcome")?,
                column("actor_type")?,
                column("actor_id")?,
                column("resource_type")?,
                column("resource_id")?,
                column("trace_id")?,
                column("prev_hash")?,
            ],
        })
    }

    /// The first column that says something else than the leaf.
    fn differing_column(&self, leaf: &Leaf) -> Option<&'static str> {
        let expected = [
            Some(&leaf.log),
            leaf.tenant_id.as_ref(),
            Some(&leaf.event_id),
            Some(&leaf.at),
            Some(&leaf.action),
            Some(&leaf.outcome),
            Some(&leaf.actor.kind),
            Some(&leaf.actor.id),
            Some(&leaf.resource.kind),
            Some(&leaf.resource.id),
            leaf.trace_id.as_ref(),
            Some(&leaf.prev_hash),
        ];
        let differing =
            self.columns.iter().zip(expected).find(|((_, found), wanted)| found.as_ref() != *wanted);
        if self.seq == leaf.seq { differing.map(|((name, _), _)| *name) } else { Some("seq") }
    }
}
