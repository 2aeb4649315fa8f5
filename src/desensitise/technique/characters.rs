//! Texts in what a reader sees as characters: extended grapheme clusters (UAX 29), by the fastest way that finds them.

use unicode_segmentation::UnicodeSegmentation;

/// The characters of a text.
#[derive(Clone, Copy)]
pub(super) struct Characters<'a> {
    text: &'a str,
    way: Way,
}

/// How they are found: the simpler, the faster. All three agree where they apply.
#[derive(Clone, Copy)]
enum Way {
    /// Each byte is one character.
    Bytes,
    /// Each code point is one character: no text of these joins them.
    Points,
    /// Grapheme clusters.
    Clusters,
}

impl<'a> Characters<'a> {
    #[inline]
    pub(super) fn of(text: &'a str) -> Self {
        let way = if is_bytes(text) {
            Way::Bytes
        } else if text.chars().all(stands_alone) {
            Way::Points
        } else {
            Way::Clusters
        };
        Self { text, way }
    }

    /// How many there are.
    #[inline]
    pub(super) fn count(self) -> usize {
        match self.way {
            Way::Bytes => self.text.len(),
            Way::Points => self.text.chars().count(),
            Way::Clusters => self.text.graphemes(true).count(),
        }
    }

    /// Where the one with this number begins, counted from 0; the end when there are fewer.
    #[inline]
    pub(super) fn start(self, number: usize) -> usize {
        let at = match self.way {
            Way::Bytes => Some(number).filter(|&number| number < self.text.len()),
            Way::Points => self.text.char_indices().nth(number).map(|(at, _)| at),
            Way::Clusters => self.text.grapheme_indices(true).nth(number).map(|(at, _)| at),
        };
        at.unwrap_or(self.text.len())
    }

    /// Where the last so many begin.
    #[inline]
    pub(super) fn start_of_last(self, count: usize) -> usize {
        let Some(skipped) = count.checked_sub(1) else { return self.text.len() };
        let at = match self.way {
            Way::Bytes => self.text.len().checked_sub(count),
            Way::Points => self.text.char_indices().nth_back(skipped).map(|(at, _)| at),
            Way::Clusters => self.text.grapheme_indices(true).nth_back(skipped).map(|(at, _)| at),
        };
        at.unwrap_or(0)
    }
}

/// Whether each byte is one character: ASCII without CR, as CR LF is one cluster.
#[inline]
pub(super) fn is_bytes(text: &str) -> bool {
    // Without a way out of the loop, many bytes are looked at in one step.
    text.bytes().fold(0, |other, byte| other | (byte & 0x80) | u8::from(byte == b'\r')) == 0
}

/// Printable ASCII, Han characters, kana, and their punctuation: every one is a cluster of its own beside any other.
#[inline]
fn stands_alone(char: char) -> bool {
    matches!(char, ' '..='~' | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{ff01}'..='\u{ff60}' | '\u{20000}'..='\u{2ffff}' | '·')
}

/// For tests: clusters that join with neighbours, stand alone, or go from right to left.
#[cfg(test)]
pub(super) const PIECES: [&str; 16] =
    ["a", "Z", "9", " ", "-", "王", "㐀", "が", "か\u{3099}", "e\u{301}", "👩‍👩‍👧", "🇨🇳", "👍🏽", "ש", "ر", "\r\n"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_fast_ways_find_the_clusters_that_the_slow_one_finds(pieces in proptest::collection::vec(0..PIECES.len(), 0..8), number in 0usize..10) {
            let text: String = pieces.iter().map(|&at| PIECES[at]).collect();
            let starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
            prop_assert_eq!(Characters::of(&text).count(), starts.len());
            prop_assert_eq!(Characters::of(&text).start(number), starts.get(number).copied().unwrap_or(text.len()));
            let last = starts.len().checked_sub(number).map_or(0, |at| starts.get(at).copied().unwrap_or(text.len()));
            prop_assert_eq!(Characters::of(&text).start_of_last(number), last);
        }
    }

    #[test]
    fn characters_said_to_stand_alone_do_beside_every_other() {
        for point in (0..0x30000).filter_map(char::from_u32).filter(|&char| stands_alone(char)) {
            let text: String = ['か', point, point, 'a'].iter().collect();
            assert_eq!(text.graphemes(true).count(), 4, "{point:?}");
        }
    }
}
