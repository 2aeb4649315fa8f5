use std::sync::Arc;

use super::Bound;
use super::bound::Plan;
use crate::budget::Epsilon;
use crate::dp::{DpError, LaplaceMechanism};

/// Shares of the price are multiples of this, in units of epsilon: 10^-6 (rule D4).
pub const SHARE_UNITS: u64 = 1_000_000;
/// Amounts of a request have at most 9 decimals (rule E2).
const PRICE_UNITS: u64 = 1_000;

/// How the price of a query is divided among its base vectors, and the mechanism of each.
///
/// Vector i with sensitivity D and range R gets a share proportional to (D/R)^(2/3), rounded down to a multiple of
/// 10^-6; the last vector gets the rest, so the shares add up to the price. The shares are a function of query, schema
/// and price alone, in integers.
#[derive(Clone, Debug)]
pub struct Split {
    pub(super) plan: Arc<Plan>,
    shares: Vec<Epsilon>,
    pub(super) mechanisms: Vec<LaplaceMechanism>,
}

impl Split {
    /// Divides `price`.
    ///
    /// # Errors
    /// The price has more than 9 decimals, is too small for so many vectors, or makes a scale out of range.
    pub fn new(bound: &Bound, price: Epsilon) -> Result<Self, SplitError> {
        if !price.units().is_multiple_of(PRICE_UNITS) {
            return Err(SplitError::Decimals { found: price, most: 9 });
        }
        let vectors = bound.vectors();
        let weights: Vec<u128> = vectors.iter().map(super::Vector::weight).collect();
        let total: u128 = weights.iter().sum();
        // Below 2^60 by 10^12.
        let share = |weight: &u128| u64::try_from(u128::from(price.units()) * weight / total).unwrap_or(u64::MAX);
        let mut units: Vec<u64> = weights.iter().map(|weight| share(weight) / SHARE_UNITS * SHARE_UNITS).collect();
        if let Some((last, rest)) = units.split_last_mut() {
            *last = price.units() - rest.iter().sum::<u64>();
        }
        let shares: Option<Vec<_>> = units.iter().map(|units| Epsilon::from_units(*units).filter(|share| *share > Epsilon::ZERO)).collect();
        let shares = shares.ok_or(SplitError::Small { price, vectors: vectors.len() })?;
        let mechanisms = vectors.iter().zip(&shares).map(|(vector, share)| LaplaceMechanism::new(vector.sensitivity(), share.units()));
        let mechanisms = mechanisms.collect::<Result<_, _>>()?;
        Ok(Self { plan: Arc::clone(&bound.0), shares, mechanisms })
    }

    /// The shares, in the order of [`Bound::vectors`]; they add up to the price.
    #[must_use]
    pub fn shares(&self) -> &[Epsilon] {
        &self.shares
    }
}

/// Why a price cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// Too many decimals.
    #[error("epsilon {found} has more than {most} decimals")]
    Decimals {
        /// The price.
        found: Epsilon,
        /// The limit.
        most: u8,
    },
    /// Not enough for every vector.
    #[error("epsilon {price} is too small for {vectors} noised sums: each needs a share of at least 0.000001")]
    Small {
        /// The price.
        price: Epsilon,
        /// How many vectors there are.
        vectors: usize,
    },
    /// The noise cannot be made.
    #[error(transparent)]
    Noise(#[from] DpError),
}
