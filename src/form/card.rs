//! Whether a cell is the number of a payment card: issuer, length, check digit.

use super::{digit, joined};

/// The most digits of a card number (ISO/IEC 7812-1).
const DIGITS_MAX: usize = 19;

/// Whether the last digit is the check digit of those before it (ISO/IEC 7812-1 annex B); digits only, at least two.
#[must_use]
pub fn luhn(digits: impl AsRef<[u8]>) -> bool {
    /// Twice a digit, its digits added.
    const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let mut sum = 0_u32;
    let mut double = false;
    for &byte in digits.as_ref().iter().rev() {
        let value = digit(byte);
        if value > 9 {
            return false;
        }
        sum += u32::from(if double { DOUBLED[value as usize] } else { value });
        double = !double;
    }
    digits.as_ref().len() >= 2 && sum.is_multiple_of(10)
}

/// Whether the cell is the number of a payment card: 16 to 19 digits that do not begin with 0, or 14 and 15 digits of the
/// issuers that have so few, with their check digit; single blanks or dashes may stand between digits.
#[must_use]
pub fn bank_card(cell: impl AsRef<[u8]>) -> bool {
    let Some((digits, length)) = joined::<DIGITS_MAX>(cell.as_ref()) else { return false };
    let digits = &digits[..length];
    let long = (16..=DIGITS_MAX).contains(&length) && digits[0] != b'0';
    (long || is_issued(digits)) && luhn(digits)
}

/// Whether the digits begin as those of a known issuer of cards of that length. Times in micro- and nanoseconds (16 and 19
/// digits) and dates with a serial number begin otherwise.
pub(crate) fn is_issued(digits: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = digits.first_chunk::<4>() else { return false };
    match digits.len() {
        14 => a == b'3' && (b == b'6' || b == b'8' || b == b'9' || b == b'0' && (c <= b'5' || c == b'9')),
        15 => a == b'3' && (b == b'4' || b == b'7') || a == b'1',
        16..=DIGITS_MAX => match a {
            b'2' => (*b"2221"..=*b"2720").contains(&[a, b, c, d]),
            b'3'..=b'6' => true,
            b'8' => b == b'1',
            b'9' => [a, b, c, d] == *b"9558",
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers() {
        for valid in [
            "6222020200112230",
            "122000000000003",
            "371449635398431",
            "5555555555554444",
            "5019717010103742",
            "30569309025904",
            "6011000400000000",
            "3528000700000000",
            "6759649826438453",
            "4111111111111111",
            "4917300800000000",
            "4484070000000000",
            "4012-8888-8888-1881",
            "4012 8888 8888 1881",
        ] {
            assert!(bank_card(valid), "{valid}");
        }
        for invalid in [
            "1748503543012",
            "4012-8888-8888-1882",
            "36168002586008",
            "4012888888881882",
            "4012--8888-8888-1881",
            "-4012888888881881",
            "4012888888881881-",
            "",
        ] {
            assert!(!bank_card(invalid), "{invalid}");
        }
    }

    #[test]
    fn one_wrong_digit_is_always_found() {
        let valid = *b"6222020200112230";
        for at in 0..16 {
            for other in b'0'..=b'9' {
                let mut wrong = valid;
                wrong[at] = other;
                assert_eq!(luhn(wrong), wrong == valid);
            }
        }
    }
}
