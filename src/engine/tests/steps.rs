//! What is paid for besides noise on sums: groups, the largest groups, quantiles; other models and amounts.

use super::memory::{Cell, Memory, Record, row_schema, unit_schema, unit_schema_within};
use super::*;
use crate::budget::{Delta, Epsilon, Loss, Model, Rho};
use crate::dp::Law;
use crate::id::Decimal;
use crate::random::RecordedRandom;

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

/// A row with a town, a code, an x and a y.
fn record(unit: u64, town: &str, code: i64, x: Option<i64>, y: i64) -> Record {
    let x = x.map_or(Cell::Null, Cell::Number);
    let text = |text: &str| Cell::Text(text.to_owned());
    let cells = vec![text("red"), Cell::Number(1), text("a"), x, Cell::Number(y), Cell::Null, Cell::Null, Cell::Null, text(town)];
    Record { unit, cells: [cells, vec![Cell::Number(code)]].concat() }
}

/// Units 0 to 19 in oslo, twice each; 5 in rome; 1 in lima; x from -8 to 11.
fn records() -> Vec<Record> {
    let oslo = (0..40_u64).map(|row| record(row % 20, "oslo", 1, Some(row as i64 % 20 - 8), row as i64 % 12));
    let rome = (20..25_u64).map(|unit| record(unit, "rome", 2, None, 4));
    oslo.chain(rome).chain([record(25, "lima", 3, Some(1), 2)]).collect()
}

fn release(query: &Query, schema: &crate::dataset::Schema, price: Loss, seed: &str) -> (Allocation, Vec<Group>) {
    let bound = BoundQuery::new(query, schema).unwrap();
    let allocation = Allocation::new(&bound, price).unwrap();
    let exact = exact(&bound, Memory::new(schema, &records(), 7), 2);
    let noisy = exact.noise(&allocation, &mut RecordedRandom::from_seed(seed)).unwrap();
    assert!(!noisy.is_cut());
    (allocation, noisy.estimates())
}

fn values(group: &Group) -> Vec<String> {
    group.estimates.iter().map(|estimate| estimate.value.map_or("null".into(), |value| value.to_string())).collect()
}

fn everything() -> Query {
    let x = || column("x");
    let edges = ["-5", "0", "3", "9"].map(decimal).to_vec();
    query(
        vec![
            Item::count_distinct(column("who")),
            Item::dropped(),
            Item::clamped(x()),
            Item::variance(x()),
            Item::deviation(x()),
            Item::histogram(x(), edges),
            Item::quantile(x(), decimal("0.5")),
            Item::quantile(x(), decimal("0")),
            Item::quantile(x(), decimal("1")),
        ],
        &[],
    )
}

/// With so large a price that the noise is 0, everything is the bounded aggregate itself, in both models.
#[test]
fn estimates_without_noise_are_the_aggregates() {
    let schema = unit_schema((3, 1));
    // Two rows of a unit have x apart by 0, so that it does not matter which is kept.
    let kept: Vec<i64> = (0..20).map(|row: i64| (row - 8).clamp(-5, 9)).chain([1]).collect();
    let n = kept.len() as f64;
    let mean = kept.iter().sum::<i64>() as f64 / n;
    let variance = kept.iter().map(|x| (*x as f64 - mean).powi(2)).sum::<f64>() / n;
    let bins = [(-5, -1), (0, 2), (3, 9)].map(|(low, high)| kept.iter().filter(|x| (low..=high).contains(*x)).count().to_string());
    let mut sorted = kept.clone();
    sorted.sort_unstable();
    for price in [Loss::approx("1000000", "0").unwrap(), Loss::zcdp("1000000", "0").unwrap()] {
        let (_, groups) = release(&everything(), &schema, price, "everything");
        let found = values(&groups[0]);
        assert_eq!(found[..3], ["26", "20", "5"], "{price}");
        let near = |text: &str, truth: f64| assert!((text.parse::<f64>().unwrap() - truth).abs() < 2e-6, "{price}: {text} for {truth}");
        near(&found[3], variance);
        near(&found[4], variance.sqrt());
        assert_eq!(found[5..8], bins, "{price}");
        assert_eq!(found[8..], [sorted[10].to_string(), sorted[0].to_string(), sorted[20].to_string()], "{price}");
        for estimate in &groups[0].estimates {
            assert!(estimate.low <= estimate.value && estimate.value <= estimate.high, "{estimate:?}");
            assert!(estimate.low.is_some(), "{estimate:?}");
        }
    }
    let labels = BoundQuery::new(&everything(), &schema).unwrap().labels().to_vec();
    assert_eq!(labels[5..8], ["HISTOGRAM(x) [-5, 0)", "HISTOGRAM(x) [0, 3)", "HISTOGRAM(x) [3, 9]"]);
}

