//! A space that lives: its gate's key held elsewhere, engines that it is given, acts that were signed where the data are, and what it
//! tells beside a running gate.
#![cfg(all(unix, feature = "csv", feature = "sql", feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[cfg(feature = "cli")]
#[path = "faults/mod.rs"]
mod inject;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use usufruct::archive::ArchiveError;
use usufruct::auditor::Auditor;
use usufruct::budget::Loss;
use usufruct::dataset::{DescriptionFile, PublicationFile, RowKey, table_schema};
use usufruct::engine::{Blocks, Engine, Engines, LocalEngines};
use usufruct::gate::{Applied, GateError, SpaceOptions, SpaceStatus};
use usufruct::holder::Holder;
use usufruct::id::Time;
use usufruct::key::{KeyError, PublicKey, Signer, SigningKey};
use usufruct::ledger::{Quantum, RequestState};
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::right::{Ask, Terms, Verified};
use usufruct::space::{Space, write_publication};
use usufruct::table::{CsvOptions, CsvSource};

struct World {
    folder: tempfile::TempDir,
    owner: Owner,
    holder: Holder,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut random = SystemRandom::new().unwrap();
        let [owner, holder] = [(); 2].map(|()| SigningKey::generate(&mut random));
        fs::write(folder.path().join("visits.csv"), "person,sex\np1,f\np1,f\np2,m\np3,f\n").unwrap();
        Self { folder, owner: Owner::new(owner), holder: Holder::new(holder) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn create(&self, options: SpaceOptions) -> Space {
        Space::create_with(self.path("space"), self.owner.signer(), self.owner.public(), now(), options).unwrap()
    }

    /// A dataset whose unit is a column, so that its row key counts.
    fn description(&self) -> (DescriptionFile, CsvSource) {
        let text = r#"
            name = "visits"
            data = "visits.csv"
            unit = { column = "person" }
            budget = { model = "approx", epsilon = "100" }
            contribution = { groups_per_unit = 1, rows_per_group = 2 }
            columns.person = { type = "text", grade = 3 }
            columns.sex = { type = "text", values = ["f", "m"], grade = 1 }
        "#;
        let file = DescriptionFile::parse(text, self.folder.path()).unwrap();
        let source = CsvSource::open(&file.data.path, CsvOptions::default(), table_schema(file.description.schema())).unwrap();
        (file, source)
    }

    fn publish(&self, space: &Space) -> Verified {
        let (file, source) = self.description();
        let published = space.publish(&file.description, &source, self.owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap();
        self.right(published.card.bytes())
    }

    fn right(&self, card: &[u8]) -> Verified {
        let terms = Terms::parse(
            "kind = \"process\"\noperations = [\"count\"]\ncolumns = [\"sex\"]\npurposes = [\"research\"]\n\
             budget = { epsilon = \"50\" }\nuses = 100\nnot_after = \"2090-01-01T00:00:00Z\"\n",
        );
        let card = self.owner.read_card(card).unwrap();
        self.owner.grant(&card, self.holder.public(), terms.unwrap(), now(), &mut SystemRandom::new().unwrap()).unwrap()
    }

    fn request(&self, right: &Verified) -> Vec<u8> {
        let query = Query::sql("SELECT sex, COUNT(*) FROM visits GROUP BY sex").unwrap();
        let ask = Ask::new(query, Loss::approx("20", "0").unwrap()).expiry_s(3600);
        self.holder.request(right, ask, now(), &mut SystemRandom::new().unwrap()).unwrap().bytes().to_vec()
    }

    fn auditor(&self) -> Auditor {
        Auditor::new(self.owner.public().clone())
    }

    fn assert_audited(&self) {
        let report = self.auditor().audit(&self.path("space"), None, &|_, _| {}).unwrap();
        assert!(report.ok(), "{:?}", report.problems);
    }
}

fn now() -> Time {
    Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
}

fn quick() -> SpaceOptions {
    SpaceOptions::default().quantum(Quantum::NONE)
}

/// A key that never leaves its device.
struct Device {
    key: SigningKey,
    signatures: AtomicUsize,
}

impl Signer for Device {
    fn public(&self) -> &PublicKey {
        self.key.public()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], KeyError> {
        self.signatures.fetch_add(1, Ordering::Relaxed);
        self.key.sign(message)
    }
}

#[test]
fn the_key_of_a_gate_may_be_held_elsewhere() {
    let world = World::new();
    let key = SigningKey::generate(&mut SystemRandom::new().unwrap());
    let device = Arc::new(Device { key, signatures: AtomicUsize::new(0) });
    let space = world.create(quick().signer(Arc::clone(&device) as Arc<dyn Signer>));
    let right = world.publish(&space);
    let request = world.request(&right);
    let release = space.gate().answer(&request).unwrap();
    world.auditor().verify(release.receipt().unwrap(), &request, release.bytes()).unwrap();
    assert!(device.signatures.load(Ordering::Relaxed) > 1);
    drop(space);
    let keys =
        fs::read_dir(world.path("space")).unwrap().filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "key"));
    assert_eq!(keys.count(), 0, "no key lies in the space");
    assert!(matches!(Space::open(world.path("space")), Err(GateError::NoGateKey { .. })));
    let other: Arc<dyn Signer> = Arc::new(SigningKey::generate(&mut SystemRandom::new().unwrap()));
    assert!(matches!(Space::open_with(world.path("space"), quick().signer(other)), Err(GateError::NoGateKey { .. })));
    let space = Space::open_with(world.path("space"), quick().signer(device)).unwrap();
    assert_eq!(space.gate().answer(&request).unwrap(), release);
    world.assert_audited();
}

