//! The owner probes what answers are made with, before trusting it with people.

use usufruct::budget::{Epsilon, Loss};
use usufruct::dataset::{Column, ColumnType, Values};
use usufruct::dp::LaplaceMechanism;
use usufruct::probe::{Cell, Claim, Noise, Probe, ProbeReport, RequestProbe, Rows, Subject};
use usufruct::query::Query;
use usufruct::random::Random;

use crate::notebook::{Notebook, Right};
use crate::plot::Outcome;

const SQL: &str = "SELECT sex, COUNT(*), AVG(age) FROM people WHERE age >= 18 GROUP BY sex";
/// People who are made up for the probe.
const PEOPLE: usize = 24;
const RUNS: u32 = 4_000;

/// A count that says epsilon 1 and adds half the noise that takes.
struct Careless {
    said: LaplaceMechanism,
    done: LaplaceMechanism,
}

impl Subject for Careless {
    type Data = u32;

    fn steps(&self, rows: &u32) -> Vec<Claim> {
        vec![Claim::new("count", self.claimed(), 1, Noise::Laplace(self.said.scale()), vec![(*rows).into()])]
    }

    fn release(&self, rows: &u32, random: &mut dyn Random) -> Vec<Option<i128>> {
        vec![Some(self.done.release((*rows).into(), random))]
    }

    fn claimed(&self) -> Loss {
        Loss::pure(Epsilon::from_units(1_000_000_000_000).unwrap_or(Epsilon::ZERO))
    }
}

pub(crate) fn audit(notebook: &Notebook) -> Outcome {
    println!("\n8. SELF-AUDIT: the same question on tables that differ by one person, thousands of times");
    println!("OWNER: {SQL}, on {PEOPLE} made-up people");
    let schema = notebook.description(Right::Researcher).schema().clone();
    let cell = |column: &Column, row: usize| match (&column.values, &column.kind) {
        (Some(Values::Text(values)), _) => Cell::Text(values[row % values.len()].clone()),
        (_, ColumnType::Text) => Cell::Text(format!("place {}", row % 5)),
        _ => Cell::Number((row * 37 % 90).try_into().unwrap_or(0)),
    };
    let rows = (0..PEOPLE).map(|row| schema.columns().iter().map(|column| cell(column, row)).collect()).collect();
    let rows = Rows::new(schema, rows)?;
    let report = RequestProbe::new(&Query::sql(SQL)?, rows, Loss::approx("1", "0")?)?.runs(RUNS).run()?;
    print(&report);
    if !report.findings.is_empty() || report.epsilon_low > report.epsilon_claimed {
        return Err("the probe accuses an honest question".into());
    }
    println!("no finding, and the lower bound of epsilon is below what was claimed: evidence, no proof");

    println!("\nOWNER: a count that claims epsilon 1 and draws the noise of epsilon 2");
    let careless =
        Careless { said: LaplaceMechanism::new(1, Epsilon::parse("1")?)?, done: LaplaceMechanism::new(1, Epsilon::parse("2")?)? };
    let report = Probe::new(careless).neighbours(100, 101).run();
    print(&report);
    if report.findings.is_empty() || report.epsilon_low <= report.epsilon_claimed {
        return Err("the probe overlooks a planted fault".into());
    }
    let mut checks: Vec<_> = report.findings.iter().map(|finding| finding.fault.check().to_string()).collect();
    checks.dedup();
    println!("found by {}: the lower bound of epsilon is above what was claimed", checks.join(" and "));
    Ok(())
}

fn print(report: &ProbeReport) {
    for line in report.to_string().lines() {
        println!("  {line}");
    }
}
