//! Files of emitted records.

mod csv;
mod hashed;
#[cfg(feature = "ipc")]
mod ipc;
#[cfg(feature = "parquet")]
mod parquet;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array as _, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use self::hashed::Hashed;
use super::Format;
use crate::class::Class;
use crate::file::{Output, OutputError, OutputOptions};
use crate::id::Digest;

/// A file of records under way, in any format, hashed as it is written.
///
/// ```text
/// workers   Leaving --Preparer--> Prepared ------\
/// one                                             FileSink::write --> finish --> Finished (digest) --commit--> the file
/// ```
/// The file holds nothing but what follows from the emitted rows, their order and the names and types of the columns:
/// batches are written under a schema of the sink's own, and what stands in a buffer under a null, before or behind the
/// rows of a slice is not written. There are no key-value metadata, no schema of Arrow within Parquet, no page indexes and
/// no bloom filters; dictionaries and statistics of Parquet are made from the emitted values. The same batches make the
/// same bytes.
///
/// CSV is RFC 4180 in UTF-8 with LF: quotes where a field needs them, null and the empty text are both the empty field.
///
/// # Source
/// Rules H4 and H9 of `docs/rules.md`.
pub struct FileSink {
    writer: Writer,
    preparer: Preparer,
    rows: u64,
    formula_cells: u64,
}

/// How a file of records is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkOptions {
    /// How the file comes to its name.
    pub output: OutputOptions,
    /// What stands between the fields of CSV.
    pub delimiter: u8,
    /// Columns, counted from 0, whose values hardly repeat: Parquet tries no dictionary for them.
    pub unique: Vec<usize>,
}

impl Default for SinkOptions {
    fn default() -> Self {
        Self { output: OutputOptions::default(), delimiter: b',', unique: Vec::new() }
    }
}

/// Makes batches ready to be written, on any thread.
#[derive(Clone)]
pub struct Preparer(Arc<Plan>);

struct Plan {
    format: Format,
    schema: SchemaRef,
    delimiter: u8,
}

/// Rows that may leave: those that desensitising has made (rule H1), and no others. Only this crate implements it.
///
/// ```compile_fail,E0277
/// use usufruct::arrow::arrow_array::RecordBatch;
/// use usufruct::table::{FileSink, SinkError};
///
/// fn by_mistake(sink: &mut FileSink, input: &RecordBatch) -> Result<(), SinkError> {
///     sink.write(sink.preparer().prepare(input)?)
/// }
/// ```
pub trait Leaving: sealed::Sealed {
    /// The rows.
    fn rows(&self) -> &RecordBatch;
}

pub(crate) mod sealed {
    /// Whoever is outside cannot name it.
    pub trait Sealed {}
}

/// Rows as they are, to which nothing has been done: test files are made of them.
#[cfg(any(test, feature = "hazmat"))]
#[derive(Clone, Debug)]
pub struct RawRows(pub RecordBatch);

#[cfg(any(test, feature = "hazmat"))]
impl sealed::Sealed for RawRows {}

#[cfg(any(test, feature = "hazmat"))]
impl Leaving for RawRows {
    fn rows(&self) -> &RecordBatch {
        &self.0
    }
}

/// A batch that is ready to be written.
pub struct Prepared {
    body: Body,
    rows: u64,
    formula_cells: u64,
}

enum Body {
    Text(Vec<u8>),
    #[cfg(any(feature = "parquet", feature = "ipc"))]
    Batch(RecordBatch),
}

/// A file that is whole but does not have its name yet; dropped, it is gone.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many records it has.
    pub rows: u64,
    /// Text cells that a spreadsheet may take for a formula: they begin with `=`, `+`, `-`, `@`, a tab or a line end, and
    /// are not plain numbers.
    pub formula_cells: u64,
    output: Output,
}

/// Why a file of records was not made. No variant holds a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// A column of the output is of a type that is not written.
    #[error("column {column} of the output, counted from 1, is not Utf8, Int64 or Decimal128(38, s)")]
    Column {
        /// The column, counted from 1.
        column: usize,
    },
    /// A batch has other columns than the file.
    #[error("a batch has other columns than the output")]
    Batch,
    /// Not usable between fields.
    #[error("the delimiter must be one ASCII character other than a quote, a line end or NUL, found byte {delimiter}")]
    Delimiter {
        /// The byte.
        delimiter: u8,
    },
    /// This build does not write such files.
    #[error("this build does not write {format}; build it with the feature `{}`", format.as_str())]
    NotBuilt {
        /// The format.
        format: Format,
    },
    /// The writer of the format refused.
    #[error("the records cannot be written as {format}")]
    Encode {
        /// The format.
        format: Format,
    },
    /// The file could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl SinkError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Output(error) => error.class(),
            Self::Encode { .. } => Class::Environment,
            _ => Class::BadInput,
        }
    }
}

