//! A policy bound to the columns of a source and to keys: checked, and ready to work on records.

mod counted;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, new_null_array};
use arrow_schema::{Field, SchemaRef};

use super::beforehand::{key_of, subject_of};
use super::joint::{Left, domain, graded};
use super::policy::{ColumnPolicy, Objection, OffKindRule, Policy};
use super::quarantine::OffKindCell;
use super::release::{Need, grade_after};
use super::rows::{self, Place};
use super::technique::{self, Kernel, OffRow, OutputType, Setting, Technique, TechniqueError, Whole};
use super::{ApplyError, Emitted, KeyRing, KeyUse, ManifestColumn, OffKind, Residual};
use crate::class::Class;
use crate::grade::{Finding, Grade, Kind, ValueType};
use crate::id::{ColumnName, Name};
use crate::table::{ColumnKind, Format, Leaving, Records, TableSchema, sealed};
use crate::value::DateOrder;

/// A policy that was checked against the columns of a source and has its keys: a function from records to records.
///
/// Made by [`Policy::plan`]. Works on any batch of the source's schema, in any thread.
pub struct DesensitisePlan {
    policy: Policy,
    columns: Vec<Planned>,
    output: SchemaRef,
}

/// A column of the source and what happens to it.
struct Planned {
    name: ColumnName,
    technique: Technique,
    off_kind: OffKindRule,
    work: Work,
    /// Texts are read as integers first, which all of them are.
    reads_integers: bool,
    /// Where its subject stands.
    subject: Option<usize>,
    /// The order of day and month in its dates.
    date_order: Option<DateOrder>,
    /// Whether it names a person directly.
    is_direct: bool,
    manifest: ManifestColumn,
}

/// What carries a technique out.
enum Work {
    /// The column does not leave.
    Nothing,
    /// Cell by cell.
    Kernel(Kernel),
    /// To be collected whole before the first row can leave.
    Collect(Whole),
    /// The whole column in its keyed order.
    Permuted(Emitted),
}

/// Records that may leave, and the cells that may not.
pub struct Desensitised {
    /// The rows that leave.
    batch: RecordBatch,
    /// How many rows were left out.
    left_out: usize,
    /// The cells that were not of their technique's kind.
    off_kind: Vec<(OffKindRule, OffKindCell)>,
}

impl Policy {
    /// Checks the policy against what was found in the columns of a source, and takes its keys.
    ///
    /// `findings` are those of a survey of the whole source, whose columns are `schema`. `format` is that of the output:
    /// columnar formats get integers and decimals where CSV gets their text.
    ///
    /// # Errors
    /// Everything that stands in the way, at once.
    pub fn plan(
        &self,
        findings: &[Finding],
        schema: &TableSchema,
        keys: &KeyRing,
        format: Format,
    ) -> Result<DesensitisePlan, Vec<Objection>> {
        let findings = &self.taken(findings);
        let names: Vec<&ColumnName> = findings.iter().map(|finding| &finding.column).collect();
        let mut objections = self.general_objections(&names);
        let (mut columns, mut outputs) = (Vec::with_capacity(findings.len()), Vec::with_capacity(findings.len()));
        for finding in findings {
            match self.column(&finding.column) {
                None => objections.push(Objection::NoSection { column: finding.column.clone() }),
                Some(section) => match self.planned(section, finding, findings, schema, keys, format) {
                    Ok((planned, output)) => {
                        columns.push(planned);
                        outputs.push(output);
                    }
                    Err(found) => objections.extend(found),
                },
            }
        }
        if objections.is_empty() && columns.iter().all(|column| matches!(column.work, Work::Nothing)) {
            objections.push(Objection::NothingLeaves);
        }
        if !objections.is_empty() {
            return Err(Objection::without_consequences(objections));
        }
        let fields =
            columns.iter().zip(outputs).filter_map(|(column, output)| Some(Field::new(column.name.as_str(), output.data_type()?, true)));
        let output = Arc::new(arrow_schema::Schema::new(fields.collect::<Vec<_>>()));
        Ok(DesensitisePlan { policy: self.clone(), columns, output })
    }

    /// What counts of the findings: of a column that the owner says tells of no person, what its cells say alone.
    fn taken(&self, findings: &[Finding]) -> Vec<Finding> {
        let is_lifted = |finding: &Finding| self.column(&finding.column).is_some_and(|section| section.not_personal.is_some());
        findings.iter().map(|finding| if is_lifted(finding) { finding.without_floor() } else { finding }.clone()).collect()
    }

