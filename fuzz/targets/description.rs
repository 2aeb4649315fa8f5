//! Descriptions of datasets: what is accepted has one encoding, which reads back.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use usufruct::dataset::{DescriptionFile, table_schema};

fuzz_target!(|text: &str| {
    let Ok(file) = DescriptionFile::parse(text, Path::new("folder")) else { return };
    let schema = table_schema(file.description.schema());
    assert_eq!(schema.columns().len(), file.description.schema().columns().len());
    assert!(!file.description.promise().is_empty());
});
