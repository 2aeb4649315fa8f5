//! What a gate takes from the world: clock and randomness, which nobody can replace in a real one.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::random::{Random, RandomError, SystemRandom};

/// What a gate takes from the world. The real one cannot be replaced: nothing a caller passes can be seeded (rule
/// E3). Only a test gate, over a test ledger, has another.
pub(crate) trait Environment: Send + Sync + 'static {
    /// Whether releases are signed. A test gate's never are.
    const REAL: bool;
    /// A generator for one request.
    type Random: Random;

    /// The time since 1970 by the wall clock.
    fn wall(&self) -> Duration;
    /// A clock that never goes back.
    fn monotonic(&self) -> Duration;
    /// Fresh randomness bound to a context.
    fn random(&self, context: &[u8]) -> Result<Self::Random, RandomError>;
    /// A place at which a test may end the process.
    fn point(&self, _point: Point) {}
}

/// The places between two durable states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hazmat"), allow(dead_code, unreachable_pub, reason = "only test gates look at the point"))]
#[non_exhaustive]
pub enum Point {
    /// The request is verified, nothing is charged.
    Verified,
    /// Charge and start are durable, no cell is read.
    Started,
    /// The exact sums are in memory.
    Aggregated,
    /// The answer's file is durable, not yet sealed.
    Written,
    /// The seal is durable, nothing has left.
    Sealed,
}

#[cfg(feature = "hazmat")]
impl Point {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Verified, Self::Started, Self::Aggregated, Self::Written, Self::Sealed];
}

/// The real world.
#[derive(Debug)]
pub(crate) struct System {
    start: Instant,
}

impl System {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Environment for System {
    const REAL: bool = true;
    type Random = SystemRandom;

    fn wall(&self) -> Duration {
        // A clock before 1970 is behind every ledger, and refused as that.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn random(&self, context: &[u8]) -> Result<SystemRandom, RandomError> {
        SystemRandom::bound(context)
    }
}
