//! Answers as bytes: groups, values, intervals, what was spent and what is left.

use std::fmt;

use crate::budget::Loss;
use crate::codec::{CodecError, Decoder, Encoder, Field, ItemKind, Limits, List, OrFalse, Record, Text, record};
use crate::id::{DatasetId, Decimal, Name, RequestId, VersionId};

/// The most bytes of an answer (rule C8), checked before anything is charged.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The confidence of every interval.
pub const CONFIDENCE_PERCENT: u64 = 95;
/// The most columns of an answer.
pub const COLUMNS_MAX: usize = 128;
/// The most bytes of a text.
const TEXT_BYTES_MAX: usize = 4096;
/// As many as fit.
const ROWS_MAX: usize = ANSWER_BYTES_MAX;

record! {
    /// Differentially private values with their intervals.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "embedded", derive(serde::Serialize))]
    pub struct Answer, format 1, fixed 7 confidence = 95 {
        /// The request it answers.
        2 => pub request: RequestId,
        /// The dataset.
        3 => pub dataset: DatasetId,
        /// The version of the data that was read.
        4 => pub version: VersionId,
        /// Names of the keys, then of the values.
        5 => pub columns: Vec<Name> as List<Name, COLUMNS_MAX>,
        /// One row a group, in the order of the declared values; empty groups too.
        6 => pub rows: Vec<AnswerRow> as List<AnswerRow, ROWS_MAX>,
        /// What was charged to the lineage and to the right.
        8 => pub spent: Loss,
        /// What the holder's right has left.
        9 => pub remaining: Loss,
        /// How many uses it has left.
        10 => pub uses_left: u64,
        /// Answers leave at multiples of this many milliseconds.
        11 => pub quantum_ms: u64,
        /// The promise to one privacy unit, in words.
        12 => pub promise: String as Text<TEXT_BYTES_MAX>,
        /// For each value column the step that its values are multiples of; nothing for ratios. Empty in answers of older gates.
        13 => pub grids: Vec<Option<Decimal>> as List<OrFalse<Decimal>, COLUMNS_MAX> = Vec::new(),
        /// Whether named groups were left out because the answer was full.
        14 => pub cut: bool,
    }
}

const _: () = assert!(CONFIDENCE_PERCENT == 95, "what every answer says");

record! {
    /// One group.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "embedded", derive(serde::Serialize))]
    pub struct AnswerRow [
        /// The values it stands for, in the order of the key columns.
        pub key: Vec<AnswerKey> as List<AnswerKey, COLUMNS_MAX>,
        /// Its noisy values.
        pub values: Vec<AnswerValue> as List<AnswerValue, COLUMNS_MAX>,
    ]
}

/// A value of a key column: one that was declared, or that a paid choice lets be named.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[cfg_attr(feature = "embedded", serde(untagged))]
pub enum AnswerKey {
    /// Of a text column, or the name of the group of all others.
    Text(String),
    /// Of an integer column.
    Integer(i64),
}

record! {
    /// A noisy value: `low` and `high` enclose the bounded truth with at least the stated confidence. Both are there, or none.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "embedded", derive(serde::Serialize))]
    pub struct AnswerValue [
        /// The value; nothing when the noisy count is not positive, or nothing stands out.
        pub value: Option<Decimal> as OrFalse<Decimal>,
        /// The lower end; nothing when no interval was paid for.
        pub low: Option<Decimal> as OrFalse<Decimal>,
        /// The upper end.
        pub high: Option<Decimal> as OrFalse<Decimal>,
        /// How the interval was made, or why there is none.
        pub method: String as Text<TEXT_BYTES_MAX>,
    ]
}

/// `value [low, high]`, with `null` for a value that is none, and without an interval where none was paid for.
impl fmt::Display for AnswerValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => value.fmt(f)?,
            None => f.write_str("null")?,
        }
        match (self.low, self.high) {
            (Some(low), Some(high)) => write!(f, " [{low}, {high}]"),
            _ => Ok(()),
        }
    }
}

impl Field for AnswerKey {
    type Value = Self;
    const SHAPE: &'static str = "text or integer";

    fn write(value: &Self, out: &mut Encoder) {
        match value {
            Self::Text(text) => out.text(text),
            Self::Integer(number) => out.int(*number),
        };
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        match decoder.peek()? {
            ItemKind::Text => decoder.text(TEXT_BYTES_MAX).map(str::to_owned).map(Self::Text),
            _ => decoder.int().map(Self::Integer),
        }
    }
}

/// The keys that errors name.
mod key {
    pub(super) const ROWS: i64 = 6;
    pub(super) const GRIDS: i64 = 13;
}

impl Answer {
    /// The canonical bytes: what is sealed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.to_bytes()
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Not exactly an answer within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let answer = Self::from_bytes(bytes, Limits::of_bytes(ANSWER_BYTES_MAX))?;
        let values = answer.rows.first().map_or(answer.grids.len(), |row| row.values.len());
        if !answer.grids.is_empty() && (answer.grids.len() != values || values > answer.columns.len()) {
            return Err(CodecError::Value { key: key::GRIDS, expected: "one for each value column" });
        }
        if answer.rows.iter().any(|row| row.key.len() + row.values.len() != answer.columns.len()) {
            return Err(CodecError::Value { key: key::ROWS, expected: "as many cells as columns" });
        }
        if answer.rows.iter().flat_map(|row| &row.values).any(|value| value.low.is_some() != value.high.is_some()) {
            return Err(CodecError::Value { key: key::ROWS, expected: "both ends of an interval, or none" });
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::assert_documented;

    #[test]
    fn the_page_lists_its_fields() {
        let page = include_str!("../../docs/receipt.md");
        assert_documented(page, "## Answer", Answer::TABLE);
        assert!(page.contains("A row is `[[key, ...], [value, ...]]`") && page.contains(AnswerValue::SHAPE), "{}", AnswerValue::SHAPE);
    }
}
