//! Shifted dates, told apart by the gaps between them and the times behind them, which a shift leaves as they are.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::codes::{Codes, Store};
use super::count::Slice;
use super::hashes::{Hash128, Keys, Moment};
use super::meter::MeterError;

/// Of a subject with more dates nobody else has the gaps; so many are held in memory.
const DATES_MAX: usize = 1 << 16;

/// Dates that move together.
pub(super) struct GapCounter<'s> {
    pub(super) store: &'s Store,
    pub(super) keys: &'s Keys,
    /// The columns of moments in the store.
    pub(super) moments: &'s [usize],
    /// The column that tells whose each record is, and how many subjects there are.
    pub(super) subject: Option<(usize, u64)>,
    pub(super) records: u64,
    pub(super) slice_max: usize,
    pub(super) is_over: &'s AtomicBool,
}

impl GapCounter<'_> {
    /// How many have gaps between their dates, or times behind them, that nobody else has.
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
        for block in 0..self.store.blocks() {
            let mut moments = vec![Vec::new(); self.store.rows_of(block)];
            self.each_moment(block, |row, moment| moments[row].push(moment))?;
            moments.iter_mut().for_each(|moments| self.hand_on(moments, take));
        }
        Ok(())
    }

    fn by_subject(&self, subject: usize, take: &mut dyn FnMut(Hash128)) -> Result<(), MeterError> {
        let dates = self.records.saturating_mul(self.moments.len() as u64);
        // A hash and a moment take as much as two hashes.
        for slice in Slice::of(dates.saturating_mul(2), self.slice_max) {
            let mut dates: Vec<(Hash128, Moment)> = Vec::new();
            let mut many: HashSet<Hash128> = HashSet::new();
            let mut most = self.slice_max.max(2 * DATES_MAX);
            for block in 0..self.store.blocks() {
                let mut subjects = vec![0; self.store.rows_of(block)];
                self.store.codes(subject, block)?.add_hashes(self.store.numbered(subject), &mut subjects);
                self.each_moment(block, |row, moment| {
                    let subject = subjects[row];
                    if !slice.has(subject) || many.contains(&subject) {
                        return;
                    }
                    dates.push((subject, moment));
                    if dates.len() >= most {
                        dates.sort_unstable();
                        many.extend(dates.chunk_by(|a, b| a.0 == b.0).filter(|dates| dates.len() > DATES_MAX).map(|dates| dates[0].0));
                        dates.retain(|(subject, _)| !many.contains(subject));
                        most = most.max(2 * dates.len());
                    }
                })?;
            }
            dates.sort_unstable();
            let mut moments = Vec::new();
            for dates in dates.chunk_by(|a, b| a.0 == b.0) {
                if dates.len() > DATES_MAX {
                    many.insert(dates[0].0);
                    continue;
                }
                moments.clear();
                moments.extend(dates.iter().map(|(_, moment)| *moment));
                self.hand_on(&mut moments, take);
            }
            // Hashes of subjects are nobody's gaps.
            many.into_iter().for_each(&mut *take);
        }
        Ok(())
    }

    fn each_moment(&self, block: usize, mut take: impl FnMut(usize, Moment)) -> Result<(), MeterError> {
        if self.is_over.load(Ordering::Relaxed) {
            return Err(MeterError::Cancelled);
        }
        for column in self.moments {
            if let Codes::Moments(moments) = &*self.store.codes(*column, block)? {
                moments.iter().enumerate().filter(|(_, moment)| **moment != Moment::NONE).for_each(|(row, moment)| take(row, *moment));
            }
        }
        Ok(())
    }

    /// One date without a time behind it has no gap.
    fn hand_on(&self, moments: &mut [Moment], take: &mut dyn FnMut(Hash128)) {
        moments.sort_unstable();
        if moments.len() > 1 || moments.iter().any(|moment| moment.time() != 0) {
            take(self.keys.of_gaps(moments));
        }
    }
}
