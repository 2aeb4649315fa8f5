//! Rule F1 on data that others made: how often an interval holds the truth, for every aggregate, in both models.
//!
//! Two truths stand side by side: that of values within their bounds and of units within their contribution, which the
//! interval is about, and that of the file as it is, which it is not. The first is checked, both are printed:
//! `cargo test --all-features --test coverage -- --nocapture`.
//!
//! Sums are computed once. One release is then of many groups with the same sums: the question is grouped by one more column,
//! `replica`, which the data do not have. That the noise is the same is checked: the base vectors with their sensitivities are
//! equal, and the shares of the price. False alarms: 10^-6 for each line at most; seeds are fixed.
#![cfg(all(feature = "csv", feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "coverage/binomial.rs"]
mod binomial;
#[path = "coverage/truth.rs"]
mod truth;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use truth::{Bounds, Naive, Truth};
use usufruct::budget::{Delta, Loss};
use usufruct::dataset::{DescriptionFile, RowKey, Schema, Snapshot, table_schema, write_snapshot};
use usufruct::dp::interval::{self, COVERAGE_UNITS, HalfWidth};
use usufruct::dp::{GaussianMechanism, LaplaceMechanism, Law};
use usufruct::engine::{Control, Engine as _, SnapshotEngine};
use usufruct::file::{Output, OutputOptions};
use usufruct::id::{ColumnName, Decimal, Name};
use usufruct::plan::{Allocation, BoundQuery, Exact, ExactPart, Group, GroupKey, NO_INTERVAL, ReleaseStep, VectorKind};
use usufruct::query::{Expression, Item, Query};
use usufruct::random::RecordedRandom;
use usufruct::table::{CsvOptions, CsvSource};

/// How many releases of each number there are.
const RELEASES: u64 = 10_000;
/// And of each ratio and quantile: their intervals cost more and are held to a lower limit only. Also where there are no replicas.
const RELEASES_OF_RATIOS: u64 = 2_000;

const ADULT: &str = r#"
name = "data"
data = "adult/adult.csv"
delimiter = ";"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "1" }
columns.sex = { type = "text", values = ["Male", "Female"], grade = 2 }
columns.age = { type = "integer", bounds = [20, 70], nullable = true, grade = 2 }
columns.native-country = { type = "text", grade = 1, use = ["reveal"] }
"#;
const ADULT_BOUNDS: Bounds<'_> = &[("age", 20, 70)];

const PUMS: &str = r#"
name = "data"
data = "pums/data-with-header.csv"
unit = "row"
rows_are_independent = true
budget = { model = "approx", epsilon = "1" }
columns.age = { type = "integer", bounds = [18, 80], grade = 2 }
columns.income = { type = "integer", bounds = [0, 100000], grade = 2 }
columns.educ = { type = "integer", values = [9, 13], grade = 2 }
columns.race = { type = "integer", grade = 1, use = ["reveal"] }
"#;
const PUMS_BOUNDS: Bounds<'_> = &[("age", 18, 80), ("income", 0, 100_000)];

const RESTAURANT: &str = r#"
name = "data"
data = "restaurant/week_data.csv"
unit = { column = "VisitorId" }
contribution = { CONTRIBUTION }
budget = { model = "approx", epsilon = "1" }
columns.VisitorId = { type = "integer", grade = 3 }
columns."Time spent (minutes)" = { type = "integer", bounds = [5, 50], grade = 2 }
columns."Money spent (euros)" = { type = "real", step = "0.5", bounds = [0, 30], grade = 2 }
columns.Day = { type = "integer", DAYS, grade = 1 }
"#;
const MINUTES: &str = "Time spent (minutes)";
const MONEY: &str = "Money spent (euros)";
const RESTAURANT_BOUNDS: Bounds<'_> = &[(MINUTES, 5, 50), (MONEY, 0, 30)];
const SEVEN_DAYS: &str = "values = [1, 2, 3, 4, 5, 6, 7]";
const ANY_DAYS: &str = "use = [\"reveal\"]";
/// Visitors come on up to six days, once on each.
const CONTRIBUTION: &str = "groups_per_unit = 3, rows_per_group = 2, rows_per_unit = 3";
const CONTRIBUTION_OF_ONE_GROUP: &str = "groups_per_unit = 1, rows_per_group = 2";
const AMPLE: &str = "groups_per_unit = 7, rows_per_group = 7";

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

