//! Times of day as they stand behind a date.

use super::han::{self, take};

/// Whether a text is a time of day behind a date: nothing, or a blank or `T`, hours and minutes, seconds or not, a fraction
/// or not, a zone or not (ISO 8601-1, 5.3); or `8时30分` and `8点30分15秒`. A second of 60 is a leap second.
pub(super) fn is_time_behind(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let han = text.trim_start();
    if let Some((hour, rest)) = han::number(han)
        && let Some(rest) = rest.strip_prefix(['时', '時', '点', '點'])
    {
        return hour < 24 && is_han_minutes(rest);
    }
    text.strip_prefix([' ', 'T']).is_some_and(is_time)
}

/// `hhmmss` behind `YYYYMMDD`, and up to nine digits of a fraction.
pub(super) fn is_compact_time(text: &str) -> bool {
    let two = |at: usize| take(&text[at..], 2, 2).map(|(number, _)| number);
    (6..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && is_clock(two(0), two(2), two(4))
}

fn is_time(text: &str) -> bool {
    let read = || {
        let (hour, rest) = take(text, 1, 2)?;
        let (minute, mut rest) = take(rest.strip_prefix(':')?, 1, 2)?;
        let mut second = 0;
        if let Some(seconds) = rest.strip_prefix(':') {
            (second, rest) = take(seconds, 1, 2)?;
            if let Some(fraction) = rest.strip_prefix(['.', ',']) {
                rest = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
                if rest.len() == fraction.len() {
                    return None;
                }
            }
        }
        Some(is_clock(Some(hour), Some(minute), Some(second)) && is_zone(rest))
    };
    read().unwrap_or(false)
}

/// Nothing, or perhaps a blank and `Z`, `+08`, `+0800`, `+08:00`.
fn is_zone(text: &str) -> bool {
    let zone = text.strip_prefix(' ').unwrap_or(text);
    if zone.is_empty() {
        return text.is_empty();
    }
    let offset = || {
        let (hours, rest) = take(zone.strip_prefix(['+', '-'])?, 2, 2)?;
        let minutes = if rest.is_empty() { Some((0, "")) } else { take(rest.strip_prefix(':').unwrap_or(rest), 2, 2) };
        minutes.map(|(minutes, rest)| hours < 24 && minutes < 60 && rest.is_empty())
    };
    zone == "Z" || offset().unwrap_or(false)
}

fn is_han_minutes(text: &str) -> bool {
    let read = || {
        let (minute, rest) = han::number(text)?;
        let rest = rest.strip_prefix('分')?;
        let second = if rest.is_empty() { 0 } else { han::number(rest).filter(|(_, rest)| *rest == "秒")?.0 };
        Some(minute < 60 && second <= 60)
    };
    text.is_empty() || text == "整" || read().unwrap_or(false)
}

fn is_clock(hour: Option<u32>, minute: Option<u32>, second: Option<u32>) -> bool {
    hour.is_some_and(|hour| hour < 24) && minute.is_some_and(|minute| minute < 60) && second.is_some_and(|second| second <= 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_behind_dates() {
        for time in [
            "",
            " 08:30",
            "T8:30",
            " 08:30:15",
            " 08:30:60",
            "T08:30:15.5",
            "T08:30:15,125",
            "T08:30:15.123456789Z",
            " 08:30+08",
            " 08:30:15 +0800",
            " 08:30:15 -08:00",
            " 08:30 Z",
            "8时30分",
            " 8点",
            "8时整",
            "十二时三十分十五秒",
        ] {
            assert!(is_time_behind(time), "{time}");
        }
        for text in [
            " ",
            "08:30",
            " 24:00",
            " 08:60",
            " 08:30:61",
            " 08",
            " 08:30:",
            " 08:30:15.",
            " 08:30 ",
            " 08:30+8",
            " 08:30+08:0",
            " 08:30+24:00",
            " 08:30Z0",
            " 08:30.5",
            "8时60分",
            "24时",
            "8时30",
            "8时30分15",
            "x",
        ] {
            assert!(!is_time_behind(text), "{text}");
        }
        assert!(is_compact_time("235960") && is_compact_time("235959123456789"));
        assert!(
            !is_compact_time("240000") && !is_compact_time("23595") && !is_compact_time("2359591234567890") && !is_compact_time("23595x")
        );
    }
}
