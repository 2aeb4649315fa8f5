//! The whole path for every kind of question in both models: what is told beforehand, what is charged, what is sealed.
#![cfg(all(feature = "csv", feature = "sql", feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use usufruct::auditor::Auditor;
use usufruct::budget::Loss;
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::gate::{AnswerError, Gate};
use usufruct::holder::Holder;
use usufruct::id::{Decimal, Name, Time};
use usufruct::key::SigningKey;
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::receipt::{Bundle, Release};
use usufruct::right::{Ask, Refusal, Terms, Verified};
use usufruct::space::Space;
use usufruct::table::{CsvOptions, CsvSource};

/// Visitors have up to five visits; two are kept of each day, three of all.
const VISITS: &str = r#"
name = "visits"
data = "visits.csv"
unit = { column = "who" }
contribution = { groups_per_unit = 2, rows_per_group = 2, rows_per_unit = 3 }
reveal_least_units = 3
budget = { model = "zcdp", rho = "30", delta = "0.001", report_delta = "0.000001" }
columns.who = { type = "integer", grade = 3 }
columns.day = { type = "integer", values = [1, 2, 3], grade = 1, use = ["aggregate", "filter", "group", "reveal"] }
columns.money = { type = "real", step = "0.01", bounds = ["0", "50"], nullable = true, grade = 2 }
columns.town = { type = "text", grade = 1, use = ["aggregate", "filter", "reveal"] }
"#;
const PEOPLE: &str = r#"
name = "people"
data = "people.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "30", delta = "0.001" }
columns.age = { type = "integer", bounds = [0, 120], grade = 2 }
columns.sex = { type = "text", values = ["f", "m"], other = "x", nullable = true, grade = 1 }
columns.town = { type = "text", grade = 1, use = ["aggregate", "filter", "reveal"] }
"#;
const TERMS: &str = r#"
kind = "process"
operations = ["count", "count_distinct", "sum", "mean", "variance", "quantile", "histogram", "bounds", "top_k"]
columns = [COLUMNS]
purposes = ["test"]
budget = { BUDGET }
uses = 100
not_after = "2090-01-01T00:00:00Z"
"#;

struct World {
    folder: tempfile::TempDir,
    owner: Owner,
    holder: Holder,
    random: SystemRandom,
}

