//! The distinguishing test: an event is chosen on one half of the releases, and bounds on its probabilities from the other half
//! bound epsilon from below.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use super::exact::delta_of;
use super::law::{variance, whole};
use super::{Claim, Noise, Violation, binomial};
use crate::budget::Loss;
use crate::dp::accountant::zcdp;

/// Places of a release that events are sought in, evenly spread; and of as many differences of two that stand together.
const PLACES_MAX: usize = 32;
/// Thresholds that are tried, at quantiles of what came out.
const THRESHOLDS: usize = 24;
/// Residues of powers of two up to this.
const MODULUS: usize = 64;
/// Frequent numbers that are tried by themselves.
const FREQUENT: usize = 4;
/// Steps of a likelihood ratio in 1.
const RATIO_STEPS: f64 = 1e6;
/// Added to the delta at which a rho is compared.
const ZCDP_DELTA: f64 = 1e-6;
/// How many standard deviations a first look allows for.
const LOOK: f64 = 4.0;
/// Of bounds in floating point.
const ROUNDING: f64 = 1e-9;

/// What is claimed, in terms of one delta.
#[derive(Clone, Copy)]
pub(super) struct Claimed {
    pub(super) epsilon: f64,
    pub(super) delta: f64,
}

impl Claimed {
    pub(super) fn of(loss: Loss) -> Self {
        let delta = delta_of(loss);
        match loss {
            Loss::Approx { epsilon, .. } => Self { epsilon: epsilon.units() as f64 / 1e12, delta },
            Loss::Zcdp { rho, .. } => {
                let epsilon = zcdp::epsilon(rho.units() as f64 / 1e12, ZCDP_DELTA).unwrap_or(f64::INFINITY);
                Self { epsilon, delta: delta + ZCDP_DELTA }
            }
        }
    }
}

type Outcomes<'a> = &'a [Vec<Option<i128>>];

/// A lower bound of epsilon that is wrong with a chance of `alpha` at most, and the fault when it is above the claim.
pub(super) fn test(
    claims: (&[Claim], &[Claim]),
    outcomes: (Outcomes<'_>, Outcomes<'_>),
    claimed: Claimed,
    alpha: f64,
) -> (f64, Option<Violation>) {
    let runs = outcomes.0.len().min(outcomes.1.len());
    let (built, trained) = (runs / 4, runs / 2);
    let features = features(claims, outcomes);
    let column = |feature: &Feature, outcomes: Outcomes<'_>, from: usize, to: usize| -> Vec<Option<i128>> {
        outcomes[from..to].iter().map(|outcome| feature.of(outcome)).collect()
    };
    // An event is made from the first quarter and judged by the second, or those made of what was seen would win by chance.
    let mut best: Option<(f64, &Feature, Event, bool)> = None;
    for feature in &features {
        let side = |outcomes| Side::new(column(feature, outcomes, 0, built), column(feature, outcomes, built, trained));
        let sides = (side(outcomes.0), side(outcomes.1));
        for event in events(feature, &sides) {
            let found = (sides.0.count(&event), sides.1.count(&event));
            for (is_left, (likely, unlikely)) in [(true, found), (false, (found.1, found.0))] {
                let low = look(trained - built, likely, unlikely, claimed.delta);
                if best.as_ref().is_none_or(|best| low > best.0) {
                    best = Some((low, feature, event.clone(), is_left));
                }
            }
        }
    }
    let Some((_, feature, event, is_left)) = best else { return (0.0, None) };
    let count = |outcomes: Outcomes<'_>| outcomes[trained..runs].iter().filter(|outcome| event.holds(feature.of(outcome))).count() as u64;
    let found = (count(outcomes.0), count(outcomes.1));
    let (likely, unlikely) = if is_left { found } else { (found.1, found.0) };
    let runs = (runs - trained) as u64;
    let at_least = binomial::lower(runs, likely, alpha / 2.0) - claimed.delta;
    let low = (at_least / binomial::upper(runs, unlikely, alpha / 2.0)).max(1.0).ln() - ROUNDING;
    let fault = (low > claimed.epsilon).then(|| Violation::Distinguished {
        low,
        claimed: claimed.epsilon,
        event: format!("{feature} {event}"),
        likely,
        unlikely,
        runs,
    });
    (low.max(0.0), fault)
}

