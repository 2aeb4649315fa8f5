//! Natural numbers of any size, for the slow path only: schoolbook, allocating, short.
#![expect(clippy::cast_possible_truncation, reason = "a 128-bit intermediate is split into its two limbs")]

use std::cmp::Ordering;

/// A natural number. Invariant: 64-bit limbs, least significant first, the last one not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::dp) struct Nat(Vec<u64>);

impl Nat {
    pub(in crate::dp) fn one() -> Self {
        Self(vec![1])
    }

    pub(in crate::dp) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The position above the highest set bit; 0 for 0.
    pub(in crate::dp) fn bits(&self) -> usize {
        self.0.last().map_or(0, |last| self.0.len() * 64 - last.leading_zeros() as usize)
    }

    /// The value, if it fits.
    pub(in crate::dp) fn to_u128(&self) -> Option<u128> {
        match self.0[..] {
            [] => Some(0),
            [low] => Some(low.into()),
            [low, high] => Some(u128::from(high) << 64 | u128::from(low)),
            _ => None,
        }
    }

    pub(in crate::dp) fn add(&self, other: &Self) -> Self {
        let (long, short) = if self.0.len() < other.0.len() { (other, self) } else { (self, other) };
        let mut limbs = long.0.clone();
        let mut carry = false;
        for (at, limb) in limbs.iter_mut().enumerate() {
            let (sum, over) = limb.overflowing_add(short.0.get(at).copied().unwrap_or(0));
            let (sum, over_carry) = sum.overflowing_add(carry.into());
            *limb = sum;
            carry = over || over_carry;
        }
        limbs.push(carry.into());
        Self::trimmed(limbs)
    }

    /// `self - other`, or 0 where that is negative.
    pub(in crate::dp) fn sub(&self, other: &Self) -> Self {
        if *self <= *other {
            return Self::default();
        }
        let mut limbs = self.0.clone();
        let mut borrow = false;
        for (at, limb) in limbs.iter_mut().enumerate() {
            let (difference, under) = limb.overflowing_sub(other.0.get(at).copied().unwrap_or(0));
            let (difference, under_borrow) = difference.overflowing_sub(borrow.into());
            *limb = difference;
            borrow = under || under_borrow;
        }
        Self::trimmed(limbs)
    }

    pub(in crate::dp) fn mul(&self, other: &Self) -> Self {
        let mut limbs = vec![0; self.0.len() + other.0.len()];
        for (at, left) in self.0.iter().enumerate() {
            let mut carry = 0;
            for (by, right) in other.0.iter().enumerate() {
                // (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1: the sum cannot overflow.
                let sum = u128::from(*left) * u128::from(*right) + u128::from(limbs[at + by]) + carry;
                limbs[at + by] = sum as u64;
                carry = sum >> 64;
            }
            limbs[at + other.0.len()] = carry as u64;
        }
        Self::trimmed(limbs)
    }

    /// floor(self / divisor).
    ///
    /// # Panics
    /// When the divisor is 0.
    pub(in crate::dp) fn div(&self, divisor: &Self) -> Self {
        assert!(!divisor.is_zero(), "division by zero");
        if divisor.0.len() == 1 {
            return self.div_small(divisor.0[0]);
        }
        let mut quotient = vec![0; self.0.len()];
        let mut rest = Self::default();
        for at in (0..self.bits()).rev() {
            rest = rest.shl(1);
            if self.0[at / 64] >> (at % 64) & 1 == 1 {
                rest = rest.add(&Self::one());
            }
            if rest >= *divisor {
                rest = rest.sub(divisor);
                quotient[at / 64] |= 1 << (at % 64);
            }
        }
        Self::trimmed(quotient)
    }

    fn div_small(&self, divisor: u64) -> Self {
        let mut quotient = vec![0; self.0.len()];
        let mut rest = 0;
        for at in (0..self.0.len()).rev() {
            let part = rest << 64 | u128::from(self.0[at]);
            quotient[at] = (part / u128::from(divisor)) as u64;
            rest = part % u128::from(divisor);
        }
        Self::trimmed(quotient)
    }

    pub(in crate::dp) fn shl(&self, bits: usize) -> Self {
        let mut limbs = vec![0; bits / 64];
        let mut carry = 0;
        for limb in &self.0 {
            let wide = u128::from(*limb) << (bits % 64);
            limbs.push(wide as u64 | carry);
            carry = (wide >> 64) as u64;
        }
        limbs.push(carry);
        Self::trimmed(limbs)
    }

    /// floor(self / 2^bits).
    pub(in crate::dp) fn shr(&self, bits: usize) -> Self {
        let kept = self.0.get(bits / 64..).unwrap_or_default();
        let above = kept.iter().skip(1).copied().chain([0]);
        let limbs = kept.iter().zip(above).map(|(low, high)| {
            let wide = u128::from(high) << 64 | u128::from(*low);
            (wide >> (bits % 64)) as u64
        });
        Self::trimmed(limbs.collect())
    }

    /// ceil(self / 2^bits).
    pub(in crate::dp) fn shr_up(&self, bits: usize) -> Self {
        let floor = self.shr(bits);
        if floor.shl(bits) == *self { floor } else { floor.add(&Self::one()) }
    }

    fn trimmed(mut limbs: Vec<u64>) -> Self {
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
        Self(limbs)
    }
}

impl From<u64> for Nat {
    fn from(value: u64) -> Self {
        Self::trimmed(vec![value])
    }
}

impl From<u128> for Nat {
    fn from(value: u128) -> Self {
        Self::trimmed(vec![value as u64, (value >> 64) as u64])
    }
}

impl Ord for Nat {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Nat {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_u128(a: u128, b in 1..=u128::MAX, shift in 0_usize..130, cut in 0_u32..127) {
            let (a, b) = (a >> cut, (b >> cut).max(1));
            let (x, y) = (Nat::from(a), Nat::from(b));
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            prop_assert_eq!(x.div(&y).to_u128(), Some(a / b));
            prop_assert_eq!(x.sub(&y).to_u128(), Some(a.saturating_sub(b)));
            prop_assert_eq!(x.add(&y).to_u128(), a.checked_add(b).or(x.add(&y).to_u128()));
            prop_assert_eq!(x.bits(), 128 - a.leading_zeros() as usize);
            prop_assert_eq!(x.shr(shift).to_u128(), Some(a.checked_shr(shift as u32).unwrap_or(0)));
            prop_assert_eq!(x.shl(shift).shr(shift), x.clone());
            let up = x.shr_up(shift);
            prop_assert!(up.shl(shift) >= x && (up.is_zero() || up.sub(&Nat::one()).shl(shift) < x));
        }

        #[test]
        fn obeys_the_laws_of_arithmetic(a: [u64; 4], b: [u64; 3], c: [u64; 2]) {
            let nat = |limbs: &[u64]| Nat::trimmed(limbs.to_vec());
            let (a, b, c) = (nat(&a), nat(&b), nat(&c).add(&Nat::one()));
            prop_assert_eq!(a.add(&b).mul(&c), a.mul(&c).add(&b.mul(&c)));
            prop_assert_eq!(a.mul(&b), b.mul(&a));
            prop_assert_eq!(a.add(&b).sub(&b), a.clone());
            prop_assert_eq!(a.mul(&c).add(&c.sub(&Nat::one())).div(&c), a.clone());
            prop_assert_eq!(a.shl(77), a.mul(&Nat::from(1_u128 << 77)));
        }
    }
}
