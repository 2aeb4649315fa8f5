//! One column of a description: its type on a grid, bounds, declared values, grade and uses.

use crate::codec::{CodecError, Decoder, Encoder, Field, ItemKind, List, Text, record, stored};
use crate::grade::Grade;
use crate::id::{ColumnName, Decimal, Name};

/// The grid of a real column: a positive decimal such as 0.01; values are whole multiples of it (rule D3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GridStep(Decimal);

impl GridStep {
    /// Steps are at most this fine, so that a step and 10^6 parts of it still print exactly.
    pub const SCALE_MAX: u8 = 18;
    /// The step of integers.
    #[must_use]
    pub const fn one() -> Self {
        Self(Decimal::ONE)
    }

    /// A decimal such as `0.01`, or `2^-k` with k up to 18.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let decimal = match text.strip_prefix("2^-") {
            // 2^-k = 5^k * 10^-k.
            Some(power) => {
                let power: u8 = power.parse().ok().filter(|power| *power <= Self::SCALE_MAX)?;
                Decimal::new(5i128.pow(power.into()), power)?
            }
            None => Decimal::parse(text).ok()?,
        };
        Self::from_decimal(decimal)
    }

    /// A positive decimal with at most 18 digits in all.
    #[must_use]
    pub fn from_decimal(decimal: Decimal) -> Option<Self> {
        let fits = decimal.mantissa() > 0 && decimal.mantissa() < 10i128.pow(18) && decimal.scale() <= Self::SCALE_MAX;
        fits.then_some(Self(decimal))
    }

    /// The step as a number.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// `number` in steps, when it is a whole number of them and fits.
    #[must_use]
    pub fn exactly(self, number: Decimal) -> Option<i64> {
        let scale = self.0.scale().max(number.scale());
        let (number, step) = (number.units(scale)?, self.0.units(scale)?);
        if number % step == 0 { i64::try_from(number / step).ok() } else { None }
    }

    /// `number` in steps, rounded half to even, and held within `i64`.
    #[must_use]
    pub fn nearest(self, number: Decimal) -> i64 {
        let held = if number.mantissa() < 0 { i64::MIN } else { i64::MAX };
        let scale = self.0.scale().max(number.scale());
        let Some(step) = self.0.units(scale) else {
            // The number has so many digits after the point that the step is out of range at its scale: cut both.
            return self.nearest_cut(number);
        };
        let Some(number) = number.units(scale) else { return held };
        let (whole, rest) = (number.div_euclid(step), number.rem_euclid(step));
        let up = match (step - rest).cmp(&rest) {
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => whole & 1,
            std::cmp::Ordering::Greater => 0,
        };
        i64::try_from(whole + up).unwrap_or(held)
    }

    /// For numbers with more than 20 digits after the point: 10^scale steps no longer fit, but the digits below
    /// 10^-36 only matter as "there is something", which one sticky digit keeps.
    fn nearest_cut(self, number: Decimal) -> i64 {
        let (mut mantissa, mut scale) = (number.mantissa(), number.scale());
        let mut sticky = false;
        while scale > Self::SCALE_MAX + 1 {
            sticky |= mantissa % 10 != 0;
            mantissa /= 10;
            scale -= 1;
        }
        // Steps end at 10^-18, so halves end at 10^-19: a sticky digit at 10^-20 decides every tie rightly.
        let sign = number.mantissa().signum();
        let cut = mantissa.checked_mul(10).map(|mantissa| mantissa + if sticky { sign } else { 0 });
        match cut.and_then(|mantissa| Decimal::new(mantissa, scale + 1)) {
            Some(number) => self.nearest(number),
            None if sign < 0 => i64::MIN,
            None => i64::MAX,
        }
    }
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// Text, compared byte by byte.
    Text,
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers on a grid.
    Real {
        /// The grid.
        step: GridStep,
    },
}

impl ColumnType {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Real { .. } => "real",
        }
    }

    /// The grid of numbers; nothing for text.
    #[must_use]
    pub fn step(self) -> Option<GridStep> {
        match self {
            Self::Text => None,
            Self::Integer => Some(GridStep::one()),
            Self::Real { step } => Some(step),
        }
    }
}

