use std::hint::black_box;

use usufruct::key::{KeySet, PublicKey, Signer as _, SigningKey};
use usufruct::random::SystemRandom;
use usufruct::right::verify_request;

use crate::Outcome;
use crate::market::Market;
use crate::measure::{Work, print, rates};

/// A request with its right of one block, neither seen before: two signatures, and the check of the holder's key. The
/// limit is one signature over as many bytes as the right has.
pub(crate) fn verify() -> Outcome {
    let (mut market, space) = Market::new(1000)?;
    drop(space);
    let owner = KeySet::single(market.owner.public().clone());
    let request = market.request(None)?;
    let key = SigningKey::generate(&mut SystemRandom::new()?);
    let message = market.right.bytes();
    let signature = key.sign(message)?;
    let mut good = true;
    let mut signed = true;
    let mut sound = true;
    let [verify, import, limit] = rates([
        Work::new(1, || good &= verify_request(black_box(request.bytes()), &owner).is_ok()),
        Work::new(1, || sound &= PublicKey::from_bytes(black_box(*market.right.holder().as_bytes())).is_ok()),
        Work::new(1, || signed &= key.public().verifies(black_box(message), &signature)),
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
