//! Manifests and openings as they are written.

use super::{KeyUse, Manifest, ManifestColumn, OutputFile, Risk, SourceOpening};
use crate::anonymity::{UniqueShare, Uniqueness};
use crate::codec::{Boolean, CodecError, Decoder, Encoder, Field, ItemKind, List, Text, record, stored};
use crate::desensitise::measure::{Nature, Residual};
use crate::desensitise::release::{ReleaseModel, RowOrder};
use crate::grade::{Grade, Kind};
use crate::id::{ColumnName, Digest, Name, Salt, Time};
use crate::ledger::Commitment;

/// As many as a source may have.
const COLUMNS_MAX: usize = 16_384;
/// Long enough for a list of bin edges.
pub(super) const TEXT_BYTES_MAX: usize = 4096;
const PARAMETERS_MAX: usize = 16;
const LEAKS_MAX: usize = 8;
/// The technique whose gaps are counted.
const SHIFT: &str = "date_shift";
const DETERMINISTIC: u64 = 1;
const REVERSIBLE: u64 = 2;
const LINKABLE: u64 = 4;

record! {
    pub(super) struct StoredManifest, format 1 {
        2 => release: ReleaseModel,
        3 => order: RowOrder,
        4 => made: Time,
        5 => software: String as Text<TEXT_BYTES_MAX>,
        6 => source: Commitment,
        7 => output: OutputFile,
        8 => rows: Option<u64>,
        9 => risk: Option<Risk>,
        10 => policy: Digest,
        11 => columns: Vec<ManifestColumn> as List<ManifestColumn, COLUMNS_MAX>,
    }
}

record! {
    /// What the policy decided about a column.
    pub(super) struct Decided {
        1 => name: ColumnName,
        3 => technique: Name,
        4 => parameters: Vec<(Name, String)> as Parameters,
        5 => key: Option<KeyUse>,
        11 => not_personal: Option<String> as Option<Text<TEXT_BYTES_MAX>>,
        12 => not_known: Option<String> as Option<Text<TEXT_BYTES_MAX>>,
    }
}

record! {
    /// What the policy lets be unique.
    pub(super) struct Permitted {
        1 => subject: Option<ColumnName>,
        7 => most: UniqueShare,
        8 => because: Option<String> as Option<Text<TEXT_BYTES_MAX>>,
    }
}

record! {
    struct StoredColumn {
        2 => kind: Kind,
        6 => leaves: bool as Boolean,
        7 => grades: Grades,
        8 => residual: Residual = Residual::Unbounded,
        9 => nature: Nature,
        10 => leaks: Vec<String> as List<Text<TEXT_BYTES_MAX>, LEAKS_MAX>,
    } with {
        decided: Decided,
    }
}

record! {
    struct Grades [
        before: Grade,
        after: Grade,
    ]
}

record! {
    pub(super) struct StoredOpening, format 1 {
        2 => salt: Salt,
        3 => digest: Digest,
        4 => rows: Rows,
    }
}

record! {
    struct Rows [
        read: u64,
        written: u64,
        left_out: u64,
    ]
}

/// The keys that errors name.
mod key {
    pub(super) const ROWS: i64 = 8;
    pub(super) const RISK: i64 = 9;
    pub(super) const POLICY: i64 = 10;
    pub(super) const NOT_PERSONAL: i64 = 11;
    pub(super) const NOT_KNOWN: i64 = 12;
}

impl From<&Manifest> for StoredManifest {
    fn from(manifest: &Manifest) -> Self {
        let policy = manifest.policy();
        let Manifest { release, order, made, software, source, output, rows, risk, columns } = manifest.clone();
        Self { release, order, made, software, source, output, rows, risk, policy, columns }
    }
}

impl TryFrom<StoredManifest> for Manifest {
    type Error = CodecError;

