//! Counts who is unique in rows as they leave, and in files that have left.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use arrow_array::RecordBatch;

use super::codes::Store;
use super::count::{Counted, Counter, SLICE_MAX};
use super::gaps::GapCounter;
use super::hashes::{self, HashedRows, Keys, Places};
use super::{ColumnShare, GapColumn, Gaps, PAIRED_COLUMNS_MAX, UNIQUE_MOST_DEFAULT, UniqueShare, Uniqueness, UniquenessAsked};
use crate::class::Class;
use crate::id::ColumnName;
use crate::spill::{SpillError, SpillTarget};
use crate::table::{RecordSource, Records, TableError, in_order};

/// Bytes of rows that are kept in memory: 128 MiB, some eight million rows of a register.
const HELD_BYTES_MAX: usize = 128 << 20;

/// Why there is no count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeterError {
    /// A column that is to be counted is not there.
    #[error("column {column}: it is not in the file")]
    NoColumn {
        /// The column.
        column: ColumnName,
    },
    /// Rows of other columns, or of other types than files have.
    #[error("the rows have other columns than those that are to be counted")]
    OtherColumns,
    /// What did not fit in memory.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// The file.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The caller ended it.
    #[error("cancelled")]
    Cancelled,
}

impl MeterError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::NoColumn { .. } | Self::OtherColumns => Class::BadInput,
            Self::Spill(error) => error.class(),
            Self::Table(error) => error.class(),
            Self::Cancelled => Class::Interrupted,
        }
    }
}

/// Takes the rows of a file, in any order, and counts who is unique.
///
/// Batches are hashed on any thread ([`UniquenessMeter::hasher`]), taken one after the other, and counted at the end.
pub struct UniquenessMeter {
    asked: UniquenessAsked,
    hasher: RowHasher,
    /// Where in the store the subject stands, and the subject of each group of shifted dates.
    subject: Option<usize>,
    gap_subjects: Vec<Option<usize>>,
    /// Where the dates of each group stand.
    gap_moments: Vec<Vec<usize>>,
    store: Store,
    records: u64,
    slice_max: usize,
}

/// Makes batches ready to be counted, on any thread.
#[derive(Clone)]
pub struct RowHasher {
    keys: Keys,
    places: Places,
    /// Records without a subject so far.
    nobody: Arc<AtomicU64>,
}

impl RowHasher {
    /// Hashes the cells that are counted.
    ///
    /// # Errors
    /// [`MeterError::OtherColumns`].
    pub fn hash(&self, batch: &RecordBatch) -> Result<HashedRows, MeterError> {
        hashes::hash(&self.keys, batch, &self.places, &self.nobody)
    }
}

impl UniquenessMeter {
    /// Counts what is asked in batches that have the columns `names`. What does not fit in memory goes to a file without a name in
    /// `folder`, encrypted.
    ///
    /// # Errors
    /// [`MeterError::NoColumn`].
    pub fn new(asked: UniquenessAsked, names: &[&str], folder: &Path) -> Result<Self, MeterError> {
        Self::within(asked, names, SpillTarget::Folder(folder.to_owned()), HELD_BYTES_MAX, SLICE_MAX)
    }

