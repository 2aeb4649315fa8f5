#![allow(clippy::unwrap_used)]

use super::*;
use crate::query::{ITEMS_MAX, LITERALS_MAX, PREDICATE_DEPTH_MAX, TEXT_BYTES_MAX};
use proptest::prelude::*;

/// Text, and the query written back.
const ACCEPTED: &[(&str, &str)] = &[
    ("SELECT COUNT(*) FROM adult", r#"SELECT COUNT(*) FROM "adult""#),
    ("select count(*) from adult;", r#"SELECT COUNT(*) FROM "adult""#),
    (" \n SELECT\tCOUNT ( * )\nFROM adult ; \n", r#"SELECT COUNT(*) FROM "adult""#),
    ("SELECT COUNT(*) -- how many\nFROM /* the */ adult /* all of /* them */", r#"SELECT COUNT(*) FROM "adult""#),
    ("SELECT COUNT(age), SUM(age), AVG(age) FROM adult", r#"SELECT COUNT("age"), SUM("age"), AVG("age") FROM "adult""#),
    ("SELECT Avg(Age) FROM Adult", r#"SELECT AVG("Age") FROM "Adult""#),
    ("SELECT sex, AVG(age) FROM adult GROUP BY sex", r#"SELECT "sex", AVG("age") FROM "adult" GROUP BY "sex""#),
    ("SELECT COUNT(*) FROM adult GROUP BY sex, race", r#"SELECT COUNT(*) FROM "adult" GROUP BY "sex", "race""#),
    ("SELECT COUNT(*) AS n FROM adult", r#"SELECT COUNT(*) AS "n" FROM "adult""#),
    ("SELECT COUNT(*) n FROM adult", r#"SELECT COUNT(*) AS "n" FROM "adult""#),
    (r#"SELECT COUNT(*) AS "COUNT(*)" FROM adult"#, r#"SELECT COUNT(*) FROM "adult""#),
    (r#"SELECT sex AS "the sex", COUNT(*) FROM adult GROUP BY sex"#, r#"SELECT "sex" AS "the sex", COUNT(*) FROM "adult" GROUP BY "sex""#),
    (
        r#"SELECT "marital-status", COUNT(*) FROM "my data" GROUP BY "marital-status""#,
        r#"SELECT "marital-status", COUNT(*) FROM "my data" GROUP BY "marital-status""#,
    ),
    (r#"SELECT AVG("a ""b""") FROM t"#, r#"SELECT AVG("a ""b""") FROM "t""#),
    ("SELECT 城市, AVG(年龄) FROM 居民 GROUP BY 城市", r#"SELECT "城市", AVG("年龄") FROM "居民" GROUP BY "城市""#),
    ("SELECT COUNT(*) FROM t WHERE a = 1", r#"SELECT COUNT(*) FROM "t" WHERE "a" = 1"#),
    ("SELECT COUNT(*) FROM t WHERE a <> 1", r#"SELECT COUNT(*) FROM "t" WHERE "a" <> 1"#),
    ("SELECT COUNT(*) FROM t WHERE a != 1", r#"SELECT COUNT(*) FROM "t" WHERE "a" <> 1"#),
    ("SELECT COUNT(*) FROM t WHERE a < 1 AND b <= 2", r#"SELECT COUNT(*) FROM "t" WHERE "a" < 1 AND "b" <= 2"#),
    ("SELECT COUNT(*) FROM t WHERE a > 1 OR b >= 2", r#"SELECT COUNT(*) FROM "t" WHERE "a" > 1 OR "b" >= 2"#),
    ("SELECT COUNT(*) FROM t WHERE 1 < a", r#"SELECT COUNT(*) FROM "t" WHERE "a" > 1"#),
    ("SELECT COUNT(*) FROM t WHERE 1 >= a", r#"SELECT COUNT(*) FROM "t" WHERE "a" <= 1"#),
    ("SELECT COUNT(*) FROM t WHERE 'x' = a", r#"SELECT COUNT(*) FROM "t" WHERE "a" = 'x'"#),
    ("SELECT COUNT(*) FROM t WHERE a = -1.50", r#"SELECT COUNT(*) FROM "t" WHERE "a" = -1.5"#),
    ("SELECT COUNT(*) FROM t WHERE a = - 0", r#"SELECT COUNT(*) FROM "t" WHERE "a" = 0"#),
    ("SELECT COUNT(*) FROM t WHERE a = .5 OR a = 5. OR a = 007", r#"SELECT COUNT(*) FROM "t" WHERE "a" = 0.5 OR "a" = 5 OR "a" = 7"#),
    ("SELECT COUNT(*) FROM t WHERE a = 'it''s \\n'", r#"SELECT COUNT(*) FROM "t" WHERE "a" = 'it''s \n'"#),
    ("SELECT COUNT(*) FROM t WHERE a = ''", r#"SELECT COUNT(*) FROM "t" WHERE "a" = ''"#),
    ("SELECT COUNT(*) FROM t WHERE a IN (2, 1, 2.0)", r#"SELECT COUNT(*) FROM "t" WHERE "a" IN (1, 2)"#),
    ("SELECT COUNT(*) FROM t WHERE a NOT IN ('b', 'a')", r#"SELECT COUNT(*) FROM "t" WHERE "a" NOT IN ('a', 'b')"#),
    ("SELECT COUNT(*) FROM t WHERE a BETWEEN 1 AND 2 AND b = 3", r#"SELECT COUNT(*) FROM "t" WHERE "a" BETWEEN 1 AND 2 AND "b" = 3"#),
    ("SELECT COUNT(*) FROM t WHERE a NOT BETWEEN -2 AND -1", r#"SELECT COUNT(*) FROM "t" WHERE "a" NOT BETWEEN -2 AND -1"#),
    ("SELECT COUNT(*) FROM t WHERE a IS NULL OR b IS NOT NULL", r#"SELECT COUNT(*) FROM "t" WHERE "a" IS NULL OR "b" IS NOT NULL"#),
    (
        "SELECT COUNT(*) FROM t WHERE NOT a = 1 AND (b = 2 OR (c = 3))",
        r#"SELECT COUNT(*) FROM "t" WHERE NOT ("a" = 1) AND ("b" = 2 OR "c" = 3)"#,
    ),
    (
        "SELECT COUNT(*) FROM t WHERE a = 1 OR b = 2 AND c = 3 OR d = 4",
        r#"SELECT COUNT(*) FROM "t" WHERE "a" = 1 OR ("b" = 2 AND "c" = 3) OR "d" = 4"#,
    ),
    ("SELECT COUNT(*) FROM t WHERE (a = 1 AND b = 2) AND c = 3", r#"SELECT COUNT(*) FROM "t" WHERE "a" = 1 AND "b" = 2 AND "c" = 3"#),
    ("SELECT COUNT(*) FROM t WHERE ((a)) = ((1))", r#"SELECT COUNT(*) FROM "t" WHERE "a" = 1"#),
    ("SELECT COUNT(*) FROM t WHERE date = '2020-01-01'", r#"SELECT COUNT(*) FROM "t" WHERE "date" = '2020-01-01'"#),
    (r#"SELECT count(distinct age) FROM t"#, r#"SELECT COUNT(DISTINCT "age") FROM "t""#),
    (r#"SELECT VARIANCE(a), stddev(a) FROM t"#, r#"SELECT VAR_POP("a"), STDDEV_POP("a") FROM "t""#),
    (r#"SELECT VAR_POP(a), STDDEV_POP(a) FROM t"#, r#"SELECT VAR_POP("a"), STDDEV_POP("a") FROM "t""#),
    (
        r#"SELECT QUANTILE(a, 0.250), QUANTILE(a, 0), QUANTILE(a, 1.0), QUANTILE(a, .75) FROM t"#,
        r#"SELECT QUANTILE("a", 0.25), QUANTILE("a", 0), QUANTILE("a", 1), QUANTILE("a", 0.75) FROM "t""#,
    ),
    (r#"SELECT MEDIAN(a) FROM t"#, r#"SELECT QUANTILE("a", 0.5) FROM "t""#),
    (r#"SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) FROM t"#, r#"SELECT QUANTILE("a", 0.5) FROM "t""#),
    (r#"SELECT percentile_disc(0.1) within group (order by "a b" asc) AS p FROM t"#, r#"SELECT QUANTILE("a b", 0.1) AS "p" FROM "t""#),
    (r#"SELECT HISTOGRAM(a), HISTOGRAM(b, -10, -.5, 20.0) FROM t"#, r#"SELECT HISTOGRAM("a"), HISTOGRAM("b", -10, -0.5, 20) FROM "t""#),
    (r#"SELECT BOUNDS(a), s, bounds(b) AS bb FROM t GROUP BY s"#, r#"SELECT BOUNDS("a"), "s", BOUNDS("b") AS "bb" FROM "t" GROUP BY "s""#),
    (r#"SELECT CLAMPED(a), DROPPED(*) FROM t"#, r#"SELECT CLAMPED("a"), DROPPED(*) FROM "t""#),
    (r#"SELECT BUDGET(COUNT(*), 0.10) n, AVG(a) FROM t"#, r#"SELECT BUDGET(COUNT(*), 0.1) AS "n", AVG("a") FROM "t""#),
    (
        r#"SELECT BUDGET(PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a), 1), budget(COUNT(DISTINCT a), 0.000000001) FROM t"#,
        r#"SELECT BUDGET(QUANTILE("a", 0.5), 1), BUDGET(COUNT(DISTINCT "a"), 0.000000001) FROM "t""#,
    ),
    (
        r#"SELECT COUNT(*) FROM t WHERE a LIKE 'it''s%' AND NOT b NOT LIKE 'x y%'"#,
        r#"SELECT COUNT(*) FROM "t" WHERE "a" LIKE 'it''s%' AND NOT ("b" NOT LIKE 'x y%')"#,
    ),
    (
        r#"SELECT a, COUNT(*) FROM t GROUP BY a ORDER BY COUNT(*) DESC LIMIT 10"#,
        r#"SELECT "a", COUNT(*) FROM "t" GROUP BY "a" ORDER BY COUNT(*) DESC LIMIT 10"#,
    ),
    (
        r#"SELECT COUNT(*) AS n FROM t GROUP BY a ORDER BY n DESC LIMIT 1;"#,
        r#"SELECT COUNT(*) AS "n" FROM "t" GROUP BY "a" ORDER BY "n" DESC LIMIT 1"#,
    ),
    (
        r#"SELECT COUNT(*) AS n FROM t GROUP BY a ORDER BY count(*) DESC LIMIT 1000"#,
        r#"SELECT COUNT(*) AS "n" FROM "t" GROUP BY "a" ORDER BY "n" DESC LIMIT 1000"#,
    ),
    (
        r#"SELECT COUNT(*) AS n, BUDGET(COUNT(*), 2) FROM t GROUP BY a ORDER BY COUNT(*) DESC LIMIT 2"#,
        r#"SELECT COUNT(*) AS "n", BUDGET(COUNT(*), 2) FROM "t" GROUP BY "a" ORDER BY COUNT(*) DESC LIMIT 2"#,
    ),
    (
        r#"SELECT MEDIAN(b), COUNT(DISTINCT a) FROM t WHERE b > 1 GROUP BY c ORDER BY COUNT(DISTINCT a) DESC LIMIT 2"#,
        r#"SELECT QUANTILE("b", 0.5), COUNT(DISTINCT "a") FROM "t" WHERE "b" > 1 GROUP BY "c" ORDER BY COUNT(DISTINCT "a") DESC LIMIT 2"#,
    ),
];

/// Text, line and column, and a piece of the message.
const REFUSED: &[(&str, u64, u64, &str)] = &[
    ("", 1, 1, "found nothing"),
    ("  -- nothing", 1, 13, "found nothing"),
    (";", 1, 1, "expected SELECT"),
    ("EXPLAIN SELECT COUNT(*) FROM t", 1, 1, "expected SELECT, found EXPLAIN"),
    ("INSERT INTO t VALUES (1)", 1, 1, "expected SELECT, found INSERT"),
    ("FROM t SELECT COUNT(*)", 1, 1, "expected SELECT"),
    ("(SELECT COUNT(*) FROM t)", 1, 1, "expected SELECT"),
    ("WITH c AS (SELECT 1) SELECT COUNT(*) FROM c", 1, 1, "WITH is not supported"),
    ("SELECT", 1, 7, "expected"),
    ("SELECT COUNT(*)", 1, 1, "without FROM"),
    ("SELECT COUNT(* FROM t", 1, 16, "expected"),
    ("SELECT FROM t", 1, 13, "expected an expression"),
    ("SELECT * FROM t", 1, 8, "SELECT *"),
    ("SELECT t.* FROM t", 1, 9, "a qualified name"),
    ("SELECT COUNT(*), age FROM t", 1, 18, "age is neither aggregated nor in GROUP BY"),
    ("SELECT sex FROM t GROUP BY sex", 1, 1, "at least one item must be an aggregate"),
    ("SELECT DISTINCT sex FROM t", 1, 8, "DISTINCT"),
    ("SELECT ALL COUNT(*) FROM t", 1, 8, "SELECT ALL"),
    ("SELECT MIN(age) FROM t", 1, 8, "ask for QUANTILE(column, 0.01)"),
    ("SELECT COUNT(*), max(age) FROM t", 1, 18, "ask for QUANTILE(column, 0.01)"),
    ("SELECT VAR_SAMP(age) FROM t", 1, 8, "the number of rows is noisy too: write VAR_POP"),
    ("SELECT STDDEV_SAMP(age) FROM t", 1, 8, "write STDDEV_POP"),
    ("SELECT lower(sex) FROM t", 1, 8, "the function LOWER"),
    ("SELECT \"count\"(*) FROM t", 1, 8, "this function"),
    ("SELECT COUNT(ALL age) FROM t", 1, 8, "ALL in an aggregate"),
    ("SELECT COUNT(1) FROM t", 1, 14, "write COUNT(*)"),
    ("SELECT COUNT() FROM t", 1, 8, "anything but one column"),
    ("SELECT SUM(*) FROM t", 1, 8, "anything but one column"),
    ("SELECT COUNT(a, b) FROM t", 1, 8, "anything but one column"),
    ("SELECT SUM(age + 1) FROM t", 1, 16, "arithmetic"),
    ("SELECT SUM(age * 2) FROM t", 1, 12, "arithmetic"),
    ("SELECT SUM(age) - 1 FROM t", 1, 8, "arithmetic"),
    ("SELECT SUM(ceil(age)) FROM t", 1, 12, "the function CEIL"),
    ("SELECT SUM(AVG(age)) FROM t", 1, 12, "the function AVG"),
    ("SELECT SUM(t.age) FROM t", 1, 13, "a qualified name"),
    ("SELECT SUM((age)) FROM t", 1, 13, "a parenthesis"),
    ("SELECT SUM(age) OVER () FROM t", 1, 17, "a window function"),
    ("SELECT SUM(age) FILTER (WHERE age > 1) FROM t", 1, 17, "FILTER"),
    ("SELECT COUNT(*), 1 FROM t", 1, 18, "a constant here"),
    ("SELECT COUNT(*), NULL FROM t", 1, 18, "a constant here"),
    ("SELECT COUNT(*), CASE WHEN a = 1 THEN 2 END FROM t", 1, 18, "CASE"),
    ("SELECT COUNT(*), CAST(a AS int) FROM t", 1, 18, "a conversion of types"),
    ("SELECT COUNT(*), a = 1 FROM t", 1, 18, "an operator here"),
    ("SELECT COUNT(*), COUNT(*) FROM t", 1, 1, "two items have the name COUNT(*)"),
    ("SELECT COUNT(*) AS a, AVG(b) AS a FROM t", 1, 1, "two items have the name a"),
    ("SELECT COUNT(*) AS \"\" FROM t", 1, 20, "a name has 1 to 128 bytes"),
    ("SELECT COUNT(*) INTO x FROM t", 1, 17, "INTO"),
    ("SELECT TOP 5 COUNT(*) FROM t", 1, 8, "TOP"),
    ("SELECT COUNT(*) FROM s.t", 1, 23, "a qualified name"),
    ("SELECT COUNT(*) FROM 't'", 1, 22, "a text here"),
    ("SELECT COUNT(*) AS 'n' FROM t", 1, 20, "a text here"),
    ("SELECT COUNT(*) FROM t AS u", 1, 27, "an alias of a dataset"),
    ("SELECT COUNT(*) FROM t u", 1, 24, "an alias of a dataset"),
    ("SELECT COUNT(*) FROM t, u", 1, 25, "a second dataset"),
    ("SELECT COUNT(*) FROM t JOIN u ON a = b", 1, 29, "a JOIN"),
    ("SELECT COUNT(*) FROM t\nNATURAL JOIN u", 2, 14, "a JOIN"),
    ("SELECT COUNT(*) FROM t CROSS JOIN u", 1, 35, "a JOIN"),
    ("SELECT COUNT(*) FROM (SELECT 1)", 1, 22, "a parenthesis in FROM"),
    ("SELECT COUNT(*) FROM ((((((((((((t))))))))))))", 1, 22, "a parenthesis in FROM"),
    ("SELECT COUNT(*) FROM f(1)", 1, 23, "a parenthesis in FROM"),
    ("SELECT COUNT(*) FROM t TABLESAMPLE BERNOULLI (1)", 1, 46, "a parenthesis in FROM"),
    ("SELECT COUNT(*) FROM t UNION SELECT COUNT(*) FROM u", 1, 24, "UNION"),
    ("SELECT COUNT(*) FROM t WHERE a IN (SELECT b FROM u)", 1, 36, "a second SELECT"),
    ("SELECT COUNT(*) FROM t EXCEPT VALUES (1)", 1, 24, "EXCEPT"),
    ("SELECT COUNT(*) FROM t WHERE a = 1 UNION TABLE u", 1, 36, "UNION"),
    ("SELECT COUNT(*) FROM t; SELECT COUNT(*) FROM t", 1, 25, "a second SELECT"),
    ("SELECT COUNT(*) FROM t; DROP TABLE t", 1, 25, "a second statement"),
    ("SELECT COUNT(*) FROM t;;", 1, 24, "a second statement"),
    ("SELECT COUNT(*) FROM t a b", 1, 26, "expected the end of the query, found b"),
    ("SELECT COUNT(*) FROM t GROUP BY sex HAVING COUNT(*) > 5", 1, 37, "HAVING"),
    ("SELECT COUNT(*) FROM t GROUP BY sex\nORDER BY sex", 2, 1, "ORDER BY"),
    ("SELECT COUNT(*) FROM t LIMIT 5", 1, 24, "LIMIT"),
    ("SELECT COUNT(*) FROM t OFFSET 5", 1, 24, "OFFSET"),
    ("SELECT COUNT(*) FROM t FETCH FIRST 5 ROWS ONLY", 1, 24, "FETCH"),
    ("SELECT COUNT(*) FROM t FOR UPDATE", 1, 24, "FOR"),
    ("SELECT COUNT(*) FROM t WINDOW w AS (PARTITION BY a)", 1, 36, "a parenthesis in FROM"),
    ("SELECT COUNT(*) FROM t WHERE a = 1 WINDOW w AS (PARTITION BY a)", 1, 45, "AS before a parenthesis"),
    ("SELECT COUNT(*) FROM t GROUP BY (a)", 1, 30, "BY before a parenthesis"),
    ("SELECT COUNT(*) FROM t WHERE NOT EXISTS (TABLE u)", 1, 34, "a subquery"),
    ("SELECT COUNT(*) FROM t QUALIFY a = 1", 1, 24, "QUALIFY"),
    ("SELECT COUNT(*) FROM t GROUP BY ALL", 1, 24, "GROUP BY ALL"),
    ("SELECT COUNT(*) FROM t GROUP BY 1", 1, 33, "a position in GROUP BY"),
    ("SELECT COUNT(*) FROM t GROUP BY a, a", 1, 24, "a is in GROUP BY twice"),
    ("SELECT COUNT(*) FROM t GROUP BY ROLLUP (a, b)", 1, 33, "ROLLUP"),
    ("SELECT COUNT(*) FROM t GROUP BY GROUPING SETS ((a), (b))", 1, 42, "ROLLUP"),
    ("SELECT COUNT(*) FROM t GROUP BY a WITH ROLLUP", 1, 35, "a modifier of GROUP BY"),
    ("SELECT COUNT(*) FROM t GROUP BY a = 1", 1, 33, "an expression in GROUP BY"),
    ("SELECT COUNT(*) FROM t GROUP BY lower(a)", 1, 33, "the function LOWER"),
    ("SELECT COUNT(*) FROM t GROUP BY a, b, c, d, e, f, g, h, i", 1, 24, "at most 8 columns"),
    ("SELECT COUNT(*) FROM t GROUP BY", 1, 32, "expected"),
    ("SELECT COUNT(*) FROM t WHERE", 1, 29, "expected"),
    ("SELECT COUNT(*) FROM t WHERE a", 1, 30, "as a condition"),
    ("SELECT COUNT(*) FROM t WHERE TRUE", 1, 30, "as a condition"),
    ("SELECT COUNT(*) FROM t WHERE a =", 1, 33, "expected"),
    ("SELECT COUNT(*) FROM t WHERE a = b", 1, 34, "two columns"),
    ("SELECT COUNT(*) FROM t WHERE sex = \"Male\"", 1, 36, "single quotes"),
    ("SELECT COUNT(*) FROM t WHERE sex IN (\"Male\")", 1, 38, "single quotes"),
    ("SELECT COUNT(*) FROM t WHERE 1 = 1", 1, 30, "two constants"),
    ("SELECT COUNT(*) FROM t WHERE a = NULL", 1, 34, "IS NULL"),
    ("SELECT COUNT(*) FROM t WHERE a IN (1, NULL)", 1, 39, "IS NULL"),
    ("SELECT COUNT(*) FROM t WHERE a = TRUE", 1, 34, "a truth value"),
    ("SELECT COUNT(*) FROM t WHERE a IS TRUE", 1, 30, "truth values"),
    ("SELECT COUNT(*) FROM t WHERE 1 IS NULL", 1, 30, "a constant here"),
    ("SELECT COUNT(*) FROM t WHERE a IS DISTINCT FROM 1", 1, 30, "IS DISTINCT FROM"),
    ("SELECT COUNT(*) FROM t WHERE a = 1 IS NULL", 1, 30, "an operator here"),
    ("SELECT COUNT(*) FROM t WHERE a = 1 = 2", 1, 30, "an operator here"),
    ("SELECT COUNT(*) FROM t WHERE (a = 1) = (b = 2)", 1, 31, "an operator here"),
    ("SELECT COUNT(*) FROM t WHERE a ILIKE 'x%'", 1, 30, "LIKE"),
    ("SELECT COUNT(*) FROM t WHERE a IN ()", 1, 36, "expected"),
    ("SELECT COUNT(*) FROM t WHERE (a, b) IN ((1, 2))", 1, 31, "a row of expressions"),
    ("SELECT COUNT(*) FROM t WHERE a IN (1, (2, 3))", 1, 40, "a row of expressions"),
    ("SELECT COUNT(*) FROM t WHERE a = ANY(b)", 1, 34, "a subquery"),
    ("SELECT COUNT(*) FROM t WHERE a BETWEEN b AND 2", 1, 40, "a column in place of a constant"),
    ("SELECT COUNT(*) FROM t WHERE lower(a) = 'x'", 1, 30, "the function LOWER"),
    ("SELECT COUNT(*) FROM t WHERE a = lower('x')", 1, 34, "the function LOWER"),
    ("SELECT COUNT(*) FROM t WHERE COUNT(*) > 1", 1, 30, "the function COUNT"),
    ("SELECT COUNT(*) FROM t WHERE a + 1 = 2", 1, 32, "arithmetic"),
    ("SELECT COUNT(*) FROM t WHERE a - 1 = 2", 1, 30, "arithmetic"),
    ("SELECT COUNT(*) FROM t WHERE a = +1", 1, 34, "arithmetic"),
    ("SELECT COUNT(*) FROM t WHERE a = - - 1", 1, 38, "arithmetic"),
    ("SELECT COUNT(*) FROM t WHERE -a = 1", 1, 31, "arithmetic"),
    ("SELECT COUNT(*) FROM t WHERE a % 2 = 1", 1, 32, "arithmetic"),
    ("SELECT COUNT(*) FROM t WHERE a || b = 'x'", 1, 32, "|| is not supported"),
    ("SELECT COUNT(*) FROM t WHERE a::int = 1", 1, 31, ":: is not supported"),
    ("SELECT COUNT(*) FROM t WHERE a == 1", 1, 32, "write ="),
    ("SELECT COUNT(*) FROM t WHERE a ~ 'x'", 1, 32, "~ is not supported"),
    ("SELECT COUNT(*) FROM t WHERE a[1] = 1", 1, 31, "a bracket"),
    ("SELECT COUNT(*) FROM t WHERE `a` = 1", 1, 30, "is not supported"),
    ("SELECT COUNT(*) FROM t WHERE a = ?", 1, 34, "a placeholder"),
    ("SELECT COUNT(*) FROM t WHERE a = $1", 1, 34, "a placeholder"),
    ("SELECT COUNT(*) FROM t WHERE a = :x", 1, 34, "a placeholder"),
    ("SELECT COUNT(*) FROM t WHERE a = 0x1F", 1, 34, "a hexadecimal number"),
    ("SELECT COUNT(*) FROM t WHERE a = 1e3", 1, 34, "the exponent of 1e3"),
    ("SELECT COUNT(*) FROM t WHERE a = 1_000", 1, 35, "expected the end of the query"),
    ("SELECT COUNT(*) FROM t WHERE a = 100000000000000000000000000000000000000", 1, 34, "at most 38 digits"),
    ("SELECT COUNT(*) FROM t WHERE a = E'x'", 1, 35, "expected the end of the query"),
    ("SELECT COUNT(*) FROM t WHERE a = N'x'", 1, 34, "is not supported"),
    ("SELECT COUNT(*) FROM t WHERE a = X'00'", 1, 34, "a hexadecimal number"),
    ("SELECT COUNT(*) FROM t WHERE a = 'x' 'y'", 1, 38, "expected the end of the query"),
    ("SELECT COUNT(*) FROM t WHERE a = 'e\u{301}'", 1, 24, "normalisation form C"),
    ("SELECT COUNT(*) FROM t WHERE a = DATE '2020-01-01'", 1, 39, "a typed constant"),
    ("SELECT COUNT(*) FROM t WHERE a = INTERVAL '1' DAY", 1, 34, "INTERVAL"),
    ("SELECT COUNT(*) FROM t WHERE ARRAY < 1", 1, 30, "ARRAY is not supported"),
    ("SELECT COUNT(*) FROM t WHERE a = 'x", 1, 34, "unterminated"),
    ("SELECT COUNT(*) FROM t WHERE \"a = 1", 1, 30, "expected close delimiter"),
    ("SELECT COUNT(*) FROM t /* no end", 1, 33, "comment"),
    ("SELECT COUNT(*) FROM t WHERE (a = 1", 1, 36, "expected"),
    ("SELECT COUNT(*) FROM t WHERE a = 1)", 1, 35, "expected the end of the query, found )"),
    ("SELECT COUNT(*)\nFROM t\nWHERE a = 1\n  AND b LIKE 'x'", 4, 14, "LIKE"),
    ("SELECT COUNT(*) FROM t WHERE a = \u{0}1", 1, 34, "\\0 is not supported"),
    ("SELECT COUNT(*) FROM t WHERE \u{202e} = 1", 1, 30, "\\u{202e} is not supported"),
    ("SELECT COUNT(*) FROM \"a\u{7}\"", 1, 22, "a name has 1 to 128 bytes"),
    ("SELECT COUNT(DISTINCT *) FROM t", 1, 8, "anything but one column"),
    ("SELECT COUNT(DISTINCT a, b) FROM t", 1, 8, "anything but one column"),
    ("SELECT COUNT(DISTINCT 1) FROM t", 1, 23, "an aggregate of a constant"),
    ("SELECT SUM(DISTINCT a) FROM t", 1, 8, "DISTINCT in this aggregate"),
    ("SELECT BUDGET(DISTINCT COUNT(*), 1) FROM t", 1, 8, "an extension of BUDGET"),
    ("SELECT COUNT(DISTINCT (a)) FROM t", 1, 14, "DISTINCT before a parenthesis"),
    ("SELECT VAR_POP(*) FROM t", 1, 8, "this form of VAR_POP"),
    ("SELECT STDDEV(a, b) FROM t", 1, 8, "name one column"),
    ("SELECT MEDIAN(a, 0.5) FROM t", 1, 8, "this form of MEDIAN"),
    ("SELECT QUANTILE(a) FROM t", 1, 8, "write QUANTILE(column, 0.5)"),
    ("SELECT QUANTILE(0.5, a) FROM t", 1, 17, "an aggregate of a constant"),
    ("SELECT QUANTILE(a, 1.5) FROM t", 1, 20, "a number from 0 to 1"),
    ("SELECT QUANTILE(a, -0.5) FROM t", 1, 21, "a number from 0 to 1"),
    ("SELECT QUANTILE(a, 0.0000000001) FROM t", 1, 20, "at most 9 decimals"),
    ("SELECT QUANTILE(a, NaN) FROM t", 1, 20, "anything but a number"),
    ("SELECT QUANTILE(a, NULL) FROM t", 1, 20, "anything but a number"),
    ("SELECT QUANTILE(a, '0.5') FROM t", 1, 20, "a text here"),
    ("SELECT QUANTILE(a, 5e-1) FROM t", 1, 20, "the exponent"),
    ("SELECT QUANTILE(a, - - 1) FROM t", 1, 24, "arithmetic"),
    ("SELECT QUANTILE(a, b) FROM t", 1, 20, "anything but a number"),
    ("SELECT QUANTILE(a, *) FROM t", 1, 8, "this form of QUANTILE"),
    ("SELECT QUANTILE(a, 1) WITHIN GROUP (ORDER BY a) FROM t", 1, 8, "WITHIN GROUP here"),
    ("SELECT PERCENTILE_CONT(0.5) FROM t", 1, 8, "write PERCENTILE_CONT(0.5) WITHIN GROUP"),
    ("SELECT PERCENTILE_CONT(a, 0.5) FROM t", 1, 8, "write PERCENTILE_CONT(0.5) WITHIN GROUP"),
    ("SELECT PERCENTILE_CONT(2) WITHIN GROUP (ORDER BY a) FROM t", 1, 24, "a number from 0 to 1"),
    ("SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a DESC) FROM t", 1, 52, "this order of WITHIN GROUP"),
    ("SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a, b) FROM t", 1, 52, "this order of WITHIN GROUP"),
    ("SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a + 1) FROM t", 1, 54, "arithmetic"),
    ("SELECT HISTOGRAM() FROM t", 1, 8, "write HISTOGRAM(column)"),
    ("SELECT HISTOGRAM(*) FROM t", 1, 8, "write HISTOGRAM(column)"),
    ("SELECT HISTOGRAM(a, *) FROM t", 1, 8, "a * as an edge"),
    ("SELECT HISTOGRAM(a, 1) FROM t", 1, 8, "2 to 64 edges or none, found 1"),
    ("SELECT HISTOGRAM(a, 1, 1.0) FROM t", 1, 8, "increase strictly"),
    ("SELECT HISTOGRAM(a, 1, b) FROM t", 1, 24, "anything but a number"),
    ("SELECT HISTOGRAM(a), HISTOGRAM(a, 1, 2) FROM t", 1, 1, "two items have the name HISTOGRAM(a)"),
    ("SELECT BOUNDS(a), COUNT(*) FROM t", 1, 1, "ask for the rest in a second query"),
    ("SELECT DROPPED(a) FROM t", 1, 8, "write DROPPED(*)"),
    ("SELECT DROPPED() FROM t", 1, 8, "write DROPPED(*)"),
    ("SELECT CLAMPED(*) FROM t", 1, 8, "name one column"),
    ("SELECT BUDGET(COUNT(*)) FROM t", 1, 8, "write BUDGET(AVG(column), 0.1)"),
    ("SELECT BUDGET(a, 0.1) FROM t", 1, 15, "anything but an aggregate"),
    ("SELECT BUDGET(COUNT(*), 0) FROM t", 1, 25, "is above 0"),
    ("SELECT BUDGET(COUNT(*), 0.0000000001) FROM t", 1, 25, "at most 9 decimals"),
    ("SELECT BUDGET(COUNT(*), -1) FROM t", 1, 26, "is above 0"),
    ("SELECT BUDGET(COUNT(*), a) FROM t", 1, 25, "anything but a number"),
    ("SELECT BUDGET(BUDGET(COUNT(*), 1), 1) FROM t", 1, 15, "BUDGET here"),
    ("SELECT BUDGET(COUNT(*) AS n, 1) FROM t", 1, 24, "expected"),
    ("SELECT SUM(BUDGET(a, 1)) FROM t", 1, 12, "the function BUDGET"),
    ("SELECT \"quantile\"(a, 1) FROM t", 1, 8, "this function"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE 'x'", 1, 37, "without % at its end"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE ''", 1, 37, "without % at its end"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE '%'", 1, 37, "write IS NOT NULL"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE '%x%'", 1, 37, "before its end"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE 'x%%'", 1, 37, "before its end"),
    ("SELECT COUNT(*) FROM t WHERE a NOT LIKE 'x_y%'", 1, 41, "before its end"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE 'x\\%'", 1, 37, "a backslash in a pattern"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE 'x\\_y%'", 1, 37, "a backslash in a pattern"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE 'x%' ESCAPE '!'", 1, 30, "ESCAPE in LIKE"),
    ("SELECT COUNT(*) FROM t WHERE a ILIKE 'x%'", 1, 30, "case counts"),
    ("SELECT COUNT(*) FROM t WHERE a SIMILAR TO 'x%'", 1, 30, "a pattern (LIKE) here"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE 5", 1, 37, "LIKE with a number"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE b", 1, 37, "a column in place of a constant"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE NULL", 1, 37, "a comparison with NULL"),
    ("SELECT COUNT(*) FROM t WHERE 'x' LIKE 'x%'", 1, 30, "a constant here"),
    ("SELECT COUNT(*) FROM t WHERE a LIKE 'e\u{301}%'", 1, 24, "normalisation form C"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s LIMIT 5", 1, 51, "without ORDER BY"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s LIMIT 5 OFFSET 1", 1, 51, "without ORDER BY"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC", 1, 51, "ORDER BY without LIMIT"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) LIMIT 5", 1, 51, "ascending"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) ASC LIMIT 5", 1, 51, "ascending"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC NULLS LAST LIMIT 5", 1, 51, "an extension of ORDER BY"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC, s DESC LIMIT 5", 1, 51, "several expressions"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT 5 OFFSET 1", 1, 82, "OFFSET is not supported"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT ALL", 1, 51, "ORDER BY without LIMIT"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT 0", 1, 74, "1 to 1000 groups, found 0"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT 1001", 1, 74, "1 to 1000 groups, found 1001"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT 99999999999", 1, 80, "no whole number"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT 1.5", 1, 80, "no whole number"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT -1", 1, 81, "no whole number"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT '5'", 1, 80, "a text here"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY 2 DESC LIMIT 5", 1, 60, "a position in ORDER BY"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY s DESC LIMIT 5", 1, 60, "anything but a count of SELECT"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY m DESC LIMIT 5", 1, 51, "groups are ordered by COUNT(*)"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY SUM(a) DESC LIMIT 5", 1, 51, "groups are ordered by COUNT(*)"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(DISTINCT a) DESC LIMIT 5", 1, 60, "anything but a count of SELECT"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY BUDGET(COUNT(*), 1) DESC LIMIT 5", 1, 60, "BUDGET here"),
    ("SELECT s, COUNT(*), SUM(a) AS m FROM t GROUP BY s ORDER BY COUNT(*) + 1 DESC LIMIT 5", 1, 69, "arithmetic"),
    ("SELECT MEDIAN(a), COUNT(*) FROM t ORDER BY COUNT(*) DESC LIMIT 5", 1, 35, "they need GROUP BY"),
    ("SELECT PERCENTILE_CONT(0) WITHIN GROUP (ORDER BY a), COUNT(*) FROM t ORDER BY COUNT(*) DESC LIMIT 5", 1, 70, "they need GROUP BY"),
    ("SELECT PERCENTILE_CONT(0) WITHIN GROUP (ORDER BY a) FROM t GROUP BY b, b", 1, 60, "GROUP BY twice"),
    ("SELECT COUNT(*) AS a, COUNT(*) AS b FROM t GROUP BY s ORDER BY COUNT(*) DESC LIMIT 5", 1, 64, "write the alias"),
];

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
