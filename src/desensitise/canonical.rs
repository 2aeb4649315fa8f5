//! The one form in which a value of a kind is masked and hashed, whatever way it was written.

use crate::grade::{Kind, check};

/// Whether values of this kind can be told from others by their form.
pub(super) fn is_checked(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::ResidentId
            | Kind::Mobile
            | Kind::Landline
            | Kind::Email
            | Kind::BankCard
            | Kind::Uscc
            | Kind::Plate
            | Kind::Passport
            | Kind::Ip
    )
}

/// Whether the last character of a value of this kind follows from the others.
pub(super) fn has_check_digit(kind: &Kind) -> bool {
    matches!(kind, Kind::ResidentId | Kind::BankCard | Kind::Uscc)
}

/// The canonical form of a value, or nothing when the value is not of the kind. Of kinds without a form of their own,
/// every text is canonical as it stands: nothing is trimmed. `scratch` holds the form when it is not the text itself.
///
/// ```text
/// all of these  full-width digits narrow, letters upper case (not of e-mail)
/// resident_id   15 digits -> 18 (19 before the year, check character behind)
/// mobile        blanks and dashes out, +86 0086 86 0 in front out -> 11 digits; no numbers of other countries
/// bank_card     blanks and dashes out -> 16 to 19 digits
/// plate         the dot or blank behind the second character out
/// ```
#[inline]
pub(super) fn form<'a>(kind: &Kind, text: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    // Most values are in canonical form already.
    let digits = || text.bytes().all(|byte| byte.is_ascii_digit());
    let known = match (kind, text.len()) {
        (Kind::ResidentId, 18) => !text.ends_with('x') && check::resident_id(text),
        (Kind::Mobile, 11) => digits() && check::mobile(text),
        (Kind::BankCard, 16..=19) => digits() && check::bank_card(text),
        (Kind::Email, _) => return Some(text).filter(|text| check::email(text)),
        _ => !is_checked(kind),
    };
    if known { Some(text) } else { rewritten(kind, text, scratch) }
}

fn rewritten<'a>(kind: &Kind, text: &str, out: &'a mut String) -> Option<&'a str> {
    out.clear();
    match kind {
        Kind::Mobile | Kind::BankCard => narrow(text, &[' ', '-'], out),
        Kind::Plate => narrow(text, &[' ', '·', '•', '.'], out),
        _ => narrow(text, &[], out),
    }
    out.make_ascii_uppercase();
    let known = match kind {
        Kind::ResidentId => {
            let known = check::resident_id(&*out);
            if known && out.len() == 15 {
                out.insert_str(6, "19");
                out.extend(out.as_bytes().first_chunk().and_then(check::resident_check_character).map(char::from));
            }
            known
        }
        Kind::Mobile => {
            let prefix = ["+86", "0086", "86", "0"].into_iter().find(|prefix| out.len() == 11 + prefix.len() && out.starts_with(prefix));
            out.drain(..prefix.map_or(0, str::len));
            out.len() == 11 && out.bytes().all(|byte| byte.is_ascii_digit()) && check::mobile(&*out)
        }
        Kind::BankCard => (16..=19).contains(&out.len()) && check::bank_card(&*out),
        Kind::Uscc => check::uscc(&*out),
        Kind::Landline => check::landline(&*out),
        Kind::Plate => check::plate(out),
        Kind::Passport => check::passport(&*out),
        Kind::Ip => check::ip(&*out),
        _ => false,
    };
    known.then_some(out)
}

/// Copies with full-width digits made narrow, and without some characters.
fn narrow(text: &str, without: &[char], out: &mut String) {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return out.push_str(text);
    }
    for char in text.chars() {
        match char {
            // U+FF10 to U+FF19 lie this far above 0 to 9.
            '０'..='９' => out.extend(char::from_u32(char as u32 - 0xfee0)),
            _ if without.contains(&char) => {}
            _ => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &Kind, text: &str) -> Option<String> {
        form(kind, text, &mut String::from("before")).map(str::to_owned)
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
            (Kind::Email, "Zhang.San@example.com", &["Zhang.San@example.com"]),
            (Kind::Plate, "京A12345", &["京A12345", "京A·12345", "京a12345"]),
            (Kind::Uscc, "91310115MA1K3BTP2B", &["91310115MA1K3BTP2B", "91310115ma1k3btp2b"]),
            (Kind::Passport, "E12345678", &["E12345678", "e１2345678"]),
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
            (Kind::Mobile, &["+1 650 253 0000", "14212345678"]),
            (Kind::Uscc, &["91110000600037341N", "9111000060003IOZSV"]),
            (Kind::Email, &["", "a", "@b.c", "a@", "a@b@c.d"]),
        ] {
            for text in texts {
                assert_eq!(of(&kind, text), None, "{text}");
            }
        }
    }
}
