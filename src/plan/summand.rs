//! What a row adds to the base vectors.

use super::bound::{QueryPlan, Sum, ValueColumn};
use crate::dataset::Bounds;

impl QueryPlan {
    /// Calls `add` with the place of the vector, the slot and the amount of all that a kept row adds; `numbers` has one entry for each of
    /// [`Self::values`], none for a null.
    #[inline]
    pub(crate) fn additions<E>(
        &self,
        numbers: impl IntoIterator<Item = Option<i64>>,
        mut add: impl FnMut(usize, usize, i128) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(rows) = self.rows {
            add(rows, 0, 1)?;
        }
        for (value, number) in self.values.iter().zip(numbers) {
            if let Some(number) = number {
                value.additions(number, &mut add)?;
            }
        }
        Ok(())
    }
}

impl ValueColumn {
    #[inline]
    fn additions<E>(&self, number: i64, add: &mut impl FnMut(usize, usize, i128) -> Result<(), E>) -> Result<(), E> {
        if let Some(present) = self.present {
            add(present, 0, 1)?;
        }
        if let Some(sum) = self.sum {
            let reach = Reach::of(sum);
            add(sum.vector, 0, reach.wide(number))?;
            if let Some(squares) = self.squares {
                add(squares, 0, reach.square(number))?;
            }
        }
        if let Some((clamped, bounds)) = self.clamped {
            add(clamped, 0, is_outside(bounds, number).into())?;
        }
        for binning in &self.binnings {
            let slot = binning.slot(number);
            if slot < binning.slots {
                add(binning.vector, slot, 1)?;
            }
        }
        Ok(())
    }
}

/// 1 for a number out of its bounds, without a branch.
pub(crate) fn is_outside(bounds: Bounds, number: i64) -> i64 {
    i64::from(number < bounds.low) + i64::from(number > bounds.high)
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
