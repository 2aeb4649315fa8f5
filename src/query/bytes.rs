//! Queries as canonical bytes, and back.

use super::{
    Comparison, EDGES_MAX, Expression, GROUPS_MAX, ITEMS_MAX, Item, LITERALS_MAX, Literal, Predicate, QUERY_BYTES_MAX, Query, QueryError,
};
use super::{PREDICATE_DEPTH_MAX, TEXT_BYTES_MAX, Top};
use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::id::{ColumnName, Decimal, NAME_BYTES_MAX, Name};

const VERSION: u64 = 1;
/// The map of the query, one array for each nested condition and one for a literal in the innermost.
const LIMITS: Limits = Limits { bytes: QUERY_BYTES_MAX, depth: 1 + PREDICATE_DEPTH_MAX + 1 };
/// The most digits with a sign and a point.
const NUMBER_BYTES_MAX: usize = Decimal::DIGITS_MAX + 3;
/// A condition has at least five bytes, so that no canonical array of them is longer.
const PARTS_MAX: usize = QUERY_BYTES_MAX / 5;

mod query_key {
    pub(super) const VERSION: i64 = 0;
    pub(super) const FROM: i64 = 1;
    pub(super) const SELECT: i64 = 2;
    pub(super) const GROUPS: i64 = 3;
    pub(super) const FILTER: i64 = 4;
    pub(super) const TOP: i64 = 5;
}

mod item_key {
    pub(super) const KIND: i64 = 1;
    pub(super) const COLUMN: i64 = 2;
    pub(super) const ALIAS: i64 = 3;
    pub(super) const RANK: i64 = 4;
    pub(super) const EDGES: i64 = 5;
    pub(super) const PRICE: i64 = 6;
}

mod node {
    pub(super) const COMPARE: u64 = 1;
    pub(super) const IN: u64 = 2;
    pub(super) const BETWEEN: u64 = 3;
    pub(super) const IS_NULL: u64 = 4;
    pub(super) const AND: u64 = 5;
    pub(super) const OR: u64 = 6;
    pub(super) const NOT: u64 = 7;
    pub(super) const PREFIX: u64 = 8;
}

impl Query {
    /// The canonical bytes: the only ones that [`Query::from_canonical_bytes`] reads as this query.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(query_key::VERSION).uint(VERSION);
            map.key(query_key::FROM).text(self.from.as_str());
            let select = map.key(query_key::SELECT).array(self.select.len());
            self.select.iter().for_each(|item| item.encode(select));
            if !self.groups.is_empty() {
                let groups = map.key(query_key::GROUPS).array(self.groups.len());
                for column in &self.groups {
                    groups.text(column.as_str());
                }
            }
            if let Some(filter) = &self.filter {
                filter.encode(map.key(query_key::FILTER));
            }
            if let Some(Top { item, count }) = self.top {
                map.key(query_key::TOP).array(2).uint(item as u64).uint(count.into());
            }
        });
        out.into_bytes()
    }

    /// Reads canonical bytes; for every accepted `x`, `from_canonical_bytes(x)?.encode() == x`.
    ///
    /// # Errors
    /// Not the CBOR of a query, one that breaks a rule of [`Query::new`], or a form that is not canonical.
    pub fn from_canonical_bytes(bytes: &[u8]) -> Result<Self, QueryError> {
        if bytes.len() > QUERY_BYTES_MAX {
            return Err(QueryError::Bytes { found: bytes.len(), most: QUERY_BYTES_MAX });
        }
        let mut decoder = Decoder::new(bytes, LIMITS)?;
        let query = decode_query(&mut decoder)?;
        decoder.finish()?;
        if query.encode() == bytes { Ok(query) } else { Err(QueryError::NotCanonical) }
    }
}

fn decode_query(d: &mut Decoder<'_>) -> Result<Query, QueryError> {
    let (mut version, mut from, mut select, mut groups, mut filter, mut top) = (None, None, None, Vec::new(), None, None);
    let mut keys = d.map(6)?;
    while let Some(key) = keys.next(d)? {
        match key {
            query_key::VERSION => version = Some(d.uint()?),
            query_key::FROM => from = Some(Name::new(d.text(NAME_BYTES_MAX)?)?),
            query_key::SELECT => select = Some((0..d.array(ITEMS_MAX)?).map(|_| decode_item(d)).collect::<Result<_, _>>()?),
            query_key::GROUPS => groups = (0..d.array(GROUPS_MAX)?).map(|_| decode_column(d)).collect::<Result<_, _>>()?,
            query_key::FILTER => filter = Some(decode_predicate(d)?),
            query_key::TOP => top = Some(decode_top(d)?),
            key => return Err(CodecError::UnknownKey { key }.into()),
        }
        // The version is the first key: a later format is named as such, not by its first unknown field.
        match version {
            Some(VERSION) => {}
            Some(found) => return Err(QueryError::Version { found, known: VERSION }),
            None => return Err(CodecError::MissingKey { key: query_key::VERSION }.into()),
        }
    }
    let query = Query::new(required(from, query_key::FROM)?, required(select, query_key::SELECT)?, groups, filter)?;
    top.map_or(Ok(query.clone()), |Top { item, count }| query.top(item, count))
}

