//! How much memory the sums of unknown groups may take, shared by threads.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use super::EngineError;
use crate::spill::{Spill, SpillTarget};

/// Parts of one level, told apart by so many bits of the hash.
pub(super) const PART_BITS: u32 = 6;
pub(super) const PARTS: usize = 1 << PART_BITS;

/// Memory and disk for the sums of one scan, shared by its threads.
pub(super) struct Workspace<'a> {
    /// Where sums go that do not fit in memory; without it they stay.
    target: Option<&'a SpillTarget>,
    /// Made when it is first needed.
    spill: Mutex<Option<Arc<Spill>>>,
    /// Bytes of the map of one thread.
    map_bytes: usize,
    /// Keyed, so that no data can be made to fall into one part.
    hasher: RandomState,
}

/// What a hash table adds to an entry.
const CONTROL_BYTES: usize = 1;
/// A chunk is written in one piece; 64 of them wait in each thread.
const CHUNK_BYTES_MAX: usize = 64 << 10;

impl<'a> Workspace<'a> {
    /// `memory` bytes for so many threads.
    pub(super) fn new(target: Option<&'a SpillTarget>, memory: usize, threads: NonZeroUsize) -> Self {
        // One half holds the maps; the other half what waits to be written, or the list that is made of a map at the end.
        Self { target, spill: Mutex::new(None), map_bytes: memory / 2 / threads, hasher: RandomState::new() }
    }

    /// How many entries of a size fit in the map of a thread; as many as there are where nothing can leave it.
    pub(super) const fn entries(&self, size: usize) -> usize {
        if self.target.is_none() {
            return usize::MAX;
        }
        // A table has a power of two of places, of which it fills seven in eight.
        let places = self.map_bytes / (size + CONTROL_BYTES);
        let places = if places < PLACES_MIN { PLACES_MIN } else { 1 << places.ilog2() };
        places / 8 * 7
    }

    /// How long a chunk gets before it is written.
    pub(super) fn chunk_bytes(&self) -> usize {
        (self.map_bytes / PARTS).min(CHUNK_BYTES_MAX)
    }

    /// Which of `parts` a group belongs to, by the bits of its hash from `bit` on.
    #[expect(clippy::cast_possible_truncation, reason = "only some bits of the hash are wanted")]
    pub(super) fn part(&self, group: &impl Hash, bit: u32, parts: usize) -> usize {
        (self.hasher.hash_one(group) >> bit) as usize % parts
    }

    /// The file.
    pub(super) fn spill(&self) -> Result<Arc<Spill>, EngineError> {
        let mut spill = self.spill.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spill) = &*spill {
            return Ok(Arc::clone(spill));
        }
        let new = self.target.ok_or(EngineError::Failed)?.create()?;
        Ok(Arc::clone(spill.insert(Arc::new(new))))
    }
}

/// A map of fewer places is not worth having.
const PLACES_MIN: usize = 8;
