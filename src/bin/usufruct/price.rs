//! The options by which an amount of budget is given: epsilon or rho, and the delta beside it.

use clap::Args;
use usufruct::budget::Loss;

use crate::failure::{Failure, OrFail};

/// An amount of budget in the unit of its dataset.
#[derive(Args)]
pub(crate) struct Price {
    /// An amount of epsilon, a decimal such as 0.2
    #[arg(long, value_name = "E", allow_hyphen_values = true, required_unless_present = "rho", conflicts_with = "rho")]
    epsilon: Option<String>,
    /// An amount of rho, for datasets that count in zcdp
    #[arg(long, value_name = "R", allow_hyphen_values = true)]
    rho: Option<String>,
    /// The delta beside it, a decimal such as 0.000001
    #[arg(long, value_name = "D", default_value = "0", allow_hyphen_values = true)]
    delta: String,
}

impl Price {
    pub(crate) fn loss(&self) -> Result<Loss, Failure> {
        match (&self.epsilon, &self.rho) {
            (Some(epsilon), None) => Loss::approx(epsilon, &self.delta).or_fail(),
            (None, Some(rho)) => Loss::zcdp(rho, &self.delta).or_fail(),
            // The parser has seen to it.
            _ => Err(Failure::input("one of --epsilon and --rho is needed")),
        }
    }
}
