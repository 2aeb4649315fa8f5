//! The way of a whole file: look at every cell, plan, desensitise in several threads, and let file and manifest appear.

mod written;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::written::Written;
use super::order::{HELD_BYTES_MAX, HeldRows};
use super::plan::{DesensitisePlan, OtherColumns};
use super::policy::{Objection, Policy};
use super::quarantine::OffKindCell;
use super::{KeyRing, Manifest, OutputFile, ReleaseModel, Risk, RowOrder, SourceOpening};
use crate::anonymity::{MeterError, Uniqueness};
use crate::class::Class;
use crate::envelope::{Artefact, EnvelopeError, Signed};
use crate::file::{Output, OutputError, OutputOptions, folder_of};
use crate::grade::{Finding, Looked, Recognisers, SurveyError, check_names, survey};
use crate::id::{Salt, Time};
use crate::key::Signer;
use crate::random::{Random as _, RandomError, SystemRandom};
use crate::spill::{SpillError, SpillTarget};
use crate::table::{FileSink, Format, RecordSource, SinkError, TableError};

/// Where the files of a run go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The desensitised file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Between the fields of a CSV file.
    pub delimiter: u8,
    /// Its manifest; `PATH.manifest` unless told.
    pub manifest: PathBuf,
    /// Replace files that exist.
    pub force: bool,
}

/// How a run is done, apart from its policy.
pub struct Run<'a> {
    /// Threads that desensitise, beside one that reads and one that writes.
    pub threads: usize,
    /// Recognisers of kinds, the user's among them.
    pub recognisers: Arc<Recognisers>,
    /// Signs the manifest; without it the manifest is marked unsigned.
    pub signer: Option<&'a dyn Signer>,
    /// The time for the manifest.
    pub now: Time,
    /// Is told how far the run is, and may end it.
    pub progress: &'a mut dyn FnMut(DesensitiseProgress) -> ControlFlow<()>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DesensitiseProgress {
    /// What is being done.
    pub stage: Stage,
    /// Records done in this stage.
    pub records: u64,
    /// Records or bytes done in this stage, whichever there is a total of.
    pub done: u64,
    /// How many there are.
    pub total: Option<u64>,
}

/// A stage of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Every cell is looked at.
    Survey,
    /// Columns to be permuted are collected.
    Collect,
    /// Records are desensitised and written.
    Write,
    /// Who is unique in them is counted; of counts it is told how many are done.
    Count,
}

/// What a run did; the owner's to know.
///
/// Serialized it is the counts and the findings, marked `"internal": true` (rule G3); the manifest goes by its own bytes.
#[derive(Debug)]
#[non_exhaustive]
pub struct DesensitiseReport {
    /// The manifest.
    pub manifest: Manifest,
    /// Its bytes as they stand in the file.
    pub manifest_bytes: Vec<u8>,
    /// Rows read.
    pub rows_read: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Rows left out.
    pub rows_left_out: u64,
    /// Cells left empty because they were not of their kind.
    pub cells_suppressed: u64,
    /// Cells that a spreadsheet would take for formulas.
    pub formula_cells: u64,
    /// The list of places of rows left out.
    pub quarantine: Option<PathBuf>,
    /// What was found in the columns.
    pub findings: Vec<Finding>,
}

impl serde::Serialize for DesensitiseReport {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let mut out = serializer.serialize_struct("DesensitiseReport", 8)?;
        out.serialize_field("internal", &true)?;
        out.serialize_field("rows_read", &self.rows_read)?;
        out.serialize_field("rows_written", &self.rows_written)?;
        out.serialize_field("rows_left_out", &self.rows_left_out)?;
        out.serialize_field("cells_suppressed", &self.cells_suppressed)?;
        out.serialize_field("formula_cells", &self.formula_cells)?;
        // A path that is not UTF-8 is shown as far as it can be.
        out.serialize_field("quarantine", &self.quarantine.as_ref().map(|path| path.to_string_lossy()))?;
        out.serialize_field("findings", &self.findings)?;
        out.end()
    }
}

