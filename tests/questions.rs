//! Bad input, and what it gets: everything has a meaning that is written down, or an error before anything is charged.
//!
//! A refused request has touched neither cells, nor randomness, nor the ledger: blocks that were read, bytes that were drawn
//! and files of the space are counted. What is answered looks the same whatever the table holds.
#![cfg(all(feature = "csv", feature = "sql", feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use usufruct::budget::{Delta, Epsilon, Loss, Rho};
use usufruct::dataset::{DescriptionError, DescriptionFile, table_schema};
use usufruct::envelope::Signed;
use usufruct::gate::{AnswerError, GateError, TestGate};
use usufruct::id::{ColumnName, Decimal, Digest, Name, Purpose, Time};
use usufruct::key::{Signer as _, SigningKey};
use usufruct::owner::Owner;
use usufruct::query::{Item, Query};
use usufruct::random::RecordedRandom;
use usufruct::receipt::Release;
use usufruct::right::{Ask, Request, Seen, Terms, Verified};
use usufruct::table::{CsvOptions, CsvSource};

const NOW: u64 = 1_800_000_000;

/// A row is the unit, the budget is epsilon and delta.
const PEOPLE: &str = r#"
name = "people"
data = "people.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "20", delta = "0.001" }
columns.age = { type = "integer", bounds = [0, 120], grade = 2 }
columns.size = { type = "integer", grade = 2 }
columns.sex = { type = "text", values = ["f", "m"], grade = 1 }
columns.town = { type = "text", nullable = true, grade = 1, use = ["filter", "reveal"] }
columns.note = { type = "text", nullable = true, grade = 4 }
"#;
const PEOPLE_CSV: &str = "age,size,sex,town,note\n20,170,f,oslo,x\n30,180,m,oslo,y\n40,175,f,rome,\n";

/// A column is the unit, the budget is rho.
const VISITS: &str = r#"
name = "visits"
data = "visits.csv"
unit = { column = "who" }
contribution = { groups_per_unit = 2, rows_per_group = 2, rows_per_unit = 3 }
budget = { model = "zcdp", rho = "20", delta = "0.001", report_delta = "0.000001" }
columns.who = { type = "text", grade = 3 }
columns.day = { type = "integer", values = [1, 2, 3], nullable = true, grade = 1 }
columns.money = { type = "real", step = "0.01", bounds = ["0", "50"], nullable = true, grade = 2 }
columns.town = { type = "text", nullable = true, grade = 1, use = ["filter", "reveal"] }
"#;

