//! The files of the journal: names, order, and how one is made so that it is there whole or not at all.

use super::disk::Disk;
use super::error::JournalError;
use super::frame::SegmentHeader;
use super::scan::Cursor;
use super::{SECTOR_BYTES, SEGMENT_BYTES_MAX};
use std::io;
use std::time::Duration;

/// A child that was forked holds the lock of its parent until it has started its program; then the lock is the next one's.
const LOCK_RETRIES_MAX: u32 = 20;
const LOCK_RETRY: Duration = Duration::from_millis(5);

pub(super) const SUFFIX: &str = ".seg";
/// A segment that is being made. It has no part in the journal until it is renamed.
const PART_SUFFIX: &str = ".seg.part";

pub(super) fn segment_name(number: u64) -> String {
    format!("{number:010}{SUFFIX}")
}

fn part_name(number: u64) -> String {
    format!("{number:010}{PART_SUFFIX}")
}

/// The names in the folder, and how many segments there are, numbered from 0 without a gap.
pub(super) fn segments(disk: &dyn Disk) -> Result<(Vec<String>, u64), JournalError> {
    let names = match disk.names() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(JournalError::Missing),
        names => names.map_err(failed("list", "."))?,
    };
    let mut numbers = Vec::new();
    for name in names.iter().filter(|name| name.ends_with(SUFFIX)) {
        let number = name.strip_suffix(SUFFIX).and_then(|number| number.parse().ok());
        let number = number.filter(|number| segment_name(*number) == *name);
        numbers.push(number.ok_or_else(|| JournalError::Name { name: name.clone() })?);
    }
    if numbers.is_empty() {
        return Err(JournalError::Missing);
    }
    numbers.sort_unstable();
    match numbers.iter().zip(0u64..).find(|(number, expected)| **number != *expected) {
        Some((_, segment)) => Err(JournalError::Gap { segment }),
        None => {
            let count = numbers.len() as u64;
            Ok((names, count))
        }
    }
}

/// Locks the first segment, which every journal has and keeps.
pub(super) fn lock(disk: &mut dyn Disk) -> Result<(), JournalError> {
    let name = segment_name(0);
    let mut retries = 0;
    loop {
        match disk.lock(&name) {
            Ok(true) => return Ok(()),
            Ok(false) if retries == LOCK_RETRIES_MAX => return Err(JournalError::Locked),
            Ok(false) => {
                retries += 1;
                std::thread::sleep(LOCK_RETRY);
            }
            // What is there instead is for the reading of the names to say.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("lock", &name)(error)),
        }
    }
}

pub(super) fn read_segment(disk: &dyn Disk, number: u64) -> Result<Vec<u8>, JournalError> {
    let name = segment_name(number);
    disk.read(&name, SEGMENT_BYTES_MAX).map_err(failed("read", &name))
}

/// Removes segments that a crash left unmade.
pub(super) fn remove_parts(disk: &mut dyn Disk, names: &[String]) -> Result<(), JournalError> {
    for name in names.iter().filter(|name| name.ends_with(PART_SUFFIX)) {
        disk.remove(name).map_err(failed("remove", name))?;
    }
    Ok(())
}

/// Makes a whole, durable segment under a name that does not count yet, or removes what it made.
pub(super) fn prepare(disk: &mut dyn Disk, header: &SegmentHeader) -> Result<(), JournalError> {
    let part = part_name(header.number);
    let Err((action, error)) = fill(disk, &part, header) else { return Ok(()) };
    let _ = disk.remove(&part);
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return Err(JournalError::NoSpace { segment: header.number, needed: header.bytes });
    }
    Err(JournalError::Io { action, name: part, error })
}

fn fill(disk: &mut dyn Disk, part: &str, header: &SegmentHeader) -> Result<(), (&'static str, io::Error)> {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    disk.create(part).map_err(|error| ("create", error))?;
    let mut at = 0;
    while at < header.bytes {
        let length = usize::try_from(header.bytes - at).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
        disk.write_at(part, at, &ZEROS[..length]).map_err(|error| ("fill", error))?;
        at += length as u64;
    }
    disk.write_at(part, 0, &header.encode()).map_err(|error| ("write", error))?;
    disk.sync(part).map_err(|error| ("sync", error))
}

/// Gives a prepared segment the name that counts.
pub(super) fn publish(disk: &mut dyn Disk, number: u64) -> Result<(), JournalError> {
    let (part, name) = (part_name(number), segment_name(number));
    disk.rename(&part, &name).map_err(failed("rename", &part))?;
    disk.sync_names().map_err(failed("sync", "."))
}

/// Makes durable what was just read, which a process that was killed, or failed to sync, may have left in memory only: writes
/// the last batch again, byte for byte, and zeros over what is unfinished.
pub(super) fn settle(disk: &mut dyn Disk, name: &str, segment: &[u8], cursor: &Cursor, left: usize) -> Result<(), JournalError> {
    let mut bytes = segment[cursor.before..cursor.offset].to_vec();
    bytes.resize(bytes.len() + left.next_multiple_of(SECTOR_BYTES), 0);
    if !bytes.is_empty() {
        disk.write_at(name, cursor.before as u64, &bytes).map_err(failed("write", name))?;
    }
    disk.sync(name).map_err(failed("sync", name))?;
    disk.sync_names().map_err(failed("sync", "."))
}

pub(super) fn failed(action: &'static str, name: &str) -> impl FnOnce(io::Error) -> JournalError {
    let name = name.to_owned();
    move |error| JournalError::Io { action, name, error }
}
