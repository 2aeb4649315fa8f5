//! The faults that other tests inject really happen: each kind, at each kind of call, and among threads.
#![cfg(unix)]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "faults/mod.rs"]
mod inject;

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use inject::{Calls, Faults, What};

/// What [`write_sync_rename`] does in its folder.
const LOG: [&str; 17] = [
    "1 mkdir sub 0",
    "2 create one.part 0",
    "3 write one.part 2048",
    "4 fsync one.part 0",
    "5 rename one 0",
    "6 fsync . 0",
    "7 create two 0",
    "8 ftruncate two 0",
    "9 pwrite two 4096",
    "10 fdatasync two 0",
    "11 pwrite two 4096",
    "12 fdatasync two 0",
    "13 writev two 1536",
    "14 link three 0",
    "15 unlink two 0",
    "16 rmdir sub 0",
    "17 fsync . 0",
];

/// A child: says on stdout how each of its steps ended.
#[test]
#[ignore = "a child process of the tests below"]
fn write_sync_rename() {
    let Some(folder) = std::env::var_os("FOLDER") else { return };
    let at = |name: &str| Path::new(&folder).join(name);
    let told = |step: u64, done: std::io::Result<()>| match done {
        Ok(()) => println!("step {step}: done"),
        Err(error) => println!("step {step}: {}", error.raw_os_error().unwrap_or(-1)),
    };
    let sync_folder = || File::open(&folder).unwrap().sync_all();
    told(1, fs::create_dir(at("sub")));
    let Ok(mut one) = File::create(at("one.part")).inspect_err(|error| println!("step 2: {}", error.raw_os_error().unwrap())) else {
        return;
    };
    told(3, one.write_all(&[1; 2048]));
    told(4, one.sync_all());
    told(5, fs::rename(at("one.part"), at("one")));
    told(6, sync_folder());
    let Ok(mut two) = File::create(at("two")).inspect_err(|error| println!("step 7: {}", error.raw_os_error().unwrap())) else { return };
    told(8, two.set_len(8192));
    told(9, two.write_all_at(&[2; 4096], 0));
    told(10, two.sync_data());
    told(11, two.write_all_at(&[3; 4096], 4096));
    told(12, two.sync_data());
    let pieces = [std::io::IoSlice::new(&[4; 1024]), std::io::IoSlice::new(&[5; 512])];
    told(13, two.write_vectored(&pieces).map(|written| assert_eq!(written, 1536)));
    told(14, fs::hard_link(at("two"), at("three")));
    told(15, fs::remove_file(at("two")));
    told(16, fs::remove_dir(at("sub")));
    told(17, sync_folder());
}

/// Steps and how they ended: 0 or the number of an error.
fn steps(out: &str) -> Vec<(u64, i32)> {
    let step = |line: &str| {
        let (step, ended) = line.strip_prefix("step ")?.split_once(": ")?;
        Some((step.parse().unwrap(), if ended == "done" { 0 } else { ended.parse().unwrap() }))
    };
    out.lines().filter_map(step).collect()
}

/// The steps that failed.
fn failed(out: &str) -> Vec<(u64, i32)> {
    steps(out).into_iter().filter(|(_, ended)| *ended != 0).collect()
}

fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.len())
}

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

struct Bench {
    faults: Faults,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Option<Self> {
        Some(Self { faults: Faults::build()?, folder: tempfile::tempdir().unwrap() })
    }

    /// The child in an empty folder of its own.
    fn child(&self, test: &str) -> inject::Faulty {
        let work = self.folder.path().join("work");
        let _ = fs::remove_dir_all(&work);
        fs::create_dir(&work).unwrap();
        self.faults.test(test, &work).env("FOLDER", &work)
    }

    fn steps(&self) -> inject::Faulty {
        self.child("write_sync_rename")
    }

    fn has(&self, name: &str) -> Option<u64> {
        length(&self.folder.path().join("work").join(name))
    }
}

