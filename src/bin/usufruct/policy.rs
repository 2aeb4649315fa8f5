//! The verbs `policy suggest` and `policy check`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;
use usufruct::anonymity::{UniqueShare, Uniqueness};
use usufruct::desensitise::{DesensitisePlan, KeyRing, Linkage, Objection, Policy as Rules, ReleaseModel, Trial, suggest_fitting};
use usufruct::file::{Output, OutputOptions};
use usufruct::grade::check_names;
use usufruct::id::ColumnName;
use usufruct::table::{FileSource, Format, RecordSource as _};

use crate::failure::{Exit, Failure, OrFail};
use crate::progress::Bar;
use crate::records::{Input, Reading, threads};
use crate::{file, interrupt, output, unique};

/// Suggest and check policies of desensitisation
#[derive(Subcommand)]
pub(crate) enum Policy {
    Suggest(Suggest),
    Check(Check),
}

/// Write a first policy for a file, with the reason of each choice
#[derive(Args)]
#[command(after_help = "Example:\n  usufruct policy suggest people.csv --release controlled -o policy.toml")]
pub(crate) struct Suggest {
    #[command(flatten)]
    input: Input,
    /// To whom the desensitised file will go: enclave, controlled or public
    #[arg(long, default_value = "enclave", value_name = "MODEL")]
    release: String,
    /// File to write instead of stdout
    #[arg(short, long, value_name = "P.toml")]
    out: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

/// Check a policy: its text alone, or on every cell of a file with keys; says everything that stands in the way
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct policy check policy.toml
  usufruct policy check policy.toml people.csv --keys people.keys

With a file every technique runs on every cell, as `desensitise` would, and nothing is written: what passes completes.
Exit code 3 when the policy cannot be used on the file.")]
pub(crate) struct Check {
    /// The policy
    policy: PathBuf,
    #[command(flatten)]
    input: OptionalInput,
    /// The keys of keyed techniques
    #[arg(long, value_name = "K.toml")]
    keys: Option<PathBuf>,
    /// The format that the desensitised file will have: csv, parquet or ipc
    #[arg(long, default_value = "csv", value_name = "FORMAT")]
    to: String,
}

/// A file that may be left out.
#[derive(Args)]
pub(crate) struct OptionalInput {
    /// The file that the policy is for
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Serialize)]
struct Told {
    ok: bool,
    release: &'static str,
    order: &'static str,
    /// Whether the columns of a file were looked at.
    file: bool,
    objections: Vec<String>,
    /// Columns that are said to tell of no person, and why.
    not_personal: BTreeMap<String, String>,
    /// Columns of which nobody outside is said to know anything, and why.
    not_known: BTreeMap<String, String>,
    /// The most persons that may be unique.
    max_unique: UniqueShare,
    because: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial: Option<Tried>,
    #[serde(skip_serializing_if = "Option::is_none")]
    linkage: Option<Joined>,
}

/// What a run on the file would do.
#[derive(Serialize)]
struct Tried {
    internal: bool,
    rows: u64,
    rows_left_out: u64,
    cells_suppressed: u64,
    /// Who would be unique.
    uniqueness: Option<Uniqueness>,
}

impl Tried {
    fn of(trial: &Trial) -> Self {
        let &Trial { rows, rows_left_out, cells_suppressed, ref uniqueness, .. } = trial;
        Self { internal: true, rows, rows_left_out, cells_suppressed, uniqueness: uniqueness.clone() }
    }
}

/// What two recipients of such files could join.
#[derive(Serialize)]
struct Joined {
    internal: bool,
    rows: u64,
    by_position: u64,
    by_columns: u64,
    columns: Vec<String>,
}

impl Joined {
    fn of(linkage: &Linkage) -> Self {
        let Linkage { rows, by_position, by_columns, columns, .. } = linkage;
        let columns = columns.iter().map(ToString::to_string).collect();
        Self { internal: true, rows: *rows, by_position: *by_position, by_columns: *by_columns, columns }
    }
}

fn told_linkage(linkage: &Linkage) -> Vec<String> {
    let share = |rows: u64| format!("{} of {} rows", rows, linkage.rows);
    let mut lines = vec!["two recipients of such files, made with different keys, can join (internal: counted in the raw file)".to_owned()];
    lines.push(format!("  by place    {}", share(linkage.by_position)));
    let columns: Vec<&str> = linkage.columns.iter().map(ColumnName::as_str).collect();
    lines.push(format!(
        "  by columns  {}, being alone with their {}",
        share(linkage.by_columns),
        if columns.is_empty() { "-".into() } else { columns.join(", ") }
    ));
    lines
}

fn join(plan: &DesensitisePlan, source: &FileSource) -> Result<Linkage, Failure> {
    let bar = Bar::new("joining", false);
    let work = interrupt::work();
    let linkage = plan.linkage(source, threads(), &mut |records| {
        bar.show_rate(records, records, None);
        !interrupt::is_cancelled()
    });
    drop(work);
    linkage.or_fail()
}

/// The plan, or what stands in its way: what no record can change is said before the first is read.
fn planned(
    policy: &Rules,
    input: &Input,
    source: &FileSource,
    keys: &KeyRing,
    format: Format,
) -> Result<Result<DesensitisePlan, Vec<Objection>>, Failure> {
    check_names(source.schema(), &*input.recognisers()?).about(&input.file)?;
    let beforehand = policy.objections_beforehand(source.schema(), keys);
    if !beforehand.is_empty() {
        return Ok(Err(beforehand));
    }
    Ok(policy.plan(&input.look(source)?, source.schema(), keys, format))
}

