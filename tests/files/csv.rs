//! CSV as people have it: encodings, what is wrong with it, and much of it.

use std::fmt::Write as _;
use std::path::Path;

use usufruct::table::{CsvOptions, Encoding, Format, Position};

use super::ColumnKind::{Integer, Text};
use super::*;

fn with(csv: CsvOptions) -> FileOptions {
    FileOptions { format: Some(Format::Csv), csv }
}

fn gb18030() -> FileOptions {
    with(CsvOptions { encoding: Encoding::Gb18030, ..CsvOptions::default() })
}

/// Writes a file and opens it for its own columns.
fn written(bytes: &[u8], options: &FileOptions, look: impl FnOnce(Result<FileSource, TableError>, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, bytes).unwrap();
    look(FileSource::open(&path, options), &path);
}

fn read_bytes(bytes: &[u8], options: &FileOptions) -> (Vec<Row>, Option<TableError>) {
    let mut found = None;
    written(bytes, options, |source, _| {
        found = Some(match source {
            Ok(source) => read(&source),
            Err(error) => (vec![], Some(error)),
        });
    });
    found.unwrap()
}

fn place(record: u64, field: Option<u32>, byte: Option<u64>) -> Position {
    Position { record, field, byte }
}

#[test]
fn its_own_columns_are_text() {
    written("姓名,n\n张三,007\n,-\n".as_bytes(), &FileOptions::default(), |source, path| {
        let source = source.unwrap();
        assert_eq!((source.format(), kinds(&source)), (Format::Csv, vec![("姓名", Text), ("n", Text)]));
        assert_eq!(
            rows(&source),
            [[Some("张三"), Some("007")], [None, Some("-")]].map(|cells| cells.map(|cell| cell.map(str::to_owned)).to_vec())
        );
        let wanted = FileSource::open_as(path, &FileOptions::default(), schema(&[("n", Integer)])).unwrap();
        let error = TableError::NotInteger {
            position: place(2, Some(2), Some("姓名,n\n张三,007\n".len() as u64)),
            column: ColumnName::new("n").unwrap(),
        };
        assert_eq!(read(&wanted), (vec![], Some(error)));
    });
}

#[test]
fn gb_18030_is_decoded() {
    let text = "姓名,备注\n张三,\"a,\n\u{20087}\"\n,\u{1f4a9}\n";
    let (bytes, ..) = encoding_rs::GB18030.encode(text);
    let expected = [row(&["张三", "a,\n\u{20087}"]), row(&["-", "\u{1f4a9}"])];
    assert_eq!(read_bytes(&bytes, &gb18030()), (expected.to_vec(), None));
    written(&bytes, &gb18030(), |source, _| {
        let source = source.unwrap();
        assert_eq!(kinds(&source), [("姓名", Text), ("备注", Text)]);
        // Places count records and fields; bytes of the file are not known.
        let records = source.read().unwrap().next().unwrap().unwrap();
        assert_eq!(records.position(1, Some(0)), place(2, Some(1), None));
    });
    // The mark of GB 18030 itself.
    let marked = [b"\x84\x31\x95\x33", &bytes[..]].concat();
    assert_eq!(read_bytes(&marked, &gb18030()), (expected.to_vec(), None));
    // Enough for many buffers.
    let mut long = "a,b\n".to_owned();
    (0..100_000).for_each(|at| writeln!(long, "王{at},\u{3400}\u{20087}é").unwrap());
    let (found, error) = read_bytes(&encoding_rs::GB18030.encode(&long).0, &gb18030());
    assert_eq!((found.len(), error), (100_000, None));
    assert_eq!(found[99_999], row(&["王99999", "\u{3400}\u{20087}é"]));
}

#[test]
fn what_is_not_of_the_encoding_is_told_by_its_record() {
    let malencoded = |record| TableError::Malencoded { position: place(record, None, None), encoding: Encoding::Gb18030 };
    let (rows, error) = read_bytes(b"a,b\n1,2\n3,\xff4\n5,6\n", &gb18030());
    assert_eq!((rows, error), (vec![row(&["1", "2"])], Some(malencoded(2))));
    assert_eq!(read_bytes(b"a,b\n1,2\n\xff", &gb18030()), (vec![row(&["1", "2"])], Some(malencoded(2))));
    assert_eq!(read_bytes(b"a,\xff\n1,2\n", &gb18030()).1, Some(malencoded(0)));
    assert_eq!(read_bytes(b"a,b\n1,\xd5", &gb18030()).1, Some(malencoded(1)));
    // GB 18030 read as UTF-8.
    let (bytes, ..) = encoding_rs::GB18030.encode("a,姓名\n1,张三\n");
    assert_eq!(read_bytes(&bytes, &with(CsvOptions::default())).1, Some(TableError::HeaderNotUtf8 { field: 2 }));
    let not_utf8 = TableError::NotUtf8 { position: place(1, Some(2), Some(4)), column: ColumnName::new("b").unwrap() };
    assert_eq!(read_bytes(b"a,b\n1,\xd5\xc5\n", &with(CsvOptions::default())).1, Some(not_utf8));
}

