//! Where delimiters, line ends and quotes stand, 64 bytes at a time.

/// Bytes that are looked at together.
const WIDTH: usize = 64;

/// The places of the bytes of an input at which something ends or begins, in order.
pub(super) struct Marks<'a> {
    input: &'a [u8],
    delimiter: u8,
    /// Bit k is that of byte `base + k`; those of marks given out are 0.
    mask: u64,
    base: usize,
}

impl<'a> Marks<'a> {
    /// The marks from a place on.
    pub(super) fn new(input: &'a [u8], at: usize, delimiter: u8) -> Self {
        let base = at - at % WIDTH;
        let mask = mask_at(input, base, delimiter) & u64::MAX << (at % WIDTH);
        Self { input, delimiter, mask, base }
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.base += WIDTH;
            if self.base >= self.input.len() {
                return None;
            }
            self.mask = mask_at(self.input, self.base, self.delimiter);
        }
        let at = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(at)
    }
}

/// Bit k tells whether byte `base + k` of the input is a delimiter, a line end or a quote.
#[inline]
fn mask_at(input: &[u8], base: usize, delimiter: u8) -> u64 {
    match input.get(base..).and_then(|rest| rest.first_chunk::<WIDTH>()) {
        Some(bytes) => mask(bytes, delimiter),
        None => {
            // No mark is NUL.
            let mut bytes = [0; WIDTH];
            let rest = &input[base.min(input.len())..];
            bytes[..rest.len()].copy_from_slice(rest);
            mask(&bytes, delimiter)
        }
    }
}

#[inline]
fn mask(bytes: &[u8; WIDTH], delimiter: u8) -> u64 {
    // Compilers make vector instructions of this loop.
    let mut marked = [0u8; WIDTH];
    for (mark, &byte) in marked.iter_mut().zip(bytes) {
        *mark = u8::from((byte == delimiter) | (byte == b'\n') | (byte == b'\r') | (byte == b'"'));
    }
    let (words, _) = marked.as_chunks::<8>();
    // The product brings the lowest bits of the eight bytes of a word together in its highest byte.
    let gathered = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    words.iter().rev().fold(0, |mask, word| mask << 8 | gathered(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_at_every_place() {
        let places = |input: &[u8], at| Marks::new(input, at, b';').collect::<Vec<_>>();
        let plain: Vec<u8> = (0..=255).filter(|byte| !b";\n\r\"".contains(byte)).collect();
        assert!(places(&plain, 0).is_empty());
        for byte in *b";\n\r\"" {
            for len in [1, 63, 64, 65, 200] {
                for at in 0..len {
                    let mut input = vec![b'x'; len];
                    input[at] = byte;
                    for from in [0, 1, 40, 64, 100].into_iter().filter(|&from| from <= len) {
                        assert_eq!(places(&input, from), if from <= at { vec![at] } else { vec![] }, "{at} of {len} from {from}");
                    }
                }
            }
        }
        assert_eq!(places(&[b'"'; 150], 3), (3..150).collect::<Vec<_>>());
        assert!(places(b"", 0).is_empty());
    }
}
