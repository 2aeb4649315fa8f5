//! The journal on a simulated disk: every crash, every flipped byte, full disks, two writers.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

use super::simulated::{After, Failure, Simulated};
use super::*;
use crate::ledger::tree::tests::hex;
use crate::random::{Random, RecordedRandom};
use proptest::prelude::*;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};

const ID: [u8; 16] = [0x11; 16];

fn small() -> JournalOptions {
    JournalOptions::default().segment_bytes(8 << 10).unwrap()
}

fn create(disk: &Simulated) -> Result<Journal, JournalError> {
    Journal::create_on(Box::new(disk.clone()), ID, small())
}

fn open(disk: &Simulated) -> Result<(Journal, Vec<Vec<u8>>), JournalError> {
    let mut entries = Vec::new();
    let journal = Journal::open_on(Box::new(disk.clone()), small(), collect(&mut entries))?;
    Ok((journal, entries))
}

fn read(disk: &Simulated) -> Result<(JournalSummary, Vec<Vec<u8>>), JournalError> {
    let mut entries = Vec::new();
    let summary = Journal::read_only_on(disk, collect(&mut entries))?;
    Ok((summary, entries))
}

/// Checks that indices count up from 0.
fn collect(entries: &mut Vec<Vec<u8>>) -> impl FnMut(u64, &[u8]) {
    |index, entry| {
        assert_eq!(index, entries.len() as u64);
        entries.push(entry.to_vec());
    }
}

fn append(journal: &mut Journal, batch: &[Vec<u8>]) -> Result<u64, JournalError> {
    let entries: Vec<_> = batch.iter().map(Vec::as_slice).collect();
    journal.append(&entries)
}

fn below(random: &mut RecordedRandom, limit: u64) -> u64 {
    random.next_u64() % limit
}

fn some_batch(random: &mut RecordedRandom) -> Vec<Vec<u8>> {
    let count = 1 + below(random, 4);
    (0..count)
        .map(|_| {
            let longest = [4, 40, 400, 1_500][below(random, 4) as usize];
            // Zeros and ones only: a sector of content that is zero must not pass for one that was never written.
            (0..below(random, longest)).map(|_| (below(random, 2)) as u8).collect()
        })
        .collect()
}

/// Four batches: one and seven sectors in the first segment, nine and two in the second.
fn sample() -> (Simulated, Vec<Vec<u8>>) {
    let disk = Simulated::new("sample");
    let mut journal = create(&disk).unwrap();
    let batches = [vec![b"one".to_vec(), vec![]], vec![vec![0; 3_000]], vec![vec![7; 4_000]], vec![b"three".to_vec(), vec![0xff; 700]]];
    for batch in &batches {
        append(&mut journal, batch).unwrap();
    }
    assert_eq!(disk.names().unwrap().len(), 2);
    (disk, batches.concat())
}

