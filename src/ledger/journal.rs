//! The journal: the one place where the ledger's entries are kept, in order, for ever.
//!
//! Promises:
//! - what [`Journal::append`] acknowledged is on disk: one batch, one frame, one `fdatasync`;
//! - after a crash at any moment every acknowledged batch is read back, an unacknowledged one whole or not at all, and
//!   [`Journal::open`] succeeds;
//! - bytes that no crash can leave are refused, with segment, offset and what was expected there;
//! - a sector with acknowledged bytes is never overwritten with others;
//! - one writer: the first segment is locked while the journal is open for writing, whatever else a process locks or does not;
//! - before each batch the files are found to be those that were opened, ending with the batch written last;
//! - an error of the disk poisons the handle: it never acknowledges again.
//!
//! ```text
//! folder     0000000000.seg  0000000001.seg  ...         segments, zero-filled and synced before their first use
//! segment    | header | frame | frame | frame | zeros |  whole sectors of 512 bytes
//! frame      | number, index, count, length, previous hash, check | entries | hash |
//! ```
//! The byte diagrams and a worked example are in `docs/ledger.md`.
//!
//! ```
//! use usufruct::ledger::{Journal, JournalOptions};
//!
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().join("ledger");
//! let mut journal = Journal::create(&folder, [7; 16], JournalOptions::default())?;
//! assert_eq!(journal.append(&[b"one", b"two"])?, 0);
//! drop(journal);
//!
//! let mut entries = Vec::new();
//! let journal = Journal::open(&folder, JournalOptions::default(), |index, entry| entries.push((index, entry.to_vec())))?;
//! assert_eq!(entries, [(0, b"one".to_vec()), (1, b"two".to_vec())]);
//! assert_eq!(journal.entries(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! Rule K1 of `docs/rules.md`. The treatment of a failed fsync: Rebello et al., "Can Applications Recover from fsync Failures?",
//! USENIX ATC 2020.
//!
//! # Not promised
//! - That nobody cut whole batches off the end, or put an older folder in place: only a checkpoint that somebody outside holds
//!   shows that.
//! - Anything on a disk that acknowledges a flush before it is durable, or tears a sector of 512 bytes.
//! - Another writer that ignores the lock and writes between the look and the batch, a few microseconds.

#[cfg(not(unix))]
compile_error!("the journal writes at offsets and makes private files as on unix: build without the feature `embedded`");

pub(super) mod disk;
mod error;
mod frame;
mod scan;
mod segment;
#[cfg(test)]
pub(super) mod simulated;
#[cfg(test)]
mod tests;

pub use error::JournalError;
pub use frame::{Expected, Frame, FrameError};

use super::entry::ENTRY_BYTES_MAX;
use disk::{Disk, Folder};
use frame::{Chain, SegmentHeader};
use scan::{Cursor, Place, scan};
use segment::{SUFFIX, failed, lock, prepare, publish, read_segment, remove_parts, segment_name, segments, settle};
use std::path::Path;
use std::time::Duration;

/// The unit in which disks write; smaller parts of a frame are padded to it.
pub const SECTOR_BYTES: usize = 512;
/// Entries of one batch with their length prefixes of 4 bytes are at most this long: what a reader must hold at once.
pub const BATCH_BYTES_MAX: usize = 4 << 20;
/// A segment unless told otherwise: about 20 ms of zero-filling each few ten thousand entries.
pub const SEGMENT_BYTES_DEFAULT: u64 = 16 << 20;
/// The least segment: its header and one frame of one sector.
pub const SEGMENT_BYTES_MIN: u64 = 2 * SECTOR_BYTES as u64;
/// The greatest segment: it is read into memory as a whole.
pub const SEGMENT_BYTES_MAX: u64 = 256 << 20;

/// A reader beside the writer looks again this often, a millisecond apart, before it takes an unfinished batch for damage.
const READ_RETRIES_MAX: u32 = 100;
const READ_RETRY: Duration = Duration::from_millis(1);
/// What is read back before each batch: the last two sectors hold the whole hash of the batch before.
const TAIL_BYTES: usize = 2 * SECTOR_BYTES;

/// Choices for new segments; those that exist keep theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalOptions {
    segment_bytes: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES_DEFAULT }
    }
}

