//! The engine against slow and plain readings of the same rows, row by row and unit by unit.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests")]

mod adult;
mod parts;
mod questions;
#[cfg(feature = "csv")]
mod records;
mod release;
mod sparse;
mod steps;
mod units;

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::conformance::{by_key, memory, oracle};
use super::*;
use crate::dataset::Contribution;
use crate::id::{ColumnName, Name};
use crate::plan::*;
use crate::query::{Item, Query};
use memory::{Cell, Memory, Record, row_schema, unit_schema};

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

/// A query without WHERE.
fn query(items: Vec<Item>, groups: &[&str]) -> Query {
    Query::new(Name::new("t").unwrap(), items, groups.iter().map(|name| column(name)).collect(), None).unwrap()
}

fn exact(bound: &BoundQuery, memory: Memory, threads: usize) -> Exact {
    let engine = match bound.0.choice {
        None => SnapshotEngine::of_rows(memory),
        Some(_) => SnapshotEngine::of_units(memory, memory::key()),
    };
    let engine = engine.with_threads(NonZeroUsize::new(threads).unwrap());
    engine.aggregate(bound, &Control::default()).unwrap()
}

/// The exact sums, by so many threads.
fn sums(bound: &BoundQuery, memory: Memory, threads: usize) -> Vec<i128> {
    exact(bound, memory, threads).sums().to_vec()
}

/// The same by keys.
fn numbers(bound: &BoundQuery, memory: Memory, threads: usize) -> oracle::Numbers {
    by_key(bound, &exact(bound, memory, threads))
}

/// Data, a question about them, and how they are to be read.
#[derive(Debug)]
struct Case {
    records: Vec<Record>,
    query: Query,
    schema: crate::dataset::Schema,
    block_rows: usize,
}

fn case() -> impl Strategy<Value = Case> {
    case_of(any::<bool>())
}

fn case_of(found: impl Strategy<Value = bool>) -> impl Strategy<Value = Case> {
    (any::<bool>(), found).prop_flat_map(|(unit, found)| {
        let contribution = (1..4_u32, 1..4_u32, prop::option::of(1..9_u32));
        let block_rows = prop::sample::select(vec![1, 7, 64, 200]);
        (questions::records(60), questions::query(unit, found), contribution, block_rows).prop_map(
            move |(records, query, (groups, rows, total), block_rows)| {
                let rows_per_unit = total.filter(|total| *total < groups * rows);
                let contribution = Contribution { groups_per_unit: groups, rows_per_group: rows, rows_per_unit };
                let schema = if unit { memory::unit_schema_within(contribution) } else { row_schema() };
                Case { records, query, schema, block_rows }
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn sums_are_those_of_the_naive_row_by_row_reading(case in case()) {
        let Case { records, query, schema, block_rows } = case;
        let bound = BoundQuery::new(&query, &schema).unwrap();
        let expected = oracle::sums(&query, &schema, &bound, &records);
        for threads in 1..=3 {
            let found = numbers(&bound, Memory::new(&schema, &records, block_rows), threads);
            prop_assert_eq!(&found, &expected, "{} by {} threads", query, threads);
        }
    }

    /// No unit changes a vector by more than its sensitivities, and what is kept of a unit does not depend on others: the sums
    /// of all are the sums of the others and of the unit alone.
    #[test]
    fn a_unit_adds_its_own_part_and_no_more_than_the_sensitivity(case in case(), which in any::<prop::sample::Index>()) {
        let Case { records, query, schema, .. } = case;
        prop_assume!(!records.is_empty());
        let unit = schema.unit_column().is_some();
        let bound = BoundQuery::new(&query, &schema).unwrap();
        let place = which.index(records.len());
        let of_unit = |at: usize, record: &Record| if unit { record.unit == records[place].unit } else { at == place };
        let (own, others): (Vec<_>, Vec<_>) = records.iter().cloned().enumerate().partition(|(at, record)| of_unit(*at, record));
        let part = |part: Vec<(usize, Record)>| {
            let records: Vec<_> = part.into_iter().map(|(_, record)| record).collect();
            numbers(&bound, Memory::new(&schema, &records, 7), 2)
        };
        let (all, own, others) = (numbers(&bound, Memory::new(&schema, &records, 7), 2), part(own), part(others));
        let mut together = others;
        own.iter().for_each(|(at, number)| *together.entry(at.clone()).or_default() += number);
        together.retain(|_, number| *number != 0);
        prop_assert_eq!(all, together);
        for (place, vector) in bound.vectors().iter().enumerate() {
            let changes = || own.iter().filter(|((vector, ..), _)| *vector == place).map(|(_, number)| number.unsigned_abs());
            let change: u128 = changes().sum();
            let squared = changes().fold(0u128, |sum, change| sum.saturating_add(change.saturating_mul(change)));
            prop_assert!(change <= vector.sensitivity(), "{}: {} above {}", vector, change, vector.sensitivity());
            prop_assert!(vector.squared_sensitivity().is_none_or(|most| squared <= most), "{}: squared {}", vector, squared);
            prop_assert!(changes().count() as u128 <= vector.touched());
        }
    }

    #[test]
    fn a_row_adds_what_another_engine_is_told(case in case()) {
        let Case { records, query, schema, .. } = case;
        let bound = BoundQuery::new(&query, &schema).unwrap();
        for record in &records {
            let mut found = std::collections::BTreeMap::new();
            let value = |place: usize| oracle::number(&schema, &schema.columns()[place].name, record);
            bound.additions(value, |vector, slot, amount| assert_eq!(found.insert(vector, (slot, amount)), None, "once each"));
            found.retain(|_, (_, amount)| *amount != 0);
            let expected = |vector: &Vector| match vector.kind() {
                VectorKind::Units | VectorKind::Dropped => None,
                kind => oracle::part(kind, &query, &schema, record).filter(|(_, amount)| *amount != 0),
            };
            for (place, vector) in bound.vectors().iter().enumerate() {
                prop_assert_eq!(found.remove(&place), expected(vector), "{}", vector);
            }
            prop_assert!(found.is_empty());
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(case in case(), seed in any::<u64>()) {
        let Case { records, query, schema, .. } = case;
        let mut shuffled: Vec<_> = records.iter().enumerate().collect();
        shuffled.sort_by_key(|(at, _)| (*at as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let shuffled: Vec<_> = shuffled.into_iter().map(|(_, record)| record.clone()).collect();
        let bound = BoundQuery::new(&query, &schema).unwrap();
        let of = |records: &[Record]| numbers(&bound, Memory::new(&schema, records, 7), 2);
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
        let bound = BoundQuery::new(&query, &schema).unwrap();
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
    let bound = BoundQuery::new(&query(vec![Item::sum(column("long"))], &[]), &schema).unwrap();
    assert_eq!(sums(&bound, memory, 1), [(40_i128 << 16) << 47]);
}

#[test]
fn nothing_is_told_of_a_failure() {
    let schema = row_schema();
    let bound = BoundQuery::new(&query(vec![Item::sum(column("x"))], &[]), &schema).unwrap();
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
        let bound = BoundQuery::new(&query(vec![Item::count_rows()], &[]), &schema).unwrap();
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
