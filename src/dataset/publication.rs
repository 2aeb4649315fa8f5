//! What an owner signs to publish: a first publication, a version, a refill.

use super::Description;
use crate::budget::Loss;
use crate::codec::record;
use crate::envelope::{Signed, artefact};
use crate::id::{DatasetId, LedgerId, VersionId};
use crate::ledger::{Commitment, RefillReason};

/// A description with the longest lists of declared values that are sensible.
pub(super) const DESCRIPTION_BYTES_MAX: usize = 1024 * 1024;

record! {
    /// The owner's first word on a dataset: description, ledger and first data. The hash of its payload is the
    /// dataset's id, so that a right can be spent at one ledger only (rule B1).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Publication, format 1 {
        /// The ledger at which the dataset is used.
        2 => pub ledger: LedgerId,
        /// What the data is.
        4 => pub description: Description,
        /// The first version of the data.
        5 => pub snapshot: Commitment,
    }
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

artefact!(Publication, PUBLISH, "usufruct-publication+cbor", DESCRIPTION_BYTES_MAX);

record! {
    /// A later version of a dataset: other data, and nothing else (rule B2).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct NewVersion, format 1 {
        /// The dataset.
        3 => pub dataset: DatasetId,
        /// The data.
        5 => pub snapshot: Commitment,
        /// The number of the version; the first, in the publication, is 1.
        6 => pub number: u64,
    }
}

artefact!(NewVersion, VERSION, "usufruct-version+cbor");

record! {
    /// More budget for a lineage, with the owner's reason (rule B2).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Refill, format 1 {
        /// The dataset.
        3 => pub dataset: DatasetId,
        /// 1 for the first refill of the dataset, so that one signature refills once.
        6 => pub number: u64,
        /// How much.
        7 => pub amount: Loss,
        /// Why.
        8 => pub reason: RefillReason,
    }
}

artefact!(Refill, REFILL, "usufruct-refill+cbor");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Record, assert_documented};

    #[test]
    fn the_page_lists_their_fields() {
        let page = include_str!("../../docs/ledger.md");
        assert_documented(page, "#### Publication", Publication::TABLE);
        assert_documented(page, "#### Later version", NewVersion::TABLE);
        assert_documented(page, "#### Refill", Refill::TABLE);
    }
}
