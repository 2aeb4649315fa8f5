use std::sync::Arc;

use super::filter::{Binder, Filter};
use super::group::{GroupColumn, Key, arrange};
use super::vector::{Vector, VectorKind};
use crate::dataset::{Bounds, Column, ColumnType, Contribution, Schema, Step, Unit, Use};
use crate::id::ColumnName;
use crate::query::{Expression, Query};

/// The most groups of an answer: every county of a country by age and sex, and sums of all of them fit in memory.
pub const CELLS_MAX: usize = 1 << 20;
/// The most bytes of an answer (rule C8), by `ESTIMATE_BYTES` for each estimate and the keys as they are.
pub const ANSWER_BYTES_MAX: u64 = 16 << 20;
/// Three decimals of at most 41 characters, a method, and what stands between them.
const ESTIMATE_BYTES: u128 = 160;
/// What stands around a key.
const KEY_BYTES: u128 = 8;

/// A query with types bound: what to read, what is true, which groups, which base vectors.
///
/// Cheap to clone. Its `Debug` shows the question, no data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound(pub(super) Arc<Plan>);

/// The inside of [`Bound`]: columns are numbered by their place in `reads`, vectors by their place in `vectors`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) reads: Vec<Read>,
    pub(super) filter: Option<Filter>,
    pub(super) groups: Vec<GroupColumn>,
    pub(super) cells: usize,
    pub(super) vectors: Vec<Vector>,
    pub(super) values: Vec<Value>,
    pub(super) aggregates: Vec<Aggregate>,
    outputs: Vec<Output>,
    /// How units are chosen from; none when the unit is a row.
    pub(super) choice: Option<Choice>,
}

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// Its place in the schema.
    pub(super) place: usize,
    /// Codes or numbers.
    pub(super) text: bool,
}

/// A column whose values are counted or summed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) read: usize,
    /// The vector of the rows that have a value.
    pub(super) present: Option<usize>,
    pub(super) sum: Option<Sum>,
}

/// How a column is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) vector: usize,
    pub(super) bounds: Bounds,
    pub(super) centre: i64,
}

/// How an aggregate comes from the vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Count {
        vector: usize,
    },
    /// S + centre N; without N where centre is 0.
    Sum {
        sum: usize,
        count: Option<usize>,
        centre: i64,
        step: Step,
    },
    /// centre + S/N.
    Mean {
        sum: usize,
        count: usize,
        centre: i64,
        bounds: Bounds,
        step: Step,
    },
}

/// The most groups and rows of a group that are kept of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) groups: usize,
    pub(super) rows: usize,
}

/// Where a column of the answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// From the key of a group: a column of GROUP BY.
    Key(usize),
    /// From its estimates.
    Estimate(usize),
}

impl Bound {
    /// Binds a query to a schema; everything that can be wrong with it is found here.
    ///
    /// Whether `query.from()` is the dataset's name is for the caller to see, who knows the name.
    ///
    /// # Errors
    /// The first thing that is wrong, by the name of its column.
    pub fn new(query: &Query, schema: &Schema) -> Result<Self, BindError> {
        let mut reads = Reads { schema, reads: Vec::new() };
        let mut groups = query.groups().iter().map(|name| reads.group(name)).collect::<Result<Vec<_>, _>>()?;
        let cells = arrange(&mut groups, CELLS_MAX)?;
        let find = |name: &ColumnName| {
            let (place, column) = reads.find(name, Use::Filter, "WHERE")?;
            Ok((reads.number(place), column))
        };
        let mut binder = Binder { find, tables: 0 };
        let filter = query.filter().map(|filter| binder.bind(filter, false)).transpose()?;

        let contribution = match schema.unit() {
            Unit::Row => Contribution::ROW,
            Unit::Column(_) => schema.contribution(),
        };
        let choice = Choice {
            groups: cells.min(contribution.groups_per_unit.try_into().unwrap_or(usize::MAX)),
            rows: contribution.rows_per_group.try_into().unwrap_or(usize::MAX),
        };
        let rows_of_unit = choice.groups as u64 * choice.rows as u64;

        let mut items = Vec::new();
        let mut outputs = Vec::new();
        for item in query.select() {
            if let Expression::Key(column) = item.expression() {
                // A query lets no other key in.
                outputs.extend(query.groups().iter().position(|group| group == column).map(Output::Key));
            } else {
                outputs.push(Output::Estimate(items.len()));
                items.push(reads.item(item.expression())?);
            }
        }
        let (vectors, values, aggregates) = vectors(&items, rows_of_unit, &mut reads);
        check_size(&groups, cells, aggregates.len())?;
        let choice = matches!(schema.unit(), Unit::Column(_)).then_some(choice);
        Ok(Self(Arc::new(Plan { reads: reads.reads, filter, groups, cells, vectors, values, aggregates, outputs, choice })))
    }

