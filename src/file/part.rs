//! Parts: files under way, `.NAME.PID-N.part` beside the target NAME, locked while somebody writes them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Whoever looks for stale parts may take one for stale between its creation and its lock; another is made then. So many
/// times in a row only where parts that cannot be removed are in the way.
const PARTS_TRIED_MAX: u32 = 1000;

/// Makes a part that is locked and still has its name.
pub(super) fn create(target: &Path, name: &OsStr, private: bool) -> Result<(File, PathBuf), io::ErrorKind> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut open = OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        open.mode(if private { 0o600 } else { 0o666 });
    }
    for _ in 0..PARTS_TRIED_MAX {
        let part = target.with_file_name(name_of(name, std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let file = match open.open(&part) {
            // Of a process of the same number: in another container, or before a crash.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            opened => opened.map_err(|error| error.kind())?,
        };
        match file.try_lock() {
            Ok(()) if is_named(&file) => return Ok((file, part)),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // Where locks are not supported, no part is ever taken for stale either.
            Err(TryLockError::Error(_)) => return Ok((file, part)),
        }
    }
    Err(io::ErrorKind::AlreadyExists)
}

/// Whether the file still has a name.
#[cfg(unix)]
fn is_named(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

/// Other systems do not remove a file that is open.
#[cfg(not(unix))]
fn is_named(_: &File) -> bool {
    true
}

fn name_of(name: &OsStr, process: u32, number: u64) -> OsString {
    let mut part = OsString::from(".");
    part.push(name);
    part.push(format!(".{process}-{number}.part"));
    part
}

/// Removes parts of the target `name` that nobody writes: those whose lock can be taken. Failing is harmless.
pub(super) fn remove_stale(folder: &Path, name: &OsStr) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if !is_of(&entry.file_name(), name) || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        if let Ok(part) = File::open(entry.path())
            && part.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether this is the name of a part of `name`: `.NAME.PID-N.part`, or `.NAME.PID.part` of earlier versions.
pub(super) fn is_of(part: &OsStr, name: &OsStr) -> bool {
    let rest = part.as_encoded_bytes().strip_prefix(b".").and_then(|rest| rest.strip_prefix(name.as_encoded_bytes()));
    let numbers = rest.and_then(|rest| rest.strip_prefix(b".")).and_then(|rest| rest.strip_suffix(b".part"));
    let Some(numbers) = numbers.and_then(|numbers| std::str::from_utf8(numbers).ok()) else { return false };
    // Printed again: a number that is written otherwise (`+7`, `07`) is not ours.
    let is_number = |digits: &str| digits.parse::<u64>().is_ok_and(|number| number.to_string() == digits);
    match numbers.split_once('-') {
        None => is_number(numbers),
        Some((process, number)) => is_number(process) && is_number(number),
    }
}
