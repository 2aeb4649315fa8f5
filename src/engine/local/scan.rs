//! The scan: threads over blocks, exact sums, the same in any order.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::blocks::read;
use super::active_domain::ActiveDomain;
use super::grouping::{Dense, Grouping};
use super::sparse::{Sparse, words};
use super::unit::Gathered;
use super::workspace::Workspace;
use super::{Blocks, Control, Engine, EngineError, active_domain};
use crate::dataset::RowKey;
use crate::plan::bound::SLOTS_MAX;
use crate::plan::group::{GroupColumn, Layout};
use crate::plan::{BoundQuery, ContributionBound, Evaluator, Exact, ExactPart};
use crate::spill::SpillTarget;

/// The engine over a snapshot, or other columns in blocks, of one machine.
///
/// Threads take stretches of blocks in turn; sums are exact integers, so neither their number nor the order shows.
///
/// # Memory
/// Declared groups, and groups of unknown values whose combinations fit, have a table of at most 2^22 slots a vector and
/// thread. More groups are summed by key within [`SnapshotEngine::with_memory`]; what does not fit goes to an encrypted
/// file without a name in [`SnapshotEngine::with_spill_folder`], or stays in memory where no folder is given. What comes
/// out of it is held in memory in any case: of each group that could be named, its key and 16 bytes for each slot of each
/// vector, twice while it is put in order. With one text key of 10 bytes, a count and a sum that is about 170 bytes a
/// group: 10^7 groups take 1.7 GB. Groups of fewer units than the schema's least are left out before, of a
/// [part](Engine::part) none.
pub struct SnapshotEngine<B> {
    source: B,
    /// Present when the unit is a column.
    key: Option<RowKey>,
    threads: NonZeroUsize,
    /// The most slots of a vector of groups that the data say.
    slots_max: usize,
    memory: usize,
    spill: Option<SpillTarget>,
}

/// Blocks that a thread takes at a time when the unit is a column: its last unit may go on into the next stretch, and
/// the blocks of that end are read twice.
const STRETCH: usize = 16;
/// What all threads together keep of sums by key unless told otherwise: some million groups.
const MEMORY_DEFAULT: usize = 256 << 20;

/// As many threads as the machine gives. Asking takes the reading of several files.
pub(super) fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

impl<B: Blocks> SnapshotEngine<B> {
    /// An engine for data whose unit is a row.
    #[must_use]
    pub fn of_rows(source: B) -> Self {
        Self::new(source, None, cores())
    }

    /// An engine for data whose unit is a column; `key` is the K of the lineage, by which groups and rows are chosen.
    #[must_use]
    pub fn of_units(source: B, key: RowKey) -> Self {
        Self::new(source, Some(key), cores())
    }

    pub(super) fn new(source: B, key: Option<RowKey>, threads: NonZeroUsize) -> Self {
        Self { source, key, threads, slots_max: SLOTS_MAX, memory: MEMORY_DEFAULT, spill: None }
    }

    /// With another number of threads than the machine has.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Keeps at most so many bytes of sums by key in memory, all threads together, where groups of unknown values do not fit
    /// in a table and there is a folder for the rest.
    #[must_use]
    pub const fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Where sums by key go that do not fit in memory: to a file that has no name from its first byte on, encrypted under a key
    /// that is nowhere else. It takes up to some 40 bytes for each number that a row adds to.
    #[must_use]
    pub fn with_spill_folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.spill = Some(SpillTarget::Folder(path.into()));
        self
    }

    /// With smaller tables.
    #[cfg(test)]
    pub(in crate::engine) const fn with_slots_max(mut self, slots: usize) -> Self {
        self.slots_max = slots;
        self
    }

    /// Into this file, which the test can read.
    #[cfg(test)]
    pub(in crate::engine) fn with_spill_file(mut self, file: std::fs::File) -> Self {
        self.spill = Some(SpillTarget::Open(file));
        self
    }

    /// The data.
    #[must_use]
    pub const fn source(&self) -> &B {
        &self.source
    }
}

