//! Privacy of sequences of continuous Gaussian and Laplace steps, with bounds on its error.

use super::super::super::plan::Enclosure;
use super::super::super::plan::compose::Account;
use super::super::super::plan::losses::LossLaw;
use super::super::super::{AccountantError, finite, open_unit};
use crate::dp::accountant::plan::sampled_loss;

/// Bytes that an account may use.
const MEMORY: usize = 256 << 20;
/// The normal law beyond this many sigma has a mass below 4e-28 on each side.
const REACH: f64 = 11.0;
const MISSED: f64 = 1e-27;
/// From this loss on exp is not taken.
const LOSS_LARGE: f64 = 500.0;
/// The most of mu, or of a Laplace loss.
const TOP_MAX: f64 = 1e4;
/// The most steps.
const STEPS_MAX: u64 = 1 << 24;
/// Nodes and weights of five points on [-1, 1] (Gauss and Legendre). Over a width of h = 1 / (2 (8 + |x|)) the error on
/// exp(-x^2 / 2) is below 4e-13 (h |x|)^10, relatively.
const NODES: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
];

/// A fixed sequence of continuous mechanisms, to compare with: it cannot be sealed.
///
/// Neighbours as for a [`CompositionPlan`](crate::dp::accountant::plan::CompositionPlan); accounted in the same way, with outcomes between two
/// grid points of the loss taken together.
#[derive(Clone, Debug, Default)]
pub struct ReferencePlan {
    steps: Vec<(ReferenceStep, u32)>,
}

impl ReferencePlan {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { steps: Vec::new() }
    }

    /// Adds a step that is done `times` times.
    ///
    /// # Errors
    /// When the plan has more than 2^24 steps.
    pub fn add(&mut self, step: ReferenceStep, times: u32) -> Result<(), AccountantError> {
        let count = self.steps.iter().map(|(_, times)| u64::from(*times)).sum::<u64>();
        if count + u64::from(times) > STEPS_MAX {
            return Err(AccountantError::Limit { what: "number of steps" });
        }
        self.steps.push((step, times));
        Ok(())
    }

    /// Enclosure of delta at `epsilon`.
    ///
    /// # Errors
    /// When epsilon is negative or not finite, or 256 MiB are not enough.
    pub fn delta(&self, epsilon: f64) -> Result<Enclosure, AccountantError> {
        let epsilon = finite(epsilon, "epsilon")?;
        Ok(Account::new(&self.steps, MEMORY)?.delta(epsilon))
    }

    /// Enclosure of epsilon at `delta`.
    ///
    /// # Errors
    /// When delta is not within (0, 1), or 256 MiB are not enough.
    pub fn epsilon(&self, delta: f64) -> Result<Enclosure, AccountantError> {
        let delta = open_unit(delta)?;
        Account::new(&self.steps, MEMORY)?.epsilon(delta)
    }
}

/// One continuous mechanism.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceStep(Law);

#[derive(Clone, Debug, PartialEq)]
enum Law {
    /// Laplace noise, sensitivity / scale = `top`, on a Poisson sample.
    Laplace { top: f64, rate: f64 },
    /// Gaussian noise of sigma 1 on a shift that is drawn: (shift, probability). Removing the unit leaves shift 0.
    Mixture(Vec<(f64, f64)>),
}

impl ReferenceStep {
    /// Laplace noise of `scale`.
    ///
    /// # Errors
    /// When sensitivity / scale is not above 0 and up to 10^4.
    pub fn laplace(scale: f64, sensitivity: f64) -> Result<Self, AccountantError> {
        Ok(Self(Law::Laplace { top: within(sensitivity / scale)?, rate: 1.0 }))
    }

    /// Gaussian noise of `sigma`.
    ///
    /// # Errors
    /// When sensitivity / sigma is not above 0 and up to 10^4.
    pub fn gaussian(sigma: f64, sensitivity: f64) -> Result<Self, AccountantError> {
        Ok(Self(Law::Mixture(vec![(within(sensitivity / sigma)?, 1.0)])))
    }

