//! CSV: line ends, quotes, nulls, numbers, encodings, limits and the place of each fault.
#![allow(clippy::unwrap_used)]

use std::error::Error;
use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use super::*;
use crate::id::ColumnName;
use crate::table::{COLUMNS_MAX, ColumnKind, Position, TableColumn};

fn schema(columns: &[(&str, ColumnKind)]) -> TableSchema {
    let column = |&(name, kind): &(&str, ColumnKind)| TableColumn { name: ColumnName::new(name).unwrap(), kind };
    TableSchema::new(columns.iter().map(column).collect()).unwrap()
}

/// Columns `t` (text) and `i` (integer).
fn text_integer() -> TableSchema {
    schema(&[("t", ColumnKind::Text), ("i", ColumnKind::Integer)])
}

fn source(text: &[u8], options: CsvOptions) -> Result<CsvSource, TableError> {
    CsvSource::from_bytes(text, options, text_integer())
}

type Row = (Option<String>, Option<i64>);

/// All rows of columns `t` and `i`, and the error that ended the reading.
fn rows(source: &CsvSource) -> (Vec<Row>, Option<TableError>) {
    let mut rows = Vec::new();
    for records in source.read().unwrap() {
        match records {
            Ok(records) => {
                let texts = records.batch().column(0).as_string::<i32>();
                let integers = records.batch().column(1).as_primitive::<Int64Type>();
                rows.extend(texts.iter().map(|text| text.map(str::to_owned)).zip(integers.iter()));
            }
            Err(error) => return (rows, Some(error)),
        }
    }
    (rows, None)
}

fn read(text: &[u8]) -> Vec<Row> {
    let (rows, error) = rows(&source(text, CsvOptions::default()).unwrap());
    assert_eq!(error, None);
    rows
}

/// The error of opening or reading.
fn fail_with(text: &[u8], options: CsvOptions) -> TableError {
    match source(text, options) {
        Err(error) => error,
        Ok(source) => rows(&source).1.unwrap(),
    }
}

fn fail(text: &[u8]) -> TableError {
    fail_with(text, CsvOptions::default())
}

fn row(text: &str, integer: i64) -> Row {
    (Some(text.to_owned()), Some(integer))
}

#[test]
fn line_ends_quotes_nulls_and_marks() {
    let expected = vec![row("a", 1), row("b", 2)];
    for text in [
        "t,i\na,1\nb,2\n",
        "t,i\na,1\nb,2",
        "t,i\r\na,1\r\nb,2\r\n",
        "t,i\ra,1\rb,2",
        "\u{feff}t,i\na,1\nb,2\n",
        "\u{feff}\"t\",\"i\"\n\"a\",\"1\"\n\"b\",\"2\"",
        "i,t\n1,a\n2,b\n",
        "x,i,y,t\nleft out,1,,a\n\u{1f4a9},2,\"\n\",b\n",
        "\n\nt,i\n\n\r\na,1\n\n\nb,2\n\n",
    ] {
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }
    assert_eq!(read(b"t,i\n\"a \"\"b\"\", c\nd\",-3\n"), vec![row("a \"b\", c\nd", -3)]);
    assert_eq!(read(b"t,i\n,\n\"\",\"\"\n"), vec![(None, None), (None, None)]);
    assert_eq!(read(b"t,i\n a ,1\n"), vec![row(" a ", 1)]);
    assert_eq!(read(b"t,i\n\0,1\n"), vec![row("\0", 1)]);
    assert_eq!(read("t,i\n张三,1\n".as_bytes()), vec![row("张三", 1)]);
    for empty in [&b"t,i\n"[..], b"t,i", b"t,i\n\n\r\n"] {
        assert_eq!(read(empty), vec![]);
    }
}

#[test]
fn real_columns_keep_the_written_decimal() {
    let source = CsvSource::from_bytes(&b"r\n0.10\n1e400\n\"\"\n"[..], CsvOptions::default(), schema(&[("r", ColumnKind::Real)])).unwrap();
    let records = source.read().unwrap().next().unwrap().unwrap();
    let texts: Vec<_> = records.batch().column(0).as_string::<i32>().iter().collect();
    assert_eq!(texts, [Some("0.10"), Some("1e400"), None]);
}

#[test]
fn other_delimiters() {
    for delimiter in [b';', b'\t', b'|', b' '] {
        let options = CsvOptions { delimiter, ..CsvOptions::default() };
        let text = "t,i\na,1\n".replace(',', std::str::from_utf8(&[delimiter]).unwrap());
        assert_eq!(rows(&source(text.as_bytes(), options).unwrap()).0, vec![row("a", 1)]);
    }
    for delimiter in [b'"', b'\n', b'\r', 0, 0x80, 0xff] {
        let options = CsvOptions { delimiter, ..CsvOptions::default() };
        assert_eq!(fail_with(b"t,i\n", options), TableError::Delimiter { delimiter });
    }
}

