//! Whether a cell is a date: forms, ranges, days that exist.

use super::{digit, number};

/// Whether the cell is a civil date: year first with dashes, slashes, points, 年月日 or nothing between, or year last, or with
/// an English month; a year with a month alone; a time of day may follow. The year is between 1800 and 2199, the day exists.
#[must_use]
pub fn date(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    if bytes.len() < 6 || bytes.len() > 40 {
        return false;
    }
    // Nearly all dates in files have this form.
    if let &[a, b, c, d, b'-', e, f, b'-', g, h] = bytes {
        return compact_date(&[a, b, c, d, e, f, g, h]);
    }
    compact_date(bytes) || compact_time(bytes) || year_first(bytes) || year_last(bytes) || with_month_name(bytes)
}

/// `YYYYMMDD`.
pub(in super::super) fn compact_date(bytes: &[u8]) -> bool {
    bytes.len() == 8 && is_date(number(&bytes[..4]), number(&bytes[4..6]), number(&bytes[6..]))
}

/// `YYYYMMDDhhmmss`, and with milliseconds.
pub(in super::super) fn compact_time(bytes: &[u8]) -> bool {
    matches!(bytes.len(), 14 | 17)
        && compact_date(&bytes[..8])
        && number(&bytes[8..10]).is_some_and(|hour| hour < 24)
        && number(&bytes[10..12]).is_some_and(|minute| minute < 60)
        && number(&bytes[12..14]).is_some_and(|second| second <= 60)
        && bytes[14..].iter().all(u8::is_ascii_digit)
}

/// Whether the day exists; months and days count from 1.
pub(super) const fn is_day(year: u32, month: u32, day: u32) -> bool {
    const DAYS: [u32; 13] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    month <= 12 && day >= 1 && (day <= DAYS[month as usize] || month == 2 && day == 29 && is_leap(year))
}

const fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn is_date(year: Option<u32>, month: Option<u32>, day: Option<u32>) -> bool {
    match (year, month, day) {
        (Some(year), Some(month), Some(day)) => is_year(year) && is_day(year, month, day),
        _ => false,
    }
}

fn is_year(year: u32) -> bool {
    (1800..=2199).contains(&year)
}

/// One or two digits, and what follows them.
fn short(bytes: &[u8]) -> (Option<u32>, &[u8]) {
    let length = bytes.iter().take(2).take_while(|&&byte| digit(byte) <= 9).count();
    (number(&bytes[..length]), &bytes[length..])
}

fn year_first(bytes: &[u8]) -> bool {
    let (year, rest) = bytes.split_at(4);
    let year = number(year);
    if let Some(rest) = rest.strip_prefix("年".as_bytes()) {
        let (month, rest) = short(rest);
        let Some(rest) = rest.strip_prefix("月".as_bytes()) else { return false };
        if rest.is_empty() {
            return is_date(year, month, Some(1));
        }
        let (day, rest) = short(rest);
        let Some(rest) = rest.strip_prefix("日".as_bytes()) else { return false };
        return is_date(year, month, day) && is_time(rest);
    }
    let &[separator @ (b'-' | b'/' | b'.'), ref rest @ ..] = rest else { return false };
    let (month, rest) = short(rest);
    match rest {
        [] => separator != b'.' && is_date(year, month, Some(1)),
        [second, rest @ ..] if *second == separator => {
            let (day, rest) = short(rest);
            is_date(year, month, day) && is_time(rest)
        }
        _ => false,
    }
}

fn year_last(bytes: &[u8]) -> bool {
    let (first, rest) = short(bytes);
    let &[separator @ (b'-' | b'/' | b'.'), ref rest @ ..] = rest else { return false };
    let (second, rest) = short(rest);
    let Some((year, rest)) = rest.strip_prefix(&[separator]).and_then(|rest| rest.split_at_checked(4)) else { return false };
    let year = number(year);
    (is_date(year, second, first) || is_date(year, first, second)) && is_time(rest)
}

