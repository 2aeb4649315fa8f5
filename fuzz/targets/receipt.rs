//! Bundles, receipts, answers, checkpoints and what holders remember of them, and the verification of what was accepted.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use usufruct::auditor::Auditor;
use usufruct::holder::Remembered;
use usufruct::id::Digest;
use usufruct::key::PublicKey;
use usufruct::ledger::Checkpoint;
use usufruct::receipt::{Answer, Bundle, Receipt};

fn key(hex: &str) -> PublicKey {
    let digest: Digest = hex.parse().expect("64 digits");
    PublicKey::from_bytes(*digest.as_bytes()).expect("a sound key")
}

/// Owner and gate of the seeds: the keys of RFC 8032 section 7.1, tests 1 and 3.
static OWNER_KEY: LazyLock<PublicKey> = LazyLock::new(|| key("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));
static OWNER: LazyLock<Auditor> = LazyLock::new(|| Auditor::new(OWNER_KEY.clone()));
static GATE: LazyLock<PublicKey> = LazyLock::new(|| key("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"));

fn receipt(bytes: &[u8]) {
    let Ok(receipt) = Receipt::decode(bytes) else { return };
    assert_eq!(receipt.encode(), bytes, "accepted bytes are the canonical ones");
    let _ = OWNER.verify_unbound(&receipt);
    note(&receipt.checkpoint);
}

fn answer(bytes: &[u8]) {
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(answer.encode(), bytes, "accepted bytes are the canonical ones");
    }
}

fn note(text: &str) {
    let origin = text.lines().next().unwrap_or_default();
    if let Ok(checkpoint) = Checkpoint::verify(text, origin, &GATE) {
        assert!(text.starts_with(&format!("{origin}\n{}\n", checkpoint.size())));
    }
}

fuzz_target!(|bytes: &[u8]| {
    answer(bytes);
    receipt(bytes);
    if let Ok(bundle) = Bundle::decode(bytes) {
        assert_eq!(bundle.encode(), bytes, "accepted bytes are the canonical ones");
        let _ = OWNER.verify_bundle(&bundle);
        receipt(&bundle.receipt.encode());
        answer(&bundle.answer);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        note(text);
    }
    if let Ok(lines) = Remembered::read_all(bytes) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(text.as_bytes(), bytes, "accepted bytes are the canonical ones");
        lines.iter().for_each(|line| drop(line.verify(&OWNER_KEY)));
    }
});
