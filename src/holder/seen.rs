//! The file beside a holder's key that remembers checkpoints, and finds rollbacks and forks by them.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Remembered, SeenError};
use crate::file::{self, Output, OutputOptions, ReadError, with_suffix};
use crate::id::LedgerId;
use crate::key::KeyId;
use crate::receipt::{Fork, SignedCheckpoint};
use crate::right::Seen;

/// The last checkpoint a holder has seen of each ledger, beside the holder's key: `KEY.seen`, one line a ledger and owner with its
/// id, size and root, the gate's certificate and the signed note. With it every holder is a witness against rollback (rule C4),
/// and two notes that contradict each other prove it to anyone.
///
/// ```text
/// KEY.seen         the last checkpoint of each ledger under each owner
/// KEY.seen.lock    held while KEY.seen is read, changed and replaced; never removed
/// KEY.seen.fork    pairs of lines that contradict each other: the evidence of every fork that was found
/// ```
/// Any number of threads and processes may remember at once: each reads the file anew under the lock, so that none loses
/// what another has seen.
///
/// Anyone can certify a gate for the id of a ledger that is another's. So a line says whose word it is, and what is seen under one
/// owner neither contradicts nor displaces what was seen under another.
///
/// # Not promised
/// Of several questions that were under way at once the latest checkpoint stays; that it contains the others is proved by the
/// next audit that is given their receipts.
#[derive(Clone, Debug)]
pub struct SeenFile {
    path: PathBuf,
    lines: Vec<Remembered>,
}

/// Ten thousand ledgers of 1 KiB each, more than any holder has.
const BYTES_MAX: usize = 16 << 20;

impl SeenFile {
    /// The file beside a key; absent means nothing seen.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn beside(key: &Path) -> Result<Self, SeenError> {
        Self::open(&with_suffix(key, ".seen"))
    }

    /// Opens the file; absent means nothing seen.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn open(path: &Path) -> Result<Self, SeenError> {
        let lines = read(path)?;
        let is_second = |line: usize, known: &Remembered| {
            let mut before = lines[..line - 1].iter().filter(|before| before.ledger() == known.ledger());
            before.any(|before| before.owner().is_none() || known.owner().is_none_or(|owner| before.owner() == Some(owner)))
        };
        match (1..).zip(&lines).find(|(line, known)| is_second(*line, known)) {
            Some((line, _)) => Err(SeenError::Twice { line }),
            None => Ok(Self { path: path.to_owned(), lines }),
        }
    }

    /// What was last seen of a ledger under the owner with this key, at the word of this file.
    #[must_use]
    pub fn under(&self, ledger: LedgerId, owner: KeyId) -> Option<Seen> {
        self.place(ledger, owner).map(|at| self.lines[at].seen())
    }

    /// What was last seen of a ledger, of several owners under the one that was seen first: for whoever does not know its owner.
    #[must_use]
    pub fn of(&self, ledger: LedgerId) -> Option<Seen> {
        self.iter().find(|line| line.ledger() == ledger).map(Remembered::seen)
    }

    /// What was last seen, a ledger and owner at a time.
    pub fn iter(&self) -> impl Iterator<Item = &Remembered> {
        self.lines.iter()
    }

    /// Remembers a checkpoint, if it is later than the last, durably: one that a verified receipt carries, whose
    /// consistency path leads there from what was seen before.
    ///
    /// Takes the lock of the file, reads it anew, and replaces it; what others have remembered meanwhile stays.
    ///
    /// # Errors
    /// [`SeenError::Fork`] when it has the size of the one that was seen under its owner and another root; the file cannot be read or
    /// written.
    pub fn remember(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), SeenError> {
        let _lock = lock(&with_suffix(&self.path, ".lock"))?;
        self.lines = Self::open(&self.path)?.lines;
        let line = Remembered::from(checkpoint);
        let Seen { size, root } = checkpoint.seen();
        let place = self.place(line.ledger(), checkpoint.owner().id());
        match place.map(|at| &mut self.lines[at]) {
            None => self.lines.push(line),
            // A smaller one can be compared by the whole ledger only: an audit does.
            Some(known) if known.seen().size > size => return Ok(()),
            Some(known) if known.seen().size < size => *known = line,
            Some(known) if known.seen().root != root => {
                let known = known.clone();
                return Err(self.contradiction(&known, checkpoint));
            }
            Some(known) if matches!(known.verify(checkpoint.owner()), Ok(Some(_))) => return Ok(()),
            // The same, and now with signatures that hold.
            Some(known) => *known = line,
        }
        write(&self.path, &self.lines)
    }

    /// The line of a ledger under an owner. One that nobody signed may be any owner's; then there is no other.
    fn place(&self, ledger: LedgerId, owner: KeyId) -> Option<usize> {
        let is_its = |line: &Remembered| line.ledger() == ledger && line.owner().is_none_or(|found| found == owner);
        self.lines.iter().position(is_its)
    }

    /// Keeps the evidence of a fork, then says so.
    fn contradiction(&self, known: &Remembered, new: &SignedCheckpoint) -> SeenError {
        let first = known.verify(new.owner()).ok().flatten();
        match first.and_then(|first| Fork::of(&first, new)) {
            // That there is a fork is said even when the disk is full.
            Some(fork) => SeenError::Fork { fork: Box::new(fork), evidence: self.keep([known.clone(), new.into()]).map_err(Box::new) },
            None => SeenError::Unproven { ledger: known.ledger(), size: known.seen().size },
        }
    }

    fn keep(&self, pair: [Remembered; 2]) -> Result<PathBuf, SeenError> {
        let evidence = with_suffix(&self.path, ".fork");
        let mut pairs = read(&evidence)?;
        // A gate that is asked again shows the same fork again.
        if !pairs.chunks(2).any(|before| before == pair) {
            pairs.extend(pair);
            write(&evidence, &pairs)?;
        }
        Ok(evidence)
    }
}

