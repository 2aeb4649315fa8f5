//! Public vectors, the continuous formulas beside the discrete sums, and the plan as a tighter account.
#![allow(clippy::unwrap_used)]

use super::super::super::plan::{CompositionPlan, PoissonSample};
use super::super::super::zcdp;
use super::*;
use crate::budget::Epsilon;
use crate::dp::{Scale, SigmaSquared};

fn laplace(scale: u128, sensitivity: u64) -> CompositionStep {
    CompositionStep::laplace(Scale::new(scale, 1).unwrap(), sensitivity).unwrap()
}

fn gaussian(sigma_squared: u128, sensitivity: u64) -> CompositionStep {
    CompositionStep::gaussian(SigmaSquared::new(sigma_squared, 1).unwrap(), sensitivity).unwrap()
}

fn sample(numerator: u32, denominator: u32) -> PoissonSample {
    PoissonSample::new(numerator, denominator).unwrap()
}

fn curve(step: CompositionStep, orders: &[f64]) -> Vec<f64> {
    let mut plan = RdpPlan::over(orders).unwrap();
    plan.add(step, 1).unwrap();
    plan.curve().iter().map(|(_, sum)| *sum).collect()
}

fn assert_upper(name: &str, got: f64, truth: f64, tolerance: f64) {
    assert!(truth <= got && got <= truth * (1.0 + tolerance), "{name}: {got:.13e} for {truth:.13e}");
}

/// Row P16: the divergence of a Gaussian at its orders from 1.001 to 99.999.
#[test]
fn public_vector_of_a_gaussian() {
    let orders = (1_001..100_000_u32).map(|order| f64::from(order) / 1_000.0).collect::<Vec<_>>();
    let mut plan = RdpPlan::over(&orders).unwrap();
    let sigma = 4.530_877_117_f64;
    plan.add_bound(|order| order / (2.0 * sigma * sigma), 1).unwrap();
    // sigma is rounded at the tenth digit.
    assert!((plan.epsilon(1e-6).unwrap() - 1.0).abs() <= 1e-7 && (plan.delta(1.0).unwrap() / 1e-6 - 1.0).abs() <= 1e-7);
}

/// Row P17, on a grid of a hundredth of the sensitivity: the sum of an analytic function is its integral but for
/// exp(-2 pi^2 sigma^2), so the same digits are there. At the orders 1.5 and 2.5 the source has upper bounds,
/// 6.70579741e-4 and 1.08548710e-3; the integrals are by mpmath.
#[test]
fn public_vector_of_a_sampled_gaussian() {
    let orders = [1.5, 2.5, 5.0, 50.0, 100.0];
    let mut plan = RdpPlan::over(&orders).unwrap();
    plan.add(gaussian(250 * 250, 100).sampled(sample(1, 100)).unwrap(), 50).unwrap();
    let truths = [6.500_707_189e-4, 1.085_418_057e-3, 2.180_756_56e-3, 2.384_603_75e-2, 167.416_308];
    for ((order, got), truth) in plan.curve().iter().zip(truths) {
        assert_upper(&format!("P17 at {order}"), *got, truth * (1.0 - 3e-9), 1e-4);
        // At whole orders there is a closed form: the sum of C(n, k) (1 - q)^(n - k) q^k exp((k^2 - k) / (2 sigma^2)).
        if order.fract() == 0.0 {
            let (mut log, mut sum) = (order * 0.99_f64.ln(), 0.0);
            let mut k = 0.0;
            while k <= *order {
                sum += (log + (k * k - k) / 12.5).exp();
                log += ((order - k) / (k + 1.0) * 0.01 / 0.99).ln();
                k += 1.0;
            }
            assert!((got / (50.0 * sum.ln() / (order - 1.0)) - 1.0).abs() < 1e-6, "{order}: {got}");
        }
    }
}

/// Row P18: a constant.
#[test]
fn public_vector_of_a_constant() {
    let mut plan = RdpPlan::over(&(2..=32_u32).map(f64::from).collect::<Vec<_>>()).unwrap();
    plan.add_bound(|_| 1.1, 1).unwrap();
    assert_upper("P18", plan.epsilon(1e-5).unwrap(), 1.327_838_061_755, 1e-7);
}

