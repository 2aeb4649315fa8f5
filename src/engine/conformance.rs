//! What every engine must do, as tests that whoever writes an engine can run on it.
//!
//! ```
//! use usufruct::engine::{LocalEngines, conformance};
//!
//! conformance::check(&LocalEngines::default());
//! ```
//! Tables are small and made up; what is expected of them is read row by row with nothing but the words of the rules.
//!
//! # Panics
//! Everything here panics where an engine does not do as it must, and says what it did.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests, in a file that other crates can run"
)]

pub(in crate::engine) mod memory;
pub(in crate::engine) mod oracle;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Control, Engine, EngineError, Engines};
use crate::dataset::{Contribution, Schema};
use crate::id::{ColumnName, Decimal, Name};
use crate::plan::{BoundQuery, Exact, ExactPart, GroupKey};
use crate::query::{Comparison, Item, Literal, Predicate, Query};
use crate::random::{Random as _, RecordedRandom};
use memory::{Cell, Memory, Record, row_schema, unit_schema_within};

/// All checks.
pub fn check(engines: &dyn Engines) {
    for schema in schemas() {
        for (number, query) in questions(&schema).iter().enumerate() {
            let bound = BoundQuery::new(query, &schema).unwrap();
            let case = Case { engines, schema: &schema, query, bound, records: records(&format!("conformance {number}"), 60) };
            case.sums_are_those_of_the_rules();
            case.neither_order_nor_blocks_show();
            case.a_unit_adds_its_own_part_within_the_sensitivity();
            case.parts_add_up();
            case.failures_look_alike();
        }
    }
    nothing_overflows(engines);
    groups_have_no_limit(engines);
}

/// Rows as units, and units of several rows under every kind of bound; groups of one unit and of several may be named.
fn schemas() -> Vec<Schema> {
    let of_units = [(1, 1, None), (2, 1, None), (1, 3, None), (3, 2, Some(4))].map(|(groups_per_unit, rows_per_group, rows_per_unit)| {
        unit_schema_within(Contribution { groups_per_unit, rows_per_group, rows_per_unit })
    });
    let schemas = [row_schema()].into_iter().chain(of_units).zip([1, 1, 2, 3, 2]);
    schemas.map(|(schema, least)| schema.with_least_units(least).unwrap()).collect()
}

/// Every operation, over declared groups and over those that the data say, under every kind of condition.
fn questions(schema: &Schema) -> Vec<Query> {
    let column = |name: &str| ColumnName::new(name).unwrap();
    let decimal = |text: &str| Decimal::parse(text).unwrap();
    let edges = |edges: &[&str]| edges.iter().map(|edge| decimal(edge)).collect::<Vec<_>>();
    let (x, y) = (|| column("x"), || column("y"));
    let mut sums = vec![Item::count_rows(), Item::count(column("note")), Item::sum(x()), Item::mean(y()), Item::sum(column("wide"))];
    if schema.unit_column().is_some() {
        sums.extend([Item::count_distinct(column("who")), Item::dropped()]);
    }
    let squares = vec![Item::variance(x()), Item::deviation(y()), Item::clamped(x())];
    // Bounds that are found stand alone.
    let magnitudes = vec![Item::range(column("wide"))];
    let bins = vec![
        Item::histogram(x(), edges(&["-5", "0.5", "3", "9"])),
        Item::histogram(y(), edges(&["0.6", "1", "1.5"])),
        Item::histogram(column("color"), Vec::new()),
        Item::histogram(column("size"), Vec::new()),
    ];
    let quantiles = vec![Item::quantile(x(), decimal("0.5")), Item::quantile(x(), decimal("1")), Item::quantile(y(), decimal("0.25"))];

    let number = |number: &str| Literal::number(number).unwrap();
    let less = |name: &str, than: &str| Predicate::compare(column(name), Comparison::Less, number(than));
    let is_in = Predicate::is_in(column("color"), [Literal::text("red"), Literal::text("blue"), Literal::text("zz")]);
    let prefix = Predicate::starts_with(column("note"), "n");
    let null = Predicate::is_null(column("x"));
    let between = Predicate::between(column("y"), number("0.3"), number("2"));
    let filters = [
        None,
        Some(less("x", "2.5")),
        Some(Predicate::Not(Box::new(is_in.clone()))),
        Some(Predicate::And(vec![between, Predicate::Not(Box::new(less("wide", "0")))])),
        Some(Predicate::Or(vec![prefix, null, less("size", "2")])),
        Some(Predicate::Not(Box::new(Predicate::Or(vec![is_in, less("x", "-3")])))),
    ];
    let declared = [&[][..], &["color"], &["size", "color"], &["shape", "color", "size"]];
    let found = [&["town"][..], &["code"], &["color", "town"], &["town", "code"], &["code", "shape", "town"]];
    let mut filters = filters.iter().cycle();
    let mut out = Vec::new();
    for (items, groups) in [
        (&sums, &[&declared[..], &found].concat()),
        (&squares, &[&declared[1..3], &found[..3]].concat()),
        (&magnitudes, &[&declared[..2], &found[..1]].concat()),
        (&bins, &[&declared[..2], &found[1..3]].concat()),
        (&quantiles, &declared[..3].to_vec()),
    ] {
        for groups in groups {
            let groups = groups.iter().map(|name| column(name)).collect();
            out.push(Query::new(Name::new("t").unwrap(), items.clone(), groups, filters.next().unwrap().clone()).unwrap());
        }
    }
    out
}

