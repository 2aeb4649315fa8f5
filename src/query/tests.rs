//! Queries: what they need, their canonical bytes, and the limits of conditions.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::id::{Decimal, NAME_BYTES_MAX};
use aggregates::WORKED_LARGER;
use proptest::prelude::*;

mod aggregates;

fn column(name: &str) -> ColumnName {
    ColumnName::new(name).unwrap()
}

fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

fn number(digits: &str) -> Literal {
    Literal::number(digits).unwrap()
}

fn equals(value: Literal) -> Predicate {
    Predicate::compare(column("a"), Comparison::Equal, value)
}

/// A query of COUNT(*) under a filter.
fn filtered(filter: Predicate) -> Result<Query, QueryError> {
    Query::new(name("t"), vec![Item::count_rows()], vec![], Some(filter))
}

fn selecting(select: Vec<Item>, groups: &[&str]) -> Result<Query, QueryError> {
    Query::new(name("t"), select, groups.iter().map(|group| column(group)).collect(), None)
}

fn any_column() -> impl Strategy<Value = ColumnName> {
    prop_oneof![Just("age"), Just("marital-status"), Just("城市"), Just("a \"b\""), Just("select"), Just("A")].prop_map(column)
}

fn any_literal() -> impl Strategy<Value = Literal> {
    let decimal = (-(10i128.pow(38) - 1)..10i128.pow(38), 0u8..=38).prop_filter_map("digits", |(mantissa, scale)| {
        Decimal::new(mantissa, scale).filter(|number| Decimal::parse(&number.to_string()).is_ok())
    });
    prop_oneof![
        "[a-z' \"\\\\城%\n]{0,8}".prop_map(|text| Literal::text(&text)),
        (-20i128..20, 0u8..3).prop_map(|(mantissa, scale)| Literal::Number(Decimal::new(mantissa, scale).unwrap())),
        decimal.prop_map(Literal::Number),
    ]
}

fn any_predicate() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        (any_column(), 0..6usize, any_literal()).prop_map(|(column, at, value)| Predicate::compare(column, Comparison::ALL[at], value)),
        (any_column(), any::<bool>(), prop::collection::vec(any_literal(), 1..5)).prop_map(|(column, negated, values)| Predicate::In {
            column,
            negated,
            values
        }),
        (any_column(), any::<bool>(), any_literal(), any_literal()).prop_map(|(column, negated, low, high)| Predicate::Between {
            column,
            negated,
            low,
            high
        }),
        (any_column(), any::<bool>()).prop_map(|(column, negated)| Predicate::IsNull { column, negated }),
        (any_column(), any::<bool>(), "[a-z' \"城\n]{1,8}").prop_map(|(column, negated, prefix)| Predicate::Prefix {
            column,
            negated,
            prefix
        }),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Predicate::Or),
            inner.prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

fn decimal(digits: &str) -> Decimal {
    Decimal::parse(digits).unwrap()
}

fn any_decimal(least: i128, most: i128) -> impl Strategy<Value = Decimal> {
    (least..=most).prop_map(|billionths| Decimal::new(billionths, 9).unwrap())
}

fn any_item() -> impl Strategy<Value = Item> {
    let edges = prop::collection::btree_set(any_decimal(-(10i128.pow(12)), 10i128.pow(12)), 2..6);
    let aggregate = prop_oneof![
        Just(Item::count_rows()),
        any_column().prop_map(Item::count),
        any_column().prop_map(Item::sum),
        any_column().prop_map(Item::mean),
        any_column().prop_map(Item::count_distinct),
        any_column().prop_map(Item::variance),
        any_column().prop_map(Item::deviation),
        (any_column(), any_decimal(0, 10i128.pow(9))).prop_map(|(column, rank)| Item::quantile(column, rank)),
        any_column().prop_map(|column| Item::histogram(column, vec![])),
        (any_column(), edges).prop_map(|(column, edges)| Item::histogram(column, edges.into_iter().collect())),
        any_column().prop_map(Item::clamped),
        Just(Item::dropped()),
    ];
    let priced = (aggregate, prop::option::of(any_decimal(1, 10i128.pow(11))))
        .prop_map(|(item, price)| price.map_or(item.clone(), |price| item.priced(price)));
    let alias = prop::option::of(prop_oneof![Just("n"), Just("AVG(age)"), Just("x \"y\""), Just("sex")]);
    (prop_oneof![1 => any_column().prop_map(Item::key), 6 => priced], alias)
        .prop_map(|(item, alias)| alias.map_or(item.clone(), |alias| item.named(name(alias))))
}

