//! Numbers and codes inside texts: of residents, cards, telephones, and what only looks like them.

use super::super::{Kind, check};
use super::{Found, is_announced, word_end};

/// Words before numbers of things.
const THING_WORDS: [&str; 26] = [
    "订单",
    "订单号",
    "单号",
    "流水号",
    "流水",
    "编号",
    "编码",
    "批次",
    "批号",
    "批次号",
    "序列号",
    "运单号",
    "交易号",
    "工单号",
    "order",
    "orders",
    "order id",
    "invoice",
    "tracking",
    "serial",
    "sn",
    "ticket",
    "batch",
    "timestamp",
    "时间戳",
    "guid",
];

/// Words before numbers of travel documents.
const TRAVEL_WORDS: [&str; 8] = ["护照", "护照号", "护照号码", "通行证", "通行证号", "通行证号码", "passport", "permit"];

/// The most groups of digits that make one number.
const GROUPS_MAX: usize = 5;

/// A number or code whose first letter or digit stands here; its word ends at `end`.
pub(super) fn at(bytes: &[u8], at: usize, end: usize) -> Found {
    let word = &bytes[at..end];
    if let Some(found) = long_code(bytes, at, end) {
        return Some(found);
    }
    if !word[0].is_ascii_digit() {
        let travel = (8..=11).contains(&word.len()) && check::passport(word) && is_announced(bytes, at, &TRAVEL_WORDS);
        return (travel && is_free(bytes, at, end)).then_some((Kind::Passport, end));
    }
    if let Some(end) = date_end(bytes, at, end) {
        return Some((Kind::Date, end));
    }
    let (groups, count) = groups(bytes, at);
    for taken in (1..=count).rev() {
        let end = groups[taken - 1].1;
        if let Some(kind) = grouped(bytes, &groups[..taken])
            && (kind == Kind::ResidentId || is_free(bytes, at, end) && !is_announced(bytes, at, &THING_WORDS))
        {
            return Some((kind, end));
        }
    }
    None
}

/// Numbers of residents and organisations prove themselves; only letters and digits beside them speak against it.
fn long_code(bytes: &[u8], at: usize, end: usize) -> Found {
    let word = &bytes[at..end];
    match word.len() {
        18 if check::resident_id(word) => Some((Kind::ResidentId, end)),
        // Digits alone may be a card too, which leads to a person.
        18 if check::uscc(word) && !(check::is_issued(word) && check::luhn(word)) && !is_announced(bytes, at, &THING_WORDS) => {
            Some((Kind::Uscc, end))
        }
        15 if check::resident_id(word) && is_free(bytes, at, end) && !is_announced(bytes, at, &THING_WORDS) => {
            Some((Kind::ResidentId, end))
        }
        _ => None,
    }
}

/// Groups of digits with single blanks or dashes between them: where each begins and ends. The last may end in X.
fn groups(bytes: &[u8], at: usize) -> ([(usize, usize); GROUPS_MAX], usize) {
    let mut groups = [(0, 0); GROUPS_MAX];
    let (mut count, mut start) = (0, at);
    while count < GROUPS_MAX && bytes.get(start).is_some_and(u8::is_ascii_digit) {
        let end = word_end(bytes, start);
        let digits = bytes[start..end].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let x_last = digits + 1 == end - start && matches!(bytes[end - 1], b'X' | b'x');
        if digits < end - start && !x_last {
            break;
        }
        groups[count] = (start, end);
        count += 1;
        if x_last || !matches!(bytes.get(end), Some(b' ' | b'-')) {
            break;
        }
        start = end + 1;
    }
    (groups, count)
}

