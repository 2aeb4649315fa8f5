//! The rules of the ledger, one by one: what may follow what, and what never.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;

use super::*;
use crate::budget::BudgetError;
use crate::id::LedgerId;
use crate::key::SigningKey;
use crate::ledger::batch::{Batch, Encoded, Taken};
use crate::ledger::world::{START, World, account, grant, loss, publish, record, refill, request, reserve, tag, version};
use crate::ledger::{Act, Charges, Event, Proposal, Quantum, Reservation, Seal};
use crate::random::{Random, RecordedRandom};
use proptest::prelude::*;

/// A book to which tests add entries.
struct Pen {
    world: World,
    book: Book,
    time: Time,
}

impl Pen {
    /// A new ledger with a lineage 1 of budget 1 and a right 2 over it of budget 0.5 and 3 uses.
    fn new(quantum_ms: u32) -> Self {
        let world = World::new(Quantum::new(quantum_ms).unwrap());
        let mut book = Book::default();
        world.foundation.entries(START).iter().for_each(|entry| book.apply(entry).unwrap());
        let mut pen = Self { world, book, time: START };
        pen.add(publish(1, 1000)).unwrap();
        pen.add(grant(2, 1, 500, 3)).unwrap();
        pen
    }

    fn add(&mut self, event: Event) -> Result<(), BookError> {
        let before = dump(&self.book);
        let result = self.book.apply(&Entry { time: self.time, event });
        assert!(result.is_ok() || dump(&self.book) == before, "a refusal changes nothing");
        result
    }

    /// What the batch makes of an act.
    #[expect(clippy::needless_pass_by_value, reason = "acts are made where they are tried")]
    fn act(&mut self, act: Act) -> Result<(), BookError> {
        let entry = act.entry(&self.book, self.time)?;
        self.time = entry.time;
        self.add(entry.event)
    }

    fn reserve(&mut self, number: u32, accounts: &[u8], amount: u64) -> Result<(), BookError> {
        self.act(Act::Reserve(reserve(number, accounts, amount)))
    }
}

/// All that a book says, in one order.
fn dump(book: &Book) -> String {
    let Book { head, accounts, opened, requests, reserved, once, tags, waiting } = book;
    let (accounts, requests): (BTreeMap<_, _>, BTreeMap<_, _>) = (accounts.iter().collect(), requests.iter().collect());
    let (once, tags): (BTreeMap<_, _>, BTreeMap<_, _>) = (once.iter().collect(), tags.iter().collect());
    format!("{head:?} {accounts:?} {opened:?} {requests:?} {reserved:?} {once:?} {tags:?} {waiting:?}")
}

fn state(number: u32, found: &'static str, index: u64) -> BookError {
    BookError::State { index, request: request(number), found }
}

#[test]
fn genesis_certificate_and_upgrade_have_their_places() {
    let world = World::new(Quantum::DEFAULT);
    let [genesis, certificate, upgrade] = world.foundation.entries(START);
    let mut book = Book::default();
    let place = |index, found| Err(BookError::Place { index, found });
    assert_eq!(book.apply(&certificate), place(0, "certificate"));
    assert_eq!(book.apply(&upgrade), place(0, "upgrade"));
    book.apply(&genesis).unwrap();
    assert_eq!(book.apply(&genesis), place(1, "genesis"));
    assert_eq!(book.apply(&upgrade), place(1, "upgrade"));
    book.apply(&certificate).unwrap();
    assert_eq!((book.head().quantum(), book.head().upgrade()), (Quantum::NONE, None));
    book.apply(&upgrade).unwrap();
    assert_eq!((book.head().quantum(), book.head().upgrade()), (Quantum::DEFAULT, Some((2, world.foundation.secret))));
    assert_eq!(book.apply(&upgrade), Err(BookError::Form { index: 3, found: "upgrade" }));
    assert_eq!(book.apply(&genesis), place(3, "genesis"));
    assert_eq!((book.size(), book.head().ledger_id()), (3, Some(world.ledger)));
}

/// The same event as it was before the upgrade.
fn old(event: Event) -> Event {
    match event {
        Event::Publish { account, artefact, limit, .. } => Event::Publish { account, artefact, limit, once: None },
        Event::Grant { account, artefact, limit, dataset, .. } => Event::Grant { account, artefact, limit, dataset, once: None },
        Event::Version { account, artefact, .. } => Event::Version { account, artefact, number: None },
        Event::Refill { account, artefact, amount, reason, .. } => Event::Refill { account, artefact, amount, reason, number: None },
        event => event,
    }
}

