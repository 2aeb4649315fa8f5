//! The tail of the normal law, right to [`SLACK`] of itself.

/// Relative slack of each function here: the sums lose a factor of 22 at most (at z = 2), some ten roundings each.
pub(super) const SLACK: f64 = 1.0 / (1_u64 << 44) as f64;
/// From here on Q(z) / phi(z) is a continued fraction, before it a series.
const SERIES_END: f64 = 2.0;
/// Terms that are enough at z = 2, where the error falls by exp(-2 z sqrt(2 n)).
const TERMS: u32 = 120;
/// Q of more is below the range of numbers.
const Z_MAX: f64 = 40.0;

/// phi(z).
pub(super) fn density(z: f64) -> f64 {
    // The square is taken in two parts: a rounding of it would be one of the exponent.
    let square = z * z;
    let lost = z.mul_add(z, -square);
    if square > 2_000.0 { 0.0 } else { (-square / 2.0).exp() * (-lost / 2.0).exp() / std::f64::consts::TAU.sqrt() }
}

/// Q(z) / phi(z) for z >= 0 (Mills).
pub(super) fn ratio(z: f64) -> f64 {
    if z >= SERIES_END {
        // 1 / (z + 1 / (z + 2 / (z + 3 / ...))): Laplace.
        return 1.0 / (1..=TERMS).rev().fold(z, |rest, term| z + f64::from(term) / rest);
    }
    // Q(0) / phi(z) less the sum of z^(2k + 1) / (1 3 5 ... (2k + 1)).
    let (mut term, mut sum, mut odd) = (z, 0.0, 1.0);
    while term > sum * f64::EPSILON / 8.0 {
        sum += term;
        odd += 2.0;
        term *= z * z / odd;
    }
    0.5 / density(z) - sum
}

/// Q(z), the mass above z.
pub(super) fn tail(z: f64) -> f64 {
    if z < 0.0 { 1.0 - tail(-z) } else { density(z) * ratio(z) }
}

/// An upper bound of the z with Q(z) = p, p within (0, 1).
pub(super) fn quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-Z_MAX, Z_MAX);
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if tail(middle) * (1.0 + SLACK) <= p { high = middle } else { low = middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mpmath at 30 digits.
    #[test]
    fn tails_are_right_to_their_slack() {
        for (z, truth) in [
            (0.0, 0.5),
            (0.5, 0.308_537_538_725_986_9),
            (1.0, 0.158_655_253_931_457_05),
            (1.999_999, 0.022_750_185_939_199_71),
            (2.0, 0.022_750_131_948_179_21),
            (3.0, 0.001_349_898_031_630_094_5),
            (6.0, 9.865_876_450_376_98e-10),
            (20.0, 2.753_624_118_606_233_7e-89),
            (37.0, 5.725_571_222_524_577e-300),
        ] {
            assert!((tail(z) - truth).abs() <= truth * SLACK / 2.0, "{z}: {:e} {truth:e}", tail(z));
            assert!((tail(-z) - (1.0 - truth)).abs() <= f64::EPSILON);
        }
        assert!((ratio(SERIES_END.next_down()) / ratio(SERIES_END) - 1.0).abs() < SLACK / 2.0);
    }

    #[test]
    fn quantiles_are_inverse_from_above() {
        for p in [1e-300, 1e-10, 0.01, 0.3, 0.5, 0.77, 0.999] {
            let z = quantile(p);
            assert!(tail(z) <= p && tail(z - 1e-10) > p * (1.0 - 1e-12), "{p}: {z}");
        }
    }
}
