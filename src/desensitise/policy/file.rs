//! Policies as people write them: TOML.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{ColumnPolicy, OffKindRule, Policy, PolicyError, Problem};
use crate::anonymity::{UNIQUE_MOST_DEFAULT, UniqueShare};
use crate::desensitise::{Given, ReleaseModel, RowOrder, Techniques, Value};
use crate::grade::{Grade, Kind};
use crate::id::{ColumnName, Decimal};
use crate::table::COLUMNS_MAX;
use crate::value::DateOrder;
use crate::{file, form};

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
    max_unique: Option<toml::Value>,
    #[serde(default)]
    because: Option<String>,
    #[serde(default)]
    subject: Option<String>,
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
        if let Some((_, kind)) = form::first_identifier(&file.columns.keys().map(String::as_str).collect::<Vec<_>>()) {
            return Err(PolicyError::Policy(Problem::NameIsData { kind }));
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
            if policy.not_personal.is_some() || policy.not_known.is_some() { Err(of_all) } else { Ok(policy) }
        };
        let subject = file.subject.map(|name| {
            ColumnName::new(&name).map_err(|_| PolicyError::Policy(Problem::ColumnName { found: name.escape_debug().to_string() }))
        });
        Ok(Self {
            release: release.map_err(PolicyError::Policy)?,
            order: order.map_err(PolicyError::Policy)?,
            max_bad: share("max_bad", file.max_bad, 9, max_bad_default()).map_err(PolicyError::Policy)?,
            max_unique: max_unique(file.max_unique, file.because.as_deref()).map_err(PolicyError::Policy)?,
            because: file.because,
            subject: subject.transpose()?,
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

/// A share of at most so many places.
fn share(name: &'static str, value: Option<toml::Value>, places: u8, default: Decimal) -> Result<Decimal, Problem> {
    let expected = match places {
        9 => "a decimal in quotes from \"0\" to \"1\", at most nine places",
        _ => "a decimal in quotes from \"0\" to \"1\", at most six places",
    };
    let wrong = || Problem::Value { name, expected };
    let text = match value {
        None => return Ok(default),
        Some(toml::Value::String(text)) => text,
        Some(toml::Value::Integer(number)) => number.to_string(),
        Some(_) => return Err(wrong()),
    };
    let share = Decimal::parse(&text).map_err(|_| wrong())?;
    let is_one = share.scale() <= places && share.mantissa() >= 0 && share <= Decimal::ONE;
    if is_one { Ok(share) } else { Err(wrong()) }
}

/// The share of persons who may be unique, and why it may be more than usual.
fn max_unique(value: Option<toml::Value>, because: Option<&str>) -> Result<UniqueShare, Problem> {
    let twentieth = Decimal::new(5, 2).unwrap_or(Decimal::ZERO);
    let stated = UniqueShare::from_decimal(share("max_unique", value, 6, twentieth)?).unwrap_or(UNIQUE_MOST_DEFAULT);
    unique_stated(stated, because).map(|()| stated)
}

/// More than usual takes a reason.
pub(super) fn unique_stated(most: UniqueShare, because: Option<&str>) -> Result<(), Problem> {
    match because {
        Some(why) => reason("because", why),
        None if most > UNIQUE_MOST_DEFAULT => Err(Problem::Together("`max_unique` above \"0.05\" needs `because = \"why\"`")),
        None => Ok(()),
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
    not_personal.as_deref().map_or(Ok(()), |why| reason("not_personal", why))?;
    let not_known = parameters.word("not_known")?;
    not_known.as_deref().map_or(Ok(()), |why| reason("not_known", why))?;
    let name = parameters.required("technique", Given::word)?;
    let technique = techniques.parse(&name, &mut parameters)?;
    let parameters = parameters.finish(technique.name())?;
    Ok(ColumnPolicy { technique, parameters, kind, grade, off_kind, date_order, not_personal, not_known })
}

/// One reason cannot be true of columns that nobody has looked at.
const NOT_OF_ALL: &str = "`not_personal` and `not_known` are said of one column, in a section of its own";

/// A reason for people: not empty.
pub(super) fn reason(name: &'static str, text: &str) -> Result<(), Problem> {
    let is_one = !text.trim().is_empty() && text.len() <= REASON_BYTES_MAX && !text.chars().any(char::is_control);
    let expected = "why, in a text of 1 to 1,024 bytes without control characters";
    if is_one { Ok(()) } else { Err(Problem::Value { name, expected }) }
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
