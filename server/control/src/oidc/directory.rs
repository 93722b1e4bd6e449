//! Whose account an identity is. The name that a provider gives to a person is found by its index, and stored sealed under
//! the account's key.

use kernel::{AccountId, TenantId};

use super::Identity;
use crate::error::{ControlError, corrupt, storage};
use crate::keys::envelope::{self, Cell};
use crate::keys::{BlindIndex, SubjectKeys};
use crate::store::{Connection, SystemTx};

const STEP: &str = "look the identity up";
const WHAT: &str = "identity";

/// The account that an identity is linked to.
pub(crate) async fn find(
    system: &mut Connection,
    index: &BlindIndex,
    identity: &Identity,
) -> Result<Option<(TenantId, AccountId)>, ControlError> {
    let listed: Option<(String, String)> = sqlx::query_as(
        "SELECT tenant_id, account_id FROM identity_directory WHERE issuer = $1 AND subject = $2",
    )
    .bind(&identity.issuer)
    .bind(index.identity(&identity.issuer, &identity.subject))
    .fetch_optional(system)
    .await
    .map_err(storage(STEP))?;
    let read = |(tenant, account): (String, String)| {
        let tenant = tenant.parse().map_err(corrupt("tenant id"))?;
        Ok((tenant, account.parse().map_err(corrupt("account id"))?))
    };
    listed.map(read).transpose()
}

/// The identity of a row of `identity_directory`, from its issuer, index and sealed name.
pub(crate) fn open(
    keys: &SubjectKeys,
    (tenant, account): (TenantId, AccountId),
    (issuer, indexed, sealed): (String, &str, Option<Vec<u8>>),
) -> Result<Identity, ControlError> {
    let sealed = sealed.ok_or(()).map_err(corrupt(WHAT))?;
    let key = keys.open(account)?.ok_or(()).map_err(corrupt("account's key"))?;
    let plain = envelope::open(&key, &cell(tenant, indexed), &sealed)?;
    Ok(Identity { issuer, subject: String::from_utf8(plain.to_vec()).map_err(corrupt(WHAT))? })
}

/// The name as it is stored, with its index.
pub(super) fn seal(
    (keys, index): (&SubjectKeys, &BlindIndex),
    (tenant, account): (TenantId, AccountId),
    identity: &Identity,
) -> Result<(String, Vec<u8>), ControlError> {
    let indexed = index.identity(&identity.issuer, &identity.subject);
    let key = keys.open(account)?.ok_or(()).map_err(corrupt("account's key"))?;
    let place = cell(tenant, &indexed);
    let sealed = envelope::seal(account.as_uuid(), &key, &place, identity.subject.as_bytes())?;
    Ok((indexed, sealed))
}

/// Seals the names that are in the clear; how many there were. The caller records it.
pub(crate) async fn seal_all(
    tx: &mut SystemTx,
    keys: &SubjectKeys,
    index: &BlindIndex,
) -> Result<u64, ControlError> {
    const STEP: &str = "seal identities";
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT issuer, subject, tenant_id, account_id FROM identity_directory WHERE subject_sealed IS NULL
         ORDER BY issuer, subject",
    )
    .fetch_all(tx.connection())
    .await
    .map_err(storage(STEP))?;
    let sealed = rows.len() as u64;
    for (issuer, subject, tenant, account) in rows {
        let tenant = tenant.parse().map_err(corrupt("tenant id"))?;
        let account = account.parse().map_err(corrupt("account id"))?;
        let identity = Identity { issuer, subject };
        let (indexed, sealed) = seal((keys, index), (tenant, account), &identity)?;
        sqlx::query(
            "UPDATE identity_directory SET subject = $1, subject_sealed = $2 WHERE issuer = $3 AND subject = $4",
        )
        .bind(indexed)
        .bind(sealed)
        .bind(&identity.issuer)
        .bind(&identity.subject)
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
    }
    Ok(sealed)
}

fn cell(tenant: TenantId, indexed: &str) -> Cell<'_> {
    Cell { tenant, table: "identity_directory", column: "subject", row: indexed, version: 0 }
}
