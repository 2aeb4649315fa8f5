//! Sums that do not fit in memory: encrypted chunks in a file without a name.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::EngineError;
use crate::random::{Random as _, SystemRandom};

/// A file of encrypted chunks that has no name: it is gone when it is closed, also by a crash.
///
/// ```text
/// chunk = ChaCha20-Poly1305 (RFC 8439) of some amounts | tag (16)     nonce = 0 (4) | number of the chunk (8, big endian)
/// ```
///
/// The key is drawn for this file and is in memory only, so whoever reads the disk later learns the size and nothing
/// else; what was changed on it, moved or left out fails. Numbers count up in one file under one key, so no nonce comes
/// twice. Our copy of the key is wiped at once; what ring keeps of it inside is not.
pub(super) struct Spill {
    file: File,
    key: LessSafeKey,
    /// The number of the next chunk.
    next: AtomicU64,
    /// Where it goes.
    end: AtomicU64,
}

/// Where a chunk is.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    number: u64,
    offset: u64,
    /// With its tag.
    len: usize,
}

impl Spill {
    /// A new file in `folder`, for its owner alone, whose name is taken away before anything is in it.
    pub(super) fn create(folder: &Path) -> Result<Self, EngineError> {
        let mut name = [0; 16];
        system_random()?.fill(&mut name);
        let path = folder.join(format!(".spill-{:032x}", u128::from_be_bytes(name)));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path).map_err(|_| EngineError::Failed)?;
        fs::remove_file(&path).map_err(|_| EngineError::Failed)?;
        Self::of(file)
    }

    pub(super) fn of(file: File) -> Result<Self, EngineError> {
        let mut bytes = Zeroizing::new([0; 32]);
        system_random()?.fill(bytes.as_mut_slice());
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes.as_slice()).map_err(|_| EngineError::Failed)?;
        Ok(Self { file, key: LessSafeKey::new(key), next: AtomicU64::new(0), end: AtomicU64::new(0) })
    }

    /// Writes a chunk and leaves its bytes empty.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) -> Result<Chunk, EngineError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.key.seal_in_place_append_tag(nonce(number), Aad::empty(), bytes).map_err(|_| EngineError::Failed)?;
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.write_all_at(bytes, offset).map_err(|_| EngineError::Failed)?;
        let chunk = Chunk { number, offset, len: bytes.len() };
        bytes.clear();
        Ok(chunk)
    }

    /// What a chunk holds, if it is what was written.
    pub(super) fn read(&self, chunk: &Chunk) -> Result<Vec<u8>, EngineError> {
        let mut bytes = vec![0; chunk.len];
        self.file.read_exact_at(&mut bytes, chunk.offset).map_err(|_| EngineError::Failed)?;
        let len = self.key.open_in_place(nonce(chunk.number), Aad::empty(), &mut bytes).map_err(|_| EngineError::Failed)?.len();
        bytes.truncate(len);
        Ok(bytes)
    }
}

fn system_random() -> Result<SystemRandom, EngineError> {
    SystemRandom::new().map_err(|_| EngineError::Failed)
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_no_name_and_nothing_in_clear() {
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::create(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
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
        let other = Spill::create(folder.path()).unwrap();
        other.write(&mut canary.to_vec()).unwrap();
        let mut again = vec![0; canary.len()];
        other.file.read_exact_at(&mut again, 0).unwrap();
        assert_ne!(again, raw[..canary.len()]);
    }

    #[test]
    fn what_was_changed_or_moved_fails() {
        let folder = tempfile::tempdir().unwrap();
        let spill = Spill::create(folder.path()).unwrap();
        let (a, b) = (spill.write(&mut vec![1; 40]).unwrap(), spill.write(&mut vec![1; 40]).unwrap());
        assert_eq!(spill.read(&Chunk { offset: b.offset, ..a }), Err(EngineError::Failed));
        assert_eq!(spill.read(&Chunk { len: a.len - 1, ..a }), Err(EngineError::Failed));
        for byte in [0, 39, 40, 55] {
            let mut was = [0];
            spill.file.read_exact_at(&mut was, byte).unwrap();
            spill.file.write_all_at(&[was[0] ^ 1], byte).unwrap();
            assert_eq!(spill.read(&a), Err(EngineError::Failed));
            spill.file.write_all_at(&was, byte).unwrap();
        }
        assert_eq!(spill.read(&a).unwrap(), [1; 40]);
        spill.file.set_len(60).unwrap();
        assert_eq!(spill.read(&b), Err(EngineError::Failed));
    }

    #[test]
    fn a_file_that_cannot_be_made_or_written_fails() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Spill::create(&folder.path().join("none")).is_err());
        let full = OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
        assert!(Spill::of(full).unwrap().write(&mut vec![0; 40]).is_err());
    }
}
