//! Probabilities of events of noise under its claimed law.

use super::Noise;
use crate::dp::{Scale, SigmaSquared};

/// How far a computed probability may be off.
pub(super) const SLACK: f64 = 2e-9;
/// Up to this sigma the weights are summed one by one; beyond it the continuous law is within [`SLACK`] of the discrete one:
/// the error of the midpoint rule is below 0.01 / sigma^2.
const SIGMA_SUMMED: f64 = 4096.0;
/// Low bits show in residues of this.
const MODULUS: i128 = 8;
/// Ends of bins, in widths of the law.
const ENDS: [f64; 7] = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// An event of one draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// At most this.
    Most(i128),
    /// Above the first, at most the second.
    Between(i128, i128),
    /// Equal to this.
    Equal(i128),
    /// This residue of [`MODULUS`].
    Residue(i128),
}

impl Event {
    pub(super) fn holds(self, noise: i128) -> bool {
        match self {
            Self::Most(end) => noise <= end,
            Self::Between(low, high) => low < noise && noise <= high,
            Self::Equal(value) => noise == value,
            Self::Residue(residue) => noise.rem_euclid(MODULUS) == residue,
        }
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Most(end) => write!(f, "at most {end}"),
            Self::Between(low, high) => write!(f, "above {low} and at most {high}"),
            Self::Equal(value) => write!(f, "{value}"),
            Self::Residue(residue) => write!(f, "{residue} modulo {MODULUS}"),
        }
    }
}

/// The events that noise is tested by, with their probabilities; none where there is no noise.
pub(super) fn events(noise: Noise) -> Vec<(Event, f64)> {
    let Some(law) = Law::of(noise) else { return Vec::new() };
    let steps = |end: f64| whole((law.width() * end).min(1e36));
    let mut ends: Vec<i128> = ENDS.iter().flat_map(|end| [-1 - steps(*end), steps(*end)]).collect();
    ends.sort_unstable();
    ends.dedup();
    let most: Vec<f64> = ends.iter().map(|end| law.most(*end)).collect();
    let mut events: Vec<_> = ends.iter().zip(&most).map(|(end, p)| (Event::Most(*end), *p)).collect();
    let pairs = ends.windows(2).zip(most.windows(2));
    events.extend(pairs.map(|(ends, p)| (Event::Between(ends[0], ends[1]), p[1] - p[0])));
    events.push((Event::Equal(0), law.most(0) - law.most(-1)));
    events.extend((0..MODULUS).map(|residue| (Event::Residue(residue), law.residue(residue))));
    events
}

/// The probability that a draw is above 0.
pub(super) fn positive(noise: Noise) -> f64 {
    Law::of(noise).map_or(0.0, |law| 1.0 - law.most(0))
}

enum Law {
    /// 1 / scale, and the bound, perhaps none: a power of two.
    Laplace { rate: f64, bound: f64 },
    /// Sigma, and the sum of all weights where they are summed.
    Gaussian { sigma: f64, total: f64 },
}

impl Law {
    fn of(noise: Noise) -> Option<Self> {
        Some(match noise {
            Noise::Laplace(scale) => Self::Laplace { rate: rate(scale), bound: f64::INFINITY },
            Noise::Bounded { scale, bound } => Self::Laplace { rate: rate(scale), bound: bound as f64 },
            Noise::Gaussian(sigma_squared) => {
                let sigma = variance(sigma_squared).sqrt();
                let total = if sigma <= SIGMA_SUMMED { weights(sigma, reach(sigma)) } else { 1.0 };
                Self::Gaussian { sigma, total }
            }
            Noise::Choice => return None,
        })
    }

    fn width(&self) -> f64 {
        match self {
            Self::Laplace { rate, .. } => 1.0 / rate,
            Self::Gaussian { sigma, .. } => *sigma,
        }
    }

    /// P(y <= end). With a = exp(-1/scale) and bound B, P(y) = (1 - a) a^|y| / ((1 + a) (1 - a^B)) from -B to B - 1, and
    /// so P(y <= t) = (a^-t - a^(B + 1)) / ((1 + a) (1 - a^B)) below 0.
    fn most(&self, end: i128) -> f64 {
        match self {
            Self::Laplace { rate, bound } => {
                let power = |steps: f64| (-rate * steps).exp();
                let whole = (1.0 + power(1.0)) * -(-rate * bound).exp_m1();
                if end < 0 {
                    let steps = -(end as f64);
                    if steps > *bound { 0.0 } else { (power(steps) - power(bound + 1.0)) / whole }
                } else {
                    let steps = end as f64 + 1.0;
                    if steps >= *bound { 1.0 } else { 1.0 - (power(steps) - power(*bound)) / whole }
                }
            }
            Self::Gaussian { sigma, total } if *sigma <= SIGMA_SUMMED => weights(*sigma, end.min(reach(*sigma))) / total,
            Self::Gaussian { sigma, .. } => normal((end as f64 + 0.5) / sigma),
        }
    }

