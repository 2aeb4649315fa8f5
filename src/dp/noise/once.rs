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
/// With t = ceil(sigma), blocks of t points are proposed by integer weights h_v ([`Blocks`]), a point |y| = u + t v
/// uniformly in its block, and a sign. It is kept with probability C exp(-y^2 q/(2p)) / h_v, which is at most 1 because
/// y^2 q/p >= (step v)^2 and h_v >= C exp(-(step v)^2/2); (-, 0) is rejected. So every y has the same multiple of its mass. About 0.71 of
/// all proposals are kept where sigma is large.
///
/// (Rejection from the discrete Laplace law, Canonne, Kamath, Steinke, arXiv 2004.00010, algorithm 3, keeps 0.48 and asks for
/// two exponentials.)
pub(super) fn gaussian<const SLOW: bool, R: Random + ?Sized>(p: u128, q: u128, random: &mut R) -> i128 {
    let sigma = root(if q == 1 { p } else { p / q });
    let t = if sigma * sigma * q == p { sigma } else { sigma + 1 }; // at most 2^63
    let proposal = Proposal::new(p, q, t);
    loop {
        let u = below(t, random);
        let word = random.next_u64();
        let (v, flips) = proposal.blocks.draw(word >> 1, random);
        let magnitude = u + t * (u128::from(v) + u128::from(flips)); // below 2^127: flips are far below 2^60
        if word & 1 == 1 && magnitude == 0 {
            continue;
        }
        if proposal.keeps::<SLOW, R>(thirty_one_bits(u, t), (v, flips), magnitude, random) {
            let magnitude = magnitude.cast_signed();
            return if word & 1 == 1 { -magnitude } else { magnitude };
        }
    }
}

/// The proposals of [`gaussian`]: C, the largest less a little for which the weights sum to 2^63; weights of the blocks v = 0,
/// 1, ..., at least C exp(-(step v)^2/2); and of all further ones, of which the g-th has a share of 2^-(g + 1), at least
/// C exp(-(8 + step g)^2/2) because it is for g = 0.
struct Blocks {
    step: u64,
    accept: u64,
    weights: &'static [u64],
}

/// For sigma above 1/2.
static WIDE: Blocks = Blocks {
    step: 1,
    accept: 5_260_535_921_816_942_130,
    weights: &[
        5_260_535_921_816_942_192,
        3_190_676_323_101_636_112,
        711_936_118_955_471_303,
        58_439_275_344_763_711,
        1_764_713_204_508_274,
        19_604_192_879_873,
        80_117_855_536,
        120_452_325,
        266_482,
    ],
};
/// For sigma up to 1/2, where blocks are points and y^2 q/p >= (2 v)^2.
static NARROW: Blocks = Blocks {
    step: 2,
    accept: 8_121_519_328_335_443_325,
    weights: &[8_121_519_328_335_443_388, 1_099_128_118_611_901_692, 2_724_466_216_444_451, 123_690_574_867, 411_410],
};
/// C / h_0 is above 1 - 2^-56: at y = 0 a word below this needs no exponential.
const ALMOST_ALL: u64 = u64::MAX << 8;
/// C exp(-(step v)^2/2) is above (1 - 2^-26) h_v for every block but the tail, whose h_v are above 2^26.
const ROUNDED: u32 = 26;

impl Blocks {
    /// The block of the tail.
    const fn tail(&self) -> u64 {
        self.weights.len() as u64 - 1
    }

