//! The same question a thousand times: how often do the intervals hold the truth, and how wide are they?
//!
//! Asked of a gate with recorded noise, so that every run of the example sees the same. Of a real gate nobody but its owner
//! knows the truth, and no budget is meant to last that long.

use std::error::Error;
use std::fs;
use std::path::Path;

use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{DescriptionFile, Schema, table_schema};
use usufruct::gate::TestGate;
use usufruct::holder::Holder;
use usufruct::id::{Decimal, Time};
use usufruct::key::SigningKey;
use usufruct::owner::Owner;
use usufruct::query::Query;
use usufruct::random::RecordedRandom;
use usufruct::receipt::{Release, Value};
use usufruct::right::{Ask, EXPIRY_DEFAULT_S, Verified};
use usufruct::table::{CsvOptions, CsvSource};

use crate::laws::{Aggregate, Laws};
use crate::people::{AGES, People, Truth};
use crate::plot::number;
use crate::walk::{float, terms};

pub(crate) const RUNS: usize = 1000;
pub(crate) const RUN_EPSILON: &str = "0.1";
const EPSILONS: [&str; 8] = ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"];
/// Answers at each of them.
const ANSWERS: usize = 25;

const QUESTION: &str = "SELECT work, COUNT(*), SUM(age), AVG(age) FROM people GROUP BY work";
const SEED: &str = "researcher";
/// 2026-01-01.
const NOW: u64 = 1_767_225_600;

/// A gate for tests with everything that is needed to ask it.
pub(crate) struct Laboratory {
    gate: TestGate,
    schema: Schema,
    query: Query,
    right: Verified,
    holder: Holder,
    random: RecordedRandom,
}

/// An aggregate of a group: one of those that are drawn.
pub(crate) struct Series {
    pub(crate) aggregate: Aggregate,
    group: usize,
    truth: Truth,
}

impl Series {
    /// How many the group has.
    pub(crate) fn people(&self) -> String {
        number(self.truth.count as f64)
    }
}

/// What came out of all runs for a series.
#[derive(Default)]
pub(crate) struct Errors {
    /// Intervals that hold the truth.
    pub(crate) hits: usize,
    /// Value less truth, by how far the interval reaches to that side: from -1 to 1 exactly where it holds the truth.
    pub(crate) ratios: Vec<f64>,
    /// Means that noise threw out of the bounds of ages.
    pub(crate) cut: usize,
}

/// What an epsilon buys a series: widths of intervals, and the one that theory expects.
pub(crate) struct Widths {
    pub(crate) epsilon: f64,
    pub(crate) median: f64,
    /// All but a tenth on each side.
    pub(crate) most: [f64; 2],
    pub(crate) theory: f64,
}

impl Laboratory {
    pub(crate) fn new(people: &People, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut random = RecordedRandom::from_seed(SEED);
        let [owner, holder] = [(); 2].map(|()| SigningKey::generate(&mut random));
        let (owner, holder) = (Owner::new(owner), Holder::new(holder));
        let DescriptionFile { description, data } = DescriptionFile::parse(&people.description("1000"), folder)?;
        fs::write(&data.path, people.csv())?;
        let gate = TestGate::create(&folder.join("laboratory"), owner.signer(), SEED, || NOW)?;
        let source = CsvSource::open(&data.path, CsvOptions::default(), table_schema(description.schema()))?;
        let card = gate.publish(&description, &source, owner.signer())?.card;
        let now = Time::from_unix_s(NOW);
        let right = owner.grant(&card, holder.public(), terms("1000", 10_000, now.plus_s(24 * 3600))?, now, &mut random)?;
        Ok(Self { gate, schema: description.schema().clone(), query: Query::sql(QUESTION)?, right, holder, random })
    }

    fn ask(&mut self, price: Epsilon) -> Result<Release, Box<dyn Error>> {
        let ask = Ask { query: self.query.clone(), price: Loss::pure(price), purpose: None, expiry_s: EXPIRY_DEFAULT_S, seen: None };
        let request = self.holder.request(&self.right, ask, Time::from_unix_s(NOW), &mut self.random)?;
        Ok(self.gate.answer(request.bytes())?)
    }
}

/// Count, sum and mean of the largest group, and the mean of the smallest one with anybody in it.
pub(crate) fn drawn(people: &People) -> Result<[Series; 4], Box<dyn Error>> {
    let groups = people.by_work();
    let sizes = || groups.iter().enumerate().filter(|(_, (_, truth))| truth.count > 0);
    let largest = sizes().max_by_key(|(_, (_, truth))| truth.count).ok_or("nobody is there")?.0;
    let smallest = sizes().min_by_key(|(_, (_, truth))| truth.count).ok_or("nobody is there")?.0;
    let series = |aggregate: Aggregate, group: usize| Series { aggregate, group, truth: groups[group].1 };
    Ok([
        series(Aggregate::Count, largest),
        series(Aggregate::Sum, largest),
        series(Aggregate::Mean, largest),
        series(Aggregate::Mean, smallest),
    ])
}