#[test]
fn bad_headers() {
    for empty in [&b""[..], b"\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n\n"] {
        assert_eq!(fail(empty), TableError::Empty);
    }
    assert_eq!(fail(b"t\n"), TableError::MissingColumn { column: ColumnName::new("i").unwrap(), fields: 1 });
    assert_eq!(fail(b"t;i\n"), TableError::MissingColumn { column: ColumnName::new("t").unwrap(), fields: 1 });
    assert_eq!(fail(b"t,x,i,x\n"), TableError::DuplicateHeader { first: 2, second: 4 });
    assert_eq!(fail(b"t,\xff,i\n"), TableError::HeaderNotUtf8 { field: 2 });
    let refuse = CsvOptions { extra: ExtraColumns::Refuse, ..CsvOptions::default() };
    assert_eq!(fail_with(b"t,x,i\n", refuse.clone()), TableError::ExtraColumn { field: 2 });
    assert!(source(b"i,t\n", refuse).is_ok());
    let wide = |n: usize| format!("t,i{}\n", (2..n).map(|at| format!(",c{at}")).collect::<String>());
    assert!(source(wide(COLUMNS_MAX).as_bytes(), CsvOptions::default()).is_ok());
    assert_eq!(fail(wide(COLUMNS_MAX + 1).as_bytes()), TableError::ColumnCount { most: COLUMNS_MAX, found: COLUMNS_MAX + 1 });
}

#[test]
fn errors_of_records_say_where() {
    let at = |record, field, byte| Position { record, field, byte: Some(byte) };
    let i = ColumnName::new("i").unwrap();
    assert_eq!(fail(b"t,i\na,1\nb,2,3,4\n"), TableError::Ragged { position: at(2, None, 8), expected: 2, found: 4 });
    assert_eq!(fail(b"t,i\n\"a\r\n\",1\nb\n"), TableError::Ragged { position: at(2, None, 12), expected: 2, found: 1 });
    assert_eq!(fail(b"t,i\na,1\nb,2,"), TableError::Ragged { position: at(2, None, 8), expected: 2, found: 3 });
    assert_eq!(fail(b"t,i\na,x\n"), TableError::NotInteger { position: at(1, Some(2), 4), column: i.clone() });
    assert_eq!(fail(b"i,z,t\n1,,a\n\n 2,,b\n"), TableError::NotInteger { position: at(2, Some(1), 12), column: i.clone() });
    assert_eq!(
        fail(b"\xef\xbb\xbft,i\r\na,1\r\n\xff,2\r\n"),
        TableError::NotUtf8 { position: at(2, Some(1), 13), column: ColumnName::new("t").unwrap() }
    );
    // Two halves of one character in two cells are two errors, not one text.
    assert!(matches!(fail(b"t,i\n\xe5\xbc,1\n\xa0,2\n"), TableError::NotUtf8 { position: Position { record: 1, .. }, .. }));
    for open in [&b"t,i\n\"a,1\nb,2\n"[..], b"t,i\n\"a,1", b"t,i\n\"", b"t,i\na,\"1\"\"", b"t,i\na,1,2,\"b\n"] {
        assert_eq!(fail(open), TableError::UnclosedQuote { position: at(1, None, 4) });
    }
    assert_eq!(fail(b"t,\"i\n"), TableError::UnclosedQuote { position: at(0, None, 0) });
    // The first record that is wrong is the one that is told, whatever its column.
    assert_eq!(fail(b"t,i\na,1\nb,x\n\xff,2\nc\n"), TableError::NotInteger { position: at(2, Some(2), 8), column: i });
}

#[test]
fn records_before_an_error_are_read_and_none_after_it() {
    let source = source(b"t,i\na,1\nb,2\nc\nd,4\n", CsvOptions::default()).unwrap();
    let (rows, error) = rows(&source);
    assert_eq!(rows, vec![row("a", 1), row("b", 2)]);
    assert!(matches!(error, Some(TableError::Ragged { position: Position { record: 3, .. }, .. })));
    let mut batches = source.read().unwrap();
    assert_eq!(batches.by_ref().filter(Result::is_err).count(), 1);
    assert!(batches.next().is_none());
}

