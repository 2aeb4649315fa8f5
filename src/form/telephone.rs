//! Whether a cell is a mobile or a landline number.

use super::{digit, joined};

/// What follows `1` in prefixes that nobody had been given in 2022, or that only machines have.
const UNASSIGNED: [&[u8; 3]; 7] = [b"140", b"142", b"143", b"154", b"161", b"164", b"194"];

/// Whether the cell is a mobile number of the mainland, with `0`, `86`, `+86` or `0086` before it or not, or any number in
/// the international form with `+` (E.164, 8 to 15 digits); single blanks or dashes may stand between digits.
#[must_use]
pub fn mobile(cell: impl AsRef<[u8]>) -> bool {
    let cell = cell.as_ref();
    let (plus, rest) = cell.strip_prefix(b"+").map_or((false, cell), |rest| (true, rest));
    let Some((digits, length)) = joined::<15>(rest) else { return false };
    let digits = &digits[..length];
    match (plus, digits) {
        (true, [b'8', b'6', number @ ..]) => mainland_mobile(number),
        (true, [b'1'..=b'9', ..]) => (8..=15).contains(&length),
        (false, [b'0', b'0', b'8', b'6', number @ ..]) if length == 15 => mainland_mobile(number),
        (false, [b'8', b'6', number @ ..]) if length == 13 => mainland_mobile(number),
        (false, [b'0', number @ ..]) if length == 12 => mainland_mobile(number),
        (false, number) => mainland_mobile(number),
        (true, _) => false,
    }
}

/// Eleven digits with an assigned prefix.
pub(crate) fn mainland_mobile(digits: &[u8]) -> bool {
    let Ok(digits) = <&[u8; 11]>::try_from(digits) else { return false };
    digits[0] == b'1'
        && (b'3'..=b'9').contains(&digits[1])
        && digits.iter().all(u8::is_ascii_digit)
        && !UNASSIGNED.contains(&&[digits[0], digits[1], digits[2]])
}

/// Whether the cell is a landline number: area code and 6 to 8 digits, 400 and 800 numbers, with dashes, blanks, brackets,
/// `+86` and an extension or without; or ten digits in the North American form with its punctuation.
#[must_use]
pub fn landline(cell: impl AsRef<[u8]>) -> bool {
    let cell = cell.as_ref();
    plain_landline(cell) || punctuated(cell) || north_american(cell)
}

/// Digits alone: ten to twelve that begin as an area code, or ten that begin with 400 or 800.
pub(crate) fn plain_landline(digits: &[u8]) -> bool {
    if !digits.iter().all(|&byte| digit(byte) <= 9) {
        return false;
    }
    match area(digits) {
        Some(area) => (6..=8).contains(&(digits.len() - area)) && is_subscriber(digits[area]),
        None => digits.len() == 10 && (digits.starts_with(b"400") || digits.starts_with(b"800")),
    }
}

/// How many digits the area code at the start has.
const fn area(digits: &[u8]) -> Option<usize> {
    match digits {
        [b'0', b'1', b'0', ..] | [b'0', b'2', b'0'..=b'9', ..] => Some(3),
        [b'0', b'3'..=b'9', b'0'..=b'9', b'0'..=b'9', ..] => Some(4),
        _ => None,
    }
}

/// Numbers of subscribers begin with 2 to 8; 1 is for services and 9 for others.
const fn is_subscriber(first: u8) -> bool {
    matches!(first, b'2'..=b'8')
}

