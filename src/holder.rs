//! The holder (数据使用方): holds the key named in a right, signs each request, remembers the last checkpoint.

#[cfg(feature = "embedded")]
mod remembered;
#[cfg(feature = "embedded")]
mod seen;

use std::sync::Arc;

use crate::envelope::Signed;
use crate::id::Time;
use crate::key::{PublicKey, Signer};
use crate::random::Random;
use crate::right::{Ask, Request, Right, SignError, Verified};

#[cfg(feature = "embedded")]
pub use remembered::Remembered;
#[cfg(feature = "embedded")]
pub use seen::{SeenError, SeenFile};

/// Signs requests under rights that name this holder.
#[derive(Clone)]
pub struct Holder {
    key: Arc<dyn Signer>,
}

impl Holder {
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
