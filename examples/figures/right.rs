//! Verification of a right and a request that nobody has seen before, beside one signature.

use std::hint::black_box;

use usufruct::key::{KeySet, PublicKey, Signer as _, SigningKey};
use usufruct::random::SystemRandom;
use usufruct::right::verify_request;

use crate::Outcome;
use crate::market::Market;
use crate::measure::{Work, print, rates};

/// Different requests in turn, as real ones are: a processor learns to foresee the steps of one signature.
const DIFFERENT: usize = 64;

/// A request with its right of one block, neither seen before: two signatures, and the check of the holder's key. The
/// limit is one signature over as many bytes as the request has.
pub(crate) fn verify() -> Outcome {
    let (mut market, space) = Market::new(1000)?;
    drop(space);
    let owner = KeySet::single(market.owner.public().clone());
    let requests = (0..DIFFERENT).map(|_| market.request(None)).collect::<Result<Vec<_>, _>>()?;
    let key = SigningKey::generate(&mut SystemRandom::new()?);
    let signatures = requests.iter().map(|request| key.sign(request.bytes())).collect::<Result<Vec<_>, _>>()?;
    let holder = *market.right.holder().as_bytes();
    let (mut good, mut sound, mut signed) = (true, true, true);
    let (mut in_turn, mut in_turn_signed) = (requests.iter().cycle(), requests.iter().zip(&signatures).cycle());
    let [verify, import, limit] = rates([
        Work::new(1, || good &= in_turn.next().is_some_and(|request| verify_request(black_box(request.bytes()), &owner).is_ok())),
        Work::new(1, || sound &= PublicKey::from_bytes(black_box(holder)).is_ok()),
        Work::new(1, || {
            signed &= in_turn_signed.next().is_some_and(|(request, signature)| key.public().verifies(request.bytes(), signature));
        }),
    ]);
    if !(good && sound && signed) {
        return Err("a sound request did not verify".into());
    }
    print("right.verify.per_s", verify, "1/s");
    print("right.verify.signatures", limit / verify, "signature checks");
    print("right.verify.key_import.signatures", limit / import, "signature checks");
    print("limit.ed25519_verify.per_s", limit, "1/s");
    Ok(())
}
