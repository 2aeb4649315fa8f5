//! Exact sums: what engines give, added up over parts of the data.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::bound::{QueryPlan, ReleaseStep};
use super::{BoundQuery, GroupKey};
use crate::class::Class;

/// Exact sums of some of the units: what an [engine](crate::engine::Engine) gives. Wiped, redacted in `Debug`.
///
/// Which rows of a unit count is decided by that unit alone (rule D2), so parts that saw other units add up
/// ([`ExactPart::merge`]). Whether a group has enough units to be named is known only when no unit is missing, so a part has
/// all groups with a unit, and those of fewer than the schema's least are left out when it is [complete](Self::complete).
///
/// ```compile_fail,E0616
/// fn leak(part: usufruct::plan::ExactPart) -> usize {
///     part.sums.len()
/// }
/// ```
#[cfg_attr(not(feature = "hazmat"), doc = "```compile_fail,E0599")]
#[cfg_attr(not(feature = "hazmat"), doc = "fn leak(part: usufruct::plan::ExactPart) -> Vec<i128> {")]
#[cfg_attr(not(feature = "hazmat"), doc = "    part.complete().sums().to_vec()")]
#[cfg_attr(not(feature = "hazmat"), doc = "}")]
#[cfg_attr(not(feature = "hazmat"), doc = "```")]
pub struct ExactPart {
    pub(super) plan: Arc<QueryPlan>,
    /// The keys of groups that the data say, in increasing order; none where they are declared.
    pub(super) keys: Option<Vec<Vec<GroupKey>>>,
    pub(super) cells: usize,
    /// Vector by vector, group by group, slot by slot.
    pub(super) sums: Zeroizing<Vec<i128>>,
}

/// Exact sums of all units: what must not leave. Consumed by [`Exact::noise`], wiped, redacted in `Debug`.
///
/// ```compile_fail,E0616
/// fn leak(exact: usufruct::plan::Exact) -> usize {
///     exact.0.sums.len()
/// }
/// ```
#[cfg_attr(not(feature = "hazmat"), doc = "```compile_fail,E0599")]
#[cfg_attr(not(feature = "hazmat"), doc = "fn leak(exact: &usufruct::plan::Exact) -> &[i128] {")]
#[cfg_attr(not(feature = "hazmat"), doc = "    exact.sums()")]
#[cfg_attr(not(feature = "hazmat"), doc = "}")]
#[cfg_attr(not(feature = "hazmat"), doc = "```")]
pub struct Exact(pub(super) ExactPart);

/// Why exact sums are not added up or not released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExactError {
    /// They are of another query.
    #[error("the exact sums are of another query")]
    OtherQuery,
    /// No data within the limits on rows and bounds has such sums.
    #[error("the exact sums do not fit 128 bits")]
    Overflow,
}

impl ExactError {
    /// What a caller should do about it: sums that no data have are an engine's, and nothing of it is to be believed.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::OtherQuery => Class::BadInput,
            Self::Overflow => Class::Doubt,
        }
    }
}

impl ExactPart {
    /// For implementors of [`Engine`](crate::engine::Engine), where all groups are declared: the numbers of all groups of the first
    /// vector of `bound`, slot by slot, then of the next; nothing when there are not as many.
    #[must_use]
    pub fn new(bound: &BoundQuery, sums: Vec<i128>) -> Option<Self> {
        Self::of(bound, None, bound.cells()?, sums)
    }

    /// The same where the data say which groups there are: all with a unit, none without, each with its key, in increasing order of
    /// the keys.
    #[must_use]
    pub fn with_keys(bound: &BoundQuery, keys: Vec<Vec<GroupKey>>, sums: Vec<i128>) -> Option<Self> {
        let columns = bound.group_columns().len();
        let ordered = keys.is_sorted_by(|a, b| a < b) && keys.iter().all(|key| key.len() == columns);
        if bound.cells().is_some() || !ordered {
            return None;
        }
        let cells = keys.len();
        Self::of(bound, Some(keys), cells, sums)
    }

    fn of(bound: &BoundQuery, keys: Option<Vec<Vec<GroupKey>>>, cells: usize, sums: Vec<i128>) -> Option<Self> {
        let sums = Zeroizing::new(sums);
        (sums.len() == bound.0.numbers(cells)).then(|| Self { plan: Arc::clone(&bound.0), keys, cells, sums })
    }

