//! The checks that a single replay decides: claims, account, sensitivity, the same randomness on both sides, order.

use super::law::variance;
use super::{Claim, Noise, Norm, Subject, Violation};
use crate::budget::{Delta, Loss};
use crate::dp::accountant::zcdp;
use crate::random::RecordedRandom;

/// Seeds of a replay: each draws afresh, so a fault that shows in one of two draws stays hidden with 2^-32.
const SEEDS: u32 = 32;
/// Units of epsilon, rho and delta.
const UNITS: f64 = 1e12;
const DELTA_UNITS: f64 = 1e18;
/// Of the account in floating point, relative.
const ROUNDING: f64 = 1e-9;

/// Whether two sides claim the same.
pub(super) fn claims(left: &[Claim], right: &[Claim]) -> Vec<Violation> {
    if left.len() != right.len() {
        return vec![differs(left.len().min(right.len()), "the number", left.len(), right.len())];
    }
    let pairs = left.iter().zip(right).enumerate();
    pairs
        .flat_map(|(step, (left, right))| {
            let length =
                (left.exact.len() != right.exact.len()).then(|| differs(step, "the number of values", left.exact.len(), right.exact.len()));
            let name = (left.name != right.name).then(|| differs(step, "the name", &left.name, &right.name));
            let share = (left.share != right.share).then(|| differs(step, "the share", left.share, right.share));
            let noise = (left.noise != right.noise).then(|| differs(step, "the noise", debug(left.noise), debug(right.noise)));
            let claim = |claim: &Claim| (claim.sensitivity, claim.squared_sensitivity, claim.chosen);
            let sensitivity =
                (claim(left) != claim(right)).then(|| differs(step, "the sensitivity", debug(claim(left)), debug(claim(right))));
            [length, name, share, noise, sensitivity].into_iter().flatten()
        })
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "callers hand over what is printed")]
fn differs(step: usize, part: &'static str, left: impl ToString, right: impl ToString) -> Violation {
    Violation::Claims { step, part, left: left.to_string(), right: right.to_string() }
}

fn debug(value: impl std::fmt::Debug) -> String {
    format!("{value:?}")
}

/// Whether each step costs no more than its share, and all no more than the whole. The share of a choice is taken on its word.
pub(super) fn account(claims: &[Claim], claimed: Loss) -> Vec<Violation> {
    let shares = claims.iter().filter_map(|claim| {
        let (share, needed) = (amount(claim.share), cost(claim)?);
        (needed > share * (1.0 + ROUNDING)).then(|| Violation::Share { step: claim.name.clone(), share, needed })
    });
    let mut faults: Vec<_> = shares.collect();
    let whole = claims.iter().try_fold(Loss::zero(claimed.model()), |sum, claim| sum.checked_add(&claim.share));
    if !whole.is_ok_and(|sum| sum.fits_in(&claimed)) {
        faults.push(Violation::Whole { claimed: claimed.to_string() });
    }
    faults
}

fn amount(loss: Loss) -> f64 {
    match loss {
        Loss::Approx { epsilon, .. } => epsilon.units() as f64 / UNITS,
        Loss::Zcdp { rho, .. } => rho.units() as f64 / UNITS,
    }
}

/// What noise of this law and sensitivity costs in the model of its share; nothing for a choice.
fn cost(claim: &Claim) -> Option<f64> {
    let sensitivity = claim.sensitivity as f64;
    let (epsilon, rho) = match claim.noise {
        Noise::Laplace(scale) | Noise::Bounded { scale, .. } => {
            let epsilon = sensitivity * scale.denominator() as f64 / scale.numerator() as f64;
            (epsilon, epsilon * epsilon / 2.0)
        }
        Noise::Gaussian(sigma_squared) => {
            let squared = claim.squared_sensitivity.map_or(sensitivity * sensitivity, |squared| squared as f64);
            let rho = squared / (2.0 * variance(sigma_squared));
            let epsilon = zcdp::epsilon(rho, delta_of(claim.share)).unwrap_or(f64::INFINITY);
            (if rho == 0.0 { 0.0 } else { epsilon }, rho)
        }
        Noise::Choice => return None,
    };
    // What leaves the range on one side only, at least: the outermost points by the sensitivity.
    if let Noise::Bounded { scale, bound } = claim.noise {
        let power = |steps: f64| (-steps * scale.denominator() as f64 / scale.numerator() as f64).exp();
        let bound = bound as f64;
        let missed = (power(bound - sensitivity) - power(bound)) / ((1.0 + power(1.0)) * (1.0 - power(bound)));
        if missed > delta_of(claim.share) * (1.0 + ROUNDING) {
            return Some(f64::INFINITY);
        }
    }
    Some(if matches!(claim.share, Loss::Approx { .. }) { epsilon } else { rho })
}

pub(super) fn delta_of(loss: Loss) -> f64 {
    let (Loss::Approx { delta, .. } | Loss::Zcdp { delta, .. }) = loss;
    if delta == Delta::ZERO { 0.0 } else { delta.units() as f64 / DELTA_UNITS }
}

