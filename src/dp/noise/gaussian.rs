//! The discrete Gaussian law for the strips: exp(-y^2 / (2 sigma^2)) on integers.

use super::exp;
use super::limbs::Nat;
use super::strips::Law;

/// What the exponent of the table-driven exponential ends at.
const STEEP: u32 = 64;
/// Bits of y^2 that are kept.
const SQUARE_BITS: u32 = 63;
/// Fraction bits of the product beyond those of the exponent: 70 + 57 bits are below 128.
const EXTRA_BITS: u32 = 57;
/// sigma^2 below 2^112: y^2 and all words of the strips stay in range up to exp(-64).
const LIMIT_BITS: u32 = 112;

/// rho(y) = exp(-y^2 q/(2p)), p/q below 2^112.
pub(super) struct Normal {
    p: u128,
    q: u128,
    /// floor(sigma).
    sigma: u64,
    /// The least y with y^2 q/(2p) > 64.
    beyond: u128,
    /// K: lowest bits of y^2 that are dropped.
    square_shift: u32,
    /// e - K.
    product_shift: u32,
    /// floor(2^(64 + e) q/(2p)).
    inverse: u128,
    /// What dropping K bits of y^2 takes from the exponent, in units of 2^-64, rounded up.
    dropped: u128,
}

impl Normal {
    /// The law, if its sigma^2 is within the range of the tables.
    pub(super) fn new(p: u128, q: u128) -> Option<Self> {
        let ratio = p / q;
        if ratio >> LIMIT_BITS != 0 {
            return None;
        }
        // y^2 q/(2p) <= 64 where y^2 <= most.
        let most = Nat::from(p).shl(7).div(&Nat::from(q)).to_u128()?;
        let bits = 128 - most.leading_zeros();
        let square_shift = bits.saturating_sub(SQUARE_BITS);
        let product_shift = bits.min(EXTRA_BITS);
        let extra = square_shift + product_shift;
        // Where most is 0 the exponential of every y but 0 is past the table, and no inverse is asked for.
        let inverse = match most {
            0 => 0,
            _ => Nat::from(q).shl(63 + extra as usize).div(&Nat::from(p)).to_u128()?,
        };
        let dropped = if square_shift == 0 { 0 } else { (inverse >> product_shift) + 2 };
        let sigma = u64::try_from(ratio.isqrt()).ok()?;
        Some(Self { p, q, sigma, beyond: most.isqrt() + 1, square_shift, product_shift, inverse, dropped })
    }
}

impl Law for Normal {
    /// A block is a thirty-second to a sixteenth of sigma, or a point: 255 blocks on a side reach eight to sixteen sigma.
    fn block_bits(&self) -> u32 {
        self.sigma.checked_ilog2().unwrap_or(0).saturating_sub(4)
    }

    /// The least power of two S above sigma: past y > 2 sigma, (2 y S + S^2) / (2 sigma^2) is above 1.
    fn superblock_bits(&self) -> u32 {
        self.sigma.checked_ilog2().map_or(0, |bits| bits + 1)
    }

    /// x 2^64 = y^2 2^64 q/(2p) is too small by less than `square` / 2^(e - K) (the floor of the inverse), `dropped`
    /// and 1 (the floor of the shift).
    #[inline]
    fn bracket(&self, magnitude: u128) -> (u64, u128) {
        if magnitude >= self.beyond {
            return exp::bracket(u128::from(STEEP) << 64, 0);
        }
        let square = (magnitude * magnitude) >> self.square_shift;
        // At most 64 2^(64 + e - K) <= 2^127.
        let x = (square * self.inverse) >> self.product_shift;
        exp::bracket(x, (square >> self.product_shift) + self.dropped + 2)
    }

    fn exponent(&self, magnitude: u128) -> (Nat, Nat) {
        let magnitude = Nat::from(magnitude);
        (magnitude.mul(&magnitude).mul(&Nat::from(self.q)), Nat::from(self.p).shl(1))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::decide::exp_bracket;
    use super::*;

    /// The bracket holds the truth, at every size of sigma and up to the end of the table and past it.
    #[test]
    fn brackets_hold_the_truth_and_are_narrow() {
        let wide = (1_u128 << 126) - 1;
        let sigmas = [
            (1, 9),
            (1, 1),
            (100, 1),
            (49_000_014_000_001, 49),
            (10_u128.pow(24), 1),
            ((1 << 112) - 1, 1),
            (wide, wide - 2),
            (wide, 1 << 15),
            (1, 127),
            (1, 128),
            (1, wide),
        ];
        for (p, q) in sigmas {
            let law = Normal::new(p, q).unwrap();
            let last = law.beyond;
            let points = [
                0,
                1,
                2,
                3,
                last / 97,
                last / 12 + 1,
                last / 7,
                last / 3,
                last / 2 + 1,
                last - 1,
                last,
                last + 1,
                last * 3,
                1 << 100,
                u128::MAX,
            ];
            for y in points {
                let (n, d) = law.exponent(y);
                let (least, most) = exp_bracket(&n, &d, 64);
                let (low, high) = law.bracket(y);
                assert!(u128::from(low) <= least.to_u128().unwrap() + 3 && high + 3 >= most.to_u128().unwrap(), "{p}/{q} at {y}");
                assert!(high - u128::from(low) < 2_000, "{p}/{q} at {y}: {}", high - u128::from(low));
            }
        }
        assert!(Normal::new(1 << 112, 1).is_none());
    }
}
