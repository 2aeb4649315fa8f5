//! Receipts, and the file that holds request, answer and receipt together.

use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::ledger::{ENTRY_BYTES_MAX, NOTE_BYTES_MAX};
use crate::receipt::ANSWER_BYTES_MAX;
use crate::right::REQUEST_BYTES_MAX;

/// The proof that an answer was charged and sealed; verifies together with request and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The gate's certificate, signed by the owner.
    pub certificate: Vec<u8>,
    /// The entry that sealed the answer.
    pub entry: Vec<u8>,
    /// Its index.
    pub index: u64,
    /// From the entry to the root of the checkpoint, leaf first.
    pub inclusion: Vec<[u8; 32]>,
    /// From the checkpoint the holder had seen to this one; empty when there was none.
    pub consistency: Vec<[u8; 32]>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Request, answer and receipt in one file: all that a stranger needs beside the owner's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The receipt.
    pub receipt: Receipt,
    /// The signed request.
    pub request: Vec<u8>,
    /// The sealed answer.
    pub answer: Vec<u8>,
}

mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const CERTIFICATE: i64 = 2;
    pub(super) const ENTRY: i64 = 3;
    pub(super) const INDEX: i64 = 4;
    pub(super) const INCLUSION: i64 = 5;
    pub(super) const CONSISTENCY: i64 = 6;
    pub(super) const CHECKPOINT: i64 = 7;
    pub(super) const RECEIPT: i64 = 8;
    pub(super) const REQUEST: i64 = 9;
    pub(super) const ANSWER: i64 = 10;
}

const FORMAT: u64 = 1;
/// A path of 2^64 entries has 64 hashes; a consistency path one more.
const PATH_BYTES_MAX: usize = 65 * 32;
const RECEIPT_BYTES_MAX: usize = 128 * 1024;

impl Receipt {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::CERTIFICATE).bytes(&self.certificate);
            map.key(key::ENTRY).bytes(&self.entry);
            map.key(key::INDEX).uint(self.index);
            map.key(key::INCLUSION).bytes(self.inclusion.as_flattened());
            map.key(key::CONSISTENCY).bytes(self.consistency.as_flattened());
            map.key(key::CHECKPOINT).text(&self.checkpoint);
        });
        out.into_bytes()
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// Not exactly a receipt within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(bytes, Limits::of_bytes(RECEIPT_BYTES_MAX))?;
        let (mut format, mut certificate, mut entry, mut index) = (None, None, None, None);
        let (mut inclusion, mut consistency, mut checkpoint) = (None, None, None);
        let mut keys = decoder.map(8)?;
        while let Some(key) = keys.next(&mut decoder)? {
            match key {
                key::FORMAT => format = Some(read_format(&mut decoder, key)?),
                key::CERTIFICATE => certificate = Some(decoder.bytes(1024)?.to_vec()),
                key::ENTRY => entry = Some(decoder.bytes(ENTRY_BYTES_MAX)?.to_vec()),
                key::INDEX => index = Some(decoder.uint()?),
                key::INCLUSION => inclusion = Some(read_path(&mut decoder, key)?),
                key::CONSISTENCY => consistency = Some(read_path(&mut decoder, key)?),
                key::CHECKPOINT => checkpoint = Some(decoder.text(NOTE_BYTES_MAX)?.to_owned()),
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        required(format, key::FORMAT)?;
        Ok(Self {
            certificate: required(certificate, key::CERTIFICATE)?,
            entry: required(entry, key::ENTRY)?,
            index: required(index, key::INDEX)?,
            inclusion: required(inclusion, key::INCLUSION)?,
            consistency: required(consistency, key::CONSISTENCY)?,
            checkpoint: required(checkpoint, key::CHECKPOINT)?,
        })
    }
}

impl Bundle {
    /// The most bytes of a bundle.
    pub const BYTES_MAX: usize = RECEIPT_BYTES_MAX + REQUEST_BYTES_MAX + ANSWER_BYTES_MAX + 1024;

    /// The canonical bytes: the content of a `.receipt` file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::RECEIPT).bytes(&self.receipt.encode());
            map.key(key::REQUEST).bytes(&self.request);
            map.key(key::ANSWER).bytes(&self.answer);
        });
        out.into_bytes()
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// Not exactly a bundle within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(bytes, Limits::of_bytes(Self::BYTES_MAX))?;
        let (mut format, mut receipt, mut request, mut answer) = (None, None, None, None);
        let mut keys = decoder.map(8)?;
        while let Some(key) = keys.next(&mut decoder)? {
            match key {
                key::FORMAT => format = Some(read_format(&mut decoder, key)?),
                key::RECEIPT => receipt = Some(Receipt::decode(decoder.bytes(RECEIPT_BYTES_MAX)?)?),
                key::REQUEST => request = Some(decoder.bytes(REQUEST_BYTES_MAX + 512)?.to_vec()),
                key::ANSWER => answer = Some(decoder.bytes(ANSWER_BYTES_MAX)?.to_vec()),
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        required(format, key::FORMAT)?;
        Ok(Self {
            receipt: required(receipt, key::RECEIPT)?,
            request: required(request, key::REQUEST)?,
            answer: required(answer, key::ANSWER)?,
        })
    }
}

fn read_format(decoder: &mut Decoder<'_>, key: i64) -> Result<u64, CodecError> {
    Some(decoder.uint()?).filter(|format| *format == FORMAT).ok_or(CodecError::Value { key, expected: "format 1" })
}

fn read_path(decoder: &mut Decoder<'_>, key: i64) -> Result<Vec<[u8; 32]>, CodecError> {
    let (hashes, rest) = decoder.bytes(PATH_BYTES_MAX)?.as_chunks::<32>();
    if rest.is_empty() { Ok(hashes.to_vec()) } else { Err(CodecError::Value { key, expected: "whole hashes" }) }
}
