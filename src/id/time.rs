//! Points in time: whole seconds, read and written as RFC 3339.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::IdError;
use crate::codec::{CodecError, Decoder, Encoder, Field};
use crate::value::Instant;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The last second that RFC 3339 can write.
    pub const MAX: Self = Self(253_402_300_799);

    /// What the clock of this machine says: for owners and holders, who are believed about their own time. A gate looks at its
    /// clock by itself.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::from_unix_s(since.map_or(0, |since| since.as_secs()))
    }

    /// From seconds since the epoch; later than [`Time::MAX`] becomes that.
    #[must_use]
    pub const fn from_unix_s(seconds: u64) -> Self {
        if seconds > Self::MAX.0 { Self::MAX } else { Self(seconds) }
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix_s(self) -> u64 {
        self.0
    }

    /// This time plus `seconds`, at most [`Time::MAX`].
    #[must_use]
    pub const fn plus_s(self, seconds: u64) -> Self {
        Self::from_unix_s(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this time, 0 when it is not earlier.
    #[must_use]
    pub const fn since_s(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads `2030-01-01T00:00:00Z`: RFC 3339 with `Z` and whole seconds; local times are refused.
    ///
    /// # Errors
    /// Any other form, or a date that does not exist.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let instant = Instant::read_utc(text).ok_or(IdError::Time)?;
        u64::try_from(instant.unix_s()).map(Self).map_err(|_| IdError::Time)
    }
}

/// NumericDate without a tag, whole seconds (RFC 8392 section 2).
impl Field for Time {
    type Value = Self;
    const SHAPE: &'static str = "time";

    fn write(value: &Self, out: &mut Encoder) {
        out.uint(value.0);
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        let seconds = decoder.uint()?;
        if seconds > Self::MAX.0 { Err(CodecError::Value { key, expected: "a time before the year 10000" }) } else { Ok(Self(seconds)) }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At most `Time::MAX`.
        write!(f, "{}Z", Instant::from_unix(self.0.cast_signed(), 0))
    }
}

impl FromStr for Time {
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
    fn known_times_go_both_ways() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-11-22T14:15:16Z", 1_795_356_916),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(Time::parse(text).unwrap().unix_s(), seconds, "{text}");
            assert_eq!(Time::from_unix_s(seconds).to_string(), text);
        }
    }

    #[test]
    fn every_day_of_eight_centuries_goes_both_ways() {
        for day in 0..8 * 146_097 / 4 {
            let time = Time::from_unix_s(day * 86_400 + 86_399);
            assert_eq!(Time::parse(&time.to_string()).unwrap(), time);
        }
    }

    #[test]
    fn local_times_and_impossible_dates_are_refused() {
        for wrong in [
            "2030-01-01T00:00:00+01:00",
            "2030-01-01 00:00:00Z",
            "2030-02-29T00:00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-01-01T24:00:00Z",
            "2030-01-01T00:00:60Z",
            "1969-12-31T23:59:59Z",
            "2030-01-01",
            "",
        ] {
            assert!(Time::parse(wrong).is_err(), "{wrong}");
        }
    }
}
