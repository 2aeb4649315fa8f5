//! A first policy for a file, with the reason of each choice.

use std::fmt::Write as _;

use super::Policy;
use crate::desensitise::{ReleaseModel, RowOrder};
use crate::grade::{Finding, Grade, Kind, Role, ValueType};

/// The key that suggested policies name, and `usufruct key new --kind desensitise` makes unless told otherwise.
pub const KEY_ID_DEFAULT: &str = "pseudonym";

/// A policy for a file with these findings, as TOML with a comment on each choice. It passes the check of its release
/// model; `public` excepted, which nothing passes yet. A person should read it: what a column means is not in its cells.
#[must_use]
pub fn suggest(findings: &[Finding], release: ReleaseModel) -> String {
    let order = if release == ReleaseModel::Enclave { RowOrder::Kept } else { RowOrder::Shuffled };
    let mut out = format!("release = \"{release}\"\norder = \"{order}\"\n");
    let _ = writeln!(out, "max_bad = \"0.001\"          # share of rows that may be left out because a cell is not of its kind");
    for finding in findings {
        let choices = [choice(finding, release), Choice::suppress("nothing coarser reaches what the release model asks for")];
        let Some(choice) = choices.into_iter().find(|choice| choice.passes(finding, findings, release)) else { continue };
        let _ = writeln!(
            out,
            "\n# {}, grade {}: {} ({})",
            finding.kind.as_str(),
            finding.grade.number(),
            finding.reason.text,
            finding.reason.clause
        );
        let _ = writeln!(out, "# {}", choice.why);
        if choice.leaves_cells(finding) {
            let _ = writeln!(out, "# some cells are not of the kind; they are left empty, which `off_kind` says");
        }
        out.push_str(&choice.section(finding));
    }
    out
}

/// A technique with its parameters, and why.
struct Choice {
    lines: Vec<String>,
    why: &'static str,
}

impl Choice {
    fn new(technique: &str, parameters: &[&str], why: &'static str) -> Self {
        let first = format!("technique = \"{technique}\"");
        Self { lines: std::iter::once(first).chain(parameters.iter().map(ToString::to_string)).collect(), why }
    }

    fn suppress(why: &'static str) -> Self {
        Self::new("suppress", &[], why)
    }

    fn pseudonym(why: &'static str) -> Self {
        Self::new("pseudonym", &[&format!("key = \"{KEY_ID_DEFAULT}\"")], why)
    }

    fn section(&self, finding: &Finding) -> String {
        let off_kind = if self.leaves_cells(finding) { "off_kind = \"suppress\"\n" } else { "" };
        format!("[columns.{}]\n{}\n{off_kind}", quoted(finding.column.as_str()), self.lines.join("\n"))
    }

    /// Whether the technique reads values of the kind and the column has others: up to the share that its kind allows, so
    /// more than rows may be left out.
    fn leaves_cells(&self, finding: &Finding) -> bool {
        let reads = ["mask", "truncate", "date"].iter().any(|technique| self.lines[0] == format!("technique = \"{technique}\""));
        reads && finding.matched < finding.sampled
    }

    /// Whether the release model lets the column leave like this.
    fn passes(&self, finding: &Finding, findings: &[Finding], release: ReleaseModel) -> bool {
        let text = format!("release = \"{release}\"\n{}", self.section(finding));
        let Ok(policy) = Policy::parse(&text) else { return false };
        policy.column(&finding.column).is_some_and(|section| policy.objection_to_residual(section, finding, findings).is_none())
    }
}

fn choice(finding: &Finding, release: ReleaseModel) -> Choice {
    const LINKS: &str = "rows of one person stay linked, in all files made with the same key, and nobody without the key gets back";
    if finding.grade == Grade::L4 {
        return Choice::suppress("grade 4 is never opened");
    }
    let public = release == ReleaseModel::Public;
    match &finding.kind {
        Kind::ResidentId | Kind::Passport | Kind::Uscc | Kind::Code | Kind::Email | Kind::Ip | Kind::Landline | Kind::Plate => {
            Choice::pseudonym(LINKS)
        }
        Kind::Mobile => {
            Choice::new("mask", &["keep_first = 3", "keep_last = 4"], "prefix and last four digits stay, 10,000 numbers look alike")
        }
        Kind::BankCard => Choice::new("mask", &["keep_last = 4"], "the last digits stay, without the check digit"),
        Kind::Name => Choice::new("mask", &["keep_first = 1", "width = 2"], "the first character stays; the fixed width hides the length"),
        Kind::Date if finding.grade == Grade::L1 => Choice::new("keep", &[], "grade 1 is open"),
        Kind::Date if finding.date_order.is_none() => Choice::new(
            "date",
            &["level = \"year\""],
            "the cells do not tell the order of day and month, which the year does not need; date_order = \"dmy\" or \"mdy\" declares it",
        ),
        Kind::Date if public => Choice::new("date", &["level = \"year\""], "365 days or more look alike"),
        Kind::Date => Choice::new("date", &["level = \"month\""], "28 days or more look alike"),
        Kind::YearMonth if finding.grade == Grade::L1 => Choice::new("keep", &[], "grade 1 is open"),
        Kind::YearMonth => Choice::new("date", &["level = \"year\""], "12 months look alike"),
        Kind::Address => Choice::new("truncate", &["level = \"city\""], "district, street and house are cut off"),
        Kind::Amount => rounded(finding, "amounts are rounded, so that one cannot be looked up"),
        Kind::Number if finding.grade == Grade::L3 => rounded(finding, "numbers are rounded, so that one cannot be looked up"),
        Kind::Number if finding.role == Role::Quasi && finding.value_type == ValueType::Integer => {
            Choice::new("bin", &["width = 10"], "with other columns it could single a person out; ten values look alike")
        }
        Kind::Text if finding.grade > Grade::L1 || !finding.also.is_empty() => {
            Choice::suppress("free text may say anything, and what was found in it is not all that is in it")
        }
        _ if finding.grade < Grade::L3 && !(public && finding.grade == Grade::L2) => {
            Choice::new("keep", &[], "its grade lets it leave as it is")
        }
        _ => Choice::pseudonym(LINKS),
    }
}

/// Rounding to a hundred steps.
fn rounded(finding: &Finding, why: &'static str) -> Choice {
    match finding.value_type {
        ValueType::Real { scale: scale @ 1..=9 } => {
            let step = format!("step = \"0.{}1\"", "0".repeat(usize::from(scale) - 1));
            Choice::new("round", &["to = 100", &step], why)
        }
        ValueType::Integer | ValueType::Real { scale: 0 } => Choice::new("round", &["to = 100", "step = 1"], why),
        _ => Choice::suppress("it is not a column of plain numbers"),
    }
}

/// A key of TOML in quotes; names of columns have no control characters.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
