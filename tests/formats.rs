//! Byte formats: the examples of `docs/` and the artefacts in `tests/artefacts` are what this version writes from fixed
//! keys, and it reads them back. An artefact that was ever released stays in that folder for good.
//!
//! `cargo test --all-features --test formats -- --ignored` writes the files anew, before a release only.
#![allow(clippy::unwrap_used, missing_docs)]

mod fixed;

use std::collections::BTreeMap;
use std::path::PathBuf;

use usufruct::auditor::Auditor;
use usufruct::dataset::{Card, NewVersion, Publication, Refill};
use usufruct::desensitise::{Manifest, SourceOpening};
use usufruct::envelope::{Artefact, Untrusted};
use usufruct::key::{KeySet, Signer};
use usufruct::ledger::{Book, Checkpoint, Entry, GateCertificate, RequestState, origin_of};
use usufruct::query::Query;
use usufruct::receipt::{Answer, Bundle, Receipt};
use usufruct::right::{Request, Right, verify_request};

use fixed::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/artefacts")
}

/// What this version writes, by the name of its file.
fn written() -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = [
        ("gate.certificate", certificate().bytes().to_vec()),
        ("people.publication", publication().bytes().to_vec()),
        ("people.version", new_version().bytes().to_vec()),
        ("people.refill", refill().bytes().to_vec()),
        ("people.dataset", card().bytes().to_vec()),
        ("people.right", right().bytes().to_vec()),
        ("people.query", query().encode()),
        ("people.request", request().bytes().to_vec()),
        ("people.answer", answer().encode()),
        ("people.receipt", bundle().encode()),
        ("ledger.checkpoint", checkpoint().into_bytes()),
        ("people.manifest", manifest().bytes().to_vec()),
        ("counted.manifest", counted_manifest().bytes().to_vec()),
        ("people.opening", source_opening().encode()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .into();
    files.extend(entry_kinds().into_iter().map(|entry| (format!("{}.entry", entry.event.name()), entry.encode())));
    files.extend(upgraded_entry_kinds().into_iter().map(|entry| (format!("upgraded.{}.entry", entry.event.name()), entry.encode())));
    #[cfg(all(feature = "embedded", feature = "csv"))]
    files.extend([
        ("ledger.seg".to_owned(), stored::segment()),
        ("people.snapshot".to_owned(), stored::snapshot()),
        ("holder.key.seen".to_owned(), stored::seen()),
    ]);
    files
}

#[test]
fn every_artefact_is_written_byte_for_byte_as_it_was() {
    for (name, bytes) in written() {
        let kept = std::fs::read(folder().join(&name)).unwrap_or_default();
        assert!(kept == bytes, "{name}: {} bytes kept, {} written", kept.len(), bytes.len());
    }
}

/// Reads and verifies a kept artefact; its value, signed again, has the same bytes.
fn read<T: Artefact>(name: &str, signer: &str) -> T {
    let bytes = std::fs::read(folder().join(name)).unwrap();
    let verified = Untrusted::<T>::decode(&bytes).unwrap().verify(key(signer).public()).unwrap();
    assert_eq!(verified.value().to_payload(), verified.payload());
    let value = T::from_payload(verified.payload()).unwrap();
    assert_eq!(signed(verified.into_value(), signer).bytes(), bytes, "{name}");
    value
}

#[test]
fn every_kept_artefact_is_read() {
    let bytes = |name: &str| std::fs::read(folder().join(name)).unwrap();
    let owner = KeySet::single(key("owner").public().clone());
    assert_eq!(&read::<GateCertificate>("gate.certificate", "owner"), certificate().value());
    assert_eq!(&read::<Publication>("people.publication", "owner"), publication().value());
    assert_eq!(&read::<NewVersion>("people.version", "owner"), new_version().value());
    assert_eq!(&read::<Refill>("people.refill", "owner"), refill().value());
    assert_eq!(&read::<Card>("people.dataset", "owner"), card().value());
    assert_eq!(&read::<Manifest>("people.manifest", "owner"), manifest().value());
    assert_eq!(&read::<Manifest>("counted.manifest", "owner"), counted_manifest().value());
    assert_eq!(SourceOpening::decode(&bytes("people.opening")).unwrap(), source_opening());
    assert!(manifest().value().is_opened_by(&source_opening()));
    assert_eq!(Right::decode(&bytes("people.right")).unwrap().verify(&owner).unwrap().root(), block().value());
    assert_eq!(&read::<Request>("people.request", "holder"), request().value());
    assert_eq!(Query::from_canonical_bytes(&bytes("people.query")).unwrap(), query());
    assert_eq!(Answer::decode(&bytes("people.answer")).unwrap(), answer());
    assert_eq!(Bundle::decode(&bytes("people.receipt")).unwrap(), bundle());
    let (verified, right) = verify_request(&bytes("people.request"), &owner).unwrap();
    verified.value().check(&right, genesis().ledger_id(), time(5)).unwrap();
    for entry in entry_kinds() {
        assert_eq!(Entry::decode(&bytes(&format!("{}.entry", entry.event.name()))).unwrap(), entry);
    }
    for entry in upgraded_entry_kinds() {
        assert_eq!(Entry::decode(&bytes(&format!("upgraded.{}.entry", entry.event.name()))).unwrap(), entry);
    }
    let note = String::from_utf8(bytes("ledger.checkpoint")).unwrap();
    let checkpoint = Checkpoint::verify(&note, &origin_of(genesis().ledger_id()), key("gate").public()).unwrap();
    assert_eq!((checkpoint.size(), *checkpoint.root()), (7, tree(&history()).root()));
}

#[test]
fn the_history_follows_and_its_bundle_verifies() {
    let mut book = Book::default();
    history().iter().for_each(|entry| book.apply(entry).unwrap());
    assert!(matches!(book.request(&request().id()).unwrap().state, RequestState::Sealed { index: 6, .. }));
    upgraded_entry_kinds().iter().for_each(|entry| book.apply(entry).unwrap());
    let head = book.head();
    assert_eq!((head.certificates().len(), head.quantum().ms(), head.clock_resets().len()), (2, 20_000, 1));
    let proof = Auditor::new(key("owner").public().clone()).verify_bundle(&bundle()).unwrap();
    assert!(proof.bound);
    assert_eq!(proof.answer, Some(answer()));
    assert_eq!(Receipt::decode(&receipt().encode()).unwrap(), receipt());
}

fn text(page: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(page)).unwrap()
}