#[test]
fn every_call_is_counted_once_and_by_its_class() {
    let Some(bench) = Bench::new() else { return };
    let ran = bench.steps().run();
    assert!(ran.status.success(), "{}", ran.told());
    assert_eq!(ran.log, LOG, "{}", ran.told());
    assert_eq!((ran.calls, ran.struck, failed(&ran.out)), (17, None, vec![]));
    for (calls, expected) in [(Calls::All, 17), (Calls::Writes, 4), (Calls::Syncs, 5), (Calls::Names, 7), (Calls::Space, 10)] {
        assert_eq!(bench.steps().calls(calls).count(), expected, "{calls:?}");
    }
    // What lies elsewhere does not count, though its name begins alike.
    let other = bench.folder.path().join("wor");
    assert_eq!(bench.faults.test("write_sync_rename", &other).env("FOLDER", bench.folder.path()).count(), 0);
}

#[test]
fn a_kill_ends_it_before_or_after_the_call() {
    let Some(bench) = Bench::new() else { return };
    for n in 1..=17 {
        for (what, done) in [(What::Kill, n - 1), (What::KillAfter, n)] {
            let ran = bench.steps().at(n, what).run();
            assert!(ran.was_killed() && ran.struck == Some(n) && ran.calls == n, "{what:?} at {n}: {}", ran.told());
            let is = |path: &str, from: u64, to: u64| {
                assert_eq!(bench.has(path).is_some(), (from..to).contains(&done), "{what:?} at {n}: {path}")
            };
            is("sub", 1, 16);
            is("one.part", 2, 5);
            is("one", 5, 99);
            is("two", 7, 15);
            is("three", 14, 99);
            let lengths = [(2, 0), (3, 2048), (5, 2048)];
            for (from, length) in lengths.into_iter().filter(|(from, _)| *from == done) {
                assert_eq!(bench.has(if from < 5 { "one.part" } else { "one" }), Some(length), "{what:?} at {n}");
            }
        }
    }
}

#[test]
fn a_torn_write_leaves_whole_sectors_and_never_all() {
    let Some(bench) = Bench::new() else { return };
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..40 {
        let ran = bench.steps().at(3, What::Torn(seed)).run();
        assert!(ran.was_killed(), "{}", ran.told());
        lengths.insert(bench.has("one.part").unwrap());
        // The same seed tears at the same place.
        let length = bench.has("one.part");
        bench.steps().calls(Calls::Writes).at(1, What::Torn(seed)).run();
        assert_eq!(bench.has("one.part"), length);
    }
    assert_eq!(Vec::from_iter(lengths), [0, 512, 1024, 1536]);
    // At an offset, and over pieces.
    let contents = |n, seed| {
        assert!(bench.steps().at(n, What::Torn(seed)).run().was_killed());
        fs::read(bench.folder.path().join("work/two")).unwrap()
    };
    let second: std::collections::BTreeSet<_> = (0..40).map(|seed| contents(11, seed).iter().filter(|byte| **byte == 3).count()).collect();
    assert_eq!(Vec::from_iter(second), (0..8).map(|sectors| 512 * sectors).collect::<Vec<_>>());
    let pieces: std::collections::BTreeSet<_> = (0..40)
        .map(|seed| {
            let bytes = contents(13, seed);
            (bytes.iter().filter(|byte| **byte == 4).count(), bytes.iter().filter(|byte| **byte == 5).count())
        })
        .collect();
    assert_eq!(Vec::from_iter(pieces), [(0, 0), (512, 0), (1024, 0)]);
    // Another call than a write is not made.
    assert!(bench.steps().at(5, What::Torn(1)).run().was_killed());
    assert_eq!((bench.has("one.part"), bench.has("one")), (Some(2048), None));
}

