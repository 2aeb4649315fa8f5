//! From a query to estimates: what is refused, how the price is divided, what comes out.

use super::memory::{Cell, Memory, Record, row_schema, unit_schema};
use super::*;
use crate::budget::{Epsilon, Loss};
use crate::dataset::{Bounds, Column, ColumnType, Contribution, GridStep, Schema, Unit, Use, Uses, Values};
use crate::dp::interval;
use crate::grade::Grade;
use crate::id::Decimal;
use crate::query::{Comparison, Literal, Predicate};
use crate::random::RecordedRandom;

fn error(query: &Query) -> String {
    BoundQuery::new(query, &unit_schema((1, 1))).unwrap_err().to_string()
}

fn filtered(column_name: &str, value: Literal) -> Query {
    let filter = Predicate::compare(column(column_name), Comparison::Less, value);
    Query::new(Name::new("t").unwrap(), vec![Item::count_rows()], Vec::new(), Some(filter)).unwrap()
}

#[test]
fn what_does_not_fit_is_named_before_the_charge() {
    let sum = |name| query(vec![Item::sum(column(name))], &[]);
    for (query, message) in [
        (sum("salary"), "the dataset has no column salary"),
        (sum("note"), "SUM needs a number, the column note is text"),
        (sum("size"), "SUM needs bounds, the column size declares none"),
        (query(vec![Item::mean(column("size"))], &[]), "AVG needs bounds, the column size declares none"),
        (query(vec![Item::count(column("who"))], &[]), "the column who cannot stand in COUNT: its uses do not include aggregate"),
        (query(vec![Item::count_rows()], &["x"]), "the column x cannot stand in GROUP BY: its uses do not include group"),
        (filtered("who", Literal::number("1").unwrap()), "the column who cannot stand in WHERE: its uses do not include filter"),
        (filtered("size", Literal::text("SECRET")), "the column size is integer: compare it with a number"),
        (filtered("y", Literal::text("SECRET")), "the column y is real: compare it with a number"),
        (filtered("note", Literal::number("31337").unwrap()), "the column note is text: compare it with text"),
    ] {
        assert_eq!(error(&query), message);
    }
    let mixed = Predicate::is_in(column("x"), [Literal::number("1").unwrap(), Literal::text("SECRET")]);
    let mixed = Query::new(Name::new("t").unwrap(), vec![Item::count_rows()], Vec::new(), Some(mixed)).unwrap();
    assert_eq!(error(&mixed), "the column x is integer: compare it with a number");
}

/// Two columns of so many texts of a length.
fn keys(values: i64, length: usize) -> [Column; 2] {
    ["a", "b"].map(|name| Column {
        name: column(name),
        kind: ColumnType::Text,
        bounds: None,
        values: Some(Values::Text((0..values).map(|value| format!("{value:0length$}")).collect())),
        other: None,
        nullable: false,
        grade: Grade::L1,
        uses: [Use::Aggregate, Use::Group].into_iter().collect::<Uses>(),
    })
}

#[test]
fn too_many_groups_and_too_long_answers_are_refused_when_quoted() {
    let of = |values, length| Schema::new(Unit::Row, Contribution::ROW, keys(values, length).into()).unwrap();
    let counts = query(vec![Item::count_rows()], &["a", "b"]);
    let bound = |values, length| BoundQuery::new(&counts, &of(values, length)).map(|bound| bound.cells());
    assert_eq!(bound(1025, 4), Err(BindError::Cells { found: 1025 * 1025, most: 1 << 20 }));
    assert_eq!(bound(1024, 4), Err(BindError::AnswerSize { found: (1 << 20) * (160 + 2 * (4 + 8)), most: 16 << 20 }));
    assert_eq!(bound(300, 4), Ok(Some(90_000)));
    assert_eq!(bound(300, 100), Err(BindError::AnswerSize { found: 90_000 * (160 + 2 * (100 + 8)), most: 16 << 20 }));
}

