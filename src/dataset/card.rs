//! Cards: what a grant and a request need to know of a dataset, signed by its owner.

use super::publication::{DESCRIPTION_BYTES_MAX, read_map};
use super::{Description, Publication};
use crate::codec::{CodecError, Encoder, required};
use crate::envelope::{Artefact, Signed};
use crate::id::{DatasetId, LedgerId};
use crate::label::Label;

/// The public card of a dataset: what a grant and a request need to know, signed by the owner (rule A3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The dataset.
    pub dataset: DatasetId,
    /// The ledger at which it is used.
    pub ledger: LedgerId,
    /// What the data is.
    pub description: Description,
    /// The gate's certificate, which lets the owner's key alone verify a receipt.
    pub gate_certificate: Vec<u8>,
}

mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const LEDGER: i64 = 2;
    pub(super) const DATASET: i64 = 3;
    pub(super) const DESCRIPTION: i64 = 4;
    pub(super) const GATE_CERTIFICATE: i64 = 9;
}

const CERTIFICATE_BYTES_MAX: usize = 1024;

impl Card {
    /// The card of a publication.
    #[must_use]
    pub fn of(publication: &Signed<Publication>, gate_certificate: Vec<u8>) -> Self {
        let Publication { ledger, description, .. } = publication.value().clone();
        Self { dataset: publication.dataset_id(), ledger, description, gate_certificate }
    }
}

impl Artefact for Card {
    const LABEL: Label = Label::CARD;
    const TYPE: &'static str = "usufruct-dataset-card+cbor";
    const PAYLOAD_BYTES_MAX: usize = DESCRIPTION_BYTES_MAX;

    fn to_payload(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(1);
            map.key(key::LEDGER).bytes(self.ledger.as_bytes());
            map.key(key::DATASET).bytes(self.dataset.as_bytes());
            self.description.encode(map.key(key::DESCRIPTION));
            map.key(key::GATE_CERTIFICATE).bytes(&self.gate_certificate);
        });
        out.into_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let (mut ledger, mut dataset, mut description, mut gate_certificate) = (None, None, None, None);
        read_map(payload, |key, decoder| {
            match key {
                key::LEDGER => ledger = Some(LedgerId::from_bytes(decoder.byte_array()?)),
                key::DATASET => dataset = Some(DatasetId::from_bytes(decoder.byte_array()?)),
                key::DESCRIPTION => description = Some(Description::decode(decoder)?),
                key::GATE_CERTIFICATE => gate_certificate = Some(decoder.bytes(CERTIFICATE_BYTES_MAX)?.to_vec()),
                key => return Err(CodecError::UnknownKey { key }),
            }
            Ok(())
        })?;
        Ok(Self {
            dataset: required(dataset, key::DATASET)?,
            ledger: required(ledger, key::LEDGER)?,
            description: required(description, key::DESCRIPTION)?,
            gate_certificate: required(gate_certificate, key::GATE_CERTIFICATE)?,
        })
    }
}
