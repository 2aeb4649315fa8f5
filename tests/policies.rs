//! Policies that do nothing, too little, or nonsense, and what is said about each of them; and those that pass.
#![cfg(all(feature = "csv", feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../examples/register/mod.rs"]
mod register;

use std::ops::ControlFlow;
use std::sync::Arc;

use usufruct::desensitise::{KeyRing, Policy, PrfAlgorithm, ReleaseModel, suggest};
use usufruct::grade::{Finding, Recognisers, survey};
use usufruct::id::Name;
use usufruct::random::SystemRandom;
use usufruct::table::{FileOptions, FileSource, Format, RecordSource};

/// What is tried: the sections that replace those of the base policy, and what must be said; `OK` for nothing.
const CASES: &[(&str, &str, &str)] = &[
    // Nothing is done to what names a person.
    (
        "id kept",
        "[columns.id]\ntechnique = \"keep\"",
        "column id (grade 3): keep leaves as few as 1 input values behind an output, controlled needs 1000",
    ),
    ("name kept", "[columns.name]\ntechnique = \"keep\"", "column name (grade 3): keep leaves as few as 1"),
    ("mobile kept", "[columns.mobile]\ntechnique = \"keep\"", "column mobile (grade 3): keep leaves as few as 1"),
    (
        "id masked with everything shown",
        "[columns.id]\ntechnique = \"mask\"\nkeep_first = 18",
        "column id (grade 3): mask leaves as few as",
    ),
    ("name masked with 99 shown", "[columns.name]\ntechnique = \"mask\"\nkeep_first = 99", "column name (grade 3): mask leaves as few as"),
    (
        "mobile masked with 11 shown",
        "[columns.mobile]\ntechnique = \"mask\"\nkeep_first = 11",
        "column mobile (grade 3): mask leaves as few as",
    ),
    (
        "mobile masked with 9 shown",
        "[columns.mobile]\ntechnique = \"mask\"\nkeep_first = 7\nkeep_last = 2",
        "mask leaves as few as 100 input values",
    ),
    ("mobile truncated to all", "[columns.mobile]\ntechnique = \"truncate\"\nkeep_first = 11", "truncate leaves as few as 1 input values"),
    // The hidden part of the id is the date of birth, which stands beside it.
    (
        "id masked 6+4 beside the month of birth",
        "[columns.id]\ntechnique = \"mask\"\nkeep_first = 6\nkeep_last = 4\nshow_check = true",
        "column id (grade 3): mask leaves as few as",
    ),
    (
        "mobile said to be a name",
        "[columns.mobile]\ntechnique = \"mask\"\nkind = \"name\"\nkeep_first = 9",
        "column mobile (grade 3): mask leaves as few as",
    ),
    // Too little is done to what is sensitive.
    (
        "income kept",
        "[columns.income]\ntechnique = \"keep\"",
        "column income (grade 3): keep leaves as few as 1 input values behind an output, controlled needs 10",
    ),
    ("income rounded to 1", "[columns.income]\ntechnique = \"round\"\nto = 1\nstep = 1", "round leaves as few as 1"),
    ("income top-coded", "[columns.income]\ntechnique = \"top_bottom\"\ntop = 100000", "top_bottom leaves as few as 1"),
    ("income permuted", "[columns.income]\ntechnique = \"permute\"\nkey = \"pseudonym\"", "permute leaves as few as 1"),
    ("age in bins of width 1", "[columns.age]\ntechnique = \"bin\"\nwidth = 1\ngrade = 3", "column age (grade 3): bin leaves as few as 1"),
    (
        "age in bins with one of width 1",
        "[columns.age]\ntechnique = \"bin\"\nedges = [18, 19, 65]\ngrade = 3",
        "column age (grade 3): bin leaves as few as 1",
    ),
    (
        "date of birth kept at grade 3",
        "[columns.birth]\ntechnique = \"date\"\nlevel = \"day\"\ngrade = 3",
        "column birth (grade 3): date leaves as few as 1",
    ),
    // Grade 4.
    (
        "grade 4 kept",
        "[columns.city]\ntechnique = \"keep\"\ngrade = 4",
        "column city (grade 4): keep is not enough; suppress it or use a keyed pseudonym",
    ),
    ("grade 4 masked", "[columns.city]\ntechnique = \"mask\"\nkeep_first = 1\ngrade = 4", "column city (grade 4): mask is not enough"),
    (
        "grade 4 permuted",
        "[columns.city]\ntechnique = \"permute\"\nkey = \"pseudonym\"\ngrade = 4",
        "column city (grade 4): permute is not enough",
    ),
    // The columns.
    ("a column that is not there", "[columns.ghost]\ntechnique = \"suppress\"", "column ghost: the file has no such column"),
    ("a key that is not there", "[columns.id]\ntechnique = \"pseudonym\"\nkey = \"ghost\"", "column id: key \"ghost\":"),
    (
        "a subject that is not there",
        "[columns.birth]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"ghost\"\ndays = 365",
        "column birth: its subject ghost is not another column of the file",
    ),
    (
        "a column that is its own subject",
        "[columns.birth]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"birth\"\ndays = 365",
        "column birth: its subject birth is not another column of the file",
    ),
    // The text.
    ("a shift of days", "[columns.birth]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"id\"\ndays = 10", "column birth:"),
    ("a shift of nothing", "[columns.birth]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"id\"\ndays = 0", "column birth:"),
    (
        "a shift without its subject",
        "[columns.birth]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\ndays = 365",
        "column birth: `subject` is missing",
    ),
    ("an unknown technique", "[columns.city]\ntechnique = \"md5\"", "column city: technique: `md5` is not known here; known are keep,"),
    ("no technique", "[columns.city]\ngrade = 1", "column city: `technique` is missing"),
    (
        "a parameter of another technique",
        "[columns.city]\ntechnique = \"keep\"\nwidth = 3",
        "column city: the technique keep has no parameter `width`; known are date_order, grade, kind, not_known, not_personal, off_kind, technique",
    ),
    ("a mask of nothing", "[columns.city]\ntechnique = \"mask\"\nfrom = 3\nto = 2", "column city: mask: range is"),
    ("a width of 0", "[columns.age]\ntechnique = \"bin\"\nwidth = 0", "column age:"),
    (
        "a width that is a float",
        "[columns.age]\ntechnique = \"bin\"\nwidth = 2.5",
        "column age: `width`: expected a whole number or a decimal in quotes, never a float",
    ),
    ("edges that fall", "[columns.age]\ntechnique = \"bin\"\nedges = [65, 18]", "column age:"),
    ("rounding to nothing", "[columns.income]\ntechnique = \"round\"\nto = 0", "column income:"),
    ("top below bottom", "[columns.income]\ntechnique = \"top_bottom\"\nbottom = 9\ntop = 3", "column income:"),
    (
        "an unknown level",
        "[columns.birth]\ntechnique = \"date\"\nlevel = \"week\"",
        "column birth: level: `week` is not known here; known are day, month, quarter, year",
    ),
    ("an unknown kind", "[columns.city]\ntechnique = \"keep\"\nkind = \"town\"", "column city: kind: `town` is not known here"),
    ("a grade of 5", "[columns.city]\ntechnique = \"keep\"\ngrade = 5", "column city: `grade`: expected 1, 2, 3 or 4"),
    (
        "an unknown rule",
        "[columns.city]\ntechnique = \"keep\"\noff_kind = \"ignore\"",
        "column city: off_kind: `ignore` is not known here; known are refuse, quarantine, suppress",
    ),
    ("a reason that is none", "[columns.city]\ntechnique = \"keep\"\nnot_personal = \" \"", "column city: `not_personal`: expected why"),
    (
        "numbers of people said to be nobody's",
        "[columns.mobile]\ntechnique = \"keep\"\nnot_personal = \"they are ours\"",
        "column mobile (grade 3): keep leaves as few as 1",
    ),
    ("a name that cannot be", "[columns.\"a\\u0007b\"]\ntechnique = \"keep\"", "cannot be the name of a column"),
    // What passes.
    ("as suggested", "", "OK"),
    ("mobile masked 3+4", "[columns.mobile]\ntechnique = \"mask\"\nkeep_first = 3\nkeep_last = 4", "OK"),
    ("id masked 6+1", "[columns.id]\ntechnique = \"mask\"\nkeep_first = 6", "OK"),
    ("id as a pseudonym", "[columns.id]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\ndomain = \"person\"", "OK"),
    ("grade 4 as a pseudonym", "[columns.id]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\ngrade = 4", "OK"),
    ("grade 4 suppressed", "[columns.id]\ntechnique = \"suppress\"\ngrade = 4", "OK"),
    ("id replaced", "[columns.id]\ntechnique = \"suppress\"\nreplace = \"***\"", "OK"),
    ("age in bins of ten at grade 3", "[columns.age]\ntechnique = \"bin\"\nwidth = 10\ngrade = 3", "OK"),
    ("age in open bins", "[columns.age]\ntechnique = \"bin\"\nedges = [18, 65]\ngrade = 3", "OK"),
    ("birth by year", "[columns.birth]\ntechnique = \"date\"\nlevel = \"year\"", "OK"),
    ("birth shifted", "[columns.birth]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"id\"\ndays = 365", "OK"),
    ("income rounded to 100", "[columns.income]\ntechnique = \"round\"\nto = 100\nstep = 1", "OK"),
];

