use std::sync::Arc;
use std::time::Duration;

use super::desk::Desk;
use super::environment::{Environment, Point};
use super::folder::OpeningPart;
use super::opening::{Opening, fresh_salt};
use super::shelf::{Lineage, right_digest};
use super::{AnswerError, GateError, Interrupted};
use crate::budget::{Balance, Loss};
use crate::dataset::{RowKey, Step};
use crate::engine::{self, Bound, Control, Engine as _, Estimate, Group, Noisy, SnapshotEngine, Split};
use crate::envelope::Signed;
use crate::id::{AccountId, Digest, Name, RequestId, Time};
use crate::label::Label;
use crate::ledger::{Charge, Entry, Event, Ledger, Measure, RequestState, Reservation, Seal};
use crate::query::{Expression, Item, Query};
use crate::random::Random as _;
use crate::receipt::{ANSWER_BYTES_MAX, Answer, COLUMNS_MAX, Key, Receipt, Release, Row, Value};
use crate::right::{Accounts, Request, Verdict, Verified, verify_request};

/// A request that verified, is within its right and fits the schema. Nothing is charged yet.
#[derive(Debug)]
pub struct VerifiedRequest {
    pub(super) request: Signed<Request>,
    pub(super) right: Verified,
    pub(super) bound: Bound,
    pub(super) split: Split,
    pub(super) price: Measure,
}

/// A request whose charge is durable. It can be given back only from here. Only the gate makes one:
///
/// ```compile_fail,E0451
/// fn forge(reserved: usufruct::gate::Reserved) -> usufruct::gate::Reserved {
///     usufruct::gate::Reserved { index: 0, ..reserved }
/// }
/// ```
#[derive(Debug)]
pub struct Reserved {
    verified: VerifiedRequest,
    index: u64,
    at: Time,
    charges: Vec<Charge>,
    /// When the charge was durable: the quantum counts from here.
    charged_at: Duration,
}

/// A request whose start is durable: cells may be read, and nothing is ever refunded.
#[derive(Debug)]
pub struct Started {
    reserved: Reserved,
}

/// A request, its right, the bound query, and price, remaining and uses of the right for a refusal.
type Bindings = (Signed<Request>, Verified, Bound, (Loss, Loss, u64));

/// What is known of a verified request.
enum Standing {
    New,
    /// Charged before, and not sealed: runs again under the same charge.
    Charged {
        index: u64,
        at: Time,
        charges: Vec<Charge>,
    },
    Sealed {
        seal: Seal,
        index: u64,
        time: Time,
    },
}

impl<E: Environment> Desk<E> {
    pub(crate) fn answer(&self, bytes: &[u8], control: &Control<'_>) -> Result<Release, AnswerError> {
        let verified = self.verify(bytes)?;
        let lineage = self.lineage(&verified)?;
        self.environment.point(Point::Verified);
        let id = verified.request.id();
        let _turn = Turn::take(self, id).ok_or_else(|| self.refuse(Verdict::Busy, Some(&verified)))?;
        let reserved = match self.standing(&verified)? {
            Standing::Sealed { seal, index, time } => return Ok(self.sealed_release(&verified.request, &seal, index, time)?),
            Standing::Charged { index, at, charges } => Reserved { verified, index, at, charges, charged_at: self.environment.monotonic() },
            Standing::New => self.reserve(verified, &lineage)?,
        };
        self.environment.point(Point::Reserved);
        let charged_at = reserved.charged_at;
        let outcome = self.start(reserved).and_then(|started| self.run(started, &lineage, control));
        // Answers and late failures leave at the same multiples (rule G2).
        self.wait_for_quantum(charged_at, lineage.description.legacy_quantum_ms().unwrap_or(0));
        outcome.map_err(|Interrupted| AnswerError::Failed { request: id })
    }

