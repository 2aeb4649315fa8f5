use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::file::{Output, OutputError, OutputOptions};
use crate::id::{Digest, LedgerId};
use crate::right::Seen;

/// The last checkpoint a holder has seen of each ledger, beside the holder's key: `KEY.seen`, one line a ledger with
/// its id, size and root. With it every holder is a witness against rollback (rule C4).
#[derive(Clone, Debug)]
pub struct SeenFile {
    path: PathBuf,
    lines: Vec<(LedgerId, Seen)>,
}

/// Why the file is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeenError {
    /// It cannot be read.
    #[error("the file of seen checkpoints cannot be read: {0}")]
    Io(ErrorKind),
    /// It is not such a file.
    #[error("line {line} of the file of seen checkpoints: expected a ledger id, a size and a root")]
    Line {
        /// From 1.
        line: usize,
    },
    /// It cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// Ten thousand ledgers; no holder has more.
const BYTES_MAX: u64 = 2 * 1024 * 1024;

impl SeenFile {
    /// The file beside a key; absent means nothing seen.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn beside(key: &Path) -> Result<Self, SeenError> {
        let mut name = key.as_os_str().to_owned();
        name.push(".seen");
        Self::open(Path::new(&name))
    }

    /// Opens the file; absent means nothing seen.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn open(path: &Path) -> Result<Self, SeenError> {
        let mut text = String::new();
        match fs::File::open(path) {
            Ok(file) => file.take(BYTES_MAX).read_to_string(&mut text).map_err(|error| SeenError::Io(error.kind()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(SeenError::Io(error.kind())),
        };
        let lines =
            (1..).zip(text.lines()).map(|(number, line)| parse(line).ok_or(SeenError::Line { line: number })).collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_owned(), lines })
    }

    /// What was last seen of a ledger.
    #[must_use]
    pub fn of(&self, ledger: LedgerId) -> Option<Seen> {
        self.lines.iter().find(|(id, _)| *id == ledger).map(|(_, seen)| *seen)
    }

    /// What was last seen, a ledger at a time.
    pub fn iter(&self) -> impl Iterator<Item = (LedgerId, Seen)> {
        self.lines.iter().copied()
    }

    /// Remembers a checkpoint that was verified, if it is later than the last, durably.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn remember(&mut self, ledger: LedgerId, seen: Seen) -> Result<(), SeenError> {
        match self.lines.iter_mut().find(|(id, _)| *id == ledger) {
            Some((_, last)) if last.size >= seen.size => return Ok(()),
            Some((_, last)) => *last = seen,
            None => self.lines.push((ledger, seen)),
        }
        let mut output = Output::create(&self.path, OutputOptions { force: true, private: true })?;
        for (id, Seen { size, root }) in &self.lines {
            writeln!(output, "{id} {size} {root}").map_err(|error| SeenError::Io(error.kind()))?;
        }
        Ok(output.commit()?)
    }
}

fn parse(line: &str) -> Option<(LedgerId, Seen)> {
    let mut words = line.split(' ');
    let (id, size, root) = (words.next()?, words.next()?, words.next()?);
    let seen = Seen { size: size.parse().ok().filter(|size| *size > 0)?, root: root.parse::<Digest>().ok()? };
    if words.next().is_none() { Some((id.parse().ok()?, seen)) } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_later_checkpoints_replace_earlier_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holder.key.seen");
        let (one, two) = (LedgerId::from_bytes([1; 32]), LedgerId::from_bytes([2; 32]));
        let seen = |size| Seen { size, root: Digest::of(&[u8::try_from(size).unwrap()]) };
        let mut file = SeenFile::open(&path).unwrap();
        assert_eq!(file.of(one), None);
        for (ledger, size) in [(one, 5), (two, 3), (one, 4), (one, 9)] {
            file.remember(ledger, seen(size)).unwrap();
        }
        let file = SeenFile::open(&path).unwrap();
        assert_eq!((file.of(one), file.of(two)), (Some(seen(9)), Some(seen(3))));
        for wrong in ["x", "0 0 0", &format!("{one} 0 {one}"), &format!("{one} 1 {one} 2")] {
            fs::write(&path, wrong).unwrap();
            assert!(matches!(SeenFile::open(&path), Err(SeenError::Line { line: 1 })));
        }
    }
}
