//! Count, sum and mean of 100 declared groups over columns in memory, WHERE keeping half, beside a plain loop over the
//! same columns without privacy (the twin); then the same with a million units, one of which has a tenth of the rows.
#![allow(missing_docs, clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::hint::black_box;
use std::sync::Arc;
use std::thread;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use usufruct::dataset::{Bounds, Cells, Column, ColumnBlock, ColumnType, Contribution, RowKey, Schema, Unit, UnitBlock, Use, Uses, Values};
use usufruct::engine::{Blocks, Control, Engine, EngineError, SnapshotEngine};
use usufruct::grade::Grade;
use usufruct::id::{ColumnName, Name};
use usufruct::plan::BoundQuery;
use usufruct::query::{Comparison, Item, Literal, Predicate, Query};

const ROWS: usize = 10_000_000;
const BLOCK_ROWS: usize = 65_536;
const GROUPS: u32 = 100;
const UNITS: u64 = 1_000_000;

struct Table {
    columns: [Vec<Arc<ColumnBlock>>; 3],
    units: Vec<Arc<UnitBlock>>,
}

impl Blocks for Table {
    fn blocks(&self) -> usize {
        self.columns[0].len()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.columns[0][block].cells.len()
    }

    fn texts(&self, _: usize, visit: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        (0..GROUPS).for_each(|group| visit(&group.to_string()));
        Ok(())
    }

    fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, EngineError> {
        Ok(Arc::clone(&self.columns[column][block]))
    }

    fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, EngineError> {
        Ok(Arc::clone(&self.units[block]))
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

fn table() -> Table {
    let starts = (0..ROWS).step_by(BLOCK_ROWS);
    let rows = |start: usize| start as u64..ROWS.min(start + BLOCK_ROWS) as u64;
    let random = |row: u64, column: u64| mix(row.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ column << 60);
    let keys = |start| ColumnBlock {
        cells: Cells::Codes(rows(start).map(|row| (random(row, 1) % u64::from(GROUPS)) as u32).collect()),
        nulls: None,
    };
    let amounts = |start| {
        let mut nulls = vec![0; rows(start).count().div_ceil(64)];
        for (place, row) in rows(start).enumerate() {
            nulls[place / 64] |= u64::from(random(row, 2) % 20 == 0) << (place % 64);
        }
        ColumnBlock { cells: Cells::Numbers(rows(start).map(|row| (random(row, 3) % 12_000) as i64 - 1_000).collect()), nulls: Some(nulls) }
    };
    let ages = |start| ColumnBlock { cells: Cells::Numbers(rows(start).map(|row| (random(row, 4) % 100) as i64).collect()), nulls: None };
    Table {
        columns: [
            starts.clone().map(|start| Arc::new(keys(start))).collect(),
            starts.clone().map(|start| Arc::new(amounts(start))).collect(),
            starts.map(|start| Arc::new(ages(start))).collect(),
        ],
        units: units(),
    }
}

/// Units of Zipf 1.1 sizes in random order, one of them with a tenth of all rows.
fn units() -> Vec<Arc<UnitBlock>> {
    let weight = |unit: u64| (unit as f64 + 1.0).powf(-1.1);
    let total: f64 = (0..UNITS).map(weight).sum();
    let mut sizes: Vec<(u128, usize)> = (0..UNITS)
        .map(|unit| {
            let size = 1 + (weight(unit) / total * (ROWS as f64 * 0.8)) as usize;
            (u128::from(mix(unit)) << 64, if unit == 0 { ROWS / 10 } else { size })
        })
        .collect();
    sizes.sort_unstable();
    let ids = sizes.iter().flat_map(|(id, size)| std::iter::repeat_n(id.to_be_bytes(), *size));
    // Whatever rounding leaves over are units of one row.
    let ids = ids.chain((0..ROWS as u128).map(|rest| (u128::MAX - ROWS as u128 + rest).to_be_bytes())).take(ROWS);
    let ids: Vec<[u8; 16]> = ids.collect();
    let tags = |from: usize, len: usize| (from..from + len).map(|row| (u128::from(mix(row as u64)) << 64).to_be_bytes()).collect();
    let blocks = ids.chunks(BLOCK_ROWS).enumerate();
    blocks.map(|(block, ids)| Arc::new(UnitBlock { ids: ids.to_vec(), tags: tags(block * BLOCK_ROWS, ids.len()) })).collect()
}

fn schema(unit: bool) -> Schema {
    let column = |name: &str, kind, bounds, nullable, uses: &[Use]| Column {
        name: ColumnName::new(name).unwrap(),
        kind,
        bounds,
        values: None,
        other: None,
        nullable,
        grade: Grade::L1,
        uses: uses.iter().copied().collect::<Uses>(),
    };
    let groups = Values::Text((0..GROUPS).map(|group| group.to_string()).collect());
    let mut columns = vec![
        Column { values: Some(groups), ..column("key", ColumnType::Text, None, false, &[Use::Group]) },
        column("amount", ColumnType::Integer, Some(Bounds { low: 0, high: 10_000 }), true, &[Use::Aggregate]),
        column("age", ColumnType::Integer, None, false, &[Use::Filter]),
    ];
    if !unit {
        return Schema::new(Unit::Row, Contribution::ROW, columns).unwrap();
    }
    columns.push(column("who", ColumnType::Text, None, false, &[]));
    let contribution = Contribution { groups_per_unit: 3, rows_per_group: 2, rows_per_unit: None };
    Schema::new(Unit::Column(ColumnName::new("who").unwrap()), contribution, columns).unwrap()
}

fn query() -> Query {
    let amount = || ColumnName::new("amount").unwrap();
    let half = Predicate::compare(ColumnName::new("age").unwrap(), Comparison::Less, Literal::number("50").unwrap());
    let items = vec![Item::count_rows(), Item::sum(amount()), Item::mean(amount())];
    Query::new(Name::new("t").unwrap(), items, vec![ColumnName::new("key").unwrap()], Some(half)).unwrap()
}

/// Rows, rows with an amount, sum of clamped amounts, of each group: the same answer, written as a loop.
fn plain(table: &Table, threads: usize) -> Vec<[i64; 3]> {
    let part = |thread: usize| {
        let mut sums = vec![[0_i64; 3]; GROUPS as usize];
        for block in (thread..table.blocks()).step_by(threads) {
            let [Cells::Codes(keys), Cells::Numbers(amounts), Cells::Numbers(ages)] =
                [0, 1, 2].map(|column| &table.columns[column][block].cells)
            else {
                return sums;
            };
            let nulls = table.columns[1][block].nulls.as_deref().unwrap_or_default();
            for (row, ((key, amount), age)) in keys.iter().zip(amounts).zip(ages).enumerate() {
                if *age < 50 {
                    let sum = &mut sums[*key as usize];
                    sum[0] += 1;
                    if nulls[row / 64] >> (row % 64) & 1 == 0 {
                        sum[1] += 1;
                        sum[2] += amount.clamp(&0, &10_000);
                    }
                }
            }
        }
        sums
    };
    thread::scope(|scope| {
        let part = &part;
        let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || part(thread))).collect();
        let mut sums = part(0);
        for other in others {
            for (sum, other) in sums.iter_mut().zip(other.join().unwrap()) {
                (0..3).for_each(|place| sum[place] += other[place]);
            }
        }
        sums
    })
}

fn aggregate(criterion: &mut Criterion) {
    let table = Arc::new(table());
    let mut group = criterion.benchmark_group("aggregate");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    for threads in [1_usize, 2] {
        group.bench_function(BenchmarkId::new("plain", threads), |bencher| bencher.iter(|| black_box(plain(black_box(&table), threads))));
        let bound = BoundQuery::new(&query(), &schema(false)).unwrap();
        let engine = SnapshotEngine::of_rows(Arc::clone(&table)).with_threads(threads.try_into().unwrap());
        group.bench_function(BenchmarkId::new("rows", threads), |bencher| {
            bencher.iter(|| engine.aggregate(black_box(&bound), &Control::default()).unwrap());
        });
        let bound = BoundQuery::new(&query(), &schema(true)).unwrap();
        let engine = SnapshotEngine::of_units(Arc::clone(&table), RowKey::from_bytes(&[7; 32])).with_threads(threads.try_into().unwrap());
        group.bench_function(BenchmarkId::new("units", threads), |bencher| {
            bencher.iter(|| engine.aggregate(black_box(&bound), &Control::default()).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, aggregate);
criterion_main!(benches);
