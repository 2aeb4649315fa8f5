//! The whole path through the public API: describe, publish, grant, ask, release, verify, audit, and what is refused.
#![cfg(all(feature = "csv", feature = "sql", feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use usufruct::auditor::Auditor;
use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::gate::{AnswerError, Gate, GateError};
use usufruct::holder::Holder;
use usufruct::id::{Purpose, Time};
use usufruct::key::SigningKey;
use usufruct::ledger::RefillReason;
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::receipt::Bundle;
use usufruct::right::{Ask, Refusal, Seen, Terms, Verified};
use usufruct::space::Space;
use usufruct::table::{CsvOptions, CsvSource};

const DESCRIPTION: &str = r#"
name = "people"
data = "people.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "2", delta = "0" }
[columns.age]
type = "integer"
bounds = [0, 120]
grade = 2
[columns.sex]
type = "text"
values = ["f", "m"]
grade = 1
[columns.note]
type = "text"
grade = 4
nullable = true
"#;

const TERMS: &str = r#"
kind = "process"
operations = ["count", "mean"]
columns = ["sex", "age"]
purposes = ["research:health"]
budget = { epsilon = "1.5" }
uses = 4
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
        let world = Self { folder: tempfile::tempdir().unwrap(), owner, holder, random };
        let rows: String = (0..5_000).map(|i| format!("{},{},note {i}\n", i % 100, if i % 5 == 0 { "f" } else { "m" })).collect();
        std::fs::write(world.path("people.csv"), format!("age,sex,note\n{rows}")).unwrap();
        world
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn space(&self, name: &str) -> Space {
        Space::create_with(
            self.path(name),
            self.owner.signer(),
            self.owner.public(),
            now(),
            usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
        )
        .unwrap()
    }

    fn publish(&self, space: &Space, description: &str) -> Result<Vec<u8>, GateError> {
        let file = DescriptionFile::parse(description, self.folder.path()).unwrap();
        let source = CsvSource::open(&file.data.path, CsvOptions::default(), table_schema(file.description.schema())).unwrap();
        let published = space.publish(&file.description, &source, self.owner.signer(), &mut |_| ControlFlow::Continue(()))?;
        Ok(published.card.bytes().to_vec())
    }

    fn right(&mut self, card: &[u8], terms: &str) -> Verified {
        let card = self.owner.read_card(card).unwrap();
        self.owner.grant(&card, self.holder.public(), Terms::parse(terms).unwrap(), now(), &mut self.random).unwrap()
    }

    fn request(&mut self, right: &Verified, sql: &str, epsilon: &str) -> Vec<u8> {
        self.request_with(right, sql, epsilon, |_| {})
    }

    fn request_with(&mut self, right: &Verified, sql: &str, epsilon: &str, change: impl FnOnce(&mut Ask)) -> Vec<u8> {
        let mut ask = Ask::new(Query::sql(sql).unwrap(), Loss::pure(Epsilon::parse(epsilon).unwrap())).expiry_s(3600);
        change(&mut ask);
        self.holder.request(right, ask, now(), &mut self.random).unwrap().bytes().to_vec()
    }
}

fn refusal(gate: &Gate, request: &[u8]) -> Refusal {
    match gate.answer(request).unwrap_err() {
        AnswerError::Refused { refusal, .. } => refusal,
        other => panic!("{other}"),
    }
}

const QUESTION: &str = "SELECT sex, COUNT(*), AVG(age) FROM people GROUP BY sex";

