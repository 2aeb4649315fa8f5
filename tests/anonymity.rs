//! Who can be told apart in files that leave: complementary masks, whole rows, gaps between dates, equal columns and places of two
//! outputs, a dictionary of all numbers. Each attack states the share that it recovers.
#![cfg(all(unix, feature = "cli"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../examples/register/mod.rs"]
mod register;
#[allow(dead_code, reason = "the other test of the command line uses the rest")]
#[path = "cli/world.rs"]
mod world;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::BufWriter;

use serde_json::Value;
use usufruct::anonymity::UniqueShare;
use usufruct::desensitise::{Manifest, Risk};
use usufruct::envelope::{Signed, Untrusted};
use usufruct::key::{Signer as _, SigningKey};
use world::World;

/// Numbers that follow no order (splitmix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }
}

fn with_keys() -> World {
    let world = World::empty();
    world.done(&["key", "new", "-o", "owner.key"]);
    world.done(&["key", "public", "owner.key", "-o", "owner.pub"]);
    for keys in ["people.keys", "other.keys"] {
        world.done(&["key", "new", "--kind", "desensitise", "--algorithm", "aes-cmac", "-o", keys]);
    }
    world
}

fn with_register(rows: u64) -> World {
    let world = with_keys();
    register::Register::new(11, rows).write_csv(&mut BufWriter::new(File::create(world.path("in.csv")).unwrap())).unwrap();
    world
}

fn make<'a>(keys: &'a str, out: &'a str) -> Vec<&'a str> {
    vec!["desensitise", "in.csv", "--policy", "p.toml", "--keys", keys, "-o", out, "--sign", "owner.key", "--force"]
}

fn check() -> Vec<&'static str> {
    vec!["policy", "check", "p.toml", "in.csv", "--keys", "people.keys"]
}

/// The rows of a CSV file whose quotes hold no quotes, and the names of its columns.
fn rows(world: &World, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let text = fs::read_to_string(world.path(name)).unwrap();
    let cells = |line: &str| {
        let mut is_quoted = false;
        let ends = |character: char| {
            is_quoted ^= character == '"';
            character == ',' && !is_quoted
        };
        line.split(ends).map(|cell| cell.trim_matches('"').to_owned()).collect::<Vec<_>>()
    };
    let mut lines = text.lines().map(cells);
    (lines.next().unwrap(), lines.collect())
}

/// The policy is refused on the file, by the check and by the run, and nothing is left.
fn refused(world: &World, says: &[&str]) {
    for args in [check(), make("people.keys", "refused.csv")] {
        let run = world.run(&args);
        assert_eq!((run.code, run.out.as_str()), (3, ""), "{args:?}: {}", run.err);
        for word in says {
            assert!(run.err.contains(word), "{args:?}: {word} is not in: {}", run.err);
        }
        assert!(!world.path("refused.csv").exists() && !world.path("refused.csv.manifest").exists());
    }
}

/// The share of rows, in millionths and rounded up, that are the only ones with their values in some columns.
fn unique(rows: &[Vec<String>], columns: &[usize]) -> u64 {
    let mut counts: HashMap<Vec<&str>, u64> = HashMap::new();
    for row in rows {
        *counts.entry(columns.iter().map(|column| row[*column].as_str()).collect()).or_default() += 1;
    }
    let alone = counts.values().filter(|count| **count == 1).count() as u64;
    UniqueShare::of(alone, rows.len() as u64).millionths()
}

fn share(told: &Value) -> u64 {
    let share = told.as_f64().unwrap() * 1e6;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let millionths = share.round() as u64;
    millionths
}

/// What was suggested for controlled files before anybody counted: each column leaves enough open, and all of them together name people.
const EACH_ENOUGH: &str = r#"release = "controlled"
order = "shuffled"
[columns.id]
technique = "pseudonym"
key = "pseudonym"
[columns.name]
technique = "mask"
keep_first = 1
width = 2
[columns.mobile]
technique = "mask"
keep_first = 3
keep_last = 4
[columns.birth]
technique = "date"
level = "month"
[columns.age]
technique = "bin"
width = 10
[columns.sex]
technique = "keep"
[columns.city]
technique = "keep"
[columns.occupation]
technique = "keep"
[columns.income]
technique = "round"
to = 100
step = "1"
"#;

