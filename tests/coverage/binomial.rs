//! What number of hits is believable.

/// On each side: the false-alarm rate of one check is 10^-6 at most.
const MISS: f64 = 5e-7;

/// The least and the greatest number of hits among `runs` that a coverage of at least `least` and at most `most` explains.
pub(crate) fn limits(runs: u64, least: f64, most: f64) -> (u64, u64) {
    // From the top down, P(X >= k) and P(X > k) grow; the sums are of positive terms.
    let from_top = |coverage: f64, enough: &dyn Fn(f64) -> bool| {
        let (mut log, mut sum) = (runs as f64 * coverage.ln(), 0.0);
        for hits in (0..=runs).rev() {
            sum += f64::exp(log);
            if enough(sum) {
                return hits;
            }
            log += (hits as f64 / (runs - hits + 1) as f64 * (1.0 - coverage) / coverage).ln();
        }
        0
    };
    // P(X < k) <= MISS where P(X >= k) >= 1 - MISS; the greatest such k.
    let low = from_top(least, &|sum| sum >= 1.0 - MISS);
    // P(X > k) <= MISS; the least such k is the first with P(X >= k) above it.
    let high = if most >= 1.0 { runs } else { from_top(most, &|sum| sum > MISS) };
    (low, high)
}

#[test]
fn the_limits_are_those_of_the_binomial_law() {
    // By hand: P(X < 8) of (10, 1/2) is 968/1024, so only 0 and 10 hits of so few runs say anything.
    assert_eq!(limits(10, 0.5, 0.5), (0, 10));
    // 2^-21 is below MISS, 2^-20 is not.
    assert_eq!((limits(20, 0.5, 0.5), limits(21, 0.5, 0.5)), ((0, 20), (1, 20)));
    // 4.9 standard deviations of 21.8.
    let (low, high) = limits(10_000, 0.95, 0.95);
    assert!((9_385..=9_396).contains(&low) && (9_598..=9_606).contains(&high), "{low} {high}");
    assert_eq!(limits(100, 1.0, 1.0), (100, 100));
}
