//! Dates as they are written: read in every form, and written back in the same.

use super::clock::{is_compact_time, is_time_behind};
use super::han::{self, take};
use super::{DateOrder, Day, plain};

/// A date as it was written, in a form of the table in `docs/values.md`: a year of four digits, a month, mostly a day, and
/// perhaps a time behind it.
///
/// Some order of its fields is a day that exists, or, where the day is not named, a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateText<'a> {
    year: u32,
    /// Month and day in the order in which they are written; a month of a year alone has no second.
    first: u32,
    second: Option<u32>,
    form: Form,
    /// Fields below 10 have two digits.
    padded: bool,
    time: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `2024-02-29`, and with slashes or points.
    YearFirst(char),
    /// `29/02/2024` or `02/29/2024`.
    YearLast(char),
    /// `20240229`.
    Compact,
    /// `2024年2月29日`.
    Han,
    /// `二〇二四年二月二十九日`, with its zero.
    Numerals(char),
    /// `29 Feb 2024`, with what stands before and behind the month.
    DayName { name: Name, before: char, behind: char },
    /// `February 29, 2024`.
    NameDay { name: Name, comma: bool },
}

/// How the English name of a month is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name {
    whole: bool,
    case: Case,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Upper,
    Lower,
    Capital,
}

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl<'a> DateText<'a> {
    /// Nothing when the cell is not written so, or names a day that no calendar has. Full-width forms, and blanks around
    /// it, are read in their plain form, which `scratch` holds.
    #[inline]
    pub(crate) fn read(cell: &'a str, scratch: &'a mut String) -> Option<Self> {
        // Nearly all dates in files have this form.
        if let &[a, b, c, d, b'-', e, f, b'-', g, h] = cell.as_bytes() {
            let digits = [a, b, c, d, e, f, g, h];
            if digits.iter().all(u8::is_ascii_digit) {
                let [a, b, c, d, e, f, g, h] = digits.map(|digit| u32::from(digit - b'0'));
                let (year, first, second) = (((a * 10 + b) * 10 + c) * 10 + d, e * 10 + f, g * 10 + h);
                Day::new(year, first, second).filter(|_| year > 0)?;
                return Some(Self { year, first, second: Some(second), form: Form::YearFirst('-'), padded: true, time: "" });
            }
        }
        let first = cell.trim_start().chars().next()?;
        if !(first.is_ascii_alphanumeric() || ('\u{ff01}'..='\u{ff5e}').contains(&first) || han::is_digit(first)) {
            return None;
        }
        Self::read_any(plain(cell, scratch))
    }

    fn read_any(text: &'a str) -> Option<Self> {
        let read = match text.bytes().next()? {
            b'0'..=b'9' => Self::year_first(text).or_else(|| Self::year_last(text)).or_else(|| Self::day_name(text)),
            byte if byte.is_ascii_alphabetic() => Self::name_day(text),
            _ => Self::numerals(text),
        };
        read.filter(Self::exists)
    }

    fn exists(&self) -> bool {
        let Some(second) = self.second else { return self.year > 0 && (1..=12).contains(&self.first) };
        let (month_first, day_first) = (Day::new(self.year, self.first, second), Day::new(self.year, second, self.first));
        self.year > 0 && (month_first.is_some() || self.is_year_last() && day_first.is_some())
    }

    const fn is_year_last(&self) -> bool {
        matches!(self.form, Form::YearLast(_))
    }

    fn year_first(text: &'a str) -> Option<Self> {
        let (year, rest) = take(text, 4, 4)?;
        let (form, least, rest) = match rest.chars().next()? {
            separator @ ('-' | '/' | '.') => (Form::YearFirst(separator), 1, &rest[1..]),
            '年' => (Form::Han, 1, &rest['年'.len_utf8()..]),
            _ => (Form::Compact, 2, rest),
        };
        let (first, behind_first) = take(rest, least, 2)?;
        let date = |second, padded, time| Some(Self { year, first, second, form, padded, time });
        let (month_end, day_end) = match form {
            Form::YearFirst(separator) => (Some(separator), None),
            Form::Han => (Some('月'), Some('日')),
            _ => (None, None),
        };
        let is_padded = rest.len() - behind_first.len() == 2;
        // A point between two numbers alone is one of a decimal.
        if behind_first.is_empty() && matches!(form, Form::YearFirst('-' | '/')) || behind_first == "月" && form == Form::Han {
            return date(None, is_padded, "");
        }
        let skip = |rest: &'a str, end: Option<char>| end.map_or(Some(rest), |end| rest.strip_prefix(end));
        let day = skip(behind_first, month_end)?;
        let (second, behind_second) = take(day, least, 2)?;
        let time = skip(behind_second, day_end)?;
        let is_time =
            if form == Form::Compact && !time.is_empty() && !time.starts_with([' ', 'T']) { is_compact_time } else { is_time_behind };
        is_time(time).then(|| date(Some(second), is_padded && day.len() - behind_second.len() == 2, time))?
    }

    fn year_last(text: &'a str) -> Option<Self> {
        let (first, behind_first) = take(text, 1, 2)?;
        let separator = behind_first.chars().next().filter(|separator| matches!(separator, '-' | '/' | '.'))?;
        let rest = &behind_first[1..];
        let (second, behind_second) = take(rest, 1, 2)?;
        let (year, time) = take(behind_second.strip_prefix(separator)?, 4, 4)?;
        let padded = text.len() - behind_first.len() == 2 && rest.len() - behind_second.len() == 2;
        is_time_behind(time).then_some(Self { year, first, second: Some(second), form: Form::YearLast(separator), padded, time })
    }

    fn day_name(text: &'a str) -> Option<Self> {
        let (day, rest) = take(text, 1, 2)?;
        let padded = text.len() - rest.len() == 2;
        let separator = |rest: &str| rest.chars().next().filter(|separator| matches!(separator, ' ' | '-'));
        let before = separator(rest)?;
        let (month, name, rest) = Name::take(&rest[1..])?;
        let behind = separator(rest)?;
        let (year, time) = take(&rest[1..], 4, 4)?;
        let form = Form::DayName { name, before, behind };
        is_time_behind(time).then_some(Self { year, first: month, second: Some(day), form, padded, time })
    }

    fn name_day(text: &'a str) -> Option<Self> {
        let (month, name, rest) = Name::take(text)?;
        let day_text = rest.strip_prefix(' ')?;
        let (day, rest) = take(day_text, 1, 2)?;
        let padded = day_text.len() - rest.len() == 2;
        let (comma, rest) = rest.strip_prefix(',').map_or((false, rest), |rest| (true, rest));
        let (year, time) = take(rest.strip_prefix(' ')?, 4, 4)?;
        is_time_behind(time).then_some(Self { year, first: month, second: Some(day), form: Form::NameDay { name, comma }, padded, time })
    }

    fn numerals(text: &'a str) -> Option<Self> {
        let (year, zero, rest) = han::year(text)?;
        let (first, rest) = han::numeral(rest.strip_prefix('年')?)?;
        let rest = rest.strip_prefix('月')?;
        let date = |second, time| Some(Self { year, first, second, form: Form::Numerals(zero), padded: false, time });
        if rest.is_empty() {
            return date(None, "");
        }
        let (day, rest) = han::numeral(rest)?;
        let time = rest.strip_prefix('日')?;
        is_time_behind(time).then(|| date(Some(day), time))?
    }

    /// The year, which no order changes.
    pub(crate) const fn year(&self) -> u32 {
        self.year
    }

    /// Whether the day is named.
    pub(crate) const fn has_day(&self) -> bool {
        self.second.is_some()
    }

    /// Year and month, if the order of the column, where one is needed, gives a day that exists.
    #[inline]
    pub(crate) fn month(&self, order: Option<DateOrder>) -> Option<(u32, u32)> {
        match self.second {
            None => Some((self.year, self.first)),
            Some(_) => self.day(order).map(|day| (self.year, day.month())),
        }
    }

    /// The day, if one is named and exists in the order of the column, where one is needed.
    #[inline]
    pub(crate) fn day(&self, order: Option<DateOrder>) -> Option<Day> {
        let second = self.second?;
        if !self.is_year_last() {
            return Day::new(self.year, self.first, second);
        }
        match order? {
            DateOrder::Dmy => Day::new(self.year, second, self.first),
            DateOrder::Mdy => Day::new(self.year, self.first, second),
            DateOrder::Ymd => None,
        }
    }

    /// The time that stands behind it, as it is written.
    #[cfg(feature = "embedded")]
    pub(crate) const fn time(&self) -> &str {
        self.time
    }

    /// The orders in which it is a day; nothing when its form tells its order.
    pub(crate) fn orders(&self) -> Option<(Option<Day>, Option<Day>)> {
        self.is_year_last().then(|| (self.day(Some(DateOrder::Dmy)), self.day(Some(DateOrder::Mdy))))
    }

    /// Another day, written in the same form, with the same time behind it; `false` when its year has not four digits.
    pub(crate) fn write(&self, order: Option<DateOrder>, day: Day, out: &mut String) -> bool {
        let Some(year) = u32::try_from(day.year()).ok().filter(|year| (1..=9_999).contains(year)) else { return false };
        let (month, day) = (day.month(), day.day());
        let width = if self.padded { 2 } else { 1 };
        match self.form {
            Form::YearFirst(separator) => {
                digits(year, 4, out);
                out.push(separator);
                digits(month, width, out);
                out.push(separator);
                digits(day, width, out);
            }
            Form::YearLast(separator) => {
                let (first, second) = if order == Some(DateOrder::Mdy) { (month, day) } else { (day, month) };
                digits(first, width, out);
                out.push(separator);
                digits(second, width, out);
                out.push(separator);
                digits(year, 4, out);
            }
            Form::Compact => {
                digits(year, 4, out);
                digits(month, 2, out);
                digits(day, 2, out);
            }
            Form::Han => {
                digits(year, 4, out);
                out.push('年');
                digits(month, width, out);
                out.push('月');
                digits(day, width, out);
                out.push('日');
            }
            Form::Numerals(zero) => {
                han::write_year(year, zero, out);
                out.push('年');
                han::write_numeral(month, out);
                out.push('月');
                han::write_numeral(day, out);
                out.push('日');
            }
            Form::DayName { name, before, behind } => {
                digits(day, width, out);
                out.push(before);
                name.write(month, out);
                out.push(behind);
                digits(year, 4, out);
            }
            Form::NameDay { name, comma } => {
                name.write(month, out);
                out.push(' ');
                digits(day, width, out);
                out.push_str(if comma { ", " } else { " " });
                digits(year, 4, out);
            }
        }
        out.push_str(self.time);
        true
    }
}

