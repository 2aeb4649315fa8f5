//! Techniques, one child each, and the kernels that carry them out on whole columns.

mod cells;
mod emitted;
mod keep;
mod mask;
mod numbers;
mod off_kind;
mod pseudonym;
mod suppress;

use std::fmt;

use arrow_array::{Array, ArrayRef};

pub use emitted::Emitted;
pub use mask::Mask;
pub use off_kind::{OffKind, OffReason, OffRow};
pub use pseudonym::Pseudonym;
pub use suppress::Suppress;

use super::keys::{KeyFileError, KeyRing};
use super::residual::{Domain, Known, Residual};
use crate::grade::ValueType;
use crate::id::ColumnName;

/// What is done to a column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Technique {
    /// As it is (保留).
    Keep,
    /// Nothing of it (抑制).
    Suppress(Suppress),
    /// A part of each value behind mask characters (遮蔽).
    Mask(Mask),
    /// A keyed token in its place (假名化).
    Pseudonym(Pseudonym),
}

/// What can be done with the output of a technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// The output of a cell depends on its value alone, so that each distinct value need be treated only once.
    pub deterministic: bool,
    /// The value can be had back exactly: from the output alone, or by whoever has the key.
    pub reversible: bool,
    /// Rows, and files treated alike, can be joined by it: equal values have equal outputs, different ones different.
    pub linkable: bool,
}

/// The column that a technique is used on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, which is the domain of keyed techniques unless they name another.
    pub column: ColumnName,
    /// What is known of it.
    pub domain: Domain,
    /// Numbers of real columns come out as `Decimal128(38, this)`, for files with types; as text where there is none.
    pub decimals: Option<u8>,
}

/// What a technique emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// No column.
    Dropped,
    /// `Utf8`.
    Text,
    /// `Int64`.
    Integer,
    /// `Decimal128(38, scale)`.
    Decimal {
        /// Digits behind the point.
        scale: u8,
    },
}

/// Why a technique cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TechniqueError {
    /// A parameter has no meaning.
    #[error("{technique}: {parameter} is {expected}")]
    Parameter {
        /// The technique.
        technique: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// What it can be.
        expected: &'static str,
    },
    /// Not for such columns.
    #[error("{technique} is for {expected}; the column is {}", found.as_str())]
    Input {
        /// The technique.
        technique: &'static str,
        /// What it is for.
        expected: &'static str,
        /// What the column is.
        found: ValueType,
    },
    /// No key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

impl Technique {
    /// The word of policies.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Keep => keep::NAME,
            Self::Suppress(_) => suppress::NAME,
            Self::Mask(_) => mask::NAME,
            Self::Pseudonym(_) => pseudonym::NAME,
        }
    }

    /// Whether it is deterministic, reversible, linkable.
    #[must_use]
    pub const fn nature(&self) -> Nature {
        let (deterministic, reversible, linkable) = match self {
            Self::Keep => (true, true, true),
            Self::Suppress(_) | Self::Mask(_) => (true, false, false),
            Self::Pseudonym(_) => (true, false, true),
        };
        Nature { deterministic, reversible, linkable }
    }

    /// What it leaves open of a value of this domain (rule H2).
    #[must_use]
    pub fn residual(&self, domain: &Domain) -> Residual {
        self.residual_given(domain, &[])
    }

    /// As [`Technique::residual`], for one who knows more of the same person from other columns of the output.
    #[must_use]
    pub fn residual_given(&self, domain: &Domain, known: &[Known]) -> Residual {
        match self {
            Self::Keep => Residual::CLEAR,
            Self::Suppress(_) | Self::Pseudonym(_) => Residual::Unbounded,
            Self::Mask(mask) => mask.residual(&domain.kind, known),
        }
    }

    /// What it emits for such a column.
    #[must_use]
    pub fn output(&self, setting: &Setting) -> Output {
        match self {
            Self::Keep => setting.output(),
            Self::Suppress(suppress) => suppress.output(),
            Self::Mask(_) | Self::Pseudonym(_) => Output::Text,
        }
    }

    /// Makes ready to treat a column.
    ///
    /// # Errors
    /// The technique is not for such columns, or there is no key.
    pub fn kernel(&self, setting: &Setting, keys: &KeyRing) -> Result<Kernel, TechniqueError> {
        Ok(Kernel(match self {
            Self::Keep => keep::kernel(setting),
            Self::Suppress(suppress) => suppress.kernel(),
            Self::Mask(mask) => mask.kernel(setting),
            Self::Pseudonym(pseudonym) => pseudonym.kernel(setting, keys)?,
        }))
    }
}

impl Setting {
    /// What comes out when values stay of the type they are.
    fn output(&self) -> Output {
        match (self.domain.value_type, self.decimals) {
            (ValueType::Text, _) | (ValueType::Real { .. }, None) => Output::Text,
            (ValueType::Integer, _) => Output::Integer,
            (ValueType::Real { .. }, Some(scale)) => Output::Decimal { scale },
        }
    }
}

/// A technique ready for a column. Treats one batch after the other, in any order, on any thread.
pub struct Kernel(Box<dyn Emit>);

impl Kernel {
    /// Treats the cells of a batch, `Utf8` or `Int64`; nulls stay nulls. `subject` is the column that says whose each
    /// row is, of the same length, for techniques that ask for one. Rows that cannot be treated are added to `off`,
    /// counted from 0 in this batch, and are null in the output.
    #[must_use]
    pub fn emit(&self, cells: &ArrayRef, subject: Option<&ArrayRef>, off: &mut OffKind) -> Emitted {
        let emitted = self.0.emit(cells, subject, off);
        debug_assert_eq!(emitted.len(), cells.len());
        emitted
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kernel(..)")
    }
}

/// What is in a kernel.
trait Emit: Send + Sync {
    fn emit(&self, cells: &ArrayRef, subject: Option<&ArrayRef>, off: &mut OffKind) -> Emitted;
}
