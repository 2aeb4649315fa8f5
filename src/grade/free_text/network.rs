//! E-mail and IP addresses inside texts.

use super::super::{Kind, check};
use super::{Found, is_announced};

/// Words before four numbers with points that are no address.
const VERSION_WORDS: [&str; 16] = [
    "version",
    "ver",
    "v",
    "版本",
    "版本号",
    "固件",
    "release",
    "build",
    "section",
    "chapter",
    "clause",
    "article",
    "rule",
    "rev",
    "章节",
    "条款",
];

/// An e-mail address whose first letter or digit stands here. `no_mail_before` is moved behind the characters that were read
/// in vain.
pub(super) fn email_at(bytes: &[u8], at: usize, no_mail_before: &mut usize) -> Found {
    let local = at + bytes[at..].iter().take_while(|&&byte| check::is_email_local(byte) || byte == b'.').count();
    *no_mail_before = local;
    if bytes.get(local) != Some(&b'@') {
        return None;
    }
    let domain = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-' || **byte == b'.';
    // No domain is longer; so nothing is read more often than that.
    let mut end = local + 1 + bytes[local + 1..].iter().take(254).take_while(domain).count();
    // Behind the domain may stand a full stop, or words that are none of its labels.
    loop {
        if check::email(&bytes[at..end]) {
            return Some((Kind::Email, end));
        }
        end = local + 1 + bytes[local + 1..end].iter().rposition(|&byte| byte == b'.' || byte == b'-')?;
    }
}

/// An IP address that begins here.
pub(super) fn ip_at(bytes: &[u8], at: usize) -> Found {
    let before = at.checked_sub(1).map(|before| bytes[before]);
    if before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) {
        return None;
    }
    // The longest address has 45 characters; of a longer run only the end decides.
    let run = at + bytes[at..].iter().take(48).take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')).count();
    let token = &bytes[at..run];
    if token.contains(&b':') {
        if before == Some(b':') {
            return None;
        }
        let end = at + token.len() - token.iter().rev().take_while(|&&byte| byte == b'.').count();
        // `dead::beef` is code: no network is without a digit, but for the address of nobody.
        let is_written = end == at + 2 || bytes[at..end].iter().any(u8::is_ascii_digit);
        if !is_written || !check::is_v6(&bytes[at..end]) || !is_end(bytes, end) {
            return v4_at(bytes, at);
        }
        return Some((Kind::Ip, zone_end(bytes, end)));
    }
    v4_at(bytes, at)
}

fn v4_at(bytes: &[u8], at: usize) -> Found {
    let mut end = at;
    for part in 0..4 {
        if part > 0 {
            if bytes.get(end) != Some(&b'.') {
                return None;
            }
            end += 1;
        }
        let digits = bytes[end..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=3).contains(&digits) {
            return None;
        }
        end += digits;
    }
    (check::is_v4(&bytes[at..end]) && is_end(bytes, end) && !is_announced(bytes, at, &VERSION_WORDS)).then_some((Kind::Ip, end))
}

/// `%eth0` belongs to the address.
fn zone_end(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at) != Some(&b'%') {
        return at;
    }
    let zone = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if zone == 0 { at } else { at + 1 + zone }
}

fn is_end(bytes: &[u8], at: usize) -> bool {
    !bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':'))
}
