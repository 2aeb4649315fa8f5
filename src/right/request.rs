//! Requests: one use of a right, signed by its holder.

use super::chain::{CHAIN_BYTES_MAX, Right, Verified};
use super::terms::RightKind;
use super::verdict::Verdict;
use crate::budget::Loss;
use crate::codec::{Bytes, Positive, record};
use crate::envelope::{Signed, Untrusted, artefact};
use crate::id::{DatasetId, Digest, LedgerId, Nonce, Purpose, RequestId, Time};
use crate::key::KeySet;
use crate::query::Query;

/// How long a request is good for when nothing is said.
pub const EXPIRY_DEFAULT_S: u64 = 24 * 3600;
/// The longest a request may be good for; answers are kept that long.
pub const EXPIRY_MAX_S: u64 = 7 * 24 * 3600;
/// How far two honest clocks may differ.
pub const SKEW_S: u64 = 300;
/// A chain, a query of 16 KiB and the rest.
pub const REQUEST_BYTES_MAX: usize = CHAIN_BYTES_MAX + 32 * 1024;

record! {
    /// The last checkpoint a holder has seen: size and root of the ledger. Size 0 for a holder who has seen none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Seen [
        /// Number of entries.
        pub size: u64 as Positive,
        /// Root of the tree.
        pub root: Digest,
    ]
}

record! {
    /// One use of a right, signed by its holder (rule C1). No SQL and no derived claims: the gate derives operations
    /// and columns from the query itself.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Request, format -65_537 {
        /// From [`SKEW_S`] after this second on it is refused (`exp` of RFC 8392, with the clocks' skew).
        4 => pub expires_at: Time,
        /// When it was signed.
        6 => pub issued_at: Time,
        /// Used once by this holder.
        7 => pub nonce: Nonce,
        /// The ledger the request is for, and no other.
        -65_538 => pub audience: LedgerId,
        /// The dataset.
        -65_539 => pub dataset: DatasetId,
        /// The schema the query was written for.
        -65_541 => pub schema: Digest,
        /// What the answer is for.
        -65_545 => pub purpose: Purpose,
        /// What the whole request may cost; it is what will be charged.
        -65_546 => pub price: Loss,
        /// The whole chain.
        -65_560 => pub right: Vec<u8> as Bytes<CHAIN_BYTES_MAX>,
        /// The typed query.
        -65_561 => pub query: Query,
        /// The last checkpoint the holder has seen.
        -65_562 => pub seen: Option<Seen>,
    }
}

impl Signed<Request> {
    /// The id of the request: a hash of its payload, never of its signature.
    #[must_use]
    pub fn id(&self) -> RequestId {
        RequestId::from_bytes(*self.digest().as_bytes())
    }
}

artefact!(Request, REQUEST, "usufruct-request+cbor", REQUEST_BYTES_MAX);

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
    use crate::codec::{Record, assert_documented};
    use crate::id::{ColumnName, Name};
    use crate::key::{Signer as _, SigningKey};
    use crate::query::{Item, Operation};
    use crate::random::RecordedRandom;
    use crate::right::{Block, Refusal, Terms};

    const LEDGER: LedgerId = LedgerId::from_bytes([1; 32]);

    #[test]
    fn the_page_lists_its_claims() {
        assert_documented(include_str!("../../docs/request.md"), "## Claims", Request::TABLE);
    }

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
