//! The names of a file's columns, and those of them that are wanted.

use std::sync::Arc;

#[cfg(feature = "embedded")]
use super::ColumnKind;
use super::{COLUMNS_MAX, TableColumn, TableError, TableSchema};
#[cfg(feature = "embedded")]
use crate::{form, id::ColumnName};

/// What to do with the columns of a file that the schema does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExtraColumns {
    /// Leave them unread: a description may name fewer columns than the file has.
    #[default]
    Ignore,
    /// [`TableError::ExtraColumn`].
    Refuse,
}

/// The names of the columns of a file, in its order, no name twice.
pub(super) struct Header {
    names: Vec<String>,
    /// Each name's field, counted from 1, in the order of the names.
    sorted: Vec<u32>,
}

impl Header {
    pub(super) fn new(names: Vec<String>) -> Result<Self, TableError> {
        if names.is_empty() || names.len() > COLUMNS_MAX {
            return Err(TableError::ColumnCount { most: COLUMNS_MAX, found: names.len() });
        }
        let name = |field: u32| names[field as usize - 1].as_str();
        let mut sorted: Vec<u32> = (1..).zip(&names).map(|(field, _)| field).collect();
        sorted.sort_unstable_by_key(|&field| (name(field), field));
        if let Some(pair) = sorted.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
            return Err(TableError::DuplicateHeader { first: pair[0], second: pair[1] });
        }
        Ok(Self { names, sorted })
    }

    /// The names of columns that a file does not name: `c1`, `c2`, ...
    pub(super) fn numbered(columns: usize) -> Result<Self, TableError> {
        Self::new((1..=columns).map(|column| format!("c{column}")).collect())
    }

    /// How many columns the file has.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The field of each column of the schema, counted from 1.
    pub(super) fn bind(&self, schema: &TableSchema, extra: ExtraColumns) -> Result<Arc<[u32]>, TableError> {
        let field_of = |column: &TableColumn| {
            let found = self.sorted.binary_search_by_key(&column.name.as_str(), |&field| &self.names[field as usize - 1]);
            let missing = |_| TableError::MissingColumn { column: column.name.clone(), fields: self.len() };
            found.map(|at| self.sorted[at]).map_err(missing)
        };
        let bound = schema.columns().iter().map(field_of).collect::<Result<Vec<u32>, _>>();
        if extra == ExtraColumns::Refuse {
            let mut wanted: Vec<&str> = schema.columns().iter().map(|column| column.name.as_str()).collect();
            wanted.sort_unstable();
            let extra = |(_, name): &(u32, &String)| wanted.binary_search(&name.as_str()).is_err();
            if let Some((field, _)) = (1..).zip(&self.names).find(extra) {
                return Err(TableError::ExtraColumn { field });
            }
        }
        Ok(bound?.into())
    }

    /// What stands between fields elsewhere, if the whole header is one field with it: the file has another delimiter.
    #[cfg(feature = "embedded")]
    pub(super) fn other_delimiter(&self, delimiter: u8) -> Option<char> {
        let others = [';', '\t', '|', ','].into_iter().filter(|&other| other != char::from(delimiter));
        others.into_iter().find(|&other| self.names.len() == 1 && self.names[0].contains(other))
    }

    /// A schema of all columns of the file; `kind_of` knows what they are, counted from 0. Nothing of a header of cells leaves.
    #[cfg(feature = "embedded")]
    pub(super) fn schema(
        &self,
        mut kind_of: impl FnMut(usize, &ColumnName) -> Result<ColumnKind, TableError>,
    ) -> Result<TableSchema, TableError> {
        let field_of = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
        if let Some((at, kind)) = form::first_identifier(&self.names.iter().map(String::as_str).collect::<Vec<_>>()) {
            return Err(TableError::HeaderIsData { field: field_of(at), kind: kind.to_owned() });
        }
        let column = |(at, text): (usize, &String)| {
            let field = field_of(at);
            let name = ColumnName::new(text).map_err(|_| TableError::HeaderName { field })?;
            let kind = kind_of(at, &name)?;
            Ok(TableColumn { name, kind })
        };
        TableSchema::new(self.names.iter().enumerate().map(column).collect::<Result<_, _>>()?)
    }
}
