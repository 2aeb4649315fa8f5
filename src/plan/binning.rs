//! Slots of a vector: histogram edges, declared values, magnitudes, the grid of quantiles.

use super::filter::Point;
use super::group::Lookup;
use crate::dataset::{Bounds, Column, GridStep, Values};
use crate::dp::range;
use crate::id::Decimal;

/// How the values of a column are sorted into the slots of a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binning {
    pub(crate) vector: usize,
    pub(crate) slots: usize,
    place: Placement,
}

/// Which slot a value goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Placement {
    /// Bins between edges, in steps: bin i from `starts[i]` on, the last one up to `end`, after clamping.
    Edges { starts: Vec<i64>, end: i64, bounds: Option<Bounds> },
    /// Declared integers.
    Values(Lookup),
    /// Declared texts come first among the codes.
    Codes,
    /// Powers of two.
    Magnitudes,
    /// 2^shift grid points a slot, after clamping.
    Grid { bounds: Bounds, shift: u32 },
}

/// The most slots of a grid; beyond that quantiles are exact to a share of 2^-16 of the bounds.
const GRID_SLOTS_MAX: usize = 1 << 16;

impl Binning {
    /// Bins between increasing edges; each but the last leaves out its upper edge.
    pub(crate) fn edges(vector: usize, edges: &[Decimal], step: GridStep, bounds: Option<Bounds>) -> Self {
        let held = |place: i128| i64::try_from(place.clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or(i64::MAX);
        let (last, starts) = edges.split_last().map_or((Decimal::ZERO, &[][..]), |(last, starts)| (*last, starts));
        let starts: Vec<_> = starts.iter().map(|edge| held(Point::of(*edge, step).from())).collect();
        // An edge beyond 64 bits is above or below every value.
        let end = held(Point::of(last, step).below());
        Self { vector, slots: starts.len(), place: Placement::Edges { starts, end, bounds } }
    }

    /// One slot for each declared value.
    pub(crate) fn values(vector: usize, values: &Values) -> Self {
        let place = match values {
            Values::Text(_) => Placement::Codes,
            Values::Integer(values) => Placement::Values(Lookup::of(values)),
        };
        Self { vector, slots: values.len(), place }
    }

    pub(crate) const fn magnitudes(vector: usize) -> Self {
        Self { vector, slots: range::SLOTS, place: Placement::Magnitudes }
    }

    /// The points between bounds, a power of two of them in a slot, so that `cells` tables have at most `slots_max` slots.
    pub(crate) fn grid(vector: usize, bounds: Bounds, cells: usize, slots_max: usize) -> Self {
        let most = (slots_max / cells.max(1)).clamp(1, GRID_SLOTS_MAX) as u64;
        let last = bounds.high.abs_diff(bounds.low);
        let shift = (0..64).find(|shift| last >> shift < most).unwrap_or(63);
        let slots = usize::try_from((last >> shift) + 1).unwrap_or(usize::MAX);
        Self { vector, slots, place: Placement::Grid { bounds, shift } }
    }

    /// Whether every value has the same slot in both.
    pub(crate) fn sorts_like(&self, other: &Self) -> bool {
        self.place == other.place
    }

    /// The slot of a value, or of a code; [`Self::slots`] for none.
    pub(crate) fn slot(&self, value: i64) -> usize {
        let slot = match &self.place {
            Placement::Edges { starts, end, bounds } => {
                let value = bounds.map_or(value, |bounds| value.clamp(bounds.low, bounds.high));
                match starts.partition_point(|start| *start <= value) {
                    0 => return self.slots,
                    _ if value > *end => return self.slots,
                    after => after - 1,
                }
            }
            Placement::Values(lookup) => lookup.number_of(value) as usize,
            Placement::Codes => usize::try_from(value).unwrap_or(usize::MAX),
            Placement::Magnitudes => range::slot(value),
            Placement::Grid { bounds, shift } => {
                let value = value.clamp(bounds.low, bounds.high);
                usize::try_from(value.abs_diff(bounds.low) >> shift).unwrap_or(usize::MAX)
            }
        };
        slot.min(self.slots)
    }

    /// The least and the greatest value of a slot of numbers.
    pub(crate) fn span(&self, slot: usize) -> Option<(i64, i64)> {
        match &self.place {
            Placement::Edges { starts, end, bounds } => {
                let low = *starts.get(slot)?;
                let high = starts.get(slot + 1).map_or(*end, |next| next.saturating_sub(1));
                Some(bounds.map_or((low, high), |bounds| (low.max(bounds.low), high.min(bounds.high))))
            }
            Placement::Grid { bounds, shift } => {
                let from = i64::try_from(i128::from(bounds.low) + ((slot as i128) << shift)).ok().filter(|from| *from <= bounds.high)?;
                Some((from, from.saturating_add(i64::MAX >> (63 - shift)).min(bounds.high)))
            }
            Placement::Values(_) | Placement::Codes | Placement::Magnitudes => None,
        }
    }

    /// Whether its bins leave out no value within the bounds.
    pub(crate) fn covers(&self, bounds: Bounds) -> bool {
        match &self.place {
            Placement::Edges { starts, end, bounds: Some(_) } => {
                starts.first().is_some_and(|first| *first <= bounds.low) && bounds.high <= *end
            }
            _ => false,
        }
    }
}

/// What the bins are called.
pub(crate) fn bin_labels(column: &Column, edges: &[Decimal]) -> Vec<String> {
    if edges.is_empty() {
        return match &column.values {
            Some(Values::Text(values)) => values.iter().map(|value| format!("= {value}")).collect(),
            Some(Values::Integer(values)) => values.iter().map(|value| format!("= {value}")).collect(),
            None => Vec::new(),
        };
    }
    let last = edges.len().saturating_sub(2);
    let label = |(at, pair): (usize, &[Decimal])| format!("[{}, {}{}", pair[0], pair[1], if at == last { ']' } else { ')' });
    edges.windows(2).enumerate().map(label).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn decimals(numbers: &[&str]) -> Vec<Decimal> {
        numbers.iter().map(|number| Decimal::parse(number).unwrap()).collect()
    }

    /// Every value of a small grid against the comparison of decimals.
    #[test]
    fn bins_are_those_of_the_decimals() {
        let edges = decimals(&["-1.2", "0", "0.5", "2"]);
        let step = GridStep::parse("0.25").unwrap();
        let binning = Binning::edges(0, &edges, step, None);
        assert_eq!(binning.slots, 3);
        for value in -20..=20_i64 {
            let number = Decimal::new(i128::from(value) * 25, 2).unwrap();
            let bin = (0..3).find(|bin| edges[*bin] <= number && (number < edges[bin + 1] || *bin == 2 && number == edges[3]));
            assert_eq!(binning.slot(value), bin.unwrap_or(3), "{number}");
            if let Some(bin) = bin {
                let (low, high) = binning.span(bin).unwrap();
                assert!(low <= value && value <= high);
            }
        }
        let bounded = Binning::edges(0, &edges, step, Some(Bounds { low: -4, high: 8 }));
        assert_eq!((bounded.slot(-100), bounded.slot(100)), (0, 2));
        assert!(bounded.covers(Bounds { low: -4, high: 8 }) && !bounded.covers(Bounds { low: -5, high: 8 }));
    }

    #[test]
    fn a_grid_covers_its_bounds_and_no_more() {
        for (low, high, cells) in [(0, 120, 1), (-7, 70_000, 1), (i64::MIN, i64::MAX, 1), (i64::MIN, i64::MAX, 1 << 20), (0, 1, 1 << 22)] {
            let bounds = Bounds { low, high };
            let binning = Binning::grid(0, bounds, cells, 1 << 22);
            assert!(binning.slots <= GRID_SLOTS_MAX && binning.slots * cells <= 1 << 22);
            assert_eq!((binning.slot(low), binning.slot(high)), (0, binning.slots - 1));
            assert_eq!(binning.slot(i64::MIN), 0);
            let mut next = i128::from(low);
            for slot in (0..binning.slots).filter(|slot| *slot < 3 || slot + 3 > binning.slots) {
                let (from, to) = binning.span(slot).unwrap();
                assert!(slot >= 3 || i128::from(from) == next, "{slot} {from}");
                assert_eq!((binning.slot(from), binning.slot(to)), (slot, slot));
                next = i128::from(to) + 1;
            }
            assert_eq!(binning.span(binning.slots - 1).unwrap().1, high);
            assert_eq!(binning.span(binning.slots), None);
        }
    }

    #[test]
    fn bins_are_called_by_their_edges() {
        let step = Column {
            name: crate::id::ColumnName::new("x").unwrap(),
            kind: crate::dataset::ColumnType::Integer,
            bounds: None,
            values: Some(Values::Integer(vec![5, -1])),
            other: None,
            nullable: false,
            grade: crate::grade::Grade::L1,
            uses: crate::dataset::Uses::NONE,
        };
        assert_eq!(bin_labels(&step, &decimals(&["0", "1.5", "7"])), ["[0, 1.5)", "[1.5, 7]"]);
        assert_eq!(bin_labels(&step, &[]), ["= 5", "= -1"]);
        let binning = Binning::values(0, step.values.as_ref().unwrap());
        assert_eq!([5, -1, 0].map(|value| binning.slot(value)), [0, 1, 2]);
    }
}
