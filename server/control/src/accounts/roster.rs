//! Accounts as those see them who administer a tenant: who has what since when, given by whom, and when it was last
//! used.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use kernel::{AccountId, Grant, TenantId};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::person::Kept;
use super::read_grant;
use crate::actor::Actor;
use crate::control::Control;
use crate::error::{ControlError, corrupt, storage};
use crate::instant::parse_timestamp;
use crate::keys::SubjectKeys;
use crate::oidc::{LinkedIdentity, directory};
use crate::store::Connection;

const STEP: &str = "list the accounts";

/// An account as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// Its id.
    pub id: AccountId,
    /// Its e-mail address, for the people who administer the tenant; it belongs in no log.
    pub email: String,
    /// Its name, to show.
    pub display_name: String,
    /// Whether it may sign in.
    pub is_enabled: bool,
    /// Whether it has a password.
    pub has_password: bool,
    /// Who may sign in to it through a provider.
    pub identities: Vec<LinkedIdentity>,
    /// Whether every sign-in with a password asks for a code.
    pub has_second_factor: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was disabled.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When it last did something: a sign-in, a session in use or a token in use, give or take half a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// What it was granted, by role and study.
    pub grants: Vec<HeldGrant>,
}

/// A role that an account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldGrant {
    /// The role, and where it holds.
    pub grant: Grant,
    /// Since when.
    pub granted_at: DateTime<Utc>,
    /// Given by whom: `account:<id>`, `operator:local`; not known of grants from before that was kept.
    pub granted_by: Option<String>,
}

impl Control {
    /// Every account of a tenant, by e-mail address. For who administers it.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else.
    pub async fn accounts(
        &self,
        actor: &Actor,
        tenant: TenantId,
    ) -> Result<Vec<AccountSummary>, ControlError> {
        self.summaries(actor, tenant, None).await
    }

