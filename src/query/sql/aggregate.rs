//! Aggregates in SQL text, with the names that other dialects have for them.

use sqlparser::ast;
use sqlparser::ast::{DuplicateTreatment, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectNamePart, OrderByExpr};
use sqlparser::ast::{OrderByOptions, Spanned, UnaryOperator, Value, ValueWithSpan};
use sqlparser::keywords::Keyword;

use super::filter::decimal;
use super::reader::Reader;
use super::refusal::{AGGREGATES, is_known, no_function, unsupported};
use super::{Place, SqlError};
use crate::budget::is_amount;
use crate::id::{ColumnName, Decimal};
use crate::query::item::check_price;
use crate::query::{Item, QueryError};

const A_NUMBER: &str = "write a decimal number such as 0.5";

/// A function as it is written, without a part that no aggregate has.
struct Call<'a> {
    place: Place,
    name: String,
    distinct: bool,
    args: Vec<Argument<'a>>,
    /// The column of WITHIN GROUP (ORDER BY column).
    within: Option<&'a Expr>,
}

enum Argument<'a> {
    Star,
    Expr(&'a Expr),
}

impl Reader<'_> {
    /// An aggregate of SELECT: plain, or `BUDGET(aggregate, price)`.
    pub(super) fn priced_aggregate(&self, function: &ast::Function) -> Result<Item, SqlError> {
        let call = self.call(function)?;
        if call.name != "BUDGET" {
            return self.read(&call);
        }
        let [Argument::Expr(inner), Argument::Expr(amount)] = call.args.as_slice() else {
            return Err(unsupported(call.place, "this BUDGET", "write BUDGET(AVG(column), 0.1)"));
        };
        let Expr::Function(inner) = inner else {
            let place = self.start(inner, Keyword::SELECT);
            return Err(unsupported(place, "a BUDGET of anything but an aggregate", "write BUDGET(AVG(column), 0.1)"));
        };
        if call.distinct || call.within.is_some() {
            return Err(unsupported(call.place, "an extension of BUDGET", "write BUDGET(AVG(column), 0.1)"));
        }
        // Written as amounts of budget are everywhere: SQL alone would also read 01.5 and .5.
        if let Expr::Value(ValueWithSpan { value: Value::Number(digits, _), span: _ }) = amount
            && !is_amount(&digits.to_string())
        {
            let place = self.start(amount, Keyword::SELECT);
            return Err(unsupported(place, "an amount with a leading zero, a bare point or an exponent", "write BUDGET(AVG(column), 0.1)"));
        }
        let (item, price) = (self.aggregate(inner)?, self.number(amount)?);
        check_price(price).map_err(self.at(amount))?;
        Ok(item.priced(price))
    }

    /// An aggregate without a price.
    pub(super) fn aggregate(&self, function: &ast::Function) -> Result<Item, SqlError> {
        let call = self.call(function)?;
        if call.name == "BUDGET" {
            return Err(unsupported(call.place, "BUDGET here", "it stands once around an aggregate of SELECT"));
        }
        self.read(&call)
    }

    fn call<'a>(&self, function: &'a ast::Function) -> Result<Call<'a>, SqlError> {
        let ast::Function { name, uses_odbc_syntax, parameters, args, filter, null_treatment, over, within_group } = function;
        let place = self.place(name.span(), Keyword::SELECT);
        let refuse = |what: &str, hint: &'static str| Err(unsupported(place, what, hint));
        let name = match name.0.as_slice() {
            [ObjectNamePart::Identifier(Ident { value, quote_style: None, span: _ })] => value.to_ascii_uppercase(),
            _ => return refuse("this function", AGGREGATES),
        };
        if !is_known(&name) {
            return Err(no_function(place, &name));
        }
        if *uses_odbc_syntax || !matches!(parameters, FunctionArguments::None) || null_treatment.is_some() {
            return refuse("an extension of aggregates", "");
        }
        if over.is_some() {
            return refuse("a window function", "ask without OVER");
        }
        if filter.is_some() {
            return refuse("FILTER", "write the condition in WHERE");
        }
        let FunctionArguments::List(ast::FunctionArgumentList { duplicate_treatment, args, clauses }) = args else {
            return refuse("an aggregate without its column in parentheses", "");
        };
        if !clauses.is_empty() {
            return refuse("a clause in an aggregate", "");
        }
        let distinct = match duplicate_treatment {
            None => false,
            Some(DuplicateTreatment::Distinct) => true,
            Some(DuplicateTreatment::All) => return refuse("ALL in an aggregate", "leave it out"),
        };
        let args = args.iter().map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Ok(Argument::Star),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(Argument::Expr(expr)),
            _ => Err(unsupported(place, "this argument of an aggregate", usage(&name))),
        });
        Ok(Call { place, distinct, args: args.collect::<Result<_, _>>()?, within: self.within(within_group, &name, place)?, name })
    }

    /// The expression of `WITHIN GROUP (ORDER BY expression)`.
    fn within<'a>(&self, within_group: &'a [OrderByExpr], name: &str, place: Place) -> Result<Option<&'a Expr>, SqlError> {
        match within_group {
            [] => Ok(None),
            _ if !matches!(name, "PERCENTILE_CONT" | "PERCENTILE_DISC") => Err(unsupported(place, "WITHIN GROUP here", usage(name))),
            [OrderByExpr { expr, options: OrderByOptions { asc: None | Some(true), nulls_first: None }, with_fill: None }] => {
                Ok(Some(expr))
            }
            [first, ..] => {
                let place = self.start(&first.expr, Keyword::SELECT);
                Err(unsupported(place, "this order of WITHIN GROUP", "write one column, in ascending order"))
            }
        }
    }

    fn read(&self, call: &Call<'_>) -> Result<Item, SqlError> {
        use Argument::{Expr, Star};
        if call.distinct && call.name != "COUNT" {
            return Err(unsupported(call.place, "DISTINCT in this aggregate", "only COUNT(DISTINCT column) has it"));
        }
        let column = |expr| self.argument(expr, &call.name);
        match (call.name.as_str(), call.args.as_slice(), call.within.as_ref()) {
            ("COUNT", [Star], None) if !call.distinct => Ok(Item::count_rows()),
            ("COUNT", [Expr(of)], None) if call.distinct => column(of).map(Item::count_distinct),
            ("COUNT", [Expr(of)], None) => column(of).map(Item::count),
            ("SUM", [Expr(of)], None) => column(of).map(Item::sum),
            ("AVG", [Expr(of)], None) => column(of).map(Item::mean),
            // Databases differ in whether VARIANCE and STDDEV are of the population or of the sample; here they are of the first.
            ("VAR_POP" | "VARIANCE", [Expr(of)], None) => column(of).map(Item::variance),
            ("STDDEV_POP" | "STDDEV", [Expr(of)], None) => column(of).map(Item::deviation),
            ("BOUNDS", [Expr(of)], None) => column(of).map(Item::range),
            ("CLAMPED", [Expr(of)], None) => column(of).map(Item::clamped),
            ("DROPPED", [Star], None) => Ok(Item::dropped()),
            ("MEDIAN", [Expr(of)], None) => Ok(Item::quantile(column(of)?, decimal(call.place, "", "0.5")?)),
            ("QUANTILE", [Expr(of), Expr(rank)], None) | ("PERCENTILE_CONT" | "PERCENTILE_DISC", [Expr(rank)], Some(of)) => {
                let item = Item::quantile(column(of)?, self.number(rank)?);
                item.expression().check().map_err(self.at(rank))?;
                Ok(item)
            }
            ("HISTOGRAM", [Expr(of), edges @ ..], None) => {
                let edges = edges.iter().map(|edge| match edge {
                    Expr(edge) => self.number(edge),
                    Star => Err(unsupported(call.place, "a * as an edge", A_NUMBER)),
                });
                let item = Item::histogram(column(of)?, edges.collect::<Result<_, _>>()?);
                item.expression().check().map_err(|source| SqlError::Query { place: call.place, source })?;
                Ok(item)
            }
            ("COUNT" | "SUM" | "AVG", _, _) => Err(unsupported(call.place, "an aggregate of anything but one column", usage(&call.name))),
            _ => Err(unsupported(call.place, &format!("this form of {}", call.name), usage(&call.name))),
        }
    }

    fn argument(&self, expr: &Expr, function: &str) -> Result<ColumnName, SqlError> {
        match expr {
            Expr::Identifier(ident) => self.column(ident),
            Expr::Value(_) => {
                let hint = if function == "COUNT" { "write COUNT(*)" } else { "name a column" };
                Err(unsupported(self.start(expr, Keyword::SELECT), "an aggregate of a constant", hint))
            }
            other => Err(self.no_expression(other, Keyword::SELECT)),
        }
    }

    /// A number among the arguments.
    fn number(&self, expr: &Expr) -> Result<Decimal, SqlError> {
        let place = self.start(expr, Keyword::SELECT);
        match expr {
            Expr::Value(ValueWithSpan { value: Value::Number(digits, false), span: _ }) => decimal(place, "", &digits.to_string()),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
                Expr::Value(ValueWithSpan { value: Value::Number(digits, false), span: _ }) => decimal(place, "-", &digits.to_string()),
                _ => Err(unsupported(place, "arithmetic", A_NUMBER)),
            },
            _ => Err(unsupported(place, "anything but a number here", A_NUMBER)),
        }
    }

    fn at(&self, expr: &Expr) -> impl FnOnce(QueryError) -> SqlError {
        let place = self.start(expr, Keyword::SELECT);
        move |source| SqlError::Query { place, source }
    }
}

fn usage(name: &str) -> &'static str {
    match name {
        "COUNT" | "SUM" | "AVG" => "write COUNT(*), COUNT(column), SUM(column) or AVG(column)",
        "QUANTILE" => "write QUANTILE(column, 0.5)",
        "PERCENTILE_CONT" | "PERCENTILE_DISC" => "write PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY column)",
        "HISTOGRAM" => "write HISTOGRAM(column), or with edges HISTOGRAM(column, 0, 10, 20)",
        "DROPPED" => "write DROPPED(*)",
        "BUDGET" => "write BUDGET(AVG(column), 0.1)",
        _ => "name one column",
    }
}
