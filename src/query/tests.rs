#![allow(clippy::unwrap_used)]

use super::*;
use crate::id::{Decimal, NAME_BYTES_MAX};
use proptest::prelude::*;

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

#[test]
fn each_aggregate_has_its_operation_and_its_name() {
    let age = || column("age");
    for (item, operation, named) in [
        (Item::count_distinct(age()), Operation::CountDistinct, "COUNT(DISTINCT age)"),
        (Item::variance(age()), Operation::Variance, "VAR_POP(age)"),
        (Item::deviation(age()), Operation::Variance, "STDDEV_POP(age)"),
        (Item::quantile(age(), decimal("0.50")), Operation::Quantile, "QUANTILE(age, 0.5)"),
        (Item::histogram(age(), vec![]), Operation::Histogram, "HISTOGRAM(age)"),
        (Item::histogram(age(), vec![decimal("-1"), decimal("2.5")]), Operation::Histogram, "HISTOGRAM(age)"),
        (Item::range(age()), Operation::Bounds, "BOUNDS(age)"),
        (Item::clamped(age()), Operation::Count, "CLAMPED(age)"),
        (Item::dropped(), Operation::Count, "DROPPED(*)"),
    ] {
        assert_eq!(item.output_name(), named);
        assert_eq!(item.expression().column().is_some(), named != "DROPPED(*)");
        let query = selecting(vec![item], &[]).unwrap();
        assert_eq!(query.operations(), BTreeSet::from([operation]), "{named}");
        assert_eq!(Query::from_canonical_bytes(&query.encode()).unwrap(), query);
    }
    let top = selecting(vec![Item::key(age()), Item::count_rows()], &["age"]).unwrap().top(1, 3).unwrap();
    assert_eq!(top.operations(), BTreeSet::from([Operation::Count, Operation::TopK]));
}

#[test]
fn numbers_of_items_are_within_their_ranges() {
    let quantile = |rank: &str| selecting(vec![Item::quantile(column("a"), decimal(rank))], &[]);
    for rank in ["0", "1", "0.5", "0.123456789", "1.000"] {
        assert!(quantile(rank).is_ok(), "{rank}");
    }
    for rank in ["-0.1", "1.1", "1.000000001", "0.1234567891", "2"] {
        assert_eq!(quantile(rank), Err(QueryError::Rank { decimals: 9 }), "{rank}");
    }
    assert_eq!(quantile("0.50").unwrap().encode(), quantile("0.5").unwrap().encode());

    let priced = |price: Decimal| selecting(vec![Item::count_rows().priced(price)], &[]);
    for price in ["0.000000001", "1", "1000000"] {
        assert_eq!(priced(decimal(price)).unwrap().select()[0].price(), Some(decimal(price)));
    }
    for price in ["0", "-1", "0.0000000001", "1.0000000001"] {
        assert_eq!(priced(decimal(price)), Err(QueryError::Price { decimals: 9 }), "{price}");
    }
    let wide = Decimal::new(10i128.pow(38), 0).unwrap();
    assert_eq!(priced(wide), Err(QueryError::NumberLong { most: 38 }));
    let key = selecting(vec![Item::count_rows(), Item::key(column("a")).priced(decimal("1"))], &["a"]);
    assert_eq!(key, Err(QueryError::KeyPriced { column: column("a") }));

    let edges = |edges: Vec<Decimal>| selecting(vec![Item::histogram(column("a"), edges)], &[]);
    let whole = |count: i128| (0..count).map(|edge| Decimal::new(edge, 0).unwrap()).collect::<Vec<_>>();
    for count in [0, 2, 64] {
        assert!(edges(whole(count)).is_ok(), "{count}");
    }
    for found in [1, 65] {
        let wrong = QueryError::Edges { found, least: EDGES_MIN, most: EDGES_MAX };
        assert_eq!(edges(whole(found as i128)), Err(wrong));
    }
    for wrong in [["1", "1"], ["1", "1.00"], ["2", "1"], ["-1", "-2"]] {
        assert_eq!(edges(wrong.map(decimal).to_vec()), Err(QueryError::EdgesUnordered), "{wrong:?}");
    }
    assert_eq!(edges(vec![decimal("0"), wide]), Err(QueryError::NumberLong { most: 38 }));
}

