//! A disk that is really full: what was promised stays, and what was refused goes well once there is room.
#![cfg(all(unix, feature = "csv", feature = "sql", feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "faults/disk.rs"]
mod disk;
mod fixed;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use disk::{PAGE_BYTES, SmallDisk};
use fixed::{certificate, checkpoint, key};
use usufruct::auditor::Auditor;
use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::desensitise::{ApplyError, KeyRing, Policy, Run, Target};
use usufruct::file::OutputError;
use usufruct::gate::{AnswerError, Published, SpaceOptions};
use usufruct::grade::Recognisers;
use usufruct::holder::{Holder, SeenError, SeenFile};
use usufruct::id::{Digest, RequestId, Time};
use usufruct::key::Signer as _;
use usufruct::ledger::{Journal, JournalOptions, Quantum, RequestState};
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::receipt::SignedCheckpoint;
use usufruct::right::{Ask, Terms, Verified};
use usufruct::space::Space;
use usufruct::spill::SpillError;
use usufruct::table::{CsvOptions, CsvSource, FileOptions, FileSource, Format};

#[test]
fn a_small_disk_is_full_and_has_room_again() {
    let Some(disk) = SmallDisk::mount(64 * PAGE_BYTES) else { return };
    let path = disk.path().to_owned();
    let write = |pages: u64| File::create(path.join("file")).unwrap().write_all(&vec![7; usize::try_from(pages * PAGE_BYTES).unwrap()]);
    write(32).unwrap();
    for left in [0, 1, 5] {
        fs::remove_file(path.join("file")).unwrap();
        disk.fill(left * PAGE_BYTES);
        write(left).unwrap();
        assert_eq!(write(left + 1).unwrap_err().kind(), ErrorKind::StorageFull, "{left} pages left");
    }
    disk.clear();
    write(32).unwrap();
    drop(disk);
    assert!(!path.exists(), "it is gone with all that was on it");
}

#[test]
fn what_was_seen_stays() {
    let Some(disk) = SmallDisk::mount(64 * PAGE_BYTES) else { return };
    let mut file = SeenFile::beside(&disk.path().join("holder.key")).unwrap();
    let seen = SignedCheckpoint::verify(certificate().bytes(), &checkpoint(), key("owner").public()).unwrap();
    disk.fill(0);
    let error = file.remember(&seen).unwrap_err();
    assert!(matches!(error, SeenError::Output(OutputError::Failed { kind: ErrorKind::StorageFull, .. }) | SeenError::Lock(_)), "{error}");
    assert_eq!(SeenFile::beside(&disk.path().join("holder.key")).unwrap().iter().count(), 0);
    disk.clear();
    file.remember(&seen).unwrap();
    assert_eq!(file.of(seen.ledger()), Some(seen.seen()));
}

const DESCRIPTION: &str = r#"
name = "people"
data = "people.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "100" }
columns.age = { type = "integer", bounds = [0, 120], grade = 2 }
columns.sex = { type = "text", values = ["f", "m"], grade = 1 }
"#;
const TERMS: &str = r#"
kind = "process"
operations = ["count", "mean"]
columns = ["sex", "age"]
purposes = ["test"]
budget = { epsilon = "100" }
uses = 1000
not_after = "2090-01-01T00:00:00Z"
"#;

/// A journal's segment is 16 MiB, and two of them fit.
const SPACE_BYTES: u64 = 40 << 20;

