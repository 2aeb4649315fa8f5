//! How many are alone with their values: by counting where the values are few, else by sorting slices of hashes.

use super::codes::Store;
use super::hashes::Hash128;
use super::meter::MeterError;

/// Combinations of values that are counted in a table rather than sorted: a byte or four each.
const TABLE_MAX: usize = 1 << 24;

/// How much one count may hold in memory, in hashes: 64 MiB of them.
pub(super) const SLICE_MAX: usize = 4 << 20;

/// What was counted on some columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// Records or subjects that are unique.
    pub(super) unique: u64,
    /// Different combinations of values.
    pub(super) values: u64,
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
}

impl Counter<'_> {
    /// Counts on these columns together.
    pub(super) fn count(&self, columns: &[usize]) -> Result<Counted, MeterError> {
        let sizes: Option<Vec<usize>> = columns.iter().map(|column| self.store.values(*column)).collect();
        let table =
            sizes.filter(|sizes| sizes.len() <= 2).and_then(|sizes| sizes.iter().try_fold(1usize, |all, size| all.checked_mul(*size)));
        match (table, self.subject) {
            (Some(size), None) if size <= TABLE_MAX => self.tabled(columns, size),
            _ => self.sorted(columns),
        }
    }

    /// Records of one or two columns of few values.
    fn tabled(&self, columns: &[usize], size: usize) -> Result<Counted, MeterError> {
        let mut seen = vec![0u8; size];
        let mut places = Vec::new();
        let factor = columns.get(1).and_then(|column| self.store.values(*column)).unwrap_or(1);
        for batch in 0..self.store.batches() {
            places.clear();
            places.resize(self.store.rows_of(batch), 0usize);
            for (at, column) in columns.iter().enumerate() {
                let factor = if at == 0 { factor } else { 1 };
                self.store.codes(*column, batch)?.each_number(|row, number| places[row] += number * factor);
            }
            for place in &places {
                seen[*place] = (seen[*place] + 1).min(2);
            }
        }
        let count = |least: u8, most: u8| seen.iter().filter(|seen| (least..=most).contains(*seen)).count() as u64;
        Ok(Counted { unique: count(1, 1), values: count(1, 2) })
    }

    /// Any columns: all hashes of one slice of them after the other, sorted.
    fn sorted(&self, columns: &[usize]) -> Result<Counted, MeterError> {
        match self.subject {
            None => {
                let mut counted = Counted { unique: 0, values: 0 };
                for slice in self.slices(self.records) {
                    let mut hashes: Vec<Hash128> = Vec::new();
                    self.each(columns, |sums, _| {
                        hashes.extend(sums.iter().filter(|hash| slice.has(**hash)));
                        Ok(())
                    })?;
                    hashes.sort_unstable();
                    for equal in hashes.chunk_by(|a, b| a == b) {
                        counted.values += 1;
                        counted.unique += u64::from(equal.len() == 1);
                    }
                }
                Ok(counted)
            }
            Some((subject, subjects)) => self.sorted_by_subject(columns, subject, subjects),
        }
    }

    /// A subject is unique that has a value which no other has.
    fn sorted_by_subject(&self, columns: &[usize], subject: usize, subjects: u64) -> Result<Counted, MeterError> {
        let mut counted = Counted { unique: 0, values: 0 };
        // Who is unique is gathered for one slice of the subjects after the other.
        for (pass, whose) in self.slices(subjects).enumerate() {
            let mut unique: Vec<Hash128> = Vec::new();
            // Two hashes a record.
            for slice in self.slices(self.records.saturating_mul(2)) {
                let mut hashes: Vec<(Hash128, Hash128)> = Vec::new();
                self.each(columns, |sums, batch| {
                    let mut subjects = vec![0; sums.len()];
                    self.store.codes(subject, batch)?.add_hashes(self.store.numbered(subject), &mut subjects);
                    hashes.extend(sums.iter().copied().zip(subjects).filter(|(hash, _)| slice.has(*hash)));
                    Ok(())
                })?;
                hashes.sort_unstable();
                for equal in hashes.chunk_by(|a, b| a.0 == b.0) {
                    counted.values += u64::from(pass == 0);
                    let (first, last) = (equal[0].1, equal[equal.len() - 1].1);
                    if first == last && whose.has(first) {
                        unique.push(first);
                    }
                }
                unique.sort_unstable();
                unique.dedup();
            }
            counted.unique += unique.len() as u64;
        }
        Ok(counted)
    }

    /// Hands on the hashes of the rows of each batch on these columns together.
    fn each(&self, columns: &[usize], mut take: impl FnMut(&[Hash128], usize) -> Result<(), MeterError>) -> Result<(), MeterError> {
        let mut sums = Vec::new();
        for batch in 0..self.store.batches() {
            sums.clear();
            sums.resize(self.store.rows_of(batch), 0);
            for column in columns {
                self.store.codes(*column, batch)?.add_hashes(self.store.numbered(*column), &mut sums);
            }
            take(&sums, batch)?;
        }
        Ok(())
    }

    fn slices(&self, hashes: u64) -> impl Iterator<Item = Slice> + use<> {
        Slice::of(hashes, self.slice_max)
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
