//! Kernels of desensitising techniques: values per second on one core, over batches as files give them.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use usufruct::arrow::arrow_array::{ArrayRef, Int64Array, StringArray};
use usufruct::desensitise::{
    Bin, Clamp, DateCut, DateShift, Domain, Keep, KeyRing, Mask, OffKind, PrfAlgorithm, Pseudonym, Round, Setting, Suppress, Technique,
    Truncate,
};
use usufruct::generalise::{AddressLevel, Bins, DateLevel};
use usufruct::grade::{Kind, ValueType, check};
use usufruct::id::{ColumnName, Decimal, Name};
use usufruct::random::SystemRandom;

const ROWS: u32 = 8_192;

fn texts(cell: impl Fn(u32) -> String) -> ArrayRef {
    Arc::new((0..ROWS).map(|row| Some(cell(row))).collect::<StringArray>())
}

fn resident_id(row: u32) -> String {
    let id = format!("110105{}{:02}{:02}{:03}", 1950 + row % 60, 1 + row % 12, 1 + row % 28, row % 1_000);
    let check = check::resident_check_character(id.as_bytes().try_into().unwrap()).unwrap();
    id + char::from(check).encode_utf8(&mut [0; 4])
}

fn kernels(criterion: &mut Criterion) {
    let name = |text| Name::new(text).unwrap();
    let decimal = |text| Decimal::parse(text).unwrap();
    let subject = texts(resident_id);
    let ids = texts(resident_id);
    let phones = texts(|row| format!("138{:08}", row * 7_919));
    let names = texts(|row| ["王小明", "李丽", "欧阳娜娜", "张伟"][row as usize % 4].to_owned());
    let mixed = texts(|row| ["e\u{301}lan", "👩‍👩‍👧 家", "שלום", "か\u{3099}"][row as usize % 4].to_owned());
    let mails = texts(|row| format!("user{row}@example.com"));
    let addresses = texts(|row| format!("广东省深圳市南山区科技路{row}号"));
    let dates = texts(|row| format!("{}-{:02}-{:02}", 1950 + row % 70, 1 + row % 12, 1 + row % 28));
    let amounts = texts(|row| format!("{}.{:02}", row * 13, row % 100));
    let ages: ArrayRef = Arc::new((0..ROWS).map(|row| Some(i64::from(row % 100))).collect::<Int64Array>());

    let real = ValueType::Real { scale: 2 };
    let pseudonym = Technique::new(Pseudonym { key: name("k"), version: None, domain: None });
    let hmac = PrfAlgorithm::HmacSha256;
    let cmac = PrfAlgorithm::AesCmac;
    let mask = Technique::new::<Mask>;
    let bins = Bins::of_width(decimal("10"), decimal("0")).unwrap();
    let cases = [
        ("keep 18 bytes", Technique::new(Keep), &ids, Kind::Code, ValueType::Text, hmac),
        ("keep decimals", Technique::new(Keep), &amounts, Kind::Amount, real, hmac),
        ("suppress ***", Technique::new(Suppress::replace("***")), &ids, Kind::Code, ValueType::Text, hmac),
        ("mask 18 bytes unchecked", mask(Mask::ends(6, 4)), &ids, Kind::Code, ValueType::Text, hmac),
        ("mask resident id", mask(Mask::ends(6, 4)), &ids, Kind::ResidentId, ValueType::Text, hmac),
        ("mask phone", mask(Mask::ends(3, 4)), &phones, Kind::Mobile, ValueType::Text, hmac),
        ("mask name", mask(Mask::ends(1, 0).width(2).unwrap()), &names, Kind::Name, ValueType::Text, hmac),
        ("mask clusters", mask(Mask::ends(1, 0)), &mixed, Kind::Text, ValueType::Text, hmac),
        ("mask email", mask(Mask::ends(1, 0).keep_domain(true)), &mails, Kind::Email, ValueType::Text, hmac),
        ("truncate address", Technique::new(Truncate::address(AddressLevel::City)), &addresses, Kind::Address, ValueType::Text, hmac),
        ("pseudonym hmac 18 bytes", pseudonym.clone(), &ids, Kind::Code, ValueType::Text, hmac),
        ("pseudonym cmac 18 bytes", pseudonym.clone(), &ids, Kind::Code, ValueType::Text, cmac),
        ("pseudonym hmac resident id", pseudonym.clone(), &ids, Kind::ResidentId, ValueType::Text, hmac),
        ("pseudonym cmac resident id", pseudonym, &ids, Kind::ResidentId, ValueType::Text, cmac),
        ("bin integers", Technique::new(Bin { bins, step: None }), &ages, Kind::Number, ValueType::Integer, hmac),
        ("round text", Technique::new(Round::new(decimal("100"), None).unwrap()), &amounts, Kind::Amount, real, hmac),
        ("clamp integers", Technique::new(Clamp::new(None, Some(decimal("90"))).unwrap()), &ages, Kind::Number, ValueType::Integer, hmac),
        ("date to month", Technique::new(DateCut(DateLevel::Month)), &dates, Kind::Date, ValueType::Text, hmac),
        (
            "date shift cmac",
            Technique::new(DateShift::new(name("k"), ColumnName::new("who").unwrap(), 180).unwrap()),
            &dates,
            Kind::Date,
            ValueType::Text,
            cmac,
        ),
    ];
    let mut group = criterion.benchmark_group("desensitise");
    group.throughput(Throughput::Elements(ROWS.into()));
    for (title, technique, cells, kind, value_type, algorithm) in cases {
        let keys = KeyRing::generate(&mut SystemRandom::new().unwrap(), name("k"), algorithm, name("bench"));
        let decimals = if value_type == real { Some(2) } else { None };
        let setting = Setting {
            column: ColumnName::new("column").unwrap(),
            domain: Domain { kind, value_type },
            date_order: None,
            has_months: false,
            decimals,
        };
        let kernel = technique.kernel(&setting, &keys).unwrap();
        let mut off = OffKind::default();
        group.bench_function(title, |bencher| bencher.iter(|| kernel.emit(cells, Some(&subject), &mut off)));
        assert!(off.is_empty(), "{title}");
    }
    group.finish();
}

criterion_group!(benches, kernels);
criterion_main!(benches);
