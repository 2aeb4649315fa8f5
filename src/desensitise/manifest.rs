//! Manifests: what a desensitised file is, how it was made, and what it leaves open.

use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::envelope::Artefact;
use crate::grade::{Grade, Kind};
use crate::id::{ColumnName, Digest, Name, Salt, Time};
use crate::label::Label;
use crate::ledger::Commitment;

use super::measure::{Nature, Residual};
use super::release::{ReleaseModel, RowOrder};

/// What a desensitised file is (脱敏清单): signed, or the payload alone, which is then marked unsigned.
///
/// Names no file, no value and no count of the source. The source is there as a commitment that [`SourceOpening`] opens.
///
/// # Source
/// The byte format is `docs/manifest.md`. Rules H2, H3, L7 of `docs/rules.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// To whom the file may go.
    pub release: ReleaseModel,
    /// How its rows are ordered.
    pub order: RowOrder,
    /// When it was made, by the clock of whoever made it.
    pub made: Time,
    /// What made it.
    pub software: String,
    /// The source, hidden until it is opened.
    pub source: Commitment,
    /// The file.
    pub output: OutputFile,
    /// How many rows it has; in public manifests only.
    pub rows: Option<u64>,
    /// What is known of the risk of telling persons apart; nothing is asked of an enclave.
    pub risk: Option<Risk>,
    /// Every column of the source, in its order, those that do not leave too.
    pub columns: Vec<ManifestColumn>,
}

/// The file that a manifest is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes it has.
    pub bytes: u64,
    /// `csv`, `parquet` or `ipc`.
    pub format: String,
}

/// What is known of the risk of telling persons apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Risk {
    /// Nobody has measured it.
    NotAssessed,
}

/// What was done to a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestColumn {
    /// Its name.
    pub name: ColumnName,
    /// What its cells were taken for.
    pub kind: Kind,
    /// The technique.
    pub technique: Name,
    /// Its parameters, as a policy gives them, in the order of their names.
    pub parameters: Vec<(Name, String)>,
    /// The key of a keyed technique.
    pub key: Option<KeyUse>,
    /// Whether the column left.
    pub leaves: bool,
    /// The grade of the source's column.
    pub grade_before: Grade,
    /// The grade of what left.
    pub grade_after: Grade,
    /// The least number of input values behind an output.
    pub residual: Residual,
    /// What kind of function the technique is.
    pub nature: Nature,
    /// What can still be learnt, in words.
    pub leaks: Vec<String>,
}

/// Which key a technique used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Its id in the owner's key file.
    pub id: Name,
    /// Its version.
    pub version: u32,
    /// Its algorithm.
    pub algorithm: Name,
}

/// What opens [`Manifest::source`]: stays with the owner (`OUT.opening`, 0600).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceOpening {
    /// Hides everything else while it is secret.
    pub salt: Salt,
    /// SHA-256 of the source's bytes, or of the version string of a source that is no file.
    pub digest: Digest,
    /// Rows read.
    pub rows_read: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Rows left out because a cell was not of its kind.
    pub rows_left_out: u64,
}

mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const RELEASE: i64 = 2;
    pub(super) const ORDER: i64 = 3;
    pub(super) const MADE: i64 = 4;
    pub(super) const SOFTWARE: i64 = 5;
    pub(super) const SOURCE: i64 = 6;
    pub(super) const OUTPUT: i64 = 7;
    pub(super) const ROWS: i64 = 8;
    pub(super) const RISK: i64 = 9;
    pub(super) const POLICY: i64 = 10;
    pub(super) const COLUMNS: i64 = 11;

    pub(super) mod column {
        pub(in super::super) const NAME: i64 = 1;
        pub(in super::super) const KIND: i64 = 2;
        pub(in super::super) const TECHNIQUE: i64 = 3;
        pub(in super::super) const PARAMETERS: i64 = 4;
        pub(in super::super) const KEY: i64 = 5;
        pub(in super::super) const LEAVES: i64 = 6;
        pub(in super::super) const GRADES: i64 = 7;
        pub(in super::super) const RESIDUAL: i64 = 8;
        pub(in super::super) const NATURE: i64 = 9;
        pub(in super::super) const LEAKS: i64 = 10;
    }

    pub(super) mod opening {
        pub(in super::super) const SALT: i64 = 2;
        pub(in super::super) const DIGEST: i64 = 3;
        pub(in super::super) const ROWS: i64 = 4;
    }
}

