//! What the accounts of a ledger stand for: openings read and checked against their commitments and the owner's signatures.

use super::{Archive, ArchiveError, Opening, OpeningName, OpeningPart, SnapshotOpening};
use crate::dataset::{Description, NewVersion, Publication, Refill, Snapshot};
use crate::envelope::{Artefact, Signed, Untrusted};
use crate::id::AccountId;
use crate::key::KeySet;
use crate::label::Label;
use crate::ledger::{Account, AccountKind, Commitment};
use crate::right::{Right, Verified};

/// What stands behind an account.
pub enum Behind {
    /// A dataset.
    Lineage(Box<LineageArtefacts>),
    /// A right.
    Right(Box<Verified>),
}

/// Everything the owner signed about a dataset.
pub struct LineageArtefacts {
    /// The first publication.
    pub publication: Signed<Publication>,
    /// What opens its data.
    pub data: SnapshotOpening,
    /// The later versions in order, each with what opens its data.
    pub versions: Vec<(Signed<NewVersion>, SnapshotOpening)>,
    /// The refills in order.
    pub refills: Vec<Signed<Refill>>,
}

/// The names of all openings behind an account.
#[must_use]
pub fn openings_of(id: AccountId, account: &Account) -> Vec<OpeningName> {
    match account.kind() {
        AccountKind::Lineage { publication, versions, refills } => {
            let versions = (2..).zip(versions).map(|(number, (_, version))| OpeningName::new(id, OpeningPart::Version(number), *version));
            let refills = (1..).zip(refills).map(|(number, (_, refill, ..))| OpeningName::new(id, OpeningPart::Refill(number), *refill));
            [OpeningName::new(id, OpeningPart::Publication, *publication)].into_iter().chain(versions).chain(refills).collect()
        }
        AccountKind::Right { right, .. } => vec![OpeningName::new(id, OpeningPart::Right, *right)],
    }
}

/// Opens everything behind an account. `upgraded` is the index of the entry that brought the ledger to its present form.
///
/// # Errors
/// Something is missing, opens nothing, or is not the owner's.
pub fn behind(
    archive: &dyn Archive,
    id: AccountId,
    account: &Account,
    upgraded: Option<u64>,
    owner: &KeySet,
) -> Result<Behind, ArchiveError> {
    let wrong = || ArchiveError::Opening { account: id };
    let open = |part, index: u64, commitment: &Commitment| {
        let opening = Opening::decode(&archive.opening(&OpeningName::new(id, part, *commitment))?).map_err(|_| wrong())?;
        let is_upgraded = upgraded.is_some_and(|upgraded| index > upgraded);
        if opening.opens(id, commitment, is_upgraded) { Ok(opening) } else { Err(wrong()) }
    };
    match account.kind() {
        AccountKind::Right { right, .. } => {
            let opening = open(OpeningPart::Right, account.opened_at(), right)?;
            let verified = Right::decode(&opening.artefact).and_then(|right| right.verify(owner)).map_err(|_| wrong())?;
            if verified.id().as_bytes() == opening.digest.as_bytes() { Ok(Behind::Right(Box::new(verified))) } else { Err(wrong()) }
        }
        AccountKind::Lineage { publication, versions, refills } => {
            let opening = open(OpeningPart::Publication, account.opened_at(), publication)?;
            let signed: Signed<Publication> = signed(&opening, owner).ok_or_else(wrong)?;
            let data = opened_data(&opening, &signed.value().snapshot).ok_or_else(wrong)?;
            let mut artefacts = LineageArtefacts { publication: signed, data, versions: Vec::new(), refills: Vec::new() };
            let dataset = artefacts.publication.dataset_id();
            for (number, (index, version)) in (2..).zip(versions) {
                let opening = open(OpeningPart::Version(number), *index, version)?;
                let signed: Signed<NewVersion> = self::signed(&opening, owner).ok_or_else(wrong)?;
                let data = opened_data(&opening, &signed.value().snapshot).ok_or_else(wrong)?;
                if signed.value().dataset != dataset || signed.value().number != number {
                    return Err(wrong());
                }
                artefacts.versions.push((signed, data));
            }
            for (number, (index, refill, ..)) in (1..).zip(refills) {
                let opening = open(OpeningPart::Refill(number), *index, refill)?;
                let signed: Signed<Refill> = self::signed(&opening, owner).ok_or_else(wrong)?;
                if signed.value().dataset != dataset || signed.value().number != number {
                    return Err(wrong());
                }
                artefacts.refills.push(signed);
            }
            Ok(Behind::Lineage(Box::new(artefacts)))
        }
    }
}

/// Opens the data of a version and checks their digest (rule B4).
///
/// # Errors
/// They are missing, damaged, or others.
pub fn open_snapshot(archive: &dyn Archive, data: &SnapshotOpening, description: &Description) -> Result<Snapshot, ArchiveError> {
    let open = || Snapshot::open(archive.snapshot(&data.salt), description.schema());
    // Once more: between the look for its name and its opening it may have got the one it keeps.
    let snapshot = open().or_else(|_| open()).map_err(|_| ArchiveError::Snapshot)?;
    if snapshot.digest() == data.digest { Ok(snapshot) } else { Err(ArchiveError::Snapshot) }
}

fn signed<T: Artefact>(opening: &Opening, owner: &KeySet) -> Option<Signed<T>> {
    let signed: Signed<T> = Untrusted::decode(&opening.artefact).and_then(|untrusted| untrusted.verify(owner.key())).ok()?;
    Some(signed).filter(|signed| signed.digest() == opening.digest)
}

fn opened_data(opening: &Opening, commitment: &Commitment) -> Option<SnapshotOpening> {
    opening.snapshot.filter(|data| commitment.opens(Label::SNAPSHOT, &data.salt, &data.digest))
}
