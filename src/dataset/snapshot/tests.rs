//! Snapshots written and read back: the example of the page, order, damage, bad cells, limits of memory.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::index::{Extent, HEADER, Index, TRAILER};
use super::write::write_within;
use super::*;
use crate::dataset::{Description, DescriptionFile};
use crate::file::{Output, OutputOptions};
use crate::id::Digest;
use crate::table::{CsvOptions, CsvSource, Position, RecordBatches, RecordSource, Records, SizeHint, TableError, TableSchema};

/// The example of `docs/snapshot.md`.
const VISITS: &str = r#"
name = "visits"
data = "visits.csv"
unit = { column = "id" }
contribution = { groups_per_unit = 1, rows_per_group = 2 }
budget = { model = "approx", epsilon = "1", delta = "0" }
[columns.id]
type = "text"
grade = 4
[columns.ward]
type = "text"
values = ["north", "south"]
grade = 2
[columns.fee]
type = "real"
step = "0.5"
bounds = ["0", "100"]
nullable = true
grade = 2
"#;
const VISITS_CSV: &str = "id,ward,fee\nb,south,12.25\na,east,\na,north,1e1\n,north,3\n";

/// The same columns with every row for itself.
fn visits_by_row() -> String {
    let by_row = VISITS.replace("unit = { column = \"id\" }", "unit = \"row\"\nrows_are_independent = true");
    by_row.replace("contribution = { groups_per_unit = 1, rows_per_group = 2 }\n", "")
}

fn describe(text: &str) -> Description {
    DescriptionFile::parse(text, Path::new("")).unwrap().description
}

fn key() -> RowKey {
    RowKey::from_bytes(&std::array::from_fn(|at| at as u8))
}

fn csv(description: &Description, text: &str) -> CsvSource {
    CsvSource::from_bytes(text.as_bytes(), CsvOptions::default(), table_schema(description.schema())).unwrap()
}

struct Made {
    _folder: tempfile::TempDir,
    path: PathBuf,
    summary: Summary,
    description: Description,
}

impl Made {
    fn open(&self) -> Snapshot {
        Snapshot::open(&self.path, self.description.schema()).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }
}

fn publish(source: &dyn RecordSource, description: &Description, memory: usize) -> Result<Made, PublishError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    let output = Output::create(&path, OutputOptions { force: false, private: true }).unwrap();
    let result = write_within(memory, source, description, &key(), output, &mut |_| ControlFlow::Continue(()));
    if result.is_err() {
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a refused source leaves no file");
    }
    Ok(Made { path, summary: result?, description: description.clone(), _folder: folder })
}

fn make(description: &str, text: &str) -> Made {
    let description = describe(description);
    publish(&csv(&description, text), &description, usize::MAX).unwrap()
}

fn refused(description: &str, text: &str) -> PublishError {
    let description = describe(description);
    publish(&csv(&description, text), &description, usize::MAX).map(|_| ()).unwrap_err()
}

/// All cells of a column, as text.
fn column(snapshot: &Snapshot, column: usize) -> Vec<String> {
    let mut out = Vec::new();
    for at in 0..snapshot.blocks() {
        let block = snapshot.block(column, at).unwrap();
        assert_eq!(block.cells.len(), snapshot.block_rows(at));
        out.extend((0..block.cells.len()).map(|row| match &block.cells {
            _ if block.is_null(row) => "null".to_owned(),
            Cells::Codes(codes) => snapshot.dictionary(column).unwrap().get(codes[row]).unwrap().to_owned(),
            Cells::Numbers(numbers) => numbers[row].to_string(),
        }));
    }
    out
}

fn units(snapshot: &Snapshot) -> Vec<([u8; 16], [u8; 16])> {
    let blocks = (0..snapshot.blocks()).map(|at| snapshot.unit_block(at).unwrap());
    blocks.flat_map(|block| block.ids.iter().copied().zip(block.tags.iter().copied()).collect::<Vec<_>>()).collect()
}