    fn try_from(stored: StoredManifest) -> Result<Self, CodecError> {
        let StoredManifest { release, order, made, software, source, output, rows, risk, policy, columns } = stored;
        let manifest = Self { release, order, made, software, source, output, rows, risk, columns };
        if policy != manifest.policy() {
            return Err(CodecError::Value { key: key::POLICY, expected: "the digest of the policy that the columns state" });
        }
        if rows.is_some() != (release == ReleaseModel::Public) {
            return Err(CodecError::Value { key: key::ROWS, expected: "a count of rows in public manifests, and in no other" });
        }
        if manifest.risk.is_some() != (release != ReleaseModel::Enclave) {
            return Err(CodecError::Value { key: key::RISK, expected: "a statement of risk, except in an enclave" });
        }
        if !manifest.uniqueness().is_none_or(|stated| manifest.is_stated_of_all(stated)) {
            return Err(CodecError::Value {
                key: key::RISK,
                expected: "shares on all columns that leave and that somebody outside could know",
            });
        }
        Ok(manifest)
    }
}

impl From<&Uniqueness> for Permitted {
    fn from(stated: &Uniqueness) -> Self {
        Self { subject: stated.subject.clone(), most: stated.most, because: stated.because.clone() }
    }
}

impl Manifest {
    /// Whether the shares are on every column that leaves without a key and that somebody outside could know, in their order, and beside
    /// them on none but those that leave in clear although a key was used.
    fn is_stated_of_all(&self, stated: &Uniqueness) -> bool {
        let leaves = |name: &ColumnName| self.columns.iter().any(|column| column.leaves && column.name == *name);
        let mut counted = stated.columns.iter().map(|column| &column.column).peekable();
        for column in self.columns.iter().filter(|column| column.leaves && column.not_known.is_none()) {
            if counted.next_if(|name| **name == column.name).is_none() && column.key.is_none() {
                return false;
            }
        }
        let subjects = stated.gaps.iter().map(|gaps| &gaps.subject).chain([&stated.subject]).flatten();
        let shifted = |name: &ColumnName| {
            let is_it = |column: &&ManifestColumn| column.leaves && column.name == *name && column.technique.as_str() == SHIFT;
            self.columns.iter().find(is_it)
        };
        let gaps = || stated.gaps.iter().flat_map(|gaps| &gaps.columns).map(|gap| &gap.column);
        let is_in_gaps = |column: &ManifestColumn| column.not_known.is_some() || gaps().any(|name| *name == column.name);
        counted.next().is_none()
            && subjects.into_iter().all(leaves)
            && gaps().all(|name| shifted(name).is_some_and(|column| column.not_known.is_none()))
            && self.columns.iter().filter(|column| shifted(&column.name).is_some()).all(is_in_gaps)
    }
}

impl From<&ManifestColumn> for Decided {
    fn from(column: &ManifestColumn) -> Self {
        let ManifestColumn { name, technique, parameters, key, not_personal, not_known, .. } = column.clone();
        Self { name, technique, parameters, key, not_personal, not_known }
    }
}

stored!(ManifestColumn as StoredColumn);

impl From<&ManifestColumn> for StoredColumn {
    fn from(column: &ManifestColumn) -> Self {
        let decided = column.into();
        let ManifestColumn { kind, leaves, grade_before, grade_after, residual, nature, leaks, .. } = column.clone();
        Self { decided, kind, leaves, grades: Grades { before: grade_before, after: grade_after }, residual, nature, leaks }
    }
}

impl TryFrom<StoredColumn> for ManifestColumn {
    type Error = CodecError;

    fn try_from(stored: StoredColumn) -> Result<Self, CodecError> {
        let StoredColumn { decided, kind, leaves, grades: Grades { before, after }, residual, nature, leaks } = stored;
        let Decided { name, technique, parameters, key, not_personal, not_known } = decided;
        for (key, reason) in [(key::NOT_PERSONAL, &not_personal), (key::NOT_KNOWN, &not_known)] {
            if reason.as_deref().is_some_and(|why| why.trim().is_empty()) {
                return Err(CodecError::Value { key, expected: "a reason that is not empty" });
            }
        }
        let (grade_before, grade_after) = (before, after);
        let about = Self {
            name,
            kind,
            technique,
            parameters,
            key,
            leaves,
            grade_before,
            grade_after,
            residual,
            nature,
            leaks,
            not_personal,
            not_known,
        };
        Ok(about)
    }
}

