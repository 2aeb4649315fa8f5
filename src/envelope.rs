//! Signed artefacts: COSE_Sign1 over a strict payload, and the step from untrusted bytes to a value.
//!
//! ```text
//! 18([ protected: bstr .cbor {1: algorithm, 4: key id, 16: type},  {},  payload: bstr,  signature: bstr ])
//! signed:  ["Signature1", protected, label, payload]
//! ```
//! Exactly these headers, nothing unprotected, and the label of the artefact as `external_aad`. The verifier
//! takes the key and its algorithm from what it already trusts and compares the headers with them; what a header
//! says never chooses anything.
//!
//! # Source
//! RFC 9052 sections 4.2 and 4.4, RFC 9596 (typ), RFC 9864 (algorithms); rules A4 and J5 of `docs/rules.md`.

use std::marker::PhantomData;

use crate::class::Class;
use crate::codec::{CodecError, Decoder, Encoder, Limits, Record, Text, record};
use crate::id::Digest;
use crate::key::{KeyError, KeyId, PublicKey, Signer};
use crate::label::Label;

/// What can be signed: a payload with one encoding, a label and a type.
pub trait Artefact: Sized {
    /// Separates signatures on this artefact from all others.
    const LABEL: Label;
    /// The media type without `application/` (RFC 9596).
    const TYPE: &'static str;
    /// The most bytes a payload may have.
    const PAYLOAD_BYTES_MAX: usize = Limits::BYTES_MAX;

    /// The canonical payload.
    fn to_payload(&self) -> Vec<u8>;

    /// Reads a payload.
    ///
    /// # Errors
    /// Anything but the canonical encoding of a valid value.
    fn from_payload(payload: &[u8]) -> Result<Self, CodecError>;
}

/// A record is signed as its canonical bytes, so many at most.
macro_rules! artefact {
    ($record:ty, $label:ident, $type:literal $(, $most:expr)?) => {
        impl $crate::envelope::Artefact for $record {
            const LABEL: $crate::label::Label = $crate::label::Label::$label;
            const TYPE: &'static str = $type;
            $(const PAYLOAD_BYTES_MAX: usize = $most;)?

            fn to_payload(&self) -> Vec<u8> {
                $crate::codec::Record::to_bytes(self)
            }

            fn from_payload(payload: &[u8]) -> Result<Self, $crate::codec::CodecError> {
                $crate::codec::Record::from_bytes(payload, $crate::codec::Limits::of_bytes(Self::PAYLOAD_BYTES_MAX))
            }
        }
    };
}

pub(crate) use artefact;

/// Why signed bytes are not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The bytes are not an artefact of the expected kind.
    #[error("not a well-formed {expected}: {source}")]
    Malformed {
        /// The type of the artefact.
        expected: &'static str,
        /// What is wrong with the bytes.
        source: CodecError,
    },
    /// The signature does not belong to this key, artefact and payload. No detail, since this can be probed.
    #[error("the signature does not verify")]
    Refused,
    /// Signing failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl EnvelopeError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Malformed { .. } => Class::BadInput,
            Self::Refused => Class::Refused,
            Self::Key(error) => error.class(),
        }
    }
}

const COSE_SIGN1: u64 = 18;
/// Protected header, signature and heads around the payload.
const OVERHEAD_BYTES_MAX: usize = 256;

record! {
    /// The protected header: exactly this.
    struct Header {
        /// That of the signer's key.
        1 => alg: i64,
        /// Of the signer.
        4 => kid: KeyId,
        /// Of the artefact.
        16 => typ: String as Text<OVERHEAD_BYTES_MAX>,
    }
}

/// An artefact whose signature was made or verified here.
#[derive(Clone, Debug)]
pub struct Signed<T> {
    value: T,
    payload: Vec<u8>,
    bytes: Vec<u8>,
    signer: PublicKey,
}