fn decode_top(d: &mut Decoder<'_>) -> Result<Top, QueryError> {
    let wrong = || CodecError::Value { key: query_key::TOP, expected: "an item and a number of groups" };
    if d.array(2)? != 2 {
        return Err(wrong().into());
    }
    let (item, count) = (d.uint()?, d.uint()?);
    Ok(Top { item: usize::try_from(item).map_err(|_| wrong())?, count: u32::try_from(count).map_err(|_| wrong())? })
}

fn decode_decimal(d: &mut Decoder<'_>) -> Result<Decimal, QueryError> {
    Ok(Decimal::parse(d.text(NUMBER_BYTES_MAX)?)?)
}

fn decode_column(d: &mut Decoder<'_>) -> Result<ColumnName, QueryError> {
    Ok(ColumnName::new(d.text(NAME_BYTES_MAX)?)?)
}

impl Item {
    fn encode(&self, out: &mut Encoder) {
        let kind = match &self.expression {
            Expression::Key(_) => 0,
            Expression::CountRows => 1,
            Expression::Count(_) => 2,
            Expression::Sum(_) => 3,
            Expression::Mean(_) => 4,
            Expression::CountDistinct(_) => 5,
            Expression::Variance(_) => 6,
            Expression::Deviation(_) => 7,
            Expression::Quantile { .. } => 8,
            Expression::Histogram { .. } => 9,
            Expression::Range(_) => 10,
            Expression::Clamped(_) => 11,
            Expression::Dropped => 12,
        };
        out.map(|map| {
            map.key(item_key::KIND).uint(kind);
            if let Some(column) = self.expression.column() {
                map.key(item_key::COLUMN).text(column.as_str());
            }
            if let Some(alias) = &self.alias {
                map.key(item_key::ALIAS).text(alias.as_str());
            }
            match &self.expression {
                Expression::Quantile { rank, .. } => {
                    map.key(item_key::RANK).text(&rank.to_string());
                }
                Expression::Histogram { edges, .. } if !edges.is_empty() => {
                    let out = map.key(item_key::EDGES).array(edges.len());
                    for edge in edges {
                        out.text(&edge.to_string());
                    }
                }
                _ => {}
            }
            if let Some(price) = &self.price {
                map.key(item_key::PRICE).text(&price.to_string());
            }
        });
    }
}

fn decode_item(d: &mut Decoder<'_>) -> Result<Item, QueryError> {
    let (mut kind, mut column, mut alias, mut rank, mut edges, mut price) = (None, None, None, None, None, None);
    let mut keys = d.map(6)?;
    while let Some(key) = keys.next(d)? {
        match key {
            item_key::KIND => kind = Some(d.uint()?),
            item_key::COLUMN => column = Some(decode_column(d)?),
            item_key::ALIAS => alias = Some(Name::new(d.text(NAME_BYTES_MAX)?)?),
            item_key::RANK => rank = Some(decode_decimal(d)?),
            item_key::EDGES => edges = Some((0..d.array(EDGES_MAX)?).map(|_| decode_decimal(d)).collect::<Result<Vec<_>, _>>()?),
            item_key::PRICE => price = Some(decode_decimal(d)?),
            key => return Err(CodecError::UnknownKey { key }.into()),
        }
    }
    // Each kind takes the keys it has; one that is left over is unknown for this kind.
    let mut column_of = || required(column.take(), item_key::COLUMN);
    let expression = match required(kind, item_key::KIND)? {
        0 => Expression::Key(column_of()?),
        1 => Expression::CountRows,
        2 => Expression::Count(column_of()?),
        3 => Expression::Sum(column_of()?),
        4 => Expression::Mean(column_of()?),
        5 => Expression::CountDistinct(column_of()?),
        6 => Expression::Variance(column_of()?),
        7 => Expression::Deviation(column_of()?),
        8 => Expression::Quantile { column: column_of()?, rank: required(rank.take(), item_key::RANK)? },
        9 => Expression::Histogram { column: column_of()?, edges: edges.take().unwrap_or_default() },
        10 => Expression::Range(column_of()?),
        11 => Expression::Clamped(column_of()?),
        12 => Expression::Dropped,
        _ => return Err(CodecError::Value { key: item_key::KIND, expected: "a kind of item from 0 to 12" }.into()),
    };
    let left = [(column.is_some(), item_key::COLUMN), (rank.is_some(), item_key::RANK), (edges.is_some(), item_key::EDGES)];
    match left.into_iter().find(|(left, _)| *left) {
        Some((_, key)) => Err(CodecError::UnknownKey { key }.into()),
        None => Ok(Item { expression, alias, price }),
    }
}

