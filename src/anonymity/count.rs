//! How many are alone with their values: by counting where the values are few, else by sorting slices of hashes.

use std::sync::atomic::{AtomicBool, Ordering};

use super::codes::Store;
use super::hashes::Hash128;
use super::meter::MeterError;

/// Combinations of values that are counted in a table rather than sorted: a byte each.
const TABLE_MAX: usize = 16 << 20;

/// How much all counts that are made at a time may hold in memory, in hashes: 128 MiB of them.
pub(super) const SLICE_MAX: usize = 8 << 20;

/// What was counted on some columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Records or subjects that are unique.
    pub(super) unique: u64,
    /// Different combinations of values.
    pub(super) values: u64,
    /// Records whose values no other person has.
    pub(super) records: u64,
}

/// What counts are made of.
pub(super) struct Counter<'s> {
    pub(super) store: &'s Store,
    /// The column that tells whose each record is, and how many subjects there are.
    pub(super) subject: Option<(usize, u64)>,
    /// Records.
    pub(super) records: u64,
    /// Hashes that are held at a time.
    pub(super) slice_max: usize,
    /// Whether somebody has ended it.
    pub(super) is_over: &'s AtomicBool,
}

impl Counter<'_> {
    /// Counts on these columns together.
    pub(super) fn count(&self, columns: &[usize]) -> Result<Counted, MeterError> {
        let sizes: Option<Vec<usize>> = columns.iter().map(|column| self.store.values(*column)).collect();
        let table =
            sizes.filter(|sizes| sizes.len() <= 2).and_then(|sizes| sizes.iter().try_fold(1usize, |all, size| all.checked_mul(*size)));
        match (table, self.subject) {
            (Some(size), None) if size <= TABLE_MAX => self.tabled(columns, size),
            (_, None) => self.sorted(columns),
            (_, Some((subject, subjects))) => self.sorted_by_subject(columns, subject, subjects),
        }
    }

    /// Records of one or two columns of few values.
    fn tabled(&self, columns: &[usize], size: usize) -> Result<Counted, MeterError> {
        let mut seen = vec![0u8; size];
        let mut places = Vec::new();
        let factor = columns.get(1).and_then(|column| self.store.values(*column)).unwrap_or(1);
        for block in 0..self.store.blocks() {
            self.go_on()?;
            places.clear();
            places.resize(self.store.rows_of(block), 0usize);
            for (at, column) in columns.iter().enumerate() {
                let factor = if at == 0 { factor } else { 1 };
                self.store.codes(*column, block)?.each_number(|row, number| places[row] += number * factor);
            }
            for place in &places {
                seen[*place] = (seen[*place] + 1).min(2);
            }
        }
        let count = |least: u8, most: u8| seen.iter().filter(|seen| (least..=most).contains(*seen)).count() as u64;
        Ok(Counted { unique: count(1, 1), values: count(1, 2), records: count(1, 1) })
    }

    /// Any columns: all hashes of one slice of them after the other, sorted.
    fn sorted(&self, columns: &[usize]) -> Result<Counted, MeterError> {
        let mut counted = Counted::default();
        for slice in Slice::of(self.records, self.slice_max) {
            let mut hashes = Hashes::new(self.slice_max);
            self.each(columns, |sums, _| {
                sums.iter().filter(|hash| slice.has(**hash)).for_each(|hash| hashes.push(*hash));
                Ok(())
            })?;
            for equal in hashes.sorted().chunk_by(|a, b| a == b) {
                counted.values += 1;
                counted.unique += u64::from(equal.len() == 1);
            }
        }
        counted.records = counted.unique;
        Ok(counted)
    }

    /// A subject is unique that has a value which no other has.
    fn sorted_by_subject(&self, columns: &[usize], subject: usize, subjects: u64) -> Result<Counted, MeterError> {
        let mut counted = Counted::default();
        // Who is unique is gathered for one slice of the subjects after the other.
        for (pass, whose) in Slice::of(subjects, self.slice_max).enumerate() {
            let mut unique: Vec<Hash128> = Vec::new();
            // Four hashes a value.
            for slice in Slice::of(self.records.saturating_mul(4), self.slice_max) {
                let mut values = Values::new(self.slice_max / 4);
                self.each(columns, |sums, block| {
                    let mut subjects = vec![0; sums.len()];
                    self.store.codes(subject, block)?.add_hashes(self.store.numbered(subject), &mut subjects);
                    sums.iter().zip(subjects).filter(|(hash, _)| slice.has(**hash)).for_each(|(hash, subject)| values.push(*hash, subject));
                    Ok(())
                })?;
                for value in values.sorted() {
                    let is_of_one = value.first == value.last;
                    if pass == 0 {
                        counted.values += 1;
                        counted.records += if is_of_one { value.records } else { 0 };
                    }
                    if is_of_one && whose.has(value.first) {
                        unique.push(value.first);
                    }
                }
                unique.sort_unstable();
                unique.dedup();
            }
            counted.unique += unique.len() as u64;
        }
        Ok(counted)
    }

    /// Hands on the hashes of the rows of each block on these columns together.
    fn each(&self, columns: &[usize], mut take: impl FnMut(&[Hash128], usize) -> Result<(), MeterError>) -> Result<(), MeterError> {
        let mut sums = Vec::new();
        for block in 0..self.store.blocks() {
            self.go_on()?;
            sums.clear();
            sums.resize(self.store.rows_of(block), 0);
            for column in columns {
                self.store.codes(*column, block)?.add_hashes(self.store.numbered(*column), &mut sums);
            }
            take(&sums, block)?;
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), MeterError> {
        if self.is_over.load(Ordering::Relaxed) { Err(MeterError::Cancelled) } else { Ok(()) }
    }
}

