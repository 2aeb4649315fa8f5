//! Process death: at random moments, and between all pairs of durable states (rule C3, promises 2 and 3).
//!
//! SIGKILL keeps what the system has in its page cache, so it cannot find a missing fsync: the journal's own tests
//! simulate a disk that loses, tears and reorders what was not synced.
#![cfg(all(feature = "csv", feature = "sql", feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::ops::ControlFlow;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use usufruct::auditor::Auditor;
use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::gate::{AnswerError, Pending, Point, SpaceOptions, TestGate};
use usufruct::holder::Holder;
use usufruct::id::{Digest, Time};
use usufruct::key::{KeySet, PublicKey, SigningKey};
use usufruct::ledger::{Event, LedgerReading, Quantum, RefillReason, RequestState};
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::{Random, RecordedRandom, SystemRandom};
use usufruct::receipt::Release;
use usufruct::right::{Ask, Right, Terms, Verified, verify_request};
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
/// Of one space: as many as in each run of all tests.
const KILLS: u64 = 200;
/// Of the long mode, on one space after another.
const KILLS_LONG: u64 = 10_000;
/// Who ask at once.
const ASKERS: usize = 8;
/// The latest that a child is killed.
const DELAY_US_MAX: u64 = 50_000;
/// What takes longer hangs.
const WATCHDOG: Duration = Duration::from_secs(60);

fn description(folder: &Path) -> (DescriptionFile, CsvSource) {
    let rows: String = (0..40).map(|i| format!("{},{}\n", i % 100, if i % 5 == 0 { "f" } else { "m" })).collect();
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
    let ask = Ask::new(query, Loss::approx(PRICE, "0").unwrap()).expiry_s(24 * 3600);
    holder.request(right, ask, now, random).unwrap().bytes().to_vec()
}

fn spawn(test: &str, folder: &Path, point: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]).env("CRASH_FOLDER", folder).env("CRASH_POINT", point);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn spent(times: u64) -> Loss {
    Loss::pure(Epsilon::from_units(times * Epsilon::parse(PRICE).unwrap().units()).unwrap())
}

/// Lines that one thread of a child writes, each with one call: what is whole was written before the kill.
struct Notes(fs::File);

impl Notes {
    fn new(folder: &Path, name: &str) -> Self {
        Self(fs::File::options().append(true).create(true).open(folder.join("notes").join(name)).unwrap())
    }

    fn write(&mut self, word: &str, what: &dyn std::fmt::Display) {
        self.0.write_all(format!("{word} {what}\n").as_bytes()).unwrap();
    }

    /// What a thread has noted; a line that the kill cut off was not.
    fn read(folder: &Path, name: &str) -> Vec<(String, String)> {
        let text = fs::read_to_string(folder.join("notes").join(name)).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let line = |line: &str| line.split_once(' ').map(|(word, what)| (word.to_owned(), what.to_owned())).unwrap();
        whole.lines().map(line).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The child of the random kills: many ask for ever, and the owner publishes, refills and grants beside them. Each thread notes
/// what it is about to do before, and that it is done after.
#[test]
#[ignore = "a child process of the tests below"]
fn ask_for_ever() {
    let Some(folder) = std::env::var_os("CRASH_FOLDER").map(PathBuf::from) else { return };
    // A thread that panics ends the process, so that the parent sees it.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        std::process::abort();
    }));
    // And where the parent is gone, nobody would end it.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    let (owner, holder) = keys();
    let right = Right::decode(&fs::read(folder.join("right")).unwrap()).unwrap();
    let right = right.verify(&KeySet::single(owner.public().clone())).unwrap();
    let space = Space::open(folder.join("space")).unwrap();
    std::thread::scope(|scope| {
        for number in 0..ASKERS {
            let (space, right, holder, folder) = (&space, &right, &holder, &folder);
            scope.spawn(move || {
                let (gate, mut random) = (space.gate(), SystemRandom::new().unwrap());
                let mut notes = Notes::new(folder, &number.to_string());
                loop {
                    let bytes = request(right, holder, now(), &mut random);
                    notes.write("ask", &hex(&bytes));
                    let release = gate.answer(&bytes).unwrap();
                    notes.write("seen", &Digest::of(release.bytes()));
                }
            });
        }
        let first: usize = std::env::var("CRASH_POINT").unwrap().parse().unwrap();
        act_for_ever(&folder, &space, first);
    });
}

