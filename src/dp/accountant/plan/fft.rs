//! A complex transform of a power of two, by halves: forward from natural to bit-reversed order, back from that.

/// Cosines and sines of each halving, the shortest first: of `half` steps over half a circle.
pub(super) struct Circle(Vec<(Vec<f64>, Vec<f64>)>);

impl Circle {
    /// For transforms of `length`, a power of two.
    pub(super) fn new(length: usize) -> Self {
        let halving = |half: usize| {
            let turn = -std::f64::consts::PI / half as f64;
            (0..half).map(|at| (turn * at as f64).sin_cos()).map(|(sine, cosine)| (cosine, sine)).unzip()
        };
        Self((0..length.ilog2()).map(|bits| halving(1 << bits)).collect())
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
