//! The two keyed functions of pseudonyms, over batches of short values.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Block};
use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize;

use super::keys::{KeyFileError, KeyRing, PrfAlgorithm, PrfKey};
use super::technique::KeyAsked;
use crate::id::Name;
use crate::label::Label;

/// As many values go through the block cipher in lock-step; enough to fill its pipelines, few enough to stay in the
/// first cache.
pub(super) const LANES: usize = 64;
const BLOCK: usize = 16;

/// A keyed function of one column: 16 bytes for every value.
pub(super) enum Prf {
    Hmac(Box<Hmac>),
    Cmac(Box<Cmac>),
}

impl Prf {
    /// The function of a key that a technique asks for, in the domain that it names or this one.
    pub(super) fn of(asked: &KeyAsked<'_>, domain: &str, keys: &KeyRing, label: Label) -> Result<Self, KeyFileError> {
        Ok(Self::new(keys.get(asked.id, asked.version)?, label, asked.domain.map_or(domain, Name::as_str)))
    }

    /// The function of one use of a key in one domain, which is a column unless a policy joins several: its key is
    /// HMAC-SHA256(secret, label || purpose || algorithm || domain), each part behind its length in 8 bytes.
    pub(super) fn new(key: &PrfKey, label: Label, domain: &str) -> Self {
        let mut message = Vec::new();
        for part in [label.as_str(), key.purpose().as_str(), key.algorithm().as_str(), domain] {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        let mut column = Hmac::new(key.secret()).mac(&message);
        let prf = match key.algorithm() {
            PrfAlgorithm::HmacSha256 => Self::Hmac(Box::new(Hmac::new(&column))),
            PrfAlgorithm::AesCmac => {
                let (first, _) = column.split_at_mut(BLOCK);
                let mut short = [0; BLOCK];
                short.copy_from_slice(first);
                let cmac = Cmac::new(&short);
                short.zeroize();
                Self::Cmac(Box::new(cmac))
            }
        };
        column.zeroize();
        prf
    }

    /// The 16 bytes of every value of the batch.
    pub(super) fn tags<'a>(&self, batch: &mut Batch, tags: &'a mut [[u8; BLOCK]; LANES]) -> &'a [[u8; BLOCK]] {
        match self {
            Self::Hmac(hmac) => {
                for (lane, tag) in tags.iter_mut().enumerate().take(batch.len()) {
                    tag.copy_from_slice(&hmac.mac(batch.value(lane))[..BLOCK]);
                }
            }
            Self::Cmac(cmac) => cmac.tags(batch, tags),
        }
        &tags[..batch.len()]
    }

    /// The 16 bytes of one value.
    pub(super) fn tag(&self, value: &[u8]) -> [u8; BLOCK] {
        let mut batch = Batch::default();
        batch.push(|bytes| bytes.extend_from_slice(value));
        self.tags(&mut batch, &mut [[0; BLOCK]; LANES])[0]
    }
}

/// Up to [`LANES`] values, one behind the other.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.ends.len() == LANES
    }

    /// Adds the value that `write` appends.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn span(&self, lane: usize) -> (usize, usize) {
        (if lane == 0 { 0 } else { self.ends[lane - 1] }, self.ends[lane])
    }

    fn value(&self, lane: usize) -> &[u8] {
        let (from, to) = self.span(lane);
        &self.bytes[from..to]
    }
}

/// HMAC-SHA256 (RFC 2104) with the two key blocks already hashed: two compressions for a value of up to 55 bytes.
pub(super) struct Hmac {
    inner: [u32; 8],
    outer: [u32; 8],
}

/// FIPS 180-4 section 5.3.3.
const SHA256_START: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const SHA256_BLOCK: usize = 64;

