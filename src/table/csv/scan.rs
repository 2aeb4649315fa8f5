//! Where delimiters, line ends and quotes stand, 64 bytes at a time.

/// Bytes that are looked at together.
pub(super) const WIDTH: usize = 64;

/// The bytes at which something ends or begins.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    delimiter: u8,
}

impl Marks {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter }
    }

    /// Bit k tells whether byte `base + k` of the input is a delimiter, a line end or a quote.
    #[inline]
    pub(super) fn at(self, input: &[u8], base: usize) -> u64 {
        match input.get(base..).and_then(|rest| rest.first_chunk::<WIDTH>()) {
            Some(bytes) => self.of(bytes),
            None => {
                // No mark is NUL.
                let mut bytes = [0; WIDTH];
                let rest = &input[base.min(input.len())..];
                bytes[..rest.len()].copy_from_slice(rest);
                self.of(&bytes)
            }
        }
    }

    #[inline]
    fn of(self, bytes: &[u8; WIDTH]) -> u64 {
        // Compilers make vector instructions of this loop.
        let mut marked = [0u8; WIDTH];
        for (mark, &byte) in marked.iter_mut().zip(bytes) {
            *mark = u8::from((byte == self.delimiter) | (byte == b'\n') | (byte == b'\r') | (byte == b'"'));
        }
        let (words, _) = marked.as_chunks::<8>();
        // The product brings the lowest bits of the eight bytes of a word together in its highest byte.
        let gathered = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        words.iter().rev().fold(0, |mask, word| mask << 8 | gathered(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_at_every_place() {
        let marks = Marks::new(b';');
        let plain: Vec<u8> = (0..=255).filter(|byte| !b";\n\r\"".contains(byte)).collect();
        assert!((0..plain.len()).all(|base| marks.at(&plain, base) == 0));
        for byte in *b";\n\r\"" {
            for len in [1, 63, 64, 65, 100] {
                for at in 0..len {
                    let mut input = vec![b'x'; len];
                    input[at] = byte;
                    let expected = |base: usize| if (base..base + WIDTH).contains(&at) { 1 << (at - base) } else { 0 };
                    assert!([0, 1, 40].iter().all(|&base| marks.at(&input, base) == expected(base)), "{at} of {len}");
                }
            }
        }
        assert_eq!(marks.at(&[b'"'; WIDTH], 0), u64::MAX);
    }
}
