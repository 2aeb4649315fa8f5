//! Counters against the matrix they stand for, their noise against its law, and their states under damage.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::counter::{FRACTION_BITS, noise};
use super::factor::{GRID_BITS, GRID_STEP, coefficients, row_squares, squared_norm, weights};
use super::*;
use crate::budget::Rho;
use crate::dp::DiscreteGaussian;
use crate::random::{Random, RecordedRandom};

fn rho(text: &str) -> Rho {
    Rho::parse(text).unwrap()
}

fn unit(number: u32) -> [u8; 16] {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    id
}

fn counter(horizon: u32, participations: u32, separation: u32, budget: &str, units: u32) -> Counter {
    Counter::new(CounterPlan::new(horizon, participations, separation, rho(budget)).unwrap(), units).unwrap()
}

fn key() -> StateKey {
    StateKey::generate(&mut RecordedRandom::from_seed("state key"))
}

fn close(counter: &mut Counter, random: &mut RecordedRandom) -> Result<Released, ContinualError> {
    counter.close(&key(), 0, random, |_| Ok(()))
}

/// Every set of at most `most` periods below `horizon`, `apart` apart.
fn patterns(horizon: u32, most: u32, apart: u32) -> Vec<Vec<u32>> {
    let periods = |set: u32| (0..horizon).filter(move |period| set >> period & 1 == 1).collect::<Vec<_>>();
    let allowed = |set: &Vec<u32>| set.len() <= most as usize && set.windows(2).all(|pair| pair[1] - pair[0] >= apart);
    (0..1 << horizon).map(periods).filter(allowed).collect()
}

/// R d for d = 1 in `periods`.
fn response(weights: &[u32], periods: &[u32]) -> Vec<u128> {
    let row = |t: u32| periods.iter().filter(|s| **s <= t).map(|s| u128::from(weights[(t - s) as usize])).sum();
    (0..weights.len() as u32).map(row).collect()
}

/// Row P39 of the reference.
#[test]
fn coefficients_of_the_reference() {
    let f = |terms: usize| coefficients().take(terms).map(|f| f as f64 / (1_u128 << 100) as f64);
    assert_eq!(f(6).collect::<Vec<_>>(), [1.0, 0.5, 0.375, 0.3125, 0.273_437_5, 0.246_093_75]);
    for (terms, truth) in [(8, 1.718_379_259_109_497), (1_024, 3.272_554_150_273_132)] {
        let sum = f(terms).map(|f| f * f).sum::<f64>();
        assert!((sum - truth).abs() <= 1e-12 * truth, "{terms}: {sum}");
    }
    let weights = weights(HORIZON_MAX);
    assert_eq!(weights[..3], [1 << 24, 1 << 23, 3 << 21]);
    assert!(weights.windows(2).all(|pair| pair[1] <= pair[0]) && weights.last() > Some(&0));
    let error = |(r, f): (&u32, f64)| (f64::from(*r) * GRID_STEP - f).abs();
    assert!(weights.iter().zip(f(weights.len())).map(error).all(|error| error <= GRID_STEP / 2.0));
}

/// R is the square root: R R is 2^48 times the matrix of ones but for the rounding of R.
#[test]
fn the_square_of_the_factor_is_the_running_sum() {
    let weights = weights(1_024);
    for t in 0..weights.len() {
        let product = (0..=t).map(|k| u64::from(weights[k]) * u64::from(weights[t - k])).sum::<u64>() as f64;
        let bound = weights[..=t].iter().map(|weight| f64::from(*weight)).sum::<f64>() + t as f64;
        assert!((product - (1_u64 << 48) as f64).abs() <= bound, "{t}: {product}");
    }
}

