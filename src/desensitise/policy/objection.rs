//! Why a policy cannot be used on a file.

use std::fmt;

use super::alone::Alone;
use crate::class::Class;
use crate::desensitise::{KeyFileError, Need, OffReason, ReleaseModel, Residual, TechniqueError};
use crate::grade::{Finding, Floor, Grade, Named, Role};
use crate::id::{ColumnName, Decimal, Name};

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
    #[error(
        "column {column} (grade {}): {technique} leaves as few as {found} input values behind an output, {release} needs {needed}; mask or coarsen more, or suppress it{}",
        grade.number(), of_enclaves(*found, *needed, *release)
    )]
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
    /// Another column shows what this one hides.
    #[error("column {column} (grade {}): beside column {beside}, which carries the same value or a part of it, {technique} leaves as few as {found} input values behind an output, {release} needs {needed}; treat both alike, or suppress one of them", grade.number())]
    Joint {
        /// The column.
        column: ColumnName,
        /// The other column.
        beside: ColumnName,
        /// The technique.
        technique: &'static str,
        /// Its grade.
        grade: Grade,
        /// The residual of both together.
        found: Residual,
        /// What the release model needs.
        needed: u128,
        /// The release model.
        release: ReleaseModel,
    },
    /// Too little is left open of what its header names, whatever its cells say.
    #[error(
        "column {column}: its header names {} and so its grade is at least {floor}, whatever its cells are: {technique} leaves as few as {found} input values behind an output, {release} needs {needed}; mask or coarsen more, suppress it, or say not_personal = \"why\" in its section if it tells of no person",
        named.in_words(), floor = grade.number()
    )]
    Floor {
        /// The column.
        column: ColumnName,
        /// What its header names.
        named: Named,
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
    /// The policy names whose the records are by a column that is not there.
    #[error("subject: the file has no column {subject}")]
    NoSubject {
        /// The column that should tell the subjects.
        subject: ColumnName,
    },
    /// Too many persons are unique in what would leave.
    #[error("{0}")]
    Unique(Box<Alone>),
    /// Nothing that leaves would let few enough persons be unique.
    #[error(
        "column {column}: it stands in the way: whatever else is done, too many records are unique with it in a {release} file, and nothing coarser of it leaves; \
         say not_known = \"why\" if nobody outside can know it, or max_unique and because"
    )]
    NothingFits {
        /// The column.
        column: ColumnName,
        /// The release model.
        release: ReleaseModel,
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
    /// Cells that end the run.
    #[error("{0}, which off_kind = \"refuse\" does not let pass")]
    OffKind(Untreated),
    /// More rows than may be left out.
    #[error("{bad} of {rows} rows would be left out, more than max_bad = {most} of the file allows: {}", listed(untreated))]
    TooManyBad {
        /// Rows left out.
        bad: u64,
        /// Rows read.
        rows: u64,
        /// The share that is allowed.
        most: Decimal,
        /// Why.
        untreated: Vec<Untreated>,
    },
    /// A column to be permuted is too large.
    #[error("column {column} is to be permuted and does not fit in {most} bytes of memory")]
    PermuteMemory {
        /// The column.
        column: ColumnName,
        /// The most bytes.
        most: usize,
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

impl Objection {
    /// The column of which too little is left open.
    pub(in crate::desensitise) const fn column(&self) -> Option<&ColumnName> {
        match self {
            Self::Residual { column, .. } | Self::Joint { column, .. } | Self::Floor { column, .. } | Self::GradeFour { column, .. } => {
                Some(column)
            }
            _ => None,
        }
    }

    /// Leaves out that a column leaves too little open beside another of which that is said by itself: who mends that one mends both.
    pub(in crate::desensitise) fn without_consequences(objections: Vec<Self>) -> Vec<Self> {
        let is_joint = |objection: &Self| matches!(objection, Self::Joint { .. });
        let by_itself: Vec<ColumnName> =
            objections.iter().filter(|objection| !is_joint(objection)).filter_map(Self::column).cloned().collect();
        let is_consequence = |objection: &Self| matches!(objection, Self::Joint { beside, .. } if by_itself.contains(beside));
        objections.into_iter().filter(|objection| !is_consequence(objection)).collect()
    }

    /// Too few input values behind an output, `(found, needed)`; the floor of a header is told where the cells alone ask for less.
    pub(in crate::desensitise) fn too_little(
        finding: &Finding,
        grade: Grade,
        technique: &'static str,
        (found, needed): (Residual, u128),
        release: ReleaseModel,
    ) -> Self {
        let (column, alone) = (finding.column.clone(), finding.without_floor());
        let is_raised = alone.grade < finding.grade || finding.role == Role::Direct && alone.role != Role::Direct;
        match finding.floor.as_ref().filter(|_| is_raised) {
            Some(Floor { named, .. }) => Self::Floor { column, named: *named, technique, grade, found, needed, release },
            None => Self::Residual { column, technique, grade, found, needed, release },
        }
    }

    /// What a caller should do about it: a rule says no, to the policy or to the file.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::Refused
    }
}

/// What is to be said where nothing is left open and it would do nearer to the source: of free text, above all.
fn of_enclaves(found: Residual, needed: u128, release: ReleaseModel) -> &'static str {
    let (here, there) = (release.need(Grade::L3, false), ReleaseModel::Enclave.need(Grade::L3, false));
    let is_near = found == Residual::CLEAR && here == Need::Residual(needed) && there != here;
    if is_near { "; what leaves 1 above grade 2 is for release = \"enclave\" alone" } else { "" }
}

/// Cells of a column that its technique cannot treat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untreated {
    /// The column.
    pub column: ColumnName,
    /// What its cells are not.
    pub reason: OffReason,
    /// How many there are.
    pub cells: u64,
}

impl fmt::Display for Untreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, reason, cells } = self;
        write!(f, "column {column}: {reason}: {cells} {}", if *cells == 1 { "cell" } else { "cells" })
    }
}

fn listed(untreated: &[Untreated]) -> String {
    untreated.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
