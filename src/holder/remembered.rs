//! One line of a file of seen checkpoints, and its verification.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::SeenError;
use crate::envelope::Untrusted;
use crate::id::{Digest, LedgerId};
use crate::key::{KeyId, PublicKey};
use crate::ledger::{Checkpoint, GateCertificate, origin_of};
use crate::receipt::{ReceiptError, SignedCheckpoint};
use crate::right::Seen;

/// A checkpoint as a file of seen ones holds it, a line each. Nothing in it is believed before [`Remembered::verify`].
///
/// ```text
/// ledger SP size SP root [SP certificate SP note] LF      certificate and note in base64
/// ```
/// Without certificate and note it was written by an earlier version: nobody signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    ledger: LedgerId,
    /// Size at least 1; what the note says, if there is one.
    seen: Seen,
    signed: Option<Evidence>,
}

/// A gate certificate and the note that is to be signed under it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Evidence {
    certificate: Vec<u8>,
    note: String,
}

impl Remembered {
    /// Reads the lines of a file.
    ///
    /// # Errors
    /// [`SeenError::Line`] with the number of the first line that is none, also when the file ends within it.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, SeenError> {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        (1..).zip(lines).map(|(line, bytes)| Self::read(bytes).ok_or(SeenError::Line { line })).collect()
    }

    fn read(line: &[u8]) -> Option<Self> {
        // A line without its end is torn, even where what is left of it looks whole.
        let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let words: Vec<&str> = line.split(' ').collect();
        let (head, signed) = words.split_at_checked(3)?;
        let (ledger, size) = (head[0].parse().ok()?, head[1].parse().ok().filter(|size| *size > 0)?);
        let seen = Seen { size, root: head[2].parse().ok()? };
        let signed = match signed {
            [] => None,
            [certificate, note] => Some(Evidence::read(certificate, note).filter(|evidence| evidence.is_about(ledger, seen))?),
            _ => return None,
        };
        // One text for one value: `+7` and `07` are other texts of 7.
        Some(Self { ledger, seen, signed }).filter(|read| read.to_string() == line)
    }

    /// The ledger.
    #[must_use]
    pub const fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// Size and root, at the word of whoever kept them.
    #[must_use]
    pub const fn seen(&self) -> Seen {
        self.seen
    }

    /// The gate certificate and the note, if they were kept.
    #[must_use]
    pub fn signed(&self) -> Option<(&[u8], &str)> {
        self.signed.as_ref().map(|signed| (&signed.certificate[..], &signed.note[..]))
    }

    /// The owner under whose key the certificate says it is; nothing if it is unsigned.
    #[must_use]
    pub fn owner(&self) -> Option<KeyId> {
        Untrusted::<GateCertificate>::decode(&self.signed.as_ref()?.certificate).ok()?.claimed_signer()
    }

    /// The checkpoint under the owner's key; nothing if it is unsigned.
    ///
    /// # Errors
    /// Certificate or note do not verify.
    pub fn verify(&self, owner: &PublicKey) -> Result<Option<SignedCheckpoint>, ReceiptError> {
        self.signed().map(|(certificate, note)| SignedCheckpoint::verify(certificate, note, owner)).transpose()
    }
}

impl Evidence {
    fn read(certificate: &str, note: &str) -> Option<Self> {
        let note = String::from_utf8(STANDARD.decode(note).ok()?).ok()?;
        Some(Self { certificate: STANDARD.decode(certificate).ok()?, note })
    }

    /// Whether certificate and note claim what the line says in clear.
    fn is_about(&self, ledger: LedgerId, seen: Seen) -> bool {
        let certificate = Untrusted::<GateCertificate>::decode(&self.certificate).and_then(|untrusted| untrusted.claimed());
        let is_noted = |note: Checkpoint| {
            note.origin() == origin_of(ledger) && note.size() == seen.size && Digest::from_bytes(*note.root()) == seen.root
        };
        certificate.is_ok_and(|certificate| certificate.ledger == ledger) && Checkpoint::claimed(&self.note).is_ok_and(is_noted)
    }
}

impl From<&SignedCheckpoint> for Remembered {
    fn from(checkpoint: &SignedCheckpoint) -> Self {
        let signed = Evidence { certificate: checkpoint.certificate().bytes().to_vec(), note: checkpoint.note().to_owned() };
        Self { ledger: checkpoint.ledger(), seen: checkpoint.seen(), signed: Some(signed) }
    }
}

/// The line, without its end.
impl fmt::Display for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ledger, seen: Seen { size, root }, signed } = self;
        write!(f, "{ledger} {size} {root}")?;
        match signed {
            Some(Evidence { certificate, note }) => write!(f, " {} {}", STANDARD.encode(certificate), STANDARD.encode(note)),
            None => Ok(()),
        }
    }
}