enum Writer {
    Csv(Hashed),
    #[cfg(feature = "parquet")]
    Parquet(Box<parquet::Writer>),
    #[cfg(feature = "ipc")]
    Ipc(Box<ipc::Writer>),
}

impl FileSink {
    /// Begins a file with columns of `Utf8`, `Int64` or `Decimal128(38, s)`. Nothing stands at the target before
    /// [`Finished::commit`].
    ///
    /// # Errors
    /// As [`Output::create`]; when a column is of another type, or the format is not built in.
    pub fn create(target: &Path, format: Format, schema: &Schema, options: &SinkOptions) -> Result<Self, SinkError> {
        let schema = fresh(schema)?;
        Self::can_write(format, options.delimiter)?;
        Self::over(Output::create(target, options.output)?, format, &schema, options)
    }

    /// Whether files of this format, with this between the fields, are written at all.
    pub(crate) fn can_write(format: Format, delimiter: u8) -> Result<(), SinkError> {
        if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\r' | b'\n' | 0) {
            return Err(SinkError::Delimiter { delimiter });
        }
        let is_built = match format {
            Format::Csv => true,
            Format::Parquet => cfg!(feature = "parquet"),
            Format::Ipc => cfg!(feature = "ipc"),
        };
        if is_built { Ok(()) } else { Err(SinkError::NotBuilt { format }) }
    }

    /// The same over an output that is under way.
    fn over(output: Output, format: Format, schema: &SchemaRef, options: &SinkOptions) -> Result<Self, SinkError> {
        let delimiter = options.delimiter;
        let mut file = Hashed::new(output);
        let writer = match format {
            Format::Csv => {
                file.write(&csv::header(schema, delimiter))?;
                Writer::Csv(file)
            }
            #[cfg(feature = "parquet")]
            Format::Parquet => Writer::Parquet(Box::new(parquet::Writer::new(file, schema, &options.unique)?)),
            #[cfg(feature = "ipc")]
            Format::Ipc => Writer::Ipc(Box::new(ipc::Writer::new(file, schema)?)),
            #[cfg(not(all(feature = "parquet", feature = "ipc")))]
            _ => return Err(SinkError::NotBuilt { format }),
        };
        let plan = Plan { format, schema: Arc::clone(schema), delimiter };
        Ok(Self { writer, preparer: Preparer(Arc::new(plan)), rows: 0, formula_cells: 0 })
    }

    /// What makes batches ready.
    #[must_use]
    pub fn preparer(&self) -> Preparer {
        self.preparer.clone()
    }

    /// Writes a batch behind those before it.
    ///
    /// # Errors
    /// When the disk is full, or the batch was prepared for a file of another format.
    pub fn write(&mut self, prepared: Prepared) -> Result<(), SinkError> {
        match (&mut self.writer, prepared.body) {
            (Writer::Csv(file), Body::Text(text)) => file.write(&text)?,
            #[cfg(feature = "parquet")]
            (Writer::Parquet(writer), Body::Batch(batch)) => writer.write(&batch)?,
            #[cfg(feature = "ipc")]
            (Writer::Ipc(writer), Body::Batch(batch)) => writer.write(&batch)?,
            #[cfg(any(feature = "parquet", feature = "ipc"))]
            _ => return Err(SinkError::Batch),
        }
        self.rows += prepared.rows;
        self.formula_cells += prepared.formula_cells;
        Ok(())
    }

    /// Writes what the format has at its end.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(self) -> Result<Finished, SinkError> {
        #[cfg_attr(not(any(feature = "parquet", feature = "ipc")), expect(clippy::infallible_destructuring_match, reason = "one format"))]
        let file = match self.writer {
            Writer::Csv(file) => file,
            #[cfg(feature = "parquet")]
            Writer::Parquet(writer) => writer.finish()?,
            #[cfg(feature = "ipc")]
            Writer::Ipc(writer) => writer.finish()?,
        };
        let (output, digest, bytes) = file.finish()?;
        Ok(Finished { digest, bytes, rows: self.rows, formula_cells: self.formula_cells, output })
    }
}

