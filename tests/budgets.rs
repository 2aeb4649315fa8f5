//! Budgets on the command line: both units, and what owner and holder learn of the accounts.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the other tests of the command line use the rest")]
#[path = "cli/world.rs"]
mod world;

use serde_json::json;
use usufruct::budget::{Delta, Loss, Rho};
use usufruct::dataset::DescriptionFile;
use usufruct::dp::accountant::zcdp;
use usufruct::gate::AnswerError;
use usufruct::right::{Refusal, Verdict};
use usufruct::space::Space;
use world::{PEOPLE, Run, TERMS, World};

const COUNT: &str = "SELECT COUNT(*) FROM people";
const APPROX: &str = "{ model = \"approx\", epsilon = \"3\" }";
const ZCDP: &str = "{ model = \"zcdp\", rho = \"0.5\", delta = \"0.000001\", report_delta = \"0.000001\" }";

/// A small dataset described so, and terms with this budget.
fn people(description: &str, budget: &str) -> World {
    let world = World::with_space();
    world.write("people.csv", "age,sex,city\n7,f,town\n8,m,town\n");
    world.write("people.toml", description);
    world.write("terms.toml", TERMS.replace("{ epsilon = \"2\" }", budget));
    world
}

fn published(description: &str, budget: &str) -> World {
    let world = people(description, budget);
    world.done(&["publish", "space", "--describe", "people.toml", "--key", "owner.key"]);
    world.grant("terms.toml", "use.right");
    world
}

#[test]
fn a_dataset_counts_in_rho_from_description_to_audit() {
    let world = published(&PEOPLE.replace(APPROX, ZCDP), "{ rho = \"0.4\", delta = \"0\" }");
    let card = "space/cards/people.dataset";
    let inspected = world.done(&["inspect", card]);
    for part in ["rho 0.5, delta 0.000001", "report delta", "delta-approximate rho-zCDP"] {
        assert!(inspected.contains(part), "{part}: {inspected}");
    }
    assert!(world.done(&["inspect", "use.right"]).contains("rho 0.4"));
    for file in [card, "use.right"] {
        assert_eq!(world.json(&["verify", file, "--key", "owner.pub"])["ok"], true);
    }

    // Another unit is refused by name, wherever it turns up.
    world.write("epsilon.toml", TERMS);
    let grant = ["grant", "--key", "owner.key", "--dataset", card, "--to", "holder.pub", "--terms", "epsilon.toml", "-o", "no.right"];
    world.fails(2, &["the dataset counts its budget in rho, this amount is in epsilon"], &grant);
    let grant = |right: &'static str| {
        let sign = ["grant", "--key", "owner.key", "--dataset", card, "--to", "holder.pub", "--terms", "terms.toml"];
        [&sign[..], &["--space", "space", "-o", right]].concat()
    };
    world.done(&grant("first.right"));
    world.fails(3, &["live grants would promise rho 0.8, the dataset has rho 0.5, delta 0.000001 left"], &grant("second.right"));
    let request = |price: &[&'static str]| {
        [&["request", "--right", "use.right", "--key", "holder.key"], price, &[COUNT, "-o", "q.request", "--force"]].concat()
    };
    world.fails(2, &["the dataset counts its budget in rho, this amount is in epsilon"], &request(&["--epsilon", "0.1"]));
    world.fails(2, &["rho is a decimal"], &request(&["--rho", "1e-1"]));
    world.fails(2, &["cannot be used with"], &request(&["--rho", "0.1", "--epsilon", "0.1"]));
    world.fails(2, &["--epsilon"], &request(&[]));
    world.fails(2, &["at most the budget of the right, rho 0.4"], &request(&["--rho", "0.1", "--delta", "0.000001"]));
    let told = world.json(&request(&["--rho", "0.1"]));
    assert_eq!(told["price"], json!({"rho": "0.1", "delta": "0"}));
    assert!(world.done(&["inspect", "q.request"]).contains("rho 0.1"));

    let refill = |amount: &[&'static str]| {
        [&["refill", "space", "--key", "owner.key", "--dataset", "people", "--reason", "accepted"], amount].concat()
    };
    world.fails(2, &["the budget is in rho, the amount in epsilon"], &refill(&["--epsilon", "1"]));
    let refilled = world.json(&refill(&["--rho", "0.25", "--delta", "0.000001"]));
    assert_eq!(refilled["number"], 1);
    assert_eq!(
        (&refilled["refill"]["rho"], &refilled["remaining"]["rho"], &refilled["remaining"]["delta"]),
        (&json!("0.25"), &json!("0.75"), &json!("0.000002"))
    );

    let audit = world.json(&["audit", "space", "--key", "owner.pub"]);
    assert_eq!(audit["ok"], true);
    let dataset = &audit["datasets"][0];
    let report_delta = Delta::parse("0.000001").unwrap();
    let epsilon = zcdp::epsilon_of(Rho::parse("0.75").unwrap(), report_delta).unwrap().to_string();
    let budget = json!({"rho": "0.75", "delta": "0.000002", "report_delta": "0.000001", "epsilon_at_report_delta": epsilon});
    assert_eq!(dataset["budget"], budget);
    let nothing = json!({"rho": "0", "delta": "0", "report_delta": "0.000001", "epsilon_at_report_delta": "0"});
    assert_eq!((&dataset["spent"], &dataset["lifetime"]), (&nothing, &nothing));
    assert!(
        world
            .done(&["audit", "space", "--key", "owner.pub"])
            .contains("rho 0.75, delta 0.000002, spent in its life rho 0 (worth epsilon 0")
    );
}

