//! Whole files: the types of Parquet and Arrow, and how they become text and numbers.

use std::path::Path;

use usufruct::arrow::arrow_array::builder::{Int32Builder, ListBuilder};
use usufruct::arrow::arrow_array::types::{Int8Type, Int32Type};
use usufruct::arrow::arrow_array::{
    BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, DictionaryArray, DurationSecondArray, Float32Array, Float64Array,
    Int8Array, Int32Array, Int64Array, LargeStringArray, NullArray, StringArray, StringViewArray, Time32MillisecondArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampSecondArray, UInt64Array,
};
use usufruct::table::{CsvOptions, ExtraColumns, Format, Position};

use super::ColumnKind::{Integer, Real, Text};
use super::*;

const ALL_TYPES: [(&str, ColumnKind); 11] = [
    ("id", Integer),
    ("bool_col", Text),
    ("tinyint_col", Integer),
    ("smallint_col", Integer),
    ("int_col", Integer),
    ("bigint_col", Integer),
    ("float_col", Real),
    ("double_col", Real),
    ("date_string_col", Text),
    ("string_col", Text),
    ("timestamp_col", Text),
];

#[test]
fn files_of_other_writers() {
    let Some(folder) = shared("parquet-good") else { return };
    type Expected<'a> = (&'a str, usize, &'a [(&'a str, ColumnKind)], usize, &'a [&'a str]);
    let cases: [Expected<'_>; 9] = [
        ("alltypes_plain", 8, &ALL_TYPES, 7, &["1", "false", "1", "1", "1", "10", "1.1", "10.1", "01/01/09", "1", "2009-01-01T00:01:00"]),
        ("alltypes_dictionary", 2, &ALL_TYPES, 0, &["0", "true", "0", "0", "0", "0", "0", "0", "01/01/09", "0", "2009-01-01T00:00:00"]),
        ("byte_stream_split.zstd", 300, &[("f32", Real), ("f64", Real)], 0, &["1.7640524", "-1.3065268517353166"]),
        ("float16_nonzeros_and_nans", 8, &[("x", Real)], 0, &["-"]),
        ("float16_nonzeros_and_nans", 8, &[("x", Real)], 7, &["2"]),
        ("int64_decimal", 24, &[("value", Real)], 23, &["24.00"]),
        ("lz4_raw_compressed", 4, &[("c0", Integer), ("c1", Text), ("v11", Real)], 3, &["1593604801", "def", "7.7"]),
        ("rle_boolean_encoding", 68, &[("datatype_boolean", Text)], 0, &["true"]),
        ("single_nan", 1, &[("mycol", Real)], 0, &["-"]),
    ];
    for (name, len, columns, at, expected) in cases {
        let source = open(&folder.join(format!("{name}.parquet")));
        assert_eq!(kinds(&source), columns, "{name}");
        let rows = rows(&source);
        assert_eq!(rows.len(), len, "{name}");
        assert_eq!(rows[at], row(expected), "{name}");
        assert_eq!(self::rows(&source), rows, "{name}, read again");
        assert_eq!(source.size_hint().records, Some(len as u64));
    }
    let source = open(&folder.join("delta_byte_array.parquet"));
    let rows = rows(&source);
    assert_eq!((rows.len(), source.schema().columns().len()), (1000, 9));
    let first = ["AAAAAAAAIODAAAAA", "Sir", "Mark", "Bailey", "N", "MOROCCO", "-", "Mark.Bailey@rg9qCNVJ0s7qeY.com", "2452443"];
    assert_eq!(rows[0], row(&first));
}

#[test]
fn nested_columns_are_refused_by_name_and_only_where_they_are_wanted() {
    let Some(folder) = shared("parquet-good") else { return };
    for (name, nested) in [("nested_lists.snappy", "a"), ("nulls.snappy", "b_struct"), ("datapage_v2.snappy", "e")] {
        let path = folder.join(format!("{name}.parquet"));
        let error = FileSource::open(&path, &FileOptions::default()).unwrap_err();
        assert_eq!(error, TableError::Nested { column: ColumnName::new(nested).unwrap() });
        let wanted = FileSource::open_as(&path, &FileOptions::default(), schema(&[(nested, Text)])).unwrap_err();
        assert_eq!(wanted, error);
    }
    let path = folder.join("datapage_v2.snappy.parquet");
    let source = FileSource::open_as(&path, &FileOptions::default(), schema(&[("c", Real), ("a", Text)])).unwrap();
    assert_eq!(rows(&source), [["2", "abc"], ["3", "abc"], ["4", "abc"], ["5", "-"], ["2", "abc"]].map(|cells| row(&cells)));
}

