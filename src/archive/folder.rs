//! The folder of a space: what lies where, under which mode, and the lock of the one process that has it open.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{ArchiveError, io};
use crate::file::{self, OutputOptions};
use crate::key::KeyId;

/// The folder of a space and what lies where in it. Everything secret is 0600; the folder itself is 0700.
///
/// ```text
/// lock              held by the one process that has the space open
/// gate.key          the gate's private key, unless an HSM or a KMS holds it; later ones are gate-KID.key
/// gate.certificate  the owner's certificate of it, public
/// ledger/           journal segments, the last checkpoint
/// snapshots/        immutable data, one file a version
/// openings/         what opens the commitments of the ledger, named after them
/// requests/         signed requests as they came, so that they can be retried
/// answers/          sealed answers in segments
/// cards/            public cards of the datasets
/// inbox/            owner's acts, signed elsewhere, for the running gate; taken/ has the one under way, done/ what became of them
/// ```
#[derive(Clone, Debug)]
pub struct SpaceFolder {
    path: PathBuf,
}

pub(super) const FOLDERS: [&str; 7] = ["ledger", "snapshots", "openings", "requests", "answers", "cards", "inbox"];
/// How often one asks for the lock again while waiting for it.
const LOCK_RETRY: Duration = Duration::from_millis(20);
/// A child that was just forked holds a copy of the lock until it becomes another program.
const LOCK_GRACE: Duration = Duration::from_millis(100);

impl SpaceFolder {
    /// Makes the folders of a new space.
    ///
    /// # Errors
    /// There is something at the path, or it cannot be made.
    pub fn create(path: &Path) -> Result<Self, ArchiveError> {
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700);
        builder.create(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => ArchiveError::Exists { path: path.display().to_string() },
            kind => ArchiveError::Io { name: path.display().to_string(), kind },
        })?;
        let folder = Self { path: path.to_owned() };
        folder.complete()?;
        Ok(folder)
    }

    /// The folder of a space that exists.
    ///
    /// # Errors
    /// There is none.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        if path.join("ledger").is_dir() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(ArchiveError::NotASpace { path: path.display().to_string() })
        }
    }

    /// Makes the folders that older spaces lack.
    ///
    /// # Errors
    /// They cannot be made.
    pub fn complete(&self) -> Result<(), ArchiveError> {
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700).recursive(true);
        FOLDERS.iter().try_for_each(|name| builder.create(self.path.join(name)).map_err(|error| io(name, error.kind())))
    }

    /// Takes the lock before anything else is opened (rule K9); it is held as long as the file lives. Waits for it at most `wait`.
    ///
    /// # Errors
    /// Another process has it.
    pub fn lock(&self, wait: Duration) -> Result<File, ArchiveError> {
        let lock = file::open_lock(self.path.join("lock")).map_err(|error| io("lock", error.kind()))?;
        let (asked, wait) = (Instant::now(), wait.max(LOCK_GRACE));
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if asked.elapsed() < wait => std::thread::sleep(LOCK_RETRY),
                Err(TryLockError::WouldBlock) => return Err(ArchiveError::Locked),
                Err(TryLockError::Error(error)) => return Err(io("lock", error.kind())),
            }
        }
    }

    /// The folder itself, in which sums may spill to a file without a name.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.path
    }

    /// The folder of the ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// The folder into which owner's acts are put.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.path.join("inbox")
    }

    /// Where private keys of the gate may lie: the first one, and those that came after it.
    #[must_use]
    pub fn gate_keys(&self, id: KeyId) -> [PathBuf; 2] {
        [self.path.join("gate.key"), self.path.join(format!("gate-{id}.key"))]
    }

    /// Writes the public file of the certificate in force, unless it is there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put_gate_certificate(&self, bytes: &[u8]) -> Result<(), ArchiveError> {
        let path = self.path.join("gate.certificate");
        if file::read(&path, bytes.len()).is_ok_and(|found| found == bytes) {
            return Ok(());
        }
        Ok(file::write(path, bytes, OutputOptions { force: true, private: false })?)
    }
}