fn read(path: &Path) -> Result<Vec<Remembered>, SeenError> {
    match file::read(path, BYTES_MAX) {
        Ok(bytes) => Remembered::read_all(&bytes),
        Err(ReadError::Open { kind: ErrorKind::NotFound, .. }) => Ok(Vec::new()),
        Err(ReadError::Long { .. }) => Err(SeenError::Length { limit: BYTES_MAX as u64 }),
        Err(error) => Err(SeenError::Io(error.kind())),
    }
}

/// Replaces the file whole: a crash leaves the old one or the new one.
fn write(path: &Path, lines: &[Remembered]) -> Result<(), SeenError> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if text.len() > BYTES_MAX {
        return Err(SeenError::Length { limit: BYTES_MAX as u64 });
    }
    let mut output = Output::create(path, OutputOptions { force: true, private: true })?;
    // A write that fails is told by `commit`, with the name of the file.
    let _ = output.write_all(text.as_bytes());
    Ok(output.commit()?)
}

/// Waits for the lock file at `path` and holds it until it is dropped. The file it guards is replaced by another at every
/// change, so it cannot carry the lock itself.
fn lock(path: &Path) -> Result<File, SeenError> {
    let error = |error: std::io::Error| SeenError::Lock(error.kind());
    loop {
        let file = file::open_lock(path).map_err(|error| SeenError::Lock(error.kind()))?;
        file.lock().map_err(error)?;
        // Whoever tidied the lock away while we waited left us the lock of a file that nobody else will find.
        if is_at(&file, path) {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |found: std::io::Result<fs::Metadata>| found.map(|found| (found.dev(), found.ino())).ok();
    identity(file.metadata()).is_some_and(|own| identity(fs::metadata(path)) == Some(own))
}

/// Other systems do not remove a file that is open.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