/// Reads everything that can be read.
fn read_all(path: &Path, description: &Description) -> Result<Digest, SnapshotError> {
    let snapshot = Snapshot::open(path, description.schema())?;
    for block in 0..snapshot.blocks() {
        for column in 0..description.schema().columns().len() {
            match snapshot.block(column, block) {
                Err(SnapshotError::NotStored) => {}
                other => drop(other?),
            }
        }
        match snapshot.unit_block(block) {
            Err(SnapshotError::NotStored) => {}
            other => drop(other?),
        }
    }
    Ok(snapshot.digest())
}

#[test]
fn the_example_of_the_document_byte_for_byte() {
    let document = include_str!("../../../docs/snapshot.md");
    let hex = document.split("```hex\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let digits: String = hex.lines().filter_map(|line| line.split('#').next()).flat_map(str::split_whitespace).collect();
    let made = make(VISITS, VISITS_CSV);
    let found: String = made.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, digits);
    assert!(document.contains(&made.summary.digest.to_string()));
}

#[test]
fn cells_come_back_quantised_and_sorted_by_unit() {
    let made = make(VISITS, VISITS_CSV);
    assert_eq!((made.summary.rows, made.summary.units), (3, Some(2)));
    let snapshot = made.open();
    let units = units(&snapshot);
    assert!(units.is_sorted());
    let (ward, fee) = (column(&snapshot, 1), column(&snapshot, 2));
    let mut rows: Vec<(&str, &str)> = ward.iter().map(String::as_str).zip(fee.iter().map(String::as_str)).collect();
    // The two rows of one person stand together.
    let of_a = usize::from(units[0].0 != units[1].0);
    assert_eq!(units[of_a].0, units[of_a + 1].0);
    assert!(rows[of_a..of_a + 2].contains(&("north", "20")) && rows[of_a..of_a + 2].contains(&("east", "null")));
    rows.sort_unstable();
    assert_eq!(rows, [("east", "null"), ("north", "20"), ("south", "24")]);
    assert_eq!(snapshot.dictionary(1).unwrap().iter().collect::<Vec<_>>(), ["north", "south", "east"]);
    assert_eq!((snapshot.code_of(1, "east"), snapshot.code_of(1, "west"), snapshot.code_of(2, "20")), (Some(2), None, None));
    assert!(matches!(snapshot.block(0, 0), Err(SnapshotError::NotStored)));
    assert!(matches!(snapshot.block(1, 1), Err(SnapshotError::NotStored)));
    assert!(matches!(snapshot.block(9, 0), Err(SnapshotError::NotStored)));
    assert!(matches!(snapshot.unit_block(1), Err(SnapshotError::NotStored)));
}

#[test]
fn by_row_the_order_is_that_of_the_source() {
    let made = make(&visits_by_row(), VISITS_CSV.replace(",north,3", "c,north,3").as_str());
    let snapshot = made.open();
    assert_eq!(column(&snapshot, 1), ["south", "east", "north", "north"]);
    assert_eq!(column(&snapshot, 2), ["24", "null", "20", "6"]);
    assert_eq!(made.summary.units, None);
    assert!(matches!(snapshot.unit_block(0), Err(SnapshotError::NotStored)));
}

#[test]
fn no_rows_are_a_snapshot_too() {
    for description in [VISITS.to_owned(), visits_by_row()] {
        let made = make(&description, "id,ward,fee\n");
        let snapshot = made.open();
        assert_eq!((snapshot.rows(), snapshot.blocks(), snapshot.block_rows(0)), (0, 0, 0));
        assert_eq!(snapshot.dictionary(1).unwrap().len(), 2);
    }
}

/// `rows` visits of about a third as many people, as lines of CSV.
fn many(rows: u64) -> Vec<String> {
    let line = |row: u64| {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let fee = if mixed.is_multiple_of(7) { String::new() } else { format!("{}.{}", mixed % 90, mixed % 10) };
        format!("p{},ward {},{fee}\n", mixed % (rows / 3), mixed % 11)
    };
    (0..rows).map(line).collect()
}

