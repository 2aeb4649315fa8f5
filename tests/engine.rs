//! Every engine keeps the promises of the seam: that of one machine, and a toy.
#![cfg(all(feature = "embedded", feature = "hazmat"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use usufruct::dataset::RowKey;
use usufruct::engine::{Blocks, Control, Engine, EngineError, Engines, LocalEngines, conformance};
use usufruct::plan::{Batch, BoundQuery, ContributionBound, Evaluator, ExactPart, GroupKey, ReleaseStep, UnitRow, VectorKind, group_hash};

#[test]
fn the_engine_of_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    conformance::check(&LocalEngines::default());
    let three = LocalEngines::default().with_threads(NonZeroUsize::new(3).unwrap());
    conformance::check(&three.with_memory(0).with_spill_folder(folder.path()));
}

#[test]
fn a_toy() {
    conformance::check(&Toys(None));
}

/// A toy with any of these faults is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Of a unit every row counts.
    Unbounded,
    /// Which rows are kept is decided by where they stand.
    ByPlace,
    /// A part leaves out groups that other parts may know more units of.
    SmallGroups,
    /// Nobody can stop it.
    Deaf,
    /// A unit that lost rows is not counted.
    Dropped,
}

#[test]
fn a_toy_with_a_fault_is_found() {
    for fault in [Fault::Unbounded, Fault::ByPlace, Fault::SmallGroups, Fault::Deaf, Fault::Dropped] {
        let found = std::panic::catch_unwind(|| conformance::check(&Toys(Some(fault))));
        assert!(found.is_err(), "{fault:?}");
    }
}

struct Toys(Option<Fault>);

/// Holds everything, sums in maps, and knows nothing of a question but what the evaluators say.
struct Toy {
    blocks: Arc<dyn Blocks>,
    key: RowKey,
    fault: Option<Fault>,
}

impl Engines for Toys {
    fn over(&self, blocks: Arc<dyn Blocks>, key: RowKey) -> Box<dyn Engine> {
        Box::new(Toy { blocks, key, fault: self.0 })
    }
}

/// A row of a unit: key, tag, block and place in it.
type Row = (Vec<GroupKey>, [u8; 16], usize, usize);

impl Toy {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn check(&self, control: &Control<'_>) -> Result<(), EngineError> {
        if self.has(Fault::Deaf) { Ok(()) } else { control.check() }
    }
}

impl Engine for Toy {
    fn part(&self, bound: &BoundQuery, control: &Control<'_>) -> Result<ExactPart, EngineError> {
        let evaluator = Evaluator::new(bound, |column, visit| self.blocks.texts(column, visit))?;
        let contribution = ContributionBound::new(bound, &self.key);
        let (mut batches, mut units) = (Vec::new(), BTreeMap::<[u8; 16], Vec<Row>>::new());
        for block in 0..self.blocks.blocks() {
            self.check(control)?;
            let columns = bound.columns().map(|column| self.blocks.block(column, block)).collect::<Result<_, _>>()?;
            let batch = Batch::new(bound, self.blocks.block_rows(block), columns).ok_or(EngineError::Failed)?;
            let ids = contribution.as_ref().map(|_| self.blocks.unit_block(block)).transpose()?;
            for (row, key) in evaluator.keys(&batch).into_iter().enumerate() {
                let (unit, tag) = match &ids {
                    Some(ids) if self.has(Fault::ByPlace) => (ids.ids[row], u128::try_from(row).unwrap().to_be_bytes()),
                    Some(ids) => (ids.ids[row], ids.tags[row]),
                    None => (u128::try_from(block << 32 | row).unwrap().to_be_bytes(), [0; 16]),
                };
                if let Some(key) = key {
                    units.entry(unit).or_default().push((key, tag, block, row));
                }
            }
            batches.push(batch);
        }
        self.check(control)?;

        let mut sums: BTreeMap<(&[GroupKey], usize, usize), i128> = BTreeMap::new();
        let mut dropped = 0;
        for (unit, rows) in &units {
            let mut kept: Vec<UnitRow<&[GroupKey]>> =
                rows.iter().enumerate().map(|(place, (key, tag, ..))| UnitRow { group: key.as_slice(), tag: *tag, place }).collect();
            if let Some(contribution) = contribution.as_ref().filter(|_| !self.has(Fault::Unbounded)) {
                contribution.keep(unit, &mut kept, group_hash);
            }
            dropped += i128::from(kept.len() < rows.len() && !self.has(Fault::Dropped));
            for row in &kept {
                let (_, _, block, place) = &rows[row.place];
                evaluator.additions(&batches[*block], *place, |vector, slot, amount| {
                    *sums.entry((row.group, vector, slot)).or_default() += amount;
                });
            }
            for group in kept.iter().map(|row| row.group).collect::<BTreeSet<_>>() {
                let counts = bound.vectors().iter().enumerate().filter(|(_, vector)| *vector.kind() == VectorKind::Units);
                counts.for_each(|(vector, _)| *sums.entry((group, vector, 0)).or_default() += 1);
            }
        }

        if self.has(Fault::SmallGroups)
            && let Some(ReleaseStep::Groups { vector }) = bound.steps().first()
        {
            let units = sums.iter().filter(|((_, place, _), units)| place == vector && **units >= bound.least_units().into());
            let large: BTreeSet<&[GroupKey]> = units.map(|((key, ..), _)| *key).collect();
            sums.retain(|(key, ..), _| large.contains(key));
        }

        let keys: Vec<Vec<GroupKey>> = match bound.cells() {
            Some(cells) => (0..cells).map(|cell| bound.key(cell)).collect(),
            None => sums.keys().map(|(key, ..)| *key).collect::<BTreeSet<_>>().into_iter().map(<[GroupKey]>::to_vec).collect(),
        };
        let mut out = Vec::new();
        for (place, vector) in bound.vectors().iter().enumerate() {
            if vector.is_of_all() {
                out.push(dropped);
                continue;
            }
            for key in &keys {
                out.extend((0..vector.slots()).map(|slot| sums.get(&(key.as_slice(), place, slot)).copied().unwrap_or(0)));
            }
        }
        let part = if bound.cells().is_some() { ExactPart::new(bound, out) } else { ExactPart::with_keys(bound, keys, out) };
        part.ok_or(EngineError::Failed)
    }
}