#[test]
fn the_split_is_exact_and_public() {
    // N, N of x and S of x: 1 : 1 : (1/2)^(2/3), whatever the order of the items.
    let items = [Item::mean(column("x")), Item::count_rows(), Item::sum(column("x"))];
    let reversed: Vec<_> = items.iter().rev().cloned().collect();
    for items in [items.to_vec(), reversed] {
        let bound = BoundQuery::new(&query(items, &["color"]), &row_schema()).unwrap();
        let kinds: Vec<_> = bound.vectors().iter().map(|vector| vector.kind().clone()).collect();
        let x = column("x");
        assert_eq!(kinds, [VectorKind::Rows, VectorKind::Present { column: x.clone() }, VectorKind::Sum { column: x, centre: 2 }]);
        assert_eq!(bound.vectors()[2].sensitivity(), 7);
        let allocation = Allocation::new(&bound, Loss::approx("1", "0").unwrap()).unwrap();
        let shares: Vec<_> = allocation.shares().iter().map(ToString::to_string).collect();
        assert_eq!(shares, ["epsilon 0.380233", "epsilon 0.380233", "epsilon 0.239534"]);
    }
    for price in ["0.2", "0.123456789", "1000000", "0.000004", "0.000003001"] {
        let price = Epsilon::parse(price).unwrap();
        let bound = BoundQuery::new(&query(vec![Item::mean(column("y")), Item::sum(column("x"))], &[]), &row_schema()).unwrap();
        let shares = Allocation::new(&bound, Loss::pure(price)).map(|allocation| allocation.shares().to_vec());
        if let Ok(shares) = shares {
            let units = |share: &Loss| if let Loss::Approx { epsilon, .. } = share { epsilon.units() } else { 0 };
            assert_eq!(shares.iter().map(units).sum::<u64>(), price.units());
            assert!(shares.iter().all(|share| units(share) > 0));
        } else {
            assert!(price.units() < 5_000_000, "{price}");
        }
    }
}

#[test]
fn prices_that_cannot_be_divided_are_refused() {
    let bound = BoundQuery::new(&query(vec![Item::mean(column("y"))], &[]), &row_schema()).unwrap();
    let refused = |price: &str| Allocation::new(&bound, Loss::approx(price, "0").unwrap()).unwrap_err().to_string();
    assert_eq!(refused("0.0000000001"), "the price epsilon 0.0000000001 has more than 9 decimals");
    assert_eq!(
        refused("0.000001"),
        "the price epsilon 0.000001 is too small for 2 noised sums and choices: each needs a share of at least 0.000001"
    );
    assert_eq!(refused("0"), "the price epsilon 0 is too small for 2 noised sums and choices: each needs a share of at least 0.000001");
    let most = Contribution { groups_per_unit: 1 << 20, rows_per_group: 1 << 20, rows_per_unit: None };
    let columns = [keys(200, 3).to_vec(), unit_schema((1, 1)).columns().to_vec()].concat();
    let schema = Schema::new(Unit::Column(column("who")), most, columns).unwrap();
    let wide = BoundQuery::new(&query(vec![Item::sum(column("wide"))], &["a", "b"]), &schema).unwrap();
    assert_eq!(wide.vectors()[0].sensitivity(), 40_000 << 83);
    assert!(matches!(Allocation::new(&wide, Loss::approx("0.000000001", "0").unwrap()), Err(AllocationError::Noise(_))));
}

/// y is in quarters from 0.5 to 2.25; nulls are only in x.
fn records() -> Vec<Record> {
    let record = |color: &str, x: Option<i64>, y| {
        let x = x.map_or(Cell::Null, Cell::Number);
        let cells = vec![Cell::Text(color.into()), Cell::Null, Cell::Text("a".into()), x, Cell::Number(y), Cell::Null, Cell::Null];
        Record { unit: 0, cells }
    };
    vec![record("red", Some(3), 4), record("red", None, 5), record("green", Some(100), 100), record("mauve", Some(-2), 2)]
}

