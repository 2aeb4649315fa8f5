//! Decimal numbers as they are written, in bulk.

use crate::id::Decimal;

/// A decimal number, `mantissa * 10^-scale`, with the zeros behind its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) mantissa: i128,
    pub(crate) scale: u8,
}

/// So many digits fit in an `i64` whatever they are.
const SHORT: usize = 18;

impl Number {
    /// Reads what [`Decimal::parse`] reads.
    #[inline]
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        if digits.is_empty() || digits.len() > SHORT {
            return Self::read_long(text);
        }
        let mut mantissa = 0i64;
        let mut point = None;
        for (at, &byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => mantissa = mantissa * 10 + i64::from(byte - b'0'),
                b'.' if point.is_none() && at > 0 => point = Some(at),
                _ => return Self::read_long(text),
            }
        }
        let behind = point.map_or(0, |at| digits.len() - at - 1);
        if point.is_some() && behind == 0 {
            return None;
        }
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }.into(), scale: u8::try_from(behind).ok()? })
    }

    #[cold]
    fn read_long(text: &str) -> Option<Self> {
        Decimal::parse(text).ok().map(Self::from)
    }

    /// The number in units of `10^-scale`, rounded down, and whether nothing was lost; nothing when it does not fit.
    #[inline]
    pub(crate) fn floor(self, scale: u8) -> Option<(i128, bool)> {
        if scale >= self.scale {
            let up = u32::from(scale - self.scale);
            // Most numbers fit in 64 bits, which are several times as fast.
            let short =
                i64::try_from(self.mantissa).ok().zip(10i64.checked_pow(up)).and_then(|(mantissa, unit)| mantissa.checked_mul(unit));
            return match short {
                Some(units) => Some((units.into(), true)),
                None => Some((self.mantissa.checked_mul(10i128.checked_pow(up)?)?, true)),
            };
        }
        let unit = 10i128.checked_pow((self.scale - scale).into())?;
        Some((self.mantissa.div_euclid(unit), self.mantissa.rem_euclid(unit) == 0))
    }

    /// Writes it with its zeros.
    pub(crate) fn write(self, out: &mut String) {
        let mut digits = [b'0'; 41];
        let mut at = digits.len();
        let mut rest = self.mantissa.unsigned_abs();
        // At least one digit stands before the point.
        let mut left = usize::from(self.scale) + 1;
        while left > 0 || rest > 0 {
            let digit = match u64::try_from(rest) {
                Ok(short) => {
                    rest = u128::from(short / 10);
                    short % 10
                }
                Err(_) => {
                    let digit = rest % 10;
                    rest /= 10;
                    u64::try_from(digit).unwrap_or(0)
                }
            };
            at -= 1;
            digits[at] = b'0' + u8::try_from(digit).unwrap_or(0);
            left = left.saturating_sub(1);
        }
        if self.mantissa < 0 {
            out.push('-');
        }
        let (whole, part) = digits[at..].split_at(digits.len() - at - usize::from(self.scale));
        let text = |digits| std::str::from_utf8(digits).unwrap_or_default();
        out.push_str(text(whole));
        if !part.is_empty() {
            out.push('.');
            out.push_str(text(part));
        }
    }
}

impl From<Decimal> for Number {
    fn from(number: Decimal) -> Self {
        Self { mantissa: number.mantissa(), scale: number.scale() }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self { mantissa: number.into(), scale: 0 }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_decimals_read() {
        for text in [
            "",
            "-",
            "+",
            "+1",
            "0",
            "-0",
            "007",
            "1.",
            ".5",
            "1.50",
            "-1.50",
            "1.2.3",
            "1e3",
            "NaN",
            " 1",
            "1 ",
            "٣",
            "--1",
            "1-",
            "999999999999999999",
            "9999999999999999999",
            "99999999999999999999999999999999999999",
            "-0.00000000000000000000000000000000000001",
            "999999999999999999999999999999999999999",
            "0.000000000000000000",
            "123456789012345678.9",
        ] {
            let number = Number::read(text);
            let same = |number: Number| Decimal::new(number.mantissa, number.scale).unwrap();
            assert_eq!(number.map(same), Decimal::parse(text).ok(), "{text}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["0", "-1", "1.50", "0.05", "-0.50", "99999999999999999999999999999999999999", "18446744073709551616", "0.0"] {
            let mut out = String::new();
            Number::read(text).unwrap().write(&mut out);
            assert_eq!(out, text);
        }
        let mut out = String::new();
        Number { mantissa: i128::MIN, scale: 38 }.write(&mut out);
        assert_eq!(out, "-1.70141183460469231731687303715884105728");
    }

    #[test]
    fn floors_are_exact() {
        let floor = |text: &str, scale| Number::read(text).unwrap().floor(scale);
        assert_eq!(floor("1.25", 1), Some((12, false)));
        assert_eq!(floor("-1.25", 1), Some((-13, false)));
        assert_eq!(floor("-1.20", 1), Some((-12, true)));
        assert_eq!(floor("7", 3), Some((7_000, true)));
        assert_eq!(floor("99999999999999999999", 10), Some((999_999_999_999_999_999_990_000_000_000, true)));
        assert_eq!(floor("99999999999999999999999999999999999999", 1), None);
    }
}