    /// Checks everything that needs neither cells nor randomness nor the ledger's pen.
    pub(super) fn verify(&self, bytes: &[u8]) -> Result<VerifiedRequest, AnswerError> {
        let (request, right, bound, own) = self.bind(bytes)?;
        let price = request.value().price;
        let split = Split::new(&bound, price).map_err(|error| refused(Verdict::Query(error.to_string()), Some(own)))?;
        Ok(VerifiedRequest { request, right, bound, split, price: Measure { loss: price, uses: 1 } })
    }

    /// The same but for the price.
    pub(super) fn bind(&self, bytes: &[u8]) -> Result<Bindings, AnswerError> {
        let (request, right) = verify_request(bytes, &self.owner).map_err(|verdict| refused(verdict, None))?;
        let last = self.ledger()?.book().time();
        let checked = self.now(last).and_then(|now| request.value().check(&right, self.ledger_id, now));
        let own = self.own_balance(&right, request.value().price)?;
        checked.map_err(|verdict| refused(verdict, Some(own)))?;
        let shelf = self.shelf.read().map_err(|_| GateError::Stopped)?;
        let bound = || -> Result<Bound, Verdict> {
            let lineage = shelf.dataset(&request.value().dataset).ok_or(Verdict::UnknownDataset)?;
            let schema = lineage.description.schema();
            if schema.hash() != request.value().schema {
                return Err(Verdict::Dataset);
            }
            if request.value().price.model() != lineage.description.budget().model() {
                return Err(Verdict::Price);
            }
            let bound = Bound::new(&request.value().query, schema).map_err(|error| Verdict::Query(error.to_string()))?;
            if answer_columns(&request.value().query, &bound).is_none_or(|columns| columns.len() > COLUMNS_MAX) {
                return Err(Verdict::Query(format!("the answer has more than {COLUMNS_MAX} columns, or one with too long a name: use AS")));
            }
            Ok(bound)
        };
        let bound = bound().map_err(|verdict| refused(verdict, Some(own)))?;
        Ok((request, right, bound, own))
    }

    /// The state of the request in the ledger, and whether the ledger contains what the holder has seen.
    fn standing(&self, verified: &VerifiedRequest) -> Result<Standing, AnswerError> {
        let ledger = self.ledger()?;
        let request = verified.request.value();
        if let Some(seen) = request.seen {
            let size = ledger.tree().size();
            if ledger.tree().root_at(seen.size).as_ref() != Some(seen.root.as_bytes()) {
                drop(ledger);
                return Err(self.refuse(Verdict::InDoubt { seen: seen.size, size }, Some(verified)));
            }
        }
        let id = verified.request.id();
        let standing = match ledger.book().request(&id) {
            None => {
                let once = Reservation::once(verified.right.holder().id(), &request.nonce);
                if ledger.book().once(&once).is_some() {
                    drop(ledger);
                    return Err(self.refuse(Verdict::Nonce, Some(verified)));
                }
                Standing::New
            }
            Some(record) => match &record.state {
                RequestState::Reserved | RequestState::Started => {
                    Standing::Charged { index: record.reserved, at: record.reserved_at, charges: record.charges.clone() }
                }
                RequestState::Sealed { index, time, answer } => {
                    let seal = Seal {
                        request: id,
                        reserved: record.reserved,
                        reserved_at: record.reserved_at,
                        answer: *answer,
                        charges: record.charges.clone(),
                    };
                    Standing::Sealed { seal, index: *index, time: *time }
                }
                RequestState::Refunded => {
                    drop(ledger);
                    return Err(self.refuse(Verdict::Refunded, Some(verified)));
                }
            },
        };
        Ok(standing)
    }

