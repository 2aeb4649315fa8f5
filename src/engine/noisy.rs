use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::bound::Plan;
use super::{Bound, EngineError, Split};
use crate::dp::{DiscreteLaplace, LaplaceMechanism};
use crate::random::Random;

/// Exact sums: what must not leave. Consumed by [`Exact::noise`], wiped, redacted in `Debug`.
///
/// ```compile_fail,E0616
/// fn leak(exact: usufruct::engine::Exact) -> usize {
///     exact.sums.len()
/// }
/// ```
#[cfg_attr(not(feature = "hazmat"), doc = "```compile_fail,E0599")]
#[cfg_attr(not(feature = "hazmat"), doc = "fn leak(exact: &usufruct::engine::Exact) -> &[i128] {")]
#[cfg_attr(not(feature = "hazmat"), doc = "    exact.sums()")]
#[cfg_attr(not(feature = "hazmat"), doc = "}")]
#[cfg_attr(not(feature = "hazmat"), doc = "```")]
pub struct Exact {
    plan: Arc<Plan>,
    /// Vector by vector, group by group.
    sums: Zeroizing<Vec<i128>>,
}

/// Noised sums: each base vector once. From here on all is post-processing.
#[derive(Clone)]
pub struct Noisy {
    pub(super) split: Split,
    sums: Vec<i128>,
}

impl Exact {
    /// For implementors of [`super::Engine`]: all groups of the first vector of `bound`, then of the next; nothing
    /// when there are not as many.
    #[must_use]
    pub fn new(bound: &Bound, sums: Vec<i128>) -> Option<Self> {
        let fits = sums.len() == bound.cells() * bound.vectors().len();
        fits.then(|| Self { plan: Arc::clone(&bound.0), sums: Zeroizing::new(sums) })
    }

    /// Adds noise to every group of every vector, once each and in this order.
    ///
    /// # Errors
    /// [`EngineError::Failed`] when `split` is of another query.
    pub fn noise(self, split: &Split, random: &mut dyn Random) -> Result<Noisy, EngineError> {
        if self.plan != split.plan {
            return Err(EngineError::Failed);
        }
        let mut sums = Vec::with_capacity(self.sums.len());
        for (exact, mechanism) in self.sums.chunks(self.plan.cells).zip(&split.mechanisms) {
            release(exact, mechanism, random, &mut sums);
        }
        Ok(Noisy { split: split.clone(), sums })
    }

    /// The sums themselves, for oracles.
    #[cfg(any(test, feature = "hazmat"))]
    #[must_use]
    pub fn sums(&self) -> &[i128] {
        &self.sums
    }
}

impl Noisy {
    /// The noised value of a vector in a group.
    pub(super) fn get(&self, vector: usize, cell: usize) -> i128 {
        self.sums[vector * self.split.plan.cells + cell]
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exact({} sums)", self.sums.len())
    }
}

impl fmt::Debug for Noisy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Noisy({} sums)", self.sums.len())
    }
}

/// From about this many draws on the tables of a prepared sampler are worth their making.
const PREPARED_FROM: usize = 350;

/// Which sampler is used depends on the shape of the answer only; the law is the same.
fn release(exact: &[i128], mechanism: &LaplaceMechanism, random: &mut dyn Random, out: &mut Vec<i128>) {
    if exact.len() < PREPARED_FROM {
        out.extend(exact.iter().map(|value| mechanism.release(*value, random)));
    } else {
        let noise = DiscreteLaplace::prepare(mechanism.scale());
        out.extend(exact.iter().map(|value| value.saturating_add(noise.sample(random))));
    }
}