fn released(query: &Query, epsilon: &str, seed: &str) -> (BoundQuery, Allocation, Vec<Group>) {
    let schema = row_schema();
    let bound = BoundQuery::new(query, &schema).unwrap();
    let allocation = Allocation::new(&bound, Loss::approx(epsilon, "0").unwrap()).unwrap();
    let engine = SnapshotEngine::of_rows(Memory::new(&schema, &records(), 3));
    let exact = engine.aggregate(&bound, &Control::default()).unwrap();
    let groups = exact.noise(&allocation, &mut RecordedRandom::from_seed(seed)).unwrap().estimates();
    (bound, allocation, groups)
}

/// With an epsilon so large that the noise is 0, estimates are the bounded aggregates themselves.
#[test]
fn estimates_without_noise_are_the_aggregates() {
    let x = || column("x");
    let items = vec![
        Item::key(column("color")),
        Item::count_rows(),
        Item::count(x()),
        Item::sum(x()),
        Item::mean(x()),
        Item::sum(column("y")),
        Item::mean(column("y")),
    ];
    let (bound, _, groups) = released(&query(items, &["color"]), "1000000", "no noise");
    assert_eq!(bound.outputs()[0], AnswerColumn::Key(0));
    assert_eq!(bound.outputs()[1..], [0, 1, 2, 3, 4, 5].map(AnswerColumn::Estimate));
    let keys: Vec<_> = groups.iter().map(|group| group.key.clone()).collect();
    let other = GroupKey::Other(Name::new("rest").unwrap());
    assert_eq!(keys, [vec![GroupKey::Text("red".into())], vec![GroupKey::Text("green".into())], vec![other]]);
    let written = |group: &Group| -> Vec<String> {
        group.estimates.iter().map(|estimate| estimate.value.map_or("null".into(), |value| value.to_string())).collect()
    };
    // 100 is clamped to 9 and to 2.25.
    assert_eq!(written(&groups[0]), ["2", "1", "3", "3", "2.25", "1.125"]);
    assert_eq!(written(&groups[1]), ["1", "1", "9", "9", "2.25", "2.25"]);
    assert_eq!(written(&groups[2]), ["1", "1", "-2", "-2", "0.5", "0.5"]);
    for group in &groups {
        let methods: Vec<_> = group.estimates.iter().map(|estimate| estimate.method).collect();
        assert_eq!(methods, ["laplace", "laplace", "laplace-sum", "laplace-ratio", "laplace-sum", "laplace-ratio"]);
        for estimate in &group.estimates {
            assert!(estimate.low <= estimate.value && estimate.value <= estimate.high);
        }
    }
}

/// Groups without rows appear, counts may be negative, and a mean without a positive count is null over all bounds.
#[test]
fn noise_may_leave_less_than_nothing() {
    let items = vec![Item::count_rows(), Item::mean(column("y"))];
    let (_, allocation, groups) = released(&query(items, &["shape", "color"]), "0.1", "less than nothing");
    assert_eq!(groups.len(), 9);
    assert!(groups.iter().any(|group| group.estimates[0].value.unwrap() < Decimal::parse("0").unwrap()));
    let width = interval::half_width(allocation.law(0).unwrap()).steps;
    for group in &groups {
        let [count, mean] = &group.estimates[..] else { panic!() };
        let value = count.value.unwrap();
        assert_eq!(count.high.unwrap().mantissa() - value.mantissa(), value.mantissa() - count.low.unwrap().mantissa());
        assert_eq!(u128::try_from(count.high.unwrap().mantissa() - value.mantissa()).unwrap(), width);
        if mean.value.is_none() {
            assert!(value <= Decimal::parse("0").unwrap());
            assert_eq!((mean.low.unwrap().to_string(), mean.high.unwrap().to_string()), ("0.5".into(), "2.25".into()));
        }
    }
    assert!(groups.iter().any(|group| group.estimates[1].value.is_none()));
}