#[test]
fn a_delta_beside_epsilon_is_part_of_every_amount() {
    let budget = "{ epsilon = \"2\", delta = \"0.000001\" }";
    let world = published(&PEOPLE.replace(APPROX, "{ model = \"approx\", epsilon = \"3\", delta = \"0.000002\" }"), budget);
    assert!(world.done(&["inspect", "space/cards/people.dataset"]).contains("by at most delta beyond it"));
    let request =
        ["request", "--right", "use.right", "--key", "holder.key", "--epsilon", "0.1", "--delta", "0.000001", COUNT, "-o", "q.request"];
    assert_eq!(world.json(&request)["price"], json!({"epsilon": "0.1", "delta": "0.000001"}));
    let rho = ["request", "--right", "use.right", "--key", "holder.key", "--rho", "0.1", COUNT, "-o", "no.request"];
    world.fails(2, &["the dataset counts its budget in epsilon, this amount is in rho"], &rho);
    let dataset = world.json(&["audit", "space", "--key", "owner.pub"])["datasets"][0].clone();
    assert_eq!(dataset["budget"], json!({"epsilon": "3", "delta": "0.000002"}));
}

/// The lines of a refusal that only the owner sees, and the one that the holder may be told.
fn sides(run: &Run) -> (String, String) {
    assert_eq!((run.code, run.out.as_str()), (3, ""), "{}", run.err);
    let (holder, owner): (Vec<&str>, Vec<&str>) = run.err.lines().partition(|line| line.contains("the holder learns: "));
    (owner.join("\n"), holder.join("\n"))
}

