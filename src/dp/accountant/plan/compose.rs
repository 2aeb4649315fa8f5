use super::super::AccountantError;
use super::fft::{Circle, opposite};
use super::step::Step;

/// The grid of losses where memory allows: a power of two, so that round losses stand on it.
const GRID: f64 = 1.0 / 2048.0;
/// The rounding of all steps has at most this squared size, or the grid is finer.
const SPREAD: f64 = 1.0 / 16384.0;
/// No coarser grid than this is used.
const GRID_MAX: f64 = 1.0 / 16.0;
/// exp(-TAIL) is the most that may lie beyond either end of the window.
const TAIL: f64 = 28.0;
/// Products up to which sums are convolved term by term, which keeps every digit of small masses.
const DIRECT: f64 = (1 << 29) as f64;
/// Bytes for each point of a transform, and for each point of a step's losses.
const POINT_BYTES: f64 = 128.0;
const LOSS_BYTES: f64 = 32.0;
/// Rounding of a butterfly: two products, two sums and the twiddle, each right to 2^-53 or twice that.
const BUTTERFLY: f64 = 5.0 * ROUNDING;
const ROUNDING: f64 = f64::EPSILON / 2.0;
/// What a mass may be wrong by, relatively, and a loss, absolutely and relatively.
const MASS_SLACK: f64 = 1.0 / (1_u64 << 40) as f64;
const LOSS_SLACK: f64 = 1.0 / (1_u64 << 43) as f64;
const LOSS_ROUNDING: f64 = 1.0 / (1_u64 << 50) as f64;

/// The sum of all losses of a plan, on a grid, with its masses under both data sets.
pub(super) struct Composed {
    grid: f64,
    /// The grid index of the first point.
    first: i64,
    /// With the unit: the sum of the masses from each point on.
    above: Vec<f64>,
    /// The same, of masses times exp(-loss); 0 below loss 0.
    tilted: Vec<f64>,
    /// Without the unit, after the same rounding: the sum of the masses from each point on; 0 below loss 0.
    without: Vec<f64>,
    /// Mass of unbounded loss, from both sides.
    infinite: (f64, f64),
    /// What may have come into the window from outside.
    beyond: f64,
    /// What any sum of masses may be wrong by, absolutely and relatively.
    slack: f64,
    relative: f64,
    /// What the losses may be wrong by.
    loss_slack: f64,
    /// The largest finite loss.
    top: f64,
}

/// The losses of one step on the grid.
struct Losses {
    times: u32,
    first: i64,
    with: Vec<f64>,
    /// Times exp(loss), so that it is of the size of `with`.
    without: Vec<f64>,
    infinite: f64,
}

impl Composed {
    /// The finest grid that the memory holds.
    pub(super) fn new(steps: &[(Step, u32)], removed: bool, memory: usize) -> Result<Self, AccountantError> {
        let count = steps.iter().map(|(_, times)| f64::from(*times)).sum::<f64>();
        let mut grid = GRID;
        while count * grid * grid > SPREAD {
            grid /= 2.0;
        }
        while grid <= GRID_MAX {
            if let Some(composed) = Self::on_grid(steps, count, removed, grid, memory as f64) {
                return Ok(composed);
            }
            grid *= 2.0;
        }
        Err(AccountantError::Limit { what: "grid of losses within this memory" })
    }

    fn on_grid(steps: &[(Step, u32)], count: f64, removed: bool, grid: f64, memory: f64) -> Option<Self> {
        let ranges = steps.iter().map(|(step, _)| step.range(removed)).collect::<Vec<_>>();
        let points = ranges.iter().map(|(low, high)| (high - low) / grid + 4.0).sum::<f64>();
        if points * LOSS_BYTES > memory {
            return None;
        }
        let on = |grid: f64| {
            let parts = steps.iter().zip(&ranges);
            parts.map(|((step, times), range)| Losses::new(step, *times, removed, *range, grid)).collect::<Vec<_>>()
        };
        let (mut grid, mut losses) = (grid, on(grid));
        let sum = if direct_products(&losses) <= DIRECT {
            direct(&losses)
        } else {
            // A transform has a power of two of points: the grid is made finer until all are used.
            let (low, high) = window(&losses, grid);
            let share = (high - low + 16) as f64 * 1.02 / length(low, high)? as f64;
            if share < 1.0 && 2.0 * points * LOSS_BYTES <= memory {
                grid *= share;
                losses = on(grid);
            }
            transformed(&losses, grid, memory - 2.0 * points * LOSS_BYTES)?
        };
        let kept = losses.iter().map(|losses| f64::from(losses.times) * (-losses.infinite).ln_1p()).sum::<f64>();
        let infinite = -kept.exp_m1();
        let top = steps.iter().zip(&ranges).map(|((_, times), range)| f64::from(*times) * range.1).sum::<f64>();
        let widest = steps.iter().zip(&ranges).map(|((_, times), range)| f64::from(*times) * range.1.max(-range.0)).sum::<f64>();
        let relative = count * MASS_SLACK + sum.with.len() as f64 * ROUNDING;
        let tilted = |masses: &[f64]| {
            let part = |(at, mass): (usize, &f64)| match (sum.first + at as i64) as f64 * grid {
                loss if loss < 0.0 => 0.0,
                loss => mass * (-loss).exp(),
            };
            tails(masses.iter().enumerate().map(part).collect())
        };
        Some(Self {
            grid,
            first: sum.first,
            tilted: tilted(&sum.with),
            without: tilted(&sum.without),
            beyond: sum.beyond,
            above: tails(sum.with),
            infinite: (infinite * (1.0 - MASS_SLACK), infinite * (1.0 + MASS_SLACK) + sum.beyond),
            slack: sum.slack,
            relative,
            loss_slack: count * LOSS_SLACK + widest * LOSS_ROUNDING,
            top: top * (1.0 + LOSS_ROUNDING),
        })
    }

