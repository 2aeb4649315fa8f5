//! WHERE in SQL text.

use sqlparser::ast::{BinaryOperator, Expr, Ident, Spanned, UnaryOperator, Value, ValueWithSpan};
use sqlparser::keywords::Keyword;

use super::reader::Reader;
use super::refusal::{no_function, unsupported};

use super::{Place, SqlError};
use crate::id::{ColumnName, Decimal};
use crate::query::{Comparison, Literal, Predicate};
use crate::value::Profile;

const A_CONDITION: &str = "write a column, a comparison and a constant";

const A_PREFIX: &str = "a prefix is LIKE 'text%'; else compare with = or name the values: IN (...)";

/// One side of a comparison.
enum Side<'a> {
    Column(&'a Ident),
    Constant(Literal),
}

impl Reader<'_> {
    /// A condition of WHERE. Recursion is as deep as the parser's own; a chain of AND or OR is a loop.
    pub(super) fn condition(&self, expr: &Expr) -> Result<Predicate, SqlError> {
        match expr {
            Expr::Nested(inner) => self.condition(inner),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => Ok(Predicate::Not(Box::new(self.condition(expr)?))),
            Expr::BinaryOp { left: _, op: BinaryOperator::And, right: _ } => Ok(Predicate::And(self.chain(expr, &BinaryOperator::And)?)),
            Expr::BinaryOp { left: _, op: BinaryOperator::Or, right: _ } => Ok(Predicate::Or(self.chain(expr, &BinaryOperator::Or)?)),
            Expr::BinaryOp { left, op, right } => match comparison(op) {
                Some(comparison) => self.compare(left, comparison, right),
                None => Err(self.no_expression(expr, Keyword::WHERE)),
            },
            Expr::InList { expr, list, negated } => {
                let column = self.side_column(expr)?;
                let values = list.iter().map(|value| self.constant(value)).collect::<Result<_, _>>()?;
                Ok(Predicate::In { column, negated: *negated, values })
            }
            Expr::Between { expr, negated, low, high } => {
                let (column, low, high) = (self.side_column(expr)?, self.constant(low)?, self.constant(high)?);
                Ok(Predicate::Between { column, negated: *negated, low, high })
            }
            Expr::IsNull(expr) => Ok(Predicate::IsNull { column: self.side_column(expr)?, negated: false }),
            Expr::IsNotNull(expr) => Ok(Predicate::IsNull { column: self.side_column(expr)?, negated: true }),
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                Ok(Predicate::Prefix { column: self.side_column(expr)?, negated: *negated, prefix: self.prefix(pattern)? })
            }
            Expr::Identifier(_) | Expr::Value(_) => {
                Err(unsupported(self.start(expr, Keyword::WHERE), "a column or constant as a condition", A_CONDITION))
            }
            other => Err(self.no_expression(other, Keyword::WHERE)),
        }
    }

    /// The parts of `a op b op c`, which the parser nests to the left.
    fn chain(&self, expr: &Expr, chained: &BinaryOperator) -> Result<Vec<Predicate>, SqlError> {
        let (mut rest, mut parts) = (expr, Vec::new());
        while let Expr::BinaryOp { left, op, right } = rest
            && op == chained
        {
            parts.push(right.as_ref());
            rest = left;
        }
        parts.push(rest);
        parts.into_iter().rev().map(|part| self.condition(part)).collect()
    }

    fn compare(&self, left: &Expr, comparison: Comparison, right: &Expr) -> Result<Predicate, SqlError> {
        match (self.side(left)?, self.side(right)?) {
            (Side::Column(column), Side::Constant(value)) => Ok(Predicate::compare(self.column(column)?, comparison, value)),
            (Side::Constant(value), Side::Column(column)) => Ok(Predicate::compare(self.column(column)?, comparison.flipped(), value)),
            (Side::Column(_), Side::Column(ident)) => Err(unsupported(
                self.place(ident.span, Keyword::WHERE),
                "a comparison of two columns",
                "compare with a constant; text stands in single quotes: 'text'",
            )),
            (Side::Constant(_), Side::Constant(_)) => {
                Err(unsupported(self.start(left, Keyword::WHERE), "a comparison of two constants", A_CONDITION))
            }
        }
    }

    fn side<'a>(&self, expr: &'a Expr) -> Result<Side<'a>, SqlError> {
        match bare(expr) {
            Expr::Identifier(ident) => Ok(Side::Column(ident)),
            other => Ok(Side::Constant(self.constant(other)?)),
        }
    }

    fn side_column(&self, expr: &Expr) -> Result<ColumnName, SqlError> {
        match bare(expr) {
            Expr::Identifier(ident) => self.column(ident),
            Expr::Value(_) => Err(unsupported(self.start(expr, Keyword::WHERE), "a constant here", "name a column")),
            other => Err(self.no_expression(other, Keyword::WHERE)),
        }
    }

    /// The text of a pattern before its one sign, a % at the end.
    fn prefix(&self, pattern: &Expr) -> Result<String, SqlError> {
        let place = self.start(pattern, Keyword::WHERE);
        let refuse = |what: &str, hint: &'static str| Err(unsupported(place, what, hint));
        let Literal::Text(text) = self.constant(pattern)? else {
            return refuse("LIKE with a number", A_PREFIX);
        };
        match text.strip_suffix('%') {
            _ if text.contains('\\') => {
                refuse("a backslash in a pattern (LIKE)", "dialects differ in what it means; name the values: IN (...)")
            }
            None => refuse("a pattern (LIKE) without % at its end", A_PREFIX),
            Some("") => refuse("a pattern (LIKE) that every text fits", "write IS NOT NULL"),
            Some(prefix) if prefix.contains(['%', '_']) => refuse("a pattern (LIKE) with % or _ before its end", A_PREFIX),
            Some(prefix) => Ok(prefix.to_owned()),
        }
    }

    fn constant(&self, expr: &Expr) -> Result<Literal, SqlError> {
        let place = self.start(expr, Keyword::WHERE);
        let refuse = |what: &str, hint: &'static str| Err(unsupported(place, what, hint));
        match bare(expr) {
            Expr::Value(ValueWithSpan { value, span: _ }) => match value {
                Value::SingleQuotedString(text) => Ok(Literal::text(text)),
                Value::Number(digits, false) => decimal(place, "", &digits.to_string()).map(Literal::Number),
                Value::Null => refuse("a comparison with NULL", "write IS NULL or IS NOT NULL"),
                Value::Boolean(_) => refuse("a truth value", "compare with a text or a number"),
                Value::Placeholder(_) => refuse("a placeholder", "write the constant"),
                _ => refuse("this kind of constant", "write 'text' or a decimal number"),
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
                Expr::Value(ValueWithSpan { value: Value::Number(digits, false), span: _ }) => {
                    decimal(place, "-", &digits.to_string()).map(Literal::Number)
                }
                _ => refuse("arithmetic", "write the number"),
            },
            Expr::Identifier(ident) if ident.quote_style.is_some() => {
                refuse("a column in place of a constant", "text stands in single quotes: 'text'")
            }
            Expr::Identifier(_) => refuse("a column in place of a constant", "compare with a constant"),
            other => Err(self.no_expression(other, Keyword::WHERE)),
        }
    }

    /// The error for an expression outside the subset.
    pub(super) fn no_expression(&self, expr: &Expr, clause: Keyword) -> SqlError {
        let place = self.start(expr, clause);
        let (what, hint) = match expr {
            Expr::Function(function) => return no_function(place, &function.name.to_string().to_ascii_uppercase()),
            Expr::BinaryOp { op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply, left: _, right: _ } => {
                ("arithmetic", "")
            }
            Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: _ } => ("arithmetic", ""),
            Expr::BinaryOp { .. } | Expr::UnaryOp { .. } => ("an operator here", A_CONDITION),
            Expr::Like { escape_char: Some(_), .. } => ("ESCAPE in LIKE", A_PREFIX),
            Expr::ILike { .. } => ("ILIKE", "case counts: write LIKE 'text%' or name the values: IN (...)"),
            Expr::Like { .. } | Expr::SimilarTo { .. } | Expr::RLike { .. } => ("a pattern (LIKE) here", A_PREFIX),
            Expr::Case { .. } => ("CASE", ""),
            Expr::Cast { .. } | Expr::Convert { .. } => ("a conversion of types", "constants take the type of their column"),
            Expr::TypedString(_) | Expr::Interval(_) => ("a typed constant", "write it as text: '2020-01-01'"),
            Expr::IsTrue(_) | Expr::IsNotTrue(_) | Expr::IsFalse(_) | Expr::IsNotFalse(_) | Expr::IsUnknown(_) | Expr::IsNotUnknown(_) => {
                ("a test of truth values", A_CONDITION)
            }
            Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => ("IS DISTINCT FROM", "write = or IS NULL"),
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } | Expr::AnyOp { .. } | Expr::AllOp { .. } => {
                ("a subquery", "write the constants")
            }
            Expr::Tuple(_) => ("a row of expressions", A_CONDITION),
            Expr::Value(_) => ("a constant here", "name a column or an aggregate"),
            Expr::Nested(_) => ("a parenthesis here", "leave it out"),
            Expr::InList { .. } | Expr::Between { .. } | Expr::IsNull(_) | Expr::IsNotNull(_) => ("a condition here", "write it in WHERE"),
            _ => ("this expression", ""),
        };
        unsupported(place, what, hint)
    }

    /// Where an expression starts. Descends in a loop: the tree leans to the left, as deep as the text is long.
    pub(super) fn start(&self, expr: &Expr, clause: Keyword) -> Place {
        let mut first = expr;
        loop {
            first = match first {
                Expr::BinaryOp { left: inner, .. }
                | Expr::Nested(inner)
                | Expr::UnaryOp { expr: inner, .. }
                | Expr::InList { expr: inner, .. }
                | Expr::InSubquery { expr: inner, .. }
                | Expr::InUnnest { expr: inner, .. }
                | Expr::Between { expr: inner, .. }
                | Expr::Like { expr: inner, .. }
                | Expr::ILike { expr: inner, .. }
                | Expr::SimilarTo { expr: inner, .. }
                | Expr::RLike { expr: inner, .. }
                | Expr::AnyOp { left: inner, .. }
                | Expr::AllOp { left: inner, .. }
                | Expr::AtTimeZone { timestamp: inner, .. }
                | Expr::Collate { expr: inner, .. }
                | Expr::IsNormalized { expr: inner, .. }
                | Expr::IsDistinctFrom(inner, _)
                | Expr::IsNotDistinctFrom(inner, _)
                | Expr::IsNull(inner)
                | Expr::IsNotNull(inner)
                | Expr::IsTrue(inner)
                | Expr::IsNotTrue(inner)
                | Expr::IsFalse(inner)
                | Expr::IsNotFalse(inner)
                | Expr::IsUnknown(inner)
                | Expr::IsNotUnknown(inner) => inner,
                Expr::Function(function) => return self.place(function.name.span(), clause),
                // These can hold a leaning tree themselves; their own word is as good a place.
                Expr::Cast { .. } => return self.clause(Keyword::CAST),
                Expr::MemberOf(_) => return self.clause(Keyword::MEMBER),
                other => return self.place(other.span(), clause),
            };
        }
    }
}

fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

const fn comparison(op: &BinaryOperator) -> Option<Comparison> {
    match op {
        BinaryOperator::Eq => Some(Comparison::Equal),
        BinaryOperator::NotEq => Some(Comparison::NotEqual),
        BinaryOperator::Lt => Some(Comparison::Less),
        BinaryOperator::LtEq => Some(Comparison::LessOrEqual),
        BinaryOperator::Gt => Some(Comparison::Greater),
        BinaryOperator::GtEq => Some(Comparison::GreaterOrEqual),
        _ => None,
    }
}

/// `.5`, `5.` and `5e-1` are numbers of SQL; a query holds the decimal.
pub(super) fn decimal(place: Place, sign: &str, digits: &str) -> Result<Decimal, SqlError> {
    Decimal::read(&format!("{sign}{digits}"), Profile::LITERAL).map_err(|source| SqlError::Id { place, source })
}
