//! Rows that are left out, and why: places and reasons, never a cell (rule H6).

use std::io::Write as _;
use std::path::PathBuf;

use super::OffReason;
use crate::file::{Output, OutputError, OutputOptions};
use crate::id::ColumnName;
use crate::table::Position;

/// The most lines of a quarantine file; what is wrong shows long before. The counts go on.
pub const QUARANTINE_LINES_MAX: u64 = 1_000_000;

/// A cell that is not of the kind its technique works on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OffKindCell {
    /// Where it stands in the source.
    pub position: Position,
    /// Its column.
    pub column: ColumnName,
    /// What it is not.
    pub reason: OffReason,
}

/// The file `OUT.quarantine.csv`, made when the first row is left out.
pub(super) struct Quarantine {
    path: PathBuf,
    force: bool,
    output: Option<Output>,
    lines: u64,
}

impl Quarantine {
    pub(super) const fn new(path: PathBuf, force: bool) -> Self {
        Self { path, force, output: None, lines: 0 }
    }

    pub(super) fn add(&mut self, cell: &OffKindCell) -> Result<(), OutputError> {
        if self.lines == QUARANTINE_LINES_MAX {
            return Ok(());
        }
        if self.output.is_none() {
            let mut output = Output::create(&self.path, OutputOptions { force: self.force, private: true })?;
            // A write that fails is told by `commit`.
            let _ = output.write_all(b"record,byte,column,reason\n");
            self.output = Some(output);
        }
        if let Some(output) = &mut self.output {
            let byte = cell.position.byte.map(|byte| byte.to_string()).unwrap_or_default();
            let column = cell.column.as_str().replace('"', "\"\"");
            let _ = writeln!(output, "{},{byte},\"{column}\",{}", cell.position.record, cell.reason);
            self.lines += 1;
        }
        Ok(())
    }

    /// Gives the file its name, if there is anything in it.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, OutputError> {
        match self.output {
            Some(output) => output.commit().map(|()| Some(self.path)),
            None => Ok(None),
        }
    }
}