    fn planned(
        &self,
        section: &ColumnPolicy,
        finding: &Finding,
        findings: &[Finding],
        schema: &TableSchema,
        keys: &KeyRing,
        format: Format,
    ) -> Result<(Planned, OutputType), Vec<Objection>> {
        let (column, technique) = (&finding.column, &section.technique);
        let mut objections = Vec::new();
        let domain = domain(section, finding);
        let (grade, is_direct) = graded(section, finding);

        let names: Vec<&ColumnName> = findings.iter().map(|finding| &finding.column).collect();
        let (subject, key) = (subject_of(column, technique, &names), key_of(column, technique, keys));
        let (subject, key) = match (subject, key) {
            (Ok(subject), Ok(key)) => (subject, key),
            (subject, key) => {
                objections.extend([subject.err(), key.err()].into_iter().flatten());
                (None, None)
            }
        };
        let key = key.and_then(|key| {
            let algorithm = Name::new(key.algorithm().as_str()).ok()?;
            Some(KeyUse { id: key.id().clone(), version: key.version(), algorithm })
        });
        let date_order = section.date_order.or(finding.date_order);
        if technique.needs_date_order() && date_order.is_none() {
            objections.push(Objection::DateOrder { column: column.clone(), technique: technique.name() });
        }
        if technique.needs_day() && finding.kind == Kind::YearMonth {
            objections.push(Objection::NoDay { column: column.clone(), technique: technique.name() });
        }
        let left = self.left_open(technique, section, finding, findings);
        let residual = left.residual;
        objections.extend(self.residual_objection(technique, finding, grade, is_direct, left));
        if !objections.is_empty() {
            return Err(objections);
        }
        // CSV keeps numbers as they were written; other formats have types for them.
        let is_text = schema.index_of(column.as_str()).is_some_and(|at| schema.columns()[at].kind == ColumnKind::Text);
        let typed = format != Format::Csv;
        let has_months = finding.has_months();
        let mut setting = Setting { column: column.clone(), domain: domain.clone(), date_order, has_months, decimals: None };
        if let (true, ValueType::Real { scale }) = (typed, finding.value_type) {
            setting.decimals = Some(scale);
        }
        if !typed && is_text && technique.keeps_spelling() {
            setting.domain.value_type = ValueType::Text;
        }
        let output = technique.output(&setting);
        let failed = |problem| vec![Objection::Technique { column: column.clone(), problem }];
        let work = if output == OutputType::Dropped {
            Work::Nothing
        } else {
            match technique.work(&setting, keys).map_err(failed)? {
                technique::Work::Cells(kernel) => Work::Kernel(kernel),
                technique::Work::Column(whole) => Work::Collect(whole),
            }
        };
        let reads_integers = is_text && output == OutputType::Integer && setting.domain.value_type == ValueType::Integer;
        let nature = technique.nature();
        let manifest = ManifestColumn {
            name: column.clone(),
            kind: domain.kind,
            technique: Name::new(technique.name()).map_err(|_| Vec::new())?,
            parameters: section.parameters.clone(),
            key,
            leaves: output != OutputType::Dropped,
            grade_before: grade,
            grade_after: grade_after(grade, is_direct, residual, nature.linkable, None),
            residual,
            nature,
            leaks: technique.leaks().iter().map(ToString::to_string).collect(),
            not_personal: section.not_personal.clone(),
            not_known: section.not_known.clone(),
        };
        let off_kind = self.off_kind(section);
        let (name, technique) = (column.clone(), technique.clone());
        let planned = Planned { name, technique, off_kind, work, reads_integers, subject, date_order, is_direct, manifest };
        Ok((planned, output))
    }

    /// Why a column may not leave as a section says, if it may not.
    pub(super) fn objection_to_residual(&self, section: &ColumnPolicy, finding: &Finding, findings: &[Finding]) -> Option<Objection> {
        let (grade, is_direct) = graded(section, finding);
        let left = self.left_open(&section.technique, section, finding, findings);
        self.residual_objection(&section.technique, finding, grade, is_direct, left)
    }