/// Why a file was not made. Nothing stands at the target then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The source.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The output.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A file beside the output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The policy cannot be used on this source.
    #[error("the policy cannot be used on this file: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused(Vec<Objection>),
    /// A cell is not of its kind, and the policy says that this ends the run.
    #[error("{}: column {}: {}", .0.position, .0.column, .0.reason)]
    OffKind(OffKindCell),
    /// Too many rows would be left out.
    #[error(
        "{bad} of {rows} rows read so far have cells that are not of the kind their technique works on, more than max_bad = {most} of the file allows; see {quarantine:?}"
    )]
    TooManyBad {
        /// Rows left out.
        bad: u64,
        /// Rows read until then.
        rows: u64,
        /// The share that is allowed.
        most: crate::id::Decimal,
        /// The list of places.
        quarantine: Option<PathBuf>,
    },
    /// Rows in another order than that of the source did not fit in memory, nor beside the target.
    #[error("the folder of the target: {0}")]
    Spill(#[from] SpillError),
    /// A column to be permuted is too large.
    #[error("column {column} is to be permuted and does not fit in {most} bytes of memory")]
    PermuteMemory {
        /// The column.
        column: crate::id::ColumnName,
        /// The most bytes.
        most: usize,
    },
    /// Files for others than an enclave are made in the room `open_data`.
    #[error("release = \"{release}\" is made by `open_data::open`")]
    Release {
        /// The release model.
        release: ReleaseModel,
    },
    /// Who is unique in the file could not be counted.
    #[error(transparent)]
    Meter(#[from] MeterError),
    /// The source changed its columns between two readings.
    #[error(transparent)]
    OtherColumns(#[from] OtherColumns),
    /// The manifest could not be signed.
    #[error(transparent)]
    Sign(#[from] EnvelopeError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The caller ended the run.
    #[error("cancelled")]
    Cancelled,
}

impl ApplyError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Table(error) => error.class(),
            Self::Sink(error) => error.class(),
            Self::Output(error) => error.class(),
            Self::Meter(error) => error.class(),
            Self::Sign(error) => error.class(),
            Self::Random(error) => error.class(),
            Self::Refused(_) | Self::Release { .. } => Class::Refused,
            Self::OffKind(_) | Self::TooManyBad { .. } | Self::PermuteMemory { .. } => Class::BadInput,
            Self::Spill(error) => error.class(),
            Self::OtherColumns(_) => Class::Environment,
            Self::Cancelled => Class::Interrupted,
        }
    }
}

/// A policy with its keys.
#[derive(Debug)]
pub struct BoundPolicy<'k> {
    policy: Policy,
    keys: &'k KeyRing,
    held_bytes: usize,
}

impl Policy {
    /// The policy with the keys that it names.
    #[must_use]
    pub const fn bind(self, keys: &KeyRing) -> BoundPolicy<'_> {
        BoundPolicy { policy: self, keys, held_bytes: HELD_BYTES_MAX }
    }
}

