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
//!                   4 filter: predicate (absent: every row)   5 top: [item from 0, count] (absent: every group)
//! item       map    1 kind: 0 key, 1 COUNT(*), 2 COUNT, 3 SUM, 4 AVG, 5 COUNT(DISTINCT), 6 VAR_POP, 7 STDDEV_POP,
//!                     8 QUANTILE, 9 HISTOGRAM, 10 BOUNDS, 11 CLAMPED, 12 DROPPED(*)
//!                   2 column: text (absent for kinds 1 and 12)   3 alias: text (absent when the output has its own name)
//!                   4 rank: decimal (kind 8 only)   5 edges: [2..64 decimal] (kind 9 only; absent: the declared values)
//!                   6 price: decimal (absent: a share of what the others leave)
//! predicate  array  [1, column, comparison, literal]             comparison: 0 =  1 <>  2 <  3 <=  4 >  5 >=
//!                   [2, column, negated: bool, literal ...]      IN: literals in increasing order of their encodings, each once
//!                   [3, column, negated: bool, literal, literal] BETWEEN
//!                   [4, column, negated: bool]                   IS NULL
//!                   [5, predicate, predicate ...]                AND: of two or more, none of them an AND
//!                   [6, predicate, predicate ...]                OR: likewise
//!                   [7, predicate]                               NOT
//!                   [8, column, negated: bool, prefix: text]     LIKE 'prefix%': not empty, in NFC, without % _ \
//! literal    array  [0, text] text in NFC    [1, decimal]
//! decimal    text   exact: "-12.5", no exponent, no leading +, no needless zero
//! ```
//!
//! # Source
//! Rules C1, C8, D1, J4 and L4 of `docs/rules.md`.
//!
//! # Not promised
//! That the columns exist, that a constant fits its column, that the right allows it: the gate decides those.
//! Equal bytes mean the same question, yet two different queries may ask the same thing in other words.

mod bytes;
mod error;
mod item;
mod operation;
mod predicate;
#[cfg(feature = "sql")]
mod sql;
mod text;

use std::collections::BTreeSet;

use crate::codec::record;
use crate::id::{ColumnName, Name};

pub use error::QueryError;
pub use item::{Expression, Item};
pub use operation::Operation;
pub use predicate::{Comparison, Literal, Predicate};
#[cfg(feature = "sql")]
pub use sql::{Place, SQL_BYTES_MAX, SqlError};

/// The most items of a query: each aggregate takes a share of the budget, so that more would drown each other in noise.
pub const ITEMS_MAX: usize = 64;
/// The most columns of GROUP BY: the groups multiply, and eight columns of ten values are already 10^8 groups.
pub const GROUPS_MAX: usize = 8;
/// The most groups that ORDER BY and LIMIT keep: who wants more takes them all and sorts the answer.
pub const TOP_MAX: u32 = 1_000;
/// The fewest edges of a histogram: two bound one bin.
pub const EDGES_MIN: usize = 2;
/// The most edges of a histogram: a finer one is noise, and a coarser one can be added up from it.
pub const EDGES_MAX: usize = 64;
/// The most quantiles of one column: each takes a share of the budget, and 16 already draw the distribution.
pub const QUANTILES_MAX: usize = 16;
/// The most decimals of a price and of a rank: a budget is counted no finer, and no dataset has 10^9 ranks to tell apart.
pub const DECIMALS_MAX: usize = 9;
/// The deepest nesting of conditions: people write three or four levels; the stack of every reader is bounded by it.
pub const PREDICATE_DEPTH_MAX: usize = 16;
/// The most constants in all conditions together: each is compared with every row.
pub const LITERALS_MAX: usize = 1_024;
/// The most bytes of a text constant: longer cells are free text, which nobody selects by equality.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;
/// The most bytes of an encoded query: a quarter of the request that carries it, room for 1,024 constants of 12 bytes.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;

