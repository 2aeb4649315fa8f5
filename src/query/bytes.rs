//! Queries as canonical bytes, and back.

use super::{
    Comparison, EDGES_MAX, Expression, GROUPS_MAX, ITEMS_MAX, Item, LITERALS_MAX, Literal, Predicate, QUERY_BYTES_MAX, Query, QueryError,
};
use super::{PREDICATE_DEPTH_MAX, TEXT_BYTES_MAX, Top};
use crate::codec::{CodecError, Decoder, Encoder, Field, Fields, Limits, List, Record, record, stored};
use crate::id::{ColumnName, Decimal, Name};

/// The map of the query, one array for each nested condition and one for a literal in the innermost.
const LIMITS: Limits = Limits { bytes: QUERY_BYTES_MAX, depth: 1 + PREDICATE_DEPTH_MAX + 1 };
/// A condition has at least five bytes, so that no canonical array of them is longer.
const PARTS_MAX: usize = QUERY_BYTES_MAX / 5;

record! {
    /// A query as it is written: any parts.
    struct StoredQuery, fixed 0 version = 1 {
        1 => from: Name,
        2 => select: Vec<Item> as List<Item, ITEMS_MAX>,
        3 => groups: Vec<ColumnName> as List<ColumnName, GROUPS_MAX> = Vec::new(),
        4 => filter: Option<Predicate>,
        5 => top: Option<Top>,
    }
}

record! {
    /// An item as it is written: which keys are there depends on the kind.
    struct StoredItem {
        1 => kind: u64,
        2 => column: Option<ColumnName>,
        3 => alias: Option<Name>,
        4 => rank: Option<Decimal>,
        5 => edges: Vec<Decimal> as List<Decimal, EDGES_MAX> = Vec::new(),
        6 => price: Option<Decimal>,
    }
}

/// The keys that errors name.
mod key {
    pub(super) const VERSION: i64 = 0;
    pub(super) const FILTER: i64 = 4;

    pub(super) mod item {
        pub(in super::super) const KIND: i64 = 1;
        pub(in super::super) const COLUMN: i64 = 2;
        pub(in super::super) const RANK: i64 = 4;
        pub(in super::super) const EDGES: i64 = 5;
    }
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
        let Self { from, select, groups, filter, top } = self.clone();
        StoredQuery { from, select, groups, filter, top }.to_bytes()
    }

    /// Reads canonical bytes; for every accepted `x`, `from_canonical_bytes(x)?.encode() == x`.
    ///
    /// # Errors
    /// Not the CBOR of a query, one that breaks a rule of [`Query::new`], or a form that is not canonical.
    pub fn from_canonical_bytes(bytes: &[u8]) -> Result<Self, QueryError> {
        if bytes.len() > QUERY_BYTES_MAX {
            return Err(QueryError::Bytes { found: bytes.len(), most: QUERY_BYTES_MAX });
        }
        // A later format is named as such, not by its first unknown field.
        let known = StoredQuery::FIXED[0].value.unsigned_abs();
        match Fields::open(&mut Decoder::new(bytes, LIMITS)?, &[])?.field::<u64>(key::VERSION)? {
            found if found != known => return Err(QueryError::Version { found, known }),
            _ => {}
        }
        let StoredQuery { from, select, groups, filter, top } = StoredQuery::from_bytes(bytes, LIMITS)?;
        let query = Self::new(from, select, groups, filter)?;
        let query = match top {
            Some(Top { item, count }) => query.top(item, count)?,
            None => query,
        };
        if query.encode() == bytes { Ok(query) } else { Err(QueryError::NotCanonical) }
    }
}

/// How a request carries a query: its canonical bytes.
impl Field for Query {
    type Value = Self;
    const SHAPE: &'static str = "byte string";

    fn write(value: &Self, out: &mut Encoder) {
        out.bytes(&value.encode());
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        Self::from_canonical_bytes(decoder.bytes(QUERY_BYTES_MAX)?).map_err(|_| CodecError::Value { key, expected: "a query" })
    }
}

stored!(Item as StoredItem);

impl From<&Item> for StoredItem {
    fn from(item: &Item) -> Self {
        let (kind, rank, edges) = match &item.expression {
            Expression::Key(_) => (0, None, &[][..]),
            Expression::CountRows => (1, None, &[][..]),
            Expression::Count(_) => (2, None, &[][..]),
            Expression::Sum(_) => (3, None, &[][..]),
            Expression::Mean(_) => (4, None, &[][..]),
            Expression::CountDistinct(_) => (5, None, &[][..]),
            Expression::Variance(_) => (6, None, &[][..]),
            Expression::Deviation(_) => (7, None, &[][..]),
            Expression::Quantile { rank, .. } => (8, Some(*rank), &[][..]),
            Expression::Histogram { edges, .. } => (9, None, &edges[..]),
            Expression::Range(_) => (10, None, &[][..]),
            Expression::Clamped(_) => (11, None, &[][..]),
            Expression::Dropped => (12, None, &[][..]),
        };
        let column = item.expression.column().cloned();
        Self { kind, column, alias: item.alias.clone(), rank, edges: edges.to_vec(), price: item.price }
    }
}

