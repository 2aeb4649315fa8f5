//! A question about a dataset: typed, without a schema, with one byte form.
//!
//! A [`Query`] is what a holder signs: which aggregates, over which rows, in which groups. It names columns and
//! constants and knows nothing of their types; the gate binds it to a description. What a request needs of a right
//! is derived from the query itself, by [`Query::operations`] and [`Query::columns`], never claimed beside it (rule C1).
//! A value that exists is within all limits and in canonical form, whether it came from code, from SQL or from bytes.
//!
//! ```
//! use usufruct::id::{ColumnName, Name};
//! use usufruct::query::{Comparison, Item, Literal, Operation, Predicate, Query};
//! let (sex, age) = (ColumnName::new("sex")?, ColumnName::new("age")?);
//! let adults = Predicate::compare(age.clone(), Comparison::GreaterOrEqual, Literal::number("18")?);
//! let query = Query::new(Name::new("adult")?, vec![Item::key(sex.clone()), Item::mean(age.clone())], vec![sex, age.clone()], Some(adults));
//! let query = query?;
//! assert_eq!(query.to_string(), r#"SELECT "sex", AVG("age") FROM "adult" WHERE "age" >= 18 GROUP BY "sex", "age""#);
//! assert!(query.operations().contains(&Operation::Mean));
//! assert_eq!(Query::from_canonical_bytes(&query.encode())?, query);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Bytes
//! Strict CBOR ([`crate::codec`]), carried as a byte string inside the request.
//!
//! ```text
//! query      map    0 version = 1   1 from: text   2 select: [1..64 item]   3 groups: [1..8 text] (absent: none)
//!                   4 filter: predicate (absent: every row)
//! item       map    1 kind: 0 key, 1 COUNT(*), 2 COUNT, 3 SUM, 4 AVG   2 column: text (absent for kind 1)
//!                   3 alias: text (absent when the output has its own name)
//! predicate  array  [1, column, comparison, literal]             comparison: 0 =  1 <>  2 <  3 <=  4 >  5 >=
//!                   [2, column, negated: bool, literal ...]      IN: literals in increasing order of their encodings, each once
//!                   [3, column, negated: bool, literal, literal] BETWEEN
//!                   [4, column, negated: bool]                   IS NULL
//!                   [5, predicate, predicate ...]                AND: of two or more, none of them an AND
//!                   [6, predicate, predicate ...]                OR: likewise
//!                   [7, predicate]                               NOT
//! literal    array  [0, text] text in NFC    [1, text] exact decimal: "-12.5", no exponent, no leading +, no needless zero
//! ```
//!
//! # Source
//! Rules C1, C8, D1, J4 and L4 of `DESIGN.md`.
//!
//! # Not promised
//! That the columns exist, that a constant fits its column, that the right allows it: the gate decides those.
//! Equal bytes mean the same question, yet two different queries may ask the same thing in other words.

mod bytes;
mod operation;
mod predicate;
#[cfg(feature = "sql")]
mod sql;
mod text;

use std::collections::BTreeSet;

use crate::codec::CodecError;
use crate::id::{ColumnName, IdError, NAME_BYTES_MAX, Name};

pub use operation::Operation;
pub use predicate::{Comparison, Literal, Predicate};
#[cfg(feature = "sql")]
pub use sql::{Place, SQL_BYTES_MAX, SqlError};

/// The most items of a query: each aggregate takes a share of the budget, so that more would drown each other in noise.
pub const ITEMS_MAX: usize = 64;
/// The most columns of GROUP BY: the groups multiply, and eight columns of ten values are already 10^8 groups.
pub const GROUPS_MAX: usize = 8;
/// The deepest nesting of conditions: people write three or four levels; the stack of every reader is bounded by it.
pub const PREDICATE_DEPTH_MAX: usize = 16;
/// The most constants in all conditions together: each is compared with every row.
pub const LITERALS_MAX: usize = 1_024;
/// The most bytes of a text constant: longer cells are free text, which nobody selects by equality.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;
/// The most bytes of an encoded query: a quarter of the request that carries it, room for 1,024 constants of 12 bytes.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;

/// A typed question: `SELECT select FROM from WHERE filter GROUP BY groups`.
///
/// Invariants, kept by [`Query::new`], the only constructor: all limits of this module hold; at least one item is an
/// aggregate; keys are among the groups; groups and output names are distinct; the filter is canonical; an alias
/// differs from the name the item has anyway.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    from: Name,
    select: Vec<Item>,
    groups: Vec<ColumnName>,
    filter: Option<Predicate>,
}

