//! Columns, seen cell by cell.

mod cell;
mod column;
mod decide;
mod distinct;
mod overlap;

use std::fmt;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use self::column::Column;
use self::overlap::Overlaps;
use super::{Finding, Recognisers};
use crate::table::{Records, TableColumn, TableSchema};

/// Looks at every cell of every column once and keeps counts (数据识别).
///
/// No cell is kept: a column keeps counts, and keyed hashes of up to 10,000 different cells (fewer in tables of more than
/// 100 columns: all columns together keep about a million). Of some records it is counted which cells are parts of which.
///
/// ```
/// # #[cfg(feature = "csv")] {
/// use std::sync::Arc;
/// use usufruct::grade::{Grade, Kind, Profiler, Recognisers};
/// use usufruct::id::ColumnName;
/// use usufruct::table::{TableColumn, ColumnKind, CsvOptions, CsvSource, RecordSource, TableSchema};
///
/// let column = |name| Ok::<_, Box<dyn std::error::Error>>(TableColumn { name: ColumnName::new(name)?, kind: ColumnKind::Text });
/// let schema = TableSchema::new(vec![column("shouji")?, column("备注")?])?;
/// let text = "shouji,备注\n13812345678,无\n13912345678,身份证11010519491231002X\n";
/// let source = CsvSource::from_bytes(text.as_bytes(), CsvOptions::default(), schema.clone())?;
///
/// let mut profiler = Profiler::new(&schema, &Arc::new(Recognisers::builtin()));
/// for records in source.read()? {
///     profiler.update(&records?);
/// }
/// let findings = profiler.finish();
/// assert_eq!((&findings[0].kind, findings[0].grade), (&Kind::Mobile, Grade::L3));
/// assert_eq!((&findings[1].also[..], findings[1].grade), (&[(Kind::ResidentId, 1)][..], Grade::L3));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Profiler {
    recognisers: Arc<Recognisers>,
    schema: TableSchema,
    columns: Vec<Column>,
    overlaps: Overlaps,
    /// Whether a column has its own name among its cells.
    is_named_by_a_cell: bool,
}

impl Profiler {
    /// A profiler of the columns of this schema.
    #[must_use]
    pub fn new(schema: &TableSchema, recognisers: &Arc<Recognisers>) -> Self {
        let count = schema.columns().len();
        let columns = (0..count).map(|_| Column::new(count, recognisers)).collect();
        Self {
            recognisers: Arc::clone(recognisers),
            schema: schema.clone(),
            columns,
            overlaps: Overlaps::new(count),
            is_named_by_a_cell: false,
        }
    }

    /// Looks at every cell of these records, which must be of the schema: columns beyond it are not looked at.
    pub fn update(&mut self, records: &Records) {
        let names = self.schema.columns().iter().map(|column| column.name.as_str());
        for ((column, name), array) in self.columns.iter_mut().zip(names).zip(records.batch().columns()) {
            if let Some(texts) = array.as_string_opt::<i32>() {
                for text in texts {
                    match text {
                        Some(text) => {
                            self.is_named_by_a_cell |= text == name;
                            column.see(text, &self.recognisers);
                        }
                        None => column.nulls += 1,
                    }
                }
            } else if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
                for number in numbers {
                    match number {
                        Some(number) => column.see(decimal(number, &mut [0; 20]), &self.recognisers),
                        None => column.nulls += 1,
                    }
                }
            } else {
                debug_assert!(array.is_empty(), "batches of records have texts and integers");
            }
        }
        let first = records.position(0, None).record;
        self.overlaps.update(records.batch(), first);
    }

    /// Adds what another profiler of the same schema and recognisers has seen: the sum is as if one had seen all.
    pub fn merge(&mut self, other: Self) {
        debug_assert!(self.schema == other.schema && self.recognisers.key() == other.recognisers.key());
        self.columns.iter_mut().zip(other.columns).for_each(|(column, other)| column.merge(other));
        self.overlaps.merge(other.overlaps);
        self.is_named_by_a_cell |= other.is_named_by_a_cell;
    }

    /// Whether a column has its own name among its cells: then the first record may be data, or stand there once more.
    #[cfg(feature = "embedded")]
    pub(super) const fn is_named_by_a_cell(&self) -> bool {
        self.is_named_by_a_cell
    }

    /// What was found of each column, in order.
    #[must_use]
    pub fn finish(self) -> Vec<Finding> {
        let columns = self.columns.iter().zip(self.schema.columns()).enumerate();
        let finding = |(at, (column, declared)): (usize, (&Column, &TableColumn))| Finding {
            overlaps: self.overlaps.of(at, &self.schema),
            ..decide::finding(column, &declared.name, &self.recognisers)
        };
        columns.map(finding).collect()
    }
}

impl fmt::Debug for Profiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profiler({} columns)", self.columns.len())
    }
}

/// The digits of an integer.
fn decimal(number: i64, buffer: &mut [u8; 20]) -> &str {
    let mut left = number.unsigned_abs();
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    str::from_utf8(&buffer[at..]).unwrap_or_default()
}

#[cfg(test)]
mod tests;
