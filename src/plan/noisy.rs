//! The step from exact sums, which must not leave, to noised ones, which may.

use std::fmt;

use zeroize::Zeroizing;

use super::allocation::Mechanism;
use super::bound::ReleaseStep;
use super::{Allocation, Exact, ExactError, ExactPart, GroupKey};
use crate::dp::{DiscreteGaussian, DiscreteLaplace};
use crate::random::Random;

/// Noised sums and choices: each base vector once. From here on all is post-processing.
#[derive(Clone)]
pub struct Noisy {
    pub(crate) allocation: Allocation,
    /// The groups that are named, in the order of the answer; none for all declared ones.
    kept: Option<Vec<usize>>,
    /// The keys of groups that the data say.
    keys: Option<Vec<Vec<GroupKey>>>,
    /// For each vector, group by group and slot by slot; empty for those that are not released.
    numbers: Vec<Vec<i128>>,
    /// For each step, the slots that were chosen in each group.
    picks: Vec<Vec<Vec<usize>>>,
}

impl Exact {
    /// Chooses which groups are named where that is asked, and adds noise to every number of every released vector of theirs,
    /// once each.
    ///
    /// # Errors
    /// `split` is of another query.
    pub fn noise(self, allocation: &Allocation, random: &mut dyn Random) -> Result<Noisy, ExactError> {
        let ExactPart { plan, keys, cells: all, sums } = self.0;
        if plan != allocation.plan {
            return Err(ExactError::OtherQuery);
        }
        let starts = plan.vectors.iter().scan(0, |next, vector| {
            let start = *next;
            *next += vector.len(all);
            Some(start)
        });
        let starts: Vec<usize> = starts.collect();
        let of = |vector: usize, cell: usize| {
            let (slots, start) = (plan.vectors[vector].slots(), starts[vector]);
            &sums[start + cell * slots..start + (cell + 1) * slots]
        };
        let mut cells: Vec<usize> = (0..all).collect();
        let mut chosen = false;
        let mut numbers = vec![Vec::new(); plan.vectors.len()];
        let mut picks = vec![Vec::new(); plan.steps.len()];
        for (place, (step, mechanism)) in plan.steps.iter().zip(&allocation.mechanisms).enumerate() {
            match (step, mechanism) {
                (ReleaseStep::Groups { vector }, mechanism) => {
                    cells.retain(|cell| is_named(of(*vector, *cell)[0], mechanism, random));
                    chosen = true;
                }
                (ReleaseStep::Top { vector, count }, Mechanism::Top(selection)) => {
                    let scores: Vec<_> = cells.iter().map(|cell| of(*vector, *cell)[0]).collect();
                    let count = scores.len().min(*count as usize);
                    let top = if count == 0 {
                        Vec::new()
                    } else {
                        selection.top_k(&scores, count, random).map_err(|_| ExactError::OtherQuery)?
                    };
                    cells = top.into_iter().map(|place| cells[place]).collect();
                    chosen = true;
                }
                (ReleaseStep::Noise { vector }, mechanism) => {
                    let exact: Vec<i128> = if plan.vectors[*vector].is_of_all() {
                        sums[starts[*vector]..=starts[*vector]].to_vec()
                    } else {
                        cells.iter().flat_map(|cell| of(*vector, *cell)).copied().collect()
                    };
                    numbers[*vector] = release(&Zeroizing::new(exact), mechanism, random);
                }
                (ReleaseStep::Quantiles { vector, .. }, Mechanism::Quantiles(quantiles)) => {
                    let counts = |cell: &usize| of(*vector, *cell).iter().map(|count| u64::try_from(*count).unwrap_or(0)).collect();
                    let choose =
                        |cell: &usize, random: &mut dyn Random| quantiles.choose(&Zeroizing::<Vec<u64>>::new(counts(cell)), random);
                    picks[place] = cells.iter().map(|cell| choose(cell, random)).collect();
                }
                _ => return Err(ExactError::OtherQuery),
            }
        }
        let kept = chosen.then_some(cells);
        let keys = keys.map(|keys| kept.iter().flatten().filter_map(|cell| keys.get(*cell).cloned()).collect());
        Ok(Noisy { allocation: allocation.clone(), kept, keys, numbers, picks })
    }
}

