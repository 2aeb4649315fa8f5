//! A publication on its way to the gate: the signed act with what opens its commitment.

use zeroize::Zeroizing;

use super::publication::DESCRIPTION_BYTES_MAX;
use crate::codec::{CodecError, Limits, Record, record};
use crate::id::{Digest, Salt};

record! {
    /// A publication that the owner signed away from the gate: the act, what opens its commitment to the data, and the card. The
    /// data themselves lie beside it as a snapshot. It is the owner's secret, as the salt is.
    #[derive(Clone, PartialEq, Eq)]
    pub struct PublicationFile, format 1 {
        /// The signed publication, or the signed later version.
        2 => pub artefact: Vec<u8>,
        /// Opens the commitment to the snapshot. The salt of a lineage's first one also makes the key of its row choice (rule D2).
        3 => pub salt: Salt,
        /// Of the snapshot.
        4 => pub digest: Digest,
        /// The signed card.
        5 => pub card: Vec<u8>,
    }
}

impl PublicationFile {
    /// Two descriptions and their envelopes.
    pub const BYTES_MAX: usize = 2 * (DESCRIPTION_BYTES_MAX + 1024) + 1024;

    /// The bytes of the file.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.to_bytes())
    }

    /// Reads the bytes of such a file; nothing in it is believed yet.
    ///
    /// # Errors
    /// Not exactly such a file.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::from_bytes(bytes, Limits::of_bytes(Self::BYTES_MAX))
    }
}

/// Secrets are not shown.
impl std::fmt::Debug for PublicationFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublicationFile { .. }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::assert_documented;

    #[test]
    fn the_page_lists_its_fields() {
        assert_documented(include_str!("../../docs/ledger.md"), "### Publication file", PublicationFile::TABLE);
    }
}
