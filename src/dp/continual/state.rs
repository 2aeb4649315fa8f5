//! The sealed state of a counter: encrypted, and bound to the index of the entry that says it is the current one.

use std::fmt;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::counter::NOISE_MAX;
use super::participation::HORIZON_MAX;
use super::participation::{Participation, UNITS_MAX, UnitId, Used};
use super::{ContinualError, Counter, CounterPlan};
use crate::budget::Rho;
use crate::codec::{CodecError, Decoder, Encoder, Limits};
use crate::label::Label;
use crate::random::Random;

/// The version of the form.
const VERSION: u64 = 1;
/// closed, left, count, units, full, total.
const FIXED_BYTES: usize = 4 + 4 + 4 + 4 + 1 + 16;
/// Noise and value.
const PERIOD_BYTES: usize = 16 + 16;
/// Id, participations, the last of them.
const UNIT_BYTES: usize = 16 + 4 + 4;
/// Version, horizon, participations, separation, rho and room before the secret part, and its head.
const PLAN_BYTES_MAX: usize = 7 * 9 + 1;

/// The most bytes of a sealed state.
pub const STATE_BYTES_MAX: usize = NONCE_LEN + PLAN_BYTES_MAX + secret_bytes(HORIZON_MAX, UNITS_MAX) + MAX_TAG_LEN;

/// The key of a counter's sealed states: one counter, one key. Not `Clone`, redacted in `Debug`, wiped when dropped.
///
/// ```compile_fail,E0277
/// fn copies<T: Clone>() {}
/// copies::<usufruct::dp::continual::StateKey>();
/// ```
pub struct StateKey(Zeroizing<[u8; 32]>);

impl StateKey {
    /// A new key.
    #[must_use]
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(secret.as_mut_slice());
        Self(secret)
    }

    /// From where its bytes are kept.
    #[must_use]
    pub fn from_secret(secret: Zeroizing<[u8; 32]>) -> Self {
        Self(secret)
    }

    /// Its bytes, to be kept secret.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.0
    }

    fn cipher(&self) -> Result<LessSafeKey, ContinualError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, self.0.as_slice()).map_err(|_| ContinualError::State)?;
        Ok(LessSafeKey::new(key))
    }
}

impl fmt::Debug for StateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateKey(secret)")
    }
}

