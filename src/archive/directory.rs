//! The archive as files in the folder of a space.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::answers::{ANSWER_BYTES_MAX, AnswerLog};
use super::folder::SpaceFolder;
use super::{Archive, ArchiveError, Opening, OpeningName, io};
use crate::file::{self, Output, OutputError, OutputOptions};
use crate::id::{Digest, Name, RequestId, Salt, Time};
use crate::right::REQUEST_BYTES_MAX;

/// The archive of a space in its own folder.
#[derive(Debug)]
pub struct DirArchive {
    path: PathBuf,
    answers: AnswerLog,
}

/// Ends the name of what no entry is known to need yet.
const FRESH: &str = "new";
/// Longer file names do not exist on common file systems; what comes before and after the name needs room too.
const NAME_BYTES_MAX: usize = 200;

impl DirArchive {
    /// The archive in a folder. Changes nothing.
    ///
    /// # Errors
    /// Its answers cannot be listed.
    pub fn open(folder: &SpaceFolder) -> Result<Self, ArchiveError> {
        let path = folder.root().to_owned();
        let answers = AnswerLog::open(&path.join("answers")).map_err(|error| io("answers", error.kind()))?;
        Ok(Self { path, answers })
    }

    fn openings(&self, file: &str) -> PathBuf {
        self.path.join("openings").join(file)
    }
}

impl Archive for DirArchive {
    fn put_opening(&self, name: &OpeningName, bytes: &[u8]) -> Result<(), ArchiveError> {
        let same = |path: &Path| match self.read(path, Opening::BYTES_MAX) {
            Ok(kept) if kept == bytes => Ok(true),
            Ok(_) => Err(ArchiveError::OpeningExists { account: name.account }),
            Err(ArchiveError::Io { kind: ErrorKind::NotFound, .. }) => Ok(false),
            Err(error) => Err(error),
        };
        let path = self.openings(&name.file());
        if same(&path)? {
            return Ok(());
        }
        match put(&fresh(&path), bytes) {
            Err(OutputError::TargetExists { .. }) => same(&fresh(&path)).map(drop),
            written => Ok(written?),
        }
    }

    fn opening(&self, name: &OpeningName) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
        let path = self.openings(&name.file());
        let mut found = self.read(&path, Opening::BYTES_MAX);
        // The last once more: it may have got its name between the first look and the second.
        for other in [fresh(&path), self.openings(&name.earlier), path] {
            if matches!(found, Err(ArchiveError::Io { kind: ErrorKind::NotFound, .. })) {
                found = self.read(&other, Opening::BYTES_MAX);
            }
        }
        found.map(Zeroizing::new)
    }

    fn card(&self, name: &Name) -> PathBuf {
        self.path.join("cards").join(format!("{}.dataset", file_name(name.as_str())))
    }

    fn put_card(&self, name: &Name, bytes: &[u8]) -> Result<PathBuf, ArchiveError> {
        let path = self.card(name);
        file::write(&path, bytes, OutputOptions { force: true, private: false })?;
        Ok(path)
    }

    fn put_request(&self, id: RequestId, bytes: &[u8]) -> Result<PathBuf, ArchiveError> {
        let path = self.path.join("requests").join(format!("{id}.request"));
        match put(&path, bytes) {
            Ok(()) | Err(OutputError::TargetExists { .. }) => Ok(path),
            Err(error) => Err(error.into()),
        }
    }

    fn request(&self, id: RequestId) -> Result<Option<Vec<u8>>, ArchiveError> {
        let path = self.path.join("requests").join(format!("{id}.request"));
        optional(self.read(&path, REQUEST_BYTES_MAX + 512))
    }

    fn put_answers(&self, answers: &[(Digest, &[u8])], at: Time) -> Result<(), ArchiveError> {
        self.answers.put(answers, at).map_err(|error| io("answers", error.kind()))
    }

    fn answer(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        match self.answers.get(digest).map_err(|error| io("answers", error.kind()))? {
            Some(bytes) => Ok(Some(bytes)),
            // As versions before 0.2 kept them: a file each.
            None => optional(self.read(&self.path.join("answers").join(digest.to_string()), ANSWER_BYTES_MAX)),
        }
    }

    fn begin_snapshot(&self, salt: &Salt) -> Result<Output, ArchiveError> {
        Ok(Output::create(fresh(&self.kept_snapshot(salt)), OutputOptions { force: false, private: true })?)
    }

    fn snapshot(&self, salt: &Salt) -> PathBuf {
        let kept = self.kept_snapshot(salt);
        let fresh = fresh(&kept);
        if !kept.exists() && fresh.exists() { fresh } else { kept }
    }

    fn keep(&self, opening: &OpeningName, snapshot: Option<&Salt>) {
        let paths = [Some(self.openings(&opening.file())), snapshot.map(|salt| self.kept_snapshot(salt))];
        for path in paths.into_iter().flatten() {
            // A name that is not durable yet is made up for at the next open, as one that could not be given is.
            let _ = fs::rename(fresh(&path), &path);
        }
    }

    fn remove_opening(&self, name: &OpeningName) {
        // One that stays is removed at the next open.
        let _ = fs::remove_file(fresh(&self.openings(&name.file())));
    }

    fn remove_snapshot(&self, salt: &Salt) {
        // So is one of these.
        let _ = fs::remove_file(fresh(&self.kept_snapshot(salt)));
    }

    fn settle(&self, openings: &[OpeningName], snapshots: &[Salt]) -> Result<(), ArchiveError> {
        self.answers.settle().map_err(|error| io("answers", error.kind()))?;
        let needed: HashSet<PathBuf> =
            openings.iter().map(|name| self.openings(&name.file())).chain(snapshots.iter().map(|salt| self.kept_snapshot(salt))).collect();
        for name in ["openings", "snapshots", "requests", "answers"] {
            let failed = |error: std::io::Error| io(name, error.kind());
            for entry in fs::read_dir(self.path.join(name)).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                match kept(&path) {
                    Some(kept) if needed.contains(&kept) && !kept.exists() => fs::rename(&path, kept).map_err(failed)?,
                    Some(_) => fs::remove_file(&path).map_err(failed)?,
                    None if is_part(&path) => fs::remove_file(&path).map_err(failed)?,
                    None => {}
                }
            }
        }
        Ok(())
    }
}