/// About what the bound will be, by the intervals of Wilson.
fn look(runs: usize, likely: u64, unlikely: u64, delta: f64) -> f64 {
    let runs = runs.max(1) as f64;
    let bound = |found: u64, side: f64| {
        let (p, z) = (found as f64 / runs, LOOK * LOOK / runs);
        (p + z / 2.0 + side * (p * (1.0 - p) * z + z * z / 4.0).sqrt()) / (1.0 + z)
    };
    ((bound(likely, -1.0) - delta).max(f64::MIN_POSITIVE) / bound(unlikely, 1.0)).ln()
}

/// A number that is made of a release.
#[derive(Clone, Debug)]
enum Feature {
    Place(usize),
    /// Of two numbers.
    Difference(usize, usize),
    /// A hash of all.
    Whole,
    /// ln P(release | left) - ln P(release | right) under the claimed laws.
    Ratio(Vec<(Noise, f64, f64)>),
}

fn features((left, right): (&[Claim], &[Claim]), outcomes: (Outcomes<'_>, Outcomes<'_>)) -> Vec<Feature> {
    let places = outcomes.0.iter().chain(outcomes.1).map(Vec::len).max().unwrap_or(0);
    let every = places.div_ceil(PLACES_MAX).max(1);
    let singles = (0..places).step_by(every).map(Feature::Place);
    let doubles = (1..places).step_by(every).map(|place| Feature::Difference(place - 1, place));
    let noisy = left.iter().zip(right).filter(|(left, right)| left.is_noise() && left.exact.len() == right.exact.len());
    let centres = noisy.flat_map(|(left, right)| {
        let values = left.exact.iter().zip(&right.exact);
        values.map(|(value, other)| (left.noise, *value as f64, *other as f64))
    });
    singles.chain(doubles).chain([Feature::Whole, Feature::Ratio(centres.collect())]).collect()
}

impl Feature {
    fn of(&self, outcome: &[Option<i128>]) -> Option<i128> {
        let at = |place: usize| outcome.get(place).copied().flatten();
        match self {
            Self::Place(place) => at(*place),
            Self::Difference(first, second) => Some(at(*first)?.saturating_sub(at(*second)?)),
            Self::Whole => {
                let mut hasher = DefaultHasher::new();
                outcome.hash(&mut hasher);
                Some(hasher.finish().into())
            }
            Self::Ratio(centres) => {
                let ratios = centres.iter().zip(outcome).filter_map(|((noise, left, right), number)| {
                    let number = (*number)? as f64;
                    Some(match noise {
                        Noise::Laplace(scale) | Noise::Bounded { scale, .. } => {
                            ((number - right).abs() - (number - left).abs()) * scale.denominator() as f64 / scale.numerator() as f64
                        }
                        Noise::Gaussian(sigma_squared) => {
                            ((number - right).powi(2) - (number - left).powi(2)) / (2.0 * variance(*sigma_squared))
                        }
                        Noise::Choice => 0.0,
                    })
                });
                Some(whole((ratios.sum::<f64>() * RATIO_STEPS).clamp(-1e30, 1e30)))
            }
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => write!(f, "place {place}"),
            Self::Difference(first, second) => write!(f, "place {first} less place {second}"),
            Self::Whole => f.write_str("the whole release"),
            Self::Ratio(_) => f.write_str("the logarithm of the likelihood ratio, in millionths,"),
        }
    }
}

/// An event of such a number.
#[derive(Clone, Debug)]
enum Event {
    Filled,
    Empty,
    AtLeast(i128),
    AtMost(i128),
    Equal(i128),
    Residue {
        modulus: i128,
        residue: i128,
    },
    /// Seen on this side only.
    Own(HashSet<i128>),
}