#[test]
fn an_answer_is_charged_sealed_verified_and_the_same_again() {
    let mut world = World::new();
    let space = world.space("space");
    let card = world.publish(&space, DESCRIPTION).unwrap();
    let right = world.right(&card, TERMS);
    let gate = space.gate();
    let request = world.request(&right, QUESTION, "1");
    let release = gate.answer(&request).unwrap();
    assert_eq!(release.answer().columns.iter().map(usufruct::id::Name::as_str).collect::<Vec<_>>(), ["sex", "COUNT(*)", "AVG(age)"]);
    assert_eq!(release.rows().len(), 2);
    for (row, count) in release.rows().iter().zip([1_000, 4_000]) {
        let noisy = row.values[0].value.unwrap().mantissa();
        assert!((noisy - count).abs() < 60, "noise of scale about 1.6 passes 60 once in 10^16 runs: {noisy}");
        assert!(row.values[1].low < row.values[1].high);
    }
    assert_eq!(release.answer().remaining, Loss::approx("0.5", "0").unwrap());

    let json = serde_json::to_value(&release).unwrap();
    let answer = &json["answer"];
    assert_eq!(answer["remaining"], serde_json::json!({ "epsilon": "0.5", "delta": "0" }));
    assert_eq!(answer["rows"][0]["values"][0]["value"], release.rows()[0].values[0].value.unwrap().to_string());
    assert_eq!((&answer["rows"][0]["key"][0], json.get("receipt")), (&serde_json::json!("f"), None));

    let again = gate.answer(&request).unwrap();
    assert_eq!((again.bytes(), again.receipt()), (release.bytes(), release.receipt()));
    assert_eq!(gate.datasets().unwrap()[0].balance.spent(), Loss::approx("1", "0").unwrap());
    drop((gate, space));
    let gate = Space::open(world.path("space")).unwrap().gate();
    let after = gate.answer(&request).unwrap();
    assert_eq!((after.bytes(), after.receipt()), (release.bytes(), release.receipt()));

    let auditor = Auditor::new(world.owner.public().clone());
    let bundle = Bundle { receipt: release.receipt().unwrap().clone(), request: request.clone(), answer: release.bytes().to_vec() };
    let bundle = Bundle::decode(&bundle.encode()).unwrap();
    let proof = auditor.verify_bundle(&bundle).unwrap();
    assert!(proof.bound);
    let json = serde_json::to_value(&proof).unwrap();
    assert_eq!((&json["bound"], &json["proved"][0]["statement"]), (&serde_json::json!(true), &serde_json::json!("certified")));
    assert!(!auditor.verify_unbound(&bundle.receipt).unwrap().bound);
    assert!(Auditor::new(world.holder.public().clone()).verify_bundle(&bundle).is_err());
    let other = world.request(&right, QUESTION, "0.1");
    assert!(auditor.verify(&bundle.receipt, &other, &bundle.answer).is_err());
    drop(gate);

    let report = auditor.audit(&world.path("space"), None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!(report.datasets[0].answers, 1);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["depth"], &json["rollback"]["state"]), (&serde_json::json!("full"), &serde_json::json!("unwitnessed")));
    assert_eq!(json["datasets"][0]["balance"]["spent"]["epsilon"], "1");
    assert!(!Auditor::new(world.holder.public().clone()).audit(&world.path("space"), None, &|_, _| {}).unwrap().ok());
}

