//! The technique `round`: numbers to the nearest multiple, exactly.

use arrow_array::ArrayRef;

use super::cells::{Cell, Cells};
use super::numbers::Numbers;
use super::suggestion::{coarser_step, is_plain};
use super::{
    About, Emit, Emitted, Given, Kernel, Method, OffKind, OutputType, Parameter, Rank, Setting, Suggestion, TechniqueError, Value, Work,
};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel};
use crate::grade::{Finding, Grade, Kind, Named, ValueType};
use crate::id::Decimal;
use crate::value::Number;

const NAME: &str = "round";

/// Each number rounded to a multiple (取整), half to even, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    to: Decimal,
    step: Option<Decimal>,
}

impl Round {
    /// To multiples of `to`. `step` is what the numbers of the column are multiples of: 1 for integers; without it a real
    /// or text column has residual 1.
    ///
    /// # Errors
    /// `to` is not above 0.
    pub fn new(to: Decimal, step: Option<Decimal>) -> Result<Self, TechniqueError> {
        let positive = to.mantissa() > 0;
        if positive {
            Ok(Self { to, step })
        } else {
            Err(TechniqueError::Parameter { technique: NAME, parameter: "to", expected: "a number above 0" })
        }
    }
}

impl Method for Round {
    fn about() -> About {
        About {
            name: NAME,
            parameters: &[
                Parameter { name: "to", takes: "decimal above 0", default: "required", doc: "to its multiples, half to even" },
                Parameter {
                    name: "step",
                    takes: "decimal above 0",
                    default: "none",
                    doc: "what the numbers are multiples of, for the count of what rounding leaves open; of integers 1",
                },
            ],
            examples: &["to = 100", "to = 7\nstep = 1", "to = \"0.5\"\nstep = \"0.01\""],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        let (to, step) = (given.required("to", Given::decimal)?, given.decimal("step")?);
        Ok(Self::new(to, step)?)
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        std::iter::once(("to", self.to.into())).chain(self.step.map(|step| ("step", step.into()))).collect()
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: false }
    }

    /// Between two borders of rounding lie `to / step` multiples of the step, when that is an odd number. When it is even,
    /// the borders are multiples too and go to the even side, so the odd side has one less. What is rounded to 0 counts from 0 on, as
    /// ages and amounts do.
    fn residual_given(&self, domain: &Domain, _: &[Known]) -> Residual {
        let count = || {
            let step = domain.step(self.step)?;
            let scale = step.scale().max(self.to.scale());
            let (to, step) = (self.to.units(scale)?, step.units(scale).filter(|step| *step > 0)?);
            let whole = (to / step).unsigned_abs();
            let between = if to % step == 0 && whole.is_multiple_of(2) { whole - 1 } else { whole };
            Some(between.min(whole / 2 + 1))
        };
        Residual::AtLeast(count().unwrap_or(1).max(1))
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["the range that a value lies in, which rows had no value"]
    }

    fn output(&self, setting: &Setting) -> OutputType {
        match setting.output() {
            OutputType::Decimal { .. } => OutputType::Decimal { scale: self.to.scale() },
            other => other,
        }
    }

    fn work(&self, setting: &Setting, _: &KeyRing) -> Result<Work, TechniqueError> {
        if setting.domain.value_type == ValueType::Integer && self.to.scale() > 0 {
            return Err(TechniqueError::Parameter {
                technique: NAME,
                parameter: "to",
                expected: "a whole number for a column of integers",
            });
        }
        // To a tenth of the last digit half of `to` is whole.
        let scale = self.to.scale() + 1;
        let too_long = TechniqueError::Parameter { technique: NAME, parameter: "to", expected: "a number of at most 37 digits" };
        let to = self.to.units(scale).ok_or(too_long)?;
        Ok(Work::Cells(Kernel::new(Rounder { to, scale, output: self.output(setting) })))
    }

    /// Rounding to a hundred steps.
    fn coarser(&self, _: &Finding) -> Option<Suggestion> {
        let to = coarser_step(self.to)?;
        Some(Suggestion::new(Rank::OfKind, Self { to, step: self.step }, "as coarse as it takes for few to be unique"))
    }

    fn suggest(finding: &Finding, release: ReleaseModel) -> Option<Suggestion> {
        if finding.floor.as_ref().is_some_and(|floor| floor.named == Named::Place) {
            return degrees(finding, release);
        }
        let why = match finding.kind {
            Kind::Amount => "amounts are rounded, so that one cannot be looked up",
            Kind::Number if finding.grade == Grade::L3 => "numbers are rounded, so that one cannot be looked up",
            _ => return None,
        };
        let step = match finding.value_type {
            _ if !is_plain(finding.value_type) => return None,
            ValueType::Real { scale } => Decimal::new(1, scale)?,
            ValueType::Integer | ValueType::Text => Decimal::ONE,
        };
        Some(Suggestion::new(Rank::OfKind, Self::new(Decimal::new(100, 0)?, Some(step)).ok()?, why))
    }
}

