//! The same question a thousand times: how often do the intervals hold the truth? And how far off are values, by epsilon?
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
use usufruct::receipt::{AnswerValue, Release};
use usufruct::right::{Ask, Verified};
use usufruct::table::{CsvOptions, CsvSource};

use crate::laws::{Aggregate, Laws, error_of_count, error_of_median};
use crate::notebook::{float, terms};
use crate::people::People;
use crate::plot::{Outcome, number};

pub(crate) const RUNS: usize = 1000;
pub(crate) const RUN_EPSILON: &str = "0.1";
const EPSILONS: [&str; 8] = ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"];
/// Answers to each question at each of them.
pub(crate) const ANSWERS: usize = 100;
/// Of the group they are about, as nearly as there is one.
const GROUP_SIZE: i128 = 1_000;

const QUESTION: &str = "SELECT work, COUNT(*), SUM(age), AVG(age) FROM people GROUP BY work";
const SEED: &str = "researcher";
/// 2026-01-01.
const NOW: u64 = 1_767_225_600;

/// A gate for tests with everything that is needed to ask it.
pub(crate) struct Laboratory {
    gate: TestGate,
    schema: Schema,
    right: Verified,
    holder: Holder,
    random: RecordedRandom,
}

/// What a question of one kind gave at each epsilon.
pub(crate) struct Errors {
    /// What is asked, with its unit.
    pub(crate) name: String,
    /// How many people it is asked of.
    pub(crate) people: String,
    pub(crate) points: Vec<Point>,
}

/// How far off the values were.
pub(crate) struct Point {
    pub(crate) epsilon: f64,
    /// On average of all answers.
    pub(crate) mean: f64,
    /// Two standard errors of that to both sides.
    pub(crate) slack: f64,
    pub(crate) theory: f64,
}

impl Laboratory {
    pub(crate) fn new(people: &People, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut random = RecordedRandom::from_seed(SEED);
        let [owner, holder] = [(); 2].map(|()| SigningKey::generate(&mut random));
        let (owner, holder) = (Owner::new(owner), Holder::new(holder));
        let DescriptionFile { description, data } =
            DescriptionFile::parse(&people.description("people", "{ model = \"approx\", epsilon = \"10000\" }"), folder)?;
        fs::write(&data.path, people.csv())?;
        let gate = TestGate::create(&folder.join("laboratory"), owner.signer(), SEED, || NOW)?;
        let source = CsvSource::open(&data.path, CsvOptions::default(), table_schema(description.schema()))?;
        let card = gate.publish(&description, &source, owner.signer())?.card;
        let now = Time::from_unix_s(NOW);
        let right =
            owner.grant(&card, holder.public(), terms(Loss::approx("10000", "0")?, 10_000, now.plus_s(24 * 3600))?, now, &mut random)?;
        Ok(Self { gate, schema: description.schema().clone(), right, holder, random })
    }

    fn ask(&mut self, query: &Query, price: Epsilon) -> Result<Release, Box<dyn Error>> {
        let ask = Ask::new(query.clone(), Loss::pure(price));
        let request = self.holder.request(&self.right, ask, Time::from_unix_s(NOW), &mut self.random)?;
        Ok(self.gate.answer(request.bytes())?)
    }
}