#[test]
fn after_any_crash_what_was_acknowledged_is_there_and_nothing_half() {
    let (mut crashes, mut whole, mut gone, mut segments, mut full) = (0, 0, 0, 0, 0);
    for seed in 0..1_500 {
        let disk = Simulated::new(&format!("disk {seed}"));
        let random = &mut RecordedRandom::from_seed(&format!("calls {seed}"));
        let mut created = false;
        let mut acknowledged: Vec<Vec<u8>> = Vec::new();
        let mut in_doubt: Vec<Vec<u8>> = Vec::new();
        for _ in 0..8 {
            let failure = [Failure::Crash, Failure::Crash, Failure::Error, Failure::NoSpace][below(random, 4) as usize];
            // Half of the failures come early, in the middle of opening.
            let most = if below(random, 2) == 0 { 6 } else { 40 };
            disk.plan(Some((below(random, most), failure)));
            // A creation that was not acknowledged may have come to its end.
            let exists = created || disk.names().unwrap().contains(&segment_name(0));
            let opened = if exists { open(&disk) } else { create(&disk).map(|journal| (journal, Vec::new())) };
            let mut reopen = After::Kill;
            match opened {
                Ok((mut journal, entries)) => {
                    if exists {
                        check_recovered(&mut acknowledged, &mut in_doubt, &entries, seed, &mut whole, &mut gone);
                    }
                    created = true;
                    assert_eq!(journal.entries(), acknowledged.len() as u64);
                    for _ in 0..12 {
                        let batch = some_batch(random);
                        match append(&mut journal, &batch) {
                            Ok(first) => {
                                assert_eq!(first, acknowledged.len() as u64);
                                acknowledged.extend(batch);
                            }
                            Err(JournalError::NoSpace { .. }) => full += 1,
                            Err(error) => {
                                assert!(matches!(error, JournalError::Io { .. }), "{error}");
                                assert!(matches!(append(&mut journal, &batch), Err(JournalError::Poisoned)));
                                in_doubt = batch;
                                break;
                            }
                        }
                    }
                    segments = segments.max(journal.segment);
                }
                Err(JournalError::Io { .. } | JournalError::NoSpace { .. }) => {
                    assert!(disk.failed(), "nothing had failed yet");
                    if !disk.is_dead() {
                        // A sync that failed while opening: see "Not promised" in docs/ledger.md.
                        reopen = After::PowerLoss;
                    }
                }
                Err(error) => panic!("seed {seed}: open refused: {error}"),
            }
            if reopen == After::Kill && below(random, 3) > 0 {
                reopen = After::PowerLoss;
            }
            crashes += 1;
            disk.reboot(reopen);
        }
        if created {
            let (summary, entries) = read(&disk).unwrap();
            check_recovered(&mut acknowledged, &mut in_doubt, &entries, seed, &mut whole, &mut gone);
            assert_eq!(summary.entries, entries.len() as u64);
        }
    }
    println!("{crashes} crashes: in doubt {whole} whole and {gone} gone, up to {segments} segments, {full} times full");
    assert!(whole > 500 && gone > 500 && segments > 3 && full > 100);
}

fn check_recovered(
    acknowledged: &mut Vec<Vec<u8>>,
    in_doubt: &mut Vec<Vec<u8>>,
    entries: &[Vec<u8>],
    seed: u32,
    whole: &mut u32,
    gone: &mut u32,
) {
    if !in_doubt.is_empty() {
        if entries.len() > acknowledged.len() {
            acknowledged.append(in_doubt);
            *whole += 1;
        } else {
            in_doubt.clear();
            *gone += 1;
        }
    }
    assert!(*acknowledged == entries, "seed {seed}: {} entries, expected {}", entries.len(), acknowledged.len());
}

#[test]
fn every_flipped_byte_is_refused_or_stands_where_nothing_is() {
    let (disk, expected) = sample();
    let (mut refused, mut unused) = (0, 0);
    for name in [segment_name(0), segment_name(1)] {
        let bytes = disk.bytes(&name);
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let last = name == segment_name(1);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff, bytes[at]].into_iter().filter(|flip| *flip != 0) {
                let mut flipped = bytes.clone();
                flipped[at] ^= flip;
                disk.put(&name, Some(&flipped));
                match open(&disk) {
                    Err(JournalError::Damaged { .. }) => refused += 1,
                    Err(error) => panic!("{name} {at} {flip}: {error}"),
                    // Behind the sector where the next batch would start, and with no batch there.
                    Ok((_, entries)) => {
                        assert!(last && at >= used + SECTOR_BYTES, "{name} {at} {flip}");
                        assert_eq!(entries, expected, "{name} {at} {flip}");
                        assert_eq!(disk.bytes(&name), bytes, "opening cleans it");
                        unused += 1;
                    }
                }
            }
        }
        disk.put(&name, Some(&bytes));
    }
    println!("{refused} refused, {unused} in unused zeros");
    assert!(refused > 30_000 && unused > 4_000);
    assert_eq!(open(&disk).unwrap().1, expected);
}