    /// Gaussian noise of `sigma` where the unit moves the value by each of the sensitivities with its probability.
    ///
    /// # Errors
    /// When a sensitivity is negative or above 10^4 sigma, none is above 0, or the probabilities do not add up to 1.
    pub fn mixture(sigma: f64, parts: &[(f64, f64)]) -> Result<Self, AccountantError> {
        let total = parts.iter().map(|(_, probability)| probability).sum::<f64>();
        let valid = |(shift, probability): &(f64, f64)| *probability > 0.0 && *shift >= 0.0;
        if !parts.iter().all(valid) || (total - 1.0).abs() > 1e-12 {
            return Err(AccountantError::Parameter { what: "a mixture of shifts that is a law" });
        }
        within(parts.iter().map(|(shift, _)| shift / sigma).fold(0.0, f64::max))?;
        Ok(Self(Law::Mixture(parts.iter().map(|(shift, probability)| (shift / sigma, *probability)).collect())))
    }

    /// The same on a Poisson sample by unit at this rate.
    ///
    /// # Errors
    /// When the rate is not above 0 and at most 1.
    pub fn sampled(self, rate: f64) -> Result<Self, AccountantError> {
        if !(rate > 0.0 && rate <= 1.0) {
            return Err(AccountantError::Parameter { what: "a sampling rate above 0 and up to 1" });
        }
        Ok(Self(match self.0 {
            Law::Laplace { top, rate: before } => Law::Laplace { top, rate: before * rate },
            Law::Mixture(parts) if rate < 1.0 => {
                let kept = parts.into_iter().map(|(shift, probability)| (shift, probability * rate));
                Law::Mixture(kept.chain([(0.0, 1.0 - rate)]).collect())
            }
            law @ Law::Mixture(_) => law,
        }))
    }
}

fn within(top: f64) -> Result<f64, AccountantError> {
    if top > 0.0 && top <= TOP_MAX {
        Ok(top)
    } else {
        Err(AccountantError::Parameter { what: "a sensitivity above 0 and up to 10^4 scales" })
    }
}

impl LossLaw for ReferenceStep {
    fn is_sided(&self) -> bool {
        match &self.0 {
            Law::Laplace { rate, .. } => *rate < 1.0,
            Law::Mixture(parts) => parts.len() > 1,
        }
    }

    fn range(&self, removed: bool) -> (f64, f64) {
        let (low, high) = match &self.0 {
            Law::Laplace { top, rate } => (sampled_loss(*rate, -top), sampled_loss(*rate, *top)),
            Law::Mixture(parts) => (loss(parts, -REACH).0, loss(parts, end(parts)).0),
        };
        if removed { (low, high) } else { (-high, -low) }
    }

    fn losses(&self, removed: bool, grid: f64, mut take: impl FnMut(f64, f64)) -> f64 {
        // Multiples of the grid within the range; where they are off by a rounding, so are losses.
        let (low, high) = self.range(true);
        let first = (low / grid).floor() + 1.0;
        let cuts = (0_u32..).map(|at| (first + f64::from(at)) * grid).take_while(|cut| *cut < high);
        match &self.0 {
            Law::Laplace { top, rate } => {
                laplace(*top, *rate, cuts, |mass, loss| {
                    let (without, whole) = (mass * (-loss).exp(), sampled_loss(*rate, loss));
                    if removed { take(rate * mass + (1.0 - rate) * without, whole) } else { take(without, -whole) }
                });
                0.0
            }
            Law::Mixture(parts) => {
                mixture(parts, cuts, |with, without, loss| if removed { take(with, loss) } else { take(without, -loss) });
                MISSED
            }
        }
    }
}

