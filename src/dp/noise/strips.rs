//! Design (e), strips: rejection under a piecewise constant hat whose weights are integers.
//!
//! The integers are cut into 510 blocks of M = 2^m points, block k holding kM up to (k + 1)M, and a tail on both
//! sides. Block k has the integer weight h_k >= C max rho over the block, the tail one weight H, and all weights sum
//! to 2^64 exactly, so the alias table has no ties. A point of block k comes up with probability h_k / (2^64 M) and
//! is kept iff U h_k < C rho(y), U uniform: its mass is C rho(y) / (2^64 M), the same multiple of rho everywhere.
//!
//! In the tail a point comes as sign, superblock j by coin flips (2^-(j+1)) and offset below 2^sup, with probability
//! H / 2^64 / 2^(j + 2 + sup); it is kept iff U H < C 2^(j + 2 + sup - m) rho(y), again the mass C rho(y) / (2^64 M).
//! That this asks for a probability of at most 1: rho falls by e or more from one superblock to the next.
//!
//! The same routine serves any symmetric law that falls with |y| and tells the four things of [`Law`].

#![expect(clippy::cast_possible_truncation, reason = "indices are below 512 and weights below 2^64")]

use super::decide::decide;
use super::exp::ONE;
use super::limbs::Nat;
use crate::random::Random;

/// Blocks on each side of zero.
const SIDE: u16 = 255;
/// Columns of the alias table: 510 blocks, the tail, and one of weight 0 to make a power of two.
pub(super) const SLOTS: usize = 512;
pub(super) const TAIL: usize = 510;
/// 2^64 / SLOTS: what one column holds.
const COLUMN: u64 = 1 << 55;

/// A symmetric law on the integers, given by rho(|y|), which is 1 at 0 and falls.
pub(super) trait Law {
    /// m: the blocks have 2^m points.
    fn block_bits(&self) -> u32;
    /// sup >= m: past the blocks, rho falls by e or more over 2^sup points.
    fn superblock_bits(&self) -> u32;
    /// A bracket of rho in units of 2^-64.
    fn bracket(&self, magnitude: u128) -> (u64, u128);
    /// n and d with rho = exp(-n/d).
    fn exponent(&self, magnitude: u128) -> (Nat, Nat);
}

/// A prepared sampler of one law: 16 KiB of tables, some 20 microseconds to make.
pub(super) struct Strips<L> {
    law: L,
    block_bits: u32,
    /// sup + 2 - m.
    tail_shift: u32,
    /// C.
    accept: u64,
    columns: Box<[Column; SLOTS]>,
    slots: Box<[Slot; SLOTS]>,
}

/// A column: its first `cut` of 2^55 words are its own slot, the others are `alias`.
#[derive(Clone, Copy)]
struct Column {
    cut: u64,
    alias: u16,
}

/// A block or the tail.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// h_k, or H.
    hat: u64,
    /// U below this multiple of 2^-64 is kept at every point of the block.
    sure: u64,
}

impl<L: Law> Strips<L> {
    pub(super) fn prepare(law: L) -> Self {
        let block_bits = law.block_bits();
        let tail_shift = law.superblock_bits() + 2 - block_bits;
        // The greatest rho of each slot, rounded up: of a block the end nearest to zero, of the tail its first point.
        let mut tops = [0_u128; SLOTS];
        for (slot, top) in tops.iter_mut().enumerate().take(TAIL) {
            *top = law.bracket(near(slot, block_bits)).1;
        }
        tops[TAIL] = law.bracket(u128::from(SIDE) << block_bits).1 << tail_shift;
        // C sum(tops) <= 2^64 - SLOTS, and rounding SLOTS weights up adds less than SLOTS.
        let accept = word((ONE - SLOTS as u128) * ONE / tops.iter().sum::<u128>());
        let mut slots = [Slot::default(); SLOTS];
        for (slot, top) in slots.iter_mut().zip(tops) {
            slot.hat = word((u128::from(accept) * top).div_ceil(ONE));
        }
        // What is left of 2^64 goes to the block of zero: a higher hat is still a hat.
        let total = slots.iter().map(|slot| u128::from(slot.hat)).sum::<u128>();
        slots[usize::from(SIDE)].hat += word(ONE - total);
        for (at, slot) in slots.iter_mut().enumerate().take(TAIL) {
            let (least, _) = law.bracket(far(at, block_bits));
            slot.sure = word((u128::from(accept) * u128::from(least) / u128::from(slot.hat)).min(ONE - 1));
        }
        let columns = alias(&slots.map(|slot| slot.hat));
        Self { law, block_bits, tail_shift, accept, columns: Box::new(columns), slots: Box::new(slots) }
    }

