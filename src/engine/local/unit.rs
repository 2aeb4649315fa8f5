//! The rows of one unit, gathered until it ends.

use super::EngineError;
use super::grouping::{Grouping, Tally};
use crate::plan::{ContributionBound, UnitRow};

/// Rows of one unit, gathered until it ends.
///
/// What can no longer be kept is thrown out from time to time, so memory is that of twice the kept rows and a block.
pub(super) struct Gathered<G> {
    rows: Vec<UnitRow<G>>,
    /// For each row, one number for each value of the plan.
    numbers: Vec<Option<i64>>,
    width: usize,
    /// How many rows there may be before it is thinned.
    thin_at: usize,
    /// How many rows there were.
    seen: u64,
}

/// Fewer rows are not worth thinning.
const THIN_AT_LEAST: usize = if cfg!(test) { 16 } else { 65_536 };

impl<G: Copy + Ord> Gathered<G> {
    /// Of rows with `width` numbers each.
    pub(super) const fn new(width: usize) -> Self {
        Self { rows: Vec::new(), numbers: Vec::new(), width, thin_at: THIN_AT_LEAST, seen: 0 }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, group: G, tag: [u8; 16], numbers: impl Iterator<Item = Option<i64>>) {
        self.seen += 1;
        self.rows.push(UnitRow { group, place: self.numbers.len(), tag });
        self.numbers.extend(numbers);
    }

    /// Throws out what will not be kept, once there is much.
    pub(super) fn thin(&mut self, unit: &[u8; 16], contribution: &ContributionBound, grouping: &impl Grouping<Group = G>) {
        if self.rows.len() < self.thin_at {
            return;
        }
        contribution.thin(unit, &mut self.rows, &|group| grouping.hash(group));
        let mut numbers = Vec::with_capacity(self.rows.len() * self.width);
        for row in &mut self.rows {
            let from = std::mem::replace(&mut row.place, numbers.len());
            numbers.extend_from_slice(&self.numbers[from..from + self.width]);
        }
        self.numbers = numbers;
        self.thin_at = THIN_AT_LEAST.max(2 * self.rows.len());
    }

    /// The unit ends: adds what is kept of it to `sums` and is empty again.
    pub(super) fn finish<K: Grouping<Group = G>>(
        &mut self,
        unit: &[u8; 16],
        contribution: &ContributionBound,
        grouping: &K,
        sums: &mut K::Tally,
    ) -> Result<(), EngineError> {
        contribution.keep(unit, &mut self.rows, |group| grouping.hash(group));
        self.rows.sort_unstable_by_key(|row| row.group);
        for row in &self.rows {
            sums.add_row(row.group, &self.numbers[row.place..row.place + self.width])?;
        }
        let groups = self.rows.chunk_by(|a, b| a.group == b.group).filter_map(|rows| rows.first());
        sums.add_unit(groups.map(|row| row.group), self.seen > self.rows.len() as u64)?;
        self.rows.clear();
        self.numbers.clear();
        self.thin_at = THIN_AT_LEAST;
        self.seen = 0;
        Ok(())
    }
}
