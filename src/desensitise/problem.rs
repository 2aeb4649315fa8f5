//! What is wrong with a value of a policy.

use super::TechniqueError;
use crate::class::Class;
use crate::generalise::GeneraliseError;

/// What is wrong with a value of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A word that is none of those known.
    #[error("{field}: `{found}` is not known here; known are {known}")]
    Word {
        /// The field.
        field: &'static str,
        /// What stands there, control characters escaped.
        found: String,
        /// What may stand there.
        known: String,
    },
    /// A parameter that the technique does not have.
    #[error("the technique {technique} has no parameter `{name}`; known are {known}")]
    UnknownParameter {
        /// The parameter, control characters escaped.
        name: String,
        /// The technique.
        technique: &'static str,
        /// What may stand in its section.
        known: String,
    },
    /// A parameter that the technique needs.
    #[error("`{name}` is missing")]
    MissingParameter {
        /// The parameter.
        name: &'static str,
    },
    /// A value of another form.
    #[error("`{name}`: expected {expected}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// What may stand there.
        expected: &'static str,
    },
    /// A number that is too large.
    #[error("`{name}`: at most {most} is allowed")]
    TooLarge {
        /// The parameter.
        name: &'static str,
        /// The most.
        most: u64,
    },
    /// Parameters that do not go together.
    #[error("{0}")]
    Together(&'static str),
    /// Parameters that a policy cannot state.
    #[error("a policy cannot state the parameters of this {technique}")]
    Unstated {
        /// The technique.
        technique: &'static str,
    },
    /// Parameters that make no technique.
    #[error(transparent)]
    Technique(#[from] TechniqueError),
    /// Parameters that make no levels.
    #[error(transparent)]
    Generalise(#[from] GeneraliseError),
    /// Not the name of a column.
    #[error("`{found}` cannot be the name of a column")]
    ColumnName {
        /// What stands there, control characters escaped.
        found: String,
    },
    /// A name that is a cell, and stands in no message.
    #[error("a column is called by what is a cell ({kind}); the columns of a file without a header are c1, c2, ...")]
    NameIsData {
        /// The kind whose form it has.
        kind: &'static str,
    },
    /// Too many columns.
    #[error("at most {most} columns are allowed, found {found}")]
    Columns {
        /// The most.
        most: usize,
        /// How many there are.
        found: usize,
    },
}

impl Problem {
    /// A word that is none of those `known`.
    #[must_use]
    pub fn word(field: &'static str, found: &str, known: &[&str]) -> Self {
        Self::Word { field, found: found.chars().take(64).collect::<String>().escape_debug().to_string(), known: known.join(", ") }
    }

    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}
