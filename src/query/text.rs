//! Queries as SQL text that reads back the same.

use std::fmt::{self, Display, Formatter, Write as _};

use std::str::FromStr;

use super::{Expression, Item, Literal, Operation, Predicate, Query, QueryError};

/// The query as SQL of the subset; reading it back gives the same query. Texts stand as they are: who prints to a
/// terminal escapes control characters.
impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        separated(f, &self.select, ", ", |f, item| item.fmt(f))?;
        f.write_str(" FROM ")?;
        identifier(f, self.from.as_str())?;
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        if !self.groups.is_empty() {
            f.write_str(" GROUP BY ")?;
            separated(f, &self.groups, ", ", |f, column| identifier(f, column.as_str()))?;
        }
        let Some(top) = self.top else { return Ok(()) };
        f.write_str(" ORDER BY ")?;
        // Two items may count the same under two names, so that the name goes before the expression.
        match self.select.get(top.item) {
            Some(Item { alias: Some(alias), .. }) => identifier(f, alias.as_str())?,
            Some(item) => item.expression.fmt(f)?,
            None => return Err(fmt::Error),
        }
        write!(f, " DESC LIMIT {}", top.count)
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.price {
            Some(price) => write!(f, "BUDGET({}, {price})", self.expression)?,
            None => self.expression.fmt(f)?,
        }
        let Some(alias) = &self.alias else { return Ok(()) };
        f.write_str(" AS ")?;
        identifier(f, alias.as_str())
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = match self {
            Self::Key(_) => "",
            Self::CountRows | Self::Count(_) => "COUNT(",
            Self::Sum(_) => "SUM(",
            Self::Mean(_) => "AVG(",
            Self::CountDistinct(_) => "COUNT(DISTINCT ",
            Self::Variance(_) => "VAR_POP(",
            Self::Deviation(_) => "STDDEV_POP(",
            Self::Quantile { .. } => "QUANTILE(",
            Self::Histogram { .. } => "HISTOGRAM(",
            Self::Range(_) => "BOUNDS(",
            Self::Clamped(_) => "CLAMPED(",
            Self::Dropped => "DROPPED(",
        };
        f.write_str(head)?;
        match self.column() {
            None => f.write_str("*")?,
            Some(column) => identifier(f, column.as_str())?,
        }
        match self {
            Self::Quantile { rank, .. } => write!(f, ", {rank}")?,
            Self::Histogram { edges, .. } => edges.iter().try_for_each(|edge| write!(f, ", {edge}"))?,
            _ => {}
        }
        f.write_str(if head.is_empty() { "" } else { ")" })
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = |negated: bool| if negated { "NOT " } else { "" };
        match self {
            Self::Compare { column, comparison, value } => {
                identifier(f, column.as_str())?;
                write!(f, " {} {value}", comparison.symbol())
            }
            Self::In { column, negated, values } => {
                identifier(f, column.as_str())?;
                write!(f, " {}IN (", not(*negated))?;
                separated(f, values, ", ", |f, value| value.fmt(f))?;
                f.write_str(")")
            }
            Self::Between { column, negated, low, high } => {
                identifier(f, column.as_str())?;
                write!(f, " {}BETWEEN {low} AND {high}", not(*negated))
            }
            Self::IsNull { column, negated } => {
                identifier(f, column.as_str())?;
                write!(f, " IS {}NULL", not(*negated))
            }
            Self::Prefix { column, negated, prefix } => {
                identifier(f, column.as_str())?;
                write!(f, " {}LIKE ", not(*negated))?;
                quoted(f, &format!("{prefix}%"), '\'')
            }
            Self::And(parts) => separated(f, parts, " AND ", operand),
            Self::Or(parts) => separated(f, parts, " OR ", operand),
            Self::Not(part) => write!(f, "NOT ({part})"),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(f, text, '\''),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// A part of an AND or OR: chains inside it need parentheses.
fn operand(f: &mut Formatter<'_>, part: &Predicate) -> fmt::Result {
    match part {
        Predicate::And(_) | Predicate::Or(_) => write!(f, "({part})"),
        _ => part.fmt(f),
    }
}

/// Always quoted: a name may be a keyword or have blanks.
fn identifier(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    quoted(f, name, '"')
}

/// Quotes inside are doubled.
fn quoted(f: &mut Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    f.write_char(quote)?;
    for character in text.chars() {
        if character == quote {
            f.write_char(quote)?;
        }
        f.write_char(character)?;
    }
    f.write_char(quote)
}

fn separated<T>(
    f: &mut Formatter<'_>,
    parts: &[T],
    separator: &str,
    mut write: impl FnMut(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(separator)?;
        }
        write(f, part)?;
    }
    Ok(())
}

impl FromStr for Operation {
    type Err = QueryError;

    fn from_str(name: &str) -> Result<Self, QueryError> {
        Self::from_name(name).ok_or(QueryError::UnknownOperation)
    }
}
