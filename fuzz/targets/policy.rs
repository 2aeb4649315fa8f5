//! Policies: what is parsed can be checked against columns of every kind, and what passes desensitises records.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use usufruct::desensitise::{PrfAlgorithm, KeyRing, Policy};
use usufruct::grade::{Finding, Recognisers, survey};
use usufruct::id::{ColumnName, Name};
use usufruct::random::SystemRandom;
use usufruct::table::{TableColumn, ColumnKind, CsvOptions, CsvSource, Format, RecordSource, TableSchema};

const PEOPLE: &[u8] = "id,name,phone,birth,age,income,note\n\
    11010519491231002X,王伟,13800138000,1949-12-31,75,1234.50,a\n\
    440524188001010014,李芳,13900139000,1880-01-01,-3,0.00,\n"
    .as_bytes();

static SOURCE: LazyLock<CsvSource> = LazyLock::new(|| {
    let column = |name: &str| TableColumn { name: ColumnName::new(name).unwrap(), kind: ColumnKind::Text };
    let schema = TableSchema::new(["id", "name", "phone", "birth", "age", "income", "note"].map(column).into()).unwrap();
    CsvSource::from_bytes(PEOPLE, CsvOptions::default(), schema).unwrap()
});
static FOUND: LazyLock<Vec<Finding>> =
    LazyLock::new(|| survey(&*SOURCE, &Arc::new(Recognisers::builtin()), 1, &mut |_| std::ops::ControlFlow::Continue(())).unwrap());
static KEYS: LazyLock<KeyRing> = LazyLock::new(|| {
    let name = |text| Name::new(text).unwrap();
    KeyRing::generate(&mut SystemRandom::new().unwrap(), name("k"), PrfAlgorithm::AesCmac, name("fuzz"))
});

fuzz_target!(|text: &str| {
    let Ok(policy) = Policy::parse(text) else { return };
    for format in [Format::Csv, Format::Parquet] {
        let Ok(plan) = policy.plan(&FOUND, SOURCE.schema(), &KEYS, format) else { continue };
        if plan.needs_collection() {
            continue;
        }
        for records in SOURCE.read().unwrap() {
            let done = plan.emit(&records.unwrap()).unwrap();
            assert_eq!(done.batch().num_rows() + done.left_out(), 2);
        }
    }
});
