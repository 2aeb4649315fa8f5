//! Owner's acts and answers on a failing disk: each write, sync and name of each act fails in turn, or is the last thing the
//! process does; then the space opens, the act has happened or has not, and trying again makes it happen once.
#![cfg(all(unix, feature = "csv", feature = "sql", feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "faults/mod.rs"]
mod inject;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use inject::{Calls, Faults, Ran, What};
use usufruct::auditor::Auditor;
use usufruct::budget::Loss;
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::envelope::Signed;
use usufruct::gate::{AnswerError, GateError, SpaceOptions, SpaceStatus};
use usufruct::holder::Holder;
use usufruct::id::Time;
use usufruct::key::{Signer as _, SigningKey};
use usufruct::ledger::{ClockReset, LedgerReading, Quantum, QuantumChange, RefillReason, RequestState};
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::right::{Ask, Refusal, Right, Terms};
use usufruct::space::{Certified, Space, certify_closed};
use usufruct::table::{CsvOptions, CsvSource};

const TERMS: &str = r#"
kind = "process"
operations = ["count", "mean"]
columns = ["sex", "age"]
purposes = ["research"]
budget = { epsilon = "1" }
uses = 10
not_after = "2090-01-01T00:00:00Z"
"#;
/// What is tried, each in a process of its own.
const ACTS: [&str; 8] = ["answer", "publish", "version", "grant", "refill", "certify", "quantum", "open"];

fn now() -> Time {
    Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
}

fn key(folder: &Path, name: &str) -> SigningKey {
    SigningKey::open(folder.join(name)).unwrap()
}

fn owner(folder: &Path) -> Owner {
    Owner::new(key(folder, "owner.key"))
}

fn describe(folder: &Path, name: &str) -> DescriptionFile {
    let text = format!(
        "name = \"{name}\"\ndata = \"people.csv\"\nunit = \"row\"\nrows_are_independent = true\n\
         budget = {{ model = \"approx\", epsilon = \"3\" }}\n\
         columns.age = {{ type = \"integer\", bounds = [0, 120], grade = 2 }}\n\
         columns.sex = {{ type = \"text\", values = [\"f\", \"m\"], grade = 1 }}\n"
    );
    DescriptionFile::parse(&text, folder).unwrap()
}

fn publish(folder: &Path, space: &Space, name: &str) -> Result<usufruct::gate::Published, GateError> {
    let file = describe(folder, name);
    let source = CsvSource::open(&file.data.path, CsvOptions::default(), table_schema(file.description.schema())).unwrap();
    space.publish(&file.description, &source, owner(folder).signer(), &mut |_| ControlFlow::Continue(()))
}

/// A folder with keys, a space with one dataset and a right, and signed files for every act.
fn base() -> tempfile::TempDir {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let mut random = SystemRandom::new().unwrap();
    for name in ["owner.key", "holder.key"] {
        SigningKey::generate(&mut random).create(folder.join(name)).unwrap();
    }
    let rows: String = (0..500).map(|row| format!("{},{}\n", row % 90, if row % 3 == 0 { "f" } else { "m" })).collect();
    fs::write(folder.join("people.csv"), format!("age,sex\n{rows}")).unwrap();
    let (owner, holder) = (owner(folder), Holder::new(key(folder, "holder.key")));
    let options = SpaceOptions::default().quantum(Quantum::NONE);
    let space = Space::create_with(folder.join("space"), owner.signer(), owner.public(), now(), options).unwrap();
    let published = publish(folder, &space, "people").unwrap();
    for name in ["used.right", "new.right"] {
        let right = owner.grant(&published.card, holder.public(), Terms::parse(TERMS).unwrap(), now(), &mut random).unwrap();
        fs::write(folder.join(name), right.bytes()).unwrap();
    }
    let used = fs::read(folder.join("used.right")).unwrap();
    space.grant(&used, false).unwrap();
    fs::write(folder.join("request"), request(folder, "used.right", "0.1")).unwrap();
    let refill = owner.refill(published.id, 1, Loss::approx("1", "0").unwrap(), RefillReason::Accepted).unwrap();
    fs::write(folder.join("refill"), refill.bytes()).unwrap();
    let change = QuantumChange { ledger: space.ledger_id(), number: 1, quantum: Quantum::new(50).unwrap() };
    fs::write(folder.join("quantum"), Signed::sign(change, owner.signer()).unwrap().bytes()).unwrap();
    temporary
}

