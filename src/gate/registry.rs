//! What the accounts of the ledger stand for, and the snapshots that are open.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::GateError;
use crate::archive::{Archive, ArchiveError, Behind, SnapshotOpening, behind, open_snapshot};
use crate::dataset::{Description, NewVersion, Publication, RowKey, Snapshot};
use crate::envelope::Signed;
use crate::id::{AccountId, DatasetId, Digest, RightId, Salt, Time, VersionId};
use crate::key::KeySet;
use crate::ledger::{AccountKind, LedgerView};
use crate::right::Verified;

/// What the accounts of the ledger stand for, from their openings: the datasets with their data, and the rights.
///
/// The ledger alone says what counts. The registry may know a dataset, a version or a right a moment before its entry is
/// durable, or after the entry failed: whoever takes something from here asks the ledger for its account.
#[derive(Default)]
pub(super) struct Registry {
    datasets: HashMap<DatasetId, Arc<Lineage>>,
    names: HashMap<String, DatasetId>,
    /// In an order, so that an owner can look at them a page at a time.
    rights: BTreeMap<RightId, RegisteredRight>,
    /// The rights of each lineage by the time of their end, and those that have ended.
    ends: HashMap<AccountId, Ends>,
}

/// A registered right.
#[derive(Clone, Copy, Debug)]
pub(super) struct RegisteredRight {
    pub(super) account: AccountId,
    pub(super) dataset: DatasetId,
    pub(super) lineage: AccountId,
    pub(super) not_after: Time,
}

/// A dataset as the gate knows it. Its versions are only ever added to.
pub(super) struct Lineage {
    pub(super) account: AccountId,
    pub(super) id: DatasetId,
    pub(super) description: Arc<Description>,
    /// The hash of its schema.
    pub(super) schema: Digest,
    /// The first publication, signed.
    pub(super) publication: Vec<u8>,
    pub(super) row_key: RowKey,
    versions: Mutex<Versions>,
}

/// The versions of a dataset, and which of their snapshots are open.
#[derive(Default)]
struct Versions {
    known: Vec<DataVersion>,
    /// Those used last, the latest behind. Each holds a file and a cache of blocks; others are opened when they are used.
    open: Vec<Arc<Snapshot>>,
}

/// The latest version, and that of the requests which were charged before it came.
const SNAPSHOTS_OPEN_MAX: usize = 2;

/// A state of a dataset's data.
#[derive(Clone)]
pub(super) struct DataVersion {
    pub(super) id: VersionId,
    pub(super) number: u64,
    data: SnapshotOpening,
    /// Whoever computes on it holds it too.
    snapshot: Weak<Snapshot>,
}

/// Rights that have ended count no more for what is promised; what they had left is frozen.
#[derive(Default)]
struct Ends {
    to_come: BTreeMap<Time, Vec<AccountId>>,
    ended: (u128, u128),
}

impl Registry {
    /// Opens everything behind the accounts.
    pub(super) fn load(archive: &dyn Archive, view: &dyn LedgerView, owner: &KeySet) -> Result<Self, GateError> {
        let mut registry = Self::default();
        let (mut accounts, upgraded) = (Vec::new(), view.head().upgrade().map(|(index, _)| index));
        view.accounts(&mut |id, account| accounts.push((id, account.clone())))?;
        for (id, account) in &accounts {
            match behind(archive, *id, account, upgraded, owner)? {
                Behind::Lineage(artefacts) => {
                    let lineage = Lineage::new(*id, &artefacts.publication, artefacts.data, None);
                    for (version, data) in &artefacts.versions {
                        lineage.add(version, *data, None);
                    }
                    // The latest data are opened now, so that damage shows before a request comes.
                    lineage.version(archive, 1 + artefacts.versions.len() as u64)?;
                    registry.insert_dataset(Arc::new(lineage))?;
                }
                Behind::Right(right) => {
                    let AccountKind::Right { dataset: lineage, .. } = account.kind() else { continue };
                    registry.insert_right(&right, *id, *lineage)?;
                }
            }
        }
        Ok(registry)
    }

    pub(super) fn dataset(&self, id: &DatasetId) -> Option<&Arc<Lineage>> {
        self.datasets.get(id)
    }

    pub(super) fn named(&self, name: &str) -> Option<&Arc<Lineage>> {
        self.datasets.get(self.names.get(name)?)
    }

    pub(super) fn datasets(&self) -> impl Iterator<Item = &Arc<Lineage>> {
        self.datasets.values()
    }

    /// Adds a dataset; one name and one id stand for one dataset.
    pub(super) fn insert_dataset(&mut self, lineage: Arc<Lineage>) -> Result<(), GateError> {
        let name = lineage.description.name().as_str().to_owned();
        if self.datasets.contains_key(&lineage.id) || self.names.contains_key(&name) {
            return Err(GateError::Duplicate { account: lineage.account });
        }
        self.names.insert(name, lineage.id);
        self.datasets.insert(lineage.id, lineage);
        Ok(())
    }

    pub(super) fn remove_dataset(&mut self, id: &DatasetId) {
        if let Some(lineage) = self.datasets.remove(id) {
            self.names.remove(lineage.description.name().as_str());
        }
    }

    pub(super) fn right(&self, id: &RightId) -> Option<RegisteredRight> {
        self.rights.get(id).copied()
    }

