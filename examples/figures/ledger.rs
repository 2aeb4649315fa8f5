//! Durable charges beside what the disk can do, what an ask leaves there, and a grant beside many.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Instant;

use usufruct::id::{AccountId, Digest, RequestId, Time};
use usufruct::ledger::{
    Act, ClockError, Event, GateClock, JournalOptions, JournalStore, LedgerReading, LedgerStore, Measure, Proposal, Reserve, Writer,
};
use usufruct::random::{Random as _, SystemRandom};

use crate::Outcome;
use crate::market::{Appends, Market};
use crate::measure::{median, print, process_cpu_s, seconds};

/// Threads that submit, at most: two a core, as an async backend has them. Rule K8 allows 16, which on two cores cost their changes
/// of threads more than the ledger costs.
const THREADS: usize = 4;
const ROUNDS: usize = 9;

/// Durable reserves of requests that were verified, from so many callers at once: charge of dataset and right, entry, one sync for
/// all that wait. Beside them, in turn, the sync of one sector of a file that was filled before.
pub(crate) fn spend() -> Outcome {
    for callers in [1, 64, 1024] {
        let per_round = if callers == 1 { 400 } else { 200 * callers.min(400) };
        spend_by(callers, per_round)?;
    }
    entries()
}

/// The time at which the figures were begun, over and over.
struct Still(Time);

impl GateClock for Still {
    fn now(&self, last: Option<Time>) -> Result<Time, ClockError> {
        Ok(last.map_or(self.0, |last| last.max(self.0)))
    }
}

fn spend_by(callers: usize, per_round: usize) -> Outcome {
    let (market, space) = Market::new(1000)?;
    drop(space);
    let store = Arc::new(JournalStore::open(&market.space().join("ledger"), JournalOptions::default())?);
    let mut accounts = Vec::new();
    store.view()?.accounts(&mut |id, account| accounts.push((account.opened_at(), id)))?;
    accounts.sort_unstable();
    let accounts: Vec<AccountId> = accounts.into_iter().map(|(_, id)| id).collect();
    let writer = Writer::start(store as Arc<dyn LedgerStore>, Arc::new(Still(market.now)))?;
    let mut appends = Appends::new(market.path())?;
    let threads = callers.min(THREADS);
    let steps = writer.batches();
    let (mut rates, mut limits, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // Ids as hashes are: uniform, and made before the clock runs.
        let mut random = SystemRandom::new()?;
        let mut proposals: Vec<Vec<Proposal>> =
            (0..threads).map(|_| (0..per_round / threads).map(|_| reserve(&accounts, market.now, &mut random)).collect()).collect();
        let done = (per_round / threads * threads) as f64;
        let start_cpu = process_cpu_s();
        let taken = seconds(|| {
            std::thread::scope(|scope| {
                for proposals in proposals.drain(..) {
                    let writer = &writer;
                    scope.spawn(move || keep_outstanding(writer, proposals, callers / threads));
                }
            });
        });
        cpu.push((process_cpu_s() - start_cpu) / done);
        rates.push(done / taken);
        let limit = (0..40).map(|_| appends.next_s()).sum::<Result<f64, _>>()? / 40.0;
        limits.push(1.0 / limit);
    }
    let charges = (ROUNDS * (per_round / threads) * threads) as f64;
    let batch = charges / (writer.batches() - steps) as f64;
    let (rate, limit) = (median(rates), median(limits));
    print(&format!("ledger.spend_{callers}.per_s"), rate, "1/s");
    print(&format!("ledger.spend_{callers}.ratio"), rate / limit, "of fdatasync");
    print(&format!("ledger.spend_{callers}.batch"), batch, "charges a sync");
    print(&format!("ledger.spend_{callers}.cpu.us"), median(cpu) * 1e6, "us of CPU time, all threads");
    if callers == 1024 {
        print("limit.fdatasync.per_s", limit, "1/s");
    }
    Ok(())
}

/// Keeps so many proposals of one thread on the way until all are durable.
fn keep_outstanding(writer: &Writer, proposals: Vec<Proposal>, outstanding: usize) {
    if outstanding == 1 {
        for proposal in proposals {
            assert!(writer.append(proposal).is_ok(), "a reserve was not admitted");
        }
        return;
    }
    let (sender, receiver) = mpsc::channel();
    let total = proposals.len();
    let (mut proposals, mut sent) = (proposals.into_iter(), 0);
    for done in 0..total {
        while sent < total && sent - done < outstanding {
            let sender = sender.clone();
            if let Some(proposal) = proposals.next() {
                writer.submit(proposal, move |outcome| {
                    let _ = sender.send(outcome.is_ok());
                });
            }
            sent += 1;
        }
        assert!(receiver.recv().unwrap_or(false), "a reserve was not admitted");
    }
}

