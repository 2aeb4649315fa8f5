//! Policies: what happens to every column of a file (脱敏策略), as people write them.
//!
//! A policy is checked in three steps, each before anything is written: its text ([`Policy::parse`]), against the keys and
//! the columns that were found in the whole file ([`Policy::plan`]), and, for files that leave an enclave, in the room
//! `open_data`. A column without a section is refused unless there is a `[default]`.

mod alone;
mod file;
mod objection;
mod suggest;

use std::collections::BTreeMap;

pub use alone::Alone;
pub use objection::{Objection, Untreated};
pub use suggest::suggest;
pub(super) use suggest::{head, passing, section};

use super::technique::Technique;
use super::{Problem, ReleaseModel, RowOrder};
use crate::anonymity::{UNIQUE_MOST_DEFAULT, UniqueShare};
use crate::class::Class;
use crate::grade::{Grade, Kind};
use crate::id::{ColumnName, Decimal, Name};
use crate::value::DateOrder;

/// A policy: release model, order of rows, and a technique for each column.
///
/// ```
/// use usufruct::Policy;
///
/// let policy = Policy::parse(r#"
///     release = "controlled"
///     [columns.mobile]
///     technique = "mask"
///     keep_first = 3
///     keep_last = 4
///     [columns.income]
///     technique = "round"
///     to = "1000"
/// "#)?;
/// let wrong = Policy::parse("release = \"controlled\"\n[columns.mobile]\ntechnique = \"maks\"").unwrap_err();
/// assert!(wrong.to_string().contains("mobile"), "{wrong}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    release: ReleaseModel,
    order: RowOrder,
    max_bad: Decimal,
    max_unique: UniqueShare,
    because: Option<String>,
    subject: Option<ColumnName>,
    off_kind: OffKindRule,
    default: Option<ColumnPolicy>,
    columns: BTreeMap<ColumnName, ColumnPolicy>,
}

/// What a policy says about a column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnPolicy {
    /// What is done to its cells.
    pub technique: Technique,
    /// The parameters of the technique as they were given, and `date_order`, in the order of their names.
    pub parameters: Vec<(Name, String)>,
    /// What its cells are, by the owner's word.
    pub kind: Option<Kind>,
    /// Its grade, by the owner's word; the higher of this and what is found counts.
    pub grade: Option<Grade>,
    /// What happens to a cell that is not of the kind the technique works on.
    pub off_kind: Option<OffKindRule>,
    /// The order of day and month in its dates, by the owner's word, whatever the cells say.
    pub date_order: Option<DateOrder>,
    /// Why the column tells of no person though its header names an identifier, by the owner's word: then what its cells say
    /// counts alone. Stands in the manifest.
    pub not_personal: Option<String>,
    /// Why nobody outside can know what leaves of it, by the owner's word: then nobody is counted as unique by it. Stands in the
    /// manifest.
    pub not_known: Option<String>,
}

impl ColumnPolicy {
    /// A section that says nothing but the technique; its parameters are stated by [`Policy::with_column`].
    #[must_use]
    pub fn new(technique: Technique) -> Self {
        Self {
            technique,
            parameters: Vec::new(),
            kind: None,
            grade: None,
            off_kind: None,
            date_order: None,
            not_personal: None,
            not_known: None,
        }
    }
}

/// What happens to a cell that is not of the kind its technique works on; it never leaves in clear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OffKindRule {
    /// The run stops without a file.
    Refuse,
    /// The row is left out, and its place and the reason are told.
    #[default]
    Quarantine,
    /// The cell is left empty.
    Suppress,
}

/// Why a policy is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] crate::file::ReadError),
    /// Not TOML of this shape.
    #[error(transparent)]
    Toml(#[from] crate::file::TomlError),
    /// Something outside the columns.
    #[error("{0}")]
    Policy(Problem),
    /// Something about a column.
    #[error("column {column}: {problem}")]
    Column {
        /// The column, or `[default]`.
        column: String,
        /// What is wrong.
        problem: Problem,
    },
}

impl PolicyError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            _ => Class::BadInput,
        }
    }
}

impl Policy {
    /// A policy that says nothing of columns yet; one row in a thousand may be left out (rule H6), one person in twenty be unique (H3).
    #[must_use]
    pub fn new(release: ReleaseModel, order: RowOrder) -> Self {
        let (max_bad, off_kind) = (file::max_bad_default(), OffKindRule::default());
        let (max_unique, because, subject) = (UNIQUE_MOST_DEFAULT, None, None);
        Self { release, order, max_bad, max_unique, because, subject, off_kind, default: None, columns: BTreeMap::new() }
    }

    /// The policy with a section for a column. What it states of the parameters is what stands in the technique.
    ///
    /// # Errors
    /// Parameters that no text of a policy can state, or a reason `not_personal` or `not_known` that is none.
    pub fn with_column(mut self, name: ColumnName, column: ColumnPolicy) -> Result<Self, PolicyError> {
        let stated = column.technique.stated(column.date_order).and_then(|stated| {
            column.not_personal.as_deref().map_or(Ok(()), |why| file::reason("not_personal", why))?;
            column.not_known.as_deref().map_or(Ok(()), |why| file::reason("not_known", why))?;
            Ok(stated)
        });
        let parameters = stated.map_err(|problem| PolicyError::Column { column: name.to_string(), problem })?;
        self.columns.insert(name, ColumnPolicy { parameters, ..column });
        Ok(self)
    }

