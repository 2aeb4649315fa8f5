//! Continual release (持续发布): a running count that is published every period, under one budget for its whole horizon.
//!
//! ```text
//! unit --admit (at most once a period, m times in all, b apart)--> count x_t of the open period
//!                                                                       |  close
//!      w_t = (R x)_t + z_t     integers: R public, z_t one fresh discrete Gaussian draw
//!      u_t = ( w_t - r_1 u_(t-1) - ... - r_t u_0 ) / r_0               post-processing of w, rounded to 2^-24
//!      value_t = u_0 + ... + u_t, rounded                              = x_0 + ... + x_t + noise
//!                                                                       |  sealed state kept
//!                                                                       v
//!                                                                   Released
//! ```
//! R is the square root of the matrix of ones, so that the noise of a value grows with the logarithm of the number of
//! periods only: by a [`factor`] of 3.27 over one count at 1,024 periods, where a binary tree has 10.5.
//!
//! # Why it is private
//! 1. R is rounded to integers before anything else: row t, column s holds r_(t-s), with r_0 = 2^24 and r not increasing.
//! 2. What is private is the integer vector w = R x + z. A unit changes x by 0 or 1 in each of at most m periods at least
//!    b apart, so it changes R x by at most the exact integer norm of [`CounterPlan::squared_sensitivity`]. With z discrete
//!    Gaussian at the sigma^2 of [`GaussianMechanism`](super::GaussianMechanism), w is rho-zCDP (Canonne, Kamath, Steinke,
//!    arXiv 2004.00010, theorem 4).
//! 3. It stays so when counts depend on what was released before: row t of R meets no later period, so w_t is one
//!    discrete Gaussian release of an integer that only the past decides, at a cost of (R d)_t^2 / (2 sigma^2) for a change
//!    d of the counts, and these sum to rho at most on every path (adaptive composition of zCDP: Whitehouse, Ramdas,
//!    Rogers, Wu 2023).
//! 4. u and the values are functions of w alone. That the code finds them from x and the noise v = u - x is the same
//!    arithmetic: r_0 u_t is w_t - sum r_k u_(t-k) = r_0 x_t + z_t - sum r_k v_(t-k), and rounding to 2^-24, half to even,
//!    commutes with adding the whole number x_t. So no rounding, of R or of u, is a gap in the proof; it moves the accuracy
//!    alone, and R's by less than n 2^-24 of the factor.
//!
//! The noise of a value is symmetric, hence without bias.
//!
//! ```
//! use usufruct::budget::Rho;
//! use usufruct::dp::continual::{ContinualError, Counter, CounterPlan, StateKey};
//! use usufruct::random::SystemRandom;
//!
//! let mut random = SystemRandom::new()?;
//! let key = StateKey::generate(&mut random);
//! // A year of days; whoever comes is counted on one day at most.
//! let plan = CounterPlan::new(365, 1, 1, Rho::parse("0.5")?)?;
//! let mut counter = Counter::new(plan, 1_000)?;
//!
//! assert!(counter.admit([7; 16])?);
//! assert!(!counter.admit([7; 16])?); // once is all the plan allows
//! let mut kept = Vec::new();
//! let released = counter.close(&key, 41, &mut random, |state| {
//!     kept = state.to_vec(); // to a file, durably
//!     Ok::<(), ContinualError>(())
//! })?;
//! assert_eq!(released.period, 0);
//!
//! // After a restart the value is the same, and costs nothing; at another index of the ledger nothing opens.
//! let again = Counter::open(&kept, &key, 41)?;
//! assert_eq!(again.released(0), Some(released));
//! assert_eq!(Counter::open(&kept, &key, 40).unwrap_err(), ContinualError::State);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Fichtenberger, Henzinger, Upadhyay, "Constant Matters", arXiv 2202.11205, and Henzinger, Upadhyay, Upadhyay,
//! arXiv 2211.05006 (square root of the counting matrix); Choquette-Choo et al., arXiv 2211.06530 (several participations,
//! some periods apart); rule E5 of `docs/rules.md`.
//!
//! # Not promised
//! Little memory: a counter remembers one number a period, and any that keeps this factor must (arXiv 2505.00181), and
//! one record for each unit it has seen. Values that never fall: noise may make one smaller than the one before. Constant
//! time: as for [`DiscreteGaussian`](super::DiscreteGaussian).

mod counter;
mod factor;
mod participation;
mod plan;
mod state;

pub use counter::{Counter, Released};
pub use factor::factor;
pub use participation::{HORIZON_MAX, UNITS_MAX};
pub use plan::CounterPlan;
pub use state::{STATE_BYTES_MAX, StateKey};

use super::DpError;

use crate::class::Class;

/// Why a counter cannot be made or go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContinualError {
    /// A horizon of no period, or too many.
    #[error("a horizon has 1 to {} periods, found {found}", HORIZON_MAX)]
    Horizon {
        /// How many were asked for.
        found: u32,
    },
    /// Participations that a horizon cannot have.
    #[error("a unit takes part in 1 to {horizon} of the periods, found {found}")]
    Participations {
        /// The periods.
        horizon: u32,
        /// How many were asked for.
        found: u32,
    },
    /// A separation that a horizon cannot have.
    #[error("participations are 1 to {horizon} periods apart, found {found}")]
    Separation {
        /// The periods.
        horizon: u32,
        /// What was asked for.
        found: u32,
    },
    /// Room for no unit, or too many.
    #[error("a counter has room for 1 to {} units, found {found}", UNITS_MAX)]
    Units {
        /// What was asked for.
        found: u32,
    },
    /// No noise at this rho.
    #[error(transparent)]
    Noise(#[from] DpError),
    /// Every period of the horizon is closed.
    #[error("the horizon of {horizon} periods has ended")]
    Ended {
        /// The periods.
        horizon: u32,
    },
    /// More units came than the counter has room for.
    #[error("more than {most} units came; a counter that cannot remember all of them counts no further")]
    Full {
        /// The room.
        most: u32,
    },
    /// A sealed state that does not open: another key or index, or other bytes.
    #[error("the sealed state of a counter does not open")]
    State,
}

impl ContinualError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Ended { .. } | Self::Full { .. } => Class::Refused,
            Self::State => Class::Doubt,
            _ => Class::BadInput,
        }
    }
}

#[cfg(test)]
mod tests;