/// The lines of a fenced block `hex NAME` of a page: hexadecimal digits, with remarks after `#`.
fn example(page: &str, name: &str) -> Vec<Vec<u8>> {
    let text = text(page);
    let (_, block) = text.split_once(&format!("```hex {name}\n")).unwrap_or_else(|| panic!("{page} has no block {name}"));
    let (block, _) = block.split_once("```").unwrap();
    let digits = |line: &str| line.split('#').next().unwrap().split_whitespace().collect::<String>();
    let bytes = |line: String| (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap()).collect();
    block.lines().map(digits).map(bytes).collect()
}

#[test]
fn the_examples_of_the_pages_are_these_bytes() {
    for (page, name, bytes) in [
        ("right.md", "right", right().bytes().to_vec()),
        ("request.md", "payload", request().payload().to_vec()),
        ("receipt.md", "answer", answer().encode()),
        ("receipt.md", "receipt", receipt().encode()),
        ("manifest.md", "payload", manifest().payload().to_vec()),
        ("manifest.md", "opening", source_opening().encode()),
        ("ledger.md", "genesis", history()[0].encode()),
        ("ledger.md", "certificate", certificate().bytes().to_vec()),
        ("ledger.md", "grant", history()[3].encode()),
        ("ledger.md", "seal", history()[6].encode()),
    ] {
        assert!(example(page, name).concat() == bytes, "{page}, block {name}: {} bytes", bytes.len());
    }
    let says = |page: &str, words: String| assert!(text(page).contains(&words), "{page}: {words}");
    says("right.md", format!("`{}`", right().id()));
    says("manifest.md", format!("`{}`", manifest().value().policy()));
    says("request.md", format!("`{}`", request().id()));
    says("request.md", format!("`{}`", query()));
    says("ledger.md", format!("`{}`", genesis().ledger_id()));
}