/// Hashes of which it matters whether there is one or more: two of each are kept, so that a value of half of all rows takes no memory.
struct Hashes {
    held: Vec<Hash128>,
    most: usize,
}

impl Hashes {
    const fn new(most: usize) -> Self {
        Self { held: Vec::new(), most }
    }

    fn push(&mut self, hash: Hash128) {
        if self.held.len() >= self.most {
            self.compact();
            // What is left differs, as much as a slice is made for.
            self.most = self.most.max(2 * self.held.len());
        }
        self.held.push(hash);
    }

    fn compact(&mut self) {
        self.held.sort_unstable();
        let mut kept = 0;
        for at in 0..self.held.len() {
            let hash = self.held[at];
            if kept < 2 || self.held[kept - 2] != hash {
                self.held[kept] = hash;
                kept += 1;
            }
        }
        self.held.truncate(kept);
    }

    fn sorted(&mut self) -> &[Hash128] {
        self.compact();
        &self.held
    }
}

/// A value, and of all subjects that have it the first and the last.
struct Value {
    hash: Hash128,
    first: Hash128,
    last: Hash128,
    records: u64,
}

/// Values with their subjects, each value once.
struct Values {
    held: Vec<Value>,
    most: usize,
}

impl Values {
    const fn new(most: usize) -> Self {
        Self { held: Vec::new(), most }
    }

    fn push(&mut self, hash: Hash128, subject: Hash128) {
        if self.held.len() >= self.most {
            self.compact();
            self.most = self.most.max(2 * self.held.len()).max(1);
        }
        self.held.push(Value { hash, first: subject, last: subject, records: 1 });
    }

    fn compact(&mut self) {
        self.held.sort_unstable_by_key(|value| value.hash);
        self.held.dedup_by(|value, before| {
            let is_same = value.hash == before.hash;
            if is_same {
                (before.first, before.last) = (before.first.min(value.first), before.last.max(value.last));
                before.records += value.records;
            }
            is_same
        });
    }

    fn sorted(&mut self) -> &[Value] {
        self.compact();
        &self.held
    }
}

/// One of equal parts of all hashes.
#[derive(Clone, Copy)]
pub(super) struct Slice {
    number: u64,
    of: u64,
}

impl Slice {
    /// As many as it takes to hold the hashes of one of them.
    pub(super) fn of(hashes: u64, most: usize) -> impl Iterator<Item = Self> {
        let of = hashes.div_ceil(most.max(1) as u64).max(1);
        (0..of).map(move |number| Self { number, of })
    }

    pub(super) fn has(self, hash: Hash128) -> bool {
        // The high half, spread over the parts.
        self.of == 1 || ((hash >> 64) * u128::from(self.of)) >> 64 == u128::from(self.number)
    }
}
