//! Parquet files: what is read of their footers and columns, and what is refused by name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Fields, Schema as ArrowSchema};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy};
use parquet::file::reader::{ChunkReader, Length};

use super::thrift::{self, Broken, Value};
use super::{Columnar, Fault, read_at};
use crate::table::Format;

/// 128 MiB: a thousand row groups of a thousand columns. What is made of it takes some times its size.
const METADATA_BYTES_MAX: u64 = 128 << 20;

/// Elements of a list of the metadata: schema elements, and pairs of keys and values.
const METADATA_LIST_MAX: u64 = 1 << 20;

/// Row groups are numbered with 16 bits.
const ROW_GROUPS_MAX: u64 = 1 << 15;

/// 256 MiB: writers aim at 1 MiB, some put a whole row group of a column into one page.
const PAGE_BYTES_MAX: i64 = 256 << 20;

/// 32 MiB: the header of a page may hold its least and its greatest value.
const PAGE_HEADER_BYTES_MAX: u64 = 32 << 20;

const MAGIC: &[u8] = b"PAR1";
const MAGIC_ENCRYPTED: &[u8] = b"PARE";

/// A Parquet file whose footer was read.
pub(in crate::table) struct Parquet {
    pages: Pages,
    metadata: ArrowReaderMetadata,
    /// Where the column chunks must end.
    data_end: u64,
}

impl Columnar for Parquet {
    const FORMAT: Format = Format::Parquet;
    type Batches = Batches;

    fn open(mut file: File) -> Result<Self, Fault> {
        let len = super::len(&file)?;
        // The length of the metadata and the magic bytes.
        let mut tail = [0; 8];
        let tail_at = len.checked_sub(tail.len() as u64).filter(|at| *at >= MAGIC.len() as u64).ok_or(Fault::Malformed)?;
        read_at(&mut file, tail_at, &mut tail)?;
        let (size, magic) = tail.split_at(4);
        if magic == MAGIC_ENCRYPTED {
            return Err(Fault::Unsupported("an encrypted footer"));
        }
        let size = u64::from(u32::from_le_bytes(size.try_into().map_err(|_| Fault::Malformed)?));
        let data_end = tail_at.checked_sub(size).filter(|at| *at >= MAGIC.len() as u64);
        let Some(data_end) = data_end.filter(|_| magic == MAGIC && size <= METADATA_BYTES_MAX) else {
            return Err(Fault::Malformed);
        };
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| Fault::Malformed)?];
        read_at(&mut file, data_end, &mut bytes)?;
        let metadata = metadata(&bytes)?;
        Ok(Self { pages: Pages { file, len, failed: Arc::default() }, metadata, data_end })
    }

    fn fields(&self) -> &Fields {
        self.metadata.schema().fields()
    }

    fn records(&self) -> Option<u64> {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).ok()
    }

    fn batches(self, columns: &[usize], rows_max: usize, bytes_max: usize) -> Result<Batches, Fault> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        let mut rows_max = rows_max;
        for group in self.metadata.metadata().row_groups() {
            let wanted = |&(at, _): &(usize, &ColumnChunkMetaData)| mask.leaf_included(at);
            let mut bytes = 0u64;
            for (_, chunk) in group.columns().iter().enumerate().filter(wanted) {
                bytes += self.check_chunk(chunk)?;
            }
            let rows = u64::try_from(group.num_rows()).map_err(|_| Fault::Malformed)?;
            let fit = (bytes_max as u64).saturating_mul(rows).checked_div(bytes).unwrap_or(u64::MAX);
            rows_max = rows_max.min(usize::try_from(fit).unwrap_or(usize::MAX)).max(1);
        }
        let failed = Arc::clone(&self.pages.failed);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.pages, self.metadata);
        let reader = builder.with_projection(mask).with_batch_size(rows_max).build().map_err(|_| Fault::Malformed)?;
        Ok(Batches { reader, failed })
    }
}

impl Parquet {
    /// The size of a column chunk when decompressed, if it can be read at all.
    fn check_chunk(&self, chunk: &ColumnChunkMetaData) -> Result<u64, Fault> {
        if chunk.file_path().is_some() {
            return Err(Fault::Unsupported("a column in another file"));
        }
        match chunk.compression() {
            Compression::BROTLI(_) => return Err(Fault::Unsupported("compression with Brotli")),
            Compression::LZO => return Err(Fault::Unsupported("compression with LZO")),
            _ => {}
        }
        let begins = u64::try_from(chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()));
        let (Ok(begins), Ok(bytes)) = (begins, u64::try_from(chunk.compressed_size())) else {
            return Err(Fault::Malformed);
        };
        if begins.checked_add(bytes).is_none_or(|end| end > self.data_end) {
            return Err(Fault::Malformed);
        }
        u64::try_from(chunk.uncompressed_size()).map_err(|_| Fault::Malformed)
    }
}

