use super::commitment::Commitment;
use crate::budget::Loss;
use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::id::{AccountId, Digest, LedgerId, Nonce, RequestId, Time};
use crate::key::{KeyId, KeySet};
use crate::label::Label;

/// One entry of the ledger: what happened and when, by gate time. Its canonical bytes are a leaf of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Gate time; never earlier than that of the entry before.
    pub time: Time,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Entry 0: who the owner is. The hash of it is the ledger's id (rule A2).
    Genesis(Genesis),
    /// Entry 1: the gate's certificate, signed by the owner (rule A1).
    Certificate {
        /// The signed artefact.
        bytes: Vec<u8>,
    },
    /// A dataset was published; opens the account of its lineage.
    Publish {
        /// The new account.
        account: AccountId,
        /// To the publication.
        artefact: Commitment,
        /// The budget of the lineage.
        limit: Loss,
    },
    /// A later version of a dataset's data.
    Version {
        /// The account of the lineage.
        account: AccountId,
        /// To the signed version.
        artefact: Commitment,
    },
    /// A right was registered; opens its account.
    Grant {
        /// The new account.
        account: AccountId,
        /// The account of the lineage it draws on.
        dataset: AccountId,
        /// To the right.
        artefact: Commitment,
        /// The budget of the right and its uses.
        limit: Measure,
    },
    /// The owner added budget to a lineage (rule B2).
    Refill {
        /// The account of the lineage.
        account: AccountId,
        /// To the signed refill.
        artefact: Commitment,
        /// How much.
        amount: Loss,
        /// Why.
        reason: RefillReason,
    },
    /// A request was charged. From here on it counts, whatever happens.
    Reserve(Reservation),
    /// The request is about to read cells: from here on nothing is refunded.
    Start {
        /// The request.
        request: RequestId,
        /// Index of its reservation.
        reserved: u64,
    },
    /// The answer is durable and may leave.
    Seal(Seal),
    /// A reservation that never started was given back.
    Refund {
        /// The request.
        request: RequestId,
        /// Index of its reservation.
        reserved: u64,
        /// The charges taken back: previous and new of each account.
        charges: Vec<Charge>,
    },
}

/// The first entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Whose keys sign the owner's acts.
    pub owner: KeySet,
    /// SHA-256 of the next owner key set, which a rotation will open.
    pub next: Digest,
    /// Makes two ledgers of one owner differ.
    pub random: [u8; 16],
    /// A ledger for tests: no gate opens it, no receipt of it verifies.
    pub test: bool,
}

/// Privacy loss and number of answers: what an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Privacy loss.
    pub loss: Loss,
    /// Answers.
    pub uses: u64,
}

/// A change of one account, with the balance before and after, so that one account's entries alone prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The account.
    pub account: AccountId,
    /// The change.
    pub amount: Measure,
    /// Spent before.
    pub previous: Measure,
    /// Spent after.
    pub new: Measure,
}

/// The charge of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The request.
    pub request: RequestId,
    /// A hash of holder and nonce, so that the nonce cannot serve another request.
    pub once: Digest,
    /// When the request stops being answered.
    pub expires_at: Time,
    /// The lineage's charge first, then the right's.
    pub charges: Vec<Charge>,
}

/// A sealed answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// The request.
    pub request: RequestId,
    /// Index of its reservation.
    pub reserved: u64,
    /// Time of its reservation, at which its right had to allow it.
    pub reserved_at: Time,
    /// SHA-256 of the answer.
    pub answer: Digest,
    /// The charges of the reservation, repeated so that one entry proves charge and answer.
    pub charges: Vec<Charge>,
}

/// Why an owner adds budget to a lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefillReason {
    /// The data of the new version is about other units altogether.
    DisjointUnits,
    /// The owner accepts the larger loss.
    Accepted,
}

impl RefillReason {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DisjointUnits => "disjoint_units",
            Self::Accepted => "accepted",
        }
    }

    /// From the name used in files.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::DisjointUnits, Self::Accepted].into_iter().find(|reason| reason.name() == name)
    }
}

/// An entry is at most this long: the limit of C2SP tiles, whose length prefix has 16 bits.
pub const ENTRY_BYTES_MAX: usize = 65_535;
/// Lineage, right, and later populations and ancestors of the right.
const CHARGES_MAX: usize = 32;
const CERTIFICATE_BYTES_MAX: usize = 1024;
const FORMAT: u64 = 1;

mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const KIND: i64 = 2;
    pub(super) const TIME: i64 = 3;
    pub(super) const ACCOUNT: i64 = 4;
    pub(super) const ARTEFACT: i64 = 5;
    pub(super) const LIMIT: i64 = 6;
    pub(super) const DATASET: i64 = 7;
    pub(super) const AMOUNT: i64 = 8;
    pub(super) const REASON: i64 = 9;
    pub(super) const REQUEST: i64 = 10;
    pub(super) const ONCE: i64 = 11;
    pub(super) const EXPIRES_AT: i64 = 12;
    pub(super) const CHARGES: i64 = 13;
    pub(super) const RESERVED: i64 = 14;
    pub(super) const ANSWER: i64 = 15;
    pub(super) const CERTIFICATE: i64 = 16;
    pub(super) const OWNER: i64 = 17;
    pub(super) const NEXT: i64 = 18;
    pub(super) const RANDOM: i64 = 19;
    pub(super) const TEST: i64 = 20;
    pub(super) const RESERVED_AT: i64 = 21;
}

impl Reservation {
    /// SHA-256 of holder key id and nonce: what the ledger remembers of a used nonce.
    #[must_use]
    pub fn once(holder: KeyId, nonce: &Nonce) -> Digest {
        Digest::of(&[&holder.as_bytes()[..], nonce.as_bytes()].concat())
    }
}

impl Genesis {
    /// The id of the ledger that starts with this.
    #[must_use]
    pub fn ledger_id(&self) -> LedgerId {
        let mut out = Encoder::new();
        out.array(2).text(Label::GENESIS.as_str()).map(|map| {
            self.owner.encode(map.key(key::OWNER));
            map.key(key::NEXT).bytes(self.next.as_bytes());
            map.key(key::RANDOM).bytes(&self.random);
            if self.test {
                map.key(key::TEST).boolean(true);
            }
        });
        LedgerId::from_bytes(*Digest::of(&out.into_bytes()).as_bytes())
    }
}

impl Event {
    /// The name of the kind, for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::Certificate { .. } => "certificate",
            Self::Publish { .. } => "publish",
            Self::Version { .. } => "version",
            Self::Grant { .. } => "grant",
            Self::Refill { .. } => "refill",
            Self::Reserve(_) => "reserve",
            Self::Start { .. } => "start",
            Self::Seal(_) => "seal",
            Self::Refund { .. } => "refund",
        }
    }

    const fn kind(&self) -> u64 {
        match self {
            Self::Genesis(_) => 0,
            Self::Certificate { .. } => 1,
            Self::Publish { .. } => 2,
            Self::Version { .. } => 3,
            Self::Grant { .. } => 4,
            Self::Refill { .. } => 5,
            Self::Reserve(_) => 6,
            Self::Start { .. } => 7,
            Self::Seal(_) => 8,
            Self::Refund { .. } => 9,
        }
    }
}

impl Entry {
    /// The canonical bytes: a leaf of the tree.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(key::FORMAT).uint(FORMAT);
            map.key(key::KIND).uint(self.event.kind());
            map.key(key::TIME).uint(self.time.unix_s());
            match &self.event {
                Event::Genesis(Genesis { owner, next, random, test }) => {
                    owner.encode(map.key(key::OWNER));
                    map.key(key::NEXT).bytes(next.as_bytes());
                    map.key(key::RANDOM).bytes(random);
                    if *test {
                        map.key(key::TEST).boolean(true);
                    }
                }
                Event::Certificate { bytes } => {
                    map.key(key::CERTIFICATE).bytes(bytes);
                }
                Event::Publish { account, artefact, limit } => {
                    map.key(key::ACCOUNT).bytes(account.as_bytes());
                    map.key(key::ARTEFACT).bytes(artefact.as_bytes());
                    limit.encode(map.key(key::LIMIT));
                }
                Event::Version { account, artefact } => {
                    map.key(key::ACCOUNT).bytes(account.as_bytes());
                    map.key(key::ARTEFACT).bytes(artefact.as_bytes());
                }
                Event::Grant { account, dataset, artefact, limit } => {
                    map.key(key::ACCOUNT).bytes(account.as_bytes());
                    map.key(key::ARTEFACT).bytes(artefact.as_bytes());
                    limit.encode(map.key(key::LIMIT));
                    map.key(key::DATASET).bytes(dataset.as_bytes());
                }
                Event::Refill { account, artefact, amount, reason } => {
                    map.key(key::ACCOUNT).bytes(account.as_bytes());
                    map.key(key::ARTEFACT).bytes(artefact.as_bytes());
                    amount.encode(map.key(key::AMOUNT));
                    map.key(key::REASON).text(reason.name());
                }
                Event::Reserve(Reservation { request, once, expires_at, charges }) => {
                    map.key(key::REQUEST).bytes(request.as_bytes());
                    map.key(key::ONCE).bytes(once.as_bytes());
                    map.key(key::EXPIRES_AT).uint(expires_at.unix_s());
                    encode_charges(charges, map.key(key::CHARGES));
                }
                Event::Start { request, reserved } => {
                    map.key(key::REQUEST).bytes(request.as_bytes());
                    map.key(key::RESERVED).uint(*reserved);
                }
                Event::Seal(Seal { request, reserved, reserved_at, answer, charges }) => {
                    map.key(key::REQUEST).bytes(request.as_bytes());
                    map.key(key::RESERVED).uint(*reserved);
                    map.key(key::RESERVED_AT).uint(reserved_at.unix_s());
                    map.key(key::ANSWER).bytes(answer.as_bytes());
                    encode_charges(charges, map.key(key::CHARGES));
                }
                Event::Refund { request, reserved, charges } => {
                    map.key(key::REQUEST).bytes(request.as_bytes());
                    map.key(key::RESERVED).uint(*reserved);
                    encode_charges(charges, map.key(key::CHARGES));
                }
            }
        });
        out.into_bytes()
    }

    /// Reads the canonical bytes of an entry.
    ///
    /// # Errors
    /// Not exactly an entry; fields of another kind are unknown fields.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut fields = Fields::default();
        let mut decoder = Decoder::new(bytes, Limits::of_bytes(ENTRY_BYTES_MAX))?;
        let mut keys = decoder.map(16)?;
        while let Some(key) = keys.next(&mut decoder)? {
            fields.read(key, &mut decoder)?;
        }
        decoder.finish()?;
        let entry = fields.entry()?;
        // Every field that was read must belong to the kind: the entry writes back exactly what it was read from.
        if entry.encode() == bytes { Ok(entry) } else { Err(CodecError::Value { key: key::KIND, expected: "only the fields of its kind" }) }
    }
}

