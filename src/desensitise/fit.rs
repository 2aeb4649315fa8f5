//! A first policy that a file passes: who is unique in what would leave is counted, and the columns with the most values are made
//! coarser until few enough are.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use arrow_array::ArrayRef;

use super::plan::integers;
use super::policy::{Objection, Policy, head, passing, section, suggest};
use super::{
    ApplyError, Domain, KEY_ID_DEFAULT, Kernel, KeyRing, OffKind, OutputType, PrfAlgorithm, Rank, ReleaseModel, Setting, Suggestion,
    Suppress, TechniqueError, Techniques,
};
use crate::anonymity::{MeterError, UNIQUE_MOST_DEFAULT, UniqueShare, Uniqueness, ValueHasher};
use crate::grade::{Finding, ValueType};
use crate::id::Name;
use crate::random::{Random as _, SystemRandom};
use crate::table::{ColumnKind, Format, RecordSource, Records};

/// Rows on which coarser techniques are tried at most; whether they do is counted on all of them.
const SAMPLE_ROWS: usize = 1 << 18;
/// Bytes of these rows, and hashes of what each technique that is tried makes of them: 256 MiB of them.
const SAMPLE_BYTES: usize = 128 << 20;
const HASHES_MAX: usize = 16 << 20;

/// A policy for the file with these findings, as TOML with a comment on each choice, that lets few enough persons be unique: for
/// an enclave it is [`suggest`].
///
/// The column with the most values is made coarser until at most one record in twenty is unique on what leaves without a key
/// (the heuristic of Datafly), columns are left out last, and what was not needed is taken back. Coarser techniques are tried on a
/// sample, the policy on every record.
///
/// # Source
/// L. Sweeney, "Achieving k-anonymity privacy protection using generalization and suppression", 2002, section 4 (Datafly).
///
/// # Errors
/// The source; [`ApplyError::Refused`] when nothing that leaves passes, which names the column that stands in the way;
/// [`ApplyError::Cancelled`] when `progress`, which is told of records, breaks off.
pub fn suggest_fitting(
    source: &(dyn RecordSource + Sync),
    findings: &[Finding],
    release: ReleaseModel,
    threads: usize,
    folder: &Path,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<String, ApplyError> {
    if release != ReleaseModel::Controlled {
        return Ok(suggest(findings, release));
    }
    let techniques = Techniques::builtin();
    let choices: Vec<Vec<Suggestion>> = findings.iter().map(|finding| rungs(finding, findings, release, &techniques)).collect();
    let tried = choices.iter().map(Vec::len).sum::<usize>().max(1);
    let sample = sample(source, (HASHES_MAX / tried).clamp(1, SAMPLE_ROWS), progress)?;
    let mut fit = Fit { release, findings, columns: Vec::new() };
    for (at, (finding, rungs)) in findings.iter().zip(choices).enumerate() {
        let is_text = source.schema().columns().get(at).is_some_and(|column| column.kind == ColumnKind::Text);
        fit.columns.push(Column::tried(finding, is_text, rungs, &sample, at)?);
    }
    // What the sample lets pass the file lets pass more often than not: of more records fewer are unique.
    let mut most = UNIQUE_MOST_DEFAULT;
    for _ in 0..ROUNDS_MAX {
        if !fit.coarsen(most) {
            break;
        }
        let text = fit.text();
        let policy = Policy::parse_with(&text, &techniques).map_err(|_| fit.in_the_way())?;
        match policy.plan(findings, source.schema(), &throwaway_keys()?, Format::Csv) {
            Err(objections) => {
                if !fit.answer(&objections) {
                    return Err(ApplyError::Refused(objections));
                }
            }
            Ok(mut plan) => {
                let trial = plan.trial(source, threads, folder, progress)?;
                let unique = trial.uniqueness.as_ref().map_or(UniqueShare::ALL, Uniqueness::highest);
                if unique <= UNIQUE_MOST_DEFAULT {
                    return Ok(fit.told(unique, trial.rows));
                }
                most = UniqueShare::from_millionths(most.millionths() / 2).unwrap_or(UniqueShare::NONE);
            }
        }
    }
    Err(fit.in_the_way())
}

/// Ends a search that goes nowhere; each round makes a column coarser.
const ROUNDS_MAX: usize = 64;

/// What is decided so far.
struct Fit<'f> {
    release: ReleaseModel,
    findings: &'f [Finding],
    columns: Vec<Column>,
}

