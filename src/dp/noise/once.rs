//! Design (b): one draw at any scale without set-up, and the independent cross-check of the strips.

use super::decide::decide;
use super::exp;
use super::limbs::Nat;
use crate::random::Random;

/// exp(-31) is 2^19 units of 2^-64: more than enough between thresholds.
const SPAN: usize = 31;

/// One draw from the discrete Laplace law of scale t/s: P(y) ~ exp(-|y| s/t).
///
/// x = u + t v with u uniform below t, kept with probability exp(-u/t), and v geometric with ratio exp(-1), is
/// geometric with ratio exp(-1/t); floor(x/s) is geometric with ratio exp(-s/t). A sign makes it two-sided once
/// (-, 0) is rejected. (Canonne, Kamath, Steinke, arXiv 2004.00010, algorithm 2; there v is counted by coins.)
pub(super) fn laplace<const SLOW: bool, R: Random + ?Sized>(t: u128, s: u128, random: &mut R) -> i128 {
    loop {
        let u = below(t, random);
        let share = thirty_one_bits(u, t);
        if u != 0 && !exp_fraction::<SLOW, R>(share, u, t, random) {
            continue;
        }
        let word = random.next_u64();
        let negative = word & 1 == 1;
        let v = geometric::<SLOW, R>(word, random);
        let magnitude = quotient(u, t, v, s);
        match (negative, magnitude) {
            (true, 0) => {}
            (true, _) => return -magnitude,
            (false, _) => return magnitude,
        }
    }
}

/// One draw from the discrete Gaussian law of sigma^2 = p/q: P(y) ~ exp(-y^2 q/(2p)).
///
/// With t = ceil(sigma), a draw Y of the discrete Laplace law of scale t is kept with probability exp(-x),
/// x = (|Y| - sigma^2/t)^2 / (2 sigma^2). (Canonne, Kamath, Steinke, arXiv 2004.00010, algorithm 3, where t is
/// floor(sigma) + 1; every t gives the law, and the one nearest to sigma rejects least.)
pub(super) fn gaussian<const SLOW: bool, R: Random + ?Sized>(p: u128, q: u128, random: &mut R) -> i128 {
    let sigma = root(if q == 1 { p } else { p / q });
    let t = if sigma * sigma * q == p { sigma } else { sigma + 1 }; // at most 2^63
    let proposal = Proposal::new(p, q, t);
    loop {
        let u = below(t, random);
        let share = thirty_one_bits(u, t);
        if u != 0 && !exp_fraction::<SLOW, R>(share, u, t, random) {
            continue;
        }
        let word = random.next_u64();
        let v = geometric::<SLOW, R>(word, random);
        let magnitude = quotient(u, t, v, 1);
        if word & 1 == 1 && magnitude == 0 {
            continue;
        }
        if proposal.keeps::<SLOW, R>(share, v, magnitude.unsigned_abs(), random) {
            return if word & 1 == 1 { -magnitude } else { magnitude };
        }
    }
}

/// floor(sqrt(square)). The first guess is right to one part in 2^52, so that below 2^52 it is off by one at most.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a root below 2^50, put right")]
fn root(square: u128) -> u128 {
    if square >> 100 != 0 {
        return square.isqrt();
    }
    let guess = (square as f64).sqrt() as u128;
    match guess * guess > square {
        true => guess - 1,
        false if (guess + 1) * (guess + 1) <= square => guess + 1,
        false => guess,
    }
}

/// What the decisions about all proposals at one sigma^2 = p/q share.
struct Proposal {
    p: u128,
    q: u128,
    t: u128,
    /// 2^31 r with r = sigma^2 / t^2 <= 1 is in [ratio, ratio + 3).
    ratio: u64,
    /// 2^31 / r is in (inverse.0, inverse.1].
    inverse: (u128, u128),
}

/// v from which on the exponent is above 64: (32 - 1)^2 / 2.
const FAR: u64 = 32;

impl Proposal {
    fn new(p: u128, q: u128, t: u128) -> Self {
        // q t^2 <= (sqrt p + sqrt q)^2 < 2^128, and not below p.
        let ratio = thirty_one_bits(p, q * t * t);
        Self { p, q, t, ratio, inverse: (((1 << 62) / (ratio + 3)).into(), u128::from((1 << 62) / ratio.max(1)) + 1) }
    }

    /// True with probability exp(-x) for the proposal y = u + t v, x = (y/t - r)^2 / (2 r), `share` the first bits of u/t.
    #[inline]
    fn keeps<const SLOW: bool, R: Random + ?Sized>(&self, share: u64, v: u64, magnitude: u128, random: &mut R) -> bool {
        let word = random.next_u64();
        if !SLOW && v < FAR {
            // 2^31 y/t is in [at, at + 3), so the distance |y/t - r| 2^31 in (near, far).
            let at = (v << 31) + share;
            let near = u128::from(at.abs_diff(self.ratio).saturating_sub(3));
            let far = u128::from(at.abs_diff(self.ratio) + 3);
            // In units of 2^-64, x is distance^2 inverse / 2^30; at y = 0 it is r/2. Where the ratio is 0, the
            // second inverse is no bound, but then t = 1, and `least` is past the table at y >= 1.
            let (least, most) = match magnitude {
                0 => (u128::from(self.ratio) << 32, u128::from(self.ratio + 3) << 32),
                _ => ((near * near).saturating_mul(self.inverse.0) >> 30, (far * far).saturating_mul(self.inverse.1) >> 30),
            };
            let (low, high) = exp::bracket(least, most - least + 1);
            if word < low {
                return true;
            }
            if u128::from(word) >= high {
                return false;
            }
        }
        let (p, q, t) = (Nat::from(self.p), Nat::from(self.q), Nat::from(self.t));
        let product = Nat::from(magnitude).mul(&q).mul(&t);
        let distance = if product < p { p.sub(&product) } else { product.sub(&p) };
        let one = Nat::one();
        decide(word, &one, &one, &distance.mul(&distance), &p.mul(&q).mul(&t).mul(&t).shl(1), random)
    }
}

