//! The technique `keep`: cells as they are, without what hides in their buffers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};

use super::cells::{Cell, Cells};
use super::method::{About, Method};
use super::numbers::Numbers;
use super::value::Value;
use super::{Emit, Emitted, Given, Kernel, OffKind, OutputType, Rank, Setting, Suggestion, TechniqueError, Work};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::measure::{Nature, Residual};
use crate::desensitise::residual::{Domain, Known};
use crate::desensitise::{Problem, ReleaseModel};
use crate::grade::{Finding, Grade, Kind};

/// Cells as they are (保留).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep;

impl Method for Keep {
    fn about() -> About {
        About { name: "keep", parameters: &[], examples: &[""] }
    }

    fn parse(_: &mut Given) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: true, linkable: true }
    }

    fn residual_given(&self, _: &Domain, _: &[Known]) -> Residual {
        Residual::CLEAR
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["every value"]
    }

    fn output(&self, setting: &Setting) -> OutputType {
        setting.output()
    }

    fn work(&self, setting: &Setting, _: &KeyRing) -> Result<Work, TechniqueError> {
        Ok(Work::Cells(kernel(setting)))
    }

    fn keeps_spelling(&self) -> bool {
        true
    }

    fn suggest(finding: &Finding, release: ReleaseModel) -> Option<Suggestion> {
        let is_open = finding.grade < Grade::L3 && !(release == ReleaseModel::Public && finding.grade == Grade::L2);
        match finding.kind {
            Kind::Date | Kind::YearMonth if finding.grade == Grade::L1 => Some(Suggestion::new(Rank::OfKind, Self, "grade 1 is open")),
            // Of free text more can be thought of.
            Kind::Text if finding.grade > Grade::L1 || !finding.also.is_empty() => None,
            Kind::Number | Kind::Category | Kind::Text | Kind::Custom(_) if is_open => {
                Some(Suggestion::new(Rank::General, Self, "its grade lets it leave as it is"))
            }
            _ => None,
        }
    }
}

/// The cells of a column as they are.
pub(super) fn kernel(setting: &Setting) -> Kernel {
    Kernel::new(Kept { output: setting.output() })
}

/// Cells as they are; numbers of real columns in the type of decimal numbers, if asked for.
struct Kept {
    output: OutputType,
}

impl Emit for Kept {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        match (Cells::of(cells), self.output) {
            (Cells::Text(_), OutputType::Text) | (Cells::Integer(_), OutputType::Integer) => Emitted::new(without_hidden(cells)),
            (cells, output) => {
                let mut numbers = Numbers::new(output, &cells);
                cells.each_number(|row, cell| match cell {
                    Cell::Value(number) => numbers.push_or(row, Some(number), off),
                    Cell::Null => numbers.null(),
                    Cell::Other(reason) => numbers.off(row, reason, off),
                });
                numbers.finish()
            }
        }
    }
}

/// The same array, unless its buffers hold more than its cells: values under nulls, or text of rows that are not in it.
fn without_hidden(cells: &ArrayRef) -> ArrayRef {
    if cells.data_type() == Int64Array::from(Vec::<i64>::new()).data_type() {
        let integers = cells.as_primitive::<Int64Type>();
        let hidden = (0..integers.len()).any(|row| integers.is_null(row) && integers.value(row) != 0);
        return if integers.null_count() > 0 && hidden { Arc::new(integers.iter().collect::<Int64Array>()) } else { Arc::clone(cells) };
    }
    let texts = cells.as_string::<i32>();
    let offsets = texts.value_offsets();
    let whole = offsets[0] == 0 && offsets[texts.len()].unsigned_abs() as usize == texts.value_data().len();
    let hidden = || (0..texts.len()).any(|row| texts.is_null(row) && texts.value_length(row) != 0);
    if whole && (texts.null_count() == 0 || !hidden()) { Arc::clone(cells) } else { Arc::new(texts.iter().collect::<StringArray>()) }
}
