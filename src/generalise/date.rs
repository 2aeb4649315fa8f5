//! Dates as they are written, and the levels they are cut to.

use super::civil::Day;

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

    pub(crate) fn write(self, day: Day, out: &mut String) {
        digits(day.year, 4, out);
        match self {
            Self::Day => {
                out.push('-');
                digits(day.month, 2, out);
                out.push('-');
                digits(day.day, 2, out);
            }
            Self::Month => {
                out.push('-');
                digits(day.month, 2, out);
            }
            Self::Quarter => {
                out.push_str("-Q");
                digits((day.month - 1) / 3 + 1, 1, out);
            }
            Self::Year => {}
        }
    }
}

/// A date as it was written: the year first, in four digits.
///
/// ```text
/// 2024-02-29  2024/2/29  2024.02.29  20240229  2024年2月29日
/// behind each a time: 2024-02-29 08:30, 2024-02-29T08:30:00.5+08:00, 20240229083000
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateText<'a> {
    pub(crate) day: Day,
    form: Form,
    /// Months and days below 10 have two digits.
    padded: bool,
    time: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Separated(char),
    Compact,
    Han,
}

impl<'a> DateText<'a> {
    /// Nothing when it is not written so, or names a day that does not exist.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (year, rest) = take_digits(text, 4, 4)?;
        let (form, rest) = match rest.chars().next()? {
            separator @ ('-' | '/' | '.') => (Form::Separated(separator), &rest[1..]),
            '年' => (Form::Han, &rest['年'.len_utf8()..]),
            _ => (Form::Compact, rest),
        };
        let least = if form == Form::Compact { 2 } else { 1 };
        let (month, month_rest) = take_digits(rest, least, 2)?;
        let (between, end) = match form {
            Form::Separated(separator) => (Some(separator), None),
            Form::Compact => (None, None),
            Form::Han => (Some('月'), Some('日')),
        };
        let skip = |rest: &'a str, char: Option<char>| char.map_or(Some(rest), |char| rest.strip_prefix(char));
        let day_text = skip(month_rest, between)?;
        let (day, day_rest) = take_digits(day_text, least, 2)?;
        let time = skip(day_rest, end)?;
        let padded = rest.len() - month_rest.len() == 2 && day_text.len() - day_rest.len() == 2;
        let known =
            time.is_empty() || if form == Form::Compact && !time.starts_with([' ', 'T']) { is_compact_time(time) } else { is_time(time) };
        if !known {
            return None;
        }
        Some(Self { day: Day::new(year, month, day)?, form, padded, time })
    }

    /// Another day, written in the same form, with the same time behind it.
    pub(crate) fn write(self, day: Day, out: &mut String) {
        let width = if self.padded { 2 } else { 1 };
        digits(day.year, 4, out);
        let parts = match self.form {
            Form::Separated(separator) => [Some(separator), Some(separator), None],
            Form::Compact => [None; 3],
            Form::Han => ['年', '月', '日'].map(Some),
        };
        out.extend(parts[0]);
        digits(day.month, width, out);
        out.extend(parts[1]);
        digits(day.day, width, out);
        out.extend(parts[2]);
        out.push_str(self.time);
    }
}

/// A number of at least `least` and at most `most` digits, and what follows.
fn take_digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let number = text.bytes().take(count).fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    (count >= least).then(|| (number, &text[count..]))
}

/// `hhmmss`, and with parts of a second.
fn is_compact_time(text: &str) -> bool {
    let two = |at: usize| take_digits(&text[at..], 2, 2).map(|(number, _)| number);
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (6..=15).contains(&text.len()) && is_clock(two(0), two(2), two(4))
}

