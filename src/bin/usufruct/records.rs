//! A file of records that the user names, and how all its cells are looked at.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use usufruct::grade::{Finding, Recognisers, reads_like_data, survey};
use usufruct::table::{FileSource, Format, RecordSource as _};

use crate::dialect::Dialect;
use crate::failure::{Failure, OrFail};
use crate::progress::Bar;
use crate::{interrupt, output};

/// The records to read.
#[derive(Args)]
pub(crate) struct Input {
    /// A CSV, Parquet or Arrow IPC file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// How they are read.
#[derive(Args)]
pub(crate) struct Reading {
    #[command(flatten)]
    pub(crate) dialect: Dialect,
    /// Recognisers of your own kinds, in TOML
    #[arg(long, value_name = "R.toml")]
    recognisers: Option<PathBuf>,
}

impl Input {
    pub(crate) fn open(&self) -> Result<FileSource, Failure> {
        FileSource::open(&self.file, &self.reading.dialect.options()?).about(&self.file)
    }

    pub(crate) fn recognisers(&self) -> Result<Arc<Recognisers>, Failure> {
        Ok(Arc::new(match &self.reading.recognisers {
            Some(path) => Recognisers::read(path).about(path)?,
            None => Recognisers::builtin(),
        }))
    }

    /// Looks at every cell.
    pub(crate) fn look(&self, source: &FileSource) -> Result<Vec<Finding>, Failure> {
        let recognisers = self.recognisers()?;
        let size = source.size_hint();
        let bar = Bar::new("looking", size.bytes.is_some());
        let work = interrupt::work();
        let findings = survey(source, &recognisers, threads(), &mut |looked| {
            let (done, total) = looked.bytes.zip(size.bytes).map_or((looked.records, size.records), |(bytes, total)| (bytes, Some(total)));
            bar.show_rate(looked.records, done, total);
            if interrupt::is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        drop(work);
        let findings = findings.about(&self.file)?;
        if source.format() == Format::Csv && !self.reading.dialect.no_header && reads_like_data(source.schema()) {
            let file = self.file.display();
            output::say(format_args!("warning: {file}: the header reads like data; if the file has none, say --no-header"));
        }
        Ok(findings)
    }
}

/// As many as there are cores.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}
