//! Sealed answers in segments beside the journal: one sync for all answers of a batch.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, UNIX_EPOCH};

use crate::file;
use crate::id::{Digest, Time};

/// The most bytes of an answer (rule C8).
pub(super) const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A segment unless an answer needs more: some thousand answers, zero-filled in a few milliseconds. No batch has more bytes either,
/// unless it is one answer, so that however many are kept at once, few are in memory twice.
const SEGMENT_BYTES: u64 = 4 << 20;
/// Ten digits hold no more. At 4 MiB each they hold more than any file system.
const SEGMENTS_MAX: u64 = 10_000_000_000;
/// The unit in which disks write: no batch shares a sector with another, so that what is durable is never written again.
const SECTOR_BYTES: u64 = 512;
const MAGIC: [u8; 8] = *b"ufanswer";
const HEADER_BYTES: usize = 64;
const SUFFIX: &str = ".log";

/// Sealed answers in segments: those of one batch are durable by one `fdatasync`, beside the journal and never in it.
///
/// ```text
/// answers/0000000000.log   zero-filled and synced before its first use
/// frame   | ufanswer | length 4 | zeros 4 | digest 32 | check 16 | answer |     frames of a batch follow each other
/// batch   | frame | frame | zeros to the next whole sector of 512 bytes |
/// ```
/// The check is the first 16 bytes of SHA-256 over the 48 before it. What stands in a segment is never written again: a batch goes
/// behind the last sector that has anything in it, and behind a segment that could not be written comes another. A reader that
/// finds no frame goes on at the next sector, so that damage to one hides no other; what a crash left of a batch was never
/// acknowledged, and no entry seals it.
#[derive(Debug)]
pub struct AnswerLog {
    folder: PathBuf,
    /// Where each answer is: segment, offset of its bytes, length. Held over no I/O.
    index: RwLock<HashMap<Digest, Place>>,
    /// What is being written; held while a batch becomes durable.
    tail: Mutex<Tail>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    segment: u64,
    offset: u64,
    length: usize,
}

#[derive(Debug)]
struct Tail {
    /// All segments before this number are there; it is the first that may be missing.
    next: u64,
    open: Option<OpenSegment>,
}

/// The segment being written, how long it is, and where its next batch goes.
#[derive(Debug)]
struct OpenSegment {
    number: u64,
    file: File,
    length: u64,
    offset: u64,
}

/// Answers that become durable together, and where in their bytes each is.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    places: Vec<(Digest, u64, usize)>,
}

impl AnswerLog {
    /// Reads where the answers of a folder are; changes nothing. A folder that is not there has none.
    ///
    /// # Errors
    /// The folder or a segment cannot be read; what has the name of a segment is no regular file.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let mut numbers: Vec<u64> = match fs::read_dir(folder) {
            Ok(entries) => {
                entries.map(|entry| Ok(segment_number(&entry?.path()))).filter_map(Result::transpose).collect::<io::Result<_>>()?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        numbers.sort_unstable();
        let mut index = HashMap::new();
        for segment in &numbers {
            scan(&file::open(segment_path(folder, *segment))?, *segment, &mut index)?;
        }
        let next = (0..).zip(&numbers).find(|(at, number)| at != *number).map_or(numbers.len() as u64, |(gap, _)| gap);
        Ok(Self { folder: folder.to_owned(), index: RwLock::new(index), tail: Mutex::new(Tail { next, open: None }) })
    }

