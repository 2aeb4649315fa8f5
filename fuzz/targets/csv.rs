//! CSV files: the same records or the same error, however the reading is cut into batches.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usufruct::arrow::arrow_array::{Array, cast::AsArray, types::Int64Type};
use usufruct::id::ColumnName;
use usufruct::table::{TableColumn, ColumnKind, CsvOptions, CsvSource, Encoding, ExtraColumns, RecordSource, TableSchema, TableError};

/// All rows in order, or the first error.
fn read(bytes: &[u8], options: CsvOptions) -> Result<Vec<[Option<String>; 3]>, TableError> {
    let column = |name, kind| TableColumn { name: ColumnName::new(name).expect("a name"), kind };
    let columns = vec![column("sex", ColumnKind::Text), column("age", ColumnKind::Integer), column("pay", ColumnKind::Real)];
    let utf8 = options.encoding == Encoding::Utf8;
    let source = CsvSource::from_bytes(bytes, options, TableSchema::new(columns)?)?;
    let mut rows = Vec::new();
    for records in source.read()? {
        let records = records?;
        let batch = records.batch();
        assert_eq!((batch.num_columns(), batch.num_rows()), (3, records.len()));
        for row in 0..records.len() {
            let cell = |column: usize| match batch.column(column) {
                array if array.is_null(row) => None,
                array if column == 1 => Some(array.as_primitive::<Int64Type>().value(row).to_string()),
                array => Some(array.as_string::<i32>().value(row).to_owned()),
            };
            let byte = records.position(row, Some(1)).byte;
            assert!(if utf8 { byte.is_some_and(|byte| byte <= bytes.len() as u64) } else { byte.is_none() });
            rows.push([0, 1, 2].map(cell));
        }
    }
    Ok(rows)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let options = CsvOptions {
        delimiter: [b',', b';', b'\t', b'a'][usize::from(how & 1 | how >> 5 & 2)],
        encoding: if how & 8 == 0 { Encoding::Utf8 } else { Encoding::Gb18030 },
        extra: if how & 2 == 0 { ExtraColumns::Ignore } else { ExtraColumns::Refuse },
        field_bytes_max: if how & 4 == 0 { 4096 } else { 4 },
        ..CsvOptions::default()
    };
    let whole = read(bytes, options.clone());
    let single = read(bytes, CsvOptions { batch_rows_max: 1, ..options });
    assert_eq!(whole, single);
});
