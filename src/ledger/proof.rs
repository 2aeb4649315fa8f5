//! Verifying paths of the tree: the part that a stranger runs.
//!
//! Promises: each function is a pure function of public bytes, accepts exactly the path that [`Tree`](super::Tree) makes
//! (no shorter, no longer one), and fails with one undetailed error.
//!
//! # Source
//! RFC 9162 sections 2.1.3.2 (inclusion) and 2.1.4.2 (consistency).
//!
//! # Not promised
//! That a root is the ledger's: that takes a signed [`Checkpoint`](super::Checkpoint).

use super::tree::{EMPTY_ROOT, node_hash};
use crate::class::Class;
use thiserror::Error;

/// A path that does not prove what it was given for. It says no more, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the proof does not hold")]
pub struct ProofError;

impl ProofError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::Doubt
    }
}

/// Checks that `leaf` (a [`leaf_hash`](super::leaf_hash)) stands at `index` in the tree of `size` leaves with this `root`.
/// `path` has the leaf's sibling first.
///
/// # Errors
/// [`ProofError`] if it does not.
pub fn verify_inclusion(index: u64, size: u64, leaf: &[u8; 32], path: &[[u8; 32]], root: &[u8; 32]) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError);
    }
    let mut walk = Walk { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in path {
        hash = match walk.step()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    if walk.last == 0 && hash == *root { Ok(()) } else { Err(ProofError) }
}

/// Checks that the tree of `old_size` leaves with `old_root` is a prefix of the tree of `new_size` leaves with `new_root`.
/// Every tree extends the empty one: there, the path is empty and `old_root` must be [`EMPTY_ROOT`].
///
/// # Errors
/// [`ProofError`] if it does not.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    old_root: &[u8; 32],
    new_root: &[u8; 32],
    path: &[[u8; 32]],
) -> Result<(), ProofError> {
    let holds = match old_size {
        _ if old_size > new_size => false,
        _ if old_size == new_size => path.is_empty() && old_root == new_root && (new_size != 0 || *new_root == EMPTY_ROOT),
        0 => path.is_empty() && *old_root == EMPTY_ROOT,
        _ => return verify_growth(old_size, new_size, old_root, new_root, path),
    };
    if holds { Ok(()) } else { Err(ProofError) }
}

/// [`verify_consistency`] for `0 < old_size < new_size`.
fn verify_growth(old_size: u64, new_size: u64, old_root: &[u8; 32], new_root: &[u8; 32], path: &[[u8; 32]]) -> Result<(), ProofError> {
    // A complete old tree is itself a node of the new one, so the path leaves it out.
    let (first, rest) = if old_size.is_power_of_two() { (old_root, path) } else { path.split_first().ok_or(ProofError)? };
    let mut walk = Walk { node: old_size - 1, last: new_size - 1 };
    walk.rise(walk.node.trailing_ones());
    let (mut old, mut new) = (*first, *first);
    for sibling in rest {
        match walk.step()? {
            Side::Left => {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
            }
            Side::Right => new = node_hash(&new, sibling),
        }
    }
    if walk.last == 0 && old == *old_root && new == *new_root { Ok(()) } else { Err(ProofError) }
}

/// The climb from a node to the root: `fn` and `sn` of RFC 9162, the index of the node and of the last one of its level.
struct Walk {
    node: u64,
    last: u64,
}

/// On which side the next hash of a path stands.
enum Side {
    Left,
    Right,
}

