//! What is kept of a column: counts and hashes.

use super::super::recogniser::{Custom, Recognisers};
use super::super::{Kind, ValueType, free_text};
use super::cell::{SEEN, Seen, Value, look};
use super::distinct::{Counter, hash};
use crate::value::{DIGITS_MAX, DateOrder};

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
    /// Cells that are not numbers in canonical form.
    texts: u64,
    /// Of those, numbers in other spellings, and integers with needless zeros in front.
    spelt: u64,
    padded: u64,
    /// The most digits before and behind the point, of numbers in canonical form and of the others.
    digits: (u8, u8),
    spelt_digits: (u8, u8),
    orders: Orders,
}

/// What dates with their year last say of the order of day and month.
#[derive(Clone, Copy, Default)]
struct Orders {
    /// There are such dates.
    met: bool,
    /// There is one that is a day only with the day first, or only with the month first.
    day_first: bool,
    month_first: bool,
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
            spelt: 0,
            padded: 0,
            digits: (0, 0),
            spelt_digits: (0, 0),
            orders: Orders::default(),
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
                self.digits = most(self.digits, (whole, scale));
                self.number_lengths = (self.number_lengths.0.min(cell.len()), self.number_lengths.1.max(cell.len()));
            }
            Value::Spelt { whole, scale } => {
                (self.texts, self.spelt) = (self.texts + 1, self.spelt + 1);
                self.spelt_digits = most(self.spelt_digits, (whole, scale));
                self.number_lengths = (self.number_lengths.0.min(cell.len()), self.number_lengths.1.max(cell.len()));
            }
            Value::Padded { whole } => {
                (self.texts, self.padded) = (self.texts + 1, self.padded + 1);
                self.spelt_digits = most(self.spelt_digits, (whole, 0));
            }
            Value::YearLast { day_first, month_first } => {
                self.texts += 1;
                self.orders.met = true;
                self.orders.day_first |= !month_first;
                self.orders.month_first |= !day_first;
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
        self.spelt += other.spelt;
        self.padded += other.padded;
        self.digits = most(self.digits, other.digits);
        self.spelt_digits = most(self.spelt_digits, other.spelt_digits);
        self.orders.met |= other.orders.met;
        self.orders.day_first |= other.orders.day_first;
        self.orders.month_first |= other.orders.month_first;
    }

    pub(super) const fn seen(&self, seen: Seen) -> u64 {
        self.seen[seen as usize]
    }

    pub(super) fn inside(&self, kind: &Kind) -> u64 {
        kind.slot().map_or(0, |slot| self.inside[slot])
    }

    /// Cells that are numbers in any spelling; those with needless zeros in front if they are told not to be codes.
    pub(super) const fn numbers(&self, padded: bool) -> u64 {
        self.cells - self.texts + self.spelt + if padded { self.padded } else { 0 }
    }

    /// Whether no number has a fraction.
    pub(super) const fn has_integers_only(&self) -> bool {
        self.digits.1 == 0 && self.spelt_digits.1 == 0
    }

    /// The order of day and month: year first if no date needs another, else the one that some date can only be read by;
    /// nothing when there is none, or one for each order.
    pub(super) const fn date_order(&self) -> Option<DateOrder> {
        match self.orders {
            Orders { met: false, .. } => Some(DateOrder::Ymd),
            Orders { day_first: true, month_first: false, .. } => Some(DateOrder::Dmy),
            Orders { day_first: false, month_first: true, .. } => Some(DateOrder::Mdy),
            Orders { .. } => None,
        }
    }

    /// Whether no order reads all its dates.
    pub(super) const fn mixes_orders(&self) -> bool {
        self.orders.day_first && self.orders.month_first
    }

    pub(super) const fn mobile_prefixes(&self) -> u32 {
        self.prefixes.count_ones()
    }

    /// What all cells can be read as. Numbers in other than canonical form keep a column text, unless it `is_of_numbers`:
    /// codes and categories leave as they were written.
    pub(super) fn value_type(&self, is_of_numbers: bool) -> ValueType {
        let (whole, scale) = match self.texts {
            _ if self.cells == 0 => return ValueType::Text,
            0 if self.digits.1 == 0 && self.digits.0 <= 19 => return ValueType::Integer,
            0 => self.digits,
            texts if is_of_numbers && texts == self.spelt + self.padded => most(self.digits, self.spelt_digits),
            _ => return ValueType::Text,
        };
        if whole <= DIGITS_MAX && scale <= DIGITS_MAX - whole { ValueType::Real { scale } } else { ValueType::Text }
    }
}

/// The greater of each.
fn most(a: (u8, u8), b: (u8, u8)) -> (u8, u8) {
    (a.0.max(b.0), a.1.max(b.1))
}

fn see_custom(counts: &mut [u64; 2], custom: &Custom, cell: &str) {
    match custom.finds(cell) {
        Some(true) => counts[0] += 1,
        Some(false) => counts[1] += 1,
        None => {}
    }
}
