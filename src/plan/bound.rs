//! Binding a query to a schema: what is read, which groups there are, which base vectors are summed.

use std::convert::Infallible;
use std::sync::Arc;

use super::binning::Binning;
use super::filter::{Binder, Filter};
use super::group::{GroupColumn, GroupKey, KEY_BYTES, arrange};
use super::vector::Vector;
use crate::dataset::{Bounds, Column, ColumnType, Contribution, GridStep, Schema, Unit, Use};
use crate::id::ColumnName;
use crate::query::{Expression, Query};

mod error;
mod reduce;

pub use error::BindError;
use reduce::{Item, Reduced};

/// The most groups of an answer: every county of a country by age and sex, and sums of all of them fit in memory.
pub const CELLS_MAX: usize = 1 << 20;
/// The most bytes of an answer (rule C8), by `ESTIMATE_BYTES` for each estimate and the keys as they are.
pub const ANSWER_BYTES_MAX: u64 = 16 << 20;
/// The most slots of all groups together, of one vector: 32 MiB for each thread.
pub(crate) const SLOTS_MAX: usize = 1 << 22;
/// Three decimals of at most 41 characters, a method, and what stands between them.
pub(crate) const ESTIMATE_BYTES: u128 = 160;

/// A query with types bound: what to read, what is true, which groups, which base vectors.
///
/// Cheap to clone. Its `Debug` shows the question, no data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundQuery(pub(crate) Arc<QueryPlan>);

/// The inside of [`BoundQuery`]: columns are numbered by their place in `reads`, vectors by their place in `vectors`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct QueryPlan {
    pub(crate) reads: Vec<Read>,
    pub(crate) filter: Option<Filter>,
    pub(crate) groups: Vec<GroupColumn>,
    /// How many groups there are; none while the data say which ones.
    pub(crate) cells: Option<usize>,
    pub(crate) vectors: Vec<Vector>,
    /// The vectors of rows, of units and of units that lost rows, where they are needed.
    pub(crate) rows: Option<usize>,
    pub(crate) units: Option<usize>,
    pub(crate) dropped: Option<usize>,
    pub(crate) values: Vec<ValueColumn>,
    /// What is paid for, in the order in which it gets its share.
    pub(crate) steps: Vec<ReleaseStep>,
    /// The amount that each item of SELECT names, and the steps it needs.
    pub(crate) amounts: Vec<(Option<u64>, Vec<usize>)>,
    pub(crate) aggregates: Vec<Aggregate>,
    labels: Vec<String>,
    outputs: Vec<AnswerColumn>,
    /// How units are chosen from; none when the unit is a row.
    pub(crate) choice: Option<Choice>,
    /// The most that one unit has in an answer.
    pub(crate) contribution: Contribution,
    /// Groups of fewer units are not named, where the data say which there are.
    pub(crate) least_units: u64,
}

/// One thing that is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReleaseStep {
    /// Noise on every number of a vector.
    Noise {
        /// The place of the vector.
        vector: usize,
    },
    /// Quantiles chosen from a grid.
    Quantiles {
        /// The place of the grid's vector.
        vector: usize,
        /// The ranks as fractions, each once, in increasing order.
        ranks: Vec<(u64, u64)>,
    },
    /// Which groups of unknown values may be named.
    Groups {
        /// The place of the vector of units.
        vector: usize,
    },
    /// The largest groups.
    Top {
        /// The place of the vector that they are chosen by.
        vector: usize,
        /// How many.
        count: u32,
    },
}

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// Its place in the schema.
    pub(crate) place: usize,
    /// Codes or numbers.
    pub(crate) text: bool,
}

/// A column whose values are counted, summed or sorted into slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueColumn {
    pub(crate) read: usize,
    /// The vector of the rows that have a value.
    pub(crate) present: Option<usize>,
    pub(crate) sum: Option<Sum>,
    /// The vector of squares; only beside a sum.
    pub(crate) squares: Option<usize>,
    /// The vector of values out of bounds, and the bounds.
    pub(crate) clamped: Option<(usize, Bounds)>,
    pub(crate) binnings: Vec<Binning>,
}

/// How a column is summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) vector: usize,
    pub(crate) bounds: Bounds,
    pub(crate) centre: i64,
}

