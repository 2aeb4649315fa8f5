//! Keyed ranks by which the groups of a unit and the rows of a group are chosen.

use sha2::{Digest as _, Sha256};

use crate::dataset::RowKey;
use crate::label::Label;

/// Ranks by which the groups of a unit and the rows of a group are chosen (rule D2).
///
/// ```text
/// group key = PRF(K, label of group ranks)      row key = PRF(K, label of row ranks)          16 bytes each
/// group rank = SHA-256(group key | group hash | unit id)         one block of input, first 16 bytes, big endian
/// row rank   = SHA-256(row key | group rank | row tag)           likewise
/// ```
///
/// So a rank is a function of K, the unit, the group and the cells of the row: no place in the data enters. All parts
/// have a fixed length, and SHA-256 under a secret prefix of fixed-length input is a pseudorandom function.
pub(super) struct Ranks {
    group_key: [u8; 16],
    row_key: [u8; 16],
}

impl Ranks {
    pub(super) fn new(key: &RowKey) -> Self {
        let derive = |label| short(key.prf(label, &[]));
        Self { group_key: derive(Label::GROUP_RANK), row_key: derive(Label::ROW_RANK) }
    }

    pub(super) fn group(&self, unit: &[u8; 16], group_hash: &[u8; 16]) -> u128 {
        rank(&self.group_key, group_hash, unit)
    }

    pub(super) fn row(&self, group_rank: u128, tag: &[u8; 16]) -> u128 {
        rank(&self.row_key, &group_rank.to_be_bytes(), tag)
    }
}

impl Drop for Ranks {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.group_key);
        zeroize::Zeroize::zeroize(&mut self.row_key);
    }
}

fn rank(key: &[u8; 16], first: &[u8; 16], second: &[u8; 16]) -> u128 {
    let mut input = [0; 48];
    input[..16].copy_from_slice(key);
    input[16..32].copy_from_slice(first);
    input[32..].copy_from_slice(second);
    u128::from_be_bytes(short(Sha256::digest(input).into()))
}

fn short(bytes: [u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&bytes[..16]);
    out
}
