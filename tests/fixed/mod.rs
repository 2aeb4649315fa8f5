//! One small history with fixed keys, times, salts and nonces: the artefacts of `tests/artefacts`, the examples of
//! `docs` and the seeds of `fuzz` are its bytes. Ed25519 is deterministic, so everyone gets the same ones.

// Every includer uses another part.
#![allow(dead_code)]

use usufruct::anonymity::{ColumnShare, GapColumn, Gaps, UniqueShare, Uniqueness};
use usufruct::budget::Loss;
use usufruct::dataset::{
    Bounds, Card, Column, ColumnType, Contribution, Description, Draft, NewVersion, Publication, Refill, Schema, Unit,
};
use usufruct::dataset::{Uses, Values};
use usufruct::desensitise::{KeyUse, Manifest, ManifestColumn, Nature, OutputFile, ReleaseModel, Residual, Risk, RowOrder, SourceOpening};
use usufruct::envelope::{Artefact, Signed};
use usufruct::grade::{Grade, Kind};
use usufruct::id::{AccountId, ColumnName, Decimal, Digest, Name, Nonce, Purpose, Salt, Time, VersionId};
use usufruct::key::{KeySet, Signer, SigningKey};
use usufruct::label::Label;
use usufruct::ledger::{
    Charge, Charges, Checkpoint, ClockReset, Commitment, Entry, Event, GateCertificate, Genesis, Measure, Quantum, QuantumChange,
    RefillReason, Reservation, Seal, Tree, leaf_hash, origin_of,
};
use usufruct::query::{Comparison, Item, Literal, Operation, Predicate, Query};
use usufruct::receipt::{Answer, AnswerKey, AnswerRow, AnswerValue, Bundle, Receipt};
use usufruct::right::{Block, Request, Right, Seen, Terms, Verified};
use usufruct::value::DateOrder;

/// 2026-01-01T00:00:00Z, the time of the first entry; entry `k` follows `k` minutes later.
pub(crate) const START_S: u64 = 1_767_225_600;

pub(crate) fn time(minutes: u64) -> Time {
    Time::from_unix_s(START_S + 60 * minutes)
}

/// The key of RFC 8032 section 7.1 test 1 (owner), 2 (holder) or 3 (gate).
pub(crate) fn key(name: &str) -> SigningKey {
    let path = format!("{}/tests/artefacts/keys/{name}.key", env!("CARGO_MANIFEST_DIR"));
    SigningKey::from_pem(&std::fs::read(path).unwrap()).unwrap()
}

pub(crate) fn signed<T: Artefact>(value: T, signer: &str) -> Signed<T> {
    Signed::sign(value, &key(signer)).unwrap()
}

pub(crate) fn columns(names: &[&str]) -> Vec<ColumnName> {
    names.iter().map(|name| ColumnName::new(name).unwrap()).collect()
}

fn epsilon(amount: &str) -> Loss {
    Loss::approx(amount, "0").unwrap()
}

/// A dataset of two columns.
pub(crate) fn description() -> Description {
    let column = |name: &str, kind, bounds, values: Option<Values>, grade| Column {
        name: ColumnName::new(name).unwrap(),
        kind,
        bounds,
        uses: Uses::of_grade(grade, values.is_some()),
        values,
        other: None,
        nullable: false,
        grade,
    };
    let sexes = Values::Text(vec!["f".to_owned(), "m".to_owned()]);
    let columns = vec![
        column("age", ColumnType::Integer, Some(Bounds { low: 0, high: 120 }), None, Grade::L2),
        column("sex", ColumnType::Text, None, Some(sexes), Grade::L1),
    ];
    Description::new(Draft {
        name: Name::new("people").unwrap(),
        title: "People".to_owned(),
        report_delta: None,
        budget: epsilon("3"),
        // As the version wrote it that made the artefacts.
        legacy_quantum_ms: Some(0),
        rows_are_independent: true,
        public_size: false,
        public_source: None,
        schema: Schema::new(Unit::Row, Contribution::ROW, columns).unwrap(),
    })
    .unwrap()
}

pub(crate) fn query() -> Query {
    let (sex, age) = (ColumnName::new("sex").unwrap(), ColumnName::new("age").unwrap());
    let adults = Predicate::compare(age.clone(), Comparison::GreaterOrEqual, Literal::number("18").unwrap());
    let items = vec![Item::key(sex.clone()), Item::count_rows(), Item::mean(age)];
    Query::new(Name::new("people").unwrap(), items, vec![sex], Some(adults)).unwrap()
}

pub(crate) fn genesis() -> Genesis {
    let next = Digest::of(&KeySet::single(key("holder").public().clone()).to_bytes());
    Genesis { owner: KeySet::single(key("owner").public().clone()), next, random: [7; 16], test: false }
}

