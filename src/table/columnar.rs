//! Files of columns: Parquet and Arrow IPC.

mod cells;
#[cfg(feature = "ipc")]
pub(super) mod ipc;
#[cfg(feature = "parquet")]
pub(super) mod parquet;
mod render;
#[cfg(feature = "parquet")]
mod thrift;

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Fields, SchemaRef};

use self::cells::{Cells, Refused};
use super::header::Header;
use super::regular::RegularFile;
use super::{
    ColumnKind, CsvOptions, Format, Position, RecordBatches, RecordSource, Records, SizeHint, TableColumn, TableError, TableSchema,
};
use crate::id::{ColumnName, Digest};

/// A file of columns, in a format that gives Arrow batches.
pub(super) struct ColumnarSource<C> {
    file: RegularFile,
    options: CsvOptions,
    schema: TableSchema,
    records: Option<u64>,
    format: PhantomData<fn() -> C>,
}

/// A format of columns: what a file says about itself, and its batches.
pub(super) trait Columnar: Sized {
    const FORMAT: Format;
    type Batches: Iterator<Item = Result<RecordBatch, Fault>> + Send;

    /// Reads what the file says about itself.
    fn open(file: File) -> Result<Self, Fault>;

    /// The columns.
    fn fields(&self) -> &Fields;

    /// How many records there are, if the file says it.
    fn records(&self) -> Option<u64>;

    /// The batches of the columns with these places, which are distinct and in order: at most `rows_max` rows each where
    /// the format can be cut, and fewer where rows are long.
    fn batches(self, columns: &[usize], rows_max: usize, bytes_max: usize) -> Result<Self::Batches, Fault>;
}

/// Why a library could not read; its own words may hold a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Malformed,
    Unsupported(&'static str),
    Read(io::ErrorKind),
}

impl Fault {
    fn after(self, records: u64, format: Format) -> TableError {
        match self {
            Self::Malformed => TableError::Malformed { format, records },
            Self::Unsupported(what) => TableError::Unsupported { format, what },
            Self::Read(kind) => TableError::Read { byte: 0, kind },
        }
    }
}

/// What a library does with a damaged file may be a panic.
fn guarded<T>(read: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(Fault::Malformed))
}

/// A file that ends too early is damaged; what else the system says is its own.
fn read_fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Malformed,
        kind => Fault::Read(kind),
    }
}

fn read_at(file: &mut File, at: u64, out: &mut [u8]) -> Result<(), Fault> {
    file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(out)).map_err(|error| read_fault(&error))
}

/// The size of a file.
fn len(file: &File) -> Result<u64, Fault> {
    Ok(file.metadata().map_err(|error| read_fault(&error))?.len())
}

impl<C: Columnar> ColumnarSource<C> {
    /// Opens a file for the columns of a schema, or for all of its own.
    pub(super) fn open(path: &Path, options: CsvOptions, wanted: Option<TableSchema>) -> Result<Self, TableError> {
        let file = RegularFile::new(path);
        let opened = file.open()?;
        let columnar = guarded(|| C::open(opened.file)).map_err(|fault| fault.after(0, C::FORMAT))?;
        let header = header(columnar.fields())?;
        let kind_of = |at: usize, name: &ColumnName| readable(columnar.fields()[at].data_type(), name);
        let schema = match wanted {
            Some(schema) => schema,
            None => header.schema(kind_of)?,
        };
        let source = Self { file, options, schema, records: columnar.records(), format: PhantomData };
        source.bind(&header, columnar.fields())?;
        drop(source.read()?);
        Ok(source)
    }

    /// The field of each column of the schema, counted from 1.
    fn bind(&self, header: &Header, fields: &Fields) -> Result<Arc<[u32]>, TableError> {
        let bound = header.bind(&self.schema, self.options.extra)?;
        for (column, &field) in self.schema.columns().iter().zip(bound.iter()) {
            readable(fields[field as usize - 1].data_type(), &column.name)?;
        }
        Ok(bound)
    }
}

fn header(fields: &Fields) -> Result<Header, TableError> {
    Header::new(fields.iter().map(|field| field.name().clone()).collect())
}

fn readable(data_type: &DataType, name: &ColumnName) -> Result<ColumnKind, TableError> {
    cells::kind_of(data_type).map_err(|refused| match refused {
        Refused::Nested => TableError::Nested { column: name.clone() },
        Refused::Type(found) => TableError::ColumnType { column: name.clone(), found },
    })
}

impl<C: Columnar> RecordSource for ColumnarSource<C> {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn version(&self) -> Result<String, TableError> {
        self.file.version()
    }

    fn digest(&self) -> Result<Digest, TableError> {
        self.file.digest()
    }

    fn read(&self) -> Result<RecordBatches<'_>, TableError> {
        let opened = self.file.open()?;
        let fault = |fault: Fault| fault.after(0, C::FORMAT);
        let columnar = guarded(|| C::open(opened.file)).map_err(fault)?;
        let fields = self.bind(&header(columnar.fields())?, columnar.fields())?;
        let expected = columnar.records();
        let mut places: Vec<usize> = fields.iter().map(|&field| field as usize - 1).collect();
        places.sort_unstable();
        let place = |&field: &u32| places.binary_search(&(field as usize - 1)).unwrap_or(0);
        let columns = fields.iter().map(place).collect();
        let (rows_max, bytes_max) = (self.options.batch_rows_max.max(1), self.options.batch_bytes_max.max(1));
        let batches = guarded(|| columnar.batches(&places, rows_max, bytes_max)).map_err(fault)?;
        Ok(Box::new(Batches::<C> {
            source: self,
            batches,
            arrow_schema: Records::arrow_schema(&self.schema),
            columns,
            fields,
            opened: opened.version,
            expected,
            records: 0,
            current: None,
            done: false,
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint { bytes: self.file.bytes(), records: self.records }
    }
}

impl<C: Columnar> fmt::Debug for ColumnarSource<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ColumnarSource");
        out.field("path", &self.file.path()).field("format", &C::FORMAT).field("schema", &self.schema).finish()
    }
}

