//! Writing canonical CBOR: shortest heads, map keys in order.

use super::Field;
use super::decode::rank;
use super::record::{Entries, FIELDS_MAX, Fixed};

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

    /// An encoder that writes behind these bytes.
    #[cfg(feature = "embedded")]
    pub(crate) fn behind(bytes: Vec<u8>) -> Self {
        Self { out: bytes }
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

    /// A map whose fields are written in the order of their encoded keys, the fixed ones in their place among them. Cheaper than
    /// [`Encoder::map`]: nothing is collected and nothing sorted.
    pub(crate) fn ordered_map(&mut self, fixed: &'static [Fixed], write: impl FnOnce(&mut OrderedMap<'_>)) -> &mut Self {
        let head = self.out.len();
        self.out.push(5 << 5);
        let mut map = OrderedMap { out: self, fixed, fields: 0, last: None };
        write(&mut map);
        map.write_fixed(None);
        let fields = map.fields;
        match u8::try_from(fields) {
            Ok(fields @ ..=23) => self.out[head] |= fields,
            Ok(fields) => {
                self.out[head] |= 24;
                self.out.insert(head + 1, fields);
            }
            // A record is a declaration, so more is a mistake in it.
            Err(_) => debug_assert!(fields <= FIELDS_MAX, "{fields} fields"),
        }
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

/// Writes the fields of one record in the order of their encoded keys.
pub(crate) struct OrderedMap<'e> {
    out: &'e mut Encoder,
    /// Those that are still to come.
    fixed: &'static [Fixed],
    fields: usize,
    last: Option<u64>,
}

impl OrderedMap<'_> {
    fn write_fixed(&mut self, before: Option<i64>) {
        while let [fixed, rest @ ..] = self.fixed
            && before.is_none_or(|before| rank(fixed.key) < rank(before))
        {
            self.fixed = rest;
            self.start(fixed.key).int(fixed.value);
        }
    }

    fn start(&mut self, key: i64) -> &mut Encoder {
        debug_assert!(self.last.is_none_or(|last| last < rank(key)), "key {key} is out of order");
        self.last = Some(rank(key));
        self.fields += 1;
        self.out.int(key)
    }
}

impl Entries for OrderedMap<'_> {
    fn entry<F: Field>(&mut self, key: i64, value: &F::Value) {
        self.write_fixed(Some(key));
        F::write(value, self.start(key));
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

impl Entries for MapEncoder {
    fn entry<F: Field>(&mut self, key: i64, value: &F::Value) {
        F::write(value, self.key(key));
    }
}
