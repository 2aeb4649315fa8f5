//! What no record can change is refused before the first is read, by the library and by the command line.
#![cfg(all(unix, feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;

use usufruct::Policy;
use usufruct::desensitise::{ApplyError, DesensitiseReport, KeyRing, Objection, PrfAlgorithm, Run, Target};
use usufruct::file::OutputError;
use usufruct::grade::Recognisers;
use usufruct::id::{ColumnName, Digest, Name, Time};
use usufruct::open_data;
use usufruct::random::SystemRandom;
use usufruct::table::{ColumnKind, Format, RecordBatches, RecordSource, SinkError, TableColumn, TableError, TableSchema};

/// A source that has columns and lets nobody read.
struct Unread(TableSchema);

impl RecordSource for Unread {
    fn schema(&self) -> &TableSchema {
        &self.0
    }

    fn version(&self) -> Result<String, TableError> {
        Ok("1".to_owned())
    }

    fn read(&self) -> Result<RecordBatches<'_>, TableError> {
        panic!("records are read")
    }

    fn digest(&self) -> Result<Digest, TableError> {
        panic!("records are hashed")
    }
}

fn source() -> Unread {
    let column = |name: &str| TableColumn { name: ColumnName::new(name).unwrap(), kind: ColumnKind::Text };
    Unread(TableSchema::new(["id", "birth", "city"].map(column).into()).unwrap())
}

fn keys() -> KeyRing {
    let name = |text| Name::new(text).unwrap();
    KeyRing::generate(&mut SystemRandom::new().unwrap(), name("k"), PrfAlgorithm::AesCmac, name("tests"))
}

fn opened(policy: &str, target: &Target) -> Result<DesensitiseReport, ApplyError> {
    let mut progress = |_| panic!("the survey begins");
    let recognisers = Arc::new(Recognisers::builtin());
    let mut run = Run { threads: 2, recognisers, signer: None, now: Time::from_unix_s(0), progress: &mut progress };
    let (keys, policy) = (keys(), Policy::parse(policy).unwrap());
    open_data::open(&policy.bind(&keys), &source(), target, &mut run)
}

/// What is said of a policy, by the run and before it, in a folder where nothing is left.
fn said(policy: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let Err(ApplyError::Refused(objections)) = opened(policy, &Target::new(folder.path().join("out.csv"), Format::Csv)) else {
        panic!("not refused: {policy}")
    };
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(Policy::parse(policy).unwrap().objections_beforehand(source().schema(), &keys()), objections);
    objections.iter().map(ToString::to_string).collect()
}

const SHIFT: &str = "technique = \"date_shift\"\ndays = 365";

#[test]
fn a_policy_that_no_record_can_save_is_refused_unread() {
    let suppress = "[default]\ntechnique = \"suppress\"\nreplace = \"*\"\n";
    let enclave = format!("release = \"enclave\"\n{suppress}");
    let cases: &[(String, &[&str])] = &[
        (
            "release = \"enclave\"\n[columns.city]\ntechnique = \"keep\"".to_owned(),
            &["column id: the policy says nothing", "column birth: the policy says nothing"],
        ),
        (format!("{enclave}[columns.ghost]\ntechnique = \"keep\""), &["column ghost: the file has no such column"]),
        ("release = \"enclave\"\n[default]\ntechnique = \"suppress\"".to_owned(), &["no column leaves"]),
        (format!("release = \"public\"\norder = \"shuffled\"\n{suppress}"), &["release = \"public\" needs an anonymity statement"]),
        (format!("release = \"controlled\"\n{suppress}"), &["release = \"controlled\" needs order = \"shuffled\" or \"by_output\""]),
        (
            format!("{enclave}[columns.id]\ntechnique = \"pseudonym\"\nkey = \"ghost\""),
            &["column id: key \"ghost\": there is no key ghost"],
        ),
        (
            format!("{enclave}[columns.id]\ntechnique = \"pseudonym\"\nkey = \"k\"\nkey_version = 7"),
            &["column id: key \"k\": there is no key k of version 7"],
        ),
        (
            format!("{enclave}[columns.birth]\n{SHIFT}\nkey = \"k\"\nsubject = \"ghost\""),
            &["column birth: its subject ghost is not another column"],
        ),
        (
            format!("{enclave}[columns.birth]\n{SHIFT}\nkey = \"k\"\nsubject = \"birth\""),
            &["column birth: its subject birth is not another column"],
        ),
        // All at once.
        (
            format!(
                "release = \"public\"\n[columns.ghost]\ntechnique = \"keep\"\n[columns.birth]\n{SHIFT}\nkey = \"other\"\nsubject = \"nobody\""
            ),
            &[
                "release = \"public\" needs an anonymity statement",
                "release = \"public\" needs order",
                "column ghost: the file has no such column",
                "column id: the policy says nothing",
                "column birth: its subject nobody is not another column",
                "column birth: key \"other\": there is no key other",
                "column city: the policy says nothing",
            ],
        ),
    ];
    for (policy, expected) in cases {
        let found = said(policy);
        assert_eq!(found.len(), expected.len(), "{policy}: {found:#?}");
        for (found, expected) in found.iter().zip(*expected) {
            assert!(found.starts_with(expected), "{policy}: {found}");
        }
    }
}

