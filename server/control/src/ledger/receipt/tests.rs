use super::*;
use crate::ledger::event::{AuditAction, Event, LeafActor, Resource};
use crate::ledger::hash::{NO_HASH, hex};
use crate::ledger::key::LedgerKey;
use crate::ledger::leaf::Place;
use crate::ledger::tree::Frontier;

const SIZE: u64 = 13;

/// The leaves of a small system log.
fn leaves() -> Vec<Vec<u8>> {
    let (mut leaves, mut prev_hash) = (Vec::new(), NO_HASH.to_owned());
    for seq in 0..SIZE {
        let place = Place {
            log: Log::System,
            seq: i64::try_from(seq).expect("it is small"),
            prev_hash,
            event_id: format!("event-{seq}"),
            at: "2026-11-22T09:00:00.000000Z".to_owned(),
        };
        let event =
            Event::success(AuditAction::StudyRegistered, LeafActor::anonymous(), Resource::new("study", "A"));
        let leaf = Leaf::new(place, event).to_bytes();
        prev_hash = hex(&leaf_hash(&leaf));
        leaves.push(leaf);
    }
    leaves
}

fn checkpoint(hashes: &[Hash]) -> Checkpoint {
    let mut tree = Frontier::new();
    hashes.iter().for_each(|&hash| tree.push(hash));
    Checkpoint { origin: Log::System.origin(), size: tree.size(), root: tree.root() }
}

/// Receipts of every event, the key that signed them, and their note.
fn receipts() -> (Vec<String>, VerifierKey, String) {
    let (leaves, key) = (leaves(), LedgerKey::of_seed(1));
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let note = key.sign(&checkpoint(&hashes)).to_string();
    let receipt = |(seq, leaf): (u64, &Vec<u8>)| {
        let mut roots = SpanRoots::new(inclusion_spans(seq, SIZE).expect("the event is there"));
        (0..).zip(&hashes).for_each(|(index, &hash)| roots.take(index, hash));
        write(seq, leaf, &roots.finish().expect("every leaf came"), &note)
    };
    let receipts = (0..).zip(&leaves).map(receipt).collect();
    (receipts, key.verifier(&Log::System.origin()), note)
}

/// The numbers of a small generator, so that every run flips the same bits.
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        // Source: Marsaglia, "Xorshift RNGs", 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("it is below a usize")
    }
}

#[test]
fn control_09_every_receipt_verifies_offline_against_the_published_key() {
    let (receipts, key, _) = receipts();
    let line: VerifierKey = key.to_string().parse().expect("the key's line reads back");
    for (seq, receipt) in (0..).zip(&receipts) {
        let proven = verify_receipt(receipt.as_bytes(), std::slice::from_ref(&line)).expect("it is good");
        assert_eq!((proven.seq, proven.size, proven.log.as_str()), (seq, SIZE, "cairn/audit/system"));
        assert_eq!(proven.signers, ["cairn/audit/system"]);
    }
}

#[test]
fn control_09_a_receipt_of_another_key_log_or_place_proves_nothing() {
    let (receipts, key, _) = receipts();
    let good = receipts[5].as_bytes();
    let stranger = LedgerKey::of_seed(2).verifier(&Log::System.origin());
    let elsewhere = LedgerKey::of_seed(1).verifier("cairn/audit/elsewhere");
    let unknown = Err(ReceiptError::Checkpoint(NoteError::NoKnownSignature));
    assert_eq!(verify_receipt(good, &[stranger]), unknown);
    assert_eq!(verify_receipt(good, &[elsewhere]), unknown);
    assert_eq!(verify_receipt(good, &[]), unknown);

    // Another event's text under this event's proof.
    let extra = |receipt: &str| receipt.lines().nth(1).expect("a receipt has lines").to_owned();
    let swapped = receipts[5].replace(&extra(&receipts[5]), &extra(&receipts[6]));
    assert_eq!(verify_receipt(swapped.as_bytes(), &[key]), Err(ReceiptError::NotIncluded));
}

#[test]
fn twenty_thousand_flipped_bits_are_refused_in_notes_proofs_and_receipts() {
    let (receipts, key, note) = receipts();
    let keys = [key];
    let mut number = numbers(0x5eed_0001);
    let (mut in_notes, mut in_proofs, mut in_receipts) = (0, 0, 0);
    for round in 0..20_000 {
        let receipt = &receipts[number(receipts.len())];
        match round % 3 {
            0 => {
                let mut bytes = note.clone().into_bytes();
                bytes[number(note.len())] ^= 1 << number(8);
                let accepted =
                    Note::parse(&bytes).is_ok_and(|note| Checkpoint::of_note(&note, &keys).is_ok());
                assert!(!accepted, "{}", String::from_utf8_lossy(&bytes));
                in_notes += 1;
            }
            1 => {
                let mut parsed = Receipt::parse(receipt.as_bytes()).expect("it is good");
                let note = Note::parse(parsed.note).expect("it is good");
                let (checkpoint, _) = Checkpoint::of_note(&note, &keys).expect("it is good");
                let hash = number(parsed.proof.len());
                parsed.proof[hash][number(32)] ^= 1 << number(8);
                let hash = leaf_hash(&parsed.leaf);
                let root = &checkpoint.root;
                assert!(!inclusion_holds(hash, parsed.index, checkpoint.size, &parsed.proof, root));
                in_proofs += 1;
            }
            _ => {
                let mut bytes = receipt.clone().into_bytes();
                bytes[number(receipt.len())] ^= 1 << number(8);
                let proven = verify_receipt(&bytes, &keys);
                assert!(proven.is_err(), "{}", String::from_utf8_lossy(&bytes));
                in_receipts += 1;
            }
        }
    }
    assert_eq!((in_notes, in_proofs, in_receipts), (6_667, 6_667, 6_666));
}
