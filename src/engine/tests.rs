#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests")]

mod adult;
mod memory;
mod oracle;
mod questions;
mod release;
mod units;

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::*;
use crate::id::{ColumnName, Name};
use crate::query::{Item, Query};
use memory::{Cell, Memory, Record, row_schema, unit_schema};

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

/// A query without WHERE.
fn query(items: Vec<Item>, groups: &[&str]) -> Query {
    Query::new(Name::new("t").unwrap(), items, groups.iter().map(|name| column(name)).collect(), None).unwrap()
}

/// The exact sums, by so many threads.
fn sums(bound: &Bound, memory: Memory, threads: usize) -> Vec<i128> {
    let engine = match bound.0.choice {
        None => SnapshotEngine::of_rows(memory),
        Some(_) => SnapshotEngine::of_units(memory, memory::key()),
    };
    let engine = engine.with_threads(NonZeroUsize::new(threads).unwrap());
    engine.aggregate(bound, &Control::default()).unwrap().sums().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn sums_are_those_of_the_naive_row_by_row_reading(
        records in memory::records(60),
        query in questions::query(),
        unit in any::<bool>(),
        contribution in (1..4_u32, 1..4_u32),
        block_rows in prop::sample::select(vec![1, 7, 64, 200]),
    ) {
        let schema = if unit { unit_schema(contribution) } else { row_schema() };
        let bound = Bound::new(&query, &schema).unwrap();
        let expected = oracle::sums(&query, &schema, &bound, &records);
        for threads in 1..=3 {
            prop_assert_eq!(&sums(&bound, Memory::new(&schema, &records, block_rows), threads), &expected, "{} by {} threads", query, threads);
        }
    }

    /// No unit changes a vector by more than its sensitivity, and what is kept of a unit does not depend on others:
    /// the sums of all are the sums of the others and of the unit alone.
    #[test]
    fn a_unit_adds_its_own_part_and_no_more_than_the_sensitivity(
        records in memory::records(60),
        query in questions::query(),
        unit in any::<bool>(),
        contribution in (1..4_u32, 1..4_u32),
        which in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!records.is_empty());
        let schema = if unit { unit_schema(contribution) } else { row_schema() };
        let bound = Bound::new(&query, &schema).unwrap();
        let place = which.index(records.len());
        let of_unit = |at: usize, record: &Record| if unit { record.unit == records[place].unit } else { at == place };
        let (own, others): (Vec<_>, Vec<_>) = records.iter().cloned().enumerate().partition(|(at, record)| of_unit(*at, record));
        let part = |part: Vec<(usize, Record)>| {
            let records: Vec<_> = part.into_iter().map(|(_, record)| record).collect();
            sums(&bound, Memory::new(&schema, &records, 7), 2)
        };
        let (all, own, others) = (sums(&bound, Memory::new(&schema, &records, 7), 2), part(own), part(others));
        for ((all, own), others) in all.iter().zip(&own).zip(&others) {
            prop_assert_eq!(*all, own + others);
        }
        for (own, vector) in own.chunks(bound.cells()).zip(bound.vectors()) {
            let change: u128 = own.iter().map(|part| part.unsigned_abs()).sum();
            prop_assert!(change <= vector.sensitivity(), "{} above {}", change, vector.sensitivity());
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(
        (records, shuffled) in memory::records(60).prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
        query in questions::query(),
        unit in any::<bool>(),
    ) {
        let schema = if unit { unit_schema((2, 2)) } else { row_schema() };
        let bound = Bound::new(&query, &schema).unwrap();
        let of = |records: &[Record]| sums(&bound, Memory::new(&schema, records, 7), 2);
        prop_assert_eq!(of(&records), of(&shuffled));
    }
}

/// Values at the ends of 64 bits: the path of 128 bits, on its own and in both kinds of unit.
#[test]
fn extremes_do_not_overflow() {
    let rows = 5_000;
    let records: Vec<_> = (0..rows)
        .map(|row| {
            let wide = if row % 2 == 0 { i64::MIN } else { i64::MAX };
            Record {
                unit: row,
                cells: vec![Cell::Null, Cell::Null, Cell::Text("a".into()), Cell::Null, Cell::Number(0), Cell::Null, Cell::Number(wide)],
            }
        })
        .collect();
    let query = query(vec![Item::sum(column("wide")), Item::count(column("wide"))], &[]);
    for schema in [row_schema(), unit_schema((1, 1))] {
        let bound = Bound::new(&query, &schema).unwrap();
        let VectorKind::Sum { centre: -1, .. } = bound.vectors()[1].kind() else { panic!("{:?}", bound.vectors()) };
        let half = i128::from(rows / 2);
        // Of a pair, MIN + 1 and MAX + 1 are added.
        let expected = half * (i128::from(i64::MIN) + 1 + i128::from(i64::MAX) + 1);
        assert_eq!(sums(&bound, Memory::new(&schema, &records, 999), 2), [i128::from(rows), expected]);
        let only_high: Vec<_> = records.iter().filter(|record| record.unit % 2 == 1).cloned().collect();
        assert_eq!(sums(&bound, Memory::new(&schema, &only_high, 999), 2)[1], half << 63);
    }
}

/// More rows than a 64-bit sum holds between two flushes.
#[test]
fn sums_of_64_bits_are_flushed_in_time() {
    let schema = row_schema();
    let block = 1 << 16;
    let memory = Memory::constant(&schema, "long", 1 << 47, block, 40);
    let bound = Bound::new(&query(vec![Item::sum(column("long"))], &[]), &schema).unwrap();
    assert_eq!(sums(&bound, memory, 1), [(40_i128 << 16) << 47]);
}

#[test]
fn nothing_is_told_of_a_failure() {
    let schema = row_schema();
    let bound = Bound::new(&query(vec![Item::sum(column("x"))], &[]), &schema).unwrap();
    let record = Record { unit: 1, cells: vec![Cell::Null; 7] };
    let mut broken = Memory::new(&schema, std::slice::from_ref(&record), 1);
    broken.fail = true;
    let engine = SnapshotEngine::of_rows(broken);
    let failed = engine.aggregate(&bound, &Control::default()).unwrap_err();
    let cancelled = std::sync::atomic::AtomicBool::new(true);
    let engine = SnapshotEngine::of_rows(Memory::new(&schema, &[record], 1));
    let stopped = engine.aggregate(&bound, &Control::new(&cancelled, &|_, _| {})).unwrap_err();
    assert_eq!((failed, failed.to_string()), (stopped, "the answer could not be computed".into()));
    let exact = engine.aggregate(&bound, &Control::default()).unwrap();
    assert_eq!(
        format!("{exact:?} {engine:?}"),
        format!("Exact(1 sums) SnapshotEngine {{ threads: {:?}, .. }}", std::thread::available_parallelism().unwrap())
    );
}

#[test]
fn progress_counts_every_block_once() {
    use std::sync::atomic::{AtomicU64, Ordering};
    for schema in [row_schema(), unit_schema((1, 1))] {
        let bound = Bound::new(&query(vec![Item::count_rows()], &[]), &schema).unwrap();
        let records: Vec<_> = (0..100).map(|row| Record { unit: row / 30, cells: vec![Cell::Null; 7] }).collect();
        let engine = SnapshotEngine::of_units(Memory::new(&schema, &records, 3), memory::key());
        let (calls, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let progress = |done, total| {
            calls.fetch_add(1, Ordering::Relaxed);
            most.fetch_max(done, Ordering::Relaxed);
            assert_eq!(total, 34);
        };
        let cancelled = AtomicBool::new(false);
        engine.aggregate(&bound, &Control::new(&cancelled, &progress)).unwrap();
        assert_eq!((calls.into_inner(), most.into_inner()), (34, 34));
    }
}
