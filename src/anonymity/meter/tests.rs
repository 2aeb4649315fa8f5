//! Shares against those counted by hand, in little memory and in much.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, StringArray};
use proptest::prelude::*;

use super::super::{GapColumn, GapGroup};
use super::*;
use crate::value::DateOrder;

/// A subject, a text, a number, a decimal, a date of 28 days.
type Row = (Option<u8>, Option<u8>, Option<i64>, i64, Option<u8>);

const NAMES: [&str; 5] = ["who", "text", "number", "decimal", "date"];

fn name(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

/// Every fifth with one of three times.
fn date(day: u8) -> String {
    let time = if day.is_multiple_of(5) { format!(" 08:3{}", day % 3) } else { String::new() };
    format!("2024-02-{:02}{time}", day % 28 + 1)
}

/// What a shift leaves of it beside others: its day, and its time.
fn moment(day: u8) -> Left {
    (i32::from(day % 28), day.is_multiple_of(5).then_some(day % 3))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let who: ArrayRef = Arc::new(rows.iter().map(|row| row.0.map(|who| who.to_string())).collect::<StringArray>());
    // The empty text is as good as null.
    let text = |row: &Row| row.1.map(|text| if text == 0 { String::new() } else { "x".repeat(usize::from(text)) });
    let texts: ArrayRef = Arc::new(rows.iter().map(text).collect::<StringArray>());
    let numbers: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>());
    let decimals = rows.iter().map(|row| Some(i128::from(row.3))).collect::<Decimal128Array>();
    let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(38, 2).unwrap());
    let dates: ArrayRef = Arc::new(rows.iter().map(|row| row.4.map(date)).collect::<StringArray>());
    let columns = NAMES.into_iter().zip([who, texts, numbers, decimals, dates]).map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn asked(subject: bool) -> UniquenessAsked {
    let columns = vec![GapColumn { column: name("date"), order: None }];
    let group = |subject| GapGroup { subject, columns: columns.clone() };
    UniquenessAsked {
        subject: subject.then(|| name("who")),
        columns: ["text", "number", "decimal"].map(name).to_vec(),
        gaps: vec![group(Some(name("who"))), group(None)],
    }
}

/// Whose a row is: its subject's, or its own.
type Person = (usize, Option<u8>);

/// What a shift leaves of a date.
type Left = (i32, Option<u8>);

/// Values of a row on some of the three columns, and the time of its date as the fourth.
fn values(row: &Row, columns: &[usize]) -> Vec<Option<String>> {
    let all = [
        row.1.filter(|text| *text > 0).map(|text| text.to_string()),
        row.2.map(|number| number.to_string()),
        Some(row.3.to_string()),
        row.4.and_then(|day| moment(day).1).map(|time| time.to_string()),
    ];
    columns.iter().map(|column| all[*column].clone()).collect()
}

/// Whose a row is: its subject's, or its own.
fn person(rows: &[Row], at: usize, subject: bool) -> Person {
    match rows[at].0 {
        Some(who) if subject => (0, Some(who)),
        _ => (at + 1, None),
    }
}

fn persons(rows: &[Row], subject: bool) -> u64 {
    (0..rows.len()).map(|at| person(rows, at, subject)).collect::<BTreeSet<_>>().len() as u64
}

/// How many persons are unique, and how many records have values of one person alone.
fn by_hand(rows: &[Row], columns: &[usize], subject: bool) -> (u64, u64) {
    let mut who: BTreeMap<Vec<Option<String>>, Vec<Person>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        who.entry(values(row, columns)).or_default().push(person(rows, at, subject));
    }
    let alone: Vec<_> = who.into_values().filter(|who| who.iter().all(|other| *other == who[0])).collect();
    let records = alone.iter().map(Vec::len).sum::<usize>() as u64;
    (alone.into_iter().flatten().collect::<BTreeSet<_>>().len() as u64, records)
}

fn gaps_by_hand(rows: &[Row], subject: bool) -> u64 {
    let mut moments: BTreeMap<Person, Vec<Left>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        moments.entry(person(rows, at, subject)).or_default().extend(row.4.map(moment));
    }
    let mut sequences: BTreeMap<Vec<Left>, u64> = BTreeMap::new();
    for moments in moments.values_mut().filter(|moments| moments.len() > 1 || moments.iter().any(|moment| moment.1.is_some())) {
        // Times of one day stand in any order, but in the same for equal ones: that of a hash, so each is tried as a set here.
        moments.sort_unstable();
        let first = moments[0].0;
        *sequences.entry(moments.iter().map(|(day, time)| (day - first, *time)).collect()).or_default() += 1;
    }
    sequences.values().filter(|count| **count == 1).count() as u64
}

