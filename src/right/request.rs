//! Requests: one use of a right, signed by its holder.

use super::block::decode_time;
use super::chain::{CHAIN_BYTES_MAX, Right, Verified};
use super::terms::RightKind;
use super::verdict::Verdict;
use crate::budget::Loss;
use crate::codec::{CodecError, Decoder, Encoder, Limits, required};
use crate::envelope::{Artefact, Signed, Untrusted};
use crate::id::{DatasetId, Digest, LedgerId, Nonce, Purpose, RequestId, Time};
use crate::key::KeySet;
use crate::label::Label;
use crate::query::{QUERY_BYTES_MAX, Query};

/// How long a request is good for when nothing is said.
pub const EXPIRY_DEFAULT_S: u64 = 24 * 3600;
/// The longest a request may be good for; answers are kept that long.
pub const EXPIRY_MAX_S: u64 = 7 * 24 * 3600;
/// How far two honest clocks may differ.
pub const SKEW_S: u64 = 300;
/// A chain, a query of 16 KiB and the rest.
pub const REQUEST_BYTES_MAX: usize = CHAIN_BYTES_MAX + 32 * 1024;

/// The last checkpoint a holder has seen: size and root of the ledger. Size 0 for a holder who has seen none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Number of entries.
    pub size: u64,
    /// Root of the tree.
    pub root: Digest,
}

/// One use of a right, signed by its holder (rule C1). No SQL and no derived claims: the gate derives operations
/// and columns from the query itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The ledger the request is for, and no other.
    pub audience: LedgerId,
    /// The dataset.
    pub dataset: DatasetId,
    /// The schema the query was written for.
    pub schema: Digest,
    /// The whole chain.
    pub right: Vec<u8>,
    /// The typed query.
    pub query: Query,
    /// What the whole request may cost; it is what will be charged.
    pub price: Loss,
    /// What the answer is for.
    pub purpose: Purpose,
    /// Used once by this holder.
    pub nonce: Nonce,
    /// When it was signed.
    pub issued_at: Time,
    /// From [`SKEW_S`] after this second on it is refused (`exp` of RFC 8392, with the clocks' skew).
    pub expires_at: Time,
    /// The last checkpoint the holder has seen.
    pub seen: Option<Seen>,
}

mod claim {
    pub(super) const EXPIRES_AT: i64 = 4;
    pub(super) const ISSUED_AT: i64 = 6;
    pub(super) const NONCE: i64 = 7;
    pub(super) const FORMAT: i64 = -65_537;
    pub(super) const AUDIENCE: i64 = -65_538;
    pub(super) const DATASET: i64 = -65_539;
    pub(super) const SCHEMA: i64 = -65_541;
    pub(super) const PURPOSE: i64 = -65_545;
    pub(super) const PRICE: i64 = -65_546;
    pub(super) const RIGHT: i64 = -65_560;
    pub(super) const QUERY: i64 = -65_561;
    pub(super) const SEEN: i64 = -65_562;
}

const FORMAT: u64 = 1;

impl Signed<Request> {
    /// The id of the request: a hash of its payload, never of its signature.
    #[must_use]
    pub fn id(&self) -> RequestId {
        RequestId::from_bytes(*self.digest().as_bytes())
    }
}

impl Artefact for Request {
    const LABEL: Label = Label::REQUEST;
    const TYPE: &'static str = "usufruct-request+cbor";
    const PAYLOAD_BYTES_MAX: usize = REQUEST_BYTES_MAX;

