//! Operations: what terms allow and queries need.

use std::fmt;

use crate::codec::{Text, stored};

/// What may be computed: derived from a query, listed in the terms of a right.
///
/// All names are reserved from the start, so that a right can list an operation before a gate can run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Number of rows, or of rows in which a column is not null.
    Count,
    /// Number of distinct values or privacy units.
    CountDistinct,
    /// Sum of a bounded column.
    Sum,
    /// Mean of a bounded column.
    Mean,
    /// Variance of a bounded column.
    Variance,
    /// A quantile over the public grid of a column.
    Quantile,
    /// Counts over the public grid of a column.
    Histogram,
    /// Automatic bounds of a column.
    Bounds,
    /// The largest groups only.
    TopK,
}

impl Operation {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Count,
        Self::CountDistinct,
        Self::Sum,
        Self::Mean,
        Self::Variance,
        Self::Quantile,
        Self::Histogram,
        Self::Bounds,
        Self::TopK,
    ];

    /// Its name in terms, files and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::CountDistinct => "count_distinct",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Variance => "variance",
            Self::Quantile => "quantile",
            Self::Histogram => "histogram",
            Self::Bounds => "bounds",
            Self::TopK => "top_k",
        }
    }

    /// The operation with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

stored!(Operation as Text<128>, "text", |operation| operation.name().to_owned(), |name| Self::from_name(&name), "known words");

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
