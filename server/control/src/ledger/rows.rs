//! Reading a log's rows: its head, its leaves in order, and the checkpoints that were kept of it.

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::error::{ControlError, corrupt, storage};
use crate::instant::parse_timestamp;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::hash::hash_of_hex;
use crate::ledger::log::Log;
use crate::ledger::tree::{Frontier, HASH_BYTES, Hash, leaf_hash};
use crate::store::Connection;

const STEP: &str = "read the ledger";
const LEAVES_AT_A_TIME: i64 = 500;

/// Where a log ends.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) last_hash: String,
    /// `None` only in a file that no program of this version has opened.
    pub(crate) tree: Option<Frontier>,
}

/// The head of a log.
pub(crate) async fn head(connection: &mut Connection, log: Log) -> Result<Head, ControlError> {
    let row = sqlx::query("SELECT size, last_hash, frontier FROM audit_head WHERE log = $1")
        .bind(log.origin())
        .fetch_optional(connection)
        .await
        .map_err(storage(STEP))?
        .ok_or_else(|| ControlError::HeadMissing { log: log.origin() })?;
    read_head(&row)
}

/// Where a log ends, for who appends.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) head: Head,
    /// When the last event was.
    pub(crate) last_at: Option<String>,
}

/// Where a log ends, for who holds its write lock. A server tells it with the lock (`enter_log` in `migrations/postgres`).
pub(crate) async fn end(connection: &mut Connection, log: Log) -> Result<End, ControlError> {
    let row = sqlx::query(
        "SELECT size, last_hash, frontier,
                (SELECT at FROM audit_events WHERE log = $1 AND seq = audit_head.size - 1) AS last_at
         FROM audit_head WHERE log = $1",
    )
    .bind(log.origin())
    .fetch_optional(connection)
    .await
    .map_err(storage(STEP))?
    .ok_or_else(|| ControlError::HeadMissing { log: log.origin() })?;
    read_end(&row)
}

/// Reads the columns `size`, `last_hash`, `frontier` and `last_at`.
pub(crate) fn read_end(row: &AnyRow) -> Result<End, ControlError> {
    Ok(End { head: read_head(row)?, last_at: row.try_get("last_at").map_err(storage(STEP))? })
}

fn read_head(row: &AnyRow) -> Result<Head, ControlError> {
    let size = count(row.try_get("size").map_err(storage(STEP))?)?;
    let frontier: Option<Vec<u8>> = row.try_get("frontier").map_err(storage(STEP))?;
    let read = |bytes: Vec<u8>| {
        Frontier::from_bytes(size, &bytes).ok_or(()).map_err(corrupt("frontier of the log's head"))
    };
    let tree = frontier.map(read).transpose()?;
    Ok(Head { size, last_hash: row.try_get("last_hash").map_err(storage(STEP))?, tree })
}

/// The leaves of a log from index `from` on, a page at a time; empty at its end.
pub(crate) async fn leaves(
    connection: &mut Connection,
    log: Log,
    from: u64,
) -> Result<Vec<Vec<u8>>, ControlError> {
    let rows = sqlx::query_scalar(
        "SELECT leaf FROM audit_events WHERE log = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
    );
    rows.bind(log.origin())
        .bind(index(from))
        .bind(LEAVES_AT_A_TIME)
        .fetch_all(connection)
        .await
        .map_err(storage(STEP))
}

/// The tree over every stored leaf of a log.
pub(crate) async fn tree(connection: &mut Connection, log: Log) -> Result<Frontier, ControlError> {
    let mut tree = Frontier::new();
    loop {
        let page = leaves(connection, log, tree.size()).await?;
        if page.is_empty() {
            return Ok(tree);
        }
        page.iter().for_each(|leaf| tree.push(leaf_hash(leaf)));
    }
}

/// One leaf; `None` when it is not there.
pub(crate) async fn leaf(
    connection: &mut Connection,
    log: Log,
    seq: u64,
) -> Result<Option<Vec<u8>>, ControlError> {
    sqlx::query_scalar("SELECT leaf FROM audit_events WHERE log = $1 AND seq = $2")
        .bind(log.origin())
        .bind(index(seq))
        .fetch_optional(connection)
        .await
        .map_err(storage(STEP))
}

/// How many events a log has, whatever its head says.
pub(crate) async fn count_of(connection: &mut Connection, log: Log) -> Result<u64, ControlError> {
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM audit_events WHERE log = $1")
        .bind(log.origin())
        .fetch_one(connection)
        .await
        .map_err(storage(STEP))?;
    count(rows)
}

