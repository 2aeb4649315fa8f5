//! Groups of unknown values: which there are is read from the data, and which may be named is paid for (rule B7).

use std::borrow::Cow;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::super::blocks::read;
use super::{Blocks, Control, EngineError};
use crate::plan::group::{GroupColumn, Layout, arrange};
use crate::plan::{BoundQuery, Evaluator, ExactPart, ReleaseStep, Vector};

/// How the groups that the data have are named.
pub(super) enum ActiveDomain<'a> {
    /// All combinations of the values of their columns fit in a table.
    Dense(Layout<'a>),
    /// They do not; integer columns whose values were too many are still open.
    Sparse(Vec<GroupColumn>),
}

/// Finds the values of the columns; `slots_max` is the most slots of one vector that a table may have.
pub(super) fn layout(
    bound: &BoundQuery,
    evaluator: &Evaluator,
    source: &impl Blocks,
    slots_max: usize,
    threads: NonZeroUsize,
    control: &Control<'_>,
) -> Result<ActiveDomain<'static>, EngineError> {
    let mut groups = evaluator.groups().to_vec();
    let slots = bound.vectors().iter().map(Vector::slots).max().unwrap_or(1);
    let most = slots_max / slots;
    // What other columns leave for the values of the next one.
    let mut room = groups.iter().filter(|column| column.is_declared()).fold(most, |room, column| room / at_least_one(column));
    for column in &mut groups {
        if !column.is_declared() && room > 0 {
            let Some(found) = integers(bound, column.read, source, room, threads, control)? else { break };
            *column = column.with_integers(found);
            room /= at_least_one(column);
        }
    }
    if groups.iter().any(|column| !column.is_declared()) {
        return Ok(ActiveDomain::Sparse(groups));
    }
    Ok(match arrange(&mut groups, most) {
        Ok(cells) => ActiveDomain::Dense(Layout { groups: Cow::Owned(groups), cells }),
        Err(_) => ActiveDomain::Sparse(groups),
    })
}

fn at_least_one(column: &GroupColumn) -> usize {
    usize::try_from(column.len()).unwrap_or(usize::MAX).max(1)
}

/// The distinct integers of a column; nothing when there are more than `most`.
fn integers(
    bound: &BoundQuery,
    column: usize,
    source: &impl Blocks,
    most: usize,
    threads: NonZeroUsize,
    control: &Control<'_>,
) -> Result<Option<Vec<i64>>, EngineError> {
    /// Values seen lately are not looked up again: a table by the lowest bits.
    const LATELY: u16 = 1 << 12;
    let next = AtomicUsize::new(0);
    let work = || -> Result<HashSet<i64>, EngineError> {
        let mut found = HashSet::new();
        let mut lately: Vec<Option<i64>> = vec![None; LATELY.into()];
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= source.blocks() {
                return Ok(found);
            }
            control.check()?;
            let batch = read(bound, source, block)?;
            for row in 0..batch.rows() {
                let Some(value) = batch.value(column, row) else { continue };
                let place = &mut lately[usize::from(u16::try_from(value.rem_euclid(LATELY.into())).unwrap_or(0))];
                if *place != Some(value) {
                    *place = Some(value);
                    found.insert(value);
                }
            }
            if found.len() > most {
                next.store(source.blocks(), Ordering::Relaxed);
                return Ok(found);
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads.get()).map(|_| scope.spawn(work)).collect();
        let mut found: HashSet<i64> = work()?;
        for other in others {
            found.extend(other.join().map_err(|_| EngineError::Failed)??);
        }
        Ok((found.len() <= most).then(|| found.into_iter().collect()))
    })
}

/// Leaves the groups of at least so many units, in the order of their keys.
pub(super) fn part(bound: &BoundQuery, layout: &Layout<'_>, least_units: u64, sums: &[i128]) -> Option<ExactPart> {
    let plan = &*bound.0;
    let starts = plan.vectors.iter().scan(0, |next, vector| {
        let start = *next;
        *next += vector.len(layout.cells);
        Some((start, vector))
    });
    let starts: Vec<_> = starts.collect();
    let Some(ReleaseStep::Groups { vector }) = plan.steps.first() else { return None };
    let (start, _) = starts.get(*vector)?;
    let counts = sums.get(*start..start + layout.cells)?;
    let mut found: Vec<_> =
        (0..layout.cells).filter(|cell| counts[*cell] >= least_units.into()).map(|cell| (layout.key(cell), cell)).collect();
    found.sort_unstable();
    let mut out = Vec::new();
    for (start, vector) in starts {
        if vector.is_of_all() {
            out.extend_from_slice(sums.get(start..start + vector.len(1))?);
            continue;
        }
        for (_, cell) in &found {
            let from = start + cell * vector.slots();
            out.extend_from_slice(sums.get(from..from + vector.slots())?);
        }
    }
    ExactPart::with_keys(bound, found.into_iter().map(|(key, _)| key).collect(), out)
}