#[test]
fn what_items_must_keep_together() {
    let quantiles = |count: i128, of: &str| (0..count).map(|rank| Item::quantile(column(of), Decimal::new(rank, 2).unwrap())).collect();
    let sixteen: Vec<Item> = quantiles(QUANTILES_MAX as i128, "a");
    assert!(selecting([sixteen, quantiles(16, "b")].concat(), &[]).is_ok(), "the limit is of one column");
    let seventeen = selecting(quantiles(17, "a"), &[]);
    assert_eq!(seventeen, Err(QueryError::Quantiles { column: column("a"), most: QUANTILES_MAX }));

    let edges = |last: &str| Item::histogram(column("a"), vec![decimal("0"), decimal(last)]);
    assert_eq!(selecting(vec![edges("1"), edges("2")], &[]), Err(QueryError::NameTwice { name: "HISTOGRAM(a)".to_owned() }));
    assert!(selecting(vec![edges("1"), edges("2").named(name("other"))], &[]).is_ok());

    let (range, count) = (|| Item::range(column("a")), Item::count_rows);
    assert!(selecting(vec![range(), Item::key(column("b")), Item::range(column("c"))], &["b"]).is_ok());
    assert_eq!(selecting(vec![range(), count()], &[]), Err(QueryError::BoundsMixed));
    assert_eq!(selecting(vec![Item::clamped(column("a")), range()], &[]), Err(QueryError::BoundsMixed));
}

#[test]
fn only_groups_are_cut_and_only_by_a_count() {
    let counted = |groups: &[&str]| {
        let select = vec![Item::count_rows(), Item::count_distinct(column("a")), Item::count(column("a")), Item::sum(column("a"))];
        selecting(select, groups).unwrap()
    };
    assert_eq!(counted(&["b"]).top_groups(), None);
    assert_eq!(counted(&["b"]).top(1, 10).unwrap().top_groups(), Some(Top { item: 1, count: 10 }));
    assert_eq!(counted(&[]).top(0, 10), Err(QueryError::TopUngrouped));
    for item in [2, 3, 4, usize::MAX] {
        assert_eq!(counted(&["b"]).top(item, 10), Err(QueryError::TopItem), "{item}");
    }
    for count in [1, TOP_MAX] {
        assert!(counted(&["b"]).top(0, count).is_ok());
    }
    for found in [0, TOP_MAX + 1, u32::MAX] {
        assert_eq!(counted(&["b"]).top(0, found), Err(QueryError::TopCount { found, most: TOP_MAX }));
    }
}

#[test]
fn prefixes_are_texts_without_signs_of_patterns() {
    let prefix = |prefix: &str| filtered(Predicate::starts_with(column("a"), prefix));
    for right in ["a", "it's", "城市", &"x".repeat(TEXT_BYTES_MAX)] {
        let query = prefix(right).unwrap();
        assert_eq!(query.columns(), BTreeSet::from([column("a")]));
        assert_eq!(Query::from_canonical_bytes(&query.encode()).unwrap(), query);
    }
    assert_eq!(prefix(""), Err(QueryError::PrefixEmpty));
    for wrong in ["%", "a%", "a_b", "a\\", "\\a"] {
        assert_eq!(prefix(wrong), Err(QueryError::PrefixPattern), "{wrong}");
    }
    assert_eq!(prefix("e\u{301}"), Err(QueryError::TextNotNfc));
    assert_eq!(prefix(&"x".repeat(TEXT_BYTES_MAX + 1)), Err(QueryError::TextLong { found: TEXT_BYTES_MAX + 1, most: TEXT_BYTES_MAX }));
    let many = |count: usize| filtered(Predicate::Or(vec![Predicate::starts_with(column("a"), "x"); count]));
    assert!(many(LITERALS_MAX).is_ok());
    assert_eq!(many(LITERALS_MAX + 1), Err(QueryError::Literals { most: LITERALS_MAX }));
}

/// `SELECT sex, BUDGET(QUANTILE(age, 0.5), 0.1), HISTOGRAM(age, -1, 2.5), COUNT(*) FROM t WHERE job NOT LIKE 'ab%'
/// GROUP BY sex ORDER BY COUNT(*) DESC LIMIT 10`
const WORKED_LARGER: &str = "a6 00 01 01 61 74
    02 84 a2 01 00 02 63 736578
       a4 01 08 02 63 616765 04 63 302e35 06 63 302e31
       a3 01 09 02 63 616765 05 82 62 2d31 63 322e35
       a1 01 01
    03 81 63 736578
    04 84 08 63 6a6f62 f5 62 6162
    05 82 03 0a";

