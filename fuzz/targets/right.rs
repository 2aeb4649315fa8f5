//! Everything an owner signs: envelopes, payloads behind them without their signatures, and chains.
#![no_main]

use libfuzzer_sys::fuzz_target;
use usufruct::dataset::{Card, NewVersion, Publication, Refill};
use usufruct::envelope::{Artefact, Untrusted};
use usufruct::ledger::GateCertificate;
use usufruct::right::{Block, Right};

fn payload<T: Artefact>(bytes: &[u8]) {
    if let Ok(value) = T::from_payload(bytes) {
        assert_eq!(value.to_payload(), bytes, "accepted bytes are the canonical ones");
    }
}

fn artefact<T: Artefact>(bytes: &[u8]) {
    payload::<T>(bytes);
    if let Ok(untrusted) = Untrusted::<T>::decode(bytes) {
        assert_eq!(untrusted.bytes(), bytes);
        if let Ok(value) = untrusted.claimed() {
            payload::<T>(&value.to_payload());
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    artefact::<Block>(bytes);
    artefact::<Publication>(bytes);
    artefact::<NewVersion>(bytes);
    artefact::<Refill>(bytes);
    artefact::<Card>(bytes);
    artefact::<GateCertificate>(bytes);
    if let Ok(right) = Right::decode(bytes) {
        assert_eq!(right.bytes(), bytes);
        let _ = right.claimed();
    }
});
