//! More groups than a table holds: sums by key, within bounded memory (rule D5).
//!
//! ```text
//! row --> key: one or two 32-bit words a column --> (key, number) += amount          a map for each thread
//!                                                        | full
//!                                                        v
//!                        64 parts by a keyed hash of the key --> encrypted chunks in a file without a name
//!                                                        |
//!         each part alone: a map again, and 64 smaller parts where it is still too large --> sums of whole groups
//! ```
//!
//! All sums of a group meet in one part, so that a group is known to be whole when its part is done. Where the engine has
//! all units, a group of fewer than the schema's least is left out then: it can never be named, so nothing that is released changes.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::grouping::Grouping;
use super::tally::{Amount, Parts, SparseTally};
use super::workspace::PARTS;
use super::workspace::Workspace;
use super::{Control, EngineError};
use crate::plan::bound::QueryPlan;
use crate::plan::evaluator::{CHUNK, is_set};
use crate::plan::group::GroupColumn;
use crate::plan::{Batch, BoundQuery, Evaluator, ExactPart, GroupKey, ReleaseStep, group_hash};
use crate::spill::Chunk;

/// Groups named by the values of their columns, in `N` words: the number of a value, or an integer of the data itself.
pub(super) struct Sparse<'a, const N: usize> {
    bound: &'a BoundQuery,
    plan: &'a QueryPlan,
    columns: &'a [GroupColumn],
    evaluator: &'a Evaluator,
    workspace: &'a Workspace<'a>,
    /// Groups of fewer units are left out.
    least_units: u64,
    /// Where the slots of each vector start among the numbers of a group.
    starts: Vec<u32>,
    /// How many numbers a group has.
    width: usize,
}

/// How many words the keys of these columns have.
pub(super) fn words(columns: &[GroupColumn]) -> usize {
    columns.iter().map(|column| if column.is_declared() { 1 } else { 2 }).sum()
}

impl<'a, const N: usize> Sparse<'a, N> {
    /// `columns` have at most `N` words.
    pub(super) fn new(
        bound: &'a BoundQuery,
        columns: &'a [GroupColumn],
        evaluator: &'a Evaluator,
        workspace: &'a Workspace<'a>,
        least_units: u64,
    ) -> Self {
        let plan = &*bound.0;
        let mut starts = Vec::new();
        let mut width = 0;
        for vector in &plan.vectors {
            starts.push(u32::try_from(width).unwrap_or(u32::MAX));
            width += if vector.is_of_all() { 0 } else { vector.slots() };
        }
        Self { bound, plan, columns, evaluator, workspace, least_units, starts, width }
    }

    /// The group of a row that WHERE selects. Words are ordered like the values they stand for.
    fn group(&self, batch: &Batch, row: usize) -> Option<[u32; N]> {
        let mut out = [0; N];
        let mut words = out.iter_mut();
        for column in self.columns {
            let cell = batch.value(column.read, row);
            if column.is_declared() {
                *words.next()? = column.number(cell)?;
            } else {
                let [high, low] = to_words(cell?);
                *words.next()? = high;
                *words.next()? = low;
            }
        }
        Some(out)
    }

    fn key(&self, group: [u32; N]) -> Vec<GroupKey> {
        let mut words = group.into_iter();
        let mut next = || words.next().unwrap_or_default();
        let key = |column: &GroupColumn| {
            if column.is_declared() { column.key_of(next() as usize) } else { GroupKey::Integer(from_words([next(), next()])) }
        };
        self.columns.iter().map(key).collect()
    }

    /// Calls `take` for the rows `from..to` that WHERE selects.
    fn each(
        &self,
        batch: &Batch,
        from: usize,
        to: usize,
        mut take: impl FnMut(usize, [u32; N]) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        for start in (from / CHUNK * CHUNK..to).step_by(CHUNK) {
            let end = batch.rows().min(start + CHUNK);
            let selected = self.evaluator.selected(batch, start, end - start);
            for row in start.max(from)..end.min(to) {
                if is_set(&selected, row - start)
                    && let Some(group) = self.group(batch, row)
                {
                    take(row, group)?;
                }
            }
        }
        Ok(())
    }

