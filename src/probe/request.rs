//! The self-audit of a request on a table in memory.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::run::Probe;
use super::{Cell, Chosen, Claim, Noise, ProbeError, ProbeReport, Rows, Subject};
use crate::budget::Loss;
use crate::dataset::{ColumnType, Unit, Values};
use crate::dp::Law;
use crate::engine::{Control, Engine, Engines, LocalEngines};
use crate::id::ColumnName;
use crate::plan::{Allocation, BoundQuery, ExactPart, GroupKey, ReleaseStep, Vector, VectorKind};
use crate::query::Query;
use crate::random::Random;

/// Units of the table that are left out in turn.
const UNITS: usize = 8;
/// Rows of an extreme unit: more groups and more rows than a small contribution allows.
const GROUPS: usize = 16;
const ROWS_PER_GROUP: usize = 8;
/// Rows of the table that an extreme unit is made from, until one passes WHERE.
const TEMPLATES: usize = 16;
/// Releases of each side of each pair.
const RUNS: u32 = 2_000;

/// Probes a request on a table in memory: the query, its price and the engine, as a gate would run them.
///
/// Neighbours are made from the table: some of its units left out, one at a time, and extreme units added, with values at and
/// beyond the bounds, or nulls, in more groups and with more rows than the contribution allows.
///
/// ```
/// use usufruct::budget::Loss;
/// use usufruct::dataset::{Bounds, Column, ColumnType, Contribution, Schema, Unit, Use};
/// use usufruct::grade::Grade;
/// use usufruct::id::{ColumnName, Name};
/// use usufruct::probe::{Cell, RequestProbe, Rows};
/// use usufruct::query::{Item, Query};
///
/// let age = ColumnName::new("age")?;
/// let column = Column {
///     name: age.clone(),
///     kind: ColumnType::Integer,
///     bounds: Some(Bounds { low: 0, high: 120 }),
///     values: None,
///     other: None,
///     nullable: false,
///     grade: Grade::L1,
///     uses: [Use::Aggregate].into_iter().collect(),
/// };
/// let schema = Schema::new(Unit::Row, Contribution::ROW, vec![column])?;
/// let rows = Rows::new(schema, [31, 45, 62].map(|age| vec![Cell::Number(age)]).to_vec())?;
/// let query = Query::new(Name::new("people")?, vec![Item::mean(age)], Vec::new(), None)?;
/// let report = RequestProbe::new(&query, rows, Loss::approx("1", "0")?)?.runs(1_000).run()?;
/// assert!(report.findings.is_empty(), "{report}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RequestProbe {
    request: Request,
    rows: Rows,
    engine: EngineOf,
    runs: u32,
    seed: String,
}

/// Makes the engine for a table.
type EngineOf = Box<dyn Fn(&Rows) -> Box<dyn Engine>>;

/// Engines over the blocks of a table.
fn over(engines: Arc<dyn Engines>) -> EngineOf {
    Box::new(move |rows| {
        let (blocks, key) = rows.blocks(BLOCK_ROWS);
        engines.over(blocks, key)
    })
}

impl RequestProbe {
    /// A probe of `query` on `rows` at `price`.
    ///
    /// # Errors
    /// The query does not fit the schema, or the price the query.
    pub fn new(query: &Query, rows: Rows, price: Loss) -> Result<Self, ProbeError> {
        let bound = BoundQuery::new(query, rows.schema())?;
        let allocation = Allocation::new(&bound, price)?;
        let contribution = rows.schema().contribution();
        let request = Request { bound, allocation, rows_per_group: contribution.rows_per_group.into() };
        // One thread: the tables of a probe are small.
        let engines = LocalEngines::default().with_threads(NonZeroUsize::MIN);
        Ok(Self { request, rows, engine: over(Arc::new(engines)), runs: RUNS, seed: "probe".to_owned() })
    }

    /// The same with the engines that a gate is given.
    #[must_use]
    pub fn engines(self, engines: Arc<dyn Engines>) -> Self {
        Self { engine: over(engines), ..self }
    }

    /// The same with another engine than that of a snapshot, made for each table.
    #[must_use]
    pub fn engine(self, engine: impl Fn(&Rows) -> Box<dyn Engine> + 'static) -> Self {
        Self { engine: Box::new(engine), ..self }
    }