/// How an estimate comes from what was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count {
        vector: usize,
    },
    /// One slot of a vector.
    Slot {
        vector: usize,
        slot: usize,
    },
    /// S + centre N; without N where centre is 0.
    Sum {
        sum: usize,
        count: Option<usize>,
        centre: i64,
        grid: GridStep,
    },
    /// centre + S/N.
    Mean {
        sum: usize,
        count: usize,
        centre: i64,
        bounds: Bounds,
        grid: GridStep,
    },
    /// Q/N - (S/N)^2, or its root.
    Spread {
        sum: usize,
        count: usize,
        squares: usize,
        centre: i64,
        bounds: Bounds,
        grid: GridStep,
        root: bool,
    },
    /// A slot that was chosen, and the noisy bins that say how far off it may be.
    Quantile {
        step: usize,
        place: usize,
        bins: Option<usize>,
        grid: GridStep,
    },
    /// One end of what the magnitudes say.
    Range {
        vector: usize,
        high: bool,
        grid: GridStep,
    },
}

/// The most groups and rows that are kept of one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) groups: usize,
    /// Of each group.
    pub(crate) rows: usize,
    /// Of all groups.
    pub(crate) total: usize,
}

/// Where a column of the answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerColumn {
    /// From the key of a group: a column of GROUP BY.
    Key(usize),
    /// From its estimates.
    Estimate(usize),
}

impl BoundQuery {
    /// Binds a query to a schema; everything that can be wrong with it is found here.
    ///
    /// Whether `query.from()` is the dataset's name is for the caller to see, who knows the name.
    ///
    /// # Errors
    /// The first thing that is wrong, by the name of its column.
    pub fn new(query: &Query, schema: &Schema) -> Result<Self, BindError> {
        let mut reads = Reads { schema, reads: Vec::new() };
        let mut groups = query.groups().iter().map(|name| reads.group(name)).collect::<Result<Vec<_>, _>>()?;
        let cells = if groups.iter().all(GroupColumn::is_declared) { Some(arrange(&mut groups, CELLS_MAX)?) } else { None };
        let find = |name: &ColumnName| {
            let (place, column) = reads.find(name, Use::Filter, "WHERE")?;
            Ok((reads.number(place), column))
        };
        let mut binder = Binder { find, tables: 0 };
        let filter = query.filter().map(|filter| binder.bind(filter, false)).transpose()?;
        if query.top_groups().is_some()
            && let Some(name) =
                query.groups().iter().find(|name| schema.column(name).is_some_and(|(_, column)| !column.uses.allow(Use::Reveal)))
        {
            return Err(BindError::NotAllowed { column: name.clone(), clause: "ORDER BY ... LIMIT", using: Use::Reveal.name() });
        }

        let mut contribution = match schema.unit() {
            Unit::Row => Contribution::ROW,
            Unit::Column(_) => schema.contribution(),
        };
        let most_groups = cells.map_or(u32::MAX, |cells| u32::try_from(cells).unwrap_or(u32::MAX));
        contribution.groups_per_unit = contribution.groups_per_unit.min(most_groups);
        let choice = matches!(schema.unit(), Unit::Column(_)).then(|| Choice::of(contribution));
        if let Some(top) = query.top_groups() {
            // Of the groups that are named, a unit is in no more than there are.
            contribution.groups_per_unit = contribution.groups_per_unit.min(top.count);
        }

        let mut items = Vec::new();
        let mut keys = Vec::new();
        for item in query.select() {
            if let Expression::Key(column) = item.expression() {
                // A query lets no other key in.
                keys.push(query.groups().iter().position(|group| group == column));
            } else {
                keys.push(None);
                items.push((reads.item(item.expression())?, item));
            }
        }
        let top = query.top_groups().map(|top| (keys.iter().take(top.item).filter(|key| key.is_none()).count(), top.count));
        let reduced = Reduced::new(&items, top, cells, contribution, choice.is_some(), &mut reads)?;
        let mut widths = reduced.widths.iter().scan(0, |from, width| {
            *from += width;
            Some(*from - width..*from)
        });
        let outputs = keys.iter().flat_map(|key| match key {
            Some(place) => vec![AnswerColumn::Key(*place)],
            None => widths.next().unwrap_or_default().map(AnswerColumn::Estimate).collect(),
        });
        let outputs = outputs.collect();
        check_size(&groups, cells, reduced.aggregates.len())?;
        let Reduced { vectors, rows, units, dropped, values, steps, amounts, aggregates, labels, .. } = reduced;
        let least_units = schema.least_units().into();
        let reads = reads.reads;
        Ok(Self(Arc::new(QueryPlan {
            reads,
            filter,
            groups,
            cells,
            vectors,
            rows,
            units,
            dropped,
            values,
            steps,
            amounts,
            aggregates,
            labels,
            outputs,
            choice,
            contribution,
            least_units,
        })))
    }

    /// How many groups the answer has, empty ones included; nothing while the data say which there are.
    #[must_use]
    pub fn cells(&self) -> Option<usize> {
        self.0.cells
    }

    /// The key of a declared group, one part for each column of GROUP BY. Groups count from 0, the last column fastest.
    #[must_use]
    pub fn key(&self, cell: usize) -> Vec<GroupKey> {
        self.0.groups.iter().map(|column| column.key(cell)).collect()
    }

