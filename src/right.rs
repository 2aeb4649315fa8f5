//! Rights of use (使用权): what a holder may ask, signed by the owner; and requests, signed by the holder.
//!
//! A right is a chain of signed blocks. Block 0 is the owner's and names dataset, holder and [`Terms`]; a later
//! block is signed by the holder of the block before and can only narrow. The effective right is the meet of all
//! blocks. This version grants and honours chains of one block and refuses longer ones by name.
//!
//! ```text
//! owner --signs--> Block 0 {ledger, dataset, schema hash, holder key, terms}
//!                                                |
//! holder --signs--> Request {right, query, price, purpose, nonce, times, last checkpoint seen}
//!                                                |
//! gate: Untrusted -> Verified -> Reserved -> Started -> Released, or a Refusal
//! ```
//!
//! Evaluation is a comparison of sets and numbers: its outcome depends on no clock but the one passed in, and on
//! no machine. An unknown field refuses the whole artefact, because ignoring it could widen a right.
//!
//! # Source
//! RFC 8392 (CWT claims), RFC 8747 (cnf), RFC 9052 (COSE); rules C1, C2, C5, J1, J3 of `docs/rules.md`.

mod block;
mod builder;
mod chain;
#[cfg(feature = "embedded")]
mod file;
mod grant;
mod request;
mod terms;
mod verdict;

pub use block::Block;
pub use builder::TermsBuilder;
pub use chain::{CHAIN_BYTES_MAX, Right, RightError, Verified};
#[cfg(feature = "embedded")]
pub use file::TermsFileError;
pub use grant::{Ask, SignError};
pub use request::{EXPIRY_DEFAULT_S, EXPIRY_MAX_S, REQUEST_BYTES_MAX, Request, SKEW_S, Seen, verify_request};
pub use terms::{RightKind, Terms, TermsError};
pub use verdict::{Accounts, Refusal, Verdict};
