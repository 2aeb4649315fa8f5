//! The owner, the gate and the researchers of the notebook, and how a question is asked and printed.

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use usufruct::budget::Loss;
use usufruct::dataset::{Description, DescriptionFile, table_schema};
use usufruct::gate::{AnswerError, Gate};
use usufruct::holder::Holder;
use usufruct::id::{Decimal, Time};
use usufruct::key::{Signer as _, SigningKey};
use usufruct::owner::Owner;
use usufruct::plan::{Allocation, BoundQuery};
use usufruct::query::{Operation, Query};
use usufruct::random::SystemRandom;
use usufruct::receipt::{AnswerKey, Release};
use usufruct::right::{Ask, Terms, Verified};
use usufruct::space::Space;
use usufruct::table::{CsvOptions, CsvSource};

use crate::people::People;
use crate::plot::{Outcome, number};

/// The owner's budget for people, what the researcher is granted of it, and what a colleague is.
const BUDGET: (&str, &str) = ("4", "0.00001");
const GRANTED: (&str, &str) = ("2.6", "0.000005");
const COLLEAGUE: (&str, &str) = ("1", "0");
/// Of the same people published once more.
pub(crate) const RHO: &str = "0.5";
pub(crate) const RHO_DELTA: &str = "0.000001";
pub(crate) const REPORT_DELTA: &str = "0.000001";

/// Of answers with more rows only the first are printed.
const ROWS_SHOWN: usize = 12;

/// Who may ask what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Researcher,
    Colleague,
    InRho,
}

/// What is left after a question to people: one step of the plot.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) colleague: bool,
    pub(crate) refused: bool,
    /// Epsilon spent by the researcher, and of the dataset.
    pub(crate) right: f64,
    pub(crate) dataset: f64,
}

/// How the budget went.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) right: f64,
    pub(crate) dataset: f64,
    pub(crate) steps: Vec<Step>,
}

pub(crate) struct Notebook {
    pub(crate) gate: Gate,
    /// People in epsilon, and in rho.
    descriptions: [Description; 2],
    holder: Holder,
    /// In the order of [`Right`].
    rights: [Verified; 3],
    random: SystemRandom,
    now: Time,
    course: Course,
}

/// The terms of a right to everything that is asked here.
pub(crate) fn terms(budget: Loss, uses: u64, not_after: Time) -> Result<Terms, Box<dyn Error>> {
    let terms = Terms::process(budget)
        .operations(Operation::ALL.into_iter().filter(|operation| *operation != Operation::Bounds))
        .columns(["sex", "age", "work", "origin"])
        .purposes(["research:labour"])
        .uses(uses)
        .not_after(not_after);
    Ok(terms.build()?)
}

impl Notebook {
    pub(crate) fn open(people: &People, folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut random = SystemRandom::new()?;
        let now = Time::now();
        let [owner, next, holder] = [(); 3].map(|()| SigningKey::generate(&mut random));
        let (owner, holder) = (Owner::new(owner), Holder::new(holder));
        let space = Space::create_with(
            folder.join("space"),
            owner.signer(),
            next.public(),
            now,
            usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
        )?;
        let (epsilon, delta) = BUDGET;
        let budgets = [
            ("people", format!("{{ model = \"approx\", epsilon = \"{epsilon}\", delta = \"{delta}\" }}")),
            (
                "people_in_rho",
                format!("{{ model = \"zcdp\", rho = \"{RHO}\", delta = \"{RHO_DELTA}\", report_delta = \"{REPORT_DELTA}\" }}"),
            ),
        ];
        let mut published = Vec::new();
        for (name, budget) in budgets {
            let DescriptionFile { description, data } = DescriptionFile::parse(&people.description(name, &budget), folder)?;
            fs::write(&data.path, people.csv())?;
            let source = CsvSource::open(&data.path, CsvOptions::default(), table_schema(description.schema()))?;
            let card = space.publish(&description, &source, owner.signer(), &mut |_| ControlFlow::Continue(()))?.card;
            published.push((description, card));
        }
        let [(in_epsilon, card), (in_rho, rho_card)] = published.try_into().map_err(|_| "two datasets")?;
        println!("OWNER: publishes sex, age, work and origin of people, with a budget of {}", in_epsilon.budget());
        println!("  {} people of {}", number(people.len() as f64), people.source);
        println!("{}", in_epsilon.promise());
        println!("values of sex and work are listed; which values origin has is for answers to reveal, at a price");

        let budgets = [Loss::approx(GRANTED.0, GRANTED.1)?, Loss::approx(COLLEAGUE.0, COLLEAGUE.1)?, Loss::zcdp(RHO, RHO_DELTA)?];
        let cards = [&card, &card, &rho_card];
        let mut rights = Vec::new();
        for (budget, card) in budgets.into_iter().zip(cards) {
            rights.push(owner.grant(card, holder.public(), terms(budget, 20, now.plus_s(24 * 3600))?, now, &mut random)?);
        }
        let rights: [Verified; 3] = rights.try_into().map_err(|_| "three rights")?;
        println!("OWNER: grants a researcher {} in {} answers", rights[0].terms().budget, rights[0].terms().uses);
        println!("OWNER: grants a colleague {}", rights[1].terms().budget);
        let course = Course { right: GRANTED.0.parse()?, dataset: epsilon.parse()?, steps: Vec::new() };
        Ok(Self { gate: space.gate(), descriptions: [in_epsilon, in_rho], holder, rights, random, now, course })
    }