impl<B: Blocks> SnapshotEngine<B> {
    /// Reads everything once; what each thread has summed.
    fn scan<G: Grouping>(&self, bound: &BoundQuery, grouping: &G, control: &Control<'_>) -> Result<Vec<G::Tally>, EngineError> {
        let contribution = match &self.key {
            Some(key) => ContributionBound::new(bound, key),
            None if bound.0.choice.is_some() => return Err(EngineError::Failed),
            None => None,
        };
        let blocks = self.source.blocks();
        let stretch = if contribution.is_some() { (blocks / 4 / self.threads).clamp(1, STRETCH) } else { 1 };
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let scan = Scan { bound, grouping, source: &self.source, control, next, done, blocks, stretch };
        let work = || {
            let tally = match &contribution {
                None => scan.rows(),
                Some(contribution) => scan.units(contribution),
            };
            tally.inspect_err(|_| scan.stop())
        };
        let threads = self.threads.get().min(blocks.div_ceil(stretch)).max(1);
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let first = work();
            // All are waited for before one failure is told.
            let others = others.into_iter().map(|other| other.join().map_err(|_| EngineError::Failed)?);
            let all: Vec<_> = std::iter::once(first).chain(others).collect();
            all.into_iter().collect()
        })
    }

    fn sparse<const N: usize>(
        &self,
        bound: &BoundQuery,
        columns: &[GroupColumn],
        evaluator: &Evaluator,
        least_units: u64,
        control: &Control<'_>,
    ) -> Result<ExactPart, EngineError> {
        let workspace = Workspace::new(self.spill.as_ref(), self.memory, self.threads);
        let sparse = Sparse::<N>::new(bound, columns, evaluator, &workspace, least_units);
        let tallies = self.scan(bound, &sparse, control)?;
        sparse.part(tallies, self.threads, control)
    }

    /// The sums of all groups of at least so many units, where the data say which groups there are.
    fn sums(&self, bound: &BoundQuery, least_units: u64, control: &Control<'_>) -> Result<ExactPart, EngineError> {
        control.check()?;
        let plan = &*bound.0;
        let evaluator = Evaluator::new(bound, |column, visit| self.source.texts(column, visit))?;
        let found = match plan.cells {
            Some(cells) => ActiveDomain::Dense(Layout { groups: Cow::Borrowed(&plan.groups), cells }),
            None => active_domain::layout(bound, &evaluator, &self.source, self.slots_max, self.threads, control)?,
        };
        let layout = match found {
            ActiveDomain::Dense(layout) => layout,
            ActiveDomain::Sparse(columns) => {
                return match words(&columns) {
                    0..=2 => self.sparse::<2>(bound, &columns, &evaluator, least_units, control),
                    3..=4 => self.sparse::<4>(bound, &columns, &evaluator, least_units, control),
                    5..=8 => self.sparse::<8>(bound, &columns, &evaluator, least_units, control),
                    _ => self.sparse::<16>(bound, &columns, &evaluator, least_units, control),
                };
            }
        };
        let mut tallies = self.scan(bound, &Dense::new(plan, &layout, &evaluator), control)?.into_iter();
        let mut sums = tallies.next().ok_or(EngineError::Failed)?;
        tallies.for_each(|tally| sums.merge(tally));
        let sums = sums.into_totals();
        match plan.cells {
            Some(_) => ExactPart::new(bound, sums),
            None => active_domain::part(bound, &layout, least_units, &sums),
        }
        .ok_or(EngineError::Failed)
    }
}

impl<B: Blocks> Engine for SnapshotEngine<B> {
    fn part(&self, bound: &BoundQuery, control: &Control<'_>) -> Result<ExactPart, EngineError> {
        self.sums(bound, 1, control)
    }

    /// Groups that can never be named are left out as soon as they are whole, so that they need no memory.
    fn aggregate(&self, bound: &BoundQuery, control: &Control<'_>) -> Result<Exact, EngineError> {
        self.sums(bound, bound.least_units(), control).map(ExactPart::complete)
    }
}

