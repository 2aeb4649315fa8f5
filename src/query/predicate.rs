//! Conditions of WHERE, in one canonical form.

use std::collections::BTreeMap;

use unicode_normalization::is_nfc;

use super::item::check_digits;
use super::{LITERALS_MAX, PREDICATE_DEPTH_MAX, QueryError, TEXT_BYTES_MAX};
use crate::id::{ColumnName, Decimal, IdError};

/// A condition on one row, in the three-valued logic of SQL: a comparison with null is unknown.
///
/// A value of this type may be of any shape; inside a [`super::Query`] it is within the limits and canonical.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Predicate {
    /// `column comparison value`
    Compare {
        /// The column on the left.
        column: ColumnName,
        /// The comparison.
        comparison: Comparison,
        /// The constant on the right.
        value: Literal,
    },
    /// `column [NOT] IN (values)`
    In {
        /// The column.
        column: ColumnName,
        /// NOT IN.
        negated: bool,
        /// The constants: inside a query sorted by their encodings, each once.
        values: Vec<Literal>,
    },
    /// `column [NOT] BETWEEN low AND high`, both ends included; never true when low is above high.
    Between {
        /// The column.
        column: ColumnName,
        /// NOT BETWEEN.
        negated: bool,
        /// The lower end.
        low: Literal,
        /// The upper end.
        high: Literal,
    },
    /// `column IS [NOT] NULL`
    IsNull {
        /// The column.
        column: ColumnName,
        /// IS NOT NULL.
        negated: bool,
    },
    /// `column [NOT] LIKE 'prefix%'`
    Prefix {
        /// The column.
        column: ColumnName,
        /// NOT LIKE.
        negated: bool,
        /// How the text starts: inside a query not empty, in normalisation form C, without `%`, `_` and `\`.
        prefix: String,
    },
    /// All of them: inside a query two or more, none of them an `And`.
    And(Vec<Predicate>),
    /// Any of them: inside a query two or more, none of them an `Or`.
    Or(Vec<Predicate>),
    /// Its opposite; unknown stays unknown.
    Not(Box<Predicate>),
}

impl Predicate {
    /// `column comparison value`
    #[must_use]
    pub const fn compare(column: ColumnName, comparison: Comparison, value: Literal) -> Self {
        Self::Compare { column, comparison, value }
    }

    /// `column IN (values)`
    #[must_use]
    pub fn is_in(column: ColumnName, values: impl IntoIterator<Item = Literal>) -> Self {
        Self::In { column, negated: false, values: values.into_iter().collect() }
    }

    /// `column BETWEEN low AND high`
    #[must_use]
    pub const fn between(column: ColumnName, low: Literal, high: Literal) -> Self {
        Self::Between { column, negated: false, low, high }
    }

    /// `column IS NULL`
    #[must_use]
    pub const fn is_null(column: ColumnName) -> Self {
        Self::IsNull { column, negated: false }
    }

    /// `column LIKE 'prefix%'`
    #[must_use]
    pub fn starts_with(column: ColumnName, prefix: &str) -> Self {
        Self::Prefix { column, negated: false, prefix: prefix.to_owned() }
    }