#[test]
fn a_refusal_shows_both_accounts_to_the_owner_and_none_of_another_to_the_holder() {
    let world = published(PEOPLE, "{ epsilon = \"2\" }");
    world.write("small.toml", TERMS.replace("epsilon = \"2\"", "epsilon = \"0.75\"").replace("uses = 100", "uses = 2"));
    world.grant("small.toml", "small.right");
    let ask = |right: &'static str, epsilon: &'static str| {
        world.run(&["ask", "space", "--right", right, "--key", "holder.key", "--epsilon", epsilon, COUNT])
    };
    assert_eq!(ask("use.right", "1.625").code, 0);
    assert_eq!(ask("small.right", "0.5").code, 0);

    // The right has too little, the dataset enough.
    let (owner, holder) = sides(&ask("small.right", "0.5"));
    assert!(owner.contains("the budget of the right: needed epsilon 0.5, left epsilon 0.25"), "{owner}");
    assert!(owner.contains("dataset: limit epsilon 3, spent epsilon 2.125, requested epsilon 0.5, remaining epsilon 0.875"), "{owner}");
    assert!(
        owner.contains(
            "right:   limit epsilon 0.75, spent epsilon 0.5, requested epsilon 0.5, remaining epsilon 0.25; 1 of 2 uses remaining"
        ),
        "{owner}"
    );
    assert!(holder.ends_with("budget: the price is epsilon 0.5, your right has epsilon 0.25 and 1 uses left"), "{holder}");
    assert!(!holder.contains("0.875") && !holder.contains("2.125"), "{holder}");

    // The right has enough, the dataset too little: the holder learns no other code.
    world.write("large.toml", TERMS.replace("epsilon = \"2\"", "epsilon = \"1.25\""));
    world.grant("large.toml", "large.right");
    let (owner, holder) = sides(&ask("large.right", "1"));
    assert!(owner.contains("the budget of the dataset: needed epsilon 1, left epsilon 0.875"), "{owner}");
    assert!(owner.contains("dataset: limit epsilon 3, spent epsilon 2.125, requested epsilon 1, remaining epsilon 0.875"), "{owner}");
    assert!(
        owner.contains("right:   limit epsilon 1.25, spent epsilon 0, requested epsilon 1, remaining epsilon 1.25; 100 of 100"),
        "{owner}"
    );
    assert!(holder.ends_with("budget: the price is epsilon 1, your right has epsilon 1.25 and 100 uses left"), "{holder}");
    assert!(!holder.contains("0.875") && !holder.contains("2.125"), "{holder}");

    // The uses are made.
    assert_eq!(ask("small.right", "0.125").code, 0);
    let (owner, holder) = sides(&ask("small.right", "0.125"));
    assert!(
        owner.contains("all 2 uses") && owner.contains("spent epsilon 2.25, requested epsilon 0.125") && owner.contains("0 of 2 uses"),
        "{owner}"
    );
    assert!(holder.ends_with("budget: the price is epsilon 0.125, your right has epsilon 0.125 and 0 uses left"), "{holder}");

    // The same for an embedder, whose two sides are two values.
    world.done(&["request", "--right", "large.right", "--key", "holder.key", "--epsilon", "1", COUNT, "-o", "q.request"]);
    let gate = Space::open(world.path("space")).unwrap().gate();
    let request = std::fs::read(world.path("q.request")).unwrap();
    let Err(AnswerError::Refused { verdict, refusal }) = gate.answer(&request) else { panic!("it was answered") };
    assert!(matches!(*verdict, Verdict::DatasetBudget { .. }));
    let (accounts, loss) = (verdict.accounts().unwrap(), |epsilon| Loss::approx(epsilon, "0").unwrap());
    assert_eq!((accounts.requested, accounts.dataset.spent(), accounts.right.left()), (loss("1"), loss("2.25"), loss("1.25")));
    assert_eq!(refusal, Refusal::Budget { price: loss("1"), remaining: loss("1.25"), uses: 100 });
    assert_eq!(refusal.code(), "budget");
}

#[test]
fn publish_warns_of_columns_that_may_reveal_and_only_of_them() {
    let revealing = PEOPLE.replace("city = { type = \"text\", grade = 2 }", "city = { type = \"text\", grade = 2, use = [\"reveal\"] }");
    let world = people(&format!("reveal_least_units = 2\n{revealing}"), "{ epsilon = \"2\" }");
    let warnings = world.json(&["publish", "space", "--describe", "people.toml", "--key", "owner.key"])["warnings"].clone();
    let reveals: Vec<&str> =
        warnings.as_array().unwrap().iter().filter_map(|text| text.as_str()).filter(|text| text.contains("reveal")).collect();
    assert_eq!(reveals.len(), 1);
    assert!(reveals[0].starts_with("column city: `reveal` lets values leave"), "{}", reveals[0]);
    let inspected = world.done(&["inspect", "space/cards/people.dataset"]);
    assert!(inspected.contains("reveal least units") && inspected.contains("use group reveal"), "{inspected}");

    // The column is in the snapshot, though it may neither be counted nor filtered by.
    let snapshots: Vec<_> = std::fs::read_dir(world.path("space/snapshots")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let schema = DescriptionFile::read(world.path("people.toml")).unwrap().description.schema().clone();
    let snapshot = usufruct::dataset::Snapshot::open(&snapshots[0], &schema).unwrap();
    let place = schema.columns().iter().position(|column| column.name.as_str() == "city").unwrap();
    assert!(snapshot.dictionary(place).is_some());
}
