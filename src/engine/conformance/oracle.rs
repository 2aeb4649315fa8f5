//! The pipeline of rule D1, row by row and with nothing but the words of the rule.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::memory::{Cell, Record, key, tag, unit_id};
use crate::codec::Encoder;
use crate::dataset::{Schema, Unit, Values};
use crate::id::{ColumnName, Decimal};
use crate::label::Label;
use crate::plan::{BoundQuery, GroupKey, ReleaseStep, VectorKind};
use crate::query::{Comparison, Expression, Literal, Predicate, Query};

/// The numbers of a vector: by its place, the key of the group (none of all together) and the slot; what is 0 is left out.
pub(in crate::engine) type Numbers = BTreeMap<(usize, Vec<GroupKey>, usize), i128>;

/// The base vectors of `bound`.
pub(in crate::engine) fn sums(query: &Query, schema: &Schema, bound: &BoundQuery, records: &[Record]) -> Numbers {
    let mut kept: BTreeMap<u64, BTreeMap<Vec<GroupKey>, Vec<&Record>>> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        let whole = query.filter().map_or(Some(true), |filter| truth(filter, schema, record));
        let key: Option<Vec<GroupKey>> = query.groups().iter().map(|name| group_key(schema, name, record)).collect();
        if let (Some(true), Some(key)) = (whole, key) {
            let unit = if *schema.unit() == Unit::Row { place as u64 } else { record.unit };
            kept.entry(unit).or_default().entry(key).or_default().push(record);
        }
    }
    let mut out = Numbers::new();
    for (unit, by_key) in kept {
        let before = by_key.values().map(Vec::len).sum::<usize>();
        let chosen = choose(schema, unit, by_key);
        let groups: BTreeSet<_> = chosen.iter().map(|(key, _)| key.clone()).collect();
        for (place, vector) in bound.vectors().iter().enumerate() {
            match vector.kind() {
                VectorKind::Units => groups.iter().for_each(|key| *out.entry((place, key.clone(), 0)).or_default() += 1),
                VectorKind::Dropped => *out.entry((place, Vec::new(), 0)).or_default() += i128::from(chosen.len() < before),
                kind => {
                    for (key, record) in &chosen {
                        if let Some((slot, amount)) = part(kind, query, schema, record) {
                            *out.entry((place, key.clone(), slot)).or_default() += amount;
                        }
                    }
                }
            }
        }
    }
    out.retain(|_, number| *number != 0);
    out
}

/// A value as `BoundQuery::additions` takes it.
#[cfg(test)]
pub(in crate::engine) fn number(schema: &Schema, name: &ColumnName, record: &Record) -> Option<i64> {
    match (value(schema, name, record), &schema.column(name).unwrap().1.values) {
        (Cell::Null, _) => None,
        (Cell::Number(number), _) => Some(*number),
        (Cell::Text(text), Some(Values::Text(values))) => {
            Some(values.iter().position(|value| value == text).map_or(i64::MAX, |place| place as i64))
        }
        (Cell::Text(_), _) => Some(7),
    }
}

/// What one row adds to which slot.
pub(in crate::engine) fn part(kind: &VectorKind, query: &Query, schema: &Schema, record: &Record) -> Option<(usize, i128)> {
    let bounded = |column: &ColumnName| match value(schema, column, record) {
        Cell::Number(number) => {
            let bounds = schema.column(column).unwrap().1.bounds;
            Some(bounds.map_or(*number, |bounds| (*number.max(&bounds.low)).min(bounds.high)))
        }
        _ => None,
    };
    Some(match kind {
        VectorKind::Rows => (0, 1),
        VectorKind::Present { column } => (0, i128::from(*value(schema, column, record) != Cell::Null)),
        VectorKind::Sum { column, centre } => (0, i128::from(bounded(column)?) - i128::from(*centre)),
        VectorKind::Squares { column, centre } => (0, (i128::from(bounded(column)?) - i128::from(*centre)).pow(2)),
        VectorKind::Clamped { column } => (0, i128::from(*value(schema, column, record) != Cell::Number(bounded(column)?))),
        // Bounds here span few grid points, so that each is a slot.
        VectorKind::Grid { column, .. } => {
            let low = schema.column(column).unwrap().1.bounds.unwrap().low;
            (usize::try_from(bounded(column)? - low).unwrap(), 1)
        }
        VectorKind::Bins { column, .. } => {
            let edges = query.select().iter().find_map(|item| match item.expression() {
                Expression::Histogram { column: other, edges } if other == column => Some(edges),
                _ => None,
            });
            let column_of = schema.column(column).unwrap().1;
            let slot = if edges.unwrap().is_empty() {
                match (value(schema, column, record), column_of.values.as_ref().unwrap()) {
                    (Cell::Text(text), Values::Text(values)) => values.iter().position(|value| value == text)?,
                    (Cell::Number(number), Values::Integer(values)) => values.iter().position(|value| value == number)?,
                    _ => return None,
                }
            } else {
                let edges = edges.unwrap();
                let step = column_of.kind.step().unwrap().decimal();
                let number = Decimal::new(i128::from(bounded(column)?) * step.mantissa(), step.scale()).unwrap();
                let last = edges.len() - 2;
                (0..=last).find(|bin| edges[*bin] <= number && (number < edges[bin + 1] || *bin == last && number == edges[last + 1]))?
            };
            (slot, 1)
        }
        // A value of k bits is k slots away from that of 0.
        VectorKind::Magnitudes { column } => {
            let Cell::Number(number) = value(schema, column, record) else { return None };
            let bits = (0..=64).find(|bits| u128::from(number.unsigned_abs()) < 1 << bits)?;
            (if *number < 0 { 64 - bits } else { 64 + bits }, 1)
        }
        VectorKind::Units | VectorKind::Dropped => return None,
    })
}

