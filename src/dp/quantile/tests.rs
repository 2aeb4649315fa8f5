//! Choices against exact probabilities; each comparison of frequencies has a false-alarm rate below 10^-6.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::BTreeMap;

use super::*;
use crate::random::RecordedRandom;

fn mechanism(ranks: &[(u64, u64)], rows_of_unit: u64, epsilon: &str) -> QuantileMechanism {
    QuantileMechanism::new(ranks, rows_of_unit, Loss::approx(epsilon, "0").unwrap()).unwrap()
}

/// The law of one choice.
fn law_of(choice: &Choice<'_>, stretch: Stretch) -> Vec<(u64, f64)> {
    let weights = (stretch.low..=stretch.high).map(|point| (point, (-choice.exponent(point)).exp())).collect::<Vec<_>>();
    let total = weights.iter().map(|(_, weight)| weight).sum::<f64>();
    weights.into_iter().map(|(point, weight)| (point, weight / total)).collect()
}

/// How a choice is changed in a test.
type Change = fn(Choice<'_>, Rank) -> Choice<'_>;

fn unchanged(choice: Choice<'_>, _: Rank) -> Choice<'_> {
    choice
}

/// The law of all points together, by enumeration; `change` may spoil each choice.
fn joint(mechanism: &QuantileMechanism, table: &Table<'_>, change: Change) -> BTreeMap<Vec<u64>, f64> {
    struct Task {
        level: usize,
        ranks: Range<usize>,
        stretch: Stretch,
        ends: (Rank, Rank),
    }
    fn visit(
        mechanism: &QuantileMechanism,
        table: &Table<'_>,
        change: Change,
        mut tasks: Vec<Task>,
        points: &mut Vec<u64>,
        reached: f64,
        found: &mut BTreeMap<Vec<u64>, f64>,
    ) {
        let Some(Task { level, ranks, stretch, ends }) = tasks.pop() else {
            *found.entry(points.clone()).or_default() += reached;
            return;
        };
        if ranks.is_empty() {
            return visit(mechanism, table, change, tasks, points, reached, found);
        }
        if table.slot(stretch.low) == table.slot(stretch.high) {
            points[ranks].fill(stretch.low);
            return visit(mechanism, table, change, tasks, points, reached, found);
        }
        let middle = ranks.start + ranks.len() / 2;
        let rank = mechanism.ranks[middle];
        let inner = rank.within(ends.0, ends.1);
        let choice = change(mechanism.choice(level, inner, table, stretch), inner);
        for (point, probability) in law_of(&choice, stretch) {
            points[middle] = point;
            let (below, above) = stretch.split(point);
            let mut next = tasks.iter().map(|task| Task { ranks: task.ranks.clone(), ..*task }).collect::<Vec<_>>();
            next.push(Task { level: level + 1, ranks: ranks.start..middle, stretch: below, ends: (ends.0, rank) });
            next.push(Task { level: level + 1, ranks: middle + 1..ranks.end, stretch: above, ends: (rank, ends.1) });
            visit(mechanism, table, change, next, points, reached * probability, found);
        }
    }
    let all = Task { level: 0, ranks: 0..mechanism.ranks.len(), stretch: Stretch::whole(table), ends: (Rank::ZERO, Rank::ONE) };
    let mut found = BTreeMap::new();
    visit(mechanism, table, change, vec![all], &mut vec![0; mechanism.ranks.len()], 1.0, &mut found);
    found
}

fn assert_frequencies<T: Ord + std::fmt::Debug>(name: &str, expected: &BTreeMap<T, f64>, draws: u32, mut draw: impl FnMut() -> T) {
    assert!((expected.values().sum::<f64>() - 1.0).abs() < 1e-9, "{name}");
    let mut found = expected.keys().map(|key| (key, 0.0)).collect::<BTreeMap<_, _>>();
    for _ in 0..draws {
        *found.get_mut(&draw()).unwrap() += 1.0;
    }
    // Outcomes of fewer than 8 expected draws are one.
    let (mut statistic, mut freedom, mut rare) = (0.0_f64, -1.0_f64, (0.0, 0.0));
    for (key, probability) in expected {
        let wanted = probability * f64::from(draws);
        if wanted < 8.0 {
            rare = (rare.0 + wanted, rare.1 + found[key]);
        } else {
            statistic += (found[key] - wanted).powi(2) / wanted;
            freedom += 1.0;
        }
    }
    if rare.0 >= 8.0 {
        statistic += (rare.1 - rare.0).powi(2) / rare.0;
        freedom += 1.0;
    }
    assert!(statistic < freedom + 2.0 * (freedom * 13.82).sqrt() + 2.0 * 13.82, "{name}: {statistic} at {freedom}");
}

#[test]
fn one_choice_follows_its_weights() {
    let mut random = RecordedRandom::from_seed("one_choice_follows_its_weights");
    for (counts, rank, epsilon) in [
        (&[4, 0, 0, 7, 1][..], (1, 2), "2"),
        (&[0, 40, 3, 0, 9], (1, 4), "0.3"),
        (&[0, 0, 900, 100_000, 5], (9, 10), "0.001"),
        (&[0, 0, 0], (1, 3), "1"),
        (&[5, 0, 5], (0, 1), "1"),
        (&[5, 0, 5], (1, 1), "1"),
    ] {
        let table = Table::new(counts, 2);
        let stretch = Stretch::whole(&table);
        let choice = mechanism(&[rank], 1, epsilon).choice(0, Rank::new(rank).unwrap(), &table, stretch);
        let expected = law_of(&choice, stretch).into_iter().collect();
        assert_frequencies(&format!("{counts:?} {rank:?}"), &expected, 6_000, || choice.draw(&mut random));
    }
}

#[test]
fn all_choices_together_follow_their_law() {
    let mut random = RecordedRandom::from_seed("all_choices_together_follow_their_law");
    for (counts, ranks) in
        [(&[6, 0, 2][..], &[(1, 4), (1, 2), (3, 4)][..]), (&[1, 9], &[(2, 3), (1, 3)]), (&[0, 0], &[(0, 1), (1, 1), (1, 2)])]
    {
        let table = Table::new(counts, 1);
        let mechanism = mechanism(ranks, 1, "1.5");
        let expected = joint(&mechanism, &table, unchanged);
        assert_frequencies(&format!("{counts:?}"), &expected, 8_000, || mechanism.points(&table, &mut random));
    }
}

/// The most that any outcome's log probability changes between neighbours, over all tables of three slots with up to
/// `most` rows each.
fn largest_loss(mechanism: &QuantileMechanism, rows: u64, most: u64, tie_bits: u32, change: Change) -> f64 {
    let tables = || (0..=most).flat_map(|a| (0..=most).flat_map(move |b| (0..=most).map(move |c| [a, b, c])));
    let laws = tables().map(|counts| (counts, joint(mechanism, &Table::new(&counts, tie_bits), change))).collect::<BTreeMap<_, _>>();
    let mut largest = 0.0_f64;
    for (counts, law) in &laws {
        for removed in tables().filter(|removed| (1..=rows).contains(&removed.iter().sum::<u64>())) {
            let fewer = [0, 1, 2].map(|slot| counts[slot].checked_sub(removed[slot]));
            let [Some(a), Some(b), Some(c)] = fewer else { continue };
            let other = &laws[&[a, b, c]];
            assert!(law.keys().eq(other.keys()), "outcomes depend on data");
            for (probability, other) in law.values().zip(other.values()) {
                largest = largest.max((probability / other).ln().abs());
            }
        }
    }
    largest
}

#[test]
fn neighbours_differ_by_epsilon_at_most() {
    for (ranks, rows, most, tie_bits) in [
        (&[(1, 2)][..], 1, 3, 2),
        (&[(1, 4)], 1, 3, 2),
        (&[(9, 10)], 2, 3, 1),
        (&[(1, 3), (2, 3)], 1, 3, 1),
        (&[(1, 4), (1, 2), (3, 4)], 1, 3, 1),
        (&[(1, 10), (1, 2), (3, 4)], 2, 2, 1),
        (&[(0, 1), (1, 1), (2, 5)], 2, 3, 0),
    ] {
        let mechanism = mechanism(ranks, rows, "1.5");
        let loss = largest_loss(&mechanism, rows, most, tie_bits, unchanged);
        assert!(loss <= 1.5 + 1e-9, "{ranks:?}: {loss}");
        assert!(loss >= 0.3, "{ranks:?}: {loss} is too little to be a test");
    }
}

/// A sensitivity of 1, or of the smaller of a and b - a, is not enough, nor is one row where a unit has two.
#[test]
fn the_check_of_neighbours_finds_too_small_a_sensitivity() {
    let quarter = mechanism(&[(1, 4)], 1, "1.5");
    let smaller: Change = |choice, rank| {
        let unit = 2 * u128::from(rank.numerator.min(rank.denominator - rank.numerator)) * 1_000_000_000_000;
        choice.with_unit(unit)
    };
    assert!(largest_loss(&quarter, 1, 3, 1, smaller) > 1.6);
    assert!(largest_loss(&quarter, 2, 3, 1, unchanged) > 1.6);
    // Three rescaled ranks, the first level alone right.
    let three = mechanism(&[(1, 10), (1, 2), (3, 4)], 1, "1.5");
    assert!(largest_loss(&three, 1, 3, 1, smaller) > 1.6);
}

/// At epsilon 1/4 a level, 250 rows off are an exponent of 50 or more: below 10^-18 for all of the 1,000 slots.
#[test]
fn deciles_of_ten_thousand_rows_are_near() {
    let counts = [10; 1_000];
    let ranks = (1..10).map(|decile| (decile, 10)).collect::<Vec<_>>();
    let mechanism = mechanism(&ranks, 1, "1");
    assert_eq!(mechanism.levels().len(), 4);
    let mut random = RecordedRandom::from_seed("deciles_of_ten_thousand_rows_are_near");
    for _ in 0..20 {
        let slots = mechanism.choose(&counts, &mut random);
        for (slot, decile) in slots.iter().zip(1..) {
            assert!(slot.abs_diff(decile * 100) <= 25, "{slots:?}");
        }
    }
}

/// 30 % and 70 % of the rows in two slots: what is chosen for 1/4 after 1/2 needs a split within a slot.
#[test]
fn a_slot_with_many_rows_is_split_in_proportion() {
    let counts = [0, 30_000, 0, 70_000, 0];
    let mechanism = mechanism(&[(1, 4), (1, 2), (3, 4), (29, 100), (31, 100)], 1, "1");
    let mut random = RecordedRandom::from_seed("a_slot_with_many_rows_is_split_in_proportion");
    for _ in 0..20 {
        assert_eq!(mechanism.choose(&counts, &mut random), [1, 3, 3, 1, 3]);
    }
}

#[test]
fn answers_are_in_the_order_of_the_ranks_and_repeatable() {
    let counts = (0..500).map(|slot| u64::from(slot % 7 == 3) * 90).collect::<Vec<_>>();
    let mechanism = mechanism(&[(3, 4), (1, 4), (6, 8), (1, 2)], 2, "0.05");
    let draw = |seed| mechanism.choose(&counts, &mut RecordedRandom::from_seed(seed));
    for seed in ["a", "b", "c"] {
        let slots = draw(seed);
        assert_eq!(slots, draw(seed));
        assert!(slots[1] <= slots[3] && slots[3] <= slots[0] && slots[0] == slots[2], "{slots:?}");
    }
    assert_ne!(draw("a"), draw("b"));
}

#[test]
fn empty_tables_and_single_slots_have_answers() {
    let mut random = RecordedRandom::from_seed("empty_tables_and_single_slots_have_answers");
    let mechanism = mechanism(&[(1, 2), (1, 1)], 1, "1");
    assert_eq!(mechanism.choose(&[], &mut random), [0_usize; 0]);
    assert_eq!(mechanism.choose(&[77], &mut random), [0, 0]);
    // Uniform on four slots: 400 draws within six deviations of a half.
    let median = self::mechanism(&[(1, 2)], 1, "1");
    let halves = (0..400).map(|_| median.choose(&[0, 0, 0, 0], &mut random)[0]).filter(|slot| *slot < 2).count();
    assert!((140..=260).contains(&halves), "{halves}");
    let full = [u64::MAX, u64::MAX];
    assert_eq!(mechanism.choose(&full, &mut random).len(), 2);
}

#[test]
fn a_wide_grid_is_fast_at_any_epsilon() {
    let mut random = RecordedRandom::from_seed("a_wide_grid_is_fast_at_any_epsilon");
    let counts = (0..65_536).map(|slot| slot % 3).collect::<Vec<u64>>();
    for epsilon in ["0.00000001", "0.1", "1000"] {
        let slots = mechanism(&[(1, 4), (1, 2), (3, 4)], 1, epsilon).choose(&counts, &mut random);
        assert!(slots[0] <= slots[1] && slots[1] <= slots[2]);
    }
    assert!(mechanism(&[(1, 2)], 1, "1").choose(&counts, &mut random)[0].abs_diff(32_768) < 100);
}

#[test]
fn levels_sum_to_the_price_at_most() {
    let price = Loss::approx("1", "0.001").unwrap();
    let seven = (1..8).map(|rank| (rank, 8)).collect::<Vec<_>>();
    for (ranks, depth) in [(1, 1), (2, 2), (3, 2), (4, 3), (7, 3)] {
        let levels = QuantileMechanism::new(&seven[..ranks], 1, price).unwrap().levels().to_vec();
        assert_eq!(levels.len(), depth);
        let sum = levels.iter().try_fold(Loss::zero(price.model()), |sum, level| sum.checked_add(level)).unwrap();
        assert_eq!(sum, Loss::approx("1", "0").unwrap(), "{ranks}");
    }
    for rho in ["1", "0.000000000003", "0.1", "1000000"] {
        let price = Loss::zcdp(rho, "0").unwrap();
        let made = QuantileMechanism::new(&seven, 1, price).unwrap();
        let sum = made.levels().iter().try_fold(Loss::zero(price.model()), |sum, level| sum.checked_add(level)).unwrap();
        assert!(sum.fits_in(&price), "{sum} of {price}");
        for (epsilon, level) in made.epsilons.iter().zip(made.levels()) {
            assert_eq!(*level, Loss::Zcdp { rho: Rho::of_bounded_range(*epsilon).unwrap(), delta: Delta::ZERO });
            // One unit more would be too much, or is no epsilon.
            let more = Epsilon::from_units(epsilon.units() + 1).and_then(Rho::of_bounded_range);
            let Loss::Zcdp { rho, .. } = price else { unreachable!() };
            assert!(more.is_none_or(|more| more.units() > rho.units() / 3), "{epsilon}");
        }
    }
}

#[test]
fn wrong_parameters_are_refused_by_name() {
    let new = |ranks: &[(u64, u64)], rows, price: &Loss| QuantileMechanism::new(ranks, rows, *price).map(|_| ());
    let one = Loss::approx("1", "0").unwrap();
    assert_eq!(new(&[], 1, &one), Err(DpError::Candidates { needed: 1, found: 0 }));
    for rank in [(1, 0), (3, 2), (1, (1 << 20) + 1)] {
        assert_eq!(new(&[(1, 2), rank], 1, &one), Err(DpError::Rank));
    }
    assert_eq!(new(&[(1, 1 << 20)], 1, &one), Ok(()));
    assert_eq!(new(&[(1, 2)], 0, &one), Err(DpError::SensitivityZero));
    assert_eq!(new(&[(1, 2)], 1 << 20, &one), Ok(()));
    assert_eq!(new(&[(1, 2)], (1 << 20) + 1, &one), Err(DpError::Rows { found: (1 << 20) + 1 }));
    assert_eq!(new(&[(1, 2)], 1, &Loss::approx("0", "0").unwrap()), Err(DpError::EpsilonZero));
    assert_eq!(new(&[(1, 3), (2, 3)], 1, &Loss::approx("0.000000000001", "0").unwrap()), Err(DpError::EpsilonZero));
    assert_eq!(new(&[(1, 2)], 1, &Loss::zcdp("0", "0").unwrap()), Err(DpError::RhoZero));
}

/// The widest ranks, rows and counts that are let in.
#[test]
fn the_largest_numbers_fit() {
    let most = 1 << 20;
    let ranks = [(1, most), (1, most - 1), (1, most - 3), (most - 4, most - 3), (most - 2, most - 1), (most - 1, most)];
    let mut random = RecordedRandom::from_seed("the_largest_numbers_fit");
    for epsilon in ["0.000000000003", "1", "1000000"] {
        let mechanism = mechanism(&ranks, most, epsilon);
        assert_eq!(mechanism.choose(&[u64::MAX / 4, 3, u64::MAX / 4, 0, u64::MAX / 4], &mut random).len(), 6);
    }
}