#[test]
fn the_upgrade_divides_the_old_form_from_the_new_one() {
    let world = World::new(Quantum::DEFAULT);
    let [genesis, certificate, upgrade] = world.foundation.entries(START);
    let mut book = Book::default();
    [genesis, certificate].iter().for_each(|entry| book.apply(entry).unwrap());
    let entry = |event: Event| Entry { time: START, event };
    let acts = || [publish(1, 1000), version(1, 2), refill(1, 1, 10), grant(2, 1, 500, 3)];
    for act in acts() {
        let (index, found) = (book.size(), act.name());
        assert_eq!(book.apply(&entry(act.clone())), Err(BookError::Form { index, found }));
        book.apply(&entry(old(act))).unwrap();
    }
    for act in [world.quantum(1, Quantum::NONE), world.clock(1, START)] {
        assert!(matches!(book.apply(&entry(act)), Err(BookError::Form { .. })));
    }
    book.apply(&upgrade).unwrap();
    for act in acts() {
        let (index, found) = (book.size(), act.name());
        assert_eq!(book.apply(&entry(old(act))), Err(BookError::Form { index, found }));
    }
    // Numbers count what the old form had.
    let number = |kind, expected, found| Err(BookError::Number { index: book.size(), kind, expected, found });
    assert_eq!(book.clone().apply(&entry(version(1, 2))), number("version", 3, 2));
    assert_eq!(book.clone().apply(&entry(refill(1, 1, 10))), number("refill", 2, 1));
    book.apply(&entry(version(1, 3))).unwrap();
    book.apply(&entry(refill(1, 2, 10))).unwrap();
}

#[test]
fn names_and_rights_stand_once() {
    let mut pen = Pen::new(100);
    let once = |index, found, number| Err(BookError::Once { index, found, account: account(number) });
    let renamed = |event, tag| match event {
        Event::Publish { account, artefact, limit, .. } => Event::Publish { account, artefact, limit, once: tag },
        Event::Grant { account, artefact, limit, dataset, .. } => Event::Grant { account, artefact, limit, dataset, once: tag },
        event => event,
    };
    assert_eq!(pen.add(renamed(publish(3, 1000), tag("dataset 1"))), once(5, "publish", 1));
    assert_eq!(pen.add(renamed(grant(3, 1, 1, 1), tag("right 2"))), once(5, "grant", 2));
    // One set for both: tags of names and rights never meet by themselves.
    assert_eq!(pen.add(renamed(grant(3, 1, 1, 1), tag("dataset 1"))), once(5, "grant", 1));
    let taken = |index, number| Err(BookError::Account { index, account: account(number) });
    assert_eq!(pen.add(renamed(publish(2, 1000), tag("other"))), taken(5, 2));
    assert_eq!(pen.add(grant(3, 2, 1, 1)), taken(5, 2));
    assert_eq!(pen.add(grant(3, 9, 1, 1)), taken(5, 9));
    assert_eq!(pen.add(version(2, 2)), taken(5, 2));
    assert_eq!(pen.add(refill(9, 1, 1)), taken(5, 9));
    pen.add(grant(3, 1, 1, 1)).unwrap();
    assert_eq!(pen.book.tagged(&tag("right 3").unwrap()), Some(account(3)));
    assert_eq!(pen.book.tagged(&tag("right 4").unwrap()), None);
}

#[test]
fn versions_and_refills_come_in_turn() {
    let mut pen = Pen::new(100);
    let number = |index, kind, expected, found| Err(BookError::Number { index, kind, expected, found });
    for wrong in [0, 1, 3, u64::MAX] {
        assert_eq!(pen.add(version(1, wrong)), number(5, "version", 2, wrong));
    }
    pen.add(version(1, 2)).unwrap();
    assert_eq!(pen.add(version(1, 2)), number(6, "version", 3, 2));
    assert_eq!(pen.add(refill(1, 2, 1)), number(6, "refill", 1, 2));
    pen.add(refill(1, 1, 500)).unwrap();
    assert_eq!(pen.add(refill(1, 1, 500)), number(7, "refill", 2, 1));
    assert!(matches!(pen.add(refill(1, 2, u64::MAX / 1_000_000_000)), Err(BookError::Budget { .. })));
    pen.add(version(1, 3)).unwrap();
    let lineage = pen.book.account(&account(1)).unwrap();
    assert_eq!(lineage.balance().limit(), loss(1500));
    assert_eq!([0, 5, 6, 7, 8, 100].map(|index| lineage.version_at(index)), [1, 1, 2, 2, 3, 3]);
}

