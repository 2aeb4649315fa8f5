//! Shifted dates, told apart by the gaps between them, which a shift leaves as they are.

use super::codes::{Codes, Store};
use super::count::Slice;
use super::hashes::{Hash128, Keys, NO_DAY};
use super::meter::MeterError;

/// Dates that move together.
pub(super) struct GapGroup<'s> {
    pub(super) store: &'s Store,
    pub(super) keys: &'s Keys,
    /// The columns of days in the store.
    pub(super) days: &'s [usize],
    /// The column that tells whose each record is, if it leaves, and how many subjects there are.
    pub(super) subject: Option<(usize, u64)>,
    pub(super) records: u64,
    pub(super) slice_max: usize,
}

impl GapGroup<'_> {
    /// How many have gaps between their dates that nobody else has. Who has fewer than two dates has no gap.
    pub(super) fn unique(&self) -> Result<u64, MeterError> {
        let all = self.subject.map_or(self.records, |(_, subjects)| subjects);
        let mut unique = 0;
        for slice in Slice::of(all, self.slice_max) {
            let mut found: Vec<Hash128> = Vec::new();
            let mut take = |hash: Hash128| {
                if slice.has(hash) {
                    found.push(hash);
                }
            };
            match self.subject {
                None => self.by_record(&mut take)?,
                Some((subject, _)) => self.by_subject(subject, &mut take)?,
            }
            found.sort_unstable();
            unique += found.chunk_by(|a, b| a == b).filter(|equal| equal.len() == 1).count() as u64;
        }
        Ok(unique)
    }

    fn by_record(&self, take: &mut dyn FnMut(Hash128)) -> Result<(), MeterError> {
        for batch in 0..self.store.batches() {
            let mut days = vec![Vec::new(); self.store.rows_of(batch)];
            self.each_day(batch, |row, day| days[row].push(day))?;
            days.iter_mut().for_each(|days| self.hand_on(days, take));
        }
        Ok(())
    }

    fn by_subject(&self, subject: usize, take: &mut dyn FnMut(Hash128)) -> Result<(), MeterError> {
        let dates = self.records.saturating_mul(self.days.len() as u64);
        // A hash and a day take as much as two hashes.
        for slice in Slice::of(dates.saturating_mul(2), self.slice_max) {
            let mut dates: Vec<(Hash128, i32)> = Vec::new();
            for batch in 0..self.store.batches() {
                let mut subjects = vec![0; self.store.rows_of(batch)];
                self.store.codes(subject, batch)?.add_hashes(self.store.numbered(subject), &mut subjects);
                self.each_day(batch, |row, day| {
                    if slice.has(subjects[row]) {
                        dates.push((subjects[row], day));
                    }
                })?;
            }
            dates.sort_unstable();
            let mut days = Vec::new();
            for dates in dates.chunk_by(|a, b| a.0 == b.0) {
                days.clear();
                days.extend(dates.iter().map(|(_, day)| *day));
                self.hand_on(&mut days, take);
            }
        }
        Ok(())
    }

    fn each_day(&self, batch: usize, mut take: impl FnMut(usize, i32)) -> Result<(), MeterError> {
        for column in self.days {
            if let Codes::Days(days) = &*self.store.codes(*column, batch)? {
                days.iter().enumerate().filter(|(_, day)| **day != NO_DAY).for_each(|(row, day)| take(row, *day));
            }
        }
        Ok(())
    }

    fn hand_on(&self, days: &mut [i32], take: &mut dyn FnMut(Hash128)) {
        days.sort_unstable();
        if days.len() > 1 {
            take(self.keys.of_numbers(days.windows(2).map(|pair| pair[1] - pair[0])));
        }
    }
}
