//! Sinks: full disks, formulas, and no cell in a message.
#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;

use arrow_array::{ArrayRef, Int64Array};
use arrow_buffer::OffsetBuffer;

use super::*;
use crate::file::OutputStep;

fn batch(rows: i64) -> RecordBatch {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| (row * 7_919 % 1_000_003).to_string())));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    RecordBatch::try_from_iter([("t", texts), ("n", numbers)]).unwrap()
}

/// A full disk is found while writing or at the end; nothing is left, and no word of the library's.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_in_every_format() {
    for format in [Format::Csv, Format::Parquet, Format::Ipc] {
        for rows in [3, 2_000_000] {
            let folder = tempfile::tempdir().unwrap();
            let target = folder.path().join("a");
            let output = Output::onto("/dev/full", &target);
            let full =
                SinkError::Output(OutputError::Failed { target: target.clone(), step: OutputStep::Write, kind: ErrorKind::StorageFull });
            let batch = batch(rows);
            let attempt = || {
                let mut sink = FileSink::over(output, format, &batch.schema(), &SinkOptions::default())?;
                let prepared = sink.preparer().prepare(&RawRows(batch.clone()))?;
                sink.write(prepared)?;
                sink.finish().map(drop)
            };
            match attempt() {
                Err(SinkError::NotBuilt { .. }) => {}
                error => assert_eq!(error, Err(full), "{format}"),
            }
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}

#[test]
fn formulas_are_counted_and_numbers_are_none() {
    let texts = ["=1", "+cmd", "-2+3", "@x", "\tx", "\rx", "-", "-3.5", "+86", "a=1", "", "1-2", "-3.5.1", "-.5"];
    assert_eq!(formula_cells(&texts.into_iter().map(Some).collect()), 9);
    assert_eq!(formula_cells(&StringArray::from(vec![Some("a"), None])), 0);
    // What stands under a null or outside a slice is no cell.
    let under = StringArray::new(OffsetBuffer::from_lengths([2, 2, 2]), b"=1=2=3".as_slice().into(), Some(vec![true, false, true].into()));
    assert_eq!((formula_cells(&under), formula_cells(&under.slice(1, 2)), formula_cells(&under.slice(1, 0))), (2, 1, 0));
}

#[test]
fn nothing_prints_a_cell() {
    let folder = tempfile::tempdir().unwrap();
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["CANARY"]));
    let batch = RecordBatch::try_from_iter([("t", texts)]).unwrap();
    let mut sink = FileSink::create(&folder.path().join("a"), Format::Csv, &batch.schema(), &SinkOptions::default()).unwrap();
    let prepared = sink.preparer().prepare(&RawRows(batch.clone())).unwrap();
    let told = format!("{sink:?} {:?} {prepared:?}", sink.preparer());
    sink.write(prepared).unwrap();
    let told = format!("{told} {:?}", sink.finish().unwrap());
    assert!(!told.contains("CANARY"), "{told}");
}