    fn to_payload(&self) -> Vec<u8> {
        let mut out = Encoder::new();
        out.map(|map| {
            map.key(claim::EXPIRES_AT).uint(self.expires_at.unix_s());
            map.key(claim::ISSUED_AT).uint(self.issued_at.unix_s());
            map.key(claim::NONCE).bytes(self.nonce.as_bytes());
            map.key(claim::FORMAT).uint(FORMAT);
            map.key(claim::AUDIENCE).bytes(self.audience.as_bytes());
            map.key(claim::DATASET).bytes(self.dataset.as_bytes());
            map.key(claim::SCHEMA).bytes(self.schema.as_bytes());
            map.key(claim::PURPOSE).text(self.purpose.as_str());
            self.price.encode(map.key(claim::PRICE));
            map.key(claim::RIGHT).bytes(&self.right);
            map.key(claim::QUERY).bytes(&self.query.encode());
            if let Some(seen) = self.seen {
                map.key(claim::SEEN).array(2).uint(seen.size).bytes(seen.root.as_bytes());
            }
        });
        out.into_bytes()
    }

    fn from_payload(payload: &[u8]) -> Result<Self, CodecError> {
        let mut decoder = Decoder::new(payload, Limits::of_bytes(REQUEST_BYTES_MAX))?;
        let (mut expires_at, mut issued_at, mut nonce, mut format, mut audience, mut dataset) = (None, None, None, None, None, None);
        let (mut schema, mut purpose, mut price, mut right, mut query, mut seen) = (None, None, None, None, None, None);
        let mut keys = decoder.map(16)?;
        while let Some(key) = keys.next(&mut decoder)? {
            let value = |expected| CodecError::Value { key, expected };
            match key {
                claim::EXPIRES_AT => expires_at = Some(decode_time(&mut decoder, key)?),
                claim::ISSUED_AT => issued_at = Some(decode_time(&mut decoder, key)?),
                claim::NONCE => nonce = Some(Nonce::from_bytes(decoder.byte_array()?)),
                claim::FORMAT => format = Some(Some(decoder.uint()?).filter(|format| *format == FORMAT).ok_or_else(|| value("format 1"))?),
                claim::AUDIENCE => audience = Some(LedgerId::from_bytes(decoder.byte_array()?)),
                claim::DATASET => dataset = Some(DatasetId::from_bytes(decoder.byte_array()?)),
                claim::SCHEMA => schema = Some(Digest::from_bytes(decoder.byte_array()?)),
                claim::PURPOSE => purpose = Some(Purpose::new(decoder.text(128)?).map_err(|_| value("a purpose"))?),
                claim::PRICE => price = Some(Loss::decode(&mut decoder)?),
                claim::RIGHT => right = Some(decoder.bytes(CHAIN_BYTES_MAX)?.to_vec()),
                claim::QUERY => query = Some(Query::from_canonical_bytes(decoder.bytes(QUERY_BYTES_MAX)?).map_err(|_| value("a query"))?),
                claim::SEEN => {
                    if decoder.array(2)? != 2 {
                        return Err(value("a size and a root"));
                    }
                    let size = Some(decoder.uint()?).filter(|size| *size > 0).ok_or_else(|| value("a size of at least 1, or absent"))?;
                    seen = Some(Seen { size, root: Digest::from_bytes(decoder.byte_array()?) });
                }
                key => return Err(CodecError::UnknownKey { key }),
            }
        }
        decoder.finish()?;
        required(format, claim::FORMAT)?;
        Ok(Self {
            audience: required(audience, claim::AUDIENCE)?,
            dataset: required(dataset, claim::DATASET)?,
            schema: required(schema, claim::SCHEMA)?,
            right: required(right, claim::RIGHT)?,
            query: required(query, claim::QUERY)?,
            price: required(price, claim::PRICE)?,
            purpose: required(purpose, claim::PURPOSE)?,
            nonce: required(nonce, claim::NONCE)?,
            issued_at: required(issued_at, claim::ISSUED_AT)?,
            expires_at: required(expires_at, claim::EXPIRES_AT)?,
            seen,
        })
    }
}

/// Which rules a use is held to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// Those of this version.
    Now,
    /// Those of any version: until 0.1 the second `exp` itself was still good, and a right to operate asked like one to process.
    Ever,
}

