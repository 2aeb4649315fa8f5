//! Gate certificates: the owner's word on whose checkpoints count, and when.

use crate::codec::record;
use crate::envelope::artefact;
use crate::id::{LedgerId, Time};
use crate::key::PublicKey;

record! {
    /// The owner's word on which key is the gate's (rule A1): it is entry 1 of the ledger and travels in every receipt,
    /// so that the owner's public key alone verifies a receipt.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct GateCertificate, format -65_537 {
        /// It is refused from this second on (RFC 8392). What earlier versions sealed in it stays good.
        4 => pub not_after: Time,
        /// The first second.
        5 => pub not_before: Time,
        /// The ledger the gate keeps.
        -65_538 => pub ledger: LedgerId,
        /// The gate's key; it signs checkpoints.
        -65_570 => pub gate: PublicKey,
        /// Its place among the certificates of the ledger: 0 the first, each one more than the one before it.
        -65_571 => pub number: u64 = 0,
    }
}

impl GateCertificate {
    /// Whether a moment lies in the time of the certificate, its last second included: a gate stops before it, gates of earlier
    /// versions did not, and their receipts stay good.
    #[must_use]
    pub fn covers(&self, time: Time) -> bool {
        self.not_before <= time && time <= self.not_after
    }
}

artefact!(GateCertificate, GATE_CERTIFICATE, "usufruct-gate-certificate+cbor", 512);

/// The origin of a ledger's checkpoints, which is also the name of the gate's key in them.
#[must_use]
pub fn origin_of(ledger: LedgerId) -> String {
    format!("usufruct/{}", &ledger.to_string()[..32])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Record, assert_documented};

    #[test]
    fn the_page_lists_its_fields() {
        assert_documented(include_str!("../../docs/ledger.md"), "### Gate certificate", GateCertificate::TABLE);
    }
}
