//! Entries and their kinds: what the leaves of the tree say.

use super::charge::{Charges, Measure};
use super::commitment::Commitment;
use super::quantum::Quantum;
use crate::budget::Loss;
use crate::codec::{CodecError, Decoder, Encoder, Entries, Fields, Fixed, Limits, Record, Text, record, stored};
use crate::id::{AccountId, Digest, LedgerId, Nonce, RequestId, Time};
use crate::key::{KeyId, KeySet};
use crate::label::Label;

/// One entry of the ledger: what happened and when, by gate time. Its canonical bytes are a leaf of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Gate time; never earlier than that of the entry before, unless the owner sets it back.
    pub time: Time,
    /// What happened.
    pub event: Event,
}

record! {
    /// What happened.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Event {
        /// Entry 0: who the owner is. The hash of it is the ledger's id (rule A2).
        0 "genesis" => Genesis(genesis: Genesis),
        /// Entry 1: the gate's certificate, signed by the owner (rule A1). Again later, with the next number: for the same or
        /// a new key.
        1 "certificate" => Certificate {
            /// The signed artefact.
            16 => bytes: Vec<u8>,
        },
        /// A dataset was published; opens the account of its lineage.
        2 "publish" => Publish {
            /// The new account.
            4 => account: AccountId,
            /// To the publication.
            5 => artefact: Commitment,
            /// The budget of the lineage: its answers are not limited.
            6 => limit: Loss,
            /// A keyed tag of the dataset's name, which is published once. In every entry behind the upgrade, in none before.
            11 => once: Option<Digest>,
        },
        /// A later version of a dataset's data.
        3 "version" => Version {
            /// The account of the lineage.
            4 => account: AccountId,
            /// To the signed version.
            5 => artefact: Commitment,
            /// Its number; the publication was 1. Behind the upgrade.
            22 => number: Option<u64>,
        },
        /// A right was registered; opens its account.
        4 "grant" => Grant {
            /// The new account.
            4 => account: AccountId,
            /// To the right.
            5 => artefact: Commitment,
            /// The budget of the right and its uses.
            6 => limit: Measure,
            /// The account of the lineage it draws on.
            7 => dataset: AccountId,
            /// A keyed tag of the right's id, which is granted once. Behind the upgrade.
            11 => once: Option<Digest>,
        },
        /// The owner added budget to a lineage (rule B2).
        5 "refill" => Refill {
            /// The account of the lineage.
            4 => account: AccountId,
            /// To the signed refill.
            5 => artefact: Commitment,
            /// How much.
            8 => amount: Loss,
            /// Why.
            9 => reason: RefillReason,
            /// Its number; the first is 1. Behind the upgrade.
            22 => number: Option<u64>,
        },
        /// A request was charged. From here on it counts, whatever happens.
        6 "reserve" => Reserve(reservation: Reservation),
        /// The request is about to read cells: from here on nothing is refunded.
        7 "start" => Start {
            /// The request.
            10 => request: RequestId,
            /// Index of its reservation.
            14 => reserved: u64,
        },
        /// The answer is durable and may leave.
        8 "seal" => Seal(seal: Seal),
        /// A reservation that never started was given back.
        9 "refund" => Refund {
            /// The request.
            10 => request: RequestId,
            /// The charges taken back: previous and new of each account.
            13 => charges: Charges,
            /// Index of its reservation.
            14 => reserved: u64,
        },
        /// From here on entries have the new form: commitments hold the account, names, rights, versions and refills are
        /// numbered or tagged, times are multiples of the quantum.
        10 "upgrade" => Upgrade {
            /// The quantum of times, until the owner changes it.
            23 => quantum: Quantum,
            /// To the secret that keys the tags.
            24 => secret: Commitment,
        },
        /// The owner changed the quantum.
        11 "quantum" => Quantum {
            /// The signed [`QuantumChange`](super::QuantumChange).
            16 => bytes: Vec<u8>,
        },
        /// The owner set gate time back. The time of this entry is the time it sets.
        12 "clock" => Clock {
            /// The signed [`ClockReset`](super::ClockReset).
            16 => bytes: Vec<u8>,
        },
    }
}

