//! What the accounts of a ledger stand for, checked without lock, without key, and without the gate's code.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::DatasetState;
use crate::archive::{Archive, Behind, LineageArtefacts, SnapshotOpening, Tags, behind, open_snapshot};
use crate::dataset::Uses;
use crate::id::{AccountId, DatasetId, Digest, RightId, VersionId};
use crate::key::KeySet;
use crate::ledger::{Account, AccountKind, Book, RequestRecord, RequestState};
use crate::receipt::Answer;
use crate::right::Verified;

/// What was found behind the accounts.
#[derive(Default)]
pub(super) struct Found {
    pub(super) datasets: Vec<DatasetState>,
    pub(super) checked: Vec<String>,
    pub(super) problems: Vec<String>,
}

/// The walk over the accounts.
struct Walk<'a> {
    archive: &'a dyn Archive,
    book: &'a Book,
    tags: Option<Tags>,
    lineages: HashMap<AccountId, LineageArtefacts>,
    rights: usize,
    /// What stands for one account only.
    datasets: HashSet<DatasetId>,
    names: HashSet<String>,
    right_ids: HashSet<RightId>,
    found: Found,
}

/// Opens every commitment, checks limits against what was signed, reads every block of the latest data, and hashes every sealed
/// answer. What is wrong with one account does not keep the others from being looked at.
pub(super) fn check(archive: &dyn Archive, book: &Book, owner: &KeySet, progress: &dyn Fn(u64, u64)) -> Found {
    let mut walk = Walk {
        archive,
        book,
        tags: None,
        lineages: HashMap::new(),
        rights: 0,
        datasets: HashSet::new(),
        names: HashSet::new(),
        right_ids: HashSet::new(),
        found: Found::default(),
    };
    walk.read_tags();
    for (id, account) in book.accounts() {
        match behind(archive, id, account, book.head().upgrade().map(|(index, _)| index), owner) {
            Err(error) => walk.problem(format!("account {id}: {error}")),
            Ok(Behind::Lineage(artefacts)) => walk.lineage(id, account, *artefacts),
            Ok(Behind::Right(right)) => walk.right(id, account, &right),
        }
    }
    let (datasets, rights) = (walk.lineages.len(), walk.rights);
    walk.found.checked.push(format!("{datasets} datasets and {rights} rights: openings, the owner's signatures, limits, none twice"));
    walk.data(progress);
    walk.answers();
    walk.found
}