/// Policies whose fault is not in a column.
const WHOLE: &[(&str, &str)] = &[
    (
        "release = \"public\"\norder = \"shuffled\"\n[default]\ntechnique = \"suppress\"\nreplace = \"*\"",
        "release = \"public\" needs an anonymity statement",
    ),
    (
        "release = \"controlled\"\n[default]\ntechnique = \"suppress\"\nreplace = \"*\"",
        "release = \"controlled\" needs order = \"shuffled\" or \"by_output\"",
    ),
    ("release = \"enclave\"\n[default]\ntechnique = \"suppress\"", "no column leaves"),
    ("release = \"enclave\"", "column id: the policy says nothing about it; give it a section, or a [default]"),
    (
        "release = \"enclave\"\n[default]\ntechnique = \"suppress\"\nnot_personal = \"no column is\"",
        "[default]: `not_personal` and `not_known` are said of one column",
    ),
    ("release = \"open\"", "release: `open` is not known here; known are enclave, controlled, public"),
    ("release = \"enclave\"\norder = \"random\"", "order: `random` is not known here; known are kept, shuffled, by_output"),
    ("release = \"enclave\"\nmax_bad = \"1.5\"", "`max_bad`: expected a decimal in quotes"),
    ("release = \"enclave\"\nmax_bad = 0.1", "`max_bad`: expected a decimal in quotes"),
    ("release = \"enclave\"\nmax_bad = \"-0.1\"", "`max_bad`: expected a decimal in quotes"),
    ("release = \"enclave\"\nsurprise = 1", "line 2, column 1: unknown field `surprise`"),
    ("release = \"enclave\"\n[columns.a]\ntechnique = \"keep\"\n[columns.a]\ntechnique = \"keep\"", "line 4, column"),
    ("order = \"kept\"", "missing field `release`"),
    ("release = ", "line 1, column"),
];

