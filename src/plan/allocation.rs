//! The price of a query divided among its steps.

mod composition;

use std::num::NonZeroU32;
use std::sync::Arc;

use super::bound::{QueryPlan, ReleaseStep};
use super::{BoundQuery, VectorKind};
use crate::budget::{Delta, Epsilon, Loss, Model, Rho};
use crate::class::Class;
use crate::dp::partition::{Selector, gaussian_threshold};
use crate::dp::quantile::QuantileMechanism;
use crate::dp::selection::{Change, Selection};
use crate::dp::{BoundedLaplaceMechanism, DpError, GaussianMechanism, LaplaceMechanism, Law};

/// Shares of the price are multiples of this, in units of epsilon or rho: 10^-6 (rule D4).
pub const SHARE_UNITS: u64 = 1_000_000;
/// Amounts of a request have at most 9 decimals (rule E2).
const PRICE_UNITS: u64 = 1_000;
/// Weights are in units of 10^-12.
const WEIGHT: u128 = 1_000_000_000_000;

/// How the price of a query is divided among its steps, and the mechanism of each.
///
/// Noise on a vector with sensitivity D and range R gets a share proportional to (D/R)^(2/3) of epsilon, or to D/R of rho; a
/// choice of groups or of one level of quantiles as much as a count. Shares are rounded down to multiples of 10^-6, the last one
/// gets the rest. Where items name amounts, their steps get those (the largest, where several need one step) and the others
/// share what is left. So the shares add up to the price, and are a function of query, schema and price alone, in integers.
///
/// Many steps of a request with a delta are accounted together, as a plan that is sealed into the price (rule E4): then each
/// gets more than its share of a sum, and the shares add up to more than the price. A quarter of the delta is kept for that.
///
/// Of a delta, which groups are named gets half where that is asked. With epsilon the rest makes the noise one of bounded work
/// ([`BoundedLaplaceMechanism`]), each vector with an equal part, for every number that one unit can change.
#[derive(Clone, Debug)]
pub struct Allocation {
    pub(crate) plan: Arc<QueryPlan>,
    price: Loss,
    planned: bool,
    shares: Vec<Loss>,
    pub(crate) mechanisms: Vec<Mechanism>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum Mechanism {
    Laplace(LaplaceMechanism),
    Bounded(BoundedLaplaceMechanism),
    Gaussian(GaussianMechanism),
    Quantiles(QuantileMechanism),
    /// Groups by the optimal rule.
    Optimal(Selector),
    /// Groups whose noisy number of units, less one under the least, reaches the threshold.
    Threshold {
        noise: GaussianMechanism,
        threshold: i128,
        least: i128,
    },
    Top(Selection),
}

impl Mechanism {
    /// The law of its noise; of bounded noise that of the noise without bounds, which is at least as wide.
    pub(crate) fn law(&self) -> Option<Law> {
        match self {
            Self::Laplace(mechanism) => Some(Law::Laplace(mechanism.scale())),
            Self::Bounded(mechanism) => Some(Law::Laplace(mechanism.noise().scale())),
            Self::Gaussian(mechanism) => Some(Law::Gaussian(mechanism.sigma_squared())),
            Self::Quantiles(_) | Self::Optimal(_) | Self::Threshold { .. } | Self::Top(_) => None,
        }
    }
}

impl Allocation {
    /// Divides `price`.
    ///
    /// # Errors
    /// The price has more than 9 decimals, is too small for so many steps, leaves a delta unused or lacks one, does not fit the
    /// amounts of the items, or makes a scale out of range.
    pub fn new(bound: &BoundQuery, price: Loss) -> Result<Self, AllocationError> {
        let plan = &*bound.0;
        let amount = amount(price);
        if !amount.is_multiple_of(PRICE_UNITS) {
            return Err(AllocationError::Decimals { found: price, most: 9 });
        }
        let amounts = divide(plan, price.model(), amount)?;
        if amounts.contains(&0) {
            return Err(AllocationError::Small { price, steps: plan.steps.len() });
        }
        let (amounts, deltas, planned) = compose(plan, amounts, price)?;
        let shares: Option<Vec<_>> = amounts.iter().zip(&deltas).map(|(amount, delta)| share(price.model(), *amount, *delta)).collect();
        let shares = shares.ok_or(AllocationError::Small { price, steps: plan.steps.len() })?;
        let mechanisms = plan.steps.iter().zip(&shares).map(|(step, share)| mechanism(plan, step, *share)).collect::<Result<_, _>>()?;
        Ok(Self { plan: Arc::clone(&bound.0), price, planned, shares, mechanisms })
    }

