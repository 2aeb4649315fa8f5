//! Why a file of seen checkpoints is not used.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::class::Class;
use crate::file::OutputError;
use crate::id::LedgerId;
use crate::receipt::Fork;

/// Why the file is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeenError {
    /// It cannot be read.
    #[error("the file of seen checkpoints cannot be read: {0}")]
    Io(ErrorKind),
    /// It is longer than any such file.
    #[error("the file of seen checkpoints has more than {limit} bytes")]
    Length {
        /// The most bytes.
        limit: u64,
    },
    /// It is not such a file.
    #[error("line {line} of the file of seen checkpoints: expected a ledger id, a size and a root, or these with certificate and note")]
    Line {
        /// From 1.
        line: usize,
    },
    /// A ledger has two lines under one owner, or one under nobody beside another.
    #[error("line {line} of the file of seen checkpoints: its ledger has a line before that is not under another owner")]
    Twice {
        /// From 1.
        line: usize,
    },
    /// Its lock cannot be taken.
    #[error("the lock of the file of seen checkpoints cannot be taken: {0}")]
    Lock(ErrorKind),
    /// It cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The gate keeps two histories. The file keeps the first checkpoint, the evidence both.
    #[error("{fork}: it was forked or rolled back; {}", told(evidence))]
    Fork {
        /// Both checkpoints.
        fork: Box<Fork>,
        /// The file that keeps them, or why they could not be kept.
        evidence: Result<PathBuf, Box<SeenError>>,
    },
    /// The file contradicts a signed checkpoint, by a line that proves nothing. It is left as it is.
    #[error(
        "the checkpoint of size {size} that the gate signed contradicts the one that was seen, which is not signed under this owner: either the ledger of {ledger} was forked or the file was changed"
    )]
    Unproven {
        /// The ledger.
        ledger: LedgerId,
        /// The size of both.
        size: u64,
    },
}

impl SeenError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Io(kind) => Class::of_io(*kind),
            Self::Length { .. } | Self::Line { .. } | Self::Twice { .. } => Class::BadInput,
            Self::Lock(_) => Class::Environment,
            Self::Output(error) => error.class(),
            Self::Fork { .. } | Self::Unproven { .. } => Class::Doubt,
        }
    }
}

fn told(evidence: &Result<PathBuf, Box<SeenError>>) -> String {
    match evidence {
        Ok(path) => format!("the proof is kept in {}", path.display()),
        Err(error) => format!("the proof could not be kept: {error}"),
    }
}
