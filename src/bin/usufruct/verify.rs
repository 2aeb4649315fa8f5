//! The verb `verify`: any signed artefact, offline, under the owner's public key.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use usufruct::Time;
use usufruct::auditor::Auditor;
use usufruct::desensitise::{Manifest, Risk, SourceOpening};
use usufruct::envelope::Artefact as Signable;
use usufruct::holder::Remembered;
use usufruct::key::{KeySet, PublicKey};
use usufruct::receipt::{ANSWER_BYTES_MAX, Answer, Fork, NOT_PROVED, Proof, Receipt, ReceiptError};
use usufruct::right::{Request, Right, Seen, Verdict, Verified, verify_request};
use zeroize::Zeroizing;

use crate::answer::FILE_BYTES_MAX;
use crate::artefact::{Artefact, Claim};
use crate::failure::{Exit, Failure, OrFail};
use crate::kept::Standing;
use crate::{answer, file, kept, key, output, unique};

/// Check any signed artefact offline, with the owner's public key alone
#[derive(Args)]
#[command(after_help = "\
Example:
  usufruct verify q.receipt --key owner.pub

Says what is proved and what is not. Exit code 1 when a signature or a proof does not hold.")]
pub(crate) struct Verify {
    /// The file: a receipt, right, request, dataset card, refill, certificate, file of seen checkpoints or manifest; `-` for stdin
    file: PathBuf,
    /// The owner's public key
    #[arg(long, value_name = "OWNER.pub")]
    key: PathBuf,
    /// The request that a receipt is for
    #[arg(long, value_name = "Q.request")]
    request: Option<PathBuf>,
    /// The answer that a receipt is for
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
    /// The desensitised file that a manifest is about
    #[arg(long = "file", value_name = "OUT")]
    about: Option<PathBuf>,
    /// What opens a manifest's commitment to its source
    #[arg(long, value_name = "OUT.opening", requires = "source")]
    opening: Option<PathBuf>,
    /// The source that a manifest's file was made from
    #[arg(long, value_name = "FILE", requires = "opening")]
    source: Option<PathBuf>,
}

/// Salt, digest and counts.
const OPENING_BYTES_MAX: usize = 1024;

/// What was found.
#[derive(Serialize)]
struct Told {
    ok: bool,
    kind: &'static str,
    /// Of a receipt: whether request and answer were checked with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<bool>,
    proved: Vec<String>,
    not_proved: Vec<String>,
    #[serde(skip)]
    answer: Option<Answer>,
}