    /// Charges the lineage and the right, durably, or refuses and leaves no trace.
    fn reserve(&self, verified: VerifiedRequest, lineage: &Lineage) -> Result<Reserved, AnswerError> {
        let request = verified.request.value();
        let mut ledger = self.ledger()?;
        let now = match self.now(ledger.book().time()) {
            Ok(now) => now,
            Err(verdict) => {
                drop(ledger);
                return Err(self.refuse(verdict, Some(&verified)));
            }
        };
        let known = self.shelf.read().map_err(|_| GateError::Stopped)?.right(&verified.right.id());
        if let Err(verdict) = check_budgets(&ledger, &verified, lineage, known) {
            drop(ledger);
            return Err(self.refuse(verdict, Some(&verified)));
        }
        // The first use of a right registers it (rule A2).
        let right = match known {
            Some(account) => account,
            None => self.register(&mut ledger, &verified.right, lineage)?,
        };
        let charges = vec![
            ledger.book().charge(lineage.account, verified.price).map_err(GateError::from)?,
            ledger.book().charge(right, verified.price).map_err(GateError::from)?,
        ];
        let event = Event::Reserve(Reservation {
            request: verified.request.id(),
            once: Reservation::once(verified.right.holder().id(), &request.nonce),
            expires_at: request.expires_at,
            charges: charges.clone(),
        });
        let mut outcomes = ledger.append(vec![event], now).map_err(GateError::from)?;
        let index = outcomes.pop().ok_or(GateError::Stopped)?.map_err(GateError::from)?;
        let at = ledger.book().time().unwrap_or(now);
        drop(ledger);
        Ok(Reserved { verified, index, at, charges, charged_at: self.environment.monotonic() })
    }

    /// Appends the Grant of a right that is used or handed in for the first time.
    pub(super) fn register(&self, ledger: &mut Ledger, right: &Verified, lineage: &Lineage) -> Result<AccountId, GateError> {
        let mut random = self.environment.random(Label::ACCOUNT.as_bytes())?;
        let mut account = [0; 16];
        random.fill(&mut account);
        let account = AccountId::from_bytes(account);
        let digest = right_digest(right.id());
        let opening = Opening { salt: fresh_salt(&mut random), artefact: right.bytes().to_vec(), digest, snapshot: None };
        self.folder.write(&self.folder.opening(account, OpeningPart::Right), &opening.encode(), true, false)?;
        let limit = Measure { loss: right.terms().budget, uses: right.terms().uses };
        self.append_one(ledger, Event::Grant { account, dataset: lineage.account, artefact: opening.commitment(), limit })?;
        self.shelf.write().map_err(|_| GateError::Stopped)?.insert_right(right.id(), account);
        Ok(account)
    }

    fn start(&self, reserved: Reserved) -> Result<Started, Interrupted> {
        let mut ledger = self.ledger()?;
        self.append_one(&mut ledger, Event::Start { request: reserved.verified.request.id(), reserved: reserved.index })?;
        drop(ledger);
        self.environment.point(Point::Started);
        Ok(Started { reserved })
    }

    /// Reads cells, adds noise, makes the answer durable, seals it.
    fn run(&self, started: Started, lineage: &Lineage, control: &Control<'_>) -> Result<Release, Interrupted> {
        let Started { reserved: Reserved { verified, index, at, charges, .. } } = started;
        // A key that is always there: a request over rows never asks it.
        let engine = SnapshotEngine::of_units(Arc::clone(&lineage.snapshot), RowKey::from_bytes(lineage.row_key.as_bytes()))
            .with_spill_folder(self.folder.root());
        let exact = engine.aggregate(&verified.bound, control)?;
        self.environment.point(Point::Aggregated);
        let id = verified.request.id();
        let context = [Label::NOISE.as_bytes(), id.as_bytes()].concat();
        let mut random = self.environment.random(&context).map_err(GateError::from)?;
        let noisy = exact.noise(&verified.split, &mut random)?;
        let answer = self.write_up(&verified, lineage, &noisy, &charges)?;
        let bytes = answer.encode();
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(Interrupted);
        }
        let digest = Digest::of(&bytes);
        self.folder.write_answer(digest, &bytes).map_err(GateError::from)?;
        self.environment.point(Point::Written);

