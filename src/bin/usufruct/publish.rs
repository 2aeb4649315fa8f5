//! The verb `publish`: data into a space, or into a snapshot and a signed publication for `apply`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usufruct::dataset::{DescriptionFile, PublicationFile, PublishProgress, Warning};
use usufruct::key::SigningKey;
use usufruct::space::write_publication;
use usufruct::table::Encoding;

use crate::at::Wait;
use crate::failure::{Failure, OrFail};
use crate::progress::Bar;
use crate::{file, interrupt, output};

/// Read a CSV, Parquet or Arrow IPC file once, keep an immutable snapshot, and publish it as a dataset or as a new version of one
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct publish space --describe adult.toml --key owner.key

adult.toml:
  name = \"adult\"                 # what FROM names
  data = \"adult.csv\"             # relative to this file; CSV, Parquet or Arrow IPC
  delimiter = \";\"                # of CSV; a comma unless told
  encoding = \"utf-8\"             # of CSV; or gb18030
  header = true                  # of CSV; false when the columns are c1, c2, ...
  unit = \"row\"                   # or { column = \"person_id\" }
  rows_are_independent = true    # the owner's word, needed with unit = \"row\"
  budget = { model = \"approx\", epsilon = \"3\" }  # or zcdp with rho and report_delta; delta in either
  [columns.age]
  type = \"integer\"
  bounds = [0, 120]              # from knowledge of the field, never from the data
  grade = 2
  [columns.sex]
  type = \"text\"
  values = [\"Male\", \"Female\"]
  grade = 1")]
pub(crate) struct Publish {
    /// The space; not needed with --out
    #[arg(required_unless_present = "out")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    wait: Wait,
    /// The description of the dataset
    #[arg(long, value_name = "D.toml")]
    describe: PathBuf,
    /// The owner's private key
    #[arg(long, value_name = "OWNER.key")]
    key: PathBuf,
    /// What stands between fields, in place of the description's word: one character, or `tab`
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<String>,
    /// The encoding of a CSV file, in place of the description's word: utf-8 or gb18030
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// The first record of a CSV file is data and no header, whatever the description says: the columns are c1, c2, ...
    #[arg(long)]
    no_header: bool,
    /// Sign where the data are: write the signed publication to this file and the snapshot to FILE.snapshot, for `apply`
    #[arg(short, long, value_name = "FILE", requires = "certificate", conflicts_with = "dir")]
    out: Option<PathBuf>,
    /// With --out: the gate's certificate, DIR/gate.certificate
    #[arg(long, value_name = "FILE", requires = "out")]
    certificate: Option<PathBuf>,
    /// With --out, of a later version: the file that --out wrote of the first publication, which only the owner keeps
    #[arg(long, value_name = "FILE", requires_all = ["out", "number"])]
    first: Option<PathBuf>,
    /// With --first: the number of the version, from 2
    #[arg(long, value_name = "N", requires = "first")]
    number: Option<u64>,
}

#[derive(Serialize)]
struct Told<'a> {
    id: String,
    card: &'a Path,
    name: &'a str,
    version: u64,
    rows: u64,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Signed<'a> {
    publication: &'a Path,
    name: &'a str,
    rows: u64,
    warnings: Vec<String>,
}

impl Publish {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let mut file = DescriptionFile::read(&self.describe).about(&self.describe)?;
        if let Some(text) = &self.delimiter {
            file.data.delimiter = delimiter(text)?;
        }
        if let Some(name) = &self.encoding {
            file.data.encoding = encoding(name)?;
        }
        file.data.header &= !self.no_header;
        let owner = SigningKey::open(&self.key).about(&self.key)?;
        let bar = Bar::new("publishing", true);
        let mut progress = |progress: PublishProgress| {
            bar.show(progress.done, progress.total);
            bar.message(format!("{} records", progress.records));
            if interrupt::is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match (&self.out, &self.dir) {
            (Some(out), _) => self.sign(out, &file, &owner, &mut progress, json),
            (None, Some(dir)) => self.publish(dir, &file, &owner, &mut progress, json),
            (None, None) => Err(Failure::input("a space or --out is needed")),
        }
    }

    fn publish(
        &self,
        dir: &Path,
        file: &DescriptionFile,
        owner: &SigningKey,
        progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
        json: bool,
    ) -> Result<(), Failure> {
        // From here on Ctrl-C only sets a flag: opening a space already writes in it.
        let work = interrupt::work();
        let space = self.wait.open(dir)?;
        let source = file.source().or_fail()?;
        let published = space.publish(&file.description, &source, owner, progress).or_fail()?;
        drop(work);

        let (name, version) = (file.description.name().as_str(), published.version);
        let warnings = warn(&published.warnings);
        if json {
            let id = published.id.to_string();
            return output::print_json(&Told { id, card: &published.card_path, name, version, rows: published.rows, warnings });
        }
        let card = published.card_path.display().to_string();
        let rows = published.rows;
        output::print(&output::lines(&[
            &format!("dataset {}", published.id),
            &format!("name    {name}, version {version}, {rows} rows"),
            &format!("card    {card}"),
        ]))
    }

    /// Reads and signs at the owner's; nothing of a space is needed but the certificate of its gate.
    fn sign(
        &self,
        out: &Path,
        file: &DescriptionFile,
        owner: &SigningKey,
        progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
        json: bool,
    ) -> Result<(), Failure> {
        let certificate = self.certificate.as_deref().ok_or_else(|| Failure::input("--out needs --certificate"))?;
        let certificate = file::read(certificate, CERTIFICATE_BYTES_MAX)?;
        let first = match &self.first {
            Some(path) => Some(PublicationFile::decode(&file::read(path, PublicationFile::BYTES_MAX)?).about(path)?),
            None => None,
        };
        let work = interrupt::work();
        let source = file.source().or_fail()?;
        let later = first.as_ref().zip(self.number);
        let summary = write_publication(&file.description, &source, owner, &certificate, later, out, progress).or_fail()?;
        drop(work);
        let (name, warnings) = (file.description.name().as_str(), warn(&summary.warnings));
        if json {
            return output::print_json(&Signed { publication: out, name, rows: summary.rows, warnings });
        }
        output::print(&output::lines(&[
            &format!("signed  {name}, {} rows", summary.rows),
            &format!("file    {}, with {}.snapshot beside it; keep it secret, later versions need it", out.display(), out.display()),
        ]))
    }
}

/// A gate's certificate and its envelope.
const CERTIFICATE_BYTES_MAX: usize = 2048;

fn warn(warnings: &[Warning]) -> Vec<String> {
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    for warning in &warnings {
        output::say(format_args!("warning: {warning}"));
    }
    warnings
}

fn delimiter(text: &str) -> Result<u8, Failure> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [one] => Ok(*one),
        _ => Err(Failure::input("--delimiter: expected one ASCII character, or `tab`")),
    }
}

fn encoding(name: &str) -> Result<Encoding, Failure> {
    Encoding::parse(name).ok_or_else(|| Failure::input(format_args!("--encoding: `{name}` is not supported, only utf-8 and gb18030")))
}