impl<T: Artefact> Signed<T> {
    /// Signs `value`.
    ///
    /// # Errors
    /// The signer fails.
    pub fn sign(value: T, signer: &dyn Signer) -> Result<Self, EnvelopeError> {
        let payload = value.to_payload();
        let protected = protected_header::<T>(signer.public());
        let signature = signer.sign(&to_be_signed::<T>(&protected, &payload))?;
        let mut out = Encoder::new();
        out.tag(COSE_SIGN1).array(4).bytes(&protected).map(|_| ()).bytes(&payload).bytes(&signature);
        Ok(Self { value, payload, bytes: out.into_bytes(), signer: signer.public().clone() })
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// The value alone.
    #[must_use]
    pub fn into_value(self) -> T {
        self.value
    }

    /// The canonical payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// SHA-256 of the payload: what ids are made of.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// The whole signed artefact.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whose signature it is.
    #[must_use]
    pub const fn signer(&self) -> KeyId {
        self.signer.id()
    }

    /// The key under which it was made or verified.
    #[must_use]
    pub const fn signer_key(&self) -> &PublicKey {
        &self.signer
    }
}

/// A well-formed envelope that nobody has verified yet.
#[derive(Clone, Debug)]
pub struct Untrusted<T> {
    protected: Vec<u8>,
    payload: Vec<u8>,
    signature: [u8; 64],
    bytes: Vec<u8>,
    kind: PhantomData<T>,
}

impl<T: Artefact> Untrusted<T> {
    /// Reads an envelope; nothing in it may be believed before [`Untrusted::verify`].
    ///
    /// # Errors
    /// Not exactly one COSE_Sign1 of our form within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let read = || -> Result<Self, CodecError> {
            let mut decoder = Decoder::new(bytes, Limits::of_bytes(T::PAYLOAD_BYTES_MAX + OVERHEAD_BYTES_MAX))?;
            decoder.tag(COSE_SIGN1)?;
            let start = decoder.offset();
            if decoder.array(4)? != 4 {
                return Err(CodecError::Unexpected { offset: start, expected: "an array of four" });
            }
            let protected = decoder.bytes(OVERHEAD_BYTES_MAX)?.to_vec();
            decoder.map(0)?;
            let payload = decoder.bytes(T::PAYLOAD_BYTES_MAX)?.to_vec();
            let signature = decoder.byte_array()?;
            decoder.finish()?;
            Ok(Self { protected, payload, signature, bytes: bytes.to_vec(), kind: PhantomData })
        };
        read().map_err(|source| EnvelopeError::Malformed { expected: T::TYPE, source })
    }

    /// The value under the signature of `key`.
    ///
    /// # Errors
    /// `Refused` for any other signer, algorithm, type, label or byte; `Malformed` when a signed payload is not
    /// a value (a newer version, say).
    pub fn verify(self, key: &PublicKey) -> Result<Signed<T>, EnvelopeError> {
        // The only header that `key` could have signed for this artefact: compared, never interpreted.
        if self.protected != protected_header::<T>(key)
            || !key.verifies(&to_be_signed::<T>(&self.protected, &self.payload), &self.signature)
        {
            return Err(EnvelopeError::Refused);
        }
        let value = self.claimed()?;
        Ok(Signed { value, payload: self.payload, bytes: self.bytes, signer: key.clone() })
    }

    /// What the bytes claim, for showing to a person and for finding the key to verify with.
    ///
    /// # Errors
    /// `Malformed` when the payload is not a value.
    pub fn claimed(&self) -> Result<T, EnvelopeError> {
        T::from_payload(&self.payload).map_err(|source| EnvelopeError::Malformed { expected: T::TYPE, source })
    }

    /// Whose signature the header claims it is; nothing when it is not a header of ours.
    #[must_use]
    pub fn claimed_signer(&self) -> Option<KeyId> {
        Header::from_bytes(&self.protected, Limits::default()).ok().map(|header| header.kid)
    }

    /// SHA-256 of the payload.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// The whole artefact as it came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn protected_header<T: Artefact>(key: &PublicKey) -> Vec<u8> {
    Header { alg: key.algorithm().cose_id(), kid: key.id(), typ: T::TYPE.to_owned() }.to_bytes()
}

