//! Units that are a column: row choice (rule D2) and units longer than a block.

use super::memory::{Cell, Memory, Record, unit_schema};
use super::*;

/// A row whose `wide` cell tells it from all others.
fn record(unit: u64, row: u64) -> Record {
    let text = |texts: &[&str]| Cell::Text(texts[row as usize % texts.len()].to_owned());
    // Distinct powers would not fit; multiples of a large odd number collide in sums with negligible probability.
    let mark = i64::from_ne_bytes((row + 1000 * unit + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_ne_bytes());
    let cells = vec![text(&["red", "green", "blue"]), Cell::Number(1), text(&["a", "b", "c"]), Cell::Null, Cell::Number(3), Cell::Null];
    Record { unit, cells: [cells, vec![Cell::Number(mark)]].concat() }
}

fn wide_by_color() -> Query {
    query(vec![Item::sum(column("wide")), Item::count_rows()], &["color"])
}

/// Long units among short ones, in blocks much smaller than either, by several threads.
#[test]
fn units_may_be_longer_than_blocks() {
    let lengths = [1, 700, 2, 3, 250, 1, 1, 90, 2, 64, 64, 1];
    let records: Vec<_> = lengths.iter().zip(0..).flat_map(|(length, unit)| (0..*length).map(move |row| record(unit, row))).collect();
    for contribution in [(1, 1), (2, 3), (3, 1), (2, 100), (10, 1000)] {
        let schema = unit_schema(contribution);
        let bound = BoundQuery::new(&wide_by_color(), &schema).unwrap();
        let expected = oracle::sums(&wide_by_color(), &schema, &bound, &records);
        for block_rows in [1, 10, 64, 333, 5000] {
            for threads in [1, 2, 3] {
                let found = numbers(&bound, Memory::new(&schema, &records, block_rows), threads);
                assert_eq!(found, expected, "{contribution:?}, blocks of {block_rows}, {threads} threads");
            }
        }
    }
}

/// Whether sums of all, of all but one unit, and of all in another order fit together, as rule D2 wants: kept rows of
/// a unit are a function of that unit's rows.
fn keeps_by_unit_alone(tag: impl Fn(usize, &Record) -> [u8; 16] + Copy) -> bool {
    let schema = unit_schema((1, 2));
    let bound = BoundQuery::new(&wide_by_color(), &schema).unwrap();
    let of = |records: &[Record]| sums(&bound, Memory::tagged(&schema, records, 7, tag), 2);
    let units = 0..8_u64;
    let records: Vec<_> = units.clone().flat_map(|unit| (0..20).map(move |row| record(unit, row))).collect();
    let all = of(&records);
    let reversed: Vec<_> = records.iter().rev().cloned().collect();
    let fits = |unit: u64| {
        let (own, others): (Vec<_>, Vec<_>) = records.iter().cloned().partition(|record| record.unit == unit);
        all.iter().zip(of(&own).iter().zip(&of(&others))).all(|(all, (own, others))| *all == own.wrapping_add(*others))
    };
    all == of(&reversed) && units.into_iter().all(fits)
}

#[test]
fn what_is_kept_of_a_unit_is_its_own_affair() {
    assert!(keeps_by_unit_alone(|_, record| memory::tag(record)));
}

/// A mutant whose ranks see where a row stands is found by the test above.
#[test]
fn ranks_from_positions_are_found_out() {
    let position = |place: usize, _: &Record| (place as u128).to_be_bytes();
    assert!(!keeps_by_unit_alone(position));
    let neighbour = |place: usize, record: &Record| {
        let mut tag = memory::tag(record);
        tag[15] ^= place as u8 & 1;
        tag
    };
    assert!(!keeps_by_unit_alone(neighbour));
}

/// The rows kept are spread over a unit's rows, not its first ones.
#[test]
fn rows_are_chosen_by_rank() {
    let schema = unit_schema((1, 1));
    let bound = BoundQuery::new(&query(vec![Item::sum(column("wide"))], &[]), &schema).unwrap();
    let records: Vec<_> = (0..50).map(|row| record(3, row)).collect();
    let kept = sums(&bound, Memory::new(&schema, &records, 7), 1)[0];
    let place = records.iter().position(|record| record.cells[6] == Cell::Number(kept as i64)).unwrap();
    let without: Vec<_> = records.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, record)| record.clone()).collect();
    let next = sums(&bound, Memory::new(&schema, &without, 7), 1)[0];
    assert_ne!(kept, next);
    // Twice the same row is as good as once.
    let twice = [records.clone(), vec![records[place].clone()]].concat();
    assert_eq!(sums(&bound, Memory::new(&schema, &twice, 7), 1)[0], kept);
}

/// Without GROUP BY there is one group, so that a unit counts in one only and the sensitivity is that of its rows.
#[test]
fn one_group_has_the_sensitivity_of_its_rows() {
    let schema = unit_schema((3, 4));
    let bound = |groups| BoundQuery::new(&query(vec![Item::count_rows()], groups), &schema).unwrap().vectors()[0].sensitivity();
    assert_eq!((bound(&[]), bound(&["color"]), bound(&["color", "size"])), (4, 12, 12));
}
