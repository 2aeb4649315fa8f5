//! SELECT, FROM and GROUP BY in SQL text.

use sqlparser::ast;
use sqlparser::ast::{Distinct, Expr, GroupByExpr, ObjectNamePart, SelectFlavor, SelectItem, SetExpr, Spanned, TableFactor};
use sqlparser::keywords::Keyword;

use super::order::LARGEST;
use super::reader::Reader;
use super::refusal::unsupported;
use super::{Place, SqlError};
use crate::id::{ColumnName, Name};
use crate::query::{Item, Query, QueryError};

const ONE_SELECT: &str = "one SELECT over one dataset, without subqueries and UNION";
const ONE_NAME: &str = "FROM takes one plain name";
const ALL_GROUPS: &str = "every group is in the answer; sort, cut or select from the answer";

impl Reader<'_> {
    pub(super) fn whole(&self, query: &ast::Query) -> Result<Query, SqlError> {
        let ast::Query { with, body, order_by, limit_clause, fetch, locks, for_clause, settings, format_clause, pipe_operators } = query;
        self.absent(with.is_none(), Keyword::WITH, "WITH", ONE_SELECT)?;
        self.absent(fetch.is_none(), Keyword::FETCH, "FETCH", LARGEST)?;
        self.absent(locks.is_empty() && for_clause.is_none(), Keyword::FOR, "FOR", "")?;
        self.absent(settings.is_none(), Keyword::SETTINGS, "SETTINGS", "")?;
        self.absent(format_clause.is_none(), Keyword::FORMAT, "FORMAT", "")?;
        self.absent(pipe_operators.is_empty(), Keyword::SELECT, "a pipe", "")?;
        match body.as_ref() {
            SetExpr::Select(select) => self.top(self.select(select)?, order_by.as_ref(), limit_clause.as_ref()),
            SetExpr::Query(_) => Err(unsupported(self.clause(Keyword::SELECT), "a SELECT in parentheses", ONE_SELECT)),
            SetExpr::SetOperation { left: _, op, set_quantifier: _, right: _ } => {
                let word = [Keyword::UNION, Keyword::EXCEPT, Keyword::INTERSECT, Keyword::MINUS].into_iter().find(|word| self.has(*word));
                Err(unsupported(self.clause(word.unwrap_or(Keyword::SELECT)), &op.to_string(), ONE_SELECT))
            }
            SetExpr::Values(_) | SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) | SetExpr::Table(_) => {
                Err(unsupported(self.clause(Keyword::SELECT), "a statement other than SELECT", ONE_SELECT))
            }
        }
    }

    fn select(&self, select: &ast::Select) -> Result<Query, SqlError> {
        let ast::Select {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify,
            value_table_mode,
            flavor,
        } = select;
        match distinct {
            None => {}
            Some(Distinct::All) => return Err(unsupported(self.clause(Keyword::ALL), "SELECT ALL", "write SELECT")),
            Some(Distinct::Distinct | Distinct::On(_)) => {
                return Err(unsupported(self.clause(Keyword::DISTINCT), "DISTINCT", "name the columns in GROUP BY"));
            }
        }
        self.absent(optimizer_hints.is_empty(), Keyword::SELECT, "a hint", "")?;
        self.absent(select_modifiers.is_none(), Keyword::SELECT, "a modifier of SELECT", "")?;
        self.absent(top.is_none() && !top_before_distinct, Keyword::TOP, "TOP", LARGEST)?;
        self.absent(exclude.is_none(), Keyword::EXCLUDE, "EXCLUDE", "")?;
        self.absent(into.is_none(), Keyword::INTO, "INTO", "")?;
        self.absent(lateral_views.is_empty(), Keyword::LATERAL, "LATERAL VIEW", ONE_NAME)?;
        self.absent(prewhere.is_none(), Keyword::PREWHERE, "PREWHERE", "write WHERE")?;
        self.absent(connect_by.is_empty(), Keyword::CONNECT, "CONNECT BY", "")?;
        self.absent(cluster_by.is_empty(), Keyword::CLUSTER, "CLUSTER BY", "")?;
        self.absent(distribute_by.is_empty(), Keyword::DISTRIBUTE, "DISTRIBUTE BY", "")?;
        self.absent(sort_by.is_empty(), Keyword::SORT, "SORT BY", ALL_GROUPS)?;
        self.absent(having.is_none(), Keyword::HAVING, "HAVING", ALL_GROUPS)?;
        self.absent(named_window.is_empty() && !window_before_qualify, Keyword::WINDOW, "WINDOW", "")?;
        self.absent(qualify.is_none(), Keyword::QUALIFY, "QUALIFY", "")?;
        self.absent(value_table_mode.is_none(), Keyword::SELECT, "SELECT AS", "")?;
        self.absent(matches!(flavor, SelectFlavor::Standard), Keyword::FROM, "FROM before SELECT", ONE_SELECT)?;

        let from = self.from(from)?;
        let groups = self.groups(group_by)?;
        let items = projection.iter().map(|item| self.item(item, &groups)).collect::<Result<_, _>>()?;
        let filter = selection.as_ref().map(|condition| self.condition(condition)).transpose()?;
        Query::new(from, items, groups, filter).map_err(|source| SqlError::Query { place: self.place_of_rule(&source), source })
    }

    fn from(&self, from: &[ast::TableWithJoins]) -> Result<Name, SqlError> {
        let here = |what: &str| Err(unsupported(self.clause(Keyword::FROM), what, ONE_NAME));
        let [ast::TableWithJoins { relation, joins }] = from else {
            return match from {
                [] => Err(unsupported(self.clause(Keyword::SELECT), "a SELECT without FROM", ONE_NAME)),
                [_, second, ..] => Err(unsupported(self.place(second.span(), Keyword::FROM), "a second dataset", ONE_NAME)),
                [_] => here("this FROM"),
            };
        };
        if let Some(join) = joins.first() {
            return Err(unsupported(self.place(join.relation.span(), Keyword::JOIN), "a JOIN", ONE_NAME));
        }
        let TableFactor::Table { name, alias, args, with_hints, version, with_ordinality, partitions, json_path, sample, index_hints } =
            relation
        else {
            return here("this kind of FROM");
        };
        if let Some(alias) = alias {
            return Err(unsupported(self.place(alias.span(), Keyword::FROM), "an alias of a dataset", "name the dataset alone"));
        }
        let plain = args.is_none()
            && with_hints.is_empty()
            && version.is_none()
            && !with_ordinality
            && partitions.is_empty()
            && json_path.is_none()
            && sample.is_none()
            && index_hints.is_empty();
        match name.0.as_slice() {
            [ObjectNamePart::Identifier(ident)] if plain => self.name(ident, Name::new),
            _ => Err(unsupported(self.place(name.span(), Keyword::FROM), "more than a name in FROM", ONE_NAME)),
        }
    }

    fn groups(&self, group_by: &GroupByExpr) -> Result<Vec<ColumnName>, SqlError> {
        let (columns, modifiers) = match group_by {
            GroupByExpr::All(_) => return Err(unsupported(self.clause(Keyword::GROUP), "GROUP BY ALL", "name the columns")),
            GroupByExpr::Expressions(columns, modifiers) => (columns, modifiers),
        };
        self.absent(modifiers.is_empty(), Keyword::WITH, "a modifier of GROUP BY", "")?;
        columns
            .iter()
            .map(|column| match column {
                Expr::Identifier(ident) => self.column(ident),
                Expr::Value(_) => Err(unsupported(self.start(column, Keyword::GROUP), "a position in GROUP BY", "name the column")),
                Expr::Rollup(_) | Expr::Cube(_) | Expr::GroupingSets(_) => {
                    Err(unsupported(self.start(column, Keyword::GROUP), "ROLLUP, CUBE or GROUPING SETS", "name the columns"))
                }
                _ => Err(unsupported(self.start(column, Keyword::GROUP), "an expression in GROUP BY", "name the column")),
            })
            .collect()
    }

    fn item(&self, item: &SelectItem, groups: &[ColumnName]) -> Result<Item, SqlError> {
        let (expr, alias) = match item {
            SelectItem::UnnamedExpr(expr) => (expr, None),
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias)),
            SelectItem::ExprWithAliases { expr, aliases: _ } => {
                return Err(unsupported(self.start(expr, Keyword::SELECT), "more than one alias", "write AS and one name"));
            }
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(_, _) => {
                let hint = "rows never leave; ask for an aggregate such as COUNT(*) or AVG(column)";
                return Err(unsupported(self.place(item.span(), Keyword::SELECT), "SELECT *", hint));
            }
        };
        let item = match expr {
            Expr::Identifier(ident) => {
                let column = self.column(ident)?;
                if !groups.contains(&column) {
                    let place = self.place(ident.span, Keyword::SELECT);
                    return Err(SqlError::Query { place, source: QueryError::NotGrouped { column } });
                }
                Item::key(column)
            }
            Expr::Function(function) => self.priced_aggregate(function)?,
            other => return Err(self.no_expression(other, Keyword::SELECT)),
        };
        alias.map_or(Ok(item.clone()), |alias| Ok(item.named(self.name(alias, Name::new)?)))
    }

    /// The clause that a broken rule is about.
    fn place_of_rule(&self, rule: &QueryError) -> Place {
        self.clause(match rule {
            QueryError::Groups { .. } | QueryError::GroupTwice { .. } => Keyword::GROUP,
            QueryError::Deep { .. }
            | QueryError::Empty
            | QueryError::Literals { .. }
            | QueryError::TextLong { .. }
            | QueryError::TextNotNfc
            | QueryError::PrefixEmpty
            | QueryError::PrefixPattern
            | QueryError::NumberLong { .. } => Keyword::WHERE,
            _ => Keyword::SELECT,
        })
    }

    fn has(&self, word: Keyword) -> bool {
        self.clause(word) != self.clause(Keyword::NoKeyword)
    }
}
