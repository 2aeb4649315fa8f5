//! Which rows count and in which group: WHERE and GROUP BY over batches, a few thousand rows at a time.
//!
//! Every row is visited and no branch depends on a cell. A row that does not count goes to a group of its own behind
//! all others, the waste group.

use std::convert::Infallible;
use std::sync::Arc;

use super::bound::QueryPlan;
use super::filter::Filter;
use super::group::{GroupColumn, Layout, Lookup, number_of_code};
use super::{Batch, BoundQuery, GroupKey};

/// Rows that are worked on at a time, so that what is between two steps stays in the first cache.
pub(crate) const CHUNK: usize = 2_048;
const WORDS: usize = CHUNK / 64;
/// Added for each reason to drop a row: more than all groups, and ten of them fit.
const DROP: u32 = 1 << 28;

/// The bits of a word, each in its place.
const BITS: [u32; 32] = {
    let mut bits = [1; 32];
    let mut place = 1;
    while place < 32 {
        bits[place] = 2 * bits[place - 1];
        place += 1;
    }
    bits
};

/// WHERE and GROUP BY of a question over the batches of one source, for whatever computes.
///
/// What a kept row adds is said by [`BoundQuery::additions`], which rows of a unit are kept by
/// [`ContributionBound`](super::ContributionBound).
pub struct Evaluator {
    plan: Arc<QueryPlan>,
    /// For each text test of WHERE and each code, 1 where it passes.
    tests: Vec<Vec<u8>>,
    /// Where values are unknown, the columns of GROUP BY, those of texts with the values of their dictionaries.
    groups: Option<Vec<GroupColumn>>,
}

impl Evaluator {
    /// Runs every text test on every value of its column's dictionary, once for all batches. `texts` is given the place of a text column
    /// in the schema and calls with its values in the order of their codes: the declared ones first, in declared order.
    ///
    /// # Errors
    /// The first of `texts`.
    pub fn new<E>(bound: &BoundQuery, mut texts: impl FnMut(usize, &mut dyn FnMut(&str)) -> Result<(), E>) -> Result<Self, E> {
        let plan = Arc::clone(&bound.0);
        let mut text_tests = Vec::new();
        if let Some(filter) = &plan.filter {
            filter.text_tests(&mut text_tests);
        }
        let mut tests = Vec::new();
        for (read, test) in text_tests {
            let mut passes = Vec::new();
            texts(plan.reads[read].place, &mut |text| passes.push(u8::from(test.passes(text))))?;
            // The code of a null in a column without values.
            passes.push(0);
            tests.push(passes);
        }
        let mut groups = plan.cells.is_none().then(|| plan.groups.clone());
        for column in groups.iter_mut().flatten().filter(|column| !column.is_declared() && column.is_text()) {
            let mut values = Vec::new();
            texts(plan.reads[column.read].place, &mut |text| values.push(text.to_owned()))?;
            *column = column.with_texts(values);
        }
        Ok(Self { plan, tests, groups })
    }

    /// For each row the key of its group, one part for each column of GROUP BY; none where WHERE is not true or no group has the row.
    #[must_use]
    pub fn keys(&self, batch: &Batch) -> Vec<Option<Vec<GroupKey>>> {
        let mut out = Vec::with_capacity(batch.rows());
        for from in (0..batch.rows()).step_by(CHUNK) {
            let len = (batch.rows() - from).min(CHUNK);
            let selected = self.selected(batch, from, len);
            out.extend((0..len).map(|row| if is_set(&selected, row) { self.key(batch, from + row) } else { None }));
        }
        out
    }

    fn key(&self, batch: &Batch, row: usize) -> Option<Vec<GroupKey>> {
        self.groups().iter().map(|column| column.key_at(batch.value(column.read, row))).collect()
    }

    /// Calls `add` with the place of the vector, the slot and the amount of all that a row adds in its group where it is kept.
    pub fn additions(&self, batch: &Batch, row: usize, mut add: impl FnMut(usize, usize, i128)) {
        let numbers = self.plan.values.iter().map(|value| batch.value(value.read, row));
        let Ok(()) = self.plan.additions::<Infallible>(numbers, |vector, slot, amount| {
            add(vector, slot, amount);
            Ok(())
        });
    }

