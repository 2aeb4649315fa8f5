//! CSV as a stream of batches.

mod block;
mod decode;
mod reader;
mod scan;

use std::fmt;
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use self::block::Block;
use self::reader::Reader;
use super::header::Header;
use super::regular::RegularFile;
use super::{Encoding, ExtraColumns, RecordBatches, RecordSource, Records, SizeHint, TableError, TableSchema};
use crate::id::Digest;

/// A CSV file (or text in memory), read as a stream.
///
/// - The first record names the columns; those of the schema are found by name, in any order. Without a header
///   ([`CsvOptions::header`]) the first record is data, and the columns are `c1`, `c2`, ... in the order of its fields.
/// - Fields follow RFC 4180: quotes around a field, two quotes for one, delimiters and line ends inside quotes.
///   A quote inside an unquoted field stands for itself, and text after a closing quote belongs to the field.
/// - Lines end in LF, CR LF or CR; empty lines are skipped; a byte order mark at the start is skipped, and refused if it
///   is that of another encoding.
/// - GB 18030 is decoded as a stream; a sequence that it does not have is an error, never a replaced character.
/// - An empty field is null, quoted or not. Blanks belong to the field: nothing is trimmed.
/// - Text and real columns must be UTF-8; NUL is a character like others. Columns outside the schema are not looked at.
/// - Integers are an optional sign and ASCII digits.
///
/// A file that changes while it is read is [`TableError::Changed`] at the end of the reading.
#[derive(Clone)]
pub struct CsvSource {
    origin: Origin,
    options: CsvOptions,
    schema: TableSchema,
    /// How many fields the first record has, where it is no header.
    width: Option<usize>,
}

/// How a CSV file is written, and the limits of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvOptions {
    /// What stands between fields; a comma unless told.
    pub delimiter: u8,
    /// The encoding; UTF-8 unless told. Places in other encodings are told without their byte.
    pub encoding: Encoding,
    /// Whether the first record names the columns; true unless told. Without it they are `c1`, `c2`, ...
    pub header: bool,
    /// What to do with columns that the schema does not have.
    pub extra: ExtraColumns,
    /// The most bytes of a field.
    pub field_bytes_max: usize,
    /// The most bytes of a record, quotes and delimiters not counted; at most [`CsvOptions::RECORD_BYTES_CAP`].
    pub record_bytes_max: usize,
    /// A batch ends after this many records.
    pub batch_rows_max: usize,
    /// A batch ends with the record that reaches this many bytes; at most [`CsvOptions::RECORD_BYTES_CAP`].
    pub batch_bytes_max: usize,
}

#[derive(Clone)]
enum Origin {
    File(RegularFile),
    Bytes(Arc<[u8]>),
}

impl CsvOptions {
    /// 16 MiB: above any cell of a register, below what hurts a small machine (rule L6).
    pub const FIELD_BYTES_MAX: usize = 16 << 20;
    /// 64 MiB: four fields at their limit.
    pub const RECORD_BYTES_MAX: usize = 64 << 20;
    /// 512 MiB: with a batch and a record at this size the 32-bit offsets of Arrow still reach.
    pub const RECORD_BYTES_CAP: usize = 512 << 20;
    /// 8,192 records: more do not read faster.
    pub const BATCH_ROWS_MAX: usize = 8192;
    /// 4 MiB: a batch stays near the cache.
    pub const BATCH_BYTES_MAX: usize = 4 << 20;

    fn check(&self) -> Result<(), TableError> {
        let delimiter = self.delimiter;
        if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\r' | b'\n' | 0) {
            return Err(TableError::Delimiter { delimiter });
        }
        Ok(())
    }
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: b',',
            encoding: Encoding::Utf8,
            header: true,
            extra: ExtraColumns::Ignore,
            field_bytes_max: Self::FIELD_BYTES_MAX,
            record_bytes_max: Self::RECORD_BYTES_MAX,
            batch_rows_max: Self::BATCH_ROWS_MAX,
            batch_bytes_max: Self::BATCH_BYTES_MAX,
        }
    }
}

impl CsvSource {
    /// Opens a file and checks its header.
    ///
    /// # Errors
    /// When the file cannot be read, is empty or is not a regular file; when the header lacks a column of the schema, has
    /// a name twice, or has a column that is refused; when the delimiter cannot be one.
    pub fn open(path: impl AsRef<Path>, options: CsvOptions, schema: TableSchema) -> Result<Self, TableError> {
        Self::checked(Origin::File(RegularFile::new(path.as_ref())), options, schema)
    }

