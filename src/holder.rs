//! The holder (数据使用方): holds the key named in a right, signs each request, remembers the last checkpoint.

#[cfg(feature = "embedded")]
mod error;
#[cfg(feature = "embedded")]
mod remembered;
#[cfg(feature = "embedded")]
mod seen;

use std::sync::Arc;

use crate::envelope::Signed;
use crate::id::Time;
use crate::key::{PublicKey, Signer, SigningKey};
use crate::random::{Random, RandomError, SystemRandom};
use crate::right::{Ask, Request, Right, SignError, Verified};

#[cfg(feature = "embedded")]
pub use error::SeenError;
#[cfg(feature = "embedded")]
pub use remembered::Remembered;
#[cfg(feature = "embedded")]
pub use seen::SeenFile;

/// Signs requests under rights that name this holder.
///
#[cfg_attr(all(feature = "embedded", feature = "sql"), doc = "```")]
#[cfg_attr(not(all(feature = "embedded", feature = "sql")), doc = "```ignore")]
#[doc = include_str!("doc/market.txt")]
#[doc = include_str!("doc/asked.txt")]
/// let query = Query::sql("SELECT AVG(age) FROM people")?;
/// let ask = Ask::new(query, Loss::approx("0.1", "0")?).expiry_s(600);
/// let request = holder.request(&right, ask.clone(), now, &mut random)?;
/// // What could never be answered is not signed: here, more than the right has.
/// let mut dear = ask;
/// dear.price = Loss::approx("2", "0")?;
/// assert!(holder.request(&right, dear, now, &mut random).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Holder {
    key: Arc<dyn Signer>,
}

impl Holder {
    /// A holder with a fresh key in memory.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, RandomError> {
        Ok(Self::new(SigningKey::generate(&mut SystemRandom::new()?)))
    }

    /// A holder with a key in memory, an HSM, or a KMS.
    #[must_use]
    pub fn new(key: impl Signer + 'static) -> Self {
        Self { key: Arc::new(key) }
    }

    /// The public key that a right must name.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        self.key.public()
    }

    /// Signs one use of a right.
    ///
    /// # Errors
    /// It could never be answered, or the right is for another holder.
    pub fn request(&self, right: &Verified, ask: Ask, now: Time, random: &mut dyn Random) -> Result<Signed<Request>, SignError> {
        Request::sign(right, ask, now, random, self.key.as_ref())
    }

    /// As [`Holder::request`], under a right taken at its word, for a holder without the owner's public key.
    ///
    /// # Errors
    /// As [`Holder::request`].
    pub fn request_claimed(&self, right: &Right, ask: Ask, now: Time, random: &mut dyn Random) -> Result<Signed<Request>, SignError> {
        Request::sign_claimed(right, ask, now, random, self.key.as_ref())
    }
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Holder({})", self.public().id())
    }
}
