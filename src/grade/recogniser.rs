//! What the profiler looks for.

#[cfg(feature = "embedded")]
mod file;

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use super::{Grade, Kind, Role};
use crate::id::Name;

#[cfg(feature = "embedded")]
pub use file::{HEADERS_MAX, PATTERN_BYTES_MAX, RECOGNISERS_MAX, RecogniserError};

/// What the profiler looks for: the built-in kinds, and those that the user adds.
///
/// Holds the key of the hashes by which distinct cells are counted: profilers that are merged share one value.
#[derive(Clone)]
pub struct Recognisers {
    key: [u64; 2],
    customs: Vec<Custom>,
}

/// A kind of the user's.
#[derive(Clone)]
pub(super) struct Custom {
    name: Name,
    grade: Grade,
    direct: bool,
    /// Header words, bare.
    headers: Vec<String>,
    #[cfg(feature = "embedded")]
    pattern: file::Pattern,
}

impl Recognisers {
    /// The built-in kinds.
    #[must_use]
    pub fn builtin() -> Self {
        // The system's randomness, by way of the keys of hash maps: chosen cells must not meet in one bucket.
        let state = RandomState::new();
        Self { key: [state.hash_one(0_u8) | 1, state.hash_one(1_u8) | 1], customs: Vec::new() }
    }

    /// A kind by its word: a built-in one, or one of the user's.
    #[must_use]
    pub fn kind(&self, word: &str) -> Option<Kind> {
        Kind::parse(word).or_else(|| self.customs.iter().find(|custom| custom.name.as_str() == word).map(Custom::kind))
    }

    /// The grade of a column of this kind of which nothing else is known: of the user's kinds the declared one.
    #[must_use]
    pub fn grade(&self, kind: &Kind) -> Grade {
        self.custom(kind).map_or_else(|| kind.grade(), |custom| custom.grade)
    }

    /// The role of a column of this kind of which nothing else is known: of the user's kinds the declared one.
    #[must_use]
    pub fn role(&self, kind: &Kind) -> Role {
        self.custom(kind).map_or_else(|| kind.role(), |custom| if custom.direct { Role::Direct } else { Role::Other })
    }

    /// The kind of the user's that leads to one person and that the whole text is of.
    #[cfg(feature = "embedded")]
    pub(super) fn direct(&self, text: &str) -> Option<Name> {
        let direct = self.customs.iter().filter(|custom| custom.direct && !custom.has_header(text));
        direct.into_iter().find(|custom| custom.finds(text) == Some(true)).map(|custom| custom.name.clone())
    }

    fn custom(&self, kind: &Kind) -> Option<&Custom> {
        self.customs.iter().find(|custom| matches!(kind, Kind::Custom(name) if *name == custom.name))
    }

    pub(super) fn key(&self) -> [u64; 2] {
        self.key
    }

    pub(super) fn customs(&self) -> &[Custom] {
        &self.customs
    }
}

impl Custom {
    pub(super) fn kind(&self) -> Kind {
        Kind::Custom(self.name.clone())
    }

    pub(super) fn has_header(&self, header: &str) -> bool {
        let header = bare(header);
        self.headers.contains(&header)
    }

    /// Whether the whole cell is of the kind, or a part of it; none when neither.
    #[cfg(feature = "embedded")]
    pub(super) fn finds(&self, cell: &str) -> Option<bool> {
        self.pattern.finds(cell)
    }

    /// Without TOML there are no kinds of the user's.
    #[cfg(not(feature = "embedded"))]
    pub(super) fn finds(&self, _: &str) -> Option<bool> {
        None
    }
}

/// Letters and digits in lower case: `Staff No.` and `staff_no` are one header.
fn bare(header: &str) -> String {
    header.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl fmt::Debug for Recognisers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&Name> = self.customs.iter().map(|custom| &custom.name).collect();
        f.debug_struct("Recognisers").field("customs", &names).finish_non_exhaustive()
    }
}
