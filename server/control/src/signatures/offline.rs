//! Verifying a signature from files: its block, the record, and the receipt of its event. No database, no network, no
//! secret; only the log's verifier key, which the operator has published.

use super::Block;
use crate::ledger::canonical::Canon;
use crate::ledger::{AuditAction, Leaf, ReceiptError, VerifierKey, hex_sha256, verify_receipt};

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineSignature {
    /// What it says.
    pub block: Block,
    /// The log that knows it.
    pub log: String,
    /// The place of its event there.
    pub seq: u64,
    /// Whose signatures below the log's checkpoint were verified.
    pub signers: Vec<String>,
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not a signature.
    #[error("it is not the text of a signature as this program writes it")]
    Malformed,
    /// The receipt proves nothing.
    #[error("the receipt does not hold: {0}")]
    Receipt(#[from] ReceiptError),
    /// The receipt is of something else.
    #[error("the receipt is not the one of this signature")]
    OtherEvent,
    /// The record is another than the one that was signed.
    #[error("signature invalid: the record has the SHA-256 {present}, and {signed} was signed")]
    RecordChanged {
        /// Of the record that was given.
        present: String,
        /// Of the record that was signed.
        signed: String,
    },
}

/// What a signature says to who trusts `keys`, about a record of these bytes.
///
/// # Errors
/// Why it does not hold.
pub fn verify_signature(
    block: &[u8],
    record: &[u8],
    receipt: &[u8],
    keys: &[VerifierKey],
) -> Result<OfflineSignature, SignatureError> {
    let parsed = Block::parse(block).ok_or(SignatureError::Malformed)?;
    let proven = verify_receipt(receipt, keys)?;
    let leaf = Leaf::parse(proven.leaf.as_bytes()).ok_or(SignatureError::OtherEvent)?;
    let told = |name: &str, value: String| leaf.data.get(name) == Some(&Canon::from(value));
    let is_its_own = leaf.action == AuditAction::RecordSigned.name()
        && leaf.resource.id == parsed.id.to_string()
        && leaf.tenant_id == Some(parsed.tenant.to_string())
        && told("signature_sha256", hex_sha256(block))
        && told("record_sha256", parsed.record.sha256.clone());
    if !is_its_own {
        return Err(SignatureError::OtherEvent);
    }
    let present = hex_sha256(record);
    if present != parsed.record.sha256 {
        return Err(SignatureError::RecordChanged { present, signed: parsed.record.sha256 });
    }
    Ok(OfflineSignature { block: parsed, log: proven.log, seq: proven.seq, signers: proven.signers })
}