    /// The same with another seed.
    #[must_use]
    pub fn seed(self, seed: &str) -> Self {
        Self { seed: seed.to_owned(), ..self }
    }

    /// The same with so many releases of each side of a pair, 2,000 unless it is said; with 0 only the exact checks are run.
    #[must_use]
    pub fn runs(self, runs: u32) -> Self {
        Self { runs, ..self }
    }

    /// Runs all checks on all neighbours.
    ///
    /// # Errors
    /// The engine failed.
    pub fn run(&self) -> Result<ProbeReport, ProbeError> {
        let mut probe = Probe::new(&self.request).seed(&self.seed).runs(self.runs);
        let whole = self.measure(&self.rows)?;
        for other in self.fewer().into_iter().chain(self.more()?) {
            let (left, right) = shared(whole.clone(), self.measure(&other)?);
            probe = probe.neighbours(left, right);
        }
        let mut turned = self.rows.rows().to_vec();
        turned.reverse();
        let middle = turned.len() / 3;
        turned.rotate_left(middle);
        let (left, right) = shared(whole, self.measure(&self.rows.with_rows(turned))?);
        Ok(probe.reordered(left, right).run())
    }

    /// The table without one of its units.
    fn fewer(&self) -> Vec<Rows> {
        let units = self.rows.units();
        let mut distinct = units.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let every = distinct.len().div_ceil(UNITS).max(1);
        let without = |unit: &usize| {
            let rows = self.rows.rows().iter().zip(&units).filter(|(_, other)| *other != unit);
            self.rows.with_rows(rows.map(|(row, _)| row.clone()).collect())
        };
        distinct.iter().step_by(every).map(without).collect()
    }

    /// The table with an extreme unit more.
    fn more(&self) -> Result<Vec<Rows>, ProbeError> {
        let mut tables = Vec::new();
        for fill in [Fill::Low, Fill::High, Fill::Below, Fill::Above, Fill::Null] {
            let mut unit = Vec::new();
            for template in 0..self.rows.rows().len().clamp(1, TEMPLATES) {
                unit = self.unit(fill, template);
                // A unit that does not pass WHERE shows nothing.
                if self.measure(&self.rows.with_rows(unit.clone()))?.sums.iter().any(|sum| *sum != 0) {
                    break;
                }
            }
            tables.push(self.rows.with_rows([self.rows.rows(), &unit].concat()));
        }
        Ok(tables)
    }

    /// A unit that is in many groups with many rows, all other cells as in a row of the table.
    fn unit(&self, fill: Fill, template: usize) -> Vec<Vec<Cell>> {
        let schema = self.rows.schema();
        let bound = &self.request.bound;
        let values: Vec<&ColumnName> = bound.vectors().iter().filter_map(|vector| column_of(vector.kind())).collect();
        let (groups, copies) = match schema.unit() {
            Unit::Row => (1, 1),
            Unit::Column(_) => (GROUPS, ROWS_PER_GROUP),
        };
        let row = |group: usize| -> Vec<Cell> {
            let mut left = group;
            let cells = schema.columns().iter().enumerate().map(|(place, column)| {
                let old = self.rows.rows().get(template).map(|row| row[place].clone());
                if schema.unit_column() == Some(place) {
                    return if column.kind == ColumnType::Text {
                        Cell::Text("a unit of the probe".to_owned())
                    } else {
                        Cell::Number(i64::MIN + 17)
                    };
                }
                if bound.group_columns().any(|name| *name == column.name) {
                    let (count, value) = group_cell(column.values.as_ref(), column.kind, left);
                    left /= count;
                    return value;
                }
                if values.contains(&&column.name) || old.is_none() {
                    return fill.cell(column, template);
                }
                old.unwrap_or(Cell::Null)
            });
            cells.collect()
        };
        (0..groups * copies).map(|at| row(at / copies)).collect()
    }

    fn measure(&self, rows: &Rows) -> Result<Measured, ProbeError> {
        let exact = (self.engine)(rows).aggregate(&self.request.bound, &Control::default())?;
        let (sums, keys) = exact.into_parts();
        let cells = self.request.bound.cells().unwrap_or_else(|| keys.as_ref().map_or(0, Vec::len));
        Ok(Measured { sums: sums.to_vec(), keys, places: (0..cells).collect(), cells })
    }
}

