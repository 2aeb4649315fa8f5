//! A request on its way through the gate: asked, proposed, computed, sealed, released.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::course::{
    Asked, Charged, Charging, Computed, Delivery, Due, Errand, Leaving, Next, Outcome, Proposed, RunOptions, Sealed, Standing, Started,
    VerifiedRequest, Watch,
};
use super::environment::{Environment, Point};
use super::jobs::guarded;
use super::pending::{Pending, Promise};
use super::registry::Lineage;
use super::service::{PENDING_MAX, Service, certificate_of};
use super::turn::Turn;
use super::verify::{answer_columns, check_budgets, refused, window};
use super::{AnswerError, GateError, Interrupted};
use crate::dataset::GridStep;
use crate::engine::Control;
use crate::envelope::Signed;
use crate::id::{Digest, RequestId, Time};
use crate::label::Label;
use crate::ledger::{Act, Admitted, BookError, Charge, Entry, Event, Proposal, RequestState, Reservation, Reserve, Seal, WriteError};
use crate::plan::{self, Group, IntervalEstimate, Noisy};
use crate::query::{Expression, Query};
use crate::receipt::{ANSWER_BYTES_MAX, Answer, AnswerKey, AnswerRow, AnswerValue, Receipt, Release};
use crate::right::{REQUEST_BYTES_MAX, Request, Verdict};

impl<E: Environment> Service<E> {
    /// Takes a request; never blocks. Everything happens on the gate's own threads.
    pub(crate) fn submit(&self, mut bytes: Vec<u8>, watch: Option<Watch>) -> Pending<Outcome> {
        // No more is kept of what is too long to be a request.
        bytes.truncate(REQUEST_BYTES_MAX + 1);
        let Some(counted) = self.counter.enter(PENDING_MAX) else {
            let busy = refused(Verdict::Busy, None);
            self.count(&busy);
            return Pending::ready(Err(busy));
        };
        let stopped: fn() -> Outcome = || Err(GateError::Stopped.into());
        let (promise, pending) = Promise::new(stopped, Some(counted));
        let run = RunOptions { cancelled: pending.cancelled(), watch };
        self.errands.push(Errand::Verify(Asked { bytes, promise, run, at: self.environment.monotonic() }));
        pending
    }

    /// An errand of the desk: no cells are read for it, so its threads are never busy with any.
    pub(super) fn do_errand(self: &Arc<Self>, errand: Errand) {
        match errand {
            Errand::Verify(asked) => self.take_in(asked),
            Errand::NotCharged(proposed, error) => self.not_charged(*proposed, error),
            Errand::Leave(Leaving::Refused(promise, error)) => {
                self.count(&error);
                promise.complete(Err(error));
            }
            Errand::Leave(Leaving::Failed(turn, error)) => {
                self.count(&error);
                turn.finish(Err(error));
            }
            Errand::Leave(Leaving::Sealed(delivery)) => {
                let Delivery { turn, request, seal } = *delivery;
                let release = self.sealed_release(&request, &seal);
                turn.finish(release.map_err(|error| AnswerError::Sealed { request: request.id(), error: Arc::new(error) }));
            }
        }
    }