/// One column of each type that is read, what its cells are, and three of them.
fn every_type() -> Vec<(&'static str, ArrayRef, ColumnKind, [&'static str; 3])> {
    let keys = Int8Array::from(vec![Some(1), None, Some(0)]);
    let coded = DictionaryArray::<Int8Type>::try_new(keys, array(StringArray::from(vec![Some("低"), Some("高"), Some("unused")]))).unwrap();
    let coded_numbers = DictionaryArray::<Int32Type>::new(Int32Array::from(vec![0, 1, 0]), array(Int64Array::from(vec![Some(7), None])));
    let decimals = Decimal128Array::from(vec![Some(12_345), None, Some(-5)]).with_precision_and_scale(10, 2).unwrap();
    let micros = TimestampMicrosecondArray::from(vec![Some(1_709_210_096_120_000), None, Some(0)]);
    vec![
        ("bool", array(BooleanArray::from(vec![Some(true), None, Some(false)])), Text, ["true", "-", "false"]),
        ("i8", array(Int8Array::from(vec![Some(-128), None, Some(127)])), Integer, ["-128", "-", "127"]),
        (
            "i64",
            array(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
            Integer,
            ["-9223372036854775808", "-", "9223372036854775807"],
        ),
        ("u64", array(UInt64Array::from(vec![Some(0), None, Some(1 << 62)])), Integer, ["0", "-", "4611686018427387904"]),
        ("f32", array(Float32Array::from(vec![0.1, f32::NAN, 1e10])), Real, ["0.1", "-", "10000000000"]),
        ("f64", array(Float64Array::from(vec![1e-7, f64::NAN, 1e21])), Real, ["0.0000001", "-", "1000000000000000000000"]),
        ("inf", array(Float64Array::from(vec![f64::INFINITY, f64::NEG_INFINITY, 3.0])), Real, ["inf", "-inf", "3"]),
        ("dec", array(decimals), Real, ["123.45", "-", "-0.05"]),
        ("d32", array(Date32Array::from(vec![Some(19_782), None, Some(-1)])), Text, ["2024-02-29", "-", "1969-12-31"]),
        ("d64", array(Date64Array::from(vec![Some(86_400_000), None, Some(0)])), Text, ["1970-01-02", "-", "1970-01-01"]),
        ("t32", array(Time32MillisecondArray::from(vec![Some(1), None, Some(86_399_000)])), Text, ["00:00:00.001", "-", "23:59:59"]),
        ("t64", array(Time64NanosecondArray::from(vec![Some(1), None, Some(0)])), Text, ["00:00:00.000000001", "-", "00:00:00"]),
        ("local", array(micros.clone()), Text, ["2024-02-29T12:34:56.120", "-", "1970-01-01T00:00:00"]),
        ("utc", array(micros.with_timezone("Asia/Shanghai")), Text, ["2024-02-29T12:34:56.120Z", "-", "1970-01-01T00:00:00Z"]),
        (
            "seconds",
            array(TimestampSecondArray::from(vec![Some(-1), None, Some(1)])),
            Text,
            ["1969-12-31T23:59:59", "-", "1970-01-01T00:00:01"],
        ),
        ("text", array(StringArray::from(vec![Some("a\n\"b\""), None, Some("")])), Text, ["a\n\"b\"", "-", ""]),
        ("large", array(LargeStringArray::from(vec![Some("张三"), None, Some("\0")])), Text, ["张三", "-", "\0"]),
        (
            "view",
            array(StringViewArray::from(vec![Some("longer than twelve bytes"), None, Some("b")])),
            Text,
            ["longer than twelve bytes", "-", "b"],
        ),
        ("bytes", array(BinaryArray::from(vec![Some(&b"hive"[..]), None, Some(b"x")])), Text, ["hive", "-", "x"]),
        ("coded", array(coded), Text, ["高", "-", "低"]),
        ("coded numbers", array(coded_numbers), Integer, ["7", "-", "7"]),
        ("nothing", array(NullArray::new(3)), Text, ["-", "-", "-"]),
    ]
}

/// Writes batches in both formats and looks at what is read.
fn in_both(batches: &[RecordBatch], look: impl Fn(&Path, Format)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write_parquet(&path, batches);
    look(&path, Format::Parquet);
    let path = folder.path().join("a.arrow");
    write_ipc(&path, batches);
    look(&path, Format::Ipc);
}

#[test]
fn every_type_in_both_formats() {
    let columns = every_type();
    let batch = batch(columns.iter().map(|(name, array, ..)| (*name, Arc::clone(array))).collect());
    let expected: Vec<Row> = (0..3).map(|at| columns.iter().flat_map(|(.., cells)| row(&cells[at..=at])).collect()).collect();
    in_both(&[batch.clone(), batch.slice(1, 2)], |path, format| {
        let source = open(path);
        assert_eq!(source.format(), format);
        assert_eq!(kinds(&source), columns.iter().map(|(name, _, kind, _)| (*name, *kind)).collect::<Vec<_>>());
        let rows = rows(&source);
        assert_eq!(rows[..3], expected, "{format}");
        assert_eq!(rows[3..], expected[1..], "{format}");
        assert_eq!(self::rows(&source), rows);
    });
}

#[test]
fn columns_are_read_as_what_is_wanted() {
    let numbers = array(Int32Array::from(vec![Some(-7), None]));
    let reals = array(Float64Array::from(vec![Some(2.0), Some(f64::NAN)]));
    let decimals = array(Decimal128Array::from(vec![300, -1200]).with_precision_and_scale(9, 2).unwrap());
    let texts = array(StringArray::from(vec!["+08", ""]));
    let batch = batch(vec![("n", numbers), ("r", reals), ("d", decimals), ("t", texts)]);
    in_both(&[batch], |path, _| {
        let read_as = |columns: &[(&str, ColumnKind)]| rows(&FileSource::open_as(path, &FileOptions::default(), schema(columns)).unwrap());
        assert_eq!(read_as(&[("t", Integer), ("d", Integer), ("r", Integer)]), [row(&["8", "3", "2"]), row(&["-", "-12", "-"])]);
        assert_eq!(read_as(&[("n", Real), ("t", Real)]), [row(&["-7", "+08"]), row(&["-", "-"])]);
        assert_eq!(read_as(&[("d", Text), ("t", Text), ("n", Text)]), [row(&["3.00", "+08", "-7"]), row(&["-12.00", "", "-"])]);
    });
}

#[test]
fn cells_that_do_not_fit_are_told_by_their_place() {
    let one = array(Int32Array::from(vec![1, 2, 3]));
    let u64s = array(UInt64Array::from(vec![1, 1 << 63, 0]));
    let halves = array(Float64Array::from(vec![1.0, 2.0, 2.5]));
    let bytes = array(BinaryArray::from(vec![&b"a"[..], b"b", b"\xff"]));
    let texts = array(StringArray::from(vec!["1", "2.0", "3"]));
    let batch = batch(vec![("one", one), ("u", u64s), ("h", halves), ("b", bytes), ("t", texts)]);
    in_both(&[batch.slice(0, 1), batch.slice(1, 2)], |path, _| {
        let options = FileOptions { csv: CsvOptions { batch_rows_max: 2, ..CsvOptions::default() }, ..FileOptions::default() };
        let failing = |column: (&str, ColumnKind)| {
            let source = FileSource::open_as(path, &options, schema(&[("one", Integer), column])).unwrap();
            read(&source).1.unwrap()
        };
        let place = |record, field| Position { record, field: Some(field), byte: None };
        let column = |name| ColumnName::new(name).unwrap();
        assert_eq!(failing(("u", Integer)), TableError::NotInteger { position: place(2, 2), column: column("u") });
        assert_eq!(failing(("h", Integer)), TableError::NotInteger { position: place(3, 3), column: column("h") });
        assert_eq!(failing(("b", Text)), TableError::NotUtf8 { position: place(3, 4), column: column("b") });
        assert_eq!(failing(("t", Integer)), TableError::NotInteger { position: place(2, 5), column: column("t") });
    });
}

#[test]
fn columns_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.arrow");
    let number = || array(Int32Array::from(vec![1]));
    let fail = |columns: Vec<(&str, ArrayRef)>| {
        write_ipc(&path, &[batch(columns)]);
        FileSource::open(&path, &FileOptions::default()).unwrap_err()
    };
    assert_eq!(fail(vec![("a", number()), ("b", number()), ("a", number())]), TableError::DuplicateHeader { first: 1, second: 3 });
    assert_eq!(fail(vec![("a", number()), ("b\n", number())]), TableError::HeaderName { field: 2 });
    let column = ColumnName::new("took").unwrap();
    assert_eq!(fail(vec![("took", array(DurationSecondArray::from(vec![1])))]), TableError::ColumnType { column, found: "duration" });
    let mut list = ListBuilder::new(Int32Builder::new());
    list.append_value([Some(1)]);
    assert_eq!(fail(vec![("a", number()), ("l", array(list.finish()))]), TableError::Nested { column: ColumnName::new("l").unwrap() });

    let missing = FileSource::open_as(&path, &FileOptions::default(), schema(&[("A", Integer)])).unwrap_err();
    assert_eq!(missing, TableError::MissingColumn { column: ColumnName::new("A").unwrap(), fields: 2 });
    let refuse = FileOptions { csv: CsvOptions { extra: ExtraColumns::Refuse, ..CsvOptions::default() }, ..FileOptions::default() };
    let extra = FileSource::open_as(&path, &refuse, schema(&[("a", Integer)])).unwrap_err();
    assert_eq!(extra, TableError::ExtraColumn { field: 2 });
}