/// Few, so that several blocks are read.
const BLOCK_ROWS: usize = 16;

impl std::fmt::Debug for RequestProbe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestProbe").field("bound", &self.request.bound).field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// How a cell of an extreme unit is filled.
#[derive(Clone, Copy)]
enum Fill {
    Low,
    High,
    Below,
    Above,
    Null,
}

impl Fill {
    fn cell(self, column: &crate::dataset::Column, template: usize) -> Cell {
        let (low, high) = column.bounds.map_or((-1, 1), |bounds| (bounds.low, bounds.high));
        if column.kind == ColumnType::Text {
            return match (self, &column.values) {
                (Self::Null, _) if column.nullable => Cell::Null,
                (Self::Low | Self::High, Some(Values::Text(values))) => {
                    Cell::Text(values.get(template % values.len().max(1)).cloned().unwrap_or_default())
                }
                _ => Cell::Text("a text of the probe".to_owned()),
            };
        }
        match self {
            Self::Null if column.nullable => Cell::Null,
            Self::Low | Self::Null => Cell::Number(low),
            Self::High => Cell::Number(high),
            Self::Below => Cell::Number(i64::MIN),
            Self::Above => Cell::Number(i64::MAX),
        }
    }
}

/// One of the values that a group column may have, and how many are told apart.
fn group_cell(values: Option<&Values>, kind: ColumnType, number: usize) -> (usize, Cell) {
    match values {
        Some(Values::Text(values)) => (values.len(), Cell::Text(values[number % values.len()].clone())),
        Some(Values::Integer(values)) => (values.len(), Cell::Number(values[number % values.len()])),
        None if kind == ColumnType::Text => (GROUPS, Cell::Text(format!("group {}", number % GROUPS))),
        None => (GROUPS, Cell::Number(i64::try_from(number % GROUPS).unwrap_or(0))),
    }
}

fn column_of(kind: &VectorKind) -> Option<&ColumnName> {
    match kind {
        VectorKind::Present { column }
        | VectorKind::Sum { column, .. }
        | VectorKind::Squares { column, .. }
        | VectorKind::Clamped { column }
        | VectorKind::Bins { column, .. }
        | VectorKind::Magnitudes { column }
        | VectorKind::Grid { column, .. } => Some(column),
        VectorKind::Rows | VectorKind::Units | VectorKind::Dropped => None,
    }
}

/// The exact sums of a table, and where its groups stand among those of a pair of tables.
#[derive(Clone, Debug)]
struct Measured {
    sums: Vec<i128>,
    keys: Option<Vec<Vec<GroupKey>>>,
    places: Vec<usize>,
    cells: usize,
}

/// The same two with one layout of groups.
fn shared(mut left: Measured, mut right: Measured) -> (Measured, Measured) {
    if let (Some(left_keys), Some(right_keys)) = (&left.keys, &right.keys) {
        let mut all: Vec<&Vec<GroupKey>> = left_keys.iter().chain(right_keys).collect();
        all.sort_unstable();
        all.dedup();
        let places: BTreeMap<_, usize> = all.iter().enumerate().map(|(place, key)| (*key, place)).collect();
        let of = |keys: &[Vec<GroupKey>]| -> Vec<usize> { keys.iter().map(|key| places[key]).collect() };
        (left.places, right.places, left.cells, right.cells) = (of(left_keys), of(right_keys), all.len(), all.len());
    }
    (left, right)
}

/// What is run: the query, its price divided, and what selection of the largest groups counts.
struct Request {
    bound: BoundQuery,
    allocation: Allocation,
    rows_per_group: u128,
}

impl Request {
    /// The exact numbers of a vector in the layout of the pair.
    fn exact(&self, data: &Measured, place: usize) -> Vec<i128> {
        let vectors = self.bound.vectors();
        let own = data.places.len();
        let start: usize = vectors[..place].iter().map(|vector| vector.len(own)).sum();
        let sums = &data.sums[start..start + vectors[place].len(own)];
        let mut out = vec![0; vectors[place].len(data.cells)];
        if vectors[place].is_of_all() {
            out.copy_from_slice(sums);
        } else {
            let slots = vectors[place].slots();
            for (sums, cell) in sums.chunks(slots).zip(&data.places) {
                out[cell * slots..(cell + 1) * slots].copy_from_slice(sums);
            }
        }
        out
    }