    fn within(asked: UniquenessAsked, names: &[&str], target: SpillTarget, held_max: usize, slice_max: usize) -> Result<Self, MeterError> {
        let place = |column: &ColumnName| {
            let place = names.iter().position(|name| *name == column.as_str());
            place.ok_or_else(|| MeterError::NoColumn { column: column.clone() })
        };
        let mut places = Places { columns: asked.columns.iter().map(place).collect::<Result<_, _>>()?, ..Places::default() };
        // Each group of dates once, whatever the subjects by which it is counted.
        let mut groups: Vec<&[GapColumn]> = Vec::new();
        let mut gap_moments = Vec::new();
        for group in &asked.gaps {
            let at = groups.iter().position(|columns| *columns == group.columns);
            let at = at.unwrap_or(groups.len());
            if at == groups.len() {
                groups.push(&group.columns);
                let first = places.moments.len();
                for gap in &group.columns {
                    places.moments.push((place(&gap.column)?, gap.order));
                }
                places.groups.push((first..places.moments.len()).collect());
            }
            gap_moments.push(at);
        }
        let first = places.columns.len() + places.groups.len();
        let mut subjects: Vec<usize> = Vec::new();
        let mut subject_at = |name: &Option<ColumnName>| -> Result<Option<usize>, MeterError> {
            let Some(name) = name else { return Ok(None) };
            let place = place(name)?;
            let at = subjects.iter().position(|subject| *subject == place).unwrap_or(subjects.len());
            if at == subjects.len() {
                subjects.push(place);
            }
            Ok(Some(first + at))
        };
        let subject = subject_at(&asked.subject)?;
        let gap_subjects = asked.gaps.iter().map(|group| subject_at(&group.subject)).collect::<Result<_, _>>()?;
        places.subjects = subjects;
        let hashed = first + places.subjects.len();
        let gap_moments = gap_moments.into_iter().map(|at| places.groups[at].iter().map(|moment| hashed + moment).collect()).collect();
        let store = Store::new(hashed, places.moments.len(), held_max, target);
        let hasher = RowHasher { keys: Keys::new(), places, nobody: Arc::default() };
        Ok(Self { asked, hasher, subject, gap_subjects, gap_moments, store, records: 0, slice_max })
    }

    /// What makes batches ready.
    #[must_use]
    pub fn hasher(&self) -> RowHasher {
        self.hasher.clone()
    }

    /// Takes a batch that this meter's hasher has made ready.
    ///
    /// # Errors
    /// [`MeterError::Spill`].
    pub fn take(&mut self, rows: HashedRows) -> Result<(), MeterError> {
        let HashedRows { rows, columns, moments } = rows;
        self.records += rows as u64;
        columns.iter().enumerate().for_each(|(at, column)| self.store.add(at, column));
        (columns.len()..).zip(&moments).for_each(|(at, moments)| self.store.add_moments(at, moments));
        self.store.end_batch(rows)
    }

    /// Counts, in several threads. `progress` is told now and then how many of how many counts are done, and may end it.
    ///
    /// # Errors
    /// [`MeterError::Spill`], [`MeterError::Cancelled`].
    pub fn finish(mut self, threads: usize, progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>) -> Result<Uniqueness, MeterError> {
        self.store.seal()?;
        let threads = threads.max(1);
        let slice_max = (self.slice_max / threads).max(1);
        let is_over = &AtomicBool::new(false);
        let counter = |subject| Counter { store: &self.store, subject, records: self.records, slice_max, is_over };
        // How many persons there are by each column that tells whose records are.
        let first = self.asked.columns.len() + self.hasher.places.groups.len();
        let subjects = in_threads(self.hasher.places.subjects.len(), threads, is_over, |at| counter(None).count(&[first + at]), progress)?;
        let with_count = |subject: Option<usize>| subject.map(|at| (at, subjects.get(at - first).map_or(0, |counted| counted.values)));
        let subject = with_count(self.subject);
        let persons = |subject: Option<(usize, u64)>| subject.map_or(self.records, |(_, subjects)| subjects);
        let share = |unique: u64| UniqueShare::of(unique, persons(subject));

        let columns = self.asked.columns.len();
        let alone = in_threads(columns, threads, is_over, |at| counter(subject).count(&[at]), progress)?;
        let paired = most_values(&alone);
        let mut sets: Vec<Vec<usize>> = Vec::new();
        for (at, one) in paired.iter().enumerate() {
            sets.extend(paired[at + 1..].iter().map(|other| vec![*one, *other]));
        }
        // Everything together: what is left of shifted dates beside each other, too.
        sets.push((0..first).collect());
        let mut pairs = in_threads(sets.len(), threads, is_over, |at| counter(subject).count(&sets[at]), progress)?;
        let all = pairs.pop().filter(|_| first > 0).unwrap_or_default();

        let gap_count = |at: usize| {
            let (store, keys, moments) = (&self.store, &self.hasher.keys, self.gap_moments[at].as_slice());
            let subject = with_count(self.gap_subjects[at]);
            GapCounter { store, keys, moments, subject, records: self.records, slice_max, is_over }.unique()
        };
        let gaps = in_threads(self.asked.gaps.len(), threads, is_over, gap_count, progress)?;
        let gap_share = |(at, unique): (usize, u64)| UniqueShare::of(unique, persons(with_count(self.gap_subjects[at])));
        let gap_shares: Vec<UniqueShare> = gaps.into_iter().enumerate().map(gap_share).collect();
        let names = &self.asked.columns;
        Ok(Uniqueness {
            all: share(all.unique),
            columns: names
                .iter()
                .zip(&alone)
                .map(|(name, counted)| ColumnShare { column: name.clone(), share: share(counted.unique) })
                .collect(),
            paired: paired.iter().map(|column| names[*column].clone()).collect(),
            pairs: pairs.iter().map(|counted| share(counted.unique)).collect(),
            gaps: self
                .asked
                .gaps
                .iter()
                .zip(gap_shares)
                .map(|(group, share)| Gaps { subject: group.subject.clone(), columns: group.columns.clone(), share })
                .collect(),
            most: UNIQUE_MOST_DEFAULT,
            because: None,
            records: subject.map(|_| UniqueShare::of(all.records, self.records)),
            subject: self.asked.subject.clone(),
        })
    }
}