    /// The policy with another share of persons who may be unique in what leaves, and why.
    ///
    /// # Errors
    /// More than [`UNIQUE_MOST_DEFAULT`] without a reason, or a reason that is none.
    pub fn with_max_unique(self, max_unique: UniqueShare, because: Option<String>) -> Result<Self, PolicyError> {
        file::unique_stated(max_unique, because.as_deref()).map_err(PolicyError::Policy)?;
        Ok(Self { max_unique, because, ..self })
    }

    /// The policy with the column that tells whose each record is.
    #[must_use]
    pub fn with_subject(self, subject: ColumnName) -> Self {
        Self { subject: Some(subject), ..self }
    }

    /// To whom the file may go.
    #[must_use]
    pub const fn release(&self) -> ReleaseModel {
        self.release
    }

    /// How its rows are ordered.
    #[must_use]
    pub const fn order(&self) -> RowOrder {
        self.order
    }

    /// The share of rows that may be left out; with more of them a run stops without a file.
    #[must_use]
    pub const fn max_bad(&self) -> Decimal {
        self.max_bad
    }

    /// The share of persons who may be unique in what leaves; with more of them a file does not leave its enclave (rule H3).
    #[must_use]
    pub const fn max_unique(&self) -> UniqueShare {
        self.max_unique
    }

    /// Why it may be more than one in twenty.
    #[must_use]
    pub fn because(&self) -> Option<&str> {
        self.because.as_deref()
    }

    /// The column that tells whose each record is.
    #[must_use]
    pub const fn subject(&self) -> Option<&ColumnName> {
        self.subject.as_ref()
    }

    /// What is said about a column, by its section or by `[default]`.
    #[must_use]
    pub fn column(&self, name: &ColumnName) -> Option<&ColumnPolicy> {
        self.columns.get(name).or(self.default.as_ref())
    }

    /// The columns that are said to tell of no person, and why.
    pub fn not_personal(&self) -> impl Iterator<Item = (&ColumnName, &str)> {
        self.columns.iter().filter_map(|(name, column)| Some((name, column.not_personal.as_deref()?)))
    }

    /// The columns of which nobody outside is said to know anything, and why.
    pub fn not_known(&self) -> impl Iterator<Item = (&ColumnName, &str)> {
        self.columns.iter().filter_map(|(name, column)| Some((name, column.not_known.as_deref()?)))
    }

    /// The columns that have a section.
    pub fn sections(&self) -> impl Iterator<Item = &ColumnName> {
        self.columns.keys()
    }

    /// What happens to a cell of a column that is not of its kind.
    #[must_use]
    pub fn off_kind(&self, column: &ColumnPolicy) -> OffKindRule {
        column.off_kind.unwrap_or(self.off_kind)
    }

    /// Whether more rows are left out than the policy allows.
    #[must_use]
    pub(super) fn is_too_many(&self, bad: u64, rows: u64) -> bool {
        // Both sides in units of the decimal's last place; the scale of a share is at most 9.
        let share = self.max_bad;
        let unit = 10i128.saturating_pow(u32::from(share.scale()));
        i128::from(bad).saturating_mul(unit) > i128::from(rows).saturating_mul(share.mantissa())
    }
}

impl OffKindRule {
    /// The word of policies: `refuse`, `quarantine`, `suppress`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Quarantine => "quarantine",
            Self::Suppress => "suppress",
        }
    }

    /// From the word of policies.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Refuse, Self::Quarantine, Self::Suppress].into_iter().find(|rule| rule.as_str() == word)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::desensitise::{Suppress, Techniques};

    #[test]
    fn what_is_made_in_code_is_what_people_write() {
        let column = ColumnName::new("c").unwrap();
        for about in Techniques::builtin().iter() {
            for example in about.examples {
                for order in ["", "date_order = \"dmy\"\n"] {
                    let text = format!("release = \"enclave\"\n[columns.c]\ntechnique = \"{}\"\n{order}{example}", about.name);
                    let written = Policy::parse(&text).unwrap();
                    let ColumnPolicy { technique, date_order, .. } = written.column(&column).unwrap().clone();
                    let section = ColumnPolicy { date_order, ..ColumnPolicy::new(technique) };
                    let made = Policy::new(ReleaseModel::Enclave, RowOrder::Kept).with_column(column.clone(), section);
                    assert_eq!(made.unwrap(), written, "{text}");
                }
            }
        }
        let replaced = ColumnPolicy::new(Technique::new(Suppress::replace("a\nb")));
        let refused = Policy::new(ReleaseModel::Enclave, RowOrder::Kept).with_column(column, replaced).unwrap_err();
        assert!(refused.to_string().contains("`replace`: expected a text of at most 1,024 bytes"), "{refused}");
    }
}
