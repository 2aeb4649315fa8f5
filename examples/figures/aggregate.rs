//! Exact bounded sums beside plain loops over the same columns: declared groups, unknown ones, units, quantiles.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use usufruct::dataset::{BLOCK_ROWS, Cells, ColumnBlock, DescriptionFile, RowKey, UnitBlock};
use usufruct::engine::{Blocks, Control, Engine as _, EngineError, SnapshotEngine};
use usufruct::plan::BoundQuery;
use usufruct::query::Query;
use usufruct::random::SystemRandom;

use crate::Outcome;
use crate::measure::{median, print, process_cpu_s, seconds};

const GROUPS: usize = 100;
const SQL: &str = "SELECT key, COUNT(*), SUM(x), AVG(x) FROM t WHERE y < 50 GROUP BY key";
/// From the integer key of one group to that of the next: a span that a table holds, and one that it does not.
const CODE_STEPS: [(&str, i64); 2] = [("integer", 2_003), ("integer.wide", 104_729)];
const ROWS: usize = 10_000_000;
const UNITS: usize = 1_000_000;
const ROUNDS: usize = 9;
/// Passes of one round of the faster two, because CPU time of all threads comes in steps of 10 ms.
const PASSES: usize = 4;

/// Count, sum and mean over 100 declared groups, a row the unit: a dictionary key, numbers with 5 % nulls, half of the
/// rows kept. The twin is a plain loop over the same columns on as many threads, which hides nothing; without branches, which
/// half of the rows mispredict, and without bounds it is faster still.
pub(crate) fn rows() -> Outcome {
    let table = Arc::new(Table::new(0));
    let bound = bound(SQL, ROW, &declared(), "")?;
    let engine = SnapshotEngine::of_rows(Arc::clone(&table));
    let exact = engine.aggregate(&bound, &Control::default())?;
    let plain = table.plain(Table::plain_block);
    // The sums of the engine are of x - 500, the middle of the bounds.
    let same = |(cell, plain): (usize, &Plain)| {
        let [rows, present, sum] = [0, 1, 2].map(|vector| exact.sums()[vector * GROUPS + cell]);
        (rows, present, sum + 500 * present) == (plain.rows.into(), plain.present.into(), plain.sum.into())
    };
    if !plain.iter().enumerate().all(same) {
        return Err("the engine and its twin do not agree".into());
    }
    let mut failed = false;
    let mut ours = || (0..PASSES).for_each(|_| failed |= engine.aggregate(&bound, &Control::default()).is_err());
    let mut twins = || (0..PASSES).for_each(|_| drop(std::hint::black_box(table.plain(Table::plain_block))));
    let mut others = || (0..PASSES).for_each(|_| drop(std::hint::black_box(table.plain(Table::plain_block_without_branches))));
    let (mut cpu, mut twin_cpu, mut other_cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        cpu.push(cpu_of(&mut ours));
        twin_cpu.push(cpu_of(&mut twins));
        other_cpu.push(cpu_of(&mut others));
    }
    let rows = (ROWS * PASSES) as f64 * threads() as f64;
    let [cpu, twin_cpu, other_cpu] = [cpu, twin_cpu, other_cpu].map(median);
    print("aggregate.rows_per_s", rows / cpu, "rows/s");
    print("aggregate.plain.rows_per_s", rows / twin_cpu, "rows/s");
    print("aggregate.twin.ratio", cpu / twin_cpu, "times the twin's time");
    print("aggregate.plain.without_branches.rows_per_s", rows / other_cpu, "rows/s");
    if failed { Err("the engine failed".into()) } else { Ok(()) }
}

