//! What a space keeps beside its ledger: snapshots, openings, cards, requests, answers.
//!
//! The ledger says what counts; the archive holds the bytes behind its commitments and digests. So nothing here is
//! believed: whoever reads an opening checks it against its commitment, whoever reads an answer hashes it. Things are
//! durable before the entry that needs them is appended, and what no entry needs is removed at the next open.
//!
//! ```text
//! ledger entry                      archive
//! publish, version, refill, grant   opening: salt, signed artefact, for data also what opens the snapshot
//! upgrade                           opening: the secret of the tags
//! seal                              answer, in a segment with the others of its batch
//! ```
//!
//! # Source
//! Rules B4, C3, C6, K3, K9 of `docs/rules.md`; `docs/ledger.md` has the formats.
//!
//! # Not promised
//! Secrecy against whoever reads the folder as its owner or as root: files are 0600, not encrypted.

mod answers;
mod behind;
#[cfg(feature = "hazmat")]
pub mod conformance;
mod directory;
mod folder;
mod inbox;
mod opening;
mod tags;

use std::io::ErrorKind;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::class::Class;
use crate::file::{Output, OutputError};
use crate::id::{AccountId, Digest, Name, RequestId, Salt, Time};
use crate::ledger::Commitment;

pub use answers::AnswerLog;
pub use behind::{Behind, LineageArtefacts, behind, open_snapshot, openings_of};
pub use directory::DirArchive;
pub use folder::SpaceFolder;
pub(crate) use inbox::{Inbox, Outcome as InboxOutcome};
pub use opening::{Opening, SnapshotOpening, fresh_salt};
pub use tags::Tags;

/// Where the bytes of a space are kept.
///
/// Implementors promise:
/// - What a `put_` acknowledged is durable, is read back byte for byte, and is there whole or not at all.
/// - An opening is never replaced by other bytes, nor an answer; a card may be.
/// - Openings and snapshots are fresh until the entry that needs them is durable and [`Archive::keep`] was called; only what is fresh
///   is ever removed. So an older ledger in the place of a newer one takes nothing from the archive.
/// - Every method may be called from many threads at once.
pub trait Archive: Send + Sync {
    /// Keeps an opening under its commitment. The same bytes again change nothing.
    ///
    /// # Errors
    /// It cannot be written, or there is another one.
    fn put_opening(&self, name: &OpeningName, bytes: &[u8]) -> Result<(), ArchiveError>;

    /// Reads an opening.
    ///
    /// # Errors
    /// It is not there or cannot be read.
    fn opening(&self, name: &OpeningName) -> Result<Zeroizing<Vec<u8>>, ArchiveError>;

    /// Keeps the public card of the dataset of this name and says where it lies.
    ///
    /// # Errors
    /// It cannot be written.
    fn put_card(&self, name: &Name, bytes: &[u8]) -> Result<PathBuf, ArchiveError>;

    /// Where the card of the dataset of this name lies.
    fn card(&self, name: &Name) -> PathBuf;

    /// Keeps a signed request and says where it lies; one that is there stays.
    ///
    /// # Errors
    /// It cannot be written.
    fn put_request(&self, id: RequestId, bytes: &[u8]) -> Result<PathBuf, ArchiveError>;

    /// Reads a kept request; nothing when none was kept.
    ///
    /// # Errors
    /// It cannot be read.
    fn request(&self, id: RequestId) -> Result<Option<Vec<u8>>, ArchiveError>;

    /// Keeps answers, all of them durable when this returns. `at` is the only time that may show of them (rule G2). There may be
    /// any number of any size up to that of an answer: an archive that copies them does so a part at a time.
    ///
    /// # Errors
    /// None of them counts as kept.
    fn put_answers(&self, answers: &[(Digest, &[u8])], at: Time) -> Result<(), ArchiveError>;

