//! Public keys, their ids, and sets of them.

use std::fmt;

use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use super::{KeyError, check, pem};
use crate::codec::{CodecError, Decoder, Encoder, Field, ItemKind, stored};

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// Ed25519, RFC 8032; COSE algorithm -19 (RFC 9864).
    Ed25519,
}

impl SignatureAlgorithm {
    /// The identifier in the COSE registry.
    #[must_use]
    pub const fn cose_id(self) -> i64 {
        match self {
            Self::Ed25519 => -19,
        }
    }
}

/// The id of a key: the first 16 bytes of SHA-256 of its SPKI DER.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

stored!(KeyId as [u8; 16], "16 bytes", |id| id.0, |bytes| Some(Self(bytes)), "a key id");

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A public key that passed the import check.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    bytes: [u8; 32],
    id: KeyId,
}

/// SubjectPublicKeyInfo of RFC 8410 up to the 32 bytes of the key.
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PEM_KIND: &str = "PUBLIC KEY";

impl PublicKey {
    /// Checks an Ed25519 public key.
    ///
    /// # Errors
    /// `Weak` when it is not canonical, of small order, or not torsion-free.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        if check::is_sound(&bytes) { Ok(Self::trusted(bytes)) } else { Err(KeyError::Weak) }
    }

    /// A key that we derived ourselves from a secret.
    pub(super) fn trusted(bytes: [u8; 32]) -> Self {
        let digest: [u8; 32] = Sha256::new().chain_update(SPKI_PREFIX).chain_update(bytes).finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self { bytes, id: KeyId(id) }
    }

    /// Reads a `PUBLIC KEY` PEM file, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// Not such a file, another algorithm, or a weak key.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let der = pem::decode(text, PEM_KIND)?;
        let bytes = der.strip_prefix(&SPKI_PREFIX).and_then(|rest| rest.try_into().ok());
        Self::from_bytes(bytes.ok_or(KeyError::Structure { expected: "SubjectPublicKeyInfo, RFC 8410" })?)
    }

    /// The PEM file.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(PEM_KIND, &[&SPKI_PREFIX[..], &self.bytes].concat()).to_string()
    }

    /// The algorithm: a property of the key, never of a header (rule A4).
    #[must_use]
    pub const fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Ed25519
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Whether `signature` is this key's on `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message, signature).is_ok()
    }
}

/// `[algorithm, bytes]`, checked when it is read.
impl Field for PublicKey {
    type Value = Self;
    const SHAPE: &'static str = "public key";

    fn write(value: &Self, out: &mut Encoder) {
        out.array(2).int(value.algorithm().cose_id()).bytes(&value.bytes);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        let offset = decoder.offset();
        let wrong = CodecError::Unexpected { offset, expected: "a sound Ed25519 key as [-19, 32 bytes]" };
        if decoder.peek()? != ItemKind::Array || decoder.array(2)? != 2 || decoder.int()? != SignatureAlgorithm::Ed25519.cose_id() {
            return Err(wrong);
        }
        Self::from_bytes(decoder.byte_array()?).map_err(|_| wrong)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id)
    }
}

/// The keys of an owner, of which `threshold` must sign.
///
/// The form is final; this version uses sets of one key (several keys sign with COSE_Sign later).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet {
    key: PublicKey,
}

impl KeySet {
    /// A set of one key.
    #[must_use]
    pub const fn single(key: PublicKey) -> Self {
        Self { key }
    }

    /// The key of a set of one.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The canonical bytes: what the next key set is committed to by.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        Self::write(self, &mut out);
        out.into_bytes()
    }
}

/// `[threshold, [key, ...]]`; sets of several keys are refused by this version.
impl Field for KeySet {
    type Value = Self;
    const SHAPE: &'static str = "key set";

    fn write(value: &Self, out: &mut Encoder) {
        out.array(2).uint(1).array(1);
        PublicKey::write(&value.key, out);
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        let offset = decoder.offset();
        let wrong = CodecError::Unexpected { offset, expected: "a key set of a single key (several are not supported yet)" };
        if decoder.array(2)? != 2 || decoder.uint()? != 1 || decoder.array(1)? != 1 {
            return Err(wrong);
        }
        PublicKey::read(decoder, key).map(Self::single)
    }
}