        let seal = Seal { request: id, reserved: index, reserved_at: at, answer: digest, charges };
        let mut ledger = self.ledger()?;
        let index = self.append_one(&mut ledger, Event::Seal(seal.clone()))?;
        let time = ledger.book().time().ok_or(Interrupted)?;
        drop(ledger);
        self.environment.point(Point::Sealed);
        Ok(self.sealed_release(&verified.request, &seal, index, time)?)
    }

    fn write_up(&self, verified: &VerifiedRequest, lineage: &Lineage, noisy: &Noisy, charges: &[Charge]) -> Result<Answer, Interrupted> {
        let right = charges.last().ok_or(Interrupted)?.account;
        let (remaining, uses_left) = {
            let ledger = self.ledger()?;
            let account = ledger.book().account(&right).ok_or(Interrupted)?;
            (account.balance().left(), account.uses_left())
        };
        let columns = answer_columns(&verified.request.value().query, &verified.bound).ok_or(Interrupted)?;
        let rows = noisy.estimates().into_iter().map(|group| answer_row(&verified.request.value().query, group));
        Ok(Answer {
            request: verified.request.id(),
            dataset: verified.request.value().dataset,
            version: lineage.version,
            columns,
            rows: rows.collect::<Option<_>>().ok_or(Interrupted)?,
            spent: verified.price.loss,
            remaining,
            uses_left,
            quantum_ms: lineage.description.legacy_quantum_ms().unwrap_or(0).into(),
            promise: lineage.description.promise(),
            grids: verified.bound.grids().into_iter().map(|grid| grid.map(Step::decimal)).collect(),
            cut: noisy.is_cut(),
        })
    }

    /// The release of a sealed request: the same bytes whenever it is made.
    fn sealed_release(&self, request: &Signed<Request>, seal: &Seal, index: u64, time: Time) -> Result<Release, GateError> {
        let bytes = self.folder.read(&self.folder.answer(seal.answer), ANSWER_BYTES_MAX)?;
        if Digest::of(&bytes) != seal.answer {
            return Err(GateError::Act("a sealed answer in the space is damaged"));
        }
        let receipt = if E::REAL {
            let ledger = self.ledger()?;
            let size = index + 1;
            let (inclusion, consistency) = {
                let seen = request.value().seen.map_or(0, |seen| seen.size);
                let consistency = if seen == 0 { Some(Vec::new()) } else { ledger.tree().consistency(seen, size) };
                (ledger.tree().inclusion(index, size), consistency)
            };
            Some(Receipt {
                certificate: ledger.certificate().bytes().to_vec(),
                entry: Entry { time, event: Event::Seal(seal.clone()) }.encode(),
                index,
                inclusion: inclusion.ok_or(GateError::Stopped)?,
                consistency: consistency.ok_or(GateError::Act("the holder has seen more than was there when the answer was sealed"))?,
                checkpoint: ledger.checkpoint(size)?,
            })
        } else {
            None
        };
        Release::new(bytes, receipt, index).map_err(|_| GateError::Act("a sealed answer in the space is damaged"))
    }

    pub(super) fn lineage(&self, verified: &VerifiedRequest) -> Result<Lineage, AnswerError> {
        let shelf = self.shelf.read().map_err(|_| GateError::Stopped)?;
        let lineage = shelf.dataset(&verified.request.value().dataset).cloned();
        drop(shelf);
        lineage.ok_or_else(|| self.refuse(Verdict::UnknownDataset, Some(verified)))
    }

    /// Price and what the holder's own right has left.
    fn own_balance(&self, right: &Verified, price: Loss) -> Result<(Loss, Loss, u64), AnswerError> {
        let state = self.right_state(right.id())?;
        let (left, uses) = state.map_or((right.terms().budget, right.terms().uses), |state| (state.balance.left(), state.uses_left));
        Ok((price, left, uses))
    }

    pub(super) fn refuse(&self, verdict: Verdict, verified: Option<&VerifiedRequest>) -> AnswerError {
        let own = verified.and_then(|verified| self.own_balance(&verified.right, verified.price.loss).ok());
        refused(verdict, own)
    }

    pub(crate) fn keep(&self, bytes: &[u8]) -> Result<RequestId, AnswerError> {
        let id = self.verify(bytes)?.request.id();
        self.folder.write(&self.folder.request(id), bytes, true, false).map_err(GateError::from)?;
        Ok(id)
    }

    fn wait_for_quantum(&self, charged_at: Duration, quantum_ms: u32) {
        if quantum_ms == 0 {
            return;
        }
        let quantum = Duration::from_millis(quantum_ms.into()).as_nanos();
        let elapsed = self.environment.monotonic().saturating_sub(charged_at).as_nanos();
        let wait = (quantum - elapsed % quantum) % quantum;
        std::thread::sleep(Duration::from_nanos(u64::try_from(wait).unwrap_or(0)));
    }
}