pub(crate) fn certificate() -> Signed<GateCertificate> {
    let ledger = genesis().ledger_id();
    signed(
        GateCertificate { ledger, gate: key("gate").public().clone(), not_before: time(0), not_after: time(5_000_000), number: 0 },
        "owner",
    )
}

pub(crate) fn salt(byte: u8) -> Salt {
    Salt::from_bytes([byte; 32])
}

/// The digest of `tests/artefacts/people.snapshot`.
pub(crate) fn snapshot_digest() -> Digest {
    SNAPSHOT_DIGEST.parse().unwrap()
}

pub(crate) const SNAPSHOT_DIGEST: &str = "797fbc44c8763dd4677ccfed4ac1bd183aed30f5534505752e6ebd99689ffc45";
pub(crate) const PEOPLE_CSV: &str = "age,sex\n39,m\n50,f\n17,f\n";

pub(crate) fn publication() -> Signed<Publication> {
    let snapshot = Commitment::new(Label::SNAPSHOT, &salt(1), &snapshot_digest());
    signed(Publication { ledger: genesis().ledger_id(), description: description(), snapshot }, "owner")
}

pub(crate) fn new_version() -> Signed<NewVersion> {
    let snapshot = Commitment::new(Label::SNAPSHOT, &salt(2), &snapshot_digest());
    signed(NewVersion { dataset: publication().dataset_id(), number: 2, snapshot }, "owner")
}

pub(crate) fn refill() -> Signed<Refill> {
    signed(Refill { dataset: publication().dataset_id(), number: 1, amount: epsilon("1"), reason: RefillReason::Accepted }, "owner")
}

pub(crate) fn card() -> Signed<Card> {
    signed(Card::of(&publication(), certificate().bytes().to_vec()), "owner")
}

pub(crate) fn block() -> Signed<Block> {
    let terms = Terms::process(epsilon("1"))
        .operations([Operation::Count, Operation::Mean])
        .columns(["age", "sex"])
        .purposes(["research:health"])
        .uses(100)
        .not_after(Time::parse("2030-01-01T00:00:00Z").unwrap())
        .not_before(time(0))
        .build()
        .unwrap();
    let block = Block {
        ledger: genesis().ledger_id(),
        dataset: publication().dataset_id(),
        name: Name::new("people").unwrap(),
        schema: description().schema().hash(),
        holder: key("holder").public().clone(),
        terms,
        issued_at: time(3),
        nonce: Nonce::from_bytes([3; 16]),
    };
    signed(block, "owner")
}

pub(crate) fn right() -> Verified {
    Right::of(&block())
}

pub(crate) fn request() -> Signed<Request> {
    let right = right();
    let request = Request {
        audience: genesis().ledger_id(),
        dataset: publication().dataset_id(),
        schema: description().schema().hash(),
        right: right.bytes().to_vec(),
        query: query(),
        price: epsilon("0.2"),
        purpose: Purpose::new("research:health").unwrap(),
        nonce: Nonce::from_bytes([4; 16]),
        issued_at: time(4),
        expires_at: time(4 + 24 * 60),
        seen: Some(Seen { size: 4, root: Digest::from_bytes(tree(&entries()[..4]).root()) }),
    };
    signed(request, "holder")
}

pub(crate) fn answer() -> Answer {
    let number = |text: &str| Decimal::parse(text).unwrap();
    let value = |value: Option<&str>, low: &str, high: &str, method: &str| AnswerValue {
        value: value.map(number),
        low: Some(number(low)),
        high: Some(number(high)),
        method: method.to_owned(),
    };
    let row = |key: &str, values| AnswerRow { key: vec![AnswerKey::Text(key.to_owned())], values };
    Answer {
        request: request().id(),
        dataset: publication().dataset_id(),
        version: VersionId::from_bytes(*publication().digest().as_bytes()),
        columns: ["sex", "COUNT(*)", "AVG(age)"].map(|name| Name::new(name).unwrap()).to_vec(),
        rows: vec![
            row("f", vec![value(Some("-2"), "-40", "36", "exact"), value(None, "0", "120", "inverted test")]),
            row("m", vec![value(Some("31"), "-7", "69", "exact"), value(Some("38.75"), "0.5", "120", "inverted test")]),
        ],
        spent: epsilon("0.2"),
        remaining: epsilon("0.8"),
        uses_left: 99,
        quantum_ms: 0,
        promise: description().promise(),
        grids: Vec::new(),
        cut: false,
    }
}

const LINEAGE: AccountId = AccountId::from_bytes([0xa1; 16]);
const RIGHT: AccountId = AccountId::from_bytes([0xa2; 16]);

