//! Keys: who signs, and whom to believe.
//!
//! A [`PublicKey`] that exists was checked at import: its encoding is canonical, its point is not of small order
//! and has no torsion component, so that no signature verifies under two keys or for many messages. A
//! [`SigningKey`] never leaves through `Debug`, is not `Clone`, and is read only from a file that nobody else may
//! read. Signing goes through [`Signer`], so that an HSM or a KMS can hold the key.
//!
//! # Source
//! RFC 8032 (Ed25519), RFC 8410 (SPKI and PKCS#8 for it), RFC 9864 (COSE algorithm -19); rule A4 of `docs/rules.md`;
//! the checks are those that ed25519-speccheck shows to be needed beyond `ring`.
//!
//! # Not promised
//! Buffers we own are wiped; what `ring` keeps inside its key pair is not.

mod check;
mod pem;
mod public;
mod secret;

pub use public::{KeyId, KeySet, PublicKey, SignatureAlgorithm};
pub use secret::{Signer, SigningKey};

use crate::class::Class;

/// Why a key is not used. Never contains key material.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a PEM file with one block of the wanted kind.
    #[error("expected a PEM file with one `{expected}` block")]
    Pem {
        /// The wanted kind.
        expected: &'static str,
    },
    /// Not an Ed25519 key in the wanted structure.
    #[error("expected an Ed25519 key ({expected})")]
    Structure {
        /// The wanted structure.
        expected: &'static str,
    },
    /// A public key that would make signatures repudiable.
    #[error("the public key is refused: not canonical, of small order, or with a torsion component")]
    Weak,
    /// A file that must not be overwritten exists.
    #[error("the key file exists and is never overwritten")]
    Exists,
    /// The key file cannot be read, or others may.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    File(#[from] crate::file::ReadError),
    /// The key file cannot be written.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Output(crate::file::OutputError),
    /// The signer (an HSM, a KMS) did not sign.
    #[error("the signer did not sign")]
    Signer,
    /// Several keys with a threshold are not supported by this version.
    #[error("a key set of {keys} keys is not supported yet, only a single key")]
    Multiple {
        /// How many keys there are.
        keys: usize,
    },
}

impl KeyError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            #[cfg(feature = "embedded")]
            Self::File(error) => error.class(),
            #[cfg(feature = "embedded")]
            Self::Output(error) => error.class(),
            Self::Signer => Class::Environment,
            _ => Class::BadInput,
        }
    }
}
