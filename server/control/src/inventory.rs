//! The cryptographic algorithms that this program uses. Documentation names these and no others; a test compares
//! the two.

/// An algorithm in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm {
    /// Its name, as documentation has to write it.
    pub name: &'static str,
    /// Where it is defined.
    pub standard: &'static str,
    /// What it is used for.
    pub used_for: &'static str,
}

/// Every algorithm in use, by name.
pub const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        name: "AES-256-GCM",
        standard: "NIST SP 800-38D",
        used_for: "stored secrets and personal data, and wrapping the keys below the master key",
    },
    Algorithm {
        name: "argon2id",
        standard: "RFC 9106",
        used_for: "passwords, and the master key's passphrase",
    },
    Algorithm { name: "BLAKE3", standard: "the BLAKE3 paper", used_for: "hashes of files and of rows" },
    Algorithm {
        name: "Ed25519",
        standard: "RFC 8032",
        used_for: "access tokens (EdDSA in RFC 8037's form), checkpoints of the ledger",
    },
    Algorithm {
        name: "ECDSA P-256",
        standard: "FIPS 186-5",
        used_for: "verifying what an identity provider signed (ES256)",
    },
    Algorithm {
        name: "HKDF-SHA256",
        standard: "RFC 5869",
        used_for: "the keys of the indexes by which sealed values are found",
    },
    Algorithm { name: "HMAC-SHA1", standard: "RFC 6238", used_for: "the codes of authenticator apps" },
    Algorithm {
        name: "HMAC-SHA256",
        standard: "RFC 2104",
        used_for: "commitments to personal data, the indexes by which sealed values are found, the tenant that a database transaction proves, and the signatures of webhooks",
    },
    Algorithm {
        name: "RSA-SHA256",
        standard: "RFC 8017",
        used_for: "verifying what an identity provider signed (RS256)",
    },
    Algorithm { name: "SHA-256", standard: "FIPS 180-4", used_for: "the ledger's chain and Merkle trees" },
    Algorithm {
        name: "TLS 1.2",
        standard: "RFC 5246",
        used_for: "connections that this program opens to a server that speaks nothing newer",
    },
    Algorithm {
        name: "TLS 1.3",
        standard: "RFC 8446",
        used_for: "connections to Vault, to PostgreSQL, to webhooks and to mail relays; everything that `cairn serve` answers over TLS",
    },
];