/// Counts what it makes.
struct Counting(LocalEngines, AtomicUsize);

impl Engines for Counting {
    fn over(&self, blocks: Arc<dyn Blocks>, key: RowKey) -> Box<dyn Engine> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.over(blocks, key)
    }
}

#[test]
fn a_gate_computes_with_the_engines_that_it_is_given() {
    let world = World::new();
    let engines = Arc::new(Counting(LocalEngines::default(), AtomicUsize::new(0)));
    let space = world.create(quick().engines(Arc::clone(&engines) as Arc<dyn Engines>));
    let right = world.publish(&space);
    let request = world.request(&right);
    space.gate().answer(&request).unwrap();
    space.gate().answer(&request).unwrap();
    assert_eq!(engines.1.load(Ordering::Relaxed), 1, "a sealed answer is not computed again");
}

#[test]
fn publications_are_signed_where_the_data_are() {
    let world = World::new();
    let space = world.create(quick());
    let certificate = fs::read(world.path("space").join("gate.certificate")).unwrap();
    let sign = |name: &str, later: Option<(&PublicationFile, u64)>| {
        let (file, source) = world.description();
        let out = world.path(name);
        write_publication(&file.description, &source, world.owner.signer(), &certificate, later, &out, &mut |_| ControlFlow::Continue(()))
            .map(|summary| (summary.rows, PublicationFile::decode(&fs::read(&out).unwrap()).unwrap()))
    };
    let (rows, first) = sign("first", None).unwrap();
    assert_eq!(rows, 4);
    let apply = |name: &str| space.apply_file(world.path(name));
    let Ok(Applied::Published(published)) = apply("first") else { panic!("it is applied") };
    assert_eq!((published.version, published.rows), (1, 4));
    let (size, card) = (space.status().unwrap().size, fs::read(&published.card_path).unwrap());
    fs::remove_file(&published.card_path).unwrap();
    let Ok(Applied::Published(again)) = apply("first") else { panic!("it is told again") };
    assert_eq!((again.id, again.version, again.rows, space.status().unwrap().size), (published.id, 1, 4, size), "once");
    assert_eq!(fs::read(&published.card_path).unwrap(), card, "what was to follow the entry is made up for");
    // A later version needs the salt of the first one, which only the owner has, and its own number.
    sign("third", Some((&first, 3))).unwrap();
    assert!(matches!(apply("third"), Err(GateError::Act(_))), "in turn");
    sign("second", Some((&first, 2))).unwrap();
    let snapshot = world.path("second.snapshot");
    let bytes = fs::read(&snapshot).unwrap();
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&snapshot, changed).unwrap();
    assert!(apply("second").is_err(), "other data than were signed");
    fs::write(&snapshot, bytes).unwrap();
    let Ok(Applied::Published(published)) = apply("second") else { panic!("it is applied") };
    assert_eq!(published.version, 2);
    assert!(apply("third").is_ok());
    let card = fs::read(&published.card_path).unwrap();
    fs::remove_file(&published.card_path).unwrap();
    let Ok(Applied::Published(again)) = apply("second") else { panic!("it is told again") };
    assert_eq!((again.version, again.card_path.exists()), (2, false), "an earlier card is not put over that of a later version");
    fs::write(&published.card_path, card).unwrap();
    assert!(sign("second", None).is_err(), "files are never overwritten");
    // An owner who is not the space's.
    let stranger = World::new();
    let (file, source) = stranger.description();
    let refused =
        write_publication(&file.description, &source, stranger.owner.signer(), &certificate, None, &world.path("other"), &mut |_| {
            ControlFlow::Continue(())
        });
    assert!(matches!(refused, Err(GateError::Envelope(_))));
    let right = world.right(&fs::read(published.card_path).unwrap());
    let release = space.gate().answer(&world.request(&right)).unwrap();
    assert_eq!(release.answer().dataset, published.id);
    drop(space);
    Space::open(world.path("space")).unwrap();
    assert_eq!(fs::read_dir(world.path("space").join("snapshots")).unwrap().count(), 3);
    world.assert_audited();
}