/// Runs the policy on every cell, without a file.
fn try_out(plan: &mut DesensitisePlan, source: &FileSource) -> Result<Trial, Failure> {
    let bar = Bar::new("trying ", false);
    let work = interrupt::work();
    let trial = plan.trial(source, threads(), &std::env::temp_dir(), &mut |records| {
        bar.show_rate(records, records, None);
        if interrupt::is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    drop(work);
    trial.or_fail()
}

impl Policy {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        match self {
            Self::Suggest(verb) => verb.run(json),
            Self::Check(verb) => verb.run(json),
        }
    }
}

impl Suggest {
    fn run(self, json: bool) -> Result<(), Failure> {
        let release = ReleaseModel::parse(&self.release).ok_or_else(|| {
            Failure::input(format_args!("--release: `{}` is not known, expected enclave, controlled or public", self.release))
        })?;
        let private = OutputOptions { force: self.force, private: false };
        let target = self.out.as_deref().map(|path| Output::create(path, private).or_fail()).transpose()?;
        let source = self.input.open()?;
        let findings = self.input.look(&source)?;
        let bar = Bar::new("fitting", false);
        let work = interrupt::work();
        let text = suggest_fitting(&source, &findings, release, threads(), &std::env::temp_dir(), &mut |records| {
            bar.show_rate(records, records, None);
            if interrupt::is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        drop(work);
        let text = text.about(&self.input.file)?;
        match target {
            Some(target) => file::finish(target, text.as_bytes())?,
            None if !json => return output::print(&text),
            None => {}
        }
        if json {
            #[derive(Serialize)]
            struct Told<'a> {
                policy: &'a str,
            }
            return output::print_json(&Told { policy: &text });
        }
        Ok(())
    }
}

impl Check {
    fn run(self, json: bool) -> Result<(), Failure> {
        let policy = Rules::read(&self.policy).about(&self.policy)?;
        let format = Format::parse(&self.to)
            .ok_or_else(|| Failure::input(format_args!("--to: `{}` is not known, expected csv, parquet or ipc", self.to)))?;
        let keys = self.keys.as_deref().map(|path| KeyRing::read(path).about(path)).transpose()?.unwrap_or_default();
        let input = self.input.into_input();
        let (mut trial, mut linkage) = (None, None);
        let objections = match &input {
            None => Vec::new(),
            Some(input) => {
                let source = input.open()?;
                match planned(&policy, input, &source, &keys, format)? {
                    Ok(mut plan) => {
                        let tried = try_out(&mut plan, &source)?;
                        if tried.objections.is_empty() {
                            linkage = Some(join(&plan, &source)?);
                        }
                        let objections = tried.objections.clone();
                        trial = Some(tried);
                        objections
                    }
                    Err(objections) => objections,
                }
            }
        };
        let objections: Vec<String> = objections.iter().map(ToString::to_string).collect();
        let ok = objections.is_empty();
        let said = |(column, why): (&ColumnName, &str)| (column.to_string(), why.to_owned());
        let not_personal: BTreeMap<String, String> = policy.not_personal().map(said).collect();
        let not_known: BTreeMap<String, String> = policy.not_known().map(said).collect();
        if json {
            let (release, order) = (policy.release().as_str(), policy.order().as_str());
            output::print_json(&Told {
                ok,
                release,
                order,
                file: input.is_some(),
                objections: objections.clone(),
                not_personal,
                not_known,
                max_unique: policy.max_unique(),
                because: policy.because().map(str::to_owned),
                trial: trial.as_ref().map(Tried::of),
                linkage: linkage.as_ref().map(Joined::of),
            })?;
        } else if ok {
            let what =
                if input.is_some() { "can be used on this file" } else { "is well formed; give a file to check it against its columns" };
            output::print(&format!("the policy {what}\n"))?;
            for (column, why) in &not_personal {
                output::print(&format!("column {column} is said to tell of no person: {why}\n"))?;
            }
            for (column, why) in &not_known {
                output::print(&format!("column {column} is said not to be known outside: {why}\n"))?;
            }
            if let Some(why) = policy.because() {
                output::print(&format!("{} may be unique: {why}\n", policy.max_unique()))?;
            }
            if let Some(trial) = &trial {
                output::print(&format!(
                    "{} of {} rows would be left out and {} cells left empty (internal: counted in the raw file)\n",
                    trial.rows_left_out, trial.rows, trial.cells_suppressed
                ))?;
                if let Some(uniqueness) = &trial.uniqueness {
                    output::print(&format!("{} (internal: counted in what would leave)\n", unique::in_words(uniqueness)))?;
                }
            }
            if let Some(linkage) = &linkage {
                output::print(&output::lines(&told_linkage(linkage).iter().map(String::as_str).collect::<Vec<_>>()))?;
            }
        }
        if ok {
            return Ok(());
        }
        objections.iter().for_each(|objection| output::say(format_args!("- {objection}")));
        Err(Failure::new(Exit::Refused, format_args!("{}: the policy cannot be used on this file", self.policy.display())))
    }
}

impl OptionalInput {
    fn into_input(self) -> Option<Input> {
        let Self { file, reading } = self;
        file.map(|file| Input { file, reading })
    }
}
