//! Tags of names and rights, by which the ledger refuses a second one without telling which.

use super::{Archive, ArchiveError, Opening, OpeningName, OpeningPart};
use crate::id::{AccountId, Digest, LedgerId, RightId, Salt};
use crate::label::Label;
use crate::ledger::Commitment;

/// The secret under which names and rights have their tags, so that the ledger can refuse a second one without telling which.
///
/// A tag is HMAC-SHA256(secret, label, `00`, digest): of the name of a dataset, SHA-256 of its text; of a right, its id. The entry
/// that upgraded the ledger commits to the secret, and its opening keeps it.
pub struct Tags(Salt);

/// Behind no entry stands an account of this id: all others are drawn at random.
const ACCOUNT: AccountId = AccountId::from_bytes([0; 16]);

impl Tags {
    /// The tags under a secret.
    #[must_use]
    pub const fn new(secret: Salt) -> Self {
        Self(secret)
    }

    /// Those whose secret opens `commitment`.
    ///
    /// # Errors
    /// The opening is missing or another's.
    pub fn read(archive: &dyn Archive, commitment: &Commitment, ledger: LedgerId) -> Result<Self, ArchiveError> {
        let wrong = || ArchiveError::Opening { account: ACCOUNT };
        let bytes = archive.opening(&OpeningName::new(ACCOUNT, OpeningPart::Secret, *commitment))?;
        let tags = Self(Opening::decode(&bytes).map_err(|_| wrong())?.salt);
        let is_whole = tags.kept(ledger).encode().as_slice() == bytes.as_slice();
        if is_whole && tags.commitment(ledger) == *commitment { Ok(tags) } else { Err(wrong()) }
    }

    /// Keeps the secret, before the entry that commits to it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn keep(&self, archive: &dyn Archive, ledger: LedgerId) -> Result<(), ArchiveError> {
        archive.put_opening(&self.opening(ledger), &self.kept(ledger).encode())
    }

    fn kept(&self, ledger: LedgerId) -> Opening {
        Opening { salt: self.0, artefact: Vec::new(), digest: Digest::from_bytes(*ledger.as_bytes()), snapshot: None }
    }

    /// The name of the opening that keeps the secret.
    #[must_use]
    pub fn opening(&self, ledger: LedgerId) -> OpeningName {
        OpeningName::new(ACCOUNT, OpeningPart::Secret, self.commitment(ledger))
    }

    /// What the ledger's entry commits to.
    #[must_use]
    pub fn commitment(&self, ledger: LedgerId) -> Commitment {
        Commitment::new(Label::TAGS, &self.0, &Digest::from_bytes(*ledger.as_bytes()))
    }

    /// Of the name of a dataset.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Digest {
        Digest::from_bytes(*Commitment::new(Label::TAG_NAME, &self.0, &Digest::of(name.as_bytes())).as_bytes())
    }

    /// Of a right.
    #[must_use]
    pub fn of_right(&self, right: RightId) -> Digest {
        Digest::from_bytes(*Commitment::new(Label::TAG_RIGHT, &self.0, &Digest::from_bytes(*right.as_bytes())).as_bytes())
    }
}

/// The secret is not shown.
impl std::fmt::Debug for Tags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tags { .. }")
    }
}