/// The message that a change of the two segments is refused with.
fn refusal(change: impl FnOnce(&mut Vec<u8>, &mut Vec<u8>)) -> String {
    let (disk, _) = sample();
    let (mut first, mut second) = (disk.bytes(&segment_name(0)), disk.bytes(&segment_name(1)));
    change(&mut first, &mut second);
    disk.put(&segment_name(0), Some(&first));
    disk.put(&segment_name(1), Some(&second));
    let message = open(&disk).unwrap_err().to_string();
    assert_eq!(read(&disk).unwrap_err().to_string(), message);
    assert_eq!((disk.bytes(&segment_name(0)), disk.bytes(&segment_name(1))), (first, second), "a refusal changes nothing");
    message
}

#[test]
fn damage_is_named_with_its_place() {
    const S: usize = SECTOR_BYTES;
    let damaged = "the journal is damaged: segment";
    for (message, expected) in [
        (refusal(|first, _| first.truncate(7 << 10)), "0, byte 32: expected a segment of 8192 bytes, found 7168"),
        (refusal(|first, _| first.extend([0; S])), "0, byte 32: expected a segment of 8192 bytes, found 8704"),
        (refusal(|_, second| second.truncate(100)), "1, byte 0: expected a segment of 512 bytes, found 100"),
        (refusal(|_, second| second.truncate(0)), "1, byte 0: expected a segment of 512 bytes, found 0"),
        (refusal(|_, second| second.fill(0)), "1, byte 511: expected the marker 0x3c of a written sector, found 0x00"),
        (refusal(|first, second| second.clone_from(first)), "1, byte 24: expected segment 1, found 0"),
        (refusal(std::mem::swap), "0, byte 24: expected segment 0, found 1"),
        // A sector that is lost from an acknowledged batch, with later ones behind it.
        (refusal(|first, _| first[S..2 * S].fill(0)), "0, byte 1024: expected zeros"),
        (refusal(|first, _| first[3 * S..4 * S].fill(0)), "0, byte 2047: expected the marker 0x5a of a written sector, found 0x00"),
        (refusal(|_, second| second[S..2 * S].fill(0)), "1, byte 5120: expected the end of the journal, found a later batch"),
        (refusal(|_, second| second[5 * S..6 * S].fill(0)), "1, byte 5120: expected the end of the journal, found a later batch"),
        // Whole batches, moved.
        (refusal(|first, _| first.copy_within(2 * S..9 * S, S)), "0, byte 520: expected batch 0, found 1"),
        (refusal(|first, _| first.copy_within(S..2 * S, 9 * S)), "0, byte 4616: expected batch 2, found 0"),
        (refusal(|first, _| first[2 * S..].fill(0)), "1, byte 40: expected batch 1, found 2"),
        (refusal(|first, _| first[6_001] = 1), "0, byte 6001: expected zeros"),
    ] {
        assert_eq!(message, format!("{damaged} {expected}"));
    }
}

#[test]
fn missing_foreign_and_misnamed_segments_are_refused() {
    let (disk, entries) = sample();
    let mut journal = open(&disk).unwrap().0;
    append(&mut journal, &[vec![1; 7_000]]).unwrap();
    append(&mut journal, &[vec![2; 7_000]]).unwrap();
    drop(journal);
    let middle = disk.bytes(&segment_name(1));
    disk.put(&segment_name(1), None);
    assert_eq!(open(&disk).unwrap_err().to_string(), "segment 1 is missing, there are later ones");

    // A segment of another journal, with the same history.
    let other = Simulated::new("other");
    let mut journal = Journal::create_on(Box::new(other.clone()), [0x22; 16], small()).unwrap();
    for entry in &entries {
        append(&mut journal, std::slice::from_ref(entry)).unwrap();
    }
    disk.put(&segment_name(1), Some(&other.bytes(&segment_name(1))));
    let message = open(&disk).unwrap_err().to_string();
    assert_eq!(message, "the journal is damaged: segment 1, byte 8: expected the journal id of the first segment");

    disk.put(&segment_name(1), Some(&middle));
    assert_eq!(open(&disk).unwrap().1.len(), entries.len() + 2);
    disk.put("copy.seg", Some(&middle));
    assert_eq!(open(&disk).unwrap_err().to_string(), "\"copy.seg\" is no segment of the journal: move it away");
    disk.put("copy.seg", None);
    disk.put("notes.txt", Some(b"not ours"));
    assert!(open(&disk).is_ok());
    assert!(matches!(create(&disk), Err(JournalError::Exists)));
    assert!(matches!(open(&Simulated::new("empty")), Err(JournalError::Missing)));
    assert!(matches!(read(&Simulated::new("empty")), Err(JournalError::Missing)));
}

