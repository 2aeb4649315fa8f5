//! The verb `apply`: an owner's act that was signed elsewhere goes into the ledger.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::at::At;
use crate::failure::{Failure, OrFail};
use crate::{file, output};

/// A right of the longest chain; other acts are shorter.
const ACT_BYTES_MAX: usize = usufruct::right::CHAIN_BYTES_MAX;

/// Apply an owner's act that was signed elsewhere: a right, a refill, a publication, a certificate, a quantum, a clock act
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct apply space more.refill

FILE is what `grant`, `refill`, `publish`, `space certify`, `space quantum` or `space clock` wrote with --out. Needs no key: the owner's signature is in the file. Each act counts once and in its turn: handed in again it changes nothing, and is told as applied. The snapshot of a publication lies beside it, as FILE.snapshot. A gate that has the space open takes acts that are renamed into DIR/inbox/, and says in DIR/inbox/done/ what became of them.")]
pub(crate) struct Apply {
    #[command(flatten)]
    at: At,
    /// The signed act; `-` for stdin, but for a publication
    file: PathBuf,
}

#[derive(Serialize)]
struct Told {
    applied: String,
}

impl Apply {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let space = self.at.open()?;
        let applied = if self.file == Path::new("-") {
            space.apply(&file::read_or_stdin(&self.file, ACT_BYTES_MAX)?).or_fail()?
        } else {
            space.apply_file(&self.file).about(&self.file)?
        };
        let applied = applied.to_string();
        if json {
            return output::print_json(&Told { applied });
        }
        output::print(&output::lines(&[&applied]))
    }
}
