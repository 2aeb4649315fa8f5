//! Half-widths of one discrete Gaussian law.

use super::sum::{MISS, SLACK, coverage_units};
use super::{COVERAGE_DECIDED, HalfWidth, IntervalMethod, least, normal};
use crate::dp::SigmaSquared;
use crate::dp::noise::Nat;

/// From this sigma on a sum over the law is an integral with corrections; below it is summed.
pub(super) const SUMMED: f64 = 32.0;
/// From this sigma on the width is decided on integers.
const WIDE: f64 = 1024.0;
/// Masses beyond this many sigma are left to the bound P(Y >= y) <= exp(-y^2 / (2 sigma^2)), here below 2^-121.
pub(super) const REACH: f64 = 13.0;
/// What the corrections leave open of each tail from [`SUMMED`] on, see [`Gaussian::at_least`].
const OPEN: f64 = 1.0 / (1_u64 << 51) as f64;

/// Fraction bits of [`Z_SQUARED`].
const FRACTION: usize = 254;
/// Upper and lower half of floor(2^254 z^2), z the 97.5 % point of the standard normal law: 1.959963984540054235524594..
const Z_SQUARED: [u128; 2] = [0xf5da_7618_f3f7_cab2_95b4_1de6_5007_581b, 0x5db6_1417_393b_a925_65ff_5d19_1dad_69ed];

/// The half-width of one discrete Gaussian law: the least q with P(|Y| <= q) >= 0.95.
///
/// Below a sigma of 1024 the law is summed, in f64: a comparison within a relative 2^-40 of the missed probability counts
/// outward. From there on the comparison is one of integers, exact but where (q + 1/2)^2 is within 2 / sigma^2 of its
/// turning point, which counts outward.
#[must_use]
pub fn gaussian(sigma_squared: SigmaSquared) -> HalfWidth {
    let (p, q) = (Nat::from(sigma_squared.numerator()), Nat::from(sigma_squared.denominator()));
    half_width(&Gaussian::new(sigma_squared), &p, &q, most(sigma_squared, MISS), IntervalMethod::Gaussian)
}

/// The half-width of `law`, which has sigma^2 = p/q, if it is at most `most`.
pub(super) fn half_width(law: &Gaussian, p: &Nat, q: &Nat, most: u128, method: IntervalMethod) -> HalfWidth {
    let steps = if law.sigma >= WIDE {
        let turning = Turning::new(p, q);
        least(most, |steps| turning.is_passed(steps))
    } else {
        least(most, |steps| law.missed(steps) <= MISS)
    };
    let missed = law.missed(steps);
    // At `most` nothing was decided; where integers decided, the bound in floating point may be a little above.
    let decided = if missed <= MISS * (1.0 + 4.0 * SLACK) { COVERAGE_DECIDED } else { 0 };
    HalfWidth { steps, coverage: coverage_units(missed).max(decided), method }
}

/// A q with P(|Y| > q) <= 1 / one_in: the least, up to the precision of [`Gaussian::missed`].
pub(super) fn least_steps(sigma_squared: SigmaSquared, one_in: u64) -> u128 {
    let law = Gaussian::new(sigma_squared);
    let miss = 1.0 / one_in as f64;
    least(most(sigma_squared, miss), |steps| law.missed(steps) <= miss)
}

/// Steps from which on no more than `miss` is missed: P(|Y| > q) <= 2 exp(-(q + 1)^2 / (2 sigma^2)).
pub(super) fn most(sigma_squared: SigmaSquared, miss: f64) -> u128 {
    let sigma = (sigma_squared.numerator() / sigma_squared.denominator()).isqrt() + 1;
    sigma.saturating_mul(factor(miss))
}

/// A little above sqrt(2 ln(2 / miss)), and the slack of what is compared with it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
fn factor(miss: f64) -> u128 {
    (2.0 * (2.0 / miss).ln()).sqrt().ceil() as u128 + 1
}

/// Where (q + 1/2)^2 passes z^2 (sigma^2 - 1/12), for a wide law.
///
/// With f(y) = exp(-y^2 / (2 sigma^2)), a = q + 1/2 = sigma u and I(u) the integral of exp(-x^2/2) from 0 to u, the
/// midpoint rule with its first correction gives the sum of f over |y| <= q as 2 sigma (I(u) + u exp(-u^2/2) /
/// (24 sigma^2)), up to 12.3 / 384 sigma^-3 (the fourth derivative of f has an integral of at most sqrt(24) sqrt(2 pi)
/// sigma^-3 in magnitude); the sum of all is 2 sigma I(infinity) up to a relative exp(-19 sigma^2) (Poisson). Solved to
/// the order sigma^-2, 0.95 is reached at u^2 = z^2 (1 - 1/(12 sigma^2)); what is left out moves u by at most
/// 0.16 sigma^-4 and so a^2 by less than sigma^-2.
struct Turning {
    /// 12 q 2^FRACTION times the square, and a slack of 12 q sigma^-2 and of the last digit of z^2.
    scaled: Nat,
    q: Nat,
}