impl Measure {
    /// The sum, or why there is none.
    ///
    /// # Errors
    /// Another model, or too large.
    pub fn checked_add(&self, other: &Self) -> Result<Self, crate::budget::BudgetError> {
        let uses = self.uses.checked_add(other.uses).ok_or(crate::budget::BudgetError::Overflow)?;
        Ok(Self { loss: self.loss.checked_add(&other.loss)?, uses })
    }

    fn encode(&self, out: &mut Encoder) {
        out.array(2);
        self.loss.encode(out);
        out.uint(self.uses);
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let offset = decoder.offset();
        if decoder.array(2)? != 2 {
            return Err(CodecError::Unexpected { offset, expected: "loss and uses" });
        }
        Ok(Self { loss: Loss::decode(decoder)?, uses: decoder.uint()? })
    }
}

fn encode_charges(charges: &[Charge], out: &mut Encoder) {
    out.array(charges.len());
    for Charge { account, amount, previous, new } in charges {
        out.array(4).bytes(account.as_bytes());
        [amount, previous, new].into_iter().for_each(|measure| measure.encode(out));
    }
}

fn decode_charges(decoder: &mut Decoder<'_>) -> Result<Vec<Charge>, CodecError> {
    let mut charges = Vec::new();
    for _ in 0..decoder.array(CHARGES_MAX)? {
        let offset = decoder.offset();
        if decoder.array(4)? != 4 {
            return Err(CodecError::Unexpected { offset, expected: "account, amount, previous and new" });
        }
        charges.push(Charge {
            account: AccountId::from_bytes(decoder.byte_array()?),
            amount: Measure::decode(decoder)?,
            previous: Measure::decode(decoder)?,
            new: Measure::decode(decoder)?,
        });
    }
    Ok(charges)
}

/// The fields of any entry.
#[derive(Default)]
struct Fields {
    kind: Option<u64>,
    time: Option<Time>,
    account: Option<AccountId>,
    artefact: Option<Commitment>,
    limit: Option<Measure>,
    dataset: Option<AccountId>,
    amount: Option<Loss>,
    reason: Option<RefillReason>,
    request: Option<RequestId>,
    once: Option<Digest>,
    expires_at: Option<Time>,
    charges: Option<Vec<Charge>>,
    reserved: Option<u64>,
    reserved_at: Option<Time>,
    answer: Option<Digest>,
    certificate: Option<Vec<u8>>,
    owner: Option<KeySet>,
    next: Option<Digest>,
    random: Option<[u8; 16]>,
    test: bool,
}