#[test]
fn neither_order_nor_rows_without_a_unit_leave_a_trace() {
    let mut lines = many(70_000);
    let text = |lines: &[String]| format!("id,ward,fee\n{}", lines.concat());
    let first = make(VISITS, &text(&lines));
    lines.reverse();
    lines.rotate_left(12_345);
    lines.swap(3, 60_000);
    lines.insert(100, ",ward 99,17\n".to_owned());
    let second = make(VISITS, &text(&lines));
    assert_eq!(first.bytes(), second.bytes());
    assert!(first.open().blocks() == 2 && units(&first.open()).is_sorted());
    assert!(second.summary.warnings.iter().any(|warning| matches!(warning, Warning::RowsWithoutUnit { .. })));
    // Another key gives other places.
    let description = describe(VISITS);
    let folder = tempfile::tempdir().unwrap();
    let output = Output::create(folder.path().join("a"), OutputOptions::default()).unwrap();
    let other = RowKey::from_bytes(&[9; 32]);
    let source = csv(&description, &text(&lines));
    let summary = write_snapshot(&source, &description, &other, output, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_ne!(summary.digest, first.summary.digest);
    // The rows of the people who stay are the same when one person goes.
    let gone = lines.iter().find(|line| line.starts_with('p')).unwrap().split(',').next().unwrap().to_owned() + ",";
    lines.retain(|line| !line.starts_with(&gone));
    let third = make(VISITS, &text(&lines));
    let rows = |made: &Made| {
        let snapshot = made.open();
        units(&snapshot).into_iter().zip(column(&snapshot, 1)).zip(column(&snapshot, 2)).collect::<BTreeMap<_, _>>()
    };
    let (all, rest) = (rows(&first), rows(&third));
    assert!(rest.len() < all.len() && rest.iter().all(|(row, fee)| all.get(row) == Some(fee)));
}

#[test]
fn columns_that_do_not_fit_into_memory_are_read_again() {
    let lines = format!("id,ward,fee\n{}", many(70_000).concat());
    let description = describe(VISITS);
    let source = csv(&description, &lines);
    let readings = |memory: usize| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let output = Output::create(&path, OutputOptions::default()).unwrap();
        let (mut readings, mut last) = (0, 0);
        let mut progress = |progress: PublishProgress| {
            assert!(progress.done <= progress.total.unwrap() && progress.records > 0);
            assert!(progress.reading > readings || progress.done >= last);
            (readings, last) = (progress.reading, progress.done);
            ControlFlow::Continue(())
        };
        let summary = write_within(memory, &source, &description, &key(), output, &mut progress).unwrap();
        (readings, summary, std::fs::read(&path).unwrap())
    };
    let (once, twice) = (readings(usize::MAX), readings(0));
    assert_eq!((once.0, twice.0), (1, 2));
    assert_eq!((once.1, once.2), (twice.1, twice.2));
}

#[test]
fn a_unit_is_one_however_its_name_was_typed() {
    let made = make(VISITS, "id,ward,fee\né,north,1\ne\u{301},north,2\n");
    assert_eq!((made.summary.rows, made.summary.units), (2, Some(1)));
    let integers = VISITS.replacen("type = \"text\"", "type = \"integer\"", 1);
    assert_eq!(make(&integers, "id,ward,fee\n7,north,1\n007,north,2\n-7,north,2\n").summary.units, Some(2));
}

#[test]
fn every_flipped_byte_is_found() {
    for description in [VISITS.to_owned(), visits_by_row()] {
        let made = make(&description, "id,ward,fee\nb,south,12.25\na,east,\na,north,1e1\n");
        let whole = made.bytes();
        let path = made.path.with_extension("tampered");
        let mut kinds = BTreeMap::<String, usize>::new();
        for at in 0..whole.len() {
            for flip in [0x01, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                std::fs::write(&path, &bytes).unwrap();
                match read_all(&path, &made.description) {
                    Ok(digest) => assert_ne!(digest, made.summary.digest, "byte {at} ^ {flip}"),
                    Err(error) => *kinds.entry(format!("{error:?}").split([' ', '(']).next().unwrap().to_owned()).or_default() += 1,
                }
            }
        }
        for kind in ["NotASnapshot", "Index", "OtherSchema", "Layout", "Dictionary", "Block"] {
            assert!(kinds.contains_key(kind), "{kind}: {kinds:?}");
        }
        assert_eq!(kinds.contains_key("UnitBlock"), made.summary.units.is_some());
        for len in 0..whole.len() {
            std::fs::write(&path, &whole[..len]).unwrap();
            assert!(read_all(&path, &made.description).is_err(), "cut to {len}");
        }
        for more in [&b"\0"[..], &whole] {
            std::fs::write(&path, [&whole, more].concat()).unwrap();
            assert!(read_all(&path, &made.description).is_err());
        }
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(read_all(&path, &made.description), Ok(made.summary.digest));
    }
}

