//! A small file system of its own, to be really full: what an injected ENOSPC imitates. In memory, or ext4 in a file.

// Every includer uses another part.
#![allow(dead_code)]

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What tmpfs gives room in.
pub(crate) const PAGE_BYTES: u64 = 4096;

/// A file system, unmounted when it is dropped.
pub(crate) struct SmallDisk {
    folder: tempfile::TempDir,
    /// What it lies in, unless that is memory.
    _image: Option<tempfile::NamedTempFile>,
}

impl SmallDisk {
    /// Mounts one of `bytes`. Where the machine does not allow that it says why, and there is nothing to test with.
    pub(crate) fn mount(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={bytes},mode=0700");
        ran(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()))?;
        Some(Self { folder, _image: None })
    }

    /// Mounts an ext4 of `bytes`, journal and tables included, all of which root may fill.
    pub(crate) fn mount_ext4(bytes: u64) -> Option<Self> {
        let (folder, image) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        image.as_file().set_len(bytes).unwrap();
        ran(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(image.path()))?;
        ran(Command::new("mount").args(["-o", "loop"]).arg(image.path()).arg(folder.path()))?;
        Some(Self { folder, _image: Some(image) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it but for `left` bytes, whole pages of them.
    pub(crate) fn fill(&self, left: u64) {
        self.clear();
        let mut file = File::create(self.filler()).unwrap();
        let page = [1; 4096];
        let full = loop {
            if let Err(error) = file.write_all(&page) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(left).next_multiple_of(PAGE_BYTES)).unwrap();
    }

    /// Makes all room free that [`SmallDisk::fill`] took.
    pub(crate) fn clear(&self) {
        if let Err(error) = fs::remove_file(self.filler()) {
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

/// Whether it did its work; where it did not, why.
fn ran(command: &mut Command) -> Option<()> {
    let why = match command.output() {
        Ok(output) if output.status.success() => return Some(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("no reason given").to_owned(),
        Err(error) => format!("{}: {error}", command.get_program().display()),
    };
    println!("skipped: no small file system can be mounted here: {why}");
    None
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a file that the test has open still does not keep it mounted.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
