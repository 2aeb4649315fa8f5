//! The Merkle tree over the ledger's entries.
//!
//! Promises: the roots and paths of RFC 6962, for the present size and for every earlier one, in `O(log n)` hashes each.
//! The tree keeps the hash of every complete subtree, level by level, and nothing else:
//!
//! ```text
//! level 2          h(0..4)                      a root or a path at any size <= 7 is folded
//! level 1     h(0..2)   h(2..4)   h(4..6)       from these, at most two a level
//! level 0    l0   l1   l2   l3   l4   l5   l6
//! ```
//!
//! ```
//! use usufruct::ledger::{Tree, leaf_hash, verify_inclusion};
//!
//! let mut tree = Tree::new();
//! for entry in [b"one", b"two", b"six"] {
//!     tree.push(leaf_hash(entry));
//! }
//! let path = tree.inclusion(1, 3).ok_or("no such entry")?;
//! verify_inclusion(1, 3, &leaf_hash(b"two"), &path, &tree.root())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! RFC 6962 section 2.1, RFC 9162 section 2.1: leaf `SHA-256(00 || entry)`, node `SHA-256(01 || left || right)`,
//! empty tree `SHA-256("")`, split at the largest power of two below the size.
//!
//! # Not promised
//! Small memory: 64 bytes an entry. Tiles on disk come later.

use sha2::{Digest as _, Sha256};

/// The root of the tree without entries: SHA-256 of nothing.
pub const EMPTY_ROOT: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, //
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The append-only tree in memory.
#[derive(Clone, Default)]
pub struct Tree {
    /// `levels[k][i]` is the hash of the complete subtree over the leaves `i * 2^k .. (i + 1) * 2^k`.
    levels: Vec<Vec<[u8; 32]>>,
}

