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
//! that spans never overlap; [`cover`] looks at it again, and joins what overlaps. Parts of longer tokens are not taken: GUIDs, decimals, versions, hardware addresses, dashed
//! codes. Numbers that only look like a telephone or a card are not taken behind words of orders and serial numbers; addresses
//! and passports are taken behind words that announce them, names also where surname, given name and the words around them
//! speak for one. A survey of columns counts announced names alone.
//!
//! # Not promised
//! That every name and address is found: one that nothing announces may be a word.

mod name;
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
    look(text, Reach::Sentences, |kind, start, end| spans.push(Span { kind, start, end }));
    spans
}

/// The parts of a text that must not be seen where none of what [`find`] looks for may: every place is looked at, also within what
/// is recognised, and parts that overlap are one, of the kind with the highest grade, of the longest among those. What is left is
/// looked at again without them, until nothing more is found.
#[must_use]
pub fn cover(text: &str) -> Vec<Span> {
    let mut left = text.to_owned();
    let mut parts = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let mut more = Vec::new();
        look(&left, Reach::Everywhere, |kind, start, end| more.push(Span { kind, start, end }));
        if more.is_empty() {
            return parts;
        }
        parts = joined(parts, more);
        left = without(text, &parts);
    }
    // Nobody writes so; then nothing is shown.
    let kind = parts.into_iter().map(|part| part.kind).max_by_key(Kind::grade).unwrap_or(Kind::Text);
    vec![Span { kind, start: 0, end: text.len() }]
}

/// A name beside a telephone beside a name: each may be told for one only when the other is gone. A bound on the work.
const ROUNDS_MAX: usize = 16;

/// All of these, those that overlap as one.
fn joined(mut all: Vec<Span>, more: Vec<Span>) -> Vec<Span> {
    let weight = |span: &Span| (span.kind.grade(), span.end - span.start);
    all.extend(more);
    all.sort_by_key(|span| (span.start, span.end));
    // The heaviest span of each part, and where the part begins and ends.
    let mut parts: Vec<(Span, usize, usize)> = Vec::with_capacity(all.len());
    for span in all {
        let (start, end) = (span.start, span.end);
        match parts.last_mut() {
            Some((heaviest, _, last)) if start < *last => {
                *last = end.max(*last);
                if weight(&span) > weight(heaviest) {
                    *heaviest = span;
                }
            }
            _ => parts.push((span, start, end)),
        }
    }
    parts.into_iter().map(|(Span { kind, .. }, start, end)| Span { kind, start, end }).collect()
}

/// The text with a sign that says nothing in every byte of these parts, so that all others stand where they stood.
fn without(text: &str, parts: &[Span]) -> String {
    let mut left = String::with_capacity(text.len());
    for part in parts {
        left.push_str(&text[left.len()..part.start]);
        left.extend(std::iter::repeat_n('|', part.end - part.start));
    }
    left.push_str(&text[left.len()..]);
    left
}

/// Shows every part that proves itself or is announced, with its kind, where it begins and where it ends.
pub(super) fn visit(text: &str, show: impl FnMut(Kind, usize, usize)) {
    look(text, Reach::Announced, show);
}

/// How far is looked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// For names only behind words that announce them.
    Announced,
    /// For names in sentences too.
    Sentences,
    /// And again within what is recognised.
    Everywhere,
}

fn look(text: &str, reach: Reach, mut show: impl FnMut(Kind, usize, usize)) {
    match narrow(text) {
        None => scan(text, reach, &mut show),
        Some(narrow) => scan(&narrow.text, reach, &mut |kind, start, end| show(kind, narrow.origin(start), narrow.origin(end))),
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

fn scan(text: &str, reach: Reach, show: &mut dyn FnMut(Kind, usize, usize)) {
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
                let mut named = || {
                    let (from, end) = name::latin(bytes, at, next)?;
                    start = from;
                    Some((Kind::Name, end))
                };
                mail.or_else(ip).or_else(|| match (digits, reach) {
                    (true, _) => number::at(bytes, at, next),
                    (false, Reach::Announced) => None,
                    (false, _) => named(),
                })
            }
            Start::Colon => network::ip_at(bytes, at),
            Start::Plus => number::international_at(bytes, at),
            Start::Bracket => number::bracketed_at(bytes, at),
            Start::Han => {
                next = at + 3;
                let named = || if reach == Reach::Announced { None } else { name::end(text, at).map(|end| (Kind::Name, at, end)) };
                word::at(text, at).or_else(named).map(|(kind, from, end)| {
                    start = from;
                    (kind, end)
                })
            }
        };
        match found {
            Some((kind, end)) => {
                show(kind, start, end);
                at = if reach == Reach::Everywhere { next } else { end };
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
