//! Every bit of a small artefact and every byte of a small space changed in turn: refused, or provably irrelevant.
#![allow(clippy::unwrap_used, missing_docs)]

mod fixed;

use usufruct::codec::CodecError;
use usufruct::dataset::Card;
use usufruct::envelope::{EnvelopeError, Untrusted};
use usufruct::key::{KeySet, Signer};
use usufruct::receipt::{Answer, Bundle, ReceiptError};
use usufruct::right::{Right, RightError, verify_request};

use fixed::*;

/// All bytes that differ from `bytes` in one of the bits `step` apart, and all that are cut short.
fn damaged(bytes: &[u8], step: usize) -> impl Iterator<Item = Vec<u8>> {
    let flipped = (0..8 * bytes.len()).step_by(step).map(|bit| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    flipped.chain((0..bytes.len()).map(|end| bytes[..end].to_vec())).chain([[bytes, &[0]].concat()])
}

#[test]
fn a_damaged_right_is_refused() {
    let owner = KeySet::single(key("owner").public().clone());
    let read = |bytes: &[u8]| Right::decode(bytes).and_then(|right| right.verify(&owner));
    let right = right();
    assert_eq!(read(right.bytes()).unwrap().id(), right.id());
    damaged(right.bytes(), 1).for_each(|bytes| assert!(read(&bytes).is_err()));
}

#[test]
fn a_damaged_request_is_refused() {
    let owner = KeySet::single(key("owner").public().clone());
    let request = request();
    assert_eq!(verify_request(request.bytes(), &owner).unwrap().0.id(), request.id());
    damaged(request.bytes(), 1).for_each(|bytes| assert!(verify_request(&bytes, &owner).is_err()));
}

#[test]
fn a_damaged_card_is_refused() {
    let owner = key("owner");
    let card = card();
    let read = |bytes: &[u8]| Untrusted::<Card>::decode(bytes).and_then(|card| card.verify(owner.public()));
    assert_eq!(read(card.bytes()).unwrap().value(), card.value());
    damaged(card.bytes(), 1).for_each(|bytes| assert!(read(&bytes).is_err()));
}

#[test]
fn a_damaged_bundle_proves_nothing() {
    let owner = key("owner");
    let bundle = bundle().encode();
    let verifies = |bytes: &[u8]| Bundle::decode(bytes).is_ok_and(|bundle| bundle.verify(owner.public()).is_ok());
    assert!(verifies(&bundle));
    // Each byte and each place of a bit in it; every third bit of the file.
    damaged(&bundle, 3).for_each(|bytes| assert!(!verifies(&bytes)));
}

/// One byte more than allowed, and short inputs that declare more than they have: refused by their length alone.
#[test]
fn oversized_artefacts_are_refused_by_their_length() {
    use usufruct::envelope::Artefact;
    let codec = |error: &CodecError| matches!(error, CodecError::TooLong { .. } | CodecError::Truncated { .. });
    let envelope = |error: EnvelopeError| matches!(&error, EnvelopeError::Malformed { source, .. } if codec(source));
    let large = |len: usize| vec![0u8; len];
    for bytes in
        [large(64 * 1024 + 1), vec![0x82, 0x01, 0x9a, 0xff, 0xff, 0xff, 0xff], vec![0x82, 0x01, 0x81, 0x5a, 0xff, 0xff, 0xff, 0xff]]
    {
        assert!(matches!(Right::decode(&bytes).unwrap_err(), RightError::Malformed(error) if codec(&error)));
    }
    let huge = vec![0xd2, 0x84, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for bytes in [large(Card::PAYLOAD_BYTES_MAX + 257), huge.clone()] {
        assert!(envelope(Untrusted::<Card>::decode(&bytes).unwrap_err()));
    }
    for bytes in [large(usufruct::right::REQUEST_BYTES_MAX + 257), huge] {
        assert!(envelope(Untrusted::<usufruct::right::Request>::decode(&bytes).unwrap_err()));
    }
    assert!(codec(&Answer::decode(&large(usufruct::receipt::ANSWER_BYTES_MAX + 1)).unwrap_err()));
    assert!(codec(&Bundle::decode(&large(Bundle::BYTES_MAX + 1)).unwrap_err()));
    // A map of 2^32 rows in ten bytes.
    assert!(codec(&Answer::decode(&[0xa1, 0x06, 0x9a, 0xff, 0xff, 0xff, 0xff]).unwrap_err()));
}

/// A receipt of one request says nothing about another answer, another request, or another owner.
#[test]
fn parts_of_other_bundles_do_not_fit() {
    let (owner, other) = (key("owner"), key("holder"));
    let bundle = bundle();
    assert!(bundle.verify(other.public()).is_err());
    let mut answer = answer();
    answer.rows[0].values[0].value = None;
    let forged = Bundle { answer: answer.encode(), ..bundle.clone() };
    assert!(matches!(forged.verify(owner.public()), Err(ReceiptError::Other("answer"))));
    let mut request = request().into_value();
    request.nonce = usufruct::id::Nonce::from_bytes([5; 16]);
    let forged = Bundle { request: signed(request, "holder").bytes().to_vec(), ..bundle };
    assert!(matches!(forged.verify(owner.public()), Err(ReceiptError::Other("request"))));
}

#[cfg(all(feature = "embedded", feature = "csv"))]
mod space {
    use std::collections::BTreeMap;
    use std::fs;
    use std::ops::ControlFlow;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::{Path, PathBuf};

    use usufruct::auditor::Auditor;
    use usufruct::dataset::table_schema;
    use usufruct::holder::Holder;
    use usufruct::id::Time;
    use usufruct::ledger::{Journal, JournalOptions};
    use usufruct::owner::Owner;
    use usufruct::random::SystemRandom;
    use usufruct::right::Ask;
    use usufruct::space::Space;
    use usufruct::table::{CsvOptions, CsvSource};

    use super::*;

    /// The files of a small space by their names, and what its holder has.
    struct World {
        folder: tempfile::TempDir,
        files: BTreeMap<String, Vec<u8>>,
        owner: Owner,
        request: Vec<u8>,
    }

    fn now() -> Time {
        Time::from_unix_s(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs())
    }

    impl World {
        /// A published dataset, a right, one sealed answer and one kept request.
        fn new() -> Self {
            // Nothing here needs to survive a power cut, and memory syncs at once.
            let memory = Path::new("/dev/shm");
            let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
            let mut random = SystemRandom::new().unwrap();
            let (owner, holder) = (Owner::new(key("owner")), Holder::new(key("holder")));
            let space = Space::create_with(
                folder.path().join("space"),
                owner.signer(),
                holder.public(),
                now(),
                usufruct::gate::SpaceOptions::default().quantum(usufruct::ledger::Quantum::NONE),
            )
            .unwrap();
            let description = description();
            let csv = CsvSource::from_bytes(PEOPLE_CSV.as_bytes(), CsvOptions::default(), table_schema(description.schema())).unwrap();
            let card = space.publish(&description, &csv, owner.signer(), &mut |_| ControlFlow::Continue(())).unwrap().card;
            let right = owner.grant(&card, holder.public(), block().into_value().terms, now(), &mut random).unwrap();
            let gate = space.gate();
            let ask = Ask::new(query(), right.terms().budget).expiry_s(3600);
            let request = holder.request(&right, ask, now(), &mut random).unwrap().bytes().to_vec();
            gate.keep(&request).unwrap();
            gate.answer(&request).unwrap();
            drop(gate);
            let mut world = Self { folder, files: BTreeMap::new(), owner, request };
            world.shrink_journal();
            world.files = world.read();
            world
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("space")
        }

        /// The same entries in a segment that holds hardly more than them.
        fn shrink_journal(&self) {
            let folder = self.path().join("ledger");
            let (mut entries, mut id) = (Vec::new(), [0; 16]);
            Journal::read_only(&folder, |_, entry| entries.push(entry.to_vec())).unwrap();
            let old = folder.join("0000000000.seg");
            id.copy_from_slice(&fs::read(&old).unwrap()[8..24]);
            fs::remove_file(&old).unwrap();
            let small = self.folder.path().join("small");
            let mut journal = Journal::create(&small, id, JournalOptions::default().segment_bytes(8192).unwrap()).unwrap();
            for batch in [&entries[..2], &entries[2..3], &entries[3..]] {
                journal.append(&batch.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
            }
            fs::rename(small.join("0000000000.seg"), old).unwrap();
        }

        fn read(&self) -> BTreeMap<String, Vec<u8>> {
            let mut files = BTreeMap::new();
            for folder in ["", "ledger", "snapshots", "openings", "requests", "answers", "cards"] {
                for entry in fs::read_dir(self.path().join(folder)).unwrap() {
                    let path = entry.unwrap().path();
                    if path.is_file() {
                        let name = path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
                        files.insert(name, fs::read(path).unwrap());
                    }
                }
            }
            files
        }

        /// The space as it was, with one file changed or gone.
        fn restore(&self, name: &str, bytes: Option<&[u8]>) {
            for (other, bytes) in &self.files {
                let path = self.path().join(other);
                if fs::read(&path).ok().as_ref() != Some(bytes) {
                    fs::write(&path, bytes).unwrap();
                    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
                }
            }
            match bytes {
                Some(bytes) => fs::write(self.path().join(name), bytes).unwrap(),
                None => fs::remove_file(self.path().join(name)).unwrap(),
            }
        }

        /// All that owner, holder and auditor can see of the space, or the first thing that somebody finds.
        fn observe(&self) -> Result<String, String> {
            let auditor = Auditor::new(self.owner.public().clone());
            let report = auditor.audit(&self.path(), None, &|_, _| {}).map_err(|error| error.to_string())?;
            if let Some(problem) = report.problems.first() {
                return Err(problem.clone());
            }
            let gate = Space::open(self.path()).map_err(|error| error.to_string())?.gate();
            let states = format!("{:?} {:?} {:?}", gate.ledger_id(), gate.checkpoint().unwrap(), gate.datasets().unwrap());
            let release = gate.answer(&self.request).map_err(|error| error.to_string())?;
            Ok(format!("{states} {:?} {:?} {:?}", report.root, release.bytes(), release.receipt()))
        }

        /// The card and the kept request are not read by the space: whoever uses them verifies them.
        fn observe_with(&self, name: &str) -> Result<String, String> {
            let bytes = fs::read(self.path().join(name)).map_err(|error| error.to_string())?;
            if name.starts_with("cards/") {
                self.owner.read_card(&bytes).map_err(|error| error.to_string())?;
            } else if name.starts_with("requests/") {
                verify_request(&bytes, &KeySet::single(self.owner.public().clone())).map_err(|error| error.to_string())?;
            }
            self.observe()
        }
    }

    fn used(bytes: &[u8]) -> usize {
        bytes.len() - bytes.iter().rev().take_while(|byte| **byte == 0).count()
    }

    /// Every byte of the used part, the sector behind it, and some of the zeros after that.
    fn places(bytes: &[u8]) -> impl Iterator<Item = usize> {
        let used = used(bytes);
        let stride = bytes.len() / 64 + 1;
        (0..bytes.len()).filter(move |at| *at < used + 600 || at % stride == 0)
    }

    #[test]
    fn a_byte_changed_in_the_journal_is_found_or_changes_nothing() {
        let world = World::new();
        world.restore("lock", Some(&[]));
        let before = world.observe().unwrap();
        let (name, bytes) = world.files.iter().find(|(name, _)| name.ends_with(".seg")).unwrap();
        let used = used(bytes);
        for at in places(bytes) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            world.restore(name, Some(&changed));
            // Readers without the lock look twice at the last batch, which takes them a tenth of a second: the gate alone
            // is asked about most bytes.
            let refused = if at % 256 == 0 { None } else { Space::open(world.path()).err().map(|error| error.to_string()) };
            match refused.map_or_else(|| world.observe(), Err) {
                Err(_) => assert!(at < used + 512, "an unused byte {at} is in the way"),
                Ok(after) => {
                    assert_eq!(after, before, "byte {at}");
                    assert!(at >= used, "byte {at} is used and was changed unseen");
                }
            }
        }
    }

    #[test]
    fn a_byte_changed_in_any_other_file_is_found() {
        let world = World::new();
        world.restore("lock", Some(&[]));
        let before = world.observe().unwrap();
        let mut unseen = Vec::new();
        for (name, bytes) in world.files.iter().filter(|(name, _)| !name.ends_with(".seg")) {
            for at in places(bytes) {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                world.restore(name, Some(&changed));
                if let Ok(after) = world.observe_with(name) {
                    assert_eq!(after, before, "{name}, byte {at}");
                    unseen.push((name, at));
                }
            }
        }
        for (name, at) in unseen {
            match name.as_str() {
                // The line end may be another white space.
                "gate.key" => assert_eq!(at + 1, world.files[name].len()),
                // A copy of what the ledger holds: an opened space writes it again.
                "gate.certificate" => {}
                // Behind the last answer.
                _ => assert!(name.starts_with("answers/") && at >= used(&world.files[name]), "{name}, byte {at}"),
            }
        }
    }

    #[test]
    fn a_file_that_is_gone_is_missed() {
        let world = World::new();
        world.restore("lock", Some(&[]));
        let before = world.observe().unwrap();
        let mut names: Vec<&String> = world.files.keys().collect();
        names.sort();
        for name in names {
            world.restore(name, None);
            let found = world.observe();
            match name.split('/').next().unwrap() {
                // Made anew when it is needed; the card is public and its owner has it; a kept request is the holder's.
                "lock" | "cards" | "requests" | "gate.certificate" => assert_eq!(found.unwrap(), before, "{name}"),
                "ledger" if name.ends_with("checkpoint") => {
                    assert!(found.unwrap_err().contains("no signed checkpoint"));
                    // The journal is the truth: a space opens without its checkpoint and writes it again.
                    drop(Space::open(world.path()).unwrap());
                    assert_eq!(world.observe().unwrap(), before);
                }
                _ => assert!(found.is_err(), "{name}"),
            }
        }
        assert_eq!(world.files.len(), 12, "{:?}", world.files.keys());
    }
}
