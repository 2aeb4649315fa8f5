//! Partition selection (分组发布): which groups of unknown keys may be named at all.
//!
//! A group that one unit alone can bring into being must stay unseen but for a probability of delta.
//!
//! ```
//! use usufruct::budget::{Delta, Epsilon};
//! use usufruct::dp::partition::Selector;
//! use usufruct::random::SystemRandom;
//!
//! let selector = Selector::new(Epsilon::parse("1")?, Delta::parse("0.00001")?, 1)?;
//! assert!(selector.probability(1) <= 1e-5 && selector.probability(30) == 1.0);
//! assert!(selector.keeps(30, &mut SystemRandom::bound(b"request")?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Desfontaines, Voss, Gipson, Mandayam, "Differentially private partition selection", PETS 2022, arXiv 2006.03684
//! (optimal selection); rule E1 of `docs/rules.md` for thresholds from discrete tails.
//!
//! # Not promised
//! That a kept group says nothing but its key: whoever adds a count pays for its noise.

mod threshold;

pub use threshold::{gaussian_threshold, laplace_threshold};

use super::DpError;
use crate::budget::{Delta, Epsilon};
use crate::random::Random;

/// 2^64 as a number.
const WORDS: f64 = 18_446_744_073_709_551_616.0;
/// The recursion ends before so many units, or is refused.
const UNITS_MAX: usize = 1 << 22;
/// What each step is lowered by, relatively: a few roundings of 2^-53 and an `exp` right to 2^-51.
const SLACK: f64 = 8.0 * f64::EPSILON;
/// exp of more is out of range; a smaller epsilon is always safe.
const EPSILON_MAX: f64 = 700.0;

/// The optimal rule that keeps or drops a group by the number of its units.
///
/// Neighbours: data sets that differ by adding or removing one privacy unit, which is in `groups` groups at most.
/// Guarantee: (epsilon, delta)-differential privacy of the set of kept groups; no rule keeps any group more often, but for
/// what rounding takes.
///
/// With e = exp(epsilon / groups) and d = delta / groups: p(0) = 0, and p(n) is the least of e p(n-1) + d,
/// 1 - (1 - p(n-1) - d) / e and 1. Both sides are lowered by more than rounding may have raised them, and decisions
/// follow the resulting numbers exactly.
#[derive(Clone, Debug)]
pub struct Selector {
    /// p(0), p(1), ... below 1; those above 1/2 as p - 1, so that neither end loses digits.
    probabilities: Vec<f64>,
    /// Units that a group needs before it is looked at, less one.
    skipped: u64,
}

impl Selector {
    /// The rule for units in at most `groups` groups.
    ///
    /// # Errors
    /// When epsilon or groups is zero, delta 0 or 1, or a group would need more than 2^22 units to be kept for certain.
    pub fn new(epsilon: Epsilon, delta: Delta, groups: u32) -> Result<Self, DpError> {
        if epsilon == Epsilon::ZERO {
            return Err(DpError::EpsilonZero);
        }
        if delta == Delta::ZERO || delta == Delta::MAX {
            return Err(DpError::Delta);
        }
        if groups == 0 {
            return Err(DpError::SensitivityZero);
        }
        let groups = f64::from(groups);
        Self::of(epsilon.units() as f64 / 1e12 / groups, delta.units() as f64 / 1e18 / groups)
    }

