//! The parameters of one technique: read by name, each once, and none may be left.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use crate::id::{ColumnName, Decimal, Name};

/// What stands under one column of a policy. Values keep the spelling that a manifest repeats.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    given: BTreeMap<String, toml::Value>,
    /// The names that were asked for, given or not: all that may stand in the section.
    known: BTreeSet<&'static str>,
    read: Vec<(Name, String)>,
}

impl Parameters {
    pub(super) fn new(table: toml::Table) -> Self {
        Self { given: table.into_iter().collect(), ..Self::default() }
    }

    /// All parameters that were read, in the order of their names, as a manifest states them.
    ///
    /// # Errors
    /// A parameter that nobody has read.
    pub(super) fn finish(mut self, technique: &'static str) -> Result<Vec<(Name, String)>, Problem> {
        match self.given.into_keys().next() {
            Some(name) => {
                let known = self.known.into_iter().collect::<Vec<_>>().join(", ");
                Err(Problem::UnknownParameter { name: name.escape_debug().to_string(), technique, known })
            }
            None => {
                self.read.sort();
                Ok(self.read)
            }
        }
    }

    /// Takes a parameter that is not part of the technique.
    pub(super) fn word(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(toml::Value::String(word)) => Ok(Some(word)),
            Some(_) => Err(Problem::Value { name, expected: "a text in quotes" }),
        }
    }

    /// Takes a number that is not part of the technique.
    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<u64>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(toml::Value::Integer(number)) if number >= 0 => Ok(Some(number.unsigned_abs())),
            Some(_) => Err(Problem::Value { name, expected: "a whole number, 0 or more" }),
        }
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        let found = self.word(name)?;
        if let Some(text) = &found {
            if text.len() > TEXT_BYTES_MAX || !unicode_normalization::is_nfc(text) || text.chars().any(char::is_control) {
                return Err(Problem::Value { name, expected: "a text of at most 1,024 bytes, NFC, without control characters" });
            }
            self.note(name, text.clone());
        }
        Ok(found)
    }

    pub(super) fn name(&mut self, name: &'static str) -> Result<Option<Name>, Problem> {
        let found = self.text(name)?;
        found.map(|text| Name::new(&text).map_err(|_| Problem::Value { name, expected: "a name of at most 128 bytes" })).transpose()
    }

    pub(super) fn column(&mut self, name: &'static str) -> Result<Option<ColumnName>, Problem> {
        let found = self.text(name)?;
        found.map(|text| ColumnName::new(&text).map_err(|_| Problem::Value { name, expected: "the name of a column" })).transpose()
    }

    pub(super) fn count(&mut self, name: &'static str, most: u32) -> Result<Option<u32>, Problem> {
        let Some(found) = self.number(name)? else { return Ok(None) };
        let count = u32::try_from(found).ok().filter(|count| *count <= most).ok_or(Problem::TooLarge { name, most: u64::from(most) })?;
        self.note(name, count.to_string());
        Ok(Some(count))
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(toml::Value::Boolean(flag)) => {
                self.note(name, flag.to_string());
                Ok(Some(flag))
            }
            Some(_) => Err(Problem::Value { name, expected: "true or false" }),
        }
    }

    pub(super) fn character(&mut self, name: &'static str) -> Result<Option<char>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(one), None) => Ok(Some(one)),
            _ => Err(Problem::Value { name, expected: "one character" }),
        }
    }

    /// An integer or a decimal string, never a float.
    pub(super) fn decimal(&mut self, name: &'static str) -> Result<Option<Decimal>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let decimal = decimal(&value).ok_or(Problem::Value { name, expected: DECIMAL })?;
        self.note(name, decimal.to_string());
        Ok(Some(decimal))
    }

    pub(super) fn decimals(&mut self, name: &'static str) -> Result<Option<Vec<Decimal>>, Problem> {
        let expected = Problem::Value { name, expected: "a list of whole numbers or decimal strings" };
        let values = match self.take(name) {
            None => return Ok(None),
            Some(toml::Value::Array(values)) if values.len() <= LIST_MAX => values,
            Some(_) => return Err(expected),
        };
        let decimals: Vec<Decimal> = values.iter().map(decimal).collect::<Option<_>>().ok_or(expected)?;
        self.note(name, decimals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        Ok(Some(decimals))
    }

    fn take(&mut self, name: &'static str) -> Option<toml::Value> {
        self.known.insert(name);
        self.given.remove(name)
    }

    fn note(&mut self, name: &'static str, value: String) {
        // The names are ours and are all names.
        if let Ok(name) = Name::new(name) {
            self.read.push((name, value));
        }
    }
}

const DECIMAL: &str = "a whole number or a decimal in quotes, never a float";
const TEXT_BYTES_MAX: usize = 1024;
/// Edges of bins; with names and all they fit in a manifest.
const LIST_MAX: usize = 100;

fn decimal(value: &toml::Value) -> Option<Decimal> {
    match value {
        toml::Value::Integer(number) => Decimal::parse(&number.to_string()).ok(),
        toml::Value::String(text) => Decimal::parse(text).ok(),
        _ => None,
    }
}

/// A parameter that must be there.
pub(super) fn needed<T>(value: Option<T>, name: &'static str) -> Result<T, Problem> {
    value.ok_or(Problem::MissingParameter { name })
}
