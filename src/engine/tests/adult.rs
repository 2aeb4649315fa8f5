//! The facts of rule F4, from the file through the snapshot.
#![cfg(feature = "csv")]

use std::ops::ControlFlow;
use std::path::Path;

use super::*;
use crate::budget::Loss;
use crate::dataset::{DescriptionFile, Snapshot, table_schema, write_snapshot};
use crate::file::{Output, OutputOptions};
use crate::id::Decimal;
use crate::random::RecordedRandom;
use crate::table::{CsvOptions, CsvSource};

const DESCRIPTION: &str = r#"
    name = "adult"
    data = "adult.csv"
    unit = "row"
    rows_are_independent = true
    budget = { model = "approx", epsilon = "1", delta = "0" }
    [columns.sex]
    type = "text"
    values = ["Male", "Female"]
    grade = 2
    [columns.age]
    type = "integer"
    bounds = [0, 120]
    grade = 2
"#;

#[test]
fn means_of_adult_are_the_known_ones() {
    let csv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/datasets/adult/adult.csv");
    if !csv.parent().is_some_and(Path::exists) {
        println!("skipped: no ../shared");
        return;
    }
    let description = DescriptionFile::parse(DESCRIPTION, "".as_ref()).unwrap().description;
    let schema = description.schema();
    let options = CsvOptions { delimiter: b';', ..CsvOptions::default() };
    let source = CsvSource::open(csv, options, table_schema(schema)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adult.snapshot");
    let output = Output::create(&path, OutputOptions { force: false, private: true }).unwrap();
    write_snapshot(&source, &description, &memory::key(), output, &mut |_| ControlFlow::Continue(())).unwrap();
    let engine = SnapshotEngine::of_rows(Snapshot::open(&path, schema).unwrap());

    let release = |groups: &[&str], epsilon: &str| {
        let bound = BoundQuery::new(&query(vec![Item::count_rows(), Item::mean(column("age"))], groups), schema).unwrap();
        let allocation = Allocation::new(&bound, Loss::approx(epsilon, "0").unwrap()).unwrap();
        let exact = engine.aggregate(&bound, &Control::default()).unwrap();
        exact.noise(&allocation, &mut RecordedRandom::from_seed("adult")).unwrap().estimates()
    };
    let truths = ["38.437902", "39.184004", "36.883459"].map(|truth| Decimal::parse(truth).unwrap());
    let counts = ["30162", "20380", "9782"].map(|count| Some(Decimal::parse(count).unwrap()));
    let all = |epsilon| [release(&[], epsilon), release(&["sex"], epsilon)].concat();
    for (group, (truth, count)) in all("1000000").iter().zip(truths.into_iter().zip(counts)) {
        assert_eq!((group.estimates[0].value, group.estimates[1].value), (count, Some(truth)));
    }
    // At an epsilon that people would pay, the interval is short: half a year at 9,782 people.
    let half_a_year = Decimal::parse("0.5").unwrap().units(6).unwrap();
    for (group, truth) in all("0.2").iter().zip(truths) {
        let mean = &group.estimates[1];
        assert!(mean.low.unwrap() <= truth && truth <= mean.high.unwrap(), "{mean:?}");
        assert!(mean.high.unwrap().units(6).unwrap() - mean.low.unwrap().units(6).unwrap() < half_a_year, "{mean:?}");
    }
}