const FORMAT: u64 = 1;
/// As many as a source may have.
const COLUMNS_MAX: usize = 16_384;
/// Long enough for a list of bin edges.
const TEXT_BYTES_MAX: usize = 4096;
const PARAMETERS_MAX: usize = 16;
const LEAKS_MAX: usize = 8;
const DETERMINISTIC: u64 = 1;
const REVERSIBLE: u64 = 2;
const LINKABLE: u64 = 4;

impl Manifest {
    /// SHA-256 of what the policy decided: release, order, and technique, parameters and key of every column. Two files
    /// with the same digest were made by the same policy, whatever its text looked like.
    #[must_use]
    pub fn policy(&self) -> Digest {
        let mut out = Encoder::new();
        out.array(4).text(Label::POLICY.as_str()).uint(self.release.number()).uint(self.order.number()).array(self.columns.len());
        for column in &self.columns {
            out.map(|map| column.encode_policy(map));
        }
        Digest::of(&out.into_bytes())
    }

    /// Whether `bytes` are the file that the manifest is about.
    #[must_use]
    pub fn is_about(&self, digest: &Digest, bytes: u64) -> bool {
        self.output.digest == *digest && self.output.bytes == bytes
    }

    /// Whether the opening opens the commitment to the source.
    #[must_use]
    pub fn is_opened_by(&self, opening: &SourceOpening) -> bool {
        self.source.opens(Label::SOURCE, &opening.salt, &opening.content())
    }
}

impl Artefact for Manifest {
    const LABEL: Label = Label::MANIFEST;
    const TYPE: &'static str = "usufruct-manifest+cbor";
    const PAYLOAD_BYTES_MAX: usize = 16 << 20;

    fn to_payload(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::RELEASE).uint(self.release.number());
            map.key(key::ORDER).uint(self.order.number());
            map.key(key::MADE).uint(self.made.unix_s());
            map.key(key::SOFTWARE).text(&self.software);
            map.key(key::SOURCE).bytes(self.source.as_bytes());
            let OutputFile { digest, bytes, format } = &self.output;
            map.key(key::OUTPUT).array(3).bytes(digest.as_bytes()).uint(*bytes).text(format);
            if let Some(rows) = self.rows {
                map.key(key::ROWS).uint(rows);
            }
            if let Some(Risk::NotAssessed) = self.risk {
                map.key(key::RISK).uint(0);
            }
            map.key(key::POLICY).bytes(self.policy().as_bytes());
            let columns = map.key(key::COLUMNS).array(self.columns.len());
            for column in &self.columns {
                columns.map(|map| column.encode(map));
            }
        });
        out.into_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(payload, Limits::of_bytes(Self::PAYLOAD_BYTES_MAX))?;
        let (mut release, mut order, mut made, mut software, mut source, mut output) = (None, None, None, None, None, None);
        let (mut rows, mut risk, mut policy, mut columns) = (None, None, None, None);
        let mut keys = decoder.map(16)?;
        if keys.next(&mut decoder)? != Some(key::FORMAT) || decoder.uint()? != FORMAT {
            return Err(CodecError::Value { key: key::FORMAT, expected: "format 1" });
        }
        while let Some(key) = keys.next(&mut decoder)? {
            match key {
                key::RELEASE => release = Some(known(ReleaseModel::from_number(decoder.uint()?), key, "a release model")?),
                key::ORDER => order = Some(known(RowOrder::from_number(decoder.uint()?), key, "an order of rows")?),
                key::MADE => made = Some(known(Some(decoder.uint()?).filter(|s| *s <= Time::MAX.unix_s()), key, "a time")?),
                key::SOFTWARE => software = Some(decoder.text(TEXT_BYTES_MAX)?.to_owned()),
                key::SOURCE => source = Some(Commitment::from_bytes(decoder.byte_array()?)),
                key::OUTPUT => output = Some(OutputFile::decode(&mut decoder)?),
                key::ROWS => rows = Some(decoder.uint()?),
                key::RISK => risk = Some(known((decoder.uint()? == 0).then_some(Risk::NotAssessed), key, "a kind of risk statement")?),
                key::POLICY => policy = Some(Digest::from_bytes(decoder.byte_array()?)),
                key::COLUMNS => {
                    let count = decoder.array(COLUMNS_MAX)?;
                    columns = Some((0..count).map(|_| ManifestColumn::decode(&mut decoder)).collect::<Result<Vec<_>, _>>()?);
                }
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        let manifest = Self {
            release: required(release, key::RELEASE)?,
            order: required(order, key::ORDER)?,
            made: Time::from_unix_s(required(made, key::MADE)?),
            software: required(software, key::SOFTWARE)?,
            source: required(source, key::SOURCE)?,
            output: required(output, key::OUTPUT)?,
            rows,
            risk,
            columns: required(columns, key::COLUMNS)?,
        };
        if required(policy, key::POLICY)? != manifest.policy() {
            return Err(CodecError::Value { key: key::POLICY, expected: "the digest of the policy that the columns state" });
        }
        if rows.is_some() != (manifest.release == ReleaseModel::Public) {
            return Err(CodecError::Value { key: key::ROWS, expected: "a count of rows in public manifests, and in no other" });
        }
        if risk.is_some() != (manifest.release != ReleaseModel::Enclave) {
            return Err(CodecError::Value { key: key::RISK, expected: "a statement of risk, except in an enclave" });
        }
        Ok(manifest)
    }
}

