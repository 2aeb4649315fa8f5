//! Local differential privacy (本地差分隐私): each respondent adds the noise, and nobody is trusted with the answers.
//!
//! ```
//! use usufruct::budget::Epsilon;
//! use usufruct::dp::local::RandomizedResponse;
//! use usufruct::random::SystemRandom;
//!
//! let survey = RandomizedResponse::new(3, Epsilon::parse("1")?)?;
//! let mut random = SystemRandom::new()?;
//! let mut counts = [0; 3];
//! for truth in [0, 2, 2, 1, 2] {
//!     counts[survey.respond(truth, &mut random)?] += 1;
//! }
//! let estimates = survey.estimate(&counts)?;
//! assert_eq!(estimates.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//! Guarantee, for each response: pure epsilon-differential privacy between any two values of one respondent. Responses
//! are exact draws of the stated laws; only the estimators, which see responses alone, use floating point.
//!
//! # Source
//! Wang, Blocki, Li, Jha, "Locally Differentially Private Protocols for Frequency Estimation", USENIX Security 2017:
//! direct encoding and optimised unary encoding, of which the first has less variance while the number of categories
//! is below 3 exp(epsilon) + 2.

use super::DpError;
use super::noise::{below, exp_bernoulli};
use crate::budget::Epsilon;
use crate::random::Random;

/// Units of one epsilon.
const UNITS: u128 = 1_000_000_000_000;
/// The most categories.
const CATEGORIES_MAX: usize = 1 << 32;

/// How many of the respondents hold a value, estimated without bias.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LocalEstimate {
    /// The estimate; it may be negative.
    pub count: f64,
    /// The variance of the estimate where this many hold the value; a count below 0 or above all is taken as that end.
    pub variance: f64,
}

/// k-ary randomised response: the truth with probability exp(epsilon) / (exp(epsilon) + k - 1), else one of the other
/// values, each equally likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomizedResponse {
    categories: usize,
    epsilon: Epsilon,
}

impl RandomizedResponse {
    /// For values below `categories`.
    ///
    /// # Errors
    /// Fewer than 2 categories or more than 2^32, or an epsilon of zero.
    pub fn new(categories: usize, epsilon: Epsilon) -> Result<Self, DpError> {
        checked(categories, 2, epsilon)?;
        Ok(Self { categories, epsilon })
    }

    /// A response for the value `truth`.
    ///
    /// A value is proposed uniformly; the truth is kept, any other with probability exp(-epsilon).
    ///
    /// # Errors
    /// When `truth` is not a category.
    pub fn respond<R: Random + ?Sized>(&self, truth: usize, random: &mut R) -> Result<usize, DpError> {
        category(truth, self.categories)?;
        loop {
            let value = below(self.categories as u128, random) as usize;
            // The decision is drawn for the truth too, so that the words used do not tell it.
            let kept = exp_bernoulli::<false, R>(1, self.epsilon.units(), UNITS, random);
            if kept || value == truth {
                return Ok(value);
            }
        }
    }

    /// Estimates from the number of responses of each value.
    ///
    /// # Errors
    /// When there is not one count for each category.
    pub fn estimate(&self, counts: &[u64]) -> Result<Vec<LocalEstimate>, DpError> {
        if counts.len() != self.categories {
            return Err(DpError::Candidates { needed: self.categories, found: counts.len() });
        }
        let respondents = counts.iter().map(|count| *count as f64).sum::<f64>();
        let base = 1.0 + (self.categories as f64 - 1.0) * self.ratio();
        let (p, q) = (1.0 / base, self.ratio() / base);
        let apart = -(-epsilon_of(self.epsilon)).exp_m1() / base;
        Ok(counts.iter().map(|count| estimate(*count as f64, respondents, p, q, apart)).collect())
    }

    fn ratio(&self) -> f64 {
        (-epsilon_of(self.epsilon)).exp()
    }
}

/// Optimised unary encoding: a bit for each value, that of the truth 1 with probability 1/2, any other with probability
/// 1 / (exp(epsilon) + 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnaryEncoding {
    categories: usize,
    epsilon: Epsilon,
}

