//! Charges: what an entry takes from each account, with the balance before and after.

use std::ops::Deref;

use crate::budget::{BudgetError, Loss};
use crate::codec::{CodecError, Decoder, Encoder, Field, record};
use crate::id::AccountId;

record! {
    /// Privacy loss and number of answers: what an account counts.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Measure as "measure" [
        /// Privacy loss.
        pub loss: Loss,
        /// Answers.
        pub uses: u64,
    ]
}

record! {
    /// A change of one account, with the balance before and after, so that one account's entries alone prove it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Charge as "charge" [
        /// The account.
        pub account: AccountId,
        /// The change.
        pub amount: Measure,
        /// Spent before.
        pub previous: Measure,
        /// Spent after.
        pub new: Measure,
    ]
}

/// The charges of one request: the lineage's first, then those of rights. A slice of them; two, as nearly always, stand in
/// place.
#[derive(Clone)]
pub struct Charges(Held);

#[derive(Clone)]
enum Held {
    Two([Charge; 2]),
    Many(Vec<Charge>),
}

/// Lineage, right, and later populations and ancestors of the right.
pub(super) const CHARGES_MAX: usize = 32;

impl Measure {
    /// The sum, or why there is none.
    ///
    /// # Errors
    /// Another model, or too large.
    pub fn checked_add(&self, other: &Self) -> Result<Self, BudgetError> {
        let uses = self.uses.checked_add(other.uses).ok_or(BudgetError::Overflow)?;
        Ok(Self { loss: self.loss.checked_add(&other.loss)?, uses })
    }

    /// The difference, or why there is none.
    ///
    /// # Errors
    /// Another model, or a part of `other` is larger.
    pub fn checked_sub(&self, other: &Self) -> Result<Self, BudgetError> {
        let uses = self.uses.checked_sub(other.uses).ok_or(BudgetError::Overflow)?;
        Ok(Self { loss: self.loss.checked_sub(&other.loss)?, uses })
    }
}

#[cfg(feature = "embedded")]
impl Charges {
    /// The charge of each account by `charge`.
    pub(super) fn of<E>(accounts: &[AccountId], charge: impl FnMut(&AccountId) -> Result<Charge, E>) -> Result<Self, E> {
        let mut charge = charge;
        Ok(Self(match accounts {
            [lineage, right] => Held::Two([charge(lineage)?, charge(right)?]),
            accounts => Held::Many(accounts.iter().map(charge).collect::<Result<_, E>>()?),
        }))
    }
}

impl Deref for Charges {
    type Target = [Charge];

    fn deref(&self) -> &[Charge] {
        match &self.0 {
            Held::Two(charges) => charges,
            Held::Many(charges) => charges,
        }
    }
}

impl From<Vec<Charge>> for Charges {
    fn from(charges: Vec<Charge>) -> Self {
        Self(charges.try_into().map_or_else(Held::Many, Held::Two))
    }
}

impl PartialEq for Charges {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Charges {}

impl std::fmt::Debug for Charges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Field for Charges {
    type Value = Self;
    const SHAPE: &'static str = "array of charges";

    fn write(value: &Self, out: &mut Encoder) {
        out.array(value.len());
        value.iter().for_each(|charge| Charge::write(charge, out));
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        Ok(Self(match decoder.array(CHARGES_MAX)? {
            2 => Held::Two([Charge::read(decoder, key)?, Charge::read(decoder, key)?]),
            length => Held::Many((0..length).map(|_| Charge::read(decoder, key)).collect::<Result<_, _>>()?),
        }))
    }
}
