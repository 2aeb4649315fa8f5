//! What a row adds to the base vectors.

use super::bound::{Sum, Value};

impl Value {
    /// What a row with this number, or code, adds to a vector of the column: a slot and an amount.
    pub(super) fn adds(&self, vector: usize, number: i64) -> Option<(usize, i128)> {
        if self.present == Some(vector) {
            return Some((0, 1));
        }
        if let Some(sum) = self.sum {
            if sum.vector == vector {
                return Some((0, Reach::of(sum).wide(number)));
            }
            if self.squares == Some(vector) {
                return Some((0, Reach::of(sum).square(number)));
            }
        }
        if let Some((_, bounds)) = self.clamped.filter(|(clamped, _)| *clamped == vector) {
            return Some((0, i128::from(number < bounds.low || number > bounds.high)));
        }
        let table = self.tables.iter().find(|table| table.vector == vector)?;
        Some((table.slot(number), 1)).filter(|(slot, _)| *slot < table.slots)
    }
}

/// How a value becomes what is added.
#[derive(Clone, Copy)]
pub(crate) struct Reach {
    low: i64,
    high: i64,
    centre: i64,
}

impl Reach {
    pub(crate) const NOTHING: Self = Self { low: 0, high: 0, centre: 0 };

    pub(crate) const fn of(sum: Sum) -> Self {
        Self { low: sum.bounds.low, high: sum.bounds.high, centre: sum.centre }
    }

    /// The greatest magnitude of what is added.
    pub(crate) fn most(self) -> u128 {
        self.wide(self.low).unsigned_abs().max(self.wide(self.high).unsigned_abs())
    }

    pub(crate) fn wide(self, number: i64) -> i128 {
        i128::from(number.clamp(self.low, self.high)) - i128::from(self.centre)
    }

    /// The square of it, where it is at most 2^40.
    pub(crate) fn square(self, number: i64) -> i128 {
        let centred = self.wide(number);
        centred * centred
    }

    /// The same in 64 bits, where [`Self::most`] is below 2^63.
    pub(crate) fn narrow(self, number: i64) -> i64 {
        number.clamp(self.low, self.high).wrapping_sub(self.centre)
    }
}