fn counted(rows: &[Row], subject: bool, at_once: usize, held_max: usize, slice_max: usize) -> Uniqueness {
    let folder = tempfile::tempdir().unwrap();
    let target = SpillTarget::Folder(folder.path().to_owned());
    let mut meter = UniquenessMeter::within(asked(subject), &NAMES, target, held_max, slice_max).unwrap();
    for rows in rows.chunks(at_once) {
        meter.take(meter.hasher().hash(&batch(rows)).unwrap()).unwrap();
    }
    meter.finish(3, &mut |_, _| ControlFlow::Continue(())).unwrap()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (prop::option::of(0u8..20), prop::option::of(0u8..5), prop::option::of(-9i64..30), 0i64..25, prop::option::of(0u8..40));
    prop::collection::vec(row, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn shares_are_those_counted_by_hand(
        rows in rows(),
        subject: bool,
        at_once in 1usize..20,
        held_max in prop_oneof![Just(0usize), Just(100), Just(1 << 20)],
        slice_max in prop_oneof![Just(1usize), Just(21), Just(1 << 20)],
    ) {
        let found = counted(&rows, subject, at_once, held_max, slice_max);
        let share = |columns: &[usize]| UniqueShare::of(by_hand(&rows, columns, subject).0, persons(&rows, subject));
        prop_assert_eq!(found.all, share(&[0, 1, 2, 3]));
        prop_assert_eq!(found.columns.iter().map(|column| column.share).collect::<Vec<_>>(), [share(&[0]), share(&[1]), share(&[2])]);
        prop_assert_eq!(&found.pairs, &[share(&[0, 1]), share(&[0, 2]), share(&[1, 2])]);
        let records = UniqueShare::of(by_hand(&rows, &[0, 1, 2, 3], subject).1, rows.len() as u64);
        prop_assert_eq!(found.records, subject.then_some(records));
        let gaps = |subject| UniqueShare::of(gaps_by_hand(&rows, subject), persons(&rows, subject));
        prop_assert_eq!(found.gaps.iter().map(|gaps| gaps.share).collect::<Vec<_>>(), [gaps(true), gaps(false)]);
        prop_assert_eq!(found.asked(), asked(subject));
    }
}

/// Half of all records have one value and one subject: they take no more memory than one of them.
#[test]
fn what_most_records_have_takes_no_memory() {
    let rows: Vec<Row> = (0..4_000u32)
        .map(|row| {
            let [low, high, ..] = (row % 1_000).to_le_bytes();
            let value = i64::from(high) * 256 + i64::from(low);
            if row % 2 == 0 { (Some(1), None, None, 0, None) } else { (Some(low % 20), Some(high), Some(value), value, None) }
        })
        .collect();
    for subject in [false, true] {
        let found = counted(&rows, subject, 500, 1 << 20, 64);
        assert_eq!(found.all, UniqueShare::of(by_hand(&rows, &[0, 1, 2, 3], subject).0, persons(&rows, subject)));
    }
}

#[test]
fn gaps_of_records_are_those_between_their_columns() {
    let dates = |days: [&'static str; 4]| -> ArrayRef { Arc::new(StringArray::from(days.to_vec())) };
    let columns = [
        ("a", dates(["2024-01-01", "01/02/2024", "2023-05-05", "2024-01-01"])),
        ("b", dates(["2024-01-31", "01/03/2024", "2023-06-04", ""])),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let gap = |column: &str| GapColumn { column: name(column), order: Some(DateOrder::Dmy) };
    let group = GapGroup { subject: None, columns: vec![gap("a"), gap("b")] };
    let asked = UniquenessAsked { gaps: vec![group], ..UniquenessAsked::default() };
    let mut meter = UniquenessMeter::new(asked, &["a", "b"], std::path::Path::new("/none")).unwrap();
    meter.take(meter.hasher().hash(&batch).unwrap()).unwrap();
    let found = meter.finish(1, &mut |_, _| ControlFlow::Continue(())).unwrap();
    // 30, 29, 30 days and none: the second and, among all, the last alone.
    assert_eq!((found.gaps[0].share, found.all), (UniqueShare::of(1, 4), UniqueShare::of(2, 4)));
}

#[test]
fn what_is_not_there_and_whoever_ends_it() {
    let asked = UniquenessAsked { columns: vec![name("none")], ..UniquenessAsked::default() };
    let folder = std::path::Path::new("/none");
    assert_eq!(UniquenessMeter::new(asked, &NAMES, folder).unwrap_err(), MeterError::NoColumn { column: name("none") });
    let meter = UniquenessMeter::new(super::super::UniquenessAsked { gaps: Vec::new(), ..self::asked(false) }, &NAMES, folder).unwrap();
    let flag: ArrayRef = Arc::new(arrow_array::BooleanArray::from(vec![true]));
    let other =
        RecordBatch::try_from_iter([("who", flag.clone()), ("text", flag.clone()), ("number", flag.clone()), ("decimal", flag)]).unwrap();
    assert_eq!(meter.hasher().hash(&other).unwrap_err(), MeterError::OtherColumns);
    assert_eq!(meter.finish(1, &mut |_, _| ControlFlow::Break(())).unwrap_err(), MeterError::Cancelled);
    // A folder that is not there is told only when something has to go there.
    let mut meter = UniquenessMeter::within(self::asked(false), &NAMES, SpillTarget::Folder(folder.to_owned()), 0, 9).unwrap();
    let rows = meter.hasher().hash(&batch(&[(Some(1), Some(1), Some(1), 1, Some(1))])).unwrap();
    meter.take(rows).unwrap();
    assert!(matches!(meter.finish(1, &mut |_, _| ControlFlow::Continue(())), Err(MeterError::Spill(SpillError::Create(_)))));
}