impl BoundPolicy<'_> {
    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Holds so many bytes of rows in memory that leave in another order than that of the source, in place of
    /// [`HELD_BYTES_MAX`]; the others go through an encrypted file without a name in the target's folder.
    #[must_use]
    pub const fn with_held_bytes(mut self, bytes: usize) -> Self {
        self.held_bytes = bytes;
        self
    }

    /// Makes an enclave file: surveys every cell of the source, checks the policy, and writes file, opening and manifest,
    /// in this order. The manifest is the completion mark (rule H9).
    ///
    /// # Errors
    /// Nothing stands at the target after an error, except when the very last files, opening and manifest, could not be
    /// given their names.
    pub fn apply(&self, source: &(dyn RecordSource + Sync), target: &Target, run: &mut Run<'_>) -> Result<DesensitiseReport, ApplyError> {
        match self.policy.release() {
            ReleaseModel::Enclave => self.write(source, target, run),
            release => Err(ApplyError::Release { release }),
        }
    }

    /// The run itself, for `apply` and for the room `open_data`.
    pub(crate) fn write(
        &self,
        source: &(dyn RecordSource + Sync),
        target: &Target,
        run: &mut Run<'_>,
    ) -> Result<DesensitiseReport, ApplyError> {
        // What is in the way is found before the long work: first what no record can change. A message names columns, so that none may be
        // called by what is a cell.
        check_names(source.schema(), &run.recognisers)?;
        let objections = self.policy.objections_beforehand(source.schema(), self.keys);
        if !objections.is_empty() {
            return Err(ApplyError::Refused(objections));
        }
        FileSink::can_write(target.format, target.delimiter)?;
        let private = OutputOptions { force: target.force, private: true };
        drop(Output::create(&target.path, private)?);
        let manifest_output = Output::create(&target.manifest, OutputOptions { force: target.force, private: false })?;
        let opening_output = Output::create(target.beside("opening"), private)?;
        let version = source.version()?;
        let digest = source.digest()?;

        let findings = look(source, run)?;
        let mut plan = self.policy.plan(&findings, source.schema(), self.keys, target.format).map_err(ApplyError::Refused)?;
        let rows = findings.first().map_or(0, |finding| finding.sampled + finding.nulls);
        collect(&mut plan, source, &mut |records| tell(run, Stage::Collect, records, rows))?;
        let mut written = Written::begin(&plan, target, rows)?;
        match self.policy.order() {
            RowOrder::Kept => written.in_source_order(source, run)?,
            order => {
                let folder = SpillTarget::Folder(folder_of(&target.path).to_owned());
                written.held(source, run, order, HeldRows::new(plan.output(), folder, self.held_bytes)?)?;
            }
        }
        if source.version()? != version {
            return Err(TableError::Changed.into());
        }
        written.count_unique(run)?;
        let Written { sink, uniqueness, quarantine, rows_read, rows_written, rows_left_out, cells_suppressed, .. } = written;
        let finished = sink.finish()?;

        let mut salt = [0; 32];
        SystemRandom::new()?.fill(&mut salt);
        let opening = SourceOpening { salt: Salt::from_bytes(salt), digest, rows_read, rows_written, rows_left_out };
        let manifest = Manifest {
            release: self.policy.release(),
            order: self.policy.order(),
            made: run.now,
            software: concat!("usufruct ", env!("CARGO_PKG_VERSION")).to_owned(),
            source: opening.commitment(),
            output: OutputFile { digest: finished.digest, bytes: finished.bytes, format: target.format.as_str().to_owned() },
            rows: (self.policy.release() == ReleaseModel::Public).then_some(rows_written),
            columns: plan.columns_counted(uniqueness.as_ref().filter(|counted| !counted.columns.is_empty()).map(Uniqueness::highest)),
            risk: uniqueness.map(Risk::Uniqueness),
        };
        let manifest_bytes = match run.signer {
            Some(signer) => Signed::sign(manifest.clone(), signer)?.bytes().to_vec(),
            None => manifest.to_payload(),
        };
        let formula_cells = finished.formula_cells;
        let quarantine = quarantine.finish()?;
        finished.commit()?;
        opening_output.finish(&opening.encode())?;
        manifest_output.finish(&manifest_bytes)?;
        Ok(DesensitiseReport {
            manifest,
            manifest_bytes,
            rows_read,
            rows_written,
            rows_left_out,
            cells_suppressed,
            formula_cells,
            quarantine,
            findings,
        })
    }
}

impl Target {
    /// A target with its manifest beside it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, format: Format) -> Self {
        let path = path.into();
        let manifest = beside(&path, "manifest");
        Self { path, format, delimiter: b',', manifest, force: false }
    }

    fn beside(&self, what: &str) -> PathBuf {
        beside(&self.path, what)
    }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    path.with_file_name(name)
}

/// Looks at every cell.
fn look(source: &(dyn RecordSource + Sync), run: &mut Run<'_>) -> Result<Vec<Finding>, ApplyError> {
    let progress = &mut *run.progress;
    let size = source.size_hint();
    let told = &mut |Looked { records, bytes }| {
        let (done, total) = bytes.zip(size.bytes).map_or((records, size.records), |(bytes, total)| (bytes, Some(total)));
        progress(DesensitiseProgress { stage: Stage::Survey, records, done, total })
    };
    survey(source, &run.recognisers, run.threads, told).map_err(|error| match error {
        SurveyError::Table(error) => ApplyError::Table(error),
        SurveyError::Cancelled => ApplyError::Cancelled,
    })
}

/// Collects the columns that are permuted, in a reading of its own.
pub(super) fn collect(
    plan: &mut DesensitisePlan,
    source: &(dyn RecordSource + Sync),
    tell: &mut dyn FnMut(u64) -> Result<(), ApplyError>,
) -> Result<(), ApplyError> {
    if !plan.needs_collection() {
        return Ok(());
    }
    let mut collectors = plan.collectors();
    let mut records = 0;
    for batch in source.read()? {
        let batch = batch?;
        records += batch.len() as u64;
        tell(records)?;
        for collector in &mut collectors {
            collector.push(&batch)?;
        }
    }
    plan.permute(collectors);
    Ok(())
}

fn tell(run: &mut Run<'_>, stage: Stage, records: u64, total: u64) -> Result<(), ApplyError> {
    match (run.progress)(DesensitiseProgress { stage, records, done: records, total: Some(total) }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ApplyError::Cancelled),
    }
}
