//! More groups than a table holds: sums by key, in maps of seven places that spill again and again.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use super::memory::{Cell, Memory, Record, key, revealed, row_schema, unit_schema};
use super::*;
use crate::dataset::{ColumnType, Contribution, Schema, Unit};
use crate::engine::local::to_words;

fn engine(bound: &BoundQuery, memory: Memory, threads: usize) -> SnapshotEngine<Memory> {
    let engine = match bound.0.choice {
        None => SnapshotEngine::of_rows(memory),
        Some(_) => SnapshotEngine::of_units(memory, key()),
    };
    engine.with_threads(NonZeroUsize::new(threads).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Tables that are too small for any group, little or no memory: the sums are the same, and nothing is left in the folder.
    #[test]
    fn sums_by_key_are_those_of_the_naive_reading(case in case_of(Just(true)), memory in prop::sample::select(vec![0, 3_000, 1 << 20])) {
        let Case { records, query, schema, block_rows } = case;
        let bound = BoundQuery::new(&query, &schema).unwrap();
        let expected = oracle::sums(&query, &schema, &bound, &records);
        let folder = tempfile::tempdir().unwrap();
        for threads in 1..=3 {
            let engine = || engine(&bound, Memory::new(&schema, &records, block_rows), threads).with_slots_max(0).with_memory(memory);
            let spilling = engine().with_spill_folder(folder.path()).aggregate(&bound, &Control::default()).unwrap();
            prop_assert_eq!(by_key(&bound, &spilling), expected.clone(), "{} by {} threads", query, threads);
            let staying = engine().aggregate(&bound, &Control::default()).unwrap();
            prop_assert_eq!(spilling.sums(), staying.sums());
            prop_assert_eq!(spilling.keys(), staying.keys());
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    /// Tables of every size, so that some columns fit and others do not.
    #[test]
    fn the_size_of_tables_changes_nothing(case in case_of(Just(true)), slots in 0..64_usize) {
        let Case { records, query, schema, block_rows } = case;
        let bound = BoundQuery::new(&query, &schema).unwrap();
        let memory = || Memory::new(&schema, &records, block_rows);
        let small = engine(&bound, memory(), 2).with_slots_max(slots).aggregate(&bound, &Control::default()).unwrap();
        let large = exact(&bound, memory(), 2);
        prop_assert_eq!(small.sums(), large.sums());
        prop_assert_eq!(small.keys(), large.keys());
    }
}

/// Keys of 2 to 16 words, with the ends of 64 bits, in increasing order.
#[test]
fn keys_of_many_integers_come_back() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for columns in [1, 2, 3, 5, 8] {
        let names = &names[..columns];
        let of_schema = names.iter().map(|name| revealed(name, ColumnType::Integer)).collect();
        let schema = Schema::new(Unit::Row, Contribution::ROW, of_schema).unwrap();
        let values = [i64::MIN, -1, 0, 1, 1 << 32, i64::MAX];
        let cells = |row: usize| (0..columns).map(|column| Cell::Number(values[(row * (column + 1) + column) % 6])).collect();
        let records: Vec<_> = (0..40).map(|row| Record { unit: row, cells: cells(row as usize) }).collect();
        let query = query(vec![Item::count_rows()], names);
        let bound = BoundQuery::new(&query, &schema).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let engine = engine(&bound, Memory::new(&schema, &records, 7), 2).with_slots_max(3).with_memory(0).with_spill_folder(folder.path());
        let exact = engine.aggregate(&bound, &Control::default()).unwrap();
        assert_eq!(by_key(&bound, &exact), oracle::sums(&query, &schema, &bound, &records), "{columns}");
        assert!(exact.keys().unwrap().len() > 5);
    }
}

/// Rows of `groups` groups, in an order that jumps; group g has 1 + g mod 3 rows.
fn many(groups: i64) -> Vec<Record> {
    let cells = |code: i64| {
        let mut cells = vec![Cell::Null; 10];
        (cells[3], cells[9]) = (Cell::Number(code % 5), Cell::Number(code << 34));
        cells
    };
    let codes = (0..3).flat_map(|round| (0..groups).map(move |at| (round, at * 7_919 % groups)));
    codes
        .filter(|(round, code)| code % 3 >= *round)
        .map(|(round, code)| Record { unit: (code * 3 + round) as u64, cells: cells(code) })
        .collect()
}

fn by_code() -> Query {
    query(vec![Item::count_rows(), Item::sum(column("x"))], &["code"])
}

/// Thousands of groups through a little memory, and only those that may be named are left.
#[test]
fn many_groups_go_through_little_memory() {
    let records = many(3_000);
    for least in [1, 2, 3, 4] {
        let schema = row_schema().with_least_units(least).unwrap();
        let bound = BoundQuery::new(&by_code(), &schema).unwrap();
        let named: Vec<i64> = (0..3_000).filter(|code| 1 + code % 3 >= i64::from(least)).collect();
        let keys: Vec<_> = named.iter().map(|code| vec![GroupKey::Integer(code << 34)]).collect();
        let counts = named.iter().map(|code| i128::from(1 + code % 3));
        let expected: Vec<_> = counts.chain(named.iter().map(|code| i128::from((1 + code % 3) * (code % 5)))).collect();
        let folder = tempfile::tempdir().unwrap();
        for (memory, slots, threads) in [(0, 100, 1), (60_000, 100, 3), (60_000, 3_000, 2), (1 << 20, 100, 2)] {
            let engine = engine(&bound, Memory::new(&schema, &records, 500), threads).with_slots_max(slots).with_memory(memory);
            let exact = engine.with_spill_folder(folder.path()).aggregate(&bound, &Control::default()).unwrap();
            assert_eq!(exact.keys(), Some(keys.as_slice()), "{least} {memory} {slots}");
            assert_eq!(exact.sums(), expected, "{least} {memory} {slots}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// A number that stands in every row is nowhere in the file.
#[test]
fn nothing_of_the_data_is_in_the_file_in_clear() {
    const CANARY: i64 = 0x0077_1770_4242_1234;
    let mut records = many(1_000);
    records.iter_mut().enumerate().filter(|(row, _)| row % 2 == 0).for_each(|(_, record)| record.cells[9] = Cell::Number(CANARY));
    let schema = row_schema();
    let bound = BoundQuery::new(&by_code(), &schema).unwrap();
    let file = tempfile::tempfile().unwrap();
    let engine = engine(&bound, Memory::new(&schema, &records, 500), 2).with_slots_max(0).with_memory(0);
    engine.with_spill_file(file.try_clone().unwrap()).aggregate(&bound, &Control::default()).unwrap();
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    assert!(bytes.len() > 36 * records.len(), "{} bytes", bytes.len());
    let [high, low] = to_words(CANARY);
    let stored = [high.to_le_bytes(), low.to_le_bytes()].concat();
    for canary in [stored, CANARY.to_le_bytes().to_vec(), CANARY.to_be_bytes().to_vec()] {
        assert!(!bytes.windows(8).any(|window| window == canary));
    }
}

#[test]
fn a_full_disk_or_no_folder_is_a_failure_like_any_other() {
    let records = many(300);
    for schema in [row_schema(), unit_schema((2, 2))] {
        let bound = BoundQuery::new(&by_code(), &schema).unwrap();
        for threads in 1..=3 {
            let engine = || engine(&bound, Memory::new(&schema, &records, 50), threads).with_slots_max(0);
            let full = File::options().read(true).write(true).open("/dev/full").unwrap();
            let failed = engine().with_memory(0).with_spill_file(full).aggregate(&bound, &Control::default());
            assert_eq!(failed.unwrap_err(), EngineError::Failed);
            let failed = engine().with_memory(0).with_spill_folder("/none/such").aggregate(&bound, &Control::default());
            assert_eq!(failed.unwrap_err(), EngineError::Failed);
            // A folder that is not needed need not be there.
            assert!(engine().with_spill_folder("/none/such").aggregate(&bound, &Control::default()).is_ok());
        }
    }
}
