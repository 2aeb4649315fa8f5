//! Snapshots of whole registers: what was in the file comes back, quantised.
#![cfg(all(feature = "embedded", feature = "csv"))]
#![allow(clippy::unwrap_used)]

#[path = "../examples/register/mod.rs"]
mod register;

use std::ops::ControlFlow;
use std::path::Path;

use register::{DESCRIPTION, Register};
use usufruct::dataset::{
    Cells, ColumnBlock, Description, DescriptionFile, RowKey, Snapshot, Summary, Warning, table_schema, write_snapshot,
};
use usufruct::file::{Output, OutputOptions};
use usufruct::id::ColumnName;
use usufruct::random::SystemRandom;
use usufruct::table::{CsvOptions, CsvSource};

fn publish(source: &CsvSource, description: &Description, target: &Path) -> Summary {
    let key = RowKey::generate(&mut SystemRandom::new().unwrap());
    let output = Output::create(target, OutputOptions { force: false, private: true }).unwrap();
    write_snapshot(source, description, &key, output, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn place(description: &Description, name: &str) -> usize {
    description.schema().columns().iter().position(|column| column.name.as_str() == name).unwrap()
}

fn texts(snapshot: &Snapshot, column: usize) -> Vec<String> {
    let dictionary = snapshot.dictionary(column).unwrap();
    let blocks = (0..snapshot.blocks()).map(|block| snapshot.block(column, block).unwrap());
    let of_block = |cells: &Cells| match cells {
        Cells::Codes(codes) => codes.iter().map(|&code| dictionary.get(code).unwrap().to_owned()).collect::<Vec<_>>(),
        Cells::Numbers(_) => panic!("a text column has codes"),
    };
    blocks.flat_map(|block| of_block(&block.cells)).collect()
}

fn numbers(snapshot: &Snapshot, column: usize) -> Vec<Option<i64>> {
    let blocks = (0..snapshot.blocks()).map(|block| snapshot.block(column, block).unwrap());
    let of_block = |block: &ColumnBlock| match &block.cells {
        Cells::Numbers(numbers) => (0..).zip(numbers).map(|(row, &number)| (!block.is_null(row)).then_some(number)).collect::<Vec<_>>(),
        Cells::Codes(_) => panic!("a number column has numbers"),
    };
    blocks.flat_map(|block| of_block(&block)).collect()
}

#[test]
fn a_register_of_200_000_people_comes_back() {
    const ROWS: u64 = 200_000;
    let folder = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    Register::new(11, ROWS).with_null_incomes(50).write_csv(&mut text).unwrap();
    let description = DESCRIPTION.replace("bounds = [0, 50000]", "bounds = [0, 50000]\nnullable = true");
    let description = DescriptionFile::parse(&description, folder.path()).unwrap().description;
    let source = CsvSource::from_bytes(text, CsvOptions::default(), table_schema(description.schema())).unwrap();
    let target = folder.path().join("register.snapshot");
    let summary = publish(&source, &description, &target);
    assert_eq!((summary.rows, summary.units), (ROWS, None));

    let snapshot = Snapshot::open(&target, description.schema()).unwrap();
    assert_eq!((snapshot.rows(), snapshot.blocks(), snapshot.digest()), (ROWS, 4, summary.digest));
    let people: Vec<_> = Register::new(11, ROWS).with_null_incomes(50).collect();
    let at = |name| place(&description, name);
    assert!(texts(&snapshot, at("sex")).iter().eq(people.iter().map(|person| person.sex)));
    assert!(texts(&snapshot, at("city")).iter().eq(people.iter().map(|person| person.city)));
    assert!(texts(&snapshot, at("birth")).iter().eq(people.iter().map(register::Person::birth)));
    assert!(numbers(&snapshot, at("age")).into_iter().eq(people.iter().map(|person| Some(person.age.into()))));
    assert!(numbers(&snapshot, at("income")).into_iter().eq(people.iter().map(|person| person.income.map(Into::into))));
    for hidden in ["id", "name", "mobile"] {
        assert!(snapshot.block(at(hidden), 0).is_err() && snapshot.dictionary(at(hidden)).is_none());
    }
    // Fixed widths: three columns of codes, two of numbers, one of them with nulls; dictionaries and index are small beside them.
    let bytes = std::fs::metadata(&target).unwrap().len();
    let cells = ROWS * (3 * 4 + 4 + 2 * 8) + ROWS.div_ceil(64) * 8;
    assert!((cells..cells + 1_000_000).contains(&bytes), "{bytes} {cells}");
}

#[test]
fn with_a_unit_column_the_rows_of_a_unit_stand_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    Register::new(12, 20_000).write_csv(&mut text).unwrap();
    let description = DESCRIPTION.replace(
        "unit = \"row\"\nrows_are_independent = true",
        "unit = { column = \"birth\" }\ncontribution = { groups_per_unit = 1, rows_per_group = 1 }",
    );
    let description = DescriptionFile::parse(&description, folder.path()).unwrap().description;
    let source = CsvSource::from_bytes(text, CsvOptions::default(), table_schema(description.schema())).unwrap();
    let target = folder.path().join("register.snapshot");
    let summary = publish(&source, &description, &target);
    let births: std::collections::HashSet<_> = Register::new(12, 20_000).map(|person| person.birth().to_owned()).collect();
    assert_eq!(summary.units, Some(births.len() as u64));
    let snapshot = Snapshot::open(&target, description.schema()).unwrap();
    let units = snapshot.unit_block(0).unwrap();
    assert!(units.ids.is_sorted());
    let ages = numbers(&snapshot, place(&description, "age"));
    let together = units.ids.windows(2).zip(ages.windows(2)).filter(|(ids, _)| ids[0] == ids[1]);
    assert!(together.clone().count() > 1000 && together.clone().all(|(_, ages)| ages[0] == ages[1]));
}

#[test]
fn adult_comes_back() {
    let path = Path::new("../shared/data/datasets/adult/adult.csv");
    if !path.exists() {
        println!("skipped: no ../shared");
        return;
    }
    let text = r#"
        name = "adult"
        data = "adult.csv"
        delimiter = ";"
        unit = "row"
        rows_are_independent = true
        budget = { model = "approx", epsilon = "3", delta = "0" }
        [columns.age]
        type = "integer"
        bounds = [0, 120]
        grade = 2
        [columns.sex]
        type = "text"
        values = ["Female", "Male"]
        grade = 1
        [columns.education]
        type = "text"
        values = ["Bachelors"]
        grade = 2
    "#;
    let folder = tempfile::tempdir().unwrap();
    let description = DescriptionFile::parse(text, folder.path()).unwrap().description;
    let options = CsvOptions { delimiter: b';', ..CsvOptions::default() };
    let source = CsvSource::open(path, options, table_schema(description.schema())).unwrap();
    let target = folder.path().join("adult.snapshot");
    let summary = publish(&source, &description, &target);
    assert_eq!(summary.rows, 30_162);
    // Both sexes occur and only they; most educations are not declared.
    let column = |name| ColumnName::new(name).unwrap();
    assert_eq!(
        summary.warnings,
        [Warning::ValuesAreObserved { column: column("sex") }, Warning::Undeclared { column: column("education") }]
    );

    let snapshot = Snapshot::open(&target, description.schema()).unwrap();
    let ages: Vec<i64> = numbers(&snapshot, place(&description, "age")).into_iter().flatten().collect();
    assert_eq!(ages.iter().sum::<i64>(), 1_159_364);
    let men = texts(&snapshot, place(&description, "sex")).iter().filter(|sex| *sex == "Male").count();
    assert_eq!(men, 20_380);
    assert_eq!(snapshot.code_of(place(&description, "education"), "Bachelors"), Some(0));
}
