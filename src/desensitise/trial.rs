//! A policy tried out on the cells of a source: the run itself, without a file.

use std::ops::ControlFlow;
use std::path::Path;

use super::apply::collect;
use super::plan::DesensitisePlan;
use super::policy::{Objection, Untreated};
use super::{ApplyError, OffKindRule};
use crate::anonymity::Uniqueness;
use crate::id::ColumnName;
use crate::table::{RecordSource, Records, in_order};

/// What a run of a policy would do to a source; the owner's to know, as it counts raw data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trial {
    /// Rows read.
    pub rows: u64,
    /// Rows that would be left out.
    pub rows_left_out: u64,
    /// Cells that would be left empty because they are not of their kind.
    pub cells_suppressed: u64,
    /// The shares of persons who would be unique in what leaves; nothing if columns to be permuted do not fit in memory.
    pub uniqueness: Option<Uniqueness>,
    /// What would stop the run. Nothing: a run on the same source completes, as far as machine and target let it.
    pub objections: Vec<Objection>,
}

/// What a batch adds.
#[derive(Default)]
struct Tally {
    rows: u64,
    left_out: u64,
    suppressed: u64,
    refused: Vec<Untreated>,
    quarantined: Vec<Untreated>,
}

impl DesensitisePlan {
    /// Runs every kernel on every cell of the source, as [`BoundPolicy::apply`](super::BoundPolicy::apply) does, and writes nothing.
    /// Columns that are permuted are collected, so that the plan can be used on records afterwards. What does not fit in memory goes to a
    /// file without a name in `folder`, encrypted.
    ///
    /// # Errors
    /// The source, or records of other columns; [`ApplyError::Cancelled`] when `progress` breaks off.
    pub fn trial(
        &mut self,
        source: &(dyn RecordSource + Sync),
        threads: usize,
        folder: &Path,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Trial, ApplyError> {
        let mut tell = |records| match progress(records) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ApplyError::Cancelled),
        };
        match collect(self, source, &mut tell) {
            Err(ApplyError::PermuteMemory { column, most }) => {
                let objections = vec![Objection::PermuteMemory { column, most }];
                return Ok(Trial { rows: 0, rows_left_out: 0, cells_suppressed: 0, uniqueness: None, objections });
            }
            collected => collected?,
        }
        let plan = &*self;
        let mut all = Tally::default();
        let mut meter = plan.uniqueness_meter(folder)?;
        let hasher = meter.hasher();
        let work = |records: Records| -> Result<_, ApplyError> {
            let done = plan.emit(&records)?;
            let hashed = hasher.hash(done.batch())?;
            Ok((records.len(), done, hashed))
        };
        in_order(source, threads, work, |done| {
            let (rows, done, hashed) = done?;
            all.add(rows, &done);
            meter.take(hashed)?;
            tell(all.rows)
        })?;
        let counted = meter.finish(threads, &mut |_, _| match tell(all.rows) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        });
        let (uniqueness, objection) = plan.judged(counted?);
        let mut trial = all.judged(plan);
        trial.objections.extend(objection);
        Ok(Trial { uniqueness: Some(uniqueness), ..trial })
    }
}

impl Tally {
    fn add(&mut self, rows: usize, done: &super::Desensitised) {
        self.rows += rows as u64;
        self.left_out += done.left_out() as u64;
        for (rule, cell) in done.off_kind() {
            match rule {
                OffKindRule::Refuse => count(&mut self.refused, &cell.column, &cell.reason),
                OffKindRule::Quarantine => count(&mut self.quarantined, &cell.column, &cell.reason),
                OffKindRule::Suppress => self.suppressed += 1,
            }
        }
    }

    fn judged(self, plan: &DesensitisePlan) -> Trial {
        let Self { rows, left_out, suppressed, refused, quarantined } = self;
        let policy = plan.policy();
        let mut objections: Vec<Objection> = refused.into_iter().map(Objection::OffKind).collect();
        if policy.is_too_many(left_out, rows) {
            objections.push(Objection::TooManyBad { bad: left_out, rows, most: policy.max_bad(), untreated: quarantined });
        }
        Trial { rows, rows_left_out: left_out, cells_suppressed: suppressed, uniqueness: None, objections }
    }
}

fn count(all: &mut Vec<Untreated>, column: &ColumnName, reason: &super::OffReason) {
    match all.iter_mut().find(|found| found.column == *column && found.reason == *reason) {
        Some(found) => found.cells += 1,
        None => all.push(Untreated { column: column.clone(), reason: reason.clone(), cells: 1 }),
    }
}
