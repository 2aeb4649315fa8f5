//! Classes of errors: what a caller should do, without knowing every variant.
//!
//! Every public error of the crate has a method `class`; what a run only lists, such as the cells that a technique could not treat,
//! has none. A backend maps it to a status, the command line to its exit code:
//!
//! | class | who acts | exit code | HTTP, say |
//! |---|---|---|---|
//! | [`BadInput`](Class::BadInput) | whoever gave the input, with other input | 2 | 400 |
//! | [`Refused`](Class::Refused) | whoever wants the right, the budget or the key; the same again is refused again | 3 | 403 |
//! | [`Environment`](Class::Environment) | whoever runs the machine; the same again may succeed then | 1 | 503 |
//! | [`Doubt`](Class::Doubt) | a person, before anything else is believed; never a retry | 1 | 500 |
//! | [`Interrupted`](Class::Interrupted) | nobody: the caller wanted it to end | 130 | 499 |
//!
//! ```
//! use usufruct::budget::Epsilon;
//! use usufruct::class::Class;
//!
//! let error = Epsilon::parse("-1").unwrap_err();
//! assert_eq!(error.class(), Class::BadInput);
//! assert_eq!(usufruct::error::Error::from(error).class(), Class::BadInput);
//! ```

use std::io;

/// What a caller should do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// What was given is not what can be taken: bytes, a file, a text, an amount, a path that leads nowhere. Give something
    /// else; the message says what was expected and what was found. Trying again as it is does not help.
    BadInput,
    /// A right, a budget, an owner or a signature says no. Well formed, and not allowed, now or ever: do not try again before
    /// rights, budgets or times have changed.
    Refused,
    /// The machine: a disk, a lock, randomness, a device that signs, a file that others are writing. Nothing is wrong with the
    /// input; put the machine right and try again, which for a signed request is free.
    Environment,
    /// What was read contradicts what was signed, committed to or seen before: damage, or somebody's doing. Stop, keep the
    /// evidence, and find out; trying again or repairing by hand destroys what could be proved.
    Doubt,
    /// The caller or the user ended it. Nothing is left half done; what was charged stays charged.
    Interrupted,
}

impl Class {
    /// Of an error of the system on a file that somebody named: a path that leads nowhere is bad input, a disk that fails is not.
    #[must_use]
    pub const fn of_io(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory | io::ErrorKind::InvalidData => {
                Self::BadInput
            }
            _ => Self::Environment,
        }
    }
}