/// A quantile alone says that no interval was paid for, and what to ask for one.
#[test]
fn a_quantile_without_a_histogram_has_no_interval() {
    let query = query(vec![Item::quantile(column("y"), decimal("0.5"))], &[]);
    let (allocation, groups) = release(&query, &row_schema(), Loss::approx("100", "0").unwrap(), "quantile");
    let estimate = &groups[0].estimates[0];
    assert_eq!((estimate.low, estimate.high, estimate.method), (None, None, NO_BINS));
    assert_eq!(allocation.levels(0).len(), 1);
    assert_eq!(allocation.widths(None)[0].method, NO_BINS);
}

/// D/R of rho: 1 for N, 1/2 for a centred sum, 1 for squares.
#[test]
fn shares_of_rho_are_proportional_to_the_ratio() {
    let bound = BoundQuery::new(&query(vec![Item::variance(column("x")), Item::count_rows()], &[]), &row_schema()).unwrap();
    let allocation = Allocation::new(&bound, Loss::zcdp("0.7", "0").unwrap()).unwrap();
    let shares: Vec<_> = allocation.shares().iter().map(ToString::to_string).collect();
    assert_eq!(shares, ["rho 0.2", "rho 0.2", "rho 0.1", "rho 0.2"]);
    let Some(Law::Gaussian(sigma_squared)) = allocation.law(0) else { panic!() };
    assert_eq!((sigma_squared.numerator(), sigma_squared.denominator()), (5, 2));
}

/// Groups that the data say: those of many units are named, those of one are not, in the order of their keys.
#[test]
fn groups_of_unknown_values_are_named_by_their_units() {
    let by_town = query(vec![Item::key(column("town")), Item::count_rows()], &["town"]);
    for price in [Loss::approx("60", "0.000000001").unwrap(), Loss::zcdp("400", "0.000000001").unwrap()] {
        for schema in [row_schema(), unit_schema((1, 2))] {
            let (_, groups) = release(&by_town, &schema, price, "towns");
            let found: Vec<_> = groups.iter().map(|group| (group.key.clone(), values(group))).collect();
            let expected = [("oslo", "40"), ("rome", "5")].map(|(town, rows)| (vec![GroupKey::Text(town.into())], vec![rows.to_owned()]));
            assert_eq!(found, expected, "{price}");
        }
    }
    let least = unit_schema((1, 2)).with_least_units(6).unwrap();
    for price in [Loss::approx("60", "0.000000001").unwrap(), Loss::zcdp("400", "0.000000001").unwrap()] {
        let (_, groups) = release(&by_town, &least, price, "towns");
        assert_eq!(groups.len(), 1, "{price}");
    }
    let by_both = query(vec![Item::count_rows(), Item::count_distinct(column("who"))], &["code", "color", "town"]);
    let (_, groups) = release(&by_both, &unit_schema((2, 2)), Loss::approx("90", "0.000000001").unwrap(), "both");
    let key = groups[0].key.clone();
    assert_eq!(
        (key, values(&groups[0])),
        (vec![GroupKey::Integer(1), GroupKey::Text("red".into()), GroupKey::Text("oslo".into())], vec!["40".into(), "20".into()])
    );
    assert_eq!(groups.len(), 2);
}