impl From<&SourceOpening> for StoredOpening {
    fn from(opening: &SourceOpening) -> Self {
        let SourceOpening { salt, digest, rows_read, rows_written, rows_left_out } = *opening;
        Self { salt, digest, rows: Rows { read: rows_read, written: rows_written, left_out: rows_left_out } }
    }
}

impl From<StoredOpening> for SourceOpening {
    fn from(stored: StoredOpening) -> Self {
        let StoredOpening { salt, digest, rows: Rows { read, written, left_out } } = stored;
        Self { salt, digest, rows_read: read, rows_written: written, rows_left_out: left_out }
    }
}

stored!(ReleaseModel as u64, "0, 1, 2", |model| model.number(), Self::from_number, "a release model");

stored!(RowOrder as u64, "0, 1, 2", |order| order.number(), Self::from_number, "an order of rows");

/// 0 where nobody has measured it.
impl Field for Risk {
    type Value = Self;
    const SHAPE: &'static str = "0, map";

    fn write(value: &Self, out: &mut Encoder) {
        match value {
            Self::NotAssessed => drop(out.uint(0)),
            Self::Uniqueness(stated) => Uniqueness::write(stated, out),
        }
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        if decoder.peek()? == ItemKind::Map {
            return Uniqueness::read(decoder, key).map(Self::Uniqueness);
        }
        if decoder.uint()? == 0 { Ok(Self::NotAssessed) } else { Err(CodecError::Value { key, expected: "a kind of risk statement" }) }
    }
}

stored!(
    Kind as Text<TEXT_BYTES_MAX>,
    "text",
    |kind| kind.as_str().to_owned(),
    |word| Self::parse(&word).or_else(|| Name::new(&word).ok().map(Self::Custom)),
    "a kind of data"
);

// Larger ones are as good as the largest. What is unbounded is absent.
stored!(
    Residual as u64,
    "number",
    |residual| match residual {
        Self::AtLeast(least) => u64::try_from(*least).unwrap_or(u64::MAX),
        Self::Unbounded => u64::MAX,
    },
    |least| Some(Self::AtLeast(least.into())),
    "a number"
);

stored!(
    Nature as u64,
    "flags",
    |nature| {
        let flag = |is: bool, flag: u64| if is { flag } else { 0 };
        flag(nature.deterministic, DETERMINISTIC) | flag(nature.reversible, REVERSIBLE) | flag(nature.linkable, LINKABLE)
    },
    |flags| {
        let is = |flag| flags & flag != 0;
        (flags < 8).then(|| Self { deterministic: is(DETERMINISTIC), reversible: is(REVERSIBLE), linkable: is(LINKABLE) })
    },
    "three flags"
);

/// Names and values in turn, in the order of the names.
enum Parameters {}

impl Field for Parameters {
    type Value = Vec<(Name, String)>;
    const SHAPE: &'static str = "`[name, value, name, value, ...]`";

    fn write(value: &Vec<(Name, String)>, out: &mut Encoder) {
        out.array(2 * value.len());
        for (name, value) in value {
            out.text(name.as_str()).text(value);
        }
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Vec<(Name, String)>, CodecError> {
        let wrong = |expected| CodecError::Value { key, expected };
        let items = decoder.array(2 * PARAMETERS_MAX)?;
        if items % 2 != 0 {
            return Err(wrong("pairs"));
        }
        let pair = |_| Ok((Name::read(decoder, key)?, decoder.text(TEXT_BYTES_MAX)?.to_owned()));
        let pairs = (0..items / 2).map(pair).collect::<Result<Vec<_>, CodecError>>()?;
        let is_sorted = pairs.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if is_sorted { Ok(pairs) } else { Err(wrong("parameters in the order of their names")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Record, assert_documented};

    #[test]
    fn the_page_lists_their_fields() {
        let page = include_str!("../../../docs/manifest.md");
        assert_documented(page, "## Payload", StoredManifest::TABLE);
        assert_documented(page, "### Column", StoredColumn::TABLE);
        assert_documented(page, "### Opening", StoredOpening::TABLE);
    }
}
