//! Answers as bytes: groups, values, intervals, what was spent and what is left.

use std::fmt;

use crate::budget::Loss;
use crate::codec::{CodecError, Decoder, Encoder, ItemKind, Limits, required};
use crate::id::{DatasetId, Decimal, Name, RequestId, VersionId};

/// The most bytes of an answer (rule C8), checked before anything is charged.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The confidence of every interval.
pub const CONFIDENCE_PERCENT: u64 = 95;
/// The most columns of an answer.
pub const COLUMNS_MAX: usize = 128;
const TEXT_BYTES_MAX: usize = 4096;
const FORMAT: u64 = 1;

/// Differentially private values with their intervals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request it answers.
    pub request: RequestId,
    /// The dataset.
    pub dataset: DatasetId,
    /// The version of the data that was read.
    pub version: VersionId,
    /// Names of the keys, then of the values.
    pub columns: Vec<Name>,
    /// One row a group, in the order of the declared values; empty groups too.
    pub rows: Vec<Row>,
    /// What was charged to the lineage and to the right.
    pub spent: Loss,
    /// What the holder's right has left.
    pub remaining: Loss,
    /// How many uses it has left.
    pub uses_left: u64,
    /// Answers leave at multiples of this many milliseconds.
    pub quantum_ms: u64,
    /// The promise to one privacy unit, in words.
    pub promise: String,
    /// For each value column the step that its values are multiples of; nothing for ratios. Empty in answers of older gates.
    pub grids: Vec<Option<Decimal>>,
    /// Whether named groups were left out because the answer was full.
    pub cut: bool,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The values it stands for, in the order of the key columns.
    pub key: Vec<Key>,
    /// Its noisy values.
    pub values: Vec<Value>,
}

/// A value of a key column: one that was declared, or that a paid choice lets be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Of a text column, or the name of the group of all others.
    Text(String),
    /// Of an integer column.
    Integer(i64),
}

/// A noisy value: `low` and `high` enclose the bounded truth with at least the stated confidence. Both are there, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The value; nothing when the noisy count is not positive, or nothing stands out.
    pub value: Option<Decimal>,
    /// The lower end; nothing when no interval was paid for.
    pub low: Option<Decimal>,
    /// The upper end.
    pub high: Option<Decimal>,
    /// How the interval was made, or why there is none.
    pub method: String,
}

/// `value [low, high]`, with `null` for a value that is none, and without an interval where none was paid for.
impl fmt::Display for Value {
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

mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const REQUEST: i64 = 2;
    pub(super) const DATASET: i64 = 3;
    pub(super) const VERSION: i64 = 4;
    pub(super) const COLUMNS: i64 = 5;
    pub(super) const ROWS: i64 = 6;
    pub(super) const CONFIDENCE: i64 = 7;
    pub(super) const SPENT: i64 = 8;
    pub(super) const REMAINING: i64 = 9;
    pub(super) const USES_LEFT: i64 = 10;
    pub(super) const QUANTUM_MS: i64 = 11;
    pub(super) const PROMISE: i64 = 12;
    pub(super) const GRIDS: i64 = 13;
    pub(super) const CUT: i64 = 14;
}