/// The norm that noise is scaled to is the largest over every way to take part, not a bound of it; and rho is then kept:
/// |R d|^2 / (2 sigma^2) <= rho as integers, for every pattern.
#[test]
fn the_sensitivity_is_that_of_the_worst_pattern_exactly() {
    let budget = rho("0.37");
    for horizon in 1..=9 {
        let weights = weights(horizon);
        for most in 1..=horizon {
            for apart in 1..=horizon {
                let plan = CounterPlan::new(horizon, most, apart, budget).unwrap();
                let norms = patterns(horizon, most, apart).into_iter().map(|periods| {
                    let norm = response(&weights, &periods).iter().map(|entry| entry * entry).sum::<u128>();
                    let (p, q) = (plan.sigma_squared().numerator(), plan.sigma_squared().denominator());
                    assert!(norm * 1_000_000_000_000 * q <= 2 * p * u128::from(budget.units()), "{periods:?}");
                    norm
                });
                assert_eq!(norms.max(), Some(squared_norm(&weights, most, apart)), "{horizon} {most} {apart}");
            }
        }
    }
}

#[test]
fn factors_are_within_the_reference() {
    let reference = 3.272_554_150_273_132;
    let found = factor(1_024, 1, 1).unwrap();
    assert!((reference..reference * 1.0002).contains(&found), "{found}");
    // The same in floating point throughout: |f_0, ..., f_(n-1)| |sum of columns of the square root|.
    let unrounded = [
        (7, 1, 20.065_218_114_395),
        (7, 7, 17.809_423_877_366),
        (7, 32, 15.704_766_632_497),
        (7, 128, 12.790_391_342_264),
        (1_024, 1, 1_478.391_791_601),
    ];
    for (participations, separation, truth) in unrounded {
        let found = factor(1_024, participations, separation).unwrap();
        assert!((truth * 0.99999..truth * 1.0002).contains(&found), "{participations} {separation}: {found}");
    }
    assert!(factor(1_024, 7, 1).unwrap() <= 7.0 * found);
    assert_eq!(factor(8, 9, 1), Err(ContinualError::Participations { horizon: 8, found: 9 }));
}

/// The noise of every value by the responses of the recursion itself to single draws, against the bound that widths use.
#[test]
fn the_noise_of_each_value_is_what_is_stated() {
    const UNIT: f64 = (1_u64 << 40) as f64;
    for horizon in [1, 2, 50, 1_024] {
        let weights = weights(horizon);
        // The recursion is linear and the same at each period: one response says all.
        let mut past = Vec::new();
        let (mut sum, mut squares) = (0.0, 0.0);
        for (t, bound) in row_squares(horizon).into_iter().enumerate() {
            let draw = if t == 0 { 1 << (GRID_BITS + 40) } else { 0 };
            past.push(noise(&weights, &past, 0, draw));
            sum += past[t] as f64 / f64::from(1 << FRACTION_BITS) / UNIT;
            squares += sum * sum;
            assert!(squares <= bound && bound <= squares * 1.0003, "{horizon} {t}: {squares} {bound}");
        }
    }
}

/// Point 4 of the proof: values made literally from w = R x + z are the values that are released.
#[test]
fn values_are_a_function_of_the_private_vector() {
    for (seed, budget) in [("coarse", "50"), ("usual", "0.5"), ("faint", "0.000000000001")] {
        let mut random = RecordedRandom::from_seed(seed);
        let mut counter = counter(40, 2, 3, budget, 4_000);
        let sigma_squared = counter.plan().sigma_squared();
        let weights = weights(40);
        let (mut counts, mut w, mut u) = (Vec::<i128>::new(), Vec::<i128>::new(), Vec::<i128>::new());
        for t in 0..40_usize {
            let count = random.next_u64() % 100;
            (0..count).for_each(|number| assert!(counter.admit(unit((100 * t as u64 + number) as u32)).unwrap()));
            counts.push(count.into());
            let mut replay = RecordedRandom::from_seed(&format!("{seed} {t}"));
            let released = close(&mut counter, &mut RecordedRandom::from_seed(&format!("{seed} {t}"))).unwrap();

            let draw = DiscreteGaussian::sample_once(sigma_squared, &mut replay);
            let coin = i128::from(replay.next_u64() & 1);
            w.push((0..=t).map(|k| i128::from(weights[k]) * counts[t - k]).sum::<i128>() + draw);
            let rest = (w[t] << 24) - (1..=t).map(|k| i128::from(weights[k]) * u[t - k]).sum::<i128>();
            let (floor, part) = (rest.div_euclid(1 << 24), rest.rem_euclid(1 << 24));
            u.push(floor + i128::from(part > 1 << 23 || part == 1 << 23 && floor.rem_euclid(2) == 1));
            let total = u.iter().sum::<i128>();
            assert_eq!(released.value, (total + (1 << 23) - coin).div_euclid(1 << 24), "{seed} {t}");
        }
    }
}

