//! Second factors as they are stored.

use kernel::AccountId;

use crate::error::{ControlError, corrupt, storage};
use crate::identity::sealed;
use crate::instant::timestamp;
use crate::keys::SubjectKeys;
use crate::store::{Connection, TenantTx};

const STEP: &str = "keep the second factor";

/// An account's second factor.
pub(super) struct FactorRow {
    nonce: Vec<u8>,
    ciphertext: Vec<u8>,
    pub(super) is_confirmed: bool,
    /// The step of the last code that was used.
    pub(super) last_step: i64,
}

type Columns = (Vec<u8>, Vec<u8>, Option<String>, i64);

/// What the ciphertext is bound to: it opens as this account's secret and as nothing else.
fn context(account: AccountId) -> Vec<u8> {
    format!("second_factor/{account}").into_bytes()
}

impl FactorRow {
    pub(super) async fn find(
        connection: &mut Connection,
        account: AccountId,
    ) -> Result<Option<Self>, ControlError> {
        let row: Option<Columns> = sqlx::query_as(
            "SELECT nonce, ciphertext, confirmed_at, last_step FROM second_factors WHERE account_id = $1",
        )
        .bind(account.to_string())
        .fetch_optional(connection)
        .await
        .map_err(storage("read the second factor"))?;
        let read = |(nonce, ciphertext, confirmed, last_step): Columns| Self {
            nonce,
            ciphertext,
            is_confirmed: confirmed.is_some(),
            last_step,
        };
        Ok(row.map(read))
    }

    pub(super) fn secret(&self, keys: &SubjectKeys, account: AccountId) -> Result<Vec<u8>, ControlError> {
        let key = keys.open(account)?.ok_or(()).map_err(corrupt("second factor"))?;
        sealed::open(&key, (&self.nonce, &self.ciphertext), &context(account))
            .ok_or(())
            .map_err(corrupt("second factor"))
    }
}

/// Keeps the secret of a second factor that is not in use yet.
pub(super) async fn enrol(
    tx: &mut TenantTx,
    account: AccountId,
    key: &[u8; 32],
    secret: &[u8],
) -> Result<(), ControlError> {
    let (nonce, ciphertext) = sealed::seal(key, secret, &context(account))?;
    let now = timestamp(tx.now());
    sqlx::query("DELETE FROM second_factors WHERE account_id = $1")
        .bind(account.to_string())
        .execute(tx.connection())
        .await
        .map_err(storage(STEP))?;
    sqlx::query(
        "INSERT INTO second_factors (account_id, nonce, ciphertext, last_step, created_at)
         VALUES ($1, $2, $3, 0, $4)",
    )
    .bind(account.to_string())
    .bind(nonce.to_vec())
    .bind(ciphertext)
    .bind(now)
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage(STEP))
}

/// Takes it into use; the code that showed it is used up.
pub(super) async fn confirm(tx: &mut TenantTx, account: AccountId, step: i64) -> Result<(), ControlError> {
    let now = timestamp(tx.now());
    sqlx::query("UPDATE second_factors SET confirmed_at = $1, last_step = $2 WHERE account_id = $3")
        .bind(now)
        .bind(step)
        .bind(account.to_string())
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(storage(STEP))
}

/// Uses a step up; false when it, or a later one, was used before.
pub(super) async fn advance(tx: &mut TenantTx, account: AccountId, step: i64) -> Result<bool, ControlError> {
    let advanced =
        sqlx::query("UPDATE second_factors SET last_step = $1 WHERE account_id = $2 AND last_step < $1")
            .bind(step)
            .bind(account.to_string())
            .execute(tx.connection())
            .await
            .map_err(storage(STEP))?;
    Ok(advanced.rows_affected() == 1)
}

pub(super) async fn keep_recovery_code(
    tx: &mut TenantTx,
    account: AccountId,
    hash: &str,
) -> Result<(), ControlError> {
    sqlx::query("INSERT INTO recovery_codes (account_id, code_hash) VALUES ($1, $2)")
        .bind(account.to_string())
        .bind(hash)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(storage(STEP))
}

pub(super) async fn is_recovery_code(
    connection: &mut Connection,
    account: AccountId,
    hash: &str,
) -> Result<bool, ControlError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT 1 FROM recovery_codes WHERE account_id = $1 AND code_hash = $2 AND used_at IS NULL",
    )
    .bind(account.to_string())
    .bind(hash)
    .fetch_optional(connection)
    .await
    .map_err(storage("look the code up"))?;
    Ok(found.is_some())
}

/// Uses a recovery code up; false when it was used before.
pub(super) async fn use_recovery_code(
    tx: &mut TenantTx,
    account: AccountId,
    hash: &str,
) -> Result<bool, ControlError> {
    let now = timestamp(tx.now());
    let used = sqlx::query(
        "UPDATE recovery_codes SET used_at = $1 WHERE account_id = $2 AND code_hash = $3 AND used_at IS NULL",
    )
    .bind(now)
    .bind(account.to_string())
    .bind(hash)
    .execute(tx.connection())
    .await
    .map_err(storage(STEP))?;
    Ok(used.rows_affected() == 1)
}

pub(super) async fn recovery_codes_left(
    connection: &mut Connection,
    account: AccountId,
) -> Result<u64, ControlError> {
    let left: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM recovery_codes WHERE account_id = $1 AND used_at IS NULL")
            .bind(account.to_string())
            .fetch_one(connection)
            .await
            .map_err(storage("count the recovery codes"))?;
    Ok(u64::try_from(left).unwrap_or(0))
}

/// Removes the second factor with its recovery codes.
pub(crate) async fn remove(tx: &mut TenantTx, account: AccountId) -> Result<(), ControlError> {
    for statement in [
        "DELETE FROM recovery_codes WHERE account_id = $1",
        "DELETE FROM second_factors WHERE account_id = $1",
    ] {
        sqlx::query(statement)
            .bind(account.to_string())
            .execute(tx.connection())
            .await
            .map_err(storage("remove the second factor"))?;
    }
    Ok(())
}