/// Row P19: randomised response that replaces one of ten answers by a uniform one with probability 0.1. Replacing a unit
/// compares two answers, a special value compares one with a uniform one.
#[test]
fn public_vector_of_randomised_response() {
    let (kept, other, even) = (0.91, 0.01, 0.1);
    let one = [(kept, other), (other, kept), (other, other)];
    assert_upper("P19", divergence(&one, f64::INFINITY).unwrap(), 4.510_859_506_516_85, 1e-12);
    let special = [(kept, even), (other, even)].map(|(p, q)| [(p, q), (q, p)]).concat();
    assert_upper("P19", divergence(&special, f64::INFINITY).unwrap(), 2.302_585_092_994_045, 1e-12);
    // Large orders come near from below, but for the slack.
    assert!((divergence(&one, 1e6).unwrap() - 4.510_859_5).abs() < 1e-5);
}

/// Mironov 2017, proposition 6, for Laplace noise, of which the discrete law is one at integer steps and near it on a fine
/// grid; alpha rho for Gaussians; randomised response for pure epsilon.
#[test]
fn closed_forms_are_met_from_above() {
    for order in [1.01_f64, 1.5, 2.0, 7.3, 64.0, 2_048.0] {
        for (scale, shift) in [(3_u32, 1_u32), (1_000, 2_500), (40, 1)] {
            let top = f64::from(shift) / f64::from(scale);
            let one = curve(laplace(scale.into(), shift.into()), &[order])[0];
            let masses = laplace(scale.into(), shift.into()).by_masses(order, false);
            assert!((one / masses - 1.0).abs() < 1e-8, "{scale} {shift} {order}: {one} {masses}");
            if scale == 1_000 {
                let share = (order / (2.0 * order - 1.0)).ln() + (order - 1.0) * top;
                let rest = ((order - 1.0) / (2.0 * order - 1.0)).ln() - order * top;
                let truth = (share.exp().ln() + (rest - share).exp().ln_1p()) / (order - 1.0);
                if share < 700.0 {
                    assert!((one / truth - 1.0).abs() < 2e-3, "{order}: {one} {truth}");
                }
            }
            assert!(one <= top * (1.0 + 1e-12) + 1e-12);
        }
        assert_upper("gaussian", curve(gaussian(50, 3), &[order])[0], order * 0.09, 1e-12);
        let pure = curve(CompositionStep::pure(Epsilon::parse("0.7").unwrap()), &[order])[0];
        let share = 1.0 / (1.0 + (-0.7_f64).exp());
        let truth = divergence(&[(share, 1.0 - share), (1.0 - share, share)], order).unwrap();
        assert!((pure - truth).abs() < 1e-9 / (order - 1.0), "{order}: {pure} {truth}");
    }
}

/// The discrete sums against laws written out by hand.
#[test]
fn sampled_steps_are_bounded_in_both_directions() {
    let (rate, orders) = (0.3, [1.1, 2.0, 3.7, 20.0]);
    let shifted = |reach: i32, weight: fn(f64) -> f64, shift: i32| {
        let total = (-reach..=reach).map(|y| weight(f64::from(y))).sum::<f64>();
        (-reach..=reach).map(|y| (weight(f64::from(y - shift)) / total, weight(f64::from(y)) / total)).collect::<Vec<_>>()
    };
    let cases = [
        (gaussian(9, 2), shifted(100, |y| (-y * y / 18.0).exp(), 2)),
        (laplace(4, 3), shifted(400, |y| (-y.abs() / 4.0).exp(), 3)),
        (laplace(4, 1), shifted(400, |y| (-y.abs() / 4.0).exp(), 1)),
    ];
    for (step, laws) in cases {
        let on_sample = laws.iter().map(|(p, q)| (rate * p + (1.0 - rate) * q, *q)).collect::<Vec<_>>();
        let back = on_sample.iter().map(|(p, q)| (*q, *p)).collect::<Vec<_>>();
        for (order, got) in orders.iter().zip(curve(step.sampled(sample(3, 10)).unwrap(), &orders)) {
            let truth = divergence(&on_sample, *order).unwrap().max(divergence(&back, *order).unwrap());
            assert!((got / truth - 1.0).abs() < 1e-7, "{step:?} {order}: {got} {truth}");
        }
    }
}