fn request(folder: &Path, right: &str, price: &str) -> Vec<u8> {
    let right = Right::decode(&fs::read(folder.join(right)).unwrap()).unwrap();
    let query = Query::sql("SELECT sex, COUNT(*), AVG(age) FROM people GROUP BY sex").unwrap();
    let ask = Ask::new(query, Loss::approx(price, "0").unwrap()).expiry_s(24 * 3600);
    let holder = Holder::new(key(folder, "holder.key"));
    holder.request_claimed(&right, ask, now(), &mut SystemRandom::new().unwrap()).unwrap().bytes().to_vec()
}

/// Does one act; whether it says that it did.
fn act(folder: &Path, act: &str) -> bool {
    let path = folder.join("space");
    if act == "certify" {
        return certify_closed(&path, &key(folder, "owner.key"), Certified::New, now(), Duration::ZERO).is_ok();
    }
    let Ok(space) = Space::open_with(path, SpaceOptions::default().inbox(false)) else { return false };
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    match act {
        "answer" => space.gate().answer(&read("request")).is_ok(),
        "publish" => publish(folder, &space, "others").is_ok(),
        "version" => publish(folder, &space, "people").is_ok(),
        "grant" => space.grant(&read("new.right"), false).is_ok(),
        "refill" => space.apply(&read("refill")).is_ok(),
        "quantum" => space.apply(&read("quantum")).is_ok(),
        _ => true,
    }
}

/// How often the act has happened, by the ledger.
fn done(status: &SpaceStatus, act: &str) -> u64 {
    let people = status.datasets.iter().find(|state| state.description.name().as_str() == "people").unwrap();
    match act {
        "answer" => people.answers,
        "publish" => {
            let others = status.datasets.iter().find(|state| state.description.name().as_str() == "others");
            others.map_or(0, |state| state.version)
        }
        "version" => people.version - 1,
        "grant" => status.rights.len() as u64 - 1,
        "refill" => people.refills.len() as u64,
        "certify" => status.next_acts.certificate.number,
        "quantum" => status.next_acts.quantum - 1,
        _ => 0,
    }
}

/// The child: does one act, and says whether it did.
#[test]
#[ignore = "a child process of the tests below"]
fn does_one_act() {
    let Some(folder) = std::env::var_os("ACT_FOLDER").map(PathBuf::from) else { return };
    let did = act(&folder, &std::env::var("ACT").unwrap());
    println!("did {did}");
}

/// A copy of the base; what a process left behind is looked at there.
fn copied(base: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    assert!(Command::new("cp").arg("-a").arg("--sparse=always").arg(base.join(".")).arg(copy.path()).status().unwrap().success());
    copy
}

fn child(faults: &Faults, folder: &Path, act: &str) -> inject::Faulty {
    faults.test("does_one_act", &folder.join("space")).env("ACT_FOLDER", folder).env("ACT", act)
}

/// After whatever happened: the space opens, the act has happened once or not at all, what was told is true, trying again makes it
/// happen once, and the audit finds nothing.
fn check(folder: &Path, act_name: &str, ran: &Ran) {
    let told = || format!("{act_name}: {}", ran.told());
    let path = folder.join("space");
    drop(Space::open(&path).unwrap_or_else(|error| panic!("{error}\n{}", told())));
    let status = SpaceStatus::read(&path).unwrap();
    let happened = done(&status, act_name);
    assert!(happened <= 1, "{}", told());
    if ran.out.contains("did true") && act_name != "open" {
        assert_eq!(happened, 1, "told and not there\n{}", told());
    }
    if happened == 0 && !["certify", "open"].contains(&act_name) {
        assert!(act(folder, act_name), "again\n{}", told());
        assert_eq!(done(&SpaceStatus::read(&path).unwrap(), act_name), 1, "{}", told());
    } else if act_name == "answer" {
        // The same bytes, or the first ones, under the same charge.
        assert!(act(folder, act_name), "{}", told());
    }
    let status = SpaceStatus::read(&path).unwrap();
    let people = status.datasets.iter().find(|state| state.description.name().as_str() == "people").unwrap();
    let expected = if act_name == "answer" { "0.1" } else { "0" };
    assert_eq!(people.balance.spent(), Loss::approx(expected, "0").unwrap(), "{}", told());
    assert!(status.requests.iter().all(|request| matches!(request.state, RequestState::Sealed { .. })), "{}", told());
    let report = Auditor::new(owner(folder).public().clone()).audit(&path, None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}\n{}", report.problems, told());
    // Nothing is left of what did not come to be: one opening an artefact and one for the tags, one snapshot a version.
    drop(Space::open(&path).unwrap());
    let count = |name: &str| fs::read_dir(path.join(name)).unwrap().count() as u64;
    let versions: u64 = status.datasets.iter().map(|state| state.version).sum();
    let refills: u64 = status.datasets.iter().map(|state| state.refills.len() as u64).sum();
    assert_eq!(count("snapshots"), versions, "{}", told());
    assert_eq!(count("openings"), versions + refills + status.rights.len() as u64 + 1, "{}", told());
    // The file of the certificate, which comes after its entry, is of the one in force.
    let reading = LedgerReading::open(&path.join("ledger"), |_, _| {}).unwrap();
    let certificate = reading.book.head().certificate().unwrap().bytes();
    assert!(fs::read(path.join("gate.certificate")).is_ok_and(|found| found == certificate), "{}", told());
}

