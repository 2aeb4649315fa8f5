use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::answers::{ANSWER_BYTES_MAX, AnswerLog};
use super::{Archive, ArchiveError, Opening, OpeningName};
use crate::file::{self, Output, OutputError, OutputOptions};
use crate::id::{DatasetId, Digest, Name, RequestId, Salt, Time};
use crate::key::KeyId;
use crate::right::REQUEST_BYTES_MAX;

/// The folder of a space and what lies where in it. Everything secret is 0600; the folder itself is 0700.
///
/// ```text
/// lock              held by the one process that has the space open
/// gate.key          the gate's private key, unless an HSM or a KMS holds it; later ones are gate-KID.key
/// gate.certificate  the owner's certificate of it, public
/// ledger/           journal segments, the last checkpoint
/// snapshots/        immutable data, one file a version
/// openings/         what opens the commitments of the ledger, named after them
/// requests/         signed requests as they came, so that they can be retried
/// answers/          sealed answers in segments
/// cards/            public cards of the datasets
/// inbox/            owner's acts, signed elsewhere, for the running gate; done/ has what became of them
/// ```
#[derive(Debug)]
pub struct DirArchive {
    path: PathBuf,
    answers: AnswerLog,
}

const FOLDERS: [&str; 7] = ["ledger", "snapshots", "openings", "requests", "answers", "cards", "inbox"];
/// How often one asks for the lock again while waiting for it.
const LOCK_RETRY: Duration = Duration::from_millis(20);
/// A child that was just forked holds a copy of the lock until it becomes another program.
const LOCK_GRACE: Duration = Duration::from_millis(100);
/// Longer file names do not exist on common file systems; what comes after the name needs room too.
const CARD_NAME_BYTES_MAX: usize = 200;

impl DirArchive {
    /// Makes the folders of a new space.
    ///
    /// # Errors
    /// There is something at the path, or it cannot be made.
    pub fn create(path: &Path) -> Result<Self, ArchiveError> {
        let mut builder = fs::DirBuilder::new();
        builder.mode(0o700);
        builder.create(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => ArchiveError::Exists { path: path.display().to_string() },
            kind => ArchiveError::Io { name: path.display().to_string(), kind },
        })?;
        make_folders(path)?;
        Self::open(path)
    }

    /// The archive of a space that exists.
    ///
    /// # Errors
    /// There is none, or its answers cannot be listed.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        if !path.join("ledger").is_dir() {
            return Err(ArchiveError::NotASpace { path: path.display().to_string() });
        }
        let answers = AnswerLog::open(&path.join("answers")).map_err(|error| io("answers", &error))?;
        Ok(Self { path: path.to_owned(), answers })
    }

    /// Makes what older spaces lack, and puts the answers in order. Only whoever holds the lock calls it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn settle(&self) -> Result<(), ArchiveError> {
        make_folders(&self.path)?;
        self.answers.settle().map_err(|error| io("answers", &error))
    }

    /// Takes the lock before anything else is opened (rule K9); it is held as long as the file lives. Waits for it at most `wait`.
    ///
    /// # Errors
    /// Another process has it.
    pub fn lock(path: &Path, wait: Duration) -> Result<File, ArchiveError> {
        if !path.join("ledger").is_dir() {
            return Err(ArchiveError::NotASpace { path: path.display().to_string() });
        }
        let open = File::options().create(true).truncate(false).write(true).open(path.join("lock"));
        let lock = open.map_err(|error| io("lock", &error))?;
        let until = Instant::now() + wait.max(LOCK_GRACE);
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(LOCK_RETRY),
                Err(TryLockError::WouldBlock) => return Err(ArchiveError::Locked),
                Err(TryLockError::Error(error)) => return Err(io("lock", &error)),
            }
        }
    }

    /// The folder itself, in which sums may spill to a file without a name.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.path
    }

    /// The folder of the ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger")
    }

    /// The folder into which owner's acts are put.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.path.join("inbox")
    }

    /// Where private keys of the gate may lie: the first one, and those that came after it.
    #[must_use]
    pub fn gate_keys(&self, id: KeyId) -> [PathBuf; 2] {
        [self.path.join("gate.key"), self.path.join(format!("gate-{id}.key"))]
    }

    /// The public file of the certificate in force.
    #[must_use]
    pub fn gate_certificate(&self) -> PathBuf {
        self.path.join("gate.certificate")
    }

    /// Writes the public file of the certificate in force.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put_gate_certificate(&self, bytes: &[u8]) -> Result<(), ArchiveError> {
        Ok(file::write(self.gate_certificate(), bytes, OutputOptions { force: true, private: false })?)
    }

    fn openings(&self, file: &str) -> PathBuf {
        self.path.join("openings").join(file)
    }
}