#[test]
fn what_a_space_holds_is_told_beside_its_gate() {
    let world = World::new();
    let space = world.create(quick());
    let right = world.publish(&space);
    let request = world.request(&right);
    let (id, kept) = space.gate().keep(&request).unwrap();
    assert_eq!(fs::read(kept).unwrap(), request);
    assert_eq!(space.receipt(id).unwrap(), None, "not answered yet");
    let release = space.gate().answer(&request).unwrap();
    let bundle = space.receipt(id).unwrap().unwrap();
    assert_eq!((bundle.answer.as_slice(), &bundle.receipt), (release.bytes(), release.receipt().unwrap()));
    let status = SpaceStatus::read(world.path("space")).unwrap();
    assert_eq!((status.datasets.len(), status.rights.len(), status.requests.len()), (1, 1, 1));
    assert_eq!((status.rights[0].id, status.rights[0].uses_left), (right.id(), 99));
    assert!(matches!(status.requests[0].state, RequestState::Sealed { index, .. } if index == release.index()));
    assert_eq!(status.next_acts, space.next_acts().unwrap());
    assert!(space.receipt(usufruct::id::RequestId::from_bytes([1; 32])).unwrap().is_none());
    assert!(matches!(SpaceStatus::read(world.path("nowhere")), Err(GateError::Archive(ArchiveError::NotASpace { .. }))));
}

