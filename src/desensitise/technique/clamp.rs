//! The technique `top_bottom`: numbers beyond a bound become the bound.

use arrow_array::ArrayRef;

use super::cells::{Cell, Cells};
use super::numbers::Numbers;
use super::{About, Emit, Emitted, Given, Kernel, Method, OffKind, OutputType, Parameter, Setting, TechniqueError, Value, Work};
use crate::desensitise::Problem;
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::grade::ValueType;
use crate::id::Decimal;
use crate::value::Number;

const NAME: &str = "top_bottom";

/// Numbers below the bottom become the bottom, numbers above the top become the top (顶底编码); those between stay in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clamp {
    bottom: Option<Decimal>,
    top: Option<Decimal>,
}

impl Clamp {
    /// With a bottom, a top, or both.
    ///
    /// # Errors
    /// Neither, or the bottom is not below the top.
    pub fn new(bottom: Option<Decimal>, top: Option<Decimal>) -> Result<Self, TechniqueError> {
        let ordered = match (bottom, top) {
            (None, None) => false,
            (Some(bottom), Some(top)) => bottom < top,
            _ => true,
        };
        let expected = "a bottom, a top, or both with the bottom below the top";
        if ordered {
            Ok(Self { bottom, top })
        } else {
            Err(TechniqueError::Parameter { technique: NAME, parameter: "bottom, top", expected })
        }
    }

    fn scale(&self) -> u8 {
        [self.bottom, self.top].into_iter().flatten().map(Decimal::scale).max().unwrap_or(0)
    }
}

impl Method for Clamp {
    fn about() -> About {
        About {
            name: NAME,
            parameters: &[
                Parameter { name: "bottom", takes: "decimal", default: "none", doc: "less becomes this" },
                Parameter { name: "top", takes: "decimal", default: "none", doc: "more becomes this" },
            ],
            examples: &["top = 90", "bottom = 0", "bottom = \"-1.5\"\ntop = \"90.25\""],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        Ok(Self::new(given.decimal("bottom")?, given.decimal("top")?)?)
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        let bounds = [("bottom", self.bottom), ("top", self.top)];
        bounds.into_iter().filter_map(|(name, bound)| Some((name, bound?.into()))).collect()
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: false }
    }

    fn residual_given(&self, _: &Domain, _: &[Known]) -> Residual {
        Residual::CLEAR
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["every value between the bounds, and that the others lie outside"]
    }

    fn output(&self, setting: &Setting) -> OutputType {
        match setting.output() {
            OutputType::Decimal { scale } => OutputType::Decimal { scale: scale.max(self.scale()) },
            other => other,
        }
    }

    fn work(&self, setting: &Setting, _: &KeyRing) -> Result<Work, TechniqueError> {
        if setting.domain.value_type == ValueType::Integer && self.scale() > 0 {
            let expected = "whole numbers for a column of integers";
            return Err(TechniqueError::Parameter { technique: NAME, parameter: "bottom, top", expected });
        }
        let (bottom, top) = (self.bottom.map(Number::from), self.top.map(Number::from));
        Ok(Work::Cells(Kernel::new(Clamper { bottom, top, output: self.output(setting) })))
    }
}

struct Clamper {
    bottom: Option<Number>,
    top: Option<Number>,
    output: OutputType,
}

impl Clamper {
    /// Nothing when the number has too many digits to be compared.
    #[inline]
    fn clamp(&self, number: Number) -> Option<Number> {
        if let Some(bottom) = self.bottom
            && number.floor(bottom.scale)?.0 < bottom.mantissa
        {
            return Some(bottom);
        }
        if let Some(top) = self.top {
            let (floor, exact) = number.floor(top.scale)?;
            if floor > top.mantissa || floor == top.mantissa && !exact {
                return Some(top);
            }
        }
        Some(number)
    }
}

impl Emit for Clamper {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let read = Cells::of(cells);
        let mut numbers = Numbers::new(self.output, &read);
        read.each_number(|row, cell| match cell {
            Cell::Value(number) => numbers.push_or(row, self.clamp(number), off),
            Cell::Null => numbers.null(),
            Cell::Other(reason) => numbers.off(row, reason, off),
        });
        numbers.finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;

    use super::super::tests::{decimal, run, setting, some, texts};
    use super::super::{OffReason, Technique};
    use super::*;
    use crate::grade::Kind;

    #[test]
    fn what_lies_outside_becomes_the_bound() {
        let clamp = Technique::new(Clamp::new(Some(decimal("18")), Some(decimal("90.5"))).unwrap());
        let real = |decimals| setting(Kind::Number, ValueType::Real { scale: 2 }, decimals);
        let cells = texts(&["17.999", "18.00", "90.50", "90.5000000001", "-99999999999999999999999", "x"]);
        let (texts, off) = run(&clamp, &real(None), &cells);
        assert_eq!(texts[..5], some(&["18", "18.00", "90.50", "90.5", "18"]));
        assert_eq!(off, [(5, OffReason::NotANumber)]);
        assert_eq!(run(&clamp, &real(Some(2)), &cells).0[..3], some(&["18.00", "18.00", "90.50"]));
        let top = Technique::new(Clamp::new(None, Some(decimal("90"))).unwrap());
        let ages: ArrayRef = Arc::new(Int64Array::from(vec![89, 90, 91, i64::MAX, i64::MIN]));
        let (cells, _) = run(&top, &setting(Kind::Number, ValueType::Integer, None), &ages);
        assert_eq!(cells, some(&["89", "90", "90", "90", "-9223372036854775808"]));
    }

    #[test]
    fn bounds_without_meaning_are_refused() {
        assert!(Clamp::new(None, None).is_err());
        assert!(Clamp::new(Some(decimal("1")), Some(decimal("1"))).is_err());
        let half = Clamp::new(None, Some(decimal("0.5"))).unwrap();
        assert!(half.work(&setting(Kind::Number, ValueType::Integer, None), &KeyRing::default()).is_err());
    }
}
