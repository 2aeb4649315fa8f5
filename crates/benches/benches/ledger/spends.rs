//! Durable spends: charges of requests that are verified already, from at most 16 threads, beside the fdatasync of a sector.

use std::error::Error;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use usufruct::budget::Loss;
use usufruct::envelope::Signed;
use usufruct::id::{AccountId, Digest, RequestId, Time};
use usufruct::key::{KeySet, Signer as _, SigningKey};
use usufruct::ledger::{
    Act, ClockError, Commitment, Entry, Event, Foundation, GateCertificate, GateClock, Genesis, JournalOptions, JournalStore,
    LedgerStore as _, Measure, Proposal, Quantum, Reserve, Writer,
};
use usufruct::random::{Random as _, SystemRandom};

use crate::measure::process_cpu_s;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const THREADS_MAX: usize = 16;
const RIGHTS: u8 = 64;
const LINEAGE: AccountId = AccountId::from_bytes([0xff; 16]);

/// What one run has measured.
pub(crate) struct Spent {
    /// Durable charges a second.
    pub(crate) per_s: f64,
    /// Charges a batch.
    pub(crate) batch: f64,
    /// CPU time of the whole process for one charge.
    pub(crate) cpu_us: f64,
    /// Bytes of one reservation's entry.
    pub(crate) entry_bytes: usize,
}

struct Clock;

impl GateClock for Clock {
    fn now(&self, last: Option<Time>) -> Result<Time, ClockError> {
        Ok(last.unwrap_or(Time::from_unix_s(1_767_225_600)))
    }
}

/// A ledger with a lineage and some rights over it, which nothing exhausts.
fn writer(folder: &Path) -> Outcome<Writer> {
    let mut random = SystemRandom::bound(b"spends")?;
    let [owner, gate] = [(); 2].map(|()| SigningKey::generate(&mut random));
    let next = Digest::of(b"next");
    let genesis = Genesis { owner: KeySet::single(owner.public().clone()), next, random: [1; 16], test: true };
    let (not_before, not_after) = (Time::from_unix_s(0), Time::MAX);
    let certificate = GateCertificate { ledger: genesis.ledger_id(), gate: gate.public().clone(), not_before, not_after, number: 0 };
    let secret = Commitment::from_bytes([2; 32]);
    let certificate = Signed::sign(certificate, &owner)?;
    let foundation = Foundation { genesis, certificate, quantum: Quantum::DEFAULT, secret };
    let now = Clock.now(None)?;
    let store = JournalStore::create(folder, &foundation, now, JournalOptions::default())?;
    let (artefact, limit) = (Commitment::from_bytes([3; 32]), Loss::approx("1000000", "0")?);
    let mut acts = vec![Act::Record(Event::Publish { account: LINEAGE, artefact, limit, once: Some(Digest::of(b"name")) })];
    for right in 0..RIGHTS {
        let (account, once) = (AccountId::from_bytes([right; 16]), Some(Digest::of(&[right])));
        let limit = Measure { loss: limit, uses: u64::MAX };
        acts.push(Act::Record(Event::Grant { account, artefact, limit, dataset: LINEAGE, once }));
    }
    store.append(&[Proposal { acts }], now)?.remove(0)?;
    Ok(Writer::start(Arc::new(store), Arc::new(Clock))?)
}

/// Charges of requests that no other has.
struct Requests {
    ids: SystemRandom,
    next: u8,
    amount: Measure,
}

impl Requests {
    fn new() -> Outcome<Self> {
        let amount = Measure { loss: Loss::approx("0.000000000001", "0")?, uses: 1 };
        Ok(Self { ids: SystemRandom::bound(b"requests")?, next: 0, amount })
    }

