//! The system generator: keyed by the operating system, closed to callers, safe across forks.

use std::{fmt, process};

use ring::rand::SecureRandom;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::stream::Stream;
use super::{Random, RandomError, sealed};
use crate::label::Label;

/// The system generator: ChaCha20 keyed with fresh bytes of the operating system.
///
/// Nothing can seed it, and no other crate can put its own generator in its place:
///
/// ```compile_fail,E0599
/// let random = usufruct::random::SystemRandom::from_seed("chosen");
/// ```
/// ```compile_fail,E0277
/// struct Chosen;
/// impl usufruct::random::Random for Chosen {
///     fn next_u64(&mut self) -> u64 {
///         4
///     }
/// }
/// ```
pub struct SystemRandom {
    stream: Stream,
    process: u32,
}

impl SystemRandom {
    /// A generator under a fresh key.
    ///
    /// # Errors
    /// [`RandomError::System`] when the operating system gives no random bytes.
    pub fn new() -> Result<Self, RandomError> {
        Self::bound(b"")
    }

    /// A generator under a fresh key that is also bound to `context`, such as the bytes of a request:
    /// key = SHA-256(label, 32 fresh system bytes, context). The context adds no entropy and needs none.
    ///
    /// # Errors
    /// [`RandomError::System`] when the operating system gives no random bytes.
    pub fn bound(context: &[u8]) -> Result<Self, RandomError> {
        let fresh = system_bytes()?;
        Ok(Self { stream: Stream::new(derive(&fresh, &[context])), process: process::id() })
    }

    #[cold]
    fn refill(&mut self) {
        let process = process::id();
        if process != self.process {
            self.leave_parent(process);
        }
        self.stream.refill();
    }

    /// A copy of the generator in another process must never repeat its words. The old key is secret, so hashing
    /// it with the new process id separates the two even in the case that the system gives no bytes.
    fn leave_parent(&mut self, process: u32) {
        let fresh = system_bytes().unwrap_or_default();
        self.stream = Stream::new(derive(&fresh, &[self.stream.key(), &process.to_le_bytes()]));
        self.process = process;
    }
}

impl sealed::Sealed for SystemRandom {}

impl Random for SystemRandom {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        loop {
            if let Some(word) = self.stream.take() {
                return word;
            }
            self.refill();
        }
    }
}

impl fmt::Debug for SystemRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemRandom { .. }")
    }
}

fn system_bytes() -> Result<Zeroizing<[u8; 32]>, RandomError> {
    let mut bytes = Zeroizing::new([0; 32]);
    ring::rand::SystemRandom::new().fill(bytes.as_mut()).map_err(|_| RandomError::System)?;
    Ok(bytes)
}

fn derive(fresh: &[u8; 32], context: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new();
    hash.update(Label::NOISE.as_bytes());
    hash.update(fresh);
    for part in context {
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, missing_docs)]
mod tests {
    use super::*;

    #[test]
    fn generators_with_one_context_differ() {
        let first = SystemRandom::bound(b"request").unwrap().next_u64();
        let second = SystemRandom::bound(b"request").unwrap().next_u64();
        assert_ne!(first, second);
    }

    #[test]
    fn another_process_gets_another_stream() {
        let mut random = SystemRandom::new().unwrap();
        let _ = random.next_u64();
        let parent_key = *random.stream.key();
        random.process = random.process.wrapping_add(1); // as if this were the child
        while !random.stream.is_empty() {
            let _ = random.next_u64();
        }
        assert_eq!(*random.stream.key(), parent_key);
        let word = random.next_u64();
        assert_eq!(random.process, process::id());
        let mut parent = Stream::new(Zeroizing::new(parent_key));
        parent.refill();
        assert_ne!(Some(word), parent.take());
    }

    #[test]
    fn debug_shows_no_state() {
        let mut random = SystemRandom::new().unwrap();
        let _ = random.next_u64();
        assert_eq!(format!("{random:?} {random:#?}"), "SystemRandom { .. } SystemRandom { .. }");
    }

    #[test]
    fn fill_covers_every_length() {
        let mut random = SystemRandom::new().unwrap();
        for length in 0..40 {
            let mut bytes = vec![0; length];
            random.fill(&mut bytes);
            // 2^-64 a length for eight zero bytes at the end.
            assert!(length < 8 || bytes[length - 8..].iter().any(|byte| *byte != 0));
        }
    }
}
