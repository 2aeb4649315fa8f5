//! A batch of records and where each of them stands in its source.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Field;

use super::{TableColumn, TableError, TableSchema};

/// Where something stands in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The record, counted from 1; 0 is the header of a file, which is not counted.
    pub record: u64,
    /// The field as it stands in the source, counted from 1.
    pub field: Option<u32>,
    /// The byte at which the record begins, counted from 0 at the start of the file.
    pub byte: Option<u64>,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.record {
            0 => f.write_str("header")?,
            record => write!(f, "record {record}")?,
        }
        if let Some(field) = self.field {
            write!(f, ", field {field}")?;
        }
        if let Some(byte) = self.byte {
            write!(f, ", which begins at byte {byte}")?;
        }
        Ok(())
    }
}

/// A batch of raw records. Its `Debug` prints the shape only; the cells are inside, for those who ask for the batch.
#[derive(Clone)]
pub struct Records {
    batch: RecordBatch,
    first_record: u64,
    /// The byte at which each record begins, if the source has bytes; as many as there are records.
    bytes: Option<Vec<u64>>,
    /// The field of each column in the source, counted from 1; without it columns and fields are the same.
    fields: Option<Arc<[u32]>>,
}

impl Records {
    /// Records of an Arrow batch. `first_record` is the number of its first record in the source, counted from 1.
    ///
    /// # Errors
    /// [`TableError::Batch`] when the batch has not exactly the columns of the schema: the same names in the same order,
    /// `Int64` for integers, `Utf8` for texts and reals.
    pub fn new(schema: &TableSchema, batch: RecordBatch, first_record: u64) -> Result<Self, TableError> {
        let found = batch.schema();
        for (at, column) in schema.columns().iter().enumerate() {
            let same = found
                .fields()
                .get(at)
                .is_some_and(|field| field.name() == column.name.as_str() && *field.data_type() == column.kind.data_type());
            if !same {
                return Err(TableError::Batch { column: at + 1, expected: column.kind.as_str() });
            }
        }
        if found.fields().len() > schema.columns().len() {
            return Err(TableError::Batch { column: schema.columns().len() + 1, expected: "no column" });
        }
        Ok(Self { batch, first_record, bytes: None, fields: None })
    }

    /// The Arrow schema that the batches of a source have; any column may hold nulls.
    #[must_use]
    pub fn arrow_schema(schema: &TableSchema) -> Arc<arrow_schema::Schema> {
        let field = |column: &TableColumn| Field::new(column.name.as_str(), column.kind.data_type(), true);
        Arc::new(arrow_schema::Schema::new(schema.columns().iter().map(field).collect::<Vec<_>>()))
    }

    /// Adds where the records begin and which field each column was.
    #[cfg(feature = "csv")]
    pub(super) fn located(mut self, bytes: Option<Vec<u64>>, fields: Arc<[u32]>) -> Self {
        debug_assert!(bytes.as_ref().is_none_or(|bytes| bytes.len() == self.len()));
        self.bytes = bytes;
        self.fields = Some(fields);
        self
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cells.
    #[must_use]
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Where a row of this batch, counted from 0, stands in the source; `column` counts the columns of the schema from 0.
    #[must_use]
    pub fn position(&self, row: usize, column: Option<usize>) -> Position {
        let field = column.and_then(|column| match &self.fields {
            Some(fields) => fields.get(column).copied(),
            None => u32::try_from(column).ok()?.checked_add(1),
        });
        Position {
            record: self.first_record.saturating_add(row as u64),
            field,
            byte: self.bytes.as_ref().and_then(|bytes| bytes.get(row).copied()),
        }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({} x {})", self.len(), self.batch.num_columns())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow_array::{Int64Array, StringArray};

    use super::*;
    use crate::id::ColumnName;
    use crate::table::ColumnKind;

    fn schema(kinds: &[(&str, ColumnKind)]) -> TableSchema {
        let column = |&(name, kind): &(&str, ColumnKind)| TableColumn { name: ColumnName::new(name).unwrap(), kind };
        TableSchema::new(kinds.iter().map(column).collect()).unwrap()
    }

    fn batch(schema: &TableSchema) -> RecordBatch {
        RecordBatch::try_new(
            Records::arrow_schema(schema),
            vec![Arc::new(StringArray::from(vec!["canary", "b"])), Arc::new(Int64Array::from(vec![Some(77_177), None]))],
        )
        .unwrap()
    }

    #[test]
    fn debug_prints_the_shape_only() {
        let schema = schema(&[("name", ColumnKind::Text), ("age", ColumnKind::Integer)]);
        let records = Records::new(&schema, batch(&schema), 11).unwrap();
        assert_eq!(format!("{records:?}"), "Records(2 x 2)");
        assert_eq!(format!("{records:#?}"), "Records(2 x 2)");
        assert_eq!(records.position(1, Some(0)), Position { record: 12, field: Some(1), byte: None });
    }

    #[test]
    fn a_batch_of_other_columns_is_refused() {
        let right = schema(&[("name", ColumnKind::Text), ("age", ColumnKind::Integer)]);
        for (wrong, column) in [
            (schema(&[("name", ColumnKind::Text)]), 2),
            (schema(&[("name", ColumnKind::Text), ("years", ColumnKind::Integer)]), 2),
            (schema(&[("name", ColumnKind::Integer), ("age", ColumnKind::Integer)]), 1),
            (schema(&[("name", ColumnKind::Text), ("age", ColumnKind::Integer), ("more", ColumnKind::Text)]), 3),
        ] {
            let error = Records::new(&wrong, batch(&right), 1).unwrap_err();
            assert!(matches!(error, TableError::Batch { column: found, .. } if found == column), "{error}");
        }
    }
}
