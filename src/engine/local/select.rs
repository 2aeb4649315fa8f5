//! Which group each row of a block belongs to: WHERE and GROUP BY, a few thousand rows at a time.
//!
//! Every row is visited and no branch depends on a cell. A row that does not count goes to a group of its own behind
//! all others, the waste group.

use std::sync::Arc;

use super::{Blocks, EngineError};
use crate::dataset::{Block, Cells};
use crate::plan::bound::{Plan, Read};
use crate::plan::filter::{Filter, TextTest};
use crate::plan::group::{GroupColumn, Layout, Lookup};

/// Rows that are worked on at a time, so that what is between two steps stays in the first cache.
pub(super) const CHUNK: usize = 2_048;
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

/// For each text test of a filter and each code, 1 where it passes.
pub(super) type Tables = Vec<Vec<u8>>;

/// Runs every text test on every value of its column's dictionary, once for the whole scan.
pub(super) fn tables(plan: &Plan, source: &impl Blocks) -> Result<Tables, EngineError> {
    let mut tests = Vec::new();
    if let Some(filter) = &plan.filter {
        filter.text_tests(&mut tests);
    }
    let table = |&(read, test): &(usize, &TextTest)| {
        let mut table = Vec::new();
        source.texts(plan.reads[read].place, &mut |text| table.push(u8::from(test.passes(text))))?;
        // The code of a null in a column without values.
        table.push(0);
        Ok(table)
    };
    tests.iter().map(table).collect()
}

/// One block of every column that is read, checked to be of one length and of the right kind.
pub(super) struct View {
    columns: Vec<Arc<Block>>,
    rows: usize,
}

impl View {
    pub(super) fn read(plan: &Plan, source: &impl Blocks, block: usize) -> Result<Self, EngineError> {
        let rows = source.block_rows(block);
        let read = |read: &Read| {
            let column = source.block(read.place, block)?;
            let kind = matches!(column.cells, Cells::Codes(_)) == read.text;
            let nulls = column.nulls.as_ref().is_none_or(|nulls| nulls.len() == rows.div_ceil(64));
            if kind && nulls && column.cells.len() == rows { Ok(column) } else { Err(EngineError::Failed) }
        };
        Ok(Self { columns: plan.reads.iter().map(read).collect::<Result<_, _>>()?, rows })
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// The numbers of some rows; none of a text column.
    pub(super) fn numbers(&self, read: usize, from: usize, len: usize) -> &[i64] {
        match &self.columns[read].cells {
            Cells::Numbers(numbers) => &numbers[from..from + len],
            Cells::Codes(_) => &[],
        }
    }

    /// Numbers and codes alike, one by one.
    pub(super) fn each(&self, read: usize, from: usize, len: usize, mut take: impl FnMut(usize, i64)) {
        match &self.columns[read].cells {
            Cells::Numbers(numbers) => numbers[from..from + len].iter().enumerate().for_each(|(row, number)| take(row, *number)),
            Cells::Codes(codes) => codes[from..from + len].iter().enumerate().for_each(|(row, code)| take(row, (*code).into())),
        }
    }

    fn codes(&self, read: usize, from: usize, len: usize) -> &[u32] {
        match &self.columns[read].cells {
            Cells::Codes(codes) => &codes[from..from + len],
            Cells::Numbers(_) => &[],
        }
    }

    /// The words of nulls from row `from` on, a multiple of 64.
    pub(super) fn nulls(&self, read: usize, from: usize) -> Option<&[u64]> {
        self.columns[read].nulls.as_deref().map(|nulls| &nulls[from / 64..])
    }

    /// The value of a row, or its code; none for a null.
    pub(super) fn value(&self, read: usize, row: usize) -> Option<i64> {
        match &self.columns[read] {
            column if column.is_null(row) => None,
            column => match &column.cells {
                Cells::Numbers(numbers) => numbers.get(row).copied(),
                Cells::Codes(codes) => codes.get(row).map(|code| i64::from(*code)),
            },
        }
    }
}

/// Writes the group of `out.len()` rows from row `from` on, a multiple of 64; `layout.cells` is the waste group.
pub(super) fn cells(plan: &Plan, layout: &Layout<'_>, tables: &Tables, view: &View, from: usize, out: &mut [u32]) {
    let waste = u32::try_from(layout.cells).unwrap_or(u32::MAX);
    out.fill(0);
    for column in layout.groups.iter() {
        add_groups(column, view, from, out);
    }
    if let Some(filter) = &plan.filter {
        let mut selected = [0; WORDS];
        select(filter, tables, view, from, out.len(), &mut selected);
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

fn add_groups(column: &GroupColumn, view: &View, from: usize, out: &mut [u32]) {
    let nulls = view.nulls(column.read, from);
    let len = out.len();
    match column.lookup() {
        Lookup::Codes(table) => {
            let number = |code: u32| table.get(code as usize).copied().unwrap_or(u32::MAX);
            add_weights(column, view.codes(column.read, from, len), number, nulls, out);
        }
        _ if column.is_text() => add_weights(column, view.codes(column.read, from, len), |code| code, nulls, out),
        lookup => add_weights(column, view.numbers(column.read, from, len), |cell| lookup.number_of(cell), nulls, out),
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
fn select(filter: &Filter, tables: &Tables, view: &View, from: usize, len: usize, out: &mut [u64; WORDS]) {
    match filter {
        Filter::Range { read, low, high, negated } => {
            let width = high.wrapping_sub(*low).cast_unsigned();
            let negated = u8::from(*negated);
            pack(view.numbers(*read, from, len), out, |cell| u8::from(cell.wrapping_sub(*low).cast_unsigned() <= width) ^ negated);
            mask_nulls(view, *read, from, out);
        }
        Filter::Numbers { read, values, negated } => {
            pack(view.numbers(*read, from, len), out, |cell| u8::from(values.binary_search(&cell).is_ok() != *negated));
            mask_nulls(view, *read, from, out);
        }
        Filter::Text { read, table, negated, .. } => {
            let (table, negated) = (tables[*table].as_slice(), u8::from(*negated));
            let last = table.len() - 1;
            pack(view.codes(*read, from, len), out, |code| table[(code as usize).min(last)] ^ negated);
            mask_nulls(view, *read, from, out);
        }
        Filter::Null { read, negated } => {
            let flip = if *negated { u64::MAX } else { 0 };
            match view.nulls(*read, from) {
                None => out.fill(flip),
                Some(nulls) => out.iter_mut().zip(nulls).for_each(|(word, nulls)| *word = nulls ^ flip),
            }
        }
        Filter::All(parts) => combine(parts, tables, view, from, len, out, u64::MAX, |all, part| all & part),
        Filter::Any(parts) => combine(parts, tables, view, from, len, out, 0, |any, part| any | part),
    }
}

/// All parts are evaluated, whatever the first ones say.
#[expect(clippy::too_many_arguments, reason = "those of select, and a fold")]
fn combine(
    parts: &[Filter],
    tables: &Tables,
    view: &View,
    from: usize,
    len: usize,
    out: &mut [u64; WORDS],
    start: u64,
    join: impl Fn(u64, u64) -> u64,
) {
    out.fill(start);
    let mut part_out = [0; WORDS];
    for part in parts {
        select(part, tables, view, from, len, &mut part_out);
        for (word, part) in out.iter_mut().zip(&part_out) {
            *word = join(*word, *part);
        }
    }
}

fn mask_nulls(view: &View, read: usize, from: usize, out: &mut [u64; WORDS]) {
    if let Some(nulls) = view.nulls(read, from) {
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
