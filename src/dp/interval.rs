//! 95 % intervals: what a noisy answer says about the aggregate behind it.
//!
//! The interval of an integer answer is the answer give or take a [`HalfWidth`], which depends on the law of the
//! noise only and so can be quoted before anything is spent. The interval of a mean inverts a test and depends on
//! the noisy answers. All of it is post-processing: it costs no budget.
//!
//! Covered is the bounded aggregate: the one of clamped values. Whether the bounds cut values off is not part of it.
//!
//! # Source
//! Rules F1 and F2 of `docs/rules.md`. Ratio: Fieller, "Some problems in interval estimation", 1954, with the law of
//! discrete Laplace noise in place of the normal one.
//!
//! # Not promised
//! The last step of a width that uses floating point (all but [`laplace`] and wide [`gaussian`]) may differ between platforms; each is
//! outward.

mod gaussian;
mod gaussian_sum;
mod histogram;
mod laplace;
mod mean;
mod normal;
mod sum;
mod variance;

pub use gaussian::gaussian;
pub use gaussian_sum::gaussian_sum;
pub use histogram::quantile_from_histogram;
pub use laplace::laplace;
pub use mean::{MEAN_RESOLUTION, Mean, NoisyMean};
pub use sum::laplace_sum;
pub use variance::{Deviation, NoisyVariance, VARIANCE_RESOLUTION, Variance, Widths};

use super::Law;

/// Units of a coverage of 1: coverages are integers of 10^-12, rounded down.
pub const COVERAGE_UNITS: u64 = 1_000_000_000_000;

/// 0.95: what a width covers that was decided to; rounding its coverage down does not fall below.
const COVERAGE_DECIDED: u64 = COVERAGE_UNITS / 20 * 19;

/// What a width may miss, as one in this many: 0.05.
const ONE_IN: u64 = 20;

/// An interval that holds the truth in at least 95 % of releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interval {
    /// The lower end, which belongs to it.
    pub low: i128,
    /// The upper end, which belongs to it.
    pub high: i128,
    /// How it was made.
    pub method: IntervalMethod,
}

/// How far an interval reaches to both sides of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HalfWidth {
    /// Grid steps to each side.
    pub steps: u128,
    /// The probability that the noise is no larger, in units of 10^-12, rounded down.
    pub coverage: u64,
    /// How it was made.
    pub method: IntervalMethod,
}

impl HalfWidth {
    /// The interval around `answer`; its ends saturate at the range of `i128`.
    #[must_use]
    pub fn around(&self, answer: i128) -> Interval {
        let steps = i128::try_from(self.steps).unwrap_or(i128::MAX);
        Interval { low: answer.saturating_sub(steps), high: answer.saturating_add(steps), method: self.method }
    }
}

/// How an interval was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IntervalMethod {
    /// Quantile of one discrete Laplace law, decided exactly: one step less covers less than 95 %.
    Laplace,
    /// Quantile of a weighted sum of two discrete Laplace laws, in closed form, rounded outward.
    LaplaceSum,
    /// Inverted test of a noisy sum against a multiple of a noisy count; conservative.
    LaplaceRatio,
    /// Quantile of one discrete Gaussian law: one step less covers less than 95 %, wherever that can be decided.
    Gaussian,
    /// Quantile of a weighted sum of two discrete Gaussian laws, likewise.
    GaussianSum,
    /// Inverted test as for [`LaplaceRatio`](Self::LaplaceRatio), with Gaussian noise; conservative.
    GaussianRatio,
    /// All that a count, a sum and a sum of squares can mean within an exact interval of each, by union bound;
    /// conservative.
    LaplaceBox,
    /// Likewise with Gaussian noise.
    GaussianBox,
    /// Inverted tests of the noisy counts below and above each bin of a histogram; conservative.
    HistogramInversion,
    /// Intervals of noises of different families, by union bound; conservative.
    Union,
}

impl IntervalMethod {
    /// The name in receipts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Laplace => "laplace",
            Self::LaplaceSum => "laplace-sum",
            Self::LaplaceRatio => "laplace-ratio",
            Self::Gaussian => "gaussian",
            Self::GaussianSum => "gaussian-sum",
            Self::GaussianRatio => "gaussian-ratio",
            Self::LaplaceBox => "laplace-box",
            Self::GaussianBox => "gaussian-box",
            Self::HistogramInversion => "histogram-inversion",
            Self::Union => "union",
        }
    }
}

/// The half-width of one noise.
#[must_use]
pub fn half_width(law: Law) -> HalfWidth {
    match law {
        Law::Laplace(scale) => laplace(scale),
        Law::Gaussian(sigma_squared) => gaussian(sigma_squared),
    }
}

/// The half-width of X + weight N for independent X of `law` and N of `weighted`: of laws of one family as
/// [`laplace_sum`] and [`gaussian_sum`] say; of different ones the sum of widths that miss 0.025 each.
#[must_use]
pub fn weighted_sum(law: Law, weight: i128, weighted: Law) -> HalfWidth {
    match (law, weighted) {
        (Law::Laplace(scale), Law::Laplace(weighted)) => laplace_sum(scale, weight, weighted),
        (Law::Gaussian(sigma_squared), Law::Gaussian(weighted)) => gaussian_sum(sigma_squared, weight, weighted),
        _ if weight == 0 => half_width(law),
        _ => {
            let part = half_width_at(weighted, 2 * ONE_IN).saturating_mul(weight.unsigned_abs());
            let steps = part.saturating_add(half_width_at(law, 2 * ONE_IN));
            HalfWidth { steps, coverage: COVERAGE_DECIDED, method: IntervalMethod::Union }
        }
    }
}

/// A q with P(|Y| > q) <= 1 / one_in for the noise Y, the least but where a Gaussian law leaves a comparison open; `one_in`
/// up to 10^12. Saturates at the range of `u128`.
pub(in crate::dp) fn half_width_at(law: Law, one_in: u64) -> u128 {
    match law {
        Law::Laplace(scale) => laplace::least_steps(scale, one_in),
        Law::Gaussian(sigma_squared) => gaussian::least_steps(sigma_squared, one_in),
    }
}

/// The least of `0..=most` where `covers` holds, if it holds from there on and at `most`.
fn least(most: u128, mut covers: impl FnMut(u128) -> bool) -> u128 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if covers(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests;
