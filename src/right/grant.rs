//! Signing rights and requests, offline.

use super::{Block, EXPIRY_DEFAULT_S, Request, Right, RightError, RightKind, Seen, Terms, TermsError, Verified};
use crate::budget::{Loss, Model};
use crate::class::Class;
use crate::dataset::Card;
use crate::envelope::{EnvelopeError, Signed};
use crate::id::{ColumnName, Nonce, Purpose, Time};
use crate::key::{PublicKey, Signer};
use crate::query::Query;
use crate::random::Random;
use crate::right::EXPIRY_MAX_S;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The terms are not terms.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// The dataset has no such column.
    #[error("the dataset {dataset} has no column {column}")]
    Column {
        /// The dataset's name.
        dataset: String,
        /// The column.
        column: ColumnName,
    },
    /// The budget is counted in another unit (rule B8).
    #[error("the dataset counts its budget in {}, this amount is in {}", expected.unit(), found.unit())]
    Model {
        /// The dataset's model.
        expected: Model,
        /// The model of the terms or of the price.
        found: Model,
    },
    /// The key is not the owner's who signed the card.
    #[error("the dataset card is not signed by this key")]
    NotTheOwner,
    /// The key is not the holder's of the right.
    #[error("the right is for another key: it names {expected}, this is {found}")]
    NotTheHolder {
        /// The holder's key id.
        expected: crate::key::KeyId,
        /// The signer's key id.
        found: crate::key::KeyId,
    },
    /// A right that asks nothing.
    #[error("a right to {} asks nothing until rights can be passed on (sub-licensing): ask under a right to process", kind.name())]
    Kind {
        /// The kind of the right.
        kind: RightKind,
    },
    /// The query is for another dataset.
    #[error("FROM {found}: the right is for the dataset {expected}")]
    From {
        /// The dataset of the right.
        expected: String,
        /// The name in the query.
        found: String,
    },
    /// A request without a price, or with one that the right can never pay.
    #[error("the price must be more than nothing and at most the budget of the right, {most}")]
    Price {
        /// The budget of the right.
        most: Loss,
    },
    /// A request that would be good for too long.
    #[error("a request is good for at most 7 days")]
    Expiry,
    /// The right has several purposes and none was chosen.
    #[error("the right has {purposes} purposes: say which one the request is for")]
    Purpose {
        /// How many.
        purposes: usize,
    },
    /// The right is not one that a request can be made under.
    #[error(transparent)]
    Right(#[from] RightError),
    /// Signing failed.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

impl SignError {
    /// What a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Envelope(error) => error.class(),
            _ => Class::BadInput,
        }
    }
}

impl Right {
    /// Signs block 0: the owner gives `holder` the use of the dataset of `card` under `terms`.
    ///
    /// # Errors
    /// The terms do not fit the dataset, or the signer is not the owner who signed the card.
    pub fn grant(
        card: &Signed<Card>,
        holder: &PublicKey,
        terms: Terms,
        now: Time,
        random: &mut dyn Random,
        owner: &dyn Signer,
    ) -> Result<Verified, SignError> {
        if card.signer() != owner.public().id() {
            return Err(SignError::NotTheOwner);
        }
        terms.check_new()?;
        let Card { dataset, ledger, description, .. } = card.value();
        let schema = description.schema();
        if let Some(column) = terms.columns.iter().find(|column| schema.column(column).is_none()) {
            return Err(SignError::Column { dataset: description.name().to_string(), column: column.clone() });
        }
        let (expected, found) = (description.budget().model(), terms.budget.model());
        if expected != found {
            return Err(SignError::Model { expected, found });
        }
        let block = Block {
            ledger: *ledger,
            dataset: *dataset,
            name: description.name().clone(),
            schema: schema.hash(),
            holder: holder.clone(),
            terms,
            issued_at: now,
            nonce: fresh_nonce(random),
        };
        Ok(Self::of(&Signed::sign(block, owner)?))
    }
}

