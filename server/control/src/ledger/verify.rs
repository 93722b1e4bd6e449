//! Verification: every stored byte of a log is read and hashed again, and everything beside the leaves has to
//! agree with them. A chain alone cannot show that its tail was cut off together with its head, nor that a
//! suffix was written anew with fresh hashes; that takes anchors outside of the machine.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::TenantId;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::instant::parse_timestamp;
use crate::ledger::append::CLOCK_TOLERANCE;
use crate::ledger::hash::{NO_HASH, entry_hash};
use crate::ledger::leaf::Leaf;
use crate::ledger::log::Log;
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

/// Something wrong in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The first bad index, counted from zero; for the head, the number of events.
    pub index: u64,
    /// What is wrong there.
    pub kind: FaultKind,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The file of the log is gone.
    FileMissing,
    /// The row is not of the form that the program writes.
    Unreadable,
    /// The next event is not here.
    Sequence,
    /// The stored bytes have another hash than the stored one.
    EntryHash,
    /// The stored bytes are not canonical, or not a leaf.
    NotCanonical,
    /// The event belongs to another log.
    Binding,
    /// The event does not follow its predecessor.
    PrevHash,
    /// A column differs from the leaf.
    Column(&'static str),
    /// The event lies before its predecessor.
    ClockBackwards,
    /// The head is missing, or says another size or hash than the events.
    Head,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileMissing => f.write_str("the file of the log is missing"),
            Self::Unreadable => f.write_str("the row is not of the expected form"),
            Self::Sequence => f.write_str("an event is missing"),
            Self::EntryHash => f.write_str("the stored bytes do not have the stored hash"),
            Self::NotCanonical => f.write_str("the stored bytes are not a canonical leaf"),
            Self::Binding => f.write_str("the event belongs to another log"),
            Self::PrevHash => f.write_str("the event does not follow its predecessor"),
            Self::Column(name) => write!(f, "the column `{name}` differs from the leaf"),
            Self::ClockBackwards => f.write_str("the event lies before its predecessor"),
            Self::Head => f.write_str("the head does not agree with the events"),
        }
    }
}

impl Control {
    /// Verifies one tenant's log.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is no such tenant, or the file cannot be read at all. What is
    /// wrong in the log is in the report.
    pub async fn verify_tenant(&self, tenant: TenantId) -> Result<VerifyReport, ControlError> {
        let log = Log::Tenant(tenant);
        if !self.store().has_tenant_file(tenant) && self.tenant_ids().await?.contains(&tenant) {
            return Ok(Chain::new(log).report(Some(Fault { index: 0, kind: FaultKind::FileMissing })));
        }
        let database = self.store().tenant(tenant).await?;
        verify(&mut *database.view().await?, log).await
    }

    /// Verifies the system's log.
    ///
    /// # Errors
    /// When the file cannot be read at all.
    pub async fn verify_system(&self) -> Result<VerifyReport, ControlError> {
        verify(&mut *self.store().system().view().await?, Log::System).await
    }

    /// Verifies every log: the system's, then each tenant's in the order of their ids.
    ///
    /// # Errors
    /// When a file cannot be read at all.
    pub async fn verify_all(&self) -> Result<Vec<VerifyReport>, ControlError> {
        let mut reports = vec![self.verify_system().await?];
        for tenant in self.tenant_ids().await? {
            reports.push(self.verify_tenant(tenant).await?);
        }
        Ok(reports)
    }
}

async fn verify(connection: &mut Connection, log: Log) -> Result<VerifyReport, ControlError> {
    let mut chain = Chain::new(log);
    let stray: Option<i64> = sqlx::query_scalar("SELECT MIN(seq) FROM audit_events WHERE log <> $1")
        .bind(log.origin())
        .fetch_one(&mut *connection)
        .await
        .map_err(storage(STEP))?;
    let stray = stray.map(|seq| Fault { index: u64::try_from(seq).unwrap_or(0), kind: FaultKind::Binding });
    let mut last_seq = i64::MIN;
    loop {
        let rows = read_rows(connection, log, last_seq).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let index = chain.size;
            let checked = match stray {
                Some(fault) if fault.index <= index => Err(fault.kind),
                _ => Stored::read(row).map_err(|_| FaultKind::Unreadable).and_then(|stored| {
                    last_seq = stored.seq;
                    chain.take(&stored)
                }),
            };
            if let Err(kind) = checked {
                return Ok(chain.report(Some(Fault { index, kind })));
            }
        }
    }
    let heads: Vec<(String, i64, String)> = sqlx::query_as("SELECT log, size, last_hash FROM audit_head")
        .fetch_all(connection)
        .await
        .map_err(storage(STEP))?;
    let head = chain.head_fault(&heads);
    Ok(chain.report(stray.or(head)))
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

/// The events that were found good, so far.
struct Chain {
    log: Log,
    size: u64,
    last_hash: String,
    last_at: Option<DateTime<Utc>>,
}

impl Chain {
    fn new(log: Log) -> Self {
        Self { log, size: 0, last_hash: NO_HASH.to_owned(), last_at: None }
    }

    /// Takes the next row, or says what is wrong with it.
    fn take(&mut self, stored: &Stored) -> Result<(), FaultKind> {
        if u64::try_from(stored.seq) != Ok(self.size) {
            return Err(FaultKind::Sequence);
        }
        if entry_hash(&stored.leaf) != stored.entry_hash {
            return Err(FaultKind::EntryHash);
        }
        let leaf = Leaf::parse(&stored.leaf).ok_or(FaultKind::NotCanonical)?;
        let tenant = self.log.tenant().map(|tenant| tenant.to_string());
        if leaf.log != self.log.origin() || leaf.tenant_id != tenant {
            return Err(FaultKind::Binding);
        }
        if let Some(name) = stored.differing_column(&leaf) {
            return Err(FaultKind::Column(name));
        }
        if leaf.prev_hash != self.last_hash {
            return Err(FaultKind::PrevHash);
        }
        let at = parse_timestamp(&leaf.at).ok_or(FaultKind::NotCanonical)?;
        if self.last_at.is_some_and(|last| last - at > CLOCK_TOLERANCE) {
            return Err(FaultKind::ClockBackwards);
        }
        self.size += 1;
        self.last_hash.clone_from(&stored.entry_hash);
        self.last_at = Some(at);
        Ok(())
    }

    fn head_fault(&self, heads: &[(String, i64, String)]) -> Option<Fault> {
        let agrees = match heads {
            [(log, size, last_hash)] => {
                *log == self.log.origin()
                    && u64::try_from(*size) == Ok(self.size)
                    && *last_hash == self.last_hash
            }
            _ => false,
        };
        (!agrees).then_some(Fault { index: self.size, kind: FaultKind::Head })
    }

    fn report(self, fault: Option<Fault>) -> VerifyReport {
        let (log, tenant) = (self.log.origin(), self.log.tenant());
        VerifyReport { log, tenant, size: self.size, last_hash: self.last_hash, fault }
    }
}