#[test]
fn a_torn_tail_is_removed_and_an_acknowledged_batch_with_a_hole_before_others_is_not() {
    let (disk, mut expected) = sample();
    let bytes = disk.bytes(&segment_name(1));
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut torn = bytes.clone();
    torn[used - SECTOR_BYTES..used].fill(0);
    disk.put(&segment_name(1), Some(&torn));
    let (summary, _) = read(&disk).unwrap();
    assert!(summary.unfinished);
    let (mut journal, entries) = open(&disk).unwrap();
    expected.truncate(4);
    assert_eq!(entries[..], expected[..]);
    let clean = disk.bytes(&segment_name(1));
    assert!(clean[used - 2 * SECTOR_BYTES..].iter().all(|byte| *byte == 0));
    assert!(!read(&disk).unwrap().0.unfinished);
    append(&mut journal, &[b"again".to_vec()]).unwrap();
    drop(journal);
    assert_eq!(open(&disk).unwrap().1[4], b"again");

    // No sector is missing, so a wrong byte is damage, in the last batch too.
    torn[used - 2 * SECTOR_BYTES + 100] ^= 1;
    torn[used - SECTOR_BYTES..used].copy_from_slice(&bytes[used - SECTOR_BYTES..used]);
    disk.put(&segment_name(1), Some(&torn));
    assert!(matches!(open(&disk), Err(JournalError::Damaged { segment: 1, .. })));
}

#[test]
fn an_entry_cannot_imitate_a_batch() {
    let disk = Simulated::new("imitation");
    let mut journal = create(&disk).unwrap();
    append(&mut journal, &[b"before".to_vec()]).unwrap();
    // What batch 2 would look like, at every alignment of a torn batch 1.
    let chain = Chain { batch: 2, index: 2, hash: [3; 32] };
    let mut frame = Vec::new();
    frame::encode(&chain, &[b"later"], &mut Vec::new(), &mut frame);
    let mut bytes = disk.bytes(&segment_name(0));
    for shift in 0..SECTOR_BYTES {
        let entry = [vec![0; shift], frame.repeat(4)].concat();
        let mut later = Vec::new();
        frame::encode(&journal.chain, &[&entry], &mut Vec::new(), &mut later);
        bytes[2 * SECTOR_BYTES..].fill(0);
        bytes[3 * SECTOR_BYTES..][..later.len() - SECTOR_BYTES].copy_from_slice(&later[SECTOR_BYTES..]);
        disk.put(&segment_name(0), Some(&bytes));
        assert_eq!(open(&disk).unwrap().1, [b"before"], "shift {shift}");
    }
}

