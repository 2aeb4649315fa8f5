//! Decimal numbers as they are written: one reader, and the profiles that say which spellings it takes.

/// Which spellings of a number are read where. All read an optional sign, digits, and a point with digits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Digits may lack on one side of the point: `.15`, `15.`
    bare_point: bool,
    /// A power of ten may follow: `1.5e3`.
    exponent: bool,
    /// Commas may stand between groups of three digits before the point: `1,234.50`.
    groups: bool,
}

impl Profile {
    /// Budgets, steps, bounds, and all other numbers in files of ours.
    pub(crate) const DECIMAL: Self = Self { bare_point: false, exponent: false, groups: false };
    /// Literals of SQL.
    #[cfg(feature = "sql")]
    pub(crate) const LITERAL: Self = Self { bare_point: true, exponent: true, groups: false };
    /// Cells of tables, as programs and people write them.
    #[cfg(feature = "records")]
    pub(crate) const CELL: Self = Self { bare_point: true, exponent: true, groups: true };
}

/// An exact number, `mantissa * 10^power`; the mantissa does not end in zero, and zero has the power 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(crate) mantissa: i128,
    pub(crate) power: i32,
}

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotANumber {
    /// It has another form.
    Form,
    /// It has too many digits.
    Digits,
}

/// More digits do not fit in an `i128`.
pub(crate) const DIGITS_MAX: u8 = 38;
/// No program writes a longer exponent.
const EXPONENT_DIGITS_MAX: usize = 4;

impl Exact {
    /// Reads a number as a profile spells it. Zeros at either end do not count as digits.
    pub(crate) fn read(text: &[u8], profile: Profile) -> Result<Self, NotANumber> {
        let (negative, number) = signed(text);
        let (digits, exponent) = match number.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) if profile.exponent => (&number[..at], self::exponent(&number[at + 1..])?),
            _ => (number, 0),
        };
        let whole = digits.iter().position(|&byte| byte == b'.').unwrap_or(digits.len());
        let grouped = digits[..whole].contains(&b',');
        if grouped && !(profile.groups && is_grouped(&digits[..whole])) {
            return Err(NotANumber::Form);
        }
        let behind = digits.len().saturating_sub(whole + 1);
        let bare = whole == 0 || whole < digits.len() && behind == 0;
        if bare && (!profile.bare_point || whole + behind == 0) {
            return Err(NotANumber::Form);
        }
        let (mut mantissa, mut count, mut zeros, mut power) = (0i128, 0, 0, 0i32);
        for (at, &byte) in digits.iter().enumerate() {
            match byte {
                b'.' | b',' if at <= whole => continue,
                b'0' => zeros += i32::from(mantissa != 0),
                b'1'..=b'9' => {
                    count += zeros + 1;
                    if count > i32::from(DIGITS_MAX) {
                        return Err(NotANumber::Digits);
                    }
                    mantissa = (0..=zeros).fold(mantissa, |mantissa, _| mantissa * 10) + i128::from(byte - b'0');
                    zeros = 0;
                }
                _ => return Err(NotANumber::Form),
            }
            power -= i32::from(at > whole);
        }
        if mantissa == 0 {
            return Ok(Self { mantissa, power: 0 });
        }
        Ok(Self { mantissa: if negative { -mantissa } else { mantissa }, power: power + zeros + exponent })
    }

    /// Reads a cell of a table: [`Profile::CELL`], in full-width digits and with blanks around it too.
    #[cfg(feature = "records")]
    #[inline]
    pub(crate) fn of_cell(cell: &str) -> Result<Self, NotANumber> {
        let read = Self::read(cell.as_bytes(), Profile::CELL);
        if read != Err(NotANumber::Form) {
            return read;
        }
        // The plain form of a cell that is not plain is shorter.
        let mut scratch = String::new();
        let plain = super::plain(cell, &mut scratch);
        if plain.len() < cell.len() { Self::read(plain.as_bytes(), Profile::CELL) } else { read }
    }

    /// As an integer and how many of its digits stand behind the point; nothing when those are more than 38 in all.
    pub(crate) fn scaled(self) -> Option<(i128, u8)> {
        let Self { mantissa, power } = self;
        match u32::try_from(power) {
            Ok(up) => {
                let whole = mantissa.checked_mul(10i128.checked_pow(up)?)?;
                (whole.unsigned_abs() < 10u128.pow(DIGITS_MAX.into())).then_some((whole, 0))
            }
            Err(_) => u8::try_from(power.unsigned_abs()).ok().filter(|scale| *scale <= DIGITS_MAX).map(|scale| (mantissa, scale)),
        }
    }

    /// Digits before and behind the point; at least one stands before it.
    #[cfg(feature = "records")]
    pub(crate) fn digits(self) -> (u32, u32) {
        let count = self.mantissa.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
        let behind = u32::try_from(-self.power).unwrap_or(0);
        (count.saturating_add_signed(self.power).max(1), behind)
    }
}

fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    }
}

fn exponent(text: &[u8]) -> Result<i32, NotANumber> {
    let (negative, digits) = signed(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotANumber::Form);
    }
    if digits.len() > EXPONENT_DIGITS_MAX {
        return Err(NotANumber::Digits);
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + i32::from(digit - b'0'));
    Ok(if negative { -value } else { value })
}

/// One to three digits, then three behind each comma. That they are digits is seen by who reads them.
fn is_grouped(whole: &[u8]) -> bool {
    let mut groups = whole.split(|&byte| byte == b',');
    groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
}

/// A whole number of 64 bits: an optional sign and digits.
#[cfg(feature = "csv")]
pub(crate) fn integer(cell: &[u8]) -> Option<i64> {
    let (negative, digits) = signed(cell);
    if digits.is_empty() {
        return None;
    }
    // Downwards, since the least integer has no positive counterpart.
    let mut value = 0i64;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// A decimal number, `mantissa * 10^-scale`, for much arithmetic: not in lowest terms.
#[cfg(feature = "records")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) mantissa: i128,
    pub(crate) scale: u8,
}

/// So many digits fit in an `i64` whatever they are.
#[cfg(feature = "records")]
const SHORT: usize = 18;

#[cfg(feature = "records")]
impl Number {
    /// Reads a cell as [`Exact::of_cell`] does. Zeros behind the point stay where the cell is a short plain decimal.
    #[inline]
    pub(crate) fn read(cell: &str) -> Option<Self> {
        Self::read_short(cell).or_else(|| Self::read_long(cell))
    }

    /// Reads a sign or none, digits, and perhaps a point between them: nearly all numbers, and none that others read
    /// differently.
    #[inline]
    pub(crate) fn read_short(cell: &str) -> Option<Self> {
        let (negative, digits) = match cell.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        if digits.is_empty() || digits.len() > SHORT {
            return None;
        }
        let mut mantissa = 0i64;
        let mut point = None;
        for (at, &byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => mantissa = mantissa * 10 + i64::from(byte - b'0'),
                b'.' if point.is_none() && at > 0 => point = Some(at),
                _ => return None,
            }
        }
        let behind = point.map_or(0, |at| digits.len() - at - 1);
        if point.is_some() && behind == 0 {
            return None;
        }
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }.into(), scale: u8::try_from(behind).ok()? })
    }

    #[cold]
    fn read_long(cell: &str) -> Option<Self> {
        Exact::of_cell(cell).ok()?.scaled().map(|(mantissa, scale)| Self { mantissa, scale })
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

#[cfg(feature = "records")]
impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self { mantissa: number.into(), scale: 0 }
    }
}

