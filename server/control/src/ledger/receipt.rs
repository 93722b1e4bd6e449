//! Receipts: one event, the proof that it is in the log, and the signed checkpoint that says so. Whoever holds
//! one needs neither this program nor its database, only the log's verifier key.
//!
//! Source: C2SP tlog-proof. The leaf's bytes are the extra data, so that a receipt is whole by itself.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Audit, Grants, TenantId};

use crate::control::Control;
use crate::error::{ControlError, corrupt};
use crate::ledger::anchoring::with_cosignatures;
use crate::ledger::chain::FaultKind;
use crate::ledger::checkpoint::{Checkpoint, decimal, decode_hash};
use crate::ledger::leaf::Leaf;
use crate::ledger::log::Log;
use crate::ledger::note::{MAX_NOTE_BYTES, Note, NoteError, VerifierKey};
use crate::ledger::rows;
use crate::ledger::signing::Due;
use crate::ledger::tree::proof::{SpanRoots, inclusion_holds, inclusion_spans};
use crate::ledger::tree::{Hash, leaf_hash};
use crate::store::Connection;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A receipt that is larger than this is refused: a note, a leaf and 63 hashes have room in it.
pub const MAX_RECEIPT_BYTES: usize = 2 * MAX_NOTE_BYTES;
const MAX_HASHES: usize = 63;

/// What a receipt proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenEvent {
    /// The log.
    pub log: String,
    /// The event's place in it, counted from zero.
    pub seq: u64,
    /// How many events the log had when the checkpoint was signed.
    pub size: u64,
    /// The event: the exact text that was hashed.
    pub leaf: String,
    /// Whose signatures were verified: the log's, and those of known witnesses.
    pub signers: Vec<String>,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not a receipt.
    #[error("it is not a receipt of the form `{HEADER}`")]
    Malformed,
    /// The checkpoint is not signed as it has to be.
    #[error("its checkpoint is not accepted: {0}")]
    Checkpoint(#[from] NoteError),
    /// The event is not in the tree that was signed.
    #[error("the event is not in the log that was signed")]
    NotIncluded,
    /// The event names another log or place than the proof.
    #[error("the event is of another log or place than the proof")]
    Binding,
}

impl Control {
    /// The receipt of one event, as the text of a `.tlog-proof` file. When no checkpoint covers the event yet,
    /// one is made.
    ///
    /// # Errors
    /// [`ControlError::NoSuchEvent`], and [`ControlError::LogBroken`] when the log does not verify.
    pub async fn receipt(&self, tenant: Option<TenantId>, seq: u64) -> Result<String, ControlError> {
        let log = tenant.map_or(Log::System, Log::Tenant);
        let mut receipts = self.receipts(log, &[seq]).await?;
        // INVARIANT: one receipt is given for each event.
        Ok(receipts.pop().expect("one event has one receipt"))
    }

    /// The receipts of some events of the log of the grants' tenant, for those who may read it, in the order of the
    /// events.
    ///
    /// # Errors
    /// [`ControlError::Denied`] for everybody else; as [`Control::receipt`].
    pub async fn audit_proofs(&self, grants: &Grants, seqs: &[u64]) -> Result<Vec<String>, ControlError> {
        if !grants.allow_everywhere::<Audit>() {
            return Err(ControlError::Denied);
        }
        self.receipts(Log::Tenant(grants.tenant()), seqs).await
    }

    /// The receipts of some events, under one checkpoint that covers all of them and after one reading of the log.
    async fn receipts(&self, log: Log, seqs: &[u64]) -> Result<Vec<String>, ControlError> {
        let Some(last) = seqs.iter().copied().max() else { return Ok(Vec::new()) };
        let covering = |size: u64| size > last;
        let mut kept = self.last_checkpoint(log).await?.filter(|kept| covering(kept.size));
        if kept.is_none() {
            self.checkpoint_log(log, Due::Now).await?;
            kept = self.last_checkpoint(log).await?.filter(|kept| covering(kept.size));
        }
        let mut view = self.log_view(log).await?;
        let size = rows::head(&mut view, log).await?.size;
        let kept = kept.ok_or_else(|| ControlError::NoSuchEvent { log: log.origin(), seq: last, size })?;
        let (checkpoint, _) = kept.checkpoint(log).ok_or(()).map_err(corrupt("checkpoint"))?;
        let note = with_cosignatures(&mut *self.store().system().view().await?, log, &kept).await?;
        let mut leaves = Vec::with_capacity(seqs.len());
        for &seq in seqs {
            leaves.push(rows::leaf(&mut view, log, seq).await?.ok_or(()).map_err(corrupt("ledger entry"))?);
        }
        let events: Vec<_> = seqs.iter().copied().zip(leaves.iter().map(|leaf| leaf_hash(leaf))).collect();
        let proofs = prove(&mut view, log, &events, &checkpoint).await?;
        let proven = seqs.iter().zip(&leaves).zip(&proofs);
        Ok(proven.map(|((&seq, leaf), proof)| write(seq, leaf, proof, &note)).collect())
    }
}

