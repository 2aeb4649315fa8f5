//! The audit: what anyone with the owner's public key can check about a space, and what remains trusted.
//!
//! The walk reads the journal without its lock and checks: the hash chain of the batches, that every entry is
//! canonical and follows from those before (order, states, arithmetic, both budgets), the owner's signature on the
//! gate's certificate, and the gate's on the checkpoint. With the openings of the space it also checks what the
//! accounts stand for: publications, versions, refills and rights under the owner's signature, limits against what
//! was signed, every block of the data, every sealed answer.
//!
//! # Source
//! Rules K2, K3, K5 of `docs/rules.md`.
//!
//! # Not promised
//! A rollback of the whole folder shows only against a later checkpoint that somebody outside has kept.

mod openings;

use std::path::Path;

use crate::archive::{DirArchive, SpaceFolder};
use crate::envelope::Untrusted;
use crate::gate::DatasetState;
use crate::id::{Digest, LedgerId};
use crate::key::PublicKey;
use crate::ledger::{ClockReset, Event, GateCertificate, LedgerError, LedgerReading, Quantum, QuantumChange};
use crate::receipt::NOT_PROVED;
use crate::right::Seen;
use openings::Found;

/// How deep the audit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// The ledger alone: arithmetic, order, signatures, consistency.
    Arithmetic,
    /// Also what the accounts stand for, the data and the answers.
    Full,
}

/// What is known about a rollback.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Rollback {
    /// Nobody outside was asked.
    Unwitnessed,
    /// The ledger contains the checkpoint that somebody outside had kept.
    NoneSince {
        /// The size of that checkpoint.
        size: u64,
    },
    /// The ledger contradicts it.
    Found {
        /// The size of that checkpoint.
        size: u64,
    },
}

/// What an audit found.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct AuditReport {
    /// How deep it went.
    pub depth: Depth,
    /// What is known about a rollback.
    pub rollback: Rollback,
    /// The ledger.
    pub ledger: LedgerId,
    /// Entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// The datasets, those with refills first.
    pub datasets: Vec<DatasetState>,
    /// The owner's acts on the gate itself, in order: certificates, quanta, and each time that gate time was set back.
    pub acts: Vec<String>,
    /// What was checked, in words.
    pub checked: Vec<String>,
    /// What the gate is trusted for.
    pub trusted_for: Vec<&'static str>,
    /// What is wrong; empty when nothing is.
    pub problems: Vec<String>,
}

impl AuditReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Audits the space at `path` under the owner's public key, against a checkpoint kept outside if there is one.
///
/// # Errors
/// The ledger cannot be read at all; everything that is wrong with what could be read is in the report.
pub fn audit(path: &Path, owner: &PublicKey, kept: Option<Seen>, progress: &dyn Fn(u64, u64)) -> Result<AuditReport, LedgerError> {
    let mut acts = Vec::new();
    let reading = LedgerReading::open(&path.join("ledger"), |index, entry| acts.extend(described(&entry.event).map(|act| (index, act))))?;
    let (size, root) = (reading.tree.size(), Digest::from_bytes(reading.tree.root()));
    let mut report = AuditReport {
        depth: Depth::Arithmetic,
        rollback: Rollback::Unwitnessed,
        ledger: reading.book.head().ledger_id().ok_or(LedgerError::Incomplete("there is no genesis entry"))?,
        size,
        root,
        datasets: Vec::new(),
        acts: acts.iter().map(|(index, act)| format!("entry {index}: {act}")).collect(),
        checked: vec![
            format!("{size} entries in {} batches: hash chain, canonical form, order, request states", reading.journal.batches),
            "the arithmetic of every account, and that no charge passed a limit".to_owned(),
            "the gate's certificate under the owner's key".to_owned(),
        ],
        trusted_for: NOT_PROVED.to_vec(),
        problems: Vec::new(),
    };
    match &reading.checkpoint {
        Some(checkpoint) => report.checked.push(format!("the gate's signed checkpoint of size {}", checkpoint.size())),
        None => report.problems.push("there is no signed checkpoint beside the journal".to_owned()),
    }
    let genesis = reading.book.head().genesis().ok_or(LedgerError::Incomplete("there is no genesis entry"))?;
    if genesis.owner.key() != owner {
        report.problems.push(format!("the ledger's owner is {}, not {}", genesis.owner.key().id(), owner.id()));
    }
    if genesis.test {
        report.problems.push("the ledger is for tests: nothing in it is a promise".to_owned());
    }
    if let Some(Seen { size: kept_size, root: kept_root }) = kept {
        let found = reading.tree.root_at(kept_size) != Some(*kept_root.as_bytes());
        report.rollback = if found { Rollback::Found { size: kept_size } } else { Rollback::NoneSince { size: kept_size } };
        if found {
            report.problems.push(format!(
                "the ledger does not contain the checkpoint of size {kept_size} that was kept outside: rolled back or forked"
            ));
        }
    }
    match SpaceFolder::open(path).and_then(|folder| DirArchive::open(&folder)) {
        Ok(archive) => {
            let Found { datasets, checked, problems } = openings::check(&archive, &reading.book, &genesis.owner, progress);
            report.depth = Depth::Full;
            report.datasets = datasets;
            report.checked.extend(checked);
            report.problems.extend(problems);
        }
        Err(error) => report.problems.push(format!("the openings could not be checked: {error}")),
    }
    report.datasets.sort_by_key(|dataset| (dataset.refills.is_empty(), dataset.description.name().clone()));
    Ok(report)
}

/// An owner's act on the gate itself, which stands in clear in its entry; the rules of the ledger have verified it.
fn described(event: &Event) -> Option<String> {
    match event {
        Event::Certificate { bytes } => {
            let certificate = Untrusted::<GateCertificate>::decode(bytes).ok()?.claimed().ok()?;
            Some(format!("gate {} certified until {}", certificate.gate.id(), certificate.not_after))
        }
        Event::Upgrade { quantum, .. } => Some(told(*quantum)),
        Event::Quantum { bytes } => Some(told(Untrusted::<QuantumChange>::decode(bytes).ok()?.claimed().ok()?.quantum)),
        Event::Clock { bytes } => {
            let reset = Untrusted::<ClockReset>::decode(bytes).ok()?.claimed().ok()?;
            Some(format!("gate time set back to {}", reset.time))
        }
        _ => None,
    }
}

fn told(quantum: Quantum) -> String {
    format!("quantum of {} ms", quantum.ms())
}
