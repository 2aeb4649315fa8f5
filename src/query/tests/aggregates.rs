//! Aggregates of queries: operations, ranges of their numbers, bytes.

use super::*;

/// `SELECT sex, BUDGET(QUANTILE(age, 0.5), 0.1), HISTOGRAM(age, -1, 2.5), COUNT(*) FROM t WHERE job NOT LIKE 'ab%'
/// GROUP BY sex ORDER BY COUNT(*) DESC LIMIT 10`
pub(super) const WORKED_LARGER: &str = "a6 00 01 01 61 74
    02 84 a2 01 00 02 63 736578
       a4 01 08 02 63 616765 04 63 302e35 06 63 302e31
       a3 01 09 02 63 616765 05 82 62 2d31 63 322e35
       a1 01 01
    03 81 63 736578
    04 84 08 63 6a6f62 f5 62 6162
    05 82 03 0a";

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