impl OutputFile {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let of_three = Some(decoder.array(3)?).filter(|&count| count == 3);
        known(of_three, key::OUTPUT, "digest, bytes and format")?;
        let digest = Digest::from_bytes(decoder.byte_array()?);
        Ok(Self { digest, bytes: decoder.uint()?, format: decoder.text(TEXT_BYTES_MAX)?.to_owned() })
    }
}

impl ManifestColumn {
    /// What the policy decided about the column.
    fn encode_policy(&self, map: &mut crate::codec::MapEncoder) {
        use key::column::{KEY, NAME, PARAMETERS, TECHNIQUE};
        map.key(NAME).text(self.name.as_str());
        map.key(TECHNIQUE).text(self.technique.as_str());
        let parameters = map.key(PARAMETERS).array(2 * self.parameters.len());
        for (name, value) in &self.parameters {
            parameters.text(name.as_str()).text(value);
        }
        if let Some(KeyUse { id, version, algorithm }) = &self.key {
            map.key(KEY).array(3).text(id.as_str()).uint(u64::from(*version)).text(algorithm.as_str());
        }
    }

    fn encode(&self, map: &mut crate::codec::MapEncoder) {
        use key::column::{GRADES, KIND, LEAKS, LEAVES, NATURE, RESIDUAL};
        self.encode_policy(map);
        map.key(KIND).text(self.kind.as_str());
        map.key(LEAVES).boolean(self.leaves);
        map.key(GRADES).array(2).uint(self.grade_before.number()).uint(self.grade_after.number());
        // Larger ones are as good as this one.
        if let Residual::AtLeast(least) = self.residual {
            map.key(RESIDUAL).uint(u64::try_from(least).unwrap_or(u64::MAX));
        }
        let Nature { deterministic, reversible, linkable } = self.nature;
        let flag = |is: bool, flag: u64| if is { flag } else { 0 };
        map.key(NATURE).uint(flag(deterministic, DETERMINISTIC) | flag(reversible, REVERSIBLE) | flag(linkable, LINKABLE));
        let leaks = map.key(LEAKS).array(self.leaks.len());
        for leak in &self.leaks {
            leaks.text(leak);
        }
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CodecError> {
        use key::column::{GRADES, KEY, KIND, LEAKS, LEAVES, NAME, NATURE, PARAMETERS, RESIDUAL, TECHNIQUE};
        let (mut name, mut kind, mut technique, mut parameters, mut key_use) = (None, None, None, None, None);
        let (mut leaves, mut grades, mut residual, mut nature, mut leaks) = (None, None, Residual::Unbounded, None, None);
        let mut keys = decoder.map(16)?;
        while let Some(key) = keys.next(decoder)? {
            match key {
                NAME => name = Some(known(ColumnName::new(decoder.text(TEXT_BYTES_MAX)?).ok(), key, "the name of a column")?),
                KIND => {
                    let word = decoder.text(TEXT_BYTES_MAX)?;
                    let custom = || Name::new(word).ok().map(Kind::Custom);
                    kind = Some(known(Kind::parse(word).or_else(custom), key, "a kind of data")?);
                }
                TECHNIQUE => technique = Some(self::name(decoder, key)?),
                PARAMETERS => {
                    let count = known(Some(decoder.array(2 * PARAMETERS_MAX)?).filter(|count| count % 2 == 0), key, "pairs")?;
                    let pair = |_| Ok((self::name(decoder, key)?, decoder.text(TEXT_BYTES_MAX)?.to_owned()));
                    let pairs = (0..count / 2).map(pair).collect::<Result<Vec<_>, CodecError>>()?;
                    let sorted = pairs.windows(2).all(|pair| pair[0].0 < pair[1].0);
                    parameters = Some(known(sorted.then_some(pairs), key, "parameters in the order of their names")?);
                }
                KEY => {
                    known((decoder.array(3)? == 3).then_some(()), key, "id, version and algorithm of a key")?;
                    let id = self::name(decoder, key)?;
                    let version = known(u32::try_from(decoder.uint()?).ok(), key, "a version of 32 bits")?;
                    key_use = Some(KeyUse { id, version, algorithm: self::name(decoder, key)? });
                }
                LEAVES => leaves = Some(decoder.boolean()?),
                GRADES => {
                    known((decoder.array(2)? == 2).then_some(()), key, "two grades")?;
                    let mut grade = || known(Grade::from_number(decoder.uint()?), key, "a grade");
                    grades = Some((grade()?, grade()?));
                }
                RESIDUAL => residual = Residual::AtLeast(u128::from(decoder.uint()?)),
                NATURE => {
                    let flags = known(Some(decoder.uint()?).filter(|flags| *flags < 8), key, "three flags")?;
                    let is = |flag| flags & flag != 0;
                    nature = Some(Nature { deterministic: is(DETERMINISTIC), reversible: is(REVERSIBLE), linkable: is(LINKABLE) });
                }
                LEAKS => {
                    let count = decoder.array(LEAKS_MAX)?;
                    let leak = |_| decoder.text(TEXT_BYTES_MAX).map(str::to_owned);
                    leaks = Some((0..count).map(leak).collect::<Result<Vec<_>, _>>()?);
                }
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        let (grade_before, grade_after) = required(grades, GRADES)?;
        Ok(Self {
            name: required(name, NAME)?,
            kind: required(kind, KIND)?,
            technique: required(technique, TECHNIQUE)?,
            parameters: required(parameters, PARAMETERS)?,
            key: key_use,
            leaves: required(leaves, LEAVES)?,
            grade_before,
            grade_after,
            residual,
            nature: required(nature, NATURE)?,
            leaks: required(leaks, LEAKS)?,
        })
    }
}

impl SourceOpening {
    /// What the commitment covers beside the salt.
    fn content(&self) -> Digest {
        let mut out = Encoder::new();
        out.array(4).bytes(self.digest.as_bytes()).uint(self.rows_read).uint(self.rows_written).uint(self.rows_left_out);
        Digest::of(&out.into_bytes())
    }

    /// The commitment that it opens.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        Commitment::new(Label::SOURCE, &self.salt, &self.content())
    }

    /// The bytes of an opening file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::opening::SALT).bytes(self.salt.as_bytes());
            map.key(key::opening::DIGEST).bytes(self.digest.as_bytes());
            map.key(key::opening::ROWS).array(3).uint(self.rows_read).uint(self.rows_written).uint(self.rows_left_out);
        });
        out.into_bytes()
    }

    /// Reads an opening file.
    ///
    /// # Errors
    /// Anything but the canonical encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        use key::opening::{DIGEST, ROWS, SALT};
        let mut decoder = Decoder::new(bytes, Limits::default())?;
        let (mut salt, mut digest, mut rows) = (None, None, None);
        let mut keys = decoder.map(8)?;
        if keys.next(&mut decoder)? != Some(key::FORMAT) || decoder.uint()? != FORMAT {
            return Err(CodecError::Value { key: key::FORMAT, expected: "format 1" });
        }
        while let Some(key) = keys.next(&mut decoder)? {
            match key {
                SALT => salt = Some(Salt::from_bytes(decoder.byte_array()?)),
                DIGEST => digest = Some(Digest::from_bytes(decoder.byte_array()?)),
                ROWS => {
                    known((decoder.array(3)? == 3).then_some(()), key, "three counts")?;
                    rows = Some([decoder.uint()?, decoder.uint()?, decoder.uint()?]);
                }
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        let [rows_read, rows_written, rows_left_out] = required(rows, ROWS)?;
        Ok(Self { salt: required(salt, SALT)?, digest: required(digest, DIGEST)?, rows_read, rows_written, rows_left_out })
    }
}

fn name(decoder: &mut Decoder<'_>, key: i64) -> Result<Name, CodecError> {
    known(Name::new(decoder.text(TEXT_BYTES_MAX)?).ok(), key, "a name")
}

fn known<T>(value: Option<T>, key: i64, expected: &'static str) -> Result<T, CodecError> {
    value.ok_or(CodecError::Value { key, expected })
}
