//! Publishing: data to a snapshot, opening, entry and card, in an order that a crash cannot break.

use std::io::{ErrorKind, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::GateError;
use super::environment::Environment;
use super::registry::Lineage;
use super::service::{Service, certificate_of};
use crate::archive::{Archive, ArchiveError, Opening, OpeningName, OpeningPart, SnapshotOpening, fresh_salt, open_snapshot};
use crate::dataset::{
    Card, Description, NewVersion, Publication, PublicationFile, PublishProgress, RowKey, Snapshot, SnapshotError, Warning, write_snapshot,
};
use crate::envelope::{Signed, Untrusted};
use crate::file::ReadError;
use crate::id::{AccountId, DatasetId};
use crate::key::Signer;
use crate::label::Label;
use crate::ledger::{Commitment, Event};
use crate::random::Random as _;
use crate::table::RecordSource;

/// What a publication gave the owner.
#[derive(Debug)]
#[non_exhaustive]
pub struct Published {
    /// The dataset; the same for every version.
    pub id: DatasetId,
    /// The number of the version.
    pub version: u64,
    /// The signed card; also in the space under `cards/`.
    pub card: Signed<Card>,
    /// Where the card lies.
    pub card_path: PathBuf,
    /// Rows in the snapshot; the owner's to know.
    pub rows: u64,
    /// What the owner should look at; the owner's to know.
    pub warnings: Vec<Warning>,
}

/// A snapshot that no entry stands for yet; removed unless it is kept.
struct Fresh<'a> {
    archive: &'a dyn Archive,
    data: SnapshotOpening,
    snapshot: Arc<Snapshot>,
    is_kept: bool,
}

/// What was signed by the owner: a first publication or a later version, and the card.
struct SignedData {
    data: DataArtefact,
    card: Signed<Card>,
}

enum DataArtefact {
    First(Box<Signed<Publication>>),
    Later(Signed<NewVersion>),
}

const OUT_OF_TURN: GateError = GateError::Act("the publication does not fit what is here: its name, its number or its ledger is another's");

impl<E: Environment> Service<E> {
    /// Reads the data once into an immutable snapshot and publishes it: a new dataset, or a new version of the one
    /// with the same name and description.
    ///
    /// In this order, so that a crash leaves nothing that counts: snapshot, opening, entry, card. Two publications of one name
    /// follow each other; name, number, opening and entry are chosen under one lock.
    pub(crate) fn publish(
        &self,
        description: &Description,
        source: &dyn RecordSource,
        owner: &dyn Signer,
        progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
    ) -> Result<Published, GateError> {
        if owner.public() != self.owner.key() {
            return Err(GateError::NotTheOwner);
        }
        let name = description.name().as_str();
        let _turn = self.publishing.enter(name);
        let known = self.registry().named(name).cloned();
        if known.as_ref().is_some_and(|lineage| !lineage.description.same_but_for_quantum(description)) {
            return Err(GateError::OtherDescription { name: name.to_owned() });
        }
        self.takes_entries()?;
        let mut random = self.environment.random(Label::SNAPSHOT.as_bytes())?;
        let salt = fresh_salt(&mut random);
        // Made at the first publication and never changed in a lineage (rule D2).
        let row_key = match &known {
            Some(lineage) => RowKey::from_bytes(lineage.row_key.as_bytes()),
            None => RowKey::of_first_snapshot(&salt),
        };
        let output = self.archive.begin_snapshot(&salt)?;
        let summary = write_snapshot(source, description, &row_key, output, progress)?;
        let fresh = self.fresh(SnapshotOpening { salt, digest: summary.digest }, description)?;
        let commitment = fresh.commitment();

        let signed = self.sign_data(description, known.as_deref(), commitment, owner)?;
        let _acting = self.acting();
        let published = self.record_data(signed, fresh, known.as_ref())?;
        Ok(Published { warnings: summary.warnings, ..published })
    }

    /// Signs a publication or the next version. The owner's device may take its time, so no lock is held but the turn of the name: while
    /// it lasts nobody else gives the dataset another version.
    fn sign_data(
        &self,
        description: &Description,
        known: Option<&Lineage>,
        snapshot: Commitment,
        owner: &dyn Signer,
    ) -> Result<SignedData, GateError> {
        let certificate = certificate_of(self.view()?.as_ref())?.bytes().to_vec();
        let Some(lineage) = known else {
            let publication = Signed::sign(Publication { ledger: self.ledger_id, description: description.clone(), snapshot }, owner)?;
            let card = Signed::sign(Card::of(&publication, certificate), owner)?;
            return Ok(SignedData { data: DataArtefact::First(Box::new(publication)), card });
        };
        let version = NewVersion { dataset: lineage.id, number: self.next_version(lineage)?, snapshot };
        let publication: Signed<Publication> = Untrusted::decode(&lineage.publication)?.verify(self.owner.key())?;
        let card = Signed::sign(Card::of(&publication, certificate), owner)?;
        Ok(SignedData { data: DataArtefact::Later(Signed::sign(version, owner)?), card })
    }

