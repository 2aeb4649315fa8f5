//! A running count: what comes in a period, its close, and the value that leaves.

use std::fmt;

use zeroize::Zeroizing;

use super::factor::GRID_BITS;
use super::participation::Participation;
use super::{ContinualError, CounterPlan, StateKey};
use crate::dp::DiscreteGaussian;
use crate::random::Random;

/// Fraction bits of u. Finer than the noise by far, see [`CounterPlan::half_width`].
pub(super) const FRACTION_BITS: u32 = 24;
/// The bound of r_0 u_t in units of 2^-48, so that of u_t is 2^56 counts. What is beyond is cut off, a function of w and so
/// no matter of privacy. It does not happen: the standard deviation of a draw is below 2^36 counts, of the noise of u_t
/// below twice that, and 2^19 of them are exceeded with a probability below exp(-2^36).
const INNOVATION_MAX: i128 = 1 << 104;
/// More than |v_t| can be, in units of 2^-24.
pub(super) const NOISE_MAX: i128 = 1 << 81;
/// A draw beyond this, in steps of the grid, is 2^124 in units of 2^-48, and puts r_0 u_t beyond its bound whatever it is
/// added to: r_0 x_t is below 2^72, the 2^16 products r_k v_(t-k) are below 2^23 2^81 each. So it may be cut before.
const DRAW_MAX: i128 = 1 << 100;

/// A value that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Released {
    /// The period that it closes, from 0.
    pub period: u32,
    /// How many units counted in all periods up to this one, each in as many of them as it was admitted to, plus noise.
    /// It may be negative, and less than the value before.
    pub value: i128,
    /// The truth is at most this far away in at least 95 % of releases; see [`CounterPlan::half_width`].
    pub half_width: u128,
}

/// A running count with a value for every period of a fixed horizon.
///
/// ```text
/// admit, admit, ... close --draw once--> [value has not left] --kept by the caller--> Released, next period is open
///                              ^                  |
///                              +-- close again <--+ could not be kept
/// ```
/// A period is closed by drawing its noise, which happens once: only a value whose sealed state was kept leaves, and while
/// that fails the same value is tried again. Not `Clone`: two copies would draw twice for one period.
///
/// ```compile_fail,E0277
/// fn copies<T: Clone>() {}
/// copies::<usufruct::dp::continual::Counter>();
/// ```
///
/// Dropping it wipes the noise.
pub struct Counter {
    pub(super) plan: CounterPlan,
    pub(super) participation: Participation,
    /// How many units count in the open period.
    pub(super) count: u32,
    /// v_0, v_1, ... of the closed periods, in units of 2^-24 counts. Room for the horizon is reserved, so that no copy of
    /// it is left behind unwiped.
    pub(super) noise: Zeroizing<Vec<i128>>,
    /// The sum of u of the closed periods, in units of 2^-24 counts.
    pub(super) total: i128,
    /// The values of the closed periods.
    pub(super) values: Vec<i128>,
    /// How many of them have left: all, or all but the last.
    pub(super) left: u32,
}

impl Counter {
    /// A counter before its first period, with room for so many units over the whole horizon: a public number, which the size
    /// of a sealed state depends on. Take it well above the population, since a counter that is
    /// [full](ContinualError::Full) releases nothing more.
    ///
    /// # Errors
    /// When there is room for none, or for more than 2^24.
    pub fn new(plan: CounterPlan, units: u32) -> Result<Self, ContinualError> {
        let participation = Participation::new(plan.participations(), plan.separation(), units)?;
        let horizon = plan.horizon() as usize;
        let (noise, values) = (Zeroizing::new(Vec::with_capacity(horizon)), Vec::with_capacity(horizon));
        Ok(Self { plan, participation, count: 0, noise, total: 0, values, left: 0 })
    }

    /// What it was fixed to.
    #[must_use]
    pub fn plan(&self) -> &CounterPlan {
        &self.plan
    }

    /// How many units it has room for.
    #[must_use]
    pub fn units(&self) -> u32 {
        self.participation.room()
    }

    /// The open period, from 0; nothing when the horizon has ended.
    #[must_use]
    pub fn period(&self) -> Option<u32> {
        u32::try_from(self.values.len()).ok().filter(|period| *period < self.plan.horizon())
    }

