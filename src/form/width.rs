//! Full-width characters as ASCII, with the way back to where they stood.

/// A text whose full-width characters (U+FF01 to U+FF5E, the ideographic blank) became ASCII.
pub(crate) struct Narrow {
    pub(crate) text: String,
    /// Full-width characters by the place of their ASCII form; each is two bytes longer.
    wide: Vec<usize>,
}

impl Narrow {
    /// Where a byte of the narrow text stands in the original.
    pub(crate) fn origin(&self, at: usize) -> usize {
        at + 2 * self.wide.partition_point(|&wide| wide < at)
    }
}

/// The narrow form, if there is a full-width digit or `＠`: without them nothing is recognised that needs it. Full-width
/// commas and colons alone are in most Chinese texts.
pub(crate) fn narrow(text: &str) -> Option<Narrow> {
    let wide = |at: usize, rest: &[u8]| matches!(rest.get(at..at + 3), Some([0xef, 0xbc, 0x90..=0x99 | 0xa0]));
    let bytes = text.as_bytes();
    if !bytes.iter().enumerate().any(|(at, &byte)| byte == 0xef && wide(at, bytes)) {
        return None;
    }
    let mut narrow = Narrow { text: String::with_capacity(text.len()), wide: Vec::new() };
    for character in text.chars() {
        match ascii(character) {
            Some(ascii) => {
                narrow.wide.push(narrow.text.len());
                narrow.text.push(ascii);
            }
            None => narrow.text.push(character),
        }
    }
    Some(narrow)
}

/// Writes the narrow form of a text of full-width and ASCII characters into a buffer; none when it has others or is longer.
pub(crate) fn narrow_into<'a>(text: &str, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut length = 0;
    for character in text.chars() {
        let byte = u8::try_from(ascii(character).unwrap_or(character)).ok().filter(u8::is_ascii)?;
        *buffer.get_mut(length)? = byte;
        length += 1;
    }
    buffer.get(..length)
}

fn ascii(character: char) -> Option<char> {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0),
        '\u{3000}' => Some(' '),
        _ => None,
    }
}
