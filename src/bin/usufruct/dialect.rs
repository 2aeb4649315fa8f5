//! How a file of records is written, in options of verbs that have no description.

use clap::Args;
use usufruct::table::{CsvOptions, Encoding, FileOptions, Format};

use crate::failure::Failure;

#[derive(Args)]
pub(crate) struct Dialect {
    /// What the file is written in: csv, parquet or ipc; found out unless told
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// What stands between the fields of CSV: one character, or `tab`
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<String>,
    /// The encoding of CSV: utf-8 or gb18030
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// The first record of CSV is data and no header: the columns are c1, c2, ...
    #[arg(long)]
    pub(crate) no_header: bool,
}

impl Dialect {
    pub(crate) fn options(&self) -> Result<FileOptions, Failure> {
        let mut csv = CsvOptions::default();
        match self.delimiter.as_deref().map(str::as_bytes) {
            None => {}
            Some(b"tab" | b"\\t") => csv.delimiter = b'\t',
            Some(&[one]) => csv.delimiter = one,
            Some(_) => return Err(Failure::input("--delimiter: expected one ASCII character, or `tab`")),
        }
        if let Some(name) = &self.encoding {
            let wrong = || Failure::input(format_args!("--encoding: `{name}` is not supported, only utf-8 and gb18030"));
            csv.encoding = Encoding::parse(name).ok_or_else(wrong)?;
        }
        csv.header = !self.no_header;
        let format = match &self.format {
            None => None,
            Some(name) => Some(
                Format::parse(name).ok_or_else(|| Failure::input(format_args!("--format: `{name}` is none of csv, parquet and ipc")))?,
            ),
        };
        Ok(FileOptions { format, csv })
    }
}
