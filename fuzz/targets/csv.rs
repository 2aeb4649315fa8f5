//! CSV files: the same records or the same error, however the reading is cut into batches.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usufruct::id::ColumnName;
use usufruct::table::{Column, ColumnKind, CsvOptions, CsvSource, ExtraColumns, RecordSource, Schema, TableError};

/// All cells in order, as one text, or the error; and how many rows came before it.
fn read(bytes: &[u8], options: CsvOptions) -> Result<Vec<String>, TableError> {
    let column = |name, kind| Column { name: ColumnName::new(name).expect("a name"), kind };
    let columns = vec![column("sex", ColumnKind::Text), column("age", ColumnKind::Integer), column("pay", ColumnKind::Real)];
    let source = CsvSource::from_bytes(bytes, options, Schema::new(columns)?)?;
    let mut rows = Vec::new();
    for records in source.read()? {
        let records = records?;
        let batch = records.batch();
        assert_eq!((batch.num_columns(), batch.num_rows()), (3, records.len()));
        for row in 0..records.len() {
            let cells: Vec<String> = (0..3).map(|column| format!("{:?}", batch.column(column).slice(row, 1).to_data())).collect();
            assert!(records.position(row, Some(1)).byte.is_some_and(|byte| byte <= bytes.len() as u64));
            rows.push(cells.join("|"));
        }
    }
    Ok(rows)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let options = CsvOptions {
        delimiter: if how & 1 == 0 { b',' } else { b';' },
        extra: if how & 2 == 0 { ExtraColumns::Ignore } else { ExtraColumns::Refuse },
        field_bytes_max: if how & 4 == 0 { 4096 } else { 4 },
        ..CsvOptions::default()
    };
    let whole = read(bytes, options.clone());
    let single = read(bytes, CsvOptions { batch_rows_max: 1, ..options });
    assert_eq!(whole, single);
});
