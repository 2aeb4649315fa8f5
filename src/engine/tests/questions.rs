//! Random rows and queries over the columns of `memory`.

use proptest::prelude::*;

use crate::id::{Decimal, Name};
use crate::query::{Comparison, Item, Literal, Predicate, Query};

use super::column;
use super::memory::{Cell, Record};

/// Up to `most` rows of six units, with nulls, undeclared values and values out of bounds.
pub(super) fn records(most: usize) -> impl Strategy<Value = Vec<Record>> {
    let text = |texts: &'static [&'static str]| {
        prop::sample::select(texts).prop_map(|text| match text {
            "" => Cell::Null,
            text => Cell::Text(text.to_owned()),
        })
    };
    let number = |numbers: std::ops::Range<i64>| prop_oneof![1 => Just(Cell::Null), 8 => numbers.prop_map(Cell::Number)];
    let size = prop_oneof![Just(Cell::Null), prop::sample::select(vec![1, 5, -3, 2, i64::MAX, i64::MIN]).prop_map(Cell::Number)];
    let y = (0..12_i64).prop_map(Cell::Number);
    let wide = any::<i64>().prop_map(Cell::Number);
    let cells = (
        text(&["red", "green", "blue", "", "ultraviolet"]),
        size,
        text(&["a", "b", "c", "d"]),
        number(-8..12),
        y,
        text(&["", "n", "nn", "é", "o"]),
        wide,
        text(&["", "rome", "oslo", "lima", "e\u{301}"]),
        number(-2..3),
    );
    let cells = cells
        .prop_map(|(color, size, shape, x, y, note, wide, town, code)| vec![color, size, shape, x, y, note, wide, Cell::Null, town, code]);
    prop::collection::vec((0..6_u64, cells).prop_map(|(unit, cells)| Record { unit, cells }), 0..most)
}

fn decimals(numbers: &[&str]) -> Vec<Decimal> {
    numbers.iter().map(|number| Decimal::parse(number).unwrap()).collect()
}

/// By units of several rows or by rows, over declared groups or those that the data say.
pub(super) fn query(unit: bool, found: bool) -> impl Strategy<Value = Query> {
    let items = vec![
        Item::count_rows(),
        Item::count(column("color")),
        Item::count(column("y")),
        Item::count(column("x")),
        Item::sum(column("x")),
        Item::mean(column("x")),
        Item::sum(column("y")),
        Item::mean(column("y")),
        Item::count(column("note")),
        Item::sum(column("wide")),
        Item::variance(column("x")),
        Item::deviation(column("y")),
        Item::clamped(column("x")),
        Item::histogram(column("x"), decimals(&["-5", "0.5", "3", "9"])),
        Item::histogram(column("y"), decimals(&["0.6", "1", "1.5"])),
        Item::histogram(column("color"), Vec::new()),
        Item::histogram(column("size"), Vec::new()),
    ];
    let of_units = vec![Item::count_distinct(column("who")), Item::dropped()];
    let of_declared = vec![Item::quantile(column("x"), decimals(&["0.5"])[0]), Item::quantile(column("y"), decimals(&["0.25"])[0])];
    let more = |items: Vec<Item>, with: bool| prop::sample::subsequence(items, if with { 0..=2 } else { 0..=0 });
    let items = (prop::sample::subsequence(items, 1..=5), more(of_units, unit), more(of_declared, !found));
    let items = items.prop_map(|(a, b, c)| [a, b, c].concat()).prop_shuffle();
    let columns = if found { vec!["color", "town", "code"] } else { vec!["color", "size", "shape"] };
    let groups = prop::sample::subsequence(columns, usize::from(found)..=3).prop_shuffle();
    let groups = groups.prop_map(move |mut groups| {
        if found && groups == ["color"] {
            groups.push("town");
        }
        groups
    });
    (items, groups, prop::option::of(predicate())).prop_map(|(items, groups, filter)| {
        Query::new(Name::new("t").unwrap(), items, groups.into_iter().map(column).collect(), filter).unwrap()
    })
}

pub(super) fn predicate() -> impl Strategy<Value = Predicate> {
    leaf().prop_recursive(4, 12, 3, |part| {
        prop_oneof![
            prop::collection::vec(part.clone(), 1..4).prop_map(Predicate::And),
            prop::collection::vec(part.clone(), 1..4).prop_map(Predicate::Or),
            part.prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

fn leaf() -> impl Strategy<Value = Predicate> {
    let text = || prop::sample::select(vec!["red", "blue", "a", "n", "nn", "é", "zz", ""]).prop_map(Literal::text);
    // Eighths: on and off the grids of integers and quarters.
    let number = || (-80..80_i128).prop_map(|eighths| Literal::Number(Decimal::new(eighths * 125, 3).unwrap()));
    let texts = (prop::sample::select(vec!["color", "shape", "note"]), prop::collection::vec(text(), 2..5)).boxed();
    let numbers = (prop::sample::select(vec!["size", "x", "y", "wide"]), prop::collection::vec(number(), 2..5)).boxed();
    let comparison = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    (prop_oneof![texts, numbers], 0..5, any::<bool>(), comparison).prop_map(|((name, values), kind, negated, comparison)| {
        let column = column(name);
        match kind {
            3 if matches!(values[0], Literal::Text(_)) => {
                let prefix = ["r", "gre", "\u{e9}", "n"][values.len() % 4].to_owned();
                Predicate::Prefix { column, negated, prefix }
            }
            0 => Predicate::Compare { column, comparison, value: values[0].clone() },
            1 => Predicate::In { column, negated, values },
            2 => Predicate::Between { column, negated, low: values[0].clone(), high: values[1].clone() },
            _ => Predicate::IsNull { column, negated },
        }
    })
}
