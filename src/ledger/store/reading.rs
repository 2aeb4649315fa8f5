//! Reading a ledger beside its writer, without lock or key.

use std::path::Path;
use std::time::Duration;

use super::super::book::{Book, LedgerHead};
use super::super::certificate::origin_of;
use super::super::checkpoint::{Checkpoint, CheckpointError, NOTE_BYTES_MAX};
use super::super::entry::Entry;
use super::super::journal::{Journal, JournalSummary};
use super::super::tree::Tree;
use super::published::{Shown, State};
use super::{LedgerError, LedgerView};
use crate::file::{self, ReadError};

/// A ledger as an auditor reads it: by the same rules as its writer, without its lock and without a key.
#[derive(Debug)]
#[non_exhaustive]
pub struct LedgerReading {
    /// The fold of all entries.
    pub book: Book,
    /// The tree over all entries.
    pub tree: Tree,
    /// The stored checkpoint, signed by a gate of this ledger and found to agree.
    pub checkpoint: Option<Checkpoint>,
    /// What the journal says of itself.
    pub journal: JournalSummary,
}

/// The note over all entries at the last close, beside the segments.
pub(super) const CHECKPOINT_FILE: &str = "checkpoint";
/// A writer replaces the file in a moment; a reader that meets this looks again so often.
const READ_RETRIES_MAX: u32 = 100;

impl LedgerReading {
    /// Reads and checks the ledger of a folder, and gives every entry to `visit`. A writer beside it disturbs nothing.
    ///
    /// # Errors
    /// Anything that does not agree.
    pub fn open(folder: &Path, visit: impl FnMut(u64, &Entry)) -> Result<Self, LedgerError> {
        // First the checkpoint: a writer may go on while the journal is read, and then the journal only has more.
        let note = stored_note(folder)?;
        let mut fold = Fold { state: State::default(), problem: None, visit };
        let journal = Journal::read_only(folder, |index, bytes| fold.take(index, bytes))?;
        let State { book, tree } = fold.finish()?;
        let checkpoint = note.map(|note| agreed(&note, book.head(), &tree)).transpose()?;
        Ok(Self { book, tree, checkpoint, journal })
    }
}

impl LedgerReading {
    /// What was read, as the stores show it.
    #[must_use]
    pub fn view(&self) -> Box<dyn LedgerView + '_> {
        Box::new(Shown { book: &self.book, tree: &self.tree })
    }
}

/// Book and tree while entries are read; the first thing that is wrong stays.
pub(super) struct Fold<V> {
    pub(super) state: State,
    pub(super) problem: Option<LedgerError>,
    pub(super) visit: V,
}

impl<V: FnMut(u64, &Entry)> Fold<V> {
    pub(super) fn take(&mut self, index: u64, bytes: &[u8]) {
        if self.problem.is_some() {
            return;
        }
        let mut push = || {
            let entry = Entry::decode(bytes).map_err(|problem| LedgerError::Entry { index, problem })?;
            self.state.push(&entry, bytes)?;
            (self.visit)(index, &entry);
            Ok(())
        };
        self.problem = push().err();
    }

    pub(super) fn finish(self) -> Result<State, LedgerError> {
        match self.problem {
            Some(problem) => Err(problem),
            None if self.state.book.size() == 0 => Err(LedgerError::Incomplete("there is no genesis entry")),
            None if self.state.book.size() == 1 => Err(LedgerError::Incomplete("there is no gate certificate")),
            None => Ok(self.state),
        }
    }
}

/// The stored note; none if the ledger was never closed: then rollback is for outside witnesses to find.
pub(super) fn stored_note(folder: &Path) -> Result<Option<String>, LedgerError> {
    let mut retries = 0;
    loop {
        match file::read_text(folder.join(CHECKPOINT_FILE), NOTE_BYTES_MAX) {
            Ok(note) => return Ok(Some(note)),
            Err(ReadError::Open { kind: std::io::ErrorKind::NotFound, .. }) => return Ok(None),
            Err(ReadError::Changed { .. }) if retries < READ_RETRIES_MAX => {
                retries += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The checkpoint of a note that some gate of this ledger has signed and that agrees with the ledger.
pub(super) fn agreed(note: &str, head: &LedgerHead, tree: &Tree) -> Result<Checkpoint, LedgerError> {
    let ledger = head.ledger_id().ok_or(LedgerError::Incomplete("there is no genesis entry"))?;
    let origin = origin_of(ledger);
    let mut checkpoint = Err(CheckpointError::Signature);
    // From the gate in force back to the first: the note may have been signed before the last certificate.
    for (_, certificate) in head.certificates().iter().rev() {
        checkpoint = Checkpoint::verify(note, &origin, &certificate.value().gate);
        if !matches!(checkpoint, Err(CheckpointError::Signature)) {
            break;
        }
    }
    let checkpoint = checkpoint?;
    if tree.root_at(checkpoint.size()) != Some(*checkpoint.root()) {
        return Err(LedgerError::RolledBack { size: tree.size(), checkpoint: checkpoint.size() });
    }
    Ok(checkpoint)
}
