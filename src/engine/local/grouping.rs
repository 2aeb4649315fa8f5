//! How rows are put into groups: by number into tables where all groups fit, by key where they do not.

use super::EngineError;
use super::sums::Sums;
use crate::plan::bound::QueryPlan;
use crate::plan::evaluator::CHUNK;
use crate::plan::group::Layout;
use crate::plan::{Batch, Evaluator};

/// A way to name groups and to keep their sums.
pub(super) trait Grouping: Sync {
    /// A group. Their order is that of the description, which decides between equal ranks.
    type Group: Copy + Ord;
    /// What one thread has summed so far.
    type Tally: Tally<Self::Group> + Send;

    /// Nothing summed yet.
    fn tally(&self) -> Self::Tally;

    /// What the ranks of a group are made from.
    fn hash(&self, group: Self::Group) -> [u8; 16];

    /// Writes the groups of the rows of a batch, none for those that do not count; outside `from..to` anything.
    fn groups(&self, batch: &Batch, from: usize, to: usize, out: &mut Vec<Option<Self::Group>>);

    /// Adds every row of a batch, each a unit.
    fn add_batch(&self, batch: &Batch, tally: &mut Self::Tally) -> Result<(), EngineError>;
}

/// Sums under way, row by row.
pub(super) trait Tally<G> {
    /// Adds one row of a group; `numbers` has one entry for each value of the plan.
    fn add_row(&mut self, group: G, numbers: &[Option<i64>]) -> Result<(), EngineError>;

    /// Adds one unit to each of its groups, all different.
    fn add_unit(&mut self, groups: impl Iterator<Item = G>, dropped: bool) -> Result<(), EngineError>;
}

/// All groups have a number, and sums of all of them are kept.
pub(super) struct Dense<'a> {
    plan: &'a QueryPlan,
    layout: &'a Layout<'a>,
    evaluator: &'a Evaluator,
    /// Of each group, where there are not many and a choice is made.
    hashes: Vec<[u8; 16]>,
}

/// Hashes of more groups than this are made when they are needed.
const HASHES_MAX: usize = 1 << 16;

impl<'a> Dense<'a> {
    pub(super) fn new(plan: &'a QueryPlan, layout: &'a Layout<'a>, evaluator: &'a Evaluator) -> Self {
        let hashed = if plan.choice.is_some() && layout.cells <= HASHES_MAX { layout.cells } else { 0 };
        Self { plan, layout, evaluator, hashes: (0..hashed).map(|cell| layout.hash(cell)).collect() }
    }
}

impl<'a> Grouping for Dense<'a> {
    type Group = u32;
    type Tally = Sums<'a>;

    fn tally(&self) -> Sums<'a> {
        Sums::new(self.plan, self.layout.cells)
    }

    fn hash(&self, group: u32) -> [u8; 16] {
        let cell = group as usize;
        self.hashes.get(cell).copied().unwrap_or_else(|| self.layout.hash(cell))
    }

    fn groups(&self, batch: &Batch, from: usize, to: usize, out: &mut Vec<Option<u32>>) {
        out.resize(batch.rows(), None);
        let mut numbers = [0; CHUNK];
        for start in (from / CHUNK * CHUNK..to).step_by(CHUNK) {
            let end = batch.rows().min(start + CHUNK);
            let numbers = &mut numbers[..end - start];
            self.evaluator.numbers(self.layout, batch, start, numbers);
            let group = |cell: u32| ((cell as usize) < self.layout.cells).then_some(cell);
            out[start..end].iter_mut().zip(numbers).for_each(|(out, cell)| *out = group(*cell));
        }
    }

    fn add_batch(&self, batch: &Batch, tally: &mut Sums<'a>) -> Result<(), EngineError> {
        let mut groups = [0; CHUNK];
        for from in (0..batch.rows()).step_by(CHUNK) {
            let groups = &mut groups[..(batch.rows() - from).min(CHUNK)];
            self.evaluator.numbers(self.layout, batch, from, groups);
            tally.add(batch, from, groups);
        }
        Ok(())
    }
}

impl Tally<u32> for Sums<'_> {
    fn add_row(&mut self, group: u32, numbers: &[Option<i64>]) -> Result<(), EngineError> {
        self.add_row(group, numbers)
    }

    fn add_unit(&mut self, groups: impl Iterator<Item = u32>, dropped: bool) -> Result<(), EngineError> {
        self.add_unit(groups, dropped);
        Ok(())
    }
}
