//! The whole ask, from request bytes to sealed answer: one over a million rows, and many at once over a few.

use std::error::Error;
use std::hint::black_box;
use std::thread;

use usufruct::envelope::Signed;
use usufruct::key::{KeySet, Signer as _, SigningKey};
use usufruct::random::SystemRandom;
use usufruct::right::{Request, verify_request};

use crate::Outcome;
use crate::market::{Appends, Market};
use crate::measure::{median, print, process_cpu_s, seconds, thread_cpu_s};

const ROWS: u64 = 1_000_000;
const ASKS: usize = 31;
/// Asks that are on the way at once.
const AT_ONCE: usize = 64;

/// From the bytes of a request to the sealed answer over 1,000,000 rows, with a quantum of 0. The first question after a
/// start also reads and hashes the columns it asks for.
pub(crate) fn latency() -> Outcome {
    let (mut market, space) = Market::new(ROWS)?;
    drop(space);
    let gate = market.gate()?;
    let mut appends = Appends::new(market.path())?;
    let (mut latency, mut fdatasync, mut beyond, mut cpu, mut first) = (Vec::new(), Vec::new(), Vec::new(), 0.0, None);
    for _ in 0..=ASKS {
        let request = market.request(None)?;
        let start = process_cpu_s();
        let mut outcome = None;
        let taken = seconds(|| outcome = Some(gate.answer(request.bytes())));
        let used = process_cpu_s() - start;
        outcome.ok_or("no outcome")??;
        if first.is_none() {
            first = Some(taken);
            continue;
        }
        let two = appends.next_s()? + appends.next_s()?;
        latency.push(taken * 1e3);
        fdatasync.push(two / 2.0 * 1e3);
        beyond.push((taken - two) * 1e3);
        cpu += used * 1e3;
    }
    print("ask.latency_1m.ms", median(latency), "ms");
    print("ask.latency_1m.first.ms", first.unwrap_or_default() * 1e3, "ms");
    print("ask.latency_1m.beyond_2_fdatasync.ms", median(beyond), "ms");
    print("ask.latency_1m.cpu.ms", cpu / ASKS as f64, "ms of CPU time, all threads");
    print("limit.fdatasync.ms", median(fdatasync), "ms");
    Ok(())
}

/// The whole ask with the noise on a million rows left out: 64 on the way at once, over a few rows. Its CPU time beside that of the
/// signatures alone that it cannot do without: those of right and request are checked, that of the checkpoint is made.
pub(crate) fn at_once() -> Outcome {
    let (mut market, space) = Market::new(100)?;
    let gate = space.gate();
    let owner = KeySet::single(market.owner.public().clone());
    let key = SigningKey::generate(&mut SystemRandom::new()?);
    let (mut rates, mut over) = (Vec::new(), Vec::new());
    for round in 0..12 {
        let requests = (0..AT_ONCE * 16).map(|_| market.request(None)).collect::<Result<Vec<_>, _>>()?;
        let start = process_cpu_s();
        let mut outcome: Outcome = Ok(());
        let taken = seconds(|| {
            outcome = (|| {
                let mut pending = std::collections::VecDeque::new();
                for request in &requests {
                    if pending.len() == AT_ONCE
                        && let Some(first) = pending.pop_front()
                    {
                        usufruct::gate::Pending::wait(first)?;
                    }
                    pending.push_back(gate.submit(request.bytes()));
                }
                for pending in pending {
                    pending.wait()?;
                }
                Ok(())
            })();
        });
        outcome?;
        let cpu = (process_cpu_s() - start) / requests.len() as f64;
        let signatures = signatures_cpu_s(&requests, &owner, &key).map_err(|error| error as Box<dyn Error>)? / requests.len() as f64;
        // The first right is registered, files are opened.
        if round > 0 {
            rates.push(requests.len() as f64 / taken);
            over.push(cpu / signatures);
        }
    }
    print("ask.async_64.per_s", median(rates), "1/s");
    print("ask.async_64.over_signatures", median(over), "of the CPU time of its signatures");
    Ok(())
}

/// CPU time of the signatures of these requests, made and checked on all cores at once as the gate does it.
fn signatures_cpu_s(requests: &[Signed<Request>], owner: &KeySet, key: &SigningKey) -> Result<f64, Box<dyn Error + Send + Sync>> {
    let cores = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        let sign = |requests: &[Signed<Request>]| {
            let start = thread_cpu_s();
            for request in requests {
                black_box(verify_request(request.bytes(), owner)?);
                // As long as the text of a checkpoint.
                black_box(key.sign(&request.bytes()[..110])?);
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(thread_cpu_s() - start)
        };
        let parts = requests.chunks(requests.len().div_ceil(cores));
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || sign(part))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread has panicked")?).sum()
    })
}