impl Walk<'_> {
    fn problem(&mut self, problem: String) {
        self.found.problems.push(problem);
    }

    fn read_tags(&mut self) {
        let Some(((_, commitment), ledger)) = self.book.head().upgrade().zip(self.book.head().ledger_id()) else { return };
        match Tags::read(self.archive, &commitment, ledger) {
            Ok(tags) => self.tags = Some(tags),
            Err(error) => self.problem(format!("the secret of the tags: {error}")),
        }
    }

    /// A lineage's limit is what its publication and refills say, and its name and id stand for it alone.
    fn lineage(&mut self, id: AccountId, account: &Account, artefacts: LineageArtefacts) {
        let AccountKind::Lineage { refills, .. } = account.kind() else { return };
        let publication = &artefacts.publication;
        let description = Arc::new(publication.value().description.clone());
        let name = description.name().to_string();
        if self.book.head().ledger_id() != Some(publication.value().ledger) {
            self.problem(format!("dataset {name} was published for another ledger"));
        }
        if !self.datasets.insert(publication.dataset_id()) || !self.names.insert(name.clone()) {
            self.problem(format!("dataset {name} has two accounts, of which {id} is the later"));
        }
        let tag = self.tags.as_ref().map(|tags| tags.of_name(&name));
        self.tag(id, account, tag);
        let mut signed = Some(description.budget());
        let mut refills_match = refills.len() == artefacts.refills.len();
        for ((_, _, amount, reason), refill) in refills.iter().zip(&artefacts.refills) {
            signed = signed.and_then(|sum| sum.checked_add(amount).ok());
            refills_match &= refill.value().amount == *amount && refill.value().reason == *reason;
        }
        if signed != Some(account.balance().limit()) || !refills_match {
            self.problem(format!("the budget of dataset {name} is not what its owner signed"));
        }
        self.found.datasets.push(DatasetState {
            id: publication.dataset_id(),
            account: id,
            description,
            version: account.version_at(u64::MAX),
            balance: *account.balance(),
            answers: account.uses(),
            refills: refills.iter().map(|(_, _, amount, reason)| (*amount, *reason)).collect(),
        });
        self.lineages.insert(id, artefacts);
    }

    /// A right's limits are what it says, over the dataset that it names, and it has one account.
    fn right(&mut self, id: AccountId, account: &Account, right: &Verified) {
        let AccountKind::Right { dataset, .. } = account.kind() else { return };
        let lineage = self.lineages.get(dataset).map(|lineage| &lineage.publication);
        let of_dataset = lineage.is_some_and(|publication| {
            publication.dataset_id() == right.root().dataset && publication.value().description.schema().hash() == right.root().schema
        });
        let uses = account.uses() + account.uses_left();
        let terms = right.terms();
        if !of_dataset
            || Some(right.root().ledger) != self.book.head().ledger_id()
            || terms.budget != account.balance().limit()
            || terms.uses != uses
        {
            self.problem(format!("account {id} is not what its right says"));
        }
        if !self.right_ids.insert(right.id()) {
            self.problem(format!("right {} has two accounts, of which {id} is the later", right.id()));
        }
        let tag = self.tags.as_ref().map(|tags| tags.of_right(right.id()));
        self.tag(id, account, tag);
        self.rights += 1;
    }

    /// Entries in the present form carry a tag, by which the ledger refuses a second account for one name or right.
    fn tag(&mut self, id: AccountId, account: &Account, tag: Option<Digest>) {
        let is_upgraded = self.book.head().upgrade().is_some_and(|(upgraded, _)| account.opened_at() > upgraded);
        if is_upgraded && tag.and_then(|tag| self.book.tagged(&tag)) != Some(id) {
            self.problem(format!("the tag of account {id} is not that of what it stands for"));
        }
    }

    fn data(&mut self, progress: &dyn Fn(u64, u64)) {
        let mut open = Vec::new();
        let mut problems = Vec::new();
        for artefacts in self.lineages.values() {
            let description = &artefacts.publication.value().description;
            let data: &SnapshotOpening = artefacts.versions.last().map_or(&artefacts.data, |(_, data)| data);
            match open_snapshot(self.archive, data, description) {
                Ok(snapshot) => open.push((description, snapshot)),
                Err(error) => problems.push(format!("the data of dataset {}: {error}", description.name())),
            }
        }
        let stored = |description: &crate::dataset::Description| {
            let columns = description.schema().columns().iter().enumerate();
            columns.filter(|(_, column)| column.uses != Uses::NONE).map(|(place, _)| place).collect::<Vec<_>>()
        };
        let total: usize = open.iter().map(|(description, snapshot)| stored(description).len() * snapshot.blocks()).sum();
        let mut done = 0;
        for (description, snapshot) in &open {
            let mut damaged = 0;
            for column in stored(description) {
                for block in 0..snapshot.blocks() {
                    damaged += usize::from(snapshot.block(column, block).is_err());
                    done += 1;
                    progress(done, total as u64);
                }
            }
            if description.schema().unit_column().is_some() {
                damaged += (0..snapshot.blocks()).filter(|block| snapshot.unit_block(*block).is_err()).count();
            }
            if damaged > 0 {
                problems.push(format!("{damaged} blocks of the data of dataset {} are damaged", description.name()));
            }
        }
        self.found.problems.extend(problems);
        self.found.checked.push("every block of the latest data against what the owner committed to".to_owned());
    }

    fn answers(&mut self) {
        let (mut sealed, mut open, mut refunded, mut problems) = (0u64, 0u64, 0u64, Vec::new());
        for (id, record) in self.book.requests() {
            match &record.state {
                RequestState::Sealed { answer, .. } => {
                    sealed += 1;
                    let bytes = self.archive.answer(answer).ok().flatten().filter(|bytes| Digest::of(bytes) == *answer);
                    let answer = bytes.and_then(|bytes| Answer::decode(&bytes).ok());
                    match answer {
                        Some(answer) if answer.request == *id && self.was_charged(&answer, record) => {
                            if !self.is_of_its_version(&answer, record) {
                                problems.push(format!(
                                    "the answer of request {id} is not over the version that was current when it was charged"
                                ));
                            }
                        }
                        _ => problems.push(format!("the sealed answer of request {id} is missing, damaged, or not what was charged")),
                    }
                }
                RequestState::Reserved | RequestState::Started => open += 1,
                RequestState::Refunded => refunded += 1,
            }
        }
        self.found.problems.extend(problems);
        self.found.checked.push(format!(
            "{sealed} sealed answers by their digests, and that each is over the version of its time; {open} requests charged and not answered yet, {refunded} refunded"
        ));
    }

    fn was_charged(&self, answer: &Answer, record: &RequestRecord) -> bool {
        record.charges.iter().all(|charge| charge.amount.loss == answer.spent)
    }

    fn is_of_its_version(&self, answer: &Answer, record: &RequestRecord) -> bool {
        let Some(charge) = record.charges.first() else { return false };
        let Some((account, artefacts)) = self.book.account(&charge.account).zip(self.lineages.get(&charge.account)) else { return false };
        // Versions before 0.2 took the version that was current when the computation began, which the ledger does not tell apart
        // where a version was published between charge and start.
        let number = account.version_at(record.reserved);
        let version = match number {
            1 => Some(artefacts.publication.version_id()),
            number => {
                let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(2));
                place
                    .and_then(|place| artefacts.versions.get(place))
                    .map(|(version, _)| VersionId::from_bytes(*version.digest().as_bytes()))
            }
        };
        let is_early = self.book.head().upgrade().map(|(index, _)| index).is_some_and(|upgraded| record.reserved < upgraded)
            || self.book.head().upgrade().map(|(index, _)| index).is_none();
        version == Some(answer.version) || is_early
    }
}