/// A column: what may be done to it, the finest first, and what it would look like on the sample.
struct Column {
    rungs: Vec<Rung>,
    /// The one that is taken.
    at: usize,
}

struct Rung {
    choice: Suggestion,
    /// The hash of each record's cell; nothing of what does not leave or leaves under a key.
    cells: Option<Vec<u128>>,
    values: usize,
    leaves: bool,
}

impl Column {
    fn tried(finding: &Finding, is_text: bool, choices: Vec<Suggestion>, sample: &[Records], at: usize) -> Result<Self, ApplyError> {
        let hasher = ValueHasher::new();
        let mut rungs = Vec::new();
        for choice in choices {
            let mut setting = Setting {
                column: finding.column.clone(),
                domain: Domain { kind: finding.kind.clone(), value_type: finding.value_type },
                date_order: finding.date_order,
                has_months: finding.has_months(),
                decimals: None,
            };
            if is_text && choice.technique.keeps_spelling() {
                setting.domain.value_type = ValueType::Text;
            }
            let output = choice.technique.output(&setting);
            let leaves = output != OutputType::Dropped;
            if !leaves || choice.technique.is_hidden_by_key() {
                rungs.push(Rung { choice, cells: None, values: 0, leaves });
                continue;
            }
            let kernel = choice.technique.kernel(&setting, &KeyRing::default()).map_err(|problem| refused(finding, problem))?;
            let reads_integers = is_text && output == OutputType::Integer && setting.domain.value_type == ValueType::Integer;
            let cells = emitted(&kernel, sample, at, reads_integers, &hasher)?;
            let values = cells.iter().collect::<HashSet<_>>().len();
            rungs.push(Rung { choice, cells: Some(cells), values, leaves });
        }
        Ok(Self { rungs, at: 0 })
    }

    fn rung(&self) -> &Rung {
        &self.rungs[self.at]
    }

    /// The one that is coarser than what is taken.
    fn next(&self) -> Option<&Rung> {
        self.rungs.get(self.at + 1)
    }
}

impl Fit<'_> {
    /// Makes columns coarser until few enough are unique in the sample, and finer again as far as they still are. Whether anything leaves.
    fn coarsen(&mut self, most: UniqueShare) -> bool {
        while self.unique() > most {
            // Those that would not leave any more come last.
            let best = (0..self.columns.len())
                .filter(|at| self.columns[*at].next().is_some() && self.columns[*at].rung().cells.is_some())
                .max_by_key(|at| {
                    let column = &self.columns[*at];
                    (column.next().is_some_and(|next| next.leaves), column.rung().values)
                });
            let Some(best) = best else { return false };
            self.columns[best].at += 1;
        }
        for at in 0..self.columns.len() {
            while self.columns[at].at > 0 {
                self.columns[at].at -= 1;
                if self.unique() > most {
                    self.columns[at].at += 1;
                    break;
                }
            }
        }
        self.columns.iter().any(|column| column.rung().leaves)
    }

    /// The share of records of the sample that are unique on what leaves without a key.
    fn unique(&self) -> UniqueShare {
        let mut counted = self.columns.iter().filter_map(|column| column.rung().cells.as_ref());
        let Some(first) = counted.next() else { return UniqueShare::NONE };
        let mut sums = first.clone();
        for cells in counted {
            sums.iter_mut().zip(cells).for_each(|(sum, cell)| *sum = sum.wrapping_add(*cell));
        }
        sums.sort_unstable();
        let alone = sums.chunk_by(|a, b| a == b).filter(|equal| equal.len() == 1).count();
        UniqueShare::of(alone as u64, sums.len() as u64)
    }

    /// Makes the columns coarser that are objected to. Whether there was any to be made.
    fn answer(&mut self, objections: &[Objection]) -> bool {
        let mut answered = false;
        for objection in objections {
            let Some(name) = objection.column() else { continue };
            let at = self.findings.iter().position(|finding| finding.column == *name);
            if let Some(column) = at.map(|at| &mut self.columns[at]).filter(|column| column.next().is_some()) {
                // It stays: the finer ones are not taken back.
                column.rungs.drain(..=column.at);
                column.at = 0;
                answered = true;
            }
        }
        answered
    }

    /// What stands in the way: the column with the most values of those that are counted.
    fn in_the_way(&self) -> ApplyError {
        let values = |column: &Column| column.rungs.iter().map(|rung| rung.values).max().unwrap_or(0);
        let worst = (0..self.columns.len()).max_by_key(|at| values(&self.columns[*at]));
        let column = worst.and_then(|at| self.findings.get(at)).map(|finding| finding.column.clone());
        ApplyError::Refused(
            column.map_or(vec![Objection::NothingLeaves], |column| vec![Objection::NothingFits { column, release: self.release }]),
        )
    }

    fn text(&self) -> String {
        let mut out = head(self.release);
        for (finding, column) in self.findings.iter().zip(&self.columns) {
            section(&mut out, finding, &column.rung().choice);
        }
        out
    }

    fn told(&self, unique: UniqueShare, records: u64) -> String {
        let mut out = self.text();
        let _ = writeln!(out, "\n# counted on all {records} records (internal): {unique} are unique on what leaves without a key");
        out
    }
}

