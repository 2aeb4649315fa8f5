//! A question under a right, as `request`, `quote` and `ask` take it: SQL text to a signed request.

use std::path::PathBuf;

use clap::Args;
use usufruct::envelope::Signed;
use usufruct::holder::{Holder, SeenFile};
use usufruct::id::{Purpose, Time};
use usufruct::key::SigningKey;
use usufruct::ledger::origin_of;
use usufruct::query::Query;
use usufruct::random::SystemRandom;
use usufruct::right::{Ask, CHAIN_BYTES_MAX, EXPIRY_DEFAULT_S, Request, Right};

use crate::failure::{Failure, OrFail};
use crate::file;
use crate::kept::Kept;
use crate::price::Price;

#[derive(Args)]
pub(crate) struct Question {
    /// The right to use
    #[arg(long, value_name = "R.right")]
    right: PathBuf,
    /// The holder's private key; KEY.seen beside it remembers the last checkpoint
    #[arg(long, value_name = "HOLDER.key")]
    key: PathBuf,
    #[command(flatten)]
    price: Price,
    /// What the answer is for; may be left out when the right has one purpose
    #[arg(long, value_name = "P")]
    purpose: Option<String>,
    /// How long the request is good for: seconds, or a time such as 2030-01-01T00:00:00Z; 24 hours unless told
    #[arg(long, value_name = "SECONDS|TIME")]
    expires: Option<String>,
    /// A checkpoint to hold the gate to, in place of KEY.seen: a signed note, a receipt, or another file of seen checkpoints
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The question: one SELECT of aggregates over the dataset; see docs/request.md
    #[arg(value_name = "SELECT ...")]
    sql: String,
}

/// A signed question, and the file that remembers checkpoints.
pub(crate) struct Asked {
    pub(crate) request: Signed<Request>,
    pub(crate) seen: SeenFile,
}

impl Question {
    /// Signs the question. The right is taken at its word here; the gate verifies it.
    pub(crate) fn sign(&self) -> Result<Asked, Failure> {
        let query = Query::sql(&self.sql).or_fail()?;
        let price = self.price.loss()?;
        let purpose = self.purpose.as_deref().map(Purpose::new).transpose().or_fail()?;
        let now = Time::now();
        let expiry_s = self.expires.as_deref().map_or(Ok(EXPIRY_DEFAULT_S), |text| expiry(text, now))?;
        let right = Right::decode(&file::read(&self.right, CHAIN_BYTES_MAX)?).about(&self.right)?;
        let holder = Holder::new(SigningKey::open(&self.key).about(&self.key)?);
        let remembered = SeenFile::beside(&self.key).or_fail()?;
        let ledger = right.claimed().about(&self.right)?.ledger;
        let seen = match &self.checkpoint {
            // At its word: whoever signs the question is the one who kept it.
            Some(path) => Some(Kept::read(path, &origin_of(ledger))?.claimed()),
            None => right.claimed_owner().and_then(|owner| remembered.under(ledger, owner)),
        };
        let ask = Ask::new(query, price).purpose(purpose).expiry_s(expiry_s).seen(seen);
        let request = holder.request_claimed(&right, ask, now, &mut SystemRandom::new().or_fail()?).or_fail()?;
        Ok(Asked { request, seen: remembered })
    }
}

fn expiry(text: &str, now: Time) -> Result<u64, Failure> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time = Time::parse(text).map_err(|_| Failure::input("--expires: expected seconds, or a time such as 2030-01-01T00:00:00Z"))?;
    if time > now { Ok(time.since_s(now)) } else { Err(Failure::input(format_args!("--expires: {time} is past"))) }
}