impl Predicate {
    fn encode(&self, out: &mut Encoder) {
        match self {
            Self::Compare { column, comparison, value } => {
                out.array(4).uint(node::COMPARE).text(column.as_str()).uint(comparison.code());
                value.encode_to(out);
            }
            Self::In { column, negated, values } => {
                out.array(3 + values.len()).uint(node::IN).text(column.as_str()).boolean(*negated);
                values.iter().for_each(|value| value.encode_to(out));
            }
            Self::Between { column, negated, low, high } => {
                out.array(5).uint(node::BETWEEN).text(column.as_str()).boolean(*negated);
                low.encode_to(out);
                high.encode_to(out);
            }
            Self::IsNull { column, negated } => {
                out.array(3).uint(node::IS_NULL).text(column.as_str()).boolean(*negated);
            }
            Self::Prefix { column, negated, prefix } => {
                out.array(4).uint(node::PREFIX).text(column.as_str()).boolean(*negated).text(prefix);
            }
            Self::And(parts) => encode_chain(node::AND, parts, out),
            Self::Or(parts) => encode_chain(node::OR, parts, out),
            Self::Not(part) => {
                out.array(2).uint(node::NOT);
                part.encode(out);
            }
        }
    }
}

fn encode_chain(kind: u64, parts: &[Predicate], out: &mut Encoder) {
    out.array(1 + parts.len()).uint(kind);
    parts.iter().for_each(|part| part.encode(out));
}

/// The recursion ends because the decoder's depth does.
fn decode_predicate(d: &mut Decoder<'_>) -> Result<Predicate, QueryError> {
    let len = d.array(1 + PARTS_MAX)?;
    if len < 2 {
        return Err(malformed("a condition of two or more elements"));
    }
    match (d.uint()?, len) {
        (node::COMPARE, 4) => {
            Ok(Predicate::Compare { column: decode_column(d)?, comparison: Comparison::decode(d)?, value: Literal::decode(d)? })
        }
        (node::IN, 4..) if len - 3 <= LITERALS_MAX => {
            let (column, negated) = (decode_column(d)?, d.boolean()?);
            Ok(Predicate::In { column, negated, values: (3..len).map(|_| Literal::decode(d)).collect::<Result<_, _>>()? })
        }
        (node::BETWEEN, 5) => {
            let (column, negated) = (decode_column(d)?, d.boolean()?);
            Ok(Predicate::Between { column, negated, low: Literal::decode(d)?, high: Literal::decode(d)? })
        }
        (node::IS_NULL, 3) => Ok(Predicate::IsNull { column: decode_column(d)?, negated: d.boolean()? }),
        (node::PREFIX, 4) => {
            Ok(Predicate::Prefix { column: decode_column(d)?, negated: d.boolean()?, prefix: d.text(TEXT_BYTES_MAX)?.to_owned() })
        }
        (node::AND, _) => Ok(Predicate::And((1..len).map(|_| decode_predicate(d)).collect::<Result<_, _>>()?)),
        (node::OR, _) => Ok(Predicate::Or((1..len).map(|_| decode_predicate(d)).collect::<Result<_, _>>()?)),
        (node::NOT, 2) => Ok(Predicate::Not(Box::new(decode_predicate(d)?))),
        _ => Err(malformed("a condition of kind 1 to 8 with its elements")),
    }
}

impl Comparison {
    fn code(self) -> u64 {
        Self::ALL.iter().zip(0..).find_map(|(comparison, code)| (*comparison == self).then_some(code)).unwrap_or_default()
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, QueryError> {
        let code = d.uint()?;
        Self::ALL.into_iter().find(|comparison| comparison.code() == code).ok_or_else(|| malformed("a comparison from 0 to 5"))
    }
}

impl Literal {
    /// Its canonical bytes, by which the constants of an IN are ordered.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        self.encode_to(&mut out);
        out.into_bytes()
    }

    fn encode_to(&self, out: &mut Encoder) {
        match self {
            Self::Text(text) => out.array(2).uint(0).text(text),
            Self::Number(number) => out.array(2).uint(1).text(&number.to_string()),
        };
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, QueryError> {
        match (d.array(2)?, d.uint()?) {
            (2, 0) => Ok(Self::text(d.text(TEXT_BYTES_MAX)?)),
            (2, 1) => Ok(Self::number(d.text(NUMBER_BYTES_MAX)?)?),
            _ => Err(malformed("a constant of kind 0 or 1")),
        }
    }
}

fn malformed(expected: &'static str) -> QueryError {
    CodecError::Value { key: query_key::FILTER, expected }.into()
}