impl Verify {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let owner = key::public(&self.key)?;
        let bytes = Zeroizing::new(file::read_or_stdin(&self.file, Artefact::BYTES_MAX)?);
        let artefact = Artefact::recognise(&bytes)
            .ok_or_else(|| Failure::input(format_args!("{}: not an artefact of ours, or a damaged one", self.file.display())))?;
        if (self.request.is_some() || self.answer.is_some()) && !matches!(artefact, Artefact::Receipt(_) | Artefact::Bundle(_)) {
            return Err(Failure::input(format_args!("--request and --answer are for receipts, this is a {}", artefact.kind())));
        }
        let is_manifest = matches!(artefact, Artefact::Manifest(_) | Artefact::UnsignedManifest(_));
        if (self.about.is_some() || self.opening.is_some()) && !is_manifest {
            return Err(Failure::input(format_args!("--file, --opening and --source are for manifests, this is a {}", artefact.kind())));
        }
        let told = self.check(&artefact, &owner, &bytes)?;
        if json {
            return output::print_json(&told);
        }
        let line = |line: &String| output::lines(&[&format!("  - {line}")]);
        let mut text = format!("{}\nproved\n", told.kind);
        told.proved.iter().for_each(|proved| text.push_str(&line(proved)));
        text.push_str("not proved\n");
        told.not_proved.iter().for_each(|not| text.push_str(&line(not)));
        if let Some(answer) = &told.answer {
            text.push_str(&format!("\n{}", answer::table(answer)));
        }
        output::print(&text)
    }

    fn check(&self, artefact: &Artefact, owner: &PublicKey, bytes: &[u8]) -> Result<Told, Failure> {
        let auditor = Auditor::new(owner.clone());
        let kind = artefact.kind();
        let proved = match artefact {
            Artefact::Bundle(bundle) => {
                let request = given(self.request.as_deref(), FILE_BYTES_MAX)?.unwrap_or_else(|| bundle.request.clone());
                let answer = given(self.answer.as_deref(), ANSWER_BYTES_MAX)?.unwrap_or_else(|| bundle.answer.clone());
                return self.receipt(kind, auditor.verify(&bundle.receipt, &request, &answer));
            }
            Artefact::Receipt(receipt) => return self.receipt(kind, self.lone(&auditor, receipt)?),
            Artefact::Right(..) => {
                self.right(Right::decode(bytes).and_then(|right| right.verify(&KeySet::single(owner.clone()))).map_err(Verdict::from))?
            }
            Artefact::Request(_) => {
                let (request, right) = verify_request(bytes, &KeySet::single(owner.clone())).map_err(|error| self.doubt(&error))?;
                return Ok(self.request(kind, &request, &right));
            }
            Artefact::Seen(lines) => return self.seen(kind, lines, owner),
            Artefact::Card(claim) => self.signed(claim, owner)?,
            Artefact::Publication(claim) => self.signed(claim, owner)?,
            Artefact::NewVersion(claim) => self.signed(claim, owner)?,
            Artefact::Refill(claim) => self.signed(claim, owner)?,
            Artefact::Certificate(claim) => self.signed(claim, owner)?,
            Artefact::Manifest(claim) => {
                let mut proved = self.signed(claim, owner)?;
                return self.manifest(kind, &claim.value, &mut proved);
            }
            Artefact::UnsignedManifest(manifest) => {
                let mut told = self.manifest(kind, manifest, &mut Vec::new())?;
                told.not_proved.insert(0, "who made it: the manifest is unsigned".to_owned());
                return Ok(told);
            }
            Artefact::Checkpoint(_) => {
                let message =
                    format_args!("{}: a checkpoint is signed by the gate, whose key the owner's does not tell", self.file.display());
                return Err(Failure::input(message)
                    .hint("a receipt carries checkpoint and gate certificate; `usufruct audit` takes it as --checkpoint"));
            }
            Artefact::PrivateKey(_) | Artefact::PublicKey(_) | Artefact::Answer(_) | Artefact::Keys(_) | Artefact::SourceOpening(_) => {
                return Err(Failure::input(format_args!("{}: a {kind} is not signed", self.file.display())));
            }
        };
        Ok(Told {
            ok: true,
            kind,
            bound: None,
            proved,
            not_proved: vec!["that it still stands, or what is left of it: the ledger says so".to_owned()],
            answer: None,
        })
    }

    /// A receipt without its request and answer in one file.
    fn lone(&self, auditor: &Auditor, receipt: &Receipt) -> Result<Result<Proof, ReceiptError>, Failure> {
        let (request, answer) = (given(self.request.as_deref(), FILE_BYTES_MAX)?, given(self.answer.as_deref(), ANSWER_BYTES_MAX)?);
        match (request, answer) {
            (Some(request), Some(answer)) => Ok(auditor.verify(receipt, &request, &answer)),
            (None, None) => Ok(auditor.verify_unbound(receipt)),
            _ => Err(Failure::input("a receipt is bound by request and answer together: give both --request and --answer")),
        }
    }

    fn receipt(&self, kind: &'static str, proof: Result<Proof, ReceiptError>) -> Result<Told, Failure> {
        let Proof { proved, bound, answer, .. } = proof.about(&self.file)?;
        let mut not_proved = Vec::new();
        if !bound {
            not_proved.push(
                "unbound: a receipt alone proves that something was sealed and charged, not what; give --request and --answer".to_owned(),
            );
        }
        not_proved.extend(NOT_PROVED.iter().map(ToString::to_string));
        Ok(Told { ok: true, kind, bound: Some(bound), proved: proved.iter().map(ToString::to_string).collect(), not_proved, answer })
    }

    /// What a holder has seen, and whether two lines of it prove a fork.
    fn seen(&self, kind: &'static str, lines: &[Remembered], owner: &PublicKey) -> Result<Told, Failure> {
        let (mut proved, mut not_proved) = (Vec::new(), Vec::new());
        for line in lines {
            let (ledger, Seen { size, root }) = (line.ledger(), line.seen());
            match kept::claimed_owner(line) {
                None => not_proved.push(format!("ledger {ledger}, size {size}: {}", Standing::Unsigned.told())),
                Some(other) if other != owner.id() => not_proved.push(format!("ledger {ledger}: of another owner, whose key is {other}")),
                Some(_) => {
                    line.verify(owner).map_err(|error| self.doubt(&format_args!("ledger {ledger}: {error}")))?;
                    proved.push(format!("the gate of ledger {ledger} signed its first {size} entries, root {root}"));
                }
            }
        }
        for (one, other) in kept::contradictions(lines) {
            let both = one.verify(owner).ok().flatten().zip(other.verify(owner).ok().flatten());
            if let Some(fork) = both.and_then(|(one, other)| Fork::of(&one, &other)) {
                proved.push(format!("a fork: {fork}"));
            }
        }
        not_proved.push("that the ledger still contains them: `usufruct audit --checkpoint` says so".to_owned());
        Ok(Told { ok: true, kind, bound: None, proved, not_proved, answer: None })
    }

    fn right(&self, right: Result<Verified, Verdict>) -> Result<Vec<String>, Failure> {
        let right = right.map_err(|error| self.doubt(&error))?;
        let (root, terms) = (right.root(), right.terms());
        Ok(vec![
            format!("right {} was signed by the owner", right.id()),
            format!("it lets key {} use dataset {} ({}) until {}", right.holder().id(), root.name, root.dataset, terms.not_after),
        ])
    }

    fn request(&self, kind: &'static str, request: &usufruct::envelope::Signed<Request>, right: &Verified) -> Told {
        let mut proved = vec![
            format!("right {} was signed by the owner", right.id()),
            format!("request {} was signed by key {}, the holder of that right", request.id(), right.holder().id()),
        ];
        let mut not_proved = vec!["that it was answered or charged: its receipt says so".to_owned()];
        let now = Time::now();
        match request.value().check(right, right.root().ledger, now) {
            Ok(()) => proved.push(format!("the right allows it at {now}, if its budget does")),
            Err(verdict) => not_proved.push(format!("that the right allows it at {now}: {verdict}")),
        }
        Told { ok: true, kind, bound: None, proved, not_proved, answer: None }
    }

    fn manifest(&self, kind: &'static str, manifest: &Manifest, proved: &mut Vec<String>) -> Result<Told, Failure> {
        let mut not_proved = Vec::new();
        match &self.about {
            Some(path) => {
                let (digest, bytes) = file::digest(path)?;
                if !manifest.is_about(&digest, bytes) {
                    return Err(self.doubt(&format_args!("it is not about {}: SHA-256 and length differ", path.display())));
                }
                proved.push(format!("{} is the file it is about, byte for byte", path.display()));
            }
            None => not_proved.push("which file it is about; give --file".to_owned()),
        }
        match (&self.opening, &self.source) {
            (Some(opening), Some(source)) => {
                let opening = SourceOpening::decode(&file::read(opening, OPENING_BYTES_MAX)?)
                    .map_err(|error| Failure::input(format_args!("{}: not an opening: {error}", opening.display())))?;
                if !manifest.is_opened_by(&opening) || opening.digest != file::digest(source)?.0 {
                    return Err(self.doubt(&format_args!("its source is not {}", source.display())));
                }
                proved.push(format!(
                    "its source is {}, of {} rows, {} of them left out",
                    source.display(),
                    opening.rows_read,
                    opening.rows_left_out
                ));
            }
            _ => not_proved.push("what it was made from; give --opening and --source".to_owned()),
        }
        not_proved.push("that the techniques were carried out as stated: only the source and the keys can show that".to_owned());
        match (&manifest.risk, &self.about) {
            (Some(Risk::NotAssessed), _) => {
                not_proved.push("how well persons can be told apart in the file: its risk is not assessed".to_owned());
            }
            (Some(Risk::Uniqueness(stated)), Some(path)) => {
                let counted = unique::count_again(manifest, stated, path)?.map_err(|error| self.doubt(&error))?;
                if !counted.counts_as(stated) {
                    let message = format_args!(
                        "{} of {} are unique in it, counted again, and its manifest states {}, or other shares of columns and pairs differ",
                        counted.all,
                        unique::whom(&counted),
                        stated.all
                    );
                    return Err(self.doubt(&message));
                }
                proved.push(format!("{}, counted again in the file", unique::in_words(stated)));
            }
            (Some(Risk::Uniqueness(stated)), None) => {
                not_proved.push(format!("that {}; give --file to count again", unique::in_words(stated)));
            }
            _ => {}
        }
        Ok(Told { ok: true, kind, bound: None, proved: std::mem::take(proved), not_proved, answer: None })
    }

    fn signed<T: Signable + Clone>(&self, claim: &Claim<T>, owner: &PublicKey) -> Result<Vec<String>, Failure> {
        let signed = claim.untrusted.clone().verify(owner).map_err(|error| self.doubt(&error))?;
        Ok(vec![format!("the payload with SHA-256 {} was signed by the owner", signed.digest())])
    }

    fn doubt(&self, error: &impl Display) -> Failure {
        Failure::new(Exit::Environment, format_args!("{}: {error}", self.file.display()))
    }
}

fn given(path: Option<&Path>, most: usize) -> Result<Option<Vec<u8>>, Failure> {
    path.map(|path| file::read(path, most)).transpose()
}
