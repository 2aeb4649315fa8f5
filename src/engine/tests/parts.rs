//! Parts of the data, cut by unit, add up to the whole.

use super::memory::{Cell, Memory, Record, key, row_schema, unit_schema};
use super::*;

/// The parts of the shards, each by an engine of its own kind: with tables, with small ones, by key, by key through a file.
fn parts(bound: &BoundQuery, schema: &crate::dataset::Schema, shards: &[Vec<Record>], folder: &std::path::Path) -> Vec<ExactPart> {
    let part = |(place, records): (usize, &Vec<Record>)| {
        let memory = Memory::new(schema, records, [1, 7, 64, 200][place % 4]);
        let engine = SnapshotEngine::of_units(memory, key()).with_threads(NonZeroUsize::new(1 + place % 3).unwrap());
        let engine = match place % 4 {
            0 => engine,
            1 => engine.with_slots_max(12),
            2 => engine.with_slots_max(0),
            _ => engine.with_slots_max(0).with_memory(0).with_spill_folder(folder),
        };
        engine.part(bound, &Control::default()).unwrap()
    };
    shards.iter().enumerate().map(part).collect()
}

/// Which of so many shards each unit is in.
fn shards(records: &[Record], by_unit: bool, places: &[usize], shards: usize) -> Vec<Vec<Record>> {
    let mut out = vec![Vec::new(); shards];
    for (row, record) in records.iter().enumerate() {
        let unit = if by_unit { record.unit as usize } else { row };
        out[places[unit % places.len()]].push(record.clone());
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whichever shard each unit is in, some shards empty, in any order and in two steps: sums and keys are those of one engine over
    /// all, and those of the naive reading but for groups of too few units.
    #[test]
    fn any_sharding_by_unit_gives_the_same_sums(
        case in case(),
        places in prop::collection::vec(0..5_usize, 60),
        least in 1..4_u32,
        turn in 0..5_usize,
    ) {
        let Case { records, query, schema, block_rows } = case;
        let schema = schema.with_least_units(least).unwrap();
        let bound = BoundQuery::new(&query, &schema).unwrap();
        let shards = shards(&records, schema.unit_column().is_some(), &places, 5);
        let folder = tempfile::tempdir().unwrap();
        let parts = || parts(&bound, &schema, &shards, folder.path());

        let whole = exact(&bound, Memory::new(&schema, &records, block_rows), 2);
        let merged = ExactPart::merge(&bound, parts()).unwrap().complete();
        prop_assert_eq!(merged.sums(), whole.sums(), "{}", query);
        prop_assert_eq!(merged.keys(), whole.keys());

        let mut first = parts();
        first.rotate_left(turn);
        let second = first.split_off(turn);
        let halves = [first, second].map(|half| ExactPart::merge(&bound, half).unwrap());
        let merged = ExactPart::merge(&bound, halves.into()).unwrap().complete();
        prop_assert_eq!(merged.sums(), whole.sums());
        prop_assert_eq!(merged.keys(), whole.keys());

        let expected = oracle::of_enough_units(&bound, oracle::sums(&query, &schema, &bound, &records), least);
        prop_assert_eq!(by_key(&bound, &whole), expected);
    }
}

/// One unit in each of two shards: enough together, too few in each.
#[test]
fn units_of_a_group_are_counted_over_all_parts() {
    let towns = |units: std::ops::Range<u64>, town: &str| -> Vec<Record> {
        let record = |unit| {
            let mut cells = vec![Cell::Null; 10];
            (cells[2], cells[4], cells[8]) = (Cell::Text("a".into()), Cell::Number(3), Cell::Text(town.to_owned()));
            Record { unit, cells }
        };
        units.map(record).collect()
    };
    let shards = [towns(0..1, "oslo"), [towns(1..2, "oslo"), towns(2..3, "rome")].concat()];
    let oslo = vec![GroupKey::Text("oslo".into())];
    for schema in [row_schema(), unit_schema((2, 2))] {
        let schema = schema.with_least_units(2).unwrap();
        let bound = BoundQuery::new(&query(vec![Item::count_rows()], &["town"]), &schema).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let parts = || parts(&bound, &schema, &shards, folder.path());
        for part in parts() {
            assert_eq!(part.complete().keys(), Some(&[][..]), "too few in a part");
        }
        let merged = ExactPart::merge(&bound, parts()).unwrap().complete();
        assert_eq!(merged.keys(), Some(std::slice::from_ref(&oslo)));
        assert!(merged.sums().iter().all(|sum| *sum == 2), "{:?}", merged.sums());
    }
}

#[test]
fn what_does_not_belong_together_is_not_added_up() {
    let schema = row_schema();
    let [count, sum] = [Item::count_rows(), Item::sum(column("x"))].map(|item| BoundQuery::new(&query(vec![item], &[]), &schema).unwrap());
    let part = |sum: i128| ExactPart::new(&count, vec![sum]).unwrap();
    assert_eq!(ExactPart::merge(&sum, vec![part(1)]).unwrap_err(), ExactError::OtherQuery);
    assert_eq!(ExactPart::merge(&count, vec![part(i128::MAX), part(1)]).unwrap_err(), ExactError::Overflow);
    assert_eq!(ExactPart::merge(&count, vec![part(3), part(4)]).unwrap().complete().sums(), [7]);
    assert_eq!(ExactPart::merge(&count, Vec::new()).unwrap().complete().sums(), [0]);
    let by_town = BoundQuery::new(&query(vec![Item::count_rows()], &["town"]), &schema).unwrap();
    let nothing = ExactPart::merge(&by_town, Vec::new()).unwrap();
    assert_eq!(format!("{nothing:?}"), "ExactPart(0 sums)");
    assert_eq!(nothing.complete().keys(), Some(&[][..]));
}
