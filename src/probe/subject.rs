//! What is probed: a mechanism, the exact values it hides, and what it claims.

use crate::budget::Loss;
use crate::dp::{Scale, SigmaSquared};
use crate::random::Random;

/// What is probed: a mechanism with its claims.
pub trait Subject {
    /// What it runs on.
    type Data;

    /// Its steps in the order in which they draw randomness, with the exact values they have on `data`.
    ///
    /// The exact values of a step stand in one layout for all data, so that they can be compared.
    fn steps(&self, data: &Self::Data) -> Vec<Claim>;

    /// Everything that leaves, in one layout for all data: for each step with noise as many numbers as it has exact values,
    /// then whatever else. Nothing at a place where nothing leaves, and at all places, or no place at all, when it refuses.
    fn release(&self, data: &Self::Data, random: &mut dyn Random) -> Vec<Option<i128>>;

    /// What a release costs.
    fn claimed(&self) -> Loss;
}

/// What a step claims, and its exact values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What it is called in findings.
    pub name: String,
    /// What it costs.
    pub share: Loss,
    /// The most that the exact values of neighbours differ, in L1.
    pub sensitivity: u128,
    /// The square of the most that they differ in L2; nothing where it is beyond 128 bits, or not claimed.
    pub squared_sensitivity: Option<u128>,
    /// Where not all values leave: which the sensitivities are of.
    pub chosen: Option<Chosen>,
    /// What happens to them.
    pub noise: Noise,
    /// The exact values.
    pub exact: Vec<i128>,
}

/// Of many groups of values only a few leave, whichever: the sensitivities are of those that differ most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// How many leave.
    pub groups: usize,
    /// How many values a group has.
    pub slots: usize,
}

/// What happens to the exact values of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Noise {
    /// Discrete Laplace noise of this scale is added to each.
    Laplace(Scale),
    /// Discrete Gaussian noise is added to each.
    Gaussian(SigmaSquared),
    /// Discrete Laplace noise cut to -bound <= y < bound is added to each.
    Bounded {
        /// The scale.
        scale: Scale,
        /// The bound.
        bound: i128,
    },
    /// They are chosen from, or answered at random: what leaves is not a sum, and only the distinguishing test sees it.
    Choice,
}

impl Claim {
    /// A claim on an L1 sensitivity.
    #[must_use]
    pub fn new(name: &str, share: Loss, sensitivity: u128, noise: Noise, exact: Vec<i128>) -> Self {
        Self { name: name.to_owned(), share, sensitivity, squared_sensitivity: None, chosen: None, noise, exact }
    }

    /// The same, and one on the square of the L2 sensitivity.
    #[must_use]
    pub fn with_squared(self, squared_sensitivity: u128) -> Self {
        Self { squared_sensitivity: Some(squared_sensitivity), ..self }
    }

    /// Whether noise is added to each value.
    pub(super) const fn is_noise(&self) -> bool {
        !matches!(self.noise, Noise::Choice)
    }
}