fn charges() -> Charges {
    let measure = |amount: &str, uses| Measure { loss: epsilon(amount), uses };
    let charge = |account| Charge { account, amount: measure("0.2", 1), previous: measure("0", 0), new: measure("0.2", 1) };
    vec![charge(LINEAGE), charge(RIGHT)].into()
}

/// Genesis, certificate, publication and grant: what there was before the request.
pub(crate) fn entries() -> Vec<Entry> {
    let publish = Event::Publish {
        account: LINEAGE,
        artefact: Commitment::new(Label::ACCOUNT, &salt(5), &publication().digest()),
        limit: description().budget(),
        once: None,
    };
    let id = Digest::from_bytes(*right().id().as_bytes());
    let grant = Event::Grant {
        account: RIGHT,
        dataset: LINEAGE,
        artefact: Commitment::new(Label::ACCOUNT, &salt(6), &id),
        limit: Measure { loss: right().terms().budget, uses: right().terms().uses },
        once: None,
    };
    let events = [Event::Genesis(genesis()), Event::Certificate { bytes: certificate().bytes().to_vec() }, publish, grant];
    (0..).zip(events).map(|(minute, event)| Entry { time: time(minute), event }).collect()
}

/// The whole ledger: the request of [`request`] reserved, started and sealed behind [`entries`].
pub(crate) fn history() -> Vec<Entry> {
    let request = request();
    let once = Reservation::once(key("holder").public().id(), &request.value().nonce);
    let reserve = Reservation { request: request.id(), once, expires_at: request.value().expires_at, charges: charges() };
    let seal =
        Seal { request: request.id(), reserved: 4, reserved_at: time(4), answer: Digest::of(&answer().encode()), charges: charges() };
    let events = [Event::Reserve(reserve), Event::Start { request: request.id(), reserved: 4 }, Event::Seal(seal)];
    let later = (4..).zip(events).map(|(minute, event)| Entry { time: time(minute), event });
    entries().into_iter().chain(later).collect()
}

/// An entry of each kind, by name.
pub(crate) fn entry_kinds() -> Vec<Entry> {
    let opened = |digest: Digest| Commitment::new(Label::ACCOUNT, &salt(8), &digest);
    let more = [
        Event::Version { account: LINEAGE, artefact: opened(new_version().digest()), number: None },
        Event::Refill {
            account: LINEAGE,
            artefact: opened(refill().digest()),
            amount: refill().value().amount,
            reason: RefillReason::Accepted,
            number: None,
        },
        Event::Refund { request: request().id(), reserved: 4, charges: charges() },
    ];
    history().into_iter().chain(more.map(|event| Entry { time: time(9), event })).collect()
}

/// An entry of each kind and form that came with the upgrade of ledgers; they follow [`history`].
pub(crate) fn upgraded_entry_kinds() -> Vec<Entry> {
    const LINEAGE: AccountId = AccountId::from_bytes([0xb1; 16]);
    const RIGHT: AccountId = AccountId::from_bytes([0xb2; 16]);
    let ledger = genesis().ledger_id();
    let artefact = |number, account, digest: Digest| Commitment::of_account(&salt(number), account, &digest);
    let certificate = GateCertificate { number: 1, ..certificate().into_value() };
    let quantum = QuantumChange { ledger, number: 1, quantum: Quantum::new(20_000).unwrap() };
    let clock = ClockReset { ledger, number: 1, time: time(8) };
    let right_id = Digest::from_bytes(*right().id().as_bytes());
    let mut entries = [
        Event::Upgrade { quantum: Quantum::DEFAULT, secret: Commitment::new(Label::ACCOUNT, &salt(9), &Digest::of(b"secret")) },
        Event::Publish {
            account: LINEAGE,
            artefact: artefact(5, LINEAGE, publication().digest()),
            limit: description().budget(),
            once: Some(Digest::of(b"name")),
        },
        Event::Version { account: LINEAGE, artefact: artefact(6, LINEAGE, new_version().digest()), number: Some(2) },
        Event::Grant {
            account: RIGHT,
            artefact: artefact(7, RIGHT, right_id),
            limit: Measure { loss: right().terms().budget, uses: right().terms().uses },
            dataset: LINEAGE,
            once: Some(Digest::of(b"right")),
        },
        Event::Refill {
            account: LINEAGE,
            artefact: artefact(8, LINEAGE, refill().digest()),
            amount: refill().value().amount,
            reason: RefillReason::Accepted,
            number: Some(1),
        },
        Event::Certificate { bytes: signed(certificate, "owner").bytes().to_vec() },
        Event::Quantum { bytes: signed(quantum, "owner").bytes().to_vec() },
        Event::Clock { bytes: signed(clock, "owner").bytes().to_vec() },
    ]
    .map(|event| Entry { time: time(9), event });
    entries[7].time = time(8);
    entries.into()
}