    /// An upper bound of delta.
    pub(super) fn delta_high(&self, epsilon: f64) -> f64 {
        let epsilon = (epsilon - self.loss_slack).max(0.0);
        let at = self.place(epsilon);
        let finite = match self.above.get(at) {
            // The differences of the two are small where both are: their own rounding is in `relative`.
            Some(above) => (above - epsilon.exp() * self.tilted[at]).max(0.0) + above * self.relative,
            None => 0.0,
        };
        (finite + self.infinite.1 + self.slack).min(1.0)
    }

    /// A lower bound of delta: the best of a few events "the rounded sum is at least this, and in the window". What came
    /// into the window from outside is taken from the masses with the unit, and left in those without.
    pub(super) fn delta_low(&self, epsilon: f64) -> f64 {
        let epsilon = epsilon + self.loss_slack;
        let growth = epsilon.exp();
        let event = |at: usize| {
            let (with, without) = (self.above.get(at)?, self.without.get(at)?);
            let loss = (self.first + at as i64) as f64 * self.grid;
            let other = growth * without * (1.0 + self.relative) + (epsilon - loss).exp() * self.slack;
            Some(with * (1.0 - self.relative) - self.slack - self.beyond - other)
        };
        let start = self.place(epsilon);
        let finite = (start..start + 3).filter_map(event).fold(0.0, f64::max);
        finite + self.infinite.0
    }

    /// An upper bound of epsilon, if there is a finite one.
    pub(super) fn epsilon_high(&self, delta: f64) -> Option<f64> {
        // All losses are at most `top`, which is the sum that needs no distribution.
        let sum = (self.infinite.1 <= delta).then_some(self.top);
        let end = (self.first + self.above.len() as i64) as f64 * self.grid + self.loss_slack;
        let end = end.max(0.0);
        let found = (self.delta_high(end) <= delta).then(|| bisect(end, |epsilon| self.delta_high(epsilon) <= delta).1);
        match (sum, found) {
            (Some(sum), Some(found)) => Some(sum.min(found)),
            (sum, found) => sum.or(found),
        }
    }

    /// A lower bound of epsilon.
    pub(super) fn epsilon_low(&self, delta: f64) -> f64 {
        if self.delta_low(0.0) <= delta {
            return 0.0;
        }
        let end = (self.first + self.above.len() as i64 + 4) as f64 * self.grid;
        bisect(end.max(0.0), |epsilon| self.delta_low(epsilon) <= delta).0
    }

    /// The place of the first grid point at `epsilon` or above.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturating")]
    fn place(&self, epsilon: f64) -> usize {
        ((epsilon / self.grid).ceil() - self.first as f64).max(0.0) as usize
    }
}

/// The sum of losses: masses with the unit, and those without it times exp(loss).
struct Sum {
    first: i64,
    with: Vec<f64>,
    without: Vec<f64>,
    /// An upper bound of the mass beyond the window, on both sides.
    beyond: f64,
    slack: f64,
}