impl Counter {
    /// The whole state, encrypted and bound to the ledger index: for the time between two releases, so that a restart
    /// does not forget who counts in the open period. [`close`](Self::close) seals by itself.
    ///
    /// ```text
    /// sealed  = nonce (12) || ChaCha20-Poly1305(plain) || tag (16)       associated data = label || 00 || index (8)
    /// plain   = CBOR array of 7: 1, horizon, participations, separation, rho in 10^-12, room for units, secret
    /// secret  = closed (4) || left (4) || count (4) || units (4) || full (1) || total (16)
    ///           || (noise (16) || value (16)) for each period of the horizon, open ones zero
    ///           || (id (16) || participations (4) || last (4)) for each unit there is room for, in order, the rest zero
    /// ```
    /// Integers are big-endian, in two's complement. The size is a function of the plan and the room alone, so it tells neither how
    /// many units came nor how many periods are closed.
    ///
    /// # Errors
    /// [`ContinualError::State`] when the cipher fails, which no state of this size makes it do.
    pub fn seal<R: Random + ?Sized>(&self, key: &StateKey, index: u64, random: &mut R) -> Result<Vec<u8>, ContinualError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut plain = self.plain();
        let sealing = Nonce::assume_unique_for_key(nonce);
        let tag = key.cipher()?.seal_in_place_separate_tag(sealing, associated(index), &mut plain);
        let tag = tag.map_err(|_| ContinualError::State)?;
        Ok([&nonce, plain.as_slice(), tag.as_ref()].concat())
    }

    /// Opens a state that was sealed under this key at this index.
    ///
    /// A state with a value that was sealed and never left gives that value: it was kept, so it may leave.
    ///
    /// # Errors
    /// [`ContinualError::State`] for any other key, index or byte.
    pub fn open(sealed: &[u8], key: &StateKey, index: u64) -> Result<Self, ContinualError> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(ContinualError::State)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| ContinualError::State)?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let plain = key.cipher()?.open_in_place(nonce, associated(index), &mut rest).map_err(|_| ContinualError::State)?;
        Self::from_plain(plain).ok_or(ContinualError::State)
    }

    /// An array, not the map that artefacts are, and the secret part in one string at its end: then no step of the
    /// encoder leaves a copy of it behind.
    fn plain(&self) -> Zeroizing<Vec<u8>> {
        let plan = self.plan();
        let secret = self.secret();
        let mut out = Encoder::new();
        out.array(7).uint(VERSION);
        for parameter in [plan.horizon(), plan.participations(), plan.separation()] {
            out.uint(parameter.into());
        }
        out.uint(plan.rho().units()).uint(self.units().into()).bytes(&secret);
        Zeroizing::new(out.into_bytes())
    }

    fn secret(&self) -> Zeroizing<Vec<u8>> {
        let size = secret_bytes(self.plan.horizon(), self.units());
        let mut secret = Zeroizing::new(Vec::with_capacity(size));
        // Both are at most 2^24.
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        secret.extend(length(self.values.len()));
        secret.extend(self.left.to_be_bytes());
        secret.extend(self.count.to_be_bytes());
        secret.extend(length(self.participation.units().len()));
        secret.push(self.participation.full().into());
        secret.extend(self.total.to_be_bytes());
        for (noise, value) in self.noise.iter().zip(&self.values) {
            secret.extend(noise.to_be_bytes());
            secret.extend(value.to_be_bytes());
        }
        secret.resize(FIXED_BYTES + PERIOD_BYTES * self.plan.horizon() as usize, 0);
        for (unit, used) in self.participation.units() {
            secret.extend(unit);
            secret.extend(used.periods.to_be_bytes());
            secret.extend(used.last.to_be_bytes());
        }
        secret.resize(size, 0);
        secret
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        let (plan, room, secret) = read_plan(plain).ok()?;
        let plan = CounterPlan::new(plan[0], plan[1], plan[2], Rho::from_units(room.1)?).ok()?;
        let mut counter = Self::new(plan, room.0).ok()?;
        (secret.len() == secret_bytes(counter.plan.horizon(), room.0)).then_some(())?;
        let mut bytes = Bytes(secret);
        let [closed, left, count, units] = [bytes.number()?, bytes.number()?, bytes.number()?, bytes.number()?];
        let [full] = bytes.take()?;
        let possible = closed <= counter.plan.horizon() && left <= closed && closed - left <= 1 && units <= room.0 && full <= 1;
        possible.then_some(())?;
        let total = i128::from_be_bytes(bytes.take()?);
        (total.unsigned_abs() <= NOISE_MAX.unsigned_abs() * u128::from(HORIZON_MAX)).then_some(())?;
        (counter.left, counter.count, counter.total) = (left, count, total);
        for period in 0..counter.plan.horizon() {
            let (noise, value) = (i128::from_be_bytes(bytes.take()?), i128::from_be_bytes(bytes.take()?));
            if period < closed && noise.unsigned_abs() <= NOISE_MAX.unsigned_abs() {
                counter.noise.push(noise);
                counter.values.push(value);
            } else if (noise, value) != (0, 0) {
                return None;
            }
        }
        let mut records = Vec::new();
        for _ in 0..units {
            let unit: UnitId = bytes.take()?;
            records.push((unit, Used { periods: bytes.number()?, last: bytes.number()? }));
        }
        bytes.0.iter().all(|byte| *byte == 0).then_some(())?;
        // A unit may have counted in the open period, if there is one.
        let end = (closed + 1).min(counter.plan.horizon());
        let now = records.iter().filter(|(_, used)| used.last == closed).count();
        let Self { participation, .. } = &counter;
        let empty = Participation::new(counter.plan.participations(), counter.plan.separation(), participation.room()).ok()?;
        counter.participation = empty.restored(records.into_iter(), full == 1, end)?;
        (now == count as usize).then_some(counter)
    }
}

/// Horizon, participations, separation; room and rho; the secret part.
type Parts<'a> = ([u32; 3], (u32, u64), &'a [u8]);

