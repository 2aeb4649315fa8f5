//! Generalisation of values (泛化): coarser numbers, dates and places, each level with exact borders.
//!
//! Shared by desensitising techniques and anonymity models. No floating point: a number lies in the same bin however it
//! was read.
//!
//! ```
//! use usufruct::generalise::{AddressLevel, Bins, DateLevel};
//! use usufruct::id::Decimal;
//!
//! let ages = Bins::of_width(Decimal::parse("10")?, Decimal::parse("0")?)?;
//! assert_eq!(ages.fewest(Decimal::ONE), 10);
//! assert_eq!(DateLevel::Month.days(), 28);
//! assert_eq!(AddressLevel::District.cut("北京市朝阳区建国路88号"), Some("北京市朝阳区"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Source
//! GB/T 37964-2019 annex A; GB/T 23705-2009 (levels of addresses); rule H2 of `docs/rules.md`.

mod address;
mod bins;
mod date;

pub use address::AddressLevel;
pub use bins::{Bins, EDGES_MAX};
pub use date::DateLevel;

use crate::class::Class;

/// Why values cannot be generalised so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GeneraliseError {
    /// No width.
    #[error("the width of bins is above 0")]
    Width,
    /// No edges.
    #[error("bins have 2 to {most} edges, each above the one before it")]
    Edges {
        /// The most edges.
        most: usize,
    },
    /// Too fine and too large at once.
    #[error("the borders of bins have more digits together than a number can have")]
    Digits,
}

impl GeneraliseError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
