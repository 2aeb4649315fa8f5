//! Why too many persons are unique in what would leave.

use std::cmp::Reverse;
use std::fmt;

use crate::anonymity::{UniqueShare, Uniqueness};
use crate::desensitise::ReleaseModel;
use crate::id::ColumnName;

/// More persons are unique in what would leave than the policy lets be; counted in the output, so the owner's to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alone {
    /// The shares.
    pub uniqueness: Uniqueness,
    /// The release model.
    pub release: ReleaseModel,
}

impl Alone {
    pub(in crate::desensitise) const fn new(uniqueness: Uniqueness, release: ReleaseModel) -> Self {
        Self { uniqueness, release }
    }

    /// On all columns, and what makes it so.
    fn on_all(&self) -> Option<String> {
        let Uniqueness { subject, all, columns, records, most, .. } = &self.uniqueness;
        let (share, who) = match records {
            Some(records) if all <= most => (records, "records"),
            _ => (all, whom(subject.as_ref())),
        };
        if share <= most {
            return None;
        }
        let mut told = format!("{share} of the {who} are unique on what leaves without a key, {} allows {most} (max_unique)", self.release);
        let mut columns: Vec<_> = columns.iter().filter(|column| column.share > UniqueShare::NONE).collect();
        columns.sort_by_key(|column| Reverse(column.share));
        columns.iter().take(TOLD_MAX).for_each(|column| told.push_str(&format!("; {} on {} alone", column.share, column.column)));
        let mut pairs: Vec<_> = self.uniqueness.each_pair().filter(|(.., share)| *share > UniqueShare::NONE).collect();
        pairs.sort_by_key(|(.., share)| Reverse(*share));
        pairs.iter().take(TOLD_MAX).for_each(|(one, other, share)| told.push_str(&format!("; {share} on {one} with {other}")));
        told.push_str("; coarsen, suppress or pseudonymise them, say not_known = \"why\" of a column that nobody outside can know, or ");
        told.push_str("max_unique and because");
        Some(told)
    }
}

fn whom(subject: Option<&ColumnName>) -> &'static str {
    if subject.is_some() { "subjects" } else { "records" }
}

impl fmt::Display for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Uniqueness { gaps, most, .. } = &self.uniqueness;
        let by_gaps = gaps.iter().filter(|gaps| gaps.share > *most).map(|gaps| {
            let names: Vec<&str> = gaps.columns.iter().map(|gap| gap.column.as_str()).collect();
            let by = gaps.subject.as_ref().map_or_else(String::new, |subject| format!(" ({subject})"));
            format!(
                "{} of the {}{by} are unique by the gaps between their dates in {}, or by the times behind them, which date_shift keeps, {} \
                 allows {most} (max_unique); use date with a level, or suppress",
                gaps.share,
                whom(gaps.subject.as_ref()),
                names.join(", "),
                self.release
            )
        });
        f.write_str(&self.on_all().into_iter().chain(by_gaps).collect::<Vec<_>>().join("; "))
    }
}

/// So many columns, and pairs of them, are told.
const TOLD_MAX: usize = 3;
