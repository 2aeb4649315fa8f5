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
pub struct ShownCharacters(Arc<dyn Fn(usize, usize) -> bool + Send + Sync>);

impl ShownCharacters {
    /// `shows(len, at)`: whether the character `at` shows of a value that has `len` of them.
    #[must_use]
    pub fn new(shows: impl Fn(usize, usize) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(shows))
    }

    /// Whether the character `at` shows of a value that has `len` of them.
    #[must_use]
    pub fn shows(&self, len: usize, at: usize) -> bool {
        (self.0)(len, at)
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