impl Archive for DirArchive {
    fn put_opening(&self, name: &OpeningName, bytes: &[u8]) -> Result<(), ArchiveError> {
        match put(&self.openings(&name.file()), bytes) {
            Err(OutputError::TargetExists { .. }) => {
                if self.opening(name)?.as_slice() == bytes {
                    Ok(())
                } else {
                    Err(ArchiveError::OpeningExists { account: name.account })
                }
            }
            written => Ok(written?),
        }
    }

    fn opening(&self, name: &OpeningName) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
        let read = |file: &str| self.read(&self.openings(file), Opening::BYTES_MAX).map(Zeroizing::new);
        match read(&name.file()) {
            Err(ArchiveError::Io { kind: ErrorKind::NotFound, .. }) => read(&name.earlier),
            found => found,
        }
    }

    fn put_card(&self, name: &Name, _dataset: DatasetId, bytes: &[u8]) -> Result<PathBuf, ArchiveError> {
        let path = self.path.join("cards").join(format!("{}.dataset", file_name(name.as_str())));
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
        self.answers.put(answers, at).map_err(|error| io("answers", &error))
    }

    fn answer(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        match self.answers.get(digest).map_err(|error| io("answers", &error))? {
            Some(bytes) => Ok(Some(bytes)),
            // As versions before 0.2 kept them: a file each.
            None => optional(self.read(&self.path.join("answers").join(digest.to_string()), ANSWER_BYTES_MAX)),
        }
    }

    fn begin_snapshot(&self, salt: &Salt) -> Result<Output, ArchiveError> {
        Ok(Output::create(self.snapshot(salt), OutputOptions { force: false, private: true })?)
    }

    /// Named after the salt of its commitment, so that the name says nothing of the data.
    fn snapshot(&self, salt: &Salt) -> PathBuf {
        self.path.join("snapshots").join(format!("{}.snapshot", &Digest::of(salt.as_bytes()).to_string()[..32]))
    }

    fn remove_snapshot(&self, salt: &Salt) {
        // One that stays is removed at the next open.
        let _ = fs::remove_file(self.snapshot(salt));
    }

    fn retain(&self, openings: &[OpeningName], snapshots: &HashSet<PathBuf>) -> Result<(), ArchiveError> {
        let known: HashSet<String> = openings.iter().flat_map(|name| [name.file(), name.earlier.clone()]).collect();
        let is_known = |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| known.contains(name));
        let needed: [(&str, &dyn Fn(&Path) -> bool); 4] = [
            ("openings", &is_known),
            ("snapshots", &|path| snapshots.contains(path)),
            ("requests", &|path| !is_part(path)),
            ("answers", &|path| !is_part(path)),
        ];
        for (folder, is_needed) in needed {
            for entry in fs::read_dir(self.path.join(folder)).map_err(|error| io(folder, &error))? {
                let path = entry.map_err(|error| io(folder, &error))?.path();
                if !is_needed(&path) && is_ours(&path) && path.is_file() {
                    fs::remove_file(path).map_err(|error| io(folder, &error))?;
                }
            }
        }
        Ok(())
    }
}

impl DirArchive {
    /// Reads a file of at most `most` bytes.
    fn read(&self, path: &Path, most: usize) -> Result<Vec<u8>, ArchiveError> {
        let name = path.strip_prefix(&self.path).unwrap_or(path).display().to_string();
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes));
        read.map_err(|error| io(&name, &error))?;
        if bytes.len() > most { Err(io(&name, &ErrorKind::FileTooLarge.into())) } else { Ok(bytes) }
    }
}

fn make_folders(path: &Path) -> Result<(), ArchiveError> {
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700).recursive(true);
    FOLDERS.iter().try_for_each(|name| builder.create(path.join(name)).map_err(|error| io(name, &error)))
}

/// What a publication that died may have left: names that only this crate gives. Anything else in the folder is somebody's.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_hex = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let stem = name.strip_suffix(".snapshot").unwrap_or(name);
    let earlier = name.split_once('.').is_some_and(|(account, part)| {
        is_hex(account, 32) && (matches!(part, "publication" | "right") || part.starts_with("version-") || part.starts_with("refill-"))
    });
    is_part(path) || is_hex(stem, 32) || earlier
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

fn io(name: &str, error: &std::io::Error) -> ArchiveError {
    ArchiveError::Io { name: name.to_owned(), kind: error.kind() }
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
    if out.len() > CARD_NAME_BYTES_MAX {
        let at = (0..=CARD_NAME_BYTES_MAX - 33).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
        out.truncate(at);
        // No other name has a `~`.
        out.push('~');
        out.push_str(&Digest::of(name.as_bytes()).to_string()[..32]);
    }
    out
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
        assert!(files.iter().all(|file| file.len() <= CARD_NAME_BYTES_MAX && !file.contains(['/', '.'])), "{files:?}");
        assert_eq!(file_name("people"), "people");
    }
}
