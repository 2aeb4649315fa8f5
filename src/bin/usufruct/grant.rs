//! The verb `grant`: the owner signs a right, and registers it where the space is at hand.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usufruct::Time;
use usufruct::dataset::Card;
use usufruct::envelope::Artefact as _;
use usufruct::key::SigningKey;
use usufruct::owner::Owner;
use usufruct::random::SystemRandom;
use usufruct::right::Terms;

use crate::at::Wait;
use crate::failure::{Failure, OrFail};
use crate::file::{self, Target};
use crate::{key, output};

/// Sign a right: the holder of a key may use a dataset under these terms
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct grant --key owner.key --dataset space/cards/adult.dataset --to holder.pub \\
      --terms terms.toml -o use.right

terms.toml:
  kind = \"process\"
  operations = [\"count\", \"mean\"]        # count_distinct, sum, variance, quantile, histogram, bounds, top_k too
  columns = [\"sex\", \"age\"]              # also those of WHERE and GROUP BY
  purposes = [\"research:health\"]
  budget = { epsilon = \"1.0\" }             # or { rho = \"0.5\", delta = \"0\" }, in the unit of the dataset
  uses = 100
  not_after = \"2030-01-01T00:00:00Z\"

The right can be used at once; with --space it is also registered there, and refused when live rights would promise more than the dataset has left.")]
pub(crate) struct Grant {
    /// The owner's private key
    #[arg(long, value_name = "OWNER.key")]
    key: PathBuf,
    /// The card that `publish` wrote
    #[arg(long, value_name = "NAME.dataset")]
    dataset: PathBuf,
    /// The holder's public key
    #[arg(long, value_name = "HOLDER.pub")]
    to: PathBuf,
    /// The terms
    #[arg(long, value_name = "T.toml")]
    terms: PathBuf,
    /// Register the right in this space and check it against the live ones
    #[arg(long, value_name = "DIR")]
    space: Option<PathBuf>,
    /// Promise more than the dataset has left
    #[arg(long, requires = "space")]
    oversubscribe: bool,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Told<'a> {
    id: String,
    right: &'a Path,
    dataset: String,
    holder: String,
    not_after: String,
    registered: bool,
}

impl Grant {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let owner = Owner::new(SigningKey::open(&self.key).about(&self.key)?);
        let card = file::read(&self.dataset, Card::PAYLOAD_BYTES_MAX + 1024)?;
        let card = owner.read_card(&card).about(&self.dataset)?;
        let holder = key::public(&self.to)?;
        let terms = Terms::read(&self.terms).about(&self.terms)?;
        let (not_after, mut random) = (terms.not_after, SystemRandom::new().or_fail()?);
        let right = owner.grant(&card, &holder, terms, Time::now(), &mut random).about(&self.terms)?;

        let output = self.target.begin()?;
        match &self.space {
            None => file::finish(output, right.bytes())?,
            // The file comes before the entry: a crash between the two leaves a right that can be used or applied, never a budget
            // promised to a right that nobody has.
            Some(dir) => {
                let space = self.wait.open(dir)?;
                space.check_grant(right.bytes(), self.oversubscribe).or_fail()?;
                file::finish(output, right.bytes())?;
                let again = format!("the right is in {}: `usufruct apply` registers it", self.target.out.display());
                space.grant(right.bytes(), self.oversubscribe).or_fail().map_err(|failure| failure.hint(again))?;
            }
        }

        let (id, name, path) = (right.id().to_string(), right.root().name.clone(), self.target.out.display());
        if json {
            return output::print_json(&Told {
                id,
                right: &self.target.out,
                dataset: right.root().dataset.to_string(),
                holder: holder.id().to_string(),
                not_after: not_after.to_string(),
                registered: self.space.is_some(),
            });
        }
        output::print(&output::lines(&[
            &format!("right   {id}"),
            &format!("for     key {}, to use {name} until {not_after}", holder.id()),
            &format!("file    {path}"),
        ]))
    }
}