/// Without groups of fewer units than `least`, where the data say which groups there are.
pub(in crate::engine) fn of_enough_units(bound: &BoundQuery, mut numbers: Numbers, least: u32) -> Numbers {
    if let Some(ReleaseStep::Groups { vector }) = bound.steps().first() {
        let units = |key: &Vec<GroupKey>| numbers.get(&(*vector, key.clone(), 0)).copied().unwrap_or(0);
        let small: BTreeSet<_> =
            numbers.keys().map(|(_, key, _)| key).filter(|key| !key.is_empty() && units(key) < least.into()).cloned().collect();
        numbers.retain(|(_, key, _), _| !small.contains(key));
    }
    numbers
}

/// The groups of least rank, the rows of least rank in each, and the rows of least rank of those.
fn choose<'a>(schema: &Schema, unit: u64, by_key: BTreeMap<Vec<GroupKey>, Vec<&'a Record>>) -> Vec<(Vec<GroupKey>, &'a Record)> {
    if *schema.unit() == Unit::Row {
        return by_key.into_iter().flat_map(|(key, rows)| rows.into_iter().map(move |row| (key.clone(), row))).collect();
    }
    let derive = |label: Label| key().prf(label, &[])[..16].to_vec();
    let prf = |key: &[u8], a: &[u8], b: &[u8]| Sha256::digest([key, a, b].concat())[..16].to_vec();
    let group_rank = |key: &[GroupKey]| prf(&derive(Label::GROUP_RANK), &group_hash(key), &unit_id(unit));
    let mut ranked: Vec<_> = by_key.into_iter().map(|(key, rows)| (group_rank(&key), key, rows)).collect();
    ranked.sort();
    ranked.truncate(schema.contribution().groups_per_unit as usize);
    let mut out = Vec::new();
    for (group_rank, key, mut rows) in ranked {
        let rank = |row: &Record| prf(&derive(Label::ROW_RANK), &group_rank, &tag(row));
        rows.sort_by_key(|row| rank(row));
        rows.truncate(schema.contribution().rows_per_group as usize);
        out.extend(rows.into_iter().map(|row| (rank(row), key.clone(), row)));
    }
    out.sort();
    out.truncate(schema.contribution().rows() as usize);
    out.into_iter().map(|(_, key, row)| (key, row)).collect()
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

fn group_hash(group: &[GroupKey]) -> Vec<u8> {
    let mut out = Encoder::new();
    out.array(group.len());
    for key in group {
        match key {
            GroupKey::Text(text) => out.text(text),
            GroupKey::Integer(number) => out.int(*number),
            GroupKey::Other(_) => out.boolean(false),
        };
    }
    Sha256::digest(out.into_bytes())[..16].to_vec()
}

fn value<'a>(schema: &Schema, name: &ColumnName, record: &'a Record) -> &'a Cell {
    record.cells.get(schema.column(name).unwrap().0).unwrap_or(&Cell::Null)
}

fn group_key(schema: &Schema, name: &ColumnName, record: &Record) -> Option<GroupKey> {
    let column = schema.column(name).unwrap().1;
    let Some(values) = &column.values else {
        return match value(schema, name, record) {
            Cell::Null => None,
            // Not in normalisation form C.
            Cell::Text(text) if text == "e\u{301}" => None,
            Cell::Text(text) => Some(GroupKey::Text(text.clone())),
            Cell::Number(number) => Some(GroupKey::Integer(*number)),
        };
    };
    let declared = match (value(schema, name, record), values) {
        (Cell::Text(text), Values::Text(values)) if values.contains(text) => Some(GroupKey::Text(text.clone())),
        (Cell::Number(number), Values::Integer(values)) if values.contains(number) => Some(GroupKey::Integer(*number)),
        _ => None,
    };
    declared.or_else(|| column.other.clone().map(GroupKey::Other))
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
        Predicate::Prefix { column, negated, prefix } => match value(schema, column, record) {
            Cell::Text(text) => Some(text.starts_with(prefix.as_str()) != *negated),
            _ => None,
        },
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