impl Answer {
    /// The canonical bytes: what is sealed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::REQUEST).bytes(self.request.as_bytes());
            map.key(key::DATASET).bytes(self.dataset.as_bytes());
            map.key(key::VERSION).bytes(self.version.as_bytes());
            let columns = map.key(key::COLUMNS).array(self.columns.len());
            self.columns.iter().for_each(|column| {
                columns.text(column.as_str());
            });
            let rows = map.key(key::ROWS).array(self.rows.len());
            self.rows.iter().for_each(|row| row.encode(rows));
            map.key(key::CONFIDENCE).uint(CONFIDENCE_PERCENT);
            self.spent.encode(map.key(key::SPENT));
            self.remaining.encode(map.key(key::REMAINING));
            map.key(key::USES_LEFT).uint(self.uses_left);
            map.key(key::QUANTUM_MS).uint(self.quantum_ms);
            map.key(key::PROMISE).text(&self.promise);
            if !self.grids.is_empty() {
                let grids = map.key(key::GRIDS).array(self.grids.len());
                self.grids.iter().for_each(|grid| encode_optional(*grid, grids));
            }
            if self.cut {
                map.key(key::CUT).boolean(true);
            }
        });
        out.into_bytes()
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// Not exactly an answer within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(bytes, Limits::of_bytes(ANSWER_BYTES_MAX))?;
        let (mut format, mut request, mut dataset, mut version, mut columns, mut rows) = (None, None, None, None, None, None);
        let (mut confidence, mut spent, mut remaining, mut uses_left, mut quantum_ms, mut promise) = (None, None, None, None, None, None);
        let (mut grids, mut cut) = (Vec::new(), false);
        let mut keys = decoder.map(16)?;
        while let Some(key) = keys.next(&mut decoder)? {
            let value = |expected| CodecError::Value { key, expected };
            match key {
                key::FORMAT => format = Some(Some(decoder.uint()?).filter(|format| *format == FORMAT).ok_or_else(|| value("format 1"))?),
                key::REQUEST => request = Some(RequestId::from_bytes(decoder.byte_array()?)),
                key::DATASET => dataset = Some(DatasetId::from_bytes(decoder.byte_array()?)),
                key::VERSION => version = Some(VersionId::from_bytes(decoder.byte_array()?)),
                key::COLUMNS => {
                    let names = (0..decoder.array(COLUMNS_MAX)?).map(|_| Name::new(decoder.text(128)?).map_err(|_| value("names")));
                    columns = Some(names.collect::<Result<Vec<_>, _>>()?);
                }
                key::ROWS => {
                    rows = Some((0..decoder.array(ANSWER_BYTES_MAX)?).map(|_| Row::decode(&mut decoder)).collect::<Result<Vec<_>, _>>()?)
                }
                key::CONFIDENCE => {
                    confidence = Some(Some(decoder.uint()?).filter(|percent| *percent == CONFIDENCE_PERCENT).ok_or_else(|| value("95"))?);
                }
                key::SPENT => spent = Some(Loss::decode(&mut decoder)?),
                key::REMAINING => remaining = Some(Loss::decode(&mut decoder)?),
                key::USES_LEFT => uses_left = Some(decoder.uint()?),
                key::QUANTUM_MS => quantum_ms = Some(decoder.uint()?),
                key::PROMISE => promise = Some(decoder.text(TEXT_BYTES_MAX)?.to_owned()),
                key::GRIDS => {
                    grids = (0..decoder.array(COLUMNS_MAX)?).map(|_| decode_optional(&mut decoder)).collect::<Result<_, _>>()?;
                    if grids.is_empty() {
                        return Err(value("one grid or more, or absent"));
                    }
                }
                key::CUT => cut = Some(decoder.boolean()?).filter(|flag| *flag).ok_or_else(|| value("true, or absent"))?,
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        required(format, key::FORMAT)?;
        required(confidence, key::CONFIDENCE)?;
        let answer = Self {
            request: required(request, key::REQUEST)?,
            dataset: required(dataset, key::DATASET)?,
            version: required(version, key::VERSION)?,
            columns: required(columns, key::COLUMNS)?,
            rows: required(rows, key::ROWS)?,
            spent: required(spent, key::SPENT)?,
            remaining: required(remaining, key::REMAINING)?,
            uses_left: required(uses_left, key::USES_LEFT)?,
            quantum_ms: required(quantum_ms, key::QUANTUM_MS)?,
            promise: required(promise, key::PROMISE)?,
            grids,
            cut,
        };
        let values = answer.rows.first().map_or(answer.grids.len(), |row| row.values.len());
        if !answer.grids.is_empty() && (answer.grids.len() != values || values > answer.columns.len()) {
            return Err(CodecError::Value { key: key::GRIDS, expected: "one for each value column" });
        }
        if answer.rows.iter().any(|row| row.key.len() + row.values.len() != answer.columns.len()) {
            return Err(CodecError::Value { key: key::ROWS, expected: "as many cells as columns" });
        }
        Ok(answer)
    }
}

impl Row {
    fn encode(&self, out: &mut Encoder) {
        out.array(2).array(self.key.len());
        for key in &self.key {
            match key {
                Key::Text(text) => out.text(text),
                Key::Integer(number) => out.int(*number),
            };
        }
        out.array(self.values.len());
        for Value { value, low, high, method } in &self.values {
            out.array(4);
            [value, low, high].into_iter().for_each(|number| encode_optional(*number, out));
            out.text(method);
        }
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let offset = decoder.offset();
        let wrong = || CodecError::Unexpected { offset, expected: "a row of keys and values" };
        if decoder.array(2)? != 2 {
            return Err(wrong());
        }
        let mut row = Self { key: Vec::new(), values: Vec::new() };
        for _ in 0..decoder.array(COLUMNS_MAX)? {
            row.key.push(match decoder.peek()? {
                ItemKind::Text => Key::Text(decoder.text(TEXT_BYTES_MAX)?.to_owned()),
                _ => Key::Integer(decoder.int()?),
            });
        }
        for _ in 0..decoder.array(COLUMNS_MAX)? {
            if decoder.array(4)? != 4 {
                return Err(wrong());
            }
            let [value, low, high] = [decode_optional(decoder)?, decode_optional(decoder)?, decode_optional(decoder)?];
            if low.is_some() != high.is_some() {
                return Err(wrong());
            }
            row.values.push(Value { value, low, high, method: decoder.text(TEXT_BYTES_MAX)?.to_owned() });
        }
        Ok(row)
    }
}

/// A decimal, or false for none.
fn encode_optional(number: Option<Decimal>, out: &mut Encoder) {
    match number {
        Some(number) => out.text(&number.to_string()),
        None => out.boolean(false),
    };
}

fn decode_optional(decoder: &mut Decoder<'_>) -> Result<Option<Decimal>, CodecError> {
    let offset = decoder.offset();
    match decoder.peek()? {
        ItemKind::Boolean if !decoder.boolean()? => Ok(None),
        ItemKind::Text => decode_decimal(decoder).map(Some),
        _ => Err(CodecError::Unexpected { offset, expected: "a decimal or false" }),
    }
}

/// A decimal in the one form in which it is printed.
fn decode_decimal(decoder: &mut Decoder<'_>) -> Result<Decimal, CodecError> {
    let offset = decoder.offset();
    let text = decoder.text(64)?;
    let decimal = Decimal::parse(text).ok().filter(|decimal| decimal.to_string() == text);
    decimal.ok_or(CodecError::Unexpected { offset, expected: "a decimal in lowest terms" })
}
