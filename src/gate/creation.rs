//! What a new space begins with: the first entries of its ledger.

use super::GateError;
use crate::envelope::Signed;
use crate::id::{Digest, Time};
use crate::key::{KeySet, PublicKey, Signer};
use crate::ledger::{GateCertificate, Genesis};
use crate::random::Random;

/// A gate's key is certified for five years; a new certificate is an owner's act.
pub(super) const CERTIFICATE_S: u64 = 5 * 366 * 24 * 3600;

/// The first two entries of a ledger: who the owner is, with a commitment to the owner's next key, and the owner's
/// certificate for the gate's key.
pub(crate) fn creation(
    owner: &dyn Signer,
    next: &PublicKey,
    gate: &PublicKey,
    now: Time,
    random: &mut dyn Random,
    test: bool,
) -> Result<(Genesis, Signed<GateCertificate>), GateError> {
    let mut fresh = [0; 16];
    random.fill(&mut fresh);
    let next = Digest::of(&KeySet::single(next.clone()).to_bytes());
    let genesis = Genesis { owner: KeySet::single(owner.public().clone()), next, random: fresh, test };
    // An hour before now, so that a clock that is set back a little does not make the certificate invalid.
    let not_before = Time::from_unix_s(now.unix_s().saturating_sub(3600));
    let certificate =
        GateCertificate { ledger: genesis.ledger_id(), gate: gate.clone(), not_before, not_after: now.plus_s(CERTIFICATE_S), number: 0 };
    Ok((genesis, Signed::sign(certificate, owner)?))
}
