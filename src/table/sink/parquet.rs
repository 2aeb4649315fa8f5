//! Parquet out.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::SinkError;
use super::hashed::{Failure, Hashed};
use crate::table::Format;

/// 64 MiB: a row group is in memory until it is whole.
const ROW_GROUP_BYTES_MAX: usize = 64 << 20;

/// 2^20 records: what other readers take for one task.
const ROW_GROUP_ROWS_MAX: usize = 1 << 20;

/// What the file says it was made by.
const CREATED_BY: &str = concat!("usufruct ", env!("CARGO_PKG_VERSION"));

/// A Parquet file under way.
pub(super) struct Writer {
    writer: ArrowWriter<Hashed>,
    failure: Failure,
}

impl Writer {
    pub(super) fn new(file: Hashed, schema: &SchemaRef, unique: &[usize]) -> Result<Self, SinkError> {
        let failure = file.failure();
        // Half the size that Snappy leaves of a register, for a tenth more time.
        let mut properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES_MAX));
        for field in unique.iter().filter_map(|&at| schema.fields().get(at)) {
            properties = properties.set_column_dictionary_enabled(ColumnPath::new(vec![field.name().clone()]), false);
        }
        let options = ArrowWriterOptions::new()
            .with_properties(properties.build())
            .with_skip_arrow_metadata(true)
            .with_schema_root("schema".to_owned());
        let writer = ArrowWriter::try_new_with_options(file, schema.clone(), options);
        let writer = writer.map_err(|_| failure.or_encode(Format::Parquet))?;
        Ok(Self { writer, failure })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.writer.write(batch).map_err(|_| self.failure.or_encode(Format::Parquet))
    }

    pub(super) fn finish(self) -> Result<Hashed, SinkError> {
        self.writer.into_inner().map_err(|_| self.failure.or_encode(Format::Parquet))
    }
}