/// The metadata, after a look at what it says of its own sizes. Statistics are left unread.
fn metadata(bytes: &[u8]) -> Result<ArrowReaderMetadata, Fault> {
    let mut lists_bounded = |field, value| match (field, value) {
        (4, Value::List(size)) if size > ROW_GROUPS_MAX => Err(Broken),
        (_, Value::List(size)) if size > METADATA_LIST_MAX => Err(Broken),
        _ => Ok(()),
    };
    thrift::walk(bytes, bytes.len() as u64, &mut lists_bounded).map_err(|Broken| Fault::Malformed)?;
    let skip = || ParquetStatisticsPolicy::SkipAll;
    let options =
        ParquetMetaDataOptions::new().with_column_stats_policy(skip()).with_size_stats_policy(skip()).with_encoding_stats_policy(skip());
    let metadata = ParquetMetaDataReader::decode_metadata_with_options(bytes, Some(&options)).map_err(|_| Fault::Malformed)?;
    let metadata = Arc::new(metadata);
    let read = |options| ArrowReaderMetadata::try_new(Arc::clone(&metadata), options).map_err(|_| Fault::Malformed);
    // The schema that Arrow's writers embed tells more of some types; a broken one is not needed.
    let found = read(ArrowReaderOptions::new()).or_else(|_| read(ArrowReaderOptions::new().with_skip_arrow_metadata(true)))?;
    let fields: Vec<Field> = found.schema().fields().iter().map(|field| viewed(field)).collect();
    let schema = ArrowSchema::new_with_metadata(fields, found.schema().metadata().clone());
    read(ArrowReaderOptions::new().with_schema(Arc::new(schema))).or(Ok(found))
}

/// Texts are read as views of their pages: a long value that a dictionary repeats is not copied for each row.
fn viewed(field: &Field) -> Field {
    let values = match field.data_type() {
        DataType::Dictionary(_, values) => values.as_ref(),
        data_type => data_type,
    };
    let data_type = match values {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

/// The reading of the library, which loses errors of the system.
pub(in crate::table) struct Batches {
    reader: ParquetRecordBatchReader,
    failed: Arc<OnceLock<io::ErrorKind>>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let fault = || self.failed.get().map_or(Fault::Malformed, |kind| Fault::Read(*kind));
        self.reader.next().map(|batch| batch.map_err(|_| fault()))
    }
}

/// The pages of a file. The header of each is looked at before the library reads it.
struct Pages {
    file: File,
    len: u64,
    failed: Arc<OnceLock<io::ErrorKind>>,
}

impl Pages {
    fn noted<T>(&self, result: io::Result<T>) -> Result<T, ParquetError> {
        result.map_err(|error| {
            let _ = self.failed.set(error.kind());
            ParquetError::EOF(String::new())
        })
    }
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Pages {
    type T = BufReader<File>;

    /// Called for the header of a page.
    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut file = self.noted(self.file.try_clone())?;
        self.noted(file.seek(SeekFrom::Start(start)))?;
        let mut reader = BufReader::new(file);
        let mut sizes_bounded = |field, value| match (field, value) {
            (2 | 3, Value::Integer(0..=PAGE_BYTES_MAX)) => Ok(()),
            (2 | 3, _) => Err(Broken),
            _ => Ok(()),
        };
        let taken = thrift::walk(&mut reader, PAGE_HEADER_BYTES_MAX.min(self.len.saturating_sub(start)), &mut sizes_bounded);
        let taken = taken.map_err(|Broken| ParquetError::General(String::new()))?;
        self.noted(reader.seek_relative(-taken.cast_signed()))?;
        Ok(reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF(String::new()));
        }
        let mut file = self.noted(self.file.try_clone())?;
        self.noted(file.seek(SeekFrom::Start(start)))?;
        let mut bytes = vec![0; length];
        self.noted(file.read_exact(&mut bytes))?;
        Ok(bytes.into())
    }
}