/// Rows of seven units, with nulls, undeclared values and values out of bounds.
fn records(seed: &str, rows: usize) -> Vec<Record> {
    let mut random = RecordedRandom::from_seed(seed);
    let mut below = |limit: u64| random.next_u64() % limit;
    let mut record = || {
        let mut text = |texts: &[&str]| match texts[below(texts.len() as u64) as usize] {
            "" => Cell::Null,
            text => Cell::Text(text.to_owned()),
        };
        let color = text(&["red", "green", "blue", "", "ultraviolet"]);
        let shape = text(&["a", "b", "c", "d"]);
        let note = text(&["", "n", "nn", "é", "o"]);
        // The last is not in normalisation form C, so the key of no group.
        let town = text(&["", "rome", "oslo", "lima", "e\u{301}"]);
        let mut number = |low: i64, numbers: u64| match below(8) {
            0 => Cell::Null,
            _ => Cell::Number(low + below(numbers) as i64),
        };
        let (x, code) = (number(-8, 20), number(-2, 5));
        let size = [Cell::Null, Cell::Number(1), Cell::Number(5), Cell::Number(2), Cell::Number(i64::MAX)][below(5) as usize].clone();
        let wide = Cell::Number((below(1 << 32) << 32 | below(1 << 32)).cast_signed());
        Record { unit: below(7), cells: vec![color, size, shape, x, Cell::Number(below(12) as i64), note, wide, Cell::Null, town, code] }
    };
    (0..rows).map(|_| record()).collect()
}

/// An engine, a table and a question about it.
struct Case<'a> {
    engines: &'a dyn Engines,
    schema: &'a Schema,
    query: &'a Query,
    bound: BoundQuery,
    records: Vec<Record>,
}

