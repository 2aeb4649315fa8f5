//! What a holder has seen: kept with its signatures, lost by no parallel thread or process, and a proof when it contradicts.
#![cfg(all(feature = "csv", feature = "embedded"))]
#![allow(clippy::unwrap_used, missing_docs)]

mod fixed;
#[cfg(unix)]
#[path = "faults/mod.rs"]
mod inject;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fixed::{certificate, checkpoint, genesis, key, signed, time};
use usufruct::envelope::Signed;
use usufruct::holder::{Remembered, SeenError, SeenFile};
use usufruct::id::{Digest, LedgerId};
use usufruct::key::{PublicKey, Signer as _};
use usufruct::ledger::{Checkpoint, GateCertificate, origin_of};
use usufruct::receipt::{Fork, ReceiptError, SignedCheckpoint};
use usufruct::right::Seen;

const THREADS: u8 = 16;
const PROCESSES: u8 = 4;
const ROUNDS: u64 = 25;

fn owner() -> PublicKey {
    key("owner").public().clone()
}

/// A gate certificate for a ledger that nothing else knows.
fn certificate_of(ledger: LedgerId) -> Signed<GateCertificate> {
    signed(GateCertificate { ledger, gate: key("gate").public().clone(), not_before: time(0), not_after: time(100), number: 0 }, "owner")
}

fn note(ledger: LedgerId, size: u64, branch: &str, signer: &str) -> String {
    let root = *Digest::of(format!("{size} {branch}").as_bytes()).as_bytes();
    Checkpoint::new(&origin_of(ledger), size, root).unwrap().sign(&key(signer)).unwrap()
}

fn seen(ledger: LedgerId, size: u64, branch: &str) -> SignedCheckpoint {
    SignedCheckpoint::verify(certificate_of(ledger).bytes(), &note(ledger, size, branch, "gate"), &owner()).unwrap()
}

fn ledger(number: u8) -> LedgerId {
    LedgerId::from_bytes([number; 32])
}

/// As [`seen`], of a gate that another owner certified for the same ledger.
fn seen_under_another(ledger: LedgerId, size: u64, branch: &str) -> SignedCheckpoint {
    let certificate = signed(certificate_of(ledger).value().clone(), "gate");
    SignedCheckpoint::verify(certificate.bytes(), &note(ledger, size, branch, "gate"), key("gate").public()).unwrap()
}

/// The path of the file beside a key that need not be there.
fn key_in(folder: &Path) -> PathBuf {
    folder.join("holder.key")
}

fn sizes(key: &Path) -> Vec<(LedgerId, u64)> {
    let mut found: Vec<_> = SeenFile::beside(key).unwrap().iter().map(|line| (line.ledger(), line.seen().size)).collect();
    found.sort();
    found
}

/// What each of many does: checkpoints of one ledger that all share, and of one of its own.
fn remember_many(key: &Path, own: u8, many: u8) {
    for round in 0..ROUNDS {
        let mut file = SeenFile::beside(key).unwrap();
        file.remember(&seen(ledger(0), round * u64::from(many) + u64::from(own), "")).unwrap();
        file.remember(&seen(ledger(own), round + 1, "")).unwrap();
    }
}

fn check_many(key: &Path, many: u8) {
    let own = (1..=many).map(|own| (ledger(own), ROUNDS));
    let all: Vec<_> = std::iter::once((ledger(0), ROUNDS * u64::from(many))).chain(own).collect();
    assert_eq!(sizes(key), all);
    let file = SeenFile::beside(key).unwrap();
    assert!(file.iter().all(|line| line.verify(&owner()).unwrap().is_some()));
}