impl JournalOptions {
    /// Bytes of a new segment.
    ///
    /// # Errors
    /// [`JournalError::SegmentBytes`] unless a multiple of [`SECTOR_BYTES`] between [`SEGMENT_BYTES_MIN`] and
    /// [`SEGMENT_BYTES_MAX`].
    pub fn segment_bytes(self, segment_bytes: u64) -> Result<Self, JournalError> {
        let within = (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&segment_bytes);
        if within && segment_bytes.is_multiple_of(SECTOR_BYTES as u64) {
            Ok(Self { segment_bytes })
        } else {
            Err(JournalError::SegmentBytes { found: segment_bytes })
        }
    }

    /// What a batch may be so that its frame fits a segment.
    fn batch_bytes_max(self) -> usize {
        // One segment is at most 256 MiB, so this is exact.
        let frame = usize::try_from(self.segment_bytes).unwrap_or(usize::MAX) - SECTOR_BYTES;
        frame::payload_bytes_max(frame).min(BATCH_BYTES_MAX)
    }
}

/// What a reader has seen of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalSummary {
    /// The id given at creation.
    pub id: [u8; 16],
    /// Entries read.
    pub entries: u64,
    /// Batches read.
    pub batches: u64,
    /// The hash of the last batch, which covers all before it.
    pub hash: [u8; 32],
    /// A batch stands unfinished behind the last: a writer is at work, or a crash left it.
    pub unfinished: bool,
}

/// The journal, open for its one writer.
pub struct Journal {
    disk: Box<dyn Disk>,
    options: JournalOptions,
    id: [u8; 16],
    /// The segment being written.
    segment: u64,
    name: String,
    segment_bytes: u64,
    /// Where its next frame goes. From here to its end there are only zeros, on disk as in memory.
    offset: u64,
    /// What stands before it: up to [`TAIL_BYTES`] bytes.
    tail: Vec<u8>,
    chain: Chain,
    /// Set while the disk is asked, so that any way out but success leaves it.
    poisoned: bool,
    content: Vec<u8>,
    frame: Vec<u8>,
}

impl Journal {
    /// Makes the folder, if there is none, and a journal without entries in it. `id` is 16 random bytes that tell this journal
    /// from all others.
    ///
    /// # Errors
    /// [`JournalError::Exists`] if there is one; [`JournalError::NoSpace`] or [`JournalError::Io`] from the disk.
    pub fn create(folder: &Path, id: [u8; 16], options: JournalOptions) -> Result<Self, JournalError> {
        let disk = Folder::create(folder).map_err(failed("make", "."))?;
        Self::create_on(Box::new(disk), id, options)
    }

    /// Opens the journal for writing and gives every entry to `visit` with its index, in order. A batch that a crash left
    /// unfinished is removed.
    ///
    /// # Errors
    /// [`JournalError::Locked`] while another process has it open for writing; [`JournalError::Missing`], [`JournalError::Name`], [`JournalError::Gap`] or [`JournalError::Damaged`] if the folder is not
    /// what this crate and at most one crash left; [`JournalError::Io`] from the disk. What was visited by then counts for
    /// nothing.
    pub fn open(folder: &Path, options: JournalOptions, visit: impl FnMut(u64, &[u8])) -> Result<Self, JournalError> {
        Self::open_on(Box::new(Folder::new(folder)), options, visit)
    }

    /// Gives every entry to `visit` with its index, in order, and changes nothing. Needs no lock: a batch that a writer is just
    /// writing is left out.
    ///
    /// # Errors
    /// Those of [`Journal::open`].
    pub fn read_only(folder: &Path, visit: impl FnMut(u64, &[u8])) -> Result<JournalSummary, JournalError> {
        Self::read_only_on(&Folder::new(folder), visit)
    }

