//! The ledger: what happened, in order, and how a stranger checks it.
//!
//! ```text
//! proposals --Writer--> LedgerStore --rules--> entries --> journal, one batch and one fsync for all that wait
//!                                                 \--> accounts and requests, published when durable
//!                                                 \--> tree --root--> checkpoint, signed by the gate
//!                                                        \--inclusion and consistency paths--> receipts
//! ```
//! Byte formats: `docs/ledger.md`.

#[cfg(feature = "embedded")]
mod batch;
mod book;
mod certificate;
mod change;
mod charge;
mod checkpoint;
mod clock;
mod commitment;
#[cfg(all(feature = "embedded", any(test, feature = "hazmat")))]
pub mod conformance;
mod entry;
mod foundation;
#[cfg(feature = "embedded")]
mod journal;
mod proof;
#[cfg(feature = "embedded")]
mod proposal;
mod quantum;
#[cfg(feature = "embedded")]
mod store;
mod tree;
#[cfg(feature = "embedded")]
mod writer;
#[cfg(all(feature = "embedded", any(test, feature = "hazmat")))]
mod world;

pub use book::{Account, AccountKind, Book, BookError, LedgerHead, REFUND_AFTER_S, RequestRecord, RequestState};
pub use certificate::{GateCertificate, origin_of};
pub use change::{ClockReset, QuantumChange};
pub use charge::{Charge, Charges, Measure};
pub use checkpoint::{Checkpoint, CheckpointError, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, ORIGIN_BYTES_MAX, verifier_key};
pub use clock::{ClockError, GateClock};
pub use commitment::Commitment;
pub use entry::{ENTRY_BYTES_MAX, Entry, Event, Genesis, RefillReason, Reservation, Seal};
pub use foundation::Foundation;
#[cfg(feature = "embedded")]
pub use journal::{
    BATCH_BYTES_MAX, Expected, Frame, FrameError, Journal, JournalError, JournalOptions, JournalSummary, SECTOR_BYTES,
    SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN,
};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
#[cfg(feature = "embedded")]
pub use proposal::{Act, Admitted, Proposal, Reserve, Ticket};
pub use quantum::{Quantum, QuantumError};
#[cfg(all(feature = "embedded", any(test, feature = "hazmat")))]
pub use store::{FailingStore, StoreFailure};
#[cfg(feature = "embedded")]
pub use store::{JournalStore, LedgerError, LedgerReading, LedgerStore, LedgerView, MemoryStore};
pub use tree::{EMPTY_ROOT, Tree, leaf_hash};
#[cfg(feature = "embedded")]
pub use writer::{WriteError, Writer};
