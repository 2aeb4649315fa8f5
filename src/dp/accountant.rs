//! Accountants: what a mechanism or a fixed plan of mechanisms costs, always as an upper bound.
//!
//! ```text
//! zcdp         rho <-> (epsilon, delta), what a ledger of rho is worth
//! composition  equal (epsilon, delta) mechanisms of which nothing else is known, optimally
//! plan         one (epsilon, delta) for a fixed sequence of steps, sampled ones too, from their mass functions
//! reference    Rényi divergences and continuous laws: to compare with, off the way of an answer
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
//! Rules E1 and E4 of `docs/rules.md`; each module names its papers.
//!
//! # Not promised
//! That a plan's account may be used as a stop rule: it holds for sequences fixed beforehand. Adaptive use is what
//! [`PrivacyFilter`](crate::budget::PrivacyFilter) is for. A plan is none, and no type outside the crate can be:
//! ```compile_fail,E0277
//! use usufruct::budget::PrivacyFilter;
//! use usufruct::dp::accountant::plan::CompositionPlan;
//!
//! fn stop_rule(_: impl PrivacyFilter) {}
//! stop_rule(CompositionPlan::new());
//! ```
//! ```compile_fail,E0277
//! use usufruct::budget::{BudgetError, Loss, PrivacyFilter};
//! use usufruct::dp::accountant::plan::CompositionPlan;
//!
//! struct Mine(CompositionPlan);
//! impl PrivacyFilter for Mine {
//!     fn charge(&mut self, _: &Loss) -> Result<(), BudgetError> {
//!         Ok(())
//!     }
//! }
//! ```
//! Nor does a filter become a plan; a plan enters it sealed, as one charge:
//! ```compile_fail,E0277
//! use usufruct::budget::Balance;
//! use usufruct::dp::accountant::plan::CompositionPlan;
//!
//! fn plan_of(filter: Balance) -> CompositionPlan {
//!     filter.into()
//! }
//! ```
//! ```
//! use usufruct::budget::{Balance, Delta, Loss, PrivacyFilter};
//! use usufruct::dp::Scale;
//! use usufruct::dp::accountant::plan::{CompositionPlan, CompositionStep};
//!
//! let mut plan = CompositionPlan::new();
//! plan.add(CompositionStep::laplace(Scale::new(20, 1)?, 1)?, 100)?;
//! let mut filter = Balance::new(Loss::approx("3", "0.00001")?);
//! filter.charge(&plan.seal(Delta::parse("0.000001")?)?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod composition;
pub mod plan;
pub mod reference;
pub mod zcdp;

use crate::class::Class;

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

impl AccountantError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    /// `docs/dp-vectors.md` names a test for every public vector, and each of those tests exists.
    #[test]
    fn every_public_vector_has_its_test() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let table = std::fs::read_to_string(root.join("docs/dp-vectors.md")).unwrap();
        for row in 1..=40 {
            let line = table.lines().find(|line| line.starts_with(&format!("| P{row} |")));
            let line = line.unwrap_or_else(|| panic!("P{row} has no line"));
            let tests = line.split('`').filter_map(|name| name.split_once("::")).collect::<Vec<_>>();
            assert!(!tests.is_empty(), "P{row} names no test");
            for (file, test) in tests {
                let source = std::fs::read_to_string(root.join("src/dp").join(file)).unwrap_or_else(|_| panic!("P{row}: {file}"));
                assert!(source.contains(&format!("fn {test}()")), "P{row}: {file} has no {test}");
                assert!(source.contains(&format!("P{row}")) || source.contains("Rows P"), "P{row}: {file} does not say so");
            }
        }
    }
}
