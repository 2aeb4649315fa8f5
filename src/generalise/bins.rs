//! Bins of numbers, exact for integers and decimals.

use super::GeneraliseError;
use crate::id::Decimal;
use crate::value::Number;

/// Bins of numbers (分箱): half-open intervals, of one width or between edges, written `[30,40)`, `<18`, `>=65`. Exact for
/// integers and decimals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bins {
    shape: Shape,
    /// Digits behind the point of what is in `shape`, which counts in units of the last.
    scale: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Width {
        origin: i128,
        width: i128,
    },
    /// Ascending, at least two.
    Edges(Vec<i128>),
}

/// The most edges.
pub const EDGES_MAX: usize = 1_000;

impl Bins {
    /// `[origin + k * width, origin + (k + 1) * width)` for every integer k.
    ///
    /// # Errors
    /// The width is not positive, or the two together have too many digits.
    pub fn of_width(width: Decimal, origin: Decimal) -> Result<Self, GeneraliseError> {
        let scale = width.scale().max(origin.scale());
        let (width, origin) = width.units(scale).zip(origin.units(scale)).ok_or(GeneraliseError::Digits)?;
        if width <= 0 {
            return Err(GeneraliseError::Width);
        }
        Ok(Self { shape: Shape::Width { origin, width }, scale })
    }

    /// Below the first edge, between each and the next, and from the last on.
    ///
    /// # Errors
    /// Fewer than two edges, more than [`EDGES_MAX`], not ascending, or together of too many digits.
    pub fn of_edges(edges: &[Decimal]) -> Result<Self, GeneraliseError> {
        if !(2..=EDGES_MAX).contains(&edges.len()) || !edges.is_sorted_by(|a, b| a < b) {
            return Err(GeneraliseError::Edges { most: EDGES_MAX });
        }
        let scale = edges.iter().map(|edge| edge.scale()).max().unwrap_or(0);
        let edges = edges.iter().map(|edge| edge.units(scale)).collect::<Option<_>>().ok_or(GeneraliseError::Digits)?;
        Ok(Self { shape: Shape::Edges(edges), scale })
    }

    /// Width and origin of bins of one width.
    #[must_use]
    pub fn width(&self) -> Option<(Decimal, Decimal)> {
        let Shape::Width { origin, width } = self.shape else { return None };
        Decimal::new(width, self.scale).zip(Decimal::new(origin, self.scale))
    }

    /// The edges of bins between edges; of bins of one width none.
    #[must_use]
    pub fn edges(&self) -> Vec<Decimal> {
        let Shape::Edges(edges) = &self.shape else { return Vec::new() };
        edges.iter().filter_map(|edge| Decimal::new(*edge, self.scale)).collect()
    }

    /// The fewest multiples of `step` in one bin, not counting bins in which there is none. Of a bin that reaches below zero only
    /// what is not below counts, as long as that is something: ages and amounts have no more, and `[-9, 1)` of them says 0. The open
    /// ends hold more than any, but for one that begins below an edge above zero. 1 when it cannot be told.
    #[must_use]
    pub fn fewest(&self, step: Decimal) -> u128 {
        let scale = self.scale.max(step.scale());
        let up = 10i128.checked_pow(u32::from(scale - self.scale));
        let Some((up, step)) = up.zip(step.units(scale)).filter(|(_, step)| *step > 0) else { return 1 };
        let count = |from: i128, to: i128| {
            let first = |at: i128| Some(at.checked_mul(up)?.checked_sub(1)?.div_euclid(step));
            Some((first(to)? - first(from)?).unsigned_abs())
        };
        let closed = |from: i128, to: i128| if from < 0 && to > 0 { count(0, to) } else { count(from, to) };
        let fewest = match &self.shape {
            Shape::Width { origin, width } => {
                let from = origin.rem_euclid(*width).checked_sub(*width);
                let at_zero = from.and_then(|from| closed(from, from.checked_add(*width)?));
                width
                    .checked_mul(up)
                    .map(|width| (width / step).unsigned_abs())
                    .zip(at_zero)
                    .map(|(whole, at_zero)| whole.min(at_zero.max(1)))
            }
            Shape::Edges(edges) => edges
                .windows(2)
                .map(|pair| closed(pair[0], pair[1]))
                .chain(edges.first().filter(|first| **first > 0).map(|first| count(0, *first)))
                .collect::<Option<Vec<_>>>()
                .and_then(|counts| counts.into_iter().filter(|&count| count > 0).min()),
        };
        fewest.unwrap_or(1).max(1)
    }

    /// The bin of a number, by a number that orders bins; nothing when it is out of range.
    #[inline]
    pub(crate) fn bin(&self, number: Number) -> Option<i128> {
        let (floor, _) = number.floor(self.scale)?;
        match &self.shape {
            Shape::Width { origin, width } => {
                let above = floor.checked_sub(*origin)?;
                match (i64::try_from(above), i64::try_from(*width)) {
                    (Ok(above), Ok(width)) => Some(above.div_euclid(width).into()),
                    _ => Some(above.div_euclid(*width)),
                }
            }
            Shape::Edges(edges) => i128::try_from(edges.partition_point(|&edge| edge <= floor)).ok(),
        }
    }

