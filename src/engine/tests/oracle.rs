//! The pipeline of rule D1, row by row and with nothing but the words of the rule.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::memory::{Cell, Record, key, tag, unit_id};
use crate::codec::Encoder;
use crate::dataset::{Schema, Unit, Values};
use crate::engine::{Bound, Key, VectorKind};
use crate::id::{ColumnName, Decimal};
use crate::label::Label;
use crate::query::{Comparison, Literal, Predicate, Query};

/// The base vectors of `bound`, group by group.
pub(super) fn sums(query: &Query, schema: &Schema, bound: &Bound, records: &[Record]) -> Vec<i128> {
    let groups: Vec<Vec<Key>> = (0..bound.cells()).map(|cell| bound.key(cell)).collect();
    let mut kept: BTreeMap<u64, BTreeMap<usize, Vec<&Record>>> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        let whole = query.filter().map_or(Some(true), |filter| truth(filter, schema, record));
        let key: Option<Vec<Key>> = query.groups().iter().map(|name| group_key(schema, name, record)).collect();
        if let (Some(true), Some(key)) = (whole, key) {
            let cell = groups.iter().position(|group| *group == key).unwrap();
            let unit = if *schema.unit() == Unit::Row { place as u64 } else { record.unit };
            kept.entry(unit).or_default().entry(cell).or_default().push(record);
        }
    }
    let mut out = vec![0; bound.cells() * bound.vectors().len()];
    for (unit, by_cell) in kept {
        for (cell, record) in choose(schema, unit, by_cell, &groups) {
            for (number, vector) in bound.vectors().iter().enumerate() {
                out[number * bound.cells() + cell] += match vector.kind() {
                    VectorKind::Rows => 1,
                    VectorKind::Present { column } => i128::from(*value(schema, column, record) != Cell::Null),
                    VectorKind::Sum { column, centre } => match value(schema, column, record) {
                        Cell::Number(number) => {
                            let bounds = schema.column(column).unwrap().1.bounds.unwrap();
                            i128::from(*(number.max(&bounds.low)).min(&bounds.high)) - i128::from(*centre)
                        }
                        _ => 0,
                    },
                };
            }
        }
    }
    out
}

/// The groups of least rank, and the rows of least rank in each.
fn choose<'a>(schema: &Schema, unit: u64, by_cell: BTreeMap<usize, Vec<&'a Record>>, groups: &[Vec<Key>]) -> Vec<(usize, &'a Record)> {
    if *schema.unit() == Unit::Row {
        return by_cell.into_iter().flat_map(|(cell, rows)| rows.into_iter().map(move |row| (cell, row))).collect();
    }
    let derive = |label: Label| key().prf(label, &[])[..16].to_vec();
    let prf = |key: &[u8], a: &[u8], b: &[u8]| Sha256::digest([key, a, b].concat())[..16].to_vec();
    let group_rank = |cell: usize| prf(&derive(Label::GROUP_RANK), &group_hash(&groups[cell]), &unit_id(unit));
    let mut ranked: Vec<_> = by_cell.into_iter().map(|(cell, rows)| (group_rank(cell), cell, rows)).collect();
    ranked.sort();
    ranked.truncate(schema.contribution().groups_per_unit as usize);
    let mut out = Vec::new();
    for (group_rank, cell, mut rows) in ranked {
        rows.sort_by_key(|row| prf(&derive(Label::ROW_RANK), &group_rank, &tag(row)));
        rows.truncate(schema.contribution().rows_per_group as usize);
        out.extend(rows.into_iter().map(|row| (cell, row)));
    }
    out
}

impl PartialOrd for Record {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Record {}

impl Ord for Record {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        tag(self).cmp(&tag(other))
    }
}

fn group_hash(group: &[Key]) -> Vec<u8> {
    let mut out = Encoder::new();
    out.array(group.len());
    for key in group {
        match key {
            Key::Text(text) => out.text(text),
            Key::Integer(number) => out.int(*number),
            Key::Other(_) => out.boolean(false),
        };
    }
    Sha256::digest(out.into_bytes())[..16].to_vec()
}

fn value<'a>(schema: &Schema, name: &ColumnName, record: &'a Record) -> &'a Cell {
    &record.cells[schema.column(name).unwrap().0]
}

fn group_key(schema: &Schema, name: &ColumnName, record: &Record) -> Option<Key> {
    let column = schema.column(name).unwrap().1;
    let declared = match (value(schema, name, record), column.values.as_ref().unwrap()) {
        (Cell::Text(text), Values::Text(values)) if values.contains(text) => Some(Key::Text(text.clone())),
        (Cell::Number(number), Values::Integer(values)) if values.contains(number) => Some(Key::Integer(*number)),
        _ => None,
    };
    declared.or_else(|| column.other.clone().map(Key::Other))
}

fn truth(predicate: &Predicate, schema: &Schema, record: &Record) -> Option<bool> {
    let order = |name: &ColumnName, literal: &Literal| match (value(schema, name, record), literal) {
        (Cell::Null, _) => None,
        (Cell::Text(text), Literal::Text(literal)) => Some(text.as_bytes().cmp(literal.as_bytes())),
        (Cell::Number(number), Literal::Number(literal)) => {
            let step = schema.column(name).unwrap().1.kind.step().unwrap().decimal();
            Some(Decimal::new(i128::from(*number) * step.mantissa(), step.scale()).unwrap().cmp(literal))
        }
        _ => unreachable!("types fit"),
    };
    let not = |negated: bool, truth: Option<bool>| truth.map(|truth| truth != negated);
    match predicate {
        Predicate::Compare { column, comparison, value } => order(column, value).map(|order| match comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }),
        Predicate::In { column, negated, values } => {
            not(*negated, any(values.iter().map(|value| order(column, value).map(|order| order.is_eq()))))
        }
        Predicate::Between { column, negated, low, high } => {
            let ends = [order(column, low).map(|order| order.is_ge()), order(column, high).map(|order| order.is_le())];
            not(*negated, all(ends.into_iter()))
        }
        Predicate::IsNull { column, negated } => Some((*value(schema, column, record) == Cell::Null) != *negated),
        Predicate::And(parts) => all(parts.iter().map(|part| truth(part, schema, record))),
        Predicate::Or(parts) => any(parts.iter().map(|part| truth(part, schema, record))),
        Predicate::Not(part) => not(true, truth(part, schema, record)),
    }
}

/// AND of three-valued logic: false wins, then unknown.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<_> = parts.collect();
    if parts.contains(&Some(false)) {
        Some(false)
    } else if parts.contains(&None) {
        None
    } else {
        Some(true)
    }
}

/// OR: true wins, then unknown.
fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|part| !part))).map(|none| !none)
}