    fn count(&self, error: &AnswerError) {
        if error.refusal().is_some() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lets an outcome that was clear at once leave: at the end of a quantum, as all do.
    fn leave(&self, since: Duration, leaving: Leaving) {
        match self.leaves_at(since, self.environment.monotonic()) {
            Some(at) => self.due.push(at, Due::Leave(leaving)),
            None => self.errands.push(Errand::Leave(leaving)),
        }
    }

    /// Verifies, and asks the ledger to charge and start. Nothing of a refused request is written.
    fn take_in(self: &Arc<Self>, Asked { bytes, promise, run, at }: Asked) {
        let checked = self.verify(&bytes).and_then(|verified| Ok((self.lineage(&verified)?, verified)));
        let (lineage, verified) = match checked {
            Ok(_) if run.cancelled.load(Ordering::Relaxed) => {
                return self.leave(at, Leaving::Refused(promise, GateError::Cancelled.into()));
            }
            Ok(checked) => checked,
            Err(error) => return self.leave(at, Leaving::Refused(promise, error)),
        };
        self.environment.point(Point::Verified);
        let failed: fn(RequestId) -> Outcome = |request| Err(AnswerError::Failed { request });
        let Some(turn) = self.turns.enter(verified.request.id(), promise, failed) else { return };
        self.ask_ledger(turn, verified, lineage, run, at);
    }

    fn ask_ledger(self: &Arc<Self>, turn: Turn<Outcome>, verified: VerifiedRequest, lineage: Arc<Lineage>, run: RunOptions, at: Duration) {
        let (proposal, charge) = match self.next(&verified, &lineage) {
            Ok(Next::Ask(proposal, charge)) => (proposal, charge),
            Ok(Next::Deliver(seal)) => {
                return self.leave(at, Leaving::Sealed(Box::new(Delivery { turn, request: verified.request, seal })));
            }
            Err(error) => return self.leave(at, Leaving::Failed(turn, error)),
        };
        let proposed = Box::new(Proposed { turn, verified, lineage, run, at, charge });
        let service = Arc::clone(self);
        self.writer.submit(proposal, move |outcome| match outcome {
            Ok(admitted) => service.runs.push(Charged { proposed, admitted, at: service.environment.monotonic() }),
            Err(error) => service.errands.push(Errand::NotCharged(proposed, error)),
        });
    }

    /// What the ledger is to record of a request, or the seal that it has already.
    fn next(&self, verified: &VerifiedRequest, lineage: &Lineage) -> Result<Next, AnswerError> {
        let request = verified.request.id();
        let start = Act::Start { request };
        match self.standing(verified)? {
            Standing::Sealed(seal) => Ok(Next::Deliver(seal)),
            Standing::Charged(reserved, charges) => Ok(Next::Ask(Proposal::one(start), Charging::Again(reserved, charges))),
            Standing::New => {
                let known = self.account_of(verified.right.id())?;
                let checked = check_budgets(self.view()?.as_ref(), verified, lineage, known)?;
                checked.map_err(|verdict| self.refuse(verdict, Some(verified)))?;
                // The first use of a right registers it (rule A2), in the entry before that of the charge: together or not at all.
                let fresh = match known {
                    Some(_) => None,
                    None => Some(self.fresh_right(&verified.right)?),
                };
                let account = known.or(fresh.as_ref().map(|fresh| fresh.account)).into_iter();
                let grant = fresh.as_ref().map(|fresh| Act::Record(fresh.grant(&verified.right, lineage.account)));
                let certificate = certificate_of(self.view()?.as_ref())?;
                let (from, until) = window(verified, certificate.value());
                let reserve = Act::Reserve(Reserve {
                    request,
                    once: Reservation::once(verified.right.holder().id(), &verified.request.value().nonce),
                    expires_at: verified.request.value().expires_at,
                    amount: verified.price,
                    accounts: std::iter::once(lineage.account).chain(account).collect(),
                    from,
                    until,
                });
                let proposal = Proposal { acts: grant.into_iter().chain([reserve, start]).collect() };
                Ok(Next::Ask(proposal, fresh.map_or(Charging::First, Charging::FirstUse)))
            }
        }
    }

    /// The state of the request in the ledger, and whether the ledger contains what the holder has seen.
    fn standing(&self, verified: &VerifiedRequest) -> Result<Standing, AnswerError> {
        let request = verified.request.value();
        let id = verified.request.id();
        let view = self.view()?;
        let refuse = |verdict| Err(verdict);
        let standing: Result<Standing, Verdict> = (|| {
            if let Some(seen) = request.seen {
                let size = view.head().size();
                if view.root_at(seen.size).ok().flatten().as_ref() != Some(seen.root.as_bytes()) {
                    return refuse(Verdict::InDoubt { seen: seen.size, size });
                }
            }
            let Some(record) = view.request(&id).map_err(|_| Verdict::Busy)? else {
                let once = Reservation::once(verified.right.holder().id(), &request.nonce);
                let used = view.once(&once).map_err(|_| Verdict::Busy)?;
                return if used.is_some() { refuse(Verdict::Nonce) } else { Ok(Standing::New) };
            };
            match record.state {
                RequestState::Reserved | RequestState::Started => Ok(Standing::Charged(record.reserved, record.charges.clone())),
                RequestState::Sealed { index, time, answer } => Ok(Standing::Sealed(Sealed {
                    seal: Seal { request: id, reserved: record.reserved, reserved_at: record.reserved_at, answer, charges: record.charges },
                    index,
                    time,
                })),
                RequestState::Refunded => refuse(Verdict::Refunded),
            }
        })();
        drop(view);
        standing.map_err(|verdict| self.refuse(verdict, Some(verified)))
    }

    /// Computes what was charged for.
    pub(super) fn run(&self, charged: Charged) {
        let Charged { proposed, admitted, at } = charged;
        let Proposed { turn, verified, lineage, run, charge, .. } = *proposed;
        self.environment.point(Point::Started);
        // A panic leaves at a tick, as every failure.
        let computed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.started(verified, lineage, &admitted, charge).and_then(|started| self.compute(started, &run))
        }));
        let due = match computed {
            Ok(Ok(answer)) => Due::Seal(turn, Box::new(answer)),
            _ => Due::Leave(failed(turn)),
        };
        self.due.push(self.leaves_at(at, self.environment.monotonic()).unwrap_or_default(), due);
    }

    /// Index and charges of the reservation, from what was just recorded or from before.
    fn started(
        &self,
        verified: VerifiedRequest,
        lineage: Arc<Lineage>,
        admitted: &Admitted,
        charge: Charging,
    ) -> Result<Started, Interrupted> {
        if let Charging::Again(reserved, charges) = charge {
            return Ok(Started { verified, lineage, reserved, charges });
        }
        let first = self.store.locate(admitted.ticket).map_err(|_| Interrupted)?;
        let reservation = (first..).zip(&admitted.events).find_map(|(index, event)| match event {
            Event::Reserve(reservation) => Some((index, reservation.charges.clone())),
            _ => None,
        });
        let (reserved, charges) = reservation.ok_or(Interrupted)?;
        if let Charging::FirstUse(fresh) = charge {
            self.keep_right(&fresh, &verified.right, lineage.account)?;
        }
        Ok(Started { verified, lineage, reserved, charges })
    }

    /// Tells why a request was not charged, in the words in which it would have been refused before.
    fn not_charged(self: &Arc<Self>, proposed: Proposed, error: WriteError) {
        let Proposed { turn, verified, lineage, run, at, charge } = proposed;
        // Whether the entries are durable is not known before the space is opened again.
        let in_doubt = matches!(&error, WriteError::Ledger(error) if error.is_in_doubt()) || matches!(error, WriteError::Closed);
        if let (Charging::FirstUse(fresh), false) = (&charge, in_doubt) {
            self.archive.remove_opening(&fresh.name);
        }
        match error {
            // Two requests used a right first: the other one was before.
            WriteError::Book(BookError::Once { .. }) if matches!(charge, Charging::FirstUse(_)) => {
                self.ask_ledger(turn, verified, lineage, run, at);
            }
            WriteError::Book(BookError::State { .. }) => {
                let error = self.refuse(Verdict::Refunded, Some(&verified));
                self.leave(at, Leaving::Failed(turn, error));
            }
            _ if in_doubt || matches!(charge, Charging::Again(..)) => self.leave(at, failed(turn)),
            error => {
                let error = self.why_not(error, &verified, &lineage);
                self.leave(at, Leaving::Failed(turn, error));
            }
        }
    }

    fn why_not(&self, error: WriteError, verified: &VerifiedRequest, lineage: &Lineage) -> AnswerError {
        let verdict = match error {
            WriteError::Book(BookError::Budget { .. } | BookError::Uses { .. }) => {
                let known = self.account_of(verified.right.id());
                let checked = known.and_then(|known| check_budgets(self.view()?.as_ref(), verified, lineage, known));
                match checked {
                    Ok(Err(verdict)) => verdict,
                    // What stood in the way is gone again: a refund.
                    Ok(Ok(())) => Verdict::Busy,
                    Err(error) => return error.into(),
                }
            }
            WriteError::Book(BookError::Nonce { .. }) => Verdict::Nonce,
            WriteError::Book(BookError::Window { time, .. }) => {
                Verdict::Expired { not_after: verified.request.value().expires_at, now: time }
            }
            WriteError::Clock(error) => super::service::verdict_of_clock(error),
            error => return GateError::from(error).into(),
        };
        self.refuse(verdict, Some(verified))
    }

    /// Reads cells and adds noise.
    fn compute(&self, started: Started, run: &RunOptions) -> Result<Computed, Interrupted> {
        let Started { verified, lineage, reserved, charges } = started;
        // The version that was current when the request was charged, whatever was published since.
        let number = self.view()?.account(&lineage.account).map_err(|_| Interrupted)?.ok_or(Interrupted)?.version_at(reserved);
        let (version, snapshot) = lineage.version(self.archive.as_ref(), number)?;
        let key = crate::dataset::RowKey::from_bytes(lineage.row_key.as_bytes());
        let engine = self.engines.over(snapshot, key);
        let unwatched = |_, _| {};
        let watch: &(dyn Fn(u64, u64) + Sync) = match &run.watch {
            Some(watch) => watch.as_ref(),
            None => &unwatched,
        };
        let exact = engine.aggregate(&verified.bound, &Control::new(&run.cancelled, watch))?;
        self.environment.point(Point::Aggregated);
        let id = verified.request.id();
        let context = [Label::NOISE.as_bytes(), id.as_bytes()].concat();
        let mut random = self.environment.random(&context).map_err(GateError::from)?;
        let noisy = exact.noise(&verified.allocation, &mut random)?;
        let answer = self.write_up(&verified, &lineage, version, &noisy, &charges)?;
        let bytes = answer.encode();
        if bytes.len() > ANSWER_BYTES_MAX || run.cancelled.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        Ok(Computed { request: verified.request, digest: Digest::of(&bytes), bytes })
    }

    fn write_up(
        &self,
        verified: &VerifiedRequest,
        lineage: &Lineage,
        version: crate::id::VersionId,
        noisy: &Noisy,
        charges: &[Charge],
    ) -> Result<Answer, Interrupted> {
        // What this charge left of the right: later ones do not show in the answer.
        let charge = charges.last().ok_or(Interrupted)?;
        let view = self.view()?;
        let account = view.account(&charge.account).map_err(|_| Interrupted)?.ok_or(Interrupted)?;
        let quantum_ms = view.head().quantum().ms();
        drop(view);
        let remaining = account.balance().limit().checked_sub(&charge.new.loss).map_err(|_| Interrupted)?;
        let uses_left = (account.uses() + account.uses_left()).saturating_sub(charge.new.uses);
        let columns = answer_columns(&verified.request.value().query, &verified.bound).ok_or(Interrupted)?;
        let rows = noisy.estimates().into_iter().map(|group| answer_row(&verified.request.value().query, group));
        Ok(Answer {
            request: verified.request.id(),
            dataset: verified.request.value().dataset,
            version,
            columns,
            rows: rows.collect::<Option<_>>().ok_or(Interrupted)?,
            spent: verified.price.loss,
            remaining,
            uses_left,
            quantum_ms: quantum_ms.into(),
            promise: lineage.description.promise(),
            grids: verified.bound.grids().into_iter().map(|grid| grid.map(GridStep::decimal)).collect(),
            cut: noisy.is_cut(),
        })
    }

    /// When the outcome of a computation leaves. Ticks are the multiples of the quantum since 1970. What was charged within a tick
    /// and took up to k quanta leaves k ticks after it ended: neither the moment within the tick nor the time below a quantum
    /// decides, so that no caller can measure a computation by choosing when to ask (rule G2).
    /// Nothing without a quantum: then everything leaves at once.
    fn leaves_at(&self, charged: Duration, finished: Duration) -> Option<Duration> {
        let quantum = self.store.view().map_or(0, |view| view.head().quantum().ms());
        if quantum == 0 {
            return None;
        }
        let quantum = Duration::from_millis(quantum.into()).as_nanos();
        let since_1970 = self.clock.unix(charged).as_nanos();
        let tick = since_1970.next_multiple_of(quantum) - since_1970;
        let took = finished.saturating_sub(charged).as_nanos().div_ceil(quantum).max(1);
        Some(charged + Duration::from_nanos(u64::try_from(tick + took * quantum).unwrap_or(u64::MAX)))
    }

    /// The sealer: at each tick makes the answers that are due durable, seals them and sends them on.
    pub(super) fn seal_for_ever(self: &Arc<Self>) {
        while let Some(due) = self.due.take(&|| self.environment.monotonic(), SEALS_MAX) {
            guarded(|| self.seal(due));
        }
    }

    fn seal(&self, due: Vec<Due>) {
        let mut ready = Vec::new();
        for due in due {
            match due {
                Due::Seal(turn, answer) => ready.push((turn, answer)),
                Due::Leave(leaving) => self.errands.push(Errand::Leave(leaving)),
            }
        }
        if ready.is_empty() {
            return;
        }
        // In an order that says nothing about who was faster.
        ready.sort_by_key(|(turn, _)| turn.id());
        match self.seal_together(&ready) {
            Ok(seals) => {
                for ((turn, computed), seal) in ready.into_iter().zip(seals) {
                    self.errands.push(Errand::Leave(Leaving::Sealed(Box::new(Delivery { turn, request: computed.request, seal }))));
                }
            }
            Err(Interrupted) => {
                for (turn, _) in ready {
                    self.errands.push(Errand::Leave(failed(turn)));
                }
            }
        }
    }

    /// Answers durable by one sync (for every 4 MiB of them), then their seals by one; visible together.
    fn seal_together(&self, ready: &[(Turn<Outcome>, Box<Computed>)]) -> Result<Vec<Sealed>, Interrupted> {
        let answers: Vec<_> = ready.iter().map(|(_, computed)| (computed.digest, computed.bytes.as_slice())).collect();
        let view = self.view()?;
        let at = view.head().quantum().floor(Time::from_unix_s(self.environment.wall().as_secs()));
        drop(view);
        self.archive.put_answers(&answers, at).map_err(GateError::from)?;
        self.sealed_batches.fetch_add(1, Ordering::Relaxed);
        self.environment.point(Point::Written);
        let acts = ready.iter().map(|(turn, computed)| Act::Seal { request: turn.id(), answer: computed.digest }).collect();
        let admitted = self.writer.append(Proposal { acts }).map_err(|_| Interrupted)?;
        self.environment.point(Point::Sealed);
        let first = self.store.locate(admitted.ticket).map_err(|_| Interrupted)?;
        let seals = (first..).zip(admitted.events).map(|(index, event)| match event {
            Event::Seal(seal) => Ok(Sealed { seal, index, time: admitted.time }),
            _ => Err(Interrupted),
        });
        seals.collect()
    }

    /// The release of a sealed request: the same bytes whenever it is made.
    pub(super) fn sealed_release(&self, request: &Signed<Request>, sealed: &Sealed) -> Result<Release, GateError> {
        let Sealed { seal, index, time } = sealed;
        let damaged = || GateError::Answer { request: seal.request };
        let bytes = self.archive.answer(&seal.answer)?.ok_or_else(damaged)?;
        if Digest::of(&bytes) != seal.answer {
            return Err(damaged());
        }
        let receipt = if E::REAL {
            let size = index + 1;
            let seen = request.value().seen.map_or(0, |seen| seen.size);
            let view = self.view()?;
            // That of the time of the seal, as long as its key is there: then the receipt is the same for ever.
            let certificates = [view.head().certificate_at(*index).cloned(), view.head().certificate().cloned()];
            let inclusion = view.inclusion(*index, size)?.ok_or(GateError::Stopped)?;
            let consistency = if seen == 0 { Some(Vec::new()) } else { view.consistency(seen, size)? };
            drop(view);
            let covers = |certificate: &Signed<crate::ledger::GateCertificate>| {
                let value = certificate.value();
                [seal.reserved_at, *time].into_iter().all(|time| value.covers(time)) && self.can_sign(value.gate.id())
            };
            let certificate = certificates.into_iter().flatten().find(covers).ok_or(GateError::Uncertified { request: seal.request })?;
            Some(Receipt {
                certificate: certificate.bytes().to_vec(),
                entry: Entry { time: *time, event: Event::Seal(seal.clone()) }.encode(),
                index: *index,
                inclusion,
                consistency: consistency.ok_or(GateError::Act("the holder has seen more than was there when the answer was sealed"))?,
                checkpoint: self.checkpoint(size, certificate.value())?,
            })
        } else {
            None
        };
        Release::new(bytes, receipt, *index).map_err(|_| damaged())
    }

    /// Keeps the signed request, so that it can be tried again by its id.
    pub(crate) fn keep(&self, bytes: &[u8]) -> Result<(RequestId, std::path::PathBuf), AnswerError> {
        let id = self.verify(bytes)?.request.id();
        let path = self.archive.put_request(id, bytes).map_err(GateError::from)?;
        Ok((id, path))
    }

    /// The release of a request that was sealed, by its id, for the owner's tools; the request must have been kept.
    pub(crate) fn sealed(&self, id: RequestId) -> Result<Option<(Vec<u8>, Release)>, GateError> {
        let Some(record) = self.view()?.request(&id)? else { return Ok(None) };
        let RequestState::Sealed { index, time, answer } = record.state else { return Ok(None) };
        let Some(bytes) = self.archive.request(id)? else {
            return Err(GateError::Act("the request was not kept in this space; its holder has it"));
        };
        let (request, _) = crate::right::verify_request(&bytes, &self.owner)?;
        let seal = Seal { request: id, reserved: record.reserved, reserved_at: record.reserved_at, answer, charges: record.charges };
        let release = self.sealed_release(&request, &Sealed { seal, index, time })?;
        Ok(Some((bytes, release)))
    }
}

/// A charged request that came to nothing: one word for all reasons, and the same request may be tried again.
fn failed(turn: Turn<Outcome>) -> Leaving {
    let request = turn.id();
    Leaving::Failed(turn, AnswerError::Failed { request })
}

/// Seals of one batch: a few hundred bytes each, far below what a batch holds.
const SEALS_MAX: usize = 1024;

/// A group's selected keys, then its values.
fn answer_row(query: &Query, group: Group) -> Option<AnswerRow> {
    let key = query.select().iter().filter_map(|item| match item.expression() {
        Expression::Key(column) => Some(query.groups().iter().position(|name| name == column)),
        _ => None,
    });
    let key = key.map(|place| {
        Some(match group.key.get(place?)? {
            plan::GroupKey::Text(text) => AnswerKey::Text(text.clone()),
            plan::GroupKey::Other(name) => AnswerKey::Text(name.to_string()),
            plan::GroupKey::Integer(number) => AnswerKey::Integer(*number),
        })
    });
    let value = |IntervalEstimate { value, low, high, method }| AnswerValue { value, low, high, method: method.to_owned() };
    Some(AnswerRow { key: key.collect::<Option<_>>()?, values: group.estimates.into_iter().map(value).collect() })
}
