//! Access tokens as they are stored.

use std::collections::BTreeMap;
use std::fmt;

use chrono::TimeDelta;
use kernel::{AccountId, Grant, Role, StudyId, TenantId};
use uuid::Uuid;

use super::{AccessToken, NewAccessToken, TokenKind};
use crate::error::{ControlError, corrupt, storage};
use crate::fresh;
use crate::identity::Audience;
use crate::ids::AccessTokenId;
use crate::instant::{parse_timestamp, timestamp};
use crate::ledger::{hex, hex_sha256};
use crate::peer::PeerName;
use crate::store::{Connection, TenantTx};

/// How often the use of a token is written down.
pub(super) const USE_EVERY: TimeDelta = TimeDelta::seconds(30);

const COLUMNS: &str = "SELECT token_id, account_id, kind, audience, label, created_at, ends_at, last_used_at, \
     revoked_at, peer FROM access_tokens";

/// What a token is: a mark by which scanners of sources find one that leaked, the tenant's id, which says where to look,
/// and 256 bits of chance.
pub(crate) struct AccessSecret {
    tenant: TenantId,
    text: String,
}

impl AccessSecret {
    pub(super) fn new(tenant: TenantId, kind: TokenKind) -> Result<Self, ControlError> {
        let mark = match kind {
            TokenKind::Personal => "cairn_pat",
            TokenKind::Service(_) => "cairn_svc",
        };
        let chance = hex(&fresh::bytes::<32>()?);
        Ok(Self { tenant, text: format!("{mark}_{}_{chance}", tenant.as_uuid().simple()) })
    }

    /// Whether a bearer token is of this kind at all, and not a signed one.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.starts_with("cairn_")
    }

    /// The secret of a text; `None` when it has another form than ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("cairn_pat_").or_else(|| text.strip_prefix("cairn_svc_"))?;
        let (tenant, chance) = rest.split_once('_')?;
        let digits = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte))
        };
        if !digits(tenant, 32) || !digits(chance, 64) {
            return None;
        }
        let tenant = TenantId::from_uuid(Uuid::try_parse(tenant).ok()?);
        Some(Self { tenant, text: text.to_owned() })
    }

    pub(crate) const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What is stored of it. Nobody guesses 256 bits, so that a plain hash is enough.
    fn hash(&self) -> String {
        hex_sha256(self.text.as_bytes())
    }
}

impl fmt::Display for AccessSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A token as it is stored.
pub(super) struct AccessTokenRow(pub(super) AccessToken);

type Columns = (
    String,
    String,
    String,
    Option<String>,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl AccessTokenRow {
    pub(super) async fn by_secret(
        connection: &mut Connection,
        secret: &AccessSecret,
    ) -> Result<Option<Self>, ControlError> {
        Self::one(connection, "secret_hash", &secret.hash()).await
    }

    pub(super) async fn find(
        connection: &mut Connection,
        id: AccessTokenId,
    ) -> Result<Option<Self>, ControlError> {
        Self::one(connection, "token_id", &id.to_string()).await
    }

    async fn one(
        connection: &mut Connection,
        column: &'static str,
        value: &str,
    ) -> Result<Option<Self>, ControlError> {
        let query = sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE {column} = $1"));
        let found: Option<Columns> = sqlx::query_as(query)
            .bind(value)
            .fetch_optional(&mut *connection)
            .await
            .map_err(storage("look the token up"))?;
        let Some(found) = found else { return Ok(None) };
        let grants = grants_of(connection, Some(&found.0)).await?.remove(&found.0).unwrap_or_default();
        read(found, grants).map(Some)
    }

    /// Newest first.
    pub(super) async fn list(
        connection: &mut Connection,
        account: Option<AccountId>,
    ) -> Result<Vec<Self>, ControlError> {
        let query = sqlx::AssertSqlSafe(format!(
            "{COLUMNS} WHERE account_id = $1 OR $1 = '' ORDER BY created_at DESC, token_id DESC"
        ));
        let rows: Vec<Columns> = sqlx::query_as(query)
            .bind(account.map_or_else(String::new, |account| account.to_string()))
            .fetch_all(&mut *connection)
            .await
            .map_err(storage("list the tokens"))?;
        let mut grants = grants_of(connection, None).await?;
        let rows = rows.into_iter().map(|row| {
            let grants = grants.remove(&row.0).unwrap_or_default();
            read(row, grants)
        });
        rows.collect()
    }
}

/// The grants of one token, or of all.
async fn grants_of(
    connection: &mut Connection,
    token: Option<&str>,
) -> Result<BTreeMap<String, Vec<Grant>>, ControlError> {
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT token_id, role, study_id FROM access_token_grants WHERE token_id = $1 OR $1 = ''
         ORDER BY token_id, role, study_id NULLS FIRST",
    )
    .bind(token.unwrap_or_default())
    .fetch_all(connection)
    .await
    .map_err(storage("read the token's grants"))?;
    let mut grants: BTreeMap<String, Vec<Grant>> = BTreeMap::new();
    for (token, role, study) in rows {
        let role = Role::from_name(&role).ok_or(()).map_err(corrupt("role"))?;
        let study = study.map(StudyId::try_from).transpose().map_err(corrupt("study id"))?;
        grants.entry(token).or_default().push(Grant { role, study });
    }
    Ok(grants)
}