/// The names of the selected keys, then those of the values.
pub(super) fn answer_columns(query: &Query, bound: &Bound) -> Option<Vec<Name>> {
    let keys = query.select().iter().filter(|item| matches!(item.expression(), Expression::Key(_))).map(Item::output_name);
    keys.chain(bound.labels().iter().cloned()).map(|name| Name::new(&name).ok()).collect()
}

/// A group's selected keys, then its values.
fn answer_row(query: &Query, group: Group) -> Option<Row> {
    let key = query.select().iter().filter_map(|item| match item.expression() {
        Expression::Key(column) => Some(query.groups().iter().position(|name| name == column)),
        _ => None,
    });
    let key = key.map(|place| {
        Some(match group.key.get(place?)? {
            engine::Key::Text(text) => Key::Text(text.clone()),
            engine::Key::Other(name) => Key::Text(name.to_string()),
            engine::Key::Integer(number) => Key::Integer(*number),
        })
    });
    let value = |Estimate { value, low, high, method }| Value { value, low, high, method: method.to_owned() };
    Some(Row { key: key.collect::<Option<_>>()?, values: group.estimates.into_iter().map(value).collect() })
}

/// Both budgets and the uses, before anything is written: a refused request leaves no entry (rule C5).
fn check_budgets(ledger: &Ledger, verified: &VerifiedRequest, lineage: &Lineage, right: Option<AccountId>) -> Result<(), Verdict> {
    let (terms, requested) = (verified.right.terms(), verified.price.loss);
    let (balance, uses_left) = match right.and_then(|account| ledger.book().account(&account)) {
        Some(account) => (*account.balance(), account.uses_left()),
        None => (Balance::new(terms.budget), terms.uses),
    };
    let dataset = *ledger.book().account(&lineage.account).ok_or(Verdict::UnknownDataset)?.balance();
    let accounts = || Box::new(Accounts { requested, dataset, right: balance, uses: terms.uses, uses_left });
    balance.check(&requested).map_err(|_| Verdict::RightBudget { accounts: accounts() })?;
    if uses_left == 0 {
        return Err(Verdict::Uses { accounts: accounts() });
    }
    dataset.check(&requested).map_err(|_| Verdict::DatasetBudget { accounts: accounts() })
}

pub(super) fn refused(verdict: Verdict, own: Option<(Loss, Loss, u64)>) -> AnswerError {
    let refusal = verdict.refusal(own);
    AnswerError::Refused { verdict: Box::new(verdict), refusal }
}

/// One run of a request at a time: two would draw two answers, of which only one may ever be sealed.
struct Turn<'a, E: Environment> {
    desk: &'a Desk<E>,
    id: RequestId,
}

impl<'a, E: Environment> Turn<'a, E> {
    fn take(desk: &'a Desk<E>, id: RequestId) -> Option<Self> {
        desk.busy.lock().ok()?.insert(id).then_some(Self { desk, id })
    }
}

impl<E: Environment> Drop for Turn<'_, E> {
    fn drop(&mut self) {
        if let Ok(mut busy) = self.desk.busy.lock() {
            busy.remove(&self.id);
        }
    }
}
