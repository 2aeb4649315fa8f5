//! The bytes of one batch on disk, and of the sector that opens a segment.
//!
//! Integers are big-endian. Every sector of 512 bytes ends with a marker that is not zero, so that a sector which never
//! reached the disk is told from one that did; the marker of a frame's first sector differs from that of the others, so that
//! no entry can imitate the start of a frame.

use super::{BATCH_BYTES_MAX, ENTRY_BYTES_MAX, SECTOR_BYTES};
use crate::class::Class;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Bytes of a sector before its marker.
const CONTENT: usize = SECTOR_BYTES - 1;
/// Last byte of the sector that opens a segment.
const MARK_SEGMENT: u8 = 0x3c;
/// Last byte of the first sector of a frame.
const MARK_FIRST: u8 = 0xa5;
/// Last byte of every further sector of a frame.
const MARK_REST: u8 = 0x5a;

const FRAME_MAGIC: [u8; 7] = *b"ufbatch";
const SEGMENT_MAGIC: [u8; 7] = *b"ufsegmt";
const START_MAGIC: [u8; 7] = *b"ufstart";
const VERSION: u8 = 1;

const CHECK: usize = 16;
const HEADER: usize = 8 + 8 + 8 + 4 + 4 + 32 + CHECK;
const SEGMENT_HEADER: usize = 8 + 16 + 8 + 8 + 8 + 8 + 32 + CHECK;
const HASH: usize = 32;

/// Where bytes depart from the format, and what was expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("byte {at}: expected {expected}")]
pub struct FrameError {
    /// Offset in the bytes that were read.
    pub at: u64,
    /// What should have stood there.
    pub expected: Expected,
}

/// What a reader of the journal expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what the messages say")]
pub enum Expected {
    #[error("the marker {expected:#04x} of a written sector, found {found:#04x}")]
    Marker { expected: u8, found: u8 },
    #[error("the head of a batch")]
    BatchMagic,
    #[error("the head of a segment")]
    SegmentMagic,
    #[error("format version {expected}, found {found}")]
    Version { expected: u8, found: u8 },
    #[error("a header that matches its check")]
    Check,
    #[error("the journal id of the first segment")]
    Journal,
    #[error("segment {expected}, found {found}")]
    Segment { expected: u64, found: u64 },
    #[error("batch {expected}, found {found}")]
    Batch { expected: u64, found: u64 },
    #[error("first index {expected}, found {found}")]
    Index { expected: u64, found: u64 },
    #[error("the hash of the batch before")]
    Previous,
    #[error("a length of at most {limit}, found {found}")]
    Length { limit: u64, found: u64 },
    #[error("a segment of {expected} bytes, found {found}")]
    SegmentBytes { expected: u64, found: u64 },
    #[error("{expected} entries that fill the payload")]
    Entries { expected: u32 },
    #[error("zeros")]
    Zeros,
    #[error("the hash of the batch")]
    Hash,
    #[error("the end of the journal, found a later batch")]
    End,
}

impl FrameError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::Doubt
    }

    pub(super) fn new(at: usize, expected: Expected) -> Self {
        Self { at: at as u64, expected }
    }

    /// The same fault, seen from `base` bytes earlier.
    pub(super) fn after(self, base: usize) -> Self {
        Self { at: self.at.saturating_add(base as u64), ..self }
    }
}

/// What the next batch must continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain {
    /// Number of the next batch.
    pub(super) batch: u64,
    /// Index of its first entry.
    pub(super) index: u64,
    /// Hash of the batch before it.
    pub(super) hash: [u8; 32],
}

impl Chain {
    /// Before the first batch of the journal with this id.
    pub(super) fn start(id: &[u8; 16]) -> Self {
        let hash = Sha256::new().chain_update(START_MAGIC).chain_update([VERSION]).chain_update(id).finalize();
        Self { batch: 0, index: 0, hash: hash.into() }
    }
}

/// One batch as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    header: Header,
    payload: Vec<u8>,
    hash: [u8; 32],
}

