//! What does not fit in memory: encrypted chunks in a file without a name.
//!
//! ```text
//! bytes --write--> chunk | chunk | ...      a file of mode 0600 that lost its name before its first byte, closed: gone
//!                  Chunk  --read--> bytes   what was changed, moved or cut fails
//! ```
//! Sums of the engine and rows of desensitised files go this way, and nothing else that is too large for memory does.
//!
//! # Source
//! Rules D5 and H6 of `docs/rules.md`; RFC 8439.
//!
//! # Not promised
//! Who watches the disk while the process runs sees how many bytes are written and in which order they are read back. A kill
//! between the making of a file and the loss of its name leaves an empty file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::class::Class;
use crate::random::{Random as _, SystemRandom};

/// A file of encrypted chunks that has no name: it is gone when it is closed, also by a crash.
///
/// ```text
/// chunk = ChaCha20-Poly1305 (RFC 8439) of some bytes | tag (16)     nonce = 0 (4) | number of the chunk (8, big endian)
/// ```
///
/// The key is drawn for this file and is in memory only, so whoever reads the disk later learns the size and nothing
/// else; what was changed on it, moved or left out fails. Numbers count up in one file under one key, so no nonce comes
/// twice. Our copy of the key is wiped at once; what ring keeps of it inside is not.
pub(crate) struct Spill {
    file: File,
    key: LessSafeKey,
    /// The number of the next chunk.
    next: AtomicU64,
    /// Where it goes.
    end: AtomicU64,
}

/// Where a chunk is.
#[derive(Clone, Copy)]
pub(crate) struct Chunk {
    number: u64,
    offset: u64,
    /// With its tag.
    len: usize,
}

/// Where a spill is made.
pub(crate) enum SpillTarget {
    /// In this folder.
    Folder(PathBuf),
    /// Over this file.
    #[cfg(test)]
    Open(File),
}

/// Why a spill could not be used. Tells of no byte that was in it, and of no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpillError {
    /// The file could not be made.
    #[error("no file can be made for what does not fit in memory: {0}")]
    Create(io::ErrorKind),
    /// A chunk could not be written: a full disk.
    #[error("what does not fit in memory cannot be written: {0}")]
    Write(io::ErrorKind),
    /// A chunk could not be read.
    #[error("what did not fit in memory cannot be read back: {0}")]
    Read(io::ErrorKind),
    /// A chunk is not what was written.
    #[error("what did not fit in memory has come back changed; disk or memory of this machine cannot be trusted")]
    Damaged,
    /// No randomness, or a key that was used up.
    #[error("what does not fit in memory cannot be encrypted")]
    Key,
}

impl SpillError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::Environment
    }
}

impl SpillTarget {
    /// A spill of its own.
    pub(crate) fn create(&self) -> Result<Spill, SpillError> {
        match self {
            Self::Folder(folder) => Spill::of(nameless(folder)?),
            #[cfg(test)]
            Self::Open(file) => Spill::of(file.try_clone().map_err(|error| SpillError::Create(error.kind()))?),
        }
    }
}

/// A new file in `folder`, for its owner alone, whose name is taken away before anything is in it.
fn nameless(folder: &Path) -> Result<File, SpillError> {
    let failed = |error: io::Error| SpillError::Create(error.kind());
    let mut name = [0; 16];
    system_random()?.fill(&mut name);
    let path = folder.join(format!(".spill-{:032x}", u128::from_be_bytes(name)));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    fs::remove_file(&path).map_err(failed)?;
    Ok(file)
}