fn query(items: &[Item], groups: &[&str]) -> Query {
    Query::new(Name::new("data").unwrap(), items.to_vec(), groups.iter().map(|name| column(name)).collect(), None).unwrap()
}

fn histogram(name: &str, edges: &[&str]) -> Item {
    Item::histogram(column(name), edges.iter().map(|edge| decimal(edge)).collect())
}

fn quantiles(name: &str) -> impl Iterator<Item = Item> {
    let name = column(name);
    ["0.25", "0.5", "0.9"].into_iter().map(move |rank| Item::quantile(name.clone(), decimal(rank)))
}

/// A dataset as a gate has it, and as the file has it.
struct Data {
    name: &'static str,
    toml: &'static str,
    days: &'static str,
    contribution: &'static str,
    bounds: Bounds<'static>,
    schema: Schema,
    engine: SnapshotEngine<Arc<Snapshot>>,
    naive: Naive,
}

fn datasets() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/datasets");
    let there = folder.is_dir();
    if !there {
        println!("skipped: no ../shared");
    }
    there.then_some(folder)
}

impl Data {
    fn open(name: &'static str, toml: &'static str, bounds: Bounds<'static>) -> Option<Self> {
        Self::open_with(name, toml, bounds, SEVEN_DAYS, CONTRIBUTION)
    }

    fn open_with(
        name: &'static str,
        toml: &'static str,
        bounds: Bounds<'static>,
        days: &'static str,
        contribution: &'static str,
    ) -> Option<Self> {
        let folder = datasets()?;
        let file = DescriptionFile::parse(&toml.replace("DAYS", days).replace("CONTRIBUTION", contribution), &folder).unwrap();
        let options = CsvOptions { delimiter: file.data.delimiter, ..CsvOptions::default() };
        let schema = file.description.schema().clone();
        let space = tempfile::tempdir().unwrap();
        // PUMS writes 100,000 as 1e+05, which is no integer.
        let plain = space.path().join("plain.csv");
        std::fs::write(&plain, std::fs::read_to_string(&file.data.path).unwrap().replace("1e+05", "100000")).unwrap();
        let source = CsvSource::open(&plain, options, table_schema(&schema)).unwrap();
        let (path, key) = (space.path().join("snapshot"), RowKey::generate(&mut RecordedRandom::from_seed("coverage: row key")));
        let output = Output::create(&path, OutputOptions { force: false, private: true }).unwrap();
        write_snapshot(&source, &file.description, &key, output, &mut |_| ControlFlow::Continue(())).unwrap();
        let engine = SnapshotEngine::of_units(Arc::new(Snapshot::open(&path, &schema).unwrap()), key);
        let naive = Naive::read(&plain, char::from(file.data.delimiter));
        Some(Self { name, toml, days, contribution, bounds, schema, engine, naive })
    }

    /// The schema with a column of replicas.
    fn replicated(&self, contribution: &str, replicas: u64) -> Schema {
        let values: Vec<String> = (0..replicas).map(|replica| replica.to_string()).collect();
        let toml = self.toml.replace("DAYS", self.days).replace("CONTRIBUTION", contribution);
        let toml = format!("{toml}columns.replica = {{ type = \"integer\", values = [{}], grade = 1 }}\n", values.join(", "));
        DescriptionFile::parse(&toml, "".as_ref()).unwrap().description.schema().clone()
    }

    fn exact(&self, bound: &BoundQuery) -> Exact {
        self.engine.aggregate(bound, &Control::default()).unwrap()
    }

    /// The truths of groups in the file: of values within their bounds, or as they are.
    fn truths(&self, keys: &[Vec<GroupKey>], items: &[Item], groups: &[&str], bounded: bool) -> Vec<Vec<Truth>> {
        let groups = self.naive.grouped(groups);
        let of_key = |key: &Vec<GroupKey>| {
            let key: Vec<String> = key.iter().map(text).collect();
            let rows = groups.get(&key).map_or(&[][..], Vec::as_slice);
            items.iter().flat_map(|item| self.naive.truths(rows, item, self.bounds, bounded)).collect()
        };
        keys.iter().map(of_key).collect()
    }
}