impl Query {
    /// Checks the parts and brings them into canonical form: chains of AND and OR are flattened with their order kept,
    /// the constants of an IN are sorted and made distinct, an alias that says nothing is dropped.
    ///
    /// # Errors
    /// A limit of this module is passed, no item is an aggregate, a key is not grouped by, or a name occurs twice.
    pub fn new(from: Name, mut select: Vec<Item>, groups: Vec<ColumnName>, filter: Option<Predicate>) -> Result<Self, QueryError> {
        if !(1..=ITEMS_MAX).contains(&select.len()) {
            return Err(QueryError::Items { found: select.len(), most: ITEMS_MAX });
        }
        check_groups(&groups)?;
        check_items(&mut select, &groups)?;
        let filter = filter.map(Predicate::into_canonical).transpose()?;
        let query = Self { from, select, groups, filter };
        match query.encode().len() {
            found if found > QUERY_BYTES_MAX => Err(QueryError::Bytes { found, most: QUERY_BYTES_MAX }),
            _ => Ok(query),
        }
    }

    /// The dataset's name, as its description gives it.
    #[must_use]
    pub const fn from(&self) -> &Name {
        &self.from
    }

    /// The columns of the answer, in order.
    #[must_use]
    pub fn select(&self) -> &[Item] {
        &self.select
    }

    /// The columns to group by, in order; none means one group of all rows.
    #[must_use]
    pub fn groups(&self) -> &[ColumnName] {
        &self.groups
    }

    /// Which rows count: those for which it is true, not false and not unknown; none means all.
    #[must_use]
    pub const fn filter(&self) -> Option<&Predicate> {
        self.filter.as_ref()
    }

    /// The operations that a right must allow for this query.
    #[must_use]
    pub fn operations(&self) -> BTreeSet<Operation> {
        self.select.iter().filter_map(|item| item.expression().operation()).collect()
    }

    /// All columns that the query touches: of its items, of GROUP BY and of WHERE.
    #[must_use]
    pub fn columns(&self) -> BTreeSet<ColumnName> {
        let of_items = self.select.iter().filter_map(|item| item.expression().column());
        let mut columns: BTreeSet<_> = of_items.chain(&self.groups).cloned().collect();
        if let Some(filter) = &self.filter {
            filter.visit_columns(&mut |column| {
                columns.insert(column.clone());
            });
        }
        columns
    }
}

/// One column of the answer: an expression, perhaps under another name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    expression: Expression,
    alias: Option<Name>,
}

impl Item {
    /// The value of a column that the query groups by.
    #[must_use]
    pub const fn key(column: ColumnName) -> Self {
        Self::of(Expression::Key(column))
    }

    /// `COUNT(*)`: the number of rows.
    #[must_use]
    pub const fn count_rows() -> Self {
        Self::of(Expression::CountRows)
    }

    /// `COUNT(column)`: the number of rows in which the column is not null.
    #[must_use]
    pub const fn count(column: ColumnName) -> Self {
        Self::of(Expression::Count(column))
    }

    /// `SUM(column)`, nulls left out.
    #[must_use]
    pub const fn sum(column: ColumnName) -> Self {
        Self::of(Expression::Sum(column))
    }

    /// `AVG(column)`, nulls left out.
    #[must_use]
    pub const fn mean(column: ColumnName) -> Self {
        Self::of(Expression::Mean(column))
    }

    /// The same item under another name: `expression AS alias`.
    #[must_use]
    pub fn named(mut self, alias: Name) -> Self {
        self.alias = Some(alias);
        self
    }

    /// What is computed.
    #[must_use]
    pub const fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The name given by AS, if it differs from the expression's own.
    #[must_use]
    pub const fn alias(&self) -> Option<&Name> {
        self.alias.as_ref()
    }

    /// The name of this column in the answer: the alias, else `COUNT(*)`, `AVG(age)`, `sex`.
    #[must_use]
    pub fn output_name(&self) -> String {
        self.alias.as_ref().map_or_else(|| self.expression.own_name(), |alias| alias.as_str().to_owned())
    }

    const fn of(expression: Expression) -> Self {
        Self { expression, alias: None }
    }
}

/// What an item computes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expression {
    /// A column of GROUP BY.
    Key(ColumnName),
    /// `COUNT(*)`
    CountRows,
    /// `COUNT(column)`
    Count(ColumnName),
    /// `SUM(column)`
    Sum(ColumnName),
    /// `AVG(column)`
    Mean(ColumnName),
}

impl Expression {
    /// The column it reads, if any.
    #[must_use]
    pub const fn column(&self) -> Option<&ColumnName> {
        match self {
            Self::CountRows => None,
            Self::Key(column) | Self::Count(column) | Self::Sum(column) | Self::Mean(column) => Some(column),
        }
    }

