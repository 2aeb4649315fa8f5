//! The verb `classify`: kind, grade and evidence of every column of a file.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use usufruct::file::{Output, OutputOptions};
use usufruct::grade::{Distinct, Finding, Kind, Overlap, ValueType, overall};
use usufruct::value::DateOrder;

use crate::failure::{Failure, OrFail};
use crate::output::{self, Table};
use crate::records::Input;

/// Find out what the columns of a file are, and grade them: kind, grade 1 to 4, evidence, reason and clause
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct classify register.csv --recognisers ours.toml -o register.report.json

ours.toml:
  [[recogniser]]
  name = \"staff_no\"
  pattern = \"S[0-9]{6}\"           # of the whole cell
  check = \"luhn\"                  # optional
  headers = [\"工号\", \"staff no\"]
  grade = 3
  direct = true                   # singles out a person alone

Every cell is looked at. The report counts raw data: it is internal, and its file is readable by its owner only.")]
pub(crate) struct Classify {
    #[command(flatten)]
    input: Input,
    /// Write the report as JSON, readable by its owner only
    #[arg(short, long = "out", value_name = "REPORT.json")]
    out: Option<PathBuf>,
    /// Replace the report if it exists
    #[arg(long)]
    force: bool,
    /// A report to show others: counts to the nearest 10, small classes together
    #[arg(long)]
    shareable: bool,
}

#[derive(Serialize)]
struct Told {
    internal: bool,
    grade: u64,
    reason: String,
    clause: String,
    columns: Vec<Column>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    kind: String,
    grade: u64,
    confidence: f64,
    matched: u64,
    sampled: u64,
    nulls: u64,
    role: &'static str,
    reason: String,
    clause: String,
    value_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<u8>,
    /// Of dates: `ymd`, `dmy`, `mdy`, or `unknown` when the cells do not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    date_order: Option<&'static str>,
    distinct: u64,
    /// Whether there are no more than that.
    distinct_exact: bool,
    /// Other kinds in its cells, with how many cells have them.
    also: BTreeMap<String, u64>,
    header_hint: bool,
    /// What the header names whatever the cells are: `resident_id`, `phone`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    header_names: Option<&'static str>,
    /// Whether the cells do not look like that.
    header_disagrees: bool,
    /// Columns whose value it carries, or a part of it at a fixed place; never in a shareable report.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    overlaps: Vec<Overlap>,
}

/// Counts of a shareable report are multiples of this; classes below it go together.
const STEP: u64 = 10;

impl Classify {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let source = self.input.open()?;
        let options = OutputOptions { force: self.force, private: true };
        let report = self.out.as_ref().map(|path| Output::create(path, options)).transpose().or_fail()?;
        let findings = self.input.look(&source)?;
        let told = Told::of(&findings, self.shareable);
        if let Some(mut report) = report {
            // A write that fails is told by `commit`, with the name of the file.
            let _ = report.write_all(output::json(&told)?.as_bytes());
            report.commit().or_fail()?;
        }
        if json { output::print_json(&told) } else { output::print(&told.to_text()) }
    }
}

impl Told {
    fn of(findings: &[Finding], shareable: bool) -> Self {
        let (grade, reason) = overall(findings);
        let columns = findings.iter().map(|finding| Column::of(finding, shareable)).collect();
        let (reason, clause) = (reason.text.into_owned(), reason.clause.into_owned());
        Self { internal: !shareable, grade: grade.number(), reason, clause, columns }
    }

    fn to_text(&self) -> String {
        let header = ["column", "kind", "grade", "confidence", "evidence", "reason"];
        let mut table = Table::new(usize::MAX, header.map(str::to_owned).into());
        for column in &self.columns {
            table.row(vec![
                column.name.clone(),
                column.kind.clone(),
                column.grade.to_string(),
                format!("{:.2}", column.confidence),
                column.evidence(),
                format!("{} ({})", column.reason, column.clause),
            ]);
        }
        let first = if self.internal { "internal: counts of raw data, not to be passed on\n" } else { "" };
        format!("{first}{table}file: grade {}: {} ({})\n", self.grade, self.reason, self.clause)
    }
}

impl Column {
    fn of(finding: &Finding, shareable: bool) -> Self {
        let count = |count: u64| if shareable { (count + STEP / 2) / STEP * STEP } else { count };
        let mut also = BTreeMap::new();
        for (kind, cells) in &finding.also {
            let name = if shareable && *cells < STEP { "other" } else { kind.as_str() };
            *also.entry(name.to_owned()).or_insert(0) += cells;
        }
        also.values_mut().for_each(|cells| *cells = count(*cells));
        let digits = if shareable { 10.0 } else { 10_000.0 };
        Self {
            name: finding.column.as_str().to_owned(),
            kind: finding.kind.as_str().to_owned(),
            grade: finding.grade.number(),
            confidence: (finding.confidence * digits).round() / digits,
            matched: count(finding.matched),
            sampled: count(finding.sampled),
            nulls: count(finding.nulls),
            role: finding.role.as_str(),
            reason: finding.reason.text.clone().into_owned(),
            clause: finding.reason.clause.clone().into_owned(),
            value_type: finding.value_type.as_str(),
            scale: match finding.value_type {
                ValueType::Real { scale } => Some(scale),
                _ => None,
            },
            date_order: matches!(finding.kind, Kind::Date).then(|| finding.date_order.map_or("unknown", DateOrder::as_str)),
            distinct: count(finding.distinct.at_least()),
            distinct_exact: !shareable && matches!(finding.distinct, Distinct::Exactly(_)),
            also,
            header_hint: finding.header_hint,
            header_names: finding.floor.as_ref().map(|floor| floor.named.as_str()),
            header_disagrees: finding.floor.as_ref().is_some_and(|floor| floor.disagrees),
            overlaps: finding.overlaps.iter().filter(|_| !shareable).cloned().collect(),
        }
    }

    /// `998 of 1000, header; mobile 3`.
    fn evidence(&self) -> String {
        let header = if self.header_hint { ", header" } else { "" };
        let also: String = self.also.iter().map(|(kind, count)| format!("; {kind} {count}")).collect();
        let disagrees = self.header_names.filter(|_| self.header_disagrees);
        let disagrees = disagrees.map(|named| format!("; header names {named}, cells do not")).unwrap_or_default();
        let order = if self.date_order == Some("unknown") { "; order of day and month unknown" } else { "" };
        let overlaps: String = self.overlaps.iter().map(in_words).collect();
        format!("{} of {}{header}{disagrees}{also}{order}{overlaps}", self.matched, self.sampled)
    }
}

fn in_words(overlap: &Overlap) -> String {
    match overlap.place {
        Some((from, len)) => format!("; characters {} to {} of {}", from + 1, from + len, overlap.column),
        None => format!("; a part of {}", overlap.column),
    }
}
