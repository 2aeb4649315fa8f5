//! What all techniques have in common, and what is too small for a file of its own.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use arrow_schema::DataType;

use super::built_in::*;
use super::*;
use crate::desensitise::{Domain, Nature, PrfAlgorithm, Residual};
use crate::generalise::{AddressLevel, Bins, DateLevel};
use crate::grade::{Kind, ValueType};
use crate::id::{ColumnName, Decimal, Name};
use crate::random::RecordedRandom;
use crate::value::DateOrder;

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

/// A ring with one key `k`.
pub(super) fn keys(algorithm: PrfAlgorithm) -> KeyRing {
    KeyRing::generate(&mut RecordedRandom::from_seed("technique"), name("k"), algorithm, name("test"))
}

pub(super) fn setting(kind: Kind, value_type: ValueType, decimals: Option<u8>) -> Setting {
    Setting {
        column: ColumnName::new("column").unwrap(),
        domain: Domain { kind, value_type },
        date_order: None,
        has_months: false,
        decimals,
    }
}

pub(super) fn texts(cells: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

/// What a technique makes of a column: its texts or the digits of its numbers, and what it does not treat.
pub(super) fn run(technique: &Technique, setting: &Setting, cells: &ArrayRef) -> (Vec<Option<String>>, Vec<(u32, OffReason)>) {
    run_by(technique, setting, cells, None)
}

pub(super) fn run_by(
    technique: &Technique,
    setting: &Setting,
    cells: &ArrayRef,
    subject: Option<&ArrayRef>,
) -> (Vec<Option<String>>, Vec<(u32, OffReason)>) {
    let mut off = OffKind::default();
    let out = technique.kernel(setting, &keys(PrfAlgorithm::AesCmac)).unwrap().emit(cells, subject, &mut off);
    assert_eq!(out.len(), cells.len());
    let data_type = match technique.output(setting) {
        OutputType::Integer => DataType::Int64,
        OutputType::Decimal { scale } => DataType::Decimal128(38, scale.cast_signed()),
        OutputType::Text | OutputType::Dropped => DataType::Utf8,
    };
    assert_eq!(*out.array().data_type(), data_type, "{technique:?}");
    let rows: Vec<u32> = (0..u32::try_from(out.len()).unwrap()).collect();
    assert_eq!(out.select(&rows).array(), out.array());
    (show(&out), off.rows().iter().map(|row| (row.row, row.reason.clone())).collect())
}

pub(super) fn show(out: &Emitted) -> Vec<Option<String>> {
    let array = out.array();
    let cell = |row: usize| match array.data_type() {
        DataType::Int64 => array.as_primitive::<arrow_array::types::Int64Type>().value(row).to_string(),
        DataType::Decimal128(..) => array.as_primitive::<arrow_array::types::Decimal128Type>().value_as_string(row),
        _ => array.as_string::<i32>().value(row).to_owned(),
    };
    (0..array.len()).map(|row| array.is_valid(row).then(|| cell(row))).collect()
}

pub(super) fn some(cells: &[&str]) -> Vec<Option<String>> {
    cells.iter().map(|cell| Some((*cell).to_owned())).collect()
}

fn all() -> Vec<Technique> {
    let bins = Bins::of_width(decimal("10"), decimal("0")).unwrap();
    vec![
        Technique::new(Keep),
        Technique::new(Suppress::DROP),
        Technique::new(Suppress::replace("***")),
        Technique::new(Mask::ends(1, 1)),
        Technique::new(Truncate::first(3).unwrap()),
        Technique::new(Truncate::address(AddressLevel::City)),
        Technique::new(Pseudonym { key: name("k"), version: None, domain: None }),
        Technique::new(Bin { bins, step: None }),
        Technique::new(Round::new(decimal("10"), None).unwrap()),
        Technique::new(Clamp::new(None, Some(decimal("90"))).unwrap()),
        Technique::new(DateCut(DateLevel::Month)),
        Technique::new(DateShift::new(name("k"), ColumnName::new("who").unwrap(), 365).unwrap()),
    ]
}

#[cfg(feature = "embedded")]
#[test]
fn every_technique_does_as_it_promises() {
    conformance::check_all(&Techniques::builtin());
}

#[test]
fn what_is_kept_is_kept_and_nothing_with_it() {
    let text = setting(Kind::Text, ValueType::Text, None);
    let cells = texts(&["before", "a", "", "b"]).slice(1, 3);
    let out = Technique::new(Keep).kernel(&text, &KeyRing::default()).unwrap().emit(&cells, None, &mut OffKind::default());
    assert_eq!(show(&out), some(&["a", "", "b"]));
    assert_eq!(out.array().as_string::<i32>().value_data(), b"ab");

    // Values that stand under nulls, in texts and integers.
    let buffers = StringArray::from(vec!["canary", "b"]);
    let nulls = arrow_buffer::NullBuffer::from(vec![false, true]);
    let canary: ArrayRef = Arc::new(StringArray::new(buffers.offsets().clone(), buffers.values().clone(), Some(nulls.clone())));
    let out = Technique::new(Keep).kernel(&text, &KeyRing::default()).unwrap().emit(&canary, None, &mut OffKind::default());
    assert_eq!((show(&out), out.array().as_string::<i32>().value_data()), (vec![None, Some("b".to_owned())], &b"b"[..]));
    let canary: ArrayRef = Arc::new(Int64Array::new(vec![77_177, 1].into(), Some(nulls)));
    let integer = setting(Kind::Number, ValueType::Integer, None);
    let out = Technique::new(Keep).kernel(&integer, &KeyRing::default()).unwrap().emit(&canary, None, &mut OffKind::default());
    assert_eq!(out.array().as_primitive::<arrow_array::types::Int64Type>().values()[..], [0, 1]);

    let real = |decimals| setting(Kind::Amount, ValueType::Real { scale: 2 }, decimals);
    assert_eq!(run(&Technique::new(Keep), &real(None), &texts(&["1.50", "-0"])).0, some(&["1.50", "-0"]));
    let (cells, off) = run(&Technique::new(Keep), &real(Some(2)), &texts(&["1.5", "-2", "0.005", "x", "1e3"]));
    assert_eq!(cells, [Some("1.50".to_owned()), Some("-2.00".to_owned()), None, None, Some("1000.00".to_owned())]);
    assert_eq!(off, [(2, OffReason::OutOfRange), (3, OffReason::NotANumber)]);
}

#[test]
fn residuals_and_natures() {
    let integer = Domain { kind: Kind::Number, value_type: ValueType::Integer };
    let counts =
        [1, 0, 0, 1, 1, 1, 0, 10, 6, 1, 28, 731].map(|count| if count == 0 { Residual::Unbounded } else { Residual::AtLeast(count) });
    for (technique, count) in all().iter().zip(counts) {
        assert_eq!(technique.residual(&integer), count, "{technique:?}");
        let keyed = technique.key().is_some();
        assert!(technique.nature().deterministic || keyed, "{technique:?}");
    }
    let shifted = all().pop().unwrap().nature();
    assert_eq!(shifted, Nature { deterministic: false, reversible: true, linkable: false });
    let real = Domain { value_type: ValueType::Real { scale: 2 }, ..integer };
    assert_eq!(all()[7].residual(&real), Residual::CLEAR);
    let mobile = Domain { kind: Kind::Mobile, value_type: ValueType::Text };
    assert_eq!(Technique::new(Truncate::first(7).unwrap()).residual(&mobile), Residual::AtLeast(10_000));
    assert_eq!(Technique::new(Truncate::first(11).unwrap()).residual(&mobile), Residual::CLEAR);
}

#[test]
fn truncation_cuts_canonical_forms_and_addresses() {
    let first = Technique::new(Truncate::first(7).unwrap());
    let (cells, off) = run(&first, &setting(Kind::Mobile, ValueType::Text, None), &texts(&["138 0013 8000", "1380013"]));
    assert_eq!((cells[0].as_deref(), off), (Some("1380013"), vec![(1, OffReason::NotOfKind(Kind::Mobile))]));
    assert_eq!(
        run(&first, &setting(Kind::Text, ValueType::Text, None), &texts(&["e\u{301}234567890", "王"])).0,
        some(&["e\u{301}234567", "王"])
    );
    assert!(Truncate::first(0).is_err());
    let city = Technique::new(Truncate::address(AddressLevel::City));
    let (cells, off) =
        run(&city, &setting(Kind::Address, ValueType::Text, None), &texts(&["广东省深圳市南山区", "南山区科技路1号", "12 Main St"]));
    assert_eq!(cells[0].as_deref(), Some("广东省深圳市"));
    assert_eq!(off.len(), 2);
}

#[test]
fn dates_are_cut() {
    let month = Technique::new(DateCut(DateLevel::Quarter));
    let date = setting(Kind::Date, ValueType::Text, None);
    let (cells, off) = run(&month, &date, &texts(&["2024-02-29 08:30", "2024年12月1日", "2023-02-29", "Feb 2024", ""]));
    assert_eq!(cells[..2], some(&["2024-Q1", "2024-Q4"]));
    assert_eq!(off, [2, 3, 4].map(|row| (row, OffReason::NotADate)));
    let day_first = Setting { date_order: Some(DateOrder::Dmy), ..date.clone() };
    let cells = texts(&["5/6/2024", "二〇二四年三月", "1 Jan 2020", "12/31/2024"]);
    let (cut, off) = run(&Technique::new(DateCut(DateLevel::Month)), &day_first, &cells);
    assert_eq!((cut[0].as_deref(), cut[2].as_deref()), (Some("2024-06"), Some("2020-01")));
    // A month among dates would leave as it is, while what is said is that 28 days look alike.
    assert_eq!(off, [1, 3].map(|row| (row, OffReason::NotADate)));
    let months = setting(Kind::YearMonth, ValueType::Text, None);
    assert_eq!(run(&Technique::new(DateCut(DateLevel::Month)), &months, &cells).0[1].as_deref(), Some("2024-03"));
    // Without an order the year is known of all.
    let years = run(&Technique::new(DateCut(DateLevel::Year)), &date, &cells).0;
    assert_eq!(years, [Some("2024"), None, Some("2020"), Some("2024")].map(|year| year.map(str::to_owned)));
    let compact: ArrayRef = Arc::new(Int64Array::from(vec![20_240_229, 20_230_229]));
    let (cells, off) = run(&month, &setting(Kind::Date, ValueType::Integer, None), &compact);
    assert_eq!((cells[0].as_deref(), off.len()), (Some("2024-Q1"), 1));
}
