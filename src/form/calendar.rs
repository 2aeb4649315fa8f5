//! Whether a cell is a date or a month of a year: those of a plausible year.

use crate::value::{DateText, Day};

/// Whether the cell is a civil date in one of the spellings of `docs/values.md`, alone or with a time of day behind it: the
/// year is between 1800 and 2199, and in some order of day and month the day exists.
#[must_use]
pub fn date(cell: &str) -> bool {
    read(cell, &mut String::new()).is_some_and(|date| date.has_day())
}

/// Whether the cell is a month of a year between 1800 and 2199 that names no day: `2024-05`, `2024/5`, `2024年5月`.
#[must_use]
pub fn year_month(cell: &str) -> bool {
    read(cell, &mut String::new()).is_some_and(|date| !date.has_day())
}

/// Longer cells are no dates; a time to the nanosecond with a zone is shorter.
const BYTES_MAX: usize = 64;

/// A date of a plausible year.
pub(crate) fn read<'a>(cell: &'a str, scratch: &'a mut String) -> Option<DateText<'a>> {
    let date = if cell.len() <= BYTES_MAX { DateText::read(cell, scratch) } else { None };
    date.filter(|date| (1800..=2199).contains(&date.year()))
}

/// `YYYYMMDD`, or with `hhmmss`, or with `hhmmss` and milliseconds: digits alone of other lengths are numbers.
pub(crate) fn compact(cell: &str) -> bool {
    matches!(cell.len(), 8 | 14 | 17) && cell.bytes().all(|byte| byte.is_ascii_digit()) && date(cell)
}

/// Whether the day exists; months and days count from 1.
pub(super) fn is_day(year: u32, month: u32, day: u32) -> bool {
    Day::new(year, month, day).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_months_of_years() {
        for valid in [
            "2024-02-29",
            "2024/2/29",
            "2024.2.29",
            "20240229",
            "2024年2月29日",
            "二〇二四年二月二十九日",
            "２０２４－０２－２９",
            "29/02/2024",
            "2/29/2024",
            "29.02.2024",
            "29 Feb 2024",
            "February 29, 2024",
            "Feb 29 2024",
            "2024-02-29 08:00",
            "2024-02-29T08:00:00.125Z",
            "2024-02-29 08:00:00+08:00",
            "2024年2月29日8时30分",
            "20240229235959",
            "1949-12-31",
        ] {
            assert!(date(valid) && !year_month(valid), "{valid}");
        }
        for valid in ["2024年02月", "2024-02", "2024/2", "二〇二四年二月"] {
            assert!(year_month(valid) && !date(valid), "{valid}");
        }
        for invalid in [
            "2023-02-29",
            "20230229",
            "2024-13-01",
            "2024-00-10",
            "2024-1/2",
            "2024-02-30",
            "1700-01-01",
            "1700-01",
            "2024-13",
            "2024-02-29 25:00",
            "31/04/2024",
            "31 Feb 2024",
            "2024年13月1日",
            "1.2.3",
            "192.168.1.1",
            "2024.12",
            "12345678",
            "2024-02-29x",
            "",
            "20240229246000",
        ] {
            assert!(!date(invalid) && !year_month(invalid), "{invalid}");
        }
        assert!(compact("20240229") && compact("20240229235959") && compact("20240229235959125"));
        assert!(!compact("202402292359591") && !compact("2024-2-9"));
    }
}