/// With the same draws, other counts move the values by exactly the difference of the counts.
#[test]
fn noise_does_not_depend_on_counts() {
    let values = |counts: [u32; 6]| {
        let mut counter = counter(6, 1, 1, "0.01", 1_000);
        let mut random = RecordedRandom::from_seed("noise does not depend on counts");
        let mut next = 0;
        counts.map(|count| {
            (0..count).for_each(|_| {
                next += 1;
                assert!(counter.admit(unit(next)).unwrap());
            });
            close(&mut counter, &mut random).unwrap().value
        })
    };
    let (none, some) = (values([0; 6]), values([3, 0, 17, 1, 0, 100]));
    assert_eq!([0, 1, 2, 3, 4, 5].map(|t| some[t] - none[t]), [3, 3, 20, 21, 21, 121]);
    assert!(none.iter().any(|value| *value != 0));
}

/// Negative draws give the negative noise, so the law of the noise is symmetric.
#[test]
fn noise_is_odd_in_the_draws() {
    let weights = weights(64);
    let mut random = RecordedRandom::from_seed("noise is odd in the draws");
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for t in 0..64_u32 {
        // Small ones as well, where many quotients end in a half.
        let draw = i128::from(random.next_u64() as i64 >> (t % 2 * 62));
        there.push(noise(&weights, &there, 0, draw));
        back.push(noise(&weights, &back, 0, -draw));
        assert_eq!(there.last().map(|noise| -noise), back.last().copied());
    }
}

/// The extremes that a draw can have neither panic nor pass the bounds that a state is checked against.
#[test]
fn extreme_draws_are_cut_off() {
    let weights = weights(2_000);
    let mut past = Vec::new();
    for t in 0..2_000 {
        let draw = if t % 3 == 0 { i128::MAX } else { i128::MIN };
        past.push(noise(&weights, &past, u32::MAX >> 8, draw));
        assert!(past[t].unsigned_abs() < 1 << 81);
    }
}

/// Mean and variance of the first, a middle and the last value: 4.9 standard deviations of each leave 10^-6, and there are
/// six of them. Hits of the interval: Hoeffding at 10^-6 below 0.95, conservative on the other side.
#[test]
fn values_have_the_stated_mean_variance_and_interval() {
    const RUNS: u32 = 10_000;
    let mut random = RecordedRandom::from_seed("values have the stated mean variance and interval");
    let plan = CounterPlan::new(24, 2, 4, rho("0.002")).unwrap();
    let places = [0, 11, 23];
    let (mut sums, mut squares, mut hits) = ([0.0; 3], [0.0; 3], [0; 3]);
    for _ in 0..RUNS {
        let mut past = Counter::new(plan.clone(), 1).unwrap();
        for period in 0..24 {
            past.draw(&mut random);
            past.left += 1;
            let released = past.released(period).unwrap();
            if let Some(place) = places.iter().position(|place| *place == period) {
                sums[place] += released.value as f64;
                squares[place] += (released.value as f64).powi(2);
                hits[place] += u32::from(released.value.unsigned_abs() <= released.half_width);
            }
        }
    }
    let runs = f64::from(RUNS);
    for (place, period) in places.into_iter().enumerate() {
        let variance = plan.deviation(period).unwrap().powi(2) + 1.0 / 12.0;
        assert!((sums[place] / runs).abs() <= 4.9 * (variance / runs).sqrt(), "mean {period}: {}", sums[place] / runs);
        let ratio = squares[place] / runs / variance;
        assert!((ratio - 1.0).abs() <= 4.9 * (2.0 / runs).sqrt() + 1e-5, "variance {period}: {ratio}");
        assert!(f64::from(hits[place]) / runs >= 0.95 - (13.9 / (2.0 * runs)).sqrt(), "{period}: {}", hits[place]);
    }
}