    /// Publishes what the owner signed elsewhere, with the snapshot that was made there. What was published before is told as
    /// published, and its card is put again.
    pub(crate) fn publish_file(&self, file: &PublicationFile, snapshot: &Path) -> Result<Published, GateError> {
        let card: Signed<Card> = Untrusted::decode(&file.card)?.verify(self.owner.key())?;
        let name = card.value().description.name().as_str().to_owned();
        let _turn = self.publishing.enter(&name);
        let known = self.registry().named(&name).cloned();
        let data = self.signed_data(&file.artefact)?;
        if card.value().ledger != self.ledger_id || card.value().dataset != data.dataset() {
            return Err(GateError::Act("the card is of another dataset or another ledger than the publication"));
        }
        if let Some(lineage) = known.as_ref().filter(|lineage| lineage.has(data.number(), data.digest()))
            && data.number() < self.next_version(lineage)?
        {
            return self.published_before(lineage, data.number(), card);
        }
        self.takes_entries()?;
        let description = match (&data, &known) {
            (DataArtefact::First(publication), None) if publication.value().ledger == self.ledger_id => &publication.value().description,
            (DataArtefact::Later(version), Some(lineage)) if self.is_next(version.value(), lineage)? => lineage.description.as_ref(),
            _ => return Err(OUT_OF_TURN),
        };
        let opening = SnapshotOpening { salt: file.salt, digest: file.digest };
        if !data.snapshot().opens(Label::SNAPSHOT, &opening.salt, &opening.digest) {
            return Err(ArchiveError::Snapshot.into());
        }
        self.copy_snapshot(snapshot, &opening, description)?;
        let fresh = self.fresh(opening, description)?;
        let _acting = self.acting();
        self.record_data(SignedData { data, card }, fresh, known.as_ref())
    }

    fn signed_data(&self, artefact: &[u8]) -> Result<DataArtefact, GateError> {
        match self.signed::<Publication>(artefact)? {
            Some(publication) => Ok(DataArtefact::First(Box::new(publication))),
            None => Ok(DataArtefact::Later(Untrusted::decode(artefact)?.verify(self.owner.key())?)),
        }
    }

    /// What a publication that was applied before gave. Its card is put again where a crash may have come between, and not over that of
    /// a later version.
    fn published_before(&self, lineage: &Lineage, version: u64, card: Signed<Card>) -> Result<Published, GateError> {
        let (_, snapshot) = lineage.version(self.archive.as_ref(), version)?;
        let name = lineage.description.name();
        let card_path =
            if version + 1 == self.next_version(lineage)? { self.archive.put_card(name, card.bytes())? } else { self.archive.card(name) };
        Ok(Published { id: lineage.id, version, card, card_path, rows: snapshot.rows(), warnings: Vec::new() })
    }

    /// Copies a snapshot that was made elsewhere. It is looked at before: what is not what was published would only fill the disk.
    fn copy_snapshot(&self, path: &Path, opening: &SnapshotOpening, description: &Description) -> Result<(), GateError> {
        let unreadable = |kind| GateError::SnapshotFile { path: path.to_owned(), kind };
        let file = crate::file::open(path).map_err(|error| unreadable(kind_of(&error)))?;
        let length = file.metadata().map_err(|error| unreadable(error.kind()))?.len();
        match Snapshot::open(path, description.schema()) {
            Ok(snapshot) if snapshot.digest() == opening.digest => {}
            Err(SnapshotError::Io(kind)) => return Err(unreadable(kind)),
            _ => return Err(ArchiveError::Snapshot.into()),
        }
        let mut output = self.archive.begin_snapshot(&opening.salt)?;
        // A write that fails is told by `commit`.
        let copied = std::io::copy(&mut file.take(length), &mut output);
        if output.failure().is_none() {
            copied.map_err(|error| unreadable(error.kind()))?;
        }
        Ok(output.commit().map_err(ArchiveError::from)?)
    }

    fn is_next(&self, version: &NewVersion, lineage: &Lineage) -> Result<bool, GateError> {
        Ok(version.dataset == lineage.id && version.number == self.next_version(lineage)?)
    }

