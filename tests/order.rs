//! Rows that wait on the disk for their order, and a process that is killed meanwhile: nothing of them is left.
#![cfg(all(unix, feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use usufruct::Policy;
use usufruct::desensitise::{KeyRing, Run, Target};
use usufruct::grade::Recognisers;
use usufruct::id::Time;
use usufruct::table::{FileOptions, FileSource, Format};

const ROWS: usize = 30_000;
const CANARY: &str = "kanarienvogel";

/// Sorts and shuffles with hardly any memory.
fn run(folder: &Path, order: &str) {
    let source = FileSource::open(folder.join("in.csv"), &FileOptions::default()).unwrap();
    let policy = format!("release = \"enclave\"\norder = \"{order}\"\n[default]\ntechnique = \"keep\"");
    let (keys, recognisers) = (KeyRing::default(), Arc::new(Recognisers::builtin()));
    let mut run = Run { threads: 2, recognisers, signer: None, now: Time::from_unix_s(0), progress: &mut |_| ControlFlow::Continue(()) };
    let target = Target { force: true, ..Target::new(folder.join("out.csv"), Format::Csv) };
    let report = Policy::parse(&policy).unwrap().bind(&keys).with_held_bytes(60_000).apply(&source, &target, &mut run).unwrap();
    assert_eq!(report.rows_written, ROWS as u64);
}

#[test]
#[ignore = "a child process of the test below"]
fn runs_to_be_killed() {
    let Some(folder) = std::env::var_os("ORDER_FOLDER") else { return };
    ["shuffled", "by_output"].iter().for_each(|order| run(Path::new(&folder), order));
}

/// What is in the folder but the source, the target and its parts, which are as private as it is.
fn others(folder: &Path) -> Vec<(String, u64)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = files.map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().len()));
    named.filter(|(name, _)| name != "in.csv" && !name.trim_start_matches('.').starts_with("out.csv")).collect()
}

#[test]
fn a_kill_leaves_no_row_that_waited() {
    const KILLS: u32 = 40;
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..ROWS).map(|n| format!("{},{CANARY}\n", (n * 7_919) % ROWS)).collect();
    fs::write(folder.path().join("in.csv"), format!("n,text\n{rows}")).unwrap();
    let child = || {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "--ignored", "runs_to_be_killed"]).env("ORDER_FOLDER", folder.path());
        child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let begun = Instant::now();
    assert!(child().wait().unwrap().success());
    let whole = begun.elapsed();
    let mut finished = 0;
    for kill in 0..KILLS {
        let mut child = child();
        std::thread::sleep(whole * kill / KILLS);
        let _ = child.kill();
        finished += u32::from(child.wait().unwrap().success());
        // Between the making of a file and the loss of its name there is an empty one.
        assert!(others(folder.path()).iter().all(|(name, len)| name.starts_with(".spill-") && *len == 0), "{:?}", others(folder.path()));
    }
    assert!(finished < KILLS / 2, "{finished} runs were not killed");
    assert!(child().wait().unwrap().success());
    let out = fs::read_to_string(folder.path().join("out.csv")).unwrap();
    assert!(out.lines().skip(1).is_sorted() && out.lines().count() == ROWS + 1 && out.matches(CANARY).count() == ROWS);
    assert!(!fs::read_dir(folder.path()).unwrap().any(|entry| entry.unwrap().path().extension().is_some_and(|end| end == "part")));
}
