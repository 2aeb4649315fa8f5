//! A file that is read more than once.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};

use super::TableError;
use crate::file;
use crate::id::Digest;

/// A regular file: what is opened twice is the same, or [`TableError::Changed`].
#[derive(Clone, Debug)]
pub(super) struct RegularFile {
    path: PathBuf,
}

/// An open file and the version that it had then.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) version: String,
}

impl RegularFile {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> Option<u64> {
        std::fs::metadata(&self.path).ok().map(|metadata| metadata.len())
    }

    /// A digest of size, times and inode.
    pub(super) fn version(&self) -> Result<String, TableError> {
        self.version_of(std::fs::metadata(&self.path))
    }

    pub(super) fn open(&self) -> Result<Opened, TableError> {
        let version = self.version()?;
        let file = file::open(&self.path).map_err(|error| TableError::Open { path: self.path.clone(), kind: error.kind() })?;
        if self.version_of(file.metadata())? != version {
            return Err(TableError::Changed);
        }
        Ok(Opened { file, version })
    }

    /// SHA-256 of the bytes.
    pub(super) fn digest(&self) -> Result<Digest, TableError> {
        use std::io::Read as _;
        let Opened { mut file, version } = self.open()?;
        let (mut hash, mut buffer, mut byte) = (ring::digest::Context::new(&ring::digest::SHA256), vec![0; 1 << 20], 0);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    hash.update(&buffer[..read]);
                    byte += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(TableError::Read { byte, kind: error.kind() }),
            }
        }
        self.check_version(&version)?;
        let mut digest = [0; 32];
        digest.copy_from_slice(hash.finish().as_ref());
        Ok(Digest::from_bytes(digest))
    }

    /// To be asked at the end of a reading.
    pub(super) fn check_version(&self, opened: &str) -> Result<(), TableError> {
        if self.version()? == opened { Ok(()) } else { Err(TableError::Changed) }
    }

    fn version_of(&self, metadata: std::io::Result<Metadata>) -> Result<String, TableError> {
        let metadata = metadata.map_err(|error| TableError::Open { path: self.path.clone(), kind: error.kind() })?;
        if !metadata.is_file() {
            return Err(TableError::NotAFile { path: self.path.clone() });
        }
        let modified = metadata.modified().ok();
        #[cfg(unix)]
        let more = {
            use std::os::unix::fs::MetadataExt;
            (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let more = ();
        Ok(Digest::of(format!("{} {modified:?} {more:?}", metadata.len()).as_bytes()).to_string())
    }
}
