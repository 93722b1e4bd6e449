//! Sealing what versions before this one kept in the clear. It happens when the program is started, before anything is
//! served: the tenants' rows first, then the system's, by which it is known whether there is anything left to do.

use kernel::{AccountId, TenantId};

use super::person::Person;
use crate::actor::Actor;
use crate::error::{ControlError, corrupt, storage};
use crate::keys::envelope::Secret;
use crate::keys::{BlindIndex, SubjectKeys};
use crate::ledger::{AuditAction, Event, Log, Resource};
use crate::oidc;
use crate::store::{Connection, Store, SystemTx, TenantTx};

const STEP: &str = "seal addresses and names";
/// An index has no `@`, and what an erased account has in its place is nobody's address.
const IN_THE_CLEAR: &str = "email LIKE '%@%' AND email NOT LIKE '%@erased.invalid'";

/// Whether a row is found by an index already.
pub(crate) async fn has_indexes(system: &mut Connection) -> Result<bool, ControlError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM account_directory WHERE email NOT LIKE '%@%')
            OR EXISTS (SELECT 1 FROM identity_directory WHERE subject_sealed IS NOT NULL)",
    )
    .fetch_optional(system)
    .await
    .map_err(storage("look for indexes"))?;
    Ok(found.is_some())
}

/// Seals what is in the clear, with an event in each log. Cut off anywhere, it goes on at the next start.
pub(crate) async fn seal_what_is_in_the_clear(
    store: &Store,
    keys: &SubjectKeys,
    index: &BlindIndex,
) -> Result<(), ControlError> {
    let sql = format!(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM account_directory WHERE {IN_THE_CLEAR})
            OR EXISTS (SELECT 1 FROM identity_directory WHERE subject_sealed IS NULL)"
    );
    let mut view = store.system().view().await?;
    let left: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_optional(&mut *view)
        .await
        .map_err(storage(STEP))?;
    if left.is_none() {
        return Ok(());
    }
    let tenants: Vec<String> = sqlx::query_scalar("SELECT tenant_id FROM tenants ORDER BY tenant_id")
        .fetch_all(&mut *view)
        .await
        .map_err(storage(STEP))?;
    drop(view);
    for tenant in tenants {
        let tenant: TenantId = tenant.parse().map_err(corrupt("tenant id"))?;
        let database = store.tenant(tenant).await?;
        seal_accounts(database.begin().await?, tenant, keys, index).await?;
        database.forget().await?;
    }
    seal_directories(store.system().begin().await?, keys, index).await?;
    store.system().forget().await
}

async fn seal_accounts(
    mut tx: TenantTx,
    tenant: TenantId,
    keys: &SubjectKeys,
    index: &BlindIndex,
) -> Result<(), ControlError> {
    let sql = format!(
        "SELECT account_id, email, display_name FROM accounts WHERE {IN_THE_CLEAR} ORDER BY account_id"
    );
    let rows: Vec<(String, String, String)> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(tx.connection()).await.map_err(storage(STEP))?;
    if rows.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let mut made = None;
    let accounts = rows.len() as u64;
    for (row, email, display_name) in rows {
        let account: AccountId = row.parse().map_err(corrupt("account id"))?;
        let key: Secret = match keys.open(account)? {
            Some(key) => key,
            None => {
                let new = keys.create(tenant, account, now)?;
                made = made.or(new.made);
                new.secret
            }
        };
        let indexed = index.email(&email);
        let sealed = Person { email, display_name }.seal(&key, (tenant, account))?;
        sqlx::query(
            "UPDATE accounts SET email = $1, display_name = '', email_sealed = $2, display_name_sealed = $3
             WHERE account_id = $4",
        )
        .bind(indexed)
        .bind(sealed.0)
        .bind(sealed.1)
        .bind(row)
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
    }
    let event = Event::success(AuditAction::PersonalDataSealed, &Actor::System, Resource::tenant(tenant));
    let mut recorded = tx.record(event.with("accounts", accounts)).await?;
    if let Some(made) = made {
        let event = Event::success(AuditAction::DataKeyCreated, &Actor::System, Resource::data_key(made));
        recorded = recorded.and(event).await?;
    }
    recorded.commit().await
}

async fn seal_directories(
    mut tx: SystemTx,
    keys: &SubjectKeys,
    index: &BlindIndex,
) -> Result<(), ControlError> {
    let sql = format!("SELECT email FROM account_directory WHERE {IN_THE_CLEAR} ORDER BY email");
    let emails: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_all(tx.connection())
        .await
        .map_err(storage(STEP))?;
    for email in &emails {
        sqlx::query("UPDATE account_directory SET email = $1 WHERE email = $2")
            .bind(index.email(email))
            .bind(email)
            .execute(tx.connection())
            .await
            .map_err(storage(STEP))?;
    }
    let identities = oidc::directory::seal_all(&mut tx, keys, index).await?;
    if emails.is_empty() && identities == 0 {
        return Ok(());
    }
    let resource = Resource::new("log", Log::System.origin());
    let event = Event::success(AuditAction::PersonalDataSealed, &Actor::System, resource)
        .with("addresses", emails.len() as u64)
        .with("identities", identities);
    tx.record(event).await?.commit().await
}
