//! Names of datasets, columns and purposes: NFC, short, without control characters.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::is_nfc;

use super::IdError;
use crate::codec::{CodecError, Decoder, Encoder, Field};

/// The most bytes of a name: 32 CJK characters fit three times over, and a list of 64 names fits in a right.
pub const NAME_BYTES_MAX: usize = 128;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $shape:literal, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// Empty, too long, not NFC, control characters, or not of the form its type asks for.
            pub fn new(text: &str) -> Result<Self, IdError> {
                let plain = (1..=NAME_BYTES_MAX).contains(&text.len()) && is_nfc(text) && !text.chars().any(char::is_control);
                if !plain {
                    return Err(IdError::Name { most: NAME_BYTES_MAX, found: text.len() });
                }
                let check: fn(&str) -> Result<(), IdError> = $check;
                check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Field for $name {
            type Value = Self;
            const SHAPE: &'static str = $shape;

            fn write(value: &Self, out: &mut Encoder) {
                out.text(&value.0);
            }

            fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
                Self::new(decoder.text(NAME_BYTES_MAX)?).map_err(|_| CodecError::Value { key, expected: $expected })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

name!(
    /// The name of a dataset, a result column or a group: NFC, 1 to 128 bytes, no control characters.
    Name,
    "name",
    "a name",
    |_| Ok(())
);
name!(
    /// The name of a column: NFC, 1 to 128 bytes, no control characters.
    ColumnName,
    "column name",
    "a column name",
    |_| Ok(())
);
name!(
    /// What a use is for: words joined by colons; `a:b:c` lies under `a:b` (rule J3).
    Purpose,
    "purpose",
    "a purpose",
    |text| if text.split(':').all(|word| !word.is_empty() && word.trim() == word) { Ok(()) } else { Err(IdError::Purpose) }
);

impl Purpose {
    /// Whether this purpose is `other` or lies under it.
    #[must_use]
    pub fn is_under(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_nfc_of_bounded_length_without_control_characters() {
        assert!(ColumnName::new("城市").is_ok());
        assert!(ColumnName::new(&"x".repeat(128)).is_ok());
        for wrong in ["", "a\u{0}", "a\nb", "e\u{301}", &"x".repeat(129), "a\u{9b}"] {
            assert!(ColumnName::new(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_order_of_purposes_is_by_whole_words() {
        let purpose = |text| Purpose::new(text).unwrap();
        assert!(purpose("research:health").is_under(&purpose("research")));
        assert!(purpose("research").is_under(&purpose("research")));
        assert!(!purpose("researching").is_under(&purpose("research")));
        assert!(!purpose("research").is_under(&purpose("research:health")));
        for wrong in [":a", "a:", "a::b", "a: b"] {
            assert!(Purpose::new(wrong).is_err(), "{wrong}");
        }
    }
}