    fn residual_objection(&self, technique: &Technique, finding: &Finding, grade: Grade, is_direct: bool, left: Left) -> Option<Objection> {
        let release = self.release();
        let (column, name) = (finding.column.clone(), technique.name());
        let Left { residual: found, beside } = left;
        match self.release().need(grade, is_direct) {
            Need::Residual(needed) if found < Residual::AtLeast(needed) => Some(match beside {
                Some(beside) => Objection::Joint { column, beside, technique: name, grade, found, needed, release },
                None => Objection::too_little(finding, grade, name, (found, needed), release),
            }),
            Need::Irreversible if found != Residual::Unbounded || technique.nature().reversible => {
                Some(Objection::GradeFour { column, technique: name, release })
            }
            Need::Suppressed if !technique.leaves_nothing() => Some(Objection::GradeFour { column, technique: name, release }),
            _ => None,
        }
    }
}

impl DesensitisePlan {
    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The columns that leave.
    #[must_use]
    pub fn output(&self) -> &SchemaRef {
        &self.output
    }

    /// What a manifest says about the columns.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &ManifestColumn> {
        self.columns.iter().map(|column| &column.manifest)
    }

    /// Columns that leave and have a different value in almost every row: not worth a dictionary.
    #[must_use]
    pub fn unique_columns(&self) -> Vec<usize> {
        let leaving = self.columns.iter().filter(|column| column.manifest.leaves);
        leaving.enumerate().filter(|(_, column)| column.technique.hardly_repeats()).map(|(at, _)| at).collect()
    }

    /// The columns that leave and are the same whatever the key, and where they stand in the output.
    pub(super) fn equal_columns(&self) -> Vec<(usize, ColumnName)> {
        let leaving = self.columns.iter().filter(|column| column.manifest.leaves).enumerate();
        leaving.filter(|(_, column)| column.manifest.key.is_none()).map(|(place, column)| (place, column.name.clone())).collect()
    }

    /// Whether a column must be collected before the first row can leave.
    #[must_use]
    pub fn needs_collection(&self) -> bool {
        self.columns.iter().any(|column| matches!(column.work, Work::Collect(_)))
    }

    /// One collector for each column that is permuted.
    pub(super) fn collectors(&mut self) -> Vec<Collector> {
        let expected = self.columns.len();
        let columns = self.columns.iter_mut().enumerate();
        columns
            .filter_map(|(at, column)| match std::mem::replace(&mut column.work, Work::Nothing) {
                Work::Collect(whole) => {
                    let (name, reads_integers) = (column.name.clone(), column.reads_integers);
                    Some(Collector { at, expected, name, reads_integers, whole })
                }
                work => {
                    column.work = work;
                    None
                }
            })
            .collect()
    }

    /// Takes the columns that were collected, in their keyed order.
    pub(super) fn permute(&mut self, collectors: Vec<Collector>) {
        for Collector { at, whole, .. } in collectors {
            self.columns[at].work = Work::Permuted(whole.finish());
        }
    }

    /// Desensitises a batch: the only way from records to a file.
    ///
    /// # Errors
    /// A batch of other columns than the source's, or a column to be permuted that nobody has collected: such plans are for
    /// [`BoundPolicy::apply`](super::BoundPolicy::apply).
    pub fn emit(&self, records: &Records) -> Result<Desensitised, OtherColumns> {
        self.emit_columns(records, false)
    }

    /// As [`DesensitisePlan::emit`]; columns that are still to be collected are refused, or empty if told.
    pub(super) fn emit_columns(&self, records: &Records, uncollected_as_nulls: bool) -> Result<Desensitised, OtherColumns> {
        let cells = records.batch().columns();
        let expected = OtherColumns { expected: self.columns.len(), found: cells.len() };
        if cells.len() != self.columns.len() {
            return Err(expected);
        }
        let mut leaving: Vec<ArrayRef> = Vec::with_capacity(self.output.fields().len());
        let mut off_kind = Vec::new();
        let mut keep: Option<Vec<bool>> = None;
        for (at, column) in self.columns.iter().enumerate() {
            let mut off = OffKind::default();
            let emitted = match &column.work {
                Work::Nothing => continue,
                // Records are counted from 1.
                Work::Permuted(permuted) => {
                    let from = usize::try_from(records.position(0, None).record.saturating_sub(1)).map_err(|_| expected)?;
                    if permuted.len().checked_sub(from).is_none_or(|left| left < records.len()) {
                        return Err(expected);
                    }
                    permuted.slice(from, records.len())
                }
                Work::Collect(_) if uncollected_as_nulls => {
                    leaving.push(new_null_array(self.output.field(leaving.len()).data_type(), records.len()));
                    continue;
                }
                Work::Collect(_) => return Err(expected),
                Work::Kernel(kernel) => {
                    let subject = column.subject.map(|subject| &cells[subject]);
                    let numbers = if column.reads_integers { Some(integers(&cells[at]).ok_or(expected)?) } else { None };
                    kernel.emit(numbers.as_ref().unwrap_or(&cells[at]), subject, &mut off)
                }
            };
            for OffRow { row, reason } in off.rows() {
                let row = *row as usize;
                let cell = OffKindCell { position: records.position(row, Some(at)), column: column.name.clone(), reason: reason.clone() };
                off_kind.push((column.off_kind, cell));
                if column.off_kind == OffKindRule::Quarantine {
                    keep.get_or_insert_with(|| vec![true; records.len()])[row] = false;
                }
            }
            leaving.push(Arc::clone(emitted.array()));
        }
        let mut batch = RecordBatch::try_new(Arc::clone(&self.output), leaving).map_err(|_| expected)?;
        let mut left_out = 0;
        if let Some(keep) = keep {
            let kept: Vec<Place> = (0..keep.len()).filter(|row| keep[*row]).map(|row| (0, row)).collect();
            left_out = keep.len() - kept.len();
            batch = rows::pick_rows(&[&batch], &kept).ok_or(expected)?;
        }
        // Places in the order of the records, whatever column they are in.
        off_kind.sort_by_key(|(_, cell)| cell.position.record);
        Ok(Desensitised { batch, left_out, off_kind })
    }
}