fn every_call_fails(acts: &[&str]) {
    let Some(faults) = Faults::build() else { return };
    let base = base();
    let mut runs = 0;
    for act in acts {
        let counted = copied(base.path());
        let calls = child(&faults, counted.path(), act).count();
        assert!(calls > 0, "{act}");
        let mut struck = 0;
        for n in 1..=calls {
            for what in [What::Kill, What::Eio, What::EioSticky, What::Enospc, What::EnospcSticky, What::Torn(n)] {
                let folder = copied(base.path());
                let ran = child(&faults, folder.path(), act).at(n, what).run();
                struck += u64::from(ran.struck.is_some());
                runs += 1;
                check(folder.path(), act, &ran);
            }
        }
        assert!(struck >= calls, "{act}: {struck} of {calls}");
        println!("{act}: {calls} calls, {struck} failures");
    }
    println!("{runs} runs");
}

#[test]
fn every_call_of_an_answer_fails_in_turn() {
    every_call_fails(&["answer"]);
}

#[test]
fn every_call_of_a_publication_fails_in_turn() {
    every_call_fails(&["publish", "version"]);
}

#[test]
fn every_call_of_a_grant_fails_in_turn() {
    every_call_fails(&["grant"]);
}

#[test]
fn every_call_of_the_other_acts_fails_in_turn() {
    every_call_fails(&["refill", "quantum", "open"]);
}

#[test]
fn every_call_of_a_certificate_fails_in_turn() {
    every_call_fails(&["certify"]);
    assert_eq!(ACTS.len(), 8, "each act is in one of these tests");
}

/// The syncs of an ask: charge with start, answers, seal, and no more.
#[test]
fn an_ask_costs_three_syncs() {
    let Some(faults) = Faults::build() else { return };
    let base = base();
    let syncs = |act: &str| {
        let copy = copied(base.path());
        let ran = child(&faults, copy.path(), act).calls(Calls::Syncs).run();
        assert!(ran.out.contains("did true"), "{}", ran.told());
        ran
    };
    // The first answer also makes the first segment of answers, so that a space with one is asked.
    assert!(act(base.path(), "answer"));
    fs::write(base.path().join("request"), request(base.path(), "used.right", "0.1")).unwrap();
    // The checkpoint at closing is the only file that is made whole and synced by its name.
    let data = |ran: &Ran| ran.log.iter().filter(|call| call.contains("fdatasync")).count();
    let (idle, asked) = (syncs("open"), syncs("answer"));
    assert_eq!(data(&asked) - data(&idle), 3, "{}\n{}", idle.told(), asked.told());
}

