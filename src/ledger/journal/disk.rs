//! The few things the journal asks of a folder, so that tests can make them fail.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::file;

/// A folder of files. A change is durable only after the `sync` of its file, or of the folder for its name.
pub(in crate::ledger) trait Disk: Send {
    /// The names in the folder.
    fn names(&self) -> io::Result<Vec<String>>;
    /// The whole file; an error of kind `InvalidData` if it is longer than `limit`.
    fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>>;
    /// Keeps other writers from the file for as long as this disk lives; false if another has it.
    fn lock(&mut self, name: &str) -> io::Result<bool>;
    /// Whether the folder, the locked file and the file that is written to are still those that stand at their paths.
    fn is_in_place(&mut self, name: &str) -> io::Result<bool>;
    /// Bytes of the file that is written to, at the offset.
    fn read_at(&mut self, name: &str, offset: u64, bytes: &mut [u8]) -> io::Result<()>;
    /// A new file, readable by nobody else; an error if there is one.
    fn create(&mut self, name: &str) -> io::Result<()>;
    /// Writes all bytes at the offset.
    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes the bytes of the file durable.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    /// Gives the file another name.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// Removes the file.
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// Makes the names in the folder durable.
    fn sync_names(&mut self) -> io::Result<()>;
}

/// A folder of the file system.
pub(super) struct Folder {
    path: PathBuf,
    /// The file last written to.
    open: Option<Open>,
    /// The folder and the file in it whose lock keeps others out.
    locked: Option<(Open, Open)>,
}

/// A file that is open, and by what it is known again: no other has its device and inode while it is.
struct Open {
    name: String,
    file: File,
    identity: Identity,
}

/// Device and inode.
type Identity = (u64, u64);

impl Open {
    fn new(name: &str, file: File) -> io::Result<Self> {
        let identity = identity(&file.metadata()?);
        Ok(Self { name: name.to_owned(), file, identity })
    }

    fn is_in(&self, folder: &Path) -> io::Result<bool> {
        match identity_at(&folder.join(&self.name)) {
            Ok(found) => Ok(found == self.identity),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn identity(file: &Metadata) -> Identity {
    (file.dev(), file.ino())
}

/// Asks for nothing else where it can. Once somebody has asked for its times, Linux (6.13 and later) gives the next write to a
/// file a time of its own, and then its sync takes a second write to the disk, of the inode.
fn identity_at(path: &Path) -> io::Result<Identity> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
        match statx(CWD, path, AtFlags::empty(), StatxFlags::INO) {
            Ok(found) => return Ok((makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino)),
            // An old kernel, or a sandbox.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(identity(&std::fs::metadata(path)?))
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), open: None, locked: None }
    }

    /// Makes the folder, mode 0700, if there is none, and its name durable.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(Self::new(path))
    }

    fn open(&mut self, name: &str) -> io::Result<&Open> {
        let open = match self.open.take() {
            Some(open) if open.name == name => open,
            _ => Open::new(name, file::open_to_write(self.path.join(name))?)?,
        };
        Ok(self.open.insert(open))
    }
}

impl Disk for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        // A name that is not Unicode is none of ours: it is shown as far as it is.
        let name = |entry: io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
        std::fs::read_dir(&self.path)?.map(name).collect()
    }

    fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let file = file::open(self.path.join(name))?;
        let length = file.metadata()?.len();
        let too_long = || io::Error::new(io::ErrorKind::InvalidData, format!("{length} bytes, the limit is {limit}"));
        if length > limit {
            return Err(too_long());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(|_| too_long())?);
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn lock(&mut self, name: &str) -> io::Result<bool> {
        let file = file::open_to_write(self.path.join(name))?;
        match file.try_lock() {
            Ok(()) => self.locked = Some((Open::new(".", File::open(&self.path)?)?, Open::new(name, file)?)),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(true)
    }

    fn is_in_place(&mut self, name: &str) -> io::Result<bool> {
        self.open(name)?;
        let locked = self.locked.iter().flat_map(|(folder, first)| [folder, first]);
        let mut files = locked.chain(&self.open).map(|file| file.is_in(&self.path));
        files.try_fold(true, |all, is_in| Ok(all && is_in?))
    }

    fn read_at(&mut self, name: &str, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.open(name)?.file.read_exact_at(bytes, offset)
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.path.join(name))?;
        self.open = Some(Open::new(name, file)?);
        Ok(())
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.open(name)?.file.write_all_at(bytes, offset)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.open(name)?.file.sync_data()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path.join(from), self.path.join(to))?;
        // The handle stays that of the file.
        if let Some(open) = self.open.as_mut().filter(|open| open.name == from) {
            to.clone_into(&mut open.name);
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.open = None;
        std::fs::remove_file(self.path.join(name))
    }

    fn sync_names(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}
