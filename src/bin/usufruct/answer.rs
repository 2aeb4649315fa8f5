//! The verb `answer`: the gate's side of a request; and how answers are printed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;
use usufruct::dataset::Description;
use usufruct::envelope::Untrusted;
use usufruct::file::{Output, OutputOptions};
use usufruct::gate::{AnswerError, Gate};
use usufruct::query::{Expression, Item};
use usufruct::receipt::{self, AnswerKey, Bundle, CONFIDENCE_PERCENT, Release};
use usufruct::right::{REQUEST_BYTES_MAX, Request};

use crate::at::At;
use crate::failure::{Exit, Failure, OrFail};
use crate::output::{self, Amount, Table};
use crate::progress::Bar;
use crate::{file, interrupt};

/// How soon Ctrl-C is seen while an answer is computed.
const LOOK_AT_CTRL_C: Duration = Duration::from_millis(50);
/// A request and its envelope.
pub(crate) const FILE_BYTES_MAX: usize = REQUEST_BYTES_MAX + 512;

/// Answer a signed request, on the gate's side; again gives the same bytes, free
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct answer space q.request --receipt q.receipt

The file after --receipt holds request, answer and receipt together; `usufruct verify` checks it offline.
A refusal is explained here to the owner in full; the holder may be told the code only.")]
pub(crate) struct Answer {
    #[command(flatten)]
    at: At,
    /// The signed request, `-` for stdin
    file: PathBuf,
    #[command(flatten)]
    receipt: ReceiptTarget,
}

/// Where the receipt goes, if anywhere.
#[derive(Args)]
pub(crate) struct ReceiptTarget {
    /// Write request, answer and receipt to this file
    #[arg(long, value_name = "OUT")]
    receipt: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long, requires = "receipt")]
    force: bool,
}

impl Answer {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let request = file::read_or_stdin(&self.file, FILE_BYTES_MAX)?;
        let gate = self.at.open()?.gate();
        let output = self.receipt.begin()?;
        let (release, description) = release(&gate, &request)?;
        if let Some((output, bundle)) = output.zip(bundle(&release, &request)) {
            file::finish(output, &bundle.encode())?;
        }
        self.receipt.print(&release, &request, &description, json)
    }
}

impl ReceiptTarget {
    /// Begins the file before anything is charged.
    pub(crate) fn begin(&self) -> Result<Option<Output>, Failure> {
        let options = OutputOptions { force: self.force, private: false };
        self.receipt.as_ref().map(|path| Output::create(path, options)).transpose().or_fail()
    }

    /// Prints a release of a dataset.
    pub(crate) fn print(&self, release: &Release, request: &[u8], description: &Description, json: bool) -> Result<(), Failure> {
        let answer = release.answer();
        let told = tells_bounding(request);
        if json {
            return output::print_json(&Told {
                columns: answer.columns.iter().map(|column| column.as_str()).collect(),
                rows: answer.rows.iter().map(Row::of).collect(),
                confidence: number_of_confidence(),
                spent: Amount::told_by(answer.spent, description),
                remaining: Amount::of(answer.remaining).with_uses(answer.uses_left),
                bounding: if told { "asked" } else { "withheld" },
                cut: answer.cut,
                receipt: self.receipt.as_deref(),
                index: release.index(),
            });
        }
        let mut text = table(answer).to_string();
        let (spent, left, uses) = (output::told(answer.spent, description), answer.remaining, answer.uses_left);
        text.push_str(&format!("\nintervals hold with at least {CONFIDENCE_PERCENT} % confidence each\n"));
        if !told {
            text.push_str("what bounds and contribution limits cut off is withheld; CLAMPED(column) and DROPPED(*) tell, at a price\n");
        }
        if answer.cut {
            text.push_str("more groups were named than an answer holds: the last ones in order are left out\n");
        }
        text.push_str(&format!("spent {spent}; the right has {left} and {uses} uses left\n"));
        if let Some(path) = &self.receipt {
            text.push_str(&output::lines(&[&format!("receipt {}", path.display())]));
        }
        output::print(&text)
    }
}