#[test]
fn the_larger_example_has_these_bytes() {
    let select = vec![
        Item::key(column("sex")),
        Item::quantile(column("age"), decimal("0.5")).priced(decimal("0.1")),
        Item::histogram(column("age"), vec![decimal("-1"), decimal("2.5")]),
        Item::count_rows(),
    ];
    let filter = Predicate::Prefix { column: column("job"), negated: true, prefix: "ab".to_owned() };
    let query = Query::new(name("t"), select, vec![column("sex")], Some(filter)).unwrap().top(3, 10).unwrap();
    assert_eq!(query.encode(), hex(WORKED_LARGER));
    assert_eq!(Query::from_canonical_bytes(&hex(WORKED_LARGER)).unwrap(), query);
}

#[test]
fn bytes_of_aggregates_that_are_not_canonical_are_refused() {
    let item = |item: &str| format!("a3 00 01 01 61 74 02 81 {item}");
    let top = |top: &str| format!("a5 00 01 01 61 74 02 81 a1 01 01 03 81 61 61 05 {top}");
    let like = |prefix: &str| format!("a4 00 01 01 61 74 02 81 a1 01 01 04 {prefix}");
    for right in [
        item("a3 01 08 02 61 61 04 63 302e35"),
        item("a3 01 09 02 61 61 05 82 61 30 61 31"),
        item("a2 01 09 02 61 61"),
        item("a1 01 0c"),
        item("a2 01 01 06 61 31"),
        top("82 00 01"),
        like("84 08 61 61 f4 61 62"),
    ] {
        assert!(Query::from_canonical_bytes(&hex(&right)).is_ok(), "{right}");
    }
    for (wrong, bytes) in [
        ("rank 0.50", item("a3 01 08 02 61 61 04 64 302e3530")),
        ("rank 1.5", item("a3 01 08 02 61 61 04 63 312e35")),
        ("rank NaN", item("a3 01 08 02 61 61 04 63 4e614e")),
        ("rank as a number", item("a3 01 08 02 61 61 04 01")),
        ("no rank", item("a2 01 08 02 61 61")),
        ("a quantile of nothing", item("a2 01 08 04 63 302e35")),
        ("a rank of SUM", item("a3 01 03 02 61 61 04 63 302e35")),
        ("no edges", item("a3 01 09 02 61 61 05 80")),
        ("one edge", item("a3 01 09 02 61 61 05 81 61 30")),
        ("equal edges", item("a3 01 09 02 61 61 05 82 61 30 61 30")),
        ("edge 1.0", item("a3 01 09 02 61 61 05 82 61 30 63 312e30")),
        ("edges of SUM", item("a3 01 03 02 61 61 05 82 61 30 61 31")),
        ("price 0", item("a2 01 01 06 61 30")),
        ("price 1.0", item("a2 01 01 06 63 312e30")),
        ("price +1", item("a2 01 01 06 62 2b31")),
        ("DROPPED of a column", item("a2 01 0c 02 61 61")),
        ("bounds and a count", "a3 00 01 01 61 74 02 82 a2 01 0a 02 61 61 a1 01 01".to_owned()),
        ("top of nothing", top("80")),
        ("top of one number", top("81 00")),
        ("top of three numbers", top("83 00 01 01")),
        ("top of no item", top("82 01 01")),
        ("top of no group", top("82 00 00")),
        ("top of 1001 groups", top("82 00 19 03e9")),
        ("top without groups", "a4 00 01 01 61 74 02 81 a1 01 01 05 82 00 01".to_owned()),
        ("an empty prefix", like("84 08 61 61 f4 60")),
        ("a prefix with %", like("84 08 61 61 f4 61 25")),
        ("a prefix without its sign", like("83 08 61 61 61 62")),
        ("two prefixes", like("85 08 61 61 f4 61 62 61 63")),
    ] {
        assert!(Query::from_canonical_bytes(&hex(&bytes)).is_err(), "{wrong}");
    }
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