record! {
    /// The first entry.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Genesis {
        /// Whose keys sign the owner's acts.
        17 => pub owner: KeySet,
        /// SHA-256 of the next owner key set, which a rotation will open.
        18 => pub next: Digest,
        /// Makes two ledgers of one owner differ.
        19 => pub random: [u8; 16],
        /// A ledger for tests: no gate opens it, no receipt of it verifies.
        20 => pub test: bool,
    }
}

record! {
    /// The charge of one request.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Reservation {
        /// The request.
        10 => pub request: RequestId,
        /// A hash of holder and nonce, so that the nonce cannot serve another request.
        11 => pub once: Digest,
        /// When the request stops being answered.
        12 => pub expires_at: Time,
        /// The lineage's charge first, then that of each right.
        13 => pub charges: Charges,
    }
}

record! {
    /// A sealed answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Seal {
        /// The request.
        10 => pub request: RequestId,
        /// The charges of the reservation, repeated so that one entry proves charge and answer.
        13 => pub charges: Charges,
        /// Index of its reservation.
        14 => pub reserved: u64,
        /// SHA-256 of the answer.
        15 => pub answer: Digest,
        /// Time of its reservation, at which its right had to allow it.
        21 => pub reserved_at: Time,
    }
}

/// Why an owner adds budget to a lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "embedded", derive(serde::Serialize))]
#[cfg_attr(feature = "embedded", serde(rename_all = "snake_case"))]
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

/// Every entry starts with these; the rest are the fields of its kind.
mod key {
    pub(super) const FORMAT: i64 = 1;
    pub(super) const KIND: i64 = 2;
    pub(super) const TIME: i64 = 3;
}

/// Of every entry.
const FORMAT: [Fixed; 1] = [Fixed { key: key::FORMAT, value: 1, expected: "format 1" }];

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
        out.array(2).text(Label::GENESIS.as_str()).ordered_map(&[], |map| self.write_fields(map));
        LedgerId::from_bytes(*Digest::of(&out.into_bytes()).as_bytes())
    }
}

impl Entry {
    /// The canonical bytes: a leaf of the tree.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        self.write(&mut out);
        out.into_bytes()
    }

    /// Writes the canonical bytes.
    pub(super) fn write(&self, out: &mut Encoder) {
        out.ordered_map(&FORMAT, |map| {
            map.field::<u64>(key::KIND, &self.event.kind());
            map.field::<Time>(key::TIME, &self.time);
            self.event.write_fields(map);
        });
    }

    /// Reads the canonical bytes of an entry.
    ///
    /// # Errors
    /// Not exactly an entry; fields of another kind are unknown fields.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(bytes, Limits::of_bytes(ENTRY_BYTES_MAX))?;
        let mut fields = Fields::open(&mut decoder, &FORMAT)?;
        let kind = fields.field::<u64>(key::KIND)?;
        let time = fields.field::<Time>(key::TIME)?;
        let event = Event::read_fields(kind, &mut fields)?;
        let event = event.ok_or(CodecError::Value { key: key::KIND, expected: "a kind of entry known to this version" })?;
        fields.finish()?;
        decoder.finish()?;
        Ok(Self { time, event })
    }
}

stored!(RefillReason as Text<32>, "text", |reason| reason.name().to_owned(), |name| Self::from_name(&name), "a reason for a refill");

#[cfg(test)]
#[allow(clippy::unwrap_used, missing_docs)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::codec::{Row, assert_documented};

    #[test]
    fn the_page_lists_every_kind_and_every_field() {
        let page = include_str!("../../docs/ledger.md");
        let mut fields: BTreeMap<i64, Row> = BTreeMap::new();
        for (kind, name, rows) in Event::KINDS {
            let keys: Vec<_> = rows.iter().map(|row| format!("{}{}", row.key, if row.optional { "?" } else { "" })).collect();
            let line = format!("| {kind} | {name} | {} | ", keys.join(", "));
            assert!(page.contains(&line), "docs/ledger.md lacks {line:?}");
            for row in *rows {
                let known = fields.entry(row.key).or_insert(*row);
                assert_eq!(known.name, row.name, "key {} has two names", row.key);
            }
        }
        let head = [(key::FORMAT, "format", ""), (key::KIND, "kind", ""), (key::TIME, "time", "time")];
        let head = head.map(|(key, name, shape)| Row { key, name, shape, optional: false });
        let table: Vec<Row> = head.into_iter().chain(fields.into_values()).map(|row| Row { optional: false, ..row }).collect();
        assert_documented(page, "## Entries", &table);
    }
}
