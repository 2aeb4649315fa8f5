//! Public vectors, brute force, and the sizes of the bounds.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::dp::{Scale, SigmaSquared};

fn laplace(scale: u128, sensitivity: u64) -> CompositionStep {
    CompositionStep::laplace(Scale::new(scale, 1).unwrap(), sensitivity).unwrap()
}

fn gaussian(sigma_squared: u128, sensitivity: u64) -> CompositionStep {
    CompositionStep::gaussian(SigmaSquared::new(sigma_squared, 1).unwrap(), sensitivity).unwrap()
}

fn approximate(epsilon: &str, delta: &str) -> CompositionStep {
    CompositionStep::approximate(Epsilon::parse(epsilon).unwrap(), Delta::parse(delta).unwrap())
}

fn sample(numerator: u32, denominator: u32) -> PoissonSample {
    PoissonSample::new(numerator, denominator).unwrap()
}

fn plan(steps: &[(CompositionStep, u32)]) -> CompositionPlan {
    let mut plan = CompositionPlan::new();
    steps.iter().for_each(|(step, times)| plan.add(*step, *times).unwrap());
    plan
}

/// Enclosure around the source's value, which is that of a continuous law and rounded; the upper one within the tolerance.
fn assert_around(name: &str, bounds: Enclosure, truth: f64, tolerance: f64) {
    assert!(bounds.low <= truth * (1.0 + 1e-4), "{name}: {bounds:?} above {truth}");
    assert!(truth * (1.0 - 1e-4) <= bounds.high && bounds.high <= truth * (1.0 + tolerance), "{name}: {bounds:?} for {truth}");
}

/// Rows P1 to P5 of the reference; continuous laws as discrete ones on a grid of a thousandth.
#[test]
fn public_vectors_of_distributions() {
    let p1 = plan(&[(gaussian(3_000_000, 1_000), 3)]);
    assert_around("P1", p1.delta(1.0).unwrap(), 0.126_936_737_5, 1e-3);
    assert_around("P1", p1.epsilon(0.126_936_737_5).unwrap(), 1.0, 1e-3);
    let p2 = plan(&[(gaussian(250_000, 1_000).sampled(sample(1, 5)).unwrap(), 3)]);
    assert_around("P2", p2.delta(1.0).unwrap(), 0.155_94, 1e-3);
    let p3 = plan(&[(laplace(500, 1_000).sampled(sample(1, 5)).unwrap(), 3)]);
    assert_around("P3", p3.epsilon(1e-14).unwrap(), 2.469_64, 1e-3);
    let p4 = plan(&[(laplace(1_000, 1_000), 3), (laplace(2_000, 1_000), 2)]);
    assert_around("P4", p4.epsilon(1e-15).unwrap(), 4.0, 1e-6);
    let p5 = plan(&[(approximate("1", "0.1"), 1), (approximate("2", "0.2"), 1)]);
    assert_around("P5", p5.delta(3.0).unwrap(), 0.28, 1e-9);
    assert_around("P5", p5.epsilon(0.28 + 1e-9).unwrap(), 3.0, 1e-9);
}

/// Rows P7 to P10: the noise that keeps to a target, which a little less does not.
#[test]
fn public_vectors_of_calibration() {
    let p7 = |scale: u128| plan(&[(laplace(scale, 21), 10)]).epsilon(1e-15).unwrap();
    assert!(p7(70).high <= 3.0 + 1e-6 && p7(69).low > 3.0);
    let p8 = |scale: u128| plan(&[(laplace(scale, 1_000), 20)]).epsilon(1e-4).unwrap();
    assert!(p8(13_700).high <= 1.0 && p8(13_500).low > 1.0, "{:?} {:?}", p8(13_700), p8(13_500));
    let p9 = |scale: u128| plan(&[(laplace(scale, 1_000), 500)]).epsilon(1e-4).unwrap();
    assert!(p9(71_100).high <= 1.0 && p9(70_900).low > 1.0, "{:?} {:?}", p9(71_100), p9(70_900));
    let p10 = |a: u128| plan(&[(CompositionStep::laplace(Scale::new(10_000, a).unwrap(), 1).unwrap(), 20)]).epsilon(1e-4).unwrap();
    assert!(p10(720).high <= 1.0 && p10(740).low > 1.0, "{:?} {:?}", p10(720), p10(740));
}

/// Row P13: sigma 0.67379294682, sampled at 1 %, has a delta of 10^-5 at epsilon 1.
#[test]
fn public_vector_of_a_sampled_gaussian() {
    let step = CompositionStep::gaussian(SigmaSquared::new(453_996_935, 1_000).unwrap(), 1_000).unwrap();
    let p13 = plan(&[(step.sampled(sample(1, 100)).unwrap(), 1)]);
    assert_around("P13", p13.delta(1.0).unwrap(), 1e-5, 1e-3);
}