    /// What was divided.
    #[must_use]
    pub const fn price(&self) -> Loss {
        self.price
    }

    /// The shares, in the order of [`BoundQuery::steps`]; they add up to the price, its delta at most, unless they are
    /// [planned](Self::is_planned).
    #[must_use]
    pub fn shares(&self) -> &[Loss] {
        &self.shares
    }

    /// The charge of each level of the choice of quantiles at this place of [`BoundQuery::steps`]; empty for other steps.
    #[must_use]
    pub fn levels(&self, step: usize) -> &[Loss] {
        match self.mechanisms.get(step) {
            Some(Mechanism::Quantiles(quantiles)) => quantiles.levels(),
            _ => &[],
        }
    }

    /// The law of a step's noise and, where that is cut, its bound, for the self-audit; nothing for a choice.
    #[cfg(feature = "probe")]
    pub(crate) fn noise_of(&self, step: usize) -> Option<(Law, Option<i128>)> {
        let mechanism = self.mechanisms.get(step)?;
        let bound = if let Mechanism::Bounded(mechanism) = mechanism { Some(mechanism.noise().bound()) } else { None };
        Some((mechanism.law()?, bound))
    }

    /// The law of the noise on a vector.
    pub(crate) fn law(&self, vector: usize) -> Option<Law> {
        let step = self.plan.steps.iter().position(|step| matches!(step, ReleaseStep::Noise { vector: other } if *other == vector))?;
        self.mechanisms.get(step)?.law()
    }
}

/// Amounts and deltas of the steps: of a sum, or of a plan where that leaves more to each.
fn compose(plan: &QueryPlan, amounts: Vec<u64>, price: Loss) -> Result<(Vec<u64>, Vec<Delta>, bool), AllocationError> {
    let all = deltas(plan, price, delta_of(price))?;
    // Amounts that items name are what they are.
    if composition::is_worth_it(amounts.len(), price) && plan.amounts.iter().all(|(named, _)| named.is_none()) {
        let kept = delta_of(price).units() - delta_of(price).units() / composition::KEPT;
        let parts = deltas(plan, price, Delta::from_units(kept).unwrap_or(Delta::ZERO))?;
        if let Some(grown) = composition::grown(&amounts, &parts, price) {
            return Ok((grown, parts, true));
        }
    }
    Ok((amounts, all, false))
}

/// Epsilon or rho, in units.
const fn amount(price: Loss) -> u64 {
    match price {
        Loss::Approx { epsilon, .. } => epsilon.units(),
        Loss::Zcdp { rho, .. } => rho.units(),
    }
}

const fn delta_of(price: Loss) -> Delta {
    match price {
        Loss::Approx { delta, .. } | Loss::Zcdp { delta, .. } => delta,
    }
}

fn share(model: Model, amount: u64, delta: Delta) -> Option<Loss> {
    Some(match model {
        Model::Approx => Loss::Approx { epsilon: Epsilon::from_units(amount)?, delta },
        Model::Zcdp => Loss::Zcdp { rho: Rho::from_units(amount)?, delta },
    })
}

/// What each step gets of `amount`.
fn divide(plan: &QueryPlan, model: Model, amount: u64) -> Result<Vec<u64>, AllocationError> {
    let weights: Vec<u128> = plan.steps.iter().map(|step| weight(plan, step, model)).collect();
    let mut parts: Vec<Option<u64>> = vec![None; weights.len()];
    for (named, steps) in &plan.amounts {
        let Some(named) = named else { continue };
        for (step, part) in portions(*named, steps, &weights) {
            parts[step] = Some(parts[step].unwrap_or(0).max(part));
        }
    }
    let named = parts.iter().flatten().map(|part| u128::from(*part)).sum::<u128>();
    let rest = u128::from(amount).checked_sub(named).ok_or(AllocationError::Amounts { named, price: amount })?;
    let open: Vec<usize> = (0..parts.len()).filter(|step| parts[*step].is_none()).collect();
    if open.is_empty() && rest > 0 {
        return Err(AllocationError::Amounts { named, price: amount });
    }
    for (step, part) in portions(u64::try_from(rest).unwrap_or(u64::MAX), &open, &weights) {
        parts[step] = Some(part);
    }
    Ok(parts.into_iter().map(|part| part.unwrap_or(0)).collect())
}

/// Divides `amount` among some steps by their weights; the last gets what rounding leaves.
fn portions(amount: u64, steps: &[usize], weights: &[u128]) -> Vec<(usize, u64)> {
    let total: u128 = steps.iter().map(|step| weights[*step]).sum::<u128>().max(1);
    // Weights are below 2^46, their product with an amount of 2^60 fits.
    let part = |step: &usize| u64::try_from(u128::from(amount) * weights[*step] / total).unwrap_or(u64::MAX) / SHARE_UNITS * SHARE_UNITS;
    let mut out: Vec<_> = steps.iter().map(|step| (*step, part(step))).collect();
    let before: u64 = out.iter().rev().skip(1).map(|(_, part)| part).sum();
    if let Some((_, last)) = out.last_mut() {
        *last = amount.saturating_sub(before);
    }
    out
}

fn weight(plan: &QueryPlan, step: &ReleaseStep, model: Model) -> u128 {
    match (step, model) {
        (ReleaseStep::Noise { vector }, Model::Approx) => plan.vectors[*vector].laplace_weight(),
        (ReleaseStep::Noise { vector }, Model::Zcdp) => plan.vectors[*vector].gaussian_weight(),
        (ReleaseStep::Quantiles { ranks, .. }, _) => WEIGHT * u128::from(levels(ranks.len())),
        (ReleaseStep::Groups { .. } | ReleaseStep::Top { .. }, _) => WEIGHT,
    }
}

/// How often ranks are halved until each is chosen: the bits of their number.
const fn levels(ranks: usize) -> u32 {
    usize::BITS - ranks.leading_zeros()
}

/// What each step gets of a delta.
fn deltas(plan: &QueryPlan, price: Loss, delta: Delta) -> Result<Vec<Delta>, AllocationError> {
    let names = plan.steps.iter().any(|step| matches!(step, ReleaseStep::Groups { .. }));
    let noises = match price.model() {
        Model::Approx => plan.steps.iter().filter(|step| matches!(step, ReleaseStep::Noise { .. })).count() as u64,
        Model::Zcdp => 0,
    };
    if names && delta == Delta::ZERO {
        return Err(AllocationError::DeltaNeeded);
    }
    if !names && noises == 0 && delta != Delta::ZERO {
        return Err(AllocationError::DeltaUnused);
    }
    let for_groups = match (names, noises) {
        (false, _) => 0,
        (true, 0) => delta.units(),
        (true, _) => delta.units() / 2,
    };
    let for_noise = (delta.units() - for_groups) / noises.max(1);
    let of = |step: &ReleaseStep| match step {
        ReleaseStep::Groups { .. } => for_groups,
        ReleaseStep::Noise { .. } if noises > 0 => for_noise,
        _ => 0,
    };
    Ok(plan.steps.iter().map(|step| Delta::from_units(of(step)).unwrap_or(Delta::ZERO)).collect())
}

fn mechanism(plan: &QueryPlan, step: &ReleaseStep, share: Loss) -> Result<Mechanism, DpError> {
    let groups = plan.choice.map_or(1, |choice| u32::try_from(choice.groups).unwrap_or(u32::MAX));
    match (step, share) {
        (ReleaseStep::Noise { vector }, Loss::Approx { epsilon, delta: Delta::ZERO }) => {
            LaplaceMechanism::new(plan.vectors[*vector].sensitivity(), epsilon).map(Mechanism::Laplace)
        }
        (ReleaseStep::Noise { vector }, Loss::Approx { epsilon, delta }) => {
            let vector = &plan.vectors[*vector];
            // Each number that a unit changes may fail by itself.
            let part = u128::from(delta.units()) / vector.touched();
            let delta = u64::try_from(part).ok().and_then(Delta::from_units).unwrap_or(Delta::ZERO);
            BoundedLaplaceMechanism::new(vector.sensitivity(), epsilon, delta).map(Mechanism::Bounded)
        }
        (ReleaseStep::Noise { vector }, Loss::Zcdp { rho, .. }) => {
            let squared = plan.vectors[*vector].squared_sensitivity().ok_or(DpError::ScaleLimit { bits: u128::BITS })?;
            GaussianMechanism::new(squared, rho).map(Mechanism::Gaussian)
        }
        (ReleaseStep::Quantiles { ranks, .. }, share) => {
            QuantileMechanism::new(ranks, plan.contribution.rows(), share).map(Mechanism::Quantiles)
        }
        (ReleaseStep::Groups { .. }, Loss::Approx { epsilon, delta }) => {
            Ok(Mechanism::Optimal(Selector::new(epsilon, delta, groups)?.from_units(plan.least_units)))
        }
        (ReleaseStep::Groups { .. }, Loss::Zcdp { rho, delta }) => {
            let noise = GaussianMechanism::new(groups.into(), rho)?;
            let threshold = gaussian_threshold(noise.sigma_squared(), 1, delta, groups)?;
            Ok(Mechanism::Threshold { noise, threshold: threshold.into(), least: plan.least_units.into() })
        }
        (ReleaseStep::Top { vector, count }, share) => {
            let rows = u64::from(plan.contribution.rows_per_group).min(plan.contribution.rows());
            let sensitivity = if *plan.vectors[*vector].kind() == VectorKind::Units { 1 } else { rows };
            let draws = NonZeroU32::new(*count).ok_or(DpError::Candidates { needed: 1, found: 0 })?;
            Selection::new(sensitivity, draw_epsilon(share, draws)?, Change::Monotone).map(Mechanism::Top)
        }
    }
}

/// The epsilon of one of several draws; in zCDP the largest whose bounded range costs no more than its part.
fn draw_epsilon(share: Loss, draws: NonZeroU32) -> Result<Epsilon, DpError> {
    let units = match share {
        Loss::Approx { epsilon, .. } => epsilon.units() / u64::from(draws.get()),
        Loss::Zcdp { rho, .. } => {
            let rho = u128::from(rho.units() / u64::from(draws.get()));
            u64::try_from((8 * rho * WEIGHT).isqrt()).unwrap_or(u64::MAX)
        }
    };
    Epsilon::from_units(units.min(Epsilon::MAX.units())).filter(|epsilon| *epsilon > Epsilon::ZERO).ok_or(DpError::EpsilonZero)
}

/// Why a price cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllocationError {
    /// Too many decimals.
    #[error("the price {found} has more than {most} decimals")]
    Decimals {
        /// The price.
        found: Loss,
        /// The limit.
        most: u8,
    },
    /// Not enough for every step.
    #[error("the price {price} is too small for {steps} noised sums and choices: each needs a share of at least 0.000001")]
    Small {
        /// The price.
        price: Loss,
        /// How many steps there are.
        steps: usize,
    },
    /// Amounts of items and price do not fit.
    #[error(
        "the items name amounts of {named} units of 10^-12 in all, the price is {price}: they must be equal, or leave something to items without an amount"
    )]
    Amounts {
        /// What the items name.
        named: u128,
        /// The price.
        price: u64,
    },
    /// Groups of unknown values cannot be named without a delta.
    #[error("which groups of unknown values are named needs a delta above 0")]
    DeltaNeeded,
    /// A delta that nothing would use.
    #[error("nothing in this question uses a delta: ask with delta 0")]
    DeltaUnused,
    /// The noise cannot be made.
    #[error(transparent)]
    Noise(#[from] DpError),
}

impl AllocationError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