/// The limits of CSV hold in every format; batches are cut within those of the file.
#[test]
fn batches_and_fields_are_bounded() {
    let rows = 20_000;
    let keys: Int32Array = (0..rows).map(|row| Some(row % 2)).collect();
    let long = "x".repeat(1 << 16);
    let coded = DictionaryArray::new(keys, array(StringArray::from(vec!["short", &long])));
    let numbers: Int64Array = (1..=i64::from(rows)).map(Some).collect();
    let batch = batch(vec![("coded", array(coded)), ("n", array(numbers))]);
    in_both(&[batch], |path, _| {
        let csv = CsvOptions { batch_rows_max: 500, batch_bytes_max: 1 << 20, ..CsvOptions::default() };
        let source = FileSource::open(path, &FileOptions { csv, ..FileOptions::default() }).unwrap();
        let mut record = 0;
        for records in source.read().unwrap() {
            let records = records.unwrap();
            assert!(records.len() <= 33, "16 long texts reach 1 MiB");
            let numbers = records.batch().column(1).as_primitive::<Int64Type>();
            assert!(numbers.values().iter().all(|&number| {
                record += 1;
                number == record
            }));
        }
        assert_eq!(record, i64::from(rows));

        let csv = CsvOptions { field_bytes_max: 1000, ..CsvOptions::default() };
        let source = FileSource::open(path, &FileOptions { csv, ..FileOptions::default() }).unwrap();
        let position = Position { record: 2, field: Some(1), byte: None };
        assert_eq!(read(&source), (vec![], Some(TableError::FieldTooLong { position, most: 1000 })));
    });
}

#[test]
fn a_file_that_changes_is_told() {
    in_both(&[batch(vec![("n", array(Int32Array::from(vec![1, 2])))])], |path, _| {
        let source = open(path);
        let before = source.version().unwrap();
        let mut batches = source.read().unwrap();
        batches.next().unwrap().unwrap();
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy).unwrap();
        std::fs::rename(&copy, path).unwrap();
        assert_eq!(batches.next().unwrap().unwrap_err(), TableError::Changed);
        assert!(batches.next().is_none());
        assert_ne!(source.version().unwrap(), before);
        assert_eq!(rows(&source), [row(&["1"]), row(&["2"])]);
    });
}
