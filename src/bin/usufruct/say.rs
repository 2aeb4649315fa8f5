//! Lines on stderr, and what of a text a terminal must not get.

use std::fmt;
use std::io::{self, Write as _};

/// Prints a line on stderr; nothing helps when that fails.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped(&line.to_string()));
}

/// The text with everything escaped that would move the cursor or hide other text.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// Control characters, line and paragraph separators, and what changes the direction of text or has no width.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
