//! What an owner changes about a ledger itself: signed, and in clear in its entry, so that a stranger sees it too.

use super::quantum::Quantum;
use crate::codec::record;
use crate::envelope::artefact;
use crate::id::{LedgerId, Time};

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

artefact!(QuantumChange, QUANTUM, "usufruct-quantum+cbor", PAYLOAD_BYTES_MAX);

artefact!(ClockReset, CLOCK, "usufruct-clock+cbor", PAYLOAD_BYTES_MAX);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Record, assert_documented};

    #[test]
    fn the_page_lists_their_fields() {
        let page = include_str!("../../docs/ledger.md");
        assert_documented(page, "### Change of the quantum", QuantumChange::TABLE);
        assert_documented(page, "### Reset of the clock", ClockReset::TABLE);
    }
}
