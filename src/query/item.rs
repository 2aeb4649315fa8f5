//! Items of SELECT: keys and aggregates, with their names and prices.

use std::collections::{BTreeMap, BTreeSet};

use super::{DECIMALS_MAX, EDGES_MAX, EDGES_MIN, Operation, QUANTILES_MAX, QueryError};
use crate::id::{ColumnName, Decimal, NAME_BYTES_MAX, Name};

/// One column of the answer: an expression, perhaps under another name, perhaps for a price of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    pub(super) expression: Expression,
    pub(super) alias: Option<Name>,
    pub(super) price: Option<Decimal>,
}

impl Item {
    /// The value of a column that the query groups by.
    #[must_use]
    pub const fn key(column: ColumnName) -> Self {
        Self::of(Expression::Key(column))
    }

    /// `COUNT(*)`: the number of rows.
    #[must_use]
    pub const fn count_rows() -> Self {
        Self::of(Expression::CountRows)
    }

    /// `COUNT(column)`: the number of rows in which the column is not null.
    #[must_use]
    pub const fn count(column: ColumnName) -> Self {
        Self::of(Expression::Count(column))
    }

    /// `SUM(column)`, nulls left out.
    #[must_use]
    pub const fn sum(column: ColumnName) -> Self {
        Self::of(Expression::Sum(column))
    }

    /// `AVG(column)`, nulls left out.
    #[must_use]
    pub const fn mean(column: ColumnName) -> Self {
        Self::of(Expression::Mean(column))
    }

    /// `COUNT(DISTINCT column)`: the number of different values, null left out.
    #[must_use]
    pub const fn count_distinct(column: ColumnName) -> Self {
        Self::of(Expression::CountDistinct(column))
    }

    /// `VAR_POP(column)`: the population variance, nulls left out.
    #[must_use]
    pub const fn variance(column: ColumnName) -> Self {
        Self::of(Expression::Variance(column))
    }

    /// `STDDEV_POP(column)`: the population standard deviation, nulls left out.
    #[must_use]
    pub const fn deviation(column: ColumnName) -> Self {
        Self::of(Expression::Deviation(column))
    }

    /// `QUANTILE(column, rank)`: the value below which the share `rank` of the rows lies; 0.5 is the median.
    #[must_use]
    pub const fn quantile(column: ColumnName, rank: Decimal) -> Self {
        Self::of(Expression::Quantile { column, rank })
    }

    /// `HISTOGRAM(column, edges)`: how many rows fall into each bin; without edges, how many have each declared value.
    #[must_use]
    pub const fn histogram(column: ColumnName, edges: Vec<Decimal>) -> Self {
        Self::of(Expression::Histogram { column, edges })
    }

    /// `BOUNDS(column)`: bounds between which most values lie, found under privacy.
    #[must_use]
    pub const fn range(column: ColumnName) -> Self {
        Self::of(Expression::Range(column))
    }

    /// `CLAMPED(column)`: the number of rows whose value was clamped to the bounds.
    #[must_use]
    pub const fn clamped(column: ColumnName) -> Self {
        Self::of(Expression::Clamped(column))
    }

    /// `DROPPED(*)`: the number of units of which contribution bounding dropped rows.
    #[must_use]
    pub const fn dropped() -> Self {
        Self::of(Expression::Dropped)
    }

    /// The same item under another name: `expression AS alias`.
    #[must_use]
    pub fn named(mut self, alias: Name) -> Self {
        self.alias = Some(alias);
        self
    }

    /// The same item for a price of its own, in the model of the budget (epsilon or rho): `BUDGET(expression, amount)`.
    /// Inside a query it is above 0 and has at most 9 decimals.
    #[must_use]
    pub const fn priced(mut self, amount: Decimal) -> Self {
        self.price = Some(amount);
        self
    }

    /// What is computed.
    #[must_use]
    pub const fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The name given by AS, if it differs from the expression's own.
    #[must_use]
    pub const fn alias(&self) -> Option<&Name> {
        self.alias.as_ref()
    }

