//! Datasets: what the data is, which questions it can take, and its versions (数据集).
//!
//! A [`Description`] is the owner's public word about a dataset: privacy unit, columns with their bounds, declared
//! values and uses, budget. It comes from knowledge of the field, never from the data. A [`Publication`] signs it
//! together with a commitment to the first snapshot; the hash of its payload is the dataset's id. Later versions
//! change data only, and budget and rights stay with the lineage.
//!
//! ```text
//! description --sign--> Publication --> DatasetId        Card: what a grant and a request need to know
//!                            |
//! records ----> Snapshot ----+ commitment                NewVersion: the same dataset, other data
//! ```
//!
//! # Source
//! Rules A3, B1 to B7, D3 of `docs/rules.md`.

mod card;
mod column;
mod description;
#[cfg(feature = "embedded")]
mod file;
mod publication;
mod publication_file;
mod schema;
#[cfg(feature = "embedded")]
mod snapshot;

pub use card::Card;
pub use column::{Bounds, Column, ColumnType, GridStep, Use, Uses, Values};
pub use description::{Description, Draft, QUANTUM_MS_MAX};
#[cfg(feature = "embedded")]
#[cfg(feature = "embedded")]
pub use file::{DataFile, DescriptionFile};
pub use publication::{NewVersion, Publication, Refill};
pub use publication_file::PublicationFile;
pub use schema::{Contribution, Schema, Unit};
#[cfg(feature = "embedded")]
pub use snapshot::{
    BLOCK_ROWS, BLOCKS_MAX, CACHE_BYTES_DEFAULT, Cells, ColumnBlock, DICTIONARY_BYTES_MAX, DICTIONARY_VALUES_MAX, Dictionary, PublishError,
    PublishProgress, ROWS_MAX, RecordTable, RowKey, Snapshot, SnapshotError, Summary, TEXT_BYTES_MAX, UNITS_MAX, UnitBlock, Warning,
    table_schema, write_snapshot,
};

use crate::class::Class;
use crate::id::ColumnName;

/// Why a description is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// Something about one column.
    #[error("column {column}: {problem}")]
    Column {
        /// The column.
        column: ColumnName,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// Something about the dataset.
    #[error("{0}")]
    Dataset(&'static str),
    /// Too many of something.
    #[error("{what}: {found}, at most {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A name, number or amount that is none.
    #[error("{place}: {problem}")]
    Value {
        /// Which field.
        place: String,
        /// Why it is refused.
        problem: String,
    },
    /// The file is not TOML of this shape.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    Toml(#[from] crate::file::TomlError),
    /// The file cannot be read.
    #[cfg(feature = "embedded")]
    #[error(transparent)]
    File(#[from] crate::file::ReadError),
}

impl DescriptionError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            #[cfg(feature = "embedded")]
            Self::File(error) => error.class(),
            _ => Class::BadInput,
        }
    }
}