#[test]
fn budgets_stop_a_right_and_a_lineage_and_survive_a_new_version() {
    let mut world = World::new();
    let space = world.space("space");
    let card = world.publish(&space, DESCRIPTION).unwrap();
    let (first, second) = (world.right(&card, TERMS), world.right(&card, TERMS));
    let gate = space.gate();
    gate.answer(&world.request(&first, QUESTION, "1.5")).unwrap();
    let over = world.request(&first, QUESTION, "0.1");
    assert!(matches!(refusal(&gate, &over), Refusal::Budget { uses: 3, .. }));
    // The second right has its own budget left, the dataset has not: the holder is not told whose ran out.
    let over_lineage = world.request(&second, QUESTION, "0.500000001");
    assert!(matches!(refusal(&gate, &over_lineage), Refusal::Budget { uses: 4, .. }));
    gate.answer(&world.request(&second, QUESTION, "0.5")).unwrap();
    drop((gate, space));

    let space = Space::open(world.path("space")).unwrap();
    let card_again = world.publish(&space, DESCRIPTION).unwrap();
    assert_eq!(space.datasets().unwrap()[0].version, 2);
    assert_eq!(world.owner.read_card(&card_again).unwrap().value().dataset, world.owner.read_card(&card).unwrap().value().dataset);
    assert!(matches!(world.publish(&space, &DESCRIPTION.replace("[0, 120]", "[0, 110]")), Err(GateError::OtherDescription { .. })));
    let again = world.request(&second, QUESTION, "0.1");
    let gate = space.gate();
    assert!(matches!(refusal(&gate, &again), Refusal::Budget { .. }));
    drop((gate, space));

    let space = Space::open(world.path("space")).unwrap();
    let dataset = world.owner.read_card(&card).unwrap().value().dataset;
    let refill = world
        .owner
        .refill(dataset, space.next_refill(&dataset).unwrap(), Loss::approx("0.25", "0").unwrap(), RefillReason::Accepted)
        .unwrap();
    assert_eq!(space.refill(refill.bytes()).unwrap(), Loss::approx("0.25", "0").unwrap());
    assert_eq!(space.refill(refill.bytes()).unwrap(), Loss::approx("0.25", "0").unwrap(), "one signature refills once");
    let gate = space.gate();
    gate.answer(&again).unwrap();
    drop(gate);
    let report = Auditor::new(world.owner.public().clone()).audit(&world.path("space"), None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!(report.datasets[0].refills.len(), 1);
}

#[test]
fn a_right_is_spent_at_one_ledger_only_and_within_its_terms() {
    let mut world = World::new();
    let (space, other) = (world.space("space"), world.space("other"));
    let card = world.publish(&space, DESCRIPTION).unwrap();
    world.publish(&other, DESCRIPTION).unwrap();
    let right = world.right(&card, TERMS);
    let (gate, other) = (space.gate(), other.gate());
    let request = world.request(&right, QUESTION, "0.1");
    assert_eq!(refusal(&other, &request), Refusal::NotAllowed);
    for sql in [
        "SELECT SUM(age) FROM people",
        "SELECT COUNT(*) FROM people WHERE note = 'note 7'",
        "SELECT COUNT(*) FROM people GROUP BY age",
        "SELECT AVG(sex) FROM people",
        "SELECT COUNT(*) FROM people WHERE age = 'old'",
    ] {
        assert_eq!(refusal(&gate, &world.request(&right, sql, "0.1")), Refusal::NotAllowed, "{sql}");
    }
    let purpose = world.request_with(&right, QUESTION, "0.1", |ask| ask.purpose = Some(Purpose::new("marketing").unwrap()));
    assert_eq!(refusal(&gate, &purpose), Refusal::NotAllowed);
    let narrower = world.request_with(&right, QUESTION, "0.1", |ask| ask.purpose = Some(Purpose::new("research:health:cancer").unwrap()));
    gate.answer(&narrower).unwrap();
    let fine = world.request(&right, QUESTION, "0.0000000001");
    assert_eq!(refusal(&gate, &fine), Refusal::NotAllowed, "more than nine decimals");

    let expired = world.right(&card, &TERMS.replace("2090", "2020"));
    assert_eq!(refusal(&gate, &world.request(&expired, QUESTION, "0.1")), Refusal::Expired);
    let early = world.right(&card, &format!("{TERMS}not_before = \"2089-01-01T00:00:00Z\"\n"));
    assert_eq!(refusal(&gate, &world.request(&early, QUESTION, "0.1")), Refusal::NotAllowed);

    // A holder who has seen more than this ledger has, or something else: it was rolled back or forked.
    for seen in [Seen { size: 4_000, root: usufruct::id::Digest::of(b"") }, Seen { size: 2, root: usufruct::id::Digest::of(b"") }] {
        let doubt = world.request_with(&right, QUESTION, "0.1", |ask| ask.seen = Some(seen));
        assert_eq!(refusal(&gate, &doubt), Refusal::InDoubt);
    }
    assert_eq!(gate.datasets().unwrap()[0].balance.spent(), Loss::approx("0.1", "0").unwrap());
    assert_eq!(gate.datasets().unwrap()[0].answers, 1);
}

#[test]
fn strangers_learn_nothing_and_a_nonce_serves_one_request() {
    let mut world = World::new();
    let space = world.space("space");
    let card = world.publish(&space, DESCRIPTION).unwrap();
    let right = world.right(&card, TERMS);
    let gate = space.gate();
    let stranger = Holder::new(SigningKey::generate(&mut world.random));
    let ask = |price: &str| Ask::new(Query::sql(QUESTION).unwrap(), Loss::approx(price, "0").unwrap()).expiry_s(60);
    assert!(stranger.request(&right, ask("0.1"), now(), &mut world.random).is_err());
    for bytes in [&b""[..], b"\x00", &[0xff; 100], &vec![0; 200_000], right.bytes()] {
        assert_eq!(refusal(&gate, bytes), Refusal::Refused);
    }
    // The same nonce with another payload: what a holder with a broken generator would send.
    #[cfg(feature = "hazmat")]
    {
        use usufruct::random::RecordedRandom;
        let request =
            |price| world.holder.request(&right, ask(price), now(), &mut RecordedRandom::from_seed("nonce")).unwrap().bytes().to_vec();
        gate.answer(&request("0.1")).unwrap();
        assert_eq!(refusal(&gate, &request("0.2")), Refusal::NotAllowed);
    }
}

#[test]
fn an_owner_is_told_when_rights_promise_more_than_is_left() {
    let mut world = World::new();
    let space = world.space("space");
    let card = world.publish(&space, DESCRIPTION).unwrap();
    let (first, second) = (world.right(&card, TERMS), world.right(&card, TERMS));
    space.grant(first.bytes(), false).unwrap();
    space.grant(first.bytes(), false).unwrap();
    assert!(matches!(space.grant(second.bytes(), false), Err(GateError::Oversubscribed { .. })));
    space.grant(second.bytes(), true).unwrap();
    assert!(Space::open(world.path("space")).is_err(), "one process at a time");
    assert!(
        Space::create_with(
            world.path("space"),
            world.owner.signer(),
            world.owner.public(),
            now(),
            usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE)
        )
        .is_err()
    );
    assert!(Space::open(Path::new("/nowhere")).is_err());
}
