//! Cards: what a grant and a request need to know of a dataset, signed by its owner.

use super::publication::DESCRIPTION_BYTES_MAX;
use super::{Description, Publication};
use crate::codec::{Bytes, record};
use crate::envelope::{Signed, artefact};
use crate::id::{DatasetId, LedgerId};

record! {
    /// The public card of a dataset: what a grant and a request need to know, signed by the owner (rule A3).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Card, format 1 {
        /// The ledger at which it is used.
        2 => pub ledger: LedgerId,
        /// The dataset.
        3 => pub dataset: DatasetId,
        /// What the data is.
        4 => pub description: Description,
        /// The gate's certificate, which lets the owner's key alone verify a receipt.
        9 => pub gate_certificate: Vec<u8> as Bytes<CERTIFICATE_BYTES_MAX>,
    }
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

artefact!(Card, CARD, "usufruct-dataset-card+cbor", DESCRIPTION_BYTES_MAX);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Record, assert_documented};

    #[test]
    fn the_page_lists_its_fields() {
        assert_documented(include_str!("../../docs/ledger.md"), "#### Card", Card::TABLE);
    }
}
