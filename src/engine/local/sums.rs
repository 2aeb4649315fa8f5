//! Exact sums by group.

use super::EngineError;
use crate::plan::Batch;
use crate::plan::bound::{QueryPlan, ValueColumn};
use crate::plan::evaluator::CHUNK;
use crate::plan::summand::{Reach, is_outside};

/// Neighbouring rows go to different copies of a group, so that one addition need not wait for the one before.
const COPIES: usize = 4;
/// Copies of more groups than this would leave the cache.
const COPIED_CELLS_MAX: usize = 4_096;
/// Sums below this are kept in 64 bits between two flushes: at least 65,536 rows.
const NARROW_MAX: u128 = 1 << 47;

/// What one thread has summed so far. The order of rows and the number of threads leave no trace in the totals.
pub(super) struct Sums<'a> {
    plan: &'a QueryPlan,
    /// Vector by vector, group by group, slot by slot.
    totals: Vec<i128>,
    /// Where each vector starts in the totals.
    starts: Vec<usize>,
    cells: usize,
    copies: usize,
    /// Rows of each copy of each group, and the vector N.
    rows: Option<(usize, Vec<i64>)>,
    /// Units of each group, and the vector U.
    units: Option<(usize, Vec<i64>)>,
    /// Units that lost rows, and their vector.
    dropped: Option<(usize, i64)>,
    values: Vec<ValueSums<'a>>,
    /// Rows added since the last flush, and the most before the next.
    added: u64,
    room: u64,
}

/// What is summed of one column.
struct ValueSums<'a> {
    value: &'a ValueColumn,
    /// Rows with a value and their sum, for each copy of each group.
    pairs: Pairs,
    /// For each group, as are the tables.
    squares: Vec<i128>,
    clamped: Vec<i64>,
    /// For each table, slot by slot.
    tables: Vec<Vec<i64>>,
}

enum Pairs {
    /// Neither is asked for.
    Nothing,
    /// COUNT only.
    Counts(Vec<i64>),
    Narrow(Vec<[i64; 2]>),
    /// For values so large that 65,536 of them may not fit in 64 bits; one copy.
    Wide(Vec<(i64, i128)>),
}

impl<'a> Sums<'a> {
    pub(super) fn new(plan: &'a QueryPlan, cells: usize) -> Self {
        let copies = if cells <= COPIED_CELLS_MAX { COPIES } else { 1 };
        let len = (cells + 1) * copies;
        let mut room = u64::MAX / 2;
        let values = plan.values.iter().map(|value| {
            let pairs = match value.sum.map(Reach::of) {
                None if value.present.is_none() => Pairs::Nothing,
                None => Pairs::Counts(vec![0; len]),
                Some(reach) if reach.most() <= NARROW_MAX => {
                    room = room.min(u64::try_from((1 << 63) / (reach.most() + 1)).unwrap_or(u64::MAX));
                    Pairs::Narrow(vec![[0; 2]; len])
                }
                Some(_) => Pairs::Wide(vec![(0, 0); cells + 1]),
            };
            ValueSums {
                pairs,
                squares: value.squares.map_or_else(Vec::new, |_| vec![0; cells + 1]),
                clamped: value.clamped.map_or_else(Vec::new, |_| vec![0; cells + 1]),
                // One slot more, of no use, for values that go nowhere.
                tables: value.binnings.iter().map(|binning| vec![0; (cells + 1) * binning.slots + 1]).collect(),
                value,
            }
        });
        let values = values.collect();
        let mut starts = vec![0];
        for vector in &plan.vectors {
            starts.push(starts.last().copied().unwrap_or(0) + vector.len(cells));
        }
        let total = starts.pop().unwrap_or(0);
        Self {
            plan,
            totals: vec![0; total],
            starts,
            cells,
            copies,
            rows: plan.rows.map(|vector| (vector, vec![0; len])),
            units: plan.units.map(|vector| (vector, vec![0; cells])),
            dropped: plan.dropped.map(|vector| (vector, 0)),
            values,
            added: 0,
            room,
        }
    }

