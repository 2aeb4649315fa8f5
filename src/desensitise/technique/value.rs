//! Values of parameters, as policies write them and manifests repeat them.

use std::fmt;

use crate::id::Decimal;

/// A value of a parameter. Its `Display` is what a manifest says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A text: a name, a word, a decimal.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
    /// Several.
    List(Vec<Value>),
    /// What no parameter is: a float, a date, a table.
    Other,
}

pub(super) const DECIMAL: &str = "a whole number or a decimal in quotes, never a float";
pub(super) const TEXT_BYTES_MAX: usize = 1024;
/// Edges of bins; with names and all they fit in a manifest.
pub(super) const LIST_MAX: usize = 100;

pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Decimal::new((*number).into(), 0),
        Value::Text(text) => Decimal::parse(text).ok(),
        _ => None,
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(values) => f.write_str(&values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
            Self::Other => Ok(()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<char> for Value {
    fn from(char: char) -> Self {
        Self::Text(char.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// A whole number where it is one, else its digits in a text.
impl From<Decimal> for Value {
    fn from(decimal: Decimal) -> Self {
        match (decimal.scale(), i64::try_from(decimal.mantissa())) {
            (0, Ok(number)) => Self::Integer(number),
            _ => Self::Text(decimal.to_string()),
        }
    }
}

#[cfg(feature = "embedded")]
impl From<toml::Value> for Value {
    fn from(value: toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Text(text),
            toml::Value::Integer(number) => Self::Integer(number),
            toml::Value::Boolean(flag) => Self::Flag(flag),
            toml::Value::Array(values) => Self::List(values.into_iter().map(Self::from).collect()),
            _ => Self::Other,
        }
    }
}