/// Widths against the normal quantile, at both ends of the range of rho.
#[test]
fn widths_are_near_the_normal_ones() {
    for (budget, horizon) in [("0.5", 1_024), ("0.0001", 100), ("0.000000000001", 65_536)] {
        let plan = CounterPlan::new(horizon, 1, 1, rho(budget)).unwrap();
        let last = horizon - 1;
        let width = 1.959_964 * plan.deviation(last).unwrap() - 0.5;
        let found = plan.half_width(last).unwrap() as f64;
        assert!(width <= found && found <= width * 1.0001 + 1.0, "{budget}: {found} {width}");
        assert_eq!((plan.half_width(horizon), plan.deviation(horizon)), (None, None));
    }
    // No noise to speak of: the whole count is right.
    assert_eq!(CounterPlan::new(4, 1, 1, rho("1000000")).unwrap().half_width(3), Some(0));
}

#[test]
fn a_unit_counts_as_often_as_the_plan_allows() {
    let mut counter = counter(9, 3, 2, "1", 10);
    let mut random = RecordedRandom::from_seed("participations");
    let mut admitted = Vec::new();
    for period in 0..9 {
        assert_eq!(counter.period(), Some(period));
        let first = counter.admit(unit(1)).unwrap();
        assert!(!counter.admit(unit(1)).unwrap(), "twice in a period");
        admitted.extend(first.then_some(period));
        // A restart in the middle of a period forgets nothing.
        let sealed = counter.seal(&key(), 3, &mut random).unwrap();
        counter = Counter::open(&sealed, &key(), 3).unwrap();
        assert!(!counter.admit(unit(1)).unwrap());
        close(&mut counter, &mut random).unwrap();
    }
    assert_eq!(admitted, [0, 2, 4]);
}

/// Whatever order units come in, the pattern of each is one of those that the norm was taken over, and it is the greedy one of
/// its own visits alone.
#[test]
fn every_admitted_pattern_is_one_that_was_accounted() {
    let (horizon, most, apart) = (8, 3, 2);
    let allowed = patterns(horizon, most, apart);
    let run = |without: Option<u32>| {
        let mut counter = counter(horizon, most, apart, "1", 300);
        let mut seen = vec![Vec::new(); 256];
        let mut random = RecordedRandom::from_seed("patterns");
        for period in 0..horizon {
            // Unit k visits in the periods of the bits of k, every other one twice.
            for number in (0..256).chain((0..256).step_by(2)).filter(|number| number >> period & 1 == 1 && Some(*number) != without) {
                if counter.admit(unit(number)).unwrap() {
                    seen[number as usize].push(period);
                }
            }
            close(&mut counter, &mut random).unwrap();
        }
        seen
    };
    let all = run(None);
    assert!(all.iter().all(|pattern| allowed.contains(pattern)));
    assert_eq!(all[255], [0, 2, 4]);
    let mut fewer = run(Some(255));
    assert!(fewer[255].is_empty());
    fewer[255].clone_from(&all[255]);
    assert_eq!(fewer, all);
}

#[test]
fn a_period_closes_once_whatever_storage_does() {
    let mut counter = counter(3, 1, 1, "0.001", 5);
    let mut random = RecordedRandom::from_seed("closes once");
    counter.admit(unit(1)).unwrap();
    let mut kept = Vec::new();
    #[derive(Debug, PartialEq)]
    enum Failed {
        Disk,
        Counter(ContinualError),
    }
    impl From<ContinualError> for Failed {
        fn from(error: ContinualError) -> Self {
            Self::Counter(error)
        }
    }
    for attempt in 0..3 {
        let failed = counter.close(&key(), attempt, &mut random, |state| {
            kept.push(state.to_vec());
            Err(Failed::Disk)
        });
        assert_eq!(failed, Err(Failed::Disk));
        assert_eq!((counter.released(0), counter.period()), (None, Some(1)));
    }
    let released = counter.close(&key(), 9, &mut random, |_| Ok::<(), Failed>(())).unwrap();
    assert_eq!(counter.released(0), Some(released));
    // What may have been written by a failed attempt holds the same value.
    for (index, state) in (0..).zip(&kept) {
        assert_eq!(Counter::open(state, &key(), index).unwrap().released(0), Some(released));
    }
    let periods = [(); 2].map(|()| close(&mut counter, &mut random).unwrap().period);
    assert_eq!((periods, counter.period()), ([1, 2], None));
    let ended = ContinualError::Ended { horizon: 3 };
    assert_eq!(close(&mut counter, &mut random), Err(ended));
    assert_eq!(counter.admit(unit(2)), Err(ended));
    assert_eq!(counter.close(&key(), 9, &mut random, |_| Err(Failed::Disk)), Err(Failed::Counter(ended)));
    assert_eq!(counter.released(0), Some(released));
}

