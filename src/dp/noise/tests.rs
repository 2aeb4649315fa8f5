//! The laws of both designs: statistics here, enumeration of the random bits in `enumerated`.
//!
//! Every statistical test is seeded from its name and has a false-alarm rate of 10^-6 a case.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod enumerated;
mod gaussian;

use super::*;
use crate::dp::DpError;
use crate::random::RecordedRandom;

/// The scales of rule E2.
const SCALES: [(u128, u128); 6] = [(1, 3), (1, 1), (10, 1), (1_000, 1), (7_000_001, 7), (1_000_000_000_000, 1)];
/// ln 10^6.
const ALARM: f64 = 13.815_510_557_964_274;

/// Past this, a chi-square variable is with probability 10^-6 at most (Laurent and Massart 2000, lemma 1).
fn chi_square_limit(freedom: f64) -> f64 {
    freedom + 2.0 * (freedom * ALARM).sqrt() + 2.0 * ALARM
}

fn chi_square(counts: &[(f64, f64)]) -> f64 {
    counts.iter().map(|(found, expected)| (found - expected).powi(2) / expected).sum()
}

/// Draws in bins of a quarter of the scale (or single points) against the closed-form law.
fn assert_law(name: &str, (t, s): (u128, u128), draws: usize, mut draw: impl FnMut() -> i128) {
    let scale = t as f64 / s as f64;
    let width = (scale / 4.0).ceil();
    // P(Y >= k) = a^k / (1 + a) for k >= 0.
    let at_least = |k: f64| match k < 0.0 {
        true => 1.0 - (-(1.0 - k) / scale).exp() / (1.0 + (-1.0 / scale).exp()),
        false => (-k / scale).exp() / (1.0 + (-1.0 / scale).exp()),
    };
    let side = (1..).find(|k| at_least(f64::from(*k) * width) * (draws as f64) < 40.0).unwrap();
    let bins = (-side - 1..=side)
        .map(|bin| {
            let from = if bin < -side { 1.0 } else { at_least(f64::from(bin) * width) };
            let to = if bin == side { 0.0 } else { at_least(f64::from(bin + 1) * width) };
            (from - to) * draws as f64
        })
        .collect::<Vec<_>>();
    let mut counts = vec![0.0; bins.len()];
    for _ in 0..draws {
        let bin = draw().div_euclid(width as i128).clamp(i128::from(-side - 1), i128::from(side));
        counts[(bin + i128::from(side) + 1) as usize] += 1.0;
    }
    // A last bin on the left may be thin: it joins its neighbour.
    let mut pairs = counts.into_iter().zip(bins).collect::<Vec<_>>();
    while pairs[0].1 < 10.0 {
        let (found, expected) = pairs.remove(0);
        pairs[0] = (pairs[0].0 + found, pairs[0].1 + expected);
    }
    let (statistic, limit) = (chi_square(&pairs), chi_square_limit(pairs.len() as f64 - 1.0));
    assert!(statistic <= limit, "{name} at {t}/{s}: {statistic} over {limit} in {} bins", pairs.len());
}

fn prepared((t, s): (u128, u128)) -> DiscreteLaplace {
    DiscreteLaplace::prepare(Scale::new(t, s).unwrap())
}

#[test]
fn prepared_draws_follow_the_law() {
    let mut random = RecordedRandom::from_seed("prepared_draws_follow_the_law");
    for scale in SCALES {
        let sampler = prepared(scale);
        assert_law("prepared", scale, 400_000, || sampler.sample(&mut random));
    }
}

#[test]
fn single_draws_follow_the_law() {
    let mut random = RecordedRandom::from_seed("single_draws_follow_the_law");
    for (t, s) in SCALES {
        let scale = Scale::new(t, s).unwrap();
        assert_law("single", (t, s), 200_000, || DiscreteLaplace::sample_once(scale, &mut random));
    }
}

#[test]
fn wide_scales_follow_the_law() {
    let mut random = RecordedRandom::from_seed("wide_scales_follow_the_law");
    for scale in [((1 << 70) + 7, 3), ((1 << 125) + 1, 1 << 122), (1 << 90, (1 << 91) + 1), ((1 << 63) + 1, 1 << 62)] {
        let sampler = prepared(scale);
        assert!(sampler.strips.is_none());
        assert_law("wide", scale, 60_000, || sampler.sample(&mut random));
    }
}

