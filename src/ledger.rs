//! The ledger: what happened, in order, and how a stranger checks it.
//!
//! ```text
//! entries --append--> journal (one batch, one fsync) --read at open--> accounts
//!                                  \--leaf hashes--> tree --root--> checkpoint, signed
//!                                                      \--inclusion and consistency paths--> receipts
//! ```
//! Byte formats: `docs/ledger.md`.

mod proof;
mod tree;

pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use tree::{EMPTY_ROOT, Tree, leaf_hash};
