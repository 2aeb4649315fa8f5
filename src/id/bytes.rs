//! Ids, nonces, salts and digests: bytes of fixed length, each a type of its own.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::IdError;
use crate::codec::{CodecError, Decoder, Encoder, Field};

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// From its bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl Field for $name {
            type Value = Self;
            const SHAPE: &'static str = <[u8; $len]>::SHAPE;

            fn write(value: &Self, out: &mut Encoder) {
                out.bytes(&value.0);
            }

            fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
                decoder.byte_array().map(Self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                from_hex(text).map(Self)
            }
        }
    };
}

byte_id!(
    /// A SHA-256 digest of bytes that may be known to anyone.
    Digest,
    32
);
byte_id!(
    /// A ledger: SHA-256 of its genesis payload (rule A2).
    LedgerId,
    32
);
byte_id!(
    /// A dataset, that is a lineage of versions: SHA-256 of its first publish payload (rule B1).
    DatasetId,
    32
);
byte_id!(
    /// One version of a dataset's data: SHA-256 of the payload that published it.
    VersionId,
    32
);
byte_id!(
    /// A right: SHA-256 over the payloads of its chain.
    RightId,
    32
);
byte_id!(
    /// A request: SHA-256 of its payload, never of its signature (rule C2).
    RequestId,
    32
);
byte_id!(
    /// An account of the ledger: random, stable and in clear (rule K3).
    AccountId,
    16
);
byte_id!(
    /// A number used once by a holder (rule C2).
    Nonce,
    16
);
byte_id!(
    /// The salt of a commitment: secret until the commitment is opened (rules B4, K3).
    Salt,
    32
);

impl Digest {
    /// SHA-256 of `bytes` (FIPS 180-4).
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    let wrong = || IdError::Hex { digits: 2 * N, found: text.chars().count() };
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(wrong()),
    };
    if text.len() != 2 * N {
        return Err(wrong());
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(out)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways_and_only_lower_case_of_the_right_length_is_read() {
        let nonce = Nonce::from_bytes(*b"0123456789abcdef");
        assert_eq!(nonce.to_string().parse::<Nonce>().unwrap(), nonce);
        for wrong in
            ["", "00", "3031323334353637383961626364656F", "30313233343536373839616263646566 0", "é0313233343536373839616263646566"]
        {
            assert!(wrong.parse::<Nonce>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn digest_is_sha_256() {
        assert_eq!(Digest::of(b"abc").to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
