//! Repeatable randomness for tests and for the self-audit.

use std::fmt;
#[cfg(all(feature = "hazmat", feature = "embedded"))]
use std::sync::Arc;
#[cfg(all(feature = "hazmat", feature = "embedded"))]
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::stream::Stream;
use super::{Random, sealed};

/// A repeatable source for tests: the stream of [`SystemRandom`](super::SystemRandom) under the SHA-256 of a seed.
pub struct RecordedRandom {
    stream: Stream,
    drawn: u64,
}

impl RecordedRandom {
    /// The source that belongs to `seed`; a test passes its own name.
    #[must_use]
    pub fn from_seed(seed: &str) -> Self {
        Self { stream: Stream::new(Zeroizing::new(Sha256::digest(seed.as_bytes()).into())), drawn: 0 }
    }

    /// How many words were drawn so far.
    #[must_use]
    pub const fn drawn(&self) -> u64 {
        self.drawn
    }
}

impl sealed::Sealed for RecordedRandom {}

impl Random for RecordedRandom {
    #[inline]
    fn next_u64(&mut self) -> u64 {
        loop {
            if let Some(word) = self.stream.take() {
                self.drawn += 1;
                return word;
            }
            self.stream.refill();
        }
    }
}

impl fmt::Debug for RecordedRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordedRandom { .. }")
    }
}

/// A recorded source that adds what is taken from it to a meter: for tests that a refused request draws nothing.
#[cfg(all(feature = "hazmat", feature = "embedded"))]
pub(crate) struct MeteredRandom {
    source: RecordedRandom,
    bytes: Arc<AtomicU64>,
}

#[cfg(all(feature = "hazmat", feature = "embedded"))]
impl MeteredRandom {
    /// Bytes of the key of a generator: a system generator draws them when it is made.
    const KEY_BYTES: u64 = 32;

    /// The source that belongs to `seed`; its key and all that is drawn are added to `bytes`.
    pub(crate) fn from_seed(seed: &str, bytes: Arc<AtomicU64>) -> Self {
        bytes.fetch_add(Self::KEY_BYTES, Ordering::Relaxed);
        Self { source: RecordedRandom::from_seed(seed), bytes }
    }
}

#[cfg(all(feature = "hazmat", feature = "embedded"))]
impl sealed::Sealed for MeteredRandom {}

#[cfg(all(feature = "hazmat", feature = "embedded"))]
impl Random for MeteredRandom {
    fn next_u64(&mut self) -> u64 {
        self.bytes.fetch_add(8, Ordering::Relaxed);
        self.source.next_u64()
    }
}

/// A source for tests that gives the words of a script, in order.
///
/// Past its end it panics, or, made by [`with_tail`](Self::with_tail), goes on with a recorded source;
/// [`used`](Self::used) then tells whether the script alone decided the outcome.
#[derive(Debug)]
pub struct ScriptedRandom {
    words: Vec<u64>,
    used: usize,
    tail: Option<(String, Option<RecordedRandom>)>,
}

impl ScriptedRandom {
    /// A source that panics when more words are drawn than `words` has.
    #[must_use]
    pub fn new(words: Vec<u64>) -> Self {
        Self { words, used: 0, tail: None }
    }

    /// A source that goes on with [`RecordedRandom::from_seed`] after the last of `words`.
    #[must_use]
    pub fn with_tail(words: Vec<u64>, seed: &str) -> Self {
        Self { words, used: 0, tail: Some((seed.to_owned(), None)) }
    }

    /// How many words were drawn, those past the script included.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used
    }

    /// Whether words past the script were drawn.
    #[must_use]
    pub fn overran(&self) -> bool {
        self.used > self.words.len()
    }
}

impl sealed::Sealed for ScriptedRandom {}

impl Random for ScriptedRandom {
    /// # Panics
    /// When the script is exhausted and there is no tail.
    fn next_u64(&mut self) -> u64 {
        let at = self.used;
        self.used += 1;
        if let Some(word) = self.words.get(at) {
            return *word;
        }
        match &mut self.tail {
            Some((seed, tail)) => tail.get_or_insert_with(|| RecordedRandom::from_seed(seed)).next_u64(),
            None => panic!("the script of {} words is exhausted", self.words.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_its_stream() {
        let words = |seed| {
            let mut random = RecordedRandom::from_seed(seed);
            (0..1_100).map(|_| random.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(words("a"), words("a"));
        assert_ne!(words("a"), words("b"));
    }

    #[test]
    fn a_script_with_a_tail_reports_that_it_overran() {
        let mut random = ScriptedRandom::with_tail(vec![1, 2], "tail");
        assert_eq!((random.next_u64(), random.next_u64(), random.overran()), (1, 2, false));
        assert_eq!(random.next_u64(), RecordedRandom::from_seed("tail").next_u64());
        assert_eq!((random.used(), random.overran()), (3, true));
    }

    #[test]
    #[should_panic(expected = "the script of 1 words is exhausted")]
    fn a_script_without_a_tail_panics() {
        let mut random = ScriptedRandom::new(vec![1]);
        let _ = (random.next_u64(), random.next_u64());
    }
}