    /// The columns of GROUP BY as far as their values are known before the cells are read.
    pub(crate) fn groups(&self) -> &[GroupColumn] {
        self.groups.as_deref().unwrap_or(&self.plan.groups)
    }

    /// Sets bit `r % 64` of word `r / 64` where WHERE is true of row `from + r`; `from` is a multiple of 64.
    pub(crate) fn selected(&self, batch: &Batch, from: usize, len: usize) -> [u64; WORDS] {
        let mut selected = [u64::MAX; WORDS];
        if let Some(filter) = &self.plan.filter {
            select(filter, &self.tests, batch, from, len, &mut selected);
        }
        selected
    }

    /// Writes the group of `out.len()` rows from row `from` on, a multiple of 64; `layout.cells` is the waste group.
    pub(crate) fn numbers(&self, layout: &Layout<'_>, batch: &Batch, from: usize, out: &mut [u32]) {
        let waste = u32::try_from(layout.cells).unwrap_or(u32::MAX);
        out.fill(0);
        for column in layout.groups.iter() {
            add_groups(column, batch, from, out);
        }
        if let Some(filter) = &self.plan.filter {
            let mut selected = [0; WORDS];
            select(filter, &self.tests, batch, from, out.len(), &mut selected);
            for (bits, cells) in selected.iter().flat_map(|word| halves(*word)).zip(out.chunks_mut(32)) {
                // Comparing with a bit in its place, not shifting it out, is what every machine does for several cells at once.
                for (cell, bit) in cells.iter_mut().zip(BITS) {
                    *cell += if bits & bit == 0 { DROP } else { 0 };
                }
            }
        }
        for cell in out {
            *cell = (*cell).min(waste);
        }
    }
}

/// Shows nothing of the dictionaries.
impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").finish_non_exhaustive()
    }
}

/// Whether a row of [`Evaluator::selected`] is.
pub(crate) const fn is_set(selected: &[u64; WORDS], row: usize) -> bool {
    selected[row / 64] >> (row % 64) & 1 == 1
}

fn add_groups(column: &GroupColumn, batch: &Batch, from: usize, out: &mut [u32]) {
    let nulls = batch.nulls(column.read, from);
    let len = out.len();
    match column.lookup() {
        Lookup::Codes(table) => {
            add_weights(column, batch.codes(column.read, from, len), |code| number_of_code(table, code), nulls, out);
        }
        _ if column.is_text() => add_weights(column, batch.codes(column.read, from, len), |code| code, nulls, out),
        lookup => add_weights(column, batch.numbers(column.read, from, len), |cell| lookup.number_of(cell), nulls, out),
    }
}

fn add_weights<T: Copy>(column: &GroupColumn, cells: &[T], number_of: impl Fn(T) -> u32, nulls: Option<&[u64]>, out: &mut [u32]) {
    let (declared, stride) = (column.declared(), column.stride);
    let drop = if column.has_other() { 0 } else { DROP };
    let weight = |number: u32| {
        let number = number.min(declared);
        number * stride + drop * u32::from(number == declared)
    };
    match nulls {
        None => out.iter_mut().zip(cells).for_each(|(out, cell)| *out += weight(number_of(*cell))),
        Some(nulls) => {
            for ((out, cells), nulls) in out.chunks_mut(64).zip(cells.chunks(64)).zip(nulls) {
                for (bit, (out, cell)) in out.iter_mut().zip(cells).enumerate() {
                    // All ones for a null: behind every value.
                    let null = 0_u32.wrapping_sub(u32::from(nulls >> bit & 1 == 1));
                    *out += weight(number_of(*cell) | null);
                }
            }
        }
    }
}

