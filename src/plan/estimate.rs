//! From noised sums to the values of an answer and their intervals; all of it post-processing.

use super::bound::{ANSWER_BYTES_MAX, Aggregate, ESTIMATE_BYTES, ReleaseStep};
use super::decimal::{Round, product};
use super::{Allocation, GroupKey, Noisy};
use crate::dataset::{Bounds, GridStep};
use crate::dp::interval::{
    self, HalfWidth, Interval, IntervalMethod, MEAN_RESOLUTION, Mean, NoisyMean, NoisyVariance, VARIANCE_RESOLUTION, Widths,
};
use crate::dp::{Law, Scale, range};
use crate::id::Decimal;

/// A group of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// One part for each column of GROUP BY.
    pub key: Vec<GroupKey>,
    /// One for each estimate of SELECT, in order.
    pub estimates: Vec<IntervalEstimate>,
}

/// A released number with its 95 % interval (rule F1). Negative counts stand as they are (rule E6).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntervalEstimate {
    /// The number; none for a ratio whose noisy count is not above zero, and for bounds of which there is no sign.
    pub value: Option<Decimal>,
    /// The lower end of the interval; none where no interval is paid for.
    pub low: Option<Decimal>,
    /// The upper end.
    pub high: Option<Decimal>,
    /// How the interval was made, or why there is none.
    pub method: &'static str,
}

/// How wide an interval will be, told before anything is spent (rule F3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IntervalWidth {
    /// How far it reaches to both sides; for a ratio around its middle, when a group size is assumed.
    pub half: Option<Decimal>,
    /// How it will be made.
    pub method: &'static str,
}

/// Why a quantile has no interval: no histogram that covers the bounds of the column is in the same question.
pub const NO_BINS: &str = "none: ask for HISTOGRAM of the column over all of its bounds as well";
/// Why automatic bounds have no interval.
pub const NO_INTERVAL: &str = "none: the bounds are where noisy counts stand out";

impl Noisy {
    /// All named groups with their estimates: declared groups in declared order, the last column of GROUP BY fastest; others in
    /// increasing order of their keys; the largest by the order in which they were chosen.
    ///
    /// Of groups that the data say, those that do not fit an answer any more are left out ([`Self::is_cut`]): which ones depends
    /// on the keys of named groups only.
    #[must_use]
    pub fn estimates(&self) -> Vec<Group> {
        let plan = &self.allocation.plan;
        let rules: Vec<Rule<'_>> = plan.aggregates.iter().map(|aggregate| Rule::new(*aggregate, &self.allocation)).collect();
        let group = |group| Group { key: self.key(group), estimates: rules.iter().map(|rule| rule.estimate(self, group)).collect() };
        (0..self.fitting()).map(group).collect()
    }

    /// Whether named groups are left out of [`Self::estimates`].
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.fitting() < self.groups()
    }

    fn fitting(&self) -> usize {
        let plan = &self.allocation.plan;
        if plan.cells.is_some() {
            // Checked when the question was bound.
            return self.groups();
        }
        let mut bytes = 0;
        let fits = |group: &usize| {
            bytes += plan.aggregates.len() as u128 * ESTIMATE_BYTES + self.key(*group).iter().map(GroupKey::bytes).sum::<u128>();
            bytes <= u128::from(ANSWER_BYTES_MAX) - ANSWER_HEAD_BYTES
        };
        (0..self.groups()).take_while(fits).count()
    }
}

/// What an answer has besides its rows.
const ANSWER_HEAD_BYTES: u128 = 64 << 10;

impl Allocation {
    /// The widths of the intervals, in the order of the estimates. That of a ratio depends on how many rows a group has, which
    /// `group_size` assumes; it never comes from the data.
    #[must_use]
    pub fn widths(&self, group_size: Option<u64>) -> Vec<IntervalWidth> {
        self.plan.aggregates.iter().map(|aggregate| Rule::new(*aggregate, self).width(group_size)).collect()
    }
}

/// An aggregate with what its intervals need.
enum Rule<'a> {
    Number { vector: usize, slot: usize, width: HalfWidth },
    Sum { sum: usize, count: Option<usize>, centre: i64, grid: GridStep, width: HalfWidth },
    Mean { sum: usize, count: usize, grid: GridStep, mean: NoisyMean },
    Spread { sum: usize, count: usize, squares: usize, grid: GridStep, root: bool, noisy: NoisyVariance, widths: Widths },
    Quantile { step: usize, place: usize, grid: GridStep, rank: (u64, u64), allocation: &'a Allocation, bins: Option<(usize, Law)> },
    Range { vector: usize, law: Law, high: bool, grid: GridStep },
}