#[test]
fn a_full_counter_releases_nothing_more() {
    let mut counter = counter(5, 5, 1, "1", 2);
    let mut random = RecordedRandom::from_seed("full");
    assert!(counter.admit(unit(1)).unwrap() && counter.admit(unit(2)).unwrap());
    let released = close(&mut counter, &mut random).unwrap();
    assert!(counter.admit(unit(2)).unwrap());
    let full = ContinualError::Full { most: 2 };
    assert_eq!(counter.admit(unit(3)), Err(full));
    let sealed = counter.seal(&key(), 1, &mut random).unwrap();
    for mut counter in [counter, Counter::open(&sealed, &key(), 1).unwrap()] {
        assert_eq!(counter.admit(unit(1)), Err(full));
        assert_eq!(close(&mut counter, &mut random), Err(full));
        assert_eq!(counter.released(0), Some(released));
    }
}

#[test]
fn a_state_goes_on_as_if_nothing_had_happened() {
    let mut random = RecordedRandom::from_seed("goes on");
    let mut straight = counter(12, 4, 2, "0.3", 50);
    let mut restarted = counter(12, 4, 2, "0.3", 50);
    for period in 0..12_u32 {
        for number in (0..50).filter(|number| number % (period + 1) == 0) {
            assert_eq!(straight.admit(unit(number)), restarted.admit(unit(number)));
        }
        let sealed = restarted.seal(&key(), period.into(), &mut random).unwrap();
        restarted = Counter::open(&sealed, &key(), period.into()).unwrap();
        let seed = format!("period {period}");
        let released = [&mut straight, &mut restarted].map(|counter| close(counter, &mut RecordedRandom::from_seed(&seed)).unwrap());
        assert_eq!(released[0], released[1]);
    }
    assert!((0..12).all(|period| straight.released(period) == restarted.released(period)));
}

#[test]
fn only_the_same_key_index_and_bytes_open() {
    let mut random = RecordedRandom::from_seed("opens");
    let mut counter = counter(2, 1, 1, "1", 2);
    counter.admit(unit(1)).unwrap();
    close(&mut counter, &mut random).unwrap();
    let sealed = counter.seal(&key(), 7, &mut random).unwrap();
    assert!(Counter::open(&sealed, &key(), 7).is_ok());
    let refused = |sealed: &[u8], key: &StateKey, index| Counter::open(sealed, key, index).unwrap_err() == ContinualError::State;
    for index in [0, 6, 8, 7 << 8, u64::MAX] {
        assert!(refused(&sealed, &key(), index));
    }
    assert!(refused(&sealed, &StateKey::generate(&mut random), 7));
    for bit in 0..8 * sealed.len() {
        let mut wrong = sealed.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(refused(&wrong, &key(), 7), "bit {bit}");
    }
    assert!((0..sealed.len()).all(|end| refused(&sealed[..end], &key(), 7)));
    assert!(refused(&[&sealed[..], &[0]].concat(), &key(), 7));
    let again = StateKey::from_secret((*key().secret()).into());
    assert!(Counter::open(&sealed, &again, 7).is_ok());
}

