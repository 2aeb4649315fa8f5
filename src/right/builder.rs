//! Terms written in a program: what is wrong with a word is told once, at the end.

use super::terms::{RightKind, Terms, TermsError};
use crate::budget::Loss;
use crate::id::{ColumnName, IdError, Purpose, Time};
use crate::query::Operation;

/// Terms under way; made by [`Terms::process`] and [`Terms::operate`].
///
/// Whatever is not said grants nothing: operations, purposes, uses and the end must be said.
#[derive(Clone, Debug)]
#[must_use]
pub struct TermsBuilder {
    terms: Terms,
    not_after: Option<Time>,
    wrong: Option<TermsError>,
}

impl Terms {
    /// Begins terms that let the holder process and use (加工使用), for at most this loss in all.
    ///
    /// ```
    /// use usufruct::{Loss, Operation, Terms, Time};
    ///
    /// let terms = Terms::process(Loss::approx("1.0", "0")?)
    ///     .operations([Operation::Count, Operation::Mean])
    ///     .columns(["sex", "age"])
    ///     .purposes(["research:health"])
    ///     .uses(100)
    ///     .not_after(Time::parse("2030-01-01T00:00:00Z")?)
    ///     .build()?;
    /// assert_eq!(terms.columns.len(), 2);
    /// assert!(Terms::process(terms.budget).operations([Operation::Count]).build().is_err(), "no purpose, no use, no end");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn process(budget: Loss) -> TermsBuilder {
        TermsBuilder::new(RightKind::Process, budget)
    }

    /// Begins terms that let the holder pass use on (经营).
    pub const fn operate(budget: Loss) -> TermsBuilder {
        TermsBuilder::new(RightKind::Operate, budget)
    }
}

impl TermsBuilder {
    const fn new(kind: RightKind, budget: Loss) -> Self {
        Self { terms: Terms::nothing(kind, budget), not_after: None, wrong: None }
    }

    /// Which operations; adds to those said before.
    pub fn operations(mut self, operations: impl IntoIterator<Item = Operation>) -> Self {
        self.terms.operations.extend(operations);
        self
    }

    /// Over which columns, also in WHERE and GROUP BY; adds to those said before.
    pub fn columns<S: AsRef<str>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        for column in columns {
            if let Some(column) = self.noted("columns", ColumnName::new(column.as_ref())) {
                self.terms.columns.insert(column);
            }
        }
        self
    }

    /// For which purposes, and those under them; adds to those said before.
    pub fn purposes<S: AsRef<str>>(mut self, purposes: impl IntoIterator<Item = S>) -> Self {
        for purpose in purposes {
            if let Some(purpose) = self.noted("purposes", Purpose::new(purpose.as_ref())) {
                self.terms.purposes.insert(purpose);
            }
        }
        self
    }

    /// How many answers.
    pub const fn uses(mut self, uses: u64) -> Self {
        self.terms.uses = uses;
        self
    }

    /// From this second on there is no use.
    pub const fn not_after(mut self, time: Time) -> Self {
        self.not_after = Some(time);
        self
    }

    /// The first second of use.
    pub const fn not_before(mut self, time: Time) -> Self {
        self.terms.not_before = Some(time);
        self
    }

    /// The terms.
    ///
    /// # Errors
    /// The first word that was wrong; something that must be said was not; terms that make no sense together.
    pub fn build(mut self) -> Result<Terms, TermsError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        self.terms.not_after = self.not_after.ok_or(TermsError::Missing { field: "not_after" })?;
        self.terms.check_new()?;
        Ok(self.terms)
    }

    fn noted<T>(&mut self, field: &'static str, read: Result<T, IdError>) -> Option<T> {
        read.map_err(|problem| self.wrong.get_or_insert(TermsError::Id { field, problem })).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn whole() -> TermsBuilder {
        Terms::process(Loss::approx("1", "0").unwrap())
            .operations([Operation::Count])
            .purposes(["research"])
            .uses(1)
            .not_after(Time::from_unix_s(9))
    }

    #[test]
    fn whatever_is_not_said_or_wrong_is_told() {
        assert!(whole().build().is_ok());
        let none = Terms::process(Loss::approx("1", "0").unwrap());
        assert_eq!(none.clone().build(), Err(TermsError::Missing { field: "not_after" }));
        assert_eq!(none.not_after(Time::from_unix_s(9)).build(), Err(TermsError::Empty { field: "operations" }));
        assert_eq!(whole().uses(0).build(), Err(TermsError::Uses));
        let wrong = whole().columns(["age", "a\nb"]).purposes(["NOT ONE"]).build();
        assert!(matches!(wrong, Err(TermsError::Id { field: "columns", .. })), "the first: {wrong:?}");
        let at = Time::from_unix_s(9);
        assert_eq!(whole().not_before(at).build(), Err(TermsError::Times { not_before: at, not_after: at }), "empty");
        assert!(whole().not_before(Time::from_unix_s(8)).build().is_ok());
    }

    #[test]
    fn what_is_said_twice_adds_up() {
        let terms = whole().columns(["a"]).columns(["b", "a"]).operations([Operation::Sum]).build().unwrap();
        assert_eq!((terms.columns.len(), terms.operations.len(), terms.kind), (2, 2, RightKind::Process));
        assert_eq!(Terms::operate(terms.budget).terms.kind, RightKind::Operate);
    }
}
