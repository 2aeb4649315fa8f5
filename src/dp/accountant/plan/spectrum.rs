//! The sum of many losses by the product of their spectra.

use super::fft::{AT_ROUNDING, Circle, opposite};
use super::losses::Losses;

/// exp(-TAIL) is the most that may lie beyond either end of the window.
const TAIL: f64 = 28.0;
/// Bytes for each point of a transform.
const POINT_BYTES: f64 = 128.0;
/// Rounding of a butterfly: a sum, a product of complex numbers (2^-53 and sqrt 5 times that) and the turn itself.
const BUTTERFLY: f64 = 5.0 * ROUNDING;
const ROUNDING: f64 = f64::EPSILON / 2.0;
/// Frequencies at which the product of all spectra is below this are left out, which is charged to the slack: a transform
/// has at most 2^40 of them.
const NEGLIGIBLE: f64 = 1.0 / (1_u128 << 100) as f64;

/// The sum of losses: masses with the unit, and those without it times exp(loss).
pub(super) struct Sum {
    pub(super) first: i64,
    pub(super) with: Vec<f64>,
    pub(super) without: Vec<f64>,
    /// An upper bound of the mass beyond the window, on both sides.
    pub(super) beyond: f64,
    pub(super) slack: f64,
}

/// The ends beyond which the sum has a mass of exp(-TAIL) at most on each side (Chernoff), in grid indices.
#[expect(clippy::cast_possible_truncation, reason = "far below 2^63")]
pub(super) fn window(losses: &[Losses], grid: f64) -> (i64, i64) {
    let (mut low, mut high, mut spread) = (0.0, 0.0, 0.0);
    for losses in losses {
        let times = f64::from(losses.times);
        low += times * losses.first as f64 * grid;
        high += times * (losses.first + losses.with.len() as i64) as f64 * grid;
        spread += times * losses.spread;
    }
    let mut lambda = (2.0 * TAIL / spread.max(1e-12)).sqrt();
    let log = |lambda: f64| losses.iter().map(|losses| f64::from(losses.times) * losses.log_mean_exp(lambda, grid)).sum::<f64>();
    // Any lambda gives a bound; with heavier tails smaller ones are better.
    for _ in 0..4 {
        let (up, down) = ((log(lambda) + TAIL) / lambda, -(log(-lambda) + TAIL) / lambda);
        (high, low) = (high.min(if up.is_nan() { high } else { up }), low.max(if down.is_nan() { low } else { down }));
        lambda /= 2.0;
    }
    ((low / grid).floor() as i64 - 1, (high / grid).ceil() as i64 + 1)
}

/// Some lambda, from small to large, and upper bounds of ln of the mean of exp(lambda loss) of the sum, by which deltas from
/// about exp(-10) to exp(-1000) can be bounded.
pub(super) fn moments(losses: &[Losses], grid: f64) -> Vec<(f64, f64)> {
    let spread = losses.iter().map(|losses| f64::from(losses.times) * losses.spread).sum::<f64>();
    let lambdas = (0..12).map(|step| (20.0 * 1.5_f64.powi(step) / spread.max(1e-12)).sqrt());
    let log = |lambda: f64| losses.iter().map(|losses| f64::from(losses.times) * losses.log_mean_exp(lambda, grid)).sum::<f64>();
    lambdas.map(|lambda| (lambda, log(lambda))).filter(|(_, log)| log.is_finite()).collect()
}

/// The points of a transform of a window.
pub(super) fn length(low: i64, high: i64) -> Option<usize> {
    Some(usize::try_from(high - low + 1).ok()?.checked_next_power_of_two()?.max(4))
}

