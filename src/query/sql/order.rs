//! ORDER BY COUNT(*) DESC LIMIT n: the largest groups, and the only order there is.

use sqlparser::ast::{Expr, LimitClause, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Value, ValueWithSpan};
use sqlparser::keywords::Keyword;

use super::SqlError;
use super::reader::Reader;
use super::refusal::unsupported;
use crate::query::{Item, Query, QueryError, TOP_MAX};

/// How the largest groups are asked for.
pub(super) const LARGEST: &str = "the largest groups are ORDER BY COUNT(*) DESC LIMIT n; else every group is in the answer";

impl Reader<'_> {
    /// `ORDER BY count DESC LIMIT n`: both or neither.
    pub(super) fn top(&self, query: Query, order: Option<&OrderBy>, limit: Option<&LimitClause>) -> Result<Query, SqlError> {
        match (order, limit) {
            (None, None) => Ok(query),
            (None, Some(_)) => {
                let first = self.clause(Keyword::LIMIT).min(self.clause(Keyword::OFFSET));
                Err(unsupported(first, "LIMIT or OFFSET without ORDER BY", LARGEST))
            }
            (Some(_), None) => Err(unsupported(self.clause(Keyword::ORDER), "ORDER BY without LIMIT", LARGEST)),
            (Some(order), Some(limit)) => {
                let (item, count) = (self.ordered(order, query.select())?, self.limit(limit)?);
                query.top(item, count).map_err(|source| {
                    let clause = if matches!(source, QueryError::TopCount { .. }) { Keyword::LIMIT } else { Keyword::ORDER };
                    SqlError::Query { place: self.clause(clause), source }
                })
            }
        }
    }

    /// The place of the item that ORDER BY names.
    fn ordered(&self, order: &OrderBy, select: &[Item]) -> Result<usize, SqlError> {
        let OrderBy { kind, interpolate } = order;
        let here = |what: &str| Err(unsupported(self.clause(Keyword::ORDER), what, LARGEST));
        let expressions = match kind {
            OrderByKind::Expressions(expressions) if interpolate.is_none() => expressions,
            OrderByKind::Expressions(_) | OrderByKind::All(_) => return here("this form of ORDER BY"),
        };
        let [OrderByExpr { expr, options: OrderByOptions { asc, nulls_first }, with_fill }] = expressions.as_slice() else {
            return here("an ORDER BY of several expressions");
        };
        if nulls_first.is_some() || with_fill.is_some() {
            return here("an extension of ORDER BY");
        }
        if *asc != Some(false) {
            return here("an ascending ORDER BY");
        }
        let place = self.start(expr, Keyword::ORDER);
        let fitting: Vec<_> = match expr {
            Expr::Identifier(ident) => {
                let named = |item: &Item| item.alias().is_some_and(|alias| alias.as_str() == ident.value);
                (0..select.len()).filter(|at| named(&select[*at])).collect()
            }
            Expr::Function(function) => {
                let expression = self.aggregate(function)?;
                let fits = |at: &usize| select[*at].expression() == expression.expression();
                match (0..select.len()).filter(fits).find(|at| select[*at].alias().is_none()) {
                    Some(plain) => vec![plain],
                    None => (0..select.len()).filter(fits).collect(),
                }
            }
            Expr::Value(_) => return Err(unsupported(place, "a position in ORDER BY", "name the count or its alias")),
            other => return Err(self.no_expression(other, Keyword::ORDER)),
        };
        match fitting.as_slice() {
            [item] => Ok(*item),
            [] => Err(unsupported(place, "an ORDER BY of anything but a count of SELECT", "write the count as in SELECT, or its alias")),
            [..] => Err(unsupported(place, "an ORDER BY that fits several items", "write the alias")),
        }
    }

    fn limit(&self, limit: &LimitClause) -> Result<u32, SqlError> {
        let count = match limit {
            LimitClause::LimitOffset { limit: Some(count), offset: None, limit_by } if limit_by.is_empty() => count,
            LimitClause::LimitOffset { limit: _, offset: Some(_), limit_by: _ } => {
                return Err(unsupported(self.clause(Keyword::OFFSET), "OFFSET", LARGEST));
            }
            _ => return Err(unsupported(self.clause(Keyword::LIMIT), "this form of LIMIT", LARGEST)),
        };
        let digits = match count {
            Expr::Value(ValueWithSpan { value: Value::Number(digits, false), span: _ }) => digits.to_string(),
            _ => String::new(),
        };
        digits.parse().map_err(|_| {
            let what = format!("a LIMIT that is no whole number up to {TOP_MAX}");
            unsupported(self.start(count, Keyword::LIMIT), &what, LARGEST)
        })
    }
}
