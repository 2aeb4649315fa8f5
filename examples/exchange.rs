//! The main job, end to end: an owner publishes records, a buyer asks questions about them, an auditor checks it all.
//!
//! ```text
//! cargo run --release --example exchange                               on a generated register of 200,000 people
//! cargo run --release --example exchange -- people.csv people.toml     on your own file and its description
//! ```
//! Lines that begin with a space differ from run to run, because noise does; all other lines stay the same.

#[path = "register/mod.rs"]
mod register;

use std::{error::Error, fs, io::BufWriter, ops::ControlFlow, path::Path, path::PathBuf};

use usufruct::dataset::{Description, DescriptionFile, Use, Uses, table_schema};
use usufruct::key::{Signer as _, SigningKey};
use usufruct::receipt::{AnswerKey, Bundle, NOT_PROVED, Release};
use usufruct::table::{CsvOptions, CsvSource};
use usufruct::{Ask, Auditor, Holder, Loss, Operation, Owner, Query, Space, SystemRandom, Terms, Time, gate::AnswerError};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("usufruct-exchange-{}", std::process::id()));
    fs::create_dir(&folder)?;
    let outcome = exchange(&folder);
    fs::remove_dir_all(&folder)?;
    outcome
}

fn exchange(folder: &Path) -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (csv, toml) = match arguments.as_slice() {
        [] => generated_register(folder)?,
        [csv, toml] => (csv.clone(), toml.clone()),
        _ => return Err("give a CSV file and its description, or nothing".into()),
    };
    let DescriptionFile { description, data } = DescriptionFile::read(toml)?;
    let mut random = SystemRandom::new()?;
    let now = Time::now();

    println!("OWNER: publishes the dataset {} with a budget of {}", description.name(), description.budget());
    let [owner_key, next_key, holder_key] = [(); 3].map(|()| SigningKey::generate(&mut random));
    let owner = Owner::new(owner_key);
    let space_path = folder.join("space");
    let space = Space::create(&space_path, owner.signer(), next_key.public(), now)?;
    let source =
        CsvSource::open(csv, CsvOptions { delimiter: data.delimiter, ..CsvOptions::default() }, table_schema(description.schema()))?;
    let published = space.publish(&description, &source, owner.signer(), &mut |_| ControlFlow::Continue(()))?;
    println!("{} rows are in an immutable snapshot; {}", published.rows, description.promise());
    published.warnings.iter().for_each(|warning| println!("to look at: {warning}"));

    let holder = Holder::new(holder_key);
    let columns = description.schema().columns().iter().filter(|column| column.uses != Uses::NONE);
    let terms = Terms::process(Loss::approx("0.9", "0")?)
        .operations([Operation::Count, Operation::Sum, Operation::Mean])
        .columns(columns.map(|column| &column.name))
        .purposes(["research:health"])
        .uses(10)
        .not_after(now.plus_s(30 * 24 * 3600))
        .build()?;
    println!("\nOWNER: grants the buyer a right to {} in {} answers for {:?}", terms.budget, terms.uses, terms.purposes);
    let right = owner.grant(&published.card, holder.public(), terms, now, &mut random)?;
    space.grant(right.bytes(), false)?;

    let gate = space.gate();
    let auditor = Auditor::new(owner.public().clone());
    let (mut bundles, mut seen) = (Vec::new(), None);
    for question in questions(&description)? {
        println!("\nBUYER: {question}");
        let ask = Ask::new(Query::sql(&question)?, Loss::approx("0.3", "0")?).seen(seen);
        let request = holder.request(&right, ask, now, &mut random)?;
        match gate.answer(request.bytes()) {
            Ok(release) => {
                print_answer(&release);
                let receipt = release.receipt().ok_or("a gate gives receipts")?.clone();
                let bundle = Bundle { receipt, request: request.bytes().to_vec(), answer: release.bytes().to_vec() };
                // The buyer checks what came back, and remembers how far the ledger was: it cannot be rolled back now.
                seen = Some(auditor.verify_bundle(&bundle)?.checkpoint.seen());
                bundles.push(bundle.encode());
            }
            Err(AnswerError::Refused { verdict, refusal }) => println!("refused: {refusal}\n(the owner reads: {verdict})"),
            Err(error) => return Err(error.into()),
        }
    }
    // The last handle that goes closes the ledger and leaves its signed checkpoint.
    drop((gate, space));

    println!("\nAUDITOR: checks {} receipts offline, with the owner's public key", bundles.len());
    for bytes in &bundles {
        let proof = auditor.verify_bundle(&Bundle::decode(bytes)?)?;
        println!("a receipt of request, answer and charge verifies");
        proof.proved.iter().for_each(|statement| println!("  {statement}"));
    }
    NOT_PROVED.iter().for_each(|what| println!("no receipt proves {what}"));

    println!("\nAUDITOR: checks the whole space, against the checkpoint that the buyer remembers");
    let report = auditor.audit(&space_path, seen, &|_, _| {})?;
    report.checked.iter().for_each(|what| println!("checked: {what}"));
    for dataset in &report.datasets {
        println!("dataset {}: {} spent of {}", dataset.description.name(), dataset.balance.spent(), dataset.balance.limit());
    }
    println!("problems: {}", report.problems.len());
    if report.ok() { Ok(()) } else { Err(report.problems.join("; ").into()) }
}

/// Writes the register and its description, and says where they are.
fn generated_register(folder: &Path) -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
    let (csv, toml) = (folder.join("register.csv"), folder.join("register.toml"));
    register::Register::new(1, 200_000).write_csv(&mut BufWriter::new(fs::File::create(&csv)?))?;
    fs::write(&toml, register::DESCRIPTION)?;
    Ok((csv, toml))
}

/// Four questions about the first column with declared values and the first one with bounds.
fn questions(description: &Description) -> Result<[String; 4], &'static str> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut columns = description.schema().columns().iter();
    let group = columns.clone().find(|column| column.values.is_some() && column.uses.allow(Use::Group));
    let number = columns.find(|column| column.bounds.is_some() && column.uses.allow(Use::Aggregate));
    let group = quoted(group.ok_or("no column of the description has declared values")?.name.as_str());
    let number = quoted(number.ok_or("no column of the description has bounds")?.name.as_str());
    let from = quoted(description.name().as_str());
    Ok([
        format!("SELECT {group}, COUNT(*) FROM {from} GROUP BY {group}"),
        format!("SELECT AVG({number}) FROM {from}"),
        format!("SELECT {group}, AVG({number}), SUM({number}) FROM {from} GROUP BY {group}"),
        format!("SELECT SUM({number}) FROM {from}"),
    ])
}

fn print_answer(release: &Release) {
    for row in release.rows() {
        let keys = row.key.iter().map(|key| match key {
            AnswerKey::Text(text) => text.clone(),
            AnswerKey::Integer(number) => number.to_string(),
        });
        let values = row.values.iter().map(ToString::to_string);
        println!("  {}", keys.chain(values).collect::<Vec<_>>().join("  "));
    }
    println!("paid {}, the right has {} left", release.answer().spent, release.answer().remaining);
}
