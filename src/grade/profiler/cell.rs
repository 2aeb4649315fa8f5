//! One cell: what it looks like. By length and the classes of its bytes first, so that few checks see it.

use super::super::check::{self, NameForm};
use crate::form::narrow_into;
use crate::value::Exact;

/// What a whole cell looks like. Exactly one for every cell that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Seen {
    ResidentId,
    /// The form of before 1999, which has no check digit.
    ResidentIdOld,
    Uscc,
    /// 18 characters of such a number whose check character is wrong.
    LongCode,
    BankCard,
    /// Digits of an issuer of cards whose check digit is wrong.
    CardLike,
    Mobile,
    /// Eleven digits without the prefix of one.
    MobileLike,
    /// With punctuation.
    Landline,
    /// Digits alone.
    LandlinePlain,
    Email,
    Plate,
    Passport,
    Ip,
    Date,
    /// Digits alone.
    DatePlain,
    /// A month of a year, without a day.
    YearMonth,
    /// With a known surname, or a middle dot.
    Name,
    /// Two to four Han characters.
    Han,
    /// Words of letters, the first with a capital.
    Latin,
    /// One word of letters.
    Word,
    Address,
    /// A number with a currency or thousands separators.
    Money,
    Number,
    /// Letters, digits and punctuation without blanks.
    Code,
    Text,
}

/// How many there are.
pub(super) const SEEN: usize = Seen::Text as usize + 1;

/// What the cell says as a value, whatever it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text,
    /// A number in canonical form, by its digits before and behind the point.
    Number {
        whole: u8,
        scale: u8,
    },
    /// A number that techniques read, in another spelling.
    Spelt {
        whole: u8,
        scale: u8,
    },
    /// An integer with needless zeros in front: a code, unless the column is one of numbers.
    Padded {
        whole: u8,
    },
    /// A date whose year stands last, by the orders in which its day exists.
    YearLast {
        day_first: bool,
        month_first: bool,
    },
}

const DIGIT: u8 = 1;
const LETTER: u8 = 2;
const BLANK: u8 = 4;
const DASH: u8 = 8;
const POINT: u8 = 16;
const HIGH: u8 = 32;
const AT: u8 = 64;
const OTHER: u8 = 128;

const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' | b'a'..=b'z' => LETTER,
            b' ' | b'\t' => BLANK,
            b'-' => DASH,
            b'.' => POINT,
            b'@' => AT,
            0x80..=0xff => HIGH,
            _ => OTHER,
        };
        if byte == 255 {
            break classes;
        }
        byte += 1;
    }
};

/// Longer cells are text; no kind but addresses and e-mail has so many bytes.
const SHORT: usize = 64;

/// What a cell that is not empty looks like, and what it is as a value.
pub(super) fn look(cell: &str) -> (Seen, Value) {
    let bytes = cell.as_bytes();
    if bytes.len() > SHORT {
        return (long(cell), Value::Text);
    }
    let classes = bytes.iter().fold(0, |classes, &byte| classes | CLASSES[byte as usize]);
    match classes {
        DIGIT => (digits(cell), number(cell)),
        HIGH => high(cell),
        _ if classes & HIGH != 0 => mixed(cell),
        _ if classes & BLANK != 0 && cell.trim_ascii().len() < cell.len() => {
            let trimmed = cell.trim_ascii();
            if trimmed.is_empty() { (Seen::Text, Value::Text) } else { spelt(look(trimmed)) }
        }
        _ if classes & !(DIGIT | DASH | POINT) == 0 && is_number(bytes) => (Seen::Number, number(cell)),
        _ => ascii(cell, classes),
    }
}

fn digits(cell: &str) -> Seen {
    let bytes = cell.as_bytes();
    match bytes.len() {
        18 if check::resident_id(bytes) => Seen::ResidentId,
        18 if check::uscc(bytes) => Seen::Uscc,
        15 if check::resident_id(bytes) => Seen::ResidentIdOld,
        14 | 17 if check::compact_date(cell) => Seen::DatePlain,
        14..=19 if check::is_issued(bytes) => {
            if check::luhn(bytes) {
                Seen::BankCard
            } else {
                Seen::CardLike
            }
        }
        18 => Seen::LongCode,
        8 if check::compact_date(cell) => Seen::DatePlain,
        11 if check::mainland_mobile(bytes) => Seen::Mobile,
        12 | 13 if check::mobile(bytes) => Seen::Mobile,
        10..=12 if check::plain_landline(bytes) => Seen::LandlinePlain,
        11 if bytes[0] != b'0' => Seen::MobileLike,
        1..=13 if bytes[0] != b'0' || bytes.len() == 1 => Seen::Number,
        ..=19 if bytes[0] != b'0' => Seen::Number,
        _ => Seen::Code,
    }
}

