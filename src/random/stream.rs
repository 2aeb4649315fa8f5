//! The stream behind all draws: ChaCha20 that forgets its keys.

use std::mem;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use zeroize::{Zeroize, Zeroizing};

/// Words of one refill. With the next key in front they fill 4 KiB: 64 blocks of ChaCha20.
const WORDS: usize = 508;
const KEY_BYTES: usize = 32;

/// ChaCha20 with key erasure: each refill takes the next key from its own output, then words.
///
/// Invariants: words before `next` are zero; no key that made a word of an earlier buffer is stored.
pub(super) struct Stream {
    key: Zeroizing<[u8; KEY_BYTES]>,
    words: Box<[u64; WORDS]>,
    next: usize,
}

impl Stream {
    pub(super) fn new(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self { key, words: Box::new([0; WORDS]), next: WORDS }
    }

    pub(super) fn key(&self) -> &[u8; KEY_BYTES] {
        &self.key
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.next == WORDS
    }

    /// The next word, or `None` when the buffer is spent.
    #[inline]
    pub(super) fn take(&mut self) -> Option<u64> {
        let word = mem::take(self.words.get_mut(self.next)?);
        self.next += 1;
        Some(word)
    }

    #[cold]
    pub(super) fn refill(&mut self) {
        let mut cipher = ChaCha20Rng::from_seed(*self.key);
        cipher.fill_bytes(self.key.as_mut());
        for word in self.words.iter_mut() {
            *word = cipher.next_u64();
        }
        self.next = 0;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.words.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wiped_as_they_are_consumed_and_the_key_moves_on() {
        let mut stream = Stream::new(Zeroizing::new([7; KEY_BYTES]));
        assert_eq!(stream.take(), None);
        stream.refill();
        assert_ne!(*stream.key(), [7; KEY_BYTES]);
        assert!(stream.words.iter().all(|word| *word != 0));
        for used in 1..=WORDS {
            assert!(stream.take().is_some());
            assert!(stream.words[..used].iter().all(|word| *word == 0));
        }
        assert!(stream.is_empty());
        assert_eq!(stream.take(), None);
    }

    #[test]
    fn the_first_buffer_is_the_cipher_of_rfc_8439_after_the_next_key() {
        // RFC 8439 appendix A.1, vector 1: the key stream of the zero key, zero nonce, counter 0.
        let block = [
            0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28, 0xbd, 0xd2, 0x19, 0xb8, 0xa0,
            0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
        ];
        let mut stream = Stream::new(Zeroizing::new([0; KEY_BYTES]));
        stream.refill();
        assert_eq!(*stream.key(), block);
        assert_eq!(stream.take(), Some(u64::from_le_bytes([0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d])));
    }
}