/// floor((u + t v) / s), saturating at `i128::MAX`; all three below 2^126, u below t.
#[inline]
fn quotient(u: u128, t: u128, v: u64, s: u128) -> i128 {
    if (u | t | s) >> 63 == 0 && v >> 62 == 0 {
        let sum = u + t * u128::from(v); // below 2^126
        let whole = match (u64::try_from(sum), u64::try_from(s)) {
            (_, Ok(1)) => sum,
            (Ok(sum), Ok(s)) => u128::from(sum / s),
            _ => sum / s,
        };
        return whole.cast_signed();
    }
    // One t at a time: v is geometric, so this is as long as drawing it was.
    let (step, step_rest) = (t / s, t % s);
    let (mut whole, mut rest) = ((u / s).cast_signed(), u % s);
    for _ in 0..v {
        whole = whole.saturating_add(step.cast_signed());
        rest += step_rest;
        if rest >= s {
            rest -= s;
            whole = whole.saturating_add(1);
        }
    }
    whole
}

/// Uniform below `n`, 0 < n < 2^126: Lemire's multiplication with its rejection step where a word is enough
/// (arXiv 1805.10941), else rejection on the least number of bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the product is split into its two words")]
pub(in crate::dp) fn below<R: Random + ?Sized>(n: u128, random: &mut R) -> u128 {
    let Ok(short) = u64::try_from(n) else {
        let mask = u128::MAX >> n.leading_zeros();
        loop {
            let wide = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
            if wide & mask < n {
                return wide & mask;
            }
        }
    };
    if short == 1 {
        return 0;
    }
    let mut product = u128::from(random.next_u64()) * n;
    if (product as u64) < short {
        let incomplete = short.wrapping_neg() % short; // 2^64 mod n: these many words are rejected
        while (product as u64) < incomplete {
            product = u128::from(random.next_u64()) * n;
        }
    }
    product >> 64
}

/// True with probability exp(-u/t), u < t < 2^126, `share` the first bits of u/t.
#[inline]
fn exp_fraction<const SLOW: bool, R: Random + ?Sized>(share: u64, u: u128, t: u128, random: &mut R) -> bool {
    // 31 bits of u/t are enough but once in 2^31.
    let (x, width) = (u128::from(share) << 33, 3 << 33);
    let word = random.next_u64();
    if !SLOW {
        let (low, high) = exp::bracket(x, width);
        if word < low {
            return true;
        }
        if u128::from(word) >= high {
            return false;
        }
    }
    let one = Nat::one();
    decide(word, &one, &one, &Nat::from(u), &Nat::from(t), random)
}

/// q with q <= 2^31 u/t < q + 3, u <= t, for one division of words: both are scaled so that t has 63 bits, and
/// q = floor(u / d) with d = floor(t / 2^31) + 1.
#[inline]
pub(super) fn thirty_one_bits(u: u128, t: u128) -> u64 {
    let up = t.leading_zeros();
    let (u63, t63) = ((u << up >> 65) as u64, (t << up >> 65) as u64);
    u63 / ((t63 >> 31) + 1)
}

/// Geometric with ratio exp(-1) by inversion, P(V >= k) = P(U < exp(-k)) = exp(-k), from U that opens with the upper
/// 63 bits of `word`; the lowest bit of `word` is spent elsewhere.
///
/// Below [`SPAN`] the thresholds are far apart, so U is close to one of them at most and is extended for that one
/// alone. From there on V starts again: it has no memory.
#[inline]
fn geometric<const SLOW: bool, R: Random + ?Sized>(mut word: u64, random: &mut R) -> u64 {
    let mut start = 0;
    loop {
        for k in 1..=SPAN {
            let (low, high) = exp::exp_whole(k);
            if !SLOW && word | 1 < low {
                continue;
            }
            if (!SLOW && word & !1 >= high) || !decide_whole(word, k, random) {
                return start + k as u64 - 1;
            }
        }
        start += SPAN as u64;
        word = random.next_u64();
    }
}

/// Decides U < exp(-k), U opening with the upper 63 bits of `word`.
#[cold]
fn decide_whole<R: Random + ?Sized>(word: u64, k: usize, random: &mut R) -> bool {
    let lead = word & !1 | random.next_u64() & 1;
    let one = Nat::one();
    decide(lead, &one, &one, &Nat::from(k as u64), &one, random)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::root;

    proptest! {
        #[test]
        fn roots_are_those_of_integers(near: u64, cut in 0_u32..64, above in 0_u128..3) {
            let near = u128::from(near >> cut);
            for square in [(near * near).saturating_sub(above), near * near + above, near] {
                prop_assert_eq!(root(square), square.isqrt());
            }
        }
    }
}
