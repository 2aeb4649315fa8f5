//! No thread of the runtime waits for a disk or for the quantum.
//!
//! Two watchers look at a runtime of two threads while 64 requests wait for a quantum of a second. One lets a task become ready every
//! 5 ms and takes the time until it runs; it notices when no thread is left to run it. The other takes the time of each thread from
//! when it begins to work to when it has nothing more to do; it notices a single thread that waits for something else.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use common::{Client, PRICE, World, description};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use usufruct_backend::Backend;

/// A quarter of the quantum: far below it, and far above what two busy cores make a thread wait.
const BOUND: Duration = Duration::from_millis(250);
const QUANTUM_MS: u32 = 1000;
const ASKERS: usize = 64;
const ROUNDS: usize = 3;

thread_local! {
    static WORKS_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A runtime of two threads and what its watchers found.
struct Watched {
    runtime: Runtime,
    found: Arc<Found>,
    stop: Arc<AtomicBool>,
}

#[derive(Default)]
struct Found {
    /// The longest time that a ready task waited, in microseconds.
    ready_us: AtomicU64,
    /// The longest time that a thread worked without having nothing to do, in microseconds.
    work_us: AtomicU64,
}

impl Found {
    fn note(longest: &AtomicU64, since: Instant) {
        longest.fetch_max(since.elapsed().as_micros().try_into().unwrap(), Ordering::Relaxed);
    }

    fn longest(longest: &AtomicU64) -> Duration {
        Duration::from_micros(longest.load(Ordering::Relaxed))
    }
}

impl Watched {
    fn start() -> Self {
        let (found, stop) = (Arc::<Found>::default(), Arc::<AtomicBool>::default());
        let parked = Arc::clone(&found);
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_unpark(|| WORKS_SINCE.set(Some(Instant::now())))
            .on_thread_park(move || {
                if let Some(since) = WORKS_SINCE.take() {
                    Found::note(&parked.work_us, since);
                }
            })
            .build()
            .unwrap();
        let (handle, ready, stopped) = (runtime.handle().clone(), Arc::clone(&found), Arc::clone(&stop));
        std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let (since, ready) = (Instant::now(), Arc::clone(&ready));
                handle.spawn(async move { Found::note(&ready.ready_us, since) });
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { runtime, found, stop }
    }

    fn serve(&self, backend: &Arc<Backend>, more: Router) -> SocketAddr {
        let router = usufruct_backend::router(Arc::clone(backend)).merge(more);
        let listener = self.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        self.runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    /// What was found: the longest waits of a ready task and of a thread.
    fn stop(self) -> (Duration, Duration) {
        // Whatever still works goes to rest and is noted.
        std::thread::sleep(Duration::from_millis(100));
        self.stop.store(true, Ordering::Relaxed);
        let found = (Found::longest(&self.found.ready_us), Found::longest(&self.found.work_us));
        drop(self.runtime);
        found
    }
}

/// The callers have threads of their own.
fn callers() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn no_thread_of_the_runtime_waits_while_requests_do() {
    let world = Arc::new(World::new(QUANTUM_MS));
    let backend = world.backend();
    let (callers, watched) = (callers(), Watched::start());
    let address = watched.serve(&backend, Router::new());
    let most_pending = callers.block_on(async {
        let mut owner = Client::connect(address).await.unwrap();
        owner.publish(&description("people", "100")).await;
        let right = owner.grant(&world, "people", "100", 1_000_000).await;
        let mut most_pending = 0;
        for _ in 0..ROUNDS {
            let askers: Vec<_> = (0..ASKERS)
                .map(|_| {
                    let (world, request) = (Arc::clone(&world), world.request(&right, PRICE, None));
                    tokio::spawn(async move {
                        let mut client = Client::connect(address).await.unwrap();
                        let reply = client.ask(&request).await.unwrap();
                        assert_eq!(reply.status, 200, "{}", reply.text());
                        world.verify(&reply.body, &request);
                        let again = client.again(&request).await.unwrap();
                        assert_eq!((again.status, again.body), (200, reply.body));
                    })
                })
                .collect();
            // Everything else that reads or writes files, meanwhile.
            while askers.iter().any(|asker| !asker.is_finished()) {
                most_pending = most_pending.max(backend.space().counters().pending);
                owner.publish(&description("people", "100")).await;
                owner.grant(&world, "people", "0.001", 1).await;
                owner.status().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            for asker in askers {
                asker.await.unwrap();
            }
        }
        most_pending
    });
    let (ready, work) = watched.stop();
    println!(
        "{ASKERS} askers, {ROUNDS} rounds, {most_pending} pending at most: a ready task waited {ready:?} at most, a thread worked {work:?} at most"
    );
    assert!(most_pending > ASKERS * 3 / 4, "they do not wait together");
    assert!(ready < BOUND && work < BOUND, "ready {ready:?}, work {work:?}");
    drop(backend);
    world.assert_audited();
}

/// The mistake that the watchers are there for.
async fn wait_on_the_thread_of_the_runtime(State(backend): State<Arc<Backend>>, request: Bytes) -> Vec<u8> {
    backend.space().gate().answer(&request).unwrap().bytes().to_vec()
}

/// One handler that blocks is noticed by the time of its thread, two by the time of ready tasks too.
#[test]
fn the_watchers_would_notice() {
    for askers in [1, 2] {
        let world = Arc::new(World::new(QUANTUM_MS));
        let backend = world.backend();
        let (callers, watched) = (callers(), Watched::start());
        let blocking = Router::new().route("/blocking", post(wait_on_the_thread_of_the_runtime)).with_state(Arc::clone(&backend));
        let address = watched.serve(&backend, blocking);
        callers.block_on(async {
            let mut owner = Client::connect(address).await.unwrap();
            owner.publish(&description("people", "100")).await;
            let right = owner.grant(&world, "people", "100", 1_000_000).await;
            let asks: Vec<_> = (0..askers)
                .map(|_| {
                    let request = world.request(&right, PRICE, None);
                    tokio::spawn(async move {
                        let mut client = Client::connect(address).await.unwrap();
                        let reply = client.send("POST", "/blocking", "application/cbor", request.bytes()).await.unwrap();
                        assert_eq!(reply.status, 200);
                    })
                })
                .collect();
            for ask in asks {
                ask.await.unwrap();
            }
        });
        let (ready, work) = watched.stop();
        println!("{askers} blocking handlers: a ready task waited {ready:?} at most, a thread worked {work:?} at most");
        assert!(work >= BOUND, "work {work:?}");
        assert!(askers == 1 || ready >= BOUND, "ready {ready:?}");
    }
}
