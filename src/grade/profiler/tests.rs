//! Whole columns: look-alikes, headers against cells, grades, value types, kinds of the user's.
#![allow(clippy::unwrap_used, clippy::cast_sign_loss, clippy::cast_possible_truncation)]

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use proptest::prelude::*;

use super::*;
use crate::grade::{Distinct, Grade, Kind, Role, ValueType, overall};
use crate::id::ColumnName;
use crate::table::{ColumnKind, TableColumn as Declared};
use crate::value::DateOrder;

fn schema(columns: &[(&str, ColumnKind)]) -> TableSchema {
    TableSchema::new(columns.iter().map(|&(name, kind)| Declared { name: ColumnName::new(name).unwrap(), kind }).collect()).unwrap()
}

fn records(schema: &TableSchema, arrays: Vec<ArrayRef>) -> Records {
    Records::new(schema, RecordBatch::try_new(Records::arrow_schema(schema), arrays).unwrap(), 1).unwrap()
}

/// What is found of one column of text.
fn profile<T: Into<String>>(header: &str, cells: impl IntoIterator<Item = T>) -> Finding {
    let schema = schema(&[(header, ColumnKind::Text)]);
    let cells: StringArray = cells.into_iter().map(|cell| Some(cell.into())).collect();
    let mut profiler = Profiler::new(&schema, &Arc::new(Recognisers::builtin()));
    profiler.update(&records(&schema, vec![Arc::new(cells)]));
    profiler.finish().remove(0)
}

/// Digits that look random and are the same in every run.
fn noise(row: u64) -> u64 {
    let mut z = row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 29)
}

#[test]
fn order_numbers_are_codes_though_one_in_ten_passes_luhn() {
    let found = profile("ref", (0..10_000).map(|row| format!("6222{:012}", noise(row) % 1_000_000_000_000)));
    assert_eq!((found.kind, found.grade, &found.also[..]), (Kind::Code, Grade::L2, &[][..]));
    assert_eq!(found.role, Role::Quasi);
    // Some hundreds of real cards among them are seen.
    let mixed = (0..10_000)
        .map(|row| if row % 20 == 0 { "6222020200112230".to_owned() } else { format!("6222{:012}", noise(row) % 1_000_000_000_000) });
    let found = profile("ref", mixed);
    assert_eq!((found.kind, found.grade), (Kind::Code, Grade::L3));
    assert!(found.also[0].0 == Kind::BankCard && found.also[0].1 > 1_300, "{:?}", found.also);
}