/// Whoever comes first, and whatever the sizes: each owner has a line, and only its own contradicts it.
#[test]
fn owners_of_one_ledger_have_a_line_each() {
    let id = ledger(1);
    let (owner, other) = (owner().id(), key("gate").public().id());
    for (size, others) in [(5, 5), (5, 9), (9, 5)] {
        for other_first in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("holder.key.seen");
            let (honest, forged) = (seen(id, size, ""), seen_under_another(id, others, "forged"));
            let mut file = SeenFile::open(&path).unwrap();
            for checkpoint in if other_first { [&forged, &honest] } else { [&honest, &forged] } {
                file.remember(checkpoint).unwrap();
            }
            let read = SeenFile::open(&path).unwrap();
            assert_eq!((read.under(id, owner), read.under(id, other)), (Some(honest.seen()), Some(forged.seen())));
            file.remember(&seen(id, 12, "")).unwrap();
            assert_eq!((file.under(id, owner).unwrap().size, file.under(id, other)), (12, Some(forged.seen())));
            assert!(matches!(file.remember(&seen(id, 12, "fork")), Err(SeenError::Fork { .. })));
            assert_eq!(file.under(ledger(2), owner), None);
        }
    }
}

#[test]
fn sixteen_threads_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_in(folder.path());
    std::thread::scope(|scope| {
        for own in 1..=THREADS {
            let key = &key;
            scope.spawn(move || remember_many(key, own, THREADS));
        }
    });
    check_many(&key, THREADS);
}

#[test]
#[ignore = "a child process of the test below"]
fn remember_in_a_process() {
    let Some(folder) = std::env::var_os("SEEN_FOLDER") else { return };
    let own = std::env::var("SEEN_OWN").unwrap().parse().unwrap();
    remember_many(&key_in(Path::new(&folder)), own, PROCESSES);
}

#[test]
fn four_processes_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let spawn = |own: u8| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "remember_in_a_process"]).stdin(Stdio::null()).stdout(Stdio::null());
        command.env("SEEN_FOLDER", folder.path()).env("SEEN_OWN", own.to_string()).spawn().unwrap()
    };
    let children: Vec<_> = (1..=PROCESSES).map(spawn).collect();
    assert!(children.into_iter().all(|mut child| child.wait().unwrap().success()));
    check_many(&key_in(folder.path()), PROCESSES);
}

#[test]
fn a_lock_that_is_tidied_away_still_serves() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_in(folder.path());
    let lock = folder.path().join("holder.key.seen.lock");
    std::thread::scope(|scope| {
        for own in 1..=THREADS {
            let key = &key;
            scope.spawn(move || remember_many(key, own, THREADS));
        }
        // Between two holders of the lock it may go at any time; while one holds it, its removal lets a second in, which
        // this does not test.
        for _ in 0..200 {
            if let Ok(file) = fs::File::open(&lock)
                && file.try_lock().is_ok()
            {
                let _ = fs::remove_file(&lock);
            }
        }
    });
    check_many(&key, THREADS);
}

#[test]
fn only_later_checkpoints_replace_earlier_ones() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_in(folder.path());
    let (one, two) = (ledger(1), ledger(2));
    let mut file = SeenFile::beside(&key).unwrap();
    assert_eq!(file.of(one), None);
    for (ledger, size) in [(one, 5), (two, 3), (one, 4), (one, 9), (one, 9)] {
        file.remember(&seen(ledger, size, "")).unwrap();
    }
    assert_eq!(sizes(&key), [(one, 9), (two, 3)]);
    assert_eq!(SeenFile::beside(&key).unwrap().of(one), Some(seen(one, 9, "").seen()));
    // What another handle wrote meanwhile stays.
    let mut stale = SeenFile::beside(&key).unwrap();
    file.remember(&seen(two, 7, "")).unwrap();
    stale.remember(&seen(one, 10, "")).unwrap();
    assert_eq!(sizes(&key), [(one, 10), (two, 7)]);
    assert_eq!(stale.of(two).unwrap().size, 7);
}

#[cfg(unix)]
#[test]
fn all_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut file = SeenFile::beside(&key_in(folder.path())).unwrap();
    file.remember(&seen(ledger(1), 5, "")).unwrap();
    file.remember(&seen(ledger(1), 5, "other")).unwrap_err();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["holder.key.seen", "holder.key.seen.fork", "holder.key.seen.lock"]);
}

