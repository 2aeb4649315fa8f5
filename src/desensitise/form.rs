//! The one form in which a value of a kind is masked and hashed, whatever way it was written.

use super::check;
use crate::grade::Kind;

/// Whether values of this kind can be told from others by their form.
pub(super) fn is_checked(kind: &Kind) -> bool {
    matches!(kind, Kind::ResidentId | Kind::Mobile | Kind::BankCard | Kind::Uscc | Kind::Email)
}

/// Whether the last character of a value of this kind follows from the others.
pub(super) fn has_check_digit(kind: &Kind) -> bool {
    matches!(kind, Kind::ResidentId | Kind::BankCard | Kind::Uscc)
}

/// Writes the canonical form of `text` into `out`, or says that the value is not of the kind. Of kinds without a form
/// of their own, every text is canonical as it stands: nothing is trimmed.
///
/// ```text
/// resident_id   full-width digits narrow, x upper case, 15 digits -> 18 (19 before the year, check digit behind)
/// mobile        full-width digits narrow, blanks and dashes out, +86 0086 86 0 in front out -> 11 digits
/// bank_card     full-width digits narrow, blanks and dashes out -> 16 to 19 digits
/// uscc          upper case
/// ```
pub(super) fn canonical(kind: &Kind, text: &str, out: &mut String) -> bool {
    out.clear();
    match kind {
        Kind::ResidentId => {
            narrow(text, false, out);
            if out.len() == 15 && out.bytes().all(|byte| byte.is_ascii_digit()) {
                out.insert_str(6, "19");
                out.push(resident_check(out.as_bytes()));
            }
            out.make_ascii_uppercase();
            check::resident_id(out)
        }
        Kind::Mobile => {
            narrow(text, true, out);
            let prefix = ["+86", "0086", "86", "0"].into_iter().find(|prefix| out.len() == 11 + prefix.len() && out.starts_with(prefix));
            out.drain(..prefix.map_or(0, str::len));
            matches!(out.as_bytes(), [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit))
        }
        Kind::BankCard => {
            narrow(text, true, out);
            (16..=19).contains(&out.len()) && out.bytes().all(|byte| byte.is_ascii_digit()) && check::luhn(out)
        }
        Kind::Uscc => {
            out.push_str(text);
            out.make_ascii_uppercase();
            out.len() == 18
        }
        Kind::Email => {
            out.push_str(text);
            check::email(out)
        }
        _ => {
            out.push_str(text);
            true
        }
    }
}

/// Copies with full-width digits made narrow, and without blanks and dashes if asked for.
fn narrow(text: &str, drop_separators: bool, out: &mut String) {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return out.push_str(text);
    }
    for char in text.chars() {
        match char {
            ' ' | '-' if drop_separators => {}
            // U+FF10 to U+FF19 lie this far above 0 to 9.
            '０'..='９' => out.extend(char::from_u32(char as u32 - 0xfee0)),
            _ => out.push(char),
        }
    }
}

/// GB 11643-1999, the weights of the 17 digits.
pub(super) const RESIDENT_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// The check character of the first 17 digits of a resident ID.
///
/// # Source
/// GB 11643-1999, ISO 7064 MOD 11-2.
pub(super) fn resident_check(digits: &[u8]) -> char {
    let sum: u32 = RESIDENT_WEIGHTS.iter().zip(digits).map(|(weight, digit)| weight * u32::from(digit.wrapping_sub(b'0'))).sum();
    char::from(b"10X98765432"[sum as usize % 11])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &Kind, text: &str) -> Option<String> {
        let mut out = String::from("before");
        canonical(kind, text, &mut out).then_some(out)
    }

    #[test]
    fn one_value_has_one_form() {
        for (kind, form, texts) in [
            (
                Kind::ResidentId,
                "11010519491231002X",
                &["11010519491231002X", "11010519491231002x", "１１０１０５１９４９１２３１００２X", "110105491231002"][..],
            ),
            (
                Kind::Mobile,
                "13800138000",
                &["13800138000", "138 0013 8000", "+86 138-0013-8000", "8613800138000", "013800138000", "１３８00138000"],
            ),
            (Kind::BankCard, "6222020200112230", &["6222020200112230", "6222 0202 0011 2230", "6222-0202-0011-2230"]),
            (Kind::Email, "张三@example.com", &["张三@example.com"]),
            (Kind::Text, " a ", &[" a "]),
        ] {
            for text in texts {
                assert_eq!(of(&kind, text).as_deref(), Some(form), "{text}");
            }
        }
    }

    #[test]
    fn others_are_not_of_the_kind() {
        for (kind, texts) in [
            (
                Kind::ResidentId,
                &["", "110105194912310021", " 11010519491231002X", "11010519491231002X ", "1101054912310021", "11010549123100X"][..],
            ),
            (
                Kind::Mobile,
                &["", "12800138000", "1380013800", "138001380000", "1380013800x", "+87 13800138000", "１３８００１３８０００１"],
            ),
            (Kind::BankCard, &["", "6222020200112231", "622202020011223", "6222_0202_0011_2230"]),
            (Kind::Email, &["", "a", "@b.c", "a@", "a@b@c.d"]),
        ] {
            for text in texts {
                assert_eq!(of(&kind, text), None, "{text}");
            }
        }
    }
}
