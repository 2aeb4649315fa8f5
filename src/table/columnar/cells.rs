//! The cells of an Arrow array of any type that is read, as text or as integers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

use super::render::{Rendered, integer_of, render};
use crate::table::ColumnKind;

/// Why the columns of a type are not read.
pub(super) enum Refused {
    Nested,
    Type(&'static str),
}

/// What the cells of a type are, when nobody wants them as something else.
pub(super) fn kind_of(data_type: &DataType) -> Result<ColumnKind, Refused> {
    use DataType as D;
    Ok(match data_type {
        D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64 => ColumnKind::Integer,
        D::Float16 | D::Float32 | D::Float64 => ColumnKind::Real,
        D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..) => ColumnKind::Real,
        D::Null | D::Boolean | D::Date32 | D::Date64 | D::Time32(_) | D::Time64(_) | D::Timestamp(..) => ColumnKind::Text,
        D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Binary | D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_) => ColumnKind::Text,
        D::Dictionary(_, values) => match values.as_ref() {
            D::Dictionary(..) => return Err(Refused::Type("a dictionary of dictionaries")),
            values => return kind_of(values),
        },
        D::List(_) | D::LargeList(_) | D::FixedSizeList(..) | D::ListView(_) | D::LargeListView(_) | D::Struct(_) | D::Map(..) => {
            return Err(Refused::Nested);
        }
        D::Duration(_) => return Err(Refused::Type("duration")),
        D::Interval(_) => return Err(Refused::Type("interval")),
        D::Union(..) => return Err(Refused::Type("union")),
        D::RunEndEncoded(..) => return Err(Refused::Type("run-end encoded")),
    })
}

/// An array, through its dictionary if it has one.
pub(super) struct Cells<'a> {
    len: usize,
    values: &'a dyn Array,
    value_nulls: Option<NullBuffer>,
    /// The value of each row, without a dictionary the row itself.
    keys: Option<Vec<usize>>,
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(array: &'a dyn Array) -> Self {
        match array.as_any_dictionary_opt() {
            Some(dictionary) => {
                let values = dictionary.values().as_ref();
                // Without values there is no key, and every row is null.
                let keys = if values.is_empty() { vec![] } else { dictionary.normalized_keys() };
                Self { len: array.len(), values, value_nulls: values.logical_nulls(), keys: Some(keys), nulls: dictionary.keys().nulls() }
            }
            None => Self { len: array.len(), values: array, value_nulls: array.logical_nulls(), keys: None, nulls: None },
        }
    }

    /// The value of a row, if it has one.
    pub(super) fn index(&self, row: usize) -> Option<usize> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        let index = match &self.keys {
            Some(keys) => *keys.get(row)?,
            None => row,
        };
        self.value_nulls.as_ref().is_none_or(|nulls| nulls.is_valid(index)).then_some(index)
    }

    /// How many bytes a value is, if the type has no bound that is small.
    pub(super) fn length(&self) -> Option<Box<dyn Fn(usize) -> usize + 'a>> {
        let values = self.values;
        Some(match values.data_type() {
            DataType::Utf8 => Box::new(|at| values.as_string::<i32>().value(at).len()),
            DataType::LargeUtf8 => Box::new(|at| values.as_string::<i64>().value(at).len()),
            DataType::Utf8View => Box::new(|at| values.as_string_view().value(at).len()),
            DataType::Binary => Box::new(|at| values.as_binary::<i32>().value(at).len()),
            DataType::LargeBinary => Box::new(|at| values.as_binary::<i64>().value(at).len()),
            DataType::BinaryView => Box::new(|at| values.as_binary_view().value(at).len()),
            DataType::FixedSizeBinary(bytes) => {
                let bytes = usize::try_from(*bytes).unwrap_or(0);
                Box::new(move |_| bytes)
            }
            _ => return None,
        })
    }

    /// The array of this kind, or the first row that is not of it.
    pub(super) fn array(&self, kind: ColumnKind) -> Result<ArrayRef, usize> {
        match kind {
            ColumnKind::Integer => self.integers(),
            ColumnKind::Text => self.texts(false),
            ColumnKind::Real => self.texts(true),
        }
    }

    /// An empty text is not a number: it is null among `numbers`, as in CSV.
    fn texts(&self, numbers: bool) -> Result<ArrayRef, usize> {
        let render = render(self.values);
        let mut offsets = Vec::with_capacity(self.len + 1);
        let mut text = String::new();
        let mut nulls = NullBufferBuilder::new(self.len);
        offsets.push(0i32);
        for row in 0..self.len {
            let start = text.len();
            let rendered = self.index(row).map_or(Rendered::Null, |index| render(index, &mut text));
            match rendered {
                Rendered::NotUtf8 => return Err(row),
                Rendered::Null => nulls.append_null(),
                Rendered::Text => nulls.append(!numbers || text.len() > start),
            }
            offsets.push(i32::try_from(text.len()).map_err(|_| row)?);
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let array = StringArray::try_new(offsets, Buffer::from_vec(text.into_bytes()), nulls.finish());
        Ok(Arc::new(array.map_err(|_| 0usize)?))
    }

    fn integers(&self) -> Result<ArrayRef, usize> {
        let integer = integer_of(self.values);
        let mut values = Vec::with_capacity(self.len);
        let mut nulls = NullBufferBuilder::new(self.len);
        for row in 0..self.len {
            let value = match self.index(row) {
                Some(index) => integer(index).map_err(|()| row)?,
                None => None,
            };
            nulls.append(value.is_some());
            values.push(value.unwrap_or(0));
        }
        Ok(Arc::new(Int64Array::new(values.into(), nulls.finish())))
    }
}
