//! To whom a file goes, in which order its rows stand, and what its cells must leave open.

use std::fmt;

use super::measure::Residual;
use crate::anonymity::{UNIQUE_MOST_DEFAULT, UniqueShare};
use crate::grade::Grade;

/// The release model of a file (发布类型).
///
/// # Source
/// GB/T 37964-2019, 3.12 to 3.14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReleaseModel {
    /// 领地: stays inside a protected environment.
    Enclave,
    /// 受控公开: to named recipients under an agreement.
    Controlled,
    /// 完全公开: to everybody, for ever.
    Public,
}

/// The order of the rows of a file (rule H5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RowOrder {
    /// That of the source; joins two files of one source row by row.
    #[default]
    Kept,
    /// Drawn at random.
    Shuffled,
    /// Sorted by the cells that leave.
    ByOutput,
}

/// What a technique must reach for a column of a grade (rule H2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// At least this many input values behind every output.
    Residual(u128),
    /// Suppressed, or keyed and irreversible.
    Irreversible,
    /// Suppressed.
    Suppressed,
}

impl ReleaseModel {
    /// The word of policies: `enclave`, `controlled`, `public`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enclave => "enclave",
            Self::Controlled => "controlled",
            Self::Public => "public",
        }
    }

    /// From the word of policies.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Enclave, Self::Controlled, Self::Public].into_iter().find(|model| model.as_str() == word)
    }

    /// From its number in a manifest.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Enclave),
            1 => Some(Self::Controlled),
            2 => Some(Self::Public),
            _ => None,
        }
    }

    /// Its number in a manifest.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// The least residual of a column, by its grade and by whether it names a person directly (rule H2).
    #[must_use]
    pub const fn need(self, grade: Grade, is_direct_identifier: bool) -> Need {
        match (grade, self, is_direct_identifier) {
            (Grade::L1, ..) => Need::Residual(1),
            (Grade::L2, Self::Enclave | Self::Controlled, _) => Need::Residual(1),
            (Grade::L2, Self::Public, _) => Need::Residual(10),
            (Grade::L3, Self::Enclave, false) => Need::Residual(1),
            (Grade::L3, Self::Controlled, false) => Need::Residual(10),
            (Grade::L3, Self::Public, false) => Need::Residual(100),
            (Grade::L3, Self::Enclave, true) => Need::Residual(10),
            (Grade::L3, Self::Controlled, true) => Need::Residual(1_000),
            (Grade::L3, Self::Public, true) => Need::Residual(1_000_000),
            (Grade::L4, Self::Enclave | Self::Controlled, _) => Need::Irreversible,
            (Grade::L4, Self::Public, _) => Need::Suppressed,
        }
    }
}

impl RowOrder {
    /// The word of policies: `kept`, `shuffled`, `by_output`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Shuffled => "shuffled",
            Self::ByOutput => "by_output",
        }
    }

    /// From the word of policies.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Kept, Self::Shuffled, Self::ByOutput].into_iter().find(|order| order.as_str() == word)
    }

    /// From its number in a manifest.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Kept),
            1 => Some(Self::Shuffled),
            2 => Some(Self::ByOutput),
            _ => None,
        }
    }

    /// Its number in a manifest.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }
}

/// The grade of what a technique leaves of a column: 1 once the residual is what a public file needs (2 while rows of one
/// person can still be linked by it), one less once it is what a controlled file needs, else unchanged.
///
/// A count of values alone lowers no grade, since a few such columns together may single everybody out: it does where the share of
/// persons who are `unique` in the output was counted and is at most [`UNIQUE_MOST_DEFAULT`]. What tells nothing without the key needs no
/// such count.
#[must_use]
pub fn grade_after(before: Grade, is_direct_identifier: bool, residual: Residual, is_linkable: bool, unique: Option<UniqueShare>) -> Grade {
    let is_counted = unique.is_some_and(|unique| unique <= UNIQUE_MOST_DEFAULT);
    let reaches = |model: ReleaseModel| match (model.need(before, is_direct_identifier), residual) {
        (Need::Residual(need), Residual::AtLeast(found)) => is_counted && found >= need,
        (Need::Residual(_) | Need::Irreversible | Need::Suppressed, Residual::Unbounded) => true,
        (Need::Irreversible | Need::Suppressed, Residual::AtLeast(_)) => false,
    };
    let open = if is_linkable { Grade::L2 } else { Grade::L1 };
    match before {
        Grade::L1 => Grade::L1,
        Grade::L2 | Grade::L3 if reaches(ReleaseModel::Public) => open,
        Grade::L4 if reaches(ReleaseModel::Public) => {
            if is_linkable {
                Grade::L3
            } else {
                Grade::L1
            }
        }
        Grade::L3 if reaches(ReleaseModel::Controlled) => Grade::L2,
        unchanged => unchanged,
    }
}

impl fmt::Display for ReleaseModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RowOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_those_of_rule_h2() {
        let models = [ReleaseModel::Enclave, ReleaseModel::Controlled, ReleaseModel::Public];
        let table = [
            (Grade::L1, false, [Need::Residual(1), Need::Residual(1), Need::Residual(1)]),
            (Grade::L2, false, [Need::Residual(1), Need::Residual(1), Need::Residual(10)]),
            (Grade::L3, false, [Need::Residual(1), Need::Residual(10), Need::Residual(100)]),
            (Grade::L3, true, [Need::Residual(10), Need::Residual(1_000), Need::Residual(1_000_000)]),
            (Grade::L4, false, [Need::Irreversible, Need::Irreversible, Need::Suppressed]),
        ];
        for (grade, direct, needs) in table {
            assert_eq!(models.map(|model| model.need(grade, direct)), needs, "{grade:?} {direct}");
        }
    }

    #[test]
    fn a_grade_falls_only_with_what_stays_open() {
        let by = |grade, direct, residual, linkable, unique| grade_after(grade, direct, residual, linkable, unique).number();
        let after = |grade, direct, residual, linkable| by(grade, direct, residual, linkable, Some(UNIQUE_MOST_DEFAULT));
        let least = Residual::AtLeast;
        assert_eq!(after(Grade::L1, false, least(1), true), 1);
        assert_eq!(after(Grade::L2, false, least(1), true), 2);
        assert_eq!(after(Grade::L2, false, least(10), false), 1);
        assert_eq!(after(Grade::L3, false, least(9), true), 3);
        assert_eq!(after(Grade::L3, false, least(10), true), 2);
        assert_eq!(after(Grade::L3, true, least(10_000), true), 2);
        assert_eq!(after(Grade::L3, true, Residual::Unbounded, true), 2);
        assert_eq!(after(Grade::L3, true, Residual::Unbounded, false), 1);
        assert_eq!(after(Grade::L4, true, least(u128::MAX), false), 4);
        assert_eq!(after(Grade::L4, true, Residual::Unbounded, true), 3);
        assert_eq!(after(Grade::L4, true, Residual::Unbounded, false), 1);
        // A count of values alone says nothing of what they are together; a key does.
        for unique in [None, Some(UniqueShare::ALL)] {
            assert_eq!(by(Grade::L3, false, least(u128::MAX), false, unique), 3);
            assert_eq!(by(Grade::L2, false, least(10), false, unique), 2);
            assert_eq!(by(Grade::L3, true, Residual::Unbounded, true, unique), 2);
        }
    }
}
