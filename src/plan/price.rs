//! The least price at which an answer is as precise as is asked.

use super::{Allocation, AllocationError, BoundQuery};
use crate::budget::{Delta, Epsilon, Loss, Model, Rho};
use crate::class::Class;
use crate::id::Decimal;

/// Prices are multiples of this (rule E2).
const PRICE_STEP: u64 = 1_000;

impl BoundQuery {
    /// The least price in `model`, with this delta, at which the intervals of all counts and sums reach at most `half` to both
    /// sides; of the estimate with this label only, where one is named. A function of the question alone (rule F3).
    ///
    /// # Errors
    /// No such estimate has a width that is known beforehand, no price is enough, or the items name amounts themselves.
    pub fn price_for(&self, half: Decimal, label: Option<&str>, model: Model, delta: Delta) -> Result<Loss, PriceError> {
        let wanted = |at: usize| label.is_none_or(|label| self.labels().get(at).is_some_and(|other| other == label));
        let price = |steps: u64| {
            let units = steps * PRICE_STEP;
            Some(match model {
                Model::Approx => Loss::Approx { epsilon: Epsilon::from_units(units)?, delta },
                Model::Zcdp => Loss::Zcdp { rho: Rho::from_units(units)?, delta },
            })
        };
        // Too wide, or too little to be divided at all; the width falls with the price but for rounding of shares.
        let enough = |steps: u64| -> Result<bool, PriceError> {
            let allocation = match price(steps).map(|price| Allocation::new(self, price)) {
                Some(Ok(allocation)) => allocation,
                Some(Err(error @ (AllocationError::Amounts { .. } | AllocationError::DeltaNeeded | AllocationError::DeltaUnused))) => {
                    return Err(error.into());
                }
                Some(Err(_)) | None => return Ok(false),
            };
            let widths = allocation.widths(None).into_iter().enumerate().filter(|(at, _)| wanted(*at));
            let mut halves = widths.filter_map(|(_, width)| width.half).peekable();
            if halves.peek().is_none() {
                return Err(PriceError::NoWidth);
            }
            Ok(halves.all(|found| found <= half))
        };
        // Far above the least price other limits are met, such as that of noise of bounded work, so it is come to from below.
        let most = Epsilon::MAX.units() / PRICE_STEP;
        let (mut low, mut high) = (0, 1);
        while !enough(high)? {
            if high == most {
                return Err(PriceError::NotEnough);
            }
            (low, high) = (high, (2 * high).min(most));
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if enough(middle)? { high = middle } else { low = middle }
        }
        price(high).ok_or(PriceError::NotEnough)
    }
}

/// Why there is no price for a width.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// Widths of ratios and quantiles depend on the data.
    #[error("only counts and sums have a width that is known beforehand: name one of them")]
    NoWidth,
    /// Even the largest price leaves wider intervals.
    #[error("no price up to 1000000 makes the intervals as narrow as that")]
    NotEnough,
    /// The price cannot be divided.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
}

impl PriceError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
