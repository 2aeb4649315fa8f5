//! The technique `date`: dates cut to a day, month, quarter or year.

use arrow_array::{Array, ArrayRef};

use super::cells::{Cell, Cells};
use super::emitted::Texts;
use super::{
    About, Emit, Emitted, Given, Kernel, Method, OffKind, OffReason, OutputType, Parameter, Rank, Setting, Shown, ShownCharacters,
    Suggestion, TechniqueError, Value, Work,
};
use crate::desensitise::keys::KeyRing;
use crate::desensitise::residual::{Domain, Known, Nature, Residual};
use crate::desensitise::{Problem, ReleaseModel};
use crate::generalise::DateLevel;
use crate::grade::{Finding, Grade, Kind};
use crate::value::{DateOrder, DateText};

/// About the length of what is written.
const LABEL_BYTES: usize = 8;

/// Each date cut to a level (日期泛化); a time behind it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateCut(pub DateLevel);

impl Method for DateCut {
    fn about() -> About {
        About {
            name: "date",
            parameters: &[Parameter {
                name: "level",
                takes: "`\"day\"`, `\"month\"`, `\"quarter\"`, `\"year\"`",
                default: "required",
                doc: "what stays; a time behind the date goes",
            }],
            examples: &["level = \"day\"", "level = \"month\"", "level = \"quarter\"", "level = \"year\""],
        }
    }

    fn parse(given: &mut Given) -> Result<Self, Problem> {
        const LEVELS: &[&str] = &["day", "month", "quarter", "year"];
        given.required("level", |given, name| given.one_of(name, DateLevel::parse, LEVELS)).map(Self)
    }

    fn parameters(&self) -> Vec<(&'static str, Value)> {
        vec![("level", self.0.as_str().into())]
    }

    fn nature(&self) -> Nature {
        Nature { deterministic: true, reversible: false, linkable: false }
    }

    fn residual_given(&self, domain: &Domain, _: &[Known]) -> Residual {
        Residual::AtLeast(match domain.kind {
            // Of a column of months the months count; a day is not in it, so nothing is claimed of one.
            Kind::YearMonth => self.0.months().unwrap_or(1).into(),
            _ => self.0.days().into(),
        })
    }

    fn shows(&self, domain: &Domain) -> Shown {
        let shown = match self.0 {
            DateLevel::Day => 8,
            // A quarter is not a digit of the month, and counts as one.
            DateLevel::Month | DateLevel::Quarter => 6,
            DateLevel::Year => 4,
        };
        match domain.kind {
            Kind::Date | Kind::YearMonth => Shown::Characters(ShownCharacters::new(move |_, at| at < shown)),
            _ => Shown::Everything,
        }
    }

    fn leaks(&self) -> &'static [&'static str] {
        &["the range that a value lies in, which rows had no value"]
    }

    fn output(&self, _: &Setting) -> OutputType {
        OutputType::Text
    }

    fn work(&self, setting: &Setting, _: &KeyRing) -> Result<Work, TechniqueError> {
        let months = setting.domain.kind == Kind::YearMonth || setting.has_months;
        Ok(Work::Cells(Kernel::new(Dates { level: self.0, order: setting.date_order, months })))
    }

    fn needs_date_order(&self) -> bool {
        self.0.needs_order()
    }

    fn needs_day(&self) -> bool {
        self.0 == DateLevel::Day
    }

    fn coarser(&self, _: &Finding) -> Option<Suggestion> {
        let level = DateLevel::ALL.into_iter().find(|level| *level > self.0)?;
        Some(Suggestion::new(Rank::OfKind, Self(level), "as coarse as it takes for few to be unique").by_form())
    }

    fn suggest(finding: &Finding, release: ReleaseModel) -> Option<Suggestion> {
        let (level, why) = match finding.kind {
            Kind::Date | Kind::YearMonth if finding.grade == Grade::L1 => return None,
            Kind::Date if finding.date_order.is_none() => (
                DateLevel::Year,
                "the cells do not tell the order of day and month, which the year does not need; date_order = \"dmy\" or \"mdy\" declares it",
            ),
            Kind::Date if finding.has_months() && release != ReleaseModel::Enclave => {
                (DateLevel::Year, "there are months among the dates, and 12 months look alike")
            }
            Kind::Date if finding.has_months() => (DateLevel::Month, "there are months among the dates, which stay as they are"),
            Kind::Date if release == ReleaseModel::Public => (DateLevel::Year, "365 days or more look alike"),
            Kind::Date => (DateLevel::Month, "28 days or more look alike"),
            Kind::YearMonth => (DateLevel::Year, "12 months look alike"),
            _ => return None,
        };
        Some(Suggestion::new(Rank::OfKind, Self(level), why).by_form())
    }
}

/// What cuts them.
struct Dates {
    level: DateLevel,
    order: Option<DateOrder>,
    /// Whether months are treated as well: where they are counted as months. Elsewhere days are claimed, and a month of a year, which
    /// would leave as it is, is off-kind.
    months: bool,
}

impl Emit for Dates {
    fn emit(&self, cells: &ArrayRef, _: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let mut texts = Texts::with_capacity(cells.len(), LABEL_BYTES * cells.len());
        let (mut scratch, mut label) = (String::new(), String::new());
        Cells::of(cells).each(|row, cell| match cell {
            Cell::Value(text) => {
                label.clear();
                let treated = |date: DateText<'_>| (self.months || date.has_day()) && self.level.write(&date, self.order, &mut label);
                if DateText::read(text, &mut scratch).is_some_and(treated) {
                    texts.piece(&label);
                    texts.end_or(row, off);
                } else {
                    texts.off(row, OffReason::NotADate, off);
                }
            }
            Cell::Null => texts.null(),
            Cell::Other(reason) => texts.off(row, reason, off),
        });
        texts.finish()
    }
}
