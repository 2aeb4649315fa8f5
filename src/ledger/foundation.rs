//! The first entries of a ledger, made durable together.

use super::certificate::GateCertificate;
use super::commitment::Commitment;
use super::entry::{Entry, Event, Genesis};
use super::quantum::Quantum;
use crate::envelope::Signed;
use crate::id::Time;

/// What a ledger starts with: its first three entries, made durable together.
#[derive(Clone, Debug)]
pub struct Foundation {
    /// Who the owner is.
    pub genesis: Genesis,
    /// The gate's first certificate, number 0.
    pub certificate: Signed<GateCertificate>,
    /// The quantum of times.
    pub quantum: Quantum,
    /// To the secret that keys the tags of names and rights.
    pub secret: Commitment,
}

impl Foundation {
    /// The entries, at the multiple of the quantum before `now`.
    #[must_use]
    pub fn entries(&self, now: Time) -> [Entry; 3] {
        let Self { genesis, certificate, quantum, secret } = self.clone();
        let time = quantum.floor(now);
        let certificate = Event::Certificate { bytes: certificate.bytes().to_vec() };
        [Event::Genesis(genesis), certificate, Event::Upgrade { quantum, secret }].map(|event| Entry { time, event })
    }
}