impl Name {
    /// The month of a name or of its first three letters, and what follows.
    fn take(text: &str) -> Option<(u32, Self, &str)> {
        let (word, rest) = text.split_at(text.bytes().take_while(u8::is_ascii_alphabetic).count());
        let is = |month: &&str| month.eq_ignore_ascii_case(word) || word.len() == 3 && month[..3].eq_ignore_ascii_case(word);
        let (at, month) = (1..).zip(MONTHS).find(|(_, month)| is(month))?;
        let case = if word.bytes().all(|letter| letter.is_ascii_uppercase()) {
            Case::Upper
        } else if word.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            Case::Capital
        } else {
            Case::Lower
        };
        // `May` is both; a short name is as likely, and other months have short names too.
        Some((at, Self { whole: word.len() == month.len() && word.len() > 3, case }, rest))
    }

    fn write(self, month: u32, out: &mut String) {
        let name = MONTHS[(month as usize - 1) % 12];
        let name = if self.whole { name } else { &name[..3] };
        match self.case {
            Case::Capital => out.push_str(name),
            Case::Upper => out.extend(name.chars().map(|letter| letter.to_ascii_uppercase())),
            Case::Lower => out.extend(name.chars().map(|letter| letter.to_ascii_lowercase())),
        }
    }
}