impl Spill {
    fn of(file: File) -> Result<Self, SpillError> {
        let mut bytes = Zeroizing::new([0; 32]);
        system_random()?.fill(bytes.as_mut_slice());
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes.as_slice()).map_err(|_| SpillError::Key)?;
        Ok(Self { file, key: LessSafeKey::new(key), next: AtomicU64::new(0), end: AtomicU64::new(0) })
    }

    /// Writes a chunk and leaves its bytes empty.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) -> Result<Chunk, SpillError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.key.seal_in_place_append_tag(nonce(number), Aad::empty(), bytes).map_err(|_| SpillError::Key)?;
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_all_at(bytes, offset).map_err(|error| SpillError::Write(error.kind()))?;
        let chunk = Chunk { number, offset, len: bytes.len() };
        bytes.clear();
        Ok(chunk)
    }

    /// What a chunk holds, if it is what was written.
    pub(crate) fn read(&self, chunk: &Chunk) -> Result<Vec<u8>, SpillError> {
        let mut bytes = vec![0; chunk.len];
        self.file.read_exact_at(&mut bytes, chunk.offset).map_err(|error| SpillError::Read(error.kind()))?;
        let len = self.key.open_in_place(nonce(chunk.number), Aad::empty(), &mut bytes).map_err(|_| SpillError::Damaged)?.len();
        bytes.truncate(len);
        Ok(bytes)
    }
}

fn system_random() -> Result<SystemRandom, SpillError> {
    SystemRandom::new().map_err(|_| SpillError::Key)
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn in_folder(folder: &Path) -> Result<Spill, SpillError> {
        SpillTarget::Folder(folder.to_owned()).create()
    }

    #[test]
    fn a_file_has_no_name_and_nothing_in_clear() {
        let folder = tempfile::tempdir().unwrap();
        let spill = in_folder(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let found = spill.file.metadata().unwrap();
        assert_eq!((found.mode() & 0o7777, found.nlink()), (0o600, 0));
        let canary = b"canary 77177 canary";
        let chunks: Vec<_> = (0..3).map(|_| spill.write(&mut canary.to_vec()).unwrap()).collect();
        let mut raw = vec![0; 3 * (canary.len() + 16)];
        spill.file.read_exact_at(&mut raw, 0).unwrap();
        assert_eq!(spill.file.metadata().unwrap().len(), raw.len() as u64);
        assert!(!raw.windows(5).any(|window| canary.windows(5).any(|clear| clear == window)));
        // Equal chunks look different.
        assert!(raw.chunks(canary.len() + 16).is_sorted_by(|a, b| a != b));
        for chunk in &chunks {
            assert_eq!(spill.read(chunk).unwrap(), canary);
        }
        // Another file has another key.
        let other = in_folder(folder.path()).unwrap();
        other.write(&mut canary.to_vec()).unwrap();
        let mut again = vec![0; canary.len()];
        other.file.read_exact_at(&mut again, 0).unwrap();
        assert_ne!(again, raw[..canary.len()]);
    }

    #[test]
    fn what_was_changed_or_moved_fails() {
        let folder = tempfile::tempdir().unwrap();
        let spill = in_folder(folder.path()).unwrap();
        let (a, b) = (spill.write(&mut vec![1; 40]).unwrap(), spill.write(&mut vec![1; 40]).unwrap());
        assert_eq!(spill.read(&Chunk { offset: b.offset, ..a }), Err(SpillError::Damaged));
        assert_eq!(spill.read(&Chunk { len: a.len - 1, ..a }), Err(SpillError::Damaged));
        for byte in [0, 39, 40, 55] {
            let mut was = [0];
            spill.file.read_exact_at(&mut was, byte).unwrap();
            spill.file.write_all_at(&[was[0] ^ 1], byte).unwrap();
            assert_eq!(spill.read(&a), Err(SpillError::Damaged));
            spill.file.write_all_at(&was, byte).unwrap();
        }
        assert_eq!(spill.read(&a).unwrap(), [1; 40]);
        spill.file.set_len(60).unwrap();
        assert_eq!(spill.read(&b), Err(SpillError::Read(io::ErrorKind::UnexpectedEof)));
    }

    #[test]
    fn a_file_that_cannot_be_made_or_written_fails() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(in_folder(&folder.path().join("none")).err(), Some(SpillError::Create(io::ErrorKind::NotFound)));
        let full = OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
        let failed = SpillTarget::Open(full).create().unwrap().write(&mut vec![0; 40]);
        assert_eq!(failed.err(), Some(SpillError::Write(io::ErrorKind::StorageFull)));
    }
}
