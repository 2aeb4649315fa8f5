//! Published bugs, planted on purpose: the probe finds each, and finds nothing in the twin without it.

use super::*;
use crate::budget::{Epsilon, Loss, Rho};
use crate::dp::local::UnaryEncoding;
use crate::dp::{BoundedLaplaceMechanism, DiscreteLaplace, GaussianMechanism, LaplaceMechanism, Scale};
use crate::random::Random;

type Steps<D> = Box<dyn Fn(&D) -> Vec<Claim>>;
type Release<D> = Box<dyn Fn(&D, &mut dyn Random) -> Vec<Option<i128>>>;

/// A subject made of closures.
struct Planted<D> {
    steps: Steps<D>,
    release: Release<D>,
    claimed: Loss,
}

impl<D> Subject for Planted<D> {
    type Data = D;

    fn steps(&self, data: &D) -> Vec<Claim> {
        (self.steps)(data)
    }

    fn release(&self, data: &D, random: &mut dyn Random) -> Vec<Option<i128>> {
        (self.release)(data, random)
    }

    fn claimed(&self) -> Loss {
        self.claimed
    }
}

fn epsilon(text: &str) -> Loss {
    Loss::approx(text, "0").unwrap()
}

/// Its epsilon.
fn pure(loss: Loss) -> Epsilon {
    if let Loss::Approx { epsilon, .. } = loss { epsilon } else { Epsilon::ZERO }
}

fn noise(scale: Scale, random: &mut dyn Random) -> i128 {
    DiscreteLaplace::sample_once(scale, random)
}

/// One step at epsilon 1 whose values get the noise that its claimed sensitivity needs.
fn laplace<D: 'static>(sensitivity: u128, exact: impl Fn(&D) -> Vec<i128> + Clone + 'static) -> Planted<D> {
    let scale = LaplaceMechanism::new(sensitivity, pure(epsilon("1"))).unwrap().scale();
    noised(sensitivity, exact, move |_, value, random| Some(value + noise(scale, random)))
}

/// The same with noise of one's own: of a place, its exact value and randomness.
fn noised<D: 'static>(
    sensitivity: u128,
    exact: impl Fn(&D) -> Vec<i128> + Clone + 'static,
    add: impl Fn(&D, i128, &mut dyn Random) -> Option<i128> + 'static,
) -> Planted<D> {
    let claimed = epsilon("1");
    let law = Noise::Laplace(LaplaceMechanism::new(sensitivity, pure(claimed)).unwrap().scale());
    let values = exact.clone();
    Planted {
        steps: Box::new(move |data| vec![Claim::new("step", claimed, sensitivity, law, values(data))]),
        release: Box::new(move |data, random| exact(data).into_iter().map(|value| add(data, value, random)).collect()),
        claimed,
    }
}

/// So few that a gross fault shows.
fn few<D>(subject: Planted<D>) -> Probe<Planted<D>> {
    Probe::new(subject).seed("faults").runs(2_000)
}

fn many<D>(subject: Planted<D>) -> Probe<Planted<D>> {
    Probe::new(subject).seed("faults").runs(20_000)
}

/// OpenDP #2638: a division of rationals that rounds to one side.
fn biased_noise(fault: bool) -> ProbeReport {
    let double = Scale::new(2, 1).unwrap();
    let single = Scale::new(1, 1).unwrap();
    let add = move |_: &i128, value, random: &mut dyn Random| {
        Some(value + if fault { noise(double, random).div_euclid(2) } else { noise(single, random) })
    };
    many(noised(1, |count: &i128| vec![*count], add)).neighbours(10, 11).run()
}

/// OpenDP #414: the sum in floating point has the grid of its magnitude.
fn precision(fault: bool) -> ProbeReport {
    let scale = Scale::new(1, 1).unwrap();
    let add = move |_: &i128, value: i128, random: &mut dyn Random| {
        let noise = noise(scale, random);
        Some(if fault { (value as f64 + noise as f64) as i128 } else { value + noise })
    };
    many(noised(1, |count: &i128| vec![*count], add)).neighbours((1 << 56) + 3, (1 << 56) + 4).run()
}

