//! Amounts of epsilon, rho and delta: integers of a fixed unit, read from decimals and never from floats.

use std::fmt;

use super::BudgetError;
use crate::codec::stored;
use crate::id::Decimal;

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident, $what:literal, scale $scale:literal, most $most:literal ($most_text:literal)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The most.
            pub const MAX: Self = Self($most);
            /// Digits after the point in one unit.
            pub const SCALE: u8 = $scale;

            /// Reads a decimal such as `0.25`, in the one way of writing it that budgets have: digits without a leading zero, and
            /// a point with digits if wanted. Finer digits than the unit are refused.
            ///
            /// # Errors
            /// Not such a decimal, too fine, or too large.
            pub fn parse(text: &str) -> Result<Self, BudgetError> {
                let decimal = Decimal::parse(text).ok().filter(|_| is_amount(text));
                let units = decimal.and_then(|decimal| decimal.units($scale));
                units.and_then(|units| u64::try_from(units).ok()).and_then(Self::from_units).ok_or(BudgetError::Amount {
                    what: $what,
                    least: "0",
                    most: $most_text,
                    digits: $scale,
                })
            }

            /// From units, at most [`Self::MAX`].
            #[must_use]
            pub const fn from_units(units: u64) -> Option<Self> {
                if units <= $most { Some(Self(units)) } else { None }
            }

            /// The amount in units.
            #[must_use]
            pub const fn units(self) -> u64 {
                self.0
            }

            /// The sum, or nothing when it is too large.
            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).and_then(Self::from_units)
            }

            /// The difference, or nothing when `other` is larger.
            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match Decimal::new(self.0.into(), $scale) {
                    Some(decimal) => decimal.fmt(f),
                    None => Err(fmt::Error),
                }
            }
        }
    };
}

/// Whether a text is written as amounts are: `0`, `12`, `0.50`; not `+1`, `01.5`, `.5`, `1.`, `1e3` or ` 1`. What two readers
/// could take for two amounts, or a person for another one, is not read.
pub(crate) fn is_amount(text: &str) -> bool {
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole) && (whole == "0" || !whole.starts_with('0')) && part.is_none_or(are_digits)
}

amount!(
    /// The epsilon of differential privacy, in units of 10^-12, at most 10^6 (rule L6).
    Epsilon, "epsilon", scale 12, most 1_000_000_000_000_000_000 ("1000000")
);
amount!(
    /// The delta of approximate differential privacy, in units of 10^-18, at most 1.
    Delta, "delta", scale 18, most 1_000_000_000_000_000_000 ("1")
);
amount!(
    /// The rho of zero-concentrated differential privacy, in units of 10^-12, at most 10^6.
    Rho, "rho", scale 12, most 1_000_000_000_000_000_000 ("1000000")
);

stored!(Delta as u64, "units of 10^-18", |delta| delta.units(), Self::from_units, "a delta");

impl Rho {
    /// What epsilon-differential privacy costs in zCDP: epsilon^2 / 2, rounded up (Bun and Steinke 2016,
    /// proposition 1.4). Nothing when it is too large.
    #[must_use]
    pub fn of_pure(epsilon: Epsilon) -> Option<Self> {
        Self::of_square(epsilon, 2)
    }

    /// What an epsilon-bounded-range mechanism, such as the exponential mechanism, costs in zCDP: epsilon^2 / 8, rounded
    /// up (Cesar and Rogers 2021). Nothing when it is too large.
    #[must_use]
    pub fn of_bounded_range(epsilon: Epsilon) -> Option<Self> {
        Self::of_square(epsilon, 8)
    }

    fn of_square(epsilon: Epsilon, divisor: u128) -> Option<Self> {
        let square = u128::from(epsilon.units()).pow(2); // at most 10^36
        let units = square.div_ceil(divisor * 1_000_000_000_000);
        u64::try_from(units).ok().and_then(Self::from_units)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        assert_eq!(Epsilon::parse("0.2").unwrap().units(), 200_000_000_000);
        assert_eq!(Epsilon::parse("0.000000000001").unwrap().units(), 1);
        assert_eq!(Epsilon::parse("1000000").unwrap(), Epsilon::MAX);
        assert_eq!(Delta::parse("0.000001").unwrap().units(), 1_000_000_000_000);
        for (text, shown) in [("0.50", "0.5"), ("0", "0"), ("0.0", "0"), ("10", "10"), ("100.000", "100")] {
            assert_eq!(Epsilon::parse(text).unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "-1",
            "-0.1",
            "NaN",
            "inf",
            "1e-3",
            "0.0000000000001",
            "1000000.000000000001",
            "99999999999999999999999999999",
            "0,5",
            "1 ",
            " 1",
            "+1",
            "+0",
            "-0",
            "01.5",
            "00",
            "00.5",
            ".5",
            ".",
            "1.",
            "1e3",
            "1E3",
            "1.5.",
            "1_000",
            "1,000",
            "１",
        ] {
            let says = Epsilon::parse(wrong).unwrap_err().to_string();
            assert!(says.contains("epsilon is a decimal from 0 to 1000000") && says.contains("without sign"), "{wrong}: {says}");
            assert!(Rho::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["1.1", "0.0000000000000000001", "+0.1", "00.1", ".1", "1."] {
            assert!(Delta::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sums_stay_within_the_limit() {
        assert_eq!(Epsilon::MAX.checked_add(Epsilon::from_units(1).unwrap()), None);
        assert_eq!(Epsilon::ZERO.checked_sub(Epsilon::from_units(1).unwrap()), None);
    }

    #[test]
    fn what_epsilon_costs_in_rho_is_rounded_up() {
        let epsilon = |text| Epsilon::parse(text).unwrap();
        assert_eq!(Rho::of_pure(epsilon("1")), Some(Rho::parse("0.5").unwrap()));
        assert_eq!(Rho::of_bounded_range(epsilon("1")), Some(Rho::parse("0.125").unwrap()));
        assert_eq!(Rho::of_pure(epsilon("0.000000000001")), Rho::from_units(1));
        assert_eq!(Rho::of_pure(epsilon("0.000003")), Rho::from_units(5)); // 4.5
        assert_eq!(Rho::of_pure(Epsilon::ZERO), Some(Rho::ZERO));
        assert_eq!(Rho::of_pure(epsilon("1415")), Rho::parse("1001112.5").ok());
        assert_eq!(Rho::of_pure(Epsilon::MAX), None);
    }
}
