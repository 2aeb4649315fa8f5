//! Exact decimals.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::IdError;
use crate::codec::{Text, stored};
#[cfg(feature = "records")]
use crate::value::Number;
use crate::value::{DIGITS_MAX, Exact, Profile};

/// An exact decimal number, `mantissa * 10^-scale`, in lowest terms: no trailing zeros after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i128,
    scale: u8,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };
    /// The most digits that are read; 10^38 is the largest power of ten in an `i128`.
    pub const DIGITS_MAX: usize = DIGITS_MAX as usize;
    const WRONG: IdError = IdError::Decimal { most: Self::DIGITS_MAX };

    /// `mantissa * 10^-scale`, or nothing when `scale` is above 38.
    #[must_use]
    pub fn new(mut mantissa: i128, mut scale: u8) -> Option<Self> {
        if usize::from(scale) > Self::DIGITS_MAX {
            return None;
        }
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Some(Self { mantissa, scale })
    }

    /// The digits without the point.
    #[must_use]
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// How many of them stand after the point.
    #[must_use]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Reads an optional sign, digits, and an optional point with digits; no exponent, no blanks.
    ///
    /// # Errors
    /// Any other form, or more than 38 digits.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        Self::read(text, Profile::DECIMAL)
    }

    /// Reads a number as a profile spells it.
    pub(crate) fn read(text: &str, profile: Profile) -> Result<Self, IdError> {
        let (mantissa, scale) = Exact::read(text.as_bytes(), profile).ok().and_then(Exact::scaled).ok_or(Self::WRONG)?;
        Ok(Self { mantissa, scale })
    }

    /// The number in units of `10^-scale`, or nothing when it is not a whole number of them or does not fit.
    #[must_use]
    pub fn units(self, scale: u8) -> Option<i128> {
        let up = scale.checked_sub(self.scale)?;
        self.mantissa.checked_mul(10i128.checked_pow(up.into())?)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        // Whole parts decide first; the fractions then have at most 38 digits and fit when scaled alike.
        let split = |number: &Self| {
            let unit = 10i128.pow(number.scale.into());
            (number.mantissa.div_euclid(unit), number.mantissa.rem_euclid(unit))
        };
        let ((whole, part), (other_whole, other_part)) = (split(self), split(other));
        whole.cmp(&other_whole).then_with(|| {
            let scale = self.scale.max(other.scale);
            (part * 10i128.pow((scale - self.scale).into())).cmp(&(other_part * 10i128.pow((scale - other.scale).into())))
        })
    }
}

// One encoding: the text that it is printed as.
stored!(
    Decimal as Text<64>,
    "decimal",
    |number| number.to_string(),
    |text| Self::parse(&text).ok().filter(|number| number.to_string() == text),
    "a decimal in lowest terms"
);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", self.mantissa.unsigned_abs(), width = scale + 1);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let (whole, part) = digits.split_at(digits.len() - scale);
        if part.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{part}") }
    }
}

#[cfg(feature = "records")]
impl From<Decimal> for Number {
    fn from(number: Decimal) -> Self {
        Self { mantissa: number.mantissa, scale: number.scale }
    }
}

impl FromStr for Decimal {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly_and_written_in_lowest_terms() {
        for (text, written) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("+12.50", "12.5"),
            ("0012", "12"),
            ("-0.05", "-0.05"),
            ("100", "100"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
            ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
        ] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), written);
        }
        for wrong in
            ["", "-", ".5", "5.", "1e3", "1_000", " 1", "1 ", "0x1", "NaN", "inf", "1.2.3", "٣", "999999999999999999999999999999999999999"]
        {
            assert!(Decimal::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn order_is_numeric() {
        let sorted = [
            "-99999999999999999999999999999999999999",
            "-1.5",
            "-1.25",
            "-1",
            "0",
            "0.00000000000000000000000000000000000001",
            "0.1",
            "0.11",
            "1",
            "10",
            "99999999999999999999999999999999999999",
        ];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(Decimal::parse(a).unwrap().cmp(&Decimal::parse(b).unwrap()), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn units_are_whole_or_nothing() {
        assert_eq!(Decimal::parse("0.25").unwrap().units(3), Some(250));
        assert_eq!(Decimal::parse("0.25").unwrap().units(1), None);
        assert_eq!(Decimal::new(i128::MAX, 0).unwrap().units(1), None);
    }
}