#[test]
fn a_fork_is_found_and_proved_to_a_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holder.key.seen");
    let mut file = SeenFile::open(&path).unwrap();
    file.remember(&seen(ledger(1), 5, "one")).unwrap();
    file.remember(&seen(ledger(2), 5, "one")).unwrap();
    for _ in 0..3 {
        let error = file.remember(&seen(ledger(1), 5, "two")).unwrap_err();
        let SeenError::Fork { fork, evidence } = &error else { panic!("{error}") };
        assert_eq!((fork.first().seen(), fork.second().seen()), (seen(ledger(1), 5, "one").seen(), seen(ledger(1), 5, "two").seen()));
        assert_eq!(evidence.as_ref().unwrap(), &folder.path().join("holder.key.seen.fork"));
        assert!(error.to_string().contains("signed two roots of its first 5 entries"), "{error}");
    }
    // The first stays, the evidence is kept once, and the owner's key alone proves it.
    assert_eq!(SeenFile::open(&path).unwrap().of(ledger(1)), Some(seen(ledger(1), 5, "one").seen()));
    let lines = Remembered::read_all(&fs::read(folder.path().join("holder.key.seen.fork")).unwrap()).unwrap();
    let [one, two] = &lines[..] else { panic!("{} lines", lines.len()) };
    let verified = |line: &Remembered| line.verify(&owner()).unwrap().unwrap();
    assert!(Fork::of(&verified(one), &verified(two)).is_some());
    assert!(one.verify(key("holder").public()).is_err());
    // Another fork is added.
    file.remember(&seen(ledger(2), 5, "two")).unwrap_err();
    assert_eq!(Remembered::read_all(&fs::read(folder.path().join("holder.key.seen.fork")).unwrap()).unwrap().len(), 4);
    // After a new certificate the old note still counts.
    let renewed = signed(
        GateCertificate { ledger: ledger(1), gate: key("holder").public().clone(), not_before: time(50), not_after: time(200), number: 1 },
        "owner",
    );
    let other = SignedCheckpoint::verify(renewed.bytes(), &note(ledger(1), 5, "two", "holder"), &owner()).unwrap();
    assert!(matches!(file.remember(&other), Err(SeenError::Fork { evidence: Ok(_), .. })));
    // Nothing is a fork that is no contradiction.
    for (one, other) in [
        (seen(ledger(1), 5, ""), seen(ledger(1), 5, "")),
        (seen(ledger(1), 5, ""), seen(ledger(1), 6, "")),
        (seen(ledger(1), 5, ""), seen(ledger(2), 5, "other")),
    ] {
        assert!(Fork::of(&one, &other).is_none());
    }
}

#[test]
fn a_fork_is_told_even_where_its_evidence_cannot_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = SeenFile::beside(&key_in(folder.path())).unwrap();
    file.remember(&seen(ledger(1), 5, "one")).unwrap();
    fs::write(folder.path().join("holder.key.seen.fork"), "torn").unwrap();
    let error = file.remember(&seen(ledger(1), 5, "two")).unwrap_err();
    assert!(matches!(&error, SeenError::Fork { evidence: Err(why), .. } if matches!(**why, SeenError::Line { line: 1 })), "{error}");
    assert_eq!(fs::read(folder.path().join("holder.key.seen.fork")).unwrap(), b"torn");
}

#[test]
fn lines_of_earlier_versions_are_read_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holder.key.seen");
    let of = |size| {
        let Seen { size, root } = seen(ledger(1), size, "").seen();
        format!("{} {size} {root}\n", ledger(1))
    };
    fs::write(&path, of(5)).unwrap();
    let mut file = SeenFile::open(&path).unwrap();
    assert_eq!(file.of(ledger(1)), Some(seen(ledger(1), 5, "").seen()));
    assert!(file.iter().next().unwrap().verify(&owner()).unwrap().is_none());
    // It contradicts, and proves nothing: the file stays.
    let error = file.remember(&seen(ledger(1), 5, "other")).unwrap_err();
    assert!(matches!(error, SeenError::Unproven { size: 5, .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), of(5));
    assert!(!folder.path().join("holder.key.seen.fork").exists());
    // A smaller one changes nothing; the same or a later one brings signatures.
    file.remember(&seen(ledger(1), 4, "")).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), of(5));
    for size in [5, 6] {
        fs::write(&path, of(5)).unwrap();
        file.remember(&seen(ledger(1), size, "")).unwrap();
        let file = SeenFile::open(&path).unwrap();
        assert_eq!(file.iter().next().unwrap().verify(&owner()).unwrap().unwrap().seen().size, size);
    }
}

