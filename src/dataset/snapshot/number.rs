//! Cells of real columns: exact decimals, put on the grid (rule D3).

use crate::dataset::GridStep;
use crate::id::Decimal;
use crate::value::{DIGITS_MAX, Exact, NotANumber, Number, plain};

/// Reads a number as cells spell it, exactly, and rounds it to the nearest step, half to even; what lies beyond `i64` is
/// held there.
///
/// `nan` in any case, with or without a sign, is a null; `inf` and `infinity` are the extremes of `i64`.
pub(super) fn real(cell: &str, step: GridStep) -> Result<Option<i64>, NotANumber> {
    if let Some(Number { mantissa, scale }) = Number::read_short(cell) {
        return Ok(Some(nearest(mantissa, -i32::from(scale), step)));
    }
    match Exact::of_cell(cell) {
        Ok(Exact { mantissa, power }) => Ok(Some(nearest(mantissa, power, step))),
        Err(NotANumber::Form) => word(plain(cell, &mut String::new()).as_bytes()),
        Err(NotANumber::Digits) => Err(NotANumber::Digits),
    }
}

fn word(cell: &[u8]) -> Result<Option<i64>, NotANumber> {
    let (negative, word) = match cell {
        [b'-', word @ ..] => (true, word),
        [b'+', word @ ..] | word => (false, word),
    };
    if word.eq_ignore_ascii_case(b"nan") {
        Ok(None)
    } else if word.eq_ignore_ascii_case(b"inf") || word.eq_ignore_ascii_case(b"infinity") {
        Ok(Some(extreme(negative)))
    } else {
        Err(NotANumber::Form)
    }
}

const fn extreme(negative: bool) -> i64 {
    if negative { i64::MIN } else { i64::MAX }
}

/// `mantissa * 10^power` in steps.
fn nearest(mantissa: i128, power: i32, step: GridStep) -> i64 {
    if mantissa == 0 {
        return 0;
    }
    // From 2^127 on, a number is more than 10^20 steps of less than 10^18.
    let held = extreme(mantissa < 0);
    match u32::try_from(power) {
        Ok(up) => {
            let whole = 10i128.checked_pow(up).and_then(|ten| mantissa.checked_mul(ten));
            whole.and_then(|whole| Decimal::new(whole, 0)).map_or(held, |number| step.nearest(number))
        }
        Err(_) => {
            let cut = power.unsigned_abs().saturating_sub(DIGITS_MAX.into());
            let scale = power.unsigned_abs() - cut;
            let (kept, rest) = 10i128.checked_pow(cut).map_or((0, mantissa), |ten| (mantissa / ten, mantissa % ten));
            // Ties end at the 19th digit after the point: what is cut behind the 38th only matters as "there is something".
            let sticky = if rest != 0 && kept % 10 == 0 { mantissa.signum() } else { 0 };
            let number = u8::try_from(scale).ok().and_then(|scale| Decimal::new(kept + sticky, scale));
            number.map_or(held, |number| step.nearest(number))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(cell: &str, step: &str) -> Result<Option<i64>, NotANumber> {
        real(cell, GridStep::parse(step).unwrap())
    }

    #[test]
    fn numbers_are_exact_with_and_without_an_exponent() {
        for (cell, step, steps) in [
            ("0", "1", 0),
            ("-0.000", "1", 0),
            ("12.50", "0.01", 1250),
            ("+12.50", "0.01", 1250),
            ("-12.345", "0.01", -1234),
            ("-12.355", "0.01", -1236),
            ("1e3", "1", 1000),
            ("1E+03", "1", 1000),
            ("1.5e-1", "0.05", 3),
            ("100e-2", "1", 1),
            ("2.5", "1", 2),
            ("25e-1", "1", 2),
            ("0.00000000000000000000000000000000000000000001", "1", 0),
            ("1e300", "1", i64::MAX),
            ("-1e38", "1", i64::MIN),
            ("1e9999", "1", i64::MAX),
            ("1e-9999", "1", 0),
            ("0e9999", "1", 0),
            ("9223372036854775807", "1", i64::MAX),
            ("9223372036854775808", "1", i64::MAX),
            ("-9223372036854775808", "1", i64::MIN),
            ("100000000000000000000000000000000000000000000", "1", i64::MAX),
            ("0.30000000000000004", "0.1", 3),
            // A tie, and a hair above it, 30 and 60 digits further down.
            ("5e-19", "0.000000000000000001", 0),
            ("0.0000000000000000005000000000000000000000000000001", "0.000000000000000001", 1),
            ("-0.5000000000000000000000000000000000001", "1", -1),
            ("12345678901234567890123456789012345678e-60", "1", 0),
            // Other spellings of cells.
            (".5", "0.1", 5),
            ("5.", "1", 5),
            ("1.e3", "1", 1000),
            ("00001.50", "0.01", 150),
            ("1,234.50", "0.01", 123_450),
            (" １２ ", "1", 12),
        ] {
            assert_eq!(read(cell, step), Ok(Some(steps)), "{cell}");
        }
    }

    #[test]
    fn words_are_null_or_the_extremes() {
        for cell in ["nan", "NaN", "-NAN"] {
            assert_eq!(read(cell, "1"), Ok(None));
        }
        for (cell, steps) in [("inf", i64::MAX), ("+Infinity", i64::MAX), ("-INF", i64::MIN), ("-infinity", i64::MIN)] {
            assert_eq!(read(cell, "1"), Ok(Some(steps)));
        }
    }

    #[test]
    fn other_forms_and_longer_numbers_are_refused() {
        for cell in ["", "-", "+-1", ".", "1,5", "1.2.3", "1e", "1e+", "1e1.5", "e5", "1_0", "0x1", "١", "infinit", "nan0", "12,34"] {
            assert_eq!(read(cell, "1"), Err(NotANumber::Form), "{cell}");
        }
        for cell in ["100000000000000000000000000000000000001", "1.00000000000000000000000000000000000001", "1e10000", "1e-10000"] {
            assert_eq!(read(cell, "1"), Err(NotANumber::Digits), "{cell}");
        }
        assert!(read("10000000000000000000000000000000000001", "1").is_ok());
    }

    #[test]
    fn it_agrees_with_the_decimals_of_the_crate() {
        let mut state = 1u64;
        for _ in 0..2000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let text = format!("{}{}.{:05}", if state & 1 == 0 { "-" } else { "" }, state >> 52, (state >> 20) % 100_000);
            for step in ["0.01", "2^-3", "7"] {
                let step = GridStep::parse(step).unwrap();
                assert_eq!(real(&text, step), Ok(Some(step.nearest(Decimal::parse(&text).unwrap()))), "{text}");
            }
        }
    }
}