    fn of(epsilon: f64, delta: f64) -> Result<Self, DpError> {
        let epsilon = epsilon.min(EPSILON_MAX) * (1.0 - SLACK);
        let (growth, fall) = (epsilon.exp() * (1.0 - SLACK), (-epsilon).exp() * (1.0 + SLACK));
        let delta = delta * (1.0 - SLACK);
        let mut probabilities = vec![0.0];
        let (mut kept, mut missed) = (0.0_f64, 1.0_f64);
        while missed > delta {
            let rise = (growth * kept + delta) * (1.0 - SLACK);
            let rest = (missed - delta) * fall * (1.0 + SLACK);
            let before = (kept, missed);
            (kept, missed) = if rise <= 1.0 - rest { (rise, 1.0 - rise) } else { (1.0 - rest, rest) };
            // An epsilon so small that rounding eats what it allows would never end.
            if probabilities.len() == UNITS_MAX || kept <= before.0 && missed >= before.1 {
                return Err(DpError::Units);
            }
            probabilities.push(if kept <= 0.5 { kept } else { -missed });
        }
        Ok(Self { probabilities, skipped: 0 })
    }

    /// The same for groups of at least `least` units: smaller ones are never kept, larger ones as if they had
    /// `least - 1` fewer.
    #[must_use]
    pub fn from_units(self, least: u64) -> Self {
        Self { skipped: least.saturating_sub(1), ..self }
    }

    /// With which probability a group of so many units is kept.
    #[must_use]
    pub fn probability(&self, units: u64) -> f64 {
        let signed = self.signed(units);
        if signed < 0.0 { 1.0 + signed } else { signed }
    }

    /// Whether a group of so many units is kept.
    pub fn keeps<R: Random + ?Sized>(&self, units: u64, random: &mut R) -> bool {
        let signed = self.signed(units);
        if signed < 0.0 { !happens(-signed, random) } else { happens(signed, random) }
    }

    fn signed(&self, units: u64) -> f64 {
        let place = usize::try_from(units.saturating_sub(self.skipped)).unwrap_or(usize::MAX);
        self.probabilities.get(place).copied().unwrap_or(1.0)
    }
}

