//! Files out: the same bytes for the same rows, and nothing in them but those rows (rule H4).

use std::collections::HashMap;
use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{KeyValue, PageIndexPolicy};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use usufruct::arrow::arrow_array::types::Int32Type;
use usufruct::arrow::arrow_array::{Decimal128Array, DictionaryArray, Int32Array, Int64Array, StringArray};
use usufruct::arrow::arrow_schema::{self, DataType, Field};
use usufruct::file::{OutputError, OutputOptions};
use usufruct::id::Digest;
use usufruct::table::{FileSink, Finished, Format, RawRows, SinkError, SinkOptions};

use super::*;

const FORMATS: [Format; 3] = [Format::Csv, Format::Parquet, Format::Ipc];

fn write(target: &Path, format: Format, batches: &[RecordBatch], options: &SinkOptions) -> Finished {
    let mut sink = FileSink::create(target, format, &batches[0].schema(), options).unwrap();
    let preparer = sink.preparer();
    for batch in batches {
        sink.write(preparer.prepare(&RawRows(batch.clone())).unwrap()).unwrap();
    }
    sink.finish().unwrap()
}

fn people() -> RecordBatch {
    let names = StringArray::from(vec![Some("张三"), None, Some("a \"b\", c\r\nd"), Some("=1+1"), Some("-3.5"), Some("")]);
    let ages = Int64Array::from(vec![Some(i64::MIN), Some(0), None, Some(39), Some(-1), Some(i64::MAX)]);
    let pay = Decimal128Array::from(vec![Some(12_345), Some(-5), None, Some(0), Some(100), Some(99_999)]);
    let pay = pay.with_precision_and_scale(38, 2).unwrap();
    batch(vec![("姓名, full", array(names)), ("age", array(ages)), ("pay", array(pay))])
}

#[test]
fn csv_is_rfc_4180() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a.csv");
    let finished = write(&target, Format::Csv, &[people()], &SinkOptions::default());
    assert_eq!((finished.rows, finished.formula_cells), (6, 1));
    finished.commit().unwrap();
    let expected = "\"姓名, full\",age,pay\n张三,-9223372036854775808,123.45\n,0,-0.05\n\"a \"\"b\"\", c\r\nd\",,\n=1+1,39,0.00\n-3.5,-1,1.00\n,9223372036854775807,999.99\n";
    assert_eq!(std::fs::read_to_string(&target).unwrap(), expected);

    // One column whose cells are empty: every record is still one.
    let single = batch(vec![("a", array(StringArray::from(vec![None, Some(""), Some(";")])))]);
    let target = folder.path().join("b.csv");
    write(&target, Format::Csv, &[single], &SinkOptions { delimiter: b';', ..SinkOptions::default() }).commit().unwrap();
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "a\n\"\"\n\"\"\n\";\"\n");
    assert_eq!(rows(&open(&target)), [row(&["-"]), row(&["-"]), row(&[";"])]);
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let batch = people();
    let expected = [
        ["张三", "-9223372036854775808", "123.45"],
        ["-", "0", "-0.05"],
        ["a \"b\", c\r\nd", "-", "-"],
        ["=1+1", "39", "0.00"],
        ["-3.5", "-1", "1.00"],
        ["", "9223372036854775807", "999.99"],
    ]
    .map(|cells| row(&cells));
    for format in FORMATS {
        let target = folder.path().join(format.as_str());
        let options = SinkOptions { unique: vec![0, 2], ..SinkOptions::default() };
        let finished = write(&target, format, &[batch.slice(0, 2), batch.slice(2, 4)], &options);
        let (digest, bytes) = (finished.digest, finished.bytes);
        assert!(!target.exists());
        finished.commit().unwrap();
        let written = std::fs::read(&target).unwrap();
        assert_eq!((Digest::of(&written), written.len() as u64), (digest, bytes), "{format}");
        let mut found = rows(&open(&target));
        if format == Format::Csv {
            // There the empty text is null.
            assert_eq!(found[5][0].take(), None);
            found[5][0] = Some(String::new());
        }
        assert_eq!(found, expected, "{format}");

        // The same batches make the same bytes.
        let again = folder.path().join("again");
        assert_eq!(write(&again, format, &[batch.slice(0, 2), batch.slice(2, 4)], &options).digest, digest);
        assert!(!again.exists());
        // No records.
        let empty = folder.path().join("empty");
        write(&empty, format, &[batch.slice(0, 0)], &SinkOptions { output: OutputOptions { force: true, private: false }, ..options })
            .commit()
            .unwrap();
        assert_eq!(rows(&open(&empty)), Vec::<Row>::new());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a");
    for format in FORMATS {
        let create = |schema: &arrow_schema::Schema, options: &SinkOptions| FileSink::create(&target, format, schema, options).map(drop);
        let wrong = batch(vec![("a", array(Int64Array::from(vec![1]))), ("b", array(Int32Array::from(vec![1])))]);
        assert_eq!(create(&wrong.schema(), &SinkOptions::default()), Err(SinkError::Column { column: 2 }));
        let quote = SinkOptions { delimiter: b'"', ..SinkOptions::default() };
        assert_eq!(create(&people().schema(), &quote), Err(SinkError::Delimiter { delimiter: b'"' }));
        let mut sink = FileSink::create(&target, format, &people().schema(), &SinkOptions::default()).unwrap();
        assert_eq!(sink.preparer().prepare(&RawRows(wrong)).map(drop), Err(SinkError::Batch));
        if format != Format::Csv {
            let csv = FileSink::create(&folder.path().join("b"), Format::Csv, &people().schema(), &SinkOptions::default()).unwrap();
            assert_eq!(sink.write(csv.preparer().prepare(&RawRows(people())).unwrap()), Err(SinkError::Batch));
        }
        drop(sink);
        std::fs::write(&target, "theirs").unwrap();
        let exists = SinkError::Output(OutputError::TargetExists { target: target.clone() });
        assert_eq!(create(&people().schema(), &SinkOptions::default()), Err(exists));
        std::fs::remove_file(&target).unwrap();
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

const CANARY: &str = "CANARY";

/// Three rows are emitted; canaries are in every other place: metadata of the file, of the schema and of fields, in a
/// column and in rows that are not emitted, in dictionaries, statistics, page indexes and bloom filters.
fn planted() -> RecordBatch {
    let metadata = || HashMap::from([("CANARY key".to_owned(), "CANARY comment".to_owned())]);
    let coded: DictionaryArray<Int32Type> = ["low", "high", "low", "CANARY coded", "CANARY coded 2"].into_iter().collect();
    let texts = StringArray::from(vec!["a", "b", "CANARY suppressed", "CANARY row", "zCANARY"]);
    let columns = [
        ("coded", array(coded)),
        ("text", array(texts)),
        ("n", array(Int64Array::from(vec![1, 2, 3, 4, 5]))),
        ("CANARY column", array(StringArray::from(vec!["CANARY cell"; 5]))),
    ];
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true).with_metadata(metadata());
    let schema = arrow_schema::Schema::new_with_metadata(columns.iter().map(field).collect::<Vec<_>>(), metadata());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

fn holds_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// The bytes of a Parquet file, and its pages decompressed.
fn with_pages(path: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(path).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).unwrap();
        for column in 0..group.num_columns() {
            for page in group.get_column_page_reader(column).unwrap() {
                bytes.extend_from_slice(page.unwrap().buffer());
            }
        }
    }
    bytes
}

