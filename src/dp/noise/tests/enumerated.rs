//! Exact probabilities, by enumerating the random bits.
//!
//! Every decision is monotone in the word it reads, so all 2^64 values of a word fall into three runs: accepted,
//! open, rejected. Their edges are found by bisection through the sampler itself and compared with the rational law,
//! computed by the series of the slow path at 192 bits.

use super::super::limbs::Nat;
use super::super::strips::{Law, SLOTS, Strips, TAIL};
use super::gaussian::{mass, squared, total};
use super::*;
use crate::random::ScriptedRandom;

/// The first word from which on `holds` is false, if it is true up to there.
fn edge(holds: impl Fn(u64) -> bool) -> u64 {
    if holds(u64::MAX) {
        return u64::MAX;
    }
    let (mut low, mut high) = (0, u64::MAX); // false at `high`
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

fn strips((t, s): (u128, u128)) -> Strips<Exponential> {
    prepared((t, s)).strips.unwrap()
}

fn normal((p, q): (u128, u128)) -> Strips<Normal> {
    Strips::prepare(Normal::new(p, q).unwrap())
}

/// Asserts that the leading words of U that are accepted outright, and those rejected outright, are on the right
/// side of U h = C 2^shift rho, and that no more are open than the error of the 64-bit exponential explains.
pub(super) fn assert_edges<L: Law>(strips: &Strips<L>, slot: usize, magnitude: u128, shift: u32, script: impl Fn(u64) -> Vec<u64>) {
    let accepted = edge(|lead| {
        let mut random = ScriptedRandom::with_tail(script(lead), "edges");
        let point = strips.sample::<false, _>(&mut random);
        !random.overran() && point.unsigned_abs() == magnitude
    });
    let rejected = edge(|lead| {
        let mut random = ScriptedRandom::with_tail(vec![], "edges");
        strips.keeps::<false, _>(slot, magnitude, shift, lead, &mut random) || random.overran()
    });
    let (n, d) = strips.law().exponent(magnitude);
    let (low, high) = exp_bracket(&n, &d, 192);
    let hat = Nat::from(strips.hat(slot));
    let mass = Nat::from(strips.accept()).shl(shift as usize);
    let kept = |words: u64| hat.mul(&Nat::from(words)).shl(128);
    let at = format!("slot {slot} point {magnitude}");
    assert!(kept(accepted) <= mass.mul(&high), "{at}: too much is accepted");
    assert!(rejected == u64::MAX || kept(rejected) >= mass.mul(&low), "{at}: too much is rejected");
    // What is open is left to the slow path, which is tested by itself.
    let error = mass.mul(&Nat::from((magnitude >> 57) + 48)).shl(128);
    assert!(kept(accepted).add(&hat.shl(130)).add(&error) >= mass.mul(&low), "{at}: too much is open");
    assert!(kept(rejected) <= mass.mul(&high).add(&hat.shl(130)).add(&error), "{at}: too much is open");
}

/// A first word for every slot.
pub(super) fn draws<L: Law>(strips: &Strips<L>) -> [Option<u64>; SLOTS] {
    let mut words = [None; SLOTS];
    for column in 0..SLOTS {
        let (cut, alias) = strips.column(column);
        let start = (column as u64) << 55;
        if cut > 0 {
            words[column] = Some(start);
        }
        if cut < 1 << 55 {
            words[alias] = Some(start | ((1 << 55) - 1));
        }
    }
    words
}

fn assert_sums<L: Law>(name: &str, strips: &Strips<L>) {
    let mut weights = [0_u128; SLOTS];
    for column in 0..SLOTS {
        let (cut, alias) = strips.column(column);
        weights[column] += u128::from(cut);
        weights[alias] += u128::from((1 << 55) - cut);
    }
    assert!((0..SLOTS).all(|slot| weights[slot] == u128::from(strips.hat(slot))), "{name}");
    assert_eq!(weights.iter().sum::<u128>(), 1 << 64, "{name}");
}

#[test]
fn columns_add_up_to_the_weights_and_the_weights_to_all_words() {
    for scale in SCALES {
        assert_sums(&format!("laplace {scale:?}"), &strips(scale));
        assert_sums(&format!("gaussian {scale:?}"), &normal(squared(scale)));
    }
}

fn assert_blocks<L: Law>(strips: &Strips<L>) {
    let words = draws(strips);
    let bits = strips.law().block_bits();
    let low_bits = (1_u64 << bits) - 1;
    for slot in (0..TAIL).filter(|slot| slot % 7 == 3 || slot.abs_diff(255) < 4) {
        let Some(draw) = words[slot] else { continue };
        for offset in [0, low_bits / 3, low_bits] {
            let point = ((slot as i128 - 255) << bits) + i128::from(offset);
            assert_edges(strips, slot, point.unsigned_abs(), 0, |lead| {
                let word = lead & !low_bits | offset;
                if bits == 0 { vec![draw, word] } else { vec![draw, word, lead & low_bits] }
            });
        }
    }
}

#[test]
fn every_block_accepts_its_points_with_the_right_probability() {
    for scale in [(1, 3), (2, 1), (31, 1), (1_000, 3), (1_000_000_000_000, 7), ((1 << 63) - 1, 1), (1, 200)] {
        assert_blocks(&strips(scale));
    }
    for sigma_squared in [(1, 9), (3, 1), (1_000, 3), (10_u128.pow(24), 49), ((1 << 112) - 1, 1), (1, 200), ((1 << 126) - 1, (1 << 63) + 1)]
    {
        assert_blocks(&normal(sigma_squared));
    }
}

fn assert_tail<L: Law>(strips: &Strips<L>) {
    let draw = draws(strips)[TAIL].unwrap();
    let (bits, superblock_bits) = (strips.law().block_bits(), strips.law().superblock_bits());
    for (superblock, negative, offset) in [(0, 0, 0), (0, 1, 0), (0, 0, u64::MAX), (1, 1, 5), (3, 0, u64::MAX / 3), (9, 1, u64::MAX)] {
        let offset = offset & ((1 << superblock_bits) - 1);
        let flips = 1_u64 << (superblock + 1) | negative;
        let magnitude = (255_u128 << bits) + u128::from(negative) + (superblock << superblock_bits) + u128::from(offset);
        let shift = superblock_bits + 2 - bits + superblock as u32;
        assert_edges(strips, TAIL, magnitude, shift, |lead| vec![draw, flips, offset, lead]);
    }
}

#[test]
fn the_tail_accepts_its_points_with_the_right_probability() {
    for scale in [(30, 1), (1_000, 3), (1_000_000_000_000, 7), ((1 << 63) - 1, 1)] {
        assert_tail(&strips(scale));
    }
    for sigma_squared in [(1_000, 1), (1_000_000, 3), (10_u128.pow(24), 49), ((1 << 112) - 1, 1)] {
        assert_tail(&normal(sigma_squared));
    }
}

/// All scripts of four words that are given by three leading bits and the last one, the sign. A decision is a
/// threshold on its word, so whatever the other bits are, it falls as it does with all zeros or with all ones: a
/// script is decided if all 2^4 such fillings give the same draw and none reads on. The decided mass of a point is at
/// most its probability, and at least that with the open mass.
fn assert_scripts(name: &str, open_most: f64, draw: impl Fn(&mut ScriptedRandom) -> i128, truth: impl Fn(i128) -> f64) {
    const WORDS: u32 = 4;
    const BITS: u32 = 4;
    let draw = |script: u32, filling: u32| {
        let word = |at| {
            let bits = u64::from(script >> (BITS * at)) & 15;
            let middle = if filling >> at & 1 == 1 { u64::MAX >> 4 << 1 } else { 0 };
            bits >> 1 << 61 | middle | bits & 1
        };
        let mut random = ScriptedRandom::with_tail((0..WORDS).map(word).collect(), "scripts");
        let point = draw(&mut random);
        (!random.overran()).then_some(point)
    };
    let mut masses = std::collections::BTreeMap::<i128, u32>::new();
    let mut open = 0;
    for script in 0..1 << (WORDS * BITS) {
        match draw(script, 0) {
            Some(point) if (1..1 << WORDS).all(|filling| draw(script, filling) == Some(point)) => {
                *masses.entry(point).or_default() += 1;
            }
            _ => open += 1,
        }
    }
    let all = f64::from(1 << (WORDS * BITS));
    for (point, mass) in masses {
        let (low, high) = (f64::from(mass) / all, f64::from(mass + open) / all);
        assert!(low <= truth(point) && truth(point) <= high, "{name} at {point}: {low} {} {high}", truth(point));
    }
    assert!(f64::from(open) / all < open_most, "{name}: {open} scripts are open");
}

#[test]
fn single_draws_have_the_right_probability_by_all_short_scripts() {
    for (t, s) in [(1_u128, 1_u128), (1, 3), (2, 3), (3, 2)] {
        let a = (-(s as f64) / t as f64).exp();
        let truth = |point: i128| (1.0 - a) / (1.0 + a) * a.powi(point.unsigned_abs() as i32);
        assert_scripts(&format!("laplace {t}/{s}"), 0.8, |random| once::laplace::<false, _>(t, s, random), truth);
    }
    for (p, q) in [(1_u128, 1_u128), (1, 9), (1, 4), (3, 2)] {
        let truth = |point: i128| mass(p as f64 / q as f64, point as f64) / total(p as f64 / q as f64);
        assert_scripts(&format!("gaussian {p}/{q}"), 0.95, |random| once::gaussian::<false, _>(p, q, random), truth);
    }
}

#[test]
fn uniform_draws_reject_exactly_the_incomplete_words() {
    // 2^64 = 3 * 6148914691236517205 + 1: one word is rejected, the one whose product has a low half below 1.
    let draw = |n, words| {
        let mut random = ScriptedRandom::new(words);
        (once::below(n, &mut random), random.used())
    };
    assert_eq!(draw(3, vec![0, 1]), (0, 2));
    assert_eq!(draw(3, vec![6_148_914_691_236_517_205]), (0, 1));
    assert_eq!(draw(3, vec![6_148_914_691_236_517_206]), (1, 1));
    assert_eq!(draw(3, vec![u64::MAX]), (2, 1));
    assert_eq!(draw(1, vec![]), (0, 0));
    // Wide: the bits above the least that are needed are dropped, what is not below n is rejected.
    let n = (5 << 64) + 9;
    assert_eq!(draw(n, vec![5 | 8, 8]), (n - 1, 2));
    assert_eq!(draw(n, vec![5, 9, 7, 0, 4, 2]), ((4 << 64) + 2, 6));
}
