//! One cell: what it looks like. By length and the classes of its bytes first, so that few checks see it.

use super::super::check::{self, NameForm};
use super::super::free_text;

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

/// A number in canonical form, by its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text,
    Number { whole: u8, scale: u8 },
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

/// What a cell that is not empty looks like, and whether it is a number.
pub(super) fn look(cell: &str) -> (Seen, Value) {
    let bytes = cell.as_bytes();
    if bytes.len() > SHORT {
        return (long(cell), Value::Text);
    }
    let classes = bytes.iter().fold(0, |classes, &byte| classes | CLASSES[byte as usize]);
    match classes {
        DIGIT => (digits(bytes), number(bytes)),
        HIGH => (high(cell), Value::Text),
        _ if classes & HIGH != 0 => (mixed(cell), Value::Text),
        _ if classes & BLANK != 0 && cell.trim_ascii().len() < cell.len() => {
            let trimmed = cell.trim_ascii();
            (if trimmed.is_empty() { Seen::Text } else { look(trimmed).0 }, Value::Text)
        }
        _ if classes & !(DIGIT | DASH | POINT) == 0 && is_number(bytes) => (Seen::Number, number(bytes)),
        _ => (ascii(cell, classes), Value::Text),
    }
}

fn digits(bytes: &[u8]) -> Seen {
    match bytes.len() {
        18 if check::resident_id(bytes) => Seen::ResidentId,
        18 if check::uscc(bytes) => Seen::Uscc,
        15 if check::resident_id(bytes) => Seen::ResidentIdOld,
        14 | 17 if check::compact_time(bytes) => Seen::DatePlain,
        14..=19 if check::is_issued(bytes) => {
            if check::luhn(bytes) {
                Seen::BankCard
            } else {
                Seen::CardLike
            }
        }
        18 => Seen::LongCode,
        8 if check::compact_date(bytes) => Seen::DatePlain,
        11 if check::mainland_mobile(bytes) => Seen::Mobile,
        12 | 13 if check::mobile(bytes) => Seen::Mobile,
        10..=12 if check::plain_landline(bytes) => Seen::LandlinePlain,
        11 if bytes[0] != b'0' => Seen::MobileLike,
        1..=13 if bytes[0] != b'0' || bytes.len() == 1 => Seen::Number,
        ..=19 if bytes[0] != b'0' => Seen::Number,
        _ => Seen::Code,
    }
}

fn ascii(cell: &str, classes: u8) -> Seen {
    let bytes = cell.as_bytes();
    if classes & AT != 0 {
        return if check::email(bytes) { Seen::Email } else { Seen::Text };
    }
    let first = bytes[0];
    match classes {
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
            if check::date(cell) {
                Seen::Date
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
                words(cell, classes)
            }
        }
        _ => words(cell, classes),
    }
}

/// Words, codes and text of ASCII characters.
fn words(cell: &str, classes: u8) -> Seen {
    if classes & DIGIT == 0 {
        return if check::name_form(cell.as_bytes()) == Some(NameForm::Latin) { Seen::Latin } else { Seen::Text };
    }
    if classes & OTHER != 0 && cell.contains(':') && check::ip(cell) {
        return Seen::Ip;
    }
    if classes & BLANK == 0 {
        return Seen::Code;
    }
    if check::address(cell) {
        Seen::Address
    } else if check::date(cell) {
        Seen::Date
    } else {
        Seen::Text
    }
}

fn high(cell: &str) -> Seen {
    let bytes = cell.as_bytes();
    // Most cells of Han characters alone are names and words.
    match check::name_form(bytes) {
        Some(NameForm::Surname | NameForm::Dotted) => return Seen::Name,
        Some(NameForm::Han) => return Seen::Han,
        Some(NameForm::Latin) => return Seen::Latin,
        None => {}
    }
    if check::address(cell) { Seen::Address } else { narrow(cell) }
}

/// Han characters and others together.
fn mixed(cell: &str) -> Seen {
    let bytes = cell.as_bytes();
    if matches!(check::name_form(bytes), Some(NameForm::Dotted | NameForm::Latin)) {
        return if bytes[0] < 0xe0 { Seen::Latin } else { Seen::Name };
    }
    if (9..=14).contains(&bytes.len()) && check::plate(cell) {
        return Seen::Plate;
    }
    if check::date(cell) {
        return Seen::Date;
    }
    if check::address(cell) {
        return Seen::Address;
    }
    if is_money(cell) { Seen::Money } else { narrow(cell) }
}

/// Full-width characters as their ASCII forms, and blanks of all sorts away.
fn narrow(cell: &str) -> Seen {
    let bytes = cell.as_bytes();
    if matches!(bytes[0], 0xef | 0xe3) || bytes.last().is_some_and(|&last| last < 0xa0) {
        let mut buffer = [0; SHORT];
        if let Some(narrow) = free_text::narrow_into(cell, &mut buffer).and_then(|narrow| str::from_utf8(narrow).ok())
            && !narrow.is_empty()
        {
            return look(narrow).0;
        }
    }
    let trimmed = cell.trim();
    if trimmed.len() < cell.len() && !trimmed.is_empty() { look(trimmed).0 } else { Seen::Text }
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

/// The digits of a number without plus sign, exponent and needless zeros.
fn number(bytes: &[u8]) -> Value {
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = unsigned.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let zero = unsigned.first() == Some(&b'0');
    if whole == 0 || zero && whole > 1 {
        return Value::Text;
    }
    let scale = match &unsigned[whole..] {
        [] => 0,
        [b'.', fraction @ ..] if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) => fraction.len(),
        _ => return Value::Text,
    };
    // Minus zero is none, and integers must fit in 64 bits.
    let is_minus_zero = unsigned.len() < bytes.len() && unsigned.iter().all(|byte| matches!(byte, b'0' | b'.'));
    let fits = scale > 0 || whole < 19 || str::from_utf8(bytes).is_ok_and(|text| text.parse::<i64>().is_ok());
    match (u8::try_from(whole), u8::try_from(scale)) {
        (Ok(whole), Ok(scale)) if !is_minus_zero => Value::Number { whole: if fits { whole } else { whole.max(20) }, scale },
        _ => Value::Text,
    }
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
        for (cell, value) in [
            ("0", number(1, 0)),
            ("-7", number(1, 0)),
            ("120", number(3, 0)),
            ("9223372036854775807", number(19, 0)),
            ("9223372036854775808", number(20, 0)),
            ("-9223372036854775808", number(19, 0)),
            ("0.50", number(1, 2)),
            ("007", Value::Text),
            ("+7", Value::Text),
            ("-0", Value::Text),
            ("-0.0", Value::Text),
            (".5", Value::Text),
            ("5.", Value::Text),
            ("1e3", Value::Text),
            ("1-2", Value::Text),
            ("7 ", Value::Text),
        ] {
            assert_eq!(look(cell).1, value, "{cell}");
        }
    }
}