impl<'a> Rule<'a> {
    fn new(aggregate: Aggregate, allocation: &'a Allocation) -> Self {
        // Every vector that an aggregate is made of is noised by a step of its own.
        let law = |vector: usize| allocation.law(vector).unwrap_or(Law::Laplace(Scale::ONE));
        match aggregate {
            Aggregate::Count { vector } => Self::Number { vector, slot: 0, width: interval::half_width(law(vector)) },
            Aggregate::Slot { vector, slot } => Self::Number { vector, slot, width: interval::half_width(law(vector)) },
            Aggregate::Sum { sum, count, centre, grid } => {
                let width = count
                    .map_or_else(|| interval::half_width(law(sum)), |count| interval::weighted_sum(law(sum), centre.into(), law(count)));
                Self::Sum { sum, count, centre, grid, width }
            }
            Aggregate::Mean { sum, count, centre, bounds, grid } => {
                let (sum_law, count_law) = (law(sum), law(count));
                let Bounds { low, high } = bounds;
                let mean = NoisyMean { sum: 0, sum_law, count: 0, count_law, centre: centre.into(), low: low.into(), high: high.into() };
                Self::Mean { sum, count, grid, mean }
            }
            Aggregate::Spread { sum, count, squares, centre, bounds, grid, root } => {
                let noisy = NoisyVariance {
                    sum: 0,
                    count: 0,
                    squares: 0,
                    sum_law: law(sum),
                    count_law: law(count),
                    squares_law: law(squares),
                    centre: centre.into(),
                    low: bounds.low.into(),
                    high: bounds.high.into(),
                };
                Self::Spread { sum, count, squares, grid, root, noisy, widths: noisy.widths() }
            }
            Aggregate::Quantile { step, place, bins, grid } => {
                let rank = match &allocation.plan.steps[step] {
                    ReleaseStep::Quantiles { ranks, .. } => ranks[place],
                    _ => (0, 1),
                };
                Self::Quantile { step, place, grid, rank, allocation, bins: bins.map(|vector| (vector, law(vector))) }
            }
            Aggregate::Range { vector, high, grid } => Self::Range { vector, law: law(vector), high, grid },
        }
    }

    fn estimate(&self, noisy: &Noisy, group: usize) -> IntervalEstimate {
        let number = |vector: usize| noisy.get(vector, group)[0];
        match self {
            Self::Number { vector, slot, width } => {
                let value = noisy.get(*vector, group)[*slot];
                written(Some(value), width.around(value), GridStep::one(), 0)
            }
            Self::Sum { sum, count, centre, grid, width } => {
                let shift = count.map_or(0, |count| number(count).saturating_mul((*centre).into()));
                let value = number(*sum).saturating_add(shift);
                written(Some(value), width.around(value), *grid, 0)
            }
            Self::Mean { sum, count, grid, mean } => {
                let Mean { value, interval } = mean_of(mean, number(*sum), number(*count));
                written(value, interval, *grid, PART_DIGITS)
            }
            Self::Spread { sum, count, squares, grid, root, noisy: made, widths } => {
                let made = NoisyVariance { sum: number(*sum), count: number(*count), squares: number(*squares), ..*made };
                spread(&made, *widths, *grid, *root)
            }
            Self::Quantile { step, place, grid, rank, allocation, bins } => {
                let (low, high) = span(allocation, *step, noisy.pick(*step, group, *place));
                // Of a slot of many grid points the middle.
                let middle = i128::from(low) + (i128::from(high) - i128::from(low)) / 2;
                let interval = bins.and_then(|(vector, law)| {
                    let (first, last) = interval::quantile_from_histogram(noisy.get(vector, group), law, *rank)?;
                    let binning = binning_of(allocation, vector)?;
                    Some((binning.span(first)?.0, binning.span(last)?.1))
                });
                let decimal = |steps: i128| product(steps, grid.decimal().mantissa(), grid.decimal().scale(), Round::Nearest);
                IntervalEstimate {
                    value: Some(decimal(middle)),
                    low: interval.map(|(low, _)| decimal(low.into())),
                    high: interval.map(|(_, high)| decimal(high.into())),
                    method: if bins.is_some() { HISTOGRAM_METHOD } else { NO_BINS },
                }
            }
            Self::Range { vector, law, high, grid } => {
                let bounds = range::bounds(noisy.get(*vector, group), *law);
                let end = bounds.map(|bounds| if *high { bounds.1 } else { bounds.0 });
                let value = end.map(|end| product(end.into(), grid.decimal().mantissa(), grid.decimal().scale(), Round::Nearest));
                IntervalEstimate { value, low: None, high: None, method: NO_INTERVAL }
            }
        }
    }