/// Queries of every shape; items that would break a rule are left out.
pub(super) fn any_query() -> impl Strategy<Value = Query> {
    let groups = prop::collection::btree_set(any_column(), 0..4);
    let items = prop::collection::vec(any_item(), 0..6);
    let top = prop::option::of((any::<prop::sample::Index>(), 1..=TOP_MAX));
    let asked = (groups, items, prop::option::of(any_predicate()), top, any::<bool>());
    asked.prop_map(|(groups, items, filter, top, ranges)| {
        let mut select = if ranges { vec![Item::range(column("age"))] } else { vec![Item::count_rows().named(name("rows"))] };
        for item in items {
            let fits = match item.expression() {
                Expression::Key(column) => groups.contains(column),
                _ => !ranges,
            };
            if fits && select.iter().all(|other| other.output_name() != item.output_name()) {
                select.push(item);
            }
        }
        if ranges {
            select.push(Item::range(column("城市")).priced(decimal("0.5")));
        }
        let query = Query::new(name("t"), select, groups.into_iter().rev().collect(), filter).unwrap();
        let counts = |at: &usize| matches!(query.select()[*at].expression(), Expression::CountRows | Expression::CountDistinct(_));
        let counts: Vec<_> = (0..query.select().len()).filter(counts).collect();
        match top {
            Some((at, count)) if !query.groups().is_empty() && !counts.is_empty() => query.top(*at.get(&counts), count).unwrap(),
            _ => query,
        }
    })
}

#[test]
fn what_a_query_needs_is_derived_from_all_its_clauses() {
    let filter = Predicate::Not(Box::new(Predicate::And(vec![
        Predicate::is_in(column("race"), [Literal::text("x")]),
        Predicate::Or(vec![Predicate::is_null(column("job")), Predicate::between(column("hours"), number("1"), number("2"))]),
        equals(number("1")),
    ])));
    let select = vec![Item::key(column("sex")), Item::count_rows(), Item::count(column("b")), Item::mean(column("age"))];
    let query = Query::new(name("t"), select, vec![column("sex"), column("city")], Some(filter)).unwrap();
    assert_eq!(query.operations(), BTreeSet::from([Operation::Count, Operation::Mean]));
    let columns: Vec<_> = query.columns().iter().map(|column| column.as_str().to_owned()).collect();
    assert_eq!(columns, ["a", "age", "b", "city", "hours", "job", "race", "sex"]);
    assert_eq!(query.select().iter().map(Item::output_name).collect::<Vec<_>>(), ["sex", "COUNT(*)", "COUNT(b)", "AVG(age)"]);
}

#[test]
fn operations_are_named_in_snake_case_and_parsed_back() {
    for operation in Operation::ALL {
        assert_eq!(operation.name().parse::<Operation>().unwrap(), operation);
    }
    assert_eq!(Operation::ALL.map(Operation::name).join(" "), "count count_distinct sum mean variance quantile histogram bounds top_k");
    for wrong in ["", "Count", "avg", "count ", "count-distinct"] {
        assert_eq!(wrong.parse::<Operation>(), Err(QueryError::UnknownOperation), "{wrong}");
    }
}

