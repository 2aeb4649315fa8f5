use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usufruct::dataset::Card;
use usufruct::envelope::Artefact as _;
use usufruct::id::DatasetId;
use usufruct::key::SigningKey;
use usufruct::ledger::RefillReason;
use usufruct::owner::Owner;
use usufruct::space::Space;

use crate::failure::{Failure, OrFail};
use crate::file;
use crate::output::{self, Amount};
use crate::price::Price;

/// Add budget to a dataset, for a reason that every audit shows first
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct refill space --key owner.key --dataset adult --epsilon 1 --reason accepted

Reasons: `disjoint_units` when the new version holds other units than any before, `accepted` when the owner accepts that the units of this dataset lose more privacy.")]
pub(crate) struct Refill {
    /// The space
    dir: PathBuf,
    /// The owner's private key
    #[arg(long, value_name = "OWNER.key")]
    key: PathBuf,
    /// The dataset: its name, or its card
    #[arg(long, value_name = "NAME|CARD")]
    dataset: String,
    #[command(flatten)]
    amount: Price,
    /// Why: accepted, or disjoint_units
    #[arg(long)]
    reason: String,
}

#[derive(Serialize)]
struct Told {
    dataset: String,
    refill: Amount,
    number: u64,
    remaining: Amount,
}

impl Refill {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let reason =
            RefillReason::from_name(&self.reason).ok_or_else(|| Failure::input("--reason: expected accepted or disjoint_units"))?;
        let amount = self.amount.loss()?;
        if amount.is_zero() {
            return Err(Failure::input("a refill must be more than nothing"));
        }
        let owner = Owner::new(SigningKey::open(&self.key).about(&self.key)?);
        let space = Space::open(&self.dir).or_fail()?;
        let dataset = self.find(&space, &owner)?;
        let number = space.next_refill(&dataset).or_fail()?;
        let signed = owner.refill(dataset, number, amount, reason).or_fail()?;
        let left = space.refill(signed.bytes()).or_fail()?;
        if json {
            let (refill, remaining) = (Amount::of(amount), Amount::of(left));
            return output::print_json(&Told { dataset: dataset.to_string(), refill, number, remaining });
        }
        output::print(&format!("refill {number} of dataset {dataset}: {amount} ({}); {left} left\n", reason.name()))
    }

    fn find(&self, space: &Space, owner: &Owner) -> Result<DatasetId, Failure> {
        let named = space.datasets().or_fail()?.into_iter().find(|state| state.description.name().as_str() == self.dataset);
        if let Some(state) = named {
            return Ok(state.id);
        }
        let path = Path::new(&self.dataset);
        if !path.is_file() {
            return Err(Failure::input(format_args!("--dataset: {} is neither a dataset of this space nor a card", self.dataset)));
        }
        Ok(owner.read_card(&file::read(path, Card::PAYLOAD_BYTES_MAX + 1024)?).about(path)?.value().dataset)
    }
}