fn to_be_signed<T: Artefact>(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Encoder::new();
    out.array(4).text("Signature1").bytes(protected).bytes(T::LABEL.as_bytes()).bytes(payload);
    out.into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::codec::assert_documented;
    use crate::key::SigningKey;
    use crate::random::RecordedRandom;

    #[test]
    fn the_page_lists_the_header() {
        assert_documented(include_str!("../docs/cbor.md"), "### Protected header", Header::TABLE);
    }

    #[derive(Debug, PartialEq)]
    struct Seven(u64);

    impl Artefact for Seven {
        const LABEL: Label = Label::CARD;
        const TYPE: &'static str = "usufruct-seven";
        const PAYLOAD_BYTES_MAX: usize = 16;

        fn to_payload(&self) -> Vec<u8> {
            let mut out = Encoder::new();
            out.uint(self.0);
            out.into_bytes()
        }

        fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
            let mut decoder = Decoder::new(payload, Limits::default())?;
            let value = decoder.uint()?;
            decoder.finish()?;
            Ok(Self(value))
        }
    }

    #[derive(Debug)]
    struct Eight;

    impl Artefact for Eight {
        const LABEL: Label = Label::REFILL;
        const TYPE: &'static str = Seven::TYPE;

        fn to_payload(&self) -> Vec<u8> {
            vec![7]
        }

        fn from_payload(_: &[u8]) -> Result<Self, CodecError> {
            Ok(Self)
        }
    }

    #[test]
    fn only_the_signed_bytes_under_the_right_key_and_label_verify() {
        let mut random = RecordedRandom::from_seed("envelope");
        let (key, other) = (SigningKey::generate(&mut random), SigningKey::generate(&mut random));
        let signed = Signed::sign(Seven(7), &key).unwrap();
        let verified = Untrusted::<Seven>::decode(signed.bytes()).unwrap().verify(key.public()).unwrap();
        assert_eq!(verified.value(), &Seven(7));
        assert_eq!(verified.digest(), Digest::of(&[7]));
        assert!(matches!(Untrusted::<Seven>::decode(signed.bytes()).unwrap().verify(other.public()), Err(EnvelopeError::Refused)));
        assert!(matches!(Untrusted::<Eight>::decode(signed.bytes()).unwrap().verify(key.public()), Err(EnvelopeError::Refused)));
        for at in 0..signed.bytes().len() {
            for bit in 0..8 {
                let mut bytes = signed.bytes().to_vec();
                bytes[at] ^= 1 << bit;
                assert!(
                    Untrusted::<Seven>::decode(&bytes).and_then(|untrusted| untrusted.verify(key.public())).is_err(),
                    "byte {at} bit {bit}"
                );
            }
        }
        for end in 0..signed.bytes().len() {
            assert!(Untrusted::<Seven>::decode(&signed.bytes()[..end]).is_err());
        }
    }

    #[test]
    fn the_form_is_cose_sign1_for_another_implementation_too() {
        let key = SigningKey::generate(&mut RecordedRandom::from_seed("cose"));
        let signed = Signed::sign(Seven(7), &key).unwrap();
        let value: ciborium::Value = ciborium::from_reader(signed.bytes()).unwrap();
        let (tag, array) = value.as_tag().unwrap();
        assert_eq!((tag, array.as_array().unwrap().len()), (18, 4));
        let protected: ciborium::Value = ciborium::from_reader(&array.as_array().unwrap()[0].as_bytes().unwrap()[..]).unwrap();
        assert_eq!(protected.as_map().unwrap().len(), 3);
    }
}
