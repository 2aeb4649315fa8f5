//! Writing files: whole or not at all, durable before they have their name.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::part;
use crate::class::Class;

/// A file under way: written as `.NAME.PID-N.part` beside its target, which it becomes at [`Output::commit`].
///
/// ```text
/// create --> .NAME.PID-N.part --write--> flush, fsync --> link to NAME (or rename, if forced) --> unlink part, fsync folder
///                  \--drop, any error: unlink
/// ```
/// Many may write one target at once, in one process too: each has a part of its own, and the first to commit names it, or
/// the last, if they force it. The part is locked while it is written; parts of the same target that nobody locks are left
/// from a crash and are removed by the next `create`.
///
/// # Source
/// Rule H9 of `docs/rules.md`.
///
/// # Not promised
/// A file system without hard links (FAT) can only be written with `force`. When the last step, the fsync of the folder,
/// fails, the target stands whole but may be gone after a power cut; the error says [`OutputStep::Folder`].
#[derive(Debug)]
pub struct Output {
    writer: BufWriter<File>,
    part: PathBuf,
    target: PathBuf,
    force: bool,
    failed: Option<io::ErrorKind>,
}

/// How a file is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// Replace a file that exists.
    pub force: bool,
    /// Readable by its owner only (mode 0600), from its first byte on.
    pub private: bool,
}

/// A step of making a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStep {
    /// Making the part.
    Create,
    /// Writing to it.
    Write,
    /// Making its bytes durable.
    Sync,
    /// Giving it its name.
    Name,
    /// Making the name durable.
    Folder,
}

/// Why a file was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// There is a file already.
    #[error("{target:?} exists; remove it or force its replacement")]
    TargetExists {
        /// The target.
        target: PathBuf,
    },
    /// The target cannot be the name of a file.
    #[error("{target:?} cannot be the name of a file")]
    NotAFile {
        /// The target.
        target: PathBuf,
    },
    /// The system refused a step: a full disk, a folder that is read-only or not there.
    #[error("cannot write {target:?} ({step}): {kind}")]
    Failed {
        /// The target.
        target: PathBuf,
        /// The step.
        step: OutputStep,
        /// What the system said.
        kind: io::ErrorKind,
    },
}

impl OutputError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Failed { .. } => Class::Environment,
            Self::TargetExists { .. } | Self::NotAFile { .. } => Class::BadInput,
        }
    }
}

/// Writes a file whole or not at all, and durably.
///
/// # Errors
/// As [`Output::create`] and [`Output::commit`].
pub fn write(target: impl AsRef<Path>, bytes: &[u8], options: OutputOptions) -> Result<(), OutputError> {
    Output::create(target, options)?.finish(bytes)
}

impl Output {
    /// Begins a file. Nothing stands at `target` before [`Output::commit`].
    ///
    /// # Errors
    /// When the target exists and is not forced, is a folder, or its folder cannot be written to.
    pub fn create(target: impl AsRef<Path>, options: OutputOptions) -> Result<Self, OutputError> {
        let target = target.as_ref();
        if let Some(name) = target.file_name() {
            part::remove_stale(folder_of(target), name);
        }
        Self::create_among_many(target, options)
    }