fn punctuated(cell: &[u8]) -> bool {
    let (national, rest) = match cell {
        [b'+', b'8', b'6', rest @ ..] => (true, rest.strip_prefix(b"-").or(rest.strip_prefix(b" ")).unwrap_or(rest)),
        _ => (false, cell),
    };
    // Area code, with its zero unless the country's code stands before it.
    let mut code = [b'0'; 4];
    let (bracket, rest) = rest.strip_prefix(b"(").map_or((false, rest), |rest| (true, rest));
    let area_end = rest.iter().position(|&byte| digit(byte) > 9).unwrap_or(0);
    let (digits, rest) = rest.split_at(area_end);
    let shift = usize::from(national && digits.first() != Some(&b'0'));
    if !(3..=4).contains(&(digits.len() + shift)) {
        return false;
    }
    code[shift..shift + digits.len()].copy_from_slice(digits);
    let code = &code[..shift + digits.len()];
    let rest = match (bracket, rest) {
        (true, [b')', rest @ ..]) => rest.strip_prefix(b"-").or(rest.strip_prefix(b" ")).unwrap_or(rest),
        (false, [b'-' | b' ', rest @ ..]) => rest,
        _ => return false,
    };
    let number_end = rest.iter().position(|&byte| digit(byte) > 9).unwrap_or(rest.len());
    let (number, rest) = rest.split_at(number_end);
    if code == b"400" || code == b"800" {
        return matches!((number.len(), rest), (7, [])) || number.len() == 3 && rest.len() == 5 && is_tail(rest);
    }
    let mut padded = [b'0'; 5];
    padded[..code.len()].copy_from_slice(code);
    let known = area(&padded) == Some(code.len());
    let split = number.len() == 4 && rest.len() == 5 && is_tail(rest);
    let extension = match rest {
        [] => true,
        [b'-', digits @ ..] => (1..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    known && number.first().is_some_and(|&first| is_subscriber(first)) && (split || (6..=8).contains(&number.len()) && extension)
}

/// A blank or dash and digits.
fn is_tail(rest: &[u8]) -> bool {
    matches!(rest, [b'-' | b' ', digits @ ..] if digits.iter().all(u8::is_ascii_digit))
}

/// `(415) 555-2671`, `415-555-2671`, `415.555.2671`.
fn north_american(cell: &[u8]) -> bool {
    let (code, number) = match cell {
        [b'(', a, b, c, b')', b' ', rest @ ..] | [b'(', a, b, c, b')', rest @ ..] => ([a, b, c], rest),
        [a, b, c, b'-' | b'.', rest @ ..] => ([a, b, c], rest),
        _ => return false,
    };
    let [d, e, f, b'-' | b'.', tail @ ..] = number else { return false };
    matches!(code[0], b'2'..=b'9')
        && matches!(d, b'2'..=b'9')
        && tail.len() == 4
        && [code[1], code[2], e, f].into_iter().chain(tail).all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobile_numbers() {
        for valid in [
            "13812345678",
            "+8613812345678",
            "8613812345678",
            "013812345678",
            "008613812345678",
            "+86 138-1234-5678",
            "138 1234 5678",
            "19912345678",
            "+85251234567",
            "+44 20 7946 0958",
            "17012345678",
        ] {
            assert!(mobile(valid), "{valid}");
        }
        for invalid in [
            "12812345678",
            "14212345678",
            "1381234567",
            "138123456789",
            "+86 12812345678",
            "138--12345678",
            "1700000000",
            "1700000000000",
            "+0123456789",
            "138 1234 5678 ",
            "",
            "+",
        ] {
            assert!(!mobile(invalid), "{invalid}");
        }
    }

    #[test]
    fn landline_numbers() {
        for valid in [
            "01062345678",
            "010-62345678",
            "(010)62345678",
            "(010) 62345678",
            "0755-26543210",
            "0755-2654321",
            "075526543210",
            "+86-10-62345678",
            "+86 0755 26543210",
            "010-62345678-801",
            "010 6234 5678",
            "4008123456",
            "400-812-3456",
            "400-8123456",
            "800-810-1234",
            "(415) 555-2671",
            "415-555-2671",
        ] {
            assert!(landline(valid), "{valid}");
        }
        for invalid in [
            "0162345678",
            "010-12345678",
            "010-623",
            "00062345678",
            "20240229",
            "010--62345678",
            "010-62345678-",
            "2024-02-29",
            "(010",
            "+86",
            "",
        ] {
            assert!(!landline(invalid), "{invalid}");
        }
    }
}
