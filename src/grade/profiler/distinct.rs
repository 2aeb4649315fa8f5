//! Different cells, counted by keyed hashes up to a cap.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use super::super::Distinct;

/// The most that is counted in a column.
pub(super) const DISTINCT_MAX: usize = 10_000;

/// The most hashes of all columns together (16 MiB in a set that is full): wide tables count less in each.
const HASHES_MAX: usize = 1 << 20;

/// How many different cells there are. Only hashes are kept, and none once there are more than the cap.
#[derive(Clone)]
pub(super) struct Counter {
    hashes: HashSet<u64, BuildHasherDefault<AsIs>>,
    most: usize,
    over: bool,
}

impl Counter {
    /// A counter of one of so many columns.
    pub(super) fn of(columns: usize) -> Self {
        let most = (HASHES_MAX / columns.max(1)).clamp(64, DISTINCT_MAX);
        Self { hashes: HashSet::default(), most, over: false }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn see(&mut self, hash: u64) {
        if self.over {
            return;
        }
        if self.hashes.insert(hash) && self.hashes.len() > self.most {
            self.over = true;
            self.hashes = HashSet::default();
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if other.over {
            self.over = true;
            self.hashes = HashSet::default();
        }
        other.hashes.into_iter().for_each(|hash| self.see(hash));
    }

    pub(super) fn count(&self) -> Distinct {
        if self.over { Distinct::AtLeast(self.most as u64 + 1) } else { Distinct::Exactly(self.hashes.len() as u64) }
    }
}

/// A keyed hash of bytes by folded multiplication, as wyhash does it; equal only for equal bytes, but for chance.
pub(super) fn hash(key: [u64; 2], bytes: &[u8]) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let folded = (product >> 64) as u64 ^ product as u64;
        folded
    };
    let mut state = key[0] ^ bytes.len() as u64;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        state = fold(state ^ u64::from_le_bytes(*chunk), key[1]);
    }
    let rest = rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    fold(fold(state ^ rest, key[1]), key[0] | 1)
}

/// Hashes are not hashed again.
#[derive(Clone, Copy, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| hash << 8 | u64::from(byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_up_to_the_cap() {
        let key = [3, 5];
        let mut counter = Counter::of(9);
        for number in 0..DISTINCT_MAX as u64 {
            counter.see(hash(key, &number.to_le_bytes()));
            counter.see(hash(key, &number.to_le_bytes()));
        }
        assert_eq!(counter.count(), Distinct::Exactly(DISTINCT_MAX as u64));
        counter.see(hash(key, b"one more"));
        assert_eq!(counter.count(), Distinct::AtLeast(DISTINCT_MAX as u64 + 1));
        assert!(counter.hashes.capacity() == 0 && counter.is_over());
        assert_eq!(Counter::of(1_000_000).most, 64);
    }

    #[test]
    fn lengths_and_zeros_count() {
        let hashes: HashSet<u64> =
            [&b""[..], b"\0", b"\0\0", b"a", b"a\0", b"12345678", b"12345678\0", b"123456781"].map(|bytes| hash([7, 9], bytes)).into();
        assert_eq!(hashes.len(), 8);
    }
}
