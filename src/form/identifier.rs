//! Whether the name of a column is a cell: a first record taken for a header names columns with what people have.

use super::person::{Sure, person};
use super::{
    address, bank_card, compact_date, date, digit, email, ip, is_issued, joined, landline, luhn, mainland_mobile, mobile, narrow, passport,
    plate, read_date, resident_id, uscc,
};

/// Longer names are not read: those of columns are at most 128 bytes.
const BYTES_MAX: usize = 512;

/// Digits of a number that no header has: barcodes end at 14.
const DIGITS_MIN: usize = 15;

/// What a header is as a cell that leads to one person: the word of its kind. None for what may stand in a header.
///
/// Forms with check digits and prefixes count also inside a longer text (`tel 13812345678`), wrong check digits too where
/// nothing else is so long. Dates, years and short numbers are names of columns in many tables.
pub(crate) fn identifier(header: &str) -> Option<&'static str> {
    with_narrow(header, |text| whole(text).or_else(|| inside(text)))
}

/// The first of these headers that is a cell by [`identifier`], or the name of a person: where it stands, counted from 0.
///
/// Names are words too (高明, 金华): one that is not unmistakable counts only beside a number, a date or an address.
pub(crate) fn first_identifier(headers: &[&str]) -> Option<(usize, &'static str)> {
    let strict = headers.iter().position(|header| identifier(header).is_some());
    let named = |least: Sure| headers.iter().position(|header| with_narrow(header, person) >= Some(least));
    let beside_value = || headers.iter().any(|header| with_narrow(header, |text| is_value(text).then_some(())).is_some());
    let named = named(Sure::Alone).or_else(|| named(Sure::Form).filter(|_| beside_value()));
    let at = strict.into_iter().chain(named).min()?;
    Some((at, identifier(headers[at]).unwrap_or("name")))
}

/// The first of these headers that may be the name of a person: where it stands, counted from 0. Words are among them.
pub(crate) fn first_person(headers: &[&str]) -> Option<usize> {
    headers.iter().position(|header| with_narrow(header, person).is_some())
}

/// A header without blanks around it, full-width forms made half-width.
fn with_narrow<T>(header: &str, look: impl Fn(&str) -> Option<T>) -> Option<T> {
    if header.len() > BYTES_MAX {
        return None;
    }
    match narrow(header) {
        None => look(header.trim()),
        Some(narrow) => look(narrow.text.trim()),
    }
}

fn whole(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || is_date(text) {
        return None;
    }
    if let Some((digits, length)) = joined::<40>(bytes) {
        return number(&digits[..length], bytes);
    }
    // `110105 19491231 002X`.
    let compact: Vec<u8> = bytes.iter().copied().filter(|byte| !matches!(byte, b' ' | b'-')).collect();
    let is_serial = |text: &str| !text.get(1..).is_some_and(compact_date);
    Some(match () {
        () if is_resident(&compact) => "resident_id",
        () if uscc(&compact) => "uscc",
        () if mobile(bytes) => "mobile",
        () if landline(bytes) => "landline",
        () if email(bytes) => "email",
        () if plate(text) => "plate",
        () if passport(bytes) && is_serial(text) => "passport",
        () if bytes.len() > 4 && ip(bytes) => "ip",
        () if is_iban(&compact) => "bank_card",
        () if is_house(text) => "address",
        () => return None,
    })
}

/// Digits, with blanks and dashes between them or without.
fn number(digits: &[u8], written: &[u8]) -> Option<&'static str> {
    Some(match () {
        () if is_resident(digits) => "resident_id",
        () if bank_card(digits) || is_issued(digits) && digits.len() > DIGITS_MIN => "bank_card",
        () if mobile(written) || mobile(digits) => "mobile",
        () if landline(written) => "landline",
        // The number of social security in its own form.
        () if matches!(written, [_, _, _, b'-', _, _, b'-', _, _, _, _]) => "resident_id",
        () if digits.len() >= DIGITS_MIN => "number",
        () => return None,
    })
}

/// The number of a resident, also with a wrong check character: 18 that hold a date of birth are nothing else.
fn is_resident(bytes: &[u8]) -> bool {
    let shaped = || {
        let (birth, tail) = (bytes.get(6..14)?, bytes.get(14..)?);
        let whole = bytes[..17].iter().all(|&byte| digit(byte) <= 9) && matches!(bytes[0], b'1'..=b'9');
        (tail.len() == 4 && whole && matches!(tail[3], b'0'..=b'9' | b'X' | b'x')).then_some(compact_date(str::from_utf8(birth).ok()?))
    };
    resident_id(bytes) || bytes.len() == 18 && shaped() == Some(true)
}

/// A date with a day, a month, or digits that are one.
fn is_date(text: &str) -> bool {
    read_date(text, &mut String::new()).is_some() || compact_date(text)
}

/// An address down to a number: levels alone (`省市区`) are words of headers.
fn is_house(text: &str) -> bool {
    !text.is_ascii() && text.bytes().any(|byte| byte.is_ascii_digit()) && super::han_levels(text).0 >= 3 && address(text)
}

/// An account by ISO 13616: country, check digits, 11 to 30 letters and digits; the remainder by 97 is 1.
fn is_iban(bytes: &[u8]) -> bool {
    let [a, b, c, d, account @ ..] = bytes else { return false };
    let country = a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit();
    let plain = account.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if !country || !plain || !(11..=30).contains(&account.len()) {
        return false;
    }
    let value = |byte: u8| if byte.is_ascii_digit() { u32::from(digit(byte)) } else { u32::from(byte - b'A') + 10 };
    let add = |sum: u32, &byte: &u8| (if byte.is_ascii_digit() { sum * 10 } else { sum * 100 } + value(byte)) % 97;
    account.iter().chain(&[*a, *b, *c, *d]).fold(0, add) == 1
}

