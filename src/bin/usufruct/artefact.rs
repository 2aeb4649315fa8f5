//! Any artefact of ours, recognised by the decoder that takes it; nothing in it is believed yet.

use usufruct::dataset::{Card, NewVersion, Publication, Refill};
use usufruct::desensitise::{KeyRing, Manifest, SourceOpening};
use usufruct::envelope::{Artefact as Signable, Untrusted};
use usufruct::holder::Remembered;
use usufruct::key::{PublicKey, SigningKey};
use usufruct::ledger::{Checkpoint, GateCertificate};
use usufruct::receipt::{Answer, Bundle, Receipt};
use usufruct::right::{Block, Request, Right};
use zeroize::Zeroizing;

use crate::kept;

/// A signed artefact: the envelope and what it claims.
pub(crate) struct Claim<T> {
    pub(crate) untrusted: Untrusted<T>,
    pub(crate) value: T,
}

pub(crate) enum Artefact {
    PrivateKey(SigningKey),
    PublicKey(PublicKey),
    Keys(KeyRing),
    Checkpoint(Checkpoint),
    Seen(Vec<Remembered>),
    Right(Right, Box<Block>),
    Request(Box<Claim<Request>>),
    Bundle(Box<Bundle>),
    Receipt(Box<Receipt>),
    Answer(Box<Answer>),
    Card(Box<Claim<Card>>),
    Publication(Box<Claim<Publication>>),
    NewVersion(Box<Claim<NewVersion>>),
    Refill(Box<Claim<Refill>>),
    Certificate(Box<Claim<GateCertificate>>),
    Manifest(Box<Claim<Manifest>>),
    UnsignedManifest(Box<Manifest>),
    SourceOpening(SourceOpening),
}

impl<T: Signable> Claim<T> {
    fn read(bytes: &[u8]) -> Option<Box<Self>> {
        let untrusted = Untrusted::decode(bytes).ok()?;
        let value = untrusted.claimed().ok()?;
        Some(Box::new(Self { untrusted, value }))
    }
}

impl Artefact {
    /// Longer files are none of ours.
    pub(crate) const BYTES_MAX: usize =
        if Bundle::BYTES_MAX > Self::MANIFEST_BYTES_MAX { Bundle::BYTES_MAX } else { Self::MANIFEST_BYTES_MAX };

    /// A payload and its envelope.
    const MANIFEST_BYTES_MAX: usize = Manifest::PAYLOAD_BYTES_MAX + 1024;

    /// Every artefact has one encoding and its own keys, so that at most one decoder takes the bytes.
    pub(crate) fn recognise(bytes: &Zeroizing<Vec<u8>>) -> Option<Self> {
        None.or_else(|| SigningKey::from_pem(bytes).ok().map(Self::PrivateKey))
            .or_else(|| PublicKey::from_pem(bytes).ok().map(Self::PublicKey))
            .or_else(|| std::str::from_utf8(bytes).ok().and_then(|text| Checkpoint::claimed(text).ok()).map(Self::Checkpoint))
            .or_else(|| kept::lines(bytes).map(Self::Seen))
            .or_else(|| {
                let right = Right::decode(bytes).ok()?;
                let block = right.claimed().ok()?;
                Some(Self::Right(right, Box::new(block)))
            })
            .or_else(|| Bundle::decode(bytes).ok().map(Box::new).map(Self::Bundle))
            .or_else(|| Receipt::decode(bytes).ok().map(Box::new).map(Self::Receipt))
            .or_else(|| Answer::decode(bytes).ok().map(Box::new).map(Self::Answer))
            .or_else(|| Claim::read(bytes).map(Self::Request))
            .or_else(|| Claim::read(bytes).map(Self::Card))
            .or_else(|| Claim::read(bytes).map(Self::Publication))
            .or_else(|| Claim::read(bytes).map(Self::NewVersion))
            .or_else(|| Claim::read(bytes).map(Self::Refill))
            .or_else(|| Claim::read(bytes).map(Self::Certificate))
            .or_else(|| Claim::read(bytes).map(Self::Manifest))
            .or_else(|| Manifest::from_payload(bytes).ok().map(Box::new).map(Self::UnsignedManifest))
            .or_else(|| SourceOpening::decode(bytes).ok().map(Self::SourceOpening))
            .or_else(|| std::str::from_utf8(bytes).ok().and_then(|text| KeyRing::parse(text).ok()).map(Self::Keys))
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::PrivateKey(_) => "private key",
            Self::PublicKey(_) => "public key",
            Self::Checkpoint(_) => "checkpoint",
            Self::Seen(_) => "seen checkpoints",
            Self::Right(..) => "right",
            Self::Request(_) => "request",
            Self::Bundle(_) => "receipt with request and answer",
            Self::Receipt(_) => "receipt",
            Self::Answer(_) => "answer",
            Self::Card(_) => "dataset card",
            Self::Publication(_) => "publication",
            Self::NewVersion(_) => "new version",
            Self::Refill(_) => "refill",
            Self::Certificate(_) => "gate certificate",
            Self::Manifest(_) => "manifest",
            Self::UnsignedManifest(_) => "manifest, unsigned",
            Self::SourceOpening(_) => "opening of a manifest's source",
            Self::Keys(_) => "keys for desensitisation",
        }
    }
}
