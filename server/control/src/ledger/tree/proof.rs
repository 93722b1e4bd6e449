//! Proofs that a leaf is in a tree, and that one tree is the beginning of another. A proof is a list of roots of
//! spans of leaves; which spans is a matter of numbers alone, and their roots are gathered while the leaves
//! pass by, so that a proof over any log needs no more memory than its own length.
//!
//! Source: RFC 9162, sections 2.1.3 and 2.1.4.

use std::ops::Range;

use crate::ledger::tree::{Frontier, Hash, node_hash};

/// The spans whose roots prove that leaf `index` is in a tree of `size`, the leaf's sibling first. `None` when
/// the tree has no such leaf.
pub(crate) fn inclusion_spans(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let (mut span, mut spans) = (0..size, Vec::new());
    while span.end - span.start > 1 {
        let middle = span.start + split(span.end - span.start);
        if index < middle {
            spans.push(middle..span.end);
            span.end = middle;
        } else {
            spans.push(span.start..middle);
            span.start = middle;
        }
    }
    spans.reverse();
    Some(spans)
}

/// The spans whose roots prove that the tree of `old` leaves is the beginning of the tree of `new` leaves.
/// `None` when the old tree is larger.
pub(crate) fn consistency_spans(old: u64, new: u64) -> Option<Vec<Range<u64>>> {
    if old > new {
        return None;
    }
    if old == 0 || old == new {
        return Some(Vec::new());
    }
    let (mut span, mut spans) = (0..new, Vec::new());
    while span.end != old {
        let middle = span.start + split(span.end - span.start);
        if old <= middle {
            spans.push(middle..span.end);
            span.end = middle;
        } else {
            spans.push(span.start..middle);
            span.start = middle;
        }
    }
    // The verifier holds the old root; a subtree that is only a part of it has to be told.
    if span.start != 0 {
        spans.push(span);
    }
    spans.reverse();
    Some(spans)
}

/// The largest power of two below `n`, for `n` of at least two.
const fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The roots of some spans, while the leaves pass by.
#[derive(Debug)]
pub(crate) struct SpanRoots {
    spans: Vec<(Range<u64>, Frontier)>,
}

impl SpanRoots {
    pub(crate) fn new(spans: Vec<Range<u64>>) -> Self {
        Self { spans: spans.into_iter().map(|span| (span, Frontier::new())).collect() }
    }

    /// Takes the hash of leaf `index`. Leaves come in order.
    pub(crate) fn take(&mut self, index: u64, leaf: Hash) {
        if let Some((_, frontier)) = self.spans.iter_mut().find(|(span, _)| span.contains(&index)) {
            frontier.push(leaf);
        }
    }

    /// The roots; `None` when a leaf did not come.
    pub(crate) fn finish(self) -> Option<Vec<Hash>> {
        let root = |(span, frontier): (Range<u64>, Frontier)| {
            (frontier.size() == span.end - span.start).then(|| frontier.root())
        };
        self.spans.into_iter().map(root).collect()
    }
}

/// Whether `proof` shows that `leaf` is leaf `index` of the tree of `size` leaves with this `root`.
///
/// Source: RFC 9162, section 2.1.3.2.
pub(crate) fn inclusion_holds(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `old` leaves with `old_root` is the beginning of the tree of `new`
/// leaves with `new_root`.
///
/// Source: RFC 9162, section 2.1.4.2; an old tree without leaves is the beginning of every tree.
pub(crate) fn consistency_holds(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    proof: &[Hash],
) -> bool {
    if old > new {
        return false;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == Frontier::new().root();
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let told = if old.is_power_of_two() { Some((old_root, proof)) } else { proof.split_first() };
    let Some((first, rest)) = told else { return false };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}