    /// As [`Output::create`], in a folder of so many files that it is not read at each: whoever owns it removes stale parts.
    pub(crate) fn create_among_many(target: impl AsRef<Path>, options: OutputOptions) -> Result<Self, OutputError> {
        let target = target.as_ref().to_owned();
        let Some(name) = target.file_name() else {
            return Err(OutputError::NotAFile { target });
        };
        // `symlink_metadata`: a link that leads nowhere is in the way too.
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_dir() => return Err(OutputError::NotAFile { target }),
            Ok(_) if !options.force => return Err(OutputError::TargetExists { target }),
            _ => {}
        }
        match part::create(&target, name, options.private) {
            Ok((file, part)) => {
                Ok(Self { writer: BufWriter::with_capacity(1 << 18, file), part, target, force: options.force, failed: None })
            }
            Err(kind) => Err(OutputError::Failed { target, step: OutputStep::Create, kind }),
        }
    }

    /// What the file will be called.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the bytes durable and gives the file its name.
    ///
    /// # Errors
    /// When a write failed before, the disk is full, or the target has come to exist meanwhile and is not forced.
    /// No part is left then, and whatever stood at the target stands there still.
    pub fn commit(mut self) -> Result<(), OutputError> {
        if let Some(kind) = self.failed {
            return Err(self.error(OutputStep::Write, kind));
        }
        self.writer.flush().map_err(|error| self.error(OutputStep::Write, error.kind()))?;
        self.writer.get_ref().sync_all().map_err(|error| self.error(OutputStep::Sync, error.kind()))?;
        let named = if self.force { fs::rename(&self.part, &self.target) } else { fs::hard_link(&self.part, &self.target) };
        named.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OutputError::TargetExists { target: self.target.clone() },
            kind => self.error(OutputStep::Name, kind),
        })?;
        // The file stands. A part that cannot be removed now is a second name of it, which the next `create` removes.
        let _ = fs::remove_file(&self.part);
        sync_folder(folder_of(&self.target)).map_err(|error| self.error(OutputStep::Folder, error.kind()))
    }

    /// Writes the last bytes, makes all durable and gives the file its name.
    ///
    /// # Errors
    /// As [`Output::commit`].
    pub fn finish(mut self, bytes: &[u8]) -> Result<(), OutputError> {
        // A write that fails is told by `commit`.
        let _ = self.write_all(bytes);
        self.commit()
    }

    /// Why a write failed, if one did.
    #[must_use]
    pub fn failure(&self) -> Option<OutputError> {
        self.failed.map(|kind| self.error(OutputStep::Write, kind))
    }

    /// An output whose bytes go to a device, while its part stands in the folder.
    #[cfg(all(test, target_os = "linux"))]
    #[allow(clippy::unwrap_used)]
    pub(crate) fn onto(device: &str, target: &Path) -> Self {
        let mut output = Self::create(target, OutputOptions::default()).unwrap();
        output.writer = BufWriter::new(File::options().write(true).open(device).unwrap());
        output
    }

    fn error(&self, step: OutputStep, kind: io::ErrorKind) -> OutputError {
        OutputError::Failed { target: self.target.clone(), step, kind }
    }

    fn noted<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failed = Some(error.kind());
        }
        result
    }
}

/// A write that failed once makes [`Output::commit`] fail.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes);
        self.noted(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.writer.flush();
        self.noted(flushed)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After a commit there is nothing to remove.
        let _ = fs::remove_file(&self.part);
    }
}

impl std::fmt::Display for OutputStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Create => "creating",
            Self::Write => "writing",
            Self::Sync => "fsync",
            Self::Name => "naming",
            Self::Folder => "fsync of the folder",
        })
    }
}

