//! Idempotency keys: a request that names one is done once, however often it is sent. The key is written in the
//! transaction of what the request does, so that a crash leaves both or neither; of requests that are sent at once, one
//! commits, and the others are rolled back and given its answer.
//!
//! [`Control::do_once`] says for which request a future works. Whatever that commits with an event uses the key up.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, TenantId};

use crate::control::Control;
use crate::error::{ControlError, storage};
use crate::fresh;
use crate::instant::timestamp;
use crate::ledger::{Log, hex_sha256};
use crate::store::Connection;

const STEP: &str = "look the idempotency key up";
/// How long a key is remembered.
const LIFETIME: TimeDelta = TimeDelta::hours(24);

tokio::task_local! {
    static AT_WORK: KeyedRequest;
}

/// A request that names a key.
#[derive(Debug, Clone)]
pub struct KeyedRequest {
    tenant: TenantId,
    key: String,
    sha256: String,
    use_id: String,
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Location`.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownKey {
    /// Nothing.
    Unused,
    /// The same request was answered so.
    Answered(StoredAnswer),
    /// The same request is being answered, or its answer was lost.
    Open,
    /// Another request named it.
    Other,
}

impl KeyedRequest {
    /// A request of an account, told from others by its method, its path and its body. Another account's key of the same
    /// name is another key: nobody learns from an answer what others have sent.
    ///
    /// # Errors
    /// [`ControlError::Entropy`].
    pub fn new(
        (tenant, account): (TenantId, AccountId),
        key: &str,
        (method, path, body): (&str, &str, &[u8]),
    ) -> Result<Self, ControlError> {
        let mut told = format!("{account}\n{method}\n{}\n{path}\n", path.len()).into_bytes();
        told.extend_from_slice(body);
        let use_id = format!("{:032x}", u128::from_be_bytes(fresh::bytes()?));
        let key = hex_sha256(format!("{account}\n{key}").as_bytes());
        Ok(Self { tenant, key, sha256: hex_sha256(&told), use_id })
    }
}

impl Control {
    /// What is known of a request's key.
    ///
    /// # Errors
    /// When it cannot be read from the store.
    pub async fn find_key(&self, request: &KeyedRequest) -> Result<KnownKey, ControlError> {
        type Columns = (String, Option<i64>, Option<String>, Option<String>);
        let found: Option<Columns> = sqlx::query_as(
            "SELECT request_sha256, status, location, answer FROM idempotency_keys
             WHERE idempotency_key = $1 AND expires_at > $2",
        )
        .bind(&request.key)
        .bind(timestamp(self.clock().now()))
        .fetch_optional(&mut *self.store().tenant(request.tenant).await?.view().await?)
        .await
        .map_err(storage(STEP))?;
        let Some((sha256, status, location, answer)) = found else { return Ok(KnownKey::Unused) };
        if sha256 != request.sha256 {
            return Ok(KnownKey::Other);
        }
        let status = status.and_then(|status| u16::try_from(status).ok());
        Ok(match (status, answer) {
            (Some(status), Some(body)) => KnownKey::Answered(StoredAnswer { status, location, body }),
            _ => KnownKey::Open,
        })
    }

    /// Does what a request asks for: the first transaction that it commits with an event uses the key up. When another
    /// request was faster, that transaction fails with [`ControlError::KeyTaken`] and nothing of it is kept.
    pub async fn do_once<T>(&self, request: &KeyedRequest, work: impl Future<Output = T>) -> T {
        AT_WORK.scope(request.clone(), work).await
    }

    /// Keeps what a request was answered. One that changed nothing has used its key up only by this.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep_answer(
        &self,
        request: &KeyedRequest,
        answer: &StoredAnswer,
    ) -> Result<(), ControlError> {
        const STEP: &str = "keep the answer";
        let mut tx = self.store().tenant(request.tenant).await?.begin_upkeep().await?;
        let now = tx.now();
        insert(tx.connection(), request, now).await.map_err(storage(STEP))?;
        sqlx::query(
            "UPDATE idempotency_keys SET status = $1, location = $2, answer = $3
             WHERE idempotency_key = $4 AND use_id = $5",
        )
        .bind(i64::from(answer.status))
        .bind(&answer.location)
        .bind(&answer.body)
        .bind(&request.key)
        .bind(&request.use_id)
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        tx.commit().await
    }

    /// Forgets the keys of a tenant whose time is over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_keys(&self, tenant: TenantId) -> Result<u64, ControlError> {
        const STEP: &str = "forget old idempotency keys";
        let mut tx = self.store().tenant(tenant).await?.begin_upkeep().await?;
        let now = timestamp(tx.now());
        let forgotten = sqlx::query("DELETE FROM idempotency_keys WHERE expires_at <= $1")
            .bind(now)
            .execute(tx.connection())
            .await
            .map_err(storage(STEP))?;
        tx.commit().await?;
        Ok(forgotten.rows_affected())
    }
}

/// Uses up the key of the request that this task works for, if it names one, within the caller's transaction.
pub(crate) async fn use_key(
    connection: &mut Connection,
    log: Log,
    now: DateTime<Utc>,
) -> Result<(), ControlError> {
    let Ok(request) = AT_WORK.try_with(Clone::clone) else { return Ok(()) };
    // What a request does elsewhere, such as in the system's log, is told by what it does in its tenant.
    if log.tenant() != Some(request.tenant) {
        return Ok(());
    }
    sqlx::query("DELETE FROM idempotency_keys WHERE idempotency_key = $1 AND expires_at <= $2")
        .bind(&request.key)
        .bind(timestamp(now))
        .execute(&mut *connection)
        .await
        .map_err(storage(STEP))?;
    if insert(connection, &request, now).await.map_err(storage(STEP))? {
        return Ok(());
    }
    // A request may commit more than once.
    let holder: String = sqlx::query_scalar("SELECT use_id FROM idempotency_keys WHERE idempotency_key = $1")
        .bind(&request.key)
        .fetch_one(connection)
        .await
        .map_err(storage(STEP))?;
    if holder == request.use_id { Ok(()) } else { Err(ControlError::KeyTaken) }
}

async fn insert(
    connection: &mut Connection,
    request: &KeyedRequest,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let added = sqlx::query(
        "INSERT INTO idempotency_keys (idempotency_key, request_sha256, use_id, used_at, expires_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(&request.key)
    .bind(&request.sha256)
    .bind(&request.use_id)
    .bind(timestamp(now))
    .bind(timestamp(now + LIFETIME))
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}