/// A blank or `T`, hours and minutes, with or without seconds, their parts, and a zone (ISO 8601).
fn is_time(text: &str) -> bool {
    let read = || {
        let (hour, rest) = take_digits(text.strip_prefix([' ', 'T'])?, 1, 2)?;
        let (minute, mut rest) = take_digits(rest.strip_prefix(':')?, 2, 2)?;
        let mut second = 0;
        if let Some(seconds) = rest.strip_prefix(':') {
            (second, rest) = take_digits(seconds, 2, 2)?;
            if let Some(parts) = rest.strip_prefix('.') {
                (_, rest) = take_digits(parts, 1, 9)?;
            }
        }
        let zone = rest.strip_prefix(' ').unwrap_or(rest);
        let zoned = match zone.as_bytes() {
            [] => rest.is_empty(),
            b"Z" => true,
            [b'+' | b'-', hours @ ..] => {
                matches!(hours, [a, b] | [a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit())
                    && match &hours[2..] {
                        [] => true,
                        [c, d] | [b':', c, d] => c.is_ascii_digit() && d.is_ascii_digit(),
                        _ => false,
                    }
            }
            _ => false,
        };
        Some(zoned && is_clock(Some(hour), Some(minute), Some(second)))
    };
    read().unwrap_or(false)
}

fn is_clock(hour: Option<u32>, minute: Option<u32>, second: Option<u32>) -> bool {
    hour.is_some_and(|hour| hour < 24) && minute.is_some_and(|minute| minute < 60) && second.is_some_and(|second| second <= 60)
}

/// At least so many digits of a number below 10,000.
fn digits(number: u32, least: u32, out: &mut String) {
    for place in (0..4u32).rev() {
        let rest = number / 10u32.pow(place);
        if place < least || rest > 0 {
            out.extend(char::from_digit(rest % 10, 10));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_kept() {
        for (text, later) in [
            ("2024-02-29", "2024-03-01"),
            ("2024/2/29", "2024/3/1"),
            ("2024/02/29", "2024/03/01"),
            ("2024.2.9", "2024.2.10"),
            ("20240229", "20240301"),
            ("2024年2月29日", "2024年3月1日"),
            ("2024年12月31日", "2025年01月01日"),
            ("2024-12-31 08:30", "2025-01-01 08:30"),
            ("2024-12-31T08:30:00.125+08:00", "2025-01-01T08:30:00.125+08:00"),
            ("2024-12-31 8:30:00 Z", "2025-01-01 8:30:00 Z"),
            ("20241231235960", "20250101235960"),
            ("0001-01-01", "0001-01-02"),
        ] {
            let date = DateText::read(text).unwrap();
            let mut out = String::new();
            date.write(date.day.plus(1).unwrap(), &mut out);
            assert_eq!(out, later);
        }
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "",
            "2024",
            "2024-02",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "0000-01-01",
            "24-02-29",
            "29/02/2024",
            "2024-02/29",
            "2024 02 29",
            " 2024-02-29",
            "2024-02-29 ",
            "2024-02-290",
            "2024229",
            "202402290",
            "2024年2月29",
            "2024-02-29 25:00",
            "2024-02-29 08",
            "2024-02-29 08:60",
            "2024-02-29T08:30+8",
            "2024-02-29 08:30 ",
            "2024-02-29x",
            "20240229246060",
            "２０２４-02-29",
            "2024-0\u{662}-29",
        ] {
            assert_eq!(DateText::read(text), None, "{text}");
        }
    }

    #[test]
    fn levels_are_cut_exactly() {
        for (month, quarter) in [(1, "2024-Q1"), (3, "2024-Q1"), (4, "2024-Q2"), (9, "2024-Q3"), (12, "2024-Q4")] {
            let of = |level: DateLevel| {
                let mut out = String::new();
                level.write(Day::new(2024, month, 5).unwrap(), &mut out);
                out
            };
            assert_eq!(of(DateLevel::Quarter), quarter);
            assert_eq!(of(DateLevel::Month), format!("2024-{month:02}"));
            assert_eq!((of(DateLevel::Year).as_str(), of(DateLevel::Day)), ("2024", format!("2024-{month:02}-05")));
        }
    }

    #[test]
    fn the_fewest_days_of_a_level_are_counted() {
        let mut counts = std::collections::HashMap::<String, u32>::new();
        let mut day = Day::new(1896, 1, 1).unwrap();
        while day.year < 1908 {
            for level in DateLevel::ALL {
                let mut label = String::new();
                level.write(day, &mut label);
                *counts.entry(label).or_default() += 1;
            }
            day = day.plus(1).unwrap();
        }
        for (level, form) in [(DateLevel::Day, 10), (DateLevel::Quarter, 7 + 100), (DateLevel::Month, 7), (DateLevel::Year, 4)] {
            let of_level = |label: &str| label.len() + if label.contains('Q') { 100 } else { 0 } == form;
            assert_eq!(counts.iter().filter(|(label, _)| of_level(label)).map(|(_, count)| *count).min(), Some(level.days()));
        }
    }
}
