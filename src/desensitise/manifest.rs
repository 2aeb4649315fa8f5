//! Manifests: what a desensitised file is, how it was made, and what it leaves open.

mod stored;

use crate::anonymity::Uniqueness;
use crate::codec::{CodecError, Encoder, Limits, Record, Text, record};
use crate::envelope::Artefact;
use crate::grade::{Grade, Kind};
use crate::id::{ColumnName, Digest, Name, Salt, Time};
use crate::label::Label;
use crate::ledger::Commitment;

use self::stored::{Decided, Permitted, StoredManifest, StoredOpening, TEXT_BYTES_MAX};
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

record! {
    /// The file that a manifest is about.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct OutputFile [
        /// SHA-256 of its bytes.
        pub digest: Digest,
        /// How many bytes it has.
        pub bytes: u64,
        /// `csv`, `parquet` or `ipc`.
        pub format: String as Text<TEXT_BYTES_MAX>,
    ]
}

/// What is known of the risk of telling persons apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Risk {
    /// Nobody has measured it: so say manifests that were made before uniqueness was counted, and no other.
    NotAssessed,
    /// The shares of persons who are unique in the file.
    Uniqueness(Uniqueness),
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
    /// Why the column tells of no person though its header names an identifier, by the word of whoever signs.
    pub not_personal: Option<String>,
    /// Why nobody outside can know what has left of it, by the word of whoever signs: nobody is counted as unique by it.
    pub not_known: Option<String>,
}

record! {
    /// Which key a technique used.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeyUse [
        /// Its id in the owner's key file.
        pub id: Name,
        /// Its version.
        pub version: u32,
        /// Its algorithm.
        pub algorithm: Name,
    ]
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

impl Manifest {
    /// SHA-256 of what the policy decided: release, order, technique, parameters, key, `not_personal` and `not_known` of every column, and,
    /// where uniqueness is stated, whose the records are, how many may be unique, and why. Two files with the same digest were made by the
    /// same policy, whatever its text looked like.
    #[must_use]
    pub fn policy(&self) -> Digest {
        let mut out = Encoder::new();
        let unique = self.uniqueness().map(Permitted::from);
        out.array(4 + usize::from(unique.is_some())).text(Label::POLICY.as_str()).uint(self.release.number()).uint(self.order.number());
        out.array(self.columns.len());
        self.columns.iter().for_each(|column| Decided::from(column).write_map(&mut out));
        unique.iter().for_each(|unique| unique.write_map(&mut out));
        Digest::of(&out.into_bytes())
    }

    /// The shares of persons who are unique in the file, if they were counted.
    #[must_use]
    pub const fn uniqueness(&self) -> Option<&Uniqueness> {
        match &self.risk {
            Some(Risk::Uniqueness(stated)) => Some(stated),
            _ => None,
        }
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
        StoredManifest::from(self).to_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        StoredManifest::from_bytes(payload, Limits::of_bytes(Self::PAYLOAD_BYTES_MAX))?.try_into()
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
        StoredOpening::from(self).to_bytes()
    }

    /// Reads an opening file.
    ///
    /// # Errors
    /// Anything but the canonical encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        StoredOpening::from_bytes(bytes, Limits::default()).map(Self::from)
    }
}
