//! A file of records that the user names.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use usufruct::grade::Recognisers;
use usufruct::table::{CsvOptions, Encoding, FileOptions, FileSource};

use crate::failure::{Failure, OrFail};

/// The records to read.
#[derive(Args)]
pub(crate) struct Input {
    /// A CSV, Parquet or Arrow IPC file
    pub(crate) file: PathBuf,
    /// What stands between the fields of a CSV file: one character, or `tab`
    #[arg(long, default_value = ",", value_name = "CHAR")]
    pub(crate) delimiter: String,
    /// The encoding of a CSV file: utf-8 or gb18030
    #[arg(long, default_value = "utf-8", value_name = "NAME")]
    pub(crate) encoding: String,
    /// Recognisers of your own kinds
    #[arg(long, value_name = "R.toml")]
    pub(crate) recognisers: Option<PathBuf>,
}

impl Input {
    pub(crate) fn options(&self) -> Result<FileOptions, Failure> {
        let delimiter = delimiter(&self.delimiter)?;
        let encoding = encoding(&self.encoding)?;
        Ok(FileOptions { format: None, csv: CsvOptions { delimiter, encoding, ..CsvOptions::default() } })
    }

    pub(crate) fn open(&self) -> Result<FileSource, Failure> {
        FileSource::open(&self.file, &self.options()?).or_fail()
    }

    pub(crate) fn recognisers(&self) -> Result<Arc<Recognisers>, Failure> {
        match &self.recognisers {
            Some(path) => Recognisers::read(path).about(path).map(Arc::new),
            None => Ok(Arc::new(Recognisers::builtin())),
        }
    }
}

pub(crate) fn delimiter(text: &str) -> Result<u8, Failure> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [one] => Ok(*one),
        _ => Err(Failure::input("--delimiter: expected one ASCII character, or `tab`")),
    }
}

pub(crate) fn encoding(text: &str) -> Result<Encoding, Failure> {
    Encoding::parse(text).ok_or_else(|| Failure::input(format_args!("--encoding: `{text}` is not known, expected utf-8 or gb18030")))
}
