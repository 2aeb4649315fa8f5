//! What the accounts of a ledger stand for, checked by an auditor without lock or key.

use std::path::Path;

use super::GateError;
use super::desk::dataset_states;
use super::folder::{Folder, OpeningPart};
use super::shelf::{Shelf, load_opening};
use crate::dataset::Uses;
use crate::gate::DatasetState;
use crate::id::Digest;
use crate::key::KeySet;
use crate::ledger::{AccountKind, Book, RequestState};
use crate::receipt::{ANSWER_BYTES_MAX, Answer};
use crate::right::Right;

/// What was found behind the accounts.
pub(crate) struct Audited {
    pub(crate) datasets: Vec<DatasetState>,
    pub(crate) checked: Vec<String>,
    pub(crate) problems: Vec<String>,
}

/// Opens every commitment, checks limits against what was signed, reads every block of the data, and hashes every
/// sealed answer.
pub(crate) fn audit_openings(path: &Path, book: &Book, owner: &KeySet, progress: &dyn Fn(u64, u64)) -> Result<Audited, GateError> {
    let folder = Folder::open(path)?;
    let shelf = Shelf::load(&folder, book, owner)?;
    let mut audited = Audited { datasets: dataset_states(book, &shelf), checked: Vec::new(), problems: Vec::new() };
    check_limits(&folder, book, &shelf, owner, &mut audited)?;
    check_data(&shelf, progress, &mut audited);
    check_answers(&folder, book, &mut audited);
    Ok(audited)
}

/// A lineage's limit is what its publication and refills say; a right's, what the right says.
fn check_limits(folder: &Folder, book: &Book, shelf: &Shelf, owner: &KeySet, audited: &mut Audited) -> Result<(), GateError> {
    for (_, lineage) in shelf.datasets() {
        let Some(account) = book.account(&lineage.account) else { continue };
        let AccountKind::Lineage { refills, .. } = account.kind() else { continue };
        let mut signed = lineage.description.budget();
        for (_, amount, _) in refills {
            signed = signed.checked_add(amount)?;
        }
        if signed != account.balance().limit() || !signed_refills_match(folder, lineage.account, refills, owner)? {
            audited.problems.push(format!("the budget of dataset {} is not what its owner signed", lineage.description.name()));
        }
    }
    let mut rights = 0;
    for (id, account) in book.accounts() {
        if let AccountKind::Right { dataset, right } = account.kind() {
            let opening = load_opening(folder, id, OpeningPart::Right, right)?;
            let verified =
                Right::decode(&opening.artefact).and_then(|right| right.verify(owner)).map_err(|_| GateError::Opening { account: id })?;
            let of_dataset = shelf.dataset(&verified.root().dataset).is_some_and(|lineage| lineage.account == *dataset);
            let uses = account.uses() + account.uses_left();
            if !of_dataset || verified.terms().budget != account.balance().limit() || verified.terms().uses != uses {
                audited.problems.push(format!("account {id} is not what its right says"));
            }
            rights += 1;
        }
    }
    let datasets = audited.datasets.len();
    audited.checked.push(format!("{datasets} datasets and {rights} rights: openings, the owner's signatures, limits"));
    Ok(())
}

fn signed_refills_match(
    folder: &Folder,
    account: crate::id::AccountId,
    refills: &[(crate::ledger::Commitment, crate::budget::Loss, crate::ledger::RefillReason)],
    owner: &KeySet,
) -> Result<bool, GateError> {
    use crate::dataset::Refill;
    use crate::envelope::Untrusted;
    for (number, (commitment, amount, reason)) in (1..).zip(refills) {
        let opening = load_opening(folder, account, OpeningPart::Refill(number), commitment)?;
        let signed = Untrusted::<Refill>::decode(&opening.artefact)?.verify(owner.key())?;
        if signed.value().amount != *amount || signed.value().reason != *reason {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check_data(shelf: &Shelf, progress: &dyn Fn(u64, u64), audited: &mut Audited) {
    let stored = |lineage: &super::shelf::Lineage| {
        let columns = lineage.description.schema().columns().iter().enumerate();
        columns.filter(|(_, column)| column.uses != Uses::NONE).map(|(place, _)| place).collect::<Vec<_>>()
    };
    let total: usize = shelf.datasets().map(|(_, lineage)| stored(lineage).len() * lineage.snapshot.blocks()).sum();
    let mut done = 0;
    for (_, lineage) in shelf.datasets() {
        let mut damaged = 0;
        for column in stored(lineage) {
            for block in 0..lineage.snapshot.blocks() {
                damaged += usize::from(lineage.snapshot.block(column, block).is_err());
                done += 1;
                progress(done, total as u64);
            }
        }
        if lineage.description.schema().unit_column().is_some() {
            damaged += (0..lineage.snapshot.blocks()).filter(|block| lineage.snapshot.unit_block(*block).is_err()).count();
        }
        if damaged > 0 {
            audited.problems.push(format!("{damaged} blocks of the data of dataset {} are damaged", lineage.description.name()));
        }
    }
    audited.checked.push("every block of the latest data against what the owner committed to".to_owned());
}

fn check_answers(folder: &Folder, book: &Book, audited: &mut Audited) {
    let (mut sealed, mut open) = (0u64, 0u64);
    for (id, record) in book.requests() {
        match &record.state {
            RequestState::Sealed { answer, .. } => {
                sealed += 1;
                let bytes = folder.read(&folder.answer(*answer), ANSWER_BYTES_MAX).ok().filter(|bytes| Digest::of(bytes) == *answer);
                let answer = bytes.and_then(|bytes| Answer::decode(&bytes).ok());
                let right = answer
                    .is_some_and(|answer| answer.request == *id && record.charges.iter().all(|charge| charge.amount.loss == answer.spent));
                if !right {
                    audited.problems.push(format!("the sealed answer of request {id} is missing, damaged, or not what was charged"));
                }
            }
            RequestState::Reserved | RequestState::Started => open += 1,
            RequestState::Refunded => {}
        }
    }
    audited.checked.push(format!("{sealed} sealed answers by their digests; {open} requests charged and not answered yet"));
}
