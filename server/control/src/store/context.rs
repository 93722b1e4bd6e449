//! The proof of whose rows a transaction of PostgreSQL works on. The server's policies believe a setting only
//! together with its HMAC, whose key the connected role cannot read; the HMAC fits one transaction of one server
//! process, so that none that was overheard is of use in another.

use std::fmt;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{ControlError, key_file};
use crate::fresh;
use crate::identity::ensure_key_file;
use crate::ledger::{Log, hex};

/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;
const KEY_BYTES: usize = 32;

/// A key of HMAC-SHA-256, as the two blocks that are hashed first.
/// Source: RFC 2104, section 2.
pub(super) struct ContextKey {
    inner: [u8; BLOCK],
    outer: [u8; BLOCK],
}

impl ContextKey {
    /// Opens `<folder>/context.key`, and makes it at first start.
    pub(super) fn open(folder: &Path) -> Result<Self, ControlError> {
        let path = folder.join("context.key");
        ensure_key_file(&path, || Ok(hex(&fresh::bytes::<KEY_BYTES>()?)))?;
        let text = fs::read_to_string(&path).map_err(key_file("read the context key", &path))?;
        let key = parse(text.trim()).ok_or(ControlError::ContextKeyFile { path })?;
        Ok(Self::new(&key))
    }

    /// The key's two blocks, for the server.
    pub(super) fn pads(&self) -> (Vec<u8>, Vec<u8>) {
        (self.inner.to_vec(), self.outer.to_vec())
    }

    /// The proof that a transaction works on `context`.
    pub(super) fn mac(&self, context: &str, mark: &str) -> String {
        self.hmac(format!("{context}/{mark}").as_bytes())
    }

    fn new(key: &[u8; KEY_BYTES]) -> Self {
        let mut block = [0; BLOCK];
        block[..KEY_BYTES].copy_from_slice(key);
        Self { inner: block.map(|byte| byte ^ 0x36), outer: block.map(|byte| byte ^ 0x5c) }
    }

    fn hmac(&self, message: &[u8]) -> String {
        let inner = Sha256::new().chain_update(self.inner).chain_update(message).finalize();
        hex(&Sha256::new().chain_update(self.outer).chain_update(inner).finalize())
    }
}

impl fmt::Debug for ContextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextKey").finish_non_exhaustive()
    }
}

/// What a log's transactions prove: the tenant's id, or the word `system`.
pub(super) fn context_of(log: Log) -> String {
    log.tenant().map_or_else(|| "system".to_owned(), |tenant| tenant.to_string())
}

/// 32 bytes in hexadecimal, not all the same.
fn parse(text: &str) -> Option<[u8; KEY_BYTES]> {
    if text.len() != 2 * KEY_BYTES || !text.is_ascii() {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    key.iter().any(|byte| *byte != key[0]).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: RFC 4231, test cases 1 and 2, whose keys of 20 and 4 bytes HMAC fills up with zeros.
    #[test]
    fn the_hmac_is_that_of_the_standard() {
        let padded = |short: &[u8]| {
            let mut key = [0; KEY_BYTES];
            key[..short.len()].copy_from_slice(short);
            ContextKey::new(&key)
        };
        assert_eq!(
            padded(&[0x0b; 20]).hmac(b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            padded(b"Jefe").hmac(b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_key_is_32_bytes_that_are_not_all_alike() {
        let good = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        assert!(parse(good).is_some());
        for bad in ["", &good[2..], &"00".repeat(32), &"zz".repeat(32), &format!("{good}00"), &"é".repeat(32)]
        {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
