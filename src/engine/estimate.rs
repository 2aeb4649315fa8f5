use super::bound::Aggregate;
use super::decimal::{Round, product};
use super::{Bound, Key, Noisy, Split};
use crate::dataset::Step;
use crate::dp::interval::{self, HalfWidth, Interval, MEAN_RESOLUTION, Mean, Method, NoisyMean};
use crate::id::Decimal;

/// A group of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// One part for each column of GROUP BY.
    pub key: Vec<Key>,
    /// One for each aggregate of SELECT, in order.
    pub estimates: Vec<Estimate>,
}

/// A released number with its 95 % interval (rule F1). Negative counts stand as they are (rule E6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The number; none for a mean whose noisy count is not above zero.
    pub value: Option<Decimal>,
    /// The lower end of the interval.
    pub low: Decimal,
    /// The upper end.
    pub high: Decimal,
    /// How the interval was made.
    pub method: &'static str,
}

/// How wide an interval will be, told before anything is spent (rule F3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Width {
    /// How far it reaches to both sides; for a mean around its middle, when a group size is assumed.
    pub half: Option<Decimal>,
    /// How it will be made.
    pub method: &'static str,
}

impl Noisy {
    /// All groups with their estimates; the last column of GROUP BY runs fastest.
    #[must_use]
    pub fn estimates(&self) -> Vec<Group> {
        let plan = &self.split.plan;
        let bound = Bound(std::sync::Arc::clone(plan));
        let rules: Vec<Rule> = plan.aggregates.iter().map(|aggregate| Rule::new(*aggregate, &self.split)).collect();
        let group = |cell| Group {
            key: bound.key(cell),
            estimates: rules.iter().map(|rule| rule.estimate(|vector| self.get(vector, cell))).collect(),
        };
        (0..plan.cells).map(group).collect()
    }
}

impl Split {
    /// The widths of the intervals, in the order of the aggregates. That of a mean depends on how many rows a group
    /// has, which `group_size` assumes; it never comes from the data.
    #[must_use]
    pub fn widths(&self, group_size: Option<u64>) -> Vec<Width> {
        self.plan.aggregates.iter().map(|aggregate| Rule::new(*aggregate, self).width(group_size)).collect()
    }
}

/// An aggregate with what its intervals need.
enum Rule {
    Count { vector: usize, width: HalfWidth },
    Sum { sum: usize, count: Option<usize>, centre: i64, step: Step, width: HalfWidth },
    Mean { sum: usize, count: usize, step: Step, mean: NoisyMean },
}

impl Rule {
    fn new(aggregate: Aggregate, split: &Split) -> Self {
        let scale = |vector: usize| split.mechanisms[vector].scale();
        match aggregate {
            Aggregate::Count { vector } => Self::Count { vector, width: interval::laplace(scale(vector)) },
            Aggregate::Sum { sum, count, centre, step } => {
                let width = count
                    .map_or_else(|| interval::laplace(scale(sum)), |count| interval::laplace_sum(scale(sum), centre.into(), scale(count)));
                Self::Sum { sum, count, centre, step, width }
            }
            Aggregate::Mean { sum, count, centre, bounds, step } => {
                let mean = NoisyMean {
                    sum: 0,
                    sum_scale: scale(sum),
                    count: 0,
                    count_scale: scale(count),
                    centre: centre.into(),
                    low: bounds.low.into(),
                    high: bounds.high.into(),
                };
                Self::Mean { sum, count, step, mean }
            }
        }
    }

    fn estimate(&self, noisy: impl Fn(usize) -> i128) -> Estimate {
        match self {
            Self::Count { vector, width } => {
                let value = noisy(*vector);
                written(Some(value), width.around(value), Step::one(), 0)
            }
            Self::Sum { sum, count, centre, step, width } => {
                let shift = count.map_or(0, |count| noisy(count).saturating_mul((*centre).into()));
                let value = noisy(*sum).saturating_add(shift);
                written(Some(value), width.around(value), *step, 0)
            }
            Self::Mean { sum, count, step, mean } => {
                let Mean { value, interval } = mean_of(mean, noisy(*sum), noisy(*count));
                written(value, interval, *step, PART_DIGITS)
            }
        }
    }

    fn width(&self, group_size: Option<u64>) -> Width {
        let half = |width: &HalfWidth, step: Step| {
            let steps = i128::try_from(width.steps).unwrap_or(i128::MAX);
            let half = product(steps, step.decimal().mantissa(), step.decimal().scale(), Round::Up);
            Width { half: Some(half), method: width.method.as_str() }
        };
        match self {
            Self::Count { width, .. } => half(width, Step::one()),
            Self::Sum { width, step, .. } => half(width, *step),
            Self::Mean { mean, step, .. } => {
                let at_middle = mean_of(mean, 0, group_size.unwrap_or(0).into()).interval;
                let (low, high) = (at_middle.low, at_middle.high);
                let middle = mean.centre * i128::from(MEAN_RESOLUTION);
                let half = (high - middle).max(middle - low);
                let half = group_size.map(|_| in_parts(half, *step, Round::Up));
                Width { half, method: at_middle.method.as_str() }
            }
        }
    }
}

/// Digits of [`MEAN_RESOLUTION`].
const PART_DIGITS: u8 = 6;
const _: () = assert!(10_u32.pow(PART_DIGITS as u32) == MEAN_RESOLUTION);

/// The bounds are those of a schema, so that there always is an estimate; should there be none, the bounds are it.
fn mean_of(mean: &NoisyMean, sum: i128, count: i128) -> Mean {
    let parts = i128::from(MEAN_RESOLUTION);
    let all = Interval { low: mean.low * parts, high: mean.high * parts, method: Method::LaplaceRatio };
    NoisyMean { sum, count, ..*mean }.estimate().unwrap_or(Mean { value: None, interval: all })
}

fn in_parts(parts: i128, step: Step, round: Round) -> Decimal {
    product(parts, step.decimal().mantissa(), step.decimal().scale() + PART_DIGITS, round)
}

/// Steps (divided by 10^digits) as decimals, the ends rounded outward where they have too many digits.
fn written(value: Option<i128>, interval: Interval, step: Step, digits: u8) -> Estimate {
    let step = step.decimal();
    let decimal = |steps, round| product(steps, step.mantissa(), step.scale() + digits, round);
    Estimate {
        value: value.map(|value| decimal(value, Round::Nearest)),
        low: decimal(interval.low, Round::Down),
        high: decimal(interval.high, Round::Up),
        method: interval.method.as_str(),
    }
}