#[test]
fn fields_and_records_end_at_their_limits() {
    let options = CsvOptions { field_bytes_max: 100_000, record_bytes_max: 150_000, ..CsvOptions::default() };
    let text = |a: usize, b: usize| {
        let pad = "x".repeat(b);
        format!("t,i,pad\n,,\n{},1,{pad}\nb,2,\n", "a".repeat(a)).into_bytes()
    };
    let at = |field| Position { record: 2, field, byte: Some(11) };
    let (read, error) = rows(&source(&text(100_000, 49_999), options.clone()).unwrap());
    assert_eq!((read.len(), error), (3, None));
    assert_eq!(fail_with(&text(100_001, 0), options.clone()), TableError::FieldTooLong { position: at(Some(1)), most: 100_000 });
    assert_eq!(fail_with(&text(1, 100_001), options.clone()), TableError::FieldTooLong { position: at(Some(3)), most: 100_000 });
    assert_eq!(fail_with(&text(100_000, 50_000), options.clone()), TableError::RecordTooLong { position: at(None), most: 150_000 });
    assert!(matches!(fail_with(&vec![b'x'; 200_000], options), TableError::FieldTooLong { .. }));
}

#[test]
fn an_endless_field_is_refused_without_holding_it() {
    struct Endless(usize);
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            assert!(self.0 <= CsvOptions::FIELD_BYTES_MAX + (1 << 20), "read on after the limit");
            buffer.fill(b'x');
            if self.0 == 0 {
                buffer[..6].copy_from_slice(b"t,i\n1,");
            }
            self.0 += buffer.len();
            Ok(buffer.len())
        }
    }
    let source = source(b"t,i\n", CsvOptions::default()).unwrap();
    let mut batches = source.batches(Endless(0), None).unwrap();
    let error = batches.next().unwrap().unwrap_err();
    let position = Position { record: 1, field: Some(2), byte: Some(4) };
    assert_eq!(error, TableError::FieldTooLong { position, most: CsvOptions::FIELD_BYTES_MAX });
}

#[test]
fn batches_are_bounded_and_know_their_places() {
    let mut text = b"t,i\n".to_vec();
    for at in 0..1000 {
        writeln!(text, "{},{at}", "y".repeat(at % 17)).unwrap();
    }
    let lines: Vec<u64> = (0..).zip(&text).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for (batch_rows_max, batch_bytes_max) in [(1, 1000), (7, 1000), (8192, 64), (8192, 1 << 20)] {
        let options = CsvOptions { batch_rows_max, batch_bytes_max, ..CsvOptions::default() };
        let source = source(&text, options).unwrap();
        let mut read = 0;
        for records in source.read().unwrap() {
            let records = records.unwrap();
            assert!(!records.is_empty() && records.len() <= batch_rows_max);
            for at in 0..records.len() {
                let position = Position { record: read as u64 + 1, field: Some(2), byte: Some(lines[read]) };
                assert_eq!(records.position(at, Some(1)), position);
                assert_eq!(records.batch().column(1).as_primitive::<Int64Type>().value(at), i64::try_from(read).unwrap());
                read += 1;
            }
        }
        assert_eq!(read, 1000);
    }
}

/// A reader that gives few bytes at a time, so that everything is cut everywhere.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1.min(buffer.len());
        self.0.read(&mut buffer[..size])
    }
}

#[test]
fn how_the_bytes_arrive_changes_nothing() {
    let text = "\u{feff}t,i\r\n\"a \"\"b\"\"\r\n\",1\r\n\r\n,\r\n张,-22\r\n\"\",\"3\"".as_bytes();
    let source = source(text, CsvOptions::default()).unwrap();
    let expected = vec![row("a \"b\"\r\n", 1), (None, None), row("张", -22), (None, Some(3))];
    for size in 1..=text.len() {
        let batches = source.batches(Trickle(text, size), None).unwrap();
        let batch = batches.map(Result::unwrap).next().unwrap();
        let texts = batch.batch().column(0).as_string::<i32>().iter().map(|text| text.map(str::to_owned));
        let found: Vec<Row> = texts.zip(batch.batch().column(1).as_primitive::<Int64Type>().iter()).collect();
        assert_eq!(found, expected, "{size} bytes at a time");
    }
}

