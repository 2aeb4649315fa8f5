//! Data spaces in which data is used without being seen (数据可用不可见).

pub mod label;
pub mod codec;
pub mod random;
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

pub mod query;
pub mod right;

#[cfg(feature = "embedded")]
pub mod engine;
pub mod receipt;
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

/// The parts of Arrow that `table::Records` is made of, in the version this crate was built with.
#[cfg(feature = "records")]
pub mod arrow {
    pub use arrow_array;
    pub use arrow_schema;
}