#[test]
fn marks_of_other_encodings_are_refused() {
    let other = |found, wanted| (vec![], Some(TableError::OtherEncoding { found, wanted }));
    let utf16: Vec<u8> = "\u{feff}a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16_be: Vec<u8> = "\u{feff}a,b\n1,2\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [utf16, utf16_be] {
        assert_eq!(read_bytes(&bytes, &FileOptions::default()), other("UTF-16", Encoding::Utf8));
        assert_eq!(read_bytes(&bytes, &gb18030()), other("UTF-16", Encoding::Gb18030));
    }
    assert_eq!(read_bytes("\u{feff}a,b\n1,2\n".as_bytes(), &gb18030()), other("UTF-8", Encoding::Gb18030));
    assert_eq!(read_bytes("\u{feff}a,b\n1,2\n".as_bytes(), &FileOptions::default()), (vec![row(&["1", "2"])], None));
}

#[test]
fn odd_files() {
    let plain = with(CsvOptions::default());
    assert_eq!(read_bytes(b"", &plain), (vec![], Some(TableError::Empty)));
    assert_eq!(read_bytes(b"\n\r\n", &plain), (vec![], Some(TableError::Empty)));
    for header_only in [&b"a,b"[..], b"a,b\r\n", b"\xef\xbb\xbfa,b\n\n\n"] {
        assert_eq!(read_bytes(header_only, &plain), (vec![], None));
    }
    assert_eq!(read_bytes(b"a,a\n", &plain).1, Some(TableError::DuplicateHeader { first: 1, second: 2 }));
    assert_eq!(read_bytes(b"a,\n", &plain).1, Some(TableError::HeaderName { field: 2 }));
    assert_eq!(read_bytes(b"a,\"b\nc\"\n", &plain).1, Some(TableError::HeaderName { field: 2 }));
    // Numbers among words, emoji, NUL, line ends within quotes, marks in the middle.
    let (rows, error) = read_bytes("a,b\n1,x\n\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467},\0\n\"\r\n\n\",\u{feff}\n".as_bytes(), &plain);
    assert_eq!(error, None);
    assert_eq!(rows, [row(&["1", "x"]), row(&["\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\0"]), row(&["\r\n\n", "\u{feff}"])]);
    // Ragged, after good records.
    for (text, found) in [(&b"a,b\n1,2\n3\n"[..], 1), (b"a,b\n1,2\n3,4,5\n", 3), (b"a,b\n1,2\n\"3\",4,5,6", 4)] {
        let error = TableError::Ragged { position: place(2, None, Some(8)), expected: 2, found };
        assert_eq!(read_bytes(text, &plain), (vec![row(&["1", "2"])], Some(error)));
    }
    let open = |path: &str| FileSource::open(path, &FileOptions::default()).unwrap_err();
    assert!(matches!(open("/nowhere.parquet"), TableError::Open { .. }));
    assert!(matches!(open("/dev/null"), TableError::NotAFile { .. }));
}

#[test]
fn ten_thousand_columns() {
    let columns = 10_000;
    let mut text = (0..columns).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
    for record in 0..30 {
        text.push('\n');
        text += &(0..columns).map(|at| format!("{}", record * at % 97)).collect::<Vec<_>>().join(if record == 20 { "\",\"" } else { "," });
        if record == 20 {
            let start = text.rfind('\n').unwrap() + 1;
            text.insert(start, '"');
            text.push('"');
        }
    }
    written(text.as_bytes(), &FileOptions::default(), |source, path| {
        let found = rows(&source.unwrap());
        assert_eq!((found.len(), found[0].len()), (30, columns));
        for record in [0, 1, 20, 29] {
            assert!((0..columns).all(|at| found[record][at] == Some((record * at % 97).to_string())));
        }
        let some = FileSource::open_as(path, &FileOptions::default(), schema(&[("c9999", Integer), ("c7", Text)])).unwrap();
        assert_eq!(rows(&some)[3], row(&[&(3 * 9999 % 97).to_string(), "21"]));
    });
    let many = format!("{}x\n", "x,".repeat(16_384));
    assert_eq!(read_bytes(many.as_bytes(), &FileOptions::default()).1, Some(TableError::ColumnCount { most: 16_384, found: 16_385 }));
}

#[test]
fn a_cell_of_100_mb_is_refused_in_little_memory() {
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|line| line.trim().trim_end_matches(" kB").parse::<u64>());
        line.and_then(Result::ok).unwrap_or(0) << 10
    };
    let folder = tempfile::tempdir().unwrap();
    for quote in ["", "\""] {
        let path = folder.path().join("a.csv");
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, format!("a,b\n1,2\n3,{quote}").as_bytes()).unwrap();
        for _ in 0..100 {
            std::io::Write::write_all(&mut file, &[b'x'; 1 << 20]).unwrap();
        }
        let before = peak();
        let source = open(&path);
        let most = CsvOptions::FIELD_BYTES_MAX;
        assert_eq!(read(&source), (vec![row(&["1", "2"])], Some(TableError::FieldTooLong { position: place(2, Some(2), Some(8)), most })));
        // Other tests run beside this one: the bound is wide, yet below the cell.
        assert!(peak() - before < 90 << 20, "{}", peak() - before);
    }
}
