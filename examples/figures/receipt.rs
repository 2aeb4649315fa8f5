//! A receipt of a ledger of a thousand million entries: its bytes, and the time a stranger takes for it.

use std::hint::black_box;

use sha2::{Digest as _, Sha256};
use usufruct::envelope::Untrusted;
use usufruct::id::Digest;
use usufruct::key::{Signer as _, SigningKey};
use usufruct::ledger::{Checkpoint, GateCertificate, leaf_hash, origin_of};
use usufruct::receipt::Receipt;
use usufruct::right::Seen;

use crate::Outcome;
use crate::market::Market;
use crate::measure::{Work, print, rates};

/// Entries of the ledger.
const SIZE: u64 = 1_000_000_000;
/// The size next to it whose last entry has the longest path, 29 hashes.
const SIZE_LONGEST: u64 = (1 << 30) - (1 << 26);
/// What the holder had seen: a size whose consistency path to [`SIZE`] is long.
const SEEN: u64 = SIZE / 2 - 1;

/// A receipt of a ledger of 10^9 entries, and how long a stranger takes for it who knows the gate's certificate. The entry
/// and the certificate are those of a real answer; all entries before it are alike, so that the tree fits in a list.
pub(crate) fn bytes_and_time() -> Outcome {
    let (mut market, space) = Market::new(1000)?;
    let gate = space.gate();
    let gate_key = SigningKey::open(market.space().join("gate.key"))?;
    let alike = LevelTree::new(SEEN + 1, b"another entry");
    let seen = Seen { size: SEEN, root: Digest::from_bytes(alike.node(SEEN, false)) };
    // A gate would refuse a request that has seen more than there is, so the answer is to the one without.
    let request = market.request(None)?;
    let release = gate.answer(request.bytes())?;
    let given = release.receipt().ok_or("a gate gives receipts")?;
    let owner = market.owner.public();
    let certificate = Untrusted::<GateCertificate>::decode(&given.certificate)?.verify(owner)?;

    let receipt = |size: u64, seen: Option<Seen>| -> Result<Receipt, Box<dyn std::error::Error>> {
        let mut tree = LevelTree::new(size, b"another entry");
        tree.last = leaf_hash(&given.entry);
        let checkpoint = Checkpoint::new(&origin_of(certificate.value().ledger), size, tree.node(size, true))?;
        let consistency = seen.map_or(Vec::new(), |seen| tree.consistency(seen.size));
        let (index, inclusion) = (size - 1, tree.inclusion_of_last());
        Ok(Receipt { index, inclusion, consistency, checkpoint: checkpoint.sign(&gate_key)?, ..given.clone() })
    };
    let plain = receipt(SIZE, None)?;
    plain.verify_with(owner, request.bytes(), release.bytes())?;
    let longest = receipt(SIZE_LONGEST, None)?;
    longest.verify_with(owner, request.bytes(), release.bytes())?;
    let consistent = receipt(SIZE, Some(seen))?;
    let path = &consistent.consistency;
    let root = Checkpoint::verify(&consistent.checkpoint, &origin_of(certificate.value().ledger), gate_key.public())?;
    usufruct::ledger::verify_consistency(seen.size, SIZE, seen.root.as_bytes(), root.root(), path)?;

    let message = given.entry.as_slice();
    let signature = gate_key.sign(message)?;
    let (mut good, mut fresh, mut signed) = (true, true, true);
    let [verify, stranger, limit] = rates([
        Work::new(1, || good &= black_box(&longest).verify_known(&certificate).is_ok()),
        Work::new(1, || fresh &= black_box(&longest).verify(owner).is_ok()),
        Work::new(1, || signed &= gate_key.public().verifies(black_box(message), &signature)),
    ]);
    if !(good && fresh && signed) {
        return Err("a sound receipt did not verify".into());
    }
    print("receipt.bytes", plain.encode().len() as f64, "bytes");
    print("receipt.longest.bytes", longest.encode().len() as f64, "bytes");
    print("receipt.consistent.bytes", consistent.encode().len() as f64, "bytes");
    print("receipt.verify.us", 1e6 / verify, "us");
    print("receipt.verify.signatures", limit / verify, "signature checks");
    print("receipt.verify.unknown_gate.signatures", limit / stranger, "signature checks");
    print("limit.ed25519_verify.us", 1e6 / limit, "us");
    Ok(())
}

/// The tree of RFC 6962 over leaves that are alike but for the last: one hash a level tells all complete subtrees.
struct LevelTree {
    size: u64,
    levels: Vec<[u8; 32]>,
    last: [u8; 32],
}

impl LevelTree {
    fn new(size: u64, leaf: &[u8]) -> Self {
        let last = leaf_hash(leaf);
        let levels = std::iter::successors(Some(last), |hash| Some(node_hash(hash, hash))).take(size.ilog2() as usize + 1).collect();
        Self { size, levels, last }
    }

    /// The hash over `count` leaves, of which the last one is the tree's last or alike.
    fn node(&self, count: u64, last: bool) -> [u8; 32] {
        match (count, last) {
            (1, true) => self.last,
            (count, false) if count.is_power_of_two() => self.levels[count.ilog2() as usize],
            (count, last) => node_hash(&self.node(split(count), false), &self.node(count - split(count), last)),
        }
    }

    fn inclusion_of_last(&self) -> Vec<[u8; 32]> {
        let mut path = Vec::new();
        let mut count = self.size;
        while count > 1 {
            path.push(self.node(split(count), false));
            count -= split(count);
        }
        path.reverse();
        path
    }

    /// RFC 6962 section 2.1.2, from 0 < `old` < size.
    fn consistency(&self, old: u64) -> Vec<[u8; 32]> {
        let (mut path, mut old, mut count, mut last, mut whole) = (Vec::new(), old, self.size, true, true);
        while old != count {
            let left = split(count);
            if old <= left {
                path.push(self.node(count - left, last));
                (count, last) = (left, false);
            } else {
                path.push(self.node(left, false));
                (old, count, whole) = (old - left, count - left, false);
            }
        }
        if !whole {
            path.push(self.node(count, last));
        }
        path.reverse();
        path
    }
}

fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The largest power of two below `count`.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}