proptest::proptest! {
    /// What is written by RFC 4180 is read back, however it is quoted, ended and cut.
    #[test]
    fn what_is_written_is_read(
        rows_written in proptest::collection::vec(("[a,;\"\r\n 张\u{0}]{0,6}", proptest::option::of(proptest::num::i64::ANY), proptest::bool::ANY), 0..20),
        line_end in proptest::sample::select(vec!["\n", "\r\n", "\r"]),
        size in 1..40usize,
        batch_rows_max in 1..6usize,
    ) {
        let mut text = format!("t,i{line_end}");
        for (cell, integer, quoted) in &rows_written {
            let quotes = *quoted || cell.contains(['"', ',', '\r', '\n']);
            text += &if quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() };
            text += &format!(",{}{line_end}", integer.map(|integer| integer.to_string()).unwrap_or_default());
        }
        let source = source(b"t,i", CsvOptions { batch_rows_max, ..CsvOptions::default() }).unwrap();
        let mut found = Vec::new();
        for records in source.batches(Trickle(text.as_bytes(), size), None).unwrap() {
            let records = records.unwrap();
            let texts = records.batch().column(0).as_string::<i32>().iter().map(|text| text.map(str::to_owned));
            found.extend(texts.zip(records.batch().column(1).as_primitive::<Int64Type>().iter()));
        }
        let expected: Vec<Row> = rows_written.into_iter().map(|(cell, integer, _)| (Some(cell).filter(|cell| !cell.is_empty()), integer)).collect();
        proptest::prop_assert_eq!(found, expected);
    }

    /// Whatever the bytes are, the end is reached: all records, or one error.
    #[test]
    fn any_bytes_end_well(bytes in proptest::collection::vec(proptest::sample::select(b"ti,\"\r\n1-\xff\xef\xbb\xbf".to_vec()), 0..60), size in 1..20usize) {
        let text = [b"t,i\n", &bytes[..]].concat();
        let source = source(b"t,i", CsvOptions { field_bytes_max: 7, record_bytes_max: 9, batch_rows_max: 2, ..CsvOptions::default() }).unwrap();
        if let Ok(batches) = source.batches(Trickle(&text, size), None) {
            let errors = batches.filter(Result::is_err).count();
            proptest::prop_assert!(errors <= 1);
        }
        let _ = CsvSource::from_bytes(bytes, CsvOptions::default(), text_integer());
    }
}

#[test]
fn a_file_that_changes_under_the_reader_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "t,i\na,1\nb,2\n").unwrap();
    let options = CsvOptions { batch_rows_max: 1, ..CsvOptions::default() };
    let source = CsvSource::open(&path, options, text_integer()).unwrap();
    let before = source.version().unwrap();
    assert_eq!(source.read().unwrap().map(Result::unwrap).count(), 2);
    assert_eq!(source.version().unwrap(), before);
    assert_eq!(source.size_hint().bytes, Some(12));

    let mut batches = source.read().unwrap();
    batches.next().unwrap().unwrap();
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"c,3\n").unwrap();
    assert_eq!(batches.map(Result::err).last().unwrap(), Some(TableError::Changed));
    assert_ne!(source.version().unwrap(), before);

    // Replaced by a file of the same bytes: another inode, another version.
    let before = source.version().unwrap();
    let copy = folder.path().join("b.csv");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    assert_ne!(source.version().unwrap(), before);
}

#[test]
fn only_regular_files_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| CsvSource::open(path, CsvOptions::default(), text_integer()).unwrap_err();
    assert!(matches!(open(folder.path()), TableError::NotAFile { .. }));
    assert!(matches!(open(&folder.path().join("none.csv")), TableError::Open { kind: std::io::ErrorKind::NotFound, .. }));
}

/// Rule G1: whatever is wrong with a file, nothing of it is in what is printed.
#[test]
fn errors_never_hold_a_cell() {
    let limits = CsvOptions { field_bytes_max: 40, record_bytes_max: 50, ..CsvOptions::default() };
    let long = format!("t,i\n{},1\n", "CANARY".repeat(8));
    let wide = format!("t,i,x\n{0},1,{0}\n", "CANARY".repeat(5));
    let cases: Vec<(&[u8], &CsvOptions)> = [
        &b"t,i\nCANARY,CANARY\n"[..],
        b"t,i\nCANARY\xff,1\n",
        b"t,i\nCANARY\n",
        b"t,i\nCANARY,1,CANARY\n",
        b"t,i\n\"CANARY,1\n",
        b"CANARY,CANARY\n1,2\n",
        b"CANARY\xff,x\n",
        b"CANARY,x\n",
        long.as_bytes(),
        wide.as_bytes(),
    ]
    .into_iter()
    .map(|text| (text, &limits))
    .collect();
    let mut kinds = std::collections::HashSet::new();
    for (text, options) in cases {
        let error = fail_with(text, options.clone());
        kinds.insert(std::mem::discriminant(&error));
        let mut told = format!("{error} {error:?} {error:#?}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            told += &format!("{inner} {inner:?}");
            cause = inner.source();
        }
        assert!(!told.contains("CANARY"), "{told}");
    }
    assert_eq!(kinds.len(), 9);
    let source = source(b"t,i\nCANARY,1\n", CsvOptions::default()).unwrap();
    let records = source.read().unwrap().next().unwrap().unwrap();
    assert!(!format!("{source:?} {records:?} {source:#?} {records:#?}").contains("CANARY"));
}

