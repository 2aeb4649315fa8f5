//! Shares against those counted by hand, in little memory and in much.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, StringArray};
use proptest::prelude::*;

use super::super::GapColumn;
use super::*;

/// A subject, a text, a number, a decimal, a date of 28 days.
type Row = (u8, Option<u8>, Option<i64>, i64, Option<u8>);

const NAMES: [&str; 5] = ["who", "text", "number", "decimal", "date"];

fn name(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

fn day(day: u8) -> String {
    format!("2024-02-{:02}", day % 28 + 1)
}

fn batch(rows: &[Row]) -> RecordBatch {
    let who: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.0.to_string())).collect::<StringArray>());
    // The empty text is as good as null.
    let text = |row: &Row| row.1.map(|text| if text == 0 { String::new() } else { "x".repeat(usize::from(text)) });
    let texts: ArrayRef = Arc::new(rows.iter().map(text).collect::<StringArray>());
    let numbers: ArrayRef = Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>());
    let decimals = rows.iter().map(|row| Some(i128::from(row.3))).collect::<Decimal128Array>();
    let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(38, 2).unwrap());
    let dates: ArrayRef = Arc::new(rows.iter().map(|row| row.4.map(day)).collect::<StringArray>());
    let columns = NAMES.into_iter().zip([who, texts, numbers, decimals, dates]).map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn asked(subject: bool) -> UniquenessAsked {
    UniquenessAsked {
        subject: subject.then(|| name("who")),
        columns: ["text", "number", "decimal"].map(name).to_vec(),
        gaps: vec![vec![GapColumn { column: name("date"), order: None }]],
    }
}

/// Values of a row on some of the three columns.
fn values(row: &Row, columns: &[usize]) -> Vec<Option<String>> {
    let all =
        [row.1.filter(|text| *text > 0).map(|text| text.to_string()), row.2.map(|number| number.to_string()), Some(row.3.to_string())];
    columns.iter().map(|column| all[*column].clone()).collect()
}

/// How many are unique, and of how many.
fn by_hand(rows: &[Row], columns: &[usize], subject: bool) -> (u64, u64) {
    let person = |at: usize| if subject { usize::from(rows[at].0) } else { at };
    let mut who: BTreeMap<Vec<Option<String>>, BTreeSet<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        who.entry(values(row, columns)).or_default().insert(person(at));
    }
    let unique: BTreeSet<usize> = who.into_values().filter(|who| who.len() == 1).flatten().collect();
    let all: BTreeSet<usize> = (0..rows.len()).map(person).collect();
    (unique.len() as u64, all.len() as u64)
}

fn gaps_by_hand(rows: &[Row]) -> u64 {
    let mut days: BTreeMap<u8, Vec<i32>> = BTreeMap::new();
    for row in rows {
        days.entry(row.0).or_default().extend(row.4.map(|day| i32::from(day % 28)));
    }
    let mut sequences: BTreeMap<Vec<i32>, u64> = BTreeMap::new();
    for days in days.values_mut().filter(|days| days.len() > 1) {
        days.sort_unstable();
        *sequences.entry(days.windows(2).map(|pair| pair[1] - pair[0]).collect()).or_default() += 1;
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
    prop::collection::vec((0u8..20, prop::option::of(0u8..5), prop::option::of(-9i64..30), 0i64..25, prop::option::of(0u8..40)), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn shares_are_those_counted_by_hand(
        rows in rows(),
        subject: bool,
        at_once in 1usize..20,
        held_max in prop_oneof![Just(0usize), Just(100), Just(1 << 20)],
        slice_max in prop_oneof![Just(1usize), Just(7), Just(1 << 20)],
    ) {
        let found = counted(&rows, subject, at_once, held_max, slice_max);
        let share = |columns: &[usize]| {
            let (unique, all) = by_hand(&rows, columns, subject);
            UniqueShare::of(unique, all)
        };
        prop_assert_eq!(found.all, share(&[0, 1, 2]));
        prop_assert_eq!(found.columns.iter().map(|column| column.share).collect::<Vec<_>>(), [share(&[0]), share(&[1]), share(&[2])]);
        prop_assert_eq!(&found.pairs, &[share(&[0, 1]), share(&[0, 2]), share(&[1, 2])]);
        // Without a subject no record has more than one date.
        let persons = by_hand(&rows, &[], subject).1;
        prop_assert_eq!(found.gaps[0].share, UniqueShare::of(if subject { gaps_by_hand(&rows) } else { 0 }, persons));
        prop_assert_eq!(found.asked(), asked(subject));
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
    let asked = UniquenessAsked { gaps: vec![vec![gap("a"), gap("b")]], ..UniquenessAsked::default() };
    let mut meter = UniquenessMeter::new(asked, &["a", "b"], std::path::Path::new("/none")).unwrap();
    meter.take(meter.hasher().hash(&batch).unwrap()).unwrap();
    let found = meter.finish(1, &mut |_, _| ControlFlow::Continue(())).unwrap();
    // 30, 29, 30 days and none: the second alone.
    assert_eq!((found.gaps[0].share, found.all), (UniqueShare::of(1, 4), UniqueShare::NONE));
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
    let rows = meter.hasher().hash(&batch(&[(1, Some(1), Some(1), 1, Some(1))])).unwrap();
    assert!(matches!(meter.take(rows), Err(MeterError::Spill(SpillError::Create(_)))));
}