/// A key as the file has it.
fn text(key: &GroupKey) -> String {
    match key {
        GroupKey::Text(text) => text.clone(),
        GroupKey::Integer(number) => number.to_string(),
        GroupKey::Other(name) => name.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The sums of an answer, by what they are.
struct Sums<'a> {
    bound: &'a BoundQuery,
    schema: &'a Schema,
    sums: Vec<i128>,
    cells: usize,
}

impl Sums<'_> {
    fn vector(&self, is: impl Fn(&VectorKind) -> bool) -> Option<usize> {
        self.bound.vectors().iter().position(|vector| is(vector.kind()))
    }

    /// All slots of a vector in a group.
    fn slots(&self, vector: usize, cell: usize) -> &[i128] {
        let vectors = self.bound.vectors();
        let start: usize = vectors[..vector].iter().map(|vector| vector.len(self.cells)).sum();
        let slots = vectors[vector].slots();
        let from = if vectors[vector].is_of_all() { start } else { start + cell * slots };
        &self.sums[from..from + slots]
    }

    fn number(&self, cell: usize, is: impl Fn(&VectorKind) -> bool) -> i128 {
        self.slots(self.vector(is).unwrap(), cell)[0]
    }

    /// N of a column.
    fn count_vector(&self, of: &ColumnName) -> usize {
        let present = self.vector(|kind| matches!(kind, VectorKind::Present { column } if column == of));
        present.or_else(|| self.vector(|kind| *kind == VectorKind::Rows)).unwrap()
    }

    /// S of a column, and what was taken off every value.
    fn sum_vector(&self, of: &ColumnName) -> (usize, i128) {
        let vector = self.vector(|kind| matches!(kind, VectorKind::Sum { column, .. } if column == of)).unwrap();
        let VectorKind::Sum { centre, .. } = self.bound.vectors()[vector].kind() else { panic!() };
        (vector, i128::from(*centre))
    }

    /// The bounded truths of an item in a group.
    fn truths(&self, cell: usize, item: &Item) -> Vec<Truth> {
        let of = || item.expression().column().unwrap();
        let step = || self.schema.column(of()).unwrap().1.kind.step().unwrap().decimal();
        let n = || self.slots(self.count_vector(of()), cell)[0];
        let s = || self.slots(self.sum_vector(of()).0, cell)[0];
        // The centre only counts where it is not 0, and then N is there.
        let shift = || Some(self.sum_vector(of()).1).filter(|centre| *centre != 0).map_or(0, |centre| centre * n());
        match item.expression() {
            Expression::CountRows => vec![Truth::whole(self.number(cell, |kind| *kind == VectorKind::Rows))],
            Expression::Count(_) => vec![Truth::whole(n())],
            Expression::CountDistinct(_) => vec![Truth::whole(self.number(cell, |kind| *kind == VectorKind::Units))],
            Expression::Dropped => vec![Truth::whole(self.number(cell, |kind| *kind == VectorKind::Dropped))],
            Expression::Clamped(_) => {
                vec![Truth::whole(self.number(cell, |kind| matches!(kind, VectorKind::Clamped { column } if column == of())))]
            }
            Expression::Sum(_) => vec![Truth::whole(s() + shift()).times(step())],
            Expression::Mean(_) => vec![Truth::ratio(s() + shift(), n()).times(step())],
            Expression::Variance(_) | Expression::Deviation(_) => {
                let q = self.number(cell, |kind| matches!(kind, VectorKind::Squares { column, .. } if column == of()));
                let root = matches!(item.expression(), Expression::Deviation(_));
                vec![Truth::spread(n(), s(), q, root).times(step()).times(step())]
            }
            Expression::Histogram { .. } => {
                let vector = self.vector(|kind| matches!(kind, VectorKind::Bins { column, .. } if column == of())).unwrap();
                self.slots(vector, cell).iter().map(|count| Truth::whole(*count)).collect()
            }
            Expression::Quantile { rank, .. } => {
                let vector = self.vector(|kind| matches!(kind, VectorKind::Grid { column, .. } if column == of())).unwrap();
                let (slots, bounds) = (self.slots(vector, cell), self.schema.column(of()).unwrap().1.bounds.unwrap());
                assert_eq!(slots.len() as u64, bounds.low.abs_diff(bounds.high) + 1, "a slot for each point");
                let (n, ten, mut below) = (slots.iter().sum::<i128>(), 10_i128.pow(rank.scale().into()), 0);
                let reached = slots.iter().position(|count| {
                    below += count;
                    below > 0 && below * ten >= n * rank.mantissa()
                });
                vec![Truth::whole(i128::from(bounds.low) + reached.unwrap() as i128).times(step())]
            }
            other => panic!("no truth for {other:?}"),
        }
    }

    /// The half-widths that are quantiles of the law of the noise, one for each estimate; nothing for the conservative ones.
    fn widths(&self, allocation: &Allocation, item: &Item) -> Vec<Option<HalfWidth>> {
        let law = |vector: usize| law(self.bound, allocation, vector);
        let one = |is: &dyn Fn(&VectorKind) -> bool| vec![Some(interval::half_width(law(self.vector(is).unwrap())))];
        let of = || item.expression().column().unwrap();
        match item.expression() {
            Expression::CountRows => one(&|kind| *kind == VectorKind::Rows),
            Expression::Count(_) => vec![Some(interval::half_width(law(self.count_vector(of()))))],
            Expression::CountDistinct(_) => one(&|kind| *kind == VectorKind::Units),
            Expression::Dropped => one(&|kind| *kind == VectorKind::Dropped),
            Expression::Clamped(_) => one(&|kind| matches!(kind, VectorKind::Clamped { column } if column == of())),
            Expression::Histogram { edges, .. } => {
                one(&|kind| matches!(kind, VectorKind::Bins { column, .. } if column == of())).repeat(edges.len() - 1)
            }
            Expression::Sum(_) => {
                let (sum, centre) = self.sum_vector(of());
                vec![Some(match centre {
                    0 => interval::half_width(law(sum)),
                    centre => interval::weighted_sum(law(sum), centre, law(self.count_vector(of()))),
                })]
            }
            _ => vec![None],
        }
    }
}