/// Whether the question also asks what bounds and contribution limits cut off.
fn tells_bounding(request: &[u8]) -> bool {
    let request = Untrusted::<Request>::decode(request).and_then(|untrusted| untrusted.claimed());
    let tells = |item: &Item| matches!(item.expression(), Expression::Clamped(_) | Expression::Dropped);
    request.is_ok_and(|request| request.query.select().iter().any(tells))
}

/// Lets the gate answer, with a progress bar and Ctrl-C; the answer, and what its dataset is.
pub(crate) fn release(gate: &Gate, request: &[u8]) -> Result<(Release, Arc<Description>), Failure> {
    let bar = Arc::new(Bar::new("counting", false));
    let shown = Arc::clone(&bar);
    let work = interrupt::work();
    let mut pending = gate.submit_watched(request, Arc::new(move |done, total| shown.show(done, Some(total))));
    let release = loop {
        if let Some(release) = pending.wait_for(LOOK_AT_CTRL_C) {
            break release;
        }
        if interrupt::is_cancelled() {
            pending.cancel();
        }
    };
    drop((work, bar));
    if interrupt::is_cancelled()
        && let Err(AnswerError::Failed { request }) = release
    {
        let message = format_args!("interrupted; request {request} is charged, and asking again is free");
        return Err(Failure::new(Exit::Interrupted, message));
    }
    let release = release.or_fail()?;
    let state = gate.datasets().or_fail()?.into_iter().find(|state| state.id == release.answer().dataset);
    let state = state.ok_or_else(|| Failure::new(Exit::Environment, "the dataset of the answer is not in this space"))?;
    Ok((release, state.description))
}

/// Request, answer and receipt together.
pub(crate) fn bundle(release: &Release, request: &[u8]) -> Option<Bundle> {
    let receipt = release.receipt()?.clone();
    Some(Bundle { receipt, request: request.to_vec(), answer: release.bytes().to_vec() })
}

/// Keys, then `value [low, high]`.
pub(crate) fn table(answer: &receipt::Answer) -> Table {
    let keys = answer.rows.first().map_or(0, |row| row.key.len());
    let mut table = Table::new(keys, answer.columns.iter().map(ToString::to_string).collect());
    // A column of a value is three columns of text, so that digits stand under digits.
    for row in &answer.rows {
        let keys = row.key.iter().map(|key| match key {
            AnswerKey::Text(text) => text.clone(),
            AnswerKey::Integer(number) => number.to_string(),
        });
        let values = row.values.iter().map(ToString::to_string);
        table.row(keys.chain(values).collect());
    }
    table
}

#[derive(Serialize)]
struct Told<'a> {
    columns: Vec<&'a str>,
    rows: Vec<Row<'a>>,
    confidence: Option<Box<RawValue>>,
    spent: Amount,
    remaining: Amount,
    bounding: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    receipt: Option<&'a Path>,
    index: u64,
}

#[derive(Serialize)]
struct Row<'a> {
    key: Vec<Cell<'a>>,
    values: Vec<Value<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Cell<'a> {
    Text(&'a str),
    Integer(i64),
}

#[derive(Serialize)]
struct Value<'a> {
    value: Option<Box<RawValue>>,
    low: Option<Box<RawValue>>,
    high: Option<Box<RawValue>>,
    method: &'a str,
}

impl<'a> Row<'a> {
    fn of(row: &'a receipt::AnswerRow) -> Self {
        let key = row.key.iter().map(|key| match key {
            AnswerKey::Text(text) => Cell::Text(text),
            AnswerKey::Integer(number) => Cell::Integer(*number),
        });
        let values = row.values.iter().map(|value| Value {
            value: value.value.and_then(output::number),
            low: value.low.and_then(output::number),
            high: value.high.and_then(output::number),
            method: &value.method,
        });
        Self { key: key.collect(), values: values.collect() }
    }
}

/// 0.95, as a number.
pub(crate) fn number_of_confidence() -> Option<Box<RawValue>> {
    usufruct::id::Decimal::new(CONFIDENCE_PERCENT.into(), 2).and_then(output::number)
}