/// What these groups are together.
fn grouped(bytes: &[u8], groups: &[(usize, usize)]) -> Option<Kind> {
    let mut sizes = [0; GROUPS_MAX];
    let mut joined = [0; 24];
    let mut length = 0;
    for (size, &(start, end)) in sizes.iter_mut().zip(groups) {
        *size = end - start;
        joined.get_mut(length..length + *size)?.copy_from_slice(&bytes[start..end]);
        length += *size;
    }
    let (sizes, joined) = (&sizes[..groups.len()], &joined[..length]);
    let whole = &bytes[groups[0].0..groups[groups.len() - 1].1];
    match sizes {
        [14..=19] | [4, 4, 4, 4] | [4, 4, 4, 4, 1..=3] | [4, 6, 4 | 5] | [6, 10..=13] | [8, 8]
            if check::is_issued(joined) && check::luhn(joined) =>
        {
            Some(Kind::BankCard)
        }
        [6, 8, 4] | [6, 4, 4, 4] if check::resident_id(joined) => Some(Kind::ResidentId),
        [11..=13] | [3, 4, 4] | [3, 8] | [7, 4] | [2, 11] | [2, 3, 4, 4] if check::mobile(joined) => Some(Kind::Mobile),
        [10..=12] if check::landline(joined) && joined[0] == b'0' => Some(Kind::Landline),
        [3 | 4, ..] if check::landline(whole) => Some(Kind::Landline),
        _ => None,
    }
}

/// Digits of national numbers by the code of their country (ITU-T E.164, national plans): code, least, most.
const COUNTRIES: [(&[u8], usize, usize); 48] = [
    (b"1", 10, 10),
    (b"7", 10, 10),
    (b"20", 9, 10),
    (b"27", 9, 9),
    (b"30", 10, 10),
    (b"31", 9, 9),
    (b"32", 8, 9),
    (b"33", 9, 9),
    (b"34", 9, 9),
    (b"36", 8, 9),
    (b"39", 8, 11),
    (b"40", 9, 9),
    (b"41", 9, 9),
    (b"43", 7, 13),
    (b"44", 9, 10),
    (b"45", 8, 8),
    (b"46", 7, 10),
    (b"47", 8, 8),
    (b"48", 9, 9),
    (b"49", 7, 12),
    (b"51", 8, 9),
    (b"52", 10, 10),
    (b"54", 10, 11),
    (b"55", 10, 11),
    (b"56", 9, 9),
    (b"57", 10, 10),
    (b"60", 8, 10),
    (b"61", 9, 9),
    (b"62", 8, 12),
    (b"63", 8, 10),
    (b"64", 8, 10),
    (b"65", 8, 8),
    (b"66", 8, 9),
    (b"81", 9, 10),
    (b"82", 8, 10),
    (b"84", 9, 10),
    (b"90", 10, 10),
    (b"91", 10, 10),
    (b"92", 9, 10),
    (b"98", 10, 10),
    (b"351", 9, 9),
    (b"353", 7, 9),
    (b"380", 9, 9),
    (b"420", 9, 9),
    (b"852", 8, 8),
    (b"853", 8, 8),
    (b"886", 8, 9),
    (b"971", 8, 9),
];

/// The most digits behind a plus sign (E.164).
const INTERNATIONAL_MAX: usize = 15;

/// `+33 1 42 68 53 00`, `+44 (0)20 7946 0958`, `+1 415.555.2671`: as many groups as the plan of the country has digits for.
fn foreign_at(bytes: &[u8], at: usize) -> Found {
    let mut digits = [0; INTERNATIONAL_MAX];
    let (mut count, mut end, mut found) = (0, at + 1, None);
    loop {
        let group = bytes[end..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        // The zero of the trunk is dialled at home only.
        let trunk = &bytes[end..end + group] == b"0" && bytes[end - 1] == b'(' && bytes.get(end + group) == Some(&b')');
        if !trunk {
            let Some(room) = digits.get_mut(count..count + group) else { break };
            room.copy_from_slice(&bytes[end..end + group]);
            count += group;
        }
        end += group;
        if group == 0 {
            break;
        }
        // A difference such as `x +1 20240229` is none: a country's number is not followed by so few digits.
        if is_of_plan(&digits[..count]) && is_right_free(bytes, end) && end - at >= 11 {
            found = Some((Kind::Mobile, end));
        }
        let separators = bytes[end..].iter().take(3).take_while(|byte| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')')).count();
        if !(1..=2).contains(&separators) {
            break;
        }
        end += separators;
    }
    found
}

