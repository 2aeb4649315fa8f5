//! Whether a cell is an e-mail or an IP address.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether the cell is an e-mail address: a plain local part (RFC 5321 dot-string, at most 64 bytes), `@`, a domain of at
/// least two labels whose last is letters or punycode.
#[must_use]
pub fn email(cell: impl AsRef<[u8]>) -> bool {
    let cell = cell.as_ref();
    let Some(at) = cell.iter().position(|&byte| byte == b'@') else { return false };
    let (local, domain) = (&cell[..at], &cell[at + 1..]);
    is_local(local) && is_domain(domain)
}

/// Characters of the local part, without the dot.
pub(crate) const fn is_email_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
                | b'-'
        )
}

fn is_local(local: &[u8]) -> bool {
    (1..=64).contains(&local.len())
        && local.split(|&byte| byte == b'.').all(|part| !part.is_empty() && part.iter().all(|&byte| is_email_local(byte)))
}

fn is_domain(domain: &[u8]) -> bool {
    let mut last = &domain[..0];
    let mut labels = 0;
    for label in domain.split(|&byte| byte == b'.') {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        if !(1..=63).contains(&label.len()) || !label.iter().all(plain) || label[0] == b'-' || label[label.len() - 1] == b'-' {
            return false;
        }
        last = label;
        labels += 1;
    }
    let top = last.len() >= 2 && last.iter().all(u8::is_ascii_alphabetic) || last.len() > 4 && last[..4].eq_ignore_ascii_case(b"xn--");
    labels >= 2 && domain.len() <= 253 && top
}

/// Whether the cell is an IP address: dotted quad without leading zeros, or version 6 in any form of RFC 4291, with a zone
/// or not. Groups with an embedded quad may have any prefix that fits.
#[must_use]
pub fn ip(cell: impl AsRef<[u8]>) -> bool {
    let cell = cell.as_ref();
    if cell.contains(&b':') {
        let (address, zone) = match cell.iter().position(|&byte| byte == b'%') {
            Some(at) => (&cell[..at], Some(&cell[at + 1..])),
            None => (cell, None),
        };
        return is_v6(address) && zone.is_none_or(|zone| !zone.is_empty() && zone.iter().all(u8::is_ascii_alphanumeric));
    }
    is_v4(cell)
}

pub(crate) fn is_v4(bytes: &[u8]) -> bool {
    (7..=15).contains(&bytes.len()) && str::from_utf8(bytes).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok())
}

pub(crate) fn is_v6(bytes: &[u8]) -> bool {
    (2..=45).contains(&bytes.len()) && str::from_utf8(bytes).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for valid in ["info@presidio.site", "user@xn--80ak6aa92e.com", "a@xn--d1acufc.xn--p1ai", "zhang.san+x@mail.example.com.cn"] {
            assert!(email(valid), "{valid}");
        }
        for invalid in [
            "info@presidio.",
            "info@presidio",
            "@a.com",
            "a..b@c.com",
            ".a@c.com",
            "a@-b.com",
            "a@b.c",
            "a@b@c.com",
            "a@b.123",
            "a b@c.com",
            "",
        ] {
            assert!(!email(invalid), "{invalid}");
        }
        for valid in
            ["192.168.0.1", "::", "::1", "fe80::1%eth0", "2001:db8::192.168.1.1", "0:0:0:0:0:FFFF:129.144.52.38", "A099::09C0:876A:130B"]
        {
            assert!(ip(valid), "{valid}");
        }
        for invalid in [
            "192.168.0",
            "192.168.0.256",
            "1.2.3.04",
            "2001::db8::1",
            "12345:db8::1",
            "1:2:3:4",
            "aa:bb:cc:dd:ee:ff",
            "12:34:56",
            ":::",
            "fe80::1%",
            "::ffff:256.0.0.1",
            "",
        ] {
            assert!(!ip(invalid), "{invalid}");
        }
    }
}