/// How often a group of one unit is named: at most delta, which a mutant that skips the choice would pass.
#[test]
fn a_group_of_one_unit_is_named_with_delta_at_most() {
    let by_town = query(vec![Item::count_rows()], &["town"]);
    let schema = row_schema();
    let bound = BoundQuery::new(&by_town, &schema).unwrap();
    let memory = [record(0, "lima", 1, None, 2)];
    for price in [Loss::approx("1", "0.1").unwrap(), Loss::zcdp("0.5", "0.1").unwrap()] {
        let allocation = Allocation::new(&bound, price).unwrap();
        let mut random = RecordedRandom::from_seed("a group of one unit");
        const RUNS: u32 = 4_000;
        let named = (0..RUNS)
            .filter(|_| {
                let exact = exact(&bound, Memory::new(&schema, &memory, 7), 1);
                !exact.noise(&allocation, &mut random).unwrap().estimates().is_empty()
            })
            .count();
        // At most 0.1 of them; 4.9 standard deviations leave 10^-6.
        let most = f64::from(RUNS) * 0.1 + 4.9 * (f64::from(RUNS) * 0.1 * 0.9).sqrt();
        assert!((named as f64) <= most && named > 0, "{price}: {named}");
    }
}

/// The largest groups, declared or not, in the order of their choice.
#[test]
fn the_largest_groups_are_chosen_and_counted() {
    let by_code = query(vec![Item::key(column("code")), Item::count_rows()], &["code"]).top(1, 1).unwrap();
    let schema = unit_schema((2, 2));
    let bound = BoundQuery::new(&by_code, &schema).unwrap();
    // Of one group that is named, a unit has no more than its rows there.
    assert_eq!(bound.vectors()[0].sensitivity(), 2);
    for price in [Loss::approx("90", "0.000000001").unwrap(), Loss::zcdp("900", "0.000000001").unwrap()] {
        let (_, groups) = release(&by_code, &schema, price, "top");
        assert_eq!(
            groups.iter().map(|group| (group.key.clone(), values(group))).collect::<Vec<_>>(),
            [(vec![GroupKey::Integer(1)], vec!["40".into()])]
        );
    }
    let declared = query(vec![Item::count_rows()], &["shape"]).top(0, 1).unwrap();
    let refused = BoundQuery::new(&declared, &schema).unwrap_err().to_string();
    assert_eq!(refused, "the column shape cannot stand in ORDER BY ... LIMIT: its uses do not include reveal");
}

/// Automatic bounds cover what many rows have and miss lone extremes.
#[test]
fn automatic_bounds_are_where_counts_stand_out() {
    let query = query(vec![Item::range(column("x"))], &[]);
    let (_, groups) = release(&query, &row_schema(), Loss::approx("100", "0").unwrap(), "range");
    let [low, high] = [0, 1].map(|at| groups[0].estimates[at].value.unwrap());
    assert!(low <= decimal("-8") && low >= decimal("-16") && high >= decimal("11") && high <= decimal("16"), "{low} {high}");
}

