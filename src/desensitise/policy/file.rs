//! Policies as people write them: TOML.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::parameters::{Parameters, needed};
use super::{ColumnPolicy, OffKindRule, Policy, PolicyError, Problem};
use crate::desensitise::technique::{
    Bin, Clamp, DateShift, Mask, Permute, Pseudonym, Round, SHIFT_DAYS_MAX, Suppress, Technique, Truncate,
};
use crate::desensitise::{ReleaseModel, RowOrder};
use crate::file;
use crate::generalise::{AddressLevel, Bins, DateLevel};
use crate::grade::{Grade, Kind};
use crate::id::{ColumnName, Decimal};
use crate::table::COLUMNS_MAX;
use crate::value::DateOrder;

/// Sections of as many columns as a source may have, with room.
const FILE_BYTES_MAX: usize = 8 << 20;
/// One row in a thousand (rule H6).
const MAX_BAD_DEFAULT: &str = "0.001";

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
            let policy = column_policy(table).map_err(|problem| PolicyError::Column { column: name, problem })?;
            Ok((column, policy))
        };
        let default = |table| column_policy(table).map_err(|problem| PolicyError::Column { column: "[default]".into(), problem });
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

fn max_bad(value: Option<toml::Value>) -> Result<Decimal, Problem> {
    const WRONG: Problem = Problem::Value { name: "max_bad", expected: "a decimal in quotes from \"0\" to \"1\", at most nine places" };
    let text = match value {
        None => MAX_BAD_DEFAULT.to_owned(),
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

fn column_policy(table: toml::Table) -> Result<ColumnPolicy, Problem> {
    let mut parameters = Parameters::new(table);
    let kind = parameters.word("kind")?;
    let kind = kind.map(|text| Kind::parse(&text).ok_or_else(|| unknown("kind", &text, KINDS))).transpose()?;
    let grade = parameters.number("grade")?;
    let grade =
        grade.map(|number| Grade::from_number(number).ok_or(Problem::Value { name: "grade", expected: "1, 2, 3 or 4" })).transpose()?;
    let off_kind = parameters.word("off_kind")?.as_deref().map(off_kind).transpose()?;
    let date_order = parameters.text("date_order")?;
    let date_order = date_order.map(|text| word("date_order", &text, DateOrder::parse, &["dmy", "mdy", "ymd"])).transpose()?;
    let name = needed(parameters.word("technique")?, "technique")?;
    let technique = technique(&name, &mut parameters)?;
    let parameters = parameters.finish(technique.name())?;
    Ok(ColumnPolicy { technique, parameters, kind, grade, off_kind, date_order })
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
const TECHNIQUES: &[&str] =
    &["keep", "suppress", "mask", "truncate", "pseudonym", "bin", "round", "top_bottom", "date", "date_shift", "permute"];
/// No cell has more characters than this.
const CHARACTERS_MAX: u32 = 1 << 20;

fn technique(name: &str, given: &mut Parameters) -> Result<Technique, Problem> {
    Ok(match name {
        "keep" => Technique::Keep,
        "suppress" => Technique::Suppress(given.text("replace")?.map_or(Suppress::DROP, |text| Suppress::replace(&text))),
        "mask" => Technique::Mask(mask(given)?),
        "truncate" => Technique::Truncate(match (given.count("keep_first", CHARACTERS_MAX)?, given.text("level")?) {
            (Some(keep_first), None) => Truncate::first(keep_first)?,
            (None, Some(level)) => {
                Truncate::address(word("level", &level, AddressLevel::parse, &["province", "city", "district", "street"])?)
            }
            _ => return Err(Problem::Together("truncate takes either `keep_first` or, for addresses, `level`")),
        }),
        "pseudonym" => Technique::Pseudonym(Pseudonym {
            key: needed(given.name("key")?, "key")?,
            version: given.count("key_version", u32::MAX)?,
            domain: given.name("domain")?,
        }),
        "bin" => {
            let step = given.decimal("step")?;
            let bins = match (given.decimal("width")?, given.decimal("origin")?, given.decimals("edges")?) {
                (Some(width), origin, None) => Bins::of_width(width, origin.unwrap_or(Decimal::ZERO))?,
                (None, None, Some(edges)) => Bins::of_edges(&edges)?,
                _ => return Err(Problem::Together("bin takes either `width` (and perhaps `origin`) or `edges`")),
            };
            Technique::Bin(Bin { bins, step })
        }
        "round" => {
            let (to, step) = (needed(given.decimal("to")?, "to")?, given.decimal("step")?);
            Technique::Round(Round::new(to, step)?)
        }
        "top_bottom" => Technique::Clamp(Clamp::new(given.decimal("bottom")?, given.decimal("top")?)?),
        "date" => {
            let level = needed(given.text("level")?, "level")?;
            Technique::Date(word("level", &level, DateLevel::parse, &["day", "month", "quarter", "year"])?)
        }
        "date_shift" => {
            let (key, subject) = (needed(given.name("key")?, "key")?, needed(given.column("subject")?, "subject")?);
            let days = needed(given.count("days", SHIFT_DAYS_MAX)?, "days")?;
            let mut shift = DateShift::new(key, subject, days)?;
            if let Some(version) = given.count("key_version", u32::MAX)? {
                shift = shift.version(version);
            }
            if let Some(domain) = given.name("domain")? {
                shift = shift.domain(domain);
            }
            Technique::DateShift(shift)
        }
        "permute" => Technique::Permute(Permute {
            key: needed(given.name("key")?, "key")?,
            version: given.count("key_version", u32::MAX)?,
            domain: given.name("domain")?,
        }),
        other => return Err(unknown("technique", other, TECHNIQUES)),
    })
}

fn mask(given: &mut Parameters) -> Result<Mask, Problem> {
    let (first, last) = (given.count("keep_first", CHARACTERS_MAX)?, given.count("keep_last", CHARACTERS_MAX)?);
    let range = (given.count("from", CHARACTERS_MAX)?, given.count("to", CHARACTERS_MAX)?);
    let mut mask = match (first, last, range) {
        (first, last, (None, None)) => Mask::ends(first.unwrap_or(0), last.unwrap_or(0)),
        (None, None, (Some(from), Some(to))) => Mask::range(from, to)?,
        _ => return Err(Problem::Together("mask takes either `keep_first` and `keep_last` or `from` and `to`")),
    };
    if let Some(with) = given.character("with")? {
        mask = mask.with(with)?;
    }
    if let Some(width) = given.count("width", u32::from(u16::MAX))? {
        mask = mask.width(u16::try_from(width).unwrap_or(u16::MAX))?;
    }
    let (show_check, keep_domain) = (given.flag("show_check")?.unwrap_or(false), given.flag("keep_domain")?.unwrap_or(false));
    Ok(mask.show_check(show_check).keep_domain(keep_domain))
}

fn off_kind(text: &str) -> Result<OffKindRule, Problem> {
    word("off_kind", text, OffKindRule::parse, &["refuse", "quarantine", "suppress"])
}

fn word<T>(field: &'static str, text: &str, parse: fn(&str) -> Option<T>, known: &[&str]) -> Result<T, Problem> {
    parse(text).ok_or_else(|| unknown(field, text, known))
}

fn unknown(field: &'static str, found: &str, known: &[&str]) -> Problem {
    Problem::Word { field, found: found.chars().take(64).collect::<String>().escape_debug().to_string(), known: known.join(", ") }
}