fn read_plan(plain: &[u8]) -> Result<Parts<'_>, CodecError> {
    let most = secret_bytes(HORIZON_MAX, UNITS_MAX);
    let mut decoder = Decoder::new(plain, Limits::of_bytes(PLAN_BYTES_MAX + most))?;
    let wrong = CodecError::Unexpected { offset: 0, expected: "the state of a counter" };
    if decoder.array(7)? != 7 || decoder.uint()? != VERSION {
        return Err(wrong);
    }
    let mut number = || u32::try_from(decoder.uint()?).map_err(|_| wrong.clone());
    let plan = [number()?, number()?, number()?];
    let rho = decoder.uint()?;
    let room = u32::try_from(decoder.uint()?).map_err(|_| wrong)?;
    let secret = decoder.bytes(most)?;
    decoder.finish()?;
    Ok((plan, (room, rho), secret))
}

/// At most 403 MB.
const fn secret_bytes(horizon: u32, units: u32) -> usize {
    FIXED_BYTES + PERIOD_BYTES * horizon as usize + UNIT_BYTES * units as usize
}

fn associated(index: u64) -> Aad<Vec<u8>> {
    Aad::from([Label::COUNTER_STATE.as_bytes(), &[0], &index.to_be_bytes()].concat())
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::RecordedRandom;

    /// Whoever has the key may still seal nonsense: what is accepted is a state that could be, and has one form.
    #[test]
    fn a_state_that_could_not_be_is_refused() {
        let plan = CounterPlan::new(3, 2, 2, Rho::parse("0.1").unwrap()).unwrap();
        let mut counter = Counter::new(plan, 3).unwrap();
        let mut random = RecordedRandom::from_seed("could not be");
        let key = StateKey::generate(&mut random);
        counter.admit([1; 16]).unwrap();
        counter.close(&key, 0, &mut random, |_| Ok::<(), ContinualError>(())).unwrap();
        counter.admit([2; 16]).unwrap();
        let plain = counter.plain();
        assert!(Counter::from_plain(&plain).is_some_and(|counter| counter.plain() == plain));
        let mut accepted = 0;
        for at in 0..plain.len() {
            for wrong in 0..=u8::MAX {
                let mut forged = plain.to_vec();
                forged[at] = wrong;
                if let Some(mut counter) = Counter::from_plain(&forged) {
                    assert_eq!(*counter.plain(), forged, "byte {at}: {wrong}");
                    let _ = counter.admit([3; 16]);
                    let _ = counter.close(&key, 0, &mut random, |_| Ok::<(), ContinualError>(()));
                    accepted += 1;
                }
            }
        }
        // Ids, noise, values, total and rho may be any.
        assert!(accepted > 0);

        let start = plain.len() - secret_bytes(3, 3);
        let forged = |place: usize, bytes: &[u8]| {
            let mut forged = plain.to_vec();
            forged[start + place..][..bytes.len()].copy_from_slice(bytes);
            Counter::from_plain(&forged).is_none()
        };
        let units = FIXED_BYTES + 3 * PERIOD_BYTES;
        assert!(forged(0, &4_u32.to_be_bytes()) && forged(0, &3_u32.to_be_bytes())); // closed: beyond the horizon, two unpublished
        assert!(forged(4, &2_u32.to_be_bytes())); // more left than are closed
        assert!(forged(8, &2_u32.to_be_bytes())); // count: one unit is in the open period
        assert!(forged(12, &1_u32.to_be_bytes()) && forged(12, &4_u32.to_be_bytes())); // units
        assert!(forged(16, &[1]) && forged(16, &[2])); // full, with room
        assert!(forged(17, &i128::MAX.to_be_bytes()) && forged(FIXED_BYTES, &i128::MIN.to_be_bytes())); // total, noise
        assert!(forged(FIXED_BYTES + PERIOD_BYTES, &[1])); // noise of an open period
        assert!(forged(units + 16, &0_u32.to_be_bytes()) && forged(units + 16, &2_u32.to_be_bytes())); // participations
        assert!(forged(units + 20, &2_u32.to_be_bytes())); // in a period to come
        assert!(forged(units, &[2; 16]) && forged(units, &[3; 16])); // one unit twice, another order
        assert!(forged(units + 2 * UNIT_BYTES, &[1])); // behind the units
        assert!(Counter::from_plain(&plain[..plain.len() - 1]).is_none());
    }
}