#[test]
fn limits_are_checked_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(&folder.path().join("a"), ID, JournalOptions::default()).unwrap();
    let longest = vec![7; ENTRY_BYTES_MAX];
    let over = vec![7; ENTRY_BYTES_MAX + 1];
    assert!(matches!(journal.append(&[]), Err(JournalError::EmptyBatch)));
    let refused = journal.append(&[&[1], &over]).unwrap_err();
    assert_eq!(refused.to_string(), "entry 1 of the batch has 65536 bytes, the limit is 65535");
    let mut batch = vec![longest.as_slice(); BATCH_BYTES_MAX / (4 + ENTRY_BYTES_MAX)];
    let rest = BATCH_BYTES_MAX - batch.len() * (4 + ENTRY_BYTES_MAX) - 4;
    batch.push(&longest[..rest + 1]);
    let refused = journal.append(&batch).unwrap_err();
    assert_eq!(refused.to_string(), "the batch has 4194305 bytes, the limit is 4194304");
    *batch.last_mut().unwrap() = &longest[..rest];
    assert_eq!(journal.append(&batch).unwrap(), 0);
    let mut seen = 0;
    let summary = Journal::read_only(&folder.path().join("a"), |_, entry| seen += entry.len() + 4).unwrap();
    assert_eq!((seen, summary.batches, summary.entries), (BATCH_BYTES_MAX, 1, batch.len() as u64));

    let disk = Simulated::new("limits");
    let mut journal = create(&disk).unwrap();
    let limit = small().batch_bytes_max();
    assert!(matches!(append(&mut journal, &[vec![0; limit - 3]]), Err(JournalError::BatchBytes { .. })));
    assert_eq!(append(&mut journal, &[vec![0; limit - 4]]).unwrap(), 0);
    assert_eq!(journal.offset, journal.segment_bytes);
    assert_eq!(append(&mut journal, &[vec![]]).unwrap(), 1);
    drop(journal);
    assert_eq!(open(&disk).unwrap().1, [vec![0; limit - 4], vec![]]);

    for wrong in [0, 512, 1_023, 1_025, SEGMENT_BYTES_MAX + 512] {
        assert!(JournalOptions::default().segment_bytes(wrong).is_err());
    }
    let least = JournalOptions::default().segment_bytes(SEGMENT_BYTES_MIN).unwrap();
    let mut journal = Journal::create(&folder.path().join("b"), ID, least).unwrap();
    for index in 0..5 {
        assert_eq!(journal.append(&[b"x"]).unwrap(), index);
    }
    assert_eq!(Journal::read_only(&folder.path().join("b"), |_, _| ()).unwrap().batches, 5);
}

#[test]
fn no_sector_of_an_acknowledged_batch_is_overwritten() {
    let disk = Simulated::new("overwritten");
    let mut random = RecordedRandom::from_seed("no_sector_of_an_acknowledged_batch_is_overwritten");
    let mut journal = create(&disk).unwrap();
    let mut before: Vec<Vec<u8>> = Vec::new();
    for round in 0..60 {
        append(&mut journal, &some_batch(&mut random)).unwrap();
        if round % 7 == 0 {
            drop(journal);
            journal = open(&disk).unwrap().0;
        }
        let now: Vec<_> = (0..=journal.segment).map(|number| disk.bytes(&segment_name(number))).collect();
        for (old, new) in before.iter().zip(&now) {
            for (old, new) in old.chunks(SECTOR_BYTES).zip(new.chunks(SECTOR_BYTES)) {
                assert!(frame::is_zero(old) || old == new);
            }
        }
        before = now;
    }
    assert!(before.len() > 3);
}

#[test]
fn an_error_poisons_and_a_full_disk_does_not() {
    for (at, poisons) in [(0, true), (1, true)] {
        let disk = Simulated::new("poison");
        let mut journal = create(&disk).unwrap();
        disk.plan(Some((at, Failure::Error)));
        let error = append(&mut journal, &[vec![1]]).unwrap_err();
        assert!(matches!(error, JournalError::Io { action: "write" | "sync", .. }), "{error}");
        assert_eq!(matches!(append(&mut journal, &[vec![1]]), Err(JournalError::Poisoned)), poisons);
        assert_eq!(format!("{journal:?}"), "Journal { entries: 0, batches: 0, segment: 0, poisoned: true, .. }");
    }
    let disk = Simulated::new("full");
    let mut journal = create(&disk).unwrap();
    append(&mut journal, &[vec![1; 4_000]]).unwrap();
    for at in 0..2 {
        disk.plan(Some((at, Failure::NoSpace)));
        let error = append(&mut journal, &[vec![2; 4_000]]).unwrap_err();
        assert_eq!(error.to_string(), "no room for segment 1 of 8192 bytes; the journal is unchanged");
        assert_eq!(disk.names().unwrap(), ["0000000000.seg"]);
    }
    assert_eq!(append(&mut journal, &[vec![3; 100]]).unwrap(), 1, "what fits the segment still goes");
    assert_eq!(append(&mut journal, &[vec![2; 4_000]]).unwrap(), 2);
    // An error there leaves a segment that never counted, and a handle that never counts again.
    disk.plan(Some((3, Failure::Error)));
    assert!(matches!(append(&mut journal, &[vec![4; 4_000]]), Err(JournalError::Io { action: "sync", .. })));
    assert!(matches!(append(&mut journal, &[vec![1]]), Err(JournalError::Poisoned)));
    drop(journal);
    assert_eq!(open(&disk).unwrap().1.len(), 3);
}