fn ascii(cell: &str, classes: u8) -> (Seen, Value) {
    let bytes = cell.as_bytes();
    if classes & AT != 0 {
        return (if check::email(bytes) { Seen::Email } else { Seen::Text }, Value::Text);
    }
    let first = bytes[0];
    let seen = match classes {
        LETTER if first.is_ascii_uppercase() => Seen::Latin,
        LETTER => Seen::Word,
        _ if classes == DIGIT | LETTER => match bytes.len() {
            18 if check::resident_id(bytes) => Seen::ResidentId,
            18 if check::uscc(bytes) => Seen::Uscc,
            18 => Seen::LongCode,
            8..=11 if check::passport(bytes) => Seen::Passport,
            _ => Seen::Code,
        },
        _ if classes & DIGIT != 0 && (first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'(' | b':' | b'$' | b'.')) => {
            if let Some(date) = date(cell) {
                return date;
            } else if check::ip(bytes) {
                Seen::Ip
            } else if check::bank_card(bytes) {
                Seen::BankCard
            } else if check::mobile(bytes) {
                Seen::Mobile
            } else if check::landline(bytes) {
                Seen::Landline
            } else if is_money(cell) {
                Seen::Money
            } else if check::organisation_code(bytes) {
                Seen::Uscc
            } else {
                return words(cell, classes);
            }
        }
        _ => return words(cell, classes),
    };
    valued(seen, cell)
}

/// Codes and amounts may be numbers: `1.5e3`, `+7`, `1,234.50`.
fn valued(seen: Seen, cell: &str) -> (Seen, Value) {
    let is_of_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b',' | b'e' | b'E');
    if !(matches!(seen, Seen::Code | Seen::Money) && cell.bytes().all(is_of_number)) {
        return (seen, Value::Text);
    }
    match (seen, number(cell)) {
        (Seen::Code, value @ Value::Spelt { .. }) => (Seen::Number, value),
        other => other,
    }
}

/// The same in another spelling than the one that was looked at.
fn spelt((seen, value): (Seen, Value)) -> (Seen, Value) {
    match value {
        Value::Number { whole, scale } => (seen, Value::Spelt { whole, scale }),
        other => (seen, other),
    }
}

/// A date or a month of a year.
fn date(cell: &str) -> Option<(Seen, Value)> {
    let mut scratch = String::new();
    let date = check::read_date(cell, &mut scratch)?;
    let value = date.orders().map_or(Value::Text, |(day_first, month_first)| Value::YearLast {
        day_first: day_first.is_some(),
        month_first: month_first.is_some(),
    });
    Some((if date.has_day() { Seen::Date } else { Seen::YearMonth }, value))
}

/// Words, codes and text of ASCII characters.
fn words(cell: &str, classes: u8) -> (Seen, Value) {
    let text = |seen| (seen, Value::Text);
    if classes & DIGIT == 0 {
        return text(if check::name_form(cell.as_bytes()) == Some(NameForm::Latin) { Seen::Latin } else { Seen::Text });
    }
    if classes & OTHER != 0 && cell.contains(':') && check::ip(cell) {
        return text(Seen::Ip);
    }
    if classes & BLANK == 0 {
        return valued(Seen::Code, cell);
    }
    if check::address(cell) { text(Seen::Address) } else { date(cell).unwrap_or(text(Seen::Text)) }
}

fn high(cell: &str) -> (Seen, Value) {
    let bytes = cell.as_bytes();
    // Most cells of Han characters alone are names and words.
    let name = match check::name_form(bytes) {
        Some(NameForm::Surname | NameForm::Dotted) => Some(Seen::Name),
        Some(NameForm::Han) => Some(Seen::Han),
        Some(NameForm::Latin) => Some(Seen::Latin),
        None => None,
    };
    if let Some(name) = name {
        return (name, Value::Text);
    }
    // Four characters of three bytes are a year, in numerals or full-width digits.
    if bytes.get(12..15) == Some("年".as_bytes())
        && let Some(date) = date(cell)
    {
        return date;
    }
    if check::address(cell) { (Seen::Address, Value::Text) } else { narrow(cell) }
}