/// How a request differs from another under the same right.
///
/// ```
/// use usufruct::{Ask, Loss, Query};
/// use usufruct::{id::Name, query::Item};
///
/// let query = Query::new(Name::new("people")?, vec![Item::count_rows()], vec![], None)?;
/// let ask = Ask::new(query, Loss::approx("0.2", "0")?).expiry_s(60);
/// assert_eq!(ask.purpose, None); // that of the right, when it has one
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ask {
    /// The question.
    pub query: Query,
    /// What it may cost.
    pub price: Loss,
    /// What it is for; may be left out when the right has one purpose.
    pub purpose: Option<Purpose>,
    /// How long it is good for.
    pub expiry_s: u64,
    /// The last checkpoint the holder has seen.
    pub seen: Option<Seen>,
}

impl Ask {
    /// A question and what it may cost; good for [`EXPIRY_DEFAULT_S`].
    #[must_use]
    pub const fn new(query: Query, price: Loss) -> Self {
        Self { query, price, purpose: None, expiry_s: EXPIRY_DEFAULT_S, seen: None }
    }

    /// What it is for, where the right has more than one purpose.
    #[must_use]
    pub fn purpose(self, purpose: impl Into<Option<Purpose>>) -> Self {
        Self { purpose: purpose.into(), ..self }
    }

    /// How long it is good for.
    #[must_use]
    pub fn expiry_s(self, expiry_s: u64) -> Self {
        Self { expiry_s, ..self }
    }

    /// The last checkpoint that the holder has seen, or none: the answer must come from a ledger that contains it.
    #[must_use]
    pub fn seen(self, seen: impl Into<Option<Seen>>) -> Self {
        Self { seen: seen.into(), ..self }
    }
}

impl Request {
    /// Signs a request under a right.
    ///
    /// # Errors
    /// It could never be answered, or the signer is not the right's holder.
    pub fn sign(right: &Verified, ask: Ask, now: Time, random: &mut dyn Random, holder: &dyn Signer) -> Result<Signed<Self>, SignError> {
        Self::sign_under(right.root(), right.bytes(), ask, now, random, holder)
    }

    /// As [`Request::sign`], under a right that the holder takes at its word: only the gate needs to have verified it.
    ///
    /// # Errors
    /// As [`Request::sign`]; a right of several blocks.
    pub fn sign_claimed(
        right: &Right,
        ask: Ask,
        now: Time,
        random: &mut dyn Random,
        holder: &dyn Signer,
    ) -> Result<Signed<Self>, SignError> {
        match right.blocks() {
            1 => Self::sign_under(&right.claimed()?, right.bytes(), ask, now, random, holder),
            blocks => Err(RightError::Delegated { blocks }.into()),
        }
    }

    fn sign_under(
        root: &Block,
        right: &[u8],
        ask: Ask,
        now: Time,
        random: &mut dyn Random,
        holder: &dyn Signer,
    ) -> Result<Signed<Self>, SignError> {
        let terms = &root.terms;
        let (expected, found) = (root.holder.id(), holder.public().id());
        if expected != found {
            return Err(SignError::NotTheHolder { expected, found });
        }
        if terms.kind != RightKind::Process {
            return Err(SignError::Kind { kind: terms.kind });
        }
        if ask.query.from() != &root.name {
            return Err(SignError::From { expected: root.name.to_string(), found: ask.query.from().to_string() });
        }
        let (expected, found) = (terms.budget.model(), ask.price.model());
        if expected != found {
            return Err(SignError::Model { expected, found });
        }
        if ask.price.is_zero() || !ask.price.fits_in(&terms.budget) {
            return Err(SignError::Price { most: terms.budget });
        }
        if ask.expiry_s > EXPIRY_MAX_S {
            return Err(SignError::Expiry);
        }
        let mut purposes = terms.purposes.iter();
        let purpose = match (ask.purpose, purposes.next(), purposes.next()) {
            (Some(purpose), _, _) => purpose,
            (None, Some(only), None) => only.clone(),
            _ => return Err(SignError::Purpose { purposes: terms.purposes.len() }),
        };
        let request = Self {
            audience: root.ledger,
            dataset: root.dataset,
            schema: root.schema,
            right: right.to_vec(),
            query: ask.query,
            price: ask.price,
            purpose,
            nonce: fresh_nonce(random),
            issued_at: now,
            expires_at: now.plus_s(ask.expiry_s),
            seen: ask.seen,
        };
        Ok(Signed::sign(request, holder)?)
    }
}

fn fresh_nonce(random: &mut dyn Random) -> Nonce {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    Nonce::from_bytes(bytes)
}
