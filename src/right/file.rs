//! Terms as people write them: TOML.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::{RightKind, Terms, TermsError};
use crate::budget::{BudgetError, Loss};
use crate::class::Class;
use crate::file::{self, ReadError};
use crate::id::{ColumnName, IdError, Purpose, Time};
use crate::query::Operation;

/// Why a `T.toml` is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TermsFileError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] ReadError),
    /// Not TOML of this shape.
    #[error(transparent)]
    Toml(#[from] file::TomlError),
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
    /// A restriction that this version could not enforce, so it is not signed either.
    #[error("{field} is not supported yet")]
    Unsupported {
        /// The field.
        field: String,
    },
    /// A name or time that is none.
    #[error("{field}: {problem}")]
    Id {
        /// The field.
        field: &'static str,
        /// Why.
        problem: IdError,
    },
    /// An amount in no model, or in both.
    #[error(
        "budget is {{ epsilon = \"..\", delta = \"..\" }} or {{ rho = \"..\", delta = \"..\" }}, in the unit of the dataset, with decimal strings"
    )]
    Unit,
    /// An amount that is none.
    #[error("budget: {0}")]
    Budget(#[from] BudgetError),
    /// Terms that make no sense together.
    #[error(transparent)]
    Terms(#[from] TermsError),
}

impl TermsFileError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            _ => Class::BadInput,
        }
    }
}

/// Fields of rule J1 that have a name and no enforcement yet: refused by that name.
const LATER: [&str; 10] = [
    "row_filter",
    "place",
    "environment",
    "recipient",
    "duties",
    "third_party_keys",
    "max_status_age",
    "rows_per_answer",
    "compute_units",
    "reserved",
];
const FILE_BYTES_MAX: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    operations: Vec<String>,
    #[serde(default)]
    columns: Vec<String>,
    purposes: Vec<String>,
    budget: BudgetText,
    uses: u64,
    not_after: String,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    delegation: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetText {
    epsilon: Option<String>,
    rho: Option<String>,
    delta: Option<String>,
}

impl Terms {
    /// Reads `T.toml`.
    ///
    /// # Errors
    /// The file cannot be read, is not of the shape, or grants nothing that can be granted.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TermsFileError> {
        Self::parse(&file::read_text(path, FILE_BYTES_MAX)?)
    }

    /// Reads the text of a `T.toml`.
    ///
    /// # Errors
    /// As [`Terms::read`].
    pub fn parse(text: &str) -> Result<Self, TermsFileError> {
        let table: toml::Table = file::from_toml(text)?;
        if let Some(field) = table.keys().find(|key| LATER.contains(&key.as_str())) {
            return Err(TermsFileError::Unsupported { field: field.clone() });
        }
        let file: File = file::from_toml(text)?;
        file.check()
    }
}

impl File {
    fn check(self) -> Result<Terms, TermsFileError> {
        let kind = RightKind::from_name(&self.kind).ok_or_else(|| word("kind", &self.kind, &["process", "operate"]))?;
        let names: Vec<&str> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        let operations = self.operations.iter().map(|name| Operation::from_name(name).ok_or_else(|| word("operations", name, &names)));
        let columns =
            self.columns.iter().map(|name| ColumnName::new(name).map_err(|problem| TermsFileError::Id { field: "columns", problem }));
        let purposes =
            self.purposes.iter().map(|name| Purpose::new(name).map_err(|problem| TermsFileError::Id { field: "purposes", problem }));
        let time = |field, text: &str| Time::parse(text).map_err(|problem| TermsFileError::Id { field, problem });
        let terms = Terms {
            kind,
            operations: operations.collect::<Result<BTreeSet<_>, _>>()?,
            columns: columns.collect::<Result<BTreeSet<_>, _>>()?,
            purposes: purposes.collect::<Result<BTreeSet<_>, _>>()?,
            budget: self.budget.check()?,
            uses: self.uses,
            not_after: time("not_after", &self.not_after)?,
            delegation: self.delegation,
            not_before: self.not_before.as_deref().map(|text| time("not_before", text)).transpose()?,
        };
        terms.check_new()?;
        Ok(terms)
    }
}