impl<B> fmt::Debug for SnapshotEngine<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotEngine").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// One pass over the data, shared by its threads.
struct Scan<'a, B, G> {
    bound: &'a BoundQuery,
    grouping: &'a G,
    source: &'a B,
    control: &'a Control<'a>,
    /// The next block that no thread has taken.
    next: AtomicUsize,
    done: AtomicUsize,
    blocks: usize,
    stretch: usize,
}

impl<B: Blocks, G: Grouping> Scan<'_, B, G> {
    /// Every row is a unit.
    fn rows(&self) -> Result<G::Tally, EngineError> {
        let mut tally = self.grouping.tally();
        while let Some((block, _)) = self.take() {
            self.grouping.add_batch(&read(self.bound, self.source, block)?, &mut tally)?;
            self.finish_block()?;
        }
        Ok(tally)
    }

    /// Units that start in a stretch belong to it, to their end.
    fn units(&self, contribution: &ContributionBound) -> Result<G::Tally, EngineError> {
        let mut sums = self.grouping.tally();
        while let Some((start, end)) = self.take() {
            self.units_of(start, end, contribution, &mut sums)?;
        }
        Ok(sums)
    }

    fn units_of(&self, start: usize, end: usize, contribution: &ContributionBound, sums: &mut G::Tally) -> Result<(), EngineError> {
        // The unit that the stretch before ends with is not ours.
        let mut before = None;
        for block in (0..start).rev() {
            before = self.source.unit_block(block)?.ids.last().copied();
            if before.is_some() {
                break;
            }
        }
        let mut open: Option<[u8; 16]> = None;
        let mut gathered = Gathered::new(self.bound.0.values.len());
        let mut groups = Vec::new();
        for block in start..self.blocks {
            if block >= end && open.is_none() {
                break;
            }
            let units = self.source.unit_block(block)?;
            let rows = units.ids.len();
            if rows != self.source.block_rows(block) || rows != units.tags.len() {
                return Err(EngineError::Failed);
            }
            let skipped = if open.is_none() { units.ids.iter().take_while(|id| Some(**id) == before).count() } else { 0 };
            let stop = if block >= end { units.ids.iter().take_while(|id| Some(**id) == open).count() } else { rows };
            if skipped < stop {
                let batch = read(self.bound, self.source, block)?;
                self.grouping.groups(&batch, skipped, stop, &mut groups);
                let rows = units.ids.iter().zip(&units.tags).zip(&groups).enumerate();
                for (row, ((&unit, &tag), &group)) in rows.take(stop).skip(skipped) {
                    if open != Some(unit)
                        && let Some(ended) = open.replace(unit)
                    {
                        gathered.finish(&ended, contribution, self.grouping, sums)?;
                    }
                    if let Some(group) = group {
                        gathered.push(group, tag, self.bound.0.values.iter().map(|value| batch.value(value.read, row)));
                    }
                }
                if let Some(unit) = &open {
                    gathered.thin(unit, contribution, self.grouping);
                }
            }
            if block < end {
                self.finish_block()?;
            } else {
                self.control.check()?;
                if stop < rows {
                    break;
                }
            }
        }
        if let Some(unit) = &open {
            gathered.finish(unit, contribution, self.grouping, sums)?;
        }
        Ok(())
    }

    /// The next stretch of blocks.
    fn take(&self) -> Option<(usize, usize)> {
        let start = self.next.fetch_add(self.stretch, Ordering::Relaxed);
        (start < self.blocks).then(|| (start, self.blocks.min(start + self.stretch)))
    }

    /// Leaves nothing for other threads to take.
    fn stop(&self) {
        self.next.store(self.blocks, Ordering::Relaxed);
    }

    fn finish_block(&self) -> Result<(), EngineError> {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.control.report(done as u64, self.blocks as u64);
        self.control.check()
    }
}