/// The hashes of a log's entries from index `from` on, as they are stored, a page at a time; empty at its end.
pub(crate) async fn hashes(
    connection: &mut Connection,
    log: Log,
    from: u64,
) -> Result<Vec<Hash>, ControlError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT entry_hash FROM audit_events WHERE log = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
    )
    .bind(log.origin())
    .bind(index(from))
    .bind(8 * LEAVES_AT_A_TIME)
    .fetch_all(connection)
    .await
    .map_err(storage(STEP))?;
    rows.iter().map(|hash| hash_of_hex(hash).ok_or(()).map_err(corrupt("hash of an entry"))).collect()
}

/// The time of one event; `None` when it is not there.
pub(crate) async fn time_of(
    connection: &mut Connection,
    log: Log,
    seq: u64,
) -> Result<Option<DateTime<Utc>>, ControlError> {
    let at: Option<String> = sqlx::query_scalar("SELECT at FROM audit_events WHERE log = $1 AND seq = $2")
        .bind(log.origin())
        .bind(index(seq))
        .fetch_optional(connection)
        .await
        .map_err(storage(STEP))?;
    at.map(|at| parse_timestamp(&at).ok_or(()).map_err(corrupt("event's time"))).transpose()
}

/// A checkpoint as it is kept in the system file.
#[derive(Debug, Clone)]
pub(crate) struct KeptCheckpoint {
    pub(crate) size: u64,
    pub(crate) root: String,
    pub(crate) last_hash: String,
    pub(crate) frontier: Vec<u8>,
    pub(crate) note: String,
}

impl KeptCheckpoint {
    /// The checkpoint that the columns stand for; `None` when they do not fit each other.
    pub(crate) fn checkpoint(&self, log: Log) -> Option<(Checkpoint, Frontier)> {
        let tree = Frontier::from_bytes(self.size, &self.frontier)?;
        let root = hash_of_hex(&self.root)?;
        (tree.root() == root).then(|| (Checkpoint { origin: log.origin(), size: self.size, root }, tree))
    }
}

/// The kept checkpoints of a log whose sizes lie behind `after` and not behind `last`, a page at a time.
pub(crate) async fn checkpoints(
    system: &mut Connection,
    log: Log,
    after: u64,
    last: u64,
) -> Result<Vec<KeptCheckpoint>, ControlError> {
    let rows = sqlx::query(
        "SELECT size, root, last_hash, frontier, note FROM audit_checkpoints
         WHERE log = $1 AND size > $2 AND size <= $3 ORDER BY size LIMIT 500",
    )
    .bind(log.origin())
    .bind(index(after))
    .bind(index(last))
    .fetch_all(system)
    .await
    .map_err(storage(STEP))?;
    rows.iter()
        .map(|row| {
            Ok(KeptCheckpoint {
                size: count(row.try_get("size").map_err(storage(STEP))?)?,
                root: row.try_get("root").map_err(storage(STEP))?,
                last_hash: row.try_get("last_hash").map_err(storage(STEP))?,
                frontier: row.try_get("frontier").map_err(storage(STEP))?,
                note: row.try_get("note").map_err(storage(STEP))?,
            })
        })
        .collect()
}

/// The newest kept checkpoint of a log.
pub(crate) async fn last_checkpoint(
    system: &mut Connection,
    log: Log,
) -> Result<Option<KeptCheckpoint>, ControlError> {
    let size: Option<i64> = sqlx::query_scalar("SELECT MAX(size) FROM audit_checkpoints WHERE log = $1")
        .bind(log.origin())
        .fetch_one(&mut *system)
        .await
        .map_err(storage(STEP))?;
    let Some(size) = size.map(count).transpose()? else { return Ok(None) };
    Ok(checkpoints(system, log, size.saturating_sub(1), size).await?.pop())
}

/// The lines that witnesses have signed below one checkpoint.
pub(crate) async fn cosignatures(
    system: &mut Connection,
    log: Log,
    size: u64,
) -> Result<String, ControlError> {
    let lines: Vec<String> =
        sqlx::query_scalar("SELECT line FROM audit_cosignatures WHERE log = $1 AND size = $2 ORDER BY line")
            .bind(log.origin())
            .bind(index(size))
            .fetch_all(system)
            .await
            .map_err(storage(STEP))?;
    Ok(lines.concat())
}

/// The public halves of every key that has signed checkpoints here.
pub(crate) async fn public_keys(system: &mut Connection) -> Result<Vec<[u8; HASH_BYTES]>, ControlError> {
    let keys: Vec<String> =
        sqlx::query_scalar("SELECT public_key FROM ledger_keys ORDER BY created_at, public_key")
            .fetch_all(system)
            .await
            .map_err(storage(STEP))?;
    keys.iter().map(|key| hash_of_hex(key).ok_or(()).map_err(corrupt("public key of the ledger"))).collect()
}

/// A number of events as SQL holds it.
pub(crate) fn index(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn count(number: i64) -> Result<u64, ControlError> {
    u64::try_from(number).map_err(corrupt("number of events"))
}