#[test]
fn a_certificate_follows_with_the_next_number_and_only_from_the_owner() {
    let mut pen = Pen::new(100);
    let other = SigningKey::generate(&mut RecordedRandom::from_seed("other gate"));
    let owner = || Err(BookError::Owner { index: 5, found: "certificate" });
    let number = |index, expected, found| Err(BookError::Number { index, kind: "certificate", expected, found });
    let by_gate = pen.world.certificate(&other, 1, &pen.world.gate);
    assert_eq!(pen.add(by_gate), owner());
    let foreign = World { ledger: LedgerId::from_bytes([1; 32]), ..World::new(Quantum::DEFAULT) };
    assert_eq!(pen.add(foreign.certificate(&other, 1, &foreign.owner)), owner());
    assert_eq!(pen.add(Event::Certificate { bytes: b"none".to_vec() }), owner());
    for wrong in [0, 2] {
        let certificate = pen.world.certificate(&other, wrong, &pen.world.owner);
        assert_eq!(pen.add(certificate), number(5, 1, wrong));
    }
    let next = pen.world.certificate(&other, 1, &pen.world.owner);
    pen.add(next.clone()).unwrap();
    assert_eq!(pen.add(next), number(6, 2, 1));
    let gates = pen.book.head().certificates().iter().map(|(index, certificate)| (*index, certificate.value().gate.id()));
    use crate::key::Signer as _;
    assert_eq!(gates.collect::<Vec<_>>(), [(1, pen.world.gate.public().id()), (5, other.public().id())]);
    let at = |index| pen.book.head().certificate_at(index).map(|certificate| certificate.value().number);
    assert_eq!([0, 1, 4, 5, 9].map(at), [None, Some(0), Some(0), Some(1), Some(1)]);
    assert_eq!(pen.book.head().certificate().unwrap().value().number, 1);
}

#[test]
fn times_are_multiples_of_the_quantum_and_only_the_owner_sets_them_back() {
    let mut pen = Pen::new(20_000);
    let time = |index| Err(BookError::Time { index });
    for (seconds, fits) in [(1, false), (19, false), (20, true), (25, false), (20, true), (0, false), (60, true)] {
        pen.time = START.plus_s(seconds);
        let index = pen.book.size();
        let next = refill(1, pen.refills() + 1, 1);
        assert_eq!(pen.add(next), if fits { Ok(()) } else { time(index) }, "{seconds}");
    }
    // The quantum: its own numbers, from the next entry on.
    let change = |pen: &Pen, number| pen.world.quantum(number, Quantum::new(30_000).unwrap());
    let out_of_turn = pen.add(change(&pen, 2));
    assert!(matches!(out_of_turn, Err(BookError::Number { expected: 1, found: 2, .. })));
    let first = change(&pen, 1);
    pen.add(first.clone()).unwrap();
    assert!(matches!(pen.add(first), Err(BookError::Number { expected: 2, found: 1, .. })));
    pen.time = START.plus_s(80);
    let next = refill(1, 4, 1);
    assert_eq!(pen.add(next.clone()), time(9));
    pen.time = START.plus_s(90);
    pen.add(next).unwrap();

    // The clock: the time of the entry is the signed one, and before the last.
    let reset = |pen: &Pen, number, seconds| pen.world.clock(number, START.plus_s(seconds));
    for (number, seconds, at) in [(1, 90, 90), (1, 100, 100), (1, 40, 30), (1, 30, 40)] {
        pen.time = START.plus_s(at);
        let event = reset(&pen, number, seconds);
        assert_eq!(pen.add(event), time(10), "{seconds} at {at}");
    }
    pen.time = START.plus_s(31);
    let event = reset(&pen, 2, 31);
    assert!(matches!(pen.add(event), Err(BookError::Number { expected: 1, found: 2, .. })));
    let foreign = World { ledger: LedgerId::from_bytes([1; 32]), ..World::new(Quantum::DEFAULT) };
    assert_eq!(pen.add(foreign.clock(1, pen.time)), Err(BookError::Owner { index: 10, found: "clock" }));
    let event = reset(&pen, 1, 31);
    pen.act(Act::Record(event)).unwrap();
    assert_eq!((pen.book.head().time(), pen.book.head().clock_resets()), (Some(START.plus_s(31)), &[(10, START.plus_s(90))][..]));
    // What falls on no multiple is followed by the next one.
    pen.time = START.plus_s(45);
    pen.act(Act::Record(refill(1, 5, 1))).unwrap();
    assert_eq!(pen.book.head().time(), Some(START.plus_s(60)));
    pen.time = START.plus_s(61);
    pen.act(Act::Record(refill(1, 6, 1))).unwrap();
    assert_eq!(pen.book.head().time(), Some(START.plus_s(60)));
}

