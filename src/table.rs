//! Records from outside (表): a declared schema, a source that can be read again, and files that appear whole or not at all.
//!
//! ```text
//! people.csv, .parquet, .arrow --> FileSource --\
//! text in memory ----------------> CsvSource -----> RecordSource --> Records (Arrow batch + where each record stands)
//! embedder's own source --------------------------/
//!
//! emitted batches --Preparer--> FileSink --> file::Output (.NAME.PID-N.part) --commit--> NAME
//! ```
//!
//! What this module promises:
//! - Memory is constant: a source yields batches of bounded size, and limits hold before anything is allocated for them.
//! - No error, `Debug` or log line of this module holds a cell. Errors say what, and where: record, field, byte.
//! - A header that is a cell by its form names no column: the file is refused by the place of the field.
//! - What was read is what the [`RecordSource::version`] names: a file that changes while it is read is an error.
//! - Numbers do not pass a float: integers are parsed as integers, real columns stay the decimal text they were written as.
//!
//! ```
//! # #[cfg(feature = "csv")] {
//! use usufruct::id::ColumnName;
//! use usufruct::table::{TableColumn, ColumnKind, CsvOptions, CsvSource, RecordSource, TableSchema};
//!
//! let schema = TableSchema::new(vec![
//!     TableColumn { name: ColumnName::new("sex")?, kind: ColumnKind::Text },
//!     TableColumn { name: ColumnName::new("age")?, kind: ColumnKind::Integer },
//! ])?;
//! let source = CsvSource::from_bytes(&b"age,sex\n39,Male\n,Female\n"[..], CsvOptions::default(), schema)?;
//! for records in source.read()? {
//!     let records = records?;
//!     assert_eq!(format!("{records:?}"), "Records(2 x 2)");
//! }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! RFC 4180 for CSV, as far as [`CsvSource`] says; Apache Parquet and the Arrow columnar format by the readers and writers of
//! the Arrow project; GB 18030 by the Encoding Standard. Rules G1, H4, H9, L2 of `docs/rules.md`.
//!
//! # Not promised
//! A version string of a file tells an honest change, not a forged one: it is made of size, times and inode.

#[cfg(any(feature = "parquet", feature = "ipc"))]
mod columnar;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "embedded")]
mod file;
mod format;
#[cfg(feature = "csv")]
mod header;
#[cfg(feature = "csv")]
#[cfg(feature = "embedded")]
mod parallel;
mod records;
#[cfg(feature = "csv")]
mod regular;
mod schema;
#[cfg(feature = "embedded")]
mod sink;

use std::io;
use std::path::PathBuf;

use crate::class::Class;
use crate::id::{ColumnName, Digest};

#[cfg(feature = "csv")]
pub use csv::{CsvOptions, CsvSource};
#[cfg(feature = "embedded")]
pub use file::{FileOptions, FileSource};
pub use format::{Encoding, Format};
#[cfg(feature = "csv")]
pub use header::ExtraColumns;
#[cfg(feature = "embedded")]
pub use parallel::in_order;
pub use records::{Position, Records};
pub use schema::{COLUMNS_MAX, ColumnKind, TableColumn, TableSchema};
#[cfg(all(feature = "embedded", any(test, feature = "hazmat")))]
pub use sink::RawRows;
#[cfg(feature = "embedded")]
pub(crate) use sink::sealed;
#[cfg(feature = "embedded")]
pub use sink::{FileSink, Finished, Leaving, Prepared, Preparer, SinkError, SinkOptions};

/// The batches of one reading; after an error it ends.
pub type RecordBatches<'a> = Box<dyn Iterator<Item = Result<Records, TableError>> + Send + 'a>;

/// Records that can be read again, in the same order, as often as needed.
///
/// # Contract
/// 1. Every reading under one version yields the same records in the same order.
/// 2. Every batch has the columns of [`RecordSource::schema`], in that order ([`Records::new`] checks it).
/// 3. Records are counted from 1 without gaps, over all batches.
pub trait RecordSource {
    /// The columns of every batch.
    fn schema(&self) -> &TableSchema;