#[test]
fn amounts_of_items_are_kept_and_the_rest_is_shared() {
    let items = || vec![Item::count_rows().priced(decimal("0.1")), Item::sum(column("y")), Item::sum(column("x"))];
    let bound = BoundQuery::new(&query(items(), &[]), &row_schema()).unwrap();
    let shares = |price: &str| {
        Allocation::new(&bound, Loss::approx(price, "0").unwrap())
            .map(|allocation| allocation.shares().iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(shares("1").unwrap(), ["epsilon 0.1", "epsilon 0.3842", "epsilon 0.5158"]);
    assert!(matches!(shares("0.05"), Err(AllocationError::Amounts { .. })));
    assert!(matches!(shares("0.1"), Err(AllocationError::Small { .. })));
    let all = BoundQuery::new(&query(vec![Item::mean(column("y")).priced(decimal("0.5"))], &[]), &row_schema()).unwrap();
    let allocation = |price: &str| Allocation::new(&all, Loss::approx(price, "0").unwrap());
    assert!(allocation("0.5").is_ok() && allocation("0.6").is_err() && allocation("0.4").is_err());
    // An item that shares a vector with a dearer one pays nothing more for it.
    let shared = vec![Item::mean(column("y")).priced(decimal("0.5")), Item::count(column("y")).priced(decimal("0.1"))];
    let shared = BoundQuery::new(&query(shared, &[]), &row_schema()).unwrap();
    assert!(Allocation::new(&shared, Loss::approx("0.5", "0").unwrap()).is_ok());
}

#[test]
fn a_delta_is_used_or_refused() {
    let counts = BoundQuery::new(&query(vec![Item::count_rows()], &[]), &row_schema()).unwrap();
    let by_town = BoundQuery::new(&query(vec![Item::count_rows()], &["town"]), &row_schema()).unwrap();
    let quantile = BoundQuery::new(&query(vec![Item::quantile(column("y"), decimal("0.5"))], &[]), &row_schema()).unwrap();
    let new = |bound: &BoundQuery, price: Loss| Allocation::new(bound, price).map(drop);
    let (pure, approx) = (Loss::approx("1", "0").unwrap(), Loss::approx("1", "0.000001").unwrap());
    let (rho, rho_delta) = (Loss::zcdp("1", "0").unwrap(), Loss::zcdp("1", "0.000001").unwrap());
    assert_eq!([new(&counts, pure), new(&counts, approx), new(&counts, rho)], [Ok(()), Ok(()), Ok(())]);
    assert_eq!(new(&counts, rho_delta), Err(AllocationError::DeltaUnused));
    assert_eq!([new(&by_town, pure), new(&by_town, rho)], [Err(AllocationError::DeltaNeeded), Err(AllocationError::DeltaNeeded)]);
    assert_eq!([new(&by_town, approx), new(&by_town, rho_delta)], [Ok(()), Ok(())]);
    assert_eq!([new(&quantile, pure), new(&quantile, approx)], [Ok(()), Err(AllocationError::DeltaUnused)]);
}

/// With a delta each draw does the same work: as many bytes are drawn whatever comes out.
#[test]
fn noise_under_a_delta_draws_the_same_number_of_words() {
    let schema = row_schema();
    let bound = BoundQuery::new(&query(vec![Item::count_rows(), Item::mean(column("y"))], &["color"]), &schema).unwrap();
    let allocation = Allocation::new(&bound, Loss::approx("0.5", "0.000001").unwrap()).unwrap();
    let words = |seed: &str, records: &[Record]| {
        let mut random = RecordedRandom::from_seed(seed);
        exact(&bound, Memory::new(&schema, records, 7), 1).noise(&allocation, &mut random).unwrap();
        random.drawn()
    };
    let expected = words("a", &records());
    assert!(expected > 0);
    for seed in ["b", "c", "d", "e"] {
        assert_eq!(words(seed, &[]), expected);
    }
}

/// Many items under one price with a delta: as a plan, each gets half as much again as of a sum, and the plan still seals to
/// the price.
#[test]
fn many_steps_are_sealed_as_one_plan() {
    use crate::dp::accountant::plan::{CompositionPlan, CompositionStep as Loss1};
    let named = |at: usize| column(&format!("c{at}"));
    let columns = (0..64).map(|at| crate::dataset::Column { name: named(at), ..row_schema().columns()[3].clone() });
    let schema = crate::dataset::Schema::new(crate::dataset::Unit::Row, Contribution::ROW, columns.collect()).unwrap();
    let items = |count: usize| query((0..count).map(|at| Item::count(named(at))).collect(), &[]);
    let allocation = |count: usize, price: Loss| Allocation::new(&BoundQuery::new(&items(count), &schema).unwrap(), price).unwrap();
    let price = Loss::approx("1", "0.000001").unwrap();
    let planned = allocation(64, price);
    assert!(planned.is_planned() && planned.price() == price);
    let mut plan = CompositionPlan::new();
    for share in planned.shares() {
        let Loss::Approx { epsilon, delta } = *share else { panic!() };
        assert!(epsilon > Epsilon::parse("0.0203").unwrap(), "{epsilon}");
        plan.add(Loss1::approximate(epsilon, delta), 1).unwrap();
    }
    let Ok(Loss::Approx { epsilon, delta }) = plan.seal(Delta::parse("0.000001").unwrap()) else { panic!() };
    assert!(epsilon <= Epsilon::parse("1").unwrap() && delta == Delta::parse("0.000001").unwrap());
    // Few steps, no delta, or rho: a sum.
    for (count, price) in [(8, price), (64, Loss::approx("1", "0").unwrap()), (64, Loss::zcdp("1", "0").unwrap())] {
        assert!(!allocation(count, price).is_planned());
    }
}

/// The least price for a width: enough, and a step less is not.
#[test]
fn a_price_for_a_width_is_the_least() {
    let bound =
        BoundQuery::new(&query(vec![Item::count_rows(), Item::sum(column("y")), Item::mean(column("y"))], &["color"]), &row_schema())
            .unwrap();
    for (model, delta) in [(Model::Approx, "0"), (Model::Approx, "0.000001"), (Model::Zcdp, "0")] {
        let delta = Delta::parse(delta).unwrap();
        let price = bound.price_for(decimal("12"), None, model, delta).unwrap();
        let halves =
            |price| Allocation::new(&bound, price).unwrap().widths(None).into_iter().filter_map(|width| width.half).collect::<Vec<_>>();
        assert!(halves(price).iter().all(|half| *half <= decimal("12")), "{price}");
        let less = match price {
            Loss::Approx { epsilon, delta } => {
                Loss::Approx { epsilon: Epsilon::from_units(epsilon.units() / 1_000_000 * 999_000).unwrap(), delta }
            }
            Loss::Zcdp { rho, delta } => Loss::Zcdp { rho: Rho::from_units(rho.units() / 1_000_000 * 999_000).unwrap(), delta },
        };
        assert!(halves(less).iter().any(|half| *half > decimal("12")), "{price}");
        let counts = bound.price_for(decimal("12"), Some("COUNT(*)"), model, delta).unwrap();
        assert!(format!("{counts}").len() <= 40 && bound.price_for(decimal("12"), Some("AVG(y)"), model, delta).is_err());
    }
    assert_eq!(bound.price_for(decimal("-1"), None, Model::Approx, Delta::ZERO), Err(PriceError::NotEnough));
}

#[test]
fn what_does_not_fit_is_named() {
    let of = |items: Vec<Item>, groups: &[&str]| BoundQuery::new(&query(items, groups), &unit_schema((1, 1))).unwrap_err().to_string();
    let rows = |items: Vec<Item>| BoundQuery::new(&query(items, &[]), &row_schema()).unwrap_err().to_string();
    let x = || column("x");
    for (found, message) in [
        (
            of(vec![Item::variance(column("wide"))], &[]),
            "VAR_POP needs bounds within 2^40 steps of their middle, those of the column wide are wider: a coarser step helps",
        ),
        (of(vec![Item::quantile(column("size"), decimal("0.5"))], &[]), "QUANTILE needs bounds, the column size declares none"),
        (of(vec![Item::clamped(column("size"))], &[]), "CLAMPED needs bounds, the column size declares none"),
        (of(vec![Item::range(column("note"))], &[]), "BOUNDS needs a number, the column note is text"),
        (
            of(vec![Item::histogram(x(), Vec::new())], &[]),
            "HISTOGRAM needs edges or declared values, the column x has neither: write HISTOGRAM(x, 0, 10, 20)",
        ),
        (of(vec![Item::count_distinct(x())], &[]), "COUNT(DISTINCT) counts privacy units, and x is not the unit column"),
        (
            rows(vec![Item::count_distinct(x())]),
            "COUNT(DISTINCT) is about units of several rows, and the unit of this dataset is a row: write COUNT(*)",
        ),
        (rows(vec![Item::dropped()]), "DROPPED(*) is about units of several rows, and the unit of this dataset is a row: write COUNT(*)"),
        (of(vec![Item::quantile(x(), decimal("0.5"))], &["town"]), "quantiles of the column x need groups of declared values"),
    ] {
        assert_eq!(found, message);
    }
}

/// A total for all groups binds where it is less than groups times rows.
#[test]
fn the_total_of_a_unit_bounds_its_rows() {
    let contribution = Contribution { groups_per_unit: 3, rows_per_group: 4, rows_per_unit: Some(5) };
    let bound = BoundQuery::new(&query(vec![Item::count_rows()], &["color"]), &unit_schema_within(contribution)).unwrap();
    assert_eq!((bound.vectors()[0].sensitivity(), bound.vectors()[0].squared_sensitivity()), (5, Some(17)));
}