/// delta of k mechanisms of pure epsilon, by Kairouz, Oh, Viswanath, term by term. Row P38.
#[test]
fn pure_steps_meet_the_optimal_composition() {
    let exact = |k: i32, each: f64, epsilon: f64| {
        let mut choose = 1.0;
        let mut sum = 0.0;
        for l in 0..=k {
            sum += choose * (f64::from(k - l) * each).exp() * (-(epsilon - f64::from(k - 2 * l) * each).min(0.0).exp_m1()).max(0.0);
            choose *= f64::from(k - l) / f64::from(l + 1);
        }
        sum / (1.0 + each.exp()).powi(k)
    };
    for (k, each, text) in [(50_i32, 0.1, "0.1"), (30, 0.37, "0.37"), (5, 1.0, "1"), (200, 0.013, "0.013")] {
        let plan = plan(&[(CompositionStep::pure(Epsilon::parse(text).unwrap()), k.unsigned_abs())]);
        for epsilon in [0.0, 0.4, 1.3, 2.9] {
            let (bounds, truth) = (plan.delta(epsilon).unwrap(), exact(k, each, epsilon));
            assert!(bounds.low <= truth + 1e-9 && truth <= bounds.high, "{k} {each} {epsilon}: {bounds:?} {truth}");
            assert!(bounds.high - bounds.low <= 2e-3 * truth + 1e-10, "{k} {each} {epsilon}: {bounds:?} {truth}");
        }
    }
    let p38 = plan(&[(CompositionStep::pure(Epsilon::parse("0.1").unwrap()), 50)]).epsilon(1e-6).unwrap();
    assert!(p38.low <= 3.172_902_734_019_19 && 3.172_902_734_019_19 <= p38.high && p38.high < 3.174, "{p38:?}");
}

/// The transform and the direct sum say the same.
#[test]
fn both_ways_of_summing_agree() {
    let steps = [(laplace(7, 3), 4), (gaussian(50, 2), 3), (approximate("0.3", "0.000001").sampled(sample(3, 10)).unwrap(), 5)];
    let many = [&steps[..], &[(laplace(1_000_000, 1), 60_000)]].concat();
    let (few, many) = (plan(&steps), plan(&many));
    // 60,000 steps of 10^-6 move the sum by a hair: 0.06 at the very most, and they force the transform.
    for epsilon in [0.5, 1.0, 2.5] {
        let (few, many) = (few.delta(epsilon).unwrap(), many.delta(epsilon - 0.06).unwrap());
        assert!(many.high >= few.low, "{few:?} {many:?}");
    }
    let (few, many) = (few.delta(1.0).unwrap(), many.delta(1.0).unwrap());
    assert!((many.high / few.high - 1.0).abs() < 1e-2 && (many.low / few.low - 1.0).abs() < 1e-2, "{few:?} {many:?}");
}

/// The goal: 1,000 steps of 50 different discrete mechanisms, bounds within 10^-3.
#[test]
fn a_thousand_steps_are_bounded_within_a_thousandth() {
    let steps = (0..50_u32).map(|at| match at % 3 {
        0 => (laplace((30 + at).into(), 1), 20),
        1 => (gaussian((2_000 + 100 * at).into(), 1 + u64::from(at % 2)), 20),
        _ => (approximate(&format!("0.0{}", 10 + at), "0"), 20),
    });
    let plan = plan(&steps.collect::<Vec<_>>());
    let bounds = plan.epsilon(1e-6).unwrap();
    assert!(bounds.high - bounds.low <= 1e-3 && bounds.low > 2.0, "{bounds:?}");
}

#[test]
fn less_memory_makes_wider_bounds_or_an_error() {
    let fill = |mut plan: CompositionPlan| {
        plan.add(gaussian(400, 3), 2_000).unwrap();
        plan
    };
    let (wide, narrow) =
        (fill(CompositionPlan::within(3 << 17)).epsilon(1e-6).unwrap(), fill(CompositionPlan::new()).epsilon(1e-6).unwrap());
    assert!(wide.low <= narrow.low + 1e-9 && narrow.high <= wide.high, "{wide:?} {narrow:?}");
    assert!(matches!(fill(CompositionPlan::within(1_000)).epsilon(1e-6), Err(AccountantError::Limit { .. })));
}

