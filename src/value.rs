//! The values of cells and files (值): civil days, times and decimal numbers, each with one grammar.
//!
//! ```text
//! text --Exact::read, a Profile--> mantissa and power of ten --> Number, Decimal, a step of a grid
//! text --DateText::read-----------> year, two fields, form    --a DateOrder--> Day
//! Day <--> days since 1970-01-01;  Instant <--> seconds since then
//! ```
//! What this module promises:
//! - What recognises a value reads it with the same function as what computes with it: a spelling is known to both or to none.
//! - Numbers are exact and days exist; nothing passes a float, nothing depends on a locale, a clock or a time zone.
//! - Which of two fields is the day and which the month is never guessed: see [`DateOrder`].
//!
//! The spellings are those of the table in `docs/values.md`.
//!
//! # Source
//! ISO 8601-1:2019 (calendar dates, times of day); RFC 3339 for times of ours; GB/T 15835-2011 (numerals in Chinese texts).

#[cfg(feature = "records")]
mod clock;
#[cfg(feature = "records")]
mod date;
mod day;
#[cfg(feature = "records")]
mod han;
mod instant;
mod number;
mod order;
#[cfg(feature = "records")]
mod plain;

#[cfg(feature = "records")]
pub(crate) use date::{DateText, digits};
pub(crate) use day::Day;
pub(crate) use instant::Instant;
#[cfg(any(feature = "parquet", feature = "ipc"))]
pub(crate) use instant::write_time_of_day;
#[cfg(feature = "embedded")]
pub(crate) use number::NotANumber;
#[cfg(feature = "records")]
pub(crate) use number::Number;
#[cfg(feature = "csv")]
pub(crate) use number::integer;
pub(crate) use number::{DIGITS_MAX, Exact, Profile};
pub use order::DateOrder;
#[cfg(feature = "records")]
pub(crate) use plain::plain;
