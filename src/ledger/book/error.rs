//! Why an entry cannot follow those before it.

use crate::budget::BudgetError;
use crate::class::Class;
use crate::id::{AccountId, RequestId, Time};

/// Why an entry cannot follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BookError {
    /// Out of its place: genesis first, certificate second, no second genesis or upgrade.
    #[error("entry {index}: {found} is out of its place")]
    Place {
        /// The index.
        index: u64,
        /// The kind of entry.
        found: &'static str,
    },
    /// Of the old form behind the upgrade, or of the new one before it.
    #[error("entry {index}: {found} is not of the form that the ledger has here")]
    Form {
        /// The index.
        index: u64,
        /// The kind of entry.
        found: &'static str,
    },
    /// Time went backwards, or is no multiple of the quantum.
    #[error("entry {index}: its time is before that of the entry before, or not a multiple of the quantum")]
    Time {
        /// The index.
        index: u64,
    },
    /// An owner's act that is not of this owner or not about this ledger.
    #[error("entry {index}: the {found} is not signed by the owner for this ledger")]
    Owner {
        /// The index.
        index: u64,
        /// The kind of entry.
        found: &'static str,
    },
    /// A number out of its turn.
    #[error("entry {index}: {kind} {found} is out of its turn, which is that of number {expected}")]
    Number {
        /// The index.
        index: u64,
        /// The kind of entry.
        kind: &'static str,
        /// The number whose turn it is.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// A name or a right that is in the ledger already.
    #[error("entry {index}: what {found} names is account {account} already")]
    Once {
        /// The index.
        index: u64,
        /// The kind of entry.
        found: &'static str,
        /// The account that the tag opened.
        account: AccountId,
    },
    /// No such account, or one that exists already, or of the other kind.
    #[error("entry {index}: account {account} does not fit")]
    Account {
        /// The index.
        index: u64,
        /// The account.
        account: AccountId,
    },
    /// Previous or new balance are not what the accounts say.
    #[error("entry {index}: the arithmetic of account {account} is wrong")]
    Arithmetic {
        /// The index.
        index: u64,
        /// The account.
        account: AccountId,
    },
    /// The charge does not fit in an account.
    #[error("entry {index}: account {account}: {problem}")]
    Budget {
        /// The index.
        index: u64,
        /// The account.
        account: AccountId,
        /// What does not fit.
        problem: BudgetError,
    },
    /// All uses are made.
    #[error("entry {index}: account {account} has no use left")]
    Uses {
        /// The index.
        index: u64,
        /// The account.
        account: AccountId,
    },
    /// The request is not in the state that the entry needs.
    #[error("entry {index}: request {request} is not in the state for {found}")]
    State {
        /// The index.
        index: u64,
        /// The request.
        request: RequestId,
        /// The kind of entry.
        found: &'static str,
    },
    /// The nonce was used for another request.
    #[error("entry {index}: the nonce of request {request} was used before")]
    Nonce {
        /// The index.
        index: u64,
        /// The request.
        request: RequestId,
    },
    /// A reservation may not be given back while its request may still come again.
    #[error("entry {index}: request {request} may be answered until {until}")]
    Due {
        /// The index.
        index: u64,
        /// The request.
        request: RequestId,
        /// The last second at which it is kept.
        until: Time,
    },
    /// Gate time has left the time in which the caller wanted the charge.
    #[error("entry {index}: gate time {time} is not from {from} to {until}")]
    Window {
        /// The index.
        index: u64,
        /// Gate time.
        time: Time,
        /// The first second.
        from: Time,
        /// The last.
        until: Time,
    },
    /// A proposal without acts, or with more than one batch holds.
    #[error("entry {index}: a proposal of {found} bytes, a batch holds 1 to {limit}")]
    Length {
        /// The index.
        index: u64,
        /// Bytes of its entries.
        found: usize,
        /// The most that fit.
        limit: usize,
    },
}

impl BookError {
    /// What a caller should do about a proposal that was refused so. In a ledger that is read, any of them is doubt.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Place { .. }
            | Self::Form { .. }
            | Self::Time { .. }
            | Self::Account { .. }
            | Self::Arithmetic { .. }
            | Self::Length { .. } => Class::BadInput,
            Self::Owner { .. }
            | Self::Number { .. }
            | Self::Once { .. }
            | Self::Budget { .. }
            | Self::Uses { .. }
            | Self::State { .. }
            | Self::Nonce { .. }
            | Self::Due { .. }
            | Self::Window { .. } => Class::Refused,
        }
    }
}