    /// The price given by BUDGET; without one the item shares what the others leave.
    #[must_use]
    pub const fn price(&self) -> Option<Decimal> {
        self.price
    }

    /// The name of this column in the answer: the alias, else `COUNT(*)`, `AVG(age)`, `sex`.
    ///
    /// A histogram and bounds have several columns; the gate names them after this one.
    #[must_use]
    pub fn output_name(&self) -> String {
        self.alias.as_ref().map_or_else(|| self.expression.own_name(), |alias| alias.as_str().to_owned())
    }

    const fn of(expression: Expression) -> Self {
        Self { expression, alias: None, price: None }
    }

    /// The rules that one item keeps by itself, its name apart.
    fn check(&self, groups: &[ColumnName]) -> Result<(), QueryError> {
        match (&self.expression, self.price) {
            (Expression::Key(column), _) if !groups.contains(column) => Err(QueryError::NotGrouped { column: column.clone() }),
            (Expression::Key(column), Some(_)) => Err(QueryError::KeyPriced { column: column.clone() }),
            (_, Some(price)) => check_price(price),
            (_, None) => Ok(()),
        }?;
        self.expression.check()
    }
}

/// What an item computes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expression {
    /// A column of GROUP BY.
    Key(ColumnName),
    /// `COUNT(*)`
    CountRows,
    /// `COUNT(column)`
    Count(ColumnName),
    /// `SUM(column)`
    Sum(ColumnName),
    /// `AVG(column)`
    Mean(ColumnName),
    /// `COUNT(DISTINCT column)`
    CountDistinct(ColumnName),
    /// `VAR_POP(column)`: population variance.
    Variance(ColumnName),
    /// `STDDEV_POP(column)`: population standard deviation.
    Deviation(ColumnName),
    /// `QUANTILE(column, rank)`
    Quantile {
        /// The column.
        column: ColumnName,
        /// The share of rows below it: inside a query in [0, 1], with at most 9 decimals.
        rank: Decimal,
    },
    /// `HISTOGRAM(column[, edge, ...])`
    Histogram {
        /// The column.
        column: ColumnName,
        /// Nothing for the declared values of the column, else inside a query 2 to 64 strictly increasing edges: the
        /// bins are [e0, e1), [e1, e2), ..., the last one closed.
        edges: Vec<Decimal>,
    },
    /// `BOUNDS(column)`: automatic bounds, two columns of the answer; a query of it has no other aggregate.
    Range(ColumnName),
    /// `CLAMPED(column)`: rows whose value was clamped to the bounds.
    Clamped(ColumnName),
    /// `DROPPED(*)`: units of which contribution bounding dropped rows.
    Dropped,
}

impl Expression {
    /// The column it reads, if any.
    #[must_use]
    pub const fn column(&self) -> Option<&ColumnName> {
        match self {
            Self::CountRows | Self::Dropped => None,
            Self::Key(column)
            | Self::Count(column)
            | Self::Sum(column)
            | Self::Mean(column)
            | Self::CountDistinct(column)
            | Self::Variance(column)
            | Self::Deviation(column)
            | Self::Quantile { column, .. }
            | Self::Histogram { column, .. }
            | Self::Range(column)
            | Self::Clamped(column) => Some(column),
        }
    }

    /// The operation that a right must allow for it; none for a key.
    #[must_use]
    pub const fn operation(&self) -> Option<Operation> {
        match self {
            Self::Key(_) => None,
            Self::CountRows | Self::Count(_) | Self::Clamped(_) | Self::Dropped => Some(Operation::Count),
            Self::Sum(_) => Some(Operation::Sum),
            Self::Mean(_) => Some(Operation::Mean),
            Self::CountDistinct(_) => Some(Operation::CountDistinct),
            Self::Variance(_) | Self::Deviation(_) => Some(Operation::Variance),
            Self::Quantile { .. } => Some(Operation::Quantile),
            Self::Histogram { .. } => Some(Operation::Histogram),
            Self::Range(_) => Some(Operation::Bounds),
        }
    }

