//! Who is asked about: the Adult census when it is there, else people of the generated register.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::register::{OCCUPATIONS, Register};

/// Everyone's sex, age, work and origin, and what an owner says of them.
pub(crate) struct People {
    /// Where they come from.
    pub(crate) source: &'static str,
    sexes: [&'static str; 2],
    works: [&'static str; 8],
    rows: Vec<Person>,
}

/// Places among the declared values, and years.
struct Person {
    sex: usize,
    age: i64,
    work: usize,
    /// Not declared.
    origin: String,
}

/// What a perfect answer about a group would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) count: i128,
    pub(crate) sum: i128,
}

const ADULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/datasets/adult/adult.csv");

/// From the codebook of the census; nobody in the file has never worked.
const ADULT_WORKS: [&str; 8] =
    ["Private", "Self-emp-not-inc", "Self-emp-inc", "Federal-gov", "Local-gov", "State-gov", "Without-pay", "Never-worked"];

/// The bounds of ages: they cut nobody off, so the truth within bounds is the truth.
pub(crate) const AGES: [i128; 2] = [0, 120];

/// As many as the census has, about.
const REGISTER_ROWS: u64 = 30_000;

impl People {
    pub(crate) fn read() -> Result<Self, Box<dyn Error>> {
        if Path::new(ADULT).is_file() { Self::adult(&fs::read_to_string(ADULT)?) } else { Self::register() }
    }

    fn adult(text: &str) -> Result<Self, Box<dyn Error>> {
        let mut people = Self { source: "the Adult census", sexes: ["Female", "Male"], works: ADULT_WORKS, rows: Vec::new() };
        let mut lines = text.lines();
        let header: Vec<_> = lines.next().unwrap_or_default().split(';').collect();
        let place = |name: &str| header.iter().position(|column| *column == name).ok_or("adult.csv has other columns");
        let (sex, age, work, origin) = (place("sex")?, place("age")?, place("workclass")?, place("native-country")?);
        for line in lines {
            let cells: Vec<_> = line.split(';').collect();
            let cell = |place: usize| cells.get(place).copied().unwrap_or_default();
            people.push(cell(sex), cell(age).parse()?, cell(work), cell(origin))?;
        }
        Ok(people)
    }

    fn register() -> Result<Self, Box<dyn Error>> {
        let works = OCCUPATIONS.map(|(code, _)| code);
        let mut people = Self { source: "the generated register", sexes: ["男", "女"], works, rows: Vec::new() };
        for person in Register::new(1, REGISTER_ROWS) {
            people.push(person.sex, person.age.into(), person.occupation, person.city)?;
        }
        Ok(people)
    }

    fn push(&mut self, sex: &str, age: i64, work: &str, origin: &str) -> Result<(), &'static str> {
        let place = |values: &[&str], cell| values.iter().position(|value| *value == cell).ok_or("a cell is none of the declared values");
        let (sex, work) = (place(&self.sexes, sex)?, place(&self.works, work)?);
        if !(AGES[0]..=AGES[1]).contains(&age.into()) {
            return Err("an age is out of bounds");
        }
        self.rows.push(Person { sex, age, work, origin: origin.to_owned() });
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// As a file of the owner's.
    pub(crate) fn csv(&self) -> String {
        let mut csv = "sex,age,work,origin\n".to_owned();
        for Person { sex, age, work, origin } in &self.rows {
            // Writing to a string cannot fail.
            let _ = writeln!(csv, "{},{age},{},{origin}", self.sexes[*sex], self.works[*work]);
        }
        csv
    }

    /// The owner's description, with a budget in TOML.
    pub(crate) fn description(&self, name: &str, budget: &str) -> String {
        format!(
            r#"
            name = "{name}"
            data = "people.csv"
            unit = "row"
            rows_are_independent = true
            public_source = "the codebook"
            budget = {budget}
            columns.sex = {{ type = "text", values = {:?}, grade = 1 }}
            columns.age = {{ type = "integer", bounds = {AGES:?}, grade = 2 }}
            columns.work = {{ type = "text", values = {:?}, grade = 2 }}
            columns.origin = {{ type = "text", use = ["filter", "group", "reveal"], grade = 2 }}
            "#,
            self.sexes, self.works
        )
    }

    /// The truth about each work, in the order of the declared values.
    pub(crate) fn by_work(&self) -> Vec<(&'static str, Truth)> {
        let mut truths = self.works.map(|work| (work, Truth { count: 0, sum: 0 }));
        for person in &self.rows {
            let (_, truth) = &mut truths[person.work];
            truth.count += 1;
            truth.sum += i128::from(person.age);
        }
        truths.into()
    }

    /// How many of a work are of each age.
    pub(crate) fn ages_of(&self, work: usize) -> Vec<u64> {
        let mut ages = vec![0; usize::try_from(AGES[1]).map_or(1, |most| 1 + most)];
        for person in self.rows.iter().filter(|person| person.work == work) {
            if let Some(count) = usize::try_from(person.age).ok().and_then(|age| ages.get_mut(age)) {
                *count += 1;
            }
        }
        ages
    }
}