fn is_of_plan(digits: &[u8]) -> bool {
    if digits.first().is_none_or(|&first| first == b'0') {
        return false;
    }
    match COUNTRIES.iter().filter(|(code, ..)| digits.starts_with(code)).max_by_key(|(code, ..)| code.len()) {
        Some((code, least, most)) => (*least..=*most).contains(&(digits.len() - code.len())),
        None => !digits.starts_with(b"86") && (8..=INTERNATIONAL_MAX).contains(&digits.len()),
    }
}

/// `+86 138 1234 5678`, `+442079460958`.
pub(super) fn international_at(bytes: &[u8], at: usize) -> Found {
    if at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'+' | b'_')) {
        return None;
    }
    if !bytes[at..].starts_with(b"+86") {
        return foreign_at(bytes, at);
    }
    let (groups, count) = groups(bytes, at + 1);
    for &(_, end) in groups[..count].iter().rev() {
        let number = &bytes[at..end];
        let kind = if check::mobile(number) {
            Kind::Mobile
        } else if check::landline(number) {
            Kind::Landline
        } else {
            continue;
        };
        if is_right_free(bytes, end) {
            return Some((kind, end));
        }
    }
    None
}

/// `(010)62345678`, `(415) 555-2671`.
pub(super) fn bracketed_at(bytes: &[u8], at: usize) -> Found {
    let rest = &bytes[at..];
    let length = rest.iter().take(20).take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'(' | b')' | b' ' | b'-')).count();
    let mut end = at + length;
    while end > at + 10 {
        if bytes[end - 1].is_ascii_digit() && check::landline(&bytes[at..end]) && is_right_free(bytes, end) {
            return Some((Kind::Landline, end));
        }
        end -= 1;
    }
    None
}

/// Where a date with separators that begins here ends.
fn date_end(bytes: &[u8], at: usize, end: usize) -> Option<usize> {
    if end != at + 4 || !is_left_free(bytes, at) {
        return None;
    }
    let rest = &bytes[end..];
    let length = match rest {
        [b'-' | b'/', ..] => 1 + rest[1..].iter().take(5).take_while(|&&byte| byte.is_ascii_digit() || byte == rest[0]).count(),
        [0xe5, 0xb9, 0xb4, ..] => {
            let day = rest.windows(3).take(12).position(|window| window == "日".as_bytes());
            let month = rest.windows(3).take(8).position(|window| window == "月".as_bytes());
            day.or(month)? + 3
        }
        _ => return None,
    };
    let end = end + length;
    let date = str::from_utf8(&bytes[at..end]).ok()?;
    // A year with a month alone is one in a column; in a text it may be a range, unless 年 and 月 say what they are.
    let is_date = check::date(date) || date.ends_with('月') && check::year_month(date);
    (date.len() >= 8 && is_date && is_right_free(bytes, end)).then_some(end)
}

/// Whether neither side shows that this is part of a longer token.
fn is_free(bytes: &[u8], at: usize, end: usize) -> bool {
    is_left_free(bytes, at) && is_right_free(bytes, end)
}

fn is_left_free(bytes: &[u8], at: usize) -> bool {
    let alphanumeric = |at: usize| bytes[at].is_ascii_alphanumeric();
    match at.checked_sub(1).map(|before| (before, bytes[before])) {
        None => true,
        Some((_, b'_')) => false,
        Some((before, b'.')) => !(before > 0 && bytes[before - 1].is_ascii_digit()),
        // A word with a dash announces (`Tel-`); a code with a dash does not.
        Some((before, b'-')) => bytes[..before].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).all(u8::is_ascii_alphabetic),
        Some((before, _)) => !alphanumeric(before),
    }
}

fn is_right_free(bytes: &[u8], end: usize) -> bool {
    match bytes.get(end..).unwrap_or_default() {
        [] => true,
        [b'-', next, ..] => !next.is_ascii_alphanumeric(),
        [b'.' | b':', next, ..] => !next.is_ascii_digit(),
        [b'_', ..] => false,
        [next, ..] => !next.is_ascii_alphanumeric(),
    }
}