impl DirArchive {
    /// Named after the salt of its commitment, so that the name says nothing of the data.
    fn kept_snapshot(&self, salt: &Salt) -> PathBuf {
        self.path.join("snapshots").join(format!("{}.snapshot", &Digest::of(salt.as_bytes()).to_string()[..32]))
    }

    /// Reads a file of at most `most` bytes.
    fn read(&self, path: &Path, most: usize) -> Result<Vec<u8>, ArchiveError> {
        let name = path.strip_prefix(&self.path).unwrap_or(path).display().to_string();
        file::read(path, most).map_err(|error| io(&name, error.kind()))
    }
}

/// The name of what no entry is known to need yet.
fn fresh(path: &Path) -> PathBuf {
    file::with_suffix(path, &format!(".{FRESH}"))
}

/// The name it has once an entry needs it; nothing if it has that already.
fn kept(path: &Path) -> Option<PathBuf> {
    path.extension().is_some_and(|extension| extension == FRESH).then(|| path.with_extension(""))
}

fn is_part(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "part")
}

/// Writes a private file among many that are never replaced.
fn put(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    Output::create_among_many(path, OutputOptions { force: false, private: true })?.finish(bytes)
}

fn optional(read: Result<Vec<u8>, ArchiveError>) -> Result<Option<Vec<u8>>, ArchiveError> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ArchiveError::Io { kind: ErrorKind::NotFound, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A dataset's name as a file name, another one for every name: letters, digits, `-` and `_` stand for themselves, every other
/// byte as `%` and two digits; a name that gets too long ends in a digest of itself.
fn file_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() || matches!(c, '-' | '_') {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| out.push_str(&format!("%{byte:02X}")));
        }
    }
    // No other name has a `~`.
    shortened(out, name)
}

/// A file name, if it is not too long; else its beginning, `~` and a digest of what it stands for.
pub(super) fn shortened(mut file: String, stands_for: &str) -> String {
    if file.len() > NAME_BYTES_MAX {
        let at = (0..=NAME_BYTES_MAX - 33).rev().find(|at| file.is_char_boundary(*at)).unwrap_or(0);
        file.truncate(at);
        file.push('~');
        file.push_str(&Digest::of(stands_for.as_bytes()).to_string()[..32]);
    }
    file
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_file_of_its_own() {
        let long = "x.".repeat(64);
        let other = format!("{}y", &long[..127]);
        let names = ["a.b", "a/b", "a b", "a_b", "a%2Eb", "城市", "a\\b", "..", &long, &other];
        let files: HashSet<String> = names.iter().map(|name| file_name(name)).collect();
        assert_eq!(files.len(), names.len());
        assert!(files.iter().all(|file| file.len() <= NAME_BYTES_MAX && !file.contains(['/', '.'])), "{files:?}");
        assert_eq!(file_name("people"), "people");
    }
}