/// True with exactly this probability: a uniform string of bits is compared with its binary digits, a word at a time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the whole part of a number below 2^64")]
fn happens<R: Random + ?Sized>(mut probability: f64, random: &mut R) -> bool {
    loop {
        let word = random.next_u64();
        if probability >= 1.0 {
            return true;
        }
        let shifted = probability * WORDS;
        let digits = shifted as u64;
        if word != digits {
            return word < digits;
        }
        // Exact: the whole part has no more than the 53 bits of the number.
        probability = shifted - digits as f64;
        if probability == 0.0 {
            return false;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::{RecordedRandom, ScriptedRandom};

    fn assert_near(name: &str, got: f64, truth: f64, tolerance: f64) {
        assert!(got <= truth * (1.0 + 1e-6) && got >= truth * (1.0 - tolerance), "{name}: {got} for {truth}");
    }

    /// Rows P23 to P27 of the reference: never above, so that nothing is kept too often.
    #[test]
    fn public_vectors() {
        for (epsilon, delta, groups) in [(2_f64.ln(), 0.1, 1.0), (2.0 * 2_f64.ln(), 0.2, 2.0)] {
            let p23 = Selector::of(epsilon / groups, delta / groups).unwrap();
            for (units, truth) in (1..).zip([0.1, 0.3, 0.7, 0.9, 1.0]) {
                assert_near("P23", p23.probability(units), truth, 1e-9);
            }
        }
        let p24 = Selector::of(1.5_f64.ln(), 0.1).unwrap();
        for (units, truth) in (1..).zip([0.1, 0.25, 0.475, 0.716_666_666_667, 0.877_777_777_778, 0.985_185_185_185, 1.0]) {
            assert_near("P24", p24.probability(units), truth, 1e-9);
        }
        let p25 = Selector::of(50.0, 1e-200).unwrap();
        for (units, truth) in [(2, 5.184_706e-179), (5, 7.225_974e-114), (10, 2.707_178e-5), (11, 1.0)] {
            assert_near("P25", p25.probability(units), truth, 1e-6);
        }
        let p26 = Selector::of(0.5, 0.02).unwrap();
        assert_near("P26", p26.probability(6), 0.588_404_844_58, 1e-10);
        assert_near("P26", p26.probability(8), 0.868_070_806_25, 1e-10);
        let p27 = p26.from_units(5);
        assert_near("P27", p27.probability(12), 0.868_070_806_25, 1e-10);
        assert_eq!((0..5).map(|units| p27.probability(units)).sum::<f64>(), 0.0);
    }

    /// The inequalities of differential privacy between n - 1 and n units, from both ends, in both directions.
    #[test]
    fn the_rule_keeps_to_its_inequalities() {
        for (epsilon, delta) in [(0.001, 1e-9), (0.1, 1e-5), (1.0, 1e-18), (3.0, 0.3), (40.0, 1e-12)] {
            let selector = Selector::of(epsilon, delta).unwrap();
            let growth = f64::exp(epsilon);
            let both = |place: usize| match selector.probabilities.get(place).copied() {
                None => (1.0, 0.0),
                Some(signed) if signed < 0.0 => (1.0 + signed, -signed),
                Some(kept) => (kept, 1.0 - kept),
            };
            for place in 1..=selector.probabilities.len() {
                let ((less, less_missed), (kept, missed)) = (both(place - 1), both(place));
                assert!(kept <= growth * less + delta && less_missed <= growth * missed + delta, "{epsilon} {delta} at {place}");
                assert!(less <= growth * kept + delta && missed <= growth * less_missed + delta, "{epsilon} {delta} at {place}");
                // Both bounds together are met: no group could be kept more often by a relative 10^-9.
                let most = (growth * less + delta).min(1.0 - (less_missed - delta).max(0.0) / growth);
                assert!(kept >= most.min(1.0) * (1.0 - 1e-9), "{epsilon} {delta} at {place}");
            }
        }
    }

    #[test]
    fn decisions_follow_all_digits() {
        let draw = |probability: f64, words: Vec<u64>| {
            let mut random = ScriptedRandom::new(words);
            (happens(probability, &mut random), random.used())
        };
        assert_eq!(draw(0.5, vec![(1 << 63) - 1]), (true, 1));
        assert_eq!(draw(0.5, vec![1 << 63]), (false, 1));
        let small = 3.0 / WORDS / WORDS;
        assert_eq!(draw(small, vec![0, 2]), (true, 2));
        assert_eq!(draw(small, vec![0, 3]), (false, 2));
        assert_eq!(draw(small, vec![1]), (false, 1));
        assert_eq!((draw(0.0, vec![5]), draw(1.0, vec![u64::MAX])), ((false, 1), (true, 1)));
        // 4.9 standard deviations leave 10^-6.
        let selector = Selector::of(0.5, 0.02).unwrap();
        let mut random = RecordedRandom::from_seed("decisions_follow_all_digits");
        for units in [1, 6, 8] {
            let kept = (0..40_000).filter(|_| selector.keeps(units, &mut random)).count() as f64;
            let p = selector.probability(units);
            assert!((kept - 40_000.0 * p).abs() <= 4.9 * (40_000.0 * p * (1.0 - p)).sqrt(), "{units}: {kept}");
        }
    }

    #[test]
    fn wrong_parameters_are_refused_by_name() {
        let new = |epsilon: &str, delta: &str, groups| {
            Selector::new(Epsilon::parse(epsilon).unwrap(), Delta::parse(delta).unwrap(), groups).map(drop)
        };
        assert_eq!(new("0", "0.1", 1), Err(DpError::EpsilonZero));
        assert_eq!(new("1", "0", 1), Err(DpError::Delta));
        assert_eq!(new("1", "1", 1), Err(DpError::Delta));
        assert_eq!(new("1", "0.1", 0), Err(DpError::SensitivityZero));
        assert_eq!(new("0.000000000001", "0.000000000000000001", 1), Err(DpError::Units));
        assert_eq!(new("1000000", "0.000000000000000001", u32::MAX), Ok(()));
        assert_eq!(new("1000000", "0.000000000000000001", 1), Ok(()));
    }
}
