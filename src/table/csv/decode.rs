//! From the bytes of a file to UTF-8.

use std::io::{self, ErrorKind, Read};

use encoding_rs::{Decoder, DecoderResult, GB18030};

use crate::table::Encoding;

/// 64 KiB: decoding takes longer than a call to the system.
const RAW_BYTES: usize = 64 << 10;

/// Room that one character needs at least, with what the decoder keeps back.
const ROOM_MIN: usize = 16;

/// What is read, as UTF-8.
pub(super) enum Decoded<R> {
    /// As it stands; whether cells are UTF-8 is looked at column by column.
    Utf8(R),
    Gb18030(Box<Gb18030<R>>),
}

/// A stream of GB 18030. After a malformed sequence reading fails, with everything before it given out.
pub(super) struct Gb18030<R> {
    input: R,
    decoder: Decoder,
    raw: Box<[u8]>,
    at: usize,
    filled: usize,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Open,
    /// The input has ended; the decoder has yet to hear it.
    Ending,
    Ended,
    Malformed,
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(input: R, encoding: Encoding) -> Self {
        match encoding {
            Encoding::Utf8 => Self::Utf8(input),
            Encoding::Gb18030 => Self::Gb18030(Box::new(Gb18030 {
                input,
                decoder: GB18030.new_decoder_without_bom_handling(),
                raw: vec![0; RAW_BYTES].into(),
                at: 0,
                filled: 0,
                state: State::Open,
            })),
        }
    }

    pub(super) fn encoding(&self) -> Encoding {
        match self {
            Self::Utf8(_) => Encoding::Utf8,
            Self::Gb18030(_) => Encoding::Gb18030,
        }
    }

    /// Reads into room for at least one character; [`ErrorKind::InvalidData`] for a malformed sequence.
    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        debug_assert!(out.len() >= ROOM_MIN);
        match self {
            Self::Utf8(input) => input.read(out),
            Self::Gb18030(stream) => stream.read(out),
        }
    }

    /// The first bytes of the file, if they are not among what [`Decoded::read`] gives: up to three.
    pub(super) fn first_bytes(&mut self) -> io::Result<Option<&[u8]>> {
        match self {
            Self::Utf8(_) => Ok(None),
            Self::Gb18030(stream) => {
                while stream.filled < 3 && stream.fill()? {}
                Ok(Some(&stream.raw[..stream.filled.min(3)]))
            }
        }
    }
}

impl<R: Read> Gb18030<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Malformed => return Err(ErrorKind::InvalidData.into()),
                State::Ended => return Ok(0),
                State::Open if self.at == self.filled => {
                    (self.at, self.filled) = (0, 0);
                    self.fill()?;
                }
                State::Open | State::Ending => {}
            }
            let last = self.state == State::Ending;
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(&self.raw[self.at..self.filled], out, last);
            self.at += read;
            match result {
                DecoderResult::Malformed(..) => self.state = State::Malformed,
                DecoderResult::InputEmpty if last => self.state = State::Ended,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
    }

    /// Reads behind what is there; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let read = loop {
            match self.input.read(&mut self.raw[self.filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.filled += read;
        if read == 0 {
            self.state = State::Ending;
        }
        Ok(read > 0)
    }
}

/// The encoding whose byte order mark these bytes begin with, if it is another one.
pub(super) fn other_mark(first: &[u8], encoding: Encoding) -> Option<&'static str> {
    match first {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        [0xef, 0xbb, 0xbf, ..] if encoding != Encoding::Utf8 => Some("UTF-8"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Gives out single bytes.
    struct Single<'a>(&'a [u8]);

    impl Read for Single<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut out[..1])
        }
    }

    fn decode(bytes: &[u8], room: usize) -> (Vec<u8>, Option<ErrorKind>) {
        let mut decoded = Decoded::new(Single(bytes), Encoding::Gb18030);
        decoded.first_bytes().unwrap();
        let mut out = Vec::new();
        loop {
            let mut part = vec![0; room];
            match decoded.read(&mut part) {
                Ok(0) => return (out, None),
                Ok(written) => out.extend_from_slice(&part[..written]),
                Err(error) => return (out, Some(error.kind())),
            }
        }
    }

    #[test]
    fn characters_of_one_two_and_four_bytes() {
        // The bytes of GB 18030-2022: 张三 in two bytes each, U+20087 and U+1F4A9 in four.
        let bytes = b"a\xd5\xc5\xc8\xfd,\x95\x32\x90\x31\x94\x39\xda\x33\n";
        for room in [16, 17, 100] {
            assert_eq!(decode(bytes, room), ("a张三,\u{20087}\u{1f4a9}\n".into(), None));
        }
        assert_eq!(decode(b"", 16), (vec![], None));
    }

    #[test]
    fn what_stands_before_a_malformed_sequence_is_given_out() {
        for bad in [&b"ab\xff"[..], b"ab\xd5", b"ab\x95\x32\x90", b"ab\xd5\n"] {
            assert_eq!(decode(bad, 16), (b"ab".to_vec(), Some(ErrorKind::InvalidData)), "{bad:x?}");
        }
    }
}