/// What may be done to a column, the finest first: what is suggested, what is coarser, and to leave it out.
fn rungs(finding: &Finding, findings: &[Finding], release: ReleaseModel, techniques: &Techniques) -> Vec<Suggestion> {
    let mut rungs: Vec<Suggestion> = passing(finding, findings, release, techniques).into_iter().take(1).collect();
    while let Some(coarser) = rungs.last().and_then(|last| last.technique.coarser(finding)).filter(|_| rungs.len() < RUNGS_MAX) {
        rungs.push(coarser);
    }
    let is_over = |last: &Suggestion| last.technique.key().is_some() || last.technique.leaves_nothing();
    if !rungs.last().is_some_and(is_over) {
        let why = "with it too many records are unique; left out, so that the others can stay finer";
        rungs.push(Suggestion::new(Rank::Last, Suppress::DROP, why));
    }
    rungs
}

const RUNGS_MAX: usize = 24;

/// Batches from all over the source, drawn at random (Vitter's algorithm R): as many as hold so many rows or the most bytes, whichever is
/// less, and one at least.
fn sample(
    source: &(dyn RecordSource + Sync),
    rows: usize,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Vec<Records>, ApplyError> {
    let mut random = SystemRandom::new()?;
    let (mut held, mut seen, mut records): (Vec<Records>, u64, u64) = (Vec::new(), 0, 0);
    for batch in source.read()? {
        let batch = batch?;
        records += batch.len() as u64;
        seen += 1;
        let bytes = |records: &Records| records.batch().get_array_memory_size();
        let (held_rows, held_bytes) = (held.iter().map(Records::len).sum::<usize>(), held.iter().map(bytes).sum::<usize>());
        if held.is_empty() || held_rows + batch.len() <= rows && held_bytes + bytes(&batch) <= SAMPLE_BYTES {
            held.push(batch);
        } else {
            // A bias below 2^-40 in who is tried on is no matter.
            let place = random.next_u64() % seen;
            if let Some(taken) = usize::try_from(place).ok().and_then(|place| held.get_mut(place)) {
                *taken = batch;
            }
        }
        if progress(records).is_break() {
            return Err(ApplyError::Cancelled);
        }
    }
    Ok(held)
}

fn emitted(kernel: &Kernel, sample: &[Records], at: usize, reads_integers: bool, hasher: &ValueHasher) -> Result<Vec<u128>, ApplyError> {
    let mut all = Vec::new();
    for records in sample {
        let other = || MeterError::OtherColumns;
        let cells: &ArrayRef = records.batch().columns().get(at).ok_or_else(other)?;
        let read = if reads_integers { Some(integers(cells).ok_or_else(other)?) } else { None };
        let emitted = kernel.emit(read.as_ref().unwrap_or(cells), None, &mut OffKind::default());
        hasher.each(emitted.array(), &mut |hash| all.push(hash))?;
    }
    Ok(all)
}

fn refused(finding: &Finding, problem: TechniqueError) -> ApplyError {
    ApplyError::Refused(vec![Objection::Technique { column: finding.column.clone(), problem }])
}

/// A key that is forgotten: what it makes is not counted, and nothing is written.
fn throwaway_keys() -> Result<KeyRing, ApplyError> {
    let (id, purpose) = (Name::new(KEY_ID_DEFAULT).map_err(no_name)?, Name::new("trial").map_err(no_name)?);
    Ok(KeyRing::generate(&mut SystemRandom::new()?, id, PrfAlgorithm::AesCmac, purpose))
}

fn no_name(_: crate::id::IdError) -> ApplyError {
    ApplyError::Refused(Vec::new())
}
