//! Reading files: regular ones only, within a limit, private ones only where secrets stand.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::class::Class;

/// Why a file is not read. No variant holds what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such file, or it may not be read.
    #[error("cannot open {path:?}: {kind}")]
    Open {
        /// The path.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// Something whose reading may never end, or cannot begin.
    #[error("{path:?} is a {found}, not a regular file")]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// Another file took its place while it was opened.
    #[error("{path:?} was replaced while it was opened; try again when nobody writes to it")]
    Changed {
        /// The path.
        path: PathBuf,
    },
    /// A file of secrets that others may read or write.
    #[error("{path:?} may be read by others (mode {mode:03o}); run `chmod 600` on it")]
    Mode {
        /// The path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is too long.
    #[error("{path:?} has {found} bytes, at most {most} are read")]
    Long {
        /// The path.
        path: PathBuf,
        /// How many bytes it has, at least.
        found: u64,
        /// The most.
        most: usize,
    },
    /// A text is not UTF-8.
    #[error("{path:?} is not UTF-8 from byte {byte} on; save it as UTF-8")]
    NotUtf8 {
        /// The path.
        path: PathBuf,
        /// How many bytes before it are.
        byte: usize,
    },
    /// Reading failed on the way.
    #[error("reading {path:?} failed: {kind}")]
    Read {
        /// The path.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
}

impl ReadError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Open { kind, .. } => Class::of_io(*kind),
            Self::Changed { .. } | Self::Read { .. } => Class::Environment,
            Self::NotAFile { .. } | Self::Mode { .. } | Self::Long { .. } | Self::NotUtf8 { .. } => Class::BadInput,
        }
    }

    /// The nearest that the system has a word for.
    #[must_use]
    pub const fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Open { kind, .. } | Self::Read { kind, .. } => *kind,
            Self::Changed { .. } => io::ErrorKind::ResourceBusy,
            Self::Mode { .. } => io::ErrorKind::PermissionDenied,
            Self::Long { .. } => io::ErrorKind::FileTooLarge,
            Self::NotAFile { .. } | Self::NotUtf8 { .. } => io::ErrorKind::InvalidData,
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        Self::new(error.kind(), error)
    }
}

/// A file that is replaced is there again at once.
const REPLACED_RETRIES_MAX: u32 = 8;

/// Opens a regular file, or a link to one, and never waits.
///
/// # Errors
/// There is none, it may not be read, it is a folder, a pipe, a socket or a device, or it was replaced meanwhile.
pub fn open(path: impl AsRef<Path>) -> Result<File, ReadError> {
    open_as(path.as_ref(), OpenOptions::new().read(true)).map(|(file, _)| file)
}

/// Opens a regular file for reading and writing, as [`open`] does.
///
/// # Errors
/// As [`open`]; it may not be written to.
pub fn open_to_write(path: impl AsRef<Path>) -> Result<File, ReadError> {
    open_as(path.as_ref(), OpenOptions::new().read(true).write(true)).map(|(file, _)| file)
}

/// Opens a file that only serves to be locked, and makes it, mode 0600, if there is none.
///
/// # Errors
/// As [`open_to_write`]; it cannot be made.
pub fn open_lock(path: impl AsRef<Path>) -> Result<File, ReadError> {
    let path = path.as_ref();
    let mut retries = 0;
    loop {
        match open_to_write(path) {
            Err(ReadError::Open { kind: io::ErrorKind::NotFound, .. }) => {}
            opened => return opened,
        }
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path) {
            // Another was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && retries < REPLACED_RETRIES_MAX => retries += 1,
            made => return made.map_err(|error| ReadError::Open { path: path.to_owned(), kind: error.kind() }),
        }
    }
}

/// The bytes of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`open`]; the file is longer, or cannot be read.
pub fn read(path: impl AsRef<Path>, most: usize) -> Result<Vec<u8>, ReadError> {
    let path = path.as_ref();
    let (file, metadata) = open_as(path, OpenOptions::new().read(true))?;
    let mut bytes = Vec::new();
    read_into(&mut bytes, file, &metadata, path, most)?;
    Ok(bytes)
}

/// The text of a regular file of at most `most` bytes.
///
/// # Errors
/// As [`read`]; the file is not UTF-8.
pub fn read_text(path: impl AsRef<Path>, most: usize) -> Result<String, ReadError> {
    let path = path.as_ref();
    String::from_utf8(read(path, most)?)
        .map_err(|error| ReadError::NotUtf8 { path: path.to_owned(), byte: error.utf8_error().valid_up_to() })
}

