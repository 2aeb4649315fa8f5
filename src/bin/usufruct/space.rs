use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use usufruct::file::ReadError;
use usufruct::key::{KeyError, Signer as _, SigningKey};
use usufruct::random::SystemRandom;
use usufruct::space::Space;

use crate::failure::{Failure, OrFail};
use crate::{key, output, question};

/// Make a space, the folder where data, ledger and gate live
#[derive(Subcommand)]
pub(crate) enum SpaceVerb {
    New(New),
}

/// Make a space: a gate key certified by the owner, and the first entries of its ledger
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct space new space --key owner.key --next next.pub

where next.pub is of a key made by
  usufruct key new -o next.key && usufruct key public next.key -o next.pub

Only the owner's public key enters the space. The next key is the one the owner can rotate to: keep next.key offline, as safe
as the owner's.")]
pub(crate) struct New {
    /// Folder to make
    dir: PathBuf,
    /// The owner's private key
    #[arg(long, value_name = "OWNER.key")]
    key: PathBuf,
    /// Public key to rotate to; without it OWNER.next.key beside the owner's is used, and made if it is not there
    #[arg(long, value_name = "NEXT.pub")]
    next: Option<PathBuf>,
}

#[derive(Serialize)]
struct Told<'a> {
    space: &'a Path,
    ledger: String,
    owner: String,
    next_key: Option<&'a Path>,
}

impl SpaceVerb {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let Self::New(verb) = self;
        verb.run(json)
    }
}

impl New {
    fn run(self, json: bool) -> Result<(), Failure> {
        let owner = SigningKey::open(&self.key).about(&self.key)?;
        if self.dir.symlink_metadata().is_ok() {
            return Err(Failure::input(format_args!("{} exists; a space is never made over something else", self.dir.display())));
        }
        let mut made = None;
        let next = match &self.next {
            Some(path) => key::public(path)?,
            None => {
                let path = self.key.with_extension("next.key");
                match SigningKey::open(&path) {
                    Ok(next) => {
                        output::say(format_args!("the key to rotate to is {}, which was there", path.display()));
                        next.public().clone()
                    }
                    Err(KeyError::File(ReadError::Open { kind: ErrorKind::NotFound, .. })) => {
                        // Before the space, which would commit to a key that nobody has.
                        let next = SigningKey::generate(&mut SystemRandom::new().or_fail()?);
                        next.create(&path).about(&path)?;
                        made = Some(path);
                        next.public().clone()
                    }
                    Err(error) => return Err(error).about(&path),
                }
            }
        };
        let space = Space::create(&self.dir, &owner, &next, question::now()).or_fail().inspect_err(|_| {
            if let Some(path) = &made {
                // It was made for this space alone.
                let _ = std::fs::remove_file(path);
            }
        })?;
        if let Some(path) = &made {
            output::say(format_args!("made {}, the key to rotate to: move it to a safe place", path.display()));
        }
        let ledger = space.ledger_id().to_string();
        if json {
            let told = Told { space: &self.dir, ledger, owner: owner.public().id().to_string(), next_key: made.as_deref() };
            return output::print_json(&told);
        }
        output::print(&output::lines(&[&format!("space   {}", self.dir.display()), &format!("ledger  {ledger}")]))
    }
}
