//! Why a request is refused: the whole verdict for the owner, the little that the holder learns.

use crate::budget::{Balance, Loss, Model};
use crate::class::Class;
use crate::envelope::EnvelopeError;
use crate::id::{ColumnName, Purpose, Time};
use crate::ledger::ClockError;
use crate::query::Operation;
use crate::right::{RightError, RightKind};

/// The two accounts that a request would charge, as they stand: for the owner's own tools, never for a holder, who would
/// learn what others have spent (rule C5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accounts {
    /// The price of the request, which both would pay.
    pub requested: Loss,
    /// The lineage of the dataset.
    pub dataset: Balance,
    /// The right.
    pub right: Balance,
    /// How many answers the right gives in all.
    pub uses: u64,
    /// How many of them are left.
    pub uses_left: u64,
}

/// Why a request is refused, for the owner's own tools.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Verdict {
    /// Not a request of ours, or a signature that does not verify.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The right it carries does not verify.
    #[error(transparent)]
    Right(#[from] RightError),
    /// For another ledger.
    #[error("the request or its right is for another ledger")]
    Audience,
    /// For another dataset or schema.
    #[error("the request is for another dataset, another schema or another name than its right")]
    Dataset,
    /// The dataset is not known here.
    #[error("there is no such dataset in this space")]
    UnknownDataset,
    /// Too late.
    #[error("expired at {not_after}, it is {now}")]
    Expired {
        /// The first second that is too late, skew of clocks left out.
        not_after: Time,
        /// Gate time.
        now: Time,
    },
    /// Too early.
    #[error("not before {not_before}, it is {now}")]
    NotYet {
        /// The first second.
        not_before: Time,
        /// Gate time.
        now: Time,
    },
    /// Times that no honest request has.
    #[error("issued at {issued_at}, expires at {expires_at}: more than 7 days, reversed, or from the future (it is {now})")]
    Times {
        /// As claimed.
        issued_at: Time,
        /// As claimed.
        expires_at: Time,
        /// Gate time.
        now: Time,
    },
    /// A kind of right that asks nothing.
    #[error("a right to {} asks nothing until rights can be passed on; only one to process does", kind.name())]
    Kind {
        /// The kind of the right.
        kind: RightKind,
    },
    /// Not for this purpose.
    #[error("the right is not for the purpose {purpose}")]
    Purpose {
        /// The purpose asked for.
        purpose: Purpose,
    },
    /// Not this operation.
    #[error("the right does not allow the operation {}", operation.name())]
    Operation {
        /// The operation asked for.
        operation: Operation,
    },
    /// Not this column.
    #[error("the right does not allow the column {column}")]
    Column {
        /// The column asked for.
        column: ColumnName,
    },
    /// The query does not fit the schema of the dataset.
    #[error("{0}")]
    Query(String),
    /// No price, or one that the mechanisms cannot take.
    #[error("the price must be more than nothing, in the model of the dataset")]
    Price,
    /// A price in another unit than the right's and its dataset's (rule B8).
    #[error("the right counts its budget in {}, the price is in {}", expected.unit(), found.unit())]
    Model {
        /// The model of the right.
        expected: Model,
        /// The model of the price.
        found: Model,
    },
    /// The right's budget.
    #[error("the budget of the right: needed {}, left {}", accounts.requested, accounts.right.left())]
    RightBudget {
        /// Both accounts.
        accounts: Box<Accounts>,
    },
    /// The right's uses.
    #[error("all {} uses of the right are made", accounts.uses)]
    Uses {
        /// Both accounts.
        accounts: Box<Accounts>,
    },
    /// The lineage's budget.
    #[error("the budget of the dataset: needed {}, left {}", accounts.requested, accounts.dataset.left())]
    DatasetBudget {
        /// Both accounts.
        accounts: Box<Accounts>,
    },
    /// The nonce was used for another request.
    #[error("the nonce was used for another request")]
    Nonce,
    /// The request's charge was given back.
    #[error("the request was given up and its charge refunded; sign a new one")]
    Refunded,
    /// The holder has seen more of the ledger than this gate has, or something else.
    #[error(
        "the holder has seen a checkpoint of size {seen} that this ledger (size {size}) does not contain: it was rolled back or forked"
    )]
    InDoubt {
        /// Size the holder has seen.
        seen: u64,
        /// Size here.
        size: u64,
    },
    /// The clock cannot be trusted now.
    #[error(transparent)]
    Clock(ClockError),
    /// The gate's certificate does not cover now: a receipt would not verify.
    #[error("the gate's certificate does not cover {now}; the owner must certify the gate anew")]
    Certificate {
        /// Gate time.
        now: Time,
    },
    /// Too much at once.
    #[error("too many requests are waiting")]
    Busy,
}

impl Verdict {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Envelope(EnvelopeError::Malformed { .. }) | Self::Right(RightError::Malformed(_)) => Class::BadInput,
            Self::Busy => Class::Environment,
            _ => Class::Refused,
        }
    }
}

/// What the holder may learn (rule C5): enough to act on, nothing about others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[cfg_attr(feature = "embedded", serde(rename_all = "snake_case", tag = "code"))]
#[non_exhaustive]
pub enum Refusal {
    /// For everyone whose signature did not verify: nothing more.
    #[error("refused")]
    Refused,
    /// The right or the schema does not allow it.
    #[error("not allowed")]
    #[cfg_attr(feature = "embedded", serde(rename = "not allowed"))]
    NotAllowed,
    /// A budget is exhausted; not said whose.
    #[error("budget: the price is {price}, your right has {remaining} and {uses} uses left")]
    Budget {
        /// The price of the request.
        price: Loss,
        /// What the holder's own right has left.
        remaining: Loss,
        /// How many uses it has left.
        uses: u64,
    },
    /// Right or request is out of its time.
    #[error("expired")]
    Expired,
    /// Later.
    #[error("busy")]
    Busy,
    /// Holder and gate do not agree about the past.
    #[error("in doubt")]
    #[cfg_attr(feature = "embedded", serde(rename = "in doubt"))]
    InDoubt,
}

impl Refusal {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Busy => Class::Environment,
            _ => Class::Refused,
        }
    }
}

impl Refusal {
    /// The code that goes back to the holder.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NotAllowed => "not allowed",
            Self::Budget { .. } => "budget",
            Self::Expired => "expired",
            Self::Busy => "busy",
            Self::InDoubt => "in doubt",
        }
    }
}

impl Verdict {
    /// Both accounts, when it is a budget or the uses that refuse.
    #[must_use]
    pub fn accounts(&self) -> Option<&Accounts> {
        match self {
            Self::RightBudget { accounts } | Self::Uses { accounts } | Self::DatasetBudget { accounts } => Some(accounts),
            _ => None,
        }
    }

    /// What the holder may learn. `own` is the price and what the holder's right has left, known only once the
    /// signature verified.
    #[must_use]
    pub fn refusal(&self, own: Option<(Loss, Loss, u64)>) -> Refusal {
        match (self, own) {
            // It says nothing about anyone, and is said before anything is verified.
            (Self::Busy, _) => Refusal::Busy,
            (Self::Envelope(_) | Self::Right(_), _) | (_, None) => Refusal::Refused,
            (Self::RightBudget { .. } | Self::Uses { .. } | Self::DatasetBudget { .. }, Some((price, remaining, uses))) => {
                Refusal::Budget { price, remaining, uses }
            }
            (Self::Expired { .. }, _) => Refusal::Expired,
            (Self::InDoubt { .. } | Self::Clock(_) | Self::Certificate { .. }, _) => Refusal::InDoubt,
            _ => Refusal::NotAllowed,
        }
    }
}
