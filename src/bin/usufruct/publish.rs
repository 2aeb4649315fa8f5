use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usufruct::dataset::{DescriptionFile, Progress, table_schema};
use usufruct::key::SigningKey;
use usufruct::space::Space;
use usufruct::table::{Encoding, FileSource};

use crate::failure::{Failure, OrFail};
use crate::progress::Bar;
use crate::{interrupt, output};

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
    /// The space
    dir: PathBuf,
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

impl Publish {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let mut file = DescriptionFile::read(&self.describe).about(&self.describe)?;
        if let Some(text) = &self.delimiter {
            file.data.delimiter = delimiter(text)?;
        }
        if let Some(name) = &self.encoding {
            file.data.encoding = encoding(name)?;
        }
        let owner = SigningKey::open(&self.key).about(&self.key)?;
        // From here on Ctrl-C only sets a flag: opening a space already writes in it.
        let work = interrupt::work();
        let space = Space::open(&self.dir).or_fail()?;
        let schema = table_schema(file.description.schema());
        let source = FileSource::open_as(&file.data.path, &file.data.options(), schema).or_fail()?;

        let bar = Bar::new("publishing", true);
        let mut progress = |progress: Progress| {
            bar.show(progress.done, progress.total);
            bar.message(format!("{} records", progress.records));
            if interrupt::is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let published = space.publish(&file.description, &source, &owner, &mut progress).or_fail();
        drop(bar);
        drop(work);
        let published = published?;

        let (name, version) = (file.description.name().as_str(), published.version);
        let warnings: Vec<String> = published.warnings.iter().map(ToString::to_string).collect();
        for warning in &warnings {
            output::say(format_args!("warning: {warning}"));
        }
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