/// The law of the noise on a vector, from its sensitivity and its share of the price.
fn law(bound: &BoundQuery, allocation: &Allocation, vector: usize) -> Law {
    let place = bound.steps().iter().position(|step| *step == ReleaseStep::Noise { vector }).unwrap();
    let of = &bound.vectors()[vector];
    match allocation.shares()[place] {
        Loss::Approx { epsilon, .. } => Law::Laplace(LaplaceMechanism::new(of.sensitivity(), epsilon).unwrap().scale()),
        Loss::Zcdp { rho, .. } => Law::Gaussian(GaussianMechanism::new(of.squared_sensitivity().unwrap(), rho).unwrap().sigma_squared()),
    }
}

/// The least and the greatest coverage that a half-width states.
fn stated(width: Option<HalfWidth>, bounded_noise: bool) -> (f64, f64) {
    let Some(width) = width else { return (0.95, 1.0) };
    let coverage = width.coverage as f64 / COVERAGE_UNITS as f64;
    // A wide Gaussian law is only known to cover 0.95 with one step less than 0.95: a step near the end of the interval has at
    // most 0.12 sigma^-1 of the law on both sides, which is about 0.23 / half-width. Noise with an end lacks a delta of its tail.
    let slack = if coverage <= 0.95 { 0.24 / width.steps as f64 } else { 1e-9 } + if bounded_noise { 1e-5 } else { 0.0 };
    (coverage, (coverage + slack).min(1.0))
}

/// One number of the answer in all releases.
#[derive(Clone, Default)]
struct Tally {
    releases: u64,
    bounded: u64,
    unbounded: u64,
    method: &'static str,
}

impl Tally {
    fn add(&mut self, group: &Group, at: usize, bounded: Truth, unbounded: Truth) {
        let estimate = &group.estimates[at];
        let (low, high) = (estimate.low.unwrap(), estimate.high.unwrap());
        self.releases += 1;
        self.bounded += u64::from(bounded.is_within(low, high));
        self.unbounded += u64::from(unbounded.is_within(low, high));
        self.method = estimate.method;
    }
}

/// The table of one dataset.
struct Table {
    lines: Vec<String>,
}

impl Table {
    fn new() -> Self {
        let head = ["dataset", "number", "method", "price", "stated", "bounded %", "unbounded %", "releases"];
        Self { lines: vec![line(&head.map(str::to_owned))] }
    }

    fn add(&mut self, data: &Data, price: Loss, number: &str, width: Option<HalfWidth>, tally: &Tally) {
        let exact = matches!(tally.method, "laplace" | "laplace-sum" | "gaussian" | "gaussian-sum");
        assert_eq!(exact, width.is_some(), "{number}: {}", tally.method);
        let (least, most) = stated(width, delta(price) != Delta::ZERO && matches!(price, Loss::Approx { .. }));
        let (low, high) = binomial::limits(tally.releases, least, most);
        let percent = |hits: u64| format!("{:.2}", 100.0 * hits as f64 / tally.releases as f64);
        let words = [
            data.name.to_owned(),
            number.to_owned(),
            tally.method.to_owned(),
            price.to_string(),
            format!("{}{least:.4}", if exact { "" } else { ">= " }),
            percent(tally.bounded),
            percent(tally.unbounded),
            tally.releases.to_string(),
        ];
        self.lines.push(line(&words));
        assert!((low..=high).contains(&tally.bounded), "{} not in {low}..={high}:\n{}", tally.bounded, self.lines.join("\n"));
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        println!("{}", self.lines.join("\n"));
    }
}