#[test]
fn a_space_charges_once_whatever_room_there_was() {
    let Some(disk) = SmallDisk::mount(SPACE_BYTES) else { return };
    let outside = tempfile::tempdir().unwrap();
    let (owner, holder) = (Owner::new(key("owner")), Holder::new(key("holder")));
    fs::write(outside.path().join("people.csv"), "age,sex\n39,m\n50,f\n17,f\n").unwrap();
    let file = DescriptionFile::parse(DESCRIPTION, outside.path()).unwrap();
    let source = CsvSource::open(&file.data.path, CsvOptions::default(), table_schema(file.description.schema())).unwrap();
    let path = disk.path().join("space");
    let options = SpaceOptions::default().quantum(Quantum::NONE);
    let space = Space::create_with(&path, owner.signer(), owner.public(), now(), options).unwrap();
    let published = space.publish(&file.description, &source, owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap();
    drop(space);
    let mut random = SystemRandom::new().unwrap();
    let right = owner.grant(&published.card, holder.public(), Terms::parse(TERMS).unwrap(), now(), &mut random).unwrap();
    let mut failures = 0;
    for (asked, pages) in (1u32..).zip([0, 1, 2, 3, 4, 8]) {
        let query = Query::sql("SELECT sex, COUNT(*) FROM people GROUP BY sex").unwrap();
        let ask = Ask::new(query, Loss::approx("1", "0").unwrap()).expiry_s(3600);
        let request = holder.request(&right, ask, now(), &mut random).unwrap();
        disk.fill(pages * PAGE_BYTES);
        let first = Space::open(&path).map_err(|error| error.to_string()).and_then(|space| {
            space.gate().answer(request.bytes()).map(|release| release.bytes().to_vec()).map_err(|error| error.to_string())
        });
        disk.clear();
        let gate = Space::open(&path).unwrap().gate();
        let release = gate.answer(request.bytes()).unwrap();
        match first {
            Ok(bytes) => assert_eq!(bytes, release.bytes(), "{pages} pages left"),
            Err(_) => failures += 1,
        }
        let spent = Loss::approx(&asked.to_string(), "0").unwrap();
        assert_eq!(gate.datasets().unwrap()[0].balance.spent(), spent, "{pages} pages left");
    }
    assert!(failures > 0, "there was room for everything");
    let report = Auditor::new(owner.public().clone()).audit(&path, None, &|_, _| {}).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
}

/// Rows wait on the target's disk for their order.
#[test]
fn rows_in_another_order_leave_whole_or_not_at_all() {
    const ROWS: usize = 40_000;
    let Some(disk) = SmallDisk::mount(2048 * PAGE_BYTES) else { return };
    let outside = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..ROWS).map(|n| format!("{:05},a text of some length\n", (n * 7919) % ROWS)).collect();
    fs::write(outside.path().join("in.csv"), format!("n,text\n{}", rows.concat())).unwrap();
    let source = FileSource::open(outside.path().join("in.csv"), &FileOptions::default()).unwrap();
    let target = Target::new(disk.path().join("out.csv"), Format::Csv);
    for order in ["shuffled", "by_output"] {
        let run = || {
            let policy = format!("release = \"enclave\"\norder = \"{order}\"\n[default]\ntechnique = \"keep\"");
            let (keys, recognisers) = (KeyRing::default(), Arc::new(Recognisers::builtin()));
            let mut run = Run { threads: 2, recognisers, signer: None, now: now(), progress: &mut |_| ControlFlow::Continue(()) };
            Policy::parse(&policy).unwrap().bind(&keys).with_held_bytes(300_000).apply(&source, &target, &mut run)
        };
        for pages in [8, 100, 200] {
            disk.fill(pages * PAGE_BYTES);
            let failed = run().unwrap_err();
            assert!(matches!(failed, ApplyError::Spill(SpillError::Write(ErrorKind::StorageFull))), "{order}, {pages} pages: {failed}");
            disk.clear();
            assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0, "{order}, {pages} pages");
        }
        assert_eq!(run().unwrap().rows_written, ROWS as u64);
        let out = fs::read_to_string(&target.path).unwrap();
        let mut lines: Vec<&str> = out.split_inclusive('\n').skip(1).collect();
        assert!(lines != rows && lines.is_sorted() == (order == "by_output"));
        lines.sort_unstable();
        let mut expected: Vec<&str> = rows.iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(lines, expected);
        ["", ".opening", ".manifest"].iter().for_each(|name| fs::remove_file(disk.path().join(format!("out.csv{name}"))).unwrap());
    }
}

/// Room for two segments of the journal and a few of answers.
const BUSY_BYTES: u64 = 64 << 20;
/// So short that the journal soon needs another one, while the disk is full.
const FIRST_SEGMENT_BYTES: u64 = 256 << 10;
const ASKERS: usize = 8;
const PRICE: &str = "0.001";
/// What takes longer hangs.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A gate on a small disk, and whoever asks it.
struct Busy {
    disk: SmallDisk,
    owner: Owner,
    holder: Holder,
    published: Published,
    right: Verified,
}

/// A request, whether it was answered in the end, and all that was said before.
struct Asked {
    id: RequestId,
    bytes: Vec<u8>,
    answer: Option<Digest>,
    errors: Vec<AnswerError>,
}

/// What the askers have met so far.
#[derive(Default)]
struct Met {
    answers: AtomicU64,
    /// By [`what`].
    failures: [AtomicU64; 3],
    stop: AtomicBool,
    asked: Mutex<Vec<Asked>>,
}

fn now() -> Time {
    Time::from_unix_s(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())
}

fn spent(times: usize) -> Loss {
    Loss::pure(Epsilon::from_units(times as u64 * Epsilon::parse(PRICE).unwrap().units()).unwrap())
}