#[test]
fn nothing_of_the_input_stands_in_the_output_but_emitted_rows() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.parquet");
    let properties = WriterProperties::builder()
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_bloom_filter_enabled(true)
        .set_created_by("CANARY writer".to_owned())
        .set_key_value_metadata(Some(vec![KeyValue::new("CANARY key".to_owned(), "CANARY value".to_owned())]))
        .build();
    let file = std::fs::File::create(&input).unwrap();
    let mut writer = ArrowWriter::try_new(file, planted().schema(), Some(properties)).unwrap();
    writer.write(&planted()).unwrap();
    writer.close().unwrap();
    let ipc = folder.path().join("in.arrow");
    write_ipc(&ipc, &[planted()]);

    for input in [input, ipc] {
        assert!(holds_canary(&std::fs::read(&input).unwrap()));
        let wanted = schema(&[("n", ColumnKind::Integer), ("coded", ColumnKind::Text), ("text", ColumnKind::Text)]);
        let source = FileSource::open_as(&input, &FileOptions::default(), wanted).unwrap();
        let records = source.read().unwrap().next().unwrap().unwrap();
        // The first three rows, the last text suppressed by a null alone: its bytes still stand in the buffer.
        let emitted = records.batch().slice(0, 3);
        let texts = emitted.column(2).as_string::<i32>();
        let nulls = vec![true, true, false].into();
        let nulled = StringArray::try_new(texts.offsets().clone(), texts.values().clone(), Some(nulls)).unwrap();
        let coded = Arc::clone(emitted.column(1));
        // The schema of the input is given to the sink as it is, its metadata included.
        let fields: Vec<Field> = ["n", "coded", "text"]
            .iter()
            .map(|name| planted().schema().field_with_name(name).unwrap().clone())
            .map(|field| if field.name() == "n" { field } else { field.with_data_type(DataType::Utf8) })
            .collect();
        let schema = arrow_schema::Schema::new_with_metadata(fields, planted().schema().metadata().clone());
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::clone(emitted.column(0)), coded, array(nulled)]).unwrap();
        for format in FORMATS {
            let target = folder.path().join(format!("out.{}", format.as_str()));
            let options = SinkOptions { output: OutputOptions { force: true, private: false }, ..SinkOptions::default() };
            write(&target, format, std::slice::from_ref(&batch), &options).commit().unwrap();
            let expected = [["1", "low", "a"], ["2", "high", "b"], ["3", "low", "-"]].map(|cells| row(&cells));
            assert_eq!(rows(&open(&target)), expected);
            let bytes = if format == Format::Parquet { with_pages(&target) } else { std::fs::read(&target).unwrap() };
            assert!(!holds_canary(&bytes), "{format}");
        }
    }

    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let file = std::fs::File::open(folder.path().join("out.parquet")).unwrap();
    let metadata = ArrowReaderMetadata::load(&file, options).unwrap();
    let metadata = metadata.metadata();
    assert_eq!(metadata.file_metadata().created_by(), Some(concat!("usufruct ", env!("CARGO_PKG_VERSION"))));
    assert_eq!(metadata.file_metadata().key_value_metadata(), None);
    assert!(metadata.column_index().is_none() && metadata.offset_index().is_none());
    assert!(metadata.row_groups().iter().flat_map(|group| group.columns()).all(|column| column.bloom_filter_offset().is_none()));
}
