//! Rule G1: no cell and no key stands in an error, in what `Debug` prints, or in what an error has for a source.
//!
//! Every cell of the data here is a canary, and so is the secret of every key. Each error that they can provoke is walked
//! in all its forms, and so are the public types that hold them.
#![cfg(all(feature = "csv", feature = "sql", feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

mod fixed;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Debug;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fixed::key;
use usufruct::auditor::Auditor;
use usufruct::dataset::{Description, DescriptionFile, RowKey, Snapshot, table_schema, write_snapshot};
use usufruct::engine::{Control, Engine as _, SnapshotEngine};
use usufruct::file::{Output, OutputOptions};
use usufruct::holder::{Holder, SeenFile};
use usufruct::id::{Salt, Time};
use usufruct::key::{PublicKey, Signer, SigningKey};
use usufruct::owner::Owner;
use usufruct::plan::BoundQuery;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::right::{Ask, Terms};
use usufruct::space::Space;
use usufruct::table::{ColumnKind, CsvOptions, CsvSource, ExtraColumns, RecordSource, Records, TableColumn, TableSchema};

const DESCRIPTION: &str = r#"
name = "people"
data = "people.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "2", delta = "0" }
[columns.note]
type = "text"
grade = 3
[columns.age]
type = "integer"
bounds = [0, 120]
grade = 2
[columns.pay]
type = "real"
step = "0.01"
bounds = ["0", "1000"]
grade = 2
"#;

/// Cells that stand nowhere else; parts of them are looked for too.
const CELLS: [&str; 5] = ["Kanarienvogel", "金丝雀", "73137313731", "61.9619619", "Wellensittich"];

/// Looks for canaries in texts.
struct Hunt {
    canaries: Vec<String>,
    /// How many texts were looked at, and the variants of errors among them.
    texts: usize,
    errors: BTreeSet<String>,
}

impl Hunt {
    fn new() -> Self {
        let mut canaries = CELLS.map(str::to_owned).to_vec();
        for name in ["owner", "holder", "gate"] {
            canaries.extend(parts_of_key(&key(name)));
        }
        Self { canaries, texts: 0, errors: BTreeSet::new() }
    }

    fn text(&mut self, text: &str) {
        self.texts += 1;
        for canary in &self.canaries {
            assert!(!text.contains(canary), "{canary} in: {text}");
        }
    }

    fn debug(&mut self, value: &dyn Debug) {
        self.text(&format!("{value:?}"));
        self.text(&format!("{value:#?}"));
    }

    fn json(&mut self, value: &impl serde::Serialize) {
        self.text(&serde_json::to_string(value).unwrap());
    }

    fn error(&mut self, error: &dyn Error) {
        let name: String = format!("{error:?}").chars().take_while(|c| c.is_alphanumeric() || *c == '(').collect();
        self.errors.insert(name);
        let mut next = Some(error);
        while let Some(error) = next {
            self.text(&error.to_string());
            self.text(&format!("{error:#}"));
            self.debug(&error);
            next = error.source();
        }
    }

    fn refused<T, E: Error>(&mut self, outcome: Result<T, E>) {
        self.error(&outcome.err().expect("this is refused"));
    }
}

/// Twelve characters anywhere in the text of a key file, eight bytes anywhere in the seed.
fn parts_of_key(key: &SigningKey) -> Vec<String> {
    let pem = key.to_pem();
    let body = pem.lines().nth(1).unwrap().as_bytes();
    // The first 21 characters are the same in all key files.
    let text = body[24..].windows(12).map(|part| String::from_utf8(part.to_vec()).unwrap());
    let seed = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap()[16..].to_vec();
    let hex = seed.windows(8).map(|part| part.iter().map(|byte| format!("{byte:02x}")).collect());
    let list = seed.windows(4).map(|part| format!("{}, {}, {}, {}", part[0], part[1], part[2], part[3]));
    text.chain(hex).chain(list).collect()
}

fn now() -> Time {
    Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
}

fn description() -> Description {
    DescriptionFile::parse(DESCRIPTION, Path::new("")).unwrap().description
}

fn source(csv: &[u8], options: CsvOptions) -> CsvSource {
    CsvSource::from_bytes(csv, options, table_schema(description().schema())).unwrap()
}

const GOOD: &str = "note,age,pay\nKanarienvogel,73137313731,61.9619619\n金丝雀,41,12.34\n";