    fn width(&self, group_size: Option<u64>) -> IntervalWidth {
        let half = |width: &HalfWidth, grid: GridStep| {
            let steps = i128::try_from(width.steps).unwrap_or(i128::MAX);
            let half = product(steps, grid.decimal().mantissa(), grid.decimal().scale(), Round::Up);
            IntervalWidth { half: Some(half), method: width.method.as_str() }
        };
        match self {
            Self::Number { width, .. } => half(width, GridStep::one()),
            Self::Sum { width, grid, .. } => half(width, *grid),
            Self::Mean { mean, grid, .. } => {
                let at_middle = mean_of(mean, 0, group_size.unwrap_or(0).into()).interval;
                let (low, high) = (at_middle.low, at_middle.high);
                let middle = mean.centre * i128::from(MEAN_RESOLUTION);
                let half = (high - middle).max(middle - low);
                let half = group_size.map(|_| in_parts(half, *grid, Round::Up));
                IntervalWidth { half, method: at_middle.method.as_str() }
            }
            Self::Spread { noisy, .. } => IntervalWidth { half: None, method: noisy.method().as_str() },
            Self::Quantile { bins, .. } => IntervalWidth { half: None, method: if bins.is_some() { HISTOGRAM_METHOD } else { NO_BINS } },
            Self::Range { .. } => IntervalWidth { half: None, method: NO_INTERVAL },
        }
    }
}

const HISTOGRAM_METHOD: &str = IntervalMethod::HistogramInversion.as_str();

/// The values of a slot of a grid.
fn span(allocation: &Allocation, step: usize, slot: usize) -> (i64, i64) {
    let vector = match &allocation.plan.steps[step] {
        ReleaseStep::Quantiles { vector, .. } => Some(*vector),
        _ => None,
    };
    vector.and_then(|vector| binning_of(allocation, vector)).and_then(|binning| binning.span(slot)).unwrap_or((0, 0))
}

fn binning_of(allocation: &Allocation, vector: usize) -> Option<&super::binning::Binning> {
    allocation.plan.values.iter().flat_map(|value| &value.binnings).find(|binning| binning.vector == vector)
}

/// Digits of [`MEAN_RESOLUTION`].
const PART_DIGITS: u8 = 6;
const _: () = assert!(10_u32.pow(PART_DIGITS as u32) == MEAN_RESOLUTION && VARIANCE_RESOLUTION == MEAN_RESOLUTION);

/// The bounds are those of a schema, so that there always is an estimate; should there be none, the bounds are it.
fn mean_of(mean: &NoisyMean, sum: i128, count: i128) -> Mean {
    let parts = i128::from(MEAN_RESOLUTION);
    NoisyMean { sum, count, ..*mean }.estimate().unwrap_or_else(|_| {
        let all = Interval { low: mean.low * parts, high: mean.high * parts, method: IntervalMethod::Union };
        Mean { value: None, interval: all }
    })
}

/// A variance has the square of a step as its unit, a deviation the step.
fn spread(noisy: &NoisyVariance, widths: Widths, grid: GridStep, root: bool) -> IntervalEstimate {
    let step = grid.decimal();
    let (estimate, unit, scale) = if root {
        (noisy.deviation_within(widths).map(|made| (made.value, made.interval)), step.mantissa(), step.scale())
    } else {
        (noisy.variance_within(widths).map(|made| (made.value, made.interval)), step.mantissa() * step.mantissa(), 2 * step.scale())
    };
    let decimal = |parts, round| product(parts, unit, scale + PART_DIGITS, round);
    match estimate {
        Ok((value, interval)) => IntervalEstimate {
            value: value.map(|value| decimal(value, Round::Nearest)),
            low: Some(decimal(interval.low, Round::Down)),
            high: Some(decimal(interval.high, Round::Up)),
            method: interval.method.as_str(),
        },
        // The bounds of a schema are in order, and near enough to the middle.
        Err(_) => IntervalEstimate { value: None, low: None, high: None, method: noisy.method().as_str() },
    }
}

fn in_parts(parts: i128, grid: GridStep, round: Round) -> Decimal {
    product(parts, grid.decimal().mantissa(), grid.decimal().scale() + PART_DIGITS, round)
}

/// Steps (divided by 10^digits) as decimals, the ends rounded outward where they have too many digits.
fn written(value: Option<i128>, interval: Interval, grid: GridStep, digits: u8) -> IntervalEstimate {
    let step = grid.decimal();
    let decimal = |steps, round| product(steps, step.mantissa(), step.scale() + digits, round);
    IntervalEstimate {
        value: value.map(|value| decimal(value, Round::Nearest)),
        low: Some(decimal(interval.low, Round::Down)),
        high: Some(decimal(interval.high, Round::Up)),
        method: interval.method.as_str(),
    }
}