/// OpenDP #2708: one bit of a vector is left out of randomised response.
fn bit_vector(fault: bool) -> ProbeReport {
    let claimed = epsilon("1");
    let encoding = UnaryEncoding::new(4, Epsilon::parse("1").unwrap()).unwrap();
    let subject = Planted {
        steps: Box::new(move |truth: &usize| {
            let bits = (0..4).map(|value| i128::from(value == *truth)).collect();
            vec![Claim::new("bits", claimed, 2, Noise::Choice, bits)]
        }),
        release: Box::new(move |truth, random| {
            let mut bits = encoding.respond(*truth, random).unwrap();
            if fault {
                bits[3] = *truth == 3;
            }
            bits.into_iter().map(|bit| Some(i128::from(bit))).collect()
        }),
        claimed,
    };
    many(subject).neighbours(1, 3).neighbours(0, 2).run()
}

/// OpenDP #2345: a key without rows is filled in after the noise.
fn absent_key(fault: bool) -> ProbeReport {
    let scale = Scale::new(1, 1).unwrap();
    let count = |keys: &Vec<usize>| (0..3).map(|key| keys.iter().filter(|other| **other == key).count() as i128).collect();
    let add =
        move |_: &Vec<usize>, value, random: &mut dyn Random| Some(if fault && value == 0 { 0 } else { value + noise(scale, random) });
    few(noised(1, count, add)).neighbours(vec![0, 0, 1], vec![0, 0, 1, 2]).run()
}

/// OpenDP 0.12: a post-processor that sees the data.
fn post_processor(fault: bool) -> ProbeReport {
    let subject = laplace(1, |count: &i128| vec![*count]);
    let release = subject.release;
    let release = move |count: &i128, random: &mut dyn Random| {
        let noisy = release(count, random)[0];
        vec![noisy, Some(if fault { *count } else { noisy.unwrap() } % 2)]
    };
    few(Planted { release: Box::new(release), ..subject }).neighbours(4, 5).run()
}

/// OpenDP #2696: bounds that are taken as they were given, not put in order and magnitude first.
fn bounds_as_given(fault: bool) -> ProbeReport {
    let (low, high) = (-5_i64, 3_i64);
    let reach = if fault { high } else { high.max(-low) };
    let sum = move |values: &Vec<i64>| vec![values.iter().map(|value| i128::from((*value).clamp(low, high))).sum()];
    few(laplace(reach.unsigned_abs().into(), sum)).neighbours(vec![1, 2], vec![1, 2, -9]).run()
}

/// Google #126: sums of floating point numbers depend on their order.
fn float_sum(fault: bool) -> ProbeReport {
    let sum = move |values: &Vec<i32>| {
        let float = values.iter().fold(0.0, |sum: f32, value| sum + *value as f32);
        vec![if fault { float as i128 } else { values.iter().map(|value| i128::from(*value)).sum() }]
    };
    let (large, small) = (1 << 26, [1; 5]);
    let (first, last) = ([&[large][..], &small].concat(), [&small, &[large][..]].concat());
    few(laplace(1 << 26, sum)).neighbours(first.clone(), small.to_vec()).reordered(first, last).run()
}

/// Google PR #84: a unit in many keys counts in each.
fn distinct_per_key(fault: bool) -> ProbeReport {
    let count = move |rows: &Vec<(u32, usize)>| {
        let mut kept: Vec<(u32, usize)> = Vec::new();
        for row in rows {
            if !kept.contains(row) && (fault || kept.iter().all(|(unit, _)| *unit != row.0)) {
                kept.push(*row);
            }
        }
        (0..3).map(|key| kept.iter().filter(|(_, other)| *other == key).count() as i128).collect()
    };
    few(laplace(1, count)).neighbours(vec![(1, 0), (2, 1)], vec![(1, 0), (2, 1), (3, 0), (3, 1), (3, 2)]).run()
}

/// Tumult, known vulnerabilities: a sum wraps around.
fn overflow(fault: bool) -> ProbeReport {
    let sum = move |values: &Vec<i32>| {
        let wrapped = values.iter().fold(0_i32, |sum, value| sum.wrapping_add(*value));
        vec![if fault { wrapped.into() } else { values.iter().map(|value| i128::from(*value)).sum() }]
    };
    few(laplace(1 << 30, sum)).neighbours(vec![1 << 30, 1 << 29], vec![1 << 30, 1 << 29, 1 << 30]).run()
}