/// The bytes of a file of secrets, which only its owner may read or write. They are wiped when dropped; no copy is left on the
/// way.
///
/// # Errors
/// As [`read`]; the group or others have any permission.
pub fn read_private(path: impl AsRef<Path>, most: usize) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let path = path.as_ref();
    let (file, metadata) = open_as(path, OpenOptions::new().read(true))?;
    if metadata.mode() & 0o077 != 0 {
        return Err(ReadError::Mode { path: path.to_owned(), mode: metadata.mode() & 0o777 });
    }
    // Room for all that is read: a vector that grows leaves its old bytes behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
    read_into(&mut bytes, file, &metadata, path, most)?;
    Ok(bytes)
}

fn open_as(path: &Path, options: &OpenOptions) -> Result<(File, Metadata), ReadError> {
    let mut retries = 0;
    loop {
        match open_once(path, options) {
            Err(ReadError::Changed { .. }) if retries < REPLACED_RETRIES_MAX => retries += 1,
            opened => return opened,
        }
    }
}

fn open_once(path: &Path, options: &OpenOptions) -> Result<(File, Metadata), ReadError> {
    let io = |error: io::Error| ReadError::Open { path: path.to_owned(), kind: error.kind() };
    // Asked before opening: to open a pipe would wait for its writer.
    let seen = fs::metadata(path).map_err(io)?;
    if !seen.is_file() {
        return Err(ReadError::NotAFile { path: path.to_owned(), found: kind_of(seen.file_type()) });
    }
    let file = options.open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if (metadata.dev(), metadata.ino()) != (seen.dev(), seen.ino()) || !metadata.is_file() {
        return Err(ReadError::Changed { path: path.to_owned() });
    }
    Ok((file, metadata))
}

fn read_into(bytes: &mut Vec<u8>, file: File, metadata: &Metadata, path: &Path, most: usize) -> Result<(), ReadError> {
    let long = |found| ReadError::Long { path: path.to_owned(), found, most };
    if metadata.len() > most as u64 {
        return Err(long(metadata.len()));
    }
    // The length is only what it was, and files of `/proc` say 0.
    file.take(most as u64 + 1).read_to_end(bytes).map_err(|error| ReadError::Read { path: path.to_owned(), kind: error.kind() })?;
    if bytes.len() > most { Err(long(bytes.len() as u64)) } else { Ok(()) }
}

fn kind_of(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "folder"
    } else if kind.is_fifo() {
        "pipe"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "device"
    } else {
        "special file"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_limit_is_the_last_that_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"1234");
        assert_eq!(read_text(&path, 4).unwrap(), "1234");
        assert_eq!(read(&path, 3).unwrap_err(), ReadError::Long { path: path.clone(), found: 4, most: 3 });
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(read(&link, 4).unwrap(), b"1234");
        fs::write(&path, b"12\xff4").unwrap();
        assert_eq!(read_text(&path, 4).unwrap_err(), ReadError::NotUtf8 { path, byte: 2 });
        // Says that it has no bytes.
        #[cfg(target_os = "linux")]
        assert!(matches!(read("/proc/self/status", 8), Err(ReadError::Long { found: 9, most: 8, .. })));
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let found = |path: &Path| {
            let errors = [open(path), open_to_write(path), open_lock(path)].map(Result::unwrap_err);
            assert!(errors.iter().all(|error| *error == errors[0]));
            match errors[0] {
                ReadError::NotAFile { found, .. } => found,
                ref other => panic!("{other}"),
            }
        };
        let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let _listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(found(&pipe), "pipe");
        assert_eq!(found(&socket), "socket");
        assert_eq!(found(folder.path()), "folder");
        assert_eq!(found(Path::new("/dev/zero")), "device");
        let none = folder.path().join("none");
        assert_eq!(open(&none).unwrap_err(), ReadError::Open { path: none.clone(), kind: io::ErrorKind::NotFound });
        assert!(open_to_write(&none).is_err() && open_lock(&none).is_ok() && open_to_write(&none).is_ok());
        assert_eq!(fs::metadata(&none).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn secrets_are_read_only_where_nobody_else_may() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"1234").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false), (0o601, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match read_private(&path, 4) {
                Ok(bytes) => assert!(good && **bytes == *b"1234"),
                Err(error) => assert!(!good && error == ReadError::Mode { path: path.clone(), mode }, "{error}"),
            }
        }
    }
}
