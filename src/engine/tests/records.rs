//! Records in memory against the same records through a snapshot.

use std::ops::ControlFlow;

use super::memory::{Cell, Record};
use super::*;
use crate::budget::Loss;
use crate::dataset::{Cells, Description, Draft, PublishError, RecordTable, Schema, Snapshot, Unit, table_schema, write_snapshot};
use crate::file::{Output, OutputOptions};
use crate::table::{CsvOptions, CsvSource};

fn csv(schema: &Schema, records: &[Record]) -> String {
    let names: Vec<_> = schema.columns().iter().map(|column| column.name.as_str()).collect();
    let mut out = names.join(",") + "\n";
    for record in records {
        let cells = schema.columns().iter().enumerate().map(|(place, column)| match (record.cells.get(place), column.name.as_str()) {
            // Every seventh unit is a null.
            (_, "who") if record.unit % 7 == 6 => String::new(),
            (_, "who") => record.unit.to_string(),
            (Some(Cell::Number(quarters)), "y") => format!("{}.{:02}", quarters / 4, quarters % 4 * 25),
            (Some(Cell::Number(number)), _) => number.to_string(),
            (Some(Cell::Text(text)), _) => text.clone(),
            (Some(Cell::Null) | None, _) => String::new(),
        });
        out += &(cells.collect::<Vec<_>>().join(",") + "\n");
    }
    out
}

fn source(schema: &Schema, text: &str) -> CsvSource {
    CsvSource::from_bytes(text.as_bytes(), CsvOptions::default(), table_schema(schema)).unwrap()
}

fn table(schema: &Schema, text: &str) -> Result<RecordTable, PublishError> {
    RecordTable::read(&source(schema, text), schema, &memory::key(), &mut |_| ControlFlow::Continue(()))
}

fn snapshot(schema: &Schema, text: &str) -> Snapshot {
    let description = Description::new(Draft {
        name: Name::new("t").unwrap(),
        title: String::new(),
        budget: Loss::approx("1", "0").unwrap(),
        report_delta: None,
        legacy_quantum_ms: None,
        rows_are_independent: *schema.unit() == Unit::Row,
        public_size: false,
        public_source: None,
        schema: schema.clone(),
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    let output = Output::create(&path, OutputOptions { force: false, private: true }).unwrap();
    let mut progress = |_| ControlFlow::Continue(());
    write_snapshot(&source(schema, text), &description.unwrap(), &memory::key(), output, &mut progress).unwrap();
    Snapshot::open(&path, schema).unwrap()
}

/// Everything an engine can read.
fn read(schema: &Schema, blocks: &impl Blocks) -> Vec<String> {
    let mut out = vec![format!("{} blocks", blocks.blocks())];
    for place in 0..schema.columns().len() {
        blocks.texts(place, &mut |text| out.push(format!("{place}: {text}"))).unwrap_or_default();
        for block in (0..blocks.blocks()).filter_map(|at| blocks.block(place, at).ok()) {
            out.push(match &block.cells {
                Cells::Codes(codes) => format!("{place}: {codes:?} {:?}", block.nulls),
                Cells::Numbers(numbers) => format!("{place}: {numbers:?} {:?}", block.nulls),
            });
        }
    }
    for block in (0..blocks.blocks()).filter_map(|at| blocks.unit_block(at).ok()) {
        out.push(format!("{:?} {:?}", block.ids, block.tags));
    }
    out.extend((0..=blocks.blocks()).map(|at| blocks.block_rows(at).to_string()));
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_table_is_the_snapshot_of_its_records(case in case()) {
        let Case { records, query, schema, .. } = case;
        let bound = BoundQuery::new(&query, &schema).unwrap();
        let text = csv(&schema, &records);
        let (table, snapshot) = (table(&schema, &text).unwrap(), snapshot(&schema, &text));
        prop_assert_eq!(read(&schema, &table), read(&schema, &snapshot));
        prop_assert_eq!(table.rows(), snapshot.rows());
        let by_rows = schema.unit_column().is_none();
        let of_table = SnapshotEngine::of_units(table, memory::key()).aggregate(&bound, &Control::default()).unwrap();
        let of_snapshot = SnapshotEngine::of_units(snapshot, memory::key()).aggregate(&bound, &Control::default()).unwrap();
        prop_assert_eq!(of_table.sums(), of_snapshot.sums());
        prop_assert_eq!(of_table.keys(), of_snapshot.keys());
        if by_rows {
            prop_assert_eq!(by_key(&bound, &of_table), oracle::sums(&query, &schema, &bound, &records));
        }
    }
}

/// More rows than a block, by rows and by units.
#[test]
fn a_table_has_as_many_blocks() {
    let records: Vec<_> = (0..70_000_u64)
        .map(|row| {
            let mut cells = vec![Cell::Null; 10];
            (cells[2], cells[4]) = (Cell::Text("a".into()), Cell::Number(row as i64 % 12));
            (cells[8], cells[9]) = (Cell::Text(format!("town {}", row % 1_000)), Cell::Number(row as i64));
            Record { unit: row / 2, cells }
        })
        .collect();
    for schema in [memory::row_schema(), memory::unit_schema((1, 1))] {
        let text = csv(&schema, &records);
        let (table, snapshot) = (table(&schema, &text).unwrap(), snapshot(&schema, &text));
        assert_eq!(Blocks::blocks(&table), if schema.unit_column().is_some() { 1 } else { 2 });
        assert!(read(&schema, &table) == read(&schema, &snapshot));
        assert_eq!(format!("{table:?}"), format!("RecordTable({} x 10)", table.rows()));
    }
}

#[test]
fn a_bad_cell_is_refused_without_being_told() {
    let schema = memory::row_schema();
    let text = "color,size,shape,x,y,note,wide,long,town,code\nred,1,a,1,canary,n,1,1,oslo,1\n";
    let error = table(&schema, text).unwrap_err();
    assert!(matches!(&error, PublishError::NotANumber { .. }) && !error.to_string().contains("canary"), "{error}");
    let other = memory::unit_schema((1, 1));
    let refused = RecordTable::read(&source(&schema, text), &other, &memory::key(), &mut |_| ControlFlow::Continue(()));
    assert_eq!(refused.unwrap_err(), PublishError::Schema);
    let stopped =
        RecordTable::read(&source(&schema, &text.replace("canary", "1")), &schema, &memory::key(), &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.unwrap_err(), PublishError::Cancelled);
}
