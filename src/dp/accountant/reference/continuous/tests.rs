//! The public vectors of continuous laws.
#![allow(clippy::unwrap_used)]

use super::super::super::plan::Enclosure;
use super::*;

fn laplace(scale: f64, sensitivity: f64) -> ReferenceStep {
    ReferenceStep::laplace(scale, sensitivity).unwrap()
}

fn gaussian(sigma: f64) -> ReferenceStep {
    ReferenceStep::gaussian(sigma, 1.0).unwrap()
}

fn plan(steps: &[(ReferenceStep, u32)]) -> ReferencePlan {
    let mut plan = ReferencePlan::new();
    steps.iter().for_each(|(step, times)| plan.add(step.clone(), *times).unwrap());
    plan
}

/// The bounds hold the truth, which the source gives to `digits`, and the upper one is within the tolerance of it.
fn assert_holds(name: &str, bounds: Enclosure, truth: f64, digits: f64, tolerance: f64) {
    assert!(bounds.low <= truth + digits && truth - digits <= bounds.high, "{name}: {bounds:?} for {truth}");
    assert!(bounds.high <= truth * (1.0 + tolerance), "{name}: {bounds:?} for {truth}");
}

fn assert_upper(name: &str, got: f64, truth: f64, tolerance: f64) {
    assert!(truth <= got && got <= truth * (1.0 + tolerance), "{name}: {got:.16e} for {truth:.16e}");
}

/// Row P1, by the formula and by the composition of three.
#[test]
fn three_gaussians_are_one() {
    assert_upper("P1", gaussian_delta(1.0, 1.0).unwrap(), 0.126_936_737_5, 1e-9);
    assert_upper("P1", gaussian_epsilon(1.0, 0.126_936_737_5).unwrap(), 1.0, 1e-9);
    let three = plan(&[(gaussian(3_f64.sqrt()), 3)]);
    assert_holds("P1", three.delta(1.0).unwrap(), 0.126_936_737_5, 1e-10, 1e-6);
    assert_holds("P1", three.epsilon(0.126_936_737_5).unwrap(), 1.0, 1e-9, 1e-6);
}

/// Rows P2, P3, P6 and P13.
#[test]
fn sampled_laws_and_mixtures() {
    let p2 = plan(&[(gaussian(0.5).sampled(0.2).unwrap(), 3)]);
    // The source's value is itself an upper bound, within 10^-3 of the truth.
    let p2 = p2.delta(1.0).unwrap();
    assert!(0.155_94 * (1.0 - 1e-3) <= p2.low && p2.high <= 0.155_94 && p2.high - p2.low < 1e-7, "P2: {p2:?}");
    let p3 = plan(&[(laplace(0.5, 1.0).sampled(0.2).unwrap(), 3)]);
    assert_holds("P3", p3.epsilon(1e-14).unwrap(), 2.469_64, 5e-6, 1e-5);
    let first = ReferenceStep::mixture(1.0, &[(0.0, 0.2), (1.0, 0.6), (2.0, 0.2)]).unwrap();
    let second = ReferenceStep::mixture(2.0, &[(0.0, 0.33), (2.0, 0.34), (3.0, 0.33)]).unwrap();
    let p6 = plan(&[(first, 3), (second, 2)]).epsilon(1e-6).unwrap();
    assert_holds("P6", p6, 17.193_115, 5e-7, 1e-6);
    let p13 = plan(&[(gaussian(0.673_792_946_82).sampled(0.01).unwrap(), 1)]);
    // mpmath, by the closed form of one step; the source's sigma is 8e-8 above the tight one, relatively.
    assert_holds("P13", p13.delta(1.0).unwrap(), 9.999_988_483_153_54e-6, 1e-17, 1e-9);
    let p13 = |sigma: f64| plan(&[(gaussian(sigma).sampled(0.01).unwrap(), 1)]).delta(1.0).unwrap();
    assert!(p13(0.673_792_9).high <= 1e-5 && p13(0.673_792_8).low > 1e-5);
}