/// Sets bit `r % 64` of word `r / 64` where the filter is true of row `from + r`.
fn select(filter: &Filter, tests: &[Vec<u8>], batch: &Batch, from: usize, len: usize, out: &mut [u64; WORDS]) {
    match filter {
        Filter::Range { read, low, high, negated } => {
            let width = high.wrapping_sub(*low).cast_unsigned();
            let negated = u8::from(*negated);
            pack(batch.numbers(*read, from, len), out, |cell| u8::from(cell.wrapping_sub(*low).cast_unsigned() <= width) ^ negated);
            mask_nulls(batch, *read, from, out);
        }
        Filter::Numbers { read, values, negated } => {
            pack(batch.numbers(*read, from, len), out, |cell| u8::from(values.binary_search(&cell).is_ok() != *negated));
            mask_nulls(batch, *read, from, out);
        }
        Filter::Text { read, table, negated, .. } => {
            let (table, negated) = (tests[*table].as_slice(), u8::from(*negated));
            let last = table.len() - 1;
            pack(batch.codes(*read, from, len), out, |code| table[(code as usize).min(last)] ^ negated);
            mask_nulls(batch, *read, from, out);
        }
        Filter::Null { read, negated } => {
            let flip = if *negated { u64::MAX } else { 0 };
            match batch.nulls(*read, from) {
                None => out.fill(flip),
                Some(nulls) => out.iter_mut().zip(nulls).for_each(|(word, nulls)| *word = nulls ^ flip),
            }
        }
        Filter::All(parts) => combine(parts, tests, batch, from, len, out, u64::MAX, |all, part| all & part),
        Filter::Any(parts) => combine(parts, tests, batch, from, len, out, 0, |any, part| any | part),
    }
}

/// All parts are evaluated, whatever the first ones say.
#[expect(clippy::too_many_arguments, reason = "those of select, and a fold")]
fn combine(
    parts: &[Filter],
    tests: &[Vec<u8>],
    batch: &Batch,
    from: usize,
    len: usize,
    out: &mut [u64; WORDS],
    start: u64,
    join: impl Fn(u64, u64) -> u64,
) {
    out.fill(start);
    let mut part_out = [0; WORDS];
    for part in parts {
        select(part, tests, batch, from, len, &mut part_out);
        for (word, part) in out.iter_mut().zip(&part_out) {
            *word = join(*word, *part);
        }
    }
}

fn mask_nulls(batch: &Batch, read: usize, from: usize, out: &mut [u64; WORDS]) {
    if let Some(nulls) = batch.nulls(read, from) {
        out.iter_mut().zip(nulls).for_each(|(word, nulls)| *word &= !nulls);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
const fn halves(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}

/// One bit for each cell. A test gives 0 or 1.
fn pack<T: Copy>(cells: &[T], out: &mut [u64; WORDS], test: impl Fn(T) -> u8) {
    let (whole, rest) = cells.as_chunks::<64>();
    for (word, cells) in out.iter_mut().zip(whole) {
        // Not `cells.map`, which copies the cells before it looks at them.
        *word = gather(&std::array::from_fn(|bit| test(cells[bit])));
    }
    if let Some(word) = out.get_mut(whole.len()) {
        *word = rest.iter().enumerate().fold(0, |word, (bit, cell)| word | u64::from(test(*cell)) << bit);
    }
}

/// The lowest bits of 64 bytes.
fn gather(bytes: &[u8; 64]) -> u64 {
    // Bit i of the top byte gets bit 8 i of the eight, from the factor's bit 56 - 7 i; no two products share a bit.
    const FACTOR: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = bytes.as_chunks::<8>();
    let bits = eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(FACTOR) >> 56);
    bits.zip(0..8).fold(0, |word, (bits, place)| word | bits << (8 * place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_gathered_in_order() {
        for place in 0..64 {
            let mut bytes = [0; 64];
            bytes[place] = 1;
            assert_eq!(gather(&bytes), 1 << place);
            assert_eq!(gather(&bytes.map(|byte| byte ^ 1)), !(1 << place));
        }
        let mut out = [0; WORDS];
        let cells: Vec<u8> = (0..130).map(|cell| u8::from(cell % 3 == 0)).collect();
        pack(&cells, &mut out, |cell| cell);
        assert!((0..192).all(|row| (out[row / 64] >> (row % 64) & 1 == 1) == (row < 130 && row % 3 == 0)));
    }
}