#[test]
fn an_enclave_has_its_own_way_in() {
    let (keys, policy) = (keys(), Policy::parse("release = \"enclave\"").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut progress = |_| ControlFlow::Break(());
    let mut run =
        Run { threads: 1, recognisers: Arc::new(Recognisers::builtin()), signer: None, now: Time::from_unix_s(0), progress: &mut progress };
    let failed = policy.bind(&keys).apply(&source(), &Target::new(folder.path().join("out.csv"), Format::Csv), &mut run).unwrap_err();
    let ApplyError::Refused(objections) = failed else { panic!("{failed}") };
    assert!(objections.iter().all(|objection| matches!(objection, Objection::NoSection { .. })) && objections.len() == 3);
}

#[test]
fn a_target_that_cannot_be_is_refused_unread() {
    let policy = "release = \"enclave\"\n[default]\ntechnique = \"keep\"";
    let folder = tempfile::tempdir().unwrap();
    let target = |name: &str| Target::new(folder.path().join(name), Format::Csv);
    for stands in ["out.csv", "out.csv.manifest", "out.csv.opening"] {
        fs::write(folder.path().join(stands), "theirs").unwrap();
        let failed = opened(policy, &target("out.csv")).unwrap_err();
        assert!(matches!(&failed, ApplyError::Output(OutputError::TargetExists { target }) if target.ends_with(stands)), "{failed}");
        assert_eq!(fs::read(folder.path().join(stands)).unwrap(), b"theirs");
        fs::remove_file(folder.path().join(stands)).unwrap();
    }
    let failed = opened(policy, &target("none/out.csv")).unwrap_err();
    assert!(matches!(failed, ApplyError::Output(OutputError::Failed { .. })), "{failed}");
    let failed = opened(policy, &Target { delimiter: b'"', ..target("out.csv") }).unwrap_err();
    assert!(matches!(failed, ApplyError::Sink(SinkError::Delimiter { delimiter: b'"' })), "{failed}");
    #[cfg(not(feature = "parquet"))]
    {
        let failed = opened(policy, &Target { format: Format::Parquet, ..target("out.csv") }).unwrap_err();
        assert!(matches!(failed, ApplyError::Sink(SinkError::NotBuilt { format: Format::Parquet })), "{failed}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The first record is broken: whoever reads it says so.
#[cfg(feature = "cli")]
#[test]
fn the_command_line_reads_nothing_either() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.csv"), "id,birth,city\n1\n").unwrap();
    let run = |args: &[&str]| {
        let done = std::process::Command::new(env!("CARGO_BIN_EXE_usufruct")).args(args).current_dir(folder.path()).output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let keyed = "release = \"controlled\"\norder = \"shuffled\"\n[default]\ntechnique = \"pseudonym\"\nkey = \"ghost\"\n";
    fs::write(folder.path().join("keyed.toml"), keyed).unwrap();
    fs::write(folder.path().join("good.toml"), "release = \"enclave\"\n[default]\ntechnique = \"keep\"\n").unwrap();
    for verb in [&["policy", "check", "keyed.toml", "in.csv"][..], &["desensitise", "in.csv", "--policy", "keyed.toml", "-o", "out.csv"]] {
        let (code, said) = run(verb);
        assert_eq!(code, Some(3), "{said}");
        assert_eq!(said.matches("there is no key ghost").count(), 3, "{said}");
    }
    // Told apart from what a reading says.
    let (code, said) = run(&["desensitise", "in.csv", "--policy", "good.toml", "-o", "out.csv"]);
    assert!(code == Some(2) && said.contains("3 fields expected, 1 found"), "{said}");
    fs::write(folder.path().join("out.csv"), "theirs").unwrap();
    let (code, said) = run(&["desensitise", "in.csv", "--policy", "good.toml", "-o", "out.csv"]);
    assert!(code == Some(2) && said.contains("exists"), "{said}");
}