record! {
    /// Where values are clamped for sums, in steps, both included.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Bounds [
        /// The least value.
        pub low: i64,
        /// The greatest value.
        pub high: i64,
    ]
}

impl Bounds {
    /// The grid point at or below the middle.
    #[must_use]
    pub const fn middle(self) -> i64 {
        // Floor of the mean without overflow: Hacker's Delight section 2-5.
        (self.low & self.high) + ((self.low ^ self.high) >> 1)
    }
}

/// Declared values of a column: groups that may be named without cost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Values {
    /// Of a text column.
    Text(Vec<String>),
    /// Of an integer column.
    Integer(Vec<i64>),
}

impl Values {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Integer(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One way of using a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// In COUNT, SUM, AVG.
    Aggregate,
    /// In WHERE.
    Filter,
    /// In GROUP BY, over declared values.
    Group,
    /// Its values leave as keys, where nothing declares them; never implied, and brings [`Use::Group`] along.
    Reveal,
}

impl Use {
    /// All uses, in the order of their bits.
    pub const ALL: [Self; 4] = [Self::Aggregate, Self::Filter, Self::Group, Self::Reveal];

    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aggregate => "aggregate",
            Self::Filter => "filter",
            Self::Group => "group",
            Self::Reveal => "reveal",
        }
    }

    const fn bit(self) -> u64 {
        match self {
            Self::Aggregate => 1,
            Self::Filter => 2,
            Self::Group => 4,
            Self::Reveal => 8,
        }
    }
}

/// A set of uses. Whoever may reveal may group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Uses(u64);

impl Uses {
    /// No use at all.
    pub const NONE: Self = Self(0);

    /// The default of a grade (rule B7); groups need declared values.
    #[must_use]
    pub fn of_grade(grade: Grade, has_values: bool) -> Self {
        let uses: &[Use] = match (grade, has_values) {
            (Grade::L1 | Grade::L2, true) => &[Use::Aggregate, Use::Filter, Use::Group],
            (Grade::L1 | Grade::L2, false) | (Grade::L3, _) => &[Use::Aggregate, Use::Filter],
            (Grade::L4, _) => &[],
        };
        uses.iter().copied().collect()
    }

    /// Whether the use is in the set.
    #[must_use]
    pub const fn allow(self, one: Use) -> bool {
        self.0 & one.bit() != 0
    }

    /// A set as it is written: no unknown bit, no reveal without group.
    fn from_bits(bits: u64) -> Option<Self> {
        let set: Self = Use::ALL.into_iter().filter(|one| bits & one.bit() != 0).collect();
        (set.0 == bits).then_some(set)
    }

    /// The uses in the set.
    pub fn iter(self) -> impl Iterator<Item = Use> {
        Use::ALL.into_iter().filter(move |one| self.allow(*one))
    }
}

impl FromIterator<Use> for Uses {
    fn from_iter<I: IntoIterator<Item = Use>>(uses: I) -> Self {
        let bits = uses.into_iter().fold(0, |bits, one| bits | one.bit());
        Self(if bits & Use::Reveal.bit() == 0 { bits } else { bits | Use::Group.bit() })
    }
}

record! {
    /// A column as its owner declares it.
    ///
    /// A plain record; inside a [`super::Schema`] it has been checked.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Column {
        /// Its name.
        1 => pub name: ColumnName,
        /// Its type.
        2 => pub kind: ColumnType,
        /// Where its values are clamped; needed for sums and means.
        3 => pub bounds: Option<Bounds>,
        /// Its declared values; needed for groups, unless it may reveal.
        4 => pub values: Option<Values>,
        /// The name of the group that takes undeclared values and nulls; without it they are dropped.
        5 => pub other: Option<Name>,
        /// Whether it may have nulls.
        6 => pub nullable: bool,
        /// Its grade.
        7 => pub grade: Grade,
        /// How it may be used.
        8 => pub uses: Uses,
    }
}

/// The most declared values of one column: more than the counties and towns of any country.
pub(super) const VALUES_MAX: usize = 65_536;
/// The most bytes of a declared value.
pub(super) const VALUE_BYTES_MAX: usize = 1024;

stored!(GridStep as Decimal, "decimal", |step| step.0, Self::from_decimal, "a positive decimal of at most 18 digits");

stored!(Uses as u64, "number", |uses| uses.0, Self::from_bits, "a set of uses");

