//! What was counted of a file, as its manifest states it.

use super::UniqueShare;
use crate::codec::{CodecError, List, OrFalse, Text, record, stored};
use crate::id::ColumnName;
use crate::value::DateOrder;

/// The share of persons who may be unique in a controlled file unless its policy says otherwise: one in twenty.
pub const UNIQUE_MOST_DEFAULT: UniqueShare = UniqueShare::TWENTIETH;
/// Pairs are counted of so many columns: those with the most values.
pub const PAIRED_COLUMNS_MAX: usize = 64;
/// As many as a source may have.
const COLUMNS_MAX: usize = 16_384;
const PAIRS_MAX: usize = PAIRED_COLUMNS_MAX * (PAIRED_COLUMNS_MAX - 1) / 2;
const REASON_BYTES_MAX: usize = 1024;

/// What is to be counted in rows that leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UniquenessAsked {
    /// The column that tells whose each record is; without it each record is somebody's.
    pub subject: Option<ColumnName>,
    /// What somebody outside could know of a person.
    pub columns: Vec<ColumnName>,
    /// The columns of dates that are shifted, those that move together in one group; a group stands here once for each column by which
    /// the records of a person can be put together, and without one where nothing does.
    pub gaps: Vec<GapGroup>,
}

/// Columns of dates that move together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapGroup {
    /// The column that tells whose each record is; without it each record is somebody's.
    pub subject: Option<ColumnName>,
    /// The columns.
    pub columns: Vec<GapColumn>,
}

/// The shares of persons who are unique in a file (唯一性).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
pub struct Uniqueness {
    /// The column that tells whose each record is; without it records are counted.
    pub subject: Option<ColumnName>,
    /// On all columns together, and by the days between shifted dates of one record.
    pub all: UniqueShare,
    /// On each column alone, in the order of the file.
    pub columns: Vec<ColumnShare>,
    /// The columns whose pairs are counted, in the order of the file: all, or the [`PAIRED_COLUMNS_MAX`] with the most values.
    pub paired: Vec<ColumnName>,
    /// On each pair of them: the first with each behind it, then the second with each behind it, and so on.
    pub pairs: Vec<UniqueShare>,
    /// By the gaps between their shifted dates.
    pub gaps: Vec<Gaps>,
    /// The most that the policy lets be unique, on all columns or by gaps.
    pub most: UniqueShare,
    /// Why that is more than [`UNIQUE_MOST_DEFAULT`], by the word of whoever signs.
    pub because: Option<String>,
    /// Where subjects are counted, the share of the records whose values on all columns no other subject has: one subject that stands for
    /// many persons, as that of a number that nobody gave, would hide them among the subjects.
    pub records: Option<UniqueShare>,
}

record! {
    /// The share of persons who are unique on one column.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "embedded", derive(serde::Serialize))]
    pub struct ColumnShare [
        /// The column.
        pub column: ColumnName,
        /// The share.
        pub share: UniqueShare,
    ]
}

record! {
    /// The share of persons whose shifted dates have gaps between them, or times behind them, that nobody else's have: a shift keeps both
    /// as they are.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "embedded", derive(serde::Serialize))]
    pub struct Gaps [
        /// The column that tells whose each record is; without it records are counted.
        pub subject: Option<ColumnName> as OrFalse<ColumnName>,
        /// The columns of dates, which move together.
        pub columns: Vec<GapColumn> as List<GapColumn, COLUMNS_MAX>,
        /// The share.
        pub share: UniqueShare,
    ]
}

record! {
    /// A column of shifted dates.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "embedded", derive(serde::Serialize))]
    pub struct GapColumn [
        /// The column.
        pub column: ColumnName,
        /// The order of day and month in dates that have their year last.
        pub order: Option<DateOrder> as OrFalse<DateOrder>,
    ]
}

