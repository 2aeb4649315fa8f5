//! Grades of data (分级): how much harm a column can do, 1 (open) to 4 (never opened).
//!
//! Recognisers that find the grade of a column by themselves come into this room later.

/// The grade of a column, L1 to L4; the default uses of a column follow from it (rule B7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Open: may be counted, filtered and grouped by.
    L1,
    /// As L1, groups over declared values only.
    L2,
    /// Aggregates and filters only.
    L3,
    /// Never used.
    L4,
}

impl Grade {
    /// From its number.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::L1),
            2 => Some(Self::L2),
            3 => Some(Self::L3),
            4 => Some(Self::L4),
            _ => None,
        }
    }

    /// Its number, 1 to 4.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::L1 => 1,
            Self::L2 => 2,
            Self::L3 => 3,
            Self::L4 => 4,
        }
    }
}
