//! The Merkle root of a delivery: the shape of RFC 6962, section 2.1, with BLAKE3 for its hash.

use blake3::{Hash, Hasher};

/// The root over the leaves in order; that of no leaf is the hash of nothing.
pub(super) fn root<'a>(leaves: impl Iterator<Item = &'a str>) -> Hash {
    let leaves: Vec<Hash> = leaves.map(|leaf| hash(0, &[leaf.as_bytes()])).collect();
    subtree(&leaves)
}

fn subtree(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => blake3::hash(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            hash(1, &[subtree(left).as_bytes(), subtree(right).as_bytes()])
        }
    }
}

/// Leaves and inner nodes have different prefixes, so that neither passes for the other.
fn hash(prefix: u8, parts: &[&[u8]]) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(&[prefix]);
    parts.iter().for_each(|part| {
        hasher.update(part);
    });
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_left_subtree_is_the_largest_power_of_two() {
        let leaf = |text: &str| hash(0, &[text.as_bytes()]);
        let node = |left: Hash, right: Hash| hash(1, &[left.as_bytes(), right.as_bytes()]);
        assert_eq!(root(std::iter::empty()), blake3::hash(&[]));
        assert_eq!(root(["a"].into_iter()), leaf("a"));
        let three = node(node(leaf("a"), leaf("b")), leaf("c"));
        assert_eq!(root(["a", "b", "c"].into_iter()), three);
        let four = node(node(leaf("a"), leaf("b")), node(leaf("c"), leaf("d")));
        assert_eq!(root(["a", "b", "c", "d"].into_iter()), four);
        assert_eq!(root(["a", "b", "c", "d", "e"].into_iter()), node(four, leaf("e")));
    }
}