impl Case<'_> {
    fn engine(&self, memory: Memory) -> Box<dyn Engine> {
        self.engines.over(Arc::new(memory), memory::key())
    }

    fn part(&self, records: &[Record], block_rows: usize) -> ExactPart {
        self.engine(Memory::new(self.schema, records, block_rows)).part(&self.bound, &Control::default()).unwrap()
    }

    fn exact(&self, records: &[Record], block_rows: usize) -> Exact {
        self.part(records, block_rows).complete()
    }

    /// A part has every group, and what has all units those that may be named; a table without rows has no group that is not declared.
    fn sums_are_those_of_the_rules(&self) {
        for records in [&self.records[..], &self.records[..7], &[]] {
            let expected = oracle::sums(self.query, self.schema, &self.bound, records);
            let expected = oracle::of_enough_units(&self.bound, expected, self.schema.least_units());
            assert_eq!(by_key(&self.bound, &self.exact(records, 64)), expected, "{}", self.query);
            let engine = self.engine(Memory::new(self.schema, records, 64));
            let whole = engine.aggregate(&self.bound, &Control::default()).unwrap();
            let complete = self.exact(records, 64);
            assert_eq!((whole.sums(), whole.keys()), (complete.sums(), complete.keys()), "{}: all units at once", self.query);
        }
    }

    fn neither_order_nor_blocks_show(&self) {
        let expected = self.exact(&self.records, 64);
        let mut turned = self.records.clone();
        for (turn, block_rows) in [(0, 1), (11, 7), (23, 200)] {
            turned.reverse();
            turned.rotate_left(turn);
            let found = self.exact(&turned, block_rows);
            assert_eq!((found.sums(), found.keys()), (expected.sums(), expected.keys()), "{} in blocks of {block_rows}", self.query);
        }
    }

    /// Which unit a row is of.
    fn unit(&self, row: usize, record: &Record) -> usize {
        if self.schema.unit_column().is_some() { record.unit as usize } else { row }
    }

    /// The rows of units, each with the place of its shard.
    fn shards(&self, shards: usize, place: impl Fn(usize) -> usize) -> Vec<Vec<Record>> {
        let mut out = vec![Vec::new(); shards];
        for (row, record) in self.records.iter().enumerate() {
            out[place(self.unit(row, record))].push(record.clone());
        }
        out
    }

    /// The sums of all are those of the others and of one unit alone, which change no vector by more than it says.
    fn a_unit_adds_its_own_part_within_the_sensitivity(&self) {
        // Every group is kept, however few units it has, so that what is compared is what was summed.
        let schema = self.schema.clone().with_least_units(1).unwrap();
        let bound = BoundQuery::new(self.query, &schema).unwrap();
        let case = Case { schema: &schema, bound, records: self.records.clone(), ..*self };
        let all = by_key(&case.bound, &case.exact(&case.records, 64));
        for unit in [0, 3, 6] {
            let shards = case.shards(2, |other| usize::from(other == unit));
            let [mut others, own] = [0, 1].map(|shard: usize| by_key(&case.bound, &case.exact(&shards[shard], 64)));
            own.iter().for_each(|(place, number)| *others.entry(place.clone()).or_default() += number);
            others.retain(|_, number| *number != 0);
            assert_eq!(others, all, "{} without unit {unit}", case.query);
            for (place, vector) in case.bound.vectors().iter().enumerate() {
                let change: u128 = own.iter().filter(|((other, ..), _)| *other == place).map(|(_, number)| number.unsigned_abs()).sum();
                assert!(change <= vector.sensitivity(), "{}: unit {unit} adds {change} to {vector}", case.query);
            }
        }
    }

    /// However units are spread, some engines without any: thresholds on units see those of all parts.
    fn parts_add_up(&self) {
        let whole = self.exact(&self.records, 64);
        for shards in [self.shards(1, |_| 0), self.shards(3, |unit| unit % 2), self.shards(4, |unit| unit * 5 % 7 % 4)] {
            let parts = shards.iter().map(|records| self.part(records, 7)).collect();
            let merged = ExactPart::merge(&self.bound, parts).unwrap().complete();
            assert_eq!((merged.sums(), merged.keys()), (whole.sums(), whole.keys()), "{} from {} parts", self.query, shards.len());
        }
    }

    /// A table that cannot be read and a caller that gives up.
    fn failures_look_alike(&self) {
        if self.bound.columns().len() > 0 {
            let mut broken = Memory::new(self.schema, &self.records, 7);
            broken.fail = true;
            let engine = self.engine(broken);
            assert_eq!(engine.part(&self.bound, &Control::default()).unwrap_err(), EngineError::Failed);
            assert_eq!(engine.aggregate(&self.bound, &Control::default()).unwrap_err(), EngineError::Failed);
        }
        let engine = self.engine(Memory::new(self.schema, &self.records, 7));
        let cancelled = AtomicBool::new(true);
        let control = Control::new(&cancelled, &|_, _| {});
        assert_eq!(engine.part(&self.bound, &control).unwrap_err(), EngineError::Failed);
        assert_eq!(engine.aggregate(&self.bound, &control).unwrap_err(), EngineError::Failed);
        cancelled.store(false, Ordering::Relaxed);
        engine.part(&self.bound, &control).unwrap();
    }
}

