//! Reading canonical CBOR: every other encoding is refused, limits come before allocation.

use unicode_normalization::is_nfc;

use super::CodecError;

/// What an artefact may cost to decode, checked before anything is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes an artefact may have.
    pub bytes: usize,
    /// How deeply arrays and maps may be nested.
    pub depth: usize,
}

impl Limits {
    /// A whole chain of rights (rule C8): the largest artefact that is not data.
    pub const BYTES_MAX: usize = 64 * 1024;
    /// No artefact of ours nests deeper; a larger depth only serves attackers (rule J4).
    pub const DEPTH_MAX: usize = 8;

    /// The default limits with another size.
    #[must_use]
    pub const fn of_bytes(bytes: usize) -> Self {
        Self { bytes, depth: Self::DEPTH_MAX }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::of_bytes(Self::BYTES_MAX)
    }
}

/// The kind of the next item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// An unsigned integer.
    Uint,
    /// A negative integer.
    Nint,
    /// A byte string.
    Bytes,
    /// A text string.
    Text,
    /// An array.
    Array,
    /// A map.
    Map,
    /// A tag.
    Tag,
    /// A boolean.
    Boolean,
}

/// Reads canonical CBOR and nothing else.
///
/// Counts the items of the open arrays and maps itself: `finish` fails while one of them is not complete.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    offset: usize,
    depth: usize,
    /// Items still to come in each open array or map, outermost first.
    open: Vec<u64>,
}

impl<'a> Decoder<'a> {
    /// A decoder over exactly one item.
    ///
    /// # Errors
    /// `TooLong` when there are more bytes than the limits allow.
    pub fn new(bytes: &'a [u8], limits: Limits) -> Result<Self, CodecError> {
        if bytes.len() > limits.bytes {
            return Err(CodecError::TooLong { offset: 0, found: bytes.len() as u64, most: limits.bytes as u64 });
        }
        Ok(Self { bytes, offset: 0, depth: limits.depth, open: Vec::new() })
    }

    /// The kind of the next item.
    ///
    /// # Errors
    /// `Truncated` at the end, `Unexpected` for kinds outside the subset.
    pub fn peek(&self) -> Result<ItemKind, CodecError> {
        let byte = *self.bytes.get(self.offset).ok_or(CodecError::Truncated { offset: self.offset })?;
        match byte >> 5 {
            0 => Ok(ItemKind::Uint),
            1 => Ok(ItemKind::Nint),
            2 => Ok(ItemKind::Bytes),
            3 => Ok(ItemKind::Text),
            4 => Ok(ItemKind::Array),
            5 => Ok(ItemKind::Map),
            6 => Ok(ItemKind::Tag),
            _ if byte == 0xf4 || byte == 0xf5 => Ok(ItemKind::Boolean),
            _ => Err(self.unexpected("an item of the subset")),
        }
    }

    /// An unsigned integer.
    ///
    /// # Errors
    /// Another kind of item, or not the shortest form.
    pub fn uint(&mut self) -> Result<u64, CodecError> {
        let value = self.head(0, "an unsigned integer")?;
        self.count_item();
        Ok(value)
    }

    /// An integer that fits in an `i64`.
    ///
    /// # Errors
    /// Another kind of item, not the shortest form, or out of range.
    pub fn int(&mut self) -> Result<i64, CodecError> {
        const EXPECTED: &str = "an integer of 64 bits";
        let start = self.offset;
        let (major, out_of_range) = match self.peek()? {
            ItemKind::Uint => (0, CodecError::Unexpected { offset: start, expected: EXPECTED }),
            ItemKind::Nint => (1, CodecError::Unexpected { offset: start, expected: EXPECTED }),
            _ => return Err(self.unexpected("an integer")),
        };
        let value = i64::try_from(self.head(major, EXPECTED)?).map_err(|_| out_of_range)?;
        self.count_item();
        Ok(if major == 0 { value } else { !value })
    }

