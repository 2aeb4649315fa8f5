//! The levels that dates are cut to.

use crate::value::{DateOrder, DateText, digits};

/// How much stays of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DateLevel {
    /// `2024-02-29`: the date without a time.
    Day,
    /// `2024-02`.
    Month,
    /// `2024-Q1`.
    Quarter,
    /// `2024`.
    Year,
}

impl DateLevel {
    /// All levels, the finest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Month, Self::Quarter, Self::Year];

    /// The word of policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// From the word of policies.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// The fewest days that look alike.
    #[must_use]
    pub const fn days(self) -> u32 {
        match self {
            Self::Day => 1,
            Self::Month => 28,
            Self::Quarter => 90,
            Self::Year => 365,
        }
    }

    /// The fewest months that look alike, of dates that name no day; nothing where a day is asked for.
    #[must_use]
    pub const fn months(self) -> Option<u32> {
        match self {
            Self::Day => None,
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::Year => Some(12),
        }
    }

    /// Whether it takes the order of day and month to cut a date to it: the year is the same in every order.
    #[must_use]
    pub const fn needs_order(self) -> bool {
        !matches!(self, Self::Year)
    }

    /// Writes a date cut to the level; `false` when the date does not name the day, or the order of its column is not known.
    #[inline]
    pub(crate) fn write(self, date: &DateText<'_>, order: Option<DateOrder>, out: &mut String) -> bool {
        let (year, month) = match (self, order) {
            // A declared order decides which dates are any; without one every order has the same year.
            (Self::Year, None) => (date.year(), None),
            _ => match date.month(order) {
                Some((year, month)) => (year, Some(month)),
                None => return false,
            },
        };
        digits(year, 4, out);
        match (self, month) {
            (Self::Day, _) => {
                let Some(day) = date.day(order) else { return false };
                out.push('-');
                digits(day.month(), 2, out);
                out.push('-');
                digits(day.day(), 2, out);
            }
            (Self::Month, Some(month)) => {
                out.push('-');
                digits(month, 2, out);
            }
            (Self::Quarter, Some(month)) => {
                out.push_str("-Q");
                digits((month - 1) / 3 + 1, 1, out);
            }
            _ => {}
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::value::Day;

    fn cut(level: DateLevel, text: &str, order: Option<DateOrder>) -> Option<String> {
        let (mut scratch, mut out) = (String::new(), String::new());
        level.write(&DateText::read(text, &mut scratch).unwrap(), order, &mut out).then_some(out)
    }

    #[test]
    fn levels_are_cut_exactly() {
        for (month, quarter) in [(1, "2024-Q1"), (3, "2024-Q1"), (4, "2024-Q2"), (9, "2024-Q3"), (12, "2024-Q4")] {
            let of = |level: DateLevel| cut(level, &format!("2024-{month:02}-05"), None).unwrap();
            assert_eq!(of(DateLevel::Quarter), quarter);
            assert_eq!(of(DateLevel::Month), format!("2024-{month:02}"));
            assert_eq!((of(DateLevel::Year).as_str(), of(DateLevel::Day)), ("2024", format!("2024-{month:02}-05")));
        }
    }

    #[test]
    fn without_an_order_the_year_alone_is_known() {
        let of = |text, order| DateLevel::ALL.map(|level| cut(level, text, order));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("05/06/2024", None), [None, None, None, some("2024")]);
        assert_eq!(of("05/06/2024", Some(DateOrder::Dmy)), [some("2024-06-05"), some("2024-06"), some("2024-Q2"), some("2024")]);
        // The order is a property of the column: a date that it cannot read is none.
        assert_eq!(of("31/12/2024", Some(DateOrder::Mdy)), [None, None, None, None]);
        assert_eq!(of("2024-05", None), [None, some("2024-05"), some("2024-Q2"), some("2024")]);
    }

    #[test]
    fn the_fewest_days_and_months_of_a_level_are_counted() {
        let (mut days, mut months) = (HashMap::<String, u32>::new(), HashMap::<String, u32>::new());
        for number in Day::new(1896, 1, 1).unwrap().unix_d()..Day::new(1908, 1, 1).unwrap().unix_d() {
            let day = Day::from_unix_d(number);
            for level in DateLevel::ALL {
                let label = cut(level, &day.to_string(), None).unwrap();
                *days.entry(format!("{} {label}", level.as_str())).or_default() += 1;
                if level != DateLevel::Day && day.day() == 1 {
                    *months.entry(format!("{} {label}", level.as_str())).or_default() += 1;
                }
            }
        }
        let least = |counts: &HashMap<String, u32>, level: DateLevel| {
            counts.iter().filter(|(label, _)| label.starts_with(level.as_str())).map(|(_, count)| *count).min()
        };
        for level in DateLevel::ALL {
            assert_eq!(least(&days, level), Some(level.days()));
            assert_eq!(least(&months, level), level.months());
        }
    }
}
