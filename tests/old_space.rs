//! A space that version 0.1.0 made: it opens, nothing in it is lost, and what it gave out still verifies.
#![cfg(all(unix, feature = "csv", feature = "sql", feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

mod kept;

use std::collections::BTreeMap;
use std::fs;

use kept::Kept;
use usufruct::auditor::Auditor;
use usufruct::budget::Loss;
use usufruct::gate::TestGate;
use usufruct::holder::SeenFile;
use usufruct::id::Digest;
use usufruct::key::Signer as _;
use usufruct::ledger::{LedgerReading, RequestState};
use usufruct::receipt::Bundle;
use usufruct::space::Space;

const LEDGER: &str = "c17599a3db5fb7d653da9c29c29325c188a6e38ed3d0d1f691e8a5b07ce9f5bd";
/// The second at which the clock of the test gate stood.
const NOW: u64 = 1_800_000_000;

fn zcdp(rho: &str, delta: &str) -> Loss {
    Loss::zcdp(rho, delta).unwrap()
}

fn epsilon(amount: &str) -> Loss {
    Loss::approx(amount, "0").unwrap()
}

#[test]
fn it_opens_with_every_balance() {
    let kept = Kept::rebuild();
    let space = Space::open(kept.space()).unwrap();
    assert_eq!((space.ledger_id().to_string(), space.owner().key()), (LEDGER.to_owned(), kept.key("owner").public()));
    let found: BTreeMap<String, _> = space
        .datasets()
        .unwrap()
        .into_iter()
        .map(|state| {
            let balance = state.balance;
            (state.description.name().to_string(), (state.version, state.answers, balance.limit(), balance.spent(), state.refills.len()))
        })
        .collect();
    let people = (2, 4, epsilon("4"), epsilon("0.675"), 1);
    let visits = (1, 2, zcdp("0.5", "0.000001"), zcdp("0.06", "0"), 0);
    assert_eq!(found, BTreeMap::from([("people".to_owned(), people), ("visits".to_owned(), visits)]));
}

#[test]
fn its_receipts_verify() {
    let kept = Kept::rebuild();
    let auditor = Auditor::new(kept.key("owner").public().clone());
    for (name, size) in [("people-1", 9), ("visits-1", 12), ("late-1", 16), ("people-2", 21)] {
        let bundle = Bundle::decode(&kept.read(&format!("{name}.receipt"))).unwrap();
        let proof = auditor.verify_bundle(&bundle).unwrap();
        assert!(proof.bound);
        assert_eq!(proof.checkpoint.seen().size, size, "{name}");
    }
}

/// What the holder had seen is not signed in this version's form; the next receipt makes it so.
#[test]
fn its_seen_checkpoint_is_read_and_replaced() {
    let kept = Kept::rebuild();
    let owner = kept.key("owner").public().clone();
    let mut seen = SeenFile::open(&kept.outside("holder.key.seen")).unwrap();
    let line = seen.iter().next().unwrap().clone();
    assert_eq!((line.ledger().to_string(), line.seen().size, line.signed()), (LEDGER.to_owned(), 21, None));
    let bundle = Bundle::decode(&kept.read("people-2.receipt")).unwrap();
    let proof = Auditor::new(owner.clone()).verify_bundle(&bundle).unwrap();
    seen.remember(&proof.checkpoint).unwrap();
    let line = SeenFile::open(&kept.outside("holder.key.seen")).unwrap().iter().next().unwrap().clone();
    assert_eq!(line.verify(&owner).unwrap().unwrap().seen(), proof.checkpoint.seen());
}

#[test]
fn it_audits_clean() {
    let kept = Kept::rebuild();
    let report = Auditor::new(kept.key("owner").public().clone()).audit(&kept.space(), None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
}

/// The states of the requests by name.
fn states(book: &usufruct::ledger::Book) -> BTreeMap<&'static str, u64> {
    let mut found = BTreeMap::new();
    for (_, record) in book.requests() {
        let name = match record.state {
            RequestState::Reserved => "reserved",
            RequestState::Started => "started",
            RequestState::Sealed { .. } => "sealed",
            _ => "other",
        };
        *found.entry(name).or_default() += 1;
    }
    found
}

#[test]
fn its_requests_are_where_they_were() {
    let kept = Kept::rebuild();
    let reading = LedgerReading::open(&kept.space().join("ledger"), |_, _| {}).unwrap();
    assert_eq!(reading.tree.size(), 24);
    assert_eq!(states(&reading.book), BTreeMap::from([("reserved", 1), ("sealed", 4), ("started", 1)]));
    let reading = LedgerReading::open(&kept.test_space().join("ledger"), |_, _| {}).unwrap();
    assert_eq!(states(&reading.book), BTreeMap::from([("reserved", 1), ("sealed", 2), ("started", 2)]));
}

#[test]
fn its_test_gate_answers_every_request_again() {
    let kept = Kept::rebuild();
    let gate = TestGate::open(&kept.test_space(), "kept", || NOW, |_| {}).unwrap();
    for name in ["sealed-1", "sealed-2", "written", "started", "reserved"] {
        let request = kept.read(&format!("tested/{name}.request"));
        let release = gate.answer(&request).unwrap();
        assert_eq!(gate.answer(&request).unwrap().bytes(), release.bytes(), "{name}");
        if let Ok(answer) = fs::read(kept.outside(&format!("tested/{name}.answer"))) {
            assert_eq!(Digest::of(release.bytes()), Digest::of(&answer), "{name}");
        }
        assert_eq!(gate.datasets().unwrap()[0].balance.spent(), epsilon("0.434375"), "{name}");
    }
    gate.answer(&kept.read("tested/new.request")).unwrap();
    assert_eq!(gate.datasets().unwrap()[0].balance.spent(), epsilon("0.4421875"));
}