    /// How many groups leave, where only the largest do.
    fn top(&self) -> Option<usize> {
        self.bound
            .steps()
            .iter()
            .find_map(|step| if let ReleaseStep::Top { count, .. } = step { usize::try_from(*count).ok() } else { None })
    }

    fn claim(&self, data: &Measured, at: usize, step: &ReleaseStep) -> Claim {
        let (ReleaseStep::Noise { vector }
        | ReleaseStep::Quantiles { vector, .. }
        | ReleaseStep::Groups { vector }
        | ReleaseStep::Top { vector, .. }) = step;
        let of: &Vector = &self.bound.vectors()[*vector];
        let noise = match self.allocation.noise_of(at) {
            Some((Law::Laplace(scale), None)) => Noise::Laplace(scale),
            Some((Law::Laplace(scale), Some(bound))) => Noise::Bounded { scale, bound },
            Some((Law::Gaussian(sigma_squared), _)) => Noise::Gaussian(sigma_squared),
            None => Noise::Choice,
        };
        let chosen = self.top().filter(|_| !of.is_of_all()).map(|groups| Chosen { groups, slots: of.slots() });
        let claim = Claim {
            name: self.bound.describe(step),
            share: self.allocation.shares()[at],
            sensitivity: of.sensitivity(),
            squared_sensitivity: of.squared_sensitivity(),
            chosen,
            noise,
            exact: self.exact(data, *vector),
        };
        match step {
            // A selection looks at the score of each group by itself.
            ReleaseStep::Top { .. } => {
                let most = if *of.kind() == VectorKind::Units { 1 } else { self.rows_per_group };
                Claim { sensitivity: most, squared_sensitivity: None, chosen: Some(Chosen { groups: 1, slots: 1 }), ..claim }
            }
            _ => claim,
        }
    }
}

impl Subject for &Request {
    type Data = Measured;

    fn steps(&self, data: &Measured) -> Vec<Claim> {
        self.bound.steps().iter().enumerate().map(|(at, step)| self.claim(data, at, step)).collect()
    }

    /// The numbers of each vector with noise, the rank of each group that is named, and the slots that were chosen in it.
    /// Estimates and intervals are made of these alone.
    fn release(&self, data: &Measured, random: &mut dyn Random) -> Vec<Option<i128>> {
        let part = match &data.keys {
            None => ExactPart::new(&self.bound, data.sums.clone()),
            Some(keys) => ExactPart::with_keys(&self.bound, keys.clone(), data.sums.clone()),
        };
        let Some(Ok(noisy)) = part.map(|part| part.complete().noise(&self.allocation, random)) else { return Vec::new() };
        let all: Vec<usize> = (0..data.places.len()).collect();
        let named: Vec<usize> = noisy.kept().unwrap_or(&all).iter().map(|cell| data.places[*cell]).collect();
        let mut out = Vec::new();
        for step in self.bound.steps() {
            let ReleaseStep::Noise { vector: place } = step else { continue };
            let vector = &self.bound.vectors()[*place];
            let numbers = noisy.numbers(*place);
            if vector.is_of_all() {
                out.extend(numbers.iter().copied().map(Some));
            } else {
                spread(&mut out, &named, data.cells, vector.slots(), |group, slot| numbers[group * vector.slots() + slot]);
            }
        }
        spread(&mut out, &named, data.cells, 1, |group, _| group as i128);
        for (at, step) in self.bound.steps().iter().enumerate() {
            if let ReleaseStep::Quantiles { ranks, .. } = step {
                spread(&mut out, &named, data.cells, ranks.len(), |group, place| noisy.picks(at)[group][place] as i128);
            }
        }
        out
    }

    fn claimed(&self) -> Loss {
        self.allocation.price()
    }
}

/// Writes the numbers of named groups where those groups stand, and nothing elsewhere.
fn spread(out: &mut Vec<Option<i128>>, named: &[usize], cells: usize, slots: usize, number: impl Fn(usize, usize) -> i128) {
    let start = out.len();
    out.resize(start + cells * slots, None);
    for (group, cell) in named.iter().enumerate() {
        for slot in 0..slots {
            out[start + cell * slots + slot] = Some(number(group, slot));
        }
    }
}