impl Noisy {
    /// How many groups are named.
    pub(super) fn groups(&self) -> usize {
        self.kept.as_ref().map_or_else(|| self.allocation.plan.cells.unwrap_or(0), Vec::len)
    }

    /// The key of a named group.
    pub(super) fn key(&self, group: usize) -> Vec<GroupKey> {
        match (&self.keys, &self.kept) {
            (Some(keys), _) => keys.get(group).cloned().unwrap_or_default(),
            (None, Some(kept)) => self.allocation.plan.groups.iter().map(|column| column.key(kept[group])).collect(),
            (None, None) => self.allocation.plan.groups.iter().map(|column| column.key(group)).collect(),
        }
    }

    /// The noised numbers of a vector in a named group, one for each slot.
    pub(super) fn get(&self, vector: usize, group: usize) -> &[i128] {
        let (of, numbers) = (&self.allocation.plan.vectors[vector], &self.numbers[vector]);
        if of.is_of_all() { numbers } else { &numbers[group * of.slots()..(group + 1) * of.slots()] }
    }

    /// The cells of the groups that are named, for the self-audit; none for all declared ones.
    #[cfg(feature = "probe")]
    pub(crate) fn kept(&self) -> Option<&[usize]> {
        self.kept.as_deref()
    }

    /// All noised numbers of a vector, for the self-audit; none of one that is not released.
    #[cfg(feature = "probe")]
    pub(crate) fn numbers(&self, vector: usize) -> &[i128] {
        &self.numbers[vector]
    }

    /// The slots that a step chose in each group, for the self-audit.
    #[cfg(feature = "probe")]
    pub(crate) fn picks(&self, step: usize) -> &[Vec<usize>] {
        &self.picks[step]
    }

    /// The slot that was chosen for the quantile at this place.
    pub(super) fn pick(&self, step: usize, group: usize, place: usize) -> usize {
        self.picks[step][group][place]
    }
}

impl fmt::Debug for Noisy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Noisy({} groups)", self.groups())
    }
}

fn is_named(units: i128, mechanism: &Mechanism, random: &mut dyn Random) -> bool {
    match mechanism {
        Mechanism::Optimal(selector) => selector.keeps(u64::try_from(units).unwrap_or(0), random),
        // A group below the least is as one that does not exist.
        Mechanism::Threshold { noise, threshold, least } => {
            units >= *least && noise.release(units.saturating_sub(least - 1), random) >= *threshold
        }
        _ => false,
    }
}

/// From about this many draws on the tables of a prepared sampler are worth their making.
const PREPARED_FROM: usize = 350;

/// Which sampler is used depends on the shape of the answer only; the law is the same.
fn release(exact: &[i128], mechanism: &Mechanism, random: &mut dyn Random) -> Vec<i128> {
    let few = exact.len() < PREPARED_FROM;
    let mut out = exact.to_vec();
    match mechanism {
        Mechanism::Laplace(mechanism) if few => out.iter_mut().for_each(|value| *value = mechanism.release(*value, random)),
        Mechanism::Laplace(mechanism) => DiscreteLaplace::prepare(mechanism.scale()).add_noise(&mut out, random),
        Mechanism::Bounded(mechanism) => out.iter_mut().for_each(|value| *value = mechanism.release(*value, random)),
        Mechanism::Gaussian(mechanism) if few => out.iter_mut().for_each(|value| *value = mechanism.release(*value, random)),
        Mechanism::Gaussian(mechanism) => DiscreteGaussian::prepare(mechanism.sigma_squared()).add_noise(&mut out, random),
        // No other mechanism is made for noise, so nothing is released by one.
        Mechanism::Quantiles(_) | Mechanism::Optimal(_) | Mechanism::Threshold { .. } | Mechanism::Top(_) => out.fill(0),
    }
    out
}
