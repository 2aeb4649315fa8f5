//! The standard normal law.

use std::f64::consts::TAU;

/// Below this the series is used, from here on the continued fraction.
const TURN: f64 = 2.0;
/// Levels of the continued fraction; at 2 a hundred leave less than 2^-60 open.
const LEVELS: u32 = 100;

/// The 97.5 % point, rounded up.
pub(super) const POINT: f64 = 1.959_963_984_540_055;

/// The density at u.
pub(super) fn density(u: f64) -> f64 {
    (-u * u / 2.0).exp() / TAU.sqrt()
}

/// P(G >= u), within a relative 2^-42 up to u = 38.
///
/// Below 2 it is 1/2 - density (u + u^3/3 + u^5/(3 5) + ..), all terms of one sign; from there on density over Laplace's
/// continued fraction u + 1/(u + 2/(u + 3/(u + ..))). (Abramowitz and Stegun, 26.2.11 and 26.2.14.)
pub(super) fn above(u: f64) -> f64 {
    if u < 0.0 {
        return 1.0 - above(-u);
    }
    if u < TURN {
        let (mut term, mut sum, mut odd) = (u, 0.0, 1.0);
        while term > sum * f64::EPSILON / 8.0 {
            sum += term;
            odd += 2.0;
            term *= u * u / odd;
        }
        return 0.5 - density(u) * sum;
    }
    density(u) / (1..=LEVELS).rev().fold(u, |fraction, level| u + f64::from(level) / fraction)
}

#[cfg(test)]
mod tests {
    use super::above;

    /// From mpmath at 30 digits.
    #[test]
    fn tails_are_those_of_the_tables() {
        for (u, tail) in [
            (0.0, 0.5),
            (0.5, 0.308_537_538_725_986_9),
            (1.0, 0.158_655_253_931_457_05),
            (1.959_963_984_540_054, 0.025_000_000_000_000_01),
            (1.999_999, 0.022_750_185_939_199_706),
            (2.0, 0.022_750_131_948_179_21),
            (3.5, 2.326_290_790_355_250_4e-4),
            (6.7, 1.042_097_698_796_518e-11),
            (13.0, 6.117_164_399_549_88e-39),
            (-1.0, 0.841_344_746_068_542_9),
        ] {
            let found = above(u);
            assert!((found - tail).abs() <= tail * 1e-13, "{u}: {found:e} {tail:e}");
        }
    }
}
