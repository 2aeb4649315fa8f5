//! Kinds inside free text: next to Han characters, in full-width digits, with blanks and dashes between digits.
//!
//! ```
//! use usufruct::grade::{Kind, free_text};
//!
//! let text = "张先生电话13812345678，卡号６２２２０２０２００１１２２３０";
//! let found = free_text::find(text);
//! assert_eq!(found.iter().map(|span| &span.kind).collect::<Vec<_>>(), [&Kind::Mobile, &Kind::BankCard]);
//! assert_eq!(&text[found[0].start..found[0].end], "13812345678");
//! ```
//!
//! One pass from left to right: every place is looked at by the first byte, what is recognised is not looked at again, so
//! that spans never overlap. Parts of longer tokens are not taken: GUIDs, decimals, versions, hardware addresses, dashed
//! codes. Numbers that only look like a telephone or a card are not taken behind words of orders and serial numbers; names,
//! addresses and passports are taken behind words that announce them.
//!
//! # Not promised
//! Names and addresses that nothing announces.

mod network;
mod number;
mod word;

use super::Kind;
use crate::form::narrow;

/// A part of a text that is of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The kind.
    pub kind: Kind,
    /// The byte at which it begins.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}

/// The parts of a text that are of a kind, from left to right, none overlapping another.
#[must_use]
pub fn find(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    visit(text, |kind, start, end| spans.push(Span { kind, start, end }));
    spans
}

/// Shows every part with its kind, where it begins and where it ends.
pub(super) fn visit(text: &str, mut show: impl FnMut(Kind, usize, usize)) {
    match narrow(text) {
        None => scan(text, &mut show),
        Some(narrow) => scan(&narrow.text, &mut |kind, start, end| show(kind, narrow.origin(start), narrow.origin(end))),
    }
}

/// What may begin at a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Nothing,
    Word,
    Colon,
    Plus,
    Bracket,
    Han,
}

const STARTS: [Start; 256] = {
    let mut starts = [Start::Nothing; 256];
    let mut byte = 0_u8;
    loop {
        starts[byte as usize] = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => Start::Word,
            b':' => Start::Colon,
            b'+' => Start::Plus,
            b'(' => Start::Bracket,
            0xe4..=0xe9 => Start::Han,
            _ => Start::Nothing,
        };
        if byte == 255 {
            break starts;
        }
        byte += 1;
    }
};

/// A kind and where it ends.
type Found = Option<(Kind, usize)>;

fn scan(text: &str, show: &mut dyn FnMut(Kind, usize, usize)) {
    let bytes = text.as_bytes();
    // Up to here no e-mail address begins: long runs of its characters are read once.
    let mut no_mail_before = if bytes.contains(&b'@') { 0 } else { bytes.len() };
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (mut start, mut next) = (at, at + 1);
        let found = match STARTS[byte as usize] {
            Start::Nothing => None,
            Start::Word => {
                let digits;
                (next, digits) = word_at(bytes, at);
                let mail = if at >= no_mail_before { network::email_at(bytes, at, &mut no_mail_before) } else { None };
                // Words of letters alone can only begin an address of version 6.
                let ip = || if digits || bytes.get(next) == Some(&b':') { network::ip_at(bytes, at) } else { None };
                mail.or_else(ip).or_else(|| if digits { number::at(bytes, at, next) } else { None })
            }
            Start::Colon => network::ip_at(bytes, at),
            Start::Plus => number::international_at(bytes, at),
            Start::Bracket => number::bracketed_at(bytes, at),
            Start::Han => {
                next = at + 3;
                word::at(text, at).map(|(kind, from, end)| {
                    start = from;
                    (kind, end)
                })
            }
        };
        match found {
            Some((kind, end)) => {
                show(kind, start, end);
                at = end;
            }
            None => at = next,
        }
    }
}

/// Behind the letters and digits from here on, and whether there are digits.
fn word_at(bytes: &[u8], at: usize) -> (usize, bool) {
    let mut digits = false;
    let mut end = at;
    while let Some(byte) = bytes.get(end).filter(|byte| byte.is_ascii_alphanumeric()) {
        digits |= byte.is_ascii_digit();
        end += 1;
    }
    (end, digits)
}

/// Behind the letters and digits from here on.
fn word_end(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count()
}

/// Whether the text before `at` ends with one of these words, blanks and punctuation that announces left out.
fn is_announced(bytes: &[u8], at: usize, words: &[&str]) -> bool {
    let mut end = at;
    while end > 0 && matches!(bytes[end - 1], b' ' | b':' | b'=' | b'#' | b'"' | b'(' | b'.' | b'-') {
        end -= 1;
    }
    let before = &bytes[end.saturating_sub(24)..end];
    // Words that say nothing may stand between: 为, 是, no.
    let before = ["为", "是", " no", " number", "："].iter().find_map(|filler| before.strip_suffix(filler.as_bytes())).unwrap_or(before);
    words.iter().any(|word| before.len() >= word.len() && before[before.len() - word.len()..].eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests;
