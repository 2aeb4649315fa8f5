//! How well two recipients of such files could join their rows (rule H5).

use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::plan::DesensitisePlan;
use super::{ApplyError, RowOrder};
use crate::id::ColumnName;
use crate::table::{RecordSource, Records, in_order};

/// What two recipients could join, who got files of one source under one policy and different keys.
///
/// # Not promised
/// That nothing else joins them: rows that are alike in a few columns and rare in others are not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Linkage {
    /// Rows that were looked at: the first [`LINKAGE_ROWS_MAX`].
    pub rows: u64,
    /// Rows joined by their place in the file.
    pub by_position: u64,
    /// Rows that are the only ones with their cells in the columns that are equal in both files.
    pub by_columns: u64,
    /// Those columns.
    pub columns: Vec<ColumnName>,
}

/// Rows that are looked at; 8 bytes are kept of each.
pub const LINKAGE_ROWS_MAX: u64 = 20_000_000;

impl DesensitisePlan {
    /// Counts what two recipients could join; reads the source once. A column that is permuted has a key, so it does not
    /// count, and rows are looked at without it.
    ///
    /// # Errors
    /// The source, or records of other columns; [`ApplyError::Cancelled`] when `go_on` says no.
    pub fn linkage(
        &self,
        source: &(dyn RecordSource + Sync),
        threads: usize,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Linkage, ApplyError> {
        let equal = self.equal_columns();
        let state = RandomState::new();
        let places: Vec<usize> = equal.iter().map(|(place, _)| *place).collect();
        let work = |records: Records| {
            let rows = records.len();
            self.emit_columns(&records, true).map(|done| (rows, hashes(done.batch().columns(), &places, done.batch().num_rows(), &state)))
        };
        let mut found: Vec<u64> = Vec::new();
        let mut read = 0;
        in_order(source, threads, work, |done| {
            let (rows, hashes) = done?;
            read += rows as u64;
            if (found.len() as u64) < LINKAGE_ROWS_MAX {
                found.extend(hashes);
            }
            if go_on(read) { Ok(()) } else { Err(ApplyError::Cancelled) }
        })?;
        let rows = found.len() as u64;
        found.sort_unstable();
        let alone = found.chunk_by(|a, b| a == b).filter(|rows| rows.len() == 1).count() as u64;
        Ok(Linkage {
            rows,
            by_position: if self.policy().order() == RowOrder::Kept { rows } else { 0 },
            by_columns: if equal.is_empty() { 0 } else { alone },
            columns: equal.into_iter().map(|(_, name)| name).collect(),
        })
    }
}

/// A keyed hash of the cells of each row in these columns.
fn hashes(columns: &[ArrayRef], places: &[usize], rows: usize, state: &RandomState) -> Vec<u64> {
    let mut hashers: Vec<_> = (0..rows).map(|_| state.build_hasher()).collect();
    for column in places.iter().filter_map(|place| columns.get(*place)) {
        for (row, hasher) in hashers.iter_mut().enumerate() {
            let is_valid = column.is_valid(row);
            is_valid.hash(hasher);
            match column.data_type() {
                _ if !is_valid => {}
                DataType::Utf8 => column.as_string::<i32>().value(row).hash(hasher),
                DataType::Int64 => column.as_primitive::<Int64Type>().value(row).hash(hasher),
                _ => column.as_primitive::<Decimal128Type>().value(row).hash(hasher),
            }
        }
    }
    hashers.into_iter().map(|hasher| hasher.finish()).collect()
}
