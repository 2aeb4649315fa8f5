//! Checkpoints that somebody kept outside of a space: a file of seen ones, a signed note, or a receipt.

use std::path::Path;

use usufruct::envelope::Untrusted;
use usufruct::holder::Remembered;
use usufruct::id::Digest;
use usufruct::key::PublicKey;
use usufruct::ledger::{Checkpoint, GateCertificate, origin_of};
use usufruct::receipt::{Bundle, Receipt, ReceiptError, SignedCheckpoint};
use usufruct::right::Seen;

use crate::failure::{Failure, OrFail};
use crate::file;

/// A checkpoint of one ledger as a file claims it; nothing in it is verified yet.
pub(crate) enum Kept {
    /// The line of a holder: with certificate and note, or from an earlier version without.
    Line(Remembered),
    /// A note, which does not say under which certificate it is signed.
    Note(String, Seen),
    /// A receipt carries both.
    Receipt(Box<Receipt>, Seen),
}

/// How far a kept checkpoint can be believed.
pub(crate) enum Standing {
    /// By the signatures of gate and owner.
    Signed,
    /// Not at all by a stranger.
    Unsigned,
}

impl Standing {
    pub(crate) const fn told(&self) -> &'static str {
        match self {
            Self::Signed => "signed by the gate",
            Self::Unsigned => "unsigned: taken at the holder's word",
        }
    }
}

impl Kept {
    /// Reads the checkpoint of the ledger that has this origin.
    pub(crate) fn read(path: &Path, origin: &str) -> Result<Self, Failure> {
        let bytes = file::read(path, Bundle::BYTES_MAX)?;
        let other = || Failure::input(format_args!("{}: has no checkpoint of this ledger, {origin}", path.display()));
        let wrong = |error| Failure::input(format_args!("{}: {error}", path.display()));
        let of_this = |note: &str| match Checkpoint::claimed(note) {
            Ok(note) if note.origin() == origin => Ok(Seen { size: note.size(), root: Digest::from_bytes(*note.root()) }),
            Ok(_) => Err(other()),
            Err(error) => Err(wrong(error)),
        };
        if let Ok(receipt) = Bundle::decode(&bytes).map(|bundle| bundle.receipt).or_else(|_| Receipt::decode(&bytes)) {
            let seen = of_this(&receipt.checkpoint)?;
            return Ok(Self::Receipt(Box::new(receipt), seen));
        }
        // A note says whose it is in its first line.
        if let Some(note) = std::str::from_utf8(&bytes).ok().filter(|text| text.starts_with("usufruct/")) {
            return Ok(Self::Note(note.to_owned(), of_this(note)?));
        }
        let mut lines = Remembered::read_all(&bytes).about(path)?;
        lines.retain(|line| origin_of(line.ledger()) == origin);
        if contradictions(&lines).next().is_some() {
            let message = format_args!("{}: says two things of the ledger {origin}", path.display());
            return Err(Failure::input(message).hint("`usufruct verify` says whether it proves a fork"));
        }
        lines.pop().map(Self::Line).ok_or_else(other)
    }

    /// What it claims.
    pub(crate) const fn claimed(&self) -> Seen {
        match self {
            Self::Line(line) => line.seen(),
            Self::Note(_, seen) | Self::Receipt(_, seen) => *seen,
        }
    }

    /// Verifies it under the owner's key, a bare note with the certificates that the ledger has.
    pub(crate) fn verify<E>(
        &self,
        owner: &PublicKey,
        certificates: impl FnOnce() -> Result<Vec<Vec<u8>>, E>,
    ) -> Result<Result<Standing, ReceiptError>, E> {
        let standing = match self {
            Self::Line(line) => line.verify(owner).map(|signed| signed.map_or(Standing::Unsigned, |_| Standing::Signed)),
            Self::Receipt(receipt, _) => {
                SignedCheckpoint::verify(&receipt.certificate, &receipt.checkpoint, owner).map(|_| Standing::Signed)
            }
            Self::Note(note, _) => {
                let verifies = |certificate: &Vec<u8>| SignedCheckpoint::verify(certificate, note, owner).is_ok();
                if certificates()?.iter().any(verifies) { Ok(Standing::Signed) } else { Err(ReceiptError::Checkpoint) }
            }
        };
        Ok(standing)
    }
}

/// Whose certificate a line carries, by its own words: of a file of many ledgers the owner knows some.
pub(crate) fn claimed_owner(line: &Remembered) -> Option<usufruct::key::KeyId> {
    Untrusted::<GateCertificate>::decode(line.signed()?.0).ok()?.claimed_signer()
}

/// The lines of a file of seen checkpoints, if it is one.
pub(crate) fn lines(bytes: &[u8]) -> Option<Vec<Remembered>> {
    Remembered::read_all(bytes).ok().filter(|lines| !lines.is_empty())
}

/// Pairs of lines that say different things of one ledger at one size.
pub(crate) fn contradictions(lines: &[Remembered]) -> impl Iterator<Item = (&Remembered, &Remembered)> {
    let contradict = |one: &Remembered, other: &Remembered| {
        one.ledger() == other.ledger() && one.seen().size == other.seen().size && one.seen().root != other.seen().root
    };
    lines
        .iter()
        .enumerate()
        .flat_map(move |(at, one)| lines[at + 1..].iter().filter(move |other| contradict(one, other)).map(move |other| (one, other)))
}
