//! Block 0 of a right: what the owner signs for a holder.

use std::collections::BTreeSet;

use super::terms::{COLUMNS_MAX, PURPOSES_MAX, RightKind, Terms};
use crate::budget::Loss;
use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::envelope::Artefact;
use crate::id::{ColumnName, DatasetId, Digest, LedgerId, Name, Nonce, Purpose, Time};
use crate::key::PublicKey;
use crate::label::Label;
use crate::query::Operation;

/// Block 0 of a right: the owner gives `holder` the use of a dataset under `terms`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it can be spent, and nowhere else.
    pub ledger: LedgerId,
    /// What may be used.
    pub dataset: DatasetId,
    /// The name of the dataset in FROM.
    pub name: Name,
    /// The schema the terms were written for.
    pub schema: Digest,
    /// Who may use it: the key that signs requests.
    pub holder: PublicKey,
    /// How it may be used.
    pub terms: Terms,
    /// When it was granted.
    pub issued_at: Time,
    /// Makes two grants of the same terms two rights.
    pub nonce: Nonce,
}

/// Claim keys: those of CWT (RFC 8392) where they exist, private ones below -65536 (table in `docs/right.md`).
mod claim {
    pub(super) const NOT_AFTER: i64 = 4;
    pub(super) const NOT_BEFORE: i64 = 5;
    pub(super) const ISSUED_AT: i64 = 6;
    pub(super) const NONCE: i64 = 7;
    pub(super) const HOLDER: i64 = 8;
    pub(super) const FORMAT: i64 = -65_537;
    pub(super) const LEDGER: i64 = -65_538;
    pub(super) const DATASET: i64 = -65_539;
    pub(super) const NAME: i64 = -65_540;
    pub(super) const SCHEMA: i64 = -65_541;
    pub(super) const KIND: i64 = -65_542;
    pub(super) const OPERATIONS: i64 = -65_543;
    pub(super) const COLUMNS: i64 = -65_544;
    pub(super) const PURPOSES: i64 = -65_545;
    pub(super) const BUDGET: i64 = -65_546;
    pub(super) const USES: i64 = -65_547;
    pub(super) const DELEGATION: i64 = -65_548;
}

const FORMAT: u64 = 1;

impl Artefact for Block {
    const LABEL: Label = Label::RIGHT_BLOCK;
    const TYPE: &'static str = "usufruct-right-block+cbor";

    fn to_payload(&self) -> Vec<u8> {
        let Self { ledger, dataset, name, schema, holder, terms, issued_at, nonce } = self;
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(claim::NOT_AFTER).uint(terms.not_after.unix_s());
            if let Some(not_before) = terms.not_before {
                map.key(claim::NOT_BEFORE).uint(not_before.unix_s());
            }
            map.key(claim::ISSUED_AT).uint(issued_at.unix_s());
            map.key(claim::NONCE).bytes(nonce.as_bytes());
            encode_confirmation(holder, map.key(claim::HOLDER));
            map.key(claim::FORMAT).uint(FORMAT);
            map.key(claim::LEDGER).bytes(ledger.as_bytes());
            map.key(claim::DATASET).bytes(dataset.as_bytes());
            map.key(claim::NAME).text(name.as_str());
            map.key(claim::SCHEMA).bytes(schema.as_bytes());
            map.key(claim::KIND).text(terms.kind.name());
            encode_texts(terms.operations.iter().map(|operation| operation.name()), map.key(claim::OPERATIONS));
            encode_texts(terms.columns.iter().map(ColumnName::as_str), map.key(claim::COLUMNS));
            encode_texts(terms.purposes.iter().map(Purpose::as_str), map.key(claim::PURPOSES));
            terms.budget.encode(map.key(claim::BUDGET));
            map.key(claim::USES).uint(terms.uses);
            if terms.delegation > 0 {
                map.key(claim::DELEGATION).uint(terms.delegation);
            }
        });
        out.into_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(payload, Limits::default())?;
        let (mut not_after, mut not_before, mut issued_at, mut nonce, mut holder, mut format) = (None, None, None, None, None, None);
        let (mut ledger, mut dataset, mut name, mut schema, mut kind) = (None, None, None, None, None);
        let (mut operations, mut columns, mut purposes, mut budget, mut uses, mut delegation) = (None, None, None, None, None, 0);
        let mut keys = decoder.map(32)?;
        while let Some(key) = keys.next(&mut decoder)? {
            let value = |expected| CodecError::Value { key, expected };
            match key {
                claim::NOT_AFTER => not_after = Some(decode_time(&mut decoder, key)?),
                claim::NOT_BEFORE => not_before = Some(decode_time(&mut decoder, key)?),
                claim::ISSUED_AT => issued_at = Some(decode_time(&mut decoder, key)?),
                claim::NONCE => nonce = Some(Nonce::from_bytes(decoder.byte_array()?)),
                claim::HOLDER => holder = Some(decode_confirmation(&mut decoder, key)?),
                claim::FORMAT => format = Some(Some(decoder.uint()?).filter(|format| *format == FORMAT).ok_or_else(|| value("format 1"))?),
                claim::LEDGER => ledger = Some(LedgerId::from_bytes(decoder.byte_array()?)),
                claim::DATASET => dataset = Some(DatasetId::from_bytes(decoder.byte_array()?)),
                claim::NAME => name = Some(Name::new(decoder.text(128)?).map_err(|_| value("a name"))?),
                claim::SCHEMA => schema = Some(Digest::from_bytes(decoder.byte_array()?)),
                claim::KIND => kind = Some(RightKind::from_name(decoder.text(16)?).ok_or_else(|| value("process or operate"))?),
                claim::OPERATIONS => operations = Some(decode_set(&mut decoder, 64, key, Operation::from_name)?),
                claim::COLUMNS => columns = Some(decode_set(&mut decoder, COLUMNS_MAX, key, |text| ColumnName::new(text).ok())?),
                claim::PURPOSES => purposes = Some(decode_set(&mut decoder, PURPOSES_MAX, key, |text| Purpose::new(text).ok())?),
                claim::BUDGET => budget = Some(Loss::decode(&mut decoder)?),
                claim::USES => uses = Some(decoder.uint()?),
                claim::DELEGATION => {
                    delegation = Some(decoder.uint()?).filter(|depth| *depth > 0).ok_or_else(|| value("1 or more, or absent"))?
                }
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        required(format, claim::FORMAT)?;
        let terms = Terms {
            kind: required(kind, claim::KIND)?,
            operations: required(operations, claim::OPERATIONS)?,
            columns: required(columns, claim::COLUMNS)?,
            purposes: required(purposes, claim::PURPOSES)?,
            budget: required(budget, claim::BUDGET)?,
            uses: required(uses, claim::USES)?,
            not_after: required(not_after, claim::NOT_AFTER)?,
            delegation,
            not_before,
        };
        terms.check().map_err(|_| CodecError::Value { key: claim::FORMAT, expected: "terms that could be granted" })?;
        Ok(Self {
            ledger: required(ledger, claim::LEDGER)?,
            dataset: required(dataset, claim::DATASET)?,
            name: required(name, claim::NAME)?,
            schema: required(schema, claim::SCHEMA)?,
            holder: required(holder, claim::HOLDER)?,
            terms,
            issued_at: required(issued_at, claim::ISSUED_AT)?,
            nonce: required(nonce, claim::NONCE)?,
        })
    }
}