/// Han characters and others together.
fn mixed(cell: &str) -> (Seen, Value) {
    let bytes = cell.as_bytes();
    if matches!(check::name_form(bytes), Some(NameForm::Dotted | NameForm::Latin)) {
        return (if bytes[0] < 0xe0 { Seen::Latin } else { Seen::Name }, Value::Text);
    }
    if (9..=14).contains(&bytes.len()) && check::plate(cell) {
        return (Seen::Plate, Value::Text);
    }
    if let Some(date) = date(cell) {
        return date;
    }
    if check::address(cell) {
        return (Seen::Address, Value::Text);
    }
    if is_money(cell) { (Seen::Money, Value::Text) } else { narrow(cell) }
}

/// Full-width characters as their ASCII forms, and blanks of all sorts away.
fn narrow(cell: &str) -> (Seen, Value) {
    let bytes = cell.as_bytes();
    if matches!(bytes[0], 0xef | 0xe3) || bytes.last().is_some_and(|&last| last < 0xa0) {
        let mut buffer = [0; SHORT];
        if let Some(narrow) = narrow_into(cell, &mut buffer).and_then(|narrow| str::from_utf8(narrow).ok())
            && !narrow.is_empty()
        {
            return spelt(look(narrow));
        }
    }
    let trimmed = cell.trim();
    if trimmed.len() < cell.len() && !trimmed.is_empty() { spelt(look(trimmed)) } else { (Seen::Text, Value::Text) }
}

fn long(cell: &str) -> Seen {
    if check::address(cell) {
        Seen::Address
    } else if cell.len() <= 320 && check::email(cell) {
        Seen::Email
    } else {
        Seen::Text
    }
}

/// A number: canonical without plus sign, exponent, separators and needless zeros in front.
fn number(cell: &str) -> Value {
    canonical(cell.as_bytes()).unwrap_or_else(|| {
        let Some(exact) = Exact::of_cell(cell).ok().filter(|exact| exact.scaled().is_some()) else { return Value::Text };
        // At most 38 digits on either side.
        let [whole, scale] = <[u32; 2]>::from(exact.digits()).map(|digits| u8::try_from(digits).unwrap_or(u8::MAX));
        if cell.bytes().all(|byte| byte.is_ascii_digit()) { Value::Padded { whole } } else { Value::Spelt { whole, scale } }
    })
}

fn canonical(bytes: &[u8]) -> Option<Value> {
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = unsigned.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let zero = unsigned.first() == Some(&b'0');
    if whole == 0 || zero && whole > 1 {
        return None;
    }
    let scale = match &unsigned[whole..] {
        [] => 0,
        [b'.', fraction @ ..] if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) => fraction.len(),
        _ => return None,
    };
    // Minus zero is none, and integers must fit in 64 bits.
    let is_minus_zero = unsigned.len() < bytes.len() && unsigned.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let fits = scale > 0 || whole < 19 || str::from_utf8(bytes).is_ok_and(|text| text.parse::<i64>().is_ok());
    let (whole, scale) = (u8::try_from(whole).ok()?, u8::try_from(scale).ok()?);
    (!is_minus_zero).then_some(Value::Number { whole: if fits { whole } else { whole.max(20) }, scale })
}

/// A number as people write it: sign, digits, a point.
fn is_number(bytes: &[u8]) -> bool {
    let unsigned = bytes.strip_prefix(b"-").or(bytes.strip_prefix(b"+")).unwrap_or(bytes);
    let mut parts = unsigned.splitn(2, |&byte| byte == b'.');
    let mut digits = 0;
    parts.all(|part| {
        digits += part.len();
        part.iter().all(u8::is_ascii_digit)
    }) && digits > 0
}