struct World {
    _folder: tempfile::TempDir,
    source: FileSource,
    findings: Vec<Finding>,
    keys: KeyRing,
}

impl World {
    fn new() -> Self {
        let mut out = Vec::new();
        register::Register::new(7, 2_000).write_csv(&mut out).unwrap();
        Self::of(&out)
    }

    fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let csv = folder.path().join("table.csv");
        std::fs::write(&csv, bytes).unwrap();
        let source = FileSource::open(csv, &FileOptions::default()).unwrap();
        let findings = survey(&source, &Arc::new(Recognisers::builtin()), 2, &mut |_| ControlFlow::Continue(())).unwrap();
        let name = |text| Name::new(text).unwrap();
        let keys = KeyRing::generate(&mut SystemRandom::new().unwrap(), name("pseudonym"), PrfAlgorithm::AesCmac, name("tests"));
        Self { _folder: folder, source, findings, keys }
    }

    /// What is said about a policy.
    fn said(&self, text: &str) -> String {
        let policy = match Policy::parse(text) {
            Ok(policy) => policy,
            Err(error) => return error.to_string(),
        };
        match policy.plan(&self.findings, self.source.schema(), &self.keys, Format::Csv) {
            Ok(_) => "OK".to_owned(),
            Err(objections) => objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        }
    }
}

/// The base policy, with the section of a column replaced.
fn replaced(base: &str, section: &str) -> String {
    let head = section.lines().next().unwrap_or_default().replace("columns.", "columns.\"").replace(']', "\"]").replace("\"\"", "\"");
    let mut text = String::new();
    let mut skipping = false;
    for line in base.lines() {
        if line.starts_with('[') {
            skipping = line == head;
        }
        if !skipping {
            text.push_str(line);
            text.push('\n');
        }
    }
    text + section
}

