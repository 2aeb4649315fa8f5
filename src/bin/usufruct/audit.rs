//! The verb `audit`: the walk over a whole space, and what it found.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usufruct::audit::{Depth, Rollback};
use usufruct::auditor::Auditor;
use usufruct::budget::Loss;
use usufruct::gate::DatasetState;
use usufruct::key::PublicKey;
use usufruct::ledger::{Checkpoint, LedgerError, LedgerReading, NOTE_BYTES_MAX, RefillReason};
use usufruct::receipt::NOT_PROVED;
use usufruct::right::Seen;

use crate::failure::{Exit, Failure, OrFail};
use crate::kept::{Kept, Standing};
use crate::output::{self, Amount};
use crate::progress::Bar;
use crate::report::Report;
use crate::{file, key};

/// Check a whole space with the owner's public key: ledger, budgets, signatures, data, answers
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct audit space --key owner.pub --checkpoint holder.key.seen

Needs no lock and no private key. Exit code 1 on any doubt. A rollback of the whole folder shows only against a checkpoint that somebody outside has kept: a holder's KEY.seen, a signed note, or a receipt. A note that the gate did not sign is refused.")]
pub(crate) struct Audit {
    /// The space
    dir: PathBuf,
    /// The owner's public key
    #[arg(long, value_name = "OWNER.pub")]
    key: PathBuf,
    /// A checkpoint kept outside: a file of seen checkpoints, a signed note, or a receipt
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

#[derive(Serialize)]
struct Told<'a> {
    ok: bool,
    depth: Option<&'a str>,
    rollback: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    witnessed_size: Option<u64>,
    /// What the kept checkpoint is worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<&'static str>,
    ledger: Option<String>,
    size: Option<u64>,
    root: Option<String>,
    datasets: Vec<Dataset<'a>>,
    acts: &'a [String],
    checked: &'a [String],
    trusted_for: &'a [&'static str],
    problems: &'a [String],
}

#[derive(Serialize)]
struct Dataset<'a> {
    id: String,
    name: &'a str,
    version: u64,
    answers: u64,
    budget: Amount,
    spent: Amount,
    lifetime: Amount,
    refills: Vec<Refill>,
}

#[derive(Serialize)]
struct Refill {
    amount: Amount,
    reason: &'static str,
}

impl<'a> Dataset<'a> {
    fn of(state: &'a DatasetState) -> Self {
        let spent = state.balance.spent();
        let refill = |(amount, reason): &(Loss, RefillReason)| Refill { amount: Amount::of(*amount), reason: reason.name() };
        Self {
            id: state.id.to_string(),
            name: state.description.name().as_str(),
            version: state.version,
            answers: state.answers,
            budget: Amount::told_by(state.balance.limit(), &state.description),
            spent: Amount::told_by(spent, &state.description),
            // No version and no refill resets what is spent.
            lifetime: Amount::told_by(spent, &state.description),
            refills: state.refills.iter().map(refill).collect(),
        }
    }
}

