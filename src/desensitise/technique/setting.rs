//! What a technique is made ready for: a column and what is known of it.

use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType};

use crate::desensitise::residual::Domain;
use crate::grade::ValueType;
use crate::id::ColumnName;
use crate::value::DateOrder;

/// The column that a technique is used on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, which is the domain of keyed techniques unless they name another.
    pub column: ColumnName,
    /// What is known of it.
    pub domain: Domain,
    /// The order of day and month in its dates, if it is known. Without it, dates that have their year last are cut to the
    /// year and to nothing finer.
    pub date_order: Option<DateOrder>,
    /// Whether months of a year stand among its dates and count as what they are. Without it they are off-kind in a column of dates.
    pub has_months: bool,
    /// Numbers of real columns come out as `Decimal128(38, this)`, for files with types; as text where there is none.
    pub decimals: Option<u8>,
}

/// What a technique emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputType {
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

impl Setting {
    /// What comes out when values stay of the type they are.
    #[must_use]
    pub const fn output(&self) -> OutputType {
        match (self.domain.value_type, self.decimals) {
            (ValueType::Text, _) | (ValueType::Real { .. }, None) => OutputType::Text,
            (ValueType::Integer, _) => OutputType::Integer,
            (ValueType::Real { .. }, Some(scale)) => OutputType::Decimal { scale },
        }
    }
}

impl OutputType {
    /// The Arrow type of the cells; nothing of a column that does not leave.
    #[must_use]
    pub const fn data_type(self) -> Option<DataType> {
        match self {
            Self::Dropped => None,
            Self::Text => Some(DataType::Utf8),
            Self::Integer => Some(DataType::Int64),
            Self::Decimal { scale } => Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale.cast_signed())),
        }
    }
}
