//! Strict CBOR: the one byte form of everything that is signed, hashed or stored.
//!
//! The subset of RFC 8949 in `docs/cbor.md`: unsigned and negative integers, byte strings, text in NFC, arrays,
//! maps with integer keys in strictly increasing encoded order, booleans, and the two tags of COSE. Everything
//! has exactly one encoding (section 4.2.1), and the decoder refuses every other one, so that
//! `encode(decode(x)) == x` for all accepted `x` and a hash of a payload is a name for its meaning.
//!
//! ```
//! use usufruct::codec::{Decoder, Encoder, Limits};
//! let mut encoder = Encoder::new();
//! encoder.map(|map| {
//!     map.key(1).uint(7);
//!     map.key(-1).text("seven");
//! });
//! let bytes = encoder.into_bytes();
//! assert_eq!(bytes, [0xa2, 0x01, 0x07, 0x20, 0x65, b's', b'e', b'v', b'e', b'n']);
//!
//! let mut decoder = Decoder::new(&bytes, Limits::default())?;
//! let mut keys = decoder.map(8)?;
//! assert_eq!(keys.next(&mut decoder)?, Some(1));
//! assert_eq!(decoder.uint()?, 7);
//! assert_eq!(keys.next(&mut decoder)?, Some(-1));
//! assert_eq!(decoder.text(16)?, "seven");
//! decoder.finish()?;
//! # Ok::<(), usufruct::codec::CodecError>(())
//! ```
//!
//! # Source
//! RFC 8949 sections 3 and 4.2.1; rule J4 of `docs/rules.md`.

mod decode;
mod encode;
mod field;
#[cfg(test)]
mod page;
mod record;

pub use decode::{Decoder, ItemKind, Limits, MapKeys};
pub use encode::{Encoder, MapEncoder};

pub(crate) use field::{Boolean, Bytes, Field, Inside, List, OrFalse, Positive, Set, Text, stored};
#[cfg(test)]
pub(crate) use page::assert_documented;
pub(crate) use record::{Entries, FIELDS_MAX, Fields, Fixed, Record, Row, in_order, merged, record};

use crate::class::Class;

/// Why bytes are not an artefact of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes end inside an item.
    #[error("truncated at byte {offset}")]
    Truncated {
        /// Where the missing byte would be.
        offset: usize,
    },
    /// The item is CBOR, but not the one encoding that is allowed.
    #[error("byte {offset}: not the canonical encoding")]
    NotCanonical {
        /// Where the item starts.
        offset: usize,
    },
    /// Another kind of item stands here.
    #[error("byte {offset}: expected {expected}")]
    Unexpected {
        /// Where the item starts.
        offset: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// The value is of the right kind and out of range.
    #[error("key {key}: expected {expected}")]
    Value {
        /// The key of the map entry.
        key: i64,
        /// What is allowed.
        expected: &'static str,
    },
    /// A string, array or map is longer than allowed.
    #[error("byte {offset}: length {found}, at most {most} allowed")]
    TooLong {
        /// Where the item starts.
        offset: usize,
        /// The declared length.
        found: u64,
        /// The limit.
        most: u64,
    },
    /// Arrays and maps are nested too deeply.
    #[error("byte {offset}: nested deeper than {most} levels")]
    TooDeep {
        /// Where the item starts.
        offset: usize,
        /// The limit.
        most: usize,
    },
    /// Bytes follow the last item.
    #[error("{found} bytes after the end")]
    Trailing {
        /// How many.
        found: usize,
    },
    /// Text is not UTF-8 in normalisation form C.
    #[error("byte {offset}: text is not UTF-8 in normalisation form C")]
    NotNfc {
        /// Where the text starts.
        offset: usize,
    },
    /// A field this build does not know: refused, because ignoring it could widen a right.
    #[error("unknown field {key}")]
    UnknownKey {
        /// The key.
        key: i64,
    },
    /// A field that must be there is absent.
    #[error("field {key} is missing")]
    MissingKey {
        /// The key.
        key: i64,
    },
}

impl CodecError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
