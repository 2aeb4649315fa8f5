//! Whether a cell is the number of a resident (居民身份证号): region, day of birth, check character.

use super::calendar::is_day;
use super::digit;

/// The first two digits of regions: provinces, Taiwan, Hong Kong, Macao, residents from there, foreign residents.
static PROVINCES: [bool; 100] = {
    let list = [
        11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81,
        82, 83, 91,
    ];
    let (mut known, mut at) = ([false; 100], 0);
    while at < list.len() {
        known[list[at]] = true;
        at += 1;
    }
    known
};

const FIRST: [u64; 2] = lanes([7, 9, 10, 5, 8, 4, 2, 1]);
const SECOND: [u64; 2] = lanes([6, 3, 7, 9, 10, 5, 8, 4]);
const LAST: u64 = 2;

/// Whether the cell is the number of a resident: 18 characters with province, a day from 1800 to 2099 and the check
/// character (`X` or `x` for ten), or the old 15 digits with province and a day of the 20th century.
#[must_use]
pub fn resident_id(cell: impl AsRef<[u8]>) -> bool {
    let cell = cell.as_ref();
    match cell.len() {
        18 => cell.first_chunk().is_some_and(is_current),
        15 => cell.first_chunk().is_some_and(is_old),
        _ => false,
    }
}

/// The check character of the first 17 digits (ISO 7064, MOD 11-2).
#[must_use]
pub fn resident_check_character(digits: &[u8; 17]) -> Option<u8> {
    let (Some(first), Some(second)) = (digits.first_chunk::<8>(), digits[8..].first_chunk::<8>()) else { return None };
    let last = digit(digits[16]);
    let sum = weighted(first, &FIRST)? + weighted(second, &SECOND)? + LAST * u64::from(last);
    if last > 9 { None } else { Some(b"10X98765432"[(sum % 11) as usize]) }
}

/// Eight digits times their weights: digits in the bytes of a word, those at even and odd places in turn in lanes of 16 bits,
/// and the sum of four products in the highest lane of one multiplication. No lane reaches 2^16.
fn weighted(digits: &[u8; 8], weights: &[u64; 2]) -> Option<u64> {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let values = u64::from_le_bytes(*digits) ^ 0x3030_3030_3030_3030;
    // Adding 0x76 to more than nine sets the high bit, if it is not set already.
    if (values | values.wrapping_add(0x7676_7676_7676_7676)) & HIGH != 0 {
        return None;
    }
    Some(((values & EVEN).wrapping_mul(weights[0]) >> 48) + ((values >> 8 & EVEN).wrapping_mul(weights[1]) >> 48))
}

/// Weights of eight places for [`weighted`]: even places, odd places.
const fn lanes(weights: [u64; 8]) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h] = weights;
    [a << 48 | c << 32 | e << 16 | g, b << 48 | d << 32 | f << 16 | h]
}

fn is_current(cell: &[u8; 18]) -> bool {
    let Some((body, &[check])) = cell.split_first_chunk::<17>() else { return false };
    let Some(expected) = resident_check_character(body) else { return false };
    let year = 100 * two(body, 6) + two(body, 8);
    (check == expected || check == b'x' && expected == b'X')
        && is_province(two(body, 0))
        && (1800..=2099).contains(&year)
        && is_day(year, two(body, 10), two(body, 12))
}

fn is_old(cell: &[u8; 15]) -> bool {
    cell.iter().all(u8::is_ascii_digit) && is_province(two(cell, 0)) && is_day(1900 + two(cell, 6), two(cell, 8), two(cell, 10))
}

fn is_province(code: u32) -> bool {
    PROVINCES.get(code as usize) == Some(&true)
}

/// Two digits as a number.
fn two(digits: &[u8], at: usize) -> u32 {
    10 * u32::from(digit(digits[at])) + u32::from(digit(digits[at + 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers() {
        for valid in [
            "360426199101010071",
            "44011320141005001X",
            "44011320141005001x",
            "412723199010050012",
            "110102199101010078",
            "11010519491231002X",
            "440524188001010014",
            "110105491231002",
        ] {
            assert!(resident_id(valid), "{valid}");
        }
        for (invalid, why) in [
            ("36042619910102009X", "check"),
            ("360426199113010079", "month"),
            ("T60426199101010078", "form"),
            ("990426199112010074", "region"),
            ("110105491331002", "month of the old form"),
            ("110105490230002", "day of the old form"),
            ("11010519491231002", "17 digits"),
            ("11010519491231002X1", "19 characters"),
            ("", "nothing"),
        ] {
            assert!(!resident_id(invalid), "{why}");
        }
    }

    #[test]
    fn one_wrong_digit_is_always_found() {
        let valid = *b"11010519491231002X";
        for at in 0..17 {
            for other in b'0'..=b'9' {
                let mut wrong = valid;
                wrong[at] = other;
                assert_eq!(resident_id(wrong), wrong == valid);
            }
        }
    }
}
