//! Numbers of dates in Chinese numerals (汉字数字): `二〇二四`, `十二`, `三十一`.

/// The digits as years write them, digit by digit.
const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
const TEN: char = '十';

/// A number of at least `least` and at most `most` ASCII digits, and what follows.
pub(super) fn take(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let number = text.bytes().take(count).fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    (count >= least).then(|| (number, &text[count..]))
}

/// One or two ASCII digits, or the same in numerals, and what follows.
pub(super) fn number(text: &str) -> Option<(u32, &str)> {
    take(text, 1, 2).or_else(|| numeral(text))
}

/// A year of four numerals, the character that stands for zero in it, and what follows.
pub(super) fn year(text: &str) -> Option<(u32, char, &str)> {
    let (mut year, mut zero, mut rest) = (0, DIGITS[0], text);
    for _ in 0..4 {
        let character = rest.chars().next()?;
        if is_zero(character) {
            zero = character;
        }
        year = year * 10 + digit(character)?;
        rest = &rest[character.len_utf8()..];
    }
    Some((year, zero, rest))
}

/// A number of 1 to 99 in numerals: `三`, `十`, `十二`, `三十`, `三十一`.
pub(super) fn numeral(text: &str) -> Option<(u32, &str)> {
    let one = |text: &str| {
        let character = text.chars().next().filter(|character| !is_zero(*character))?;
        Some((digit(character)?, character.len_utf8()))
    };
    let (tens, rest) = match one(text) {
        Some((first, length)) => match text[length..].strip_prefix(TEN) {
            Some(rest) => (first, rest),
            None => return Some((first, &text[length..])),
        },
        None => (1, text.strip_prefix(TEN)?),
    };
    let (ones, length) = one(rest).unwrap_or((0, 0));
    Some((tens * 10 + ones, &rest[length..]))
}

/// Writes a year digit by digit.
pub(super) fn write_year(year: u32, zero: char, out: &mut String) {
    let digits = [year / 1_000, year / 100, year / 10, year].map(|digit| digit % 10);
    out.extend(digits.map(|digit| if digit == 0 { zero } else { DIGITS[digit as usize] }));
}

/// Writes a number of 1 to 99.
pub(super) fn write_numeral(number: u32, out: &mut String) {
    let (tens, ones) = (number / 10 % 10, number % 10);
    if tens > 1 {
        out.push(DIGITS[tens as usize]);
    }
    if tens > 0 {
        out.push(TEN);
    }
    if ones > 0 {
        out.push(DIGITS[ones as usize]);
    }
}

/// Whether a character is a numeral of years.
pub(super) fn is_digit(character: char) -> bool {
    digit(character).is_some()
}

fn digit(character: char) -> Option<u32> {
    if is_zero(character) {
        return Some(0);
    }
    (1..).zip(&DIGITS[1..]).find(|(_, digit)| **digit == character).map(|(value, _)| value)
}

/// The character of the standard, the word, and the circle that stands in for them.
const fn is_zero(character: char) -> bool {
    matches!(character, '〇' | '零' | '○')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numerals_go_both_ways() {
        for expected in 1..=99 {
            let mut text = String::new();
            write_numeral(expected, &mut text);
            assert_eq!(numeral(&text), Some((expected, "")), "{text}");
        }
        for year in [1, 1949, 1990, 2000, 2024, 9999] {
            let mut text = String::new();
            write_year(year, '零', &mut text);
            assert_eq!(super::year(&text).unwrap().0, year);
        }
        assert_eq!(super::year("二○二四年"), Some((2024, '○', "年")));
        assert_eq!(number("12月"), Some((12, "月")));
        assert_eq!(number("十二月"), Some((12, "月")));
    }

    #[test]
    fn other_texts_are_no_numerals() {
        for text in ["", "〇", "零三", "百", "月", "x"] {
            assert_eq!(numeral(text), None, "{text}");
        }
        for text in ["", "二〇二", "二〇二x", "二千零二四"] {
            assert_eq!(year(text), None, "{text}");
        }
    }
}
