use std::collections::BTreeMap;
use std::process::Command;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::{Digest, Sha256};

use super::proof::{SpanRoots, consistency_holds, consistency_spans, inclusion_holds, inclusion_spans};
use super::*;
use crate::ledger::hash::hex;

const INCLUSION_SIZES: u64 = 300;
const CONSISTENCY_SIZES: u64 = 130;

fn leaf(index: u64) -> Hash {
    leaf_hash(index.to_string().as_bytes())
}

fn count(number: u64) -> usize {
    usize::try_from(number).expect("it is small")
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(leaf).collect()
}

fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    leaves.iter().for_each(|&leaf| frontier.push(leaf));
    frontier.root()
}

fn gather(spans: Option<Vec<std::ops::Range<u64>>>, leaves: &[Hash]) -> Vec<Hash> {
    let mut roots = SpanRoots::new(spans.expect("the numbers are in the tree"));
    leaves.iter().zip(0..).for_each(|(&leaf, index)| roots.take(index, leaf));
    roots.finish().expect("every leaf came")
}

fn inclusion(index: u64, leaves: &[Hash]) -> Vec<Hash> {
    gather(inclusion_spans(index, leaves.len() as u64), leaves)
}

fn consistency(old: u64, leaves: &[Hash]) -> Vec<Hash> {
    gather(consistency_spans(old, leaves.len() as u64), leaves)
}

fn oracle_tree(size: u64) -> MemoryBackedTree<Sha256, String> {
    let mut tree = MemoryBackedTree::new();
    (0..size).for_each(|index| tree.push(index.to_string()));
    tree
}

/// What the definitions of RFC 9162 give, by kind and size.
fn python_oracle() -> BTreeMap<(String, u64), String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ledger/tree/merkle_oracle.py");
    let sizes = [INCLUSION_SIZES.to_string(), CONSISTENCY_SIZES.to_string()];
    let output = Command::new("python3").arg(script).args(sizes).output().expect("python3 can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("the oracle writes text");
    let line = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().expect("a line has three words");
        ((word(), word().parse().expect("a size is a number")), word())
    };
    text.lines().map(line).collect()
}

fn digest(proofs: impl Iterator<Item = Vec<Hash>>) -> String {
    let mut whole = Sha256::new();
    for proof in proofs {
        whole.update([u8::try_from(proof.len()).expect("a proof is short")]);
        whole.update(proof.concat());
    }
    hex(&whole.finalize())
}

#[test]
fn every_inclusion_proof_up_to_300_leaves_is_that_of_two_oracles() {
    let python = python_oracle();
    let all = leaves(INCLUSION_SIZES);
    let mut proofs = 0;
    for size in 1..=INCLUSION_SIZES {
        let (tree, leaves) = (oracle_tree(size), &all[..count(size)]);
        let root = root(leaves);
        assert_eq!(root[..], tree.root().as_bytes()[..], "root of {size}");
        assert_eq!(hex(&root), python[&("root".to_owned(), size)]);
        for index in 0..size {
            let proof = inclusion(index, leaves);
            assert_eq!(proof.concat(), tree.prove_inclusion(count(index)).as_bytes(), "{index} of {size}");
            assert!(inclusion_holds(leaf(index), index, size, &proof, &root), "{index} of {size}");
            proofs += 1;
        }
        let ours = digest((0..size).map(|index| inclusion(index, leaves)));
        assert_eq!(ours, python[&("inclusion".to_owned(), size)], "{size}");
    }
    assert_eq!(proofs, 45_150);
}

#[test]
fn every_consistency_proof_up_to_130_leaves_is_that_of_two_oracles() {
    let python = python_oracle();
    let all = leaves(CONSISTENCY_SIZES);
    let mut proofs = 0;
    for new in 1..=CONSISTENCY_SIZES {
        let (tree, leaves) = (oracle_tree(new), &all[..count(new)]);
        let new_root = root(leaves);
        for old in 1..=new {
            let proof = consistency(old, leaves);
            let old_root = root(&all[..count(old)]);
            let oracle = tree.prove_consistency(count(new - old));
            assert_eq!(proof.concat(), oracle.as_bytes(), "{old} to {new}");
            assert!(consistency_holds((old, &old_root), (new, &new_root), &proof), "{old} to {new}");
            proofs += 1;
        }
        let ours = digest((1..=new).map(|old| consistency(old, leaves)));
        assert_eq!(ours, python[&("consistency".to_owned(), new)], "{new}");
    }
    assert_eq!(proofs, 8_515);
}

#[test]
fn a_proof_of_another_leaf_size_or_root_does_not_hold() {
    let all = leaves(20);
    let (root_20, root_19) = (root(&all), root(&all[..19]));
    for index in 0..20 {
        let proof = inclusion(index, &all);
        assert!(!inclusion_holds(leaf(index), index, 20, &proof, &root_19), "another root");
        assert!(!inclusion_holds(leaf(99), index, 20, &proof, &root_20), "another leaf");
        let others = (0..40).filter(|&other| other != index);
        for other in others {
            assert!(!inclusion_holds(leaf(index), other, 20, &proof, &root_20), "{index} as {other}");
        }
        assert!(!inclusion_holds(leaf(index), index, 20, &proof[1..], &root_20), "too short");
        let long = [&proof[..], &[root_19]].concat();
        assert!(!inclusion_holds(leaf(index), index, 20, &long, &root_20), "too long");
    }
    for old in 1..20_u64 {
        let proof = consistency(old, &all);
        let old_root = root(&all[..count(old)]);
        assert!(!consistency_holds((old, &root_20), (20, &root_20), &proof), "another old root");
        assert!(!consistency_holds((old, &old_root), (20, &root_19), &proof), "another new root");
        assert!(!consistency_holds((old, &old_root), (20, &root_20), &proof[1..]), "too short");
        let long = [&proof[..], &[root_19]].concat();
        assert!(!consistency_holds((old, &old_root), (20, &root_20), &long), "too long");
        assert!(!consistency_holds((20, &root_20), (old, &old_root), &proof), "backwards");
    }
    assert!(!inclusion_holds(leaf(0), 0, 0, &[], &root_20));
    assert!(!consistency_holds((0, &root_20), (20, &root_20), &[]));
    assert!(consistency_holds((0, &root(&[])), (20, &root_20), &[]));
}

#[test]
fn a_frontier_reads_back_and_refuses_another_size() {
    let mut frontier = Frontier::new();
    for index in 0..70 {
        let bytes = frontier.to_bytes();
        assert_eq!(Frontier::from_bytes(index, &bytes), Some(frontier.clone()));
        assert_eq!(Frontier::from_bytes(2 * index + 1, &bytes), None);
        assert_eq!(Frontier::from_bytes(index, &[&bytes[..], b"x"].concat()), None);
        frontier.push(leaf(index));
    }
}

#[test]
fn an_empty_tree_has_the_hash_of_nothing() {
    // Source: `printf '' | sha256sum`.
    assert_eq!(hex(&root(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
