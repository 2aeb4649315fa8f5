//! The rows of a table on the points of a grid, ties spread.

/// A slot has 2^16 points, so that the rows at one point are a small part even of the rows in one slot.
pub(super) const TIE_BITS: u32 = 16;

/// The rows of a table on the points of its grid: point x is number x mod 2^`tie_bits` of slot x / 2^`tie_bits`.
pub(super) struct Table<'a> {
    counts: &'a [u64],
    /// Rows below each slot, and of all; saturates.
    below: Vec<u64>,
    tie_bits: u32,
}

impl<'a> Table<'a> {
    pub(super) fn new(counts: &'a [u64], tie_bits: u32) -> Self {
        let mut sum = 0_u64;
        let sums = counts.iter().map(|count| {
            sum = sum.saturating_add(*count);
            sum
        });
        Self { counts, below: [0].into_iter().chain(sums).collect(), tie_bits }
    }

    /// How many points there are.
    pub(super) fn points(&self) -> u64 {
        (self.counts.len() as u64) << self.tie_bits
    }

    /// The slot of a point.
    #[expect(clippy::cast_possible_truncation, reason = "an index of counts")]
    pub(super) fn slot(&self, point: u64) -> usize {
        (point >> self.tie_bits) as usize
    }

    /// Rows at points below `point`.
    pub(super) fn below(&self, point: u64) -> u64 {
        let slot = self.slot(point);
        let within = self.counts.get(slot).map_or(0, |count| spread_below(*count, point & ((1 << self.tie_bits) - 1), self.tie_bits));
        self.below[slot.min(self.counts.len())].saturating_add(within)
    }
}

/// How many of 0..count have reversed digits (the lowest `bits`, mod 2^bits) below `point`, which is below 2^bits.
///
/// A number below `point` agrees with it down to one digit, where `point` has 1 and it has 0; its reversal then has these
/// digits as its lowest ones, whatever the rest.
fn spread_below(count: u64, point: u64, bits: u32) -> u64 {
    let rest = count & ((1 << bits) - 1);
    let whole = (count >> bits) * point;
    let digits = (0..bits).filter(|digit| point >> (bits - 1 - digit) & 1 == 1);
    let partial = digits.map(|digit| {
        let fixed = digit + 1;
        let prefix = (point >> (bits - fixed)) & !1;
        let residue = prefix.reverse_bits() >> (u64::BITS - fixed);
        rest.checked_sub(residue + 1).map_or(0, |above| (above >> fixed) + 1)
    });
    whole + partial.sum::<u64>()
}

/// Points `low..=high`, one of which is chosen, with the rows from point `from` up to but not with point `to`.
///
/// The ends are points chosen before, or those of the grid; the rows at a point chosen before are not among its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) low: u64,
    pub(super) high: u64,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Stretch {
    /// The whole of a table that has slots.
    pub(super) fn whole(table: &Table<'_>) -> Self {
        let points = table.points();
        Self { low: 0, high: points.saturating_sub(1), from: 0, to: points }
    }

    /// What is below a point of it, and what is above.
    pub(super) fn split(self, point: u64) -> (Self, Self) {
        let below = Self { high: point, to: point.max(self.from), ..self };
        (below, Self { low: point, from: (point + 1).min(self.to), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_slot_are_at_reversed_numbers() {
        for bits in 0..5_u32 {
            for count in 0..70_u64 {
                for point in 0..1_u64 << bits {
                    let reversed = |i: u64| if bits == 0 { 0 } else { (i & ((1 << bits) - 1)).reverse_bits() >> (64 - bits) };
                    let expected = (0..count).filter(|i| reversed(*i) < point).count() as u64;
                    assert_eq!(spread_below(count, point, bits), expected, "{count} {point} {bits}");
                }
            }
        }
        assert_eq!(spread_below(u64::MAX, (1 << 16) - 1, 16), u64::MAX - (u64::MAX >> 16));
    }

    /// Any stretch of 2^bits rows holds each point once, and a prefix is spread evenly.
    #[test]
    fn rows_of_a_slot_are_spread_evenly() {
        let (count, bits) = (1_000_u64, 16);
        for eighth in 0..8 {
            let below = spread_below(count, eighth << 13, bits);
            assert!(below.abs_diff(count * eighth / 8) <= 1, "{eighth}: {below}");
        }
    }

    #[test]
    fn a_split_loses_only_the_rows_of_its_point() {
        let counts = [3, 0, 5, 1];
        let table = Table::new(&counts, 2);
        let rows = |stretch: Stretch| table.below(stretch.to) - table.below(stretch.from);
        let whole = Stretch::whole(&table);
        assert_eq!(rows(whole), 9);
        for point in 0..16 {
            let (below, above) = whole.split(point);
            let at = table.below(point + 1) - table.below(point);
            assert_eq!(rows(below) + rows(above) + at, 9, "{point}");
            assert_eq!((below.low, below.high, above.low, above.high), (0, point, point, 15));
            // The same point again: nothing between.
            let (again, rest) = above.split(point);
            assert_eq!((rows(again), rows(rest)), (0, rows(above)));
        }
    }
}