    /// A text that names the state of the data: equal before and after a reading, or the reading does not count.
    ///
    /// # Errors
    /// When the state cannot be found out.
    fn version(&self) -> Result<String, TableError>;

    /// Starts a reading from the first record.
    ///
    /// # Errors
    /// When the source cannot be opened or does not have the columns of the schema.
    fn read(&self) -> Result<RecordBatches<'_>, TableError>;

    /// A digest of the data, for a commitment to it: of the bytes of a file, of the version unless there are any.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn digest(&self) -> Result<Digest, TableError> {
        Ok(Digest::of(self.version()?.as_bytes()))
    }

    /// How much there is to read, for progress only.
    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// What is known beforehand about the size of a source; for progress, never for allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeHint {
    /// Bytes, comparable with [`Position::byte`].
    pub bytes: Option<u64>,
    /// Records.
    pub records: Option<u64>,
}

/// What to do about a file without a header, on the command line, in the library and in a description.
const NO_HEADER: &str = "if the file has no header, say so (`--no-header`, `CsvOptions::header`, or `header = false` of a description)";

const ENCODING: &str = "`--encoding gb18030`, `CsvOptions::encoding`";

const DELIMITER: &str = "`--delimiter`, `CsvOptions::delimiter`";

/// Why records could not be read. No variant holds a cell, nor an error of a library that has seen one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be opened.
    #[error("cannot open {path:?}: {kind}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// Folders and pipes cannot be read twice.
    #[error("{path:?} is not a regular file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Reading failed on the way.
    #[error("reading failed after byte {byte}: {kind}")]
    Read {
        /// How many bytes had been read.
        byte: u64,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// The source is not what it was when the reading began.
    #[error("the source changed while it was read; read it again when nobody writes to it")]
    Changed,
    /// A schema needs a column.
    #[error("a schema has 1 to {most} columns, found {found}")]
    ColumnCount {
        /// The most columns.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// Two columns of a schema have one name.
    #[error("the schema names column {:?} twice", column.as_str())]
    DuplicateColumn {
        /// The column.
        column: ColumnName,
    },
    /// A batch has other columns than its schema.
    #[error("the batch does not match its schema at column {column}, counted from 1: {expected} expected")]
    Batch {
        /// The column, counted from 1.
        column: usize,
        /// Its kind in the schema, or that none is left.
        expected: &'static str,
    },
    /// Not usable between fields.
    #[error("the delimiter must be one ASCII character other than a quote, a line end or NUL, found byte {delimiter}")]
    Delimiter {
        /// The byte.
        delimiter: u8,
    },
    /// Not even a header.
    #[error("the file is empty; it needs a first record, which names the columns or, with `--no-header`, is data")]
    Empty,
    /// The names of the columns are not UTF-8.
    #[error("the name in field {field} of the header is not UTF-8; say the encoding ({}), or save the file as UTF-8", ENCODING)]
    HeaderNotUtf8 {
        /// The field, counted from 1.
        field: u32,
    },
    /// The file starts with the mark of another encoding.
    #[error("the file begins with the mark of {found}, not with {wanted}; save it as {wanted}, or say its encoding")]
    OtherEncoding {
        /// The encoding of the mark.
        found: &'static str,
        /// The encoding that was said.
        wanted: Encoding,
    },
    /// A sequence of bytes that the encoding does not have.
    #[error("{position}: not {encoding}; check the encoding of the file")]
    Malencoded {
        /// Where.
        position: Position,
        /// The encoding.
        encoding: Encoding,
    },
    /// A field of the header cannot be the name of a column.
    #[error(
        "field {field} of the header is no name: 1 to 128 bytes of text in normalisation form C without control characters; {}",
        NO_HEADER
    )]
    HeaderName {
        /// The field, counted from 1.
        field: u32,
    },
    /// Two fields of the header are equal.
    #[error("fields {first} and {second} of the header have the same name; {}", NO_HEADER)]
    DuplicateHeader {
        /// The earlier field, counted from 1.
        first: u32,
        /// The later field, counted from 1.
        second: u32,
    },
    /// A field of the header is what a cell would be: the first record is data, and no name of it may stand anywhere.
    #[error("field {field} of the header is a cell by its form ({kind}); {}, and if it has one, rename that column", NO_HEADER)]
    HeaderIsData {
        /// The field, counted from 1.
        field: u32,
        /// The kind whose form it has, in the words of `grade::Kind`, or by a recogniser of the user's; `number` for digits that are
        /// too many for a name.
        kind: String,
    },
    /// The whole header is one field, with what stands between fields elsewhere.
    #[error("the header is one field with {found:?} in it; say what stands between the fields ({})", DELIMITER)]
    OneField {
        /// What may be the delimiter.
        found: char,
    },
    /// A column of the schema is not in the file.
    #[error("column {:?} is not among the {fields} fields of the header; check the name and the delimiter", column.as_str())]
    MissingColumn {
        /// The column.
        column: ColumnName,
        /// How many fields the header has.
        fields: usize,
    },
    /// The file has a column that the schema has not.
    #[error("field {field} of the header is not a column of the schema")]
    ExtraColumn {
        /// The field, counted from 1.
        field: u32,
    },
    /// A record has more or fewer fields than the header.
    #[error("{position}: {expected} fields expected, {found} found")]
    Ragged {
        /// Where.
        position: Position,
        /// Fields of the header.
        expected: usize,
        /// Fields of the record.
        found: usize,
    },
    /// A quoted field does not end.
    #[error("{position}: a quoted field does not end before the file does")]
    UnclosedQuote {
        /// Where the record begins.
        position: Position,
    },
    /// A field is too long.
    #[error("{position}: a field is longer than {most} bytes")]
    FieldTooLong {
        /// Where.
        position: Position,
        /// The limit.
        most: usize,
    },
    /// A record is too long.
    #[error("{position}: the record is longer than {most} bytes")]
    RecordTooLong {
        /// Where.
        position: Position,
        /// The limit.
        most: usize,
    },
    /// A text is not UTF-8.
    #[error("{position}: column {:?} is not UTF-8; check the encoding of the file", column.as_str())]
    NotUtf8 {
        /// Where.
        position: Position,
        /// The column.
        column: ColumnName,
    },
    /// A cell of an integer column is something else.
    #[error("{position}: column {:?} is not an integer between -2^63 and 2^63 - 1", column.as_str())]
    NotInteger {
        /// Where.
        position: Position,
        /// The column.
        column: ColumnName,
    },
    /// This build does not read such files.
    #[error("this build does not read {format}; build it with the feature `{}`", format.as_str())]
    NotBuilt {
        /// The format.
        format: Format,
    },
    /// The file is damaged, cut off, or of another format.
    #[error("not readable as {format} after {records} records: damaged, cut off, or not {format}")]
    Malformed {
        /// The format.
        format: Format,
        /// How many records had been read.
        records: u64,
    },
    /// The file is whole, but uses a part of its format that is not read.
    #[error("{format}: {what} is not read; write the file without it")]
    Unsupported {
        /// The format.
        format: Format,
        /// The part.
        what: &'static str,
    },
    /// A column holds more than one value a cell.
    #[error("column {:?} is nested (list, struct or map); flatten it first", column.as_str())]
    Nested {
        /// The column.
        column: ColumnName,
    },
    /// A column is of a type that is neither text nor a number.
    #[error("column {:?} is of a type that is not read: {found}; write it as text or as a number", column.as_str())]
    ColumnType {
        /// The column.
        column: ColumnName,
        /// The type.
        found: &'static str,
    },
}

impl TableError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Open { kind, .. } => Class::of_io(*kind),
            Self::Read { .. } | Self::Changed => Class::Environment,
            _ => Class::BadInput,
        }
    }
}