/// Where the transform has no digits left, bounds are still finite, ordered, and near those by divergences.
#[test]
fn tiny_deltas_are_bounded() {
    use crate::dp::accountant::reference::rdp::RdpPlan;
    for (steps, deltas) in [
        (vec![(laplace(20, 1), 1_000), (gaussian(400, 3), 100)], &[1e-6, 1e-10, 1e-12, 1e-14, 1e-18][..]),
        (vec![(laplace(20, 1), 1_000)], &[1e-9, 1e-18, 1e-30, 1e-100, 1e-200, 1e-300]),
    ] {
        let (plan, mut rdp) = (plan(&steps), RdpPlan::new());
        steps.iter().for_each(|(step, times)| rdp.add(*step, *times).unwrap());
        let mut before = 0.0;
        for delta in deltas {
            let (bounds, by_divergences) = (plan.epsilon(*delta).unwrap(), rdp.epsilon(*delta).unwrap());
            assert!(bounds.low <= by_divergences && bounds.high <= 1.1 * by_divergences, "{delta}: {bounds:?} {by_divergences}");
            assert!(before < bounds.high && bounds.low <= bounds.high && plan.delta(bounds.high).unwrap().low <= *delta, "{delta}");
            before = bounds.high;
        }
    }
    // What the tails of a Gaussian are cut at has no epsilon.
    assert!(matches!(plan(&[(gaussian(400, 3), 100)]).epsilon(1e-30), Err(AccountantError::Limit { what: "epsilon" })));
    // One step keeps every digit.
    let one = plan(&[(laplace(3, 1), 3)]).epsilon(1e-300).unwrap();
    assert!(one.low <= 1.0 && 1.0 <= one.high && one.high - one.low < 1e-9, "{one:?}");
}

/// Large losses, and losses of very different sizes: a bound or a clean error, within the memory.
#[test]
fn large_epsilons_and_thin_memory_end_cleanly() {
    for (steps, memory) in [
        (vec![(approximate("1000", "0"), 10)], 1 << 20),
        (vec![(approximate("1000", "0"), 1_000), (laplace(100, 1), 100_000)], 1 << 28),
        (vec![(approximate("1000000", "0"), 1 << 20)], 1 << 28),
        (vec![(laplace(1, 1 << 20), 3)], 1 << 20),
        // Epsilon 0.01, where others needed tens of gigabytes.
        (vec![(laplace(100, 1), 1)], 1 << 20),
        (vec![(laplace(100, 1), 1 << 23)], 1 << 24),
    ] {
        let mut plan = CompositionPlan::within(memory);
        steps.iter().for_each(|(step, times)| plan.add(*step, *times).unwrap());
        match plan.epsilon(1e-9) {
            Ok(bounds) => assert!(0.0 <= bounds.low && bounds.low <= bounds.high && bounds.high.is_finite(), "{steps:?}: {bounds:?}"),
            Err(error) => assert!(matches!(error, AccountantError::Limit { .. }), "{steps:?}: {error}"),
        }
    }
}

#[test]
fn a_sealed_plan_costs_what_its_bound_says() {
    let plan = plan(&[(laplace(20, 1), 100)]);
    let delta = Delta::parse("0.000001").unwrap();
    let Loss::Approx { epsilon, delta: charged } = plan.seal(delta).unwrap() else { panic!("approx") };
    assert_eq!(charged, delta);
    assert!(epsilon.units() as f64 / 1e12 >= plan.epsilon(1e-6).unwrap().low);
    assert_eq!(
        CompositionPlan::new().seal(delta).unwrap(),
        Loss::pure(Epsilon::ZERO).checked_add(&Loss::Approx { epsilon: Epsilon::ZERO, delta }).unwrap()
    );
    assert!(matches!(plan.seal(Delta::ZERO), Err(AccountantError::Delta)));
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    assert!(laplace(1, 1).sampled(sample(1, 2)).unwrap().sampled(sample(1, 2)).is_err());
    assert!(CompositionStep::laplace(Scale::new(1, 1).unwrap(), 0).is_err());
    assert!(CompositionStep::laplace(Scale::new(1 << 40, 1).unwrap(), 1).is_err());
    assert!(CompositionStep::gaussian(SigmaSquared::new(1 << 60, 1).unwrap(), 1).is_err());
    let plan = plan(&[(approximate("1", "0.5"), 1)]);
    assert!(matches!(plan.epsilon(0.1), Err(AccountantError::Limit { what: "epsilon" })));
    assert!(matches!(plan.epsilon(f64::NAN), Err(AccountantError::Delta)));
    assert!(matches!(plan.delta(f64::INFINITY), Err(AccountantError::Parameter { .. })));
    assert!(matches!(CompositionPlan::new().add(laplace(1, 1), u32::MAX), Err(AccountantError::Limit { .. })));
    // A step without protection costs what it is.
    let mut bare = CompositionPlan::new();
    bare.add(CompositionStep::pure(Epsilon::MAX), 1).unwrap();
    assert!(matches!(bare.epsilon(1e-6), Err(AccountantError::Limit { .. })));
}
