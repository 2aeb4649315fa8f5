use crate::budget::Loss;
use crate::codec::{CodecError, Decoder, Encoder, Kind, Limits, required};
use crate::id::{DatasetId, Decimal, Name, RequestId, VersionId};

/// The most bytes of an answer (rule C8), checked before anything is charged.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The confidence of every interval.
pub const CONFIDENCE_PERCENT: u64 = 95;
const COLUMNS_MAX: usize = 128;
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
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The values it stands for, in the order of the key columns.
    pub key: Vec<Key>,
    /// Its noisy values.
    pub values: Vec<Value>,
}

/// A value of a key column: always one that was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Of a text column, or the name of the group of all others.
    Text(String),
    /// Of an integer column.
    Integer(i64),
}

/// A noisy value: `low` and `high` enclose the bounded truth with at least the stated confidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The value; nothing when the noisy count is not positive.
    pub value: Option<Decimal>,
    /// The lower end.
    pub low: Decimal,
    /// The upper end.
    pub high: Decimal,
    /// How the interval was made.
    pub method: String,
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
        };
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
            match value {
                Some(value) => out.text(&value.to_string()),
                None => out.boolean(false),
            };
            out.text(&low.to_string()).text(&high.to_string()).text(method);
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
                Kind::Text => Key::Text(decoder.text(TEXT_BYTES_MAX)?.to_owned()),
                _ => Key::Integer(decoder.int()?),
            });
        }
        for _ in 0..decoder.array(COLUMNS_MAX)? {
            if decoder.array(4)? != 4 {
                return Err(wrong());
            }
            let value = match decoder.peek()? {
                Kind::Boolean if !decoder.boolean()? => None,
                Kind::Text => Some(decode_decimal(decoder)?),
                _ => return Err(wrong()),
            };
            row.values.push(Value {
                value,
                low: decode_decimal(decoder)?,
                high: decode_decimal(decoder)?,
                method: decoder.text(TEXT_BYTES_MAX)?.to_owned(),
            });
        }
        Ok(row)
    }
}

/// A decimal in the one form in which it is printed.
fn decode_decimal(decoder: &mut Decoder<'_>) -> Result<Decimal, CodecError> {
    let offset = decoder.offset();
    let text = decoder.text(64)?;
    let decimal = Decimal::parse(text).ok().filter(|decimal| decimal.to_string() == text);
    decimal.ok_or(CodecError::Unexpected { offset, expected: "a decimal in lowest terms" })
}
