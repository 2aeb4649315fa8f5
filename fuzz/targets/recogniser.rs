//! TOML of recognisers, and texts: nothing panics, spans are in order, and what is found in a text is of its kind alone too.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use usufruct::arrow::arrow_array::{RecordBatch, StringArray};
use usufruct::grade::{Kind, Profiler, Recognisers, check, free_text};
use usufruct::id::ColumnName;
use usufruct::table::{TableColumn, ColumnKind, Records, TableSchema};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // What stands before a line of dashes is TOML, what stands behind it are cells.
    let (toml, cells) = text.split_once("\n---\n").unwrap_or((text, text));
    let recognisers = match Recognisers::parse(toml) {
        Ok(recognisers) => recognisers,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Recognisers::builtin()
        }
    };
    let mut last = 0;
    for span in free_text::find(cells) {
        assert!(last <= span.start && span.start < span.end);
        let part = &cells[span.start..span.end];
        last = span.end;
        match span.kind {
            Kind::Email => assert!(check::email(part) || !part.is_ascii()),
            Kind::Ip => assert!(check::ip(part) || !part.is_ascii()),
            _ => {}
        }
    }
    let covered = free_text::cover(cells);
    assert!(covered.windows(2).all(|pair| pair[0].end <= pair[1].start));
    assert!(covered.iter().all(|part| !cells[part.start..part.end].is_empty()));
    let within = |span: &free_text::Span| covered.iter().any(|part| part.start <= span.start && span.end <= part.end);
    assert!(free_text::find(cells).iter().all(within));
    let recognisers = Arc::new(recognisers);
    let column = |name| TableColumn { name: ColumnName::new(name).expect("a name"), kind: ColumnKind::Text };
    let schema = TableSchema::new(vec![column("x")]).expect("a schema");
    let profile = |chunk: usize| {
        let lines: Vec<&str> = cells.split('\n').collect();
        let mut whole = Profiler::new(&schema, &recognisers);
        for part in lines.chunks(chunk) {
            let array = Arc::new(StringArray::from(part.to_vec()));
            let batch = RecordBatch::try_new(Records::arrow_schema(&schema), vec![array]).expect("a batch");
            let mut profiler = Profiler::new(&schema, &recognisers);
            profiler.update(&Records::new(&schema, batch, 1).expect("records"));
            whole.merge(profiler);
        }
        whole.finish()
    };
    assert_eq!(profile(usize::MAX), profile(1));
});