impl Losses {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "grid indices, bounded by the memory")]
    fn new(step: &Step, times: u32, removed: bool, (low, high): (f64, f64), grid: f64) -> Self {
        let first = (low / grid).floor() as i64 - 1;
        let length = (high / grid).floor() as i64 + 3 - first;
        let (mut with, mut without) = (vec![0.0; length as usize], vec![0.0; length as usize]);
        let whole = (-grid).exp_m1();
        let infinite = step.losses(removed, |mass, loss| {
            let index = (loss / grid).floor();
            let upper = (-(loss - index * grid)).exp_m1() / whole;
            let below = (index * grid - loss).exp();
            // The ends of the range are bounds up to rounding, for which one point is left on each side.
            let at = ((index as i64 - first).max(0) as usize).min(with.len() - 2);
            with[at] += mass * (1.0 - upper);
            with[at + 1] += mass * upper;
            without[at] += mass * (1.0 - upper) * below;
            without[at + 1] += mass * upper * below * grid.exp();
        });
        Self { times, first, with, without, infinite }
    }

    /// ln of the mean of exp(lambda loss), for |lambda| that does not overflow.
    fn log_mean_exp(&self, lambda: f64, grid: f64) -> f64 {
        let part =
            |(at, mass): (usize, &f64)| if *mass > 0.0 { mass * (lambda * (self.first + at as i64) as f64 * grid).exp() } else { 0.0 };
        self.with.iter().enumerate().map(part).sum::<f64>().ln()
    }
}

/// How many products [`direct`] takes.
fn direct_products(losses: &[Losses]) -> f64 {
    let (mut length, mut products) = (1.0, 0.0);
    for losses in losses {
        let (own, times) = (losses.with.len() as f64, f64::from(losses.times));
        // length own + (length + own) own + ...
        products += times * length * own + own * own * times * (times - 1.0) / 2.0;
        length += times * own;
    }
    2.0 * products
}

fn direct(losses: &[Losses]) -> Sum {
    let mut sum = Sum { first: 0, with: vec![1.0], without: vec![1.0], beyond: 0.0, slack: 0.0 };
    for losses in losses {
        for _ in 0..losses.times {
            sum.first += losses.first;
            sum.with = convolve(&sum.with, &losses.with);
            sum.without = convolve(&sum.without, &losses.without);
        }
    }
    sum
}

fn convolve(left: &[f64], right: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; left.len() + right.len() - 1];
    for (at, mass) in left.iter().enumerate().filter(|(_, mass)| **mass != 0.0) {
        product[at..].iter_mut().zip(right).for_each(|(place, other)| *place += mass * other);
    }
    product
}

/// The ends beyond which the sum has a mass of exp(-TAIL) at most on each side (Chernoff), in grid indices.
#[expect(clippy::cast_possible_truncation, reason = "far below 2^63")]
fn window(losses: &[Losses], grid: f64) -> (i64, i64) {
    let times = |losses: &Losses| f64::from(losses.times);
    let (mut low, mut high, mut spread) = (0.0, 0.0, 0.0);
    for losses in losses {
        low += times(losses) * losses.first as f64 * grid;
        high += times(losses) * (losses.first + losses.with.len() as i64) as f64 * grid;
        let moment = |power: i32| {
            let part = |(at, mass): (usize, &f64)| mass * ((losses.first + at as i64) as f64 * grid).powi(power);
            losses.with.iter().enumerate().map(part).sum::<f64>()
        };
        spread += times(losses) * (moment(2) - moment(1).powi(2)).max(0.0);
    }
    let mut lambda = (2.0 * TAIL / spread.max(1e-12)).sqrt();
    let log = |lambda: f64| losses.iter().map(|losses| times(losses) * losses.log_mean_exp(lambda, grid)).sum::<f64>();
    // Any lambda gives a bound; with heavier tails smaller ones are better.
    for _ in 0..4 {
        let (up, down) = ((log(lambda) + TAIL) / lambda, -(log(-lambda) + TAIL) / lambda);
        (high, low) = (high.min(if up.is_nan() { high } else { up }), low.max(if down.is_nan() { low } else { down }));
        lambda /= 2.0;
    }
    ((low / grid).floor() as i64 - 1, (high / grid).ceil() as i64 + 1)
}

/// The points of a transform of a window.
fn length(low: i64, high: i64) -> Option<usize> {
    Some(usize::try_from(high - low + 1).ok()?.checked_next_power_of_two()?.max(4))
}