    /// Adds the rows of a batch from `from` on, a multiple of 64, whose groups are `cells`, at most [`CHUNK`] of them.
    pub(super) fn add(&mut self, batch: &Batch, from: usize, cells: &[u32]) {
        debug_assert!(cells.len() <= CHUNK);
        self.make_room(CHUNK as u64);
        if let Some((_, rows)) = &mut self.rows {
            match self.copies {
                1 => add_rows::<1>(cells, rows),
                _ => add_rows::<COPIES>(cells, rows),
            }
        }
        let waste = u32::try_from(self.cells).unwrap_or(u32::MAX);
        for ValueSums { value, pairs, squares, clamped, tables } in &mut self.values {
            let nulls = batch.nulls(value.read, from);
            let reach = value.sum.map_or(Reach::NOTHING, Reach::of);
            let numbers = batch.numbers(value.read, from, cells.len());
            // Nulls go where rows without a group go.
            let cell_of = |row: usize| if null_at(nulls, row) { waste } else { cells[row] } as usize;
            if value.squares.is_some() {
                numbers.iter().enumerate().for_each(|(row, number)| squares[cell_of(row)] += reach.square(*number));
            }
            if let Some((_, bounds)) = value.clamped {
                numbers.iter().enumerate().for_each(|(row, number)| clamped[cell_of(row)] += is_outside(bounds, *number));
            }
            for (binning, counts) in value.binnings.iter().zip(tables) {
                let nowhere = counts.len() - 1;
                batch.each(value.read, from, cells.len(), |row, number| {
                    let slot = binning.slot(number);
                    let place = if slot < binning.slots { cell_of(row) * binning.slots + slot } else { nowhere };
                    counts[place] += 1;
                });
            }
            match (pairs, self.copies) {
                (Pairs::Nothing, _) => {}
                (Pairs::Counts(counts), 1) => add_present::<1>(cells, nulls, counts),
                (Pairs::Counts(counts), _) => add_present::<COPIES>(cells, nulls, counts),
                (Pairs::Narrow(pairs), 1) => add_values::<1>(cells, numbers, nulls, reach, pairs),
                (Pairs::Narrow(pairs), _) => add_values::<COPIES>(cells, numbers, nulls, reach, pairs),
                (Pairs::Wide(pairs), _) => {
                    for (row, (cell, number)) in cells.iter().zip(numbers).enumerate() {
                        let present = i64::from(!null_at(nulls, row));
                        let pair = &mut pairs[*cell as usize];
                        pair.0 += present;
                        pair.1 += i128::from(present) * reach.wide(*number);
                    }
                }
            }
        }
    }

    /// Adds one row of a group; `numbers` has one entry for each value of the plan.
    pub(super) fn add_row(&mut self, cell: u32, numbers: &[Option<i64>]) -> Result<(), EngineError> {
        let Self { plan, totals, starts, .. } = self;
        plan.additions(numbers.iter().copied(), |vector, slot, amount| {
            totals[starts[vector] + cell as usize * plan.vectors[vector].slots() + slot] += amount;
            Ok(())
        })
    }

    /// Adds one unit to each of its groups, all different.
    pub(super) fn add_unit(&mut self, cells: impl Iterator<Item = u32>, dropped: bool) {
        if let Some((_, units)) = &mut self.units {
            cells.for_each(|cell| units[cell as usize] += 1);
        }
        if let Some((_, count)) = &mut self.dropped {
            *count += i64::from(dropped);
        }
    }

    /// Adds what another thread has summed.
    pub(super) fn merge(&mut self, other: Self) {
        self.totals.iter_mut().zip(other.into_totals()).for_each(|(total, other)| *total += other);
    }

    /// The sums, vector by vector.
    pub(super) fn into_totals(mut self) -> Vec<i128> {
        self.flush();
        let (starts, cells) = (&self.starts, self.cells);
        let totals = &mut self.totals;
        if let Some((vector, units)) = &self.units {
            add_up(totals, starts[*vector], units);
        }
        if let Some((vector, count)) = self.dropped {
            add_up(totals, starts[vector], &[count]);
        }
        for ValueSums { value, squares, clamped, tables, .. } in &self.values {
            if let Some(vector) = value.squares {
                totals[starts[vector]..].iter_mut().zip(&squares[..cells]).for_each(|(total, square)| *total += square);
            }
            if let Some((vector, _)) = value.clamped {
                add_up(totals, starts[vector], &clamped[..cells]);
            }
            for (binning, counts) in value.binnings.iter().zip(tables) {
                add_up(totals, starts[binning.vector], &counts[..cells * binning.slots]);
            }
        }
        std::mem::take(totals)
    }

