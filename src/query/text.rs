use std::fmt::{self, Display, Formatter, Write as _};

use super::{Expression, Item, Literal, Predicate, Query};

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
        if self.groups.is_empty() {
            return Ok(());
        }
        f.write_str(" GROUP BY ")?;
        separated(f, &self.groups, ", ", |f, column| identifier(f, column.as_str()))
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let function = match &self.expression {
            Expression::Key(_) => "",
            Expression::CountRows | Expression::Count(_) => "COUNT",
            Expression::Sum(_) => "SUM",
            Expression::Mean(_) => "AVG",
        };
        match self.expression.column() {
            None => write!(f, "{function}(*)")?,
            Some(column) if function.is_empty() => identifier(f, column.as_str())?,
            Some(column) => {
                write!(f, "{function}(")?;
                identifier(f, column.as_str())?;
                f.write_str(")")?;
            }
        }
        let Some(alias) = &self.alias else { return Ok(()) };
        f.write_str(" AS ")?;
        identifier(f, alias.as_str())
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