#[test]
fn the_slow_path_alone_follows_the_law() {
    let mut random = RecordedRandom::from_seed("the_slow_path_alone_follows_the_law");
    for (t, s) in SCALES {
        let strips = prepared((t, s)).strips.unwrap();
        assert_law("slow strips", (t, s), 4_000, || strips.sample::<true, _>(&mut random));
        assert_law("slow single", (t, s), 1_000, || once::laplace::<true, _>(t, s, &mut random));
    }
}

#[test]
fn low_bits_of_large_scales_are_uniform() {
    let mut random = RecordedRandom::from_seed("low_bits_of_large_scales_are_uniform");
    const DRAWS: usize = 100_000;
    for scale in &SCALES[3..] {
        let sampler = prepared(*scale);
        for single in [false, true] {
            let mut counts = [(0.0, DRAWS as f64 / 16.0); 16];
            for _ in 0..DRAWS {
                let point = if single { DiscreteLaplace::sample_once(sampler.scale(), &mut random) } else { sampler.sample(&mut random) };
                counts[point.rem_euclid(16) as usize].0 += 1.0;
            }
            let statistic = chi_square(&counts);
            assert!(statistic <= chi_square_limit(15.0), "{scale:?} single {single}: {statistic}");
        }
    }
}

/// Row P37 of the reference: scale 1 has variance 1.84134718841558 and P(0) = 0.462117157260010.
#[test]
fn moments_at_scale_one() {
    let mut random = RecordedRandom::from_seed("moments_at_scale_one");
    let sampler = prepared((1, 1));
    const DRAWS: f64 = 1_000_000.0;
    let (mut zeros, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for _ in 0..DRAWS as usize {
        let point = sampler.sample(&mut random) as f64;
        zeros += f64::from(point == 0.0);
        sum += point;
        squares += point * point;
    }
    let (variance, at_zero) = (1.841_347_188_415_58, 0.462_117_157_260_010);
    // 4.9 standard deviations leave 10^-6; the fourth moment is summed from the law.
    let fourth = (-99..100).map(|k| f64::from(k).powi(4) * at_zero * (-f64::from(k).abs()).exp()).sum::<f64>();
    let near = |found: f64, expected: f64, spread: f64| (found / DRAWS - expected).abs() <= 4.9 * (spread / DRAWS).sqrt();
    assert!(near(zeros, at_zero, at_zero * (1.0 - at_zero)), "{zeros}");
    assert!(near(sum, 0.0, variance), "{sum}");
    assert!(near(squares, variance, fourth - variance * variance), "{squares}");
}

#[test]
fn extreme_scales_neither_panic_nor_drift() {
    let mut random = RecordedRandom::from_seed("extreme_scales_neither_panic_nor_drift");
    let (narrow, wide) = ((1 << 63) - 1, (1 << 126) - 1);
    let mut scales = vec![(narrow, 1), (narrow, narrow - 1), (1 << 62, 3), (narrow, 31), (wide, wide - 1), (wide >> 10, 1)];
    scales.extend((0..63).map(|bits| ((1_u128 << bits) + 1, 2)));
    for (t, s) in scales {
        let (sampler, scale) = (prepared((t, s)), t as f64 / s as f64);
        let spread = (0..200).map(|_| sampler.sample(&mut random).unsigned_abs() as f64).sum::<f64>() / 200.0;
        let once = (0..200).map(|_| DiscreteLaplace::sample_once(sampler.scale(), &mut random).unsigned_abs() as f64);
        let once = once.sum::<f64>() / 200.0;
        // E|Y| = 1 / sinh(1 / scale); its spread is below the scale plus one, the tail exponential: six are plenty.
        let (mean, room) = (1.0 / (1.0 / scale).sinh(), 6.0 * (scale + 1.0) / 200_f64.sqrt());
        assert!((spread - mean).abs() <= room && (once - mean).abs() <= room, "{t}/{s}: {spread} {once} {mean}");
    }
    for s in [narrow, wide, 128, 127] {
        let sampler = prepared((1, s));
        assert!((0..200).all(|_| sampler.sample(&mut random) == 0 && DiscreteLaplace::sample_once(sampler.scale(), &mut random) == 0));
    }
    // At the limit a draw beyond i128 saturates: exp(-2) of them.
    let largest = prepared((wide, 1));
    let saturated = (0..500).filter(|_| largest.sample(&mut random).unsigned_abs() == i128::MAX.unsigned_abs()).count();
    assert!((25..=125).contains(&saturated), "{saturated}");
    assert!(matches!(Scale::new(wide + 1, 1), Err(DpError::ScaleLimit { bits: 127 })));
}

#[test]
fn debug_shows_the_scale_only() {
    assert_eq!(format!("{:?}", prepared((7, 2))), "DiscreteLaplace { scale: Scale(7/2), .. }");
}
