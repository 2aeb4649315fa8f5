//! The questions of the notebook.

use usufruct::budget::Loss;
use usufruct::id::Decimal;

use crate::notebook::{Notebook, RHO, Right, widths};
use crate::plot::Outcome;

const BY_WORK: &str = "SELECT work, COUNT(*), SUM(age), AVG(age) FROM people GROUP BY work";

/// What a question would cost and give, and what it takes to be within a width.
pub(crate) fn quote(notebook: &mut Notebook) -> Outcome {
    println!("\n2. QUOTE: no cell is touched, nothing is charged");
    let sql = "SELECT work, COUNT(*), AVG(age), BUDGET(QUANTILE(age, 0.25), 0.1), BUDGET(MEDIAN(age), 0.1) FROM people GROUP BY work";
    println!("RESEARCHER: {sql}");
    let price = Loss::approx("0.5", "0")?;
    let request = notebook.request(Right::Researcher, sql, price)?;
    let quote = notebook.gate.quote(&request)?;
    println!("quote: {} of {}, groups: {}", quote.price, quote.remaining, quote.groups.unwrap_or(0));
    for step in &quote.steps {
        let levels = if step.levels.is_empty() { String::new() } else { format!(", {} level", step.levels.len()) };
        let more = if step.levels.len() > 1 { "s" } else { "" };
        println!("step: {} for {}{levels}{more}", step.step, step.price);
    }
    for line in widths(notebook.description(Right::Researcher), sql, price)? {
        println!("width: {line}");
    }
    println!("\nand the other way round: {BY_WORK}");
    let request = notebook.request(Right::Researcher, BY_WORK, Loss::approx("0.1", "0")?)?;
    for (half, column) in [("50", "COUNT(*)"), ("5", "COUNT(*)"), ("1000", "SUM(age)")] {
        let price = notebook.gate.price_for(&request, Decimal::parse(half)?, Some(column))?;
        println!("{column} to within {half} takes {price}");
    }
    Ok(())
}

pub(crate) fn counts_and_means(notebook: &mut Notebook) -> Outcome {
    println!("\n3. COUNT, SUM, AVG: each value with its 95 % interval");
    for (sql, epsilon) in [
        ("SELECT COUNT(*) FROM people WHERE age >= 65", "0.1"),
        ("SELECT sex, COUNT(*), AVG(age) FROM people WHERE age BETWEEN 25 AND 64 GROUP BY sex", "0.3"),
        (BY_WORK, "0.4"),
    ] {
        notebook.ask(Right::Researcher, sql, Loss::approx(epsilon, "0")?)?;
    }
    Ok(())
}

pub(crate) fn distribution(notebook: &mut Notebook) -> Outcome {
    println!("\n4. VARIANCE, QUANTILES, HISTOGRAM: items may name their amounts, the others share the rest");
    notebook.ask(Right::Researcher, "SELECT AVG(age), STDDEV(age) FROM people", Loss::approx("0.3", "0")?)?;
    println!("\nan interval of a quantile comes from a histogram of the same column, if one is asked for");
    let sql = "SELECT BUDGET(QUANTILE(age, 0.9), 0.1), BUDGET(MEDIAN(age), 0.1), \
               BUDGET(HISTOGRAM(age, 20, 30, 40, 45, 50, 60, 80), 0.2) FROM people";
    notebook.ask(Right::Researcher, sql, Loss::approx("0.4", "0")?)
}

pub(crate) fn unknown_groups(notebook: &mut Notebook) -> Outcome {
    println!("\n5. GROUPS THAT NOBODY LISTED: which are named is private too, and needs a delta");
    let sql = "SELECT origin, COUNT(*), AVG(age) FROM people GROUP BY origin";
    notebook.ask(Right::Researcher, sql, Loss::approx("0.4", "0.000002")?)?;
    println!("\nthe largest alone, chosen one after another");
    let sql = "SELECT origin, COUNT(*) AS many FROM people GROUP BY origin ORDER BY many DESC LIMIT 3";
    notebook.ask(Right::Researcher, sql, Loss::approx("0.4", "0.000002")?)
}

/// The same people once more, with a budget in rho.
pub(crate) fn rho(notebook: &mut Notebook) -> Outcome {
    println!("\n6. IN RHO: the same people published once more; what both lose adds up, an owner of real people chooses one");
    let promise = notebook.description(Right::InRho).promise();
    println!("{promise}");
    let price = Loss::zcdp("0.02", "0")?;
    notebook.ask(Right::InRho, &BY_WORK.replace("people", "people_in_rho"), price)?;
    let description = notebook.description(Right::InRho);
    let worth = |amount: &Loss| description.epsilon_at_report_delta(amount).map_or("-".to_owned(), |epsilon| epsilon.to_string());
    let delta = description.report_delta().map_or("-".to_owned(), |delta| delta.to_string());
    println!("rho 0.02 is worth epsilon {} at a delta of {delta}", worth(&price));
    let all = Loss::zcdp(RHO, "0")?;
    println!("25 such answers, rho {RHO}, are worth epsilon {}: not 25 times as much", worth(&all));
    Ok(())
}

pub(crate) fn no_budget(notebook: &mut Notebook) -> Outcome {
    println!("\n9. NO BUDGET: what does not fit is refused before a cell is touched, whoever asks");
    notebook.ask(Right::Colleague, "SELECT AVG(age) FROM people", Loss::approx("0.9", "0")?)?;
    let sql = "SELECT sex, work, COUNT(*) FROM people GROUP BY sex, work";
    for epsilon in ["0.5", "0.3"] {
        notebook.ask(Right::Researcher, sql, Loss::approx(epsilon, "0")?)?;
    }
    notebook.ask(Right::Colleague, "SELECT COUNT(*) FROM people", Loss::approx("0.2", "0")?)
}

/// What the owner reads.
pub(crate) fn books(notebook: &Notebook) -> Outcome {
    println!("\n11. THE BOOKS");
    for state in notebook.gate.datasets()? {
        let (name, balance) = (state.description.name(), state.balance);
        println!("{name}: {} answers, spent {} of {}, left {}", state.answers, balance.spent(), balance.limit(), balance.left());
    }
    Ok(())
}