/// The proofs of some events, from the stored hashes of every event that the checkpoint covers.
async fn prove(
    view: &mut Connection,
    log: Log,
    events: &[(u64, Hash)],
    checkpoint: &Checkpoint,
) -> Result<Vec<Vec<Hash>>, ControlError> {
    let broken =
        |seq: u64| ControlError::LogBroken { log: log.origin(), index: seq, kind: FaultKind::EntryHash };
    let mut roots = Vec::with_capacity(events.len());
    for (seq, _) in events {
        let spans = inclusion_spans(*seq, checkpoint.size).ok_or_else(|| broken(*seq))?;
        roots.push(SpanRoots::new(spans));
    }
    let gathered = gather_all(view, log, checkpoint.size, roots).await?;
    let mut proofs = Vec::with_capacity(events.len());
    for ((seq, hash), proof) in events.iter().zip(gathered) {
        let proof = proof.ok_or_else(|| broken(*seq))?;
        if !inclusion_holds(*hash, *seq, checkpoint.size, &proof, &checkpoint.root) {
            return Err(broken(*seq));
        }
        proofs.push(proof);
    }
    Ok(proofs)
}

/// The roots of some spans of a log's first `size` events.
pub(crate) async fn gather(
    view: &mut Connection,
    log: Log,
    size: u64,
    roots: SpanRoots,
) -> Result<Option<Vec<Hash>>, ControlError> {
    Ok(gather_all(view, log, size, vec![roots]).await?.pop().flatten())
}

/// The same for several lists of spans, in one reading of the hashes.
async fn gather_all(
    view: &mut Connection,
    log: Log,
    size: u64,
    mut all: Vec<SpanRoots>,
) -> Result<Vec<Option<Vec<Hash>>>, ControlError> {
    let mut next = 0;
    while next < size {
        let page = rows::hashes(view, log, next).await?;
        if page.is_empty() {
            break;
        }
        for hash in page {
            if next < size {
                all.iter_mut().for_each(|roots| roots.take(next, hash));
            }
            next += 1;
        }
    }
    Ok(all.into_iter().map(SpanRoots::finish).collect())
}

fn write(seq: u64, leaf: &[u8], proof: &[Hash], note: &str) -> String {
    let hashes: String = proof.iter().map(|hash| format!("{}\n", STANDARD.encode(hash))).collect();
    format!("{HEADER}\nextra {}\nindex {seq}\n{hashes}\n{note}", STANDARD.encode(leaf))
}

/// What a receipt proves to who trusts `keys`: the log's, and any number of witnesses'.
///
/// # Errors
/// Why it proves nothing.
pub fn verify_receipt(bytes: &[u8], keys: &[VerifierKey]) -> Result<ProvenEvent, ReceiptError> {
    let receipt = Receipt::parse(bytes).ok_or(ReceiptError::Malformed)?;
    let note = Note::parse(receipt.note)?;
    let (checkpoint, signers) = Checkpoint::of_note(&note, keys)?;
    let hash = leaf_hash(&receipt.leaf);
    if !inclusion_holds(hash, receipt.index, checkpoint.size, &receipt.proof, &checkpoint.root) {
        return Err(ReceiptError::NotIncluded);
    }
    let leaf = Leaf::parse(&receipt.leaf).ok_or(ReceiptError::Binding)?;
    if leaf.log != checkpoint.origin || u64::try_from(leaf.seq) != Ok(receipt.index) {
        return Err(ReceiptError::Binding);
    }
    Ok(ProvenEvent {
        log: checkpoint.origin,
        seq: receipt.index,
        size: checkpoint.size,
        leaf: String::from_utf8(receipt.leaf).map_err(|_| ReceiptError::Binding)?,
        signers: signers.into_iter().map(|key| key.name().to_owned()).collect(),
    })
}

struct Receipt<'a> {
    leaf: Vec<u8>,
    index: u64,
    proof: Vec<Hash>,
    note: &'a [u8],
}

impl<'a> Receipt<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_RECEIPT_BYTES)?;
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        if lines.next()? != HEADER {
            return None;
        }
        let leaf = STANDARD.decode(lines.next()?.strip_prefix("extra ")?).ok()?;
        let index = decimal(lines.next()?.strip_prefix("index ")?)?;
        let proof = lines.map(decode_hash).collect::<Option<Vec<_>>>()?;
        (proof.len() <= MAX_HASHES).then_some(Self { leaf, index, proof, note: note.as_bytes() })
    }
}
