//! Choices against exact probabilities; each comparison has a false-alarm rate below 10^-6.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::random::RecordedRandom;

const SCORES: [i128; 4] = [3, 0, 3, 5];

fn selection(change: Change) -> Selection {
    Selection::new(2, Epsilon::parse("1.5").unwrap(), change).unwrap()
}

/// epsilon / (c sensitivity).
fn rate(change: Change) -> f64 {
    1.5 / (2.0 * change.apart() as f64)
}

fn assert_frequencies(name: &str, expected: &[f64], mut draw: impl FnMut() -> usize) {
    const DRAWS: u32 = 60_000;
    assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{name}: {expected:?}");
    let mut found = vec![0.0; expected.len()];
    (0..DRAWS).for_each(|_| found[draw()] += 1.0);
    let parts =
        found.iter().zip(expected).map(|(found, expected)| (found - expected * f64::from(DRAWS)).powi(2) / (expected * f64::from(DRAWS)));
    let (statistic, freedom) = (parts.sum::<f64>(), expected.len() as f64 - 1.0);
    assert!(statistic < freedom + 2.0 * (freedom * 13.82).sqrt() + 2.0 * 13.82, "{name}: {statistic} {found:?} {expected:?}");
}

fn softmax(rate: f64, scores: &[i128]) -> Vec<f64> {
    let weights = scores.iter().map(|score| (rate * *score as f64).exp()).collect::<Vec<_>>();
    let total = weights.iter().sum::<f64>();
    weights.iter().map(|weight| weight / total).collect()
}

#[test]
fn the_exponential_mechanism_follows_its_weights() {
    let mut random = RecordedRandom::from_seed("the_exponential_mechanism_follows_its_weights");
    for change in [Change::Any, Change::Monotone] {
        assert_frequencies("exponential", &softmax(rate(change), &SCORES), || selection(change).exponential(&SCORES, &mut random).unwrap());
    }
}

/// The probability that each candidate is chosen from those in `left`.
fn flips(keep: &[f64], left: &[usize], reached: f64, chosen: &mut [f64]) {
    for (place, at) in left.iter().enumerate() {
        let visited = reached / left.len() as f64;
        chosen[*at] += visited * keep[*at];
        let rest = left.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, at)| *at).collect::<Vec<_>>();
        flips(keep, &rest, visited * (1.0 - keep[*at]), chosen);
    }
}

#[test]
fn permute_and_flip_follows_all_orders() {
    let mut random = RecordedRandom::from_seed("permute_and_flip_follows_all_orders");
    for change in [Change::Any, Change::Monotone] {
        let keep = SCORES.map(|score| (rate(change) * (score - 5) as f64).exp());
        let mut expected = [0.0; 4];
        flips(&keep, &[0, 1, 2, 3], 1.0, &mut expected);
        assert_frequencies("flip", &expected, || selection(change).permute_and_flip(&SCORES, &mut random).unwrap());
        // Never behind in expected score.
        let mean = |law: &[f64]| law.iter().zip(SCORES).map(|(p, score)| p * score as f64).sum::<f64>();
        assert!(mean(&expected) >= mean(&softmax(rate(change), &SCORES)));
    }
}

#[test]
fn noisy_max_follows_the_sum_over_its_noise() {
    let mut random = RecordedRandom::from_seed("noisy_max_follows_the_sum_over_its_noise");
    for change in [Change::Any, Change::Monotone] {
        let rate = rate(change);
        let law = |y: i128| (rate / 2.0).tanh() * (-rate * y.abs() as f64).exp();
        let below = |y: i128| (-200..y).map(law).sum::<f64>();
        // The first of equals wins.
        let expected = (0..4).map(|at| {
            let others = |noisy: i128| {
                (0..4).filter(|other| *other != at).map(|other| below(noisy - SCORES[other] + i128::from(other > at))).product::<f64>()
            };
            (-100..=100).map(|y| law(y) * others(SCORES[at] + y)).sum::<f64>()
        });
        assert_frequencies("noisy max", &expected.collect::<Vec<_>>(), || selection(change).noisy_max(&SCORES, &mut random).unwrap());
    }
}

#[test]
fn top_k_peels() {
    let mut random = RecordedRandom::from_seed("top_k_peels");
    let first = softmax(rate(Change::Any), &SCORES);
    let mut expected = [0.0; 16];
    for one in 0..4 {
        for other in (0..4).filter(|other| *other != one) {
            expected[4 * one + other] = first[one] * first[other] / (1.0 - first[one]);
        }
    }
    let pairs = (0..16).filter(|pair| expected[*pair] > 0.0).collect::<Vec<_>>();
    let law = pairs.iter().map(|pair| expected[*pair]).collect::<Vec<_>>();
    assert_frequencies("top k", &law, || {
        let chosen = selection(Change::Any).top_k(&SCORES, 2, &mut random).unwrap();
        pairs.iter().position(|pair| *pair == 4 * chosen[0] + chosen[1]).unwrap()
    });
    let mut all = selection(Change::Any).top_k(&SCORES, 4, &mut random).unwrap();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
}

#[test]
fn extremes_and_wrong_parameters() {
    let mut random = RecordedRandom::from_seed("extremes_and_wrong_parameters");
    let any = selection(Change::Any);
    let far = [i128::MIN, i128::MAX, 0];
    assert_eq!(any.exponential(&far, &mut random), Ok(1));
    assert_eq!(any.permute_and_flip(&far, &mut random), Ok(1));
    assert_eq!(any.noisy_max(&far, &mut random), Ok(1));
    let none = DpError::Candidates { needed: 1, found: 0 };
    assert_eq!(any.exponential(&[], &mut random), Err(none));
    assert_eq!(any.permute_and_flip(&[], &mut random), Err(none));
    assert_eq!(any.noisy_max(&[], &mut random), Err(none));
    assert_eq!(any.top_k(&SCORES, 0, &mut random), Err(DpError::Candidates { needed: 1, found: 4 }));
    assert_eq!(any.top_k(&SCORES, 5, &mut random), Err(DpError::Candidates { needed: 5, found: 4 }));
    assert_eq!(Selection::new(0, Epsilon::MAX, Change::Any), Err(DpError::SensitivityZero));
    assert_eq!(Selection::new(1, Epsilon::ZERO, Change::Any), Err(DpError::EpsilonZero));
    let widest = Selection::new(u64::MAX, Epsilon::MAX, Change::Any).unwrap();
    assert!(widest.exponential(&far, &mut random).is_ok() && widest.bounded_range_rho().is_none());
    assert_eq!(any.bounded_range_rho(), Some(Rho::parse("0.28125").unwrap()));
}
