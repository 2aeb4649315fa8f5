//! The verbs `space new`, `certify`, `quantum` and `clock`: a space and what its owner changes about it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use usufruct::envelope::{Artefact, Signed};
use usufruct::file::ReadError;
use usufruct::gate::{NextActs, SpaceOptions, SpaceStatus};
use usufruct::id::Time;
use usufruct::key::{KeyError, Signer as _, SigningKey};
use usufruct::ledger::{ClockReset, Quantum, QuantumChange};
use usufruct::random::SystemRandom;
use usufruct::space::{Certified, Space, certify_closed};

use crate::at::At;
use crate::failure::{Failure, OrFail};
use crate::file;
use crate::{key, output};

/// Make a space, the folder where data, ledger and gate live
#[derive(Subcommand)]
pub(crate) enum SpaceVerb {
    New(New),
    Certify(Certify),
    Quantum(SetQuantum),
    Clock(SetClock),
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
    /// Answers, and every time that leaves, are multiples of so many milliseconds: 0 (by choice only), a divisor of 1000, or a
    /// multiple of it up to 60000
    #[arg(long, value_name = "N", default_value_t = Quantum::DEFAULT.ms())]
    quantum_ms: u32,
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
        match self {
            Self::New(verb) => verb.run(json),
            Self::Certify(verb) => verb.run(json),
            Self::Quantum(verb) => verb.run(json),
            Self::Clock(verb) => verb.run(json),
        }
    }
}

impl New {
    fn run(self, json: bool) -> Result<(), Failure> {
        let owner = SigningKey::open(&self.key).about(&self.key)?;
        let quantum = Quantum::new(self.quantum_ms).or_fail()?;
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
        let options = SpaceOptions::default().quantum(quantum).inbox(false);
        let space = Space::create_with(&self.dir, &owner, &next, Time::now(), options).or_fail().inspect_err(|_| {
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

/// Certify the gate's key anew, for five years; also another key, when the gate's is lost
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct space certify space --key owner.key
  usufruct space certify space --key owner.key --new-key     # the gate's key is lost, or somebody else may have it

With --out the certificate is only signed: `usufruct apply` or DIR/inbox/ gives it to a gate that has the space open.")]
pub(crate) struct Certify {
    #[command(flatten)]
    at: At,
    /// The owner's private key
    #[arg(long, value_name = "OWNER.key")]
    key: PathBuf,
    /// Make a new key for the gate, in the space
    #[arg(long, conflicts_with_all = ["gate", "out"])]
    new_key: bool,
    /// The public key of a gate whose private half an HSM or a KMS holds
    #[arg(long, value_name = "GATE.pub")]
    gate: Option<PathBuf>,
    /// Only sign, and write the certificate to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Set the quantum of a space: answers, and every time that leaves, are multiples of it
#[derive(Args)]
#[command(after_help = "Example:\n  usufruct space quantum space --key owner.key --ms 1000")]
pub(crate) struct SetQuantum {
    #[command(flatten)]
    at: At,
    /// The owner's private key
    #[arg(long, value_name = "OWNER.key")]
    key: PathBuf,
    /// Milliseconds: 0, a divisor of 1000, or a multiple of it up to 60000
    #[arg(long, value_name = "N")]
    ms: u32,
    /// Only sign, and write the act to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Set gate time back, after a false clock had put it into the future
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct space clock space --key owner.key --accept 2026-05-01T12:00:00Z

Entries keep their order by index. No request and no nonce is forgotten, what was refunded stays refused, and every audit lists it.")]
pub(crate) struct SetClock {
    #[command(flatten)]
    at: At,
    /// The owner's private key
    #[arg(long, value_name = "OWNER.key")]
    key: PathBuf,
    /// The time that is right now, such as 2026-05-01T12:00:00Z, or `now` by the clock of this machine
    #[arg(long, value_name = "TIME")]
    accept: String,
    /// Only sign, and write the act to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Done<'a> {
    done: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<&'a Path>,
}

impl Certify {
    fn run(self, json: bool) -> Result<(), Failure> {
        let owner = SigningKey::open(&self.key).about(&self.key)?;
        let gate = self.gate.as_deref().map(key::public).transpose()?;
        if let Some(out) = &self.out {
            let acts = SpaceStatus::read(&self.at.dir).or_fail()?.next_acts;
            let gate = gate.unwrap_or_else(|| acts.certificate.gate.clone());
            return sign(acts.next_certificate(&gate, Time::now()), &owner, out, json);
        }
        let which = match (&gate, self.new_key) {
            (Some(gate), _) => Certified::Other(gate),
            (None, true) => Certified::New,
            (None, false) => Certified::Same,
        };
        let certificate = certify_closed(&self.at.dir, &owner, which, Time::now(), self.at.wait.time()).or_fail()?;
        done(&format!("gate {} certified until {}", certificate.gate.id(), certificate.not_after), json)
    }
}

impl SetQuantum {
    fn run(self, json: bool) -> Result<(), Failure> {
        let owner = SigningKey::open(&self.key).about(&self.key)?;
        let quantum = Quantum::new(self.ms).or_fail()?;
        let act = |acts: &NextActs| QuantumChange { ledger: acts.ledger, number: acts.quantum, quantum };
        act_on(&self.at, &owner, self.out.as_deref(), act, json)
    }
}

impl SetClock {
    fn run(self, json: bool) -> Result<(), Failure> {
        let owner = SigningKey::open(&self.key).about(&self.key)?;
        let time = if self.accept == "now" { Time::now() } else { Time::parse(&self.accept).or_fail()? };
        let act = |acts: &NextActs| ClockReset { ledger: acts.ledger, number: acts.clock, time };
        act_on(&self.at, &owner, self.out.as_deref(), act, json)
    }
}

/// Signs an act, and applies it unless it is to be written to a file.
fn act_on<T: Artefact>(at: &At, owner: &SigningKey, out: Option<&Path>, act: impl Fn(&NextActs) -> T, json: bool) -> Result<(), Failure> {
    if let Some(out) = out {
        return sign(act(&SpaceStatus::read(&at.dir).or_fail()?.next_acts), owner, out, json);
    }
    let space = at.open()?;
    let signed = Signed::sign(act(&space.next_acts().or_fail()?), owner).or_fail()?;
    done(&space.apply(signed.bytes()).or_fail()?.to_string(), json)
}

fn sign<T: Artefact>(act: T, owner: &SigningKey, out: &Path, json: bool) -> Result<(), Failure> {
    let output = file::Target { out: out.to_owned(), force: false }.begin()?;
    file::finish(output, Signed::sign(act, owner).or_fail()?.bytes())?;
    if json {
        return output::print_json(&Done { done: "signed".to_owned(), signed: Some(out) });
    }
    output::print(&output::lines(&[&format!("signed  {}", out.display())]))
}

fn done(what: &str, json: bool) -> Result<(), Failure> {
    if json {
        return output::print_json(&Done { done: what.to_owned(), signed: None });
    }
    output::print(&output::lines(&[what]))
}
