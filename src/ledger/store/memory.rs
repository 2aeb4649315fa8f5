//! A ledger in memory, for tests and trials.

use super::super::batch::Encoded;
use super::super::book::BookError;
use super::super::foundation::Foundation;
use super::super::journal::BATCH_BYTES_MAX;
use super::super::proposal::{Admitted, Proposal, Ticket};
use super::published::{Published, State};
use super::reading::agreed;
use super::{LedgerError, LedgerStore, LedgerView};
use crate::id::Time;
use crate::sync::Mutex;

/// A ledger in memory: everything but durable. For tests, and for trying a space out.
pub struct MemoryStore {
    log: Mutex<Log>,
    published: Published,
    checkpoint: Mutex<Option<(u64, String)>>,
}

#[derive(Default)]
struct Log {
    entries: Vec<Box<[u8]>>,
    buffers: Encoded,
}

impl MemoryStore {
    /// A new ledger with its first three entries.
    ///
    /// # Errors
    /// The foundation is not of one owner.
    pub fn create(foundation: &Foundation, now: Time) -> Result<Self, LedgerError> {
        let mut state = State::default();
        let mut log = Log::default();
        for entry in foundation.entries(now) {
            let bytes = entry.encode();
            state.push(&entry, &bytes)?;
            log.entries.push(bytes.into());
        }
        Ok(Self { log: Mutex::new(log), published: Published::new(state), checkpoint: Mutex::new(None) })
    }

    /// The kept checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> Option<String> {
        self.checkpoint.lock().ok()?.as_ref().map(|(_, note)| note.clone())
    }
}

impl LedgerStore for MemoryStore {
    fn append(&self, proposals: &[Proposal], now: Time) -> Result<Vec<Result<Admitted, BookError>>, LedgerError> {
        let mut log = self.log.lock().map_err(|_| LedgerError::Stopped)?;
        let Log { entries: log, buffers } = &mut *log;
        self.published.append(proposals, now, buffers, BATCH_BYTES_MAX, |entries| {
            log.extend(entries.iter().map(Box::from));
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
        let log = self.log.lock().map_err(|_| LedgerError::Stopped)?;
        for (index, entry) in (0..).zip(&log.entries).filter(|(index, _)| *index >= from) {
            visit(index, entry);
        }
        Ok(())
    }

    fn keep_checkpoint(&self, note: &str) -> Result<(), LedgerError> {
        let mut kept = self.checkpoint.lock().map_err(|_| LedgerError::Stopped)?;
        let state = self.published.read()?;
        let checkpoint = agreed(note, state.book.head(), &state.tree)?;
        if kept.as_ref().is_none_or(|(size, _)| *size < checkpoint.size()) {
            *kept = Some((checkpoint.size(), note.to_owned()));
        }
        Ok(())
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}
