//! A researcher's day: questions under a budget, each quoted before it is asked.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, iter};

use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{DescriptionFile, Schema, table_schema};
use usufruct::engine::{Bound, Split};
use usufruct::gate::{AnswerError, Gate};
use usufruct::holder::Holder;
use usufruct::id::{ColumnName, Decimal, Purpose, Time};
use usufruct::key::{Signer as _, SigningKey};
use usufruct::owner::Owner;
use usufruct::query::{Operation, Query};
use usufruct::random::SystemRandom;
use usufruct::receipt::{Key, Release};
use usufruct::right::{Ask, EXPIRY_DEFAULT_S, RightKind, Terms};
use usufruct::space::Space;
use usufruct::table::{CsvOptions, CsvSource};

use crate::people::People;
use crate::plot::{Outcome, number};

/// Questions and what is offered for them; the last but one is more than is left by then.
const QUESTIONS: [(&str, &str); 6] = [
    ("SELECT COUNT(*) FROM people WHERE age >= 65", "0.1"),
    ("SELECT AVG(age) FROM people", "0.1"),
    ("SELECT sex, COUNT(*), AVG(age) FROM people WHERE age BETWEEN 25 AND 64 GROUP BY sex", "0.3"),
    ("SELECT work, COUNT(*), SUM(age), AVG(age) FROM people GROUP BY work", "0.4"),
    ("SELECT sex, work, COUNT(*) FROM people GROUP BY sex, work", "0.2"),
    ("SELECT sex, work, COUNT(*) FROM people GROUP BY sex, work", "0.1"),
];

/// The terms of a right to everything that is asked here.
pub(crate) fn terms(epsilon: &str, uses: u64, not_after: Time) -> Result<Terms, Box<dyn Error>> {
    Ok(Terms {
        kind: RightKind::Process,
        operations: [Operation::Count, Operation::Sum, Operation::Mean].into(),
        columns: ["sex", "age", "work"].map(ColumnName::new).into_iter().collect::<Result<_, _>>()?,
        purposes: [Purpose::new("research:labour")?].into(),
        budget: Loss::approx(epsilon, "0")?,
        uses,
        not_after,
        delegation: 0,
        not_before: None,
    })
}

pub(crate) fn walk(people: &People, folder: &Path) -> Outcome {
    println!("OWNER: publishes sex, age and work of people, with a budget of epsilon 2");
    println!("  {} people of {}", number(people.len() as f64), people.source);
    let mut random = SystemRandom::new()?;
    let now = Time::from_unix_s(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let [owner, next, holder] = [(); 3].map(|()| SigningKey::generate(&mut random));
    let (owner, holder) = (Owner::new(owner), Holder::new(holder));
    let DescriptionFile { description, data } = DescriptionFile::parse(&people.description("2"), folder)?;
    fs::write(&data.path, people.csv())?;
    let space = Space::create(folder.join("space"), owner.signer(), next.public(), now)?;
    let source = CsvSource::open(&data.path, CsvOptions::default(), table_schema(description.schema()))?;
    let published = space.publish(&description, &source, owner.signer(), &mut |_| ControlFlow::Continue(()))?;
    println!("{}", description.promise());

    let right = owner.grant(&published.card, holder.public(), terms("1", 10, now.plus_s(24 * 3600))?, now, &mut random)?;
    println!("OWNER: grants a researcher {} in {} answers", right.terms().budget, right.terms().uses);
    let gate = space.gate();
    for (sql, epsilon) in QUESTIONS {
        println!("\nRESEARCHER: {sql}");
        let (query, price) = (Query::sql(sql)?, Epsilon::parse(epsilon)?);
        let ask = Ask { query: query.clone(), price: Loss::pure(price), purpose: None, expiry_s: EXPIRY_DEFAULT_S, seen: None };
        let request = holder.request(&right, ask, now, &mut random)?;
        print_quote(&gate, request.bytes(), description.schema(), &query, price)?;
        match gate.answer(request.bytes()) {
            Ok(release) => print_answer(&release),
            Err(AnswerError::Refused { refusal, .. }) => println!("refused, and nothing charged: {refusal}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What the question would cost and how wide its intervals would be, before anything is spent.
fn print_quote(gate: &Gate, request: &[u8], schema: &Schema, query: &Query, price: Epsilon) -> Outcome {
    let quote = gate.quote(request)?;
    println!("quote: {} of {}, groups: {}", quote.price, quote.remaining, quote.groups.unwrap_or(0));
    // The width of a mean depends on the size of its group, which the researcher supposes: it never comes from the data.
    let split = Split::new(&Bound::new(query, schema)?, Loss::pure(price))?;
    let supposed = |place: usize, rows: u64| split.widths(Some(rows)).get(place).and_then(|width| width.half).map(float).map(number);
    for (place, width) in quote.widths.iter().enumerate() {
        match (width.half, supposed(place, 100), supposed(place, 10_000)) {
            (Some(half), ..) => println!("quote: {} to within {half}", width.column),
            (None, Some(few), Some(many)) => {
                println!("quote: {} to within {few} in a group of 100, {many} in one of 10,000", width.column);
            }
            _ => println!("quote: {} to within its bounds", width.column),
        }
    }
    Ok(())
}

fn print_answer(release: &Release) {
    for row in release.rows() {
        let keys = row.key.iter().map(|key| match key {
            Key::Text(text) => text.clone(),
            Key::Integer(number) => number.to_string(),
        });
        let values = row.values.iter().map(ToString::to_string);
        println!("{}", iter::once(String::new()).chain(keys).chain(values).collect::<Vec<_>>().join("  "));
    }
    println!("paid {}, {} is left for {} answers", release.answer().spent, release.answer().remaining, release.answer().uses_left);
}

pub(crate) fn float(decimal: Decimal) -> f64 {
    decimal.mantissa() as f64 / 10_f64.powi(decimal.scale().into())
}
