//! What needs neither cells nor randomness nor the ledger's pen.

use super::course::VerifiedRequest;
use super::environment::Environment;
use super::registry::Lineage;
use super::service::Service;
use super::{AnswerError, GateError};
use std::sync::Arc;

use crate::budget::{Balance, Loss};
use crate::envelope::Signed;
use crate::id::{AccountId, Name, RightId, Time};
use crate::ledger::{Account, GateCertificate, LedgerView, Measure};
use crate::plan::{Allocation, BoundQuery};
use crate::query::{Expression, Item, Query};
use crate::receipt::COLUMNS_MAX;
use crate::right::{Accounts, Request, SKEW_S, Verdict, Verified, verify_request};

/// A request, its right, the bound query, and price, remaining and uses of the right for a refusal.
pub(super) type Bindings = (Signed<Request>, Verified, BoundQuery, Own);

/// What a holder may know of the own right in a refusal: price, remaining, uses left.
pub(super) type Own = (Loss, Loss, u64);

/// A right's account, for the owner's tools.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountState {
    /// Its account in the ledger.
    pub account: AccountId,
    /// Limit and spent.
    pub balance: Balance,
    /// Answers it may still get.
    pub uses_left: u64,
}

impl<E: Environment> Service<E> {
    /// Checks everything.
    pub(super) fn verify(&self, bytes: &[u8]) -> Result<VerifiedRequest, AnswerError> {
        let (request, right, bound, own) = self.bind(bytes)?;
        let price = request.value().price;
        let allocation = Allocation::new(&bound, price).map_err(|error| refused(Verdict::Query(error.to_string()), Some(own)))?;
        Ok(VerifiedRequest { request, right, bound, allocation, price: Measure { loss: price, uses: 1 } })
    }

    /// Everything but the price.
    pub(super) fn bind(&self, bytes: &[u8]) -> Result<Bindings, AnswerError> {
        let (request, right) = verify_request(bytes, &self.owner).map_err(|verdict| refused(verdict, None))?;
        let own = self.own_balance(&right, request.value().price)?;
        let checked = self.now().and_then(|now| {
            // Also by the time that the entry will have, which is what a receipt is checked against.
            let entry_time = self.store.view().map_or(now, |view| view.head().quantum().floor(now));
            request.value().check(&right, self.ledger_id, now)?;
            request.value().check(&right, self.ledger_id, entry_time)
        });
        checked.map_err(|verdict| refused(verdict, Some(own)))?;
        let bound = || -> Result<BoundQuery, Verdict> {
            let lineage = self.registry().dataset(&request.value().dataset).cloned().ok_or(Verdict::UnknownDataset)?;
            if lineage.schema != request.value().schema {
                return Err(Verdict::Dataset);
            }
            if request.value().price.model() != lineage.description.budget().model() {
                return Err(Verdict::Price);
            }
            let bound =
                BoundQuery::new(&request.value().query, lineage.description.schema()).map_err(|error| Verdict::Query(error.to_string()))?;
            if answer_columns(&request.value().query, &bound).is_none_or(|columns| columns.len() > COLUMNS_MAX) {
                return Err(Verdict::Query(format!("the answer has more than {COLUMNS_MAX} columns, or one with too long a name: use AS")));
            }
            Ok(bound)
        };
        let bound = bound().map_err(|verdict| refused(verdict, Some(own)))?;
        Ok((request, right, bound, own))
    }

    pub(super) fn lineage(&self, verified: &VerifiedRequest) -> Result<Arc<Lineage>, AnswerError> {
        let lineage = self.registry().dataset(&verified.request.value().dataset).cloned();
        lineage.ok_or_else(|| self.refuse(Verdict::UnknownDataset, Some(verified)))
    }

    pub(crate) fn right_state(&self, id: RightId) -> Result<Option<AccountState>, GateError> {
        let Some(account) = self.account_of(id)? else { return Ok(None) };
        let state = self.view()?.account(&account)?;
        Ok(state.map(|state| AccountState { account, balance: *state.balance(), uses_left: state.uses_left() }))
    }

    /// Price and what the holder's own right has left.
    fn own_balance(&self, right: &Verified, price: Loss) -> Result<Own, AnswerError> {
        let state = self.right_state(right.id())?;
        let (left, uses) = state.map_or((right.terms().budget, right.terms().uses), |state| (state.balance.left(), state.uses_left));
        Ok((price, left, uses))
    }

    pub(super) fn refuse(&self, verdict: Verdict, verified: Option<&VerifiedRequest>) -> AnswerError {
        let own = verified.and_then(|verified| self.own_balance(&verified.right, verified.price.loss).ok());
        refused(verdict, own)
    }
}

/// From the first to the last second at which an entry may charge the request: within it and its right, and while the gate's
/// certificate covers it, so that the receipt verifies.
pub(super) fn window(verified: &VerifiedRequest, certificate: &GateCertificate) -> (Time, Time) {
    let (request, terms) = (verified.request.value(), verified.right.terms());
    let issued = Time::from_unix_s(request.issued_at.unix_s().saturating_sub(SKEW_S));
    let from = terms.not_before.unwrap_or(issued).max(issued).max(certificate.not_before);
    let end = request.expires_at.plus_s(SKEW_S).min(terms.not_after).min(certificate.not_after);
    (from, Time::from_unix_s(end.unix_s().saturating_sub(1)))
}

/// The names of the selected keys, then those of the values.
pub(super) fn answer_columns(query: &Query, bound: &BoundQuery) -> Option<Vec<Name>> {
    let keys = query.select().iter().filter(|item| matches!(item.expression(), Expression::Key(_))).map(Item::output_name);
    keys.chain(bound.labels().iter().cloned()).map(|name| Name::new(&name).ok()).collect()
}

/// Both budgets and the uses, before anything is written: a refused request leaves no entry (rule C5).
pub(super) fn check_budgets(
    view: &dyn LedgerView,
    verified: &VerifiedRequest,
    lineage: &Lineage,
    right: Option<AccountId>,
) -> Result<Result<(), Verdict>, GateError> {
    let terms = verified.right.terms();
    let right = match right {
        Some(account) => view.account(&account)?,
        None => None,
    };
    let Some(dataset) = view.account(&lineage.account)? else { return Ok(Err(Verdict::UnknownDataset)) };
    Ok(fits(&dataset, right.as_ref(), verified.price.loss, terms.budget, terms.uses))
}

fn fits(dataset: &Account, right: Option<&Account>, requested: Loss, budget: Loss, uses: u64) -> Result<(), Verdict> {
    let (balance, uses_left) = right.map_or((Balance::new(budget), uses), |account| (*account.balance(), account.uses_left()));
    let dataset = *dataset.balance();
    let accounts = || Box::new(Accounts { requested, dataset, right: balance, uses, uses_left });
    balance.check(&requested).map_err(|_| Verdict::RightBudget { accounts: accounts() })?;
    if uses_left == 0 {
        return Err(Verdict::Uses { accounts: accounts() });
    }
    dataset.check(&requested).map_err(|_| Verdict::DatasetBudget { accounts: accounts() })
}

pub(super) fn refused(verdict: Verdict, own: Option<Own>) -> AnswerError {
    let refusal = verdict.refusal(own);
    AnswerError::Refused { verdict: Arc::new(verdict), refusal }
}
