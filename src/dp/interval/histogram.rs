//! The bins in which a quantile may lie, from noisy counts of a histogram.

use super::normal::POINT;
use super::sum::SLACK;
use crate::dp::noise::gcd;
use crate::dp::{Law, Scale, SigmaSquared};

/// A little above ln 40: 0.025 on each side.
const LOG_ONE_IN: f64 = 3.688_879_454_114;
/// From this sigma^2 on sums of draws are discrete Gaussian of their summed sigma^2 up to a relative 2^-100: tau^2 of a sum
/// and one more draw is at least sigma^2 / 2, see [`gaussian_sum`](super::gaussian_sum()).
const SMOOTH: f64 = 8.0;
/// A Chernoff bound holds at every exponent; the best is looked for once in this many bins, by this many thirds.
const STRETCHES: usize = 64;
const THIRDS: usize = 24;

/// The least and the greatest index of the bins that may hold the quantile of rank a/b, at 95 %, from noisy counts whose
/// noises are independent draws of `law`. Conservative ([`IntervalMethod::HistogramInversion`](super::IntervalMethod)); post-processing.
///
/// The quantile of rank a/b of n values is the least value x with at least n a/b values <= x; of rank 0 the least value.
/// It is above bin j - 1 only if the count below bin j, L_j, has b L_j - a n <= 0, and not above bin j only if
/// b L_(j + 1) - a n >= 0. Of both the noisy T_j = (b - a) (noisy counts below j) - a (the others) is known. From above, bins
/// with T_j > t_j are left out, from below those with T_(j + 1) < -t_(j + 1), where P(noise of T_j > t_j) <= 0.025. The
/// range is the hull of what is left; it misses the bin of the quantile only where that bin's own noise is beyond t, and so
/// with probability 0.05 at most.
///
/// t_j is the Chernoff bound with the exact moments of discrete Laplace noise; for Gaussian noise with sigma^2 >= 8 the
/// normal quantile and one step of the larger weight, below that the sub-Gaussian bound.
///
/// None where there is no bin, a/b is no fraction from 0 to 1, or the noisy counts say that there are no values. All bins
/// where the counts are too large for 128 bits.
#[must_use]
pub fn quantile_from_histogram(bins: &[i128], law: Law, rank: (u64, u64)) -> Option<(usize, usize)> {
    let (a, b) = rank;
    if b == 0 || a > b || bins.is_empty() {
        return None;
    }
    let common = gcd(a.into(), b.into());
    let weights = (u128::from(b - a) / common, u128::from(a) / common);
    let Some(statistics) = statistics(bins, weights) else {
        return Some((0, bins.len() - 1));
    };
    within(&statistics, &Edges::new(law, weights, bins.len()))
}

/// The bins whose T_j are not too large from above, nor T_(j + 1) from below.
pub(super) fn within(statistics: &[i128], edges: &Edges) -> Option<(usize, usize)> {
    let bins = statistics.len() - 1;
    let inside = |at: usize| statistics[at].unsigned_abs() <= edges.at(at);
    let high = (0..bins).rev().find(|j| statistics[*j] <= 0 || inside(*j))?;
    let low = (0..bins).find(|j| statistics[j + 1] >= 0 || inside(j + 1))?;
    (low <= high).then_some((low, high))
}

/// T_0, T_1, .. up to the number of bins, if they fit.
pub(super) fn statistics(bins: &[i128], (below, above): (u128, u128)) -> Option<Vec<i128>> {
    let (below, above) = (below.cast_signed(), above.cast_signed());
    let all = bins.iter().try_fold(0_i128, |sum, bin| sum.checked_add(*bin))?;
    let mut statistics = vec![all.checked_mul(-above)?];
    let mut sum = 0_i128;
    for bin in bins {
        sum = sum.checked_add(*bin)?;
        let rest = all.checked_sub(sum)?;
        statistics.push(sum.checked_mul(below)?.checked_sub(rest.checked_mul(above)?)?);
    }
    Some(statistics)
}

/// The edges t_j.
pub(super) struct Edges {
    /// Weights of the counts below and from j on.
    weights: (f64, f64),
    bins: usize,
    noise: Noise,
}

enum Noise {
    Gaussian {
        sigma: f64,
    },
    /// For the bins of each stretch one exponent, with the log moments of a draw at each of the two weights.
    Laplace {
        length: usize,
        stretches: Vec<Moments>,
    },
}

#[derive(Clone, Copy)]
struct Moments {
    exponent: f64,
    logs: (f64, f64),
}

impl Edges {
    pub(super) fn new(law: Law, (below, above): (u128, u128), bins: usize) -> Self {
        let weights = (below as f64, above as f64);
        let noise = match law {
            Law::Gaussian(sigma_squared) => Noise::Gaussian { sigma: sigma(sigma_squared) },
            Law::Laplace(scale) => {
                let length = bins / STRETCHES + 1;
                let middles = (0..=bins / length).map(|stretch| (stretch * length + length / 2).min(bins));
                Noise::Laplace { length, stretches: middles.map(|middle| best(scale, weights, middle, bins)).collect() }
            }
        };
        Self { weights, bins, noise }
    }

    /// An integer t with P(noise of T_at > t) <= 0.025.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, saturates")]
    fn at(&self, at: usize) -> u128 {
        let (below, above) = (at as f64, (self.bins - at) as f64);
        let t = match &self.noise {
            Noise::Gaussian { sigma } => {
                let spread = sigma * (below * self.weights.0.powi(2) + above * self.weights.1.powi(2)).sqrt();
                let tail = spread * (2.0 * LOG_ONE_IN).sqrt();
                let normal = spread * POINT + self.weights.0.max(self.weights.1);
                if sigma * sigma >= SMOOTH { normal.min(tail) } else { tail }
            }
            Noise::Laplace { length, stretches } => stretches[at / length].edge(below, above),
        };
        (t * (1.0 + SLACK)).ceil() as u128
    }
}

fn sigma(sigma_squared: SigmaSquared) -> f64 {
    (sigma_squared.numerator() as f64 / sigma_squared.denominator() as f64).sqrt()
}

impl Moments {
    /// Those of discrete Laplace noise at `share` < 1 of the largest exponent.
    ///
    /// With x = 1/scale, E exp(h Y) = 1 / (1 - (sinh(h/2) / sinh(x/2))^2) for |h| < x.
    fn new(scale: Scale, weights: (f64, f64), share: f64) -> Self {
        let x = scale.denominator() as f64 / scale.numerator() as f64;
        let exponent = share * x / weights.0.max(weights.1);
        let log = |weight: f64| {
            let h = exponent * weight;
            let ratio = ((h - x) / 2.0).exp() * (-h).exp_m1() / (-x).exp_m1();
            -(-ratio * ratio).ln_1p()
        };
        Self { exponent, logs: (log(weights.0), log(weights.1)) }
    }

    /// t with E exp(exponent (noise - t)) = 1/40.
    fn edge(&self, below: f64, above: f64) -> f64 {
        (below * self.logs.0 + above * self.logs.1 + LOG_ONE_IN) / self.exponent
    }
}

/// The exponent with the least edge at bin `at`: the edge falls up to it and grows from there on, as the log moments are
/// convex.
fn best(scale: Scale, weights: (f64, f64), at: usize, bins: usize) -> Moments {
    let edge = |share: f64| Moments::new(scale, weights, share).edge(at as f64, (bins - at) as f64);
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..THIRDS {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if edge(left) <= edge(right) { high = right } else { low = left }
    }
    Moments::new(scale, weights, low + (high - low) / 3.0)
}