    /// A byte string of at most `most` bytes.
    ///
    /// # Errors
    /// Another kind of item, or too long.
    pub fn bytes(&mut self, most: usize) -> Result<&'a [u8], CodecError> {
        let value = self.string(2, most, "a byte string")?;
        self.count_item();
        Ok(value)
    }

    /// A byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// Another kind of item or length.
    pub fn byte_array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let start = self.offset;
        let value = self.bytes(N)?;
        value.try_into().map_err(|_| CodecError::Unexpected { offset: start, expected: "a byte string of fixed length" })
    }

    /// A text string of at most `most` bytes in normalisation form C.
    ///
    /// # Errors
    /// Another kind of item, too long, or not NFC.
    pub fn text(&mut self, most: usize) -> Result<&'a str, CodecError> {
        let start = self.offset;
        let value = self.string(3, most, "a text string")?;
        let text = std::str::from_utf8(value).map_err(|_| CodecError::NotNfc { offset: start })?;
        if !is_nfc(text) {
            return Err(CodecError::NotNfc { offset: start });
        }
        self.count_item();
        Ok(text)
    }

    /// A boolean.
    ///
    /// # Errors
    /// Another kind of item.
    pub fn boolean(&mut self) -> Result<bool, CodecError> {
        let value = match self.bytes.get(self.offset) {
            Some(0xf4) => false,
            Some(0xf5) => true,
            Some(_) => return Err(self.unexpected("a boolean")),
            None => return Err(CodecError::Truncated { offset: self.offset }),
        };
        self.offset += 1;
        self.count_item();
        Ok(value)
    }

    /// The head of an array of at most `most` items; its items follow.
    ///
    /// # Errors
    /// Another kind of item, too long, or too deep.
    pub fn array(&mut self, most: usize) -> Result<usize, CodecError> {
        self.open_items(4, most, 1, "an array")
    }

    /// The head of a map of at most `most` entries; [`MapKeys::next`] reads the keys.
    ///
    /// # Errors
    /// Another kind of item, too long, or too deep.
    pub fn map(&mut self, most: usize) -> Result<MapKeys, CodecError> {
        let left = self.open_items(5, most, 2, "a map")?;
        Ok(MapKeys { left, last: None })
    }

    /// The tag `expected`; its item follows.
    ///
    /// # Errors
    /// Another kind of item or another tag.
    pub fn tag(&mut self, expected: u64) -> Result<(), CodecError> {
        let start = self.offset;
        if self.head(6, "a tag")? == expected { Ok(()) } else { Err(CodecError::Unexpected { offset: start, expected: "another tag" }) }
    }

    /// Skips one item with everything in it.
    ///
    /// # Errors
    /// Anything wrong with it.
    pub fn skip(&mut self) -> Result<(), CodecError> {
        match self.peek()? {
            ItemKind::Uint => self.uint().map(drop),
            ItemKind::Nint => {
                self.head(1, "an integer")?;
                self.count_item();
                Ok(())
            }
            ItemKind::Bytes => self.bytes(usize::MAX).map(drop),
            ItemKind::Text => self.text(usize::MAX).map(drop),
            ItemKind::Boolean => self.boolean().map(drop),
            ItemKind::Tag => {
                // A loop, since tags in tags are not held by the depth.
                while self.peek()? == ItemKind::Tag {
                    self.head(6, "a tag")?;
                }
                self.skip()
            }
            ItemKind::Array => {
                for _ in 0..self.array(usize::MAX)? {
                    self.skip()?;
                }
                Ok(())
            }
            ItemKind::Map => {
                let mut keys = self.map(usize::MAX)?;
                while keys.next(self)?.is_some() {
                    self.skip()?;
                }
                Ok(())
            }
        }
    }

    /// Where the next item starts.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `Trailing` when bytes are left, `Truncated` when an array or map is not complete.
    pub fn finish(self) -> Result<(), CodecError> {
        if !self.open.is_empty() {
            return Err(CodecError::Truncated { offset: self.offset });
        }
        match self.bytes.len() - self.offset {
            0 => Ok(()),
            found => Err(CodecError::Trailing { found }),
        }
    }

    fn open_items(&mut self, major: u8, most: usize, items: u64, expected: &'static str) -> Result<usize, CodecError> {
        let start = self.offset;
        let len = self.head(major, expected)?;
        // Every item has at least one byte: a length that the input cannot hold is refused before it is used.
        let room = (self.bytes.len() - self.offset) as u64;
        if len > most as u64 {
            return Err(CodecError::TooLong { offset: start, found: len, most: most as u64 });
        }
        if len > room / items {
            return Err(CodecError::Truncated { offset: self.bytes.len() });
        }
        if self.open.len() >= self.depth {
            return Err(CodecError::TooDeep { offset: start, most: self.depth });
        }
        if len == 0 {
            self.count_item();
        } else {
            self.open.push(len * items);
        }
        usize::try_from(len).map_err(|_| CodecError::TooLong { offset: start, found: len, most: most as u64 })
    }

    fn string(&mut self, major: u8, most: usize, expected: &'static str) -> Result<&'a [u8], CodecError> {
        let start = self.offset;
        let len = self.head(major, expected)?;
        if len > most as u64 {
            return Err(CodecError::TooLong { offset: start, found: len, most: most as u64 });
        }
        let len = usize::try_from(len).map_err(|_| CodecError::TooLong { offset: start, found: len, most: most as u64 })?;
        let rest = &self.bytes[self.offset..];
        let value = rest.get(..len).ok_or(CodecError::Truncated { offset: self.bytes.len() })?;
        self.offset += len;
        Ok(value)
    }

    /// Major type and argument in the shortest form; does not count as an item yet.
    fn head(&mut self, major: u8, expected: &'static str) -> Result<u64, CodecError> {
        let start = self.offset;
        let byte = *self.bytes.get(start).ok_or(CodecError::Truncated { offset: start })?;
        if byte >> 5 != major {
            return Err(self.unexpected(expected));
        }
        let (width, least) = match byte & 0x1f {
            small @ 0..=23 => {
                self.offset += 1;
                return Ok(u64::from(small));
            }
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            _ => return Err(CodecError::NotCanonical { offset: start }),
        };
        let digits = self.bytes.get(start + 1..start + 1 + width).ok_or(CodecError::Truncated { offset: self.bytes.len() })?;
        let value = digits.iter().fold(0, |value, &digit| (value << 8) | u64::from(digit));
        if value < least {
            return Err(CodecError::NotCanonical { offset: start });
        }
        self.offset += 1 + width;
        Ok(value)
    }

    /// One item is complete: so may be the arrays and maps that end with it.
    fn count_item(&mut self) {
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return;
            }
            self.open.pop();
        }
    }

    fn unexpected(&self, expected: &'static str) -> CodecError {
        CodecError::Unexpected { offset: self.offset, expected }
    }
}

