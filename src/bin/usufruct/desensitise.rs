//! The verb `desensitise`: from a file and a policy to a file that may leave, with its manifest.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;
use usufruct::Time;
use usufruct::anonymity::Uniqueness;
use usufruct::desensitise::{DesensitiseProgress, DesensitiseReport, KeyRing, ManifestColumn, Policy, Residual, Run, Stage, Target};
use usufruct::grade::Recognisers;
use usufruct::key::{Signer, SigningKey};
use usufruct::open_data;
use usufruct::table::{FileSource, Format};

use crate::failure::{Failure, OrFail};
use crate::progress::Bar;
use crate::records::{Input, threads};
use crate::{interrupt, output, unique};

/// Make a file that may leave: every column by a technique of the policy, with a manifest that says what was done
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct desensitise people.csv --policy policy.toml --keys people.keys -o open.parquet --sign owner.key
  usufruct verify open.parquet.manifest --key owner.pub --file open.parquet

`usufruct policy suggest` writes a first policy, `usufruct key new --kind desensitise` makes the keys.

Beside OUT stand OUT.manifest (what was done), OUT.opening (0600, opens the manifest's commitment to the source) and,
if rows were left out, OUT.quarantine.csv (0600, their places and the reasons, no cell). The manifest comes last: an OUT
without it is not finished. The format of OUT follows its name: .csv, .parquet or .arrow.")]
pub(crate) struct Desensitise {
    #[command(flatten)]
    input: Input,
    /// The policy
    #[arg(long, value_name = "P.toml")]
    policy: PathBuf,
    /// The keys of keyed techniques
    #[arg(long, value_name = "K.toml")]
    keys: Option<PathBuf>,
    /// File to write
    #[arg(short, long, value_name = "OUT")]
    out: PathBuf,
    /// Sign the manifest with this key
    #[arg(long, value_name = "OWNER.key")]
    sign: Option<PathBuf>,
    /// Where the manifest goes instead of OUT.manifest
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Threads that desensitise; all cores unless told
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    out: &'a Path,
    manifest: &'a Path,
    signed: bool,
    release: &'static str,
    policy: String,
    rows_read: u64,
    rows_written: u64,
    rows_left_out: u64,
    cells_suppressed: u64,
    formula_cells: u64,
    quarantine: Option<&'a Path>,
    uniqueness: Option<&'a Uniqueness>,
}

impl Desensitise {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let policy = Policy::read(&self.policy).about(&self.policy)?;
        let keys = self.keys.as_deref().map(|path| KeyRing::read(path).about(path)).transpose()?.unwrap_or_default();
        let signer = self.sign.as_deref().map(|path| SigningKey::open(path).about(path)).transpose()?;
        let recognisers = self.input.recognisers()?;
        let format = Format::of_extension(&self.out).ok_or_else(|| {
            Failure::input(format_args!("{}: the name of the file says its format, .csv, .parquet or .arrow", self.out.display()))
        })?;
        let mut target = Target::new(&self.out, format);
        target.force = self.force;
        if let Some(manifest) = &self.manifest {
            target.manifest.clone_from(manifest);
        }
        let source = self.input.open()?;
        let work = interrupt::work();
        let outcome = self.make(&source, policy, &keys, recognisers, signer.as_ref(), &target);
        drop(work);
        let report = outcome?;
        for warning in warnings(&report, signer.is_some()) {
            output::say(format_args!("warning: {warning}"));
        }
        let manifest = &report.manifest;
        if json {
            return output::print_json(&Told {
                out: &self.out,
                manifest: &target.manifest,
                signed: signer.is_some(),
                release: manifest.release.as_str(),
                policy: manifest.policy().to_string(),
                rows_read: report.rows_read,
                rows_written: report.rows_written,
                rows_left_out: report.rows_left_out,
                cells_suppressed: report.cells_suppressed,
                formula_cells: report.formula_cells,
                quarantine: report.quarantine.as_deref(),
                uniqueness: manifest.uniqueness(),
            });
        }
        let mut table = output::Table::new(3, ["column", "kind", "technique", "grade", "residual"].map(str::to_owned).to_vec());
        for column in &manifest.columns {
            let grades = format!("{} to {}", column.grade_before.number(), column.grade_after.number());
            let residual = residual(column);
            table.row(vec![column.name.to_string(), column.kind.to_string(), column.technique.to_string(), grades, residual]);
        }
        let (rows, out) = (report.rows_written, self.out.display());
        let unique = manifest.uniqueness().map(|stated| format!("{out}: {}", unique::in_words(stated)));
        output::print(&format!(
            "{table}\n{}",
            output::lines(
                &[
                    Some(format!("{out}: {rows} rows for {}, {} left out", manifest.release, report.rows_left_out)),
                    unique,
                    Some(format!("{}: {}", target.manifest.display(), if signer.is_some() { "signed" } else { "unsigned" })),
                ]
                .iter()
                .flatten()
                .map(String::as_str)
                .collect::<Vec<_>>()
            )
        ))
    }

    fn make(
        &self,
        source: &FileSource,
        policy: Policy,
        keys: &KeyRing,
        recognisers: Arc<Recognisers>,
        signer: Option<&SigningKey>,
        target: &Target,
    ) -> Result<DesensitiseReport, Failure> {
        let threads = self.threads.unwrap_or_else(threads);
        let bars = ["looking   ", "collecting", "writing   ", "counting  "].map(|stage| Bar::new(stage, false));
        let mut stage = Stage::Survey;
        let mut progress = |progress: DesensitiseProgress| {
            let bar = match progress.stage {
                Stage::Survey => &bars[0],
                Stage::Collect => &bars[1],
                Stage::Write => &bars[2],
                Stage::Count => &bars[3],
            };
            if stage != progress.stage {
                bars[stage as usize].clear();
                stage = progress.stage;
            }
            bar.show_rate(progress.records, progress.done, progress.total);
            if interrupt::is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let signer = signer.map(|key| key as &dyn Signer);
        let mut run = Run { threads, recognisers, signer, now: Time::now(), progress: &mut progress };
        open_data::open(&policy.bind(keys), source, target, &mut run).or_fail()
    }
}

/// What a technique leaves open, in words.
pub(crate) fn residual(column: &ManifestColumn) -> String {
    match (column.residual, &column.key) {
        (Residual::Unbounded, None) => "nothing is left".to_owned(),
        (residual, _) => residual.to_string(),
    }
}

fn warnings(report: &DesensitiseReport, signed: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if !signed {
        warnings.push("the manifest is not signed; --sign OWNER.key signs it".to_owned());
    }
    if let Some(quarantine) = &report.quarantine {
        warnings.push(format!("{} rows were left out; their places are in {}", report.rows_left_out, quarantine.display()));
    }
    if report.cells_suppressed > 0 {
        warnings.push(format!("{} cells were left empty, being not of their kind", report.cells_suppressed));
    }
    if report.formula_cells > 0 {
        warnings.push(format!(
            "{} cells begin like formulas of a spreadsheet (= + - @); open the file as data, not by a click",
            report.formula_cells
        ));
    }
    warnings
}