/// Degrees to the second place, about a kilometre, or coarser where the cells are too coarse for that to leave enough open.
fn degrees(finding: &Finding, release: ReleaseModel) -> Option<Suggestion> {
    let scale = match finding.value_type {
        ValueType::Integer if finding.kind == Kind::Number => 0,
        ValueType::Real { scale } if finding.kind == Kind::Number && is_plain(finding.value_type) => scale,
        _ => return None,
    };
    // Twice as many as are needed of grade 3, as even multiples go to the even side.
    let steps = if release == ReleaseModel::Public { 200 } else { 20 };
    let is_coarse = steps * 100 > 10_i128.pow(u32::from(scale));
    let to = if is_coarse { Decimal::new(steps, scale)? } else { Decimal::new(1, 2)? };
    let why = "an exact place leads to one household; rounded to 0.01 degrees, or to more, it is known to a kilometre or worse";
    Some(Suggestion::new(Rank::OfKind, Round::new(to, Some(Decimal::new(1, scale)?)).ok()?, why))
}

struct Rounder {
    to: i128,
    scale: u8,
    output: OutputType,
}

impl Rounder {
    #[inline]
    fn round(&self, number: Number) -> Option<Number> {
        let (units, exact) = number.floor(self.scale)?;
        let (below, rest) = match (i64::try_from(units), i64::try_from(self.to)) {
            (Ok(units), Ok(to)) => (units.div_euclid(to).into(), units.rem_euclid(to).into()),
            _ => (units.div_euclid(self.to), units.rem_euclid(self.to)),
        };
        let half = self.to / 2;
        let up = rest > half || rest == half && (!exact || below % 2 != 0);
        let mantissa = (below + i128::from(up)).checked_mul(self.to)?;
        Some(Number { mantissa: mantissa / 10, scale: self.scale - 1 })
    }
}

impl Emit for Rounder {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let read = Cells::of(cells);
        let mut numbers = Numbers::new(self.output, &read);
        read.each_number(|row, cell| match cell {
            Cell::Value(number) => numbers.push_or(row, self.round(number), off),
            Cell::Null => numbers.null(),
            Cell::Other(reason) => numbers.off(row, reason, off),
        });
        numbers.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use arrow_array::Int64Array;

    use super::super::OffReason;
    use super::super::Technique;
    use super::super::tests::{decimal, run, setting, some, texts};
    use super::*;
    use crate::grade::Kind;

    fn round(to: &str, step: Option<&str>) -> Round {
        Round::new(decimal(to), step.map(decimal)).unwrap()
    }

    #[test]
    fn halves_go_to_the_even_side_exactly() {
        for (to, cells, rounded) in [
            ("1", &["0.5", "1.5", "2.5", "-0.5", "-1.5", "2.50000000000000000000001"][..], &["0", "2", "2", "0", "-2", "3"][..]),
            ("0.05", &["0.075", "0.0250", "-0.074", "1"], &["0.10", "0.00", "-0.05", "1.00"]),
            ("7", &["3.5", "3.49", "10.5", "10.51", "-3.5"], &["0", "0", "14", "14", "0"]),
            ("1000", &["1499.99", "1500", "2500", "99999999999999999999999"], &["1000", "2000", "2000", "100000000000000000000000"]),
        ] {
            let real = setting(Kind::Amount, ValueType::Real { scale: 2 }, None);
            assert_eq!(run(&Technique::new(round(to, None)), &real, &texts(cells)).0, some(rounded), "{to}");
        }
        let typed = setting(Kind::Amount, ValueType::Real { scale: 2 }, Some(2));
        assert_eq!(run(&Technique::new(round("0.5", None)), &typed, &texts(&["1.24", "-7"])).0, some(&["1.0", "-7.0"]));
    }

    #[test]
    fn integers_stay_integers() {
        let integer = setting(Kind::Number, ValueType::Integer, None);
        let cells: ArrayRef = Arc::new(Int64Array::from(vec![Some(15), Some(25), None, Some(i64::MAX), Some(i64::MIN)]));
        let (cells, off) = run(&Technique::new(round("10", None)), &integer, &cells);
        assert_eq!(cells[..3], [Some("20".to_owned()), Some("20".to_owned()), None]);
        assert_eq!(off, [3, 4].map(|row| (row, OffReason::OutOfRange)));
        assert!(round("0.5", None).work(&integer, &KeyRing::default()).is_err());
        assert!(Round::new(decimal("0"), None).is_err() && Round::new(decimal("-1"), None).is_err());
    }

    #[test]
    fn the_residual_is_the_smallest_class() {
        let domain = Domain { kind: Kind::Number, value_type: ValueType::Integer };
        for to in 1..=24 {
            for step in 1..=5 {
                let round = Round::new(Decimal::new(to, 0).unwrap(), Decimal::new(step, 0)).unwrap();
                let rounder = Rounder { to: to * 10, scale: 1, output: OutputType::Integer };
                let classes = |from: i128| {
                    let mut classes = HashMap::<i128, u128>::new();
                    for at in from..2_000 {
                        let rounded = rounder.round(Number { mantissa: at * step, scale: 0 }).unwrap().mantissa;
                        *classes.entry(rounded).or_default() += 1;
                    }
                    classes.into_iter().filter(|(rounded, _)| rounded.abs() < 1_500).map(|(_, count)| count)
                };
                let (least, said) = (classes(-2_000).chain(classes(0)).min().unwrap(), round.residual(&domain));
                assert!(said <= Residual::AtLeast(least), "{to} {step}: {said} {least}");
                assert!(to % step != 0 || said == Residual::AtLeast(least), "{to} {step}: {said} {least}");
            }
        }
    }
}
