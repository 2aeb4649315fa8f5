//! The columns that are wanted of a source, as their description declares them.

use std::fmt;

use arrow_schema::DataType;

use super::TableError;
use crate::id::ColumnName;

/// The most columns of a schema and of a header: 2^14, what spreadsheets have at most, and a bound on the memory of a batch.
pub const COLUMNS_MAX: usize = 16_384;

/// The columns of a source: at least one, at most [`COLUMNS_MAX`], no name twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    columns: Vec<TableColumn>,
}

/// A column: how it is called and what its cells are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The name, as it stands in the header of a file.
    pub name: ColumnName,
    /// What the cells are.
    pub kind: ColumnKind,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Text in UTF-8; Arrow `Utf8`.
    Text,
    /// Whole numbers from -2^63 to 2^63 - 1; Arrow `Int64`.
    Integer,
    /// Decimal numbers, kept as the text they were written as; Arrow `Utf8`.
    Real,
}

impl TableSchema {
    /// A schema of these columns, in this order.
    ///
    /// # Errors
    /// [`TableError::ColumnCount`] and [`TableError::DuplicateColumn`].
    pub fn new(columns: Vec<TableColumn>) -> Result<Self, TableError> {
        if columns.is_empty() || columns.len() > COLUMNS_MAX {
            return Err(TableError::ColumnCount { most: COLUMNS_MAX, found: columns.len() });
        }
        let mut names: Vec<&ColumnName> = columns.iter().map(|column| &column.name).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(TableError::DuplicateColumn { column: pair[0].clone() });
        }
        Ok(Self { columns })
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// Where a column stands, counted from 0.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.as_str() == name)
    }
}

impl ColumnKind {
    /// The word of descriptions: `text`, `integer`, `real`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Real => "real",
        }
    }

    pub(super) const fn data_type(self) -> DataType {
        match self {
            Self::Text | Self::Real => DataType::Utf8,
            Self::Integer => DataType::Int64,
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn column(name: &str) -> TableColumn {
        TableColumn { name: ColumnName::new(name).unwrap(), kind: ColumnKind::Text }
    }

    #[test]
    fn names_are_distinct_and_bounded_in_number() {
        assert!(matches!(TableSchema::new(vec![]), Err(TableError::ColumnCount { found: 0, .. })));
        assert!(matches!(TableSchema::new(vec![column("a"), column("b"), column("a")]), Err(TableError::DuplicateColumn { .. })));
        let many = |n: usize| (0..n).map(|i| column(&format!("c{i}"))).collect::<Vec<_>>();
        assert!(TableSchema::new(many(COLUMNS_MAX)).is_ok());
        assert!(matches!(TableSchema::new(many(COLUMNS_MAX + 1)), Err(TableError::ColumnCount { .. })));
        assert_eq!(TableSchema::new(many(3)).unwrap().index_of("c2"), Some(2));
    }
}