    /// Goes on in the last segment, behind whatever stands there. Changes nothing yet.
    ///
    /// # Errors
    /// It cannot be read or opened for writing.
    pub fn settle(&self) -> io::Result<()> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = tail.next.checked_sub(1).filter(|_| tail.open.is_none()) else { return Ok(()) };
        let file = file::open_to_write(segment_path(&self.folder, last))?;
        let length = file.metadata()?.len();
        let mut end = 0;
        while let Some(sector) = next_sector(&file, end, length)? {
            end = sector + SECTOR_BYTES;
        }
        tail.open = Some(OpenSegment { number: last, file, length, offset: end.min(length) });
        Ok(())
    }

    /// Keeps answers, durable when this returns, a batch after the other. `at` becomes the time of their segments (rule G2).
    ///
    /// # Errors
    /// None of them counts as kept. Those of earlier batches are there: as no entry seals them, nobody asks for them.
    pub fn put(&self, answers: &[(Digest, &[u8])], at: Time) -> io::Result<()> {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Batch::default();
        for (digest, answer) in answers {
            if !batch.has_room(answer.len()) {
                self.write(&mut tail, &mut batch, at)?;
            }
            batch.push(digest, answer)?;
        }
        if batch.places.is_empty() { Ok(()) } else { self.write(&mut tail, &mut batch, at) }
    }

    /// Makes a batch durable, and leaves it empty.
    fn write(&self, tail: &mut Tail, batch: &mut Batch, at: Time) -> io::Result<()> {
        batch.bytes.resize(batch.bytes.len().next_multiple_of(512), 0);
        let needed = batch.bytes.len() as u64;
        // Taken out, so that any way out but success leaves the segment alone for ever.
        let segment = match tail.open.take().filter(|open| open.length - open.offset >= needed) {
            Some(open) => open,
            None => self.begin(tail, needed.max(SEGMENT_BYTES))?,
        };
        segment.file.write_all_at(&batch.bytes, segment.offset)?;
        segment.file.set_modified(UNIX_EPOCH + Duration::from_secs(at.unix_s()))?;
        segment.file.sync_data()?;
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for (digest, from, length) in batch.places.drain(..) {
            index.insert(digest, Place { segment: segment.number, offset: segment.offset + from, length });
        }
        batch.bytes.clear();
        tail.open = Some(OpenSegment { offset: segment.offset + needed, ..segment });
        Ok(())
    }

    /// Reads an answer. The caller checks its digest.
    ///
    /// # Errors
    /// The segment cannot be read.
    pub fn get(&self, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
        let place = self.index.read().unwrap_or_else(PoisonError::into_inner).get(digest).copied();
        let Some(Place { segment, offset, length }) = place else { return Ok(None) };
        let mut bytes = vec![0; length];
        file::open(segment_path(&self.folder, segment))?.read_exact_at(&mut bytes, offset)?;
        Ok(Some(bytes))
    }

    /// Begins a segment under the first number that is free.
    fn begin(&self, tail: &mut Tail, length: u64) -> io::Result<OpenSegment> {
        let is_free = |number: &u64| fs::symlink_metadata(segment_path(&self.folder, *number)).is_err();
        let number = (tail.next..SEGMENTS_MAX).find(is_free).ok_or(ErrorKind::StorageFull)?;
        let file = self.make(number, length)?;
        tail.next = number + 1;
        Ok(OpenSegment { number, file, length, offset: 0 })
    }

    /// Makes a segment of zeros, durable with its name.
    fn make(&self, segment: u64, length: u64) -> io::Result<File> {
        let (path, part) = (segment_path(&self.folder, segment), self.folder.join(format!("{segment:010}.part")));
        let make = || {
            // Whatever a crash, or anybody, left there: only a new file is written to.
            match fs::remove_file(&part) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&part)?;
            let zeros = vec![0; 1 << 16];
            let mut at = 0;
            while at < length {
                let chunk = usize::try_from(length - at).map_or(zeros.len(), |left| left.min(zeros.len()));
                file.write_all_at(&zeros[..chunk], at)?;
                at += chunk as u64;
            }
            file.sync_all()?;
            fs::rename(&part, &path)?;
            File::open(&self.folder)?.sync_all()?;
            Ok(file)
        };
        make().inspect_err(|_| {
            let _ = fs::remove_file(&part);
        })
    }
}

impl Batch {
    fn has_room(&self, length: usize) -> bool {
        self.places.is_empty() || (self.bytes.len() + HEADER_BYTES + length) as u64 <= SEGMENT_BYTES
    }

    fn push(&mut self, digest: &Digest, answer: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(&header(digest, answer.len())?);
        self.places.push((*digest, self.bytes.len() as u64, answer.len()));
        self.bytes.extend_from_slice(answer);
        Ok(())
    }
}

fn segment_path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:010}{SUFFIX}"))
}

fn segment_number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let number = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (number < SEGMENTS_MAX && format!("{number:010}{SUFFIX}") == name).then_some(number)
}

fn header(digest: &Digest, length: usize) -> io::Result<[u8; HEADER_BYTES]> {
    let length = u32::try_from(length).ok().filter(|length| *length as usize <= ANSWER_BYTES_MAX).ok_or(ErrorKind::FileTooLarge)?;
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&length.to_be_bytes());
    header[16..48].copy_from_slice(digest.as_bytes());
    let check = Digest::of(&header[..48]);
    header[48..].copy_from_slice(&check.as_bytes()[..16]);
    Ok(header)
}

/// Digest and length of a frame, if the bytes are the header of one.
fn read_header(header: &[u8; HEADER_BYTES]) -> Option<(Digest, usize)> {
    let length = u32::from_be_bytes(header[8..12].try_into().ok()?) as usize;
    let digest = Digest::from_bytes(header[16..48].try_into().ok()?);
    (self::header(&digest, length).ok()? == *header).then_some((digest, length))
}

