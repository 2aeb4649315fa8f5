//! A continual counter kept in a file, so that no period is noised twice.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::class::Class;
use crate::dp::continual::{ContinualError, Counter, Released, STATE_BYTES_MAX, StateKey};
use crate::file::{self, OutputError, OutputOptions, ReadError};
use crate::random::{RandomError, SystemRandom};

/// A continual counter whose state lies in a file, so that no period is noised twice, whatever happens in between.
///
/// ```text
/// close: draw --> sealed state to a part, fsync --> rename over NAME, fsync of the folder --> Released
///                                                         crash here: open gives the value, released(period)
/// ```
/// The file is 0600 and encrypted; `NAME.lock` beside it is held while the counter is open, since two processes would draw
/// twice for one period. Randomness is the system's.
///
/// A state is bound to an index of the embedder's ledger: that of the entry which says that it is the current one. The
/// state is written first, under the index the next entry will have, then the entry. After a crash in between the state is one
/// ahead of the ledger: whoever opens tries the next index, then that of the last entry. A state put back from before opens at
/// neither.
pub struct CounterFile {
    path: PathBuf,
    key: StateKey,
    counter: Counter,
    _lock: File,
}

impl CounterFile {
    /// Writes the state of a new counter to a file that is not there yet.
    ///
    /// # Errors
    /// There is such a file, another process has it open, or it cannot be written.
    pub fn create(path: impl AsRef<Path>, counter: Counter, key: StateKey, index: u64) -> Result<Self, CounterFileError> {
        let path = path.as_ref().to_owned();
        let made = Self { _lock: lock(&path)?, path, key, counter };
        let state = made.counter.seal(&made.key, index, &mut SystemRandom::new()?)?;
        write(&made.path, &state, false)?;
        Ok(made)
    }

    /// Opens the state that was written under this index.
    ///
    /// # Errors
    /// Another process has it open, it cannot be read, or it is not a state of this key and index.
    pub fn open(path: impl AsRef<Path>, key: StateKey, index: u64) -> Result<Self, CounterFileError> {
        let path = path.as_ref().to_owned();
        let lock = lock(&path)?;
        let counter = Counter::open(&file::read(&path, STATE_BYTES_MAX)?, &key, index)?;
        Ok(Self { path, key, counter, _lock: lock })
    }

    /// The counter: its plan, its open period, the values that have left.
    #[must_use]
    pub fn counter(&self) -> &Counter {
        &self.counter
    }

    /// [`Counter::admit`]. It is durable once the period is closed, or [`save`](Self::save) returns.
    ///
    /// # Errors
    /// The horizon has ended, or the counter is full.
    pub fn admit(&mut self, unit: [u8; 16]) -> Result<bool, CounterFileError> {
        Ok(self.counter.admit(unit)?)
    }

    /// Makes durable who counts in the open period so far.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&mut self, index: u64) -> Result<(), CounterFileError> {
        let state = self.counter.seal(&self.key, index, &mut SystemRandom::new()?)?;
        Ok(write(&self.path, &state, true)?)
    }

    /// Closes the open period. The value leaves once it is durable; after a failure the next call tries the same value.
    ///
    /// # Errors
    /// The horizon has ended, the counter is full, or the file cannot be written.
    pub fn close(&mut self, index: u64) -> Result<Released, CounterFileError> {
        let path = &self.path;
        self.counter.close(&self.key, index, &mut SystemRandom::new()?, |state| Ok(write(path, state, true)?))
    }
}

impl std::fmt::Debug for CounterFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CounterFile").field("counter", &self.counter).finish_non_exhaustive()
    }
}

/// Why a counter cannot be kept in a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CounterFileError {
    /// The counter.
    #[error(transparent)]
    Counter(#[from] ContinualError),
    /// The file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] ReadError),
    /// The lock beside it cannot be had.
    #[error("the lock of the counter cannot be opened: {0}")]
    Lock(ErrorKind),
    /// Another process has it open.
    #[error("another process has this counter open")]
    Locked,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl CounterFileError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Counter(error) => error.class(),
            Self::Output(error) => error.class(),
            Self::File(error) => error.class(),
            Self::Random(error) => error.class(),
            Self::Lock(_) | Self::Locked => Class::Environment,
        }
    }
}