impl Pen {
    fn refills(&self) -> u64 {
        match self.book.account(&account(1)).unwrap().kind() {
            AccountKind::Lineage { refills, .. } => refills.len() as u64,
            AccountKind::Right { .. } => panic!("a lineage"),
        }
    }
}

#[test]
fn a_reservation_charges_a_lineage_and_rights_over_it_and_nothing_else() {
    let mut pen = Pen::new(100);
    pen.add(grant(3, 1, 900, 9)).unwrap();
    pen.add(publish(4, 1000)).unwrap();
    pen.add(grant(5, 4, 900, 9)).unwrap();
    let account_error = |number| Err(BookError::Account { index: 8, account: account(number) });
    for (accounts, expected) in [
        (&[][..], Err(state(1, "reserve", 8))),
        (&[1], Err(state(1, "reserve", 8))),
        (&[2, 1], account_error(1)),
        (&[1, 1], account_error(1)),
        (&[1, 5], account_error(5)),
        (&[1, 2, 5], account_error(5)),
        (&[1, 2, 2], account_error(2)),
        (&[1, 9], account_error(9)),
    ] {
        assert_eq!(pen.reserve(1, accounts, 100), expected, "{accounts:?}");
    }
    let with = |change: fn(&mut crate::ledger::Reserve)| {
        let mut reserve = reserve(1, &[1, 2], 100);
        change(&mut reserve);
        Act::Reserve(reserve)
    };
    assert_eq!(pen.act(with(|reserve| reserve.amount.uses = 0)), Err(state(1, "reserve", 8)));
    assert_eq!(pen.act(with(|reserve| reserve.amount.uses = 2)), Err(state(1, "reserve", 8)));
    assert!(matches!(pen.act(with(|reserve| reserve.from = START.plus_s(1))), Err(BookError::Window { .. })));
    assert!(matches!(pen.act(with(|reserve| reserve.until = Time::from_unix_s(START.unix_s() - 1))), Err(BookError::Window { .. })));
    pen.act(with(|reserve| (reserve.from, reserve.until) = (START, START))).unwrap();

    assert_eq!(pen.reserve(1, &[1, 2], 100), Err(state(1, "reserve", 9)));
    let same_nonce = Act::Reserve(crate::ledger::Reserve { once: reserve(1, &[], 0).once, ..reserve(2, &[1, 2], 100) });
    assert_eq!(pen.act(same_nonce), Err(BookError::Nonce { index: 9, request: request(2) }));
    assert!(matches!(
        pen.reserve(2, &[1, 2], 401),
        Err(BookError::Budget { account: id, problem: BudgetError::Exhausted { .. }, .. }) if id == account(2)
    ));
    pen.reserve(2, &[1, 2, 3], 100).unwrap();
    let spent = |number| pen.book.account(&account(number)).map(|account| (account.balance().spent(), account.uses()));
    assert_eq!([1, 2, 3].map(spent), [(200, 2), (200, 2), (100, 1)].map(|(amount, uses)| Some((loss(amount), uses))));
    pen.reserve(3, &[1, 2], 1).unwrap();
    assert_eq!(pen.reserve(4, &[1, 2], 1), Err(BookError::Uses { index: 11, account: account(2) }));
    assert!(matches!(pen.reserve(4, &[1, 3], 800), Err(BookError::Budget { account: id, .. }) if id == account(1)));
}

#[test]
fn thirty_one_rights_may_be_charged_at_once() {
    let mut pen = Pen::new(100);
    for number in 3..40 {
        pen.add(grant(number, 1, 100, 9)).unwrap();
    }
    let accounts: Vec<u8> = (1..=33).collect();
    let index = pen.book.size();
    assert_eq!(pen.reserve(1, &accounts, 1), Err(state(1, "reserve", index)));
    pen.reserve(1, &accounts[..32], 1).unwrap();
    let charges = pen.book.request(&request(1)).unwrap().charges.clone();
    let entry = Entry { time: START, event: Event::Refund { request: request(1), charges, reserved: 1 } };
    assert_eq!(Entry::decode(&entry.encode()).unwrap(), entry);
}