fn query(items: Vec<Item>, groups: &[&str]) -> Query {
    let groups = groups.iter().map(|name| ColumnName::new(name).unwrap()).collect();
    Query::new(Name::new("t").unwrap(), items, groups, None).unwrap()
}

/// Values at both ends of 64 bits, in sums of 128.
fn nothing_overflows(engines: &dyn Engines) {
    let wide = ColumnName::new("wide").unwrap();
    let query = query(vec![Item::sum(wide.clone()), Item::count(wide)], &[]);
    let contribution = Contribution { groups_per_unit: 1, rows_per_group: 1, rows_per_unit: None };
    for schema in [row_schema(), unit_schema_within(contribution)] {
        let bound = BoundQuery::new(&query, &schema).unwrap();
        for ends in [[i64::MIN; 2], [i64::MAX; 2], [i64::MIN, i64::MAX]] {
            let record = |row: u64| {
                let mut cells = vec![Cell::Null; 10];
                (cells[2], cells[4], cells[6]) = (Cell::Text("a".into()), Cell::Number(3), Cell::Number(ends[row as usize % 2]));
                Record { unit: row, cells }
            };
            let records: Vec<_> = (0..500).map(record).collect();
            let engine = engines.over(Arc::new(Memory::new(&schema, &records, 64)), memory::key());
            let exact = engine.part(&bound, &Control::default()).unwrap().complete();
            assert_eq!(by_key(&bound, &exact), oracle::sums(&query, &schema, &bound, &records));
        }
    }
}

/// More groups than a small table holds, far apart.
fn groups_have_no_limit(engines: &dyn Engines) {
    let schema = row_schema();
    let bound = BoundQuery::new(&query(vec![Item::count_rows()], &["code"]), &schema).unwrap();
    let codes = (0..20_000_i64).map(|code| code << 40 | code);
    let record = |code: i64| {
        let mut cells = vec![Cell::Null; 10];
        (cells[2], cells[4], cells[9]) = (Cell::Text("a".into()), Cell::Number(3), Cell::Number(code));
        Record { unit: 0, cells }
    };
    let records: Vec<_> = codes.clone().rev().map(record).collect();
    let engine = engines.over(Arc::new(Memory::new(&schema, &records, 1_000)), memory::key());
    let exact = engine.part(&bound, &Control::default()).unwrap().complete();
    let expected: Vec<_> = codes.map(|code| vec![GroupKey::Integer(code)]).collect();
    assert!(exact.keys() == Some(expected.as_slice()), "every group, in increasing order of the keys");
    assert!(exact.sums().iter().all(|rows| *rows == 1) && exact.sums().len() == expected.len());
}

/// The sums by vector, key and slot, without those that are 0.
pub(in crate::engine) fn by_key(bound: &BoundQuery, exact: &Exact) -> oracle::Numbers {
    let keys: Vec<Vec<GroupKey>> = match exact.keys() {
        Some(keys) => keys.to_vec(),
        None => (0..bound.cells().unwrap()).map(|cell| bound.key(cell)).collect(),
    };
    let mut sums = exact.sums().iter();
    let mut out = oracle::Numbers::new();
    for (place, vector) in bound.vectors().iter().enumerate() {
        let keys = if vector.is_of_all() { vec![Vec::new()] } else { keys.clone() };
        for key in keys {
            for slot in 0..vector.slots() {
                out.insert((place, key.clone(), slot), *sums.next().unwrap());
            }
        }
    }
    assert_eq!(sums.next(), None);
    out.retain(|_, number| *number != 0);
    out
}
