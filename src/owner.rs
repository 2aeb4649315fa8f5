//! The owner (数据持有方): holds the owner key, only signs, is never needed for a use.

use std::sync::Arc;

use crate::budget::Loss;
use crate::dataset::{Card, Refill};
use crate::envelope::{EnvelopeError, Signed, Untrusted};
use crate::id::{DatasetId, Time};
use crate::key::{PublicKey, Signer, SigningKey};
use crate::ledger::RefillReason;
use crate::random::{Random, RandomError, SystemRandom};
use crate::right::{Right, SignError, Terms, Verified};

/// Signs what only an owner can give.
///
#[cfg_attr(all(feature = "embedded", feature = "sql"), doc = "```")]
#[cfg_attr(not(all(feature = "embedded", feature = "sql")), doc = "```ignore")]
#[doc = include_str!("doc/market.txt")]
/// let space = Space::create(folder.path().join("space"), owner.signer(), next.public(), now)?;
/// let published = space.publish_file(&toml, owner.signer())?;
///
/// // Offline from here on, with the card of the dataset.
/// let card = owner.read_card(published.card.bytes())?;
/// let terms = Terms::process(Loss::approx("1.0", "0")?)
///     .operations([Operation::Count])
///     .purposes(["research:health"])
///     .uses(100)
///     .not_after(now.plus_s(3600))
///     .build()?;
/// let right = owner.grant(&card, holder.public(), terms, now, &mut random)?;
/// assert_eq!(&right.root().holder, holder.public());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Owner {
    key: Arc<dyn Signer>,
}

impl Owner {
    /// An owner with a fresh key in memory; [`SigningKey::open`](crate::key::SigningKey) reads one that is kept.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self::new(SigningKey::generate(&mut SystemRandom::new()?)))
    }

    /// An owner with a key in memory, an HSM, or a KMS.
    #[must_use]
    pub fn new(key: impl Signer + 'static) -> Self {
        Self { key: Arc::new(key) }
    }

    /// The key, for acts on a space.
    #[must_use]
    pub fn signer(&self) -> &dyn Signer {
        self.key.as_ref()
    }

    /// The public key, which is all that anyone needs to verify what came from this owner.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        self.key.public()
    }

    /// Reads a dataset card that this owner signed.
    ///
    /// # Errors
    /// Not a card, or another's.
    pub fn read_card(&self, card: &[u8]) -> Result<Signed<Card>, EnvelopeError> {
        Untrusted::<Card>::decode(card)?.verify(self.public())
    }

    /// Gives `holder` the use of the dataset of `card` under `terms`.
    ///
    /// # Errors
    /// The terms do not fit the dataset.
    pub fn grant(
        &self,
        card: &Signed<Card>,
        holder: &PublicKey,
        terms: Terms,
        now: Time,
        random: &mut dyn Random,
    ) -> Result<Verified, SignError> {
        Right::grant(card, holder, terms, now, random, self.signer())
    }

    /// Adds budget to a dataset; `number` comes from the space, so that one signature counts once.
    ///
    /// # Errors
    /// The key does not sign.
    pub fn refill(&self, dataset: DatasetId, number: u64, amount: Loss, reason: RefillReason) -> Result<Signed<Refill>, EnvelopeError> {
        Signed::sign(Refill { dataset, number, amount, reason }, self.signer())
    }
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Owner({})", self.public().id())
    }
}
