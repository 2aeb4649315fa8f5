//! The gate of tests: injected clock, recorded randomness, crash points; never a receipt.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::creation::creation;
use super::environment::{Environment, Point};
use super::service::{Running, Service, SpaceOptions};
use super::{AnswerError, DatasetState, GateError, Pending, Published, Quote};
use crate::budget::Loss;
use crate::dataset::Description;
use crate::id::{Decimal, LedgerId, Time};
use crate::key::{Signer, SigningKey};
use crate::ledger::Quantum;
use crate::random::{MeteredRandom, RandomError, RecordedRandom};
use crate::receipt::Release;
use crate::table::RecordSource;

/// A gate with an injected clock, recorded randomness and crash points, over a ledger that says it is for tests.
///
/// Its releases have no receipt, no real gate opens its space, and it opens no real one (rules E3, L5).
pub struct TestGate {
    running: Running<Injected>,
}

/// What a test puts in place of the world.
struct Injected {
    seed: String,
    /// Each generator of one gate is another.
    made: AtomicU64,
    /// Bytes drawn from all of them, with their keys.
    drawn: Arc<AtomicU64>,
    wall_s: Arc<dyn Fn() -> u64 + Send + Sync>,
    point: Arc<dyn Fn(Point) + Send + Sync>,
}

impl TestGate {
    /// Makes a space for tests.
    ///
    /// # Errors
    /// As for a real space.
    pub fn create(
        path: &Path,
        owner: &dyn Signer,
        seed: &str,
        wall_s: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<Self, GateError> {
        let environment = Injected::new(seed, wall_s, |_| {});
        let mut random = RecordedRandom::from_seed(seed);
        let gate_key = SigningKey::generate(&mut random);
        let now = Time::from_unix_s((environment.wall_s)());
        let (genesis, certificate) = creation(owner, owner.public(), gate_key.public(), now, &mut random, true)?;
        let options = Self::options();
        Ok(Self { running: Running::create(path, environment, genesis, Some(gate_key), &certificate, options)? })
    }

    /// Answers leave at once, since an injected clock need not go on; the inbox is left alone.
    fn options() -> SpaceOptions {
        SpaceOptions::default().quantum(Quantum::NONE).inbox(false)
    }

    fn service(&self) -> &Arc<Service<Injected>> {
        self.running.service()
    }

    /// As [`crate::gate::Gate::submit`].
    pub fn submit(&self, request: &[u8]) -> Pending<Result<Release, AnswerError>> {
        self.service().submit(request.to_vec(), None)
    }

    /// Opens a space for tests. `point` is called between any two durable states and may end the process.
    ///
    /// # Errors
    /// As for a real space; a real space is refused.
    pub fn open(
        path: &Path,
        seed: &str,
        wall_s: impl Fn() -> u64 + Send + Sync + 'static,
        point: impl Fn(Point) + Send + Sync + 'static,
    ) -> Result<Self, GateError> {
        Ok(Self { running: Running::open(path, Injected::new(seed, wall_s, point), Self::options())? })
    }

    /// As [`crate::gate::Gate::answer`], with recorded noise and no receipt.
    ///
    /// # Errors
    /// As there.
    pub fn answer(&self, request: &[u8]) -> Result<Release, AnswerError> {
        self.submit(request).wait()
    }

    /// Publishes as a space does.
    ///
    /// # Errors
    /// As there.
    pub fn publish(&self, description: &Description, source: &dyn RecordSource, owner: &dyn Signer) -> Result<Published, GateError> {
        self.service().publish(description, source, owner, &mut |_| std::ops::ControlFlow::Continue(()))
    }

    /// The ledger's id.
    #[must_use]
    pub fn ledger_id(&self) -> LedgerId {
        self.service().ledger_id()
    }

    /// The datasets with their balances.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn datasets(&self) -> Result<Vec<DatasetState>, GateError> {
        self.service().datasets()
    }

    /// As [`crate::gate::Gate::quote`].
    ///
    /// # Errors
    /// As there.
    pub fn quote(&self, request: &[u8]) -> Result<Quote, AnswerError> {
        self.service().quote(request)
    }

    /// As [`crate::gate::Gate::price_for`].
    ///
    /// # Errors
    /// As there.
    pub fn price_for(&self, request: &[u8], half: Decimal, column: Option<&str>) -> Result<Loss, AnswerError> {
        self.service().price_for(request, half, column)
    }

    /// Bytes drawn since this gate was made or opened, with the 32 of the key of each generator.
    #[must_use]
    pub fn randomness_drawn(&self) -> u64 {
        self.service().environment.drawn.load(Ordering::Relaxed)
    }

    /// Blocks of cells and of units that were asked for since the snapshots were opened.
    ///
    /// # Errors
    /// The gate has stopped.
    pub fn blocks_read(&self) -> Result<u64, GateError> {
        Ok(self.service().registry().datasets().map(|lineage| lineage.blocks_read()).sum())
    }
}

impl Injected {
    fn new(seed: &str, wall_s: impl Fn() -> u64 + Send + Sync + 'static, point: impl Fn(Point) + Send + Sync + 'static) -> Self {
        let (made, drawn) = (AtomicU64::new(0), Arc::default());
        Self { seed: seed.to_owned(), made, drawn, wall_s: Arc::new(wall_s), point: Arc::new(point) }
    }
}

impl Environment for Injected {
    const REAL: bool = false;
    type Random = MeteredRandom;

    fn wall(&self) -> Duration {
        Duration::from_secs((self.wall_s)())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs((self.wall_s)())
    }

    fn random(&self, context: &[u8]) -> Result<MeteredRandom, RandomError> {
        use std::fmt::Write as _;
        let mut seed = format!("{} {} ", self.seed, self.made.fetch_add(1, Ordering::Relaxed));
        for byte in context {
            // Writing to a string cannot fail.
            let _ = write!(seed, "{byte:02x}");
        }
        Ok(MeteredRandom::from_seed(&seed, Arc::clone(&self.drawn)))
    }

    fn point(&self, point: Point) {
        (self.point)(point);
    }
}