fn read(
    (id, account, kind, audience, label, created, ends, used, revoked, peer): Columns,
    grants: Vec<Grant>,
) -> Result<AccessTokenRow, ControlError> {
    let instant = |text: &str| parse_timestamp(text).ok_or(()).map_err(corrupt("time"));
    let kind = match (kind.as_str(), audience.as_deref().and_then(Audience::from_name)) {
        ("personal", None) => TokenKind::Personal,
        ("service", Some(audience)) => TokenKind::Service(audience),
        _ => return Err(ControlError::Corrupt { what: "kind of token" }),
    };
    Ok(AccessTokenRow(AccessToken {
        id: id.parse().map_err(corrupt("token id"))?,
        account: account.parse().map_err(corrupt("account id"))?,
        kind,
        label,
        grants,
        peer: peer.as_deref().map(PeerName::parse).transpose().map_err(corrupt("name of a peer"))?,
        created_at: instant(&created)?,
        ends_at: instant(&ends)?,
        last_used_at: used.as_deref().map(instant).transpose()?,
        revoked_at: revoked.as_deref().map(instant).transpose()?,
    }))
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    account: AccountId,
    new: NewAccessToken,
    secret: &AccessSecret,
) -> Result<AccessToken, ControlError> {
    const STEP: &str = "make the token";
    let now = tx.now();
    let id = AccessTokenId::from_uuid(fresh::uuid(now)?);
    let ends_at = now + new.lifetime;
    sqlx::query(
        "INSERT INTO access_tokens (token_id, secret_hash, account_id, kind, audience, label, created_at, ends_at,
                                    peer)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id.to_string())
    .bind(secret.hash())
    .bind(account.to_string())
    .bind(new.kind.name())
    .bind(new.kind.audience().map(Audience::name))
    .bind(&new.label)
    .bind(timestamp(now))
    .bind(timestamp(ends_at))
    .bind(new.peer.as_ref().map(PeerName::as_str))
    .execute(tx.connection())
    .await
    .map_err(storage(STEP))?;
    for grant in &new.grants {
        sqlx::query(
            "INSERT INTO access_token_grants (token_id, role, study_id) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(id.to_string())
        .bind(grant.role.name())
        .bind(grant.study.clone().map(String::from))
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
    }
    Ok(AccessToken {
        id,
        account,
        kind: new.kind,
        label: new.label,
        grants: new.grants,
        peer: new.peer,
        created_at: now,
        ends_at,
        last_used_at: None,
        revoked_at: None,
    })
}

/// Revokes a token; false when it was revoked before.
pub(super) async fn revoke(tx: &mut TenantTx, id: AccessTokenId) -> Result<bool, ControlError> {
    let now = timestamp(tx.now());
    let revoked =
        sqlx::query("UPDATE access_tokens SET revoked_at = $1 WHERE token_id = $2 AND revoked_at IS NULL")
            .bind(now)
            .bind(id.to_string())
            .execute(tx.connection())
            .await
            .map_err(storage("revoke the token"))?;
    Ok(revoked.rows_affected() > 0)
}