/// At least so many digits of a number below 10,000.
pub(crate) fn digits(number: u32, least: u32, out: &mut String) {
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
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str, order: Option<DateOrder>) -> Option<String> {
        DateText::read(text, &mut String::new())?.day(order).map(|day| day.to_string())
    }

    #[test]
    fn every_form_is_read_and_kept() {
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
            ("20241231 08:30", "20250101 08:30"),
            ("0001-01-01", "0001-01-02"),
            ("29/02/2024", "01/03/2024"),
            ("9.2.2024 08:30", "10.2.2024 08:30"),
            ("31-12-2024", "01-01-2025"),
            ("29 Feb 2024", "01 Mar 2024"),
            ("9-FEB-2024", "10-FEB-2024"),
            ("31 december 2024 08:30", "01 january 2025 08:30"),
            ("February 29, 2024", "March 01, 2024"),
            ("May 9 2024", "May 10 2024"),
            ("二〇二四年二月二十九日", "二〇二四年三月一日"),
            ("二零二四年十二月三十一日 08:30", "二零二五年一月一日 08:30"),
            ("2024年2月9日8时30分", "2024年2月10日8时30分"),
            ("２０２４－０２－２９", "2024-03-01"),
            (" 2024-02-29 ", "2024-03-01"),
            ("２０２４年２月９日", "2024年2月10日"),
        ] {
            let (mut scratch, mut out, order) = (String::new(), String::new(), Some(DateOrder::Dmy));
            let date = DateText::read(text, &mut scratch).expect(text);
            assert!(date.write(order, Day::from_unix_d(date.day(order).unwrap().unix_d() + 1), &mut out));
            assert_eq!(out, later);
        }
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "",
            "2024",
            "202402",
            "2024.12",
            "2024-02-30",
            "2023-02-29",
            "2024-13-01",
            "2024-13",
            "2024-00-01",
            "0000-01-01",
            "24-02-29",
            "2024-02/29",
            "2024 02 29",
            "2024-02-290",
            "2024229",
            "202402290",
            "2024年2月29",
            "2024年13月",
            "2024年2",
            "2024-02-29 25:00",
            "2024-02-29 08",
            "2024-02-29x",
            "20240229246060",
            "2024-0\u{662}-29",
            "29/02/24",
            "29/02.2024",
            "32/01/2024",
            "13/13/2024",
            "30/02/2024",
            "29 Fe 2024",
            "29 Febr 2024",
            "31 Feb 2024",
            "Feb 2024",
            "Feb 29,2024",
            "二〇二四年十三月一日",
            "二〇二四年二月三十日",
            "二〇二四年〇二月",
            "二〇二四年",
            "1.2.3",
            "192.168.1.1",
        ] {
            assert_eq!(DateText::read(text, &mut String::new()), None, "{text}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_column() {
        let of = |text| DateOrder::ALL.map(|order| day(text, Some(order)));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("05/06/2024"), [some("2024-06-05"), some("2024-05-06"), None]);
        assert_eq!(of("31/12/2024"), [some("2024-12-31"), None, None]);
        assert_eq!(of("12.31.2024"), [None, some("2024-12-31"), None]);
        assert_eq!(of("2024-05-06"), [some("2024-05-06"), some("2024-05-06"), some("2024-05-06")]);
        assert_eq!(of("6 May 2024"), of("2024-05-06"));
        assert_eq!((day("05/06/2024", None), day("2024-05-06", None)), (None, some("2024-05-06")));
    }

    #[test]
    fn months_of_years_have_no_day() {
        for text in ["2024-05", "2024/5", "2024年5月", "二〇二四年五月", " ２０２４年０５月"] {
            let mut scratch = String::new();
            let date = DateText::read(text, &mut scratch).unwrap();
            assert_eq!((date.has_day(), date.month(None), date.day(Some(DateOrder::Dmy))), (false, Some((2024, 5)), None), "{text}");
        }
    }

    #[test]
    fn years_of_other_than_four_digits_are_not_written() {
        for (text, days) in [("0001-01-01", -1), ("9999-12-31", 1)] {
            let mut scratch = String::new();
            let date = DateText::read(text, &mut scratch).unwrap();
            assert!(!date.write(None, Day::from_unix_d(date.day(None).unwrap().unix_d() + days), &mut String::new()));
        }
    }

    proptest! {
        /// Nothing panics, and what is written is read as the same day.
        #[test]
        fn what_is_written_is_read(text in "[0-9]{1,4}[-/.年 ][0-9]{1,2}[-/.月 ][0-9]{1,4}日?( [0-9]{1,2}:[0-9]{2})?|[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}|.{0,16}") {
            for order in [DateOrder::Dmy, DateOrder::Mdy] {
                let (mut scratch, mut out) = (String::new(), String::new());
                if let Some(date) = DateText::read(&text, &mut scratch) && let Some(day) = date.day(Some(order)) {
                    prop_assert!(date.write(Some(order), day, &mut out));
                    let mut scratch = String::new();
                    prop_assert_eq!(DateText::read(&out, &mut scratch).unwrap().day(Some(order)), Some(day));
                }
            }
        }
    }
}
