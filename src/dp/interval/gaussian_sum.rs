use super::gaussian::{self, Gaussian, REACH};
use super::sum::{MISS, SLACK, WIDEST, coverage_units};
use super::{COVERAGE_DECIDED, HalfWidth, Method, least, normal};
use crate::dp::SigmaSquared;
use crate::dp::noise::Nat;

/// From this tau on a pair is smooth: 2 exp(-2 pi^2 tau^2) is below 2^-112.
const SMOOTH: f64 = 2.0;
/// From this sigma of X on one step of X is less than 0.8 % of a half-width, and given away for a short formula.
const FINE: f64 = 64.0;
/// A bound of what cut-off tails and [`SMOOTH`] leave out.
const LEFT_OUT: f64 = 1e-30;

/// The half-width of X + weight N for independent discrete Gaussian X and N: the least q with
/// P(|X + weight N| <= q) >= 0.95, up to a relative 2^-40 and an absolute 2^-44 of the missed probability, which count
/// outward.
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
        return gaussian::half_width(&Gaussian::of(pair.spread(weight as f64).powi(2)), &p, &q, most, Method::GaussianSum);
    }
    let steps = least(most, |steps| pair.missed(steps, weight) <= MISS);
    let missed = pair.missed(steps, weight);
    let decided = if missed <= MISS { COVERAGE_DECIDED } else { 0 };
    HalfWidth { steps, coverage: coverage_units(missed).max(decided), method: Method::GaussianSum }
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

    /// An upper bound of P(|X + v N| >= r) for r = edge / parts and v = weight / parts, which grows with v and falls as r
    /// grows; 1 where r is too small for that.
    ///
    /// Neither X nor the sum is on the grid of r, so the tail of X is taken from above: as that of X + U with U uniform on
    /// [0, 1], or, in a smooth pair, as that of X + 1 made normal. The latter is P(G >= (r - 1) / s) for a standard normal
    /// G, up to 2^-110, by Poisson summation over N. Both are unimodal around 1/2 or 1, and from there on the two sides
    /// together grow with the shift v |N|.
    pub(super) fn tail(&self, edge: u128, weight: u128, parts: u32) -> f64 {
        let unit = 1.0 / f64::from(parts);
        let spread = weight as f64 * unit;
        if self.x.sigma >= FINE && self.tau(spread) >= SMOOTH {
            let above = edge as f64 * unit - 1.0;
            return if above < 0.0 { 1.0 } else { (2.0 * normal::above(above / self.spread(spread)) * (1.0 + SLACK) + LEFT_OUT).min(1.0) };
        }
        if edge < u128::from(parts / 2) {
            return 1.0;
        }
        let spread_out = |r: f64| {
            let floor = r.floor();
            self.x.at_least(floor + 1.0) + (floor + 1.0 - r) * self.x.mass(floor)
        };
        self.over_n(edge, weight, unit, spread_out)
    }

    /// Twice the sum over k of P(N = k) times `tail` of r = (edge - weight k) unit, rounded up. It runs over the k where
    /// both |r| and |k| are within [`REACH`]; below them `tail` is nearly 0, above them nearly 1.
    #[expect(clippy::cast_possible_truncation, reason = "a number of terms, cut to what N reaches")]
    fn over_n(&self, edge: u128, weight: u128, unit: f64, tail: impl Fn(f64) -> f64) -> f64 {
        if weight == 0 {
            return self.x.outward(2.0 * tail(edge as f64 * unit));
        }
        // r falls through 0 between `turn` and `turn` + 1.
        let (turn, rest) = (edge / weight, edge % weight);
        let (rest, gap) = (rest as f64 * unit, (weight - rest) as f64 * unit);
        let (turn, step) = (turn as f64, weight as f64 * unit);
        let reach = (REACH * self.x.sigma / step).ceil() + 2.0;
        let from = (-(REACH * self.n.sigma).ceil() - 2.0).max(turn - reach);
        let to = ((REACH * self.n.sigma).ceil() + 2.0).min(turn + reach);
        let terms = (to - from).max(-1.0) as i64 + 1;
        let sum = (0..terms).map(|at| {
            let k = from + at as f64;
            let r = if k <= turn { rest + (turn - k) * step } else { -gap - (k - turn - 1.0) * step };
            self.n.mass(k) * tail(r)
        });
        let within = sum.sum::<f64>() + self.n.at_least(to.max(from - 1.0) + 1.0);
        self.n.outward(self.x.outward(2.0 * within)) + LEFT_OUT
    }
}