/// The same where the data say which groups there are: of one text key and of one integer key. The twin is the same plain
/// loop over codes.
pub(crate) fn unknown() -> Outcome {
    let mut table = Table::new(0);
    table.codes = CODE_STEPS.map(|(_, step)| table.integers(step)).into();
    let reveal = "use = [\"group\", \"reveal\"]";
    let code = |place: usize| format!("[columns.code{place}]\ntype = \"integer\"\n{reveal}\ngrade = 1\n");
    let codes = code(0) + &code(1);
    let mut bounds = vec![bound(SQL, ROW, reveal, &codes)?];
    for place in 0..CODE_STEPS.len() {
        bounds.push(bound(&SQL.replace("key", &format!("code{place}")), ROW, reveal, &codes)?);
    }
    let table = Arc::new(table);
    let engine = SnapshotEngine::of_rows(Arc::clone(&table));
    let plain = table.plain(Table::plain_block);
    for bound in &bounds {
        let exact = engine.aggregate(bound, &Control::default())?;
        let rows = exact.sums().iter().take(GROUPS).copied();
        if exact.keys().map(<[_]>::len) != Some(GROUPS) || !rows.eq(plain.iter().map(|plain| i128::from(plain.rows))) {
            return Err("the engine and its twin do not agree".into());
        }
    }
    let mut failed = false;
    let mut twins = || (0..PASSES).for_each(|_| drop(std::hint::black_box(table.plain(Table::plain_block))));
    let mut cpu = [(); 4].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        for (bound, cpu) in bounds.iter().zip(&mut cpu) {
            let mut ours = || (0..PASSES).for_each(|_| failed |= engine.aggregate(bound, &Control::default()).is_err());
            cpu.push(cpu_of(&mut ours));
        }
        cpu[3].push(cpu_of(&mut twins));
    }
    let rows = (ROWS * PASSES) as f64 * threads() as f64;
    let [text, integer, wide, twin] = cpu.map(median);
    print("aggregate.unknown.rows_per_s", rows / text, "rows/s");
    print("aggregate.unknown.twin.ratio", text / twin, "times the twin's time");
    for ((name, _), cpu) in CODE_STEPS.iter().zip([integer, wide]) {
        print(&format!("aggregate.unknown.{name}.rows_per_s"), rows / cpu, "rows/s");
    }
    print("aggregate.unknown.plain.rows_per_s", rows / twin, "rows/s");
    if failed { Err("the engine failed".into()) } else { Ok(()) }
}

/// Two quantiles of 100 declared groups, from the counts of 1,001 values each.
pub(crate) fn quantiles() -> Outcome {
    let table = Arc::new(Table::new(0));
    let bound = bound("SELECT key, MEDIAN(x), QUANTILE(x, 0.9) FROM t WHERE y < 50 GROUP BY key", ROW, &declared(), "")?;
    let engine = SnapshotEngine::of_rows(table);
    let mut failed = false;
    let mut call = || failed |= engine.aggregate(&bound, &Control::default()).is_err();
    let cpu: Vec<_> = (0..ROUNDS).map(|_| cpu_of(&mut call)).collect();
    print("aggregate.quantile.rows_per_s", ROWS as f64 * threads() as f64 / median(cpu), "rows/s");
    if failed { Err("the engine failed".into()) } else { Ok(()) }
}

/// Count, sum and mean over 100 declared groups with 1 M units over 10 M rows, Zipf 1.1, one unit with 10 % of the rows; of each 3 groups and 2 rows are kept.
pub(crate) fn units() -> Outcome {
    let contribution = "contribution = { groups_per_unit = 3, rows_per_group = 2 }";
    let unit = format!("unit = {{ column = \"who\" }}\n{contribution}");
    let bound = bound(SQL, &unit, &declared(), "[columns.who]\ntype = \"integer\"\ngrade = 4")?;
    let engine = SnapshotEngine::of_units(Arc::new(Table::new(UNITS)), RowKey::generate(&mut SystemRandom::new()?));
    let mut failed = false;
    let mut call = || failed |= engine.aggregate(&bound, &Control::default()).is_err();
    let (mut cpu, mut clock) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        clock.push(seconds(|| cpu.push(cpu_of(&mut call))));
    }
    print("aggregate.unit.rows_per_s", ROWS as f64 * threads() as f64 / median(cpu), "rows/s");
    print("aggregate.unit.clock.rows_per_s", ROWS as f64 / median(clock), "rows/s by the clock");
    if failed { Err("the engine failed".into()) } else { Ok(()) }
}

