//! Signatures as they are stored, and what is wrong with one.

use std::fmt;

use chrono::{DateTime, Utc};
use kernel::{AccountId, Read, StudyScope};

use super::{Block, Meaning, Record, RecordKind, SignatureId, seq_of};
use crate::error::{ControlError, corrupt, storage};
use crate::identity::sealed;
use crate::instant::{parse_timestamp, timestamp};
use crate::keys::SubjectKeys;
use crate::keys::envelope::Secret;
use crate::ledger::canonical::Canon;
use crate::ledger::{Leaf, Log, hex_sha256, rows};
use crate::store::{Connection, TenantTx};

const WHAT: &str = "signature";

/// What is wrong with a signature, whatever its record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFault {
    /// Its signer's personal data were erased, and with them the block; the ledger keeps its hash.
    Erased,
    /// The block is not the one that was made for this record.
    Block,
    /// The ledger has no event of it, or one of another block.
    Ledger,
}

/// Whether a signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureState {
    /// It holds, and the record is the one that was signed.
    Valid,
    /// The record was changed, or is gone.
    RecordChanged,
    /// Something is wrong with the signature itself.
    Faulty(SignatureFault),
}

impl SignatureState {
    /// Its name in lists.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::RecordChanged => "record_changed",
            Self::Faulty(SignatureFault::Erased) => "signer_erased",
            Self::Faulty(SignatureFault::Block) => "block_changed",
            Self::Faulty(SignatureFault::Ledger) => "not_in_ledger",
        }
    }
}

impl fmt::Display for SignatureState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::RecordChanged => "signature invalid: the record was changed since, or is gone",
            Self::Faulty(SignatureFault::Erased) => "the signer's name was erased; the ledger keeps the hash",
            Self::Faulty(SignatureFault::Block) => "signature invalid: it was not made for this record",
            Self::Faulty(SignatureFault::Ledger) => "signature invalid: the ledger does not know it",
        })
    }
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureRow {
    /// Its id.
    pub id: SignatureId,
    /// What was signed.
    pub record: Record,
    /// By whom.
    pub signer: AccountId,
    /// What it stands for.
    pub meaning: Meaning,
    /// When.
    pub signed_at: DateTime<Utc>,
    /// The block; `None` when it cannot be opened.
    pub block: Option<Block>,
    /// What is wrong with it.
    pub fault: Option<SignatureFault>,
}

impl SignatureRow {
    /// The row of a signature that was just made.
    pub(super) fn of(block: Block) -> Self {
        Self {
            id: block.id,
            record: block.record.clone(),
            signer: block.signer,
            meaning: block.meaning,
            signed_at: block.signed_at,
            block: Some(block),
            fault: None,
        }
    }

    /// Whether it holds for a record whose bytes have this SHA-256 now; `None` when the record is gone.
    #[must_use]
    pub fn state(&self, present_sha256: Option<&str>) -> SignatureState {
        match self.fault {
            Some(fault) => SignatureState::Faulty(fault),
            None if present_sha256 == Some(self.record.sha256.as_str()) => SignatureState::Valid,
            None => SignatureState::RecordChanged,
        }
    }
}

/// What the sealed block is bound to.
fn context(id: SignatureId, account: AccountId) -> Vec<u8> {
    format!("cairn/signature\n{id}\n{account}\n").into_bytes()
}

pub(super) async fn insert(
    tx: &mut TenantTx,
    block: &Block,
    sha256: &str,
    key: &Secret,
) -> Result<(), ControlError> {
    let (nonce, ciphertext) = sealed::seal(key, &block.to_bytes(), &context(block.id, block.signer))?;
    sqlx::query(
        "INSERT INTO signatures (signature_id, study_id, record_type, record_id, record_sha256, account_id, meaning,
                                 signed_at, block_nonce, block_ciphertext, block_sha256)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(block.id.to_string())
    .bind(block.study.as_str())
    .bind(block.record.kind.name())
    .bind(&block.record.id)
    .bind(&block.record.sha256)
    .bind(block.signer.to_string())
    .bind(block.meaning.name())
    .bind(timestamp(block.signed_at))
    .bind(nonce.to_vec())
    .bind(ciphertext)
    .bind(sha256)
    .execute(tx.connection())
    .await
    .map(|_| ())
    .map_err(storage("keep the signature"))
}

type Columns = (String, String, String, String, String, String, String, Vec<u8>, Vec<u8>);

/// Oldest first.
pub(super) async fn list(
    connection: &mut Connection,
    keys: &SubjectKeys,
    scope: &StudyScope<Read>,
) -> Result<Vec<SignatureRow>, ControlError> {
    let found: Vec<Columns> = sqlx::query_as(
        "SELECT signature_id, record_type, record_id, record_sha256, account_id, meaning, signed_at, block_nonce,
                block_ciphertext
         FROM signatures WHERE study_id = $1 ORDER BY signed_at, signature_id",
    )
    .bind(scope.study().as_str())
    .fetch_all(&mut *connection)
    .await
    .map_err(storage("list the signatures"))?;
    let mut listed = Vec::with_capacity(found.len());
    for columns in found {
        listed.push(read(connection, keys, scope, columns).await?);
    }
    Ok(listed)
}

async fn read(
    connection: &mut Connection,
    keys: &SubjectKeys,
    scope: &StudyScope<Read>,
    (id, kind, record, sha256, account, meaning, at, nonce, ciphertext): Columns,
) -> Result<SignatureRow, ControlError> {
    let id: SignatureId = id.parse().map_err(corrupt(WHAT))?;
    let mut row = SignatureRow {
        id,
        record: Record {
            kind: RecordKind::from_name(&kind).ok_or(()).map_err(corrupt(WHAT))?,
            id: record,
            sha256,
        },
        signer: account.parse().map_err(corrupt("account id"))?,
        meaning: Meaning::from_name(&meaning).ok_or(()).map_err(corrupt(WHAT))?,
        signed_at: parse_timestamp(&at).ok_or(()).map_err(corrupt("time"))?,
        block: None,
        fault: None,
    };
    let Some(key) = keys.open(row.signer)? else {
        return Ok(SignatureRow { fault: Some(SignatureFault::Erased), ..row });
    };
    let bytes = sealed::open(&key, (&nonce, &ciphertext), &context(id, row.signer));
    let block = bytes.as_deref().and_then(Block::parse);
    // Every column that is shown is what the block says, so that none can be changed beside it.
    let agrees = block.as_ref().is_some_and(|block| {
        SignatureRow::of(block.clone()) == SignatureRow { block: Some(block.clone()), ..row.clone() }
            && block.study == *scope.study()
            && block.tenant == scope.tenant()
    });
    let (Some(bytes), true) = (bytes, agrees) else {
        return Ok(SignatureRow { fault: Some(SignatureFault::Block), ..row });
    };
    let log = Log::Tenant(scope.tenant());
    let told = match seq_of(connection, id).await? {
        Some(seq) => rows::leaf(connection, log, seq).await?.as_deref().and_then(Leaf::parse),
        None => None,
    };
    let is_told = told.is_some_and(|leaf| {
        leaf.data.get("signature_sha256") == Some(&Canon::from(hex_sha256(&bytes)))
            && leaf.resource.id == id.to_string()
    });
    row.fault = if is_told { None } else { Some(SignatureFault::Ledger) };
    row.block = block;
    Ok(row)
}