/// One reading of a source.
struct Batches<'a, C: Columnar> {
    source: &'a ColumnarSource<C>,
    batches: C::Batches,
    arrow_schema: SchemaRef,
    /// Where each column of the schema is in a batch of the format.
    columns: Vec<usize>,
    fields: Arc<[u32]>,
    opened: String,
    expected: Option<u64>,
    /// How many records were given out.
    records: u64,
    current: Option<Current>,
    done: bool,
}

/// A batch of the format, given out in parts.
struct Current {
    batch: RecordBatch,
    /// The bytes of text of each row.
    sizes: Vec<usize>,
    /// The first row that is not given out.
    at: usize,
}

impl<C: Columnar> Batches<'_, C> {
    fn batch(&mut self) -> Result<Option<Records>, TableError> {
        loop {
            if let Some(current) = self.current.take().filter(|current| current.at < current.sizes.len()) {
                return self.part(current).map(Some);
            }
            match guarded(|| self.batches.next().transpose()).map_err(|fault| fault.after(self.records, C::FORMAT))? {
                Some(batch) => {
                    let sizes = self.sizes(&batch)?;
                    self.current = Some(Current { batch, sizes, at: 0 });
                }
                None if self.expected.is_some_and(|expected| expected != self.records) => {
                    return Err(Fault::Malformed.after(self.records, C::FORMAT));
                }
                None => return self.source.file.check_version(&self.opened).map(|()| None),
            }
        }
    }

    /// The bytes of text of each row, within the limits.
    fn sizes(&self, batch: &RecordBatch) -> Result<Vec<usize>, TableError> {
        let options = &self.source.options;
        let record_bytes_max = options.record_bytes_max.min(CsvOptions::RECORD_BYTES_CAP);
        let field_bytes_max = options.field_bytes_max.min(record_bytes_max);
        let mut sizes = vec![0usize; batch.num_rows()];
        for (column, &place) in self.columns.iter().enumerate() {
            let cells = Cells::new(batch.column(place).as_ref());
            let Some(length) = cells.length() else { continue };
            for (row, size) in sizes.iter_mut().enumerate() {
                let bytes = cells.index(row).map_or(0, &length);
                if bytes > field_bytes_max {
                    let position = self.position(row, Some(column));
                    return Err(TableError::FieldTooLong { position, most: field_bytes_max });
                }
                *size += bytes;
            }
        }
        match sizes.iter().position(|&size| size > record_bytes_max) {
            Some(row) => Err(TableError::RecordTooLong { position: self.position(row, None), most: record_bytes_max }),
            None => Ok(sizes),
        }
    }

    /// The next rows of a batch, as many as the limits of a batch allow.
    fn part(&mut self, mut current: Current) -> Result<Records, TableError> {
        let options = &self.source.options;
        let bytes_max = options.batch_bytes_max.min(CsvOptions::RECORD_BYTES_CAP);
        let mut bytes = 0;
        let fits = |size: &&usize| {
            let fits = bytes < bytes_max;
            bytes += **size;
            fits
        };
        let rows = current.sizes[current.at..].iter().take(options.batch_rows_max.max(1)).take_while(fits).count().max(1);
        let start = current.at;
        let batch =
            guarded(|| Ok(self.convert(&current.batch.slice(start, rows)))).map_err(|fault| fault.after(self.records, C::FORMAT))??;
        let records = Records::new(&self.source.schema, batch, self.records + 1)?.located(None, Arc::clone(&self.fields));
        current.at += rows;
        self.current = Some(current);
        self.records += rows as u64;
        Ok(records)
    }

    fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch, TableError> {
        let columns = self.source.schema.columns();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(columns.len());
        let mut first_bad: Option<(usize, usize)> = None;
        for (at, (column, &place)) in columns.iter().zip(&self.columns).enumerate() {
            match Cells::new(batch.column(place).as_ref()).array(column.kind) {
                Ok(array) => arrays.push(array),
                Err(row) if first_bad.is_none_or(|(first, _)| row < first) => first_bad = Some((row, at)),
                Err(_) => {}
            }
        }
        if let Some((row, at)) = first_bad {
            let position = self.position(row, Some(at));
            let TableColumn { name, kind } = columns[at].clone();
            return Err(match kind {
                ColumnKind::Integer => TableError::NotInteger { position, column: name },
                _ => TableError::NotUtf8 { position, column: name },
            });
        }
        // An error of Arrow may hold a cell: only its place is kept.
        RecordBatch::try_new(Arc::clone(&self.arrow_schema), arrays)
            .map_err(|_| TableError::Batch { column: 1, expected: columns[0].kind.as_str() })
    }

    /// The place of a row, counted from what is given out already.
    fn position(&self, row: usize, column: Option<usize>) -> Position {
        Position { record: self.records + row as u64 + 1, field: column.map(|column| self.fields[column]), byte: None }
    }
}

impl<C: Columnar> Iterator for Batches<'_, C> {
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