    /// Brings together what the threads have summed.
    pub(super) fn part(
        &self,
        tallies: Vec<SparseTally<'_, N>>,
        threads: NonZeroUsize,
        control: &Control<'_>,
    ) -> Result<ExactPart, EngineError> {
        let dropped = tallies.iter().map(SparseTally::dropped).sum();
        if tallies.iter().any(SparseTally::is_spilled) {
            let mut parts: Parts = vec![Vec::new(); PARTS];
            for tally in tallies {
                parts.iter_mut().zip(tally.into_parts()?).for_each(|(all, more)| all.extend(more));
            }
            let next = AtomicUsize::new(0);
            let work = || {
                let mut groups = Groups::default();
                while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let settled = self.settle(part, 1, &mut groups, control);
                    settled.inspect_err(|_| next.store(parts.len(), Ordering::Relaxed))?;
                }
                Ok(groups)
            };
            let found: Vec<Result<Groups<N>, EngineError>> = thread::scope(|scope| {
                let others: Vec<_> = (1..threads.get().min(PARTS)).map(|_| scope.spawn(work)).collect();
                let first = work();
                let others = others.into_iter().map(|other| other.join().map_err(|_| EngineError::Failed)?);
                std::iter::once(first).chain(others).collect()
            });
            self.put_together(&found.into_iter().collect::<Result<Vec<_>, _>>()?, dropped)
        } else {
            let mut groups = Groups::default();
            self.take(tallies.into_iter().flat_map(SparseTally::into_amounts).collect(), &mut groups);
            self.put_together(&[groups], dropped)
        }
        .ok_or(EngineError::Failed)
    }

    /// Sums a part, by its own parts where it is too large.
    fn settle(&self, part: &[Chunk], level: u32, out: &mut Groups<N>, control: &Control<'_>) -> Result<(), EngineError> {
        let mut tally = SparseTally::new(self.plan, &self.starts, self.workspace, level);
        for chunk in part {
            control.check()?;
            tally.add_chunk(chunk)?;
        }
        if tally.is_spilled() {
            return tally.into_parts()?.iter().try_for_each(|part| self.settle(part, level + 1, out, control));
        }
        self.take(tally.into_amounts(), out);
        Ok(())
    }

    /// Keeps the sums of whole groups of enough units.
    fn take(&self, mut amounts: Vec<Amount<N>>, out: &mut Groups<N>) {
        let Some(ReleaseStep::Groups { vector }) = self.plan.steps.first() else { return };
        let units = self.starts[*vector];
        amounts.sort_unstable_by_key(|(place, _)| *place);
        for group in amounts.chunk_by(|(a, _), (b, _)| a.group == b.group) {
            let count: i128 = group.iter().filter(|(place, _)| place.number == units).map(|(_, amount)| amount).sum();
            if count < self.least_units.into() {
                continue;
            }
            let from = out.sums.len();
            out.sums.resize(from + self.width, 0);
            let sums = &mut out.sums[from..];
            group.iter().for_each(|(place, amount)| sums[place.number as usize] += amount);
            out.groups.extend(group.first().map(|(place, _)| place.group));
        }
    }

    /// Groups in the order of their keys, vector by vector.
    fn put_together(&self, found: &[Groups<N>], dropped: i128) -> Option<ExactPart> {
        let groups = found.iter().flat_map(|found| found.groups.iter().zip(found.sums.chunks_exact(self.width)));
        let mut named: Vec<_> = groups.map(|(group, sums)| (self.key(*group), sums)).collect();
        named.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut out = Vec::with_capacity(self.plan.vectors.iter().map(|vector| vector.len(named.len())).sum());
        for (start, vector) in self.starts.iter().zip(&self.plan.vectors) {
            if vector.is_of_all() {
                out.push(dropped);
                continue;
            }
            for (_, sums) in &named {
                out.extend_from_slice(sums.get(*start as usize..)?.get(..vector.slots())?);
            }
        }
        ExactPart::with_keys(self.bound, named.into_iter().map(|(key, _)| key).collect(), out)
    }
}

impl<'a, const N: usize> Grouping for Sparse<'a, N> {
    type Group = [u32; N];
    type Tally = SparseTally<'a, N>;

    fn tally(&self) -> SparseTally<'a, N> {
        SparseTally::new(self.plan, &self.starts, self.workspace, 0)
    }

    fn hash(&self, group: [u32; N]) -> [u8; 16] {
        group_hash(&self.key(group))
    }

    fn groups(&self, batch: &Batch, from: usize, to: usize, out: &mut Vec<Option<[u32; N]>>) {
        out.clear();
        out.resize(batch.rows(), None);
        // Nothing fails that is only written down.
        let _ = self.each(batch, from, to, |row, group| {
            out[row] = Some(group);
            Ok(())
        });
    }

    fn add_batch(&self, batch: &Batch, tally: &mut SparseTally<'a, N>) -> Result<(), EngineError> {
        let mut numbers = Vec::new();
        self.each(batch, 0, batch.rows(), |row, group| {
            numbers.clear();
            numbers.extend(self.plan.values.iter().map(|value| batch.value(value.read, row)));
            super::grouping::Tally::add_row(tally, group, &numbers)
        })
    }
}

/// The sums of whole groups.
struct Groups<const N: usize> {
    groups: Vec<[u32; N]>,
    /// Group by group.
    sums: Vec<i128>,
}

impl<const N: usize> Default for Groups<N> {
    fn default() -> Self {
        Self { groups: Vec::new(), sums: Vec::new() }
    }
}

/// In the order of the integers, the upper half first.
#[expect(clippy::cast_possible_truncation, reason = "halves are wanted")]
pub(in crate::engine) const fn to_words(value: i64) -> [u32; 2] {
    let moved = value.cast_unsigned() ^ SIGN;
    [(moved >> 32) as u32, moved as u32]
}

fn from_words([high, low]: [u32; 2]) -> i64 {
    ((u64::from(high) << 32 | u64::from(low)) ^ SIGN).cast_signed()
}

const SIGN: u64 = 1 << 63;