#[test]
fn wrong_arithmetic_is_found() {
    let mut pen = Pen::new(100);
    let Ok(Entry { event: Event::Reserve(right), .. }) = Act::Reserve(reserve(1, &[1, 2], 100)).entry(&pen.book, START) else {
        panic!("a reservation")
    };
    type Change = fn(&mut Charge);
    let changes: [Change; 4] = [
        |charge| charge.previous.loss = loss(1),
        |charge| charge.previous.uses = 1,
        |charge| charge.new.loss = loss(99),
        |charge| charge.new.uses = 0,
    ];
    for (at, change) in [0, 1].into_iter().flat_map(|at| changes.map(|change| (at, change))) {
        let mut charges = right.charges.to_vec();
        change(&mut charges[at]);
        let wrong = Event::Reserve(Reservation { charges: charges.into(), ..right.clone() });
        assert!(matches!(pen.add(wrong), Err(BookError::Arithmetic { .. })), "{at}");
    }
    let mut charges = right.charges.to_vec();
    charges[1].amount.loss = loss(99);
    let wrong = Event::Reserve(Reservation { charges: charges.into(), ..right.clone() });
    assert!(matches!(pen.add(wrong), Err(BookError::State { .. })));
    pen.add(Event::Reserve(right)).unwrap();
}

#[test]
fn a_request_goes_its_way_and_no_other() {
    let mut pen = Pen::new(100);
    let (start, answer) = (Act::Start { request: request(1) }, Digest::of(b"answer"));
    let seal = Act::Seal { request: request(1), answer };
    for act in [start.clone(), seal.clone(), Act::Refund { request: request(1) }] {
        assert!(matches!(pen.act(act), Err(BookError::State { index: 5, .. })));
    }
    pen.reserve(1, &[1, 2], 100).unwrap();
    assert_eq!(pen.act(seal.clone()), Err(state(1, "seal", 6)));
    assert_eq!(pen.add(Event::Start { request: request(1), reserved: 4 }), Err(state(1, "start", 6)));
    pen.act(start.clone()).unwrap();
    pen.act(start.clone()).unwrap();
    assert_eq!(pen.act(Act::Refund { request: request(1) }), Err(state(1, "refund", 8)));
    let Ok(Entry { event: Event::Seal(right), .. }) = seal.entry(&pen.book, START) else { panic!("a seal") };
    for wrong in [
        Seal { reserved_at: START.plus_s(1), ..right.clone() },
        Seal { reserved: 6, ..right.clone() },
        Seal { charges: Charges::from(right.charges[..1].to_vec()), ..right.clone() },
    ] {
        assert_eq!(pen.add(Event::Seal(wrong)), Err(state(1, "seal", 8)));
    }
    pen.act(seal.clone()).unwrap();
    let sealed = RequestState::Sealed { index: 8, time: START, answer };
    assert_eq!(pen.book.request(&request(1)).unwrap().state, sealed);
    for act in [start, seal] {
        assert!(matches!(pen.act(act), Err(BookError::State { index: 9, .. })));
    }
}

#[test]
fn a_refund_waits_until_the_request_cannot_come_again() {
    let mut pen = Pen::new(100);
    for number in 1..4 {
        let expires_at = START.plus_s(60 * u64::from(4 - number));
        pen.act(Act::Reserve(crate::ledger::Reserve { expires_at, ..reserve(number, &[1, 2], 100) })).unwrap();
    }
    pen.act(Act::Start { request: request(2) }).unwrap();
    let due = |pen: &Pen, seconds, most| pen.book.due(START.plus_s(seconds), most).collect::<Vec<_>>();
    assert_eq!(due(&pen, 360, 9), []);
    assert_eq!(due(&pen, 361, 9), [request(3)]);
    assert_eq!(due(&pen, 480, 9), [request(3)]);
    assert_eq!(due(&pen, 481, 9), [request(3), request(1)]);
    assert_eq!(due(&pen, 481, 1), [request(3)]);
    let refund = Act::Refund { request: request(3) };
    pen.time = START.plus_s(360);
    let until = pen.time;
    assert_eq!(pen.act(refund.clone()), Err(BookError::Due { index: 9, request: request(3), until }));
    pen.time = START.plus_s(361);
    pen.act(refund.clone()).unwrap();
    assert_eq!(pen.book.request(&request(3)).unwrap().state, RequestState::Refunded);
    assert_eq!(due(&pen, 481, 9), [request(1)]);
    assert!(matches!(pen.act(refund), Err(BookError::State { .. })));
    // It stays refused, and its nonce used.
    assert!(matches!(pen.reserve(3, &[1, 2], 100), Err(BookError::State { .. })));
    assert_eq!(pen.book.once(&reserve(3, &[], 0).once), Some(request(3)));
    let spent = |number| pen.book.account(&account(number)).map(|account| (account.balance().spent(), account.uses()));
    assert_eq!([1, 2].map(spent), [Some((loss(200), 2)); 2]);
}