fn now() -> Time {
    Time::from_unix_s(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

impl World {
    fn new() -> Self {
        let mut random = SystemRandom::new().unwrap();
        let (owner, holder) = (Owner::new(SigningKey::generate(&mut random)), Holder::new(SigningKey::generate(&mut random)));
        Self { folder: tempfile::tempdir().unwrap(), owner, holder, random }
    }

    /// Publishes and grants everything.
    fn right(&mut self, space: &Space, toml: &str, csv: &str, columns: &str, budget: &str) -> Verified {
        let description = DescriptionFile::parse(toml, Path::new("")).unwrap().description;
        let source = CsvSource::from_bytes(csv.as_bytes(), CsvOptions::default(), table_schema(description.schema())).unwrap();
        let card = space.publish(&description, &source, self.owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap().card;
        let terms = Terms::parse(&TERMS.replace("COLUMNS", columns).replace("BUDGET", budget)).unwrap();
        let right = self.owner.grant(&card, self.holder.public(), terms, now(), &mut self.random).unwrap();
        space.grant(right.bytes(), false).unwrap()
    }

    fn request(&mut self, right: &Verified, sql: &str, price: Loss) -> Vec<u8> {
        let ask = Ask::new(Query::sql(sql).unwrap(), price).expiry_s(3_600);
        self.holder.request(right, ask, now(), &mut self.random).unwrap().bytes().to_vec()
    }
}

fn visits() -> String {
    let row = |row: usize| {
        let town = ["oslo", "oslo", "rome", "lima"][row % 400 % 4];
        let money = if row.is_multiple_of(50) { String::new() } else { format!("{}.{:02}", row % 60, row % 100) };
        format!("{},{},{money},{town}\n", row % 400, row % 3 + 1)
    };
    let lonely = "999,1,5,one visitor alone\n";
    format!("who,day,money,town\n{lonely}{}", (0..2_000).map(row).collect::<String>())
}

fn people() -> String {
    let row = |row: usize| format!("{},{},{}\n", row % 100, ["f", "m", "", "d"][row % 4], ["oslo", "rome"][row % 2]);
    format!("age,sex,town\n{}", (0..2_000).map(row).collect::<String>())
}

fn spent(gate: &Gate, name: &str) -> Loss {
    gate.datasets().unwrap().iter().find(|state| state.description.name().as_str() == name).unwrap().balance.spent()
}

/// In units of 10^-9, as no number here is finer.
fn units(number: Decimal) -> i128 {
    number.units(9).unwrap()
}

/// Asks one question and checks everything about its answer but the numbers.
fn ask(world: &mut World, gate: &Gate, right: &Verified, sql: &str, price: Loss) -> Release {
    let name = right.root().name.to_string();
    let request = world.request(right, sql, price);
    let before = spent(gate, &name);
    let quote = gate.quote(&request).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(spent(gate, &name), before, "a quote costs nothing");
    let release = gate.answer(&request).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let answer = release.answer();

    // What was quoted is what is charged, in the answer and in the ledger.
    let after = before.checked_add(&price).unwrap();
    assert_eq!((quote.price, answer.spent, spent(gate, &name)), (price, price, after), "{sql}");
    assert_eq!(answer.remaining, quote.remaining.checked_sub(&price).unwrap());
    assert_eq!(answer.uses_left, quote.uses_left - 1);
    let shares =
        quote.steps.iter().map(|share| share.price).try_fold(Loss::zero(price.model()), |sum, share| sum.checked_add(&share)).unwrap();
    assert!(shares.fits_in(&price), "{sql}: {shares}");
    let amount = |loss: Loss| match loss {
        Loss::Approx { epsilon, .. } => epsilon.units(),
        Loss::Zcdp { rho, .. } => rho.units(),
    };
    assert_eq!(amount(shares), amount(price), "{sql}: nothing of the price is left over");
    for share in &quote.steps {
        let levels = share.levels.iter().try_fold(Loss::zero(price.model()), |sum, level| sum.checked_add(level)).unwrap();
        assert!(levels.fits_in(&share.price));
    }

    // The widths that were quoted are those of the intervals.
    let keys = answer.columns.len() - quote.widths.len();
    let columns: Vec<&str> = answer.columns[keys..].iter().map(Name::as_str).collect();
    assert_eq!(columns, quote.widths.iter().map(|width| width.column.as_str()).collect::<Vec<_>>());
    assert_eq!(answer.grids.len(), columns.len());
    for row in release.rows() {
        assert_eq!((row.key.len(), row.values.len()), (keys, columns.len()));
        for (value, width) in row.values.iter().zip(&quote.widths) {
            assert_eq!(value.method, width.method, "{sql}");
            if let Some(half) = width.half.map(units) {
                let [value, low, high] = [value.value, value.low, value.high].map(|number| units(number.unwrap()));
                assert_eq!((value - low, high - value), (half, half), "{sql}: {}", width.column);
            }
        }
    }
    if let Some(groups) = quote.groups
        && !sql.contains("LIMIT")
    {
        assert_eq!(release.rows().len(), groups, "{sql}");
    }

    // Again: the same bytes, free. The receipt verifies, and the promise is that of the dataset.
    let again = gate.answer(&request).unwrap();
    assert_eq!((again.bytes(), again.receipt()), (release.bytes(), release.receipt()));
    assert_eq!(spent(gate, &name), after);
    let auditor = Auditor::new(world.owner.public().clone());
    let bundle = Bundle { receipt: release.receipt().unwrap().clone(), request, answer: release.bytes().to_vec() };
    assert!(auditor.verify_bundle(&Bundle::decode(&bundle.encode()).unwrap()).unwrap().bound);
    let datasets = gate.datasets().unwrap();
    let dataset = datasets.iter().find(|state| state.description.name().as_str() == name).unwrap();
    assert_eq!(answer.promise, dataset.description.promise());
    release
}

fn number(release: &Release, row: usize, column: usize) -> f64 {
    release.rows()[row].values[column].value.unwrap().to_string().parse().unwrap()
}

/// Within 12 standard deviations and more of the noise, which is passed less than once in 10^9 runs.
fn near(found: f64, truth: f64, by: f64) {
    assert!((found - truth).abs() < by, "{found} is not near {truth}");
}

#[test]
fn every_kind_of_question_in_both_models() {
    let mut world = World::new();
    let space = Space::create_with(
        world.folder.path().join("space"),
        world.owner.signer(),
        world.owner.public(),
        now(),
        usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
    )
    .unwrap();
    let visitors = world.right(&space, VISITS, &visits(), r#""who", "day", "money", "town""#, r#"rho = "25", delta = "0.0005""#);
    let persons = world.right(&space, PEOPLE, &people(), r#""age", "sex", "town""#, r#"epsilon = "25", delta = "0.0005""#);
    let gate = space.gate();
    let (rho, rho_delta) = (Loss::zcdp("1", "0").unwrap(), Loss::zcdp("1", "0.000001").unwrap());
    let (epsilon, epsilon_delta) = (Loss::approx("1", "0").unwrap(), Loss::approx("1", "0.00001").unwrap());
    let (world, gate) = (&mut world, &gate);

    let counts =
        ask(world, gate, &visitors, "SELECT COUNT(*), COUNT(DISTINCT who) AS visitors, DROPPED(*), CLAMPED(money) FROM visits", rho);
    assert_eq!(
        counts.answer().columns.iter().map(Name::as_str).collect::<Vec<_>>(),
        ["COUNT(*)", "visitors", "DROPPED(*)", "CLAMPED(money)"]
    );
    // Of a visitor two rows are kept of five.
    near(number(&counts, 0, 0), 801.0, 60.0);
    near(number(&counts, 0, 1), 401.0, 40.0);
    near(number(&counts, 0, 2), 400.0, 40.0);
    ask(world, gate, &visitors, "SELECT SUM(money) FROM visits", rho);
    let moments =
        ask(world, gate, &visitors, "SELECT AVG(money), VAR_POP(money), STDDEV_POP(money), SUM(money), COUNT(money) FROM visits", rho);
    near(number(&moments, 0, 0), 28.0, 8.0);
    let quartiles = "SELECT QUANTILE(money, 0.25), MEDIAN(money), QUANTILE(money, 0.9), HISTOGRAM(money, 0, 10, 25, 50) FROM visits";
    let quartiles = ask(world, gate, &visitors, quartiles, rho);
    assert!(number(&quartiles, 0, 0) <= number(&quartiles, 0, 1) && number(&quartiles, 0, 1) <= number(&quartiles, 0, 2));
    assert!(quartiles.rows()[0].values[..3].iter().all(|value| value.low.is_some()), "the histogram pays for the intervals");
    let median = ask(world, gate, &visitors, "SELECT MEDIAN(money) FROM visits", rho);
    assert!(median.rows()[0].values[0].low.is_none());
    let days = ask(world, gate, &visitors, "SELECT day, COUNT(*), SUM(money), MEDIAN(money) FROM visits GROUP BY day", rho);
    assert_eq!(days.rows().len(), 3);
    ask(
        world,
        gate,
        &visitors,
        "SELECT HISTOGRAM(day), HISTOGRAM(money, 0, 25, 50) FROM visits WHERE money BETWEEN 5 AND 45 OR money IS NULL",
        rho,
    );
    ask(world, gate, &visitors, "SELECT BOUNDS(money) FROM visits", rho);
    ask(
        world,
        gate,
        &visitors,
        "SELECT BUDGET(COUNT(*), 0.25), BUDGET(SUM(money), 0.5), COUNT(DISTINCT who) FROM visits WHERE town LIKE 'o%'",
        rho,
    );
    let towns = ask(world, gate, &visitors, "SELECT town, COUNT(*), COUNT(DISTINCT who), AVG(money) FROM visits GROUP BY town", rho_delta);
    assert_eq!(towns.rows().len(), 3, "three towns of 100 visitors, and one of one visitor, which is below the least");
    let largest = "SELECT town, COUNT(*) FROM visits GROUP BY town ORDER BY COUNT(*) DESC LIMIT 1";
    let largest = ask(world, gate, &visitors, largest, rho_delta);
    assert_eq!(format!("{:?}", largest.rows()[0].key), r#"[Text("oslo")]"#);
    let days = ask(world, gate, &visitors, "SELECT day, COUNT(DISTINCT who) AS n FROM visits GROUP BY day ORDER BY n DESC LIMIT 2", rho);
    assert_eq!(days.rows().len(), 2);

    for price in [epsilon, epsilon_delta] {
        let sexes =
            ask(world, gate, &persons, "SELECT sex, COUNT(*), AVG(age), VARIANCE(age), CLAMPED(age) FROM people GROUP BY sex", price);
        assert_eq!(sexes.rows().len(), 3);
        for (row, truth) in [500.0, 500.0, 1_000.0].into_iter().enumerate() {
            near(number(&sexes, row, 0), truth, 300.0);
        }
        ask(world, gate, &persons, "SELECT SUM(age), COUNT(town) FROM people WHERE NOT town = 'rome'", price);
        ask(world, gate, &persons, "SELECT BOUNDS(age) FROM people", price);
        ask(world, gate, &persons, "SELECT QUANTILE(age, 0.1), HISTOGRAM(age, 0, 18, 65, 120), HISTOGRAM(sex) FROM people", price);
        ask(
            world,
            gate,
            &persons,
            "SELECT BUDGET(AVG(age), 0.5), BUDGET(COUNT(*), 0.1), STDDEV(age) FROM people WHERE age NOT IN (1, 2)",
            price,
        );
    }
    ask(world, gate, &persons, "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY age) FROM people", epsilon);
    let towns = ask(world, gate, &persons, "SELECT town, sex, COUNT(*), SUM(age) FROM people GROUP BY town, sex", epsilon_delta);
    assert!(towns.rows().len() <= 6);
    let largest = "SELECT COUNT(*), town FROM people GROUP BY town ORDER BY COUNT(*) DESC LIMIT 5";
    assert_eq!(ask(world, gate, &persons, largest, epsilon_delta).rows().len(), 2);

    // A price for a width: the interval is as narrow as that, and a little less is not enough.
    let question = "SELECT COUNT(*), SUM(age) FROM people";
    for (model, price) in [(&persons, epsilon), (&persons, epsilon_delta)] {
        let request = world.request(model, question, price);
        let found = gate.price_for(&request, Decimal::parse("12").unwrap(), Some("COUNT(*)")).unwrap();
        let request = world.request(model, question, found);
        let half = gate.quote(&request).unwrap().widths[0].half.unwrap();
        assert!(half <= Decimal::parse("12").unwrap() && half > Decimal::parse("10").unwrap(), "{half} for {found}");
    }

    // The right is used up to its end, and the ledger adds up.
    let left = gate.quote(&world.request(&visitors, "SELECT COUNT(*) FROM visits", rho)).unwrap().remaining;
    assert_eq!(left.checked_add(&spent(gate, "visits")).unwrap(), Loss::zcdp("25", "0.0005").unwrap());
    let Loss::Zcdp { rho: left, .. } = left else { panic!() };
    ask(world, gate, &visitors, "SELECT COUNT(*) FROM visits", Loss::zcdp(&left.to_string(), "0").unwrap());
    let over = world.request(&visitors, "SELECT COUNT(*) FROM visits", Loss::zcdp("0.000000001", "0").unwrap());
    assert!(matches!(gate.answer(&over), Err(AnswerError::Refused { refusal: Refusal::Budget { .. }, .. })));
}

/// After all of that the owner's audit finds nothing, and both models are in it.
#[test]
fn both_models_in_one_audit() {
    let mut world = World::new();
    let path = world.folder.path().join("space");
    let space = Space::create_with(
        &path,
        world.owner.signer(),
        world.owner.public(),
        now(),
        usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
    )
    .unwrap();
    let visitors = world.right(&space, VISITS, &visits(), r#""who", "day", "money", "town""#, r#"rho = "25", delta = "0.0005""#);
    let persons = world.right(&space, PEOPLE, &people(), r#""age", "sex", "town""#, r#"epsilon = "25", delta = "0.0005""#);
    let gate = space.gate();
    let (rho, epsilon) = (Loss::zcdp("0.7", "0.00001").unwrap(), Loss::approx("0.3", "0.00001").unwrap());
    ask(&mut world, &gate, &visitors, "SELECT town, COUNT(DISTINCT who) FROM visits GROUP BY town", rho);
    ask(&mut world, &gate, &persons, "SELECT COUNT(*), AVG(age) FROM people", epsilon);
    let answered = world.request(&persons, "SELECT COUNT(*) FROM people", epsilon);
    let release = gate.answer(&answered).unwrap();
    drop((gate, space));
    let report = Auditor::new(world.owner.public().clone()).audit(&path, None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    let spent: Vec<Loss> = report.datasets.iter().map(|dataset| dataset.balance.spent()).collect();
    assert!(spent.contains(&rho) && spent.contains(&epsilon.checked_add(&epsilon).unwrap()), "{spent:?}");
    // Opened again, the gate gives the same bytes.
    let gate = Space::open(&path).unwrap().gate();
    assert_eq!(gate.answer(&answered).unwrap().bytes(), release.bytes());
}
