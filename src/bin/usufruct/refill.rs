//! The verb `refill`: more budget for a dataset, at once or as a signed file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usufruct::dataset::Card;
use usufruct::envelope::Artefact as _;
use usufruct::file::{Output, OutputOptions};
use usufruct::id::DatasetId;
use usufruct::key::SigningKey;
use usufruct::ledger::RefillReason;
use usufruct::owner::Owner;

use crate::at::Wait;
use crate::failure::{Failure, OrFail};
use crate::file;
use crate::output::{self, Amount};
use crate::price::Price;

/// Add budget to a dataset, for a reason that every audit shows first
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct refill space --key owner.key --dataset adult --epsilon 1 --reason accepted

Reasons: `disjoint_units` when the new version holds other units than any before, `accepted` when the owner accepts that the units of this dataset lose more privacy. With --out nothing but the card and the number (`usufruct status`) is needed, and `usufruct apply` takes the file.")]
pub(crate) struct Refill {
    /// The space; not needed with --out
    #[arg(required_unless_present = "out")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    wait: Wait,
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
    /// Write the signed refill to this file, for `apply`
    #[arg(short, long, value_name = "FILE", requires = "number", conflicts_with = "dir")]
    out: Option<PathBuf>,
    /// With --out: the number of the refill, from 1
    #[arg(long, value_name = "N", requires = "out")]
    number: Option<u64>,
}

#[derive(Serialize)]
struct Told {
    dataset: String,
    refill: Amount,
    number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining: Option<Amount>,
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
        let (dataset, number, left) = match (&self.out, self.number, &self.dir) {
            (Some(out), Some(number), _) => {
                let output = Output::create(out, OutputOptions { force: false, private: false }).or_fail()?;
                let dataset = self.card(&owner)?;
                file::finish(output, owner.refill(dataset, number, amount, reason).or_fail()?.bytes())?;
                (dataset, number, None)
            }
            (_, _, Some(dir)) => {
                let space = self.wait.open(dir)?;
                let named = space.datasets().or_fail()?.into_iter().find(|state| state.description.name().as_str() == self.dataset);
                let dataset = named.map_or_else(|| self.card(&owner), |state| Ok(state.id))?;
                let number = space.next_refill(&dataset).or_fail()?;
                let signed = owner.refill(dataset, number, amount, reason).or_fail()?;
                (dataset, number, Some(space.refill(signed.bytes()).or_fail()?))
            }
            _ => return Err(Failure::input("a space, or --out and --number, are needed")),
        };
        if json {
            let (refill, remaining) = (Amount::of(amount), left.map(Amount::of));
            return output::print_json(&Told { dataset: dataset.to_string(), refill, number, remaining });
        }
        let left = left.map_or_else(|| "signed, not applied yet".to_owned(), |left| format!("{left} left"));
        output::print(&format!("refill {number} of dataset {dataset}: {amount} ({}); {left}\n", reason.name()))
    }

    fn card(&self, owner: &Owner) -> Result<DatasetId, Failure> {
        let path = Path::new(&self.dataset);
        if !path.is_file() {
            return Err(Failure::input(format_args!("--dataset: {} is neither a dataset of the space nor a card", self.dataset)));
        }
        Ok(owner.read_card(&file::read(path, Card::PAYLOAD_BYTES_MAX + 1024)?).about(path)?.value().dataset)
    }
}
