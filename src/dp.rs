//! Differential privacy (差分隐私): exact integer noise, mechanisms, intervals.
//!
//! ```text
//! sensitivity, epsilon -> LaplaceMechanism  -> Scale        (a reduced fraction) -> DiscreteLaplace  -> integer noise
//! sensitivity, rho     -> GaussianMechanism -> SigmaSquared (a reduced fraction) -> DiscreteGaussian -> integer noise
//!                                                    \-> interval: what the noise law says about the truth
//! ```
//!
//! Everything that touches data is an integer: a value is a number of grid steps, noise is added on the same grid,
//! and its law is the one that was accounted for. Floating point occurs only in the widths of some intervals, where
//! it is rounded outward by a stated slack.
//!
//! ```
//! use usufruct::budget::Epsilon;
//! use usufruct::dp::{LaplaceMechanism, interval};
//! use usufruct::random::SystemRandom;
//!
//! let mechanism = LaplaceMechanism::new(1, Epsilon::parse("0.2")?)?; // a count at epsilon 0.2
//! let mut random = SystemRandom::bound(b"request")?;
//! let count = mechanism.release(32_561, &mut random);
//! let interval = interval::laplace(mechanism.scale()).around(count);
//! assert!(interval.low <= count && count <= interval.high);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Canonne, Kamath, Steinke, arXiv 2004.00010; rules D4, E and F of `docs/rules.md`.
//!
//! # Not promised
//! Constant time: see [`DiscreteLaplace`]; [`BoundedLaplace`] does the same work whatever it draws, at a delta.

mod bounded;
mod law;
mod mechanism;
mod noise;

pub mod accountant;
pub mod continual;
pub mod interval;
pub mod local;
pub mod partition;
pub mod quantile;
pub mod range;
pub mod selection;

pub use bounded::BoundedLaplaceMechanism;
pub use law::Law;
pub use mechanism::{GaussianMechanism, LaplaceMechanism};
pub use noise::{BoundedLaplace, DiscreteGaussian, DiscreteLaplace, Scale, SigmaSquared};

use crate::class::Class;

/// Why a mechanism or its noise cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpError {
    /// A part of a scale is zero.
    #[error("a noise scale needs a numerator and a denominator above zero")]
    ScaleZero,
    /// A part of a scale is too large.
    #[error("a noise scale needs numerator and denominator below 2^126 after reduction, found {bits} bits")]
    ScaleLimit {
        /// Bits of the larger part.
        bits: u32,
    },
    /// A sensitivity of zero: nothing to protect, and no noise would be added.
    #[error("a sensitivity is at least one grid step, found 0")]
    SensitivityZero,
    /// An epsilon of zero needs noise without end.
    #[error("an epsilon above zero is needed, found 0")]
    EpsilonZero,
    /// A rho of zero needs noise without end.
    #[error("a rho above zero is needed, found 0")]
    RhoZero,
    /// A delta that is 0 or 1.
    #[error("a delta above 0 and below 1 is needed")]
    Delta,
    /// No range of noise keeps to the delta.
    #[error("no noise within 2^120 grid steps keeps to this delta at this epsilon and sensitivity")]
    Range,
    /// Epsilon and delta so small that no group is kept for certain within the limit.
    #[error("at this epsilon and delta a group would need more than 2^22 units to be kept for certain")]
    Units,
    /// A threshold beyond what is counted.
    #[error("no threshold up to 2^52 keeps to this delta at this noise")]
    Threshold,
    /// Too few candidates, or counts, for what is asked.
    #[error("{needed} needed, found {found}")]
    Candidates {
        /// The least.
        needed: usize,
        /// What was given.
        found: usize,
    },
    /// Too few or too many categories.
    #[error("from {least} to 2^32 categories are needed, found {found}")]
    Categories {
        /// The least.
        least: usize,
        /// What was given.
        found: usize,
    },
    /// A value that is no category.
    #[error("a category below {categories} is needed")]
    NoCategory {
        /// How many there are.
        categories: usize,
    },
    /// The bounds of a mean are out of order or too large.
    #[error("a mean needs low <= centre <= high, all below 2^100 in magnitude")]
    Bounds,
    /// The bounds of a variance are out of order or too far apart.
    #[error("a variance needs low <= centre <= high, less than 2^53 grid steps apart")]
    Spread,
    /// A fraction that is no rank.
    #[error("a rank is a fraction from 0 to 1 with a denominator from 1 to 2^20")]
    Rank,
    /// More rows of one unit than a choice of quantiles counts with.
    #[error("a privacy unit of at most 2^20 rows is needed, found {found}")]
    Rows {
        /// What was given.
        found: u64,
    },
}

impl DpError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
