//! The verb `status`: what a space holds, and a receipt again.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usufruct::gate::{RequestStatus, SpaceStatus};
use usufruct::id::RequestId;
use usufruct::ledger::RequestState;

use crate::at::At;
use crate::failure::{Exit, Failure, OrFail};
use crate::file;
use crate::output::{self, Amount};
use crate::report::Report;

/// Say what a space holds: datasets, rights with what they have left, requests; or give out a receipt again
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct status space
  usufruct status space --receipt 8dafe7f9...a1 -o again.receipt

Reads beside a gate that has the space open. A receipt is made by the gate's key, so that one waits for its turn; it can be made of requests that were kept in the space, as `ask` keeps them.")]
pub(crate) struct Status {
    #[command(flatten)]
    at: At,
    /// Give out request, answer and receipt of this request again
    #[arg(long, value_name = "REQUEST", requires = "out")]
    receipt: Option<RequestId>,
    /// File to write the receipt to
    #[arg(short, long, value_name = "FILE", requires = "receipt")]
    out: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "out")]
    force: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    ledger: String,
    entries: u64,
    quantum_ms: u32,
    gate: String,
    certified_until: String,
    next_certificate: u64,
    next_quantum: u64,
    next_clock: u64,
    datasets: Vec<Dataset<'a>>,
    rights: Vec<Right>,
    requests: Vec<Request>,
}

#[derive(Serialize)]
struct Dataset<'a> {
    id: String,
    name: &'a str,
    version: u64,
    answers: u64,
    next_refill: usize,
    budget: Amount,
    spent: Amount,
    remaining: Amount,
}

#[derive(Serialize)]
struct Right {
    id: String,
    dataset: String,
    not_after: String,
    budget: Amount,
    remaining: Amount,
}

#[derive(Serialize)]
struct Request {
    id: String,
    state: &'static str,
    charged: Amount,
    reserved_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
}

#[derive(Serialize)]
struct Given<'a> {
    request: String,
    receipt: &'a Path,
}

impl Status {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        if let (Some(request), Some(out)) = (self.receipt, &self.out) {
            return self.give(request, out, json);
        }
        let status = SpaceStatus::read(&self.at.dir).or_fail()?;
        if json { output::print_json(&told(&status)) } else { output::print(&text(&status)) }
    }

    fn give(&self, request: RequestId, out: &Path, json: bool) -> Result<(), Failure> {
        let target = file::Target { out: out.to_owned(), force: self.force };
        let output = target.begin()?;
        let bundle = self.at.open()?.receipt(request).or_fail()?;
        let bundle = bundle.ok_or_else(|| Failure::new(Exit::Input, format_args!("request {request} has no answer in this space")))?;
        file::finish(output, &bundle.encode())?;
        if json {
            return output::print_json(&Given { request: request.to_string(), receipt: out });
        }
        output::print(&output::lines(&[&format!("receipt {}", out.display())]))
    }
}

fn told(status: &SpaceStatus) -> Told<'_> {
    let acts = &status.next_acts;
    Told {
        ledger: acts.ledger.to_string(),
        entries: status.size,
        quantum_ms: status.quantum.ms(),
        gate: acts.certificate.gate.id().to_string(),
        certified_until: acts.certificate.not_after.to_string(),
        next_certificate: acts.certificate.number + 1,
        next_quantum: acts.quantum,
        next_clock: acts.clock,
        datasets: status
            .datasets
            .iter()
            .map(|state| Dataset {
                id: state.id.to_string(),
                name: state.description.name().as_str(),
                version: state.version,
                answers: state.answers,
                next_refill: state.refills.len() + 1,
                budget: Amount::told_by(state.balance.limit(), &state.description),
                spent: Amount::told_by(state.balance.spent(), &state.description),
                remaining: Amount::told_by(state.balance.left(), &state.description),
            })
            .collect(),
        rights: status
            .rights
            .iter()
            .map(|right| Right {
                id: right.id.to_string(),
                dataset: right.dataset.to_string(),
                not_after: right.not_after.to_string(),
                budget: Amount::of(right.balance.limit()),
                remaining: Amount::of(right.balance.left()).with_uses(right.uses_left),
            })
            .collect(),
        requests: status
            .requests
            .iter()
            .map(|request| Request {
                id: request.id.to_string(),
                state: state(request),
                charged: Amount::of(request.charged),
                reserved_at: request.reserved_at.to_string(),
                expires_at: request.expires_at.to_string(),
                index: if let RequestState::Sealed { index, .. } = request.state { Some(index) } else { None },
            })
            .collect(),
    }
}

const fn state(request: &RequestStatus) -> &'static str {
    match request.state {
        RequestState::Reserved => "reserved",
        RequestState::Started => "started",
        RequestState::Sealed { .. } => "sealed",
        RequestState::Refunded => "refunded",
    }
}

/// The last requests that are shown to people; `--json` has all.
const REQUESTS_SHOWN: usize = 20;

fn text(status: &SpaceStatus) -> String {
    let acts = &status.next_acts;
    let mut out = Report::default();
    out.text("ledger", acts.ledger).number("entries", status.size).text("quantum", format_args!("{} ms", status.quantum.ms()));
    out.text("gate", format_args!("{}, certified until {}", acts.certificate.gate.id(), acts.certificate.not_after));
    let mut datasets = Report::default();
    for state in &status.datasets {
        let mut section = Report::default();
        section.text("id", state.id).number("version", state.version).number("answers", state.answers);
        section.text("budget", format_args!("{}, left {}", state.balance.limit(), state.balance.left()));
        datasets.section(state.description.name().as_str(), section);
    }
    out.section("datasets", datasets);
    out.list(
        "rights",
        status
            .rights
            .iter()
            .map(|right| format!("{} until {}: {} and {} uses left", right.id, right.not_after, right.balance.left(), right.uses_left)),
    );
    let skipped = status.requests.len().saturating_sub(REQUESTS_SHOWN);
    let shown = status.requests.iter().skip(skipped);
    out.list("requests", shown.map(|request| format!("{} {} at {}: {}", request.id, state(request), request.reserved_at, request.charged)));
    if skipped > 0 {
        out.text("not shown", format_args!("{skipped} earlier requests; --json has all"));
    }
    out.to_text()
}