    fn make_room(&mut self, rows: u64) {
        if self.added + rows > self.room {
            self.flush();
        }
        self.added += rows;
    }

    /// Moves what copies hold to the totals. The waste group is left behind.
    fn flush(&mut self) {
        self.added = 0;
        let (cells, copies, starts) = (self.cells, self.copies, &self.starts);
        let totals = &mut self.totals;
        let mut add = |vector: usize, cell: usize, amount: i128| totals[starts[vector] + cell] += amount;
        if let Some((vector, rows)) = &mut self.rows {
            drain(rows, copies, cells, |cell, count| add(*vector, cell, count.into()));
        }
        for ValueSums { value, pairs, .. } in &mut self.values {
            let (present, sum) = (value.present, value.sum.map(|sum| sum.vector));
            let mut add_pair = |cell, count: i64, amount: i128| {
                present.into_iter().for_each(|vector| add(vector, cell, count.into()));
                sum.into_iter().for_each(|vector| add(vector, cell, amount));
            };
            match pairs {
                Pairs::Nothing => {}
                Pairs::Counts(counts) => drain(counts, copies, cells, |cell, count| add_pair(cell, count, 0)),
                Pairs::Narrow(pairs) => drain(pairs, copies, cells, |cell, [count, amount]| add_pair(cell, count, amount.into())),
                Pairs::Wide(pairs) => drain(pairs, 1, cells, |cell, (count, amount)| add_pair(cell, count, amount)),
            }
        }
    }
}

fn add_up(totals: &mut [i128], start: usize, counts: &[i64]) {
    totals[start..].iter_mut().zip(counts).for_each(|(total, count)| *total += i128::from(*count));
}

/// Whether bit `row` of the words is set.
fn null_at(nulls: Option<&[u64]>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls[row / 64] >> (row % 64) & 1 == 1)
}

fn drain<T: Copy + Default>(held: &mut [T], copies: usize, cells: usize, mut add: impl FnMut(usize, T)) {
    for (place, held) in held.iter_mut().enumerate() {
        let taken = std::mem::take(held);
        if place / copies < cells {
            add(place / copies, taken);
        }
    }
}

fn add_rows<const COPIES: usize>(cells: &[u32], rows: &mut [i64]) {
    let (whole, rest) = cells.as_chunks::<COPIES>();
    for cells in whole {
        for (copy, cell) in cells.iter().enumerate() {
            rows[*cell as usize * COPIES + copy] += 1;
        }
    }
    for cell in rest {
        rows[*cell as usize * COPIES] += 1;
    }
}

fn add_present<const COPIES: usize>(cells: &[u32], nulls: Option<&[u64]>, counts: &mut [i64]) {
    for (word, cells) in cells.chunks(64).enumerate() {
        let nulls = nulls.map_or(0, |nulls| nulls[word]);
        for (row, cell) in cells.iter().enumerate() {
            counts[*cell as usize * COPIES + row % COPIES] += i64::from(nulls >> row & 1 == 0);
        }
    }
}

fn add_values<const COPIES: usize>(cells: &[u32], numbers: &[i64], nulls: Option<&[u64]>, reach: Reach, pairs: &mut [[i64; 2]]) {
    for (word, (cells, numbers)) in cells.chunks(64).zip(numbers.chunks(64)).enumerate() {
        let present = nulls.map_or(u64::MAX, |nulls| !nulls[word]);
        for (row, (cell, number)) in cells.iter().zip(numbers).enumerate() {
            let present = (present >> row & 1).cast_signed();
            let pair = &mut pairs[*cell as usize * COPIES + row % COPIES];
            pair[0] += present;
            pair[1] += reach.narrow(*number) & present.wrapping_neg();
        }
    }
}
