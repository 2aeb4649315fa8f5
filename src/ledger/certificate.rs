use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::envelope::Artefact;
use crate::id::{LedgerId, Time};
use crate::key::PublicKey;
use crate::label::Label;

/// The owner's word on which key is the gate's (rule A1): it is entry 1 of the ledger and travels in every receipt,
/// so that the owner's public key alone verifies a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateCertificate {
    /// The ledger the gate keeps.
    pub ledger: LedgerId,
    /// The gate's key; it signs checkpoints.
    pub gate: PublicKey,
    /// The first second at which it may sign.
    pub not_before: Time,
    /// The last second.
    pub not_after: Time,
}

mod claim {
    pub(super) const NOT_AFTER: i64 = 4;
    pub(super) const NOT_BEFORE: i64 = 5;
    pub(super) const FORMAT: i64 = -65_537;
    pub(super) const LEDGER: i64 = -65_538;
    pub(super) const GATE: i64 = -65_570;
}

impl Artefact for GateCertificate {
    const LABEL: Label = Label::GATE_CERTIFICATE;
    const TYPE: &'static str = "usufruct-gate-certificate+cbor";
    const PAYLOAD_BYTES_MAX: usize = 512;

    fn to_payload(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(claim::NOT_AFTER).uint(self.not_after.unix_s());
            map.key(claim::NOT_BEFORE).uint(self.not_before.unix_s());
            map.key(claim::FORMAT).uint(1);
            map.key(claim::LEDGER).bytes(self.ledger.as_bytes());
            self.gate.encode(map.key(claim::GATE));
        });
        out.into_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(payload, Limits::of_bytes(Self::PAYLOAD_BYTES_MAX))?;
        let (mut not_after, mut not_before, mut format, mut ledger, mut gate) = (None, None, None, None, None);
        let mut keys = decoder.map(8)?;
        while let Some(key) = keys.next(&mut decoder)? {
            let value = |expected| CodecError::Value { key, expected };
            let time = |seconds| {
                Some(Time::from_unix_s(seconds))
                    .filter(|time| time.unix_s() == seconds)
                    .ok_or_else(|| value("a time before the year 10000"))
            };
            match key {
                claim::NOT_AFTER => not_after = Some(time(decoder.uint()?)?),
                claim::NOT_BEFORE => not_before = Some(time(decoder.uint()?)?),
                claim::FORMAT => format = Some(Some(decoder.uint()?).filter(|format| *format == 1).ok_or_else(|| value("format 1"))?),
                claim::LEDGER => ledger = Some(LedgerId::from_bytes(decoder.byte_array()?)),
                claim::GATE => gate = Some(PublicKey::decode(&mut decoder)?),
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        required(format, claim::FORMAT)?;
        Ok(Self {
            ledger: required(ledger, claim::LEDGER)?,
            gate: required(gate, claim::GATE)?,
            not_before: required(not_before, claim::NOT_BEFORE)?,
            not_after: required(not_after, claim::NOT_AFTER)?,
        })
    }
}

/// The origin of a ledger's checkpoints, which is also the name of the gate's key in them.
#[must_use]
pub fn origin_of(ledger: LedgerId) -> String {
    format!("usufruct/{}", &ledger.to_string()[..32])
}
