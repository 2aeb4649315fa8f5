//! Kinds and grades of data (分类分级): what the cells of a column are, and how much harm they can do, 1 (open) to 4 (never opened).
//!
//! ```text
//! Records --> Profiler (every cell, matchers of each kind) --> Finding: kind, grade, reason, evidence counts
//!                 ^ Recognisers: built in, and the user's TOML
//! text ----> free_text::find --> spans
//! ```
//!
//! What this module promises:
//! - A [`Finding`] is a function of all cells of its column: of every cell, in whatever order and batches they come.
//! - No cell is kept: neither a finding, a profiler nor an error holds one. Memory is bounded for any number of columns.
//! - The grade of a column is the highest of all that was found in it (就高从严), with the clause that it follows.
//! - A header that names a direct identifier or a place is a [`Floor`]: grade 3, whatever the cells look like.
//!
//! # Source
//! GB 11643-1999, GB 32100-2015, GB 11714, ISO/IEC 7812; GB/T 35273-2020, GB/T 37964-2019, GB/T 42460-2023, GB/T 43697-2024,
//! JR/T 0197-2020. Rules G3, H2, L6 of `docs/rules.md`.
//!
//! # Not promised
//! That everything is recognised: a kind is inferred from form, check digits, headers and word lists, not from knowledge of people.

#[cfg(feature = "records")]
pub mod check;
#[cfg(feature = "records")]
mod finding;
#[cfg(feature = "records")]
mod floor;
#[cfg(feature = "records")]
pub mod free_text;
#[cfg(feature = "records")]
mod header;
mod kind;
#[cfg(feature = "records")]
mod profiler;
#[cfg(feature = "records")]
mod recogniser;
#[cfg(feature = "embedded")]
mod survey;

#[cfg(feature = "records")]
pub use finding::{Distinct, Finding, Overlap, QUASI_IDENTIFIERS_MAX, ValueType, overall};
#[cfg(feature = "records")]
pub use floor::{Floor, Named};
pub use kind::{Kind, Reason, Role};
#[cfg(feature = "records")]
pub use profiler::Profiler;
#[cfg(feature = "records")]
pub use recogniser::Recognisers;
#[cfg(feature = "embedded")]
pub use recogniser::{HEADERS_MAX, PATTERN_BYTES_MAX, RECOGNISERS_MAX, RecogniserError};
#[cfg(feature = "embedded")]
pub use survey::{Looked, SurveyError, check_names, reads_like_data, survey};

use crate::codec::stored;

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

stored!(Grade as u64, "number", |grade| grade.number(), Self::from_number, "a grade from 1 to 4");