/// Changes the bytes of the blocks, then the index, and seals the result as a writer would.
fn forge(made: &Made, cells: impl FnOnce(&mut Vec<u8>), change: impl FnOnce(&mut Index, &[u8])) -> Result<Digest, SnapshotError> {
    let mut bytes = made.bytes();
    let at = bytes.len() - 16;
    let end = at - u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let mut index = Index::decode(&bytes[end..at], made.description.schema(), end as u64).unwrap();
    bytes.truncate(end);
    cells(&mut bytes);
    change(&mut index, &bytes);
    let index = index.encode();
    let path = made.path.with_extension("forged");
    std::fs::write(&path, [&bytes[..], &index, &(index.len() as u64).to_le_bytes(), &TRAILER].concat()).unwrap();
    read_all(&path, &made.description)
}

fn forged(made: &Made, change: impl FnOnce(&mut Index)) -> Result<Digest, SnapshotError> {
    forge(made, |_| (), |index, _| change(index))
}

#[test]
fn an_index_that_contradicts_itself_is_refused() {
    let made = make(VISITS, VISITS_CSV);
    let layout = |change: fn(&mut Index)| matches!(forged(&made, change), Err(SnapshotError::Layout { .. }));
    assert_eq!(forged(&made, |_| ()), Ok(made.summary.digest));
    assert!(layout(|index| index.rows = 4));
    assert!(layout(|index| index.rows = u64::MAX));
    assert!(layout(|index| index.rows = ROWS_MAX));
    assert!(layout(|index| index.units = None));
    assert!(layout(|index| index.columns[0].place = 0));
    assert!(layout(|index| index.columns.truncate(1)));
    assert!(layout(|index| index.columns[1].blocks[0].offset += 1));
    assert!(layout(|index| index.columns[1].blocks[0].offset = u64::MAX));
    assert!(layout(|index| index.columns[1].blocks[0].length = u64::MAX));
    assert!(layout(|index| index.columns[0].blocks[0] = index.columns[1].blocks[0]));
    assert!(layout(|index| index.columns[0].dictionary.as_mut().unwrap().blocks[0].length = u64::MAX));
    assert!(layout(|index| index.columns[0].dictionary.as_mut().unwrap().values = usize::MAX));
    assert!(layout(|index| {
        let units = index.units.clone().unwrap();
        index.columns[0].dictionary.as_mut().unwrap().blocks.extend(units);
    }));
    assert_eq!(forged(&made, |index| index.schema = Digest::of(b"")), Err(SnapshotError::OtherSchema));
    let dictionary = |change: fn(&mut Index)| forged(&made, change) == Err(SnapshotError::Dictionary { column: 2 });
    assert!(dictionary(|index| index.columns[0].dictionary.as_mut().unwrap().values = 2));
    assert!(dictionary(|index| index.columns[0].dictionary.as_mut().unwrap().values = 4));
    let other_hash = forged(&made, |index| index.units.as_mut().unwrap()[0].digest = Digest::of(b""));
    assert_eq!(other_hash, Err(SnapshotError::UnitBlock { block: 0 }));
}

