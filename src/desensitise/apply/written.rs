//! The file under way: batches made ready in several threads, counted, and written in their order.

use std::path::PathBuf;

use super::{ApplyError, DesensitiseProgress, Run, Stage, Target, tell};
use crate::anonymity::{HashedRows, Uniqueness, UniquenessMeter};
use crate::desensitise::order::{EncodedRows, HeldRows};
use crate::desensitise::plan::{DesensitisePlan, Desensitised};
use crate::desensitise::quarantine::Quarantine;
use crate::desensitise::{OffKindRule, ReleaseModel, RowOrder};
use crate::file::{OutputOptions, folder_of};
use crate::random::SystemRandom;
use crate::table::{FileSink, Prepared, RecordSource, Records, SinkError, SinkOptions, in_order};

/// A batch of what leaves.
struct Made {
    /// Rows of the source.
    rows: usize,
    done: Desensitised,
    hashed: Option<HashedRows>,
}

/// The file under way.
pub(super) struct Written<'a> {
    pub(super) plan: &'a DesensitisePlan,
    pub(super) sink: FileSink,
    /// Counts who is unique in a file that leaves its enclave.
    pub(super) meter: Option<UniquenessMeter>,
    pub(super) uniqueness: Option<Uniqueness>,
    pub(super) quarantine: Quarantine,
    /// Rows of the whole source.
    pub(super) rows: u64,
    pub(super) rows_read: u64,
    pub(super) rows_written: u64,
    pub(super) rows_left_out: u64,
    pub(super) cells_suppressed: u64,
}

impl<'a> Written<'a> {
    pub(super) fn begin(plan: &'a DesensitisePlan, target: &Target, rows: u64) -> Result<Self, ApplyError> {
        // What a key made can be linked with the key, so it starts out private; so does everything else.
        let output = OutputOptions { force: target.force, private: true };
        let options = SinkOptions { output, delimiter: target.delimiter, unique: plan.unique_columns() };
        let sink = FileSink::create(&target.path, target.format, plan.output(), &options)?;
        let quarantine = Quarantine::new(target.beside("quarantine.csv"), target.force);
        let leaves = plan.policy().release() != ReleaseModel::Enclave;
        let meter = leaves.then(|| plan.uniqueness_meter(folder_of(&target.path))).transpose()?;
        Ok(Self {
            plan,
            sink,
            meter,
            uniqueness: None,
            quarantine,
            rows,
            rows_read: 0,
            rows_written: 0,
            rows_left_out: 0,
            cells_suppressed: 0,
        })
    }

    pub(super) fn in_source_order(&mut self, source: &(dyn RecordSource + Sync), run: &mut Run<'_>) -> Result<(), ApplyError> {
        let (emit, preparer) = (self.emitter(), self.sink.preparer());
        let work = |records: Records| -> Result<(Made, Result<Prepared, SinkError>), ApplyError> {
            let made = emit(&records)?;
            let prepared = preparer.prepare(&made.done);
            Ok((made, prepared))
        };
        in_order(source, run.threads, work, |result| {
            let (made, prepared) = result?;
            self.count(made)?;
            self.sink.write(prepared?)?;
            tell(run, Stage::Write, self.rows_read, self.rows)
        })
    }

    pub(super) fn held(
        &mut self,
        source: &(dyn RecordSource + Sync),
        run: &mut Run<'_>,
        order: RowOrder,
        rows: HeldRows,
    ) -> Result<(), ApplyError> {
        let emit = self.emitter();
        let mut random = SystemRandom::new()?;
        let mut held = if order == RowOrder::Shuffled { rows.shuffled(&mut random) } else { rows.by_output() };
        let encoding = held.encoding();
        let work = |records: Records| -> Result<(Made, EncodedRows), ApplyError> {
            let made = emit(&records)?;
            let encoded = encoding.encode(&made.done)?;
            Ok((made, encoded))
        };
        in_order(source, run.threads, work, |result| {
            let (made, encoded) = result?;
            self.count(made)?;
            held.push(&encoded)?;
            tell(run, Stage::Write, self.rows_read, self.rows)
        })?;
        // Before the first row is written, as none may leave.
        self.count_unique(run)?;
        let (rows_read, rows, sink) = (self.rows_read, self.rows, &mut self.sink);
        let preparer = sink.preparer();
        held.finish(&mut || tell(run, Stage::Write, rows_read, rows), &mut |rows| Ok(sink.write(preparer.prepare(rows)?)?))
    }

    /// What makes a batch of what leaves, on any thread.
    fn emitter(&self) -> impl Fn(&Records) -> Result<Made, ApplyError> + Sync + use<'a> {
        let (plan, hasher) = (self.plan, self.meter.as_ref().map(UniquenessMeter::hasher));
        move |records| {
            let done = plan.emit(records)?;
            let hashed = hasher.as_ref().map(|hasher| hasher.hash(done.batch())).transpose()?;
            Ok(Made { rows: records.len(), done, hashed })
        }
    }

    /// The shares of persons who are unique in what was written, if the policy lets them be.
    pub(super) fn count_unique(&mut self, run: &mut Run<'_>) -> Result<(), ApplyError> {
        let Some(meter) = self.meter.take() else { return Ok(()) };
        let records = self.rows_written;
        let counted = meter.finish(run.threads, &mut |done, total| {
            (run.progress)(DesensitiseProgress { stage: Stage::Count, records, done, total: Some(total) })
        })?;
        match self.plan.judged(counted) {
            (_, Some(objection)) => Err(ApplyError::Refused(vec![objection])),
            (uniqueness, None) => {
                self.uniqueness = Some(uniqueness);
                Ok(())
            }
        }
    }

    /// Counts a batch and tells the places of what is left out.
    fn count(&mut self, made: Made) -> Result<(), ApplyError> {
        let Made { rows, done, hashed } = made;
        self.rows_read += rows as u64;
        self.rows_left_out += done.left_out() as u64;
        self.rows_written += done.batch().num_rows() as u64;
        for (rule, cell) in done.off_kind() {
            match rule {
                OffKindRule::Refuse => return Err(ApplyError::OffKind(cell.clone())),
                OffKindRule::Quarantine => self.quarantine.add(cell)?,
                OffKindRule::Suppress => self.cells_suppressed += 1,
            }
        }
        if self.plan.policy().is_too_many(self.rows_left_out, self.rows) {
            let quarantine = std::mem::replace(&mut self.quarantine, Quarantine::new(PathBuf::new(), false)).finish()?;
            let (bad, rows, most) = (self.rows_left_out, self.rows_read, self.plan.policy().max_bad());
            return Err(ApplyError::TooManyBad { bad, rows, most, quarantine });
        }
        if let (Some(meter), Some(hashed)) = (&mut self.meter, hashed) {
            meter.take(hashed)?;
        }
        Ok(())
    }
}