    pub(crate) fn description(&self, right: Right) -> &Description {
        &self.descriptions[usize::from(right == Right::InRho)]
    }

    pub(crate) const fn course(&self) -> &Course {
        &self.course
    }

    /// Signs a question.
    pub(crate) fn request(&mut self, right: Right, sql: &str, price: Loss) -> Result<Vec<u8>, Box<dyn Error>> {
        let ask = Ask::new(Query::sql(sql)?, price);
        Ok(self.holder.request(&self.rights[right as usize], ask, self.now, &mut self.random)?.bytes().to_vec())
    }

    /// Quotes a question, asks it, and prints both.
    pub(crate) fn ask(&mut self, right: Right, sql: &str, price: Loss) -> Outcome {
        let who = if right == Right::Colleague { "COLLEAGUE" } else { "RESEARCHER" };
        println!("\n{who}: {sql}");
        let request = self.request(right, sql, price)?;
        let quote = self.gate.quote(&request)?;
        let groups = quote.groups.map_or("which there are is told by the answer".to_owned(), |groups| groups.to_string());
        println!("quote: {} of {}, groups: {groups}", quote.price, quote.remaining);
        for line in widths(self.description(right), sql, price)? {
            println!("quote: {line}");
        }
        let refused = match self.gate.answer(&request) {
            Ok(release) => {
                print_answer(&release);
                false
            }
            Err(AnswerError::Refused { refusal, .. }) => {
                println!("refused, and nothing charged: {refusal}");
                true
            }
            Err(error) => return Err(error.into()),
        };
        if right != Right::InRho {
            self.note(right, price, refused)?;
        }
        Ok(())
    }

    fn note(&mut self, right: Right, price: Loss, refused: bool) -> Outcome {
        let before = self.course.steps.last().map_or(0.0, |step| step.right);
        let paid = if right == Right::Researcher && !refused { epsilon(price)? } else { 0.0 };
        let states = self.gate.datasets()?;
        let state = states.iter().find(|state| state.description.name().as_str() == "people").ok_or("no people")?;
        let colleague = right == Right::Colleague;
        self.course.steps.push(Step { colleague, refused, right: before + paid, dataset: epsilon(state.balance.spent())? });
        Ok(())
    }
}

/// What an amount in epsilon is as a number, for a plot.
fn epsilon(amount: Loss) -> Result<f64, Box<dyn Error>> {
    match amount {
        Loss::Approx { epsilon, .. } => Ok(epsilon.to_string().parse()?),
        Loss::Zcdp { .. } => Err("an amount in rho".into()),
    }
}

/// How wide the intervals will be, known before anything is spent.
pub(crate) fn widths(description: &Description, sql: &str, price: Loss) -> Result<Vec<String>, Box<dyn Error>> {
    let bound = BoundQuery::new(&Query::sql(sql)?, description.schema())?;
    let allocation = Allocation::new(&bound, price)?;
    // The width of a ratio depends on the size of its group, which the researcher supposes: it never comes from the data.
    let supposed = |rows: u64| allocation.widths(Some(rows)).into_iter().map(|width| width.half.map(float).map(number)).collect::<Vec<_>>();
    let (few, many) = (supposed(100), supposed(10_000));
    let mut lines: Vec<String> = Vec::new();
    for (place, (label, width)) in bound.labels().iter().zip(allocation.widths(None)).enumerate() {
        let line = match (width.half, &few[place], &many[place]) {
            (Some(half), ..) => format!("{label} to within {half}"),
            (None, Some(few), Some(many)) => format!("{label} to within {few} in a group of 100, {many} in one of 10,000"),
            _ if width.method.starts_with("none") => format!("{label}: {}", width.method),
            _ => format!("{label}: its width depends on the data"),
        };
        lines.push(line);
    }
    Ok(lines)
}

fn print_answer(release: &Release) {
    let answer = release.answer();
    let mut table = vec![answer.columns.iter().map(ToString::to_string).collect::<Vec<_>>()];
    for row in release.rows().iter().take(ROWS_SHOWN) {
        let keys = row.key.iter().map(|key| match key {
            AnswerKey::Text(text) => text.clone(),
            AnswerKey::Integer(number) => number.to_string(),
        });
        table.push(keys.chain(row.values.iter().map(ToString::to_string)).collect());
    }
    // One row is read more easily as a column.
    if table.len() == 2 {
        table = (0..table[0].len()).map(|place| table.iter().map(|row| row[place].clone()).collect()).collect();
    }
    for row in &table {
        let width = |place: usize| table.iter().map(|row| columns(&row[place])).max().unwrap_or(0);
        let cells = row.iter().enumerate().map(|(place, cell)| format!("{cell}{}", " ".repeat(width(place) - columns(cell))));
        println!("{}", format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end());
    }
    let more = release.rows().len().saturating_sub(ROWS_SHOWN);
    if more > 0 {
        println!("  and {more} more");
    }
    println!("paid {}, {} is left for {} answers", answer.spent, answer.remaining, answer.uses_left);
}

/// Places a text takes on a terminal.
fn columns(text: &str) -> usize {
    text.chars().map(|char| if char >= '\u{1100}' { 2 } else { 1 }).sum()
}

pub(crate) fn float(decimal: Decimal) -> f64 {
    decimal.mantissa() as f64 / 10_f64.powi(decimal.scale().into())
}
