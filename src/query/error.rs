//! Why parts, bytes or a text are not a query.

use super::Operation;
use crate::class::Class;
use crate::codec::CodecError;
use crate::id::{ColumnName, IdError};

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
    #[error("at least one item must be an aggregate such as COUNT(*) or AVG(column)")]
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
    /// A price that is nothing, negative or too fine.
    #[error("the price of an item is above 0, with at most {decimals} decimals")]
    Price {
        /// The limit.
        decimals: usize,
    },
    /// A key costs nothing: its values are declared.
    #[error("the column {column} of GROUP BY has no price: only aggregates have")]
    KeyPriced {
        /// The column.
        column: ColumnName,
    },
    /// A rank outside [0, 1] or too fine.
    #[error("the rank of a quantile is a number from 0 to 1, with at most {decimals} decimals")]
    Rank {
        /// The limit.
        decimals: usize,
    },
    /// Too many quantiles of one column.
    #[error("at most {most} quantiles of the column {column} can be asked for at once")]
    Quantiles {
        /// The column.
        column: ColumnName,
        /// The limit.
        most: usize,
    },
    /// Too few or too many edges.
    #[error("a histogram has {least} to {most} edges or none, found {found}")]
    Edges {
        /// How many there are.
        found: usize,
        /// The lower limit.
        least: usize,
        /// The upper limit.
        most: usize,
    },
    /// Edges that do not increase.
    #[error("the edges of a histogram must increase strictly")]
    EdgesUnordered,
    /// Bounds are an answer of their own: what uses them is asked afterwards.
    #[error("BOUNDS stands only beside other BOUNDS and columns of GROUP BY: ask for the rest in a second query")]
    BoundsMixed,
    /// Groups are ordered where there are none.
    #[error("ORDER BY and LIMIT keep the largest groups: they need GROUP BY")]
    TopUngrouped,
    /// Ordered by something other than a count.
    #[error("groups are ordered by COUNT(*) or COUNT(DISTINCT column) of SELECT")]
    TopItem,
    /// No or too many groups.
    #[error("LIMIT keeps 1 to {most} groups, found {found}")]
    TopCount {
        /// How many there are.
        found: u32,
        /// The limit.
        most: u32,
    },
    /// A prefix that every text has.
    #[error("a prefix has at least one character")]
    PrefixEmpty,
    /// A prefix with a sign of patterns.
    #[error("a prefix has no %, no _ and no \\: dialects differ in what they mean in a pattern")]
    PrefixPattern,
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

impl QueryError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