    /// Writes the label of a bin; `false` when its borders are out of range.
    pub(crate) fn write(&self, bin: i128, out: &mut String) -> bool {
        let border = |units: i128, out: &mut String| {
            // In lowest terms, as a reader of the policy wrote it.
            Decimal::new(units, self.scale).map(Number::from).map(|number| number.write(out)).is_some()
        };
        let (from, to) = match &self.shape {
            Shape::Width { origin, width } => {
                let from = bin.checked_mul(*width).and_then(|above| above.checked_add(*origin));
                let to = from.and_then(|from| from.checked_add(*width));
                if to.is_none() {
                    return false;
                }
                (from, to)
            }
            Shape::Edges(edges) => {
                let edge = |at: i128| usize::try_from(at).ok().and_then(|at| edges.get(at)).copied();
                (edge(bin - 1), edge(bin))
            }
        };
        match (from, to) {
            (Some(from), Some(to)) => {
                out.push('[');
                let written = border(from, out);
                out.push(',');
                let both = written && border(to, out);
                out.push(')');
                both
            }
            (None, Some(to)) => {
                out.push('<');
                border(to, out)
            }
            (Some(from), None) => {
                out.push_str(">=");
                border(from, out)
            }
            (None, None) => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    fn label(bins: &Bins, text: &str) -> Option<String> {
        let mut out = String::new();
        bins.write(bins.bin(Number::read(text).unwrap())?, &mut out).then_some(out)
    }

    #[test]
    fn borders_are_exact() {
        let ten = Bins::of_width(decimal("10"), decimal("0")).unwrap();
        let half = Bins::of_width(decimal("0.5"), decimal("0.25")).unwrap();
        let edges = Bins::of_edges(&["18", "40", "65.5"].map(decimal)).unwrap();
        for (bins, text, expected) in [
            (&ten, "30", "[30,40)"),
            (&ten, "39.999999999999999999999", "[30,40)"),
            (&ten, "-0.000000000001", "[-10,0)"),
            (&ten, "-10", "[-10,0)"),
            (&half, "0.25", "[0.25,0.75)"),
            (&half, "0.2499", "[-0.25,0.25)"),
            (&edges, "17.9", "<18"),
            (&edges, "18", "[18,40)"),
            (&edges, "65.4999", "[40,65.5)"),
            (&edges, "65.50", ">=65.5"),
            (&edges, "9223372036854775807", ">=65.5"),
        ] {
            assert_eq!(label(bins, text).as_deref(), Some(expected), "{text}");
        }
        assert!(label(&ten, "-9223372036854775808").is_some());
        assert_eq!(label(&half, "99999999999999999999999999999999999999"), None);
    }

    #[test]
    fn shapes_without_meaning_are_refused() {
        for width in ["0", "-1"] {
            assert!(Bins::of_width(decimal(width), decimal("0")).is_err());
        }
        assert!(Bins::of_width(decimal("99999999999999999999999999999999999999"), decimal("0.1")).is_err());
        for edges in [&["1"][..], &[], &["1", "1"], &["2", "1"]] {
            assert!(Bins::of_edges(&edges.iter().map(|edge| decimal(edge)).collect::<Vec<_>>()).is_err());
        }
    }

    #[test]
    fn the_fewest_values_of_a_bin_are_counted() {
        // All multiples of a step that is 1 to 7 fifths, as fifths, between -120 and 120.
        for step in 1..=7i128 {
            let step_text = Decimal::new(2 * step, 1).unwrap();
            let counts = |bins: &Bins, from: i128| {
                let mut counts = HashMap::<i128, u128>::new();
                for at in from / step..=600 / step {
                    let number = Number { mantissa: 2 * step * at, scale: 1 };
                    *counts.entry(bins.bin(number).unwrap()).or_default() += 1;
                }
                counts
            };
            for width in 1..=12 {
                for origin in 0..3 {
                    let bins = Bins::of_width(Decimal::new(width, 0).unwrap(), Decimal::new(origin, 1).unwrap()).unwrap();
                    let inner = counts(&bins, -600).into_iter().filter(|(bin, _)| (-110..110).contains(&(bin * width)));
                    let above = counts(&bins, 0).into_iter().filter(|(bin, _)| bin * width < 110);
                    let (least, said) = (inner.chain(above).map(|(_, count)| count).min().unwrap(), bins.fewest(step_text));
                    assert!(said <= least && (width * 5 % step != 0 || said == least), "{width} {step}: {said} {least}");
                }
            }
            let bins = Bins::of_edges(&["-50", "-49.9", "-7.5", "0", "1", "18"].map(decimal)).unwrap();
            let least = counts(&bins, -600).into_iter().filter(|(bin, _)| (1..=5).contains(bin)).map(|(_, count)| count).min().unwrap();
            assert_eq!(bins.fewest(step_text), least, "{step}");
            for edges in [&["-20", "1", "40"][..], &["1", "40"], &["-20", "-1", "7"], &["7.2", "40"]] {
                let bins = Bins::of_edges(&edges.iter().map(|edge| decimal(edge)).collect::<Vec<_>>()).unwrap();
                let last = i128::try_from(edges.len()).unwrap();
                let above = counts(&bins, 0).into_iter().filter(|(bin, _)| *bin < last);
                let closed = counts(&bins, -600).into_iter().filter(|(bin, _)| (1..last).contains(bin));
                let least = above.chain(closed).map(|(_, count)| count).min().unwrap();
                assert_eq!(bins.fewest(step_text), least, "{edges:?} {step}");
            }
        }
    }
}