    /// Appends the entries as one batch, and returns the index of the first once all are durable.
    ///
    /// # Errors
    /// [`JournalError::EmptyBatch`], [`JournalError::EntryBytes`], [`JournalError::BatchBytes`], [`JournalError::Full`] before
    /// anything is written; [`JournalError::NoSpace`] with the journal unchanged; [`JournalError::Io`] once, and
    /// [`JournalError::Poisoned`] ever after, if the disk failed: the batch may or may not be there after the next open.
    pub fn append(&mut self, entries: &[&[u8]]) -> Result<u64, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        self.check(entries)?;
        self.poisoned = true;
        let place = self.find_place();
        self.poisoned = place.is_err();
        place?;
        let next = frame::encode(&self.chain, entries, &mut self.content, &mut self.frame);
        let length = self.frame.len() as u64;
        if self.segment_bytes - self.offset < length {
            self.next_segment()?;
        }
        self.poisoned = true;
        self.disk.write_at(&self.name, self.offset, &self.frame).map_err(failed("write", &self.name))?;
        self.disk.sync(&self.name).map_err(failed("sync", &self.name))?;
        self.poisoned = false;
        let first = self.chain.index;
        self.chain = next;
        self.offset += length;
        self.tail.clear();
        self.tail.extend_from_slice(&self.frame[self.frame.len().saturating_sub(TAIL_BYTES)..]);
        Ok(first)
    }

    /// Whether an error of the disk, or what was found there, has stopped this handle.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// The most bytes of entries and their length prefixes that one batch takes.
    pub(super) fn batch_bytes_max(&self) -> usize {
        self.options.batch_bytes_max()
    }

    /// That the files are those which this handle has opened, and that the batch it wrote last is the last: else another would
    /// write over ours, or we over another's.
    fn find_place(&mut self) -> Result<(), JournalError> {
        let Self { disk, name, tail, content, .. } = self;
        if !disk.is_in_place(name).map_err(failed("look at", name))? {
            return Err(JournalError::Replaced);
        }
        let free = if self.offset < self.segment_bytes { SECTOR_BYTES } else { 0 };
        content.clear();
        content.resize(tail.len() + free, 0);
        disk.read_at(name, self.offset - tail.len() as u64, content).map_err(failed("read", name))?;
        let (before, behind) = content.split_at(tail.len());
        if before == tail && frame::is_zero(behind) { Ok(()) } else { Err(JournalError::Replaced) }
    }

    /// The id given at creation.
    #[must_use]
    pub fn id(&self) -> &[u8; 16] {
        &self.id
    }

    /// The number of entries, which is the index of the next one.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.chain.index
    }

    /// The number of batches.
    #[must_use]
    pub fn batches(&self) -> u64 {
        self.chain.batch
    }

    /// The hash of the last batch, which covers all before it.
    #[must_use]
    pub fn hash(&self) -> &[u8; 32] {
        &self.chain.hash
    }

    pub(super) fn create_on(mut disk: Box<dyn Disk>, id: [u8; 16], options: JournalOptions) -> Result<Self, JournalError> {
        let names = disk.names().map_err(failed("list", "."))?;
        if names.iter().any(|name| name.ends_with(SUFFIX)) {
            return Err(JournalError::Exists);
        }
        remove_parts(disk.as_mut(), &names)?;
        let header = SegmentHeader { id, number: 0, bytes: options.segment_bytes, chain: Chain::start(&id) };
        prepare(disk.as_mut(), &header)?;
        publish(disk.as_mut(), 0)?;
        lock(disk.as_mut())?;
        Ok(Self {
            tail: header.encode(),
            disk,
            options,
            id,
            segment: 0,
            name: segment_name(0),
            segment_bytes: options.segment_bytes,
            offset: SECTOR_BYTES as u64,
            chain: header.chain,
            poisoned: false,
            content: Vec::new(),
            frame: Vec::new(),
        })
    }

    fn open_on(mut disk: Box<dyn Disk>, options: JournalOptions, mut visit: impl FnMut(u64, &[u8])) -> Result<Self, JournalError> {
        // Before the names are read: whoever had it until now may have made a segment.
        lock(disk.as_mut())?;
        let (names, count) = segments(disk.as_ref())?;
        remove_parts(disk.as_mut(), &names)?;
        let (mut reader, last) = Reader::read_closed(disk.as_ref(), count, &mut visit)?;
        let left = reader.scan(&last, &mut visit)?;
        let Reader { id, segment, cursor, content } = reader;
        let name = segment_name(segment);
        settle(disk.as_mut(), &name, &last, &cursor, left)?;
        Ok(Self {
            tail: last[cursor.offset.saturating_sub(TAIL_BYTES)..cursor.offset].to_vec(),
            disk,
            options,
            id,
            segment,
            name,
            segment_bytes: last.len() as u64,
            offset: cursor.offset as u64,
            chain: cursor.chain,
            poisoned: false,
            content,
            frame: Vec::new(),
        })
    }

    fn read_only_on(disk: &dyn Disk, mut visit: impl FnMut(u64, &[u8])) -> Result<JournalSummary, JournalError> {
        let (_, count) = segments(disk)?;
        let (mut reader, mut bytes) = Reader::read_closed(disk, count, &mut visit)?;
        let mut retries = 0;
        let left = loop {
            match reader.scan(&bytes, &mut visit) {
                Ok(left) => break left,
                Err(error) if retries == READ_RETRIES_MAX => return Err(error),
                // Half a sector may be a write in progress. The cursor stands behind the last whole batch.
                Err(_) => {
                    retries += 1;
                    std::thread::sleep(READ_RETRY);
                    bytes = read_segment(disk, reader.segment)?;
                }
            }
        };
        let Reader { id, cursor: Cursor { chain, .. }, .. } = reader;
        Ok(JournalSummary { id, entries: chain.index, batches: chain.batch, hash: chain.hash, unfinished: left > 0 })
    }

    fn check(&self, entries: &[&[u8]]) -> Result<(), JournalError> {
        if entries.is_empty() {
            return Err(JournalError::EmptyBatch);
        }
        let limit = ENTRY_BYTES_MAX;
        if let Some((position, entry)) = entries.iter().enumerate().find(|(_, entry)| entry.len() > limit) {
            return Err(JournalError::EntryBytes { position, length: entry.len(), limit });
        }
        let (length, limit) = (frame::payload_bytes(entries), self.options.batch_bytes_max());
        if length > limit {
            return Err(JournalError::BatchBytes { length, limit });
        }
        let room = self.chain.index.checked_add(entries.len() as u64).and(self.chain.batch.checked_add(1));
        room.map(drop).ok_or(JournalError::Full)
    }

    /// Goes on in a new segment.
    fn next_segment(&mut self) -> Result<(), JournalError> {
        self.poisoned = true;
        let segment = self.segment + 1;
        let header = SegmentHeader { id: self.id, number: segment, bytes: self.options.segment_bytes, chain: self.chain };
        if self.disk.names().map_err(failed("list", "."))?.contains(&segment_name(segment)) {
            return Err(JournalError::Replaced);
        }
        if let Err(error) = prepare(self.disk.as_mut(), &header) {
            self.poisoned = !matches!(error, JournalError::NoSpace { .. });
            return Err(error);
        }
        publish(self.disk.as_mut(), segment)?;
        self.poisoned = false;
        self.segment = segment;
        self.name = segment_name(segment);
        self.segment_bytes = header.bytes;
        self.offset = SECTOR_BYTES as u64;
        self.tail = header.encode();
        Ok(())
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal")
            .field("entries", &self.chain.index)
            .field("batches", &self.chain.batch)
            .field("segment", &self.segment)
            .field("poisoned", &self.poisoned)
            .finish_non_exhaustive()
    }
}