/// Rows P4 and P7 to P9: what keeps to the target, and what does not.
#[test]
fn laplace_laws() {
    let p4 = plan(&[(laplace(1.0, 1.0), 3), (laplace(2.0, 1.0), 2)]);
    assert_holds("P4", p4.epsilon(1e-15).unwrap(), 4.0, 1e-6, 1e-6);
    let p7 = |scale: f64| plan(&[(laplace(scale, 21.0), 10)]).epsilon(1e-15).unwrap();
    assert!(p7(70.0).high <= 3.0 * (1.0 + 1e-9) && p7(69.9).low > 3.0);
    let p8 = |scale: f64| plan(&[(laplace(scale, 1.0), 20)]).epsilon(1e-4).unwrap();
    assert!(p8(13.7).high <= 1.0 && p8(13.5).low > 1.0, "{:?} {:?}", p8(13.7), p8(13.5));
    let p9 = |scale: f64| plan(&[(laplace(scale, 1.0), 500)]).epsilon(1e-4).unwrap();
    assert!(p9(71.1).high <= 1.0 && p9(70.9).low > 1.0, "{:?} {:?}", p9(71.1), p9(70.9));
}

/// Rows P11, P12 and P32: sigma is never below the tight one.
#[test]
fn calibration_of_gaussians() {
    // 0.78760074 is rounded: so is what it asks for.
    let mu = gaussian_mu(1.0, 0.787_600_74).unwrap();
    assert!((1.0 / mu - 1.0 / 3.0).abs() <= 1e-6 / 3.0, "{mu}");
    let twenty_five = 6.0 * 25_f64.sqrt() / mu;
    assert!((twenty_five - 10.0).abs() <= 1e-5, "{twenty_five}");
    for (epsilon, delta, variance) in [(3_f64.ln(), 1e-5, 11.728_312_539_651), (2.0 * 3_f64.ln(), 1e-10, 7.658_668_900_830_7)] {
        let mu = gaussian_mu(epsilon, delta).unwrap();
        assert_upper("P32", 1.0 / mu / mu, variance * (1.0 - 1e-13), 1e-6);
        assert!(gaussian_delta(mu, epsilon).unwrap() <= delta);
    }
}

/// Rows P33 and P34.
#[test]
fn trade_offs() {
    for (rate, power) in [(1e-3, 0.018_298_468), (1e-5, 5.475_314_4e-4), (1e-10, 4.130_322_9e-8)] {
        let got = gaussian_power(1.0, rate).unwrap();
        assert!((got / power - 1.0).abs() <= 3e-8, "P33: {got}");
    }
    for (noise, mu) in [(0.5_f64, 1.348_98), (0.9, 0.251_32), (0.99, 0.025_067)] {
        let epsilon = ((1.0 - noise / 2.0) / (noise / 2.0)).ln();
        let got = gaussian_mu_of_pure(epsilon).unwrap();
        assert!((got / mu - 1.0).abs() <= 2e-5, "P34: {got}");
        // The power at the corner is met, and never passed elsewhere.
        for rate in [1e-6_f64, 0.01, 0.1, 0.3, 0.7, 0.99] {
            let response = (rate * epsilon.exp()).min(1.0 - (1.0 - rate) * (-epsilon).exp());
            assert!(gaussian_power(got, rate).unwrap() >= response, "{noise} {rate}");
        }
    }
}

/// Rows P28 to P31.
#[test]
fn thresholds() {
    let scale = 1.0 / 3_f64.ln();
    for (delta, truth) in [(1e-8, 17.136_30), (1e-4, 8.752_68), (1e-2, 4.560_88)] {
        assert!((laplace_threshold(scale, 1.0, delta, 1).unwrap() - truth).abs() <= 1e-5, "P28: {truth}");
    }
    for (groups, truth) in [(1_u32, 50.0), (2, 100.262), (5, 253.325), (10, 511.959)] {
        let threshold = laplace_threshold(f64::from(groups) * scale, 1.0, 2.089_433_4e-24, groups).unwrap();
        assert!((threshold - truth).abs() <= 1e-3, "P29: {threshold}");
        let back = laplace_threshold_delta(f64::from(groups) * scale, 1.0, threshold, groups).unwrap();
        assert!((back / 2.089_433_4e-24 - 1.0).abs() <= 1e-9, "P29: {back}");
    }
    for (scale, truth) in [(1.0, 2.621_442_8e-22), (10.0, 0.003_723_291_4), (100.0, 0.306_313_19)] {
        let delta = laplace_threshold_delta(scale, 1.0, 50.0, 1).unwrap();
        assert!((delta / truth - 1.0).abs() <= 1e-7, "P30: {delta}");
    }
    for (sigma, delta, groups, truth) in
        [(1.0, 1e-10, 1, 7.361_340_902_404_056), (10.0, 1e-5, 10, 48.534_233_994_218_89), (10.0, 1e-15, 100, 85.937_932_241_095_98)]
    {
        let threshold = gaussian_threshold(sigma, 1.0, delta, groups).unwrap();
        assert!((threshold - truth).abs() <= 1e-12 * truth, "P31: {threshold:.14}");
    }
}

