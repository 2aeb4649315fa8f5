//! Files that people write, in TOML: read into what they stand for, or told where they cannot be.

use serde::de::DeserializeOwned;

use crate::class::Class;

/// What is wrong with a TOML file and where, without the text that stands there: a wrong file may hold cells or secrets (rule G1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct TomlError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
}

impl TomlError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}

/// Reads the text of a file.
pub(crate) fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, TomlError> {
    ::toml::from_str(text).map_err(|error| {
        let (line, column) = line_and_column(text, error.span().map_or(0, |span| span.start));
        TomlError { line, column, problem: toml_problem(&error) }
    })
}

/// The place of a byte, from 1.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let whole = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    let before = &text[..whole.unwrap_or(0)];
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    (1 + before.matches('\n').count(), 1 + before[line..].chars().count())
}

/// The message of the library without the values that it quotes.
pub(crate) fn toml_problem(error: &::toml::de::Error) -> String {
    let message = error.message();
    // "invalid type: integer `7`, expected a string" and "invalid value: string \"x\", expected ...": the kind stays.
    let value = message.find(['`', '"']).filter(|_| message.starts_with("invalid "));
    let shown = match value.zip(message.rfind(", expected")) {
        Some((from, to)) if from < to => format!("{}{}", message[..from].trim_end(), &message[to..]),
        _ => message.to_owned(),
    };
    shown.escape_debug().to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[expect(dead_code, reason = "read, not used")]
        number: u8,
    }

    #[test]
    fn the_place_is_told_and_the_value_is_not() {
        for (text, told) in [
            ("number = \"Zhang San\"", "line 1, column 10: invalid type: string, expected u8"),
            ("\n\n  number = 300", "line 3, column 12: invalid value: integer, expected u8"),
            ("number = 1\nother = 2", "line 2, column 1: unknown field `other`, expected `number`"),
            ("# 年龄\n\"年龄\" = 7", "line 2, column 1: unknown field `年龄`, expected `number`"),
            ("number = [\"年龄\", 秘密]", "line 1, column 17: "),
        ] {
            let error = from_toml::<Shape>(text).unwrap_err();
            assert!(error.to_string().starts_with(told), "{text:?}: {error}");
            assert_eq!(error.class(), Class::BadInput);
        }
    }

    #[test]
    fn places_count_characters() {
        let text = "a\n年b\n";
        let places: Vec<_> = (0..=text.len() + 1).map(|at| line_and_column(text, at)).collect();
        assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 1), (2, 1), (2, 2), (2, 3), (3, 1), (3, 1)]);
    }
}
