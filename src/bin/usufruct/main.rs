//! The command line of `usufruct`. Exit codes: 0; 1 environment or doubt; 2 bad input; 3 refused; 130 interrupted.

mod answer;
mod apply;
mod artefact;
mod ask;
mod at;
mod audit;
mod classify;
mod desensitise;
mod dialect;
mod failure;
mod file;
mod grant;
mod inspect;
mod interrupt;
mod kept;
mod key;
mod later;
mod output;
mod policy;
mod progress;
mod price;
mod publish;
mod question;
mod quote;
mod records;
mod refill;
mod report;
mod request;
mod say;
mod script;
mod space;
mod status;
mod unique;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::{Exit, Failure};

/// Use data without seeing it: publish a dataset, grant rights of use, answer under a budget, audit everything.
#[derive(Parser)]
#[command(name = "usufruct", version, arg_required_else_help = true, max_term_width = 120)]
#[command(after_help = "\
Example, from data to audit:
  usufruct key new -o owner.key && usufruct key public owner.key -o owner.pub
  usufruct key new -o holder.key && usufruct key public holder.key -o holder.pub
  usufruct key new -o next.key && usufruct key public next.key -o next.pub   # keep next.key offline
  usufruct space new space --key owner.key --next next.pub
  usufruct publish space --describe adult.toml --key owner.key
  usufruct grant --key owner.key --dataset space/cards/adult.dataset --to holder.pub \\
      --terms terms.toml -o use.right
  usufruct ask space --right use.right --key holder.key --epsilon 0.2 \\
      'SELECT sex, AVG(age) FROM adult GROUP BY sex'
  usufruct audit space --key owner.pub

Exit codes: 0 done, 1 environment or doubt, 2 bad input, 3 refused, 130 interrupted")]
struct Cli {
    /// Print one JSON object on stdout; errors stay text on stderr
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Space(space::SpaceVerb),
    #[command(subcommand)]
    Policy(policy::Policy),
    Desensitise(desensitise::Desensitise),
    Publish(publish::Publish),
    Grant(grant::Grant),
    Request(request::Request),
    Answer(answer::Answer),
    Quote(quote::Quote),
    Ask(ask::Ask),
    Inspect(inspect::Inspect),
    Status(status::Status),
    Apply(apply::Apply),
    Audit(audit::Audit),
    Verify(verify::Verify),
    Refill(refill::Refill),
    Classify(classify::Classify),
    #[command(flatten)]
    Later(later::Later),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and usage; a closed stdout ends it quietly.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match interrupt::install().map_err(no_handler).and_then(|()| run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn no_handler(_: ctrlc::Error) -> Failure {
    Failure::new(Exit::Environment, "the handler of Ctrl-C cannot be set")
}

fn run(cli: Cli) -> Result<(), Failure> {
    let json = cli.json;
    match cli.verb {
        Verb::Key(verb) => verb.run(json),
        Verb::Space(verb) => verb.run(json),
        Verb::Policy(verb) => verb.run(json),
        Verb::Desensitise(verb) => verb.run(json),
        Verb::Publish(verb) => verb.run(json),
        Verb::Grant(verb) => verb.run(json),
        Verb::Request(verb) => verb.run(json),
        Verb::Answer(verb) => verb.run(json),
        Verb::Quote(verb) => verb.run(json),
        Verb::Ask(verb) => verb.run(json),
        Verb::Inspect(verb) => verb.run(json),
        Verb::Status(verb) => verb.run(json),
        Verb::Apply(verb) => verb.run(json),
        Verb::Audit(verb) => verb.run(json),
        Verb::Verify(verb) => verb.run(json),
        Verb::Refill(verb) => verb.run(json),
        Verb::Classify(verb) => verb.run(json),
        Verb::Later(verb) => verb.run(),
    }
}
