//! Arrow IPC out.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef, PrimitiveArray, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, SchemaRef};

use super::SinkError;
use super::hashed::{Failure, Hashed};
use crate::table::Format;

/// An IPC file under way.
pub(super) struct Writer {
    writer: FileWriter<Hashed>,
    failure: Failure,
}

impl Writer {
    pub(super) fn new(file: Hashed, schema: &SchemaRef) -> Result<Self, SinkError> {
        let failure = file.failure();
        let writer = FileWriter::try_new(file, schema).map_err(|_| failure.or_encode(Format::Ipc))?;
        Ok(Self { writer, failure })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.writer.write(batch).map_err(|_| self.failure.or_encode(Format::Ipc))
    }

    pub(super) fn finish(self) -> Result<Hashed, SinkError> {
        self.writer.into_inner().map_err(|_| self.failure.or_encode(Format::Ipc))
    }
}

/// An array of the same cells whose buffers hold nothing else: the format writes buffers as they stand, and what stands
/// under a null may be the value that was suppressed.
pub(super) fn bare(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Int64 => Arc::new(bare_numbers(array.as_primitive::<Int64Type>())),
        DataType::Decimal128(..) => {
            let numbers = array.as_primitive::<Decimal128Type>();
            Arc::new(bare_numbers(numbers).with_data_type(array.data_type().clone()))
        }
        _ => Arc::new(array.as_string::<i32>().iter().collect::<StringArray>()),
    }
}

fn bare_numbers<T: ArrowPrimitiveType>(numbers: &PrimitiveArray<T>) -> PrimitiveArray<T> {
    let values = numbers.iter().map(Option::unwrap_or_default).collect::<Vec<_>>();
    let nulls = numbers.nulls().map(|nulls| nulls.iter().collect::<NullBuffer>());
    PrimitiveArray::new(values.into(), nulls)
}