#[test]
fn blocks_with_right_hashes_and_wrong_cells_are_refused() {
    let made = make(&visits_by_row(), "id,ward,fee\nb,south,12.25\na,east,\n");
    // The file: 2 codes, 2 fees, a word of nulls, the dictionary.
    let (codes, nulls, dictionary) = (16, 16 + 8 + 16, 16 + 8 + 16 + 8);
    let seal = |extent: &mut Extent, bytes: &[u8]| {
        extent.digest = Digest::of(&bytes[extent.offset as usize..][..extent.length as usize]);
    };
    let write = |at: usize, new: &'static [u8]| {
        forge(
            &made,
            |bytes| bytes[at..at + new.len()].copy_from_slice(new),
            |index, bytes| {
                index.columns.iter_mut().for_each(|column| seal(&mut column.blocks[0], bytes));
                seal(&mut index.columns[0].dictionary.as_mut().unwrap().blocks[0], bytes);
            },
        )
    };
    assert!(write(codes, &[2]).is_ok(), "another code that exists is another snapshot");
    assert_eq!(write(codes, &[3]), Err(SnapshotError::Block { column: 2, block: 0 }));
    assert_eq!(write(codes, &[0xff; 4]), Err(SnapshotError::Block { column: 2, block: 0 }));
    assert!(write(nulls, &[3]).is_ok());
    assert_eq!(write(nulls, &[6]), Err(SnapshotError::Block { column: 3, block: 0 }), "a null behind the last row");
    for (at, new) in [
        (0, &[4u8][..]),         // a length that splits the values otherwise
        (0, &[0]),               // an empty value
        (0, &[0xff; 4]),         // a length behind the end
        (4, b"N"),               // a declared value misspelt
        (4, b"\xff"),            // not UTF-8
        (9, b"\x05\0\0\0north"), // a value twice
    ] {
        let new: &'static [u8] = Box::leak(new.to_vec().into());
        assert_eq!(write(dictionary + at, new), Err(SnapshotError::Dictionary { column: 2 }), "{new:?}");
    }
}

#[test]
fn arbitrary_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let description = describe(VISITS);
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Snapshot::open(&path, description.schema()).map(drop).unwrap_err()
    };
    let index = |len: u64| [&HEADER[..], &[0; 64], &len.to_le_bytes(), &TRAILER].concat();
    for bytes in [vec![], vec![0; 31], vec![0; 32], HEADER.to_vec(), index(65), index(u64::MAX)] {
        assert_eq!(open(&bytes), SnapshotError::NotASnapshot);
    }
    assert!(matches!(open(&index(64)), SnapshotError::Index(_)));
    assert!(matches!(open(&index(0)), SnapshotError::Index(_)));
    assert!(matches!(Snapshot::open(folder.path(), description.schema()), Err(SnapshotError::NotASnapshot)));
    assert_eq!(
        Snapshot::open(folder.path().join("none"), description.schema()).map(drop),
        Err(SnapshotError::Io(std::io::ErrorKind::NotFound))
    );
    // A sparse file with an index of 128 MiB is not read into memory.
    let file = std::fs::File::create(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &HEADER, 0).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[&(128u64 << 20).to_le_bytes()[..], &TRAILER].concat(), 256 << 20).unwrap();
    assert!(matches!(Snapshot::open(&path, description.schema()), Err(SnapshotError::Layout { .. })));
}

const CANARY: &str = "77177canary";

#[test]
fn bad_cells_are_refused_with_their_place_and_without_themselves() {
    let long = CANARY.repeat(6000);
    let digits = "9".repeat(39);
    let at = |record: u64, field: u32, byte: u64| Position { record, field: Some(field), byte: Some(byte) };
    let fee = || crate::id::ColumnName::new("fee").unwrap();
    let ward = || crate::id::ColumnName::new("ward").unwrap();
    let csv = |rows: &str| format!("id,ward,fee\n1,north,1\n{rows}\n");
    let cases = [
        (csv(&format!("2,north,{CANARY}")), PublishError::NotANumber { position: at(2, 3, 22), column: fee() }),
        (csv(&format!("2,north,{digits}")), PublishError::TooManyDigits { position: at(2, 3, 22), column: fee() }),
        (csv(&format!("{CANARY},,1")), PublishError::Null { position: at(2, 2, 22), column: ward() }),
        (csv(&format!("2,{long},1")), PublishError::TextTooLong { position: at(2, 2, 22), column: ward(), most: 65_536 }),
        // The first record decides, and in it the first column.
        (csv(&format!("2,north,{CANARY}\n3,,1")), PublishError::NotANumber { position: at(2, 3, 22), column: fee() }),
        (csv(&format!("2,,{CANARY}")), PublishError::Null { position: at(2, 2, 22), column: ward() }),
        (
            csv(&format!("{CANARY},north")),
            TableError::Ragged { position: Position { field: None, ..at(2, 1, 22) }, expected: 3, found: 2 }.into(),
        ),
    ];
    for (text, expected) in cases {
        for description in [VISITS.to_owned(), visits_by_row()] {
            let error = refused(&description, &text);
            assert_eq!(error, expected);
            let mut shown = format!("{error} {error:?} {error:#?}");
            let mut source = error.source();
            while let Some(inner) = source {
                shown += &format!("{inner} {inner:?} {inner:#?}");
                source = inner.source();
            }
            assert!(!shown.contains("canary") && !shown.contains("77177") && !shown.contains("9999"), "{shown}");
        }
    }
    let error = refused(&visits_by_row(), "id,ward,fee\n,north,1\n");
    assert!(error.to_string().contains("nullable = true"), "{error}");
    assert!(matches!(error, PublishError::Null { .. }), "by row the id is a column like others");
    // A column without use may be long.
    assert_eq!(make(&visits_by_row(), &format!("id,ward,fee\n{long},north,1\n")).summary.rows, 1);
}