/// `29 Feb 2024`, `29-Feb-2024`, `February 29, 2024`.
fn with_month_name(bytes: &[u8]) -> bool {
    let (first, rest) = short(bytes);
    if first.is_some() {
        let [b' ' | b'-', rest @ ..] = rest else { return false };
        let (month, rest) = month_name(rest);
        let [b' ' | b'-', year @ ..] = rest else { return false };
        return year.len() == 4 && is_date(number(year), month, first);
    }
    let (month, rest) = month_name(rest);
    let [b' ', rest @ ..] = rest else { return false };
    let (day, rest) = short(rest);
    let rest = rest.strip_prefix(b",").unwrap_or(rest);
    let [b' ', year @ ..] = rest else { return false };
    year.len() == 4 && is_date(number(year), month, day)
}

fn month_name(bytes: &[u8]) -> (Option<u32>, &[u8]) {
    const MONTHS: [&str; 12] =
        ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    let length = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (word, rest) = bytes.split_at(length);
    let is = |month: &&str| word.len() >= 3 && month.len() >= word.len() && month.as_bytes()[..word.len()].eq_ignore_ascii_case(word);
    ((1..).zip(MONTHS).find(|(_, month)| (word.len() == 3 || word.len() == month.len()) && is(month)).map(|(at, _)| at), rest)
}

/// Nothing, or a blank or `T`, `hh:mm`, seconds with a fraction or not, and a zone or not.
fn is_time(bytes: &[u8]) -> bool {
    let rest = match bytes {
        [] => return true,
        [b' ' | b'T', rest @ ..] => rest,
        _ => return false,
    };
    let (hour, rest) = short(rest);
    let [b':', rest @ ..] = rest else { return false };
    let (minute, mut rest) = short(rest);
    if !(hour.is_some_and(|hour| hour < 24) && minute.is_some_and(|minute| minute < 60)) {
        return false;
    }
    if let [b':', seconds @ ..] = rest {
        let (second, behind) = short(seconds);
        if second.is_none_or(|second| second > 60) {
            return false;
        }
        rest = behind;
        if let [b'.' | b',', fraction @ ..] = rest {
            let length = fraction.iter().take_while(|&&byte| digit(byte) <= 9).count();
            if length == 0 {
                return false;
            }
            rest = &fraction[length..];
        }
    }
    match rest {
        [] | [b'Z'] => true,
        [b'+' | b'-', zone @ ..] => {
            let digits = zone.iter().filter(|&&byte| digit(byte) <= 9).count();
            matches!(digits, 2 | 4) && (zone.len() == digits || zone.len() == 5 && zone[2] == b':')
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for valid in [
            "2024-02-29",
            "2024/2/29",
            "2024.2.29",
            "20240229",
            "2024年2月29日",
            "2024年02月",
            "2024-02",
            "29/02/2024",
            "2/29/2024",
            "29.02.2024",
            "29 Feb 2024",
            "February 29, 2024",
            "Feb 29 2024",
            "2024-02-29 08:00",
            "2024-02-29T08:00:00.125Z",
            "2024-02-29 08:00:00+08:00",
            "20240229235959",
            "1949-12-31",
        ] {
            assert!(date(valid), "{valid}");
        }
        for invalid in [
            "2023-02-29",
            "20230229",
            "2024-13-01",
            "2024-00-10",
            "2024-1/2",
            "2024-02-30",
            "1700-01-01",
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
            assert!(!date(invalid), "{invalid}");
        }
    }

    #[test]
    fn every_day_of_four_centuries() {
        let days = (2000..2400).flat_map(|year| (0..=13).flat_map(move |month| (0..=32).map(move |day| (year, month, day))));
        assert_eq!(days.filter(|&(year, month, day)| is_day(year, month, day)).count(), 146_097);
    }
}