#[test]
fn rules_of_items_and_groups() {
    let (sex, age) = (|| column("sex"), || column("age"));
    assert_eq!(selecting(vec![], &[]), Err(QueryError::Items { found: 0, most: ITEMS_MAX }));
    assert_eq!(selecting(vec![Item::key(sex())], &["sex"]), Err(QueryError::NoAggregate));
    assert_eq!(selecting(vec![Item::key(sex()), Item::count_rows()], &[]), Err(QueryError::NotGrouped { column: sex() }));
    assert_eq!(selecting(vec![Item::count_rows()], &["sex", "age", "sex"]), Err(QueryError::GroupTwice { column: sex() }));
    let twice = |name: &str| Err(QueryError::NameTwice { name: name.to_owned() });
    assert_eq!(selecting(vec![Item::mean(age()), Item::mean(age())], &[]), twice("AVG(age)"));
    assert_eq!(selecting(vec![Item::mean(age()).named(name("n")), Item::sum(age()).named(name("n"))], &[]), twice("n"));
    assert_eq!(selecting(vec![Item::mean(age()), Item::sum(age()).named(name("AVG(age)"))], &[]), twice("AVG(age)"));
    assert_eq!(selecting(vec![Item::key(column("COUNT(*)")), Item::count_rows()], &["COUNT(*)"]), twice("COUNT(*)"));
    assert!(selecting(vec![Item::mean(age()), Item::mean(age()).named(name("again"))], &[]).is_ok());

    let eight = ["a", "b", "c", "d", "e", "f", "g", "h"];
    assert!(selecting(vec![Item::count_rows()], &eight).is_ok());
    let nine = [&eight[..], &["i"]].concat();
    assert_eq!(selecting(vec![Item::count_rows()], &nine), Err(QueryError::Groups { found: 9, most: GROUPS_MAX }));

    let long = |bytes: usize| vec![Item::mean(column(&"x".repeat(bytes)))];
    assert!(selecting(long(NAME_BYTES_MAX - 5), &[]).is_ok());
    assert!(matches!(selecting(long(NAME_BYTES_MAX - 4), &[]), Err(QueryError::NameLong { found: 129, most: 128, .. })));
    assert!(selecting(vec![long(NAME_BYTES_MAX).remove(0).named(name("x"))], &[]).is_ok());
}

#[test]
fn an_alias_that_says_nothing_is_dropped() {
    let plain = selecting(vec![Item::mean(column("age"))], &[]).unwrap();
    assert_eq!(selecting(vec![Item::mean(column("age")).named(name("AVG(age)"))], &[]).unwrap(), plain);
}

#[test]
fn equal_meaning_gives_equal_bytes() {
    let values = |digits: &[&str]| filtered(Predicate::is_in(column("a"), digits.iter().map(|digits| number(digits)))).unwrap().encode();
    assert_eq!(values(&["2", "1.0", "1", "-0", "10"]), values(&["10", "0", "1", "2.00"]));
    let [a, b, c, d] = ["1", "2", "3", "4"].map(|digits| equals(number(digits)));
    let (and, or) = (
        |parts: &[&Predicate]| Predicate::And(parts.iter().map(|part| (*part).clone()).collect()),
        |parts: &[&Predicate]| Predicate::Or(parts.iter().map(|part| (*part).clone()).collect()),
    );
    let flat = filtered(and(&[&a, &b, &c, &d])).unwrap();
    assert_eq!(filtered(and(&[&and(&[&a, &b]), &and(&[&c, &or(&[&d])])])).unwrap(), flat);
    assert_eq!(filtered(or(&[&and(&[&a, &or(&[&and(&[&b, &c])]), &d])])).unwrap(), flat);
    assert_ne!(filtered(and(&[&b, &a, &c, &d])).unwrap(), flat, "the order of a chain is kept");
    assert_ne!(filtered(and(&[&or(&[&a, &b]), &c, &d])).unwrap(), flat);
}

