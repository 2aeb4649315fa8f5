//! Block 0 of a right: what the owner signs for a holder.

use super::terms::Terms;
use crate::codec::{CodecError, Decoder, Encoder, Field, Limits, Record, record};
use crate::envelope::Artefact;
use crate::id::{DatasetId, Digest, LedgerId, Name, Nonce, Time};
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::label::Label;

record! {
    /// Block 0 of a right: the owner gives `holder` the use of a dataset under `terms`.
    ///
    /// Claim keys are those of CWT (RFC 8392) where they exist, else private ones below -65536: the table in `docs/right.md`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Block, format -65_537 {
        /// When it was granted.
        6 => pub issued_at: Time,
        /// Makes two grants of the same terms two rights.
        7 => pub nonce: Nonce,
        /// Who may use it: the key that signs requests.
        8 => pub holder: PublicKey as Confirmation,
        /// Where it can be spent, and nowhere else.
        -65_538 => pub ledger: LedgerId,
        /// What may be used.
        -65_539 => pub dataset: DatasetId,
        /// The name of the dataset in FROM.
        -65_540 => pub name: Name,
        /// The schema the terms were written for.
        -65_541 => pub schema: Digest,
    } with {
        /// How it may be used.
        pub terms: Terms,
    }
}

record! {
    /// RFC 8747 section 3.2: `cnf`.
    struct Holder {
        1 => key: CoseKey,
    }
}

record! {
    /// RFC 9053 section 7.2: an octet key pair.
    struct CoseKey, fixed 1 kty = 1, fixed 3 alg = -19, fixed -1 crv = 6 {
        -2 => x: [u8; 32],
    }
}

const _: () = assert!(SignatureAlgorithm::Ed25519.cose_id() == -19, "the alg of a holder's key");

/// How a block says whose it is: a key in [`Holder`].
enum Confirmation {}

impl Field for Confirmation {
    type Value = PublicKey;
    const SHAPE: &'static str = "`{1: COSE_Key}`";

    fn write(value: &PublicKey, out: &mut Encoder) {
        Holder { key: CoseKey { x: *value.as_bytes() } }.write_map(out);
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<PublicKey, CodecError> {
        let Holder { key: CoseKey { x } } = Holder::read_map(decoder)?;
        PublicKey::from_bytes(x).map_err(|_| CodecError::Value { key, expected: "a sound Ed25519 key as cnf {1: COSE_Key}" })
    }
}

impl Artefact for Block {
    const LABEL: Label = Label::RIGHT_BLOCK;
    const TYPE: &'static str = "usufruct-right-block+cbor";

    fn to_payload(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let block = Self::from_bytes(payload, Limits::default())?;
        let wrong = CodecError::Value { key: FORMAT, expected: "terms that could be granted" };
        if block.terms.check().is_ok() { Ok(block) } else { Err(wrong) }
    }
}

/// The claim that an error of the whole is told of.
const FORMAT: i64 = Block::FIXED[0].key;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::assert_documented;

    #[test]
    fn the_page_lists_its_claims() {
        let page = include_str!("../../docs/right.md");
        assert_documented(page, "## Claims of a block", Block::TABLE);
        assert_documented(page, "## Holder", CoseKey::TABLE);
    }
}
