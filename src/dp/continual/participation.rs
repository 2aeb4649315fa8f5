//! Who has counted in which periods, and whether they may once more.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::ContinualError;

/// The most periods: 179 years of days or 7 of hours. A period then costs 2^16 products at most, and the bounds of the
/// fixed-point arithmetic hold.
pub const HORIZON_MAX: u32 = 1 << 16;
/// The most units a counter has room for: a sealed state then has 400 MB.
pub const UNITS_MAX: u32 = 1 << 24;

/// A keyed id of a privacy unit, the same in every period.
pub(super) type UnitId = [u8; 16];

/// What a unit has used of its participations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Used {
    /// In how many periods it counted, at least 1.
    pub(super) periods: u32,
    /// The last of them.
    pub(super) last: u32,
}

/// Who has counted when: at most `most` periods a unit, any two `separation` apart.
///
/// Whether a unit counts is decided by its own past alone, so that adding or removing it changes no other unit's counts. It
/// takes one record a unit, some 40 bytes, kept for the whole horizon: a unit that were forgotten could come again.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Participation {
    most: u32,
    separation: u32,
    room: u32,
    units: BTreeMap<UnitId, Used>,
    full: bool,
}

impl Participation {
    pub(super) fn new(most: u32, separation: u32, room: u32) -> Result<Self, ContinualError> {
        if !(1..=UNITS_MAX).contains(&room) {
            return Err(ContinualError::Units { found: room });
        }
        Ok(Self { most, separation, room, units: BTreeMap::new(), full: false })
    }

    /// Whether the unit counts in this period, which is none before the last one given; it then has.
    pub(super) fn admit(&mut self, unit: UnitId, period: u32) -> Result<bool, ContinualError> {
        self.check()?;
        let units = self.units.len();
        match self.units.entry(unit) {
            Entry::Vacant(_) if units >= self.room as usize => {
                self.full = true;
                Err(ContinualError::Full { most: self.room })
            }
            Entry::Vacant(place) => {
                place.insert(Used { periods: 1, last: period });
                Ok(true)
            }
            Entry::Occupied(mut place) => {
                let used = place.get_mut();
                // A separation is at least 1: the period it counted in already is too near.
                let counts = used.periods < self.most && used.last.checked_add(self.separation).is_some_and(|next| next <= period);
                if counts {
                    *used = Used { periods: used.periods + 1, last: period };
                }
                Ok(counts)
            }
        }
    }

    /// Whether every unit that came could be remembered. To leave one out because others came first would let one unit's
    /// presence decide whether another counts.
    pub(super) fn check(&self) -> Result<(), ContinualError> {
        if self.full { Err(ContinualError::Full { most: self.room }) } else { Ok(()) }
    }

    pub(super) fn room(&self) -> u32 {
        self.room
    }

    pub(super) fn full(&self) -> bool {
        self.full
    }

    /// The units in the order of their ids.
    pub(super) fn units(&self) -> impl ExactSizeIterator<Item = (&UnitId, &Used)> {
        self.units.iter()
    }

    /// From units in strictly increasing order, none of which has counted in period `end` or later; nothing when they could
    /// not have come about.
    pub(super) fn restored(self, units: impl Iterator<Item = (UnitId, Used)>, full: bool, end: u32) -> Option<Self> {
        let mut restored = Self { full, ..self };
        let mut last = None;
        for (unit, used) in units {
            let least = u64::from(used.periods).checked_sub(1)? * u64::from(restored.separation);
            let possible = used.periods <= restored.most && used.last < end && least <= u64::from(used.last);
            if !possible || last.is_some_and(|last| last >= unit) {
                return None;
            }
            restored.units.insert(unit, used);
            last = Some(unit);
        }
        let room = restored.units.len() <= restored.room as usize;
        let filled = !full || restored.units.len() == restored.room as usize;
        (room && filled).then_some(restored)
    }
}

/// What a horizon and its participations may be.
pub(super) fn check(horizon: u32, participations: u32, separation: u32) -> Result<(), ContinualError> {
    if !(1..=HORIZON_MAX).contains(&horizon) {
        return Err(ContinualError::Horizon { found: horizon });
    }
    if !(1..=horizon).contains(&participations) {
        return Err(ContinualError::Participations { horizon, found: participations });
    }
    if !(1..=horizon).contains(&separation) {
        return Err(ContinualError::Separation { horizon, found: separation });
    }
    Ok(())
}