impl UnaryEncoding {
    /// For values below `categories`.
    ///
    /// # Errors
    /// No category or more than 2^32, or an epsilon of zero.
    pub fn new(categories: usize, epsilon: Epsilon) -> Result<Self, DpError> {
        checked(categories, 1, epsilon)?;
        Ok(Self { categories, epsilon })
    }

    /// The bits for the value `truth`.
    ///
    /// # Errors
    /// When `truth` is not a category.
    pub fn respond<R: Random + ?Sized>(&self, truth: usize, random: &mut R) -> Result<Vec<bool>, DpError> {
        category(truth, self.categories)?;
        Ok((0..self.categories).map(|value| self.bit(value == truth, random)).collect())
    }

    /// 1/2 for the truth. Else a coin says 0, or 1 to be kept with probability a = exp(-epsilon), again until one is
    /// kept: 1 with probability a / (1 + a).
    fn bit<R: Random + ?Sized>(&self, truth: bool, random: &mut R) -> bool {
        loop {
            let coin = random.next_u64() & 1 == 1;
            if truth || !coin {
                return coin;
            }
            if exp_bernoulli::<false, R>(1, self.epsilon.units(), UNITS, random) {
                return true;
            }
        }
    }

    /// Estimates from the number of ones of each bit and the number of responses.
    ///
    /// # Errors
    /// When there is not one number for each category.
    pub fn estimate(&self, ones: &[u64], respondents: u64) -> Result<Vec<LocalEstimate>, DpError> {
        if ones.len() != self.categories {
            return Err(DpError::Candidates { needed: self.categories, found: ones.len() });
        }
        let epsilon = epsilon_of(self.epsilon);
        let q = (-epsilon).exp() / (1.0 + (-epsilon).exp());
        let apart = (epsilon / 2.0).tanh() / 2.0; // 1/2 - q
        Ok(ones.iter().map(|ones| estimate(*ones as f64, respondents as f64, 0.5, q, apart)).collect())
    }
}

/// From `found` of n responses, where holders answer so with probability p and others with q = p - apart.
fn estimate(found: f64, n: f64, p: f64, q: f64, apart: f64) -> LocalEstimate {
    let count = (found - n * q) / apart;
    let holders = count.clamp(0.0, n);
    let variance = (holders * p * (1.0 - p) + (n - holders) * q * (1.0 - q)) / (apart * apart);
    LocalEstimate { count, variance }
}

fn epsilon_of(epsilon: Epsilon) -> f64 {
    epsilon.units() as f64 / UNITS as f64
}

fn checked(categories: usize, least: usize, epsilon: Epsilon) -> Result<(), DpError> {
    if categories < least || categories > CATEGORIES_MAX {
        return Err(DpError::Categories { least, found: categories });
    }
    if epsilon == Epsilon::ZERO { Err(DpError::EpsilonZero) } else { Ok(()) }
}

