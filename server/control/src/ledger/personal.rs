//! Personal data of an event. The leaf, which nobody can ever change, holds commitments to the values; the values
//! lie beside it, encrypted under the key of the account that they belong to. Destroying that key erases them for
//! good, in every copy, and leaves every hash as it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use kernel::AccountId;
use sha2::Sha256;

use crate::error::{ControlError, storage};
use crate::fresh;
use crate::identity::sealed;
use crate::keys::SubjectKeys;
use crate::keys::envelope::Secret;
use crate::ledger::canonical::{Canon, object};
use crate::ledger::event::Event;
use crate::ledger::hash::{hex, hex_sha256};
use crate::ledger::leaf::Leaf;
use crate::store::{Connection, TenantTx};

/// The field of a leaf's data that speaks of personal data.
const FIELD: &str = "personal";

/// Values that belong to one account.
pub(crate) struct Personal<'a> {
    pub(crate) account: AccountId,
    pub(crate) key: Secret,
    pub(crate) fields: &'a [(&'static str, &'a str)],
}

impl Personal<'_> {
    /// Keeps the values encrypted, and gives the event what it commits to.
    pub(crate) async fn beside(
        &self,
        tx: &mut TenantTx,
        event: Event,
        now: DateTime<Utc>,
    ) -> Result<Event, ControlError> {
        let id = fresh::uuid(now)?.to_string();
        let blinding: [u8; 32] = fresh::bytes()?;
        let values = self.fields.iter().map(|(name, value)| ((*name).to_owned(), Canon::from(*value)));
        let plain = object([("fields", Canon::Object(values.collect())), ("r", hex(&blinding).into())]);
        let (nonce, sealed) = sealed::seal(&self.key, &plain.to_bytes(), &context(&id, self.account))?;
        let commitments = self
            .fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Canon::from(hex(&commitment(&blinding, name, value)))));
        let told = object([
            ("ciphertext_sha256", hex_sha256(&sealed).into()),
            ("commitments", Canon::Object(commitments.collect())),
            ("id", id.as_str().into()),
            ("subject", self.account.to_string().into()),
        ]);
        sqlx::query("INSERT INTO audit_pii (pii_id, account_id, nonce, ciphertext) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(self.account.to_string())
            .bind(nonce.to_vec())
            .bind(sealed)
            .execute(tx.connection())
            .await
            .map_err(storage("keep the personal data of an event"))?;
        Ok(event.with(FIELD, told))
    }
}

/// What a leaf says about the personal data beside it.
struct Told<'a> {
    id: &'a str,
    subject: AccountId,
    ciphertext_sha256: &'a str,
    commitments: &'a BTreeMap<String, Canon>,
}

impl<'a> Told<'a> {
    fn of(leaf: &'a Leaf) -> Option<Self> {
        let Canon::Object(told) = leaf.data.get(FIELD)? else { return None };
        let text = |name: &str| match told.get(name) {
            Some(Canon::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let Canon::Object(commitments) = told.get("commitments")? else { return None };
        Some(Self {
            id: text("id")?,
            subject: text("subject")?.parse().ok()?,
            ciphertext_sha256: text("ciphertext_sha256")?,
            commitments,
        })
    }
}

async fn stored(connection: &mut Connection, id: &str) -> Result<Option<(Vec<u8>, Vec<u8>)>, ControlError> {
    sqlx::query_as("SELECT nonce, ciphertext FROM audit_pii WHERE pii_id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
        .map_err(storage("read the personal data of an event"))
}

/// Whether the ciphertext beside an event is the one that the event names; true when it names none.
pub(crate) async fn is_untouched(connection: &mut Connection, leaf: &Leaf) -> Result<bool, ControlError> {
    if !leaf.data.contains_key(FIELD) {
        return Ok(true);
    }
    let Some(told) = Told::of(leaf) else { return Ok(false) };
    let stored = stored(connection, told.id).await?;
    Ok(stored.is_some_and(|(_, ciphertext)| hex_sha256(&ciphertext) == told.ciphertext_sha256))
}

/// The personal data of an event, each value the one that the event commits to. `None` when it has none, and
/// after their key was destroyed.
pub(crate) async fn reveal(
    connection: &mut Connection,
    keys: &SubjectKeys,
    leaf: &Leaf,
) -> Result<Option<BTreeMap<String, String>>, ControlError> {
    let Some(told) = Told::of(leaf) else { return Ok(None) };
    let Some(key) = keys.open(told.subject)? else { return Ok(None) };
    let changed = || ControlError::Corrupt { what: "personal data of an event" };
    let (nonce, ciphertext) = stored(connection, told.id).await?.ok_or_else(changed)?;
    let plain = sealed::open(&key, (&nonce, &ciphertext), &context(told.id, told.subject));
    let plain = plain.ok_or_else(changed)?;
    let Some(Canon::Object(plain)) = Canon::parse(&plain) else { return Err(changed()) };
    let (Some(Canon::Object(fields)), Some(Canon::Text(blinding))) = (plain.get("fields"), plain.get("r"))
    else {
        return Err(changed());
    };
    let blinding = crate::ledger::hash::hash_of_hex(blinding).ok_or_else(changed)?;
    let mut revealed = BTreeMap::new();
    for (name, value) in fields {
        let Canon::Text(value) = value else { return Err(changed()) };
        let committed = Canon::from(hex(&commitment(&blinding, name, value)));
        if told.commitments.get(name) != Some(&committed) {
            return Err(changed());
        }
        revealed.insert(name.clone(), value.clone());
    }
    Ok(Some(revealed))
}

/// Nobody can tell the value from its commitment, nor find another value for it, without the blinding bytes.
fn commitment(blinding: &[u8; 32], field: &str, value: &str) -> [u8; 32] {
    // INVARIANT: HMAC takes keys of every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(blinding).expect("HMAC takes every key");
    mac.update(field.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    mac.finalize().into_bytes().into()
}

/// What a ciphertext is bound to, so that it cannot be moved to another event or account.
fn context(id: &str, account: AccountId) -> Vec<u8> {
    format!("cairn/audit-pii\n{id}\n{account}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_is_the_published_function() {
        // Source: `python3 -c "import hmac; print(hmac.new(b'\x0b'*32, b'email\0ada@example.org', 'sha256').hexdigest())"`.
        let commitment = commitment(&[0x0b; 32], "email", "ada@example.org");
        assert_eq!(hex(&commitment), "b3df77595e17272e2f668fa40f27e4b2f744d44d755cc8149f4076697832b298");
    }
}