/// The columns with the most values, in their order.
fn most_values(counted: &[Counted]) -> Vec<usize> {
    let mut columns: Vec<usize> = (0..counted.len()).collect();
    columns.sort_by_key(|column| std::cmp::Reverse(counted[*column].values));
    let kept: BTreeSet<usize> = columns.into_iter().take(PAIRED_COLUMNS_MAX).collect();
    kept.into_iter().collect()
}

/// How often whoever waits is asked whether to go on.
const ASK_AFTER: Duration = Duration::from_millis(100);

/// The results of so many pieces of work, in their order.
fn in_threads<T: Send>(
    pieces: usize,
    threads: usize,
    is_over: &AtomicBool,
    work: impl Fn(usize) -> Result<T, MeterError> + Sync,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Vec<T>, MeterError> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<T>> = (0..pieces).map(|_| None).collect();
    thread::scope(|scope| {
        let (done, taken) = mpsc::channel();
        for _ in 0..threads.min(pieces) {
            let (done, next, work) = (done.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece >= pieces || is_over.load(Ordering::Relaxed) || done.send((piece, work(piece))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        let mut count = 0;
        loop {
            let outcome = match taken.recv_timeout(ASK_AFTER) {
                Ok((piece, Ok(result))) => {
                    results[piece] = Some(result);
                    count += 1;
                    Ok(())
                }
                Ok((_, Err(error))) => Err(error),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let is_ended = progress(count, pieces as u64).is_break();
            if let Err(error) = if is_ended { Err(MeterError::Cancelled) } else { outcome } {
                is_over.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
    })?;
    results.into_iter().map(|result| result.ok_or(MeterError::Cancelled)).collect()
}

/// Counts again what a manifest states, in a file that has left: the source has the columns of the file.
///
/// # Errors
/// The file cannot be read, or has not the columns; [`MeterError::Cancelled`].
pub fn measure(
    source: &(dyn RecordSource + Sync),
    asked: &UniquenessAsked,
    folder: &Path,
    threads: usize,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Uniqueness, MeterError> {
    let names: Vec<&str> = source.schema().columns().iter().map(|column| column.name.as_str()).collect();
    let mut meter = UniquenessMeter::new(asked.clone(), &names, folder)?;
    let hasher = meter.hasher();
    let work = |records: Records| hasher.hash(records.batch());
    in_order(source, threads, work, |rows: Result<HashedRows, MeterError>| {
        meter.take(rows?)?;
        if progress(meter.records).is_break() { Err(MeterError::Cancelled) } else { Ok(()) }
    })?;
    let records = meter.records;
    meter.finish(threads, &mut |_, _| progress(records))
}

impl std::fmt::Debug for UniquenessMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UniquenessMeter").field("asked", &self.asked).field("records", &self.records).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RowHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowHasher({} columns)", self.places.columns.len())
    }
}

#[cfg(test)]
mod tests;
