//! What is kept of a column: counts and hashes.

use super::super::recogniser::{Custom, Recognisers};
use super::super::{Kind, ValueType, free_text};
use super::cell::{SEEN, Seen, Value, look};
use super::distinct::{Counter, hash};

/// Digits of the longest decimal.
const DIGITS_MAX: u8 = 38;

/// Shorter codes hold nothing that is looked for inside texts.
const INSIDE_MIN: usize = 11;

/// The counts of a column.
#[derive(Clone)]
pub(super) struct Column {
    pub(super) nulls: u64,
    pub(super) cells: u64,
    seen: [u64; SEEN],
    /// Cells that have a part of the kind, by [`Kind::slot`].
    inside: [u64; Kind::BUILTIN.len()],
    /// Cells of the user's kinds: whole, and in parts.
    pub(super) custom: Vec<[u64; 2]>,
    pub(super) distinct: Counter,
    /// Prefixes of mobile numbers, 130 to 199.
    prefixes: u128,
    /// Bytes of the longest cell.
    pub(super) longest: usize,
    /// Bytes of the shortest and the longest number.
    pub(super) number_lengths: (usize, usize),
    texts: u64,
    whole_digits: u8,
    scale: u8,
}

impl Column {
    pub(super) fn new(columns: usize, recognisers: &Recognisers) -> Self {
        Self {
            nulls: 0,
            cells: 0,
            seen: [0; SEEN],
            inside: [0; Kind::BUILTIN.len()],
            custom: vec![[0; 2]; recognisers.customs().len()],
            distinct: Counter::of(columns),
            prefixes: 0,
            longest: 0,
            number_lengths: (usize::MAX, 0),
            texts: 0,
            whole_digits: 0,
            scale: 0,
        }
    }

    /// Looks at a cell; an empty one counts as null, as in CSV.
    pub(super) fn see(&mut self, cell: &str, recognisers: &Recognisers) {
        if cell.is_empty() {
            self.nulls += 1;
            return;
        }
        self.cells += 1;
        self.longest = self.longest.max(cell.len());
        if !self.distinct.is_over() {
            self.distinct.see(hash(recognisers.key(), cell.as_bytes()));
        }
        let (seen, value) = look(cell);
        self.seen[seen as usize] += 1;
        match value {
            Value::Text => self.texts += 1,
            Value::Number { whole, scale } => {
                self.whole_digits = self.whole_digits.max(whole);
                self.scale = self.scale.max(scale);
                self.number_lengths = (self.number_lengths.0.min(cell.len()), self.number_lengths.1.max(cell.len()));
            }
        }
        match seen {
            Seen::Mobile => self.see_prefix(cell.as_bytes()),
            Seen::Text | Seen::Address => self.see_inside(cell),
            Seen::Code if cell.len() >= INSIDE_MIN => self.see_inside(cell),
            _ => {}
        }
        for (counts, custom) in self.custom.iter_mut().zip(recognisers.customs()) {
            see_custom(counts, custom, cell);
        }
    }

    fn see_prefix(&mut self, cell: &[u8]) {
        if let [b'1', a, b, ..] = cell {
            let prefix = 10 * a.wrapping_sub(b'0') + b.wrapping_sub(b'0');
            self.prefixes |= 1_u128.checked_shl(u32::from(prefix)).unwrap_or(0);
        }
    }

    fn see_inside(&mut self, cell: &str) {
        let mut met = 0_u32;
        free_text::visit(cell, |kind, _, _| met |= kind.slot().map_or(0, |slot| 1 << slot));
        while met != 0 {
            self.inside[met.trailing_zeros() as usize] += 1;
            met &= met - 1;
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.nulls += other.nulls;
        self.cells += other.cells;
        self.seen.iter_mut().zip(other.seen).for_each(|(count, more)| *count += more);
        self.inside.iter_mut().zip(other.inside).for_each(|(count, more)| *count += more);
        for (counts, more) in self.custom.iter_mut().zip(other.custom) {
            counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        }
        self.distinct.merge(other.distinct);
        self.prefixes |= other.prefixes;
        self.longest = self.longest.max(other.longest);
        let ((shortest, longest), (other_shortest, other_longest)) = (self.number_lengths, other.number_lengths);
        self.number_lengths = (shortest.min(other_shortest), longest.max(other_longest));
        self.texts += other.texts;
        self.whole_digits = self.whole_digits.max(other.whole_digits);
        self.scale = self.scale.max(other.scale);
    }

    pub(super) const fn seen(&self, seen: Seen) -> u64 {
        self.seen[seen as usize]
    }

    pub(super) fn inside(&self, kind: &Kind) -> u64 {
        kind.slot().map_or(0, |slot| self.inside[slot])
    }

    /// Cells that are numbers in canonical form.
    pub(super) const fn numbers(&self) -> u64 {
        self.cells - self.texts
    }

    /// Whether no number has a fraction.
    pub(super) const fn has_integers_only(&self) -> bool {
        self.scale == 0
    }

    pub(super) const fn mobile_prefixes(&self) -> u32 {
        self.prefixes.count_ones()
    }

    pub(super) const fn value_type(&self) -> ValueType {
        match (self.cells, self.texts, self.scale) {
            (0, ..) => ValueType::Text,
            (_, 0, 0) if self.whole_digits <= 19 => ValueType::Integer,
            (_, 0, scale) if self.whole_digits <= DIGITS_MAX && scale <= DIGITS_MAX - self.whole_digits => ValueType::Real { scale },
            _ => ValueType::Text,
        }
    }
}

fn see_custom(counts: &mut [u64; 2], custom: &Custom, cell: &str) {
    match custom.finds(cell) {
        Some(true) => counts[0] += 1,
        Some(false) => counts[1] += 1,
        None => {}
    }
}