/// The folder in which a file stands.
pub(crate) fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems cannot open a folder as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    const FORCE: OutputOptions = OutputOptions { force: true, private: false };
    const PLAIN: OutputOptions = OutputOptions { force: false, private: false };

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_target_appears_at_commit_and_the_part_goes() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.csv");
        let mut output = Output::create(&target, PLAIN).unwrap();
        output.write_all(b"one").unwrap();
        assert_eq!(names(folder.path()), [output.part.file_name().unwrap().to_str().unwrap()]);
        assert!(part::is_of(output.part.file_name().unwrap(), OsStr::new("a.csv")));
        output.commit().unwrap();
        assert_eq!(names(folder.path()), ["a.csv"]);
        assert_eq!(fs::read(&target).unwrap(), b"one");

        assert_eq!(Output::create(&target, PLAIN).unwrap_err(), OutputError::TargetExists { target: target.clone() });
        let mut output = Output::create(&target, FORCE).unwrap();
        output.write_all(b"two").unwrap();
        output.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn dropped_without_commit_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let mut output = Output::create(folder.path().join("a"), PLAIN).unwrap();
        output.write_all(&[7; 1 << 20]).unwrap();
        drop(output);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_target_that_comes_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let output = Output::create(&target, PLAIN).unwrap();
        fs::write(&target, b"theirs").unwrap();
        assert!(matches!(output.commit(), Err(OutputError::TargetExists { .. })));
        assert_eq!(fs::read(&target).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    #[cfg(unix)]
    fn modes_are_set_from_the_start() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let output = Output::create(folder.path().join("a"), OutputOptions { private: true, ..PLAIN }).unwrap();
        assert_eq!(mode(&output.part), 0o600);
        output.commit().unwrap();
        assert_eq!(mode(&folder.path().join("a")), 0o600);
        let open = Output::create(folder.path().join("b"), PLAIN).unwrap();
        let umasked = folder.path().join("c");
        fs::write(&umasked, b"").unwrap();
        assert_eq!(mode(&open.part), mode(&umasked));
    }

    #[test]
    fn folders_that_cannot_be_written_to_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let failed = |target: &Path| match Output::create(target, PLAIN).unwrap_err() {
            OutputError::Failed { step: OutputStep::Create, kind, .. } => kind,
            other => panic!("{other}"),
        };
        assert_eq!(failed(&folder.path().join("none/a")), io::ErrorKind::NotFound);
        assert!(matches!(Output::create(folder.path(), FORCE), Err(OutputError::NotAFile { .. })));
        for target in ["/", "..", "a/.."] {
            assert!(matches!(Output::create(target, PLAIN), Err(OutputError::NotAFile { .. })), "{target}");
        }
        // Refuses new files to everybody, root included.
        #[cfg(target_os = "linux")]
        failed(Path::new("/proc/self/a"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let closed = folder.path().join("closed");
            fs::create_dir(&closed).unwrap();
            fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
            // Root may write there all the same.
            if fs::write(closed.join("probe"), b"").is_err() {
                assert_eq!(failed(&closed.join("a")), io::ErrorKind::PermissionDenied);
                assert!(names(&closed).is_empty());
            }
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let error = |step, kind| OutputError::Failed { target: target.clone(), step, kind };
        // Found at a write; the writer goes on as if nothing had happened.
        let mut output = Output::onto("/dev/full", &target);
        assert_eq!(output.write(&[7; 1 << 20]).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(output.commit(), Err(error(OutputStep::Write, io::ErrorKind::StorageFull)));
        assert!(names(folder.path()).is_empty());
        // Found when the last bytes are flushed.
        let mut output = Output::onto("/dev/full", &target);
        output.write_all(b"little").unwrap();
        assert_eq!(output.commit(), Err(error(OutputStep::Write, io::ErrorKind::StorageFull)));
        assert!(names(folder.path()).is_empty());
        // Found at fsync, which this device does not have.
        let mut output = Output::onto("/dev/null", &target);
        output.write_all(b"little").unwrap();
        assert_eq!(output.commit(), Err(error(OutputStep::Sync, io::ErrorKind::InvalidInput)));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn parts_of_the_dead_are_removed_and_those_of_the_living_kept() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        let process = std::process::id();
        let dead = [".a.4294967295-0.part".to_owned(), format!(".a.{process}-18446744073709551615.part"), format!(".a.{process}.part")];
        for name in &dead {
            fs::write(folder.path().join(name), b"left").unwrap();
        }
        let others = [
            ".a.part",
            ".a.x.part",
            ".a.b.7.part",
            ".a.b.7-1.part",
            ".b.7-1.part",
            ".a.7-1.parts",
            "a.7-1.part",
            ".a.+7.part",
            ".a.7-+1.part",
            ".a.7-01.part",
            ".a.7-1-1.part",
            ".a.7-.part",
        ];
        for name in others {
            fs::write(folder.path().join(name), b"not ours").unwrap();
        }
        let living = folder.path().join(".a.8-0.part");
        let held = File::create(&living).unwrap();
        held.lock().unwrap();
        let output = Output::create(&target, PLAIN).unwrap();
        output.commit().unwrap();
        let mut expected: Vec<String> = others.iter().map(ToString::to_string).chain([".a.8-0.part".into(), "a".into()]).collect();
        expected.sort();
        assert_eq!(names(folder.path()), expected);
    }

    #[test]
    fn many_write_one_target_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        // Each removes what it takes for stale while the others make, write and commit theirs.
        let rounds = |options: OutputOptions| {
            std::thread::scope(|scope| {
                let writers: Vec<_> = (0..8u8)
                    .map(|byte| {
                        let target = &target;
                        scope.spawn(move || (0..100).map(|_| write(target, &[byte; 5000], options)).collect::<Vec<_>>())
                    })
                    .collect();
                writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
            })
        };
        let results = rounds(FORCE);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let written = fs::read(&target).unwrap();
        assert!(written.len() == 5000 && written.iter().all(|byte| *byte == written[0]));
        fs::remove_file(&target).unwrap();
        let exists = OutputError::TargetExists { target: target.clone() };
        let (made, other): (Vec<_>, Vec<_>) = rounds(PLAIN).into_iter().partition(Result::is_ok);
        assert!(made.len() == 1 && other.iter().all(|result| *result == Err(exists.clone())), "{other:?}");
        assert_eq!(names(folder.path()), ["a"]);
    }
}