/// The blocks of `cbor.md`: those of the first are one canonical item each, a line each; those of the second none.
#[test]
fn the_examples_of_the_subset_are_accepted_and_refused() {
    use usufruct::codec::{Decoder, Limits};
    for (name, accepted) in [("accepted", true), ("refused", false)] {
        for bytes in example("cbor.md", name) {
            let read = Decoder::new(&bytes, Limits::default()).and_then(|mut decoder| {
                decoder.skip()?;
                decoder.finish()
            });
            assert_eq!(read.is_ok(), accepted, "{bytes:02x?}: {read:?}");
        }
    }
}

#[cfg(all(feature = "embedded", feature = "csv"))]
mod stored {
    use std::ops::ControlFlow;

    use usufruct::dataset::{RowKey, Snapshot, table_schema, write_snapshot};
    use usufruct::file::{Output, OutputOptions};
    use usufruct::holder::Remembered;
    use usufruct::ledger::{Journal, JournalOptions};
    use usufruct::receipt::SignedCheckpoint;
    use usufruct::table::{CsvOptions, CsvSource};

    use super::*;

    const SEGMENT_BYTES: u64 = 8192;

    /// The only segment of a journal with the history in two batches.
    pub(super) fn segment() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let mut id = [0; 16];
        id.copy_from_slice(&genesis().ledger_id().as_bytes()[..16]);
        let options = JournalOptions::default().segment_bytes(SEGMENT_BYTES).unwrap();
        let mut journal = Journal::create(&folder.path().join("ledger"), id, options).unwrap();
        let entries: Vec<Vec<u8>> = history().iter().map(Entry::encode).collect();
        for batch in [&entries[..2], &entries[2..]] {
            journal.append(&batch.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
        }
        std::fs::read(folder.path().join("ledger/0000000000.seg")).unwrap()
    }

    pub(super) fn snapshot() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.snapshot");
        let description = description();
        let csv = CsvSource::from_bytes(PEOPLE_CSV.as_bytes(), CsvOptions::default(), table_schema(description.schema())).unwrap();
        let output = Output::create(&path, OutputOptions { force: false, private: true }).unwrap();
        // With rows as units the key leaves no trace in the file.
        let row_key = RowKey::from_bytes(&[9; 32]);
        let summary = write_snapshot(&csv, &description, &row_key, output, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(summary.digest, snapshot_digest());
        std::fs::read(path).unwrap()
    }

    /// What the holder remembers of the ledger.
    pub(super) fn seen() -> Vec<u8> {
        let checkpoint = SignedCheckpoint::verify(certificate().bytes(), &checkpoint(), key("owner").public()).unwrap();
        format!("{}\n", Remembered::from(&checkpoint)).into_bytes()
    }

    #[test]
    fn the_kept_journal_and_snapshot_are_read() {
        let journal = tempfile::tempdir().unwrap();
        std::fs::copy(folder().join("ledger.seg"), journal.path().join("0000000000.seg")).unwrap();
        let mut found = Vec::new();
        Journal::read_only(journal.path(), |_, entry| found.push(Entry::decode(entry).unwrap())).unwrap();
        assert_eq!(found, history());
        let snapshot = Snapshot::open(folder().join("people.snapshot"), description().schema()).unwrap();
        assert_eq!((snapshot.rows(), snapshot.digest()), (3, snapshot_digest()));
        assert!((0..2).all(|column| snapshot.block(column, 0).is_ok()));
    }
}

/// Writes `tests/artefacts` and `fuzz/seeds`.
#[test]
#[ignore = "writes the kept artefacts anew"]
fn write_artefacts() {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (name, bytes) in written() {
        std::fs::write(folder().join(&name), &bytes).unwrap();
        let target = match name.rsplit_once('.').unwrap().1 {
            "certificate" | "publication" | "version" | "refill" | "dataset" | "right" => "right",
            "request" | "query" => "request",
            "receipt" | "answer" | "checkpoint" | "seen" => "receipt",
            "entry" | "seg" => "journal_entry",
            "manifest" | "opening" => "manifest",
            _ => continue,
        };
        std::fs::create_dir_all(seeds.join(target)).unwrap();
        std::fs::write(seeds.join(target).join(&name), bytes).unwrap();
    }
    std::fs::write(seeds.join("right/people.block"), block().payload()).unwrap();
    std::fs::write(seeds.join("manifest/people.payload"), manifest().payload()).unwrap();
    std::fs::write(seeds.join("request/people.payload"), request().payload()).unwrap();
    std::fs::write(seeds.join("receipt/people.unbound"), receipt().encode()).unwrap();
}