/// Tumult, known vulnerabilities: parallel composition of groups that overlap.
fn overlapping_groups(fault: bool) -> ProbeReport {
    let count = move |ages: &Vec<u32>| {
        let groups: [fn(u32) -> bool; 3] = [|age| age >= 60, |age| age >= 18, |age| age < 18];
        let lone = |age: u32, group: usize| groups[group](age) && (fault || !groups[..group].iter().any(|other| other(age)));
        (0..3).map(|group| ages.iter().filter(|age| lone(**age, group)).count() as i128).collect()
    };
    many(laplace(1, count)).neighbours(vec![7, 30], vec![7, 30, 66]).run()
}

/// Tumult, known vulnerabilities: a scale from a solver that rounds to the wrong side.
fn rounded_scale(fault: bool) -> ProbeReport {
    let claimed = epsilon("0.3");
    let scale = if fault { Scale::new(3, 1) } else { Scale::new(10, 3) }.unwrap();
    let subject = Planted {
        steps: Box::new(move |count: &i128| vec![Claim::new("count", claimed, 1, Noise::Laplace(scale), vec![*count])]),
        release: Box::new(move |count, random| vec![Some(count + noise(scale, random))]),
        claimed,
    };
    few(subject).neighbours(5, 6).run()
}

/// diffprivlib #94: noise is the logarithm of a coarse uniform number, so that not every sum can come out.
fn float_laplace(fault: bool) -> ProbeReport {
    const GRID: i128 = 1 << 20;
    let scale = Scale::new(GRID.unsigned_abs(), 1).unwrap();
    let add = move |_: &i128, value: i128, random: &mut dyn Random| {
        let word = random.next_u64();
        let uniform = f64::from((word >> 52) as u32 + 1) / 4096.0;
        let float = (uniform.ln() * GRID as f64) as i128;
        let float = if word & 1 == 0 { float } else { -float };
        Some(value + if fault { float } else { noise(scale, random) })
    };
    many(noised(GRID.unsigned_abs(), |count: &i128| vec![count * GRID], add)).neighbours(3, 4).run()
}

/// smartnoise-sdk #621: a covariance of numbers that are not clipped.
fn covariance(fault: bool) -> ProbeReport {
    let clip = move |value: i64| i128::from(if fault { value } else { value.clamp(-10, 10) });
    let sum = move |pairs: &Vec<(i64, i64)>| vec![pairs.iter().map(|(x, y)| clip(*x) * clip(*y)).sum()];
    few(laplace(100, sum)).neighbours(vec![(1, 2)], vec![(1, 2), (1000, -5)]).run()
}

/// smartnoise-sdk #624: the odometer's formula lacks a logarithm, so that the whole is less than its parts.
fn odometer(fault: bool) -> ProbeReport {
    let share = epsilon("0.5");
    let scale = Scale::new(2, 1).unwrap();
    let claim = move |count: &i128| Claim::new("count", share, 1, Noise::Laplace(scale), vec![*count]);
    let subject = Planted {
        steps: Box::new(move |count: &i128| vec![claim(count), claim(count)]),
        release: Box::new(move |count, random| vec![Some(count + noise(scale, random)), Some(count + noise(scale, random))]),
        claimed: epsilon(if fault { "0.7" } else { "1" }),
    };
    many(subject).neighbours(5, 6).run()
}

