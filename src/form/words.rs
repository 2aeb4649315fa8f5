//! Lists of words, found by their first characters: at most places of a text no word is compared.

/// Words of Han characters in several lists, of which most have a first character of their own.
///
/// ```text
/// first character --firsts--> word --next--> word with the same first character --next--> ...
/// ```
/// The first step of a trie, which a table takes; behind it a word or two are left.
pub(crate) struct WordIndex<const N: usize> {
    /// By the number of a Han character the first word of its chain, counted from 1.
    firsts: [u8; HAN],
    chain: [Link; N],
}

#[derive(Clone, Copy)]
struct Link {
    word: &'static [u8],
    list: usize,
    next: u8,
}

/// The block of Han characters of three bytes, U+4E00 to U+9FFF.
const HAN: usize = 0x9fff - 0x4e00 + 1;

impl<const N: usize> WordIndex<N> {
    /// The index of all `N` words of these lists, fewer than 256.
    pub(crate) const fn of(lists: &[&[&'static str]]) -> Self {
        assert!(N < 256);
        let mut index = Self { firsts: [0; HAN], chain: [Link { word: &[], list: 0, next: 0 }; N] };
        let mut count = 0;
        // Each word goes before those that are there: from the last list to the first, from the shortest word to the longest.
        let mut list = lists.len();
        while list > 0 {
            list -= 1;
            let mut len = 1;
            while len <= WORD_MAX {
                let mut at = 0;
                while at < lists[list].len() {
                    let word = lists[list][at].as_bytes();
                    if word.len() == len {
                        let first = number(word);
                        index.chain[count] = Link { word, list, next: index.firsts[first] };
                        count += 1;
                        #[expect(clippy::cast_possible_truncation, reason = "at most N, which is below 256")]
                        {
                            index.firsts[first] = count as u8;
                        }
                    }
                    at += 1;
                }
                len += 1;
            }
        }
        assert!(count == N, "all words are Han and short");
        index
    }

    /// The words with which a text begins, each with its list: those of earlier lists first, of one list the longest first.
    #[inline]
    pub(crate) fn at<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, &'static [u8])> + 'a {
        let mut next = match text {
            [0xe4..=0xe9, _, _, ..] => self.firsts.get(number(text)).copied().unwrap_or(0),
            _ => 0,
        };
        std::iter::from_fn(move || {
            loop {
                let link = &self.chain[usize::from(next.checked_sub(1)?)];
                next = link.next;
                // The first character is the same.
                if link.word.len() == 3 || text.starts_with(link.word) {
                    return Some((link.list, link.word));
                }
            }
        })
    }

    /// Whether any word begins with the character at which a text begins.
    #[inline]
    pub(crate) fn has_first(&self, text: &[u8]) -> bool {
        matches!(text, [0xe4..=0xe9, _, _, ..]) && self.firsts.get(number(text)).is_some_and(|first| *first != 0)
    }
}

/// Bytes of the longest word.
const WORD_MAX: usize = 24;

/// The number of a character of three bytes in the block of Han characters; beyond it for all others.
const fn number(bytes: &[u8]) -> usize {
    ((bytes[0] as usize & 0x0f) << 12 | (bytes[1] as usize & 0x3f) << 6 | bytes[2] as usize & 0x3f).wrapping_sub(0x4e00)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: [&[&str]; 3] = [&["地", "地区", "区"], &["市", "地区市", "一", "龥"], &["地区", "市场"]];
    static INDEX: WordIndex<9> = WordIndex::of(&LISTS);

    fn naive(text: &str) -> Vec<(usize, &'static [u8])> {
        let of_list = |list: usize| {
            let mut found: Vec<_> =
                LISTS[list].iter().filter(|word| text.starts_with(**word)).map(|word| (list, word.as_bytes())).collect();
            found.sort_by_key(|(_, word)| std::cmp::Reverse(word.len()));
            found
        };
        (0..LISTS.len()).flat_map(of_list).collect()
    }

    #[test]
    fn it_finds_what_a_look_at_every_word_finds() {
        for first in ["地", "区", "市", "一", "龥", "场", "a", "é", "㐀", "𠀀", "丁", ""] {
            for second in ["区", "场", "a", ""] {
                for third in ["市", ""] {
                    let text = [first, second, third].concat();
                    assert_eq!(INDEX.at(text.as_bytes()).collect::<Vec<_>>(), naive(&text), "{text}");
                    let begins = LISTS.iter().flat_map(|list| *list).any(|word| word.chars().next() == text.chars().next());
                    assert_eq!(INDEX.has_first(text.as_bytes()), begins, "{text}");
                }
            }
        }
    }
}
