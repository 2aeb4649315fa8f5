//! A disk that fails on purpose. Each file has an image that programs see and one that survives a loss of power; names likewise.
//!
//! At a loss of power every sector that was not synced is there or not, each by its own coin; names are as they were after some
//! change since the last sync of the folder. At the death of the process alone, all that was written stays to be seen, and a
//! loss of power may still come. A failed sync leaves what programs see, makes a random part durable, and forgets the rest,
//! as Linux does.

#![allow(clippy::unwrap_used, missing_docs)]

use super::SECTOR_BYTES;
use super::disk::Disk;
use crate::random::{Random, RecordedRandom};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum Failure {
    /// The process is gone.
    Crash,
    /// Error `EIO`.
    Error,
    /// Error `ENOSPC`, where something is written; nothing elsewhere.
    NoSpace,
}

/// What the next process finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum After {
    Kill,
    PowerLoss,
}

/// A handle to the disk, which outlives the process that uses it. A clone is another process: it has opened and locked nothing.
pub(in crate::ledger) struct Simulated {
    state: Arc<Mutex<State>>,
    /// The file last written to: the handle stays that of the file, whatever the name comes to mean.
    open: Option<(String, usize)>,
    locked: Option<(String, usize, Arc<()>)>,
}

impl Clone for Simulated {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), open: None, locked: None }
    }
}

struct State {
    files: Vec<Image>,
    names: BTreeMap<String, usize>,
    /// The names after each change since they were last synced; the first are the durable ones.
    names_before: Vec<BTreeMap<String, usize>>,
    /// Who holds the lock of a file, while they live.
    locks: BTreeMap<usize, Weak<()>>,
    random: RecordedRandom,
    /// How many operations succeed before this failure.
    plan: Option<(u64, Failure)>,
    dead: bool,
}

#[derive(Default)]
struct Image {
    seen: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
}

impl Image {
    fn persist(&mut self, sector: usize) {
        let (start, end) = (sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[start..end].copy_from_slice(&self.seen[start..end]);
    }

    fn persist_some(&mut self, random: &mut RecordedRandom) {
        // Sometimes all, sometimes none, else one coin a sector.
        let all = random.next_u64() % 4;
        for sector in std::mem::take(&mut self.dirty) {
            if all == 0 || (all > 1 && random.next_u64().is_multiple_of(2)) {
                self.persist(sector);
            }
        }
    }
}

impl Simulated {
    pub(in crate::ledger) fn new(seed: &str) -> Self {
        let state = State {
            files: Vec::new(),
            names: BTreeMap::new(),
            names_before: vec![BTreeMap::new()],
            locks: BTreeMap::new(),
            random: RecordedRandom::from_seed(seed),
            plan: None,
            dead: false,
        };
        Self { state: Arc::new(Mutex::new(state)), open: None, locked: None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The file behind the name, as the handle that is open or a new one has it.
    fn file(&mut self, name: &str) -> io::Result<usize> {
        let file = match self.open.take() {
            Some((open, file)) if open == name => file,
            _ => *self.state().names.get(name).ok_or_else(not_found)?,
        };
        self.open = Some((name.to_owned(), file));
        Ok(file)
    }

    pub(in crate::ledger) fn plan(&self, plan: Option<(u64, Failure)>) {
        self.state().plan = plan;
    }

    /// Whether the planned failure has come.
    pub(super) fn failed(&self) -> bool {
        self.state().plan.is_none()
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state().dead
    }

    pub(super) fn reboot(&self, after: After) {
        let state = &mut *self.state();
        (state.plan, state.dead) = (None, false);
        state.locks.clear();
        if after == After::Kill {
            return;
        }
        for file in &mut state.files {
            file.persist_some(&mut state.random);
            file.seen.clone_from(&file.durable);
        }
        state.names_before.push(state.names.clone());
        let at = usize::try_from(state.random.next_u64() % state.names_before.len() as u64).unwrap();
        state.names = state.names_before.swap_remove(at);
        state.names_before = vec![state.names.clone()];
    }

    /// The bytes of a file as programs see them.
    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.files[state.names[name]].seen.clone()
    }

    /// Puts a file there, durable. Without bytes, removes it.
    pub(super) fn put(&self, name: &str, bytes: Option<&[u8]>) {
        let state = &mut *self.state();
        state.names.remove(name);
        if let Some(bytes) = bytes {
            state.names.insert(name.to_owned(), state.files.len());
            state.files.push(Image { seen: bytes.to_vec(), durable: bytes.to_vec(), dirty: BTreeSet::new() });
        }
        state.names_before = vec![state.names.clone()];
    }

    /// Puts other bytes into a file, which stays the same file.
    pub(super) fn overwrite(&self, name: &str, bytes: &[u8]) {
        let state = &mut *self.state();
        let file = state.names[name];
        state.files[file] = Image { seen: bytes.to_vec(), durable: bytes.to_vec(), dirty: BTreeSet::new() };
    }
}

impl State {
    /// Counts an operation: what goes wrong with it, if something does.
    fn step(&mut self, writes: bool) -> Option<Failure> {
        if self.dead {
            return Some(Failure::Crash);
        }
        let (left, failure) = self.plan.as_mut()?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        let failure = *failure;
        if failure == Failure::NoSpace && !writes {
            return None;
        }
        self.plan = None;
        self.dead = failure == Failure::Crash;
        Some(failure)
    }

