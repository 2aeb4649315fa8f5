//! Groups of unknown values: which there are is read from the data, and which may be named is paid for (rule B7).

use std::borrow::Cow;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::bound::{Plan, SLOTS_MAX, Step};
use super::group::{GroupColumn, Layout, arrange};
use super::select::View;
use super::vector::Vector;
use super::{Blocks, Bound, Control, EngineError, Exact};

/// The groups that the data may have: all combinations of the values of their columns.
pub(super) fn layout<'a>(
    plan: &'a Plan,
    source: &impl Blocks,
    threads: NonZeroUsize,
    control: &Control<'_>,
) -> Result<Layout<'a>, EngineError> {
    let column = |column: &'a GroupColumn| {
        if column.is_declared() {
            return Ok(column.clone());
        }
        let place = plan.reads[column.read].place;
        if column.is_text() {
            let mut texts = Vec::new();
            source.texts(place, &mut |text| texts.push(text.to_owned()))?;
            Ok(column.with_texts(texts))
        } else {
            Ok(column.with_integers(integers(plan, column.read, source, threads, control)?))
        }
    };
    let mut groups = plan.groups.iter().map(column).collect::<Result<Vec<_>, EngineError>>()?;
    let slots = plan.vectors.iter().map(Vector::slots).max().unwrap_or(1);
    let cells = arrange(&mut groups, SLOTS_MAX / slots).map_err(|_| EngineError::Failed)?;
    Ok(Layout { groups: Cow::Owned(groups), cells })
}

/// The distinct integers of a column.
fn integers(plan: &Plan, read: usize, source: &impl Blocks, threads: NonZeroUsize, control: &Control<'_>) -> Result<Vec<i64>, EngineError> {
    /// Values seen lately are not looked up again: a table by the lowest bits.
    const LATELY: u16 = 1 << 12;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = HashSet::new();
        let mut lately: Vec<Option<i64>> = vec![None; LATELY.into()];
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= source.blocks() {
                return Ok(found);
            }
            control.check()?;
            let view = View::read(plan, source, block)?;
            for row in 0..view.rows() {
                let Some(value) = view.value(read, row) else { continue };
                let place = &mut lately[usize::from(u16::try_from(value.rem_euclid(LATELY.into())).unwrap_or(0))];
                if *place != Some(value) {
                    *place = Some(value);
                    found.insert(value);
                }
            }
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads.get()).map(|_| scope.spawn(work)).collect();
        let mut found: HashSet<i64> = work()?;
        for other in others {
            found.extend(other.join().map_err(|_| EngineError::Failed)??);
        }
        Ok(found.into_iter().collect())
    })
}

/// Leaves the groups that a unit is in, in the order of their keys.
pub(super) fn exact(bound: &Bound, layout: &Layout<'_>, sums: &[i128]) -> Option<Exact> {
    let plan = &*bound.0;
    let starts = plan.vectors.iter().scan(0, |next, vector| {
        let start = *next;
        *next += vector.len(layout.cells);
        Some((start, vector))
    });
    let starts: Vec<_> = starts.collect();
    let Some(Step::Groups { vector }) = plan.steps.first() else { return None };
    let (start, _) = starts.get(*vector)?;
    let counts = sums.get(*start..start + layout.cells)?;
    let mut found: Vec<_> = (0..layout.cells).filter(|cell| counts[*cell] > 0).map(|cell| (layout.key(cell), cell)).collect();
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
    Exact::found(bound, found.into_iter().map(|(key, _)| key).collect(), out)
}