/// The owner's part, from one of the three acts on.
fn act_for_ever(folder: &Path, space: &Space, first: usize) {
    let ((owner, holder), mut random) = (keys(), SystemRandom::new().unwrap());
    let (file, source) = description(folder);
    let card = fs::read(folder.join("space").join("cards").join("people.dataset")).unwrap();
    let card = owner.read_card(&card).unwrap();
    let id = card.value().dataset;
    let mut notes = Notes::new(folder, "owner");
    for act in first.. {
        match act % 3 {
            0 => {
                notes.write("publish", &"");
                let published = space.publish(&file.description, &source, owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap();
                notes.write("published", &published.version);
            }
            1 => {
                let number = space.next_refill(&id).unwrap();
                let refill = owner.refill(id, number, Loss::approx("1", "0").unwrap(), RefillReason::Accepted).unwrap();
                notes.write("refill", &hex(refill.bytes()));
                space.refill(refill.bytes()).unwrap();
                notes.write("refilled", &number);
            }
            _ => {
                let right = owner.grant(&card, holder.public(), Terms::parse(TERMS).unwrap(), now(), &mut random).unwrap();
                notes.write("grant", &hex(right.bytes()));
                assert_eq!(space.grant(right.bytes(), true).unwrap().id(), right.id());
                notes.write("granted", &right.id());
            }
        }
    }
}

fn now() -> Time {
    Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
}

/// What a space must hold after each kill.
#[derive(Default)]
struct Expected {
    /// Every request that was ever asked, with its answer.
    answered: Vec<(Vec<u8>, Digest)>,
    versions: u64,
    refills: u64,
    rights: BTreeSet<String>,
}

/// How many kills fell where.
#[derive(Debug, Default)]
struct Fell {
    answers_seen: u64,
    in_a_question: u64,
    in_a_publication: u64,
    in_a_refill: u64,
    in_a_grant: u64,
    in_an_opening: u64,
}

#[test]
fn killed_at_random_two_hundred_times() {
    let fell = killed_at_random(KILLS, "crash delays");
    println!("{KILLS} kills, {fell:?}");
    let Fell { in_a_question, in_a_publication, in_a_refill, in_a_grant, in_an_opening, .. } = fell;
    for (count, what) in [
        (in_a_question, "question"),
        (in_a_publication, "publication"),
        (in_a_refill, "refill"),
        (in_a_grant, "grant"),
        (in_an_opening, "opening"),
    ] {
        assert!(count > 0, "no kill fell into a {what}");
    }
}

#[test]
#[ignore = "about an hour; run by hand before a release"]
fn killed_at_random_ten_thousand_times() {
    for number in 0..KILLS_LONG / KILLS {
        let fell = killed_at_random(KILLS, &format!("crash delays {number}"));
        println!("{} kills, {fell:?}", (number + 1) * KILLS);
    }
}

/// One space, killed so often while all ask and act.
fn killed_at_random(kills: u64, seed: &str) -> Fell {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (owner, holder) = keys();
    let mut random = RecordedRandom::from_seed(seed);
    let (file, source) = description(folder);
    let options = SpaceOptions::default().quantum(Quantum::NONE);
    let space = Space::create_with(folder.join("space"), owner.signer(), owner.public(), now(), options).unwrap();
    let published = space.publish(&file.description, &source, owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap();
    let right = owner.grant(&published.card, holder.public(), Terms::parse(TERMS).unwrap(), now(), &mut random).unwrap();
    space.grant(right.bytes(), false).unwrap();
    fs::write(folder.join("right"), right.bytes()).unwrap();
    drop(space);

    let mut expected = Expected { versions: 1, rights: BTreeSet::from([right.id().to_string()]), ..Expected::default() };
    let mut fell = Fell::default();
    for round in 0..kills {
        let notes = folder.join("notes");
        let _ = fs::remove_dir_all(&notes);
        fs::create_dir(&notes).unwrap();
        let mut child = spawn("ask_for_ever", folder, &(round % 3).to_string());
        let delay = Duration::from_micros(random.next_u64() % DELAY_US_MAX);
        // The clock starts with the first question; every fifth time with the process, so that some kills fall into the opening.
        if round % 5 != 4 {
            let deadline = Instant::now() + WATCHDOG;
            let is_asking = || (0..ASKERS).any(|number| fs::metadata(notes.join(number.to_string())).is_ok_and(|file| file.len() > 0));
            while !is_asking() {
                assert!(child.try_wait().unwrap().is_none() && Instant::now() < deadline, "the child of round {round} does not ask");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        std::thread::sleep(delay);
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let told = || format!("round {round}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.signal(), Some(9), "it ended by itself, {}", told());
        expected.after_a_kill(folder, &mut fell, &mut random, &told);
    }
    expected.at_the_end(owner.public(), &folder.join("space"));
    fell
}

impl Expected {
    /// Whatever was seen is there and charged once; what is in doubt is done once by trying again.
    fn after_a_kill(&mut self, folder: &Path, fell: &mut Fell, random: &mut dyn Random, told: &dyn Fn() -> String) {
        let space = Space::open(folder.join("space")).unwrap_or_else(|error| panic!("{error}, {}", told()));
        let (mut seen, mut in_doubt) = (Vec::new(), Vec::new());
        for number in 0..ASKERS {
            for pair in Notes::read(folder, &number.to_string()).chunks(2) {
                assert_eq!(pair[0].0, "ask");
                match pair.get(1) {
                    Some((_, digest)) => seen.push((unhex(&pair[0].1), digest.clone())),
                    None => in_doubt.push(unhex(&pair[0].1)),
                }
            }
        }
        let status = space.status().unwrap();
        assert_eq!(status.datasets[0].balance.spent(), spent(status.requests.len() as u64), "{}", told());
        assert!((self.answered.len() + seen.len()..=self.answered.len() + seen.len() + in_doubt.len()).contains(&status.requests.len()));
        let sealed: BTreeMap<_, _> = status
            .requests
            .iter()
            .filter_map(|request| match request.state {
                RequestState::Sealed { answer, .. } => Some((request.id, answer.to_string())),
                _ => None,
            })
            .collect();
        for (request, digest) in &seen {
            let (request, _) = verify_request(request, space.owner()).unwrap();
            assert_eq!(sealed.get(&request.id()), Some(digest), "seen and not sealed, {}", told());
        }
        fell.answers_seen += seen.len() as u64;
        fell.in_a_question += in_doubt.len() as u64;
        fell.in_an_opening += u64::from(seen.is_empty() && in_doubt.is_empty());

        // Whatever was seen, now or in some earlier round, has the same bytes; what is in doubt is asked twice at once.
        let any = random.next_u64() % (self.answered.len() as u64).max(1);
        let earlier: Vec<_> = self.answered.iter().skip(usize::try_from(any).unwrap()).take(4).cloned().collect();
        let gate = space.gate();
        let ask = |request: &[u8]| (request.to_vec(), gate.submit(request));
        let known: Vec<_> = seen.iter().map(|(request, digest)| (ask(request), digest.clone())).collect();
        let older: Vec<_> = earlier.iter().map(|(request, digest)| (ask(request), digest.to_string())).collect();
        let doubtful: Vec<_> = in_doubt.iter().map(|request| (ask(request), gate.submit(request.as_slice()))).collect();
        for (((request, pending), digest), is_new) in
            known.into_iter().map(|known| (known, true)).chain(older.into_iter().map(|older| (older, false)))
        {
            let found = outcome(pending);
            assert_eq!(found.to_string(), digest, "{}", told());
            if is_new {
                self.answered.push((request, found));
            }
        }
        for ((request, first), second) in doubtful {
            let digest = outcome(first);
            assert_eq!(outcome(second), digest, "{}", told());
            self.answered.push((request, digest));
        }
        self.acts(folder, &space, fell, told);

        // One charge for every question, whatever happened to it.
        let status = space.status().unwrap();
        let people = &status.datasets[0];
        let asked = self.answered.len() as u64;
        assert_eq!((people.balance.spent(), people.answers, status.requests.len() as u64), (spent(asked), asked, asked), "{}", told());
        assert_eq!((people.version, people.refills.len() as u64), (self.versions, self.refills), "{}", told());
        assert_eq!(people.balance.limit(), self.limit(), "{}", told());
        let rights: BTreeSet<String> = status.rights.iter().map(|right| right.id.to_string()).collect();
        assert_eq!((rights.len(), &rights), (status.rights.len(), &self.rights), "{}", told());
    }

    /// The owner's acts of the round: those that were acknowledged are there, the last one may be.
    fn acts(&mut self, folder: &Path, space: &Space, fell: &mut Fell, told: &dyn Fn() -> String) {
        let before = space.status().unwrap();
        // Nothing is left of a publication that did not come to be: one snapshot a version, one opening an artefact, one for the tags.
        let people = &before.datasets[0];
        let count = |name: &str| fs::read_dir(folder.join("space").join(name)).unwrap().count();
        let versions = usize::try_from(people.version).unwrap();
        assert_eq!(count("snapshots"), versions, "{}", told());
        assert_eq!(count("openings"), versions + people.refills.len() + before.rights.len() + 1, "{}", told());

        let notes = Notes::read(folder, "owner");
        let is_there = |right: &str| before.rights.iter().any(|known| known.id.to_string() == right);
        for pair in notes.chunks(2) {
            let (act, what) = &pair[0];
            match (act.as_str(), pair.get(1)) {
                ("publish", Some((_, version))) => {
                    self.versions += 1;
                    assert_eq!(version, &self.versions.to_string(), "{}", told());
                }
                ("publish", None) => {
                    fell.in_a_publication += 1;
                    assert!(people.version == self.versions || people.version == self.versions + 1, "{}", told());
                    self.versions = people.version;
                }
                ("refill", Some((_, number))) => {
                    self.refills += 1;
                    assert_eq!(number, &self.refills.to_string(), "{}", told());
                }
                ("refill", None) => {
                    fell.in_a_refill += 1;
                    let there = people.refills.len() as u64 - self.refills;
                    assert!(there <= 1, "{}", told());
                    space.refill(&unhex(what)).unwrap();
                    self.refills += 1;
                    assert_eq!(space.next_refill(&people.id).unwrap(), self.refills + 1, "one signature refills once, {}", told());
                }
                ("grant", Some((_, right))) => {
                    assert!(is_there(right), "{}", told());
                    self.rights.insert(right.clone());
                }
                ("grant", None) => {
                    fell.in_a_grant += 1;
                    self.rights.insert(space.grant(&unhex(what), true).unwrap().id().to_string());
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn limit(&self) -> Loss {
        Loss::approx(&(100_000 + self.refills).to_string(), "0").unwrap()
    }

    fn at_the_end(&self, owner: &PublicKey, space: &Path) {
        let asked = self.answered.len() as u64;
        let report = Auditor::new(owner.clone()).audit(space, None, &|_, _| {}).unwrap();
        assert!(report.ok(), "{:?}", report.problems);
        let people = &report.datasets[0];
        assert_eq!((people.answers, people.balance.spent(), people.balance.limit()), (asked, spent(asked), self.limit()));
        assert_eq!((people.version, people.refills.len() as u64), (self.versions, self.refills));
        // And by the entries themselves.
        let (mut versions, mut refills, mut grants, mut steps) = (vec![1], Vec::new(), 0, BTreeMap::<_, u64>::new());
        LedgerReading::open(&space.join("ledger"), |_, entry| match &entry.event {
            Event::Version { number, .. } => versions.push(number.unwrap()),
            Event::Refill { number, .. } => refills.push(number.unwrap()),
            Event::Grant { .. } => grants += 1,
            Event::Reserve(_) => *steps.entry("reserve").or_default() += 1,
            Event::Seal(_) => *steps.entry("seal").or_default() += 1,
            _ => {}
        })
        .unwrap();
        assert_eq!((versions, refills), ((1..=self.versions).collect(), (1..=self.refills).collect::<Vec<_>>()));
        assert_eq!((grants, steps), (self.rights.len(), BTreeMap::from([("reserve", asked), ("seal", asked)])));
    }
}

/// A gate that hangs fails its test.
fn outcome(mut pending: Pending<Result<Release, AnswerError>>) -> Digest {
    let outcome = pending.wait_for(WATCHDOG).expect("it hangs");
    Digest::of(outcome.unwrap_or_else(|error| panic!("{}", error.for_owner())).bytes())
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