impl Tree {
    /// The tree without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the hash of a leaf ([`leaf_hash`]) and returns its index.
    pub fn push(&mut self, leaf: [u8; 32]) -> u64 {
        let index = self.size();
        let mut hash = leaf;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(hash);
            if nodes.len() % 2 == 1 {
                break;
            }
            hash = node_hash(&nodes[nodes.len() - 2], &hash);
        }
        index
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        self.subtree(0, self.size())
    }

    /// The root when the tree had `size` leaves; `None` if it never had so many.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<[u8; 32]> {
        (size <= self.size()).then(|| self.subtree(0, size))
    }

    /// The inclusion path of leaf `index` in the tree of `size` leaves, the leaf's sibling first;
    /// `None` unless `index < size <= self.size()`.
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<[u8; 32]>> {
        if index >= size || size > self.size() {
            return None;
        }
        let mut path = Vec::new();
        let (mut first, mut last) = (0, size);
        while last - first > 1 {
            let middle = first + split(last - first);
            if index < middle {
                path.push(self.subtree(middle, last));
                last = middle;
            } else {
                path.push(self.subtree(first, middle));
                first = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The proof that the tree of `old` leaves is a prefix of the tree of `new` leaves: empty if `old` is 0 or `new`;
    /// `None` unless `old <= new <= self.size()`.
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<[u8; 32]>> {
        if old > new || new > self.size() {
            return None;
        }
        let mut path = Vec::new();
        if old == 0 {
            return Some(path);
        }
        let (mut first, mut last) = (0, new);
        while last != old {
            let middle = first + split(last - first);
            if old <= middle {
                path.push(self.subtree(middle, last));
                last = middle;
            } else {
                path.push(self.subtree(first, middle));
                first = middle;
            }
        }
        if first != 0 {
            path.push(self.subtree(first, last));
        }
        path.reverse();
        Some(path)
    }

    /// The hash over the leaves `first .. last`, where `first` is a multiple of every power of two below `last - first`
    /// and `last <= self.size()`: complete subtrees, folded from the right.
    fn subtree(&self, first: u64, last: u64) -> [u8; 32] {
        let (mut end, mut count) = (last, last - first);
        let mut folded = None;
        while count > 0 {
            let level = count.trailing_zeros();
            end -= 1 << level;
            let node = self.node(level, end >> level);
            folded = Some(folded.map_or(node, |right| node_hash(&node, &right)));
            count &= count - 1;
        }
        folded.unwrap_or(EMPTY_ROOT)
    }

    #[expect(clippy::cast_possible_truncation, reason = "every caller's index is below the length of a Vec")]
    fn node(&self, level: u32, index: u64) -> [u8; 32] {
        self.levels[level as usize][index as usize]
    }
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("size", &self.size()).finish_non_exhaustive()
    }
}

/// `SHA-256(00 || entry)`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// `SHA-256(01 || left || right)`.
#[must_use]
pub(super) fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The largest power of two below `count`, for `count >= 2`.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]
pub(super) mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    /// The definition, read off RFC 6962 section 2.1.
    fn naive_root(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    fn naive_inclusion(index: usize, leaves: &[[u8; 32]]) -> Vec<[u8; 32]> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = split(leaves.len() as u64) as usize;
        let (left, right) = leaves.split_at(k);
        let (mut path, other) = if index < k { (naive_inclusion(index, left), right) } else { (naive_inclusion(index - k, right), left) };
        path.push(naive_root(other));
        path
    }

    fn naive_consistency(old: usize, leaves: &[[u8; 32]], whole: bool) -> Vec<[u8; 32]> {
        if old == leaves.len() {
            return if whole { Vec::new() } else { vec![naive_root(leaves)] };
        }
        let k = split(leaves.len() as u64) as usize;
        let (left, right) = leaves.split_at(k);
        let (mut path, other) =
            if old <= k { (naive_consistency(old, left, whole), right) } else { (naive_consistency(old - k, right, false), left) };
        path.push(naive_root(other));
        path
    }

    /// The entries of the public vectors (transparency-dev/merkle, `testonly/constants.go`).
    pub(in crate::ledger) fn public_entries() -> Vec<Vec<u8>> {
        vec![
            vec![],
            vec![0x00],
            vec![0x10],
            vec![0x20, 0x21],
            vec![0x30, 0x31],
            vec![0x40, 0x41, 0x42, 0x43],
            (0x50..0x58).collect(),
            (0x60..0x70).collect(),
        ]
    }

    pub(in crate::ledger) fn tree_of(entries: &[Vec<u8>]) -> Tree {
        let mut tree = Tree::new();
        for (index, entry) in entries.iter().enumerate() {
            assert_eq!(tree.push(leaf_hash(entry)), index as u64);
        }
        tree
    }

    pub(in crate::ledger) fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_public_roots() {
        let entries = public_entries();
        let tree = tree_of(&entries);
        for (size, root) in [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(hex(&tree.root_at(size).unwrap()), root, "size {size}");
        }
        assert_eq!(tree.root_at(8), Some(tree.root()));
        for (index, leaf) in [
            (0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (3, "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7"),
            (7, "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1"),
        ] {
            assert_eq!(hex(&leaf_hash(&entries[index])), leaf);
        }
    }

    #[test]
    fn every_root_and_path_up_to_130_is_the_naive_one() {
        let leaves: Vec<_> = (0u32..130).map(|i| leaf_hash(&i.to_be_bytes())).collect();
        let mut tree = Tree::new();
        assert_eq!(tree.root(), EMPTY_ROOT);
        leaves.iter().for_each(|leaf| {
            tree.push(*leaf);
        });
        for size in 0..=leaves.len() {
            assert_eq!(tree.root_at(size as u64).unwrap(), naive_root(&leaves[..size]));
            for index in 0..size {
                let path = tree.inclusion(index as u64, size as u64).unwrap();
                assert_eq!(path, naive_inclusion(index, &leaves[..size]), "{index} of {size}");
            }
            for old in 1..=size {
                let path = tree.consistency(old as u64, size as u64).unwrap();
                assert_eq!(path, naive_consistency(old, &leaves[..size], true), "{old} to {size}");
            }
            assert_eq!(tree.consistency(0, size as u64), Some(Vec::new()));
        }
    }

    #[test]
    fn ct_merkle_says_the_same() {
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let mut ours = Tree::new();
        for i in 0u64..300 {
            let entry = i.to_be_bytes().repeat(i as usize % 5);
            theirs.push(entry.clone());
            ours.push(leaf_hash(&entry));
            let root = theirs.root();
            assert_eq!(ours.root()[..], root.as_bytes()[..]);
            let index = i * i % (i + 1);
            let path = ours.inclusion(index, i + 1).unwrap();
            assert_eq!(path.concat(), theirs.prove_inclusion(index as usize).as_bytes());
            let path = ours.consistency(index + 1, i + 1).unwrap();
            assert_eq!(path.concat(), theirs.prove_consistency((i - index) as usize).as_bytes());
        }
    }

    #[test]
    fn what_is_out_of_range_is_none() {
        let tree = tree_of(&public_entries());
        assert_eq!(tree.root_at(9), None);
        assert_eq!(tree.inclusion(0, 0), None);
        assert_eq!(tree.inclusion(5, 5), None);
        assert_eq!(tree.inclusion(0, 9), None);
        assert_eq!(tree.inclusion(u64::MAX, u64::MAX), None);
        assert_eq!(tree.consistency(5, 4), None);
        assert_eq!(tree.consistency(5, 9), None);
        assert_eq!(tree.consistency(u64::MAX, u64::MAX), None);
        assert_eq!(format!("{tree:?}"), "Tree { size: 8, .. }");
    }
}
