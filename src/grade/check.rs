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

pub(super) use crate::form::{
    NameForm, compact_date, given_points, han_levels, is_email_local, is_issued, is_surname, is_v4, is_v6, mainland_mobile, name_form,
    plain_landline, read_date, surname_points,
};
pub use crate::form::{
    address, bank_card, date, email, ip, landline, luhn, mobile, name, organisation_code, passport, plate, resident_check_character,
    resident_id, uscc, year_month,
};

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
