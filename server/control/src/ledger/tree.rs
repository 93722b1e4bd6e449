//! The Merkle tree over a log's leaves, as hashes alone: no I/O, nothing of events.
//!
//! Source: RFC 9162, section 2.1 (the tree of RFC 6962), with SHA-256.

pub(crate) mod proof;
#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

/// The bytes of a hash.
pub(crate) const HASH_BYTES: usize = 32;

/// A hash of the tree.
pub(crate) type Hash = [u8; HASH_BYTES];

/// The hash of a leaf: behind a zero byte, so that no leaf can pose as an inner node.
pub(crate) fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// The hash of an inner node.
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The frontier of a tree: the roots of the perfect subtrees that its leaves fall into, the largest first. It
/// is all that is needed to add leaves and to name the root, and has at most 64 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// Of a tree without leaves.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The frontier whose hashes [`Frontier::to_bytes`] wrote; `None` when their number does not fit `size`.
    pub(crate) fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (roots, rest) = bytes.as_chunks::<HASH_BYTES>();
        let fits = rest.is_empty() && roots.len() == size.count_ones() as usize;
        fits.then(|| Self { size, roots: roots.to_vec() })
    }

    /// The hashes, one behind the other.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.roots.concat()
    }

    /// How many leaves the tree has.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of the next leaf.
    pub(crate) fn push(&mut self, leaf: Hash) {
        // INVARIANT: the roots stand for the binary digits of `size`; a carry joins two equal subtrees.
        let joined = self.roots.len() - self.size.trailing_ones() as usize;
        let left = self.roots.drain(joined..).rev();
        let root = left.fold(leaf, |right, left| node_hash(&left, &right));
        self.roots.push(root);
        self.size += 1;
    }

    /// The root of the tree; of no leaves, the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut smallest_first = self.roots.iter().rev();
        let Some(&last) = smallest_first.next() else { return Sha256::digest([]).into() };
        smallest_first.fold(last, |right, left| node_hash(left, &right))
    }
}
