//! What the profiler looks for.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// What the profiler looks for: the built-in kinds, and those that the user adds.
///
/// Holds the key of the hashes by which distinct cells are counted: profilers that are merged share one value.
#[derive(Clone)]
pub struct Recognisers {
    key: [u64; 2],
}

impl Recognisers {
    /// The built-in kinds.
    #[must_use]
    pub fn builtin() -> Self {
        // The system's randomness, by way of the keys of hash maps: chosen cells must not meet in one bucket.
        let state = RandomState::new();
        Self { key: [state.hash_one(0_u8) | 1, state.hash_one(1_u8) | 1] }
    }

    pub(super) fn key(&self) -> [u64; 2] {
        self.key
    }
}

impl fmt::Debug for Recognisers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recognisers").finish_non_exhaustive()
    }
}
