/// Writes canonical CBOR.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    out: Vec<u8>,
}

impl Encoder {
    /// An empty encoder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) -> &mut Self {
        self.head(0, value)
    }

    /// A signed integer.
    pub fn int(&mut self, value: i64) -> &mut Self {
        match u64::try_from(value) {
            Ok(value) => self.head(0, value),
            // -1 - n with n >= 0: for a negative i64, `!value` is n.
            Err(_) => self.head(1, (!value).unsigned_abs()),
        }
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.head(2, value.len() as u64);
        self.out.extend_from_slice(value);
        self
    }

    /// A text string; callers hold text that was checked to be NFC.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.head(3, value.len() as u64);
        self.out.extend_from_slice(value.as_bytes());
        self
    }

    /// The head of an array; its `len` items follow.
    pub fn array(&mut self, len: usize) -> &mut Self {
        self.head(4, len as u64)
    }

    /// A map with integer keys; the entries may be written in any order.
    pub fn map(&mut self, write: impl FnOnce(&mut MapEncoder)) -> &mut Self {
        let mut map = MapEncoder::default();
        write(&mut map);
        map.finish(self);
        self
    }

    /// A tag; its item follows.
    pub fn tag(&mut self, tag: u64) -> &mut Self {
        self.head(6, tag)
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.out.push(if value { 0xf5 } else { 0xf4 });
        self
    }

    /// Bytes that already are one canonical item.
    pub(crate) fn raw(&mut self, item: &[u8]) -> &mut Self {
        self.out.extend_from_slice(item);
        self
    }

    /// The bytes written so far.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    #[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
    fn head(&mut self, major: u8, value: u64) -> &mut Self {
        let major = major << 5;
        match value {
            0..=23 => self.out.push(major | value as u8),
            24..=0xff => self.out.extend_from_slice(&[major | 24, value as u8]),
            0x100..=0xffff => {
                self.out.push(major | 25);
                self.out.extend_from_slice(&(value as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.out.push(major | 26);
                self.out.extend_from_slice(&(value as u32).to_be_bytes());
            }
            _ => {
                self.out.push(major | 27);
                self.out.extend_from_slice(&value.to_be_bytes());
            }
        }
        self
    }
}

/// Collects the entries of one map and puts them in canonical order.
#[derive(Debug, Default)]
pub struct MapEncoder {
    entries: Vec<(Vec<u8>, Encoder)>,
}

impl MapEncoder {
    /// Starts the entry `key`; exactly one item is to be written to what it returns.
    pub fn key(&mut self, key: i64) -> &mut Encoder {
        let mut encoded = Encoder::new();
        encoded.int(key);
        let place = self.entries.len();
        self.entries.push((encoded.into_bytes(), Encoder::new()));
        &mut self.entries[place].1
    }

    fn finish(mut self, out: &mut Encoder) {
        self.entries.sort_by(|a, b| a.0.cmp(&b.0));
        debug_assert!(self.entries.windows(2).all(|pair| pair[0].0 != pair[1].0), "a key is written twice");
        out.head(5, self.entries.len() as u64);
        for (key, value) in self.entries {
            out.raw(&key).raw(&value.out);
        }
    }
}