/// The sum modulo the window, by the product of spectra: what falls outside comes in at the other end.
///
/// Sums of many losses are smooth, so that their spectra are negligible at most frequencies. Those are left out as soon
/// as the factors so far show it; once few are left, the remaining spectra are taken at these alone.
#[expect(clippy::cast_possible_truncation, reason = "places in a window, bounded by the memory")]
pub(super) fn transformed(losses: &[Losses], grid: f64, memory: f64) -> Option<Sum> {
    let (low, high) = window(losses, grid);
    let length = length(low, high)?;
    if length as f64 * POINT_BYTES > memory {
        return None;
    }
    let circle = Circle::new(length);
    let bits = length.ilog2();
    // Those that are done equally often are multiplied before they are raised; the smoothest come first.
    let mut order = losses.iter().collect::<Vec<_>>();
    order.sort_by(|one, other| other.times.cmp(&one.times).then(other.spread.total_cmp(&one.spread)));
    let mut points = (0..length).filter(|at| *at <= opposite(*at)).map(Point::new).collect::<Vec<_>>();
    let (mut re, mut im) = (vec![0.0; length], vec![0.0; length]);
    let (mut origin, mut left_out) = (0_i64, 0.0);
    for (at, losses) in order.iter().enumerate() {
        origin += i64::from(losses.times) * losses.first;
        re.fill(0.0);
        im.fill(0.0);
        for (at, (with, without)) in losses.with.iter().zip(&losses.without).enumerate() {
            re[at % length] += with;
            im[at % length] += without;
        }
        let filled = losses.with.len().min(length);
        if points.len() * filled > length * bits as usize / 2 {
            circle.forward(&mut re, &mut im, filled);
            // Of numbers with + i without, whose size is sqrt 2 times a mass.
            let rounding = 1.5 * BUTTERFLY * f64::from(bits);
            points.iter_mut().for_each(|point| point.multiply(split(&re, &im, point.at), losses.times, rounding));
        } else {
            points.iter_mut().for_each(|point| point.multiply(circle.at(&re, &im, filled, point.at), losses.times, AT_ROUNDING));
        }
        points.retain(|point| {
            let kept = point.most >= NEGLIGIBLE;
            left_out += if kept { 0.0 } else { 4.0 * point.most };
            kept
        });
        if order.get(at + 1).is_none_or(|next| next.times != losses.times) {
            points.iter_mut().for_each(|point| point.raise(losses.times));
        }
    }
    // No factor that was still to come is larger than its masses.
    let growth = losses.iter().map(|losses| f64::from(losses.times) * losses.total().ln()).sum::<f64>().exp();
    let (mut error, mut size) = (left_out * growth, 0.0);
    re.fill(0.0);
    im.fill(0.0);
    for Point { at, with: (a, b), without: (c, d), wrong, most, .. } in points {
        let other = opposite(at);
        // with + i without, and at the opposite frequency the same of their conjugates.
        (re[at], im[at]) = (a - d, b + c);
        (re[other], im[other]) = (a + d, c - b);
        let sizes = (a.hypot(b), c.hypot(d));
        let both = if at == other { 1.0 } else { 2.0 };
        // A product of (1 + x_i) is within exp(sum of |x_i|) - 1 of 1; and neither it nor the truth is above `most`.
        error += both * ((sizes.0 + sizes.1) * wrong.exp_m1()).min(4.0 * most);
        size += both * (sizes.0 + sizes.1);
    }
    circle.back(&mut re, &mut im);
    let slack = error + size * BUTTERFLY * f64::from(bits);
    let places = |part: &[f64]| {
        let start = (low - origin).rem_euclid(length as i64) as usize;
        (0..length).map(|at| (part[(start + at) % length] / length as f64).max(0.0)).collect()
    };
    // A sum over the points of the window is wrong by `length` times the error of one, slack / length.
    Some(Sum { first: low, with: places(&re), without: places(&im), beyond: 2.0 * (-TAIL).exp(), slack })
}

/// The two spectra at a place, of the transform of with + i without.
#[inline]
fn split(re: &[f64], im: &[f64], at: usize) -> [(f64, f64); 2] {
    let other = opposite(at);
    let ((a, b), (c, d)) = ((re[at], im[at]), (re[other], im[other]));
    [((a + c) / 2.0, (b - d) / 2.0), ((b + d) / 2.0, (c - a) / 2.0)]
}

/// The product of spectra at one frequency and, with conjugates, at its opposite.
struct Point {
    at: usize,
    with: (f64, f64),
    without: (f64, f64),
    /// Factors that are still to be raised to a power.
    group: [(f64, f64); 2],
    /// The sum of what the factors are wrong by, relatively.
    wrong: f64,
    /// No product of either side is larger.
    most: f64,
}

impl Point {
    fn new(at: usize) -> Self {
        let one = (1.0, 0.0);
        Self { at, with: one, without: one, group: [one, one], wrong: 16.0 * ROUNDING, most: 1.0 }
    }

    /// Takes one more factor, each of whose two values is wrong by `rounding` at most. Products and powers
    /// add three times sqrt 5 roundings for every factor at most (Brent, Percival, Zimmermann 2007).
    #[inline]
    fn multiply(&mut self, values: [(f64, f64); 2], times: u32, rounding: f64) {
        let [with, without] = values;
        self.group = [product(self.group[0], with), product(self.group[1], without)];
        let square = |value: (f64, f64)| value.0 * value.0 + value.1 * value.1;
        let (one, other) = (square(with), square(without));
        self.wrong += f64::from(times) * (rounding + 8.0 * ROUNDING) / one.min(other).sqrt().max(1e-150);
        self.most *= raised(one.max(other).sqrt() + 2.0 * rounding, times);
    }

    fn raise(&mut self, times: u32) {
        self.with = product(self.with, power(self.group[0], times));
        self.without = product(self.without, power(self.group[1], times));
        self.group = [(1.0, 0.0); 2];
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

fn raised(mut base: f64, mut times: u32) -> f64 {
    let mut value = 1.0;
    while times > 0 {
        if times % 2 == 1 {
            value *= base;
        }
        base *= base;
        times /= 2;
    }
    value
}
