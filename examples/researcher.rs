//! What a researcher does: questions under a budget, and whether the answers kept what they promised.
//!
//! ```text
//! cargo run --release --features hazmat --example researcher                 plots go to target/researcher
//! cargo run --release --features hazmat --example researcher -- FOLDER       or elsewhere
//! ```
//! 1. An owner publishes people and grants epsilon 1. Each question is quoted before it is asked; one costs too much.
//! 2. The same question 1,000 times, of a gate with recorded noise whose truth is known: how far off were the values, and
//!    how often did the 95 % intervals hold the truth? `error.svg`
//! 3. What an epsilon buys: how wide are the intervals? `width.svg`
//!
//! The people are those of the Adult census if `../shared` has it, else of the generated register. Lines that begin with
//! a space differ with them, or from run to run; all other lines stay the same.

#[path = "researcher/draw.rs"]
mod draw;
#[path = "researcher/laws.rs"]
mod laws;
#[path = "researcher/people.rs"]
mod people;
#[path = "plot/mod.rs"]
mod plot;
#[path = "register/mod.rs"]
mod register;
#[path = "researcher/runs.rs"]
mod runs;
#[path = "researcher/walk.rs"]
mod walk;

use std::fs;
use std::path::PathBuf;

use people::People;
use runs::Laboratory;

fn main() -> plot::Outcome {
    let plots = std::env::args_os().nth(1).map_or(concat!(env!("CARGO_MANIFEST_DIR"), "/target/researcher").into(), PathBuf::from);
    fs::create_dir_all(&plots)?;
    let folder = tempfile::tempdir()?;
    let people = People::read()?;
    walk::walk(&people, folder.path())?;

    let mut laboratory = Laboratory::new(&people, folder.path())?;
    let drawn = runs::drawn(&people)?;
    let errors = runs::errors(&mut laboratory, &people, &drawn)?;
    let widths = runs::widths(&mut laboratory, &drawn)?;
    draw::errors(&plots.join("error.svg"), &drawn, &errors)?;
    draw::widths(&plots.join("width.svg"), &drawn, &widths)?;
    println!("\ndrawn: error.svg, width.svg");
    println!("  in {}", plots.display());
    Ok(())
}
