use std::collections::HashMap;
use std::sync::Arc;

use super::GateError;
use super::folder::{Folder, OpeningPart};
use super::opening::{Opening, SnapshotOpening};
use crate::dataset::{Description, NewVersion, Publication, Refill, RowKey, Snapshot};
use crate::envelope::Untrusted;
use crate::id::{AccountId, DatasetId, Digest, RightId, VersionId};
use crate::key::KeySet;
use crate::label::Label;
use crate::ledger::{AccountKind, Book, Commitment};
use crate::right::Right;

/// What the accounts of the ledger stand for, from their openings: the datasets with their data, and the rights.
#[derive(Default)]
pub(super) struct Shelf {
    datasets: HashMap<DatasetId, Lineage>,
    rights: HashMap<RightId, AccountId>,
}

/// A dataset as the gate knows it.
#[derive(Clone)]
pub(super) struct Lineage {
    pub(super) account: AccountId,
    pub(super) description: Arc<Description>,
    /// The first publication, signed.
    pub(super) publication: Vec<u8>,
    /// The latest version and its data.
    pub(super) version: VersionId,
    pub(super) version_number: u64,
    pub(super) refills: u64,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) row_key: Arc<RowKey>,
}

impl Shelf {
    /// Opens everything behind the accounts and checks it against their commitments and the owner's signatures.
    pub(super) fn load(folder: &Folder, book: &Book, owner: &KeySet) -> Result<Self, GateError> {
        let mut shelf = Self::default();
        for (account, opened) in book.accounts() {
            match opened.kind() {
                AccountKind::Lineage { publication, versions, refills } => {
                    let lineage = load_lineage(folder, account, publication, versions, refills.iter().map(|refill| &refill.0), owner)?;
                    shelf.insert_dataset(lineage.0, lineage.1);
                }
                AccountKind::Right { right, .. } => {
                    let opening = load_opening(folder, account, OpeningPart::Right, right)?;
                    let verified = Right::decode(&opening.artefact)
                        .and_then(|right| right.verify(owner))
                        .map_err(|_| GateError::Opening { account })?;
                    if verified.id().as_bytes() != opening.digest.as_bytes() {
                        return Err(GateError::Opening { account });
                    }
                    shelf.rights.insert(verified.id(), account);
                }
            }
        }
        Ok(shelf)
    }

    pub(super) fn dataset(&self, id: &DatasetId) -> Option<&Lineage> {
        self.datasets.get(id)
    }

    pub(super) fn named(&self, name: &str) -> Option<(&DatasetId, &Lineage)> {
        self.datasets.iter().find(|(_, lineage)| lineage.description.name().as_str() == name)
    }

    pub(super) fn datasets(&self) -> impl Iterator<Item = (&DatasetId, &Lineage)> {
        self.datasets.iter()
    }

    pub(super) fn insert_dataset(&mut self, id: DatasetId, lineage: Lineage) {
        self.datasets.insert(id, lineage);
    }

    pub(super) fn dataset_mut(&mut self, id: &DatasetId) -> Option<&mut Lineage> {
        self.datasets.get_mut(id)
    }

    pub(super) fn right(&self, id: &RightId) -> Option<AccountId> {
        self.rights.get(id).copied()
    }

    pub(super) fn insert_right(&mut self, id: RightId, account: AccountId) {
        self.rights.insert(id, account);
    }
}

/// Reads an opening and checks it against its commitment.
pub(super) fn load_opening(folder: &Folder, account: AccountId, part: OpeningPart, commitment: &Commitment) -> Result<Opening, GateError> {
    let bytes = folder.read(&folder.opening(account, part), Opening::BYTES_MAX)?;
    let opening = Opening::decode(&bytes).map_err(|_| GateError::Opening { account })?;
    if commitment.opens(Label::ACCOUNT, &opening.salt, &opening.digest) { Ok(opening) } else { Err(GateError::Opening { account }) }
}

fn load_lineage<'a>(
    folder: &Folder,
    account: AccountId,
    publication: &Commitment,
    versions: &[Commitment],
    refills: impl Iterator<Item = &'a Commitment>,
    owner: &KeySet,
) -> Result<(DatasetId, Lineage), GateError> {
    let wrong = || GateError::Opening { account };
    let opening = load_opening(folder, account, OpeningPart::Publication, publication)?;
    let signed =
        Untrusted::<Publication>::decode(&opening.artefact).and_then(|untrusted| untrusted.verify(owner.key())).map_err(|_| wrong())?;
    if signed.digest() != opening.digest {
        return Err(wrong());
    }
    let mut data = opened_snapshot(&opening, &signed.value().snapshot, account)?;
    let row_key = RowKey::of_first_snapshot(&data.salt);
    let (dataset, mut version, mut version_number) = (signed.dataset_id(), signed.version_id(), 1);
    for commitment in versions {
        version_number += 1;
        let opening = load_opening(folder, account, OpeningPart::Version(version_number), commitment)?;
        let signed =
            Untrusted::<NewVersion>::decode(&opening.artefact).and_then(|untrusted| untrusted.verify(owner.key())).map_err(|_| wrong())?;
        let value = signed.value();
        if signed.digest() != opening.digest || value.dataset != dataset || value.number != version_number {
            return Err(wrong());
        }
        data = opened_snapshot(&opening, &value.snapshot, account)?;
        version = VersionId::from_bytes(*signed.digest().as_bytes());
    }
    let mut refill_number = 0;
    for commitment in refills {
        refill_number += 1;
        let opening = load_opening(folder, account, OpeningPart::Refill(refill_number), commitment)?;
        let signed =
            Untrusted::<Refill>::decode(&opening.artefact).and_then(|untrusted| untrusted.verify(owner.key())).map_err(|_| wrong())?;
        if signed.digest() != opening.digest || signed.value().dataset != dataset || signed.value().number != refill_number {
            return Err(wrong());
        }
    }
    let description = Arc::new(signed.value().description.clone());
    let snapshot = open_snapshot(folder, &data, &description)?;
    let lineage = Lineage {
        account,
        description,
        publication: signed.bytes().to_vec(),
        version,
        version_number,
        refills: refill_number,
        snapshot: Arc::new(snapshot),
        row_key: Arc::new(row_key),
    };
    Ok((dataset, lineage))
}

/// The gate checks its own data against what the owner committed to (rule B4).
fn opened_snapshot(opening: &Opening, commitment: &Commitment, account: AccountId) -> Result<SnapshotOpening, GateError> {
    let data = opening.snapshot.ok_or(GateError::Opening { account })?;
    if commitment.opens(Label::SNAPSHOT, &data.salt, &data.digest) { Ok(data) } else { Err(GateError::Opening { account }) }
}

pub(super) fn open_snapshot(folder: &Folder, data: &SnapshotOpening, description: &Description) -> Result<Snapshot, GateError> {
    let snapshot = Snapshot::open(folder.snapshot(&data.salt), description.schema()).map_err(|_| GateError::Snapshot)?;
    if snapshot.digest() == data.digest { Ok(snapshot) } else { Err(GateError::Snapshot) }
}

/// The digest behind a right's commitment: its id.
pub(super) fn right_digest(id: RightId) -> Digest {
    Digest::from_bytes(*id.as_bytes())
}
