//! Why a policy cannot be used on a file.

use crate::desensitise::{KeyFileError, ReleaseModel, Residual, TechniqueError};
use crate::grade::Grade;
use crate::id::{ColumnName, Name};

/// Why a policy cannot be used on a file, in words that say what to do. No cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Objection {
    /// A section without its column.
    #[error("column {column}: the file has no such column")]
    NoSuchColumn {
        /// The column.
        column: ColumnName,
    },
    /// A column without a section.
    #[error("column {column}: the policy says nothing about it; give it a section, or a [default]")]
    NoSection {
        /// The column.
        column: ColumnName,
    },
    /// Every column is suppressed.
    #[error("no column leaves")]
    NothingLeaves,
    /// Public files need a measured anonymity.
    #[error(
        "release = \"public\" needs an anonymity statement on the quasi-identifiers, which this version cannot make yet; use \"controlled\" or \"enclave\""
    )]
    Public,
    /// Kept order joins files.
    #[error(
        "release = \"{release}\" needs order = \"shuffled\" or \"by_output\": rows in the order of the source can be joined by their place"
    )]
    Order {
        /// The release model.
        release: ReleaseModel,
    },
    /// Too few input values behind an output.
    #[error("column {column} (grade {}): {technique} leaves as few as {found} input values behind an output, {release} needs {needed}; mask or coarsen more, or suppress it", grade.number())]
    Residual {
        /// The column.
        column: ColumnName,
        /// The technique.
        technique: &'static str,
        /// Its grade.
        grade: Grade,
        /// The residual.
        found: Residual,
        /// What the release model needs.
        needed: u128,
        /// The release model.
        release: ReleaseModel,
    },
    /// Grade 4 leaves only keyed and irreversible.
    #[error("column {column} (grade 4): {technique} is not enough; {}", match release {
        ReleaseModel::Public => "suppress it",
        _ => "suppress it or use a keyed pseudonym",
    })]
    GradeFour {
        /// The column.
        column: ColumnName,
        /// The technique.
        technique: &'static str,
        /// The release model.
        release: ReleaseModel,
    },
    /// The key of a keyed technique is not there.
    #[error("column {column}: key {key:?}: {problem}")]
    Key {
        /// The column.
        column: ColumnName,
        /// The key.
        key: Name,
        /// Why it cannot be used.
        problem: KeyFileError,
    },
    /// A date shift without its subject.
    #[error("column {column}: its subject {subject} is not another column of the file")]
    Subject {
        /// The column.
        column: ColumnName,
        /// The column that should tell the subjects.
        subject: ColumnName,
    },
    /// Dates that may be read two ways.
    #[error(
        "column {column}: {technique} needs the order of day and month, which the cells do not tell; declare date_order = \"dmy\" or \"mdy\""
    )]
    DateOrder {
        /// The column.
        column: ColumnName,
        /// The technique.
        technique: &'static str,
    },
    /// Months of years, which name no day.
    #[error(
        "column {column}: {technique} needs the day, which months of years do not name; use date with level = \"month\", \"quarter\" or \"year\""
    )]
    NoDay {
        /// The column.
        column: ColumnName,
        /// The technique.
        technique: &'static str,
    },
    /// A technique that cannot work on the column.
    #[error("column {column}: {problem}")]
    Technique {
        /// The column.
        column: ColumnName,
        /// Why.
        problem: TechniqueError,
    },
}
