//! SQL texts: those of the subset and those beyond it, limits, and texts made to exhaust the parser.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::query::{ITEMS_MAX, LITERALS_MAX, PREDICATE_DEPTH_MAX, TEXT_BYTES_MAX};
use proptest::prelude::*;
use texts::{ACCEPTED, REFUSED};

mod texts;

#[test]
fn the_subset_is_read_and_written_back_the_same() {
    for (text, written) in ACCEPTED {
        let query = Query::sql(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(query.to_string(), *written);
        assert_eq!(Query::sql(written).unwrap(), query, "{written}");
        assert_eq!(Query::from_canonical_bytes(&query.encode()).unwrap(), query);
    }
}

#[test]
fn everything_else_is_refused_with_its_place() {
    let mut wrong = Vec::new();
    for (text, line, column, piece) in REFUSED {
        match Query::sql(text) {
            Ok(query) => wrong.push(format!("accepted: {text:?} as {query}")),
            Err(error) => {
                let at = error.place().map(|place| (place.line(), place.column()));
                let message = error.to_string();
                if at != Some((*line, *column)) || !message.contains(piece) || message.chars().any(char::is_control) {
                    wrong.push(format!("{text:?}: expected {line}:{column} {piece:?}, found {message:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), REFUSED.len(), wrong.join("\n"));
}

#[test]
fn limits_hold_for_text_too() {
    let comment = |bytes: usize| format!("SELECT COUNT(*) FROM t --{}", "x".repeat(bytes - 25));
    assert!(Query::sql(&comment(SQL_BYTES_MAX)).is_ok());
    assert_eq!(Query::sql(&comment(SQL_BYTES_MAX + 1)), Err(SqlError::TextLong { found: SQL_BYTES_MAX + 1, most: SQL_BYTES_MAX }));

    let nested = |depth: usize| format!("SELECT COUNT(*) FROM t WHERE {}a = 1{}", "NOT (".repeat(depth - 1), ")".repeat(depth - 1));
    assert!(Query::sql(&nested(PREDICATE_DEPTH_MAX)).is_ok());
    assert_eq!(rule(&nested(PREDICATE_DEPTH_MAX + 1)), QueryError::Deep { most: PREDICATE_DEPTH_MAX });
    let alternating = (0..PREDICATE_DEPTH_MAX - 1)
        .fold("a = 1".to_owned(), |inner, depth| format!("(b = 2 {} ({inner}))", if depth % 2 == 0 { "AND" } else { "OR" }));
    assert!(Query::sql(&format!("SELECT COUNT(*) FROM t WHERE {alternating}")).is_ok());

    let one_of = |count: usize| format!("SELECT COUNT(*) FROM t WHERE a IN ({})", vec!["1"; count].join(","));
    assert!(Query::sql(&one_of(LITERALS_MAX)).is_ok());
    assert_eq!(rule(&one_of(LITERALS_MAX + 1)), QueryError::Literals { most: LITERALS_MAX });
    let any_of = |count: usize| format!("SELECT COUNT(*) FROM t WHERE {}", vec!["(a=1)"; count].join("OR"));
    assert!(Query::sql(&any_of(LITERALS_MAX)).is_ok());
    assert_eq!(rule(&any_of(LITERALS_MAX + 1)), QueryError::Literals { most: LITERALS_MAX });

    let text = |bytes: usize| format!("SELECT COUNT(*) FROM t WHERE a = '{}'", "x".repeat(bytes));
    assert!(Query::sql(&text(TEXT_BYTES_MAX)).is_ok());
    assert_eq!(rule(&text(TEXT_BYTES_MAX + 1)), QueryError::TextLong { found: TEXT_BYTES_MAX + 1, most: TEXT_BYTES_MAX });

    let items = |count: usize| {
        let items: Vec<_> = (0..count).map(|place| format!("COUNT(*) AS c{place}")).collect();
        format!("SELECT {} FROM t", items.join(", "))
    };
    assert!(Query::sql(&items(ITEMS_MAX)).is_ok());
    assert_eq!(rule(&items(ITEMS_MAX + 1)), QueryError::Items { found: ITEMS_MAX + 1, most: ITEMS_MAX });
}

fn rule(text: &str) -> QueryError {
    match Query::sql(text) {
        Err(SqlError::Query { source, .. }) => source,
        other => panic!("expected a rule of queries, found {other:?}"),
    }
}

/// Repetition of every piece up to the limit of the text, in every clause, on a stack a quarter of a thread's usual one.
#[test]
fn no_repetition_exhausts_stack_or_time() {
    let pieces = [
        "(",
        ")",
        "(a=1 AND ",
        "((",
        "NOT ",
        "NOT(",
        "-",
        "- ",
        "a=",
        "a AND ",
        "a OR ",
        "a=1 AND ",
        "a=1 OR(",
        "a-",
        "a*",
        "*",
        ",",
        "a,",
        "1,",
        "a IN(",
        "a IN(1)IN(",
        "a IS NULL ",
        "a IS NULL AND ",
        " IS NULL",
        "a BETWEEN ",
        "a BETWEEN 1 AND ",
        "CASE ",
        "CASE WHEN ",
        "CAST(",
        "f(",
        "COUNT(",
        "(f(",
        "a LIKE ",
        "EXISTS(",
        "ANY(",
        "=ANY(",
        "INTERVAL ",
        "DATE ",
        "ROW(",
        "ARRAY(",
        "JOIN ",
        "a JOIN ",
        "NATURAL JOIN ",
        "LATERAL ",
        "AT TIME ZONE a ",
        " COLLATE a",
        "GROUP BY ",
        "ROLLUP(",
        "GROUPING SETS(",
        "ORDER BY ",
        "OVER(",
        " AS ",
        "a ",
        "PRIOR ",
        "EXTRACT(",
        "TRIM(",
        "POSITION(",
        "SUBSTRING(",
        "OVERLAY(",
        "MAP(",
        "STRUCT(",
        "UNION ",
        "VALUES(",
        "TABLE ",
        "TABLE(",
        "UNNEST(",
        "'",
        "\"",
        "''",
        "/*",
        "/* */",
        "--",
        "\n",
        "\u{e9}",
        "城",
        "BINARY ",
        "CONVERT(",
        "IF(",
        "MATCH(",
        "MATCH(a)AGAINST(",
        "CEIL(",
        "a MEMBER OF(",
        "(a,",
        "(a)(",
        "SELECT ",
        "WITH a AS(",
        "UNION TABLE a ",
        "MINUS TABLE a ",
        "ARRAY<",
        "ARRAY ",
        "STRUCT<",
        "STRUCT<a ",
        "SETOF ",
        "a JOIN b ON ",
        "a LEFT JOIN ",
        "QUANTILE(a,",
        "BUDGET(",
        "BUDGET(COUNT(*),",
        "HISTOGRAM(a,-",
        "PERCENTILE_CONT(",
        "PERCENTILE_CONT(1)WITHIN GROUP(ORDER BY ",
        "COUNT(DISTINCT ",
        "a LIKE 'x%' AND ",
        "COUNT(*) DESC,",
        "LIMIT 1 ",
        "HAVING ",
        "COLLATE HAVING ",
    ];
    let heads = [
        "",
        "SELECT ",
        "SELECT COUNT(",
        "SELECT COUNT(*) FROM ",
        "SELECT COUNT(*) FROM t WHERE ",
        "SELECT COUNT(*) FROM t WHERE a IN(",
        "SELECT COUNT(*) FROM t WHERE (((((((((((((((((((((((((((((((",
        "SELECT COUNT(*) FROM t GROUP BY ",
        "SELECT COUNT(*) FROM t ORDER BY ",
    ];
    let check = move || {
        for head in heads {
            for piece in pieces {
                for count in [8, 31, (SQL_BYTES_MAX - head.len()) / piece.len()] {
                    let start = std::time::Instant::now();
                    let text = format!("{head}{}", piece.repeat(count));
                    let _ = Query::sql(&text);
                    let took = start.elapsed();
                    assert!(took.as_secs() < 10, "{head}{piece} * {count}: {took:?}");
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(512 * 1024).spawn(check).unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What a query writes of itself is read as that query.
    #[test]
    fn a_written_query_is_read_back(query in crate::query::tests::any_query()) {
        prop_assert_eq!(Query::sql(&query.to_string()), Ok(query));
    }

    /// Words of SQL in any order: an error with a place, or a query that is read back.
    #[test]
    fn no_text_makes_it_panic(words in proptest::collection::vec(0..WORDS.len(), 0..40), head in any::<bool>()) {
        let text: Vec<_> = words.iter().map(|&word| WORDS[word]).collect();
        let text = format!("{}{}", if head { "SELECT COUNT(*) FROM t WHERE " } else { "SELECT " }, text.join(" "));
        match Query::sql(&text) {
            Ok(query) => prop_assert_eq!(Query::sql(&query.to_string()), Ok(query)),
            Err(error) => {
                let place = error.place().unwrap();
                prop_assert!(place.line() == 1 && place.column() <= text.chars().count() as u64 + 1, "{error}");
            }
        }
    }

    #[test]
    fn no_characters_make_it_panic(text in "(SELECT )?\\PC{0,60}") {
        prop_assert!(Query::sql(&text).is_err() || text.starts_with("SELECT"));
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IN (",
    "BETWEEN",
    "IS NULL",
    "IS NOT NULL",
    "(",
    ")",
    ",",
    ";",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "*",
    "-",
    "COUNT(*)",
    "COUNT(",
    "SUM(a)",
    "AVG(b)",
    "AS",
    "a",
    "b",
    "\"c d\"",
    "t",
    "1",
    "-2.5",
    "'x'",
    "''",
    "NULL",
    "TRUE",
    "CASE",
    "WHEN",
    "END",
    "LIKE",
    "CAST(",
    "ORDER BY",
    "COUNT(*) DESC",
    "LIMIT",
    "LIMIT 5",
    "LIKE 'x%'",
    "COUNT(DISTINCT a)",
    "QUANTILE(a,",
    "HISTOGRAM(b,",
    "BUDGET(",
    "BOUNDS(a)",
    "DROPPED(*)",
    "PERCENTILE_CONT(",
    "WITHIN GROUP (",
    "HAVING",
    "UNION",
    "ALL",
    "DISTINCT",
    "JOIN",
    "ON",
    "a = 1",
    "a = 1 AND",
    "b IN (1, 2)",
    "ROLLUP(",
    "INTERVAL",
    "DATE",
    "FILTER (",
    "OVER (",
    "WITH",
    "EXISTS (",
    "FETCH",
    "FOR",
    "WINDOW",
    "INTO",
    "TOP",
    "--",
    "/*",
    "*/",
];
