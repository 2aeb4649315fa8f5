//! Budgets of privacy loss: amounts, charges, balances, filters (隐私预算).
//!
//! Amounts are integers: epsilon and rho in units of 10^-12, delta in units of 10^-18. No amount ever passes a
//! float; a decimal finer than the unit is refused, not rounded. Every amount here is an upper bound of the true
//! loss when it is spent and a lower bound of what remains.
//!
//! Neighbouring data differ by adding or removing one privacy unit (unbounded).
//!
//! # Source
//! Rules B2, B8, E4 of `docs/rules.md`. Basic adaptive composition: Dwork and Roth 2014, theorem 3.16; that its sum is
//! a valid filter for adaptively chosen budgets: Rogers, Roth, Ullman, Vadhan 2016, theorem 3.6 (pure case);
//! Whitehouse, Ramdas, Rogers, Wu 2023 (approximate zCDP).

mod amount;
mod filter;
mod loss;
#[cfg(feature = "embedded")]
mod serialize;

#[cfg(feature = "sql")]
pub(crate) use amount::is_amount;
pub use amount::{Delta, Epsilon, Rho};
pub use filter::{Balance, PrivacyFilter};
pub use loss::{Loss, Model};

use crate::class::Class;

/// Why an amount of budget is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// Not a decimal within the limits.
    #[error(
        "{what} is a decimal from {least} to {most} with at most {digits} digits after the point, without sign, leading zero, exponent or blank, such as 0.25"
    )]
    Amount {
        /// Which amount.
        what: &'static str,
        /// The least.
        least: &'static str,
        /// The most.
        most: &'static str,
        /// The finest digit.
        digits: u8,
    },
    /// Two amounts of different models.
    #[error("the budget is in {}, the amount in {}", expected.unit(), found.unit())]
    Model {
        /// The unit of the budget.
        expected: Model,
        /// The unit of the amount.
        found: Model,
    },
    /// More than is left.
    #[error("needed {needed}, left {left}")]
    Exhausted {
        /// What the charge needs.
        needed: Loss,
        /// What is left.
        left: Loss,
    },
    /// A sum that no account can hold.
    #[error("the sum of the amounts is too large")]
    Overflow,
}

impl BudgetError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Exhausted { .. } => Class::Refused,
            Self::Amount { .. } | Self::Model { .. } | Self::Overflow => Class::BadInput,
        }
    }
}
