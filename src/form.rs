//! Forms of texts (形式): check digits, prefixes and word lists by which a text alone can be told to be of a kind.
//!
//! The public face of this room is `grade::check`. It stands above `table`, so that the names of columns are looked at where
//! a file first gives them: [`identifier`].
//!
//! Nothing is trimmed or allocated, but for dates, which are read as everywhere (`docs/values.md`), and for headers.

mod address;
mod calendar;
mod card;
mod given;
#[cfg(feature = "embedded")]
mod identifier;
mod network;
mod organisation;
#[cfg(feature = "embedded")]
mod person;
mod resident;
mod surname;
mod telephone;
mod travel;
mod width;
mod words;

pub use address::address;
pub(crate) use address::han_levels;
pub(crate) use calendar::{compact as compact_date, read as read_date};
pub use calendar::{date, year_month};
pub(crate) use card::is_issued;
pub use card::{bank_card, luhn};
pub(crate) use given::{given_points, surname_points};
#[cfg(feature = "embedded")]
pub(crate) use identifier::{first_identifier, first_person};
pub use network::{email, ip};
pub(crate) use network::{is_email_local, is_v4, is_v6};
pub use organisation::{organisation_code, uscc};
pub use resident::{resident_check_character, resident_id};
pub use surname::name;
pub(crate) use surname::{NameForm, is_surname, name_form};
pub use telephone::{landline, mobile};
pub(crate) use telephone::{mainland_mobile, plain_landline};
pub use travel::{passport, plate};
pub(crate) use width::{narrow, narrow_into};
pub(crate) use words::WordIndex;

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