/// After one answer with the clock a year ahead, the owner sets gate time back, and the space lives.
#[test]
fn a_false_clock_is_set_back_by_the_owner() {
    let Some(faults) = Faults::build() else { return };
    let base = base();
    let folder = base.path();
    let year = 365 * 24 * 3600;
    // Signed by a holder whose clock is as false.
    let right = Right::decode(&fs::read(folder.join("used.right")).unwrap()).unwrap();
    let query = Query::sql("SELECT COUNT(*) FROM people").unwrap();
    let ask = Ask::new(query, Loss::approx("0.1", "0").unwrap()).expiry_s(3600);
    let holder = Holder::new(key(folder, "holder.key"));
    let ahead = holder.request_claimed(&right, ask, now().plus_s(year), &mut SystemRandom::new().unwrap()).unwrap();
    let today = fs::read(folder.join("request")).unwrap();
    fs::write(folder.join("request"), ahead.bytes()).unwrap();
    let ran = child(&faults, folder, "answer").clock(i64::try_from(year).unwrap()).run();
    assert!(ran.out.contains("did true"), "{}", ran.told());

    let space = Space::open(folder.join("space")).unwrap();
    let refused = space.gate().answer(&today).unwrap_err();
    assert!(matches!(refused.refusal(), Some(Refusal::InDoubt)), "{}", refused.for_owner());
    let acts = space.next_acts().unwrap();
    let (owner, holder) = (owner(folder), key(folder, "holder.key"));
    let reset = |number, time, signer: &dyn usufruct::key::Signer| {
        let act = Signed::sign(ClockReset { ledger: acts.ledger, number, time }, signer).unwrap();
        space.apply(act.bytes()).map(|applied| applied.to_string())
    };
    assert!(reset(acts.clock, now(), &holder).is_err(), "not the owner's");
    assert!(reset(acts.clock + 1, now(), owner.signer()).is_err(), "out of turn");
    assert!(reset(acts.clock, now().plus_s(2 * year), owner.signer()).is_err(), "not back");
    let told = reset(acts.clock, now(), owner.signer()).unwrap();
    assert!(told.starts_with("gate time is"), "{told}");
    assert!(reset(acts.clock, Time::from_unix_s(1), owner.signer()).is_err(), "another under its number");
    let release = space.gate().answer(&today).unwrap();
    // What was answered under the false clock is still there, though its time to be asked is not yet come: nothing is forgotten.
    assert_eq!(space.requests().unwrap().len(), 2);
    let again = space.gate().answer(&today).unwrap();
    assert_eq!(again.receipt(), release.receipt());
    drop(space);
    let report = Auditor::new(owner.public().clone()).audit(&folder.join("space"), None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    assert!(report.acts.iter().any(|act| act.contains("gate time set back")), "{:?}", report.acts);
}

/// After the end of the gate's certificate, and after the loss of its key, the owner certifies anew; what was sealed before keeps
/// its receipt as long as the old key is there, and gets one under the new key when it is not.
#[test]
fn a_gate_is_certified_anew_also_after_a_lost_key() {
    let base = base();
    let folder = base.path();
    let (path, owner_key) = (folder.join("space"), key(folder, "owner.key"));
    let bytes = fs::read(folder.join("request")).unwrap();
    let first = Space::open(&path).unwrap().gate().answer(&bytes).unwrap();
    let auditor = Auditor::new(owner(folder).public().clone());

    // The same key, by an act that a running gate takes.
    let space = Space::open(&path).unwrap();
    let certificate = space.next_certificate(None, now().plus_s(1000)).unwrap();
    space.apply(Signed::sign(certificate.clone(), &owner_key).unwrap().bytes()).unwrap();
    let size = space.status().unwrap().size;
    space.apply(Signed::sign(certificate.clone(), &owner_key).unwrap().bytes()).unwrap();
    assert_eq!(space.status().unwrap().size, size, "told as applied, and not again in the ledger");
    let other = usufruct::ledger::GateCertificate { not_after: certificate.not_after.plus_s(1), ..certificate };
    assert!(space.apply(Signed::sign(other, &owner_key).unwrap().bytes()).is_err(), "another under its number");
    let stranger = SigningKey::generate(&mut SystemRandom::new().unwrap());
    let of_another = space.next_certificate(Some(stranger.public()), now()).unwrap();
    assert!(matches!(space.apply(Signed::sign(of_another, &owner_key).unwrap().bytes()), Err(GateError::NoGateKey { .. })));
    assert_eq!(space.gate().answer(&bytes).unwrap(), first, "the receipt too");
    drop(space);

    // Another key beside the old one: old answers keep their receipts byte for byte.
    certify_closed(&path, &owner_key, Certified::New, now(), Duration::ZERO).unwrap();
    let space = Space::open(&path).unwrap();
    assert_eq!(space.gate().answer(&bytes).unwrap(), first);
    let second = request(folder, "used.right", "0.1");
    let release = space.gate().answer(&second).unwrap();
    auditor.verify(release.receipt().unwrap(), &second, release.bytes()).unwrap();
    assert_ne!(release.receipt().unwrap().certificate, first.receipt().unwrap().certificate);
    drop(space);

    // All keys lost.
    for entry in fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "key") {
            fs::remove_file(file).unwrap();
        }
    }
    assert!(matches!(Space::open(&path), Err(GateError::NoGateKey { .. })));
    let holder = key(folder, "holder.key");
    assert!(matches!(certify_closed(&path, &holder, Certified::New, now(), Duration::ZERO), Err(GateError::NotTheOwner)));
    certify_closed(&path, &owner_key, Certified::New, now(), Duration::ZERO).unwrap();
    let space = Space::open(&path).unwrap();
    let again = space.gate().answer(&bytes).unwrap();
    assert_eq!(again.bytes(), first.bytes());
    auditor.verify(again.receipt().unwrap(), &bytes, again.bytes()).unwrap();
    drop(space);
    let report = auditor.audit(&path, None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!(report.acts.iter().filter(|act| act.contains("certified until")).count(), 4, "{:?}", report.acts);
}

