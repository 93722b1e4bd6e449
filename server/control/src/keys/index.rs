//! By what a sealed value is found, and kept unique: HMAC-SHA256 under a key of the deployment's own. Whoever has the rows
//! and not the keys can neither read a value from its index nor try values out.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use kernel::TenantId;
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::envelope::Secret;
use super::{DataKey, DataKeys, KeyError};
use crate::accounts::sealing::has_indexes;
use crate::actor::Actor;
use crate::error::ControlError;
use crate::ledger::{AuditAction, Event, Resource, hex};
use crate::store::Store;

/// Whose data key the indexes are derived from: no tenant's.
pub const SYSTEM_KEYS: TenantId = TenantId::from_uuid(Uuid::nil());

/// The keys of the indexes.
pub(crate) struct BlindIndex {
    emails: Secret,
    identities: Secret,
}

impl BlindIndex {
    /// Opens the deployment's own data key, and makes it at the first start, with its event. It is wrapped and moved with
    /// the tenants' data keys, and never replaced: every index would have to be made anew.
    pub(crate) async fn open(store: &Store, data_keys: &DataKeys) -> Result<Self, ControlError> {
        if data_keys.list()?.iter().any(|key| key.tenant == SYSTEM_KEYS) {
            let (key, _) = data_keys.active(SYSTEM_KEYS, chrono::DateTime::UNIX_EPOCH)?;
            return Ok(Self::of(&key));
        }
        // The transaction is the turn in which one process alone makes it.
        let mut tx = store.system().begin().await?;
        if has_indexes(tx.connection()).await?
            && !data_keys.list()?.iter().any(|key| key.tenant == SYSTEM_KEYS)
        {
            return Err(KeyError::IndexKeyMissing.into());
        }
        let (key, is_new) = data_keys.active(SYSTEM_KEYS, tx.now())?;
        if is_new {
            let made =
                Event::success(AuditAction::DataKeyCreated, &Actor::System, Resource::data_key(key.id));
            tx.record(made).await?.commit().await?;
        }
        Ok(Self::of(&key))
    }

    fn of(key: &DataKey) -> Self {
        let derive = |label: &[u8]| hkdf(&[], key.secret.as_slice(), label);
        Self { emails: derive(b"cairn/index/1/email"), identities: derive(b"cairn/index/1/identity") }
    }

    /// The index of an address in the form in which addresses are compared: 64 hexadecimal digits.
    pub(crate) fn email(&self, email: &str) -> String {
        hex(hmac(self.emails.as_slice(), &[email.as_bytes()]).as_slice())
    }

    /// The index of the name that a provider gives to a person.
    pub(crate) fn identity(&self, issuer: &str, subject: &str) -> String {
        let length = (issuer.len() as u64).to_be_bytes();
        hex(hmac(self.identities.as_slice(), &[&length, issuer.as_bytes(), subject.as_bytes()]).as_slice())
    }
}

/// A key of 256 bits for one purpose, from a secret that serves several.
// Source: RFC 5869, sections 2.2 and 2.3, with one block of output.
fn hkdf(salt: &[u8], secret: &[u8], purpose: &[u8]) -> Secret {
    let extracted = hmac(salt, &[secret]);
    hmac(extracted.as_slice(), &[purpose, &[1]])
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Secret {
    // INVARIANT: HMAC takes keys of every length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes every key");
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlindIndex").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_key_is_the_published_function() {
        // Source: RFC 5869, A.1 and A.3, the first 32 bytes of the output.
        let salt: Vec<u8> = (0..13).collect();
        let purpose: Vec<u8> = (0xf0..=0xf9).collect();
        let first = hkdf(&salt, &[0x0b; 22], &purpose);
        assert_eq!(hex(first.as_slice()), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
        let third = hkdf(&[], &[0x0b; 22], &[]);
        assert_eq!(hex(third.as_slice()), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    }

    #[test]
    fn an_index_is_one_of_a_key_and_of_a_purpose() {
        let of = |byte| {
            let secret = Zeroizing::new([byte; 32]);
            BlindIndex::of(&DataKey { id: Uuid::nil(), tenant: SYSTEM_KEYS, secret })
        };
        let (one, other) = (of(1), of(2));
        assert_eq!(one.email("a@b").len(), 64);
        assert_eq!(one.email("a@b"), of(1).email("a@b"));
        assert_ne!(one.email("a@b"), other.email("a@b"));
        assert_ne!(one.email("a@b"), one.email("a@c"));
        assert_ne!(one.identity("a", "bc"), one.identity("ab", "c"), "the parts do not run into each other");
        assert_ne!(one.email("a@b"), one.identity("", "a@b"));
    }
}