/// What is proposed in the property below.
#[derive(Clone, Debug)]
enum Wish {
    Publish(u8),
    Grant(u8, u8, u64),
    Refill(u8, u64),
    Version(u8, u64),
    Reserve(u32, Vec<u8>, u64),
    Start(u32),
    Seal(u32),
    Refund(u32),
    Quantum(u64, u32),
    Clock(u64, u64),
}

fn wish() -> impl Strategy<Value = Wish> {
    let (lineage, right) = (1u8..3, 3u8..8);
    prop_oneof![
        1 => lineage.clone().prop_map(Wish::Publish),
        1 => (right.clone(), lineage.clone(), 0u64..4).prop_map(|(right, lineage, uses)| Wish::Grant(right, lineage, uses)),
        1 => (lineage.clone(), 1u64..3).prop_map(|(lineage, number)| Wish::Refill(lineage, number)),
        1 => (lineage.clone(), 2u64..4).prop_map(|(lineage, number)| Wish::Version(lineage, number)),
        3 => (0u32..6, lineage, proptest::collection::vec(right, 1..3), 0u64..200)
            .prop_map(|(number, lineage, rights, amount)| Wish::Reserve(number, [vec![lineage], rights].concat(), amount)),
        2 => (0u32..6).prop_map(Wish::Start),
        1 => (0u32..6).prop_map(Wish::Seal),
        1 => (0u32..6).prop_map(Wish::Refund),
        1 => (1u64..3, prop_oneof![Just(0), Just(100), Just(20_000)]).prop_map(|(number, ms)| Wish::Quantum(number, ms)),
        1 => (1u64..3, 0u64..900).prop_map(|(number, seconds)| Wish::Clock(number, seconds)),
    ]
}

impl Wish {
    fn act(&self, world: &World) -> Act {
        match self.clone() {
            Self::Publish(number) => Act::Record(publish(number, 500)),
            Self::Grant(number, dataset, uses) => Act::Record(grant(number, dataset, 300, uses)),
            Self::Refill(number, refill_number) => Act::Record(refill(number, refill_number, 100)),
            Self::Version(number, version_number) => Act::Record(version(number, version_number)),
            Self::Reserve(number, accounts, amount) => Act::Reserve(reserve(number, &accounts, amount)),
            Self::Start(number) => Act::Start { request: request(number) },
            Self::Seal(number) => Act::Seal { request: request(number), answer: Digest::of(b"answer") },
            Self::Refund(number) => Act::Refund { request: request(number) },
            Self::Quantum(number, ms) => Act::Record(world.quantum(number, Quantum::new(ms).unwrap())),
            Self::Clock(number, seconds) => Act::Record(world.clock(number, START.plus_s(seconds))),
        }
    }
}