impl BudgetText {
    fn check(self) -> Result<Loss, TermsFileError> {
        let delta = self.delta.as_deref().unwrap_or("0");
        match (self.epsilon, self.rho) {
            (Some(epsilon), None) => Ok(Loss::approx(&epsilon, delta)?),
            (None, Some(rho)) => Ok(Loss::zcdp(&rho, delta)?),
            _ => Err(TermsFileError::Unit),
        }
    }
}

fn word(field: &'static str, found: &str, known: &[&str]) -> TermsFileError {
    TermsFileError::Word { field, found: found.escape_debug().to_string(), known: known.join(", ") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TERMS: &str = r#"
kind = "process"
operations = ["count", "mean"]
columns = ["sex", "age"]
purposes = ["research:health"]
budget = { epsilon = "1.0", delta = "0" }
uses = 100
not_after = "2030-01-01T00:00:00Z"
delegation = 0
"#;

    #[test]
    fn the_example_is_read() {
        let terms = Terms::parse(TERMS).unwrap();
        assert_eq!(terms.budget, Loss::approx("1", "0").unwrap());
        assert_eq!(terms.operations.len(), 2);
    }

    #[test]
    fn the_page_lists_what_is_refused_by_name() {
        let page = include_str!("../../docs/files.md");
        for field in LATER {
            assert_eq!(page.matches(&format!("\n| `{field}` | | none | refused |")).count(), 1, "{field}");
        }
    }

    #[test]
    fn a_budget_is_in_either_unit() {
        let budget = |text: &str| Terms::parse(&TERMS.replace("epsilon = \"1.0\", delta = \"0\"", text)).map(|terms| terms.budget);
        assert_eq!(budget("rho = \"0.5\", delta = \"0.000001\"").unwrap(), Loss::zcdp("0.5", "0.000001").unwrap());
        assert_eq!(budget("rho = \"0.5\"").unwrap(), Loss::zcdp("0.5", "0").unwrap());
        assert_eq!(budget("epsilon = \"1\", delta = \"0.000001\"").unwrap(), Loss::approx("1", "0.000001").unwrap());
    }

    #[test]
    fn wrong_terms_are_refused_with_the_reason() {
        for (from, to, reason) in [
            ("kind = \"process\"", "kind = \"hold\"", "process, operate"),
            ("\"mean\"", "\"max\"", "max"),
            ("\"count\", \"mean\"", "", "at least one"),
            ("\"research:health\"", "\"research:\"", "purpose"),
            ("\"1.0\"", "\"0\"", "more than nothing"),
            ("epsilon = \"1.0\"", "rho = \"0\"", "more than nothing"),
            ("epsilon = \"1.0\", ", "", "{ rho = \"..\", delta = \"..\" }"),
            ("epsilon = \"1.0\"", "epsilon = \"1\", rho = \"1\"", "in the unit of the dataset"),
            ("epsilon = \"1.0\"", "rho = \"1e-1\"", "rho is a decimal"),
            ("\"1.0\"", "\"NaN\"", "epsilon"),
            ("\"1.0\"", "\"-1\"", "epsilon"),
            ("\"1.0\"", "1.0", "line"),
            ("uses = 100", "uses = 0", "at least 1"),
            ("uses = 100", "uses = -1", "line"),
            ("2030-01-01T00:00:00Z", "2030-01-01", "not_after"),
            ("delegation = 0", "delegation = 1", "not supported yet"),
            ("delegation = 0", "place = [\"CN\"]", "place is not supported yet"),
            ("delegation = 0", "colour = 1", "colour"),
            ("delegation = 0", "not_before = \"2031-01-01T00:00:00Z\"", "not earlier than"),
        ] {
            assert!(TERMS.contains(from), "{from}");
            let error = Terms::parse(&TERMS.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(reason), "{to}: {error}");
        }
    }
}