/// `[0]`, `[1]` or `[2, step]`.
impl Field for ColumnType {
    type Value = Self;
    const SHAPE: &'static str = "array";

    fn write(value: &Self, out: &mut Encoder) {
        match value {
            Self::Text => drop(out.array(1).uint(0)),
            Self::Integer => drop(out.array(1).uint(1)),
            Self::Real { step } => GridStep::write(step, out.array(2).uint(2)),
        }
    }

    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        match (decoder.array(2)?, decoder.uint()?) {
            (1, 0) => Ok(Self::Text),
            (1, 1) => Ok(Self::Integer),
            (2, 2) => GridStep::read(decoder, key).map(|step| Self::Real { step }),
            _ => Err(CodecError::Value { key, expected: "a column type" }),
        }
    }
}

impl Field for Values {
    type Value = Self;
    const SHAPE: &'static str = "array";

    fn write(value: &Self, out: &mut Encoder) {
        match value {
            Self::Text(values) => Texts::write(values, out),
            Self::Integer(values) => Integers::write(values, out),
        }
    }

    /// The first value says which they are.
    fn read(decoder: &mut Decoder<'_>, key: i64) -> Result<Self, CodecError> {
        let mut ahead = decoder.clone();
        if ahead.array(VALUES_MAX)? > 0 && ahead.peek()? == ItemKind::Text {
            Texts::read(decoder, key).map(Self::Text)
        } else {
            Integers::read(decoder, key).map(Self::Integer)
        }
    }
}

type Texts = List<Text<VALUE_BYTES_MAX>, VALUES_MAX>;
type Integers = List<i64, VALUES_MAX>;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::codec::{Record, assert_documented};

    #[test]
    fn the_page_lists_its_fields() {
        assert_documented(include_str!("../../docs/ledger.md"), "#### Column", Column::TABLE);
    }

    fn nearest(step: &str, number: &str) -> i64 {
        GridStep::parse(step).unwrap().nearest(Decimal::parse(number).unwrap())
    }

    #[test]
    fn numbers_are_rounded_to_the_grid_half_to_even() {
        assert_eq!(nearest("1", "2.5"), 2);
        assert_eq!(nearest("1", "3.5"), 4);
        assert_eq!(nearest("1", "-2.5"), -2);
        assert_eq!(nearest("1", "-3.5"), -4);
        assert_eq!(nearest("0.01", "1.005"), 100);
        assert_eq!(nearest("0.01", "1.00500000000000000000000000000000001"), 101);
        assert_eq!(nearest("0.01", "-1.00500000000000000000000000000000001"), -101);
        assert_eq!(nearest("2^-2", "0.375"), 2);
        assert_eq!(nearest("2^-18", "1"), 262_144);
        assert_eq!(nearest("0.000000000000000001", "9"), 9_000_000_000_000_000_000);
        assert_eq!(nearest("0.000000000000000001", "10"), i64::MAX);
        assert_eq!(nearest("0.000000000000000001", "-99999999999999999999999999999999999999"), i64::MIN);
        assert_eq!(nearest("0.000000000000000001", "0.00000000000000000050000000000000000000"), 0);
        assert_eq!(nearest("0.000000000000000001", "0.00000000000000000050000000000000000001"), 1);
        assert_eq!(nearest("999999999999999999", "99999999999999999999999999999999999999"), i64::MAX);
        assert_eq!(nearest("3", "99999999999999999999999999999999999.999"), i64::MAX);
        assert_eq!(nearest("999999999999999999", "0.00000000000000000000000000000000000001"), 0);
    }

    #[test]
    fn the_middle_is_at_or_below_and_never_overflows() {
        for (low, high, middle) in [(0, 120, 60), (0, 5, 2), (-5, 0, -3), (i64::MIN, i64::MAX, -1), (i64::MAX - 1, i64::MAX, i64::MAX - 1)]
        {
            assert_eq!(Bounds { low, high }.middle(), middle);
        }
    }

    #[test]
    fn steps_that_are_none_are_refused() {
        for wrong in ["0", "-0.1", "2^-19", "2^1", "1e-3", "0.0000000000000000001", "1000000000000000000", ""] {
            assert_eq!(GridStep::parse(wrong), None, "{wrong}");
        }
    }
}