/// Files that cannot be read or published: each has canaries in every cell.
fn bad_files() -> Vec<(Vec<u8>, CsvOptions)> {
    let plain = CsvOptions::default;
    let text = |text: &str, options: CsvOptions| (text.as_bytes().to_vec(), options);
    let long = "Kanarienvogel".repeat(9_000);
    vec![
        text("note,age,pay\nKanarienvogel,Wellensittich,1\n", plain()),
        text("note,age,pay\nKanarienvogel,73137313731.5,1\n", plain()),
        text("note,age,pay\nKanarienvogel,73137313731731373137313731,1\n", plain()),
        text("note,age,pay\nKanarienvogel,1,Wellensittich\n", plain()),
        text("note,age,pay\nKanarienvogel,1,61.961961973137313731731373137317313731373173137313731\n", plain()),
        text("note,age,pay\nKanarienvogel,,61.9619619\n", plain()),
        text("note,age,pay\n,73137313731,61.9619619\n", plain()),
        text("note,age,pay\nKanarienvogel,73137313731\n", plain()),
        text("note,age,pay\nKanarienvogel,73137313731,61.9619619,Wellensittich\n", plain()),
        text("note,age,pay\n\"Kanarienvogel,73137313731,61.9619619\n", plain()),
        text("note,age,pay,Wellensittich\nKanarienvogel,1,1,1\n", CsvOptions { extra: ExtraColumns::Refuse, ..plain() }),
        text("note,age,Wellensittich\nKanarienvogel,1,1\n", plain()),
        text("note,age,pay,Wellensittich,Wellensittich\nKanarienvogel,1,1,1,1\n", plain()),
        text("Kanarienvogel,73137313731,61.9619619\n", plain()),
        text("", plain()),
        text("note,age,pay\nKanarienvogel,1,1\n", CsvOptions { field_bytes_max: 4, ..plain() }),
        text("note,age,pay\nKanarienvogel,1,1\n", CsvOptions { record_bytes_max: 13, ..plain() }),
        text("note,age,pay\nKanarienvogel,1,1\n", CsvOptions { delimiter: b';', ..plain() }),
        text(&format!("note,age,pay\n{long},1,1\n"), plain()),
        ([b"note,age,pay\nKanarienvogel\xff,1,1\n".as_slice()].concat(), plain()),
        ([b"note,age,pay,Wellensittich\xff\nKanarienvogel,1,1,1\n".as_slice()].concat(), plain()),
    ]
}

#[test]
#[should_panic(expected = "Kanarienvogel in")]
fn a_canary_in_a_source_is_found() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Inner);
    #[derive(Debug, thiserror::Error)]
    #[error("the cell is {}", CELLS[0])]
    struct Inner;
    Hunt::new().error(&Outer(Inner));
}

#[test]
fn no_cell_is_in_an_error_of_reading_or_publishing() {
    let mut hunt = Hunt::new();
    let folder = tempfile::tempdir().unwrap();
    let (owner, path) = (key("owner"), folder.path().join("space"));
    let space = Space::create_with(
        &path,
        &owner,
        owner.public(),
        now(),
        usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
    )
    .unwrap();
    for (number, (csv, options)) in bad_files().into_iter().enumerate() {
        let schema = || table_schema(description().schema());
        let read = match CsvSource::from_bytes(csv.clone(), options.clone(), schema()) {
            Ok(read) => read,
            Err(error) => {
                hunt.error(&error);
                continue;
            }
        };
        hunt.debug(&read);
        let outcome = read.read().and_then(|batches| batches.collect::<Result<Vec<_>, _>>());
        match &outcome {
            Ok(batches) => batches.iter().for_each(|batch| hunt.debug(batch)),
            Err(error) => hunt.error(error),
        }
        hunt.refused(space.publish(&description(), &read, &owner, &mut |_| ControlFlow::Continue(())));
        // The same file by its name, and where its snapshot cannot be written.
        let file = folder.path().join(format!("{number}.csv"));
        fs::write(&file, &csv).unwrap();
        let read = CsvSource::open(&file, options, schema()).unwrap();
        let output = Output::create(folder.path().join("out.snapshot"), OutputOptions { force: true, private: true }).unwrap();
        let row_key = RowKey::of_first_snapshot(&Salt::from_bytes([7; 32]));
        hunt.refused(write_snapshot(&read, &description(), &row_key, output, &mut |_| ControlFlow::Continue(())));
    }
    let read = source(GOOD.as_bytes(), CsvOptions::default());
    hunt.refused(space.publish(&description(), &read, &owner, &mut |_| ControlFlow::Break(())));
    assert!(hunt.errors.len() >= 12, "{:?}", hunt.errors);
    assert!(hunt.texts > 200);
}