fn line(words: &[String; 8]) -> String {
    let [dataset, number, method, price, stated, bounded, unbounded, releases] = words;
    format!("{dataset:<11}{number:<44}{method:<21}{price:<30}{stated:>10}{bounded:>12}{unbounded:>13}{releases:>10}")
}

const fn delta(price: Loss) -> Delta {
    match price {
        Loss::Approx { delta, .. } | Loss::Zcdp { delta, .. } => delta,
    }
}

/// A question about a dataset, and how many replicas of its groups are in one release.
struct Case<'a> {
    data: &'a Data,
    items: &'a [Item],
    groups: &'a [&'a str],
    /// Of the replicas: with fewer groups than units may be in, that of the data says the same.
    contribution: &'a str,
    replicas: u64,
    releases: u64,
}

impl Case<'_> {
    fn cover(&self, table: &mut Table, price: Loss) {
        let data = self.data;
        let asked = query(self.items, self.groups);
        let bound = BoundQuery::new(&asked, &data.schema).unwrap();
        let allocation = Allocation::new(&bound, price).unwrap();
        let exact = data.exact(&bound);
        let keys: Vec<Vec<GroupKey>> =
            exact.keys().map_or_else(|| (0..bound.cells().unwrap()).map(|cell| bound.key(cell)).collect(), <[_]>::to_vec);
        let sums = Sums { bound: &bound, schema: &data.schema, sums: exact.sums().to_vec(), cells: keys.len() };
        let bounded: Vec<Vec<Truth>> =
            (0..keys.len()).map(|cell| self.items.iter().flat_map(|item| sums.truths(cell, item)).collect()).collect();
        let unbounded = data.truths(&keys, self.items, self.groups, false);
        if data.schema.unit_column().is_none() || data.contribution == AMPLE {
            let naive = data.truths(&keys, self.items, self.groups, true);
            assert_eq!(bounded, naive, "the sums are those of the file");
        }
        let widths: Vec<Option<HalfWidth>> = self.items.iter().flat_map(|item| sums.widths(&allocation, item)).collect();
        for ((width, grid), told) in widths.iter().zip(bound.grids()).zip(allocation.widths(None)) {
            let half = width.zip(grid).map(|(width, grid)| {
                let step = grid.decimal();
                Decimal::new(width.steps.cast_signed() * step.mantissa(), step.scale()).unwrap()
            });
            assert_eq!(told.half, half, "what is told beforehand is the width of the law");
        }

        let replicated = data.replicated(self.contribution, self.replicas);
        let groups: Vec<&str> = [&["replica"][..], self.groups].concat();
        let replica = BoundQuery::new(&query(self.items, &groups), &replicated).unwrap();
        let replica_allocation = Allocation::new(&replica, price).unwrap();
        assert_eq!((replica.vectors(), replica_allocation.shares()), (bound.vectors(), allocation.shares()), "the same noise");
        let cells = keys.len();
        let repeated = |vector: usize| (0..self.replicas).flat_map(move |_| (0..cells).map(move |cell| (vector, cell)));
        let numbers = (0..bound.vectors().len()).flat_map(repeated).flat_map(|(vector, cell)| sums.slots(vector, cell)).copied();
        let numbers: Vec<i128> = numbers.collect();
        let replica_keys = || {
            let of_replica = |replica: u64| GroupKey::Integer(replica.cast_signed());
            (0..self.replicas).flat_map(|replica| keys.iter().map(move |key| [vec![of_replica(replica)], key.clone()].concat())).collect()
        };

        let mut tallies = vec![vec![Tally::default(); widths.len()]; keys.len()];
        for run in 0..self.releases / self.replicas {
            let part = match bound.cells() {
                Some(_) => ExactPart::new(&replica, numbers.clone()).unwrap(),
                None => ExactPart::with_keys(&replica, replica_keys(), numbers.clone()).unwrap(),
            };
            let seed = format!("coverage {} {asked} {price} {run}", data.name);
            let noisy = part.complete().noise(&replica_allocation, &mut RecordedRandom::from_seed(&seed)).unwrap();
            assert!(!noisy.is_cut());
            for group in noisy.estimates() {
                let cell = keys.iter().position(|key| *key == group.key[1..]).unwrap();
                for (at, tally) in tallies[cell].iter_mut().enumerate() {
                    tally.add(&group, at, bounded[cell][at], unbounded[cell][at]);
                }
            }
        }
        for (at, (width, label)) in widths.iter().zip(bound.labels()).enumerate() {
            if bound.cells().is_some() {
                for (key, tallies) in keys.iter().zip(&tallies) {
                    table.add(data, price, &format!("{label}{}", shown(key)), *width, &tallies[at]);
                }
            } else {
                // Given that a group is named, its interval is as good as any: that of each often named one, and of all together.
                let mut all = Tally::default();
                for (key, tallies) in keys.iter().zip(&tallies) {
                    let tally = &tallies[at];
                    if tally.releases >= 1_000 {
                        table.add(data, price, &format!("{label}{}, named", shown(key)), *width, tally);
                    }
                    all.releases += tally.releases;
                    all.bounded += tally.bounded;
                    all.unbounded += tally.unbounded;
                    all.method = if tally.releases > 0 { tally.method } else { all.method };
                }
                table.add(data, price, &format!("{label}, all named groups"), *width, &all);
            }
        }
    }
}

