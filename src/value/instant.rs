//! Points in time, read and written as everything of ours is (RFC 3339).

use std::fmt;

use super::Day;

/// A point in time without leap seconds (POSIX), to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    day: Day,
    /// Of the day, below 86,400.
    second: u32,
    nano: u32,
}

const DAY_S: i64 = 86_400;

impl Instant {
    /// From seconds since the epoch and nanoseconds behind them.
    pub(crate) fn from_unix(seconds: i64, nano: u32) -> Self {
        let second = u32::try_from(seconds.rem_euclid(DAY_S)).unwrap_or(0);
        Self { day: Day::from_unix_d(seconds.div_euclid(DAY_S)), second, nano }
    }

    /// Reads `2030-01-01T00:00:00Z`: RFC 3339 with `Z` and whole seconds, as everything of ours is written.
    pub(crate) fn read_utc(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let shape = b"0000-00-00T00:00:00Z";
        let fits = bytes.len() == shape.len()
            && bytes.iter().zip(shape).all(|(&byte, &form)| if form == b'0' { byte.is_ascii_digit() } else { byte == form });
        if !fits {
            return None;
        }
        let number = |from: usize, to: usize| bytes[from..to].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
        let day = Day::new(number(0, 4), number(5, 7), number(8, 10))?;
        (hour < 24 && minute < 60 && second < 60).then_some(Self { day, second: (hour * 60 + minute) * 60 + second, nano: 0 })
    }

    /// Whole seconds since the epoch.
    pub(crate) fn unix_s(self) -> i64 {
        self.day.unix_d().saturating_mul(DAY_S).saturating_add(self.second.into())
    }
}

/// `2024-02-29T12:34:56.120`, without a zone.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T", self.day)?;
        write_time_of_day(self.second.into(), self.nano, f)
    }
}

/// `12:34:56`, with a fraction of 3, 6 or 9 digits if there is one.
pub(crate) fn write_time_of_day(second: i64, nano: u32, f: &mut impl fmt::Write) -> fmt::Result {
    write!(f, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
    match nano {
        0 => Ok(()),
        _ if nano.is_multiple_of(1_000_000) => write!(f, ".{:03}", nano / 1_000_000),
        _ if nano.is_multiple_of(1_000) => write!(f, ".{:06}", nano / 1_000),
        _ => write!(f, ".{nano:09}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn instants_go_both_ways() {
        for (seconds, nano, text) in [
            (0, 0, "1970-01-01T00:00:00"),
            (-1, 999_000_000, "1969-12-31T23:59:59.999"),
            (1_709_210_096, 120_000, "2024-02-29T12:34:56.000120"),
            (1_709_210_096, 120_000_001, "2024-02-29T12:34:56.120000001"),
        ] {
            let instant = Instant::from_unix(seconds, nano);
            assert_eq!((instant.to_string().as_str(), instant.unix_s()), (text, seconds));
            if nano == 0 {
                assert_eq!(Instant::read_utc(&format!("{text}Z")), Some(instant));
            }
        }
        for extreme in [i64::MIN, i64::MAX] {
            assert!(Instant::from_unix(extreme, 0).to_string().len() > 20);
        }
    }

    #[test]
    fn other_forms_are_not_of_ours() {
        for text in [
            "2030-01-01T00:00:00+00:00",
            "2030-01-01 00:00:00Z",
            "2030-01-01T00:00:00.0Z",
            "2030-01-01T00:00:60Z",
            "2030-01-01T24:00:00Z",
            "2030-02-29T00:00:00Z",
            "2030-1-01T00:00:00Z",
            "２030-01-01T00:00Z",
            "",
        ] {
            assert_eq!(Instant::read_utc(text), None, "{text}");
        }
    }
}
