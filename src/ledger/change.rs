//! What an owner changes about a ledger itself: signed, and in clear in its entry, so that a stranger sees it too.

use super::quantum::Quantum;
use crate::codec::{CodecError, Limits, Record, record};
use crate::envelope::Artefact;
use crate::id::{LedgerId, Time};
use crate::label::Label;

record! {
    /// The owner's word on the quantum of times from its entry on.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct QuantumChange, format 1 {
        /// The ledger.
        2 => pub ledger: LedgerId,
        /// Its place among the changes of the quantum: the first is 1.
        6 => pub number: u64,
        /// The new one.
        10 => pub quantum: Quantum,
    }
}

record! {
    /// The owner's word that the gate's clock was ahead: gate time goes on from an earlier one. Entries keep their order by
    /// index.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ClockReset, format 1 {
        /// The ledger.
        2 => pub ledger: LedgerId,
        /// Its place among the resets of the clock: the first is 1.
        6 => pub number: u64,
        /// The true time, before that of the last entry.
        11 => pub time: Time,
    }
}

const PAYLOAD_BYTES_MAX: usize = 128;

impl Artefact for QuantumChange {
    const LABEL: Label = Label::QUANTUM;
    const TYPE: &'static str = "usufruct-quantum+cbor";
    const PAYLOAD_BYTES_MAX: usize = PAYLOAD_BYTES_MAX;

    fn to_payload(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        Self::from_bytes(payload, Limits::of_bytes(PAYLOAD_BYTES_MAX))
    }
}

impl Artefact for ClockReset {
    const LABEL: Label = Label::CLOCK;
    const TYPE: &'static str = "usufruct-clock+cbor";
    const PAYLOAD_BYTES_MAX: usize = PAYLOAD_BYTES_MAX;

    fn to_payload(&self) -> Vec<u8> {
        self.to_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        Self::from_bytes(payload, Limits::of_bytes(PAYLOAD_BYTES_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::assert_documented;

    #[test]
    fn the_page_lists_their_fields() {
        let page = include_str!("../../docs/ledger.md");
        assert_documented(page, "### Change of the quantum", QuantumChange::TABLE);
        assert_documented(page, "### Reset of the clock", ClockReset::TABLE);
    }
}