impl Frame {
    /// Reads the frame at the start of `bytes`; what follows it is not looked at.
    ///
    /// # Errors
    /// [`FrameError`] with the first byte that no frame can have there.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let header = Header::decode(bytes)?;
        let frame = bytes
            .get(..header.frame_bytes())
            .ok_or(FrameError::new(28, Expected::Length { limit: bytes.len() as u64, found: header.frame_bytes() as u64 }))?;
        let mut content = Vec::new();
        let hash = header.read(frame, &mut content)?;
        content.truncate(header.payload_end());
        content.drain(..HEADER);
        Ok(Self { header, payload: content, hash })
    }

    /// The bytes that [`Frame::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let chain = Chain { batch: self.header.batch, index: self.header.index, hash: self.header.previous };
        let entries: Vec<_> = self.entries().collect();
        let mut bytes = Vec::new();
        encode(&chain, &entries, &mut Vec::new(), &mut bytes);
        bytes
    }

    /// The number of the batch.
    #[must_use]
    pub fn batch(&self) -> u64 {
        self.header.batch
    }

    /// The index of its first entry.
    #[must_use]
    pub fn first_index(&self) -> u64 {
        self.header.index
    }

    /// The hash of the batch before.
    #[must_use]
    pub fn previous(&self) -> &[u8; 32] {
        &self.header.previous
    }

    /// The hash of this batch.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// Its entries in order.
    pub fn entries(&self) -> impl Iterator<Item = &[u8]> {
        Entries(&self.payload)
    }
}

/// The head of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) batch: u64,
    pub(super) index: u64,
    pub(super) count: u32,
    payload: u32,
    pub(super) previous: [u8; 32],
}

impl Header {
    /// Reads the head of the frame whose first sector starts `bytes`.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let sector = first_sector(bytes, MARK_FIRST)?;
        checked_magic(sector, FRAME_MAGIC, Expected::BatchMagic, HEADER)?;
        let header = Self {
            batch: u64::from_be_bytes(field(sector, 8)),
            index: u64::from_be_bytes(field(sector, 16)),
            count: u32::from_be_bytes(field(sector, 24)),
            payload: u32::from_be_bytes(field(sector, 28)),
            previous: field(sector, 32),
        };
        if header.payload as usize > BATCH_BYTES_MAX {
            let (limit, found) = (BATCH_BYTES_MAX as u64, u64::from(header.payload));
            return Err(FrameError::new(28, Expected::Length { limit, found }));
        }
        if header.count == 0 || header.index.checked_add(u64::from(header.count)).is_none() {
            return Err(FrameError::new(24, Expected::Entries { expected: header.count }));
        }
        Ok(header)
    }

    fn encode(&self, content: &mut Vec<u8>) {
        content.extend_from_slice(&FRAME_MAGIC);
        content.push(VERSION);
        content.extend_from_slice(&self.batch.to_be_bytes());
        content.extend_from_slice(&self.index.to_be_bytes());
        content.extend_from_slice(&self.count.to_be_bytes());
        content.extend_from_slice(&self.payload.to_be_bytes());
        content.extend_from_slice(&self.previous);
        push_check(content);
    }

    /// That this is the batch which continues `chain`.
    pub(super) fn continues(&self, chain: &Chain) -> Result<(), FrameError> {
        if self.batch != chain.batch {
            return Err(FrameError::new(8, Expected::Batch { expected: chain.batch, found: self.batch }));
        }
        if self.index != chain.index {
            return Err(FrameError::new(16, Expected::Index { expected: chain.index, found: self.index }));
        }
        if self.previous != chain.hash {
            return Err(FrameError::new(32, Expected::Previous));
        }
        Ok(())
    }

    /// The chain after this batch, whose hash is `hash`.
    pub(super) fn extend(&self, hash: [u8; 32]) -> Chain {
        // `decode` has checked both sums: a batch number equal to the chain's grows by one a frame of 512 bytes.
        Chain { batch: self.batch.saturating_add(1), index: self.index + u64::from(self.count), hash }
    }

    /// Bytes of the whole frame: a multiple of the sector.
    pub(super) fn frame_bytes(&self) -> usize {
        frame_bytes(self.payload as usize)
    }

    fn payload_end(&self) -> usize {
        HEADER + self.payload as usize
    }

    /// Checks the rest of the frame (`frame.len() == self.frame_bytes()`) and returns its hash. `content` becomes the bytes
    /// without markers; [`Header::entries`] finds the entries there.
    pub(super) fn read(&self, frame: &[u8], content: &mut Vec<u8>) -> Result<[u8; 32], FrameError> {
        content.clear();
        for (number, sector) in frame.chunks_exact(SECTOR_BYTES).enumerate() {
            let (body, found) = (&sector[..CONTENT], sector[CONTENT]);
            let expected = if number == 0 { MARK_FIRST } else { MARK_REST };
            if found != expected {
                return Err(FrameError::new(number * SECTOR_BYTES + CONTENT, Expected::Marker { expected, found }));
            }
            content.extend_from_slice(body);
        }
        let end = self.payload_end();
        if let Some(at) = content[end + HASH..].iter().position(|byte| *byte != 0) {
            return Err(FrameError::new(on_disk(end + HASH + at), Expected::Zeros));
        }
        let hash: [u8; 32] = Sha256::digest(&content[..end]).into();
        if content[end..end + HASH] != hash {
            return Err(FrameError::new(on_disk(end), Expected::Hash));
        }
        let mut entries = self.entries(content);
        let whole = (0..self.count).all(|_| entries.next().is_some()) && entries.0.is_empty();
        if !whole {
            return Err(FrameError::new(on_disk(HEADER), Expected::Entries { expected: self.count }));
        }
        Ok(hash)
    }

    /// The entries in what [`Header::read`] left in `content`.
    pub(super) fn entries<'a>(&self, content: &'a [u8]) -> Entries<'a> {
        Entries(&content[HEADER..self.payload_end()])
    }

    /// Whether some sector of the frame never reached the disk, which is all that a crash can do to it. A sector that is
    /// there has its marker.
    pub(super) fn is_torn(frame: &[u8]) -> Result<bool, FrameError> {
        let mut torn = false;
        for (number, sector) in frame.chunks_exact(SECTOR_BYTES).enumerate().skip(1) {
            let found = sector[CONTENT];
            if is_zero(sector) {
                torn = true;
            } else if found != MARK_REST {
                let expected = Expected::Marker { expected: MARK_REST, found };
                return Err(FrameError::new(number * SECTOR_BYTES + CONTENT, expected));
            }
        }
        Ok(torn)
    }
}

