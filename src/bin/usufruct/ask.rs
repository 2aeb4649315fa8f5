//! The verb `ask`: sign, charge, answer and verify on one machine.

use clap::Args;
use usufruct::auditor::Auditor;

use crate::answer::{self, ReceiptTarget};
use crate::at::At;
use crate::failure::{Exit, Failure, OrFail};
use crate::question::{Asked, Question};
use crate::{file, output};

/// Ask and answer on one machine: sign, charge, answer, verify the receipt
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct ask space --right use.right --key holder.key --epsilon 0.2 --receipt q.receipt \\
      'SELECT sex, COUNT(*), AVG(age) FROM adult GROUP BY sex'

The signed request is kept in the space before anything is charged; stderr says how to resume with it.")]
pub(crate) struct Ask {
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    question: Question,
    #[command(flatten)]
    receipt: ReceiptTarget,
}

impl Ask {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let Asked { request, mut seen } = self.question.sign()?;
        let space = self.at.open()?;
        let auditor = Auditor::new(space.owner().key().clone());
        let gate = space.gate();
        let output = self.receipt.begin()?;
        let (_, kept) = gate.keep(request.bytes()).or_fail()?;
        output::say(format_args!("to resume: usufruct answer {} {}", self.at.dir.display(), kept.display()));
        let (release, description) = answer::release(&gate, request.bytes())?;
        drop((gate, space));

        // The holder believes the receipt, not the gate.
        let mut remembered = Ok(());
        if let Some(bundle) = answer::bundle(&release, request.bytes()) {
            let proof = auditor
                .verify_bundle(&bundle)
                .map_err(|error| Failure::new(Exit::Environment, format_args!("the gate's receipt does not verify: {error}")))?;
            if let Some(output) = output {
                file::finish(output, &bundle.encode())?;
            }
            remembered = seen.remember(&proof.checkpoint).or_fail();
        }
        // What was paid for is shown, also by a gate that keeps two histories.
        self.receipt.print(&release, request.bytes(), &description, json)?;
        remembered
    }
}