/// Reads segment after segment.
struct Reader {
    id: [u8; 16],
    segment: u64,
    cursor: Cursor,
    content: Vec<u8>,
}

impl Reader {
    /// Reads all segments but the last, whose bytes it returns. `count` is at least 1.
    fn read_closed(disk: &dyn Disk, count: u64, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(Self, Vec<u8>), JournalError> {
        let mut bytes = read_segment(disk, 0)?;
        let damaged = |fault| JournalError::Damaged { segment: 0, fault };
        let id = SegmentHeader::decode(&bytes).map_err(damaged)?.id;
        let mut reader = Self { id, segment: 0, cursor: Cursor::start(&id), content: Vec::new() };
        while reader.segment + 1 < count {
            reader.scan_as(&bytes, false, visit)?;
            reader.segment += 1;
            (reader.cursor.offset, reader.cursor.before) = (0, 0);
            bytes = read_segment(disk, reader.segment)?;
        }
        Ok((reader, bytes))
    }

    /// Reads the last segment and returns the length of the unfinished bytes behind its last batch.
    fn scan(&mut self, bytes: &[u8], visit: &mut dyn FnMut(u64, &[u8])) -> Result<usize, JournalError> {
        self.scan_as(bytes, true, visit)
    }

    fn scan_as(&mut self, bytes: &[u8], last: bool, visit: &mut dyn FnMut(u64, &[u8])) -> Result<usize, JournalError> {
        let segment = self.segment;
        let place = Place { id: &self.id, number: segment, last };
        let scanned = scan(bytes, place, &mut self.cursor, &mut self.content, visit);
        scanned.map_err(|fault| JournalError::Damaged { segment, fault })
    }
}
