//! Days of the proleptic Gregorian calendar, and their count from 1970 on.

use std::fmt;

/// A day that exists in the proleptic Gregorian calendar; the year before 1 is 0 (ISO 8601-1, 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day {
    year: i64,
    month: u32,
    day: u32,
}

/// Days of 400 years.
const ERA_D: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01. Years are counted from March, so that a leap day is the last of its year.
const MARCH_0_D: i64 = 719_468;

impl Day {
    pub(crate) fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let exists = (1..=12).contains(&month) && day >= 1 && day <= Self::days_of(year, month);
        exists.then_some(Self { year: year.into(), month, day })
    }

    /// How many days a month of 1 to 12 has.
    pub(crate) const fn days_of(year: u32, month: u32) -> u32 {
        match month {
            2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    #[cfg(feature = "records")]
    pub(crate) const fn year(self) -> i64 {
        self.year
    }

    #[cfg(feature = "records")]
    pub(crate) const fn month(self) -> u32 {
        self.month
    }

    /// The day of the month.
    #[cfg(feature = "records")]
    pub(crate) const fn day(self) -> u32 {
        self.day
    }

    /// Days since 1970-01-01.
    pub(crate) fn unix_d(self) -> i64 {
        let (year, month) = if self.month > 2 { (self.year, self.month - 3) } else { (self.year - 1, self.month + 9) };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        // Months from March on have 31, 30, 31, 30, 31 days, twice and a bit: 153 days in five of them.
        let of_year = i64::from((153 * month + 2) / 5 + self.day - 1);
        era * ERA_D + of_era * 365 + of_era / 4 - of_era / 100 + of_year - MARCH_0_D
    }

    /// The day so many days after 1970-01-01; those beyond 2^62 are held there.
    pub(crate) fn from_unix_d(days: i64) -> Self {
        let since = days.clamp(-(1 << 62), 1 << 62) + MARCH_0_D;
        let (era, of_era) = (since.div_euclid(ERA_D), since.rem_euclid(ERA_D));
        // Of 1,461 days one is a leap day, of 36,525 one is not, of 146,097 one is again.
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA_D - 1)) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let small = |number: i64| u32::try_from(number).unwrap_or(1);
        Self { year: era * 400 + year + i64::from(month <= 2), month: small(month), day: small(day) }
    }
}

/// `2024-02-29`; years that are not of four digits have a sign, as ISO 8601 wants.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day } = self;
        match year {
            0..=9999 => write!(f, "{year:04}-{month:02}-{day:02}"),
            _ => write!(f, "{year:+05}-{month:02}-{day:02}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The number of every day of 8,000 years, counted one by one.
    #[test]
    fn every_day_follows_the_one_before_it() {
        let mut number = Day::new(0, 1, 1).unwrap().unix_d();
        assert_eq!(number, -719_528);
        for year in 0..8_000 {
            // The rule itself: every fourth year, but of every hundredth only every fourth.
            let leap = if year % 100 == 0 { year / 100 % 4 == 0 } else { year % 4 == 0 };
            let months = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, days) in (1..).zip(months) {
                assert_eq!(Day::new(year, month, days + 1), None);
                for day in 1..=days {
                    let today = Day::new(year, month, day).unwrap();
                    assert_eq!((today.unix_d(), Day::from_unix_d(number)), (number, today));
                    number += 1;
                }
            }
        }
    }

    #[test]
    fn days_before_the_year_0_repeat_those_400_years_later() {
        for days in 0..ERA_D {
            let (early, late) = (Day::from_unix_d(days - 10 * ERA_D), Day::from_unix_d(days));
            assert_eq!((early.year + 4_000, early.month, early.day), (late.year, late.month, late.day));
            assert_eq!(early.unix_d(), days - 10 * ERA_D);
        }
    }

    #[test]
    fn days_that_no_calendar_has_do_not_exist() {
        for (year, month, day) in [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (2024, 1, 0), (2024, 1, 32)] {
            assert_eq!(Day::new(year, month, day), None);
        }
        assert!(Day::new(2000, 2, 29).is_some());
        for days in [i64::MIN, i64::MAX] {
            assert!((1..=31).contains(&Day::from_unix_d(days).day));
        }
    }

    #[test]
    fn days_are_written_as_iso_8601() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_897, "+10000-01-01"),
        ] {
            assert_eq!(Day::from_unix_d(days).to_string(), expected);
        }
    }
}