impl Turning {
    fn new(p: &Nat, q: &Nat) -> Self {
        let twelve = Nat::from(12_u64);
        let parts = twelve.mul(p).sub(q);
        let z_squared = Nat::from(Z_SQUARED[0]).shl(128).add(&Nat::from(Z_SQUARED[1])).add(&Nat::one());
        let slack = twelve.mul(q).mul(q).shl(FRACTION).div(p).add(&Nat::one());
        Self { scaled: z_squared.mul(&parts).add(&slack), q: q.clone() }
    }

    /// 3 q (2 steps + 1)^2 is 12 q (steps + 1/2)^2.
    fn is_passed(&self, steps: u128) -> bool {
        let double = Nat::from(steps).shl(1).add(&Nat::one());
        Nat::from(3_u64).mul(&self.q).mul(&double).mul(&double).shl(FRACTION) >= self.scaled
    }
}

/// The probabilities of one discrete Gaussian law, in floating point.
pub(super) struct Gaussian {
    pub(super) sigma: f64,
    /// The sum of exp(-y^2 / (2 sigma^2)) over all y.
    total: f64,
    /// P(Y >= y) from y = 0 up to [`REACH`] sigma; empty from [`SUMMED`] on.
    tails: Vec<f64>,
}

impl Gaussian {
    pub(super) fn new(sigma_squared: SigmaSquared) -> Self {
        Self::of(sigma_squared.numerator() as f64 / sigma_squared.denominator() as f64)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of terms, small")]
    pub(super) fn of(sigma_squared: f64) -> Self {
        let sigma = sigma_squared.sqrt();
        if sigma >= SUMMED {
            return Self { sigma, total: sigma * std::f64::consts::TAU.sqrt(), tails: Vec::new() };
        }
        let terms = (REACH * sigma).ceil() as u32 + 2;
        let mut sum = 0.0;
        // From the smallest term on, so that each sum is right to a few units of its last place.
        let sums = (0..terms).rev().map(|y| {
            sum += (-f64::from(y).powi(2) / (2.0 * sigma_squared)).exp();
            sum
        });
        let mut tails = sums.collect::<Vec<_>>();
        tails.reverse();
        let total = 2.0 * tails[0] - 1.0;
        tails.iter_mut().for_each(|tail| *tail /= total);
        Self { sigma, total, tails }
    }

    /// P(Y = y).
    pub(super) fn mass(&self, y: f64) -> f64 {
        (-(y / self.sigma).powi(2) / 2.0).exp() / self.total
    }

    /// P(Y >= y) for an integer y, within a relative 2^-41 and, without a table, `OPEN`.
    ///
    /// With u = (y - 1/2) / sigma it is then P(G >= u) for a standard normal G, corrected by the midpoint rule of Euler and
    /// Maclaurin: density(u) times -He_1(u) / (24 sigma^2) + 7 He_3(u) / (5760 sigma^4) - 31 He_5(u) / (967680 sigma^6),
    /// He the Hermite polynomials. What follows is at most max |B_8(1/2) - B_8| / 8! sqrt(8!) sigma^-8 < 0.00034 sigma^-8.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into the table, checked")]
    pub(super) fn at_least(&self, y: f64) -> f64 {
        if y <= 0.0 {
            return 1.0 - self.at_least(1.0 - y);
        }
        if self.tails.is_empty() {
            let u = (y - 0.5) / self.sigma;
            let (square, part) = (u * u, 1.0 / (self.sigma * self.sigma));
            let third = 7.0 / 5760.0 * (square - 3.0);
            let fifth = 31.0 / 967_680.0 * ((square - 10.0) * square + 15.0);
            let correction = (1.0 / 24.0 - (third - fifth * part) * part) * part * u;
            return normal::above(u) - correction * normal::density(u);
        }
        match self.tails.get(y as usize) {
            Some(tail) => *tail,
            None => (-(y / self.sigma).powi(2) / 2.0).exp(),
        }
    }

    /// An upper bound of P(|Y| > steps).
    pub(super) fn missed(&self, steps: u128) -> f64 {
        self.outward(2.0 * self.at_least(steps as f64 + 1.0))
    }

    /// A probability made of both tails of this law, rounded up by what may be wrong with it.
    pub(super) fn outward(&self, probability: f64) -> f64 {
        let open = if self.tails.is_empty() { 2.0 * OPEN } else { 0.0 };
        (probability * (1.0 + SLACK) + open).min(1.0)
    }
}