/// The sum modulo the window, by the product of spectra: what falls outside comes in at the other end.
#[expect(clippy::cast_possible_truncation, reason = "places in a window, bounded by the memory")]
fn transformed(losses: &[Losses], grid: f64, memory: f64) -> Option<Sum> {
    let (low, high) = window(losses, grid);
    let length = length(low, high)?;
    if length as f64 * POINT_BYTES > memory {
        return None;
    }
    let circle = Circle::new(length);
    let rounding = BUTTERFLY * f64::from(length.ilog2());
    let mut spectra = vec![Point::default(); length];
    // Those that are done equally often are multiplied before they are raised.
    let mut order = losses.iter().collect::<Vec<_>>();
    order.sort_by_key(|losses| losses.times);
    let (mut re, mut im) = (vec![0.0; length], vec![0.0; length]);
    let mut origin = 0_i64;
    for (at, losses) in order.iter().enumerate() {
        origin += i64::from(losses.times) * losses.first;
        re.fill(0.0);
        im.fill(0.0);
        for (at, (with, without)) in losses.with.iter().zip(&losses.without).enumerate() {
            re[at % length] += with;
            im[at % length] += without;
        }
        circle.forward(&mut re, &mut im, losses.with.len().min(length));
        for at in 0..length {
            let other = opposite(at);
            if at <= other {
                spectra[at].multiply((re[at], im[at]), (re[other], im[other]), losses.times);
            }
        }
        if order.get(at + 1).is_none_or(|next| next.times != losses.times) {
            spectra.iter_mut().for_each(|point| point.raise(losses.times));
        }
    }
    let (mut error, mut size) = (0.0, 0.0);
    for at in 0..length {
        let other = opposite(at);
        if at > other {
            continue;
        }
        let Point { with: (a, b), without: (c, d), wrong, .. } = spectra[at];
        // with + i without, and at the opposite frequency the same of their conjugates.
        (re[at], im[at]) = (a - d, b + c);
        (re[other], im[other]) = (a + d, c - b);
        let sizes = (a.hypot(b), c.hypot(d));
        let both = if at == other { 1.0 } else { 2.0 };
        error += both * sizes.0.max(sizes.1) * wrong;
        size += both * (sizes.0 + sizes.1);
    }
    circle.back(&mut re, &mut im);
    // Each spectrum starts with an error of `rounding` times its masses, which are 2 and a little, and a power adds a
    // few roundings.
    let slack = error * (2.5 * rounding + 16.0 * ROUNDING) + size * rounding;
    let places = |part: &[f64]| {
        let start = (low - origin).rem_euclid(length as i64) as usize;
        (0..length).map(|at| (part[(start + at) % length] / length as f64).max(0.0)).collect()
    };
    // A sum over the points of the window is wrong by `length` times the error of one, slack / length.
    Some(Sum { first: low, with: places(&re), without: places(&im), beyond: 2.0 * (-TAIL).exp(), slack })
}

/// The product of spectra at one frequency, and by how many times the error of a factor it is wrong, relatively.
#[derive(Clone)]
struct Point {
    with: (f64, f64),
    without: (f64, f64),
    /// Factors that are still to be raised to a power.
    group: ((f64, f64), (f64, f64)),
    wrong: f64,
}

impl Default for Point {
    fn default() -> Self {
        let one = (1.0, 0.0);
        Self { with: one, without: one, group: (one, one), wrong: 1.0 }
    }
}

impl Point {
    /// `here` and `there` are the transforms of with + i without at a frequency and its opposite.
    #[inline]
    fn multiply(&mut self, here: (f64, f64), there: (f64, f64), times: u32) {
        let with = ((here.0 + there.0) / 2.0, (here.1 - there.1) / 2.0);
        let without = ((here.1 + there.1) / 2.0, (there.0 - here.0) / 2.0);
        self.group = (product(self.group.0, with), product(self.group.1, without));
        let square = |value: (f64, f64)| value.0 * value.0 + value.1 * value.1;
        self.wrong += f64::from(times) / square(with).min(square(without)).sqrt().max(1e-150);
    }

    fn raise(&mut self, times: u32) {
        self.with = product(self.with, power(self.group.0, times));
        self.without = product(self.without, power(self.group.1, times));
        self.group = Self::default().group;
    }
}

fn product(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn power(mut base: (f64, f64), mut times: u32) -> (f64, f64) {
    let mut value = (1.0, 0.0);
    while times > 0 {
        if times % 2 == 1 {
            value = product(value, base);
        }
        base = product(base, base);
        times /= 2;
    }
    value
}

/// The sums from each place on.
fn tails(mut masses: Vec<f64>) -> Vec<f64> {
    let mut sum = 0.0;
    for mass in masses.iter_mut().rev() {
        sum += *mass;
        *mass = sum;
    }
    masses
}

/// Neighbouring numbers of [0, end], the first without and the second with what `holds` from somewhere on and at `end`;
/// both are 0 where it holds there.
fn bisect(end: f64, holds: impl Fn(f64) -> bool) -> (f64, f64) {
    let (mut low, mut high) = (0.0, end);
    if holds(low) {
        return (low, low);
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return (low, high);
        }
        if holds(middle) { high = middle } else { low = middle }
    }
}