#[test]
fn the_files_are_private_and_preallocated() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut journal = Journal::create(&folder, ID, small()).unwrap();
    assert!(matches!(Journal::create(&folder, ID, small()), Err(JournalError::Exists)));
    for _ in 0..5 {
        append(&mut journal, &[vec![5; 3_000]]).unwrap();
    }
    assert_eq!((journal.id(), journal.entries(), journal.batches()), (&ID, 5, 5));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for number in 0..3 {
        let file = folder.join(segment_name(number));
        assert_eq!((mode(&file), file.metadata().unwrap().len()), (0o600, 8 << 10));
    }
    std::fs::write(folder.join("0000000003.seg.part"), b"unmade").unwrap();
    let summary = Journal::read_only(&folder, |_, _| ()).unwrap();
    assert!(folder.join("0000000003.seg.part").exists());
    drop(journal);
    let journal = Journal::open(&folder, small(), |_, _| ()).unwrap();
    assert_eq!((journal.entries(), journal.hash()), (summary.entries, &summary.hash));
    assert!(!folder.join("0000000003.seg.part").exists());
    assert!(matches!(Journal::open(&folder.join("none"), small(), |_, _| ()), Err(JournalError::Missing)));
}

#[test]
fn a_reader_beside_the_writer_sees_whole_batches_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), ID, small()).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut last, mut reads) = (0, 0);
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let mut count = 0;
                let summary = Journal::read_only(folder.path(), |index, entry| {
                    assert_eq!(entry, vec![index as u8; 600]);
                    count += 1;
                });
                assert_eq!(summary.unwrap().entries, count);
                assert!(count >= last && count % 2 == 0);
                (last, reads) = (count, reads + 1);
            }
            reads
        });
        for round in 0..400u32 {
            append(&mut journal, &[vec![(2 * round) as u8; 600], vec![(2 * round + 1) as u8; 600]]).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
}

/// The example of docs/ledger.md, byte for byte.
#[test]
fn the_example_in_the_docs() {
    let page = include_str!("../../../docs/ledger.md");
    let disk = Simulated::new("example");
    let id = std::array::from_fn(|i| i as u8);
    let options = JournalOptions::default().segment_bytes(2_048).unwrap();
    let mut journal = Journal::create_on(Box::new(disk.clone()), id, options).unwrap();
    journal.append(&[b"one", b"two"]).unwrap();
    let dump = dump(&disk.bytes(&segment_name(0)));
    assert!(page.contains(&dump), "docs/ledger.md lacks:\n{dump}");
    assert!(page.contains(&hex(journal.hash())));
}

/// 16 bytes a line with their offset; lines of zeros only are left out.
fn dump(bytes: &[u8]) -> String {
    let lines = bytes.chunks(16).enumerate().filter(|(_, line)| !frame::is_zero(line));
    lines.map(|(number, line)| format!("{:04x}  {}\n", number * 16, hex(line))).collect()
}