record! {
    pub(crate) struct StoredUniqueness {
        1 => subject: Option<ColumnName>,
        2 => all: UniqueShare,
        3 => columns: Vec<ColumnShare> as List<ColumnShare, COLUMNS_MAX>,
        4 => paired: Vec<ColumnName> as List<ColumnName, PAIRED_COLUMNS_MAX>,
        5 => pairs: Vec<UniqueShare> as List<UniqueShare, PAIRS_MAX>,
        6 => gaps: Vec<Gaps> as List<Gaps, COLUMNS_MAX>,
        7 => most: UniqueShare,
        8 => because: Option<String> as Option<Text<REASON_BYTES_MAX>>,
        9 => records: Option<UniqueShare>,
    }
}

stored!(DateOrder as Text<3>, "text", |order| order.as_str().to_owned(), |word| Self::parse(&word), "dmy, mdy or ymd");

stored!(Uniqueness as StoredUniqueness);

impl From<&Uniqueness> for StoredUniqueness {
    fn from(stated: &Uniqueness) -> Self {
        let Uniqueness { subject, all, columns, paired, pairs, gaps, most, because, records } = stated.clone();
        Self { subject, all, columns, paired, pairs, gaps, most, because, records }
    }
}

impl TryFrom<StoredUniqueness> for Uniqueness {
    type Error = CodecError;

    fn try_from(stored: StoredUniqueness) -> Result<Self, CodecError> {
        let StoredUniqueness { subject, all, columns, paired, pairs, gaps, most, because, records } = stored;
        let wrong = |key, expected| Err(CodecError::Value { key, expected });
        let mut rest = columns.iter();
        if !paired.iter().all(|name| rest.any(|column| column.column == *name)) {
            return wrong(4, "columns of key 3 in their order");
        }
        if paired.len() != columns.len().min(PAIRED_COLUMNS_MAX) {
            return wrong(4, "all columns of key 3, or as many of them as are paired at most");
        }
        if columns.iter().map(|column| column.share).chain(pairs.iter().copied()).any(|part| part > all) {
            return wrong(2, "a share that is not less than that on a part of the columns");
        }
        if records.is_some() != subject.is_some() {
            return wrong(9, "a share of the records where subjects are counted, and nowhere else");
        }
        if pairs.len() != paired.len() * paired.len().saturating_sub(1) / 2 {
            return wrong(5, "a share for each pair of the columns of key 4");
        }
        if because.as_deref().is_some_and(|why| why.trim().is_empty()) {
            return wrong(8, "a reason that is not empty");
        }
        if most > UNIQUE_MOST_DEFAULT && because.is_none() {
            return wrong(8, "a reason for more than one in twenty");
        }
        let stated = Self { subject, all, columns, paired, pairs, gaps, most, because, records };
        if stated.highest() > most { wrong(7, "no less than what was counted") } else { Ok(stated) }
    }
}

impl Uniqueness {
    /// What was asked to be counted.
    #[must_use]
    pub fn asked(&self) -> UniquenessAsked {
        UniquenessAsked {
            subject: self.subject.clone(),
            columns: self.columns.iter().map(|column| column.column.clone()).collect(),
            gaps: self.gaps.iter().map(|gaps| GapGroup { subject: gaps.subject.clone(), columns: gaps.columns.clone() }).collect(),
        }
    }

    /// The highest share: on all columns, as no part of them tells more, of persons and of records, or by gaps.
    #[must_use]
    pub fn highest(&self) -> UniqueShare {
        self.gaps.iter().map(|gaps| gaps.share).chain(self.records).fold(self.all, UniqueShare::max)
    }

    /// Whether both state the same counts, whatever their policies allow.
    #[must_use]
    pub fn counts_as(&self, other: &Self) -> bool {
        let counted = |stated: &Self| Self { most: UniqueShare::NONE, because: None, ..stated.clone() };
        counted(self) == counted(other)
    }

    /// Each pair of columns and its share.
    pub fn each_pair(&self) -> impl Iterator<Item = (&ColumnName, &ColumnName, UniqueShare)> {
        let names = &self.paired;
        let pairs = (0..names.len()).flat_map(move |one| (one + 1..names.len()).map(move |other| (&names[one], &names[other])));
        pairs.zip(&self.pairs).map(|((one, other), share)| (one, other, *share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Record, assert_documented};

    #[test]
    fn the_page_lists_the_fields() {
        assert_documented(include_str!("../../docs/manifest.md"), "### Uniqueness", StoredUniqueness::TABLE);
    }
}