    /// The number that the next version of a dataset has.
    pub(super) fn next_version(&self, lineage: &Lineage) -> Result<u64, GateError> {
        let account = self.view()?.account(&lineage.account)?.ok_or(GateError::Stopped)?;
        Ok(account.version_at(u64::MAX) + 1)
    }

    fn fresh(&self, data: SnapshotOpening, description: &Description) -> Result<Fresh<'_>, GateError> {
        let opened = open_snapshot(self.archive.as_ref(), &data, description);
        let snapshot = Arc::new(opened.inspect_err(|_| self.archive.remove_snapshot(&data.salt))?);
        Ok(Fresh { archive: self.archive.as_ref(), data, snapshot, is_kept: false })
    }

    /// Opening, entry, card; under the lock of owner's acts.
    fn record_data(&self, signed: SignedData, mut fresh: Fresh<'_>, known: Option<&Arc<Lineage>>) -> Result<Published, GateError> {
        let mut random = self.environment.random(Label::ACCOUNT.as_bytes())?;
        let opening = Opening {
            salt: fresh_salt(&mut random),
            artefact: signed.data.bytes().to_vec(),
            digest: signed.data.digest(),
            snapshot: Some(fresh.data),
        };
        let (lineage, version) = match (&signed.data, known) {
            (DataArtefact::First(publication), None) => {
                let mut account = [0; 16];
                random.fill(&mut account);
                let account = AccountId::from_bytes(account);
                let description = &publication.value().description;
                let artefact = opening.commitment(account);
                let name = OpeningName::new(account, OpeningPart::Publication, artefact);
                let lineage = Arc::new(Lineage::new(account, publication, fresh.data, Some(Arc::clone(&fresh.snapshot))));
                self.registry_mut().insert_dataset(Arc::clone(&lineage))?;
                let once = Some(self.tags.of_name(description.name().as_str()));
                let event = Event::Publish { account, artefact, limit: description.budget(), once };
                if let Err(error) = self.record_opened(&name, &opening, Some(&fresh.data.salt), event) {
                    self.registry_mut().remove_dataset(&lineage.id);
                    return Err(fresh.after(error));
                }
                (lineage, 1)
            }
            (DataArtefact::Later(version), Some(lineage)) if self.is_next(version.value(), lineage)? => {
                let number = version.value().number;
                let artefact = opening.commitment(lineage.account);
                let name = OpeningName::new(lineage.account, OpeningPart::Version(number), artefact);
                // Known before it counts: which version is current, the ledger says.
                lineage.add(version, fresh.data, Some(Arc::clone(&fresh.snapshot)));
                let event = Event::Version { account: lineage.account, artefact, number: Some(number) };
                let recorded = self.record_opened(&name, &opening, Some(&fresh.data.salt), event);
                recorded.map_err(|error| fresh.after(error))?;
                (Arc::clone(lineage), number)
            }
            _ => return Err(OUT_OF_TURN),
        };
        fresh.is_kept = true;
        let rows = fresh.snapshot.rows();
        // Last: a card without its dataset would be a promise that nobody keeps.
        let card_path = self.archive.put_card(lineage.description.name(), signed.card.bytes())?;
        Ok(Published { id: lineage.id, version, card: signed.card, card_path, rows, warnings: Vec::new() })
    }
}

impl DataArtefact {
    fn dataset(&self) -> DatasetId {
        match self {
            Self::First(publication) => publication.dataset_id(),
            Self::Later(version) => version.value().dataset,
        }
    }

    fn number(&self) -> u64 {
        match self {
            Self::First(_) => 1,
            Self::Later(version) => version.value().number,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::First(publication) => publication.bytes(),
            Self::Later(version) => version.bytes(),
        }
    }

    fn digest(&self) -> crate::id::Digest {
        match self {
            Self::First(publication) => publication.digest(),
            Self::Later(version) => version.digest(),
        }
    }

    fn snapshot(&self) -> &Commitment {
        match self {
            Self::First(publication) => &publication.value().snapshot,
            Self::Later(version) => &version.value().snapshot,
        }
    }
}

impl Fresh<'_> {
    fn commitment(&self) -> Commitment {
        Commitment::new(Label::SNAPSHOT, &self.data.salt, &self.data.digest)
    }

    /// After an error that leaves open whether the entry is durable, the data must stay.
    fn after(&mut self, error: GateError) -> GateError {
        self.is_kept = error.may_be_recorded();
        error
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.archive.remove_snapshot(&self.data.salt);
        }
    }
}

fn kind_of(error: &ReadError) -> ErrorKind {
    match error {
        ReadError::Open { kind, .. } | ReadError::Read { kind, .. } => *kind,
        _ => ErrorKind::InvalidInput,
    }
}