#[test]
fn a_journal_of_version_1_is_still_read() {
    let page = include_str!("../../../docs/ledger.md");
    let mut bytes = vec![0; 2_048];
    for line in page.lines() {
        let Some((offset, line)) = line.split_once("  ") else { continue };
        let (Ok(offset), 32) = (usize::from_str_radix(offset, 16), line.len()) else { continue };
        for (i, byte) in bytes[offset..offset + 16].iter_mut().enumerate() {
            *byte = u8::from_str_radix(&line[2 * i..2 * i + 2], 16).unwrap();
        }
    }
    let disk = Simulated::new("version 1");
    disk.put(&segment_name(0), Some(&bytes));
    assert_eq!(open(&disk).unwrap().1, [b"one", b"two"]);
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_a_fault(mut bytes in prop::collection::vec(any::<u8>(), 0..1_600), marked in any::<bool>()) {
        if marked && bytes.len() >= 512 {
            bytes[..8].copy_from_slice(b"ufbatch\x01");
            bytes[511] = 0xa5;
        }
        prop_assert!(Frame::decode(&bytes).is_err());
        let disk = Simulated::new("any");
        disk.put(&segment_name(0), Some(&bytes));
        prop_assert!(open(&disk).is_err());
    }

    #[test]
    fn a_frame_is_read_as_it_was_written(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 1..6),
        batch: u64, index in 0..u64::MAX - 6, hash: [u8; 32], at in any::<prop::sample::Index>(), bit in 0..8u32,
    ) {
        let slices: Vec<_> = entries.iter().map(Vec::as_slice).collect();
        let mut bytes = Vec::new();
        let next = frame::encode(&Chain { batch, index, hash }, &slices, &mut Vec::new(), &mut bytes);
        let frame = Frame::decode(&bytes).unwrap();
        prop_assert_eq!(frame.entries().collect::<Vec<_>>(), slices);
        prop_assert_eq!((frame.batch(), frame.first_index(), frame.previous(), frame.hash()), (batch, index, &hash, &next.hash));
        prop_assert_eq!(&frame.encode(), &bytes);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Frame::decode(&bytes).is_err());
        bytes.truncate(at);
        prop_assert!(Frame::decode(&bytes).is_err());
    }
}

/// `cargo test --release --lib journal::tests::rate -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn rate() {
    const ROUNDS: u32 = 4_000;
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let entry = [0x5a; 300];
    let raw = || {
        let file = std::fs::File::create_new(folder.path().join("raw")).unwrap();
        file.write_all_at(&vec![0; 16 << 20], 0).unwrap();
        file.sync_all().unwrap();
        let start = std::time::Instant::now();
        for round in 0..ROUNDS {
            file.write_all_at(&[0x77; 512], u64::from(round) * 512).unwrap();
            file.sync_data().unwrap();
        }
        let rate = f64::from(ROUNDS) / start.elapsed().as_secs_f64();
        std::fs::remove_file(folder.path().join("raw")).unwrap();
        rate
    };
    let journal = |batch: usize| {
        let path = folder.path().join(format!("{batch}"));
        let mut journal = Journal::create(&path, ID, JournalOptions::default()).unwrap();
        let entries = vec![&entry[..]; batch];
        let start = std::time::Instant::now();
        let rounds = ROUNDS / if batch > 64 { 8 } else { 1 };
        for _ in 0..rounds {
            journal.append(&entries).unwrap();
        }
        let rate = f64::from(rounds) * batch as f64 / start.elapsed().as_secs_f64();
        let start = std::time::Instant::now();
        let read = Journal::read_only(&path, |_, _| ()).unwrap().entries as f64 / start.elapsed().as_secs_f64();
        std::fs::remove_dir_all(path).unwrap();
        (rate, read)
    };
    println!("raw fdatasync of 512 bytes: {:.0}/s", raw());
    for batch in [1, 64, 1_024] {
        let (rate, read) = journal(batch);
        println!("entries of 300 bytes, {batch} a batch: {rate:.0}/s appended, {read:.0}/s read");
    }
    println!("raw fdatasync of 512 bytes: {:.0}/s", raw());
}

#[test]
fn one_writer_at_a_time_whatever_else_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("ledger");
    let mut journal = Journal::create(&folder, ID, small()).unwrap();
    append(&mut journal, &[vec![5; 7_000]]).unwrap();
    append(&mut journal, &[vec![5; 7_000]]).unwrap();
    let open = || Journal::open(&folder, small(), |_, _| ());
    assert!(matches!(open(), Err(JournalError::Locked)));
    assert_eq!(open().unwrap_err().to_string(), "another process has the journal open for writing: end it there first");
    assert_eq!(Journal::read_only(&folder, |_, _| ()).unwrap().entries, 2, "readers need no lock");
    append(&mut journal, &[vec![6]]).unwrap();
    drop(journal);
    let journal = open().unwrap();
    // What a child that was just forked still holds is waited for.
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        drop(journal);
    });
    assert_eq!(open().unwrap().entries(), 3);
    thread.join().unwrap();
}

