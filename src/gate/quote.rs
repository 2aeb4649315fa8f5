use super::AnswerError;
use super::desk::Desk;
use super::environment::Environment;
use crate::budget::Loss;
use crate::id::Decimal;
use crate::query::Expression;

/// What a request would cost and give. A function of request, right and description; no cell is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What would be charged.
    pub price: Loss,
    /// What the holder's right has left before.
    pub remaining: Loss,
    /// Uses it has left before.
    pub uses_left: u64,
    /// How many groups the answer would have.
    pub groups: usize,
    /// One for each value column.
    pub widths: Vec<Width>,
}

/// Half the width of a value's interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Width {
    /// The value column.
    pub column: String,
    /// Half the width of counts and sums; nothing for ratios, whose width depends on the group's size.
    pub half: Option<Decimal>,
    /// How it is known.
    pub method: &'static str,
}

impl<E: Environment> Desk<E> {
    pub(super) fn quote(&self, bytes: &[u8]) -> Result<Quote, AnswerError> {
        let verified = self.verify(bytes)?;
        let state = self.right_state(verified.right.id())?;
        let terms = verified.right.terms();
        let (remaining, uses_left) = state.map_or((terms.budget, terms.uses), |state| (state.balance.left(), state.uses_left));
        let values = verified.request.value().query.select().iter().filter(|item| !matches!(item.expression(), Expression::Key(_)));
        let widths = values.zip(verified.split.widths(None)).map(|(item, width)| Width {
            column: item.output_name(),
            half: width.half,
            method: width.method,
        });
        Ok(Quote { price: verified.price.loss, remaining, uses_left, groups: verified.bound.cells(), widths: widths.collect() })
    }
}