/// Reads and verifies a request: the right it carries under the owner's keys, then the request under the key of
/// the right's holder. Everything after this may be explained to the holder (rule C5).
///
/// # Errors
/// Malformed, or a signature that does not verify.
pub fn verify_request(bytes: &[u8], owner: &KeySet) -> Result<(Signed<Request>, Verified), Verdict> {
    let untrusted = Untrusted::<Request>::decode(bytes)?;
    // Found through what the request claims, believed only because the owner signed it.
    let right = Right::decode(&untrusted.claimed()?.right)?.verify(owner)?;
    let request = untrusted.verify(right.holder())?;
    Ok((request, right))
}

impl Request {
    /// Whether right and request allow this use at `now`; budget and uses left are for the ledger to say.
    ///
    /// # Errors
    /// The first rule that refuses, for the owner's tools; [`Verdict::refusal`] is what the holder may learn.
    pub fn check(&self, right: &Verified, ledger: LedgerId, now: Time) -> Result<(), Verdict> {
        self.check_by(Rules::Now, right, ledger, now)
    }

    /// Whether a gate of this version or an earlier one could charge for this use at `at`: what receipts of both are held to.
    pub(crate) fn check_charged(&self, right: &Verified, ledger: LedgerId, at: Time) -> Result<(), Verdict> {
        self.check_by(Rules::Ever, right, ledger, at)
    }