pub(crate) fn tree(entries: &[Entry]) -> Tree {
    let mut tree = Tree::new();
    entries.iter().for_each(|entry| {
        tree.push(leaf_hash(&entry.encode()));
    });
    tree
}

pub(crate) fn checkpoint() -> String {
    let tree = tree(&history());
    Checkpoint::new(&origin_of(genesis().ledger_id()), tree.size(), tree.root()).unwrap().sign(&key("gate")).unwrap()
}

pub(crate) fn receipt() -> Receipt {
    let history = history();
    let tree = tree(&history);
    Receipt {
        certificate: certificate().bytes().to_vec(),
        entry: history[6].encode(),
        index: 6,
        inclusion: tree.inclusion(6, 7).unwrap(),
        consistency: tree.consistency(4, 7).unwrap(),
        checkpoint: checkpoint(),
    }
}

pub(crate) fn bundle() -> Bundle {
    Bundle { receipt: receipt(), request: request().bytes().to_vec(), answer: answer().encode() }
}

/// What opens the manifest's commitment to its source.
pub(crate) fn source_opening() -> SourceOpening {
    SourceOpening { salt: salt(7), digest: Digest::of(b"name,age\n"), rows_read: 3, rows_written: 2, rows_left_out: 1 }
}

/// The manifest of a controlled file with a pseudonym, a bin and a column that does not leave.
pub(crate) fn manifest() -> Signed<Manifest> {
    let name = |text: &str| Name::new(text).unwrap();
    let column = |column: &str, kind, technique: &str| ManifestColumn {
        name: ColumnName::new(column).unwrap(),
        kind,
        technique: name(technique),
        parameters: Vec::new(),
        key: None,
        leaves: true,
        grade_before: Grade::L3,
        grade_after: Grade::L2,
        residual: Residual::Unbounded,
        nature: Nature { deterministic: true, reversible: false, linkable: false },
        leaks: Vec::new(),
        not_personal: None,
        not_known: None,
    };
    let id = ManifestColumn {
        parameters: vec![(name("key"), "people".to_owned())],
        key: Some(KeyUse { id: name("people"), version: 1, algorithm: name("hmac-sha256") }),
        nature: Nature { deterministic: true, reversible: false, linkable: true },
        leaks: vec!["which rows have the same value".to_owned()],
        ..column("id", Kind::ResidentId, "pseudonym")
    };
    let age = ManifestColumn {
        parameters: vec![(name("width"), "10".to_owned())],
        grade_before: Grade::L2,
        grade_after: Grade::L1,
        residual: Residual::AtLeast(10),
        ..column("age", Kind::Number, "bin")
    };
    let note = ManifestColumn { leaves: false, grade_after: Grade::L1, ..column("note", Kind::Custom(name("remark")), "suppress") };
    let output = OutputFile { digest: Digest::of(b"id,age\n"), bytes: 7, format: "csv".to_owned() };
    let manifest = Manifest {
        release: ReleaseModel::Controlled,
        order: RowOrder::Shuffled,
        made: time(9),
        software: "usufruct 0.1.0".to_owned(),
        source: source_opening().commitment(),
        output,
        rows: None,
        risk: Some(Risk::NotAssessed),
        columns: vec![id, age, note],
    };
    signed(manifest, "owner")
}

/// The manifest of a controlled file in which unique persons were counted: a pseudonym that is the subject, a bin, a level, shifted
/// dates, and a column that does not leave.
pub(crate) fn counted_manifest() -> Signed<Manifest> {
    let mut manifest = manifest().into_value();
    let share = |millionths| UniqueShare::from_millionths(millionths).unwrap();
    let name = |text: &str| ColumnName::new(text).unwrap();
    let mut like = |column: usize, called: &str, technique: &str| {
        let mut about = manifest.columns[column].clone();
        (about.name, about.technique) = (name(called), Name::new(technique).unwrap());
        manifest.columns.push(about);
    };
    like(1, "ward", "keep");
    like(0, "visit", "date_shift");
    manifest.columns[1].not_known = None;
    manifest.columns[3].parameters.clear();
    manifest.risk = Some(Risk::Uniqueness(Uniqueness {
        subject: Some(name("id")),
        all: share(123_456),
        columns: ["age", "ward"].map(|column| ColumnShare { column: name(column), share: share(17) }).to_vec(),
        paired: ["age", "ward"].map(name).to_vec(),
        pairs: vec![share(123_456)],
        gaps: vec![Gaps {
            subject: Some(name("id")),
            columns: vec![GapColumn { column: name("visit"), order: Some(DateOrder::Dmy) }],
            share: share(0),
        }],
        most: share(300_000),
        because: Some("the hospital alone".to_owned()),
        records: Some(share(200_000)),
    }));
    signed(manifest, "owner")
}
