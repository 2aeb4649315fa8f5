use std::sync::Arc;

use super::GateError;
use super::desk::Desk;
use super::environment::Environment;
use super::folder::OpeningPart;
use super::opening::{Opening, SnapshotOpening, fresh_salt};
use super::shelf::{Lineage, open_snapshot};
use crate::dataset::{Card, Description, NewVersion, Progress, Publication, RowKey, Warning, write_snapshot};
use crate::envelope::Signed;
use crate::file::{Output, OutputOptions};
use crate::id::{AccountId, DatasetId, VersionId};
use crate::key::Signer;
use crate::label::Label;
use crate::ledger::{Commitment, Event};
use crate::random::Random as _;
use crate::table::RecordSource;

/// What a publication gave the owner.
#[derive(Debug)]
pub struct Published {
    /// The dataset; the same for every version.
    pub id: DatasetId,
    /// The number of the version.
    pub version: u64,
    /// The signed card; also in the space under `cards/`.
    pub card: Signed<Card>,
    /// Where the card lies.
    pub card_path: std::path::PathBuf,
    /// Rows in the snapshot; the owner's to know.
    pub rows: u64,
    /// What the owner should look at; the owner's to know.
    pub warnings: Vec<Warning>,
}

impl<E: Environment> Desk<E> {
    /// Reads the data once into an immutable snapshot and publishes it: a new dataset, or a new version of the one
    /// with the same name and description.
    ///
    /// In this order, so that a crash leaves nothing that counts: snapshot, opening, entry, card.
    pub(crate) fn publish(
        &self,
        description: &Description,
        source: &dyn RecordSource,
        owner: &dyn Signer,
        progress: &mut dyn FnMut(Progress) -> std::ops::ControlFlow<()>,
    ) -> Result<Published, GateError> {
        if owner.public() != self.owner.key() {
            return Err(GateError::NotTheOwner);
        }
        let known = self
            .shelf
            .read()
            .map_err(|_| GateError::Stopped)?
            .named(description.name().as_str())
            .map(|(id, lineage)| (*id, lineage.clone()));
        if let Some((_, lineage)) = &known
            && *lineage.description != *description
        {
            return Err(GateError::OtherDescription { name: description.name().to_string() });
        }
        let mut random = self.environment.random(Label::SNAPSHOT.as_bytes())?;
        let salt = fresh_salt(&mut random);
        // Made at the first publication and never changed in a lineage (rule D2).
        let row_key = match &known {
            Some((_, lineage)) => Arc::clone(&lineage.row_key),
            None => Arc::new(RowKey::of_first_snapshot(&salt)),
        };
        let output =
            Output::create(self.folder.snapshot(&salt), OutputOptions { force: false, private: true }).map_err(super::FolderError::from)?;
        let summary = write_snapshot(source, description, &row_key, output, progress)?;
        let data = SnapshotOpening { salt, digest: summary.digest };
        let commitment = Commitment::new(Label::SNAPSHOT, &data.salt, &data.digest);
        let snapshot = Arc::new(open_snapshot(&self.folder, &data, description)?);
        let opening_salt = fresh_salt(&mut random);

        let (id, lineage) = match known {
            None => {
                let mut account = [0; 16];
                random.fill(&mut account);
                let account = AccountId::from_bytes(account);
                let publication = Publication { ledger: self.ledger_id, description: description.clone(), snapshot: commitment };
                let signed = Signed::sign(publication, owner)?;
                let opening =
                    Opening { salt: opening_salt, artefact: signed.bytes().to_vec(), digest: signed.digest(), snapshot: Some(data) };
                self.folder.write(&self.folder.opening(account, OpeningPart::Publication), &opening.encode(), true, false)?;
                let event = Event::Publish { account, artefact: opening.commitment(), limit: description.budget() };
                self.append_one(&mut *self.ledger()?, event)?;
                let lineage = Lineage {
                    account,
                    description: Arc::new(description.clone()),
                    publication: signed.bytes().to_vec(),
                    version: signed.version_id(),
                    version_number: 1,
                    refills: 0,
                    snapshot,
                    row_key,
                };
                (signed.dataset_id(), lineage)
            }
            Some((id, mut lineage)) => {
                let number = lineage.version_number + 1;
                let signed = Signed::sign(NewVersion { dataset: id, number, snapshot: commitment }, owner)?;
                let opening =
                    Opening { salt: opening_salt, artefact: signed.bytes().to_vec(), digest: signed.digest(), snapshot: Some(data) };
                // A publication that died before its entry may have left an opening of this number: it counts for nothing.
                self.folder.write(&self.folder.opening(lineage.account, OpeningPart::Version(number)), &opening.encode(), true, true)?;
                self.append_one(&mut *self.ledger()?, Event::Version { account: lineage.account, artefact: opening.commitment() })?;
                lineage.version = VersionId::from_bytes(*signed.digest().as_bytes());
                lineage.version_number = number;
                lineage.snapshot = snapshot;
                (id, lineage)
            }
        };
        let version = lineage.version_number;
        let card = self.write_card(&lineage, owner)?;
        let card_path = self.folder.card(description.name().as_str());
        self.shelf.write().map_err(|_| GateError::Stopped)?.insert_dataset(id, lineage);
        Ok(Published { id, version, card, card_path, rows: summary.rows, warnings: summary.warnings })
    }

    fn write_card(&self, lineage: &Lineage, owner: &dyn Signer) -> Result<Signed<Card>, GateError> {
        use crate::envelope::Untrusted;
        let publication = Untrusted::<Publication>::decode(&lineage.publication)?.verify(self.owner.key())?;
        let certificate = self.ledger()?.certificate().bytes().to_vec();
        let card = Signed::sign(Card::of(&publication, certificate), owner)?;
        let path = self.folder.card(lineage.description.name().as_str());
        self.folder.write(&path, card.bytes(), false, true)?;
        Ok(card)
    }
}