/// Masses with the unit, and losses, of Laplace noise without sampling: two points, and between them a density with the
/// integral exp(-(top - high)/2) (1 - exp(-(high - low)/2)) / 2 over the losses from low to high, whose mean loss in the
/// sense of masses is their middle. `cuts` are losses after sampling.
fn laplace(top: f64, rate: f64, cuts: impl Iterator<Item = f64>, mut take: impl FnMut(f64, f64)) {
    take(0.5, top);
    take((-top).exp() / 2.0, -top);
    let before = |cut: f64| if cut > LOSS_LARGE { cut - rate.ln() } else { (cut.exp_m1() / rate).ln_1p() };
    let mut low = -top;
    for high in cuts.map(before).chain([top]) {
        let high = high.clamp(low, top);
        take(((high - top) / 2.0).exp() * -((low - high) / 2.0).exp_m1() / 2.0, (low + high) / 2.0);
        low = high;
    }
}

/// Masses with the unit and without it, and losses, between the points of those losses.
fn mixture(parts: &[(f64, f64)], cuts: impl Iterator<Item = f64>, mut take: impl FnMut(f64, f64, f64)) {
    let end = end(parts);
    let mut low = -REACH;
    for high in cuts.map(Some).chain([None]) {
        let high = high.map_or(end, |cut| place(parts, cut, low, end));
        if high > low {
            let (with, without, loss) = cell(parts, low, high);
            take(with, without, loss);
        }
        low = high;
    }
}

fn end(parts: &[(f64, f64)]) -> f64 {
    REACH + parts.iter().map(|(shift, _)| *shift).fold(0.0, f64::max)
}

/// ln of the sum of probability exp(shift x - shift^2 / 2), and its slope.
fn loss(parts: &[(f64, f64)], x: f64) -> (f64, f64) {
    let exponent = |shift: f64| shift * x - shift * shift / 2.0;
    let most = parts.iter().map(|(shift, _)| exponent(*shift)).fold(f64::NEG_INFINITY, f64::max);
    let (sum, slope) = parts.iter().fold((0.0, 0.0), |(sum, slope), (shift, probability)| {
        let part = probability * (exponent(*shift) - most).exp();
        (sum + part, slope + part * shift)
    });
    (most + sum.ln(), slope / sum)
}

/// Where the loss is `wanted`, from `low` on. The loss rises and is convex, so that a step of Newton never falls short.
fn place(parts: &[(f64, f64)], wanted: f64, low: f64, end: f64) -> f64 {
    const ROUNDS: u32 = 200;
    let mut x = low;
    for _ in 0..ROUNDS {
        let (loss, slope) = loss(parts, x);
        let next = (x + (wanted - loss) / slope).min(end);
        if (next - x).abs() <= 1e-15 * (1.0 + x.abs()) || next.is_nan() {
            break;
        }
        x = next;
    }
    x.clamp(low, end)
}

/// Masses with and without the unit of the points from `low` to `high`, and the loss of both together.
fn cell(parts: &[(f64, f64)], low: f64, high: f64) -> (f64, f64, f64) {
    let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let base = loss(parts, low).0;
    let (mut with, mut without, mut own, mut other) = (0.0, 0.0, 0.0, 0.0);
    let widest = 0.5 / (8.0 + low.abs().max(high.abs()));
    let count = ((high - low) / widest).ceil().max(1.0);
    let half = (high - low) / count / 2.0;
    let mut at = 0.5;
    while at < count {
        let middle = low + 2.0 * half * at;
        for (node, weight) in NODES {
            let x = middle + half * node;
            let weight = weight * half;
            with += weight * parts.iter().map(|(shift, probability)| probability * density(x - shift)).sum::<f64>();
            without += weight * density(x);
            // The ratio of both, where neither may be below the range of numbers.
            let relative = weight * ((low - x) * (low + x) / 2.0).exp();
            own += relative * (loss(parts, x).0 - base).exp();
            other += relative;
        }
        at += 1.0;
    }
    (with, without, base + (own / other).ln())
}
