use std::sync::Arc;

use usufruct::key::{KeySet, SigningKey};
use usufruct::ledger::{AccountKind, Event, JournalOptions, Ledger, Measure, Reservation};
use usufruct::right::verify_request;

use crate::Outcome;
use crate::market::{Appends, Market};
use crate::measure::{median, print, seconds};

const ROUNDS: usize = 25;
const SPENDS: usize = 20;

/// Durable spends of one caller. The gate has no step that only reserves, so this is what it does up to the reservation:
/// verify the request, check it against its right, charge both accounts, append. Verification and append are also shown
/// alone; they follow each other, so that one caller waits for both.
pub(crate) fn spend() -> Outcome {
    let (mut market, space) = Market::new(1000)?;
    drop(space);
    let owner = KeySet::single(market.owner.public().clone());
    let gate_key = SigningKey::open(market.space().join("gate.key"))?;
    let mut ledger = Ledger::open(&market.space().join("ledger"), Arc::new(gate_key), JournalOptions::default())?;
    let id = ledger.id();
    let mut accounts: Vec<_> = ledger.book().accounts().map(|(id, account)| (account.kind().clone(), id)).collect();
    accounts.sort_by_key(|(kind, _)| matches!(kind, AccountKind::Right { .. }));
    let mut appends = Appends::new(market.path())?;
    let (mut spends, mut writes, mut limits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let requests = (0..SPENDS).map(|_| market.request(None)).collect::<Result<Vec<_>, _>>()?;
        let (mut spent, mut written, mut limit) = (0.0, 0.0, 0.0);
        for request in requests {
            let mut event = None;
            let mut outcome: Outcome = Ok(());
            let verified = seconds(|| {
                outcome = (|| {
                    let (request, right) = verify_request(request.bytes(), &owner)?;
                    request.value().check(&right, id, market.now)?;
                    let price = Measure { loss: request.value().price, uses: 1 };
                    let charges = accounts.iter().map(|(_, account)| ledger.book().charge(*account, price)).collect::<Result<_, _>>()?;
                    let once = Reservation::once(right.holder().id(), &request.value().nonce);
                    let expires_at = request.value().expires_at;
                    event = Some(Event::Reserve(Reservation { request: request.id(), once, expires_at, charges }));
                    Ok(())
                })();
            });
            outcome?;
            let event = event.ok_or("no event")?;
            let mut outcome = None;
            let appended = seconds(|| outcome = Some(ledger.append(vec![event], market.now)));
            outcome.ok_or("no outcome")??.pop().ok_or("no outcome")??;
            spent += verified + appended;
            written += appended;
            limit += appends.next_s()?;
        }
        for (times, taken) in [(&mut spends, spent), (&mut writes, written), (&mut limits, limit)] {
            times.push(taken / SPENDS as f64);
        }
    }
    let [spend, write, limit] = [spends, writes, limits].map(|times| 1.0 / median(times));
    print("ledger.spend_1.per_s", spend, "1/s");
    print("ledger.spend_1.ratio", spend / limit, "of fdatasync");
    print("ledger.spend_1.append.per_s", write, "1/s");
    print("ledger.spend_1.append.ratio", write / limit, "of fdatasync");
    print("limit.fdatasync.per_s", limit, "1/s");
    Ok(())
}
