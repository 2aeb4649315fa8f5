//! The technique `suppress`: the column does not leave, or one text stands in place of every cell.

use arrow_array::{Array, ArrayRef};

use super::cells::Cells;
use super::emitted::Texts;
use super::suggestion::is_plain;
use super::{
    About, Emit, Emitted, Given, Kernel, Method, OffKind, OutputType, Parameter, Rank, Setting, Suggestion, TechniqueError, Value, Work,
};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel};
use crate::grade::{Finding, Grade, Kind, Named};

/// Nothing of a column leaves (抑制): the column is dropped, or every cell that is not null becomes the same text. Which cells
/// were null stays visible with a text in their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppress {
    replace: Option<String>,
}

const REPLACE: Parameter = Parameter {
    name: "replace",
    takes: "text, at most 1,024 bytes",
    default: "none",
    doc: "in place of every cell; without it the column does not leave",
};

impl Suppress {
    /// No column.
    pub const DROP: Self = Self { replace: None };

    /// The same text in every cell.
    #[must_use]
    pub fn replace(text: &str) -> Self {
        Self { replace: Some(text.to_owned()) }
    }

    /// The text in every cell, if the column stays.
    #[must_use]
    pub fn replacement(&self) -> Option<&str> {
        self.replace.as_deref()
    }
}

impl Method for Suppress {
    fn about() -> About {
        About { name: "suppress", parameters: &[REPLACE], examples: &["", "replace = \"***\""] }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        Ok(Self { replace: given.text("replace")? })
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        self.replacement().map(|text| ("replace", text.into())).into_iter().collect()
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: false }
    }

    fn residual_given(&self, _: &Domain, _: &[Known]) -> Residual {
        Residual::Unbounded
    }

    fn leaks(&self) -> &'static [&'static str] {
        if self.replace.is_some() { &["which rows had no value"] } else { &[] }
    }

    fn output(&self, _: &Setting) -> OutputType {
        if self.replace.is_some() { OutputType::Text } else { OutputType::Dropped }
    }

    fn work(&self, _: &Setting, _: &KeyRing) -> Result<Work, TechniqueError> {
        Ok(Work::Cells(Kernel::new(self.clone())))
    }

    fn leaves_nothing(&self) -> bool {
        true
    }

    fn suggest(finding: &Finding, _: ReleaseModel) -> Option<Suggestion> {
        let is_text = finding.kind == Kind::Text && (finding.grade > Grade::L1 || !finding.also.is_empty());
        let is_measured = finding.kind == Kind::Amount || finding.kind == Kind::Number && finding.grade == Grade::L3;
        let floor = finding.floor.as_ref();
        let is_unread = floor.is_some_and(|floor| floor.disagrees) && !finding.kind.is_direct_identifier();
        let is_place = floor.is_some_and(|floor| floor.named == Named::Place);
        let (rank, why) = if finding.grade == Grade::L4 {
            (Rank::Must, "grade 4 is never opened")
        } else if is_unread {
            (Rank::Must, "what its header names is not what its cells look like; not_personal = \"why\" says that it tells of no person")
        } else if is_place && !(finding.kind == Kind::Number && is_plain(finding.value_type)) {
            (Rank::Must, "an exact place leads to one household, and only plain degrees can be rounded")
        } else if is_text {
            (Rank::General, "free text may say anything, and what was found in it is not all that is in it")
        } else if is_measured && !is_plain(finding.value_type) {
            (Rank::Last, "it is not a column of plain numbers")
        } else {
            (Rank::Last, "nothing coarser reaches what the release model asks for")
        };
        Some(Suggestion::new(rank, Self::DROP, why))
    }
}

impl Emit for Suppress {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let len = cells.len();
        let replace = self.replace.as_deref();
        let mut texts = Texts::with_capacity(len, len.saturating_mul(replace.map_or(0, str::len)));
        for row in 0..Cells::of(cells).len() {
            match replace {
                Some(replace) if cells.is_valid(row) => {
                    texts.piece(replace);
                    texts.end_or(row, off);
                }
                _ => texts.null(),
            }
        }
        texts.finish()
    }
}