#[test]
fn forged_checkpoints_are_refused() {
    let (one, owner) = (ledger(1), owner());
    let good = certificate_of(one);
    assert!(SignedCheckpoint::verify(good.bytes(), &note(one, 5, "", "gate"), &owner).is_ok());
    let refused = |certificate: &[u8], note: &str| SignedCheckpoint::verify(certificate, note, &owner).unwrap_err();
    // Of another key, another ledger, another size; under a certificate of another owner or ledger, or none.
    for note in
        [note(one, 5, "", "holder"), note(ledger(2), 5, "", "gate"), note(one, 5, "", "gate").replacen("\n5\n", "\n6\n", 1), String::new()]
    {
        assert!(matches!(refused(good.bytes(), &note), ReceiptError::Checkpoint), "{note}");
    }
    let others = Signed::sign(good.value().clone(), &key("holder")).unwrap();
    assert!(matches!(refused(others.bytes(), &note(one, 5, "", "gate")), ReceiptError::Certificate(_)));
    assert!(matches!(refused(b"", &note(one, 5, "", "gate")), ReceiptError::Certificate(_)));
    assert!(matches!(refused(certificate_of(ledger(2)).bytes(), &note(one, 5, "", "gate")), ReceiptError::Checkpoint));
}

#[test]
fn a_torn_or_damaged_file_is_refused_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holder.key.seen");
    let mut file = SeenFile::open(&path).unwrap();
    let unsigned = format!("{} 3 {}\n", ledger(3), Digest::of(b""));
    fs::write(&path, &unsigned).unwrap();
    for number in 1..=2 {
        file.remember(&seen(ledger(number), 5, "")).unwrap();
    }
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
    assert_eq!(ends.len(), 3);
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let lines = ends.iter().filter(|end| **end <= cut).count();
        match SeenFile::open(&path) {
            Ok(file) => assert!((cut == 0 || ends.contains(&cut)) && file.iter().count() == lines, "cut at {cut}"),
            Err(error) => assert!(matches!(error, SeenError::Line { line } if line == lines + 1), "cut at {cut}: {error}"),
        }
    }
    // A change of any bit of a signed line is refused, by its form or by its signatures.
    for bit in 8 * ends[0]..8 * whole.len() {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match Remembered::read_all(&changed) {
            Ok(lines) => assert!(lines.iter().any(|line| line.verify(&owner()).is_err()), "bit {bit}"),
            Err(error) => assert!(matches!(error, SeenError::Line { .. }), "{error}"),
        }
    }
    let id = ledger(1);
    let root = Digest::of(b"");
    for (line, text) in [
        (1, "x\n".to_owned()),
        (1, "\n".to_owned()),
        (1, format!("{id} 0 {root}\n")),
        (1, format!("{id} +1 {root}\n")),
        (1, format!("{id} 01 {root}\n")),
        (1, format!("{id} 1 {root} \n")),
        (1, format!("{id} 1 {root} AA==\n")),
        (1, format!("{id} 1 {root} AA== AA== AA==\n")),
        (1, format!("{id}  1 {root}\n")),
        (1, format!("{id} 1 {root}\r\n")),
        (2, format!("{unsigned}\u{1}\n{unsigned}")),
        (2, format!("{unsigned}{id} 1 {root}")),
    ] {
        fs::write(&path, &text).unwrap();
        let error = SeenFile::open(&path).unwrap_err();
        assert!(matches!(error, SeenError::Line { line: found } if found == line), "{text:?}: {error}");
        assert!(file.remember(&seen(ledger(1), 9, "")).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "what is not understood is not replaced");
    }
    fs::write(&path, [&unsigned.as_bytes()[..3], &[0xff, b'\n']].concat()).unwrap();
    assert!(matches!(SeenFile::open(&path), Err(SeenError::Line { line: 1 })));
    let signed = format!("{}\n", Remembered::from(&seen(ledger(3), 7, "")));
    for twice in [unsigned.repeat(2), signed.repeat(2), format!("{unsigned}{signed}"), format!("{signed}{unsigned}")] {
        fs::write(&path, twice).unwrap();
        assert!(matches!(SeenFile::open(&path), Err(SeenError::Twice { line: 2 })));
    }
    fs::write(&path, vec![b'\n'; (16 << 20) + 1]).unwrap();
    assert!(matches!(SeenFile::open(&path), Err(SeenError::Length { limit: 0x0100_0000 })));
}

