//! What an owner signs to publish: a first publication, a version, a refill.

use super::Description;
use crate::budget::Loss;
use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::envelope::{Artefact, Signed};
use crate::id::{DatasetId, LedgerId, VersionId};
use crate::label::Label;
use crate::ledger::{Commitment, RefillReason};

/// The format version of every artefact in this file.
const FORMAT: u64 = 1;
/// A description with the longest lists of declared values that are sensible.
pub(super) const DESCRIPTION_BYTES_MAX: usize = 1024 * 1024;

mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const LEDGER: i64 = 2;
    pub(super) const DATASET: i64 = 3;
    pub(super) const DESCRIPTION: i64 = 4;
    pub(super) const SNAPSHOT: i64 = 5;
    pub(super) const NUMBER: i64 = 6;
    pub(super) const AMOUNT: i64 = 7;
    pub(super) const REASON: i64 = 8;
}

/// The owner's first word on a dataset: description, ledger and first data. The hash of its payload is the
/// dataset's id, so that a right can be spent at one ledger only (rule B1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The ledger at which the dataset is used.
    pub ledger: LedgerId,
    /// What the data is.
    pub description: Description,
    /// The first version of the data.
    pub snapshot: Commitment,
}

impl Signed<Publication> {
    /// The id of the dataset.
    #[must_use]
    pub fn dataset_id(&self) -> DatasetId {
        DatasetId::from_bytes(*self.digest().as_bytes())
    }

    /// The id of the first version.
    #[must_use]
    pub fn version_id(&self) -> VersionId {
        VersionId::from_bytes(*self.digest().as_bytes())
    }
}

impl Artefact for Publication {
    const LABEL: Label = Label::PUBLISH;
    const TYPE: &'static str = "usufruct-publication+cbor";
    const PAYLOAD_BYTES_MAX: usize = DESCRIPTION_BYTES_MAX;

    fn to_payload(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::LEDGER).bytes(self.ledger.as_bytes());
            self.description.encode(map.key(key::DESCRIPTION));
            map.key(key::SNAPSHOT).bytes(self.snapshot.as_bytes());
        });
        out.into_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let (mut ledger, mut description, mut snapshot) = (None, None, None);
        read_map(payload, |key, decoder| {
            match key {
                key::LEDGER => ledger = Some(LedgerId::from_bytes(decoder.byte_array()?)),
                key::DESCRIPTION => description = Some(Description::decode(decoder)?),
                key::SNAPSHOT => snapshot = Some(Commitment::from_bytes(decoder.byte_array()?)),
                key => return Err(CodecError::UnknownKey { key }),
            }
            Ok(())
        })?;
        Ok(Self {
            ledger: required(ledger, key::LEDGER)?,
            description: required(description, key::DESCRIPTION)?,
            snapshot: required(snapshot, key::SNAPSHOT)?,
        })
    }
}

/// A later version of a dataset: other data, and nothing else (rule B2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// The dataset.
    pub dataset: DatasetId,
    /// The number of the version; the first, in the publication, is 1.
    pub number: u64,
    /// The data.
    pub snapshot: Commitment,
}

impl Artefact for NewVersion {
    const LABEL: Label = Label::VERSION;
    const TYPE: &'static str = "usufruct-version+cbor";

    fn to_payload(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::DATASET).bytes(self.dataset.as_bytes());
            map.key(key::NUMBER).uint(self.number);
            map.key(key::SNAPSHOT).bytes(self.snapshot.as_bytes());
        });
        out.into_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let (mut dataset, mut number, mut snapshot) = (None, None, None);
        read_map(payload, |key, decoder| {
            match key {
                key::DATASET => dataset = Some(DatasetId::from_bytes(decoder.byte_array()?)),
                key::NUMBER => number = Some(decoder.uint()?),
                key::SNAPSHOT => snapshot = Some(Commitment::from_bytes(decoder.byte_array()?)),
                key => return Err(CodecError::UnknownKey { key }),
            }
            Ok(())
        })?;
        Ok(Self {
            dataset: required(dataset, key::DATASET)?,
            number: required(number, key::NUMBER)?,
            snapshot: required(snapshot, key::SNAPSHOT)?,
        })
    }
}

/// More budget for a lineage, with the owner's reason (rule B2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refill {
    /// The dataset.
    pub dataset: DatasetId,
    /// 1 for the first refill of the dataset, so that one signature refills once.
    pub number: u64,
    /// How much.
    pub amount: Loss,
    /// Why.
    pub reason: RefillReason,
}

impl Artefact for Refill {
    const LABEL: Label = Label::REFILL;
    const TYPE: &'static str = "usufruct-refill+cbor";

    fn to_payload(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::DATASET).bytes(self.dataset.as_bytes());
            map.key(key::NUMBER).uint(self.number);
            self.amount.encode(map.key(key::AMOUNT));
            map.key(key::REASON).text(self.reason.name());
        });
        out.into_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let (mut dataset, mut number, mut amount, mut reason) = (None, None, None, None);
        read_map(payload, |key, decoder| {
            match key {
                key::DATASET => dataset = Some(DatasetId::from_bytes(decoder.byte_array()?)),
                key::NUMBER => number = Some(decoder.uint()?),
                key::AMOUNT => amount = Some(Loss::decode(decoder)?),
                key::REASON => {
                    reason = Some(
                        RefillReason::from_name(decoder.text(32)?).ok_or(CodecError::Value { key, expected: "a reason for a refill" })?,
                    );
                }
                key => return Err(CodecError::UnknownKey { key }),
            }
            Ok(())
        })?;
        Ok(Self {
            dataset: required(dataset, key::DATASET)?,
            number: required(number, key::NUMBER)?,
            amount: required(amount, key::AMOUNT)?,
            reason: required(reason, key::REASON)?,
        })
    }
}

/// Reads a payload that is one map whose first entry is the format.
pub(super) fn read_map(payload: &[u8], mut entry: impl FnMut(i64, &mut Decoder<'_>) -> Result<(), CodecError>) -> Result<(), CodecError> {
    let mut decoder = Decoder::new(payload, Limits::of_bytes(DESCRIPTION_BYTES_MAX))?;
    let mut keys = decoder.map(16)?;
    if keys.next(&mut decoder)? != Some(key::FORMAT) || decoder.uint()? != FORMAT {
        return Err(CodecError::Value { key: key::FORMAT, expected: "format 1" });
    }
    while let Some(key) = keys.next(&mut decoder)? {
        entry(key, &mut decoder)?;
    }
    decoder.finish()
}
