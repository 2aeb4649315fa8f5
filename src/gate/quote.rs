//! Quotes: the price of a request, its shares and the widths it buys; a function of no cell.

use super::AnswerError;
use super::environment::Environment;
use super::service::Service;
use super::verify::refused;
use crate::budget::Loss;
use crate::id::Decimal;
use crate::right::Verdict;

/// What a request would cost and give. A function of request, right and description; no cell is touched.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Quote {
    /// What would be charged.
    pub price: Loss,
    /// What the holder's right has left before.
    pub remaining: Loss,
    /// Uses it has left before.
    pub uses_left: u64,
    /// How many groups the answer would have; nothing while the data say which there are.
    pub groups: Option<usize>,
    /// What is paid for, with its part of the price.
    pub steps: Vec<Share>,
    /// Whether the steps are accounted as one plan, so that their parts add up to more than the price.
    pub planned: bool,
    /// One for each value column.
    pub widths: Vec<QuotedWidth>,
}

/// A part of the price.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Share {
    /// What it pays for, in words.
    pub step: String,
    /// How much.
    pub price: Loss,
    /// For quantiles the part of each level.
    pub levels: Vec<Loss>,
}

/// Half the width of a value's interval.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct QuotedWidth {
    /// The value column.
    pub column: String,
    /// Half the width of counts and sums; nothing for ratios, whose width depends on the group's size.
    pub half: Option<Decimal>,
    /// How it is known.
    pub method: &'static str,
}

impl<E: Environment> Service<E> {
    /// The least price, with the delta of the request, at which counts and sums (or the named one) are as narrow as that.
    pub(crate) fn price_for(&self, bytes: &[u8], half: Decimal, column: Option<&str>) -> Result<Loss, AnswerError> {
        let (request, _, bound, own) = self.bind(bytes)?;
        let (Loss::Approx { delta, .. } | Loss::Zcdp { delta, .. }) = request.value().price;
        let price = bound.price_for(half, column, request.value().price.model(), delta);
        price.map_err(|error| refused(Verdict::Query(error.to_string()), Some(own)))
    }

    pub(crate) fn quote(&self, bytes: &[u8]) -> Result<Quote, AnswerError> {
        let verified = self.verify(bytes)?;
        let state = self.right_state(verified.right.id())?;
        let terms = verified.right.terms();
        let (remaining, uses_left) = state.map_or((terms.budget, terms.uses), |state| (state.balance.left(), state.uses_left));
        let (bound, allocation) = (&verified.bound, &verified.allocation);
        let widths = bound.labels().iter().zip(allocation.widths(None)).map(|(label, width)| QuotedWidth {
            column: label.clone(),
            half: width.half,
            method: width.method,
        });
        let steps = bound.steps().iter().zip(allocation.shares()).enumerate().map(|(place, (step, price))| Share {
            step: bound.describe(step),
            price: *price,
            levels: allocation.levels(place).to_vec(),
        });
        Ok(Quote {
            price: verified.price.loss,
            remaining,
            uses_left,
            groups: bound.cells(),
            steps: steps.collect(),
            planned: allocation.is_planned(),
            widths: widths.collect(),
        })
    }
}