    /// P(y = residue modulo 8).
    fn residue(&self, residue: i128) -> f64 {
        match self {
            // (1 - a) (a^r + a^(8 - r)) / ((1 + a) (1 - a^8)): the points of a residue are 8 apart on both sides of 0, and a
            // bound that is a multiple of 8 cuts every residue alike.
            Self::Laplace { rate, bound } if *bound >= MODULUS as f64 => {
                let power = |steps: f64| (-rate * steps).exp();
                let (steps, modulus) = (residue as f64, MODULUS as f64);
                (power(steps) + power(modulus - steps)) * (-rate).exp_m1() / ((1.0 + power(1.0)) * (-rate * modulus).exp_m1())
            }
            Self::Laplace { bound, .. } => {
                let points = (-whole(*bound)..whole(*bound)).filter(|point| point.rem_euclid(MODULUS) == residue);
                points.map(|point| self.most(point) - self.most(point - 1)).sum()
            }
            Self::Gaussian { sigma, total } if *sigma <= SIGMA_SUMMED => {
                let points = (-reach(*sigma)..=reach(*sigma)).filter(|point| point.rem_euclid(MODULUS) == residue);
                points.map(|point| weight(*sigma, point)).sum::<f64>() / total
            }
            // By the summation formula of Poisson off by exp(-2 pi^2 sigma^2 / 64) at most.
            Self::Gaussian { .. } => 1.0 / MODULUS as f64,
        }
    }
}

fn rate(scale: Scale) -> f64 {
    scale.denominator() as f64 / scale.numerator() as f64
}

pub(super) fn variance(sigma_squared: SigmaSquared) -> f64 {
    sigma_squared.numerator() as f64 / sigma_squared.denominator() as f64
}

/// The whole part of a number within the range of `i128`.
#[expect(clippy::cast_possible_truncation, reason = "the whole part is wanted")]
pub(super) const fn whole(number: f64) -> i128 {
    number as i128
}

/// Beyond it the mass is below 10^-30.
fn reach(sigma: f64) -> i128 {
    whole(12.0 * sigma) + 12
}

/// The sum of exp(-y^2 / (2 sigma^2)) from the far end to `end`.
fn weights(sigma: f64, end: i128) -> f64 {
    (-reach(sigma)..=end).map(|y| weight(sigma, y)).sum()
}

fn weight(sigma: f64, y: i128) -> f64 {
    (-(y as f64 / sigma).powi(2) / 2.0).exp()
}

/// The normal distribution function by the rule of Simpson, to 10^-10.
fn normal(x: f64) -> f64 {
    const PARTS: u32 = 4000;
    let (low, high) = (-10.0, x.clamp(-10.0, 10.0));
    let step = (high - low) / f64::from(PARTS);
    let density = |part: u32| (-(low + f64::from(part) * step).powi(2) / 2.0).exp();
    let sum: f64 = (0..=PARTS).map(|part| density(part) * if part == 0 || part == PARTS { 1.0 } else { f64::from(2 + part % 2 * 2) }).sum();
    sum * step / 3.0 / std::f64::consts::TAU.sqrt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dp::{BoundedLaplace, DiscreteGaussian, DiscreteLaplace};
    use crate::random::RecordedRandom;

    fn laws() -> Vec<Noise> {
        let scales = [(1, 3), (5, 2), (1000, 1), (1 << 40, 3)].map(|(t, s)| Scale::new(t, s).unwrap());
        let sigmas = [(1, 4), (30, 1), (1 << 20, 1), (1 << 60, 7)].map(|(p, q)| SigmaSquared::new(p, q).unwrap());
        let bounded = [(scales[1], 4), (scales[1], 32), (scales[2], 1 << 13)].map(|(scale, bound)| Noise::Bounded { scale, bound });
        scales.map(Noise::Laplace).into_iter().chain(sigmas.map(Noise::Gaussian)).chain(bounded).collect()
    }

    /// Bins, with the two ends, and residues each add up to 1, and everything is a probability.
    #[test]
    fn probabilities_add_up() {
        for noise in laws() {
            let events = events(noise);
            let sum = |of: fn(&Event) -> bool| events.iter().filter(|(event, _)| of(event)).map(|(_, p)| p).sum::<f64>();
            let most: Vec<f64> = events.iter().filter(|(event, _)| matches!(event, Event::Most(_))).map(|(_, p)| *p).collect();
            assert!(most.is_sorted(), "{noise:?}");
            let (first, last) = (most[0], most[most.len() - 1]);
            assert!((sum(|event| matches!(event, Event::Between(..))) + first - last).abs() < 1e-9, "{noise:?}");
            assert!((sum(|event| matches!(event, Event::Residue(_))) - 1.0).abs() < 1e-9, "{noise:?}");
            assert!(events.iter().all(|(_, p)| (-SLACK..=1.0 + SLACK).contains(p)), "{noise:?} {events:?}");
        }
    }

    /// The samplers of the crate against these probabilities; 6 standard deviations, some 400 events: 10^-6 in all.
    #[test]
    fn probabilities_are_those_of_the_samplers() {
        const RUNS: u32 = 40_000;
        let mut random = RecordedRandom::from_seed("probabilities_are_those_of_the_samplers");
        for noise in laws() {
            let draws: Vec<i128> = match noise {
                Noise::Laplace(scale) => {
                    let sampler = DiscreteLaplace::prepare(scale);
                    (0..RUNS).map(|_| sampler.sample(&mut random)).collect()
                }
                Noise::Gaussian(sigma_squared) => {
                    let sampler = DiscreteGaussian::prepare(sigma_squared);
                    (0..RUNS).map(|_| sampler.sample(&mut random)).collect()
                }
                Noise::Bounded { scale, bound } => {
                    let sampler = BoundedLaplace::prepare(scale, bound.ilog2());
                    (0..RUNS).map(|_| sampler.sample(&mut random)).collect()
                }
                Noise::Choice => Vec::new(),
            };
            for (event, p) in events(noise) {
                let found = draws.iter().filter(|noise| event.holds(**noise)).count() as f64;
                let runs = f64::from(RUNS);
                let spread = (runs * p.max(0.0) * (1.0 - p).max(0.0)).sqrt();
                assert!((found - runs * p).abs() <= 6.0 * spread + 12.0, "{noise:?} {event}: {found}, {}", runs * p);
            }
        }
    }
}
