//! What theory says of the answers: how often an interval holds the truth, and how wide it is.

use std::error::Error;
use std::ops::RangeInclusive;

use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::Schema;
use usufruct::dp::interval::{self, COVERAGE_UNITS};
use usufruct::dp::{LaplaceMechanism, Scale};
use usufruct::engine::{Bound, Split, Vector, VectorKind};
use usufruct::query::Query;

use crate::people::{AGES, Truth};

/// The columns of the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Sum,
    Mean,
}

/// The noise behind COUNT(*), SUM(age) and AVG(age) of one request: they come from two noised sums, the rows and the
/// ages less a centre.
pub(crate) struct Laws {
    rows: Scale,
    ages: Scale,
    centre: i64,
}

/// How often a range of hits is missed by chance: 10^-6, half of it on each side.
const FALSE_ALARM: f64 = 1e-6;

impl Aggregate {
    pub(crate) const ALL: [Self; 3] = [Self::Count, Self::Sum, Self::Mean];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT(*)",
            Self::Sum => "SUM(age)",
            Self::Mean => "AVG(age)",
        }
    }

    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Count => "people",
            Self::Sum | Self::Mean => "years",
        }
    }

    /// What it should be, as a fraction; nothing for the mean of nobody.
    pub(crate) fn truth(self, Truth { count, sum }: Truth) -> Option<(i128, i128)> {
        match self {
            Self::Count => Some((count, 1)),
            Self::Sum => Some((sum, 1)),
            Self::Mean => (count > 0).then_some((sum, count)),
        }
    }
}

impl Laws {
    pub(crate) fn of(schema: &Schema, query: &Query, price: Epsilon) -> Result<Self, Box<dyn Error>> {
        let bound = Bound::new(query, schema)?;
        let split = Split::new(&bound, Loss::pure(price))?;
        match (bound.vectors(), split.shares()) {
            ([rows, ages], [Loss::Approx { epsilon: rows_share, .. }, Loss::Approx { epsilon: ages_share, .. }])
                if let VectorKind::Sum { centre, .. } = ages.kind() =>
            {
                let scale =
                    |vector: &Vector, share: &Epsilon| LaplaceMechanism::new(vector.sensitivity(), share.units()).map(|made| made.scale());
                Ok(Self { rows: scale(rows, rows_share)?, ages: scale(ages, ages_share)?, centre: *centre })
            }
            _ => Err("the question is of other aggregates".into()),
        }
    }

    /// How often the interval holds the truth: exactly so where the law of the noise is known, at least so for a mean.
    pub(crate) fn coverage(&self, aggregate: Aggregate) -> f64 {
        let units = match aggregate {
            Aggregate::Count => interval::laplace(self.rows).coverage,
            Aggregate::Sum => interval::laplace_sum(self.ages, self.centre.into(), self.rows).coverage,
            Aggregate::Mean => COVERAGE_UNITS / 100 * 95,
        };
        units as f64 / COVERAGE_UNITS as f64
    }

    /// How many of so many intervals should hold the truth (rule F1 of `DESIGN.md`); no upper limit for a mean.
    pub(crate) fn hits(&self, aggregate: Aggregate, runs: usize) -> RangeInclusive<usize> {
        let p = self.coverage(aggregate);
        let low = tail(runs, p);
        low..=if aggregate == Aggregate::Mean { runs } else { runs - tail(runs, 1.0 - p) }
    }

    /// How far an interval reaches to both sides, were noise continuous and the interval of a mean at the truth.
    pub(crate) fn half_width(&self, aggregate: Aggregate, truth: Truth) -> f64 {
        let scale = |scale: Scale| scale.numerator() as f64 / scale.denominator() as f64;
        let (rows, ages) = (scale(self.rows), scale(self.ages));
        let centre = self.centre as f64;
        match aggregate {
            Aggregate::Count => rows * 20_f64.ln(),
            Aggregate::Sum => quantile(ages, centre * rows),
            Aggregate::Mean => {
                let (sum, count) = (truth.sum as f64, truth.count as f64);
                let within_bounds = (AGES[1] - AGES[0]) as f64 / 2.0;
                (quantile(ages, (sum / count - centre).abs() * rows) / count).min(within_bounds)
            }
        }
    }
}

/// The least number of successes of `runs` trials of probability `p` below which chance falls at most half as often as a
/// false alarm.
fn tail(runs: usize, p: f64) -> usize {
    let mut log = runs as f64 * (-p).ln_1p();
    let mut below = 0.0;
    for successes in 0..runs {
        below += log.exp();
        if below > FALSE_ALARM / 2.0 {
            return successes;
        }
        log += ((runs - successes) as f64 / (successes + 1) as f64).ln() + p.ln() - (-p).ln_1p();
    }
    runs
}

/// The q that |X + Y| exceeds with probability 0.05, for Laplace X and Y of these scales.
fn quantile(x: f64, y: f64) -> f64 {
    // The closed form has no value where the scales are equal.
    let y = if (x - y).abs() < x * 1e-6 { x * (1.0 + 1e-6) } else { y };
    let exceeds = |q: f64| (x * x * (-q / x).exp() - y * y * (-q / y).exp()) / (x * x - y * y);
    let (mut low, mut high) = (0.0, 20.0 * (x + y));
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if exceeds(middle) > 0.05 { low = middle } else { high = middle }
    }
    high
}
