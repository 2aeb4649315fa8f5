//! A researcher's notebook: what can be asked of people under a budget, what it costs, and whether it kept what it promised.
//!
//! ```text
//! cargo run --release --features hazmat,probe --example researcher                 plots go to target/researcher
//! cargo run --release --features hazmat,probe --example researcher -- FOLDER       or elsewhere
//! ```
//! ```text
//! 1 publish and grant      4 variance, quantiles, amounts      7 a count that goes on       10 is it true? error.svg
//! 2 quote                  5 groups that nobody listed         8 self-audit                 11 the books, budget.svg
//! 3 count, sum, mean       6 the same in rho                   9 no budget
//! ```
//! The people are those of the Adult census if `../shared` has it, else of the generated register; likewise the visitors of
//! section 7. Lines that begin with a space differ with them, or from run to run; all other lines stay the same.

#[path = "researcher/draw.rs"]
mod draw;
#[path = "researcher/laws.rs"]
mod laws;
#[path = "researcher/notebook.rs"]
mod notebook;
#[path = "researcher/people.rs"]
mod people;
#[path = "plot/mod.rs"]
mod plot;
#[path = "register/mod.rs"]
mod register;
#[path = "researcher/runs.rs"]
mod runs;
#[path = "researcher/sections.rs"]
mod sections;
#[path = "researcher/selfaudit.rs"]
mod selfaudit;
#[path = "researcher/visits.rs"]
mod visits;

use std::fs;
use std::path::PathBuf;

use notebook::Notebook;
use people::People;
use runs::Laboratory;

fn main() -> plot::Outcome {
    let plots = std::env::args_os().nth(1).map_or(concat!(env!("CARGO_MANIFEST_DIR"), "/target/researcher").into(), PathBuf::from);
    fs::create_dir_all(&plots)?;
    let folder = tempfile::tempdir()?;
    let people = People::read()?;

    println!("1. PUBLISH AND GRANT");
    let mut notebook = Notebook::open(&people, folder.path())?;
    sections::quote(&mut notebook)?;
    sections::counts_and_means(&mut notebook)?;
    sections::distribution(&mut notebook)?;
    sections::unknown_groups(&mut notebook)?;
    sections::rho(&mut notebook)?;
    visits::count()?;
    selfaudit::audit(&notebook)?;
    sections::no_budget(&mut notebook)?;

    println!("\n10. IS IT TRUE? A gate for tests, with recorded noise and a truth that is known");
    let mut laboratory = Laboratory::new(&people, folder.path())?;
    runs::coverage(&mut laboratory, &people)?;
    let errors = runs::errors(&mut laboratory, &people)?;
    draw::errors(&plots.join("error.svg"), &errors)?;

    sections::books(&notebook)?;
    draw::budget(&plots.join("budget.svg"), notebook.course())?;
    println!("\ndrawn: error.svg, budget.svg");
    println!("  in {}", plots.display());
    Ok(())
}
