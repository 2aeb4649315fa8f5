//! Selection (择优): the best of given candidates by a score, without saying how good it is.
//!
//! Scores are integers that one privacy unit changes by at most `sensitivity` each. Where adding a unit moves all scores
//! in one direction, as it does with counts, they are [`Change::Monotone`] and half the noise is enough.
//!
//! ```
//! use usufruct::budget::Epsilon;
//! use usufruct::dp::selection::{Change, Selection};
//! use usufruct::random::SystemRandom;
//!
//! let votes = [120, 480, 475];
//! let selection = Selection::new(1, Epsilon::parse("0.5")?, Change::Monotone)?;
//! let winner = selection.permute_and_flip(&votes, &mut SystemRandom::bound(b"request")?)?;
//! assert!(winner < votes.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Exponential mechanism: McSherry and Talwar 2007; as bounded range: Durfee and Rogers 2019, Dong, Durfee, Rogers
//! 2020. Permute-and-flip: McKenna and Sheldon, arXiv 2010.12603. Report noisy max and above threshold: Dwork and Roth
//! 2014, sections 3.3 and 3.6. All decisions are exact.
//!
//! # Not promised
//! Constant time: how long a choice takes depends on the scores. An answer leaves at a quantum of time (rule G2).

mod threshold;

pub use threshold::{AboveThreshold, ThresholdAnswer};

use super::noise::{below, exp_bernoulli};
use super::{DiscreteLaplace, DpError, LaplaceMechanism};
use crate::budget::{Epsilon, Rho};
use crate::random::Random;

/// Units of one epsilon.
const UNITS: u128 = 1_000_000_000_000;
/// Scores are clamped to this before noise is added, so that no sum overflows; clamping never adds sensitivity.
const SCORE_MAX: i128 = 1 << 120;

/// How one privacy unit may change the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adding a unit lowers no score, or raises none.
    Monotone,
    /// Some may rise while others fall.
    Any,
}

impl Change {
    /// By how many sensitivities two scores may move apart.
    pub(super) const fn apart(self) -> u64 {
        match self {
            Self::Monotone => 1,
            Self::Any => 2,
        }
    }
}

/// The parameters of a choice.
///
/// Neighbours: data sets that differ by adding or removing one privacy unit. Norm: L-infinity of the scores. Guarantee:
/// pure epsilon-differential privacy, of each draw; the exponential mechanism also has an epsilon-bounded range and costs
/// [`bounded_range_rho`](Self::bounded_range_rho) in zCDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    sensitivity: u64,
    epsilon: Epsilon,
    change: Change,
}

impl Selection {
    /// A choice at `epsilon` between scores of this sensitivity.
    ///
    /// # Errors
    /// When either is zero.
    pub fn new(sensitivity: u64, epsilon: Epsilon, change: Change) -> Result<Self, DpError> {
        if sensitivity == 0 {
            return Err(DpError::SensitivityZero);
        }
        if epsilon == Epsilon::ZERO {
            return Err(DpError::EpsilonZero);
        }
        Ok(Self { sensitivity, epsilon, change })
    }

    /// What one draw of the exponential mechanism costs in zCDP: epsilon^2 / 8, rounded up. Nothing when too large.
    #[must_use]
    pub fn bounded_range_rho(&self) -> Option<Rho> {
        Rho::of_bounded_range(self.epsilon)
    }

    /// The index of a candidate, drawn with probability proportional to exp(epsilon score / (c sensitivity)), c = 2, or 1
    /// for monotone scores.
    ///
    /// A candidate is proposed uniformly and kept with probability exp(-epsilon (best - score) / (c sensitivity)).
    ///
    /// # Errors
    /// When there is no candidate.
    pub fn exponential<R: Random + ?Sized>(&self, scores: &[i128], random: &mut R) -> Result<usize, DpError> {
        let best = best(scores.iter().copied())?;
        loop {
            let at = index(scores.len(), random);
            if self.keeps(best, scores[at], random) {
                return Ok(at);
            }
        }
    }

