//! Hashes, as lower-case hexadecimal text.

use sha2::{Digest, Sha256};

/// What the first entry of a log names as its predecessor.
pub(crate) const NO_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of an entry.
///
/// Source: RFC 6962, section 2.1: a leaf is hashed behind a zero byte, so that no leaf can pose as an inner
/// node of the tree.
pub(crate) fn entry_hash(leaf: &[u8]) -> String {
    hex(&Sha256::new().chain_update([0]).chain_update(leaf).finalize())
}

/// The SHA-256 of some bytes.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