impl TryFrom<StoredItem> for Item {
    type Error = CodecError;

    fn try_from(stored: StoredItem) -> Result<Self, CodecError> {
        let StoredItem { kind, mut column, alias, mut rank, mut edges, price } = stored;
        // Each kind takes the keys it has; one that is left over is unknown for this kind.
        let mut column_of = || column.take().ok_or(CodecError::MissingKey { key: key::item::COLUMN });
        let expression = match kind {
            0 => Expression::Key(column_of()?),
            1 => Expression::CountRows,
            2 => Expression::Count(column_of()?),
            3 => Expression::Sum(column_of()?),
            4 => Expression::Mean(column_of()?),
            5 => Expression::CountDistinct(column_of()?),
            6 => Expression::Variance(column_of()?),
            7 => Expression::Deviation(column_of()?),
            8 => {
                let rank = rank.take().ok_or(CodecError::MissingKey { key: key::item::RANK })?;
                Expression::Quantile { column: column_of()?, rank }
            }
            9 => Expression::Histogram { column: column_of()?, edges: std::mem::take(&mut edges) },
            10 => Expression::Range(column_of()?),
            11 => Expression::Clamped(column_of()?),
            12 => Expression::Dropped,
            _ => return Err(CodecError::Value { key: key::item::KIND, expected: "a kind of item from 0 to 12" }),
        };
        let left = [(column.is_some(), key::item::COLUMN), (rank.is_some(), key::item::RANK), (!edges.is_empty(), key::item::EDGES)];
        match left.into_iter().find(|(left, _)| *left) {
            Some((_, key)) => Err(CodecError::UnknownKey { key }),
            None => Ok(Self { expression, alias, price }),
        }
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

impl Field for Predicate {
    type Value = Self;
    const SHAPE: &'static str = "condition";

    fn write(value: &Self, out: &mut Encoder) {
        value.encode(out);
    }

    fn read(decoder: &mut Decoder<'_>, _: i64) -> Result<Self, CodecError> {
        decode_predicate(decoder)
    }
}

/// The recursion ends because the decoder's depth does.
fn decode_predicate(d: &mut Decoder<'_>) -> Result<Predicate, CodecError> {
    let len = d.array(1 + PARTS_MAX)?;
    if len < 2 {
        return Err(malformed("a condition of two or more elements"));
    }
    match (d.uint()?, len) {
        (node::COMPARE, 4) => Ok(Predicate::Compare {
            column: ColumnName::read(d, key::FILTER)?,
            comparison: Comparison::decode(d)?,
            value: Literal::decode(d)?,
        }),
        (node::IN, 4..) if len - 3 <= LITERALS_MAX => {
            let (column, negated) = (ColumnName::read(d, key::FILTER)?, d.boolean()?);
            Ok(Predicate::In { column, negated, values: (3..len).map(|_| Literal::decode(d)).collect::<Result<_, _>>()? })
        }
        (node::BETWEEN, 5) => {
            let (column, negated) = (ColumnName::read(d, key::FILTER)?, d.boolean()?);
            Ok(Predicate::Between { column, negated, low: Literal::decode(d)?, high: Literal::decode(d)? })
        }
        (node::IS_NULL, 3) => Ok(Predicate::IsNull { column: ColumnName::read(d, key::FILTER)?, negated: d.boolean()? }),
        (node::PREFIX, 4) => Ok(Predicate::Prefix {
            column: ColumnName::read(d, key::FILTER)?,
            negated: d.boolean()?,
            prefix: d.text(TEXT_BYTES_MAX)?.to_owned(),
        }),
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

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
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

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match (d.array(2)?, d.uint()?) {
            (2, 0) => Ok(Self::text(d.text(TEXT_BYTES_MAX)?)),
            (2, 1) => <Decimal as Field>::read(d, key::FILTER).map(Self::Number),
            _ => Err(malformed("a constant of kind 0 or 1")),
        }
    }
}

fn malformed(expected: &'static str) -> CodecError {
    CodecError::Value { key: key::FILTER, expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::assert_documented;

    #[test]
    fn the_page_lists_their_fields() {
        let page = include_str!("../../docs/request.md");
        assert_documented(page, "## Query", StoredQuery::TABLE);
        assert_documented(page, "### Item", StoredItem::TABLE);
    }
}
