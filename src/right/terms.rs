//! Terms: the content of a right, checked as a whole.

use std::collections::BTreeSet;

use crate::budget::Loss;
use crate::class::Class;
use crate::codec::{Set, Text, record, stored};
use crate::id::{ColumnName, IdError, Purpose, Time};
use crate::query::Operation;

/// What kind of use a right gives; never widened, never mixed. The owner's own right to hold (持有) is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RightKind {
    /// To process and use (加工使用).
    Process,
    /// To operate a product made from it (经营): to pass the use on. Such a right itself asks nothing.
    Operate,
}

impl RightKind {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Operate => "operate",
        }
    }

    /// From the name used in files.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Process, Self::Operate].into_iter().find(|kind| kind.name() == name)
    }
}

stored!(RightKind as Text<16>, "text", |kind| kind.name().to_owned(), |name| Self::from_name(&name), "process or operate");

record! {
    /// The content of a right (rule J1): grants, powers, caps and restrictions of one block. Written in a program by
    /// [`Terms::process`], in a file by [`Terms::parse`].
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct Terms {
        /// Grant: from this second on there is no use (`exp` of RFC 8392).
        4 => pub not_after: Time,
        /// Restriction: the first second of use.
        5 => pub not_before: Option<Time>,
        /// Grant: the kind of use.
        -65_542 => pub kind: RightKind,
        /// Grant: which operations.
        -65_543 => pub operations: BTreeSet<Operation> as Set<Operation, OPERATIONS_MAX>,
        /// Grant: over which columns, also in WHERE and GROUP BY.
        -65_544 => pub columns: BTreeSet<ColumnName> as Set<ColumnName, COLUMNS_MAX>,
        /// Grant: for which purposes and those under them.
        -65_545 => pub purposes: BTreeSet<Purpose> as Set<Purpose, PURPOSES_MAX>,
        /// Grant: how much privacy loss in all.
        -65_546 => pub budget: Loss,
        /// Grant: how many answers.
        -65_547 => pub uses: u64,
        /// Power: how many further blocks the chain may get; 0 for none.
        -65_548 => pub delegation: u64 = 0,
    }
}

/// Why terms are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermsError {
    /// A grant that must be there is empty.
    #[error("{field}: at least one is needed")]
    Empty {
        /// Which.
        field: &'static str,
    },
    /// Too many of something.
    #[error("{field}: {found}, at most {most}")]
    TooMany {
        /// Of what.
        field: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A budget without loss.
    #[error("budget: must be more than nothing")]
    Budget,
    /// No answer at all.
    #[error("uses: at least 1")]
    Uses,
    /// A time of use that is empty.
    #[error("not_before {not_before} is not earlier than not_after {not_after}, from which on the right has ended")]
    Times {
        /// The first second.
        not_before: Time,
        /// The first second after it.
        not_after: Time,
    },
    /// A name or purpose that is none.
    #[error("{field}: {problem}")]
    Id {
        /// The field.
        field: &'static str,
        /// Why.
        problem: IdError,
    },
    /// Something that must be said was not.
    #[error("{field} is needed")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A power this version does not know how to enforce.
    #[error("delegation: sub-grants are not supported yet, use 0")]
    Delegation,
}

impl TermsError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}

/// More than there are.
const OPERATIONS_MAX: usize = 64;
/// More would not fit the answer a gate gives.
const COLUMNS_MAX: usize = 1024;
/// More purposes than a vocabulary has.
const PURPOSES_MAX: usize = 256;

impl Terms {
    /// Nothing is granted yet.
    pub(super) const fn nothing(kind: RightKind, budget: Loss) -> Self {
        Self {
            kind,
            operations: BTreeSet::new(),
            columns: BTreeSet::new(),
            purposes: BTreeSet::new(),
            budget,
            uses: 0,
            not_after: Time::from_unix_s(0),
            delegation: 0,
            not_before: None,
        }
    }

    /// Checks terms that are about to be signed: besides, that they have a second of use. Earlier versions signed some that have none;
    /// they are read, and of no use.
    pub(super) fn check_new(&self) -> Result<(), TermsError> {
        self.check()?;
        match self.not_before {
            Some(not_before) if not_before == self.not_after => Err(TermsError::Times { not_before, not_after: self.not_after }),
            _ => Ok(()),
        }
    }

    /// Checks terms that are about to be signed or were just read.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), TermsError> {
        for (field, found, most) in [
            ("operations", self.operations.len(), OPERATIONS_MAX),
            ("columns", self.columns.len(), COLUMNS_MAX),
            ("purposes", self.purposes.len(), PURPOSES_MAX),
        ] {
            match found {
                // COUNT(*) alone needs no column.
                0 if field != "columns" => return Err(TermsError::Empty { field }),
                found if found > most => return Err(TermsError::TooMany { field, found, most }),
                _ => {}
            }
        }
        if self.budget.is_zero() {
            return Err(TermsError::Budget);
        }
        if self.uses == 0 {
            return Err(TermsError::Uses);
        }
        if let Some(not_before) = self.not_before.filter(|not_before| *not_before > self.not_after) {
            return Err(TermsError::Times { not_before, not_after: self.not_after });
        }
        if self.delegation != 0 {
            return Err(TermsError::Delegation);
        }
        Ok(())
    }
}