/// smartnoise-core #356: the sensitivity of a mean from the size of the data.
fn mean(fault: bool) -> ProbeReport {
    const PARTS: i128 = 1000;
    let sum = |values: &Vec<i64>| values.iter().map(|value| i128::from((*value).clamp(0, 100))).sum::<i128>();
    let count = |values: &Vec<i64>| values.len() as i128;
    if fault {
        let mechanism = move |values: &Vec<i64>| {
            let sensitivity = (100 * PARTS / count(values)).unsigned_abs();
            (sensitivity, LaplaceMechanism::new(sensitivity, pure(epsilon("1"))).unwrap())
        };
        let exact = move |values: &Vec<i64>| sum(values) * PARTS / count(values);
        let steps = move |values: &Vec<i64>| {
            let (sensitivity, mechanism) = mechanism(values);
            vec![Claim::new("mean", epsilon("1"), sensitivity, Noise::Laplace(mechanism.scale()), vec![exact(values)])]
        };
        let release = move |values: &Vec<i64>, random: &mut dyn Random| vec![Some(mechanism(values).1.release(exact(values), random))];
        return few(Planted { steps: Box::new(steps), release: Box::new(release), claimed: epsilon("1") })
            .neighbours(vec![0], vec![0, 100])
            .run();
    }
    let half = epsilon("0.5");
    let mechanisms = [100, 1].map(|sensitivity| LaplaceMechanism::new(sensitivity, pure(half)).unwrap());
    let steps = move |values: &Vec<i64>| {
        let claim =
            |at: usize, name, sensitivity, exact| Claim::new(name, half, sensitivity, Noise::Laplace(mechanisms[at].scale()), vec![exact]);
        vec![claim(0, "sum", 100, sum(values)), claim(1, "count", 1, count(values))]
    };
    let release = move |values: &Vec<i64>, random: &mut dyn Random| {
        let (sum, count) = (mechanisms[0].release(sum(values), random), mechanisms[1].release(count(values), random));
        vec![Some(sum), Some(count), (count > 0).then(|| sum * PARTS / count.max(1))]
    };
    few(Planted { steps: Box::new(steps), release: Box::new(release), claimed: epsilon("1") }).neighbours(vec![0], vec![0, 100]).run()
}

/// Qrlew #274: a row counts as often as the other table has its key.
fn join_multiplicity(fault: bool) -> ProbeReport {
    let other = [1, 1, 1, 2];
    let most = if fault { usize::MAX } else { 1 };
    let count = move |keys: &Vec<i32>| {
        let matches = |key: &i32| other.iter().filter(|other| *other == key).count().min(most) as i128;
        vec![keys.iter().map(matches).sum()]
    };
    few(laplace(1, count)).neighbours(vec![2, 3], vec![2, 3, 1]).run()
}

/// janus #3325: some noise is added, half of what is claimed.
fn half_the_noise(fault: bool) -> ProbeReport {
    let scale = if fault { Scale::new(1, 2) } else { Scale::new(1, 1) }.unwrap();
    many(noised(1, |count: &i128| vec![*count], move |_, value, random| Some(value + noise(scale, random)))).neighbours(7, 8).run()
}

/// Tumult's test of independence: one draw serves two numbers.
fn duplicated_noise(fault: bool) -> ProbeReport {
    let subject = laplace(1, |counts: &[i128; 2]| counts.to_vec());
    let release = subject.release;
    let release = move |counts: &[i128; 2], random: &mut dyn Random| {
        let mut out = release(counts, random);
        if fault {
            out[1] = Some(out[0].unwrap() - counts[0] + counts[1]);
        }
        out
    };
    many(Planted { release: Box::new(release), ..subject }).neighbours([5, 9], [5, 10]).run()
}

/// arXiv 2602.17454: the scale comes from the largest value that was seen.
fn observed_scale(fault: bool) -> ProbeReport {
    let scale = |reach: i64| Scale::new(reach.unsigned_abs().into(), 1).unwrap();
    let sum = |values: &Vec<i64>| vec![values.iter().map(|value| i128::from(*value)).sum()];
    let add = move |values: &Vec<i64>, value, random: &mut dyn Random| {
        let reach = if fault { values.iter().copied().max().unwrap() } else { 10 };
        Some(value + noise(scale(reach), random))
    };
    few(noised(10, sum, add)).neighbours(vec![1, 2], vec![1, 2, 9]).run()
}

