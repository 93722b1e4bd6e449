//! Electronic signatures of a study's records.

use serde::{Deserialize, Serialize};

use super::Choice;

/// The signatures of a study, and what the reader may sign.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SignaturesView {
    /// Signatures, oldest first.
    pub signatures: Vec<SignatureLine>,
    /// What the reader may sign; none when they may not.
    pub to_sign: Option<ToSign>,
    /// Why the last attempt came to nothing.
    pub problem: Option<String>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SignatureLine {
    /// The full identifier.
    pub id: String,
    /// What was signed, in words.
    pub record: String,
    /// The SHA-256 of the record when it was signed.
    pub record_sha256: String,
    /// The signer's name at that moment.
    pub name: Option<String>,
    /// What the signature stands for.
    pub meaning: String,
    /// When.
    pub signed_unix_s: i64,
    /// Whether it holds.
    pub is_valid: bool,
    /// The same in words.
    pub said: String,
}

/// What the reader may sign.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ToSign {
    /// Where the form posts to.
    pub action: String,
    /// `snapshot`, as the form sends it.
    pub record_type: String,
    /// Its full identifier.
    pub record: String,
    /// The SHA-256 of its bytes.
    pub record_sha256: String,
    /// What a signature can stand for.
    pub meanings: Vec<Choice>,
    /// The identity provider that vouches for the reader, and can ask them again.
    pub provider: Option<String>,
}