fn shown(key: &[GroupKey]) -> String {
    let parts: Vec<String> = key.iter().map(text).collect();
    if parts.is_empty() { String::new() } else { format!(" of {}", parts.join(", ")) }
}

/// A query that releases a few numbers and has no replicas: DROPPED, and the largest groups.
fn cover_alone(data: &Data, table: &mut Table, query: &Query, groups: &[&str], item: &Item, price: Loss) {
    let bound = BoundQuery::new(query, &data.schema).unwrap();
    let allocation = Allocation::new(&bound, price).unwrap();
    let exact = data.exact(&bound);
    let keys: Vec<Vec<GroupKey>> = exact.keys().map_or_else(|| vec![Vec::new()], <[_]>::to_vec);
    let sums = Sums { bound: &bound, schema: &data.schema, sums: exact.sums().to_vec(), cells: keys.len() };
    let bounded: Vec<Truth> = (0..keys.len()).map(|cell| sums.truths(cell, item)[0]).collect();
    let unbounded = match item.expression() {
        // Without a bound on their rows no unit loses any.
        Expression::Dropped => vec![vec![Truth::whole(0)]],
        _ => data.truths(&keys, std::slice::from_ref(item), groups, false),
    };
    let mut tally = Tally::default();
    for run in 0..RELEASES_OF_RATIOS {
        let part = match bound.cells() {
            Some(_) => ExactPart::new(&bound, sums.sums.clone()).unwrap(),
            None => ExactPart::with_keys(&bound, keys.clone(), sums.sums.clone()).unwrap(),
        };
        let seed = format!("coverage {} {query} {price} {run}", data.name);
        for group in part.complete().noise(&allocation, &mut RecordedRandom::from_seed(&seed)).unwrap().estimates() {
            let cell = keys.iter().position(|key| *key == group.key).unwrap();
            tally.add(&group, 0, bounded[cell], unbounded[cell][0]);
        }
    }
    let chosen = if query.top_groups().is_some() { ", largest groups" } else { "" };
    table.add(data, price, &format!("{}{chosen}", bound.labels()[0]), sums.widths(&allocation, item)[0], &tally);
}

/// The items whose intervals are conservative: moments of one column, quantiles of another with the histogram they need.
fn ratios(moments: &str, quantiles_of: &str, bins: Item) -> Vec<Item> {
    let moments = [Item::mean, Item::variance, Item::deviation].map(|of| of(column(moments)));
    moments.into_iter().chain(quantiles(quantiles_of)).chain([bins]).collect()
}

/// Automatic bounds have no interval, and say so.
fn ranges_have_none(data: &Data, name: &str, price: Loss) {
    let bound = BoundQuery::new(&query(&[Item::range(column(name))], &[]), &data.schema).unwrap();
    let allocation = Allocation::new(&bound, price).unwrap();
    let groups = data.exact(&bound).noise(&allocation, &mut RecordedRandom::from_seed("coverage: bounds")).unwrap().estimates();
    assert_eq!(groups[0].estimates.len(), 2);
    for estimate in &groups[0].estimates {
        assert_eq!((estimate.low, estimate.high, estimate.method), (None, None, NO_INTERVAL));
    }
    assert!(allocation.widths(None).iter().all(|width| width.half.is_none() && width.method == NO_INTERVAL));
    let [low, high] = [0, 1].map(|at| groups[0].estimates[at].value.unwrap());
    assert!(low < high, "{}: BOUNDS({name}) {low} {high}", data.name);
}

