//! What was found of a column, and of a file.

use super::kind::{QUASI, STRICTER};
use super::{Floor, Grade, Kind, Reason, Role};
use crate::id::ColumnName;
use crate::value::DateOrder;

/// What was found of a column (识别结果). Holds counts and no cell.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The column.
    pub column: ColumnName,
    /// What its cells are.
    pub kind: Kind,
    /// The highest grade of all that was found in it.
    pub grade: Grade,
    /// Why.
    pub reason: Reason,
    /// What it does to the privacy of the people in it.
    pub role: Role,
    /// 0 to 1: the lower end of the 95 % Wilson interval of the share of cells of the kind, raised by a header that says so.
    pub confidence: f64,
    /// Cells of the kind.
    pub matched: u64,
    /// Cells that are not null: all of them were looked at.
    pub sampled: u64,
    /// Null and empty cells.
    pub nulls: u64,
    /// What all cells can be read as.
    pub value_type: ValueType,
    /// The order of day and month in its dates, by the cells alone: `Ymd` when none has its year last; nothing when they do
    /// not tell it, because all can be read both ways, or because some can be read only one way and some only the other.
    pub date_order: Option<DateOrder>,
    /// Different cells.
    pub distinct: Distinct,
    /// Other kinds met in it, whole cells or parts of texts, above what chance gives; the most frequent first.
    pub also: Vec<(Kind, u64)>,
    /// Whether the header names the kind.
    pub header_hint: bool,
    /// What the header names whatever the cells are, if it is a direct identifier or a place: then the grade is at least 3.
    pub floor: Option<Floor>,
    /// Columns of which this one is the value, or a part of it, in at least half of the records that were compared.
    pub overlaps: Vec<Overlap>,
}

/// That a column carries the value of another, or a part of it: each written in letters and digits alone, dates with the year first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Overlap {
    /// The other column.
    pub column: ColumnName,
    /// The first character of its values that it carries, counted from 0, and how many of them; nothing where that is not the same in
    /// most records.
    pub place: Option<(usize, usize)>,
}

impl Finding {
    /// What counts when the owner says that the header names nobody: what the cells say alone.
    #[must_use]
    pub fn without_floor(&self) -> &Self {
        self.floor.as_ref().map_or(self, |floor| &floor.without)
    }
}

impl Finding {
    /// Whether months of a year, without a day, stand among the dates of the column.
    #[must_use]
    pub fn has_months(&self) -> bool {
        self.kind == Kind::Date && self.also.iter().any(|(kind, _)| *kind == Kind::YearMonth)
    }
}

/// Under the keys of `classify --json`, with exact counts, and so `"internal": true` (rule G3).
#[cfg(feature = "embedded")]
impl serde::Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let scale = if let ValueType::Real { scale } = self.value_type { Some(scale) } else { None };
        let order = matches!(self.kind, Kind::Date).then(|| self.date_order.map_or("unknown", DateOrder::as_str));
        let also: std::collections::BTreeMap<&str, u64> = self.also.iter().map(|(kind, cells)| (kind.as_str(), *cells)).collect();
        let mut out = serializer.serialize_struct("Finding", 21)?;
        out.serialize_field("internal", &true)?;
        out.serialize_field("name", &self.column)?;
        out.serialize_field("kind", self.kind.as_str())?;
        out.serialize_field("grade", &self.grade.number())?;
        out.serialize_field("confidence", &self.confidence)?;
        out.serialize_field("matched", &self.matched)?;
        out.serialize_field("sampled", &self.sampled)?;
        out.serialize_field("nulls", &self.nulls)?;
        out.serialize_field("role", self.role.as_str())?;
        out.serialize_field("reason", &self.reason.text)?;
        out.serialize_field("clause", &self.reason.clause)?;
        out.serialize_field("value_type", self.value_type.as_str())?;
        out.serialize_field("scale", &scale)?;
        out.serialize_field("date_order", &order)?;
        out.serialize_field("distinct", &self.distinct.at_least())?;
        out.serialize_field("distinct_exact", &matches!(self.distinct, Distinct::Exactly(_)))?;
        out.serialize_field("also", &also)?;
        out.serialize_field("header_hint", &self.header_hint)?;
        out.serialize_field("header_names", &self.floor.as_ref().map(|floor| floor.named.as_str()))?;
        out.serialize_field("header_disagrees", &self.floor.as_ref().is_some_and(|floor| floor.disagrees))?;
        out.serialize_field("overlaps", &self.overlaps)?;
        out.end()
    }
}

/// What all cells of a column that are not null can be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Text.
    Text,
    /// Integers in canonical form (no plus sign, no leading zeros) between -2^63 and 2^63 - 1.
    Integer,
    /// Decimal numbers of at most 38 digits, in canonical form or, in columns of numbers and amounts, in any spelling of cells.
    Real {
        /// The most digits behind the point.
        scale: u8,
    },
}

/// How many different cells a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distinct {
    /// So many.
    Exactly(u64),
    /// More than the profiler counts.
    AtLeast(u64),
}

impl Distinct {
    /// The number, or its lower bound.
    #[must_use]
    pub const fn at_least(self) -> u64 {
        match self {
            Self::Exactly(count) | Self::AtLeast(count) => count,
        }
    }
}

impl ValueType {
    /// The word of descriptions: `text`, `integer`, `real`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Real { .. } => "real",
        }
    }
}

/// So many quasi-identifiers in one file count as grade 3: sex, date of birth and region together single out most people.
pub const QUASI_IDENTIFIERS_MAX: usize = 2;

/// The grade of a file (就高从严): the highest of its columns, and at least 3 with more than [`QUASI_IDENTIFIERS_MAX`]
/// quasi-identifiers. No columns: grade 1.
#[must_use]
pub fn overall(findings: &[Finding]) -> (Grade, Reason) {
    let highest = findings.iter().map(|finding| finding.grade).max().unwrap_or(Grade::L1);
    let quasi = findings.iter().filter(|finding| finding.role == Role::Quasi).count();
    if quasi > QUASI_IDENTIFIERS_MAX && highest < Grade::L3 {
        return (Grade::L3, Reason::of("three or more quasi-identifiers together single out people", QUASI));
    }
    (highest, Reason::of("the highest grade of its columns", STRICTER))
}