#[test]
fn no_cell_is_in_what_the_public_types_print() {
    let mut hunt = Hunt::new();
    let folder = tempfile::tempdir().unwrap();
    let (owner, holder) = (key("owner"), key("holder"));
    let space = Space::create_with(
        folder.path().join("space"),
        &owner,
        holder.public(),
        now(),
        usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
    )
    .unwrap();
    let read = source(GOOD.as_bytes(), CsvOptions::default());
    let published = space.publish(&description(), &read, &owner, &mut |_| ControlFlow::Continue(())).unwrap();
    hunt.debug(&published.warnings);
    published.warnings.iter().for_each(|warning| hunt.text(&warning.to_string()));
    hunt.debug(&published);
    hunt.debug(&space);
    hunt.debug(&space.datasets().unwrap());

    // A batch of other columns than its schema says.
    let batches: Vec<Records> = read.read().unwrap().collect::<Result<_, _>>().unwrap();
    hunt.debug(&batches);
    let other = TableColumn { name: usufruct::id::ColumnName::new("note").unwrap(), kind: ColumnKind::Integer };
    hunt.refused(Records::new(&TableSchema::new(vec![other]).unwrap(), batches[0].batch().clone(), 1));
    drop(read);

    let snapshots = fs::read_dir(folder.path().join("space/snapshots")).unwrap();
    let path = snapshots.map(|entry| entry.unwrap().path()).next().unwrap();
    let snapshot = Arc::new(Snapshot::open(&path, description().schema()).unwrap());
    hunt.debug(&snapshot);
    hunt.debug(&snapshot.dictionary(0).unwrap());
    (0..3).for_each(|column| hunt.debug(&snapshot.block(column, 0).unwrap()));
    hunt.debug(&snapshot.block(0, 0).unwrap().cells);
    hunt.debug(&RowKey::of_first_snapshot(&Salt::from_bytes([7; 32])));

    let query = Query::sql("SELECT SUM(pay), COUNT(*) FROM people").unwrap();
    let bound = BoundQuery::new(&query, description().schema()).unwrap();
    let engine = SnapshotEngine::of_rows(Arc::clone(&snapshot));
    let exact = engine.aggregate(&bound, &Control::default()).unwrap();
    // 74.30 in steps of 0.01, less the middle for each row: the exact sums themselves are canaries here.
    hunt.canaries.extend(["-92570".to_owned(), "7430".to_owned()]);
    hunt.debug(&exact);
    hunt.debug(&bound);
    hunt.debug(&engine);
    let gate = space.gate();
    hunt.debug(&gate);
    hunt.debug(&gate.datasets().unwrap());
}

#[test]
fn no_key_is_in_an_error_or_printed() {
    let mut hunt = Hunt::new();
    let folder = tempfile::tempdir().unwrap();
    let (owner, holder) = (key("owner"), key("holder"));
    hunt.debug(&owner);
    hunt.debug(&owner.public());
    let pem = owner.to_pem().to_string();
    let damaged = [
        pem.replace("PRIVATE KEY", "EC PRIVATE KEY"),
        pem.replace("PRIVATE KEY", "PUBLIC KEY"),
        pem.replace("MC4C", "MC4D"),
        pem.replace("MC4C", "!!!!"),
        pem.replace("-----END", "----END"),
        pem[..100].to_owned(),
        format!("{pem}{pem}"),
        format!("x{pem}"),
        pem.repeat(40),
        pem.lines().nth(1).unwrap().to_owned(),
        String::new(),
    ];
    for text in &damaged {
        hunt.refused(SigningKey::from_pem(text.as_bytes()));
        hunt.refused(PublicKey::from_pem(text.as_bytes()));
    }
    for (name, mode) in [("open", 0o644), ("private", 0o600)] {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = folder.path().join(name);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).unwrap();
        std::io::Write::write_all(&mut file, damaged[3].as_bytes()).unwrap();
        hunt.refused(SigningKey::open(&path));
        hunt.refused(owner.create(&path));
    }
    // A key where something else belongs.
    let path = folder.path().join("private");
    fs::write(&path, &pem).unwrap();
    hunt.refused(DescriptionFile::read(&path));
    hunt.refused(Terms::read(&path));
    hunt.refused(SeenFile::open(&path));
    hunt.refused(CsvSource::open(&path, CsvOptions::default(), table_schema(description().schema())));
    hunt.refused(usufruct::ledger::Checkpoint::claimed(&pem));
    hunt.debug(&Owner::new(owner));
    hunt.debug(&Holder::new(holder));
}