#[cfg(all(test, feature = "records"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(text: &str, profile: Profile) -> Result<(i128, i32), NotANumber> {
        Exact::read(text.as_bytes(), profile).map(|Exact { mantissa, power }| (mantissa, power))
    }

    #[test]
    fn each_profile_reads_its_spellings_and_no_other() {
        let literal = Profile { groups: false, ..Profile::CELL };
        for (text, value, [decimal, in_sql, cell]) in [
            ("0", (0, 0), [true, true, true]),
            ("-0.00", (0, 0), [true, true, true]),
            ("+1.50", (15, -1), [true, true, true]),
            ("00001.50", (15, -1), [true, true, true]),
            ("-0.05", (-5, -2), [true, true, true]),
            ("1200", (12, 2), [true, true, true]),
            (".15", (15, -2), [false, true, true]),
            ("15.", (15, 0), [false, true, true]),
            ("1.5e3", (15, 2), [false, true, true]),
            ("1.5E+03", (15, 2), [false, true, true]),
            ("-25e-1", (-25, -1), [false, true, true]),
            ("0e9999", (0, 0), [false, true, true]),
            ("1,234.50", (12_345, -1), [false, false, true]),
            ("-12,345,678", (-12_345_678, 0), [false, false, true]),
        ] {
            for (profile, reads) in [(Profile::DECIMAL, decimal), (literal, in_sql), (Profile::CELL, cell)] {
                assert_eq!(exact(text, profile), if reads { Ok(value) } else { Err(NotANumber::Form) }, "{text} {profile:?}");
            }
        }
        for text in [
            "",
            "-",
            "+",
            "+-1",
            "--1",
            ".",
            "-.",
            " 1",
            "1 ",
            "1-",
            "1.2.3",
            "1e",
            "1e+",
            "1e1.5",
            "e5",
            ".e5",
            "1_0",
            "0x1",
            "NaN",
            "inf",
            "٣",
            "1,5",
            "1,23",
            "12,34,567",
            ",123",
            "1234,567",
            "1,234,",
            "1.234,567",
            "1,2345",
            "1,-23",
        ] {
            assert_eq!(exact(text, Profile::CELL), Err(NotANumber::Form), "{text}");
        }
        for text in ["100000000000000000000000000000000000001", "1.00000000000000000000000000000000000001", "1e10000", "1e-10000"] {
            assert_eq!(exact(text, Profile::CELL), Err(NotANumber::Digits), "{text}");
        }
        let zeros = format!("{}1{}", "0".repeat(300), "0".repeat(200));
        assert_eq!(exact(&zeros, Profile::CELL), Ok((1, 200)));
    }

    #[test]
    fn cells_are_read_at_the_same_value_however_they_are_spelt() {
        for (text, mantissa, scale) in [
            ("1.50", 150, 2),
            ("-1.50", -150, 2),
            ("+1.50", 15, 1),
            ("00001.50", 150, 2),
            ("1.5e3", 1_500, 0),
            (".15", 15, 2),
            ("5.", 5, 0),
            ("1,234.5", 12_345, 1),
            (" 12 ", 12, 0),
            ("１２．５", 125, 1),
            ("　－３", -3, 0),
            ("999999999999999999", 999_999_999_999_999_999, 0),
            ("9999999999999999999", 9_999_999_999_999_999_999, 0),
            ("-0.00000000000000000000000000000000000001", -1, 38),
            ("0.000000000000000000", 0, 0),
        ] {
            assert_eq!(Number::read(text), Some(Number { mantissa, scale }), "{text}");
        }
        for text in ["", "-", "1.2.3", "NaN", "1 2", "٣", "999999999999999999999999999999999999999", "1e38", "1e-39", "¥12"] {
            assert_eq!(Number::read(text), None, "{text}");
        }
    }

    proptest! {
        /// The short way is the long one, where it goes.
        #[test]
        fn short_numbers_are_read_at_their_exact_value(cell in "-?[0-9]{0,12}[.]?[0-9]{0,7}|[-+.,eE0-9 ]{0,9}") {
            if let Some(Number { mantissa, scale }) = Number::read_short(&cell) {
                let exact = Exact::of_cell(&cell).unwrap();
                prop_assert_eq!(Some(mantissa), exact.mantissa.checked_mul(10i128.pow((i32::from(scale) + exact.power).unsigned_abs())));
                prop_assert!(exact.power + i32::from(scale) >= 0);
            }
        }
    }

    #[test]
    fn digits_are_counted_on_both_sides_of_the_point() {
        for (text, digits) in
            [("0", (1, 0)), ("0.05", (1, 2)), ("1.5e3", (4, 0)), ("123.45", (3, 2)), ("12e-5", (1, 5)), ("1e300", (301, 0))]
        {
            assert_eq!(Exact::read(text.as_bytes(), Profile::CELL).unwrap().digits(), digits, "{text}");
        }
    }

    #[test]
    fn integers_are_a_sign_and_digits_in_range() {
        let cases: [(&[u8], Option<i64>); 14] = [
            (b"0", Some(0)),
            (b"-0", Some(0)),
            (b"+7", Some(7)),
            (b"007", Some(7)),
            (b"9223372036854775807", Some(i64::MAX)),
            (b"-9223372036854775808", Some(i64::MIN)),
            (b"9223372036854775808", None),
            (b"-9223372036854775809", None),
            (b"-", None),
            (b"+-1", None),
            (b" 1", None),
            (b"1.0", None),
            (b"1e3", None),
            ("１".as_bytes(), None),
        ];
        for (cell, expected) in cases {
            assert_eq!(integer(cell), expected);
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
