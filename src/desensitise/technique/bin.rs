//! The technique `bin`: intervals in place of numbers.

use arrow_array::{Array, ArrayRef};

use super::cells::{Cell, Cells};
use super::emitted::Texts;
use super::suggestion::coarser_step;
use super::{
    About, Emit, Emitted, Given, Kernel, Method, OffKind, OffReason, OutputType, Parameter, Rank, Setting, Shown, Suggestion,
    TechniqueError, Value, Work,
};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel};
use crate::generalise::Bins;
use crate::grade::{Finding, Grade, Kind, Role, ValueType};
use crate::id::Decimal;

/// The bin of each number in place of the number (分箱): `[30,40)`, `<18`, `>=65`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bin {
    /// The bins.
    pub bins: Bins,
    /// What the numbers of the column are multiples of: 1 for integers; without it a real or text column has residual 1.
    pub step: Option<Decimal>,
}

impl Method for Bin {
    fn about() -> About {
        About {
            name: "bin",
            parameters: &[
                Parameter { name: "width", takes: "decimal above 0", default: "required, unless there is `edges`", doc: "of every bin" },
                Parameter { name: "origin", takes: "decimal", default: "`0`", doc: "where a bin begins" },
                Parameter {
                    name: "edges",
                    takes: "list of 2 to 100 decimals, ascending",
                    default: "required, unless there is `width`",
                    doc: "where bins begin; below the first and from the last on are two more",
                },
                Parameter {
                    name: "step",
                    takes: "decimal above 0",
                    default: "none",
                    doc: "what the numbers are multiples of, for the count of what a bin leaves open; of integers 1",
                },
            ],
            examples: &[
                "width = 10",
                "width = \"2.5\"\norigin = \"0.5\"\nstep = \"0.01\"",
                "edges = [18, 40, 65]",
                "edges = [\"-0.5\", 3]\nstep = \"0.5\"",
            ],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        let step = given.decimal("step")?;
        let bins = match (given.decimal("width")?, given.decimal("origin")?, given.decimals("edges")?) {
            (Some(width), origin, None) => Bins::of_width(width, origin.unwrap_or(Decimal::ZERO))?,
            (None, None, Some(edges)) => Bins::of_edges(&edges)?,
            _ => return Err(Problem::Together("bin takes either `width` (and perhaps `origin`) or `edges`")),
        };
        Ok(Self { bins, step })
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let mut parameters = Vec::new();
        if let Some((width, origin)) = self.bins.width() {
            parameters.push(("width", width.into()));
            parameters.extend((origin != Decimal::ZERO).then(|| ("origin", origin.into())));
        } else {
            parameters.push(("edges", Value::List(self.bins.edges().into_iter().map(Value::from).collect())));
        }
        parameters.extend(self.step.map(|step| ("step", step.into())));
        parameters
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: false }
    }

    fn residual_given(&self, domain: &Domain, _: &[Known]) -> Residual {
        Residual::AtLeast(domain.step(self.step).map_or(1, |step| self.bins.fewest(step)))
    }

    fn shows(&self, _: &Domain) -> Shown {
        self.bins.width().map_or(Shown::Everything, |(width, origin)| Shown::Steps { width, origin })
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["the range that a value lies in, which rows had no value"]
    }

    fn output(&self, _: &Setting) -> OutputType {
        OutputType::Text
    }

    fn work(&self, _: &Setting, _: &KeyRing) -> Result<Work, TechniqueError> {
        Ok(Work::Cells(Kernel::new(Labels { bins: self.bins.clone() })))
    }

    fn coarser(&self, _: &Finding) -> Option<Suggestion> {
        let (width, origin) = self.bins.width()?;
        let bins = Bins::of_width(coarser_step(width)?, origin).ok()?;
        Some(Suggestion::new(Rank::OfKind, Self { bins, step: self.step }, "as wide as it takes for few to be unique"))
    }

    fn suggest(finding: &Finding, _: ReleaseModel) -> Option<Suggestion> {
        let is_age = finding.kind == Kind::Number && finding.role == Role::Quasi && finding.value_type == ValueType::Integer;
        if !is_age || finding.grade >= Grade::L3 {
            return None;
        }
        let bins = Bins::of_width(Decimal::new(10, 0)?, Decimal::ZERO).ok()?;
        let why = "with other columns it could single a person out; ten values look alike";
        Some(Suggestion::new(Rank::OfKind, Self { bins, step: None }, why))
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
        let bin = Technique::new(Bin { bins, step: None });
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
        let bin = Technique::new(Bin { bins, step: None });
        let (labels, off) = run(&bin, &setting(Kind::Number, ValueType::Text, None), &texts(&["017", "64.99", "65", "young", "1e2", ""]));
        assert_eq!((&labels[..3], labels[4].as_deref()), (&some(&["<18", "[18,65)", ">=65"])[..], Some(">=65")));
        assert_eq!(off, [3, 5].map(|row| (row, OffReason::NotANumber)));
    }

    /// Of ten integers in a row two can be dates, and one a card number.
    #[test]
    fn integers_of_which_few_are_values_claim_nothing() {
        let bins = Bins::of_width(decimal("10"), decimal("0")).unwrap();
        let dates = (20_240_330..20_240_340).filter(|number| crate::grade::check::date(number.to_string().as_str())).count();
        let cards =
            (6_222_020_200_112_230_u64..6_222_020_200_112_240).filter(|number| crate::grade::check::luhn(number.to_string())).count();
        assert_eq!((dates, cards), (2, 1));
        for kind in Kind::BUILTIN {
            let claimed = match kind {
                Kind::Number | Kind::Amount => Residual::AtLeast(10),
                _ => Residual::CLEAR,
            };
            let domain = Domain { kind, value_type: ValueType::Integer };
            assert_eq!(Bin { bins: bins.clone(), step: None }.residual(&domain), claimed, "{domain:?}");
            assert_eq!(Bin { bins: bins.clone(), step: Some(Decimal::ONE) }.residual(&domain), claimed, "{domain:?}");
        }
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
