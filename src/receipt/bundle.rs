//! Receipts, and the file that holds request, answer and receipt together.

use crate::codec::{Bytes, CodecError, Decoder, Encoder, Field, Inside, Limits, Record, Text, record};
use crate::ledger::{ENTRY_BYTES_MAX, NOTE_BYTES_MAX};
use crate::receipt::ANSWER_BYTES_MAX;
use crate::right::REQUEST_BYTES_MAX;

record! {
    /// The proof that an answer was charged and sealed; verifies together with request and answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Receipt, format 1 {
        /// The gate's certificate, signed by the owner.
        2 => pub certificate: Vec<u8> as Bytes<1024>,
        /// The entry that sealed the answer.
        3 => pub entry: Vec<u8> as Bytes<ENTRY_BYTES_MAX>,
        /// Its index.
        4 => pub index: u64,
        /// From the entry to the root of the checkpoint, leaf first.
        5 => pub inclusion: Vec<[u8; 32]> as Hashes,
        /// From the checkpoint the holder had seen to this one; empty when there was none.
        6 => pub consistency: Vec<[u8; 32]> as Hashes,
        /// The signed checkpoint.
        7 => pub checkpoint: String as Text<NOTE_BYTES_MAX>,
    }
}

record! {
    /// Request, answer and receipt in one file: all that a stranger needs beside the owner's public key.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Bundle, format 1 {
        /// The receipt.
        8 => pub receipt: Receipt as Inside<Receipt, RECEIPT_BYTES_MAX>,
        /// The signed request.
        9 => pub request: Vec<u8> as Bytes<{ REQUEST_BYTES_MAX + 512 }>,
        /// The sealed answer.
        10 => pub answer: Vec<u8> as Bytes<ANSWER_BYTES_MAX>,
    }
}

/// A path of 2^64 entries has 64 hashes; a consistency path one more.
const PATH_BYTES_MAX: usize = 65 * 32;
const RECEIPT_BYTES_MAX: usize = 128 * 1024;

/// A path of a tree: its hashes in a row.
enum Hashes {}

impl Field for Hashes {
    type Value = Vec<[u8; 32]>;
    const SHAPE: &'static str = "byte string";

    fn write(value: &Vec<[u8; 32]>, out: &mut Encoder) {
        out.bytes(value.as_flattened());
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Vec<[u8; 32]>, CodecError> {
        let (hashes, rest) = decoder.bytes(PATH_BYTES_MAX)?.as_chunks();
        if rest.is_empty() { Ok(hashes.to_vec()) } else { Err(CodecError::Value { key, expected: "whole hashes" }) }
    }
}

impl Receipt {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_bytes()
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// Not exactly a receipt within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::from_bytes(bytes, Limits::of_bytes(RECEIPT_BYTES_MAX))
    }
}

impl Bundle {
    /// The most bytes of a bundle.
    pub const BYTES_MAX: usize = RECEIPT_BYTES_MAX + REQUEST_BYTES_MAX + ANSWER_BYTES_MAX + 1024;

    /// The canonical bytes: the content of a `.receipt` file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_bytes()
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// Not exactly a bundle within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::from_bytes(bytes, Limits::of_bytes(Self::BYTES_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::assert_documented;

    #[test]
    fn the_page_lists_their_fields() {
        let page = include_str!("../../docs/receipt.md");
        assert_documented(page, "## Receipt", Receipt::TABLE);
        assert_documented(page, "## Bundle", Bundle::TABLE);
    }
}
