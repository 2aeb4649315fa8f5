//! Many quantiles at once (分位数), each a slot of a public grid.

use super::DpError;
use crate::budget::Loss;
use crate::random::Random;

/// x
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantileMechanism {
    ranks: Vec<(u64, u64)>,
    levels: Vec<Loss>,
}

impl QuantileMechanism {
    /// x
    ///
    /// # Errors
    /// x
    pub fn new(ranks: &[(u64, u64)], rows_of_unit: u64, price: Loss) -> Result<Self, DpError> {
        let _ = rows_of_unit;
        Ok(Self { ranks: ranks.to_vec(), levels: vec![price] })
    }

    /// The charge of each level.
    #[must_use]
    pub fn levels(&self) -> &[Loss] {
        &self.levels
    }

    /// One slot per rank in the given order.
    #[must_use]
    pub fn choose<R: Random + ?Sized>(&self, counts: &[u64], random: &mut R) -> Vec<usize> {
        let _ = random.next_u64();
        self.ranks.iter().map(|_| counts.len() / 2).collect()
    }
}