/// Row P40.
#[test]
fn staircase() {
    assert!((staircase_share(1.0).unwrap() - 0.377_540_668_798).abs() <= 1e-12);
    assert_upper("P40", staircase_error(1.0).unwrap(), 0.959_517_375_666_9, 1e-10);
    // The expected error of the law itself: steps of height exp(-k epsilon) over [k, k + gamma) and exp(-(k + 1) epsilon)
    // over [k + gamma, k + 1).
    let (epsilon, gamma) = (1.0_f64, staircase_share(1.0).unwrap());
    let halves = |from: f64, to: f64| (to * to - from * from) / 2.0;
    let (mut mass, mut mean) = (0.0, 0.0);
    for k in 0..60 {
        let (k, height) = (f64::from(k), (-epsilon * f64::from(k)).exp());
        let low = height * (-epsilon).exp();
        mass += height * gamma + low * (1.0 - gamma);
        mean += height * halves(k, k + gamma) + low * halves(k + gamma, k + 1.0);
    }
    assert!((mean / mass - staircase_error(epsilon).unwrap()).abs() <= 1e-12);
}

/// Against the discrete laws of the plan on a grid of a thousandth, which are near.
#[test]
fn discrete_laws_on_a_fine_grid_are_near() {
    use super::super::super::plan::{CompositionPlan, CompositionStep, PoissonSample};
    use crate::dp::SigmaSquared;
    let step = CompositionStep::gaussian(SigmaSquared::new(4_000_000, 1).unwrap(), 1_000).unwrap();
    let mut discrete = CompositionPlan::new();
    discrete.add(step.sampled(PoissonSample::new(1, 4).unwrap()).unwrap(), 5).unwrap();
    let continuous = plan(&[(gaussian(2.0).sampled(0.25).unwrap(), 5)]);
    for epsilon in [0.1, 0.5, 1.0] {
        let (one, other) = (discrete.delta(epsilon).unwrap(), continuous.delta(epsilon).unwrap());
        assert!((one.high / other.high - 1.0).abs() < 1e-3 && (one.low / other.low - 1.0).abs() < 1e-3, "{one:?} {other:?}");
    }
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(gaussian_delta(wrong, 1.0), Err(AccountantError::Parameter { what: "mu" }));
        assert_eq!(gaussian_mu(wrong, 0.1), Err(AccountantError::Parameter { what: "epsilon" }));
        assert!(ReferenceStep::gaussian(1.0, wrong).is_err() && gaussian(1.0).sampled(wrong).is_err());
        assert!(staircase_error(wrong).is_err() && laplace_threshold(1.0, wrong, 0.1, 1).is_err());
    }
    assert_eq!(gaussian_power(1.0, 1.0), Err(AccountantError::Delta));
    assert!(staircase_error(0.0).is_err() && gaussian_threshold(1.0, 1.0, 0.1, 0).is_err());
    assert!(ReferenceStep::mixture(1.0, &[(1.0, 0.5)]).is_err() && ReferenceStep::mixture(1.0, &[(0.0, 1.0)]).is_err());
    assert!(laplace_threshold_delta(1.0, 5.0, 4.0, 1).is_err());
    // Nothing overflows at the ends.
    for (mu, epsilon) in [(1e-300, 1e300), (1e300, 1.0), (1e-5, 700.0), (50.0, 1_000.0)] {
        let delta = gaussian_delta(mu, epsilon).unwrap();
        assert!((0.0..=1.0 + 1e-300).contains(&delta), "{mu} {epsilon}: {delta}");
    }
}