/// Asks a thousand times, and checks that each aggregate of each group keeps its promise.
pub(crate) fn coverage(laboratory: &mut Laboratory, people: &People) -> Outcome {
    let price = Epsilon::parse(RUN_EPSILON)?;
    let query = Query::sql(QUESTION)?;
    let laws = Laws::of(&laboratory.schema, &query, price)?;
    println!("{} times at epsilon {price}: {QUESTION}", number(RUNS as f64));
    for aggregate in Aggregate::ALL {
        let (hits, percent) = (laws.hits(aggregate, RUNS), 100.0 * laws.coverage(aggregate));
        let law = if aggregate == Aggregate::Mean { "promises at least" } else { "covers by its law" };
        let (least, most) = (number(*hits.start() as f64), number(*hits.end() as f64));
        println!("{} {law} {percent:.2} %: {least} to {most} should hold the truth; chance misses that once in 10^6", aggregate.name());
    }

    let groups = people.by_work();
    let mut hits = vec![[0; 3]; groups.len()];
    for _ in 0..RUNS {
        let release = laboratory.ask(&query, price)?;
        for ((row, (_, truth)), hits) in release.rows().iter().zip(&groups).zip(&mut hits) {
            for ((aggregate, value), hits) in Aggregate::ALL.into_iter().zip(&row.values).zip(hits) {
                *hits += usize::from(aggregate.truth(*truth).is_some_and(|truth| holds(value, truth)));
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
    Ok(())
}

/// How far off count, mean and median of one group are, each asked alone at several epsilons.
pub(crate) fn errors(laboratory: &mut Laboratory, people: &People) -> Result<[Errors; 3], Box<dyn Error>> {
    let groups = people.by_work();
    let size = |place: &usize| groups[*place].1.count.abs_diff(GROUP_SIZE);
    let place = (0..groups.len()).min_by_key(size).ok_or("nobody is there")?;
    let (work, truth) = groups[place];
    let ages = people.ages_of(place);
    let size = number(truth.count as f64);
    println!("{ANSWERS} answers at each of {} epsilons: count, mean and median of one work", EPSILONS.len());
    println!("  {work}: {size} people");
    let middle = |place: &usize| 2 * i128::from(ages[..=*place].iter().sum::<u64>()) >= truth.count;
    let median = (0..ages.len()).find(middle).ok_or("nobody is there")? as f64;
    let mean = truth.sum as f64 / truth.count as f64;
    let questions = [("COUNT(*)", "people", truth.count as f64), ("AVG(age)", "years", mean), ("MEDIAN(age)", "years", median)];
    let mut all = Vec::new();
    for (item, unit, expected) in questions {
        let query = Query::sql(&format!("SELECT {item} FROM people WHERE work = '{work}'"))?;
        let mut points = Vec::new();
        for text in EPSILONS {
            let (price, epsilon): (_, f64) = (Epsilon::parse(text)?, text.parse()?);
            let theory = match item {
                "COUNT(*)" => error_of_count(epsilon),
                "AVG(age)" => Laws::of(&laboratory.schema, &query, price)?.error_of_mean(truth),
                _ => error_of_median(&ages, epsilon),
            };
            let mut errors = Vec::with_capacity(ANSWERS);
            for _ in 0..ANSWERS {
                let release = laboratory.ask(&query, price)?;
                // Where the noisy count is not positive there is no mean.
                errors.extend(release.rows()[0].values[0].value.map(|value| (float(value) - expected).abs()));
            }
            let count = errors.len() as f64;
            let mean = errors.iter().sum::<f64>() / count;
            let variance = errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / (count - 1.0);
            points.push(Point { epsilon, mean, slack: 2.0 * (variance / count).sqrt(), theory });
        }
        all.push(Errors { name: format!("{item}, in {unit}"), people: size.clone(), points });
    }
    println!("  {:>9}  {}", "epsilon", all.iter().map(|errors| format!("{:>20}", errors.name)).collect::<Vec<_>>().join("  "));
    for (place, epsilon) in EPSILONS.iter().enumerate() {
        let cell = |errors: &Errors| format!("{:>9.4} of {:>7.4}", errors.points[place].mean, errors.points[place].theory);
        println!("  {epsilon:>9}  {}", all.iter().map(cell).collect::<Vec<_>>().join("  "));
    }
    println!("mean distance from the truth, of what theory expects");
    all.try_into().map_err(|_| "three questions".into())
}

/// Exactly, in integers.
fn holds(value: &AnswerValue, (numerator, denominator): (i128, i128)) -> bool {
    let times = |end: Decimal| (end.mantissa() * denominator, numerator * 10_i128.pow(end.scale().into()));
    let (low, high) = (value.low.map(times), value.high.map(times));
    low.is_some_and(|low| low.0 <= low.1) && high.is_some_and(|high| high.1 <= high.0)
}
