//! What stands in the section of a technique: read by name, each parameter once, and none may be left.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{DECIMAL, LIST_MAX, TEXT_BYTES_MAX, Value, decimal};
use crate::desensitise::Problem;
use crate::id::{ColumnName, Decimal, Name};

/// No cell has more characters than this.
pub(super) const CHARACTERS_MAX: u32 = 1 << 20;

/// What stands in a section of a policy. Every reading is told nothing where the parameter is not given; values are noted in the
/// spelling that a manifest repeats.
#[derive(Debug, Default)]
pub struct Given {
    given: BTreeMap<String, Value>,
    /// The names that were asked for, given or not: all that may stand in the section.
    known: BTreeSet<&'static str>,
    read: Vec<(Name, String)>,
}

impl Given {
    #[cfg(feature = "embedded")]
    pub(in crate::desensitise) fn new(values: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self { given: values.into_iter().collect(), ..Self::default() }
    }

    /// All parameters that were read, in the order of their names, as a manifest states them.
    ///
    /// # Errors
    /// A parameter that nobody has read.
    #[cfg(feature = "embedded")]
    pub(in crate::desensitise) fn finish(mut self, technique: &'static str) -> Result<Vec<(Name, String)>, Problem> {
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

    /// All names that were asked for.
    #[cfg(all(feature = "embedded", any(test, feature = "hazmat")))]
    pub(super) fn asked(&self) -> &BTreeSet<&'static str> {
        &self.known
    }

    /// Takes a word that is not part of the technique.
    pub(in crate::desensitise) fn word(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(word)) => Ok(Some(word)),
            Some(_) => Err(Problem::Value { name, expected: "a text in quotes" }),
        }
    }

    /// Takes a number that is not part of the technique.
    pub(in crate::desensitise) fn number(&mut self, name: &'static str) -> Result<Option<u64>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Integer(number)) if number >= 0 => Ok(Some(number.unsigned_abs())),
            Some(_) => Err(Problem::Value { name, expected: "a whole number, 0 or more" }),
        }
    }

    /// A parameter that must be there, by the reading of one that may be: `given.required("key", Given::name)`.
    ///
    /// # Errors
    /// [`Problem::MissingParameter`], or what the reading says.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Result<Option<T>, Problem>,
    ) -> Result<T, Problem> {
        read(self, name)?.ok_or(Problem::MissingParameter { name })
    }

    /// A text of at most 1,024 bytes, NFC, without control characters.
    ///
    /// # Errors
    /// Any other value.
    pub fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        let found = self.word(name)?;
        if let Some(text) = &found {
            if text.len() > TEXT_BYTES_MAX || !unicode_normalization::is_nfc(text) || text.chars().any(char::is_control) {
                return Err(Problem::Value { name, expected: "a text of at most 1,024 bytes, NFC, without control characters" });
            }
            self.note(name, text.clone());
        }
        Ok(found)
    }

    /// One of the `known` words, by the function that reads them.
    ///
    /// # Errors
    /// [`Problem::Word`], and as [`Given::text`].
    pub fn one_of<T>(&mut self, name: &'static str, parse: fn(&str) -> Option<T>, known: &[&str]) -> Result<Option<T>, Problem> {
        self.text(name)?.map(|text| parse(&text).ok_or_else(|| Problem::word(name, &text, known))).transpose()
    }

    /// A name.
    ///
    /// # Errors
    /// Any other value.
    pub fn name(&mut self, name: &'static str) -> Result<Option<Name>, Problem> {
        let found = self.text(name)?;
        found.map(|text| Name::new(&text).map_err(|_| Problem::Value { name, expected: "a name of at most 128 bytes" })).transpose()
    }

    /// The name of a column.
    ///
    /// # Errors
    /// Any other value.
    pub fn column(&mut self, name: &'static str) -> Result<Option<ColumnName>, Problem> {
        let found = self.text(name)?;
        found.map(|text| ColumnName::new(&text).map_err(|_| Problem::Value { name, expected: "the name of a column" })).transpose()
    }

    /// A whole number from 0 to `most`.
    ///
    /// # Errors
    /// Any other value.
    pub fn count(&mut self, name: &'static str, most: u32) -> Result<Option<u32>, Problem> {
        let Some(found) = self.number(name)? else { return Ok(None) };
        let count = u32::try_from(found).ok().filter(|count| *count <= most).ok_or(Problem::TooLarge { name, most: u64::from(most) })?;
        self.note(name, count.to_string());
        Ok(Some(count))
    }

    /// Yes or no.
    ///
    /// # Errors
    /// Any other value.
    pub fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Flag(flag)) => {
                self.note(name, flag.to_string());
                Ok(Some(flag))
            }
            Some(_) => Err(Problem::Value { name, expected: "true or false" }),
        }
    }

    /// One character.
    ///
    /// # Errors
    /// Any other value.
    pub fn character(&mut self, name: &'static str) -> Result<Option<char>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(one), None) => Ok(Some(one)),
            _ => Err(Problem::Value { name, expected: "one character" }),
        }
    }

    /// A whole number or a decimal in quotes, never a float.
    ///
    /// # Errors
    /// Any other value.
    pub fn decimal(&mut self, name: &'static str) -> Result<Option<Decimal>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let decimal = decimal(&value).ok_or(Problem::Value { name, expected: DECIMAL })?;
        self.note(name, decimal.to_string());
        Ok(Some(decimal))
    }

    /// A list of at most 100 of these.
    ///
    /// # Errors
    /// Any other value.
    pub fn decimals(&mut self, name: &'static str) -> Result<Option<Vec<Decimal>>, Problem> {
        let expected = Problem::Value { name, expected: "a list of whole numbers or decimal strings" };
        let values = match self.take(name) {
            None => return Ok(None),
            Some(Value::List(values)) if values.len() <= LIST_MAX => values,
            Some(_) => return Err(expected),
        };
        let decimals: Vec<Decimal> = values.iter().map(decimal).collect::<Option<_>>().ok_or(expected)?;
        self.note(name, decimals.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        Ok(Some(decimals))
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
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