#[cfg(unix)]
#[test]
#[ignore = "a child process of the test below"]
fn remember_once() {
    let Some(folder) = std::env::var_os("SEEN_FOLDER") else { return };
    let mut file = SeenFile::beside(&key_in(Path::new(&folder))).unwrap();
    let later = file.remember(&seen(ledger(1), 9, ""));
    let fork = file.remember(&seen(ledger(2), 5, "other"));
    println!("later {} fork {}", later.is_ok(), matches!(fork, Err(SeenError::Fork { evidence: Ok(_), .. })));
}

/// The process dies, the disk fails or is full at every call in turn: the file is the old or the new one, what was said to be
/// remembered is, and the next time goes well.
#[cfg(unix)]
#[test]
fn no_failure_of_a_disk_harms_it() {
    use inject::{Faults, What};
    let Some(faults) = Faults::build() else { return };
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("keys");
    let child = || {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let mut file = SeenFile::beside(&key_in(&folder)).unwrap();
        file.remember(&seen(ledger(1), 5, "")).unwrap();
        file.remember(&seen(ledger(2), 5, "")).unwrap();
        faults.test("remember_once", &folder).env("SEEN_FOLDER", &folder)
    };
    let calls = child().count();
    assert!(calls >= 10, "{calls}");
    for n in 1..=calls {
        for what in [What::Kill, What::KillAfter, What::Torn(n), What::Eio, What::EioSticky, What::Enospc, What::EnospcSticky] {
            let ran = child().at(n, what).run();
            let told = || format!("{what:?} at {n}: {}", ran.told());
            let mut file = SeenFile::beside(&key_in(&folder)).unwrap_or_else(|error| panic!("{error}, {}", told()));
            let size = file.of(ledger(1)).unwrap().size;
            assert!([5, 9].contains(&size) && file.of(ledger(2)) == Some(seen(ledger(2), 5, "").seen()), "{}", told());
            assert!(!ran.out.contains("later true") || size == 9, "{}", told());
            let evidence =
                |folder: &Path| fs::read(folder.join("holder.key.seen.fork")).map(|bytes| Remembered::read_all(&bytes).unwrap().len());
            assert!(!ran.out.contains("fork true") || evidence(&folder).is_ok_and(|lines| lines == 2), "{}", told());
            file.remember(&seen(ledger(1), 10, "")).unwrap();
            assert!(matches!(file.remember(&seen(ledger(2), 5, "other")), Err(SeenError::Fork { evidence: Ok(_), .. })), "{}", told());
            assert_eq!(evidence(&folder).unwrap(), 2, "{}", told());
        }
    }
}

/// The example of `docs/receipt.md`.
#[test]
fn the_line_of_the_docs_is_this_one() {
    let seen = SignedCheckpoint::verify(certificate().bytes(), &checkpoint(), &owner()).unwrap();
    let line = format!("{}\n", Remembered::from(&seen));
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/artefacts/holder.key.seen");
    assert_eq!(fs::read_to_string(kept).unwrap(), line);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/receipt.md")).unwrap();
    let (_, block) = page.split_once("```seen\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    // The page breaks the line at its blanks and within base64.
    assert_eq!(block.split_whitespace().collect::<String>(), line.split_whitespace().collect::<String>());
    assert_eq!(Remembered::read_all(line.as_bytes()).unwrap()[0].seen().size, 7);
    assert_eq!(seen.ledger(), genesis().ledger_id());
}
