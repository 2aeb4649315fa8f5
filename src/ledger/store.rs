use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::book::{Book, BookError};
use super::certificate::{GateCertificate, origin_of};
use super::checkpoint::{Checkpoint, CheckpointError, NOTE_BYTES_MAX};
use super::entry::{Entry, Event, Genesis};
use super::journal::{Journal, JournalError, JournalOptions, JournalSummary};
use super::tree::{Tree, leaf_hash};
use crate::codec::CodecError;
use crate::envelope::{EnvelopeError, Signed, Untrusted};
use crate::id::{LedgerId, Time};
use crate::key::Signer;

/// The ledger of one space: journal, tree and book in step, and the gate's key that signs its checkpoints.
///
/// One writer. What is appended is durable when [`Ledger::append`] returns.
pub struct Ledger {
    journal: Journal,
    tree: Tree,
    book: Book,
    certificate: Signed<GateCertificate>,
    origin: String,
    signer: Arc<dyn Signer>,
    checkpoint_file: PathBuf,
    /// Set when the journal failed: the book is then ahead of what is durable, and is never believed again.
    stopped: bool,
}

/// Why a ledger does not open or take an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An entry in the journal is not one.
    #[error("entry {index} of the journal: {problem}")]
    Entry {
        /// The index.
        index: u64,
        /// What is wrong.
        problem: CodecError,
    },
    /// The entries do not follow from each other.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The ledger has no genesis or no certificate.
    #[error("the ledger is not complete: {0}")]
    Incomplete(&'static str),
    /// The gate's certificate is not the owner's.
    #[error("the gate's certificate: {0}")]
    Certificate(EnvelopeError),
    /// The gate's certificate is for another ledger or another key.
    #[error("the gate's certificate is for another ledger or another gate key")]
    OtherGate,
    /// The stored checkpoint.
    #[error("the stored checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The ledger is shorter than a checkpoint it has signed, or another one.
    #[error("the ledger has {size} entries and contradicts its own checkpoint of size {checkpoint}: it was rolled back or replaced")]
    RolledBack {
        /// Entries found.
        size: u64,
        /// Size of the checkpoint.
        checkpoint: u64,
    },
    /// A test ledger in a real place, or the reverse.
    #[error("a ledger for tests is never opened by a gate, nor a real one by a test gate")]
    Test,
    /// The journal failed before; what was being written is unknown until the ledger is opened again.
    #[error("the ledger stopped after a failure of its journal; open it again")]
    Stopped,
    /// A file beside the journal.
    #[error("the checkpoint file cannot be read or written: {0}")]
    Io(ErrorKind),
}

/// What an auditor reads: the same rules as the writer's, no lock, no key.
pub struct LedgerReading {
    /// The fold of all entries.
    pub book: Book,
    /// The tree over all entries.
    pub tree: Tree,
    /// The gate's certificate, verified under the owner's key of the genesis entry.
    pub certificate: Signed<GateCertificate>,
    /// The stored checkpoint, verified under the gate's key and found to agree.
    pub checkpoint: Option<Checkpoint>,
    /// What the journal says of itself.
    pub journal: JournalSummary,
}

const CHECKPOINT_FILE: &str = "checkpoint";

impl Ledger {
    /// Makes a new ledger with its first two entries.
    ///
    /// # Errors
    /// The folder has a ledger already or cannot be written; the certificate is for another ledger or key.
    pub fn create(
        folder: &Path,
        genesis: Genesis,
        certificate: &Signed<GateCertificate>,
        time: Time,
        signer: Arc<dyn Signer>,
        options: JournalOptions,
    ) -> Result<Self, LedgerError> {
        let id = genesis.ledger_id();
        if certificate.value().ledger != id || certificate.value().gate != *signer.public() {
            return Err(LedgerError::OtherGate);
        }
        let mut journal_id = [0; 16];
        journal_id.copy_from_slice(&id.as_bytes()[..16]);
        let mut ledger = Self {
            journal: Journal::create(folder, journal_id, options)?,
            tree: Tree::new(),
            book: Book::default(),
            certificate: certificate.clone(),
            origin: origin_of(id),
            signer,
            checkpoint_file: folder.join(CHECKPOINT_FILE),
            stopped: false,
        };
        let events = vec![Event::Genesis(genesis), Event::Certificate { bytes: certificate.bytes().to_vec() }];
        for outcome in ledger.append(events, time)? {
            outcome?;
        }
        ledger.store_checkpoint()?;
        Ok(ledger)
    }

    /// Opens the ledger of a folder and checks it whole: every entry, every balance, the owner's signature on the
    /// gate's certificate, and the stored checkpoint.
    ///
    /// # Errors
    /// Anything that does not agree.
    pub fn open(folder: &Path, signer: Arc<dyn Signer>, options: JournalOptions) -> Result<Self, LedgerError> {
        let mut fold = Fold::default();
        let journal = Journal::open(folder, options, |index, bytes| fold.visit(index, bytes))?;
        let (book, tree, certificate) = fold.finish()?;
        if certificate.value().gate != *signer.public() {
            return Err(LedgerError::OtherGate);
        }
        let origin = origin_of(certificate.value().ledger);
        let checkpoint_file = folder.join(CHECKPOINT_FILE);
        stored_checkpoint(&checkpoint_file, &certificate, &tree)?;
        let ledger = Self { journal, tree, book, certificate, origin, signer, checkpoint_file, stopped: false };
        ledger.store_checkpoint()?;
        Ok(ledger)
    }

