//! Sessions as they are stored.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{AccountId, TenantId};
use uuid::Uuid;

use super::Session;
use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::ids::SessionId;
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{hex, hex_sha256};
use crate::store::{Connection, TenantTx};

/// How long a browser may be silent.
pub const IDLE: TimeDelta = TimeDelta::minutes(15);
/// How long a session lasts at most, whatever is done with it.
pub const ABSOLUTE: TimeDelta = TimeDelta::hours(8);

/// How often the use of a session is written down. An idle session ends so much early at most.
const USE_EVERY: TimeDelta = TimeDelta::seconds(30);
/// How long an ended session stays listed.
const KEPT: TimeDelta = TimeDelta::days(90);

const COLUMNS: &str = "SELECT session_id, COALESCE(secret_hash, ''), account_id, method, started_at, \
     last_used_at, ends_at, ended_at, ended_why FROM sessions";

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A password.
    Password,
    /// A password and a code of an authenticator.
    PasswordAndCode,
    /// A password and one of the codes for when the authenticator is lost.
    PasswordAndRecoveryCode,
    /// The word of an identity provider.
    Oidc,
}

impl Method {
    /// Its name in the ledger and in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordAndCode => "password+code",
            Self::PasswordAndRecoveryCode => "password+recovery_code",
            Self::Oidc => "oidc",
        }
    }
}

/// What a cookie holds: the tenant's id, which says where to look, and 128 bits of chance.
#[derive(Clone)]
pub(crate) struct Secret {
    tenant: TenantId,
    text: String,
}

impl Secret {
    pub(crate) fn new(tenant: TenantId) -> Result<Self, ControlError> {
        let chance = hex(&fresh::bytes::<16>()?);
        Ok(Self { tenant, text: format!("{}.{chance}", tenant.as_uuid().simple()) })
    }

    /// The secret of a cookie; `None` when it has another form than ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (tenant, chance) = text.split_once('.')?;
        let digits =
            |text: &str| text.len() == 32 && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
        if !digits(tenant) || !digits(chance) {
            return None;
        }
        let tenant = TenantId::from_uuid(Uuid::try_parse(tenant).ok()?);
        Some(Self { tenant, text: text.to_owned() })
    }

    pub(crate) const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What is stored of it. Nobody guesses 128 bits, so that a plain hash is enough.
    fn hash(&self) -> String {
        hex_sha256(self.text.as_bytes())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What is kept of the address somebody came from: enough to tell that it is the same as before.
pub(crate) fn peer_hash(account: AccountId, peer: Option<IpAddr>) -> String {
    peer.map_or_else(String::new, |peer| hex_sha256(format!("{account}/{peer}").as_bytes()))
}

/// A session that is about to begin.
pub(crate) struct NewSession<'a> {
    pub(crate) account: AccountId,
    pub(crate) method: Method,
    pub(crate) peer: Option<IpAddr>,
    /// A browser's; a client has none.
    pub(crate) secret: Option<&'a Secret>,
}

impl NewSession<'_> {
    /// Keeps it, and forgets those that ended long ago.
    pub(crate) async fn insert(self, tx: &mut TenantTx) -> Result<SessionId, ControlError> {
        const STEP: &str = "begin a session";
        let now = tx.now();
        let id = SessionId::from_uuid(fresh::uuid(now)?);
        sqlx::query("DELETE FROM sessions WHERE ends_at < $1")
            .bind(timestamp(now - KEPT))
            .execute(tx.connection())
            .await
            .map_err(storage(STEP))?;
        sqlx::query(
            "INSERT INTO sessions (session_id, secret_hash, account_id, method, peer_hash, started_at, last_used_at,
                                   ends_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id.to_string())
        .bind(self.secret.map(Secret::hash))
        .bind(self.account.to_string())
        .bind(self.method.name())
        .bind(peer_hash(self.account, self.peer))
        .bind(timestamp(now))
        .bind(timestamp(now))
        .bind(timestamp(now + ABSOLUTE))
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
        // Sessions are forgotten; that an account was used is not.
        sqlx::query("UPDATE accounts SET last_used_at = $1 WHERE account_id = $2")
            .bind(timestamp(now))
            .bind(self.account.to_string())
            .execute(tx.connection())
            .await
            .map_err(storage(STEP))?;
        Ok(id)
    }
}

/// A session as it is stored.
pub(crate) struct SessionRow {
    pub(crate) session: Session,
}

type Columns = (String, String, String, String, String, String, String, Option<String>, Option<String>);

impl SessionRow {
    pub(crate) async fn by_secret(
        connection: &mut Connection,
        secret: &Secret,
    ) -> Result<Option<Self>, ControlError> {
        let query = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE secret_hash = $1"));
        let row: Option<Columns> = sqlx::query_as(query)
            .bind(secret.hash())
            .fetch_optional(connection)
            .await
            .map_err(storage("look the session up"))?;
        row.map(Self::read).transpose()
    }

