//! Requests: envelope, payload without its signature, the query in it, and the checks behind the signatures.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use usufruct::envelope::{Artefact, Untrusted};
use usufruct::id::Time;
use usufruct::key::{KeySet, PublicKey};
use usufruct::query::Query;
use usufruct::right::{Request, Right, Verified, verify_request};

/// The owner of the seeds: the key of RFC 8032 section 7.1, test 1.
static OWNER: LazyLock<KeySet> = LazyLock::new(|| {
    let hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let digest: usufruct::id::Digest = hex.parse().expect("64 digits");
    KeySet::single(PublicKey::from_bytes(*digest.as_bytes()).expect("a sound key"))
});

static RIGHT: LazyLock<Verified> = LazyLock::new(|| {
    let bytes = include_bytes!("../seeds/right/people.right");
    Right::decode(bytes).and_then(|right| right.verify(&OWNER)).expect("the owner signed it")
});

fn request(bytes: &[u8]) {
    let Ok(request) = Request::from_payload(bytes) else { return };
    assert_eq!(request.to_payload(), bytes, "accepted bytes are the canonical ones");
    let _ = Right::decode(&request.right).and_then(|right| right.verify(&OWNER));
    let _ = request.check(&RIGHT, request.audience, Time::from_unix_s(1_767_226_000));
    query(&request.query.encode());
}

fn query(bytes: &[u8]) {
    let Ok(query) = Query::from_canonical_bytes(bytes) else { return };
    assert_eq!(query.encode(), bytes, "accepted bytes are the canonical ones");
    assert!(query.columns().len() <= 4 * bytes.len());
    let _ = query.operations();
    // SQL texts are at most so long; a query within the limits of bytes may be longer as text.
    if let Ok(again) = Query::sql(&query.to_string()) {
        assert_eq!(again, query, "its text says the same");
    }
}

fuzz_target!(|bytes: &[u8]| {
    query(bytes);
    request(bytes);
    let _ = verify_request(bytes, &OWNER);
    if let Ok(claimed) = Untrusted::<Request>::decode(bytes).and_then(|untrusted| untrusted.claimed()) {
        request(&claimed.to_payload());
    }
});