    /// The operation that a right must allow for it; none for a key.
    #[must_use]
    pub const fn operation(&self) -> Option<Operation> {
        match self {
            Self::Key(_) => None,
            Self::CountRows | Self::Count(_) => Some(Operation::Count),
            Self::Sum(_) => Some(Operation::Sum),
            Self::Mean(_) => Some(Operation::Mean),
        }
    }

    fn own_name(&self) -> String {
        match self {
            Self::Key(column) => column.to_string(),
            Self::CountRows => "COUNT(*)".to_owned(),
            Self::Count(column) => format!("COUNT({column})"),
            Self::Sum(column) => format!("SUM({column})"),
            Self::Mean(column) => format!("AVG({column})"),
        }
    }
}

/// Why parts or bytes are not a query. Names columns, never a constant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// Nothing or too much is selected.
    #[error("a query selects 1 to {most} items, found {found}")]
    Items {
        /// How many there are.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// Only keys are selected.
    #[error("at least one item must be an aggregate: COUNT, SUM or AVG")]
    NoAggregate,
    /// A plain column is selected without being grouped by.
    #[error("the column {column} is neither aggregated nor in GROUP BY")]
    NotGrouped {
        /// The column.
        column: ColumnName,
    },
    /// Too many columns to group by.
    #[error("at most {most} columns can be grouped by, found {found}")]
    Groups {
        /// How many there are.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// A column is grouped by twice.
    #[error("the column {column} is in GROUP BY twice")]
    GroupTwice {
        /// The column.
        column: ColumnName,
    },
    /// Two items have one name.
    #[error("two items have the name {name}: give one another name with AS")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// The name that an item has by itself is too long.
    #[error("the name {name} has {found} bytes, at most {most} are allowed: give the item a name with AS")]
    NameLong {
        /// The name.
        name: String,
        /// Its length in bytes.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// Conditions are nested too deeply.
    #[error("conditions are nested deeper than {most} levels")]
    Deep {
        /// The limit.
        most: usize,
    },
    /// An AND, an OR or an IN of nothing.
    #[error("a condition AND, OR or IN without a part")]
    Empty,
    /// Too many constants.
    #[error("the conditions have more than {most} constants")]
    Literals {
        /// The limit.
        most: usize,
    },
    /// A text constant is too long.
    #[error("a text constant has {found} bytes, at most {most} are allowed")]
    TextLong {
        /// Its length in bytes.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// A text constant is not normalised.
    #[error("a text constant is not in normalisation form C")]
    TextNotNfc,
    /// A number has too many digits.
    #[error("a number has more than {most} digits")]
    NumberLong {
        /// The limit.
        most: usize,
    },
    /// The whole is too large.
    #[error("the query has {found} encoded bytes, at most {most} are allowed")]
    Bytes {
        /// Its length.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// The bytes mean a query, in a form that is not the canonical one.
    #[error("the encoding of the query is not canonical")]
    NotCanonical,
    /// A format of another version.
    #[error("query format {found} is unknown, this build reads {known}")]
    Version {
        /// The version found.
        found: u64,
        /// The version of this build.
        known: u64,
    },
    /// Not the name of an operation.
    #[error("unknown operation: expected one of {}", Operation::ALL.map(Operation::name).join(", "))]
    UnknownOperation,
    /// The bytes are not the CBOR of a query.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A name or a number in them is malformed.
    #[error(transparent)]
    Id(#[from] IdError),
}

fn check_groups(groups: &[ColumnName]) -> Result<(), QueryError> {
    if groups.len() > GROUPS_MAX {
        return Err(QueryError::Groups { found: groups.len(), most: GROUPS_MAX });
    }
    let mut seen = BTreeSet::new();
    match groups.iter().find(|column| !seen.insert(*column)) {
        Some(column) => Err(QueryError::GroupTwice { column: column.clone() }),
        None => Ok(()),
    }
}

fn check_items(items: &mut [Item], groups: &[ColumnName]) -> Result<(), QueryError> {
    let mut names = BTreeSet::new();
    for item in &mut *items {
        if let Expression::Key(column) = &item.expression
            && !groups.contains(column)
        {
            return Err(QueryError::NotGrouped { column: column.clone() });
        }
        let own_name = item.expression.own_name();
        item.alias.take_if(|alias| alias.as_str() == own_name);
        let name = item.output_name();
        if name.len() > NAME_BYTES_MAX {
            return Err(QueryError::NameLong { found: name.len(), most: NAME_BYTES_MAX, name });
        }
        if !names.insert(name.clone()) {
            return Err(QueryError::NameTwice { name });
        }
    }
    if items.iter().all(|item| item.expression.operation().is_none()) { Err(QueryError::NoAggregate) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
