//! Half-widths of a weighted sum of two discrete Gaussian laws.

use super::gaussian::{self, Gaussian, REACH, SUMMED};
use super::sum::{MISS, SLACK, WIDEST, coverage_units};
use super::{COVERAGE_DECIDED, HalfWidth, IntervalMethod, least, normal};
use crate::dp::SigmaSquared;
use crate::dp::noise::Nat;

/// From this tau on a pair is smooth: 2 exp(-2 pi^2 tau^2) is below 2^-112.
const SMOOTH: f64 = 2.0;
/// From this many terms a sigma on N is taken in blocks, so many of them a sigma.
const TERMS: f64 = 64.0;
const BLOCKS: f64 = 8.0;
/// A bound of what cut-off tails and [`SMOOTH`] leave out.
const LEFT_OUT: f64 = 1e-30;

/// The half-width of X + weight N for independent discrete Gaussian X and N: the least q with
/// P(|X + weight N| <= q) >= 0.95, up to a relative 2^-40 of the missed probability, which counts outward.
///
/// Let s^2 = sigma_X^2 + weight^2 sigma_N^2 and 1/tau^2 = 1/sigma_N^2 + weight^2/sigma_X^2. A mass of the sum at z is a sum
/// over k of normal densities, n_s(z) times that of n_tau(k - c z), which is 1 up to 2 exp(-2 pi^2 tau^2) whatever c
/// (Poisson summation). So from tau = 2 on the sum follows the discrete Gaussian law of s^2 up to a relative 2^-110, and
/// its width is decided as that of [`gaussian`](super::gaussian()). With a smaller tau the sum over k has few terms.
#[must_use]
pub fn gaussian_sum(sigma_squared: SigmaSquared, weight: i128, weighted: SigmaSquared) -> HalfWidth {
    if weight == 0 {
        return super::gaussian(sigma_squared);
    }
    let weight = weight.unsigned_abs();
    let most = gaussian::most(weighted, MISS / 2.0).saturating_mul(weight).saturating_add(gaussian::most(sigma_squared, MISS / 2.0));
    let most = most.min(WIDEST);
    let pair = GaussianPair::new(sigma_squared, weighted);
    if pair.tau(weight as f64) >= SMOOTH {
        let part = |squared: SigmaSquared| (Nat::from(squared.numerator()), Nat::from(squared.denominator()));
        let ((a, b), (c, d)) = (part(sigma_squared), part(weighted));
        let (p, q) = (a.mul(&d).add(&c.mul(&Nat::from(weight)).mul(&Nat::from(weight)).mul(&b)), b.mul(&d));
        return gaussian::half_width(&Gaussian::of(pair.spread(weight as f64).powi(2)), &p, &q, most, IntervalMethod::GaussianSum);
    }
    let steps = least(most, |steps| pair.missed(steps, weight) <= MISS);
    let missed = pair.missed(steps, weight);
    let decided = if missed <= MISS { COVERAGE_DECIDED } else { 0 };
    HalfWidth { steps, coverage: coverage_units(missed).max(decided), method: IntervalMethod::GaussianSum }
}

/// Independent discrete Gaussian X and N.
pub(super) struct GaussianPair {
    x: Gaussian,
    n: Gaussian,
}

impl GaussianPair {
    pub(super) fn new(x: SigmaSquared, n: SigmaSquared) -> Self {
        Self { x: Gaussian::new(x), n: Gaussian::new(n) }
    }

    /// s.
    fn spread(&self, weight: f64) -> f64 {
        self.x.sigma.hypot(weight * self.n.sigma)
    }

    /// tau.
    fn tau(&self, weight: f64) -> f64 {
        (1.0 / self.n.sigma).hypot(weight / self.x.sigma).recip()
    }

    /// An upper bound of P(|X + weight N| > steps), close where tau is small.
    fn missed(&self, steps: u128, weight: u128) -> f64 {
        self.over_n(steps + 1, weight, 1.0, |edge| self.x.at_least(edge))
    }

    /// Whether P(|X + v N| >= r) is 0.05 or less for r = edge / parts and v = weight / parts, by an upper bound that grows
    /// with v and falls as r grows.
    ///
    /// Neither X nor the sum is on the grid of r, so the tail of X is taken from above. In a smooth pair with a sigma of X of
    /// 32 or more it is that of X + 1 made normal, and so the bound is P(|G| >= (r - 1) / s) for a standard normal G, up to
    /// 2^-110 by Poisson summation over N: at most two steps of X, 3 % of the width, are given away. Elsewhere it is that of
    /// X + U with U uniform on [0, 1]. Both are unimodal, around 1 and 1/2, and from there on the two sides together grow
    /// with the shift v |N|.
    pub(super) fn leaves_out(&self, edge: u128, weight: u128, parts: u32) -> bool {
        let unit = 1.0 / f64::from(parts);
        let spread = weight as f64 * unit;
        if self.x.sigma >= SUMMED && self.tau(spread) >= SMOOTH {
            return edge as f64 * unit - 1.0 >= normal::POINT * (1.0 + SLACK) * self.spread(spread);
        }
        let spread_out = |r: f64| {
            let floor = r.floor();
            self.x.at_least(floor + 1.0) + (floor + 1.0 - r) * self.x.mass(floor)
        };
        edge >= u128::from(parts / 2) && self.over_n(edge, weight, unit, spread_out) <= MISS
    }

    /// Twice the sum over k of P(N = k) times `tail` of r = (edge - weight k) unit, rounded up. It runs over the k where
    /// both |r| and |k| are within [`REACH`]; below them `tail` is nearly 0, above them nearly 1.
    ///
    /// Where that would be thousands of terms, N is first rounded away from 0 to multiples of a block, which adds at most an
    /// eighth of the sigma of X: this only raises a sum that grows with the shift |N|, and never happens below tau = 64.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of terms, cut to what N reaches")]
    fn over_n(&self, edge: u128, weight: u128, unit: f64, tail: impl Fn(f64) -> f64) -> f64 {
        if weight == 0 {
            return self.x.outward(2.0 * tail(edge as f64 * unit));
        }
        let narrow = self.n.sigma.min(self.x.sigma / (weight as f64 * unit));
        let block = if narrow < TERMS { 1.0 } else { (narrow / BLOCKS).floor() };
        let weight = weight.saturating_mul(block as u128);
        let mass = |k: f64| match k.abs() {
            k if block == 1.0 || k == 0.0 => self.n.mass(k),
            k => self.n.at_least((k - 1.0) * block + 1.0) - self.n.at_least(k * block + 1.0),
        };
        // r falls through 0 between `turn` and `turn` + 1.
        let (turn, rest) = (edge / weight, edge % weight);
        let (rest, gap) = (rest as f64 * unit, (weight - rest) as f64 * unit);
        let (turn, step) = (turn as f64, weight as f64 * unit);
        let reach = (REACH * self.x.sigma / step).ceil() + 2.0;
        let most = (REACH * self.n.sigma / block).ceil() + 2.0;
        let (from, to) = ((turn - reach).max(-most), (turn + reach).min(most));
        let terms = (to - from).max(-1.0) as i64 + 1;
        let sum = (0..terms).map(|at| {
            let k = from + at as f64;
            let r = if k <= turn { rest + (turn - k) * step } else { -gap - (k - turn - 1.0) * step };
            mass(k) * tail(r)
        });
        let within = sum.sum::<f64>() + self.n.at_least(to.max(from - 1.0) * block + 1.0);
        self.n.outward(self.x.outward(2.0 * within)) + LEFT_OUT
    }
}
