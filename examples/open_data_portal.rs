//! An open-data portal: look at a register, make a file of it that may leave, and publish statistics beside it.
//!
//! ```text
//! cargo run --release --features parquet --example open_data_portal                  on a generated register of 200,000 people
//! cargo run --release --features parquet --example open_data_portal -- people.csv    classify and desensitise your own file
//! ```
//! Behind the file stands how it is written, if not in UTF-8 with commas and a header: `--delimiter ';'`, `--encoding gb18030`,
//! `--no-header`.
//! Files go to `target/open_data_portal/`. Lines that begin with a space differ from run to run; all others stay the same.

#[path = "plot/mod.rs"]
mod plot;
#[path = "register/mod.rs"]
mod register;

use std::process::ExitCode;
use std::time::SystemTime;
use std::{error::Error, fs, io::BufWriter, ops::ControlFlow, path::Path, path::PathBuf, sync::Arc};

use usufruct::anonymity::measure;
use usufruct::desensitise::{KEY_ID_DEFAULT, KeyRing, Policy, PrfAlgorithm, ReleaseModel, Run, Target, suggest_fitting};
use usufruct::grade::{Recognisers, survey};
use usufruct::id::{Digest, Name, Time};
use usufruct::key::{Signer as _, SigningKey};
use usufruct::query::{Operation, Query};
use usufruct::receipt::{AnswerKey, Bundle};
use usufruct::right::{Ask, Terms};
use usufruct::table::{Encoding, FileOptions, FileSource, Format};
use usufruct::{auditor::Auditor, budget::Loss, holder::Holder, open_data, owner::Owner, random::SystemRandom, space::Space};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // In words, which say what to do about a file that is written otherwise.
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/open_data_portal");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let owner = Owner::new(SigningKey::generate(&mut SystemRandom::new()?));
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first() {
        Some((csv, dialect)) => desensitise(Path::new(csv), &options(dialect)?, &folder, &owner),
        None => {
            let csv = folder.join("register.csv");
            register::Register::new(1, 200_000).write_csv(&mut BufWriter::new(fs::File::create(&csv)?))?;
            fs::write(folder.join("register.toml"), register::DESCRIPTION)?;
            desensitise(&csv, &FileOptions::default(), &folder, &owner)?;
            statistics(&folder, &owner)
        }
    }
}

/// How a file is written, as the command line `usufruct` is told it.
fn options(words: &[String]) -> Result<FileOptions, Box<dyn Error>> {
    let mut options = FileOptions::default();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match (word, if word == "--no-header" { "" } else { words.next().unwrap_or_default() }) {
            ("--no-header", _) => options.csv.header = false,
            ("--encoding", name) => options.csv.encoding = Encoding::parse(name).ok_or("--encoding: utf-8 or gb18030")?,
            ("--delimiter", text) => options.csv.delimiter = *text.as_bytes().first().ok_or("--delimiter: one character")?,
            _ => return Err("behind the file stand --delimiter CHAR, --encoding NAME and --no-header".into()),
        }
    }
    Ok(options)
}

