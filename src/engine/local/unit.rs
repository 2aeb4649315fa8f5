//! The rows of one unit, and which of them are kept.

use super::EngineError;
use super::grouping::{Grouping, Tally};
use super::rank::Ranks;
use crate::dataset::RowKey;
use crate::plan::bound::Choice;

/// What is needed to choose.
pub(super) struct Chooser<'a, G> {
    ranks: Ranks,
    grouping: &'a G,
    choice: Choice,
}

/// Rows of one unit, gathered until it ends.
///
/// What can no longer be kept is thrown out from time to time: a group that is not among the best of those seen will
/// not be among the best of all, nor a row. So memory is that of twice the kept rows and a block.
pub(super) struct Gathered<C> {
    rows: Vec<Row<C>>,
    /// For each row, one number for each value of the plan.
    numbers: Vec<Option<i64>>,
    width: usize,
    /// How many rows there may be before it is thinned.
    thin_at: usize,
    /// How many rows there were.
    seen: u64,
}

#[derive(Clone, Copy)]
struct Row<C> {
    cell: C,
    /// Where its numbers are.
    place: usize,
    tag: [u8; 16],
}

/// Fewer rows are not worth thinning.
const THIN_AT_LEAST: usize = if cfg!(test) { 16 } else { 65_536 };

impl<C: Copy + Ord> Gathered<C> {
    /// Of rows with `width` numbers each.
    pub(super) const fn new(width: usize) -> Self {
        Self { rows: Vec::new(), numbers: Vec::new(), width, thin_at: THIN_AT_LEAST, seen: 0 }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, cell: C, tag: [u8; 16], numbers: impl Iterator<Item = Option<i64>>) {
        self.seen += 1;
        self.rows.push(Row { cell, place: self.numbers.len(), tag });
        self.numbers.extend(numbers);
    }

    /// Throws out what will not be kept, once there is much.
    pub(super) fn thin<G: Grouping<Group = C>>(&mut self, unit: &[u8; 16], chooser: &Chooser<'_, G>) {
        if self.rows.len() < self.thin_at {
            return;
        }
        chooser.choose(unit, &mut self.rows);
        // The bound on all rows of a unit is left to the end: which groups it is shared by is not known before.
        let mut numbers = Vec::with_capacity(self.rows.len() * self.width);
        for row in &mut self.rows {
            let from = std::mem::replace(&mut row.place, numbers.len());
            numbers.extend_from_slice(&self.numbers[from..from + self.width]);
        }
        self.numbers = numbers;
        self.thin_at = THIN_AT_LEAST.max(2 * self.rows.len());
    }

    /// The unit ends: adds what is kept of it to `sums` and is empty again.
    pub(super) fn finish<G: Grouping<Group = C>>(
        &mut self,
        unit: &[u8; 16],
        chooser: &Chooser<'_, G>,
        sums: &mut G::Tally,
    ) -> Result<(), EngineError> {
        chooser.choose(unit, &mut self.rows);
        chooser.cut(unit, &mut self.rows);
        self.rows.sort_unstable_by_key(|row| row.cell);
        for row in &self.rows {
            sums.add_row(row.cell, &self.numbers[row.place..row.place + self.width])?;
        }
        let groups = self.rows.chunk_by(|a, b| a.cell == b.cell).filter_map(|rows| rows.first());
        sums.add_unit(groups.map(|row| row.cell), self.seen > self.rows.len() as u64)?;
        self.rows.clear();
        self.numbers.clear();
        self.thin_at = THIN_AT_LEAST;
        self.seen = 0;
        Ok(())
    }
}

impl<'a, G: Grouping> Chooser<'a, G> {
    pub(super) fn new(key: &RowKey, grouping: &'a G, choice: Choice) -> Self {
        Self { ranks: Ranks::new(key), grouping, choice }
    }

    fn group_rank(&self, unit: &[u8; 16], group: G::Group) -> u128 {
        self.ranks.group(unit, &self.grouping.hash(group))
    }

    /// Leaves as many rows as a unit may have in all: those with the least ranks.
    fn cut(&self, unit: &[u8; 16], rows: &mut Vec<Row<G::Group>>) {
        let total = self.choice.total;
        if rows.len() <= total {
            return;
        }
        rows.sort_unstable_by_key(|row| row.cell);
        let groups = rows.chunk_by(|a, b| a.cell == b.cell);
        let ranks = groups.flat_map(|group| {
            let group_rank = self.group_rank(unit, group[0].cell);
            group.iter().map(move |row| (self.ranks.row(group_rank, &row.tag), *row))
        });
        let mut ranked: Vec<_> = ranks.collect();
        ranked.select_nth_unstable_by_key(total, |(rank, row)| (*rank, row.cell));
        *rows = ranked[..total].iter().map(|(_, row)| *row).collect();
    }

    /// Leaves the rows that may be kept: of the groups with the least ranks the rows with the least ranks. Rows of equal
    /// rank have equal cells, so that it does not matter which of them stay.
    fn choose(&self, unit: &[u8; 16], rows: &mut Vec<Row<G::Group>>) {
        let Choice { groups: groups_max, rows: rows_max, .. } = self.choice;
        if rows.len() <= groups_max.min(rows_max) {
            return;
        }
        rows.sort_unstable_by_key(|row| row.cell);
        let rank = |cell: G::Group| self.group_rank(unit, cell);
        let mut groups: Vec<&mut [Row<G::Group>]> = rows.chunk_by_mut(|a, b| a.cell == b.cell).collect();
        if groups.len() > groups_max {
            // Should two ranks be equal, the order of the description decides.
            groups.sort_by_cached_key(|group| (rank(group[0].cell), group[0].cell));
            groups.truncate(groups_max);
        }
        let mut kept = Vec::new();
        for group in groups {
            if group.len() > rows_max {
                let group_rank = rank(group[0].cell);
                let mut ranked: Vec<_> = group.iter().map(|row| (self.ranks.row(group_rank, &row.tag), *row)).collect();
                ranked.select_nth_unstable_by_key(rows_max, |(rank, _)| *rank);
                kept.extend(ranked[..rows_max].iter().map(|(_, row)| *row));
            } else {
                kept.extend_from_slice(group);
            }
        }
        *rows = kept;
    }
}
