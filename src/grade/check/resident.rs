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

const WEIGHTS: [u16; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

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
    // Plain loops over arrays, which become vectors.
    let mut highest = 0;
    let mut sum = 0;
    for at in 0..17 {
        let value = digit(digits[at]);
        highest = value.max(highest);
        sum += WEIGHTS[at] * u16::from(value);
    }
    if highest > 9 { None } else { Some(b"10X98765432"[(sum % 11) as usize]) }
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