    pub(crate) async fn find(
        connection: &mut Connection,
        id: SessionId,
    ) -> Result<Option<Self>, ControlError> {
        let query = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE session_id = $1"));
        let row: Option<Columns> = sqlx::query_as(query)
            .bind(id.to_string())
            .fetch_optional(connection)
            .await
            .map_err(storage("look the session up"))?;
        row.map(Self::read).transpose()
    }

    /// Newest first.
    pub(crate) async fn list(
        connection: &mut Connection,
        account: Option<AccountId>,
    ) -> Result<Vec<Self>, ControlError> {
        let query = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE account_id = $1 OR $1 = '' ORDER BY started_at DESC, session_id DESC"
        ));
        let rows: Vec<Columns> = sqlx::query_as(query)
            .bind(account.map_or_else(String::new, |account| account.to_string()))
            .fetch_all(connection)
            .await
            .map_err(storage("list the sessions"))?;
        rows.into_iter().map(Self::read).collect()
    }

    /// Whether what was made from it still holds. A token has a time of its own, so that a browser's silence does not
    /// end it.
    pub(crate) fn outlives(&self, now: DateTime<Utc>, account: AccountId) -> bool {
        let session = &self.session;
        session.account == account && session.ended.is_none() && now < session.ends_at
    }

    /// Whether its use has to be written down.
    pub(crate) fn is_due_for_use(&self, now: DateTime<Utc>) -> bool {
        now - self.session.last_used_at >= USE_EVERY
    }

    fn read(
        (id, secret, account, method, started, used, ends, ended, why): Columns,
    ) -> Result<Self, ControlError> {
        let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt("time"));
        let ended = ended.as_deref().map(instant).transpose()?;
        let session = Session {
            id: id.parse().map_err(corrupt("session id"))?,
            account: account.parse().map_err(corrupt("account id"))?,
            is_browser: !secret.is_empty(),
            method,
            started_at: instant(&started)?,
            last_used_at: instant(&used)?,
            ends_at: instant(&ends)?,
            ended: ended.map(|ended| (ended, why.unwrap_or_default())),
        };
        Ok(Self { session })
    }
}

/// Ends a session; false when it has ended already.
pub(super) async fn end(tx: &mut TenantTx, id: SessionId, why: &'static str) -> Result<bool, ControlError> {
    let now = timestamp(tx.now());
    let ended = sqlx::query(
        "UPDATE sessions SET ended_at = $1, ended_why = $2 WHERE session_id = $3 AND ended_at IS NULL",
    )
    .bind(now)
    .bind(why)
    .bind(id.to_string())
    .execute(tx.connection())
    .await
    .map_err(storage("end the session"))?;
    Ok(ended.rows_affected() > 0)
}

/// Ends every session of an account; how many there were.
pub(crate) async fn end_sessions_of(
    tx: &mut TenantTx,
    account: AccountId,
    why: &'static str,
) -> Result<u64, ControlError> {
    let now = timestamp(tx.now());
    let ended = sqlx::query(
        "UPDATE sessions SET ended_at = $1, ended_why = $2
         WHERE account_id = $3 AND ended_at IS NULL AND ends_at > $1",
    )
    .bind(now)
    .bind(why)
    .bind(account.to_string())
    .execute(tx.connection())
    .await
    .map_err(storage("end the account's sessions"))?;
    Ok(ended.rows_affected())
}

/// Puts another secret in a browser session's place.
pub(super) async fn replace_secret(
    tx: &mut TenantTx,
    id: SessionId,
    secret: &Secret,
) -> Result<(), ControlError> {
    let replaced = sqlx::query(
        "UPDATE sessions SET secret_hash = $1
         WHERE session_id = $2 AND ended_at IS NULL AND secret_hash IS NOT NULL",
    )
    .bind(secret.hash())
    .bind(id.to_string())
    .execute(tx.connection())
    .await
    .map_err(storage("change the session's secret"))?;
    if replaced.rows_affected() == 1 { Ok(()) } else { Err(ControlError::Denied) }
}

/// Whether the account has logged in from that address before, as far back as sessions are kept.
pub(crate) async fn is_known_peer(
    connection: &mut Connection,
    account: AccountId,
    peer: Option<IpAddr>,
) -> Result<bool, ControlError> {
    let known: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM sessions WHERE account_id = $1 AND peer_hash = $2 LIMIT 1")
            .bind(account.to_string())
            .bind(peer_hash(account, peer))
            .fetch_optional(connection)
            .await
            .map_err(storage("look for earlier sessions"))?;
    Ok(known.is_some() && peer.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_32_digits_of_a_tenant_and_32_of_chance() {
        let tenant = TenantId::from_uuid(Uuid::from_u128(7));
        let secret = Secret::new(tenant).expect("the machine gives chance");
        let text = secret.to_string();
        assert_eq!(
            Secret::parse(&text).map(|read| (read.tenant(), read.hash())),
            Some((tenant, secret.hash()))
        );
        for bad in
            ["", ".", &text[1..], &text.to_uppercase(), &format!("{text}0"), &text.replace('.', "-"), "é.é"]
        {
            // A secret without letters is the same in upper case.
            assert!(Secret::parse(bad).is_none() || bad == text, "{bad}");
        }
    }
}