/// Walks length-prefixed entries; stops where they stop making sense.
pub(super) struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > ENTRY_BYTES_MAX {
            return None;
        }
        let (entry, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(entry)
    }
}

/// Writes the frame of the batch that continues `chain` into `out` and returns the chain after it. The caller has checked the
/// limits. `content` is scratch.
#[expect(clippy::cast_possible_truncation, reason = "entries and payload are below their limits, which fit 32 bits")]
pub(super) fn encode(chain: &Chain, entries: &[&[u8]], content: &mut Vec<u8>, out: &mut Vec<u8>) -> Chain {
    let header = Header {
        batch: chain.batch,
        index: chain.index,
        count: entries.len() as u32,
        payload: payload_bytes(entries) as u32,
        previous: chain.hash,
    };
    content.clear();
    header.encode(content);
    for entry in entries {
        content.extend_from_slice(&(entry.len() as u32).to_be_bytes());
        content.extend_from_slice(entry);
    }
    let hash: [u8; 32] = Sha256::digest(&content[..]).into();
    content.extend_from_slice(&hash);
    out.clear();
    for (number, body) in content.chunks(CONTENT).enumerate() {
        push_sector(out, body, if number == 0 { MARK_FIRST } else { MARK_REST });
    }
    header.extend(hash)
}

/// Bytes of the payload that holds these entries.
pub(super) fn payload_bytes(entries: &[&[u8]]) -> usize {
    entries.iter().map(|entry| 4 + entry.len()).sum()
}

/// Bytes of the frame that holds this payload.
pub(super) const fn frame_bytes(payload: usize) -> usize {
    (HEADER + payload + HASH).div_ceil(CONTENT) * SECTOR_BYTES
}

/// Bytes of the greatest payload whose frame fits `frame` bytes, a multiple of the sector.
pub(super) const fn payload_bytes_max(frame: usize) -> usize {
    frame / SECTOR_BYTES * CONTENT - HEADER - HASH
}

