//! Law and independence of noise: released numbers less exact ones, over many releases.

use super::law::{self, Event, SLACK};
use super::{Claim, Violation, binomial};

/// Places that are looked at, evenly spread; of each two the signs are compared.
const PLACES_MAX: usize = 32;

/// Counts of events of the noise at some places, on fixed data.
pub(super) struct Tally {
    places: Vec<Place>,
    /// For each two places, the second after the first: releases in which both are filled, and in which they agree.
    pairs: Vec<(u64, u64)>,
}

struct Place {
    place: usize,
    step: String,
    exact: i128,
    /// The probability of noise above 0.
    positive: f64,
    runs: u64,
    events: Vec<(Event, f64, u64)>,
}

impl Tally {
    pub(super) fn new(claims: &[Claim]) -> Self {
        let noisy = claims.iter().filter(|claim| claim.is_noise());
        let numbers: usize = noisy.clone().map(|claim| claim.exact.len()).sum();
        let every = numbers.div_ceil(PLACES_MAX).max(1);
        let mut places = Vec::new();
        let mut next = 0;
        for claim in noisy {
            let events: Vec<_> = law::events(claim.noise).into_iter().map(|(event, p)| (event, p, 0)).collect();
            let positive = law::positive(claim.noise);
            for exact in &claim.exact {
                if next % every == 0 {
                    places.push(Place { place: next, step: claim.name.clone(), exact: *exact, positive, runs: 0, events: events.clone() });
                }
                next += 1;
            }
        }
        let pairs = vec![(0, 0); places.len() * places.len().saturating_sub(1) / 2];
        Self { places, pairs }
    }

    /// How many tests there will be: two tails of each event.
    pub(super) fn tests(&self) -> u64 {
        let events: usize = self.places.iter().map(|place| place.events.len()).sum();
        2 * (events + self.pairs.len()) as u64
    }

    pub(super) fn add(&mut self, release: &[Option<i128>]) {
        let noises = self.places.iter_mut().map(|place| {
            // A number at the end of the range is off by more than its noise, which counts as an event like any other.
            let noise = release.get(place.place).copied().flatten()?.saturating_sub(place.exact);
            place.runs += 1;
            place.events.iter_mut().for_each(|(event, _, found)| *found += u64::from(event.holds(noise)));
            Some(noise > 0)
        });
        let signs: Vec<Option<bool>> = noises.collect();
        let mut pairs = self.pairs.iter_mut();
        for (at, first) in signs.iter().enumerate() {
            for (second, pair) in signs[at + 1..].iter().zip(&mut pairs) {
                if let (Some(first), Some(second)) = (first, second) {
                    pair.0 += 1;
                    pair.1 += u64::from(first == second);
                }
            }
        }
    }

    /// What is wrong, each test with a chance of `alpha` at most; for a place, or two, the event that is furthest off.
    pub(super) fn faults(&self, alpha: f64) -> Vec<Violation> {
        let of_place = |place: &Place| {
            let tails = place.events.iter().map(|(event, p, found)| (tail(place.runs, *found, *p), event, p, found));
            let (tail, event, p, found) = tails.min_by(|a, b| a.0.total_cmp(&b.0))?;
            (tail < alpha).then(|| Violation::Law {
                step: place.step.clone(),
                place: place.place,
                event: event.to_string(),
                found: *found,
                runs: place.runs,
                expected: *p,
            })
        };
        let mut faults: Vec<_> = self.places.iter().filter_map(of_place).collect();
        let seconds =
            self.places.iter().enumerate().flat_map(|(at, first)| self.places[at + 1..].iter().map(move |second| (first, second)));
        for ((first, second), (runs, found)) in seconds.zip(&self.pairs) {
            let expected = first.positive * second.positive + (1.0 - first.positive) * (1.0 - second.positive);
            if tail(*runs, *found, expected) < alpha {
                faults.push(Violation::Dependent { places: (first.place, second.place), found: *found, runs: *runs, expected });
            }
        }
        faults
    }
}

/// What is nearer than this many standard deviations to what is expected is no finding, and its chance need not be known.
const NEAR: f64 = 3.0;

/// The chance of so much or more, on the side where it is, under the probability that makes it likeliest within the slack.
fn tail(runs: u64, found: u64, p: f64) -> f64 {
    let mean = runs as f64 * p;
    if (found as f64 - mean).powi(2) <= NEAR * NEAR * mean * (1.0 - p) {
        1.0
    } else if found as f64 >= mean {
        binomial::at_least(runs, found, (p + SLACK).min(1.0))
    } else {
        binomial::at_most(runs, found, (p - SLACK).max(0.0))
    }
}