/// A manifest says the same thing in one way only.
#[test]
fn manifests_that_contradict_themselves_are_refused() {
    use usufruct::anonymity::{UniqueShare, Uniqueness};
    use usufruct::desensitise::{ReleaseModel, Risk};
    use usufruct::id::ColumnName;
    let good = manifest().into_value();
    assert!(Manifest::from_payload(&good.to_payload()).is_ok());
    type Change = fn(&mut Manifest);
    let wrong: [(&str, Change); 5] = [
        ("rows of a controlled file", |manifest| manifest.rows = Some(2)),
        ("no risk of a controlled file", |manifest| manifest.risk = None),
        ("risk of an enclave", |manifest| manifest.release = ReleaseModel::Enclave),
        ("no rows of a public file", |manifest| manifest.release = ReleaseModel::Public),
        ("parameters out of order", |manifest| {
            let name = |text| usufruct::id::Name::new(text).unwrap();
            manifest.columns[1].parameters = vec![(name("width"), "10".into()), (name("origin"), "0".into())];
        }),
    ];
    for (what, change) in wrong {
        let mut manifest = good.clone();
        change(&mut manifest);
        assert!(Manifest::from_payload(&manifest.to_payload()).is_err(), "{what}");
    }
    // Shares that leave out what somebody outside could know, or say more than one thing.
    let counted = counted_manifest().into_value();
    type Lie = fn(&mut Manifest, &mut Uniqueness);
    let wrong: [(&str, Lie); 17] = [
        ("no share on a column that leaves", |_, stated| drop((stated.columns.pop(), stated.paired.pop(), stated.pairs.clear()))),
        ("a pseudonym in place of what leaves in clear", |_, stated| stated.columns[0].column = stated.subject.clone().unwrap()),
        ("columns in another order", |_, stated| stated.columns.swap(0, 1)),
        ("a column that is said not to be known", |manifest, _| manifest.columns[1].not_known = Some("by nobody".into())),
        ("a subject that does not leave", |_, stated| stated.subject = Some(ColumnName::new("note").unwrap())),
        ("a pair without its share", |_, stated| stated.pairs.clear()),
        ("gaps of a column that does not leave", |_, stated| stated.gaps[0].columns[0].column = ColumnName::new("note").unwrap()),
        ("more than usual without a reason", |_, stated| stated.because = None),
        ("an empty reason", |_, stated| stated.because = Some(" ".into())),
        ("a column that is shifted, and no gaps", |_, stated| stated.gaps.clear()),
        ("gaps of a column that is not shifted", |_, stated| stated.gaps[0].columns[0].column = ColumnName::new("ward").unwrap()),
        ("a subject of gaps that does not leave", |_, stated| stated.gaps[0].subject = Some(ColumnName::new("note").unwrap())),
        ("more than is allowed", |_, stated| stated.all = UniqueShare::from_millionths(300_001).unwrap()),
        ("more gaps than are allowed", |_, stated| stated.gaps[0].share = UniqueShare::from_millionths(300_001).unwrap()),
        ("less on all than on a part", |_, stated| stated.pairs[0] = UniqueShare::from_millionths(123_457).unwrap()),
        ("no share of records", |_, stated| stated.records = None),
        ("no pairs", |_, stated| (stated.paired, stated.pairs) = (Vec::new(), Vec::new())),
    ];
    for (what, change) in wrong {
        let mut manifest = counted.clone();
        let Some(Risk::Uniqueness(mut stated)) = manifest.risk.take() else { panic!() };
        change(&mut manifest, &mut stated);
        manifest.risk = Some(Risk::Uniqueness(stated));
        assert!(Manifest::from_payload(&manifest.to_payload()).is_err(), "{what}");
    }
    // Another technique under the same policy digest.
    let mut payload = good.to_payload();
    let at = payload.windows(3).position(|window| window == b"bin").unwrap();
    payload[at..at + 3].copy_from_slice(b"bun");
    assert!(Manifest::from_payload(&payload).is_err());
    let mut public = good;
    (public.release, public.rows, public.risk) = (ReleaseModel::Public, Some(2), Some(Risk::NotAssessed));
    assert!(Manifest::from_payload(&public.to_payload()).is_ok());
}