impl Hmac {
    pub(super) fn new(key: &[u8]) -> Self {
        let mut block = [0; SHA256_BLOCK];
        if key.len() > SHA256_BLOCK {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let state = |pad: u8, block: &mut [u8; SHA256_BLOCK]| {
            let mut state = SHA256_START;
            block.iter_mut().for_each(|byte| *byte ^= pad);
            compress256(&mut state, std::slice::from_ref(block));
            block.iter_mut().for_each(|byte| *byte ^= pad);
            state
        };
        let hmac = Self { inner: state(0x36, &mut block), outer: state(0x5c, &mut block) };
        block.zeroize();
        hmac
    }

    pub(super) fn mac(&self, message: &[u8]) -> [u8; 32] {
        let mut inner = [0; 32];
        write_state(&finish(self.inner, message), &mut inner);
        let mut out = [0; 32];
        write_state(&finish(self.outer, &inner), &mut out);
        out
    }
}

impl Drop for Hmac {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// SHA-256 of a message that follows one block which is in `state` already.
#[inline]
fn finish(mut state: [u32; 8], message: &[u8]) -> [u32; 8] {
    let (whole, rest) = message.as_chunks::<SHA256_BLOCK>();
    if !whole.is_empty() {
        compress256(&mut state, whole);
    }
    let mut last = [0; SHA256_BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    if rest.len() >= SHA256_BLOCK - 8 {
        compress256(&mut state, std::slice::from_ref(&last));
        last = [0; SHA256_BLOCK];
    }
    let bits = 8 * (SHA256_BLOCK + message.len()) as u64;
    last[SHA256_BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
    compress256(&mut state, std::slice::from_ref(&last));
    state
}

fn write_state(state: &[u32; 8], out: &mut [u8; 32]) {
    for (word, bytes) in state.iter().zip(out.as_chunks_mut::<4>().0) {
        *bytes = word.to_be_bytes();
    }
}

/// AES-128-CMAC (RFC 4493; NIST SP 800-38B) of many values in lock-step.
pub(super) struct Cmac {
    cipher: Aes128Enc,
    /// Blocks as little-endian numbers, so that byte 0 of a block is the lowest.
    whole: u128,
    padded: u128,
}

impl Cmac {
    pub(super) fn new(key: &[u8; BLOCK]) -> Self {
        let cipher = Aes128Enc::new(key.into());
        let mut zero = Block::default();
        cipher.encrypt_block(&mut zero);
        let double = |block: u128| (block << 1) ^ (0x87 * (block >> 127));
        let whole = double(u128::from_be_bytes(zero.into()));
        zero.as_mut_slice().zeroize();
        Self { cipher, whole: whole.swap_bytes(), padded: double(whole).swap_bytes() }
    }

    fn tags(&self, batch: &mut Batch, tags: &mut [[u8; BLOCK]; LANES]) {
        // So that a block can be read whole behind the last value too.
        let end = batch.bytes.len();
        batch.bytes.resize(end + BLOCK, 0);
        let mut blocks = [Block::default(); LANES];
        let mut lanes: [usize; LANES] = std::array::from_fn(|lane| lane);
        let mut spans = [(0, 0); LANES];
        for (lane, span) in spans.iter_mut().enumerate().take(batch.len()) {
            *span = batch.span(lane);
        }
        let mut active = batch.len();
        while active > 0 {
            for (block, &lane) in blocks[..active].iter_mut().zip(&lanes) {
                let (from, to) = spans[lane];
                let mut bytes = [0; BLOCK];
                bytes.copy_from_slice(&batch.bytes[from..from + BLOCK]);
                let part = self.part(u128::from_le_bytes(bytes), to - from);
                *block = (u128::from_le_bytes((*block).into()) ^ part).to_le_bytes().into();
            }
            self.cipher.encrypt_blocks(&mut blocks[..active]);
            for at in (0..active).rev() {
                let lane = lanes[at];
                let (from, to) = &mut spans[lane];
                if *to - *from <= BLOCK {
                    tags[lane] = blocks[at].into();
                    active -= 1;
                    blocks.swap(at, active);
                    lanes.swap(at, active);
                } else {
                    *from += BLOCK;
                }
            }
        }
        batch.bytes.truncate(end);
    }

    /// What is added to the state for the next bytes of a value of which `left` are left.
    #[inline]
    fn part(&self, bytes: u128, left: usize) -> u128 {
        match PADDING.get(left) {
            Some((keep, end)) => (bytes & keep) ^ end ^ self.padded,
            None if left == BLOCK => bytes ^ self.whole,
            None => bytes,
        }
    }
}

/// The bytes that stay of a last block with so many bytes, and the bit behind them.
const PADDING: [(u128, u128); BLOCK] = {
    let mut padding = [(0, 0); BLOCK];
    let mut left = 0;
    while left < BLOCK {
        padding[left] = ((1 << (8 * left)) - 1, 0x80 << (8 * left));
        left += 1;
    }
    padding
};

impl Drop for Cmac {
    fn drop(&mut self) {
        // The cipher wipes its own round keys.
        self.whole.zeroize();
        self.padded.zeroize();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn batch(values: &[Vec<u8>]) -> Batch {
        let mut batch = Batch::default();
        values.iter().for_each(|value| batch.push(|bytes| bytes.extend_from_slice(value)));
        batch
    }

    /// RFC 4493 section 4, all four examples.
    const RFC_4493_KEY: &str = "2b7e1516 28aed2a6 abf71588 09cf4f3c";
    const RFC_4493_MESSAGE: &str = "6bc1bee2 2e409f96 e93d7e11 7393172a ae2d8a57 1e03ac9c 9eb76fac 45af8e51
                                    30c81c46 a35ce411 e5fbc119 1a0a52ef f69f2445 df4f9b17 ad2b417b e66c3710";
    const RFC_4493: [(usize, &str); 4] = [
        (0, "bb1d6929 e9593728 7fa37d12 9b756746"),
        (16, "070a16b4 6b4d4144 f79bdd9d d04a287c"),
        (40, "dfa66747 de9ae630 30ca3261 1497c827"),
        (64, "51f0bebf 7e3b9d92 fc497417 79363cfe"),
    ];

    #[test]
    fn cmac_is_that_of_rfc_4493_alone_and_in_lanes_of_mixed_lengths() {
        let cmac = Cmac::new(&hex(RFC_4493_KEY).try_into().unwrap());
        assert_eq!(cmac.whole.to_le_bytes().to_vec(), hex("fbeed618 35713366 7c85e08f 7236a8de"));
        assert_eq!(cmac.padded.to_le_bytes().to_vec(), hex("f7ddac30 6ae266cc f90bc11e e46d513b"));
        let message = hex(RFC_4493_MESSAGE);
        let value = |lane: usize| (message[..RFC_4493[lane % 4].0].to_vec(), hex(RFC_4493[lane % 4].1));
        for lanes in [1, 2, 3, 4, 5, LANES] {
            let (values, expected): (Vec<_>, Vec<_>) = (0..lanes).map(value).unzip();
            let mut tags = [[0; BLOCK]; LANES];
            cmac.tags(&mut batch(&values), &mut tags);
            assert!(tags.iter().zip(&expected).all(|(tag, expected)| tag == &expected[..]), "{lanes}");
        }
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        for (key, data, tag) in [
            (vec![0x0b; 20], b"Hi There".to_vec(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (vec![0xaa; 20], vec![0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            ((1..=25).collect(), vec![0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                vec![0xaa; 131],
                b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.".to_vec(),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ] {
            assert_eq!(Hmac::new(&key).mac(&data).to_vec(), hex(tag));
        }
    }

    #[test]
    fn hmac_is_that_of_ring_at_every_length() {
        let key = [7; 32];
        let theirs = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
        let ours = Hmac::new(&key);
        for length in 0..300 {
            let message: Vec<u8> = (0..=255).cycle().take(length).collect();
            assert_eq!(ours.mac(&message), ring::hmac::sign(&theirs, &message).as_ref(), "{length}");
        }
    }

    #[test]
    fn cmac_in_lanes_is_that_of_a_plain_chain_at_every_length() {
        let key = [9; BLOCK];
        let cmac = Cmac::new(&key);
        let cipher = Aes128Enc::new(&key.into());
        let plain = |message: &[u8]| {
            let mut state = [0; BLOCK];
            let mut chunks: Vec<Vec<u8>> = message.chunks(BLOCK).map(<[u8]>::to_vec).collect();
            let mut last = chunks.pop().unwrap_or_default();
            let mut subkey = cmac.whole;
            if last.len() < BLOCK {
                last.push(0x80);
                last.resize(BLOCK, 0);
                subkey = cmac.padded;
            }
            last.iter_mut().zip(subkey.to_le_bytes()).for_each(|(byte, key)| *byte ^= key);
            for chunk in chunks.into_iter().chain([last]) {
                state.iter_mut().zip(chunk).for_each(|(state, byte)| *state ^= byte);
                let mut block = Block::from(state);
                cipher.encrypt_block(&mut block);
                state = block.into();
            }
            state
        };
        for from in 0..100 {
            let values: Vec<Vec<u8>> =
                (0..LANES).map(|lane| (0..=255).cycle().skip(lane).take((from + 7 * lane) % 131).collect()).collect();
            let mut tags = [[0; BLOCK]; LANES];
            cmac.tags(&mut batch(&values), &mut tags);
            assert!(values.iter().zip(tags).all(|(value, tag)| plain(value) == tag));
        }
    }
}