/// The sum that [`Account::outstanding`] keeps, from the rights themselves.
fn outstanding(book: &Book, lineage: &AccountId) -> (u128, u128) {
    let rights = book.accounts().filter(|(_, account)| matches!(account.kind(), AccountKind::Right { dataset, .. } if dataset == lineage));
    rights.fold((0, 0), |sum, (_, right)| (sum.0 + right.promised().0, sum.1 + right.promised().1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Batches of proposals, taken through overlays and merged, give the book that the fold of their entries gives; a refused
    /// proposal leaves nothing; one that does not fit is admitted by the next batch as it would have been by this.
    #[test]
    fn overlays_give_the_book_that_the_fold_gives(
        batches in proptest::collection::vec(
            proptest::collection::vec((proptest::collection::vec(wish(), 1..4), 0u64..900), 1..8), 1..6),
        limit in 700usize..6_000,
    ) {
        let world = World::new(Quantum::DEFAULT);
        let mut book = Book::default();
        let mut fold = Book::default();
        for entry in world.foundation.entries(START) {
            book.apply(&entry).unwrap();
            fold.apply(&entry).unwrap();
        }
        let mut entries = Encoded::default();
        let mut waiting: Vec<(Proposal, Time)> = Vec::new();
        for batch in batches {
            let proposals = batch.iter().map(|(wishes, seconds)| {
                let acts = wishes.iter().map(|wish| wish.act(&world)).collect();
                (Proposal { acts }, START.plus_s(*seconds))
            });
            waiting.extend(proposals);
            while !waiting.is_empty() {
                let mut batch = Batch::new(&book, std::mem::take(&mut entries), limit, 1);
                let mut admitted = Vec::new();
                let mut count = 0;
                for (proposal, now) in &waiting {
                    match batch.take(proposal, *now) {
                        Taken::Judged(outcome) => admitted.extend(outcome),
                        Taken::Full => break,
                    }
                    count += 1;
                }
                prop_assert!(count > 0);
                waiting.drain(..count);
                let (encoded, changes) = batch.finish();
                book.merge(changes);
                let decoded: Vec<_> = encoded.iter().map(|bytes| Entry::decode(bytes).unwrap()).collect();
                let events: Vec<_> = decoded.iter().map(|entry| &entry.event).collect();
                let expected: Vec<_> = admitted.iter().flat_map(|admitted| &admitted.events).collect();
                prop_assert_eq!(events, expected);
                for admitted in &admitted {
                    let at = usize::try_from(admitted.ticket.number()).unwrap() - usize::try_from(fold.size()).unwrap();
                    prop_assert_eq!((decoded[at].time, &decoded[at].event), (admitted.time, &admitted.events[0]));
                }
                for entry in &decoded {
                    fold.apply(entry).unwrap();
                }
                prop_assert_eq!(dump(&book), dump(&fold));
                entries = encoded;
            }
        }
        for (id, account) in book.accounts().filter(|(_, account)| matches!(account.kind(), AccountKind::Lineage { .. })) {
            prop_assert_eq!(account.outstanding(), outstanding(&book, &id));
        }
    }
}

#[test]
fn a_proposal_is_admitted_whole_or_not_at_all() {
    let pen = Pen::new(100);
    let before = dump(&pen.book);
    let mut batch = Batch::new(&pen.book, Encoded::default(), 1 << 20, 1);
    let good = || Act::Reserve(reserve(1, &[1, 2], 100));
    let half = Proposal { acts: vec![good(), Act::Start { request: request(1) }, Act::Start { request: request(7) }] };
    assert!(matches!(batch.take(&half, START), Taken::Judged(Err(BookError::State { index: 7, .. }))));
    assert!(matches!(batch.take(&Proposal { acts: Vec::new() }, START), Taken::Judged(Err(BookError::Length { found: 0, .. }))));
    let whole = Proposal { acts: vec![good(), Act::Start { request: request(1) }] };
    assert!(matches!(batch.take(&whole, START), Taken::Judged(Ok(_))));
    let (entries, changes) = batch.finish();
    assert_eq!(entries.iter().count(), 2);
    assert_eq!(dump(&pen.book), before, "nothing is in the book before it is merged");
    let mut book = pen.book.clone();
    book.merge(changes);
    assert_eq!(book.size(), 7);

    // What fits no batch is refused, behind another it only waits.
    let mut batch = Batch::new(&pen.book, Encoded::default(), 200, 1);
    assert!(matches!(batch.take(&whole, START), Taken::Judged(Err(BookError::Length { limit: 200, .. }))));
    assert!(matches!(batch.take(&record(version(1, 2)), START), Taken::Judged(Ok(_))));
    assert!(matches!(batch.take(&whole, START), Taken::Full));
    assert_eq!(batch.finish().0.iter().count(), 1);
}

#[test]
fn some_random_times_never_break_the_order() {
    let mut random = RecordedRandom::from_seed("times");
    let mut pen = Pen::new(20_000);
    for number in 1..200 {
        pen.time = START.plus_s(random.next_u64() % 5_000);
        pen.act(Act::Record(refill(1, number, 1))).unwrap();
    }
}