    /// One account of a tenant. For who administers it.
    ///
    /// # Errors
    /// [`ControlError::Denied`] when there is none, and for everybody else.
    pub async fn account(
        &self,
        actor: &Actor,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<AccountSummary, ControlError> {
        self.summaries(actor, tenant, Some(account)).await?.pop().ok_or(ControlError::Denied)
    }

    async fn summaries(
        &self,
        actor: &Actor,
        tenant: TenantId,
        only: Option<AccountId>,
    ) -> Result<Vec<AccountSummary>, ControlError> {
        actor.require_administrator(tenant)?;
        let only = only.map_or_else(String::new, |account| account.to_string());
        let keys = self.subject_keys();
        let mut identities =
            identities(&mut *self.store().system().view().await?, keys, (tenant, &only)).await?;
        let mut view = self.store().tenant(tenant).await?.view().await?;
        let mut uses = uses(&mut view, &only).await?;
        let mut grants = held_grants(&mut view, &only).await?;
        let factors = second_factors(&mut view).await?;
        let rows = sqlx::query(
            "SELECT account_id, email, email_sealed, display_name_sealed, password_hash, enabled, created_at,
                    disabled_at, last_used_at
             FROM accounts WHERE account_id = $1 OR $1 = ''",
        )
        .bind(only)
        .fetch_all(&mut *view)
        .await
        .map_err(storage(STEP))?;
        let mut summaries =
            rows.iter().map(|row| read_account(row, keys, tenant)).collect::<Result<Vec<_>, _>>()?;
        for summary in &mut summaries {
            summary.identities = identities.remove(&summary.id).unwrap_or_default();
            summary.grants = grants.remove(&summary.id).unwrap_or_default();
            summary.has_second_factor = factors.contains(&summary.id);
            summary.last_used_at = summary.last_used_at.max(uses.remove(&summary.id));
        }
        summaries.sort_by(|a, b| a.email.cmp(&b.email).then(a.id.cmp(&b.id)));
        Ok(summaries)
    }
}

fn read_account(row: &AnyRow, keys: &SubjectKeys, tenant: TenantId) -> Result<AccountSummary, ControlError> {
    let text = |name: &str| row.try_get::<String, _>(name).map_err(storage(STEP));
    let instant = |name: &str| {
        let text: Option<String> = row.try_get(name).map_err(storage(STEP))?;
        text.map(|text| read_instant(&text)).transpose()
    };
    let sealed = |name: &str| row.try_get::<Option<Vec<u8>>, _>(name).map_err(storage(STEP));
    let id = read_id(&text("account_id")?)?;
    let kept = Kept::read(text("email")?, (sealed("email_sealed")?, sealed("display_name_sealed")?))?;
    let person = kept.open(keys, (tenant, id))?;
    Ok(AccountSummary {
        id,
        email: person.email,
        display_name: person.display_name,
        is_enabled: row.try_get::<i64, _>("enabled").map_err(storage(STEP))? == 1,
        has_password: !text("password_hash")?.is_empty(),
        identities: Vec::new(),
        has_second_factor: false,
        created_at: read_instant(&text("created_at")?)?,
        disabled_at: instant("disabled_at")?,
        last_used_at: instant("last_used_at")?,
        grants: Vec::new(),
    })
}

async fn identities(
    system: &mut Connection,
    keys: &SubjectKeys,
    (tenant, only): (TenantId, &str),
) -> Result<BTreeMap<AccountId, Vec<LinkedIdentity>>, ControlError> {
    type Listed = (String, String, String, Option<Vec<u8>>, String);
    let rows: Vec<Listed> = sqlx::query_as(
        "SELECT account_id, issuer, subject, subject_sealed, linked_at FROM identity_directory
         WHERE tenant_id = $1 AND (account_id = $2 OR $2 = '')",
    )
    .bind(tenant.to_string())
    .bind(only)
    .fetch_all(system)
    .await
    .map_err(storage(STEP))?;
    let mut identities: BTreeMap<AccountId, Vec<LinkedIdentity>> = BTreeMap::new();
    for (account, issuer, indexed, sealed, linked_at) in rows {
        let account = read_id(&account)?;
        let identity = directory::open(keys, (tenant, account), (issuer, &indexed, sealed))?;
        let linked = LinkedIdentity { identity, linked_at: read_instant(&linked_at)? };
        identities.entry(account).or_default().push(linked);
    }
    for own in identities.values_mut() {
        let name = |one: &LinkedIdentity| (one.identity.issuer.clone(), one.identity.subject.clone());
        own.sort_by_key(name);
    }
    Ok(identities)
}

/// When sessions and tokens of an account, or of each, were last used.
async fn uses(view: &mut Connection, only: &str) -> Result<BTreeMap<AccountId, DateTime<Utc>>, ControlError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT account_id, MAX(last_used_at) FROM (
             SELECT account_id, last_used_at FROM sessions
             UNION ALL SELECT account_id, last_used_at FROM access_tokens WHERE last_used_at IS NOT NULL
         ) AS uses WHERE account_id = $1 OR $1 = '' GROUP BY account_id",
    )
    .bind(only)
    .fetch_all(view)
    .await
    .map_err(storage(STEP))?;
    rows.into_iter().map(|(account, at)| Ok((read_id(&account)?, read_instant(&at)?))).collect()
}

async fn held_grants(
    view: &mut Connection,
    only: &str,
) -> Result<BTreeMap<AccountId, Vec<HeldGrant>>, ControlError> {
    type Columns = (String, String, Option<String>, String, Option<String>);
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT account_id, role, study_id, granted_at, granted_by FROM grants
         WHERE account_id = $1 OR $1 = '' ORDER BY account_id, role, study_id NULLS FIRST",
    )
    .bind(only)
    .fetch_all(view)
    .await
    .map_err(storage(STEP))?;
    let mut grants: BTreeMap<AccountId, Vec<HeldGrant>> = BTreeMap::new();
    for (account, role, study, at, granted_by) in rows {
        let held =
            HeldGrant { grant: read_grant((role, study))?, granted_at: read_instant(&at)?, granted_by };
        grants.entry(read_id(&account)?).or_default().push(held);
    }
    Ok(grants)
}

/// The accounts whose authenticator app is in use.
async fn second_factors(view: &mut Connection) -> Result<BTreeSet<AccountId>, ControlError> {
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT account_id FROM second_factors WHERE confirmed_at IS NOT NULL")
            .fetch_all(view)
            .await
            .map_err(storage(STEP))?;
    rows.iter().map(|account| read_id(account)).collect()
}

fn read_id(text: &str) -> Result<AccountId, ControlError> {
    text.parse().map_err(corrupt("account id"))
}

fn read_instant(text: &str) -> Result<DateTime<Utc>, ControlError> {
    parse_timestamp(text).ok_or(()).map_err(corrupt("time"))
}