const TERMS: &str = r#"
kind = "process"
operations = ["count", "count_distinct", "sum", "mean", "variance", "quantile", "histogram", "bounds", "top_k"]
columns = [COLUMNS]
purposes = ["test"]
budget = { BUDGET }
uses = 1000
not_after = "2090-01-01T00:00:00Z"
"#;
const PEOPLE_TERMS: (&str, &str) = (r#""age", "size", "sex", "town", "note""#, r#"epsilon = "15", delta = "0.0005""#);
const VISITS_TERMS: (&str, &str) = (r#""who", "day", "money", "town""#, r#"rho = "15", delta = "0.0005""#);

fn key(name: &str) -> SigningKey {
    SigningKey::generate(&mut RecordedRandom::from_seed(&format!("questions: {name}")))
}

fn now() -> Time {
    Time::from_unix_s(NOW)
}

/// A space for tests with one dataset, opened anew after it was published, so that its meters stand at nothing.
struct World {
    folder: tempfile::TempDir,
    gate: TestGate,
    card: Vec<u8>,
    nonces: RecordedRandom,
}

impl World {
    fn new(toml: &str, csv: &str) -> Self {
        Self::try_new(toml, csv).unwrap()
    }

    fn try_new(toml: &str, csv: &str) -> Result<Self, GateError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("space");
        let owner = key("owner");
        let gate = TestGate::create(&path, &owner, "questions: gate", || NOW).unwrap();
        let description = DescriptionFile::parse(toml, Path::new("")).unwrap().description;
        let source = CsvSource::from_bytes(csv.as_bytes(), CsvOptions::default(), table_schema(description.schema())).unwrap();
        let published = gate.publish(&description, &source, &owner);
        if published.is_err() {
            assert!(gate.datasets().unwrap().is_empty(), "what is refused is not published");
        }
        let card = published?.card.bytes().to_vec();
        drop(gate);
        let gate = TestGate::open(&path, "questions: gate", || NOW, |_| {}).unwrap();
        Ok(Self { folder, gate, card, nonces: RecordedRandom::from_seed("questions: nonces") })
    }

    fn right(&mut self, (columns, budget): (&str, &str), change: impl FnOnce(String) -> String) -> Verified {
        let owner = Owner::new(key("owner"));
        let terms = change(TERMS.replace("COLUMNS", columns).replace("BUDGET", budget));
        let card = owner.read_card(&self.card).unwrap();
        owner.grant(&card, key("holder").public(), Terms::parse(&terms).unwrap(), now(), &mut self.nonces).unwrap()
    }

    /// A request that is signed whatever it says.
    fn signed(&mut self, right: &Verified, sql: &str, price: Loss, change: impl FnOnce(&mut Request)) -> Vec<u8> {
        let query = Query::sql(sql).unwrap();
        // Made within the terms, then changed.
        let some = match right.terms().budget {
            Loss::Approx { .. } => Loss::approx("0.1", "0").unwrap(),
            Loss::Zcdp { .. } => Loss::zcdp("0.1", "0").unwrap(),
        };
        let ask = Ask::new(Query::sql(&format!("SELECT COUNT(*) FROM {}", right.root().name)).unwrap(), some).expiry_s(3_600);
        let mut request = Request::sign(right, ask, now(), &mut self.nonces, &key("holder")).unwrap().into_value();
        (request.query, request.price) = (query, price);
        change(&mut request);
        Signed::sign(request, &key("holder")).unwrap().bytes().to_vec()
    }

    fn request(&mut self, right: &Verified, sql: &str, price: Loss) -> Vec<u8> {
        self.signed(right, sql, price, |_| {})
    }

    /// Blocks that were read, bytes that were drawn, what was spent, answers, and the files of the space.
    fn touched(&self) -> (u64, u64, Loss, u64, BTreeMap<PathBuf, u64>) {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let (path, data) = entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
                if data.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path, data.len());
                }
            }
        }
        let dataset = &self.gate.datasets().unwrap()[0];
        (self.gate.blocks_read().unwrap(), self.gate.randomness_drawn(), dataset.balance.spent(), dataset.answers, files)
    }
}

fn approx(epsilon: &str, delta: &str) -> Loss {
    Loss::approx(epsilon, delta).unwrap()
}

fn refused<T>(outcome: Result<T, AnswerError>) -> (&'static str, String) {
    match outcome.map(drop) {
        Err(AnswerError::Refused { verdict, refusal }) => (refusal.code(), verdict.to_string()),
        Err(other) => panic!("{other}"),
        Ok(()) => panic!("this is answered"),
    }
}

