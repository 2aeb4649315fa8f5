//! The ledger of a space: journal, fold and tree, one writer.

use std::path::{Path, PathBuf};

use super::super::batch::Encoded;
use super::super::book::BookError;
use super::super::entry::Entry;
use super::super::foundation::Foundation;
use super::super::journal::{Journal, JournalOptions};
use super::super::proposal::{Admitted, Proposal, Ticket};
use super::published::{Published, State};
use super::reading::{CHECKPOINT_FILE, Fold, agreed, stored_note};
use super::{LedgerError, LedgerStore, LedgerView};
use crate::file::{self, OutputOptions};
use crate::id::Time;
use crate::sync::Mutex;

/// A ledger in a folder: a journal, and its fold and tree in memory.
///
/// It needs no key: whoever makes checkpoints has one. So a ledger opens after its gate's key is lost, and the owner can
/// certify another.
pub struct JournalStore {
    folder: PathBuf,
    pen: Mutex<Pen>,
    published: Published,
    /// Size of the stored checkpoint; held while one is written.
    kept: Mutex<u64>,
}

/// What the one writer holds.
struct Pen {
    journal: Journal,
    buffers: Encoded,
}

impl JournalStore {
    /// Makes a new ledger with its first three entries.
    ///
    /// # Errors
    /// The folder has a ledger already or cannot be written; the foundation is not of one owner.
    pub fn create(folder: &Path, foundation: &Foundation, now: Time, options: JournalOptions) -> Result<Self, LedgerError> {
        let mut state = State::default();
        let mut bytes = Vec::new();
        for entry in foundation.entries(now) {
            let encoded = entry.encode();
            state.push(&entry, &encoded)?;
            bytes.push(encoded);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&foundation.genesis.ledger_id().as_bytes()[..16]);
        let mut journal = Journal::create(folder, id, options)?;
        journal.append(&bytes.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        Ok(Self::of(folder, journal, state, 0))
    }

    /// Opens the ledger of a folder for writing and checks it whole: every entry, every balance, every signature of the owner,
    /// and the stored checkpoint.
    ///
    /// # Errors
    /// Another process has it open; anything that does not agree.
    pub fn open(folder: &Path, options: JournalOptions) -> Result<Self, LedgerError> {
        Self::open_with(folder, options, |_, _| {})
    }

    /// As [`JournalStore::open`], and gives every entry to `visit`.
    ///
    /// # Errors
    /// As [`JournalStore::open`].
    pub fn open_with(folder: &Path, options: JournalOptions, visit: impl FnMut(u64, &Entry)) -> Result<Self, LedgerError> {
        let mut fold = Fold { state: State::default(), problem: None, visit };
        let journal = Journal::open(folder, options, |index, bytes| fold.take(index, bytes))?;
        let state = fold.finish()?;
        let checkpoint = stored_note(folder)?.map(|note| agreed(&note, state.book.head(), &state.tree)).transpose()?;
        Ok(Self::of(folder, journal, state, checkpoint.map_or(0, |checkpoint| checkpoint.size())))
    }

    pub(super) fn of(folder: &Path, journal: Journal, state: State, kept: u64) -> Self {
        let pen = Pen { journal, buffers: Encoded::default() };
        Self { folder: folder.to_owned(), pen: Mutex::new(pen), published: Published::new(state), kept: Mutex::new(kept) }
    }
}

impl LedgerStore for JournalStore {
    fn append(&self, proposals: &[Proposal], now: Time) -> Result<Vec<Result<Admitted, BookError>>, LedgerError> {
        let mut pen = self.pen.lock().map_err(|_| LedgerError::Stopped)?;
        let Pen { journal, buffers } = &mut *pen;
        // A journal that could not say whether it wrote is not asked again. One without room for a segment is.
        if journal.is_poisoned() {
            return Err(LedgerError::Stopped);
        }
        let limit = journal.batch_bytes_max();
        self.published.append(proposals, now, buffers, limit, |entries| {
            journal.append(&entries.iter().collect::<Vec<_>>())?;
            Ok(())
        })
    }

    fn locate(&self, ticket: Ticket) -> Result<u64, LedgerError> {
        self.published.locate(ticket)
    }

    fn view(&self) -> Result<Box<dyn LedgerView + '_>, LedgerError> {
        self.published.view()
    }

    fn entries(&self, from: u64, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(), LedgerError> {
        // What is on disk and not published yet is not durable yet.
        let size = self.published.read()?.book.size();
        let mut within = |index: u64, bytes: &[u8]| {
            if (from..size).contains(&index) {
                visit(index, bytes);
            }
        };
        Journal::read_only(&self.folder, &mut within)?;
        Ok(())
    }

    fn keep_checkpoint(&self, note: &str) -> Result<(), LedgerError> {
        let mut kept = self.kept.lock().map_err(|_| LedgerError::Stopped)?;
        let checkpoint = {
            let state = self.published.read()?;
            agreed(note, state.book.head(), &state.tree)?
        };
        if checkpoint.size() > *kept {
            file::write(self.folder.join(CHECKPOINT_FILE), note.as_bytes(), OutputOptions { force: true, private: true })?;
            *kept = checkpoint.size();
        }
        Ok(())
    }
}

impl std::fmt::Debug for JournalStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JournalStore({})", self.folder.display())
    }
}
