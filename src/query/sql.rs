//! SQL text to a typed query, on the holder's side.
//!
//! One SELECT of aggregates over one dataset; everything else is refused with its place. The text is read
//! in three steps: it is cut into tokens and every token outside the subset is refused; `sqlparser` makes a tree of
//! them; the tree is taken apart field by field, without `..`, so that no clause is passed over in silence.

mod aggregate;
mod dialect;
mod filter;
mod order;
mod reader;
mod refusal;
mod select;

use std::fmt;

use sqlparser::tokenizer::{Location, Tokenizer};

use super::{Query, QueryError};
use crate::class::Class;
use crate::id::IdError;
use dialect::Subset;
use reader::Reader;

/// The most bytes of SQL text: as many as the encoded query may have, which is rarely longer than its text.
pub const SQL_BYTES_MAX: usize = super::QUERY_BYTES_MAX;

impl Query {
    /// Reads one SELECT of the subset:
    ///
    /// ```text
    /// SELECT item [, item]* FROM name [WHERE condition] [GROUP BY column [, column]* [ORDER BY count DESC LIMIT number]] [;]
    /// item       (column | aggregate | BUDGET(aggregate, number)) [[AS] name]
    /// aggregate  COUNT(*)   COUNT(column)   COUNT(DISTINCT column)   SUM(column)   AVG(column)
    ///            VAR_POP(column) or VARIANCE, STDDEV_POP(column) or STDDEV: of the population, under both names
    ///            QUANTILE(column, number), also PERCENTILE_CONT(number) WITHIN GROUP (ORDER BY column), PERCENTILE_DISC
    ///            likewise, or MEDIAN(column)
    ///            HISTOGRAM(column [, number]*)   BOUNDS(column)   CLAMPED(column)   DROPPED(*)
    /// count      COUNT(*) or COUNT(DISTINCT column) as in SELECT, or its alias
    /// condition  column (= | <> | != | < | <= | > | >=) constant, or the constant first
    ///            column [NOT] IN (constant, ...)      column [NOT] BETWEEN constant AND constant
    ///            column IS [NOT] NULL                 column [NOT] LIKE 'prefix%', no other % or _
    ///            AND, OR, NOT, parentheses
    /// constant   'text' with '' for a quote, or a decimal number such as -12.5
    /// ```
    /// Identifiers keep their case; those that are no plain words are quoted: `"marital-status"`. Comments are allowed.
    ///
    /// # Errors
    /// Anything else, with its place and, where there is one, a way to ask it.
    pub fn sql(text: &str) -> Result<Self, SqlError> {
        if text.len() > SQL_BYTES_MAX {
            return Err(SqlError::TextLong { found: text.len(), most: SQL_BYTES_MAX });
        }
        let tokens = Tokenizer::new(&Subset, text)
            .tokenize_with_location()
            .map_err(|error| SqlError::Syntax { place: error.location.into(), message: reader::message_of(&error.message) })?;
        Reader::new(&tokens).query()
    }
}

/// Where in a text something stands. Both numbers count from one, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    line: u64,
    column: u64,
}

impl Place {
    /// The line.
    #[must_use]
    pub const fn line(self) -> u64 {
        self.line
    }

    /// The character in the line.
    #[must_use]
    pub const fn column(self) -> u64 {
        self.column
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self { line: location.line.max(1), column: location.column.max(1) }
    }
}

/// Why a text is not a query of the subset. The text is the asker's own; what is shown of it is short and escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The text is too long to be read.
    #[error("the text has {found} bytes, at most {most} are read")]
    TextLong {
        /// Its length in bytes.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// Not SQL.
    #[error("{place}: {message}")]
    Syntax {
        /// Where reading stopped.
        place: Place,
        /// What was expected there.
        message: String,
    },
    /// SQL outside the subset.
    #[error("{place}: {what} is not supported{}{}", if hint.is_empty() { "" } else { ": " }, hint)]
    Unsupported {
        /// Where it stands.
        place: Place,
        /// What it is.
        what: String,
        /// What to write instead, or nothing.
        hint: &'static str,
    },
    /// A malformed name or number.
    #[error("{place}: {source}")]
    Id {
        /// Where it stands.
        place: Place,
        /// What is wrong.
        source: IdError,
    },
    /// SQL of the subset that breaks a rule of queries.
    #[error("{place}: {source}")]
    Query {
        /// Where the clause stands.
        place: Place,
        /// The rule.
        source: QueryError,
    },
}

impl SqlError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}

impl SqlError {
    /// Where in the text the error is; nothing when the whole text was refused unread.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::TextLong { .. } => None,
            Self::Syntax { place, .. } | Self::Unsupported { place, .. } | Self::Id { place, .. } | Self::Query { place, .. } => {
                Some(*place)
            }
        }
    }
}

/// At most 80 characters of a text; control and format characters are escaped, quotes are not.
fn brief(text: &str) -> String {
    const SHOWN_MAX: usize = 80;
    let mut out = String::new();
    for character in text.chars().take(SHOWN_MAX) {
        match character {
            '"' | '\'' | '\\' => out.push(character),
            other => out.extend(other.escape_debug()),
        }
    }
    if text.chars().nth(SHOWN_MAX).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests;
