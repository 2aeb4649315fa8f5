//! The technique `bin`: intervals in place of numbers.

use arrow_array::{Array, ArrayRef};

use super::cells::{Cell, Cells};
use super::emitted::Texts;
use super::{Emit, Emitted, OffKind, OffReason};
use crate::desensitise::residual::{Domain, Residual};
use crate::generalise::Bins;
use crate::id::Decimal;

pub(super) const NAME: &str = "bin";

/// The bin of each number in place of the number: `[30,40)`, `<18`, `>=65`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bin {
    /// The bins.
    pub bins: Bins,
    /// What the numbers of the column are multiples of: 1 for integers; without it a real or text column has residual 1.
    pub step: Option<Decimal>,
}

impl Bin {
    pub(super) fn residual(&self, domain: &Domain) -> Residual {
        Residual::AtLeast(domain.step(self.step).map_or(1, |step| self.bins.fewest(step)))
    }

    pub(super) fn kernel(&self) -> Box<dyn Emit> {
        Box::new(Labels { bins: self.bins.clone() })
    }
}

struct Labels {
    bins: Bins,
}

/// As many labels are kept at hand.
const SLOTS: usize = 128;
/// About the length of a label.
const LABEL_BYTES: usize = 8;

impl Emit for Labels {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let mut texts = Texts::with_capacity(cells.len(), LABEL_BYTES * cells.len());
        // Labels by the last bits of their bin, an empty one being none: most columns have few bins.
        let mut labels = vec![(0, String::new()); SLOTS];
        Cells::of(cells).each_number(|row, cell| match cell {
            Cell::Value(number) => {
                let Some(bin) = self.bins.bin(number) else { return texts.off(row, OffReason::OutOfRange, off) };
                let (held, label) = &mut labels[usize::try_from(bin.rem_euclid(SLOTS as i128)).unwrap_or(0)];
                if *held != bin || label.is_empty() {
                    label.clear();
                    *held = bin;
                    if !self.bins.write(bin, label) {
                        label.clear();
                        return texts.off(row, OffReason::OutOfRange, off);
                    }
                }
                texts.piece(label);
                texts.end_or(row, off);
            }
            Cell::Null => texts.null(),
            Cell::Other(reason) => texts.off(row, reason, off),
        });
        texts.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;

    use super::super::Technique;
    use super::super::tests::{decimal, run, setting, some, texts};
    use super::*;
    use crate::grade::{Kind, ValueType};

    #[test]
    fn labels_are_those_of_each_bin_whatever_was_written_before() {
        let bins = Bins::of_width(decimal("5"), decimal("0")).unwrap();
        let bin = Technique::Bin(Bin { bins, step: None });
        let ages: Vec<i64> = (0..=120).chain((0..=120).rev()).chain([640, 0, -640, 1_280]).collect();
        let column: ArrayRef = Arc::new(Int64Array::from(ages.clone()));
        let (labels, off) = run(&bin, &setting(Kind::Number, ValueType::Integer, None), &column);
        let expected: Vec<Option<String>> =
            ages.iter().map(|age| age.div_euclid(5) * 5).map(|from| Some(format!("[{from},{})", from + 5))).collect();
        assert!(off.is_empty() && labels == expected);
    }

    #[test]
    fn texts_are_read_as_numbers_or_are_off_kind() {
        let bins = Bins::of_edges(&["18", "65"].map(decimal)).unwrap();
        let bin = Technique::Bin(Bin { bins, step: None });
        let (labels, off) = run(&bin, &setting(Kind::Number, ValueType::Text, None), &texts(&["017", "64.99", "65", "young", "1e2", ""]));
        assert_eq!((&labels[..3], labels[4].as_deref()), (&some(&["<18", "[18,65)", ">=65"])[..], Some(">=65")));
        assert_eq!(off, [3, 5].map(|row| (row, OffReason::NotANumber)));
    }

    #[test]
    fn the_residual_is_the_smallest_bin_of_ages() {
        let integer = |step: Option<&str>| (Domain { kind: Kind::Number, value_type: ValueType::Integer }, step.map(decimal));
        let bins = Bins::of_edges(&["0", "18", "25", "65", "121"].map(decimal)).unwrap();
        let least = (0..=120).map(|age| bins.bin(i64::from(age).into())).fold(std::collections::HashMap::new(), |mut counts, bin| {
            *counts.entry(bin).or_insert(0) += 1;
            counts
        });
        let (domain, step) = integer(None);
        assert_eq!(Bin { bins: bins.clone(), step }.residual(&domain), Residual::AtLeast(*least.values().min().unwrap()));
        // A step finer than integers is not believed.
        let (domain, step) = integer(Some("0.01"));
        assert_eq!(Bin { bins, step }.residual(&domain), Residual::AtLeast(7));
    }
}