#[test]
fn another_process_is_told_at_once_or_waits() {
    let world = World::new();
    let space = world.create(quick());
    let begun = Instant::now();
    let refused = Space::open(world.path("space")).map(drop).unwrap_err();
    assert!(matches!(refused, GateError::Archive(ArchiveError::Locked)), "{refused}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    let waiting = [Duration::from_secs(60), Duration::MAX].map(|time| {
        let path = world.path("space");
        std::thread::spawn(move || Space::open_with(path, quick().wait(time)).map(drop))
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    drop(space);
    for waiting in waiting {
        waiting.join().unwrap().unwrap();
    }
}

#[cfg(feature = "cli")]
mod command_line {
    use super::*;
    use std::process::{Command, Output};

    use super::inject::{Faults, What};

    fn run(folder: &Path, line: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_usufruct")).args(words(line)).current_dir(folder).output().unwrap()
    }

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(|word| word.replace('~', " ")).collect()
    }

    fn ok(folder: &Path, line: &str) -> String {
        let output = run(folder, line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(folder: &Path, code: i32, line: &str) -> String {
        let output = run(folder, line);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {told}");
        told
    }

    const TERMS: &str = "kind = \"process\"\noperations = [\"count\"]\ncolumns = [\"sex\"]\npurposes = [\"research\"]\n\
        budget = { epsilon = \"1\" }\nuses = 100\nnot_after = \"2090-01-01T00:00:00Z\"\n";
    const DESCRIPTION: &str = "name = \"people\"\ndata = \"people.csv\"\nunit = \"row\"\nrows_are_independent = true\n\
        budget = { model = \"approx\", epsilon = \"3\" }\n[columns.sex]\ntype = \"text\"\nvalues = [\"f\", \"m\"]\ngrade = 1\n";

    fn folder() -> tempfile::TempDir {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path();
        fs::write(folder.join("people.csv"), "sex\nf\nm\nf\n").unwrap();
        fs::write(folder.join("people.toml"), DESCRIPTION).unwrap();
        fs::write(folder.join("terms.toml"), TERMS).unwrap();
        for name in ["owner", "holder"] {
            ok(folder, &format!("key new -o {name}.key"));
            ok(folder, &format!("key public {name}.key -o {name}.pub"));
        }
        ok(folder, "space new space --key owner.key --quantum-ms 0");
        temporary
    }

    #[test]
    fn acts_are_signed_offline_and_applied() {
        let temporary = folder();
        let folder = temporary.path();
        ok(folder, "publish --describe people.toml --key owner.key --certificate space/gate.certificate -o people.publication");
        assert!(ok(folder, "apply space people.publication").contains("published dataset"));
        assert!(ok(folder, "apply space people.publication").contains("published dataset"));
        ok(
            folder,
            "publish --describe people.toml --key owner.key --certificate space/gate.certificate --first people.publication --number 2 -o second",
        );
        assert!(ok(folder, "apply space second").contains("version 2"));
        ok(folder, "refill --key owner.key --dataset space/cards/people.dataset --number 1 --epsilon 1 --reason accepted -o more");
        assert!(ok(folder, "apply space more").contains("epsilon 4 left"));
        assert!(ok(folder, "apply space more").contains("epsilon 4 left"), "once");
        ok(folder, "grant --key owner.key --dataset space/cards/people.dataset --to holder.pub --terms terms.toml -o use.right");
        assert!(ok(folder, "apply space use.right").contains("registered right"));
        ok(folder, "space certify space --key owner.key -o certificate");
        assert!(ok(folder, "apply space certificate").contains("certified gate"));
        ok(folder, "space quantum space --key owner.key --ms 20 -o quantum");
        assert!(ok(folder, "apply space quantum").contains("20 ms"));
        let told = fails(folder, 2, "space quantum space --key owner.key --ms 30");
        assert!(told.contains("divisor of 1000"), "{told}");
        ok(folder, "ask space --right use.right --key holder.key --epsilon 0.5 --receipt one.receipt SELECT~COUNT(*)~FROM~people");
        let status: serde_json::Value = serde_json::from_str(&ok(folder, "status space --json")).unwrap();
        assert_eq!(status["quantum_ms"], 20);
        assert_eq!(status["datasets"][0]["next_refill"], 2);
        assert_eq!(status["requests"][0]["state"], "sealed");
        let id = status["requests"][0]["id"].as_str().unwrap();
        ok(folder, &format!("status space --receipt {id} -o again.receipt"));
        assert_eq!(fs::read(folder.join("one.receipt")).unwrap(), fs::read(folder.join("again.receipt")).unwrap());
        ok(folder, "verify again.receipt --key owner.pub");
        // Another gate key; what was sealed before keeps its receipt.
        ok(folder, "space certify space --key owner.key --new-key");
        ok(folder, &format!("status space --receipt {id} -o again.receipt --force"));
        assert_eq!(fs::read(folder.join("one.receipt")).unwrap(), fs::read(folder.join("again.receipt")).unwrap());
        fails(folder, 2, "space clock space --key owner.key --accept yesterday");
        assert!(ok(folder, "audit space --key owner.pub").contains("quantum of 20 ms"));
        fails(folder, 3, "space certify space --key holder.key");
    }

    #[test]
    fn a_verb_waits_for_the_space_when_it_is_told_to() {
        let temporary = folder();
        let folder = temporary.path();
        ok(folder, "publish space --describe people.toml --key owner.key");
        let space = Space::open(folder.join("space")).unwrap();
        let told = fails(folder, 1, "publish space --describe people.toml --key owner.key");
        assert!(told.contains("--wait SECONDS"), "{told}");
        ok(folder, "status space");
        let waiting = {
            let folder = folder.to_owned();
            std::thread::spawn(move || ok(&folder, "publish space --wait 60 --describe people.toml --key owner.key"))
        };
        std::thread::sleep(Duration::from_millis(500));
        drop(space);
        assert!(waiting.join().unwrap().contains("version 2"));
    }

    /// The file of a right comes before its entry: wherever `grant` is killed, no budget is promised to a right that nobody has.
    #[test]
    fn a_grant_that_is_killed_promises_nothing_to_nobody() {
        let Some(faults) = Faults::build() else { return };
        let temporary = folder();
        let folder = temporary.path();
        ok(folder, "publish space --describe people.toml --key owner.key");
        let line =
            "grant --key owner.key --dataset space/cards/people.dataset --to holder.pub --terms terms.toml --space space -o out/use.right";
        let grant = || {
            let _ = fs::remove_dir_all(folder.join("out"));
            fs::create_dir(folder.join("out")).unwrap();
            faults.command(env!("CARGO_BIN_EXE_usufruct"), folder).args(words(line)).current_dir(folder)
        };
        let rights = |folder: &Path| SpaceStatus::read(folder.join("space")).unwrap().rights.len();
        let before = fs::read(folder.join("space/ledger/0000000000.seg")).unwrap();
        let calls = grant().count();
        fs::write(folder.join("space/ledger/0000000000.seg"), &before).unwrap();
        fs::remove_file(folder.join("space/ledger/checkpoint")).unwrap();
        let mut killed = 0;
        for n in 1..=calls {
            let ran = grant().at(n, What::Kill).run();
            killed += usize::from(ran.was_killed());
            drop(Space::open(folder.join("space")).unwrap());
            let promised = rights(folder);
            let file = folder.join("out/use.right");
            assert!(promised == 0 || file.exists(), "{promised} rights and no file\n{}", ran.told());
            if file.exists() {
                // Whoever has the file registers it, or finds it registered.
                ok(folder, "apply space out/use.right");
                assert_eq!(rights(folder), 1, "{}", ran.told());
            }
            fs::write(folder.join("space/ledger/0000000000.seg"), &before).unwrap();
            let _ = fs::remove_file(folder.join("space/ledger/checkpoint"));
        }
        assert!(killed > 10, "{killed} of {calls}");
    }
}