/// The keys of a map in strictly increasing encoded order.
#[derive(Clone, Debug)]
pub struct MapKeys {
    left: usize,
    last: Option<u64>,
}

impl MapKeys {
    /// The next key, or nothing after the last; the value is read from the decoder.
    ///
    /// # Errors
    /// A key that is no integer, repeated, or out of order.
    pub fn next(&mut self, decoder: &mut Decoder<'_>) -> Result<Option<i64>, CodecError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let start = decoder.offset;
        let key = decoder.int()?;
        if self.last.is_some_and(|last| last >= rank(key)) {
            return Err(CodecError::NotCanonical { offset: start });
        }
        self.last = Some(rank(key));
        Ok(Some(key))
    }
}

/// The place of a key in the order of encoded keys: unsigned ones by value, then negative ones by distance from zero. A
/// shorter head sorts first, and it holds the smaller argument.
#[expect(clippy::cast_sign_loss, reason = "the argument of the head, which is not negative, and the bit of its major type")]
pub(super) const fn rank(key: i64) -> u64 {
    if key >= 0 { key as u64 } else { !key as u64 | 1 << 63 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::codec::Encoder;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    fn reencode(decoder: &mut Decoder<'_>, out: &mut Encoder) -> Result<(), CodecError> {
        match decoder.peek()? {
            ItemKind::Uint | ItemKind::Nint if decoder.clone().int().is_ok() => drop(out.int(decoder.int()?)),
            ItemKind::Uint => drop(out.uint(decoder.uint()?)),
            ItemKind::Nint => return Err(decoder.unexpected("an integer of 64 bits")),
            ItemKind::Bytes => drop(out.bytes(decoder.bytes(usize::MAX)?)),
            ItemKind::Text => drop(out.text(decoder.text(usize::MAX)?)),
            ItemKind::Boolean => drop(out.boolean(decoder.boolean()?)),
            ItemKind::Tag => return Err(decoder.unexpected("no tag")),
            ItemKind::Array => {
                let len = decoder.array(usize::MAX)?;
                out.array(len);
                for _ in 0..len {
                    reencode(decoder, out)?;
                }
            }
            ItemKind::Map => {
                let mut keys = decoder.map(usize::MAX)?;
                let mut entries = Vec::new();
                while let Some(key) = keys.next(decoder)? {
                    let mut value = Encoder::new();
                    reencode(decoder, &mut value)?;
                    entries.push((key, value.into_bytes()));
                }
                out.map(|map| {
                    entries.iter().for_each(|(key, value)| {
                        map.key(*key).raw(value);
                    })
                });
            }
        }
        Ok(())
    }

    /// RFC 8949 appendix A, the part inside our subset.
    #[test]
    fn accepts_the_canonical_forms_of_rfc_8949() {
        for text in [
            "00",
            "01",
            "0a",
            "17",
            "1818",
            "1819",
            "1864",
            "1903e8",
            "1a000f4240",
            "1b000000e8d4a51000",
            "1bffffffffffffffff",
            "20",
            "29",
            "3863",
            "3903e7",
            "f4",
            "f5",
            "40",
            "4401020304",
            "60",
            "6161",
            "6449455446",
            "62225c",
            "62c3bc",
            "63e6b0b4",
            "64f0908591",
            "80",
            "83010203",
            "8301820203820405",
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
            "a0",
            "a201020304",
        ] {
            let bytes = hex(text);
            let mut decoder = Decoder::new(&bytes, Limits::default()).unwrap();
            let mut out = Encoder::new();
            reencode(&mut decoder, &mut out).unwrap();
            decoder.finish().unwrap();
            assert_eq!(out.into_bytes(), bytes, "{text}");
        }
    }

    /// RFC 8949 appendix A, well-formed and outside our subset, and forms that are not the shortest.
    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "f90000",
            "f93c00",
            "fb3ff199999999999a",
            "f97c00",
            "f97e00",
            "f6",
            "f7",
            "f0",
            "f8ff",
            "c249010000000000000000",
            "c074323031332d30332d32315432303a30343a30305a",
            "c11a514b67b0",
            "5f42010243030405ff",
            "7f657374726561646d696e67ff",
            "9fff",
            "9f018202039f0405ffff",
            "bf61610161629f0203ffff",
            "1817",
            "190017",
            "1a0000ffff",
            "1b00000000ffffffff",
            "5803010203",
            "a2020101ff",
            "a201010101",
            "a202010101",
            "a120",
            "8201",
            "6361cc81",
            "62c328",
            "a161610a",
            "3bffffffffffffffff",
            "0000",
            "9bffffffffffffffff",
            "bb8000000000000000",
            "5bffffffffffffffff",
            "818181818181818181",
            "1c",
            "1d",
            "1e",
            "1f",
        ] {
            let bytes = hex(text);
            let mut decoder = Decoder::new(&bytes, Limits::default()).unwrap();
            let read = decoder.skip().and_then(|()| {
                if text == "3bffffffffffffffff" { Decoder::new(&bytes, Limits::default())?.int().map(drop) } else { decoder.finish() }
            });
            let tagged = text.starts_with('c');
            assert!(read.is_err() || tagged && Decoder::new(&bytes, Limits::default()).unwrap().tag(18).is_err(), "{text}");
        }
    }

    #[test]
    fn an_artefact_at_the_limit_is_read_and_one_byte_more_is_refused() {
        let mut encoder = Encoder::new();
        encoder.bytes(&[7; 95]);
        let bytes = encoder.into_bytes();
        assert_eq!(bytes.len(), 97);
        assert!(Decoder::new(&bytes, Limits::of_bytes(97)).is_ok());
        assert!(matches!(Decoder::new(&bytes, Limits::of_bytes(96)), Err(CodecError::TooLong { found: 97, most: 96, .. })));
        assert!(Decoder::new(&bytes, Limits::default()).unwrap().bytes(95).is_ok());
        assert!(matches!(Decoder::new(&bytes, Limits::default()).unwrap().bytes(94), Err(CodecError::TooLong { .. })));
    }

    #[test]
    fn depth_eight_is_read_and_nine_is_refused() {
        let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
        assert!(Decoder::new(&nested(8), Limits::default()).unwrap().skip().is_ok());
        assert!(matches!(Decoder::new(&nested(9), Limits::default()).unwrap().skip(), Err(CodecError::TooDeep { most: 8, .. })));
        let tags = [vec![0xc6; Limits::BYTES_MAX - 1], vec![0]].concat();
        assert!(Decoder::new(&tags, Limits::default()).unwrap().skip().is_ok());
    }

    #[test]
    fn an_incomplete_array_does_not_finish() {
        let bytes = hex("8201");
        let mut decoder = Decoder::new(&bytes, Limits::default()).unwrap();
        assert!(decoder.array(2).is_err());
        let bytes = hex("820102");
        let mut decoder = Decoder::new(&bytes, Limits::default()).unwrap();
        decoder.array(2).unwrap();
        decoder.uint().unwrap();
        assert!(decoder.finish().is_err());
    }

    proptest::proptest! {
        /// The oracle: whatever we accept, a general CBOR crate reads too, and re-encoding gives the same bytes.
        #[test]
        fn what_is_accepted_is_canonical(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let mut decoder = Decoder::new(&bytes, Limits::default()).unwrap();
            let mut out = Encoder::new();
            if reencode(&mut decoder, &mut out).is_ok() && decoder.finish().is_ok() {
                proptest::prop_assert_eq!(&out.into_bytes(), &bytes);
                proptest::prop_assert!(ciborium::from_reader::<ciborium::Value, _>(&bytes[..]).is_ok());
            }
        }
    }
}