#[test]
fn an_error_comes_once_or_for_good() {
    let Some(bench) = Bench::new() else { return };
    for n in (1..=17).filter(|n| ![2, 7].contains(n)) {
        let ran = bench.steps().at(n, What::Eio).run();
        // What the rest does about a file that is not there is its own affair.
        assert_eq!((failed(&ran.out)[0], ran.struck), ((n, EIO), Some(n)), "{}", ran.told());
    }
    let ran = bench.steps().at(4, What::Eio).run();
    assert_eq!(failed(&ran.out), [(4, EIO)]);
    let ran = bench.steps().at(4, What::EioSticky).run();
    assert_eq!(failed(&ran.out), [(4, EIO), (6, EIO), (10, EIO), (12, EIO), (17, EIO)], "{}", ran.told());
    // From a write on, every sync.
    let ran = bench.steps().calls(Calls::Writes).at(2, What::EioSticky).run();
    assert_eq!(failed(&ran.out), [(9, EIO), (10, EIO), (12, EIO), (17, EIO)], "{}", ran.told());
}

#[test]
fn a_full_disk_fails_what_needs_room() {
    let Some(bench) = Bench::new() else { return };
    let ran = bench.steps().at(9, What::Enospc).run();
    assert_eq!((failed(&ran.out), ran.struck), (vec![(9, ENOSPC)], Some(9)), "{}", ran.told());
    let ran = bench.steps().calls(Calls::Space).at(2, What::Enospc).run();
    assert_eq!(failed(&ran.out), [(2, ENOSPC)], "{}", ran.told());
    // A sync needs no room, and is no strike.
    let ran = bench.steps().at(4, What::Enospc).run();
    assert_eq!((failed(&ran.out), ran.struck), (vec![], None), "{}", ran.told());
    // The disk stays full; what makes room still works.
    let ran = bench.steps().at(8, What::EnospcSticky).run();
    let expected = [(8, ENOSPC), (9, ENOSPC), (11, ENOSPC), (13, ENOSPC), (14, ENOSPC)];
    assert_eq!(failed(&ran.out), expected, "{}", ran.told());
    assert_eq!((bench.has("two"), bench.has("sub")), (None, None));
}

const THREADS: u64 = 8;
const ROUNDS: u64 = 50;

#[test]
#[ignore = "a child process of the test below"]
fn write_from_threads() {
    let Some(folder) = std::env::var_os("FOLDER") else { return };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let path = Path::new(&folder).join(thread.to_string());
            scope.spawn(move || {
                let mut file = File::create(path).unwrap();
                for _ in 0..ROUNDS {
                    file.write_all(&[7; 100]).unwrap();
                    let _ = file.sync_data();
                }
            });
        }
    });
}

#[test]
fn threads_share_one_count() {
    let Some(bench) = Bench::new() else { return };
    let child = || bench.child("write_from_threads");
    assert_eq!(child().count(), THREADS * (1 + 2 * ROUNDS));
    for n in [1, 100, 400] {
        let ran = child().calls(Calls::Writes).at(n, What::Kill).run();
        assert!(ran.was_killed() && ran.struck == Some(n), "{}", ran.told());
        // Others may have been counted at that moment; none that came later got through.
        let written: u64 = (0..THREADS).filter_map(|thread| bench.has(&thread.to_string())).sum();
        assert!((n..n + THREADS).contains(&ran.calls) && written / 100 < n + THREADS, "{written} bytes, {} calls", ran.calls);
    }
    let ran = child().calls(Calls::Syncs).at(3, What::EioSticky).run();
    assert!(ran.status.success() && ran.struck == Some(3), "{}", ran.told());
}

#[test]
#[ignore = "a child process of the test below"]
fn tell_the_time() {
    println!("time {}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
}

#[test]
fn the_clock_is_what_it_is_told_to_be() {
    let Some(bench) = Bench::new() else { return };
    const YEAR_S: i64 = 365 * 24 * 3600;
    for shift in [-YEAR_S, 0, YEAR_S] {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
        let ran = bench.child("tell_the_time").clock(shift).run();
        let told: i64 = ran.out.lines().find_map(|line| line.split_once("time ")).unwrap().1.parse().unwrap();
        assert!((0..60).contains(&(told - now - shift)), "{told} for {now} and {shift}");
    }
}