    fn own_name(&self) -> String {
        match self {
            Self::Key(column) => column.to_string(),
            Self::CountRows => "COUNT(*)".to_owned(),
            Self::Count(column) => format!("COUNT({column})"),
            Self::Sum(column) => format!("SUM({column})"),
            Self::Mean(column) => format!("AVG({column})"),
            Self::CountDistinct(column) => format!("COUNT(DISTINCT {column})"),
            Self::Variance(column) => format!("VAR_POP({column})"),
            Self::Deviation(column) => format!("STDDEV_POP({column})"),
            Self::Quantile { column, rank } => format!("QUANTILE({column}, {rank})"),
            Self::Histogram { column, .. } => format!("HISTOGRAM({column})"),
            Self::Range(column) => format!("BOUNDS({column})"),
            Self::Clamped(column) => format!("CLAMPED({column})"),
            Self::Dropped => "DROPPED(*)".to_owned(),
        }
    }

    /// The rules of its numbers.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        match self {
            Self::Quantile { rank, .. } => {
                let within = (Decimal::ZERO..=Decimal::ONE).contains(rank) && usize::from(rank.scale()) <= DECIMALS_MAX;
                if within { Ok(()) } else { Err(QueryError::Rank { decimals: DECIMALS_MAX }) }
            }
            Self::Histogram { edges, .. } if !edges.is_empty() => {
                if !(EDGES_MIN..=EDGES_MAX).contains(&edges.len()) {
                    return Err(QueryError::Edges { found: edges.len(), least: EDGES_MIN, most: EDGES_MAX });
                }
                if !edges.is_sorted_by(|low, high| low < high) {
                    return Err(QueryError::EdgesUnordered);
                }
                edges.iter().try_for_each(|edge| check_digits(*edge))
            }
            _ => Ok(()),
        }
    }
}

/// Checks each item, drops an alias that says nothing, and checks what items must keep together.
pub(super) fn check_items(items: &mut [Item], groups: &[ColumnName]) -> Result<(), QueryError> {
    let (mut names, mut quantiles) = (BTreeSet::new(), BTreeMap::<ColumnName, usize>::new());
    for item in &mut *items {
        item.check(groups)?;
        let own_name = item.expression.own_name();
        item.alias.take_if(|alias| alias.as_str() == own_name);
        let name = item.output_name();
        if name.len() > NAME_BYTES_MAX {
            return Err(QueryError::NameLong { found: name.len(), most: NAME_BYTES_MAX, name });
        }
        if !names.insert(name.clone()) {
            return Err(QueryError::NameTwice { name });
        }
        if let Expression::Quantile { column, .. } = &item.expression {
            let count = quantiles.entry(column.clone()).or_default();
            *count += 1;
            if *count > QUANTILES_MAX {
                return Err(QueryError::Quantiles { column: column.clone(), most: QUANTILES_MAX });
            }
        }
    }
    let aggregates = || items.iter().map(Item::expression).filter(|expression| expression.operation().is_some());
    let ranges = aggregates().filter(|expression| matches!(expression, Expression::Range(_))).count();
    match aggregates().count() {
        0 => Err(QueryError::NoAggregate),
        all if ranges > 0 && ranges < all => Err(QueryError::BoundsMixed),
        _ => Ok(()),
    }
}

pub(super) fn check_price(price: Decimal) -> Result<(), QueryError> {
    if price <= Decimal::ZERO || usize::from(price.scale()) > DECIMALS_MAX {
        return Err(QueryError::Price { decimals: DECIMALS_MAX });
    }
    check_digits(price)
}

/// An `i128` holds some numbers of 39 digits, which have no text form that is read back.
pub(super) fn check_digits(number: Decimal) -> Result<(), QueryError> {
    if Decimal::parse(&number.to_string()) == Ok(number) { Ok(()) } else { Err(QueryError::NumberLong { most: Decimal::DIGITS_MAX }) }
}
