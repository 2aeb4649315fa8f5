//! The steps of one request as a fixed plan, sealed into one charge (rule E4).

use super::Allocation;
use crate::budget::{Delta, Epsilon, Loss};
use crate::dp::accountant::plan::{CompositionPlan, CompositionStep};

/// With fewer steps, adding up leaves as much to each.
const PLANNED_FROM: usize = 24;
/// Shares grow by multiples of one in this, up to eight times.
const PARTS: u64 = 1_024;
const MOST: u64 = 8 * PARTS;
/// The part of a delta that is kept for the composition of the steps.
pub(super) const KEPT: u64 = 4;

/// Whether the steps of a request may be accounted as a plan: there are many, and a delta to pay for it.
pub(super) fn is_worth_it(steps: usize, price: Loss) -> bool {
    steps >= PLANNED_FROM && matches!(price, Loss::Approx { delta, .. } if delta > Delta::ZERO)
}

/// The amounts of the steps, all grown by the same largest factor for which the whole plan seals to no more than the price;
/// nothing when that is not more than adding up leaves.
///
/// Which steps there are, and with which parameters, is fixed before the first of them, so their losses compose as those of a
/// plan. Of each no more is used than that it keeps to (epsilon, delta), so the account holds for choices as for noise.
pub(super) fn grown(amounts: &[u64], deltas: &[Delta], price: Loss) -> Option<Vec<u64>> {
    let Loss::Approx { epsilon, delta } = price else { return None };
    let grow = |factor: u64| -> Option<Vec<u64>> {
        let grown = amounts.iter().map(|amount| {
            let units = u128::from(*amount) * u128::from(factor) / u128::from(PARTS);
            u64::try_from(units).ok().map(|units| units / super::SHARE_UNITS * super::SHARE_UNITS)
        });
        grown.collect()
    };
    let keeps = |factor: u64| {
        let seal = || {
            let mut plan = CompositionPlan::new();
            for (amount, delta) in grow(factor)?.iter().zip(deltas) {
                plan.add(CompositionStep::approximate(Epsilon::from_units(*amount)?, *delta), 1).ok()?;
            }
            plan.seal(delta).ok()
        };
        matches!(seal(), Some(Loss::Approx { epsilon: sealed, .. }) if sealed <= epsilon)
    };
    let (mut low, mut high) = (PARTS, MOST + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if keeps(middle) { low = middle } else { high = middle }
    }
    if low == PARTS { None } else { grow(low) }
}

impl Allocation {
    /// Whether the steps are accounted as a fixed plan by its privacy loss distribution; else their shares add up to the price.
    #[must_use]
    pub const fn is_planned(&self) -> bool {
        self.planned
    }
}