fn cpu_of(call: &mut dyn FnMut()) -> f64 {
    let start = process_cpu_s();
    call();
    process_cpu_s() - start
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

const ROW: &str = "unit = \"row\"\nrows_are_independent = true";

fn declared() -> String {
    let values: Vec<_> = (0..GROUPS).map(|group| format!("\"group {group:02}\"")).collect();
    format!("values = [{}]", values.join(", "))
}

fn bound(sql: &str, unit: &str, key: &str, column: &str) -> Result<BoundQuery, Box<dyn std::error::Error>> {
    let text = format!(
        "name = \"t\"\ndata = \"t.csv\"\n{unit}\nbudget = {{ model = \"approx\", epsilon = \"1\", delta = \"0\" }}\n\
         [columns.key]\ntype = \"text\"\n{key}\ngrade = 1\n\
         [columns.x]\ntype = \"integer\"\nbounds = [0, 1000]\nnullable = true\ngrade = 2\n\
         [columns.y]\ntype = \"integer\"\nbounds = [0, 99]\ngrade = 2\n{column}\n"
    );
    let description = DescriptionFile::parse(&text, "".as_ref())?.description;
    Ok(BoundQuery::new(&Query::sql(sql)?, description.schema())?)
}

/// Columns in memory, as a snapshot keeps them: key, x, y, and the key as integers where that is asked for.
struct Table {
    columns: [Vec<Arc<ColumnBlock>>; 3],
    codes: Vec<Vec<Arc<ColumnBlock>>>,
    units: Vec<Arc<UnitBlock>>,
}

#[derive(Clone, Copy, Default)]
struct Plain {
    rows: i64,
    present: i64,
    sum: i64,
}

impl Table {
    fn new(units: usize) -> Self {
        let mut random = SplitMix(1);
        let mut table = Self { columns: Default::default(), codes: Vec::new(), units: Vec::new() };
        for start in (0..ROWS).step_by(BLOCK_ROWS) {
            let rows = BLOCK_ROWS.min(ROWS - start);
            let (mut keys, mut xs, mut ys) = (Vec::new(), Vec::new(), Vec::new());
            let mut nulls = vec![0_u64; rows.div_ceil(64)];
            for row in 0..rows {
                let word = random.next();
                keys.push((word % 100) as u32);
                ys.push((word >> 8 & 0xffff).cast_signed() % 100);
                let null = (word >> 32 & 0xff) < 13;
                nulls[row / 64] |= u64::from(null) << (row % 64);
                xs.push(if null { 0 } else { (word >> 40 & 0xffff).cast_signed() % 1001 });
            }
            let [key, x, y] = &mut table.columns;
            key.push(Arc::new(ColumnBlock { cells: Cells::Codes(keys), nulls: None }));
            x.push(Arc::new(ColumnBlock { cells: Cells::Numbers(xs), nulls: Some(nulls) }));
            y.push(Arc::new(ColumnBlock { cells: Cells::Numbers(ys), nulls: None }));
        }
        if units > 0 {
            table.units = unit_blocks(units);
        }
        table
    }

    /// The key as an integer.
    fn integers(&self, step: i64) -> Vec<Arc<ColumnBlock>> {
        let block = |block: &Arc<ColumnBlock>| match &block.cells {
            Cells::Codes(keys) => {
                let numbers = keys.iter().map(|key| step * i64::from(*key)).collect();
                Arc::new(ColumnBlock { cells: Cells::Numbers(numbers), nulls: None })
            }
            Cells::Numbers(_) => Arc::clone(block),
        };
        self.columns[0].iter().map(block).collect()
    }

    /// The same aggregates without any privacy.
    fn plain(&self, block_of: impl Fn(&Self, usize, &mut [Plain; 128]) + Sync) -> Vec<Plain> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut groups = [Plain::default(); 128];
            loop {
                let block = next.fetch_add(1, Ordering::Relaxed);
                if block >= self.blocks() {
                    return groups;
                }
                block_of(self, block, &mut groups);
            }
        };
        let mut total = vec![Plain::default(); GROUPS];
        thread::scope(|scope| {
            let workers: Vec<_> = (1..threads()).map(|_| scope.spawn(work)).collect();
            let parts = std::iter::once(work()).chain(workers.into_iter().map(|worker| worker.join().unwrap_or([Plain::default(); 128])));
            for part in parts {
                for (total, part) in total.iter_mut().zip(part) {
                    total.rows += part.rows;
                    total.present += part.present;
                    total.sum += part.sum;
                }
            }
        });
        total
    }

    fn plain_block(&self, block: usize, groups: &mut [Plain; 128]) {
        let [key, x, y] = self.columns.each_ref().map(|column| &column[block]);
        let (Cells::Codes(keys), Cells::Numbers(xs), Cells::Numbers(ys), Some(nulls)) = (&key.cells, &x.cells, &y.cells, &x.nulls) else {
            return;
        };
        for (row, ((key, x), y)) in keys.iter().zip(xs).zip(ys).enumerate() {
            if *y < 50 {
                let group = &mut groups[*key as usize & 127];
                group.rows += 1;
                if nulls[row / 64] >> (row % 64) & 1 == 0 {
                    group.present += 1;
                    group.sum += x.clamp(&0, &1000);
                }
            }
        }
    }

    fn plain_block_without_branches(&self, block: usize, groups: &mut [Plain; 128]) {
        let [key, x, y] = self.columns.each_ref().map(|column| &column[block]);
        let (Cells::Codes(keys), Cells::Numbers(xs), Cells::Numbers(ys), Some(nulls)) = (&key.cells, &x.cells, &y.cells, &x.nulls) else {
            return;
        };
        for (((keys, xs), ys), nulls) in keys.chunks(64).zip(xs.chunks(64)).zip(ys.chunks(64)).zip(nulls) {
            for (row, ((key, x), y)) in keys.iter().zip(xs).zip(ys).enumerate() {
                let kept = i64::from(*y < 50);
                let present = kept & i64::from(nulls >> row & 1 == 0);
                let group = &mut groups[*key as usize & 127];
                group.rows += kept;
                group.present += present;
                group.sum += x & -present;
            }
        }
    }
}