/// Identifiers with check digits, a prefix or an `@` among other characters.
fn inside(text: &str) -> Option<&'static str> {
    let runs = text.split(|character: char| !character.is_ascii_alphanumeric()).filter(|run| run.len() >= 11);
    let of_run = |run: &str| {
        let bytes = run.as_bytes();
        match bytes.len() {
            11 if mainland_mobile(bytes) => Some("mobile"),
            13 if bytes.starts_with(b"86") && mainland_mobile(&bytes[2..]) => Some("mobile"),
            18 if resident_id(bytes) => Some("resident_id"),
            15.. if is_issued(bytes) && luhn(bytes) => Some("bank_card"),
            _ => None,
        }
    };
    let digits = |run: &str| run.bytes().all(|byte| byte.is_ascii_digit());
    let letters = |run: &str| {
        let parts = run.split(|character: char| !character.is_ascii_digit()).filter(|part| part.len() >= 11);
        parts.filter(|part| digits(part)).find_map(of_run)
    };
    runs.clone().find_map(of_run).or_else(|| runs.clone().find_map(letters)).or_else(|| {
        let is_of_mail = |character: char| character.is_ascii_alphanumeric() || matches!(character, '@' | '.' | '_' | '+' | '-');
        let mails = text.split(|character: char| !is_of_mail(character)).map(|part| part.trim_matches('.'));
        text.contains('@').then(|| mails.clone().find(|part| email(part))).flatten().map(|_| "email")
    })
}

/// What no header of words has beside it: a number that is not a year, a date with its day, an address with its number.
fn is_value(text: &str) -> bool {
    let number = text.parse::<f64>().is_ok_and(|number| number.is_finite())
        && !(text.len() == 4 && (text.starts_with("19") || text.starts_with("20")));
    number || date(text) || is_house(text) || identifier(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_from_headers() {
        for (header, kind) in [
            ("11010519491231002X", "resident_id"),
            ("110105194912310021", "resident_id"),
            ("110105491231002", "resident_id"),
            ("110105 19491231 002X", "resident_id"),
            ("１１０１０５１９４９１２３１００２Ｘ", "resident_id"),
            ("123-45-6789", "resident_id"),
            ("13812345678", "mobile"),
            (" 13812345678 ", "mobile"),
            ("１３８１２３４５６７８", "mobile"),
            ("+86 138-1234-5678", "mobile"),
            ("138-1234-5678", "mobile"),
            ("+33 1 42 68 53 00", "mobile"),
            ("张三13812345678", "mobile"),
            ("tel13812345678", "mobile"),
            ("电话：13812345678（家）", "mobile"),
            ("010-62345678", "landline"),
            ("(415) 555-2671", "landline"),
            ("6222020200112230", "bank_card"),
            ("6222020200112231", "bank_card"),
            ("6222 0202 0011 2230", "bank_card"),
            ("4012-8888-8888-1881", "bank_card"),
            ("卡6222020200112230", "bank_card"),
            ("GB82 WEST 1234 5698 7654 32", "bank_card"),
            ("DE89370400440532013000", "bank_card"),
            ("zhang.wei@example.com", "email"),
            ("<zhang.wei@example.com>", "email"),
            ("ｚｈａｎｇ＠example.com", "email"),
            ("91310115MA1K3BTP2B", "uscc"),
            ("京A12345", "plate"),
            ("粤BD12345", "plate"),
            ("E12345678", "passport"),
            ("192.168.0.17", "ip"),
            ("fe80::1:2", "ip"),
            ("北京市朝阳区建国路88号", "address"),
            ("123456789012345678901", "number"),
        ] {
            assert_eq!(identifier(header), Some(kind), "{header}");
        }
        for header in [
            "",
            " ",
            "id",
            "姓名",
            "2019",
            "2020年",
            "2024-01-01",
            "20240101",
            "20240101120000",
            "D20240101",
            "39",
            "-1",
            "1.5",
            "6901234567892",
            "c1",
            "Q1 2024",
            "2024Q1",
            "52 week close",
            "IPv4",
            "省市区县",
            "现居住省份城市区县",
            "A1",
            "10-20",
            "0-14",
            "100,000",
            "1.2",
            "E1234",
            "GB18030",
            "SHA256",
            "身份证号",
            "e-mail",
            "@",
            "a@b",
            "t+1",
            "::",
            "DE",
            "收入(元)",
            "第1栋",
            "PM2.5",
            "2019-2020",
        ] {
            assert_eq!(identifier(header), None, "{header}");
        }
    }

    fn first(headers: &str) -> Option<(usize, &'static str)> {
        first_identifier(&headers.split(',').collect::<Vec<_>>())
    }

    #[test]
    fn names_of_persons_count_where_they_cannot_be_words() {
        assert_eq!(first("张伟,北京"), Some((0, "name")));
        assert_eq!(first("P000017,李建国,f"), Some((1, "name")));
        assert_eq!(first("John Smith,39,Male"), Some((0, "name")));
        assert_eq!(first("高明,39"), Some((0, "name")));
        assert_eq!(first("黄海,13812345678"), Some((0, "name")));
        assert_eq!(first("a,13812345678,张伟"), Some((1, "mobile")));
        for headers in
            ["姓名,2019,2020", "高明,金华,2019", "First Name,2019", "First Name,1", "time,name,age", "高明,2019,合计", "单价,1,2"]
        {
            assert_eq!(first(headers), None, "{headers}");
        }
    }
}
