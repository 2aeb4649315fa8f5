//! The scale of a discrete Laplace law: a reduced fraction within the limits of the sampler.

use std::fmt;

use crate::dp::DpError;

/// Numerator and denominator of a scale stay below this, so that sums of two fit 128 bits with room (rule E2).
const LIMIT: u128 = 1 << 126;

/// The scale t/s of a discrete Laplace law as a reduced fraction: P(y) is proportional to exp(-|y| s/t).
///
/// Invariant: both parts are positive, coprime and below 2^126; only [`Scale::new`] makes one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scale {
    numerator: u128,
    denominator: u128,
}

impl Scale {
    /// The scale 1.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// The scale `numerator / denominator`, reduced.
    ///
    /// # Errors
    /// [`DpError::ScaleZero`] when a part is zero, [`DpError::ScaleLimit`] when a reduced part is not below 2^126.
    pub fn new(numerator: u128, denominator: u128) -> Result<Self, DpError> {
        if numerator == 0 || denominator == 0 {
            return Err(DpError::ScaleZero);
        }
        let common = gcd(numerator, denominator);
        let scale = Self { numerator: numerator / common, denominator: denominator / common };
        let bits = 128 - scale.numerator.max(scale.denominator).leading_zeros();
        if scale.numerator < LIMIT && scale.denominator < LIMIT { Ok(scale) } else { Err(DpError::ScaleLimit { bits }) }
    }

    /// The numerator t.
    #[must_use]
    pub fn numerator(&self) -> u128 {
        self.numerator
    }

    /// The denominator s.
    #[must_use]
    pub fn denominator(&self) -> u128 {
        self.denominator
    }

    /// Both parts, if the fast path takes them: below 2^63.
    pub(in crate::dp) fn narrow(&self) -> Option<(u64, u64)> {
        let part = |value| u64::try_from(value).ok().filter(|part| part >> 63 == 0);
        Some((part(self.numerator)?, part(self.denominator)?))
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl fmt::Debug for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scale({self})")
    }
}

pub(in crate::dp) fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn is_reduced() {
        let scale = Scale::new(6 << 100, 4 << 100).unwrap();
        assert_eq!((scale.numerator(), scale.denominator(), scale.narrow()), (3, 2, Some((3, 2))));
        assert_eq!(format!("{scale} {scale:?}"), "3/2 Scale(3/2)");
    }

    #[test]
    fn limits_are_refused_by_name() {
        assert_eq!(Scale::new(0, 1), Err(DpError::ScaleZero));
        assert_eq!(Scale::new(1, 0), Err(DpError::ScaleZero));
        assert!(Scale::new(LIMIT - 1, 1).is_ok() && Scale::new(1, LIMIT - 1).is_ok());
        assert_eq!(Scale::new(LIMIT, 1), Err(DpError::ScaleLimit { bits: 127 }));
        assert_eq!(Scale::new(1, LIMIT), Err(DpError::ScaleLimit { bits: 127 }));
        assert_eq!(
            Scale::new(u128::MAX, 2).unwrap_err().to_string(),
            "a noise scale needs numerator and denominator below 2^126 after reduction, found 128 bits"
        );
        assert_eq!(Scale::new((1 << 63) - 1, 1).unwrap().narrow(), Some(((1 << 63) - 1, 1)));
        assert_eq!(Scale::new(1 << 63, 1).unwrap().narrow(), None);
    }
}