impl Blocks for Table {
    fn blocks(&self) -> usize {
        self.columns[0].len()
    }

    fn block_rows(&self, block: usize) -> usize {
        self.columns[0][block].cells.len()
    }

    fn texts(&self, _column: usize, visit: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        (0..GROUPS).for_each(|group| visit(&format!("group {group:02}")));
        Ok(())
    }

    fn block(&self, column: usize, block: usize) -> Result<Arc<ColumnBlock>, EngineError> {
        let blocks = self.columns.get(column).unwrap_or_else(|| &self.codes[column - self.columns.len()]);
        Ok(Arc::clone(&blocks[block]))
    }

    fn unit_block(&self, block: usize) -> Result<Arc<UnitBlock>, EngineError> {
        Ok(Arc::clone(&self.units[block]))
    }
}

/// Units in the order of their ids, each with its rows; which of them is the largest, the second, ... is mixed.
fn unit_blocks(units: usize) -> Vec<Arc<UnitBlock>> {
    let largest = ROWS / 10;
    let weight = |rank: usize| (rank as f64).powf(-1.1);
    let total: f64 = (2..=units).map(weight).sum();
    // Every unit has a row; the others are Zipf's.
    let scale = (ROWS - largest - units) as f64 / total;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below the number of rows")]
    let rows_of = |rank: usize| if rank == 1 { largest } else { 1 + (scale * weight(rank)) as usize };
    let mut random = SplitMix(2);
    let mut ids = Vec::with_capacity(ROWS);
    let mut tags = Vec::with_capacity(ROWS);
    for unit in 0..units {
        // 741,457 has no factor in common with the number of units.
        let rank = unit * 741_457 % units + 1;
        let id = (((unit as u128) << 100) | u128::from(random.next())).to_be_bytes();
        // What rounding left over goes to the last unit.
        let rows = if unit + 1 == units { ROWS - ids.len() } else { rows_of(rank) };
        for row in 0..rows {
            ids.push(id);
            tags.push((((row as u128) << 100) | u128::from(random.next())).to_be_bytes());
        }
    }
    let block = |rows: Range<usize>| Arc::new(UnitBlock { ids: ids[rows.clone()].to_vec(), tags: tags[rows].to_vec() });
    (0..ROWS).step_by(BLOCK_ROWS).map(|start| block(start..ROWS.min(start + BLOCK_ROWS))).collect()
}

/// For test data (Steele, Lea, Flood 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
