use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::file::{Output, OutputError, OutputOptions};
use crate::id::{AccountId, Digest, RequestId, Salt};

/// The folder of a space and what lies where in it. Everything secret is 0600; the folder itself is 0700.
///
/// ```text
/// lock            held by the one process that has the space open
/// gate.key        the gate's private key
/// ledger/         journal segments, the last checkpoint
/// snapshots/      immutable data, one file a version
/// openings/       salts and artefacts behind the commitments of the ledger
/// requests/       signed requests as they came, so that they can be retried
/// answers/        sealed answers by their digest
/// cards/          public cards of the datasets
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// Why the folder of a space cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
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
    #[error("another process has this space open")]
    Locked,
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

/// Which artefact of an account an opening is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OpeningPart {
    /// The publication of a dataset.
    Publication,
    /// A later version, from 2.
    Version(u64),
    /// A refill, from 1.
    Refill(u64),
    /// A right.
    Right,
}

const FOLDERS: [&str; 6] = ["ledger", "snapshots", "openings", "requests", "answers", "cards"];

impl Folder {
    /// Makes the folders of a new space.
    pub(crate) fn create(path: &Path) -> Result<Self, FolderError> {
        let folder = Self { path: path.to_owned() };
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700);
        builder.create(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => FolderError::Exists { path: path.display().to_string() },
            _ => folder.io("", &error),
        })?;
        for name in FOLDERS {
            builder.create(path.join(name)).map_err(|error| folder.io(name, &error))?;
        }
        Ok(folder)
    }

    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        if path.join("ledger").is_dir() && path.join("gate.key").is_file() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(FolderError::NotASpace { path: path.display().to_string() })
        }
    }

    /// Takes the lock before anything else is opened (rule K9); it is held as long as the file lives.
    pub(crate) fn lock(&self) -> Result<File, FolderError> {
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.join("lock"))
            .map_err(|error| self.io("lock", &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(FolderError::Locked),
            Err(TryLockError::Error(error)) => Err(self.io("lock", &error)),
        }
    }

    /// The folder itself, in which sums may spill to a file without a name.
    pub(crate) fn root(&self) -> &Path {
        &self.path
    }

    pub(crate) fn gate_key(&self) -> PathBuf {
        self.path.join("gate.key")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// Named after the salt of its commitment, so that the name says nothing of the data.
    pub(crate) fn snapshot(&self, salt: &Salt) -> PathBuf {
        self.path.join("snapshots").join(format!("{}.snapshot", &Digest::of(salt.as_bytes()).to_string()[..32]))
    }

    pub(crate) fn opening(&self, account: AccountId, part: OpeningPart) -> PathBuf {
        let part = match part {
            OpeningPart::Publication => "publication".to_owned(),
            OpeningPart::Version(number) => format!("version-{number}"),
            OpeningPart::Refill(number) => format!("refill-{number}"),
            OpeningPart::Right => "right".to_owned(),
        };
        self.path.join("openings").join(format!("{account}.{part}"))
    }

    pub(crate) fn request(&self, id: RequestId) -> PathBuf {
        self.path.join("requests").join(format!("{id}.request"))
    }

    pub(crate) fn answer(&self, digest: Digest) -> PathBuf {
        self.path.join("answers").join(digest.to_string())
    }

    pub(crate) fn card(&self, name: &str) -> PathBuf {
        self.path.join("cards").join(format!("{}.dataset", file_name(name)))
    }

    /// Writes a file that appears whole or not at all, and durably; an existing one is left as it is when
    /// `replace` is not set.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8], private: bool, replace: bool) -> Result<(), FolderError> {
        let mut output = match Output::create(path, OutputOptions { force: replace, private }) {
            Err(OutputError::TargetExists { .. }) if !replace => return Ok(()),
            output => output?,
        };
        output.write_all(bytes).map_err(|error| self.io_at(path, &error))?;
        match output.commit() {
            Err(OutputError::TargetExists { .. }) if !replace => Ok(()),
            committed => Ok(committed?),
        }
    }

    /// Writes the file of an answer, named after its content, durably.
    ///
    /// Unlike [`Folder::write`] it does not look for parts that a crash left, which would read the names of all answers
    /// at every answer; and it names the file before it syncs it, which most file systems make durable in one step. A file
    /// that a crash left half written is never read, because no seal has its name, and is replaced should it be drawn again.
    pub(crate) fn write_answer(&self, digest: Digest, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.answer(digest);
        let part = path.with_extension("part");
        let write = || {
            let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
            file.write_all(bytes)?;
            fs::rename(&part, &path)?;
            file.sync_all()?;
            File::open(self.path.join("answers"))?.sync_all()
        };
        write().map_err(|error| {
            let _ = fs::remove_file(&part);
            self.io_at(&path, &error)
        })
    }

    /// Reads a file of at most `most` bytes.
    pub(crate) fn read(&self, path: &Path, most: usize) -> Result<Vec<u8>, FolderError> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| self.io_at(path, &error))?;
        file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| self.io_at(path, &error))?;
        if bytes.len() > most { Err(self.io_at(path, &ErrorKind::FileTooLarge.into())) } else { Ok(bytes) }
    }

    fn io_at(&self, path: &Path, error: &std::io::Error) -> FolderError {
        self.io(&path.strip_prefix(&self.path).unwrap_or(path).display().to_string(), error)
    }

    #[expect(clippy::unused_self, reason = "reads as what it is: an error of this folder")]
    fn io(&self, name: &str, error: &std::io::Error) -> FolderError {
        FolderError::Io { name: name.to_owned(), kind: error.kind() }
    }
}

/// A dataset's name as a file name: names may hold slashes and dots.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}