/// The quantum belongs to the space: an owner's entry changes it, and from then on every time is a multiple of it.
#[test]
fn the_quantum_is_changed_by_the_owner() {
    let base = base();
    let folder = base.path();
    let space = Space::open(folder.join("space")).unwrap();
    let acts = space.next_acts().unwrap();
    let change = |number, ms| {
        let quantum = Quantum::new(ms).unwrap();
        let act = QuantumChange { ledger: acts.ledger, number, quantum };
        space.apply(Signed::sign(act, owner(folder).signer()).unwrap().bytes()).is_ok()
    };
    assert!(!change(2, 3000) && change(1, 3000) && change(1, 3000) && !change(1, 2000));
    let begun = std::time::Instant::now();
    let release = space.gate().answer(&fs::read(folder.join("request")).unwrap()).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(3), "within a tick nothing leaves");
    assert_eq!(release.answer().quantum_ms, 3000);
    let requests = space.requests().unwrap();
    let RequestState::Sealed { time, .. } = requests[0].state else { panic!() };
    assert_eq!((requests[0].reserved_at.unix_s() % 3, time.unix_s() % 3), (0, 0));
    for entry in fs::read_dir(folder.join("space").join("answers")).unwrap() {
        let modified = entry.unwrap().metadata().unwrap().modified().unwrap();
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
        assert_eq!((since.as_secs() % 3, since.subsec_nanos()), (0, 0), "the time of the answers");
    }
    assert!(change(2, 0));
}

/// What an embedder shows of an error is what the holder may know; the verdict is asked for by name.
#[test]
fn errors_display_what_the_holder_may_know() {
    let base = base();
    let folder = base.path();
    let space = Space::open(folder.join("space")).unwrap();
    // 2 of the 3 are promised away, so that the dataset refuses first: its right alone would have enough.
    let published = space.datasets().unwrap().remove(0);
    let error = space.gate().answer(&request(folder, "used.right", "1")).err();
    assert!(error.is_none());
    for _ in 0..2 {
        let right = big_right(folder, published.description.name().as_str());
        space.grant(&fs::read(&right).unwrap(), true).unwrap();
        let _ = space.gate().answer(&request(folder, right.file_name().unwrap().to_str().unwrap(), "0.95"));
    }
    let right = big_right(folder, "people");
    let error: AnswerError = space.gate().answer(&request(folder, right.file_name().unwrap().to_str().unwrap(), "0.9")).unwrap_err();
    for shown in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(!shown.contains("dataset") && !shown.contains("0.1"), "{shown}");
    }
    assert!(std::error::Error::source(&error).is_none());
    assert!(error.for_owner().contains("the budget of the dataset: needed epsilon 0.9, left epsilon 0.1"), "{}", error.for_owner());
    assert!(error.verdict().is_some_and(|verdict| verdict.accounts().is_some()));
}

fn big_right(folder: &Path, name: &str) -> PathBuf {
    let card = fs::read(folder.join("space").join("cards").join(format!("{name}.dataset"))).unwrap();
    let card = owner(folder).read_card(&card).unwrap();
    let holder = key(folder, "holder.key");
    let mut random = SystemRandom::new().unwrap();
    let right = owner(folder).grant(&card, holder.public(), Terms::parse(TERMS).unwrap(), now(), &mut random).unwrap();
    let path = folder.join(format!("{}.right", right.id()));
    fs::write(&path, right.bytes()).unwrap();
    path
}