/// The same where the claim tells it.
fn observed_sensitivity(fault: bool) -> ProbeReport {
    let of = move |values: &Vec<i64>| {
        let sensitivity = if fault { values.iter().copied().max().unwrap() } else { 10 }.unsigned_abs().into();
        (
            sensitivity,
            LaplaceMechanism::new(sensitivity, pure(epsilon("1"))).unwrap(),
            values.iter().map(|value| i128::from(*value)).sum::<i128>(),
        )
    };
    let steps = move |values: &Vec<i64>| {
        let (sensitivity, mechanism, sum) = of(values);
        vec![Claim::new("sum", epsilon("1"), sensitivity, Noise::Laplace(mechanism.scale()), vec![sum])]
    };
    let release = move |values: &Vec<i64>, random: &mut dyn Random| {
        let (_, mechanism, sum) = of(values);
        vec![Some(mechanism.release(sum, random))]
    };
    few(Planted { steps: Box::new(steps), release: Box::new(release), claimed: epsilon("1") }).neighbours(vec![1, 2], vec![1, 2, 9]).run()
}

/// Rule D5: a value is refused, so that the refusal tells of it.
fn refusal(fault: bool) -> ProbeReport {
    let subject = laplace(10, |values: &Vec<i64>| vec![values.iter().map(|value| i128::from((*value).clamp(0, 10))).sum()]);
    let release = subject.release;
    let release = move |values: &Vec<i64>, random: &mut dyn Random| {
        if fault && values.iter().any(|value| *value < 0) { Vec::new() } else { release(values, random) }
    };
    few(Planted { release: Box::new(release), ..subject }).neighbours(vec![1, 2], vec![1, 2, -3]).run()
}

/// arXiv 2602.17454: control flow that the data decide, seen by nothing but the number of words.
fn control_flow(fault: bool) -> ProbeReport {
    let scale = Scale::new(1, 1).unwrap();
    let add = move |_: &i128, value: i128, random: &mut dyn Random| {
        let noisy = value + noise(scale, random);
        if fault && value > 5 {
            random.next_u64();
        }
        Some(noisy)
    };
    few(noised(1, |count: &i128| vec![*count], add)).neighbours(5, 6).run()
}

/// The square of the L2 sensitivity taken of one of three groups: too little Gaussian noise.
fn squared_sensitivity(fault: bool) -> ProbeReport {
    let claimed = Loss::zcdp("0.5", "0").unwrap();
    let squared = if fault { 1 } else { 3 };
    let mechanism = GaussianMechanism::new(squared, Rho::parse("0.5").unwrap()).unwrap();
    let steps = move |counts: &[i128; 3]| {
        let noise = Noise::Gaussian(mechanism.sigma_squared());
        vec![Claim::new("counts", claimed, 3, noise, counts.to_vec()).with_squared(squared)]
    };
    let release =
        move |counts: &[i128; 3], random: &mut dyn Random| counts.iter().map(|count| Some(mechanism.release(*count, random))).collect();
    many(Planted { steps: Box::new(steps), release: Box::new(release), claimed }).neighbours([4, 0, 9], [5, 1, 10]).run()
}

/// A bound of the noise so narrow that neighbours give different answers more often than delta says.
fn narrow_bound(fault: bool) -> ProbeReport {
    let claimed = Loss::approx("1", "0.001").unwrap();
    let Loss::Approx { epsilon, delta } = claimed else { unreachable!() };
    let mechanism = BoundedLaplaceMechanism::new(1, epsilon, delta).unwrap();
    let bound = if fault { 4 } else { mechanism.noise().bound() };
    let law = Noise::Bounded { scale: mechanism.noise().scale(), bound };
    let steps = move |count: &i128| vec![Claim::new("count", claimed, 1, law, vec![*count])];
    let release = move |count: &i128, random: &mut dyn Random| {
        let noise = std::iter::repeat_with(|| mechanism.release(0, random)).find(|noise| (-bound..bound).contains(noise));
        vec![Some(count + noise.unwrap())]
    };
    many(Planted { steps: Box::new(steps), release: Box::new(release), claimed }).neighbours(3, 4).run()
}

type Case = (&'static str, fn(bool) -> ProbeReport, &'static [Check]);

