//! Snapshots: one immutable version of a dataset's data (快照), typed, quantised and checked once.
//!
//! [`write_snapshot`] reads a source and makes a file of columns; everything that can fail because of a cell fails
//! there, to the owner alone. [`Snapshot`] reads it back a block at a time. After that no cell can make an answer fail.
//!
//! ```text
//! Records --quantise--> numbers (i64 steps), texts (codes into a dictionary), nulls
//!            |
//!            +-- unit = row:    blocks are written as they fill, in the order of the source
//!            +-- unit = column: rows without a unit go; the rest gets (unit id, row tag) and is sorted by them
//!
//! file = header | blocks, each hashed | index of all blocks and hashes | trailer        digest = SHA-256(index)
//! ```
//!
//! What this module promises:
//! - A file has one digest, and the digest covers every cell: a block is handed out only if its hash is that of the index.
//! - Widths are fixed: size and reading time depend on rows and schema, not on cells (dictionaries apart).
//! - With a unit column the file is a function of the multiset of rows and the [`RowKey`]: neither the order of the
//!   source nor rows without a unit leave a trace (rule D2).
//! - No error, warning or `Debug` holds a cell. Columns without any use are checked like the others and not stored.
//! - Opening arbitrary bytes is an error or a snapshot, never a panic, and takes memory in proportion to the file.
//!
//! ```
//! # #[cfg(feature = "csv")] {
//! use std::ops::ControlFlow;
//! use usufruct::dataset::{DescriptionFile, RowKey, Snapshot, table_schema, write_snapshot};
//! use usufruct::random::SystemRandom;
//! use usufruct::file::{Output, OutputOptions};
//! use usufruct::table::{CsvOptions, CsvSource};
//!
//! let text = r#"
//!     name = "people"
//!     data = "people.csv"
//!     unit = "row"
//!     rows_are_independent = true
//!     budget = { model = "approx", epsilon = "1", delta = "0" }
//!     [columns.age]
//!     type = "integer"
//!     bounds = [0, 120]
//!     grade = 2
//! "#;
//! let description = DescriptionFile::parse(text, "".as_ref())?.description;
//! let csv = CsvSource::from_bytes(&b"age\n39\n50\n"[..], CsvOptions::default(), table_schema(description.schema()))?;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("people.snapshot");
//! let output = Output::create(&path, OutputOptions { force: false, private: true })?;
//! let key = RowKey::generate(&mut SystemRandom::new()?);
//! let summary = write_snapshot(&csv, &description, &key, output, &mut |_| ControlFlow::Continue(()))?;
//!
//! let snapshot = Snapshot::open(&path, description.schema())?;
//! assert_eq!((snapshot.rows(), snapshot.digest()), (2, summary.digest));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Memory
//! With the unit a row: one block of every column, and the dictionaries ([`DICTIONARY_BYTES_MAX`] each at most).
//! With a unit column: 40 bytes a row (twice that for a moment while the list grows) and the columns that fit in 1 GiB,
//! at least one; columns that do not fit are taken from another reading of the source.
//!
//! # Source
//! The byte format is `docs/snapshot.md`. Rules B3, B4, B6, D2, D3, G1, L8 of `docs/rules.md`.
//!
//! # Not promised
//! Whoever writes a whole new file with hashes of its own is found only by comparing [`Snapshot::digest`] with the
//! published commitment, which is the caller's part. The file is not encrypted.

mod batch;
mod cache;
mod dictionary;
mod error;
mod index;
mod memory;
mod number;
mod read;
mod row_key;
mod store;
mod watch;
mod write;

#[cfg(all(test, feature = "csv"))]
mod tests;

pub use batch::table_schema;
pub use dictionary::Dictionary;
pub use error::{PublishError, SnapshotError};
pub use memory::RecordTable;
pub use read::{CACHE_BYTES_DEFAULT, Cells, ColumnBlock, Snapshot, UnitBlock};
pub use row_key::RowKey;
pub use watch::Warning;
pub use write::{PublishProgress, Summary, write_snapshot};

/// Rows of a block, the last one of a column apart: 512 KiB of numbers, which hash and decode within the cache.
pub const BLOCK_ROWS: usize = 65_536;
/// The most rows of a snapshot (rule B3).
pub const ROWS_MAX: u64 = 1 << 40;
/// The most units of a snapshot.
pub const UNITS_MAX: u64 = 1 << 32;
/// The most different values of one text column: a dictionary and its lookup table stay within a few hundred MiB.
pub const DICTIONARY_VALUES_MAX: usize = 1 << 24;
/// The most bytes of all different values of one text column; also what 32-bit ends can address.
pub const DICTIONARY_BYTES_MAX: usize = 1 << 30;
/// The most bytes of one cell of a stored text column.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// The most blocks of a snapshot: with 10 stored columns 6.8 billion rows, and an index within its limit.
pub const BLOCKS_MAX: usize = 1 << 20;

// The sum of a column: rows times the greatest distance from 0, in steps, fits in 120 bits for all data (rule B3).
const _: () = assert!((ROWS_MAX as u128) * (1u128 << 63) < 1u128 << 120);
// Codes and ends fit in 32 bits, with one code to spare.
const _: () = assert!(DICTIONARY_VALUES_MAX < u32::MAX as usize && DICTIONARY_BYTES_MAX < 1 << 32);
