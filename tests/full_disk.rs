//! A disk that is really full: what was promised stays, and what was refused goes well once there is room.
#![cfg(all(unix, feature = "csv", feature = "sql", feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "faults/disk.rs"]
mod disk;
mod fixed;

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::ops::ControlFlow;
use std::time::{SystemTime, UNIX_EPOCH};

use disk::{PAGE_BYTES, SmallDisk};
use fixed::{certificate, checkpoint, key};
use usufruct::auditor::Auditor;
use usufruct::budget::Loss;
use usufruct::dataset::{DescriptionFile, table_schema};
use usufruct::file::OutputError;
use usufruct::gate::SpaceOptions;
use usufruct::holder::{Holder, SeenError, SeenFile};
use usufruct::id::Time;
use usufruct::key::Signer as _;
use usufruct::ledger::Quantum;
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::receipt::SignedCheckpoint;
use usufruct::right::{Ask, Terms};
use usufruct::space::Space;
use usufruct::table::{CsvOptions, CsvSource};

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
    let now = || Time::from_unix_s(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    let (owner, holder) = (Owner::new(key("owner")), Holder::new(key("holder")));
    fs::write(outside.path().join("people.csv"), "age,sex\n39,m\n50,f\n17,f\n").unwrap();
    let file = DescriptionFile::parse(DESCRIPTION, outside.path()).unwrap();
    let source = CsvSource::open(&file.data.path, CsvOptions::default(), table_schema(file.description.schema())).unwrap();
    let path = disk.path().join("space");
    let space = Space::create_with(&path, owner.signer(), owner.public(), now(), SpaceOptions::default().quantum(Quantum::NONE)).unwrap();
    let published = space.publish(&file.description, &source, owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap();
    drop(space);
    let mut random = SystemRandom::new().unwrap();
    let right = owner.grant(&published.card, holder.public(), Terms::parse(TERMS).unwrap(), now(), &mut random).unwrap();
    let mut failures = 0;
    for (asked, pages) in (1u32..).zip([0, 1, 2, 3, 4, 8]) {
        let query = Query::sql("SELECT sex, COUNT(*) FROM people GROUP BY sex").unwrap();
        let ask = Ask { query, price: Loss::approx("1", "0").unwrap(), purpose: None, expiry_s: 3600, seen: None };
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