/// Whether exact values differ by no more than is claimed.
pub(super) fn sensitivity(left: &[Claim], right: &[Claim]) -> Vec<Violation> {
    left.iter()
        .zip(right)
        .flat_map(|(left, right)| {
            let distances: Vec<u128> = left.exact.iter().zip(&right.exact).map(|(left, right)| left.abs_diff(*right)).collect();
            let squares = distances.iter().map(|distance| distance.saturating_mul(*distance));
            let found = [
                (Norm::L1, Some(left.sensitivity.min(right.sensitivity)), total(&distances, left)),
                (Norm::SquaredL2, left.squared_sensitivity.or(right.squared_sensitivity), total(&squares.collect::<Vec<_>>(), left)),
            ];
            let name = &left.name;
            let fault = |(norm, claimed, found): (Norm, Option<u128>, u128)| {
                let claimed = claimed.filter(|claimed| found > *claimed)?;
                Some(Violation::Sensitivity { step: name.clone(), norm, claimed, found })
            };
            found.into_iter().filter_map(fault).collect::<Vec<_>>()
        })
        .collect()
}

/// The sum of distances, of the groups that differ most where not all leave.
fn total(distances: &[u128], claim: &Claim) -> u128 {
    let sum = |distances: &[u128]| distances.iter().fold(0_u128, |sum, distance| sum.saturating_add(*distance));
    let Some(chosen) = claim.chosen else { return sum(distances) };
    let mut groups: Vec<u128> = distances.chunks(chosen.slots.max(1)).map(sum).collect();
    groups.sort_unstable_by(|a, b| b.cmp(a));
    sum(&groups[..chosen.groups.min(groups.len())])
}

/// The places of the numbers with noise that are released before the first choice, with their exact value on each side; after a
/// choice the words that are left may differ.
struct Fixed {
    place: usize,
    step: usize,
    exact: (i128, i128),
}

/// Whether the same randomness gives the same noise on both sides.
pub(super) fn replay<S: Subject>(subject: &S, sides: (&S::Data, &S::Data), claims: (&[Claim], &[Claim]), seed: &str) -> Vec<Violation> {
    let additive: usize = claims.0.iter().filter(|claim| claim.is_noise()).map(|claim| claim.exact.len()).sum();
    let steps = claims.0.iter().zip(claims.1).enumerate();
    let fixed = steps
        .take_while(|(_, (claim, _))| claim.is_noise())
        .flat_map(|(step, (left, right))| left.exact.iter().zip(&right.exact).map(move |(left, right)| (step, (*left, *right))));
    let fixed: Vec<_> = fixed.enumerate().map(|(place, (step, exact))| Fixed { place, step, exact }).collect();
    let all = claims.0.iter().all(Claim::is_noise);
    for at in 0..SEEDS {
        let release = |data| {
            let mut random = RecordedRandom::from_seed(&format!("{seed}: replay {at}"));
            let out = subject.release(data, &mut random);
            (out, random.drawn())
        };
        let ((left, left_words), (right, right_words)) = (release(sides.0), release(sides.1));
        let faults = compare(claims.0, &fixed, (&left, &right), additive);
        if !faults.is_empty() {
            return faults;
        }
        if all && left_words != right_words {
            return vec![Violation::Words { left: left_words, right: right_words }];
        }
    }
    Vec::new()
}

/// The first thing that differs.
fn compare(claims: &[Claim], fixed: &[Fixed], (left, right): (&[Option<i128>], &[Option<i128>]), additive: usize) -> Vec<Violation> {
    if left.len() != right.len() {
        return vec![Violation::Places { needed: left.len(), found: right.len() }];
    }
    if left.len() < additive {
        return vec![Violation::Places { needed: additive, found: left.len() }];
    }
    let fault = |Fixed { place, step, exact }: &Fixed| match (left[*place], right[*place]) {
        (Some(left), Some(right)) => {
            let (left, right) = (left.wrapping_sub(exact.0), right.wrapping_sub(exact.1));
            (left != right).then(|| Violation::Noise { step: claims[*step].name.clone(), place: *place, left, right })
        }
        (None, None) => None,
        _ => Some(Violation::Filled { place: *place }),
    };
    fixed.iter().find_map(fault).into_iter().collect()
}

/// Whether the same data in another order are the same.
pub(super) fn order<S: Subject>(subject: &S, left: &S::Data, right: &S::Data, seed: &str) -> Vec<Violation> {
    if subject.steps(left) != subject.steps(right) {
        return vec![Violation::Order { part: "the exact values" }];
    }
    let release = |data, at: u32| subject.release(data, &mut RecordedRandom::from_seed(&format!("{seed}: order {at}")));
    let differs = (0..SEEDS).any(|at| release(left, at) != release(right, at));
    differs.then_some(Violation::Order { part: "what is released" }).into_iter().collect()
}