impl Event {
    fn holds(&self, number: Option<i128>) -> bool {
        let Some(number) = number else { return matches!(self, Self::Empty) };
        match self {
            Self::Filled => true,
            Self::Empty => false,
            Self::AtLeast(least) => number >= *least,
            Self::AtMost(most) => number <= *most,
            Self::Equal(value) => number == *value,
            Self::Residue { modulus, residue } => number.rem_euclid(*modulus) == *residue,
            Self::Own(own) => own.contains(&number),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filled => f.write_str("is filled"),
            Self::Empty => f.write_str("is empty"),
            Self::AtLeast(least) => write!(f, "is at least {least}"),
            Self::AtMost(most) => write!(f, "is at most {most}"),
            Self::Equal(value) => write!(f, "is {value}"),
            Self::Residue { modulus, residue } => write!(f, "is {residue} modulo {modulus}"),
            Self::Own(own) => write!(f, "is one of {} that the other neighbour was not seen to give", own.len()),
        }
    }
}

/// The numbers of one side: those events are made of, and those they are judged by.
struct Side {
    built: Vec<Option<i128>>,
    judged: Vec<Option<i128>>,
    /// Those of `judged` that are there, in increasing order.
    sorted: Vec<i128>,
    residues: [u64; MODULUS],
}

impl Side {
    fn new(built: Vec<Option<i128>>, judged: Vec<Option<i128>>) -> Self {
        let mut sorted: Vec<i128> = judged.iter().flatten().copied().collect();
        sorted.sort_unstable();
        let mut residues = [0; MODULUS];
        sorted.iter().for_each(|number| residues[residue(*number)] += 1);
        Self { built, judged, sorted, residues }
    }

    fn count(&self, event: &Event) -> u64 {
        let below = |value: i128| self.sorted.partition_point(|number| *number < value);
        let above = |value: i128| self.sorted.partition_point(|number| *number <= value);
        let found = match event {
            Event::Filled => self.sorted.len(),
            Event::Empty => self.judged.len() - self.sorted.len(),
            Event::AtLeast(least) => self.sorted.len() - below(*least),
            Event::AtMost(most) => above(*most),
            Event::Equal(value) => above(*value) - below(*value),
            Event::Residue { modulus, residue } => {
                let residues = self.residues.iter().zip(0_i128..).filter(|(_, at)| at % modulus == *residue);
                return residues.map(|(found, _)| found).sum();
            }
            Event::Own(own) => self.sorted.iter().filter(|number| own.contains(number)).count(),
        };
        found as u64
    }
}

fn residue(number: i128) -> usize {
    usize::try_from(number.rem_euclid(MODULUS as i128)).unwrap_or(0)
}

/// The events that are tried.
fn events(feature: &Feature, (left, right): &(Side, Side)) -> Vec<Event> {
    let mut events = vec![Event::Filled, Event::Empty];
    if !matches!(feature, Feature::Whole) {
        let mut numbers: Vec<i128> = left.built.iter().chain(&right.built).flatten().copied().collect();
        numbers.sort_unstable();
        let quantile = |at: usize| numbers.get(at * numbers.len().saturating_sub(1) / THRESHOLDS).copied();
        let mut thresholds: Vec<i128> = (0..=THRESHOLDS).filter_map(quantile).collect();
        thresholds.dedup();
        events.extend(thresholds.iter().flat_map(|threshold| [Event::AtLeast(*threshold), Event::AtMost(*threshold)]));
    }
    if !matches!(feature, Feature::Whole | Feature::Ratio(_)) {
        let moduli = (1..=MODULUS.ilog2()).map(|power| 1_i128 << power);
        events.extend(moduli.flat_map(|modulus| (0..modulus).map(move |residue| Event::Residue { modulus, residue })));
    }
    if !matches!(feature, Feature::Ratio(_)) {
        for (side, other) in [(left, right), (right, left)] {
            let seen: HashSet<i128> = other.built.iter().flatten().copied().collect();
            let mut counts: HashMap<i128, usize> = HashMap::new();
            side.built.iter().flatten().for_each(|number| *counts.entry(*number).or_default() += 1);
            let mut frequent: Vec<(usize, i128)> = counts.iter().map(|(number, count)| (*count, *number)).collect();
            frequent.sort_unstable_by(|a, b| b.cmp(a));
            events.extend(frequent.iter().take(FREQUENT).map(|(_, number)| Event::Equal(*number)));
            events.push(Event::Own(counts.into_keys().filter(|number| !seen.contains(number)).collect()));
        }
    }
    events
}