impl Audit {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let owner = key::public(&self.key)?;
        let auditor = Auditor::new(owner.clone());
        if !self.dir.join("ledger").is_dir() {
            return Err(Failure::input(format_args!("{} is not a space", self.dir.display())));
        }
        let kept = self.checkpoint.as_deref().map(|path| self.kept(path, &owner)).transpose()?;
        let bar = Bar::new("auditing", false);
        let audited = auditor.audit(&self.dir, kept.as_ref().map(|(seen, _)| *seen), &|done, total| bar.show(done, Some(total)));
        drop(bar);
        let witness = kept.map(|(_, standing)| standing);
        let report = match audited {
            Ok(report) => report,
            Err(error) => {
                let problems = [error.to_string()];
                if json {
                    output::print_json(&Told {
                        ok: false,
                        depth: None,
                        rollback: "unwitnessed",
                        witnessed_size: None,
                        witness: None,
                        ledger: None,
                        size: None,
                        root: None,
                        datasets: Vec::new(),
                        acts: &[],
                        checked: &[],
                        trusted_for: &NOT_PROVED,
                        problems: &problems,
                    })?;
                }
                return Err(error).about(&self.dir);
            }
        };
        if json {
            output::print_json(&told(&report, witness.as_ref()))?;
        } else {
            output::print(&text(&report, witness.as_ref()))?;
        }
        match report.problems.len() {
            0 => Ok(()),
            1 => Err(Failure::new(Exit::Environment, "the audit found a problem")),
            problems => Err(Failure::new(Exit::Environment, format_args!("the audit found {problems} problems"))),
        }
    }

    /// The checkpoint somebody kept of this ledger, whose name stands in the space's own checkpoint. Were that another's,
    /// nothing would be found here, or the audit would find that it is not signed by the gate.
    fn kept(&self, path: &Path, owner: &PublicKey) -> Result<(Seen, Standing), Failure> {
        let own = self.dir.join("ledger").join("checkpoint");
        let wrong = || Failure::new(Exit::Environment, format_args!("{}: not a checkpoint", own.display()));
        let note = file::read(&own, NOTE_BYTES_MAX)?;
        let origin = std::str::from_utf8(&note).ok().and_then(|text| Checkpoint::claimed(text).ok()).ok_or_else(wrong)?.origin().to_owned();
        let kept = Kept::read(path, &origin)?;
        let certificates = || -> Result<Vec<_>, LedgerError> {
            let reading = LedgerReading::open(&self.dir.join("ledger"), |_, _| {})?;
            Ok(reading.book.head().certificates().iter().map(|(_, certificate)| certificate.bytes().to_vec()).collect())
        };
        match kept.verify(owner, certificates).about(&self.dir)? {
            Ok(standing) => Ok((kept.claimed(), standing)),
            Err(error) => {
                let message = format_args!("{}: the kept checkpoint proves nothing: {error}", path.display());
                Err(Failure::new(Exit::Environment, message)
                    .hint("a file of seen checkpoints and a receipt carry their gate's certificate"))
            }
        }
    }
}

fn rollback(rollback: &Rollback) -> (&'static str, Option<u64>) {
    match rollback {
        Rollback::Unwitnessed => ("unwitnessed", None),
        Rollback::NoneSince { size } => ("none", Some(*size)),
        Rollback::Found { size } => ("found", Some(*size)),
    }
}

const fn depth(depth: Depth) -> &'static str {
    match depth {
        Depth::Arithmetic => "arithmetic",
        Depth::Full => "full",
    }
}

fn told<'a>(report: &'a usufruct::audit::AuditReport, witness: Option<&Standing>) -> Told<'a> {
    let (name, witnessed_size) = rollback(&report.rollback);
    Told {
        ok: report.ok(),
        depth: Some(depth(report.depth)),
        rollback: name,
        witnessed_size,
        witness: witness.map(Standing::told),
        ledger: Some(report.ledger.to_string()),
        size: Some(report.size),
        root: Some(report.root.to_string()),
        datasets: report.datasets.iter().map(Dataset::of).collect(),
        acts: &report.acts,
        checked: &report.checked,
        trusted_for: &report.trusted_for,
        problems: &report.problems,
    }
}

fn text(report: &usufruct::audit::AuditReport, witness: Option<&Standing>) -> String {
    let mut out = Report::default();
    out.text("ledger", report.ledger).text("size", format_args!("{} entries, root {}", report.size, report.root));
    out.text("depth", depth(report.depth));
    match &report.rollback {
        Rollback::Unwitnessed => out.text("rollback", "unwitnessed: nobody outside was asked; --checkpoint takes what somebody kept"),
        Rollback::NoneSince { size } => out.text("rollback", format_args!("none since the kept checkpoint of size {size}")),
        Rollback::Found { size } => {
            out.text("rollback", format_args!("found: the kept checkpoint of size {size} is not part of this ledger"))
        }
    };
    if let Some(witness) = witness {
        out.text("witness", format_args!("the kept checkpoint is {}", witness.told()));
    }
    let mut datasets = Report::default();
    for state in &report.datasets {
        let mut section = Report::default();
        let (balance, refills) = (&state.balance, &state.refills);
        if !refills.is_empty() {
            section.list("refills", refills.iter().map(|(amount, reason)| format!("{amount} ({})", reason.name())));
        }
        section.text("id", state.id).number("version", state.version).number("answers", state.answers);
        section.text(
            "budget",
            format_args!(
                "{}, spent in its life {}, left {}",
                balance.limit(),
                output::told(balance.spent(), &state.description),
                balance.left()
            ),
        );
        datasets.section(state.description.name().as_str(), section);
    }
    out.section("datasets", datasets);
    out.list("acts", &report.acts)
        .list("checked", &report.checked)
        .list("trusted for", &report.trusted_for)
        .list("problems", &report.problems);
    out.to_text()
}
