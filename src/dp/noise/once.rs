//! Design (b): one draw at any scale without set-up, and the independent cross-check of the strips.

use super::decide::decide;
use super::exp;
use super::limbs::Nat;
use crate::random::Random;

/// One draw from the discrete Laplace law of scale t/s: P(y) ~ exp(-|y| s/t).
///
/// x = u + t v with u uniform below t, kept with probability exp(-u/t), and v geometric with ratio exp(-1), is
/// geometric with ratio exp(-1/t); floor(x/s) is geometric with ratio exp(-s/t). A sign makes it two-sided once
/// (-, 0) is rejected. (Canonne, Kamath, Steinke, arXiv 2004.00010, algorithm 2.)
pub(super) fn laplace<const SLOW: bool, R: Random + ?Sized>(t: u128, s: u128, random: &mut R) -> i128 {
    loop {
        let u = below(t, random);
        if u != 0 && !exp_fraction::<SLOW, R>(u, t, random) {
            continue;
        }
        let mut v = 0_u64;
        while exp_one::<SLOW, R>(random) {
            v += 1;
        }
        let magnitude = quotient(u, t, v, s);
        let negative = random.next_u64() >> 63 == 1;
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
        let sum = u + t * u128::from(v);
        return (sum / s).cast_signed(); // below 2^126
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
    let spare = (128 - t.leading_zeros()).saturating_sub(63);
    let (x, width) = if spare == 0 {
        ((u << 64) / t, 1)
    } else {
        let (u, t) = (u >> spare, t >> spare);
        let x = (u << 64) / (t + 1);
        (x, ((u + 1) << 64) / t + 1 - x)
    };
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

/// True with probability exp(-1).
#[inline]
fn exp_one<const SLOW: bool, R: Random + ?Sized>(random: &mut R) -> bool {
    let word = random.next_u64();
    if !SLOW {
        let (low, high) = exp::exp_one();
        if word < low {
            return true;
        }
        if word >= high {
            return false;
        }
    }
    let one = Nat::one();
    decide(word, &one, &one, &one, &one, random)
}
