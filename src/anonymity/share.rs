//! Shares of records or subjects.

use std::fmt;

use crate::codec::stored;
use crate::id::Decimal;

/// A share in millionths, rounded up: what it states is never less than what was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueShare(u32);

const WHOLE: u32 = 1_000_000;

impl UniqueShare {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Everybody.
    pub const ALL: Self = Self(WHOLE);
    pub(super) const TWENTIETH: Self = Self(WHOLE / 20);

    /// `part` of `whole`; of nothing it is [`UniqueShare::NONE`].
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Self {
        let millionths = (u128::from(part.min(whole)) * u128::from(WHOLE)).div_ceil(u128::from(whole.max(1)));
        Self(u32::try_from(millionths).unwrap_or(WHOLE))
    }

    /// From millionths, a million at most.
    #[must_use]
    pub fn from_millionths(millionths: u64) -> Option<Self> {
        u32::try_from(millionths).ok().filter(|millionths| *millionths <= WHOLE).map(Self)
    }

    /// From a decimal between 0 and 1 of at most six places.
    #[must_use]
    pub fn from_decimal(share: Decimal) -> Option<Self> {
        share.units(6).and_then(|units| u64::try_from(units).ok()).and_then(Self::from_millionths)
    }

    /// In millionths.
    #[must_use]
    pub const fn millionths(self) -> u64 {
        self.0 as u64
    }
}

/// In per cent, with as many places as it has.
impl fmt::Display for UniqueShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        let places = format!("{rest:04}");
        match places.trim_end_matches('0') {
            "" => write!(f, "{whole} %"),
            places => write!(f, "{whole}.{places} %"),
        }
    }
}

#[cfg(feature = "embedded")]
impl serde::Serialize for UniqueShare {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / f64::from(WHOLE))
    }
}

stored!(UniqueShare as u64, "millionths", |share| share.millionths(), Self::from_millionths, "a share of at most 1,000,000 millionths");

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_never_less_than_what_was_counted() {
        for (part, whole, millionths, text) in [
            (0, 0, 0, "0 %"),
            (0, 7, 0, "0 %"),
            (1, 3, 333_334, "33.3334 %"),
            (1, u64::MAX, 1, "0.0001 %"),
            (u64::MAX, u64::MAX, 1_000_000, "100 %"),
            (1, 20, 50_000, "5 %"),
            (493, 500, 986_000, "98.6 %"),
        ] {
            let share = UniqueShare::of(part, whole);
            assert_eq!((share.millionths(), share.to_string().as_str()), (millionths, text));
        }
        assert_eq!(UniqueShare::from_decimal(Decimal::parse("0.30").unwrap()), UniqueShare::from_millionths(300_000));
        for other in ["-0.1", "1.000001", "0.0000001"] {
            assert_eq!(UniqueShare::from_decimal(Decimal::parse(other).unwrap()), None, "{other}");
        }
    }
}
