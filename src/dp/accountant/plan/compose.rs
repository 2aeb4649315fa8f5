//! Composing the steps of a plan: losses on a grid, convolved with a bound on everything that is rounded.

use super::Enclosure;
use super::losses::{LossLaw, Losses};
use super::spectrum::{self, Sum};
use crate::dp::accountant::AccountantError;

/// The grid of losses where memory allows: a power of two, so that round losses stand on it.
const GRID: f64 = 1.0 / 2048.0;
/// The rounding of all steps has at most this squared size, or the grid is finer.
const SPREAD: f64 = 1.0 / 16384.0;
/// No coarser grid than this is used.
const GRID_MAX: f64 = 1.0 / 16.0;
/// Products up to which sums are convolved term by term, which keeps every digit of small masses.
const DIRECT: f64 = (1 << 29) as f64;
/// Bytes for each point of a step's losses.
const LOSS_BYTES: f64 = 32.0;
const ROUNDING: f64 = f64::EPSILON / 2.0;
/// What a mass may be wrong by, relatively, and a loss, absolutely and relatively.
const MASS_SLACK: f64 = 1.0 / (1_u64 << 40) as f64;
const LOSS_SLACK: f64 = 1.0 / (1_u64 << 43) as f64;
const LOSS_ROUNDING: f64 = 1.0 / (1_u64 << 50) as f64;

/// The account of a sequence of steps from every side that counts.
pub(in crate::dp::accountant) struct Account(Vec<Composed>);

impl Account {
    /// On the finest grid that the memory holds.
    pub(in crate::dp::accountant) fn new<L: LossLaw>(steps: &[(L, u32)], memory: usize) -> Result<Self, AccountantError> {
        let sided = steps.iter().any(|(step, _)| step.is_sided());
        let sides: &[bool] = if sided { &[true, false] } else { &[true] };
        sides.iter().map(|removed| Composed::new(steps, *removed, memory)).collect::<Result<_, _>>().map(Self)
    }

    /// Enclosure of delta, the larger of both sides.
    pub(in crate::dp::accountant) fn delta(&self, epsilon: f64) -> Enclosure {
        let most = |of: fn(&Composed, f64) -> f64| self.0.iter().map(|side| of(side, epsilon)).fold(0.0, f64::max);
        Enclosure { low: most(Composed::delta_low), high: most(Composed::delta_high) }
    }

    /// Enclosure of epsilon, the larger of both sides.
    pub(in crate::dp::accountant) fn epsilon(&self, delta: f64) -> Result<Enclosure, AccountantError> {
        let mut bounds = Enclosure { low: 0.0, high: 0.0 };
        for side in &self.0 {
            let high = side.epsilon_high(delta).ok_or(AccountantError::Limit { what: "epsilon" })?;
            bounds = Enclosure { low: bounds.low.max(side.epsilon_low(delta)), high: bounds.high.max(high) };
        }
        Ok(bounds)
    }
}

/// The sum of all losses of a plan, on a grid, with its masses under both data sets.
struct Composed {
    grid: f64,
    /// The grid index of the first point.
    first: i64,
    /// With the unit: the sum of the masses from each point on.
    above: Vec<f64>,
    /// The same, of masses times exp(-loss); 0 below loss 0.
    tilted: Vec<f64>,
    /// Without the unit, after the same rounding: the sum of the masses from each point on; 0 below loss 0.
    without: Vec<f64>,
    /// Mass of unbounded loss, from both sides.
    infinite: (f64, f64),
    /// What may have come into the window from outside.
    beyond: f64,
    /// Some lambda, and upper bounds of ln of the mean of exp(lambda loss): for deltas below the error of a transform.
    moments: Vec<(f64, f64)>,
    /// What any sum of masses may be wrong by, absolutely and relatively.
    slack: f64,
    relative: f64,
    /// What the losses may be wrong by.
    loss_slack: f64,
    /// The largest finite loss.
    top: f64,
}