fn approx(epsilon: &str) -> Loss {
    Loss::approx(epsilon, "0").unwrap()
}

/// Laplace noise, Laplace noise of bounded work, Gaussian noise.
fn prices(epsilon: &str, rho: &str) -> [Loss; 3] {
    [approx(epsilon), Loss::approx(epsilon, "0.000001").unwrap(), Loss::zcdp(rho, "0").unwrap()]
}

fn prices_of_unknown(epsilon: &str, rho: &str) -> [Loss; 2] {
    [Loss::approx(epsilon, "0.000001").unwrap(), Loss::zcdp(rho, "0.000001").unwrap()]
}

#[test]
fn adult_as_a_whole() {
    let Some(data) = Data::open("adult", ADULT, ADULT_BOUNDS) else { return };
    let mut table = Table::new();
    let age = || column("age");
    let ages = histogram("age", &["20", "30", "40", "50", "60", "70"]);
    let exact = [Item::count_rows(), Item::count(age()), Item::sum(age()), ages.clone(), Item::clamped(age())];
    // By itself the sum has no centre.
    let alone = [Item::sum(age())];
    let ratios = ratios("age", "age", ages);
    for price in prices("0.5", "0.05") {
        for (items, releases) in [(&exact[..], RELEASES), (&alone[..], RELEASES), (&ratios[..], RELEASES_OF_RATIOS)] {
            Case { data: &data, items, groups: &[], contribution: CONTRIBUTION, replicas: 1_000, releases }.cover(&mut table, price);
        }
        ranges_have_none(&data, "age", price);
    }
}

#[test]
fn adult_in_groups() {
    let Some(data) = Data::open("adult", ADULT, ADULT_BOUNDS) else { return };
    let mut table = Table::new();
    let age = || column("age");
    let items = [Item::count_rows(), Item::sum(age()), Item::mean(age()), Item::variance(age())];
    for price in prices("0.1", "0.005") {
        Case { data: &data, items: &items, groups: &["sex"], contribution: CONTRIBUTION, replicas: 1_000, releases: RELEASES }
            .cover(&mut table, price);
    }
    for price in prices_of_unknown("0.5", "0.05") {
        let case = Case {
            data: &data,
            items: &items[..3],
            groups: &["native-country"],
            contribution: CONTRIBUTION,
            replicas: 250,
            releases: RELEASES_OF_RATIOS,
        };
        case.cover(&mut table, price);
        let largest = query(&[Item::count_rows()], &["native-country"]).top(0, 3).unwrap();
        cover_alone(&data, &mut table, &largest, &["native-country"], &Item::count_rows(), price);
    }
}

#[test]
fn pums_as_a_whole_and_in_groups() {
    let Some(data) = Data::open("pums", PUMS, PUMS_BOUNDS) else { return };
    let mut table = Table::new();
    let income = || column("income");
    let ages = histogram("age", &["18", "30", "45", "65", "80"]);
    let exact = [Item::count_rows(), Item::count(income()), Item::sum(income()), ages.clone(), Item::clamped(income())];
    let ratios = ratios("income", "age", ages);
    for price in prices("2", "0.5") {
        for (items, releases) in [(&exact[..], RELEASES), (&ratios[..], RELEASES_OF_RATIOS)] {
            Case { data: &data, items, groups: &[], contribution: CONTRIBUTION, replicas: 1_000, releases }.cover(&mut table, price);
        }
        ranges_have_none(&data, "income", price);
    }
    for price in prices("2", "0.05") {
        for (items, releases) in [(&exact[..3], RELEASES), (&ratios[..1], RELEASES_OF_RATIOS)] {
            let case = Case { data: &data, items, groups: &["educ"], contribution: CONTRIBUTION, replicas: 1_000, releases };
            case.cover(&mut table, price);
        }
    }
    let items = [Item::count_rows(), Item::sum(income()), Item::mean(income())];
    for price in prices_of_unknown("2", "0.05") {
        let (groups, releases) = (&["race"], RELEASES_OF_RATIOS);
        Case { data: &data, items: &items, groups, contribution: CONTRIBUTION, replicas: 1_000, releases }.cover(&mut table, price);
    }
}

