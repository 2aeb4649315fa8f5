//! The losses of one step on a grid.

/// A law of losses, from the mass functions under both data sets.
pub(in crate::dp::accountant) trait LossLaw {
    /// Whether adding a unit costs another amount than removing it.
    fn is_sided(&self) -> bool;

    /// Enclosure of the losses that are taken, up to rounding.
    fn range(&self, removed: bool) -> (f64, f64);

    /// Calls `take` with the mass and the loss of every outcome of finite loss, each right to 2^-40 of itself, the losses
    /// to 2^-43; the masses are those with the unit where it is `removed`, else those without. Outcomes may be taken
    /// together where no multiple of `grid` is between their losses. Returns an upper bound of the mass that is not taken.
    fn losses(&self, removed: bool, grid: f64, take: impl FnMut(f64, f64)) -> f64;
}

/// The losses of one step on the grid.
pub(super) struct Losses {
    pub(super) times: u32,
    pub(super) first: i64,
    pub(super) with: Vec<f64>,
    /// Times exp(loss), so that it is of the size of `with`.
    pub(super) without: Vec<f64>,
    pub(super) infinite: f64,
    /// The variance of the loss.
    pub(super) spread: f64,
}

impl Losses {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "grid indices, bounded by the memory")]
    pub(super) fn new(step: &impl LossLaw, times: u32, removed: bool, (low, high): (f64, f64), grid: f64) -> Self {
        let first = (low / grid).floor() as i64 - 1;
        let length = (high / grid).floor() as i64 + 3 - first;
        let (mut with, mut without) = (vec![0.0; length as usize], vec![0.0; length as usize]);
        let whole = (-grid).exp_m1();
        let (mut mean, mut square, rise) = (0.0, 0.0, grid.exp());
        let infinite = step.losses(removed, grid, |mass, loss| {
            mean += mass * loss;
            square += mass * loss * loss;
            let index = (loss / grid).floor();
            let upper = (-(loss - index * grid)).exp_m1() / whole;
            let below = (index * grid - loss).exp();
            // The ends of the range are bounds up to rounding, for which one point is left on each side.
            let at = ((index as i64 - first).max(0) as usize).min(with.len() - 2);
            with[at] += mass * (1.0 - upper);
            with[at + 1] += mass * upper;
            without[at] += mass * (1.0 - upper) * below;
            without[at + 1] += mass * upper * below * rise;
        });
        Self { times, first, with, without, infinite, spread: (square - mean * mean).max(0.0) }
    }

    /// All masses, of the larger side.
    pub(super) fn total(&self) -> f64 {
        self.with.iter().sum::<f64>().max(self.without.iter().sum()).max(1.0)
    }

    /// An upper bound of ln of the mean of exp(lambda loss); no number where that overflows.
    ///
    /// The powers come from each other, the largest first, so that none is lost below the range of numbers that could
    /// count; each adds two roundings.
    pub(super) fn log_mean_exp(&self, lambda: f64, grid: f64) -> f64 {
        let (last, ratio) = (self.with.len() - 1, (-(lambda * grid).abs()).exp());
        let largest = if lambda > 0.0 { self.first + last as i64 } else { self.first };
        let (mut factor, mut sum) = ((lambda * largest as f64 * grid).exp(), f64::MIN_POSITIVE);
        for at in 0..=last {
            sum += factor * self.with[if lambda > 0.0 { last - at } else { at }];
            factor *= ratio;
        }
        sum.ln() + (last + 8) as f64 * 4.0 * f64::EPSILON
    }
}
