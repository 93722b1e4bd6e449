//! Appending an event, inside the caller's transaction.

use chrono::{DateTime, Utc};

use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::chain::CLOCK_TOLERANCE;
use crate::ledger::event::Event;
use crate::ledger::hash::entry_hash;
use crate::ledger::leaf::{Leaf, MAX_LEAF_BYTES, Place};
use crate::ledger::log::Log;
use crate::ledger::rows::{self, index};
use crate::ledger::tree::leaf_hash;
use crate::store::Connection;

const STEP: &str = "append to the ledger";

/// Appends `event` to `log`, and gives its id. Whoever calls holds the log's write lock, and adds at most the messages
/// about the event afterwards.
pub(crate) async fn append(
    connection: &mut Connection,
    log: Log,
    event: Event,
    now: DateTime<Utc>,
) -> Result<String, ControlError> {
    let (head, last_at) = rows::locked_head(connection, log).await?;
    let mut tree = head.tree.ok_or_else(|| ControlError::HeadMissing { log: log.origin() })?;
    let (seq, prev_hash) = (index(head.size), head.last_hash);
    refuse_clock_behind(log, last_at.as_deref(), now)?;

    let event_id = fresh::uuid(now)?.to_string();
    let leaf = Leaf::new(Place { log, seq, prev_hash, event_id, at: timestamp(now) }, event);
    let bytes = leaf.to_bytes();
    if bytes.len() > MAX_LEAF_BYTES {
        return Err(ControlError::LeafTooLarge { size: bytes.len() });
    }
    tree.push(leaf_hash(&bytes));
    let hash = entry_hash(&bytes);
    insert(connection, &leaf, bytes, &hash).await?;
    let event_id = leaf.event_id.clone();
    sqlx::query("UPDATE audit_head SET size = $1, last_hash = $2, frontier = $3 WHERE log = $4")
        .bind(seq + 1)
        .bind(hash)
        .bind(tree.to_bytes())
        .bind(leaf.log)
        .execute(connection)
        .await
        .map(|_| event_id)
        .map_err(storage(STEP))
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

/// Writes the row of a leaf.
pub(super) async fn insert(
    connection: &mut Connection,
    leaf: &Leaf,
    bytes: Vec<u8>,
    hash: &str,
) -> Result<(), ControlError> {
    sqlx::query(
        "INSERT INTO audit_events (log, seq, tenant_id, event_id, at, action, outcome, actor_type, actor_id,
                                   resource_type, resource_id, trace_id, prev_hash, entry_hash, leaf)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
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
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(storage(STEP))
}