    fn change_names(&mut self, change: impl FnOnce(&mut BTreeMap<String, usize>)) -> io::Result<()> {
        // A change that fails was made or not.
        let failure = self.step(false);
        if failure.is_none() || self.random.next_u64().is_multiple_of(2) {
            self.names_before.push(self.names.clone());
            change(&mut self.names);
        }
        failure.map_or(Ok(()), refuse)
    }
}

fn refuse<T>(failure: Failure) -> io::Result<T> {
    Err(match failure {
        Failure::Crash => io::Error::other("the process is gone"),
        Failure::Error => io::Error::from_raw_os_error(5),
        Failure::NoSpace => io::ErrorKind::StorageFull.into(),
    })
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for Simulated {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn read(&self, name: &str, _: u64) -> io::Result<Vec<u8>> {
        let state = self.state();
        let file = state.names.get(name).ok_or_else(not_found)?;
        Ok(state.files[*file].seen.clone())
    }

    fn lock(&mut self, name: &str) -> io::Result<bool> {
        let holder = Arc::new(());
        let file = {
            let state = &mut *self.state();
            let file = *state.names.get(name).ok_or_else(not_found)?;
            if state.locks.get(&file).is_some_and(|holder| holder.strong_count() > 0) {
                return Ok(false);
            }
            state.locks.insert(file, Arc::downgrade(&holder));
            file
        };
        self.locked = Some((name.to_owned(), file, holder));
        Ok(true)
    }

    fn is_in_place(&mut self, name: &str) -> io::Result<bool> {
        let file = self.file(name)?;
        let state = self.state();
        let is_at = |name: &str, file: usize| state.names.get(name) == Some(&file);
        Ok(is_at(name, file) && self.locked.as_ref().is_none_or(|(name, file, _)| is_at(name, *file)))
    }

    fn read_at(&mut self, name: &str, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let file = self.file(name)?;
        let state = self.state();
        let start = usize::try_from(offset).unwrap();
        let found = state.files[file].seen.get(start..start + bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(found);
        Ok(())
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        let state = &mut *self.state();
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if let Some(failure) = state.step(true) {
            return refuse(failure);
        }
        state.names_before.push(state.names.clone());
        state.names.insert(name.to_owned(), state.files.len());
        state.files.push(Image::default());
        Ok(())
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file(name)?;
        let state = &mut *self.state();
        let failure = state.step(true);
        let first = usize::try_from(offset).unwrap() / SECTOR_BYTES;
        let mut sectors = bytes.len() / SECTOR_BYTES;
        assert_eq!((first * SECTOR_BYTES, sectors * SECTOR_BYTES), (usize::try_from(offset).unwrap(), bytes.len()), "whole sectors");
        if failure.is_some() {
            sectors = usize::try_from(state.random.next_u64()).unwrap() % (sectors + 1);
        }
        let file = &mut state.files[file];
        let (start, end) = (first * SECTOR_BYTES, (first + sectors) * SECTOR_BYTES);
        if file.seen.len() < end {
            file.seen.resize(end, 0);
        }
        file.seen[start..end].copy_from_slice(&bytes[..end - start]);
        file.dirty.extend(first..first + sectors);
        failure.map_or(Ok(()), refuse)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        let file = self.file(name)?;
        let state = &mut *self.state();
        let failure = state.step(false);
        let file = &mut state.files[file];
        match failure {
            None => std::mem::take(&mut file.dirty).into_iter().for_each(|sector| file.persist(sector)),
            Some(Failure::Crash) => {
                let dirty = file.dirty.clone();
                file.persist_some(&mut state.random);
                file.dirty = dirty;
            }
            Some(_) => file.persist_some(&mut state.random),
        }
        failure.map_or(Ok(()), refuse)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let state = &mut *self.state();
        assert!(!state.names.contains_key(to), "a rename never replaces a file");
        let file = *state.names.get(from).ok_or_else(not_found)?;
        state.change_names(|names| {
            names.remove(from);
            names.insert(to.to_owned(), file);
        })
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let state = &mut *self.state();
        if !state.names.contains_key(name) {
            return Err(not_found());
        }
        state.change_names(|names| {
            names.remove(name);
        })
    }

    fn sync_names(&mut self) -> io::Result<()> {
        let state = &mut *self.state();
        match state.step(false) {
            None => {
                state.names_before = vec![state.names.clone()];
                Ok(())
            }
            Some(failure) => refuse(failure),
        }
    }
}
