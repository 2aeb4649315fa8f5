//! The privacy filter of sums: limit, spent, left, and whether one more charge may be made.

use super::{BudgetError, Loss};

/// A rule that says, before each adaptively chosen charge, whether it may still be made.
///
/// Sealed: every filter in the crate comes with its proof of validity under full adaptivity (promise 7).
pub trait PrivacyFilter: sealed::Sealed {
    /// Makes the charge, or leaves everything as it was.
    ///
    /// # Errors
    /// The model differs, or more would be spent than the filter guarantees.
    fn charge(&mut self, loss: &Loss) -> Result<(), BudgetError>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Balance {}
}

/// What an account may spend and has spent: the filter of sums.
///
/// For both models the guarantee of adaptively chosen charges is the sum of their parts, so that stopping before
/// the sum passes the limit is a valid filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    limit: Loss,
    spent: Loss,
}

impl Balance {
    /// A new account with this limit.
    #[must_use]
    pub const fn new(limit: Loss) -> Self {
        Self { limit, spent: Loss::zero(limit.model()) }
    }

    /// The limit, with all refills.
    #[must_use]
    pub const fn limit(&self) -> Loss {
        self.limit
    }

    /// What is spent.
    #[must_use]
    pub const fn spent(&self) -> Loss {
        self.spent
    }

    /// What is left.
    #[must_use]
    pub fn left(&self) -> Loss {
        // Invariant: spent fits in limit; only `charge` and `refill` change them.
        self.limit.checked_sub(&self.spent).unwrap_or(Loss::zero(self.limit.model()))
    }

    /// Whether the charge could be made now.
    ///
    /// # Errors
    /// As [`PrivacyFilter::charge`].
    pub fn check(&self, loss: &Loss) -> Result<(), BudgetError> {
        self.limit.checked_sub(&self.spent)?.checked_sub(loss).map(drop)
    }

    /// Raises the limit.
    ///
    /// # Errors
    /// Another model, or too large.
    pub fn refill(&mut self, more: &Loss) -> Result<(), BudgetError> {
        self.limit = self.limit.checked_add(more)?;
        Ok(())
    }

    /// Takes back a charge from which nothing was released (rule C3).
    ///
    /// # Errors
    /// Another model, or more than is spent.
    pub fn refund(&mut self, loss: &Loss) -> Result<(), BudgetError> {
        self.spent = self.spent.checked_sub(loss)?;
        Ok(())
    }
}

impl PrivacyFilter for Balance {
    fn charge(&mut self, loss: &Loss) -> Result<(), BudgetError> {
        self.check(loss)?;
        self.spent = self.spent.checked_add(loss)?;
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_last_unit_can_be_spent_and_no_more() {
        let mut balance = Balance::new(Loss::approx("1", "0").unwrap());
        for _ in 0..10 {
            balance.charge(&Loss::approx("0.1", "0").unwrap()).unwrap();
        }
        assert!(balance.left().is_zero());
        let before = balance;
        let refused = balance.charge(&Loss::approx("0.000000000001", "0").unwrap());
        assert!(matches!(refused, Err(BudgetError::Exhausted { .. })));
        assert_eq!(balance, before);
        balance.refill(&Loss::approx("0.5", "0").unwrap()).unwrap();
        assert!(balance.charge(&Loss::approx("0.5", "0").unwrap()).is_ok());
    }

    /// The filter of zCDP: rho and delta add up each for itself (Whitehouse, Ramdas, Rogers, Wu 2023), pure charges as
    /// epsilon^2 / 2.
    #[test]
    fn zcdp_charges_add_up_in_both_parts() {
        use crate::budget::{Epsilon, Model};
        let mut balance = Balance::new(Loss::zcdp("0.5", "0.000001").unwrap());
        balance.charge(&Loss::zcdp("0.375", "0.0000005").unwrap()).unwrap();
        balance.charge(&Loss::of_pure(Epsilon::parse("0.5").unwrap(), Model::Zcdp).unwrap()).unwrap();
        assert_eq!(balance.left(), Loss::zcdp("0", "0.0000005").unwrap());
        assert!(matches!(balance.charge(&Loss::zcdp("0.000000000001", "0").unwrap()), Err(BudgetError::Exhausted { .. })));
        assert!(matches!(balance.charge(&Loss::approx("0", "0").unwrap()), Err(BudgetError::Model { .. })));
        assert!(balance.charge(&Loss::zcdp("0", "0.0000005").unwrap()).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn spent_never_passes_the_limit(limit in 0u64..1000, charges in proptest::collection::vec(0u64..400, 0..20)) {
            use crate::budget::Epsilon;
            let loss = |units| Loss::pure(Epsilon::from_units(units).unwrap());
            let mut balance = Balance::new(loss(limit));
            let mut sum = 0;
            for charge in charges {
                if balance.charge(&loss(charge)).is_ok() {
                    sum += charge;
                } else {
                    proptest::prop_assert!(sum + charge > limit);
                }
                proptest::prop_assert_eq!(balance.spent(), loss(sum));
                proptest::prop_assert!(sum <= limit);
            }
        }
    }
}
