//! What opens a commitment of the ledger: salts and the bytes behind them.

use zeroize::Zeroizing;

use crate::codec::{CodecError, Limits, Record, record};
use crate::id::{AccountId, Digest, Salt};
use crate::label::Label;
use crate::ledger::Commitment;
use crate::random::Random;

record! {
    /// What opens one commitment of the ledger: the salt, the artefact, and for a dataset the secrets of its data.
    ///
    /// One file, 0600. Deleting it makes the entry say nothing any more, while every proof over the ledger still holds.
    pub struct Opening, format 1 {
        /// Of the commitment in the entry.
        2 => pub salt: Salt,
        /// The signed artefact.
        3 => pub artefact: Vec<u8>,
        /// The digest in the commitment: of the artefact's payload, or the id of a right.
        4 => pub digest: Digest,
        /// Of a dataset or version: what opens the commitment to its snapshot. The salt of the first one also makes the
        /// key of the lineage's row choice (rule D2).
        5 => pub snapshot: Option<SnapshotOpening>,
    }
}

record! {
    /// Salt and digest of a snapshot.
    #[derive(Clone, Copy)]
    pub struct SnapshotOpening [
        /// Of the commitment in the publication or version.
        pub salt: Salt,
        /// Of the snapshot.
        pub digest: Digest,
    ]
}

impl Opening {
    /// A description with the longest lists of values, and the rest.
    pub const BYTES_MAX: usize = 2 * 1024 * 1024;

    /// The commitment that stands in an entry about `account`.
    #[must_use]
    pub fn commitment(&self, account: AccountId) -> Commitment {
        Commitment::of_account(&self.salt, account, &self.digest)
    }

    /// Whether it opens `commitment`, which stands in an entry about `account`. From the entry on that upgraded the ledger the
    /// account is part of what is committed to; earlier entries have the earlier form, and no other.
    #[must_use]
    pub fn opens(&self, account: AccountId, commitment: &Commitment, is_upgraded: bool) -> bool {
        if is_upgraded {
            commitment.opens_account(&self.salt, account, &self.digest)
        } else {
            commitment.opens(Label::ACCOUNT, &self.salt, &self.digest)
        }
    }

    /// The bytes that are kept.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.to_bytes())
    }

    /// Reads the bytes that were kept.
    ///
    /// # Errors
    /// Not exactly an opening.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::from_bytes(bytes, Limits::of_bytes(Self::BYTES_MAX))
    }
}

/// Secrets are not shown.
impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opening { .. }")
    }
}

impl std::fmt::Debug for SnapshotOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SnapshotOpening { .. }")
    }
}

/// 32 fresh bytes for one commitment.
#[must_use]
pub fn fresh_salt(random: &mut dyn Random) -> Salt {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    Salt::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::assert_documented;

    #[test]
    fn the_page_lists_its_fields() {
        assert_documented(include_str!("../../docs/ledger.md"), "### Openings", Opening::TABLE);
    }
}
