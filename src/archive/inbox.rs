//! The inbox of a space: owner's acts as files, taken by a rename, each with a word on what became of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::SpaceFolder;
use super::directory::shortened;
use crate::file::{self, OutputError, OutputOptions};

/// Owner's acts as files, on their way into the ledger.
///
/// ```text
/// NAME --take--> taken/NAME --tell--> done/NAME.applied or done/NAME.refused; taken/NAME goes
///                    \--tried again: what could not be applied yet, and what a crash left
/// ```
/// What was taken is the gate's alone, so that another act that is renamed in under the same name waits for its turn, whole.
pub(crate) struct Inbox {
    path: PathBuf,
}

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Applied,
    Refused,
}

impl Inbox {
    pub(crate) fn of(folder: &SpaceFolder) -> Self {
        let path = folder.inbox();
        for name in ["taken", "done"] {
            // One that cannot be made is missed when something is put into it.
            let _ = fs::DirBuilder::new().mode(0o700).create(path.join(name));
        }
        Self { path }
    }

    /// The acts in their order: what was taken, then what lies there, each by name. Names that begin with a dot or end in `.part`
    /// are left alone, as are snapshots, which go with their publication.
    pub(crate) fn names(&self) -> Vec<String> {
        let taken = acts_in(&self.path.join("taken"));
        let waiting = acts_in(&self.path).into_iter().filter(|name| !taken.contains(name)).collect::<Vec<_>>();
        taken.into_iter().chain(waiting).collect()
    }

    /// Where an act lies now.
    pub(crate) fn act(&self, name: &str) -> PathBuf {
        let taken = self.taken(name);
        if taken.exists() { taken } else { self.path.join(name) }
    }

    /// Takes an act, unless it was taken. What was told of an earlier one of its name goes.
    pub(crate) fn take(&self, name: &str) -> io::Result<PathBuf> {
        let taken = self.taken(name);
        if !taken.exists() {
            [Outcome::Applied, Outcome::Refused].into_iter().try_for_each(|outcome| remove(&self.told(name, outcome)))?;
            fs::rename(self.path.join(name), &taken)?;
        }
        Ok(taken)
    }

    /// Takes the snapshot of a publication that was taken; says where it lies, if there is one.
    pub(crate) fn take_snapshot(&self, name: &str) -> io::Result<PathBuf> {
        let snapshot = format!("{name}.snapshot");
        let (from, taken) = (self.path.join(&snapshot), self.taken(&snapshot));
        if !taken.exists() && is_file(&from) {
            fs::rename(from, &taken)?;
        }
        Ok(taken)
    }

    /// Writes what became of an act, durably; then the act goes, and its snapshot.
    pub(crate) fn tell(&self, name: &str, outcome: Outcome, text: &str) -> Result<(), OutputError> {
        let other = if outcome == Outcome::Applied { Outcome::Refused } else { Outcome::Applied };
        // Else both would stand for one act, when a crash came between the telling and this.
        let _ = remove(&self.told(name, other));
        file::write(self.told(name, outcome), text.as_bytes(), OutputOptions { force: true, private: true })?;
        // An act that stays is applied again, which changes nothing.
        let _ = remove(&self.taken(&format!("{name}.snapshot"))).and_then(|()| remove(&self.taken(name)));
        Ok(())
    }

    fn taken(&self, name: &str) -> PathBuf {
        self.path.join("taken").join(name)
    }

    fn told(&self, name: &str, outcome: Outcome) -> PathBuf {
        let suffix = if outcome == Outcome::Applied { "applied" } else { "refused" };
        self.path.join("done").join(format!("{}.{suffix}", shortened(name.to_owned(), name)))
    }
}

fn acts_in(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    let names = entries.flatten().filter(|entry| is_file(&entry.path())).filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.') && ![".part", ".snapshot"].iter().any(|suffix| name.ends_with(suffix))).collect()
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