    /// The rights by their ids, behind `after`, or all.
    pub(super) fn rights(&self, after: Option<RightId>) -> impl Iterator<Item = (&RightId, &RegisteredRight)> {
        self.rights.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded))
    }

    /// Adds a right; one right has one account.
    pub(super) fn insert_right(&mut self, right: &Verified, account: AccountId, lineage: AccountId) -> Result<(), GateError> {
        if self.rights.contains_key(&right.id()) {
            return Err(GateError::Duplicate { account });
        }
        let (dataset, not_after) = (right.root().dataset, right.terms().not_after);
        self.rights.insert(right.id(), RegisteredRight { account, dataset, lineage, not_after });
        self.ends.entry(lineage).or_default().to_come.entry(not_after).or_default().push(account);
        Ok(())
    }

    /// What the live rights over a lineage promise in all, in units of its two amounts: what all of them have left, less what those
    /// have left that ended. Each right ends once, so that this does not grow with their number.
    pub(super) fn promised(&mut self, lineage: AccountId, view: &dyn LedgerView, now: Time) -> Result<(u128, u128), GateError> {
        let outstanding = view.account(&lineage)?.map_or((0, 0), |account| account.outstanding());
        let ends = self.ends.entry(lineage).or_default();
        while let Some(first) = ends.to_come.first_entry().filter(|first| *first.key() <= now) {
            for id in first.remove() {
                let (one, two) = view.account(&id)?.map_or((0, 0), |account| account.promised());
                ends.ended = (ends.ended.0 + one, ends.ended.1 + two);
            }
        }
        Ok((outstanding.0.saturating_sub(ends.ended.0), outstanding.1.saturating_sub(ends.ended.1)))
    }

    /// After gate time was set back some rights may be live again.
    pub(super) fn forget_ends(&mut self) {
        self.ends.clear();
        for right in self.rights.values() {
            self.ends.entry(right.lineage).or_default().to_come.entry(right.not_after).or_default().push(right.account);
        }
    }
}

impl Lineage {
    pub(super) fn new(
        account: AccountId,
        publication: &Signed<Publication>,
        data: SnapshotOpening,
        snapshot: Option<Arc<Snapshot>>,
    ) -> Self {
        let mut versions = Versions::default();
        versions.add(publication.version_id(), 1, data, snapshot);
        Self {
            account,
            id: publication.dataset_id(),
            description: Arc::new(publication.value().description.clone()),
            schema: publication.value().description.schema().hash(),
            publication: publication.bytes().to_vec(),
            row_key: RowKey::of_first_snapshot(&data.salt),
            versions: Mutex::new(versions),
        }
    }

    /// Adds a version. One that was added before its entry failed is replaced.
    pub(super) fn add(&self, version: &Signed<NewVersion>, data: SnapshotOpening, snapshot: Option<Arc<Snapshot>>) {
        self.versions().add(VersionId::from_bytes(*version.digest().as_bytes()), version.value().number, data, snapshot);
    }

    /// Whether the version of this number is the one of this digest.
    pub(super) fn has(&self, number: u64, digest: Digest) -> bool {
        self.versions().known.iter().any(|version| version.number == number && version.id.as_bytes() == digest.as_bytes())
    }

    /// The version of this number, with its data open.
    pub(super) fn version(&self, archive: &dyn Archive, number: u64) -> Result<(VersionId, Arc<Snapshot>), GateError> {
        let (version, open) = self.versions().used(number).ok_or(ArchiveError::Snapshot)?;
        if let Some(snapshot) = open {
            return Ok((version.id, snapshot));
        }
        let snapshot = Arc::new(open_snapshot(archive, &version.data, &self.description)?);
        self.versions().opened(&version, &snapshot);
        Ok((version.id, snapshot))
    }

    /// The salts of the data of all versions.
    pub(super) fn snapshots(&self) -> Vec<Salt> {
        self.versions().known.iter().map(|version| version.data.salt).collect()
    }

    #[cfg(feature = "hazmat")]
    pub(super) fn blocks_read(&self) -> u64 {
        self.versions().open.iter().map(|snapshot| snapshot.blocks_read()).sum()
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Versions {
    fn add(&mut self, id: VersionId, number: u64, data: SnapshotOpening, snapshot: Option<Arc<Snapshot>>) {
        self.known.retain(|known| known.number < number);
        self.known.push(DataVersion { id, number, data, snapshot: snapshot.as_ref().map_or_else(Weak::new, Arc::downgrade) });
        if let Some(snapshot) = snapshot {
            self.hold(snapshot);
        }
    }

    /// A version that is about to be used, with its snapshot if that is open.
    fn used(&mut self, number: u64) -> Option<(DataVersion, Option<Arc<Snapshot>>)> {
        let version = self.known.iter().find(|version| version.number == number)?.clone();
        let open = version.snapshot.upgrade();
        if let Some(snapshot) = &open {
            self.hold(Arc::clone(snapshot));
        }
        Some((version, open))
    }

    fn opened(&mut self, version: &DataVersion, snapshot: &Arc<Snapshot>) {
        if let Some(known) = self.known.iter_mut().find(|known| known.number == version.number && known.id == version.id) {
            known.snapshot = Arc::downgrade(snapshot);
            self.hold(Arc::clone(snapshot));
        }
    }

    fn hold(&mut self, snapshot: Arc<Snapshot>) {
        self.open.retain(|open| !Arc::ptr_eq(open, &snapshot));
        if self.open.len() == SNAPSHOTS_OPEN_MAX {
            self.open.remove(0);
        }
        self.open.push(snapshot);
    }
}

impl std::fmt::Debug for Lineage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lineage({})", self.id)
    }
}
