//! The layout of a log as files: hashes of the tree in tiles of 256, and the entries in bundles of 256.
//!
//! Source: C2SP tlog-tiles.

use crate::ledger::leaf::MAX_LEAF_BYTES;
use crate::ledger::tree::{Frontier, HASH_BYTES, Hash};

/// How many hashes a full tile has, and how many entries a full bundle.
pub(crate) const TILE_WIDTH: u64 = 256;
/// The same number, where things in memory are counted.
pub(crate) const TILE_HASHES: usize = 256;
/// The largest bundle that is read.
pub(crate) const MAX_BUNDLE_BYTES: usize = TILE_HASHES * (2 + u16::MAX as usize);

/// One tile of a tree, or the bundle of entries at its foot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    /// 0 over the leaves; each hash of a level is the root of a full tile below it.
    pub(crate) level: u32,
    /// Which one of its level.
    pub(crate) index: u64,
    /// How many hashes it has.
    pub(crate) width: usize,
}

impl Tile {
    /// Every tile of `level` in a tree of `size` leaves, from the one that holds hash `from` on.
    pub(crate) fn of_level(level: u32, size: u64, from: u64) -> impl Iterator<Item = Self> {
        let hashes = hashes_at(level, size);
        (from / TILE_WIDTH..hashes.div_ceil(TILE_WIDTH)).map(move |index| {
            let width = width_behind(hashes - index * TILE_WIDTH);
            Self { level, index, width }
        })
    }

    /// Where the tile lies.
    pub(crate) fn path(self) -> String {
        format!("tile/{}/{}", self.level, self.place())
    }

    /// Where the bundle of the entries below a tile of level 0 lies.
    pub(crate) fn bundle_path(self) -> String {
        format!("tile/entries/{}", self.place())
    }

    fn place(self) -> String {
        let place = numbered(self.index);
        if self.width == TILE_HASHES { place } else { format!("{place}.p/{}", self.width) }
    }
}

/// How many of the hashes from a tile's beginning on are in the tile.
pub(crate) fn width_behind(hashes: u64) -> usize {
    usize::try_from(hashes).map_or(TILE_HASHES, |hashes| hashes.min(TILE_HASHES))
}

/// How many hashes a level has in a tree of `size` leaves.
pub(crate) fn hashes_at(level: u32, size: u64) -> u64 {
    size.checked_shr(8 * level).unwrap_or(0)
}

/// 1234067 is `x001/x234/067`.
fn numbered(index: u64) -> String {
    let mut place = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        place = format!("x{:03}/{place}", rest % 1000);
        rest /= 1000;
    }
    place
}

/// The hashes of a tile's bytes; `None` unless there are `width` of them.
pub(crate) fn read_tile(bytes: &[u8], width: usize) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    (rest.is_empty() && hashes.len() == width).then(|| hashes.to_vec())
}

/// The root over the hashes of a full tile.
pub(crate) fn tile_root(hashes: &[Hash]) -> Hash {
    let mut tree = Frontier::new();
    hashes.iter().for_each(|&hash| tree.push(hash));
    tree.root()
}

/// A bundle of entries: each behind its length.
pub(crate) fn write_bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bundle = Vec::new();
    for entry in entries {
        // INVARIANT: a leaf is never larger than MAX_LEAF_BYTES, which two bytes can tell.
        const { assert!(MAX_LEAF_BYTES <= u16::MAX as usize) };
        let length = u16::try_from(entry.len()).expect("a leaf's length fits in two bytes");
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    bundle
}

/// The entries of a bundle; `None` unless there are `width` of them and nothing else.
pub(crate) fn read_bundle(mut bytes: &[u8], width: usize) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    (bytes.is_empty() && entries.len() == width).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_has_the_published_tiles() {
        // Source: C2SP tlog-tiles, "Partial Tiles": a tree of 70,000 leaves.
        let widths = |level| Tile::of_level(level, 70_000, 0).map(|tile| tile.width).collect::<Vec<_>>();
        assert_eq!(widths(0).len(), 274);
        assert_eq!(widths(0)[272..], [256, 112]);
        assert_eq!(widths(1), [256, 17]);
        assert_eq!(widths(2), [1]);
        assert_eq!(widths(3), [0_usize; 0]);
        assert_eq!(Tile::of_level(1, 256, 0).map(|tile| tile.width).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn the_published_index_has_the_published_path() {
        // Source: C2SP tlog-tiles, "Merkle Tree".
        assert_eq!(Tile { level: 3, index: 1_234_067, width: 256 }.path(), "tile/3/x001/x234/067");
        assert_eq!(Tile { level: 0, index: 5, width: 7 }.path(), "tile/0/005.p/7");
        assert_eq!(Tile { level: 0, index: 1000, width: 256 }.bundle_path(), "tile/entries/x001/000");
    }

    #[test]
    fn a_bundle_reads_back_and_a_cut_one_does_not() {
        let entries = vec![b"one".to_vec(), Vec::new(), vec![7; 300]];
        let bundle = write_bundle(&entries);
        assert_eq!(read_bundle(&bundle, 3), Some(entries));
        assert_eq!(read_bundle(&bundle, 2), None);
        for length in 0..bundle.len() {
            assert_eq!(read_bundle(&bundle[..length], 3), None, "{length}");
        }
    }
}