/// Asks a thousand times, checks that each aggregate of each group keeps its promise, and hands out what is drawn.
pub(crate) fn errors(laboratory: &mut Laboratory, people: &People, drawn: &[Series; 4]) -> Result<[Errors; 4], Box<dyn Error>> {
    let price = Epsilon::parse(RUN_EPSILON)?;
    let laws = Laws::of(&laboratory.schema, &laboratory.query, price)?;
    println!("\n{} RUNS of a gate with recorded noise, at epsilon {price}: {QUESTION}", number(RUNS as f64));
    for aggregate in Aggregate::ALL {
        let (hits, percent) = (laws.hits(aggregate, RUNS), 100.0 * laws.coverage(aggregate));
        let law = if aggregate == Aggregate::Mean { "promises at least" } else { "covers by its law" };
        let (least, most) = (number(*hits.start() as f64), number(*hits.end() as f64));
        println!("{} {law} {percent:.2} %: {least} to {most} should hold the truth; chance misses that once in 10^6", aggregate.name());
    }

    let groups = people.by_work();
    let mut hits = vec![[0; 3]; groups.len()];
    let mut errors = [(); 4].map(|()| Errors::default());
    for _ in 0..RUNS {
        let release = laboratory.ask(price)?;
        for (group, (row, (_, truth))) in release.rows().iter().zip(&groups).enumerate() {
            for (place, (aggregate, value)) in Aggregate::ALL.into_iter().zip(&row.values).enumerate() {
                let Some(truth) = aggregate.truth(*truth) else { continue };
                let hit = holds(value, truth);
                hits[group][place] += usize::from(hit);
                let drawn = drawn.iter().position(|series| series.group == group && series.aggregate == aggregate);
                if let Some(errors) = drawn.map(|place| &mut errors[place]) {
                    errors.hits += usize::from(hit);
                    errors.ratios.extend(ratio(value, truth));
                    let bound = |value: Decimal| AGES.contains(&value.mantissa());
                    errors.cut += usize::from(aggregate == Aggregate::Mean && value.value.is_some_and(bound));
                }
            }
        }
    }

    println!("  {:>18} {:>7}  {}", "work", "people", Aggregate::ALL.map(Aggregate::name).join("  "));
    let mut broken = Vec::new();
    for ((work, truth), hits) in groups.iter().zip(&hits) {
        let mut shown = String::new();
        for (aggregate, hits) in Aggregate::ALL.into_iter().zip(hits) {
            let judged = aggregate.truth(*truth).is_some();
            shown += &format!("  {:>8}", if judged { hits.to_string() } else { "-".to_owned() });
            if judged && !laws.hits(aggregate, RUNS).contains(hits) {
                broken.push(format!("{} of {work}: {hits}", aggregate.name()));
            }
        }
        println!("  {work:>18} {:>7}{shown}", number(truth.count as f64));
    }
    if !broken.is_empty() {
        return Err(format!("intervals that hold the truth too seldom or too often: {}", broken.join(", ")).into());
    }
    println!("all aggregates of all groups keep their promise");
    Ok(errors)
}

/// How wide the intervals of each series are, by epsilon.
pub(crate) fn widths(laboratory: &mut Laboratory, drawn: &[Series; 4]) -> Result<[Vec<Widths>; 4], Box<dyn Error>> {
    let mut all = [(); 4].map(|()| Vec::new());
    for text in EPSILONS {
        let price = Epsilon::parse(text)?;
        let laws = Laws::of(&laboratory.schema, &laboratory.query, price)?;
        let releases = (0..ANSWERS).map(|_| laboratory.ask(price)).collect::<Result<Vec<_>, _>>()?;
        for (series, all) in drawn.iter().zip(&mut all) {
            let place = series.aggregate as usize;
            let values = releases.iter().map(|release| &release.rows()[series.group].values[place]);
            let mut widths: Vec<_> = values.map(|value| end(value.high) - end(value.low)).collect();
            widths.sort_by(f64::total_cmp);
            let theory = 2.0 * laws.half_width(series.aggregate, series.truth);
            let tenth = ANSWERS / 10;
            let most = [widths[tenth], widths[ANSWERS - 1 - tenth]];
            all.push(Widths { epsilon: text.parse()?, median: widths[ANSWERS / 2], most, theory });
        }
    }
    Ok(all)
}

/// An end of an interval that every count, sum and mean has.
fn end(decimal: Option<Decimal>) -> f64 {
    decimal.map_or(f64::NAN, float)
}

/// Exactly, in integers.
fn holds(value: &Value, (numerator, denominator): (i128, i128)) -> bool {
    let times = |end: Decimal| (end.mantissa() * denominator, numerator * 10_i128.pow(end.scale().into()));
    let (low, high) = (value.low.map(times), value.high.map(times));
    low.is_some_and(|low| low.0 <= low.1) && high.is_some_and(|high| high.1 <= high.0)
}

/// Nothing where there is no value.
fn ratio(value: &Value, truth: (i128, i128)) -> Option<f64> {
    let estimate = float(value.value?);
    let error = estimate - truth.0 as f64 / truth.1 as f64;
    // What is too high is covered by the lower half of the interval.
    let reach = if error > 0.0 { estimate - end(value.low) } else { end(value.high) - estimate };
    Some(if error == 0.0 { 0.0 } else { error / reach })
}
