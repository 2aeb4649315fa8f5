use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::bound::Plan;
use super::group::Layout;
use super::select::{CHUNK, Tables, View, cells, tables};
use super::sums::Sums;
use super::unit::{Chooser, Gathered};
use super::{Blocks, Bound, Control, Engine, EngineError, Exact, found};
use crate::dataset::RowKey;

/// The engine over a snapshot, or other columns in blocks, of one machine.
///
/// Threads take stretches of blocks in turn; sums are exact integers, so neither their number nor the order shows.
pub struct SnapshotEngine<B> {
    source: B,
    /// Present when the unit is a column.
    key: Option<RowKey>,
    threads: NonZeroUsize,
}

/// Blocks that a thread takes at a time when the unit is a column: its last unit may go on into the next stretch, and
/// the blocks of that end are read twice.
const STRETCH: usize = 16;

impl<B: Blocks> SnapshotEngine<B> {
    /// An engine for data whose unit is a row.
    #[must_use]
    pub fn of_rows(source: B) -> Self {
        Self { source, key: None, threads: threads_default() }
    }

    /// An engine for data whose unit is a column; `key` is the K of the lineage, by which groups and rows are chosen.
    #[must_use]
    pub fn of_units(source: B, key: RowKey) -> Self {
        Self { source, key: Some(key), threads: threads_default() }
    }

    /// With another number of threads than the machine has.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// The data.
    #[must_use]
    pub const fn source(&self) -> &B {
        &self.source
    }
}

impl<B: Blocks> Engine for SnapshotEngine<B> {
    fn aggregate(&self, bound: &Bound, control: &Control<'_>) -> Result<Exact, EngineError> {
        control.check()?;
        let plan = &*bound.0;
        let layout = match plan.cells {
            Some(cells) => Layout { groups: Cow::Borrowed(&plan.groups), cells },
            None => found::layout(plan, &self.source, self.threads, control)?,
        };
        let chooser = match (plan.choice, &self.key) {
            (None, _) => None,
            (Some(choice), Some(key)) => Some(Chooser::new(key, &layout, choice)),
            (Some(_), None) => return Err(EngineError::Failed),
        };
        let tables = tables(plan, &self.source)?;
        let blocks = self.source.blocks();
        let stretch = if chooser.is_some() { (blocks / 4 / self.threads).clamp(1, STRETCH) } else { 1 };
        let next = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let scan = Scan { plan, layout: &layout, source: &self.source, tables, control, next, done, blocks, stretch };
        let work = || {
            let sums = match &chooser {
                None => scan.rows(),
                Some(chooser) => scan.units(chooser),
            };
            sums.inspect_err(|_| scan.stop())
        };
        let threads = self.threads.get().min(blocks.div_ceil(stretch)).max(1);
        let sums = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut sums = work()?;
            for other in others {
                sums.merge(other.join().map_err(|_| EngineError::Failed)??);
            }
            Ok(sums)
        })?;
        let sums = sums.into_totals();
        match plan.cells {
            Some(_) => Exact::new(bound, sums),
            None => found::exact(bound, &layout, &sums),
        }
        .ok_or(EngineError::Failed)
    }
}

impl<B> fmt::Debug for SnapshotEngine<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotEngine").field("threads", &self.threads).finish_non_exhaustive()
    }
}

fn threads_default() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// One pass over the data, shared by its threads.
struct Scan<'a, B> {
    plan: &'a Plan,
    layout: &'a Layout<'a>,
    source: &'a B,
    tables: Tables,
    control: &'a Control<'a>,
    /// The next block that no thread has taken.
    next: AtomicUsize,
    done: AtomicUsize,
    blocks: usize,
    stretch: usize,
}

impl<B: Blocks> Scan<'_, B> {
    /// Every row is a unit.
    fn rows(&self) -> Result<Sums, EngineError> {
        let mut sums = Sums::new(self.plan, self.layout.cells);
        let mut groups = [0; CHUNK];
        while let Some((block, _)) = self.take() {
            let view = View::read(self.plan, self.source, block)?;
            for from in (0..view.rows()).step_by(CHUNK) {
                let groups = &mut groups[..(view.rows() - from).min(CHUNK)];
                cells(self.plan, self.layout, &self.tables, &view, from, groups);
                sums.add(&view, from, groups);
            }
            self.finish_block()?;
        }
        Ok(sums)
    }

    /// Units that start in a stretch belong to it, to their end.
    fn units(&self, chooser: &Chooser<'_>) -> Result<Sums, EngineError> {
        let mut sums = Sums::new(self.plan, self.layout.cells);
        while let Some((start, end)) = self.take() {
            self.units_of(start, end, chooser, &mut sums)?;
        }
        Ok(sums)
    }

    fn units_of(&self, start: usize, end: usize, chooser: &Chooser<'_>, sums: &mut Sums) -> Result<(), EngineError> {
        // The unit that the stretch before ends with is not ours.
        let mut before = None;
        for block in (0..start).rev() {
            before = self.source.unit_block(block)?.ids.last().copied();
            if before.is_some() {
                break;
            }
        }
        let mut open: Option<[u8; 16]> = None;
        let mut gathered = Gathered::new(self.plan.values.len());
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
                let view = View::read(self.plan, self.source, block)?;
                self.groups(&view, skipped, stop, &mut groups);
                let rows = units.ids.iter().zip(&units.tags).zip(&groups).enumerate();
                for (row, ((&unit, &tag), &cell)) in rows.take(stop).skip(skipped) {
                    if open != Some(unit)
                        && let Some(ended) = open.replace(unit)
                    {
                        gathered.finish(&ended, chooser, sums);
                    }
                    if (cell as usize) < self.layout.cells {
                        gathered.push(cell, tag, self.plan.values.iter().map(|value| view.value(value.read, row)));
                    }
                }
                if let Some(unit) = &open {
                    gathered.thin(unit, chooser);
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
            gathered.finish(unit, chooser, sums);
        }
        Ok(())
    }

    /// The groups of the rows of a block; those outside `from..to` are left as they are.
    fn groups(&self, view: &View, from: usize, to: usize, out: &mut Vec<u32>) {
        out.resize(view.rows(), 0);
        for start in (from / CHUNK * CHUNK..to).step_by(CHUNK) {
            let end = view.rows().min(start + CHUNK);
            cells(self.plan, self.layout, &self.tables, view, start, &mut out[start..end]);
        }
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