/// The value itself is never told.
fn category(truth: usize, categories: usize) -> Result<(), DpError> {
    if truth < categories { Ok(()) } else { Err(DpError::NoCategory { categories }) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::RecordedRandom;

    fn epsilon(text: &str) -> Epsilon {
        Epsilon::parse(text).unwrap()
    }

    /// False alarm below 10^-6: 4.9 standard deviations.
    fn assert_share(name: &str, found: u64, of: u32, p: f64) {
        let distance = (found as f64 - p * f64::from(of)).abs();
        assert!(distance <= 4.9 * (p * (1.0 - p) * f64::from(of)).sqrt() + 1e-9, "{name}: {found} of {of}, {p}");
    }

    #[test]
    fn responses_follow_their_law() {
        let mut random = RecordedRandom::from_seed("responses_follow_their_law");
        const RUNS: u32 = 60_000;
        for (categories, text) in [(2, "0.1"), (2, "1.1"), (5, "2"), (7, "0.000001"), (3, "100")] {
            let growth = epsilon_of(epsilon(text)).exp();
            let survey = RandomizedResponse::new(categories, epsilon(text)).unwrap();
            let mut counts = vec![0; categories];
            (0..RUNS).for_each(|_| counts[survey.respond(1, &mut random).unwrap()] += 1);
            for (value, count) in counts.iter().enumerate() {
                let weight = if value == 1 { growth } else { 1.0 };
                assert_share("direct", *count, RUNS, weight / (growth + categories as f64 - 1.0));
            }
            let unary = UnaryEncoding::new(categories, epsilon(text)).unwrap();
            let mut ones = vec![0; categories];
            for _ in 0..RUNS {
                let bits = unary.respond(1, &mut random).unwrap();
                ones.iter_mut().zip(bits).for_each(|(ones, bit)| *ones += u64::from(bit));
            }
            for (value, count) in ones.iter().enumerate() {
                assert_share("unary", *count, RUNS, if value == 1 { 0.5 } else { 1.0 / (growth + 1.0) });
            }
        }
    }

    /// Over many surveys, estimates average to the truth and spread by their variance.
    #[test]
    fn estimates_are_unbiased_and_spread_as_stated() {
        let mut random = RecordedRandom::from_seed("estimates_are_unbiased_and_spread_as_stated");
        let truth = [50_u32, 30, 20];
        const SURVEYS: u32 = 2_000;
        let values = || truth.iter().enumerate().flat_map(|(value, count)| (0..*count).map(move |_| value));
        let direct = RandomizedResponse::new(3, epsilon("1")).unwrap();
        let unary = UnaryEncoding::new(3, epsilon("1")).unwrap();
        let mut sums = [[(0.0, 0.0, 0.0); 3]; 2];
        for _ in 0..SURVEYS {
            let (mut counts, mut ones) = ([0; 3], [0; 3]);
            for value in values() {
                counts[direct.respond(value, &mut random).unwrap()] += 1;
                let bits = unary.respond(value, &mut random).unwrap();
                ones.iter_mut().zip(bits).for_each(|(ones, bit)| *ones += u64::from(bit));
            }
            for (sums, estimates) in sums.iter_mut().zip([direct.estimate(&counts).unwrap(), unary.estimate(&ones, 100).unwrap()]) {
                for (sum, estimate) in sums.iter_mut().zip(estimates) {
                    *sum = (sum.0 + estimate.count, sum.1 + estimate.count.powi(2), sum.2 + estimate.variance);
                }
            }
        }
        for (value, count) in truth.iter().enumerate() {
            for sums in &sums {
                let (mean, square, stated) =
                    (sums[value].0 / f64::from(SURVEYS), sums[value].1 / f64::from(SURVEYS), sums[value].2 / f64::from(SURVEYS));
                let variance = square - mean * mean;
                assert!((mean - f64::from(*count)).abs() <= 4.9 * (stated / f64::from(SURVEYS)).sqrt(), "{value}: {mean}");
                // The spread of a variance of n nearly normal numbers: sqrt(2/n); clamping moves the stated one a little.
                assert!((variance / stated - 1.0).abs() <= 4.9 * (2.0 / f64::from(SURVEYS)).sqrt() + 0.03, "{value}: {variance} {stated}");
            }
        }
    }

    #[test]
    fn wrong_parameters_are_refused_by_name() {
        let mut random = RecordedRandom::from_seed("wrong");
        assert_eq!(RandomizedResponse::new(1, epsilon("1")), Err(DpError::Categories { least: 2, found: 1 }));
        assert_eq!(UnaryEncoding::new(0, epsilon("1")), Err(DpError::Categories { least: 1, found: 0 }));
        assert_eq!(RandomizedResponse::new(2, Epsilon::ZERO), Err(DpError::EpsilonZero));
        let survey = RandomizedResponse::new(3, epsilon("1")).unwrap();
        assert_eq!(survey.respond(3, &mut random), Err(DpError::NoCategory { categories: 3 }));
        assert_eq!(survey.estimate(&[1, 2]), Err(DpError::Candidates { needed: 3, found: 2 }));
        let none = survey.estimate(&[0, 0, 0]).unwrap();
        assert!(none.iter().all(|estimate| estimate.count == 0.0 && estimate.variance == 0.0));
    }
}
