//! Policies as people write them: TOML.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{ColumnPolicy, OffKindRule, Policy, PolicyError, Problem};
use crate::desensitise::{Given, ReleaseModel, RowOrder, Techniques, Value};
use crate::file;
use crate::grade::{Grade, Kind};
use crate::id::{ColumnName, Decimal};
use crate::table::COLUMNS_MAX;
use crate::value::DateOrder;

/// Sections of as many columns as a source may have, with room.
const FILE_BYTES_MAX: usize = 8 << 20;

/// A few sentences.
const REASON_BYTES_MAX: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    release: String,
    #[serde(default)]
    order: Option<String>,
    #[serde(default)]
    max_bad: Option<toml::Value>,
    #[serde(default)]
    off_kind: Option<String>,
    #[serde(default)]
    default: Option<toml::Table>,
    #[serde(default)]
    columns: BTreeMap<String, toml::Table>,
}

impl Policy {
    /// Reads `P.toml`.
    ///
    /// # Errors
    /// The file cannot be read or holds no policy.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, PolicyError> {
        Self::parse(&file::read_text(path, FILE_BYTES_MAX)?)
    }

    /// Reads the text of a policy.
    ///
    /// # Errors
    /// Not TOML, not of the shape, a technique or a parameter that is not known, or one that is missing.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        Self::parse_with(text, &Techniques::builtin())
    }

    /// Reads the text of a policy that names these techniques.
    ///
    /// # Errors
    /// As of [`Policy::parse`].
    pub fn parse_with(text: &str, techniques: &Techniques) -> Result<Self, PolicyError> {
        let file: File = file::from_toml(text)?;
        if file.columns.len() > COLUMNS_MAX {
            return Err(PolicyError::Policy(Problem::Columns { most: COLUMNS_MAX, found: file.columns.len() }));
        }
        let release = word("release", &file.release, ReleaseModel::parse, &["enclave", "controlled", "public"]);
        let order = file
            .order
            .as_deref()
            .map_or(Ok(RowOrder::Kept), |text| word("order", text, RowOrder::parse, &["kept", "shuffled", "by_output"]));
        let off_kind = file.off_kind.as_deref().map_or(Ok(OffKindRule::default()), off_kind);
        let section = |name: String, table| {
            let column = ColumnName::new(&name).map_err(|_| PolicyError::Column {
                column: "?".into(),
                problem: Problem::ColumnName { found: name.escape_debug().to_string() },
            })?;
            let policy = column_policy(table, techniques).map_err(|problem| PolicyError::Column { column: name, problem })?;
            Ok((column, policy))
        };
        let default = |table| {
            let of_all = PolicyError::Column { column: "[default]".into(), problem: Problem::Together(NOT_OF_ALL) };
            let policy = column_policy(table, techniques).map_err(|problem| PolicyError::Column { column: "[default]".into(), problem })?;
            if policy.not_personal.is_some() { Err(of_all) } else { Ok(policy) }
        };
        Ok(Self {
            release: release.map_err(PolicyError::Policy)?,
            order: order.map_err(PolicyError::Policy)?,
            max_bad: max_bad(file.max_bad).map_err(PolicyError::Policy)?,
            off_kind: off_kind.map_err(PolicyError::Policy)?,
            default: file.default.map(default).transpose()?,
            columns: file.columns.into_iter().map(|(name, table)| section(name, table)).collect::<Result<_, PolicyError>>()?,
        })
    }
}

/// One row in a thousand (rule H6).
pub(super) fn max_bad_default() -> Decimal {
    Decimal::new(1, 3).unwrap_or(Decimal::ZERO)
}

fn max_bad(value: Option<toml::Value>) -> Result<Decimal, Problem> {
    const WRONG: Problem = Problem::Value { name: "max_bad", expected: "a decimal in quotes from \"0\" to \"1\", at most nine places" };
    let text = match value {
        None => return Ok(max_bad_default()),
        Some(toml::Value::String(text)) => text,
        Some(toml::Value::Integer(number)) => number.to_string(),
        Some(_) => return Err(WRONG),
    };
    let share = Decimal::parse(&text).map_err(|_| WRONG)?;
    if share.scale() <= 9 && share.mantissa() >= 0 && share.units(9).is_some_and(|units| units <= 1_000_000_000) {
        Ok(share)
    } else {
        Err(WRONG)
    }
}

fn column_policy(table: toml::Table, techniques: &Techniques) -> Result<ColumnPolicy, Problem> {
    let mut parameters = Given::new(table.into_iter().map(|(name, value)| (name, Value::from(value))));
    let kind = parameters.word("kind")?;
    let kind = kind.map(|text| Kind::parse(&text).ok_or_else(|| Problem::word("kind", &text, KINDS))).transpose()?;
    let grade = parameters.number("grade")?;
    let grade =
        grade.map(|number| Grade::from_number(number).ok_or(Problem::Value { name: "grade", expected: "1, 2, 3 or 4" })).transpose()?;
    let off_kind = parameters.word("off_kind")?.as_deref().map(off_kind).transpose()?;
    let date_order = parameters.one_of("date_order", DateOrder::parse, &["dmy", "mdy", "ymd"])?;
    let not_personal = parameters.word("not_personal")?;
    not_personal.as_deref().map_or(Ok(()), reason)?;
    let name = parameters.required("technique", Given::word)?;
    let technique = techniques.parse(&name, &mut parameters)?;
    let parameters = parameters.finish(technique.name())?;
    Ok(ColumnPolicy { technique, parameters, kind, grade, off_kind, date_order, not_personal })
}

/// One reason cannot be true of columns that nobody has looked at.
const NOT_OF_ALL: &str = "`not_personal` is said of one column, in a section of its own";

/// A reason for people: not empty.
pub(super) fn reason(text: &str) -> Result<(), Problem> {
    let is_one = !text.trim().is_empty() && text.len() <= REASON_BYTES_MAX && !text.chars().any(char::is_control);
    let expected = "why, in a text of 1 to 1,024 bytes without control characters";
    if is_one { Ok(()) } else { Err(Problem::Value { name: "not_personal", expected }) }
}

const KINDS: &[&str] = &[
    "resident_id",
    "mobile",
    "landline",
    "email",
    "bank_card",
    "uscc",
    "plate",
    "passport",
    "ip",
    "date",
    "year_month",
    "name",
    "address",
    "amount",
    "category",
    "number",
    "code",
    "text",
];

fn off_kind(text: &str) -> Result<OffKindRule, Problem> {
    word("off_kind", text, OffKindRule::parse, &["refuse", "quarantine", "suppress"])
}

fn word<T>(field: &'static str, text: &str, parse: fn(&str) -> Option<T>, known: &[&str]) -> Result<T, Problem> {
    parse(text).ok_or_else(|| Problem::word(field, text, known))
}
