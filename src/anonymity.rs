//! How well persons can be told apart in a file that leaves (匿名性): measured on the file, never inferred from techniques.
//!
//! ```text
//! rows that leave --UniquenessMeter--> Uniqueness: the share of persons who are alone with their values
//!                                      on all columns, on each, on each pair, and by the gaps between shifted dates
//! ```
//! What is counted is what somebody could know who is outside: every column that leaves, but those that a key has made and
//! those of which the policy says that nobody outside knows them. A record is *unique* on some columns when no other record
//! has the same values there; where a column tells whose each record is, a *subject* is unique when one of its records has values
//! that no record of another subject has (a record without a subject is one of its own). Null and the empty text are one value, and numbers are what they are written as, so that
//! the shares of a file can be counted again from the file, whatever its format ([`measure`]).
//!
//! Counts are exact: values are taken for equal when their hashes of 128 bits under a key of the run are. Two different among
//! a billion are with a chance below 10^-20. Memory is bounded whatever the number of rows; of a subject with more than 65,536 dates the gaps count as
//! its own.
//!
//! # Source
//! L. Sweeney, "Simple demographics often identify people uniquely", 2000; Y.-A. de Montjoye et al., "Unique in the crowd", 2013
//! (uniqueness as the measure); rules H3 and H8 of `docs/rules.md`.
//!
//! # Not promised
//! That a person who is not unique is safe: all records that are alike may say the same, and more may be known than stands in
//! the file. Uniqueness is counted within the file; in the population fewer are unique.

#[cfg(feature = "embedded")]
mod codes;
#[cfg(feature = "embedded")]
mod count;
#[cfg(feature = "embedded")]
mod gaps;
#[cfg(feature = "embedded")]
mod hashes;
#[cfg(feature = "embedded")]
mod meter;
mod share;
mod statement;

#[cfg(feature = "embedded")]
pub use hashes::{HashedRows, ValueHasher};
#[cfg(feature = "embedded")]
pub use meter::{MeterError, RowHasher, UniquenessMeter, measure};
pub use share::UniqueShare;
pub use statement::{ColumnShare, GapColumn, GapGroup, Gaps, PAIRED_COLUMNS_MAX, UNIQUE_MOST_DEFAULT, Uniqueness, UniquenessAsked};