#[test]
fn a_register_leaves_when_few_are_unique_in_it_and_anybody_can_count_them() {
    let world = with_register(200_000);
    world.write("p.toml", EACH_ENOUGH);
    refused(
        &world,
        &["of the records are unique on what leaves without a key, controlled allows 5 % (max_unique)", " on name with mobile"],
    );
    // What is told is counted, not guessed: name and mobile alone.
    world.write("p.toml", format!("max_unique = \"1\"\nbecause = \"for this test\"\n{EACH_ENOUGH}"));
    let before = world.json(&make("people.keys", "before.csv"));
    let (names, before_rows) = rows(&world, "before.csv");
    let at = |name: &str| names.iter().position(|other| other == name).unwrap();
    let known: Vec<usize> = (0..names.len()).filter(|column| *column != at("id")).collect();
    assert_eq!(share(&before["uniqueness"]["all"]), unique(&before_rows, &known));
    let (all, pair) = (unique(&before_rows, &known), unique(&before_rows, &[at("name"), at("mobile")]));
    println!("before: unique on all {all}, on name and mobile {pair} millionths");
    assert!(all > 990_000 && pair > 500_000, "{all} {pair}");
    // No grade falls by what each column leaves open where all of them name people.
    let told = world.done(&["inspect", "before.csv.manifest"]);
    assert!(told.contains("3 to 3") && told.contains("for this test"), "{told}");

    world.done(&["policy", "suggest", "in.csv", "--release", "controlled", "-o", "p.toml", "--force"]);
    world.done(&check());
    let told = world.json(&make("people.keys", "open.csv"));
    let policy = fs::read_to_string(world.path("p.toml")).unwrap();
    let (names, out) = rows(&world, "open.csv");
    let keyed = |name: &String| policy.contains(&format!("[columns.\"{name}\"]\ntechnique = \"pseudonym\""));
    let known: Vec<usize> = (0..names.len()).filter(|column| !keyed(&names[*column])).collect();
    assert!(known.len() >= 4, "{policy}");
    let counted = unique(&out, &known);
    println!("suggested: unique on all {counted} millionths\n{policy}");
    assert!(counted <= 50_000 && counted == share(&told["uniqueness"]["all"]), "{counted} {told}");
    for column in told["uniqueness"]["columns"].as_array().unwrap() {
        let at = names.iter().position(|name| name == column["column"].as_str().unwrap()).unwrap();
        assert_eq!(share(&column["share"]), unique(&out, &[at]));
    }
    let paired: Vec<usize> = known.clone();
    let pairs: Vec<u64> =
        paired.iter().enumerate().flat_map(|(at, one)| paired[at + 1..].iter().map(|other| unique(&out, &[*one, *other]))).collect();
    assert_eq!(told["uniqueness"]["pairs"].as_array().unwrap().iter().map(share).collect::<Vec<_>>(), pairs);

    // Anybody with the file counts the same, in any format; who states less is found out.
    for file in ["open.csv", "open.parquet", "open.arrow"] {
        world.json(&make("people.keys", file));
        let manifest = format!("{file}.manifest");
        let verify = ["verify", manifest.as_str(), "--key", "owner.pub", "--file", file];
        assert!(world.done(&verify).contains("counted again in the file"));
        let key = SigningKey::open(world.path("owner.key")).unwrap();
        let mut lie =
            Untrusted::<Manifest>::decode(&fs::read(world.path(&manifest)).unwrap()).unwrap().verify(key.public()).unwrap().into_value();
        let Some(Risk::Uniqueness(stated)) = &mut lie.risk else { panic!() };
        stated.all = UniqueShare::NONE;
        stated.columns.iter_mut().for_each(|column| column.share = UniqueShare::NONE);
        stated.pairs.fill(UniqueShare::NONE);
        world.write(&manifest, Signed::sign(lie, &key).unwrap().bytes());
        world.fails(1, &["are unique in it, counted again"], &verify);
    }
}