/// No account of one plan is below the truth, and this one never below what the tight one shows.
#[test]
fn is_never_below_the_tight_account() {
    let steps = [
        (laplace(20, 1), 100),
        (gaussian(400, 3), 20),
        (gaussian(100, 2).sampled(sample(1, 20)).unwrap(), 200),
        (laplace(3, 2).sampled(sample(1, 10)).unwrap(), 30),
    ];
    let (mut plan, mut rdp) = (CompositionPlan::new(), RdpPlan::new());
    for (step, times) in steps {
        plan.add(step, times).unwrap();
        rdp.add(step, times).unwrap();
        let (tight, wide) = (plan.epsilon(1e-6).unwrap(), rdp.epsilon(1e-6).unwrap());
        assert!(tight.low <= wide && wide <= 1.3 * tight.high, "{step:?}: {tight:?} {wide}");
        assert!(plan.delta(wide).unwrap().low <= 1e-6 && rdp.delta(wide).unwrap() <= 1e-6 * (1.0 + 1e-9));
    }
}

/// A plan of Gaussians alone is one of zCDP: the orders of the list come near the best one.
#[test]
fn default_orders_are_near_the_best() {
    for (sigma_squared, times) in [(10_000, 1), (10_000, 100), (100, 100), (100, 2_000)] {
        let mut plan = RdpPlan::new();
        plan.add(gaussian(sigma_squared, 1), times).unwrap();
        let rho = f64::from(times) / (2.0 * sigma_squared as f64);
        for delta in [1e-4, 1e-8, 1e-14] {
            let (best, got) = (zcdp::epsilon(rho, delta).unwrap(), plan.epsilon(delta).unwrap());
            assert!(best <= got * (1.0 + 1e-12) && got <= 1.01 * best, "{sigma_squared} {times} {delta}: {got} {best}");
        }
    }
}

#[test]
fn a_sealed_plan_costs_what_its_bound_says() {
    let mut plan = RdpPlan::new();
    plan.add(laplace(20, 1), 100).unwrap();
    let delta = Delta::parse("0.000001").unwrap();
    let Loss::Approx { epsilon, delta: charged } = plan.seal(delta).unwrap() else { panic!("approx") };
    assert!(charged == delta && epsilon.units() as f64 / 1e12 >= plan.epsilon(1e-6).unwrap() * (1.0 - 1e-15));
    assert!(matches!(plan.seal(Delta::ZERO), Err(AccountantError::Delta)));
    assert_eq!((RdpPlan::new().epsilon(0.5), RdpPlan::new().delta(0.0)), (Ok(0.0), Ok(0.0)));
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    for orders in [&[1.0][..], &[], &[f64::NAN], &[2.0, f64::INFINITY]] {
        assert!(matches!(RdpPlan::over(orders), Err(AccountantError::Parameter { .. })));
    }
    let mut plan = RdpPlan::new();
    let approximate = CompositionStep::approximate(Epsilon::parse("1").unwrap(), Delta::parse("0.1").unwrap());
    assert!(matches!(plan.add(approximate, 1), Err(AccountantError::Limit { .. })));
    assert!(matches!(plan.add_bound(|_| f64::NAN, 1), Err(AccountantError::Parameter { .. })));
    assert!(matches!(plan.add_bound(|_| -1.0, 1), Err(AccountantError::Parameter { .. })));
    let wide = laplace(1 << 24, 1 << 23).sampled(sample(1, 2)).unwrap();
    assert!(matches!(plan.add(wide, 1), Err(AccountantError::Limit { .. })));
    let wide = gaussian(1 << 36, 1).sampled(sample(1, 2)).unwrap();
    assert!(matches!(plan.add(wide, 1), Err(AccountantError::Limit { .. })));
    plan.add_bound(|_| f64::INFINITY, 1).unwrap();
    assert_eq!(plan.epsilon(0.1), Err(AccountantError::Limit { what: "epsilon" }));
    assert_eq!(plan.delta(1.0), Ok(1.0));
    assert!(divergence(&[(0.5, 0.5)], 1.0).is_err() && divergence(&[(2.0, 0.5)], 2.0).is_err());
    assert_eq!(divergence(&[(0.5, 0.0), (0.5, 1.0)], 2.0), Ok(f64::INFINITY));
}
