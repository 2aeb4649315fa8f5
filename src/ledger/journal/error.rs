//! What the journal refuses or finds damaged.

use std::io;

use thiserror::Error;

use super::{FrameError, SECTOR_BYTES, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
use crate::class::Class;

/// What the journal refuses, and why.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The operating system refused.
    #[error("cannot {action} {name}: {error}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file, or `.` for the folder.
        name: String,
        /// Why not.
        error: io::Error,
    },
    /// There is a journal already.
    #[error("the folder has a journal already")]
    Exists,
    /// There is no journal.
    #[error("the folder has no journal")]
    Missing,
    /// A file has the suffix of a segment and not the name of one.
    #[error("{name:?} is no segment of the journal: move it away")]
    Name {
        /// The file.
        name: String,
    },
    /// A segment in the middle is missing.
    #[error("segment {segment} is missing, there are later ones")]
    Gap {
        /// The first that is missing.
        segment: u64,
    },
    /// Bytes that no crash can have left.
    #[error("the journal is damaged: segment {segment}, {fault}")]
    Damaged {
        /// Number of the segment.
        segment: u64,
        /// Where in it, and what was expected there.
        fault: FrameError,
    },
    /// A batch without entries.
    #[error("a batch needs an entry")]
    EmptyBatch,
    /// An entry above the limit.
    #[error("entry {position} of the batch has {length} bytes, the limit is {limit}")]
    EntryBytes {
        /// Position in the batch.
        position: usize,
        /// Its length.
        length: usize,
        /// [`crate::ledger::ENTRY_BYTES_MAX`].
        limit: usize,
    },
    /// A batch above the limit.
    #[error("the batch has {length} bytes, the limit is {limit}")]
    BatchBytes {
        /// Entries and their length prefixes.
        length: usize,
        /// [`crate::ledger::BATCH_BYTES_MAX`], or what a segment holds if that is less.
        limit: usize,
    },
    /// The journal has counted to the end of 64 bits.
    #[error("the journal is full")]
    Full,
    /// A length that no segment can have.
    #[error("a segment of {found} bytes: expected a multiple of {SECTOR_BYTES} from {SEGMENT_BYTES_MIN} to {SEGMENT_BYTES_MAX}")]
    SegmentBytes {
        /// What was asked.
        found: u64,
    },
    /// The disk has no room for a further segment. Nothing was acknowledged, and the journal on disk is as it was: the
    /// unfinished segment does not have a segment's name yet. The handle may be used again.
    #[error("no room for segment {segment} of {needed} bytes; the journal is unchanged")]
    NoSpace {
        /// The segment.
        segment: u64,
        /// Its length.
        needed: u64,
    },
    /// Another process has the journal open for writing.
    #[error("another process has the journal open for writing: end it there first")]
    Locked,
    /// The files at their paths are not those that this handle writes, or do not end with the batch it wrote last. Nothing was
    /// written, and the handle takes nothing more.
    #[error("the journal was replaced, rolled back or written to by another while it was open: open it again and audit it")]
    Replaced,
    /// An earlier error of the disk left open what it holds. Only opening the journal again tells.
    #[error("an earlier error of the disk stopped this journal: open it again")]
    Poisoned,
}

impl JournalError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Io { .. } | Self::NoSpace { .. } | Self::Poisoned | Self::Locked | Self::Full => Class::Environment,
            Self::Damaged { .. } | Self::Gap { .. } | Self::Replaced => Class::Doubt,
            Self::Exists
            | Self::Missing
            | Self::Name { .. }
            | Self::EmptyBatch
            | Self::EntryBytes { .. }
            | Self::BatchBytes { .. }
            | Self::SegmentBytes { .. } => Class::BadInput,
        }
    }
}
