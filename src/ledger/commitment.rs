//! Salted commitments: they hide a digest until the salt is shown.

use ring::hmac;
use subtle::ConstantTimeEq;

use crate::codec::{CodecError, Decoder, Encoder, Field};
use crate::id::{AccountId, Digest, Salt};
use crate::label::Label;

/// A commitment HMAC-SHA256(salt, label, digest): hides the digest, and so what it is of, until the salt is shown.
///
/// A bare digest of data would let someone who knows all rows but one confirm the last (rule B4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Commitment([u8; 32]);

impl Commitment {
    /// Commits to a digest.
    #[must_use]
    pub fn new(label: Label, salt: &Salt, digest: &Digest) -> Self {
        Self::over(label, salt, &[digest.as_bytes()])
    }

    /// Commits to what an account stands for. The account is inside: no opening of one account opens another.
    #[must_use]
    pub fn of_account(salt: &Salt, account: AccountId, digest: &Digest) -> Self {
        Self::over(Label::ACCOUNT_ARTEFACT, salt, &[account.as_bytes(), digest.as_bytes()])
    }

    fn over(label: Label, salt: &Salt, parts: &[&[u8]]) -> Self {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes()));
        context.update(label.as_bytes());
        context.update(&[0]);
        parts.iter().for_each(|part| context.update(part));
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        Self(bytes)
    }

    /// Whether salt and digest open the commitment; in constant time.
    #[must_use]
    pub fn opens(&self, label: Label, salt: &Salt, digest: &Digest) -> bool {
        self.0.ct_eq(&Self::new(label, salt, digest).0).into()
    }

    /// Whether salt and digest open the commitment of this account, and no other; in constant time.
    #[must_use]
    pub fn opens_account(&self, salt: &Salt, account: AccountId, digest: &Digest) -> bool {
        self.0.ct_eq(&Self::of_account(salt, account, digest).0).into()
    }

    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Field for Commitment {
    type Value = Self;
    const SHAPE: &'static str = "commitment, 32 bytes";

    fn write(value: &Self, out: &mut Encoder) {
        out.bytes(&value.0);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decoder.byte_array().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_salt_label_and_digest_open_a_commitment() {
        let (salt, digest) = (Salt::from_bytes([1; 32]), Digest::of(b"x"));
        let commitment = Commitment::new(Label::SNAPSHOT, &salt, &digest);
        assert!(commitment.opens(Label::SNAPSHOT, &salt, &digest));
        assert!(!commitment.opens(Label::ACCOUNT, &salt, &digest));
        assert!(!commitment.opens(Label::SNAPSHOT, &Salt::from_bytes([2; 32]), &digest));
        assert!(!commitment.opens(Label::SNAPSHOT, &salt, &Digest::of(b"y")));
    }

    #[test]
    fn an_opening_of_one_account_opens_no_other() {
        let (salt, digest) = (Salt::from_bytes([1; 32]), Digest::of(b"x"));
        let [one, other] = [1, 2].map(|id| AccountId::from_bytes([id; 16]));
        let commitment = Commitment::of_account(&salt, one, &digest);
        assert!(commitment.opens_account(&salt, one, &digest));
        assert!(!commitment.opens_account(&salt, other, &digest));
        assert!(!commitment.opens_account(&salt, one, &Digest::of(b"y")));
        assert!(!commitment.opens_account(&Salt::from_bytes([2; 32]), one, &digest));
        assert!(!commitment.opens(Label::ACCOUNT, &salt, &digest));
        assert!(!commitment.opens(Label::ACCOUNT_ARTEFACT, &salt, &digest));
    }
}