/// A time in a claim; NumericDate without a tag, whole seconds (RFC 8392 section 2).
pub(super) fn decode_time(decoder: &mut Decoder<'_>, key: i64) -> Result<Time, CodecError> {
    let seconds = decoder.uint()?;
    let time = Time::from_unix_s(seconds);
    if time.unix_s() == seconds { Ok(time) } else { Err(CodecError::Value { key, expected: "a time before the year 10000" }) }
}

/// RFC 8747 section 3.2: `cnf = {1: COSE_Key}`, with the key of RFC 9053 section 7.2 as {kty: OKP, alg, crv: Ed25519, x}.
fn encode_confirmation(key: &PublicKey, out: &mut Encoder) {
    out.map(|cnf| {
        cnf.key(1).map(|map| {
            map.key(1).uint(1);
            map.key(3).int(key.algorithm().cose_id());
            map.key(-1).uint(6);
            map.key(-2).bytes(key.as_bytes());
        });
    });
}

fn decode_confirmation(decoder: &mut Decoder<'_>, key: i64) -> Result<PublicKey, CodecError> {
    let wrong = || CodecError::Value { key, expected: "a sound Ed25519 key as cnf {1: COSE_Key}" };
    let mut cnf = decoder.map(1)?;
    if cnf.next(decoder)? != Some(1) {
        return Err(wrong());
    }
    let mut keys = decoder.map(4)?;
    let mut expect_int = |decoder: &mut Decoder<'_>, label: i64, value: i64| -> Result<(), CodecError> {
        let found = keys.next(decoder)? == Some(label) && decoder.int()? == value;
        if found { Ok(()) } else { Err(wrong()) }
    };
    expect_int(decoder, 1, 1)?;
    expect_int(decoder, 3, crate::key::Algorithm::Ed25519.cose_id())?;
    expect_int(decoder, -1, 6)?;
    if keys.next(decoder)? != Some(-2) {
        return Err(wrong());
    }
    PublicKey::from_bytes(decoder.byte_array()?).map_err(|_| wrong())
}

fn encode_texts<'a>(texts: impl ExactSizeIterator<Item = &'a str>, out: &mut Encoder) {
    out.array(texts.len());
    texts.for_each(|text| {
        out.text(text);
    });
}

/// A set has one encoding: its members in strictly increasing order.
fn decode_set<T: Ord>(
    decoder: &mut Decoder<'_>,
    most: usize,
    key: i64,
    read: impl Fn(&str) -> Option<T>,
) -> Result<BTreeSet<T>, CodecError> {
    let mut set = BTreeSet::new();
    for _ in 0..decoder.array(most)? {
        let member = read(decoder.text(128)?).ok_or(CodecError::Value { key, expected: "known words" })?;
        if set.last().is_some_and(|last| *last >= member) {
            return Err(CodecError::Value { key, expected: "a set in strictly increasing order" });
        }
        set.insert(member);
    }
    Ok(set)
}
