//! Appending an event, inside the caller's transaction.

use chrono::{DateTime, Utc};
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::chain::CLOCK_TOLERANCE;
use crate::ledger::event::Event;
use crate::ledger::hash::entry_hash;
use crate::ledger::leaf::{Leaf, MAX_LEAF_BYTES, Place};
use crate::ledger::log::Log;
use crate::ledger::rows::{End, Head, index};
use crate::ledger::tree::leaf_hash;
use crate::store::{Connection, is_served};

const STEP: &str = "append to the ledger";

/// Appends `event` to `log`, which ends at `end`, and gives its id and where the log ends now. Whoever calls holds the log's
/// write lock, and adds at most the messages about the event afterwards.
pub(crate) async fn append(
    connection: &mut Connection,
    log: Log,
    end: End,
    event: Event,
    now: DateTime<Utc>,
) -> Result<(String, End), ControlError> {
    let Head { size, last_hash, tree } = end.head;
    let mut tree = tree.ok_or_else(|| ControlError::HeadMissing { log: log.origin() })?;
    refuse_clock_behind(log, end.last_at.as_deref(), now)?;

    let event_id = fresh::uuid(now)?.to_string();
    let place = Place { log, seq: index(size), prev_hash: last_hash, event_id, at: timestamp(now) };
    let leaf = Leaf::new(place, event);
    let bytes = leaf.to_bytes();
    if bytes.len() > MAX_LEAF_BYTES {
        return Err(ControlError::LeafTooLarge { size: bytes.len() });
    }
    tree.push(leaf_hash(&bytes));
    let last_hash = entry_hash(&bytes);
    write_down(connection, &leaf, bytes, &last_hash, tree.to_bytes()).await.map_err(storage(STEP))?;
    let head = Head { size: size + 1, last_hash, tree: Some(tree) };
    Ok((leaf.event_id, End { head, last_at: Some(leaf.at) }))
}

/// An event that lies before its predecessor would make the log fail its verification for ever.
fn refuse_clock_behind(log: Log, last: Option<&str>, now: DateTime<Utc>) -> Result<(), ControlError> {
    let Some(last) = last else { return Ok(()) };
    let behind = parse_timestamp(last).ok_or(()).map_err(corrupt("event's time"))? - now;
    if behind > CLOCK_TOLERANCE {
        return Err(ControlError::ClockBehind { log: log.origin(), seconds: behind.num_seconds() });
    }
    Ok(())
}

/// Writes the row of a leaf, and moves the head behind it: on a way there and back to a server, or to the thread of a file.
async fn write_down(
    connection: &mut Connection,
    leaf: &Leaf,
    bytes: Vec<u8>,
    hash: &str,
    frontier: Vec<u8>,
) -> Result<(), sqlx::Error> {
    let statement = if is_served(connection) { APPEND_TO_SERVER } else { APPEND_TO_FILE };
    bound(statement, leaf, bytes, hash).bind(frontier).execute(connection).await.map(|_| ())
}

const APPEND_TO_SERVER: &str =
    "SELECT append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

const APPEND_TO_FILE: &str =
    "INSERT INTO audit_events (log, seq, tenant_id, event_id, at, action, outcome, actor_type, actor_id,
                               resource_type, resource_id, trace_id, prev_hash, entry_hash, leaf)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
     UPDATE audit_head SET size = $2 + 1, last_hash = $14, frontier = $16 WHERE log = $1";

/// Writes the row of a leaf to a file, and leaves the head where it is.
#[cfg(test)]
pub(super) async fn insert(
    connection: &mut Connection,
    leaf: &Leaf,
    bytes: Vec<u8>,
    hash: &str,
) -> Result<(), sqlx::Error> {
    let (insert, _) = APPEND_TO_FILE.split_once(';').expect("these are two statements");
    bound(insert, leaf, bytes, hash).execute(connection).await.map(|_| ())
}

/// A statement whose first fifteen parameters are the columns of a leaf's row.
fn bound<'q>(
    statement: &'static str,
    leaf: &'q Leaf,
    bytes: Vec<u8>,
    hash: &'q str,
) -> Query<'q, Any, AnyArguments> {
    sqlx::query(statement)
        .bind(&leaf.log)
        .bind(leaf.seq)
        .bind(&leaf.tenant_id)
        .bind(&leaf.event_id)
        .bind(&leaf.at)
        .bind(&leaf.action)
        .bind(&leaf.outcome)
        .bind(&leaf.actor.kind)
        .bind(&leaf.actor.id)
        .bind(&leaf.resource.kind)
        .bind(&leaf.resource.id)
        .bind(&leaf.trace_id)
        .bind(&leaf.prev_hash)
        .bind(hash)
        .bind(bytes)
}