/// What is exact at the visits: all but ratios and quantiles.
fn visits_exact() -> Vec<Item> {
    let (money, minutes) = (|| column(MONEY), histogram(MINUTES, &["5", "15", "25", "35", "50"]));
    let items = [Item::count_rows(), Item::count_distinct(column("VisitorId")), Item::count(money()), Item::sum(money())];
    items.into_iter().chain([Item::clamped(money()), minutes]).collect()
}

fn visits_ratios() -> Vec<Item> {
    ratios(MONEY, MINUTES, histogram(MINUTES, &["5", "15", "25", "35", "50"]))
}

#[test]
fn restaurant_as_a_whole() {
    let Some(data) = Data::open("restaurant", RESTAURANT, RESTAURANT_BOUNDS) else { return };
    let mut table = Table::new();
    let visits: Vec<usize> = data.naive.grouped(&["VisitorId"]).values().map(Vec::len).collect();
    let lost = |most: usize| visits.iter().filter(|visits| **visits > most).count() as i128;
    let (exact, ratios, dropped) = (visits_exact(), visits_ratios(), query(&[Item::dropped()], &[]));
    for price in prices("2", "0.5") {
        for (items, releases) in [(&exact, RELEASES), (&ratios, RELEASES_OF_RATIOS)] {
            let contribution = CONTRIBUTION_OF_ONE_GROUP;
            Case { data: &data, items, groups: &[], contribution, replicas: 1_000, releases }.cover(&mut table, price);
        }
        cover_alone(&data, &mut table, &dropped, &[], &Item::dropped(), price);
        ranges_have_none(&data, MONEY, price);
    }
    // What contribution bounding leaves does not depend on which rows are kept, but in the sums.
    let bound = BoundQuery::new(&query(&[Item::count_rows(), Item::dropped()], &[]), &data.schema).unwrap();
    let kept = visits.iter().map(|visits| (*visits).min(2) as i128).sum::<i128>();
    assert_eq!(data.exact(&bound).sums(), [kept, lost(2)]);
}

#[test]
fn restaurant_by_day() {
    let Some(data) = Data::open("restaurant", RESTAURANT, RESTAURANT_BOUNDS) else { return };
    let mut table = Table::new();
    let money = || column(MONEY);
    let items = [Item::count_rows(), Item::count_distinct(column("VisitorId")), Item::sum(money())];
    for price in prices("2", "0.5") {
        let case = Case { data: &data, items: &items, groups: &["Day"], contribution: CONTRIBUTION, replicas: 1_000, releases: RELEASES };
        case.cover(&mut table, price);
        let items = [Item::count_rows(), Item::mean(money())];
        Case { items: &items, releases: RELEASES_OF_RATIOS, ..case }.cover(&mut table, price);
    }
    let unknown = Data::open_with("restaurant", RESTAURANT, RESTAURANT_BOUNDS, ANY_DAYS, CONTRIBUTION).unwrap();
    for price in prices_of_unknown("2", "0.5") {
        let items = [Item::count_rows(), Item::sum(money()), Item::mean(money())];
        let case = Case {
            data: &unknown,
            items: &items,
            groups: &["Day"],
            contribution: CONTRIBUTION,
            replicas: 1_000,
            releases: RELEASES_OF_RATIOS,
        };
        case.cover(&mut table, price);
    }
}

/// Where every unit keeps all of its rows, the sums are those of the file.
#[test]
fn an_ample_contribution_leaves_the_file_as_it_is() {
    let Some(data) = Data::open_with("restaurant", RESTAURANT, RESTAURANT_BOUNDS, SEVEN_DAYS, AMPLE) else { return };
    for (items, groups) in
        [(visits_exact(), &[][..]), (visits_ratios(), &[][..]), (visits_exact(), &["Day"][..]), (visits_ratios(), &["Day"][..])]
    {
        let bound = BoundQuery::new(&query(&items, groups), &data.schema).unwrap();
        let exact = data.exact(&bound);
        let sums = Sums { bound: &bound, schema: &data.schema, sums: exact.sums().to_vec(), cells: bound.cells().unwrap() };
        let keys: Vec<Vec<GroupKey>> = (0..sums.cells).map(|cell| bound.key(cell)).collect();
        let found: Vec<Vec<Truth>> = (0..sums.cells).map(|cell| items.iter().flat_map(|item| sums.truths(cell, item)).collect()).collect();
        assert_eq!(found, data.truths(&keys, &items, groups, true));
    }
}
