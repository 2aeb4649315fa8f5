//! The different texts of a column and their codes.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use super::{DICTIONARY_BYTES_MAX, DICTIONARY_VALUES_MAX};

/// The different values of a text column, each with its code: the declared ones first, in declared order.
///
/// ```text
/// text   M a l e F e m a l e          value k is text[ends[k - 1]..ends[k]]
/// ends   4 10
/// slots  . . 1 . . 0 . .              open addressing: code + 1 at the first free slot from its hash on; 0 is free
/// ```
pub struct Dictionary {
    text: String,
    ends: Vec<u32>,
    slots: Vec<u32>,
    hasher: RandomState,
}

/// Why a value has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) what: &'static str,
    pub(super) most: u64,
}

const SLOTS_MIN: usize = 16;

impl Dictionary {
    pub(super) fn new() -> Self {
        Self { text: String::new(), ends: Vec::new(), slots: vec![0; SLOTS_MIN], hasher: RandomState::new() }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The value of a code.
    #[must_use]
    pub fn get(&self, code: u32) -> Option<&str> {
        let code = code as usize;
        let end = *self.ends.get(code)? as usize;
        let start = code.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }

    /// The code of a value; nothing if no cell has it and it is not declared.
    #[must_use]
    pub fn code_of(&self, value: &str) -> Option<u32> {
        self.slots[self.slot_of(value)].checked_sub(1)
    }

    /// The values, in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.ends.iter().zip(starts).map(|(&end, start)| &self.text[start as usize..end as usize])
    }

    /// The code of a value, which is added if it is new.
    pub(super) fn intern(&mut self, value: &str) -> Result<u32, Full> {
        let slot = self.slot_of(value);
        if let Some(code) = self.slots[slot].checked_sub(1) {
            return Ok(code);
        }
        if self.ends.len() >= DICTIONARY_VALUES_MAX {
            return Err(Full { what: "different values", most: DICTIONARY_VALUES_MAX as u64 });
        }
        let bytes = Full { what: "bytes of different values", most: DICTIONARY_BYTES_MAX as u64 };
        let end = Some(self.text.len() + value.len()).filter(|end| *end <= DICTIONARY_BYTES_MAX).ok_or(bytes)?;
        let code = u32::try_from(self.ends.len()).map_err(|_| bytes)?;
        self.text.push_str(value);
        self.ends.push(u32::try_from(end).map_err(|_| bytes)?);
        self.slots[slot] = code + 1;
        if self.ends.len() * 2 > self.slots.len() {
            self.grow();
        }
        Ok(code)
    }

    /// The bytes it occupies, about.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + 4 * (self.ends.len() + self.slots.len())
    }

    /// Where a value stands, or would stand.
    fn slot_of(&self, value: &str) -> usize {
        let mut slot = self.home(value);
        while let Some(code) = self.slots[slot].checked_sub(1)
            && self.get(code) != Some(value)
        {
            slot = (slot + 1) % self.slots.len();
        }
        slot
    }

    #[expect(clippy::cast_possible_truncation, reason = "only some bits of the hash are wanted")]
    fn home(&self, value: &str) -> usize {
        self.hasher.hash_one(value) as usize % self.slots.len()
    }

    fn grow(&mut self) {
        let mut slots = vec![0; self.slots.len() * 2];
        std::mem::swap(&mut slots, &mut self.slots);
        for stored in slots.into_iter().filter(|stored| *stored != 0) {
            let mut slot = self.get(stored - 1).map_or(0, |value| self.home(value));
            while self.slots[slot] != 0 {
                slot = (slot + 1) % self.slots.len();
            }
            self.slots[slot] = stored;
        }
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dictionary({} values)", self.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn codes_count_up_and_lead_back() {
        let mut dictionary = Dictionary::new();
        assert_eq!((dictionary.code_of("a"), dictionary.get(0), dictionary.is_empty()), (None, None, true));
        for round in 0..2 {
            for code in 0..10_000u32 {
                assert_eq!(dictionary.intern(&format!("value {code}")).unwrap(), code, "{round}");
            }
        }
        assert_eq!(dictionary.len(), 10_000);
        assert_eq!(dictionary.get(9_999), Some("value 9999"));
        assert_eq!(dictionary.get(10_000), None);
        assert_eq!(dictionary.code_of("value 77"), Some(77));
        assert_eq!(dictionary.code_of("value 10000"), None);
        assert!(dictionary.iter().enumerate().all(|(code, value)| value == format!("value {code}")));
        assert_eq!(format!("{dictionary:?}"), "Dictionary(10000 values)");
    }
}