    fn check_by(&self, rules: Rules, right: &Verified, ledger: LedgerId, now: Time) -> Result<(), Verdict> {
        let (root, terms) = (right.root(), right.terms());
        // RFC 8392, section 3.1.4, and RFC 7519, section 4.1.4: not accepted "on or after" the time of `exp`.
        let is_over = |end: Time| if rules == Rules::Now { now >= end } else { now > end };
        if self.audience != ledger || root.ledger != ledger {
            return Err(Verdict::Audience);
        }
        if self.dataset != root.dataset || self.schema != root.schema {
            return Err(Verdict::Dataset);
        }
        if is_over(self.expires_at.plus_s(SKEW_S)) {
            return Err(Verdict::Expired { not_after: self.expires_at, now });
        }
        if self.expires_at.since_s(self.issued_at) > EXPIRY_MAX_S || self.expires_at < self.issued_at || self.issued_at > now.plus_s(SKEW_S)
        {
            return Err(Verdict::Times { issued_at: self.issued_at, expires_at: self.expires_at, now });
        }
        if is_over(terms.not_after) {
            return Err(Verdict::Expired { not_after: terms.not_after, now });
        }
        if let Some(not_before) = terms.not_before.filter(|not_before| now < *not_before) {
            return Err(Verdict::NotYet { not_before, now });
        }
        if rules == Rules::Now && terms.kind != RightKind::Process {
            return Err(Verdict::Kind { kind: terms.kind });
        }
        if !terms.purposes.iter().any(|purpose| self.purpose.is_under(purpose)) {
            return Err(Verdict::Purpose { purpose: self.purpose.clone() });
        }
        if let Some(operation) = self.query.operations().into_iter().find(|operation| !terms.operations.contains(operation)) {
            return Err(Verdict::Operation { operation });
        }
        if let Some(column) = self.query.columns().into_iter().find(|column| !terms.columns.contains(column)) {
            return Err(Verdict::Column { column });
        }
        if self.query.from() != &root.name {
            return Err(Verdict::Dataset);
        }
        let (expected, found) = (terms.budget.model(), self.price.model());
        if expected != found {
            return Err(Verdict::Model { expected, found });
        }
        if self.price.is_zero() {
            return Err(Verdict::Price);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::id::{ColumnName, Name};
    use crate::key::{Signer as _, SigningKey};
    use crate::query::{Item, Operation};
    use crate::random::RecordedRandom;
    use crate::right::{Block, Refusal, Terms};

    const LEDGER: LedgerId = LedgerId::from_bytes([1; 32]);

    fn second(unix_s: u64) -> Time {
        Time::from_unix_s(unix_s)
    }

    /// A right until second 10,000.
    fn right(kind: RightKind) -> Verified {
        let key = |name| SigningKey::generate(&mut RecordedRandom::from_seed(name));
        let terms = Terms {
            kind,
            operations: [Operation::Count].into(),
            columns: [ColumnName::new("age").unwrap()].into(),
            purposes: [Purpose::new("research").unwrap()].into(),
            budget: Loss::approx("1", "0").unwrap(),
            uses: 1,
            not_after: second(10_000),
            delegation: 0,
            not_before: Some(second(1_000)),
        };
        let block = Block {
            ledger: LEDGER,
            dataset: DatasetId::from_bytes([2; 32]),
            name: Name::new("people").unwrap(),
            schema: Digest::of(b"schema"),
            holder: key("holder").public().clone(),
            terms,
            issued_at: second(500),
            nonce: Nonce::from_bytes([3; 16]),
        };
        Right::of(&Signed::sign(block, &key("owner")).unwrap())
    }

    fn request(right: &Verified, issued_at: u64, expires_at: u64) -> Request {
        let root = right.root();
        Request {
            audience: LEDGER,
            dataset: root.dataset,
            schema: root.schema,
            right: right.bytes().to_vec(),
            query: Query::new(root.name.clone(), vec![Item::count_rows()], Vec::new(), None).unwrap(),
            price: Loss::approx("0.1", "0").unwrap(),
            purpose: Purpose::new("research:health").unwrap(),
            nonce: Nonce::from_bytes([4; 16]),
            issued_at: second(issued_at),
            expires_at: second(expires_at),
            seen: None,
        }
    }

    #[test]
    fn a_right_ends_at_its_exp_and_a_request_300_s_after_its_own() {
        let right = right(RightKind::Process);
        let of_right = request(&right, 1_000, 20_000);
        let ends = |request: &Request, at: u64| match request.check(&right, LEDGER, second(at)) {
            Err(Verdict::Expired { not_after, .. }) => Some(not_after.unix_s()),
            other => other.map(|()| None).unwrap(),
        };
        assert_eq!([9_999, 10_000, 10_001].map(|at| ends(&of_right, at)), [None, Some(10_000), Some(10_000)]);
        let of_request = request(&right, 1_000, 5_000);
        assert_eq!([5_000, 5_299, 5_300, 5_301].map(|at| ends(&of_request, at)), [None, None, Some(5_000), Some(5_000)]);
        // The first second is within.
        assert!(matches!(of_right.check(&right, LEDGER, second(999)), Err(Verdict::NotYet { .. })));
        assert_eq!(ends(&of_right, 1_000), None);
        // Earlier versions charged in the very second; their receipts stay good, and no later ones do.
        let charged = |request: &Request, at| request.check_charged(&right, LEDGER, second(at)).is_ok();
        assert_eq!(
            [(&of_right, 10_000), (&of_right, 10_001), (&of_request, 5_300), (&of_request, 5_301)].map(|(r, at)| charged(r, at)),
            [true, false, true, false]
        );
    }

    #[test]
    fn a_right_to_operate_asks_nothing() {
        let right = right(RightKind::Operate);
        let request = request(&right, 1_000, 5_000);
        let verdict = request.check(&right, LEDGER, second(2_000)).unwrap_err();
        assert!(matches!(verdict, Verdict::Kind { kind: RightKind::Operate }), "{verdict}");
        let own = (request.price, right.terms().budget, 1);
        assert_eq!(verdict.refusal(Some(own)), Refusal::NotAllowed);
        assert_eq!(verdict.refusal(None), Refusal::Refused);
        let ask = crate::right::Ask::new(request.query, request.price).expiry_s(60);
        let mut random = RecordedRandom::from_seed("nonce");
        let holder = SigningKey::generate(&mut RecordedRandom::from_seed("holder"));
        let error = Request::sign(&right, ask, second(2_000), &mut random, &holder).unwrap_err();
        assert!(error.to_string().contains("operate asks nothing until rights can be passed on"), "{error}");
    }
}