fn reserve(accounts: &[AccountId], now: Time, random: &mut SystemRandom) -> Proposal {
    let mut bytes = [[0; 32]; 2];
    bytes.iter_mut().for_each(|bytes| random.fill(bytes));
    Proposal {
        acts: vec![Act::Reserve(Reserve {
            request: RequestId::from_bytes(bytes[0]),
            once: Digest::from_bytes(bytes[1]),
            expires_at: now.plus_s(86_400),
            amount: price(),
            accounts: accounts.to_vec(),
            from: Time::from_unix_s(0),
            until: now.plus_s(86_400),
        })],
    }
}

/// Far below any budget, so that it does not run out.
fn price() -> Measure {
    Measure {
        loss: usufruct::budget::Loss::pure(usufruct::budget::Epsilon::from_units(1).unwrap_or(usufruct::budget::Epsilon::ZERO)),
        uses: 1,
    }
}

/// What an ask leaves on disk, and how many syncs it costs: alone, and beside 63 others.
pub(crate) fn entries() -> Outcome {
    let (mut market, space) = Market::new(1000)?;
    let gate = space.gate();
    for callers in [1usize, 64] {
        let rounds = 10;
        let requests: Vec<_> = (0..callers * rounds).map(|_| market.request(None)).collect::<Result<_, _>>()?;
        let before = space.counters();
        let bytes = used(&market.space())?;
        for requests in requests.chunks(callers) {
            let pending: Vec<_> = requests.iter().map(|request| gate.submit(request.bytes())).collect();
            for pending in pending {
                pending.wait()?;
            }
        }
        let (after, asks) = (space.counters(), (callers * rounds) as f64);
        let syncs = (after.ledger_batches - before.ledger_batches + after.answer_batches - before.answer_batches) as f64;
        print(&format!("ask.syncs_{callers}"), syncs / asks, "syncs an ask");
        print(&format!("ask.disk_{callers}.bytes"), (used(&market.space())? - bytes) as f64 / asks, "bytes an ask");
    }
    drop((gate, space));
    let (mut sizes, mut counts) = ([0usize; 3], [0usize; 3]);
    let mut record = |kind: usize, entry: &[u8]| {
        sizes[kind] += entry.len();
        counts[kind] += 1;
    };
    LedgerReading::open(&market.space().join("ledger"), |_, entry| match &entry.event {
        Event::Reserve(_) => record(0, &entry.encode()),
        Event::Start { .. } => record(1, &entry.encode()),
        Event::Seal(_) => record(2, &entry.encode()),
        _ => {}
    })?;
    for (name, (size, count)) in ["reserve", "start", "seal"].iter().zip(sizes.into_iter().zip(counts)) {
        print(&format!("ledger.entry.{name}.bytes"), size as f64 / count.max(1) as f64, "bytes");
    }
    print("ledger.entry.bytes", sizes.iter().zip(counts).map(|(size, count)| *size as f64 / count.max(1) as f64).sum(), "bytes an ask");
    Ok(())
}

/// Bytes of the ledger and the answers up to the last that is not zero.
fn used(space: &Path) -> Result<usize, std::io::Error> {
    let mut used = 0;
    for folder in ["ledger", "answers"] {
        for file in fs::read_dir(space.join(folder))? {
            let bytes = fs::read(file?.path())?;
            used += bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        }
    }
    Ok(used)
}

/// A grant, when there are 10 rights over the dataset and when there are 10,000.
pub(crate) fn grants() -> Outcome {
    let (mut market, space) = Market::new(1000)?;
    let mut taken = Vec::new();
    for rights in [10, 10_000] {
        while space.rights()?.len() < rights {
            let missing = rights - space.rights()?.len();
            for _ in 0..missing {
                space.grant(market.grant()?.bytes(), true)?;
            }
        }
        let mut times = Vec::new();
        for _ in 0..31 {
            let right = market.grant()?;
            let start = Instant::now();
            space.grant(right.bytes(), false)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        let time = median(times);
        print(&format!("grant.at_{rights}.ms"), time, "ms");
        taken.push(time);
    }
    print("grant.at_10000.ratio", taken[1] / taken[0], "of that at 10");
    Ok(())
}
