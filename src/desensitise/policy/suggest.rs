//! A first policy for a file, with the reason of each choice.

use std::fmt::Write as _;

use super::Policy;
use crate::desensitise::{ReleaseModel, RowOrder, Suggestion, Techniques, Value};
use crate::grade::Finding;

/// A policy for a file with these findings, as TOML with a comment on each choice. Each column passes the check of its release model,
/// `public` excepted, which nothing passes yet; whether all together do is counted on the file ([`suggest_fitting`](crate::desensitise::suggest_fitting)).
/// A person should read it: what a column means is not in its cells.
#[must_use]
pub fn suggest(findings: &[Finding], release: ReleaseModel) -> String {
    let techniques = Techniques::builtin();
    let mut out = head(release);
    for finding in findings {
        if let Some(choice) = passing(finding, findings, release, &techniques).into_iter().next() {
            section(&mut out, finding, &choice);
        }
    }
    out
}

/// What stands above the columns.
pub(in crate::desensitise) fn head(release: ReleaseModel) -> String {
    let order = if release == ReleaseModel::Enclave { RowOrder::Kept } else { RowOrder::Shuffled };
    let mut out = format!("release = \"{release}\"\norder = \"{order}\"\n");
    let _ = writeln!(out, "max_bad = \"0.001\"          # share of rows that may be left out because a cell is not of its kind");
    out
}

/// What is proposed for a column and the release model lets pass, the most urgent first.
pub(in crate::desensitise) fn passing(
    finding: &Finding,
    findings: &[Finding],
    release: ReleaseModel,
    techniques: &Techniques,
) -> Vec<Suggestion> {
    let choices = techniques.suggest(finding, release).into_iter();
    choices.filter(|choice| choice.passes(finding, findings, release, techniques)).collect()
}

/// The section of a column, with the reason of the choice.
pub(in crate::desensitise) fn section(out: &mut String, finding: &Finding, choice: &Suggestion) {
    let (kind, grade, reason) = (finding.kind.as_str(), finding.grade.number(), &finding.reason);
    let _ = writeln!(out, "\n# {kind}, grade {grade}: {} ({})", reason.text, reason.clause);
    let _ = writeln!(out, "# {}", choice.why);
    if choice.leaves_cells(finding) {
        let _ = writeln!(out, "# some cells are not of the kind; they are left empty, which `off_kind` says");
    }
    out.push_str(&choice.section(finding));
}

impl Suggestion {
    fn section(&self, finding: &Finding) -> String {
        let mut section = format!("[columns.{}]\ntechnique = \"{}\"\n", quoted(finding.column.as_str()), self.technique.name());
        for (name, value) in self.technique.parameters() {
            let _ = writeln!(section, "{name} = {}", toml(&value));
        }
        if self.leaves_cells(finding) {
            section.push_str("off_kind = \"suppress\"\n");
        }
        section
    }

    /// Whether the technique reads values of the kind and the column has others: up to the share that its kind allows, so
    /// more than rows may be left out.
    fn leaves_cells(&self, finding: &Finding) -> bool {
        self.reads_form && finding.matched < finding.sampled
    }

    /// Whether the release model lets the column leave like this.
    fn passes(&self, finding: &Finding, findings: &[Finding], release: ReleaseModel, techniques: &Techniques) -> bool {
        let text = format!("release = \"{release}\"\n{}", self.section(finding));
        let Ok(policy) = Policy::parse_with(&text, techniques) else { return false };
        policy.column(&finding.column).is_some_and(|section| policy.objection_to_residual(section, finding, findings).is_none())
    }
}

/// A value as TOML has it.
fn toml(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::List(values) => format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A text of TOML in quotes; names of columns and texts of parameters have no control characters.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
