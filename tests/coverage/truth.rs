//! The truth, by a reading of the file that shares nothing with the crate: lines, fields, and one aggregate at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use usufruct::id::Decimal;
use usufruct::query::{Expression, Item};

/// numerator / denominator, or its root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub(crate) numerator: i128,
    pub(crate) denominator: i128,
    pub(crate) root: bool,
}

impl PartialEq for Truth {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root && self.numerator * other.denominator == other.numerator * self.denominator
    }
}

impl Truth {
    pub(crate) const fn whole(numerator: i128) -> Self {
        Self::ratio(numerator, 1)
    }

    pub(crate) const fn ratio(numerator: i128, denominator: i128) -> Self {
        Self { numerator, denominator, root: false }
    }

    /// (N Q - S^2) / N^2, or its root.
    pub(crate) const fn spread(n: i128, s: i128, q: i128, root: bool) -> Self {
        Self { numerator: n * q - s * s, denominator: n * n, root }
    }

    /// The same in another unit: `step` of it are one.
    pub(crate) fn times(self, step: Decimal) -> Self {
        let ten = 10_i128.pow(step.scale().into());
        Self { numerator: self.numerator * step.mantissa(), denominator: self.denominator * ten, ..self }
    }

    /// Exactly.
    pub(crate) fn is_within(&self, low: Decimal, high: Decimal) -> bool {
        let side = |end: Decimal| {
            let (end, scale) = (end.mantissa(), u32::from(end.scale()));
            if self.root {
                // Of a root that is not negative, so is a low end below zero below it.
                (end.signum() * end * end * self.denominator, self.numerator * 10_i128.pow(2 * scale))
            } else {
                (end * self.denominator, self.numerator * 10_i128.pow(scale))
            }
        };
        let ((low, truth_low), (high, truth_high)) = (side(low), side(high));
        low <= truth_low && truth_high <= high
    }
}

/// A file, cell by cell.
pub(crate) struct Naive {
    names: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// The bounds of columns.
pub(crate) type Bounds<'a> = &'a [(&'a str, i128, i128)];

impl Naive {
    pub(crate) fn read(path: &Path, delimiter: char) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut lines = text.lines().map(|line| line.split(delimiter).map(str::to_owned).collect::<Vec<_>>());
        Self { names: lines.next().unwrap(), rows: lines.collect() }
    }

    pub(crate) fn place(&self, column: &str) -> usize {
        self.names.iter().position(|name| name == column).unwrap()
    }

    /// The rows by the values of some columns.
    pub(crate) fn grouped(&self, columns: &[&str]) -> BTreeMap<Vec<String>, Vec<&Vec<String>>> {
        let mut out = BTreeMap::<_, Vec<_>>::new();
        for row in &self.rows {
            let key: Vec<String> = columns.iter().map(|column| row[self.place(column)].clone()).collect();
            out.entry(key).or_default().push(row);
        }
        out
    }

    /// The truths of an item, one for each of its estimates: of values held within their bounds, or of those in the file.
    pub(crate) fn truths(&self, rows: &[&Vec<String>], item: &Item, bounds: Bounds<'_>, bounded: bool) -> Vec<Truth> {
        let expression = item.expression();
        let column = expression.column().map(|column| column.as_str());
        let raw = || -> Vec<i128> {
            let cells = rows.iter().map(|row| &row[self.place(column.unwrap())]);
            cells.filter(|cell| !cell.is_empty()).map(|cell| cell.parse().unwrap()).collect()
        };
        let bounds = bounds.iter().find(|(name, ..)| Some(*name) == column);
        let held = |value: i128| bounds.filter(|_| bounded).map_or(value, |(_, low, high)| value.clamp(*low, *high));
        let values = || -> Vec<i128> { raw().into_iter().map(held).collect() };
        let n = || values().len() as i128;
        let s = || values().iter().sum::<i128>();
        let q = || values().iter().map(|value| value * value).sum::<i128>();
        match expression {
            Expression::CountRows => vec![Truth::whole(rows.len() as i128)],
            Expression::Count(_) => vec![Truth::whole(n())],
            Expression::CountDistinct(_) => {
                let units: BTreeSet<_> = rows.iter().map(|row| &row[self.place(column.unwrap())]).collect();
                vec![Truth::whole(units.len() as i128)]
            }
            Expression::Sum(_) => vec![Truth::whole(s())],
            Expression::Mean(_) => vec![Truth::ratio(s(), n())],
            Expression::Variance(_) => vec![Truth::spread(n(), s(), q(), false)],
            Expression::Deviation(_) => vec![Truth::spread(n(), s(), q(), true)],
            Expression::Quantile { rank, .. } => vec![Truth::whole(quantile(values(), *rank))],
            Expression::Histogram { edges, .. } => {
                let edges: Vec<i128> = edges.iter().map(|edge| edge.units(0).unwrap()).collect();
                let last = edges.len() - 2;
                let inside = |bin: usize, x: i128| edges[bin] <= x && (x < edges[bin + 1] || bin == last && x == edges[bin + 1]);
                (0..=last).map(|bin| Truth::whole(values().iter().filter(|x| inside(bin, **x)).count() as i128)).collect()
            }
            Expression::Clamped(_) => {
                let outside = |x: &&i128| bounds.is_some_and(|(_, low, high)| *x < low || *x > high);
                vec![Truth::whole(raw().iter().filter(outside).count() as i128)]
            }
            other => panic!("no truth for {other:?}"),
        }
    }
}

/// The least value x with at least n rank values <= x; of rank 0 the least value.
fn quantile(mut values: Vec<i128>, rank: Decimal) -> i128 {
    values.sort_unstable();
    let ten = 10_i128.pow(rank.scale().into());
    let enough = |at: usize| (at as i128 + 1) * ten >= values.len() as i128 * rank.mantissa();
    values[(0..values.len()).find(|at| enough(*at)).unwrap()]
}
