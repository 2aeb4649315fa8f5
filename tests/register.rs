//! The generated register is what examples, tests and benches take it for.
#![allow(clippy::unwrap_used)]
#![cfg_attr(not(all(feature = "csv", feature = "embedded")), allow(unused_imports, reason = "two tests need files"))]

#[path = "../examples/register/mod.rs"]
mod register;

use std::collections::{BTreeMap, HashSet};

use register::{CITIES, DESCRIPTION, HEADER, OCCUPATIONS, Register};

/// GB 11643, written another way than in the generator: with its last character a number, the id is 1 modulo 11.
fn is_resident_id(id: &str) -> bool {
    let value = |(at, byte): (usize, u8)| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'X' if at == 17 => Some(10),
        _ => None,
    };
    let sum = id.bytes().enumerate().try_fold(0, |sum, digit| Some((sum * 2 + value(digit)?) % 11));
    id.len() == 18 && sum == Some(1)
}

#[test]
fn the_check_is_that_of_the_standard() {
    // The two examples of GB 11643-1999.
    assert!(is_resident_id("11010519491231002X") && is_resident_id("440524188001010014"));
    assert!(!is_resident_id("110105194912310021") && !is_resident_id("44052418800101001X"));
}

#[test]
fn people_are_plausible_and_ids_distinct() {
    let mut ids = HashSet::new();
    let mut men = 0;
    for person in Register::new(7, 200_000) {
        let id = person.id();
        assert!(is_resident_id(id), "{id}");
        assert!(ids.insert(id.to_owned()), "{id} twice");
        let man = (person.id[16] - b'0') % 2 == 1;
        men += u32::from(man);
        assert_eq!(person.sex, if man { "男" } else { "女" });
        assert_eq!(person.birth().replace('-', ""), id[6..14]);
        assert_eq!(u64::from(person.age) + person.birth()[..4].parse::<u64>().unwrap(), 2025);
        assert!(person.age < 100);
        assert!(person.mobile().starts_with('1') && person.mobile().bytes().all(|byte| byte.is_ascii_digit()));
        assert!((2..=4).contains(&person.name().chars().count()));
        assert!((0..256_000).contains(&person.income.unwrap()));
    }
    assert!((98_000..102_000).contains(&men), "{men}");
}

#[test]
fn a_seed_is_a_register() {
    let text = |seed, rows| {
        let mut text = Vec::new();
        Register::new(seed, rows).write_csv(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    assert_eq!(text(1, 1000), text(1, 1000));
    assert!(text(1, 1001).starts_with(&text(1, 1000)));
    assert_ne!(text(1, 1000), text(2, 1000));
    assert_eq!(text(1, 1), format!("{HEADER}\n330105198606281135,吴刚,男,1986-06-28,39,上海,13177743691,30000,123375\n"));
    assert_eq!(text(1, 0), format!("{HEADER}\n"));
    assert_eq!(text(1, 70_000).lines().count(), 70_001);
    let nulls = Register::new(1, 10_000).with_null_incomes(50).filter(|person| person.income.is_none()).count();
    assert!((380..620).contains(&nulls), "{nulls}");
}

#[test]
#[cfg(feature = "csv")]
fn the_register_is_read_back() {
    use usufruct::arrow::arrow_array::cast::AsArray;
    use usufruct::arrow::arrow_array::types::Int64Type;
    use usufruct::id::ColumnName;
    use usufruct::table::{ColumnKind, CsvOptions, CsvSource, RecordSource, TableColumn, TableSchema};

    let mut text = Vec::new();
    Register::new(3, 20_000).with_null_incomes(20).write_csv(&mut text).unwrap();
    let kind = |name| if matches!(name, "age" | "income") { ColumnKind::Integer } else { ColumnKind::Text };
    let columns = HEADER.split(',').map(|name| TableColumn { name: ColumnName::new(name).unwrap(), kind: kind(name) }).collect();
    let source = CsvSource::from_bytes(text, CsvOptions::default(), TableSchema::new(columns).unwrap()).unwrap();
    let mut people = Register::new(3, 20_000).with_null_incomes(20);
    for records in source.read().unwrap() {
        let records = records.unwrap();
        let text = |column: usize, row: usize| records.batch().column(column).as_string::<i32>().value(row).to_owned();
        for row in 0..records.len() {
            let person = people.next().unwrap();
            assert_eq!((text(0, row), text(1, row)), (person.id().to_owned(), person.name()));
            let incomes = records.batch().column(8).as_primitive::<Int64Type>();
            assert_eq!(incomes.iter().nth(row).unwrap(), person.income.map(i64::from));
        }
    }
    assert_eq!(people.next(), None);
}

#[test]
#[cfg(feature = "embedded")]
fn the_description_fits_the_register() {
    usufruct::dataset::DescriptionFile::parse(DESCRIPTION, std::path::Path::new(".")).unwrap();
    let description: toml::Table = DESCRIPTION.parse().unwrap();
    let columns = description["columns"].as_table().unwrap();
    assert_eq!(columns.len(), HEADER.split(',').count());
    assert!(HEADER.split(',').all(|name| columns.contains_key(name)));
    let declared = |column: &str| -> Vec<String> {
        columns[column]["values"].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(declared("city"), CITIES.map(|(name, _)| name));
    assert_eq!(declared("occupation"), OCCUPATIONS.map(|(code, _)| code));
    assert_eq!(declared("sex"), ["男", "女"]);
    let mut cities = BTreeMap::new();
    for person in Register::new(5, 10_000) {
        *cities.entry(person.city).or_insert(0) += 1;
    }
    assert_eq!(cities.len(), CITIES.len());
    assert!(cities.values().all(|&count| count > 300));
}