/// The size tells the plan alone, and two states of one counter share nothing.
#[test]
fn the_size_of_a_state_is_public() {
    let mut random = RecordedRandom::from_seed("size");
    let mut counter = counter(3, 2, 1, "1", 100);
    let empty = counter.seal(&key(), 0, &mut random).unwrap();
    let again = counter.seal(&key(), 0, &mut random).unwrap();
    assert!(empty != again && empty[..12] != again[..12]);
    for period in 0..3 {
        (0..30 * (period + 1)).for_each(|number| assert!(counter.admit(unit(number)).is_ok()));
        assert_eq!(counter.seal(&key(), 0, &mut random).unwrap().len(), empty.len());
        close(&mut counter, &mut random).unwrap();
        assert_eq!(counter.seal(&key(), 0, &mut random).unwrap().len(), empty.len());
    }
}

#[test]
fn wrong_plans_are_refused_by_name() {
    let refusal = |horizon, participations, separation, budget| CounterPlan::new(horizon, participations, separation, rho(budget)).err();
    assert_eq!(refusal(0, 1, 1, "1"), Some(ContinualError::Horizon { found: 0 }));
    assert_eq!(refusal(65_537, 1, 1, "1"), Some(ContinualError::Horizon { found: 65_537 }));
    assert_eq!(refusal(4, 0, 1, "1"), Some(ContinualError::Participations { horizon: 4, found: 0 }));
    assert_eq!(refusal(4, 5, 1, "1"), Some(ContinualError::Participations { horizon: 4, found: 5 }));
    assert_eq!(refusal(4, 1, 0, "1"), Some(ContinualError::Separation { horizon: 4, found: 0 }));
    assert_eq!(refusal(4, 1, 5, "1"), Some(ContinualError::Separation { horizon: 4, found: 5 }));
    assert_eq!(refusal(4, 1, 1, "0"), Some(ContinualError::Noise(DpError::RhoZero)));
    // The widest sigma^2 there is still has its parts below 2^126.
    assert_eq!(refusal(HORIZON_MAX, HORIZON_MAX, 1, "0.000000000001"), None);
    assert_eq!(refusal(HORIZON_MAX, HORIZON_MAX, HORIZON_MAX, "0.000000000001"), None);
    let plan = CounterPlan::new(4, 1, 1, rho("1")).unwrap();
    for units in [0, UNITS_MAX + 1] {
        assert_eq!(Counter::new(plan.clone(), units).err(), Some(ContinualError::Units { found: units }));
    }
}

#[test]
fn nothing_secret_is_shown() {
    let mut counter = counter(4, 1, 1, "0.25", 9);
    counter.admit(unit(0x7777_7777)).unwrap();
    assert_eq!(
        format!("{counter:?} {:?}", key()),
        "Counter(CounterPlan(horizon 4, participations 1, separation 1, rho 0.25), 0 values have left) StateKey(secret)"
    );
}

/// A state of version 1, as it was first written: two periods at rho 0.5, room for two, the second period open.
const OLD_STATE: &str = concat!(
    "b740ca6cd533cc71eb60c82c6ffbec1430534a2b2b5a3c1f96a159d4f96b311f2e5ed6191142939e916664441947197f565c",
    "fd163932163383f3496bdb6c332a0e51b6efa3e1540b339b5312778cca199ce848a7ae4de3472d862a98dabcf0791b659a60",
    "3a58ed0df4cf6956af3fe1474395d011e3589c29cb4dbb0a6be2dce03a9bfa3dbf188410950d999272b129fe9608fe5453f4",
    "33f657550f47473e81721be0b82fed95598d5bad8b3fa5768663569146a6df6eea464e30e8cabe9c",
);

#[test]
fn an_old_state_still_opens() {
    let digit = |at: usize| u8::from_str_radix(&OLD_STATE[at..at + 2], 16).unwrap();
    let sealed = (0..OLD_STATE.len()).step_by(2).map(digit).collect::<Vec<_>>();
    let mut old = Counter::open(&sealed, &key(), 41).unwrap();
    let plan = old.plan();
    assert_eq!((plan.horizon(), plan.participations(), plan.separation(), plan.rho(), old.units()), (2, 1, 1, rho("0.5"), 2));
    let released = old.released(0).unwrap();
    assert_eq!((released.value, released.half_width, old.period(), old.count), (1, 2, Some(1), 1));
    assert!(!old.admit(unit(1)).unwrap() && !old.admit(unit(2)).unwrap());
}
