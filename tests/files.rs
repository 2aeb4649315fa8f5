//! Files of records in every format: what is read is what was written, and what is damaged is told.
#![cfg(all(feature = "hazmat", feature = "parquet", feature = "ipc"))]
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "files/bad.rs"]
mod bad;
#[path = "files/csv.rs"]
mod csv;
#[path = "files/good.rs"]
mod good;
#[path = "files/out.rs"]
mod out;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use usufruct::arrow::arrow_array::cast::AsArray;
use usufruct::arrow::arrow_array::types::Int64Type;
use usufruct::arrow::arrow_array::{Array, ArrayRef, RecordBatch};
use usufruct::id::ColumnName;
use usufruct::table::{ColumnKind, FileOptions, FileSource, RecordSource, TableColumn, TableError, TableSchema};

/// The cells of a record: null, or their text.
type Row = Vec<Option<String>>;

fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/datasets").join(folder);
    if !path.is_dir() {
        println!("skipped: no ../shared");
        return None;
    }
    Some(path)
}

fn schema(columns: &[(&str, ColumnKind)]) -> TableSchema {
    let column = |&(name, kind): &(&str, ColumnKind)| TableColumn { name: ColumnName::new(name).unwrap(), kind };
    TableSchema::new(columns.iter().map(column).collect()).unwrap()
}

fn row(cells: &[&str]) -> Row {
    cells.iter().map(|cell| Some((*cell).to_owned()).filter(|cell| cell != "-")).collect()
}

fn cells(batch: &RecordBatch) -> Vec<Row> {
    let cell = |array: &ArrayRef, row: usize| {
        array.is_valid(row).then(|| match array.as_string_opt::<i32>() {
            Some(texts) => texts.value(row).to_owned(),
            None => array.as_primitive::<Int64Type>().value(row).to_string(),
        })
    };
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|array| cell(array, row)).collect()).collect()
}

/// All records, or the first error; and the records before it.
fn read(source: &FileSource) -> (Vec<Row>, Option<TableError>) {
    let mut rows = Vec::new();
    let batches = match source.read() {
        Ok(batches) => batches,
        Err(error) => return (rows, Some(error)),
    };
    for records in batches {
        match records {
            Ok(records) => {
                let position = records.position(0, Some(0));
                assert_eq!(position.record, rows.len() as u64 + 1);
                rows.extend(cells(records.batch()));
            }
            Err(error) => return (rows, Some(error)),
        }
    }
    (rows, None)
}

fn rows(source: &FileSource) -> Vec<Row> {
    let (rows, error) = read(source);
    assert_eq!(error, None);
    rows
}

fn open(path: &Path) -> FileSource {
    FileSource::open(path, &FileOptions::default()).unwrap()
}

fn kinds(source: &FileSource) -> Vec<(&str, ColumnKind)> {
    source.schema().columns().iter().map(|column| (column.name.as_str(), column.kind)).collect()
}

/// A file in the IPC format.
fn write_ipc(path: &Path, batches: &[RecordBatch]) {
    let file = std::fs::File::create(path).unwrap();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(file, &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
}

/// A Parquet file with the properties that its writer has by itself.
fn write_parquet(path: &Path, batches: &[RecordBatch]) {
    let file = std::fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batches[0].schema(), None).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}
