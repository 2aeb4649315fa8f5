//! What theory says of the answers: how often an interval holds the truth, and how far off a value is.

use std::error::Error;
use std::ops::RangeInclusive;

use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::Schema;
use usufruct::dp::interval::{self, COVERAGE_UNITS};
use usufruct::dp::{LaplaceMechanism, Scale};
use usufruct::plan::{Allocation, BoundQuery, Vector, VectorKind};
use usufruct::query::Query;

use crate::people::Truth;

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
        let bound = BoundQuery::new(query, schema)?;
        let allocation = Allocation::new(&bound, Loss::pure(price))?;
        match (bound.vectors(), allocation.shares()) {
            ([rows, ages], [Loss::Approx { epsilon: rows_share, .. }, Loss::Approx { epsilon: ages_share, .. }])
                if let VectorKind::Sum { centre, .. } = ages.kind() =>
            {
                let scale = |vector: &Vector, share: &Epsilon| LaplaceMechanism::new(vector.sensitivity(), *share).map(|made| made.scale());
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

    /// How many of so many intervals should hold the truth (rule F1 of `docs/rules.md`); no upper limit for a mean.
    pub(crate) fn hits(&self, aggregate: Aggregate, runs: usize) -> RangeInclusive<usize> {
        let p = self.coverage(aggregate);
        let low = tail(runs, p);
        low..=if aggregate == Aggregate::Mean { runs } else { runs - tail(runs, 1.0 - p) }
    }

    /// How far the mean of so many people of a group is off on average, were noise continuous and small beside their number.
    pub(crate) fn error_of_mean(&self, truth: Truth) -> f64 {
        let (sum, count) = (truth.sum as f64, truth.count as f64);
        let (x, y) = (float(self.ages), (sum / count - self.centre as f64).abs() * float(self.rows));
        // The mean of |X + Y| for Laplace X and Y of scales x and y.
        (x * x + x * y + y * y) / (x + y) / count
    }
}

/// How far a count is off on average: |Y| for discrete Laplace Y of scale 1 / epsilon.
pub(crate) fn error_of_count(epsilon: f64) -> f64 {
    1.0 / epsilon.sinh()
}

/// How far a median is off on average, and where it is, for the numbers of rows at 0, 1, 2, ...
///
/// A place among the rows is chosen with probability proportional to exp(-epsilon distance), distance being how many rows lie
/// between it and the middle; the rows of a year are spread over it as `usufruct::dp::quantile` says.
pub(crate) fn error_of_median(rows: &[u64], epsilon: f64) -> f64 {
    const BITS: u32 = 10;
    let middle = rows.iter().sum::<u64>() as f64 / 2.0;
    let mut below = 0;
    let mut weights = Vec::with_capacity(rows.len());
    let mut median = 0;
    for (year, rows) in rows.iter().enumerate() {
        if (below as f64) < middle {
            median = year;
        }
        let mut rows_at = [0_u64; 1 << BITS];
        // The place of a row has the binary digits of its number, in reverse.
        (0..*rows).for_each(|row| rows_at[usize::try_from(row.reverse_bits() >> (u64::BITS - BITS)).unwrap_or(0)] += 1);
        let weight = |rows_here: &u64| {
            below += rows_here;
            (-epsilon * (below as f64 - middle).abs()).exp()
        };
        weights.push(rows_at.iter().map(weight).sum::<f64>());
    }
    let total: f64 = weights.iter().sum();
    weights.iter().enumerate().map(|(year, weight)| weight * year.abs_diff(median) as f64).sum::<f64>() / total
}

fn float(scale: Scale) -> f64 {
    scale.numerator() as f64 / scale.denominator() as f64
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
