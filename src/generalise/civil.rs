//! Days of the proleptic Gregorian calendar, years 1 to 9999.

/// A day that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day {
    pub(crate) year: u32,
    pub(crate) month: u32,
    pub(crate) day: u32,
}

const YEAR_MAX: u32 = 9999;
/// Days of 400 years.
const ERA: u32 = 146_097;

impl Day {
    pub(crate) fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let exists = (1..=YEAR_MAX).contains(&year) && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// Days since 1 March of year 0, so that a leap day is the last of its year.
    fn number(self) -> u32 {
        let (year, month) = if self.month > 2 { (self.year, self.month - 3) } else { (self.year - 1, self.month + 9) };
        let of_year = (153 * month + 2) / 5 + self.day - 1;
        year / 400 * ERA + year % 400 * 365 + year % 400 / 4 - year % 400 / 100 + of_year
    }

    fn of_number(number: u32) -> Option<Self> {
        let (era, of_era) = (number / ERA, number % ERA);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let (year, month) = (era * 400 + year, month);
        if month < 10 { Self::new(year, month + 3, day) } else { Self::new(year + 1, month - 9, day) }
    }

    /// So many days later, if that is in the years 1 to 9999.
    pub(crate) fn plus(self, days: i32) -> Option<Self> {
        self.number().checked_add_signed(days).and_then(Self::of_number)
    }
}

/// The days of a month, 1 to 12.
pub(crate) const fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_day_follows_the_one_before_it() {
        let mut today = Day::new(1, 1, 1).unwrap();
        for year in 1..=YEAR_MAX {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(Day::new(year, month, day), Some(today));
                    let Some(next) = today.plus(1) else {
                        assert_eq!((year, month, day), (9999, 12, 31));
                        return;
                    };
                    assert_eq!(next.plus(-1), Some(today));
                    today = next;
                }
            }
        }
    }

    #[test]
    fn days_that_no_calendar_has_do_not_exist() {
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31), (2024, 1, 0), (0, 1, 1), (10_000, 1, 1)]
        {
            assert_eq!(Day::new(year, month, day), None);
        }
        assert!(Day::new(2000, 2, 29).is_some());
        assert_eq!(Day::new(1, 1, 1).unwrap().plus(-1), None);
        assert_eq!(Day::new(1, 1, 1).unwrap().plus(i32::MIN), None);
        assert_eq!(Day::new(9999, 12, 31).unwrap().plus(i32::MAX), None);
    }
}