/// Notes the answers of a segment.
fn scan(file: &File, segment: u64, index: &mut HashMap<Digest, Place>) -> io::Result<()> {
    let end = file.metadata()?.len();
    let (mut offset, mut bytes) = (0, [0; HEADER_BYTES]);
    loop {
        let fits = |offset: u64, length: usize| offset.checked_add(length as u64).is_some_and(|to| to <= end);
        let frame = if fits(offset, HEADER_BYTES) {
            file.read_exact_at(&mut bytes, offset)?;
            read_header(&bytes).filter(|(_, length)| fits(offset + HEADER_BYTES as u64, *length))
        } else {
            None
        };
        match frame {
            Some((digest, length)) => {
                offset += HEADER_BYTES as u64;
                // Should one digest stand twice, the first is as good.
                index.entry(digest).or_insert(Place { segment, offset, length });
                offset += length as u64;
            }
            // Behind a batch there may be zeros up to the next sector; behind damage, and behind the end, there may be more.
            None => match next_sector(file, (offset + 1).next_multiple_of(SECTOR_BYTES), end)? {
                Some(sector) => offset = sector,
                None => return Ok(()),
            },
        }
    }
}

/// The first sector from `offset` on, itself a whole sector, that has anything in it.
fn next_sector(file: &File, mut offset: u64, end: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; 1 << 16];
    while offset < end {
        let part = usize::try_from(end - offset).map_or(buffer.len(), |left| left.min(buffer.len()));
        file.read_exact_at(&mut buffer[..part], offset)?;
        if let Some(at) = buffer[..part].iter().position(|byte| *byte != 0) {
            return Ok(Some(offset + at as u64 / SECTOR_BYTES * SECTOR_BYTES));
        }
        offset += part as u64;
    }
    Ok(None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn answer(number: usize, length: usize) -> (Digest, Vec<u8>) {
        let bytes: Vec<u8> = (0..length).map(|at| u8::try_from((at * 7 + number) % 251).unwrap()).collect();
        (Digest::of(&bytes), bytes)
    }

    fn put(log: &AnswerLog, answers: &[(Digest, Vec<u8>)]) -> io::Result<()> {
        let borrowed: Vec<_> = answers.iter().map(|(digest, bytes)| (*digest, bytes.as_slice())).collect();
        log.put(&borrowed, Time::from_unix_s(1_000))
    }

    #[test]
    fn answers_are_read_back_also_after_an_open_and_across_segments() {
        let folder = tempfile::tempdir().unwrap();
        let lengths = [1, 300, 448, 449, 4096, 0, 5_000_000, 20, 70_000];
        let answers: Vec<_> = (0..).zip(lengths).map(|(number, length)| answer(number, length)).collect();
        let log = AnswerLog::open(folder.path()).unwrap();
        put(&log, &answers[..4]).unwrap();
        put(&log, &answers[4..6]).unwrap();
        put(&log, &answers[6..7]).unwrap();
        let log = AnswerLog::open(folder.path()).unwrap();
        log.settle().unwrap();
        put(&log, &answers[7..]).unwrap();
        for log in [log, AnswerLog::open(folder.path()).unwrap()] {
            for (digest, bytes) in &answers {
                assert_eq!(log.get(digest).unwrap().as_ref(), Some(bytes));
            }
            assert_eq!(log.get(&Digest::of(b"other")).unwrap(), None);
        }
        let modified = fs::metadata(segment_path(folder.path(), 0)).unwrap().modified().unwrap();
        assert_eq!(modified, UNIX_EPOCH + Duration::from_secs(1_000));
        assert!(put(&AnswerLog::open(folder.path()).unwrap(), &[answer(1, ANSWER_BYTES_MAX + 1)]).is_err());
    }

    /// Whatever subset of its sectors a torn batch left: what was durable stays, and what comes later too.
    #[test]
    fn a_torn_batch_takes_nothing_with_it() {
        let (kept, torn, later) = (answer(1, 700), [answer(2, 900), answer(3, 600)], answer(4, 100));
        for mask in 0..1u32 << 4 {
            let folder = tempfile::tempdir().unwrap();
            let log = AnswerLog::open(folder.path()).unwrap();
            put(&log, std::slice::from_ref(&kept)).unwrap();
            put(&log, &torn).unwrap();
            drop(log);
            let file = OpenOptions::new().write(true).open(segment_path(folder.path(), 0)).unwrap();
            for sector in (0..4u64).filter(|sector| mask >> sector & 1 == 0) {
                file.write_all_at(&[0; 512], 1024 + sector * 512).unwrap();
            }
            for _ in 0..2 {
                let log = AnswerLog::open(folder.path()).unwrap();
                log.settle().unwrap();
                put(&log, std::slice::from_ref(&later)).unwrap();
                assert_eq!(log.get(&kept.0).unwrap().unwrap(), kept.1);
                assert_eq!(log.get(&later.0).unwrap().unwrap(), later.1);
            }
        }
    }

    /// A frame that is damaged hides none of those behind it, also after the next process has written.
    #[test]
    fn damage_to_one_answer_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let log = AnswerLog::open(folder.path()).unwrap();
        let answers: Vec<_> = (0..5).map(|number| answer(number, 600)).collect();
        answers.iter().for_each(|one| put(&log, std::slice::from_ref(one)).unwrap());
        drop(log);
        let path = segment_path(folder.path(), 0);
        for at in [8, 20, 50] {
            let mut bytes = fs::read(&path).unwrap();
            bytes[1024 + at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            let log = AnswerLog::open(folder.path()).unwrap();
            log.settle().unwrap();
            put(&log, &[answer(9, 100 + at)]).unwrap();
            for log in [log, AnswerLog::open(folder.path()).unwrap()] {
                for (number, (digest, kept)) in answers.iter().enumerate() {
                    assert_eq!(log.get(digest).unwrap().is_some_and(|found| found == *kept), number != 1);
                }
                assert!(log.get(&answer(9, 100 + at).0).unwrap().is_some());
            }
            bytes = fs::read(&path).unwrap();
            bytes[1024 + at] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
    }

    /// However many are kept at once, no batch has more bytes than a segment, and all are there.
    #[test]
    fn many_answers_are_kept_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let log = AnswerLog::open(folder.path()).unwrap();
        let answers: Vec<_> = (0..9).map(|number| answer(number, 1 << 20)).chain([answer(9, 5 << 20), answer(10, 10)]).collect();
        put(&log, &answers).unwrap();
        for log in [log, AnswerLog::open(folder.path()).unwrap()] {
            assert!(answers.iter().all(|(digest, bytes)| log.get(digest).unwrap().as_ref() == Some(bytes)));
        }
        let length = |segment| fs::metadata(segment_path(folder.path(), segment)).unwrap().len();
        // Three of a mebibyte fit beside their headers; the one of five has a segment of its own.
        assert_eq!([0, 1, 2, 4].map(length), [SEGMENT_BYTES; 4]);
        assert_eq!(length(3), (5u64 << 20) + 512);
        assert!(!segment_path(folder.path(), 5).exists());
    }

    /// Names far beyond the last segment, or of no segment, stop no answer; what is there under a segment's name is read.
    #[test]
    fn no_name_in_the_folder_stops_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let planted = answer(1, 100);
        put(&AnswerLog::open(folder.path()).unwrap(), std::slice::from_ref(&planted)).unwrap();
        fs::rename(segment_path(folder.path(), 0), segment_path(folder.path(), SEGMENTS_MAX - 1)).unwrap();
        fs::write(segment_path(folder.path(), 1), b"").unwrap();
        for name in ["18446744073709551615.log", "18446744073709551616.log", "10000000000.log", "1.log", "+000000001.log"] {
            fs::write(folder.path().join(name), b"not ours").unwrap();
        }
        assert!(std::process::Command::new("mkfifo").arg(folder.path().join("0000000000.part")).status().unwrap().success());
        for number in 2..5 {
            let log = AnswerLog::open(folder.path()).unwrap();
            log.settle().unwrap();
            put(&log, &[answer(number, 3 << 20)]).unwrap();
            assert!(log.get(&planted.0).unwrap().is_some());
        }
        assert!([0, 2, 3].iter().all(|segment| segment_path(folder.path(), *segment).exists()));
        assert_eq!(fs::metadata(segment_path(folder.path(), 1)).unwrap().len(), 0);
        let log = AnswerLog::open(folder.path()).unwrap();
        assert!((2..5).all(|number| log.get(&answer(number, 3 << 20).0).unwrap().is_some()));
    }

    #[test]
    fn a_segment_that_cannot_be_made_leaves_the_log_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let log = AnswerLog::open(folder.path()).unwrap();
        let one = answer(1, 100);
        fs::create_dir(folder.path().join("0000000000.part")).unwrap();
        assert!(put(&log, std::slice::from_ref(&one)).is_err());
        assert_eq!(log.get(&one.0).unwrap(), None);
        fs::remove_dir(folder.path().join("0000000000.part")).unwrap();
        put(&log, std::slice::from_ref(&one)).unwrap();
        assert_eq!(log.get(&one.0).unwrap().unwrap(), one.1);
    }
}