    /// The indices of `k` different candidates, the first drawn as by [`exponential`](Self::exponential), each further
    /// one so from those that are left.
    ///
    /// This is the law of one-shot top-k with Gumbel noise (Durfee and Rogers 2019). It costs k times epsilon,
    /// or k times [`bounded_range_rho`](Self::bounded_range_rho).
    ///
    /// # Errors
    /// When there are fewer than `k` candidates, or k is 0.
    pub fn top_k<R: Random + ?Sized>(&self, scores: &[i128], k: usize, random: &mut R) -> Result<Vec<usize>, DpError> {
        if k == 0 || scores.len() < k {
            return Err(DpError::Candidates { needed: k.max(1), found: scores.len() });
        }
        let mut left = scores.iter().copied().enumerate().collect::<Vec<_>>();
        let mut chosen = Vec::with_capacity(k);
        while chosen.len() < k {
            let best = best(left.iter().map(|(_, score)| *score))?;
            let at = loop {
                let at = index(left.len(), random);
                if self.keeps(best, left[at].1, random) {
                    break at;
                }
            };
            chosen.push(left.swap_remove(at).0);
        }
        Ok(chosen)
    }

    /// The index of a candidate by permute-and-flip: candidates are visited in random order, each kept with probability
    /// exp(-epsilon (best - score) / (c sensitivity)), c as for [`exponential`](Self::exponential), which it never falls
    /// behind in expected score.
    ///
    /// # Errors
    /// When there is no candidate.
    pub fn permute_and_flip<R: Random + ?Sized>(&self, scores: &[i128], random: &mut R) -> Result<usize, DpError> {
        let best = best(scores.iter().copied())?;
        let mut left = scores.iter().copied().enumerate().collect::<Vec<_>>();
        loop {
            let (at, score) = left.swap_remove(index(left.len(), random));
            // The best is kept for certain, so the loop ends before nothing is left.
            if self.keeps(best, score, random) {
                return Ok(at);
            }
        }
    }

    /// The index of the largest score after adding discrete Laplace noise of scale c sensitivity / epsilon to each, c as
    /// for [`exponential`](Self::exponential). Of equal noisy scores the first wins: with all other noises fixed a
    /// candidate wins from some integer noise on, whatever the rule for ties, as long as the data do not enter it.
    ///
    /// # Errors
    /// When there is no candidate, or the scale is too wide.
    pub fn noisy_max<R: Random + ?Sized>(&self, scores: &[i128], random: &mut R) -> Result<usize, DpError> {
        let apart = u128::from(self.sensitivity) * u128::from(self.change.apart());
        let noise = DiscreteLaplace::prepare(LaplaceMechanism::new(apart, self.epsilon)?.scale());
        let noisy = scores.iter().map(|score| score.clamp(&-SCORE_MAX, &SCORE_MAX).saturating_add(noise.sample(random)));
        let first_best = noisy.enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best });
        first_best.map(|(at, _)| at).ok_or(DpError::Candidates { needed: 1, found: 0 })
    }

    /// True with probability exp(-epsilon (best - score) / (c sensitivity)).
    fn keeps<R: Random + ?Sized>(&self, best: i128, score: i128, random: &mut R) -> bool {
        let unit = u128::from(self.sensitivity) * u128::from(self.change.apart()) * UNITS; // below 2^105
        exp_bernoulli::<false, R>(best.abs_diff(score), self.epsilon.units(), unit, random)
    }
}

fn best(scores: impl Iterator<Item = i128>) -> Result<i128, DpError> {
    scores.max().ok_or(DpError::Candidates { needed: 1, found: 0 })
}

/// Uniform below `length`.
fn index<R: Random + ?Sized>(length: usize, random: &mut R) -> usize {
    below(length as u128, random) as usize
}

#[cfg(test)]
mod tests;