impl Busy {
    fn new(disk: SmallDisk) -> Self {
        let (owner, holder) = (Owner::new(key("owner")), Holder::new(key("holder")));
        let outside = tempfile::tempdir().unwrap();
        // Many groups make great answers, so that their segments are soon full.
        let values: Vec<String> = (0..200).map(|number| format!("\"town {number}\"")).collect();
        let description = format!(
            "name = \"people\"\ndata = \"people.csv\"\nunit = \"row\"\nrows_are_independent = true\n\
             budget = {{ model = \"approx\", epsilon = \"10000\" }}\n\
             columns.age = {{ type = \"integer\", bounds = [0, 120], grade = 2 }}\n\
             columns.town = {{ type = \"text\", values = [{}], grade = 1 }}\n",
            values.join(", ")
        );
        fs::write(outside.path().join("people.csv"), "age,town\n39,town 1\n50,town 2\n17,town 3\n").unwrap();
        let file = DescriptionFile::parse(&description, outside.path()).unwrap();
        let source = CsvSource::open(&file.data.path, CsvOptions::default(), table_schema(file.description.schema())).unwrap();
        let options = SpaceOptions::default().quantum(Quantum::NONE);
        let path = disk.path().join("space");
        let space = Space::create_with(&path, owner.signer(), owner.public(), now(), options).unwrap();
        let published = space.publish(&file.description, &source, owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap();
        drop(space);
        shorten(&path.join("ledger"));
        let right = Self::grant(&owner, &published, &holder);
        Self { disk, owner, holder, published, right }
    }

    fn path(&self) -> PathBuf {
        self.disk.path().join("space")
    }

    fn grant(owner: &Owner, published: &Published, holder: &Holder) -> Verified {
        let terms = "kind = \"process\"\noperations = [\"count\", \"mean\"]\ncolumns = [\"town\", \"age\"]\npurposes = [\"test\"]\n\
                     budget = { epsilon = \"10000\" }\nuses = 1000000\nnot_after = \"2090-01-01T00:00:00Z\"\n";
        owner.grant(&published.card, holder.public(), Terms::parse(terms).unwrap(), now(), &mut SystemRandom::new().unwrap()).unwrap()
    }

    fn request(&self, right: &Verified) -> (RequestId, Vec<u8>) {
        let query = Query::sql("SELECT town, COUNT(*), AVG(age) FROM people GROUP BY town").unwrap();
        let ask = Ask::new(query, Loss::approx(PRICE, "0").unwrap()).expiry_s(3600);
        let request = self.holder.request(right, ask, now(), &mut SystemRandom::new().unwrap()).unwrap();
        (request.id(), request.bytes().to_vec())
    }

    /// Asks one request after another until told to stop; each again and again until it is answered. Every other asker has a new right
    /// for each, whose first use registers it.
    fn ask(&self, space: &Space, number: usize, met: &Met) {
        let gate = space.gate();
        while !met.stop.load(Ordering::Relaxed) {
            let fresh = (number % 2 == 1).then(|| Self::grant(&self.owner, &self.published, &self.holder));
            let (id, bytes) = self.request(fresh.as_ref().unwrap_or(&self.right));
            let mut asked = Asked { id, bytes, answer: None, errors: Vec::new() };
            while asked.answer.is_none() && !met.stop.load(Ordering::Relaxed) {
                match gate.submit(asked.bytes.as_slice()).wait_for(WATCHDOG).expect("it hangs") {
                    Ok(release) => {
                        asked.answer = Some(Digest::of(release.bytes()));
                        met.answers.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        met.failures[what(&error)].fetch_add(1, Ordering::Relaxed);
                        asked.errors.push(error);
                        // As whoever tries again does.
                        std::thread::sleep(Duration::from_millis(5));
                        // Some of either kind give up what is charged and ask for something else: if all that bring a new right
                        // waited for an answer when the disk got full, none would meet it with another.
                        if number % 4 < 2 && asked.errors.iter().any(|error| matches!(error, AnswerError::Failed { .. })) {
                            break;
                        }
                    }
                }
            }
            met.asked.lock().unwrap().push(asked);
        }
    }

    /// The disk gets full while all ask, but for so many pages, and has room again when each of these failures was met often.
    fn fill_under(&self, space: &Space, pages: u64, failures: &[usize]) -> Vec<Asked> {
        let met = Met::default();
        let wait = |count: &AtomicU64, what: &str| {
            let (wanted, deadline) = (count.load(Ordering::Relaxed) + 2 * ASKERS as u64, Instant::now() + WATCHDOG);
            while count.load(Ordering::Relaxed) < wanted {
                if Instant::now() >= deadline {
                    met.stop.store(true, Ordering::Relaxed);
                    panic!("{pages} pages left: no {what}; answers {:?}, failures {:?}", met.answers, met.failures);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        std::thread::scope(|scope| {
            let met = &met;
            for number in 0..ASKERS {
                scope.spawn(move || self.ask(space, number, met));
            }
            wait(&met.answers, "answers at the beginning");
            self.disk.fill(pages * PAGE_BYTES);
            failures.iter().for_each(|failure| wait(&met.failures[*failure], FAILURES[*failure]));
            self.disk.clear();
            // It goes on by itself.
            wait(&met.answers, "answers when there was room again");
            met.stop.store(true, Ordering::Relaxed);
        });
        met.asked.into_inner().unwrap()
    }

    /// What was answered is sealed; what was said not to be charged is not; trying again answers the rest under one charge.
    fn check(&self, asked: &[Asked], answered: usize, pages: u64) {
        let space = Space::open(self.path()).unwrap();
        let status = space.status().unwrap();
        assert_eq!(status.datasets[0].balance.spent(), spent(status.requests.len()), "{pages} pages left");
        let states: BTreeMap<_, _> = status.requests.iter().map(|request| (request.id, &request.state)).collect();
        for Asked { id, answer, errors, .. } in asked {
            let state = states.get(id);
            match (answer, errors.last()) {
                (Some(digest), _) => assert!(matches!(state, Some(RequestState::Sealed { answer, .. }) if answer == digest), "{state:?}"),
                (None, Some(AnswerError::Gate(_))) if errors.iter().all(|error| matches!(error, AnswerError::Gate(_))) => {
                    assert!(state.is_none(), "nothing was charged, it said: {state:?}");
                }
                (None, _) => {}
            }
            assert!(errors.iter().all(|error| error.refusal().is_none()), "{errors:?}");
        }
        let gate = space.gate();
        let again = |Asked { bytes, .. }: &Asked| [gate.submit(bytes.as_slice()), gate.submit(bytes.as_slice())];
        for (asked, pending) in asked.iter().map(|asked| (asked, again(asked))).collect::<Vec<_>>() {
            let digests = pending.map(|mut pending| {
                let outcome = pending.wait_for(WATCHDOG).expect("it hangs");
                Digest::of(outcome.unwrap_or_else(|error| panic!("{}", error.for_owner())).bytes())
            });
            assert!(digests[0] == digests[1] && asked.answer.is_none_or(|answer| answer == digests[0]));
        }
        let people = space.datasets().unwrap().remove(0);
        let all = answered + asked.len();
        assert_eq!((people.balance.spent(), people.answers), (spent(all), all as u64), "{pages} pages left");
        drop(space);
        let report = Auditor::new(self.owner.public().clone()).audit(&self.path(), None, &|_, _| {}).unwrap();
        assert!(report.ok(), "{:?}", report.problems);
    }
}

/// Where a full disk is met.
const FAILURES: [&str; 3] = ["answer that could not be kept", "charge without a segment", "right without an opening"];

/// The place among them.
fn what(error: &AnswerError) -> usize {
    match error {
        AnswerError::Failed { .. } => 0,
        error if error.for_owner().contains("no room for segment") => 1,
        error if error.for_owner().contains("openings") => 2,
        error => panic!("{}", error.for_owner()),
    }
}

/// Puts the entries of a closed ledger into a journal whose first segment is short.
fn shorten(ledger: &Path) {
    let mut entries = Vec::new();
    let id = Journal::read_only(ledger, |_, bytes| entries.push(bytes.to_vec())).unwrap().id;
    let short = ledger.with_extension("short");
    let options = JournalOptions::default().segment_bytes(FIRST_SEGMENT_BYTES).unwrap();
    let mut journal = Journal::create(&short, id, options).unwrap();
    for entry in &entries {
        journal.append(&[entry.as_slice()]).unwrap();
    }
    drop(journal);
    fs::copy(ledger.join("checkpoint"), short.join("checkpoint")).unwrap();
    fs::remove_dir_all(ledger).unwrap();
    fs::rename(&short, ledger).unwrap();
}

fn a_disk_gets_full_under_eight_askers(disk: SmallDisk) {
    let busy = Busy::new(disk);
    let (mut answered, mut failures) = (0, [0; 3]);
    // The short segment of the journal is used up once; seven pages are room for the opening of each asker.
    for (pages, wanted) in [(0, &[1][..]), (0, &[0, 2]), (1, &[0, 2]), (7, &[0]), (40, &[0])] {
        let space = Space::open(busy.path()).unwrap();
        let asked = busy.fill_under(&space, pages, wanted);
        drop(space);
        asked.iter().flat_map(|asked| &asked.errors).for_each(|error| failures[what(error)] += 1);
        busy.check(&asked, answered, pages);
        answered += asked.len();
    }
    println!("{answered} answers; failures {:?}", FAILURES.iter().zip(failures).collect::<Vec<_>>());
}

#[test]
fn a_disk_in_memory_gets_full_under_eight_askers() {
    SmallDisk::mount(BUSY_BYTES).into_iter().for_each(a_disk_gets_full_under_eight_askers);
}

#[test]
fn an_ext4_gets_full_under_eight_askers() {
    SmallDisk::mount_ext4(BUSY_BYTES).into_iter().for_each(a_disk_gets_full_under_eight_askers);
}
