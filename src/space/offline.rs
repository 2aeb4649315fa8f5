//! Owner's acts where no gate runs: data read and signed at the owner's, and a gate that lost its key.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::archive::{SpaceFolder, fresh_salt};
use crate::dataset::{Card, Description, NewVersion, Publication, PublicationFile, PublishProgress, RowKey, Summary, write_snapshot};
use crate::envelope::{Signed, Untrusted};
use crate::file::{self, Output, OutputOptions};
use crate::gate::{GateError, NextActs};
use crate::id::Time;
use crate::key::{PublicKey, Signer, SigningKey};
use crate::label::Label;
use crate::ledger::{
    Act, Commitment, Event, GateCertificate, JournalOptions, JournalStore, LedgerError, LedgerStore, Proposal, WriteError,
};
use crate::random::SystemRandom;
use crate::table::RecordSource;

/// Which key a gate is certified for.
#[derive(Clone, Copy, Debug)]
pub enum Certified<'a> {
    /// The one it has.
    Same,
    /// A new one, which is made in the space: also when the old one was lost.
    New,
    /// One that an HSM or a KMS holds.
    Other(&'a PublicKey),
}

/// Certifies the gate of a space that no process has open, for another five years from `now`; also when the gate's key is lost,
/// with which the space would not open. A running gate takes a signed certificate by [`crate::space::Space::apply`].
///
/// # Errors
/// Another process has the space open for longer than `wait`; the key is not the owner's; the space cannot be written.
pub fn certify_closed(
    path: impl AsRef<Path>,
    owner: &dyn Signer,
    gate: Certified<'_>,
    now: Time,
    wait: Duration,
) -> Result<GateCertificate, GateError> {
    let folder = SpaceFolder::open(path.as_ref())?;
    let lock = folder.lock(wait)?;
    let store = JournalStore::open(&folder.ledger(), JournalOptions::default())?;
    let view = store.view()?;
    let genesis = view.head().genesis().ok_or(LedgerError::Incomplete("there is no genesis entry"))?;
    if genesis.owner.key() != owner.public() {
        return Err(GateError::NotTheOwner);
    }
    let acts = NextActs::of(genesis.ledger_id(), view.as_ref())?;
    drop(view);
    let gate = match gate {
        Certified::Same => acts.certificate.gate.clone(),
        Certified::Other(key) => key.clone(),
        Certified::New => {
            let key = SigningKey::generate(&mut SystemRandom::new()?);
            // Before the entry that names it: a key without an entry is harmless, an entry without its key is not.
            key.create(&folder.gate_keys(key.public().id())[1])?;
            key.public().clone()
        }
    };
    let certificate = Signed::sign(acts.next_certificate(&gate, now), owner)?;
    let proposal = Proposal { acts: vec![Act::Record(Event::Certificate { bytes: certificate.bytes().to_vec() })] };
    // Nothing is decided by this time, and no later entry may be before it.
    for outcome in store.append(&[proposal], acts.time.unwrap_or(now))? {
        outcome.map_err(WriteError::Book)?;
    }
    folder.put_gate_certificate(certificate.bytes())?;
    drop(lock);
    Ok(certificate.into_value())
}

/// Reads the data where the owner has them and signs their publication: `out` gets the signed act (0600, since it opens the
/// commitment to the data), and `out` with `.snapshot` behind the data as the gate reads them. Both go to the gate's machine, for
/// [`crate::space::Space::apply_file`] or the inbox.
///
/// `certificate` is the gate's, from `DIR/gate.certificate` or a card. For a later version `first` is what this function made of the
/// first publication, which only the owner has, and `number` that of the version.
///
/// # Errors
/// The data or the description; the certificate or the first publication is not of this owner; the files cannot be written.
pub fn write_publication(
    description: &Description,
    source: &dyn RecordSource,
    owner: &dyn Signer,
    certificate: &[u8],
    later: Option<(&PublicationFile, u64)>,
    out: &Path,
    progress: &mut dyn FnMut(PublishProgress) -> ControlFlow<()>,
) -> Result<Summary, GateError> {
    let gate: Signed<GateCertificate> = Untrusted::decode(certificate)?.verify(owner.public())?;
    let first: Option<(Signed<Publication>, u64, RowKey)> = match later {
        None => None,
        Some((first, number)) => {
            let publication: Signed<Publication> = Untrusted::decode(&first.artefact)?.verify(owner.public())?;
            if !publication.value().description.same_but_for_quantum(description) {
                return Err(GateError::OtherDescription { name: description.name().to_string() });
            }
            if publication.value().ledger != gate.value().ledger {
                return Err(GateError::Act("the first publication is of another ledger than the certificate"));
            }
            Some((publication, number, RowKey::of_first_snapshot(&first.salt)))
        }
    };
    let mut random = SystemRandom::new()?;
    let salt = fresh_salt(&mut random);
    let act = Output::create(out, OutputOptions { force: false, private: true })?;
    let snapshot = Output::create(beside(out), OutputOptions { force: false, private: true })?;
    let fresh_key = RowKey::of_first_snapshot(&salt);
    let row_key = first.as_ref().map_or(&fresh_key, |(_, _, key)| key);
    let summary = write_snapshot(source, description, row_key, snapshot, progress)?;
    let commitment = Commitment::new(Label::SNAPSHOT, &salt, &summary.digest);
    let (artefact, card) = match first {
        None => {
            let publication = Publication { ledger: gate.value().ledger, description: description.clone(), snapshot: commitment };
            let publication = Signed::sign(publication, owner)?;
            (publication.bytes().to_vec(), Signed::sign(Card::of(&publication, certificate.to_vec()), owner)?)
        }
        Some((publication, number, _)) => {
            let version = NewVersion { dataset: publication.dataset_id(), number, snapshot: commitment };
            let card = Signed::sign(Card::of(&publication, certificate.to_vec()), owner)?;
            (Signed::sign(version, owner)?.bytes().to_vec(), card)
        }
    };
    let file = PublicationFile { artefact, salt, digest: summary.digest, card: card.bytes().to_vec() };
    act.finish(&file.encode())?;
    Ok(summary)
}

fn beside(path: &Path) -> PathBuf {
    file::with_suffix(path, ".snapshot")
}
