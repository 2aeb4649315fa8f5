//! Data spaces in which data is used without being seen (数据可用不可见).
//!
//! Owners keep their data; others receive signed, narrow, metered rights to use it, and get differentially private
//! answers, each with a receipt that a stranger can check offline. One idea holds the crate: raw data can enter, only
//! a [`receipt::Release`] or a desensitised file can leave.
//!
//! ```text
//! ground      label  class  file  sync  codec  random       what everything is made of
//!             spill  value  form  id  key  envelope
//! measure     budget  dp                                    how much privacy is lost, and the noise
//! memory      ledger                                        what happened, provably
//! records     table  grade  dataset  desensitise  open_data raw data, into an immutable snapshot or a file that may leave
//!             generalise  anonymity                         records that may leave: how coarse, and who is unique in them
//! questions   query  right                                  what is asked, and who may
//! answers     plan  engine  probe  receipt  gate  audit     what leaves, and how it is checked
//! front       space  owner  holder  auditor  error          the four roles
//! ```
//! The rooms stand in total order: each uses only those above it. `README.md` has a whole program; `DESIGN.md` the
//! map and the promises; `docs/rules.md` the rules; `docs/` every byte format, every file that people write and the command line.
//! Without features the crate is the verifier's build.
//!
//! # Not promised
//! [`receipt::NOT_PROVED`].

#![forbid(unsafe_code)]

pub mod label;
pub mod class;
#[cfg(feature = "csv")]
pub mod file;
#[cfg(feature = "embedded")]
mod sync;
pub mod codec;
pub mod random;
#[cfg(feature = "embedded")]
pub mod spill;
pub mod value;
#[cfg(feature = "records")]
mod form;
pub mod id;
pub mod key;
pub mod envelope;

pub mod budget;
pub mod dp;

pub mod ledger;

#[cfg(feature = "records")]
pub mod table;
pub mod grade;
pub mod dataset;
#[cfg(feature = "records")]
pub mod generalise;
pub mod anonymity;
pub mod desensitise;
#[cfg(feature = "embedded")]
pub mod open_data;

pub mod query;
pub mod right;

#[cfg(feature = "embedded")]
pub mod plan;
#[cfg(feature = "embedded")]
pub mod engine;
#[cfg(feature = "probe")]
pub mod probe;
pub mod receipt;
#[cfg(feature = "embedded")]
pub mod archive;
#[cfg(feature = "embedded")]
pub mod gate;
#[cfg(feature = "embedded")]
pub mod audit;

#[cfg(feature = "embedded")]
pub mod space;
pub mod owner;
pub mod holder;
pub mod auditor;
pub mod error;

// What a program begins with, under its own name; everything else is found in its room.
pub use auditor::Auditor;
pub use budget::Loss;
#[cfg(feature = "embedded")]
pub use desensitise::Policy;
pub use error::Error;
#[cfg(feature = "embedded")]
pub use gate::Gate;
pub use holder::Holder;
pub use id::Time;
pub use owner::Owner;
pub use query::{Operation, Query};
pub use random::SystemRandom;
pub use right::{Ask, Terms};
#[cfg(feature = "embedded")]
pub use space::Space;

/// The program in `README.md` is a test.
#[cfg(all(doctest, feature = "csv", feature = "sql", feature = "embedded"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The parts of Arrow that `table::Records` is made of, in the version this crate was built with.
#[cfg(feature = "records")]
pub mod arrow {
    pub use arrow_array;
    pub use arrow_schema;
}