impl Fields {
    fn read(&mut self, key: i64, decoder: &mut Decoder<'_>) -> Result<(), CodecError> {
        let value = |expected| CodecError::Value { key, expected };
        let time = |seconds| {
            Some(Time::from_unix_s(seconds)).filter(|time| time.unix_s() == seconds).ok_or_else(|| value("a time before the year 10000"))
        };
        match key {
            key::FORMAT => {
                if decoder.uint()? != FORMAT {
                    return Err(value("format 1"));
                }
            }
            key::KIND => self.kind = Some(decoder.uint()?),
            key::TIME => self.time = Some(time(decoder.uint()?)?),
            key::ACCOUNT => self.account = Some(AccountId::from_bytes(decoder.byte_array()?)),
            key::ARTEFACT => self.artefact = Some(Commitment::from_bytes(decoder.byte_array()?)),
            // The limit of a lineage is a loss alone: its answers are not limited.
            key::LIMIT if self.kind == Some(2) => self.limit = Some(Measure { loss: Loss::decode(decoder)?, uses: u64::MAX }),
            key::LIMIT => self.limit = Some(Measure::decode(decoder)?),
            key::DATASET => self.dataset = Some(AccountId::from_bytes(decoder.byte_array()?)),
            key::AMOUNT => self.amount = Some(Loss::decode(decoder)?),
            key::REASON => self.reason = Some(RefillReason::from_name(decoder.text(32)?).ok_or_else(|| value("a reason for a refill"))?),
            key::REQUEST => self.request = Some(RequestId::from_bytes(decoder.byte_array()?)),
            key::ONCE => self.once = Some(Digest::from_bytes(decoder.byte_array()?)),
            key::EXPIRES_AT => self.expires_at = Some(time(decoder.uint()?)?),
            key::CHARGES => self.charges = Some(decode_charges(decoder)?),
            key::RESERVED => self.reserved = Some(decoder.uint()?),
            key::RESERVED_AT => self.reserved_at = Some(time(decoder.uint()?)?),
            key::ANSWER => self.answer = Some(Digest::from_bytes(decoder.byte_array()?)),
            key::CERTIFICATE => self.certificate = Some(decoder.bytes(CERTIFICATE_BYTES_MAX)?.to_vec()),
            key::OWNER => self.owner = Some(KeySet::decode(decoder)?),
            key::NEXT => self.next = Some(Digest::from_bytes(decoder.byte_array()?)),
            key::RANDOM => self.random = Some(decoder.byte_array()?),
            key::TEST => self.test = decoder.boolean()?,
            key => return Err(CodecError::UnknownKey { key }),
        }
        Ok(())
    }

    fn entry(self) -> Result<Entry, CodecError> {
        let account = required(self.account, key::ACCOUNT);
        let artefact = required(self.artefact, key::ARTEFACT);
        let request = required(self.request, key::REQUEST);
        let reserved = required(self.reserved, key::RESERVED);
        let event = match required(self.kind, key::KIND)? {
            0 => Event::Genesis(Genesis {
                owner: required(self.owner, key::OWNER)?,
                next: required(self.next, key::NEXT)?,
                random: required(self.random, key::RANDOM)?,
                test: self.test,
            }),
            1 => Event::Certificate { bytes: required(self.certificate, key::CERTIFICATE)? },
            2 => Event::Publish { account: account?, artefact: artefact?, limit: required(self.limit, key::LIMIT)?.loss },
            3 => Event::Version { account: account?, artefact: artefact? },
            4 => Event::Grant {
                account: account?,
                dataset: required(self.dataset, key::DATASET)?,
                artefact: artefact?,
                limit: required(self.limit, key::LIMIT)?,
            },
            5 => Event::Refill {
                account: account?,
                artefact: artefact?,
                amount: required(self.amount, key::AMOUNT)?,
                reason: required(self.reason, key::REASON)?,
            },
            6 => Event::Reserve(Reservation {
                request: request?,
                once: required(self.once, key::ONCE)?,
                expires_at: required(self.expires_at, key::EXPIRES_AT)?,
                charges: required(self.charges, key::CHARGES)?,
            }),
            7 => Event::Start { request: request?, reserved: reserved? },
            8 => Event::Seal(Seal {
                request: request?,
                reserved: reserved?,
                reserved_at: required(self.reserved_at, key::RESERVED_AT)?,
                answer: required(self.answer, key::ANSWER)?,
                charges: required(self.charges, key::CHARGES)?,
            }),
            9 => Event::Refund { request: request?, reserved: reserved?, charges: required(self.charges, key::CHARGES)? },
            _ => return Err(CodecError::Value { key: key::KIND, expected: "a kind of entry known to this version" }),
        };
        Ok(Entry { time: required(self.time, key::TIME)?, event })
    }
}
