//! Questions of every kind on the command line, in both budget models.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the other tests of the command line use the rest")]
#[path = "cli/world.rs"]
mod world;

use serde_json::{Value, json};
use world::World;

/// Visits of visitors: 200 of them, up to three visits each, a tenth of them in a town that nobody else was in.
const VISITS: &str = r#"
name = "people"
data = "visits.csv"
unit = { column = "visitor" }
reveal_least_units = 2
contribution = { groups_per_unit = 2, rows_per_group = 2, rows_per_unit = 3 }
budget = BUDGET
columns.visitor = { type = "integer", grade = 3 }
columns.town = { type = "text", grade = 1, use = ["aggregate", "filter", "reveal"] }
columns.day = { type = "text", values = ["Mon", "Tue", "Wed"], grade = 1 }
columns.paid = { type = "real", step = "0.5", bounds = [0, 100], grade = 2 }
"#;
const TERMS: &str = r#"
kind = "process"
operations = ["count", "count_distinct", "sum", "mean", "variance", "quantile", "histogram", "bounds", "top_k"]
columns = ["visitor", "town", "day", "paid"]
purposes = ["research:health"]
budget = AMOUNT
uses = 100
not_after = "2090-01-01T00:00:00Z"
"#;

/// Nothing is random: visitor v comes on day v mod 3, in a town of v mod 2, and pays v mod 200 halves.
fn visits(budget: &str, amount: &str) -> World {
    let world = World::with_space();
    let rows = (0..200).flat_map(|visitor| {
        let day = ["Mon", "Tue", "Wed"][visitor % 3];
        let town = if visitor == 13 { "kanarienvogel" } else { ["Rome", "Oslo"][visitor % 2] };
        (0..=visitor % 2).map(move |_| format!("{visitor},{town},{day},{}\n", visitor as f64 / 2.0))
    });
    world.write("visits.csv", format!("visitor,town,day,paid\n{}", rows.collect::<String>()));
    world.write("people.toml", VISITS.replace("BUDGET", budget));
    world.write("terms.toml", TERMS.replace("AMOUNT", amount));
    world.done(&["publish", "space", "--describe", "people.toml", "--key", "owner.key"]);
    world.grant("terms.toml", "use.right");
    world
}

/// So large a price that the noise hardly shows.
const APPROX: [&str; 4] = ["--epsilon", "600", "--delta", "0"];
const APPROX_DELTA: [&str; 4] = ["--epsilon", "60", "--delta", "0.0000001"];
const ZCDP: [&str; 4] = ["--rho", "40000", "--delta", "0"];
const ZCDP_DELTA: [&str; 4] = ["--rho", "40000", "--delta", "0.0000001"];

fn ask(world: &World, verb: &[&str], price: [&str; 4], sql: &str) -> Value {
    world.json(&[verb, &["space", "--right", "use.right", "--key", "holder.key"], &price[..], &[sql]].concat())
}

fn number(value: &Value) -> f64 {
    value.to_string().parse().unwrap()
}

