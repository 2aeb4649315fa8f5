//! What a manifest says of a technique: what can be done with its output, and how much it leaves open.

use std::fmt;

/// What can be done with the output of a technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// The output of a cell depends on its value alone, so that each distinct value need be treated only once.
    pub deterministic: bool,
    /// The value can be had back exactly: from the output alone, or by whoever has the key.
    pub reversible: bool,
    /// Rows, and files treated alike, can be joined by it: equal values have equal outputs, different ones different.
    pub linkable: bool,
}

/// How much a technique leaves open: the least number of input values that an output can come from, for one who knows
/// every public parameter and has no other data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Residual {
    /// At least so many; 1 is a value in clear.
    AtLeast(u128),
    /// As many as there are values, for one who has not the key, or because nothing of the value is left.
    Unbounded,
}

impl Residual {
    /// The value is in clear.
    pub const CLEAR: Self = Self::AtLeast(1);
}

impl fmt::Display for Residual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::AtLeast(count) = self else { return f.write_str("unbounded without the key") };
        let digits = count.to_string();
        for (at, digit) in digits.chars().enumerate() {
            let comma = at > 0 && (digits.len() - at).is_multiple_of(3);
            write!(f, "{}{digit}", if comma { "," } else { "" })?;
        }
        Ok(())
    }
}