    /// Reads and checks a ledger without its lock and without a key, as auditors do.
    ///
    /// # Errors
    /// Anything that does not agree.
    pub fn read(folder: &Path) -> Result<LedgerReading, LedgerError> {
        let mut fold = Fold::default();
        let journal = Journal::read_only(folder, |index, bytes| fold.visit(index, bytes))?;
        let (book, tree, certificate) = fold.finish()?;
        let checkpoint = stored_checkpoint(&folder.join(CHECKPOINT_FILE), &certificate, &tree)?;
        Ok(LedgerReading { book, tree, certificate, checkpoint, journal })
    }

    /// Appends events in one durable batch. Each is admitted by the book or left out with its reason; the admitted
    /// ones are durable when this returns.
    ///
    /// # Errors
    /// The journal failed; the ledger takes nothing more until it is opened again.
    pub fn append(&mut self, events: Vec<Event>, now: Time) -> Result<Vec<Result<u64, BookError>>, LedgerError> {
        if self.stopped {
            return Err(LedgerError::Stopped);
        }
        let time = self.book.time().map_or(now, |last| last.max(now));
        let mut bytes = Vec::with_capacity(events.len());
        let mut outcomes = Vec::with_capacity(events.len());
        for event in events {
            let entry = Entry { time, event };
            outcomes.push(self.book.apply(&entry).map(|()| {
                bytes.push(entry.encode());
                self.book.size() - 1
            }));
        }
        if !bytes.is_empty() {
            // Even a failure after which the journal itself goes on (a full disk, say) leaves the book ahead of it.
            self.stopped = true;
            self.journal.append(&bytes.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
            self.stopped = false;
            for entry in &bytes {
                self.tree.push(leaf_hash(entry));
            }
        }
        Ok(outcomes)
    }

    /// The fold of all entries.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// The tree over all entries.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The gate's certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Signed<GateCertificate> {
        &self.certificate
    }

    /// The id of the ledger.
    #[must_use]
    pub fn id(&self) -> LedgerId {
        self.certificate.value().ledger
    }

    /// The signed checkpoint over the first `size` entries. The same size gives the same bytes.
    ///
    /// # Errors
    /// There are not so many entries, or the key does not sign.
    pub fn checkpoint(&self, size: u64) -> Result<String, LedgerError> {
        let root = self.tree.root_at(size).ok_or(LedgerError::RolledBack { size: self.tree.size(), checkpoint: size })?;
        Ok(Checkpoint::new(&self.origin, size, root)?.sign(self.signer.as_ref())?)
    }

    /// Writes the checkpoint over all entries beside the journal; a later open must agree with it.
    ///
    /// # Errors
    /// It cannot be signed or written.
    pub fn store_checkpoint(&self) -> Result<(), LedgerError> {
        let note = self.checkpoint(self.tree.size())?;
        let io = |error: std::io::Error| LedgerError::Io(error.kind());
        let part = self.checkpoint_file.with_extension("part");
        let mut file = fs::File::create(&part).map_err(io)?;
        file.write_all(note.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        fs::rename(&part, &self.checkpoint_file).map_err(io)?;
        let folder = self.checkpoint_file.parent().unwrap_or(Path::new("."));
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ledger({}, {} entries)", self.id(), self.tree.size())
    }
}

/// Book and tree while entries are read; the first thing that is wrong stays.
#[derive(Default)]
struct Fold {
    book: Book,
    tree: Tree,
    certificate: Option<Vec<u8>>,
    problem: Option<LedgerError>,
}

impl Fold {
    fn visit(&mut self, index: u64, bytes: &[u8]) {
        if self.problem.is_none() {
            self.problem = self.take(index, bytes).err();
        }
    }

    fn take(&mut self, index: u64, bytes: &[u8]) -> Result<(), LedgerError> {
        let entry = Entry::decode(bytes).map_err(|problem| LedgerError::Entry { index, problem })?;
        self.book.apply(&entry)?;
        if let Event::Certificate { bytes } = entry.event {
            self.certificate = Some(bytes);
        }
        self.tree.push(leaf_hash(bytes));
        Ok(())
    }

    fn finish(self) -> Result<(Book, Tree, Signed<GateCertificate>), LedgerError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let genesis = self.book.genesis().ok_or(LedgerError::Incomplete("there is no genesis entry"))?;
        let bytes = self.certificate.ok_or(LedgerError::Incomplete("there is no gate certificate"))?;
        let untrusted = Untrusted::<GateCertificate>::decode(&bytes).map_err(LedgerError::Certificate)?;
        let certificate = untrusted.verify(genesis.owner.key()).map_err(LedgerError::Certificate)?;
        if certificate.value().ledger != genesis.ledger_id() {
            return Err(LedgerError::OtherGate);
        }
        Ok((self.book, self.tree, certificate))
    }
}

fn stored_checkpoint(file: &Path, certificate: &Signed<GateCertificate>, tree: &Tree) -> Result<Option<Checkpoint>, LedgerError> {
    let mut note = String::new();
    match fs::File::open(file) {
        Ok(file) => file.take(NOTE_BYTES_MAX as u64 + 1).read_to_string(&mut note).map_err(|error| LedgerError::Io(error.kind()))?,
        // Only a first open that died can have left none: without it, rollback is for outside witnesses to find.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LedgerError::Io(error.kind())),
    };
    let GateCertificate { ledger, gate, .. } = certificate.value();
    let checkpoint = Checkpoint::verify(&note, &origin_of(*ledger), gate)?;
    if tree.root_at(checkpoint.size()) != Some(*checkpoint.root()) {
        return Err(LedgerError::RolledBack { size: tree.size(), checkpoint: checkpoint.size() });
    }
    Ok(Some(checkpoint))
}
