//! Maps from ids, with a fast hash under a key of this process.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// A map from ids, which are hashes or random already.
pub(super) type IdMap<K, V> = HashMap<K, V, Keyed>;

/// A multiplication for each 8 bytes, under a key of this process: ids come from holders, who could otherwise look for many
/// that meet in one bucket.
#[derive(Clone, Copy, Debug)]
pub(in crate::ledger) struct Keyed {
    start: u64,
    factor: u64,
}

impl Default for Keyed {
    fn default() -> Self {
        let random = RandomState::new();
        Self { start: random.hash_one(0), factor: random.hash_one(1) | 1 }
    }
}

impl BuildHasher for Keyed {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold { state: self.start, factor: self.factor }
    }
}

pub(in crate::ledger) struct Fold {
    state: u64,
    factor: u64,
}

impl Fold {
    #[expect(clippy::cast_possible_truncation, reason = "both halves of the product")]
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.factor);
        self.state = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        if !rest.is_empty() {
            self.mix(u64::from_le_bytes(last));
        }
    }

    /// The length of an array, which is the same for all keys of a map.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Digest;

    #[test]
    fn keys_that_differ_in_one_bit_fall_into_different_buckets() {
        let keyed = Keyed::default();
        let mut buckets = std::collections::HashSet::new();
        for bit in 0..256 {
            let mut bytes = [0; 32];
            bytes[bit / 8] |= 1 << (bit % 8);
            buckets.insert(keyed.hash_one(Digest::from_bytes(bytes)) >> 48);
        }
        // 256 keys in 65,536 buckets: more than 20 that meet would take a chance below 1e-20.
        assert!(buckets.len() > 236, "{}", buckets.len());
        assert_ne!(keyed.hash_one(Digest::from_bytes([1; 32])), Keyed::default().hash_one(Digest::from_bytes([1; 32])));
    }
}