/// COUNT, SUM and AVG of a column without nulls come from the same two noised sums, so they agree with each other.
#[test]
fn vectors_are_noised_once_and_shared() {
    let y = || column("y");
    let (bound, _, groups) =
        released(&query(vec![Item::count_rows(), Item::count(y()), Item::sum(y()), Item::mean(y())], &["color"]), "0.5", "shared");
    assert_eq!(bound.vectors().len(), 2);
    for group in groups {
        let value = |place: usize| group.estimates[place].value;
        assert_eq!(value(0), value(1));
        if let Some(mean) = value(3)
            && mean > Decimal::parse("0.5").unwrap()
            && mean < Decimal::parse("2.25").unwrap()
        {
            let sum = value(2).unwrap().units(20).unwrap();
            let product = value(0).unwrap().mantissa() * mean.units(20).unwrap();
            assert!((sum - product).abs() <= value(0).unwrap().mantissa() * 10_i128.pow(14), "{group:?}");
        }
    }
}

#[test]
fn widths_are_told_before_anything_is_spent() {
    let y = || column("y");
    let (_, allocation, groups) = released(&query(vec![Item::count_rows(), Item::sum(y()), Item::mean(y())], &[]), "0.5", "widths");
    let widths = allocation.widths(None);
    for (width, estimate) in widths.iter().zip(&groups[0].estimates).take(2) {
        let half = estimate.high.unwrap().units(18).unwrap() - estimate.value.unwrap().units(18).unwrap();
        assert_eq!((width.half.unwrap().units(18), width.method), (Some(half), estimate.method));
    }
    assert_eq!((widths[2].half, widths[2].method), (None, "laplace-ratio"));
    let at = |size| allocation.widths(Some(size))[2].half.unwrap();
    assert!(at(10_000) < at(1_000) && at(1_000) < at(100) && at(100) < at(10));
    assert!(at(0) >= Decimal::parse("0.875").unwrap());
}

/// Noise must be that of the query it is for: another split is refused.
#[test]
fn a_split_of_another_query_is_refused() {
    let schema = row_schema();
    let (count, sum) = (query(vec![Item::count_rows()], &[]), query(vec![Item::sum(column("x"))], &[]));
    let [count, sum] = [count, sum].map(|query| BoundQuery::new(&query, &schema).unwrap());
    let allocation = Allocation::new(&count, Loss::approx("1", "0").unwrap()).unwrap();
    let exact = ExactPart::new(&sum, vec![0]).unwrap().complete();
    assert_eq!(exact.noise(&allocation, &mut RecordedRandom::from_seed("other")).unwrap_err(), ExactError::OtherQuery);
    assert!(ExactPart::new(&sum, vec![0, 0]).is_none());
}

/// Sums far beyond what 38 digits write exactly still come out, rounded outward.
#[test]
fn sums_of_fine_steps_are_cut_outward() {
    let wide = Column {
        name: column("fine"),
        kind: ColumnType::Real { step: GridStep::parse("0.999999999999999999").unwrap() },
        bounds: Some(Bounds { low: i64::MIN, high: i64::MAX }),
        values: None,
        other: None,
        nullable: false,
        grade: Grade::L1,
        uses: [Use::Aggregate].into_iter().collect::<Uses>(),
    };
    let schema = Schema::new(Unit::Row, Contribution::ROW, vec![wide]).unwrap();
    let bound = BoundQuery::new(&query(vec![Item::sum(column("fine")), Item::mean(column("fine"))], &[]), &schema).unwrap();
    let allocation = Allocation::new(&bound, Loss::approx("1000000", "0").unwrap()).unwrap();
    let exact = ExactPart::new(&bound, vec![1 << 40, (1 << 103) + 12_345]).unwrap().complete();
    let groups = exact.noise(&allocation, &mut RecordedRandom::from_seed("fine")).unwrap().estimates();
    for estimate in &groups[0].estimates {
        let value = estimate.value.unwrap();
        let (low, high) = (estimate.low.unwrap(), estimate.high.unwrap());
        assert!(low <= value && value <= high, "{estimate:?}");
        for number in [low, value, high] {
            assert_eq!(Decimal::parse(&number.to_string()), Ok(number));
        }
    }
}
