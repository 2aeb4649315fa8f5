//! Files of records, whatever they are written in.

use std::fmt;
use std::path::Path;

use crate::id::Digest;

use super::{CsvOptions, CsvSource, Format, RecordBatches, RecordSource, SizeHint, TableError, TableSchema};

#[cfg(any(feature = "parquet", feature = "ipc"))]
use super::columnar::ColumnarSource;
#[cfg(feature = "ipc")]
use super::columnar::ipc::Ipc;
#[cfg(feature = "parquet")]
use super::columnar::parquet::Parquet;

/// A file of records: CSV, Parquet or Arrow IPC.
///
/// - Columns are found by name. Text columns are UTF-8, integers 64 bits, reals decimal text without an exponent.
/// - Of Parquet and Arrow: `true` and `false`, dates and times (ISO 8601, UTC with a `Z`) are text; not-a-number is null;
///   decimals are exact; bytes are text if they are UTF-8. Dictionaries are looked up. Nested columns are refused.
/// - A batch holds at most the rows and about the bytes of [`CsvOptions`], in every format; so do the limits of a field.
/// - A file that changes while it is read is [`TableError::Changed`] at the end of the reading.
///
/// # Not promised
/// Memory is that of a batch, and for Parquet of one page a column (at most 256 MiB), for Arrow IPC of one record batch of
/// the file (at most 1 GiB), of the columns that are read: what their writers chose. A damaged page or buffer of gzip or
/// LZ4 frames that grows beyond what it says may take more before it is refused. The readers of Parquet and Arrow are those
/// of the Arrow project: what of a damaged file this crate's own checks let through and they do not survive ends as
/// [`TableError::Malformed`], and the panic hook of the process prints that panic.
pub struct FileSource {
    inner: Inner,
}

/// How a file is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// The format; without it, [`Format::of_path`] says, and CSV is what it does not know.
    pub format: Option<Format>,
    /// How CSV is written, and the limits for every format.
    pub csv: CsvOptions,
}

enum Inner {
    Csv(CsvSource),
    #[cfg(feature = "parquet")]
    Parquet(ColumnarSource<Parquet>),
    #[cfg(feature = "ipc")]
    Ipc(ColumnarSource<Ipc>),
}

impl FileSource {
    /// Opens a file for its own columns; those of CSV are text.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or not a regular file; when its format is not built in, the names of its
    /// columns cannot be, or a column is nested.
    pub fn open(path: impl AsRef<Path>, options: &FileOptions) -> Result<Self, TableError> {
        Self::open_with(path.as_ref(), options, None)
    }

    /// Opens a file for the columns of a schema.
    ///
    /// # Errors
    /// As [`FileSource::open`], of the columns that are wanted; and when one of them is missing.
    pub fn open_as(path: impl AsRef<Path>, options: &FileOptions, schema: TableSchema) -> Result<Self, TableError> {
        Self::open_with(path.as_ref(), options, Some(schema))
    }

    fn open_with(path: &Path, options: &FileOptions, schema: Option<TableSchema>) -> Result<Self, TableError> {
        let csv = options.csv.clone();
        let inner = match (options.format.or_else(|| Format::of_path(path)).unwrap_or(Format::Csv), schema) {
            (Format::Csv, Some(schema)) => Inner::Csv(CsvSource::open(path, csv, schema)?),
            (Format::Csv, None) => Inner::Csv(CsvSource::open_whole(path, csv)?),
            #[cfg(feature = "parquet")]
            (Format::Parquet, schema) => Inner::Parquet(ColumnarSource::open(path, csv, schema)?),
            #[cfg(feature = "ipc")]
            (Format::Ipc, schema) => Inner::Ipc(ColumnarSource::open(path, csv, schema)?),
            #[cfg(not(all(feature = "parquet", feature = "ipc")))]
            (format, _) => return Err(TableError::NotBuilt { format }),
        };
        Ok(Self { inner })
    }

    /// What the file is written in.
    #[must_use]
    pub fn format(&self) -> Format {
        match &self.inner {
            Inner::Csv(_) => Format::Csv,
            #[cfg(feature = "parquet")]
            Inner::Parquet(_) => Format::Parquet,
            #[cfg(feature = "ipc")]
            Inner::Ipc(_) => Format::Ipc,
        }
    }

    fn source(&self) -> &dyn RecordSource {
        match &self.inner {
            Inner::Csv(source) => source,
            #[cfg(feature = "parquet")]
            Inner::Parquet(source) => source,
            #[cfg(feature = "ipc")]
            Inner::Ipc(source) => source,
        }
    }
}

impl RecordSource for FileSource {
    fn schema(&self) -> &TableSchema {
        self.source().schema()
    }

    fn version(&self) -> Result<String, TableError> {
        self.source().version()
    }

    fn digest(&self) -> Result<Digest, TableError> {
        self.source().digest()
    }

    fn read(&self) -> Result<RecordBatches<'_>, TableError> {
        self.source().read()
    }

    fn size_hint(&self) -> SizeHint {
        self.source().size_hint()
    }
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner {
            Inner::Csv(source) => source.fmt(f),
            #[cfg(feature = "parquet")]
            Inner::Parquet(source) => source.fmt(f),
            #[cfg(feature = "ipc")]
            Inner::Ipc(source) => source.fmt(f),
        }
    }
}