/// From a raw file to one that may be handed over under an agreement.
fn desensitise(csv: &Path, options: &FileOptions, folder: &Path, owner: &Owner) -> Result<(), Box<dyn Error>> {
    println!("CLASSIFY: every cell is looked at");
    let source = FileSource::open(csv, options)?;
    let recognisers = Arc::new(Recognisers::builtin());
    let findings = survey(&source, &recognisers, 2, &mut |_| ControlFlow::Continue(()))?;
    for finding in &findings {
        let (kind, grade, reason) = (finding.kind.as_str(), finding.grade.number(), &finding.reason);
        println!("{}: {kind}, grade {grade}: {} ({})", finding.column, reason.text, reason.clause);
    }

    println!("\nPOLICY: suggested for a controlled release, to be read by a person");
    let text = suggest_fitting(&source, &findings, ReleaseModel::Controlled, 2, folder, &mut |_| ControlFlow::Continue(()))?;
    fs::write(folder.join("policy.toml"), &text)?;
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).for_each(|line| println!("{line}"));

    println!("\nDESENSITISE: to Parquet, in several threads, with a signed manifest");
    let name = |text| Name::new(text);
    let keys = KeyRing::generate(&mut SystemRandom::new()?, name(KEY_ID_DEFAULT)?, PrfAlgorithm::AesCmac, name("open data 2026")?);
    let target = Target::new(folder.join("register.parquet"), Format::Parquet);
    let begun = SystemTime::now();
    let mut run =
        Run { threads: 2, recognisers, signer: Some(owner.signer()), now: Time::now(), progress: &mut |_| ControlFlow::Continue(()) };
    let report = open_data::open(&Policy::parse(&text)?.bind(&keys), &source, &target, &mut run)?;
    println!("  {} rows in {:.2} s", report.rows_written, begun.elapsed()?.as_secs_f64());
    for column in &report.manifest.columns {
        let (before, after) = (column.grade_before.number(), column.grade_after.number());
        println!("{}: {}, grade {before} to {after}, residual {}", column.name, column.technique, column.residual);
    }

    println!("\nANYONE: checks the manifest with the owner's public key, and the file with the manifest");
    let manifest = Auditor::new(owner.public().clone()).manifest(&fs::read(&target.manifest)?)?;
    let file = fs::read(&target.path)?;
    println!("the file is the one of the manifest: {}", manifest.value().is_about(&Digest::of(&file), file.len() as u64));
    println!("release {}, rows {}", manifest.value().release, manifest.value().order);
    let stated = manifest.value().uniqueness().ok_or("no shares are stated")?;
    let file = FileSource::open(&target.path, &FileOptions::default())?;
    let counted = measure(&file, &stated.asked(), folder, 2, &mut |_| ControlFlow::Continue(()))?;
    println!("{} of the records are unique on what leaves without a key; counted again: {}", stated.all, counted.counts_as(stated));
    println!("  files in {}", folder.display());
    Ok(())
}

/// Counts of people by city under differential privacy, drawn with what they promise.
fn statistics(folder: &Path, owner: &Owner) -> Result<(), Box<dyn Error>> {
    println!("\nSTATISTICS: people by city, differentially private, with a receipt");
    let (now, mut random) = (Time::now(), SystemRandom::new()?);
    let [next_key, portal_key] = [(); 2].map(|()| SigningKey::generate(&mut random));
    let portal = Holder::new(portal_key);
    let space = Space::create(folder.join("space"), owner.signer(), next_key.public(), now)?;
    let published = space.publish_file(folder.join("register.toml"), owner.signer())?;
    let terms = Terms::process(Loss::approx("0.1", "0")?)
        .operations([Operation::Count])
        .columns(["city"])
        .purposes(["statistics:population"])
        .uses(1)
        .not_after(now.plus_s(24 * 3600))
        .build()?;
    let right = owner.grant(&published.card, portal.public(), terms, now, &mut random)?;
    space.grant(right.bytes(), false)?;

    let query = Query::sql("SELECT city, COUNT(*) FROM register GROUP BY city")?;
    let ask = Ask::new(query, Loss::approx("0.1", "0")?);
    let request = portal.request(&right, ask, now, &mut random)?;
    let release = space.gate().answer(request.bytes())?;
    let mut table: Vec<(String, [f64; 3])> = Vec::new();
    for row in release.rows() {
        let Some(AnswerKey::Text(city)) = row.key.first() else { continue };
        let count = &row.values[0];
        let value = count.value.ok_or("a count has a value")?;
        let (low, high) = count.low.zip(count.high).ok_or("a count has an interval")?;
        println!("   {city}: {count}");
        // A plot may round.
        table.push((city.clone(), [value.to_string().parse()?, low.to_string().parse()?, high.to_string().parse()?]));
    }
    let column = |at: usize| table.iter().map(|(_, row)| row[at]).collect::<Vec<f64>>();
    let labels: Vec<&str> = table.iter().map(|(city, _)| city.as_str()).collect();
    let path = folder.join("people_by_city.svg");
    plot::bars_with_intervals(&path, "People by city: epsilon 0.1, 95 % intervals", &labels, &column(0), &column(1), &column(2))?;
    let receipt = release.receipt().ok_or("a gate gives receipts")?.clone();
    let bundle = Bundle { receipt, request: request.bytes().to_vec(), answer: release.bytes().to_vec() };
    Auditor::new(owner.public().clone()).verify_bundle(&bundle)?;
    fs::write(folder.join("people_by_city.receipt"), bundle.encode())?;
    println!("{} cities are drawn with their intervals; the receipt beside the picture verifies", table.len());
    println!("   {}", path.display());
    Ok(())
}
