//! A complex transform of a power of two, by halves: forward from natural to bit-reversed order, back from that.

/// Numbers that share one turn in [`Circle::at`], and sums that are kept beside each other.
const BLOCK: usize = 64;
const LANES: usize = 8;
/// Roundings on the way of one number into [`Circle::at`]: its product, the sums of a lane and of all lanes, two turns and a
/// product with one of them, and those of the sum of blocks, which counts what it loses; real and imaginary part together
/// are within sqrt 2 of each.
pub(super) const AT_ROUNDING: f64 = 1.5 * (BLOCK / LANES + LANES + 10) as f64 * f64::EPSILON / 2.0;

/// Cosines and sines of each halving, the shortest first: of `half` steps over half a circle.
pub(super) struct Circle(Vec<(Vec<f64>, Vec<f64>)>);

impl Circle {
    /// For transforms of `length`, a power of two.
    pub(super) fn new(length: usize) -> Self {
        Self((0..length.ilog2()).map(|bits| (0..1 << bits).map(|at| turn(at, 1 << bits)).unzip()).collect())
    }

    /// At the one frequency that stands at `place` in bit-reversed order, of numbers that are 0 from `filled` on: the
    /// spectra of both parts. Right to [`AT_ROUNDING`], relatively to the sum of the numbers' sizes.
    pub(super) fn at(&self, re: &[f64], im: &[f64], filled: usize, place: usize) -> [(f64, f64); 2] {
        let length = re.len();
        let frequency = place.reverse_bits().checked_shr(usize::BITS - length.ilog2()).unwrap_or(0);
        let (mut cosines, mut sines) = ([0.0; BLOCK], [0.0; BLOCK]);
        for (at, (cosine, sine)) in cosines.iter_mut().zip(&mut sines).enumerate() {
            (*cosine, *sine) = self.turn(at * frequency % length);
        }
        let mut sums = [[(0.0, 0.0); 2]; 2];
        for (at, (re, im)) in re[..filled].chunks(BLOCK).zip(im[..filled].chunks(BLOCK)).enumerate() {
            let (cosine, sine) = self.turn(at * BLOCK % length * frequency % length);
            for (sum, part) in sums.iter_mut().zip([re, im]) {
                let (x, y) = (dot(part, &cosines), dot(part, &sines));
                add(&mut sum[0], x * cosine - y * sine);
                add(&mut sum[1], x * sine + y * cosine);
            }
        }
        sums.map(|[(re, re_lost), (im, im_lost)]| (re + re_lost, im + im_lost))
    }

    /// exp(-2 pi i at / length), at < length.
    fn turn(&self, at: usize) -> (f64, f64) {
        match self.0.last() {
            Some((cosines, sines)) if at < cosines.len() => (cosines[at], sines[at]),
            Some((cosines, sines)) => (-cosines[at - cosines.len()], -sines[at - sines.len()]),
            None => (1.0, 0.0),
        }
    }

    /// Of numbers that are 0 from `filled` on.
    pub(super) fn forward(&self, re: &mut [f64], im: &mut [f64], filled: usize) {
        for (cosines, sines) in self.0.iter().rev() {
            let half = cosines.len();
            for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
                let ((re_0, re_1), (im_0, im_1)) = (re.split_at_mut(half), im.split_at_mut(half));
                // While only the first half of each part is filled, it stays, and the other becomes it, turned.
                let count = filled.min(half);
                let parts = re_0[..count].iter_mut().zip(&mut re_1[..count]).zip(im_0[..count].iter_mut().zip(&mut im_1[..count]));
                for (((a, c), (b, d)), (cosine, sine)) in parts.zip(cosines.iter().zip(sines)) {
                    let (x, y) = (*a - *c, *b - *d);
                    (*a, *b) = (*a + *c, *b + *d);
                    (*c, *d) = (x * cosine - y * sine, x * sine + y * cosine);
                }
            }
        }
    }

    /// Times the length.
    pub(super) fn back(&self, re: &mut [f64], im: &mut [f64]) {
        for (cosines, sines) in &self.0 {
            let half = cosines.len();
            for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
                let ((re_0, re_1), (im_0, im_1)) = (re.split_at_mut(half), im.split_at_mut(half));
                let parts = re_0.iter_mut().zip(re_1).zip(im_0.iter_mut().zip(im_1)).zip(cosines.iter().zip(sines));
                for (((a, c), (b, d)), (cosine, sine)) in parts {
                    let (x, y) = (*c * cosine + *d * sine, *d * cosine - *c * sine);
                    (*c, *d) = (*a - x, *b - y);
                    (*a, *b) = (*a + x, *b + y);
                }
            }
        }
    }
}

