//! Rows in another order: every order equally often, whatever goes over the disk, and what a broken disk does.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use proptest::prelude::*;

use super::*;
use crate::random::RecordedRandom;

type Row = (Option<String>, i64);

fn batch(rows: &[Row]) -> Desensitised {
    let texts: ArrayRef = Arc::new(rows.iter().map(|row| row.0.as_deref()).collect::<StringArray>());
    let numbers: ArrayRef = Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>());
    Desensitised::of_test(RecordBatch::try_from_iter_with_nullable([("text", texts, true), ("number", numbers, true)]).unwrap())
}

fn numbered(count: i64, text: &str) -> Vec<Row> {
    (0..count).map(|n| (Some(text.to_owned()), n)).collect()
}

/// So few bytes that rows go to disk, and parts that go there again.
fn place(folder: &Path, most: usize, parts: usize) -> HeldRows {
    let rows = HeldRows::new(batch(&[]).batch().schema_ref(), SpillTarget::Folder(folder.to_owned()), most).unwrap();
    HeldRows { parts, ..rows }
}

fn pushed<'a>(mut held: Held<'a>, rows: &[Row]) -> Result<Held<'a>, SpillError> {
    rows.chunks(7).try_for_each(|rows| held.push(&held.encoding().encode(&batch(rows)).unwrap()))?;
    Ok(held)
}

fn left(held: Held<'_>) -> Result<Vec<Row>, ApplyError> {
    let mut out = Vec::new();
    held.finish(&mut || Ok(()), &mut |rows| {
        let texts = rows.batch().column(0).as_string::<i32>().iter().map(|text| text.map(str::to_owned));
        out.extend(texts.zip(rows.batch().column(1).as_primitive::<Int64Type>().values().iter().copied()));
        Ok(())
    })?;
    Ok(out)
}

fn orders(rows: i64, most: usize, runs: usize, seed: &str) -> BTreeMap<Vec<i64>, u32> {
    let folder = tempfile::tempdir().unwrap();
    let mut random = RecordedRandom::from_seed(seed);
    let mut counts = BTreeMap::new();
    for _ in 0..runs {
        let held = pushed(place(folder.path(), most, 2).shuffled(&mut random), &numbered(rows, "")).unwrap();
        assert_eq!(matches!(held.order, Order::Shuffled(_, Some(_))), most < 1_000);
        let order = left(held).unwrap().into_iter().map(|row| row.1).collect();
        *counts.entry(order).or_insert(0) += 1;
    }
    counts
}

/// Pearson's statistic of counts that should be equal.
fn chi2(counts: impl ExactSizeIterator<Item = u32> + Clone) -> f64 {
    let each = f64::from(counts.clone().sum::<u32>()) / counts.len() as f64;
    counts.map(|count| (f64::from(count) - each).powi(2) / each).sum()
}

#[test]
fn every_order_comes_equally_often_in_memory_and_over_the_disk() {
    // No row, one row, two rows of a part fit: with two parts, four rows are scattered again and again.
    for most in [0, 30, 60, 1 << 20] {
        let counts = orders(4, most, 24 * 400, &format!("four rows in {most} bytes"));
        // 23 degrees of freedom: above 73.6 with probability 3e-7.
        assert!(counts.len() == 24 && chi2(counts.values().copied()) < 73.6, "{most}: {counts:?}");
    }
}

#[test]
fn every_row_comes_equally_often_to_every_place() {
    const ROWS: usize = 40;
    let counts = orders(40, 150, 4_000, "forty rows");
    let mut places = vec![0; ROWS * ROWS];
    for (order, count) in counts {
        order.iter().enumerate().for_each(|(place, row)| places[place * ROWS + usize::try_from(*row).unwrap()] += count);
    }
    // Rows and columns sum up to the number of runs: 39 * 39 degrees of freedom, above 1_811 with probability 3e-7.
    let statistic = chi2(places.into_iter());
    assert!((1_250.0..1_811.0).contains(&statistic), "{statistic}");
}

#[test]
fn no_row_is_lost_whatever_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = RecordedRandom::from_seed("sizes");
    let mut rows = numbered(3_000, "x");
    // Larger than the memory, than a chunk, than a batch; two of them together.
    for (at, len) in [(100, 1 << 20), (101, 17 << 20), (102, 17 << 20), (2_999, 300 << 10)] {
        rows[at].0 = Some("y".repeat(len));
    }
    rows[7].0 = None;
    let held = pushed(place(folder.path(), 50_000, 3).shuffled(&mut random), &rows).unwrap();
    let mut shuffled = left(held).unwrap();
    assert_ne!(shuffled, rows);
    shuffled.sort_unstable_by_key(|row| row.1);
    assert!(shuffled == rows);
    let mut sorted = left(pushed(place(folder.path(), 50_000, 3).by_output(), &rows).unwrap()).unwrap();
    assert!(sorted.is_sorted());
    sorted.sort_unstable_by_key(|row| row.1);
    assert!(sorted == rows);
}

