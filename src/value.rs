//! The values of cells and files (值): civil days, times and decimal numbers, each with one grammar.
//!
//! ```text
//! text --Exact::read, a Profile--> mantissa and power of ten --> Number, Decimal, a step of a grid
//! Day <--> days since 1970-01-01;  Instant <--> seconds since then
//! ```
//! What this module promises:
//! - What recognises a value reads it with the same function as what computes with it: a spelling is known to both or to none.
//! - Numbers are exact and days exist; nothing passes a float, nothing depends on a locale, a clock or a time zone.
//!
//! # Source
//! ISO 8601-1:2019 (calendar dates, times of day); RFC 3339 for times of ours; GB/T 15835-2011 (numerals in Chinese texts).

mod day;
mod instant;
mod number;
#[cfg(feature = "records")]
mod plain;

pub(crate) use day::Day;
pub(crate) use instant::Instant;
#[cfg(any(feature = "parquet", feature = "ipc"))]
pub(crate) use instant::write_time_of_day;
pub(crate) use number::{DIGITS_MAX, Exact, Profile};
#[cfg(feature = "records")]
pub(crate) use number::{NotANumber, Number, integer};
#[cfg(feature = "records")]
pub(crate) use plain::plain;
