//! Statistics of the discrete Gaussian, by the scales of rule E2 as sigma.

use super::*;

pub(super) fn squared((t, s): (u128, u128)) -> (u128, u128) {
    (t * t, s * s)
}

/// exp(-y^2 / (2 sigma^2)).
pub(super) fn mass(sigma_squared: f64, y: f64) -> f64 {
    (-y * y / (2.0 * sigma_squared)).exp()
}

/// The sum of all masses: term by term, and from sigma = 5 on the integral, which differs by less than
/// 2 exp(-2 pi^2 sigma^2) of it.
pub(super) fn total(sigma_squared: f64) -> f64 {
    match sigma_squared < 25.0 {
        true => (-60..=60).map(|y| mass(sigma_squared, f64::from(y))).sum(),
        false => (2.0 * std::f64::consts::PI * sigma_squared).sqrt(),
    }
}

/// The sum of the masses of `from..from + width`: term by term, or the integral from half a step below by Simpson's
/// rule, which differs by a relative 1 / (24 sigma^2).
fn bin(sigma_squared: f64, from: f64, width: f64) -> f64 {
    const PARTS: i32 = 32;
    if width < 500.0 {
        return (0..width as i32).map(|step| mass(sigma_squared, from + f64::from(step))).sum();
    }
    let step = width / f64::from(PARTS);
    let weight = |at| if at == 0 || at == PARTS { 1.0 } else { 2.0 + 2.0 * f64::from(at % 2) };
    (0..=PARTS).map(|at| weight(at) * mass(sigma_squared, from - 0.5 + step * f64::from(at))).sum::<f64>() * step / 3.0
}

/// Draws in bins of a quarter of sigma (or single points) against the law.
fn assert_law(name: &str, (p, q): (u128, u128), draws: u32, mut draw: impl FnMut() -> i128) {
    let sigma_squared = p as f64 / q as f64;
    let width = (sigma_squared.sqrt() / 4.0).ceil();
    let expected = |bin_at: i32| bin(sigma_squared, f64::from(bin_at) * width, width) / total(sigma_squared) * f64::from(draws);
    // Bins -side..side, of which the first and the last also take what is beyond.
    let side = (1..).find(|side| expected(*side) < 40.0).unwrap().max(2);
    let mut pairs = (-side..side).map(|at| (0.0, expected(at))).collect::<Vec<_>>();
    let rest = f64::from(draws) - pairs.iter().map(|(_, expected)| expected).sum::<f64>();
    for _ in 0..draws {
        let at = draw().div_euclid(width as i128).clamp(i128::from(-side), i128::from(side - 1));
        pairs[(at + i128::from(side)) as usize].0 += 1.0;
    }
    let beyond = |from: i32, to: i32| (from..to).map(expected).sum::<f64>();
    let last = pairs.len() - 1;
    pairs[0].1 += beyond(-side - 60, -side);
    pairs[last].1 += beyond(side, side + 60);
    assert!((rest - beyond(-side - 60, -side) - beyond(side, side + 60)).abs() < 0.5, "{name}: the law adds up");
    while pairs[0].1 < 10.0 {
        let (found, expected) = pairs.remove(0);
        pairs[0] = (pairs[0].0 + found, pairs[0].1 + expected);
    }
    while pairs[pairs.len() - 1].1 < 10.0 {
        let (found, expected) = pairs.pop().unwrap();
        let last = pairs.len() - 1;
        pairs[last] = (pairs[last].0 + found, pairs[last].1 + expected);
    }
    let (statistic, limit) = (chi_square(&pairs), chi_square_limit(pairs.len() as f64 - 1.0));
    assert!(statistic <= limit, "{name} at {p}/{q}: {statistic} over {limit} in {} bins", pairs.len());
}

fn sigma_squared((p, q): (u128, u128)) -> SigmaSquared {
    SigmaSquared::new(p, q).unwrap()
}

fn prepared(of: (u128, u128)) -> DiscreteGaussian {
    DiscreteGaussian::prepare(sigma_squared(of))
}

#[test]
fn prepared_draws_follow_the_law() {
    let mut random = RecordedRandom::from_seed("gaussian prepared_draws_follow_the_law");
    for scale in SCALES {
        let sampler = prepared(squared(scale));
        assert!(sampler.strips.is_some());
        assert_law("prepared", squared(scale), 400_000, || sampler.sample(&mut random));
    }
}

#[test]
fn single_draws_follow_the_law() {
    let mut random = RecordedRandom::from_seed("gaussian single_draws_follow_the_law");
    for scale in SCALES {
        let of = squared(scale);
        assert_law("single", of, 200_000, || DiscreteGaussian::sample_once(sigma_squared(of), &mut random));
    }
}

#[test]
fn wide_parts_follow_the_law() {
    let mut random = RecordedRandom::from_seed("gaussian wide_parts_follow_the_law");
    let wide = (1 << 126) - 1;
    for (of, tables) in
        [((wide, 1), false), ((1 << 120, 7), false), ((wide, (1 << 90) + 1), true), ((wide, wide - 1), true), ((1 << 110, 3), true)]
    {
        let sampler = prepared(of);
        assert_eq!(sampler.strips.is_some(), tables);
        assert_law("wide", of, 60_000, || sampler.sample(&mut random));
        assert_law("wide single", of, 20_000, || DiscreteGaussian::sample_once(sampler.sigma_squared(), &mut random));
    }
}

