//! The technique `truncate`: the first characters of a value, or an address down to a level.

use arrow_array::{Array, ArrayRef};

use super::cells::{Cell, Cells};
use super::characters::Characters;
use super::emitted::Texts;
use super::given::CHARACTERS_MAX;
use super::{
    About, Emit, Emitted, Given, Kernel, Method, OffKind, OffReason, OutputType, Parameter, Rank, Setting, Shown, ShownCharacters,
    Suggestion, TechniqueError, Value, Work,
};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::{self, Domain, Known, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel, canonical};
use crate::generalise::AddressLevel;
use crate::grade::{Finding, Kind};

const NAME: &str = "truncate";

/// The end of each value is cut off (截断): all behind the first so many characters, or the parts of an address below a level. A
/// value that is not longer stays whole, so only kinds of a known length are sure to lose something. A value that has not
/// the form of its kind, or an address without a known part, is off-kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncate(Cut);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    First(u32),
    Level(AddressLevel),
}

impl Truncate {
    /// Keeps the first so many characters (grapheme clusters) of the canonical form.
    ///
    /// # Errors
    /// None, which is [`Suppress`](crate::desensitise::Suppress).
    pub const fn first(keep_first: u32) -> Result<Self, TechniqueError> {
        match keep_first {
            0 => Err(TechniqueError::Parameter { technique: NAME, parameter: "keep_first", expected: "at least 1" }),
            _ => Ok(Self(Cut::First(keep_first))),
        }
    }

    /// Keeps an address down to this level.
    #[must_use]
    pub const fn address(level: AddressLevel) -> Self {
        Self(Cut::Level(level))
    }
}

impl Method for Truncate {
    fn about() -> About {
        About {
            name: NAME,
            parameters: &[
                Parameter {
                    name: "keep_first",
                    takes: "1 to 1,048,576",
                    default: "required, unless there is `level`",
                    doc: "characters that stay",
                },
                Parameter {
                    name: "level",
                    takes: "`\"province\"`, `\"city\"`, `\"district\"`, `\"street\"`",
                    default: "required, unless there is `keep_first`",
                    doc: "the smallest part of an address that stays",
                },
            ],
            examples: &["keep_first = 3", "keep_first = 7", "keep_first = 11", "level = \"city\"", "level = \"street\""],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        const LEVELS: &[&str] = &["province", "city", "district", "street"];
        match (given.count("keep_first", CHARACTERS_MAX)?, given.text("level")?) {
            (Some(keep_first), None) => Ok(Self::first(keep_first)?),
            (None, Some(level)) => {
                let level = AddressLevel::parse(&level).ok_or_else(|| Problem::word("level", &level, LEVELS))?;
                Ok(Self::address(level))
            }
            _ => Err(Problem::Together("truncate takes either `keep_first` or, for addresses, `level`")),
        }
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![match self.0 {
            Cut::First(keep) => ("keep_first", keep.into()),
            Cut::Level(level) => ("level", level.as_str().into()),
        }]
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: false }
    }

    fn residual_given(&self, domain: &Domain, known: &[Known]) -> Residual {
        match self.0 {
            Cut::First(keep) => Residual::AtLeast(residual::of_form(&domain.kind, &|_, at| at < keep as usize, known)),
            Cut::Level(_) => Residual::CLEAR,
        }
    }

    fn shows(&self, domain: &Domain) -> Shown {
        match self.0 {
            Cut::First(_) if matches!(domain.kind, Kind::Date | Kind::YearMonth) => Shown::Everything,
            Cut::First(keep) => Shown::Characters(ShownCharacters::new(move |_, at| at < keep as usize)),
            Cut::Level(_) => Shown::Everything,
        }
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["what is not cut off, which rows had no value"]
    }

    fn output(&self, _: &Setting) -> OutputType {
        OutputType::Text
    }

    fn work(&self, setting: &Setting, _: &KeyRing) -> Result<Work, TechniqueError> {
        Ok(Work::Cells(Kernel::new(Truncater { cut: self.0, kind: setting.domain.kind.clone() })))
    }

    fn coarser(&self, _: &Finding) -> Option<Suggestion> {
        match self.0 {
            Cut::First(_) | Cut::Level(AddressLevel::Province) => None,
            Cut::Level(_) => {
                let province = Self::address(AddressLevel::Province);
                Some(Suggestion::new(Rank::OfKind, province, "as coarse as it takes for few to be unique").by_form())
            }
        }
    }

    fn suggest(finding: &Finding, _: ReleaseModel) -> Option<Suggestion> {
        let city = Suggestion::new(Rank::OfKind, Self::address(AddressLevel::City), "district, street and house are cut off").by_form();
        (finding.kind == Kind::Address).then_some(city)
    }
}

struct Truncater {
    cut: Cut,
    kind: Kind,
}

impl Truncater {
    fn cut<'a>(&self, value: &'a str, scratch: &'a mut String) -> Result<&'a str, OffReason> {
        match self.cut {
            Cut::Level(level) => level.cut(value).ok_or(OffReason::NotOfKind(Kind::Address)),
            Cut::First(keep) => {
                let value = canonical::form(&self.kind, value, scratch).ok_or_else(|| OffReason::NotOfKind(self.kind.clone()))?;
                Ok(&value[..Characters::of(value).start(keep as usize)])
            }
        }
    }
}

impl Emit for Truncater {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let read = Cells::of(cells);
        let mut texts = Texts::with_capacity(cells.len(), read.bytes());
        let mut scratch = String::new();
        read.each(|row, cell| match cell {
            Cell::Value(value) => match self.cut(value, &mut scratch) {
                Ok(cut) => {
                    texts.piece(cut);
                    texts.end_or(row, off);
                }
                Err(reason) => texts.off(row, reason, off),
            },
            Cell::Null => texts.null(),
            Cell::Other(reason) => texts.off(row, reason, off),
        });
        texts.finish()
    }
}