    /// Takes CSV text from memory and checks its header.
    ///
    /// # Errors
    /// As [`CsvSource::open`], except for those of files.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>, options: CsvOptions, schema: TableSchema) -> Result<Self, TableError> {
        Self::checked(Origin::Bytes(bytes.into()), options, schema)
    }

    /// Opens a file for all of its columns, as text.
    #[cfg(feature = "embedded")]
    pub(super) fn open_whole(path: &Path, options: CsvOptions) -> Result<Self, TableError> {
        options.check()?;
        let file = RegularFile::new(path);
        let mut reader = Reader::new(file.open()?.file, &options);
        let header = if options.header { Header::new(reader.header()?)? } else { Header::numbered(reader.width()?)? };
        let schema = header.schema(|_, _| Ok(super::ColumnKind::Text));
        // What stands between the fields is asked first: without it there is no telling what they are.
        if let Some(found) = header.other_delimiter(options.delimiter) {
            return Err(TableError::OneField { found });
        }
        Self::checked(Origin::File(file), options, schema?)
    }

    fn checked(origin: Origin, options: CsvOptions, schema: TableSchema) -> Result<Self, TableError> {
        options.check()?;
        let width = match (options.header, &origin) {
            (true, _) => None,
            (false, Origin::File(file)) => Some(Reader::new(file.open()?.file, &options).width()?),
            (false, Origin::Bytes(bytes)) => Some(Reader::new(&bytes[..], &options).width()?),
        };
        let source = Self { origin, options, schema, width };
        drop(source.read()?);
        Ok(source)
    }

    fn batches<'a, R: Read + Send + 'a>(&'a self, input: R, opened: Option<String>) -> Result<RecordBatches<'a>, TableError> {
        let mut reader = Reader::new(input, &self.options);
        let header = match self.width {
            Some(width) => reader.begin().and_then(|()| Header::numbered(width))?,
            None => Header::new(reader.header()?)?,
        };
        let columns = header.bind(&self.schema, self.options.extra)?;
        let block = Block::new(header.len(), self.options.batch_rows_max);
        Ok(Box::new(Batches {
            source: self,
            reader,
            block,
            columns,
            arrow_schema: Records::arrow_schema(&self.schema),
            opened,
            failed: None,
            done: false,
        }))
    }
}

impl RecordSource for CsvSource {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn version(&self) -> Result<String, TableError> {
        match &self.origin {
            Origin::File(file) => file.version(),
            Origin::Bytes(bytes) => Ok(Digest::of(bytes).to_string()),
        }
    }

    fn digest(&self) -> Result<Digest, TableError> {
        match &self.origin {
            Origin::File(file) => file.digest(),
            Origin::Bytes(bytes) => Ok(Digest::of(bytes)),
        }
    }

    fn read(&self) -> Result<RecordBatches<'_>, TableError> {
        match &self.origin {
            Origin::File(file) => {
                let opened = file.open()?;
                self.batches(opened.file, Some(opened.version))
            }
            Origin::Bytes(bytes) => self.batches(Cursor::new(Arc::clone(bytes)), None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = match &self.origin {
            Origin::File(file) => file.bytes(),
            Origin::Bytes(bytes) => Some(bytes.len() as u64),
        };
        SizeHint { bytes, records: None }
    }
}

impl fmt::Debug for CsvSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("CsvSource");
        match &self.origin {
            Origin::File(file) => out.field("path", &file.path()),
            Origin::Bytes(bytes) => out.field("bytes", &bytes.len()),
        };
        out.field("options", &self.options).field("schema", &self.schema).finish()
    }
}

/// One reading of a source.
struct Batches<'a, R> {
    source: &'a CsvSource,
    reader: Reader<R>,
    block: Block,
    columns: Arc<[u32]>,
    arrow_schema: SchemaRef,
    /// The version at the start, if it can change.
    opened: Option<String>,
    /// An error that stands behind records still to be given out.
    failed: Option<TableError>,
    done: bool,
}

impl<R: Read> Batches<'_, R> {
    fn batch(&mut self) -> Result<Option<Records>, TableError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let options = &self.source.options;
        let bytes_max = options.batch_bytes_max.min(CsvOptions::RECORD_BYTES_CAP);
        self.block.clear();
        while !self.block.is_full(bytes_max) {
            match self.reader.records(&mut self.block, bytes_max) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        match (self.block.rows(), self.failed.take()) {
            (0, Some(error)) => Err(error),
            (0, None) => self.check_version().map(|()| None),
            (_, failed) => {
                self.failed = failed;
                self.records().map(Some)
            }
        }
    }

    fn records(&self) -> Result<Records, TableError> {
        let schema = &self.source.schema;
        let mut arrays = Vec::with_capacity(schema.columns().len());
        let mut first_bad: Option<(usize, usize)> = None;
        for (column, &field) in self.columns.iter().enumerate() {
            match self.block.array(schema.columns()[column].kind, field as usize - 1) {
                Ok(array) => arrays.push(array),
                Err(row) if first_bad.is_none_or(|(first, _)| row < first) => first_bad = Some((row, column)),
                Err(_) => {}
            }
        }
        let first_record = self.reader.records_read() - self.block.rows() as u64 + 1;
        if let Some((row, column)) = first_bad {
            let position = super::Position {
                record: first_record + row as u64,
                field: Some(self.columns[column]),
                byte: self.has_bytes().then(|| self.block.begins()[row]),
            };
            let declared = &schema.columns()[column];
            let column = declared.name.clone();
            return Err(match declared.kind {
                super::ColumnKind::Integer => TableError::NotInteger { position, column },
                _ => TableError::NotUtf8 { position, column },
            });
        }
        // An error of Arrow may hold a cell: only its place is kept.
        let batch = RecordBatch::try_new(Arc::clone(&self.arrow_schema), arrays)
            .map_err(|_| TableError::Batch { column: 1, expected: schema.columns()[0].kind.as_str() })?;
        let records = Records::new(schema, batch, first_record)?;
        Ok(records.located(self.has_bytes().then(|| self.block.begins().to_vec()), Arc::clone(&self.columns)))
    }

    /// Places count the bytes of UTF-8, which are not those of a file in another encoding.
    fn has_bytes(&self) -> bool {
        self.source.options.encoding == Encoding::Utf8
    }

    fn check_version(&self) -> Result<(), TableError> {
        match (&self.source.origin, &self.opened) {
            (Origin::File(file), Some(opened)) => file.check_version(opened),
            _ => Ok(()),
        }
    }
}

impl<R: Read> Iterator for Batches<'_, R> {
    type Item = Result<Records, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.batch().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests;
