//! The verb `request`: the holder's side of a question, offline.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::file::{self, Target};
use crate::output::{self, Amount};
use crate::question::Question;

/// Sign a question under a right, offline; `usufruct answer` on the gate's side answers it
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct request --right use.right --key holder.key --epsilon 0.2 -o q.request \\
      'SELECT sex, COUNT(*), AVG(age) FROM adult WHERE age >= 18 GROUP BY sex'")]
pub(crate) struct Request {
    #[command(flatten)]
    question: Question,
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Told<'a> {
    id: String,
    request: &'a Path,
    price: Amount,
    expires_at: String,
}

impl Request {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let output = self.target.begin()?;
        let request = self.question.sign()?.request;
        file::finish(output, request.bytes())?;
        let (id, asked, path) = (request.id().to_string(), request.value(), &self.target.out);
        if json {
            let (price, expires_at) = (Amount::of(asked.price), asked.expires_at.to_string());
            return output::print_json(&Told { id, request: path, price, expires_at });
        }
        output::print(&output::lines(&[
            &format!("request {id}"),
            &format!("price   {}, good until {}", asked.price, asked.expires_at),
            &format!("file    {}", path.display()),
        ]))
    }
}