/// The sector that opens a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) id: [u8; 16],
    pub(super) number: u64,
    pub(super) bytes: u64,
    pub(super) chain: Chain,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(SEGMENT_HEADER);
        content.extend_from_slice(&SEGMENT_MAGIC);
        content.push(VERSION);
        content.extend_from_slice(&self.id);
        for number in [self.number, self.bytes, self.chain.batch, self.chain.index] {
            content.extend_from_slice(&number.to_be_bytes());
        }
        content.extend_from_slice(&self.chain.hash);
        push_check(&mut content);
        let mut sector = Vec::with_capacity(SECTOR_BYTES);
        push_sector(&mut sector, &content, MARK_SEGMENT);
        sector
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let sector = first_sector(bytes, MARK_SEGMENT)?;
        checked_magic(sector, SEGMENT_MAGIC, Expected::SegmentMagic, SEGMENT_HEADER)?;
        if let Some(at) = sector[SEGMENT_HEADER..CONTENT].iter().position(|byte| *byte != 0) {
            return Err(FrameError::new(SEGMENT_HEADER + at, Expected::Zeros));
        }
        let number = |at| u64::from_be_bytes(field(sector, at));
        let chain = Chain { batch: number(40), index: number(48), hash: field(sector, 56) };
        Ok(Self { id: field(sector, 8), number: number(24), bytes: number(32), chain })
    }

    /// That this segment is the one numbered `number` of this journal and continues `chain`.
    pub(super) fn continues(&self, id: &[u8; 16], number: u64, chain: &Chain) -> Result<(), FrameError> {
        if self.id != *id {
            return Err(FrameError::new(8, Expected::Journal));
        }
        if self.number != number {
            return Err(FrameError::new(24, Expected::Segment { expected: number, found: self.number }));
        }
        if self.chain.batch != chain.batch {
            return Err(FrameError::new(40, Expected::Batch { expected: chain.batch, found: self.chain.batch }));
        }
        if self.chain.index != chain.index {
            return Err(FrameError::new(48, Expected::Index { expected: chain.index, found: self.chain.index }));
        }
        if self.chain.hash != chain.hash {
            return Err(FrameError::new(56, Expected::Previous));
        }
        Ok(())
    }
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// Where byte `at` of the content stands among the sectors.
const fn on_disk(at: usize) -> usize {
    at + at / CONTENT
}

fn push_sector(out: &mut Vec<u8>, content: &[u8], marker: u8) {
    out.extend_from_slice(content);
    out.resize(out.len() + CONTENT - content.len(), 0);
    out.push(marker);
}

/// Appends the truncated hash of all that is there.
fn push_check(content: &mut Vec<u8>) {
    let check = Sha256::digest(&content[..]);
    content.extend_from_slice(&check[..CHECK]);
}

fn first_sector(bytes: &[u8], marker: u8) -> Result<&[u8; SECTOR_BYTES], FrameError> {
    let found = bytes.len() as u64;
    let sector =
        bytes.first_chunk::<SECTOR_BYTES>().ok_or(FrameError::new(0, Expected::SegmentBytes { expected: SECTOR_BYTES as u64, found }))?;
    if sector[CONTENT] != marker {
        return Err(FrameError::new(CONTENT, Expected::Marker { expected: marker, found: sector[CONTENT] }));
    }
    Ok(sector)
}

/// That the sector starts with this magic and version, and that the check which ends the first `length` bytes matches.
fn checked_magic(sector: &[u8; SECTOR_BYTES], magic: [u8; 7], expected: Expected, length: usize) -> Result<(), FrameError> {
    if sector[..7] != magic {
        return Err(FrameError::new(0, expected));
    }
    if sector[7] != VERSION {
        return Err(FrameError::new(7, Expected::Version { expected: VERSION, found: sector[7] }));
    }
    let (covered, check) = sector[..length].split_at(length - CHECK);
    if Sha256::digest(covered)[..CHECK] != *check {
        return Err(FrameError::new(length - CHECK, Expected::Check));
    }
    Ok(())
}

/// The `N` bytes at a fixed place of a header.
fn field<const N: usize>(sector: &[u8; SECTOR_BYTES], at: usize) -> [u8; N] {
    std::array::from_fn(|i| sector[at + i])
}