    /// A block by its weight, from 63 uniform bits; for the tail, with the number of heads before the first tail of a coin.
    #[inline]
    fn draw<R: Random + ?Sized>(&self, mut bits: u64, random: &mut R) -> (u64, u64) {
        for (v, weight) in (0..self.tail()).zip(self.weights) {
            if bits < *weight {
                return (v, 0);
            }
            bits -= weight;
        }
        let mut flips = 0;
        loop {
            let coins = random.next_u64().leading_zeros();
            flips += u64::from(coins);
            if coins < u64::BITS {
                return (self.tail(), flips);
            }
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
    blocks: &'static Blocks,
    /// 2^31 / r, r = sigma^2 / t^2 <= 1, is in (inverse.0, inverse.1].
    inverse: (u128, u128),
}

impl Proposal {
    fn new(p: u128, q: u128, t: u128) -> Self {
        // q t^2 <= (sqrt p + sqrt q)^2 < 2^128, and not below p. 2^31 r is in [ratio, ratio + 3).
        let ratio = thirty_one_bits(p, q * t * t);
        let blocks = if p <= q >> 2 { &NARROW } else { &WIDE };
        Self { p, q, blocks, inverse: (((1 << 62) / (ratio + 3)).into(), u128::from((1 << 62) / ratio.max(1)) + 1) }
    }

    /// True with probability C exp(-x) / h_v for the proposal y = u + t v, x = (y/t)^2 / (2 r), `share` the first bits of u/t.
    #[inline]
    fn keeps<const SLOW: bool, R: Random + ?Sized>(&self, share: u64, (v, flips): (u64, u64), magnitude: u128, random: &mut R) -> bool {
        let word = random.next_u64();
        if !SLOW && magnitude == 0 && word < ALMOST_ALL {
            return true;
        }
        if !SLOW && v < self.blocks.tail() {
            // 2^31 y/t is in [at, at + 3); x in units of 2^-64 is its square times the inverse / 2^30, and 0 at y = 0. Where the
            // ratio is 0, the second inverse is no bound, but then t = 1, and `least` is past the table at y >= 1.
            let at = u128::from((v << 31) + share);
            let (near, far) = match magnitude {
                0 => (0, 0),
                _ => ((at * at).saturating_mul(self.inverse.0) >> 30, ((at + 3) * (at + 3)).saturating_mul(self.inverse.1) >> 30),
            };
            // What is left after exp(-(step v)^2/2), which the weight has: not below 0.
            let taken = u128::from((self.blocks.step * v).pow(2)) << 63;
            let (least, most) = (near.saturating_sub(taken), far.saturating_sub(taken));
            let (low, high) = exp::bracket(least, most - least + 1);
            if word < (low - (low >> ROUNDED)).saturating_sub(1) {
                return true;
            }
            if u128::from(word) >= high {
                return false;
            }
        }
        // U h_v < C exp(-x), with 2^(g + 1) on the right in the tail.
        let weight = self.blocks.weights[usize::try_from(v).map_or(0, |v| v.min(self.blocks.weights.len() - 1))];
        let doublings = if v < self.blocks.tail() { 0 } else { usize::try_from(flips).unwrap_or(usize::MAX - 1) + 1 };
        let share = Nat::from(self.blocks.accept).shl(doublings);
        let y = Nat::from(magnitude);
        let exponent = y.mul(&y).mul(&Nat::from(self.q));
        decide(word, &Nat::from(weight), &share, &exponent, &Nat::from(self.p).shl(1), random)
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
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dp::noise::decide::exp_bracket;

    /// Every weight is at least C exp(-(step v)^2/2), the least such integer but for the first, and all sum to 2^63.
    #[test]
    fn weights_of_blocks_are_a_hat() {
        for blocks in [&WIDE, &NARROW] {
            assert_eq!(blocks.weights.iter().sum::<u64>(), 1 << 63);
            let accept = Nat::from(blocks.accept);
            assert!(u128::from(ALMOST_ALL) * u128::from(blocks.weights[0]) <= u128::from(blocks.accept) << 64);
            for (v, weight) in (0..blocks.tail()).zip(blocks.weights.iter().copied()) {
                let (low, high) = exp_bracket(&Nat::from((blocks.step * v).pow(2)), &Nat::from(2_u64), 128);
                let (most, least) = (accept.mul(&high).shr_up(128), accept.mul(&low).shr(128));
                assert!(Nat::from(weight) >= most && (v == 0 || Nat::from(weight) <= least.add(&Nat::one())), "{v}");
                assert!(accept.mul(&low) >= Nat::from(weight - (weight >> ROUNDED) - 1).shl(128), "{v}");
                assert!(v == 0 || weight >> ROUNDED > 0, "{v}");
            }
            assert_eq!(blocks.step * blocks.tail(), 8);
            let tail = blocks.weights[blocks.weights.len() - 1];
            for g in 0..40_u64 {
                let (_, high) = exp_bracket(&Nat::from((8 + blocks.step * g).pow(2)), &Nat::from(2_u64), 8_192);
                assert!(Nat::from(tail).shl(8_192) >= accept.mul(&high).shl(usize::try_from(g).unwrap_or(0) + 1), "{g}");
            }
        }
    }

    /// The tail is drawn, at its shares, from words that no statistics would meet.
    #[test]
    fn the_tail_of_blocks_is_reached() {
        use crate::random::ScriptedRandom;
        let last = (1 << 63) - 1;
        let draw = |bits, words| WIDE.draw(bits, &mut ScriptedRandom::new(words));
        assert_eq!([draw(last, vec![u64::MAX]), draw(last, vec![1 << 61]), draw(last, vec![0, 1 << 63])], [(8, 0), (8, 2), (8, 64)]);
        let first = (1 << 63) - WIDE.weights[8];
        assert_eq!([draw(first, vec![u64::MAX]), draw(first - 1, vec![]), draw(WIDE.weights[0], vec![])], [(8, 0), (7, 0), (1, 0)]);
        // At sigma = 1 a draw of 9 = 8 + 1 is kept if U h < 4 C exp(-81/2), that is U below 0.0002; at sigma = 1/2, 5 = 4 + 1
        // if U h < 4 C exp(-50), that is U below 2e-8.
        for (q, point, edge) in [(1, 9, 0.000_203_5), (4, 5, 1.523_1e-8)] {
            for (factor, kept) in [(0.99, true), (1.01, false)] {
                let lead = (edge * factor * 2_f64.powi(64)) as u64;
                let mut random = ScriptedRandom::with_tail(vec![u64::MAX - 1, 1 << 62, lead, 0, 0, u64::MAX], "tail");
                assert_eq!(gaussian::<false, _>(1, q, &mut random) == point, kept, "{q} {factor}");
            }
        }
    }

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