/// A file of records or of secrets where people's TOML belongs, and TOML whose values are of the wrong type.
#[test]
fn no_value_of_a_wrong_file_is_in_an_error_of_a_description_or_terms() {
    let mut hunt = Hunt::new();
    let secret = key("owner").to_pem().lines().nth(1).unwrap().to_owned();
    let wrong = [
        GOOD.to_owned(),
        "Kanarienvogel;73137313731;61.9619619".to_owned(),
        format!("name = [\"{secret}\"]"),
        format!("name = \"{secret}\nKanarienvogel"),
        format!("kind = \"process\"\nuses = \"{secret} Kanarienvogel \\\" x\""),
        format!("not_after = \"{secret}\""),
    ];
    for text in &wrong {
        hunt.refused(DescriptionFile::parse(text, Path::new("")));
        hunt.refused(Terms::parse(text));
    }
    for (from, to) in [("\"0.01\"", "61.9619619"), ("[0, 120]", "\"Kanarienvogel\""), ("grade = 3", "grade = \"Kanarienvogel\"")] {
        hunt.refused(DescriptionFile::parse(&DESCRIPTION.replace(from, to), Path::new("")));
    }
    let terms = "kind = \"process\"\noperations = [\"count\"]\npurposes = [\"a\"]\nuses = 1\nnot_after = \"2090-01-01T00:00:00Z\"\n";
    for budget in ["budget = \"Kanarienvogel\"", "budget = { epsilon = \"Kanarienvogel\" }", "budget = { epsilon = 61.9619619 }"] {
        hunt.refused(Terms::parse(&format!("{terms}{budget}")));
    }
    hunt.refused(Terms::parse(&terms.replace("\"a\"", "\"Kanarienvogel:\"").replace("uses", "budget = { epsilon = \"1\" }\nuses")));
}

#[test]
fn no_cell_or_key_is_in_an_error_of_a_damaged_space() {
    let mut hunt = Hunt::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("space");
    let (owner, holder) = (Owner::new(key("owner")), Holder::new(key("holder")));
    let space = Space::create_with(
        &path,
        owner.signer(),
        holder.public(),
        now(),
        usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
    )
    .unwrap();
    let read = source(GOOD.as_bytes(), CsvOptions::default());
    let card = space.publish(&description(), &read, owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap().card;
    let terms = "kind = \"process\"\noperations = [\"count\", \"sum\"]\ncolumns = [\"pay\"]\npurposes = [\"a\"]\nbudget = { epsilon = \"1\" }\nuses = 9\nnot_after = \"2090-01-01T00:00:00Z\"";
    let mut random = SystemRandom::new().unwrap();
    let right = owner.grant(&card, holder.public(), Terms::parse(terms).unwrap(), now(), &mut random).unwrap();
    let mut request = |sql: &str, epsilon: &str| {
        let price = usufruct::budget::Loss::approx(epsilon, "0").unwrap();
        let ask = Ask::new(Query::sql(sql).unwrap(), price).expiry_s(3600);
        holder.request(&right, ask, now(), &mut random).unwrap().bytes().to_vec()
    };
    let asked = request("SELECT SUM(pay) FROM people", "0.5");
    let later = request("SELECT COUNT(*), SUM(pay) FROM people", "0.25");
    let refused =
        [request("SELECT SUM(age) FROM people", "0.5"), request("SELECT SUM(pay) FROM people WHERE pay = 'x'", "0.5"), vec![0; 9]];
    let gate = space.gate();
    gate.answer(&asked).unwrap();
    refused.iter().for_each(|request| hunt.refused(gate.answer(request)));
    drop(gate);
    let gate_key = fs::read_to_string(path.join("gate.key")).unwrap();
    hunt.canaries.extend(parts_of_key(&SigningKey::from_pem(gate_key.as_bytes()).unwrap()));

    let auditor = Auditor::new(key("owner").public().clone());
    let files: Vec<PathBuf> = ["gate.key", "ledger/0000000000.seg", "ledger/checkpoint"].map(|name| path.join(name)).into();
    let all = ["snapshots", "openings", "answers"].into_iter().flat_map(|name| fs::read_dir(path.join(name)).unwrap());
    for file in files.into_iter().chain(all.map(|entry| entry.unwrap().path())) {
        let bytes = fs::read(&file).unwrap();
        let used = bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count();
        for at in [0, used / 3, used / 2, used - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            fs::write(&file, &damaged).unwrap();
            match auditor.audit(&path, None, &|_, _| {}) {
                Ok(report) => {
                    hunt.debug(&report);
                    hunt.json(&report);
                }
                Err(error) => hunt.error(&error),
            }
            match Space::open(&path) {
                Ok(space) => {
                    hunt.debug(&space);
                    let gate = space.gate();
                    for request in [&asked, &later] {
                        if let Err(error) = gate.answer(request) {
                            hunt.error(&error);
                            hunt.json(&error);
                        }
                    }
                    if let Ok(status) = space.status() {
                        hunt.json(&status);
                    }
                }
                Err(error) => hunt.error(&error),
            }
            // What is written meanwhile stays written; only the damage goes.
            if !file.starts_with(path.join("ledger")) {
                fs::write(&file, &bytes).unwrap();
            } else if let Some(byte) = fs::read(&file).unwrap().get(at).filter(|byte| **byte == damaged[at]) {
                let mut healed = fs::read(&file).unwrap();
                healed[at] = byte ^ 0x10;
                fs::write(&file, healed).unwrap();
            }
        }
    }
    assert!(hunt.errors.len() >= 5, "{:?}", hunt.errors);
}