#[test]
fn what_a_policy_says_of_who_may_be_unique_is_signed() {
    let world = with_register(3_000);
    for (head, said) in [
        ("max_unique = \"0.30\"\n", "`max_unique` above \"0.05\" needs `because"),
        ("max_unique = \"0.3\"\nbecause = \" \"\n", "`because`: expected why"),
        ("max_unique = \"1.1\"\nbecause = \"x\"\n", "`max_unique`: expected a decimal in quotes from \"0\" to \"1\", at most six places"),
        ("max_unique = 0.3\nbecause = \"x\"\n", "`max_unique`: expected a decimal in quotes"),
        ("subject = \"a\\u0007\"\n", "cannot be the name of a column"),
    ] {
        world.write("p.toml", format!("{head}{EACH_ENOUGH}"));
        world.fails(2, &[said], &["policy", "check", "p.toml"]);
    }
    world.write("p.toml", format!("subject = \"nobody\"\n{EACH_ENOUGH}"));
    refused(&world, &["subject: the file has no column nobody"]);
    world.write("p.toml", format!("{EACH_ENOUGH}not_known = \" \"\n"));
    world.fails(2, &["column income: `not_known`: expected why"], &["policy", "check", "p.toml"]);
    world.write("p.toml", format!("{EACH_ENOUGH}[default]\ntechnique = \"suppress\"\nnot_known = \"no one\"\n"));
    world.fails(2, &["[default]: `not_personal` and `not_known` are said of one column"], &["policy", "check", "p.toml"]);

    // A column of which nobody knows anything makes nobody unique, and who says so signs it.
    let hidden: String = EACH_ENOUGH
        .split_inclusive("\n[")
        .map(|section| match section.split(']').next().unwrap() {
            "columns.name" | "columns.mobile" | "columns.income" | "columns.birth" | "columns.city" | "columns.occupation" => {
                section.replacen("]\n", "]\nnot_known = \"asked of nobody\"\n", 1)
            }
            _ => section.to_owned(),
        })
        .collect();
    world.write("p.toml", &hidden);
    let told = world.done(&check());
    assert!(told.contains("column mobile is said not to be known outside: asked of nobody"), "{told}");
    let told = world.json(&make("people.keys", "open.csv"));
    let counted: Vec<&str> =
        told["uniqueness"]["columns"].as_array().unwrap().iter().map(|column| column["column"].as_str().unwrap()).collect();
    assert_eq!(counted, ["sex", "age"]);
    let told = world.done(&["inspect", "open.csv.manifest"]);
    assert!(told.contains("not known outside  asked of nobody"), "{told}");
    world.done(&["verify", "open.csv.manifest", "--key", "owner.pub", "--file", "open.csv"]);
}

/// Few numbers, so that nobody is unique by what shows of one: 60 people, each in 50 rows.
fn coarse(columns: &[(&str, &dyn Fn(u64) -> String)]) -> String {
    let mut csv = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",") + "\n";
    for row in 0..3_000u64 {
        let cells: Vec<String> = columns.iter().map(|(_, cell)| cell(row % 60)).collect();
        writeln!(csv, "{}", cells.join(",")).unwrap();
    }
    csv
}

fn mobile(person: u64) -> String {
    format!("{}{:08}", ["138", "139", "150", "186"][usize::try_from(person % 4).unwrap()], person * 1_618_033 % 100_000_000)
}

/// An ID with the date of birth in it.
fn birth(person: u64) -> String {
    format!("{}-{:02}-{:02}", 1950 + person % 50, 1 + person % 12, 1 + person % 28)
}