    /// Calls `visit` with each column, as often as it occurs.
    pub(super) fn visit_columns(&self, visit: &mut impl FnMut(&ColumnName)) {
        match self {
            Self::Compare { column, .. }
            | Self::In { column, .. }
            | Self::Between { column, .. }
            | Self::IsNull { column, .. }
            | Self::Prefix { column, .. } => visit(column),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.visit_columns(visit)),
            Self::Not(part) => part.visit_columns(visit),
        }
    }

    /// Checks the limits and gives the canonical form.
    pub(super) fn into_canonical(self) -> Result<Self, QueryError> {
        self.canonical_at(1, &mut 0)
    }

    /// `depth` counts the nodes from the root to this one, `literals` all constants so far.
    fn canonical_at(self, depth: usize, literals: &mut usize) -> Result<Self, QueryError> {
        if depth > PREDICATE_DEPTH_MAX {
            return Err(QueryError::Deep { most: PREDICATE_DEPTH_MAX });
        }
        match self.without_single_chains()? {
            Self::Compare { column, comparison, value } => {
                value.check(literals)?;
                Ok(Self::Compare { column, comparison, value })
            }
            Self::In { column, negated, values } => {
                if values.is_empty() {
                    return Err(QueryError::Empty);
                }
                values.iter().try_for_each(|value| value.check(literals))?;
                let sorted: BTreeMap<Vec<u8>, Literal> = values.into_iter().map(|value| (value.encode(), value)).collect();
                Ok(Self::In { column, negated, values: sorted.into_values().collect() })
            }
            Self::Between { column, negated, low, high } => {
                low.check(literals)?;
                high.check(literals)?;
                Ok(Self::Between { column, negated, low, high })
            }
            Self::IsNull { column, negated } => Ok(Self::IsNull { column, negated }),
            Self::Prefix { column, negated, prefix } => {
                count_literal(literals)?;
                check_text(&prefix)?;
                if prefix.is_empty() {
                    return Err(QueryError::PrefixEmpty);
                }
                if prefix.contains(['%', '_', '\\']) {
                    return Err(QueryError::PrefixPattern);
                }
                Ok(Self::Prefix { column, negated, prefix })
            }
            Self::And(parts) => Ok(Self::And(canonical_chain(parts, true, depth, literals)?)),
            Self::Or(parts) => Ok(Self::Or(canonical_chain(parts, false, depth, literals)?)),
            Self::Not(part) => Ok(Self::Not(Box::new(part.canonical_at(depth + 1, literals)?))),
        }
    }

    /// An AND or OR of one part is that part.
    fn without_single_chains(mut self) -> Result<Self, QueryError> {
        loop {
            match self {
                Self::And(mut parts) | Self::Or(mut parts) if parts.len() < 2 => self = parts.pop().ok_or(QueryError::Empty)?,
                other => return Ok(other),
            }
        }
    }
}

/// The parts of an AND (`all`) or an OR, with nested ones of the same kind opened in place: a loop, however deep they nest.
fn canonical_chain(parts: Vec<Predicate>, all: bool, depth: usize, literals: &mut usize) -> Result<Vec<Predicate>, QueryError> {
    let mut flat = Vec::with_capacity(parts.len());
    let mut left: Vec<Predicate> = parts.into_iter().rev().collect();
    while let Some(part) = left.pop() {
        match part.without_single_chains()? {
            Predicate::And(inner) if all => left.extend(inner.into_iter().rev()),
            Predicate::Or(inner) if !all => left.extend(inner.into_iter().rev()),
            other => flat.push(other.canonical_at(depth + 1, literals)?),
        }
    }
    Ok(flat)
}

/// How a column is compared with a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// All of them; the place in this list is the code in bytes.
    pub(super) const ALL: [Self; 6] = [Self::Equal, Self::NotEqual, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual];

    /// As SQL writes it.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The one with both sides exchanged: `a < b` is `b > a`.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// A constant of a condition, without a type until the gate binds it: a date is text, an integer a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Literal {
    /// A text in normalisation form C.
    Text(String),
    /// An exact decimal number.
    Number(Decimal),
}

impl Literal {
    /// A text constant.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// A number as digits: `-12.50`.
    ///
    /// # Errors
    /// Not a decimal number of at most 38 digits.
    pub fn number(digits: &str) -> Result<Self, IdError> {
        Decimal::parse(digits).map(Self::Number)
    }

    /// Checks its own limits and counts it.
    fn check(&self, literals: &mut usize) -> Result<(), QueryError> {
        count_literal(literals)?;
        match self {
            Self::Text(text) => check_text(text),
            Self::Number(number) => check_digits(*number),
        }
    }
}

fn count_literal(literals: &mut usize) -> Result<(), QueryError> {
    *literals += 1;
    if *literals > LITERALS_MAX { Err(QueryError::Literals { most: LITERALS_MAX }) } else { Ok(()) }
}

fn check_text(text: &str) -> Result<(), QueryError> {
    match text.len() {
        found if found > TEXT_BYTES_MAX => Err(QueryError::TextLong { found, most: TEXT_BYTES_MAX }),
        _ if !is_nfc(text) => Err(QueryError::TextNotNfc),
        _ => Ok(()),
    }
}
