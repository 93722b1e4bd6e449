//! Hashes, as lower-case hexadecimal text.

use sha2::{Digest, Sha256};

use crate::ledger::tree::{HASH_BYTES, Hash, leaf_hash};

/// What the first entry of a log names as its predecessor.
pub(crate) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of an entry.
///
/// Source: RFC 6962, section 2.1: a leaf is hashed behind a zero byte, so that no leaf can pose as an inner
/// node of the tree.
pub(crate) fn entry_hash(leaf: &[u8]) -> String {
    hex(&leaf_hash(leaf))
}

/// The SHA-256 of some bytes.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash that [`hex`] wrote; `None` for any other text.
pub(crate) fn hash_of_hex(text: &str) -> Option<Hash> {
    let mut hash = [0; HASH_BYTES];
    if text.len() != 2 * HASH_BYTES {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (hex(&hash) == text).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_leaf_has_the_hash_of_one_zero_byte() {
        // Source: `printf '\0' | sha256sum`.
        assert_eq!(entry_hash(b""), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }

    #[test]
    fn the_hash_of_abc_is_the_published_one() {
        // Source: FIPS 180-4 example, SHA-256 of "abc".
        assert_eq!(hex_sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
