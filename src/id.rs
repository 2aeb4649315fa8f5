//! Names and numbers that are easily confused, each with its own type.
//!
//! Ids are hashes of payloads (never of signature bytes) or random; names are NFC without control characters;
//! time is whole seconds; decimals are exact. A value of one of these types is valid.
//!
//! # Source
//! Rules A2, B1, C2, L4 of `docs/rules.md`; RFC 3339 for times.

mod bytes;
mod decimal;
mod name;
#[cfg(feature = "embedded")]
mod serialize;
mod time;

pub use bytes::{AccountId, DatasetId, Digest, LedgerId, Nonce, RequestId, RightId, Salt, VersionId};
pub use decimal::Decimal;
pub use name::{ColumnName, NAME_BYTES_MAX, Name, Purpose};
#[cfg(feature = "embedded")]
pub(crate) use serialize::serialize_as_text;
pub use time::Time;

use crate::class::Class;

/// Why a text is not an id, a name, a time or a number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Not the hexadecimal form of an id.
    #[error("expected {digits} lower-case hexadecimal digits, found {found} characters")]
    Hex {
        /// How many digits are needed.
        digits: usize,
        /// How many characters there are.
        found: usize,
    },
    /// Not a name.
    #[error("a name has 1 to {most} bytes of text in normalisation form C without control characters, found {found} bytes")]
    Name {
        /// The most bytes.
        most: usize,
        /// How many bytes there are.
        found: usize,
    },
    /// Not a purpose.
    #[error("a purpose is one or more non-empty words joined by colons, such as research:health")]
    Purpose,
    /// Not a time.
    #[error("expected a time such as 2030-01-01T00:00:00Z")]
    Time,
    /// Not a decimal number.
    #[error("expected a decimal number such as 0.25 of at most {most} digits")]
    Decimal {
        /// The most digits.
        most: usize,
    },
}

impl IdError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