    /// Reads an answer by its digest, which the caller checks; nothing when there is none.
    ///
    /// # Errors
    /// It cannot be read.
    fn answer(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError>;

    /// Begins the file of a snapshot; it is there once the output is committed.
    ///
    /// # Errors
    /// It cannot be begun.
    fn begin_snapshot(&self, salt: &Salt) -> Result<Output, ArchiveError>;

    /// Where a snapshot lies, which is opened often and read in blocks.
    fn snapshot(&self, salt: &Salt) -> PathBuf;

    /// Notes that an entry needs this opening, and this snapshot if there is one. What fails here is made up for by
    /// [`Archive::settle`].
    fn keep(&self, opening: &OpeningName, snapshot: Option<&Salt>);

    /// Removes a fresh opening whose entry was not recorded.
    fn remove_opening(&self, name: &OpeningName);

    /// Removes a fresh snapshot that was never published.
    fn remove_snapshot(&self, salt: &Salt);

    /// Puts in order what a crash left: of what is fresh, keeps what the ledger needs and removes the rest, and whatever was not
    /// whole. Only whoever has the space to himself calls it, before anything is put.
    ///
    /// # Errors
    /// The folder cannot be listed or changed.
    fn settle(&self, openings: &[OpeningName], snapshots: &[Salt]) -> Result<(), ArchiveError>;
}

/// The name under which an opening is kept: it follows from the commitment, so that no other can ever take its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningName {
    /// Of the account; what an error is about.
    pub account: AccountId,
    commitment: Commitment,
    /// The name that versions before 0.2 gave it.
    earlier: String,
}

/// Which artefact of an account an opening is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpeningPart {
    /// The publication of a dataset.
    Publication,
    /// A later version, from 2.
    Version(u64),
    /// A refill, from 1.
    Refill(u64),
    /// A right.
    Right,
    /// The secret of the tags, behind the entry that brought them.
    Secret,
}

impl OpeningName {
    /// The name of the opening of `commitment`, which stands for this part of an account.
    #[must_use]
    pub fn new(account: AccountId, part: OpeningPart, commitment: Commitment) -> Self {
        let part = match part {
            OpeningPart::Publication => "publication".to_owned(),
            OpeningPart::Version(number) => format!("version-{number}"),
            OpeningPart::Refill(number) => format!("refill-{number}"),
            OpeningPart::Right => "right".to_owned(),
            OpeningPart::Secret => "secret".to_owned(),
        };
        Self { account, commitment, earlier: format!("{account}.{part}") }
    }

    /// The commitment that the opening opens.
    #[must_use]
    pub const fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// The file it lies in: the first 32 digits of SHA-256 of the commitment.
    fn file(&self) -> String {
        Digest::of(self.commitment.as_bytes()).to_string()[..32].to_owned()
    }
}

/// Why the archive of a space cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// There is something at the path already.
    #[error("{path} exists; a space is never made over something else")]
    Exists {
        /// The path.
        path: String,
    },
    /// There is no space at the path.
    #[error("{path} is not a space; make one with `usufruct space new`")]
    NotASpace {
        /// The path.
        path: String,
    },
    /// Another process has the space open.
    #[error("another process has this space open: hand it owner's acts through its `inbox`, or wait for it")]
    Locked,
    /// There is another opening of that commitment.
    #[error("the opening of account {account} is there already, and another one")]
    OpeningExists {
        /// The account.
        account: AccountId,
    },
    /// An opening is damaged, or not what its commitment says, or not the owner's.
    #[error("the opening of account {account} is damaged, or not what the ledger committed to")]
    Opening {
        /// The account.
        account: AccountId,
    },
    /// A snapshot is missing, damaged, or not what was published.
    #[error("a snapshot is missing, damaged, or not what the ledger committed to")]
    Snapshot,
    /// A file of the space cannot be read or written.
    #[error("{name}: {kind}")]
    Io {
        /// The file, relative to the space.
        name: String,
        /// Why.
        kind: ErrorKind,
    },
    /// A file of the space cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl ArchiveError {
    /// What a caller can do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Exists { .. } | Self::NotASpace { .. } => Class::BadInput,
            Self::OpeningExists { .. } | Self::Opening { .. } | Self::Snapshot => Class::Doubt,
            Self::Locked | Self::Io { .. } | Self::Output(_) => Class::Environment,
        }
    }
}

fn io(name: &str, kind: ErrorKind) -> ArchiveError {
    ArchiveError::Io { name: name.to_owned(), kind }
}
