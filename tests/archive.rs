//! Every archive keeps the promises of the seam: that of a folder, and a toy in memory.
#![cfg(all(unix, feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use usufruct::archive::{Archive, ArchiveError, DirArchive, OpeningName, SpaceFolder, conformance};
use usufruct::file::{Output, OutputOptions};
use usufruct::id::{Digest, Name, RequestId, Salt, Time};
use zeroize::Zeroizing;

#[test]
fn the_archive_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = SpaceFolder::create(&folder.path().join("space")).unwrap();
    conformance::check(DirArchive::open(&folder).unwrap(), |archive| {
        drop(archive);
        DirArchive::open(&folder).unwrap()
    });
}

#[test]
fn a_toy_in_memory() {
    conformance::check(Toy::default(), |toy| toy);
}

/// Everything in maps; data and cards must be files, for whoever reads them by path.
struct Toy {
    files: tempfile::TempDir,
    openings: Mutex<Vec<(OpeningName, Vec<u8>)>>,
    kept: Mutex<(Vec<OpeningName>, Vec<Salt>)>,
    requests: Mutex<HashMap<RequestId, Vec<u8>>>,
    answers: Mutex<HashMap<Digest, Vec<u8>>>,
}

impl Default for Toy {
    fn default() -> Self {
        let files = tempfile::tempdir().unwrap();
        Self { files, openings: Mutex::default(), kept: Mutex::default(), requests: Mutex::default(), answers: Mutex::default() }
    }
}

fn missing() -> ArchiveError {
    ArchiveError::Io { name: "toy".to_owned(), kind: std::io::ErrorKind::NotFound }
}

impl Archive for Toy {
    fn put_opening(&self, name: &OpeningName, bytes: &[u8]) -> Result<(), ArchiveError> {
        let mut openings = self.openings.lock().unwrap();
        match openings.iter().find(|(known, _)| known == name) {
            Some((_, known)) if known != bytes => Err(ArchiveError::OpeningExists { account: name.account }),
            Some(_) => Ok(()),
            None => {
                openings.push((name.clone(), bytes.to_vec()));
                Ok(())
            }
        }
    }

    fn opening(&self, name: &OpeningName) -> Result<Zeroizing<Vec<u8>>, ArchiveError> {
        let openings = self.openings.lock().unwrap();
        openings.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone().into()).ok_or_else(missing)
    }

    fn card(&self, name: &Name) -> PathBuf {
        self.files.path().join(Digest::of(name.as_str().as_bytes()).to_string())
    }

    fn put_card(&self, name: &Name, bytes: &[u8]) -> Result<PathBuf, ArchiveError> {
        let path = self.card(name);
        std::fs::write(&path, bytes).unwrap();
        Ok(path)
    }

    fn put_request(&self, id: RequestId, bytes: &[u8]) -> Result<PathBuf, ArchiveError> {
        self.requests.lock().unwrap().entry(id).or_insert_with(|| bytes.to_vec());
        Ok(self.files.path().to_owned())
    }

    fn request(&self, id: RequestId) -> Result<Option<Vec<u8>>, ArchiveError> {
        Ok(self.requests.lock().unwrap().get(&id).cloned())
    }

    fn put_answers(&self, answers: &[(Digest, &[u8])], _: Time) -> Result<(), ArchiveError> {
        self.answers.lock().unwrap().extend(answers.iter().map(|(digest, bytes)| (*digest, bytes.to_vec())));
        Ok(())
    }

    fn answer(&self, digest: &Digest) -> Result<Option<Vec<u8>>, ArchiveError> {
        Ok(self.answers.lock().unwrap().get(digest).cloned())
    }

    fn begin_snapshot(&self, salt: &Salt) -> Result<Output, ArchiveError> {
        Ok(Output::create(self.snapshot(salt), OutputOptions { force: false, private: true })?)
    }

    fn snapshot(&self, salt: &Salt) -> PathBuf {
        self.files.path().join(format!("{}.snapshot", Digest::of(salt.as_bytes())))
    }

    fn keep(&self, opening: &OpeningName, snapshot: Option<&Salt>) {
        let mut kept = self.kept.lock().unwrap();
        kept.0.push(opening.clone());
        kept.1.extend(snapshot.copied());
    }

    fn remove_opening(&self, name: &OpeningName) {
        if !self.kept.lock().unwrap().0.contains(name) {
            self.openings.lock().unwrap().retain(|(known, _)| known != name);
        }
    }

    fn remove_snapshot(&self, salt: &Salt) {
        if !self.kept.lock().unwrap().1.contains(salt) {
            let _ = std::fs::remove_file(self.snapshot(salt));
        }
    }

    fn settle(&self, openings: &[OpeningName], snapshots: &[Salt]) -> Result<(), ArchiveError> {
        let mut kept = self.kept.lock().unwrap();
        kept.0.extend_from_slice(openings);
        kept.1.extend_from_slice(snapshots);
        self.openings.lock().unwrap().retain(|(name, _)| kept.0.contains(name));
        let kept: Vec<_> = kept.1.iter().map(|salt| self.snapshot(salt)).collect();
        for entry in std::fs::read_dir(self.files.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "snapshot") && !kept.contains(&path) {
                std::fs::remove_file(path).unwrap();
            }
        }
        Ok(())
    }
}
