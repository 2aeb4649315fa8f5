//! Randomness: where every random bit of the crate comes from.
//!
//! [`Random`] is sealed. In a normal build its only source is [`SystemRandom`]: ChaCha20 under a key from the
//! operating system. No constructor takes a seed, so nothing a caller passes can make noise predictable; recorded
//! and scripted sources exist for tests (feature `hazmat`) and for the self-audit (feature `probe`) only: no gate takes one.
//!
//! A buffer of 4 KiB is the only store of random bytes. Words are wiped as they are consumed, and the first 32
//! bytes of each buffer become the next key, so a memory image tells nothing about words already used. When the
//! process id has changed at a refill, the buffer and its key are dropped and fresh system bytes are mixed in.
//!
//! ```
//! use usufruct::random::{Random, SystemRandom};
//!
//! let mut random = SystemRandom::bound(b"the bytes of one request")?;
//! let mut nonce = [0; 16];
//! random.fill(&mut nonce);
//! assert_ne!(nonce, [0; 16]);
//! # Ok::<(), usufruct::random::RandomError>(())
//! ```
//!
//! # Source
//! RFC 8439 (ChaCha20); D. J. Bernstein, "Fast-key-erasure random-number generators", 2017; rule E3 of `docs/rules.md`.
//!
//! # Not promised
//! Bits are computationally, not information-theoretically, random. A process that forks and goes on drawing from
//! the same generator in parent and child shares at most the rest of one buffer between them; whoever makes a
//! generator for each request shares nothing.

#[cfg(any(test, feature = "hazmat", feature = "probe"))]
mod recorded;
mod stream;
mod system;

#[cfg(all(feature = "hazmat", feature = "embedded"))]
pub(crate) use recorded::MeteredRandom;
#[cfg(any(test, feature = "hazmat", feature = "probe"))]
pub use recorded::{RecordedRandom, ScriptedRandom};
pub use system::SystemRandom;

use crate::class::Class;

/// A source of independent uniform bits. Sealed: only this crate implements it.
pub trait Random: sealed::Sealed {
    /// The next 64 bits.
    fn next_u64(&mut self) -> u64;

    /// Fills `bytes` with random bytes.
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

impl<R: Random + ?Sized> Random for &mut R {
    fn next_u64(&mut self) -> u64 {
        (**self).next_u64()
    }
}

/// Why there is no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RandomError {
    /// The operating system gave no random bytes.
    #[error("the operating system's random generator failed")]
    System,
}

impl RandomError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class::Environment
    }
}

mod sealed {
    /// Closes [`Random`](super::Random) to other crates.
    pub trait Sealed {}

    impl<R: Sealed + ?Sized> Sealed for &mut R {}
}