/// Every kind of refusal, with what the holder gets and what the owner reads.
#[test]
fn a_refused_request_has_touched_nothing() {
    let mut world = World::new(PEOPLE, PEOPLE_CSV);
    let right = world.right(PEOPLE_TERMS, |terms| terms);
    let count_only = world.right(PEOPLE_TERMS, |terms| terms.replace(r#""count_distinct", "sum", "mean", "variance", "#, ""));
    let age_only = world.right((r#""age""#, PEOPLE_TERMS.1), |terms| terms);
    let past = world.right(PEOPLE_TERMS, |terms| terms.replace("2090", "2020"));
    let future = world.right(PEOPLE_TERMS, |terms| format!("{terms}not_before = \"2089-01-01T00:00:00Z\"\n"));
    let large = world.right((PEOPLE_TERMS.0, r#"epsilon = "1000000", delta = "0.5""#), |terms| terms);
    let before = world.touched();
    assert_eq!((before.0, before.1), (0, 0));

    let some = approx("1", "0");
    let (count, sum, by_town) =
        ("SELECT COUNT(*) FROM people", "SELECT SUM(age) FROM people", "SELECT town, COUNT(*) FROM people GROUP BY town");
    let mut requests: Vec<(Vec<u8>, &str, String)> = Vec::new();
    let mut add = |world: &mut World, right: &Verified, sql: &str, price: Loss, code: &'static str, verdict: &str| {
        requests.push((world.request(right, sql, price), code, verdict.to_owned()));
    };
    for (right, sql, verdict) in [
        // Not within the right.
        (&right, "SELECT COUNT(nobody) FROM people", "the right does not allow the column nobody"),
        (&age_only, "SELECT COUNT(*) FROM people WHERE sex = 'f'", "the right does not allow the column sex"),
        (&age_only, by_town, "the right does not allow the column town"),
        (&count_only, sum, "the right does not allow the operation sum"),
        (&count_only, "SELECT STDDEV_POP(age) FROM people", "the right does not allow the operation variance"),
        (&right, "SELECT COUNT(*) FROM others", "another name than its right"),
        (&future, count, "not before"),
        // Not within the description.
        (&right, "SELECT SUM(size) FROM people", "SUM needs bounds, the column size declares none"),
        (&right, "SELECT AVG(size) FROM people", "AVG needs bounds, the column size declares none"),
        (&right, "SELECT VAR_POP(size) FROM people", "VAR_POP needs bounds, the column size declares none"),
        (&right, "SELECT MEDIAN(size) FROM people", "QUANTILE needs bounds, the column size declares none"),
        (&right, "SELECT CLAMPED(size) FROM people", "CLAMPED needs bounds, the column size declares none"),
        (&right, "SELECT SUM(sex) FROM people", "SUM needs a number, the column sex is text"),
        (&right, "SELECT HISTOGRAM(size) FROM people", "HISTOGRAM needs edges or declared values"),
        (&right, "SELECT COUNT(DISTINCT age) FROM people", "the unit of this dataset is a row"),
        (&right, "SELECT DROPPED(*) FROM people", "the unit of this dataset is a row"),
        (&right, "SELECT COUNT(note) FROM people", "its uses do not include aggregate"),
        (&right, "SELECT COUNT(*) FROM people WHERE note IS NULL", "its uses do not include filter"),
        (&right, "SELECT COUNT(*) FROM people GROUP BY age", "GROUP BY: its uses do not include group"),
        (&right, "SELECT COUNT(*) FROM people GROUP BY sex ORDER BY COUNT(*) DESC LIMIT 1", "its uses do not include reveal"),
        (&right, "SELECT COUNT(*) FROM people WHERE age = 'old'", "compare it with"),
        (&right, "SELECT COUNT(*) FROM people WHERE age LIKE '1%'", "age"),
        (&right, "SELECT MEDIAN(age) FROM people GROUP BY town", "need groups of declared values"),
        (&right, "SELECT QUANTILE(age, 0.123456789) FROM people", "a denominator from 1 to 2^20"),
    ] {
        add(&mut world, right, sql, some, "not allowed", verdict);
    }
    for (sql, price, verdict) in [
        // A price that cannot be divided.
        (count, approx("0", "0"), "more than nothing"),
        (count, approx("0", "0.000001"), "is too small for 1 noised sums"),
        (count, approx("0.0000000001", "0"), "more than 9 decimals"),
        ("SELECT COUNT(*), SUM(age), HISTOGRAM(age, 0, 9) FROM people", approx("0.000001", "0"), "is too small for 3 noised sums"),
        ("SELECT BUDGET(COUNT(*), 0.5), SUM(age) FROM people", approx("0.5", "0"), "too small"),
        ("SELECT BUDGET(COUNT(*), 0.6), SUM(age) FROM people", approx("0.5", "0"), "the items name amounts"),
        ("SELECT BUDGET(COUNT(*), 0.4) FROM people", approx("0.5", "0"), "the items name amounts"),
        // A delta that is of no use, and one that is missing.
        ("SELECT MEDIAN(age) FROM people", approx("1", "0.000001"), "nothing in this question uses a delta"),
        (by_town, approx("1", "0"), "needs a delta above 0"),
        (count, approx("1", "1"), "a delta above 0 and below 1"),
        (count, Loss::zcdp("1", "0").unwrap(), "counts its budget in"),
    ] {
        add(&mut world, &right, sql, price, "not allowed", verdict);
    }
    for (right, price, verdict) in [
        (&right, approx("15.000000001", "0"), "the budget of the right"),
        (&right, approx("1000000", "0"), "the budget of the right"),
        (&right, approx("1", "0.000500001"), "the budget of the right"),
        (&large, approx("20.000000001", "0"), "the budget of the dataset"),
        (&large, approx("1", "0.001000001"), "the budget of the dataset"),
    ] {
        add(&mut world, right, count, price, "budget", verdict);
    }
    add(&mut world, &past, count, some, "expired", "expired at 2020");

    type Change = fn(&mut Request);
    let changes: [(Change, &str, &str); 9] = [
        (|request| request.schema = Digest::of(b"another schema"), "not allowed", "another schema"),
        (|request| request.dataset = usufruct::id::DatasetId::from_bytes([7; 32]), "not allowed", "another dataset"),
        (|request| request.audience = usufruct::id::LedgerId::from_bytes([7; 32]), "not allowed", "another ledger"),
        (|request| request.purpose = Purpose::new("marketing").unwrap(), "not allowed", "the purpose marketing"),
        (|request| request.expires_at = request.issued_at.plus_s(8 * 24 * 3600), "not allowed", "more than 7 days"),
        (|request| request.issued_at = request.issued_at.plus_s(1_000), "not allowed", "from the future"),
        (
            |request| {
                request.issued_at = Time::from_unix_s(NOW - 5_000);
                request.expires_at = Time::from_unix_s(NOW - 1_000);
            },
            "expired",
            "expired at",
        ),
        (|request| request.seen = Some(Seen { size: 4_000, root: Digest::of(b"") }), "in doubt", "rolled back or forked"),
        (|request| request.right.clear(), "refused", ""),
    ];
    for (change, code, verdict) in changes {
        requests.push((world.signed(&right, count, some, change), code, verdict.to_owned()));
    }
    let good = world.request(&right, count, some);
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    for bytes in [forged, Vec::new(), vec![0xff; 100], right.bytes().to_vec()] {
        requests.push((bytes, "refused", String::new()));
    }

    for (request, code, verdict) in &requests {
        let found = refused(world.gate.answer(request));
        assert!(found.0 == *code && found.1.contains(verdict.as_str()), "{found:?}, not {code}: {verdict}");
        // A budget is only looked at by the answer, a checkpoint likewise.
        if !matches!(*code, "budget" | "in doubt") {
            assert_eq!(refused(world.gate.quote(request)), found);
        }
        assert_eq!(world.touched(), before, "{verdict}");
    }
    // What is told beforehand touches nothing either.
    world.gate.quote(&good).unwrap();
    world.gate.price_for(&good, Decimal::ONE, None).unwrap();
    let mean = world.request(&right, "SELECT AVG(age) FROM people", some);
    assert!(refused(world.gate.price_for(&mean, Decimal::ONE, None)).1.contains("width that is known beforehand"));
    assert_eq!(world.touched(), before);

    // The meters do count.
    world.gate.answer(&good).unwrap();
    let after = world.touched();
    assert!(after.0 == 0 && after.1 > 0 && after.2 == some && after.3 == 1, "a count of all rows reads no column: {after:?}");
    let sum = world.request(&right, sum, some);
    world.gate.answer(&sum).unwrap();
    let after = world.touched();
    assert!(after.0 > 0 && after.3 == 2);
    // The last use, and a nonce that was used: refused as above, later.
    let last = world.right(PEOPLE_TERMS, |terms| terms.replace("uses = 1000", "uses = 1"));
    let request = world.request(&last, count, some);
    world.gate.answer(&request).unwrap();
    let nonce = world.signed(&right, count, some, |request| request.nonce = usufruct::id::Nonce::from_bytes([9; 16]));
    world.gate.answer(&nonce).unwrap();
    let before = world.touched();
    let over = world.request(&last, count, some);
    assert_eq!(refused(world.gate.answer(&over)).0, "budget");
    let twice = world.signed(&right, count, approx("2", "0"), |request| request.nonce = usufruct::id::Nonce::from_bytes([9; 16]));
    assert_eq!(refused(world.gate.answer(&twice)).1, "the nonce was used for another request");
    assert_eq!(world.touched(), before);
}

/// What never becomes a request: the holder's own side says why.
#[test]
fn bad_questions_and_amounts_are_refused_at_the_holder() {
    for (sql, message) in [
        ("SELECT MIN(age) FROM people", "QUANTILE(column, 0.01)"),
        ("SELECT MAX(age) FROM people", "QUANTILE(column, 0.99)"),
        ("SELECT QUANTILE(age, 1.000001) FROM people", "from 0 to 1"),
        ("SELECT QUANTILE(age, -0.5) FROM people", "from 0 to 1"),
        ("SELECT QUANTILE(age, NaN) FROM people", "number"),
        ("SELECT HISTOGRAM(age, 10, 10) FROM people", "increase strictly"),
        ("SELECT HISTOGRAM(age, 20, 10) FROM people", "increase strictly"),
        ("SELECT HISTOGRAM(age, 10) FROM people", "2 to 64 edges"),
        ("SELECT BUDGET(COUNT(*), 0) FROM people", "above 0"),
        ("SELECT BUDGET(COUNT(*), -1) FROM people", "above 0"),
        ("SELECT BUDGET(COUNT(*), +1) FROM people", "arithmetic"),
        ("SELECT BUDGET(COUNT(*), 01.5) FROM people", "a leading zero"),
        ("SELECT BUDGET(COUNT(*), .5) FROM people", "a bare point"),
        ("SELECT BUDGET(COUNT(*), 1.) FROM people", "a bare point"),
        ("SELECT BUDGET(COUNT(*), 1e0) FROM people", "an exponent"),
        ("SELECT BUDGET(COUNT(*), 0.0000000001) FROM people", "9 decimals"),
        ("SELECT BUDGET(COUNT(*), 1e400) FROM people", ""),
        ("SELECT BOUNDS(age), COUNT(*) FROM people", "BOUNDS stands only beside other BOUNDS"),
        ("SELECT COUNT(*) FROM people WHERE town LIKE '%o'", ""),
        ("SELECT COUNT(*) FROM people ORDER BY COUNT(*) DESC LIMIT 1", ""),
        ("SELECT COUNT(*) FROM people GROUP BY town ORDER BY COUNT(*) DESC LIMIT 0", ""),
        ("SELECT AVG(age) FROM people GROUP BY town ORDER BY AVG(age) DESC LIMIT 1", ""),
    ] {
        let error = Query::sql(sql).unwrap_err();
        assert!(error.to_string().contains(message) && error.place().is_some(), "{sql}: {error}");
    }
    let name = |name: &str| ColumnName::new(name).unwrap();
    let quantile = |rank: &str| Item::quantile(name("age"), Decimal::parse(rank).unwrap());
    let query = |item: Item| Query::new(Name::new("people").unwrap(), vec![item], Vec::new(), None);
    for rank in ["-0.000000001", "1.000000001", "0.0000000001", "99999999999999999999999999999999999999"] {
        assert!(query(quantile(rank)).is_err(), "{rank}");
    }
    assert!(query(quantile("0")).is_ok() && query(quantile("1")).is_ok());

    for amount in ["-1", "-0.1", "NaN", "inf", "-inf", "1e3", "1000000.000000000001", "99999999999999999999999999999999999999", ""] {
        assert!(Loss::approx(amount, "0").is_err() && Loss::zcdp(amount, "0").is_err() && Loss::approx("1", amount).is_err(), "{amount}");
    }
    assert!(Loss::approx("1", "1.000000000000000001").is_err() && Loss::zcdp("1", "2").is_err());
    // An epsilon whose cost in rho is beyond all budgets.
    assert_eq!((Rho::of_pure(Epsilon::MAX), Delta::MAX.checked_add(Delta::MAX)), (None, None));
    assert!(Loss::zcdp("1000000", "0").unwrap().checked_add(&Loss::zcdp("0.000000000001", "0").unwrap()).is_err());
}

#[test]
fn bad_descriptions_are_refused_before_there_is_a_dataset() {
    let bounds = "bounds = [0, 120]";
    let epsilon = r#"epsilon = "20", delta = "0.001""#;
    for (toml, from, to, message) in [
        (PEOPLE, bounds, "bounds = [120, 0]", "low below high"),
        (PEOPLE, bounds, "bounds = [7, 7]", "low below high"),
        (PEOPLE, bounds, "bounds = [0.0, 120.0]", "never floats"),
        (PEOPLE, bounds, "bounds = [0, nan]", "never floats"),
        (PEOPLE, bounds, r#"bounds = ["NaN", "1"]"#, "an integer or a decimal string"),
        (PEOPLE, bounds, r#"bounds = ["0", "inf"]"#, "an integer or a decimal string"),
        (PEOPLE, bounds, r#"bounds = ["0", "0.5"]"#, "not a multiple of the step"),
        (PEOPLE, bounds, r#"bounds = ["0", "9223372036854775808"]"#, "not a multiple of the step"),
        (VISITS, r#"bounds = ["0", "50"]"#, r#"bounds = ["0", "50.001"]"#, "not a multiple of the step"),
        (VISITS, r#"step = "0.01""#, r#"step = "0""#, "step is a positive decimal"),
        (VISITS, r#"step = "0.01""#, r#"step = "NaN""#, "step is a positive decimal"),
        (PEOPLE, epsilon, r#"epsilon = "0", delta = "0.001""#, "answers nothing"),
        (PEOPLE, epsilon, r#"epsilon = "-1", delta = "0""#, "epsilon"),
        (PEOPLE, epsilon, r#"epsilon = "NaN", delta = "0""#, "epsilon"),
        (PEOPLE, epsilon, r#"epsilon = "1000001", delta = "0""#, "epsilon"),
        (PEOPLE, epsilon, r#"epsilon = "1", delta = "1""#, "a delta of 1 promises nothing"),
        (PEOPLE, epsilon, r#"epsilon = "1", delta = "1.5""#, "delta"),
        (PEOPLE, epsilon, r#"epsilon = "1", delta = "-0.1""#, "delta"),
        (VISITS, r#"rho = "20""#, r#"rho = "1000001""#, "rho"),
        (VISITS, r#"rho = "20""#, r#"rho = "0""#, "answers nothing"),
        (VISITS, r#"report_delta = "0.000001""#, r#"report_delta = "0""#, "report_delta"),
        (VISITS, r#"report_delta = "0.000001""#, r#"report_delta = "1""#, "report_delta"),
        (VISITS, "rows_per_unit = 3", "rows_per_unit = 5", "would say nothing"),
        (VISITS, "groups_per_unit = 2", "groups_per_unit = 0", "from 1 to 1048576"),
    ] {
        assert!(toml.contains(from), "{from}");
        let error: DescriptionError = DescriptionFile::parse(&toml.replacen(from, to, 1), Path::new("")).unwrap_err();
        assert!(error.to_string().contains(message), "{to}: {error}");
    }
}

/// What of a cell is refused is refused to the owner, while publishing, without the cell.
#[test]
fn bad_cells_are_refused_to_the_owner() {
    for (toml, csv, message) in [
        (PEOPLE, "age,size,sex,town,note\nold,1,f,,\n", "age"),
        (PEOPLE, "age,size,sex,town,note\n9223372036854775808,1,f,,\n", "age"),
        (PEOPLE, "age,size,sex,town,note\nNaN,1,f,,\n", "age"),
        (PEOPLE, "age,size,sex,town,note\n,1,f,,\n", "column age is empty; declare nullable = true"),
        (PEOPLE, "age,size,sex,town,note\n1,1,,,\n", "column sex is empty; declare nullable = true"),
        (VISITS, "who,day,money,town\na,1,much,oslo\n", "column money is not a number"),
        (VISITS, "who,day,money,town\na,1,0x10,oslo\n", "column money is not a number"),
        (VISITS, "who,day,money,town\na,1,1e99999,oslo\n", "column money has more than 38 digits"),
    ] {
        let error = World::try_new(toml, csv).map(drop).unwrap_err();
        assert!(matches!(error, GateError::Publish(_)), "{error:?}");
        assert!(error.to_string().contains(message), "{csv}: {error}");
    }
}

/// What everyone sees of an answer but the noisy numbers.
type Shape = (Vec<String>, Vec<(String, Vec<(String, bool)>)>, Loss, Loss, u64, usize);

fn shape(release: &Release) -> Shape {
    let answer = release.answer();
    let columns = answer.columns.iter().map(ToString::to_string).collect();
    let rows = answer.rows.iter().map(|row| {
        let values = row.values.iter().map(|value| {
            assert_eq!(value.low.is_some(), value.high.is_some());
            assert!(value.low <= value.high);
            (value.method.clone(), value.low.is_some())
        });
        (format!("{:?}", row.key), values.collect())
    });
    (columns, rows.collect(), answer.spent, answer.remaining, answer.uses_left, answer.grids.len())
}

/// Each question of one table after the other; what is drawn for each is told.
fn shapes(toml: &str, csv: &str, terms: (&str, &str), questions: &[(&str, Loss)]) -> Vec<(Shape, u64)> {
    let mut world = World::new(toml, csv);
    let right = world.right(terms, |terms| terms);
    questions
        .iter()
        .map(|(sql, price)| {
            let drawn = world.gate.randomness_drawn();
            let request = world.request(&right, sql, *price);
            let quote = world.gate.quote(&request).unwrap();
            let release = world.gate.answer(&request).unwrap_or_else(|error| panic!("{sql}: {error}"));
            assert!(quote.groups.is_none_or(|groups| groups == release.rows().len()), "{sql}");
            assert_eq!(world.gate.answer(&request).unwrap().bytes(), release.bytes());
            (shape(&release), world.gate.randomness_drawn() - drawn)
        })
        .collect()
}

#[test]
fn answers_about_strange_tables_look_like_those_about_none() {
    let (rho, delta) = (Loss::zcdp("0.5", "0").unwrap(), Loss::zcdp("0.5", "0.000001").unwrap());
    let questions = [
        ("SELECT COUNT(*), COUNT(money), COUNT(DISTINCT who), DROPPED(*), CLAMPED(money) FROM visits", rho),
        ("SELECT SUM(money) FROM visits", rho),
        ("SELECT AVG(money), VAR_POP(money), STDDEV_POP(money), SUM(money) FROM visits", rho),
        ("SELECT QUANTILE(money, 0), MEDIAN(money), QUANTILE(money, 1), HISTOGRAM(money, 0, 10, 50) FROM visits", rho),
        ("SELECT MEDIAN(money), HISTOGRAM(money, 10, 20) FROM visits", rho),
        ("SELECT HISTOGRAM(day), BUDGET(COUNT(*), 0.1) FROM visits", rho),
        ("SELECT BOUNDS(money) FROM visits", rho),
        ("SELECT day, COUNT(*), AVG(money), MEDIAN(money) FROM visits GROUP BY day", rho),
        ("SELECT day, COUNT(*), AVG(money) FROM visits WHERE town = 'nowhere' AND money > 99 GROUP BY day", rho),
        ("SELECT COUNT(*) FROM visits WHERE money IS NULL OR town LIKE 'os%'", rho),
    ];
    let head = "who,day,money,town\n";
    let empty = shapes(VISITS, head, VISITS_TERMS, &questions);
    for (name, rows) in [
        ("one unit", "a,1,5,oslo\n"),
        ("one unit of many rows", "a,1,5,oslo\na,2,50,rome\na,3,0.01,\n".repeat(50).as_str()),
        ("all equal", (0..40).map(|unit| format!("u{unit},2,7.5,oslo\n")).collect::<String>().as_str()),
        ("not finite", "a,1,NaN,oslo\nb,1,inf,oslo\nc,2,-inf,oslo\nd,2,-nan,oslo\ne,3,1e400,oslo\nf,3,-Infinity,oslo\n"),
        ("as large as it gets", "a,1,92233720368547758.07,x\nb,1,-92233720368547758.08,x\nc,1,1e37,x\nd,2,9223372036854775807,x\n"),
        ("nulls only", "a,,,\nb,,,\n,,,\n"),
        ("undeclared groups", "a,4,1,oslo\nb,-9223372036854775808,2,oslo\nc,9223372036854775807,3,oslo\n"),
        ("no unit", ",1,5,oslo\n,2,5,oslo\n"),
    ] {
        let found = shapes(VISITS, &format!("{head}{rows}"), VISITS_TERMS, &questions);
        for ((question, _), (found, empty)) in questions.iter().zip(found.iter().zip(&empty)) {
            assert_eq!(found.0, empty.0, "{name}: {question}");
        }
    }
    // Which groups of unknown values are named is what the delta pays for; the rest is as it was.
    let unknown = [
        ("SELECT town, COUNT(*), AVG(money) FROM visits GROUP BY town", delta),
        ("SELECT town, COUNT(DISTINCT who) FROM visits GROUP BY town ORDER BY COUNT(DISTINCT who) DESC LIMIT 2", delta),
        ("SELECT COUNT(*) FROM visits WHERE town = 'nowhere' GROUP BY town", delta),
    ];
    let empty = shapes(VISITS, head, VISITS_TERMS, &unknown);
    let many: String = (0..400).map(|unit| format!("u{unit},2,7.5,{}\n", if unit % 2 == 0 { "oslo" } else { "rome" })).collect();
    let found = shapes(VISITS, &format!("{head}{many}"), VISITS_TERMS, &unknown);
    for (found, empty) in found.iter().zip(&empty) {
        assert!(empty.0.1.is_empty());
        assert_eq!((&found.0.0, found.0.2, found.0.3, found.0.4), (&empty.0.0, empty.0.2, empty.0.3, empty.0.4));
    }
    assert_eq!(found.iter().map(|(shape, _)| shape.1.len()).collect::<Vec<_>>(), [2, 2, 0]);
}

/// With epsilon and a delta the noise is of bounded work: the same bytes are drawn whatever the table holds.
#[test]
fn noise_of_bounded_work_draws_as_much_for_every_table() {
    let price = approx("1", "0.00001");
    let questions = [
        ("SELECT COUNT(*), SUM(age), AVG(age), VAR_POP(age) FROM people", price),
        ("SELECT COUNT(*) FROM people WHERE town = 'nowhere'", price),
        ("SELECT sex, COUNT(*), AVG(age), HISTOGRAM(age, 0, 18, 65, 120) FROM people GROUP BY sex", price),
        ("SELECT BOUNDS(size) FROM people", price),
    ];
    let head = "age,size,sex,town,note\n";
    let empty = shapes(PEOPLE, head, PEOPLE_TERMS, &questions);
    for (name, rows) in [
        ("one unit", "20,170,f,oslo,x\n".to_owned()),
        ("as large as it gets", "9223372036854775807,9223372036854775807,f,,\n-9223372036854775808,-9223372036854775808,m,,\n".to_owned()),
        ("all equal", "33,170,m,oslo,\n".repeat(500)),
    ] {
        assert_eq!(shapes(PEOPLE, &format!("{head}{rows}"), PEOPLE_TERMS, &questions), empty, "{name}");
    }
}
