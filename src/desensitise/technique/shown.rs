//! What of a value an output shows, so that what several outputs of one value show can be put together.

use std::fmt;
use std::sync::Arc;

use crate::id::Decimal;

/// What an output shows of its value, to be put together with what other columns show of the same value (rule H2).
#[derive(Clone)]
pub enum Shown {
    /// Nothing, or nothing without the key, or nothing of whose value it is.
    Nothing,
    /// Characters of the canonical form.
    Characters(ShownCharacters),
    /// In which interval the number lies.
    Steps {
        /// How wide the intervals are.
        width: Decimal,
        /// Where one begins.
        origin: Decimal,
    },
    /// Everything, or what cannot be put together: counted as everything.
    Everything,
}

/// Which characters show of a value of so many.
#[derive(Clone)]
pub struct ShownCharacters {
    shows: Arc<dyn Fn(usize, usize) -> bool + Send + Sync>,
    length: bool,
}

impl ShownCharacters {
    /// `shows(len, at)`: whether the character `at` shows of a value that has `len` of them.
    #[must_use]
    pub fn new(shows: impl Fn(usize, usize) -> bool + Send + Sync + 'static) -> Self {
        Self { shows: Arc::new(shows), length: false }
    }

    /// The same, and whether it also shows how many characters the value has.
    #[must_use]
    pub fn with_length(self, length: bool) -> Self {
        Self { length, ..self }
    }

    /// Whether it shows how many characters the value has.
    #[must_use]
    pub const fn shows_length(&self) -> bool {
        self.length
    }

    /// Whether the character `at` shows of a value that has `len` of them.
    #[must_use]
    pub fn shows(&self, len: usize, at: usize) -> bool {
        (self.shows)(len, at)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Characters(_) => "Characters",
            Self::Steps { .. } => "Steps",
            Self::Everything => "Everything",
        })
    }
}

impl fmt::Debug for ShownCharacters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownCharacters")
    }
}
