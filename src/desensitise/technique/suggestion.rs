//! What a technique proposes for a column in a first policy.

use super::{Method, Technique};
use crate::grade::ValueType;
use crate::id::Decimal;

/// The key that suggested policies name, and `usufruct key new --kind desensitise` makes unless told otherwise.
pub const KEY_ID_DEFAULT: &str = "pseudonym";

/// A technique with its parameters for one column, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What is proposed.
    pub technique: Technique,
    /// Before or after what others propose.
    pub rank: Rank,
    /// Why, in one sentence for the people who read the policy.
    pub why: &'static str,
    /// Whether it reads values by the form of their kind, so that cells of another form are off-kind.
    pub reads_form: bool,
}

/// When a suggestion is tried: the first that the release model lets pass is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Nothing else is to be thought of.
    Must,
    /// It is made for values of this kind.
    OfKind,
    /// It does for kinds that have nothing of their own.
    General,
    /// When nothing else passes.
    Last,
}

impl Suggestion {
    /// A technique and why, at this rank.
    #[must_use]
    pub fn new(rank: Rank, method: impl Method, why: &'static str) -> Self {
        Self { technique: Technique::new(method), rank, why, reads_form: false }
    }

    /// The same, of a technique that reads values by the form of their kind.
    #[must_use]
    pub fn by_form(self) -> Self {
        Self { reads_form: true, ..self }
    }
}

/// The next of 1, 2, 5, 10, 20 ... times a power of ten; nothing behind a billion.
pub(super) fn coarser_step(step: Decimal) -> Option<Decimal> {
    const MOST: i128 = 1_000_000_000;
    let (mantissa, scale) = (step.mantissa(), step.scale());
    let unit = 10i128.checked_pow(mantissa.checked_ilog10()?)?;
    let next = [2 * unit, 5 * unit, 10 * unit].into_iter().find(|next| *next > mantissa)?;
    Decimal::new(next, scale).filter(|next| *next <= Decimal::new(MOST, 0).unwrap_or(*next))
}

/// Whether all cells are numbers, and not of more digits behind the point than are measured.
pub(super) const fn is_plain(value_type: ValueType) -> bool {
    matches!(value_type, ValueType::Integer | ValueType::Real { scale: 0..=9 })
}