#[test]
fn every_kind_of_question_is_quoted_asked_and_audited() {
    let approx = "{ model = \"approx\", epsilon = \"100000\", delta = \"0.001\" }";
    let zcdp = "{ model = \"zcdp\", rho = \"900000\", delta = \"0.001\", report_delta = \"0.000001\" }";
    for (budget, amount, [pure, delta]) in [
        (approx, "{ epsilon = \"90000\", delta = \"0.001\" }", [APPROX, APPROX_DELTA]),
        (zcdp, "{ rho = \"800000\", delta = \"0.001\" }", [ZCDP, ZCDP_DELTA]),
    ] {
        let world = visits(budget, amount);

        // 300 visits, of which each visitor has one or two on a day; 99.5 is the largest payment.
        let sql = "SELECT COUNT(*), COUNT(DISTINCT visitor), SUM(paid), AVG(paid), VAR_POP(paid), STDDEV_POP(paid), CLAMPED(paid), \
                   DROPPED(*), QUANTILE(paid, 0.5), HISTOGRAM(paid, 0, 50, 100) FROM people";
        let quote = ask(&world, &["quote"], pure, sql);
        let answer = ask(&world, &["ask"], pure, sql);
        let columns: Vec<&str> = answer["columns"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(columns[8..], ["QUANTILE(paid, 0.5)", "HISTOGRAM(paid) [0, 50)", "HISTOGRAM(paid) [50, 100]"]);
        let values = answer["rows"][0]["values"].as_array().unwrap();
        let truths = [300.0, 200.0, 14_975.0, 49.92, 833.0, 28.86, 0.0, 0.0, 50.0, 150.0, 150.0];
        for ((value, truth), column) in values.iter().zip(truths).zip(&columns) {
            let (found, low, high) = (number(&value["value"]), number(&value["low"]), number(&value["high"]));
            assert!((found - truth).abs() <= 0.02 * truth.max(150.0), "{column}: {found} for {truth}");
            assert!(low <= found && found <= high, "{column}: {value}");
        }
        assert_eq!((&answer["spent"]["delta"], &answer["bounding"]), (&json!("0"), &json!("asked")));
        // What the quote says of counts and sums is what the intervals are.
        for (width, value) in quote["widths"].as_array().unwrap().iter().zip(values).filter(|(width, _)| !width["half"].is_null()) {
            assert_eq!(number(&width["half"]), number(&value["high"]) - number(&value["value"]), "{width} {value}");
        }
        let steps = quote["steps"].as_array().unwrap();
        assert_eq!(steps.iter().filter(|step| !step["levels"].as_array().unwrap().is_empty()).count(), 1, "{quote}");

        // Unknown groups: the town of one visitor stays unseen (the world looks for its name), the others come in order.
        let by_town = "SELECT town, COUNT(DISTINCT visitor) FROM people GROUP BY town";
        let quote = ask(&world, &["quote"], delta, by_town);
        assert_eq!((&quote["groups"], &quote["steps"][0]["step"]), (&Value::Null, &json!("which groups are named")));
        let towns = ask(&world, &["ask"], delta, by_town);
        let keys: Vec<&Value> = towns["rows"].as_array().unwrap().iter().map(|row| &row["key"]).collect();
        assert_eq!(keys, [&json!(["Oslo"]), &json!(["Rome"])]);
        assert_eq!((&towns["spent"]["delta"], &towns["bounding"]), (&json!("0.0000001"), &json!("withheld")));
        let largest = ask(&world, &["ask"], delta, "SELECT town, COUNT(*) FROM people GROUP BY town ORDER BY COUNT(*) DESC LIMIT 1");
        assert_eq!(largest["rows"][0]["key"], json!(["Oslo"]));

        // Automatic bounds, declared groups, prefixes and amounts.
        let bounds = ask(&world, &["ask"], pure, "SELECT BOUNDS(paid) FROM people");
        assert_eq!(bounds["columns"], json!(["BOUNDS(paid) low", "BOUNDS(paid) high"]));
        let ends = &bounds["rows"][0]["values"];
        // 99.5 is 199 steps, under 2^8.
        assert_eq!((number(&ends[0]["value"]), number(&ends[1]["value"]), &ends[0]["low"]), (0.0, 127.5, &Value::Null));
        let amount = "SELECT BUDGET(COUNT(*), 100), AVG(paid) AS mean";
        let days =
            ask(&world, &["ask"], pure, &format!("{amount}, COUNT(paid) AS payments FROM people WHERE town LIKE 'Os%' GROUP BY day"));
        assert_eq!(days["rows"].as_array().unwrap().len(), 3);

        // The inverse: within 5 of the truth, and what it takes.
        let told = world.json(
            &[
                &["quote", "space", "--right", "use.right", "--key", "holder.key", "--width", "5"],
                &pure[..],
                &["SELECT COUNT(*) FROM people"],
            ]
            .concat(),
        );
        let unit = &pure[0][2..];
        let price: f64 = told["price_for_width"][unit].as_str().unwrap().parse().unwrap();
        assert!(price > 0.1 && price < 4.0, "{told}");

        let audit = world.json(&["audit", "space", "--key", "owner.pub"]);
        assert_eq!((&audit["ok"], audit["datasets"][0]["spent"]["delta"].as_str()), (&json!(true), Some("0.0000002")));
        if unit == "rho" {
            assert!(audit["datasets"][0]["spent"]["epsilon_at_report_delta"].is_string(), "{audit}");
        }
    }
}

#[test]
fn what_cannot_be_asked_is_refused_before_the_charge() {
    let world = visits("{ model = \"approx\", epsilon = \"10\", delta = \"0.001\" }", "{ epsilon = \"10\", delta = \"0.001\" }");
    let ask = |price: [&'static str; 4], sql: &'static str| {
        [&["ask", "space", "--right", "use.right", "--key", "holder.key"], &price[..], &[sql]].concat()
    };
    let pure = ["--epsilon", "1", "--delta", "0"];
    let delta = ["--epsilon", "1", "--delta", "0.000001"];
    for (price, sql, says) in [
        (pure, "SELECT town, COUNT(*) FROM people GROUP BY town", "needs a delta above 0"),
        (delta, "SELECT QUANTILE(paid, 0.5) FROM people", "nothing in this question uses a delta"),
        (pure, "SELECT HISTOGRAM(paid) FROM people", "needs edges or declared values"),
        (pure, "SELECT COUNT(DISTINCT day) FROM people", "counts privacy units"),
        (delta, "SELECT town, QUANTILE(paid, 0.5) FROM people GROUP BY town", "need groups of declared values"),
        (pure, "SELECT day, COUNT(*) FROM people GROUP BY day ORDER BY COUNT(*) DESC LIMIT 1", "reveal"),
        (pure, "SELECT BUDGET(COUNT(*), 2) FROM people", "amounts"),
    ] {
        world.fails(3, &[says], &ask(price, sql));
    }
    for (sql, says) in [
        ("SELECT MIN(paid) FROM people", "QUANTILE(column, 0.01)"),
        ("SELECT QUANTILE(paid, 1.5) FROM people", "0"),
        ("SELECT COUNT(*) FROM people WHERE town LIKE '%o'", "LIKE"),
        ("SELECT BOUNDS(paid), COUNT(*) FROM people", "BOUNDS"),
    ] {
        world.fails(2, &[says], &ask(pure, sql));
    }
    assert_eq!(world.spent(), "0");
}
