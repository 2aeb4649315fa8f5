//! From the items of SELECT to base vectors and what is paid for.

use std::collections::BTreeSet;

use super::{Aggregate, BindError, Reads, ReleaseStep, SLOTS_MAX, Sum, ValueColumn};
use crate::dataset::{Bounds, Column, Contribution, GridStep, Use};
use crate::id::{ColumnName, Decimal};
use crate::plan::binning::{Binning, bin_labels};
use crate::plan::vector::{Times, Vector, VectorKind};
use crate::query::{self, Expression};

/// Squares are summed of values up to this far from the middle of their bounds.
const SQUARES_REACH_MAX: u64 = 1 << 40;
/// A variance has the square of a step as its unit, which still prints exactly.
const STEP_DIGITS_MAX: u8 = 9;
/// Digits after the point of a rank: its fraction fits in 64 bits, with room for counts.
const RANK_DIGITS_MAX: u8 = 9;
/// A rank is a whole number of these.
const RANK_UNITS: u128 = 10_u128.pow(RANK_DIGITS_MAX as u32);
/// Units of the smallest amount.
const AMOUNT_SCALE: u8 = 12;

/// An aggregate; its column with its place in the schema.
pub(in crate::plan) enum Item<'a> {
    Rows,
    Units,
    Dropped,
    Count(usize, &'a Column),
    Sum(usize, &'a Column, Bounds, GridStep),
    Mean(usize, &'a Column, Bounds, GridStep),
    Spread(usize, &'a Column, Bounds, GridStep, bool),
    Clamped(usize, &'a Column, Bounds),
    Quantile(usize, &'a Column, Bounds, GridStep, (u64, u64)),
    Bins(usize, &'a Column, Vec<Decimal>),
    Range(usize, &'a Column, GridStep),
}

impl<'a> Item<'a> {
    pub(super) fn new(expression: &Expression, reads: &Reads<'a>) -> Result<Self, BindError> {
        let (clause, name) = match expression {
            Expression::Key(_) | Expression::CountRows => return Ok(Self::Rows),
            Expression::Dropped if reads.schema.unit_column().is_some() => return Ok(Self::Dropped),
            Expression::Dropped => return Err(BindError::NoUnits { clause: "DROPPED(*)" }),
            Expression::CountDistinct(column) => return Self::units(column, reads),
            Expression::Count(column) => ("COUNT", column),
            Expression::Sum(column) => ("SUM", column),
            Expression::Mean(column) => ("AVG", column),
            Expression::Variance(column) => ("VAR_POP", column),
            Expression::Deviation(column) => ("STDDEV_POP", column),
            Expression::Clamped(column) => ("CLAMPED", column),
            Expression::Quantile { column, .. } => ("QUANTILE", column),
            Expression::Histogram { column, .. } => ("HISTOGRAM", column),
            Expression::Range(column) => ("BOUNDS", column),
        };
        let (place, column) = reads.find(name, Use::Aggregate, clause)?;
        let grid = || column.kind.step().ok_or_else(|| BindError::NotNumber { column: name.clone(), clause });
        let bounds = || {
            grid()?;
            column.bounds.ok_or_else(|| BindError::NoBounds { column: name.clone(), clause })
        };
        Ok(match expression {
            Expression::Sum(_) => Self::Sum(place, column, bounds()?, grid()?),
            Expression::Mean(_) => Self::Mean(place, column, bounds()?, grid()?),
            Expression::Variance(_) | Expression::Deviation(_) => {
                let bounds = bounds()?;
                let reach = bounds.middle().abs_diff(bounds.low).max(bounds.middle().abs_diff(bounds.high));
                if reach > SQUARES_REACH_MAX {
                    return Err(BindError::Wide { column: name.clone(), clause });
                }
                let step = grid()?.decimal();
                if step.mantissa() >= 10_i128.pow(STEP_DIGITS_MAX.into()) || step.scale() > STEP_DIGITS_MAX {
                    return Err(BindError::Fine { column: name.clone(), clause, digits: STEP_DIGITS_MAX });
                }
                Self::Spread(place, column, bounds, grid()?, matches!(expression, Expression::Deviation(_)))
            }
            Expression::Clamped(_) => Self::Clamped(place, column, bounds()?),
            Expression::Quantile { rank, .. } => {
                let rank = fraction(*rank).ok_or_else(|| BindError::Rank { column: name.clone(), digits: RANK_DIGITS_MAX })?;
                Self::Quantile(place, column, bounds()?, grid()?, rank)
            }
            Expression::Histogram { edges, .. } if edges.is_empty() => {
                column.values.as_ref().ok_or_else(|| BindError::NoBins { column: name.clone() })?;
                Self::Bins(place, column, Vec::new())
            }
            Expression::Histogram { edges, .. } => {
                grid()?;
                Self::Bins(place, column, edges.clone())
            }
            Expression::Range(_) => Self::Range(place, column, grid()?),
            _ => Self::Count(place, column),
        })
    }

    fn units(name: &ColumnName, reads: &Reads<'a>) -> Result<Self, BindError> {
        let (place, _) = reads.schema.column(name).ok_or_else(|| BindError::NoColumn { column: name.clone() })?;
        match reads.schema.unit_column() {
            Some(unit) if unit == place => Ok(Self::Units),
            Some(_) => Err(BindError::NotUnit { column: name.clone() }),
            None => Err(BindError::NoUnits { clause: "COUNT(DISTINCT)" }),
        }
    }

    /// Its column with the place in the schema.
    fn column(&self) -> Option<(usize, &'a Column)> {
        match self {
            Self::Rows | Self::Units | Self::Dropped => None,
            Self::Count(place, column)
            | Self::Sum(place, column, ..)
            | Self::Mean(place, column, ..)
            | Self::Spread(place, column, ..)
            | Self::Clamped(place, column, _)
            | Self::Quantile(place, column, ..)
            | Self::Bins(place, column, _)
            | Self::Range(place, column, _) => Some((*place, *column)),
        }
    }

    /// Whether it needs to know how many values there are.
    const fn counts(&self) -> bool {
        matches!(self, Self::Count(..) | Self::Mean(..) | Self::Spread(..))
    }

    fn sum(&self) -> Option<Bounds> {
        match self {
            Self::Sum(.., bounds, _) | Self::Mean(.., bounds, _) | Self::Spread(_, _, bounds, ..) => Some(*bounds),
            _ => None,
        }
    }
}

/// What the items of a query come down to.
#[derive(Default)]
pub(super) struct Reduced {
    pub(super) vectors: Vec<Vector>,
    pub(super) rows: Option<usize>,
    pub(super) units: Option<usize>,
    pub(super) dropped: Option<usize>,
    pub(super) values: Vec<ValueColumn>,
    pub(super) steps: Vec<ReleaseStep>,
    pub(super) amounts: Vec<(Option<u64>, Vec<usize>)>,
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) labels: Vec<String>,
    /// How many aggregates each item has.
    pub(super) widths: Vec<usize>,
    /// By the place in the schema: the number of the value, and the vector that counts it.
    columns: Vec<(usize, usize, Option<usize>)>,
}

/// Items with what was asked for.
type Items<'a, 'b> = [(Item<'a>, &'b query::Item)];

impl Reduced {
    /// N first, then U, then the vectors of each column in the order of the schema, so that the same items in another order get
    /// the same shares. `top` is an item and how many groups are named by it.
    pub(super) fn new(
        items: &Items<'_, '_>,
        top: Option<(usize, u32)>,
        cells: Option<usize>,
        contribution: Contribution,
        by_unit: bool,
        reads: &mut Reads<'_>,
    ) -> Result<Self, BindError> {
        let (rows, units) = (Times::rows(contribution), Times::groups(contribution));
        let mut out = Self::default();
        let all_rows = items.iter().any(|(item, _)| match item {
            Item::Rows => true,
            other => other.counts() && other.column().is_some_and(|(_, column)| !column.nullable),
        });
        if all_rows || cells.is_none() && !by_unit {
            out.rows = Some(out.push(Vector::count(VectorKind::Rows, rows)));
        }
        if items.iter().any(|(item, _)| matches!(item, Item::Units)) || cells.is_none() && by_unit {
            out.units = Some(out.push(Vector::count(VectorKind::Units, units)));
        }
        let mut places: Vec<_> = items.iter().filter_map(|(item, _)| item.column()).collect();
        places.sort_unstable_by_key(|(place, _)| *place);
        places.dedup_by_key(|(place, _)| *place);
        for (place, column) in places {
            out.column(items, place, column, cells, rows, reads)?;
        }
        if items.iter().any(|(item, _)| matches!(item, Item::Dropped)) {
            out.dropped = Some(out.push(Vector::count(VectorKind::Dropped, Times::ONCE)));
        }
        out.check_slots(cells)?;
        out.pay(items, top, cells, by_unit);
        out.write_up(items);
        Ok(out)
    }

    fn push(&mut self, vector: Vector) -> usize {
        self.vectors.push(vector);
        self.vectors.len() - 1
    }

    /// The vectors of one column.
    fn column(
        &mut self,
        items: &Items<'_, '_>,
        place: usize,
        column: &Column,
        cells: Option<usize>,
        rows: Times,
        reads: &mut Reads<'_>,
    ) -> Result<(), BindError> {
        let of_column = || items.iter().map(|(item, _)| item).filter(move |item| item.column().is_some_and(|(other, _)| other == place));
        let name = || column.name.clone();
        let counted = of_column().any(Item::counts);
        let squared = of_column().any(|item| matches!(item, Item::Spread(..)));
        let present = (counted && column.nullable).then(|| self.push(Vector::count(VectorKind::Present { column: name() }, rows)));
        let sum = of_column().find_map(Item::sum).map(|bounds| {
            let centre = if counted { bounds.middle() } else { 0 };
            Sum { vector: self.push(Vector::sum(name(), bounds, centre, rows)), bounds, centre }
        });
        let squares = sum.filter(|_| squared).map(|sum| self.push(Vector::squares(name(), sum.bounds, sum.centre, rows)));
        let clamped = of_column().find_map(|item| if let Item::Clamped(.., bounds) = item { Some(*bounds) } else { None });
        let clamped = clamped.map(|bounds| (self.push(Vector::count(VectorKind::Clamped { column: name() }, rows)), bounds));
        let mut binnings: Vec<Binning> = Vec::new();
        let mut edges_seen: Vec<&[Decimal]> = Vec::new();
        for item in of_column() {
            if let Item::Bins(_, _, edges) = item
                && !edges_seen.contains(&edges.as_slice())
            {
                edges_seen.push(edges);
                let vector = self.vectors.len();
                let binning = match (&column.values, column.kind.step()) {
                    (Some(values), _) if edges.is_empty() => Binning::values(vector, values),
                    (_, Some(step)) => Binning::edges(vector, edges, step, column.bounds),
                    _ => return Err(BindError::NoBins { column: name() }),
                };
                self.push(Vector::count(VectorKind::Bins { column: name(), bins: binning.slots }, rows));
                binnings.push(binning);
            }
        }
        if of_column().any(|item| matches!(item, Item::Range(..))) {
            let vector = self.push(Vector::count(VectorKind::Magnitudes { column: name() }, rows));
            binnings.push(Binning::magnitudes(vector));
        }
        if let Some(bounds) = of_column().find_map(|item| if let Item::Quantile(_, _, bounds, ..) = item { Some(*bounds) } else { None }) {
            let cells = cells.ok_or_else(|| BindError::QuantileOfUnknown { column: name() })?;
            let binning = Binning::grid(self.vectors.len(), bounds, cells, SLOTS_MAX);
            self.push(Vector::count(VectorKind::Grid { column: name(), slots: binning.slots }, rows));
            binnings.push(binning);
        }
        self.columns.push((place, self.values.len(), present.or(if counted { self.rows } else { None })));
        if present.is_some() || sum.is_some() || clamped.is_some() || !binnings.is_empty() {
            self.values.push(ValueColumn { read: reads.number(place), present, sum, squares, clamped, binnings });
        }
        Ok(())
    }

    fn check_slots(&self, cells: Option<usize>) -> Result<(), BindError> {
        let slots = self.vectors.iter().map(Vector::slots).max().unwrap_or(1);
        match cells {
            Some(cells) if slots > 1 && cells * slots > SLOTS_MAX => Err(BindError::Slots { found: cells * slots, most: SLOTS_MAX }),
            _ => Ok(()),
        }
    }

    /// The steps, and which of them each item needs.
    fn pay(&mut self, items: &Items<'_, '_>, top: Option<(usize, u32)>, cells: Option<usize>, by_unit: bool) {
        if cells.is_none()
            && let Some(vector) = if by_unit { self.units } else { self.rows }
        {
            self.steps.push(ReleaseStep::Groups { vector });
        }
        if let Some((item, count)) = top {
            let by_units = items.get(item).is_some_and(|(item, _)| matches!(item, Item::Units));
            if let Some(vector) = if by_units { self.units } else { self.rows } {
                self.steps.push(ReleaseStep::Top { vector, count });
            }
        }
        let needs: Vec<BTreeSet<usize>> = items.iter().map(|(item, _)| self.needs(item)).collect();
        let all: BTreeSet<usize> = needs.iter().flatten().copied().collect();
        let first = self.steps.len();
        for vector in &all {
            self.steps.push(match self.vectors[*vector].kind() {
                VectorKind::Grid { .. } => ReleaseStep::Quantiles { vector: *vector, ranks: self.ranks(items, *vector) },
                _ => ReleaseStep::Noise { vector: *vector },
            });
        }
        let step_of = |vector: &usize| first + all.range(..vector).count();
        self.amounts = needs
            .iter()
            .zip(items)
            .map(|(needs, (_, asked))| {
                let amount = asked.price().and_then(|price| price.units(AMOUNT_SCALE)).and_then(|units| u64::try_from(units).ok());
                (amount, needs.iter().map(step_of).collect())
            })
            .collect();
    }

    /// The value of a column and the vector of its N.
    fn value(&self, place: usize) -> Option<(&ValueColumn, Option<usize>)> {
        let (_, value, count) = self.columns.iter().find(|(other, ..)| *other == place)?;
        Some((self.values.get(*value)?, *count))
    }

    fn count(&self, place: usize) -> Option<usize> {
        self.columns.iter().find(|(other, ..)| *other == place).and_then(|(.., count)| *count)
    }

    /// The vector of a histogram with these edges, and its binning.
    fn bins(&self, place: usize, column: &Column, edges: &[Decimal]) -> Option<&Binning> {
        let wanted = match (&column.values, column.kind.step()) {
            (Some(values), _) if edges.is_empty() => Binning::values(0, values),
            (_, Some(step)) => Binning::edges(0, edges, step, column.bounds),
            _ => return None,
        };
        self.value(place)?.0.binnings.iter().find(|binning| binning.sorts_like(&wanted))
    }

    fn binning(&self, place: usize, is: impl Fn(&VectorKind) -> bool) -> Option<&Binning> {
        self.value(place)?.0.binnings.iter().find(|binning| is(self.vectors[binning.vector].kind()))
    }

    /// The vectors that an item needs to be released.
    fn needs(&self, item: &Item<'_>) -> BTreeSet<usize> {
        let grid = |kind: &VectorKind| matches!(kind, VectorKind::Grid { .. });
        let magnitudes = |kind: &VectorKind| matches!(kind, VectorKind::Magnitudes { .. });
        let needs: Vec<Option<usize>> = match item {
            Item::Rows => vec![self.rows],
            Item::Units => vec![self.units],
            Item::Dropped => vec![self.dropped],
            Item::Count(place, _) => vec![self.count(*place)],
            Item::Sum(place, ..) => {
                let (sum, count) = self.value(*place).map_or((None, None), |(value, count)| (value.sum, count));
                vec![sum.map(|sum| sum.vector), sum.filter(|sum| sum.centre != 0).and(count)]
            }
            Item::Mean(place, ..) | Item::Spread(place, ..) => {
                let (value, count) = self.value(*place).unzip();
                let squares = value.and_then(|value| value.squares).filter(|_| matches!(item, Item::Spread(..)));
                vec![value.and_then(|value| value.sum).map(|sum| sum.vector), count.flatten(), squares]
            }
            Item::Clamped(place, ..) => vec![self.value(*place).and_then(|(value, _)| value.clamped).map(|(vector, _)| vector)],
            Item::Quantile(place, ..) => vec![self.binning(*place, grid).map(|binning| binning.vector)],
            Item::Range(place, ..) => vec![self.binning(*place, magnitudes).map(|binning| binning.vector)],
            Item::Bins(place, column, edges) => vec![self.bins(*place, column, edges).map(|binning| binning.vector)],
        };
        needs.into_iter().flatten().collect()
    }

    fn ranks(&self, items: &Items<'_, '_>, vector: usize) -> Vec<(u64, u64)> {
        let of_vector = |item: &Item<'_>| match item {
            Item::Quantile(.., rank) if self.needs(item).contains(&vector) => Some(*rank),
            _ => None,
        };
        let mut ranks: Vec<_> = items.iter().filter_map(|(item, _)| of_vector(item)).collect();
        ranks.sort_by_key(|(a, b)| u128::from(*a) * RANK_UNITS / u128::from(*b));
        ranks.dedup();
        ranks
    }

    fn write_up(&mut self, items: &Items<'_, '_>) {
        for (item, asked) in items {
            let aggregates = self.aggregates_of(item);
            let name = asked.output_name();
            match item {
                Item::Bins(_, column, edges) => {
                    self.labels.extend(bin_labels(column, edges).iter().map(|bin| format!("{name} {bin}")));
                }
                Item::Range(..) => self.labels.extend(["low", "high"].map(|end| format!("{name} {end}"))),
                _ => self.labels.push(name),
            }
            self.widths.push(aggregates.len());
            self.aggregates.extend(aggregates);
        }
    }

    fn aggregates_of(&self, item: &Item<'_>) -> Vec<Aggregate> {
        let count = |vector: Option<usize>| vector.map(|vector| Aggregate::Count { vector });
        let one = match item {
            Item::Rows => count(self.rows),
            Item::Units => count(self.units),
            Item::Dropped => count(self.dropped),
            Item::Count(place, _) => count(self.count(*place)),
            Item::Clamped(place, ..) => count(self.value(*place).and_then(|(value, _)| value.clamped).map(|(vector, _)| vector)),
            Item::Sum(place, _, _, grid) => self.value(*place).and_then(|(value, count)| {
                let Sum { vector, centre, .. } = value.sum?;
                Some(Aggregate::Sum { sum: vector, count: count.filter(|_| centre != 0), centre, grid: *grid })
            }),
            Item::Mean(place, _, bounds, grid) => self.value(*place).and_then(|(value, count)| {
                let Sum { vector, centre, .. } = value.sum?;
                Some(Aggregate::Mean { sum: vector, count: count?, centre, bounds: *bounds, grid: *grid })
            }),
            Item::Spread(place, _, bounds, grid, root) => self.value(*place).and_then(|(value, count)| {
                let Sum { vector, centre, .. } = value.sum?;
                let (count, squares) = (count?, value.squares?);
                Some(Aggregate::Spread { sum: vector, count, squares, centre, bounds: *bounds, grid: *grid, root: *root })
            }),
            Item::Quantile(place, _, bounds, grid, rank) => self.quantile(*place, *bounds, *grid, *rank),
            Item::Bins(place, column, edges) => {
                let binning = self.bins(*place, column, edges);
                return binning.map_or_else(Vec::new, |binning| {
                    (0..binning.slots).map(|slot| Aggregate::Slot { vector: binning.vector, slot }).collect()
                });
            }
            Item::Range(place, _, grid) => {
                let binning = self.binning(*place, |kind| matches!(kind, VectorKind::Magnitudes { .. }));
                let end = |high| binning.map(|binning| Aggregate::Range { vector: binning.vector, high, grid: *grid });
                return [false, true].into_iter().filter_map(end).collect();
            }
        };
        one.into_iter().collect()
    }

    fn quantile(&self, place: usize, bounds: Bounds, grid: GridStep, rank: (u64, u64)) -> Option<Aggregate> {
        let vector = self.binning(place, |kind| matches!(kind, VectorKind::Grid { .. }))?.vector;
        let step = self.steps.iter().position(|step| matches!(step, ReleaseStep::Quantiles { vector: other, .. } if *other == vector))?;
        let ReleaseStep::Quantiles { ranks, .. } = &self.steps[step] else { return None };
        let nth = ranks.iter().position(|other| *other == rank)?;
        let bins = self.value(place)?.0.binnings.iter().find(|binning| binning.covers(bounds)).map(|binning| binning.vector);
        Some(Aggregate::Quantile { step, place: nth, bins, grid })
    }
}

/// A rank as a reduced fraction.
fn fraction(rank: Decimal) -> Option<(u64, u64)> {
    let units = u64::try_from(rank.units(RANK_DIGITS_MAX)?).ok()?;
    let whole = 10_u64.pow(RANK_DIGITS_MAX.into()); // RANK_UNITS
    let (mut a, mut b) = (units, whole);
    while a != 0 {
        (a, b) = (b % a, a);
    }
    Some((units / b, whole / b))
}