impl Walk {
    fn step(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError);
        }
        if self.node % 2 == 1 {
            self.rise(1);
            return Ok(Side::Left);
        }
        if self.node == self.last {
            // An even last node has no sibling until it is the right child of something: rise to there, then past it.
            // `last` is not 0 here, so neither is `node`.
            self.rise(self.node.trailing_zeros() + 1);
            return Ok(Side::Left);
        }
        self.rise(1);
        Ok(Side::Right)
    }

    fn rise(&mut self, levels: u32) {
        self.node = self.node.checked_shr(levels).unwrap_or(0);
        self.last = self.last.checked_shr(levels).unwrap_or(0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]
mod tests {
    use super::super::tree::tests::{public_entries, tree_of};
    use super::*;
    use crate::ledger::leaf_hash;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use proptest::prelude::*;
    use std::path::{Path, PathBuf};

    fn hashes(words: &str) -> Vec<[u8; 32]> {
        words.split_whitespace().map(|word| STANDARD.decode(word).unwrap().try_into().unwrap()).collect()
    }

    #[test]
    fn the_public_paths() {
        let tree = tree_of(&public_entries());
        for (old, new, path) in [
            (1, 2, "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c="),
            (1, 4, "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c= Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4="),
            (2, 4, "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4="),
            (2, 8, "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4= a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ="),
            (4, 8, "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ="),
        ] {
            let path = hashes(path);
            assert_eq!(tree.consistency(old, new).unwrap(), path, "{old} to {new}");
            let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root_at(new).unwrap());
            assert_eq!(verify_consistency(old, new, &old_root, &new_root, &path), Ok(()));
        }
        for (index, size, path) in [
            (0, 2, "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c="),
            (3, 4, "ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c= +sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="),
        ] {
            assert_eq!(tree.inclusion(index, size).unwrap(), hashes(path), "{index} of {size}");
        }
    }

    #[test]
    fn the_17_variants_that_must_fail() {
        let entries = public_entries();
        let tree = tree_of(&entries);
        let (leaf, root) = (leaf_hash(&entries[5]), tree.root());
        let path = tree.inclusion(5, 8).unwrap();
        assert_eq!(verify_inclusion(5, 8, &leaf, &path, &root), Ok(()));
        let flipped = |i: usize| {
            let mut path = path.clone();
            path[i][0] ^= 8;
            path
        };
        let [a, b, c] = path.as_slice() else { panic!("three hashes") };
        let (wrong, nothing) = ([0x5a; 32], [0; 32]);
        let fails = [
            ("empty root", 5, 8, leaf, path.clone(), EMPTY_ROOT),
            ("wrong root", 5, 8, leaf, path.clone(), wrong),
            ("wrong leaf", 5, 8, wrong, path.clone(), root),
            ("index minus 1", 4, 8, leaf, path.clone(), root),
            ("index plus 1", 6, 8, leaf, path.clone(), root),
            ("index xor 2", 7, 8, leaf, path.clone(), root),
            ("size halved", 5, 4, leaf, path.clone(), root),
            ("size doubled", 5, 16, leaf, path.clone(), root),
            ("first hash flipped", 5, 8, leaf, flipped(0), root),
            ("second hash flipped", 5, 8, leaf, flipped(1), root),
            ("third hash flipped", 5, 8, leaf, flipped(2), root),
            ("a hash inserted", 5, 8, leaf, vec![*a, wrong, *b, *c], root),
            ("the last hash removed", 5, 8, leaf, vec![*a, *b], root),
            ("nothing before", 5, 8, leaf, vec![nothing, *a, *b, *c], root),
            ("nothing after", 5, 8, leaf, vec![*a, *b, *c, nothing], root),
            ("the root before", 5, 8, leaf, vec![root, *a, *b, *c], root),
            ("the root after", 5, 8, leaf, vec![*a, *b, *c, root], root),
        ];
        assert_eq!(fails.len(), 17);
        for (what, index, size, leaf, path, root) in fails {
            assert_eq!(verify_inclusion(index, size, &leaf, &path, &root), Err(ProofError), "{what}");
        }
    }

    #[test]
    fn old_size_zero_has_one_root_and_no_path() {
        let tree = tree_of(&public_entries());
        let root = tree.root();
        assert_eq!(verify_consistency(0, 8, &EMPTY_ROOT, &root, &[]), Ok(()));
        assert_eq!(verify_consistency(0, 0, &EMPTY_ROOT, &EMPTY_ROOT, &[]), Ok(()));
        assert_eq!(verify_consistency(0, 0, &root, &root, &[]), Err(ProofError));
        assert_eq!(verify_consistency(0, 8, &root, &root, &[]), Err(ProofError));
        assert_eq!(verify_consistency(0, 8, &EMPTY_ROOT, &root, &[root]), Err(ProofError));
        assert_eq!(verify_consistency(8, 0, &root, &EMPTY_ROOT, &[]), Err(ProofError));
        assert_eq!(verify_consistency(6, 8, &root, &root, &[]), Err(ProofError));
        assert_eq!(verify_inclusion(0, 0, &root, &[], &EMPTY_ROOT), Err(ProofError));
    }

    #[test]
    fn sizes_at_the_end_of_u64_do_not_panic() {
        let hash = [7; 32];
        for size in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1] {
            for length in [0, 1, 63, 64, 65, 200] {
                let path = vec![hash; length];
                for other in [0, 1, 2, 3, 1 << 62, size - 1, size] {
                    let _ = verify_inclusion(other, size, &hash, &path, &hash);
                    let _ = verify_consistency(other, size, &hash, &hash, &path);
                }
            }
        }
    }

    /// The files of transparency-dev/merkle `testdata`. A hash of another length than 32 cannot even be said here.
    #[test]
    fn the_public_vector_files() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/vectors/merkle");
        if !root.is_dir() {
            println!("skipped: no ../shared");
            return;
        }
        let mut seen = (0, 0);
        for file in files(&root) {
            let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            let number = |key: &str| json[key].as_u64();
            let hash = |value: &serde_json::Value| -> Option<[u8; 32]> { STANDARD.decode(value.as_str()?).ok()?.try_into().ok() };
            let path: Option<Vec<_>> = json["proof"].as_array().map_or(Some(Vec::new()), |path| path.iter().map(hash).collect());
            let proved = if json.get("leafIdx").is_some() {
                (|| {
                    let (leaf, root) = (hash(&json["leafHash"])?, hash(&json["root"])?);
                    verify_inclusion(number("leafIdx")?, number("treeSize")?, &leaf, &path?, &root).ok()
                })()
            } else {
                (|| {
                    let (old, new) = (hash(&json["root1"])?, hash(&json["root2"])?);
                    verify_consistency(number("size1")?, number("size2")?, &old, &new, &path?).ok()
                })()
            };
            let expected = !json["wantErr"].as_bool().unwrap();
            assert_eq!(proved.is_some(), expected, "{}", file.display());
            if expected { seen.0 += 1 } else { seen.1 += 1 }
        }
        assert!(seen.0 >= 6 && seen.1 >= 80, "valid and invalid files: {seen:?}");
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    proptest! {
        #[test]
        fn what_the_tree_makes_verifies_and_nothing_near_it(
            size in 1u64..700, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), bit in 0usize..256,
        ) {
            let entries: Vec<Vec<u8>> = (0..size).map(|i| i.to_be_bytes().to_vec()).collect();
            let tree = tree_of(&entries);
            let at = a.index(size as usize) as u64 + 1;
            let index = b.index(at as usize) as u64;
            let (leaf, root) = (leaf_hash(&entries[index as usize]), tree.root_at(at).unwrap());
            let path = tree.inclusion(index, at).unwrap();
            prop_assert_eq!(verify_inclusion(index, at, &leaf, &path, &root), Ok(()));
            for other in 0..size.min(40) {
                if other != index {
                    prop_assert!(verify_inclusion(other, at, &leaf, &path, &root).is_err());
                }
            }
            let old = index + 1;
            let old_root = tree.root_at(old).unwrap();
            let proof = tree.consistency(old, at).unwrap();
            prop_assert_eq!(verify_consistency(old, at, &old_root, &root, &proof), Ok(()));
            for i in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[i][bit / 8] ^= 1 << (bit % 8);
                prop_assert!(verify_consistency(old, at, &old_root, &root, &wrong).is_err());
                wrong.remove(i);
                prop_assert!(verify_consistency(old, at, &old_root, &root, &wrong).is_err());
            }
            let mut long = proof;
            long.push(root);
            prop_assert!(verify_consistency(old, at, &old_root, &root, &long).is_err());
        }
    }
}
