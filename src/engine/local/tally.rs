//! Sums by key within a workspace, with what does not fit set aside by parts.

use std::collections::HashMap;
use std::sync::Arc;

use super::EngineError;
use super::grouping::Tally;
use super::workspace::{PART_BITS, PARTS, Workspace};
use crate::plan::bound::QueryPlan;
use crate::spill::{Chunk, Spill};

/// One number of one group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place<const N: usize> {
    pub(super) group: [u32; N],
    /// Which of its numbers: a vector and a slot.
    pub(super) number: u32,
}

/// What is to be added to a number.
pub(super) type Amount<const N: usize> = (Place<N>, i128);
/// The chunks of each part.
pub(super) type Parts = Vec<Vec<Chunk>>;

/// A hash has bits for so many levels. Groups that share 60 bits of it stay in memory together: hardly ever more than one.
const LEVELS: u32 = u64::BITS / PART_BITS;

/// Sums of one thread, or of one part.
pub(super) struct SparseTally<'a, const N: usize> {
    plan: &'a QueryPlan,
    starts: Vec<u32>,
    workspace: &'a Workspace<'a>,
    level: u32,
    sums: HashMap<Place<N>, i128>,
    /// The most numbers in the map.
    most: usize,
    spilled: Option<Spilled>,
    /// Units that lost rows.
    dropped: i128,
}

/// What has left the map.
struct Spilled {
    spill: Arc<Spill>,
    /// For each part what waits to fill a chunk, and the chunks.
    parts: Vec<(Vec<u8>, Vec<Chunk>)>,
}

impl<'a, const N: usize> SparseTally<'a, N> {
    /// The bytes of an amount in a chunk: the words of its place, and 128 bits, all little endian.
    const BYTES: usize = 4 * N + 4 + 16;

    pub(super) fn new(plan: &'a QueryPlan, starts: &[u32], workspace: &'a Workspace<'a>, level: u32) -> Self {
        let most = if level < LEVELS { workspace.entries(size_of::<Amount<N>>()) } else { usize::MAX };
        // A map of full size never grows, and growing would take half as much again.
        let sums = if most == usize::MAX { HashMap::new() } else { HashMap::with_capacity(most) };
        Self { plan, starts: starts.to_vec(), workspace, level, sums, most, spilled: None, dropped: 0 }
    }

    pub(super) const fn dropped(&self) -> i128 {
        self.dropped
    }

    pub(super) const fn is_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    /// What is in the map, where nothing has left it.
    pub(super) fn into_amounts(self) -> Vec<Amount<N>> {
        self.sums.into_iter().collect()
    }

    /// All of it, in chunks.
    pub(super) fn into_parts(mut self) -> Result<Parts, EngineError> {
        self.spill()?;
        let Some(Spilled { spill, mut parts }) = self.spilled.take() else { return Ok(Vec::new()) };
        for (waiting, chunks) in parts.iter_mut().filter(|(waiting, _)| !waiting.is_empty()) {
            chunks.push(spill.write(waiting)?);
        }
        Ok(parts.into_iter().map(|(_, chunks)| chunks).collect())
    }

    /// Adds what a chunk holds.
    pub(super) fn add_chunk(&mut self, chunk: &Chunk) -> Result<(), EngineError> {
        let bytes = self.workspace.spill()?.read(chunk)?;
        for amount in bytes.chunks_exact(Self::BYTES) {
            let (words, amount) = amount.split_at(4 * N + 4);
            let mut words = words.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
            let group = std::array::from_fn(|_| words.next().unwrap_or_default());
            let place = Place { group, number: words.next().unwrap_or_default() };
            let amount = amount.first_chunk().map_or(0, |amount| i128::from_le_bytes(*amount));
            self.add(place, amount)?;
        }
        Ok(())
    }

    fn add(&mut self, place: Place<N>, amount: i128) -> Result<(), EngineError> {
        if self.sums.len() >= self.most && !self.sums.contains_key(&place) {
            self.spill()?;
        }
        *self.sums.entry(place).or_insert(0) += amount;
        Ok(())
    }

    fn add_to(&mut self, group: [u32; N], vector: usize, slot: usize, amount: i128) -> Result<(), EngineError> {
        if amount == 0 {
            return Ok(());
        }
        let number = self.starts[vector] + u32::try_from(slot).unwrap_or(u32::MAX);
        self.add(Place { group, number }, amount)
    }

    /// Empties the map into the parts.
    fn spill(&mut self) -> Result<(), EngineError> {
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled { spill: self.workspace.spill()?, parts: vec![(Vec::new(), Vec::new()); PARTS] }),
        };
        let chunk_bytes = (self.workspace.chunk_bytes() / Self::BYTES).max(1) * Self::BYTES;
        for (place, amount) in self.sums.drain() {
            let (waiting, chunks) = &mut spilled.parts[self.workspace.part(&place.group, self.level * PART_BITS, PARTS)];
            place.group.iter().chain([&place.number]).for_each(|word| waiting.extend_from_slice(&word.to_le_bytes()));
            waiting.extend_from_slice(&amount.to_le_bytes());
            if waiting.len() >= chunk_bytes {
                chunks.push(spilled.spill.write(waiting)?);
            }
        }
        Ok(())
    }
}

impl<const N: usize> Tally<[u32; N]> for SparseTally<'_, N> {
    fn add_row(&mut self, group: [u32; N], numbers: &[Option<i64>]) -> Result<(), EngineError> {
        let plan = self.plan;
        plan.additions(numbers.iter().copied(), |vector, slot, amount| self.add_to(group, vector, slot, amount))
    }

    fn add_unit(&mut self, groups: impl Iterator<Item = [u32; N]>, dropped: bool) -> Result<(), EngineError> {
        if let Some(units) = self.plan.units {
            for group in groups {
                self.add_to(group, units, 0, 1)?;
            }
        }
        self.dropped += i128::from(dropped);
        Ok(())
    }
}
