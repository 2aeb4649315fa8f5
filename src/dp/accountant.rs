//! Accountants: what a mechanism or a fixed plan of mechanisms costs, always as an upper bound.
//!
//! ```text
//! zcdp         rho <-> (epsilon, delta), what a ledger of rho is worth
//! composition  equal (epsilon, delta) mechanisms of which nothing else is known, optimally
//! plan         one (epsilon, delta) for a fixed sequence of steps, sampled ones too
//! ```
//! Every answer errs against the spender: a loss is rounded up, an allowance down. Floating point is used with slacks
//! that are stated where they are added; they assume that the platform's `exp`, `ln` and `ln_1p` are right to 2^-51 of
//! their value. Amounts that are charged are integers again, rounded outward.
//!
//! ```
//! use usufruct::budget::{Delta, Epsilon};
//! use usufruct::dp::accountant::zcdp;
//!
//! let rho = zcdp::largest_rho(Epsilon::parse("1")?, Delta::parse("0.000001")?)?;
//! assert!(zcdp::epsilon_of(rho, Delta::parse("0.000001")?)? <= Epsilon::parse("1")?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Rules E1 and E4 of `DESIGN.md`; each module names its papers.
//!
//! # Not promised
//! That a plan's account may be used as a stop rule: it holds for sequences fixed beforehand. Adaptive use is what
//! [`PrivacyFilter`](crate::budget::PrivacyFilter) is for.

pub mod composition;
pub mod continuous;
pub mod plan;
pub mod rdp;
pub mod zcdp;

/// Units of a delta of one.
const DELTA_UNITS: f64 = 1e18;

/// Why an accountant gives no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountantError {
    /// Not a number, negative or without bound.
    #[error("{what} is a finite number of at least 0")]
    Parameter {
        /// Which.
        what: &'static str,
    },
    /// A delta outside the open interval.
    #[error("a delta above 0 and below 1 is needed")]
    Delta,
    /// No amount is large enough, or none small enough.
    #[error("no {what} within the limits does that")]
    Limit {
        /// Of what.
        what: &'static str,
    },
}

/// `value`, if it is a finite number of at least 0.
fn finite(value: f64, what: &'static str) -> Result<f64, AccountantError> {
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err(AccountantError::Parameter { what }) }
}

/// `value`, if it is above 0 and below 1.
fn open_unit(value: f64) -> Result<f64, AccountantError> {
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err(AccountantError::Delta) }
}

/// Units of 10^-12 as a number, not above the truth: two roundings, of 2^-53 each, are undone.
fn down(units: u64, scale: f64) -> f64 {
    let value = units as f64 / scale;
    if units == 0 { 0.0 } else { value.next_down().next_down() }
}

/// Units as a number, not below the truth.
fn up(units: u64, scale: f64) -> f64 {
    let value = units as f64 / scale;
    if units == 0 { 0.0 } else { value.next_up().next_up() }
}