/// A number of at most two decimals with a currency, or with thousands separators.
fn is_money(cell: &str) -> bool {
    let plain = cell.trim_start_matches(['¥', '￥', '$', '€', '£']).trim_start();
    let plain = ["万元", "元", " CNY", " RMB", " USD", " EUR"].iter().find_map(|unit| plain.strip_suffix(unit)).unwrap_or(plain);
    let unsigned = plain.strip_prefix('-').unwrap_or(plain);
    let (whole, cents) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let separated = whole.contains(',');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(first)
        && (!separated || first.len() <= 3)
        && groups.all(|group| group.len() == 3 && digits(group))
        && digits(cents)
        && (cents.len() <= 2 || cell.ends_with("万元"))
        && (separated || plain.len() < cell.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        for (cell, seen) in [
            ("11010519491231002X", Seen::ResidentId),
            ("110105194912310021", Seen::LongCode),
            ("110105491231002", Seen::ResidentIdOld),
            ("１１０１０５１９４９１２３１００２Ｘ", Seen::ResidentId),
            ("11010519491231００２X", Seen::ResidentId),
            (" 11010519491231002X ", Seen::ResidentId),
            ("91310115MA1K3BTP2B", Seen::Uscc),
            ("6222020200112230", Seen::BankCard),
            ("6222 0202 0011 2230", Seen::BankCard),
            ("6222020200112231", Seen::CardLike),
            ("1748503543012345", Seen::Number),
            ("13812345678", Seen::Mobile),
            ("+86 138-1234-5678", Seen::Mobile),
            ("14212345678", Seen::MobileLike),
            ("010-62345678", Seen::Landline),
            ("01062345678", Seen::LandlinePlain),
            ("a@b.com", Seen::Email),
            ("粤BD12345", Seen::Plate),
            ("E12345678", Seen::Passport),
            ("192.168.0.1", Seen::Ip),
            ("fe80::1", Seen::Ip),
            ("::1", Seen::Ip),
            ("2024-02-29", Seen::Date),
            ("2024年2月29日", Seen::Date),
            ("20240229", Seen::DatePlain),
            ("29/02/2024", Seen::Date),
            ("February 29, 2024", Seen::Date),
            ("二〇二四年二月二十九日", Seen::Date),
            ("２０２４年２月２９日", Seen::Date),
            ("２０２４－０２－２９", Seen::Date),
            ("2024-02", Seen::YearMonth),
            ("2024年2月", Seen::YearMonth),
            ("二〇二四年二月", Seen::YearMonth),
            ("1.5e3", Seen::Number),
            ("15e3", Seen::Number),
            ("+1.50", Seen::Number),
            (".15", Seen::Number),
            ("00001.50", Seen::Number),
            ("１２．５", Seen::Number),
            ("+8613812345678", Seen::Mobile),
            ("1e99", Seen::Code),
            ("20230229", Seen::Number),
            ("王小明", Seen::Name),
            ("北京", Seen::Han),
            ("John Smith", Seen::Latin),
            ("male", Seen::Word),
            ("北京市朝阳区建国路88号", Seen::Address),
            ("12 Elm Road", Seen::Address),
            ("¥12.50", Seen::Money),
            ("1,234.50", Seen::Money),
            ("3000元", Seen::Money),
            ("12.50", Seen::Number),
            ("-3", Seen::Number),
            ("0012", Seen::Code),
            ("AB-12", Seen::Code),
            ("550e8400-e29b-41d4-a716-446655440000", Seen::Code),
            ("今天天气很好", Seen::Text),
            ("hello, world", Seen::Text),
            ("👨‍👩‍👧", Seen::Text),
            ("   ", Seen::Text),
            ("　", Seen::Text),
        ] {
            assert_eq!(look(cell).0, seen, "{cell}");
        }
    }

    #[test]
    fn values() {
        let number = |whole, scale| Value::Number { whole, scale };
        let spelt = |whole, scale| Value::Spelt { whole, scale };
        let year_last = |day_first, month_first| Value::YearLast { day_first, month_first };
        for (cell, value) in [
            ("0", number(1, 0)),
            ("-7", number(1, 0)),
            ("120", number(3, 0)),
            ("9223372036854775807", number(19, 0)),
            ("9223372036854775808", number(20, 0)),
            ("-9223372036854775808", number(19, 0)),
            ("0.50", number(1, 2)),
            ("007", Value::Padded { whole: 1 }),
            ("+7", spelt(1, 0)),
            ("-0", spelt(1, 0)),
            ("-0.0", spelt(1, 0)),
            (".5", spelt(1, 1)),
            ("5.", spelt(1, 0)),
            ("1e3", spelt(4, 0)),
            ("00001.50", spelt(1, 1)),
            ("1,234.50", spelt(4, 1)),
            ("7 ", spelt(1, 0)),
            ("　７．５", spelt(1, 1)),
            ("1-2", Value::Text),
            ("1e38", Value::Text),
            ("¥12.50", Value::Text),
            ("3000元", Value::Text),
            ("2024-02-29", Value::Text),
            ("05/06/2024", year_last(true, true)),
            ("29/02/2024", year_last(true, false)),
            ("2.29.2024 08:30", year_last(false, true)),
        ] {
            assert_eq!(look(cell).1, value, "{cell}");
        }
    }
}