    /// Counts a unit in the open period, unless it has counted in it, in m periods already, or in one less than b ago; says
    /// whether it did, which is raw data and nobody's but the curator's. Ids are keyed, and those of one unit the same in
    /// every period.
    ///
    /// # Errors
    /// The horizon has ended, or the counter is full.
    pub fn admit(&mut self, unit: [u8; 16]) -> Result<bool, ContinualError> {
        let period = self.open_period()?;
        let counts = self.participation.admit(unit, period)?;
        // Below 2^24, since each unit is in `participation`.
        self.count += u32::from(counts);
        Ok(counts)
    }

    /// Closes the open period, hands its sealed state to `keep`, and lets the value leave once that is done.
    ///
    /// `index` is the index of the ledger entry which says that this state is the current one. `keep` returns when state and
    /// entry are durable. When it fails, the value stays and the next call tries the same one again, without another draw.
    ///
    /// # Errors
    /// The horizon has ended, the counter is full, sealing fails, or whatever `keep` says.
    pub fn close<R, E>(
        &mut self,
        key: &StateKey,
        index: u64,
        random: &mut R,
        keep: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<Released, E>
    where
        R: Random + ?Sized,
        E: From<ContinualError>,
    {
        self.participation.check()?;
        let period = self.left;
        if self.values.len() == period as usize {
            self.open_period()?;
            self.draw(random);
        }
        // Sealed as it will be opened: whoever holds this state may publish the value.
        self.left = period + 1;
        let kept = self.seal(key, index, random).map_err(E::from).and_then(|state| keep(&state));
        if let Err(error) = kept {
            self.left = period;
            return Err(error);
        }
        self.released(period).ok_or(ContinualError::State.into())
    }

    /// A value that has left, again and for nothing.
    #[must_use]
    pub fn released(&self, period: u32) -> Option<Released> {
        if period >= self.left {
            return None;
        }
        let value = *self.values.get(period as usize)?;
        Some(Released { period, value, half_width: self.plan.half_width(period)? })
    }

    fn open_period(&self) -> Result<u32, ContinualError> {
        self.period().ok_or(ContinualError::Ended { horizon: self.plan.horizon() })
    }

    /// Draws the noise of the open period and opens the next.
    pub(super) fn draw<R: Random + ?Sized>(&mut self, random: &mut R) {
        let draw = DiscreteGaussian::sample_once(self.plan.sigma_squared(), random);
        let noise = noise(self.plan.weights(), &self.noise, self.count, draw);
        self.total += (i128::from(self.count) << FRACTION_BITS) + noise;
        self.noise.push(noise);
        // A half goes up or down by a coin: a value is then as likely too large as too small.
        let coin = i128::from(random.next_u64() & 1);
        self.values.push((self.total + (1 << (FRACTION_BITS - 1)) - coin) >> FRACTION_BITS);
        self.count = 0;
    }
}

impl fmt::Debug for Counter {
    /// Public parts only: counts, units and noise are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counter({:?}, {} values have left)", self.plan, self.left)
    }
}

/// v_t = u_t - x_t of a period with this count, in units of 2^-24 counts.
///
/// r_0 u_t = r_0 x_t + z_t - sum over k >= 1 of r_k v_(t-k), exactly, in units of 2^-48; it is cut to its bound and divided
/// by r_0 = 2^24. All of it is below 2^126.
pub(super) fn noise(weights: &[u32], past: &[i128], count: u32, draw: i128) -> i128 {
    let bias = weights.iter().skip(1).zip(past.iter().rev()).map(|(weight, noise)| i128::from(*weight) * noise).sum::<i128>();
    let direct = (i128::from(count) << GRID_BITS) + draw.clamp(-DRAW_MAX, DRAW_MAX);
    let innovation = ((direct << FRACTION_BITS) - bias).clamp(-INNOVATION_MAX, INNOVATION_MAX);
    half_to_even(innovation, GRID_BITS) - (i128::from(count) << FRACTION_BITS)
}

/// `value / 2^bits` rounded to the nearest integer, halves to the even one: the same for `-value` but for the sign, and
/// with an even integer added before or after.
fn half_to_even(value: i128, bits: u32) -> i128 {
    let (floor, half) = (value >> bits, 1_i128 << (bits - 1));
    let rest = value - (floor << bits);
    floor + i128::from(rest > half || rest == half && floor & 1 == 1)
}