/// Cosine and sine of -pi at / half, at < half: taken within an eighth of the circle, where the rounding of the angle is
/// below 2^-53.
fn turn(at: usize, half: usize) -> (f64, f64) {
    let angle = |at: usize| std::f64::consts::PI / half as f64 * at as f64;
    let (cosine, sine) = match at.min(half - at) {
        near if 4 * near <= half => (angle(near).cos(), angle(near).sin()),
        // Twice what is left to a quarter of the circle is a whole number, also where `half` is 1.
        near => ((angle(half - 2 * near) / 2.0).sin(), (angle(half - 2 * near) / 2.0).cos()),
    };
    (if 2 * at > half { -cosine } else { cosine }, -sine)
}

/// The sum of products, in [`LANES`] sums.
#[inline]
fn dot(left: &[f64], right: &[f64; BLOCK]) -> f64 {
    let mut sums = [0.0; LANES];
    let (left, rest) = left.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right.as_chunks::<LANES>().0) {
        sums.iter_mut().zip(left.iter().zip(right)).for_each(|(sum, (left, right))| *sum += left * right);
    }
    let rest = rest.iter().zip(&right[left.len() * LANES..]).map(|(left, right)| left * right).sum::<f64>();
    sums.iter().sum::<f64>() + rest
}

/// Adds to a sum, and what that loses to what it has lost (Neumaier).
#[inline]
fn add((sum, lost): &mut (f64, f64), value: f64) {
    let next = *sum + value;
    *lost += if sum.abs() >= value.abs() { (*sum - next) + value } else { (value - next) + *sum };
    *sum = next;
}

/// Where the opposite frequency stands in bit-reversed order: the highest bit stays, those below are turned.
pub(super) fn opposite(at: usize) -> usize {
    match at.checked_ilog2() {
        Some(bit) => at ^ ((1 << bit) - 1),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition_and_goes_back() {
        for bits in 0..8 {
            let length = 1_usize << bits;
            let circle = Circle::new(length);
            let given = (0..length).map(|at| ((at * at % 7) as f64 - 2.0, (at % 5) as f64)).collect::<Vec<_>>();
            let (mut re, mut im): (Vec<f64>, Vec<f64>) = given.iter().copied().unzip();
            let (given_re, given_im) = (re.clone(), im.clone());
            circle.forward(&mut re, &mut im, length);
            for frequency in 0..length {
                let place = if bits == 0 { 0 } else { frequency.reverse_bits() >> (usize::BITS - bits) };
                let other = (length - frequency) % length;
                assert_eq!(opposite(place), if bits == 0 { 0 } else { other.reverse_bits() >> (usize::BITS - bits) });
                let (mut x, mut y) = (0.0, 0.0);
                for (at, (a, b)) in given.iter().enumerate() {
                    let (sine, cosine) = (-std::f64::consts::TAU * (at * frequency % length) as f64 / length as f64).sin_cos();
                    (x, y) = (x + a * cosine - b * sine, y + a * sine + b * cosine);
                }
                let [one, two] = circle.at(&given_re, &given_im, length, place);
                assert!((one.0 - two.1 - x).abs() + (one.1 + two.0 - y).abs() < 1e-11 * length as f64);
                assert!((re[place] - x).abs() + (im[place] - y).abs() < 1e-11 * length as f64);
            }
            circle.back(&mut re, &mut im);
            let near = |found: f64, given: f64| (found / length as f64 - given).abs() < 1e-12;
            assert!(given.iter().zip(re.iter().zip(&im)).all(|((a, b), (x, y))| near(*x, *a) && near(*y, *b)));
        }
    }

    #[test]
    fn zeros_at_the_end_may_be_left_out() {
        let circle = Circle::new(64);
        for filled in 1..=64 {
            let (mut re, mut im): (Vec<f64>, Vec<f64>) =
                (0..64).map(|at| if at < filled { (1.0 + at as f64, 3.0) } else { (0.0, 0.0) }).unzip();
            let (mut re_all, mut im_all) = (re.clone(), im.clone());
            circle.forward(&mut re, &mut im, filled);
            circle.forward(&mut re_all, &mut im_all, 64);
            assert!(re.iter().zip(re_all).chain(im.iter().zip(im_all)).all(|(a, b)| (a - b).abs() < 1e-10), "{filled}");
        }
    }
}
