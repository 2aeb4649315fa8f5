//! Whether a whole cell is of a kind: exact, by form, check digits and word lists; nothing is trimmed or allocated, but for
//! dates, which are read as everywhere (`docs/values.md`).
//!
//! Most functions take text or bytes. What has full-width digits is made half-width by [`super::Profiler`] and
//! [`super::free_text`] before it comes here; here it is refused.
//!
//! ```
//! use usufruct::grade::check;
//!
//! assert!(check::resident_id("11010519491231002X"));
//! assert!(!check::resident_id("360426199113010079")); // month 13
//! assert!(check::uscc("91310115MA1K3BTP2B"));
//! assert!(check::bank_card("6222 0202 0011 2230"));
//! ```
//!
//! # Source
//! GB 11643-1999, GB 32100-2015, GB 11714-1997, ISO/IEC 7812-1, GA 36-2018, RFC 5321, RFC 4291.

mod address;
mod calendar;
mod card;
mod network;
mod organisation;
mod resident;
mod surname;
mod telephone;
mod travel;

pub use address::address;
pub(super) use address::han_levels;
pub(super) use calendar::{compact as compact_date, read as read_date};
pub use calendar::{date, year_month};
pub(super) use card::is_issued;
pub use card::{bank_card, luhn};
pub use network::{email, ip};
pub(super) use network::{is_email_local, is_v4, is_v6};
pub use organisation::{organisation_code, uscc};
pub use resident::{resident_check_character, resident_id};
pub use surname::name;
pub(super) use surname::{NameForm, is_surname, name_form};
pub use telephone::{landline, mobile};
pub(super) use telephone::{mainland_mobile, plain_landline};
pub use travel::{passport, plate};

/// A check by its name in TOML: the kinds' words, `luhn`, `organisation_code`.
#[cfg(feature = "embedded")]
pub(super) fn by_name(word: &str) -> Option<fn(&str) -> bool> {
    Some(match word {
        "resident_id" => |cell| resident_id(cell),
        "mobile" => |cell| mobile(cell),
        "landline" => |cell| landline(cell),
        "email" => |cell| email(cell),
        "bank_card" => |cell| bank_card(cell),
        "luhn" => |cell| luhn(cell),
        "uscc" => |cell| uscc(cell),
        "organisation_code" => |cell| organisation_code(cell),
        "plate" => plate,
        "passport" => |cell| passport(cell),
        "ip" => |cell| ip(cell),
        "date" => date,
        "year_month" => year_month,
        "name" => name,
        "address" => address,
        _ => return None,
    })
}

/// The value of an ASCII digit; above 9 for everything else.
pub(super) const fn digit(byte: u8) -> u8 {
    byte.wrapping_sub(b'0')
}

/// Digits with single blanks or dashes between them, without those; at most `N` digits, else none.
pub(super) fn joined<const N: usize>(cell: &[u8]) -> Option<([u8; N], usize)> {
    let mut digits = [0; N];
    let mut length = 0;
    let mut after_digit = false;
    for &byte in cell {
        if digit(byte) <= 9 {
            *digits.get_mut(length)? = byte;
            length += 1;
            after_digit = true;
        } else if matches!(byte, b' ' | b'-') && after_digit {
            after_digit = false;
        } else {
            return None;
        }
    }
    after_digit.then_some((digits, length))
}
