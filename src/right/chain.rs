//! Rights as chains of blocks, of which this version reads one.

use super::{Block, Terms};
use crate::class::Class;
use crate::codec::{CodecError, Decoder, Encoder, Limits};
use crate::envelope::{EnvelopeError, Signed, Untrusted};
use crate::id::{Digest, RightId};
use crate::key::{KeyId, KeySet, PublicKey};

/// A right whose blocks nobody has verified yet.
#[derive(Clone, Debug)]
pub struct Right {
    blocks: Vec<Untrusted<Block>>,
    bytes: Vec<u8>,
}

/// Why a right is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RightError {
    /// The bytes are not a chain of blocks.
    #[error("not a well-formed right: {0}")]
    Malformed(#[from] CodecError),
    /// A block does not verify.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A chain this version does not evaluate.
    #[error("the right is passed on in {blocks} blocks; this version honours rights of one block")]
    Delegated {
        /// How many blocks it has.
        blocks: usize,
    },
}

impl RightError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Malformed(_) => Class::BadInput,
            Self::Envelope(error) => error.class(),
            Self::Delegated { .. } => Class::Refused,
        }
    }
}

/// The most bytes of a chain (rule C8): 16 blocks of 4 KiB.
pub const CHAIN_BYTES_MAX: usize = 64 * 1024;
const BLOCKS_MAX: usize = 16;
const FORMAT: u64 = 1;

impl Right {
    /// A right of the owner's block alone.
    #[must_use]
    pub fn of(block: &Signed<Block>) -> Verified {
        let mut out = Encoder::new();
        out.array(2).uint(FORMAT).array(1).bytes(block.bytes());
        Verified { id: id_of(&[block.digest()]), block: block.value().clone(), bytes: out.into_bytes() }
    }

    /// Reads `[format, [block, ...]]`.
    ///
    /// # Errors
    /// Not a chain within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, RightError> {
        let mut decoder = Decoder::new(bytes, Limits::of_bytes(CHAIN_BYTES_MAX))?;
        if decoder.array(2)? != 2 || decoder.uint()? != FORMAT {
            return Err(CodecError::Unexpected { offset: 0, expected: "a right of format 1" }.into());
        }
        let offset = decoder.offset();
        let count = decoder.array(BLOCKS_MAX)?;
        if count == 0 {
            return Err(CodecError::Unexpected { offset, expected: "at least one block" }.into());
        }
        let mut blocks = Vec::with_capacity(count);
        for _ in 0..count {
            blocks.push(Untrusted::decode(decoder.bytes(CHAIN_BYTES_MAX)?)?);
        }
        decoder.finish()?;
        Ok(Self { blocks, bytes: bytes.to_vec() })
    }

    /// Verifies every block under the owner's keys and takes the meet of their terms.
    ///
    /// # Errors
    /// A signature that does not verify, or a chain of several blocks (not supported yet).
    pub fn verify(self, owner: &KeySet) -> Result<Verified, RightError> {
        let blocks = self.blocks.len();
        let mut chain = self.blocks.into_iter();
        match (chain.next(), chain.next()) {
            (Some(first), None) => {
                let block = first.verify(owner.key())?;
                Ok(Verified { id: id_of(&[block.digest()]), block: block.into_value(), bytes: self.bytes })
            }
            _ => Err(RightError::Delegated { blocks }),
        }
    }

    /// The id: a hash over the payloads of the chain, never over signatures.
    #[must_use]
    pub fn id(&self) -> RightId {
        id_of(&self.blocks.iter().map(Untrusted::digest).collect::<Vec<_>>())
    }

    /// How many blocks the chain has.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// What the first block claims, for showing it to a person.
    ///
    /// # Errors
    /// The payload is not a block.
    pub fn claimed(&self) -> Result<Block, RightError> {
        Ok(self.blocks.first().ok_or(CodecError::Truncated { offset: 0 })?.claimed()?)
    }

    /// The owner whose signature the first block claims to have; nothing when it claims none.
    #[must_use]
    pub fn claimed_owner(&self) -> Option<KeyId> {
        self.blocks.first()?.claimed_signer()
    }

    /// The bytes of the whole chain.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A right whose chain verified under the owner's keys. Says nothing about time, revocation or budget left.
#[derive(Clone, Debug)]
pub struct Verified {
    id: RightId,
    block: Block,
    bytes: Vec<u8>,
}

impl Verified {
    /// The id: a hash over the payloads of the chain.
    #[must_use]
    pub const fn id(&self) -> RightId {
        self.id
    }

    /// The owner's block.
    #[must_use]
    pub const fn root(&self) -> &Block {
        &self.block
    }

    /// The effective terms: the meet of all blocks.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.block.terms
    }

    /// The key that signs requests: the holder named in the last block.
    #[must_use]
    pub const fn holder(&self) -> &PublicKey {
        &self.block.holder
    }

    /// The bytes of the whole chain.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Never over signature bytes: two signatures on one payload are one right.
fn id_of(payloads: &[Digest]) -> RightId {
    let mut out = Encoder::new();
    out.array(payloads.len());
    for digest in payloads {
        out.bytes(digest.as_bytes());
    }
    RightId::from_bytes(*Digest::of(&out.into_bytes()).as_bytes())
}
