//! Process death: at random moments, and between all pairs of durable states (rule C3, promises 2 and 3).
//!
//! SIGKILL keeps what the system has in its page cache, so it cannot find a missing fsync: the journal's own tests
//! simulate a disk that loses, tears and reorders what was not synced.
#![cfg(all(feature = "csv", feature = "sql", feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use usufruct::auditor::Auditor;
use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::gate::{Gate, Point, TestGate};
use usufruct::holder::Holder;
use usufruct::id::{Digest, Time};
use usufruct::key::{PublicKey, SigningKey};
use usufruct::ledger::{LedgerReading, RequestState};
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::{Random, RecordedRandom, SystemRandom};
use usufruct::right::{Ask, Right, Terms, Verified};
use usufruct::space::Space;
use usufruct::table::{CsvOptions, CsvSource};

const DESCRIPTION: &str = r#"
name = "people"
data = "people.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "100000" }
columns.age = { type = "integer", bounds = [0, 120], grade = 2 }
columns.sex = { type = "text", values = ["f", "m"], grade = 1 }
"#;
const TERMS: &str = r#"
kind = "process"
operations = ["count", "mean"]
columns = ["sex", "age"]
purposes = ["test"]
budget = { epsilon = "100000" }
uses = 1000000
not_after = "2090-01-01T00:00:00Z"
"#;
const PRICE: &str = "0.1";
const NOW: u64 = 1_800_000_000;
const KILLS: u64 = 200;

fn description(folder: &Path) -> (DescriptionFile, CsvSource) {
    let rows: String = (0..500).map(|i| format!("{},{}\n", i % 100, if i % 5 == 0 { "f" } else { "m" })).collect();
    fs::write(folder.join("people.csv"), format!("age,sex\n{rows}")).unwrap();
    let file = DescriptionFile::parse(DESCRIPTION, folder).unwrap();
    let source = CsvSource::open(&file.data.path, CsvOptions::default(), table_schema(file.description.schema())).unwrap();
    (file, source)
}

fn keys() -> (Owner, Holder) {
    let mut random = RecordedRandom::from_seed("crash keys");
    (Owner::new(SigningKey::generate(&mut random)), Holder::new(SigningKey::generate(&mut random)))
}

fn request(right: &Verified, holder: &Holder, now: Time, random: &mut dyn Random) -> Vec<u8> {
    let query = Query::sql("SELECT sex, COUNT(*), AVG(age) FROM people GROUP BY sex").unwrap();
    let ask = Ask { query, price: Loss::approx(PRICE, "0").unwrap(), purpose: None, expiry_s: 24 * 3600, seen: None };
    holder.request(right, ask, now, random).unwrap().bytes().to_vec()
}

fn spawn(test: &str, folder: &Path, point: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]).env("CRASH_FOLDER", folder).env("CRASH_POINT", point);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn spent(times: u64) -> Loss {
    Loss::pure(Epsilon::from_units(times * Epsilon::parse(PRICE).unwrap().units()).unwrap())
}

/// The child of the random kills: asks for ever. Each request is on disk before it is asked, each answer's digest
/// after it was seen.
#[test]
#[ignore = "a child process of the test below"]
fn ask_for_ever() {
    let Some(folder) = std::env::var_os("CRASH_FOLDER") else { return };
    let folder = Path::new(&folder);
    let (owner, holder) = keys();
    let right = Right::decode(&fs::read(folder.join("right")).unwrap()).unwrap();
    let gate = Space::open(folder.join("space")).unwrap().gate();
    let right = right.verify(&usufruct::key::KeySet::single(owner.public().clone())).unwrap();
    let mut random = SystemRandom::new().unwrap();
    let mut asked = fs::File::options().append(true).create(true).open(folder.join("asked")).unwrap();
    let mut seen = fs::File::options().append(true).create(true).open(folder.join("seen")).unwrap();
    loop {
        let bytes = request(&right, &holder, now(), &mut random);
        let name = Digest::of(&bytes);
        fs::write(folder.join(name.to_string()), &bytes).unwrap();
        asked.write_all(format!("{name}\n").as_bytes()).unwrap();
        let release = gate.answer(&bytes).unwrap();
        seen.write_all(format!("{name} {}\n", Digest::of(release.bytes())).as_bytes()).unwrap();
    }
}

fn now() -> Time {
    Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
}