    /// One draw. `SLOW` sends every decision to the slow path: a constant of tests, never a flag.
    #[inline]
    pub(super) fn sample<const SLOW: bool, R: Random + ?Sized>(&self, random: &mut R) -> i128 {
        let low_bits = (1_u64 << self.block_bits) - 1;
        loop {
            let draw = random.next_u64();
            let column = (draw >> 55) as usize;
            let Column { cut, alias } = self.columns[column];
            let slot = if draw & (COLUMN - 1) < cut { column } else { usize::from(alias) % SLOTS };
            if slot == TAIL {
                if let Some(point) = self.tail::<SLOW, R>(random) {
                    return point;
                }
                continue;
            }
            // One word holds the offset and, above it, the leading bits of U.
            let word = random.next_u64();
            let point = (first(slot) << self.block_bits) + i128::from(word & low_bits);
            if !SLOW && word | low_bits < self.slots[slot].sure {
                return point;
            }
            let lead = if low_bits == 0 { word } else { word & !low_bits | random.next_u64() & low_bits };
            if self.keeps::<SLOW, R>(slot, point.unsigned_abs(), 0, lead, random) {
                return point;
            }
        }
    }

    #[cold]
    fn tail<const SLOW: bool, R: Random + ?Sized>(&self, random: &mut R) -> Option<i128> {
        let word = random.next_u64();
        let negative = word & 1 == 1;
        let (mut flips, mut superblock) = (word >> 1 | 1 << 63, 0_u32);
        while flips == 1 << 63 {
            superblock += 63;
            flips = random.next_u64() | 1 << 63;
        }
        superblock += flips.trailing_zeros();
        let bits = self.tail_shift + self.block_bits - 2;
        let offset = random.next_u64() & ((1 << bits) - 1);
        let start = u128::from(SIDE) << self.block_bits;
        // The blocks end at SIDE 2^m - 1 above zero and at -SIDE 2^m below.
        let magnitude = start + u128::from(negative) + (u128::from(superblock) << bits) + u128::from(offset);
        let lead = random.next_u64();
        let kept = self.keeps::<SLOW, R>(TAIL, magnitude, self.tail_shift + superblock, lead, random);
        let point = magnitude.cast_signed();
        kept.then_some(if negative { -point } else { point })
    }

    /// Decides U h < C 2^shift rho(magnitude), U opening with the bits of `lead`.
    pub(super) fn keeps<const SLOW: bool, R: Random + ?Sized>(
        &self,
        slot: usize,
        magnitude: u128,
        shift: u32,
        lead: u64,
        random: &mut R,
    ) -> bool {
        let hat = self.slots[slot].hat;
        if !SLOW {
            let (low, high) = self.law.bracket(magnitude);
            // None where 128 bits are too few: left to the slow path.
            let scaled = |rho: u128| {
                let product = u128::from(self.accept) * rho;
                (shift < 128 && shift <= product.leading_zeros()).then(|| product << shift)
            };
            let least = u128::from(lead) * u128::from(hat);
            if scaled(low.into()).is_some_and(|mass| least + u128::from(hat) <= mass) {
                return true;
            }
            if scaled(high).is_some_and(|mass| least >= mass) {
                return false;
            }
        }
        let (n, d) = self.law.exponent(magnitude);
        let mass = Nat::from(self.accept).shl(shift as usize);
        decide(lead, &Nat::from(hat), &mass, &n, &d, random)
    }
}

#[cfg(test)]
impl<L: Law> Strips<L> {
    pub(super) fn law(&self) -> &L {
        &self.law
    }

    pub(super) fn accept(&self) -> u64 {
        self.accept
    }

    pub(super) fn hat(&self, slot: usize) -> u64 {
        self.slots[slot].hat
    }

    pub(super) fn column(&self, column: usize) -> (u64, usize) {
        (self.columns[column].cut, self.columns[column].alias.into())
    }
}

/// The alias table of integer weights that sum to 2^64 (Walker; Vose's construction): exact, nothing is rounded.
fn alias(weights: &[u64; SLOTS]) -> [Column; SLOTS] {
    let mut rest = *weights;
    let mut columns = std::array::from_fn(|slot| Column { cut: COLUMN, alias: slot_index(slot) });
    let (mut small, mut large): (Vec<_>, Vec<_>) = (0..SLOTS).partition(|slot| rest[*slot] < COLUMN);
    while let (Some(poor), Some(rich)) = (small.pop(), large.last().copied()) {
        columns[poor] = Column { cut: rest[poor], alias: slot_index(rich) };
        rest[rich] -= COLUMN - rest[poor];
        if rest[rich] < COLUMN {
            large.pop();
            small.push(rich);
        }
    }
    columns
}

/// The first point of a block, in blocks.
fn first(slot: usize) -> i128 {
    slot as i128 - i128::from(SIDE)
}

/// The magnitude of the point of a block that is nearest to zero.
fn near(slot: usize, block_bits: u32) -> u128 {
    let block = first(slot);
    if block < 0 { ((block + 1).unsigned_abs() << block_bits) + 1 } else { block.unsigned_abs() << block_bits }
}

/// The magnitude of the point of a block that is farthest from zero.
fn far(slot: usize, block_bits: u32) -> u128 {
    let block = first(slot);
    if block < 0 { block.unsigned_abs() << block_bits } else { ((block + 1).unsigned_abs() << block_bits) - 1 }
}

fn slot_index(slot: usize) -> u16 {
    slot as u16 // below SLOTS
}

/// A weight that is below 2^64 because all weights sum to that.
fn word(weight: u128) -> u64 {
    debug_assert!(weight < ONE);
    weight as u64
}