const CASES: &[Case] = &[
    ("OpenDP #2638", biased_noise, &[Check::Law]),
    ("OpenDP #414", precision, &[Check::Law, Check::Replay]),
    ("OpenDP #2708", bit_vector, &[Check::Distinguishing]),
    ("OpenDP #2345", absent_key, &[Check::Replay, Check::Law, Check::Distinguishing]),
    ("OpenDP 0.12", post_processor, &[Check::Distinguishing]),
    ("OpenDP #2696", bounds_as_given, &[Check::Sensitivity]),
    ("Google #126", float_sum, &[Check::Order]),
    ("Google PR #84", distinct_per_key, &[Check::Sensitivity, Check::Distinguishing]),
    ("Tumult overflow", overflow, &[Check::Sensitivity, Check::Distinguishing]),
    ("Tumult parallel composition", overlapping_groups, &[Check::Sensitivity, Check::Distinguishing]),
    ("Tumult solver", rounded_scale, &[Check::Account]),
    ("diffprivlib #94", float_laplace, &[Check::Distinguishing]),
    ("smartnoise-sdk #621", covariance, &[Check::Sensitivity, Check::Distinguishing]),
    ("smartnoise-sdk #624", odometer, &[Check::Account]),
    ("smartnoise-core #356", mean, &[Check::Claims, Check::Replay]),
    ("Qrlew #274", join_multiplicity, &[Check::Sensitivity, Check::Distinguishing]),
    ("janus #3325", half_the_noise, &[Check::Law, Check::Distinguishing]),
    ("duplicated noise", duplicated_noise, &[Check::Independence, Check::Distinguishing]),
    ("observed scale", observed_scale, &[Check::Replay, Check::Law, Check::Distinguishing]),
    ("observed sensitivity", observed_sensitivity, &[Check::Claims]),
    ("refusal", refusal, &[Check::Replay, Check::Distinguishing]),
    ("control flow", control_flow, &[Check::Replay]),
    ("squared sensitivity", squared_sensitivity, &[Check::Sensitivity]),
    ("narrow bound", narrow_bound, &[Check::Account]),
];

/// False alarms of the twins: 10^-6 each.
#[test]
fn every_planted_fault_is_found_and_its_twin_is_clean() {
    for (name, run, checks) in CASES {
        let report = run(true);
        for check in *checks {
            assert!(report.found(*check), "{name}: {check} missed\n{report}");
        }
        let twin = run(false);
        assert!(twin.findings.is_empty(), "{name}: the twin\n{twin}");
        assert!(twin.epsilon_low <= twin.epsilon_claimed && twin.pairs > 0, "{name}: the twin\n{twin}");
    }
}

/// The bound is worth something: for honest noise it comes near the truth, from below.
#[test]
fn the_lower_bound_comes_near_the_truth() {
    let report = many(laplace(1, |count: &i128| vec![*count])).neighbours(7, 8).run();
    assert!(report.epsilon_low > 0.8 && report.epsilon_low <= 1.0, "{report}");
    let text = report.to_string();
    assert!(text.contains("claimed 1.0000") && text.ends_with("no finding; that is no proof\n"), "{text}");
}

/// Of 200 probes of honest mechanisms none accuses, nor bounds epsilon from above: 2 in 10,000 by chance.
#[test]
fn honest_mechanisms_are_not_accused() {
    for seed in 0..200 {
        let honest = Probe::new(laplace(3, |sum: &i128| vec![*sum, -sum])).seed(&format!("honest {seed}")).runs(200);
        let report = honest.neighbours(1, 2).run();
        assert!(report.findings.is_empty() && report.epsilon_low <= 2.0 / 3.0, "{report}");
    }
}

/// Without releases the exact checks are left, and say so.
#[test]
fn no_runs_leave_the_exact_checks() {
    let report = Probe::new(laplace(1, |count: &i128| vec![2 * count])).runs(0).neighbours(1, 2).run();
    assert_eq!(report.findings.len(), 1);
    assert_eq!((report.findings[0].fault.check(), report.tests, report.epsilon_low), (Check::Sensitivity, 0, 0.0));
    let text = report.findings[0].to_string();
    assert_eq!(text, "pair 0, sensitivity: the exact values of step differ by 2 in L1, claimed 1");
}

/// Everything comes from the seed.
#[test]
fn a_run_can_be_repeated() {
    assert_eq!(half_the_noise(true), half_the_noise(true));
}