    fn next(&mut self) -> Proposal {
        let mut ids = [[0; 32]; 2];
        ids.iter_mut().for_each(|id| self.ids.fill(id));
        self.next = (self.next + 1) % RIGHTS;
        let reserve = Reserve {
            request: RequestId::from_bytes(ids[0]),
            once: Digest::from_bytes(ids[1]),
            expires_at: Time::from_unix_s(1_767_225_600),
            amount: self.amount,
            accounts: vec![LINEAGE, AccountId::from_bytes([self.next; 16])],
            from: Time::from_unix_s(0),
            until: Time::MAX,
        };
        Proposal::one(Act::Reserve(reserve))
    }
}

/// So many requests of one thread are under way at most.
struct Window {
    size: usize,
    free: Mutex<usize>,
    freed: Condvar,
}

impl Window {
    fn new(size: usize) -> Arc<Self> {
        Arc::new(Self { size, free: Mutex::new(size), freed: Condvar::new() })
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all that is free, at least one.
    fn take(&self) -> usize {
        let mut free = self.free();
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut free)
    }

    /// Wakes the thread when half is free, not for each.
    fn give(&self) {
        let mut free = self.free();
        *free += 1;
        if *free == self.size.div_ceil(2) {
            self.freed.notify_one();
        }
    }
}

#[derive(Default)]
struct Counts {
    spent: AtomicU64,
    refused: AtomicBool,
    stop: AtomicBool,
}

impl Counts {
    fn count<T, E>(&self, outcome: &Result<T, E>) {
        self.refused.fetch_or(outcome.is_err(), Ordering::Relaxed);
        self.spent.fetch_add(1, Ordering::Relaxed);
    }
}

/// Spends for some time with so many requests under way at once, from at most 16 threads.
pub(crate) fn spend(folder: &Path, callers: usize, time: Duration) -> Outcome<Spent> {
    let writer = writer(&folder.join(format!("ledger-{callers}")))?;
    let admitted = writer.append(Requests::new()?.next())?;
    let entry_bytes = Entry { time: admitted.time, event: admitted.events[0].clone() }.encode().len();
    let threads = callers.min(THREADS_MAX);
    let counts = Arc::new(Counts::default());
    let mut requests = (0..threads).map(|_| Requests::new()).collect::<Outcome<Vec<_>>>()?;
    let (before, after) = thread::scope(|scope| {
        for requests in &mut requests {
            let (writer, counts) = (&writer, counts.clone());
            scope.spawn(move || {
                let window = Window::new(callers / threads);
                while !counts.stop.load(Ordering::Relaxed) {
                    if window.size == 1 {
                        counts.count(&writer.append(requests.next()));
                        continue;
                    }
                    for _ in 0..window.take() {
                        let (window, counts) = (window.clone(), counts.clone());
                        writer.submit(requests.next(), move |outcome| {
                            counts.count(&outcome);
                            window.give();
                        });
                    }
                }
            });
        }
        let read = || (Instant::now(), counts.spent.load(Ordering::Relaxed), writer.batches(), process_cpu_s());
        thread::sleep(time / 8);
        let before = read();
        thread::sleep(time);
        let after = read();
        counts.stop.store(true, Ordering::Relaxed);
        (before, after)
    });
    if counts.refused.load(Ordering::Relaxed) {
        return Err("a charge was refused".into());
    }
    let spent = (after.1 - before.1) as f64;
    let per_s = spent / (after.0 - before.0).as_secs_f64();
    Ok(Spent { per_s, batch: spent / (after.2 - before.2) as f64, cpu_us: 1e6 * (after.3 - before.3) / spent, entry_bytes })
}

/// How often a second a sector is written to a preallocated file and made durable.
pub(crate) fn fdatasync_per_s(folder: &Path, time: Duration) -> Outcome<f64> {
    const BYTES: usize = 16 << 20;
    let path = folder.join("appends");
    std::fs::write(&path, vec![0; BYTES])?;
    let file = OpenOptions::new().write(true).open(&path)?;
    file.sync_all()?;
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < time {
        file.write_all_at(&[7; 512], 512 * count % BYTES as u64)?;
        file.sync_data()?;
        count += 1;
    }
    let per_s = count as f64 / start.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    Ok(per_s)
}