    /// The sums of the units of all parts, in whatever order they come; without parts those of no unit.
    ///
    /// That no unit is in two parts is for the caller to see: nothing in a part tells it.
    ///
    /// # Errors
    /// A part is of another query, or the sums are none that data can have.
    pub fn merge(bound: &BoundQuery, mut parts: Vec<Self>) -> Result<Self, ExactError> {
        let plan = &*bound.0;
        if parts.iter().any(|part| part.plan != bound.0) {
            return Err(ExactError::OtherQuery);
        }
        let (keys, places) = if plan.cells.is_some() { (None, Vec::new()) } else { all_keys(&mut parts) };
        let cells = plan.cells.or_else(|| keys.as_ref().map(Vec::len)).unwrap_or(0);
        let mut sums = Zeroizing::new(vec![0_i128; plan.numbers(cells)]);
        for (number, part) in parts.iter().enumerate() {
            let mut from = part.sums.as_slice();
            let mut to = sums.as_mut_slice();
            for vector in &plan.vectors {
                let (own, own_rest) = from.split_at(vector.len(part.cells));
                let (all, all_rest) = to.split_at_mut(vector.len(cells));
                let place = |cell: usize| if vector.is_of_all() { cell } else { places.get(number).map_or(cell, |places| places[cell]) };
                for (cell, own) in own.chunks_exact(vector.slots().max(1)).enumerate() {
                    let at = place(cell) * vector.slots();
                    for (total, number) in all[at..].iter_mut().zip(own) {
                        *total = total.checked_add(*number).ok_or(ExactError::Overflow)?;
                    }
                }
                (from, to) = (own_rest, all_rest);
            }
        }
        Ok(Self { plan: Arc::clone(&bound.0), keys, cells, sums })
    }

    /// No unit is missing: leaves out the groups that may never be named, those of fewer units than the schema's least.
    #[must_use]
    pub fn complete(self) -> Exact {
        let plan = Arc::clone(&self.plan);
        let Some(ReleaseStep::Groups { vector }) = plan.steps.first() else { return Exact(self) };
        let start: usize = plan.vectors[..*vector].iter().map(|vector| vector.len(self.cells)).sum();
        let enough: Vec<bool> = self.sums[start..][..self.cells].iter().map(|units| *units >= plan.least_units.into()).collect();
        let cells = enough.iter().filter(|enough| **enough).count();
        if cells == self.cells {
            return Exact(self);
        }
        let mut rest = self.sums.as_slice();
        // At its full length from the start, as what grows leaves copies that nothing wipes.
        let mut sums = Zeroizing::new(Vec::with_capacity(plan.numbers(cells)));
        for vector in &plan.vectors {
            let (own, others) = rest.split_at(vector.len(self.cells));
            rest = others;
            if vector.is_of_all() {
                sums.extend_from_slice(own);
            } else {
                let groups = own.chunks_exact(vector.slots().max(1)).zip(&enough);
                groups.filter(|(_, enough)| **enough).for_each(|(numbers, _)| sums.extend_from_slice(numbers));
            }
        }
        let keys = self.keys.map(|keys| keys.into_iter().zip(&enough).filter(|(_, enough)| **enough).map(|(key, _)| key).collect());
        Exact(ExactPart { plan, keys, cells, sums })
    }
}

/// The keys of all parts in increasing order, each once, and for each part where its groups are among them.
fn all_keys(parts: &mut [ExactPart]) -> (Option<Vec<Vec<GroupKey>>>, Vec<Vec<usize>>) {
    let mut places: Vec<Vec<usize>> = parts.iter().map(|part| vec![0; part.cells]).collect();
    let of_part = |(number, part): (usize, &mut ExactPart)| {
        let keys = part.keys.take().unwrap_or_default();
        keys.into_iter().enumerate().map(move |(cell, key)| (key, number, cell))
    };
    let mut found: Vec<(Vec<GroupKey>, usize, usize)> = parts.iter_mut().enumerate().flat_map(of_part).collect();
    // Each part is in order, and runs are what a stable sort is fast on.
    found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut keys: Vec<Vec<GroupKey>> = Vec::new();
    for (key, number, cell) in found {
        if keys.last() != Some(&key) {
            keys.push(key);
        }
        places[number][cell] = keys.len() - 1;
    }
    (Some(keys), places)
}

impl Exact {
    /// The sums themselves, for oracles.
    #[cfg(any(test, feature = "hazmat"))]
    #[must_use]
    pub fn sums(&self) -> &[i128] {
        &self.0.sums
    }

    /// The keys of the groups that the data say, for oracles.
    #[cfg(any(test, feature = "hazmat"))]
    #[must_use]
    pub fn keys(&self) -> Option<&[Vec<GroupKey>]> {
        self.0.keys.as_deref()
    }

    /// Sums and keys, for the self-audit.
    #[cfg(feature = "probe")]
    pub(crate) fn into_parts(self) -> (Zeroizing<Vec<i128>>, Option<Vec<Vec<GroupKey>>>) {
        (self.0.sums, self.0.keys)
    }
}

impl fmt::Debug for ExactPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExactPart({} sums)", self.sums.len())
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exact({} sums)", self.0.sums.len())
    }
}