#[test]
fn killed_at_random_two_hundred_times() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (owner, holder) = keys();
    let mut random = RecordedRandom::from_seed("crash delays");
    let (file, source) = description(folder);
    let space = Space::create_with(
        folder.join("space"),
        owner.signer(),
        owner.public(),
        now(),
        usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
    )
    .unwrap();
    let published = space.publish(&file.description, &source, owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap();
    let right = owner.grant(&published.card, holder.public(), Terms::parse(TERMS).unwrap(), now(), &mut random).unwrap();
    fs::write(folder.join("right"), right.bytes()).unwrap();
    drop(space);

    let (mut lines_before, mut answered, mut unanswered) = ([0; 2], 0, 0);
    for round in 0..KILLS {
        let mut child = spawn("ask_for_ever", folder, "");
        let deadline = Instant::now() + Duration::from_secs(60);
        // The clock starts with the first question, not with the process.
        while fs::read_to_string(folder.join("asked")).map_or(0, |text| text.lines().count()) <= lines_before[0] {
            assert!(child.try_wait().unwrap().is_none() && Instant::now() < deadline, "the child of round {round} does not ask");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(random.next_u64() % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();

        let asked = fs::read_to_string(folder.join("asked")).unwrap();
        let seen = fs::read_to_string(folder.join("seen")).unwrap_or_default();
        let gate = Space::open(folder.join("space")).unwrap().gate();
        for line in seen.lines().skip(lines_before[1]) {
            // Whatever was seen is charged, and the same request gives the same bytes.
            let (name, digest) = line.split_once(' ').unwrap();
            assert_eq!(answer(&gate, &folder.join(name)).to_string(), digest);
            answered += 1;
        }
        let last = asked.lines().last().unwrap();
        if !seen.contains(last) {
            let digest = answer(&gate, &folder.join(last));
            assert_eq!(answer(&gate, &folder.join(last)), digest);
            unanswered += 1;
        }
        lines_before = [asked.lines().count(), seen.lines().count()];
        // One charge for every question, whatever happened to it.
        assert_eq!(gate.datasets().unwrap()[0].balance.spent(), spent(lines_before[0] as u64));
        drop(gate);
    }
    println!("{KILLS} kills, {answered} answers seen, {unanswered} questions whose answer was never seen");
    assert!(unanswered > 0, "every kill fell outside a question");
    audit(owner.public(), &folder.join("space"), lines_before[0] as u64);
}

fn answer(gate: &Gate, request: &Path) -> Digest {
    Digest::of(gate.answer(&fs::read(request).unwrap()).unwrap().bytes())
}

fn audit(owner: &PublicKey, space: &Path, answers: u64) {
    let report = Auditor::new(owner.clone()).audit(space, None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!((report.datasets[0].answers, report.datasets[0].balance.spent()), (answers, spent(answers)));
    assert_eq!(report.datasets[0].balance.limit(), Loss::approx("100000", "0").unwrap());
}

/// The child of the crash points: answers one request and dies at the given point.
#[test]
#[ignore = "a child process of the test below"]
fn die_at_a_point() {
    let Some(folder) = std::env::var_os("CRASH_FOLDER") else { return };
    let folder = Path::new(&folder);
    let wanted = std::env::var("CRASH_POINT").unwrap();
    let die = move |point| {
        if format!("{point:?}") == wanted {
            std::process::abort();
        }
    };
    let gate = TestGate::open(&folder.join("space"), "child", || NOW, die).unwrap();
    let _ = gate.answer(&fs::read(folder.join("request")).unwrap());
}

#[test]
fn dies_between_all_pairs_of_states() {
    let base = tempfile::tempdir().unwrap();
    let (owner, holder) = keys();
    for (i, first) in Point::ALL.into_iter().enumerate() {
        for (j, second) in Point::ALL.into_iter().enumerate() {
            let folder = base.path().join(format!("{i}{j}"));
            fs::create_dir(&folder).unwrap();
            let (file, source) = description(&folder);
            let gate = TestGate::create(&folder.join("space"), owner.signer(), "parent", || NOW).unwrap();
            let card = gate.publish(&file.description, &source, owner.signer()).unwrap().card;
            drop(gate);
            let mut random = RecordedRandom::from_seed("points");
            let right = owner.grant(&card, holder.public(), Terms::parse(TERMS).unwrap(), Time::from_unix_s(NOW), &mut random).unwrap();
            let request = request(&right, &holder, Time::from_unix_s(NOW), &mut random);
            fs::write(folder.join("request"), &request).unwrap();

            let mut furthest = 0;
            for point in [first, second] {
                let status = spawn("die_at_a_point", &folder, &format!("{point:?}")).wait().unwrap();
                // A sealed request never comes to the later points again: it is answered from its seal.
                assert!(!status.success() || furthest == Point::ALL.len() - 1, "{first:?} {second:?}: the child lives");
                furthest = furthest.max(Point::ALL.iter().position(|known| *known == point).unwrap());
                check_state(&folder.join("space"), furthest);
            }
            let sealed = sealed_answer(&folder.join("space"));
            let gate = TestGate::open(&folder.join("space"), "again", || NOW, |_| {}).unwrap();
            let release = gate.answer(&request).unwrap();
            assert_eq!(gate.answer(&request).unwrap().bytes(), release.bytes());
            assert!(release.receipt().is_none(), "a test gate signs nothing");
            if let Some(sealed) = sealed {
                assert_eq!(Digest::of(release.bytes()), sealed);
            }
            assert_eq!(gate.datasets().unwrap()[0].balance.spent(), spent(1));
            drop(gate);
            assert!(Space::open(folder.join("space")).is_err(), "a real gate never opens a space for tests");
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}

/// The charge is there exactly when it was durable, and a seal exactly when the answer was.
fn check_state(space: &Path, furthest: usize) {
    let book = LedgerReading::open(&space.join("ledger"), |_, _| {}).unwrap().book;
    let states: Vec<_> = book.requests().map(|(_, record)| record.state.clone()).collect();
    let reached = Point::ALL[furthest];
    match reached {
        Point::Verified => assert!(states.is_empty()),
        Point::Started | Point::Aggregated | Point::Written => assert_eq!(states, [RequestState::Started]),
        _ => assert!(matches!(states.as_slice(), [RequestState::Sealed { .. }])),
    }
    let charged = book.accounts().next().unwrap().1.balance().spent();
    assert_eq!(charged, spent(u64::from(reached != Point::Verified)));
}

fn sealed_answer(space: &Path) -> Option<Digest> {
    let book = LedgerReading::open(&space.join("ledger"), |_, _| {}).unwrap().book;
    book.requests().find_map(|(_, record)| if let RequestState::Sealed { answer, .. } = record.state { Some(answer) } else { None })
}