fn id(person: u64) -> String {
    let body = format!("110105{}{:03}", birth(person).replace('-', ""), person * 7 % 1_000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    body + &"10X98765432"[(sum % 11) as usize..=(sum % 11) as usize]
}

#[test]
fn two_masks_of_one_value_are_one_mask() {
    let world = with_keys();
    let section = |name: &str, parameters: &str| format!("[columns.{name}]\ntechnique = \"mask\"\n{parameters}\n");
    let (front, back) = ("keep_first = 7", "keep_first = 3\nkeep_last = 4");
    type Columns<'a> = Vec<(&'a str, &'a dyn Fn(u64) -> String)>;
    let contact = |person: u64| mobile(person + 7);
    let last4 = |person: u64| mobile(person)[7..].to_owned();
    let again = |person: u64| format!("+86 {}", mobile(person));
    let decade = |person: u64| birth(person)[..3].to_owned() + "0";
    let cases: Vec<(Columns<'_>, String, &str)> = vec![
        // The same value, and another of the same kind, which may be the same in any record.
        (vec![("mobile", &mobile), ("contact_mobile", &mobile)], section("mobile", front) + &section("contact_mobile", back), "beside column contact_mobile"),
        (vec![("mobile", &mobile), ("contact_mobile", &again)], section("mobile", front) + &section("contact_mobile", back), "beside column contact_mobile"),
        (vec![("mobile", &mobile), ("contact_mobile", &contact)], section("mobile", front) + &section("contact_mobile", back), "beside column contact_mobile"),
        // A part of it under a header that names nothing.
        (vec![("mobile", &mobile), ("group", &last4)], section("mobile", front) + "[columns.group]\ntechnique = \"keep\"\n", "beside column group"),
        // The date of birth in the ID beside the date, which is cut to its year.
        (
            vec![("id", &id), ("birth", &birth)],
            section("id", "keep_first = 14") + "[columns.birth]\ntechnique = \"date\"\nlevel = \"year\"\n",
            "column birth (grade 3): beside column id",
        ),
        // Two levels of one date do no harm, nor does the same mask twice.
        (vec![("born", &birth), ("birth", &birth), ("decade", &decade)],
            "[columns.born]\ntechnique = \"date\"\nlevel = \"month\"\n[columns.birth]\ntechnique = \"date\"\nlevel = \"year\"\n[columns.decade]\ntechnique = \"keep\"\n".to_owned(), "OK"),
        (vec![("mobile", &mobile), ("contact_mobile", &contact)], section("mobile", back) + &section("contact_mobile", back), "OK"),
    ];
    for (columns, sections, expected) in cases {
        world.write("in.csv", coarse(&columns));
        world.write("p.toml", format!("release = \"controlled\"\norder = \"shuffled\"\n{sections}"));
        if expected == "OK" {
            world.done(&check());
            continue;
        }
        refused(&world, &[expected, "which carries the same value or a part of it"]);
    }

    // What would have left: each of both masks hides four digits, together they show all of them.
    let masked = |mask: &dyn Fn(&str) -> String| (0..60).map(|person| mask(&mobile(person))).collect::<Vec<_>>();
    let (front, back) = (masked(&|number| number[..7].to_owned()), masked(&|number| number[7..].to_owned()));
    let recovered = (0..60).filter(|person| format!("{}{}", front[*person], back[*person]) == mobile(*person as u64)).count();
    println!("joint masks: {recovered} of 60 numbers are recovered from both, none leave");
    assert_eq!(recovered, 60);
}

#[test]
fn one_person_in_several_records_is_one_person() {
    let world = with_keys();
    // Each of 500 people stands in two records with values that nobody else has.
    let rows: String = (0..1_000u64).map(|row| format!("P{:06},{},v{}\n", row / 2 * 7919 % 1_000_000, row / 2 % 3, row / 2)).collect();
    world.write("in.csv", format!("case,ward,note\n{rows}"));
    let sections = "[columns.case]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n[columns.ward]\ntechnique = \"keep\"\n[columns.note]\ntechnique = \"keep\"\n";
    let policy = |head: &str| format!("release = \"controlled\"\norder = \"shuffled\"\n{head}{sections}");
    world.write("p.toml", policy(""));
    let told = world.json(&check());
    assert_eq!(share(&told["trial"]["uniqueness"]["all"]), 0, "{told}");
    world.write("p.toml", policy("subject = \"case\"\n"));
    refused(&world, &["100 % of the subjects are unique"]);
    // A subject that does not leave links no records.
    world.write(
        "p.toml",
        policy("subject = \"case\"\n").replace("technique = \"pseudonym\"\nkey = \"pseudonym\"", "technique = \"suppress\""),
    );
    world.done(&check());
}

#[test]
fn dates_that_are_shifted_show_who_they_are_by_their_gaps() {
    let world = with_keys();
    let mut draw = Draw(5);
    let (mut csv, mut visits) = ("patient,visit\n".to_owned(), BTreeMap::<u64, Vec<u64>>::new());
    for patient in 0..2_000u64 {
        for _ in 0..2 + draw.below(4) {
            let day = draw.below(900);
            visits.entry(patient).or_default().push(day);
            writeln!(csv, "P{:07},{}-{:02}-{:02}", patient * 104_729 % 10_000_000, 2020 + day / 336, 1 + day / 28 % 12, 1 + day % 28)
                .unwrap();
        }
    }
    world.write("in.csv", csv);
    let shift = "[columns.patient]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n[columns.visit]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"patient\"\ndays = 365\n";
    let policy = |head: &str| format!("release = \"controlled\"\norder = \"shuffled\"\n{head}{shift}");
    world.write("p.toml", policy(""));
    refused(
        &world,
        &[
            "of the subjects (patient) are unique by the gaps between their dates in visit, or by the times behind them, which date_shift keeps, controlled allows 5 %",
        ],
    );
    world.write("p.toml", policy("max_unique = \"0.9\"\nbecause = \"for this test\"\n"));
    let told = world.json(&make("people.keys", "open.csv"));
    // The attacker knows when people came, and matches the gaps of the output with them.
    let gaps = |days: &mut Vec<i64>| {
        days.sort_unstable();
        days.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
    };
    let (_, out) = rows(&world, "open.csv");
    let mut shifted: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for row in &out {
        shifted.entry(&row[0]).or_default().push(days_since_1970(&row[1]));
    }
    let mut sequences: HashMap<Vec<i64>, u64> = HashMap::new();
    shifted.values_mut().for_each(|days| *sequences.entry(gaps(days)).or_default() += 1);
    let alone = sequences.values().filter(|count| **count == 1).count() as u64;
    let recovered = UniqueShare::of(alone, visits.len() as u64).millionths();
    println!("gap sequences: {recovered} millionths of the subjects are matched, refused without a reason that is signed");
    assert!(recovered > 500_000);
    assert_eq!(share(&told["uniqueness"]["gaps"][0]["share"]), recovered);
    assert!(
        world
            .done(&["verify", "open.csv.manifest", "--key", "owner.pub", "--file", "open.csv"])
            .contains("by the gaps between their dates")
    );
    // One date each has no gaps.
    let once: String = (0..2_000u64)
        .map(|patient| format!("P{:07},2020-{:02}-{:02}\n", patient * 104_729 % 10_000_000, 1 + patient % 12, 1 + patient % 28))
        .collect();
    world.write("in.csv", format!("patient,visit\n{once}"));
    world.write("p.toml", policy(""));
    world.done(&check());
}

/// Of a date as the test writes them.
fn days_since_1970(date: &str) -> i64 {
    let parts: Vec<i64> = date.split('-').map(|part| part.parse().unwrap()).collect();
    let (year, month) = if parts[1] > 2 { (parts[0], parts[1] - 3) } else { (parts[0] - 1, parts[1] + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + parts[2] - 719_469
}

#[test]
fn two_outputs_of_one_register_join_no_more_than_few_rows() {
    let world = with_register(20_000);
    world.done(&["policy", "suggest", "in.csv", "--release", "controlled", "-o", "p.toml", "--force"]);
    world.json(&make("people.keys", "a.csv"));
    world.json(&make("other.keys", "b.csv"));
    let ((names, a), (_, b)) = (rows(&world, "a.csv"), rows(&world, "b.csv"));
    let policy = fs::read_to_string(world.path("p.toml")).unwrap();
    let keyed = |name: &String| policy.contains(&format!("[columns.\"{name}\"]\ntechnique = \"pseudonym\""));
    let (keyed, equal): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|column| keyed(&names[*column]));
    assert!(!keyed.is_empty() && !equal.is_empty());
    let by_position = a.iter().zip(&b).filter(|(a, b)| equal.iter().all(|column| a[*column] == b[*column])).count();
    let by_columns = unique(&a, &equal);
    let tokens: HashSet<&str> = a.iter().map(|row| row[keyed[0]].as_str()).collect();
    let by_token = b.iter().filter(|row| tokens.contains(row[keyed[0]].as_str())).count();
    println!(
        "two outputs: {by_position} of 20000 rows agree by place, {by_columns} millionths are alone by equal columns, {by_token} by pseudonym"
    );
    assert!(by_columns <= 50_000 && by_token == 0 && by_position < 2_000);
}

#[test]
fn a_dictionary_of_all_numbers_finds_no_pseudonym() {
    let world = with_keys();
    // All people have numbers of one block of 10,000, which the attacker tries one by one with keys of their own.
    let number = |row: u64| format!("1380013{:04}", row * 7_919 % 10_000);
    let people: String = (0..500).map(|row| format!("{},a\n", number(row))).collect();
    world.write("in.csv", format!("mobile,group\n{people}"));
    world.write(
        "p.toml",
        "release = \"controlled\"\norder = \"shuffled\"\n[columns.mobile]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n[columns.group]\ntechnique = \"keep\"\n",
    );
    world.json(&make("people.keys", "open.csv"));
    let all: String = (0..10_000).map(|number| format!("1380013{number:04},a\n")).collect();
    world.write("in.csv", format!("mobile,group\n{all}"));
    world.json(&make("other.keys", "dictionary.csv"));
    let tokens: HashSet<String> = rows(&world, "dictionary.csv").1.into_iter().map(|row| row[0].clone()).collect();
    let found = rows(&world, "open.csv").1.iter().filter(|row| tokens.contains(&row[0])).count();
    println!("dictionary of 10000 numbers: {found} of 500 pseudonyms are found without the key");
    assert_eq!((found, tokens.len()), (0, 10_000));
}

#[test]
fn a_column_that_stands_in_the_way_is_named() {
    let world = with_keys();
    let rows: String = (0..400).map(|row| format!("{}\n", row * 7_919 % 100_000)).collect();
    world.write("in.csv", format!("reading\n{rows}"));
    world.fails(3, &["column reading: it stands in the way"], &["policy", "suggest", "in.csv", "--release", "controlled"]);
    // Beside a column of few values it is left out.
    let rows: String = (0..400).map(|row| format!("{},{}\n", row * 7_919 % 100_000, row % 3)).collect();
    world.write("in.csv", format!("reading,ward\n{rows}"));
    world.done(&["policy", "suggest", "in.csv", "--release", "controlled", "-o", "p.toml"]);
    let policy = fs::read_to_string(world.path("p.toml")).unwrap();
    assert!(
        policy.contains("[columns.\"reading\"]\ntechnique = \"suppress\"") && policy.contains("[columns.\"ward\"]\ntechnique = \"keep\""),
        "{policy}"
    );
    world.done(&check());
}

#[test]
fn metadata_of_outputs_hold_no_value_of_the_source() {
    let world = with_register(5_000);
    world.done(&["policy", "suggest", "in.csv", "--release", "controlled", "-o", "p.toml", "--force"]);
    let (names, raw) = rows(&world, "in.csv");
    let at = |name: &str| names.iter().position(|other| other == name).unwrap();
    for out in ["open.csv", "open.parquet", "open.arrow"] {
        world.json(&make("people.keys", out));
        let beside = ["", ".manifest", ".opening"].map(|end| fs::read(world.path(&format!("{out}{end}"))).unwrap());
        let holds = |value: &str| beside.iter().any(|bytes| bytes.windows(value.len()).any(|window| window == value.as_bytes()));
        let sought: Vec<&str> =
            raw.iter().step_by(250).flat_map(|row| [&row[at("id")], &row[at("mobile")], &row[at("birth")]]).map(String::as_str).collect();
        let found = sought.iter().filter(|value| holds(value)).count();
        println!("metadata: {found} of {} ids, numbers and dates of birth stand in {out}, its manifest or its opening", sought.len());
        assert_eq!(found, 0);
        let made = fs::metadata(world.path(out)).unwrap().len();
        assert!(made > 0 && sought.len() == 60);
    }
}

/// People who came several times, with the days between them that few others have.
fn visits() -> String {
    let (mut draw, mut csv) = (Draw(9), "patient,visit_no,ward,visit\n".to_owned());
    let mut number = 0;
    for patient in 0..600u64 {
        for _ in 0..3 {
            number += 1;
            let day = draw.below(900);
            let date = format!("{}-{:02}-{:02}", 2020 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
            writeln!(csv, "P{:07},V{:07},{},{date}", patient * 104_729 % 10_000_000, number * 7_919 % 10_000_000, patient / 30).unwrap();
        }
    }
    csv
}

#[test]
fn gaps_are_counted_by_every_column_that_links_the_records_of_a_person() {
    let world = with_keys();
    world.write("in.csv", visits());
    let keyed = |column: &str| format!("[columns.{column}]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n");
    let other = |column: &str, technique: &str| format!("[columns.{column}]\ntechnique = \"{technique}\"\n");
    let shift =
        |subject: &str| format!("[columns.visit]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"{subject}\"\ndays = 365\n");
    let (head, told) = ("release = \"controlled\"\norder = \"shuffled\"\n", [" are unique by the gaps between their dates in visit"]);
    for (what, policy) in [
        // The policy calls each visit a person.
        (
            "another subject",
            format!("subject = \"visit_no\"\n{head}{}{}{}{}", keyed("patient"), keyed("visit_no"), other("ward", "keep"), shift("patient")),
        ),
        // The dates move by visit, and the patient still links them.
        ("another shift", format!("{head}{}{}{}{}", keyed("patient"), keyed("visit_no"), other("ward", "keep"), shift("visit_no"))),
        // The subject does not leave, but another column that is as good does.
        (
            "no subject",
            format!("{head}{}{}{}{}", keyed("patient"), other("visit_no", "suppress"), other("ward", "keep"), shift("visit_no")),
        ),
        // A subject in clear.
        (
            "in clear",
            format!("{head}{}{}{}{}", other("patient", "suppress"), other("visit_no", "suppress"), other("ward", "keep"), shift("ward")),
        ),
    ] {
        world.write("p.toml", policy);
        println!("{what}");
        refused(&world, &told);
    }
}

#[test]
fn dates_that_move_together_are_counted_together_however_the_policy_writes_it() {
    let world = with_keys();
    let mut draw = Draw(4);
    // Stays of every length, one a person; those who came are alike in all else.
    let day = |day: u64| format!("{}-{:02}-{:02}", 2020 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
    let rows: String = (0..800u64)
        .map(|row| {
            let came = draw.below(400);
            format!("P{:07},{},{},{}\n", row * 104_729 % 10_000_000, row % 2, day(came), day(came + row))
        })
        .collect();
    world.write("in.csv", format!("patient,ward,came,left\n{rows}"));
    let shift = |column: &str, more: &str| {
        format!("[columns.{column}]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"patient\"\ndays = 365\n{more}")
    };
    for more in ["", "domain = \"patient\"\n", "key_version = 1\n"] {
        world.write("p.toml", format!(
            "release = \"controlled\"\norder = \"shuffled\"\n[columns.patient]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n[columns.ward]\ntechnique = \"keep\"\n{}{}",
            shift("came", ""), shift("left", more)
        ));
        refused(&world, &["of the subjects are unique", "by the gaps between their dates in came, left"]);
    }
    // Without its patient each record shows its stay.
    let policy = fs::read_to_string(world.path("p.toml"))
        .unwrap()
        .replace("technique = \"pseudonym\"\nkey = \"pseudonym\"", "technique = \"suppress\"");
    world.write("p.toml", policy);
    refused(&world, &["of the records are unique"]);
}

#[test]
fn times_behind_shifted_dates_are_counted() {
    let world = with_keys();
    let mut draw = Draw(3);
    let rows: String = (0..1_000u64)
        .map(|row| {
            let second = draw.below(86_400);
            let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
            format!("P{:07},2024-03-{:02} {time}\n", row * 104_729 % 10_000_000, 1 + row % 28)
        })
        .collect();
    world.write("in.csv", format!("patient,visit\n{rows}"));
    world.write("p.toml", "release = \"controlled\"\norder = \"shuffled\"\n[columns.patient]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n[columns.visit]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"patient\"\ndays = 365\n");
    refused(&world, &["of the subjects are unique", "by the gaps between their dates in visit"]);
}

#[test]
fn a_shift_is_shown_by_a_copy_of_any_date_that_moves_with_it() {
    let world = with_keys();
    let copy = |person: u64| format!("2024-{:02}-{:02}", 1 + person % 12, 1 + person * 5 % 28);
    let patient = |person: u64| format!("P{:06}", person * 7_919 % 1_000_000);
    world.write("in.csv", coarse(&[("patient", &patient), ("birth", &birth), ("seen", &copy), ("filed", &copy)]));
    let shift =
        |column: &str| format!("[columns.{column}]\ntechnique = \"date_shift\"\nkey = \"pseudonym\"\nsubject = \"patient\"\ndays = 365\n");
    let policy = |filed: &str| {
        format!(
            "release = \"controlled\"\norder = \"shuffled\"\nmax_unique = \"1\"\nbecause = \"for this test\"\n[columns.patient]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n{}{}[columns.filed]\n{filed}",
            shift("birth"),
            shift("seen")
        )
    };
    world.write("p.toml", policy("technique = \"date\"\nlevel = \"month\"\n"));
    refused(&world, &["column birth (grade 3): beside column filed"]);
    world.write("p.toml", policy("technique = \"suppress\"\n"));
    world.done(&check());
}

#[test]
fn a_subject_that_nobody_gave_hides_nobody() {
    let world = with_keys();
    // Half of the records have no person, or one that stands for none, and values of their own; the others are alike.
    for nobody in ["", "U000000"] {
        let rows: String =
            (0..1_000u64)
                .map(|row| {
                    if row % 2 == 0 { format!("{nobody},{}\n", 10_000 + row) } else { format!("P{:06},7\n", row % 200 * 7_919 % 1_000_000) }
                })
                .collect();
        world.write("in.csv", format!("case,reading\n{rows}"));
        world.write("p.toml", "release = \"controlled\"\norder = \"shuffled\"\nsubject = \"case\"\n[columns.case]\ntechnique = \"pseudonym\"\nkey = \"pseudonym\"\n[columns.reading]\ntechnique = \"keep\"\n");
        refused(&world, &["are unique"]);
    }
}

#[test]
fn dates_in_any_spelling_and_parts_at_no_place_are_put_together() {
    let world = with_keys();
    let cut = "[columns.birth]\ntechnique = \"date\"\nlevel = \"year\"\n";
    let dmy = |person: u64| birth(person).split('-').rev().collect::<Vec<_>>().join("/");
    let han = |person: u64| {
        let text = birth(person);
        let parts: Vec<u64> = text.split('-').map(|part| part.parse().unwrap()).collect();
        format!("{}年{}月{}日", parts[0], parts[1], parts[2])
    };
    let code = |person: u64| dmy(person)[..5].replace('/', "");
    let card = |person: u64| {
        let digits = format!("622202{:0width$}", person * 7_654_321 % 1_000_000_000, width = if person.is_multiple_of(2) { 9 } else { 12 });
        let luhn = digits
            .bytes()
            .rev()
            .enumerate()
            .map(|(at, digit)| {
                let digit = u32::from(digit - b'0') * if at % 2 == 0 { 2 } else { 1 };
                digit / 10 + digit % 10
            })
            .sum::<u32>();
        format!("{digits}{}", (10 - luhn % 10) % 10)
    };
    let end = |person: u64| {
        let card = card(person);
        card[card.len() - 4..].to_owned()
    };
    type Columns<'a> = Vec<(&'a str, &'a dyn Fn(u64) -> String)>;
    let cases: Vec<(Columns<'_>, String, &str)> = vec![
        (
            vec![("birth", &dmy), ("code", &code)],
            format!("{cut}[columns.code]\ntechnique = \"keep\"\n"),
            "column birth (grade 3): beside column code",
        ),
        (
            vec![("birth", &han), ("id", &id)],
            format!("{cut}[columns.id]\ntechnique = \"mask\"\nkeep_first = 14\n"),
            "column birth (grade 3): beside column id",
        ),
        (
            vec![("birth", &dmy), ("id", &id)],
            format!("{cut}[columns.id]\ntechnique = \"mask\"\nkeep_first = 14\n"),
            "column birth (grade 3): beside column id",
        ),
        (
            vec![("card", &card), ("end", &end)],
            "[columns.card]\ntechnique = \"mask\"\nkeep_first = 12\n[columns.end]\ntechnique = \"keep\"\n".to_owned(),
            "column card (grade 3): beside column end",
        ),
    ];
    for (columns, sections, expected) in cases {
        world.write("in.csv", coarse(&columns));
        world.write("p.toml", format!("release = \"controlled\"\norder = \"shuffled\"\n{sections}"));
        refused(&world, &[expected]);
    }
}

#[test]
fn what_agrees_by_chance_is_not_refused() {
    let world = with_keys();
    let mut draw = Draw(2);
    let rows: String = (0..2_000)
        .map(|_| {
            let (salary, bonus) = (3_000 + draw.below(700) * 10, if draw.below(10) == 0 { draw.below(90) * 100 } else { 0 });
            format!("{salary},{bonus},{},u{}@example.com,u{}@example.org\n", draw.below(2), draw.below(9_000), draw.below(9_000))
        })
        .collect();
    world.write("in.csv", format!("salary,bonus,flag,email,other_email\n{rows}"));
    world.write("p.toml", "release = \"controlled\"\norder = \"shuffled\"\nmax_unique = \"1\"\nbecause = \"for this test\"\n[columns.salary]\ntechnique = \"round\"\nto = 1000\nstep = 10\n[columns.bonus]\ntechnique = \"round\"\nto = 5000\nstep = 100\n[columns.flag]\ntechnique = \"keep\"\n[columns.email]\ntechnique = \"mask\"\nkeep_first = 1\nwidth = 4\n[columns.other_email]\ntechnique = \"mask\"\nkeep_first = 1\nkeep_domain = true\nwidth = 4\n");
    let run = world.run(&check());
    assert!(!run.err.contains("beside column"), "{}", run.err);
    assert_eq!(run.code, 0, "{}", run.err);
}