/// What `csv-core` alone finds in a text of two columns, and how it ends.
fn by_core(text: &[u8], delimiter: u8) -> (Vec<[String; 2]>, Option<&'static str>) {
    let mut core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let input = [text, b"\n"].concat();
    let (mut at, mut found) = (0, Vec::new());
    let (mut bytes, mut ends) = (vec![0; input.len() + 1], vec![0; input.len() + 1]);
    loop {
        // Line ends between records; what is left then is a record.
        at += input[at..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        if at == input.len() {
            return (found, None);
        }
        let (result, taken, _, fields) = core.read_record(&input[at..], &mut bytes, &mut ends);
        at += taken;
        if !matches!(result, csv_core::ReadRecordResult::Record) {
            return (found, Some("unclosed"));
        }
        if fields != 2 {
            return (found, Some("ragged"));
        }
        let field = |from: usize, to: usize| String::from_utf8(bytes[from..to].to_vec()).unwrap();
        found.push([field(0, ends[0]), field(ends[0], ends[1])]);
    }
}

/// The same by the reader, its records of the header left out.
fn by_reader(text: &[u8], delimiter: u8, size: usize, batch_rows_max: usize) -> (Vec<[String; 2]>, Option<&'static str>) {
    let header = format!("t{}u\n", char::from(delimiter));
    let options = CsvOptions { delimiter, batch_rows_max, ..CsvOptions::default() };
    let columns = schema(&[("t", ColumnKind::Text), ("u", ColumnKind::Text)]);
    let source = CsvSource::from_bytes(header.as_bytes(), options, columns).unwrap();
    let text = [header.as_bytes(), text].concat();
    let mut found = Vec::new();
    for records in source.batches(Trickle(&text, size), None).unwrap() {
        let records = match records {
            Ok(records) => records,
            Err(TableError::Ragged { position, .. }) => {
                assert_eq!(position.record, found.len() as u64 + 1);
                return (found, Some("ragged"));
            }
            Err(TableError::UnclosedQuote { .. }) => return (found, Some("unclosed")),
            Err(other) => panic!("{other}"),
        };
        let [t, u] = [0, 1].map(|column| records.batch().column(column).as_string::<i32>());
        for row in 0..records.len() {
            let record = &text[usize::try_from(records.position(row, None).byte.unwrap()).unwrap()..];
            assert!(!record.starts_with(b"\n") && !record.starts_with(b"\r"));
            found.push([t, u].map(|texts| texts.iter().nth(row).unwrap().unwrap_or_default().to_owned()));
        }
    }
    (found, None)
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(2000))]

    /// Plain records are read by their marks, all others by `csv-core`: together they give what `csv-core` gives alone.
    #[test]
    fn plain_records_are_those_of_csv_core(
        tokens in proptest::collection::vec(proptest::sample::select(vec![
            "a", "b,", "cd,ef\n", "张三,", "1\r\n", ",", ",", "\n", "\r", "\r\n", "\"", "\"\"", "\"x\"", ";", "x;y\r", "a,\"b\"\n", "\"a\n\",b\n",
            "seventeen letters,and a text of more than sixty-four bytes, so that it crosses", "\0",
        ]), 0..60),
        size in 1..90usize,
        batch_rows_max in 1..5usize,
        semicolon in proptest::bool::ANY,
    ) {
        let text = tokens.concat();
        let delimiter = if semicolon { b';' } else { b',' };
        proptest::prop_assert_eq!(by_reader(text.as_bytes(), delimiter, size, batch_rows_max), by_core(text.as_bytes(), delimiter));
    }
}

/// Records that do not fit what is left of the buffer, or the buffer.
#[test]
fn records_longer_than_the_buffer() {
    let mut text = String::new();
    for (at, len) in [1, 100_000, 130_000, 3, 131_072, 262_144, 300_000, 5, 262_143, 131_073, 70_000, 60_000].into_iter().enumerate() {
        let quote = if at % 3 == 2 { "\"" } else { "" };
        text += &format!("{quote}{}{quote},{at}\r\n", "x".repeat(len));
    }
    let expected = by_core(text.as_bytes(), b',');
    assert_eq!((expected.0.len(), expected.1), (12, None));
    for size in [1 << 20, 100_000, 4096] {
        assert_eq!(by_reader(text.as_bytes(), b',', size, 7), expected);
    }
}