#[test]
fn what_was_replaced_or_rolled_back_under_the_writer_is_found_before_it_writes() {
    let last = segment_name(1);
    let other = Simulated::new("other");
    Journal::create_on(Box::new(other.clone()), [0x22; 16], small()).unwrap();
    let copy = |disk: &Simulated, name: &str| disk.put(name, Some(&disk.bytes(name)));
    type Change<'a> = (&'a str, &'a dyn Fn(&Simulated));
    let changes: [Change<'_>; 8] = [
        ("the last segment is another file of the same bytes", &|disk| copy(disk, &last)),
        ("the locked segment is another file", &|disk| copy(disk, &segment_name(0))),
        ("the last segment is gone", &|disk| disk.put(&last, None)),
        ("a segment of another journal", &|disk| disk.put(&last, Some(&other.bytes(&segment_name(0))))),
        ("the last batch was taken back in place", &|disk| {
            let mut bytes = disk.bytes(&last);
            let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
            bytes[used - 2 * SECTOR_BYTES..used].fill(0);
            disk.overwrite(&last, &bytes);
        }),
        ("its last byte was changed", &|disk| {
            let mut bytes = disk.bytes(&last);
            let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
            bytes[used] ^= 1;
            disk.overwrite(&last, &bytes);
        }),
        ("another wrote a batch behind it", &|disk| {
            // The lock is that of a file which stands elsewhere now.
            let (first, bytes) = (disk.bytes(&segment_name(0)), disk.bytes(&last));
            let second = Simulated::new("second");
            second.put(&segment_name(0), Some(&first));
            second.put(&last, Some(&bytes));
            let mut journal = open(&second).unwrap().0;
            append(&mut journal, &[b"theirs".to_vec()]).unwrap();
            disk.overwrite(&last, &second.bytes(&last));
        }),
        ("the segment is shorter", &|disk| disk.overwrite(&last, &disk.bytes(&last)[..SECTOR_BYTES])),
    ];
    for (what, change) in changes {
        let (disk, _) = sample();
        let mut journal = open(&disk).unwrap().0;
        append(&mut journal, &[b"ours".to_vec()]).unwrap();
        change(&disk);
        let before = disk.names().unwrap().contains(&last).then(|| disk.bytes(&last));
        let error = append(&mut journal, &[b"more".to_vec()]).unwrap_err();
        assert!(matches!(error, JournalError::Replaced | JournalError::Io { action: "read", .. }), "{what}: {error}");
        assert!(matches!(append(&mut journal, &[b"more".to_vec()]), Err(JournalError::Poisoned)), "{what}");
        assert_eq!(disk.names().unwrap().contains(&last).then(|| disk.bytes(&last)), before, "{what}: nothing was written");
    }

    // A further segment that another has made is never written over.
    let (disk, _) = sample();
    let mut journal = open(&disk).unwrap().0;
    disk.put(&segment_name(2), Some(&disk.bytes(&last)));
    assert!(matches!(append(&mut journal, &[vec![1; 7_000]]), Err(JournalError::Replaced)));
}

#[test]
fn a_folder_that_was_moved_away_is_found() {
    let parent = tempfile::tempdir().unwrap();
    let (folder, away) = (parent.path().join("ledger"), parent.path().join("away"));
    let mut journal = Journal::create(&folder, ID, small()).unwrap();
    append(&mut journal, &[b"ours".to_vec()]).unwrap();
    // The same files in another folder: hard links, so that only the folder differs.
    std::fs::rename(&folder, &away).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::hard_link(away.join(segment_name(0)), folder.join(segment_name(0))).unwrap();
    assert!(matches!(append(&mut journal, &[b"more".to_vec()]), Err(JournalError::Replaced)));
    assert_eq!(Journal::read_only(&away, |_, _| ()).unwrap().entries, 1);

    let mut journal = {
        drop(journal);
        Journal::open(&folder, small(), |_, _| ()).unwrap()
    };
    append(&mut journal, &[b"ours".to_vec()]).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(append(&mut journal, &[b"more".to_vec()]), Err(JournalError::Replaced)));
}
