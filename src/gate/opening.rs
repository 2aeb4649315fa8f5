use zeroize::Zeroizing;

use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::id::{Digest, Salt};
use crate::label::Label;
use crate::ledger::Commitment;

/// What opens one commitment of the ledger: the salt, the artefact, and for a dataset the secrets of its data.
///
/// One file, 0600. Deleting it makes the entry say nothing any more, while every proof over the ledger still holds.
pub(super) struct Opening {
    /// Of the commitment in the entry.
    pub(super) salt: Salt,
    /// The signed artefact.
    pub(super) artefact: Vec<u8>,
    /// The digest in the commitment: of the artefact's payload, or the id of a right.
    pub(super) digest: Digest,
    /// Of a dataset or version: what opens the commitment to its snapshot. The salt of the first one also makes the
    /// key of the lineage's row choice (rule D2).
    pub(super) snapshot: Option<SnapshotOpening>,
}

/// Salt and digest of a snapshot.
#[derive(Clone, Copy)]
pub(super) struct SnapshotOpening {
    pub(super) salt: Salt,
    pub(super) digest: Digest,
}

mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const SALT: i64 = 2;
    pub(super) const ARTEFACT: i64 = 3;
    pub(super) const DIGEST: i64 = 4;
    pub(super) const SNAPSHOT: i64 = 5;
}

impl Opening {
    /// A description with the longest lists of values, and the rest.
    pub(super) const BYTES_MAX: usize = 2 * 1024 * 1024;

    pub(super) fn commitment(&self) -> Commitment {
        Commitment::new(Label::ACCOUNT, &self.salt, &self.digest)
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(1);
            map.key(key::SALT).bytes(self.salt.as_bytes());
            map.key(key::ARTEFACT).bytes(&self.artefact);
            map.key(key::DIGEST).bytes(self.digest.as_bytes());
            if let Some(SnapshotOpening { salt, digest }) = &self.snapshot {
                map.key(key::SNAPSHOT).array(2).bytes(salt.as_bytes()).bytes(digest.as_bytes());
            }
        });
        Zeroizing::new(out.into_bytes())
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(bytes, Limits::of_bytes(Self::BYTES_MAX))?;
        let (mut format, mut salt, mut artefact, mut digest, mut snapshot) = (None, None, None, None, None);
        let mut keys = decoder.map(8)?;
        while let Some(key) = keys.next(&mut decoder)? {
            match key {
                key::FORMAT => format = Some(decoder.uint()?).filter(|format| *format == 1),
                key::SALT => salt = Some(Salt::from_bytes(decoder.byte_array()?)),
                key::ARTEFACT => artefact = Some(decoder.bytes(Self::BYTES_MAX)?.to_vec()),
                key::DIGEST => digest = Some(Digest::from_bytes(decoder.byte_array()?)),
                key::SNAPSHOT => {
                    if decoder.array(2)? != 2 {
                        return Err(CodecError::Value { key, expected: "salt and digest" });
                    }
                    snapshot = Some(SnapshotOpening {
                        salt: Salt::from_bytes(decoder.byte_array()?),
                        digest: Digest::from_bytes(decoder.byte_array()?),
                    });
                }
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        required(format, key::FORMAT)?;
        Ok(Self {
            salt: required(salt, key::SALT)?,
            artefact: required(artefact, key::ARTEFACT)?,
            digest: required(digest, key::DIGEST)?,
            snapshot,
        })
    }
}

/// 32 fresh bytes for one commitment.
pub(super) fn fresh_salt(random: &mut dyn crate::random::Random) -> Salt {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    Salt::from_bytes(bytes)
}
