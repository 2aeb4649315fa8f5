//! The discrete Laplace law for the strips: exp(-|y| / scale) on integers.

use super::exp;
use super::limbs::Nat;
use super::strips::Law;

/// Fraction bits of [`Exponential::inverse`] beyond the 64 of the exponent.
const EXTRA_BITS: u32 = 57;
/// From this s/t on, rho of every point but zero is below exp(-128).
const STEEP: u64 = 128;

/// rho(y) = exp(-|y| s/t), t and s below 2^63.
pub(super) struct Exponential {
    t: u64,
    s: u64,
    /// floor(2^121 s/t), or 2^128 - 1 where s/t >= 128.
    inverse: u128,
}

impl Exponential {
    pub(super) fn new(t: u64, s: u64) -> Self {
        let (t_wide, s_wide) = (u128::from(t), u128::from(s));
        let inverse = if s / t >= STEEP {
            u128::MAX
        } else {
            // s/t < 128 and t < 2^63: no shift loses a bit.
            let high = (s_wide << 64) / t_wide;
            let rest = (s_wide << 64) % t_wide;
            (high << EXTRA_BITS) + (rest << EXTRA_BITS) / t_wide
        };
        Self { t, s, inverse }
    }
}

impl Law for Exponential {
    /// A block is a thirty-second to a sixteenth of the scale, or a point: the hat is within 1/16 of rho, and 255
    /// blocks on a side reach eight to sixteen scales.
    fn block_bits(&self) -> u32 {
        (self.t / self.s).checked_ilog2().unwrap_or(0).saturating_sub(4)
    }

    /// The least power of two above the scale.
    fn superblock_bits(&self) -> u32 {
        (self.t / self.s).checked_ilog2().map_or(0, |bits| bits + 1)
    }

    #[inline]
    fn bracket(&self, magnitude: u128) -> (u64, u128) {
        // A product past 2^128 is an exponent past 2^128 / 2^121 = 128.
        let x = magnitude.checked_mul(self.inverse).map_or(u128::MAX, |product| product >> EXTRA_BITS);
        // x is too small by less than magnitude / 2^57 (the floor of inverse) and 1 (the floor of the shift).
        exp::bracket(x, (magnitude >> EXTRA_BITS) + 2)
    }

    fn exponent(&self, magnitude: u128) -> (Nat, Nat) {
        (Nat::from(magnitude).mul(&Nat::from(self.s)), Nat::from(self.t))
    }
}