#[test]
fn limits_of_conditions_hold_exactly() {
    let nots = |depth: usize| (1..depth).fold(equals(number("1")), |inner, _| Predicate::Not(Box::new(inner)));
    assert!(filtered(nots(PREDICATE_DEPTH_MAX)).is_ok());
    assert_eq!(filtered(nots(PREDICATE_DEPTH_MAX + 1)), Err(QueryError::Deep { most: PREDICATE_DEPTH_MAX }));
    let chains = |depth: usize| {
        (1..depth).fold(equals(number("1")), |inner, level| {
            let parts = vec![equals(number("2")), inner];
            if level % 2 == 0 { Predicate::And(parts) } else { Predicate::Or(parts) }
        })
    };
    let deepest = filtered(chains(PREDICATE_DEPTH_MAX)).unwrap();
    assert_eq!(Query::from_canonical_bytes(&deepest.encode()).unwrap(), deepest);
    assert!(filtered(chains(PREDICATE_DEPTH_MAX + 1)).is_err());
    // Nesting of one kind is no depth.
    let same = (1..1_000).fold(equals(number("1")), |inner, _| Predicate::And(vec![inner, Predicate::is_null(column("b"))]));
    assert!(filtered(same).is_ok());

    assert_eq!(filtered(Predicate::And(vec![])), Err(QueryError::Empty));
    assert_eq!(filtered(Predicate::And(vec![equals(number("1")), Predicate::And(vec![])])), Err(QueryError::Empty));
    assert_eq!(filtered(Predicate::is_in(column("a"), [])), Err(QueryError::Empty));

    let among = |count: usize| Predicate::is_in(column("a"), (0..count).map(|value| number(&value.to_string())));
    assert!(filtered(among(LITERALS_MAX)).is_ok());
    assert_eq!(filtered(among(LITERALS_MAX + 1)), Err(QueryError::Literals { most: LITERALS_MAX }));
    let split = Predicate::Or(vec![among(LITERALS_MAX - 2), Predicate::between(column("b"), number("1"), number("2"))]);
    assert!(filtered(split.clone()).is_ok());
    assert!(filtered(Predicate::Or(vec![split, equals(number("1"))])).is_err());

    let text = |bytes: usize| filtered(equals(Literal::text(&"x".repeat(bytes))));
    assert!(text(TEXT_BYTES_MAX).is_ok());
    assert_eq!(text(TEXT_BYTES_MAX + 1), Err(QueryError::TextLong { found: TEXT_BYTES_MAX + 1, most: TEXT_BYTES_MAX }));
    assert_eq!(filtered(equals(Literal::text("e\u{301}"))), Err(QueryError::TextNotNfc));
    assert!(filtered(equals(number(&"9".repeat(38)))).is_ok());
    let wide = Literal::Number(Decimal::new(10i128.pow(38), 0).unwrap());
    assert_eq!(filtered(equals(wide)), Err(QueryError::NumberLong { most: 38 }));

    let texts = |last: usize| {
        let texts = [4_096, 4_096, 4_096, last].map(|bytes| equals(Literal::text(&"x".repeat(bytes))));
        filtered(Predicate::Or(texts.to_vec()))
    };
    let room = QUERY_BYTES_MAX - texts(1_000).unwrap().encode().len();
    let largest = texts(1_000 + room).unwrap();
    assert_eq!(largest.encode().len(), QUERY_BYTES_MAX);
    assert_eq!(Query::from_canonical_bytes(&largest.encode()).unwrap(), largest);
    assert_eq!(texts(1_001 + room), Err(QueryError::Bytes { found: QUERY_BYTES_MAX + 1, most: QUERY_BYTES_MAX }));
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// `SELECT sex, AVG(age) AS m FROM adult WHERE age >= 18 AND sex IN ('F', 'M') GROUP BY sex`
const WORKED: &str = "a5 00 01 01 65 6164756c74
    02 82 a2 01 00 02 63 736578 a3 01 04 02 63 616765 03 61 6d
    03 81 63 736578
    04 83 05 84 01 63 616765 05 82 01 62 3138 85 02 63 736578 f4 82 00 61 46 82 00 61 4d";

#[test]
fn the_worked_example_has_these_bytes() {
    let filter = Predicate::And(vec![
        Predicate::compare(column("age"), Comparison::GreaterOrEqual, number("18")),
        Predicate::is_in(column("sex"), [Literal::text("M"), Literal::text("F")]),
    ]);
    let select = vec![Item::key(column("sex")), Item::mean(column("age")).named(name("m"))];
    let query = Query::new(name("adult"), select, vec![column("sex")], Some(filter)).unwrap();
    assert_eq!(query.encode(), hex(WORKED));
    assert_eq!(Query::from_canonical_bytes(&hex(WORKED)).unwrap(), query);
}

#[test]
fn bytes_that_are_not_canonical_are_refused() {
    let count = "a3 00 01 01 61 74 02 81 a1 01 01";
    assert!(Query::from_canonical_bytes(&hex(count)).is_ok());
    let under = |predicate: &str| format!("a4 00 01 01 61 74 02 81 a1 01 01 04 {predicate}");
    let is_null = "83 04 61 61 f4";
    assert!(Query::from_canonical_bytes(&hex(&under(is_null))).is_ok());
    for (wrong, bytes) in [
        ("empty", String::new()),
        ("no version", "a2 01 61 74 02 81 a1 01 01".to_owned()),
        ("version 2", "a3 00 02 01 61 74 02 81 a1 01 01".to_owned()),
        ("no from", "a2 00 01 02 81 a1 01 01".to_owned()),
        ("no select", "a2 00 01 01 61 74".to_owned()),
        ("empty select", "a3 00 01 01 61 74 02 80".to_owned()),
        ("unknown key", format!("a4{} 06 00", &count[2..])),
        ("bytes after the end", format!("{count} 00")),
        ("empty groups", format!("a4{} 03 80", &count[2..])),
        ("item of kind 13", "a3 00 01 01 61 74 02 81 a2 01 0d 02 61 61".to_owned()),
        ("COUNT(*) of a column", "a3 00 01 01 61 74 02 81 a2 01 01 02 61 61".to_owned()),
        ("SUM of nothing", "a3 00 01 01 61 74 02 81 a1 01 03".to_owned()),
        ("alias that says nothing", "a3 00 01 01 61 74 02 81 a2 01 01 03 68 434f554e54282a29".to_owned()),
        ("predicate of kind 0", under("83 00 61 61 f4")),
        ("predicate of kind 9", under("83 09 61 61 f4")),
        ("empty predicate", under("80")),
        ("IS NULL and more", under("84 04 61 61 f4 f4")),
        ("comparison 6", under("84 01 61 61 06 82 01 61 31")),
        ("literal of kind 2", under("84 01 61 61 00 82 02 61 31")),
        ("number with a needless zero", under("84 01 61 61 00 82 01 62 3031")),
        ("number with a needless fraction", under("84 01 61 61 00 82 01 63 312e30")),
        ("minus zero", under("84 01 61 61 00 82 01 62 2d30")),
        ("number with a plus", under("84 01 61 61 00 82 01 62 2b31")),
        ("IN of nothing", under("83 02 61 61 f4")),
        ("IN out of order", under("85 02 61 61 f4 82 01 61 32 82 01 61 31")),
        ("IN with one constant twice", under("85 02 61 61 f4 82 01 61 31 82 01 61 31")),
        ("AND of one", under(&format!("82 05 {is_null}"))),
        ("AND in AND", under(&format!("83 05 {is_null} 83 05 {is_null} {is_null}"))),
        ("NOT of two", under(&format!("83 07 {is_null} {is_null}"))),
        ("text that is not NFC", under("84 01 61 61 00 82 00 63 65cc81")),
    ] {
        assert!(Query::from_canonical_bytes(&hex(&bytes)).is_err(), "{wrong}");
    }
    assert_eq!(
        Query::from_canonical_bytes(&vec![0; QUERY_BYTES_MAX + 1]),
        Err(QueryError::Bytes { found: QUERY_BYTES_MAX + 1, most: QUERY_BYTES_MAX })
    );
    assert_eq!(Query::from_canonical_bytes(&hex("a4 00 02 09 00 0a 00 0b 00")), Err(QueryError::Version { found: 2, known: 1 }));
}

#[test]
fn every_changed_or_missing_byte_is_refused_or_means_another_query() {
    for bytes in [hex(WORKED), hex(WORKED_LARGER)] {
        let query = Query::from_canonical_bytes(&bytes).unwrap();
        for at in 0..bytes.len() {
            assert!(Query::from_canonical_bytes(&bytes[..at]).is_err());
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(other) = Query::from_canonical_bytes(&changed) {
                    assert_ne!(other, query);
                    assert_eq!(other.encode(), changed);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn bytes_go_both_ways(query in any_query()) {
        let bytes = query.encode();
        prop_assert_eq!(Query::from_canonical_bytes(&bytes), Ok(query));
    }

    #[test]
    fn canonical_form_is_a_fixed_point(filter in any_predicate()) {
        let once = filtered(filter).unwrap();
        prop_assert_eq!(filtered(once.filter().unwrap().clone()).unwrap(), once);
    }

    #[test]
    fn accepted_bytes_are_the_encoding_of_what_they_mean(query in any_query(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = query.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Query::from_canonical_bytes(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }
}
