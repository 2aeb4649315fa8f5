//! Counts who is unique in rows as they leave, and in files that have left.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use arrow_array::RecordBatch;

use super::codes::Store;
use super::count::{Counted, Counter, SLICE_MAX};
use super::gaps::GapGroup;
use super::hashes::{self, HashedRows, Keys};
use super::{ColumnShare, Gaps, PAIRED_COLUMNS_MAX, UNIQUE_MOST_DEFAULT, UniqueShare, Uniqueness, UniquenessAsked};
use crate::class::Class;
use crate::id::ColumnName;
use crate::spill::{SpillError, SpillTarget};
use crate::table::{RecordSource, Records, TableError, in_order};
use crate::value::DateOrder;

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
    /// Where each subject and group of shifted dates stands in the store.
    subject: Option<usize>,
    groups: Vec<Vec<usize>>,
    store: Store,
    records: u64,
    slice_max: usize,
}

/// Makes batches ready to be counted, on any thread.
#[derive(Clone)]
pub struct RowHasher {
    keys: Keys,
    columns: Vec<usize>,
    days: Vec<(usize, Option<DateOrder>)>,
}

impl RowHasher {
    /// Hashes the cells that are counted.
    ///
    /// # Errors
    /// [`MeterError::OtherColumns`].
    pub fn hash(&self, batch: &RecordBatch) -> Result<HashedRows, MeterError> {
        hashes::hash(&self.keys, batch, &self.columns, &self.days)
    }
}

impl UniquenessMeter {
    /// Counts what is asked in batches that have the columns `names`. What does not fit in memory goes to a file without a name in
    /// `folder`, encrypted.
    ///
    /// # Errors
    /// [`MeterError::NoColumn`].
    pub fn new(asked: UniquenessAsked, names: &[&str], folder: &std::path::Path) -> Result<Self, MeterError> {
        Self::within(asked, names, SpillTarget::Folder(folder.to_owned()), HELD_BYTES_MAX, SLICE_MAX)
    }

    fn within(asked: UniquenessAsked, names: &[&str], target: SpillTarget, held_max: usize, slice_max: usize) -> Result<Self, MeterError> {
        let place = |column: &ColumnName| {
            let place = names.iter().position(|name| *name == column.as_str());
            place.ok_or_else(|| MeterError::NoColumn { column: column.clone() })
        };
        let mut columns = asked.columns.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let subject = asked.subject.as_ref().map(place).transpose()?.map(|subject| {
            columns.push(subject);
            columns.len() - 1
        });
        let (mut days, mut groups) = (Vec::new(), Vec::new());
        for group in &asked.gaps {
            let first = columns.len() + days.len();
            for gap in group {
                days.push((place(&gap.column)?, gap.order));
            }
            groups.push((first..first + group.len()).collect());
        }
        let store = Store::new(columns.len(), days.len(), held_max, target);
        let hasher = RowHasher { keys: Keys::new(), columns, days };
        Ok(Self { asked, hasher, subject, groups, store, records: 0, slice_max })
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
        let HashedRows { rows, columns, days } = rows;
        self.records += rows as u64;
        self.store.begin(rows);
        let first = columns.len();
        for (at, column) in columns.iter().enumerate() {
            self.store.add(at, column)?;
        }
        for (at, days) in (first..).zip(days) {
            self.store.add_days(at, days)?;
        }
        Ok(())
    }

    /// Counts, in several threads. `progress` is told how many of how many counts are done, and may end it.
    ///
    /// # Errors
    /// [`MeterError::Spill`], [`MeterError::Cancelled`].
    pub fn finish(self, threads: usize, progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>) -> Result<Uniqueness, MeterError> {
        let columns = self.asked.columns.len();
        let counter = |subject| Counter { store: &self.store, subject, records: self.records, slice_max: self.slice_max };
        let subject = match self.subject {
            None => None,
            Some(subject) => Some((subject, counter(None).count(&[subject])?.values)),
        };
        let persons = subject.map_or(self.records, |(_, subjects)| subjects);
        let counter = counter(subject);
        let count = |sets: &[Vec<usize>], progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>| {
            in_threads(sets.len(), threads, |at| counter.count(&sets[at]), progress)
        };

        let alone: Vec<Vec<usize>> = (0..columns).map(|column| vec![column]).collect();
        let alone: Vec<Counted> = count(&alone, progress)?;
        let paired = most_values(&alone);
        let pairs: Vec<Vec<usize>> = paired
            .iter()
            .enumerate()
            .flat_map(|(at, one)| paired[at + 1..].iter().map(|other| vec![*one, *other]))
            .chain(std::iter::once((0..columns).collect()))
            .collect();
        let mut pairs = count(&pairs, progress)?;
        let all = pairs.pop().filter(|_| columns > 0).map_or(0, |counted| counted.unique);

        let group = |at: usize| {
            let (days, keys) = (&self.groups[at], &self.hasher.keys);
            GapGroup { store: &self.store, keys, days, subject, records: self.records, slice_max: self.slice_max }.unique()
        };
        let gaps = in_threads(self.groups.len(), threads, group, progress)?;
        let share = |unique: u64| UniqueShare::of(unique, persons);
        let names = &self.asked.columns;
        Ok(Uniqueness {
            subject: self.asked.subject.clone(),
            all: share(all),
            columns: names
                .iter()
                .zip(&alone)
                .map(|(name, counted)| ColumnShare { column: name.clone(), share: share(counted.unique) })
                .collect(),
            paired: paired.iter().map(|column| names[*column].clone()).collect(),
            pairs: pairs.iter().map(|counted| share(counted.unique)).collect(),
            gaps: self.asked.gaps.into_iter().zip(gaps).map(|(columns, unique)| Gaps { columns, share: share(unique) }).collect(),
            most: UNIQUE_MOST_DEFAULT,
            because: None,
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

/// The results of so many pieces of work, in their order.
fn in_threads<T: Send>(
    pieces: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T, MeterError> + Sync,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Vec<T>, MeterError> {
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut results: Vec<Option<T>> = (0..pieces).map(|_| None).collect();
    thread::scope(|scope| {
        let (done, taken) = mpsc::channel();
        for _ in 0..threads.clamp(1, pieces.max(1)) {
            let (done, next, is_over, work) = (done.clone(), &next, &is_over, &work);
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
        for (number, (piece, result)) in taken.iter().enumerate() {
            let ended = progress(number as u64 + 1, pieces as u64).is_break().then_some(MeterError::Cancelled);
            match ended.map_or(result, Err) {
                Ok(result) => results[piece] = Some(result),
                Err(error) => {
                    is_over.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
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
    folder: &std::path::Path,
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
        write!(f, "RowHasher({} columns)", self.columns.len())
    }
}

#[cfg(test)]
mod tests;