#[test]
fn every_trivial_policy_is_refused_for_its_own_reason() {
    let world = World::new();
    let base = suggest(&world.findings, ReleaseModel::Controlled);
    assert!(CASES.iter().filter(|case| case.2 != "OK").count() + WHOLE.len() >= 40);
    for (name, section, expected) in CASES {
        let said = world.said(&replaced(&base, section));
        if *expected == "OK" {
            assert_eq!(said, "OK", "{name}");
        } else {
            // Its own reason and no other: one line.
            assert!(said.contains(expected) && !said.contains('\n'), "{name}: {said}");
        }
    }
    for (text, expected) in WHOLE {
        let said = world.said(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn what_is_suggested_passes() {
    let world = World::new();
    for release in [ReleaseModel::Enclave, ReleaseModel::Controlled] {
        let text = suggest(&world.findings, release);
        assert_eq!(world.said(&text), "OK", "{text}");
    }
}

/// Under each header cells that nobody can read as what it names.
const ODD: &[(&str, [&str; 2])] = &[
    ("ssn", ["123-45-6789", "987-65-4321"]),
    ("IBAN", ["DE89370400440532013000", "GB29NWBK60161331926819"]),
    ("licensePlate", ["7ABC123", "KA01AB1234"]),
    ("氏名", ["やまだ たろう", "さとう はなこ"]),
    ("phone_number", ["(090) 12-34", "ext. 17"]),
    ("адрес", ["ул. Ленина 1", "пр. Мира 5"]),
    ("证件号", ["A123456(7)", "C668668(E)"]),
    ("name", ["Oak table 7", "Chair no. 5"]),
    ("latitude", ["31.23041", "39.90421"]),
];

#[test]
fn a_header_is_a_floor_that_only_not_personal_lifts() {
    let headers: Vec<&str> = ODD.iter().map(|(header, _)| *header).collect();
    let row = |at: usize| ODD.iter().map(|(_, cells)| cells[at]).collect::<Vec<_>>().join(",");
    let csv = format!("{}\n{}", headers.join(","), format!("{}\n{}\n", row(0), row(1)).repeat(50));
    let world = World::of(csv.as_bytes());
    let kept = |release: &str, header: &str, more: &str| {
        format!(
            "release = \"{release}\"\norder = \"shuffled\"\n[default]\ntechnique = \"suppress\"\n[columns.\"{header}\"]\ntechnique = \"keep\"\n{more}"
        )
    };
    for header in headers {
        for more in ["", "grade = 1", "kind = \"text\"", "kind = \"category\"\ngrade = 2"] {
            let said = world.said(&kept("controlled", header, more));
            let expected = format!("column {header}: its header names ");
            assert!(said.starts_with(&expected) && said.contains("its grade is at least 3, whatever its cells are"), "{said}");
            assert!(said.contains("not_personal = \"why\"") && !said.contains('\n'), "{said}");
        }
        assert_eq!(world.said(&kept("controlled", header, "not_personal = \"a table of things\"")), "OK", "{header}");
    }
    // What is signed is what the owner said, and what the cells alone are.
    let policy = Policy::parse(&kept("controlled", "name", "not_personal = \"names of products\"")).unwrap();
    let plan = policy.plan(&world.findings, world.source.schema(), &world.keys, Format::Csv).unwrap();
    let column = plan.columns().find(|column| column.name.as_str() == "name").unwrap();
    assert_eq!(column.not_personal.as_deref(), Some("names of products"));
    assert!(column.grade_before.number() < 3, "{column:?}");
    assert!(plan.columns().all(|other| other.name == column.name || other.not_personal.is_none()));
}

#[test]
fn nothing_that_a_header_names_is_suggested_as_kept() {
    let mut csv = "name,ssn,latitude,lng,lat,geohash,经度\n".to_owned();
    (0..40).for_each(|row| {
        csv.push_str(&format!("Item {row} x,123-45-67{row:02},31.2304{row:02},121.4{row:02},3{row:02},wtw3sjq{row:02},{row}.5\n"))
    });
    let world = World::of(csv.as_bytes());
    for release in [ReleaseModel::Enclave, ReleaseModel::Controlled] {
        let text = suggest(&world.findings, release);
        // All but rounded places are left out.
        let of = |column: &str| text.split_once(&format!("[columns.\"{column}\"]\n")).unwrap().1.split("\n\n").next().unwrap().trim();
        for column in ["name", "ssn", "geohash"] {
            assert_eq!(of(column), "technique = \"suppress\"", "{text}");
        }
        for (column, to) in [("latitude", "\"0.01\""), ("lng", "\"0.02\""), ("lat", "20"), ("经度", "2")] {
            assert!(of(column).starts_with(&format!("technique = \"round\"\nto = {to}\n")), "{column}: {text}");
        }
        assert_eq!(world.said(&text), "OK", "{text}");
    }
}