impl Composed {
    /// The finest grid that the memory holds.
    fn new<L: LossLaw>(steps: &[(L, u32)], removed: bool, memory: usize) -> Result<Self, AccountantError> {
        let count = steps.iter().map(|(_, times)| f64::from(*times)).sum::<f64>();
        let mut grid = GRID;
        while count * grid * grid > SPREAD {
            grid /= 2.0;
        }
        while grid <= GRID_MAX {
            if let Some(composed) = Self::on_grid(steps, count, removed, grid, memory as f64) {
                return Ok(composed);
            }
            grid *= 2.0;
        }
        Err(AccountantError::Limit { what: "grid of losses within this memory" })
    }

    fn on_grid<L: LossLaw>(steps: &[(L, u32)], count: f64, removed: bool, grid: f64, memory: f64) -> Option<Self> {
        let ranges = steps.iter().map(|(step, _)| step.range(removed)).collect::<Vec<_>>();
        let points = ranges.iter().map(|(low, high)| (high - low) / grid + 4.0).sum::<f64>();
        if points * LOSS_BYTES > memory {
            return None;
        }
        let on = |grid: f64| {
            let parts = steps.iter().zip(&ranges);
            parts.map(|((step, times), range)| Losses::new(step, *times, removed, *range, grid)).collect::<Vec<_>>()
        };
        let (mut grid, mut losses) = (grid, on(grid));
        let mut moments = Vec::new();
        let sum = if direct_products(&losses) <= DIRECT {
            direct(&losses)
        } else {
            // A transform has a power of two of points: the grid is made finer until all are used.
            let (low, high) = spectrum::window(&losses, grid);
            let share = (high - low + 16) as f64 * 1.02 / spectrum::length(low, high)? as f64;
            if share < 1.0 && 2.0 * points * LOSS_BYTES <= memory {
                grid *= share;
                losses = on(grid);
            }
            moments = spectrum::moments(&losses, grid);
            spectrum::transformed(&losses, grid, memory - 2.0 * points * LOSS_BYTES)?
        };
        let kept = losses.iter().map(|losses| f64::from(losses.times) * (-losses.infinite).ln_1p()).sum::<f64>();
        let infinite = -kept.exp_m1();
        let top = steps.iter().zip(&ranges).map(|((_, times), range)| f64::from(*times) * range.1).sum::<f64>();
        let widest = steps.iter().zip(&ranges).map(|((_, times), range)| f64::from(*times) * range.1.max(-range.0)).sum::<f64>();
        let relative = count * MASS_SLACK + sum.with.len() as f64 * ROUNDING;
        let tilted = |masses: &[f64]| {
            let part = |(at, mass): (usize, &f64)| match (sum.first + at as i64) as f64 * grid {
                loss if loss < 0.0 => 0.0,
                loss => mass * (-loss).exp(),
            };
            tails(masses.iter().enumerate().map(part).collect())
        };
        Some(Self {
            grid,
            first: sum.first,
            tilted: tilted(&sum.with),
            without: tilted(&sum.without),
            beyond: sum.beyond,
            moments,
            above: tails(sum.with),
            infinite: (infinite * (1.0 - MASS_SLACK), infinite * (1.0 + MASS_SLACK)),
            slack: sum.slack,
            relative,
            loss_slack: count * LOSS_SLACK + widest * LOSS_ROUNDING,
            top: top * (1.0 + LOSS_ROUNDING),
        })
    }

    /// An upper bound of delta.
    fn delta_high(&self, epsilon: f64) -> f64 {
        let epsilon = (epsilon - self.loss_slack).max(0.0);
        let at = self.place(epsilon);
        let finite = match self.above.get(at) {
            // The differences of the two are small where both are: their own rounding is in `relative`.
            Some(above) => (above - epsilon.exp() * self.tilted[at]).max(0.0) + above * self.relative,
            None => 0.0,
        };
        // The mean of max(0, 1 - exp(epsilon - loss)) is at most that of exp(lambda (loss - epsilon)) times the largest
        // quotient of the two.
        let tail = |(lambda, log): &(f64, f64)| {
            let quotient = lambda * lambda.ln() - (1.0 + lambda) * lambda.ln_1p();
            (log - lambda * epsilon + quotient + (1.0 + log.abs() + lambda * epsilon + quotient.abs()) * MASS_SLACK).exp()
        };
        let finite = self.moments.iter().map(tail).fold(finite + self.beyond + self.slack, f64::min);
        (finite + self.infinite.1).min(1.0)
    }