/// A typed question: `SELECT select FROM from WHERE filter GROUP BY groups ORDER BY top`.
///
#[cfg_attr(feature = "sql", doc = "```")]
#[cfg_attr(not(feature = "sql"), doc = "```ignore")]
/// use usufruct::Query;
/// use usufruct::id::{ColumnName, Name};
/// use usufruct::query::Item;
///
/// let sex = ColumnName::new("sex")?;
/// let typed = Query::new(Name::new("people")?, vec![Item::key(sex.clone()), Item::count_rows()], vec![sex], None)?;
/// assert_eq!(typed, Query::sql("SELECT sex, COUNT(*) FROM people GROUP BY sex")?);
/// assert_eq!(Query::from_canonical_bytes(&typed.encode())?, typed);
///
/// let refused = Query::sql("SELECT *\nFROM people").unwrap_err(); // no raw record is ever an answer
/// assert_eq!(refused.to_string().split(':').next(), Some("line 1, column 8"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Invariants, kept by [`Query::new`], the only constructor, and [`Query::top`]: all limits of this module hold; at least one item is an
/// aggregate; bounds stand beside nothing but keys; keys are among the groups; groups and output names are distinct; the
/// filter is canonical; an alias differs from the name the item has anyway; only groups are ordered, by a count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    from: Name,
    select: Vec<Item>,
    groups: Vec<ColumnName>,
    filter: Option<Predicate>,
    top: Option<Top>,
}

impl Query {
    /// Checks the parts and brings them into canonical form: chains of AND and OR are flattened with their order kept,
    /// the constants of an IN are sorted and made distinct, an alias that says nothing is dropped.
    ///
    /// # Errors
    /// A limit of this module is passed, no item is an aggregate, a key is not grouped by, a name occurs twice, or the
    /// numbers of an item are out of their range.
    pub fn new(from: Name, mut select: Vec<Item>, groups: Vec<ColumnName>, filter: Option<Predicate>) -> Result<Self, QueryError> {
        if !(1..=ITEMS_MAX).contains(&select.len()) {
            return Err(QueryError::Items { found: select.len(), most: ITEMS_MAX });
        }
        check_groups(&groups)?;
        item::check_items(&mut select, &groups)?;
        let filter = filter.map(Predicate::into_canonical).transpose()?;
        Self { from, select, groups, filter, top: None }.within_bytes()
    }

    /// The same query, of which only the `count` groups with the largest value of an item are in the answer:
    /// `ORDER BY item DESC LIMIT count`. The item is named by its place in SELECT, from 0.
    ///
    /// # Errors
    /// There is no GROUP BY, the item is not `COUNT(*)` or `COUNT(DISTINCT column)`, or `count` is not in 1 to [`TOP_MAX`].
    pub fn top(mut self, item: usize, count: u32) -> Result<Self, QueryError> {
        if self.groups.is_empty() {
            return Err(QueryError::TopUngrouped);
        }
        if !matches!(self.select.get(item).map(Item::expression), Some(Expression::CountRows | Expression::CountDistinct(_))) {
            return Err(QueryError::TopItem);
        }
        if !(1..=TOP_MAX).contains(&count) {
            return Err(QueryError::TopCount { found: count, most: TOP_MAX });
        }
        self.top = Some(Top { item, count });
        self.within_bytes()
    }

    fn within_bytes(self) -> Result<Self, QueryError> {
        match self.encode().len() {
            found if found > QUERY_BYTES_MAX => Err(QueryError::Bytes { found, most: QUERY_BYTES_MAX }),
            _ => Ok(self),
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

    /// Which groups are in the answer; none means all of them.
    #[must_use]
    pub const fn top_groups(&self) -> Option<Top> {
        self.top
    }

    /// The operations that a right must allow for this query.
    #[must_use]
    pub fn operations(&self) -> BTreeSet<Operation> {
        let of_items = self.select.iter().filter_map(|item| item.expression().operation());
        of_items.chain(self.top.map(|_| Operation::TopK)).collect()
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

record! {
    /// The groups that stay: those with the largest values of an item.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Top [
        /// The place of the item in SELECT, from 0.
        pub item: usize,
        /// How many groups stay.
        pub count: u32,
    ]
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

#[cfg(test)]
mod tests;