    /// How many groups the answer has, empty ones included.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.0.cells
    }

    /// The key of a group, one part for each column of GROUP BY. Groups count from 0, the last column fastest.
    #[must_use]
    pub fn key(&self, cell: usize) -> Vec<Key> {
        self.0.groups.iter().map(|column| column.key(cell)).collect()
    }

    /// The columns of GROUP BY.
    pub fn group_columns(&self) -> impl ExactSizeIterator<Item = &ColumnName> {
        self.0.groups.iter().map(|column| &column.name)
    }

    /// The columns of the answer in the order of SELECT.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.0.outputs
    }

    /// The base vectors, in the order in which they get shares and noise.
    #[must_use]
    pub fn vectors(&self) -> &[Vector] {
        &self.0.vectors
    }
}

/// Finds columns and numbers what is read.
struct Reads<'a> {
    schema: &'a Schema,
    reads: Vec<Read>,
}

/// An aggregate; its column with its place in the schema.
enum Item<'a> {
    Rows,
    Count(usize, &'a Column),
    Sum(usize, &'a Column, Bounds, Step),
    Mean(usize, &'a Column, Bounds, Step),
}

impl<'a> Reads<'a> {
    /// A column that may be used so, with its place in the schema.
    fn find(&self, name: &ColumnName, using: Use, clause: &'static str) -> Result<(usize, &'a Column), BindError> {
        let (place, column) = self.schema.column(name).ok_or_else(|| BindError::NoColumn { column: name.clone() })?;
        if !column.uses.allow(using) {
            return Err(BindError::NotAllowed { column: name.clone(), clause, using: using.name() });
        }
        Ok((place, column))
    }

    /// The number of a column among those that are read.
    fn number(&mut self, place: usize) -> usize {
        self.reads.iter().position(|read| read.place == place).unwrap_or_else(|| {
            self.reads.push(Read { place, text: self.schema.columns()[place].kind == ColumnType::Text });
            self.reads.len() - 1
        })
    }

    fn group(&mut self, name: &ColumnName) -> Result<GroupColumn, BindError> {
        let (place, column) = self.find(name, Use::Group, "GROUP BY")?;
        GroupColumn::new(self.number(place), column)
    }

    fn item(&self, expression: &Expression) -> Result<Item<'a>, BindError> {
        let (clause, name) = match expression {
            Expression::Key(_) | Expression::CountRows => return Ok(Item::Rows),
            Expression::Count(column) => ("COUNT", column),
            Expression::Sum(column) => ("SUM", column),
            Expression::Mean(column) => ("AVG", column),
        };
        let (place, column) = self.find(name, Use::Aggregate, clause)?;
        if matches!(expression, Expression::Count(_)) {
            return Ok(Item::Count(place, column));
        }
        let step = column.kind.step().ok_or_else(|| BindError::NotNumber { column: name.clone(), clause })?;
        let bounds = column.bounds.ok_or_else(|| BindError::NoBounds { column: name.clone(), clause })?;
        Ok(match expression {
            Expression::Sum(_) => Item::Sum(place, column, bounds, step),
            _ => Item::Mean(place, column, bounds, step),
        })
    }
}

/// Reduces items to base vectors: N first, then N and S of each column in the order of the schema, so that the same
/// items in another order get the same shares.
fn vectors(items: &[Item<'_>], rows: u64, reads: &mut Reads<'_>) -> (Vec<Vector>, Vec<Value>, Vec<Aggregate>) {
    let mut vectors = Vec::new();
    // All rows are counted for COUNT(*), and for columns that every row has a value of.
    let all_rows = items.iter().any(|item| match item {
        Item::Rows => true,
        Item::Count(_, column) | Item::Mean(_, column, ..) => !column.nullable,
        Item::Sum(..) => false,
    });
    if all_rows {
        vectors.push(Vector::count(VectorKind::Rows, rows));
    }
    let mut places: Vec<_> = items.iter().filter_map(Item::column).collect();
    places.sort_unstable_by_key(|(place, _)| *place);
    places.dedup_by_key(|(place, _)| *place);

    let mut values = Vec::new();
    let mut bases = Vec::new();
    for (place, column) in places {
        let of_column = || items.iter().filter(|item| item.column().is_some_and(|(other, _)| other == place));
        let counted = of_column().any(|item| matches!(item, Item::Count(..) | Item::Mean(..)));
        let summed = of_column().find_map(Item::sum);
        let mut push = |vector| {
            vectors.push(vector);
            vectors.len() - 1
        };
        let present = (counted && column.nullable).then(|| push(Vector::count(VectorKind::Present { column: column.name.clone() }, rows)));
        let sum = summed.map(|bounds| {
            let centre = if counted { bounds.middle() } else { 0 };
            Sum { vector: push(Vector::sum(column.name.clone(), bounds, centre, rows)), bounds, centre }
        });
        bases.push((place, present.unwrap_or(0), sum));
        if present.is_some() || sum.is_some() {
            values.push(Value { read: reads.number(place), present, sum });
        }
    }
    let base = |place| bases.iter().find(|(other, ..)| *other == place).copied();
    let aggregates = items.iter().filter_map(|item| match *item {
        Item::Rows => Some(Aggregate::Count { vector: 0 }),
        Item::Count(place, ..) => base(place).map(|(_, count, _)| Aggregate::Count { vector: count }),
        Item::Sum(place, _, _, step) => base(place).and_then(|(_, count, sum)| {
            let Sum { vector, centre, .. } = sum?;
            Some(Aggregate::Sum { sum: vector, count: (centre != 0).then_some(count), centre, step })
        }),
        Item::Mean(place, _, bounds, step) => base(place).and_then(|(_, count, sum)| {
            let Sum { vector, centre, .. } = sum?;
            Some(Aggregate::Mean { sum: vector, count, centre, bounds, step })
        }),
    });
    let aggregates = aggregates.collect();
    (vectors, values, aggregates)
}

impl<'a> Item<'a> {
    /// Its column with the place in the schema.
    fn column(&self) -> Option<(usize, &'a Column)> {
        match self {
            Self::Rows => None,
            Self::Count(place, column) | Self::Sum(place, column, ..) | Self::Mean(place, column, ..) => Some((*place, column)),
        }
    }

    fn sum(&self) -> Option<Bounds> {
        match self {
            Self::Rows | Self::Count(..) => None,
            Self::Sum(.., bounds, _) | Self::Mean(.., bounds, _) => Some(*bounds),
        }
    }
}

fn check_size(groups: &[GroupColumn], cells: usize, aggregates: usize) -> Result<(), BindError> {
    let estimates = cells as u128 * aggregates as u128 * ESTIMATE_BYTES;
    let keys = groups.iter().map(|column| {
        // Each key stands in as many groups as the other columns make.
        let times = cells as u128 / u128::from(column.len());
        times * column.key_bytes() + cells as u128 * KEY_BYTES
    });
    let found = u64::try_from(estimates + keys.sum::<u128>()).unwrap_or(u64::MAX);
    if found > ANSWER_BYTES_MAX { Err(BindError::AnswerSize { found, most: ANSWER_BYTES_MAX }) } else { Ok(()) }
}

/// Why a query does not fit a dataset. Names columns, never a constant or a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// There is no such column.
    #[error("the dataset has no column {column}")]
    NoColumn {
        /// The column.
        column: ColumnName,
    },
    /// The column is not for that.
    #[error("the column {column} cannot stand in {clause}: its uses do not include {using}")]
    NotAllowed {
        /// The column.
        column: ColumnName,
        /// Where it stands.
        clause: &'static str,
        /// The use that it lacks.
        using: &'static str,
    },
    /// Groups are declared, and none are.
    #[error("the column {column} cannot stand in GROUP BY: it has no declared values")]
    NoValues {
        /// The column.
        column: ColumnName,
    },
    /// Text cannot be summed.
    #[error("{clause} needs a number, the column {column} is text")]
    NotNumber {
        /// The column.
        column: ColumnName,
        /// SUM or AVG.
        clause: &'static str,
    },
    /// Without bounds one row could change a sum by any amount.
    #[error("{clause} needs bounds, the column {column} declares none")]
    NoBounds {
        /// The column.
        column: ColumnName,
        /// SUM or AVG.
        clause: &'static str,
    },
    /// A text beside a number, or the other way round.
    #[error("the column {column} is {kind}: compare it with {expected}")]
    Constant {
        /// The column.
        column: ColumnName,
        /// Its type.
        kind: &'static str,
        /// What it can be compared with.
        expected: &'static str,
    },
    /// Too many groups.
    #[error("the query has {found} groups, at most {most} are answered: group by fewer columns")]
    Cells {
        /// How many there are.
        found: u64,
        /// The limit.
        most: usize,
    },
    /// Too long an answer.
    #[error("the answer could have {found} bytes, at most {most} are given: ask for fewer groups or items")]
    AnswerSize {
        /// Its most bytes.
        found: u64,
        /// The limit.
        most: u64,
    },
}