proptest! {
    #[test]
    fn by_output_is_the_same_whatever_fits_in_memory(
        rows in prop::collection::vec((prop::option::of("[\u{0}\u{1}\u{2}a-c]{0,3}"), -3i64..3), 0..200),
        most in 0usize..3_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut sorted = rows.clone();
        sorted.sort();
        for most in [most, 1 << 20] {
            prop_assert_eq!(&left(pushed(place(folder.path(), most, 2).by_output(), &rows).unwrap()).unwrap(), &sorted);
        }
    }
}

#[test]
fn rows_in_memory_need_no_disk_and_rows_on_it_have_no_name() {
    let rows = numbered(2_000, &"secret".repeat(200));
    let mut random = RecordedRandom::from_seed("names");
    let nowhere = Path::new("/none/such");
    assert!(left(pushed(place(nowhere, 1 << 30, 2).shuffled(&mut random), &rows).unwrap()).is_ok());
    assert!(left(pushed(place(nowhere, 1 << 30, 2).by_output(), &rows).unwrap()).is_ok());
    let failed = pushed(place(nowhere, 1_000, 2).by_output(), &rows).err();
    assert_eq!(failed, Some(SpillError::Create(ErrorKind::NotFound)));

    let folder = tempfile::tempdir().unwrap();
    let held = pushed(place(folder.path(), 1_000, 2).shuffled(&mut random), &rows).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // Linux shows the files of a process; of other tests there may be more.
    #[cfg(target_os = "linux")]
    {
        let inside = |path: &Path| fs::read_link(path).is_ok_and(|link| link.starts_with(folder.path()));
        let open: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path()).filter(|path| inside(path)).collect();
        assert_eq!(open.len(), 1, "{open:?}");
        let found = fs::metadata(&open[0]).unwrap();
        assert_eq!((found.mode() & 0o7777, found.nlink()), (0o600, 0));
        assert!(found.len() > 1 << 20);
        let bytes = fs::read(&open[0]).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"secret"));
    }
    assert_eq!(left(held).unwrap().len(), rows.len());
}

/// Rows on a file that the test has too: few enough that there is no second file, which would be the same.
fn onto(file: &File) -> HeldRows {
    HeldRows { target: SpillTarget::Open(file.try_clone().unwrap()), ..place(Path::new(""), 700_000, 2) }
}

#[test]
fn a_flipped_bit_or_a_cut_ends_the_run() {
    let rows = numbered(4_000, &"t".repeat(200));
    let mut random = RecordedRandom::from_seed("flips");
    let file = tempfile::tempfile().unwrap();
    let whole = left(pushed(onto(&file).by_output(), &rows).unwrap()).unwrap();
    assert_eq!(whole.len(), rows.len());
    let bytes = file.metadata().unwrap().len();
    for at in [0, bytes / 3, bytes - 1] {
        for shuffled in [false, true] {
            let file = tempfile::tempfile().unwrap();
            let held = if shuffled { onto(&file).shuffled(&mut random) } else { onto(&file).by_output() };
            let held = pushed(held, &rows).unwrap();
            let mut was = [0];
            let at = at.min(file.metadata().unwrap().len() - 1);
            file.read_exact_at(&mut was, at).unwrap();
            file.write_all_at(&[was[0] ^ 0x10], at).unwrap();
            assert!(matches!(left(held), Err(ApplyError::Spill(SpillError::Damaged))), "byte {at}");
        }
    }
    let file = tempfile::tempfile().unwrap();
    let held = pushed(onto(&file).shuffled(&mut random), &rows).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    assert!(matches!(left(held), Err(ApplyError::Spill(SpillError::Read(ErrorKind::UnexpectedEof)))));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_ends_the_run() {
    let rows = numbered(4_000, &"t".repeat(200));
    let full = OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
    let mut random = RecordedRandom::from_seed("full");
    let failed = Some(SpillError::Write(ErrorKind::StorageFull));
    assert_eq!(pushed(onto(&full).by_output(), &rows).err(), failed);
    assert_eq!(pushed(onto(&full).shuffled(&mut random), &rows).err(), failed);
}

#[test]
fn who_is_asked_whether_to_go_on_can_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let rows = numbered(4_000, &"t".repeat(300));
    let mut random = RecordedRandom::from_seed("ends");
    for most in [1_000, 1 << 30] {
        let mut asked = 0;
        let mut no = || {
            asked += 1;
            Err(ApplyError::Cancelled)
        };
        let held = pushed(place(folder.path(), most, 2).shuffled(&mut random), &rows).unwrap();
        assert!(matches!(held.finish(&mut no, &mut |_| panic!("nothing leaves")), Err(ApplyError::Cancelled)));
        assert_eq!(asked, 1);
    }
}
