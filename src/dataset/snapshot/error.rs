//! Why a snapshot cannot be made, and why one cannot be used.

use std::io;

use crate::class::Class;
use crate::codec::CodecError;
use crate::file::OutputError;
use crate::id::ColumnName;
use crate::table::{Position, TableError};
use crate::value::DIGITS_MAX;

/// Why no snapshot was made. No variant holds a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The records cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The source was opened with other columns than [`table_schema`](super::table_schema) says.
    #[error("the source does not have the columns of the description, in its order")]
    Schema,
    /// The description calls a column by what is a cell.
    #[error(
        "the name of column {column} of the description is a cell by its form ({kind}); describe the columns of a file without a header as c1, c2, ... with header = false"
    )]
    NameIsData {
        /// The column of the description, counted from 1.
        column: usize,
        /// The kind whose form it has.
        kind: &'static str,
    },
    /// A null where none was declared.
    #[error("{position}: column {column} is empty; declare nullable = true if that may be")]
    Null {
        /// Where.
        position: Position,
        /// The column.
        column: ColumnName,
    },
    /// A cell of a real column is something else.
    #[error("{position}: column {column} is not a number such as -12.50, 1,234.5, 1e-3, inf or NaN")]
    NotANumber {
        /// Where.
        position: Position,
        /// The column.
        column: ColumnName,
    },
    /// A number is too long to be exact.
    #[error("{position}: column {column} has more than {DIGITS_MAX} digits")]
    TooManyDigits {
        /// Where.
        position: Position,
        /// The column.
        column: ColumnName,
    },
    /// A text is too long to ask questions about.
    #[error("{position}: column {column} is longer than {most} bytes; a column of grade 4 or without `use` may be")]
    TextTooLong {
        /// Where.
        position: Position,
        /// The column.
        column: ColumnName,
        /// The limit.
        most: usize,
    },
    /// A column has too many values.
    #[error("column {column} has more than {most} {what}; leave it without `use`")]
    Dictionary {
        /// The column.
        column: ColumnName,
        /// Of what.
        what: &'static str,
        /// The limit.
        most: u64,
    },
    /// There are too many of something.
    #[error("more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        most: u64,
    },
    /// The caller wanted it to end.
    #[error("cancelled; nothing was written")]
    Cancelled,
}

impl PublishError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Table(error) => error.class(),
            Self::Output(error) => error.class(),
            Self::Cancelled => Class::Interrupted,
            _ => Class::BadInput,
        }
    }
}

/// Why a snapshot cannot be used. Blocks count from 0, columns of the schema from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The system failed.
    #[error("the snapshot cannot be read: {0}")]
    Io(io::ErrorKind),
    /// Other bytes, another version, or cut off.
    #[error("not a whole snapshot of format 1")]
    NotASnapshot,
    /// The index is no index.
    #[error("the index of the snapshot is damaged: {0}")]
    Index(#[from] CodecError),
    /// It belongs to another dataset.
    #[error("the snapshot has another schema than the description")]
    OtherSchema,
    /// The parts of the file contradict each other.
    #[error("the snapshot is damaged: {what}")]
    Layout {
        /// What is wrong.
        what: &'static str,
    },
    /// The values of a text column are not what was written.
    #[error("the snapshot is damaged: the dictionary of column {column}")]
    Dictionary {
        /// The column.
        column: usize,
    },
    /// A block is not what was written.
    #[error("the snapshot is damaged: block {block} of column {column}")]
    Block {
        /// The column.
        column: usize,
        /// The block.
        block: usize,
    },
    /// A block of the units is not what was written.
    #[error("the snapshot is damaged: block {block} of the units")]
    UnitBlock {
        /// The block.
        block: usize,
    },
    /// The column is not stored because it has no use, the block lies behind the end, or the unit is a row.
    #[error("the snapshot does not store that")]
    NotStored,
}

impl SnapshotError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Io(_) => Class::Environment,
            Self::NotStored => Class::BadInput,
            _ => Class::Doubt,
        }
    }
}