#[test]
fn look_alikes_are_codes_numbers_and_dates() {
    for (header, kind, cells) in [
        ("x", Kind::Code, (0..500).map(|row| format!("{:016}", noise(row) % 10_000_000_000_000_000)).collect::<Vec<_>>()),
        ("x", Kind::Code, (0..500).map(|row| format!("1{:010}", noise(row) % 10_000_000_000)).collect()),
        ("order_no", Kind::Code, (0..500).map(|row| format!("138{:08}", row)).collect()),
        ("x", Kind::Code, (0..500).map(|row| format!("138{:08}", row)).collect()),
        ("x", Kind::Code, (0..500).map(|row| format!("{:018}", noise(row) % 1_000_000_000_000_000_000)).collect()),
        (
            "x",
            Kind::Code,
            (0..500)
                .map(|row| format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", noise(row) >> 32, row, row, row, noise(row) >> 16))
                .collect(),
        ),
        ("x", Kind::Code, (0..500).map(|row| format!("{}", 1_748_503_543_012 + noise(row) % 1_000_000_000)).collect()),
        ("x", Kind::Code, (0..500).map(|row| format!("{}", 1_700_000_000 + noise(row) % 10_000_000)).collect()),
        ("版本", Kind::Code, (0..500).map(|row| format!("1.{}.{}.{}", row % 3, row % 17, row % 200)).collect()),
        ("x", Kind::Date, (0..500).map(|row| format!("2024{:02}{:02}{:02}0000", row % 12 + 1, row % 28 + 1, row % 24)).collect()),
        ("x", Kind::Category, (0..500).map(|row| ["北京", "上海", "武汉", "成都"][usize::try_from(row % 4).unwrap()].to_owned()).collect()),
        ("age", Kind::Number, (0..500).map(|row| format!("{}", row % 90)).collect()),
        ("x", Kind::Category, (0..500).map(|row| format!("{}", row % 5)).collect()),
        ("月收入", Kind::Amount, (0..500).map(|row| format!("{}", noise(row) % 100_000)).collect()),
        ("x", Kind::Amount, (0..500).map(|row| format!("¥{}.50", noise(row) % 100_000)).collect()),
        ("x", Kind::Number, (0..500).map(|row| format!("{}.5", noise(row) % 100_000)).collect()),
    ] {
        let found = profile(header, cells);
        assert_eq!(found.kind, kind, "{header} {found:?}");
        assert!(!found.kind.is_direct_identifier() && found.also.is_empty(), "{header} {found:?}");
    }
}

#[test]
fn headers_decide_where_cells_do_not() {
    let words = ["王伟", "李娜", "张敏", "欧阳锋", "刘洋"];
    assert_eq!(profile("xm", words).kind, Kind::Name);
    assert_eq!(
        profile(
            "列",
            (0..200).map(|row| format!(
                "{}{}",
                ["王", "李", "张", "刘"][row % 4],
                char::from_u32(0x4e00 + u32::try_from(row).unwrap()).unwrap()
            ))
        )
        .kind,
        Kind::Name
    );
    assert_eq!(profile("contact name", ["John Smith", "Mary Jones"]).kind, Kind::Name);
    assert_eq!(profile("heading", ["John Smith", "Mary Jones", "Old House"]).kind, Kind::Text);
    let secret = profile("登录密码", ["abc123", "x!y!z"]);
    assert_eq!((secret.grade, secret.role), (Grade::L4, Role::Sensitive));
    let birth = profile("出生日期", ["1990-02-28", "20000229"]);
    assert_eq!((birth.kind, birth.grade, birth.role), (Kind::Date, Grade::L3, Role::Quasi));
    assert_eq!(profile("办理日期", ["1990-02-28"]).grade, Grade::L2);
    let month = profile("出生年月", ["1990-02", "2000年3月", "一九九〇年二月"]);
    assert_eq!((month.kind, month.grade, month.role), (Kind::YearMonth, Grade::L3, Role::Quasi));
    let empty = profile::<String>("手机号", []);
    assert_eq!((empty.kind, empty.grade, empty.sampled), (Kind::Mobile, Grade::L3, 0));
    let sex = profile("性别", ["男", "女", "男"]);
    assert_eq!((sex.kind, sex.grade, sex.role), (Kind::Category, Grade::L2, Role::Quasi));
}

#[test]
fn a_header_is_a_floor_whatever_the_cells_are() {
    for (header, cells) in [
        ("ssn", ["123-45-6789", "987-65-4321"]),
        ("iban", ["DE89370400440532013000", "GB29NWBK60161331926819"]),
        ("license_plate", ["7ABC123", "KA01AB1234"]),
        ("姓名", ["やまだ たろう", "さとう はなこ"]),
        ("氏名", ["山田　太郎", "サトウ ハナコ"]),
        ("name", ["ヤマダ・タロウ", "Анна К."]),
        ("phone", ["090-1234-5678", "+81 90 1234"]),
        ("address", ["ул. Ленина, д. 1", "пр. Мира, 5"]),
        ("адрес", ["ул. Ленина, д. 1", "пр. Мира, 5"]),
        ("证件号", ["A123456(7)", "C668668(E)"]),
        ("passport", ["n/a", "C01X00T47"]),
        ("车牌", ["7ABC123", "品川 300 あ 12-34"]),
        ("银行卡", ["xxxx", "1234"]),
        ("license", ["D1234567", "S99988"]),
        ("ip_address", ["hidden", "::zz"]),
    ] {
        // Alone, and so often that they are categories.
        for times in [1, 100] {
            let found = profile(header, cells.iter().copied().cycle().take(2 * times));
            assert_eq!((found.grade, found.role), (Grade::L3, Role::Direct), "{header} {found:?}");
            let floor = found.floor.as_ref().unwrap();
            assert!(floor.without.floor.is_none() && floor.without.grade <= found.grade, "{found:?}");
            assert_eq!(found.reason.text.contains("do not look like"), floor.disagrees, "{found:?}");
        }
    }
    let disagrees = |header, cells: [&str; 2]| profile(header, cells).floor.unwrap().disagrees;
    assert!(disagrees("ssn", ["123-45-6789", "987-65-4321"]) && disagrees("手机", ["a", "b"]));
    assert!(!disagrees("手机", ["13812345678", "13912345678"]) && !disagrees("name", ["John Smith", "Mary Jones"]));
    assert!(!profile::<String>("ssn", []).floor.unwrap().disagrees);
    // What the cells say alone: products are nobody, people are people under any header.
    let products = profile("name", ["Oak Table", "Chair"]);
    assert_eq!((products.role, products.without_floor().grade, products.without_floor().role), (Role::Direct, Grade::L2, Role::Other));
    let phones = profile("name", ["13812345678", "13912345678"]);
    assert_eq!((&phones.without_floor().kind, phones.without_floor().role), (&Kind::Mobile, Role::Direct));
    let place = profile("latitude", ["31.2304", "39.9042"]);
    assert_eq!((&place.kind, place.grade, place.role), (&Kind::Number, Grade::L3, Role::Quasi));
    assert_eq!(profile("price", ["31.2304", "39.9042"]).grade, Grade::L2);
}

#[test]
fn the_highest_grade_found_in_any_cell_counts() {
    let cells = (0..1000).map(|row| if row == 777 { "电话13812345678" } else { "情况属实，予以受理。" });
    let found = profile("备注", cells);
    assert_eq!((found.kind, found.grade, &found.also[..]), (Kind::Text, Grade::L3, &[(Kind::Mobile, 1)][..]));
    assert!(found.reason.clause.contains("就高从严"));
}

#[test]
fn value_types_are_those_of_all_cells() {
    let typed = |cells: &[&str]| profile("x", cells.iter().copied()).value_type;
    assert_eq!(typed(&["1", "-2", "30"]), ValueType::Integer);
    assert_eq!(typed(&["1", "-2.50", "30"]), ValueType::Real { scale: 2 });
    assert_eq!(typed(&["1", "007"]), ValueType::Text);
    assert_eq!(typed(&["9223372036854775808"]), ValueType::Real { scale: 0 });
    assert_eq!(typed(&["1.5", &"9".repeat(38)]), ValueType::Text);
    assert_eq!(typed(&["1", " 2"]), ValueType::Real { scale: 0 });
    assert_eq!(typed(&["+1.50", "1.5e3", ".125", "00001.50"]), ValueType::Real { scale: 3 });
    assert_eq!(typed(&["1", "¥2"]), ValueType::Text);
    // What is no column of numbers leaves as it was written.
    assert_eq!(typed(&["+1"; 20]), ValueType::Text);
    assert_eq!(typed(&[]), ValueType::Text);
}

#[test]
fn the_order_of_day_and_month_is_that_of_the_whole_column() {
    for (cells, kind, order) in [
        (&["2024-02-29", "29 Feb 2024", "20240229"][..], Kind::Date, Some(DateOrder::Ymd)),
        (&["05/06/2024", "2024-02-29", "13/06/2024"], Kind::Date, Some(DateOrder::Dmy)),
        (&["05/06/2024", "06/13/2024 08:30"], Kind::Date, Some(DateOrder::Mdy)),
        (&["05/06/2024", "12.12.2024"], Kind::Date, None),
        (&["05/06/2024", "2024-05"], Kind::Date, None),
        (&["13/06/2024", "06/13/2024"], Kind::Text, None),
        (&["2024-05", "2024/6", "二〇二四年三月"], Kind::YearMonth, Some(DateOrder::Ymd)),
    ] {
        let found = profile("x", cells.iter().copied().cycle().take(60));
        assert_eq!((found.kind, found.date_order, found.grade), (kind, order, Grade::L2), "{cells:?}");
    }
}

#[test]
fn salaries_are_amounts_in_every_spelling() {
    for cells in [&["+1.50", "1.5e3", ".15", "00001.50"][..], &["001500", "2500"], &["1,500", "２５００", " 3500 "]] {
        let found = profile("salary", cells.iter().copied().cycle().take(40));
        assert_eq!((found.kind, found.grade), (Kind::Amount, Grade::L3), "{cells:?}");
    }
    assert_eq!(profile("x", ["0017", "0021"].into_iter().cycle().take(40)).kind, Kind::Category);
    assert_eq!(profile("x", ["1.5e3", "-2.5"].into_iter().cycle().take(40)).kind, Kind::Number);
}

#[test]
fn integers_of_arrow_are_looked_at_as_their_digits() {
    let schema = schema(&[("tel", ColumnKind::Integer), ("n", ColumnKind::Integer)]);
    let array = |cells: Vec<Option<i64>>| Arc::new(Int64Array::from(cells)) as ArrayRef;
    let mut profiler = Profiler::new(&schema, &Arc::new(Recognisers::builtin()));
    let numbers = vec![Some(i64::MIN), Some(0), None];
    profiler.update(&records(&schema, vec![array(vec![Some(13_812_345_678), Some(13_912_345_678), None]), array(numbers)]));
    let found = profiler.finish();
    assert_eq!((&found[0].kind, found[0].value_type, found[0].nulls), (&Kind::Mobile, ValueType::Integer, 1));
    assert_eq!((&found[1].kind, found[1].value_type, found[1].distinct), (&Kind::Number, ValueType::Integer, Distinct::Exactly(2)));
}

#[test]
fn three_quasi_identifiers_make_grade_three() {
    let of = |header| profile(header, ["1", "2", "1"]);
    let two = [of("年龄"), of("性别")];
    assert_eq!(overall(&two).0, Grade::L2);
    let [a, b] = two;
    assert_eq!(overall(&[a, b, of("邮编")]).0, Grade::L3);
    assert_eq!(overall(&[]).0, Grade::L1);
}

#[cfg(feature = "embedded")]
#[test]
fn kinds_of_the_user() {
    let toml = "[[recogniser]]\nname = \"staff_no\"\npattern = \"S[0-9]{6}\"\nheaders = [\"工号\"]\ngrade = 4\ndirect = true";
    let recognisers = Arc::new(Recognisers::parse(toml).unwrap());
    let schema = schema(&[("a", ColumnKind::Text), ("工号", ColumnKind::Text), ("b", ColumnKind::Text)]);
    let text = |cells: &[&str]| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef;
    let mut profiler = Profiler::new(&schema, &recognisers);
    let columns = vec![text(&["S123456", "S123457"]), text(&["S123456", "无"]), text(&["员工S123456", "13812345678"])];
    profiler.update(&records(&schema, columns));
    let found = profiler.finish();
    let staff = recognisers.kind("staff_no").unwrap();
    assert_eq!((&found[0].kind, found[0].grade, found[0].role), (&staff, Grade::L4, Role::Direct));
    assert_eq!((&found[1].kind, found[1].header_hint), (&staff, true));
    assert_eq!((&found[2].kind, found[2].grade), (&Kind::Text, Grade::L4));
    assert!(found[2].also.contains(&(staff, 1)) && found[2].also.contains(&(Kind::Mobile, 1)));
}

proptest! {
    /// However cells are ordered and split, the findings are the same.
    #[test]
    fn merge_is_as_if_one_had_seen_all(
        cells in prop::collection::vec(
            prop::option::of(prop_oneof![
                "[0-9]{0,19}", "1[3-9][0-9]{9}", "[0-9]{1,3}\\.[0-9]{1,2}", "王[一-三]", "[a-z]{1,3}@b\\.com", ".{0,12}", "电话1380000[0-9]{4}",
                "11010519491231002X|6222020200112230",
            ]),
            0..200,
        ),
        cut in 0_usize..200,
        turn in 0_usize..200,
    ) {
        let schema = schema(&[("x", ColumnKind::Text)]);
        let recognisers = Arc::new(Recognisers::builtin());
        let batch = |cells: &[Option<String>]| records(&schema, vec![Arc::new(cells.iter().cloned().collect::<StringArray>())]);
        let mut whole = Profiler::new(&schema, &recognisers);
        whole.update(&batch(&cells));

        let mut turned = cells.clone();
        turned.rotate_left(turn % cells.len().max(1));
        let (left, right) = turned.split_at(cut.min(cells.len()));
        let (mut first, mut second) = (Profiler::new(&schema, &recognisers), Profiler::new(&schema, &recognisers));
        right.chunks(7).for_each(|chunk| first.update(&batch(chunk)));
        second.update(&batch(left));
        first.merge(second);
        prop_assert_eq!(whole.finish(), first.finish());
    }
}