impl fmt::Debug for FileSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = &self.preparer.0;
        f.debug_struct("FileSink").field("format", &plan.format).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Preparer {
    /// Makes a batch ready: CSV is text already, the other formats get arrays without anything but their cells.
    ///
    /// # Errors
    /// [`SinkError::Batch`] when the batch has other columns than the file.
    pub fn prepare(&self, rows: &impl Leaving) -> Result<Prepared, SinkError> {
        let (plan, batch) = (&*self.0, rows.rows());
        let types = |fields: &arrow_schema::Fields| fields.iter().map(|field| field.data_type().clone()).collect::<Vec<_>>();
        if types(batch.schema_ref().fields()) != types(plan.schema.fields()) {
            return Err(SinkError::Batch);
        }
        let texts = batch.columns().iter().filter_map(|column| column.as_string_opt::<i32>());
        let formula_cells = texts.map(formula_cells).sum();
        let body = match plan.format {
            Format::Csv => Body::Text(csv::rows(batch, plan.delimiter)),
            #[cfg(feature = "parquet")]
            Format::Parquet => Body::Batch(under(&plan.schema, batch.columns().to_vec())?),
            #[cfg(feature = "ipc")]
            Format::Ipc => Body::Batch(under(&plan.schema, batch.columns().iter().map(ipc::bare).collect())?),
            #[cfg(not(all(feature = "parquet", feature = "ipc")))]
            format => return Err(SinkError::NotBuilt { format }),
        };
        Ok(Prepared { body, rows: batch.num_rows() as u64, formula_cells })
    }
}

impl fmt::Debug for Preparer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preparer").field("format", &self.0.format).finish_non_exhaustive()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({} rows)", self.rows)
    }
}

impl Finished {
    /// Makes the bytes durable and gives the file its name.
    ///
    /// # Errors
    /// As [`Output::commit`].
    pub fn commit(self) -> Result<(), OutputError> {
        self.output.commit()
    }
}

/// A schema of the same names and types, with nothing else of the given one.
fn fresh(schema: &Schema) -> Result<SchemaRef, SinkError> {
    let field = |(at, field): (usize, &Arc<Field>)| match field.data_type() {
        DataType::Utf8 | DataType::Int64 | DataType::Decimal128(38, _) => Ok(Field::new(field.name(), field.data_type().clone(), true)),
        _ => Err(SinkError::Column { column: at + 1 }),
    };
    let fields: Vec<Field> = schema.fields().iter().enumerate().map(field).collect::<Result<_, _>>()?;
    Ok(Arc::new(Schema::new(fields)))
}

#[cfg(any(feature = "parquet", feature = "ipc"))]
fn under(schema: &SchemaRef, columns: Vec<arrow_array::ArrayRef>) -> Result<RecordBatch, SinkError> {
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|_| SinkError::Batch)
}

fn formula_cells(texts: &StringArray) -> u64 {
    let is_formula = |text: &str| match text.as_bytes() {
        [b'+' | b'-', rest @ ..] => !is_number(rest),
        [first, ..] => may_begin_formula(*first),
        [] => false,
    };
    let (bytes, offsets) = (texts.values(), texts.offsets());
    // Hardly any cell begins like one, and what stands under a null is none.
    let begins = offsets.windows(2).map(|ends| ends[0] < ends[1] && usize::try_from(ends[0]).is_ok_and(|at| may_begin_formula(bytes[at])));
    let rows = begins.enumerate().filter(|(_, begins)| *begins).map(|(row, _)| row);
    rows.filter(|&row| texts.is_valid(row) && is_formula(texts.value(row))).count() as u64
}

const fn may_begin_formula(byte: u8) -> bool {
    matches!(byte, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r')
}

/// The bytes of the cells, one behind the other; the buffer of a slice holds more.
fn bytes_of(texts: &StringArray) -> &[u8] {
    let at = |offset: Option<&i32>| offset.and_then(|at| usize::try_from(*at).ok()).unwrap_or(0);
    &texts.values()[at(texts.offsets().first())..at(texts.offsets().last())]
}

/// Digits, with at most one point among them.
fn is_number(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
        && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
        && text.iter().filter(|byte| **byte == b'.').count() <= 1
}

#[cfg(test)]
mod tests;
