//! Damaged files: an error or records, never a panic, and memory within bounds.

use std::io::Write as _;
use std::path::Path;

use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::basic::{BrotliLevel, Compression};
use parquet::file::metadata::ParquetMetaDataWriter;
use usufruct::arrow::arrow_array::types::Int32Type;
use usufruct::arrow::arrow_array::{DictionaryArray, Float64Array, Int64Array, StringArray};
use usufruct::table::Format;

use super::*;

/// Reads all columns that can be, together and each alone; how many records there were at most.
fn read_all(path: &Path, names: &[&str]) -> usize {
    let mut most = 0;
    let whole = FileSource::open(path, &FileOptions::default());
    let single = |name: &&str| FileSource::open_as(path, &FileOptions::default(), schema(&[(name, ColumnKind::Text)]));
    for source in std::iter::once(whole).chain(names.iter().map(single)).flatten() {
        let (rows, error) = read(&source);
        if let Some(error) = error {
            assert!(
                matches!(error, TableError::Malformed { .. } | TableError::NotUtf8 { .. } | TableError::FieldTooLong { .. }),
                "{error}"
            );
        }
        most = most.max(rows.len());
    }
    most
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) << 10
}

#[test]
fn known_bad_files() {
    let Some(folder) = shared("parquet-bad") else { return };
    for (name, columns, rows) in [
        ("ARROW-GH-41317", &["timestamp_us_no_tz", "int64", "text", "bool"][..], 0),
        ("ARROW-GH-41321", &["bool", "int64", "text"], 0),
        // Others read it too: the width of its dictionary's keys is 0.
        ("ARROW-GH-43605", &["min_fl"], 21_186),
        ("ARROW-GH-45185", &["x"], 0),
        ("ARROW-GH-47662", &["flba_field"], 0),
        ("ARROW-RS-GH-6229-DICTHEADER", &[], 0),
        ("ARROW-RS-GH-6229-LEVELS", &["outer"], 0),
        ("PARQUET-1481", &[], 0),
    ] {
        assert_eq!(read_all(&folder.join(format!("{name}.parquet")), columns), rows, "{name}");
    }
    assert!(peak() < 1 << 30, "{}", peak());
}

fn people() -> RecordBatch {
    let len = 300;
    let coded: DictionaryArray<Int32Type> = (0..len).map(|at| ["one", "two", "three"][at % 3]).collect();
    let texts = StringArray::from_iter((0..len).map(|at| (at % 7 != 0).then(|| format!("name {at}"))));
    batch(vec![
        ("coded", array(coded)),
        ("text", array(texts)),
        ("n", array(Int64Array::from_iter_values(0..300))),
        ("x", array(Float64Array::from_iter_values((0..300).map(f64::from)))),
    ])
}

/// Every cut, and single bytes that are turned.
#[test]
fn cut_and_turned_files() {
    // The libraries panic on some of these; the panics are caught, and would be told here one by one.
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.location().is_some_and(|location| location.file().starts_with("tests") || location.file().starts_with("src")) {
            tell(panic);
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let names = ["coded", "text", "n", "x"];
    for write in [write_parquet, write_ipc] {
        write(&path, &[people()]);
        assert_eq!(read_all(&path, &names), 300);
        let whole = std::fs::read(&path).unwrap();
        for len in (0..whole.len()).step_by(97) {
            std::fs::write(&path, &whole[..len]).unwrap();
            let options = FileOptions { format: Some(Format::of_path(&path).unwrap_or(Format::Parquet)), ..FileOptions::default() };
            assert!(matches!(FileSource::open(&path, &options), Err(TableError::Malformed { .. })), "{len}");
        }
        // A linear congruential generator, so that each run turns the same.
        let mut state = 7u64;
        for _ in 0..500 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut turned = whole.clone();
            // Half of them in the last kilobyte or two, where the metadata is.
            let range = if state & 1 == 0 { 0..whole.len() } else { whole.len() - 1500..whole.len() };
            let at = range.start + usize::try_from(state >> 33).unwrap() % range.len();
            turned[at] ^= 1 << (state >> 30 & 7);
            std::fs::write(&path, &turned).unwrap();
            read_all(&path, &names);
        }
    }
    assert!(peak() < 1 << 30, "{}", peak());
}

#[test]
fn what_is_not_built_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write_parquet(&path, &[people()]);
    // The same pages under metadata that says they are compressed with Brotli.
    let bytes = std::fs::read(&path).unwrap();
    let read = ArrowReaderMetadata::load(&std::fs::File::open(&path).unwrap(), Default::default()).unwrap();
    let mut metadata = read.metadata().as_ref().clone().into_builder();
    for group in metadata.take_row_groups() {
        let mut columns = group.columns().to_vec();
        let brotli = Compression::BROTLI(BrotliLevel::default());
        columns[1] = columns[1].clone().into_builder().set_compression(brotli).build().unwrap();
        metadata = metadata.add_row_group(group.into_builder().set_column_metadata(columns).build().unwrap());
    }
    let footer = usize::try_from(u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap())).unwrap();
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&bytes[..bytes.len() - 8 - footer]).unwrap();
    ParquetMetaDataWriter::new(&mut file, &metadata.build()).finish().unwrap();
    let unsupported = |path: &Path| match FileSource::open(path, &FileOptions::default()).unwrap_err() {
        TableError::Unsupported { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(unsupported(&path), "compression with Brotli");
    let other = FileSource::open_as(&path, &FileOptions::default(), schema(&[("n", ColumnKind::Integer)])).unwrap();
    assert_eq!(rows(&other).len(), 300);

    std::fs::write(&path, [b"PARE", &[0; 20][..], b"PARE"].concat()).unwrap();
    assert_eq!(unsupported(&path), "an encrypted footer");
    let path = folder.path().join("a.arrow");
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &people().schema()).unwrap();
    writer.write(&people()).unwrap();
    std::fs::write(&path, writer.into_inner().unwrap()).unwrap();
    assert_eq!(unsupported(&path), "the stream format");
}
