//! The techniques that a policy may name.

use std::fmt;

use super::{About, Given, Method, Suggestion, Technique};
use crate::desensitise::{Problem, ReleaseModel};
use crate::grade::Finding;

/// The techniques that a policy may name: [those of this crate](Techniques::builtin) unless told otherwise.
#[derive(Clone)]
pub struct Techniques {
    all: Vec<Entry>,
}

/// What is known of a technique before it has parameters.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) about: About,
    pub(super) parse: fn(&mut Given) -> Result<Technique, Problem>,
    pub(super) suggest: fn(&Finding, ReleaseModel) -> Option<Suggestion>,
}

impl Techniques {
    pub(super) const fn none() -> Self {
        Self { all: Vec::new() }
    }

    /// These, and one more.
    pub(super) fn and<M: Method>(mut self) -> Self {
        self.all.push(Entry { about: M::about(), parse: |given| M::parse(given).map(Technique::new), suggest: M::suggest });
        self
    }

    /// These, and one that is not of this crate or is on trial.
    #[cfg(feature = "hazmat")]
    #[must_use]
    pub fn with<M: Method>(self) -> Self {
        self.and::<M>()
    }

    /// What is known of each, in the order of their list.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &About> {
        self.all.iter().map(|entry| &entry.about)
    }

    #[cfg(all(feature = "embedded", any(test, feature = "hazmat")))]
    pub(super) fn entries(&self) -> &[Entry] {
        &self.all
    }

    /// The technique of a section that names it.
    ///
    /// # Errors
    /// None of them has this name, or its parameters are not such.
    pub fn parse(&self, name: &str, given: &mut Given) -> Result<Technique, Problem> {
        match self.all.iter().find(|entry| entry.about.name == name) {
            Some(entry) => (entry.parse)(given),
            None => Err(Problem::word("technique", name, &self.iter().map(|about| about.name).collect::<Vec<_>>())),
        }
    }

    /// What they propose for a column, the most urgent first.
    #[must_use]
    pub fn suggest(&self, finding: &Finding, release: ReleaseModel) -> Vec<Suggestion> {
        let mut suggestions: Vec<_> = self.all.iter().filter_map(|entry| (entry.suggest)(finding, release)).collect();
        suggestions.sort_by_key(|suggestion| suggestion.rank);
        suggestions
    }
}

impl fmt::Debug for Techniques {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|about| about.name)).finish()
    }
}