#[test]
fn the_slow_path_alone_follows_the_law() {
    let mut random = RecordedRandom::from_seed("gaussian the_slow_path_alone_follows_the_law");
    for scale in SCALES {
        let (p, q) = squared(scale);
        let strips = prepared((p, q)).strips.unwrap();
        assert_law("slow strips", (p, q), 4_000, || strips.sample::<true, _>(&mut random));
        assert_law("slow single", (p, q), 1_000, || once::gaussian::<true, _>(p, q, &mut random));
    }
}

/// Rows P35 and P36 of the reference: variance and P(0) at sigma^2 = 1 and 1/4.
#[test]
fn moments_at_small_sigma() {
    let mut random = RecordedRandom::from_seed("gaussian moments_at_small_sigma");
    for (of, variance, at_zero) in
        [((1, 1), 0.999_999_788_767_728, 0.398_942_278_266_862), ((1, 4), 0.215_012_675_088_138, 0.786_570_707_041_948)]
    {
        let sigma_squared = of.0 as f64 / of.1 as f64;
        assert!((1.0 / total(sigma_squared) - at_zero).abs() < 1e-12);
        let sampler = prepared(of);
        const DRAWS: f64 = 1_000_000.0;
        let (mut zeros, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for _ in 0..DRAWS as usize {
            let point = sampler.sample(&mut random) as f64;
            zeros += f64::from(point == 0.0);
            sum += point;
            squares += point * point;
        }
        let fourth = (-60..=60).map(|y| f64::from(y).powi(4) * mass(sigma_squared, f64::from(y))).sum::<f64>() * at_zero;
        // 4.9 standard deviations leave 10^-6.
        let near = |found: f64, expected: f64, spread: f64| (found / DRAWS - expected).abs() <= 4.9 * (spread / DRAWS).sqrt();
        assert!(near(zeros, at_zero, at_zero * (1.0 - at_zero)), "{zeros}");
        assert!(near(sum, 0.0, variance), "{sum}");
        assert!(near(squares, variance, fourth - variance * variance), "{squares}");
    }
}

#[test]
fn low_bits_of_large_sigma_are_uniform() {
    let mut random = RecordedRandom::from_seed("gaussian low_bits_of_large_sigma_are_uniform");
    const DRAWS: usize = 100_000;
    for scale in &SCALES[3..] {
        let sampler = prepared(squared(*scale));
        for single in [false, true] {
            let mut counts = [(0.0, DRAWS as f64 / 16.0); 16];
            for _ in 0..DRAWS {
                let point =
                    if single { DiscreteGaussian::sample_once(sampler.sigma_squared(), &mut random) } else { sampler.sample(&mut random) };
                counts[point.rem_euclid(16) as usize].0 += 1.0;
            }
            let statistic = chi_square(&counts);
            assert!(statistic <= chi_square_limit(15.0), "{scale:?} single {single}: {statistic}");
        }
    }
}

#[test]
fn extreme_sigmas_neither_panic_nor_drift() {
    let mut random = RecordedRandom::from_seed("gaussian extreme_sigmas_neither_panic_nor_drift");
    for bits in 4..126_u32 {
        let of = ((1_u128 << bits) + 1, 2);
        let sampler = prepared(of);
        let sigma = (of.0 as f64 / 2.0).sqrt();
        let spread = (0..200).map(|_| sampler.sample(&mut random).unsigned_abs() as f64).sum::<f64>() / 200.0;
        let once = (0..200).map(|_| DiscreteGaussian::sample_once(sampler.sigma_squared(), &mut random).unsigned_abs() as f64);
        let once = once.sum::<f64>() / 200.0;
        // E|Y| = sigma sqrt(2/pi) but for less than 1/sigma; six standard deviations of 0.61 sigma are plenty.
        let (mean, room) = (sigma * (2.0 / std::f64::consts::PI).sqrt(), 6.0 * 0.61 * sigma / 200_f64.sqrt() + 1.0 / sigma);
        assert!((spread - mean).abs() <= room && (once - mean).abs() <= room, "2^{bits}/2: {spread} {once} {mean}");
    }
    let wide = (1 << 126) - 1;
    for q in [200, 1 << 40, (1 << 63) - 1, wide] {
        let sampler = prepared((1, q));
        assert!(
            (0..200).all(|_| sampler.sample(&mut random) == 0 && DiscreteGaussian::sample_once(sampler.sigma_squared(), &mut random) == 0)
        );
    }
    assert!(matches!(SigmaSquared::new(wide + 1, 1), Err(DpError::ScaleLimit { bits: 127 })));
    assert!(matches!(SigmaSquared::new(0, 1), Err(DpError::ScaleZero)));
}

#[test]
fn vectors_are_the_same_draws_one_by_one() {
    let sampler = prepared((9, 2));
    let (mut one, mut all) = (RecordedRandom::from_seed("vectors"), RecordedRandom::from_seed("vectors"));
    let drawn = (0..100).map(|_| sampler.sample(&mut one)).collect::<Vec<_>>();
    let mut filled = [7; 100];
    sampler.fill(&mut filled, &mut all);
    assert_eq!(drawn, filled);
    let mut values = [i128::MAX, i128::MIN, 5];
    sampler.add_noise(&mut values, &mut all);
    assert!(values[0] > i128::MAX - 1_000 && values[1] < i128::MIN + 1_000 && (values[2] - 5).abs() < 1_000);
}

#[test]
fn debug_shows_the_parameter_only() {
    assert_eq!(format!("{:?}", prepared((7, 2))), "DiscreteGaussian { sigma_squared: SigmaSquared(7/2), .. }");
}