/// Records of other columns than the plan was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the records have {found} columns or other kinds of cells than the {expected} columns of the plan")]
pub struct OtherColumns {
    /// Columns of the plan.
    pub expected: usize,
    /// Columns of the records.
    pub found: usize,
}

impl OtherColumns {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::BadInput
    }
}

impl Desensitised {
    /// The rows that leave.
    #[must_use]
    pub const fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Rows that were emitted before, now in another order: for the room `order`, which has them from here.
    pub(super) fn again(batch: RecordBatch) -> Self {
        Self { batch, left_out: 0, off_kind: Vec::new() }
    }

    #[cfg(test)]
    pub(super) fn of_test(batch: RecordBatch) -> Self {
        Self { batch, left_out: 0, off_kind: Vec::new() }
    }

    /// How many rows were left out.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    /// The cells that were not of the kind their technique works on, and what happens to them.
    #[must_use]
    pub fn off_kind(&self) -> &[(OffKindRule, OffKindCell)] {
        &self.off_kind
    }
}

impl sealed::Sealed for Desensitised {}

impl Leaving for Desensitised {
    fn rows(&self) -> &RecordBatch {
        &self.batch
    }
}

impl std::fmt::Debug for Desensitised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desensitised({} x {}, {} left out)", self.batch.num_rows(), self.batch.num_columns(), self.left_out)
    }
}

impl std::fmt::Debug for DesensitisePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DesensitisePlan")
            .field("release", &self.policy.release())
            .field("columns", &self.columns.len())
            .finish_non_exhaustive()
    }
}

/// Collects the cells of a column that is permuted.
pub(super) struct Collector {
    at: usize,
    /// How many columns the plan has.
    expected: usize,
    name: ColumnName,
    reads_integers: bool,
    whole: Whole,
}

impl Collector {
    /// Adds the cells of a batch.
    pub(super) fn push(&mut self, records: &Records) -> Result<(), ApplyError> {
        let found = records.batch().num_columns();
        let other = OtherColumns { expected: self.expected, found };
        let cells = records.batch().columns().get(self.at).filter(|_| found == self.expected).ok_or(other)?;
        let cells = if self.reads_integers { integers(cells).ok_or(other)? } else { Arc::clone(cells) };
        // Every cell is of the type that the survey has found in all of them.
        self.whole.collect(&cells, &mut OffKind::default()).map_err(|error| match error {
            TechniqueError::Memory { most, .. } => ApplyError::PermuteMemory { column: self.name.clone(), most },
            _ => other.into(),
        })
    }
}

/// Texts that are all integers in canonical form, as the survey has seen.
pub(super) fn integers(cells: &ArrayRef) -> Option<ArrayRef> {
    let texts = cells.as_string_opt::<i32>()?;
    let numbers: Result<Int64Array, _> = texts.iter().map(|cell| cell.map(str::parse::<i64>).transpose()).collect();
    Some(Arc::new(numbers.ok()?))
}
