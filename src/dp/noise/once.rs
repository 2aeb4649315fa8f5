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
        if u != 0 && !exp_fraction::<SLOW, R>(u, t, random) {
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
pub(super) fn below<R: Random + ?Sized>(n: u128, random: &mut R) -> u128 {
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

/// True with probability exp(-u/t), u < t < 2^126.
#[inline]
fn exp_fraction<const SLOW: bool, R: Random + ?Sized>(u: u128, t: u128, random: &mut R) -> bool {
    // 31 bits of u/t are enough but once in 2^31, and take one division of words: with both scaled so that t has 63
    // bits, and d = floor(t / 2^31) + 1, q = floor(u / d) is at most 2^31 u/t, and that is below q + 3.
    let up = t.leading_zeros();
    let (u63, t63) = ((u << up >> 65) as u64, (t << up >> 65) as u64);
    let quotient = u63 / ((t63 >> 31) + 1);
    let (x, width) = (u128::from(quotient) << 33, 3 << 33);
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