    /// The columns of GROUP BY.
    pub fn group_columns(&self) -> impl ExactSizeIterator<Item = &ColumnName> {
        self.0.groups.iter().map(|column| &column.name)
    }

    /// The columns of the answer in the order of SELECT; histograms and automatic bounds have several.
    #[must_use]
    pub fn outputs(&self) -> &[AnswerColumn] {
        &self.0.outputs
    }

    /// The names of the estimates.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.0.labels
    }

    /// The step of the grid that each estimate is a multiple of; nothing where it is finer: for ratios.
    #[must_use]
    pub fn grids(&self) -> Vec<Option<GridStep>> {
        let grid = |aggregate: &Aggregate| match aggregate {
            Aggregate::Count { .. } | Aggregate::Slot { .. } => Some(GridStep::one()),
            Aggregate::Sum { grid, .. } | Aggregate::Quantile { grid, .. } | Aggregate::Range { grid, .. } => Some(*grid),
            Aggregate::Mean { .. } | Aggregate::Spread { .. } => None,
        };
        self.0.aggregates.iter().map(grid).collect()
    }

    /// The base vectors.
    #[must_use]
    pub fn vectors(&self) -> &[Vector] {
        &self.0.vectors
    }

    /// The columns that are read, by their place in the schema.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = usize> {
        self.0.reads.iter().map(|read| read.place)
    }

    /// Calls `add` with the place of the vector, the slot and the amount of all that one kept row adds in its group; to the vectors of
    /// units rows do not add.
    ///
    /// `value` gives the row's value of the column at a place in the schema, none for a null: a number in steps of the column, not
    /// clamped; for a text its place among the declared ones, anything beyond them for another.
    pub fn additions(&self, mut value: impl FnMut(usize) -> Option<i64>, mut add: impl FnMut(usize, usize, i128)) {
        let numbers = self.0.values.iter().map(|column| value(self.0.reads[column.read].place));
        let Ok(()) = self.0.additions::<Infallible>(numbers, |vector, slot, amount| {
            add(vector, slot, amount);
            Ok(())
        });
    }

    /// Groups of unknown values with fewer units than this are never named; a part may have them, as other parts may know more units.
    #[must_use]
    pub fn least_units(&self) -> u64 {
        self.0.least_units.max(1)
    }

    /// What is paid for, in the order in which it gets shares.
    #[must_use]
    pub fn steps(&self) -> &[ReleaseStep] {
        &self.0.steps
    }

    /// A step in words, for quotes.
    #[must_use]
    pub fn describe(&self, step: &ReleaseStep) -> String {
        let vector = |vector: &usize| self.0.vectors.get(*vector).map_or_else(String::new, ToString::to_string);
        match step {
            ReleaseStep::Noise { vector: place } => format!("noise on {}", vector(place)),
            ReleaseStep::Quantiles { vector: place, ranks } => format!("choice of {} quantiles from {}", ranks.len(), vector(place)),
            ReleaseStep::Groups { .. } => "which groups are named".to_owned(),
            ReleaseStep::Top { vector: place, count } => format!("the {count} largest groups by {}", vector(place)),
        }
    }
}

impl QueryPlan {
    /// How many numbers all vectors have, with so many groups.
    pub(super) fn numbers(&self, cells: usize) -> usize {
        self.vectors.iter().map(|vector| vector.len(cells)).sum()
    }
}

impl Choice {
    fn of(contribution: Contribution) -> Self {
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            groups: count(contribution.groups_per_unit.into()),
            rows: count(contribution.rows_per_group.into()),
            total: count(contribution.rows()),
        }
    }
}

/// Finds columns and numbers what is read.
pub(crate) struct Reads<'a> {
    schema: &'a Schema,
    reads: Vec<Read>,
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
        Item::new(expression, self)
    }
}

fn check_size(groups: &[GroupColumn], cells: Option<usize>, aggregates: usize) -> Result<(), BindError> {
    // Where the data say which groups there are, the answer is cut to what fits.
    let Some(cells) = cells else { return Ok(()) };
    let estimates = cells as u128 * aggregates as u128 * ESTIMATE_BYTES;
    let keys = groups.iter().map(|column| {
        // Each key stands in as many groups as the other columns make.
        let times = cells as u128 / u128::from(column.len());
        times * column.key_bytes() + cells as u128 * KEY_BYTES
    });
    let found = u64::try_from(estimates + keys.sum::<u128>()).unwrap_or(u64::MAX);
    if found > ANSWER_BYTES_MAX { Err(BindError::AnswerSize { found, most: ANSWER_BYTES_MAX }) } else { Ok(()) }
}
