//! Tails of the binomial law, from its terms.

/// The chance of `least` or more of `runs` at probability `p`.
pub(super) fn at_least(runs: u64, least: u64, p: f64) -> f64 {
    if least == 0 || p >= 1.0 {
        return 1.0;
    }
    if least > runs || p <= 0.0 {
        return 0.0;
    }
    if (least as f64) <= runs as f64 * p {
        return 1.0 - at_least_beyond(runs, runs - least + 1, 1.0 - p);
    }
    at_least_beyond(runs, least, p)
}

/// The chance of `most` or fewer.
pub(super) fn at_most(runs: u64, most: u64, p: f64) -> f64 {
    if most >= runs { 1.0 } else { at_least(runs, runs - most, 1.0 - p) }
}

/// From the mean on terms fall, so they are added until they no longer count.
fn at_least_beyond(runs: u64, least: u64, p: f64) -> f64 {
    if least > runs {
        return 0.0;
    }
    let odds = p / (1.0 - p);
    let mut term = (ln_factorial(runs) - ln_factorial(least) - ln_factorial(runs - least)
        + least as f64 * p.ln()
        + (runs - least) as f64 * (-p).ln_1p())
    .exp();
    let mut sum = 0.0;
    for count in least..=runs {
        sum += term;
        term *= (runs - count) as f64 / (count + 1) as f64 * odds;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum.min(1.0)
}

/// A lower bound of a probability of which `found` of `runs` came out, wrong with probability `alpha` at most (Clopper and
/// Pearson 1934).
pub(super) fn lower(runs: u64, found: u64, alpha: f64) -> f64 {
    if found == 0 { 0.0 } else { halve(0.0, found as f64 / runs as f64, |p| at_least(runs, found, p) <= alpha).0 }
}

/// The upper bound.
pub(super) fn upper(runs: u64, found: u64, alpha: f64) -> f64 {
    if found >= runs { 1.0 } else { halve(found as f64 / runs as f64, 1.0, |p| at_most(runs, found, p) > alpha).1 }
}

/// Where `is_low` stops to hold between two ends, from both sides.
fn halve(mut low: f64, mut high: f64, is_low: impl Fn(f64) -> bool) -> (f64, f64) {
    for _ in 0..60 {
        let middle = low + (high - low) / 2.0;
        if is_low(middle) { low = middle } else { high = middle }
    }
    (low, high)
}

/// ln(n!), to 10^-12 of itself: the series of Stirling, after the first few.
fn ln_factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let n = n as f64;
    n * n.ln() - n + (std::f64::consts::TAU * n).ln() / 2.0 + 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1260.0 * n.powi(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_small_cases() {
        for (runs, least, p, tail) in
            [(4, 2, 0.5, 11.0 / 16.0), (3, 3, 0.2, 0.008), (3, 1, 0.2, 0.488), (5, 0, 0.3, 1.0), (2, 1, 0.0, 0.0), (2, 2, 1.0, 1.0)]
        {
            assert!((at_least(runs, least, p) - tail).abs() < 1e-14, "{runs} {least} {p}");
            assert!((at_most(runs, runs - least, 1.0 - p) - tail).abs() < 1e-14, "{runs} {least} {p}");
        }
        // Both tails together, far from the ends.
        let both = at_least(100_000, 30_211, 0.3) + at_most(100_000, 30_210, 0.3);
        assert!((both - 1.0).abs() < 1e-9, "{both}");
    }

    /// Against published intervals: 81 of 263 at 95 % (Newcombe 1998, table 1) and the closed forms at the ends.
    #[test]
    fn bounds_are_those_of_clopper_and_pearson() {
        let near = |found: f64, value: f64| assert!((found - value).abs() < 5e-5, "{found} {value}");
        near(lower(263, 81, 0.025), 0.2527);
        near(upper(263, 81, 0.025), 0.3676);
        near(upper(20, 0, 0.025), 1.0 - 0.025_f64.powf(1.0 / 20.0));
        near(lower(29, 29, 0.025), 0.025_f64.powf(1.0 / 29.0));
        assert_eq!((lower(9, 0, 0.1), upper(9, 9, 0.1)), (0.0, 1.0));
    }
}