/// Held as long as the file lives. It is never removed: a second process could lock the name anew.
fn lock(path: &Path) -> Result<File, CounterFileError> {
    let lock = file::open_lock(file::with_suffix(path, ".lock")).map_err(|error| CounterFileError::Lock(error.kind()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(CounterFileError::Locked),
        Err(TryLockError::Error(error)) => Err(CounterFileError::Lock(error.kind())),
    }
}

/// Whole or not at all, and durable when it returns.
fn write(path: &Path, state: &[u8], replace: bool) -> Result<(), OutputError> {
    file::write(path, state, OutputOptions { force: replace, private: true })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::budget::Rho;
    use crate::dp::continual::CounterPlan;

    const UNITS: u32 = 10;

    fn key() -> StateKey {
        StateKey::from_secret([7; 32].into())
    }

    fn counter() -> Counter {
        Counter::new(CounterPlan::new(4, 2, 1, Rho::parse("0.000001").unwrap()).unwrap(), UNITS).unwrap()
    }

    #[test]
    fn a_value_is_durable_before_it_leaves_and_drawn_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("visitors.counter");
        let mut file = CounterFile::create(&path, counter(), key(), 0).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(file.admit([1; 16]).unwrap());
        file.save(1).unwrap();
        drop(file);

        let mut file = CounterFile::open(&path, key(), 1).unwrap();
        assert!(!file.admit([1; 16]).unwrap());
        let released = file.close(2).unwrap();
        drop(file); // as after a crash between write and return
        let mut file = CounterFile::open(&path, key(), 2).unwrap();
        assert_eq!((file.counter().released(0), file.counter().period()), (Some(released), Some(1)));

        // No state can be written: nothing leaves, and what leaves later is the value that was drawn then.
        let moved = folder.path().with_extension("moved");
        fs::rename(folder.path(), &moved).unwrap();
        assert!(matches!(file.close(3), Err(CounterFileError::Output(_))));
        assert_eq!(file.counter().released(1), None);
        let sealed = file.counter().seal(&key(), 9, &mut SystemRandom::new().unwrap()).unwrap();
        fs::rename(&moved, folder.path()).unwrap();
        let next = file.close(3).unwrap();
        assert_eq!(next.period, 1);
        let mut copy = Counter::open(&sealed, &key(), 9).unwrap();
        let same = copy.close(&key(), 9, &mut SystemRandom::new().unwrap(), |_| Ok::<(), ContinualError>(()));
        assert_eq!(same, Ok(next));
    }

    #[test]
    fn an_older_state_another_key_and_a_second_process_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("visitors.counter");
        let mut file = CounterFile::create(&path, counter(), key(), 5).unwrap();
        let older = fs::read(&path).unwrap();
        assert_eq!(CounterFile::open(&path, key(), 5).unwrap_err(), CounterFileError::Locked);
        file.close(6).unwrap();
        drop(file);
        assert_eq!(CounterFile::create(&path, counter(), key(), 6).unwrap_err().to_string().matches("exists").count(), 1);
        let state = CounterFileError::Counter(ContinualError::State);
        assert_eq!(CounterFile::open(&path, key(), 5).unwrap_err(), state);
        assert_eq!(CounterFile::open(&path, StateKey::from_secret([8; 32].into()), 6).unwrap_err(), state);
        assert!(CounterFile::open(&path, key(), 6).is_ok());
        fs::write(&path, older).unwrap();
        assert_eq!(CounterFile::open(&path, key(), 6).unwrap_err(), state);
        let none = CounterFile::open(folder.path().join("none"), key(), 6).unwrap_err();
        assert!(matches!(none, CounterFileError::File(ReadError::Open { kind: ErrorKind::NotFound, .. })));
    }
}
