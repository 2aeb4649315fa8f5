//! Requests on tables in memory: the engine is clean, and engines with a fault are not.

use super::*;
use crate::budget::Loss;
use crate::dataset::{Bounds, Column, ColumnType, Contribution, GridStep, Schema, Unit, Use, Values};
use crate::engine::{Control, Engine, EngineError};
use crate::grade::Grade;
use crate::id::{ColumnName, Decimal, Name};
use crate::plan::{BoundQuery, ExactPart};
use crate::query::{Comparison, Item, Literal, Predicate, Query};

fn name(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

fn column(column: &str, kind: ColumnType, bounds: Option<(i64, i64)>, uses: &[Use]) -> Column {
    let bounds = bounds.map(|(low, high)| Bounds { low, high });
    let uses = uses.iter().copied().collect();
    Column { name: name(column), kind, bounds, values: None, other: None, nullable: false, grade: Grade::L1, uses }
}

fn schema(unit: Unit) -> Schema {
    let all = [Use::Aggregate, Use::Filter, Use::Group];
    let sex = Values::Text(["f", "m"].map(str::to_owned).into());
    let columns = vec![
        Column { values: Some(sex), ..column("sex", ColumnType::Text, None, &all) },
        column("town", ColumnType::Text, None, &[Use::Aggregate, Use::Group, Use::Reveal]),
        Column { nullable: true, ..column("age", ColumnType::Integer, Some((0, 100)), &all[..2]) },
        column("height", ColumnType::Real { step: GridStep::parse("0.5").unwrap() }, Some((100, 440)), &all[..2]),
        column("who", ColumnType::Integer, None, &[]),
    ];
    let contribution = match unit {
        Unit::Row => Contribution::ROW,
        Unit::Column(_) => Contribution { groups_per_unit: 2, rows_per_group: 2, rows_per_unit: Some(3) },
    };
    Schema::new(unit, contribution, columns).unwrap()
}

/// 40 rows of 14 units in three towns.
fn rows(schema: Schema) -> Rows {
    let row = |at: i64| {
        let text = |text: &str| Cell::Text(text.to_owned());
        let age = if at % 7 == 0 { Cell::Null } else { Cell::Number(at * 37 % 110) };
        let town = ["oslo", "oslo", "rome", "lima"][usize::try_from(at * at % 4).unwrap()];
        vec![text(if at % 3 == 0 { "f" } else { "m" }), text(town), age, Cell::Number(300 + at), Cell::Number(at % 14)]
    };
    Rows::new(schema, (0..40).map(row).collect()).unwrap()
}

fn by_row() -> Rows {
    rows(schema(Unit::Row))
}

fn by_unit() -> Rows {
    rows(schema(Unit::Column(name("who"))))
}

fn query(items: Vec<Item>, groups: &[&str]) -> Query {
    Query::new(Name::new("t").unwrap(), items, groups.iter().map(|group| name(group)).collect(), None).unwrap()
}

/// False alarms: 10^-6 for each of a dozen probes.
#[test]
fn requests_of_every_kind_are_clean() {
    let (pure, delta) = (Loss::approx("1", "0").unwrap(), Loss::approx("1", "0.001").unwrap());
    let (rho, rho_delta) = (Loss::zcdp("0.5", "0").unwrap(), Loss::zcdp("0.5", "0.001").unwrap());
    let age = || name("age");
    let decimal = |text: &str| Decimal::parse(text).unwrap();
    let means = query(vec![Item::count_rows(), Item::mean(age()), Item::sum(name("height"))], &["sex"]);
    let spread = query(vec![Item::variance(age()), Item::histogram(age(), ["0", "30", "101"].map(decimal).to_vec())], &[]);
    let towns = query(vec![Item::count_rows(), Item::mean(age())], &["town"]);
    let largest = query(vec![Item::count_rows()], &["town"]).top(0, 1).unwrap();
    let median = query(vec![Item::count_rows(), Item::quantile(age(), decimal("0.5"))], &["sex"]);
    let filter = Predicate::compare(age(), Comparison::Less, Literal::number("50").unwrap());
    let filtered = Query::new(Name::new("t").unwrap(), vec![Item::sum(age())], Vec::new(), Some(filter)).unwrap();
    for (query, price) in [
        (&means, pure),
        (&means, delta),
        (&means, rho),
        (&spread, pure),
        (&towns, delta),
        (&towns, rho_delta),
        (&largest, delta),
        (&median, pure),
        (&median, rho),
        (&filtered, pure),
    ] {
        for rows in [by_row(), by_unit()] {
            let report = RequestProbe::new(query, rows, price).unwrap().seed("clean").runs(200).run().unwrap();
            assert!(report.findings.is_empty(), "{query} {price}\n{report}");
            // 8 of 40 rows or 7 of 14 units left out, and five extreme units.
            assert!([12, 13].contains(&report.pairs), "{query} {}", report.pairs);
        }
    }
}

/// An engine whose sums are a function of the rows alone.
struct Planted(Rows, fn(&BoundQuery, &Rows) -> Vec<i128>);

impl Engine for Planted {
    fn part(&self, bound: &BoundQuery, _: &Control<'_>) -> Result<ExactPart, EngineError> {
        ExactPart::new(bound, (self.1)(bound, &self.0)).ok_or(EngineError::Failed)
    }
}

fn found(query: &Query, rows: Rows, engine: fn(&BoundQuery, &Rows) -> Vec<i128>) -> ProbeReport {
    let probe = RequestProbe::new(query, rows, Loss::approx("1", "0").unwrap()).unwrap().seed("planted").runs(400);
    probe.engine(move |rows| Box::new(Planted(rows.clone(), engine))).run().unwrap()
}

fn number(cell: &Cell) -> i64 {
    if let Cell::Number(number) = cell { *number } else { 0 }
}

#[test]
fn faults_of_an_engine_are_found() {
    let count = query(vec![Item::count_rows()], &[]);
    // Google PR #84: no unit has more than 3 rows in an answer.
    let all_rows = found(&count, by_unit(), |_, rows| vec![rows.rows().len() as i128]);
    assert!(all_rows.found(Check::Sensitivity) && all_rows.found(Check::Distinguishing), "{all_rows}");
    assert!(!found(&count, by_row(), |_, rows| vec![rows.rows().len() as i128]).found(Check::Sensitivity));
    // smartnoise-sdk #621: values that are not clipped.
    let heights = query(vec![Item::sum(name("height"))], &[]);
    let unclipped = found(&heights, by_row(), |_, rows| vec![rows.rows().iter().map(|row| i128::from(number(&row[3]))).sum()]);
    assert!(unclipped.found(Check::Sensitivity), "{unclipped}");
    let clipped =
        found(&heights, by_row(), |_, rows| vec![rows.rows().iter().map(|row| i128::from(number(&row[3]).clamp(100, 440))).sum()]);
    assert!(clipped.findings.is_empty(), "{clipped}");
    // Google #126: the order of rows shows.
    let ordered = found(&heights, by_row(), |_, rows| vec![number(&rows.rows()[0][3]).into()]);
    assert!(ordered.found(Check::Order), "{ordered}");
}

#[test]
fn rows_that_do_not_fit_are_named() {
    let schema = schema(Unit::Row);
    let good = by_row().rows()[0].clone();
    for (at, cell) in [(0, Cell::Null), (0, Cell::Number(1)), (2, Cell::Text("x".into()))] {
        let mut bad = good.clone();
        bad[at] = cell;
        assert_eq!(Rows::new(schema.clone(), vec![good.clone(), bad]), Err(ProbeError::Row { row: 2 }));
    }
    assert_eq!(Rows::new(schema, vec![Vec::new()]), Err(ProbeError::Row { row: 1 }));
}