#[test]
fn nothing_that_is_printed_holds_a_cell() {
    let made = make(VISITS, &format!("id,ward,fee\n{CANARY},{CANARY},77177\n{CANARY}2,{CANARY}2,77178\n"));
    let snapshot = made.open();
    let (codes, numbers, units) = (snapshot.block(1, 0).unwrap(), snapshot.block(2, 0).unwrap(), snapshot.unit_block(0).unwrap());
    let shown = format!(
        "{:?} {snapshot:#?} {codes:?} {numbers:#?} {units:?} {:?} {:?} {:?}",
        made.summary,
        snapshot.dictionary(1),
        key(),
        made.summary.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    assert!(shown.contains("Snapshot(2 x 2)") && shown.contains("ColumnBlock(2 codes)") && !made.summary.warnings.is_empty());
    assert!(!shown.contains("canary") && !shown.contains("77177"), "{shown}");
    // Nor does the file hold what no question can touch.
    let without = make(VISITS, &format!("id,ward,fee\n{CANARY},north,1\n"));
    assert!(!without.bytes().windows(6).any(|window| window == b"canary"));
}

#[test]
fn owners_are_warned() {
    let text = |rows: &[&str]| format!("id,ward,fee\n{}\n", rows.join("\n"));
    let warnings = |description: &str, rows: &[&str]| {
        let found = make(description, &text(rows)).summary.warnings;
        found.iter().map(|warning| format!("{warning:?}").split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let by_row = visits_by_row();
    assert!(warnings(&by_row, &["a,north,1", "b,north,2"]).is_empty());
    assert_eq!(warnings(&by_row, &["a,north,0", "b,north,100"]), ["BoundsAreExtremes"]);
    assert_eq!(warnings(&by_row, &["a,north,0", "b,south,1"]), ["ValuesAreObserved"]);
    assert_eq!(warnings(&by_row, &["a,north,0", "b,south,100"]), ["ValuesAreObserved", "BoundsAreExtremes"]);
    assert_eq!(warnings(&by_row, &["a,north,-1", "b,north,2"]), ["OutsideBounds"]);
    assert_eq!(warnings(&by_row, &["a,west,1", "b,north,2"]), ["Undeclared"]);
    assert_eq!(warnings(&by_row, &["a,north,1", "b,north,2", "a,north,2"]), ["IdentifierRepeats"]);
    assert!(warnings(VISITS, &["a,north,1", "b,north,2", "a,north,2"]).is_empty());
    assert_eq!(warnings(VISITS, &["a,north,1", ",north,2"]), ["RowsWithoutUnit"]);
    let other = by_row.replace("values = [", "other = \"elsewhere\"\nvalues = [");
    assert!(warnings(&other, &["a,west,1"]).is_empty());
    let sourced = by_row.replace("data = ", "public_source = \"the tariff of 2024\"\ndata = ");
    assert!(warnings(&sourced, &["a,north,0", "b,south,100"]).is_empty());
}

/// An embedder's source, with one batch and a version that can move.
struct Embedded {
    schema: TableSchema,
    arrays: Vec<ArrayRef>,
    versions: std::sync::atomic::AtomicU32,
    step: u32,
}

impl RecordSource for Embedded {
    fn schema(&self) -> &TableSchema {
        &self.schema
    }

    fn version(&self) -> Result<String, TableError> {
        Ok(self.versions.fetch_add(self.step, std::sync::atomic::Ordering::Relaxed).to_string())
    }

    fn read(&self) -> Result<RecordBatches<'_>, TableError> {
        let names = self.schema.columns().iter().map(|column| column.name.as_str());
        let batch = RecordBatch::try_from_iter_with_nullable(names.zip(&self.arrays).map(|(name, array)| (name, Arc::clone(array), true)));
        let records = Records::new(&self.schema, batch.map_err(|_| TableError::Changed)?, 1);
        Ok(Box::new(std::iter::once(records)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint { bytes: None, records: Some(self.arrays[0].len() as u64) }
    }
}

fn embedded(rows: i64, step: u32) -> Embedded {
    let texts = |text: &dyn Fn(i64) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values((0..rows).map(text))) };
    Embedded {
        schema: table_schema(describe(VISITS).schema()),
        arrays: vec![
            texts(&|row| format!("p{}", row / 2)),
            texts(&|row| if row % 2 == 0 { "north".to_owned() } else { format!("ward {}", row % 1000) }),
            texts(&|row| if row % 3 == 0 { String::new() } else { format!("{row}") }),
        ],
        versions: 0.into(),
        step,
    }
}

#[test]
fn sources_of_embedders_are_checked_and_batches_of_any_size_taken() {
    let rows = 2 * BLOCK_ROWS as i64 + 3;
    for description in [describe(VISITS), describe(&visits_by_row())] {
        let made = publish(&embedded(rows, 0), &description, usize::MAX).unwrap();
        let snapshot = made.open();
        assert_eq!((snapshot.blocks(), snapshot.block_rows(1), snapshot.block_rows(2)), (3, BLOCK_ROWS, 3));
        let mut fees = column(&snapshot, 2);
        let mut expected: Vec<String> = (0..rows).map(|row| if row % 3 == 0 { "null".to_owned() } else { (2 * row).to_string() }).collect();
        if made.summary.units.is_some() {
            fees.sort();
            expected.sort();
        }
        assert_eq!(fees, expected);
        let changed = publish(&embedded(3, 1), &description, usize::MAX).map(|_| ()).unwrap_err();
        assert_eq!(changed, PublishError::Table(TableError::Changed));
    }
    let mut other = embedded(3, 0);
    other.schema = TableSchema::new(other.schema.columns()[..2].to_vec()).unwrap();
    assert_eq!(publish(&other, &describe(VISITS), 0).map(|_| ()).unwrap_err(), PublishError::Schema);
    let mut other = embedded(3, 0);
    other.arrays[1] = Arc::new(Int64Array::from(vec![1, 2, 3]));
    assert!(matches!(publish(&other, &describe(VISITS), 0).map(|_| ()).unwrap_err(), PublishError::Table(TableError::Batch { .. })));
}

#[test]
fn writing_can_be_cancelled_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let description = describe(VISITS);
    let output = Output::create(folder.path().join("a"), OutputOptions::default()).unwrap();
    let source = csv(&description, VISITS_CSV);
    let error = write_snapshot(&source, &description, &key(), output, &mut |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error, PublishError::Cancelled);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn many_threads_read_with_little_memory() {
    const fn shared<T: Send + Sync>(_: &T) {}
    let made = make(VISITS, &format!("id,ward,fee\n{}", many(200_000).concat()));
    let whole = made.open();
    shared(&whole);
    let small = made.open().with_cache_bytes(600_000);
    let expected = (column(&whole, 1), column(&whole, 2), units(&whole));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert!((column(&small, 1), column(&small, 2), units(&small)) == expected);
                }
            });
        }
    });
    assert!(Arc::ptr_eq(&whole.block(1, 0).unwrap(), &whole.block(1, 0).unwrap()));
}