    /// A lower bound of delta: the best of a few events "the rounded sum is at least this, and in the window". What came
    /// into the window from outside is taken from the masses with the unit, and left in those without.
    fn delta_low(&self, epsilon: f64) -> f64 {
        let epsilon = epsilon + self.loss_slack;
        let growth = epsilon.exp();
        let event = |at: usize| {
            let (with, without) = (self.above.get(at)?, self.without.get(at)?);
            let loss = (self.first + at as i64) as f64 * self.grid;
            let other = growth * without * (1.0 + self.relative) + (epsilon - loss).exp() * self.slack;
            Some(with * (1.0 - self.relative) - self.slack - self.beyond - other)
        };
        let start = self.place(epsilon);
        let finite = (start..start + 3).filter_map(event).fold(0.0, f64::max);
        finite + self.infinite.0
    }

    /// An upper bound of epsilon, if there is a finite one.
    fn epsilon_high(&self, delta: f64) -> Option<f64> {
        // All losses are at most `top`, which is the sum that needs no distribution.
        let holds = |epsilon| epsilon >= self.top || self.delta_high(epsilon) <= delta;
        (self.infinite.1 <= delta).then(|| bisect(self.top, holds).1)
    }

    /// A lower bound of epsilon.
    fn epsilon_low(&self, delta: f64) -> f64 {
        if self.delta_low(0.0) <= delta {
            return 0.0;
        }
        let end = (self.first + self.above.len() as i64 + 4) as f64 * self.grid;
        bisect(end.max(0.0), |epsilon| self.delta_low(epsilon) <= delta).0
    }

    /// The place of the first grid point at `epsilon` or above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturating")]
    fn place(&self, epsilon: f64) -> usize {
        ((epsilon / self.grid).ceil() - self.first as f64).max(0.0) as usize
    }
}

/// How many products [`direct`] takes.
fn direct_products(losses: &[Losses]) -> f64 {
    let (mut length, mut products) = (1.0, 0.0);
    for losses in losses {
        let (own, times) = (losses.with.len() as f64, f64::from(losses.times));
        // length own + (length + own) own + ...
        products += times * length * own + own * own * times * (times - 1.0) / 2.0;
        length += times * own;
    }
    2.0 * products
}

fn direct(losses: &[Losses]) -> Sum {
    let mut sum = Sum { first: 0, with: vec![1.0], without: vec![1.0], beyond: 0.0, slack: 0.0 };
    for losses in losses {
        for _ in 0..losses.times {
            sum.first += losses.first;
            sum.with = convolve(&sum.with, &losses.with);
            sum.without = convolve(&sum.without, &losses.without);
        }
    }
    sum
}

fn convolve(left: &[f64], right: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; left.len() + right.len() - 1];
    for (at, mass) in left.iter().enumerate().filter(|(_, mass)| **mass != 0.0) {
        product[at..].iter_mut().zip(right).for_each(|(place, other)| *place += mass * other);
    }
    product
}

/// The sums from each place on.
fn tails(mut masses: Vec<f64>) -> Vec<f64> {
    let mut sum = 0.0;
    for mass in masses.iter_mut().rev() {
        sum += *mass;
        *mass = sum;
    }
    masses
}

/// Neighbouring numbers of [0, end], the first without and the second with what `holds` from somewhere on and at `end`;
/// both are 0 where it holds there.
fn bisect(end: f64, holds: impl Fn(f64) -> bool) -> (f64, f64) {
    let (mut low, mut high) = (0.0, end);
    if holds(low) {
        return (low, low);
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return (low, high);
        }
        if holds(middle) { high = middle } else { low = middle }
    }
}
