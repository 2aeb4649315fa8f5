//! Who is unique in a file, in words, and counted again.

use std::ops::ControlFlow;
use std::path::Path;

use usufruct::anonymity::{MeterError, Uniqueness, measure};
use usufruct::desensitise::Manifest;
use usufruct::table::{FileOptions, FileSource, Format};

use crate::failure::{Failure, OrFail};
use crate::interrupt;
use crate::progress::Bar;
use crate::records::threads;

/// What is counted.
pub(crate) const fn whom(uniqueness: &Uniqueness) -> &'static str {
    if uniqueness.subject.is_some() { "the subjects" } else { "the records" }
}

/// One sentence.
pub(crate) fn in_words(uniqueness: &Uniqueness) -> String {
    let whom = whom(uniqueness);
    let gaps = uniqueness.gaps.iter().map(|gaps| gaps.share).max();
    let gaps = gaps.map_or_else(String::new, |share| format!(", and {share} by the gaps between their dates"));
    format!("{} of {whom} are unique on all that leaves without a key{gaps}; allowed are {}", uniqueness.all, uniqueness.most)
}

/// Counts the shares of a manifest again in its file; a column that is not there is for the caller to tell.
pub(crate) fn count_again(manifest: &Manifest, stated: &Uniqueness, file: &Path) -> Result<Result<Uniqueness, MeterError>, Failure> {
    // The file is what its manifest says, whatever its name.
    let options = FileOptions { format: Format::parse(&manifest.output.format), ..FileOptions::default() };
    let source = FileSource::open(file, &options).about(file)?;
    let bar = Bar::new("counting", false);
    let work = interrupt::work();
    let counted = measure(&source, &stated.asked(), &std::env::temp_dir(), threads(), &mut |records| {
        bar.show_rate(records, records, None);
        if interrupt::is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    drop(work);
    match counted {
        Err(error @ MeterError::NoColumn { .. }) => Ok(Err(error)),
        counted => counted.about(file).map(Ok),
    }
}
